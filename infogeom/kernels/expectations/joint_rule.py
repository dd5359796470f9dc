"""Nodes for expectations over laws of several variables: joint outcomes, or products of rules, one inside the other.

The nodes of a continuous variable are those of the trapezoidal rule of `infogeom.kernels.expectations.nodes`, for each
node of the variables before it: where the density is there, given them, is looked for anew, so that a ridge is followed
wherever it leads.  For that a variable's height is the peak of the density over the variables behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Symbol

from infogeom.kernels.expectations.nodes import Batch, bounded, is_whole, magnitude_of
from infogeom.kernels.expectations.pieces import Chart, Found, Height, Rows, located, peaks
from infogeom.models.law import Law, kinks_of
from infogeom.numeric.float64 import in_float64
from infogeom.numeric.joint import joint_of

__all__ = ["JointRule", "Places"]

Array = NDArray[np.float64]
EVERY = slice(None)
#: Distances from a supposed peak at which a height is looked at, along the line.
DISTANCES_APART = np.concatenate([[0.0], 10.0 ** np.arange(-4, 9.5, 0.5)])
AROUND = np.concatenate([-DISTANCES_APART[:0:-1], DISTANCES_APART])
#: Places looked at together.
PLACES_AT_ONCE = 400_000
#: How often each variable is led to the peak, the others held, and by how much a round rises that is worth another.
MOST_ROUNDS = 12
WORTH_A_ROUND = 0.1
#: Weight of an outcome that is shown, relative to the heaviest.
SHOWN = 1e-12
#: Intervals of the coarsest rule for each variable, by how many of them are continuous.
COARSE_INTERVALS: dict[int, int] = {1: 32, 2: 32, 3: 16}


class Places(NamedTuple):
    """Where densities are: in each row of what is given, for each variable at the coarse nodes of those before it.

    Fields of ``found`` have an axis of rows, then by turns one of pieces and one of nodes.
    """

    given: list[Array]
    found: list[Found]

    def of(self, rows: slice) -> Places:
        """Those of some rows."""
        found = [_of_rows(one, rows) for one in self.found]
        return Places([value[rows] for value in self.given], found)


def _of_rows(found: Found, rows: Any) -> Found:
    return Found(*(values[rows] for values in found))


class JointRule:
    """Nodes of a law of several variables.

    Parameters
    ----------
    law : Law
    arguments : sequence of Symbol
        What the law holds besides its variables.
    special : mapping of str to callable
        Functions that SciPy lacks, vectorised.

    Attributes
    ----------
    continuous : int
        How many variables are continuous.
    coarse : int
        Intervals of the coarsest rule, for each of them.
    """

    def __init__(self, law: Law, arguments: Sequence[Symbol], special: Mapping[str, Callable[..., Any]]) -> None:
        self._joint = joint_of(law)
        known, continuous = [*arguments, *self._joint.discrete], self._joint.continuous
        self.continuous, self._arguments = len(continuous), len(arguments)
        self.coarse = COARSE_INTERVALS.get(len(continuous), 1)
        variables = self._joint.variables
        self._order = [variables.index(x) for x in law.variables]
        *before, last = variables
        density = [law.log_density, magnitude_of(law.log_density)]
        symbols = [last, *arguments, *before]
        self._density, self._terms = (in_float64(symbols, [e], special) for e in density)

        # Ends and kinks of each variable by those before it.
        self._ends, self._moving = [], set()
        for k, (x, support) in enumerate(zip(continuous, self._joint.intervals, strict=True)):
            given = [*known, *continuous[:k]]
            kinks = [kink for kink in kinks_of(law.log_density, x) if kink.free_symbols <= {*given}]
            self._ends.append(in_float64(given, [support.start, support.end, *kinks], special))
            self._moving |= {symbol for kink in kinks for symbol in kink.free_symbols}

    def moves_with(self, symbols: Collection[Symbol]) -> bool:
        """Whether a kink of the density moves with one of the symbols."""
        return not self._moving.isdisjoint(symbols)

    @property
    def outcomes(self) -> int:
        """Number of joint outcomes of the discrete variables."""
        return len(self._joint.outcomes)

    def counted(self, theta: Array) -> Batch:
        """All joint outcomes (m, N, variables) with their probabilities at points (m, k)."""
        *before, last = (np.broadcast_to(column, (len(theta), self.outcomes)) for column in self._joint.outcomes.T)
        given = [*theta.T[..., None], *before]
        with np.errstate(over="ignore"):
            w = np.exp(self._height(last, given))
        return self._batch([*before, last], w, given)

    def _height(self, x: Array, given: Sequence[Array]) -> Array:
        """Log-density by the last variable and what else it holds; −∞ where it has no value."""
        (value,) = self._density(x, *given)
        return bounded(value)

    def _batch(self, columns: Sequence[Array], w: Array, given: Sequence[Array]) -> Batch:
        """Nodes in the order of the law's variables, those without weight in the place of the heaviest."""
        heaviest = w.argmax(axis=1)[:, None]
        (terms,) = self._terms(columns[-1], *given)
        with np.errstate(invalid="ignore"):
            magnitude = np.where(w > 0, w * terms, 0.0).sum(axis=1)
        kept = [np.where(w > 0, x, np.take_along_axis(x, heaviest, axis=1)) for x in columns]
        return Batch(np.stack([kept[k] for k in self._order], axis=-1), w, magnitude)

    def whole(self, mass: Array, magnitude: Array) -> NDArray[np.bool_]:
        """Whether nodes of this mass and magnitude find all of a density."""
        return is_whole(mass, magnitude)

    def some(self, theta: Sequence[float], number: int) -> Array | None:
        """Outcomes (N, variables) in general position, at least so many if there are; None where there is no mass."""
        point = np.array([theta])
        nodes = self.at(point, self.places(point), self.coarse) if self.continuous else self.counted(point)
        whole = self.whole(nodes.w.sum(), nodes.magnitude)
        if not (self.continuous or whole):
            return None
        heavy = np.flatnonzero(nodes.w[0] > SHOWN * nodes.w[0].max())
        shown: Array = nodes.x[0, np.random.default_rng(0).permutation(heavy)]
        return shown[: max(number, 4 * number * self.outcomes)] if self.continuous else shown

    # --- Continuous variables -----------------------------------------------------------------------------------------

    def places(self, theta: Array) -> Places:
        """Where densities are at points, for each joint outcome, given each coarse node of the variables before."""
        given = [np.repeat(column, self.outcomes)[:, None] for column in theta.T]
        given += [np.tile(column, len(theta))[:, None] for column in self._joint.outcomes.T]
        start, peak = given, self._peak(given)
        steps = np.arange(self.coarse + 1) / self.coarse
        found: list[Found] = []
        shape: tuple[int, ...] = (len(peak[0]),)
        for k in range(self.continuous):
            rows = len(given[0])
            given, ends = self._split(given, k)
            shape = (*shape, len(given[0]) // rows)
            peak = np.repeat(peak, shape[-1], axis=1)
            own = self._located(given, ends, peak, k)
            found.append(Found(*(values.reshape(shape) for values in own)))
            shape = (*shape, len(steps))
            given, peak = self._at_nodes(given, _nodes(ends, own, steps)[0]), np.repeat(peak, len(steps), axis=1)
        return Places(start, found)

    def at(self, theta: Array, places: Places, intervals: int) -> Batch:
        """Nodes of rules over so many intervals each, one inside the other; a multiple of the coarse number.

        Between the coarse nodes of the variables before, places are interpolated.
        """
        given, steps = places.given, np.arange(intervals + 1) / intervals
        log_w = np.zeros((len(given[0]), 1))
        for k, coarse in enumerate(places.found):
            given, ends = self._split(given, k)
            found = Found(*(values.ravel() for values in _between(coarse, intervals // self.coarse)))
            x, slope = _nodes(ends, found, steps)
            log_w = (np.repeat(log_w, len(x) // len(log_w), axis=0) + slope).reshape(-1, 1)
            given = self._at_nodes(given, x)

        # A point in a row again, arguments once.
        shape = len(theta), -1
        *before, last = (value.reshape(shape) for value in given[self._arguments :])
        known = [*theta.T[..., None], *before]
        with np.errstate(over="ignore", invalid="ignore"):
            w = np.nan_to_num(np.exp(self._height(last, known) + log_w.reshape(shape)), nan=0.0)
        return self._batch([*before, last], w, known)

    def _at_nodes(self, given: Sequence[Array], x: Array) -> list[Array]:
        """Rows for each node x (r, K) of a variable, with what was given and it."""
        repeated = [np.repeat(value, x.shape[1], axis=0) for value in given]
        return [*repeated, x.reshape(-1, 1)]

    def _split(self, given: Sequence[Array], k: int) -> tuple[list[Array], Chart]:
        """Rows of what is given, each as often as kinks divide the interval of a variable, and those intervals."""
        start, end, *kinks = self._ends[k](*given)
        if not kinks:
            return list(given), Chart(start, end)
        with np.errstate(invalid="ignore"):
            inner = np.sort(np.clip(np.nan_to_num(np.hstack(kinks), nan=np.inf), start, end), axis=1)
        breaks = np.hstack([start, inner, end])
        number = len(kinks) + 1
        rows = [np.repeat(value, number, axis=0) for value in given]
        return rows, Chart(breaks[:, :-1].reshape(-1, 1), breaks[:, 1:].reshape(-1, 1))

    def _located(self, given: Sequence[Array], ends: Chart, peak: Array, k: int) -> Found:
        """Where a variable's density is in each row, those behind it being where they are likeliest."""
        found = []
        for rows in _portions(len(peak[0]), self._evaluations(k)):
            own = [value[rows] for value in given]
            height = self._along(own, ends.of(rows), peak[:, rows], k)
            looked_at = self._looked_at(own[: self._arguments], ends.of(rows), peak[:, rows], k)
            found.append(located(height, looked_at))
        columns = zip(*found, strict=True)
        return Found(*(np.concatenate(column) for column in columns))

    def _evaluations(self, k: int) -> int:
        """How many places are looked at in a row, about."""
        return int(len(AROUND) * (2 + self._arguments) * (2 * len(AROUND)) ** (self.continuous - k - 1))

    def _looked_at(self, arguments: Sequence[Array], ends: Chart, peak: Array, k: int) -> Array:
        """Places along the line: around the peak of all variables, the middle, and each argument that lies inside."""
        centres = [peak[k][:, None], np.zeros_like(ends.low)]
        centres += [np.nan_to_num(ends.inverse(value)) for value in arguments]
        t: Array = np.hstack(centres)[:, :, None] + AROUND
        return t.reshape(len(ends.low), -1)

    def _along(self, given: Sequence[Array], ends: Chart, peak: Array, k: int) -> Height:
        """Height along the line of a variable: the density at its peak over those behind it."""

        def height(t: Array, rows: Rows = EVERY) -> Array:
            x, slope = ends.of(rows).point(t)
            own = [value[rows] for value in given]
            if k == self.continuous - 1:
                return self._height(x, own) + slope
            flat = [np.repeat(value, t.shape[1], axis=0) for value in own]
            top = self._top([*flat, x.reshape(-1, 1)], np.repeat(peak[:, rows], t.shape[1], axis=1), k + 1)
            return top.reshape(t.shape) + slope

        return height

    def _top(self, given: Sequence[Array], peak: Array, k: int) -> Array:
        """Height of the peak over a variable and those behind it, in each row."""
        tops = []
        for rows in _portions(len(peak[0]), self._evaluations(k)):
            own, ends = self._split([value[rows] for value in given], k)
            number = len(own[0]) // len(given[0][rows])
            there = np.repeat(peak[:, rows], number, axis=1)
            _, top = peaks(self._along(own, ends, there, k), self._looked_at((), ends, there, k))
            tops.append(top.reshape(-1, number).max(axis=1))
        return np.concatenate(tops)

    def _peak(self, given: Sequence[Array]) -> Array:
        """Places t (variables, r) of a peak over all variables, each in turn led to where it is likeliest."""
        t = np.zeros((self.continuous, len(given[0])))
        before = np.full(len(given[0]), -np.inf)
        for _ in range(MOST_ROUNDS):
            for k in range(self.continuous if self.continuous > 1 else 0):
                t[k], height = self._led(given, t, k)
            if self.continuous == 1 or (height <= before + WORTH_A_ROUND).all():
                break
            before = height
        return t

    def _led(self, given: Sequence[Array], t: Array, k: int) -> tuple[Array, Array]:
        """Where one variable is likeliest, the others held, and how high it is there."""

        def height(places: Array, rows: Rows = EVERY) -> Array:
            number = places.shape[1]
            own = [np.repeat(value[rows], number, axis=0) for value in given]
            every = np.repeat(t[:, rows], number, axis=1)
            every[k] = places.ravel()
            total = np.zeros((len(own[0]), 1))
            for one, at in enumerate(every):
                start, end, *_ = self._ends[one](*own)
                x, slope = Chart(start, end).point(at[:, None])
                own, total = [*own, x], total + slope
            return (self._height(own[-1], own[:-1]) + total).reshape(places.shape)

        centres = np.stack([t[k], np.zeros_like(t[k])], axis=1)
        places = (centres[:, :, None] + AROUND).reshape(len(centres), -1)
        peak, top = peaks(height, places)
        return peak[:, 0], top[:, 0]


def _between(coarse: Found, factor: int) -> Found:
    """Places at nodes so many times as close, along every second axis from the third on; ranges no shorter."""
    fields = []
    for name, values in zip(Found._fields, coarse, strict=True):
        for axis in range(2, values.ndim, 2) if factor > 1 else ():
            along = np.moveaxis(values, axis, -1)
            below, above = along[..., :-1, None], along[..., 1:, None]
            share = np.arange(factor) / factor
            inner = below + (above - below) * share
            if name in ("first", "last"):
                outer = np.minimum(below, above) if name == "first" else np.maximum(below, above)
                inner = np.where(share > 0, outer, below)
            with_last = np.concatenate([inner.reshape(*along.shape[:-1], -1), along[..., -1:]], axis=-1)
            values = np.moveaxis(with_last, -1, axis)
        fields.append(values)
    return Found(*fields)


def _nodes(ends: Chart, found: Found, steps: Array) -> tuple[Array, Array]:
    """Nodes of one variable in each row, and logarithms of their weights."""
    centre, scale, first, last, _ = (values[:, None] for values in found)
    tau = first + (last - first) * steps
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        x, slope = ends.point(centre + scale * np.sinh(tau))
        step = (last - first) * (steps[1] - steps[0])
        return x, np.nan_to_num(slope + np.log(scale * np.cosh(tau) * step), nan=-np.inf, neginf=-np.inf)


def _portions(rows: int, each: int) -> Iterator[Any]:
    """Rows, of so many places each, in portions that are not too large."""
    number = max(1, PLACES_AT_ONCE // each)
    for start in range(0, rows, number):
        yield np.arange(start, min(start + number, rows))
