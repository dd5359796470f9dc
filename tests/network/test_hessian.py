"""Second derivatives of the mean loss against the matrix itself, by dual numbers, and their laws."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infogeom import network
from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.network import MLP
from tests import network_jets as jets
from tests.network.test_matrix import LOSSES, Array, close, drawn, every_case, every_loss

#: Functions of a network, inputs, targets and loss alone.
SCALARS = [network.hessian_trace, network.hessian_trace_estimate, network.sharpness]
every_scalar = pytest.mark.parametrize("function", SCALARS, ids=lambda function: function.__name__)
PRODUCTS = [network.gauss_newton_product, network.hessian_product]
every_product = pytest.mark.parametrize("function", PRODUCTS, ids=lambda function: function.__name__)
MATRICES: dict[Any, Any] = {network.gauss_newton_product: jets.gauss_newton, network.hessian_product: jets.hessian}


@cache
def matrix(case: str, loss: Loss, function: Any) -> Array:
    net, x, y = drawn(case)
    return written_out(function, net, x, y, loss)


def written_out(function: Any, net: MLP, x: Array, y: Array, loss: Loss) -> Array:
    """The matrix of products, in long doubles: norms cancel where one residual leads."""
    return np.asarray(MATRICES[function](net, x.astype(np.longdouble), y.astype(np.longdouble), loss), dtype=float)


# --- Against the matrix -----------------------------------------------------------------------------------------------


@every_case
@every_loss
@every_product
def test_products_are_those_of_the_matrix(case: str, loss: Loss, function: Any) -> None:
    net, x, y = drawn(case)
    H = matrix(case, loss, function)
    v = np.random.default_rng(0).normal(size=(net.parameters.size, 3))
    # A norm of one output does not bend, and the reference rounds.
    size = (1e-3 + abs(H).max()) * abs(v).max()
    for vectors in (v, v[:, 0]):
        found = function(net, x, y, loss, vectors)
        assert found.dtype == np.float64
        assert found.shape == vectors.shape
        assert abs(found - H @ vectors).max() <= 1e-12 * size


@every_case
@every_loss
def test_the_trace_is_that_of_the_matrix_and_of_products_with_the_identity(case: str, loss: Loss) -> None:
    net, x, y = drawn(case)
    H = matrix(case, loss, network.hessian_product)
    found = network.hessian_trace(net, x, y, loss)
    size = abs(np.diag(H)).sum()
    assert abs(found - np.trace(H)) <= 1e-12 * size
    products = network.hessian_product(net, x, y, loss, np.eye(len(H)))
    assert abs(found - np.trace(products)) <= 1e-12 * size
    assert abs(products - products.T).max() <= 1e-12 * abs(H).max()


@every_case
@every_loss
def test_the_sharpness_is_the_largest_eigenvalue(case: str, loss: Loss) -> None:
    H = matrix(case, loss, network.hessian_product)
    found = network.sharpness(*drawn(case), loss)
    assert abs(found - np.linalg.eigvalsh(H)[-1]) <= 1e-12 * abs(H).max() * len(H)


@every_loss
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "erf", "sigmoid", "identity"])
@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("bias", [True, False])
def test_networks_of_every_kind_have_their_trace(loss: Loss, activation: str, parametrization: str, bias: bool) -> None:
    # With four hidden layers units are told of by up to three layers below theirs.
    kind: Any = {"activation": activation, "parametrization": parametrization, "bias": bias}
    net = MLP((3, 4, 2, 4, 3, 2), dtype="float64", seed=1, **kind)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 3)), np.eye(2)[[0, 1, 1, 0, 1]]
    # A rectifier that puts out zeros meets targets of 0 with no residual.
    y = y if isinstance(loss, CrossEntropy) else y + 0.1
    H, v = written_out(network.hessian_product, net, x, y, loss), rng.normal(size=net.parameters.size)
    assert abs(network.hessian_trace(net, x, y, loss) - np.trace(H)) <= 1e-12 * abs(np.diag(H)).sum()
    assert abs(network.hessian_product(net, x, y, loss, v) - H @ v).max() <= 1e-12 * abs(H).max() * abs(v).sum()


def test_the_sharpness_of_many_parameters_is_found_from_any_start() -> None:
    net = MLP((6, 8, 5, 3), activation="tanh", dtype="float64", seed=3)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, 6)), np.eye(3)[rng.integers(0, 3, 10)]
    for loss in (CrossEntropy(), LpNorm(3), MeanPower(4)):
        expected = np.linalg.eigvalsh(jets.hessian(net, x, y, loss))[-1]
        for seed in (0, 1):
            assert network.sharpness(net, x, y, loss, seed=seed) == pytest.approx(expected, rel=1e-11)
        assert network.sharpness(net, x, y, loss) == network.sharpness(net, x, y, loss)


def test_the_sharpness_is_the_largest_eigenvalue_and_not_that_of_the_largest_size() -> None:
    # A unit near saturation and a large residual bend the loss down by more than the outputs bend it up.
    net = MLP((6, 8, 2), activation="tanh", dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 6)), np.full((4, 2), 30.0)
    eigenvalues = np.linalg.eigvalsh(jets.hessian(net, x, y, LpNorm(1)))
    assert -eigenvalues[0] > eigenvalues[-1] * 1.01
    assert network.sharpness(net, x, y, LpNorm(1)) == pytest.approx(eigenvalues[-1], rel=1e-11)


def test_a_hessian_of_zeros_has_no_sharpness() -> None:
    net = MLP((50, 2), dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    assert network.sharpness(net, rng.normal(size=(4, 50)), np.full((4, 2), 9.0), LpNorm(1)) == 0
    assert network.hessian_trace(net, rng.normal(size=(4, 50)), np.full((4, 2), 9.0), LpNorm(1)) == 0


def test_an_iteration_that_does_not_settle_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infogeom.network.hessian.RESTARTS", 1)
    net = MLP((30, 30, 30), activation="tanh", dtype="float64", seed=0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 30)), np.eye(30)[rng.integers(0, 30, 40)]
    with pytest.raises(ArithmeticError, match="largest eigenvalue did not settle within 1 restarts"):
        network.sharpness(net, x, y, LpNorm(2))


@pytest.mark.parametrize("size", [1e-90, 1e90])
def test_the_error_of_an_estimate_grows_with_it(size: float) -> None:
    # The trace of a network of two layers without bias grows as its inputs squared, the loss being a square.
    net = MLP((3, 4, 2), bias=False, dtype="float64")
    x, y = np.random.default_rng(3).normal(size=(5, 3)), np.zeros((5, 2))
    exact = network.hessian_trace_estimate(net, x, y, MeanPower(2))
    found = network.hessian_trace_estimate(net, size * x, y, MeanPower(2))
    np.testing.assert_allclose(np.divide(found, size) / size, exact, rtol=1e-12)


@pytest.mark.slow
def test_the_estimate_of_the_trace_is_as_far_off_as_it_says() -> None:
    net, x, y = drawn("tanh without bias")
    exact = network.hessian_trace(net, x, y, CrossEntropy())
    found = [network.hessian_trace_estimate(net, x, y, CrossEntropy(), probes=16, seed=seed) for seed in range(200)]
    off = np.array([(value - exact) / error for value, error in found])
    # Student's law of 15 degrees of freedom: mean 0 to 4/√200, variance 15/13.
    assert abs(off.mean()) < 4 / np.sqrt(200)
    assert 0.9 < off.std() < 1.3
    assert network.hessian_trace_estimate(net, x, y, CrossEntropy(), seed=5) == network.hessian_trace_estimate(
        net, x, y, CrossEntropy(), seed=5
    )


@pytest.mark.slow
def test_the_standard_error_is_that_of_independent_signs() -> None:
    # Of signs v the variance of vᵀ H v is 2 Σ_i≠j H_ij².
    net, x, y = drawn("gelu, NTK")
    H = matrix("gelu, NTK", MeanPower(4), network.hessian_product)
    _, error = network.hessian_trace_estimate(net, x, y, MeanPower(4), probes=2000)
    variance = 2 * ((H**2).sum() - (np.diag(H) ** 2).sum())
    assert error == pytest.approx(np.sqrt(variance / 2000), rel=0.1)
    pairs = [network.hessian_trace_estimate(net, x, y, MeanPower(4), probes=2, seed=seed)[1] for seed in range(400)]
    assert np.square(pairs).mean() == pytest.approx(variance / 2, rel=0.3)


# --- Which traces are one ---------------------------------------------------------------------------------------------


def fisher_and_hessian(activation: str, loss: Loss, outputs: int = 3, **kind: Any) -> tuple[float, float]:
    """Expected Fisher trace and that of the Hessian."""
    net = MLP((4, 6, 5, outputs), activation=activation, dtype="float64", seed=2, **kind)
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(20, 4)), np.eye(3)[rng.integers(0, 3, 20)][:, :outputs]
    return network.fisher_trace(net, x, y, loss, fisher="expected"), network.hessian_trace(net, x, y, loss)


@pytest.mark.parametrize("loss", [CrossEntropy(), MeanPower(2)], ids=lambda loss: loss.name)
@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("bias", [True, False])
def test_the_hessian_trace_of_rectifiers_is_the_expected_fisher_trace(
    loss: Loss, outputs: int, parametrization: str, bias: bool
) -> None:
    fisher, hessian = fisher_and_hessian("relu", loss, outputs, parametrization=parametrization, bias=bias)
    assert hessian == pytest.approx(fisher, rel=1e-12)


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("tanh", CrossEntropy()),
        ("gelu", CrossEntropy()),
        ("tanh", MeanPower(2)),
        ("gelu", MeanPower(2)),
        ("relu", LpNorm(2)),
        ("relu", LpNorm(3)),
        ("relu", MeanPower(4)),
    ],
    ids=str,
)
def test_other_activations_and_losses_have_two_traces(activation: str, loss: Loss) -> None:
    fisher, hessian = fisher_and_hessian(activation, loss)
    assert abs(hessian - fisher) > 1e-3 * fisher


@every_loss
def test_the_hessian_trace_of_rectifiers_is_that_of_the_gauss_newton_matrix(loss: Loss) -> None:
    net, x, y = drawn("relu")
    products = network.gauss_newton_product(net, x, y, loss, np.eye(net.parameters.size))
    assert network.hessian_trace(net, x, y, loss) == pytest.approx(np.trace(products), rel=1e-12)


def test_a_rectifier_at_its_kink_does_not_bend() -> None:
    # Without biases an input of zeros leaves every unit at its kink.
    net = MLP((2, 3, 2), dtype="float64", bias=False, seed=0)
    assert network.hessian_trace(net, np.zeros((2, 2)), np.eye(2), CrossEntropy()) == 0
    assert not network.hessian_product(net, np.zeros((2, 2)), np.eye(2), CrossEntropy(), np.ones(12)).any()


# --- Laws -------------------------------------------------------------------------------------------------------------

vectors = st.integers(0, 2**16).map(lambda seed: np.random.default_rng(seed).normal(size=(2, 38)))
numbers = st.floats(-1e3, 1e3)


@settings(max_examples=20)
@given(pair=vectors, loss=st.sampled_from(LOSSES), function=st.sampled_from(PRODUCTS))
def test_products_are_symmetric(pair: Array, loss: Loss, function: Any) -> None:
    net, x, y = drawn("one sample")
    u, v = pair
    by_u, by_v = function(net, x, y, loss, pair.T).T
    assert abs(u @ by_v - v @ by_u) <= 1e-13 * (abs(u) @ abs(by_v) + abs(v) @ abs(by_u))
    if function is network.gauss_newton_product:  # all losses are convex
        assert u @ by_u >= -1e-13 * (abs(u) @ abs(by_u))


@settings(max_examples=20)
@given(pair=vectors, a=numbers, b=numbers, loss=st.sampled_from(LOSSES), function=st.sampled_from(PRODUCTS))
def test_products_are_linear(pair: Array, a: float, b: float, loss: Loss, function: Any) -> None:
    net, x, y = drawn("one sample")
    by_u, by_v = function(net, x, y, loss, pair.T).T
    found = function(net, x, y, loss, a * pair[0] + b * pair[1])
    size = abs(a * by_u).max() + abs(b * by_v).max()
    assert abs(found - (a * by_u + b * by_v)).max() <= 1e-13 * size


@pytest.mark.parametrize(("tile", "block"), [(1, 1), (2, 30), (2**30, 1), (2**30, 2**30)])
def test_tiles_of_any_length_give_the_same(tile: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net = MLP((3, 4, 2, 4, 2), activation="tanh", dtype="float64", seed=1)
    rng = np.random.default_rng(0)
    x, y, v = rng.normal(size=(9, 3)), np.eye(2)[rng.integers(0, 2, 9)], rng.normal(size=net.parameters.size)
    parameters = net.parameters.copy()
    trace, products = network.hessian_trace(net, x, y, LpNorm(3)), network.hessian_product(net, x, y, LpNorm(3), v)
    monkeypatch.setattr("infogeom.network.blocks.TILE", tile)
    monkeypatch.setattr("infogeom.network.blocks.BLOCK_SIZE", block)
    assert network.hessian_trace(net, x, y, LpNorm(3)) == pytest.approx(trace, rel=1e-13)
    close(network.hessian_product(net, x, y, LpNorm(3), v), products, 1e-13)
    assert (net.parameters == parameters).all()


# --- float32, and sizes that it does not hold -------------------------------------------------------------------------


@every_loss
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_float32_is_right_to_its_rounding(loss: Loss, activation: str) -> None:
    rng = np.random.default_rng(1)
    net = MLP((50, 40, 30, 10), seed=2, activation=activation)
    double = MLP.from_arrays(*net.to_arrays(), dtype="float64", activation=activation)
    x, y = rng.random((64, 50)).astype(np.float32), np.eye(10)[rng.integers(0, 10, 64)]
    v = rng.normal(size=net.parameters.size)
    for function in PRODUCTS:
        close(function(net, x, y, loss, v), function(double, x, y, loss, v), 1e-5)
    for scalar in (network.hessian_trace, network.sharpness):
        assert scalar(net, x, y, loss) == pytest.approx(scalar(double, x, y, loss), rel=1e-5)


@pytest.mark.parametrize("size", [1e-60, 1e60])
def test_vectors_of_any_size_lose_nothing_in_float32(size: float) -> None:
    net = MLP((4, 5, 3), initialization="pytorch", activation="tanh")
    rng = np.random.default_rng(2)
    x, v = rng.normal(size=(6, 4)), rng.normal(size=net.parameters.size)
    y = np.eye(3)[[0, 1, 2] * 2]
    found = network.hessian_product(net, x, y, LpNorm(2), size * v)
    close(found / size, network.hessian_product(net, x, y, LpNorm(2), v), 1e-6)


def test_residuals_beyond_float32_lose_nothing_in_it() -> None:
    # Far from the outputs mean power 4 bends as the square of the residual, and slopes as its cube.
    net, size = MLP((4, 5, 3), initialization="pytorch", activation="tanh"), 1e60
    rng = np.random.default_rng(2)
    x, v, far = rng.normal(size=(6, 4)), rng.normal(size=net.parameters.size), 1e20 * rng.normal(size=(6, 3))
    found = network.hessian_product(net, x, size * far, MeanPower(4), v) / size**3
    close(found, network.hessian_product(net, x, far, MeanPower(4), v), 1e-6)


def test_a_norm_near_its_corner_bends_by_more_than_float32_holds() -> None:
    # The second derivative is of size 1/‖e‖ = 1e40.
    net = MLP((4, 5, 3), initialization="pytorch", activation="tanh")
    rng = np.random.default_rng(2)
    x, v = rng.normal(size=(6, 4)), rng.normal(size=net.parameters.size)
    net = net.with_parameters(np.concatenate([net.parameters[:-18], np.zeros(18)]))  # outputs are 0
    y = 1e-40 * rng.normal(size=(6, 3))
    double = MLP.from_arrays(*net.to_arrays(), dtype="float64", activation="tanh")
    for function in PRODUCTS:
        close(function(net, x, y, LpNorm(2), v), function(double, x, y, LpNorm(2), v), 1e-5)
    expected = network.hessian_trace(double, x, y, LpNorm(2))
    assert network.hessian_trace(net, x, y, LpNorm(2)) == pytest.approx(expected, rel=1e-5)


def test_a_saturated_softmax_keeps_its_curvature_in_float32() -> None:
    net = MLP.from_arrays([np.zeros((4, 3), np.float32)], [np.array([100, 0, 0], np.float32)])
    double = MLP.from_arrays(*net.to_arrays(), dtype="float64")
    rng = np.random.default_rng(3)
    x, y, v = rng.normal(size=(6, 4)).astype(np.float32), np.tile([1.0, 0.0, 0.0], (6, 1)), rng.normal(size=15)
    for function in PRODUCTS:
        close(function(net, x, y, CrossEntropy(), v), function(double, x, y, CrossEntropy(), v), 1e-6)
    expected = network.hessian_trace(double, x, y, CrossEntropy())
    assert expected > 0
    assert network.hessian_trace(net, x, y, CrossEntropy()) == pytest.approx(expected, rel=1e-6)


# --- Bad input --------------------------------------------------------------------------------------------------------


@every_product
@pytest.mark.parametrize(
    ("v", "error", "message"),
    [
        (np.ones(3), ValueError, r"v must have shape \(P,\) or \(P, m\) with P = 8 parameters, got \(3,\)"),
        (np.ones((2, 8)), ValueError, r"v must have shape .* got \(2, 8\)"),
        ([np.nan] * 8, ValueError, "v must be finite, got nan at index 0"),
    ],
)
def test_bad_vectors_are_named(function: Any, v: Any, error: type[Exception], message: str) -> None:
    net, x, y = drawn("linear")
    with pytest.raises(error, match=message):
        function(net, x, y, LpNorm(2), v)


@every_scalar
def test_bad_arguments_are_named(function: Any) -> None:
    net, x, y = drawn("linear")
    with pytest.raises(ValueError, match="y must be given for a Hessian, got None"):
        function(net, x, None, LpNorm(2))
    with pytest.raises(ValueError, match=r"y must have shape \(4, 2\)"):
        function(net, x, y[:3], LpNorm(2))
    with pytest.raises(ValueError, match="targets of cross-entropy must"):
        function(net, x, 2 * y, CrossEntropy())
    with pytest.raises(TypeError, match=r"loss must come from infogeom.losses, got 'l2'"):
        function(net, x, y, "l2")
    with pytest.raises(TypeError, match="net must be an MLP, got int"):
        function(1, x, y, LpNorm(2))


def test_bad_settings_are_named() -> None:
    net, x, y = drawn("linear")
    with pytest.raises(ValueError, match="probes must be at least 2, got 1"):
        network.hessian_trace_estimate(net, x, y, LpNorm(2), probes=1)
    for function in (network.hessian_trace_estimate, network.sharpness):
        with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
            function(net, x, y, LpNorm(2), seed=-1)  # type: ignore[operator]


class Sloped(Loss):
    """A loss without second derivatives."""

    name = "sloped"

    def gradient(self, outputs: Array, targets: Array) -> Array:
        return outputs - targets


@every_scalar
def test_a_loss_without_second_derivatives_is_told_what_it_lacks(function: Any) -> None:
    message = r"loss sloped has no hessian_product, which a Hessian needs: define Sloped.hessian_product\(outputs, tar"
    with pytest.raises(TypeError, match=message):
        function(*drawn("linear"), Sloped())


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_a_norm_at_no_residual_says_that_it_has_no_second_derivative(p: float) -> None:
    net, x, y = drawn("linear")
    y = y + 0.1
    y[2] = net.output(x)[2]
    message = rf"loss l{p} must have second derivatives at every sample, got none at index 2, where outputs are "
    for scalar in SCALARS:
        with pytest.raises(ValueError, match=message):
            scalar(net, x, y, LpNorm(p))  # type: ignore[operator]
    for function in PRODUCTS:
        with pytest.raises(ValueError, match=message):
            function(net, x, y, LpNorm(p), np.ones(8))


def test_what_leaves_float64_is_no_silent_infinity() -> None:
    net, x, y = drawn("linear")
    with pytest.raises(OverflowError, match="loss derivative leaves float64"):
        network.hessian_trace(net, x, 1e200 * y, MeanPower(4))
    with pytest.raises(OverflowError, match="second derivative leaves float64"):
        network.gauss_newton_product(net, x, 1e200 * y, MeanPower(4), np.ones(8))
    with pytest.raises(OverflowError, match="leave the floating-point range"):
        network.hessian_product(net, 1e200 * x, y, LpNorm(2), np.full(8, 1e200))
