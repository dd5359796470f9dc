"""What a closed-form metric is: Hessian, of constant curvature, flat.

Yes takes differences that vanish, by their closed form or to 50 digits at random points (`infogeom.symbolic.zero`); no
takes a witness, a point where 50 digits tell apart what would have to be equal. Where there is neither, the answer is
None.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
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
from infogeom.symbolic.tensors import derivatives, equal_if_hessian, inverse, is_product_of_lines, ricci_scalar, riemann
from infogeom.symbolic.zero import vanishes, vanishing

__all__ = ["closed_curvature", "is_hessian", "witnesses_against"]

PROOF_DIGITS = 50
#: What 50 digits leave of a difference that is 0, relative to its terms and with room for cancellation within them.
NOTHING = mpmath.mpf(10) ** -20

#: Size of a metric beyond which its determinant in closed form takes minutes: that of eight outcomes has 3,000.
INVERTIBLE = 600

Point = Sequence[float]


def is_hessian(metric: Metric, point: Point) -> bool | None:
    """Whether ∂_k g_ij is totally symmetric, so that g = ∂∂ψ in these coordinates."""
    if metric.form.natural:
        return True
    pairs = [(a, b) for a, b in equal_if_hessian(derivatives(metric)) if a != b]
    with precision.digits(PROOF_DIGITS):
        values = in_mpmath(metric.coordinates, pairs)(*map(mpmath.mpf, point))
        if any(abs(a - b) > NOTHING * (abs(a) + abs(b)) for a, b in values):
            return False
    gaps = [normal_form(a - b) for a, b in pairs]
    return True if all(vanishing(gaps, metric.region)) else None


def witnesses_against(metric: Metric, points: Sequence[Point]) -> tuple[bool, bool]:
    """Whether the points tell that the curvature is not constant, and that it is not 0."""
    with precision.digits(PROOF_DIGITS):
        jet_at = closed_form(metric)
        scalars, sizes = [], []
        uneven = curved = False
        for point in points:
            jet, _ = jet_at(tuple(point))
            tensors, terms = textbook(jet), scales(jet)
            scalars.append(tensors["ricci_scalar"].item())
            sizes.append(terms["ricci_scalar"])
            # What all sections have in common would leave nothing but rounding of the terms that cancel.
            gap = tensors["riemann"] - _of_constant_curvature(jet.g, scalars[-1])
            uneven |= abs(gap).max() > NOTHING * terms["riemann"]
            curved |= abs(tensors["riemann"]).max() > NOTHING * terms["riemann"]
        uneven |= max(scalars) - min(scalars) > NOTHING * max(sizes)
    return bool(uneven), bool(curved)


def closed_curvature(metric: Metric, most: float = math.inf) -> tuple[Expr | None, bool | None]:
    """R in closed form, and whether that shows the curvature constant; None where it does not.

    R is what is known of it, else derived. Both are None where the metric or its inverse has more than ``most``
    operations times coordinates: what R would take is told by these, on every machine alike. So they are of a Hessian
    metric in a writing of its own, whose R would be known if it were short.
    """
    if is_product_of_lines(metric):
        return sympy.Integer(0), True
    x, R = metric.coordinates, metric.form.ricci_scalar
    if R is None:
        if metric.form.natural:
            return None, None
        metric = replace(metric, matrix=metric.matrix.applyfunc(normal_form))
        if _size(metric.matrix) > min(most, INVERTIBLE) or _size(inverse(metric)) > most:
            return None, None
        R = ricci_scalar(metric)
    if not all(vanishes(R.diff(c), metric.region) for c in x):
        return R, None
    if len(x) == 2:  # Riemann has one component, which R determines
        return R, True
    found = np.array(riemann(metric).tolist(), dtype=object)
    gaps = found - _of_constant_curvature(np.array(metric.matrix), R)
    forms = [normal_form(gap) for gap in gaps.flat]
    return R, True if all(vanishing(forms, metric.region)) else None


def _size(matrix: ImmutableMatrix) -> int:
    """Operations in all entries, times the number of rows."""
    return int(len(matrix.row(0)) * sum(e.count_ops() for e in matrix))


def _of_constant_curvature(g: Any, R: Any) -> Any:
    """R^i_jkl = K (δ^i_k g_jl − δ^i_l g_jk) with K = R/(n (n − 1))."""
    n = len(g)
    delta = np.eye(n, dtype=int).astype(object)
    return R / (n * (n - 1)) * (np.einsum("ik,jl->ijkl", delta, g) - np.einsum("il,jk->ijkl", delta, g))
