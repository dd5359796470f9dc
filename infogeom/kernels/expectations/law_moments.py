"""Moments of the Fisher metric of one law of one variable, at many points at once, and bounds on their errors.

The nodes are those of `infogeom.kernels.expectations.nodes`, doubled in number for a continuous law until moments stay;
what is left to change is part of the error. What rounding does inside the derivatives of ℓ is bounded
as it occurs (`infogeom.kernels.expectations.running_error`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import add
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Symbol

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature.loops import TINY, UNIT
from infogeom.kernels.expectations import moment_loops
from infogeom.kernels.expectations.at_nodes import at_nodes, errors_at_nodes
from infogeom.kernels.expectations.moment_errors import Bounds, Frame, moment_errors
from infogeom.kernels.expectations.moments import doubled, largest, moments, sums_of_products, units
from infogeom.kernels.expectations.nodes import (
    EPS,
    TERM_ROUNDINGS,
    Batch,
    Rule,
    Sample,
    sample_of_outcomes,
    sample_of_rule,
    side_by_side,
)
from infogeom.kernels.expectations.pieces import EFFORTS, Pieces
from infogeom.models.law import Law

__all__ = ["AT_ONCE", "Expectation", "Found", "Means"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]  # numbers of points
#: Intervals of the first rule.
FEWEST_INTERVALS = 16
#: Intervals of the last rule.
MOST_INTERVALS = 2**14
#: Share of what the last step changed that is left to change at least.
LEAST_SHARE = 1 / 16
#: Weight, of a sum of 1, at which a score without a value does not matter: at an end of the support.
NEGLIGIBLE_WEIGHT = 1e-25
#: Nodes that are looked at at once.
AT_ONCE = 16_384
#: Outcomes beyond which the first ones and an integral take the place of all.
LONG_STRETCH = 4096
#: Numbers of outcomes are rounded up to a multiple of this, so that points have as many.
OUTCOMES = 32
#: Weights below this may have lost digits to underflow.
SAFE_WEIGHT = 1e-290
#: What E[s] and E[a] + ½ g, which vanish, come to where nodes are missing, relative to g.
DEFICIT = 1e-13
#: What bounds are at least, in units of √(g_ii g_jj …): the nodes that are looked at do not stand for what is fainter.
FAINTEST_TOLD = 1e-30


class Found(NamedTuple):
    """Moments at points, what is left to change in them, what should vanish, and at which they were found.

    ``gram`` is the matrix that they are made of, of ``n`` coordinates. ``left`` (m, orders) is in units of
    √(g_ii g_jj …). ``rest`` (m, d) is what E[s] and E[a] + ½ g came to. ``samples`` are nodes at which errors are
    looked at, each with the points that they belong to.
    """

    theta: Array
    n: int
    gram: Array
    left: Array
    rest: Array
    known: NDArray[np.bool_]
    samples: list[tuple[Rows, Sample]]

    @property
    def moments(self) -> tuple[Array, ...]:
        """g, ∂g and what curvature needs of ∂∂g, or g alone; 0 where they were not found."""
        return moments(self.gram, self.n)

    def take(self, rows: Rows, means: Means, left: Array, sample: Sample) -> None:
        """Keep what was found at points."""
        self.gram[rows], self.rest[rows], self.left[rows], self.known[rows] = means.gram, means.rest, left, True
        self.samples.append((rows, sample))


class Means(NamedTuple):
    """Gram matrices at points, where they are known, and what E[s] and E[a] + ½ g came to, which vanish."""

    gram: Array
    whole: NDArray[np.bool_]
    rest: Array

    def of(self, chosen: NDArray[np.bool_]) -> Means:
        """Those of some points."""
        return Means(self.gram[chosen], self.whole[chosen], self.rest[chosen])


class Expectation:
    """Moments of the Fisher metric of one law, here of one variable, in those coordinates that it depends on.

    Parameters
    ----------
    law : Law
    coordinates, samples : sequence of Symbol
        Of the whole metric; ``coordinates`` and ``inputs`` are those, and the places of those, that the law holds.
    """

    def __init__(self, law: Law, coordinates: Sequence[Symbol], samples: Sequence[Symbol]) -> None:
        self.copies = float(law.copies)
        density, held = law.log_density, law.arguments
        self.coordinates = [c for c in coordinates if c in held]
        self.inputs = [k for k, s in enumerate(samples) if s in held]
        self.n, arguments = len(self.coordinates), self.coordinates + [samples[k] for k in self.inputs]
        self.rule: Any = self._rule_of(law, arguments)
        self.moving = self.rule.moves_with(self.coordinates)
        derivatives = law.derivatives(self.coordinates, 1 if self.moving else 2)
        self._derivatives = at_nodes(law.variables, arguments, derivatives)
        self._with_errors = errors_at_nodes(law.variables, arguments, [*derivatives, density], self._rounded(law))

    def _rule_of(self, law: Law, arguments: Sequence[Symbol]) -> Any:
        """What gives the nodes."""
        return Rule(law, arguments)

    def _rounded(self, law: Law) -> Sequence[Symbol]:
        """Variables whose rounding the errors of functions of them hold; here samples say how far nodes move."""
        return ()

    def _columns(self, x: Array) -> Array:
        """Nodes of points, the variables first."""
        return x[None]

    def __call__(self, theta: Array) -> Found:
        """Moments at points, given with the data of a sample behind them.

        The trapezoidal rule doubles its nodes, half of them at the places of the last one.
        """
        found = self._nothing(theta)
        if not self.rule.continuous:
            self._sum(found)
            return found
        for effort in EFFORTS:
            (lost,) = np.nonzero(~found.known)
            if not lost.size:
                break
            pieces = self.rule.pieces(theta[lost], effort)
            pieces = pieces._replace(point=lost[pieces.point])
            number = np.bincount(pieces.point, minlength=len(theta))
            for pieces_each in np.unique(number[number > 0]):
                self._integrate(np.flatnonzero(number == pieces_each), pieces, found)
        return found

    def _nothing(self, theta: Array) -> Found:
        """What is known of points before any node."""
        m, n = len(theta), self.n
        d, orders = (n, 1) if self.moving else (n + n * (n + 1) // 2, 3)
        none = np.zeros(m, dtype=bool)
        return Found(theta, n, np.zeros((m, d, d)), np.zeros((m, orders)), np.zeros((m, d)), none, [])

    def _integrate(self, rows: Rows, pieces: Pieces, found: Found, head: _Head | None = None) -> None:
        """Moments at some points, of as many pieces each, by rules of more and more nodes.

        ``head`` is what is not integrated, and the same for all rules.
        """
        intervals, last = FEWEST_INTERVALS, None
        _, sums = self._by_rule(found.theta, rows, pieces, intervals, new=False)
        before = self._means(head.and_tail(sums) if head else sums)
        while rows.size and intervals < MOST_INTERVALS:
            intervals *= 2
            nodes, new = self._by_rule(found.theta, rows, pieces, intervals, new=True)
            sums = sums.halved().plus(new)
            now = self._means(head.and_tail(sums) if head else sums)
            last = doubled(now.gram, before.gram, self.n, last, LEAST_SHARE)
            done = now.whole & before.whole & (last.settled if intervals < MOST_INTERVALS else True)
            left, sample = last.left[done], sample_of_rule(nodes.x[done], 2 * nodes.w[done])
            if head:
                own = head.of(done)
                left = left + largest(own.doubt, units(now.gram[done], self.n))
                sample = side_by_side(sample, own.sample)
            found.take(rows[done], now.of(done), left, sample)

            # Others go on.
            rows, before, sums, last = rows[~done], now.of(~done), sums.of(~done), last.of(~done)
            head = head.of(~done) if head else None

    def _by_rule(self, theta: Array, rows: Rows, pieces: Pieces, intervals: int, *, new: bool) -> tuple[Batch, _Sums]:
        """Nodes and sums over them at some points, so many nodes at once."""
        nodes, sums = [], []
        for some in _split(rows, intervals):
            batch = self.rule.at(theta[some], pieces.of(np.isin(pieces.point, some)), intervals, new=new)
            nodes.append(batch)
            sums.append(self._sums(theta[some], batch))
        return Batch(*_concatenated(nodes)), _Sums.joined(sums)

    def _sum(self, found: Found) -> None:
        """Moments at all points by their outcomes, of points that have about as many at once."""
        stretches = self.rule.stretches(found.theta)
        short = stretches.size
        if self.rule.has_tail:
            is_long = (stretches.size == 0) | (stretches.size > LONG_STRETCH)
            self._sum_head_and_tail(np.flatnonzero(is_long), found)
            short = np.where(found.known, 0, stretches.size)
        sizes = np.minimum(-(-short // OUTCOMES) * OUTCOMES, self.rule.most)
        for size in np.unique(sizes[sizes > 0]):
            for rows in _split(np.flatnonzero(sizes == size), size):
                own = stretches.of(rows)
                nodes = self.rule.counted(found.theta[rows], own, size)
                now = self._means(self._sums(found.theta[rows], nodes))
                sample = sample_of_outcomes(nodes.x, nodes.w, *self.rule.beyond(nodes, own))
                found.take(rows[now.whole], now.of(now.whole), found.left[rows[now.whole]], sample.of(now.whole))

    def _sum_head_and_tail(self, rows: Rows, found: Found) -> None:
        """Moments at some points by the first of outcomes without end, and the integral over the others."""
        if not rows.size:
            return
        theta = found.theta[rows]
        pieces = self.rule.pieces(theta)
        rows, theta = rows[pieces.point], theta[pieces.point]
        nodes, doubtful = self.rule.head(theta)
        doubt = self._sums(theta, nodes._replace(w=doubtful)).gram
        sample = sample_of_outcomes(nodes.x, nodes.w, *np.empty((2, len(rows), 0)))
        head = _Head(self._sums(theta, nodes), doubt, sample)
        self._integrate(rows, pieces._replace(point=rows), found, head)

    def _sums(self, theta: Array, nodes: Batch) -> _Sums:
        """Sums over nodes, so many of them at once."""
        total = self._sums_of(theta, nodes.x[:, :AT_ONCE], nodes.w[:, :AT_ONCE])
        for start in range(AT_ONCE, nodes.x.shape[1], AT_ONCE):
            some = slice(start, start + AT_ONCE)
            total = total.plus(self._sums_of(theta, nodes.x[:, some], nodes.w[:, some]))
        return total._replace(magnitude=nodes.magnitude)

    def _sums_of(self, theta: Array, x: Array, w: Array) -> _Sums:
        derivatives = self._derivatives(self._columns(x), theta)
        means, gram, lacking = sums_of_products(derivatives, w, self.n, NEGLIGIBLE_WEIGHT)
        return _Sums(np.where(lacking, 0.0, w.sum(axis=1)), np.zeros(len(x)), lacking, means, gram)

    def _means(self, sums: _Sums) -> Means:
        """Means of what was summed."""
        whole = self.rule.whole(sums.mass, sums.magnitude) & ~sums.lacking
        mass = np.where(whole, sums.mass, 1.0)
        gram, rest = sums.gram / mass[:, None, None], sums.means / mass[:, None]
        if not self.moving:
            i, j = np.triu_indices(self.n)
            rest[:, self.n :] += gram[:, i, j] / 2
        return Means(gram, whole, rest)

    # --- Errors -------------------------------------------------------------------------------------------------------

    def errors(self, found: Found, frame: Frame) -> Bounds:
        """Bounds on the errors of the moments, those of derivatives in frames; 0 where moments were not found."""
        m, n, into = frame.E.shape
        orders = (2,) if self.moving else (2, 3, 4)
        bounds = Bounds(np.zeros((m, n, n)), tuple(np.zeros((m,) + (into,) * rank) for rank in orders))
        for rows, sample in _joined(found.samples):
            own = self._errors_at(found, rows, sample, frame.at(rows))
            bounds.metric[rows] = own.metric
            for whole, error in zip(bounds.framed, own.framed, strict=True):
                whole[rows] = error
        return bounds.plus(found.left + FAINTEST_TOLD, units(found.gram, self.n), frame)

    def _errors_at(self, found: Found, rows: Rows, sample: Sample, frame: Frame) -> Bounds:
        """Bounds at points from their samples of nodes, shape (m, nodes)."""
        kernels = compiled_module(moment_loops, summed=True)
        values = self._with_errors(self._columns(sample.x), found.theta[rows])
        d, w, of_w = values.shape[1] // 2 - 1, sample.w.copy(), np.empty_like(sample.w)
        where = sample.beyond, sample.counts, sample.step
        kernels["doubt"](values, w, *where, TERM_ROUNDINGS * UNIT, SAFE_WEIGHT, TINY, of_w)
        if not self.moving:
            of_means = np.zeros((len(rows), d))
            kernels["explain"](values, w, of_w, self.n, of_means)
            of_w += w * _deficit(found.rest[rows], of_means, units(found.gram[rows], self.n))[:, None]
        return moment_errors(values, w, of_w, frame)


def _concatenated(parts: Sequence[Sequence[Any]]) -> list[Any]:
    """Arrays of all parts, one after the other."""
    columns = zip(*parts, strict=True)
    return [np.concatenate(arrays) for arrays in columns]


def _joined(samples: Sequence[tuple[Rows, Sample]]) -> Iterator[tuple[Rows, Sample]]:
    """Samples of as many nodes together, not too many of them."""
    for size in sorted({sample.x.shape[1] for _, sample in samples}):
        alike = [(rows, sample) for rows, sample in samples if sample.x.shape[1] == size]
        rows = np.concatenate([rows for rows, _ in alike])
        whole = Sample(*_concatenated([sample for _, sample in alike]))
        for some in _split(np.arange(len(rows)), size):
            yield rows[some], whole.of(some)


def _split(rows: Rows, nodes: int) -> list[Rows]:
    """Points, of so many nodes each, in batches that are not too large."""
    number = max(1, AT_ONCE // nodes)
    return np.split(rows, range(number, len(rows), number))


class _Sums(NamedTuple):
    """Sums over nodes at points: of weights, of what cancels in them, whether a derivative is lacking, and the rest.

    ``means`` are those of what `embedded` gives, ``gram`` those of its products.
    """

    mass: Array
    magnitude: Array
    lacking: NDArray[np.bool_]
    means: Array
    gram: Array

    @classmethod
    def joined(cls, parts: Sequence[_Sums]) -> _Sums:
        """Those of all parts."""
        return cls(*_concatenated(parts))

    def plus(self, other: _Sums) -> _Sums:
        """Sums over the nodes of both."""
        numbers: list[Any] = list(map(add, self, other))
        return _Sums(*numbers)._replace(lacking=self.lacking | other.lacking)

    def halved(self) -> _Sums:
        """Sums with half the weights."""
        numbers: list[Any] = [values / 2 for values in self]
        return _Sums(*numbers)._replace(lacking=self.lacking)

    def of(self, chosen: NDArray[np.bool_]) -> _Sums:
        """Those of some points."""
        columns: list[Any] = [values[chosen] for values in self]
        return _Sums(*columns)


class _Head(NamedTuple):
    """Sums over the first outcomes at points, what of them is in doubt, and where errors are looked at."""

    sums: _Sums
    doubt: Array
    sample: Sample

    def and_tail(self, sums: _Sums) -> _Sums:
        """Sums over all."""
        return self.sums.plus(sums)

    def of(self, chosen: NDArray[np.bool_]) -> _Head:
        """Those of some points."""
        return _Head(self.sums.of(chosen), self.doubt[chosen], self.sample.of(chosen))


def _deficit(rest: Array, explained: Array, unit: Array) -> Array:
    """Share of g that nodes miss, by how much more E[s] and E[a] + ½ g come to than errors explain; they vanish.

    What is missing of E[s²] is at least the square of what is missing of E[s], divided by the mass that is.
    """
    n, (i, j) = unit.shape[1], np.triu_indices(unit.shape[1])
    more = np.maximum(np.abs(rest) - explained, 0.0)
    first, second = more[:, :n] / unit, more[:, n:] / (unit[:, i] * unit[:, j])
    deficit = np.maximum((first**2).max(axis=1) / EPS, second.max(axis=1))
    return np.where(deficit > DEFICIT, deficit, 0.0)
