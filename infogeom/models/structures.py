"""What can be known of a model beside its log-density, a class a kind."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, ImmutableMatrix

from infogeom.models.model import Structure

__all__ = [
    "STATES_WRITTEN_OUT",
    "Counts",
    "Gaussian",
    "QuadraticForms",
    "States",
    "Wishart",
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
