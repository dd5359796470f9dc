"""What balls are worth in float64: rounded, with the error of that, and how many bits they lack to be told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from infogeom.kernels.curvature.loops import TINY

__all__ = ["MOST_BITS", "NULL", "NULL_OF_LOGARITHM", "described", "error_of", "lacking", "rounded"]

Array = NDArray[np.float64]
Objects = NDArray[Any]  # of balls

#: Bits of a ball, at most.
MOST_BITS = 2**17
#: Relative bits to which a result is wanted: float64 and a few more.
WANTED = 60
#: R is null where it is below 1, and the terms that cancel in it, by this many bits.
NULL = 256
#: By how many where its logarithm or its sign is asked for.
NULL_OF_LOGARITHM = 2**13
#: Binary exponent of what rounds to 0 in float64.
FAINTEST = -1080
#: What stands for the binary exponent of 0, in either direction.
ENDLESS = 2**62


def rounded(ball: arb) -> float:
    """The midpoint, 0 for what cannot be told from it, nan for what is not finite or beyond float64."""
    if not ball.is_finite():
        return np.nan
    value = 0.0 if ball.contains(0) else float(ball.mid())
    return value if np.isfinite(value) else np.nan


def error_of(ball: arb, value: float) -> float:
    """Bound on the error of a ball rounded to a float64 number."""
    if np.isnan(value):
        return np.nan
    if ball == 0 and value == 0:
        return 0.0
    return float(abs(ball - arb(value)).upper()) * (1 + 2.0**-52) + TINY


def described(R: arb) -> dict[str, Array]:
    """The sign of R and the logarithm of its size."""
    sign = 1.0 if R > 0 else -1.0 if R < 0 else 0.0
    size = float((abs(R.mid()).log() / arb(10).log()).mid()) if sign else -np.inf
    return {"ricci_scalar_sign": np.array(sign), "log10_ricci_scalar": np.array(size)}


def lacking(name: str, tensor: Objects, size: arb, bits: int, null: int) -> int:
    """How many bits a tensor lacks to be good to `WANTED` bits, or null beside what cancels in it; 0 where it is.

    Parameters
    ----------
    name : str
        Of the quantity.
    tensor : ndarray of arb
    size : arb
        Of R, the sum of the magnitudes of its terms; 0 where R is in closed form.
    bits : int
        In which the tensor was found.
    null : int
        `NULL` or `NULL_OF_LOGARITHM`.
    """
    missing = 0
    floor = _floor(name, tensor, size, bits, null)
    for ball in _inexact(tensor, -ENDLESS if null == NULL_OF_LOGARITHM else FAINTEST):
        missing = max(missing, _exponent(ball.rad()) + WANTED - max(_exponent(ball), floor))
    if name == "ricci_scalar" and size.is_zero():  # how small it may be beside its terms is not known
        missing = min(missing, bits)
    return missing + 8 if missing > 0 else 0


def _inexact(tensor: Objects, least: int) -> Iterator[arb]:
    """Entries that are known but roughly, and may be larger than an exponent tells."""
    for ball in tensor.flat:
        if not ball.is_exact() and _exponent(abs(ball).upper()) > least:
            yield ball


def _floor(name: str, tensor: Objects, size: arb, bits: int, null: int) -> int:
    """Exponent below which an entry is 0: relative to the terms of R, or to the largest of the other entries."""
    if name == "ricci_scalar":
        return min(_exponent(size), 0) - null
    if all(ball.contains(0) for ball in tensor.flat):
        return -NULL if bits > 2 * NULL else -MOST_BITS  # that so many bits cancel is no accident
    return min(max(_exponent(ball) for ball in tensor.flat), 0) - NULL


def _exponent(x: arb) -> int:
    """The e of the exact number x with 2ᵉ⁻¹ ≤ |x| < 2ᵉ, far below all where it is 0."""
    if not x.is_finite():
        return ENDLESS
    mantissa, exponent = x.mid().man_exp()
    return int(mantissa).bit_length() + int(exponent) if mantissa else -ENDLESS
