"""Counts of outcomes, whose log-density is affine in them."""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement

import sympy
from sympy import Expr

from infogeom.models.structures import Counts
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.matrix_entries import symmetric_of
from infogeom.symbolic.structures.rules import Derived, Rules, rules_for

__all__ = ["CountRules"]


@rules_for(Counts)
class CountRules(Rules[Counts]):
    """Metric and cumulants by the means of the counts."""

    def matrix(self) -> Derived:
        """−∂∂ log p, which is affine in the counts, at their means."""
        model, theta = self.model, self.coordinates
        means = {x: self.structure.number * mean for x, mean in zip(model.variables, self.structure.means, strict=True)}
        scores = [model.log_density.diff(t) for t in theta]

        @cache
        def mean(term: Expr) -> Expr:
            return sympy.factor_terms(term.xreplace(means))

        def entry(i: int, j: int) -> Expr:
            curvature = -scores[i].diff(theta[j])
            return sympy.Add(*map(mean, sympy.Add.make_args(curvature)))

        return Derived(self._checked(symmetric_of(len(theta), entry)))

    def cumulants(self) -> Cumulants:
        """κ_ij = n (p_i δ_ij ± p_i p_j) and what follows from it, κ_ijk = ∂κ_ij/∂θ_k with ∂p_i/∂θ_k = κ_ik/n.

        With the sign − counts of outcomes of n trials (multinomial), with + those before the n-th success (negative
        multinomial), p_i being the mean for each.
        """
        p, sign, n = self.structure.means, self.structure.sign, len(self.structure.means)

        def second(i: int, j: int) -> Expr:
            return p[i] * (1 + sign * p[i]) if i == j else sign * p[i] * p[j]

        def third(i: int, j: int, k: int) -> Expr:
            if i == j == k:
                return p[i] * (1 + sign * p[i]) * (1 + 2 * sign * p[i])
            if i < j < k:
                return 2 * p[i] * p[j] * p[k]
            return sign * p[i] * p[k] * (1 + 2 * sign * p[j])

        triples = {at: third(*at) for at in combinations_with_replacement(range(n), 3)}
        return Cumulants(symmetric_of(n, second), triples).times(self.structure.number)
