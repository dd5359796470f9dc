"""Matrices of symbols: determinants and inverses that are left unexpanded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import sympy
from sympy import Expr, ImmutableMatrix

__all__ = ["adjugate", "leading_minors", "symmetric"]

Indices = tuple[int, ...]


def symmetric(entries: Mapping[tuple[int, int], Expr], size: int) -> ImmutableMatrix:
    """Symmetric matrix from entries (i, j) with i ≤ j; those not given are 0."""
    return ImmutableMatrix(size, size, lambda i, j: entries.get((min(i, j), max(i, j)), sympy.Integer(0)))


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


def _minors(matrix: ImmutableMatrix) -> Callable[[Indices, Indices], Expr]:
    @cache
    def minor(rows: Indices, columns: Indices) -> Expr:
        if not rows:
            return sympy.Integer(1)
        if columns < rows:  # the matrix is symmetric
            return minor(columns, rows)
        last = rows[-1]
        return sympy.Add(
            *(
                (-1) ** (len(columns) - 1 - k) * matrix[last, c] * minor(rows[:-1], _without(columns, c))
                for k, c in enumerate(columns)
                if matrix[last, c] != 0
            )
        )

    return minor


def _without(indices: Indices, one: int) -> Indices:
    return tuple(i for i in indices if i != one)
