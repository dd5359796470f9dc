"""Families of geomstats, in an environment of its own: a request per line of JSON comes in, an answer each goes out.

Run by `benchmarks.environments.Worker`; infogeom is neither here nor needed.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

os.environ["GEOMSTATS_BACKEND"] = "autograd"  # NumPy's cannot differentiate, and so has no curvature

import geomstats.backend as gs
import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def space(family: str, arguments: list[Any]) -> Any:
    """Manifold of ``module.class``, with its metric."""
    module, name = family.split(".")
    return getattr(importlib.import_module(f"geomstats.information_geometry.{module}"), name)(*arguments)


def metric_matrix(metric: Any, points: Array, basis: Array | None) -> Array:
    """The metric matrix, or inner products of tangent vectors, of which there are fewer than components of a point."""
    if basis is None:
        return np.array([metric.metric_matrix(point) for point in points])
    products = np.empty((len(points), len(basis), len(basis)))
    for m, i, j in np.ndindex(products.shape):
        products[m, i, j] = metric.inner_product(basis[i], basis[j], points[m])
    return products


def assembled(metric: Any, points: Array) -> Array:
    """R of all points at once, from the Christoffel symbols and their Jacobian that geomstats has typed by hand."""
    G, dG = metric.christoffels(points), metric.jacobian_christoffels(points)
    ricci = np.einsum("...ijli->...jl", dG) - np.einsum("...ijil->...jl", dG)
    ricci += np.einsum("...imi,...mjl->...jl", G, G) - np.einsum("...iml,...mji->...jl", G, G)
    return np.einsum("...jl,...jl->...", np.linalg.inv(metric.metric_matrix(points)), ricci)


def sectional(metric: Any, points: Array) -> Array:
    """Sectional curvature of the plane of the first and the last two coordinates of a simplex."""
    u, v = np.array([1.0, -1, 0]), np.array([0.0, 1, -1])
    return np.array([float(metric.sectional_curvature(gs.array(u), gs.array(v), point)) for point in points])


def scalar(metric: Any, points: Array) -> Array:
    """R of all points at once, by its own way."""
    return metric.scalar_curvature(points)


CURVATURES: dict[str, Callable[[Any, Array], Array]] = {
    "scalar_curvature": scalar,
    "assembled": assembled,
    "sectional_curvature": sectional,
}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Value and seconds of what is asked, or why there is none."""
    if request["what"] == "versions":
        return {"value": {package: version(package) for package in ("geomstats", "numpy", "autograd", "scipy")}}
    metric = space(request["family"], request["arguments"]).metric
    points = gs.array(request["points"])
    start = time.perf_counter()
    try:
        if request["what"] == "metric":
            basis = request["basis"]
            value = metric_matrix(metric, points, None if basis is None else np.array(basis))
        else:
            value = CURVATURES[request["what"]](metric, points)
    except (NotImplementedError, AttributeError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    return {"seconds": time.perf_counter() - start, "value": np.asarray(value, dtype=float).tolist()}


def main() -> None:
    """Serve until the input ends; whatever geomstats prints goes to the error stream."""
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main()
