"""Loops over backward passes of many samples (n) and seeds (k); plain Python that numba compiles as it stands."""

from __future__ import annotations

from typing import Any

from numpy import empty, float64

__all__ = ["row_squares", "scale", "scaled", "slope_squares"]

#: Sums side by side, so that the loop vectorises without changing their order.
LANES = 16

Array = Any  # float32 or float64; numba infers the rest


def scale(product: Array, slope: Array) -> None:
    """Multiply product[n, k] by slope[n] in place."""
    for n in range(product.shape[0]):
        s = slope[n]
        for k in range(product.shape[1]):
            row = product[n, k]
            for w in range(row.size):
                row[w] *= s[w]


def scaled(product: Array, slope: Array, out: Array) -> None:
    """Fill out[n, k] = product[0, k] slope[n]."""
    for n in range(out.shape[0]):
        s = slope[n]
        for k in range(out.shape[1]):
            row, target = product[0, k], out[n, k]
            for w in range(row.size):
                target[w] = row[w] * s[w]


def row_squares(a: Array, out: Array) -> None:
    """Fill out[n] = Σ_w a[n, w]², summed in float64."""
    total = empty(LANES)
    whole = a.shape[1] // LANES * LANES
    for n in range(a.shape[0]):
        row = a[n]
        total[:] = 0.0
        for start in range(0, whole, LANES):
            for k in range(LANES):
                value = float64(row[start + k])
                total[k] += value * value
        square = 0.0
        for k in range(LANES):
            square += total[k]
        for w in range(whole, a.shape[1]):
            value = float64(row[w])
            square += value * value
        out[n] = square


def slope_squares(product: Array, slope: Array, out: Array) -> None:
    """Fill out[n] = Σ_k Σ_w (product[n, k, w] slope[n, w])², summed in float64."""
    width = product.shape[2]
    total = empty(width)
    for n in range(product.shape[0]):
        total[:] = 0.0
        for k in range(product.shape[1]):
            row = product[n, k]
            for w in range(width):
                value = float64(row[w])
                total[w] += value * value
        square = 0.0
        for w in range(width):
            s = float64(slope[n, w])
            square += total[w] * (s * s)
        out[n] = square
