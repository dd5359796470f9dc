"""Central moments over a table of states, at one point after another.

Sums run in lanes, row s in lane s mod `TABLE_LANES`: so every loop along lanes vectorises and no sum is reassociated.
The functions are plain Python that numba compiles as it stands.
"""

from __future__ import annotations

from math import exp, fabs, inf, nan, sqrt
from typing import Any

from numpy import empty, zeros

__all__ = ["OF_WEIGHT", "cumulants", "first", "moments", "scalars", "weigh"]

Array = Any  # float64 arrays; numba infers the rest
#: Rows that are summed side by side.
TABLE_LANES = 128
#: Roundings in a weight, besides those of its exponent.
OF_WEIGHT = 16.0
#: Roundings of a term of an exponent: of the difference of statistics, or of θ in their units, and of the product.
OF_TERM = 2.0


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
    weight, rough, centre, shift = empty(S), empty(S), empty(n), empty(n)
    for p in range(len(points)):
        values = second[:, :, p], third[:, :, :, p]
        errors = second_error[:, :, p], third_error[:, :, :, p]
        top = moments(t, high, low, log_error, unit, points[p], weight, rough, centre, shift, values, errors)[0]
        for i in range(n):
            mean[i, p] = t[i, top] + centre[i]
            mean_error[i, p] = shift[i] + unit * OF_WEIGHT * fabs(mean[i, p])


def moments(
    t: Array,
    high: Array,
    low: Array,
    log_error: float,
    unit: float,
    theta: Array,
    weight: Array,
    rough: Array,
    centre: Array,
    shift: Array,
    values: tuple[Array, Array],
    errors: tuple[Array, Array],
) -> tuple[int, float, float]:
    """Fill the mean of t − t_top, second and third cumulants at one point, and bounds on the errors of all three.

    Which row is the heaviest comes back, the sum of all weights relative to its own, and the mean of ρ.
    """
    n = len(t)
    second, third = values
    second_error, third_error = errors
    top = weigh(t, high, low, log_error / unit, theta, weight, rough)
    total, of_weights = first(t, top, weight, rough, centre)
    sums = higher(t, top, weight, rough, centre)
    unpacked(sums, total, second, third)

    # Roundings of all terms of a diagonal entry, with those that all share.
    of_squares, of_cubes = empty(n), empty(n)
    k = n * (n + 1) // 2 + n * (n + 1) * (n + 2) // 6
    for i in range(n):
        of_squares[i] = sums[k] / total + of_weights * second[i, i]
        of_cubes[i] = (sums[k + 1] + of_weights * sums[k + 2]) / total
        k += 3
        shift[i] = unit * (sqrt(of_weights * of_squares[i]) + 2.0 * OF_WEIGHT * fabs(centre[i]))
    for i in range(n):
        for j in range(n):
            second_error[i, j] = unit * sqrt(of_squares[i] * of_squares[j]) + shift[i] * shift[j]
            for l in range(n):
                x = unit * (of_cubes[i] * of_cubes[j] * of_cubes[l]) ** (1.0 / 3.0)
                x += shift[i] * fabs(second[j, l]) + shift[j] * fabs(second[i, l])
                third_error[i, j, l] = x + shift[l] * fabs(second[i, j])
    return top, total, of_weights


