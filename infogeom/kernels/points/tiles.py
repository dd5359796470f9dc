"""Quantities at many points: tiles of the product outer × inner, driven by a pool of threads.

Tiles are the same whatever the number of threads, so results are bit-identical; they also carry the progress bar and
make the work interruptible.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sympy import Symbol

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature import loops
from infogeom.kernels.curvature.geometry import geometry
from infogeom.kernels.curvature.tensor_errors import over_diagonal
from infogeom.kernels.points import tile_loops
from infogeom.kernels.status import Status
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric
from infogeom.threads import in_order

__all__ = ["Evaluation", "Places", "Task", "ratio"]

Array = NDArray[np.float64]
Places = Mapping[str, NDArray[np.int64]]
#: Numbers that one tile may hold.
TILE_SIZE = 2**21


@dataclass(frozen=True, eq=False)
class Task:
    """Quantities to be found at all points outer × inner.

    Attributes
    ----------
    metric : Metric
    quantities : tuple of str
        Names of `QUANTITIES` but for what is read off others; beside the error of a quantity that quantity.
    outer, inner : ndarray, shapes (outer coordinates, P) and (inner coordinates, V)
        Inside the domain everywhere; points to leave out are named by ``status``.
    outer_coordinates : tuple of Symbol
        What the rows of ``outer`` are; the other coordinates are the rows of ``inner``, in metric order.
    status : ndarray of int8, shape (P, V)
        Not 0 where a point is to be skipped; completed in place.
    rtol : float or None
        Error of a quantity, relative to its size, beyond which the status is 5; None for no bounds on errors.
    """

    metric: Metric
    quantities: tuple[str, ...]
    outer: Array
    inner: Array
    outer_coordinates: tuple[Symbol, ...]
    status: NDArray[np.int8]
    rtol: float | None

    def points(self, at: NDArray[np.intp]) -> Array:
        """Coordinates (m, n) of the points of given flat indices."""
        coordinates, own = self.metric.coordinates, list(self.outer_coordinates)
        own += [c for c in coordinates if c not in self.outer_coordinates]
        p, v = np.divmod(at, self.inner.shape[1])
        return np.vstack([self.outer[:, p], self.inner[:, v]])[[own.index(c) for c in coordinates]].T


class Evaluation(ABC):
    """A task under way: arrays to fill, (tensor components, P, V) each, a tile at a time.

    Attributes
    ----------
    size : int
        Numbers that a point takes.
    most : tuple of int
        Points of a tile, outer and inner, at most.
    """

    size: int = 1
    most: tuple[int, int] = (1, 1)

    def __init__(self, task: Task) -> None:
        self.task, self.n = task, len(task.metric.coordinates)
        self.outputs = {}
        for name in task.quantities:
            components = self.n ** QUANTITIES[name].rank
            self.outputs[name] = np.empty((components, *task.status.shape))

    def run(self) -> dict[str, Array]:
        """All quantities, status completed; what float64 finds singular or beyond it may not be so."""
        in_order(self.tile, self._tiles(), "tiles")
        return self.outputs

    def run_alone(self) -> dict[str, Array]:
        """As `run`, in this thread."""
        for tile in self._tiles():
            self.tile(tile)
        return self.outputs

    def _tiles(self) -> list[tuple[slice, slice]]:
        (P, V), (most_rows, most_columns) = self.task.status.shape, self.most
        columns = _stride(V, min(most_columns, TILE_SIZE // self.size))
        rows = _stride(P, min(most_rows, TILE_SIZE // (self.size * columns)))
        return [
            (slice(p, min(p + rows, P)), slice(v, min(v + columns, V)))
            for p in range(0, P, rows)
            for v in range(0, V, columns)
        ]

    def tile(self, places: tuple[slice, slice]) -> None:
        """Fill one tile, given by its outer and inner points.

        Numbers come first, then the bounds on their errors, since a number beyond float64 makes the status say so and
        has none; how large the errors are beside the numbers is judged last, of points of which nothing else is known.
        """
        task, (rows, columns) = self.task, places
        outer, inner = np.ascontiguousarray(task.outer[:, rows]), np.ascontiguousarray(task.inner[:, columns])
        status = np.ascontiguousarray(task.status[rows, columns])
        values, at = self.values(outer, inner, status)
        known = status.copy()  # one quantity beyond float64 leaves the others as they are
        functions = compiled_module(tile_loops)
        asked = [QUANTITIES[name] for name in self.outputs]
        for q in asked:
            if q.bounds:
                continue
            most = int(Status.SINGULAR if q.singular else Status.OK)
            functions["store"](values, at[q.name], self.outputs[q.name], rows.start, columns.start, known, most, status)
        if task.rtol is None:
            task.status[rows, columns] = status
            return

        for q in asked:
            if not q.bounds:
                continue
            seen = status
            if not q.takes_inverse:  # the errors of what takes no inverse hold where there is none
                seen = np.where(status == Status.SINGULAR, Status.OK, status).astype(np.int8)
            # A line is flat; else a bound below the least positive number may be what is left of a larger one.
            least = 0.0 if self.n == 1 and q.order == 2 else loops.TINY
            functions["store_error"](values, at[q.name], self.outputs[q.name], rows.start, columns.start, seen, least)
        functions["see_doubt"](values[at["doubt"][0]], float(task.rtol), int(Status.UNKNOWN), status)
        task.status[rows, columns] = status

    @abstractmethod
    def values(self, outer: Array, inner: Array, status: NDArray[np.int8]) -> tuple[Array, Places]:
        """Components of all quantities, and where each stands; what is seen of the points goes into the status."""

    def points(self, outer: Array, inner: Array) -> Array:
        """Coordinates of the points of a tile, a row each."""
        return replace(self.task, outer=outer, inner=inner).points(np.arange(outer.shape[1] * inner.shape[1]))

    def follow(
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
        sharpen: Callable[[dict[str, Array]], None] | None = None,
    ) -> None:
        """What follows from jets, added to the parts, with its place; status completed.

        ``sharpen`` may put better values in the place of some, with better bounds.
        """
        functions, flags = compiled_module(loops), status.ravel()

        def frame(*arrays: Array) -> None:
            functions["frame"](*arrays, flags)

        # What leaves float64 is told by the status.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            found = dict(geometry(g, dg, ddg, self.outputs.keys(), frame, functions, errors, framed, share))
        status[...] = flags.reshape(status.shape)
        if sharpen:
            sharpen(found)
        self.judge(found, found.keys() & self.outputs.keys(), status, at, parts)

    def judge(
        self,
        found: Mapping[str, Array],
        names: Collection[str],
        status: NDArray[np.int8],
        at: dict[str, NDArray[np.int64]],
        parts: list[Array],
        judged: Collection[str] | None = None,
    ) -> None:
        """Add quantities that were found to the parts, with their place, and how far those judged are in doubt."""
        added = [(name, found[name]) for name in names]
        added.append(("doubt", _doubt(found, names if judged is None else judged)))
        for name, part in added:
            at[name] = sum(map(len, parts)) + np.arange(part.size // status.size)
            parts.append(part.reshape(-1, *status.shape))


def _doubt(found: Mapping[str, Array], names: Collection[str]) -> Array:
    """The largest error of the quantities named, relative to their size; nan where the metric may be singular."""
    doubt = np.zeros(found["determinant"].shape)
    if "sound" not in found:
        return doubt
    for name in names:
        error = found.get(f"{name}_error")
        if error is not None and QUANTITIES[name].by_diagonal:
            positive = (found["sign"] > 0).all(0)
            doubt = np.maximum(doubt, _of_metric(found[name], error, positive))
        elif error is not None:
            doubt = np.maximum(doubt, ratio(found[name], error))
    return np.where(found["sound"] > 0, doubt, np.nan)


def ratio(values: Array, errors: Array) -> Array:
    """The largest error over the largest magnitude; infinite where an error is negative or nan, and tells nothing."""
    m = values.shape[-1]
    error, size = errors.reshape(-1, m).max(0), np.abs(values).reshape(-1, m).max(0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(error >= 0, np.where(error > loops.TINY, error / size, 0.0), np.inf)


def _of_metric(g: Array, error: Array, positive: Any) -> Array:
    """The error of a metric, for a positive one relative to √(g_ii g_jj)."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        relative = np.where(error > loops.TINY, over_diagonal(error, g), 0.0).reshape(-1, g.shape[-1]).max(0)
    return np.where(positive, relative, ratio(g, error))


def _stride(length: int, most: int) -> int:
    """Length of equal pieces, none longer than ``most``."""
    return math.ceil(length / math.ceil(length / max(1, most)))
