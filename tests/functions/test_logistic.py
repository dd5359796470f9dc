"""The logistic function and softplus: derivatives in closed form, stable values."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from sympy import Rational, Symbol, exp, log, oo

from infogeom.functions import expit, softplus, stable

u, x = Symbol("u", real=True), Symbol("x", real=True)
FAR = [-800, -40, -1, 0, Rational(1, 3), 40, 800]


def test_the_derivative_of_expit_is_a_product_of_expits() -> None:
    assert expit(3 * u).diff(u) == 3 * expit(3 * u) * expit(-3 * u)


def test_the_derivative_of_softplus_is_expit() -> None:
    assert softplus(u).diff(u) == expit(u)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("function", [expit, softplus])
def test_derivatives_are_those_of_the_definition(function: type, order: int) -> None:
    definition = function(u).rewrite(exp).diff(u, order)
    point = {u: Rational(7, 5)}
    assert abs(function(u).diff(u, order).subs(point).evalf(30) - definition.subs(point).evalf(30)) < 1e-28


@pytest.mark.parametrize("at", FAR)
def test_expit_evaluates_to_full_relative_precision(at: int) -> None:
    with mpmath.workdps(400):
        expected = 1 / (1 + mpmath.exp(-mpmath.mpf(sympy.Rational(at).p) / sympy.Rational(at).q))
        found = mpmath.mpf(str(expit(sympy.Rational(at)).evalf(30)))
        assert abs(found / expected - 1) < 1e-28


@pytest.mark.parametrize("at", FAR)
def test_softplus_evaluates_to_full_relative_precision(at: int) -> None:
    with mpmath.workdps(400):
        expected = mpmath.log1p(mpmath.exp(mpmath.mpf(sympy.Rational(at).p) / sympy.Rational(at).q))
        found = mpmath.mpf(str(softplus(sympy.Rational(at)).evalf(30)))
        assert abs(found / expected - 1) < 1e-28


def test_rewrite_writes_the_definitions() -> None:
    assert expit(u).rewrite(exp) == 1 / (1 + exp(-u))
    assert softplus(u).rewrite(exp) == log(1 + exp(u))


def test_expit_knows_its_half_and_its_limits() -> None:
    assert (expit(0), expit(oo), expit(-oo)) == (Rational(1, 2), 1, 0)


def test_softplus_knows_its_limits() -> None:
    assert (softplus(oo), softplus(-oo)) == (oo, 0)


def test_both_are_positive_on_the_real_line() -> None:
    assert expit(u).is_positive
    assert softplus(u).is_positive


def test_stable_writes_the_complement_as_an_expit() -> None:
    assert stable(1 - expit(u)) == expit(-u)
    assert stable(expit(u) - 1) == -expit(-u)


def test_stable_writes_logarithms_as_softplus() -> None:
    assert stable(log(expit(u))) == -softplus(-u)
    assert stable(log(1 - expit(u))) == -softplus(u)


def test_stable_leaves_other_sums_alone() -> None:
    for e in (2 - expit(u), 1 - 2 * expit(u), 1 + expit(u), x - expit(u)):
        assert stable(e) == e


def test_latex_reads_sigma_and_sigma_bar() -> None:
    assert sympy.latex(expit(u)) == r"\sigma\left(u\right)"
    assert sympy.latex(expit(-u) ** 2) == r"\bar\sigma^{2}\left(u\right)"
