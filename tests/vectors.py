"""Families of vectors at the arguments they are tested with, and their curvature by other ways."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import Rational

import infogeom as ig
from infogeom.kernels.status import Status
from tests import reference

Array = np.ndarray[Any, np.dtype[Any]]

#: How each is made. A new family of vectors is one line here.
FAMILIES: dict[str, Callable[[], ig.models.Model]] = {
    "normal 1": partial(ig.models.multivariate_normal, 1),
    "normal 2": partial(ig.models.multivariate_normal, 2),
    "known mean 2": partial(ig.models.multivariate_normal_known_mean, 2),
    "known covariance": partial(ig.models.multivariate_normal_known_covariance, [[2, 0.5], [0.5, 1]]),
    "diagonal 2": partial(ig.models.multivariate_normal_diagonal, 2),
    "isotropic 2": partial(ig.models.multivariate_normal_isotropic, 2),
    "chain 3": partial(ig.models.gaussian_chain, 3),
    "Dirichlet 3": partial(ig.models.dirichlet, 3),
    "Wishart 2": partial(ig.models.wishart, 2, Rational(7, 2)),
    "Wishart 2, free": partial(ig.models.wishart, 2),
    "von Mises-Fisher 2": partial(ig.models.von_mises_fisher, 2),
    "von Mises-Fisher 3": partial(ig.models.von_mises_fisher, 3),
    "Freund": ig.models.freund,
    "categorical 4": partial(ig.models.categorical, 4),
    "multinomial 3": partial(ig.models.multinomial, 5, 3),
    "negative multinomial 2": partial(ig.models.negative_multinomial, 3, 2),
    "log-linear 2": partial(ig.models.log_linear, 2),
}


@cache
def family(name: str) -> ig.models.Model:
    """A family, made once."""
    return FAMILIES[name]()


def somewhere(model: ig.models.Model, count: int, seed: int = 0) -> Array:
    """Random points of the typical ranges."""
    ranges = np.array([p.typical for p in model.parameters])
    return np.random.default_rng(seed).uniform(*ranges.T, (count, len(ranges)))


def R(model: ig.models.Model, points: Any) -> Array:
    """Scalar curvature at points where nothing is wrong."""
    ds = ig.grid.evaluate_points(model, points, ("ricci_scalar",))
    assert ds.status.isin([Status.OK, Status.REFINED]).all()
    return ds.ricci_scalar.values


def jet(metric: ig.symbolic.Metric, point: Array) -> tuple[Array, Array, Array]:
    """g, ∂g and ∂∂g at a point, by SymPy."""
    x, n = metric.coordinates, len(metric.coordinates)
    at = dict(zip(x, map(Rational, point), strict=True))

    @cache
    def value(e: sympy.Expr, *along: int) -> float:
        for k in along:
            e = e.diff(x[k])
        return float(e.xreplace(at).evalf(25))

    g, dg, ddg = np.empty((n,) * 2), np.empty((n,) * 3), np.empty((n,) * 4)
    for i, j in product(range(n), repeat=2):
        e = metric.matrix[i, j]
        g[i, j] = value(e)
        for k in range(n):
            dg[i, j, k] = value(e, k)
        for k, m in product(range(n), repeat=2):
            ddg[i, j, k, m] = value(e, min(k, m), max(k, m))
    return g, dg, ddg


def curvature_of(g: Any, dg: Any, ddg: Any) -> float:
    """R of a jet by the formulas of SCIENCE.md, in mpmath."""
    exact = np.vectorize(mpmath.mpf, otypes=[object])
    return float(reference.curvature(reference.Jet(exact(g), exact(dg), exact(ddg))).scalar)
