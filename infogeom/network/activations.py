"""Activations of a layer with their slopes and curvatures, in place; plain Python that numba compiles as it stands.

Each takes z (N, W) and turns it into φ(z + bias), and fills slope (N, W) with φ′.  Slopes are computed from z, not from
the value, so that a saturated unit keeps its slope to full relative accuracy.

For each there is a ``…_curvature`` that turns z into φ″(z + bias), right to 8 units in the last place for every
argument, and 0 at the kink of the rectifier.  No forward pass needs it.
"""

from __future__ import annotations

import math
from math import erfc, exp, expm1, fabs
from typing import Any

from numpy import float64

__all__ = ["erf", "gelu", "identity", "relu", "sigmoid", "tanh"]

Array = Any  # float32 or float64; numba infers the rest

#: √½.
ROOT_HALF = 0.7071067811865476
#: Density 1/√(2π) of the standard normal law at 0.
DENSITY_AT_0 = 0.3989422804014327
#: Slope 2/√π of the error function at 0.
ERF_SLOPE_AT_0 = 1.1283791670955126
#: √2, rounded.
ROOT_TWO = 1.4142135623730951
#: What rounding leaves off it.
ROOT_TWO_REST = -9.667293313452913e-17
#: Added and taken away again, it rounds numbers below 64 to multiples of 2⁻¹⁶, whose squares are exact.
EXACT_SQUARES = 1.5 * 2.0**36
#: Where e^(−a²/2) is 0, and less than that.
FAR = 64.0


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


def erf(z: Array, bias: Array, slope: Array) -> None:
    """φ(z) = erf z, of slope 2/√π e^(−z²)."""
    for n in range(z.shape[0]):
        for k in range(z.shape[1]):
            u = z[n, k] + bias[k]
            slope[n, k] = _bell(ERF_SLOPE_AT_0, fabs(float64(u)), 0.5)
            z[n, k] = math.erf(u)


# --- Curvatures -------------------------------------------------------------------------------------------------------


def identity_curvature(z: Array, bias: Array) -> None:  # noqa: ARG001  (all take the same)
    """φ″(z) = 0."""
    z[:] = 0


def relu_curvature(z: Array, bias: Array) -> None:  # noqa: ARG001  (all take the same)
    """φ″(z) = 0, at the kink too."""
    z[:] = 0


def tanh_curvature(z: Array, bias: Array) -> None:
    """φ″(z) = −2 tanh z / cosh² z, eight times that of the sigmoid at 2 z."""
    for n in range(z.shape[0]):
        for k in range(z.shape[1]):
            z[n, k] = _logistic_curvature(8.0, 2.0 * float64(z[n, k] + bias[k]))


def sigmoid_curvature(z: Array, bias: Array) -> None:
    """φ″(z) = φ(z) φ(−z) (φ(−z) − φ(z))."""
    for n in range(z.shape[0]):
        for k in range(z.shape[1]):
            z[n, k] = _logistic_curvature(1.0, float64(z[n, k] + bias[k]))


def gelu_curvature(z: Array, bias: Array) -> None:
    """φ″(z) = (2 − z²) Φ′(z) with the density Φ′ of the normal law."""
    for n in range(z.shape[0]):
        for k in range(z.shape[1]):
            a = fabs(float64(z[n, k] + bias[k]))
            two_less_square = ((ROOT_TWO - a) + ROOT_TWO_REST) * (ROOT_TWO + a)
            z[n, k] = _bell(DENSITY_AT_0 * two_less_square, a, 0.25)


def erf_curvature(z: Array, bias: Array) -> None:
    """φ″(z) = −4/√π z e^(−z²)."""
    for n in range(z.shape[0]):
        for k in range(z.shape[1]):
            u = float64(z[n, k] + bias[k])
            z[n, k] = _bell(-2.0 * ERF_SLOPE_AT_0 * u, fabs(u), 0.5)


def _bell(factor: float, a: float, share: float) -> float:
    """Factor times e^(−2 share a²), for a ≥ 0 and a share that is a power of two.

    The square of the leading digits is exact, so that no rounding of a² is magnified; what is left is small.  The root
    of the exponential comes in twice, after the factor, so that it leaves no digits where the product does not.
    """
    if a >= FAR:
        return 0.0
    near = (a + EXACT_SQUARES) - EXACT_SQUARES
    root = exp(-share * (near * near))
    return factor * exp(-2.0 * share * ((a - near) * (a + near))) * root * root


def _logistic_curvature(factor: float, u: float) -> float:
    """Factor times the second derivative e^−u (e^−u − 1) / (1 + e^−u)³ of 1 / (1 + e^−u), which is odd."""
    a = fabs(u)
    root = exp(-0.5 * a)
    rest = 1.0 + root * root
    value = factor * expm1(-a) / (rest * rest * rest) * root * root
    return value if u > 0.0 else -value
