"""Rigorous enclosures of a metric and of all that follows from it: the generated source run in ball arithmetic.

A ball is a midpoint with a radius, and arithmetic on balls encloses the true result (Johansson, Arb: efficient
arbitrary-precision midpoint-radius interval arithmetic, 2017).  Coordinates, data and weights are the float64 numbers
that they are; precision rises until the enclosure is tight.  Worker processes import this module, which is why it knows
neither SymPy nor numba.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from flint import arb
from numpy.typing import NDArray

from infogeom.kernels.balls import ball_cases, ball_functions
from infogeom.kernels.balls.accuracy import (
    MOST_BITS,
    NULL,
    NULL_OF_LOGARITHM,
    described,
    error_of,
    lacking,
    rounded,
)
from infogeom.kernels.balls.limits import APPROACHES, approached, displaced
from infogeom.kernels.curvature import loops
from infogeom.kernels.curvature.geometry import geometry
from infogeom.kernels.curvature.straight_line import PLAIN
from infogeom.kernels.status import Status
from infogeom.precision import bits_of_balls as precision
from infogeom.quantities import QUANTITIES, read_from, shape_of

__all__ = [
    "BITS",
    "FEWER_BITS",
    "MOST_BITS",
    "Balls",
    "Enclosure",
    "Refined",
    "precision",
    "refine_all",
]

Array = NDArray[np.float64]
Objects = NDArray[Any]  # of balls
#: Bits to begin with.
BITS = 128
#: Bits to which a pivot must vanish where the metric looks singular everywhere or is slow.
FEWER_BITS = 2**13
#: Bits in which what has no value is given up, unless values beside the point approach one.
UNDEFINED_BITS = 2**13
#: Statuses of a regular point by how much they say.
GRAVITY = (Status.REFINED, Status.UNREFINED, Status.OVERFLOW, Status.UNDEFINED)
#: Samples up to which what no point changes is kept.
MOST_KEPT = 2**16
_ball = np.frompyfunc(arb, 1, 1)


class Enclosure(NamedTuple):
    """Balls at one point.

    Attributes
    ----------
    values : dict of str to ndarray of arb
        Quantities and observables, each of shape (n,) * rank.
    rank : int
        How many pivots are known not to vanish, up to the first that is not.
    null : ndarray of arb, shape (n − rank, n)
        What the other directions are if it does.
    certain : bool
        Whether the others are null beyond doubt.
    undefined : bool
        Whether the metric is not known to be finite and real.
    beyond : bool
        Whether the metric is finite, and beyond float64.
    size : arb
        Sum of the magnitudes of the terms of R, which cancel in it.
    """

    values: dict[str, Objects]
    rank: int
    null: Objects
    certain: bool
    undefined: bool
    beyond: bool
    size: arb


class Refined(NamedTuple):
    """What refinement says of one point, rounded to float64.

    Attributes
    ----------
    status : int
    values : dict of str to ndarray of float64
        With ``<quantity>_error`` beside each; with ``ricci_scalar`` its logarithm and sign.
    rank : int
    null : ndarray of float64, shape (n, n)
        Orthonormal null directions, then zeros.
    """

    status: int
    values: dict[str, Array]
    rank: int
    null: Array


@dataclass(frozen=True, eq=False)
class Balls:
    """A metric in ball arithmetic.

    Parameters
    ----------
    source : str
        Of ``rows(data)`` and ``point(x, rows)``, from `infogeom.kernels.codegen.program.exact_source`.
    at : mapping of str to ndarray of int
        Where g, dg, ddg (the last two perhaps empty) and the observables stand in what ``point`` returns.
    n : int
        Number of coordinates.
    data : ndarray, shape (N, columns)
        Rows of the samples, weights last.
    equal : bool
        Whether the weights are 1/N each, which float64 may hold only rounded.
    held : tuple of (int, int)
        Fractions that ``point`` takes before the coordinates.
    """

    source: str
    at: Mapping[str, NDArray[np.int64]]
    n: int
    data: Array
    equal: bool = False
    held: tuple[tuple[int, int], ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("source", "at", "n", "data", "equal", "held")}

    @cached_property
    def _functions(self) -> dict[str, Any]:
        namespace = vars(ball_functions) | vars(ball_cases)
        namespace |= ball_functions.NAMED_BALLS
        namespace["ratio"] = _ratio
        exec(self.source, namespace)
        return namespace

    def _rows(self, bits: int) -> Iterable[tuple[arb, ...]]:
        """What no point changes of every sample, kept for the precision at hand."""
        kept: dict[int, list[tuple[arb, ...]]] = self.__dict__.setdefault("_kept", {})
        if not self.data.size:
            return ()
        if bits not in kept:
            rows = self._functions["rows"](self._samples())
            if len(self.data) > MOST_KEPT:
                return rows  # type: ignore[no-any-return]
            kept.clear()
            kept[bits] = list(rows)
        return kept[bits]

    def _samples(self) -> Iterator[list[arb]]:
        """Data and weight of each sample that has one."""
        equal = arb(1) / len(self.data)
        for row in self.data.tolist():
            if row[-1]:
                yield [*map(arb, row[:-1]), equal if self.equal else arb(row[-1])]

    def enclose(
        self, x: Sequence[float], quantities: Collection[str], bits: int, *, approach: bool = False
    ) -> Enclosure:
        """Enclosures of quantities at a point, at one precision.

        With ``approach`` what has no value there, 0/0, takes the value that points beside it approach, if there is one.
        """
        with precision(bits):
            components = self._components_or_limits([arb(float(c)) for c in x], bits, approach)
            jet = [self._tensor(components, name, rank) for name, rank in (("g", 2), ("dg", 3), ("ddg", 4))]
            found = Enclosure({}, self.n, np.empty((0, self.n), dtype=object), False, False, False, arb(0))

            # One basis may have a leading minor that vanishes where the metric is regular; the best of them tells.
            best: Enclosure | None = None
            for basis in _bases(self.n) if jet[0].size else ():
                seen = self._geometry(jet, quantities, basis)
                best = seen if best is None or seen.rank > best.rank else best
                if best.rank == self.n or best.certain:
                    break
            found = best or found
            for name in set(quantities) & set(self.at):
                found.values[name] = components[self.at[name]].reshape(shape_of(name, self.n))
            return found

    def _components_or_limits(self, x: Sequence[arb], bits: int, approach: bool) -> Objects:
        """Components at a point, those without a value as points beside it have them, where that is asked."""
        components = self._components(x, bits)
        if not approach or all(b.is_finite() for b in components):
            return components
        beside = [self._components(displaced(x, k), bits) for k in range(len(APPROACHES))]
        for c, ball in enumerate(components):
            if not ball.is_finite():
                components[c] = approached([values[c] for values in beside])
        return components

    def _components(self, x: Sequence[arb], bits: int) -> Objects:
        return np.asarray(_ball(np.array(self._functions["point"](self._with_held(x), self._rows(bits)), dtype=object)))

    def _with_held(self, x: Sequence[arb]) -> list[arb]:
        """What is held, at the precision at hand, and the coordinates."""
        return [_ratio(p, q) for p, q in self.held] + list(x)

    def samples(self, x: Sequence[float], bits: int) -> Iterator[Objects]:
        """The metric of each sample at a point, times its weight, shape (n, n)."""
        with precision(bits):
            at = self._with_held([arb(float(c)) for c in x])
            for row in self._rows(bits):
                components = _ball(np.array(self._functions["point"](at, [row]), dtype=object))
                yield components[self.at["g"]].reshape(self.n, self.n)

    def _tensor(self, components: Objects, name: str, rank: int) -> Objects:
        at = self.at[name]
        if not at.size:
            return np.empty((0,) * (rank + 1), dtype=object)
        return components[at].reshape(*(self.n,) * rank, 1)

    def _geometry(self, jet: Sequence[Objects], quantities: Collection[str], basis: NDArray[np.int64]) -> Enclosure:
        """Quantities from a jet, by the same text as in float64 with a frame of its own.

        What the others need of the frame beside E and its inverse is noted on the way: how many pivots are known not to
        vanish, which directions are left, and whether what is left of the metric there is exactly 0.
        """
        null: list[Objects] = []
        size, certain = arb(0), False

        def frame(g: Objects, E: Objects, F: Objects, sign: Objects, volume: Objects) -> None:
            """LDLᵀ in a basis: E is orthogonal, and 1/d, its index-raising metric, stands in place of the signs."""
            nonlocal certain
            inverse = np.rint(np.linalg.inv(basis)).astype(int)
            E[..., 0], F[..., 0] = _ball(basis.tolist()), _ball(inverse.tolist())
            a = E[..., 0].T @ g[..., 0] @ E[..., 0]
            volume[0] = arb(1)
            for i in range(self.n):
                d = a[i, i]
                if not null and d.contains(0):
                    null[:] = [E[:, j, 0].copy() for j in range(i, self.n)]
                    certain = all(b.is_zero() for b in a[i:, i:].flat)
                volume[0] = volume[0] * d
                sign[i, 0] = 1 / d
                for j in range(i + 1, self.n):
                    ratio = a[j, i] / d
                    a[j, i + 1 :] = a[j, i + 1 :] - ratio * a[i, i + 1 :]
                    E[:, j, 0] = E[:, j, 0] - ratio * E[:, i, 0]
                    F[i, :, 0] = F[i, :, 0] + ratio * F[j, :, 0]

        def scalar(gamma: Objects, ddg: Objects, sign: Objects, out: Objects) -> None:
            nonlocal size
            loops.scalar(gamma, ddg, sign, out)
            size = _size(gamma[..., 0], ddg[..., 0] if ddg.size else ddg, sign[:, 0])

        # The terms of R are added up by the way, for what R is to be small against.
        found = geometry(jet[0], jet[1], jet[2], quantities, frame, {**PLAIN, "scalar": scalar})
        values = {name: np.asarray(_ball(tensor[..., 0])) for name, tensor in found if name in quantities}
        undefined = not all(b.is_finite() for b in jet[0].flat)
        beyond = not undefined and any(np.isnan(rounded(b)) for b in jet[0].flat)
        directions = np.array(null, dtype=object).reshape(-1, self.n)
        return Enclosure(values, self.n - len(null), directions, certain, undefined, beyond, size)

    def refine(self, x: Sequence[float], quantities: Collection[str], most: int = MOST_BITS) -> Refined:
        """Quantities at a point, at rising precision until float64 can ask for no more, or to the most bits."""
        sources = {QUANTITIES[name].read_off for name in quantities}
        bits, null = BITS, NULL_OF_LOGARITHM if "ricci_scalar" in sources else NULL
        wanted = {*quantities} | (sources & {"ricci_scalar"})
        found = self.enclose(x, wanted, bits)
        while missing := self._missing(found, bits, null, most):
            before, bits = bits, min(most, bits + missing)
            if before >= most:
                break
            found = self.enclose(x, wanted, bits)
        if self._without_value(found):
            with precision(UNDEFINED_BITS):
                found = self.enclose(x, wanted, UNDEFINED_BITS, approach=True)
                missing = self._missing(found, UNDEFINED_BITS, null, UNDEFINED_BITS)
        with precision(bits):
            return self._rounded(found, quantities, Status.UNREFINED if missing else Status.REFINED)

    def _missing(self, found: Enclosure, bits: int, null: int, most: int) -> int:
        """How many more bits to try, 0 where float64 can ask for no more."""
        if self._without_value(found):
            return bits if bits < min(most, UNDEFINED_BITS) else 0
        if found.rank < self.n:
            return 0 if found.certain else bits
        missing = [lacking(name, tensor, found.size, bits, null) for name, tensor in found.values.items()]
        return max(missing, default=0)

    def _without_value(self, found: Enclosure) -> bool:
        """Whether the metric, or, where it is regular, what is made of it, has no value."""
        if found.undefined or found.rank < self.n:
            return found.undefined
        return not all(b.is_finite() for tensor in found.values.values() for b in tensor.flat)

    def _rounded(self, found: Enclosure, quantities: Collection[str], status: int) -> Refined:
        values: dict[str, Array] = {}
        regular = found.rank == self.n and not found.undefined
        for name, tensor in found.values.items():
            values[name] = np.full(tensor.shape, np.nan)
            error = values[f"{name}_error"] = np.full(tensor.shape, np.nan)
            if not regular and not QUANTITIES[name].singular:
                continue
            if name == "determinant" and found.rank < self.n and not found.undefined:
                values[name], error[...] = np.zeros(tensor.shape), 0.0 if found.certain else loops.TINY
                continue
            for at, ball in np.ndenumerate(tensor):
                value = values[name][at] = rounded(ball)
                error[at] = error_of(ball, value)
                if np.isnan(value):
                    status = max(status, Status.OVERFLOW if ball.is_finite() else Status.UNDEFINED, key=GRAVITY.index)
        values |= dict(read_from(values, quantities))
        if "ricci_scalar" in values and regular:  # of R more is known than its number
            values |= described(found.values["ricci_scalar"].item())
        if found.undefined or (found.beyond and not regular and not found.certain):  # nothing is known of its rank
            status = Status.UNDEFINED if found.undefined else Status.OVERFLOW
            return Refined(status, values, -1, np.full((self.n, self.n), np.nan))
        return Refined(status if regular else Status.SINGULAR, values, found.rank, _orthonormal(found.null, self.n))


def refine_all(balls: Balls, quantities: Collection[str], most: int, points: Array) -> list[Refined]:
    """Every point refined: what a worker process does."""
    return [balls.refine(x, quantities, most) for x in points]


def _ratio(p: int, q: int) -> arb:
    return arb(p) / q


def _size(gamma: Objects, ddg: Objects, sign: Objects) -> arb:
    """Magnitude of the terms of R, all taken positive."""
    n = len(sign)
    total = arb(0)
    for a in range(n):
        for b in range(n):
            if ddg.size:
                total += abs(sign[a] * sign[b] * ddg[a, b, a, b]) + abs(sign[a] * sign[b] * ddg[a, a, b, b])
            for k in range(n):
                products = abs(gamma[k, a, b] ** 2) + abs(gamma[k, a, a] * gamma[k, b, b])
                total += abs(sign[a] * sign[b] * sign[k]) * products
    return total.upper()


def _bases(n: int) -> Iterator[NDArray[np.int64]]:
    """Bases in which LDLᵀ may run: the coordinates, and one in general position, whose leading minors do not vanish."""
    one = np.eye(n, dtype=np.int64)
    yield one
    if n > 1:
        triangle = np.tril(np.ones((n, n), dtype=np.int64))
        yield triangle @ triangle.T


def _orthonormal(null: Objects, n: int) -> Array:
    """Orthonormal basis of the span of the rows, then rows of zeros."""
    out = np.zeros((n, n))
    if len(null):
        rows = []
        for row in null:
            largest = max(abs(b.mid()) for b in row)
            rows.append([float(b.mid() / largest) for b in row])
        q, r = np.linalg.qr(np.array(rows).T)
        out[: len(rows)] = (q * np.where(np.diag(r) < 0, -1, 1)).T
    return out
