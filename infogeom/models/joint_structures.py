"""How observations of several variables come about: one after the other, or from those of another model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy
from numpy.random import Generator
from numpy.typing import NDArray
from sympy import Expr, Symbol

from infogeom.models.model import Model, Number, Structure

__all__ = ["DirichletCounts", "Mapped", "Pairs"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pairs(Structure):
    """Pairs in the unit square whose first member is uniform; the second is a quantile, given the first.

    Attributes
    ----------
    first, level : Symbol
        The first member, and the level of the quantile.
    quantile : Expr
        In these and the parameters.
    """

    first: Symbol
    level: Symbol
    quantile: Expr

    def draw(self, model: Model, number: Number, n: int, rng: Generator) -> Array:
        """The second by inversion."""
        u, w = rng.random((2, n))
        known = {p.symbol: number(p.symbol) for p in model.parameters}
        second = sympy.lambdify([self.first, self.level], self.quantile.subs(known), "numpy")(u, w)
        return np.column_stack([u, second])


@dataclass(frozen=True)
class Mapped(Structure):
    """Observations of another model in the same parameters, each carried over one to one, without them.

    Attributes
    ----------
    law : Model
    functions : tuple of Expr
        What is observed, in the variables of that model.
    """

    law: Model
    functions: tuple[Expr, ...]

    def drawn_from(self, model: Model, number: Number) -> tuple[Model, dict[Symbol, float]]:
        """The other model."""
        return self.law, {p.symbol: number(p.symbol) for p in self.law.parameters}

    def seen(self, x: Array) -> Array:
        """The functions of its observations."""
        values = sympy.lambdify(self.law.variables, list(self.functions), "scipy")
        return np.column_stack(values(*x.T))


@dataclass(frozen=True)
class DirichletCounts(Structure):
    """Counts of outcomes in so many trials whose probabilities follow a Dirichlet law.

    Attributes
    ----------
    weights : tuple of Symbol
        Of the Dirichlet law.
    number : int
    """

    weights: tuple[Symbol, ...]
    number: int

    def draw(self, model: Model, number: Number, n: int, rng: Generator) -> Array:
        """Of trials with probabilities that are drawn first."""
        shares = rng.dirichlet([number(weight) for weight in self.weights], n)
        counts = rng.multinomial(self.number, shares / shares.sum(axis=1, keepdims=True))
        return np.asarray(counts[:, :-1], dtype=float)
