"""What can be known of a model beside its log-density, a class a kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from sympy import Expr, ImmutableMatrix, Symbol

from infogeom.models.model import Model, Number, Structure

__all__ = [
    "STATES_WRITTEN_OUT",
    "Counts",
    "Exponential",
    "Gaussian",
    "QuadraticForms",
    "States",
    "Wishart",
    "ZeroModified",
]

#: States up to which sums over them are written out.
STATES_WRITTEN_OUT = 8


@dataclass(frozen=True)
class Counts(Structure):
    """Counts of outcomes in so many trials, or, with the sign +1, before so many successes.

    Attributes
    ----------
    means : tuple of Expr
        For one trial, or one success.
    number : Expr
    sign : {-1, 1}
    """

    means: tuple[Expr, ...]
    number: Expr
    sign: int = -1

    def draw(self, model: Model, number: Number, n: int, rng: Generator) -> NDArray[np.float64]:
        """Of outcomes in trials; before so many successes Poisson counts whose common rate is gamma distributed."""
        means, trials = [number(e) for e in self.means], number(self.number)
        if self.sign < 0:
            found = rng.multinomial(round(trials), [*means, 1 - sum(means)], n)[:, :-1]
        else:
            found = rng.poisson(rng.gamma(trials, size=n)[:, None] * means)
        return np.asarray(found, dtype=float)


@dataclass(frozen=True)
class States(Structure):
    """An exponential family over few states, in natural parameters.

    Attributes
    ----------
    statistics : tuple of tuples of int
        The sufficient statistics of every state.
    """

    statistics: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class QuadraticForms:
    """Sufficient statistics aᵀz and zᵀAz at a point, where z is a centred normal vector.

    Attributes
    ----------
    linear, quadratic : tuple of ImmutableMatrix
        The vectors a and the symmetric matrices A.
    covariance : ImmutableMatrix
        Of z. The identity where the family is closed under the maps that make it so: z is then the whitened vector,
        and the cumulants are numbers.
    """

    linear: tuple[ImmutableMatrix, ...]
    quadratic: tuple[ImmutableMatrix, ...]
    covariance: ImmutableMatrix


@dataclass(frozen=True)
class Exponential(Structure):
    """An exponential family with a density, by its log-partition function.

    Attributes
    ----------
    psi : Expr
        In symbols of its own, the natural parameters.
    natural : tuple of (Symbol, Expr)
        Each of these with what it is in the parameters of the model.
    """

    psi: Expr
    natural: tuple[tuple[Symbol, Expr], ...]


@dataclass(frozen=True)
class Gaussian(Structure):
    """A normal law by its mean and its covariance, or its precision.

    Attributes
    ----------
    mean : ImmutableMatrix, shape (d, 1)
    matrix : ImmutableMatrix, shape (d, d)
        Covariance or precision.
    is_precision : bool
    statistics : QuadraticForms, optional
        Of an exponential family.
    """

    mean: ImmutableMatrix
    matrix: ImmutableMatrix
    is_precision: bool = False
    statistics: QuadraticForms | None = None

    def draw(self, model: Model, number: Number, n: int, rng: Generator) -> NDArray[np.float64]:
        """By NumPy's sampler."""
        mean = np.array([number(e) for e in self.mean])
        given = np.array([number(e) for e in self.matrix]).reshape(len(mean), len(mean))
        covariance = np.linalg.inv(given) if self.is_precision else given
        return rng.multivariate_normal(mean, covariance, n)


@dataclass(frozen=True)
class Wishart(Structure):
    """Law of the sum of so many squares x xᵀ of centred normal vectors, whose number may be a parameter.

    Attributes
    ----------
    scale : ImmutableMatrix, shape (d, d)
        Covariance of the vectors.
    number : Expr
    statistics : tuple of ImmutableMatrix
        The matrices A of tr(A S).
    """

    scale: ImmutableMatrix
    number: Expr
    statistics: tuple[ImmutableMatrix, ...]


@dataclass(frozen=True)
class ZeroModified(Structure):
    """No count with one probability, else a count from 1 on.

    Attributes
    ----------
    none, some : Expr
        Both probabilities, each in a writing that keeps its digits.
    part : Model
        Law of the counts from 1 on, by parameters of the whole.
    """

    none: Expr
    some: Expr
    part: Model
