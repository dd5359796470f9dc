"""A metric and its derivatives at a point in rationals: exact where its closed form is, to 40 digits elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import combinations_with_replacement, product
from typing import Any, NamedTuple

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, ImmutableMatrix, Rational, Symbol

from infogeom import precision
from infogeom.numeric.multiprecision import in_mpmath
from infogeom.symbolic.metric_value import Metric

__all__ = ["RATIONAL_DIGITS", "Point", "RationalJet", "chart", "rational", "rational_jet", "where"]

#: Digits of numbers that are not rational; they are computed with twice as many.
RATIONAL_DIGITS = 40

Array = NDArray[Any]
Point = tuple[Rational, ...]
Index = tuple[int, ...]


class RationalJet(NamedTuple):
    """A metric at a point, in rationals: g[i, j], dg[i, j, k] = ∂_k g_ij, ddg[i, j, k, l] = ∂_k ∂_l g_ij."""

    point: Point
    displacements: tuple[Symbol, ...]
    g: Array
    dg: Array
    ddg: Array

    @property
    def origin(self) -> Point:
        """No displacement."""
        return (sympy.Integer(0),) * len(self.point)

    def taylor(self) -> Metric:
        """Taylor polynomial of degree 2 in the displacements from the point, as a metric."""
        x = np.array(self.displacements, dtype=object)
        return Metric(self.displacements, ImmutableMatrix(self.g + self.dg @ x + self.ddg @ x @ x / 2))


def chart(metric: Metric) -> tuple[Symbol, ...]:
    """Symbols called like the coordinates that take any sign, whatever is assumed of those."""
    return tuple(Symbol(name, real=True) for name in metric.names)


def rational_jet(metric: Metric) -> Callable[[Point], RationalJet]:
    """Function from a point to the jet of a closed form there; ValueError where that is not real and finite."""
    x, n = metric.coordinates, len(metric.coordinates)
    entries: dict[Index, Expr] = {}
    for i, j in combinations_with_replacement(range(n), 2):
        entries[i, j] = metric.matrix[i, j]
        for k in range(n):
            entries[i, j, k] = metric.matrix[i, j].diff(x[k])
        for k, m in combinations_with_replacement(range(n), 2):
            entries[i, j, k, m] = metric.matrix[i, j].diff(x[k], x[m])
    expressions = list(entries.values())
    evaluate = _mean(metric, expressions) if metric.samples else _value(metric, expressions)

    def jet(point: Point) -> RationalJet:
        values = dict(zip(entries, evaluate(point), strict=True))
        g, dg, ddg = (_tensor(n, rank, values) for rank in (2, 3, 4))
        return RationalJet(point, chart(metric), g, dg, ddg)

    return jet


def _tensor(n: int, rank: int, values: Mapping[Index, Rational]) -> Array:
    """Tensor from its components (i ≤ j, k ≤ l)."""
    out = np.empty((n,) * rank, dtype=object)
    for i, j, *along in product(range(n), repeat=rank):
        out[(i, j, *along)] = values[(min(i, j), max(i, j), *sorted(along))]
    return out


def _value(metric: Metric, entries: Sequence[Expr]) -> Callable[[Point], list[Rational]]:
    """Function from a point to the values of closed forms: exact where they are rational, to 40 digits elsewhere."""

    def values(point: Point) -> list[Rational]:
        at = dict(zip(metric.coordinates, point, strict=True))
        numbers = [rational(entry.xreplace(at)) for entry in entries]
        if None in numbers:
            wrong = entries[numbers.index(None)].xreplace(at)
            raise ValueError(f"points: the metric must be real and finite, got {wrong} at {where(metric, point)}")
        return numbers

    return values


def _mean(metric: Metric, entries: Sequence[Expr]) -> Callable[[Point], list[Rational]]:
    """Function from a point to the weighted means of per-sample expressions, to 40 digits."""
    samples = metric.samples
    assert samples is not None
    integrand = in_mpmath([*metric.coordinates, *samples.symbols], list(entries))
    rows = [list(map(mpmath.mpf, row)) for row in samples.data.tolist()]
    weights = samples.exact_weights

    def values(point: Point) -> list[Rational]:
        with precision.digits(2 * RATIONAL_DIGITS):
            at = [mpmath.mpf(x.p) / x.q for x in point]
            at_point = partial(integrand, *at)
            terms = [at_point(*row) for row in rows]
            columns = zip(*terms, strict=True)
            means = [mpmath.fdot(weights, column) for column in columns]
            return [Rational(sympy.Float(mean, RATIONAL_DIGITS)) for mean in means]

    return values


def rational(value: Expr) -> Rational | None:
    """A rational as it is, any other real number to 40 digits, None for what is neither."""
    if value.is_Rational:
        return value
    if value.has(sympy.nan, sympy.zoo, sympy.oo, -sympy.oo):
        return None
    with precision.digits(2 * RATIONAL_DIGITS):
        number = in_mpmath([], value)()
        if not isinstance(number, mpmath.mpf) or not mpmath.isfinite(number):
            return None
        return Rational(sympy.Float(number, RATIONAL_DIGITS))


def where(metric: Metric, point: Point) -> str:
    """Coordinates of a point by name, in so many digits that they can be typed."""
    return ", ".join(f"{name} = {float(x):.17g}" for name, x in zip(metric.names, point, strict=True))
