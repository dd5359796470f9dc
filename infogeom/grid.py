"""Quantities of a metric on whole grids and point sets, as labelled Datasets that say how good each point is."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from numbers import Integral
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from sympy import Interval

from infogeom import __version__
from infogeom.arguments import by_name, check_count, check_real, finite_array, table_of
from infogeom.files import TEXT
from infogeom.formulas import latex
from infogeom.kernels.points.conditions import conditions
from infogeom.kernels.points.refinement import values, with_errors
from infogeom.kernels.points.ways import Task, work_of
from infogeom.kernels.status import MEANINGS, Status
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric
from infogeom.symbolic.fisher import numeric_metric

__all__ = ["StatusWarning", "evaluate", "evaluate_points"]

Array = NDArray[np.float64]

#: Length from which on the last axis is the one to vectorise over.
ENOUGH_TO_VECTORISE = 32
PACKAGES = ("numpy", "numba", "sympy", "python-flint")
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Accuracy:
    """What is asked: the error of each quantity, relative to its size, and how many points may be refined for it."""

    rtol: float
    max_refined: int


class StatusWarning(UserWarning):
    """Some points are singular, overflow, were not refined, or were asked for outside the domain; see their status.

    Examples
    --------
    >>> import warnings
    >>> import infogeom as ig
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", ig.StatusWarning)
    ...     ds = ig.evaluate_points(ig.models.normal(), [[0, 1], [0, -1]])
    >>> ds.status.values
    array([0, 3], dtype=int8)
    """


def evaluate(
    model_or_metric: Model | Metric,
    axes: Mapping[str, ArrayLike],
    quantities: Sequence[str] = ("metric", "ricci_scalar"),
    *,
    rtol: float = 1e-9,
    max_refined: int = 10_000,
    chunks: Mapping[str, int] | int | str | None = None,
) -> xr.Dataset:
    """Evaluate quantities on a rectilinear grid.

    Parameters
    ----------
    model_or_metric : Model or Metric
        A model's Fisher metric is derived first.
    axes : mapping of str or Symbol to array_like
        One entry per parameter: a 1-D increasing, finite sequence, or a number that fixes the parameter (no dimension).
    quantities : sequence of str
        Names of `infogeom.quantities.QUANTITIES`: metric, inverse_metric, determinant, christoffel, riemann, ricci,
        ricci_scalar, fisher_trace, log10_ricci_scalar and ricci_scalar_sign (finite where R is beyond float64),
        metric_rank, null_directions (row i holds the i-th of an orthonormal basis, then come rows of zeros), and for
        networks loss and ntk_trace (per sample); ``<quantity>_error`` names the bound on the error of each entry of
        any of them but the four that are read off others.
    rtol : float
        Points where a quantity asked for may err by more than ``rtol`` times its size are computed again in ball
        arithmetic, as are those that look singular or beyond float64; at least 2.2e-16. The size of a tensor is its
        largest component; an entry of a positive definite metric is held against √(g_ii g_jj).
    max_refined : int
        Most points to compute again, each of which takes milliseconds (10 µs for every sample); with ``chunks`` for
        each block. What is left over has status 5. 0 refines none.
    chunks : mapping of str to int, int or "auto", optional
        Block lengths along the axes; the Dataset is then lazy, for any dask scheduler to compute (extra
        ``distributed``), and does not warn.

    Returns
    -------
    xarray.Dataset
        float64 variables over the parameters in model order, tensor indices i, j, k, l after them (i_, j_, k_, l_ where
        a parameter is called like one of those). Errors are absolute, estimates where status is 0, rigorous where it is
        1; ``ricci_scalar_error`` comes with ricci_scalar unasked.
        ``status`` int8, of what was asked for: 0 ok, 1 refined in ball arithmetic, 2 singular, 3 out of the domain, 4
        beyond float64, 5 not refined for want of ``max_refined``: right to errors that exceed ``rtol``, or nan, 6
        undefined: no real finite value. Components that have a finite one keep it; singular points keep metric and
        determinant.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Warns
    -----
    StatusWarning
        Once, with counts, when points are singular, undefined, beyond float64 or not refined. Those outside the domain,
        which a grid around one has by its shape, are told by their status alone.

    Examples
    --------
    >>> import infogeom as ig
    >>> ds = ig.grid.evaluate(ig.models.normal(), {"mu": 0, "sigma": [1, 2]}, ["metric", "ricci_scalar"])
    >>> ds.metric.dims
    ('sigma', 'i', 'j')
    >>> ds.ricci_scalar.values, ds.status.values
    (array([-1., -1.]), array([0, 0], dtype=int8))
    """
    start = time.perf_counter()
    metric = numeric_metric(model_or_metric)
    names, accuracy = _checked_quantities(metric, quantities), _checked_accuracy(rtol, max_refined)
    grid = _checked_axes(metric, axes)
    _check_any_inside(metric, [_inside(d, np.atleast_1d(v)) for d, v in zip(metric.domains, grid, strict=True)])
    lengths = [v.size for v in grid]
    # Chosen for the whole grid, so that blocks give the very same numbers.
    inner = len(lengths) - 1 if lengths[-1] >= ENOUGH_TO_VECTORISE else int(np.argmax(lengths))
    block = partial(_on_grid, metric, names, accuracy, inner)
    arrays = (
        block(grid) if chunks is None else _lazy(block, metric.names, (*with_errors(names), "status"), grid, chunks)
    )
    dims = [name for name, v in zip(metric.names, grid, strict=True) if v.ndim]
    coordinates = {name: (name if v.ndim else (), v) for name, v in zip(metric.names, grid, strict=True)}
    return _dataset(metric, arrays, dims, coordinates, start)


def _on_grid(
    metric: Metric, names: Sequence[str], accuracy: Accuracy, inner: int, axes: Sequence[Array]
) -> dict[str, NDArray[Any]]:
    """Quantities and status as arrays over the axes in model order, tensor indices after them; numbers have no axis."""
    lengths = [v.size for v in axes]
    outer = [k for k in range(len(lengths)) if k != inner]
    inside = [_inside(d, np.atleast_1d(v)) for d, v in zip(metric.domains, axes, strict=True)]
    # Points outside are evaluated at an admissible value and blotted out by their status.
    safe = [np.where(ok, v, _admissible(d)) for ok, v, d in zip(inside, axes, metric.domains, strict=True)]
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
        return by_axis.reshape((*by_axis.shape[:-1], *(n,) * _rank(name)))

    return {name: arranged(name, array) for name, array in (flat | {"status": status}).items()}


def _rank(variable: str) -> int:
    """Number of tensor indices of a quantity, 0 of the status."""
    return QUANTITIES[variable].rank if variable in QUANTITIES else 0


def _lazy(
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
            name: da.from_delayed(task[name], (*shape, *(n,) * _rank(name)), np.int8 if name in integers else float)
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


def evaluate_points(
    model_or_metric: Model | Metric,
    points: ArrayLike | xr.Dataset,
    quantities: Sequence[str] = ("metric", "ricci_scalar"),
    *,
    rtol: float = 1e-9,
    max_refined: int = 10_000,
) -> xr.Dataset:
    """Evaluate quantities at single points.

    Parameters
    ----------
    model_or_metric : Model or Metric
    points : array_like, shape (m, n), Dataset, or another table
        Coordinates in model order; or a Dataset with one variable per parameter along one dimension, which is kept
        (a path along "step"). Tables with names, DataFrames, mappings and structured arrays, are read by name.
    quantities : sequence of str
        As for `evaluate`.
    rtol, max_refined : float, int
        As for `evaluate`.

    Returns
    -------
    xarray.Dataset
        Along "point", or the dimension of the path; the parameters are coordinates along it. Otherwise as `evaluate`.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Warns
    -----
    StatusWarning
        As `evaluate`, and for points outside the domain, which is what a grid over part of a plane has to have.

    Examples
    --------
    >>> import infogeom as ig
    >>> ds = ig.grid.evaluate_points(ig.models.normal(), [[0, 1], [3, 2]])
    >>> ds.metric.sel(i="sigma", j="sigma").values
    array([2. , 0.5])
    >>> ds.ricci_scalar.values
    array([-1., -1.])
    """
    start = time.perf_counter()
    metric = numeric_metric(model_or_metric)
    names, accuracy = _checked_quantities(metric, quantities), _checked_accuracy(rtol, max_refined)
    where, dim, kept = _checked_points(metric, points)
    inside = np.logical_and.reduce([_inside(d, v) for d, v in zip(metric.domains, where, strict=True)])
    for condition in conditions(metric):
        inside &= condition(*where)
    _check_any_inside(metric, [inside])
    safe = np.where(inside, where, np.array([[_admissible(d)] for d in metric.domains]))
    status = np.where(inside, Status.OK, Status.OUT_OF_DOMAIN).astype(np.int8)[None, :]
    flat = values(Task(metric, names, np.empty((0, 1)), safe, (), status, accuracy.rtol), accuracy.max_refined)
    n = len(metric.names)
    arrays = {name: array[:, 0].T.reshape(-1, *(n,) * _rank(name)) for name, array in flat.items()}
    coordinates = {**kept, **{name: (dim, v) for name, v in zip(metric.names, where, strict=True)}}
    return _dataset(metric, {**arrays, "status": status[0]}, [dim], coordinates, start, chosen=True)


def _dataset(
    metric: Metric,
    arrays: Mapping[str, Any],
    dims: Sequence[str],
    coordinates: Mapping[str, tuple[Any, ...]],
    start: float,
    *,
    chosen: bool = False,
) -> xr.Dataset:
    """Label arrays over ``dims`` and tensor indices; ``chosen``: points one by one, none of them to fill up a grid."""
    indices = _indices(metric)
    variables: dict[str, Any] = {
        name: ([*dims, *indices[: _rank(name)]], array, {"long_name": QUANTITIES[name].label, "units": "1"})
        for name, array in arrays.items()
        if name != "status"
    }
    status = arrays["status"]
    # The last two are exceptions, and are declared where they may occur.
    known = [s for s in MEANINGS if s < Status.UNREFINED or not isinstance(status, np.ndarray) or (status == s).any()]
    flags = {"flag_values": np.array(known, dtype=np.int8), "flag_meanings": " ".join(MEANINGS[s] for s in known)}
    variables["status"] = (list(dims), status, {"long_name": "status of each point", **flags})
    labels = dict(zip(metric.names, map(latex, metric.coordinates), strict=True))
    described = {
        name: (*value[:2], {"long_name": f"${labels[name]}$", "units": "1"}) if name in labels else value
        for name, value in coordinates.items()
    }
    used = max(map(_rank, arrays))
    index: dict[str, Any] = {i: (i, list(metric.names), {}, TEXT) for i in indices[:used]}
    mean: dict[str, Any] = (
        {"samples": len(metric.samples), "normalization": "mean over samples"} if metric.samples else {}
    )
    attributes: dict[str, Any] = {
        **metric.attributes,
        **mean,
        **_versions(),
        "wall_time_seconds": time.perf_counter() - start,
    }
    if isinstance(status, np.ndarray):
        _warn_of(status, refined=work_of(metric).refines, chosen=chosen)
    return xr.Dataset(variables, {**described, **index}, attributes)


@cache
def _versions() -> dict[str, str]:
    return {
        "infogeom_version": __version__,
        **{f"{package.replace('-', '_')}_version": version(package) for package in PACKAGES},
    }


def _indices(metric: Metric) -> list[str]:
    """Dimensions of tensor indices, none called like a coordinate."""
    indices = list("ijkl")
    while {*indices} & {*metric.names}:
        indices = [f"{i}_" for i in indices]
    return indices


def _warn_of(status: NDArray[np.int8], *, refined: bool, chosen: bool) -> None:
    warned = [Status.SINGULAR, Status.OVERFLOW, Status.UNREFINED, Status.UNDEFINED]
    warned += [Status.OUT_OF_DOMAIN] if chosen else []
    counts = {s: int(np.count_nonzero(status == s)) for s in warned}
    words = [f"{count} {MEANINGS[s]}" for s, count in counts.items() if count]
    if words:
        more = "; max_refined sets how many points are refined" if refined and counts[Status.UNREFINED] else ""
        warnings.warn(f"of {status.size} points, {' and '.join(words)}: see status{more}", StatusWarning, stacklevel=4)


def _product(inside: Sequence[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    result = np.ones(1, dtype=bool)
    for one in inside:
        result = np.logical_and.outer(result, one).ravel()
    return result


def _inside(domain: Interval, values: Array) -> NDArray[np.bool_]:
    low, high = float(domain.start), float(domain.end)
    above = values > low if domain.left_open else values >= low
    return above & (values < high if domain.right_open else values <= high)


@cache
def _admissible(domain: Interval) -> float:
    """Some value inside a domain."""
    return float(Parameter("inside", domain).typical[0])


def _check_any_inside(metric: Metric, inside: Sequence[NDArray[np.bool_]]) -> None:
    if all(one.any() for one in inside):
        return
    domains = ", ".join(f"{name} in {domain}" for name, domain in zip(metric.names, metric.domains, strict=True))
    domains += "".join(f", {c} > 0" for c in metric.constraints)
    raise ValueError(f"no point lies inside the domain ({domains})")


def _checked_quantities(metric: Metric, quantities: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(quantities, Iterable):
        raise TypeError(f"quantities must be a sequence of names, got {quantities!r}")
    names = (quantities,) if isinstance(quantities, str) else tuple(dict.fromkeys(map(str, quantities)))
    unknown = [name for name in names if name not in QUANTITIES]
    if unknown or not names:
        raise ValueError(f"quantities must come from {list(QUANTITIES)}, got {unknown or 'none'}")
    asked = [QUANTITIES[name] for name in names]
    missing = [q.name for q in asked if q.observed and q.base not in metric.observables]
    if missing:
        raise TypeError(f"quantities {missing} need a network, and this metric has no such observable")
    if lacking := work_of(metric).lacking(names):
        raise ValueError(f"quantities {lacking}")
    return names


def _checked_accuracy(rtol: float, max_refined: int) -> Accuracy:
    check_real("rtol", rtol)
    if not EPS <= rtol < np.inf:
        raise ValueError(f"rtol must be at least {EPS:.2g}, to which float64 can hold R, and finite, got {rtol}")
    check_count("max_refined", max_refined, 0)
    return Accuracy(float(rtol), int(max_refined))


def _checked_axes(metric: Metric, axes: Mapping[str, ArrayLike]) -> list[Array]:
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


def _check_dimension(dimension: Any, metric: Metric) -> None:
    if dimension in metric.names:
        raise ValueError(f"points must not run along {dimension!r}, the name of a parameter; rename one of them")


def _checked_points(metric: Metric, points: ArrayLike | xr.Dataset) -> tuple[Array, str, dict[str, tuple[Any, ...]]]:
    """Values (n, m), the dimension along which they run, and its own coordinates."""
    n = len(metric.names)
    if not isinstance(points, xr.Dataset):
        _check_dimension("point", metric)
        values = table_of("points", points, metric.names)
        if values.ndim != 2 or values.shape[1] != n or not len(values):
            raise ValueError(f"points must have shape (m, {n}) with m at least 1, got {values.shape}")
        return np.ascontiguousarray(values.T), "point", {}
    missing = [name for name in metric.names if name not in points]
    if missing:
        raise ValueError(f"points must hold the parameters {list(metric.names)}; missing {missing}")
    dims = {points[name].dims for name in metric.names}
    if len(dims) != 1 or len(dim := dims.pop()) != 1:
        raise ValueError(
            f"points must hold the parameters along one common dimension, got {[points[k].dims for k in metric.names]}"
        )
    _check_dimension(dim[0], metric)
    if dim[0] in _indices(metric):
        raise ValueError(f"points must not run along a dimension named like a tensor index, got {dim[0]!r}")
    kept = {
        str(k): (c.dims, c.values, c.attrs) for k, c in points.coords.items() if c.dims == dim and k not in metric.names
    }
    return np.stack([finite_array(f"points[{k!r}]", points[k].values) for k in metric.names]), str(dim[0]), kept


def __dir__() -> list[str]:
    return sorted(__all__)
