"""Expectations over several variables: right, as good as they say, and refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from mpmath import mp, mpf
from sympy import Interval, Symbol, log, loggamma, oo

import infogeom as ig
from infogeom.kernels.status import Status
from infogeom.models import Model, Parameter
from infogeom.symbolic import ExpectationError
from tests.law_reference import curvature_of

x, y, z, rate = sympy.symbols("x y z rate", positive=True)
HALF_LINE, UNIT = Interval.open(0, oo), Interval.open(0, 1)
p, q = (Parameter(Symbol(name, positive=True), UNIT) for name in "pq")
#: What R by central differences in so many digits is good to.
DIFFERENCES = 1e-12


def chain(length: int) -> Model:
    """A chain of two states from a fair start: 1 follows 0 with probability p, 0 follows 1 with probability q."""
    u = sympy.symbols(f"x1:{length + 1}", nonnegative=True)
    a, b = p.symbol, q.symbol

    def step(i: Symbol, j: Symbol) -> sympy.Expr:
        return (1 - i) * (j * log(a) + (1 - j) * log(1 - a)) + i * ((1 - j) * log(b) + j * log(1 - b))

    log_p = sympy.expand(-log(2) + sum(map(step, u, u[1:])))
    return Model("chain", [p, q], log_p, u, (sympy.Range(0, 2),) * length, budget=0)


def chain_metric(length: int) -> Callable[..., Any]:
    """Visits of each state but the last, in the mean, over p (1 − p) and q (1 − q)."""

    def metric(a: Any, b: Any) -> Any:
        visits, one = mpf(0), mpf(1) / 2
        for _ in range(length - 1):
            visits, one = visits + one, one * (1 - b) + (1 - one) * a
        return [[(length - 1 - visits) / (a * (1 - a)), 0], [0, visits / (b * (1 - b))]]

    return metric


def check(model: Model, metric: Callable[..., Any], points: list[list[float]], worst: float = 1e-12) -> None:
    """Metric and R are right within what they state, and that is little."""
    names = ["metric", "ricci_scalar"] if len(model.parameters) > 1 else ["metric"]
    ds = ig.grid.evaluate_points(model, points, names + [f"{name}_error" for name in names])
    assert ds.status.isin([Status.OK, Status.REFINED]).all()
    for k, point in enumerate(points):
        with mp.workdps(40):
            exact = np.array([list(row) for row in metric(*map(mpf, point))], dtype=float)
        error = ds.metric_error.values[k] + np.finfo(float).eps * abs(exact)
        assert (abs(ds.metric.values[k] - exact) <= error).all()
        assert (ds.metric_error.values[k] <= worst * np.sqrt(np.outer(np.diag(exact), np.diag(exact)))).all()
        if len(point) > 1:
            R = float(curvature_of(metric, point, "1e-14", 60))
            assert abs(ds.ricci_scalar.values[k] - R) <= ds.ricci_scalar_error.values[k] + DIFFERENCES * max(1, abs(R))
            assert ds.ricci_scalar_error.values[k] <= 1e-9 * max(1, abs(R))


# --- Joint outcomes ---------------------------------------------------------------------------------------------------


def test_a_chain_of_given_length_is_summed() -> None:
    check(chain(5), chain_metric(5), [[0.2, 0.3], [0.9, 1e-3]])


@pytest.mark.slow
def test_ten_thousands_of_joint_outcomes_are_summed() -> None:
    check(chain(14), chain_metric(14), [[0.2, 0.3]])


@pytest.mark.slow
def test_outcomes_may_depend_on_those_before() -> None:
    u, v = sympy.symbols("u v", nonnegative=True)
    a, b = p.symbol, q.symbol
    law = u * log(a) + v * log(b) + (2 - u - v) * log(1 - a - b) - sum(loggamma(k + 1) for k in (u, v, 2 - u - v))
    supports = sympy.Range(0, 3), sympy.Range(0, 3 - u)
    given = [Parameter(s.symbol, UNIT, (0.1, 0.4)) for s in (p, q)]
    model = Model("counts", given, law + log(2), (u, v), supports, budget=0, constraints=[1 - a - b])

    def metric(a: Any, b: Any) -> Any:
        left = 2 / (1 - a - b)
        return [[2 / a + left, left], [left, 2 / b + left]]

    check(model, metric, [[0.2, 0.3]])


def test_joint_outcomes_are_summed_in_balls_where_float64_does_not_do() -> None:
    ds = ig.grid.evaluate_points(chain(3), [[1e-60, 0.3]], ["metric"], rtol=1e-15)
    exact = np.array(chain_metric(3)(mpf(1e-60), mpf(0.3)), dtype=float)
    assert int(ds.status[0]) in (Status.OK, Status.REFINED)
    assert ds.metric.values[0] == pytest.approx(exact, rel=1e-15)


# --- Outcomes and measurements ----------------------------------------------------------------------------------------


def censored_by_hand(order: int) -> Model:
    """An exponential time up to 1, and whether it was seen; y is anything where it was not."""
    n = Symbol("n", nonnegative=True)
    law = n * (log(rate) - rate * y) - (1 - n) * rate
    variables, supports = (y, n), (UNIT, sympy.FiniteSet(0, 1))
    return Model("censored", [Parameter(rate)], law, variables[::order], supports[::order], budget=0)


@pytest.mark.parametrize("order", [1, -1])
def test_a_time_and_an_indicator_are_observed_together(order: int) -> None:
    check(censored_by_hand(order), lambda r: [[-mp.expm1(-r) / r**2]], [[2], [1e-3], [60]])


# --- Several measurements ---------------------------------------------------------------------------------------------


def mckay() -> Model:
    """McKay's bivariate gamma law: x and y − x are independent gamma variables of one rate."""
    c, a, b = sympy.symbols("c a b", positive=True)
    law = (a + b) * log(c) + (a - 1) * log(x) + (b - 1) * log(y - x) - c * y - loggamma(a) - loggamma(b)
    return Model("McKay", [Parameter(v) for v in (a, c, b)], law, (x, y), (HALF_LINE, Interval.open(x, oo)), budget=0)


