"""Sums over outcomes where scores cancel: right within their stated errors, refined, or told to be singular."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import sympy
from mpmath import mp, mpf
from sympy import Symbol, exp, log, loggamma

import infogeom as ig
from infogeom.kernels.expectations.running_error import with_errors
from infogeom.kernels.status import Status
from infogeom.models import Model, Parameter, from_density
from infogeom.numeric.float64 import in_float64
from tests.law_reference import curvature_of

pytestmark = pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")

x, t = Symbol("x", nonnegative=True), Symbol("t", positive=True)
SHARE = Parameter(Symbol("share", positive=True), sympy.Interval.open(0, 1), (0.1, 0.9))


def hurdle_poisson() -> Model:
    """0 or a zero-truncated Poisson law: a piece of a sphere of radius 2, R = 1/2."""
    counted = log(SHARE.symbol) + x * log(t) - t - loggamma(x + 1) - log(1 - exp(-t))
    law = sympy.Piecewise((log(1 - SHARE.symbol), sympy.Eq(x, 0)), (counted, True))
    return from_density(law, x, [t, SHARE], sympy.S.Naturals0)


def inflated_poisson() -> Model:
    """0, or a Poisson law: the two ways to 0 are hard to tell apart where its mean is small."""
    counted = log(1 - SHARE.symbol) + x * log(t) - t - loggamma(x + 1)
    law = sympy.Piecewise((log(SHARE.symbol + (1 - SHARE.symbol) * exp(-t)), sympy.Eq(x, 0)), (counted, True))
    return from_density(law, x, [SHARE, t], sympy.S.Naturals0)


def inflated_determinant(w: mpf, t: mpf) -> mpf:
    """By the moments of what is not 0, with scores −1/(1 − w) and k/t − 1."""
    e = mp.exp(-t)
    zero, rest = w + (1 - w) * e, (1 - w) * (1 - e)
    at_zero = (1 - e) / zero, -(1 - w) * e / zero
    first, second = (1 - w) - rest, rest - (1 - w) + (1 - w) / t  # E[k/t − 1] and E[(k/t − 1)²] there
    g = mp.matrix(2)
    g[0, 0] = zero * at_zero[0] ** 2 + rest / (1 - w) ** 2
    g[0, 1] = g[1, 0] = zero * at_zero[0] * at_zero[1] - first / (1 - w)
    g[1, 1] = zero * at_zero[1] ** 2 + second
    return mp.det(g)


def two_binomials() -> Model:
    """Mixture of two binomial laws of six trials."""
    p = [Parameter(Symbol(f"p{k}", positive=True), SHARE.domain, SHARE.typical) for k in (1, 2)]
    return ig.models.mixture([ig.models.reparametrise(ig.models.binomial(6), {"p": q.symbol}, [q]) for q in p])


def skellam(a: mpf, b: mpf) -> list[list[mpf]]:
    """Metric with ∂_1 p(x) = p(x − 1) − p(x) and ∂_2 p(x) = p(x + 1) − p(x)."""
    reach = range(-25, int(a + b) + 150)
    p = {k: mp.exp(-a - b) * mp.sqrt(a / b) ** k * mp.besseli(abs(k), 2 * mp.sqrt(a * b)) for k in reach}
    g = mp.zeros(2)
    for k in reach[1:-1]:
        d = mp.matrix([p[k - 1] - p[k], p[k + 1] - p[k]])
        g += d * d.T / p[k]
    return g.tolist()


def beta_binomial(a: mpf, b: mpf, n: int = 6) -> list[list[mpf]]:
    """Metric with scores Σ 1/(a + k) − Σ 1/(a + b + k)."""
    g, all_ = mp.zeros(2), mp.fsum(1 / (a + b + k) for k in range(n))
    for y in range(n + 1):
        s = mp.matrix([mp.fsum(1 / (c + k) for k in range(m)) - all_ for c, m in ((a, y), (b, n - y))])
        g += mp.binomial(n, y) * mp.rf(a, y) * mp.rf(b, n - y) / mp.rf(a + b, n) * s * s.T
    return g.tolist()


#: Models, their metrics by definition, and points.
LAWS = {
    "Skellam": (ig.models.skellam(), skellam, (35.0, 5e-4)),
    "beta-binomial, small": (ig.models.beta_binomial(6), beta_binomial, (0.03, 1e-5)),
    "beta-binomial, one shape small": (ig.models.beta_binomial(6), beta_binomial, (2.5, 4e-5)),
}


@cache
def true_scalar(name: str) -> mpf:
    """R by central differences of the metric's definition."""
    _, metric, point = LAWS[name]
    return mpf(curvature_of(metric, point, "1e-20", 70))