def scalars(
    t: Array, high: Array, low: Array, log_error: float, unit: float, points: Array, R: Array, error: Array
) -> None:
    """Fill R = ¼ (‖T‖² − ‖tr T‖²) at every point, and a bound on its error, infinite where g is singular in float64.

    T is the third cumulant in an orthonormal frame. Statistics are summed in that of the second cumulants found before,
    so that nearly dependent ones lose no digits, and what these err by is seen and taken off.
    """
    n, S = t.shape
    weight, rough, centre = empty(S), empty(S), empty(n)
    second, third = empty((n, n)), empty((n, n, n))
    for p in range(len(points)):
        R[p], error[p] = nan, inf
        top = weigh(t, high, low, log_error / unit, points[p], weight, rough)
        total, of_weights = first(t, top, weight, rough, centre)
        sums = higher(t, top, weight, rough, centre)
        unpacked(sums, total, second, third)
        W = whitening(second)
        if not W[0, 0] > 0.0:
            continue

        # Raw moments in the frame; then the cumulants, in a frame in which they are orthonormal indeed.
        sums = framed(t, top, weight, rough, centre, W)
        unpacked(sums, total, second, third)
        k = n * (n + 1) // 2 + n * (n + 1) * (n + 2) // 6
        mean = sums[k : k + n] / total
        for i in range(n):
            for j in range(n):
                for l in range(n):
                    third[i, j, l] -= mean[i] * second[j, l] + mean[j] * second[i, l] + mean[l] * second[i, j]
                    third[i, j, l] += 2.0 * mean[i] * mean[j] * mean[l]
        for i in range(n):
            for j in range(n):
                second[i, j] -= mean[i] * mean[j]
        again = whitening(second)
        if not again[0, 0] > 0.0:
            continue
        norm = of_trace = 0.0
        trace = zeros(n)
        for a in range(n):
            for b in range(n):
                for c in range(n):
                    T = 0.0
                    for i in range(a + 1):
                        for j in range(b + 1):
                            for l in range(c + 1):
                                T += again[a, i] * again[b, j] * again[c, l] * third[i, j, l]
                    norm += T * T
                    if a == b:
                        trace[c] += T
        for c in range(n):
            of_trace += trace[c] * trace[c]
        R[p] = (norm - of_trace) / 4.0

        # Errors of weights, of statistics in the frame and of the mean, by mean lengths; then of the frame; then of R.
        k += n
        length2, rough1, rough2, rough3, length3, lost0, lost1, lost2 = sums[k : k + 8] / total
        of_second = rough2 + of_weights * length2 + 2.0 * lost1
        of_mean = rough1 + of_weights * sqrt(length2) + lost0
        of_third = rough3 + of_weights * length3 + 3.0 * lost2 + 3.0 * of_mean + 1.5 * of_second * length3
        off = unit * of_third * (sqrt(norm) + sqrt(n * of_trace)) / 2.0
        error[p] = off + unit * OF_WEIGHT * (norm + of_trace) + (unit * of_third) ** 2


def unpacked(sums: Array, total: float, second: Array, third: Array) -> None:
    """Second and third moments from the sums that `higher` and `framed` begin with."""
    n, k = len(second), 0
    for i in range(n):
        for j in range(i, n):
            second[i, j] = second[j, i] = sums[k] / total
            k += 1
            for l in range(j, n):
                x = sums[k] / total
                k += 1
                third[i, j, l] = third[i, l, j] = third[j, i, l] = x
                third[j, l, i] = third[l, i, j] = third[l, j, i] = x


def whitening(g: Array) -> Array:
    """Lower triangular W with W g Wᵀ = 1, the inverse of Cholesky's factor; 0 where there is none."""
    n = len(g)
    L, W = zeros((n, n)), zeros((n, n))
    for i in range(n):
        for j in range(i + 1):
            x = g[i, j]
            for k in range(j):
                x -= L[i, k] * L[j, k]
            if i > j:
                L[i, j] = x / L[j, j]
            elif x > 0.0:
                L[i, i] = sqrt(x)
            else:
                return zeros((n, n))
    for j in range(n):
        W[j, j] = 1.0 / L[j, j]
        for i in range(j + 1, n):
            x = 0.0
            for k in range(j, i):
                x += L[i, k] * W[k, j]
            W[i, j] = -x / L[i, i]
    return W


