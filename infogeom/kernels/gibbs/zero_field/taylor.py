"""Taylor series in one variable, cut after the third power: arrays whose first axis is the power, f = Σ_n f[n] εⁿ."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["exponential", "logarithm", "logarithm_of_one_and", "power", "product", "quotient", "root", "series"]

Array = NDArray[Any]


def series(*coefficients: float) -> Array:
    """Return the series of these coefficients; those left off are zero."""
    return np.array(coefficients + (0.0,) * (4 - len(coefficients)))


def product(f: Array, g: Array) -> Array:
    """Return f g."""
    h = np.zeros(np.broadcast_shapes(f.shape, g.shape))
    for n in range(4):
        for k in range(n + 1):
            h[n] += f[k] * g[n - k]
    return h


def quotient(f: Array, g: Array) -> Array:
    """Return f / g."""
    h = np.zeros(np.broadcast_shapes(f.shape, g.shape))
    for n in range(4):
        h[n] = f[n]
        for k in range(1, n + 1):
            h[n] -= g[k] * h[n - k]
        h[n] /= g[0]
    return h


def power(f: Array, n: int) -> Array:
    """Return fⁿ for n ≥ 1."""
    half = power(f, n // 2) if n > 1 else series(1.0)
    square = product(half, half) if n > 1 else f
    return product(square, f) if n % 2 and n > 1 else square


def root(f: Array) -> Array:
    """Return √f for f > 0."""
    s = np.zeros_like(f)
    s[0] = np.sqrt(f[0])
    for n in range(1, 4):
        s[n] = f[n]
        for k in range(1, n):
            s[n] -= s[k] * s[n - k]
        s[n] /= 2 * s[0]
    return s


def exponential(f: Array) -> Array:
    """Return e^f."""
    e = np.zeros_like(f)
    e[0] = np.exp(f[0])
    for n in range(1, 4):
        for k in range(1, n + 1):
            e[n] += k / n * f[k] * e[n - k]
    return e


def logarithm(f: Array) -> Array:
    """Return ln f for f > 0."""
    return _logarithm(np.log(f[0]), f)


def logarithm_of_one_and(f: Array) -> Array:
    """Return ln(1 + f) for f > -1."""
    return _logarithm(np.log1p(f[0]), np.concatenate([1 + f[:1], f[1:]]))


def _logarithm(value: Array, f: Array) -> Array:
    log = np.zeros_like(f)
    log[0] = value
    for n in range(1, 4):
        log[n] = f[n]
        for k in range(1, n):
            log[n] -= k / n * log[k] * f[n - k]
        log[n] /= f[0]
    return log