def mckay_metric(a: Any, c: Any, b: Any) -> Any:
    return [[mp.psi(1, a), -1 / c, 0], [-1 / c, (a + b) / c**2, -1 / c], [0, -1 / c, mp.psi(1, b)]]


@pytest.mark.slow
def test_a_support_may_begin_where_the_variable_before_is() -> None:
    check(mckay(), mckay_metric, [[1, 2, 3], [0.5, 1e3, 0.7], [30, 1e-4, 2]], worst=1e-11)


FGM = ig.models.fgm_copula()


def farlie(theta: Any) -> Any:
    legendre = (mp.polylog(2, theta) - mp.polylog(2, -theta)) / 2
    return [[mp.re(legendre - theta) / theta**3 if theta else mpf(1) / 9]]


def test_a_copula_is_integrated_over_the_square() -> None:
    check(FGM, farlie, [[0.3]])


@pytest.mark.slow
def test_a_copula_is_integrated_near_the_ends_of_its_parameter() -> None:
    check(FGM, farlie, [[0.0], [-0.999]])


def pair() -> Model:
    """A normal pair with known means and deviations far from 0 and 1, without its structure."""
    u, v = sympy.symbols("u v", real=True)
    rho, m = Parameter(Symbol("rho", real=True), Interval.open(-1, 1)), Symbol("m", real=True)
    r, a, b = rho.symbol, (u - m) * 100, v / 50
    law = -log(1 - r**2) / 2 - (a**2 - 2 * r * a * b + b**2) / (2 * (1 - r**2)) - log(2 * sympy.pi) + log(2)
    return Model("pair", [Parameter(m), rho], law, (u, v), (sympy.S.Reals,) * 2, budget=0)


@pytest.mark.slow
@pytest.mark.parametrize("rho", [0.3, -0.99])
def test_a_ridge_is_followed(rho: float) -> None:
    def metric(_: Any, r: Any) -> Any:
        return [[10**4 / (1 - r**2), 0], [0, (1 + r**2) / (1 - r**2) ** 2]]

    check(pair(), metric, [[10.0, rho]], worst=1e-10)  # m is 1000 times the deviation: nodes keep 13 digits of it


