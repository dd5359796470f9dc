"""Kronecker approximations against explicit blocks of the Fisher information, and the laws between their errors."""

from __future__ import annotations

import ast
import pickle
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infogeom import network
from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.network import MLP
from tests import network_reference as reference

Array = np.ndarray[Any, np.dtype[Any]]

LOSSES: list[Loss] = [LpNorm(1), LpNorm(2), LpNorm(6), MeanPower(2), MeanPower(4), CrossEntropy()]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
two_losses = pytest.mark.parametrize("loss", [LpNorm(6), CrossEntropy()], ids=lambda loss: loss.name)
both_fishers = pytest.mark.parametrize("fisher", ["empirical", "expected"])
every_net = pytest.mark.parametrize(
    "net",
    [
        {"widths": (4, 6, 5, 3), "activation": "relu"},
        {"widths": (4, 6, 5, 3), "activation": "tanh", "parametrization": "ntk"},
        {"widths": (4, 3, 7, 3), "activation": "gelu", "bias": False},
        {"widths": (4, 5, 1), "activation": "gelu", "bias": False, "parametrization": "ntk"},
        {"widths": (4, 3), "activation": "identity"},
    ],
    ids=lambda kind: "-".join(map(str, kind.values())),
)
RNG = np.random.default_rng(5)
#: More samples than any layer has parameters, and more than its factors have entries in the narrow ones.
X, LABELS = RNG.normal(size=(40, 4)), RNG.integers(0, 3, 40)
#: Of squared errors: sums of thousands of products.
TIGHT = 1e-10


def small(widths: tuple[int, ...] = (4, 6, 5, 3), seed: int = 0, **kind: Any) -> MLP:
    return MLP(widths, dtype="float64", initialization="pytorch", seed=seed, **kind)


def targets(net: MLP, samples: int = len(X)) -> Array:
    outputs = net.widths[-1]
    return np.eye(3)[LABELS[:samples], :outputs]


class Layer(NamedTuple):
    """Inputs ã (N, p), derivatives δ (N, K, m) and the block of the Fisher information, (p m, p m)."""

    inputs: Array
    outputs: Array
    block: Array


@cache
def jacobian_of(kind: str) -> tuple[Array, Array]:
    """Outputs and Jacobian of one of the networks, which say in their keywords what they are."""
    net = small(**ast.literal_eval(kind))
    return reference.outputs_and_jacobian(X, *net.to_arrays(), net.activation, net.scales)


def explicit(net: MLP, loss: Loss, fisher: str) -> list[Layer]:
    """Blocks from the Jacobian, of which a sample's part for a seed is the outer product of ã and δ."""
    x, y = X, targets(net)
    weights, biases = net.to_arrays()
    names = "widths", "activation", "parametrization", "bias"
    f, jacobian = jacobian_of(str({name: getattr(net, name) for name in names}))
    factor = loss.gradient(f, y)[:, None] if fisher == "empirical" else loss.expected_factor(f)
    seeds = np.broadcast_to(factor, (len(x), *factor.shape[1:]))
    gradients = np.einsum("nka,nap->nkp", seeds, jacobian)

    a, start, layers = x, 0, []
    for W, b, scale in zip(weights, biases or [None] * len(weights), net.scales, strict=True):
        inputs = scale * a if b is None else np.hstack([scale * a, np.ones((len(x), 1))])
        rows, columns = inputs.shape[1], W.shape[1]
        part = gradients[:, :, start : start + rows * columns]
        start += rows * columns
        matrices = part.reshape(len(x), -1, rows, columns)
        outputs = np.einsum("np,nkpm->nkm", inputs, matrices) / (inputs**2).sum(axis=1)[:, None, None]
        np.testing.assert_allclose(np.einsum("np,nkm->nkpm", inputs, outputs), matrices, atol=1e-12)
        layers.append(Layer(inputs, outputs, np.einsum("nkp,nkq->pq", part, part) / len(x)))
        z = scale * (a @ W) + (0 if b is None else b)
        a = reference.ACTIVATIONS[net.activation][0](z)
    return layers


def dense(block: Any) -> Array:
    """Matrix of an approximation, column by column."""
    return block.product(np.eye(np.prod(block.shape)))


def square(approximation: Array, block: Array) -> float:
    """Squared relative distance in Frobenius norm."""
    return float(((approximation - block) ** 2).sum() / (block**2).sum())


