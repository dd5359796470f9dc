"""Jets of metrics of normal laws in ball arithmetic: the traces of `infogeom.kernels.normal.traces`, without a frame.

With Ã_I = Σ⁻¹ ∂_I Σ the traces are the same, and between means stand Σ⁻¹ and the ∂_I Σ themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from flint import arb, arb_mat, fmpq
from numpy.typing import NDArray
from sympy import Symbol

from infogeom.kernels.balls.enclosures import Balls
from infogeom.kernels.codegen.program import Axes, UnsupportedFunctionError, exact_source
from infogeom.kernels.curvature.jet import JET
from infogeom.kernels.normal.traces import Products, tensors_of
from infogeom.kernels.normal.values import Along, derivatives_along, derivatives_of
from infogeom.models.entries import Entries, Pattern
from infogeom.models.normal_law import NormalLaw

__all__ = ["NormalBalls", "balls_of"]

Objects = NDArray[Any]  # of balls


@dataclass(frozen=True)
class Part:
    """Entries of one pattern and their derivatives.

    Attributes
    ----------
    source : str
        Of ``point(x, rows)`` in coordinates and numbers.
    of : tuple of (int, int)
        Number of each derivative that does not vanish, and its place in what ``point`` returns.
    numbers : tuple of tuples of (int, int)
        Numerators and denominators, a row for each different entry.
    places : tuple of (int, int, int)
        Row of numbers, row and column of the matrix.
    """

    source: str
    of: tuple[tuple[int, int], ...]
    numbers: tuple[tuple[tuple[int, int], ...], ...]
    places: tuple[tuple[int, int, int], ...]

    @cached_property
    def _point(self) -> Any:
        return Balls(self.source, {}, 0, np.empty((0, 0)))._functions["point"]

    def entries(self, x: Sequence[arb]) -> list[list[tuple[int, arb]]]:
        """Derivatives that do not vanish with their numbers, for each row."""
        found = []
        for row in self.numbers:
            known = [arb(fmpq(p, q)) for p, q in row]
            values = self._point([*x, *known], ())
            found.append([(k, arb(values[place])) for k, place in self.of])
        return found


@dataclass(frozen=True, eq=False)
class NormalBalls(Balls):
    """A metric by a mean and a covariance, or a precision, in ball arithmetic."""

    mean: tuple[Part, ...] = ()
    matrix: tuple[Part, ...] = ()
    d: int = 0
    is_precision: bool = False
    along: tuple[Along, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        own = ("mean", "matrix", "d", "is_precision", "along")
        return super().__getstate__() | {name: self.__dict__[name] for name in own}

    def _components(self, x: Sequence[arb], bits: int) -> Objects:
        order = len(self.along[-1]) - 1
        S = self._derivatives(self.matrix, x, self.d, symmetric=True)
        mu = self._derivatives(self.mean, x, 1, symmetric=False)[1:]
        nothing = np.array([arb("nan")] * sum(self.n**rank for rank in JET.values()), dtype=object)
        try:
            inverse = S[0].inv()
        except ZeroDivisionError:
            return nothing
        products = self._products(inverse, S, mu, order)
        tensors = tensors_of(products, self.along[1:], self.n, order, is_precision=self.is_precision)
        found = np.concatenate([tensor.ravel() for tensor in tensors])
        nothing[: len(found)] = found
        return nothing

    def _derivatives(self, parts: Sequence[Part], x: Sequence[arb], columns: int, *, symmetric: bool) -> list[arb_mat]:
        """A matrix and its derivatives."""
        rows = [[[arb(0)] * columns for _ in range(self.d)] for _ in self.along]
        for part in parts:
            entries = part.entries(x)
            for row, i, j in part.places:
                for k, value in entries[row]:
                    rows[k][i][j] = value
                    if symmetric:
                        rows[k][j][i] = value
        return [arb_mat(matrix) for matrix in rows]

    def _products(self, inverse: arb_mat, S: Sequence[arb_mat], mu: Sequence[arb_mat], order: int) -> Products:
        n, lower = self.n, sum(len(at) <= order for at in self.along[1:])
        A = [inverse * s for s in S[1:]]
        two = _traces(A, A)
        empty = np.empty((1, 0), dtype=object)
        means = self._between(mu, [S[0] if self.is_precision else inverse], mu)[:, 0]
        if order == 0:
            return Products(two[None], empty, empty, means[None], empty, empty)

        # Three and four matrices.
        pairs = [A[a] * A[b] for a, b in product(range(n), repeat=2)]
        three = _traces(pairs, A[:lower]).reshape(n, n, lower)
        four = _traces(pairs, pairs).reshape(n, n, n, n)

        # Between means.
        moved = mu[:lower] if self.is_precision else [inverse * m for m in mu[:lower]]
        between = self._between(moved, S[1 : lower + 1], moved)
        across = np.array([[arb(0)] * n**2] * n**2, dtype=object)
        if not self.is_precision:
            turned = [S[1 + a] * moved[b] for a, b in product(range(n), repeat=2)]
            across = self._between(turned, [inverse], turned)[:, 0]
        return Products(two[None], three[None], four[None], means[None], between[None], across.reshape(1, n, n, n, n))

    def _between(self, left: Sequence[arb_mat], matrices: Sequence[arb_mat], right: Sequence[arb_mat]) -> Objects:
        """Vectors' products with matrices between them, shape (left, matrices, right)."""
        rows, columns = _beside(left).transpose(), _beside(right)
        found = [np.array((rows * (matrix * columns)).tolist(), dtype=object) for matrix in matrices]
        return np.stack(found, axis=1)


