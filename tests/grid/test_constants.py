"""Constants as data of the kernels: the same numbers as of a model that was made with them, and nothing compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Symbol

import infogeom as ig
from infogeom.kernels.codegen.rounding import rounding
from infogeom.kernels.compiled.compile import compiled
from infogeom.kernels.curvature.loops import UNIT
from infogeom.kernels.expectations.running_error import with_errors
from infogeom.kernels.points.field import Field
from infogeom.models import Model, Samples, from_density
from infogeom.models.parameter import Held
from infogeom.symbolic import Metric, PulledBack, numeric_metric

ALL = ("metric", "ricci_scalar")
#: Of which no float64 number is certain, so that all are refined.
TIGHT = 2.3e-16
x, m, z = sympy.symbols("x m z", real=True)
s, y, a, p, rate = sympy.symbols("s y a p rate", positive=True)
k = Symbol("k", integer=True, nonnegative=True)
POINTS = [[0.3, 2.0], [0.7, 0.5]]


def normal(value: Any = 2) -> Model:
    """A normal law of deviation s^a, whose R depends on a."""
    log_p = -a * sympy.log(s) - sympy.log(2 * sympy.pi) / 2 - ((x - m) / s**a) ** 2 / 2
    return from_density(log_p, x, [m, s], sympy.S.Reals, constants={a: value}, name="normal law")


def poissons(value: Any = 3) -> Model:
    """Two Poisson laws, the mean of one a times that of the other: no closed form."""
    share = ig.models.Parameter(p, sympy.Interval.open(0, 1))
    mean = p * sympy.exp(-rate) * rate**k + (1 - p) * sympy.exp(-a * rate) * (a * rate) ** k
    log_p = sympy.log(mean) - sympy.loggamma(k + 1)
    return replace(from_density(log_p, k, [share, rate], sympy.S.Naturals0, constants={a: value}), budget=0)


def of_two() -> Metric:
    """A curved plane with two constants."""
    return Metric([x, z], sympy.diag(1 + (x - m) ** 2, a + (x * z) ** 2), constants=[a, m])


def of_data() -> Metric:
    """A mean over samples in which a constant stands with the data."""
    w = Symbol("w", real=True)
    data = Samples((w,), np.random.default_rng(0).normal(size=(10, 1)))
    g = [[a + (w * x) ** 2, w / 7], [w / 7, 1 + a * z**2]]
    return Metric([x, z], g, samples=data, constants=[a])


def with_text(subject: Any, constants: Mapping[str, Any]) -> Any:
    """With the numbers in its formulas."""
    if isinstance(subject, Metric):
        return subject.with_constants(**constants)
    named = {symbol: constants.get(symbol.name, value) for symbol, value in subject.constants.items()}
    return replace(subject, constants=named)


#: Subjects, constants, where, and what.
CASES = {
    "closed": (normal(), {"a": 0.3}, POINTS, ALL),
    "sum": (poissons(), {"a": 2.5}, POINTS, ALL),
    "count": (ig.models.binomial(5), {"n": 9}, [[0.3]], ("metric", "christoffel")),
    "copies": (ig.models.replicate(ig.models.binomial(5), 3), {"n": 9}, [[0.3]], ("metric",)),
    "several": (of_two(), {"a": 0.3, "m": -1}, [[3, 1], [4, 0.5]], ALL),
    "data": (of_data(), {"a": 0.3}, [[1, 1], [2, 0.5]], ("metric",)),
    "curved": (of_data(), {"a": 0.3}, [[1, 1], [2, 0.5]], ALL),
    "irrational": (normal(), {"a": sympy.sqrt(2)}, POINTS, ALL),
    "whole power of 0": (Metric([x, z], sympy.diag(1, 1 + (x**2) ** (a / 2)), constants=[a]), {"a": 2}, [[0, 1]], ALL),
    "support": (ig.models.beta_binomial(6), {"n": 8}, [[2, 1]], ALL),
}
#: Kernels of curvature over samples take long to compile.
SLOW = ("curved",)


@pytest.mark.parametrize("case", [pytest.param(c, marks=[pytest.mark.slow] * (c in SLOW)) for c in CASES])
def test_values_are_those_of_a_model_with_these_numbers(case: str) -> None:
    subject, constants, points, quantities = CASES[case]
    other = with_text(subject, constants)
    for rtol, digits in ((1e-9, 1e-13), (TIGHT, 0)):
        found = ig.evaluate_points(subject, points, quantities, rtol=rtol, constants=constants)
        right = ig.evaluate_points(other, points, quantities, rtol=rtol)
        np.testing.assert_array_equal(found.status, right.status)
        for name in quantities:
            np.testing.assert_allclose(found[name], right[name], rtol=digits, atol=0)


def test_where_the_formula_is_the_same_so_are_the_bits() -> None:
    subject, constants, points, quantities = CASES["count"]
    found = ig.evaluate_points(subject, points, quantities, constants=constants)
    right = ig.evaluate_points(ig.models.binomial(9), points, quantities)
    assert found.drop_attrs().equals(right.drop_attrs())


@pytest.mark.parametrize("subject", [normal(), poissons(), of_data()], ids=["closed", "sum", "data"])
def test_a_scan_over_a_constant_derives_and_compiles_once(subject: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    axes = dict(zip(numeric_metric(subject, {"a": 2}).names, ([0.3, 0.7], [0.5, 2.0]), strict=True))
    ig.evaluate(subject, axes, constants={"a": 0.5})
    derived: list[Any] = []
    monkeypatch.setattr("infogeom.symbolic.structures.kept._derived", derived.append)
    before = compiled.cache_info().misses
    found = [ig.evaluate(subject, axes, constants={"a": value}) for value in np.linspace(1.2, 3, 20)]
    assert (compiled.cache_info().misses, derived) == (before, [])
    assert len({one.metric.values.tobytes() for one in found}) == 20


def test_the_rounding_of_a_constant_counts() -> None:
    held = Held.in_place_of(a)
    assert (rounding(held), rounding(a)) == ((held, 1), (a, 0))
    errors = [with_errors([c], [c], {})(np.array([0.3]))[1][0].item() for c in (held, a)]
    assert errors == pytest.approx([0.3 * UNIT, 0])


def test_a_constant_is_the_fraction_that_was_given() -> None:
    # Of float64's 0.1 nothing would be left here, where the point is just that; of 1/10 there is.
    near = Metric([x], [[2 + (a - x) * sympy.exp(40)]], constants=[a])
    found = ig.evaluate_points(near, [[0.1]], ["metric"], constants={"a": 0.1})
    right = 2 + (sympy.Rational(1, 10) - sympy.Rational(0.1)) * sympy.exp(40)
    assert (found.metric.item(), found.status.item()) == (float(right.evalf(30)), 1)


def test_a_refined_integral_takes_the_fraction_too() -> None:
    bent = sympy.log(sympy.erfc(-a * (x - m) / s / sympy.sqrt(2)))
    log_p = -sympy.log(s) - sympy.log(2 * sympy.pi) / 2 - ((x - m) / s) ** 2 / 2 + bent
    law = replace(from_density(log_p, x, [m, s], sympy.S.Reals, constants={a: 1}), budget=0)
    asked: dict[str, Any] = {"quantities": ["metric"], "rtol": 2e-15}
    found = ig.evaluate_points(law, [[0.3, 1.2]], **asked, constants={"a": 0.3})
    right = ig.evaluate_points(with_text(law, {"a": sympy.Rational(3, 10)}), [[0.3, 1.2]], **asked)
    assert found.status.item() == right.status.item() == 1
    assert found.metric.equals(right.metric)


def test_a_form_of_forms_holds_constants_in_its_parts() -> None:
    g, t = normal().metric(), Symbol("t", positive=True)
    part = ig.symbolic.metric(replace(normal(), constants={a: a}))
    mu, sigma = g.coordinates
    pulled = Metric([x, t], PulledBack(part.form, {mu: a * x, sigma: t}, [x, t]), constants=[a])
    constants = {"a": 0.3}
    found = ig.evaluate_points(pulled, POINTS, ["metric"], constants=constants)
    right = ig.evaluate_points(pulled.with_constants(**constants), POINTS, ["metric"])
    np.testing.assert_allclose(found.metric, right.metric, rtol=1e-13)


def test_results_tell_their_constants() -> None:
    told = ig.evaluate_points(normal(), POINTS, ["metric"], constants={"a": 0.3}).attrs
    right = ig.evaluate_points(normal(sympy.Rational(3, 10)), POINTS, ["metric"]).attrs
    assert told["a"] == "3/10"
    assert {name for name, value in right.items() if told[name] != value} == {"wall_time_seconds"}


def test_a_symbol_takes_its_number_by_its_own_name_or_that_of_the_constant() -> None:
    law = ig.models.binomial(Symbol("N", integer=True, positive=True))
    found = [ig.evaluate_points(law, [[0.5]], ["metric"], constants={name: 6}).metric.item() for name in ("N", "n")]
    assert found == [24, 24]


def test_a_field_and_a_verification_take_constants() -> None:
    law = ig.models.student_t(3)
    (found,) = Field(law, ["metric"], {"nu": 2.5})([0.0, 1.0])
    (right,) = Field(ig.models.student_t(2.5), ["metric"])([0.0, 1.0])
    np.testing.assert_array_equal(found, right)
    assert ig.verify(ig.models.binomial(5), [[0.3]], constants={"n": 9}).agree


@pytest.mark.parametrize(
    ("constants", "told"),
    [
        ({"m": 3}, r"constants must name constants out of \['n'\], got \['m'\]"),
        ({"n": 2.5}, r"constants\['n'\] must be a number that .*integer=True.* allows, got 5/2"),
        ({"n": float("nan")}, r"constants\['n'\] must have a value, got nan"),
        ({"n": float("inf")}, r"constants\['n'\] must be a finite number, got oo"),
        ({"n": "3"}, r"constants\['n'\] must be a sympy expression, got '3'"),
        ({"n": Symbol("q")}, r"constants\['n'\] must be a finite number, got q"),
        ({"n": [3, 4]}, r"constants\['n'\] must be one number, got shape \(2,\); evaluate for each"),
        ({"n": 10**400}, r"constants\['n'\] must be a real float64 number, got 1.000E\+400"),
        (3, "constants must be a mapping of names to numbers, got 3"),
    ],
)
def test_what_is_no_number_of_a_constant_is_refused(constants: Any, told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=told):
        ig.evaluate_points(ig.models.binomial(5), [[0.3]], constants=constants)


def test_numbers_that_the_model_does_not_allow_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no point lies inside the domain .*-1/2 > 0"):
        ig.evaluate_points(ig.models.wishart(2, 5), [[1, 1, 0.2]], ["metric"], constants={"nu": 0.5})
    with pytest.raises(ValueError, match=r"observations must lie in the support .* got 4.0 at index 1"):
        ig.evaluate_points(ig.models.observe(ig.models.binomial(5), [1, 4]), [[0.3]], constants={"n": 3})
    end = Symbol("end", real=True)
    log_p = sympy.log(rate) - rate * y - sympy.log(1 - sympy.exp(-rate * end))
    law = from_density(log_p, y, [rate], sympy.Interval(0, end), constants={end: 2})
    with pytest.raises(ValueError, match=r"constants must leave values to y, whose support is .*, got end = -1"):
        ig.evaluate_points(law, [[0.3]], constants={"end": -1})


def test_a_density_that_is_none_for_a_number_is_refused() -> None:
    log_p = sympy.log(sympy.exp(-rate) * rate**k * (1 + p * (a - 1)) / a) - sympy.loggamma(k + 1)
    log_p += sympy.log(1 + p * sympy.sin(k) ** 2 * (a - 1))
    law = replace(from_density(log_p, k, [rate], sympy.S.Naturals0, constants={a: 1, p: 1}), budget=0)
    with pytest.raises(ig.symbolic.ExpectationError, match="the density must integrate to 1"):
        ig.evaluate_points(law, [[0.3]], constants={"a": 2})


def test_likelihoods_take_constants() -> None:
    law, seven = (ig.models.observe(ig.models.binomial(n), [1, 4]) for n in (5, 7))
    told = ("metric", "log_likelihood", "score")
    found = ig.evaluate_points(law, [[0.3]], told, constants={"n": 7})
    right = ig.evaluate_points(seven, [[0.3]], told)
    for name in told:
        np.testing.assert_allclose(found[name], right[name], rtol=1e-14)
    assert found.log_likelihood.item() == pytest.approx(np.log([7 * 0.3 * 0.7**6, 35 * 0.3**4 * 0.7**3]).mean())
