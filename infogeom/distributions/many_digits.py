"""Values of expressions in many digits, at the observations where float64 overflows or loses digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mpmath
import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Symbol

from infogeom import precision
from infogeom.numeric.float64 import evaluated
from infogeom.numeric.multiprecision import in_mpmath

__all__ = ["in_many_digits"]

Array = NDArray[np.float64]

#: Digits that are worked in.
DIGITS_OF_DENSITY = 50


def in_many_digits(symbols: Sequence[Symbol], expressions: Sequence[Expr]) -> Callable[[Array], Array]:
    """Function of observations (m, d) that gives the values (m, n) of n expressions; nan where they have none."""
    evaluate = in_mpmath(symbols, evaluated(expressions))

    def values_at(point: Array) -> list[float]:
        try:
            return [_real(value) for value in evaluate(*map(mpmath.mpf, point.tolist()))]
        except ZeroDivisionError:
            return [np.nan] * len(expressions)

    def values(points: Array) -> Array:
        different, place = np.unique(points, axis=0, return_inverse=True)
        with precision.digits(DIGITS_OF_DENSITY):
            found = np.array([values_at(point) for point in different], dtype=float)
        return found.reshape(-1, len(expressions))[place.reshape(-1)]

    return values


def _real(value: object) -> float:
    if isinstance(value, mpmath.mpc):
        raise ArithmeticError("the log-density is complex")
    return float(value)  # type: ignore[arg-type]