def every_block(net: MLP, loss: Loss, fisher: str) -> Any:
    """Approximations of one positive semi-definite pair, layer by layer."""
    y = targets(net)
    for of in (network.kfac, network.ekfac, network.kronecker_pairs):
        yield from zip(of(net, X, y, loss, fisher=fisher), explicit(net, loss, fisher), strict=True)


# --- What they approximate --------------------------------------------------------------------------------------------


@every_net
@two_losses
@both_fishers
def test_factors_are_the_second_moments_of_both_sides(net: dict[str, Any], loss: Loss, fisher: str) -> None:
    one = small(**net)
    found = network.kfac(one, X, targets(one), loss, fisher=fisher)
    for block, layer in zip(found, explicit(one, loss, fisher), strict=True):
        [(A, G)] = block.factors
        np.testing.assert_allclose(A, layer.inputs.T @ layer.inputs / len(X), rtol=1e-11, atol=1e-13)
        np.testing.assert_allclose(
            G, np.einsum("nki,nkj->ij", layer.outputs, layer.outputs) / len(X), rtol=1e-9, atol=1e-12
        )
        np.testing.assert_allclose(dense(block), np.kron(A, G), atol=1e-13)


@every_net
@every_loss
@both_fishers
def test_errors_are_those_of_explicit_blocks(net: dict[str, Any], loss: Loss, fisher: str) -> None:
    one = small(**net)
    errors = network.kronecker_errors(one, X, targets(one), loss, fisher=fisher)
    for name, of in (("kfac", network.kfac), ("ekfac", network.ekfac), ("pair", network.kronecker_pairs)):
        blocks = of(one, X, targets(one), loss, fisher=fisher)
        for l, (block, layer) in enumerate(zip(blocks, explicit(one, loss, fisher), strict=True)):
            expected = square(dense(block), layer.block)
            assert block.error**2 == pytest.approx(expected, abs=TIGHT)
            assert errors[name].values[l] ** 2 == pytest.approx(expected, abs=TIGHT)


@every_net
@both_fishers
@pytest.mark.parametrize("rank", [1, 2, 5, 50])
def test_pairs_are_the_leading_ones_of_the_rearranged_block(net: dict[str, Any], fisher: str, rank: int) -> None:
    one, loss = small(**net), CrossEntropy()
    found = network.kronecker_pairs(one, X, targets(one), loss, rank, fisher=fisher)
    for block, layer in zip(found, explicit(one, loss, fisher), strict=True):
        p, m = block.shape
        rearranged = layer.block.reshape(p, m, p, m).transpose(0, 2, 1, 3).reshape(p * p, m * m)
        values = np.linalg.svd(rearranged, compute_uv=False)
        assert block.error**2 == pytest.approx((values[rank:] ** 2).sum() / (values**2).sum(), abs=TIGHT)
        assert square(dense(block), layer.block) == pytest.approx(block.error**2, abs=TIGHT)
        norms = [[np.linalg.norm(factor) ** 2 for factor in pair] for pair in block.factors]
        expected = values[: len(norms), None].repeat(2, axis=1)
        np.testing.assert_allclose(norms, expected, rtol=1e-9, atol=1e-9 * values[0])


@every_net
@two_losses
@both_fishers
def test_the_best_pair_is_stationary(net: dict[str, Any], loss: Loss, fisher: str) -> None:
    # Each factor is the best one for the other: A = N⁻¹ Σ (δᵀ G δ) ã ãᵀ / ‖G‖², G = N⁻¹ Σ (ãᵀ A ã) δ δᵀ / ‖A‖².
    one = small(**net)
    found = network.kronecker_pairs(one, X, targets(one), loss, fisher=fisher)
    for block, (a, d, _) in zip(found, explicit(one, loss, fisher), strict=True):
        [(A, G)] = block.factors
        of_inputs = np.einsum("nki,ij,nkj,np,nq->pq", d, G, d, a, a, optimize=True) / len(X) / (G**2).sum()
        of_outputs = np.einsum("np,pq,nq,nki,nkj->ij", a, A, a, d, d, optimize=True) / len(X) / (A**2).sum()
        np.testing.assert_allclose(A, of_inputs, atol=1e-6 * abs(A).max())
        np.testing.assert_allclose(G, of_outputs, atol=1e-6 * abs(G).max())


