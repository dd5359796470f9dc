"""Solutions, natural gradients and determinants of damped Fisher matrices against dense ones in long doubles."""

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
from tests.network.test_matrix import CASES, LOSSES, both_fishers, drawn, every_case, every_loss

Array = np.ndarray[Any, np.dtype[Any]]

DAMPINGS = (1e2, 1.0, 1e-2, 1e-5, 1e-9)


@cache
def matrix(case: str, loss: Loss, fisher: str) -> Array:
    """Fisher information in long doubles, right to 1e-18 of its norm."""
    net, x, y = drawn(case)
    g = jets.gradients(net, x.astype(np.longdouble), y.astype(np.longdouble), loss, fisher)
    return g.T @ g / len(x)


def damped(F: Array, damping: float) -> Array:
    return F + np.longdouble(damping) * np.eye(len(F), dtype=F.dtype)


def norm(F: Array) -> float:
    return float(np.linalg.norm(F.astype(float), 2))


def relative_error(found: Array, expected: Array) -> float:
    assert found.dtype == np.float64
    assert found.shape == expected.shape
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


# --- Against the matrix -----------------------------------------------------------------------------------------------


@every_case
@every_loss
@both_fishers
def test_solutions_are_those_of_the_matrix(case: str, loss: Loss, fisher: str) -> None:
    net, x, y = drawn(case)
    F = matrix(case, loss, fisher)
    # Vectors that lie anywhere, and along the eigenvector of the largest eigenvalue, where most cancels.
    v = np.stack([np.random.default_rng(0).normal(size=len(F)), np.linalg.eigh(F.astype(float))[1][:, -1]], axis=1)
    for damping in DAMPINGS:
        expected = jets.solved(damped(F, damping), v.astype(np.longdouble))
        found = network.fisher_solve(net, x, y, loss, v, damping=damping, fisher=fisher)
        for one, other in zip(found.T, expected.T, strict=True):
            assert relative_error(one, other) <= 1e-15 * (1 + norm(F) / damping)


@every_case
@every_loss
@both_fishers
def test_natural_gradients_are_solutions_for_the_gradient(case: str, loss: Loss, fisher: str) -> None:
    net, x, y = drawn(case)
    gradient = jets.gradient(net, x.astype(np.longdouble), y.astype(np.longdouble), loss)
    for damping in DAMPINGS:
        F = matrix(case, loss, fisher)
        expected = jets.solved(damped(F, damping), gradient)
        found = network.natural_gradient(net, x, y, loss, damping=damping, fisher=fisher)
        assert relative_error(found, expected) <= 1e-15 * (1 + norm(F) / damping)


@every_case
@every_loss
@both_fishers
def test_the_logarithm_of_the_determinant_is_that_of_the_matrix(case: str, loss: Loss, fisher: str) -> None:
    net, x, y = drawn(case)
    F = matrix(case, loss, fisher)
    for damping in DAMPINGS[:-1]:
        sign, expected = np.linalg.slogdet(damped(F, damping).astype(float))
        assert sign == 1
        # Both are sums of P logarithms of pivots, each right to the rounding of F over the damping.
        tolerance = 1e-15 * len(F) * (1 + norm(F) / damping + abs(np.log(damping)))
        found = network.fisher_logdet(net, x, y, loss, damping=damping, fisher=fisher)
        assert abs(found - expected) <= tolerance


@pytest.mark.parametrize("loss", [CrossEntropy(), LpNorm(2), MeanPower(4)], ids=lambda loss: loss.name)
@both_fishers
def test_natural_gradients_keep_every_digit_where_gradients_are_independent(loss: Loss, fisher: str) -> None:
    net = MLP((5, 12, 3), activation="tanh", dtype="float64", initialization="pytorch")
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(4, 5)), np.eye(3)[[0, 1, 2, 1]]
    wide = x.astype(np.longdouble), y.astype(np.longdouble)
    g = jets.gradients(net, *wide, loss, fisher)
    gradient = jets.gradient(net, *wide, loss)
    # Any other vector would lose 1e-16 ‖F‖ / damping, and with ‖F‖ of about 10 the reference 1e-19 of it.
    expected = jets.solved(damped(g.T @ g / 4, 1e-6), gradient)
    found = network.natural_gradient(net, x, y, loss, damping=1e-6, fisher=fisher)
    assert relative_error(found, expected) <= 3e-12


