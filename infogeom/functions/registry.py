"""Every function that is known, SymPy's and this package's, by its class."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Expr

from infogeom.functions.facts import Facts
from infogeom.functions.of_sympy import OF_SYMPY
from infogeom.functions.primitive import primitives

__all__ = ["facts_of", "functions_that", "known_functions", "rewritten"]

UNKNOWN = Facts(name="")


def known_functions() -> dict[type, Facts]:
    """Every function of SymPy's and of this package that is known, with its facts."""
    return {**OF_SYMPY, **primitives()}


def facts_of(function: type) -> Facts:
    """Facts of a function; of one that is not known, that nothing is known."""
    facts: Facts = getattr(function, "facts", None) or OF_SYMPY.get(function, UNKNOWN)
    return facts


def functions_that(wanted: Callable[[Facts], bool]) -> tuple[type, ...]:
    """Functions whose facts are as wanted."""
    return tuple(function for function, facts in known_functions().items() if wanted(facts))


def rewritten(expression: Expr, *into: type) -> Expr:
    """Expression with the functions of this package by those of SymPy's that are named, where they say how."""
    for target in into:
        says_how = f"_eval_rewrite_as_{target.__name__}"
        expression = expression.rewrite([f for f in primitives() if hasattr(f, says_how)], target)
    return expression
