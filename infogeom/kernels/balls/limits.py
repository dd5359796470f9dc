"""The limit of what has no value at a point, 0/0: points beside it, and what the values there approach."""

from __future__ import annotations

from collections.abc import Sequence

from flint import arb

__all__ = ["APPROACHES", "approached", "displaced"]

#: How near those points lie along coordinates in turn, in bits by the size of each coordinate or 1: in proportions that
#: tell a limit from what depends on the direction.
APPROACHES = ((400, 800), (800, 400), (600, 600), (1200, 400), (400, 1200))
#: How well their values must agree, in bits.
AGREED = 80


def displaced(x: Sequence[arb], k: int) -> list[arb]:
    """A point beside x, each k in another direction and at another distance."""
    moved = []
    for i, c in enumerate(x):
        step = arb(1 + (i * (k + 2)) % 5) * (-1) ** (i * k + k) * arb(2) ** -APPROACHES[k][i % 2]
        moved.append(c + step * abs(c).max(1))
    return moved


def approached(values: Sequence[arb]) -> arb:
    """What values at different distances approach; nan where they approach nothing."""
    if not all(value.is_finite() for value in values):
        return arb.nan()
    hull = values[0]
    for value in values[1:]:
        hull = hull.union(value)
    return hull if hull.rad() < abs(hull).upper().max(1) * arb(2) ** -AGREED else arb.nan()
