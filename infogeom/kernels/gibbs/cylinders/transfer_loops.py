"""The transfer from row to row of an Ising lattice, site by site, in loops that numba compiles as they stand.

Between two rows stands the product over sites of [[1, q], [q, 1]], q = e^(-2β), which is applied in place, a site after
another.  Arrays hold rows in their last axis, site j in bit j.
"""

from __future__ import annotations

from typing import Any

__all__ = ["cross", "cross_series"]

Array = Any  # float64 arrays; numba infers the rest


def cross(x: Array, q: float) -> None:
    """Apply the product to x of shape (2^width,), two sites at a time."""
    n, step = x.size, 1
    while 4 * step <= n:
        for block in range(0, n, 4 * step):
            for low in range(block, block + step):
                a, b, c, d = x[low], x[low + step], x[low + 2 * step], x[low + 3 * step]
                a, b, c, d = a + q * b, b + q * a, c + q * d, d + q * c
                x[low], x[low + 2 * step] = a + q * c, c + q * a
                x[low + step], x[low + 3 * step] = b + q * d, d + q * b
        step *= 4
    if step < n:
        for low in range(step):
            a, b = x[low], x[low + step]
            x[low], x[low + step] = a + q * b, b + q * a


def cross_series(x: Array, q: Array) -> None:
    """Apply the product as a power series in a change of β to x of shape (order + 1, 2^width), itself a series.

    ``q`` has the coefficients of e^(-2β), at least order + 1 of them.
    """
    powers, n = x.shape
    step = 1
    while step < n:
        for block in range(0, n, 2 * step):
            for k in range(powers - 1, -1, -1):
                # The highest power first, so that lower ones are still there.
                for low in range(block, block + step):
                    high = low + step
                    a, b = x[k, low], x[k, high]
                    for j in range(k + 1):
                        a += q[j] * x[k - j, high]
                        b += q[j] * x[k - j, low]
                    x[k, low], x[k, high] = a, b
        step *= 2
