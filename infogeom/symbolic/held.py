"""Constants as data: a metric whose expressions, and so whose kernels, are the same for all their numbers.

Fractions are data. Other numbers are text, and so is a number on which hangs how an expression is written: an order of
a function, a whole exponent of what may be 0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import sympy
from sympy import Expr, Symbol

from infogeom.arguments import by_name, constants_of
from infogeom.functions.registry import facts_of
from infogeom.models.model import Model
from infogeom.models.parameter import Held
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.forms import Form
from infogeom.symbolic.metric_value import Metric
from infogeom.symbolic.structures.kept import in_numbers
from infogeom.symbolic.structures.rules import rules_of

__all__ = ["holding", "with_numbers"]

#: Metrics with `Held` symbols for all constants; None of models that have none such.
_OF_MODELS: WeakKeyDictionary[Model, Metric | None] = WeakKeyDictionary()
_OF_METRICS: WeakKeyDictionary[Metric, Metric] = WeakKeyDictionary()


def holding(model_or_metric: Model | Metric, constants: Mapping[str, Any]) -> Metric:
    """Metric in the form that gives its numbers, with numbers for constants by name, as data wherever that can be.

    Raises
    ------
    TypeError, ValueError
        For names that are no constants, and values that are no numbers or that symbols or the model do not allow.
    """
    if isinstance(model_or_metric, Metric):
        numbers = _by_names(_numbers(constants, model_or_metric.constants))
        held = _with_data(_of_metric(model_or_metric), numbers)
        return held or model_or_metric.with_constants(**numbers)

    model = _model_with_numbers(model_or_metric, constants)
    if any(value.free_symbols for value in model.constants.values()):
        return in_numbers(model)  # which tells
    metric = _of_model(model_or_metric)
    if metric is None:
        return in_numbers(model)
    if "expectation" in metric.attributes:  # by numbers: whether it is a law still
        rules_of(model).open_form(OpenExpectationError(f"model {model.name!r} has no closed form"))
    return _with_data(metric, _by_names(model.constants)) or in_numbers(model)


def with_numbers(model_or_metric: Model | Metric, constants: Mapping[str, Any]) -> Model | Metric:
    """Model or metric with numbers for constants in its formulas."""
    if isinstance(model_or_metric, Model):
        return _model_with_numbers(model_or_metric, constants)
    return model_or_metric.with_constants(**_by_names(_numbers(constants, model_or_metric.constants)))


def _model_with_numbers(model: Model, constants: Mapping[str, Any]) -> Model:
    """Model with numbers for constants, by their names or by those of the symbols that they have for values."""
    loose = {symbol.name: symbol for value in model.constants.values() for symbol in value.free_symbols}
    own = {symbol.name: symbol for symbol in model.constants}
    numbers = _numbers(constants, (loose | own).values())
    values = {symbol: numbers.get(symbol, value.subs(numbers)) for symbol, value in model.constants.items()}
    for variable, support in zip(model.variables, model.supports, strict=False):
        if support.subs(values).is_empty:
            told = ", ".join(f"{symbol} = {number}" for symbol, number in numbers.items())
            raise ValueError(f"constants must leave values to {variable}, whose support is {support}, got {told}")
    model = replace(model, constants=values)
    if model.structure:
        model.structure.check(model)
    return model


def _numbers(constants: Mapping[str, Any], symbols: Iterable[Symbol]) -> dict[Symbol, Expr]:
    """Numbers for some of the symbols, by their names."""
    if not isinstance(constants, Mapping):
        raise TypeError(f"constants must be a mapping of names to numbers, got {constants!r}")
    given = by_name("constants", constants)
    for name, value in given.items():
        if np.shape(value):
            raise TypeError(f"constants[{name!r}] must be one number, got shape {np.shape(value)}; evaluate for each")
    numbers = constants_of("constants", given, list(symbols), "constants['{0}']")
    for symbol, number in numbers.items():
        if not number.is_real or abs(number) > sympy.Float(np.finfo(float).max):
            raise ValueError(f"constants[{symbol.name!r}] must be a real float64 number, got {number.evalf(4)}")
    return numbers


def _by_names(numbers: Mapping[Symbol, Expr]) -> dict[str, Expr]:
    return {symbol.name: number for symbol, number in numbers.items()}


def _of_metric(metric: Metric) -> Metric:
    """The metric with `Held` symbols in place of its constants."""
    if metric not in _OF_METRICS:
        known = {symbol: Held.in_place_of(symbol) for symbol in metric.constants}
        _OF_METRICS[metric] = _in_place(metric, metric.form.subs(known), known, known, [*known.values()])
    return _OF_METRICS[metric]


def _in_place(
    metric: Metric, form: Form, known: Mapping[Symbol, Expr], text: Mapping[Symbol, Expr], constants: Sequence[Symbol]
) -> Metric:
    """Metric of another form; ``text`` is put into what is averaged like a matrix, all that is known into the rest."""
    constraints = [condition.subs(known) for condition in metric.constraints]
    observables = {name: e.subs(text) for name, e in metric.observables.items()}
    return replace(metric, matrix=form, constants=constants, constraints=constraints, observables=observables)


def _of_model(model: Model) -> Metric | None:
    """Metric of the model with `Held` symbols for its constants; None where it takes numbers."""
    if model not in _OF_MODELS:
        try:
            symbols = {symbol: Held.in_place_of(symbol) for symbol in model.constants}
            _OF_MODELS[model] = in_numbers(replace(model, constants=symbols))
        except (TypeError, ValueError):  # an expectation, or what takes numbers alone
            _OF_MODELS[model] = None
    return _OF_MODELS[model]


def _with_data(metric: Metric, numbers: Mapping[str, Expr]) -> Metric | None:
    """Metric with numbers for `Held` symbols, by name; None where its form takes them as text alone."""
    known = {symbol: numbers[symbol.name] for symbol in metric.constants if symbol.name in numbers}
    text = dict(_written(known, [*metric.form.expressions, *metric.observables.values()]))
    data = {symbol: number for symbol, number in known.items() if symbol not in text}
    form = (metric.form.subs(text) if text else metric.form).holding(data)
    if form is None:
        return None
    others = [symbol for symbol in metric.constants if symbol not in known]
    found = _in_place(metric, form, known, text, others)
    told = {symbol.name: str(number) for symbol, number in known.items()}
    return replace(found, attributes=dict(metric.attributes) | told)


def _written(known: Mapping[Symbol, Expr], expressions: Collection[Expr]) -> Iterator[tuple[Symbol, Expr]]:
    """Constants whose numbers are text."""
    of_text: set[Symbol] = set()
    for e in expressions:
        for part in e.atoms(sympy.Function):
            orders = part.args[: facts_of(type(part)).orders]
            of_text.update(*(order.free_symbols for order in orders))
        for power in e.atoms(sympy.Pow):
            held = power.exp.free_symbols & known.keys()
            if held and power.base.is_zero is not False and power.exp.subs(known).is_Integer:
                of_text |= held
    for symbol, number in known.items():
        if symbol in of_text or not number.is_Rational:
            yield symbol, number
