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
from tests import reference

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


def of_conway_maxwell(rate: Any, nu: Any) -> Any:
    """Covariance of the scores x/λ − E x/λ and E log x! − log x!, summed from 0 on."""
    mp = reference.context
    sums, n, largest = np.array([mp.zero] * 6, dtype=object), 0, mp.zero
    while True:
        f = mp.loggamma(n + 1)
        w = mp.exp(n * mp.log(rate) - nu * f)
        sums = sums + w * np.array([1, n, f, n * n, n * f, f * f], dtype=object)
        largest, n = max(largest, w), n + 1
        if w * n**4 < largest * mp.eps and rate < (n - 1) ** nu:
            break
    Z, x, f, xx, xf, ff = sums
    x, f = x / Z, f / Z
    mixed = -(xf / Z - x * f) / rate
    return [[(xx / Z - x * x) / rate**2, mixed], [mixed, ff / Z - f * f]]


def curvature_of_conway_maxwell(rate: Any, nu: Any) -> float:
    """R = ¼ (‖T‖² − ‖tr T‖²), T = ∂g in log λ and −ν by differences."""
    mp = reference.context
    h, eta = mp.mpf(10) ** -14, mp.log(rate)

    def g(*by: Any) -> Any:
        r = mp.exp(eta + by[0] * h)
        (a, b), (_, d) = of_conway_maxwell(r, nu - by[1] * h)
        return np.array([[a * r * r, -b * r], [-b * r, d]], dtype=object)

    T = np.stack([(g(1, 0) - g(-1, 0)) / (2 * h), (g(0, 1) - g(0, -1)) / (2 * h)], axis=-1)
    inverse = reference.inverse(g(0, 0))
    trace = np.einsum("ij,ijk->k", inverse, T)
    raised = np.einsum("ai,bj,ck,ijk->abc", inverse, inverse, inverse, T)
    return float(((T * raised).sum() - trace @ inverse @ trace) / 4)


@pytest.mark.parametrize(
    "at",  # Poisson and beside it, almost a geometric and a Bernoulli law, rare events, one of two counts, a large mean
    [
        (0.7, 1.5), (2.0, 1.0), (2.0, 1.0 + 1e-9), (0.5, 1e-3), (5.0, 30.0), (1e-6, 1.0), (3.0**10, 10.0), (300.0, 1.0),
    ],
)  # fmt: skip
def test_a_conway_maxwell_law_has_the_covariance_of_its_scores(at: tuple[float, float]) -> None:
    ds = ig.grid.evaluate_points(ig.models.conway_maxwell_poisson(), [at])
    point = list(map(reference.context.mpf, at))
    expected = np.array(of_conway_maxwell(*point), dtype=float)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert (abs(ds.metric.values[0] - expected) <= 2e-14 * scale).all()
    assert float(ds.ricci_scalar[0]) == pytest.approx(curvature_of_conway_maxwell(*point), rel=1e-9)
    assert int(ds.status[0]) in (0, 1)


def test_conway_maxwell_laws_have_poisson_and_geometric_laws_among_them() -> None:
    metric = ig.models.conway_maxwell_poisson().metric()
    assert metric.at(rate=2.5, nu=1)[0, 0] == pytest.approx(0.4, rel=1e-14)
    assert metric.at(rate=0.25, nu=1e-300)[0, 0] == pytest.approx(1 / (0.25 * 0.75**2), rel=1e-14)
    assert metric.at(rate=0.25, nu=1e3)[0, 0] == pytest.approx(1 / (0.25 * 1.25**2), rel=1e-14)


def test_where_a_conway_maxwell_law_has_too_many_counts_there_is_no_number() -> None:
    with pytest.warns(ig.StatusWarning):
        ds = ig.grid.evaluate_points(ig.models.conway_maxwell_poisson(), [[1.0, 1e-9], [1e300, 0.5]])
    assert np.isnan(ds.ricci_scalar).all()


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
