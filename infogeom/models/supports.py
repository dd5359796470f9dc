"""Which observations lie in the support of a law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Set, Symbol

__all__ = ["within"]

Array = NDArray[np.float64]


def within(support: Set, before: Sequence[Symbol], columns: Sequence[Array]) -> NDArray[np.bool_]:
    """Where the last column lies in its support, which may depend on the columns before it.

    Parameters
    ----------
    support : sympy.Set
        An Interval, a FiniteSet or integers, without parameters.
    before : sequence of Symbol
        What the columns before the last are called.
    columns : sequence of ndarray of float64
        All of one shape.
    """
    x = columns[-1]
    if isinstance(support, sympy.FiniteSet):
        return np.asarray(np.isin(x, [float(value) for value in support]))
    if not isinstance(support, sympy.Interval):
        first, last = _outermost(support)
        low, high = _end(first, before, columns), _end(last, before, columns)
        return np.asarray((x == np.floor(x)) & (x >= low) & (x <= high))
    low, high = _end(support.start, before, columns), _end(support.end, before, columns)
    above = x > low if support.left_open else x >= low
    below = x < high if support.right_open else x <= high
    return np.asarray(above & below)


def _outermost(support: Set) -> tuple[Expr, Expr]:
    """Ends of integers, which a Range whose ends are symbols does not tell as other sets do."""
    if isinstance(support, sympy.Range):
        return support.start, support.stop - support.step
    return support.inf, support.sup


def _end(e: Expr, before: Sequence[Symbol], columns: Sequence[Array]) -> Any:
    if not e.free_symbols:
        return float(e)
    return sympy.lambdify(before, e, "numpy", dummify=True)(*columns[:-1])
