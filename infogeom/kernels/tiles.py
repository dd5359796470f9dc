"""Quantities at many points: tiles of the product outer × inner, driven by a pool of threads.

Tiles are the same whatever the number of threads, so results are bit-identical; they also carry the progress bar and
make the work interruptible.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numba
import numpy as np
from numpy.typing import NDArray
from sympy import Symbol
from tqdm import tqdm

from infogeom.kernels import curvature
from infogeom.kernels.compile import compiled_module
from infogeom.kernels.curvature import SINGULAR
from infogeom.kernels.expectations import Expectations, expectations_of
from infogeom.kernels.geometry import geometry
from infogeom.kernels.jet import MetricKernels, evaluate_kernel, metric_kernels, sample_bounds, sample_table
from infogeom.kernels.rounding import ERRORS
from infogeom.kernels.states import stated
from infogeom.kernels.status import Status
from infogeom.kernels.tensor_errors import SINGLE, SINGLE_OF_SAMPLES, over_diagonal
from infogeom.quantities import QUANTITIES, highest_order, metric_and_model
from infogeom.symbolic import Metric

__all__ = ["PATIENCE", "in_order", "tabulate", "threads"]

Array = NDArray[np.float64]
Places = Mapping[str, NDArray[np.int64]]
T = TypeVar("T")
R = TypeVar("R")
#: Rank of each part of a jet.
JET = {"g": 2, "dg": 3, "ddg": 4}
#: No outer coordinates: one outer point.
NOWHERE = np.empty((0, 1))
NO_DATA = np.empty((0, 0))
#: Points of a tile, outer × inner; loops vectorise over the inner ones. With samples the outer ones share tables over
#: the inner ones and the samples, which should stay in the cache.
SAMPLED, UNSAMPLED = (128, 256), (32, 1024)
#: Points of a tile, times samples, where each takes a quadrature.
POINTWISE = 64
#: Numbers of a tile that loops over small arrays keep in the cache, and points below which calls outweigh that.
CACHED, FEWEST = 2**18, 256
#: Numbers that one tile may hold.
TILE_SIZE = 2**21
#: Seconds before a progress bar shows.
PATIENCE = 2.0


@dataclass(frozen=True, eq=False)
class _Work:
    """One evaluation: what to compute, where, and the arrays to fill, (tensor components, P, V) each."""

    n: int
    outer: Array
    inner: Array
    outputs: Mapping[str, Array]
    status: NDArray[np.int8]
    rtol: float | None

    def tile(self, rows: slice, columns: slice) -> None:
        """Fill one tile."""
        outer, inner = np.ascontiguousarray(self.outer[:, rows]), np.ascontiguousarray(self.inner[:, columns])
        status = np.ascontiguousarray(self.status[rows, columns])
        values, at = self._values(outer, inner, status)
        known = status.copy()  # one quantity beyond float64 leaves the others as they are
        functions = compiled_module(curvature)
        asked = [QUANTITIES[name] for name in self.outputs]
        quantities = [q for q in asked if not q.bounds]
        bounds = [q for q in asked if q.bounds]
        for q in quantities:
            most = int(Status.SINGULAR if q.singular else Status.OK)
            functions["store"](values, at[q.name], self.outputs[q.name], rows.start, columns.start, known, most, status)
        if self.rtol is None:
            self.status[rows, columns] = status
            return
        for q in bounds:
            seen = status
            if not q.takes_inverse:  # the errors of what takes no inverse hold where there is none
                seen = np.where(status == Status.SINGULAR, Status.OK, status).astype(np.int8)
            # A line is flat; else a bound below the least positive number may be what is left of a larger one.
            least = 0.0 if self.n == 1 and q.order == 2 else curvature.TINY
            functions["store_error"](values, at[q.name], self.outputs[q.name], rows.start, columns.start, seen, least)
        functions["see_doubt"](values[at["doubt"][0]], float(self.rtol), int(Status.UNKNOWN), status)
        self.status[rows, columns] = status

    @abstractmethod
    def _values(self, outer: Array, inner: Array, status: NDArray[np.int8]) -> tuple[Array, Places]:
        """Components of all quantities, and where each stands; what is seen of the points goes into the status."""

    def _follow(
        self,
        g: Array,
        dg: Array,
        ddg: Array,
        errors: tuple[Array, ...],
        status: NDArray[np.int8],
        at: dict[str, NDArray[np.int64]],
        parts: list[Array],
        framed: tuple[Array, ...] = (),
        share: float = 1.0,
    ) -> None:
        """What follows from jets, added to the parts, with its place; status completed."""
        functions, flags = compiled_module(curvature), status.ravel()

        def frame(*arrays: Array) -> None:
            functions["frame"](*arrays, flags)

        # What leaves float64 is told by the status.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            found = dict(geometry(g, dg, ddg, self.outputs.keys(), frame, functions, errors, framed, share))
        status[...] = flags.reshape(status.shape)
        known = found.keys() & self.outputs.keys()
        for name, part in [*((name, found[name]) for name in known), ("doubt", _doubt(found, known))]:
            at[name] = sum(map(len, parts)) + np.arange(part.size // status.size)
            parts.append(part.reshape(-1, *status.shape))


@dataclass(frozen=True, eq=False)
class _Compiled(_Work):
    """Closed forms, by generated kernels."""

    kernels: MetricKernels
    data: Array

    def _values(self, outer: Array, inner: Array, status: NDArray[np.int8]) -> tuple[Array, Places]:
        """Components of all quantities; each point takes the route that its own metric asks for, whatever is beside."""
        found = self._positive(outer, inner)
        if found is None:
            return self._general(outer, inner, status)
        values, at = found
        pivot = values[at["pivot"][0]]
        general = status.copy()
        if not compiled_module(curvature)["see_singular"](pivot, status):
            positive = pivot >= -SINGULAR
            others, there = self._general(outer, inner, general)
            status[~positive] = general[~positive]
            names = [name for name in (*self.outputs, "doubt") if name in at]
            parts = [np.where(positive, values[at[name]], others[there[name]]) for name in names]
            ends = np.cumsum([len(part) for part in parts])
            at = {name: np.arange(end - len(part), end) for name, part, end in zip(names, parts, ends, strict=True)}
            values = np.concatenate(parts)
        return values, at

    def _positive(self, outer: Array, inner: Array) -> tuple[Array, Places] | None:
        """Everything from straight-line code, right where the metric is positive; None where there is no such code."""
        kernels = self.kernels
        if kernels.whole:
            kernel, values = kernels.whole, evaluate_kernel(kernels.whole, outer, inner, self.data)
        elif kernels.after:
            jet = self._jet(outer, inner)
            kernel, values = kernels.after, evaluate_kernel(kernels.after, NOWHERE, jet.reshape(len(jet), -1), NO_DATA)
        else:
            return None
        return values.reshape(-1, outer.shape[1], inner.shape[1]), kernel.at

    def _jet(self, outer: Array, inner: Array) -> Array:
        """Components of the jet, and behind them what their errors depend on besides."""
        jet, counts = self.kernels.jet, self.kernels.counts
        if not counts:
            return evaluate_kernel(jet, outer, inner, self.data)
        bounds = sample_bounds(self.data)
        ends = np.cumsum([jet.components, counts.components, len(bounds)])
        values = np.empty((ends[-1], outer.shape[1], inner.shape[1]))
        evaluate_kernel(jet, outer, inner, self.data, values[: ends[0]])
        along = np.vstack([outer, np.broadcast_to(bounds[:-1, None], (len(bounds) - 1, outer.shape[1]))])
        evaluate_kernel(counts, along, inner, NO_DATA, values[ends[0] : ends[1]])
        values[ends[1] :] = bounds[:, None, None]
        return values

    def _general(self, outer: Array, inner: Array, status: NDArray[np.int8]) -> tuple[Array, Places]:
        """Everything by loops over small arrays: many parameters, indefinite metrics, observables alone."""
        packed, jet = self._jet(outer, inner), self.kernels.jet
        at, parts, n, flat = dict(jet.at), [packed], self.n, packed.reshape(len(packed), -1)
        errors, share = self._errors(flat), SINGLE_OF_SAMPLES if self.data.size else SINGLE
        observed = [(QUANTITIES[error].base, error) for error in errors if error in QUANTITIES]
        doubt = np.zeros(status.shape)
        for name, error in observed:
            at[error] = sum(map(len, parts)) + np.arange(1)
            parts.append(share * errors[error].reshape(-1, *status.shape))
            doubt = np.maximum(doubt, _ratio(flat[at[name]], share * errors[error]).reshape(status.shape))
        if jet.at["g"].size:
            g, dg, ddg = (_shaped(flat, jet.at[name], (n,) * rank) for name, rank in JET.items())
            bounds = tuple(errors[name] for name in ERRORS) if ERRORS[0] in errors else ()
            self._follow(g, dg, ddg, bounds, status, at, parts, share=share)
            doubt = np.maximum(doubt, parts[-1][0])
        at["doubt"] = np.array([sum(map(len, parts))])
        return np.concatenate([*parts, doubt[None]]), at

    def _errors(self, jet: Array) -> dict[str, Array]:
        """Bounds on the errors of the jet and of the observables, where the kernels have them."""
        at, values = self.kernels.jet.at, jet
        if self.kernels.errors:
            at = self.kernels.errors.at
            values = evaluate_kernel(self.kernels.errors, NOWHERE, jet, NO_DATA)[:, 0]
        shapes = {f"{name}_error": (self.n,) * rank for name, rank in JET.items()}
        names = [name for name in at if name.endswith("_error")]
        return {name: _shaped(values, at[name], shapes.get(name, at[name].shape)) for name in names}


@dataclass(frozen=True, eq=False)
class _Expected(_Work):
    """Expectations without a closed form, point by point; ``order``: which row of outer and inner a coordinate is."""

    expectations: Expectations
    order: Sequence[int]

    def _values(self, outer: Array, inner: Array, status: NDArray[np.int8]) -> tuple[Array, Places]:
        points, taken = _points(outer, inner, self.order), status.ravel() == Status.OK
        found = iter(self.expectations.jets(points[taken]))
        jets = [next(found) if known else self.expectations.unknown for known in taken]
        g, dg, ddg = (np.stack([jet[k] for jet in jets], axis=-1) for k in range(3))
        errors = tuple(np.stack([jet.errors[k] for jet in jets], axis=-1) for k in range(3))
        framed = tuple(np.stack([jet.framed[k] for jet in jets], axis=-1) for k in range(3))
        at: dict[str, NDArray[np.int64]] = {}
        parts: list[Array] = []
        errors = (*errors, np.zeros((self.n + 1, len(jets))))
        self._follow(g, dg, ddg, errors, status, at, parts, framed, SINGLE)
        return np.concatenate(parts), at


@dataclass(frozen=True, eq=False)
class _Stated(_Work):
    """Sums over the states of an exponential family, point by point; order as for `_Expected`."""

    statistics: Array
    order: Sequence[int]

    def _values(self, outer: Array, inner: Array, status: NDArray[np.int8]) -> tuple[Array, Places]:
        points = [stated(self.statistics, x) for x in _points(outer, inner, self.order)]
        judged = {name for name in self.outputs if not QUANTITIES[name].bounds}
        if unknown := sorted(judged - points[0].keys()):
            raise ValueError(f"quantities {unknown} are not taken over the states of this family")
        names = {*judged, *self.outputs, *(f"{name}_error" for name in judged)}
        found = {"sign": np.ones((self.n, len(points))), "determinant": np.empty(len(points))}
        found["sound"] = np.array([point["sound"] for point in points])
        for name in names:
            nothing = np.full((self.n,) * QUANTITIES[name].rank, np.nan)
            found[name] = np.stack([point.get(name, nothing) for point in points], axis=-1)
        at: dict[str, NDArray[np.int64]] = {}
        parts: list[Array] = []
        for name, part in [*((name, found[name]) for name in self.outputs), ("doubt", _doubt(found, judged))]:
            at[name] = sum(map(len, parts)) + np.arange(part.size // status.size)
            parts.append(part.reshape(-1, *status.shape))
        return np.concatenate(parts), at


def _shaped(values: Array, at: NDArray[np.int64], shape: tuple[int, ...]) -> Array:
    """A tensor (*shape, m) from its places among components (components, m)."""
    return values[at].reshape(*shape, -1) if at.size else np.empty((0,) * (len(shape) + 1))


def _doubt(found: Mapping[str, Array], names: Collection[str]) -> Array:
    """The largest error of the quantities named, relative to their size; nan where the metric may be singular."""
    doubt = np.zeros(found["determinant"].shape)
    if "sound" not in found:
        return doubt
    for name in names:
        error = found.get(f"{name}_error")
        if name == "metric":
            positive = (found["sign"] > 0).all(0)
            doubt = np.maximum(doubt, _of_metric(found["metric"], found["metric_error"], positive))
        elif error is not None:
            doubt = np.maximum(doubt, _ratio(found[name], error))
    return np.where(found["sound"] > 0, doubt, np.nan)


def _ratio(values: Array, errors: Array) -> Array:
    """The largest error over the largest magnitude; infinite where an error is negative or nan, and tells nothing."""
    m = values.shape[-1]
    error, size = errors.reshape(-1, m).max(0), np.abs(values).reshape(-1, m).max(0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(error >= 0, np.where(error > curvature.TINY, error / size, 0.0), np.inf)


def _of_metric(g: Array, error: Array, positive: Any) -> Array:
    """The error of a metric, for a positive one relative to √(g_ii g_jj)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        relative = np.where(error > curvature.TINY, over_diagonal(error, g), 0.0).reshape(-1, g.shape[-1]).max(0)
    return np.where(positive, relative, _ratio(g, error))


