"""Nodes for expectations over laws of one variable: outcomes that count, or a rule wherever the density is.

A continuous law is integrated by the trapezoidal rule in τ, x being logarithmic at a finite end of its support and
sinh τ wide around the peak of the density, so that integrands fall doubly exponentially (Takahasi and Mori 1974).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.special import expit
from sympy import Expr, Symbol

from infogeom.functions import log_sum_exp
from infogeom.kernels.curvature.loops import TINY
from infogeom.models.law import Law, kinks_of
from infogeom.numeric.cubature import ends_of
from infogeom.numeric.float64 import in_float64

__all__ = ["EPS", "TERM_ROUNDINGS", "Nodes", "Rule", "Sample", "sample_of"]

Array = NDArray[np.float64]
#: Where the exponent of the density has fallen by this from its peak it is left off.
LEFT_OFF = 60.0
#: Error of the mass of a density that was not found whole, or is none, besides rounding.
WHOLE = 1e-10
EPS = float(np.finfo(float).eps)
#: Outcomes of a stretch at most.
LONGEST_STRETCH = 2_000_000
#: Distances from a supposed peak at which the density is looked at, in the variable of the line.
DISTANCES = np.concatenate([[0.0], 10.0 ** np.arange(-9, 9.5, 0.25)])
#: Distances from a supposed mode at which outcomes are looked at.
OUTCOME_STEPS = np.floor(2.0 ** np.arange(-1, 40, 0.125))
#: Distances from a peak among which is that where the exponent has fallen by 1.
WIDTHS = 10.0 ** np.arange(-12, 12, 0.125)
#: Where it is looked how far a density goes in τ.
RANGE = np.linspace(-60, 60, 961)
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


class Nodes(NamedTuple):
    """Nodes x, weights p dx of sum 1; others that stand for what was left off, with bounds on their weights."""

    x: Array
    w: Array
    beyond: tuple[Array, Array]


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
        self._terms = in_float64([variable, *arguments], [_magnitude(density)], special)
        self._kinks = in_float64(arguments, kinks)

    def moves_with(self, symbols: Sequence[Symbol]) -> bool:
        """Whether a kink of the density moves with one of the symbols."""
        return not self._moving.isdisjoint(symbols)

    def log_density(self, x: Array, theta: Sequence[float]) -> Array:
        """Log-density at nodes, −∞ where it has no value."""
        (value,) = self._density(x, *theta)
        # A density without bound at an end of its support has no value where float64 cannot tell the two apart.
        return np.where(np.isnan(value) | (value == np.inf), -np.inf, value)

    def outcomes(self, theta: Sequence[float]) -> Nodes | None:
        """All outcomes that count: a stretch of integers around the mode, or a finite set."""
        if isinstance(self._support, sympy.FiniteSet):
            x = np.array(sorted(map(float, self._support)))
            return self._weighted(x, np.zeros(len(x)), theta)
        around = self._around_mode(theta)
        height = self.log_density(around, theta)
        if height.max() == -np.inf:
            return None

        # From the last outcome looked at that does not count to the first that does not count again: all between them.
        counts = np.flatnonzero(height > height.max() - LEFT_OFF)
        first, last = max(counts[0] - 1, 0), min(counts[-1] + 1, len(around) - 1)
        if around[last] - around[first] > LONGEST_STRETCH:
            return None
        x = np.arange(around[first], around[last] + 1)

        # What was looked at further out stands for all that was left off.
        sides = _beyond(around[: first + 1][::-1], height[: first + 1][::-1]), _beyond(around[last:], height[last:])
        left_off = np.append(sides[0][0], sides[1][0]), np.append(sides[0][1], sides[1][1])
        return self._weighted(x, np.zeros(len(x)), theta, left_off)

    def _around_mode(self, theta: Sequence[float]) -> Array:
        """Outcomes closer together the nearer they are to the mode, which is sought from the beginning, or 0."""
        low, high = map(float, ends_of(self._support))
        centre, around = low if np.isfinite(low) else 0.0, np.empty(0)
        for _ in range(2):  # around the beginning, then around the peak
            around = np.concatenate([around, centre + OUTCOME_STEPS, centre - OUTCOME_STEPS])
            around = np.unique(np.clip(around, low, high))
            centre = around[np.argmax(self.log_density(around, theta))]
        return around

    def some(self, theta: Sequence[float], number: int) -> Array | None:
        """At least so many outcomes in general position, if there are as many; None where the mass is not found."""
        if self.continuous:
            pieces = self.pieces(theta)
            found = (self.at(theta, pieces, intervals) for intervals in SHOWING)
            nodes = next(filter(None, found), None)
            return nodes and np.random.default_rng(0).permutation(nodes.x)[: number * len(pieces)]
        nodes = self.outcomes(theta)
        if nodes is None or isinstance(self._support, sympy.FiniteSet):
            return nodes and nodes.x
        low, high = map(float, ends_of(self._support))
        x = np.arange(max(nodes.x[0] - number, low), min(nodes.x[-1] + number, high) + 1)
        return x[:: -(-len(x) // (4 * number))]

    def pieces(self, theta: Sequence[float]) -> list[tuple[Chart, float, float, float, float]]:
        """Charts of the pieces between kinks, each with centre and scale of the density and the range of τ."""
        ends = [float(self._support.start), float(self._support.end)]
        kinks = sorted(kink for kink in map(float, self._kinks(*theta)) if ends[0] < kink < ends[1])
        breaks = [ends[0], *kinks, ends[1]]
        found = [self._piece(Chart(low, high), theta) for low, high in pairwise(breaks)]
        return list(filter(None, found))

    def _piece(self, chart: Chart, theta: Sequence[float]) -> tuple[Chart, float, float, float, float] | None:
        """A chart with the peak of the density on it, its width and the range of τ; None where there is no density.

        The nodes are to lie wherever the density is, be it 10⁻⁹ wide or 10⁹ away: so first its peak is found, then on
        what scale it falls from there, and then how far it reaches in τ, of which sinh τ is that many scales.
        """

        def height(t: Array) -> Array:
            x, slope = chart.point(t)
            return self.log_density(x, theta) + slope

        # The peak, from around 0 and around each parameter that lies in the piece, by stretches ten times shorter.
        centres = [0.0] + [chart.inverse(c) for c in theta]
        looked_at = [c + sign * DISTANCES for c in centres if np.isfinite(c) for sign in (1, -1)]
        t = np.unique(np.concatenate(looked_at))
        for _ in range(12):
            at = int(np.argmax(height(t)))
            t = np.linspace(t[max(at - 1, 0)], t[min(at + 1, len(t) - 1)], 21)
        centre = float(t[np.argmax(height(t))])
        top = float(height(np.array([centre]))[0])
        if top == -np.inf:
            return None

        # The scale, on which it falls by 1 on the steeper side.
        beside = np.minimum(height(centre + WIDTHS), height(centre - WIDTHS))
        fallen = np.flatnonzero(beside < top - 1)
        scale = float(WIDTHS[fallen[0]]) if fallen.size else 1.0

        # The range; |τ| is the logarithm of dt/dτ, but for a constant.
        with np.errstate(over="ignore", invalid="ignore"):
            counts = np.flatnonzero(height(centre + scale * np.sinh(RANGE)) + np.abs(RANGE) > top - LEFT_OFF)
        low, high = max(counts[0] - 1, 0), min(counts[-1] + 1, len(RANGE) - 1)
        return chart, centre, scale, RANGE[low], RANGE[high]

    def at(self, theta: Sequence[float], pieces: list[Any], intervals: int) -> Nodes | None:
        """Nodes of the trapezoidal rule over so many intervals of each piece."""
        nodes, slopes = [], []
        for chart, centre, scale, low, high in pieces:
            tau, step = np.linspace(low, high, intervals + 1, retstep=True)
            x, slope = chart.point(centre + scale * np.sinh(tau))
            nodes.append(x)
            slopes.append(slope + np.log(scale * np.cosh(tau) * step))
        nothing = np.empty(0)  # where there are no pieces
        return self._weighted(np.concatenate([nothing, *nodes]), np.concatenate([nothing, *slopes]), theta)

    def _weighted(
        self, x: Array, slope: Array, theta: Sequence[float], left_off: tuple[Array, Array] | None = None
    ) -> Nodes | None:
        """Weights of sum 1; None where the nodes do not find the whole mass."""
        w = np.exp(self.log_density(x, theta) + slope)
        lost, kept = x[w <= 0], w > 0
        x, w = x[kept], w[kept]
        mass, (terms,) = w.sum(), self._terms(x, *theta)
        whole = abs(mass - 1) <= WHOLE + TERM_ROUNDINGS * EPS * (w @ terms)
        if self.continuous:
            lost = lost[:0]
        return Nodes(x, w / mass, left_off or (lost, np.full(len(lost), TINY))) if whole else None


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
    """Nodes of a point at which errors are looked at; ``beyond``: which of them stand for what was left off.

    ``step`` is how far rounding moves a node, relative to the distance of its neighbours.
    """

    x: Array
    w: Array
    beyond: NDArray[np.bool_]
    step: Array | None

    def jitter(self, values: Array) -> Array | float:
        """How much values change from neighbour to neighbour in the steps by which rounding moves a node."""
        return 0.0 if self.step is None else np.abs(np.gradient(values, axis=-1)) * self.step


def sample_of(nodes: Nodes, continuous: bool) -> Sample:
    """Some of the nodes, which stand for all, and those for what was left off."""
    N = len(nodes.x)
    at = np.arange(N)
    own = at if continuous else at[UNLIKE : N - UNLIKE]  # those that others are like
    stride = max(1, -(-len(own) // LOOKED_AT))
    at = at if stride == 1 else np.union1d(np.setdiff1d(at, own), own[::stride])
    x, w = nodes.x[at], nodes.w[at] * np.where(np.isin(at, own), stride, 1)
    if continuous:
        # Nodes are 0 apart where rounding leaves nothing of their distance from an end; then values do not differ.
        apart = np.abs(np.gradient(x))
        step = np.divide(np.spacing(np.abs(x)) / 8, apart, out=np.zeros(len(x)), where=apart > 0)
        return Sample(x, w, np.zeros(len(x), dtype=bool), step)
    far, w_far = nodes.beyond
    beyond = np.arange(len(x) + len(far)) >= len(x)
    return Sample(np.append(x, far), np.append(w, w_far), beyond, None)


def _magnitude(e: Expr) -> Expr:
    """What the rounding errors of a sum are relative to: its terms, positive."""
    if isinstance(e, log_sum_exp):
        terms = [e.fdiff(k) * _magnitude(a) for k, a in enumerate(e.args, 1)]
        return sympy.Add(sympy.Abs(e), *terms)
    if e.is_Add:
        return sympy.Add(*map(_magnitude, e.args))
    return sympy.Abs(e)


class Chart:
    """Map of the line onto the interior of an interval, logarithmic at a finite end."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def point(self, t: Array) -> tuple[Array, Array]:
        """Point x(t) and log dx/dt."""
        low, high = self.low, self.high
        with np.errstate(over="ignore"):
            if np.isfinite(low) and np.isfinite(high):
                width, near = high - low, expit(-np.abs(t))
                x = np.where(t < 0, low + width * near, high - width * near)
                return x, np.log(width) - np.abs(t) - 2 * np.log1p(np.exp(-np.abs(t)))
            if np.isfinite(low):
                return low + np.exp(t), t
            if np.isfinite(high):
                return high - np.exp(-t), -t
            return t, np.zeros_like(t)

    def inverse(self, x: float) -> float:
        """The t of a point; nan outside."""
        if not self.low < x < self.high:
            return np.nan
        below = np.log(x - self.low) if np.isfinite(self.low) else 0.0
        above = np.log(self.high - x) if np.isfinite(self.high) else 0.0
        return float(below - above) if np.isfinite(self.low) or np.isfinite(self.high) else x
