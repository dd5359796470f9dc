"""Sums over nodes behind the moments of laws, and behind bounds on their errors; plain Python that numba compiles.

Rows are the scores s_i and the a_ij, i ≤ j, of `infogeom.kernels.expectations.moments` at the nodes of a point, or
bounds on their errors; all loops are over nodes.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from numpy import empty, int64

__all__ = ["add_errors", "add_products", "contract", "doubt", "explain", "largest", "unfold"]

Array = Any  # of float64


def add_products(
    derivatives: Array, w: Array, n: int, negligible: float, lacking: Array, means: Array, gram: Array
) -> None:
    """Add weighted vectors and their products at the nodes of all points to ``means`` (m, d) and ``gram`` (m, d, d).

    A derivative without a value counts as 0 where the weight is ``negligible``; elsewhere, and at weights without one,
    something is ``lacking`` (m,).
    """
    points, d, nodes = derivatives.shape
    rows, weighted, weights = empty((d, nodes)), empty(nodes), empty(nodes)
    for p in range(points):
        for v in range(nodes):
            known = isfinite(w[p, v])
            weights[v] = w[p, v] if known else 0.0
            lacking[p] |= not known
        for k in range(d):
            for v in range(nodes):
                known = isfinite(derivatives[p, k, v])
                rows[k, v] = derivatives[p, k, v] if known else 0.0
                lacking[p] |= (not known) & (weights[v] > negligible)
        embed(rows, n)
        for k in range(d):
            total = 0.0
            for v in range(nodes):
                weighted[v] = rows[k, v] * weights[v]
                total += weighted[v]
            means[p, k] += total
            for other in range(k, d):
                total = 0.0
                for v in range(nodes):
                    total += weighted[v] * rows[other, v]
                gram[p, k, other] += total
        mirror(gram[p])


def add_errors(found: Array, w: Array, of_w: Array, frames: Array, of_metric: Array, of_products: Array) -> None:
    """Add what products of vectors err by, to first order and in magnitude, at the nodes of all points.

    ``found`` (m, 2 (d + 1), K) is as `doubt` leaves it, ``of_w`` (m, K) errors of weights. Those of s s are added to
    ``of_metric`` (m, n, n); those of all products, after the vectors are turned into ``frames`` (m, n, N), to
    ``of_products`` (m, D, D), D being to N what d is to n.
    """
    points, d, nodes = len(found), found.shape[1] // 2 - 1, found.shape[2]
    n, into, D = frames.shape[1], frames.shape[2], of_products.shape[1]
    rows, of_rows, turned, of_turned = empty((d, nodes)), empty((d, nodes)), empty((D, nodes)), empty((D, nodes))
    own, other = empty(nodes), empty(nodes)
    half, of_half = empty((into, n, nodes)), empty((into, n, nodes))
    for p in range(points):
        rows[:], of_rows[:] = found[p, :d], found[p, d + 1 : 2 * d + 1]
        if d > n:
            embed_errors(rows, of_rows, n)
            embed(rows, n)
        turn(frames[p], rows, of_rows, turned, of_turned)
        if d > n:
            turn_twice(frames[p], rows, of_rows, turned, of_turned, half, of_half)
        add_bounds(rows, of_rows, n, w[p], of_w[p], own, other, of_metric[p])
        add_bounds(turned, of_turned, D, w[p], of_w[p], own, other, of_products[p])


def doubt(
    found: Array,
    w: Array,
    beyond: Array,
    counts: Array,
    step: Array,
    of_all: Array,
    least: float,
    tiny: float,
    of_w: Array,
) -> None:
    """Fill bounds on the errors of weights (m, K), and complete those on derivatives, at nodes that stand for all.

    ``found`` (m, 2 (d + 1), K) holds the derivatives and ℓ, then bounds on their errors; a derivative without a value
    becomes 0, and where nothing is known of its error it is as large as the derivative. To these is added how much
    values change from node to node in the steps by which rounding moves a node. A weight errs by what its exponent
    does, by ``of_all`` and, as they are shares of it, by what the sum of all does; nodes ``beyond`` stand for
    weight that is not there. What is below ``least`` may have lost digits to underflow, ``tiny`` at most.
    """
    points, rows, nodes = found.shape
    d = rows // 2 - 1
    for p in range(points):
        for k in range(d + 1):
            value, error = found[p, k], found[p, d + 1 + k]
            for v in range(nodes):
                if k < d and not isfinite(error[v]):
                    error[v] = abs(value[v]) if isfinite(value[v]) else 0.0
            if k < d:
                for v in range(nodes):
                    value[v] = value[v] if isfinite(value[v]) else 0.0
            for v in range(nodes if nodes > 1 else 0):
                below, above = max(v - 1, 0), min(v + 1, nodes - 1)
                if step[p, v] > 0.0:
                    error[v] += abs(value[above] - value[below]) / (above - below) * step[p, v]
        exponent, inside, of_inside = found[p, rows - 1], 0.0, 0.0
        for v in range(nodes):
            exponent[v] = exponent[v] if isfinite(exponent[v]) else 1.0
            if not beyond[p, v]:
                inside += w[p, v]
                of_inside += exponent[v] * w[p, v]
        for v in range(nodes):
            of_w[p, v] = w[p, v]
            if not beyond[p, v]:
                of_w[p, v] *= of_all + exponent[v] + of_inside / inside
            if counts[p, v] and w[p, v] < least:
                of_w[p, v] += tiny
            if beyond[p, v]:
                w[p, v] = 0.0


def explain(found: Array, w: Array, of_w: Array, n: int, of_means: Array) -> None:
    """Add to what the means of vectors err by (m, d); ``found`` as above."""
    points, d, nodes = len(found), found.shape[1] // 2 - 1, found.shape[2]
    rows, of_rows = empty((d, nodes)), empty((d, nodes))
    for p in range(points):
        rows[:], of_rows[:] = found[p, :d], found[p, d + 1 : 2 * d + 1]
        embed_errors(rows, of_rows, n)
        embed(rows, n)
        for k in range(d):
            total = 0.0
            for v in range(nodes):
                total += of_w[p, v] * abs(rows[k, v]) + w[p, v] * of_rows[k, v]
            of_means[p, k] += total


def unfold(gram: Array, first: Array, second: Array) -> None:
    """Fill ∂_k g_ij (m, n, n, n) and ∂_k ∂_l g_ij from E[a_ik s_j] and E[a_ik a_jl]."""
    n = first.shape[1]
    at, k = empty((n, n), dtype=int64), n
    for i in range(n):
        for j in range(i, n):
            at[i, j] = at[j, i] = k
            k += 1
    for p in range(len(gram)):
        for i in range(n):
            for j in range(n):
                for k in range(n):
                    first[p, i, j, k] = gram[p, at[i, k], j] + gram[p, at[j, k], i]
                    for l in range(n):
                        second[p, i, j, k, l] = gram[p, at[i, k], at[j, l]] + gram[p, at[i, l], at[j, k]]


def largest(gram: Array, units: Array, found: Array) -> None:
    """Fill the largest entries of E[s s], E[a s] and E[a a] (m, 3), or of the first alone, in units (m, n) of indices.

    Entries without a value count for nothing.
    """
    d, n = gram.shape[1], units.shape[1]
    inverse = empty(d)
    for p in range(len(gram)):
        k = n
        for i in range(n):
            inverse[i] = 1.0 / units[p, i]
            for j in range(i, n if d > n else 0):
                inverse[k] = inverse[i] / units[p, j]
                k += 1
        found[p] = 0.0
        for k in range(d):
            for l in range(k + 1):
                block = int64(k >= n) + int64(l >= n)
                found[p, block] = max(found[p, block], abs(gram[p, k, l]) * inverse[k] * inverse[l])


def contract(tensors: Array, matrices: Array, rank: int, out: Array) -> None:
    """Fill tensors (m, N^rank), every index of those given (m, n^rank) contracted with the first one of a matrix."""
    n, into = matrices.shape[1], matrices.shape[2]
    work = empty((2, max(n, into) ** rank))
    for p in range(len(tensors)):
        work[0, : n**rank] = tensors[p]
        for index in range(rank):
            before, after = into**index, n ** (rank - 1 - index)
            source, target = work[index % 2], work[1 - index % 2]
            target[:] = 0.0
            for a in range(before):
                for j in range(into):
                    for i in range(n):
                        factor = matrices[p, i, j]
                        for b in range(after):
                            target[(a * into + j) * after + b] += factor * source[(a * n + i) * after + b]
        out[p] = work[rank % 2, : into**rank]


def embed(rows: Array, n: int) -> None:
    """From first and second derivatives of ℓ, if there are any of these, to s and a = ∂∂ℓ + ½ s s, in place."""
    d, nodes = rows.shape
    at = n
    for i in range(n if d > n else 0):
        for j in range(i, n):
            for v in range(nodes):
                rows[at, v] += 0.5 * (rows[i, v] * rows[j, v])
            at += 1


def embed_errors(rows: Array, of_rows: Array, n: int) -> None:
    """The same of bounds on errors, with s."""
    nodes, at = rows.shape[1], n
    for i in range(n):
        for j in range(i, n):
            for v in range(nodes):
                of_rows[at, v] += 0.5 * (abs(rows[i, v]) * of_rows[j, v] + abs(rows[j, v]) * of_rows[i, v])
            at += 1


def add_bounds(
    rows: Array, of_rows: Array, d: int, w: Array, of_w: Array, own: Array, other: Array, bounds: Array
) -> None:
    """Add the errors of weighted products of the first d rows; ``own`` and ``other`` are overwritten."""
    nodes = len(w)
    for k in range(d):
        for v in range(nodes):
            size = abs(rows[k, v])
            own[v], other[v] = of_rows[k, v] * w[v] + size * of_w[v], size * w[v]
        for l in range(k, d):
            total = 0.0
            for v in range(nodes):
                total += own[v] * abs(rows[l, v]) + other[v] * of_rows[l, v]
            bounds[k, l] += total
    mirror(bounds)


def turn(E: Array, rows: Array, of_rows: Array, turned: Array, of_turned: Array) -> None:
    """Eᵀ s, and bounds on its errors."""
    for i in range(E.shape[1]):
        turned[i], of_turned[i] = 0.0, 0.0
        for k in range(E.shape[0]):
            add_multiple(E[k, i], rows[k], of_rows[k], turned[i], of_turned[i])


def turn_twice(
    E: Array, rows: Array, of_rows: Array, turned: Array, of_turned: Array, half: Array, of_half: Array
) -> None:
    """Eᵀ a E, and bounds on its errors; half of it is Eᵀ a."""
    n, into = E.shape
    half[:], of_half[:] = 0.0, 0.0
    for i in range(into):
        at = n
        for k in range(n):
            for j in range(k, n):
                add_multiple(E[k, i], rows[at], of_rows[at], half[i, j], of_half[i, j])
                if j > k:
                    add_multiple(E[j, i], rows[at], of_rows[at], half[i, k], of_half[i, k])
                at += 1
    at = into
    for i in range(into):
        for j in range(i, into):
            turned[at], of_turned[at] = 0.0, 0.0
            for k in range(n):
                add_multiple(E[k, j], half[i, k], of_half[i, k], turned[at], of_turned[at])
            at += 1


def add_multiple(factor: float, row: Array, of_row: Array, total: Array, of_total: Array) -> None:
    """Add a multiple of a row to another, and of the bounds on its errors."""
    size = abs(factor)
    if size > 0.0:
        for v in range(len(row)):
            total[v] += factor * row[v]
            of_total[v] += size * of_row[v]


def mirror(matrix: Array) -> None:
    """What is below the diagonal, from above it."""
    for k in range(len(matrix)):
        for other in range(k):
            matrix[k, other] = matrix[other, k]
