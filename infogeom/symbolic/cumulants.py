"""Cumulants of the sufficient statistics of an exponential family: its curvature needs no more than the first few.

In natural parameters g and ∂g are the second and third cumulants of the statistics, and R is
¼ (‖T‖² − ‖tr T‖²) (SCIENCE.md 2), whatever coordinates name the point; so R takes no derivative of g.  Affine functions
of the statistics do as well as the statistics themselves, even such that differ from point to point.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement, product

import sympy
from sympy import Expr, ImmutableMatrix, Symbol

__all__ = [
    "Cumulants", "boltzmann_weights", "direct_sum", "of_counts", "of_linear_forms", "of_quadratic_forms", "of_states",
]  # fmt: skip

Triple = tuple[int, int, int]
ZERO = sympy.Integer(0)


@dataclass(frozen=True, eq=False)
class Cumulants:
    """Second and third cumulants of the sufficient statistics, functions of the coordinates.

    Attributes
    ----------
    second : ImmutableMatrix, shape (n, n)
    third : mapping of (i, j, k), i ≤ j ≤ k, to Expr
        Those that do not vanish.
    """

    second: ImmutableMatrix
    third: Mapping[Triple, Expr]

    def subs(self, values: Mapping[Expr, Expr]) -> Cumulants:
        """Cumulants with symbols replaced, all at once."""
        if not values:
            return self
        third = {at: e.subs(values, simultaneous=True) for at, e in self.third.items()}
        return Cumulants(self.second.subs(values, simultaneous=True), third)

    def times(self, number: Expr) -> Cumulants:
        """Cumulants of the sum of so many independent copies."""
        return Cumulants(number * self.second, {at: number * e for at, e in self.third.items()})


def direct_sum(parts: Sequence[Cumulants]) -> Cumulants:
    """Cumulants of independent statistics."""
    third: dict[Triple, Expr] = {}
    start = 0
    for part in parts:
        third |= {(i + start, j + start, k + start): e for (i, j, k), e in part.third.items()}
        start += part.second.rows
    return Cumulants(ImmutableMatrix(sympy.diag(*(part.second for part in parts))), third)


@lru_cache(maxsize=16)
def of_linear_forms(psi: Expr, coordinates: tuple[Symbol, ...]) -> Cumulants | None:
    """Derivatives of a log-partition function Σ_k c_k f_k(a_k·θ); None where it is none such."""
    t, n = sympy.Dummy("t", real=True), len(coordinates)
    sums: dict[tuple[int, ...], list[Expr]] = {}
    for term in sympy.Add.make_args(psi):
        coefficient, f = term.as_independent(*coordinates, as_Add=False)
        if f == 1 or f in coordinates:
            continue
        if not isinstance(f, sympy.Function) or len(f.args) != 1:
            return None
        (u,) = f.args
        slopes = {k: u.diff(x) for k, x in enumerate(coordinates) if x in u.free_symbols}
        if any(a.free_symbols & {*coordinates} for a in slopes.values()):
            return None
        for order in (2, 3):
            slope = coefficient * f.func(t).diff(t, order).xreplace({t: u})
            for at in combinations_with_replacement(slopes, order):
                factor = math.prod(slopes[k] for k in at)
                sums.setdefault(at, []).append(slope if factor == 1 else factor * slope)
    entries = {at: terms[0] if len(terms) == 1 else sympy.Add(*terms) for at, terms in sums.items()}
    second = ImmutableMatrix(n, n, lambda i, j: entries.get((min(i, j), max(i, j)), ZERO))
    return Cumulants(second, {at: e for at, e in entries.items() if len(at) == 3 and e != 0})


def of_counts(means: Sequence[Expr], number: Expr, sign: int) -> Cumulants:
    """κ_ij = n (p_i δ_ij ± p_i p_j) and what follows from it, κ_ijk = ∂κ_ij/∂θ_k with ∂p_i/∂θ_k = κ_ik/n.

    With the sign − counts of outcomes of n trials (multinomial), with + those before the n-th success (negative
    multinomial), p_i being the mean for each.
    """
    p, n = means, len(means)

    def third(i: int, j: int, k: int) -> Expr:
        if i == j == k:
            return p[i] * (1 + sign * p[i]) * (1 + 2 * sign * p[i])
        if i < j < k:
            return 2 * p[i] * p[j] * p[k]
        return sign * p[i] * p[k] * (1 + 2 * sign * p[j])

    second = ImmutableMatrix(n, n, lambda i, j: p[i] * (1 + sign * p[i]) if i == j else sign * p[i] * p[j])
    return Cumulants(second, {at: third(*at) for at in combinations_with_replacement(range(n), 3)}).times(number)


def boltzmann_weights(statistics: Sequence[Sequence[int]], theta: Sequence[Symbol]) -> list[Expr]:
    """exp(θ·t_s) for every state."""
    return [sympy.exp(sympy.Add(*(c * t for c, t in zip(theta, state, strict=True)))) for state in statistics]


def of_states(statistics: Sequence[Sequence[int]], theta: Sequence[Symbol]) -> Cumulants:
    """Σ_s p_s c_s c_s c_s for statistics t_s of 0 and 1 in the states s, centred: c is p(t = 0) or −p(t = 1)."""
    w, n = boltzmann_weights(statistics, theta), len(theta)
    with_t = [sympy.Add(*(v for v, t in zip(w, statistics, strict=True) if t[i])) for i in range(n)]
    without = [sympy.Add(*(v for v, t in zip(w, statistics, strict=True) if not t[i])) for i in range(n)]
    Z = sympy.Add(*w)

    def mean(*at: int) -> Expr:
        centred = ((without[i] if t[i] else -with_t[i] for i in at) for t in statistics)
        return sympy.Add(*(v * sympy.Mul(*c) for v, c in zip(w, centred, strict=True))) / Z ** (len(at) + 1)

    second = ImmutableMatrix(n, n, lambda i, j: mean(min(i, j), max(i, j)))
    return Cumulants(second, {at: mean(*at) for at in combinations_with_replacement(range(n), 3)})


def of_quadratic_forms(
    linear: Sequence[ImmutableMatrix], quadratic: Sequence[ImmutableMatrix], covariance: ImmutableMatrix
) -> Cumulants:
    """Cumulants of forms aᵀz and zᵀAz in a centred normal z with covariance Σ, the linear ones first.

    κ(a, b) = aᵀΣb, κ(A, B) = 2 tr(AΣBΣ), κ(a, b, C) = 2 aᵀΣCΣb, κ(A, B, C) = 8 tr(AΣBΣCΣ), and 0 where a power of z is
    odd (Isserlis 1918; McCullagh, Tensor Methods in Statistics, 1987, Sec. 3.3).
    """
    forms = [_entries(a) for a in (*linear, *quadratic)]
    n, m = len(forms), len(linear)

    def chain(*at: int) -> Expr:
        """Product of forms with Σ between them: a scalar between vectors, otherwise a trace."""
        terms = []
        for entries in product(*(forms[k] for k in at)):
            value = sympy.Mul(*(e for _, _, e in entries))
            ends = entries[1:] if at[-1] < m else (*entries[1:], entries[0])
            for (_, j, _), (i, _, _) in zip(entries, ends, strict=False):
                value *= covariance[j, i]
            terms.append(value)
        return sympy.Add(*terms)

    def second(i: int, j: int) -> Expr:
        if i < m <= j:
            return ZERO
        return chain(i, j) if j < m else 2 * chain(i, j)

    def triples() -> Iterator[tuple[Triple, Expr]]:
        for i, j, k in combinations_with_replacement(range(n), 3):
            if j < m <= k:
                yield (i, j, k), 2 * chain(i, k, j)
            elif m <= i:
                yield (i, j, k), 8 * chain(i, j, k)

    matrix = ImmutableMatrix(n, n, lambda i, j: second(min(i, j), max(i, j)))
    return Cumulants(matrix, {at: e for at, e in triples() if e != 0})


def _entries(form: ImmutableMatrix) -> list[tuple[int, int, Expr]]:
    """Entries (i, j, value) that do not vanish; a column is the form of its own index on both sides."""
    found = [(i, j, form[i, j]) for i, j in product(range(form.rows), range(form.cols)) if form[i, j] != 0]
    return [(i, i, e) for i, _, e in found] if form.cols == 1 else found
