"""Arrays with the names of what they hold: Datasets, and the warning of points that have no value."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from infogeom import __version__
from infogeom.formulas import latex
from infogeom.kernels.points import work_of
from infogeom.kernels.status import MEANINGS, Status
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric
from infogeom.variables import Variable, flags, numbers, texts

__all__ = ["StatusWarning", "labelled", "rank", "tensor_indices"]

#: Whose versions a result tells.
PACKAGES = ("numpy", "numba", "sympy", "python-flint")


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


def labelled(
    metric: Metric,
    arrays: Mapping[str, Any],
    dims: Sequence[str],
    coordinates: Mapping[str, tuple[Any, ...]],
    start: float,
    *,
    chosen: bool = False,
) -> xr.Dataset:
    """Label arrays over ``dims`` and tensor indices; ``chosen``: points one by one, none of them to fill up a grid."""
    along = tensor_indices(metric)
    variables: dict[str, Variable] = {}
    for name, array in arrays.items():
        if name == "status":
            variables[name] = _status(dims, array)
        else:
            variables[name] = numbers([*dims, *along[: rank(name)]], array, QUANTITIES[name].label)

    described: dict[str, Variable] = dict(coordinates)
    for name, symbol in zip(metric.names, metric.coordinates, strict=True):
        dim, values = coordinates[name]
        described[name] = numbers(dim, values, f"${latex(symbol)}$")
    # Tensor indices are labelled by the parameters that they run over.
    used = max(map(rank, arrays))
    for index in along[:used]:
        described[index] = texts(index, metric.names)

    attributes: dict[str, Any] = dict(metric.attributes)
    if metric.samples:
        attributes |= {"samples": len(metric.samples), "normalization": "mean over samples"}
    attributes |= _versions()
    attributes["wall_time_seconds"] = time.perf_counter() - start

    status = arrays["status"]
    if isinstance(status, np.ndarray):
        _warn_of(status, refined=work_of(metric).refines, chosen=chosen)
    return xr.Dataset(variables, described, attributes)


def _status(dims: Sequence[str], status: Any) -> Variable:
    """Status of points.  Unrefined and undefined are exceptions, and are declared where they may occur."""
    known = {}
    for meaning, word in MEANINGS.items():
        may_occur = not isinstance(status, np.ndarray) or (status == meaning).any()
        if meaning < Status.UNREFINED or may_occur:
            known[word] = int(meaning)
    return flags(list(dims), status, "status of each point", known)


@cache
def _versions() -> dict[str, str]:
    versions = {"infogeom_version": __version__}
    for package in PACKAGES:
        versions[f"{package.replace('-', '_')}_version"] = version(package)
    return versions


def tensor_indices(metric: Metric) -> list[str]:
    """Dimensions of tensor indices, none called like a coordinate."""
    indices = list("ijkl")
    while set(indices) & set(metric.names):
        indices = [f"{i}_" for i in indices]
    return indices


def rank(variable: str) -> int:
    """Number of tensor indices of a quantity, 0 of the status."""
    return QUANTITIES[variable].rank if variable in QUANTITIES else 0


def _warn_of(status: NDArray[np.int8], *, refined: bool, chosen: bool) -> None:
    warned = [Status.SINGULAR, Status.OVERFLOW, Status.UNREFINED, Status.UNDEFINED, Status.UNPHYSICAL]
    if chosen:
        warned.append(Status.OUT_OF_DOMAIN)
    counts = {s: int(np.count_nonzero(status == s)) for s in warned}
    words = [f"{count} {MEANINGS[s]}" for s, count in counts.items() if count]
    if words:
        more = "; max_refined sets how many points are refined" if refined and counts[Status.UNREFINED] else ""
        warnings.warn(f"of {status.size} points, {' and '.join(words)}: see status{more}", StatusWarning, stacklevel=4)
