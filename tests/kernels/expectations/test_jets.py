"""Metrics by quadrature and summation: right where they say so, and without a number where they cannot know."""

from __future__ import annotations

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Piecewise, Rational, Symbol, log

import infogeom as ig
from infogeom.kernels.status import Status
from infogeom.models import Model, Parameter, from_density
from tests.law_reference import Definition

x, a = Symbol("x", real=True), Symbol("a", real=True)
t, u = Symbol("t", positive=True), Symbol("u", positive=True)
LINE = sympy.S.Reals
BOTH_SIDES = from_density(
    Piecewise((-(x - a) * t, x >= a), ((x - a) * u, True)) + log(t * u / (t + u)), x, [a, t, u], LINE
)


def two_of(family: Callable[[], Model]) -> Model:
    """Mixture of a family with itself, parameters numbered."""

    def numbered(k: int) -> Model:
        law = family()
        return ig.models.reparametrise(
            law, {p.name: Symbol(f"{p.name}{k}", **p.symbol.assumptions0) for p in law.parameters}
        )

    return ig.models.mixture([numbered(1), numbered(2)])


def test_a_kink_that_moves_with_a_parameter_leaves_the_metric() -> None:
    # An exponential law on each side of a: by hand from E[z⁺] = u/(t (t + u)) and E[z⁺²] = 2u/(t² (t + u)).
    ds = ig.grid.evaluate_points(BOTH_SIDES, [[0.3, 2, 3]], ["metric"])
    expected = [[6, -0.6, 0.4], [-0.6, 0.21, -0.04], [0.4, -0.04, 16 / 225]]
    assert ds.metric.values[0] == pytest.approx(np.array(expected), rel=1e-13)
    assert int(ds.status[0]) == 0


def test_a_kink_that_moves_with_a_parameter_has_no_curvature_by_quadrature() -> None:
    with pytest.raises(ValueError, match=r"quantities .*a kink that moves with a parameter"):
        ig.grid.evaluate_points(BOTH_SIDES, [[0.3, 2, 3]], ["metric", "ricci_scalar"])


