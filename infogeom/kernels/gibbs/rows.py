"""Rows of a torus of spins, and which of them are alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["Rows", "rows"]

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Rows:
    """All rows of ``width`` sites in a ring, each with one of q states; site j is the digit of q^j of a row's number.

    Attributes
    ----------
    q, width : int
    digits : ndarray of int8, shape (q^width, width)
        States of the sites.
    unequal : ndarray of int64, shape (q^width,)
        Neighbours in the ring that differ.
    zeros : ndarray of int64, shape (q^width,)
        Sites in state 0.
    kind : ndarray of int64, shape (q^width,)
        Which class of alike rows it belongs to; the largest class is number 0.
    sizes : ndarray of int64
        Rows in each class.
    """

    q: int
    width: int
    digits: NDArray[np.int8]
    unequal: Integers
    zeros: Integers
    kind: Integers
    sizes: Integers

    @property
    def representatives(self) -> Integers:
        """One row of each class."""
        first: Integers = np.unique(self.kind, return_index=True)[1]
        return first

    def apart(self, row: int) -> Integers:
        """Sites at which each row differs from one of them."""
        count: Integers = np.count_nonzero(self.digits != self.digits[row], axis=1)
        return count


@lru_cache(maxsize=16)
def rows(q: int, width: int, flips: bool) -> Rows:
    """Rows, alike where a rotation, a reflection or a permutation of the states other than 0 takes one to the other.

    Parameters
    ----------
    q, width : int
    flips : bool
        Whether two rows of q = 2 are also alike that go over into each other when 0 and 1 are exchanged.
    """
    numbers = np.arange(q**width)
    powers = q ** np.arange(width)
    digits = (numbers[:, None] // powers % q).astype(np.int8)
    turned = np.roll(digits, 1, axis=1)
    alike = [turned, digits[:, ::-1]]
    for a, b in pairwise(range(0 if flips and q == 2 else 1, q)):
        exchanged = digits.copy()
        exchanged[digits == a], exchanged[digits == b] = b, a
        alike.append(exchanged)
    links = np.concatenate([image @ powers for image in alike])
    starts = np.tile(numbers, len(alike))
    graph = coo_array((np.ones(len(links), np.int8), (starts, links)), shape=(len(numbers),) * 2)
    found: Any = connected_components(graph, directed=False)[1]
    sizes = np.bincount(found)
    order = np.argsort(-sizes, kind="stable")
    kind = np.argsort(order)[found]
    unequal, zeros = (digits != turned).sum(axis=1), (digits == 0).sum(axis=1)
    return Rows(q, width, digits, unequal, zeros, kind, sizes[order])
