"""Traces, blocks and spectra against brute-force Jacobians, and the laws between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infogeom import network
from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.network import MLP
from tests import network_reference as reference

Array = np.ndarray[Any, np.dtype[Any]]

LOSSES: list[Loss] = [
    LpNorm(1),
    LpNorm(2),
    LpNorm(4),
    LpNorm(6),
    MeanPower(2),
    MeanPower(4),
    MeanPower(6),
    CrossEntropy(),
]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
every_kind = pytest.mark.parametrize(
    "kind",
    [
        {"activation": activation, "parametrization": parametrization, "bias": bias}
        for activation in sorted(reference.ACTIVATIONS)
        for parametrization in ("standard", "ntk")
        for bias in (True, False)
    ],
    ids=lambda kind: "-".join(map(str, kind.values())),
)
both_fishers = pytest.mark.parametrize("fisher", ["empirical", "expected"])
RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(6, 4)), np.eye(3)[[0, 1, 2, 2, 1, 0]]
#: Sums of a few hundred products, and slopes of tanh as 1 − tanh² in the reference.
TIGHT = 1e-12


def small(widths: tuple[int, ...] = (4, 6, 5, 3), seed: int = 0, **kind: Any) -> MLP:
    return MLP(widths, dtype="float64", initialization="pytorch", seed=seed, **kind)


def jacobian(net: MLP, x: Array = X) -> tuple[Array, Array]:
    return reference.outputs_and_jacobian(x, *net.to_arrays(), net.activation, net.scales)


def loss_gradients(net: MLP, loss: Loss, x: Array = X, y: Array = Y) -> Array:
    """∇_θ ℓ_n, shape (N, P), the loss derivative by central differences of the loss in the outputs."""
    f, J = jacobian(net, x)
    h = 1e-6 * np.eye(f.shape[1])
    r = np.stack([(loss.values(f + e, y) - loss.values(f - e, y)) / 2e-6 for e in h], axis=1)
    return np.einsum("na,nap->np", r, J)


# --- The kernel -------------------------------------------------------------------------------------------------------


@every_kind
def test_the_kernel_is_the_product_of_jacobians(kind: dict[str, Any]) -> None:
    net = small(**kind)
    _, J = jacobian(net)
    expected = np.einsum("nap,mbp->nmab", J, J)
    assert abs(network.ntk(net, X) - expected).max() <= TIGHT * abs(expected).max()


@every_kind
@pytest.mark.parametrize("rows", [1, 7, 2048])
def test_the_kernel_between_two_sets_is_the_product_of_their_jacobians(
    kind: dict[str, Any], rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infogeom.network.spectra.BLOCK_ROWS", rows)
    net, other = small(**kind), np.random.default_rng(6).normal(size=(5, 4))
    J, J_other = (jacobian(net, inputs)[1] for inputs in (X, other))
    for second, J_second in ((None, J), (other, J_other)):
        expected = np.einsum("nap,mbp->nmab", J, J_second)
        found = network.ntk(net, X, second)
        assert found.shape == expected.shape
        assert abs(found - expected).max() <= TIGHT * abs(expected).max()


def test_a_kernel_too_large_for_any_memory_is_refused_with_its_size() -> None:
    # More bytes than the address space of a process has.
    net, x = MLP((1, 10)), np.zeros((10**6, 1))
    told = r"no memory for the kernel between 1000000 and 1000000 samples of 10 outputs: 8e\+05 GB"
    with pytest.raises(MemoryError, match=told):
        network.ntk(net, x)


def test_the_other_inputs_of_a_kernel_are_named() -> None:
    with pytest.raises(ValueError, match=r"^other must have shape \(N, 4\) with N at least 1, got \(2, 3\)$"):
        network.ntk(small(), X, np.zeros((2, 3)))


@every_kind
@pytest.mark.parametrize("widths", [(4, 3), (4, 5, 1), (4, 6, 5, 3), (4, 3, 4, 3, 2)], ids=str)
def test_blocks_and_trace_are_those_of_the_jacobian(kind: dict[str, Any], widths: tuple[int, ...]) -> None:
    net = small(widths, **kind)
    _, J = jacobian(net)
    expected = np.einsum("nap,nbp->nab", J, J)
    assert abs(network.ntk_blocks(net, X) - expected).max() <= TIGHT * abs(expected).max()
    assert network.ntk_trace(net, X, normalization="sum") == pytest.approx((J**2).sum(), rel=TIGHT)


def test_normalisations_of_the_trace() -> None:
    net = small()
    total = network.ntk_trace(net, X, normalization="sum")
    assert network.ntk_trace(net, X) == pytest.approx(total / 6, rel=1e-15)
    assert network.ntk_trace(net, X, normalization="samples*outputs") == pytest.approx(total / 18, rel=1e-15)


def test_layers_share_the_trace_as_their_parameters_do() -> None:
    net = small()
    _, J = jacobian(net)
    sizes = [(a + 1) * b for a, b in zip(net.widths, net.widths[1:], strict=False)]
    parts = np.split(J, np.cumsum(sizes)[:-1], axis=2)
    expected = [(part**2).sum() / len(X) for part in parts]
    np.testing.assert_allclose(network.ntk_trace_by_layer(net, X), expected, rtol=TIGHT)


@pytest.mark.parametrize(("tile", "block"), [(1, 1), (4, 30), (2**30, 1), (2**30, 2**30)])
def test_tiles_of_any_length_give_the_same_traces(tile: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net = small()
    blocks, trace = network.ntk_blocks(net, X), network.fisher_trace(net, X, Y, LpNorm(2))
    monkeypatch.setattr("infogeom.network.blocks.TILE", tile)
    monkeypatch.setattr("infogeom.network.blocks.BLOCK_SIZE", block)
    np.testing.assert_allclose(network.ntk_blocks(net, X), blocks, rtol=1e-13)
    assert network.fisher_trace(net, X, Y, LpNorm(2)) == pytest.approx(trace, rel=1e-13)


def test_the_trace_of_each_kernel_spectrum_is_the_trace() -> None:
    net = small()
    trace = network.ntk_trace(net, X, normalization="sum")
    for outputs, size in (("all", 18), ("trace", 6)):
        spectrum = network.ntk_spectrum(net, X, outputs=outputs)
        assert spectrum.shape == (size,)
        assert (np.diff(spectrum) <= 0).all()
        assert spectrum.sum() == pytest.approx(trace, rel=1e-12)


def test_the_kernel_spectrum_is_that_of_the_parameters_side() -> None:
    net = small((4, 3))
    _, J = jacobian(net)
    expected = np.linalg.eigvalsh(np.einsum("nap,naq->pq", J, J))[::-1]
    np.testing.assert_allclose(network.ntk_spectrum(net, X)[:15], expected, rtol=1e-10, atol=1e-12 * expected[0])


@settings(max_examples=10)
@given(seed=st.integers(0, 2**16))
def test_a_small_gradient_step_changes_outputs_as_the_kernel_says(seed: int) -> None:
    # Eq. 4.1.7: δf_a(x_n) = −η Σ_m,b Λ_nm,ab ∂L/∂f_b(x_m), to first order in η.
    net, loss, eta = small(seed=seed, activation="tanh"), MeanPower(2), 1e-6
    f, J = jacobian(net)
    r = loss.gradient(f, Y) / len(X)
    step = net.parameters - eta * np.einsum("na,nap->p", r, J)
    change = (net.with_parameters(step).output(X) - f) / eta
    expected = -np.einsum("nmab,mb->na", network.ntk(net, X), r)
    # Second order in η, and the rounding of f over η.
    assert abs(change - expected).max() <= 1e-4 * abs(expected).max()


# --- Hutchinson -------------------------------------------------------------------------------------------------------


def test_the_estimate_of_the_trace_is_within_its_standard_error() -> None:
    net = small((4, 20, 8))
    exact = network.ntk_trace(net, X)
    found = [network.ntk_trace_estimate(net, X, probes=4, seed=seed) for seed in range(200)]
    z = np.array([(estimate - exact) / error for estimate, error in found])
    # Four probes give t-like tails: mean 0 ± 0.07·√(variance ≈ 1.2).
    assert abs(z.mean()) < 0.3
    assert 0.8 < z.std() < 1.6


def test_the_estimate_is_exact_for_one_output() -> None:
    net = small((4, 5, 1))
    estimate, error = network.ntk_trace_estimate(net, X)
    assert estimate == pytest.approx(network.ntk_trace(net, X), rel=1e-13)
    assert error <= 1e-13 * estimate


# --- The Fisher information -------------------------------------------------------------------------------------------


@every_loss
@pytest.mark.parametrize("activation", sorted(reference.ACTIVATIONS))
def test_the_empirical_trace_is_the_mean_square_of_gradients(loss: Loss, activation: str) -> None:
    net = small(activation=activation)
    f, J = jacobian(net)
    expected = (np.einsum("na,nap->np", loss.gradient(f, Y), J) ** 2).sum() / len(X)
    assert network.fisher_trace(net, X, Y, loss) == pytest.approx(expected, rel=TIGHT)
    # The loss derivative on its own: central differences are right to h² and to the rounding of ℓ over h.
    numerical = (loss_gradients(net, loss) ** 2).sum() / len(X)
    assert network.fisher_trace(net, X, Y, loss) == pytest.approx(numerical, rel=1e-7)


@every_loss
def test_the_trace_from_gradients_is_the_trace_from_kernel_blocks(loss: Loss) -> None:
    # Eq. 5.1.3 = Eq. 5.1.2.
    net = small()
    r = loss.gradient(net.output(X), Y)
    expected = np.einsum("na,nab,nb->n", r, network.ntk_blocks(net, X), r).mean()
    assert network.fisher_trace(net, X, Y, loss) == pytest.approx(expected, rel=TIGHT)


@every_loss
@both_fishers
def test_the_trace_of_the_fisher_spectrum_and_the_sum_of_layers_are_the_trace(loss: Loss, fisher: str) -> None:
    net = small()
    trace = network.fisher_trace(net, X, Y, loss, fisher=fisher)
    assert network.fisher_spectrum(net, X, Y, loss, fisher=fisher).sum() == pytest.approx(trace, rel=1e-11)
    assert network.fisher_trace_by_layer(net, X, Y, loss, fisher=fisher).sum() == pytest.approx(trace, rel=1e-15)


@every_loss
@both_fishers
def test_the_fisher_spectrum_is_that_of_the_matrix(loss: Loss, fisher: str) -> None:
    net = small((4, 3))
    f, J = jacobian(net)
    factor = loss.gradient(f, Y)[:, None] if fisher == "empirical" else loss.expected_factor(f)
    seeds = np.broadcast_to(factor, (len(X), *factor.shape[1:]))
    g = np.einsum("nka,nap->nkp", seeds, J)
    expected = np.linalg.eigvalsh(np.einsum("nkp,nkq->pq", g, g) / len(X))[::-1]
    found = network.fisher_spectrum(net, X, Y, loss, fisher=fisher)
    count = min(len(found), len(expected))
    np.testing.assert_allclose(found[:count], expected[:count], rtol=1e-9, atol=1e-12 * expected[0])


@pytest.mark.parametrize("loss", LOSSES[:-1], ids=lambda loss: loss.name)
@pytest.mark.parametrize("outputs", [1, 3, 10])
def test_the_expected_trace_of_a_residual_loss_is_a_constant_times_the_kernels(loss: Any, outputs: int) -> None:
    net = small((4, 6, outputs))
    expected = loss.information(outputs) * network.ntk_trace(net, X)
    assert network.fisher_trace(net, X, None, loss, fisher="expected") == pytest.approx(expected, rel=TIGHT)


def test_the_expected_trace_of_cross_entropy_is_the_sum_over_its_labels() -> None:
    net = small()
    f, J = jacobian(net)
    p = np.exp(f) / np.exp(f).sum(axis=1, keepdims=True)
    expected = 0.0
    for label in range(3):
        gradients = np.einsum("na,nap->np", p - np.eye(3)[label], J)
        expected += (p[:, label] * (gradients**2).sum(axis=1)).mean()
    assert network.fisher_trace(net, X, None, CrossEntropy(), fisher="expected") == pytest.approx(expected, rel=TIGHT)


@pytest.mark.parametrize(
    "loss", [CrossEntropy(), MeanPower(2), MeanPower(4), LpNorm(1), LpNorm(2)], ids=lambda l: l.name
)
def test_labels_drawn_from_the_model_give_the_expected_trace(loss: Loss) -> None:
    net, rng, draws = small(), np.random.default_rng(3), 20_000
    f = net.output(X)
    blocks = network.ntk_blocks(net, X)
    found = np.empty((len(X), draws))
    for n in range(len(X)):
        if isinstance(loss, CrossEntropy):
            p = np.exp(f[n]) / np.exp(f[n]).sum()
            y = np.eye(3)[rng.choice(3, draws, p=p)]
        elif isinstance(loss, MeanPower):
            # exp(−Σ e^n / O): independent generalised normal residuals, |e|^n / O gamma-distributed with shape 1/n.
            size = (3 * rng.gamma(1 / loss.n, size=(draws, 3))) ** (1 / loss.n)
            y = f[n] + size * rng.choice([-1, 1], (draws, 3))
        else:
            # exp(−‖e‖_p): the norm is gamma-distributed with shape O, the direction that of generalised normals.
            p_norm = loss.p  # type: ignore[attr-defined]
            e = rng.gamma(1 / p_norm, size=(draws, 3)) ** (1 / p_norm) * rng.choice([-1, 1], (draws, 3))
            e *= (rng.gamma(3, size=draws) / (abs(e) ** p_norm).sum(axis=1) ** (1 / p_norm))[:, None]
            y = f[n] + e
        r = loss.gradient(np.broadcast_to(f[n], y.shape), y)
        found[n] = np.einsum("da,ab,db->d", r, blocks[n], r)
    error = np.sqrt((found.var(axis=1) / draws).sum()) / len(X)
    assert abs(found.mean() - network.fisher_trace(net, X, None, loss, fisher="expected")) <= 4 * error


@settings(max_examples=10)
@given(seed=st.integers(0, 2**16))
def test_the_kullback_leibler_divergence_of_close_networks_is_half_the_fisher_form(seed: int) -> None:
    net = small((4, 3, 3), activation="tanh", seed=seed)
    f, J = jacobian(net)
    delta = 1e-4 * np.random.default_rng(seed).normal(size=net.parameters.size)

    def log_p(outputs: Array) -> Array:
        return outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))

    p, q = log_p(f), log_p(net.with_parameters(net.parameters + delta).output(X))
    divergence = (np.exp(p) * (p - q)).sum(axis=1).mean()
    factor = CrossEntropy().expected_factor(f)
    quadratic = (np.einsum("nka,nap,p->nk", factor, J, delta) ** 2).sum() / len(X)
    # Third order in δ, and the rounding of log p over δ².
    assert divergence / (quadratic / 2) == pytest.approx(1, abs=5e-3)


def test_one_output_with_the_l2_norm_has_proportional_traces() -> None:
    net, y = small((4, 5, 1)), np.array([[0.0], [1.0], [0.0], [1.0], [0.0], [1.0]])
    assert network.fisher_trace(net, X, y, LpNorm(2)) == pytest.approx(network.ntk_trace(net, X), rel=1e-13)


# --- float32 ----------------------------------------------------------------------------------------------------------


@every_loss
def test_float32_is_right_to_its_rounding(loss: Loss) -> None:
    net = MLP((50, 40, 30, 10), seed=2)
    double = MLP.from_arrays(*net.to_arrays(), dtype="float64")
    x, y = RNG.random((64, 50)).astype(np.float32), np.eye(10)[RNG.integers(0, 10, 64)]
    assert network.ntk_trace(net, x) == pytest.approx(network.ntk_trace(double, x), rel=2e-6)
    assert network.fisher_trace(net, x, y, loss) == pytest.approx(network.fisher_trace(double, x, y, loss), rel=2e-6)


@pytest.mark.parametrize("size", [1e-30, 1e-12, 1e12])
def test_tiny_and_huge_residuals_lose_nothing_in_float32(size: float) -> None:
    net = MLP((4, 5, 3), initialization="pytorch")
    double = MLP.from_arrays(*net.to_arrays(), dtype="float64")
    x = X.astype(np.float32)
    # Targets beside the outputs of each network, at the same distance.
    for loss in (LpNorm(2), LpNorm(6), MeanPower(2), MeanPower(4)):
        e = size * np.array([[1.0, -2.0, 0.5]])
        traces = []
        for one in (net, double):
            r = loss.gradient(np.zeros((6, 3)) + e, np.zeros((6, 3)))
            blocks = network.ntk_blocks(one, x)
            traces.append(np.einsum("na,nab,nb->n", r, blocks, r).mean())
        assert traces[0] == pytest.approx(traces[1], rel=2e-6)


def test_a_saturated_softmax_keeps_its_fisher_trace_in_float32() -> None:
    # All gradients are of size e^-60, whose square is no float32.
    net = MLP.from_arrays([np.zeros((4, 3), np.float32)], [np.array([60, 0, 0], np.float32)])
    y = np.tile([1.0, 0.0, 0.0], (6, 1))
    p = np.exp(-60.0)
    expected = (6 * p**2 * (1 + (X**2).sum(axis=1))).mean()
    assert network.fisher_trace(net, X, y, CrossEntropy()) == pytest.approx(expected, rel=1e-6)


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda n: network.fisher_trace(n, X, Y[:4], LpNorm(2)),
            ValueError,
            r"y must have shape \(6, 3\).* got \(4, 3\)",
        ),
        (lambda n: network.fisher_trace(n, X, Y[:, :2], LpNorm(2)), ValueError, r"y must have shape \(6, 3\)"),
        (lambda n: network.fisher_trace(n, X[:, :2], Y, LpNorm(2)), ValueError, r"x must have shape \(N, 4\)"),
        (lambda n: network.fisher_trace(n, X[:0], Y[:0], LpNorm(2)), ValueError, "with N at least 1, got"),
        (lambda _: network.ntk_trace(None, X), TypeError, "net must be an MLP, got NoneType"),  # type: ignore[arg-type]
        (lambda n: network.fisher_trace(n, X, -Y, CrossEntropy()), ValueError, "must be non-negative and sum to 1"),
        (
            lambda n: network.fisher_trace(n, X, Y[:2], LpNorm(2), fisher="expected"),
            ValueError,
            r"y must have shape \(6, 3\)",
        ),
        (lambda n: network.fisher_trace(n, X, None, LpNorm(2)), ValueError, "y must be given for the empirical"),
        (lambda n: network.fisher_trace(n, X, Y, "l2"), TypeError, "loss must come from infogeom.losses, got 'l2'"),
        (lambda n: network.fisher_trace(n, X, Y, LpNorm(2), fisher="true"), ValueError, "fisher must be .* got 'true'"),
        (lambda n: network.fisher_trace(n, X, Y * np.nan, LpNorm(2)), ValueError, "y must be finite, got nan"),
        (lambda n: network.ntk_trace(n, X, normalization="mean"), ValueError, "normalization must be one of"),
        (lambda n: network.ntk_spectrum(n, X, outputs="one"), ValueError, "outputs must be 'all' or 'trace'"),
        (lambda n: network.ntk_trace_estimate(n, X, probes=1), ValueError, "probes must be at least 2, got 1"),
        (
            lambda n: network.fisher_trace(n, X, 1e200 * Y, MeanPower(4)),
            OverflowError,
            "loss derivative leaves float64",
        ),
    ],
)
def test_bad_arguments_are_named(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(small())


@pytest.mark.parametrize("quantity", ["ntk_trace", "ntk_blocks", "ntk", "ntk_spectrum"])
def test_squares_beyond_the_range_are_no_silent_infinity(quantity: str) -> None:
    net = small()
    with pytest.raises(OverflowError, match="squared gradients leave the floating-point range"):
        getattr(network, quantity)(net, 1e160 * X)


def test_float32_inputs_whose_squares_are_none_still_have_their_trace() -> None:
    net = MLP((4, 5, 3), bias=False)
    double = MLP.from_arrays(*net.to_arrays(), dtype="float64")
    for size in (1e-25, 1e16):
        assert network.ntk_trace(net, size * X) == pytest.approx(network.ntk_trace(double, size * X), rel=2e-6)


def test_outputs_beyond_float32_are_an_overflow_error() -> None:
    net = MLP.from_arrays([np.full((4, 3), 3e38, np.float32)])
    with pytest.raises(OverflowError, match="outputs leave float32"):
        network.ntk_trace(net, 10 + X)
