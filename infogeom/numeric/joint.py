"""What the several variables of a law are: which are counted, which measured, and all joint outcomes of the former."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Set, Symbol

from infogeom.models.law import Law
from infogeom.numeric.cubature import ends_of
from infogeom.numeric.float64 import in_float64

__all__ = ["Joint", "joint_of"]

Array = NDArray[np.float64]
#: Joint outcomes of discrete variables at most, and beside continuous ones.
MOST_JOINT_OUTCOMES = 200_000
MOST_MIXED_OUTCOMES = 256
#: Continuous variables at most.
MOST_CONTINUOUS = 3


class Joint(NamedTuple):
    """Variables of a law, the discrete ones before the continuous ones.

    Attributes
    ----------
    discrete, continuous : tuple of Symbol
    outcomes : ndarray of float64, shape (D, discrete)
        All values that the discrete variables take together; one row, empty, where there are none.
    intervals : tuple of sympy.Interval
        Of the continuous variables; their ends may depend on all variables before them.
    """

    discrete: tuple[Symbol, ...]
    continuous: tuple[Symbol, ...]
    outcomes: Array
    intervals: tuple[sympy.Interval, ...]

    @property
    def variables(self) -> tuple[Symbol, ...]:
        """All variables, in this order."""
        return self.discrete + self.continuous


def joint_of(law: Law) -> Joint:
    """The variables of a law, whose supports hold no symbols but variables before them.

    Raises
    ------
    ValueError
        For too many outcomes, too many continuous variables, and outcomes that depend on a continuous variable.
    """
    counted = [not isinstance(support, sympy.Interval) for support in law.supports]
    discrete = tuple(x for x, c in zip(law.variables, counted, strict=True) if c)
    continuous = tuple(x for x, c in zip(law.variables, counted, strict=True) if not c)
    if len(continuous) > MOST_CONTINUOUS:
        raise ValueError(f"at most {MOST_CONTINUOUS} continuous variables are integrated over, got {len(continuous)}")
    supports = dict(zip(law.variables, law.supports, strict=True))
    outcomes = _outcomes(discrete, [supports[x] for x in discrete])
    if continuous and len(outcomes) > MOST_MIXED_OUTCOMES:
        raise ValueError(
            f"beside continuous variables at most {MOST_MIXED_OUTCOMES} joint outcomes are summed over, "
            f"got {len(outcomes)}"
        )
    return Joint(discrete, continuous, outcomes, tuple(supports[x] for x in continuous))


def _outcomes(variables: Sequence[Symbol], supports: Sequence[Set]) -> Array:
    """All joint outcomes, a row each, those of a variable growing for each outcome of the variables before it."""
    rows = np.empty((1, 0))
    for k, (variable, support) in enumerate(zip(variables, supports, strict=True)):
        if foreign := support.free_symbols - set(variables[:k]):
            raise ValueError(
                f"the outcomes of {variable} must depend on discrete variables before it alone, got {support}, "
                f"which holds {sorted(map(str, foreign))}"
            )
        first, number = _sizes(variable, support, variables[:k], rows)
        if number.sum() > MOST_JOINT_OUTCOMES:
            raise ValueError(f"at most {MOST_JOINT_OUTCOMES} joint outcomes are summed over, got {number.sum():.0f}")

        # The place of each outcome in its own row of those before.
        start = np.repeat(np.cumsum(number) - number, number)
        place = np.arange(len(start)) - start
        if isinstance(support, sympy.FiniteSet):
            values = np.array(sorted(map(float, support)))[place]
        else:
            values = np.repeat(first, number) + place
        rows = np.column_stack([np.repeat(rows, number, axis=0), values])
    return rows


def _sizes(variable: Symbol, support: Set, before: Sequence[Symbol], rows: Array) -> tuple[Array, NDArray[np.int64]]:
    """First outcome, and how many there are, in each row of outcomes of the variables before."""
    if isinstance(support, sympy.FiniteSet):
        return np.zeros(len(rows)), np.full(len(rows), len(support))
    first, last = ends_of(support)
    if not (first.is_finite is not False and last.is_finite is not False):
        raise ValueError(
            f"one of several discrete variables must have finitely many outcomes, got {support} of {variable}"
        )
    at = [np.zeros(len(rows)), *rows.T]
    low, high = in_float64([sympy.Dummy(), *before], [first, last])(*at)
    return low, np.maximum(high - low + 1, 0).astype(np.int64)
