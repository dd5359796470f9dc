"""Diagonal and products of the Fisher information against the matrix itself, by dual numbers, and their laws."""

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

Array = np.ndarray[Any, np.dtype[Any]]

LOSSES: list[Loss] = [LpNorm(1), LpNorm(2), LpNorm(3), LpNorm(6), MeanPower(2), MeanPower(4), CrossEntropy()]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
both_fishers = pytest.mark.parametrize("fisher", ["empirical", "expected"])
#: Widths, samples and what else: odd shapes, one sample, one output, more samples than parameters.
CASES: dict[str, tuple[tuple[int, ...], int, dict[str, Any]]] = {
    "relu": ((4, 5, 3, 3), 5, {}),
    "tanh without bias": ((3, 4, 5, 2), 4, {"activation": "tanh", "bias": False}),
    "gelu, NTK": ((4, 3, 4, 3, 2), 3, {"activation": "gelu", "parametrization": "ntk"}),
    "one sample": ((3, 5, 3), 1, {}),
    "one output": ((3, 4, 1), 6, {"activation": "tanh"}),
    "more samples than parameters": ((2, 2, 2), 40, {"activation": "gelu"}),
    "linear": ((3, 2), 4, {}),
    "one unit": ((1, 1, 1), 3, {"activation": "tanh", "parametrization": "ntk", "bias": False}),
}
every_case = pytest.mark.parametrize("case", CASES)
#: Sums of some hundred products of factors that passes round a dozen times.
TIGHT = 1e-12


def drawn(case: str) -> tuple[MLP, Array, Array]:
    """Network, inputs and one-hot targets (0 or 1 for one output)."""
    widths, samples, kind = CASES[case]
    rng = np.random.default_rng(len(case))
    net = MLP(widths, dtype="float64", initialization="pytorch", seed=len(case), **kind)
    labels = rng.integers(0, max(2, widths[-1]), samples)
    y = labels[:, None].astype(float) if widths[-1] == 1 else np.eye(widths[-1])[labels]
    return net, rng.normal(size=(samples, widths[0])), y


@cache
def matrix(case: str, loss: Loss, fisher: str) -> Array:
    return jets.fisher(*drawn(case), loss, fisher)


def close(found: Array, expected: Array, tolerance: float = TIGHT) -> None:
    """Hold every entry against the largest, which is what rounding is relative to."""
    assert found.dtype == np.float64
    assert found.shape == expected.shape
    assert abs(found - expected).max() <= tolerance * abs(expected).max()


# --- Against the matrix -----------------------------------------------------------------------------------------------


@every_case
@every_loss
@both_fishers
def test_the_diagonal_is_that_of_the_matrix(case: str, loss: Loss, fisher: str) -> None:
    net, x, y = drawn(case)
    expected = np.diag(matrix(case, loss, fisher))
    close(network.fisher_diagonal(net, x, y, loss, fisher=fisher), expected)


@every_case
@every_loss
@both_fishers
def test_products_are_those_of_the_matrix(case: str, loss: Loss, fisher: str) -> None:
    net, x, y = drawn(case)
    F = matrix(case, loss, fisher)
    v = np.random.default_rng(0).normal(size=(net.parameters.size, 3))
    close(network.fisher_product(net, x, y, loss, v, fisher=fisher), F @ v)
    close(network.fisher_product(net, x, y, loss, v[:, 0], fisher=fisher), F @ v[:, 0])


@both_fishers
def test_the_operator_is_the_matrix(fisher: str) -> None:
    net, x, y = drawn("relu")
    F = matrix("relu", LpNorm(2), fisher)
    operator = network.fisher_operator(net, x, y, LpNorm(2), fisher=fisher)
    v = np.random.default_rng(0).normal(size=(len(F), 2))
    assert operator.shape == F.shape
    assert operator.dtype == np.float64
    close(operator @ v, F @ v)
    close(operator @ v[:, 0], F @ v[:, 0])
    close(operator.T @ v, F @ v)
    close(operator.rmatvec(v[:, 0]), F @ v[:, 0])


