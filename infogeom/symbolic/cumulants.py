"""Cumulants of the sufficient statistics of an exponential family: its curvature needs no more than the first few.

In natural parameters g and ∂g are the second and third cumulants of the statistics, and R is
¼ (‖T‖² − ‖tr T‖²) (SCIENCE.md 2), whatever coordinates name the point; so R takes no derivative of g.  Affine functions
of the statistics do as well as the statistics themselves, even such that differ from point to point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy
from sympy import Expr, ImmutableMatrix

__all__ = ["Cumulants", "direct_sum"]

Triple = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Cumulants:
    """Second and third cumulants of the sufficient statistics, functions of the coordinates.

    Attributes
    ----------
    second : ImmutableMatrix, shape (n, n)
    third : mapping of (i, j, k), i ≤ j ≤ k, to Expr
        Those that do not vanish.
    natural : bool
        Whether they are g and ∂g in the coordinates of the metric itself.
    """

    second: ImmutableMatrix
    third: Mapping[Triple, Expr]
    natural: bool = False

    def subs(self, values: Mapping[Expr, Expr]) -> Cumulants:
        """Cumulants with symbols replaced, all at once."""
        if not values:
            return self
        third = {at: e.subs(values, simultaneous=True) for at, e in self.third.items()}
        return replace(self, second=self.second.subs(values, simultaneous=True), third=third)

    def times(self, number: Expr) -> Cumulants:
        """Cumulants of the sum of so many independent copies."""
        third = {at: number * e for at, e in self.third.items()}
        return replace(self, second=number * self.second, third=third)


def direct_sum(parts: Sequence[Cumulants]) -> Cumulants:
    """Cumulants of independent statistics."""
    third: dict[Triple, Expr] = {}
    start = 0
    for part in parts:
        third |= {(i + start, j + start, k + start): e for (i, j, k), e in part.third.items()}
        start += part.second.rows
    blocks = [part.second for part in parts]
    return Cumulants(ImmutableMatrix(sympy.diag(*blocks)), third, all(part.natural for part in parts))
