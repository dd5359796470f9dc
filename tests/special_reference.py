"""Definitions of functions that kernels call and of logistic ones in mpmath, to any precision."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import sympy
from mpmath import mpf

__all__ = ["DEFINITIONS", "exactly"]


def polygamma_excess(m: int, x: Any) -> Any:
    return mpmath.psi(m, x) - (mpmath.log(x) if m == 0 else (-1) ** (m + 1) * mpmath.factorial(m - 1) / x**m)


def bessel_ratio(nu: Any, x: Any) -> Any:
    return mpmath.besseli(nu + 1, x) / mpmath.besseli(nu, x)


def bessel_ratio_slope(nu: Any, x: Any) -> Any:
    A = bessel_ratio(nu, x)
    return 1 - A**2 - (2 * nu + 1) * A / x


def bessel_ratio_curve(nu: Any, x: Any) -> Any:
    A, slope = bessel_ratio(nu, x), bessel_ratio_slope(nu, x)
    return -2 * A * slope - (2 * nu + 1) * (slope / x - A / x**2)


def log_zeta(m: int, s: Any) -> Any:
    if s < 20:
        with mpmath.extradps(10):
            return mpmath.diff(lambda t: mpmath.log(mpmath.zeta(t)), s, m)
    most = int(2 * 10 ** ((mpmath.mp.dps + 2 * m) / s)) + 2
    powers = [(p**k, k) for p in mpmath.libmp.list_primes(most) for k in range(1, most.bit_length()) if p**k <= most]
    return mpmath.fsum((-mpmath.log(n)) ** m * mpf(n) ** -s / k for n, k in powers)


@cache
def _derivative_of_exprel(m: int) -> Callable[..., Any]:
    t = sympy.Symbol("t")
    return sympy.lambdify(t, (sympy.log(sympy.exp(t) - 1) - sympy.log(t)).diff(t, m), "mpmath")  # type: ignore[no-any-return]


def log_exprel(m: int, t: Any) -> Any:
    with mpmath.extradps((m + 2) * int(abs(mpmath.log10(abs(t))))):
        return _derivative_of_exprel(m)(mpf(t)) if m else mpmath.log(mpmath.expm1(t) / t)


def log_conway_maxwell(j: int, k: int, rate: Any, nu: Any) -> Any:
    """By the power series of log Z in steps of log λ and ν, its terms summed from n = 0 on."""
    s, t = sympy.symbols("s t")
    found, n, largest = {}, 0, mpf(0)
    for a in range(j + 1):
        for b in range(k + 1):
            found[a, b] = mpf(0)
    while True:
        f = mpmath.loggamma(n + 1)
        w = mpmath.exp(n * mpmath.log(rate) - nu * f)
        for a, b in found:
            found[a, b] += w * mpf(n) ** a * (-f) ** b
        largest, n = max(largest, w), n + 1
        if n > 3 and w * mpf(n) ** (j + 2 * k + 2) < largest * mpmath.eps and rate < mpf(n) ** nu:
            break
    Z = sympy.Add(
        *(sympy.Symbol(f"m{a}_{b}") * s**a * t**b / sympy.factorial(a) / sympy.factorial(b) for a, b in found)
    )
    slope = sympy.log(Z).diff(s, j, t, k) if j and k else sympy.log(Z).diff(s if j else t, j + k)
    values = {f"m{a}_{b}": value for (a, b), value in found.items()}
    return sympy.lambdify(list(map(sympy.Symbol, values)), slope.subs({s: 0, t: 0}), "mpmath")(*values.values())


DEFINITIONS: dict[str, Callable[..., Any]] = {
    "polygamma": mpmath.psi,
    "polygamma_excess": polygamma_excess,
    "digamma_difference": lambda x, a: mpmath.digamma(x + a) - mpmath.digamma(x),
    "lgamma_difference": lambda x, a: mpmath.loggamma(x + a) - mpmath.loggamma(x),
    "bessel_ratio": bessel_ratio,
    "bessel_ratio_slope": bessel_ratio_slope,
    "bessel_ratio_curve": bessel_ratio_curve,
    "log_normal_cdf": lambda x: mpmath.log(mpmath.ncdf(x)) if x < 1 else mpmath.log1p(-mpmath.ncdf(-x)),
    "inverse_mills": lambda x: mpmath.npdf(x) / mpmath.ncdf(x),
    "log_bessel": lambda nu, x: mpmath.log(mpmath.besseli(nu, x)),
    "log_zeta": log_zeta,
    "log_conway_maxwell": log_conway_maxwell,
    "log_exprel": log_exprel,
    "polylog": lambda s, z: mpmath.re(mpmath.polylog(s, z)),
    "bose_polylog": lambda s, x: mpmath.polylog(s, mpmath.exp(x)),
    "fermi_polylog": lambda s, x: -mpmath.re(mpmath.polylog(s, -mpmath.exp(x))),
    "expit": lambda u: 1 / (1 + mpmath.exp(-u)),
    "log_sum_exp": lambda *a: mpmath.log(mpmath.fsum(map(mpmath.exp, a))),
    "softmax": lambda k, *a: mpmath.exp(a[k]) / mpmath.fsum(map(mpmath.exp, a)),
    "softplus": lambda u: mpmath.log(1 + mpmath.exp(u)),
}


def exactly(name: str, *arguments: Any, digits: int = 50) -> Any:
    """Value at arguments taken exactly: digits for every power of ten that may cancel, until two values agree."""
    definition, previous = DEFINITIONS.get(name) or getattr(mpmath, name), None
    dps = digits + 10 + 3 * int(sum(abs(mpmath.log10(abs(a))) for a in arguments if a))
    while True:
        with mpmath.workdps(dps):
            value = definition(*(a if isinstance(a, int) else mpf(a) for a in arguments))
            if previous is not None and abs(value - previous) <= mpf(10) ** -digits * abs(value):
                return value
        previous, dps = value, dps + 30