def _beside(vectors: Sequence[arb_mat]) -> arb_mat:
    """Vectors as the columns of a matrix."""
    columns = [vector.entries() for vector in vectors]
    return arb_mat([list(row) for row in zip(*columns, strict=True)])


def _traces(left: Sequence[arb_mat], right: Sequence[arb_mat]) -> Objects:
    """Traces of X Y for each X and Y."""
    rows = arb_mat([matrix.entries() for matrix in left])
    columns = arb_mat([matrix.transpose().entries() for matrix in right]).transpose()
    return np.array((rows * columns).tolist(), dtype=object)


def balls_of(law: NormalLaw, x: tuple[Symbol, ...], order: int) -> NormalBalls | None:
    """A law's metric with derivatives up to an order in balls; None where a function has no such version."""
    n = len(x)
    ends = np.cumsum([n**rank for rank in JET.values()])
    at = {name: np.arange(end - n**rank, end) for end, (name, rank) in zip(ends, JET.items(), strict=True)}
    for name in list(JET)[order + 1 :]:
        at[name] = np.empty(0, dtype=np.int64)
    along = derivatives_along(n, order + 1)
    try:
        mean, matrix = (_parts(entries, x, along) for entries in (law.mean, law.matrix))
    except UnsupportedFunctionError:
        return None
    data = np.empty((0, 0))
    return NormalBalls("", at, n, data, False, (), mean, matrix, law.matrix.shape[0], law.is_precision, along)


def _parts(entries: Entries, x: Sequence[Symbol], along: Sequence[Along]) -> tuple[Part, ...]:
    return tuple(_part(pattern, x, along) for pattern in entries.patterns)


def _part(pattern: Pattern, x: Sequence[Symbol], along: Sequence[Along]) -> Part:
    derivatives = derivatives_of(pattern, x, along)
    source, at = exact_source({"entries": list(derivatives.values())}, Axes((), (*x, *pattern.slots)))
    numbers = [tuple((int(c.p), int(c.q)) for c in row) for row in pattern.numbers]
    return Part(source, tuple(zip(derivatives, at["entries"].tolist(), strict=True)), tuple(numbers), pattern.places)
