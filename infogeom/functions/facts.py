"""What whoever evaluates a function has to know of it: how sources call it, its accuracy, its growth, where it exists.

A function is written once in each arithmetic, under one name: as compiled float64 in
`infogeom.kernels.compiled.library`, as balls in `infogeom.kernels.balls.ball_functions`; arrays take the compiled one,
unless SciPy has it, and mpmath what SymPy's ``evalf`` makes of it. Which of these there are, and all that rounding,
underflow and refinement ask, stands here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any

__all__ = ["ELEMENTARY", "POLYLOG_ORDERS", "Arithmetic", "Facts", "Growth"]

#: Roundings to which the functions of the mathematical library are good.
ELEMENTARY = 4
#: Roundings to which functions are good that do not say otherwise.
UNSTATED = 16
#: Within the domain of almost all functions.
INSIDE = ((0.1, 0.9),)
#: Least and largest order of polylogarithms.
POLYLOG_ORDERS = (-7, 30)


class Arithmetic(Enum):
    """What a function may be evaluated in."""

    #: Compiled kernels.
    FLOAT64 = "float64"
    #: Long programs, which run line by line on arrays.
    ARRAYS = "arrays"
    MPMATH = "mpmath"
    #: Enclosures of rising precision.
    BALLS = "balls"


class Growth(Enum):
    """How large a function of real arguments becomes, beside them and beside 1; so its slope is, too."""

    #: Nowhere more than 1.
    BOUNDED = "bounded"
    #: No more than the arguments, or than 1, but for a constant.
    SLOW = "slow"
    #: Any, but its slope is no larger than itself, or than 1.
    SMOOTH = "smooth"
    ANY = "any"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Facts of one function.

    Attributes
    ----------
    name : str
        What it is called in the sources of kernels, and where it is implemented; empty where it is nowhere.
    roundings : int
        Relative error of the float64 version in units of 2⁻⁵⁷: of functions that err as one at neighbouring arguments
        three fifths of the worst that balls found.
    growth : Growth
    exponential : bool
        Whether |u f′(u)| ≤ |u| |f(u)|: an error of the argument is a relative one of the value.
    saturating : bool
        Whether the function, its reciprocal or a ratio comes closer to a constant than any number of bits tells.
    slow_in_balls : bool
        Whether balls of thousands of bits take seconds.
    orders : int
        How many of the first arguments are integers that sources hold as they are.
    halves : bool
        Whether these may be odd multiples of ½ as well; sources hold them as float64.
    limits : tuple of float
        The least and the largest of these.
    lacks : frozenset of Arithmetic
        In which it does not exist.
    typical : tuple of (float, float)
        An interval for each argument, in which every arithmetic must give the same.
    """

    name: str
    roundings: int = UNSTATED
    growth: Growth = Growth.ANY
    exponential: bool = False
    saturating: bool = False
    slow_in_balls: bool = False
    orders: int = 0
    halves: bool = False
    limits: tuple[float, float] = (-math.inf, math.inf)
    lacks: frozenset[Arithmetic] = frozenset()
    typical: tuple[tuple[float, float], ...] = INSIDE

    def exists_in(self, arithmetic: Arithmetic) -> bool:
        """Whether there is such a version."""
        return bool(self.name) and arithmetic not in self.lacks

    def admits(self, order: Any) -> bool:
        """Whether an expression is an order that sources can hold."""
        whole = 2 * order if self.halves else order
        least, largest = self.limits
        return bool(whole.is_Integer and least <= order <= largest)