@pytest.mark.parametrize("name", LAWS)
def test_what_is_left_unrefined_is_right_to_its_error(name: str) -> None:
    model, _, point = LAWS[name]
    ds = ig.grid.evaluate_points(model, [point], ["ricci_scalar"], max_refined=0)
    assert abs(ds.ricci_scalar.item() - true_scalar(name)) <= 2 * ds.ricci_scalar_error.item()


@pytest.mark.parametrize("name", LAWS)
def test_where_scores_cancel_a_sum_is_refined(name: str) -> None:
    model, _, point = LAWS[name]
    ds = ig.grid.evaluate_points(model, [point], ["ricci_scalar"])
    assert ds.ricci_scalar.item() == pytest.approx(float(true_scalar(name)), rel=1e-14)
    assert int(ds.status[0]) == Status.REFINED


@pytest.mark.parametrize("rates", [(5.0, 2e-5), (10.0, 1e-6)])
def test_an_information_that_one_outcome_holds_is_right_to_its_error(rates: tuple[float, float]) -> None:
    second = {"rate": sympy.Symbol("rate2", positive=True)}
    law = ig.models.mixture([ig.models.poisson(), ig.models.reparametrise(ig.models.poisson(), second)])
    point = [dict(zip(("rate", "rate2"), rates, strict=True)).get(p.name, 0.1) for p in law.parameters]
    ds = ig.grid.evaluate_points(law, [point], ["metric", "metric_error"], max_refined=0).isel(point=0)
    true = ig.grid.evaluate_points(law, [point], ["metric"], rtol=3e-16).isel(point=0)
    assert (ds.status, true.status) == (Status.OK, Status.REFINED)
    assert (np.abs(ds.metric - true.metric) <= 2 * ds.metric_error).all()


def test_a_determinant_that_a_sum_leaves_is_right_to_its_error() -> None:
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(0.05, 0.95, 200), 10 ** rng.uniform(-5, -2, 200)])
    ds = ig.grid.evaluate_points(inflated_poisson(), points, ["determinant", "determinant_error"], max_refined=0)
    assert (ds.status == Status.OK).mean() > 0.5
    with mp.workdps(60):
        off = [abs(inflated_determinant(*map(mpf, x)) - d) for x, d in zip(points, ds.determinant.values, strict=True)]
    assert (np.array(off, float) <= 2 * ds.determinant_error.values).all()


@pytest.mark.parametrize("rate", [2e-4, 3e-5])
def test_a_piece_of_a_sphere_is_one_within_its_error(rate: float) -> None:
    ds = ig.grid.evaluate_points(hurdle_poisson(), [[rate, 0.6]], ["ricci_scalar"], max_refined=0)
    assert abs(ds.ricci_scalar.item() - 0.5) <= 2 * ds.ricci_scalar_error.item()


@pytest.mark.parametrize("point", [[1e-7, 0.6], [2.0, 1e-30]], ids=["rare counts", "hardly ever not 0"])
def test_a_sum_with_cases_is_refined(point: list[float]) -> None:
    ds = ig.grid.evaluate_points(hurdle_poisson(), [point], ["ricci_scalar"])
    assert ds.ricci_scalar.item() == pytest.approx(0.5, rel=1e-15)
    assert int(ds.status[0]) == Status.REFINED


