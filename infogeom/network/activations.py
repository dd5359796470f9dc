"""Activations of a layer with their slopes, in place; plain Python that numba compiles as it stands.

Each takes z (N, W) and turns it into φ(z + bias), and fills slope (N, W) with φ′.  Slopes are computed from z, not from
the value, so that a saturated unit keeps its slope to full relative accuracy.
"""

from __future__ import annotations

import math
from math import erfc, exp, fabs
from typing import Any

__all__ = ["gelu", "identity", "relu", "sigmoid", "tanh"]

Array = Any  # float32 or float64; numba infers the rest

#: √½.
ROOT_HALF = 0.7071067811865476
#: Density 1/√(2π) of the standard normal law at 0.
DENSITY_AT_0 = 0.3989422804014327


def identity(z: Array, bias: Array, slope: Array) -> None:
    """φ(z) = z."""
    for n in range(z.shape[0]):
        for k in range(z.shape[1]):
            z[n, k] += bias[k]
            slope[n, k] = 1


def relu(z: Array, bias: Array, slope: Array) -> None:
    """φ(z) = max(z, 0), of slope 0 at 0."""
    zero = z.dtype.type(0)
    for n in range(z.shape[0]):
        for k in range(z.shape[1]):
            u = z[n, k] + bias[k]
            slope[n, k] = u > zero
            z[n, k] = max(u, zero)


def tanh(z: Array, bias: Array, slope: Array) -> None:
    """φ(z) = tanh z, of slope 1 / cosh² z."""
    for n in range(z.shape[0]):
        for k in range(z.shape[1]):
            u = z[n, k] + bias[k]
            e = exp(-2 * fabs(u))
            slope[n, k] = 4 * e / ((1 + e) * (1 + e))
            z[n, k] = math.tanh(u)


def sigmoid(z: Array, bias: Array, slope: Array) -> None:
    """φ(z) = 1 / (1 + e^−z), of slope φ(z) φ(−z)."""
    for n in range(z.shape[0]):
        for k in range(z.shape[1]):
            u = z[n, k] + bias[k]
            e = exp(-fabs(u))
            slope[n, k] = e / ((1 + e) * (1 + e))
            z[n, k] = (1 if u >= 0 else e) / (1 + e)


def gelu(z: Array, bias: Array, slope: Array) -> None:
    """φ(z) = z Φ(z) with the normal distribution function Φ, of slope Φ(z) + z Φ′(z)."""
    for n in range(z.shape[0]):
        for k in range(z.shape[1]):
            u = z[n, k] + bias[k]
            below = 0.5 * erfc(-ROOT_HALF * u)
            slope[n, k] = below + u * DENSITY_AT_0 * exp(-0.5 * u * u)
            z[n, k] = u * below
