"""Truncated power series in two variables: from moments to cumulants, with bounds on errors."""

from __future__ import annotations

from collections.abc import Collection
from math import comb, factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ORDER", "PLACES", "ROUNDED", "binomials", "cumulants", "product"]

Array = NDArray[Any]
#: Total order.
ORDER = 3
#: Relative error of a few operations.
ROUNDED = 2.0**-51
#: Exponents of both variables by place in a series.
PLACES = [(i, j) for j in range(ORDER + 1) for i in range(ORDER + 1 - j)]


def product(x: Array, y: Array) -> Array:
    """Product of series, whose places are the first axis."""
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    for n, (i, j) in enumerate(PLACES):
        for k, (p, q) in enumerate(PLACES):
            if p <= i and q <= j:
                total[n] += x[k] * y[PLACES.index((i - p, j - q))]
    return total


def binomials(u: Array, m: Array) -> Array:
    """Series of (1 + t)^u (1 + s)^m, for any real exponents, in an axis before theirs."""
    of_u, of_m = [np.ones_like(u)], [np.ones_like(m)]
    for k in range(ORDER):
        of_u.append(of_u[-1] * (u - k) / (k + 1))
        of_m.append(of_m[-1] * (m - k) / (k + 1))
    return np.array([of_u[i] * of_m[j] for i, j in PLACES])


def cumulants(moments: Array, errors: Array, vanishing: Collection[int]) -> tuple[Array, Array]:
    """Cumulants of (x, m) by their orders, up to a total of 3, and bounds on their errors.

    Parameters
    ----------
    moments : ndarray, shape (10,)
        Series of Σ w (1 + t)^u (1 + s)^m with u = −x.
    errors : ndarray, shape (10,)
        Bounds on theirs.
    vanishing : collection of int
        Orders in m in which the cumulants are 0 by symmetry, whatever the moments say.

    Returns
    -------
    tuple of ndarray, shape (4, 4)
        Zero beyond the total order; what vanishes has no error.
    """
    # t = e^{−τ} − 1 and s = e^σ − 1, in powers of τ and σ.
    change = np.zeros((len(PLACES), len(PLACES)))
    for row, (p, r) in enumerate(PLACES):
        for column, (i, j) in enumerate(PLACES):
            change[row, column] = (-1) ** p * _stirling(p, i) * _stirling(r, j)
    series, bounds = change @ moments, abs(change) @ errors
    absent = np.array([r in vanishing for _, r in PLACES])
    series[absent] = bounds[absent] = 0.0

    # log (1 + x) = x − x²/2 + x³/3, in relative terms.
    x, bound = series / series[0], bounds / series[0]
    bound = bound + abs(x) * bound[0]
    x[0] = bound[0] = 0.0
    square = product(x, x)
    logarithm = x - square / 2 + product(square, x) / 3
    slope = abs(x) + product(abs(x), abs(x))
    slope[0] += 1.0
    bound = product(bound, slope)
    table, table_errors = np.zeros((ORDER + 1, ORDER + 1)), np.zeros((ORDER + 1, ORDER + 1))
    for place, (p, r) in enumerate(PLACES):
        table[p, r] = logarithm[place] * factorial(p) * factorial(r)
        table_errors[p, r] = bound[place] * factorial(p) * factorial(r) + ROUNDED * abs(table[p, r])
    return table, table_errors


def _stirling(p: int, i: int) -> float:
    """Coefficient of x^p in (e^x − 1)^i."""
    difference: int = sum((-1) ** (i - k) * comb(i, k) * k**p for k in range(i + 1))
    return difference / factorial(p)
