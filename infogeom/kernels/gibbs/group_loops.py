"""Central moments over a table of states whose rows share values, by groups of rows.

Rows that agree in all statistics but the first are a group. What is known of the first one in each group, its mean and
its cumulants there, is the same at all points that agree in the first parameter; from there a point takes as many terms
as there are groups, by the law of total cumulance.  The functions are plain Python that numba compiles as it stands.
"""

from __future__ import annotations

from math import fabs
from typing import Any

from numpy import empty, zeros

from infogeom.kernels.gibbs.table_loops import OF_WEIGHT, first, moments, weigh

__all__ = ["grouped"]

Array = Any  # float64 arrays; numba infers the rest
#: Roundings in the mean of a group as seen from the heaviest row, and in its product with others.
OF_MEAN = 4.0


def grouped(
    t: Array,
    high: Array,
    low: Array,
    log_error: float,
    unit: float,
    starts: Array,
    points: Array,
    mean: Array,
    second: Array,
    third: Array,
    mean_error: Array,
    second_error: Array,
    third_error: Array,
) -> None:
    """Fill cumulants and bounds on their errors as `infogeom.kernels.gibbs.table_loops.cumulants` does.

    Parameters
    ----------
    t, high, low, log_error, unit, points, mean, second, third, mean_error, second_error, third_error
        As there; the rows of a group stand together.
    starts : ndarray of int64, shape (G + 1,)
        First row of each group, and the number of rows.
    """
    n, G = len(t), len(starts) - 1
    weights, roughs = empty(t.shape[1]), empty(t.shape[1])
    total, of_total, weight, rough = empty(G), empty(G), empty(G), empty(G)
    rows, logs, x, lost, centre, shift = empty((n, G)), empty((2, G)), empty((n, G)), zeros((n, G)), empty(n), empty(n)
    inner, of_inner = empty((G, 1)), empty((G, 1))
    v, s, of_v, of_s = empty((G, 1, 1)), empty((G, 1, 1, 1)), empty((G, 1, 1)), empty((G, 1, 1, 1))
    for p in range(len(points)):
        if p == 0 or points[p, 0] != points[p - 1, 0]:
            for a in range(G):
                k = slice(starts[a], starts[a + 1])
                values, errors = (v[a], s[a]), (of_v[a], of_s[a])
                top, total[a], of_total[a] = moments(
                    t[:1, k], high[k], low[k], log_error, unit, points[p, :1],
                    weights[k], roughs[k], inner[a], of_inner[a], values, errors,
                )  # fmt: skip
                top += starts[a]
                rows[:, a] = t[:, top]
                logs[0, a], logs[1, a] = high[top], low[top]

        # Groups by their heaviest rows, and the first statistic by its means, as seen from the heaviest of all.
        top = weigh(rows, logs[0], logs[1], log_error / unit, points[p], weight, rough)
        for a in range(G):
            weight[a] *= total[a]
            rough[a] += of_total[a]
            for i in range(n):
                x[i, a] = rows[i, a] - rows[i, top]
            x[0, a] += inner[a, 0]
            lost[0, a] = of_inner[a, 0] + unit * OF_MEAN * fabs(x[0, a])
        everything, of_weights = first(x, top, weight, rough, centre)
        for a in range(G):
            weight[a] /= everything
            rough[a] = unit * (rough[a] + of_weights)

        for i in range(n):
            origin, shift[i] = x[i, top], unit * OF_MEAN * fabs(centre[i])
            mean[i, p] = rows[i, top] + (origin + centre[i])
            for a in range(G):
                x[i, a] = (x[i, a] - origin) - centre[i]
                shift[i] += weight[a] * (rough[a] * fabs(x[i, a]) + lost[i, a])
            mean_error[i, p] = shift[i] + unit * OF_WEIGHT * fabs(mean[i, p])
        squares(weight, rough, x, lost, v, of_v, shift, second[:, :, p], second_error[:, :, p])
        cubes(weight, rough, x, lost, v, of_v, s, of_s, third[:, :, :, p], third_error[:, :, :, p])
        for i in range(n):
            for j in range(n):
                for l in range(n):
                    moved = shift[i] * fabs(second[j, l, p]) + shift[j] * fabs(second[i, l, p])
                    third_error[i, j, l, p] += moved + shift[l] * fabs(second[i, j, p])


def squares(
    weight: Array, rough: Array, c: Array, lost: Array, v: Array, of_v: Array, shift: Array, second: Array, error: Array
) -> None:
    """Second cumulants, of centred c and the variances v of the first statistic in each group."""
    n, G = c.shape
    for i in range(n):
        for j in range(i, n):
            value, off = 0.0, shift[i] * shift[j]
            for a in range(G):
                term = c[i, a] * c[j, a]
                size = fabs(term)
                left = fabs(c[i, a]) * lost[j, a] + fabs(c[j, a]) * lost[i, a]
                if j == 0:
                    term += v[a, 0, 0]
                    size += v[a, 0, 0]
                    left += of_v[a, 0, 0]
                value += weight[a] * term
                off += weight[a] * (rough[a] * size + left)
            second[i, j] = second[j, i] = value
            error[i, j] = error[j, i] = off


def cubes(
    weight: Array,
    rough: Array,
    c: Array,
    lost: Array,
    v: Array,
    of_v: Array,
    s: Array,
    of_s: Array,
    third: Array,
    error: Array,
) -> None:
    """Third cumulants, with the third ones s of the first statistic in each group; errors but for that of the mean."""
    n, G = c.shape
    for i in range(n):
        for j in range(i, n):
            for l in range(j, n):
                value = off = 0.0
                pairs = 0.0 if j > 0 else 1.0 if l > 0 else 3.0
                for a in range(G):
                    square, z = c[i, a] * c[j, a], c[l, a]
                    term = square * z
                    size = fabs(term)
                    left = fabs(square) * lost[l, a]
                    left += (fabs(c[i, a]) * lost[j, a] + fabs(c[j, a]) * lost[i, a]) * fabs(z)
                    if j == 0:
                        term += pairs * v[a, 0, 0] * z
                        size += pairs * v[a, 0, 0] * fabs(z)
                        left += pairs * (of_v[a, 0, 0] * fabs(z) + v[a, 0, 0] * lost[l, a])
                    if l == 0:
                        term += s[a, 0, 0, 0]
                        size += fabs(s[a, 0, 0, 0])
                        left += of_s[a, 0, 0, 0]
                    value += weight[a] * term
                    off += weight[a] * (rough[a] * size + left)
                third[i, j, l] = third[i, l, j] = third[j, i, l] = value
                third[j, l, i] = third[l, i, j] = third[l, j, i] = value
                error[i, j, l] = error[i, l, j] = error[j, i, l] = off
                error[j, l, i] = error[l, i, j] = error[l, j, i] = off
