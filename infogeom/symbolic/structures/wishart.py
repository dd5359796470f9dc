"""Wishart laws: sums of squares of normal vectors, whose number may be a parameter."""

from __future__ import annotations

import sympy
from sympy import Expr, ImmutableMatrix

from infogeom.models.matrices import adjugate
from infogeom.models.parameter import Constant
from infogeom.models.structures import Gaussian, Wishart
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.matrix_entries import symmetric_of
from infogeom.symbolic.structures.gaussian import entries_of, gaussian_matrix, of_quadratic_forms
from infogeom.symbolic.structures.rules import Derived, Rules, rules_for

__all__ = ["WishartRules"]


@rules_for(Wishart)
class WishartRules(Rules[Wishart]):
    """ν times what a centred normal law has, and derivatives of log Γ_d(½ ν) for a free ν."""

    def matrix(self) -> Derived:
        """ν times the metric of a centred normal law, and ¼ Σ_k ψ′((ν − k)/2) and ½ tr(Σ⁻¹ ∂_a Σ) for a free ν."""
        law, coordinates = self.structure, self.coordinates
        inverse, determinant = adjugate(law.scale)
        block = gaussian_matrix(Gaussian(sympy.zeros(law.scale.rows, 1), law.scale), coordinates)

        def beside_number(b: int) -> Expr:
            terms = [m * inverse[j, i] for i, j, m in entries_of(law.scale.diff(coordinates[b]))]
            return sympy.Add(*terms) / (2 * determinant)

        def entry(a: int, b: int) -> Expr:
            if coordinates[a] != law.number:
                return law.number * block[a, b]
            return self._digammas(1) / 4 if a == b else beside_number(b)

        return Derived(self._checked(symmetric_of(len(coordinates), entry)))

    def cumulants(self) -> Cumulants:
        """Those of tr(A S) in the frame where Σ is the identity, and of log |S| for a free ν."""
        law = self.structure
        identity = ImmutableMatrix(sympy.eye(law.scale.rows))
        forms = of_quadratic_forms((), law.statistics, identity).times(law.number)
        if not law.number.is_Symbol or isinstance(law.number, Constant):
            return forms

        # With p ∝ exp(tr(Θ S) + ½ ν log|S|) the log-partition is −½ ν log|−2Θ| + log Γ_d(½ ν) + ½ ν d log 2.
        n = len(law.statistics)
        traces = ImmutableMatrix([A.trace() for A in law.statistics])
        first_row = sympy.Matrix([[self._digammas(1) / 4, *traces]])
        second = sympy.Matrix.vstack(first_row, sympy.Matrix.hstack(traces, forms.second))
        third = {(i + 1, j + 1, k + 1): e for (i, j, k), e in forms.third.items()}
        third |= {(0, i + 1, j + 1): forms.second[i, j] / law.number for i in range(n) for j in range(i, n)}
        third[0, 0, 0] = self._digammas(2) / 8
        return Cumulants(ImmutableMatrix(second), third)

    def _digammas(self, order: int) -> Expr:
        """Derivative of the logarithm of the multivariate gamma function at ½ ν, of order + 1."""
        arguments = [(self.structure.number - k) / 2 for k in range(self.structure.scale.rows)]
        return sympy.Add(*(sympy.polygamma(order, u) for u in arguments))
