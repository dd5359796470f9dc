"""Central moments over a table of states, at one point after another.

Sums run in lanes, row s in lane s mod `TABLE_LANES`: so every loop along lanes vectorises and no sum is reassociated.
The functions are plain Python that numba compiles as it stands.
"""

from __future__ import annotations

from math import exp, fabs, sqrt
from typing import Any

from numpy import empty, zeros

__all__ = ["cumulants"]

Array = Any  # float64 arrays; numba infers the rest
#: Rows that are summed side by side.
TABLE_LANES = 128
#: Roundings in a weight, besides those of its exponent.
OF_WEIGHT = 16.0
#: Roundings of a term of the exponent: of the product, and of the sum it goes into.
OF_SUM = 2.0


def cumulants(
    t: Array,
    high: Array,
    low: Array,
    log_error: float,
    unit: float,
    points: Array,
    mean: Array,
    second: Array,
    third: Array,
    mean_error: Array,
    second_error: Array,
    third_error: Array,
) -> None:
    """Fill cumulants of p_s ∝ exp(θ·t_s + high_s + low_s), and bounds on their errors, point by point.

    To first order a cumulant errs by what the relative errors ρ of the weights make of its terms, and a third one by
    what that of the mean adds; by Hölder's inequality the diagonal entries bound the others.

    Parameters
    ----------
    t : ndarray, shape (n, S)
    high, low : ndarray, shape (S,)
        Logarithms of the multiplicities in two parts, right to ``log_error``.
    unit : float
        Error of one rounding.
    points : ndarray, shape (m, n)
    mean, second, third, mean_error, second_error, third_error : ndarray
        Shaped as in `infogeom.kernels.gibbs.cumulants.PointCumulants`.
    """
    n, S = t.shape
    weight, rough = empty(S), empty(S)
    centre, shift, of_squares, of_cubes = empty(n), empty(n), empty(n), empty(n)
    for p in range(len(points)):
        top = weigh(t, high, low, log_error / unit, points[p], weight, rough)
        total, of_weights = first(t, top, weight, rough, centre)
        sums = higher(t, top, weight, rough, centre)
        k = 0
        for i in range(n):
            for j in range(i, n):
                second[i, j, p] = second[j, i, p] = sums[k] / total
                k += 1
                for l in range(j, n):
                    x = sums[k] / total
                    k += 1
                    third[i, j, l, p] = third[i, l, j, p] = third[j, i, l, p] = x
                    third[j, l, i, p] = third[l, i, j, p] = third[l, j, i, p] = x

        # Roundings of all terms of a diagonal entry, with those that all share.
        for i in range(n):
            mean[i, p] = t[i, top] + centre[i]
            of_squares[i] = sums[k] / total + of_weights * second[i, i, p]
            of_cubes[i] = (sums[k + 1] + of_weights * sums[k + 2]) / total
            k += 3
            shift[i] = unit * (sqrt(of_weights * of_squares[i]) + 2.0 * OF_WEIGHT * fabs(centre[i]))
            mean_error[i, p] = shift[i] + unit * OF_WEIGHT * fabs(mean[i, p])
        for i in range(n):
            for j in range(n):
                second_error[i, j, p] = unit * sqrt(of_squares[i] * of_squares[j]) + shift[i] * shift[j]
                for l in range(n):
                    x = unit * (of_cubes[i] * of_cubes[j] * of_cubes[l]) ** (1.0 / 3.0)
                    x += shift[i] * fabs(second[j, l, p]) + shift[j] * fabs(second[i, l, p])
                    third_error[i, j, l, p] = x + shift[l] * fabs(second[i, j, p])


def weigh(t: Array, high: Array, low: Array, of_logs: float, theta: Array, weight: Array, rough: Array) -> int:
    """Weights of all rows relative to the largest, and how many roundings are in each; which row is the largest."""
    n, S = t.shape
    for s in range(S):
        weight[s] = high[s]
    for i in range(n):
        for s in range(S):
            weight[s] += theta[i] * t[i, s]
    top = 0
    for s in range(S):
        if weight[s] > weight[top]:
            top = s

    # Exponents anew from there, where they are small for all rows that count.
    for s in range(S):
        weight[s] = (high[s] - high[top]) + (low[s] - low[top])
        rough[s] = OF_WEIGHT + of_logs + fabs(weight[s])
    for i in range(n):
        for s in range(S):
            x = theta[i] * (t[i, s] - t[i, top])
            weight[s] += x
            rough[s] += OF_SUM * fabs(x)
    for s in range(S):
        weight[s] = exp(weight[s])
    return top


def first(t: Array, top: int, weight: Array, rough: Array, centre: Array) -> tuple[float, float]:
    """Sum of the weights, the mean of ρ, and the mean of t − t_top."""
    n, S = t.shape
    lanes = zeros((n + 2, TABLE_LANES))
    for start in range(0, S, TABLE_LANES):
        width = min(TABLE_LANES, S - start)
        w, r = weight[start : start + width], rough[start : start + width]
        for b in range(width):
            lanes[0, b] += w[b]
            lanes[1, b] += w[b] * r[b]
        for i in range(n):
            row = t[i, start : start + width]
            for b in range(width):
                lanes[i + 2, b] += w[b] * (row[b] - t[i, top])
    sums = folded(lanes)
    for i in range(n):
        centre[i] = sums[i + 2] / sums[0]
    return sums[0], sums[1] / sums[0]


def higher(t: Array, top: int, weight: Array, rough: Array, centre: Array) -> Array:
    """Sums of w c_i c_j, each before those of w c_i c_j c_l, i ≤ j ≤ l; then, by i, of w ρ c², w ρ |c|³, w |c|³."""
    n, S = t.shape
    lanes = zeros((n * (n + 1) // 2 + n * (n + 1) * (n + 2) // 6 + 3 * n, TABLE_LANES))
    c, product = empty((n, TABLE_LANES)), empty(TABLE_LANES)
    for start in range(0, S, TABLE_LANES):
        width = min(TABLE_LANES, S - start)
        w, r = weight[start : start + width], rough[start : start + width]
        for i in range(n):
            row = t[i, start : start + width]
            for b in range(width):
                c[i, b] = (row[b] - t[i, top]) - centre[i]
        k = 0
        for i in range(n):
            for j in range(i, n):
                for b in range(width):
                    product[b] = w[b] * c[i, b] * c[j, b]
                    lanes[k, b] += product[b]
                k += 1
                for l in range(j, n):
                    for b in range(width):
                        lanes[k, b] += product[b] * c[l, b]
                    k += 1
        for i in range(n):
            for b in range(width):
                square = w[b] * c[i, b] * c[i, b]
                cube = square * fabs(c[i, b])
                lanes[k, b] += square * r[b]
                lanes[k + 1, b] += cube * r[b]
                lanes[k + 2, b] += cube
            k += 3
    return folded(lanes)


def folded(lanes: Array) -> Array:
    """The sum over lanes, halves onto halves."""
    K, width = lanes.shape
    while width > 1:
        width //= 2
        for k in range(K):
            for b in range(width):
                lanes[k, b] += lanes[k, b + width]
    return lanes[:, 0]
