"""All states of a small Ising torus one by one: what counts and transfers are held against.

In Gray's code one spin turns from a state to the next. The function is plain Python that numba compiles as it stands.
"""

from __future__ import annotations

from typing import Any

from numpy import empty, int64

__all__ = ["enumerated"]


def enumerated(length: int, width: int, counts: Any) -> None:
    """Add 1 to ``counts[e, m]`` for every state with so many pairs of unequal neighbours e and spins down m.

    Parameters
    ----------
    length, width : int
        At least 3; up to 62 spins together, of which 25 take a second.
    counts : ndarray of int64, shape (2 length width + 1, length width + 1)
    """
    N = length * width
    down, beside = empty(N, int64), empty((N, 4), int64)
    for i in range(length):
        for j in range(width):
            s = i * width + j
            down[s] = 0
            beside[s, 0], beside[s, 1] = i * width + (j + 1) % width, i * width + (j - 1) % width
            beside[s, 2], beside[s, 3] = (i + 1) % length * width + j, (i - 1) % length * width + j
    e = m = 0
    counts[e, m] += 1
    for k in range(1, 1 << N):
        s = 0
        while not (k >> s) & 1:
            s += 1
        unequal = 0
        for neighbour in range(4):
            unequal += down[s] ^ down[beside[s, neighbour]]
        e += 4 - 2 * unequal
        m += 1 - 2 * down[s]
        down[s] ^= 1
        counts[e, m] += 1