@pytest.mark.slow
def test_three_measurements_are_integrated_over() -> None:
    a, b, c = sympy.symbols("a b c", positive=True)  # shapes of the first two steps, and the rate of all
    law = (a + b + 1) * log(c) + (a - 1) * log(x) + (b - 1) * log(y - x) - c * z - loggamma(a) - loggamma(b)
    supports = HALF_LINE, Interval.open(x, oo), Interval.open(y, oo)
    model = Model("steps", [Parameter(v) for v in (a, b, c)], law, (x, y, z), supports, budget=0)

    def metric(a: Any, b: Any, c: Any) -> Any:
        return [[mp.psi(1, a), 0, -1 / c], [0, mp.psi(1, b), -1 / c], [-1 / c, -1 / c, (a + b + 1) / c**2]]

    check(model, metric, [[1, 2, 0.5]])


def test_a_kink_that_moves_leaves_the_metric() -> None:
    u, v, m = sympy.symbols("u v m", real=True)
    law = -sympy.Abs(v - u - m) - log(2) - u**2 / 2 - log(2 * sympy.pi) / 2
    model = Model("kinked", [Parameter(m)], law, (u, v), (sympy.S.Reals,) * 2, budget=0)
    ds = ig.grid.evaluate_points(model, [[0.3]], ["metric"])
    assert ds.metric.values.item() == pytest.approx(1, rel=1e-13)


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_a_metric_that_is_singular_everywhere_is_told_by_its_scores() -> None:
    a, b = sympy.symbols("a b", positive=True)
    law = log(a * b) - a * b * (x + y) + log(a * b)
    model = Model("redundant", [Parameter(a), Parameter(b)], law, (x, y), (HALF_LINE, HALF_LINE), budget=0)
    with pytest.raises(ExpectationError, match="redundant"):
        ig.grid.evaluate_points(model, [[1, 2]], ["metric"])


# --- Refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "supports", "told"),
    [
        (sympy.symbols("n1:21", nonnegative=True), (sympy.Range(0, 2),) * 20, "at most 200000 .* got 262144"),
        ((x, y), (sympy.S.Naturals0, sympy.Range(0, 2)), "finitely many outcomes, got Naturals0 of x"),
        ((x, y), (HALF_LINE, sympy.Range(0, x + 1)), r"outcomes of y must depend on discrete .* holds \['x'\]"),
        (sympy.symbols("t1:5", positive=True), (HALF_LINE,) * 4, "at most 3 continuous variables .* got 4"),
        ((x, y), (HALF_LINE, sympy.Range(0, 300)), "at most 256 joint outcomes .* got 300"),
    ],
)  # fmt: skip
def test_what_is_not_summed_or_integrated_is_said(variables: Any, supports: Any, told: str) -> None:
    law = Model("too much", [Parameter(rate)], -rate * sympy.Add(*variables), variables, supports, budget=0)
    with pytest.raises(ExpectationError, match=told):
        ig.grid.evaluate_points(law, [[1]], ["metric"])


def test_a_law_that_does_not_integrate_to_one_is_told() -> None:
    law = Model("twice", [Parameter(rate)], log(2 * rate) - rate * (x + y), (x, y), (HALF_LINE, HALF_LINE), budget=0)
    with pytest.raises(ExpectationError, match="must integrate to 1"):
        ig.grid.evaluate_points(law, [[1]], ["metric"])


def test_the_reference_of_a_copula_is_its_definition() -> None:
    with mp.workdps(15):
        square = mpmath.quad(
            lambda u, v: ((1 - 2 * u) * (1 - 2 * v)) ** 2 / (1 + mpf(0.3) * (1 - 2 * u) * (1 - 2 * v)), [0, 1], [0, 1]
        )
        assert square == pytest.approx(float(farlie(mpf(0.3))[0][0]), rel=1e-12)
