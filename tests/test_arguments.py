"""What users give by mistake is refused by its name, the rule and the value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sympy
import sympy.stats
from sympy import Interval, Matrix, Symbol, nan, sqrt

import infogeom as ig
from infogeom import models

x, a, b, loose = Symbol("x", real=True), Symbol("a", real=True), Symbol("b", real=True), Symbol("a")
s = Symbol("s", positive=True)
LAW, LINE = -((x - a) ** 2) / 2 - sympy.log(2 * sympy.pi) / 2, sympy.S.Reals


def on_a_line(**changed: Any) -> ig.models.Model:
    given = {"mean_function": a + b * x, "noise": models.normal(), "inputs": [0, 1], "variables": x}
    return models.regression(**{**given, "parameters": [a, b], **changed})


def vector() -> sympy.Expr:
    return sympy.stats.MultivariateNormal("v", [0, 0], [[1, 0], [0, 1]])


#: What is called, the error, and what it says.
SLIPS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "a log-density in quotes": (
        lambda: models.from_density("-x**2", x, [a], LINE), TypeError, "log_density must be a sympy expression, got '-x"
    ),
    "no log-density": (
        lambda: models.from_density(None, x, [a], LINE), TypeError, "log_density must be a sympy expression, got None"
    ),
    "a matrix for a log-density": (
        lambda: models.from_density(Matrix([a]), x, [a], LINE), TypeError, "log_density must be a sympy expression"
    ),
    "a log-density of nan": (
        lambda: models.from_density(nan, x, [a], LINE), ValueError, "log_density must have a value, got nan"
    ),
    "parameters in quotes": (
        lambda: models.from_density(LAW, x, ["a"], LINE), TypeError, "parameters must hold Parameter or Symbol only"
    ),
    "no parameters": (
        lambda: models.from_density(LAW, x, 5, LINE), TypeError, "parameters must be a sequence of Parameter or Symbol"
    ),
    "a parameter of other assumptions": (
        lambda: models.from_density(LAW, x, [loose], LINE), ValueError, "symbol a .* parameter of the same assumptions"
    ),
    "a map to nothing": (
        lambda: models.reparametrise(models.normal(), {"mu": None}), TypeError, r"old\['mu'\] must be a sympy"
    ),
    "a map to a condition": (
        lambda: models.reparametrise(models.normal(), {"mu": a > 0}), TypeError, r"old\['mu'\] must be a sympy"
    ),
    "a map to what is not real": (
        lambda: models.reparametrise(models.normal(), {"sigma": sqrt(-s)}), ValueError, "no real derivative at mu = "
    ),
    "a vector of sympy.stats": (
        lambda: models.from_sympy_stats(vector(), [a]), ValueError, "random_variable must be of one dimension"
    ),
    "a name for a model": (lambda: models.product("normal"), TypeError, "product takes models, got 'normal'"),
    "a model for a mixture": (
        lambda: models.mixture([models.normal(), 3]), TypeError, "components must hold Model only, got 3"
    ),
    "no mixture": (lambda: models.mixture(None), TypeError, "components must be a sequence of Model, got None"),
    "a natural parameter too many": (
        lambda: models.exponential_family(a**2, [a, b]), ValueError, r"log_partition must hold every .* without \['b'\]"
    ),
    "a mean function in quotes": (
        lambda: on_a_line(mean_function="a + b * x"), TypeError, "mean_function must be a sympy expression, got 'a"
    ),
    "an input called as a parameter of the noise": (
        lambda: on_a_line(variables=Symbol("sigma"), mean_function=a + b * Symbol("sigma")),
        ValueError,
        r"variables must differ from the parameters, got \['sigma'\] as both",
    ),
    "a singular covariance": (
        lambda: models.gaussian([a, b], [[s, s], [s, s]], [a, b, s]), ValueError, "covariance must be positive definite"
    ),
    "a covariance of nan": (
        lambda: models.gaussian([a], [[nan]], [a]), ValueError, "covariance must have a value, got nan"
    ),
    "no covariance": (
        lambda: models.multivariate_normal_known_covariance([]), ValueError, "covariance must be a square matrix"
    ),
    "a ragged covariance": (
        lambda: models.gaussian([a, b], [[1, 0], [0]], [a, b]), ValueError, r"got rows of \[2, 1\] entries"
    ),
    "a row for a covariance": (
        lambda: models.gaussian([a, b], [1, 0], [a, b]), TypeError, r"must be a matrix of expressions, got \[1, 0\]"
    ),
    "an unknown covariance that is to be known": (
        lambda: models.multivariate_normal_known_covariance([[s]]), TypeError, "must be a matrix of numbers, got"
    ),
    "degrees of freedom in symbols": (lambda: models.wishart(2, s), TypeError, "dof must be a real number, got s"),
    "a lower bound of 0": (lambda: models.pareto(0), ValueError, "minimum must be positive, got 0"),
    "a map that leaves nothing": (
        lambda: models.reparametrise(models.normal(), {"mu": 0, "sigma": 1}), ValueError, "must leave at least one para"
    ),
    "parameters without an order": (
        lambda: models.from_density(LAW, x, {a, b}, LINE), TypeError, "parameters must be a sequence of Parameter"
    ),
    "a truth value": (lambda: models.negative_binomial(True), TypeError, "r must be a real number, got True"),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_told(slip: str) -> None:
    call, error, told = SLIPS[slip]
    with pytest.raises(error, match=told):
        call()


def test_the_ends_of_a_domain_lie_outside() -> None:
    assert models.Parameter(s, Interval(0, 5)).domain == Interval.open(0, 5)


def test_a_matrix_of_sympy_is_a_mean() -> None:
    law = models.gaussian(Matrix([a, 0]), Matrix([[1, 0], [0, 2]]), [a])
    assert ig.symbolic.metric(law).matrix == Matrix([[1]])


def test_a_single_symbol_stands_for_its_sequence() -> None:
    assert [p.name for p in models.from_density(LAW, x, a, LINE).parameters] == ["a"]


def test_floats_of_a_density_are_the_decimal_fractions_that_they_print_as() -> None:
    law = models.from_density(0.1 * LAW + 0.3, x, [a], Interval(-1, 1))
    assert not law.log_density.atoms(sympy.Float)
    assert law.log_density.subs({x: 0, a: 0}).has(sympy.Rational(3, 10))
