"""What users ask for on grids and at points: read, or refused by its name, the rule and the value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from infogeom.arguments import by_name, check_count, check_real, finite_array, table_of
from infogeom.grid.labels import tensor_indices
from infogeom.kernels.points import work_of
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric

__all__ = ["Accuracy", "checked_accuracy", "checked_axes", "checked_points", "checked_quantities"]

Array = NDArray[np.float64]

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Accuracy:
    """What is asked: the error of each quantity, relative to its size, and how many points may be refined for it."""

    rtol: float
    max_refined: int


def checked_quantities(metric: Metric, quantities: Sequence[str]) -> tuple[str, ...]:
    """Names of quantities, each once, that a metric has."""
    if not isinstance(quantities, Iterable):
        raise TypeError(f"quantities must be a sequence of names, got {quantities!r}")
    names = (quantities,) if isinstance(quantities, str) else tuple(dict.fromkeys(map(str, quantities)))
    unknown = [name for name in names if name not in QUANTITIES]
    if unknown or not names:
        raise ValueError(f"quantities must come from {list(QUANTITIES)}, got {unknown or 'none'}")
    asked = [QUANTITIES[name] for name in names]
    missing = [q.name for q in asked if q.observed and q.source not in metric.observables]
    if missing:
        raise TypeError(f"quantities {missing} need a network or observations, and this metric has no such observable")
    if lacking := work_of(metric).lacking(names):
        raise ValueError(f"quantities {lacking}")
    return names


def checked_accuracy(rtol: float, max_refined: int) -> Accuracy:
    """Accuracy from the arguments of its names."""
    check_real("rtol", rtol)
    if not EPS <= rtol < np.inf:
        raise ValueError(f"rtol must be at least {EPS:.2g}, to which float64 can hold R, and finite, got {rtol}")
    check_count("max_refined", max_refined, 0)
    return Accuracy(float(rtol), int(max_refined))


def checked_axes(metric: Metric, axes: Mapping[str, ArrayLike]) -> list[Array]:
    """Values along each axis in model order; a number for a parameter that is fixed."""
    if not isinstance(axes, Mapping):
        raise TypeError(f"axes must be a mapping of parameter names to values, got {type(axes).__name__}")
    given = by_name("axes", axes)
    unknown = [name for name in given if name not in metric.names]
    missing = [name for name in metric.names if name not in given]
    if unknown or missing:
        raise ValueError(f"axes must name {list(metric.names)}; missing {missing}, unknown {unknown}")
    return [_checked_axis(name, given[name]) for name in metric.names]


def _checked_axis(name: str, values: ArrayLike) -> Array:
    axis = finite_array(f"axis {name!r}", values)
    if axis.ndim > 1:
        raise ValueError(f"axis {name!r} must be a number or 1-D, got shape {axis.shape}")
    if not axis.size:
        raise ValueError(f"axis {name!r} must hold at least one value, got none")
    if axis.ndim and (np.diff(axis) <= 0).any():
        at = int(np.argmax(np.diff(axis) <= 0)) + 1
        raise ValueError(f"axis {name!r} must be increasing, got {axis[at]} after {axis[at - 1]} at index {at}")
    return axis


def checked_points(metric: Metric, points: ArrayLike | xr.Dataset) -> tuple[Array, str, dict[str, tuple[Any, ...]]]:
    """Values (n, m), the dimension along which they run, and its own coordinates."""
    if isinstance(points, xr.Dataset):
        return _checked_path(metric, points)
    n = len(metric.names)
    _check_dimension("point", metric)
    values = table_of("points", points, metric.names)
    if values.ndim != 2 or values.shape[1] != n or not len(values):
        raise ValueError(f"points must have shape (m, {n}) with m at least 1, got {values.shape}")
    return np.ascontiguousarray(values.T), "point", {}


def _checked_path(metric: Metric, points: xr.Dataset) -> tuple[Array, str, dict[str, tuple[Any, ...]]]:
    """Values, dimension and its coordinates of a Dataset that holds a variable for each parameter."""
    missing = [name for name in metric.names if name not in points]
    if missing:
        raise ValueError(f"points must hold the parameters {list(metric.names)}; missing {missing}")
    dims = [points[name].dims for name in metric.names]
    if len({*dims}) != 1 or len(dims[0]) != 1:
        raise ValueError(f"points must hold the parameters along one common dimension, got {dims}")
    (dim,) = dims[0]
    _check_dimension(dim, metric)
    if dim in tensor_indices(metric):
        raise ValueError(f"points must not run along a dimension named like a tensor index, got {dim!r}")

    kept = {}
    for name, coordinate in points.coords.items():
        if coordinate.dims == (dim,) and name not in metric.names:
            kept[str(name)] = coordinate.dims, coordinate.values, coordinate.attrs
    values = [finite_array(f"points[{name!r}]", points[name].values) for name in metric.names]
    return np.stack(values), str(dim), kept


def _check_dimension(dimension: Any, metric: Metric) -> None:
    if dimension in metric.names:
        raise ValueError(f"points must not run along {dimension!r}, the name of a parameter; rename one of them")
