"""Kaufman's four products: ln Z and its derivatives against the products themselves at many digits."""

from __future__ import annotations

from math import nextafter

import mpmath
import pytest
from mpmath import mpf

from infogeom.kernels.gibbs.zero_field.kaufman import CRITICAL, sectors

#: Distance of the points of the differences, whose error then is far below float64; and digits to spare for them.
STEP = mpf(10) ** -15
DIGITS = 80
BETAS = [0.0001, 0.01, 0.3, 0.43, CRITICAL - 1e-9, CRITICAL, nextafter(CRITICAL, 1), CRITICAL + 1e-6, 0.5, 1.0, 2.0]


def products(beta: mpf, length: int, width: int) -> list[mpf]:
    """The four of Kaufman, odd before even and cosh before sinh."""
    c, s = mpmath.cosh(2 * beta), mpmath.sinh(2 * beta)
    odd = [mpmath.acosh(c * c / s - mpmath.cos(mpmath.pi * k / width)) for k in range(1, 2 * width, 2)]
    even = [mpmath.acosh(c * c / s - mpmath.cos(mpmath.pi * k / width)) for k in range(2, 2 * width, 2)]
    even.append(2 * beta + mpmath.log(mpmath.tanh(beta)))
    half = mpf(length) / 2
    return [mpmath.fprod(2 * f(half * x) for x in g) for g in (odd, even) for f in (mpmath.cosh, mpmath.sinh)]


def log_partition(beta: mpf, length: int, width: int) -> mpf:
    scale = length * width * mpmath.log(2 * mpmath.sinh(2 * beta)) / 2
    return mpmath.log(mpmath.fsum(products(beta, length, width)) / 2) + scale


@pytest.mark.parametrize("beta", BETAS)
@pytest.mark.parametrize(("length", "width"), [(3, 3), (6, 5), (5, 6), (32, 32), (3, 64)])
def test_the_log_partition_function_is_kaufmans_within_its_bounds(beta: float, length: int, width: int) -> None:
    found = sectors(beta, length, width)
    with mpmath.workdps(DIGITS):
        f = [log_partition(beta + k * STEP, length, width) for k in (-2, -1, 0, 1, 2)]
        first = (f[0] - 8 * f[1] + 8 * f[3] - f[4]) / (12 * STEP)
        second = (-f[0] + 16 * f[1] - 30 * f[2] + 16 * f[3] - f[4]) / (24 * STEP**2)
        third = (-f[0] + 2 * f[1] - 2 * f[3] + f[4]) / (12 * STEP**3)
        true = [f[2], first, second, third]
        errors = [abs(mpf(float(a)) - b) for a, b in zip(found.log_partition, true, strict=True)]
    assert all(error <= bound for error, bound in zip(errors, found.errors[0], strict=True))
    if 0.01 <= beta <= 1:
        assert all(bound <= 1e-12 * abs(x) for bound, x in zip(found.errors[0], true, strict=True))


@pytest.mark.parametrize("beta", BETAS)
def test_the_shares_are_those_of_kaufmans_products_within_their_bounds(beta: float) -> None:
    found = sectors(beta, 8, 7)
    with mpmath.workdps(DIGITS):
        value = products(mpf(beta), 8, 7)
        true = [x / mpmath.fsum(value) for x in value]
    # The last share is without its factor m, whose rounding error is that of numbers of about 1.
    for s, (share, bound) in enumerate(zip(found.shares[:, 0], found.errors[1][:, 0], strict=True)):
        factor, rounding = (1.0, 0.0) if s < 3 else (found.mass[0], 4 * 2.0**-53 * abs(share))
        assert abs(share * factor - true[s]) <= bound * abs(factor) + rounding + 2.0**-53


def test_at_the_critical_point_the_last_product_vanishes_and_its_share_stays() -> None:
    found = sectors(CRITICAL, 16, 16)
    assert abs(found.mass[0]) < 1e-15
    assert abs(found.shares[3, 0]) > 1