def _points(outer: Array, inner: Array, order: Sequence[int]) -> Array:
    """Coordinates of the points outer × inner, a row each; ``order``: which row of both a coordinate is."""
    p, v = np.indices((outer.shape[1], inner.shape[1])).reshape(2, -1)
    return np.vstack([outer[:, p], inner[:, v]])[order].T


def tabulate(
    metric: Metric,
    quantities: Sequence[str],
    outer: Array,
    inner: Array,
    outer_coordinates: tuple[Symbol, ...],
    status: NDArray[np.int8],
    rtol: float | None,
) -> dict[str, Array]:
    """Evaluate quantities at all points outer × inner.

    Parameters
    ----------
    metric : Metric
    quantities : sequence of str
        Names of `QUANTITIES` but for what is read off others; beside the error of a quantity that quantity.
    outer, inner : ndarray, shapes (outer coordinates, P) and (inner coordinates, V)
        Inside the domain everywhere; points to leave out are named by ``status``.
    outer_coordinates : tuple of Symbol
        What the rows of ``outer`` are; the other coordinates are the rows of ``inner``, in metric order.
    status : ndarray of int8, shape (P, V)
        Not 0 where a point is to be skipped; completed in place.
    rtol : float or None
        Error of a quantity, relative to its size, beyond which the status is 5; None for no bounds on errors.

    Returns
    -------
    dict of str to ndarray, shape (n^rank, P, V)
        What float64 finds singular or beyond it may not be so.
    """
    n, (P, V) = len(metric.coordinates), status.shape
    outputs = {name: np.empty((n ** QUANTITIES[name].rank, P, V)) for name in quantities}
    work: _Work
    if metric.laws:
        own = [*outer_coordinates, *(c for c in metric.coordinates if c not in outer_coordinates)]
        order = [own.index(c) for c in metric.coordinates]
        if metric.states is None:
            if expectations_of(metric).moving and highest_order(quantities) > 0:
                raise ValueError(
                    f"quantities {[*quantities]}: the density of this model has a kink that moves with a parameter, so "
                    "that only those without a derivative of the metric can be taken by quadrature"
                )
            work = _Expected(n, outer, inner, outputs, status, rtol, expectations_of(metric), order)
        else:
            work = _Stated(n, outer, inner, outputs, status, rtol, metric.states, order)
        size, most_rows, most_columns = 1, 1, max(1, POINTWISE // len(metric.samples or [0]))
    else:
        geometric, observables = metric_and_model(quantities)
        kernels = metric_kernels(metric, geometric, observables, outer_coordinates, bounds=rtol is not None)
        work = _Compiled(n, outer, inner, outputs, status, rtol, kernels, sample_table(metric))
        at, size = kernels.jet.at, kernels.jet.components
        most_rows, most_columns = SAMPLED if metric.samples else UNSAMPLED
        if not (kernels.whole or kernels.after):
            size += 6 * max(a.size for a in at.values())
            most_columns = min(most_columns, max(FEWEST, CACHED // size))
    columns = _stride(V, min(most_columns, TILE_SIZE // size))
    rows = _stride(P, min(most_rows, TILE_SIZE // (size * columns)))
    tiles = [
        (slice(p, min(p + rows, P)), slice(v, min(v + columns, V)))
        for p in range(0, P, rows)
        for v in range(0, V, columns)
    ]
    in_order(lambda tile: work.tile(*tile), tiles, "tiles")
    return outputs


def _stride(length: int, most: int) -> int:
    """Length of equal pieces, none longer than ``most``."""
    return math.ceil(length / math.ceil(length / max(1, most)))


def threads() -> int:
    """Threads: NUMBA_NUM_THREADS, or the cores this process may use."""
    return int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


def in_order(function: Callable[[T], R], tasks: Sequence[T], label: str) -> list[R]:
    """Results of a function of each task, in order, from a pool of threads; Ctrl-C drops what has not begun."""
    bar = tqdm(total=len(tasks), desc=label, delay=PATIENCE, leave=False, disable=None)
    results = []
    with bar as progress, ThreadPoolExecutor(threads()) as pool:
        try:
            for result in pool.map(function, tasks):
                results.append(result)
                progress.update()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return results
