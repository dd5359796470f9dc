"""The joint density of states of Ising and Potts tori, counted exactly.

Half of a torus, between its rows a and b, has H_ab(x, y) = Σ x^u y^m over what lies between them, with u unequal
neighbours and m sites in state 0: a transfer, row by row, in integers below 2⁶³.  Two halves make the whole,

    Z(x, y) = Σ_ab w_a w_b H_ab(x, y) H'_ab(x, y),   w_a = x^{u_a} y^{m_a},

where a needs to run over one row of each class of alike rows.  The polynomials are multiplied as single integers, whose
fields of 64-bit words hold the coefficients (Kronecker's substitution).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
from flint import fmpz
from numpy.typing import NDArray
from tqdm import tqdm

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.gibbs.rows import Rows, rows
from infogeom.kernels.gibbs.tori import counting_loops
from infogeom.threads import PATIENCE

__all__ = ["count"]

Integers = NDArray[np.int64]
Objects = NDArray[Any]  # of Python integers
#: Bytes of a word of the integers.
WORD = 8


def count(q: int, length: int, width: int) -> Objects:
    """Number of configurations of a torus, of Python integers [u, m] by unequal neighbours and sites in state 0.

    Shape (2 length width + 1, length width + 1). It takes memory for the polynomials of q^width rows, and time for
    their products, for each class of rows; the smaller of the sizes should be the width.
    """
    of_rows = rows(q, width, True)
    kinds, fields = len(of_rows.sizes), _Fields.of(q, length, width)
    sums: dict[tuple[int, int], Any] = defaultdict(fmpz)
    pairs = sum(int(np.count_nonzero(of_rows.kind >= k)) for k in range(kinds))
    with tqdm(total=pairs, desc="states counted", delay=PATIENCE, leave=False, disable=None) as progress:
        for k, a in enumerate(of_rows.representatives):
            first, second = _halves(of_rows, int(a), length)
            # A pair of rows and the one in the other order have the same number: only one of them is taken.
            others = np.flatnonzero(of_rows.kind >= k)
            for b in others:
                weight = int(of_rows.sizes[k]) * (1 if of_rows.kind[b] == k else 2)
                odd = int(of_rows.zeros[a] + of_rows.zeros[b]) % 2 if q == 2 else 0
                left = fields.packed(first[b], odd)
                right = left if second is first else fields.packed(second[b], odd)
                shift = of_rows.unequal[a] + of_rows.unequal[b] + 2 * odd, of_rows.zeros[a] + of_rows.zeros[b]
                sums[shift] += weight * (left * right)
            progress.update(len(others))

    # The weights w_a w_b shift the products.
    total = np.zeros((2 * length * width + 1, length * width + 1), object)
    for (u, m), packed in sums.items():
        found = fields.unpacked(packed)
        total[u : u + fields.step * len(found) : fields.step, m : m + fields.columns] += found
    # The class of a row of two states has those with 0 and 1 exchanged, for which m is the number of the others.
    return (total + total[:, ::-1]) // 2 if q == 2 else total


def _halves(of_rows: Rows, a: int, length: int) -> tuple[Integers, Integers]:
    """What lies between row a and each other row, at the distance ⌊length / 2⌋ and the rest of the length."""
    functions, q, width = compiled_module(counting_loops), of_rows.q, of_rows.width
    upper, lower = length // 2, length - length // 2
    counts = np.zeros((q**width, (2 * lower - 1) * width + 1, (lower - 1) * width + 1), np.int64)
    counts[a, 0, 0] = 1
    first = counts
    for row in range(lower):
        if row:
            functions["add_row"](counts, of_rows.unequal, of_rows.zeros, 2 * row * width)
        functions["cross"](counts, q, width, 2 * row * width)
        if row + 1 == upper < lower:
            first = counts.copy()
    return first, counts


class _Fields(NamedTuple):
    """Polynomials in x and y as integers: fields of some words for each power of y, in rows for those of x."""

    words: int
    columns: int
    step: int

    @classmethod
    def of(cls, q: int, length: int, width: int) -> _Fields:
        """Fields for the product of two halves, wide enough for the number of all configurations."""
        words = -(-(q ** (length * width)).bit_length() // (8 * WORD))
        # Unequal neighbours in a ring of two states are even in number; from one ring to another, always even or odd.
        return cls(words, (length - 2) * width + 1, 2 if q == 2 else 1)

    def packed(self, counts: Integers, first: int) -> Any:
        """A polynomial without the powers of x that it cannot have."""
        held = counts[first :: self.step]
        places = np.zeros((len(held), self.columns, self.words), "<i8")
        places[:, : held.shape[1], 0] = held
        return fmpz(int.from_bytes(places.tobytes(), "little"))

    def unpacked(self, packed: Any) -> Objects:
        """Coefficients, of Python integers."""
        row = self.columns * self.words * WORD
        content = int(packed)
        lines = -(-content.bit_length() // (8 * row))
        places = np.frombuffer(content.to_bytes(lines * row, "little"), "<u8").reshape(lines, self.columns, self.words)
        weights = np.array([1 << 8 * WORD * word for word in range(self.words)], dtype=object)
        coefficients: Objects = places.astype(object) @ weights
        return coefficients
