"""The law over which an expectation runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, combinations_with_replacement

import sympy
from sympy import Expr, Set, Symbol

from infogeom.models.model import Model

__all__ = ["Law", "anchored", "kinks_of", "law_of", "moving_kinks", "scores_of"]


@dataclass(frozen=True)
class Law:
    """A density of one or several variables.

    Attributes
    ----------
    log_density : sympy.Expr
    variables : tuple of Symbol
    supports : tuple of sympy.Set
        None where the base measure is not given.
    copies : sympy.Expr
        How many independent observations there are.
    observed : sympy.Expr, optional
        Log-density of what is observed, where that is a function of variables and parameters; scores are its.
    change : tuple of (Symbol, sympy.Expr)
        What is observed by the variables.
    """

    log_density: Expr
    variables: tuple[Symbol, ...]
    supports: tuple[Set, ...]
    copies: Expr | int = 1
    observed: Expr | None = None
    change: tuple[tuple[Symbol, Expr], ...] = ()

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """All that it is written with but for the supports."""
        given = () if self.observed is None else (self.observed,)
        return (self.log_density, *given, *dict(self.change).values())

    @property
    def own(self) -> tuple[Symbol, ...]:
        """The variables, and what is observed."""
        return (*self.variables, *dict(self.change))

    @property
    def arguments(self) -> set[Symbol]:
        """What it holds besides."""
        symbols = [e.free_symbols for e in self.expressions]
        return set().union(*symbols) - {*self.own}

    def written(self, function: Callable[[Expr], Expr]) -> Law:
        """The law with a function of each of its expressions in their place."""
        observed = None if self.observed is None else function(self.observed)
        change = tuple((symbol, function(e)) for symbol, e in self.change)
        return replace(self, log_density=function(self.log_density), observed=observed, change=change)

    def derivatives(self, x: Sequence[Symbol], order: int) -> list[Expr]:
        """All derivatives of ℓ in the parameters x up to an order, each once, as functions of the variables."""
        known: dict[tuple[int, ...], Expr] = {(): self.log_density if self.observed is None else self.observed}
        # One step at a time: SymPy would simplify what it takes in several.
        for rank in range(1, order + 1):
            for along in combinations_with_replacement(range(len(x)), rank):
                known[along] = known[along[:-1]].diff(x[along[-1]])
        return [e.subs(self.change) for e in known.values()][1:]


def law_of(model: Model) -> Law:
    """Law of a model's variables, constants being symbols."""
    density = model.log_density.subs(model.change_of_variable)
    for x in model.change_of_variable.values():
        (variable,) = model.variables
        density += sympy.log(sympy.Abs(x.diff(variable)))
    observed = model.log_density if model.change_of_variable else None
    change = tuple(model.change_of_variable.items())
    return Law(density, model.variables, model.supports, observed=observed, change=change)


def anchored(law: Law) -> Law:
    """A law of the same scores in which a variable that begins where others are stands for its distance from there.

    Distances keep their digits, and so does a density that is singular where they vanish.
    """
    density, supports = law.log_density, list(law.supports)
    for k, variable in enumerate(law.variables):
        support = supports[k]
        if isinstance(support, sympy.Interval) and support.start.free_symbols:
            away = {variable: support.start + variable}
            density = density.xreplace(away)
            supports[k] = sympy.Interval(0, support.end - support.start, support.left_open, support.right_open)
            supports[k + 1 :] = [after.xreplace(away) for after in supports[k + 1 :]]
    return replace(law, log_density=density, supports=tuple(supports))


def scores_of(model: Model) -> tuple[Expr, ...]:
    """Scores ∂_i log p as functions of the variables."""
    return tuple(model.log_density.diff(p.symbol).subs(model.change_of_variable) for p in model.parameters)


def kinks_of(density: Expr, variable: Symbol) -> list[Expr]:
    """Values of a variable where a density is not smooth, as far as SymPy can solve for them."""
    kinks: dict[Expr, None] = {}
    for e in _changing_sign(density):
        if variable in e.free_symbols:
            try:
                kinks |= dict.fromkeys(sympy.solve(e, variable))
            except NotImplementedError:
                continue
    return [kink for kink in kinks if kink.is_real is not False]


def moving_kinks(density: Expr, parameters: Sequence[Symbol]) -> list[Expr]:
    """Expressions in parameters where whose sign changes another piece of a density begins."""
    return [e for e in _changing_sign(density) if e.free_symbols & {*parameters}]


def _changing_sign(density: Expr) -> list[Expr]:
    """Expressions where whose sign changes another piece of the density begins."""
    changing = [f.args[0] for f in density.atoms(sympy.Abs, sympy.sign, sympy.Heaviside)]
    for f in density.atoms(sympy.Max, sympy.Min):
        changing += [a - b for a, b in combinations(f.args, 2)]
    for f in density.atoms(sympy.Piecewise):
        for piece in f.args:
            changing += [r.lhs - r.rhs for r in piece.cond.atoms(sympy.core.relational.Relational)]
    return changing
