"""What curvature is made of: a metric with its first and second derivatives."""

from __future__ import annotations

from typing import Any, NamedTuple

from numpy.typing import NDArray

__all__ = ["JET", "RANKS", "BoundedJet", "Jet"]

Array = NDArray[Any]
#: Rank of each part of a jet.
JET = {"g": 2, "dg": 3, "ddg": 4}
#: Ranks of g, ∂g and ∂∂g.
RANKS = (2, 3, 4)


class Jet(NamedTuple):
    """A metric and its derivatives at a point: g[i, j], dg[i, j, k] = ∂_k g_ij, ddg[i, j, k, l] = ∂_k ∂_l g_ij."""

    g: Array
    dg: Array
    ddg: Array


class BoundedJet(NamedTuple):
    """A jet in float64 with bounds on its errors, at a point or at points, which then are the last axis of all arrays.

    Attributes
    ----------
    g, dg, ddg : ndarray, shapes (n, n), (n, n, n), (n, n, n, n)
        As of `Jet`; empty beyond the order that was asked for.
    errors : tuple of ndarray
        Bounds on those of g, ∂g and ∂∂g, infinite where nothing is known; and, where samples may share a factor, of
        that, shape (n + 1,), see `infogeom.kernels.codegen.rounding.SampleErrors`.
    framed : tuple of ndarray
        Bounds on the first three in the frame Eᵀ g E = 1 with E upper triangular, where they are known better there:
        ``errors``, each as large as it may be, would allow for far more; nan where there is no such frame, or empty.
    """

    g: Array
    dg: Array
    ddg: Array
    errors: tuple[Array, ...]
    framed: tuple[Array, ...] = ()
