"""What a closed-form metric is: Hessian, of constant curvature, flat.

Yes takes differences that vanish, by their closed form or to 50 digits at random points (`infogeom.symbolic.zero`); no
takes a witness, a point where 50 digits tell apart what would have to be equal. Where there is neither, the answer is
None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import Expr, ImmutableMatrix

from infogeom import precision
from infogeom.kernels.curvature.textbook import closed_form, scales, textbook
from infogeom.numeric.multiprecision import in_mpmath
from infogeom.symbolic.metric_value import Metric
from infogeom.symbolic.normal_form import normal_form
from infogeom.symbolic.tensors import inverse, is_product_of_lines, ricci_scalar, riemann
from infogeom.symbolic.zero import vanishes, vanishing

__all__ = ["closed_curvature", "is_hessian", "witnesses_against"]

DIGITS = 50
#: What 50 digits leave of a difference that is 0, relative to its terms and with room for cancellation within them.
NOTHING = mpmath.mpf(10) ** -20

#: Size of a metric beyond which its determinant in closed form takes minutes: that of eight outcomes has 3,000.
INVERTIBLE = 600

Point = Sequence[float]


def is_hessian(metric: Metric, point: Point) -> bool | None:
    """Whether ∂_k g_ij is totally symmetric, so that g = ∂∂ψ in these coordinates."""
    g, x, n = metric.matrix, metric.coordinates, len(metric.coordinates)
    pairs = [(g[i, j].diff(x[k]), g[i, k].diff(x[j])) for i in range(n) for j, k in combinations(range(n), 2)]
    with precision.digits(DIGITS):
        values = in_mpmath(x, pairs)(*map(mpmath.mpf, point))
        if any(abs(a - b) > NOTHING * (abs(a) + abs(b)) for a, b in values):
            return False
    return True if all(vanishing([normal_form(a - b) for a, b in pairs], metric.region)) else None


def witnesses_against(metric: Metric, points: Sequence[Point]) -> tuple[bool, bool]:
    """Whether the points tell that the curvature is not constant, and that it is not 0."""
    with precision.digits(DIGITS):
        jet_at = closed_form(metric)
        jets = [jet_at(tuple(point))[0] for point in points]
        found = [(jet.g, textbook(jet), scales(jet)) for jet in jets]
        scalars = [tensors["ricci_scalar"].item() for _, tensors, _ in found]
        size = NOTHING * max(terms["ricci_scalar"] for _, _, terms in found)
        uneven, curved = max(scalars) - min(scalars) > size, False
        for (g, tensors, terms), R in zip(found, scalars, strict=True):
            size = NOTHING * terms["riemann"]
            uneven |= abs(tensors["riemann"] - _of_constant_curvature(g, R)).max() > size
            curved |= abs(tensors["riemann"]).max() > size
    return bool(uneven), bool(curved)


def closed_curvature(metric: Metric, most: float = math.inf) -> tuple[Expr | None, bool | None]:
    """R in closed form, and whether that shows the curvature constant; None where it does not.

    Both are None where the metric or its inverse has more than ``most`` operations times coordinates: what R would take
    is told by these, on every machine alike.
    """
    if is_product_of_lines(metric):
        return sympy.Integer(0), True
    metric, x = replace(metric, matrix=metric.matrix.applyfunc(normal_form)), metric.coordinates
    if _size(metric.matrix) > min(most, INVERTIBLE) or _size(inverse(metric)) > most:
        return None, None
    R = ricci_scalar(metric)
    if not all(vanishes(R.diff(c), metric.region) for c in x):
        return R, None
    if len(x) == 2:  # Riemann has one component, which R determines
        return R, True
    gaps = np.array(riemann(metric).tolist(), dtype=object) - _of_constant_curvature(np.array(metric.matrix), R)
    return R, True if all(vanishing([normal_form(gap) for gap in gaps.flat], metric.region)) else None


def _size(matrix: ImmutableMatrix) -> int:
    """Operations in all entries, times the number of rows."""
    return int(len(matrix.row(0)) * sum(e.count_ops() for e in matrix))


def _of_constant_curvature(g: Any, R: Any) -> Any:
    """R^i_jkl = K (δ^i_k g_jl − δ^i_l g_jk) with K = R/(n (n − 1))."""
    n = len(g)
    delta = np.array([[int(i == j) for j in range(n)] for i in range(n)], dtype=object)
    return R / (n * (n - 1)) * (np.einsum("ik,jl->ijkl", delta, g) - np.einsum("il,jk->ijkl", delta, g))