@every_net
@two_losses
@both_fishers
def test_ekfac_is_the_diagonal_between_the_eigenvectors_of_kfac(net: dict[str, Any], loss: Loss, fisher: str) -> None:
    one = small(**net)
    for block, layer in zip(
        network.ekfac(one, X, targets(one), loss, fisher=fisher), explicit(one, loss, fisher), strict=True
    ):
        U = np.kron(*block.bases)
        np.testing.assert_allclose(U.T @ U, np.eye(len(U)), atol=1e-13)
        expected = np.einsum("pi,pq,qi->i", U, layer.block, U)
        np.testing.assert_allclose(block.eigenvalues.ravel(), expected, atol=1e-12 * abs(expected).max())
        np.testing.assert_allclose(dense(block), (U * expected) @ U.T, atol=1e-12 * abs(expected).max())


# --- Products, solves, determinants -----------------------------------------------------------------------------------


@every_net
@both_fishers
def test_solves_and_determinants_are_those_of_the_dense_matrix(net: dict[str, Any], fisher: str) -> None:
    one, damping = small(**net), 1e-3
    for block, _ in every_block(one, CrossEntropy(), fisher):
        matrix = dense(block)
        assert block.trace == pytest.approx(matrix.trace(), rel=1e-12)
        damped = matrix + damping * np.eye(len(matrix))
        v = RNG.normal(size=(len(matrix), 3))
        expected = np.linalg.solve(damped, v)
        # Rounding times the condition of the damped matrix.
        tolerance = 1e-14 * (1 + np.linalg.norm(matrix) / damping) * abs(expected).max()
        np.testing.assert_allclose(block.solve(v, damping), expected, atol=tolerance)
        assert (block.solve(v[:, 0], damping) == block.solve(v[:, :1], damping)[:, 0]).all()
        assert block.logdet(damping) == pytest.approx(np.linalg.slogdet(damped)[1], rel=1e-10, abs=1e-10)


@every_net
def test_blocks_lie_in_the_parameters_where_the_layers_do(net: dict[str, Any]) -> None:
    one = small(**net)
    blocks = network.kfac(one, X, targets(one), CrossEntropy())
    layers = one.layers(np.arange(one.parameters.size))
    for block, layer in zip(blocks, layers, strict=True):
        weights = layer.weights.size + (0 if layer.bias is None else layer.bias.size)
        assert block.parameters == slice(layer.weights[0, 0], layer.weights[0, 0] + weights)
        assert np.prod(block.shape) == weights


@every_net
@both_fishers
def test_products_with_a_sum_of_pairs_are_those_of_the_dense_sum(net: dict[str, Any], fisher: str) -> None:
    one = small(**net)
    for block in network.kronecker_pairs(one, X, targets(one), LpNorm(2), 4, fisher=fisher):
        matrix = np.add.reduce([np.kron(A, G) for A, G in block.factors])
        v = RNG.normal(size=len(matrix))
        np.testing.assert_allclose(block.product(v), matrix @ v, atol=1e-12 * np.linalg.norm(matrix))
        assert block.trace == pytest.approx(matrix.trace(), rel=1e-11)


# --- Laws -------------------------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**16),
    samples=st.integers(1, 12),
    widths=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    loss=st.sampled_from(LOSSES),
    fisher=st.sampled_from(["empirical", "expected"]),
    kind=st.fixed_dictionaries(
        {
            "activation": st.sampled_from(["relu", "tanh", "gelu"]),
            "bias": st.booleans(),
            "parametrization": st.sampled_from(["standard", "ntk"]),
        }
    ),
)
def test_errors_obey_their_bounds(
    seed: int, samples: int, widths: list[int], loss: Loss, fisher: str, kind: dict[str, Any]
) -> None:
    net, rng = small((3, *widths), seed, **kind), np.random.default_rng(seed)
    x = rng.normal(size=(samples, 3))
    y = rng.dirichlet(np.ones(widths[-1]), samples) if widths[-1] > 1 else rng.random((samples, 1))
    errors = network.kronecker_errors(net, x, y, loss, fisher=fisher)
    kfac, ekfac, pair = (errors[name].values for name in ("kfac", "ekfac", "pair"))
    assert ((ekfac >= 0) & (ekfac <= np.minimum(kfac, 1) + 1e-12)).all()
    # Cholesky's method leaves out what is below rounding times the number of samples.
    assert ((pair >= 0) & (pair**2 <= np.minimum(kfac, 1) ** 2 + 1e-13)).all()