def test_a_mixture_of_equal_components_is_singular() -> None:
    ds = ig.grid.evaluate_points(two_binomials(), [[0.3, 0.4, 0.4]], ["metric_rank", "null_directions"])
    assert int(ds.status[0]) == Status.SINGULAR
    assert int(ds.metric_rank[0]) == 1
    # Neither the weight nor what leaves 0.3 p1 + 0.7 p2 as it is changes anything.
    assert np.abs(ds.null_directions.values[0, :2] @ [0, 0.3, 0.7]).max() < 1e-15


def test_a_mixture_whose_mass_takes_many_nodes_is_singular_where_its_components_are_equal() -> None:
    exponential = ig.models.exponential()
    other = ig.models.reparametrise(exponential, {"rate": sympy.Symbol("rate2", positive=True)})
    law = ig.models.mixture([exponential, other])
    ds = ig.grid.evaluate_points(law, [[0.3, 1.5, 1.5], [0.3, 1.5, 2.0]], ["metric_rank"], max_refined=10)
    assert ds.status.values.tolist() == [Status.SINGULAR, Status.OK]
    assert ds.metric_rank.values.tolist() == [1, 3]


def test_components_that_hardly_differ_are_not_singular() -> None:
    ds = ig.grid.evaluate_points(two_binomials(), [[0.3, 0.4, 0.4 + 1e-9]], ["metric_rank"])
    assert int(ds.metric_rank[0]) == 3


def test_a_skew_normal_law_without_slant_is_singular() -> None:
    ds = ig.grid.evaluate_points(ig.models.skew_normal(), [[1, 2, 0]], ["null_directions"])
    direction = ds.null_directions.values[0, 0]
    # ∂_α = √(2/π) z and ∂_ξ = z/ω.
    assert direction[0] / direction[2] == pytest.approx(-2 * np.sqrt(2 / np.pi), rel=1e-15)
    assert int(ds.status[0]) == Status.SINGULAR


def test_a_skew_normal_law_with_little_slant_is_regular() -> None:
    assert (
        int(ig.grid.evaluate_points(ig.models.skew_normal(), [[1, 2, 1e-6]], ["metric"]).status[0]) != Status.SINGULAR
    )


def test_a_running_error_bounds_cancellation() -> None:
    e, at = log(1 - exp(-t)) + log(1 + t), np.array([1e-9, 1e-5, 0.3, 4.0])
    (value,), (error,) = with_errors([t], [e], {})(at)
    with mp.workdps(40):
        true = [mp.log(-mp.expm1(-mpf(a))) + mp.log1p(mpf(a)) for a in at.tolist()]
        off = np.array([float(abs(v - w)) for v, w in zip(value.tolist(), true, strict=True)])
    assert (off <= 16 * error).all()  # a sixteenth of what is worst for all roundings at once
    assert error[0] > 1e6 * error[2]


def test_each_multiplication_of_a_product_errs() -> None:
    factors = sympy.symbols("a:8", positive=True)
    at = np.random.default_rng(0).uniform(1, 2, (8, 500))
    (value,), (error,) = with_errors(factors, [sympy.Mul(*factors)], {})(*at)
    with mp.workdps(40):
        true = [mp.fprod(map(mpf, row)) for row in at.T.tolist()]
        off = np.array([float(abs(v - w)) for v, w in zip(value.tolist(), true, strict=True)])
    assert (off <= 16 * error).all()
    assert (off > 16 * error / 7).any()  # by more than a single multiplication may err


def test_values_beside_running_errors_are_the_same_to_the_last_bit() -> None:
    e, at = [t**3 - sympy.sin(t) / (1 + t), exp(-t) * log(t)], np.linspace(0.1, 9, 50)
    values, _ = with_errors([t], e, {})(at)
    assert np.array_equal(values, in_float64([t], e)(at))
