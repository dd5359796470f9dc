"""Logarithms of sums of exponentials, and shares."""

from __future__ import annotations

import sympy
from sympy import Rational, exp

from infogeom.functions import log_sum_exp, softmax


def test_the_derivatives_of_log_sum_exp_are_the_shares_of_its_terms() -> None:
    a, b, c = sympy.symbols("a b c", real=True)
    point = {a: Rational(1, 3), b: Rational(-2), c: Rational(5, 4)}
    for e in (log_sum_exp(a, b, c), softmax(1, a, b, c)):
        for symbol in (a, b, c):
            expected = e.rewrite(exp).diff(symbol).subs(point)
            assert abs(e.diff(symbol).subs(point).evalf(30) - expected.evalf(30)) < 1e-28
