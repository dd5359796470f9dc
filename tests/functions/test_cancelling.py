"""Functions that lose digits by their definition: derivatives in closed form, values to full accuracy."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Expr, Rational, Symbol, log

import infogeom as ig
from infogeom.functions import (
    bessel_ratio,
    bessel_ratio_curve,
    bessel_ratio_slope,
    digamma_difference,
    lgamma_difference,
    log_bessel,
    log_exprel,
    log_zeta,
    polygamma_excess,
)
from infogeom.functions.cancelling import Ordered
from infogeom.kernels.codegen.program import Axes, kernel
from infogeom.kernels.compiled.compile import compiled
from tests.special_reference import DEFINITIONS, exactly

x = Symbol("x", real=True)
k, nu = Symbol("k", positive=True), Symbol("nu", nonnegative=True)
#: One of each two-argument primitive.
CANCELLING = [
    *(polygamma_excess(m, k) for m in range(3)), digamma_difference(k, x), lgamma_difference(k, x), bessel_ratio(nu, k),
    bessel_ratio_slope(nu, k), bessel_ratio_curve(nu, k), log_bessel(nu, k),
    log_zeta(1, 1 + k),
]  # fmt: skip


def at(name: str, first: Expr, second: Expr) -> mpmath.mpf:
    """Value by definition at rational arguments."""
    exact = [int(a) if a.is_Integer else mpmath.mpf(a.p) / a.q for a in (first, second)]
    return exactly(name, *exact, digits=35)


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    ("function", "place"),
    [(polygamma_excess, 1), (log_zeta, 1), (log_exprel, 1), (bessel_ratio, 1), (log_bessel, 1)]
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
    # At k = 10⁶ the definitions keep at most 10 digits; 1e-14 is what `infogeom.kernels.compiled.float_functions`
    # promises there.
    symbols = sorted(e.free_symbols, key=lambda s: s.name)
    point = {k: sympy.Integer(10) ** 6, nu: Rational(1, 2), x: Rational(1, 4)}
    tile = compiled(kernel({"e": [e]}, Axes(tuple(symbols), (), ())).direct)["tile"]
    out = np.empty((1, 1, 1))
    tile(np.array([[float(point[s])] for s in symbols]), np.empty((0, 1)), np.empty((0, 0)), out)
    assert out.item() == pytest.approx(float(e.subs(point).evalf(20)), rel=1e-14, abs=0)


@pytest.mark.parametrize("function", ["log_bessel", "bessel_ratio", "bessel_ratio_slope", "bessel_ratio_curve"])
@pytest.mark.parametrize("nu", [0, sympy.Rational(5, 2)])
@pytest.mark.parametrize("x", [sympy.Integer(10) ** 36, sympy.Integer(10) ** -36])
def test_bessel_functions_have_the_value_of_their_definition_where_a_series_has_one_term(
    function: str, nu: Expr, x: Expr
) -> None:
    value = getattr(ig.functions, function)(nu, x)
    # Fifteen digits come from the term, ninety from the definition.
    assert abs(value.evalf(15) / value.evalf(90) - 1) < 1e-14


def test_bessel_functions_of_numbers_of_any_size_have_values_at_once() -> None:
    assert ig.functions.log_bessel(0, sympy.Integer(10) ** 10000).evalf(5) == sympy.Float("1e10000", 5)
    assert ig.functions.bessel_ratio(0, sympy.Rational(1, 10**10000)).evalf(5) == sympy.Float("5e-10001", 5)
