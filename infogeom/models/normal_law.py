"""Normal laws of many components, by the few expressions that their mean and covariance are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sympy
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from sympy import Expr, Symbol

from infogeom.models.entries import Entries
from infogeom.models.model import Model, Number, Structure
from infogeom.models.parameter import REALS, Parameter

__all__ = ["NormalLaw", "normal_law"]


@dataclass(frozen=True)
class NormalLaw(Structure):
    """A normal law whose metric is known by numbers alone.

    Attributes
    ----------
    mean : Entries, shape (d, 1)
    matrix : Entries, shape (d, d)
        Covariance or precision, symmetric.
    is_precision : bool
    is_positive : bool
        Whether the matrix is known to be positive definite in the whole domain.
    """

    mean: Entries
    matrix: Entries
    is_precision: bool = False
    is_positive: bool = False

    @property
    def told(self) -> str:
        """What it is, for messages."""
        return f"a normal law of {self.mean.shape[0]} components"

    def subs(self, known: Mapping[Symbol, Any]) -> NormalLaw:
        """The law with expressions for symbols."""
        return NormalLaw(self.mean.subs(known), self.matrix.subs(known), self.is_precision, self.is_positive)

    def draw(self, model: Model, number: Number, n: int, rng: Generator) -> NDArray[np.float64]:
        """By the Cholesky factor of the covariance, or of the precision."""
        factor = self._factor(number)
        z = rng.standard_normal((n, len(factor)))
        moved = np.linalg.solve(factor.T, z.T).T if self.is_precision else z @ factor.T
        return np.asarray(_numbers(self.mean, number)[:, 0] + moved)

    def log_density(self, number: Number, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """By the Cholesky factor."""
        factor, away = self._factor(number), x - _numbers(self.mean, number)[:, 0]
        rows = away.reshape(-1, len(factor))
        z = rows @ factor if self.is_precision else solve_triangular(factor, rows.T, lower=True).T
        volume = np.log(np.diag(factor)).sum() * (1 if self.is_precision else -1)
        found = volume - (z**2).sum(-1) / 2 - len(factor) * np.log(2 * np.pi) / 2
        return np.asarray(found.reshape(x.shape[:-1]))

    def scores(self, symbols: Sequence[Symbol], number: Number, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """With y away from the mean and z = Σ⁻¹ y: ∂μᵀ z + ½ (zᵀ ∂Σ z − tr Σ⁻¹ ∂Σ)."""
        self._factor(number)
        matrix, away = _numbers(self.matrix, number), x - _numbers(self.mean, number)[:, 0]
        inverse = np.linalg.inv(matrix)
        z = away @ (matrix if self.is_precision else inverse)
        found = []
        for symbol in symbols:
            move, slope = _numbers(self.matrix.diff(symbol), number), _numbers(self.mean.diff(symbol), number)[:, 0]
            y = away if self.is_precision else z
            form = np.einsum("...i,ij,...j->...", y, move, y) - (inverse * move).sum()
            found.append(z @ slope + form / (-2 if self.is_precision else 2))
        return np.stack(found, axis=-1)

    def _factor(self, number: Number) -> NDArray[np.float64]:
        """Lower Cholesky factor of the covariance, or of the precision."""
        try:
            return np.asarray(np.linalg.cholesky(_numbers(self.matrix, number)))
        except np.linalg.LinAlgError:
            raise ValueError("the covariance is not positive definite") from None


def _numbers(entries: Entries, number: Number) -> NDArray[np.float64]:
    """Values of the entries."""
    found = np.zeros(entries.shape)
    for pattern in entries.patterns:
        symbols = sorted(pattern.expression.free_symbols - {*pattern.slots}, key=str)
        function = sympy.lambdify([*symbols, *pattern.slots], pattern.expression, ["scipy", "numpy"])
        at_point = partial(function, *map(number, symbols))
        values = [float(at_point(*map(float, row))) for row in pattern.numbers]
        for row, i, j in pattern.places:
            found[i, j] = values[row]
            if entries.symmetric:
                found[j, i] = values[row]
    return found


def normal_law(
    name: str,
    structure: NormalLaw,
    parameters: Sequence[Parameter],
    *,
    constraints: Sequence[Expr] = (),
    latex: str = "",
    source: str = "",
) -> Model:
    """Model of a vector x1 … with such a law, whose log-density has a name and no formula."""
    d = structure.mean.shape[0]
    x = sympy.symbols(f"x1:{d + 1}", real=True)
    held = structure.mean.free_symbols | structure.matrix.free_symbols
    taken = held & set(x)
    if taken:
        raise ValueError(f"model {name!r}: the names x1 … x{d} are those of the variables, got parameter {taken.pop()}")
    symbols = [p.symbol for p in parameters]
    unknown = sorted(map(str, held - {*symbols}))
    if unknown:
        raise ValueError(f"model {name!r}: symbols {unknown} are no parameters")
    for p in parameters:
        if p.symbol not in held:
            raise ValueError(f"model {name!r}: parameter {p.name!r} does not occur in the mean and the covariance")
    density = sympy.Function("log_density", real=True)(*x, *symbols)
    return Model(
        name,
        parameters,
        density,
        x,
        (REALS,) * d,
        constraints=constraints,
        structure=structure,
        latex=latex,
        source=source,
    )
