"""Matrices of symbols: determinants and inverses that are left unexpanded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import combinations_with_replacement

import sympy
from sympy import Expr, ImmutableMatrix

from infogeom.models.parameter import Parameter, positive, real

__all__ = ["Entries", "adjugate", "largest_block", "leading_minors", "positive_matrix", "squares", "symmetric"]

Indices = tuple[int, ...]
#: Entries (i, j) of a symmetric matrix, i ≤ j.
Entries = dict[tuple[int, int], Expr]


def symmetric(entries: Mapping[tuple[int, int], Expr], size: int) -> ImmutableMatrix:
    """Symmetric matrix from entries (i, j) with i ≤ j; those not given are 0."""
    return ImmutableMatrix(size, size, lambda i, j: entries.get((min(i, j), max(i, j)), sympy.Integer(0)))


def positive_matrix(name: str, d: int, band: int) -> tuple[ImmutableMatrix, dict[tuple[int, int], Parameter]]:
    """Symmetric matrix of parameters up to so many places off its diagonal, which dominates in the typical range."""
    most = 0.8 / min(2 * band, max(1, d - 1))
    comma = "_" if d > 9 else ""
    entries = {}
    for i, j in combinations_with_replacement(range(d), 2):
        place = f"{name}{i + 1}{comma}{j + 1}"
        if i == j:
            entries[i, j] = positive(place, (1.0, 2.5))
        elif j - i <= band:
            entries[i, j] = real(place, (-most, most))
    symbols = {at: p.symbol for at, p in entries.items()}
    return symmetric(symbols, d), entries


def squares(d: int, places: Iterable[tuple[int, int]]) -> tuple[ImmutableMatrix, ...]:
    """Matrices A with zᵀAz = z_i z_j, for each of the places (i, j)."""
    one = sympy.Integer(1)
    found = []
    for i, j in places:
        entry = one if i == j else one / 2
        found.append(symmetric({(i, j): entry}, d))
    return tuple(found)


def adjugate(matrix: ImmutableMatrix) -> tuple[ImmutableMatrix, Expr]:
    """Adjugate and determinant of a symmetric matrix by Laplace's rule, minors standing in minors as they are."""
    minor, whole = _minors(matrix), tuple(range(matrix.rows))

    def cofactor(i: int, j: int) -> Expr:
        return (-1) ** (i + j) * minor(_without(whole, i), _without(whole, j))

    return ImmutableMatrix(matrix.rows, matrix.rows, cofactor), minor(whole, whole)


def leading_minors(matrix: ImmutableMatrix) -> tuple[Expr, ...]:
    """Determinants of the leading blocks of a symmetric matrix, all positive where it is (Sylvester)."""
    minor, whole = _minors(matrix), tuple(range(matrix.rows))
    return tuple(minor(whole[:k], whole[:k]) for k in range(1, matrix.rows + 1))


def largest_block(matrix: ImmutableMatrix) -> int:
    """Size of the largest block of a symmetric matrix, when its rows are put in order of which hang together."""
    left, largest = {*range(matrix.rows)}, 0
    while left:
        block = {left.pop()}
        waiting = [*block]
        while waiting:
            row = waiting.pop()
            beside = {j for j in left if matrix[row, j] != 0}
            left -= beside
            block |= beside
            waiting += beside
        largest = max(largest, len(block))
    return largest


def _minors(matrix: ImmutableMatrix) -> Callable[[Indices, Indices], Expr]:
    @cache
    def minor(rows: Indices, columns: Indices) -> Expr:
        if not rows:
            return sympy.Integer(1)
        if columns < rows:  # the matrix is symmetric
            return minor(columns, rows)
        last = rows[-1]
        terms = []
        for k, column in enumerate(columns):
            if matrix[last, column] != 0:
                sign = (-1) ** (len(columns) - 1 - k)
                terms.append(sign * matrix[last, column] * minor(rows[:-1], _without(columns, column)))
        return sympy.Add(*terms)

    return minor


def _without(indices: Indices, one: int) -> Indices:
    return tuple(i for i in indices if i != one)
