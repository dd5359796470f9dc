"""Moments of laws over nodes, at many points at once: g, ∂g, and what curvature needs of ∂∂g.

2√p maps a family into a flat space, that of square-integrable functions, without changing lengths: the Fisher metric
is the one induced there (Rao, Bull. Calcutta Math. Soc. 37 (1945) 81; Amari and Nagaoka, Methods of information
geometry (2000), Sec. 2.3). Over √p its derivatives are the scores s_i and a_ij = ∂_i ∂_j ℓ + ½ s_i s_j, so that

    g_ij = E[s_i s_j],    ∂_k g_ij = E[a_ik s_j] + E[a_jk s_i],    ∂_k ∂_l g_ij = E[a_ik a_jl] + E[a_il a_jk] + …,

where the third derivatives that are left out, being the same for all orders of their indices, cancel in the Riemann
tensor in any coordinates. All of it is one Gram matrix.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature.loops import TINY
from infogeom.kernels.expectations import moment_loops

__all__ = ["Doubled", "doubled", "largest", "moments", "sums_of_products", "units"]

Array = NDArray[np.float64]
#: What is left to change of moments, relative to their own size, where a rule has settled.
SETTLED = 1e-15
#: How much more may be left to change than there seems to be.
CONVERGENCE_MARGIN = 16


def sums_of_products(derivatives: Array, w: Array, n: int, negligible: float) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Sums over nodes of the s_i and a_ij, and of the products of any two, and where something is lacking.

    Parameters
    ----------
    derivatives : ndarray, shape (m, d, N)
        Of ℓ, in the order of their indices; first ones may be alone.
    w : ndarray, shape (m, N)
        Weights.
    n : int
        Number of coordinates.
    negligible : float
        Weight at which a derivative without a value counts as 0.

    Returns
    -------
    tuple of ndarray, shapes (m, d), (m, d, d), (m,)
    """
    m, d, _ = derivatives.shape
    means, gram, lacking = np.zeros((m, d)), np.zeros((m, d, d)), np.zeros(m, dtype=bool)
    add = compiled_module(moment_loops, summed=True)["add_products"]
    add(*map(np.ascontiguousarray, (derivatives, w)), n, negligible, lacking, means, gram)
    return means, gram, lacking


def moments(means: Array, n: int) -> tuple[Array, ...]:
    """g, ∂g and what curvature needs of ∂∂g from the Gram matrix (m, d, d); of scores alone, g alone.

    Returns
    -------
    tuple of ndarray, shapes (m, n, n), (m, n, n, n), (m, n, n, n, n)
        The indices of derivatives last.
    """
    g = means[:, :n, :n]
    if means.shape[1] == n:
        return (g,)
    m = len(means)
    first, second = np.empty((m,) + (n,) * 3), np.empty((m,) + (n,) * 4)
    compiled_module(moment_loops, summed=True)["unfold"](np.ascontiguousarray(means), first, second)
    return g, first, second


def units(gram: Array, n: int) -> Array:
    """√g_ii at points, shape (m, n)."""
    found: Array = np.sqrt(np.maximum(np.diagonal(gram, axis1=1, axis2=2)[:, :n], TINY))
    return found


def largest(gram: Array, unit: Array) -> Array:
    """Bounds (m, orders) on the entries of g, ∂g and ∂∂g, or of the first alone, in units (m, n) of each index."""
    orders = 1 if gram.shape[1] == unit.shape[1] else 3
    found = np.empty((len(gram), orders))
    compiled_module(moment_loops, summed=True)["largest"](np.ascontiguousarray(gram), unit, found)
    found[:, 1:] *= 2  # entries of two of which they are the sum
    return found


class Doubled(NamedTuple):
    """What a rule of twice as many nodes changed in moments at points, and what is left to change, shape (m, orders).

    Both are largest entries in units of √(g_ii g_jj …). What is left does not count where it is ``settled`` (m,).
    """

    left: Array
    change: Array
    settled: NDArray[np.bool_]

    def of(self, chosen: NDArray[np.bool_]) -> Doubled:
        """That of some points."""
        return Doubled(self.left[chosen], self.change[chosen], self.settled[chosen])


def doubled(now: Array, before: Array, n: int, last: Doubled | None, least_share: float = 0.0) -> Doubled:
    """What doubling the nodes of a rule changed in a Gram matrix (m, d, d).

    An integrand that is analytic gains as many digits as it had: each step changes moments by the square of the share
    by which the one before did. Without a ``last`` step what it changed is left. Where an integrand has parts of unlike
    widths the narrow one, faint as it may be, converges later than the last two steps tell: ``least_share`` of what
    this one changed is left in any case.
    """
    unit = units(now, n)
    change, size = largest(now - before, unit), largest(now, unit)
    left = change
    if last:
        ratio = np.minimum(change / np.maximum(last.change, TINY), 1.0)
        left = np.clip(CONVERGENCE_MARGIN * ratio**2, least_share, 1.0) * change
    settled = np.all(left <= SETTLED * np.maximum(1.0, size), axis=1)
    return Doubled(left, change, np.asarray(settled))
