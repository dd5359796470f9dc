"""Counts with zeros of their own, and with long tails: metrics by their definitions, beside the borders too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from mpmath import mpf

import infogeom as ig
from infogeom.functions import log_zeta
from infogeom.kernels.expectations import law_moments
from infogeom.models.law import Law

Array = np.ndarray[Any, np.dtype[np.float64]]


def metric_at(law: ig.models.Model, *points: float) -> tuple[Array, Array]:
    """Metrics of one parameter, and what their status is."""
    ds = ig.grid.evaluate_points(law, [[point] for point in points], ["metric"])
    return ds.metric.values[:, 0, 0], ds.status.values


def of_truncated_poisson(rate: Any) -> Any:
    """Variance of the score x/λ − e^λ/(e^λ − 1), from the mean and the mean square of a Poisson count that is not 0."""
    with mpmath.workdps(60):
        some = -mpmath.expm1(-rate)
        mean, square = rate / some, (rate + rate**2) / some
        return (square - mean**2) / rate**2


@pytest.mark.parametrize("rate", [1e-12, 1e-6, 0.3, 40.0])
def test_a_poisson_count_that_is_not_0_keeps_its_digits(rate: float) -> None:
    found, status = metric_at(ig.models.zero_truncated_poisson(), rate)
    assert found == pytest.approx(float(of_truncated_poisson(mpf(rate))), rel=4e-15, abs=0)
    assert (status == 0).all()


@pytest.mark.parametrize("p", [1e-12, 1e-6, 0.3, 0.99])
def test_a_logarithmic_series_keeps_its_digits(p: float) -> None:
    with mpmath.workdps(60):
        q, L = 1 - mpf(p), -mpmath.log1p(-mpf(p))
        mean, square = p / (q * L), p / (q**2 * L)
        expected = float((square - mean**2) / mpf(p) ** 2)
    found, status = metric_at(ig.models.log_series(), p)
    assert found == pytest.approx(expected, rel=1e-14, abs=0)
    assert (status == 0).all()


@pytest.mark.parametrize(("p", "rate"), [(0.3, 2.0), (1e-6, 1e-6), (0.999, 0.5)])
def test_a_zero_inflated_poisson_law_lies_on_a_sphere(p: float, rate: float) -> None:
    # Three kinds of scores: that of 0, and that of each count from 1 on, affine in it.
    with mpmath.workdps(60):
        P, L = mpf(p), mpf(rate)
        e = mpmath.exp(-L)
        none = P + (1 - P) * e
        zero = [(1 - e) / none, -(1 - P) * e / none]
        mean, square = (1 - P) * L, (1 - P) * (L + L**2)
        some = (1 - P) * (1 - e)
        expected = np.array([
            [none * zero[0] ** 2 + some / (1 - P) ** 2, none * zero[0] * zero[1] - (mean / L - some) / (1 - P)],
            [0, none * zero[1] ** 2 + square / L**2 - 2 * mean / L + some],
        ], dtype=float)  # fmt: skip
    expected[1, 0] = expected[0, 1]
    ds = ig.grid.evaluate_points(ig.models.zero_inflated_poisson(), [[p, rate]])
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert (abs(ds.metric.values[0] - expected) <= 1e-14 * scale).all()
    assert float(ds.ricci_scalar[0]) == 0.5


def test_a_hurdle_law_is_a_zero_inflated_one_by_the_probability_of_zero() -> None:
    hurdle, inflated = (
        ig.grid.evaluate_points(law, [point])
        for law, point in [
            (ig.models.hurdle_poisson(), [0.3 + 0.7 * np.exp(-2), 2.0]),
            (ig.models.zero_inflated_poisson(), [0.3, 2.0]),
        ]
    )
    J = np.array([[1 - np.exp(-2), -0.7 * np.exp(-2)], [0, 1]])
    assert J.T @ hurdle.metric.values[0] @ J == pytest.approx(inflated.metric.values[0], rel=1e-14)


@pytest.mark.slow  # 20 s each; tails alone are tested with the sums
@pytest.mark.parametrize("rho", [0.3, 1.5, 4.0])
def test_the_power_law_of_yule_and_simon_is_summed_to_its_end(rho: float) -> None:
    # g = 1/ρ² − ψ′(ρ + 1) + E ψ′(X + ρ + 1) with ψ′(z) = Σ 1/(z + k)² and P(X > j) = (j + ρ + 1) B(j + 1, ρ + 1).
    with mpmath.workdps(30):
        c = mpf(rho)
        rest = mpmath.nsum(lambda j: mpmath.beta(j + 1, c + 1) / (j + c + 1), [1, mpmath.inf], method="e")
        expected = float(1 / c**2 - mpmath.psi(1, c + 1) + mpmath.psi(1, c + 2) - rest)
    found, status = metric_at(ig.models.yule_simon(), rho)
    assert found == pytest.approx(expected, rel=2e-14, abs=0)
    assert (status == 0).all()


@pytest.mark.parametrize(
    ("law", "point"),
    [
        (ig.models.discrete_weibull, [0.5, 0.5]),
        pytest.param(ig.models.negative_binomial, [3.0, 0.001], marks=pytest.mark.slow),
        pytest.param(ig.models.yule_simon, [4.0], marks=pytest.mark.slow),
    ],
)
def test_an_integral_in_the_place_of_far_outcomes_is_their_sum(
    law: Callable[[], ig.models.Model], point: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = law()
    long = ig.grid.evaluate_points(model, [point], rtol=1e-7)
    monkeypatch.setattr(law_moments, "LONG_STRETCH", 10**7)
    summed = ig.grid.evaluate_points(model, [point], rtol=1e-7)
    assert long.metric.values == pytest.approx(summed.metric.values, rel=1e-12)
    off = abs(long.ricci_scalar - summed.ricci_scalar)
    assert (off <= 2 * (long.ricci_scalar_error + summed.ricci_scalar_error)).all()


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_a_law_whose_tail_is_not_smooth_is_no_answer() -> None:
    # Even outcomes count twice as much as odd ones: the integral over all of them is no sum.
    x, r = sympy.Symbol("x", positive=True), sympy.Symbol("r", positive=True)
    weight = 1 + (1 + sympy.cos(sympy.pi * x)) / 2
    log_p = sympy.log(weight) - r * sympy.log(x) - log_zeta(0, r) - sympy.log(1 + 2**-r)
    rule = law_moments.Expectation(Law(log_p, (x,), (sympy.S.Naturals,)), [r], [])
    assert not rule(np.array([[2.5]])).known.any()
