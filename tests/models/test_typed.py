"""Laws as people type them: names, constants and formulas are read into what the package knows."""

from __future__ import annotations

import pytest
import sympy
from sympy import Interval, Rational, Symbol, exp, log, oo

import infogeom as ig
from infogeom.models import from_density

rate, c, y = (Symbol(name, positive=True) for name in ("rate", "c", "y"))
keyword, read = Symbol("lambda", positive=True), Symbol("lambda_", positive=True)


def test_a_parameter_called_lambda_is_lambda_with_an_underscore() -> None:
    law = from_density(log(keyword) - keyword * y, y, [keyword], Interval(0, oo))
    assert ig.symbolic.metric(law).matrix == sympy.Matrix([[1 / read**2]])
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
