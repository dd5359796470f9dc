"""Fisher metrics of normal laws as second derivatives of Kullback and Leibler's divergence, in mpmath."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations_with_replacement, product
from typing import Any

import mpmath
import numpy as np

from tests import reference

#: Digits of a divergence, and those by which a step is below 1: second differences are good to 40.
DIGITS, STEP = 120, 40
#: Digits by which a step of the metric is below 1: its second differences are good to 20.
OUTER_STEP = 10
Law = Callable[..., tuple[Sequence[Any], Sequence[Sequence[Any]]]]


def divergence(one: Any, other: Any) -> Any:
    """KL(one | other) of two normal laws, each a mean and a covariance, up to what is constant."""
    (m, S), (n, T) = one, other
    inverse = T**-1
    away = n - m
    ratio = sum((inverse * S)[i, i] for i in range(S.rows))
    return (ratio + (away.T * inverse * away)[0] + mpmath.log(mpmath.det(T) / mpmath.det(S))) / 2


def metric_of(law: Law) -> Callable[..., list[list[Any]]]:
    """Function of coordinates that gives ∂_a ∂_b KL(x | y) at y = x by central differences."""

    def at(x: Sequence[Any]) -> Any:
        mean, covariance = law(*x)
        return mpmath.matrix(list(mean)), mpmath.matrix([list(row) for row in covariance])

    def g(*x: Any) -> list[list[Any]]:
        n = len(x)
        with mpmath.workdps(DIGITS):
            h, here = mpmath.mpf(10) ** -STEP, at(x)

            def moved(*moves: tuple[int, int]) -> Any:
                y = list(x)
                for k, m in moves:
                    y[k] += m * h
                return divergence(here, at(y))

            found = [[mpmath.mpf(0)] * n for _ in range(n)]
            for a, b in combinations_with_replacement(range(n), 2):
                same, across = moved((a, 1), (b, 1)), moved((a, 1), (b, -1))
                back, beyond = moved((a, -1), (b, 1)), moved((a, -1), (b, -1))
                found[a][b] = found[b][a] = (same - across - back + beyond) / (4 * h * h)
            return found

    return g


def metric_and_scalar(law: Law, point: Sequence[float]) -> tuple[Any, float]:
    """The metric and R at a point, in float64, by central differences of the metric."""
    n, g = len(point), metric_of(law)
    with mpmath.workdps(DIGITS):
        h = mpmath.mpf(10) ** -OUTER_STEP

        @cache
        def at(*moves: int) -> Any:
            return np.array(g(*(mpmath.mpf(x) + m * h for x, m in zip(point, moves, strict=True))), dtype=object)

        one = np.eye(n, dtype=int)
        dg, ddg = np.empty((n,) * 3, dtype=object), np.empty((n,) * 4, dtype=object)
        for k, l in product(range(n), repeat=2):
            dg[..., k] = (at(*one[k]) - at(*-one[k])) / (2 * h)
            same, across = at(*(one[k] + one[l])), at(*(one[k] - one[l]))
            ddg[..., k, l] = (same - across - at(*(one[l] - one[k])) + at(*(-one[k] - one[l]))) / (4 * h * h)
        jet = reference.Jet(at(*(0 * one[0])), dg, ddg)
        return jet.g.astype(float), float(reference.curvature(jet).scalar)
