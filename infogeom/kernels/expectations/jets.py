"""Jets of metrics that are expectations without a closed form: quadrature or summation, point by point.

With scores s_i = ∂_i ℓ, h_ij = ∂_i ∂_j ℓ, t_ijk and D_k f = ∂_k f + f s_k, derivative and integral change places:
g_ij = E[s_i s_j], ∂_k g_ij = E[D_k (s_i s_j)] and ∂_l ∂_k g_ij = E[D_l D_k (s_i s_j)].  The density is never divided
by, so that tails are safe.

The nodes are those of `infogeom.kernels.expectations.nodes`, doubled in number for a continuous law until g stays, and
once more; what that last step changes is part of the error. What rounding does inside the derivatives of ℓ is bounded
as it occurs (`infogeom.kernels.expectations.running_error`), for many nodes at once, whatever points they belong to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import accumulate, combinations_with_replacement, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Symbol

from infogeom.functions.primitive import primitives
from infogeom.kernels.codegen.vectorised import special_on_arrays
from infogeom.kernels.curvature.jet import BoundedJet
from infogeom.kernels.curvature.loops import TINY, UNIT
from infogeom.kernels.expectations.moment_errors import Bounds, Frame, Uncertain, moment_errors, unpacked
from infogeom.kernels.expectations.nodes import EPS, TERM_ROUNDINGS, Nodes, Rule, Sample, sample_of
from infogeom.kernels.expectations.running_error import with_errors
from infogeom.models.law import Law
from infogeom.numeric.float64 import PRIMITIVES, in_float64
from infogeom.symbolic import Expectation as ExpectationForm

__all__ = ["Expectations", "expectations_of", "special_functions"]

Array = NDArray[np.float64]
#: Intervals of the first rule.
FEWEST_INTERVALS = 32
#: Intervals of the last rule.
MOST_INTERVALS = 2**14
#: Change of g, relative to √(g_ii g_jj), that is rounding.
SETTLED = 1e-14
#: Weight, of a sum of 1, at which a score without a value does not matter: at an end of the support.
NEGLIGIBLE_WEIGHT = 1e-25
#: Nodes whose errors are looked at at once.
AT_ONCE = 8192
#: Weights below this may have lost digits to underflow.
SAFE_WEIGHT = 1e-290
#: What E[s] and E[h + s s], which vanish, come to where nodes are missing, relative to g.
DEFICIT = 1e-13


class Found(NamedTuple):
    """Moments at a point by its nodes, what the last step changed in them, and what share of g was missed."""

    theta: Sequence[float]
    moments: tuple[Array, ...]
    change: tuple[Array, ...]
    nodes: Nodes
    deficit: float


class Expectations:
    """Jet of a metric that is the expectation of products of scores, of independent laws and in the mean over samples.

    Where a kink of a density moves with a parameter, derivative and integral do not change places, and there is g
    alone: ``moving`` says so.

    Parameters
    ----------
    form : infogeom.symbolic.Expectation
        With laws of one variable each.
    x : sequence of Symbol
        Coordinates.

    Raises
    ------
    NameError
        When it is called: for a function without a float64 version.
    """

    def __init__(self, form: ExpectationForm, x: Sequence[Symbol]) -> None:
        samples = form.samples
        self._symbols, self._data, self._weights = (
            (samples.symbols, samples.data, samples.weights) if samples else ((), np.empty((1, 0)), np.ones(1))
        )
        self._laws = [Expectation(law, x, self._symbols) for law in form.laws]
        self._own = [list(map(x.index, law.coordinates)) for law in self._laws]
        self._n = len(x)
        self.moving = any(law.moving for law in self._laws)

    def __call__(self, point: Sequence[float]) -> BoundedJet:
        """Jet at a point."""
        return self.jets([point])[0]

    def jets(self, points: Sequence[Sequence[float]]) -> list[BoundedJet]:
        """Jets at points, each of them what it is alone."""
        totals = [_Total(self._n) for _ in points]
        parts: list[_Part] = []
        for law, own in zip(self._laws, self._own, strict=True):
            parts += self._parts(law, own, points)
        for part in parts:
            totals[part.point].add(part)

        # Errors are bounded in the frame of the whole metric, so only now, and for many points of a law at once.
        frames = [Frame(total.moments[0]) for total in totals]
        for law in self._laws:
            of_law = [part for part in parts if part.law is law and part.found]
            found = [part.found for part in of_law if part.found]
            bounds = law.errors(found, [frames[part.point].of(part.own) for part in of_law])
            for part, bound in zip(of_law, bounds, strict=True):
                totals[part.point].add_errors(part, bound)
        return [total.jet(frame) for total, frame in zip(totals, frames, strict=True)]

    def _parts(self, law: Expectation, own: Sequence[int], points: Sequence[Sequence[float]]) -> Iterator[_Part]:
        """What each law, and each sample, adds to the jet of each point."""
        # What does not depend on the data is the same for every sample.
        data, weights = (self._data, self._weights) if law.inputs else (self._data[:1], np.ones(1))
        for k, x in enumerate(points):
            for row, weight in zip(data, weights, strict=True):
                yield _Part(k, law, own, float(weight), law(_held(law, own, x, row)))

    def outcomes(self, point: Sequence[float], number: int) -> Iterator[tuple[int, Array, Array | None]]:
        """For each law and sample: which law, the sample, and outcomes in general position where they are found."""
        for k, (law, own) in enumerate(zip(self._laws, self._own, strict=True)):
            for row in self._data[self._weights > 0]:
                yield k, row, law.rule.some(_held(law, own, point, row), number)


def _held(law: Expectation, own: Sequence[int], point: Sequence[float], row: Array) -> list[float]:
    """Numbers for what a law holds: its coordinates, and behind them its data of a sample."""
    return [float(point[c]) for c in own] + list(row[law.inputs])


class _Part(NamedTuple):
    """What a law adds to the jet of a point in its own coordinates, with a weight; None where it was not found."""

    point: int
    law: Expectation
    own: Sequence[int]
    weight: float
    found: Found | None


class _Total:
    """Jet of a point, added up."""

    def __init__(self, n: int) -> None:
        self.moments = [np.zeros((n,) * rank) for rank in (2, 3, 4)]
        self._error, self._framed = np.zeros((n, n)), [np.zeros_like(moment) for moment in self.moments]
        self._known = 3

    def lose(self, own: Sequence[int], known: int = 0) -> None:
        """In some coordinates nothing is known, or only so many orders of the jet."""
        for moment in self.moments[known:]:
            moment[np.ix_(*[own] * moment.ndim)] = np.nan
        if not known:
            self._error[np.ix_(own, own)] = np.inf
        self._known = min(self._known, known)

    def add(self, part: _Part) -> None:
        """Add the moments of a part."""
        if part.found is None:
            self.lose(part.own)
            return
        for whole, moment in zip(self.moments, part.found.moments, strict=False):
            whole[np.ix_(*[part.own] * moment.ndim)] += part.weight * (part.law.copies * moment)
        if part.law.moving:
            self.lose(part.own, 1)

    def add_errors(self, part: _Part, bounds: Bounds) -> None:
        """Add bounds on the errors of a part."""
        factor = part.weight * part.law.copies
        self._error[np.ix_(part.own, part.own)] += factor * bounds.metric
        for whole, error in zip(self._framed, bounds.framed, strict=False):
            whole += factor * error

    def jet(self, frame: Frame) -> BoundedJet:
        """The jet with its errors, those of derivatives out of the frame."""
        g, dg, ddg = self.moments
        framed, higher = [], []
        for order, error in enumerate(self._framed):
            known = order < self._known
            framed.append(error if known and frame.regular else np.full_like(error, np.nan))
            higher.append(frame.back(error) if known else np.full_like(error, np.inf))
        return BoundedJet(g, dg, ddg, (self._error, *higher[1:]), tuple(framed))


class Expectation:
    """Moments of the Fisher metric of one law of one variable, in those coordinates that it depends on.

    Parameters
    ----------
    law : Law
    coordinates, samples : sequence of Symbol
        Of the whole metric; ``coordinates`` and ``inputs`` are those, and the places of those, that the law holds.
    """

    def __init__(self, law: Law, coordinates: Sequence[Symbol], samples: Sequence[Symbol]) -> None:
        self.copies = float(law.copies)
        (variable,) = law.variables
        density, held = law.log_density, law.log_density.free_symbols - {variable}
        self.coordinates = [c for c in coordinates if c in held]
        self.inputs = [k for k, s in enumerate(samples) if s in held]
        self.n, arguments = len(self.coordinates), self.coordinates + [samples[k] for k in self.inputs]
        self.rule = Rule(law, arguments, special_functions())
        self.moving = self.rule.moves_with(self.coordinates)
        derivatives = _derivatives(density, self.coordinates, 1 if self.moving else 3)
        self._derivatives = in_float64([variable, *arguments], derivatives, special_functions())
        self._with_errors = with_errors([variable, *arguments], derivatives, special_functions())
        self._exponent = with_errors([variable, *arguments], [density], special_functions())

    def __call__(self, theta: Sequence[float]) -> Found | None:
        """Moments at a point, given with the data of a sample behind it; None where the mass was not found.

        The trapezoidal rule doubles its nodes, half of them at the places of the last one, and so an integrand that is
        analytic gains as many digits as it had. Once g stays one more doubling says what ∂g and ∂∂g are still off by.
        """
        if not self.rule.continuous:
            return self._found(theta, self.rule.outcomes(theta), None)
        pieces = self.rule.pieces(theta)
        intervals, before, settled = FEWEST_INTERVALS, None, False
        while True:
            now = self._found(theta, self.rule.at(theta, pieces, intervals), before)
            if now is not None and before is not None:
                if settled or intervals >= MOST_INTERVALS:
                    return now
                g = now.moments[0]
                size = np.sqrt(np.outer(np.diag(g), np.diag(g)))
                settled = bool((np.abs(g - before.moments[0]) <= SETTLED * size).all())
            elif intervals >= MOST_INTERVALS:
                return None
            before, intervals = now, 2 * intervals

    def _found(self, theta: Sequence[float], nodes: Nodes | None, before: Found | None) -> Found | None:
        if nodes is None:
            return None
        derivatives, w = self._derivatives(nodes.x, *theta), nodes.w
        if any((~np.isfinite(d) & (w > NEGLIGIBLE_WEIGHT)).any() for d in derivatives):
            return None

        # At an end of the support, where nothing weighs, there may be no values: they count as 0.
        values = [np.where(np.isfinite(d), d, 0.0) for d in derivatives]
        deficit = 0.0
        moments: tuple[Array, ...]
        if self.moving:
            s = np.array(values)
            moments = (np.einsum("in,jn,n->ij", s, s, w),)
        else:
            s, h, t = unpacked(values, self.n)
            moments = _moments(w, s, h, t)
            deficit = _deficit(moments[0], s @ w, h @ w)

        # The change of the last doubling; none is known, or needed, of a sum.
        earlier = before.moments if before else moments
        change = tuple(np.abs(a - b) for a, b in zip(moments, earlier, strict=True))
        return Found(theta, moments, change, nodes, deficit)

    # --- Errors -------------------------------------------------------------------------------------------------------

    def errors(self, found: Sequence[Found], frames: Sequence[Frame]) -> Iterator[Bounds]:
        """Bounds on the errors of the moments of each point, many nodes at a time."""
        samples = [sample_of(one.nodes, self.rule.continuous) for one in found]
        for batch in _batches([len(sample.x) for sample in samples]):
            x = np.concatenate([samples[k].x for k in batch])
            lengths = [len(samples[k].x) for k in batch]
            theta = np.repeat(np.array([found[k].theta for k in batch]), lengths, axis=0).T
            derivatives, errors = map(np.array, self._with_errors(x, *theta))
            (log_density,), (off,) = self._exponent(x, *theta)
            for k, (start, end) in zip(batch, pairwise([0, *accumulate(lengths)]), strict=True):
                here = slice(start, end)
                # A weight errs by what its exponent does, and by what the density changes where a node is rounded.
                exponents = off[here] + samples[k].jitter(log_density[here])
                bounds = self._errors_at(
                    found[k], samples[k], derivatives[:, here], errors[:, here], exponents, frames[k]
                )
                yield bounds.plus(found[k].change, frames[k])

    def _errors_at(
        self, found: Found, sample: Sample, derivatives: Array, errors: Array, exponents: Array, frame: Frame
    ) -> Bounds:
        values = np.where(np.isfinite(derivatives), derivatives, 0.0)
        # Where nothing is known of a derivative's error it is as large as the derivative.
        bounds = np.where(np.isfinite(errors), errors, np.abs(values)) + sample.jitter(values)
        w, beyond = sample.w, sample.beyond
        own = np.where(np.isfinite(exponents), exponents, 1.0)
        # Weights are shares of the mass, which errs as they do together.
        of_mass = np.average(own[~beyond], weights=w[~beyond])
        relative = TERM_ROUNDINGS * UNIT + found.deficit + own + of_mass
        uncertain = np.where(beyond, w, w * relative) + np.where(w < SAFE_WEIGHT, TINY, 0.0)
        return moment_errors(values, bounds, Uncertain(np.where(beyond, 0.0, w), uncertain), frame)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of neighbours that together are not many."""
    batch: list[int] = []
    total = 0
    for k, length in enumerate(lengths):
        if batch and total + length > AT_ONCE:
            yield batch
            batch, total = [], 0
        batch.append(k)
        total += length
    if batch:
        yield batch


def _deficit(g: Array, s: Array, h: Array) -> float:
    """Share of g that nodes miss by what E[s] and E[h + s s] are there, which vanish; 0 where rounding explains it.

    What is missing of E[s²] is at least the square of what is missing of E[s], divided by the mass that is.
    """
    size = np.sqrt(np.diag(g))
    if not (size > 0).all():
        return 0.0
    first, second = np.abs(s) / size, np.abs(h + g) / np.outer(size, size)
    deficit = max(float((first**2).max() / EPS), float(second.max()))
    return deficit if deficit > DEFICIT else 0.0


@lru_cache(maxsize=32)
def expectations_of(form: ExpectationForm, x: tuple[Symbol, ...]) -> Expectations:
    """The expectations of a form in coordinates, kept."""
    return Expectations(form, x)


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
