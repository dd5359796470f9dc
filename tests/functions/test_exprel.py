"""The logarithm of (e^t − 1)/t and its derivatives: values, signs, what it is at 0, and how it prints."""

from __future__ import annotations

import mpmath
import pytest
import sympy
from flint import arb, ctx
from sympy import Rational, Symbol

from infogeom.functions import log_exprel
from infogeom.functions.exprel import by_log_exprel
from infogeom.kernels.balls import ball_functions
from tests.special_reference import exactly

t = Symbol("t", real=True)
k = Symbol("k", positive=True)


@pytest.mark.parametrize("m", [0, 1, 2, 5])
@pytest.mark.parametrize("at", ["1e-9", "-0.5", "3", "-40", "1000"])
def test_it_evaluates_to_full_relative_precision(m: int, at: str) -> None:
    with mpmath.workdps(40):
        found = mpmath.mpf(str(log_exprel(m, Rational(at)).evalf(30)))
        assert abs(found / exactly("log_exprel", m, mpmath.mpf(at), digits=35) - 1) < 1e-28


def test_it_has_the_values_of_bernoulli_numbers_at_0() -> None:
    assert [log_exprel(m, 0) for m in range(5)] == [0, Rational(1, 2), Rational(1, 12), 0, Rational(-1, 120)]


@pytest.mark.parametrize("m", range(5))
def test_its_ball_holds_the_value_at_0_and_around_it(m: int) -> None:
    value = sympy.Rational(log_exprel(m, 0))
    with ctx.workprec(128):
        exact, around = ball_functions.log_exprel(m, 0), ball_functions.log_exprel(m, arb(0, 1e-9))
        assert exact.contains(arb(int(value.p)) / int(value.q))
        assert around.contains(exact)
        assert around.rad() < 1e-8


def test_signs_that_are_theorems_are_known() -> None:
    assert [log_exprel(m, k).is_positive for m in (0, 1, 2)] == [True, True, True]
    assert [log_exprel(m, -k).is_positive for m in (1, 2, 3)] == [True, True, True]
    assert log_exprel(0, -k).is_negative
    assert log_exprel(3, k).is_negative
    assert log_exprel(2, t).is_positive
    assert log_exprel(4, k).is_positive is None


def test_it_is_rewritten_as_its_definition() -> None:
    assert log_exprel(1, k).rewrite(sympy.exp).equals(sympy.log((sympy.exp(k) - 1) / k).diff(k))


def test_it_prints_as_a_logarithm_and_its_derivatives() -> None:
    assert sympy.latex(log_exprel(0, t)) == r"\left(\log\frac{e^{t} - 1}{t}\right)"
    assert sympy.latex(log_exprel(2, t) ** 2) == r"{\left(K^{(2)}\left(t\right)\right)}^{2}"


ROOT = sympy.exp(-k)  # between 0 and 1


@pytest.mark.parametrize(
    "e", [sympy.log(sympy.exp(k) - 1), sympy.log(1 - sympy.exp(-k)), sympy.log(-sympy.log(1 - ROOT / 2))]
)
def test_logarithms_that_lose_digits_are_written_by_it_and_are_the_same(e: sympy.Expr) -> None:
    found = by_log_exprel(e, lambda of: bool(of.is_positive))
    assert found.has(log_exprel)
    assert abs((found - e).subs(k, Rational(3, 7)).evalf(30)) < 1e-28


@pytest.mark.parametrize("e", [sympy.log(sympy.exp(t) - 1), sympy.log(-sympy.log(k)), sympy.log(2 - sympy.exp(-k))])
def test_logarithms_of_what_may_be_negative_or_loses_nothing_are_left(e: sympy.Expr) -> None:
    assert by_log_exprel(e, lambda of: bool(of.is_positive)) == e
