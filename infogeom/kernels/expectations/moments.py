"""Moments of products of scores over nodes, at many points at once: g, ∂g and ∂∂g.

With s, h, t the derivatives of ℓ up to the third, g_ij = E[s_i s_j], and ∂_k g_ij = E[D_k (s_i s_j)] as well as
∂_l ∂_k g_ij = E[D_l D_k (s_i s_j)] are sums of Gram matrices of derivatives and their products.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

__all__ = ["moments", "places"]

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


def moments(derivatives: Array, w: Array, n: int) -> tuple[Array, ...]:
    """g, ∂g and ∂∂g at points from derivatives of ℓ at nodes; of first derivatives alone, g alone.

    Parameters
    ----------
    derivatives : ndarray, shape (m, derivatives, N)
        In the order of their indices, each once.
    w : ndarray, shape (m, N)
        Weights.
    n : int
        Number of parameters.

    Returns
    -------
    tuple of ndarray, shapes (m, n, n), (m, n, n, n), (m, n, n, n, n)
        The indices of derivatives last.
    """
    weights = w[:, None, :]
    s = derivatives[:, :n]
    ws = (s * weights).swapaxes(1, 2)
    g = s @ ws
    g = (g + g.swapaxes(1, 2)) / 2  # symmetric to the last bit
    if derivatives.shape[1] == n:
        return (g,)
    i, j = np.triu_indices(n)
    pair, triple = places(n, 2), places(n, 3)
    h, t = derivatives[:, n : n + len(i)], derivatives[:, n + len(i) :]
    ss = s[:, i] * s[:, j]

    hs, sss = (h @ ws)[:, pair], (ss @ ws)[:, pair]
    dg = hs.swapaxes(2, 3) + hs.transpose(0, 3, 1, 2) + sss

    ts = (t @ ws)[:, triple]  # [i, k, l, j]
    wh, wss = (h * weights).swapaxes(1, 2), (ss * weights).swapaxes(1, 2)
    hh, hss, ssss = h @ wh, h @ wss, ss @ wss
    four = tuple(np.ix_(*[range(n)] * 4))

    def of(gram: Array, *order: int) -> Array:
        """Entries [i, j, k, l] of a matrix of pairs, which are two of the four indices and the other two."""
        a, b, c, d = (four[axis] for axis in order)
        entries: Array = gram[:, pair[a, b], pair[c, d]]
        return entries

    I, J, K, L = range(4)
    ddg = ts.transpose(0, 1, 4, 2, 3) + ts.transpose(0, 4, 1, 2, 3)
    ddg = ddg + of(hh, I, K, J, L) + of(hh, I, L, J, K) + of(ssss, I, J, K, L)
    for order in ((K, L, I, J), (I, K, J, L), (I, L, J, K), (J, K, I, L), (J, L, I, K)):
        ddg = ddg + of(hss, *order)
    return g, dg, ddg
