"""Laws as people type them: names, constants and formulas are read into what the package knows."""

from __future__ import annotations

import pytest
import sympy
from sympy import Interval, Rational, Symbol, exp, log, oo

import infogeom as ig
from infogeom.models import from_density

rate, c, y = (Symbol(name, positive=True) for name in ("rate", "c", "y"))
keyword, spelt = Symbol("lambda", positive=True), Symbol("lambda_", positive=True)


def test_a_parameter_called_lambda_is_lambda_with_an_underscore() -> None:
    law = from_density(log(keyword) - keyword * y, y, [keyword], Interval(0, oo))
    assert ig.symbolic.metric(law).matrix == sympy.Matrix([[1 / spelt**2]])
    moved = ig.models.reparametrise(law, {"lambda": exp(Symbol("class", real=True))})
    assert [p.name for p in moved.parameters] == ["class_"]


def test_an_input_called_as_a_keyword_is_found_in_its_table() -> None:
    slope, column = Symbol("slope", real=True), Symbol("in", real=True)
    table = {"in": [1.0, 2.0]}
    fit = ig.models.regression(slope * column, ig.models.normal(), table, variables=column, parameters=[slope])
    assert fit.samples is not None
    assert [s.name for s in fit.samples.symbols] == ["in_"]


def test_a_known_constant_stays_a_symbol_until_it_has_a_number() -> None:
    law = log(rate) - rate * y + log(1 / (1 - exp(-c * rate)))
    open_end = from_density(law, y, [rate], Interval(0, c), constants=[c])
    closed = from_density(law, y, [rate], Interval(0, c), constants={c: Rational(3, 2)})
    metric = ig.symbolic.metric(open_end)
    assert metric.constants == (c,)
    at_once = ig.symbolic.numeric_metric(closed).matrix.subs(rate, 2)
    assert metric.with_constants(c=1.5).matrix.subs(rate, 2).equals(at_once)


@pytest.mark.parametrize("constants", [[3], {"c": 3}, 7])
def test_a_constant_is_a_symbol(constants: object) -> None:
    with pytest.raises(TypeError, match="constants must"):
        from_density(log(rate) - rate * y, y, [rate], Interval(0, c), constants=constants)  # type: ignore[arg-type]


# --- Logarithms of products, powers and cases -------------------------------------------------------------------------

p = ig.models.Parameter(Symbol("p", positive=True), Interval.open(0, 1))
q, lam, b = p.symbol, Symbol("lam", positive=True), Symbol("b", positive=True)
n, count = Symbol("n", integer=True, nonnegative=True), Symbol("n", nonnegative=True)


def read(pmf: sympy.Expr, *parameters: object, support: sympy.Set = sympy.S.Naturals0) -> sympy.Expr:
    return from_density(log(pmf), n, parameters, support).log_density  # type: ignore[arg-type]


def test_a_logarithm_of_a_product_is_a_sum_that_does_not_overflow() -> None:
    expected = count * log(lam) - lam - sympy.loggamma(count + 1)
    assert read(lam**n * exp(-lam) / sympy.factorial(n), lam) == expected
    binomial = read(sympy.binomial(n + lam - 1, n) * q**lam * (1 - q) ** n, lam, p)
    gammas = sympy.loggamma(count + lam) - sympy.loggamma(count + 1) - sympy.loggamma(lam)
    assert binomial.has(ig.functions.lgamma_difference)
    written_out = binomial.rewrite(sympy.loggamma)
    assert sympy.expand(written_out - gammas - lam * log(q) - count * log(1 - q)) == 0


def test_a_factor_that_may_be_negative_keeps_its_neighbour() -> None:
    x, m = Symbol("x", real=True), Symbol("m", real=True)
    law = from_density(log((x - m) ** 2 * exp(-((x - m) ** 2) / 2) / sympy.sqrt(2 * sympy.pi)), x, [m], sympy.S.Reals)
    assert law.log_density.has(log((x - m) ** 2))


@pytest.mark.parametrize("zero", [sympy.KroneckerDelta(n, 0), sympy.Piecewise((1, sympy.Eq(n, 0)), (0, True))])
def test_a_probability_by_cases_has_a_logarithm_in_each(zero: sympy.Expr) -> None:
    inflated = read(q * zero + (1 - q) * lam**n * exp(-lam) / sympy.factorial(n), p, lam)
    others = count * log(lam) - lam - sympy.loggamma(count + 1) + log(1 - q)
    assert inflated == sympy.Piecewise((log(q + (1 - q) * exp(-lam)), sympy.Eq(count, 0)), (others, True))


def test_a_sum_of_probabilities_is_one_of_exponentials() -> None:
    poisson = lam**n * exp(-lam) / sympy.factorial(n)
    mixed = read(q * poisson + (1 - q) * poisson.subs(lam, b), p, lam, b)
    assert type(mixed) is ig.functions.log_sum_exp


def test_a_power_of_a_count_has_its_slope_at_zero() -> None:
    difference = read(q ** (n**b) - q ** ((n + 1) ** b), p, b)
    assert difference.subs(count, 0) == log(1 - q)
    assert difference.diff(b).subs(count, 0) == 0
    assert abs((difference - log(q ** (count**b) - q ** ((count + 1) ** b))).subs({count: 3, q: 0.5, b: 1.5})) < 1e-12


@pytest.mark.slow  # 10 s
def test_a_bessel_function_in_a_logarithm_does_not_overflow() -> None:
    law = log(y) - (y**2 + lam**2) / 2 + log(sympy.besseli(0, y * lam))
    rice = from_density(law, y, [lam], Interval.open(0, oo))
    assert rice.log_density.has(ig.functions.log_bessel)
    found = ig.grid.evaluate_points(rice, [[50.0]], ["metric"])
    # By mpmath's quadrature of E[(y I_1(50 y) / I_0(50 y) − 50)²] in 30 digits.
    assert found.metric.item() == pytest.approx(0.9997999599679535, rel=1e-9)


@pytest.mark.slow  # 12 s
def test_discrete_weibull_as_it_stands_in_books() -> None:
    law = from_density(log(q ** (n**b) - q ** ((n + 1) ** b)), n, [p, b], sympy.S.Naturals0)
    g = ig.grid.evaluate_points(law, [[0.5, 1.5]], ["metric"]).metric.values[0]
    # By E[s sᵀ] over 25 outcomes with numerical scores, in 30 digits.
    assert g.ravel() == pytest.approx([7.54439474, -1.50199001, -1.50199001, 0.666280015], rel=2e-9)
