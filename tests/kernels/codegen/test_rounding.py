"""Majorants and counts bound what float64 makes of an expression."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from sympy import Rational, cosh, exp, log, polygamma, sin, sqrt, symbols
from sympy.codegen.cfunctions import expm1, log1p

from infogeom.functions import expit, inverse_mills, log_normal_cdf, log_sum_exp, softmax, softplus
from infogeom.kernels.codegen.program import Axes, kernel
from infogeom.kernels.codegen.rounding import largest, rounding
from infogeom.kernels.points.closed_kernels import evaluate_kernel
from tests import strategies
from tests.special_reference import DEFINITIONS

x, y = symbols("x y", positive=True)
U = 2.0**-53
PRIMITIVES = {
    "expit": lambda u: 1 / (1 + mpmath.exp(-u)),
    "softplus": lambda u: mpmath.log1p(mpmath.exp(u)),
    **{name: DEFINITIONS[name] for name in ("log_sum_exp", "softmax", "log_normal_cdf", "inverse_mills")},
}
EXPRESSIONS = {
    "sum": x - y + Rational(1, 3),
    "product": 7 * x**3 * y / 3,
    "a difference of squares": (x**2 - y**2) / (x - y),
    "an exponential": exp(3 * x - 5 * y + x * y) * x,
    "an exponential of what cancels": exp(200 * (x - y) + x**2),
    "a truncated law": 1 / x**2 - exp(-x) / (1 - exp(-x)) ** 2,
    "a logistic function": expit(20 * x - 20 * y) ** 2 * expit(20 * y - 20 * x),
    "its slope": expit(x - y) * (expit(y - x) - expit(x - y)),
    "softplus": softplus(40 * x - 40 * y),
    "a root": sqrt(x**2 - y + 3) / (x + y) ** Rational(3, 2),
    "a root of what cancels": x / sqrt(x**2 - 2 * x * y + y**2 + Rational(1, 10**6)),
    "a logarithm near its zero": log(1 + x / 1000 - y / 1000),
    "what is known near its zeros": expm1(x - y) * log1p(x / 5 - y / 5) + expm1(x**3),
    "waves": sin(50 * x + y) * cosh(x - y),
    "a sum of exponentials beside its zero": log_sum_exp(x - y - Rational(7, 10), y - x - Rational(7, 10), x * y - 9),
    "a share": softmax(1, 20 * x, 20 * y, x * y) * x,
    "the slope of a share": softmax(1, 5 * x, 5 * y).diff(x),
    "the lower tail of the normal law": log_normal_cdf(9 * (x - y)) * y,
    "its hazard": inverse_mills(9 * (x - y) + 1) - y,
    "polygamma": x * polygamma(1, x) - 1 - polygamma(2, y * x),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
@settings(max_examples=40)
@given(points=strategies.points([(0.3, 3.0)] * 2, 8))
def test_float64_errs_by_no_more_than_counted(name: str, points: Any) -> None:
    e = EXPRESSIONS[name]
    majorant, count = rounding(e)
    values = evaluate_kernel(kernel({"e": [e]}, Axes((), (x, y))), np.empty((0, 1)), points.T.copy(), np.empty((0, 0)))
    exact, bound = (sympy.lambdify((x, y), f, [PRIMITIVES, "mpmath"]) for f in (e, count * majorant * U))
    with mpmath.workdps(40):
        for value, point in zip(values[0, 0], points, strict=True):
            at = [mpmath.mpf(float(p)) for p in point]
            if not (name == "a difference of squares" and point[0] == point[1]):
                # Twice, for the terms of second order that the counts leave out.
                assert abs(mpmath.mpf(float(value)) - exact(*at)) <= 2 * bound(*at) + mpmath.mpf("1e-300")


@pytest.mark.parametrize("name", EXPRESSIONS)
@settings(max_examples=20)
@given(points=strategies.points([(0.3, 3.0)] * 2, 4))
def test_a_majorant_is_at_least_the_size(name: str, points: Any) -> None:
    e = EXPRESSIONS[name]
    majorant, _ = rounding(e)
    value, most = (sympy.lambdify((x, y), f, [PRIMITIVES, "mpmath"]) for f in (e, majorant))
    with mpmath.workdps(40):
        for point in points:
            at = [mpmath.mpf(float(p)) for p in point]
            if point[0] != point[1]:
                assert abs(value(*at)) <= most(*at) * (1 + mpmath.mpf("1e-30"))


@pytest.mark.parametrize(
    ("e", "count"), [(x, 0), (sympy.Integer(3), 0), (Rational(1, 3), 1), (x * y, 1), (x + y, 1), (x**4, 3)], ids=str
)
def test_roundings_are_counted(e: sympy.Expr, count: int) -> None:
    assert rounding(e)[1] == count


def test_the_largest_count_is_no_smaller_than_any() -> None:
    assert largest(2 * x + 3, x + 5, 4 * y) == 2 * x + 4 * y + 5


def test_beside_its_zero_a_sum_of_exponentials_errs_relative_to_the_logarithm_of_its_terms() -> None:
    a, b = symbols("a b", real=True)
    majorant, _ = rounding(log_sum_exp(a, b))
    assert majorant.subs({a: -log(2), b: -log(2)}).evalf() == pytest.approx(float(log(2)))
