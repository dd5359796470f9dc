"""Grids by blocks: one as arrays over its axes, and many of them as arrays that dask computes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeom.arguments import by_name
from infogeom.grid.border import Accuracy
from infogeom.grid.domain import admissible, conditions, inside_of
from infogeom.grid.labels import rank
from infogeom.kernels.points.refinement import values
from infogeom.kernels.points.ways import Task
from infogeom.kernels.status import Status
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric

__all__ = ["lazy", "on_grid"]

Array = NDArray[np.float64]


def on_grid(
    metric: Metric, names: Sequence[str], accuracy: Accuracy, inner: int, axes: Sequence[Array]
) -> dict[str, NDArray[Any]]:
    """Quantities and status as arrays over the axes in model order, tensor indices after them; numbers have no axis."""
    lengths = [v.size for v in axes]
    outer = [k for k in range(len(lengths)) if k != inner]
    inside = [inside_of(d, np.atleast_1d(v)) for d, v in zip(metric.domains, axes, strict=True)]
    # Points outside are evaluated at an admissible value and blotted out by their status.
    safe = [np.where(ok, v, admissible(d)) for ok, v, d in zip(inside, axes, metric.domains, strict=True)]
    along = [k for k in outer if axes[k].ndim]  # arrays have 32 dimensions at most
    rows = dict(zip(along, map(np.ravel, np.meshgrid(*(safe[k] for k in along), indexing="ij")), strict=True))
    P = math.prod(lengths[k] for k in along)
    grid = np.array([rows.get(k, np.full(P, safe[k][0])) for k in outer]).reshape(len(outer), P)
    within = np.logical_and.outer(_product([inside[k] for k in outer]), inside[inner])
    for condition in conditions(metric):
        at: list[Array] = [np.empty(0)] * len(lengths)
        for row, k in zip(grid, outer, strict=True):
            at[k] = row[:, None]
        at[inner] = safe[inner][None, :]
        within &= condition(*at)
    status = np.where(within, Status.OK, Status.OUT_OF_DOMAIN).astype(np.int8)
    symbols = tuple(metric.coordinates[k] for k in outer)
    task = Task(metric, tuple(names), grid, safe[inner][None, :], symbols, status, accuracy.rtol)
    flat: dict[str, NDArray[Any]] = {**values(task, accuracy.max_refined)}

    along += [inner] if axes[inner].ndim else []
    shape = [lengths[k] for k in along]
    to_model_order = [1 + along.index(k) for k in sorted(along)]
    n = len(lengths)

    def arranged(name: str, array: NDArray[Any]) -> NDArray[Any]:
        """From (component, outer, inner) to (axes in model order, tensor indices)."""
        by_axis = np.moveaxis(array.reshape(-1, *shape).transpose(0, *to_model_order), 0, -1)
        return by_axis.reshape((*by_axis.shape[:-1], *(n,) * rank(name)))

    return {name: arranged(name, array) for name, array in (flat | {"status": status}).items()}


def _product(inside: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    result = np.ones(1, dtype=bool)
    for one in inside:
        result = np.logical_and.outer(result, one).ravel()
    return result


def lazy(
    block: Callable[[Sequence[Array]], dict[str, NDArray[Any]]],
    axes: Sequence[str],
    names: Sequence[str],
    values: Sequence[Array],
    chunks: Any,
) -> dict[str, Any]:
    """Dask arrays of the same, a block of the grid to a task; workers generate the kernels from the metric."""
    try:
        import dask.array as da  # noqa: PLC0415  (an extra)
        from dask.delayed import delayed  # noqa: PLC0415
    except ImportError:
        raise ImportError("chunks= needs dask: pip install 'infogeom[distributed]'") from None
    along = {name: v.size for name, v in zip(axes, values, strict=True) if v.ndim}
    if isinstance(chunks, Mapping):
        chunks = by_name("chunks", chunks)
        unknown = [name for name in chunks if name not in along]
        if unknown:
            raise ValueError(f"chunks must name axes {list(along)}, got {unknown}")
        chunks = tuple(chunks.get(name, -1) for name in along)
    for length in chunks if isinstance(chunks, tuple) else (chunks,):
        if length != "auto" and (not isinstance(length, Integral) or (length < 1 and length != -1)):
            raise ValueError(f"chunks must be lengths of at least 1, -1 for a whole axis, or 'auto', got {length!r}")
    pieces = da.core.normalize_chunks(chunks, tuple(along.values()), dtype=np.float64)
    n, ends = len(values), [np.cumsum(p) for p in pieces]
    integers = {"status", *(name for name, q in QUANTITIES.items() if q.integer)}

    def one(at: tuple[int, ...]) -> dict[str, Any]:
        ranges = {name: slice(e[k] - p[k], e[k]) for name, e, p, k in zip(along, ends, pieces, at, strict=True)}
        part = [v[ranges[name]] if v.ndim else v for name, v in zip(axes, values, strict=True)]
        task = delayed(block)(part)
        shape = tuple(r.stop - r.start for r in ranges.values())
        return {
            name: da.from_delayed(task[name], (*shape, *(n,) * rank(name)), np.int8 if name in integers else float)
            for name in names
        }

    def joined(at: tuple[int, ...]) -> dict[str, Any]:
        """Blocks whose index begins with ``at``, concatenated along the axes that follow."""
        axis = len(at)
        if axis == len(pieces):
            return one(at)
        parts = [joined((*at, k)) for k in range(len(pieces[axis]))]
        return {name: da.concatenate([part[name] for part in parts], axis=axis) for name in parts[0]}

    return joined(())
