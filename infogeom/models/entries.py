"""Matrices of expressions, by the few expressions that their many entries are.

The entries of a covariance are often one function of numbers that differ: a² exp(−2/b²) and a² exp(−9/2b²) are both
a² exp(c/b²). Whoever differentiates and evaluates them takes each such function once, over all its numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy
from sympy import Dummy, Expr, ImmutableMatrix, Symbol

__all__ = ["Entries", "Pattern", "entries_of_matrix", "entries_of_places"]

#: What is left of an integer power when a number of it is named: third derivatives are regular at 0.
POWER_LEFT = 3
#: What may hold numbers that are named; elsewhere, as in the order of a Bessel function, numbers are part of it.
NAMED_IN = (sympy.Add, sympy.Mul, sympy.exp)


@dataclass(frozen=True)
class Pattern:
    """Entries that are one expression, of numbers that differ.

    Attributes
    ----------
    expression : Expr
    slots : tuple of Symbol
        What stands in it for numbers.
    numbers : tuple of tuples of Expr
        Exact, a row for each different entry.
    places : tuple of (int, int, int)
        Row of numbers, row and column in the matrix; of a symmetric matrix the upper triangle.
    """

    expression: Expr
    slots: tuple[Symbol, ...]
    numbers: tuple[tuple[Expr, ...], ...]
    places: tuple[tuple[int, int, int], ...]

    def entries(self) -> Iterator[tuple[int, int, Expr]]:
        """Row, column and expression of each entry."""
        known = [self.expression.xreplace(dict(zip(self.slots, row, strict=True))) for row in self.numbers]
        for row, i, j in self.places:
            yield i, j, known[row]


@dataclass(frozen=True)
class Entries:
    """A matrix of expressions by its patterns; what none of them names is 0.

    Attributes
    ----------
    shape : (int, int)
    patterns : tuple of Pattern
    symmetric : bool
        Whether (i, j) stands for (j, i) too.
    """

    shape: tuple[int, int]
    patterns: tuple[Pattern, ...]
    symmetric: bool = False

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """The expression of each pattern."""
        return tuple(pattern.expression for pattern in self.patterns)

    @property
    def slots(self) -> set[Symbol]:
        """What stands for numbers in them."""
        return {slot for pattern in self.patterns for slot in pattern.slots}

    @property
    def free_symbols(self) -> set[Symbol]:
        """Symbols that are no numbers."""
        found: set[Symbol] = set().union(*(e.free_symbols for e in self.expressions))
        return found - self.slots

    def subs(self, known: Mapping[Symbol, Any]) -> Entries:
        """With expressions for symbols."""
        patterns = [replace(p, expression=p.expression.subs(known, simultaneous=True)) for p in self.patterns]
        return replace(self, patterns=tuple(patterns))

    def diff(self, symbol: Symbol) -> Entries:
        """Derivatives of all entries."""
        patterns = [replace(p, expression=p.expression.diff(symbol)) for p in self.patterns]
        return replace(self, patterns=tuple(patterns))

    def written_out(self) -> ImmutableMatrix:
        """All entries."""
        entries: dict[tuple[int, int], Expr] = {}
        for pattern in self.patterns:
            for i, j, e in pattern.entries():
                entries[i, j] = e
                if self.symmetric:
                    entries[j, i] = e
        return ImmutableMatrix(*self.shape, lambda i, j: entries.get((i, j), sympy.Integer(0)))


def entries_of_matrix(matrix: ImmutableMatrix, *, symmetric: bool = False) -> Entries:
    """Patterns of a matrix, of which only the upper triangle is read where it is symmetric."""
    found = {}
    for i in range(matrix.rows):
        for j in range(i if symmetric else 0, matrix.cols):
            found[i, j] = matrix[i, j]
    return entries_of_places(found, matrix.shape, symmetric=symmetric)


def entries_of_places(
    given: Mapping[tuple[int, int], Expr], shape: tuple[int, int], *, symmetric: bool = False
) -> Entries:
    """Patterns of the entries at (row, column), in the upper triangle of a symmetric matrix; what is not given is 0."""
    naming, found = _Naming(), _Collected()
    for (i, j), e in given.items():
        if e != 0:
            found.add(i, j, *naming.of(e))
    return Entries(shape, tuple(found.patterns()), symmetric)


class _Collected:
    """Entries by their patterns."""

    def __init__(self) -> None:
        self._rows: dict[tuple[Expr, tuple[Symbol, ...]], dict[tuple[Expr, ...], int]] = {}
        self._places: dict[tuple[Expr, tuple[Symbol, ...]], list[tuple[int, int, int]]] = {}

    def add(self, i: int, j: int, expression: Expr, slots: tuple[Symbol, ...], numbers: tuple[Expr, ...]) -> None:
        """An entry."""
        rows = self._rows.setdefault((expression, slots), {})
        row = rows.setdefault(numbers, len(rows))
        self._places.setdefault((expression, slots), []).append((row, i, j))

    def patterns(self) -> Iterator[Pattern]:
        """All of them; a number that does not differ is none."""
        for (expression, slots), rows in self._rows.items():
            columns = list(zip(*rows, strict=True))
            same = {s: column[0] for s, column in zip(slots, columns, strict=True) if len({*column}) == 1}
            kept = [k for k, slot in enumerate(slots) if slot not in same]
            numbers = [tuple(row[k] for k in kept) for row in rows]
            places = tuple(self._places[expression, slots])
            yield Pattern(expression.xreplace(same), tuple(slots[k] for k in kept), tuple(numbers), places)


class _Naming:
    """Puts names in the place of numbers, the same for the k-th number of every expression."""

    def __init__(self) -> None:
        self._slots: dict[tuple[int, bool], Symbol] = {}
        self._known: dict[Expr, tuple[Expr, tuple[Symbol, ...], tuple[Expr, ...]]] = {}

    def of(self, e: Expr) -> tuple[Expr, tuple[Symbol, ...], tuple[Expr, ...]]:
        """Expression, slots and numbers."""
        if e not in self._known:
            numbers: dict[Symbol, Expr] = {}
            expression = self._named(e, numbers)
            self._known[e] = expression, tuple(numbers), tuple(numbers.values())
        return self._known[e]

    def _named(self, e: Expr, numbers: dict[Symbol, Expr]) -> Expr:
        if e.is_Pow and e.base.is_Symbol and e.exp.is_Integer and e.exp >= POWER_LEFT:
            slot = self._slot(numbers, e.exp - POWER_LEFT, whole=True)
            return e.base**POWER_LEFT * e.base**slot
        if not isinstance(e, NAMED_IN):
            return e.func(*self._inside(e, numbers)) if e.is_Pow else e
        args = [self._slot(numbers, a) if a.is_Rational else self._named(a, numbers) for a in e.args]
        return e.func(*args)

    def _inside(self, e: Expr, numbers: dict[Symbol, Expr]) -> Iterable[Expr]:
        """Base, named inside, and exponent of a power."""
        return self._named(e.base, numbers), e.exp

    def _slot(self, numbers: dict[Symbol, Expr], number: Expr, *, whole: bool = False) -> Symbol:
        key = len(numbers), whole
        if key not in self._slots:
            assumed = {"integer": True, "nonnegative": True} if whole else {"real": True}
            self._slots[key] = Dummy(f"c{len(numbers)}", **assumed)
        numbers[self._slots[key]] = number
        return self._slots[key]
