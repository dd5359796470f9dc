"""The SymPy primitives: derivatives in closed form, stable values."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Expr, Rational, Symbol, exp, log, oo

from infogeom.functions import (
    Ordered,
    bessel_ratio,
    bessel_ratio_curve,
    bessel_ratio_slope,
    digamma_difference,
    expit,
    lgamma_difference,
    log_bessel,
    log_sum_exp,
    log_zeta,
    polygamma_excess,
    softmax,
    softplus,
    stable,
)
from infogeom.kernels.codegen import Axes, kernel
from infogeom.kernels.compile import compiled
from tests.special_reference import DEFINITIONS, exactly

u, x = Symbol("u", real=True), Symbol("x", real=True)
k, nu = Symbol("k", positive=True), Symbol("nu", nonnegative=True)
#: One of each two-argument primitive.
CANCELLING = [
    *(polygamma_excess(m, k) for m in range(3)), digamma_difference(k, x), lgamma_difference(k, x), bessel_ratio(nu, k),
    bessel_ratio_slope(nu, k), bessel_ratio_curve(nu, k), log_bessel(nu, k),
    log_zeta(1, 1 + k),
]  # fmt: skip
FAR = [-800, -40, -1, 0, Rational(1, 3), 40, 800]


def test_the_derivatives_of_log_sum_exp_are_the_shares_of_its_terms() -> None:
    a, b, c = sympy.symbols("a b c", real=True)
    point = {a: Rational(1, 3), b: Rational(-2), c: Rational(5, 4)}
    for e in (log_sum_exp(a, b, c), softmax(1, a, b, c)):
        for symbol in (a, b, c):
            expected = e.rewrite(exp).diff(symbol).subs(point)
            assert abs(e.diff(symbol).subs(point).evalf(30) - expected.evalf(30)) < 1e-28


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


def at(name: str, first: Expr, second: Expr) -> mpmath.mpf:
    """Value by definition at rational arguments."""
    exact = [int(a) if a.is_Integer else mpmath.mpf(a.p) / a.q for a in (first, second)]
    return exactly(name, *exact, digits=35)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    ("function", "place"),
    [(polygamma_excess, 1), (log_zeta, 1), (bessel_ratio, 1), (log_bessel, 1)]
    + [(f, i) for f in (digamma_difference, lgamma_difference) for i in (0, 1)],
)
def test_derivatives_of_cancelling_functions_are_those_of_the_definition(
    function: type, place: int, order: int
) -> None:
    point = [sympy.Integer(2) if issubclass(function, Ordered) else Rational(3, 4), Rational(11, 8)]
    moving = [*point]
    moving[place] = k
    found = function(*moving).diff(k, order).subs(k, point[place]).evalf(25)

    def along(t: mpmath.mpf) -> mpmath.mpf:
        arguments = [2 if issubclass(function, Ordered) else mpmath.mpf(3) / 4, mpmath.mpf(11) / 8]
        arguments[place] = t
        return DEFINITIONS[function.__name__](*arguments)

    with mpmath.workdps(60):
        expected = mpmath.diff(along, mpmath.mpf(point[place].p) / point[place].q, order)
        assert abs(mpmath.mpf(str(found)) / expected - 1) < 1e-20


@pytest.mark.parametrize("function", [polygamma_excess, log_zeta, bessel_ratio, log_bessel])
def test_there_is_no_derivative_in_the_order(function: type) -> None:
    with pytest.raises(sympy.core.function.ArgumentIndexError):
        function(2, k).fdiff(1)


@pytest.mark.parametrize("size", [-100, -5, 0, 5, 100])
@pytest.mark.parametrize(
    "function", ["polygamma_excess", "digamma_difference", "lgamma_difference", "bessel_ratio_curve", "log_bessel"]
)
def test_cancelling_functions_evaluate_to_full_relative_precision(function: str, size: int) -> None:
    arguments = (sympy.Integer(3), sympy.Integer(10) ** size)
    found = globals()[function](*arguments).evalf(30)
    with mpmath.workdps(40):
        assert abs(mpmath.mpf(str(found)) / at(function, *arguments) - 1) < 1e-28


@pytest.mark.parametrize("s", ["1.000000000001", "1.5", "30", "130", "1000"])
@pytest.mark.parametrize("m", [0, 1, 4])
def test_log_zeta_evaluates_to_full_relative_precision(m: int, s: str) -> None:
    arguments = (sympy.Integer(m), Rational(s))
    with mpmath.workdps(40):
        assert abs(mpmath.mpf(str(log_zeta(*arguments).evalf(30))) / at("log_zeta", *arguments) - 1) < 1e-28


def test_bessel_ratios_take_their_limits_at_zero() -> None:
    values = [float(f(3, 0)) for f in (bessel_ratio, bessel_ratio_slope, bessel_ratio_curve)]
    assert values == [0, 0.125, 0]


def test_a_difference_that_vanishes_evaluates_to_zero() -> None:
    assert lgamma_difference(1, 1).evalf() == 0


def test_orders_are_non_negative_integers() -> None:
    for order in (nu, Rational(1, 2), sympy.Integer(-1)):
        with pytest.raises(ValueError, match=f"non-negative integer, got {order}"):
            polygamma_excess(order, k)
        with pytest.raises(ValueError, match=f"order of log_zeta must be a non-negative integer, got {order}"):
            log_zeta(order, k)


def test_signs_that_are_theorems_are_known() -> None:
    assert [polygamma_excess(m, k).is_positive for m in range(4)] == [False, True, False, True]
    assert bessel_ratio(nu, k).is_positive
    assert bessel_ratio_slope(nu, k).is_positive
    assert bessel_ratio_curve(0, k).is_negative
    assert digamma_difference(k, 1).is_positive
    assert digamma_difference(k + 1, -1).is_negative
    assert lgamma_difference(k, 1).is_real
    assert log_bessel(nu, k).is_real
    assert log_bessel(0, k).is_positive
    assert [log_zeta(m, 1 + k).is_positive for m in range(4)] == [True, False, True, False]
    assert log_zeta(1, 1 + k).is_negative


def test_nothing_is_known_outside_the_domain() -> None:
    for e in (
        polygamma_excess(1, x),
        bessel_ratio(x, k),
        bessel_ratio_curve(nu, k),
        digamma_difference(x, 1),
        log_bessel(nu, k),
        log_zeta(1, k),
    ):
        assert e.is_positive is None
    assert bessel_ratio(nu, nu).is_positive is None


def test_rewriting_gives_the_definitions_of_cancelling_functions() -> None:
    assert polygamma_excess(0, k).rewrite(sympy.polygamma) == sympy.polygamma(0, k) - log(k)
    assert polygamma_excess(2, k).rewrite(sympy.polygamma) == sympy.polygamma(2, k) + 1 / k**2
    assert digamma_difference(k, x).rewrite(sympy.polygamma) == sympy.polygamma(0, k + x) - sympy.polygamma(0, k)
    assert log_zeta(1, k).rewrite(sympy.zeta) == log(sympy.zeta(k)).diff(k)
    assert log_bessel(nu, k).rewrite(sympy.besseli) == log(sympy.besseli(nu, k))
    assert lgamma_difference(k, x).rewrite(sympy.loggamma) == sympy.loggamma(k + x) - sympy.loggamma(k)


def test_latex_reads_as_in_the_field() -> None:
    assert sympy.latex(bessel_ratio(nu, k)) == r"A_{\nu}\left(k\right)"
    assert sympy.latex(bessel_ratio_slope(0, k) ** 2) == r"{A'_{0}}^{2}\left(k\right)"
    assert sympy.latex(log_zeta(0, k)) == r"\log\zeta\left(k\right)"
    assert sympy.latex(log_zeta(2, k) ** 2) == r"{\left(\log\zeta\right)^{(2)}\left(k\right)}^{2}"
    assert sympy.latex(log_bessel(nu, k)) == r"\log I_{\nu}\left(k\right)"
    assert sympy.latex(polygamma_excess(0, k)) == r"\left(\psi\left(k\right) - \log{\left(k \right)}\right)"
    assert sympy.latex(polygamma_excess(2, k)) == r"\left(\psi^{(2)}\left(k\right) + \frac{1}{k^{2}}\right)"
    assert sympy.latex(digamma_difference(k, 2)) == r"\left(\psi\left(k + 2\right) - \psi\left(k\right)\right)"
    assert sympy.latex(lgamma_difference(k, 2)).startswith(r"\log\frac{\Gamma\left(k + 2\right)}")


@pytest.mark.parametrize("e", CANCELLING, ids=lambda e: type(e).__name__)
def test_kernels_evaluate_cancelling_functions_to_full_relative_precision(e: Expr) -> None:
    # At k = 10⁶ the definitions keep at most 10 digits; 1e-14 is what `infogeom.kernels.special` promises there.
    symbols = sorted(e.free_symbols, key=lambda s: s.name)
    point = {k: sympy.Integer(10) ** 6, nu: Rational(1, 2), x: Rational(1, 4)}
    tile = compiled(kernel({"e": [e]}, Axes(tuple(symbols), (), ())).direct)["tile"]
    out = np.empty((1, 1, 1))
    tile(np.array([[float(point[s])] for s in symbols]), np.empty((0, 1)), np.empty((0, 0)), out)
    assert out.item() == pytest.approx(float(e.subs(point).evalf(20)), rel=1e-14, abs=0)
