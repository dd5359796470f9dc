"""A metric in compiled balls of fixed precision: rigorous like those of any precision, in microseconds.

What 104 bits cannot tell is left to balls of rising precision.  Every point and every sample has a lane of its own, so
that nothing beside a point changes its numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.balls.double_double import ROOM, WIDTH
from infogeom.kernels.balls.enclosures import MOST_KEPT, Balls
from infogeom.kernels.balls.registers import Number, Program, functions_of, logarithm
from infogeom.kernels.balls.stages import Stage, instruction, run, stage
from infogeom.kernels.codegen.program import UnsupportedFunctionError
from infogeom.kernels.curvature.geometry import geometry
from infogeom.kernels.curvature.straight_line import PLAIN

__all__ = ["DoubleDouble", "Found", "double_double_of"]

Array = NDArray[np.float64]
Objects = NDArray[Any]  # of numbers
Places = dict[str, NDArray[np.int64]]
#: Coordinates up to which curvature is written out as instructions.
MOST_COORDINATES = 4
#: Relative error of a number that is the float64 number nearest to the true one, or as good as that.
NEAREST = 2.0**-53 + 2.0**-60


class Found(NamedTuple):
    """Quantities at m points.

    Attributes
    ----------
    values, errors : dict of str to ndarray, shape (components, m)
        A bound on an error may be inf or nan: then nothing is known.
    settled : ndarray of bool, shape (m,)
        Where the metric is regular and all values are known to a rounding.
    """

    values: dict[str, Array]
    errors: dict[str, Array]
    settled: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DoubleDouble:
    """A metric in balls of fixed precision.

    Attributes
    ----------
    sampled : _Sampled or None
        Sums over the samples.
    quantities : Stage
        All components of all quantities, from the coordinates and the sums.
    at : mapping of str to ndarray of int
        Where the components of each quantity stand in the results.
    signs : ndarray
        What each result is to be multiplied by.
    data : ndarray, shape (columns, N)
        The samples, weights last.
    weight : tuple or None
        The ball of all weights, where these are equal.
    held : ndarray, shape (k, 3)
        Balls of constants, which come before the coordinates.
    """

    sampled: _Sampled | None
    quantities: Stage
    at: Mapping[str, NDArray[np.int64]]
    signs: Array
    data: Array
    weight: tuple[float, float, float] | None
    held: Array

    def refine(self, points: Array) -> Found:
        """Values at points (m, n), with their errors, which nothing beside a point changes."""
        balls = self.enclose(points)
        values, errors = balls[:, 0], (np.abs(balls[:, 1]) + balls[:, 2]) * ROOM
        settled = np.all(errors <= NEAREST * np.abs(values), axis=0)
        places = {name: at for name, at in self.at.items() if name != "sign"}
        known = {name: values[at] for name, at in places.items()}
        return Found(known, {name: errors[at] for name, at in places.items()}, settled)

    def enclose(self, points: Array) -> Array:
        """Balls (components, 3, m) of all quantities at points (m, n)."""
        m = len(points)
        held = np.broadcast_to(self.held[:, :, None], (*self.held.shape, m))
        table = _padded(np.concatenate([held, _exact(np.asarray(points, dtype=float).T)]))
        if self.sampled:
            table = np.concatenate([table, self._sums(table, m)])
        balls = self.quantities(table)[:, :, :m]
        balls[:, :2] *= self.signs[:, None, None]
        return balls

    def _sums(self, points: Array, m: int) -> Array:
        """Sums over the samples at the first m points."""
        assert self.sampled
        given, sums = self.sampled.given(points), self.sampled.sums
        ends = [instruction("total", register, register) for register in sums.totals]
        ends += [instruction("store", row, register) for row, register in enumerate(sums.totals)]
        last = np.array(ends, dtype=np.int32).reshape(-1, 4)
        registers, block = sums.fresh(), np.empty((sums.results, 3, WIDTH))
        found = np.zeros((sums.results, 3, points.shape[2]))
        for p in range(m):
            registers[sums.totals] = 0.0
            registers[sums.given] = given[:, :, p, None]
            for table in self._tables():
                run(sums.code, registers, table, block)
            run(last, registers, block, block)
            found[:, :, p] = block[:, :, 0]
        return found

    def _tables(self) -> Iterator[Array]:
        """What no point changes of the samples, part by part."""
        if self.data.shape[1] <= MOST_KEPT:
            yield self._table
            return
        for start in range(0, self.data.shape[1], MOST_KEPT):
            yield self._part(slice(start, start + MOST_KEPT))

    @cached_property
    def _table(self) -> Array:
        return self._part(slice(None))

    def _part(self, samples: slice) -> Array:
        """Of some samples, and of copies of the last of them that weigh nothing."""
        assert self.sampled
        columns = _exact(self.data[:, samples])
        N = columns.shape[2]
        if self.weight:
            columns[-1] = np.array(self.weight)[:, None]
        columns = _padded(columns)
        columns[-1, :, N:] = 0.0
        return self.sampled.rows(columns)


class _Sampled(NamedTuple):
    """What of a program runs over the samples.

    Attributes
    ----------
    rows : Stage
        What no point changes, from the data.
    given : Stage
        What no sample changes, from the coordinates.
    sums : Stage
        Sums over the rows at one point, from what is given.
    """

    rows: Stage
    given: Stage
    sums: Stage


def _exact(numbers: Array) -> Array:
    """Numbers (k, m) as balls (k, 3, m)."""
    balls = np.zeros((len(numbers), 3, numbers.shape[1]))
    balls[:, 0] = numbers
    return balls


def _padded(table: Array) -> Array:
    """A table (k, 3, m) lengthened to a multiple of `WIDTH` by copies of its last column."""
    return np.pad(table, ((0, 0), (0, 0), (0, -table.shape[2] % WIDTH)), mode="edge")


# --- From the source of ball arithmetic -------------------------------------------------------------------------------


def double_double_of(balls: Balls, quantities: Collection[str]) -> DoubleDouble | None:
    """A metric in balls of fixed precision.

    None where one of its functions has no such version, or where there are many parameters.
    """
    if balls.n > MOST_COORDINATES:
        return None
    places = tuple((name, tuple(at.tolist())) for name, at in balls.at.items())
    columns = balls.data.shape[1]
    try:
        held = np.array([_fraction(p, q) for p, q in balls.held]).reshape(-1, 3)
    except UnsupportedFunctionError:
        return None
    found = _stages(balls.source, places, balls.n, len(held), columns, tuple(sorted(quantities)))
    if found is None:
        return None
    data = balls.data[balls.data[:, -1] != 0].T if columns else balls.data
    weight = Program().ratio(1, len(balls.data)).constant if balls.equal else None
    return DoubleDouble(*found, data, weight, held)


def _fraction(p: int, q: int) -> tuple[float, float, float]:
    """Ball of a fraction."""
    number = Program().ratio(p, q)
    assert number.constant
    h, l, r = number.constant
    return number.sign * h, number.sign * l, r


@lru_cache(maxsize=64)
def _stages(
    source: str,
    places: tuple[tuple[str, tuple[int, ...]], ...],
    n: int,
    held: int,
    columns: int,
    quantities: tuple[str, ...],
) -> tuple[_Sampled | None, Stage, Places, Array] | None:
    try:
        return _written_out(source, dict(places), n, held, columns, quantities)
    except UnsupportedFunctionError:
        return None


def _written_out(
    source: str,
    places: Mapping[str, tuple[int, ...]],
    n: int,
    held: int,
    columns: int,
    quantities: Collection[str],
) -> tuple[_Sampled | None, Stage, Places, Array]:
    program = Program()
    x = [program.input(k, sampled=False) for k in range(held + n)]
    row, table = _rows(program, source, columns)
    rows = [row] if table else []
    components = [program.number(c) for c in _namespace(program, source)["point"](x, rows)]
    if table:
        components = [program.summed(component) for component in components]
    found = _quantities(program, components, places, n, quantities)
    results = [number for tensor in found.values() for number in tensor]
    ends = np.cumsum([len(tensor) for tensor in found.values()])
    at = {name: np.arange(end - len(found[name]), end) for name, end in zip(found, ends, strict=True)}

    coordinates = {number.register: k for k, number in enumerate(x)}
    wanted = [number.register for number in results]
    sums = [k for k in program.needed(wanted) if program.instructions[k][0] == "sum"]
    sampled = _sampled(program, table, sums, coordinates) if table else None
    after = stage(program, wanted, coordinates | {k: len(x) + row for row, k in enumerate(sums)})
    return sampled, after, at, np.array([float(number.sign) for number in results])


def _rows(program: Program, source: str, columns: int) -> tuple[list[Number], Stage | None]:
    """What no point changes of a sample, as numbers of a program, and how to compute it from the data."""
    if not columns:
        return [], None
    own = Program()
    data = [own.input(k, sampled=False) for k in range(columns)]
    (row,) = _namespace(own, source)["rows"]([data])
    kept = list(dict.fromkeys(number.register for number in row if number.constant is None))
    numbers = []
    for number in row:
        if number.constant is None:
            taken = program.input(kept.index(number.register), sampled=True)
        else:
            taken = program.constant(*number.constant)
        numbers.append(taken.times_sign(number.sign))
    return numbers, stage(own, kept, {number.register: k for k, number in enumerate(data)})


def _sampled(program: Program, table: Stage, sums: Sequence[int], coordinates: Mapping[int, int]) -> _Sampled:
    terms = [program.instructions[k][1][0] for k in sums]
    needed = program.needed(terms)
    columns = {k: program.instructions[k][1][0] for k in needed if program.instructions[k][0] == "column"}
    inside = [k for k in needed if program.sampled[k] and k not in columns]
    outside = {operand for k in inside for operand in program.instructions[k][1]}.union(terms)
    given = sorted(k for k in outside if not program.sampled[k] and k not in program.constants)
    return _Sampled(table, stage(program, given, coordinates), stage(program, terms, columns, given, sums=True))


def _namespace(program: Program, source: str) -> dict[str, Any]:
    """Functions of a source, with what it calls."""
    namespace: dict[str, Any] = {**functions_of(program)}
    exec(compile(source, "<infogeom kernel>", "exec"), namespace)
    return namespace


def _quantities(
    program: Program, components: Sequence[Number], at: Mapping[str, tuple[int, ...]], n: int, wanted: Collection[str]
) -> dict[str, list[Number]]:
    """Components of the quantities, tensor indices flattened, and of what g is not singular without: ``sign``."""

    def tensor(name: str, rank: int) -> Objects:
        entries = np.array([components[k] for k in at[name]], dtype=object)
        return entries.reshape(*(n,) * rank, 1) if len(entries) else np.empty((0,) * (rank + 1), dtype=object)

    found = {name: [components[k] for k in at[name]] for name in wanted if name in at}
    g, dg, ddg = tensor("g", 2), tensor("dg", 3), tensor("ddg", 4)
    if g.size:
        for name, values in geometry(g, dg, ddg, wanted, _frame, PLAIN):
            if name in wanted or name == "sign":
                found[name] = [program.number(value) for value in np.ravel(values)]
    if "log10_ricci_scalar" in wanted:
        (R,) = found["ricci_scalar"]
        found["log10_ricci_scalar"] = [logarithm(abs(R)) / logarithm(program.number(10))]
    return found


def _frame(g: Objects, E: Objects, F: Objects, sign: Objects, volume: Objects) -> None:
    """LDLᵀ: E is orthogonal, and 1/d, its index-raising metric, stands in place of the signs."""
    n, program = len(g), g.flat[0].program
    a, zero, one = g[..., 0].copy(), program.constant(0.0), program.constant(1.0)
    volume[0] = one
    E[...], F[...] = zero, zero
    for i in range(n):
        E[i, i, 0] = F[i, i, 0] = one
    for i in range(n):
        d = a[i, i]
        volume[0] = volume[0] * d
        sign[i, 0] = one / d
        for j in range(i + 1, n):
            ratio = a[j, i] / d
            a[j, i + 1 :] = a[j, i + 1 :] - a[i, i + 1 :] * ratio
            E[:, j] = E[:, j] - E[:, i] * ratio
            F[i] = F[i] + F[j] * ratio