def framed(t: Array, top: int, weight: Array, rough: Array, centre: Array, W: Array) -> Array:
    """Sums over z = W c: of w z_i z_j and w z_i z_j z_l as in `higher`, of w z_i, and of what bounds their errors.

    These are w |z|², w ρ |z|, w ρ |z|², w ρ |z|³, w |z|³, and w s, w s |z|, w s |z|² with the roundings s of z.
    """
    n, S = t.shape
    lanes = zeros((n * (n + 1) // 2 + n * (n + 1) * (n + 2) // 6 + n + 8, TABLE_LANES))
    c, z, product = empty((n, TABLE_LANES)), empty((n, TABLE_LANES)), empty(TABLE_LANES)
    for start in range(0, S, TABLE_LANES):
        width = min(TABLE_LANES, S - start)
        w, r = weight[start : start + width], rough[start : start + width]
        if lightest(w):
            continue
        square, size = zeros(width), zeros(width)
        for i in range(n):
            row = t[i, start : start + width]
            for b in range(width):
                c[i, b] = (row[b] - t[i, top]) - centre[i]
                z[i, b] = 0.0
            for j in range(i + 1):
                for b in range(width):
                    z[i, b] += W[i, j] * c[j, b]
                    size[b] += (i + 2.0) * fabs(W[i, j] * c[j, b])
            for b in range(width):
                square[b] += z[i, b] * z[i, b]
        k = add_products(w, z, product, lanes)
        for i in range(n):
            for b in range(width):
                lanes[k, b] += w[b] * z[i, b]
            k += 1
        for b in range(width):
            length = sqrt(square[b])
            lanes[k, b] += w[b] * square[b]
            lanes[k + 1, b] += w[b] * r[b] * length
            lanes[k + 2, b] += w[b] * r[b] * square[b]
            lanes[k + 3, b] += w[b] * r[b] * square[b] * length
            lanes[k + 4, b] += w[b] * square[b] * length
            lanes[k + 5, b] += w[b] * size[b]
            lanes[k + 6, b] += w[b] * size[b] * length
            lanes[k + 7, b] += w[b] * size[b] * square[b]
    return folded(lanes)


def add_products(w: Array, c: Array, product: Array, lanes: Array) -> int:
    """Add w c_i c_j, each before w c_i c_j c_l, i ≤ j ≤ l, of some rows to the lanes; how many sums these are."""
    n, k = len(c), 0
    for i in range(n):
        for j in range(i, n):
            for b in range(len(w)):
                product[b] = w[b] * c[i, b] * c[j, b]
                lanes[k, b] += product[b]
            k += 1
            for l in range(j, n):
                for b in range(len(w)):
                    lanes[k, b] += product[b] * c[l, b]
                k += 1
    return k


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
        rough[s] = OF_WEIGHT + of_logs + 2.0 * fabs(weight[s])
    for i in range(n):
        for s in range(S):
            x = theta[i] * (t[i, s] - t[i, top])
            weight[s] += x
            rough[s] += OF_TERM * fabs(x) + fabs(weight[s])
    for s in range(S):
        weight[s] = exp(weight[s])
    return top


def lightest(w: Array) -> bool:
    """Whether all of some weights are below float64, so that their rows add nothing."""
    heaviest = 0.0
    for b in range(len(w)):
        heaviest = max(heaviest, w[b])
    return heaviest == 0.0


def first(t: Array, top: int, weight: Array, rough: Array, centre: Array) -> tuple[float, float]:
    """Sum of the weights, the mean of ρ, and the mean of t − t_top."""
    n, S = t.shape
    lanes = zeros((n + 2, TABLE_LANES))
    for start in range(0, S, TABLE_LANES):
        width = min(TABLE_LANES, S - start)
        w, r = weight[start : start + width], rough[start : start + width]
        if lightest(w):
            continue
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
        if lightest(w):
            continue
        for i in range(n):
            row = t[i, start : start + width]
            for b in range(width):
                c[i, b] = (row[b] - t[i, top]) - centre[i]
        k = add_products(w, c, product, lanes)
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
