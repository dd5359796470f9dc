"""Conditions and cases in ball arithmetic: what balls that straddle a border leave open is the union of both cases.

A condition is True, False, or None where the balls do not tell; more bits may.  This module needs nothing but
python-flint: worker processes import it.
"""

from __future__ import annotations

from flint import arb

__all__ = ["at_most", "both", "choose", "either", "equal", "less", "unequal"]

Real = arb | int | float
Truth = bool | None


def less(a: Real, b: Real) -> Truth:
    """Whether a < b."""
    a, b = arb(a), arb(b)
    if a < b:
        return True
    return False if a >= b else None


def at_most(a: Real, b: Real) -> Truth:
    """Whether a ≤ b."""
    return opposite(less(b, a))


def equal(a: Real, b: Real) -> Truth:
    """Whether a = b."""
    a, b = arb(a), arb(b)
    if a == b:
        return True
    return None if a.overlaps(b) else False


def unequal(a: Real, b: Real) -> Truth:
    """Whether a ≠ b."""
    return opposite(equal(a, b))


def opposite(truth: Truth) -> Truth:
    """The negation."""
    return None if truth is None else not truth


def both(one: Truth, other: Truth) -> Truth:
    """Whether two conditions hold."""
    if one is False or other is False:
        return False
    return True if one and other else None


def either(one: Truth, other: Truth) -> Truth:
    """Whether one of two conditions holds."""
    return opposite(both(opposite(one), opposite(other)))


def choose(truth: Truth, value: Real, otherwise: Real | None = None) -> arb:
    """A value where a condition holds, another where it does not; nan where there is none."""
    other = arb.nan() if otherwise is None else arb(otherwise)
    if truth is None:
        return arb(value).union(other)
    return arb(value) if truth else other
