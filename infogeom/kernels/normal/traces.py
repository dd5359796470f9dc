"""Jets of the metric of a normal law by scalar products of matrices in a frame.

In the frame of `infogeom.kernels.normal.frames`

    g_ab     = m_a·m_b + ½ tr A_a A_b
    ∂_c g_ab = m_ac·m_b + m_a·m_bc ∓ m_a·A_c m_b + ½ tr(A_ac A_b + A_a A_bc) − tr A_a A_b A_c

with the upper sign for a covariance, the lower one for a precision; ∂_d ∂_c g_ab by the product rule once more.
To first order an error passes through such a sum as through the sum of magnitudes, a factor at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.curvature.loops import UNIT
from infogeom.kernels.normal.frames import OF_PRODUCT, Framed
from infogeom.kernels.normal.values import Along

__all__ = ["Products", "jets_of_traces", "tensors_of"]

Array = NDArray[Any]  # of float64, or of balls
Index = NDArray[np.intp]


class Products(NamedTuple):
    """Scalar products at points, by the numbers of derivatives.

    Attributes
    ----------
    two : ndarray, shape (points, K, K)
        tr A_I A_J.
    three : ndarray, shape (points, n, n, K)
        tr A_a A_b A_I.
    four : ndarray, shape (points, n, n, n, n)
        tr A_a A_b A_c A_d.
    means : ndarray, shape (points, K, K)
        m_I·m_J.
    between : ndarray, shape (points, K, K, K)
        m_I·A_J m_K.
    across : ndarray, shape (points, n, n, n, n)
        (A_a m_b)·(A_c m_d).
    """

    two: Array
    three: Array
    four: Array
    means: Array
    between: Array
    across: Array


class Signs(NamedTuple):
    """Signs of terms, all positive where errors are added up.

    Attributes
    ----------
    odd : int
        Of traces of three matrices.
    between : int
        Of a matrix between means.
    across : int
        Of two matrices between means: 0 for a precision.
    """

    odd: int
    between: int
    across: int


def jets_of_traces(
    found: Framed, along: Sequence[Along], n: int, order: int, *, is_precision: bool
) -> list[tuple[Array, Array]]:
    """Pairs of g, ∂g and ∂∂g up to an order and bounds on their errors, the point last.

    Parameters
    ----------
    found : Framed
    along : sequence of tuples of int
        Which derivative each of the matrices and vectors is, up to one order more.
    n, order : int
    is_precision : bool
    """
    lower = sum(len(at) <= order for at in along)
    values, errors = _products(found, n, lower, order)
    tensors = tensors_of(values, along, n, order, is_precision=is_precision)
    bounds = tensors_of(errors, along, n, order, is_precision=is_precision, added_up=True)
    both = zip(tensors, bounds, strict=True)
    return [(np.moveaxis(tensor, 0, -1), np.moveaxis(bound, 0, -1)) for tensor, bound in both]


def tensors_of(
    products: Products, along: Sequence[Along], n: int, order: int, *, is_precision: bool, added_up: bool = False
) -> list[Any]:
    """g, ∂g and ∂∂g up to an order from products in any arithmetic, the point first; ``added_up``: signs left out."""
    signs = Signs(-1, 1 if is_precision else -1, 0 if is_precision else 1)
    if added_up:
        signs = Signs(1, 1, signs.across)
    numbers = _numbers(along, n)
    return [rule(products, numbers, signs) for rule in RULES[: order + 1]]


def _numbers(along: Sequence[Along], n: int) -> list[Index]:
    """Number of the derivative along one, two and three coordinates, in any order."""
    at = {indices: k for k, indices in enumerate(along)}
    found = []
    for rank in range(1, len(along[-1]) + 1):
        number = np.empty((n,) * rank, dtype=np.intp)
        for indices in np.ndindex(*number.shape):
            number[indices] = at[tuple(sorted(indices))]
        found.append(number)
    return found


class _Normed(NamedTuple):
    """Matrices or vectors at points, flat, with their norms and those of their errors at most.

    Attributes
    ----------
    values : ndarray, shape (points, K, numbers)
    size, error : ndarray, shape (points, K)
    """

    values: Array
    size: Array
    error: Array

    def some(self, count: int) -> _Normed:
        """The first of them."""
        return _Normed(self.values[:, :count], self.size[:, :count], self.error[:, :count])


def _products(found: Framed, n: int, lower: int, order: int) -> tuple[Products, Products]:
    """All products that the jet takes, and bounds on their errors."""
    points, d = found.m.shape[0], found.m.shape[-1]
    matrices = _Normed(found.A.reshape(points, -1, d * d), found.size, found.error)
    vectors = _Normed(found.m, found.length, found.off)
    nothing = (np.empty((points, 0)),) * 2
    two, means = _scalar_products(matrices, matrices), _scalar_products(vectors, vectors)
    three = four = between = across = nothing
    if order > 0:
        pairs, moved = _pairs(found, n), _moved(found, lower)
        turned = _Normed(*(_turned(part, n) for part in pairs))
        three = _shaped(_scalar_products(pairs, matrices.some(lower)), points, n, n, lower)
        four = _shaped(_scalar_products(pairs, turned), points, n, n, n, n)
        between = _shaped(_scalar_products(vectors.some(lower), moved), points, lower, lower, lower)
        first = _Normed(*(_of_first(part, lower, n) for part in moved))
        across = _shaped(_scalar_products(first, first), points, n, n, n, n)
    values, errors = zip(two, three, four, means, between, across, strict=True)
    return Products(*values), Products(*errors)


def _scalar_products(left: _Normed, right: _Normed) -> tuple[Array, Array]:
    """Products of each of some with each of others, and bounds on their errors."""
    rounding = UNIT * OF_PRODUCT * np.sqrt(left.values.shape[-1])
    carried = left.error[:, :, None] * right.size[:, None, :]
    own = left.size[:, :, None] * (right.error + rounding * right.size)[:, None, :]
    return left.values @ right.values.swapaxes(-1, -2), carried + own


def _shaped(both: tuple[Array, Array], *shape: int) -> tuple[Array, Array]:
    return both[0].reshape(shape), both[1].reshape(shape)


def _pairs(found: Framed, n: int) -> _Normed:
    """Products A_a A_b of first derivatives."""
    A, size, reach, error = found.A[:, :n], found.size[:, :n], found.reach[:, :n], found.error[:, :n]
    points, d = len(A), A.shape[-1]
    values = (A[:, :, None] @ A[:, None, :]).reshape(points, n * n, d * d)
    norm = np.sqrt(np.einsum("pki,pki->pk", values, values))
    off = error[:, :, None] * reach[:, None, :] + reach[:, :, None] * error[:, None, :]
    off = off + UNIT * OF_PRODUCT * np.sqrt(d) * size[:, :, None] * size[:, None, :]
    return _Normed(values, norm, off.reshape(points, n * n))


def _turned(part: Array, n: int) -> Array:
    """A_b A_a in the place of A_a A_b."""
    return part.reshape(len(part), n, n, -1).swapaxes(1, 2).reshape(part.shape)


def _moved(found: Framed, lower: int) -> _Normed:
    """Vectors A_J m_K."""
    A, m = found.A[:, :lower], found.m[:, :lower]
    points, d = m.shape[0], m.shape[-1]
    reach, error, length = found.reach[:, :lower, None], found.error[:, :lower, None], found.length[:, None, :lower]
    off = error * length + reach * found.off[:, None, :lower]
    off = off + UNIT * OF_PRODUCT * np.sqrt(d) * found.size[:, :lower, None] * length
    values = np.einsum("pjab,pkb->pjka", A, m).reshape(points, -1, d)
    return _Normed(values, (reach * length).reshape(points, -1), off.reshape(points, -1))


def _of_first(part: Array, lower: int, n: int) -> Array:
    """Of vectors A_J m_K those of first derivatives."""
    square = part.reshape(len(part), lower, lower, -1)[:, :n, :n]
    return square.reshape(len(part), n * n, *part.shape[2:])


def _metric(q: Products, numbers: list[Index], _signs: Signs) -> Array:
    """g_ab."""
    (one, *_), n = numbers, len(numbers[0])
    a, b = np.ix_(range(n), range(n))
    return np.asarray(q.means[:, one[a], one[b]] + q.two[:, one[a], one[b]] / 2)


def _first(q: Products, numbers: list[Index], signs: Signs) -> Array:
    """∂_c g_ab."""
    (one, pair, *_), n = numbers, len(numbers[0])
    a, b, c = np.ix_(*[range(n)] * 3)
    A, B, C, ac, bc = one[a], one[b], one[c], pair[a, c], pair[b, c]
    traces = (q.two[:, ac, B] + q.two[:, A, bc]) / 2 + signs.odd * q.three[:, a, b, C]
    return np.asarray(traces + q.means[:, ac, B] + q.means[:, A, bc] + signs.between * q.between[:, A, C, B])


def _second(q: Products, numbers: list[Index], signs: Signs) -> Array:
    """∂_d ∂_c g_ab."""
    (one, pair, triple), n = numbers, len(numbers[0])
    a, b, c, d = np.ix_(*[range(n)] * 4)
    A, B, C, D, acd, bcd = one[a], one[b], one[c], one[d], triple[a, c, d], triple[b, c, d]
    ac, ad, bc, bd, cd = pair[a, c], pair[a, d], pair[b, c], pair[b, d], pair[c, d]

    # Traces of two, three and four matrices.
    found = (q.two[:, acd, B] + q.two[:, ac, bd] + q.two[:, ad, bc] + q.two[:, A, bcd]) / 2
    odd = q.three[:, b, d, ac] + q.three[:, a, d, bc] + q.three[:, b, c, ad] + q.three[:, a, c, bd]
    found = found + signs.odd * (odd + q.three[:, a, b, cd])
    found = found + q.four[:, d, a, b, c] + q.four[:, a, d, b, c] + q.four[:, a, b, d, c]

    # Means with none, one and two matrices between them.
    found = found + q.means[:, acd, B] + q.means[:, ac, bd] + q.means[:, ad, bc] + q.means[:, A, bcd]
    between = q.between[:, ac, D, B] + q.between[:, A, D, bc] + q.between[:, ad, C, B] + q.between[:, A, C, bd]
    found = found + signs.between * (between + q.between[:, A, cd, B])
    return np.asarray(found + signs.across * (q.across[:, c, a, d, b] + q.across[:, d, a, c, b]))


#: g, ∂g and ∂∂g.
RULES = (_metric, _first, _second)