@pytest.mark.parametrize(("tile", "block"), [(1, 1), (2, 30), (2**30, 1), (2**30, 2**30)])
def test_tiles_of_any_length_give_the_same(tile: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net, x, y = drawn("more samples than parameters")
    v = np.arange(1.0, net.parameters.size + 1)
    diagonal = network.fisher_diagonal(net, x, y, CrossEntropy(), fisher="expected")
    product = network.fisher_product(net, x, y, CrossEntropy(), v)
    monkeypatch.setattr("infogeom.network.blocks.TILE", tile)
    monkeypatch.setattr("infogeom.network.blocks.BLOCK_SIZE", block)
    close(network.fisher_diagonal(net, x, y, CrossEntropy(), fisher="expected"), diagonal, 1e-14)
    close(network.fisher_product(net, x, y, CrossEntropy(), v), product, 1e-14)


def test_a_row_of_integers_is_a_vector() -> None:
    net, x, y = drawn("linear")
    v = np.arange(net.parameters.size)
    expected = network.fisher_product(net, x, y, LpNorm(2), v.astype(float))
    assert (network.fisher_product(net, x, y, LpNorm(2), v.tolist()) == expected).all()


# --- Laws -------------------------------------------------------------------------------------------------------------


@every_case
@every_loss
@both_fishers
def test_the_diagonal_sums_to_the_trace(case: str, loss: Loss, fisher: str) -> None:
    net, x, y = drawn(case)
    trace = network.fisher_trace(net, x, y, loss, fisher=fisher)
    assert network.fisher_diagonal(net, x, y, loss, fisher=fisher).sum() == pytest.approx(trace, rel=1e-14)


vectors = st.integers(0, 2**16).map(lambda seed: np.random.default_rng(seed).normal(size=(2, 38)))
numbers = st.floats(-1e3, 1e3)
losses, fishers = st.sampled_from(LOSSES), st.sampled_from(["empirical", "expected"])


@settings(max_examples=20)
@given(pair=vectors, loss=losses, fisher=fishers)
def test_products_are_symmetric_and_no_square_is_negative(pair: Array, loss: Loss, fisher: str) -> None:
    net, x, y = drawn("one sample")
    u, v = pair
    by_u, by_v = network.fisher_product(net, x, y, loss, pair.T, fisher=fisher).T
    size = np.sqrt((u @ by_u) * (v @ by_v))
    assert abs(u @ by_v - v @ by_u) <= 1e-13 * (size + abs(by_u).max() + abs(by_v).max())
    assert u @ by_u >= 0


@settings(max_examples=20)
@given(
    pair=vectors, a=numbers, b=numbers, loss=st.sampled_from(LOSSES), fisher=st.sampled_from(["empirical", "expected"])
)
def test_products_are_linear(pair: Array, a: float, b: float, loss: Loss, fisher: str) -> None:
    net, x, y = drawn("one sample")
    by_u, by_v = network.fisher_product(net, x, y, loss, pair.T, fisher=fisher).T
    found = network.fisher_product(net, x, y, loss, a * pair[0] + b * pair[1], fisher=fisher)
    size = abs(a * by_u).max() + abs(b * by_v).max()
    assert abs(found - (a * by_u + b * by_v)).max() <= 1e-13 * size


@every_loss
@both_fishers
def test_the_largest_eigenvalue_of_the_operator_is_that_of_the_gram_matrix(loss: Loss, fisher: str) -> None:
    from scipy.sparse.linalg import eigsh  # noqa: PLC0415  (only here)

    net, x, y = drawn("relu")
    operator = network.fisher_operator(net, x, y, loss, fisher=fisher)
    [found] = eigsh(operator, k=1, v0=np.ones(operator.shape[0]), return_eigenvectors=False)
    assert found == pytest.approx(network.fisher_spectrum(net, x, y, loss, fisher=fisher)[0], rel=1e-10)


# --- float32, and sizes that it does not hold -------------------------------------------------------------------------


@every_loss
@both_fishers
def test_float32_is_right_to_its_rounding(loss: Loss, fisher: str) -> None:
    rng = np.random.default_rng(1)
    net = MLP((50, 40, 30, 10), seed=2)
    double = MLP.from_arrays(*net.to_arrays(), dtype="float64")
    x, y = rng.random((64, 50)).astype(np.float32), np.eye(10)[rng.integers(0, 10, 64)]
    v = rng.normal(size=net.parameters.size)
    by_single = network.fisher_diagonal(net, x, y, loss, fisher=fisher)
    close(by_single, network.fisher_diagonal(double, x, y, loss, fisher=fisher), 2e-6)
    by_single = network.fisher_product(net, x, y, loss, v, fisher=fisher)
    close(by_single, network.fisher_product(double, x, y, loss, v, fisher=fisher), 2e-6)


@pytest.mark.parametrize("size", [1e-60, 1e60])
def test_vectors_and_residuals_of_any_size_lose_nothing_in_float32(size: float) -> None:
    net = MLP((4, 5, 3), initialization="pytorch")
    rng = np.random.default_rng(2)
    x, v = rng.normal(size=(6, 4)), rng.normal(size=net.parameters.size)
    found = network.fisher_product(net, x, np.eye(3)[[0, 1, 2] * 2], LpNorm(2), size * v)
    close(found / size, network.fisher_product(net, x, np.eye(3)[[0, 1, 2] * 2], LpNorm(2), v), 1e-6)
    # The loss derivative is linear in the size of the targets, once they are far beyond the outputs.
    far = 1e40 * rng.normal(size=(6, 3))
    found = network.fisher_product(net, x, far, MeanPower(2), v) / 1e80
    close(found, network.fisher_product(net, x, far / 1e20, MeanPower(2), v) / 1e40, 1e-6)


@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e60), ("float64", 1e200)])
def test_vectors_beside_others_of_any_size_lose_nothing(dtype: str, size: float) -> None:
    net = MLP((4, 5, 3), initialization="pytorch", dtype=dtype)
    rng = np.random.default_rng(2)
    x, v = rng.normal(size=(6, 4)), rng.normal(size=(net.parameters.size, 3))
    y, sizes = np.eye(3)[[0, 1, 2] * 2], np.array([1 / size, 1.0, size])
    for function in (network.fisher_product, network.gauss_newton_product, network.hessian_product):
        found = function(net, x, y, LpNorm(2), v * sizes)
        close(found / sizes, function(net, x, y, LpNorm(2), v), 1e-6)


