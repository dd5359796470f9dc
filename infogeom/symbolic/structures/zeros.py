"""Counts whose zeros are a matter of their own: whether there is a count, and beside it the law of those that are."""

from __future__ import annotations

from sympy import Expr, Rational

from infogeom.models.structures import ZeroModified
from infogeom.symbolic.matrix_entries import symmetric_of
from infogeom.symbolic.structures.kept import closed
from infogeom.symbolic.structures.rules import Derived, Rules, rules_for

__all__ = ["ZeroModifiedRules"]


@rules_for(ZeroModified)
class ZeroModifiedRules(Rules[ZeroModified]):
    """A Bernoulli metric, and that of the counts from 1 on as often as there are some."""

    def matrix(self) -> Derived:
        """∂π ∂πᵀ/(π (1 − π)) + (1 − π) g, nothing of which cancels."""
        structure, part = self.structure, closed(self.structure.part)
        slopes = [structure.none.diff(t) for t in self.coordinates]
        places = {t: k for k, t in enumerate(part.coordinates)}

        def entry(i: int, j: int) -> Expr:
            whether = slopes[i] * slopes[j] / (structure.none * structure.some)
            first, second = (places.get(self.coordinates[k]) for k in (i, j))
            if first is None or second is None:
                return whether
            return whether + structure.some * part.matrix[first, second]

        return Derived(self._checked(self._presented(symmetric_of(len(self.coordinates), entry))))

    def ricci_scalar(self) -> Expr | None:
        """Of a part with one parameter du² it is the sphere dπ²/(π (1 − π)) + (1 − π) du² of radius 2."""
        return Rational(1, 2) if len(self.coordinates) == 2 else None
