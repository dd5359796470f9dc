"""Functions that no kernel knows are written by those that are known."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from sympy import Symbol

import infogeom as ig
from infogeom.functions.plain import REWRITTEN, plain

x, y = Symbol("x", real=True), Symbol("y", real=True)
#: Where functions are real that are so only here or there.
REAL = {"acosh": (1, 4), "acoth": (1.1, 4), "asec": (1, 4), "acsc": (1, 4), "asech": (0.1, 1)}
OF_TWO = (sympy.atan2, sympy.Max, sympy.Min, sympy.KroneckerDelta)
WITH_JUMPS = (sympy.Heaviside, sympy.KroneckerDelta)


def example(function: type) -> tuple[sympy.Expr, list[dict[Symbol, sympy.Float]]]:
    """A function of symbols, and points of all quadrants."""
    rng = np.random.default_rng(3)
    low, high = REAL.get(function.__name__, (-3, 3))
    points = [{x: sympy.Float(rng.uniform(low, high), 30), y: sympy.Float(rng.uniform(-3, 3), 30)} for _ in range(16)]
    return function(x, y) if function in OF_TWO else function(x), points


@pytest.mark.parametrize("function", REWRITTEN, ids=lambda f: f.__name__)
def test_it_is_equal_in_value_and_in_slope(function: type) -> None:
    e, points = example(function)
    written = plain(e)
    assert not written.has(*REWRITTEN)
    for point in points:
        assert abs((e - written).xreplace(point).evalf(20)) < 1e-18
        if function not in WITH_JUMPS:
            assert abs((e.diff(x) - written.diff(x)).xreplace(point).evalf(20)) < 1e-17


def test_beside_one_acosh_keeps_its_digits() -> None:
    assert plain(sympy.acosh(1 + x**2)) == 2 * sympy.asinh(sympy.Abs(x) / sympy.sqrt(2))


def test_an_angle_of_known_quadrant_has_one_formula() -> None:
    r = Symbol("r", positive=True)
    assert plain(sympy.atan2(x, r)) == sympy.atan(x / r)
    assert plain(sympy.atan2(r, x)) == sympy.pi / 2 - sympy.atan(x / r)


def test_what_holds_none_of_them_is_left_as_it_is() -> None:
    e = sympy.tan(x) + sympy.Abs(y)
    assert plain(e) is e


def test_a_metric_may_be_typed_with_them() -> None:
    metric = ig.Metric([x, y], [[sympy.sec(y) ** 2, 0], [0, sympy.Max(y, 1)]])
    assert metric.matrix[0, 0] == 1 / sympy.cos(y) ** 2
    found = ig.grid.evaluate_points(metric, [[0, 0.5], [0, 2]], ["metric"])
    assert found.metric.values[:, 1, 1].tolist() == [1, 2]
