"""Metrics of models by the rules of their structures: each is derived once, and kept as long as its model lives."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import sympy
from sympy import Symbol

from infogeom import precision
from infogeom.functions.facts import Arithmetic
from infogeom.functions.registry import facts_of
from infogeom.models.law import law_of
from infogeom.models.model import Model
from infogeom.models.parameter import Held
from infogeom.symbolic.definition import is_no_logarithm
from infogeom.symbolic.expectation import ExpectationError, LateExpectationError, OpenExpectationError
from infogeom.symbolic.metric_value import Metric
from infogeom.symbolic.structures.rules import rules_of

__all__ = ["check_known", "closed", "in_numbers"]

#: Functions that can be integrated over.
OF_SCIPY = frozenset({"besselj", "bessely", "besseli", "besselk", "airyai", "airybi", "expint", "fresnelc", "fresnels"})
#: In closed form; and where the expectations do not close.
_CLOSED: WeakKeyDictionary[Model, Metric] = WeakKeyDictionary()
_OPEN: WeakKeyDictionary[Model, Metric] = WeakKeyDictionary()


def closed(model: Model) -> Metric:
    """Metric in closed form; ExpectationError where there is none."""
    with precision.held():
        if model not in _CLOSED:
            _CLOSED[model] = _derived(model)
        return _CLOSED[model]


def in_numbers(model: Model) -> Metric:
    """Metric in the form that gives its numbers: a closed one if there is one."""
    with precision.held():
        if model in _OPEN:
            return _OPEN[model]
        try:
            metric = closed(model)
            if not (unknown := _without_kernel(metric)):
                return metric
            reason = OpenExpectationError(f"model {model.name!r} has a closed form with {unknown}, which has no kernel")
        except OpenExpectationError as error:
            reason = error
        _OPEN[model] = _open(model, reason)
        return _OPEN[model]


def _without_kernel(metric: Metric) -> str:
    """A function of a closed form that SciPy knows and kernels do not; empty where there is none."""
    for f in sorted(metric.matrix.atoms(sympy.Function), key=sympy.default_sort_key):
        name, known = type(f).__name__, facts_of(type(f)).exists_in(Arithmetic.FLOAT64)
        if f.free_symbols and not known and name in OF_SCIPY:
            return name
    return ""


def check_known(constants: set[Symbol]) -> None:
    """Raise for constants that a metric cannot have in numbers."""
    if loose := sorted(s.name for s in constants):
        raise ValueError(f"constants {loose} of the metric need numbers before it can be evaluated")


def _derived(model: Model) -> Metric:
    rules, known = rules_of(model), dict(model.constants)
    try:
        derived = rules.matrix()
    except ExpectationError:
        if is_no_logarithm(law_of(model), rules.coordinates, [p.typical for p in model.parameters]):
            told = f"log_density must be log p, got {model.log_density}, which is p: it integrates to 1 itself"
            raise ExpectationError(f"model {model.name!r}: {told}") from None
        raise
    form = rules.closed_form(derived.matrix).subs(known)
    observables = {name: e.subs(known) for name, e in model.observables.items()}
    return Metric(
        rules.coordinates,
        form,
        domains=[p.domain for p in model.parameters],
        constraints=[c.subs(known) for c in model.constraints],
        constants=sorted(_symbols(model), key=str),
        observables=observables,
        attributes=_attributes(model) | {"derivation": derived.by},
    )


def _open(model: Model, reason: OpenExpectationError) -> Metric:
    symbols = _symbols(model)
    check_known({symbol for symbol in symbols if not isinstance(symbol, Held)})
    rules = rules_of(model)
    form, by = rules.open_form(reason)
    late = {"derivation": f"none within {model.budget:g} s"} if isinstance(reason, LateExpectationError) else {}
    return Metric(
        rules.coordinates,
        form,
        domains=[p.domain for p in model.parameters],
        constraints=[c.subs(model.constants) for c in model.constraints],
        constants=sorted(symbols, key=str),
        attributes=_attributes(model) | {"expectation": by} | late,
    )


def _symbols(model: Model) -> set[Symbol]:
    """Constants that are given as symbols."""
    return set().union(*(value.free_symbols for value in model.constants.values()))


def _attributes(model: Model) -> dict[str, str]:
    attributes = {"model": model.name, "fisher": model.fisher}
    attributes |= {str(symbol): str(value) for symbol, value in model.constants.items()}
    if model.structure and model.structure.per:
        attributes["per"] = model.structure.per
    return attributes | ({"loss": model.loss.name} if model.loss else {})
