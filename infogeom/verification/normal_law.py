"""Metrics of normal laws by their formula in many digits, derivatives of the covariance by differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations_with_replacement
from typing import Any

import mpmath
import numpy as np

from infogeom import precision
from infogeom.kernels.curvature.jet import Jet
from infogeom.models.normal_law import NormalLaw
from infogeom.numeric.multiprecision import in_mpmath
from infogeom.symbolic import MeanAndCovariance, Metric
from infogeom.verification.differences import MATRIX_DIGITS, jet_of_moves
from infogeom.verification.reference import Point, ReferenceJet

__all__ = ["by_matrices"]

#: Digits by which a step of the covariance is below its coordinate, or below 1.
DIGITS_OF_STEP = 60
#: The same of the metric.
DIGITS_OF_OUTER_STEP = 30
#: Digits to which the jet is good.
DIGITS_OF_JET = 50
#: Components up to which matrices are inverted in so many digits.
MOST_COMPONENTS = 40


def by_matrices(metric: Metric) -> Callable[[Point], ReferenceJet]:
    """Jets of a metric of a normal law: an explicit inverse, and no derivative of any formula.

    ValueError for more than 40 components.
    """
    form: Any = metric.form
    assert isinstance(form, MeanAndCovariance)
    if form.law.mean.shape[0] > MOST_COMPONENTS:
        raise ValueError(f"{form.told} is not verified: matrices of {MOST_COMPONENTS} at most are inverted in digits")
    g = _metric_of(form.law, metric.coordinates)

    @cache
    def jet(point: Point) -> ReferenceJet:
        with precision.digits(MATRIX_DIGITS):
            steps = [_step(x, DIGITS_OF_OUTER_STEP) for x in point]

            def moved(moves: tuple[int, ...]) -> Any:
                return g([mpmath.mpf(x) + m * h for x, m, h in zip(point, moves, steps, strict=True)])

            found = jet_of_moves(moved, steps)
        root = np.array([mpmath.sqrt(v) for v in np.diagonal(found.g)], dtype=object)
        sizes = Jet(np.outer(root, root), abs(found.dg), abs(found.ddg))
        off = mpmath.mpf(10) ** -DIGITS_OF_JET
        return ReferenceJet(found, sizes, Jet(*(off * size for size in sizes)))

    return jet


def _step(x: Any, digits: int) -> Any:
    return mpmath.mpf(10) ** -digits * (abs(mpmath.mpf(x)) or 1)


def _metric_of(law: NormalLaw, coordinates: Sequence[Any]) -> Callable[[Sequence[Any]], Any]:
    """Function from coordinates to ∂_a μᵀ Σ⁻¹ ∂_b μ + ½ tr(Σ⁻¹ ∂_a Σ Σ⁻¹ ∂_b Σ)."""
    shape = law.matrix.shape
    values = in_mpmath(coordinates, [*law.matrix.written_out(), *law.mean.written_out()])

    def both(x: Sequence[Any]) -> tuple[Any, Any]:
        """Covariance, or precision, and mean."""
        found = np.array([mpmath.mpf(v) for v in values(*x)], dtype=object)
        count = shape[0] * shape[1]
        return found[:count].reshape(shape), found[count:]

    def g(x: Sequence[Any]) -> Any:
        matrix, _ = both(x)
        inverse = np.array((mpmath.matrix(matrix.tolist()) ** -1).tolist(), dtype=object).reshape(shape)
        forms = matrix if law.is_precision else inverse
        slopes, turns = [], []
        for k, c in enumerate(x):
            ahead, behind, h = list(x), list(x), _step(c, DIGITS_OF_STEP)
            ahead[k], behind[k] = c + h, c - h
            (one, mean), (other, mean_behind) = both(ahead), both(behind)
            slopes.append((mean - mean_behind) / (2 * h))
            turns.append(inverse @ (one - other) / (2 * h))
        n = len(x)
        found = np.empty((n, n), dtype=object)
        for a, b in combinations_with_replacement(range(n), 2):
            of_means = slopes[a] @ forms @ slopes[b]
            found[a, b] = found[b, a] = of_means + (turns[a] * turns[b].T).sum() / 2
        return found

    return g
