"""The law over which an expectation runs."""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr, Set, Symbol

from infogeom.models.model import Model

__all__ = ["Law", "law_of", "scores_of"]


@dataclass(frozen=True)
class Law:
    """A density of one or several variables.

    Attributes
    ----------
    log_density : sympy.Expr
    variables : tuple of Symbol
    supports : tuple of sympy.Set
        None where the base measure is not given.
    """

    log_density: Expr
    variables: tuple[Symbol, ...]
    supports: tuple[Set, ...]


def law_of(model: Model) -> Law:
    """Law of a model's variables, constants being symbols."""
    density = model.log_density.subs(model.observed)
    for x in model.observed.values():
        (variable,) = model.variables
        density += sympy.log(sympy.Abs(x.diff(variable)))
    return Law(density, model.variables, model.supports)


def scores_of(model: Model) -> tuple[Expr, ...]:
    """Scores ∂_i log p as functions of the variables."""
    return tuple(model.log_density.diff(p.symbol).subs(model.observed) for p in model.parameters)
