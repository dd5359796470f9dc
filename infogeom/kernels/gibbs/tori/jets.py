"""Cumulants of Ising and Potts tori at a point, by transfer of Taylor jets from row to row.

The partition function is Z = Σ_ab w_a w_b H_ab H'_ab with halves H of the torus between its rows a and b, as for the
count of states; here they are numbers at the point (β, h) with their derivatives, as jets of third order in

    t = e^{−δβ} − 1,   s = e^{δh} − 1,

of which a factor 1 + t belongs to a pair of unequal neighbours and 1 + s to a site in state 0. With such factors a
jet is multiplied by additions, so that the coefficients, factorial moments of both numbers, grow by positive terms.
They are taken about the numbers to be expected, found by a transfer without derivatives; otherwise the cumulants would
be small differences of large moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.gibbs.cumulants import PointCumulants
from infogeom.kernels.gibbs.rows import Rows, rows
from infogeom.kernels.gibbs.tori import jet_loops
from infogeom.kernels.gibbs.tori.series import ORDER, ROUNDED, binomials, cumulants, product
from infogeom.models.lattices import MOST_ROWS_TRANSFERRED
from infogeom.threads import in_order

__all__ = ["ising_torus_cumulants", "potts_torus_cumulants"]

Array = NDArray[np.float64]
#: Error of a rounding, 2⁻⁵³ at worst: bounds add up the worst ones of all at once, which is far from what happens.
ONE_ROUNDING = 2.0**-55
#: More than all operations lose below float64.
FLOOR = 1e-300
#: Exponent of unequal weights in a row, beyond which nothing is said where unequal neighbours are preferred.
DEEPEST = 300.0


def potts_torus_cumulants(q: int, length: int, width: int, points: Array) -> PointCumulants:
    """Cumulants of the pairs of equal neighbours and of the sites in state 0, at points (β, h).

    Parameters
    ----------
    q, length, width : int
        At least 2, 3 and 3; q to the smaller of the sizes at most 2¹⁴.
    points : ndarray, shape (m, 2)

    Returns
    -------
    PointCumulants
        Of the whole torus.

    Raises
    ------
    ValueError
        Where there are too many rows.

    Examples
    --------
    >>> potts_torus_cumulants(3, 3, 4, np.array([[0.0, 0.0]])).second[:, :, 0].round(9)
    array([[5.33333333, 0.        ],
           [0.        , 2.66666667]])
    """
    width, length = sorted((length, width))
    if q**width > MOST_ROWS_TRANSFERRED:
        raise ValueError(
            f"a torus must have at most {MOST_ROWS_TRANSFERRED:,} rows to be transferred, got {q**width:,}"
        )
    tables = np.empty((2, len(points), ORDER + 1, ORDER + 1))
    for k, (beta, h) in enumerate(points):
        tables[:, k] = _Transfer(q, length, width, float(beta), float(h)).cumulants()
    return PointCumulants(*_tensors(tables[0]), _tensors(tables[1]))


def ising_torus_cumulants(length: int, width: int, points: Array) -> PointCumulants:
    """Cumulants of Σ s s′ over the bonds and of Σ s, at points (β, h), those of odd order in Σ s 0 at h = 0.

    Parameters
    ----------
    length, width : int
        At least 3, the smaller at most 14.
    points : ndarray, shape (m, 2)

    Returns
    -------
    PointCumulants
        Of the whole torus.

    Raises
    ------
    ValueError
        Where there are too many rows.

    Examples
    --------
    >>> ising_torus_cumulants(3, 4, np.array([[0.0, 0.0]])).second[:, :, 0].round(9)
    array([[24.,  0.],
           [ 0., 12.]])
    """
    found = potts_torus_cumulants(2, length, width, 2 * np.asarray(points))
    sites = length * width
    constant = np.array([[2.0 * sites], [sites]])
    mean, second, third = 2 * found.mean - constant, 4 * found.second, 8 * found.third
    of_mean, of_second, of_third = found.errors
    of_mean = 2 * of_mean + ROUNDED * abs(mean)
    of_mean[1, np.asarray(points)[:, 1] == 0] = 0.0
    return PointCumulants(mean, second, third, (of_mean, 4 * of_second, 8 * of_third))


class _Sums(NamedTuple):
    """Series of the partition function for each first row, and those of absolute values; binary exponents taken off."""

    values: Array
    sizes: Array
    exponents: NDArray[np.int64]


class _Transfer:
    """A torus at a point."""

    def __init__(self, q: int, length: int, width: int, beta: float, h: float) -> None:
        self.q, self.length, self.width, self.beta, self.h = q, length, width, beta, h
        self.symmetric = h == 0
        self.rows: Rows = rows(q, width, self.symmetric)

        # Logarithms of the weights of rows, the largest 0.
        exponents = h * self.rows.zeros - beta * self.rows.unequal
        top = int(exponents.argmax())
        self.of_zeros = h * (self.rows.zeros - self.rows.zeros[top])
        self.of_unequal = beta * (self.rows.unequal[top] - self.rows.unequal)
        self.weights = np.exp(self.of_zeros + self.of_unequal)

    def cumulants(self) -> tuple[Array, Array]:
        """Cumulants of equal pairs and sites in state 0, by their orders, shape (4, 4), and bounds on their errors."""
        # What is to be expected in a row, from the weights of the first one.
        found = self._sums(0, 0, self.weights[None])
        first = self.rows.representatives
        likely = self.rows.sizes * self.weights[first] * np.ldexp(found.values[:, 0], _relative(found.exponents))
        likely /= likely.sum()
        unequal = 2 * float(likely @ self.rows.unequal[first])
        zeros = self.width / self.q if self.symmetric else float(likely @ self.rows.zeros[first])

        # Of the pairs between rows as many whole ones are taken off as there are to be expected, site by site.
        lowered = int(unequal / 2)
        factor = self.weights * binomials(self.rows.unequal - (unequal - lowered), self.rows.zeros - zeros)
        found = self._sums(ORDER, lowered, factor)
        scales = self.rows.sizes * np.ldexp(1.0, _relative(found.exponents))
        moments = product(factor[:, first], found.values.T) @ scales
        sizes = product(abs(factor[:, first]), found.sizes.T) @ scales
        table, errors = cumulants(moments, self._roundings(likely) * sizes + FLOOR, self._vanishing())

        # What they were taken about is put back.
        for place, about in (((1, 0), 2 * self.width - unequal), ((0, 1), zeros)):
            table[place] += self.length * about
            errors[place] += ROUNDED * self.length * about
        if self.beta * self.width < -DEEPEST:
            errors[:] = np.inf
        return table, errors

    def _vanishing(self) -> Sequence[int]:
        """Orders in sites of state 0 in which cumulants are 0: without a field states have equal shares on average."""
        if not self.symmetric:
            return ()
        return (1, 3) if self.q == 2 else (1,)

    def _sums(self, order: int, lowered: int, factor: Array) -> _Sums:
        """Sums over the other row in the middle, for a first row of each class; the weights of that are left out."""
        q, width, places, functions = self.q, self.width, len(factor), compiled_module(jet_loops)
        marks = np.diff(np.arange(width + 1) * lowered // width) > 0
        equal, unequal = np.exp(min(0.0, self.beta)), np.exp(min(0.0, -self.beta))
        shape = q ** (width // 2), q ** (width - width // 2)
        divided = (places, *shape)
        apart = np.arange(width + 1)
        between = equal ** (width - apart) * unequal**apart * binomials(apart - float(lowered), 0.0 * apart)[:places]
        lower, upper = self.length - self.length // 2, self.length // 2

        def of_class(first: int) -> tuple[Array, Array, int]:
            start = between.take(self.rows.apart(first), axis=1)
            values, sizes = np.empty(places), np.empty(places)
            *halves, exponent = functions["half"](start, shape, q, lower, upper, order, equal, unequal, marks, factor)
            left, right, weights = (part.reshape(divided) for part in [*halves, factor])
            functions["multiply"](left, weights, order)
            functions["meet"](left, right, order, values, sizes)
            return values, sizes, exponent

        found = in_order(of_class, self.rows.representatives.tolist(), "rows of the torus")
        values, sizes, exponents = map(np.array, zip(*found, strict=True))
        return _Sums(values, sizes, exponents)

    def _roundings(self, likely: Array) -> float:
        """Bound on the relative error of what is added: a rounding for each step on the way, and of the exponents."""
        sites = self.length * self.width
        steps = 4 * sites + 10 * self.length + 2 * self.q ** (self.width - self.width // 2)
        exponents = (abs(self.of_zeros) + abs(self.of_unequal))[self.rows.representatives]
        rounded: float = steps + self.length * float(likely @ exponents)
        return ONE_ROUNDING * rounded


def _relative(exponents: NDArray[np.int64]) -> NDArray[np.int64]:
    """Binary exponents by the largest one; what is too small is 0 all the same."""
    relative: NDArray[np.int64] = np.maximum(exponents - exponents.max(), -2000)
    return relative


def _tensors(tables: Array) -> tuple[Array, Array, Array]:
    """Mean, second and third cumulants from those by their orders, shape (m, 4, 4); the point last."""
    mean = np.array([tables[:, 1, 0], tables[:, 0, 1]])
    second, third = np.empty((2, 2, len(tables))), np.empty((2, 2, 2, len(tables)))
    for i, j in np.ndindex(2, 2):
        second[i, j] = tables[:, 2 - i - j, i + j]
        for k in range(2):
            third[i, j, k] = tables[:, 3 - i - j - k, i + j + k]
    return mean, second, third