def test_the_greater_of_two_lines_has_a_kink() -> None:
    # Scores 1 and −2 with probabilities 2/3 and 1/3.
    law = from_density(-sympy.Max(x - a, 2 * (a - x)) - log(Rational(3, 2)), x, [a], LINE)
    assert float(ig.grid.evaluate_points(law, [[0.3]], ["metric"]).metric.item()) == pytest.approx(2, rel=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gamma", "beta", "weibull"])
def test_a_density_may_be_without_bound_at_an_end(name: str) -> None:
    law, point = two_of(getattr(ig.models, name)), [0.3, 0.5, 1, 2, 1.5]
    ds = ig.grid.evaluate_points(law, [point], ["metric"])
    defined = np.array(Definition(law)(point)[0], dtype=float)
    assert abs(ds.metric.values[0] - defined).max() <= 1e-12 * abs(defined).max()
    assert int(ds.status[0]) == 0


@pytest.mark.parametrize("power", [2.0, 0.5])
def test_a_density_may_fall_like_a_power_on_a_half_line(power: float) -> None:
    # Lomax's law by quadrature: g = 1/power².
    x, a = sympy.symbols("x a", positive=True)
    log_p, half_line = sympy.log(a) - (a + 1) * sympy.log(1 + x), sympy.Interval.open(0, sympy.oo)
    law = Model("power", [ig.models.Parameter(a)], log_p, x, half_line, budget=0)
    ds = ig.grid.evaluate_points(law, [[power]], ["metric"])
    assert ds.metric.values[0] == pytest.approx(power**-2, rel=1e-13, abs=0)
    assert ds.status.values == [0]


@pytest.mark.parametrize(
    ("law", "point"),
    [
        (two_of(ig.models.normal), [1e-7, 5, 1, 1e5, 1]),
        (two_of(ig.models.poisson), [1e-8, 1e6, 1]),
        (ig.models.skew_normal(), [0, 1e-200, 2]),
    ],
    ids=["normal", "Poisson", "skew normal"],
)
@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_a_peak_that_was_missed_is_no_number(law: Model, point: list[float]) -> None:
    ds = ig.grid.evaluate_points(law, [point], ["metric"])
    assert np.isnan(ds.metric.values).all()
    assert int(ds.status[0]) == Status.UNREFINED


@pytest.mark.parametrize(
    ("law", "point"),
    [
        (ig.models.skew_normal(), [1, 1e-13, 2]),
        (ig.models.beta_binomial(40), [1e-6, 1e-6]),
        (ig.models.negative_binomial(), [1e8, 0.5]),
    ],
    ids=["skew normal", "beta-binomial", "negative binomial"],
)
@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_a_metric_worse_than_rtol_says_so(law: Model, point: list[float]) -> None:
    ds = ig.grid.evaluate_points(law, [point], ["metric"], max_refined=0)
    assert int(ds.status[0]) == Status.UNREFINED


@pytest.mark.parametrize("start", [0, 7])
def test_a_density_that_ends_at_full_height_is_integrated_to_a_rounding(start: int) -> None:
    # The moments of 1 + a (z² − 1/3) are elementary; SymPy's integral of the score's square is wrong.
    z, a = x - start, Symbol("a", positive=True)
    law = from_density(
        log(1 + a * (z**2 - Rational(1, 3))),
        x,
        [ig.models.Parameter(a, sympy.Interval.open(0, 1))],
        sympy.Interval(start, start + 1),
    )
    ds = ig.grid.evaluate_points(law, [[0.5], [1e-3]], ["metric", "metric_error"])
    with mpmath.workdps(40):
        for value, error, at in zip(ds.metric.values.ravel(), ds.metric_error.values.ravel(), (0.5, 1e-3), strict=True):
            exact = mpmath.quad(lambda z, at=at: (z**2 - third()) ** 2 / (1 + at * (z**2 - third())), [0, 1])
            assert abs(value - exact) <= error < 1e-13 * exact  # x² is 64 and more times z²
    assert (ds.status == Status.OK).all()


def third() -> mpmath.mpf:
    return mpmath.mpf(1) / 3


@pytest.mark.parametrize("decade", [-1, -2])
def test_a_rare_outcome_errs_by_as_much_as_the_mass_of_all_others(decade: int) -> None:
    # A hurdle before a geometric law: g_ww = 1 / (w (1 − w)), and 1 − p is rounded once for all its outcomes.
    k, w, p = Symbol("k", integer=True, nonnegative=True), Symbol("w", positive=True), Symbol("p", positive=True)
    law = Piecewise((log(w), sympy.Eq(k, 0)), (log(1 - w) + log(p) + (k - 1) * log(1 - p), True))
    share = sympy.Interval.open(0, 1)
    declared = [ig.models.Parameter(symbol, share, (0.2, 0.7)) for symbol in (w, p)]
    model = from_density(law, k, declared, sympy.S.Naturals0)
    rng = np.random.default_rng(3)
    points = np.column_stack([10 ** rng.uniform(-4, 0, 60), 10 ** rng.uniform(decade - 1, decade, 60)])
    ds = ig.grid.evaluate_points(model, points, ["metric", "metric_error"], max_refined=0)
    for x, g, bound in zip(points[:, 0], ds.metric[:, 0, 0].values, ds.metric_error[:, 0, 0].values, strict=True):
        right = 1 / (mpmath.mpf(x) * (1 - mpmath.mpf(x)))
        assert abs(mpmath.mpf(g) - right) <= 2 * mpmath.mpf(bound)


def test_a_law_whose_support_moves_is_integrated_in_its_pivot() -> None:
    # The generalised Pareto law by its survival probability u; scores are those of the measurement x.
    s, xi = Symbol("s", positive=True), Symbol("xi", real=True)
    parameters = [Parameter(s), Parameter(xi, sympy.Interval.open(Rational(-1, 2), sympy.oo))]
    law, by_pivot = -log(s) - (1 / xi + 1) * log(1 + xi * x / s), {x: s * (u**-xi - 1) / xi}
    support = sympy.Interval.open(0, 1)
    model = Model("by its survival", parameters, law, u, support, change_of_variable=by_pivot, budget=0)
    ds = ig.grid.evaluate_points(model, [[2, 0.3], [0.5, 1.25]], ["metric", "ricci_scalar"])
    closed = ig.grid.evaluate_points(
        ig.models.generalised_pareto(), [[2, 0.3], [0.5, 1.25]], ["metric", "ricci_scalar"]
    )
    assert (ds.status == Status.OK).all()
    np.testing.assert_allclose(ds.metric, closed.metric, rtol=1e-13)
    np.testing.assert_allclose(ds.ricci_scalar, closed.ricci_scalar, rtol=1e-11)