# --- Laws -------------------------------------------------------------------------------------------------------------


@both_fishers
@every_loss
def test_the_smaller_matrix_gives_what_the_larger_one_gives(loss: Loss, fisher: str) -> None:
    # The same samples many times over are the same Fisher information, by way of P × P.
    net, x, y = drawn("relu")
    times = 60 if fisher == "empirical" else 20
    more, labels = np.tile(x, (times, 1)), np.tile(y, (times, 1))
    assert len(x) < 3 * len(x) < net.parameters.size < times * len(x) * (1 if fisher == "empirical" else 3)
    v = np.random.default_rng(1).normal(size=net.parameters.size)
    by_dual = network.fisher_solve(net, x, y, loss, v, damping=0.1, fisher=fisher)
    by_primal = network.fisher_solve(net, more, labels, loss, v, damping=0.1, fisher=fisher)
    condition = 1 + network.fisher_spectrum(net, x, y, loss, fisher=fisher)[0] / 0.1
    assert relative_error(by_primal, by_dual) <= 2e-15 * condition
    by_dual = network.natural_gradient(net, x, y, loss, damping=0.1, fisher=fisher)
    by_primal = network.natural_gradient(net, more, labels, loss, damping=0.1, fisher=fisher)
    assert relative_error(by_primal, by_dual) <= 2e-15 * condition


@settings(max_examples=20)
@given(
    seed=st.integers(0, 2**16),
    case=st.sampled_from(list(CASES)),
    loss=st.sampled_from(LOSSES),
    fisher=st.sampled_from(["empirical", "expected"]),
    damping=st.floats(1e-6, 1e6),
)
def test_what_is_solved_and_multiplied_is_there_again(
    seed: int, case: str, loss: Loss, fisher: str, damping: float
) -> None:
    net, x, y = drawn(case)
    v = np.random.default_rng(seed).normal(size=net.parameters.size)
    u = network.fisher_solve(net, x, y, loss, v, damping=damping, fisher=fisher)
    again = network.fisher_product(net, x, y, loss, u, fisher=fisher) + damping * u
    size = network.fisher_spectrum(net, x, y, loss, fisher=fisher)[0] + damping
    assert np.linalg.norm(again - v) <= 1e-14 * size * np.linalg.norm(u)


@pytest.mark.parametrize("function", ["fisher_solve", "fisher_logdet", "natural_gradient"])
def test_float32_networks_are_solved_in_float64(function: str) -> None:
    net = MLP((4, 5, 3), seed=1)
    double = MLP.from_arrays(*net.to_arrays(), dtype="float64")
    x, y = np.random.default_rng(0).normal(size=(6, 4)), np.eye(3)[[0, 1, 2, 0, 1, 2]]
    v = (np.ones(net.parameters.size),) if function == "fisher_solve" else ()
    single, exact = (getattr(network, function)(one, x, y, LpNorm(2), *v, damping=1e-3) for one in (net, double))
    np.testing.assert_array_equal(single, exact)


# --- Losses that do not say by what coefficients ----------------------------------------------------------------------


class OwnLoss(LpNorm):
    def expected_coefficients(self, outputs: Array, targets: Array) -> None:
        return None


