"""Moments of laws over nodes, at many points at once: g, ∂g, and what curvature needs of ∂∂g.

2√p maps a family into a flat space, that of square-integrable functions, without changing lengths: the Fisher metric
is the one induced there (Rao, Bull. Calcutta Math. Soc. 37 (1945) 81; Amari and Nagaoka, Methods of information
geometry (2000), Sec. 2.3). Over √p its derivatives are the scores s_i and a_ij = ∂_i ∂_j ℓ + ½ s_i s_j, so that

    g_ij = E[s_i s_j],    ∂_k g_ij = E[a_ik s_j] + E[a_jk s_i],    ∂_k ∂_l g_ij = E[a_ik a_jl] + E[a_il a_jk] + …,

where the third derivatives that are left out, being the same for all orders of their indices, cancel in the Riemann
tensor in any coordinates. All of it is one Gram matrix.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

__all__ = ["embedded", "gram", "moments", "places"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@lru_cache(maxsize=64)
def places(n: int, rank: int) -> Integers:
    """Where the derivatives of one order stand, shape (n,)*rank, when each is listed once, indices ascending."""
    found = np.empty((n,) * rank, dtype=np.int64)
    listed = {along: k for k, along in enumerate(combinations_with_replacement(range(n), rank))}
    for index in np.ndindex(found.shape):
        found[index] = listed[tuple(sorted(index))]
    return found


def embedded(derivatives: Array, n: int) -> Array:
    """The s_i and a_ij at nodes from the derivatives of ℓ, both (m, derivatives, N); first ones may be alone."""
    if derivatives.shape[1] == n:
        return derivatives
    i, j = np.triu_indices(n)
    found = derivatives.copy()
    found[:, n:] += derivatives[:, i] * derivatives[:, j] / 2
    return found


def gram(vectors: Array, w: Array) -> Array:
    """Means of all products of two at points, shape (m, d, d), of vectors (m, d, N) and weights (m, N)."""
    found = vectors @ (vectors * w[:, None]).swapaxes(1, 2)
    symmetric: Array = (found + found.swapaxes(1, 2)) / 2  # to the last bit
    return symmetric


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
    a = n + places(n, 2)
    first, second = means[:, a, :n], means[:, a[:, :, None, None], a]  # [i, k, j] and [i, k, j, l]
    return g, *symmetrised(first, second)


def symmetrised(first: Array, second: Array) -> tuple[Array, Array]:
    """∂_k g_ij and ∂_k ∂_l g_ij from E[a_ik s_j] and E[a_ik a_jl], or bounds from bounds."""
    once = first.transpose(0, 1, 3, 2) + first.transpose(0, 3, 1, 2)
    return once, second.transpose(0, 1, 3, 2, 4) + second.transpose(0, 1, 3, 4, 2)
