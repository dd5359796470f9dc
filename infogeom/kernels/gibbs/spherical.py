"""Spherical models: cumulants at the saddle point, by sums over wave vectors.

With D = Δ + β e, e = Σ_i (1 − cos k_i), and L = μ − ½⟨log D⟩ + h²/4Δ, Δ = μ − dβ, the saddle point is at ∂_μ L = 0.
Along v_i = ∂_i + (∂_i μ) ∂_μ the second and third derivatives of L are those of ψ, for what the slopes of v add is
multiplied by ∂_μ L. With η = −∂_β Δ and u = ∂h − (h/Δ) ∂Δ along v,

    κ(v, v) = ½⟨δ²⟩ + u²/2Δ,   κ(v, v, v) = −⟨δ³⟩ − 3 u² ∂Δ/2Δ²,   δ_β = (e − η)/D,   δ_h = ∂_h μ / D:

sums of squares, without a difference of large terms. Wave vectors are those of the double-exponential rule towards
k = 0, where 1/D peaks; half as many tell how far the sums have converged.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement, permutations
from math import factorial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from infogeom.kernels.curvature.loops import UNIT
from infogeom.kernels.gibbs.cumulants import Maker, PointCumulants, maker_for
from infogeom.models.spherical import Spherical

Array = NDArray[np.float64]
#: Step of the double-exponential rule, and its range.
STEP_OF_WAVES = 1 / 20
RANGE_OF_WAVES = 3.2
#: How much larger than the square of the change from half of the wave vectors an error may be, relatively.
MARGIN_OF_WAVES = 30.0
#: Least logarithm of Δ.
LEAST_LOG = -60.0
#: Roundings in a term of a sum.
OF_WAVE = 256.0


@maker_for(Spherical)
class _SphericalModels(Maker):
    points = 1

    def cumulants(self, points: Array) -> PointCumulants:
        """Per site."""
        m = len(points)
        tensors = [np.full((2,) * rank + (m,), np.nan) for rank in (1, 2, 3)]
        errors = [np.full_like(tensor, np.inf) for tensor in tensors]
        for p, (beta, h) in enumerate(points):
            found = _at_point(self.structure.d, float(beta), float(h))
            for k, (values, bounds) in enumerate(zip(found.tensors, found.errors, strict=True)):
                tensors[k][..., p], errors[k][..., p] = values, bounds
        return PointCumulants(tensors[0], tensors[1], tensors[2], (errors[0], errors[1], errors[2]))


class _Found(NamedTuple):
    """Mean, second and third cumulants, with bounds on their errors."""

    tensors: tuple[Array, Array, Array]
    errors: tuple[Array, Array, Array]


@cache
def _waves(d: int, stride: int) -> tuple[Array, Array]:
    """Values of e = Σ_i (1 − cos k_i) over wave vectors, and their weights, which add up to 1."""
    count = round(RANGE_OF_WAVES / STEP_OF_WAVES)
    u = STEP_OF_WAVES * np.arange(-count, count + 1, stride)

    # k = π / (1 + e^−2q) in (0, π): both ends are approached double exponentially.
    q = np.pi / 2 * np.sinh(u)
    slopes = np.cosh(u) / np.cosh(q) ** 2
    e, weights = 2 * np.sin(np.pi / 2 / (1 + np.exp(-2 * q))) ** 2, slopes / slopes.sum()

    # Of wave vectors that differ by the order of their components one stands for all.
    number = np.indices((len(u),) * d).reshape(d, -1)
    number = number[:, (np.diff(number, axis=0) >= 0).all(0)]
    equal = (np.diff(number, axis=0) == 0).sum(0)
    ways = factorial(d) / np.array([1, 2, 6])[equal]
    return e[number].sum(0), ways * weights[number].prod(0)


def _at_point(d: int, beta: float, h: float) -> _Found:
    """Cumulants with bounds: those of half the wave vectors are off by about the root of the relative error."""
    delta = _saddle(d, beta, h)
    if not delta > 0:
        nothing = [np.full((2,) * rank, np.nan) for rank in (1, 2, 3)]
        unknown = [np.full((2,) * rank, np.inf) for rank in (1, 2, 3)]
        return _Found((nothing[0], nothing[1], nothing[2]), (unknown[0], unknown[1], unknown[2]))
    fine, sizes, shift = _cumulants(_waves(d, 1), d, beta, h, delta)
    coarse, _, _ = _cumulants(_waves(d, 2), d, beta, h, delta)
    errors = []
    for value, other, size in zip(fine, coarse, sizes, strict=True):
        change = np.abs(value - other)
        converged = change * np.minimum(1.0, MARGIN_OF_WAVES * change / np.where(size > 0, size, 1.0))
        errors.append(converged + size * (OF_WAVE * UNIT + shift))
    return _Found(fine, (errors[0], errors[1], errors[2]))


def _saddle(d: int, beta: float, h: float) -> float:
    """Δ where ½⟨1/D⟩ + h²/4Δ² = 1; nan where there is none, in the condensed phase."""
    e, weights = _waves(d, 1)

    def excess(log_delta: float) -> float:
        delta = np.exp(log_delta)
        return float((weights / (delta + beta * e)).sum() / 2 + (h / delta) ** 2 / 4 - 1)

    high = np.log((1 + np.sqrt(1 + 4 * h * h)) / 4) + 1e-9  # from ½⟨1/D⟩ ≤ 1/2Δ
    low = max(np.log(abs(h) / 2) - 1e-9, LEAST_LOG) if h else LEAST_LOG
    if excess(low) <= 0:
        return float("nan")
    return float(np.exp(brentq(excess, low, high, xtol=1e-15, rtol=8.9e-16)))


def _cumulants(
    waves: tuple[Array, Array], d: int, beta: float, h: float, delta: float
) -> tuple[tuple[Array, Array, Array], tuple[Array, Array, Array], float]:
    """Cumulants, the sums of the magnitudes of their terms, and how far the error of Δ moves them, relatively."""
    e, weights = waves
    D = delta + beta * e
    curvature = (weights / D**2).sum() / 2 + h**2 / (2 * delta**3)  # −∂²L/∂μ²
    eta = (weights * e / D**2).sum() / 2 / curvature
    of_mu = h / (2 * delta**2) / curvature
    directions = [(e - eta) / D, of_mu / D]
    of_delta = np.array([-eta, of_mu])
    u = np.array([0.0, 1.0]) - h / delta * of_delta

    # ⟨E⟩ and ⟨M⟩ are the slopes of L itself.
    mean = np.array([(weights * (d - e) / D).sum() / 2 + d * h**2 / (4 * delta**2), h / (2 * delta)])
    of_mean = np.array([(weights * np.abs(d - e) / D).sum() / 2 + d * h**2 / (4 * delta**2), abs(h) / (2 * delta)])
    second, third, of_second, of_third = np.empty((2, 2)), np.empty((2,) * 3), np.empty((2, 2)), np.empty((2,) * 3)
    for i, j in combinations_with_replacement(range(2), 2):
        product = weights * directions[i] * directions[j]
        second[i, j] = second[j, i] = product.sum() / 2 + u[i] * u[j] / (2 * delta)
        of_second[i, j] = of_second[j, i] = np.abs(product).sum() / 2 + abs(u[i] * u[j]) / (2 * delta)
        for k in range(j, 2):
            terms = product * directions[k]
            of_field = (of_delta[i] * u[j] * u[k] + of_delta[j] * u[i] * u[k] + of_delta[k] * u[i] * u[j]) / (
                2 * delta**2
            )
            size = np.abs(terms).sum() + abs(of_field)
            for at in permutations((i, j, k)):
                third[at], of_third[at] = -terms.sum() - of_field, size
    shift = OF_WAVE * UNIT / (curvature * delta)
    if h == 0:  # by the flip of all spins
        for tensor in (mean, second, third, of_mean, of_second, of_third):
            odd = np.indices(tensor.shape).sum(0) % 2 == 1
            tensor[odd] = 0.0
    return (mean, second, third), (of_mean, of_second, of_third), float(shift)
