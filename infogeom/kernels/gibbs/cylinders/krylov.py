"""Lanczos's iteration for symmetric matrices that are only applied: the largest eigenvalue, and equations below it.

With all vectors kept and made orthogonal twice, which costs little where an application costs much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal

__all__ = ["Solution", "largest", "solve"]

Array = NDArray[Any]
#: Iterations at most, and between two looks at what was reached.
MOST_STEPS = 400
LOOK = 4
#: Residual at which an iteration is over, in terms of what it is of.
ENOUGH = 2.0**-53
#: Distance from 1 that no eigenvalue of A is taken to fall below, the rounding of both.
ONE_TO_ROUNDING = 2.0**-52


class Solution(NamedTuple):
    """A vector x with (1 - A) x = b, the distance from 1 to the largest eigenvalue of A, and the residual's norm."""

    x: Array
    gap: float
    residual: float


def largest(apply: Callable[[Array], Array], start: Array) -> Array:
    """Normalised vector of the largest eigenvalue that ``start`` has a part in."""
    found = start
    for Q, diagonal, beside in _lanczos(apply, start):
        values, vectors = eigh_tridiagonal(diagonal, beside[:-1])
        found = vectors[:, -1] @ Q
        if beside[-1] * abs(vectors[-1, -1]) <= ENOUGH * values[-1]:
            break
    normalised: Array = found / np.linalg.norm(found)
    return normalised


def solve(apply: Callable[[Array], Array], b: Array) -> tuple[Array, float]:
    """Solution of (1 - A) x = b, and the distance from 1 to the largest eigenvalue of A that b has a part in."""
    size = np.linalg.norm(b)
    x, gap = np.zeros_like(b), 1.0
    if size == 0:
        return x, gap
    for Q, diagonal, beside in _lanczos(apply, b):
        values, vectors = eigh_tridiagonal(diagonal, beside[:-1])
        distances = np.maximum(1 - values, ONE_TO_ROUNDING)
        coefficients = vectors @ (vectors[0] / distances) * size
        x, gap = coefficients @ Q, float(distances[-1])
        if abs(beside[-1] * coefficients[-1]) <= ENOUGH * np.linalg.norm(coefficients):
            break
    return x, gap


def _lanczos(apply: Callable[[Array], Array], start: Array) -> Iterator[tuple[Array, Array, Array]]:
    """Vectors, diagonal and what is beside it, its last number that to the next vector, now and then."""
    Q = np.empty((MOST_STEPS, start.size))
    diagonal, beside = np.empty(MOST_STEPS), np.empty(MOST_STEPS)
    Q[0] = start / np.linalg.norm(start)
    for k in range(min(MOST_STEPS, start.size)):
        image = apply(Q[k])
        diagonal[k] = Q[k] @ image
        for _ in range(2):
            image -= (Q[: k + 1] @ image) @ Q[: k + 1]
        beside[k] = np.linalg.norm(image)
        last = k + 1 == min(MOST_STEPS, start.size) or beside[k] <= ENOUGH * np.abs(diagonal[: k + 1]).max()
        if last or k % LOOK == LOOK - 1:
            yield Q[: k + 1], diagonal[: k + 1], beside[: k + 1]
        if last:
            return
        Q[k + 1] = image / beside[k]
