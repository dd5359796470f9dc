"""Jets of metrics that are expectations without a closed form: quadrature or summation, point by point.

With scores s_i = ∂_i ℓ, h_ij = ∂_i ∂_j ℓ, t_ijk and D_k f = ∂_k f + f s_k, derivative and integral change places:
g_ij = E[s_i s_j], ∂_k g_ij = E[D_k (s_i s_j)] and ∂_l ∂_k g_ij = E[D_l D_k (s_i s_j)].  The density is never divided
by, so that tails are safe.

A continuous law is integrated by the trapezoidal rule in τ, x being logarithmic at a finite end of its support and
sinh τ wide around the peak of the density, so that integrands fall doubly exponentially (Takahasi and Mori 1974).  The
number of nodes is doubled until g stays, and once more; what that last step changes is the error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from itertools import combinations_with_replacement, pairwise, permutations
from typing import Any, NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.special import expit
from sympy import Expr, Symbol

from infogeom.functions import SPECIAL, log_sum_exp
from infogeom.kernels import special
from infogeom.kernels.compile import compiled_module
from infogeom.kernels.curvature import UNIT
from infogeom.symbolic import Metric
from infogeom.symbolic.cubature import ends_of
from infogeom.symbolic.float64 import in_float64
from infogeom.symbolic.law import Law, kinks_of

__all__ = ["Expectations", "Jet", "expectations_of"]

Array = NDArray[np.float64]
#: Where the density has fallen by this exponent it is left off.
FALL = 60.0
#: Intervals of the first rule, and of the last.
FEWEST, MOST = 32, 2**14
#: Change of g, relative to √(g_ii g_jj), that is rounding.
SETTLED = 1e-14
#: Error of the mass of a density that was not found whole, or is none, besides rounding.
WHOLE = 1e-10
#: Weights at which a score without a value does not matter: at an end of the support.
NEGLIGIBLE = 1e-25
EPS = float(np.finfo(float).eps)
MAX_OUTCOMES = 2_000_000
#: Distances from a supposed peak at which the density is looked at.
DISTANCES = np.concatenate([[0.0], 10.0 ** np.arange(-9, 9.5, 0.25)])
#: Roundings of a term of E[D D (s s)].
ROUNDINGS = 16


class Jet(NamedTuple):
    """g[i, j], dg[i, j, k], ddg[i, j, k, l] and bounds on their errors, infinite where the mass was not found."""

    g: Array
    dg: Array
    ddg: Array
    errors: tuple[Array, ...]


class Nodes(NamedTuple):
    """Nodes x, weights p dx, and the magnitudes of the terms of log p added up."""

    x: Array
    w: Array
    terms: Array


class Expectations:
    """Jet of a metric that is the expectation of products of scores, of independent laws and in the mean over samples.

    Where a kink of a density moves with a parameter, derivative and integral do not change places, and there is g
    alone: ``moving`` says so.

    Parameters
    ----------
    metric : Metric
        With laws of one variable each.

    Raises
    ------
    NameError
        When it is called: for a function without a float64 version.
    """

    def __init__(self, metric: Metric) -> None:
        samples = metric.samples
        self._symbols, self._data, self._weights = (
            (samples.symbols, samples.data, samples.weights) if samples else ((), np.empty((1, 0)), np.ones(1))
        )
        x = metric.coordinates
        self._laws = [Expectation(law, x, self._symbols) for law in metric.laws]
        self._own = [[x.index(c) for c in law.coordinates] for law in self._laws]
        self._n = len(x)
        self.moving = any(law.moving for law in self._laws)

    def __call__(self, point: Sequence[float]) -> Jet:
        """Jet at a point."""
        total = _constant_jet(self._n, 0.0, 0.0)
        for law, own in zip(self._laws, self._own, strict=True):
            theta = [float(point[k]) for k in own]
            # What does not depend on the data is the same for every sample.
            rows = zip(self._data, self._weights, strict=True) if law.inputs else [(self._data[0], 1.0)]
            for row, weight in rows:
                jet = law([*theta, *row[law.inputs]])
                for whole, part in zip((*total[:3], *total.errors), (*jet[:3], *jet.errors), strict=True):
                    whole[np.ix_(*[own] * part.ndim)] += weight * part
        return total

    @cached_property
    def unknown(self) -> Jet:
        """What a point has of which nothing can be said."""
        return _constant_jet(self._n, np.nan, np.inf)


class Expectation:
    """Jet of the Fisher metric of one law of one variable, in those coordinates that it depends on.

    Parameters
    ----------
    law : Law
    coordinates, samples : sequence of Symbol
        Of the whole metric; ``coordinates`` and ``inputs`` are those, and the places of those, that the law holds.
    """

    def __init__(self, law: Law, coordinates: Sequence[Symbol], samples: Sequence[Symbol]) -> None:
        self.copies = float(law.copies)
        (self._variable,), (self._support,) = law.variables, law.supports
        density, held = law.log_density, law.log_density.free_symbols - {self._variable}
        self.coordinates = [c for c in coordinates if c in held]
        self.inputs = [k for k, s in enumerate(samples) if s in held]
        self.n, arguments = len(self.coordinates), [*self.coordinates, *(samples[k] for k in self.inputs)]
        kinks = kinks_of(density, self._variable) if isinstance(self._support, sympy.Interval) else []
        self.moving = any(kink.free_symbols & {*self.coordinates} for kink in kinks)
        derivatives = _derivatives(density, self.coordinates, 1 if self.moving else 3)
        self._density = in_float64([self._variable, *arguments], [density], _special())
        self._terms = in_float64([self._variable, *arguments], [_magnitude(density)], _special())
        self._derivatives = in_float64([self._variable, *arguments], derivatives, _special())
        self._kinks = in_float64(arguments, kinks)

    def __call__(self, theta: Sequence[float]) -> Jet:
        """Jet at a point, given with the data of a sample behind it."""
        if not isinstance(self._support, sympy.Interval):
            return self._jet(theta, self._outcomes(theta), None)
        pieces = self._pieces(theta)
        intervals, before, settled = FEWEST, None, False
        while True:
            now = self._jet(theta, self._rule(theta, pieces, intervals), before)
            if before is not None:
                if settled or intervals >= MOST:
                    return now
                size = np.sqrt(np.outer(np.diag(now.g), np.diag(now.g)))
                settled = bool((np.abs(now.g - before.g) <= SETTLED * size).all())
            before, intervals = now, 2 * intervals

    @cached_property
    def unknown(self) -> Jet:
        """What a point has of which nothing can be said."""
        return _constant_jet(self.n, np.nan, np.inf)

    # --- Nodes --------------------------------------------------------------------------------------------------------

    def _log_density(self, x: Array, theta: Sequence[float]) -> Array:
        (value,) = self._density(x, *theta)
        # A density without bound at an end of its support has no value where float64 cannot tell the two apart.
        return np.where(np.isnan(value) | (value == np.inf), -np.inf, value)

    def _outcomes(self, theta: Sequence[float]) -> Nodes | None:
        """All outcomes that count: a stretch of integers around the mode, or a finite set."""
        if isinstance(self._support, sympy.FiniteSet):
            x = np.array(sorted(map(float, self._support)))
        else:
            low, high = map(float, ends_of(self._support))
            steps = np.floor(2.0 ** np.arange(-1, 40, 0.125))
            centre, around = low if np.isfinite(low) else 0.0, np.empty(0)
            for _ in range(2):  # around the beginning, then around the peak
                around = np.unique(np.clip([*around, *(centre + steps), *(centre - steps)], low, high))
                centre = around[np.argmax(self._log_density(around, theta))]
            height = self._log_density(around, theta)
            if height.max() == -np.inf:
                return None
            counts = np.flatnonzero(height > height.max() - FALL)
            x_low, x_high = around[max(counts[0] - 1, 0)], around[min(counts[-1] + 1, len(around) - 1)]
            if x_high - x_low > MAX_OUTCOMES:
                return None
            x = np.arange(x_low, x_high + 1)
        return self._weighted(x, np.zeros(len(x)), theta)

    def _pieces(self, theta: Sequence[float]) -> list[tuple[Chart, float, float, float, float]]:
        """Charts of the pieces between kinks, each with centre and scale of the density and the range of τ."""
        ends = [float(self._support.start), float(self._support.end)]
        kinks = sorted(k for k in map(float, self._kinks(*theta)) if ends[0] < k < ends[1])
        breaks = [ends[0], *kinks, ends[1]]
        found = (self._piece(Chart(*piece), theta) for piece in pairwise(breaks))
        return [piece for piece in found if piece]

    def _piece(self, chart: Chart, theta: Sequence[float]) -> tuple[Chart, float, float, float, float] | None:
        def height(t: Array) -> Array:
            x, slope = chart.point(t)
            return self._log_density(x, theta) + slope

        centres = [0.0, *(chart.inverse(c) for c in theta)]
        t = np.unique(np.concatenate([c + sign * DISTANCES for c in centres if np.isfinite(c) for sign in (1, -1)]))
        for _ in range(12):
            at = int(np.argmax(height(t)))
            t = np.linspace(t[max(at - 1, 0)], t[min(at + 1, len(t) - 1)], 21)
        centre = float(t[np.argmax(height(t))])
        top = float(height(np.array([centre]))[0])
        if top == -np.inf:
            return None
        steps = 10.0 ** np.arange(-12, 12, 0.125)
        beside = np.minimum(height(centre + steps), height(centre - steps))
        fallen = np.flatnonzero(beside < top - 1)
        scale = float(steps[fallen[0]]) if fallen.size else 1.0
        tau = np.linspace(-60, 60, 961)
        with np.errstate(over="ignore", invalid="ignore"):
            counts = np.flatnonzero(height(centre + scale * np.sinh(tau)) + np.abs(tau) > top - FALL)
        return chart, centre, scale, tau[max(counts[0] - 1, 0)], tau[min(counts[-1] + 1, 960)]

    def _rule(self, theta: Sequence[float], pieces: list[Any], intervals: int) -> Nodes | None:
        nodes, slopes = [], []
        for chart, centre, scale, low, high in pieces:
            tau, step = np.linspace(low, high, intervals + 1, retstep=True)
            x, slope = chart.point(centre + scale * np.sinh(tau))
            nodes.append(x)
            slopes.append(slope + np.log(scale * np.cosh(tau) * step))
        return self._weighted(np.concatenate([*nodes, []]), np.concatenate([*slopes, []]), theta)

    def _weighted(self, x: Array, slope: Array, theta: Sequence[float]) -> Nodes | None:
        """Weights of sum 1; None where the nodes do not find the whole mass."""
        w = np.exp(self._log_density(x, theta) + slope)
        kept = w > 0
        x, w = x[kept], w[kept]
        mass, (terms,) = w.sum(), self._terms(x, *theta)
        whole = abs(mass - 1) <= WHOLE + ROUNDINGS * EPS * (w @ terms)
        return Nodes(x, w / mass, terms) if whole else None

    # --- Expectations -------------------------------------------------------------------------------------------------

    def _jet(self, theta: Sequence[float], nodes: Nodes | None, before: Jet | None) -> Jet:
        if nodes is None:
            return self.unknown
        derivatives, w = self._derivatives(nodes.x, *theta), nodes.w
        if any((~np.isfinite(d) & (w > NEGLIGIBLE)).any() for d in derivatives):
            return self.unknown
        values = [np.where(np.isfinite(d), d, 0.0) for d in derivatives]
        uncertain = w * (ROUNDINGS + nodes.terms)  # the logarithm of a weight is off by roundings of its terms
        if self.moving:
            s = np.array(values)
            moments = [np.einsum("in,jn,n->ij", s, s, w), *self.unknown[1:3]]
            sizes = [np.einsum("in,jn,n->ij", abs(s), abs(s), uncertain), *self.unknown.errors[1:]]
        else:
            s, h, t = _unpacked(values, self.n)
            moments = [*_moments(w, s, h, t)]
            sizes = [*_moments(uncertain, abs(s), abs(h), abs(t))]
        errors = [self.copies * UNIT * size for size in sizes]
        found = [self.copies * moment for moment in moments]
        if before is not None:
            errors = [e + np.abs(a - b) for e, a, b in zip(errors, found, before[:3], strict=True)]
        return Jet(found[0], found[1], found[2], tuple(errors))


def _constant_jet(n: int, value: float, error: float) -> Jet:
    g, dg, ddg = (np.full((n,) * rank, value) for rank in (2, 3, 4))
    return Jet(g, dg, ddg, tuple(np.full_like(a, error) for a in (g, dg, ddg)))


@lru_cache(maxsize=32)
def expectations_of(metric: Metric) -> Expectations:
    """The expectations of a metric, kept."""
    return Expectations(metric)


def _special() -> dict[str, Callable[..., Any]]:
    """The functions of `infogeom.kernels.special` that SciPy lacks, element by element."""
    functions = compiled_module(special)
    return {f.__name__: np.vectorize(functions[f.__name__], otypes=[float]) for f in SPECIAL}


def _magnitude(e: Expr) -> Expr:
    """What the rounding errors of a sum are relative to: its terms, positive."""
    if isinstance(e, log_sum_exp):
        return sympy.Add(sympy.Abs(e), *(e.fdiff(k + 1) * _magnitude(a) for k, a in enumerate(e.args)))
    return sympy.Add(*map(_magnitude, e.args)) if e.is_Add else sympy.Abs(e)


def _derivatives(e: Expr, x: Sequence[Symbol], order: int) -> list[Expr]:
    """All derivatives up to an order, one step at a time: SymPy would simplify what it takes in several."""
    known: dict[tuple[int, ...], Expr] = {(): e}
    for rank in range(1, order + 1):
        for along in combinations_with_replacement(range(len(x)), rank):
            known[along] = known[along[:-1]].diff(x[along[-1]])
    return list(known.values())[1:]


def _unpacked(derivatives: Sequence[Array], n: int) -> tuple[Array, Array, Array]:
    """Arrays s[i], h[i, j], t[i, j, k] from derivatives in the order of their indices; nodes along the last axis."""
    it = iter(derivatives)
    N = len(derivatives[0])
    out = []
    for rank in (1, 2, 3):
        tensor = np.empty((n,) * rank + (N,))
        for index in combinations_with_replacement(range(n), rank):
            value = next(it)
            for permuted in set(permutations(index)):
                tensor[permuted] = value
        out.append(tensor)
    return out[0], out[1], out[2]


def _moments(w: Array, s: Array, h: Array, t: Array) -> tuple[Array, Array, Array]:
    """g, ∂g and ∂∂g from derivatives of ℓ at nodes, by the product rule for D."""
    ws = w * s
    g = np.einsum("in,jn->ij", ws, s)
    g = (g + g.T) / 2  # symmetric to the last bit
    hs, sss = np.einsum("ikn,jn->ijk", h, ws), np.einsum("in,jn,kn->ijk", ws, s, s)
    dg = hs + hs.transpose(1, 0, 2) + sss
    ts = np.einsum("ikln,jn->ijkl", t, ws)
    hh = np.einsum("ikn,jln->ijkl", h * w, h)
    hss = np.einsum("abn,cn,dn->abcd", h, ws, s)
    ssss = np.einsum("in,jn,kn,ln->ijkl", ws, s, s, s, optimize=True)
    ddg = ts + ts.transpose(1, 0, 2, 3) + hh + hh.transpose(0, 1, 3, 2) + ssss
    # h of each pair of indices, s of the other two.
    ddg = ddg + hss.transpose(2, 3, 0, 1)  # h_kl
    ddg = ddg + hss.transpose(0, 2, 1, 3) + hss.transpose(0, 2, 3, 1)  # h_ik, h_il
    ddg = ddg + hss.transpose(2, 0, 1, 3) + hss.transpose(2, 0, 3, 1)  # h_jk, h_jl
    return g, dg, ddg


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
