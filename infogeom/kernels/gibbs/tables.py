"""Sums over a table of states, in float64 and in balls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations_with_replacement, permutations
from typing import Any

import numpy as np
import sympy
from flint import arb, fmpq
from numpy.typing import NDArray

from infogeom.kernels.balls.enclosures import Balls
from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature.loops import UNIT
from infogeom.kernels.gibbs import group_loops, table_loops
from infogeom.kernels.gibbs.cumulants import Maker, PointCumulants, maker_for
from infogeom.models.state_tables import Table

__all__ = ["TableBalls", "TableSums"]

Array = NDArray[np.float64]
Objects = NDArray[Any]  # of balls
#: Rows times points that are one piece of work.
ROWS_AT_ONCE = 2**23
#: Rows in a group, on average, from which on sums go by groups.
LEAST_GROUP = 8
#: Rows up to which a table is summed in balls.
MOST_IN_BALLS = 2**17


@maker_for(Table)
class TableSums(Maker):
    """Sums over all rows."""

    def __init__(self, structure: Table) -> None:
        super().__init__(structure)
        self._units = np.array([float(unit) for unit in structure.units])
        self._columns = np.ascontiguousarray(structure.statistics.T, dtype=np.float64)
        self._flips = _flips(structure)
        self._groups = _groups(structure)
        self.refines = structure.multiplicity is not None and len(structure.statistics) <= MOST_IN_BALLS
        self.points = max(1, ROWS_AT_ONCE // self._columns.shape[1])

    def cumulants(self, points: Array) -> PointCumulants:
        """Central moments, in float64."""
        n, m, table = self.structure.size, len(points), self.structure
        tensors = [np.empty((n,) * rank + (m,)) for rank in (1, 2, 3)]
        errors = [np.empty_like(tensor) for tensor in tensors]
        theta = np.ascontiguousarray(points * self._units)
        high, low = table.logarithms
        if self._groups is None:
            function = compiled_module(table_loops)["cumulants"]
            function(self._columns, high, low, table.log_error, UNIT, theta, *tensors, *errors)
        else:
            function = compiled_module(table_loops, group_loops)["grouped"]
            order, starts = self._groups
            columns = np.ascontiguousarray(self._columns[:, order])
            high, low = high[order], low[order]
            function(columns, high, low, table.log_error, UNIT, starts, theta, *tensors, *errors)

        # In units of the columns; and what a symmetry of the table makes 0.
        for rank, (tensor, error) in enumerate(zip(tensors, errors, strict=True), 1):
            factors = _outer([self._units] * rank)[..., None]
            tensor *= factors
            error *= factors
            for i in np.flatnonzero(self._flips):
                odd = _times_in_index(int(i), n, rank) % 2 == 1
                at = odd[..., None] & (points[:, i] == 0)
                tensor[at] = error[at] = 0.0
        return PointCumulants(tensors[0], tensors[1], tensors[2], (errors[0], errors[1], errors[2]))

    def scalars(self, points: Array) -> tuple[Array, Array]:
        """R in a frame, summed anew."""
        table, (high, low) = self.structure, self.structure.logarithms
        R, error = np.empty(len(points)), np.empty(len(points))
        theta = np.ascontiguousarray(points * self._units)
        function = compiled_module(table_loops)["scalars"]
        function(self._columns, high, low, table.log_error, UNIT, theta, R, error)
        return R, error

    def rank(self) -> tuple[int, Array]:
        """That of the columns less their first row, exactly."""
        n = self.structure.size
        columns = self.structure.statistics.T.astype(object)
        exact = np.vectorize(Fraction, otypes=[object])(columns)
        centred = exact - exact[:, :1]
        null = sympy.Matrix(centred @ centred.T).nullspace()
        directions = np.array(null, dtype=float).reshape(-1, n) / self._units
        return n - len(null), np.linalg.qr(directions.T)[0].T

    def balls(self) -> Balls | None:
        """The same sums in balls, over integers."""
        table = self.structure
        if not self.refines:
            return None
        n = table.size
        at = {"g": np.arange(n**2), "dg": n**2 + np.arange(n**3), "ddg": np.empty(0, dtype=np.int64)}
        return TableBalls("", at, n, table.statistics, table=table, multiplicity=table.multiplicity.tolist())


@dataclass(frozen=True, eq=False)
class TableBalls(Balls):
    """Cumulants of a table in ball arithmetic."""

    table: Table = None  # type: ignore[assignment]
    multiplicity: Sequence[Any] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "table": self.table, "multiplicity": self.multiplicity}

    @cached_property
    def _columns(self) -> list[tuple[list[Any], list[int]]]:
        """Of each column its values, less those of the first row, and which of them stands in each row."""
        found = []
        for column in self.table.statistics.T:
            values, at = np.unique(column, return_inverse=True)
            origin = column[0].item()
            shifted = [arb(value) - arb(origin) for value in values.tolist()]
            found.append((shifted, at.tolist()))
        return found

    def _components(self, x: Sequence[arb], bits: int) -> Objects:
        n = self.n
        units = [arb(fmpq(unit.p, unit.q)) for unit in self.table.units]
        weights = list(map(arb, self.multiplicity))
        for theta, unit, (values, at) in zip(x, units, self._columns, strict=True):
            powers = [(theta * unit * value).exp() for value in values]
            weights = [w * powers[k] for w, k in zip(weights, at, strict=True)]
        total = sum(weights, arb(0))

        # Moments about the mean: what cancels in it is left to the precision.
        centred = []
        for values, at in self._columns:
            mean = sum((w * values[k] for w, k in zip(weights, at, strict=True)), arb(0)) / total
            shifted = [value - mean for value in values]
            centred.append([shifted[k] for k in at])
        found = np.empty(n**2 + n**3, dtype=object)
        g, dg = found[: n**2].reshape((n,) * 2), found[n**2 :].reshape((n,) * 3)
        for i, j in combinations_with_replacement(range(n), 2):
            products = [w * a * b for w, a, b in zip(weights, centred[i], centred[j], strict=True)]
            g[i, j] = g[j, i] = sum(products, arb(0)) / total * units[i] * units[j]
            for l in range(j, n):
                third = sum((p * c for p, c in zip(products, centred[l], strict=True)), arb(0)) / total
                for where in permutations((i, j, l)):
                    dg[where] = third * units[i] * units[j] * units[l]
        return found


def _outer(factors: Sequence[Array]) -> Array:
    """Outer product."""
    product = np.ones(())
    for factor in factors:
        product = np.multiply.outer(product, factor)
    return product


def _times_in_index(i: int, n: int, rank: int) -> NDArray[np.int64]:
    """How often an index is among those of each entry of a tensor."""
    return np.asarray((np.indices((n,) * rank) == i).sum(0))


def _flips(table: Table) -> NDArray[np.bool_]:
    """Columns whose sign may change: the table stays the same, multiplicities too."""
    rows = np.column_stack([table.statistics, table.logarithms[0]])
    return np.array([_stays(rows, i) for i in range(table.size)])


def _stays(rows: Array, i: int) -> bool:
    """Whether rows, in some order, are the same with another sign of a column."""
    column = rows[:, i]
    if column.min() != -column.max():
        return False
    flipped = rows.copy()
    flipped[:, i] = -column
    if np.array_equal(rows, flipped[::-1]):
        return True
    return np.array_equal(rows[np.lexsort(rows.T)], flipped[np.lexsort(flipped.T)])


def _groups(table: Table) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Order of the rows in which those that agree in all columns but the first stand together, and where groups start.

    None where groups are small.
    """
    others = table.statistics[:, 1:]
    if not others.size:
        return None
    _, group, sizes = np.unique(others, axis=0, return_inverse=True, return_counts=True)
    if len(sizes) * LEAST_GROUP > len(group):
        return None
    order = np.argsort(group.ravel(), kind="stable")
    return order, np.concatenate([[0], np.cumsum(sizes)])
