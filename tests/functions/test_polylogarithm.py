"""Polylogarithms of exponentials as SymPy's functions."""

from __future__ import annotations

from typing import Any

import mpmath
import pytest
import sympy
from flint import ctx
from sympy import Rational, exp, polylog

from infogeom.functions import bose_polylog, fermi_polylog
from infogeom.functions.polylogarithm import of_exponentials
from infogeom.kernels.balls import ball_functions

x, y = sympy.symbols("x y", real=True)
DIGITS = 30


@pytest.mark.parametrize("s", [Rational(-3, 2), Rational(1, 2), Rational(5, 2), sympy.Integer(-2), sympy.Integer(3)])
@pytest.mark.parametrize(("function", "at"), [(bose_polylog, -0.25), (fermi_polylog, -0.25), (fermi_polylog, 3.5)])
def test_derivative_and_digits_are_those_of_balls(function: Any, at: float, s: sympy.Rational) -> None:
    ball = getattr(ball_functions, function.__name__)
    with ctx.workprec(300), mpmath.workdps(DIGITS):
        step = ball_functions.exp(-60)
        slope = (ball(float(s), at + step) - ball(float(s), at - step)) / (2 * step)
        for own, other in ((function(s, at), ball(float(s), at)), (function(s, x).diff(x).subs(x, at), slope)):
            assert abs(mpmath.mpf(own.evalf(DIGITS)) / mpmath.mpf(other.mid().str(40, radius=False)) - 1) < 1e-25


def test_they_are_integrals_of_occupation_numbers() -> None:
    s = mpmath.mpf(5) / 2
    with mpmath.workdps(DIGITS):
        for function, at, sign in ((bose_polylog, -0.25, -1), (fermi_polylog, 0.75, 1), (fermi_polylog, 4.5, 1)):
            integral = mpmath.quad(lambda t: t ** (s - 1) / (mpmath.exp(t - at) + sign), [0, 1, 5, 20, mpmath.inf])  # noqa: B023
            assert abs(mpmath.mpf(function(s, at).evalf(DIGITS)) * mpmath.gamma(s) / integral - 1) < 1e-25


def test_beside_a_zero_there_are_digits_too() -> None:
    assert fermi_polylog(-2, Rational(1, 10**40)).evalf(10) == pytest.approx(-1.25e-41, rel=1e-9)
    assert fermi_polylog(-2, 0).evalf() == 0
    assert bose_polylog(Rational(-1, 2), -Rational(1, 10**40)).evalf(10) == pytest.approx(0.8862269255e60, rel=1e-9)


def test_ends_of_the_domain_have_their_values() -> None:
    assert bose_polylog(Rational(5, 2), 0) == sympy.zeta(Rational(5, 2))
    assert bose_polylog(2, -sympy.oo) == fermi_polylog(2, -sympy.oo) == 0
    assert bose_polylog(2.5, x) == bose_polylog(Rational(5, 2), x)
    assert not bose_polylog(2, Rational(1, 2)).evalf().is_finite


def test_signs_are_known_where_there_are_any() -> None:
    negative = sympy.Symbol("t", negative=True)
    assert bose_polylog(-2, negative).is_positive
    assert bose_polylog(-2, x).is_positive is None
    assert [fermi_polylog(s, x).is_positive for s in (-2, -1, 2)] == [None, True, True]
    assert fermi_polylog(-2, x).is_real


@pytest.mark.parametrize("function", [bose_polylog, fermi_polylog])
@pytest.mark.parametrize("s", [Rational(1, 3), x, 31, Rational(-15, 2)])
def test_other_orders_are_refused(function: Any, s: Any) -> None:
    with pytest.raises(ValueError, match=f"order of {function.__name__} must be a multiple of 1/2 from -7 to 30, got"):
        function(s, x)


def test_polylogarithms_of_exponentials_are_found() -> None:
    half = Rational(3, 2)
    assert of_exponentials(x + polylog(half, exp(x - y))) == x + bose_polylog(half, x - y)
    assert of_exponentials(polylog(2, -exp(x) * exp(y))) == -fermi_polylog(2, x + y)
    for other in (polylog(2, x), polylog(2, 2 * exp(x)), polylog(x, exp(x)), polylog(Rational(1, 3), exp(x))):
        assert of_exponentials(other) == other
    for own in (bose_polylog(half, x), fermi_polylog(half, x)):
        assert of_exponentials(own.rewrite(polylog)) == own


def test_they_print_as_polylogarithms() -> None:
    assert sympy.latex(bose_polylog(2, x) ** 3) == r"{\mathrm{Li}_{2}\left(e^{x}\right)}^{3}"
    assert sympy.latex(fermi_polylog(2, x)) == r"\left(-\mathrm{Li}_{2}\left(-e^{x}\right)\right)"
