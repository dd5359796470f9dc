"""Transfer of numbers of configurations through a torus, row by row, in plain Python that numba compiles as it stands.

``counts[b, u, m]`` is the number of ways to fill what lies between a first row and row b with u pairs of unequal
neighbours and m sites in state 0.
"""

from __future__ import annotations

from typing import Any

__all__ = ["add_row", "cross"]

Array = Any  # of int64; numba infers the rest


def cross(counts: Array, q: int, width: int, most: int) -> None:
    """Bonds from a row to the next one, site by site; ``most`` unequal pairs there are before, at most.

    A new site in state d is joined to the old one in its place, so that

        counts'[d, u] = counts[d, u] + Σ_{c≠d} counts[c, u − 1],

    in place from the largest u down.
    """
    columns = counts.shape[2]
    stride = 1
    for j in range(width):
        for b in range(counts.shape[0]):
            # Rows that differ at this site alone change together, from the one with state 0 there.
            if b // stride % q != 0:
                continue
            for u in range(most + j + 1, 0, -1):
                for d in range(q):
                    for c in range(q):
                        if c != d:
                            for m in range(columns):
                                counts[b + d * stride, u, m] += counts[b + c * stride, u - 1, m]
        stride *= q


def add_row(counts: Array, unequal: Array, zeros: Array, most: int) -> None:
    """Bonds and sites within the last row: shifts by its own numbers; ``most`` unequal pairs there are afterwards."""
    for b in range(counts.shape[0]):
        du, dm = unequal[b], zeros[b]
        for u in range(most, -1, -1):
            for m in range(counts.shape[2] - 1, -1, -1):
                counts[b, u, m] = counts[b, u - du, m - dm] if u >= du and m >= dm else 0
