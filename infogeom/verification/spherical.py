"""The spherical model by its log-partition function and that function's slopes, in many digits.

Over one wave number ⟨log(m − β cos k)⟩ = log[(m + √(m² − β²))/2]; over the others, in m = μ − β Σ cos k, the
trapezoidal rule converges geometrically.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations_with_replacement, product
from math import factorial, prod
from typing import Any

import mpmath
import numpy as np
import sympy

from infogeom.kernels.curvature.jet import Jet
from infogeom.verification.reference import Point, ReferenceJet

__all__ = ["by_slopes"]

#: Wave numbers in (0, π) of each further dimension.
WAVE_NUMBERS = 40
#: Smallest Δ, in terms of β, at which so many give twenty digits.
LEAST_GAP_OF_WAVES = 0.2


def by_slopes(d: int) -> Callable[[Point], ReferenceJet]:
    """Jets of g = ∂∂ψ from the slopes of L(β, h, μ), whose least value over μ is ψ; ∂∂g, which R does without, is 0.

    ValueError near the transition, where it would take more wave numbers.
    """

    @cache
    def jet(point: Point) -> ReferenceJet:
        g, dg = _total(_slopes(d, *map(mpmath.mpf, point)))
        nothing = np.full((2,) * 4, mpmath.mpf(0))
        value = Jet(g, dg, nothing)
        return ReferenceJet(value, Jet(abs(g), abs(dg), nothing), Jet(0 * g, 0 * dg, nothing))

    return jet


@cache
def _over_one(b: int, k: int) -> Callable[..., Any]:
    """Derivatives along β and μ of ⟨log D⟩ over one wave number, in β, μ and the sum c of the other cosines."""
    beta, mu, c = sympy.symbols("beta mu c")
    m = mu - beta * c
    mean = sympy.log((m + sympy.sqrt(m**2 - beta**2)) / 2)
    return sympy.lambdify([beta, mu, c], mean.diff(beta, b, mu, k), "mpmath")  # type: ignore[no-any-return]


def _slopes(d: int, beta: Any, h: Any) -> Callable[..., Any]:
    """Derivatives of L along (β, h, μ) of given orders, at the saddle point."""
    cosines = [mpmath.cos(mpmath.pi * (j + mpmath.mpf(1) / 2) / WAVE_NUMBERS) for j in range(WAVE_NUMBERS)]
    sums = []
    for at in combinations_with_replacement(range(WAVE_NUMBERS), d - 1):
        repeats = prod(factorial(at.count(j)) for j in {*at})
        share = mpmath.mpf(factorial(d - 1)) / repeats / WAVE_NUMBERS ** (d - 1)
        sums.append((share, mpmath.fsum(cosines[j] for j in at)))

    def slope_at(mu: Any, b: int, p: int, k: int) -> Any:
        delta, q = mu - d * beta, b + k
        power = [h**2 / 4, h / 2, mpmath.mpf(1) / 2, 0][p]
        found = power * (-d) ** b * (-1) ** q * factorial(q) / delta ** (q + 1)
        if not p:
            function = _over_one(b, k)
            found -= mpmath.fsum(share * function(beta, mu, c) for share, c in sums) / 2
        return found + (b + p == 0 and k == 1)

    low, high = (d + LEAST_GAP_OF_WAVES) * beta, d * beta + (1 + mpmath.sqrt(1 + 4 * h * h)) / 4
    if slope_at(low, 0, 0, 1) > 0:
        raise ValueError("too near the transition for the trapezoidal rule")
    mu = mpmath.findroot(lambda mu: slope_at(mu, 0, 0, 1), (low, high), solver="illinois")
    return cache(lambda *orders: slope_at(mu, *orders))


def _total(slope: Callable[..., Any]) -> tuple[Any, Any]:
    """Second and third derivatives of the least value over μ."""

    def along(*at: int) -> Any:
        """Derivative of L along coordinates, of which 2 is μ."""
        return slope(*(at.count(i) for i in range(3)))

    g, dg = np.empty((2, 2), dtype=object), np.empty((2, 2, 2), dtype=object)
    mu = [-along(i, 2) / along(2, 2) for i in range(2)]
    for i, j in product(range(2), repeat=2):
        g[i, j] = along(i, j) - along(i, 2) * along(j, 2) / along(2, 2)
        for k in range(2):
            once = along(i, j, 2) * mu[k] + along(i, k, 2) * mu[j] + along(j, k, 2) * mu[i]
            twice = along(i, 2, 2) * mu[j] * mu[k] + along(j, 2, 2) * mu[i] * mu[k] + along(k, 2, 2) * mu[i] * mu[j]
            dg[i, j, k] = along(i, j, k) + once + twice + along(2, 2, 2) * mu[i] * mu[j] * mu[k]
    return g, dg
