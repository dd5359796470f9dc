"""Nodes for expectations over laws of one variable: outcomes that count, or a rule wherever the density is.

A continuous law is integrated by the trapezoidal rule in τ, x being logarithmic at a finite end of its support and
sinh τ wide around the peak of the density, so that integrands fall doubly exponentially (Takahasi and Mori 1974).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, pairwise
from typing import Any, NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Symbol

from infogeom.functions import log_sum_exp
from infogeom.kernels.curvature.loops import TINY
from infogeom.kernels.expectations.pieces import LEFT_OFF, Chart, Pieces, search
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
OUTCOME_STEPS = np.floor(2.0 ** np.arange(-1, 40, 0.125))
#: Roundings of a term of E[D D (s s)].
TERM_ROUNDINGS = 16
#: Intervals of a rule that shows where a density is, more where its mass is not found by fewer.
SHOWING = (32, 128, 512, 2048)
#: Logarithm of the least weight.
LOG_LEAST = float(np.log(TINY))
#: Nodes at which the errors of a point's derivatives are looked at, which change slowly from node to node.
LOOKED_AT = 32
#: Outcomes from the first on, and from the last, that are all looked at: only beyond they are like their neighbours.
UNLIKE = 64
#: Numbers of those that stand for what was left off are rounded up to a multiple of this.
FAR_OUTCOMES = 32


class Batch(NamedTuple):
    """Nodes x (m, N) at points, weights p dx, and the mean magnitude of what cancels in their exponents."""

    x: Array
    w: Array
    magnitude: Array


class Stretches(NamedTuple):
    """First outcome and number of outcomes at points; others that stand for those left off, with bounds on weights."""

    first: Array
    size: NDArray[np.int64]
    beyond: list[tuple[Array, Array]]

    def of(self, rows: NDArray[np.int64]) -> Stretches:
        """Those of some points."""
        return Stretches(self.first[rows], self.size[rows], [self.beyond[k] for k in rows])


class Rule:
    """Nodes of a law of one variable.

    Parameters
    ----------
    law : Law
    arguments : sequence of Symbol
        What the law holds besides its variable.
    special : mapping of str to callable
        Functions that SciPy lacks, vectorised.
    """

    def __init__(self, law: Law, arguments: Sequence[Symbol], special: Mapping[str, Callable[..., Any]]) -> None:
        (variable,), (self._support,) = law.variables, law.supports
        density, self.continuous = law.log_density, isinstance(self._support, sympy.Interval)
        kinks = kinks_of(density, variable) if self.continuous else []
        self._moving = {symbol for kink in kinks for symbol in kink.free_symbols}
        self._density = in_float64([variable, *arguments], [density], special)
        self._with_terms = in_float64([variable, *arguments], [density, magnitude_of(density)], special)
        self._kinked, self._kinks = bool(kinks), in_float64(arguments, kinks)

    @property
    def has_tail(self) -> bool:
        """Whether outcomes are the integers from a first one on, without end."""
        if self.continuous or isinstance(self._support, sympy.FiniteSet):
            return False
        low, high = ends_of(self._support)
        return bool(low.is_finite and not high.is_finite)

    def moves_with(self, symbols: Sequence[Symbol]) -> bool:
        """Whether a kink of the density moves with one of the symbols."""
        return not self._moving.isdisjoint(symbols)

    def log_density(self, x: Array, theta: Sequence[float] | Array) -> Array:
        """Log-density at nodes, −∞ where it has no value."""
        (value,) = self._density(x, *theta)
        return bounded(value)

    def stretches(self, theta: Array) -> Stretches:
        """Stretches of outcomes that count at points (m, k): all of a finite set, else integers around the mode."""
        m = len(theta)
        if isinstance(self._support, sympy.FiniteSet):
            size, none = np.full(m, len(self._support.args)), np.empty(0)
            return Stretches(np.zeros(m), size, [(none, none)] * m)
        around = self._around_mode(theta)
        looked_at = np.isfinite(around)
        height = self.log_density(np.where(looked_at, around, around[:, :1]), theta.T[..., None])
        height = np.where(looked_at, height, -np.inf)

        # From the last outcome looked at that does not count to the first that does not count again: all between them.
        top = height.max(axis=1, keepdims=True)
        counts = height > top - LEFT_OFF
        number = looked_at.sum(axis=1)
        first = np.maximum(counts.argmax(axis=1) - 1, 0)
        last = np.minimum(counts.shape[1] - counts[:, ::-1].argmax(axis=1), number - 1)
        rows = np.arange(m)
        start, end = around[rows, first], around[rows, last]
        size = np.where((top[:, 0] > -np.inf) & (end - start <= LONGEST_STRETCH), end - start + 1, 0)

        # What was looked at further out stands for all that was left off.
        beyond = []
        for k in range(m):
            x, h = around[k, : number[k]], height[k, : number[k]]
            below, above = slice(first[k], None, -1), slice(last[k], None)
            sides = _beyond(x[below], h[below]), _beyond(x[above], h[above])
            beyond.append((np.append(sides[0][0], sides[1][0]), np.append(sides[0][1], sides[1][1])))
        return Stretches(start, size.astype(np.int64), beyond)

    def _around_mode(self, theta: Array) -> Array:
        """Outcomes (m, K) closer together the nearer they are to the mode, sought from the beginning, or 0; then ∞."""
        low, high = map(float, ends_of(self._support))
        centre = np.full((len(theta), 1), low if np.isfinite(low) else 0.0)
        around = np.empty((len(theta), 0))
        for _ in range(2):  # around the beginning, then around the peak
            around = np.concatenate([around, centre + OUTCOME_STEPS, centre - OUTCOME_STEPS], axis=1)
            around = np.sort(np.clip(around, low, high), axis=1)
            highest = self.log_density(around, theta.T[..., None]).argmax(axis=1)[:, None]
            centre = np.take_along_axis(around, highest, axis=1)
        again = np.diff(around, axis=1, prepend=-np.inf) == 0
        return np.sort(np.where(again, np.inf, around), axis=1)

    def counted(self, theta: Array, stretches: Stretches, size: int) -> Batch:
        """Outcomes of stretches of at most so many, with their probabilities."""
        place = np.arange(size)
        counts = place < stretches.size[:, None]
        if isinstance(self._support, sympy.FiniteSet):
            values = np.array(sorted(map(float, self._support)))
            x = np.tile(values[np.minimum(place, len(values) - 1)], (len(theta), 1))
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
        if isinstance(self._support, sympy.FiniteSet):
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
        shape = len(theta), HEAD
        batch = self._weighted(np.broadcast_to(x, shape), np.broadcast_to(slope, shape), theta)
        return batch, batch.w * doubtful_share(HEAD)

    def pieces(self, theta: Array) -> Pieces:
        """Pieces of the support between kinks at points (m, k), with centre and scale of the density and a range of τ.

        Pieces on which there is no density are left out. Of outcomes without end they are those beyond the `head`.
        """
        low, high = ends_of(self._support)
        ends = float(low) + (0.0 if self.continuous else HEAD - 0.5), float(high)
        breaks = [self._between(ends, at) for at in theta] if self._kinked else [[ends]] * len(theta)
        at = np.repeat(np.arange(len(theta)), list(map(len, breaks)))
        low, high = np.array(list(chain(*breaks))).T[..., None]
        found = search(Chart(low, high), self.log_density, theta[at].T[..., None])
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
        step = ((pieces.last - pieces.first) / intervals)[:, None]
        centre, scale, first = (values[:, None] for values in (pieces.centre, pieces.scale, pieces.first))
        tau = first + places * step
        x, slope = Chart(pieces.low, pieces.high).point(centre + scale * np.sinh(tau))
        slope = slope + np.log(scale * np.cosh(tau) * step)
        return self._weighted(x.reshape(len(theta), -1), slope.reshape(len(theta), -1), theta)

    def _weighted(self, x: Array, slope: Array, theta: Array) -> Batch:
        """Nodes (m, N) with their weights; those without weight are in the place of the heaviest."""
        value, terms = self._with_terms(x, *theta.T[..., None])
        with np.errstate(over="ignore", invalid="ignore"):
            w = np.exp(bounded(value) + slope)
            magnitude = np.where(w > 0, w * terms, 0.0).sum(axis=1)
        heaviest = np.take_along_axis(x, w.argmax(axis=1)[:, None], axis=1)
        return Batch(np.where(w > 0, x, heaviest), w, magnitude)

    def beyond(self, nodes: Batch, stretches: Stretches) -> list[tuple[Array, Array]]:
        """What stands for outcomes that were left off, or that float64 finds no probability of in a finite set."""
        if not isinstance(self._support, sympy.FiniteSet):
            return stretches.beyond
        values = np.array(sorted(map(float, self._support)))
        lost = [values[w[: len(values)] <= 0] for w in nodes.w]
        return [(x, np.full(len(x), TINY)) for x in lost]

    def whole(self, mass: Array, magnitude: Array) -> NDArray[np.bool_]:
        """Whether nodes of this mass and magnitude find all of a density."""
        return is_whole(mass, magnitude)


def is_whole(mass: Array, magnitude: Array) -> NDArray[np.bool_]:
    """Whether nodes of this mass, with what cancels in their exponents, find all of a density."""
    found: NDArray[np.bool_] = np.abs(mass - 1) <= WHOLE + TERM_ROUNDINGS * EPS * magnitude
    return found


def bounded(log_density: Array) -> Array:
    """−∞ where a density without bound at an end of its support has no value: float64 cannot tell the two apart."""
    return np.where(np.isnan(log_density) | (log_density == np.inf), -np.inf, log_density)


def _beyond(x: Array, height: Array) -> tuple[Array, Array]:
    """Outcomes further and further out, the first one excepted, each with a bound on the mass as far as the next one.

    The density falls there.  One that is below float64 stands for all that follow.
    """
    x, height = x[1:], height[1:]
    known = height + np.log(np.abs(np.diff(x, append=x[-1:] + 1))) if len(x) else height
    below = known <= LOG_LEAST
    some = int(np.argmax(below)) + 1 if below.any() else len(x)
    return x[:some], np.exp(np.maximum(known[:some], LOG_LEAST))


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

    def jitter(self, values: Array) -> Array:
        """How much values (m, …, K) change from neighbour to neighbour in the steps by which rounding moves a node."""
        step = self.step if values.ndim == 2 else self.step[:, None]
        with np.errstate(invalid="ignore"):
            change: Array = np.where(step > 0, np.abs(np.gradient(values, axis=-1)) * step, 0.0)
        return change


def sample_of_rule(x: Array, w: Array) -> Sample:
    """Some of the nodes (m, N) of a continuous law, which stand for all."""
    sample = _some(x, w, 0)
    # Nodes are 0 apart where rounding leaves nothing of their distance from an end; then values do not differ.
    apart = np.abs(np.gradient(sample.x, axis=1))
    step = np.divide(np.spacing(np.abs(sample.x)) / 8, apart, out=np.zeros_like(apart), where=apart > 0)
    return sample._replace(step=step)


def side_by_side(*samples: Sample) -> Sample:
    """Nodes of the same points together."""
    columns = zip(*samples, strict=True)
    return Sample(*(np.concatenate(arrays, axis=1) for arrays in columns))


def sample_of_outcomes(x: Array, w: Array, beyond: Sequence[tuple[Array, Array]]) -> Sample:
    """Some of the outcomes (m, N), which stand for all, and those of each point for what was left off."""
    inside = _some(x, w, UNLIKE)
    number = np.array([len(far) for far, _ in beyond])
    shape = len(x), -(-int(number.max()) // FAR_OUTCOMES) * FAR_OUTCOMES
    far, w_far = np.tile(inside.x[:, -1:], shape[1]), np.zeros(shape)
    for k, (places, weights) in enumerate(beyond):
        far[k, : number[k]], w_far[k, : number[k]] = places, weights
    outside = np.arange(shape[1]) < number[:, None]
    none = np.zeros_like(inside.counts)
    return side_by_side(inside._replace(beyond=none), Sample(far, w_far, outside, outside, 0 * w_far))


def _some(x: Array, w: Array, ends: int) -> Sample:
    """Nodes with weight: some of them, evenly, in the place of all, but for so many at each end."""
    kept = w > 0
    number = kept.sum(axis=1, keepdims=True)
    others = np.maximum(number - 2 * ends, 0)
    stride = np.maximum(1, -(-others // LOOKED_AT))
    after = ends + -(-others // stride)
    place = np.arange(min(x.shape[1], LOOKED_AT + 2 * ends))
    strided = (place >= ends) & (place < after) & (others > 0)
    spread = np.where(strided, ends + (place - ends) * stride, number - ends + (place - after))
    at = np.where((place < ends) | (others == 0), place, spread)
    counts = at < number

    # The last one again and again, without weight.
    last = np.where(counts, at, 0).max(axis=1, keepdims=True)
    order = np.argsort(~kept, axis=1, kind="stable")
    chosen = np.take_along_axis(order, np.where(counts, at, last), axis=1)
    weight = np.take_along_axis(w, chosen, axis=1) * np.where(strided, stride, 1)
    nowhere = np.zeros_like(counts)
    return Sample(np.take_along_axis(x, chosen, axis=1), np.where(counts, weight, 0.0), nowhere, counts, 0.0 * weight)


def magnitude_of(e: Expr) -> Expr:
    """What the rounding errors of a sum are relative to: its terms, positive."""
    if isinstance(e, log_sum_exp):
        terms = [e.fdiff(k) * magnitude_of(a) for k, a in enumerate(e.args, 1)]
        return sympy.Add(sympy.Abs(e), *terms)
    if e.is_Add:
        return sympy.Add(*map(magnitude_of, e.args))
    return sympy.Abs(e)
