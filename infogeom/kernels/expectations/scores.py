"""Whether the metric of a law without closed form is singular at a point: by combinations of its scores that vanish.

g is singular where a combination of the scores vanishes at every outcome.  Scores are analytic functions of the outcome
between the kinks of a density: one that vanishes, in many digits, at more outcomes in general position than there are
parameters vanishes everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
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
#: Digits, and those to which a combination vanishes.
DIGITS, VANISHING = 100, 70
#: Outcomes looked at: so many more than parameters.
MORE = 12
#: What a parameter that is smaller is changed by.
LEAST = 1e-20
#: Most samples whose scores are looked at.
MOST_SAMPLES = 64


class Scores:
    """Scores of the laws of a metric, in mpmath.

    Parameters
    ----------
    metric : Metric
        With laws of one variable each.
    """

    def __init__(self, form: Expectation, x: tuple[Symbol, ...]) -> None:
        samples, self._n = form.samples, len(x)
        self._expectations = expectations_of(form, x)
        self._few = samples is None or len(samples) <= MOST_SAMPLES
        arguments = [*x, *(samples.symbols if samples else ())]
        self._scores = [
            in_mpmath([*law.variables, *arguments], [law.log_density.diff(c) for c in x]) for law in form.laws
        ]

    def null_directions(self, point: Sequence[float]) -> Array:
        """Orthonormal directions (n − rank, n) in which the law does not change at a point; none where that is open."""
        with precision.digits(DIGITS):
            rows = self._at(point) if self._few else []
            size = [mpmath.norm([row[k] for row in rows]) for k in range(self._n)]
            if not rows or not all(mpmath.isfinite(s) for s in size):
                return np.empty((0, self._n))
            # A score that changes nothing when the parameter changes by itself is rounding.
            least = [mpmath.mpf(10) ** -VANISHING / max(abs(c), LEAST) for c in point]
            unit = [s if s >= t else mpmath.inf for s, t in zip(size, least, strict=True)]
            scaled = [[v / s for v, s in zip(row, unit, strict=True)] for row in rows]
            _, singular, V = mpmath.svd_r(mpmath.matrix(scaled))
            null = [k for k in range(self._n) if singular[k] < mpmath.mpf(10) ** -VANISHING]
            size = [
                s if mpmath.isfinite(s) else 1 / (abs(mpmath.mpf(c)) or 1) for s, c in zip(unit, point, strict=True)
            ]
            directions = [[V[k, c] / size[c] for c in range(self._n)] for k in null]
            directions = [[float(v / mpmath.norm(row)) for v in row] for row in directions]
        return np.linalg.qr(np.array(directions).reshape(-1, self._n).T)[0].T

    def _at(self, point: Sequence[float]) -> list[list[Any]]:
        """Scores at outcomes, a row each; none where a law does not show where it is."""
        rows = []
        for k, data, outcomes in self._expectations.outcomes(point, self._n + MORE):
            if outcomes is None:
                return []
            theta = [mpmath.mpf(float(c)) for c in (*point, *data)]
            rows += [[mpmath.mpf(v) for v in self._scores[k](mpmath.mpf(float(x)), *theta)] for x in outcomes]
        return rows


@lru_cache(maxsize=32)
def scores_of(form: Expectation, x: tuple[Symbol, ...]) -> Scores:
    """The scores of a form in coordinates, kept."""
    return Scores(form, x)