def test_a_loss_without_coefficients_has_natural_gradients() -> None:
    net, x, y = drawn("relu")
    expected = network.natural_gradient(net, x, y, LpNorm(3), damping=0.1, fisher="expected")
    found = network.natural_gradient(net, x, y, OwnLoss(3), damping=0.1, fisher="expected")
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_label_whose_probability_is_below_float64_has_a_natural_gradient(outputs: int) -> None:
    # The Fisher information is 0 to every digit, and the loss derivative is 1.
    net = MLP.from_arrays([np.zeros((2, outputs))], [np.array([800.0, 0.0, 0.0][:outputs])])
    x = np.array([[1.0, 2.0]])
    y = np.array([[0.0, 1.0, 0.0][:outputs]])
    gradient = np.outer([1.0, 2.0, 1.0], [1.0, -1.0, 0.0][:outputs]).ravel()
    found = network.natural_gradient(net, x, y, CrossEntropy(), damping=0.5, fisher="expected")
    np.testing.assert_allclose(found, gradient / 0.5, rtol=1e-15)


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damping", "error", "message"),
    [
        (0, ValueError, "damping must be positive and finite, got 0"),
        (-1e-3, ValueError, "damping must be positive and finite, got -0.001"),
        (np.inf, ValueError, "damping must be positive and finite, got inf"),
        (np.nan, ValueError, "damping must be positive and finite, got nan"),
        ("1", TypeError, "damping must be a real number, got '1'"),
        (1e-30, ValueError, "damping must be above what float64 rounds off the Fisher information, got 1e-30"),
    ],
)
def test_bad_damping_is_named(damping: Any, error: type[Exception], message: str) -> None:
    # The same added to all outputs changes no probability: the matrix is singular.
    net, x, y = drawn("linear")
    given: dict[str, Any] = {"damping": damping, "fisher": "expected"}
    for call in (network.fisher_logdet, network.natural_gradient):
        with pytest.raises(error, match=message):
            call(net, x, y, CrossEntropy(), **given)
    with pytest.raises(error, match=message):
        network.fisher_solve(net, x, y, CrossEntropy(), np.ones(net.parameters.size), **given)


def test_damping_of_which_no_multiple_is_the_matrix_is_named() -> None:
    net, x, y = drawn("relu")
    with pytest.raises(ValueError, match=r"damping must be above what float64 rounds off .* got 1e-320"):
        network.fisher_logdet(net, x, y, LpNorm(2), damping=1e-320)


def test_small_damping_is_refused_where_solutions_would_keep_no_digit() -> None:
    # The gradients are independent, so their combinations do keep theirs.
    net, x, y = drawn("relu")
    with pytest.raises(ValueError, match="damping must be above what float64 rounds off"):
        network.fisher_solve(net, x, y, LpNorm(2), np.ones(net.parameters.size), damping=1e-20)
    smaller, small = (network.natural_gradient(net, x, y, LpNorm(2), damping=damping) for damping in (1e-20, 1e-14))
    np.testing.assert_allclose(smaller, small, rtol=1e-9)
    found = network.fisher_logdet(net, x, y, LpNorm(2), damping=1e-20)
    spectrum = network.fisher_spectrum(net, x, y, LpNorm(2))
    assert found == pytest.approx(np.log(spectrum).sum() + (net.parameters.size - len(x)) * np.log(1e-20), rel=1e-12)


@pytest.mark.parametrize(("samples", "fisher", "gradients"), [(8001, "empirical", 8001), (2001, "expected", 8004)])
def test_a_matrix_that_is_too_large_is_named_by_its_size(samples: int, fisher: str, gradients: int) -> None:
    net, x = MLP((2500, 4)), np.zeros((samples, 2500), np.float32)
    y = np.eye(4)[np.zeros(samples, int)]
    with pytest.raises(ValueError, match=f"up to 8000 rows, got {gradients} seeded gradients and 10004 parameters"):
        network.fisher_logdet(net, x, y, LpNorm(2), damping=1.0, fisher=fisher)


def test_bad_arguments_are_named() -> None:
    net, x, y = drawn("linear")
    with pytest.raises(ValueError, match="y must be given for a natural gradient, got None"):
        network.natural_gradient(net, x, None, LpNorm(2), damping=1.0, fisher="expected")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"v must have shape .* P = 8 parameters, got \(3,\)"):
        network.fisher_solve(net, x, y, LpNorm(2), np.ones(3), damping=1.0)
    with pytest.raises(TypeError, match="net must be an MLP, got int"):
        network.fisher_solve(1, x, y, LpNorm(2), np.ones(3), damping=1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="fisher must be"):
        network.fisher_logdet(net, x, y, LpNorm(2), damping=1.0, fisher="true")
    with pytest.raises(OverflowError, match="leave the floating-point range"):
        network.natural_gradient(net, 1e200 * x, y, LpNorm(2), damping=1.0)
