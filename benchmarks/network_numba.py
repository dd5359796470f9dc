"""The curvature of the cross-entropy network in a plain parallel numba loop, and the limit the machine itself sets."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
from numba import prange

STEEPNESS = 5.0


@numba.njit(parallel=True, error_model="numpy")
def ricci_scalar(axis, x, y):  # type: ignore[no-untyped-def]
    """R on the square grid with one exponential per (point, sample), and S = ¼ (‖T‖² + ‖tr T‖²) to compare by."""
    V, N = axis.size, x.size
    R, S = np.empty((V, V)), np.empty((V, V))
    for i in prange(V):
        for j in range(V):
            g11 = g12 = g22 = a = b = c = d = 0.0
            for n in range(N):
                e = math.exp(-STEEPNESS * (axis[i] * x[n] + axis[j] * y[n]))
                sigma = 1.0 / (1.0 + e)
                h = sigma * sigma
                dh = h * e * sigma
                g11 += h * x[n] * x[n]
                g12 += h * x[n] * y[n]
                g22 += h * y[n] * y[n]
                a += dh * x[n] * x[n] * x[n]
                b += dh * x[n] * x[n] * y[n]
                c += dh * x[n] * y[n] * y[n]
                d += dh * y[n] * y[n] * y[n]
            det = g11 * g22 - g12 * g12
            # g = 25/N Σ h x̃ x̃ᵀ and T = 250/N Σ dh x̃ x̃ x̃, whence T T / g³ carries the factor 4 N.
            R[i, j] = -2 * N * (g11 * (b * d - c * c) - g12 * (a * d - b * c) + g22 * (a * c - b * b)) / (det * det)
            # ‖tr T‖² = tᵀ g⁻¹ t, and ‖T‖² = 4 R + ‖tr T‖².
            t1 = g22 * a - 2 * g12 * b + g11 * c
            t2 = g22 * b - 2 * g12 * c + g11 * d
            trace = 4 * N * (g22 * t1 * t1 - 2 * g12 * t1 * t2 + g11 * t2 * t2) / (det * det * det)
            S[i, j] = R[i, j] + trace / 2
    return R, S


@numba.njit(nogil=True, error_model="numpy", fastmath={"contract", "reassoc"})
def _operations(rows, column, factors, passes):  # type: ignore[no-untyped-def]
    """What no program can leave out per (point, sample), sums in registers and one load from the first cache."""
    c0, c1, c2, c3, c4, c5, c6 = factors
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = 0.0
    for n in range(passes):
        row = rows[n % rows.size]
        for v in range(column.size):
            e = row * column[v]
            sigma = 1.0 / (1.0 + e)
            h = sigma * sigma
            dh = h * (e * sigma)
            s0 += h * c0
            s1 += h * c1
            s2 += h * c2
            s3 += dh * c3
            s4 += dh * c4
            s5 += dh * c5
            s6 += dh * c6
    return s0 + s1 + s2 + s3 + s4 + s5 + s6


def limit(work: int, threads: int) -> Callable[[], object]:
    """Multiply, add, divide, three multiplications for h and h′, seven multiply-adds: ``work`` times in all."""
    rows, column = np.exp(np.linspace(-1, 1, 64)), np.exp(np.linspace(-1, 1, 512))
    factors = tuple(np.linspace(0.1, 0.7, 7).tolist())
    passes = work // (threads * column.size)
    pool = ThreadPoolExecutor(threads)

    def run() -> list[float]:
        return [f.result() for f in [pool.submit(_operations, rows, column, factors, passes) for _ in range(threads)]]

    _operations(rows, column, factors, 1)
    return run
