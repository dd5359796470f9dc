"""What is proven of a metric at every point: null directions and the largest rank, from its data or its closed form."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations
from typing import Any

import flint
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import ImmutableMatrix

from infogeom.kernels.balls.enclosures import BITS, Balls, precision
from infogeom.symbolic import Metric
from infogeom.symbolic.normal_form import normal_form

__all__ = ["null_space", "rank_in_general", "rank_of_samples", "rank_to_rounding"]

Array = NDArray[np.float64]
#: Operations up to which a closed form is asked for a proof.
SHORT = 100
#: Parameters up to which a closed form is asked for a proof.
MOST_PROVEN = 3
#: Bits in which a sample's matrix is taken apart.
BITS_OF_SAMPLES = 512
#: Two roundings of a number, relative to it.
TWO_ROUNDINGS = 2 * 2.0**-52
#: Columns that are this far from being dependent, relative to the largest singular value, are so beyond doubt.
INDEPENDENT = 1e-8


def null_space(metric: Metric) -> Array:
    """Orthonormal directions, shape (n − rank, n), that the data of a mean of h(θ, x) x xᵀ do not see; none otherwise.

    The data are what they are up to two roundings of each number. Singular values find the directions and show at once
    where there are none; how many there are is settled by exact arithmetic (`rank_to_rounding`).
    """
    n = len(metric.coordinates)
    none = np.empty((0, n))
    if metric.samples is None or len(metric.samples.symbols) != n:
        return none
    rows = metric.samples.data[metric.samples.weights > 0]
    rows = rows[rows.any(axis=1)]
    if not len(rows):
        return np.eye(n) if _is_outer_product(metric) else none

    largest = np.abs(rows).max(axis=0)
    scale = np.where(largest > 0, largest, 1)
    # Neither scaling a column nor a sample changes which directions are null.
    rows = rows / scale
    rows = rows / np.abs(rows).max(axis=1, keepdims=True)
    square = np.vstack([rows, np.zeros((max(0, n - len(rows)), n))])
    _, singular, right = np.linalg.svd(square, full_matrices=False)
    if singular[-1] > INDEPENDENT * singular[0] or not _is_outer_product(metric):
        return none
    rank = rank_to_rounding(rows)
    return np.linalg.qr((right[rank:] / scale).T)[0].T if rank < n else none


def rank_of_samples(balls: Balls, x: Sequence[float]) -> int:
    """Rank of a mean over samples at a point, the data being what they are up to two roundings of each number.

    The matrix of each sample is a sum of squares r rᵀ, and the rank is that of all r; n where one is none.
    """
    g = balls.enclose(x, ("metric",), BITS).values["metric"]
    mean = np.array([float(b.mid()) for b in g.flat]).reshape(g.shape)
    root = np.sqrt(np.abs(np.diag(mean)))
    if (root > 0).all() and np.linalg.eigvalsh(mean / np.outer(root, root))[0] > INDEPENDENT:
        return balls.n

    rows: list[Array] = []
    for sample in balls.samples(x, BITS_OF_SAMPLES):
        squares = _squares(sample)
        if squares is None:
            return balls.n
        rows += squares
    if not rows:
        return 0

    # Neither scaling a column nor a row changes the rank.
    stacked = np.array(rows)
    largest = np.abs(stacked).max(axis=0)
    stacked = stacked / np.where(largest > 0, largest, 1)
    return rank_to_rounding(stacked / np.abs(stacked).max(axis=1, keepdims=True))


def _squares(a: NDArray[Any]) -> list[Array] | None:
    """Rows r, the largest entry of each 1, of which a matrix is a sum of multiples of r rᵀ; None where it is none.

    Outer products are taken off, that of the largest diagonal entry first, until nothing but rounding is left: a
    Cholesky factor with pivots (Higham 2002, Sec. 10.3).
    """
    with precision(BITS_OF_SAMPLES):
        rows: list[Array] = []
        least = max(abs(b).mid() for b in a.flat) * flint.arb(2) ** (-BITS_OF_SAMPLES // 2)
        for _ in range(len(a)):
            diagonal = [d.mid() for d in a.diagonal().tolist()]
            i = diagonal.index(max(diagonal))
            if not a[i, i] > least:
                break
            rows.append(_to_unit(a[i]))
            a = a - np.outer(a[i] / a[i, i], a[i])
        nothing_left = all(abs(b) <= least for b in a.flat)
        return rows if nothing_left else None


def _to_unit(row: NDArray[Any]) -> Array:
    largest = max(abs(b).mid() for b in row)
    return np.array([float((b / largest).mid()) for b in row])


def _is_outer_product(metric: Metric) -> bool:
    assert metric.samples is not None
    x, n = metric.samples.symbols, len(metric.coordinates)
    return len({metric.matrix[i, j] / (x[i] * x[j]) for i in range(n) for j in range(n)}) == 1


def rank_to_rounding(rows: Array) -> int:
    """Rank of a matrix whose entries are right to two roundings of the largest in their row, 1.

    Pivots of the Gram matrix are squared distances of the columns from the span of those before them.
    """
    with precision(512):
        X = flint.arb_mat(rows.tolist())
        a: NDArray[np.object_] = np.array((X.transpose() * X).tolist(), dtype=object)
        left, rank = list(range(len(a))), 0
        while left:
            sizes = [float(a[k, k].mid()) for k in left]
            i = left[int(np.argmax(sizes))]
            if not a[i, i] > len(rows) * TWO_ROUNDINGS**2:
                break
            left.remove(i)
            for j in left:
                a[j, left] = a[j, left] - a[j, i] / a[i, i] * a[i, left]
            rank += 1
        return rank


@lru_cache(maxsize=256)
def rank_in_general(matrix: ImmutableMatrix) -> int:
    """Largest rank that a short closed form has anywhere, as far as its minors can be seen to vanish."""
    n = int(matrix.rows)
    if n > MOST_PROVEN or sympy.count_ops(matrix) > SHORT:
        return n
    for rank in range(n, 0, -1):
        for rows in combinations(range(n), rank):
            if normal_form(matrix.extract(rows, rows).det(method="berkowitz")) != 0:
                return rank
    return 0