@every_loss
@both_fishers
def test_ekfac_keeps_the_trace_of_each_layer(loss: Loss, fisher: str) -> None:
    net = small()
    expected = network.fisher_trace_by_layer(net, X, targets(net), loss, fisher=fisher)
    found = [block.trace for block in network.ekfac(net, X, targets(net), loss, fisher=fisher)]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def one_layer(x: Array, residuals: Array) -> tuple[MLP, Array, Array, Loss]:
    """Linear layer without bias, whose inputs are x and whose derivatives are the residuals, or as many times."""
    net = MLP.from_arrays([np.zeros((x.shape[1], residuals.shape[1]))])
    return net, x, -residuals, MeanPower(2)


def test_kfac_may_be_further_away_than_nothing_and_does_not_keep_the_trace() -> None:
    # All the derivatives come with the small input, all of the inputs' square with the other.
    arguments = one_layer(np.array([[1.0, 0.0], [0.0, 3.0]]), np.array([[1.0], [0.0]]))
    [block] = network.kfac(*arguments)
    # F = ½ diag(1, 0) c against ½ diag(1, 9) ½ c.
    assert block.error == pytest.approx(np.sqrt(0.25 + 81 / 4), rel=1e-14)
    assert block.trace == pytest.approx(5 * network.fisher_trace(*arguments), rel=1e-14)


def test_neither_ekfac_nor_the_best_pair_bounds_the_other() -> None:
    # Two diagonal products of equal size: exact for EKFAC, half of the square lost for a single pair.
    diagonal = one_layer(np.eye(2), np.eye(2))
    [errors] = network.kronecker_errors(*diagonal).to_dataframe().itertuples()
    assert errors.ekfac == pytest.approx(0, abs=1e-14)
    assert errors.pair == pytest.approx(np.sqrt(0.5), rel=1e-14)
    # One product exactly, but with a factor other than the mean, and other eigenvectors: exact for a pair.
    x = np.array([[1.0, 0.0], [1.0, 1.0]])
    product = one_layer(x, np.array([[1.0], [0.1]]))
    [errors] = network.kronecker_errors(*product).to_dataframe().itertuples()
    assert errors.pair == pytest.approx(0, abs=1e-14)
    assert errors.ekfac > 0.05


def test_one_sample_is_one_product_exactly() -> None:
    for seed in range(5):
        net = small(activation="tanh", seed=seed)
        arguments = net, X[:1], targets(net, 1), CrossEntropy()
        for fisher in ("empirical", "expected"):
            errors = network.kronecker_errors(*arguments, fisher=fisher)
            assert (errors.kfac == 0).all()
            assert (errors.ekfac == 0).all()
            assert (errors.pair <= 1e-14).all()
            assert [block.error for block in network.kfac(*arguments, fisher=fisher)] == [0, 0, 0]
            assert [block.error for block in network.ekfac(*arguments, fisher=fisher)] == [0, 0, 0]


def test_small_errors_keep_their_digits() -> None:
    # Two samples that differ by 1e-7: errors of that size, whose squares are below the rounding of ‖F‖².
    difference = 1e-7
    arguments = one_layer(np.array([[1.0, difference], [1.0, -difference]]), np.array([[1.0], [1 + difference]]))
    [block] = network.kfac(*arguments)
    x, d = np.longdouble(arguments[1]), np.longdouble(arguments[2])
    block_of = [np.outer(a, a) * e**2 for a, e in zip(x, d[:, 0], strict=True)]
    F = (block_of[0] + block_of[1]) / 2
    product = (x.T @ x) / 2 * (d**2).sum() / 2
    expected = np.sqrt((((F - product) ** 2).sum() / (F**2).sum()).astype(float))
    assert block.error == pytest.approx(expected, rel=1e-6)
    assert expected < 1e-6


def test_the_best_pair_of_two_equal_ones_is_still_positive() -> None:
    rng = np.random.default_rng(1)
    Q, R = (np.linalg.qr(rng.normal(size=(n, n)))[0] for n in (5, 4))
    arguments = one_layer(Q[:3], R[:3])
    [block] = network.kronecker_pairs(*arguments)
    for factor in block.factors[0]:
        values = np.linalg.eigvalsh(factor)
        assert values[0] >= -1e-15 * values[-1]
    assert block.error == pytest.approx(np.sqrt(2 / 3), rel=1e-12)


