"""Transfer of truncated Taylor jets through half a torus, in plain Python that numba compiles as it stands.

A jet is a polynomial in t and s up to a total order, by whose factors 1 + t and 1 + s each pair of unequal neighbours
and each site in state 0 is counted: t^i s^j has place ``place(i, j, order)``.  Jets of all rows stand in an array
(places, A, B) for A B rows, whose sites in A are the ones that are crossed, while loops run along B.
"""

from __future__ import annotations

from math import frexp
from typing import Any

from numpy import empty, empty_like

__all__ = ["cross", "half", "meet", "multiply", "place", "some", "turn", "two", "two_lowered"]

Array = Any  # of float64; numba infers the rest
#: Binary exponents between which numbers are left as they are.
WIDEST_EXPONENT = 200
#: Rows of a block that is turned at once.
TURNED = 8


def cross(x: Array, q: int, order: int, equal: float, unequal: float, lowered: Array, done: int) -> int:
    """Bonds to the next row at all sites of A, and how many sites are done then.

    A new site in state d has ``equal`` x_d + ``unequal`` (1 + t) Σ_{c≠d} x_c from the old ones in its place; with
    ``lowered``, over 1 + t, for which the numbers of unequal neighbours are from then on less by one.
    """
    A, B = x.shape[1:]
    own, other = empty((order + 1, q, B)), empty((order + 1, q, B))
    stride = 1
    while stride < A:
        for a in range(A):
            # Rows that differ at this site alone change together, from the one with state 0 there.
            if a // stride % q == 0:
                for j in range(order + 1):
                    begin, end = place(0, j, order), place(0, j + 1, order)
                    together = x[begin:end, a : a + q * stride : stride]
                    if q > 2:
                        some(together, equal, unequal, lowered[done], own, other)
                    elif lowered[done]:
                        two_lowered(together, equal, unequal, own)
                    else:
                        two(together, equal, unequal)
        stride *= q
        done += 1
    return done


def two(x: Array, equal: float, unequal: float) -> None:
    """A bond between sites of two states, in place: downwards in t, since what is below is needed as it was."""
    for i in range(x.shape[0] - 1, 0, -1):
        for b in range(x.shape[2]):
            zero, one = x[i, 0, b], x[i, 1, b]
            x[i, 0, b] = equal * zero + unequal * (one + x[i - 1, 1, b])
            x[i, 1, b] = equal * one + unequal * (zero + x[i - 1, 0, b])
    for b in range(x.shape[2]):
        zero, one = x[0, 0, b], x[0, 1, b]
        x[0, 0, b] = equal * zero + unequal * one
        x[0, 1, b] = equal * one + unequal * zero


def two_lowered(x: Array, equal: float, unequal: float, own: Array) -> None:
    """A bond between sites of two states, over 1 + t: upwards, since what is below is subtracted."""
    quotient = own[0]
    quotient[:] = 0.0
    for i in range(x.shape[0]):
        for b in range(x.shape[2]):
            zero, one = x[i, 0, b], x[i, 1, b]
            quotient[0, b] = zero - quotient[0, b]
            quotient[1, b] = one - quotient[1, b]
            x[i, 0, b] = equal * quotient[0, b] + unequal * one
            x[i, 1, b] = equal * quotient[1, b] + unequal * zero


def some(x: Array, equal: float, unequal: float, lowered: bool, own: Array, other: Array) -> None:
    """A bond between sites of any number of states, from what their jets are where both are equal and where not."""
    orders, q, B = x.shape
    for i in range(orders):
        for d in range(q):
            for b in range(B):
                own[i, d, b] = other[i, d, b] = x[i, d, b]
            if lowered and i > 0:
                for b in range(B):
                    own[i, d, b] -= own[i - 1, d, b]
            elif i > 0:
                for b in range(B):
                    other[i, d, b] += x[i - 1, d, b]
    for i in range(orders):
        for d in range(q):
            for b in range(B):
                x[i, d, b] = equal * own[i, d, b]
            for c in range(q):
                if c != d:
                    for b in range(B):
                        x[i, d, b] += unequal * other[i, c, b]


def multiply(x: Array, factor: Array, order: int) -> None:
    """Products of jets, from the highest order down, in place of the first ones."""
    _, A, B = x.shape
    total = empty(B)
    for a in range(A):
        for degree in range(order, -1, -1):
            for j in range(degree + 1):
                i = degree - j
                total[:] = 0.0
                for l in range(j + 1):
                    for k in range(i + 1):
                        left = x[place(k, l, order), a]
                        right = factor[place(i - k, j - l, order), a]
                        for b in range(B):
                            total[b] += left[b] * right[b]
                x[place(i, j, order), a] = total


def place(i: int, j: int, order: int) -> int:
    """Place of t^i s^j."""
    return j * (order + 1) - j * (j - 1) // 2 + i


def half(
    start: Array,
    shape: Any,
    q: int,
    rows: int,
    kept: int,
    order: int,
    equal: float,
    unequal: float,
    lowered: Array,
    factor: Array,
) -> Any:
    """What lies between a first row and each other one, after ``kept`` rows and after all, of which there is one more.

    Parameters
    ----------
    start, factor : ndarray, shape (places, rows)
        What lies between the first row and the next one, and the jets of the weights of rows.
    shape : tuple of int
        Into how many the rows are divided, A and B.
    q, rows, kept, order, equal, unequal, lowered
        As of `cross`; ``kept`` is ``rows`` or one less.

    Returns
    -------
    tuple
        Two arrays in which the sites have the same order, and the binary exponents that were taken off both. Rows come
        out rotated, by the sites of A and B in turn, which their weights do not know.
    """
    places, (A, B) = len(start), shape
    x, spare = start.copy(), empty_like(start)
    upper, exponent, taken = x, 0, 0
    for row in range(1, rows + 1):
        if row > 1:
            table, other = x.reshape(places, A, B), spare.reshape(places, B, A)
            multiply(table, factor.reshape(places, A, B), order)
            done = cross(table, q, order, equal, unequal, lowered, 0)
            turn(table, other)
            cross(other, q, order, equal, unequal, lowered, done)
            x, spare = spare, x
            if row == kept + 1:
                turn(upper.reshape(places, A, B), spare.reshape(places, B, A))
                upper[:] = spare
            A, B = B, A

        # Numbers stay in the middle of what there is.
        size = frexp(x[0].max())[1]
        if abs(size) > WIDEST_EXPONENT and x[0].max() > 0.0:
            x *= 2.0**-size
            exponent += size
        if row == kept:
            upper, taken = x.copy(), exponent
    return upper, x, exponent + taken


def turn(x: Array, y: Array) -> None:
    """The other sites are to be crossed: A and B exchanged, in blocks."""
    places, A, B = x.shape
    for k in range(places):
        for begin in range(0, A, TURNED):
            for b in range(B):
                for a in range(begin, min(begin + TURNED, A)):
                    y[k, b, a] = x[k, a, b]


def meet(x: Array, y: Array, order: int, sums: Array, sizes: Array) -> None:
    """Sum of the products of jets over all rows, and that of products of absolute values."""
    _, A, B = x.shape
    for degree in range(order + 1):
        for j in range(degree + 1):
            i = degree - j
            n = place(i, j, order)
            sums[n] = sizes[n] = 0.0
            for a in range(A):
                total = size = 0.0
                for l in range(j + 1):
                    for k in range(i + 1):
                        left, right = x[place(k, l, order), a], y[place(i - k, j - l, order), a]
                        for b in range(B):
                            total += left[b] * right[b]
                            size += abs(left[b] * right[b])
                sums[n] += total
                sizes[n] += size
