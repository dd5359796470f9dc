"""Evaluation on grids and at points: checked, computed, labelled."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from infogeom.grid.blocks import lazy, on_grid
from infogeom.grid.border import checked_accuracy, checked_axes, checked_points, checked_quantities
from infogeom.grid.domain import admissible, check_any_inside, conditions, inside_each
from infogeom.grid.labels import labelled, rank
from infogeom.kernels.points import Task
from infogeom.kernels.points.refinement import values, with_errors
from infogeom.kernels.status import Status
from infogeom.models.model import Model
from infogeom.symbolic import Metric
from infogeom.symbolic.fisher import numeric_metric

__all__ = ["evaluate", "evaluate_points"]

#: Length from which on the last axis is the one to vectorise over.
ENOUGH_TO_VECTORISE = 32


def evaluate(
    model_or_metric: Model | Metric,
    axes: Mapping[str, ArrayLike],
    quantities: Sequence[str] = ("metric", "ricci_scalar"),
    *,
    rtol: float = 1e-9,
    max_refined: int = 10_000,
    constants: Mapping[str, Any] | None = None,
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
    constants : mapping of str or Symbol to number, optional
        Numbers for constants of the model or metric, in place of those that it has, by name. Floats are read as the
        decimal fractions that they print as. Fractions are data of the kernels: another number compiles nothing.
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
    metric = numeric_metric(model_or_metric, constants)
    names = checked_quantities(metric, quantities)
    accuracy = checked_accuracy(rtol, max_refined)
    grid = checked_axes(metric, axes)
    check_any_inside(metric, inside_each(metric, grid))

    # Chosen for the whole grid, so that blocks give the very same numbers.
    lengths = [v.size for v in grid]
    inner = len(lengths) - 1 if lengths[-1] >= ENOUGH_TO_VECTORISE else int(np.argmax(lengths))
    block = partial(on_grid, metric, names, accuracy, inner)
    variables = (*with_errors(names), "status")
    arrays = block(grid) if chunks is None else lazy(block, metric.names, variables, grid, chunks)

    by_coordinate = dict(zip(metric.names, grid, strict=True))
    dims = [name for name, v in by_coordinate.items() if v.ndim]
    coordinates = {name: (name if v.ndim else (), v) for name, v in by_coordinate.items()}
    return labelled(metric, arrays, dims, coordinates, start)


def evaluate_points(
    model_or_metric: Model | Metric,
    points: ArrayLike | xr.Dataset,
    quantities: Sequence[str] = ("metric", "ricci_scalar"),
    *,
    rtol: float = 1e-9,
    max_refined: int = 10_000,
    constants: Mapping[str, Any] | None = None,
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
    rtol, max_refined, constants : float, int, mapping
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
    metric = numeric_metric(model_or_metric, constants)
    names = checked_quantities(metric, quantities)
    accuracy = checked_accuracy(rtol, max_refined)
    where, dim, kept = checked_points(metric, points)

    inside = np.logical_and.reduce(inside_each(metric, list(where)))
    for condition in conditions(metric):
        inside &= condition(*where)
    check_any_inside(metric, [inside])

    # Points outside are evaluated at an admissible value and blotted out by their status.
    admitted = np.array([admissible(domain) for domain in metric.domains])
    safe = np.where(inside, where, admitted[:, None])
    status = np.where(inside, Status.OK, Status.OUT_OF_DOMAIN).astype(np.int8)[None, :]
    task = Task(metric, names, np.empty((0, 1)), safe, (), status, accuracy.rtol)

    arrays: dict[str, NDArray[Any]] = {}
    for name, array in values(task, accuracy.max_refined).items():
        indices = (len(metric.names),) * rank(name)
        arrays[name] = array[:, 0].T.reshape(-1, *indices)
    arrays["status"] = status[0]

    coordinates: dict[str, tuple[Any, ...]] = dict(kept)
    for name, along in zip(metric.names, where, strict=True):
        coordinates[name] = dim, along
    return labelled(metric, arrays, [dim], coordinates, start, chosen=True)