def test_a_layer_without_derivatives_is_approximated_by_nothing() -> None:
    net = small((4, 5, 2), bias=False)
    arguments = net, X, net.output(X), MeanPower(2)
    assert (network.kronecker_errors(*arguments).to_array() == 0).all()
    for of in (network.kfac, network.ekfac, network.kronecker_pairs):
        for block in of(*arguments):
            v = RNG.normal(size=np.prod(block.shape))
            assert block.error == block.trace == 0
            np.testing.assert_allclose(block.solve(v, 0.5), 2 * v, rtol=1e-13)


# --- Sizes, tiles, float32 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1e-100, 1e-30, 1e30, 1e70])
def test_errors_know_no_scale(size: float) -> None:
    e = RNG.normal(size=(len(X), 3))
    exact = network.kronecker_errors(*one_layer(X, e)).to_array()
    found = network.kronecker_errors(*one_layer(X * 4.0**10, e * size)).to_array()
    np.testing.assert_allclose(found, exact, rtol=1e-10)


@pytest.mark.parametrize("size", [1e-150, 1e-80, 1e80, 1e150])
@pytest.mark.parametrize("of", ["kfac", "ekfac", "kronecker_pairs"])
def test_blocks_know_no_scale(of: str, size: float) -> None:
    # A norm's derivatives stay as they are, so that the last layer's block grows as the inputs squared: its norm is
    # within float64, the square of that is not.
    net, y, v = small(bias=False), targets(small()), RNG.normal(size=15)
    block, scaled = (getattr(network, of)(net, k * X, k * y, LpNorm(2))[-1] for k in (1.0, size))
    assert scaled.error == pytest.approx(block.error, rel=1e-10)
    assert scaled.trace / size / size == pytest.approx(block.trace, rel=1e-10)
    np.testing.assert_allclose(scaled.product(v) / size / size, block.product(v), rtol=1e-9)


def test_what_leaves_float64_is_no_silent_infinity() -> None:
    # Both factors are within float64, their product is not; K-FAC's error is a ratio.
    net, x, y = small(bias=False), 1e80 * X, 1e80 * targets(small())
    block = network.kfac(net, x, y, MeanPower(2))[0]
    for call in (lambda: block.trace, lambda: block.logdet(1.0), lambda: block.product(np.ones(24))):
        with pytest.raises(OverflowError, match="leave the floating-point range"):
            call()
    assert block.error == pytest.approx(network.kfac(net, X, targets(net), MeanPower(2))[0].error, rel=1e-10)


