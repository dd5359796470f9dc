"""Closed forms: float64 by generated kernels, and the same expressions in balls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from infogeom.functions.registry import functions_that
from infogeom.kernels.balls.enclosures import BITS, FEWER_BITS, MOST_BITS, Balls
from infogeom.kernels.balls.fixed_precision import DoubleDouble, double_double_of
from infogeom.kernels.codegen.builder import UnsupportedFunctionError, lacking_in_balls
from infogeom.kernels.codegen.program import Kernel
from infogeom.kernels.codegen.rounding import ERRORS
from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature.jet import JET, BoundedJet
from infogeom.kernels.curvature.loops import SINGULAR
from infogeom.kernels.curvature.tensor_errors import SINGLE, SINGLE_OF_SAMPLES
from infogeom.kernels.points import tile_loops
from infogeom.kernels.points.closed_kernels import (
    MetricKernels,
    evaluate_kernel,
    exact_kernel,
    jet_kernels,
    metric_kernels,
    sample_bounds,
    sample_table,
)
from infogeom.kernels.points.pointwise import at_point
from infogeom.kernels.points.proofs import null_space, rank_in_general, rank_of_samples
from infogeom.kernels.points.tiles import Evaluation, Places, Task, ratio
from infogeom.kernels.points.work import Work, way_of
from infogeom.models.parameter import Parameter, fractions
from infogeom.quantities import QUANTITIES, highest_order, may_vanish, metric_and_model, shape_of, zero_with
from infogeom.symbolic import ClosedForm, Metric
from infogeom.symbolic.tensors import is_product_of_lines

__all__ = ["exact"]

Array = NDArray[np.float64]
#: No outer coordinates: one outer point.
NOWHERE = np.empty((0, 1))
NO_DATA = np.empty((0, 0))
#: Points of a tile, outer and inner, without samples; loops vectorise over the inner ones.
UNSAMPLED = (32, 1024)
#: Points of a tile, outer and inner, with samples: the outer ones share tables over the inner ones and the samples,
#: which should stay in the cache.
SAMPLED = (128, 256)
#: Numbers of a tile that loops over small arrays keep in the cache.
CACHED = 2**18
#: Inner points of a tile below which calls outweigh that.
FEWEST_INNER = 256
#: Where in the typical ranges the points of no interest lie.
PLACES_WITHIN = (0.3125, 0.71875, 0.59375, 0.84375)
#: Bits in which it is looked at whether it does.
VANISHING_BITS = 2**13
#: Parameters of a metric of which that is looked at, at most.
MOST_PROBED = 6


class _Jet:
    """Jets of a closed form at the points of a tile.

    Parameters
    ----------
    kernels : MetricKernels
    metric : Metric
    """

    def __init__(self, kernels: MetricKernels, metric: Metric) -> None:
        self.kernels, self.data, self._n = kernels, sample_table(metric), len(metric.coordinates)
        self._held = np.array([[float(number)] for number in metric.form.held.values()]).reshape(-1, 1)
        self.share = SINGLE_OF_SAMPLES if metric.samples else SINGLE

    def __call__(self, outer: Array, inner: Array) -> Array:
        """Components of the jet, and behind them what their errors depend on besides."""
        jet, counts = self.kernels.jet, self.kernels.counts
        if not counts:
            return self.by(jet, outer, inner)

        # Of a mean over samples: the roundings in one of them, which know the data by their bounds alone, and these.
        bounds = sample_bounds(self.data)
        ends = np.cumsum([jet.components, counts.components, len(bounds)])
        values = np.empty((ends[-1], outer.shape[1], inner.shape[1]))
        evaluate_kernel(jet, self._along(outer), inner, self.data, values[: ends[0]])
        along = self._along(_on_each(outer, bounds[:-1, None]))
        evaluate_kernel(counts, along, inner, NO_DATA, values[ends[0] : ends[1]])
        values[ends[1] :] = bounds[:, None, None]
        return values

    def by(self, kernel: Kernel, outer: Array, inner: Array) -> Array:
        """Components of a kernel of coordinates and data."""
        return evaluate_kernel(kernel, self._along(outer), inner, self.data)

    def _along(self, outer: Array) -> Array:
        """Outer coordinates, and constants that are data behind them."""
        return _on_each(outer, self._held) if self._held.size else outer

    def tensors(self, jet: Array) -> tuple[Array, Array, Array]:
        """g, ∂g and ∂∂g, empty where they are not there, from components (components, m)."""
        at, n = self.kernels.jet.at, self._n
        g, dg, ddg = (_shaped(jet, at[name], (n,) * rank) for name, rank in JET.items())
        return g, dg, ddg

    def errors(self, jet: Array) -> dict[str, Array]:
        """Bounds on the errors of the jet and of the observables, where the kernels have them."""
        at, values = self.kernels.jet.at, jet
        if self.kernels.errors:
            at = self.kernels.errors.at
            values = evaluate_kernel(self.kernels.errors, NOWHERE, jet, NO_DATA)[:, 0]
        shapes = {f"{name}_error": (self._n,) * rank for name, rank in JET.items()}
        names = [name for name in at if name.endswith("_error")]
        return {name: _shaped(values, at[name], shapes.get(name, at[name].shape)) for name in names}


class _Compiled(Evaluation):
    """By generated kernels."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        metric, (geometric, observables) = task.metric, metric_and_model(task.quantities)
        bounds = task.rtol is not None
        self.kernels = metric_kernels(metric, geometric, observables, task.outer_coordinates, bounds=bounds)
        self._jet = _Jet(self.kernels, metric)
        self.size = self.kernels.jet.components
        rows, columns = SAMPLED if metric.samples else UNSAMPLED
        if not (self.kernels.whole or self.kernels.after):
            self.size += 6 * max(at.size for at in self.kernels.jet.at.values())
            columns = min(columns, max(FEWEST_INNER, CACHED // self.size))
        self.most = rows, columns

    def values(self, outer: Array, inner: Array, status: NDArray[np.int8]) -> tuple[Array, Places]:
        """Components of all quantities; each point takes the route that its own metric asks for, whatever is beside.

        Straight-line code first, for all points, since it is fast and right wherever its pivots are positive; only if
        some are not, loops for all points too, of which those points take what they have.
        """
        found = self._positive(outer, inner)
        if found is None:
            return self._general(outer, inner, status)
        values, at = found
        pivot = values[at["pivot"][0]]
        general = status.copy()
        if compiled_module(tile_loops)["see_singular"](pivot, SINGULAR, status):
            return values, at

        positive = pivot >= -SINGULAR
        others, there = self._general(outer, inner, general)
        status[~positive] = general[~positive]
        together: dict[str, NDArray[np.int64]] = {}
        parts: list[Array] = []
        for name in [*self.outputs, "doubt"]:
            if name in at:
                part = np.where(positive, values[at[name]], others[there[name]])
                together[name] = sum(map(len, parts)) + np.arange(len(part))
                parts.append(part)
        return np.concatenate(parts), together

    def _positive(self, outer: Array, inner: Array) -> tuple[Array, Places] | None:
        """Everything from straight-line code, right where the metric is positive; None where there is no such code."""
        kernels = self.kernels
        if kernels.whole:
            kernel, values = kernels.whole, self._jet.by(kernels.whole, outer, inner)
        elif kernels.after:
            jet = self._jet(outer, inner)
            kernel, values = kernels.after, evaluate_kernel(kernels.after, NOWHERE, jet.reshape(len(jet), -1), NO_DATA)
        else:
            return None
        return values.reshape(-1, outer.shape[1], inner.shape[1]), kernel.at

    def _general(self, outer: Array, inner: Array, status: NDArray[np.int8]) -> tuple[Array, Places]:
        """Everything by loops over small arrays: many parameters, indefinite metrics, observables alone."""
        packed, jet = self._jet(outer, inner), self.kernels.jet
        at, parts, flat = dict(jet.at), [packed], packed.reshape(len(packed), -1)
        errors, share = self._jet.errors(flat), self._jet.share

        # Observables stand among the jet's components already; their errors do not.
        observed = [(QUANTITIES[error].base, error) for error in errors if error in QUANTITIES]
        doubt = np.zeros(status.shape)
        for name, error in observed:
            at[error] = sum(map(len, parts)) + np.arange(len(flat[at[name]]))
            parts.append(share * errors[error].reshape(-1, *status.shape))
            doubt = np.maximum(doubt, ratio(flat[at[name]], share * errors[error]).reshape(status.shape))

        # What follows from the jet, with a doubt of its own, which is the last part that was added.
        if jet.at["g"].size:
            bounds = tuple(errors[name] for name in ERRORS if name in errors)
            self.follow(*self._jet.tensors(flat), bounds, status, at, parts, share=share)
            doubt = np.maximum(doubt, parts[-1][0])
        at["doubt"] = np.array([sum(map(len, parts))])
        return np.concatenate([*parts, doubt[None]]), at


def _by_loops(jet: _Jet, quantities: Sequence[str], observed: Sequence[str]) -> Callable[[Array], tuple[Array, ...]]:
    """Quantities at a point by loops over small arrays, of which those observed stand among the components."""
    geometric = [name for name in quantities if name not in observed]

    def values(x: Array) -> tuple[Array, ...]:
        packed = jet(NOWHERE, np.ascontiguousarray(x[:, None]))[:, 0]
        found = dict(zip(geometric, at_point(*jet.tensors(packed), geometric), strict=True)) if geometric else {}
        found.update({name: packed[jet.kernels.jet.at[name], 0].reshape(shape_of(name, len(x))) for name in observed})
        return tuple(found[name] for name in quantities)

    return values


def _on_each(outer: Array, rows: Array) -> Array:
    """Outer coordinates (coordinates, P) with numbers (k, 1) behind those of each point."""
    return np.vstack([outer, np.broadcast_to(rows, (len(rows), outer.shape[1]))])


def _shaped(values: Array, at: NDArray[np.int64], shape: tuple[int, ...]) -> Array:
    """A tensor (*shape, m) from its places among components (components, m)."""
    if not at.size:
        return np.empty((0,) * (len(shape) + 1))
    return values.take(at, axis=0).reshape(*shape, -1)


@way_of(ClosedForm)
class _Closed(Work):
    refines = True

    def evaluation(self, task: Task) -> Evaluation:
        return _Compiled(task)

    def apart(self, quantities: Sequence[str]) -> list[Sequence[str]]:
        """R on its own where it is known, or where cumulants give it and no other quantity needs a derivative."""
        scalars = [name for name in quantities if QUANTITIES[name].source == "ricci_scalar"]
        others = [name for name in quantities if name not in scalars]
        order = highest_order(name for name in others if not QUANTITIES[name].bounds)
        form = self.form
        if scalars and others and (form.ricci_scalar is not None or (form.cumulants is not None and order <= 0)):
            return [others, scalars]
        return [quantities]

    def compiled(self, quantities: tuple[str, ...]) -> Callable[[Array], tuple[Array, ...]]:
        # Of straight-line code all that can be looked up is looked up here: a call costs microseconds.
        metric = self.metric
        given = tuple(name for name in quantities if name in metric.observables)
        others = tuple(name for name in quantities if name not in given)
        jet = _Jet(metric_kernels(metric, others, given, (), bounds=False), metric)
        observed = tuple(name for name in quantities if name in jet.kernels.jet.at)  # what takes no jet
        geometric = tuple(name for name in quantities if name not in observed)
        by_loops = _by_loops(jet, quantities, observed)
        kernel = jet.kernels.whole or jet.kernels.after or jet.kernels.jet
        if geometric and kernel is jet.kernels.jet:
            return by_loops
        shapes = [shape_of(name, self.n) for name in quantities]
        places = [(kernel.at[name], shape) for name, shape in zip(quantities, shapes, strict=True)]
        taken_apart = not all(QUANTITIES[name].of_entries for name in geometric)
        pivot = int(kernel.at["pivot"][0]) if taken_apart else None

        def values(x: Array) -> tuple[Array, ...]:
            """By loops where the metric is not seen to be positive, and that matters."""
            point = np.ascontiguousarray(x[:, None])
            if kernel is jet.kernels.after:
                found = evaluate_kernel(kernel, NOWHERE, jet(NOWHERE, point)[:, 0], NO_DATA)[:, 0, 0]
            else:
                found = jet.by(kernel, NOWHERE, point)[:, 0, 0]
            if pivot is not None and not found[pivot] > SINGULAR:
                return by_loops(x)
            return tuple(found[at].reshape(shape) for at, shape in places)

        return values

    def jets(self, points: Array, order: int) -> BoundedJet:
        jet = _Jet(jet_kernels(self.metric, order), self.metric)
        packed = jet(NOWHERE, np.ascontiguousarray(points.T))[:, 0]
        errors, (g, dg, ddg) = jet.errors(packed), jet.tensors(packed)
        return BoundedJet(g, dg, ddg, tuple(jet.share / SINGLE * errors[name] for name in ERRORS))

    def lacking(self, quantities: Collection[str]) -> str:
        beyond = [name for name in quantities if QUANTITIES[name].order > 0]
        return f"{beyond} are none of it: {self.form.values_only}" if beyond and self.form.values_only else ""

    def balls(self, quantities: Sequence[str]) -> Balls:
        return exact(self.metric, quantities)

    def lacking_in_balls(self) -> str:
        return lacking_in_balls(self.metric.matrix)

    def fixed(self, balls: Balls, quantities: Collection[str]) -> DoubleDouble | None:
        return double_double_of(balls, quantities)

    def most_bits(self, balls: Balls | None, *, irregular: bool) -> int:
        slow = functions_that(lambda facts: facts.slow_in_balls)
        if self.metric.matrix.has(*slow) or (balls and irregular and self._looks_singular(balls)):
            return FEWER_BITS
        return MOST_BITS

    def vanishing(self) -> frozenset[str]:
        return self._vanishing

    @cached_property
    def _vanishing(self) -> frozenset[str]:
        """Which quantities are 0 everywhere, as far as many bits tell at two points of no interest.

        That is no proof: √x² is not analytic, which is why float64 is trusted wherever it knows better; and what holds
        exponentials, a wall far away, may be below any bits here and is not asked.
        """
        metric, exponentials = self.metric, functions_that(lambda facts: facts.saturating)
        if metric.samples or metric.matrix.has(*exponentials) or not 1 < self.n <= MOST_PROBED:
            return frozenset()
        found = set(may_vanish())
        if is_product_of_lines(metric):
            return frozenset(found)
        for name in reversed(may_vanish()):
            # Where R does not vanish neither does Ricci, and where Ricci does not neither does Riemann.
            if name in found and not self._vanishes(name):
                found -= {*zero_with(name)}
        return frozenset(found)

    def rank_everywhere(self, *, irregular: bool, of_metric: bool) -> tuple[int, Array]:
        """Where float64 knows each point to be regular only the data are asked."""
        null = null_space(self.metric) if of_metric else np.empty((0, self.n))
        if len(null) or not irregular:
            return self.n - len(null), null
        if self.metric.samples:
            return self._rank_over_samples, null
        return rank_in_general(self.metric.matrix.subs(dict(self.form.held))), null

    @cached_property
    def _rank_over_samples(self) -> int:
        return rank_of_samples(exact(self.metric, ("metric",)), self._points_of_no_interest[0])

    def _vanishes(self, name: str) -> bool:
        try:
            balls = exact(self.metric, (name,))
        except UnsupportedFunctionError:
            return False
        seen = 0
        for x in self._points_of_no_interest:
            for bits in (BITS, VANISHING_BITS):  # what does not vanish shows at once
                found = balls.enclose(x, (name,), bits)
                if found.rank == self.n and not all(b.contains(0) for b in found.values[name].flat):
                    return False
            seen += found.rank == self.n
            if seen == len(PLACES_WITHIN) // 2:
                return True
        return False

    def _looks_singular(self, balls: Balls) -> bool:
        """Whether the metric is singular, as far as many bits can tell, at two points of no interest.

        That is no proof of its being so elsewhere, but a reason not to look much further for what may not be there.
        """
        where = self._points_of_no_interest[:2]
        for bits in (BITS, 8 * BITS, FEWER_BITS):  # a regular metric shows at once
            found = [balls.enclose(x, (), bits) for x in where]
            if any(f.rank == self.n or f.undefined for f in found):
                return False
        return True

    @cached_property
    def _points_of_no_interest(self) -> list[list[float]]:
        """Points of the typical ranges, in general position."""
        typical = [Parameter("inside", domain).typical for domain in self.metric.domains]

        def point(share: float) -> list[float]:
            return [low + share ** (1 + k / self.n) * (high - low) for k, (low, high) in enumerate(typical)]

        return list(map(point, PLACES_WITHIN))


def exact(metric: Metric, quantities: Sequence[str]) -> Balls:
    """A closed form in ball arithmetic, for the quantities named."""
    geometric, observables = metric_and_model(quantities)
    source, at = exact_kernel(metric, geometric, observables)
    samples = metric.samples
    data = np.column_stack([samples.data, samples.weights]) if samples else np.empty((0, 0))
    held = fractions(metric.form.held)
    return Balls(source, at, len(metric.coordinates), data, bool(samples and samples.equal), held)
