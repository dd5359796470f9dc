"""The logarithm of the normal distribution function, and the inverse Mills ratio."""

from __future__ import annotations

import mpmath
import pytest
from sympy import Integer, Rational, Symbol

from infogeom.functions import inverse_mills, log_normal_cdf
from tests.special_reference import DEFINITIONS, exactly

x = Symbol("x", real=True)
FUNCTIONS = pytest.mark.parametrize("function", [log_normal_cdf, inverse_mills], ids=lambda f: f.__name__)


@FUNCTIONS
@pytest.mark.parametrize("at", [-1e8, -40.0, -1.0, 0.0, 1e-10, 9.0, 30.0, 38.0])
def test_it_evaluates_to_full_relative_precision(function: type, at: float) -> None:
    found, expected = function(Rational(at)).evalf(30), exactly(function.__name__, at)
    with mpmath.workdps(40):
        assert abs(found._to_mpmath(110) / expected - 1) < 1e-28


@FUNCTIONS
@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("at", [Integer(-5), Rational(1, 3), Integer(4)])
def test_its_derivatives_are_those_of_the_definition(function: type, order: int, at: Rational) -> None:
    found = function(x).diff(x, order).subs(x, at).evalf(30)
    with mpmath.workdps(80):
        expected = mpmath.diff(DEFINITIONS[function.__name__], mpmath.mpf(at.p) / at.q, order)
        assert abs(found._to_mpmath(110) / expected - 1) < 1e-25


def test_what_is_known_of_them_on_the_real_line() -> None:
    assert log_normal_cdf(x).is_real
    assert inverse_mills(x).is_positive


def test_a_symbol_is_left_alone() -> None:
    assert log_normal_cdf(x).evalf() == log_normal_cdf(x)
