"""Fisher metrics of normal laws and of what is made of them, inverses left as adjugates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import sympy
from sympy import Expr, ImmutableMatrix, Symbol

from infogeom.models.matrices import adjugate
from infogeom.models.parameter import Constant
from infogeom.models.structures import Gaussian, Wishart
from infogeom.symbolic.cumulants import Cumulants, of_quadratic_forms

__all__ = ["gaussian_cumulants", "gaussian_matrix", "wishart_cumulants", "wishart_matrix"]

Entries = list[tuple[int, int, Expr]]


def gaussian_matrix(law: Gaussian, coordinates: Sequence[Symbol]) -> ImmutableMatrix:
    """∂_a μᵀ Σ⁻¹ ∂_b μ + ½ tr(Σ⁻¹ ∂_a Σ Σ⁻¹ ∂_b Σ) (Skovgaard 1984, Sec. 2); the trace is that of the precision too."""
    inverse, determinant = adjugate(law.matrix)
    forms = law.matrix if law.is_precision else inverse
    slopes = [_entries(law.mean.diff(c)) for c in coordinates]
    moves = [_entries(law.matrix.diff(c)) for c in coordinates]

    def entry(a: int, b: int) -> Expr:
        shift = sympy.Add(*(m * n * forms[i, j] for i, _, m in slopes[a] for j, _, n in slopes[b]))
        turn = sympy.Add(*(m * n * inverse[j, k] * inverse[l, i] for i, j, m in moves[a] for k, l, n in moves[b]))
        return shift / (1 if law.is_precision else determinant) + turn / 2 / determinant**2

    return _symmetric(len(coordinates), entry)


def gaussian_cumulants(law: Gaussian) -> Cumulants | None:
    """Cumulants of the statistics of an exponential family of normal laws."""
    forms = law.statistics
    return of_quadratic_forms(forms.linear, forms.quadratic, forms.covariance) if forms else None


def wishart_matrix(law: Wishart, coordinates: Sequence[Symbol]) -> ImmutableMatrix:
    """ν times the metric of a centred normal law, and ¼ Σ_k ψ′((ν − k)/2) and ½ tr(Σ⁻¹ ∂_a Σ) for a free ν."""
    inverse, determinant = adjugate(law.scale)
    block = gaussian_matrix(Gaussian(sympy.zeros(law.scale.rows, 1), law.scale), coordinates)
    moves = [_entries(law.scale.diff(c)) for c in coordinates]

    def entry(a: int, b: int) -> Expr:
        if coordinates[a] == law.number:
            if a == b:
                return _digammas(law, 1) / 4
            return sympy.Add(*(m * inverse[j, i] for i, j, m in moves[b])) / (2 * determinant)
        return law.number * block[a, b]

    return _symmetric(len(coordinates), entry)


def wishart_cumulants(law: Wishart) -> Cumulants:
    """Cumulants of tr(A S) in the frame where Σ is the identity, and of log |S| for a free ν."""
    d = law.scale.rows
    forms = of_quadratic_forms((), law.statistics, ImmutableMatrix(sympy.eye(d))).times(law.number)
    if not law.number.is_Symbol or isinstance(law.number, Constant):
        return forms
    # With p ∝ exp(tr(Θ S) + ½ ν log|S|) the log-partition is −½ ν log|−2Θ| + log Γ_d(½ ν) + ½ ν d log 2.
    n = len(law.statistics)
    traces = ImmutableMatrix([A.trace() for A in law.statistics])
    second = sympy.Matrix.vstack(
        sympy.Matrix([[_digammas(law, 1) / 4, *traces]]), sympy.Matrix.hstack(traces, forms.second)
    )
    third = {(i + 1, j + 1, k + 1): e for (i, j, k), e in forms.third.items()}
    third |= {(0, i + 1, j + 1): forms.second[i, j] / law.number for i in range(n) for j in range(i, n)}
    third[0, 0, 0] = _digammas(law, 2) / 8
    return Cumulants(ImmutableMatrix(second), third)


def _digammas(law: Wishart, order: int) -> Expr:
    """Derivative of the logarithm of the multivariate gamma function at ½ ν, of order + 1."""
    return sympy.Add(*(sympy.polygamma(order, (law.number - k) / 2) for k in range(law.scale.rows)))


def _symmetric(n: int, entry: Callable[[int, int], Expr]) -> ImmutableMatrix:
    return ImmutableMatrix(n, n, lambda a, b: entry(min(a, b), max(a, b)))


def _entries(matrix: ImmutableMatrix) -> Entries:
    return [(i, j, matrix[i, j]) for i, j in product(*map(range, matrix.shape)) if matrix[i, j] != 0]
