"""Families that are known by the cumulants of their statistics at a point, and by no formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from sympy import Expr, Symbol

from infogeom.models.gibbs import Gibbs
from infogeom.symbolic.forms import Form, Place

__all__ = ["CumulantsAtPoint"]


@dataclass(frozen=True, eq=False, repr=False)
class CumulantsAtPoint(Form):
    """Covariance of the statistics of a Gibbs model in its natural parameters, a Hessian metric.

    Parameters
    ----------
    structure : Gibbs
        What the model is; `infogeom.kernels.gibbs` has a way to the mean and the second and third cumulants of each.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.symbolic.numeric_metric(ig.models.ising_torus(4)).form.told
    'the Ising model on a torus of 4 × 4'
    """

    structure: Gibbs

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """None: it is all numbers."""
        return ()

    @property
    def natural(self) -> bool:
        """They are."""
        return True

    @property
    def told(self) -> str:
        """What the model is."""
        return self.structure.told

    def read(self, place: Place) -> Self:
        """As it is."""
        return replace(self)

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the covariance."""
        return r"\mathrm{Cov}(X_i, X_j)"
