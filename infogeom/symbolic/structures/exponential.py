"""Exponential families with a density: their log-partition function gives the cumulants, the density the metric."""

from __future__ import annotations

from itertools import combinations_with_replacement

import sympy
from sympy import Expr

from infogeom.models.structures import Exponential
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.matrix_entries import symmetric_of
from infogeom.symbolic.structures.rules import Rules, rules_for

__all__ = ["ExponentialRules"]


@rules_for(Exponential)
class ExponentialRules(Rules[Exponential]):
    """The metric by the score identities; cumulants besides."""

    def cumulants(self) -> Cumulants:
        """Second and third derivatives of the log-partition function."""
        psi, natural = self.structure.psi, dict(self.structure.natural)
        symbols = [*natural]

        def derivative(*at: int) -> Expr:
            return psi.diff(*(symbols[k] for k in at)).subs(natural, simultaneous=True)

        triples = {at: derivative(*at) for at in combinations_with_replacement(range(len(symbols)), 3)}
        third = {at: e for at, e in triples.items() if e != sympy.S.Zero}
        return Cumulants(symmetric_of(len(symbols), derivative), third)
