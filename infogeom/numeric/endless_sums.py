"""Sums over outcomes without end: the first one by one, then an integral with what Euler and Maclaurin add to it.

Of an f that is smooth at the distance of neighbours, Σ f(x) over x > L is the integral from L + ½ on and differences
of f at the last outcomes up to L, with the coefficients of (1 − z)^−½/(−log(1 − z)) − 1/z, z being the backward
difference.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import comb

import numpy as np
from numpy.typing import NDArray

__all__ = ["doubtful_share", "head_factors"]

Array = NDArray[np.float64]
#: At how many of the last of the first outcomes f is looked at: from 8 on some would count less than nothing.
LOOKED_AT_LAST = 6
#: At how many fewer, for comparison.
FEWER = 2


@cache
def _differences(order: int) -> list[Fraction]:
    """Coefficients of z^0 … z^(order − 1)."""
    root, quotient = Fraction(1), [Fraction(1)]
    for n in range(1, order + 1):
        root *= Fraction(2 * n - 1, 2 * n)
        earlier = sum(quotient[n - k] / (k + 1) for k in range(1, n + 1))
        quotient.append(root - earlier)
    return quotient[1:]


def _at_last(order: int) -> Array:
    """What each of the last outcomes counts besides, the last one first."""
    coefficients = _differences(order)
    found = [sum(c * (-1) ** k * comb(j, k) for j, c in enumerate(coefficients)) for k in range(order)]
    return np.array(found, dtype=float)


@cache
def head_factors(number: int) -> Array:
    """How much each of so many first outcomes counts, all of them positive; `LOOKED_AT_LAST` of them at least."""
    factors = np.ones(number)
    factors[-LOOKED_AT_LAST:] += _at_last(LOOKED_AT_LAST)[::-1]
    return factors


@cache
def doubtful_share(number: int) -> Array:
    """What share of each is in doubt: the difference from a rule that looks at fewer outcomes."""
    other = np.ones(number)
    other[FEWER - LOOKED_AT_LAST :] += _at_last(LOOKED_AT_LAST - FEWER)[::-1]
    return 1 - other / head_factors(number)
