"""Normal laws, inverses of their covariances left as adjugates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement, product

import sympy
from sympy import Expr, ImmutableMatrix, Matrix, Symbol

from infogeom.models.entries import entries_of_matrix
from infogeom.models.gaussians import MOST_DEPENDENT, MOST_PLAIN
from infogeom.models.matrices import adjugate
from infogeom.models.normal_law import NormalLaw
from infogeom.models.structures import Gaussian
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.forms import Form
from infogeom.symbolic.matrix_entries import symmetric_of
from infogeom.symbolic.normal_law import MeanAndCovariance
from infogeom.symbolic.structures.rules import Derived, Rules, rules_for

__all__ = ["GaussianRules", "entries_of", "gaussian_matrix", "of_quadratic_forms"]

Entries = list[tuple[int, int, Expr]]
Triple = tuple[int, int, int]


@rules_for(Gaussian)
class GaussianRules(Rules[Gaussian]):
    """Metric by mean and covariance, cumulants of quadratic forms."""

    def matrix(self) -> Derived:
        """By the formula for normal laws."""
        return Derived(self._checked(gaussian_matrix(self.structure, self.coordinates)))

    def matrix_in(self, old: Mapping[Symbol, Expr], new: Sequence[Symbol]) -> Matrix | None:
        """Of a submodel of many components by its own mean and precision: that of all parameters would be longer."""
        d = self.structure.mean.rows
        if len(new) >= len(old) or d <= MOST_DEPENDENT:
            return None
        if d > MOST_PLAIN or not self.structure.is_precision:
            raise OpenExpectationError(
                f"model {self.model.name!r}: the metric of a submodel of {d} components is not written out; "
                "infogeom.grid.evaluate takes it by numbers"
            )
        return gaussian_matrix(self._moved(old), new)

    def form_in(self, old: Mapping[Symbol, Expr]) -> tuple[Form, str] | None:
        """The law with its mean and its covariance, or its precision, as functions of other coordinates."""
        law = self._moved({symbol: e.subs(self.model.constants) for symbol, e in old.items()})
        mean, matrix = entries_of_matrix(law.mean), entries_of_matrix(law.matrix, symmetric=True)
        return MeanAndCovariance(NormalLaw(mean, matrix, law.is_precision)), "trace"

    def _moved(self, old: Mapping[Symbol, Expr]) -> Gaussian:
        """The law in other coordinates."""
        mean, matrix = (given.subs(old, simultaneous=True) for given in (self.structure.mean, self.structure.matrix))
        return Gaussian(mean, matrix, self.structure.is_precision)

    def cumulants(self) -> Cumulants | None:
        """Those of the statistics of an exponential family."""
        forms = self.structure.statistics
        return of_quadratic_forms(forms.linear, forms.quadratic, forms.covariance) if forms else None


def gaussian_matrix(law: Gaussian, coordinates: Sequence[Symbol]) -> ImmutableMatrix:
    """∂_a μᵀ Σ⁻¹ ∂_b μ + ½ tr(Σ⁻¹ ∂_a Σ Σ⁻¹ ∂_b Σ) (Skovgaard 1984, Sec. 2); the trace is that of the precision too."""
    inverse, determinant = adjugate(law.matrix)
    forms = law.matrix if law.is_precision else inverse
    slopes = [entries_of(law.mean.diff(c)) for c in coordinates]
    moves = [entries_of(law.matrix.diff(c)) for c in coordinates]

    def shift(a: int, b: int) -> Expr:
        """det(Σ) times the part of the means, where Σ is given."""
        terms = [m * n * forms[i, j] for (i, _, m), (j, _, n) in product(slopes[a], slopes[b])]
        return sympy.Add(*terms)

    def turn(a: int, b: int) -> Expr:
        """2 det(Σ)² times the part of the covariances."""
        pairs = product(moves[a], moves[b])
        terms = [m * n * inverse[j, k] * inverse[l, i] for (i, j, m), (k, l, n) in pairs]
        return sympy.Add(*terms)

    def entry(a: int, b: int) -> Expr:
        of_means = shift(a, b) if law.is_precision else shift(a, b) / determinant
        return of_means + turn(a, b) / 2 / determinant**2

    return symmetric_of(len(coordinates), entry)


def of_quadratic_forms(
    linear: Sequence[ImmutableMatrix], quadratic: Sequence[ImmutableMatrix], covariance: ImmutableMatrix
) -> Cumulants:
    """Cumulants of forms aᵀz and zᵀAz in a centred normal z with covariance Σ, the linear ones first.

    κ(a, b) = aᵀΣb, κ(A, B) = 2 tr(AΣBΣ), κ(a, b, C) = 2 aᵀΣCΣb, κ(A, B, C) = 8 tr(AΣBΣCΣ), and 0 where a power of z is
    odd (Isserlis 1918; McCullagh, Tensor Methods in Statistics, 1987, Sec. 3.3).
    """
    m, n = len(linear), len(linear) + len(quadratic)
    # A vector is the form of its own index on both sides.
    forms = [[(i, i, e) for i, _, e in entries_of(a)] for a in linear]
    forms += [entries_of(A) for A in quadratic]

    def chain(*at: int) -> Expr:
        """Product of forms with Σ between them: a scalar between vectors, otherwise a trace."""
        terms = []
        for entries in product(*(forms[k] for k in at)):
            values = [e for _, _, e in entries]
            value = sympy.Mul(*values)
            ends = entries[1:] if at[-1] < m else (*entries[1:], entries[0])
            for (_, j, _), (i, _, _) in zip(entries, ends, strict=False):
                value *= covariance[j, i]
            terms.append(value)
        return sympy.Add(*terms)

    def second(i: int, j: int) -> Expr:
        if i < m <= j:
            return sympy.Integer(0)
        return chain(i, j) if j < m else 2 * chain(i, j)

    def triples() -> Iterator[tuple[Triple, Expr]]:
        for i, j, k in combinations_with_replacement(range(n), 3):
            if j < m <= k:
                yield (i, j, k), 2 * chain(i, k, j)
            elif m <= i:
                yield (i, j, k), 8 * chain(i, j, k)

    return Cumulants(symmetric_of(n, second), {at: e for at, e in triples() if e != 0})


def entries_of(matrix: ImmutableMatrix) -> Entries:
    """Entries (i, j, value) that do not vanish."""
    places = product(range(matrix.rows), range(matrix.cols))
    return [(i, j, matrix[i, j]) for i, j in places if matrix[i, j] != 0]
