"""A user's function as a metric: derivatives by differences within their bounds, and what it may not return."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
import xarray as xr

import infogeom as ig
from infogeom.symbolic import Called, Metric

u, v = sympy.symbols("u v", real=True)


def evaluated(function: Callable[..., Any], point: list[float], **keywords: Any) -> xr.Dataset:
    metric = Metric([u, v], Called(function), **keywords)
    return ig.evaluate_points(metric, [point], ("metric", "christoffel", "ricci_scalar"), rtol=1.0).isel(point=0)


def of_surface(F: Callable[[Any], Any]) -> Callable[[float, float], list[list[float]]]:
    """du² + F(u) dv²."""
    return lambda u, _v: [[1.0, 0.0], [0.0, float(F(u))]]


def spike(u: Any) -> Any:
    return 1 + mpmath.exp(-1000000 * (u - 1) ** 2)


def wave(u: Any) -> Any:
    return 2 + mpmath.sin(64 * mpmath.pi * u)


def bump(u: Any) -> Any:
    return 1 + 1 / (1 + (u - 10000) ** 2)


@pytest.mark.parametrize(
    ("F", "at"), [(spike, 1.001), (spike, 1.0005), (wave, 0.0), (wave, 1.0), (bump, 10001.0)], ids=lambda x: str(x)[:15]
)
def test_differences_see_what_changes_over_a_small_part_of_a_coordinate(F: Callable[[Any], Any], at: float) -> None:
    with mpmath.workdps(40):
        R = -2 * mpmath.diff(lambda t: mpmath.sqrt(F(t)), at, 2) / mpmath.sqrt(F(mpmath.mpf(at)))
        slope = float(mpmath.diff(F, at) / 2)
    ds = evaluated(of_surface(F), [at, 1.0])
    assert abs(ds.ricci_scalar.item() - float(R)) <= ds.ricci_scalar_error.item() < 1e-2 * max(1, abs(R))
    assert ds.christoffel.values[0, 1, 1] == pytest.approx(-slope, rel=1e-6, abs=1e-6)


def test_a_null_direction_is_measured_by_the_entry_beside_it() -> None:
    ds = evaluated(lambda u, v: [[0.0, 1 + u * v], [1 + u * v, 0.0]], [0.3, 0.4])
    assert abs(ds.ricci_scalar.item() + 2 / 1.12**3) <= ds.ricci_scalar_error.item() < 1e-6


def test_a_null_direction_whose_entry_differences_cannot_see_is_said_to_be_unknown() -> None:
    with pytest.warns(ig.StatusWarning, match="1 unrefined"):
        ds = evaluated(lambda u, v: [[0.0, 1 + u * v], [1 + u * v, 0.0]], [1e-12, 1e-12])
    assert abs(ds.ricci_scalar.item() + 2) <= ds.ricci_scalar_error.item()


def test_an_array_that_the_function_changes_later_is_copied() -> None:
    shared = np.eye(2)

    def function(u: float, _v: float) -> Any:
        shared[1, 1] = u**4
        return shared

    ds = evaluated(function, [2.0, 1.0])
    assert ds.metric.values.tolist() == [[1, 0], [0, 16]]
    assert ds.christoffel.values[0, 1, 1] == pytest.approx(-16, rel=1e-9)


@pytest.mark.parametrize("returned", [[[1j, 0], [0, 1]], [["a", 0], [0, 1]], [[1, 0], [0]]])
def test_what_is_no_array_of_real_numbers_is_a_type_error(returned: Any) -> None:
    with pytest.raises(TypeError, match=re.escape(f"function must return g as real numbers, got {returned!r}")):
        evaluated(lambda _u, _v: returned, [1.0, 1.0])


@pytest.mark.parametrize("error", [ZeroDivisionError, ValueError, OverflowError])
def test_where_the_function_has_no_value_the_metric_has_none(error: type[Exception]) -> None:
    def function(u: float, _v: float) -> Any:
        if u < 0:
            raise error
        return [[1.0, 0.0], [0.0, 1.0 + u]]

    with pytest.warns(ig.StatusWarning, match="1 unrefined"):
        ds = evaluated(function, [-1.0, 1.0])
    assert np.isnan(ds.metric.values).all()
    assert np.isnan(ds.ricci_scalar.item())


def test_steps_past_the_end_of_the_function_are_not_taken() -> None:
    ds = evaluated(lambda u, _v: [[1.0, 0.0], [0.0, math.sqrt(1.02 - u)]], [1.0, 0.3])
    assert ds.ricci_scalar.item() == pytest.approx(0.375 / 0.02**2, rel=1e-6)


def test_steps_past_a_constraint_are_not_taken() -> None:
    seen: list[float] = []

    def function(u: float, v: float) -> Any:
        seen.append(u + v)
        return [[1.0, 0.0], [0.0, 1.0 + u * u]]

    evaluated(function, [1.0, -0.99], constraints=[u + v])
    assert min(seen) > 0


def test_what_leaves_float64_on_the_way_leaves_no_warning() -> None:
    with pytest.warns(ig.StatusWarning) as caught:
        evaluated(lambda _u, v: [[1e300, 0.0], [0.0, 1e300 * (1 + v * v)]], [1e-200, 1e-200])
    assert len(caught) == 1


def rounded_once(matrix: sympy.Matrix, *, with_slopes: bool) -> Callable[..., Any]:
    """A function that returns a matrix, or it and its derivatives, each number rounded once."""
    arrays = [sympy.Array(matrix)]
    if with_slopes:
        slopes = [[[e.diff(x) for x in (u, v)] for e in matrix.row(i)] for i in range(2)]
        arrays.append(sympy.Array(slopes))
    exact = sympy.lambdify((u, v), [array.tolist() for array in arrays], "mpmath")

    def function(x: float, y: float) -> Any:
        with mpmath.workdps(40):
            parts = exact(mpmath.mpf(x), mpmath.mpf(y))
        return tuple(np.array(part, dtype=object).astype(float) for part in parts)

    return function


NEAR_AN_END = sympy.diag(1 / (u * (1 - u)), 1 + v**2 / (1 - u))
FAST = sympy.diag(2 + sympy.sin(1000 * u), 2 + sympy.cos(1000 * u) * sympy.cos(v))


@pytest.mark.parametrize("with_slopes", [False, True], ids=["g", "g and ∂g"])
@pytest.mark.parametrize(
    ("matrix", "point"),
    [(NEAR_AN_END, [1 - 1e-13, 0.5]), (NEAR_AN_END, [1 - 1e-12, 0.5]), (FAST, [3.0, 0.3]), (FAST, [2.9, 1.0])],
)
def test_steps_of_a_few_roundings_are_what_they_are(
    matrix: sympy.Matrix, point: list[float], with_slopes: bool
) -> None:
    domains = [sympy.Interval.open(0, 1 if matrix is NEAR_AN_END else 100), sympy.Interval.open(-9, 9)]
    ds = evaluated(rounded_once(matrix, with_slopes=with_slopes), point, domains=domains)
    at = {x: sympy.Float(mpmath.mpf(value), 40) for x, value in zip((u, v), point, strict=True)}
    R = ig.Metric([u, v], matrix).ricci_scalar().subs(at).evalf(30)
    assert abs(float(R - sympy.Float(ds.ricci_scalar.item(), 30))) <= ds.ricci_scalar_error.item() < 1e-6 * abs(R)
