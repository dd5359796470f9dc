"""Loops over the points of one tile: numbers to their places, and what is seen of each point, into its status.

Plain Python that numba compiles as it stands; the values of ``status`` are those of `infogeom.kernels.status.Status`.
"""

from __future__ import annotations

from math import inf, nan
from typing import Any

from numpy import empty

__all__ = ["see_doubt", "see_singular", "store", "store_error"]

Array = Any  # float64 arrays whose last two axes are the outer and inner points; numba infers the rest


def see_singular(pivot: Array, least: float, status: Array) -> bool:
    """Whether the metric is positive at all points of a tile; there a null direction makes status 0 a 2.

    ``pivot`` is the least of the factor, in units of its diagonal entry; one up to ``least`` means a null direction.
    """
    P, V = status.shape
    positive = True
    for p in range(P):
        for v in range(V):
            if not pivot[p, v] > least:
                if not pivot[p, v] >= -least:
                    positive = False
                elif status[p, v] == 0:
                    status[p, v] = 2
    return positive


def see_doubt(doubt: Array, rtol: float, unknown: int, status: Array) -> None:
    """Status 0 becomes 5 where the relative error exceeds ``rtol``, ``unknown`` where there is none."""
    P, V = status.shape
    for p in range(P):
        for v in range(V):
            if not doubt[p, v] <= rtol and status[p, v] == 0:
                status[p, v] = 5 if doubt[p, v] > rtol else unknown


def store(values: Array, at: Array, out: Array, p0: int, v0: int, known: Array, most: int, status: Array) -> None:
    """Store components ``values[at]`` of a tile in ``out`` from (p0, v0) on; nan where ``known`` exceeds ``most``.

    A value that is not finite where it should be makes the status 4.
    """
    P, V = status.shape
    lost = empty(V)
    for p in range(P):
        lost[:] = 0.0
        for c in range(at.shape[0]):
            row, target = values[at[c], p], out[c, p0 + p]
            for v in range(V):
                target[v0 + v] = row[v]
                lost[v] += row[v] * 0.0
        for v in range(V):
            if known[p, v] > most or lost[v] != 0.0:
                for c in range(at.shape[0]):
                    out[c, p0 + p, v0 + v] = nan
                if known[p, v] <= most:
                    status[p, v] = 4


def store_error(values: Array, at: Array, out: Array, p0: int, v0: int, status: Array, least: float) -> None:
    """Store bounds ``values[at]`` of a tile, no less than the least, in ``out`` from (p0, v0) on.

    A bound that is negative or nan is none, nor is there one where a point is singular or beyond float64.
    """
    P, V = status.shape
    for p in range(P):
        for c in range(at.shape[0]):
            row, target = values[at[c], p], out[c, p0 + p]
            for v in range(V):
                bound = max(row[v], least) if row[v] >= 0.0 else inf
                target[v0 + v] = bound if status[p, v] == 0 else nan if status[p, v] == 3 else inf