def test_a_saturated_softmax_keeps_its_products_in_float32() -> None:
    # All gradients are of size e^-60, whose square is no float32.
    net = MLP.from_arrays([np.zeros((4, 3), np.float32)], [np.array([60, 0, 0], np.float32)])
    double = MLP.from_arrays(*net.to_arrays(), dtype="float64")
    rng = np.random.default_rng(3)
    x, y, v = rng.normal(size=(6, 4)).astype(np.float32), np.tile([1.0, 0.0, 0.0], (6, 1)), rng.normal(size=15)
    loss = CrossEntropy()
    close(network.fisher_diagonal(net, x, y, loss), network.fisher_diagonal(double, x, y, loss), 1e-6)
    close(network.fisher_product(net, x, y, loss, v), network.fisher_product(double, x, y, loss, v), 1e-6)


def test_a_null_vector_has_a_null_product() -> None:
    net, x, y = drawn("relu")
    assert not network.fisher_product(net, x, y, LpNorm(2), np.zeros(net.parameters.size)).any()


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("v", "error", "message"),
    [
        (np.ones(3), ValueError, r"v must have shape \(P,\) or \(P, m\) with P = 8 parameters, got \(3,\)"),
        (np.ones((8, 1, 1)), ValueError, r"v must have shape .* got \(8, 1, 1\)"),
        (1.0, ValueError, r"v must have shape .* got \(\)"),
        ([np.nan] * 8, ValueError, "v must be finite, got nan at index 0"),
        (["a"] * 8, TypeError, "v must hold real numbers"),
    ],
)
def test_bad_vectors_are_named(v: Any, error: type[Exception], message: str) -> None:
    net, x, y = drawn("linear")
    with pytest.raises(error, match=message):
        network.fisher_product(net, x, y, LpNorm(2), v)


@pytest.mark.parametrize("function", [network.fisher_diagonal, network.fisher_operator])
def test_bad_arguments_are_named(function: Any) -> None:
    net, x, y = drawn("linear")
    with pytest.raises(ValueError, match="fisher must be 'empirical' or 'expected', got 'true'"):
        function(net, x, y, LpNorm(2), fisher="true")
    with pytest.raises(ValueError, match="y must be given for the empirical"):
        function(net, x, None, LpNorm(2))
    with pytest.raises(TypeError, match=r"loss must come from infogeom.losses, got 'l2'"):
        function(net, x, y, "l2")
    with pytest.raises(TypeError, match="net must be an MLP, got int"):
        function(1, x, y, LpNorm(2))


def test_what_leaves_float64_is_no_silent_infinity() -> None:
    net, x, y = drawn("linear")
    v = np.ones(net.parameters.size)
    with pytest.raises(OverflowError, match="loss derivative leaves float64"):
        network.fisher_product(net, x, 1e200 * y, MeanPower(4), v)
    with pytest.raises(OverflowError, match="leave the floating-point range"):
        network.fisher_product(net, 1e200 * x, y, LpNorm(2), v)
    with pytest.raises(OverflowError, match="leave the floating-point range"):
        network.fisher_diagonal(net, 1e200 * x, y, LpNorm(2))


def test_outputs_beyond_float32_are_an_overflow_error() -> None:
    net = MLP.from_arrays([np.full((4, 3), 3e38, np.float32)])
    with pytest.raises(OverflowError, match="outputs leave float32"):
        network.fisher_product(net, np.full((2, 4), 10.0), np.eye(3)[:2], LpNorm(2), np.ones(12))