@pytest.mark.parametrize("module", ["kfac", "ekfac"])
@pytest.mark.parametrize("size", [1, 7])
@both_fishers
def test_tiles_of_any_length_give_the_same_blocks(
    module: str, size: int, fisher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = small()
    arguments = net, X[:9], targets(net, 9), CrossEntropy()
    expected = getattr(network, module)(*arguments, fisher=fisher)
    for constant in ("TILE", "VECTORS"):
        monkeypatch.setattr(f"infogeom.network.sides.{constant}", size)
    found = getattr(network, module)(*arguments, fisher=fisher)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(dense(one), dense(other), atol=1e-13)
        assert one.error == pytest.approx(other.error, rel=1e-12)


@both_fishers
def test_float32_is_right_to_its_rounding(fisher: str) -> None:
    net = MLP((20, 30, 10), seed=2)
    double = MLP.from_arrays(*net.to_arrays(), dtype="float64")
    x, y = RNG.random((64, 20)).astype(np.float32), np.eye(10)[RNG.integers(0, 10, 64)]
    arguments = x, y, CrossEntropy()
    for one, other in zip(*(network.kfac(n, *arguments, fisher=fisher) for n in (net, double)), strict=True):
        for mine, exact in zip(one.factors[0], other.factors[0], strict=True):
            assert mine.dtype == np.float64
            np.testing.assert_allclose(mine, exact, atol=2e-6 * abs(exact).max())
    errors = [network.kronecker_errors(n, *arguments, fisher=fisher).to_array() for n in (net, double)]
    np.testing.assert_allclose(errors[0], errors[1], rtol=1e-5)


def test_float32_inputs_whose_squares_are_none_still_have_their_moments() -> None:
    net = MLP((4, 3), bias=False)
    for size in (1e-25, 1e16):
        [(A, _)] = network.kfac(net, size * X, targets(net), CrossEntropy(), fisher="expected")[0].factors
        np.testing.assert_allclose(A, size**2 * X.T @ X / len(X), atol=1e-5 * size**2)


# --- Values -----------------------------------------------------------------------------------------------------------


def test_errors_that_are_asked_for_later_are_of_the_data_then() -> None:
    net, x, y = small(), X.copy(), targets(small()).copy()
    blocks = network.kfac(net, x, y, CrossEntropy())
    x[:], y[:] = 0, np.eye(3)[0]
    expected = network.kronecker_errors(net, X, targets(net), CrossEntropy()).kfac
    np.testing.assert_allclose([block.error for block in blocks], expected, rtol=1e-12)


@pytest.mark.parametrize("of", ["kfac", "ekfac", "kronecker_pairs"])
def test_blocks_survive_pickling(of: str) -> None:
    net = small()
    for block in getattr(network, of)(net, X, targets(net), CrossEntropy()):
        copy = pickle.loads(pickle.dumps(block))
        assert copy.error == block.error
        assert (dense(copy) == dense(block)).all()


def test_errors_are_labelled() -> None:
    net = small()
    errors = network.kronecker_errors(net, X, targets(net), LpNorm(2), fisher="expected")
    assert errors.layer.values.tolist() == [1, 2, 3]
    assert errors.attrs["fisher"] == "expected"
    assert errors.attrs["loss"] == "l2"


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda b: b.solve(np.ones(30), 0.0), ValueError, "damping must be positive and finite, got 0.0"),
        (lambda b: b.solve(np.ones(30), -1), ValueError, "damping must be positive and finite, got -1"),
        (lambda b: b.solve(np.ones(30), "1"), TypeError, "damping must be a real number, got '1'"),
        (lambda b: b.logdet(np.inf), ValueError, "damping must be positive and finite, got inf"),
        (lambda b: b.product(np.ones(29)), ValueError, r"v must have shape \(30,\) or \(30, r\), .*, got \(29,\)"),
        (lambda b: b.solve(np.ones((3, 30)), 1.0), ValueError, r"v must have shape .* got \(3, 30\)"),
        (lambda b: b.product(np.full(30, np.nan)), ValueError, "v must be finite, got nan"),
    ],
)
@pytest.mark.parametrize("of", ["kfac", "ekfac", "kronecker_pairs"])
def test_bad_vectors_and_dampings_are_named(call: Any, error: type[Exception], message: str, of: str) -> None:
    block = getattr(network, of)(small(), X, targets(small()), CrossEntropy())[0]
    with pytest.raises(error, match=message):
        call(block)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda n, y: network.kronecker_pairs(n, X, y, LpNorm(2), 0), ValueError, "rank must be at least 1, got 0"),
        (lambda n, y: network.kronecker_pairs(n, X, y, LpNorm(2), 1.5), TypeError, "rank must be an int, got 1.5"),
        (lambda n, y: network.kfac(n, X, y[:4], LpNorm(2)), ValueError, r"y must have shape \(40, 3\)"),
        (lambda n, _: network.ekfac(n, X, None, LpNorm(2)), ValueError, "y must be given for the empirical"),
        (lambda n, y: network.kronecker_errors(n, X, y, "l2"), TypeError, "loss must come from infogeom.losses"),
        (lambda _, y: network.kfac(None, X, y, LpNorm(2)), TypeError, "net must be an MLP, got NoneType"),
        (lambda n, y: network.kfac(n, X, y, LpNorm(2), fisher="true"), ValueError, "fisher must be .* got 'true'"),
        (lambda n, y: network.kfac(n, 1e200 * X, y, LpNorm(2)), OverflowError, "leave the floating-point range"),
    ],
)
def test_bad_arguments_are_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(small(), targets(small()))


@pytest.mark.parametrize("call", [lambda b: b.solve(np.ones(30), 1.0), lambda b: b.logdet(1.0), lambda b: b.bases])
def test_sums_of_pairs_cannot_be_solved_for(call: Any) -> None:
    block = network.kronecker_pairs(small(), X, targets(small()), CrossEntropy(), 2)[0]
    with pytest.raises(ValueError, match="pairs beyond the first are indefinite, got 2; take kronecker_pairs"):
        call(block)


def test_products_between_too_many_samples_are_refused_by_number() -> None:
    net, x = small((4, 3)), np.zeros((4001, 4))
    [block] = network.kfac(net, x, None, LpNorm(2), fisher="expected")
    with pytest.raises(ValueError, match=r"x must have at most 4000 samples .* got 4001"):
        _ = block.error
