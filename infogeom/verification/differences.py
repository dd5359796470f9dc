"""A metric's jet by central differences of its matrix in many digits: no derivative is taken of any formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import combinations
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from infogeom import precision
from infogeom.kernels.curvature.jet import Jet
from infogeom.numeric.multiprecision import in_mpmath
from infogeom.symbolic.metric_value import Metric

__all__ = ["MATRIX_DIGITS", "central_differences", "evaluations", "jet_of_moves"]

Array = NDArray[Any]
Point = tuple[float, ...]

#: Digits of the matrix, half of which differences keep.
MATRIX_DIGITS = 200
#: Digits by which a step is below its coordinate, or below 1.
STEP_DIGITS = 50


def evaluations(metric: Metric) -> int:
    """How often the matrix, or its integrand, is evaluated for the jet at a point."""
    n = len(metric.coordinates)
    return (1 + 2 * n**2) * len(metric.samples or [0])


def central_differences(metric: Metric) -> Callable[[Point, int], Jet]:
    """Function from a point, and a factor of the steps, to the jet, of second order in the steps."""
    g = _matrix(metric)

    def jet(point: Point, factor: int = 1) -> Jet:
        def moved(moves: tuple[int, ...]) -> Array:
            return g([x + m * h for x, m, h in zip(point, moves, steps, strict=True)])

        with precision.digits(MATRIX_DIGITS):
            steps = [factor * mpmath.mpf(10) ** -STEP_DIGITS * (abs(mpmath.mpf(x)) or 1) for x in point]
            return jet_of_moves(moved, steps)

    return jet


def _matrix(metric: Metric) -> Callable[[Sequence[Any]], Array]:
    """Function from coordinates to the matrix, a weighted mean where there are samples."""
    n, samples = len(metric.coordinates), metric.samples
    symbols = samples.symbols if samples else ()
    integrand = in_mpmath([*metric.coordinates, *symbols], list(metric.matrix))
    data = samples.data.tolist() if samples else [[]]
    rows = [list(map(mpmath.mpf, row)) for row in data]
    weights = samples.exact_weights if samples else [1]

    def g(x: Sequence[Any]) -> Array:
        at_x = partial(integrand, *x)
        terms = [at_x(*row) for row in rows]
        columns = zip(*terms, strict=True)
        return np.array([mpmath.fdot(weights, column) for column in columns], dtype=object).reshape(n, n)

    return g


def jet_of_moves(moved: Callable[[tuple[int, ...]], Array], steps: Sequence[Any]) -> Jet:
    """Jet of a function of numbers of steps along each coordinate."""
    n = len(steps)
    g = cache(moved)
    one = np.eye(n, dtype=int)

    def at(move: NDArray[np.int_]) -> Array:
        return g(tuple(move.tolist()))

    middle = at(0 * one[0])
    dg, ddg = np.empty((n,) * 3, dtype=object), np.empty((n,) * 4, dtype=object)
    for k, h in enumerate(steps):
        ahead, behind = at(one[k]), at(-one[k])
        dg[..., k] = (ahead - behind) / (2 * h)
        ddg[..., k, k] = (ahead - 2 * middle + behind) / h**2
    for k, m in combinations(range(n), 2):
        along, across = one[k] + one[m], one[k] - one[m]
        twisted = at(along) - at(across) - at(-across) + at(-along)
        ddg[..., k, m] = ddg[..., m, k] = twisted / (4 * steps[k] * steps[m])
    return Jet(middle, dg, ddg)
