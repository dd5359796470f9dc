"""The logarithm of the normal distribution function, and the inverse Mills ratio."""

from __future__ import annotations

import mpmath
import pytest
from sympy import Expr, Integer, Rational, Symbol, erf, erfc, exp, log, oo, sqrt

import infogeom as ig
from infogeom.functions import inverse_mills, log_normal_cdf, stable
from infogeom.functions.normal import by_normal_cdf
from tests.special_reference import DEFINITIONS, exactly

x = Symbol("x", real=True)
FUNCTIONS = pytest.mark.parametrize("function", [log_normal_cdf, inverse_mills], ids=lambda f: f.__name__)


@FUNCTIONS
@pytest.mark.parametrize("at", [-1e8, -40.0, -1.0, 0.0, 1e-10, 9.0, 30.0, 38.0])
def test_it_evaluates_to_full_relative_precision(function: type, at: float) -> None:
    found, expected = function(Rational(at)).evalf(30), exactly(function.__name__, at)
    with mpmath.workdps(40):
        assert abs(found._to_mpmath(110) / expected - 1) < 1e-28


def test_far_beyond_what_float64_squares_both_have_their_values() -> None:
    far = Integer(10) ** 300
    assert abs(inverse_mills(-far).evalf(30) / far - 1) < 1e-29
    assert abs(log_normal_cdf(-far).evalf(30) / (-(far**2) / 2) - 1) < 1e-29
    assert abs(log_normal_cdf(far).evalf(30) * far / inverse_mills(far).evalf(30) + 1) < 1e-28


@pytest.mark.parametrize("bits", [399, 401])
def test_both_go_over_into_their_continued_fraction(bits: int) -> None:
    y = Integer(2) ** bits
    assert abs(inverse_mills(-y).evalf(900) - y - 1 / y + 2 / y**3) < Integer(10) ** -580


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


def test_their_limits_are_known() -> None:
    assert [log_normal_cdf(oo), log_normal_cdf(-oo), inverse_mills(oo), inverse_mills(-oo)] == [0, -oo, 0, oo]


def test_a_symbol_is_left_alone() -> None:
    assert log_normal_cdf(x).evalf() == log_normal_cdf(x)


@pytest.mark.parametrize("typed", [(1 + erf(x)) / 2, (1 - erf(x)) / 2, 3 - 3 * erf(x), erfc(x) / 2, log(1 + erf(-x))])
def test_distribution_functions_as_typed_are_read_into_their_logarithm(typed: Expr) -> None:
    read = by_normal_cdf(typed)
    assert not read.has(erf, erfc)
    assert abs((read - typed).subs(x, Rational(7, 10)).evalf(30)) < 1e-28


def test_the_complement_of_a_distribution_function_is_its_other_tail() -> None:
    lower, upper = exp(log_normal_cdf(x)), exp(log_normal_cdf(-x))
    assert stable(1 - lower) == upper
    assert stable(log(1 - lower)) == log_normal_cdf(-x)
    assert stable(1 - 2 * lower) == 1 - 2 * lower


def test_between_both_tails_of_the_normal_law_nothing_is_left_to_cancel() -> None:
    lower, upper = exp(log_normal_cdf(x)), exp(log_normal_cdf(-x))
    assert stable(inverse_mills(x) ** 2 * lower / upper) == inverse_mills(x) * inverse_mills(-x)
    assert stable(inverse_mills(x) * lower / upper**2) == inverse_mills(-x) / upper


@pytest.mark.parametrize("typed", [(1 + erf(x / sqrt(2))) / 2, erfc(-x / sqrt(2)) / 2, exp(log_normal_cdf(x))])
def test_the_metric_of_a_probit_model_has_both_tails(typed: Expr) -> None:
    slope, z = Symbol("slope", real=True), Symbol("z", real=True)
    fit = ig.models.regression(
        typed.subs(x, slope * z), ig.models.bernoulli(), [0.5, 2], variables=z, parameters=[slope]
    )
    (g,) = ig.symbolic.metric(fit).matrix
    assert g == z**2 * inverse_mills(slope * z) * inverse_mills(-slope * z)
