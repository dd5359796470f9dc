"""Logarithms of sums of exponentials, and shares."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from sympy import Rational, exp

from infogeom.functions import log_sum_exp, softmax
from infogeom.numeric.multiprecision import in_mpmath
from tests.special_reference import exactly


def test_the_derivatives_of_log_sum_exp_are_the_shares_of_its_terms() -> None:
    a, b, c = sympy.symbols("a b c", real=True)
    point = {a: Rational(1, 3), b: Rational(-2), c: Rational(5, 4)}
    for e in (log_sum_exp(a, b, c), softmax(1, a, b, c)):
        for symbol in (a, b, c):
            expected = e.rewrite(exp).diff(symbol).subs(point)
            assert abs(e.diff(symbol).subs(point).evalf(30) - expected.evalf(30)) < 1e-28


@pytest.mark.parametrize("at", [(-800.0, 900.0, 3.5), (0.0, -200.0, -300.0), (-3.0, -2.0, -1.0)])
def test_mpmath_evaluates_both_to_its_working_precision(at: tuple[float, ...]) -> None:
    x = sympy.symbols("x:3", real=True)
    found = in_mpmath(x, [log_sum_exp(*x), softmax(1, *x)])
    with mpmath.workdps(30):
        values = found(*map(mpmath.mpf, at))
    for value, expected in zip(values, (exactly("log_sum_exp", *at), exactly("softmax", 1, *at)), strict=True):
        with mpmath.workdps(40):
            assert abs(value / expected - 1) < 1e-26


def test_shares_are_positive_and_their_logarithm_is_real() -> None:
    x = sympy.symbols("x:3", real=True)
    assert softmax(2, *x).is_positive
    assert log_sum_exp(*x).is_real


@pytest.mark.parametrize("k", [-1, 3, Rational(1, 2), sympy.Symbol("k", integer=True)])
def test_a_share_is_that_of_a_term(k: sympy.Expr) -> None:
    with pytest.raises(ValueError, match=f"the term of softmax must be an integer from 0 to 2, got {k}"):
        softmax(k, *sympy.symbols("x:3", real=True))


def test_a_sum_of_no_terms_is_refused() -> None:
    with pytest.raises(TypeError, match="at least one term"):
        log_sum_exp()
