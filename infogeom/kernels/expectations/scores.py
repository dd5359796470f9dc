"""Whether the metric of a law without closed form is singular at a point: by combinations of its scores that vanish.

g is singular where a combination of the scores vanishes at every outcome.  Scores are analytic functions of the outcome
between the kinks of a density: one that vanishes, in many digits, at more outcomes in general position than there are
parameters vanishes everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray
from sympy import Symbol

from infogeom import precision
from infogeom.kernels.expectations.jets import expectations_of
from infogeom.numeric.multiprecision import in_mpmath
from infogeom.symbolic import Expectation

__all__ = ["Scores", "scores_of"]

Array = NDArray[np.float64]
#: Decimal digits of the scores.
SCORE_DIGITS = 100
#: Decimal digits to which a combination vanishes.
VANISHING_DIGITS = 70
#: Outcomes looked at: so many more than parameters.
MORE = 12
#: What a parameter that is smaller is changed by.
LEAST_CHANGE = 1e-20
#: Samples of which scores are looked at, at most.
FEW_SAMPLES = 64


class Scores:
    """Scores of the laws of a metric, in mpmath.

    Parameters
    ----------
    form : infogeom.symbolic.Expectation
    x : tuple of Symbol
        Coordinates.
    """

    def __init__(self, form: Expectation, x: tuple[Symbol, ...]) -> None:
        self._n = len(x)
        self._expectations = expectations_of(form, x)
        self._few = form.samples is None or len(form.samples) <= FEW_SAMPLES
        self._scores = []
        for law in form.laws:
            arguments = list(law.variables + x + form.inputs)
            self._scores.append(in_mpmath(arguments, law.derivatives(x, 1)))

    def null_directions(self, point: Sequence[float]) -> Array:
        """Orthonormal directions (n − rank, n) in which the law does not change at a point; none where that is open.

        They are the combinations of scores, as columns over the outcomes, that vanish: right singular vectors, each
        score in its own unit, to a singular value of 0.
        """
        with precision.digits(SCORE_DIGITS):
            rows = self._at(point) if self._few else []
            if not rows:
                return np.empty((0, self._n))
            scores, vanishing = mpmath.matrix(rows), mpmath.mpf(10) ** -VANISHING_DIGITS
            size = [mpmath.norm(scores[:, k]) for k in range(self._n)]
            if not all(map(mpmath.isfinite, size)):
                return np.empty((0, self._n))

            # A score that changes nothing when the parameter changes by itself is rounding, and none: 0 in any unit,
            # which then is that of the parameter.
            unit, back = list(size), list(size)
            for k, c in enumerate(point):
                if size[k] < vanishing / max(abs(c), LEAST_CHANGE):
                    unit[k], back[k] = mpmath.inf, 1 / (abs(mpmath.mpf(c)) or 1)
            _, singular, V = mpmath.svd_r(mpmath.matrix([_divided(row, unit) for row in rows]))

            directions = []
            for k in range(self._n):
                if singular[k] < vanishing:
                    direction = _divided(V[k, :], back)
                    length = mpmath.norm(direction)
                    directions.append([float(v / length) for v in direction])
        return np.linalg.qr(np.array(directions).reshape(-1, self._n).T)[0].T

    def _at(self, point: Sequence[float]) -> list[list[Any]]:
        """Scores at outcomes, a row each; none where a law does not show where it is."""
        rows = []
        for k, data, outcomes in self._expectations.outcomes(np.array(point, dtype=float), self._n + MORE):
            if outcomes is None:
                return []
            theta = [mpmath.mpf(float(c)) for c in list(point) + list(data)]
            for x in outcomes:
                variables = map(mpmath.mpf, np.atleast_1d(x).tolist())
                scores = self._scores[k](*variables, *theta)
                rows.append(list(map(mpmath.mpf, scores)))
        return rows


def _divided(row: Iterable[Any], units: Sequence[Any]) -> list[Any]:
    return [value / unit for value, unit in zip(row, units, strict=True)]


@lru_cache(maxsize=32)
def scores_of(form: Expectation, x: tuple[Symbol, ...]) -> Scores:
    """The scores of a form in coordinates, kept."""
    return Scores(form, x)
