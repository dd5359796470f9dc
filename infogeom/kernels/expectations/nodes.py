"""Nodes for expectations over laws of one variable: outcomes that count, or a rule wherever the density is.

A continuous law is integrated by the trapezoidal rule in τ, x being logarithmic at a finite end of its support and
sinh τ wide around the peak of the density, so that integrands fall doubly exponentially (Takahasi and Mori 1974).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Set, Symbol

from infogeom.functions import log_sum_exp
from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature.loops import TINY
from infogeom.kernels.expectations import node_loops
from infogeom.kernels.expectations.at_nodes import at_nodes
from infogeom.kernels.expectations.pieces import CLOSELY, LEFT_OFF, QUICKLY, Chart, Effort, Pieces, search
from infogeom.models.law import Law, kinks_of
from infogeom.numeric.cubature import ends_of
from infogeom.numeric.endless_sums import doubtful_share, head_factors
from infogeom.numeric.float64 import in_float64

__all__ = [
    "EPS",
    "TERM_ROUNDINGS",
    "Batch",
    "Rule",
    "Sample",
    "Stretches",
    "bounded",
    "is_whole",
    "magnitude_of",
    "sample_of_outcomes",
    "sample_of_rule",
    "side_by_side",
]

Array = NDArray[np.float64]
#: Error of the mass of a density that was not found whole, or is none, besides rounding.
WHOLE = 1e-10
EPS = float(np.finfo(float).eps)
#: Outcomes of a stretch at most.
LONGEST_STRETCH = 2_000_000
#: First outcomes that are taken one by one where an integral takes the place of the others.
HEAD = 256
#: Distances from a supposed mode at which outcomes are looked at.
OUTCOME_STEPS = np.unique(np.floor(2.0 ** np.arange(-1, 40, 0.5)))
#: Outcomes of which all are taken.
FEW_OUTCOMES = 256
#: Roundings of a term of E[D D (s s)].
TERM_ROUNDINGS = 16
#: Intervals of a rule that shows where a density is, more where its mass is not found by fewer.
SHOWING = (32, 128, 512, 2048)
#: Logarithm of the least weight.
LOG_LEAST = float(np.log(TINY))
#: Nodes at which the errors of a point's derivatives are looked at, which change slowly from node to node.
LOOKED_AT = 32
#: Outcomes from the first on, and from the last, that are all looked at: only beyond they are like their neighbours.
UNLIKE = 24


class Batch(NamedTuple):
    """Nodes x (m, N) at points, weights p dx, and the mean magnitude of what cancels in their exponents."""

    x: Array
    w: Array
    magnitude: Array


class Stretches(NamedTuple):
    """First outcome and number of outcomes at points; others ``far`` out (m, F), and how much they stand for.

    These are what was left off: each has a ``bound`` on the weight since the one before, 0 where it stands for none.
    """

    first: Array
    size: NDArray[np.int64]
    far: Array
    bound: Array

    def of(self, rows: NDArray[np.int64]) -> Stretches:
        """Those of some points."""
        return Stretches(self.first[rows], self.size[rows], self.far[rows], self.bound[rows])


class Rule:
    """Nodes of a law of one variable.

    Parameters
    ----------
    law : Law
    arguments : sequence of Symbol
        What the law holds besides its variable.
    """

    def __init__(self, law: Law, arguments: Sequence[Symbol]) -> None:
        (variable,), (self._support,) = law.variables, law.supports
        density, self.continuous = law.log_density, isinstance(self._support, sympy.Interval)
        kinks = kinks_of(density, variable) if self.continuous else []
        self._moving = {symbol for kink in kinks for symbol in kink.free_symbols}
        self._density = at_nodes([variable], arguments, [density])
        self._with_terms = at_nodes([variable], arguments, [density, magnitude_of(density)])
        self._kinked, self._kinks = bool(kinks), in_float64(arguments, kinks)
        self._few = _few_outcomes(self._support)

    @property
    def most(self) -> int:
        """Number of outcomes at most."""
        return LONGEST_STRETCH if self._few is None else len(self._few)

    @property
    def has_tail(self) -> bool:
        """Whether outcomes are the integers from a first one on, without end."""
        if self.continuous or self._few is not None:
            return False
        low, high = ends_of(self._support)
        return bool(low.is_finite and not high.is_finite)

    def moves_with(self, symbols: Sequence[Symbol]) -> bool:
        """Whether a kink of the density moves with one of the symbols."""
        return not self._moving.isdisjoint(symbols)

    def log_density(self, x: Array, theta: Array) -> Array:
        """Log-density at nodes (m, K) of points (m, k), −∞ where it has no value."""
        return bounded(self._density(x[None], theta)[:, 0])

    def stretches(self, theta: Array) -> Stretches:
        """Stretches of outcomes that count at points (m, k): all of few, else integers around the mode."""
        m, rows = len(theta), np.arange(len(theta))
        if self._few is not None:
            none = np.empty((m, 0))
            return Stretches(np.full(m, self._few[0]), np.full(m, len(self._few)), none, none)
        around, height = self._around_mode(theta)
        for closer in (True, False):
            # From the last outcome looked at that does not count to the first that does not count again: all between.
            counts = height > height.max(axis=1, keepdims=True) - LEFT_OFF
            number = np.isfinite(around).sum(axis=1)
            first = np.maximum(counts.argmax(axis=1) - 1, 0)
            last = np.minimum(counts.shape[1] - counts[:, ::-1].argmax(axis=1), number - 1)
            if closer:
                inner = around[rows, np.minimum(first + 1, last)], around[rows, np.maximum(last - 1, first)]
                ends = around[rows, first], around[rows, last]
                steps = [end[:, None] + (at - end)[:, None] * CLOSELY for end, at in zip(ends, inner, strict=True)]
                around, height = self._looked_at(np.sort(np.rint(np.concatenate(steps, axis=1))), theta, around, height)
        start, end = around[rows, first], around[rows, last]
        found = (height.max(axis=1) > -np.inf) & (end - start <= LONGEST_STRETCH)
        size = np.where(found, end - start + 1, 0)

        # What was looked at further out stands for all that was left off.
        far, bound = np.tile(start[:, None], around.shape[1]), np.zeros(around.shape)
        compiled_module(node_loops)["stand_beyond"](around, height, number, first, last, LOG_LEAST, far, bound)
        some = max(1, int((bound > 0).sum(axis=1).max()))
        return Stretches(start, size.astype(np.int64), far[:, :some], bound[:, :some])

    def _around_mode(self, theta: Array) -> tuple[Array, Array]:
        """Outcomes (m, K) closer together the nearer they are to the mode, sought from the beginning, or 0; and ℓ."""
        low, _ = map(float, ends_of(self._support))
        centre = np.full((len(theta), 1), low if np.isfinite(low) else 0.0)
        around = height = np.empty((len(theta), 0))
        for _ in range(2):  # around the beginning, then around the peak
            steps = np.concatenate([centre - OUTCOME_STEPS[::-1], centre + OUTCOME_STEPS], axis=1)
            around, height = self._looked_at(steps, theta, around, height)
            centre = np.take_along_axis(around, height.argmax(axis=1)[:, None], axis=1)
        return around, height

    def _looked_at(self, more: Array, theta: Array, around: Array, height: Array) -> tuple[Array, Array]:
        """Outcomes with more of them, ascending as they are, and their ℓ; those that do not exist are ∞ far out."""
        loops, number = compiled_module(node_loops), np.empty(len(more), dtype=np.int64)
        low, high = map(float, ends_of(self._support))
        every = np.empty_like(more)
        loops["fresh"](around, more, low, high, every, number)
        new: Array = np.ascontiguousarray(every[:, : int(number.max())])
        own = self.log_density(np.where(np.isfinite(new), new, around[:, :1] if around.size else new[:, :1]), theta)
        shape = len(new), around.shape[1] + new.shape[1]
        outcomes, heights = np.empty(shape), np.empty(shape)
        loops["merge"](around, height, new, own, outcomes, heights)
        return outcomes, heights

    def counted(self, theta: Array, stretches: Stretches, size: int) -> Batch:
        """Outcomes of stretches of at most so many, with their probabilities."""
        place = np.arange(size)
        counts = place < stretches.size[:, None]
        if self._few is not None:
            x = np.tile(self._few[np.minimum(place, len(self._few) - 1)], (len(theta), 1))
        else:
            x = stretches.first[:, None] + np.where(counts, place, 0)
        return self._weighted(x, np.where(counts, 0.0, -np.inf), theta)

    def some(self, theta: Sequence[float], number: int) -> Array | None:
        """At least so many outcomes in general position, if there are as many; None where the mass is not found."""
        if self.continuous:
            pieces = self.pieces(np.array([theta]))
            for intervals in SHOWING if len(pieces.point) else ():
                rule = self.at(np.array([theta]), pieces, intervals)
                if self.whole(rule.w.sum(), rule.magnitude):
                    shown = np.random.default_rng(0).permutation(np.unique(rule.x[0, rule.w[0] > 0]))
                    return shown[: number * len(pieces.point)]
            return None
        found = self.stretches(np.array([theta]))
        (size,) = found.size
        nodes = self.counted(np.array([theta]), found, size) if size else None
        if nodes is None or not self.whole(nodes.w.sum(), nodes.magnitude):
            return None
        x: Array = nodes.x[0, nodes.w[0] > 0]
        if self._few is not None:
            return x
        low, high = map(float, ends_of(self._support))
        x = np.arange(max(x[0] - number, low), min(x[-1] + number, high) + 1)
        return x[:: -(-len(x) // (4 * number))]

    def head(self, theta: Array) -> tuple[Batch, Array]:
        """The first of outcomes without end, with their weights in a sum over all, and how much of these is in doubt.

        What is further out is the integral over the `pieces`.
        """
        first, _ = map(float, ends_of(self._support))
        x, slope = first + np.arange(float(HEAD)), np.log(head_factors(HEAD))
        batch = self._weighted(np.tile(x, (len(theta), 1)), np.tile(slope, (len(theta), 1)), theta)
        return batch, batch.w * doubtful_share(HEAD)

    def pieces(self, theta: Array, effort: Effort = QUICKLY) -> Pieces:
        """Pieces of the support between kinks at points (m, k), with centre and scale of the density and a range of τ.

        Pieces on which there is no density are left out. Of outcomes without end they are those beyond the `head`.
        """
        low, high = ends_of(self._support)
        ends = float(low) + (0.0 if self.continuous else HEAD - 0.5), float(high)
        breaks = [self._between(ends, at) for at in theta] if self._kinked else [[ends]] * len(theta)
        at = np.repeat(np.arange(len(theta)), list(map(len, breaks)))
        low, high = np.array(list(chain(*breaks))).T[..., None]
        found = search(Chart(low, high), self.log_density, theta[at], effort)
        return Pieces(at, low, high, *found).of(found.top > -np.inf)

    def _between(self, ends: tuple[float, float], theta: Array) -> list[tuple[float, float]]:
        """Ends of the pieces at a point."""
        kinks = sorted(kink for kink in map(float, self._kinks(*theta)) if ends[0] < kink < ends[1])
        return list(pairwise([ends[0], *kinks, ends[1]]))

    def at(self, theta: Array, pieces: Pieces, intervals: int, *, new: bool = False) -> Batch:
        """Nodes of the trapezoidal rule over so many intervals of each piece, at points that have as many pieces.

        Only every second one, those that half as many intervals do not have, where these are ``new``.
        """
        places = np.arange(1, intervals, 2) if new else np.arange(intervals + 1)
        t, slope = np.empty((2, len(pieces.centre), len(places)))
        on_tau = pieces.centre, pieces.scale, pieces.first, pieces.last
        compiled_module(node_loops)["places"](*on_tau, places.astype(float), intervals, t, slope)
        x, of_chart = Chart(pieces.low, pieces.high).point(t)
        return self._weighted(x.reshape(len(theta), -1), (slope + of_chart).reshape(len(theta), -1), theta)

    def _weighted(self, x: Array, slope: Array, theta: Array) -> Batch:
        """Nodes (m, N) with their weights; those without weight are in the place of the heaviest."""
        w, magnitude = np.empty(x.shape), np.zeros(len(x))
        compiled_module(node_loops)["weigh"](self._with_terms(x[None], theta), slope, x, w, magnitude)
        return Batch(x, w, magnitude)

    def beyond(self, nodes: Batch, stretches: Stretches) -> tuple[Array, Array]:
        """What stands for outcomes (m, F) that were left off, or that float64 finds no probability of among few."""
        if self._few is None:
            return stretches.far, stretches.bound
        lost = nodes.w <= 0
        some = np.flatnonzero(lost.any(axis=0))
        return np.tile(self._few[some], (len(lost), 1)), np.where(lost[:, some], TINY, 0.0)

    def whole(self, mass: Array, magnitude: Array) -> NDArray[np.bool_]:
        """Whether nodes of this mass and magnitude find all of a density."""
        return is_whole(mass, magnitude)


def _few_outcomes(support: Set) -> Array | None:
    """All outcomes, ascending, where there are no more than it takes to look for those that count."""
    if isinstance(support, sympy.FiniteSet) or (isinstance(support, sympy.Range) and support.size <= FEW_OUTCOMES):
        return np.array(sorted(map(float, support)))
    return None


def is_whole(mass: Array, magnitude: Array) -> NDArray[np.bool_]:
    """Whether nodes of this mass, with what cancels in their exponents, find all of a density."""
    found: NDArray[np.bool_] = np.abs(mass - 1) <= WHOLE + TERM_ROUNDINGS * EPS * magnitude
    return found


def bounded(log_density: Array) -> Array:
    """−∞ where a density without bound at an end of its support has no value: float64 cannot tell the two apart."""
    return np.where(np.isnan(log_density) | (log_density == np.inf), -np.inf, log_density)


class Sample(NamedTuple):
    """Nodes of points (m, K) at which errors are looked at, and how much weight they stand for.

    ``beyond`` says which of them stand for what was left off, ``counts`` which are there at all, and ``step`` is how
    far rounding moves a node, relative to the distance of its neighbours.
    """

    x: Array
    w: Array
    beyond: NDArray[np.bool_]
    counts: NDArray[np.bool_]
    step: Array

    def of(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Sample:
        """Those of some points."""
        return Sample(self.x[rows], self.w[rows], self.beyond[rows], self.counts[rows], self.step[rows])


def sample_of_rule(x: Array, w: Array) -> Sample:
    """Some of the nodes (m, N) of a continuous law, which stand for all."""
    sample = _some(x, w, 0)
    compiled_module(node_loops)["gaps"](sample.x, sample.step)
    return sample


def side_by_side(*samples: Sample) -> Sample:
    """Nodes of the same points together."""
    columns = zip(*samples, strict=True)
    return Sample(*(np.concatenate(arrays, axis=1) for arrays in columns))


def sample_of_outcomes(x: Array, w: Array, far: Array, bound: Array) -> Sample:
    """Some of the outcomes (m, N), which stand for all, and those ``far`` out with bounds on the weight left off."""
    outside = bound > 0
    return side_by_side(_some(x, w, UNLIKE), Sample(far, bound, outside, outside, np.zeros(far.shape)))


def _some(x: Array, w: Array, ends: int) -> Sample:
    """Nodes with weight: some of them, evenly, in the place of all, but for so many at each end."""
    shape = len(x), min(x.shape[1], LOOKED_AT + 2 * ends)
    chosen, weight, counts = np.empty(shape), np.empty(shape), np.empty(shape, dtype=bool)
    compiled_module(node_loops)["choose"](x, w, ends, LOOKED_AT, chosen, weight, counts)
    most = int(counts.sum(axis=1).max(initial=1))
    chosen, weight, counts = chosen[:, :most], weight[:, :most], counts[:, :most]
    return Sample(chosen, weight, np.zeros_like(counts), counts, np.zeros_like(weight))


def magnitude_of(e: Expr) -> Expr:
    """What the rounding errors of a sum are relative to: its terms, positive."""
    if isinstance(e, log_sum_exp):
        terms = [e.fdiff(k) * magnitude_of(a) for k, a in enumerate(e.args, 1)]
        return sympy.Add(_size(e), *terms)
    if e.is_Add:
        return sympy.Add(*map(magnitude_of, e.args))
    return _size(e)


def _size(e: Expr) -> Expr:
    """|e| of what is real, known or not."""
    return sympy.sqrt(e**2)
