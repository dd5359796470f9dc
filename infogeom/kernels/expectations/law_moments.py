"""Moments of the Fisher metric of one law of one variable, at many points at once, and bounds on their errors.

The nodes are those of `infogeom.kernels.expectations.nodes`, doubled in number for a continuous law until g stays, and
once more; what that last step changes is part of the error. What rounding does inside the derivatives of ℓ is bounded
as it occurs (`infogeom.kernels.expectations.running_error`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations_with_replacement
from operator import add
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Symbol

from infogeom.functions.primitive import primitives
from infogeom.kernels.codegen.vectorised import special_on_arrays
from infogeom.kernels.curvature.loops import TINY, UNIT
from infogeom.kernels.expectations.moment_errors import Bounds, Frame, Uncertain, moment_errors
from infogeom.kernels.expectations.moments import embedded, gram, moments, places
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
from infogeom.kernels.expectations.pieces import Pieces
from infogeom.kernels.expectations.running_error import with_errors
from infogeom.models.law import Law
from infogeom.numeric.float64 import PRIMITIVES, in_float64

__all__ = ["AT_ONCE", "Expectation", "Found", "special_functions"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]  # numbers of points
#: Intervals of the first rule.
FEWEST_INTERVALS = 32
#: Intervals of the last rule.
MOST_INTERVALS = 2**14
#: Change of g, relative to √(g_ii g_jj), that is rounding.
SETTLED = 1e-14
#: Weight, of a sum of 1, at which a score without a value does not matter: at an end of the support.
NEGLIGIBLE_WEIGHT = 1e-25
#: Nodes that are looked at at once.
AT_ONCE = 8192
#: Outcomes beyond which the first ones and an integral take the place of all.
LONG_STRETCH = 4096
#: Numbers of outcomes are rounded up to a multiple of this, so that points have as many.
OUTCOMES = 64
#: Weights below this may have lost digits to underflow.
SAFE_WEIGHT = 1e-290
#: What E[s] and E[a + ½ s s], which vanish, come to where nodes are missing, relative to g.
DEFICIT = 1e-13


class Found(NamedTuple):
    """Moments at points, what the last step changed in them, what share of g was missed, and at which they were found.

    ``samples`` are nodes at which errors are looked at, each with the points that they belong to.
    """

    theta: Array
    moments: tuple[Array, ...]
    change: tuple[Array, ...]
    deficit: Array
    known: NDArray[np.bool_]
    samples: list[tuple[Rows, Sample]]


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
        density, held = law.log_density, law.log_density.free_symbols - {*law.variables}
        self.coordinates = [c for c in coordinates if c in held]
        self.inputs = [k for k, s in enumerate(samples) if s in held]
        self.n, arguments = len(self.coordinates), self.coordinates + [samples[k] for k in self.inputs]
        self.rule: Any = self._rule_of(law, arguments)
        self.moving = self.rule.moves_with(self.coordinates)
        derivatives, special = _derivatives(density, self.coordinates, 1 if self.moving else 2), special_functions()
        symbols, rounded = [*law.variables, *arguments], self._rounded(law)
        self._derivatives = self._at_nodes(in_float64(symbols, derivatives, special))
        self._with_errors = self._at_nodes(with_errors(symbols, derivatives, special, rounded))
        self._exponent = self._at_nodes(with_errors(symbols, [density], special, rounded))

    def _rule_of(self, law: Law, arguments: Sequence[Symbol]) -> Any:
        """What gives the nodes."""
        return Rule(law, arguments, special_functions())

    def _rounded(self, law: Law) -> Sequence[Symbol]:
        """Variables whose rounding the errors of functions of them hold; here samples say how far nodes move."""
        return ()

    def _at_nodes(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of variables as one of nodes."""
        return function

    def __call__(self, theta: Array) -> Found:
        """Moments at points, given with the data of a sample behind them.

        The trapezoidal rule doubles its nodes, half of them at the places of the last one, and so an integrand that is
        analytic gains as many digits as it had. Once g stays one more doubling says what ∂g and ∂∂g are still off by.
        """
        found = self._nothing(theta)
        if self.rule.continuous:
            pieces = self.rule.pieces(theta)
            number = np.bincount(pieces.point, minlength=len(theta))
            for pieces_each in np.unique(number[number > 0]):
                self._integrate(np.flatnonzero(number == pieces_each), pieces, found)
        else:
            self._sum(found)
        return found

    def _nothing(self, theta: Array) -> Found:
        """What is known of points before any node."""
        shapes = [(len(theta),) + (self.n,) * rank for rank in ((2,) if self.moving else (2, 3, 4))]
        empty, change = (tuple(np.zeros(shape) for shape in shapes) for _ in range(2))
        return Found(theta, empty, change, np.zeros(len(theta)), np.zeros(len(theta), dtype=bool), [])

    def _integrate(self, rows: Rows, pieces: Pieces, found: Found, head: _Head | None = None) -> None:
        """Moments at some points, of as many pieces each, by rules of more and more nodes.

        ``head`` is what is not integrated, and the same for all rules.
        """
        intervals, settled = FEWEST_INTERVALS, np.zeros(len(rows), dtype=bool)
        _, sums = self._by_rule(found.theta, rows, pieces, intervals, new=False)
        before = self._moments(head.and_tail(sums) if head else sums)
        while rows.size and intervals < MOST_INTERVALS:
            intervals *= 2
            nodes, new = self._by_rule(found.theta, rows, pieces, intervals, new=True)
            sums = sums.halved().plus(new)
            now = self._moments(head.and_tail(sums) if head else sums)
            both = now.whole & before.whole
            done = both & (settled if intervals < MOST_INTERVALS else True)
            sample = sample_of_rule(nodes.x[done], 2 * nodes.w[done])
            found.samples.append((rows[done], side_by_side(sample, head.sample.of(done)) if head else sample))
            found.known[rows[done]], found.deficit[rows[done]] = True, now.deficit[done]
            for whole, off, value, earlier in zip(found.moments, found.change, now.values, before.values, strict=True):
                whole[rows[done]], off[rows[done]] = value[done], np.abs(value - earlier)[done]
            if head:
                for off, doubt in zip(found.change, head.doubt, strict=True):
                    off[rows[done]] += doubt[done]

            # Others go on.
            g, earlier = now.values[0], before.values[0]
            size = np.sqrt(np.einsum("mii,mjj->mij", g, g))
            settled = both & (np.abs(g - earlier) <= SETTLED * size).all(axis=(1, 2))
            rows, settled, before, sums = rows[~done], settled[~done], now.of(~done), sums.of(~done)
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
        sizes = -(-short // OUTCOMES) * OUTCOMES
        for size in np.unique(sizes[sizes > 0]):
            for rows in _split(np.flatnonzero(sizes == size), size):
                own = stretches.of(rows)
                nodes = self.rule.counted(found.theta[rows], own, size)
                now = self._moments(self._sums(found.theta[rows], nodes))
                beyond = self.rule.beyond(nodes, own)
                sample = sample_of_outcomes(nodes.x, nodes.w, beyond)
                found.samples.append((rows[now.whole], sample.of(now.whole)))
                found.known[rows], found.deficit[rows] = now.whole, now.deficit
                for whole, new in zip(found.moments, now.values, strict=True):
                    whole[rows] = new

    def _sum_head_and_tail(self, rows: Rows, found: Found) -> None:
        """Moments at some points by the first of outcomes without end, and the integral over the others."""
        if not rows.size:
            return
        theta = found.theta[rows]
        pieces = self.rule.pieces(theta)
        rows, theta = rows[pieces.point], theta[pieces.point]
        nodes, doubtful = self.rule.head(theta)
        none = [(np.empty(0), np.empty(0))] * len(rows)
        doubt = moments(self._sums(theta, nodes._replace(w=doubtful)).gram, self.n)
        sample = sample_of_outcomes(nodes.x, nodes.w, none)
        head = _Head(self._sums(theta, nodes), tuple(map(np.abs, doubt)), sample)
        self._integrate(rows, pieces._replace(point=rows), found, head)

    def _sums(self, theta: Array, nodes: Batch) -> _Sums:
        """Sums over nodes, so many of them at once."""
        total = self._sums_of(theta, nodes.x[:, :AT_ONCE], nodes.w[:, :AT_ONCE])
        for start in range(AT_ONCE, nodes.x.shape[1], AT_ONCE):
            some = slice(start, start + AT_ONCE)
            total = total.plus(self._sums_of(theta, nodes.x[:, some], nodes.w[:, some]))
        return total._replace(magnitude=nodes.magnitude)

    def _sums_of(self, theta: Array, x: Array, w: Array) -> _Sums:
        derivatives = np.stack(self._derivatives(x, *theta.T[..., None]), axis=1)
        missing, beyond = ~np.isfinite(derivatives), ~np.isfinite(w)
        weighs = missing & (w > NEGLIGIBLE_WEIGHT)[:, None]
        lacking: NDArray[np.bool_] = np.logical_or(weighs.any(axis=(1, 2)), beyond.any(axis=1))

        # At an end of the support, where nothing weighs, there may be no values: they count as 0.
        values, w = embedded(np.where(missing, 0.0, derivatives), self.n), np.where(beyond, 0.0, w)
        means = (values @ w[:, :, None])[..., 0]
        return _Sums(w.sum(axis=1), np.zeros(len(x)), lacking, means, gram(values, w))

    def _moments(self, sums: _Sums) -> _Moments:
        """Means of what was summed."""
        whole = self.rule.whole(sums.mass, sums.magnitude) & ~sums.lacking
        mass = np.where(whole, sums.mass, 1.0)
        values = moments(sums.gram / mass[:, None, None], self.n)
        deficit = np.zeros(len(mass)) if self.moving else _deficit(values[0], sums.means / mass[:, None])
        return _Moments(values, whole, deficit)

    # --- Errors -------------------------------------------------------------------------------------------------------

    def errors(self, found: Found, frame: Frame) -> Bounds:
        """Bounds on the errors of the moments, those of derivatives in frames; 0 where moments were not found."""
        m, n, into = frame.E.shape
        orders = (2,) if self.moving else (2, 3, 4)
        bounds = Bounds(np.zeros((m, n, n)), tuple(np.zeros((m,) + (into,) * rank) for rank in orders))
        for rows, sample in _joined(found.samples):
            own = self._errors_at(found.theta[rows], found.deficit[rows], sample, frame.at(rows))
            bounds.metric[rows] = own.metric
            for whole, error in zip(bounds.framed, own.framed, strict=True):
                whole[rows] = error
        return bounds.plus(found.change, frame)

    def _errors_at(self, theta: Array, deficit: Array, sample: Sample, frame: Frame) -> Bounds:
        """Bounds at points from their samples of nodes, shape (m, nodes)."""
        columns = theta.T[..., None]
        derivatives, errors = (np.stack(one, axis=1) for one in self._with_errors(sample.x, *columns))
        (log_density,), (off,) = self._exponent(sample.x, *columns)
        # A weight errs by what its exponent does, and by what the density changes where a node is rounded.
        exponents = off + sample.jitter(log_density)
        values = np.where(np.isfinite(derivatives), derivatives, 0.0)
        # Where nothing is known of a derivative's error it is as large as the derivative.
        bounds = np.where(np.isfinite(errors), errors, np.abs(values)) + sample.jitter(values)
        w, beyond = sample.w, sample.beyond
        own = np.where(np.isfinite(exponents), exponents, 1.0)
        # Weights are shares of the mass, which errs as they do together.
        inside = np.where(beyond, 0.0, w)
        of_mass = (own * inside).sum(axis=1) / inside.sum(axis=1)
        relative = TERM_ROUNDINGS * UNIT + deficit[:, None] + own + of_mass[:, None]
        faint = (w < SAFE_WEIGHT) & sample.counts
        uncertain = np.where(beyond, w, w * relative) + np.where(faint, TINY, 0.0)
        return moment_errors(values, bounds, Uncertain(inside[:, None], uncertain[:, None]), frame)


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
    doubt: tuple[Array, ...]
    sample: Sample

    def and_tail(self, sums: _Sums) -> _Sums:
        """Sums over all."""
        return self.sums.plus(sums)

    def of(self, chosen: NDArray[np.bool_]) -> _Head:
        """Those of some points."""
        return _Head(self.sums.of(chosen), tuple(part[chosen] for part in self.doubt), self.sample.of(chosen))


class _Moments(NamedTuple):
    """Moments at points, where they are known, and what share of g was missed."""

    values: tuple[Array, ...]
    whole: NDArray[np.bool_]
    deficit: Array

    def of(self, chosen: NDArray[np.bool_]) -> _Moments:
        """Those of some points."""
        return _Moments(tuple(value[chosen] for value in self.values), self.whole[chosen], self.deficit[chosen])


def _deficit(g: Array, means: Array) -> Array:
    """Share of g that nodes miss by what E[s] and E[a + ½ s s] are there, which vanish; 0 where rounding explains it.

    What is missing of E[s²] is at least the square of what is missing of E[s], divided by the mass that is.
    """
    n = g.shape[1]
    size = np.sqrt(np.diagonal(g, axis1=1, axis2=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        first = np.abs(means[:, :n]) / size
        a = means[:, n + places(n, 2)]
        second = np.abs(a + g / 2) / (size[:, :, None] * size[:, None, :])
        deficit = np.maximum((first**2).max(axis=1) / EPS, second.max(axis=(1, 2)))
    explained = (size > 0).all(axis=1) & (deficit > DEFICIT)
    return np.where(explained, deficit, 0.0)


@cache
def special_functions() -> Mapping[str, Callable[..., Any]]:
    """The functions of this package that SciPy lacks, element by element."""
    lacking = {function.__name__ for function in primitives()} - PRIMITIVES.keys()
    return {name: function for name, function in special_on_arrays().items() if name in lacking}


def _derivatives(e: Expr, x: Sequence[Symbol], order: int) -> list[Expr]:
    """All derivatives up to an order, one step at a time: SymPy would simplify what it takes in several."""
    known: dict[tuple[int, ...], Expr] = {(): e}
    for rank in range(1, order + 1):
        for along in combinations_with_replacement(range(len(x)), rank):
            known[along] = known[along[:-1]].diff(x[along[-1]])
    return list(known.values())[1:]
