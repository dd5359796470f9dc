"""The L × L Ising torus on h = 0 by transfer of single sites, with Taylor series in β and moments of M: no more."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numba
import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
#: Coefficients of a series: values and three derivatives.
TERMS = 4
CRITICAL = float(np.log1p(np.sqrt(2)) / 2)


class Observables(NamedTuple):
    """⟨M²⟩, s = ∂_β ln⟨M²⟩ with two derivatives, and C = ∂²_β ln Z."""

    M2: float
    s: float
    ds: float
    dds: float
    C: float


class Maximum(NamedTuple):
    """Where s has its maximum, and that."""

    location: float
    value: float


@cache
def rows(L: int) -> tuple[Array, Array]:
    """Rows of spins up to translations, mirror images and flips, and how many are like each."""
    like: dict[int, int] = {}
    everything = (1 << L) - 1
    for row in range(1 << L):
        mirrored = int(f"{row:0{L}b}"[::-1], 2)
        images = []
        for image in (row, mirrored, everything - row, everything - mirrored):
            images += [((image << k) | (image >> (L - k))) & everything for k in range(L)]
        like[min(images)] = like.get(min(images), 0) + 1
    return np.array(list(like)), np.array(list(like.values()), dtype=float)


def logarithm(a: Array) -> Array:
    """Logarithm of a series, a′ = (log a)′ a."""
    found = [np.log(a[0])]
    for n in range(1, TERMS):
        found.append((a[n] - sum(k * found[k] * a[n - k] for k in range(1, n)) / n) / a[0])
    return np.array(found)


@numba.njit(cache=False)
def traced(L: int, beta: float, starts: Array, like: Array) -> Array:
    """Coefficients of (β′ − β)^k and of h⁰ and h² in Z: from each row to begin with over L rows, site by site."""
    bonds, found = np.empty((7, TERMS)), np.zeros((TERMS, 2))
    for energy in range(-3, 4):
        coefficient = np.exp(energy * beta)
        for k in range(TERMS):
            bonds[energy, k] = coefficient  # negative ones from the end
            coefficient *= energy / (k + 1)
    for n, start in enumerate(starts):
        v, u = np.zeros((1 << L, 3, TERMS)), np.zeros((1 << L, 3, TERMS))
        v[start, 0, 0] = 1
        for site in range(L * L):
            j = site % L
            for row in range(1 << L):
                spin = 2 * (row >> j & 1) - 1
                left = 2 * (row >> (j - 1) & 1) - 1 if j else 0
                left += 2 * (row & 1) - 1 if j == L - 1 else 0
                u[row] = 0.0
                for above in (0, 1):
                    before, energy = row & ~(1 << j) | above << j, spin * (2 * above - 1 + left)
                    for h in range(3):
                        for k in range(TERMS):
                            total = 0.0
                            for m in range(k + 1):
                                total += v[before, h, m] * bonds[energy, k - m]
                            u[row, h, k] += total
                for k in range(TERMS):
                    u[row, 2, k] += spin * u[row, 1, k] + u[row, 0, k] / 2
                    u[row, 1, k] += spin * u[row, 0, k]
            v, u = u, v
        found += like[n] * v[start, ::2].T
    return found


@cache
def ising(L: int, beta: float) -> Observables:
    """Observables at β."""
    found = traced(L, beta, *rows(L))
    lnZ, ln_moment = logarithm(found[:, 0]), logarithm(2 * found[:, 1])
    ln_M2 = ln_moment - lnZ
    return Observables(float(np.exp(ln_M2[0])), ln_M2[1], 2 * ln_M2[2], 6 * ln_M2[3], 2 * lnZ[2])


@cache
def maximum(L: int) -> Maximum:
    """Maximum of s by Newton's method."""
    beta = CRITICAL - 0.5894 / L - 0.3065 / L**2
    at, step = ising(L, beta), np.inf
    while abs(step) > 1e-6:  # the next one would be its square
        at = ising(L, beta)
        step = -at.ds / at.dds
        beta += step
    return Maximum(beta, at.s + at.ds * step / 2)
