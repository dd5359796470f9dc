"""Expressions by cases: the same case is taken in every arithmetic, and where none is certain the bounds say so."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from flint import arb
from hypothesis import given, settings
from sympy import And, Eq, Ne, Not, Or, Piecewise, Rational, cos, exp, log, sin, sqrt, symbols

import infogeom as ig
from infogeom.kernels.balls import ball_cases
from infogeom.kernels.balls.enclosures import Balls
from infogeom.kernels.balls.fixed_precision import double_double_of
from infogeom.kernels.codegen import program
from infogeom.kernels.codegen.program import Axes, UnsupportedFunctionError, exact_source, kernel
from infogeom.kernels.codegen.rounding import rounding
from infogeom.kernels.points.closed_kernels import evaluate_kernel
from infogeom.kernels.points.forms.closed import exact
from infogeom.kernels.status import Status
from infogeom.models.samples import Samples
from infogeom.numeric.multiprecision import in_mpmath
from tests import strategies

x, y = symbols("x y", positive=True)
U = 2.0**-53
NOWHERE = np.empty(0, dtype=np.int64)
EXPRESSIONS = {
    "two cases": Piecewise((x**2 / 2, x <= 1), (x - Rational(1, 2), True)),
    "three cases": Piecewise((x, x < 1), (y, x < 2), (x * y, True)),
    "both conditions": Piecewise((log(x), And(x > 1, y >= Rational(3, 2))), (y, True)),
    "either condition": Piecewise((sqrt(x - 1), Or(x >= 2, x > y + 1)), (exp(-y), True)),
    "a negation": Piecewise((x / y, Not(And(x < 2, y < 2))), (x + y, True)),
    "an equation": Piecewise((7, Eq(x, 1)), (x, Ne(y, 1)), (3 * y, True)),
    "a condition of a function": 1 + Piecewise((sin(x), exp(x) < 3 * y), (cos(y), True)) * y,
    "cases within cases": Piecewise((Piecewise((x, y < 1), (x**2, True)), x < Rational(3, 2)), (y, True)),
    "a derivative": Piecewise((x**3 * y, x**2 + y**2 < 4), (exp(x - y), True)).diff(x),
}
POINTS = np.random.default_rng(0).uniform(0.1, 3.0, (60, 2)) // 0.25 * 0.25 + 0.25  # on the borders, too
NAMES = pytest.mark.parametrize("name", EXPRESSIONS)


def truth(e: sympy.Expr, points: Any) -> list[Any]:
    with mpmath.workdps(40):
        return [sympy.lambdify((x, y), e, "mpmath")(*map(mpmath.mpf, map(float, point))) for point in points]


def assert_close(values: Any, expected: list[Any]) -> None:
    for value, number in zip(values, expected, strict=True):
        assert abs(float(value) - float(number)) <= 1e-14 * (1 + abs(float(number)))


@pytest.mark.parametrize("outer", [(), (x,)])
@NAMES
def test_compiled_kernels_take_the_first_case_that_holds(name: str, outer: tuple[sympy.Symbol, ...]) -> None:
    e = EXPRESSIONS[name]
    inner = tuple(s for s in (x, y) if s not in outer)
    one = kernel({"e": [e]}, Axes(outer, inner))
    for point, expected in zip(POINTS[:20], truth(e, POINTS[:20]), strict=True):
        places = [point[:1, None], point[1:, None]] if outer else [np.empty((0, 1)), point[:, None]]
        assert_close(evaluate_kernel(one, *places, np.empty((0, 0))).ravel(), [expected])


@NAMES
def test_arrays_take_the_first_case_that_holds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "MAX_COMPILED", 0)
    on_arrays = kernel({"e": [EXPRESSIONS[name]]}, Axes((), (x, y)))
    assert on_arrays.vector
    values = evaluate_kernel(on_arrays, np.empty((0, 1)), POINTS.T.copy(), np.empty((0, 0)))
    assert_close(values.ravel(), truth(EXPRESSIONS[name], POINTS))


@NAMES
def test_mpmath_takes_the_first_case_that_holds(name: str) -> None:
    evaluate = in_mpmath([x, y], EXPRESSIONS[name])
    assert_close([evaluate(*map(mpmath.mpf, map(float, p))) for p in POINTS], truth(EXPRESSIONS[name], POINTS))


def balls_of(e: sympy.Expr) -> Balls:
    source, at = exact_source({"e": [e]}, Axes((), (x, y)))
    return Balls(source, {"g": NOWHERE, "dg": NOWHERE, "ddg": NOWHERE, **at}, 2, np.empty((0, 0)))


@NAMES
def test_balls_take_the_first_case_that_holds(name: str) -> None:
    balls = balls_of(EXPRESSIONS[name])
    found = [balls.enclose(list(map(float, p)), ("e",), 128).values["e"].item() for p in POINTS]
    assert all(ball.rel_accuracy_bits() > 100 for ball in found)
    assert_close([ball.mid() for ball in found], truth(EXPRESSIONS[name], POINTS))


@NAMES
@settings(max_examples=20)
@given(points=strategies.points([(0.3, 3.0)] * 2, 8))
def test_float64_errs_by_no_more_than_the_case_taken(name: str, points: Any) -> None:
    e = EXPRESSIONS[name]
    majorant, count = rounding(e)
    values = evaluate_kernel(kernel({"e": [e]}, Axes((), (x, y))), np.empty((0, 1)), points.T.copy(), np.empty((0, 0)))
    bounds = truth(count * majorant * U, points)
    for value, expected, bound in zip(values[0, 0], truth(e, points), bounds, strict=True):
        assert abs(mpmath.mpf(float(value)) - expected) <= 2 * bound + mpmath.mpf("1e-300")


def test_beside_a_border_that_float64_does_not_know_the_jump_is_in_the_bound() -> None:
    e = Piecewise((x, exp(y) <= 2), (5 * x, True))
    majorant, count = rounding(e)
    nearest = math.log(2.0)
    points = np.array([[1.0, nearest + k * math.ulp(nearest)] for k in range(-4, 5)])
    values = evaluate_kernel(kernel({"e": [e]}, Axes((), (x, y))), np.empty((0, 1)), points.T.copy(), np.empty((0, 0)))
    for value, bound in zip(values[0, 0], truth(count * majorant * U, points), strict=True):
        assert value in {1.0, 5.0}
        assert bound > 0.1


def test_a_border_between_exact_numbers_adds_nothing_to_the_bound() -> None:
    majorant, count = rounding(Piecewise((x, x < 1), (y**2, True)))
    assert majorant == Piecewise((x, x < 1), (y**2, True))
    assert count == Piecewise((0, x < 1), (1, True))


def test_what_overflows_in_another_case_is_not_in_the_bound() -> None:
    majorant, count = rounding(Piecewise((x, x < 1), (exp(1000 * x + 1000), True)))
    assert float((majorant * count).subs(x, 0.5)) < 1


def test_where_no_condition_holds_there_is_no_value() -> None:
    e = Piecewise((x, x < 1), (y, x < 2))
    values = evaluate_kernel(
        kernel({"e": [e]}, Axes((), (x, y))), np.empty((0, 1)), np.ones((2, 1)) * 3, np.empty((0, 0))
    )
    assert np.isnan(values).all()
    assert not balls_of(e).enclose([3.0, 1.0], ("e",), 128).values["e"].item().is_finite()


def test_a_ball_that_straddles_a_border_holds_both_cases() -> None:
    wide = arb(1, 0.125)
    assert ball_cases.less(wide, 1) is None
    found = ball_cases.choose(ball_cases.less(wide, 1), 2, 5)
    assert found.contains(2)
    assert found.contains(5)


def test_what_is_certain_of_conditions_joined_is_known() -> None:
    both, either = ball_cases.both, ball_cases.either
    assert [both(None, False), both(True, None), both(True, True)] == [False, None, True]
    assert [either(None, True), either(False, None), either(False, False)] == [True, None, False]
    assert [ball_cases.equal(1, arb(1)), ball_cases.equal(1, 2), ball_cases.unequal(1, arb(1, 1))] == [
        True,
        False,
        None,
    ]
    assert [ball_cases.at_most(1, 1), ball_cases.at_most(arb(1, 1), 1)] == [True, None]


def metric_with(condition: Any) -> ig.symbolic.Metric:
    return ig.symbolic.Metric([x, y], sympy.diag(Piecewise((1, condition), (9, True)), 1))


def test_a_border_that_few_bits_leave_open_is_settled_by_more() -> None:
    open_for_128_bits = metric_with(sin(x) ** 2 + cos(x) ** 2 <= 1 + Rational(1, 10**60))
    balls = exact(open_for_128_bits, ("metric",))
    assert balls.enclose([0.7, 1.0], ("metric",), 128).values["metric"][0, 0].contains(arb(5))
    found = balls.refine([0.7, 1.0], ("metric",))
    assert found.status == Status.REFINED
    assert found.values["metric"][0, 0] == 1.0


def test_a_border_that_no_bits_settle_is_left_unrefined_with_both_cases_in_its_error() -> None:
    balls = exact(metric_with(sin(x) ** 2 + cos(x) ** 2 <= 1), ("metric",))
    found = balls.refine([0.7, 1.0], ("metric",), 512)
    assert found.status == Status.UNREFINED
    assert abs(found.values["metric"][0, 0] - 5.0) + 4.0 <= found.values["metric_error"][0, 0] + 1e-9


def test_a_grid_refines_a_border_that_float64_does_not_know() -> None:
    metric = metric_with(exp(y) <= 2)
    nearest = math.log(2.0)
    points = [[1.0, nearest + k * math.ulp(nearest)] for k in range(-3, 4)]
    ds = ig.grid.evaluate_points(metric, points, ("metric",))
    with mpmath.workdps(40):
        expected = [1.0 if mpmath.exp(mpmath.mpf(p[1])) <= 2 else 9.0 for p in points]
    assert ds.metric.values[:, 0, 0].tolist() == expected
    assert (ds.status.values == Status.REFINED).all()


def test_conditions_on_data_choose_for_each_sample() -> None:
    s = sympy.Symbol("s", real=True)
    data = np.array([[-2.0], [0.5], [1.0], [3.0], [4.0]])
    term = Piecewise((s**2 * x, s <= 1), (s + x, True))
    samples = Samples([s], data)
    ds = ig.grid.evaluate_points(ig.symbolic.Metric([x], [[term]], samples=samples), [[0.5], [2.0]], ("metric",))
    for at, found in zip((0.5, 2.0), ds.metric.values.ravel(), strict=True):
        terms = [r * r * at if r <= 1 else r + at for r in data[:, 0]]
        assert found == pytest.approx(np.mean(terms), rel=1e-15)


def test_fixed_precision_leaves_cases_to_balls_of_rising_precision() -> None:
    assert double_double_of(exact(metric_with(x <= 1), ("metric",)), ("metric",)) is None


def test_another_kind_of_condition_is_named() -> None:
    with pytest.raises(
        UnsupportedFunctionError,
        match="a condition must be made of inequalities, equations, and, or, not; got Contains",
    ):
        kernel({"e": [Piecewise((x, sympy.Contains(x, sympy.S.Integers)), (y, True))]}, Axes((), (x, y)))
