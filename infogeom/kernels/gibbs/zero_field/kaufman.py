"""Partition function of the Ising torus without a field, as Kaufman's sum of four products, to third order in β.

Kaufman (Phys. Rev. 76 (1949) 1232): with cosh γ(φ) = cosh²(2β) / sinh(2β) - cos φ on W columns and L rows,

    Z = ½ (2 sinh 2β)^{LW/2} [Π_odd 2 cosh(Lγ/2) + Π_odd 2 sinh(Lγ/2) + Π_even 2 cosh(Lγ/2) + Π_even 2 sinh(Lγ/2)]

over odd and even multiples φ of π / W, where γ(0) = 2β + ln tanh β, negative above the critical temperature.  In
v = tanh β there, or v = e^(-2β) below it (dual to each other, so that v ≤ √2 - 1), a mode is

    (2 sinh 2β)^{1/2} e^{γ/2} ∝ √(d + e),   d = |1 - v e^{iφ}|²,   e = 4v⁴ sin²φ / (b + √(b² + 4v⁴ sin²φ)),
    e^{-γ} = v (1 - v²) / (d + e),          b = ½ (1 + v²)(m + 4v sin²(φ/2)),   m = 1 - 2v - v²,

and Π d = (1 ± v^W)²: nothing cancels, and what is left, of order v⁴, is what the energy fluctuates by at both ends.  At
φ = 0 the product of sinh has the factor m, which vanishes at the critical point, and stays apart.
"""

from __future__ import annotations

from math import cosh, exp, log, sqrt, tanh
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.gibbs.zero_field.taylor import (
    exponential,
    logarithm,
    logarithm_of_one_and,
    power,
    product,
    quotient,
    root,
    series,
)

__all__ = ["CRITICAL", "Sectors", "sectors"]

Array = NDArray[Any]
ONE = series(1.0)
#: Inverse temperature at which the infinite lattice orders, ½ ln(1 + √2).
CRITICAL = log(1 + sqrt(2)) / 2
#: Relative error of an operation times those that a coefficient of a mode takes, which are random in sign.
MODE_ROUNDING = 16 * 2.0**-53


class Sectors(NamedTuple):
    """The four products, as series of order 3 in the difference of β from a point.

    Attributes
    ----------
    cold : bool
        Whether β is beyond the critical point.
    v, mass : ndarray, shape (4,)
        The variable v of the products, and m = 1 - 2v - v².
    log_partition : ndarray, shape (4,)
        ln Z.
    shares : ndarray, shape (4, 4)
        Share of each product in Z (first axis: odd and cosh, odd and sinh, even and cosh, even and sinh), that of the
        last one divided by m.
    errors : tuple of ndarray, shapes (4,) and (4, 4)
        Bounds on the errors of ``log_partition`` and ``shares``.
    """

    cold: bool
    v: Array
    mass: Array
    log_partition: Array
    shares: Array
    errors: tuple[Array, Array]


def sectors(beta: float, length: int, width: int) -> Sectors:
    """Products of the length × width torus at β ≥ 0 and what each has of Z."""
    cold = beta > CRITICAL
    v, smooth = _variable(beta, cold)
    mass = ONE - 2 * v - product(v, v)
    logs, sizes = _logarithms(v, mass, length, width)

    # The products relative to the first, in which all is positive.
    sign = 1.0 if cold else -1.0
    relative = [exponential(log_product - logs[0]) for log_product in logs]
    relative[3] *= sign
    total = relative[0] + relative[1] + relative[2] + product(mass, relative[3])
    log_partition = length * width * smooth + logs[0] + logarithm_of_one_and(total / 2 - ONE)
    shares = np.stack([quotient(part, total) for part in relative])

    # An error of a logarithm weighs in ln Z as much as its product's share, in a share as much as that itself.
    factors = np.abs(np.concatenate([shares[:3], product(mass, shares[3])[None]]))
    each = [product(factor, size) for factor, size in zip(factors, sizes, strict=True)]
    whole = np.sum(each, axis=0)
    of_shares = [product(np.abs(share), size + whole) for share, size in zip(shares, sizes, strict=True)]
    whole += length * width * MODE_ROUNDING * np.abs(smooth)
    return Sectors(cold, v, mass, log_partition, shares, (whole, np.stack(of_shares)))


def _variable(beta: float, cold: bool) -> tuple[Array, Array]:
    """Return v, and ln Z of a site but for its modes."""
    if cold:
        return exp(-2 * beta) * series(1.0, -2.0, 2.0, -4 / 3), series(2 * beta, 2.0)
    t, u = tanh(beta), 1 / cosh(beta) ** 2
    return series(t, u, -t * u, u * (3 * t * t - 1) / 3), series(log(2 * cosh(beta) ** 2), 2 * t, u, -2 * t * u / 3)


def _logarithms(v: Array, mass: Array, length: int, width: int) -> tuple[list[Array], list[Array]]:
    """Logarithms of the four products, that of the last divided by ± m, and bounds on their errors."""
    odd, odd_decay = _modes(v, mass, (2 * np.arange(width) + 1) * np.pi / width, length)
    even, even_decay = _modes(v, mass, 2 * np.arange(1, width) * np.pi / width, length)
    tour = power(v, width)
    antiperiodic = np.column_stack([length * logarithm_of_one_and(tour), odd])
    periodic = np.column_stack([length * logarithm_of_one_and(-tour), even])
    # At φ = 0, e^{-γ} = v (1 + v) / (1 - v) and 1 - e^{-Lγ} = m (1 - v)^{-L} Π_j √(m² + 4v (1 - v²) sin²(πj/L)).
    zero = power(quotient(product(v, ONE + v), ONE - v), length)
    squares = 4 * np.sin(np.pi * np.arange(1, length) / length) ** 2
    even_cosh, even_sinh = logarithm_of_one_and(even_decay), logarithm_of_one_and(-even_decay)
    steps = product(mass, mass)[:, None] + product(v, ONE - product(v, v))[:, None] * squares
    products = [
        [antiperiodic, logarithm_of_one_and(odd_decay)],
        [antiperiodic, logarithm_of_one_and(-odd_decay)],
        [periodic, even_cosh, logarithm_of_one_and(zero)[:, None]],
        [
            periodic,
            even_sinh,
            -length * logarithm_of_one_and(-v)[:, None],
            logarithm(steps) / 2,
        ],
    ]
    sums, sizes = [], []
    for terms in products:
        flat = np.concatenate(terms, axis=1)
        sums.append(flat.sum(axis=1))
        sizes.append(MODE_ROUNDING * np.abs(flat).sum(axis=1))
    return sums, sizes


def _modes(v: Array, mass: Array, phi: Array, length: int) -> tuple[Array, Array]:
    """Return ½ L ln(1 + e / d) and e^{-Lγ} of each φ."""
    squares = 4 * np.sin(phi / 2) ** 2
    v2 = product(v, v)
    d = product(ONE - v, ONE - v)[:, None] + v[:, None] * squares
    b = product(ONE + v2, mass)[:, None] / 2 + product(ONE + v2, v)[:, None] * squares / 2
    s = 4 * product(v2, v2)[:, None] * np.sin(phi) ** 2
    e = quotient(s, b + root(product(b, b) + s))
    decay = quotient(product(v, ONE - v2)[:, None], d + e)
    return length / 2 * logarithm_of_one_and(quotient(e, d)), power(decay, length)
