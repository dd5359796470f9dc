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
from infogeom.grid.domain import admissible, conditions, inside_each
from infogeom.grid.labels import rank
from infogeom.kernels.points import Task
from infogeom.kernels.points.refinement import values
from infogeom.kernels.status import Status
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric

__all__ = ["lazy", "on_grid"]

Array = NDArray[np.float64]


def on_grid(
    metric: Metric, names: Sequence[str], accuracy: Accuracy, inner: int, axes: Sequence[Array]
) -> dict[str, NDArray[Any]]:
    """Quantities and status as arrays over the axes in model order, tensor indices after them; numbers have no axis.

    Kernels take points as outer × inner.  All axes but one, the inner, are multiplied out to a list of P outer points
    in C order, each of which meets every value of the inner axis; arrays (component, outer, inner) come back and are
    taken apart into axes again.  A parameter that is fixed is a coordinate of every point but no axis of any array, for
    arrays have 32 dimensions at most.
    """
    inside = inside_each(metric, axes)
    # Points outside are evaluated at an admissible value and blotted out by their status.
    spared = [admissible(domain) for domain in metric.domains]
    safe = [np.where(ok, v, other) for ok, v, other in zip(inside, axes, spared, strict=True)]

    outer = [k for k in range(len(axes)) if k != inner]
    along = [k for k in outer if axes[k].ndim]
    points, across = _outer_points(safe, outer, along), safe[inner][None, :]

    within = np.logical_and.outer(_product([inside[k] for k in outer]), inside[inner])
    at = list(points[:, :, None])
    at.insert(inner, across)
    for condition in conditions(metric):
        within &= condition(*at)
    status = np.where(within, Status.OK, Status.OUT_OF_DOMAIN).astype(np.int8)

    symbols = tuple(metric.coordinates[k] for k in outer)
    task = Task(metric, tuple(names), points, across, symbols, status, accuracy.rtol)
    found: dict[str, NDArray[Any]] = {**values(task, accuracy.max_refined)}
    found["status"] = status

    held = [k for k in (*outer, inner) if axes[k].ndim]
    shape = [axes[k].size for k in held]
    to_model_order = [1 + held.index(k) for k in sorted(held)]
    arranged = {}
    for name, array in found.items():
        by_axis = array.reshape(-1, *shape).transpose(*to_model_order, 0)
        indices = (len(axes),) * rank(name)
        arranged[name] = by_axis.reshape(by_axis.shape[:-1] + indices)
    return arranged


def _outer_points(axes: Sequence[Array], outer: Sequence[int], along: Sequence[int]) -> Array:
    """Coordinates (outer, P) of the outer points; those that are not ``along`` an axis have one value."""
    spread = np.meshgrid(*[axes[k] for k in along], indexing="ij")
    rows = dict(zip(along, spread, strict=True))
    count = math.prod(axes[k].size for k in along)
    points = np.empty((len(outer), count))
    for row, k in zip(points, outer, strict=True):
        row[:] = np.ravel(rows[k]) if k in rows else axes[k][0]
    return points


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
    """Dask arrays of what blocks of the grid give, each a task; workers generate the kernels from the metric."""
    try:
        import dask.array as da  # noqa: PLC0415  (an extra)
        from dask.delayed import delayed  # noqa: PLC0415
    except ImportError:
        raise ImportError("chunks= needs dask: pip install 'infogeom[distributed]'") from None
    along = {name: v.size for name, v in zip(axes, values, strict=True) if v.ndim}
    lengths = _checked_lengths(chunks, list(along))
    pieces = da.core.normalize_chunks(lengths, tuple(along.values()), dtype=np.float64)
    ends = [np.cumsum(piece) for piece in pieces]

    def one(at: tuple[int, ...]) -> dict[str, Any]:
        """Arrays of the block that has these numbers along the axes."""
        ranges = {}
        for name, piece, end, k in zip(along, pieces, ends, at, strict=True):
            ranges[name] = slice(end[k] - piece[k], end[k])
        part = [v[ranges[name]] if v.ndim else v for name, v in zip(axes, values, strict=True)]
        task = delayed(block)(part)
        shape = tuple(r.stop - r.start for r in ranges.values())

        arrays = {}
        for name in names:
            indices = (len(values),) * rank(name)
            arrays[name] = da.from_delayed(task[name], shape + indices, np.int8 if _is_integer(name) else float)
        return arrays

    def joined(at: tuple[int, ...]) -> dict[str, Any]:
        """Blocks whose index begins with ``at``, concatenated along the axes that follow."""
        axis = len(at)
        if axis == len(pieces):
            return one(at)
        parts = [joined((*at, k)) for k in range(len(pieces[axis]))]
        arrays = {}
        for name in names:
            arrays[name] = da.concatenate([part[name] for part in parts], axis=axis)
        return arrays

    return joined(())


def _checked_lengths(chunks: Any, along: Sequence[str]) -> Any:
    """Lengths of blocks as dask reads them, for each axis where they are named."""
    lengths = chunks
    if isinstance(chunks, Mapping):
        named = by_name("chunks", chunks)
        unknown = [name for name in named if name not in along]
        if unknown:
            raise ValueError(f"chunks must name axes {along}, got {unknown}")
        lengths = tuple(named.get(name, -1) for name in along)
    for length in lengths if isinstance(lengths, tuple) else (lengths,):
        if length != "auto" and (not isinstance(length, Integral) or (length < 1 and length != -1)):
            raise ValueError(f"chunks must be lengths of at least 1, -1 for a whole axis, or 'auto', got {length!r}")
    return lengths


def _is_integer(variable: str) -> bool:
    """Whether the values of a quantity, or of the status, are small integers."""
    return variable == "status" or QUANTITIES[variable].integer
