"""Matrices of expressions and their derivatives at points, with bounds on what rounding did to each entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain, combinations_with_replacement
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Rational, Symbol

from infogeom.kernels.curvature.loops import UNIT
from infogeom.kernels.expectations.at_nodes import special_functions
from infogeom.kernels.expectations.running_error import with_errors
from infogeom.models.entries import Entries, Pattern

__all__ = ["Along", "Stack", "derivatives_along", "derivatives_of", "stack_of"]

Array = NDArray[np.float64]
#: Numbers of the coordinates along which a derivative is taken, in increasing order.
Along = tuple[int, ...]


class Stack(NamedTuple):
    """A matrix and its derivatives at points.

    Attributes
    ----------
    along : tuple of tuples of int
        Which derivative each matrix is; the matrix itself first.
    values, errors : ndarray, shape (points, derivatives, rows, columns)
    """

    along: tuple[Along, ...]
    values: Array
    errors: Array


@cache
def derivatives_along(n: int, order: int) -> tuple[Along, ...]:
    """All derivatives by n coordinates up to an order, lower orders first."""
    each = [combinations_with_replacement(range(n), rank) for rank in range(order + 1)]
    return tuple(chain.from_iterable(each))


def derivatives_of(pattern: Pattern, x: Sequence[Symbol], along: Sequence[Along]) -> dict[int, Expr]:
    """Derivatives of the expression of a pattern that do not vanish, by their number."""
    known: dict[Along, Expr] = {(): pattern.expression}
    for at in along[1:]:
        known[at] = known[at[:-1]].diff(x[at[-1]])
    return {k: known[at] for k, at in enumerate(along) if known[at] != 0}


def stack_of(entries: Entries, x: Sequence[Symbol], order: int) -> Callable[[Array], Stack]:
    """Function of points (m, n) that gives a matrix and its derivatives up to an order."""
    along = derivatives_along(len(x), order)
    parts = [_Part(pattern, x, along, entries) for pattern in entries.patterns]

    def at(points: Array) -> Stack:
        shape = (len(points), len(along), entries.shape[0] * entries.shape[1])
        values, errors = np.zeros(shape), np.zeros(shape)
        for part in parts:
            part.fill(points, values, errors)
        whole = (*shape[:2], *entries.shape)
        return Stack(along, values.reshape(whole), errors.reshape(whole))

    return at


class _Part:
    """The entries of a pattern, all derivatives at once."""

    def __init__(self, pattern: Pattern, x: Sequence[Symbol], along: Sequence[Along], entries: Entries) -> None:
        derivatives = derivatives_of(pattern, x, along)
        self._of, expressions = list(derivatives), list(derivatives.values())

        # Numbers that float64 has only rounded err by as much as the slopes make of it.
        exact = [[Rational(float(number)) == number for number in row] for row in pattern.numbers]
        self._numbers = np.array(pattern.numbers, dtype=float).reshape(len(pattern.numbers), -1)
        self._rounded = [s for k, s in enumerate(pattern.slots) if not all(row[k] for row in exact)]
        self._sizes = [np.abs(self._numbers[:, pattern.slots.index(s)]) for s in self._rounded]
        slopes = [e.diff(s) for s in self._rounded for e in expressions]
        self._function = with_errors([*x, *pattern.slots], expressions + slopes, special_functions())

        # Where each entry stands in the flat matrix, twice off the diagonal of a symmetric one.
        columns = entries.shape[1]
        places = [(row, i * columns + j) for row, i, j in pattern.places]
        if entries.symmetric:
            places += [(row, j * columns + i) for row, i, j in pattern.places if i != j]
        self._row, self._place = np.array(places).T

    def fill(self, points: Array, values: Array, errors: Array) -> None:
        """Add the entries at points."""
        numbers = [column[None, :] for column in self._numbers.T]
        first = np.zeros((len(points), len(self._numbers)))
        at: list[Any] = [points[:, k, None] + first for k in range(points.shape[1])]
        found, off = self._function(*at, *numbers)
        count = len(self._of)
        for k, value, error in zip(self._of, found, off, strict=False):
            values[:, k, self._place] = value[:, self._row]
            errors[:, k, self._place] = error[:, self._row]
        for r, size in enumerate(self._sizes):
            slopes = found[count * (r + 1) : count * (r + 2)]
            for k, slope in zip(self._of, slopes, strict=True):
                errors[:, k, self._place] += (np.abs(slope) * size * UNIT)[:, self._row]
