"""Moments of a law of one continuous variable in ball arithmetic: integrals at rising precision.

The rule is that of `infogeom.kernels.expectations.nodes`, every node a ball, with as many of them as the precision asks
for: it doubles them until what is left to change is below it. That is what is seen of the last steps, with a margin,
and no proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations_with_replacement
from math import asinh, isfinite, log
from typing import Any, NamedTuple

import numpy as np
import sympy
from flint import arb, arb_mat
from numpy.typing import NDArray
from sympy import Expr, Symbol

from infogeom.kernels.codegen.program import Axes, Places, UnsupportedFunctionError, exact_source
from infogeom.kernels.curvature.jet import JET
from infogeom.kernels.expectations.moments import CONVERGENCE_MARGIN
from infogeom.kernels.expectations.node_loops import BENT
from infogeom.kernels.expectations.nodes import Rule
from infogeom.kernels.expectations.pieces import LEFT_OFF, THOROUGHLY
from infogeom.models.law import Law, kinks_of
from infogeom.numeric.cubature import ends_of
from infogeom.precision import bits_of_balls as precision

__all__ = ["EndlessSumError", "Integral", "integral_of"]

Objects = NDArray[Any]  # of balls
#: Intervals of the first rule,
FIRST_INTERVALS = 64
#: and of the last one.
LAST_INTERVALS = 2**12


class EndlessSumError(ArithmeticError):
    """A sum over outcomes did not end soon, an integral did not settle, or the mass was not found."""


class Piece(NamedTuple):
    """A piece of a support, and where the density is on it, as `infogeom.kernels.expectations.pieces.Pieces` has it."""

    low: float
    high: float
    centre: float
    scale: float
    first: float
    last: float

    def places(self, intervals: int, *, new: bool) -> Iterator[tuple[arb, arb]]:
        """Nodes of a rule on the line and their weights dt.

        Only every second one, those that half as many intervals do not have, where these are ``new``.
        """
        bent = max(-self.first, self.last) >= BENT
        start, end = (asinh(self.first), asinh(self.last)) if bent else (self.first, self.last)
        step = (arb(end) - arb(start)) / intervals
        for k in range(1, intervals, 2) if new else range(intervals + 1):
            tau, weight = start + k * step, self.scale * step
            if bent:
                tau, weight = tau.sinh(), weight * tau.cosh()
            yield self.centre + self.scale * tau.sinh(), weight * tau.cosh()

    def digits_lost(self, t: arb) -> int:
        """How many bits a point loses beside the end that it is close to, if that is not 0."""
        close = any(isfinite(end) and end for end in (self.low, self.high))
        return int(abs(float(t.mid())) / log(2)) if close else 0

    def point(self, t: arb) -> tuple[arb, arb]:
        """A point x(t), and dx/dt, as `infogeom.kernels.expectations.pieces.Chart` has them."""
        below, above = isfinite(self.low), isfinite(self.high)
        if below and above:
            width, near = arb(self.high) - arb(self.low), 1 / (1 + abs(t).exp())
            return self.low + width * near if t < 0 else self.high - width * near, width * near * (1 - near)
        if below:
            return self.low + t.exp(), t.exp()
        return (self.high - (-t).exp(), (-t).exp()) if above else (t, arb(1))


@dataclass(frozen=True)
class Integral:
    """Moments of a continuous law.

    Attributes
    ----------
    source : str
        Of ``point(x, rows)``: p, then the derivatives of ℓ up to second order, x being constants, coordinates and an
        outcome.
    at : mapping of str to ndarray of int
        Where g, dg, ddg and the mass p stand in what `value` returns.
    law : int
        Which of the metric's it belongs to.
    own : tuple of int
        Which coordinates that holds.
    copies : float
    density : Law
    arguments : tuple of Symbol
        Constants that are data, then those coordinates.
    """

    source: str
    at: Places
    law: int
    own: tuple[int, ...]
    copies: float
    density: Law
    arguments: tuple[Symbol, ...]

    def value(self, functions: Mapping[str, Any], x: Sequence[arb], bits: int) -> Objects:
        """Components of the moments, and the mass, in so many bits."""
        pieces = self._pieces(x, bits)
        intervals, last = FIRST_INTERVALS, None
        gram = self._gram(functions["point"], x, pieces, bits, intervals)
        while intervals < LAST_INTERVALS:
            intervals *= 2
            before, new = gram, self._gram(functions["point"], x, pieces, bits, intervals, new=True)
            gram = before / 2 + new
            units = self._units(gram)
            change = _largest((gram - before) / units)
            if last is not None and change.is_finite():
                share = (CONVERGENCE_MARGIN * (change / max(last, change)) ** 2).upper()
                left = change * min(share, arb(1))
                if left < arb(2) ** -bits:
                    return self._components(gram + units * arb(0, left))
            last = change
        raise EndlessSumError

    def _pieces(self, x: Sequence[arb], bits: int) -> list[Piece]:
        """Where the density is, as far as so many bits ask for."""
        effort = THOROUGHLY._replace(left_off=LEFT_OFF + bits * log(2))
        at = [float(c.mid()) for c in x]
        found = _rule(self.density, self.arguments).pieces(np.array([at]), effort)
        if not len(found.point):
            raise EndlessSumError
        columns = [values.ravel() for values in found[1:-1]]
        return [Piece(*numbers) for numbers in np.stack(columns, axis=1).tolist()]

    def _gram(
        self,
        point: Any,
        x: Sequence[arb],
        pieces: Sequence[Piece],
        bits: int,
        intervals: int,
        *,
        new: bool = False,
    ) -> Objects:
        """Sums over nodes of all products of two vectors s_i, a_ij and 1."""
        n, rows, weighted = len(self.own), [], []
        for piece in pieces:
            for t, weight in piece.places(intervals, new=new):
                with precision(bits + piece.digits_lost(t)):
                    outcome, slope = piece.point(t)
                    p, *vector = point([*x, outcome], ())
                    for k, (i, j) in enumerate(combinations_with_replacement(range(n), 2), start=n):
                        vector[k] += vector[i] * vector[j] / 2
                    vector.append(arb(1))
                    share = p * slope * weight
                    rows.append(vector)
                    weighted.append([v * share for v in vector])
        total = arb_mat(rows).transpose() * arb_mat(weighted)
        return np.array(total.tolist(), dtype=object)

    def _units(self, gram: Objects) -> Objects:
        """√g_ii for each index, of all entries; of 1 it is 1."""
        n = len(self.own)
        root = [gram[i, i].mid().sqrt() for i in range(n)]
        products = [a * b for a, b in combinations_with_replacement(root, 2)]
        each = np.array([*root, *products, arb(1)], dtype=object)
        product: Objects = np.outer(each, each)
        return product

    def _components(self, gram: Objects) -> Objects:
        """g, ∂g and ∂∂g, as `infogeom.kernels.expectations.moments` has them, and the mass."""
        n = len(self.own)
        a = np.empty((n, n), dtype=np.int64)
        for at, (i, j) in enumerate(combinations_with_replacement(range(n), 2), start=n):
            a[i, j] = a[j, i] = at
        first, second = gram[a][..., :n], gram[a[:, :, None, None], a]  # [i, k, j] and [i, k, j, l]
        once = first.transpose(0, 2, 1) + first.transpose(2, 0, 1)
        twice = second.transpose(0, 2, 1, 3) + second.transpose(0, 2, 3, 1)
        return np.concatenate([gram[:n, :n].ravel(), once.ravel(), twice.ravel(), gram[-1:, -1]])


def _largest(matrix: Objects) -> arb:
    """Bound on the magnitude of all entries."""
    sizes: list[arb] = [abs(ball).upper() for ball in matrix.flat]
    return max(sizes)


@lru_cache(maxsize=32)
def _rule(law: Law, arguments: tuple[Symbol, ...]) -> Rule:
    return Rule(law, arguments)


def _held_by_float64(number: Expr) -> bool:
    return bool(number.is_Rational) and sympy.Rational(float(number)) == number


def integral_of(
    law: Law, exact: Law, coordinates: tuple[Symbol, ...], constants: tuple[Symbol, ...], number: int
) -> Integral:
    """Moments of a law, given without floats too.

    Raises
    ------
    UnsupportedFunctionError
        Where balls lack a function, or where ends and kinks are not numbers that float64 holds.
    """
    (x,), held = law.variables, tuple(c for c in coordinates if any(e.has(c) for e in law.expressions))
    places = [*ends_of(law.supports[0]), *kinks_of(exact.log_density, x)]
    if not all(place.is_infinite or _held_by_float64(place) for place in places):
        raise UnsupportedFunctionError(f"no ball version of an integral with an end or a kink at one of {places}")
    expressions = {"d": [sympy.exp(exact.log_density), *exact.derivatives(held, 2)]}
    source, _ = exact_source(expressions, Axes(constants, (*held, x)))
    n, own = len(held), tuple(map(coordinates.index, held))
    ends = np.cumsum([n**rank for rank in JET.values()] + [1])
    at = dict(zip([*JET, "p"], np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
    return Integral(source, at, number, own, float(law.copies), law, (*constants, *held))
