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
from infogeom.files import TEXT
from infogeom.formulas import latex
from infogeom.kernels.points.ways import work_of
from infogeom.kernels.status import MEANINGS, Status
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric

__all__ = ["StatusWarning", "labelled", "rank", "tensor_indices"]

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
    variables: dict[str, Any] = {
        name: ([*dims, *along[: rank(name)]], array, {"long_name": QUANTITIES[name].label, "units": "1"})
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
    used = max(map(rank, arrays))
    index: dict[str, Any] = {i: (i, list(metric.names), {}, TEXT) for i in along[:used]}
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


def tensor_indices(metric: Metric) -> list[str]:
    """Dimensions of tensor indices, none called like a coordinate."""
    indices = list("ijkl")
    while {*indices} & {*metric.names}:
        indices = [f"{i}_" for i in indices]
    return indices


def rank(variable: str) -> int:
    """Number of tensor indices of a quantity, 0 of the status."""
    return QUANTITIES[variable].rank if variable in QUANTITIES else 0


def _warn_of(status: NDArray[np.int8], *, refined: bool, chosen: bool) -> None:
    warned = [Status.SINGULAR, Status.OVERFLOW, Status.UNREFINED, Status.UNDEFINED]
    warned += [Status.OUT_OF_DOMAIN] if chosen else []
    counts = {s: int(np.count_nonzero(status == s)) for s in warned}
    words = [f"{count} {MEANINGS[s]}" for s, count in counts.items() if count]
    if words:
        more = "; max_refined sets how many points are refined" if refined and counts[Status.UNREFINED] else ""
        warnings.warn(f"of {status.size} points, {' and '.join(words)}: see status{more}", StatusWarning, stacklevel=4)
