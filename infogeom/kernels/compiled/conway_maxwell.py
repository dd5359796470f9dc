"""Cumulants of Conway–Maxwell–Poisson laws that compiled kernels may call.

The terms of Z = Σ_n λ^n / n!^ν are largest about n + 1 = λ^(1/ν) = m and fall off on both sides of it, over a width of
σ = √(m/ν).  Products of their ratios λ/(n + 1)^ν give them one by one.  Where σ is large and the term of n = 0 nothing,
they are the values of a smooth function of n + 1 = m + d, and the trapezoidal rule of a step of σ/3 takes their sum to
all digits (Trefethen & Weideman, SIAM Review 56 (2014) 385–458, Sec. 6): its error, and what is between the sum and the
integral, falls as e^(−2π² (σ/step)²).
"""

from __future__ import annotations

from math import exp, inf, lgamma, log, log1p, nan, pi, sqrt

from numpy import float64, zeros
from numpy.typing import NDArray

from infogeom.kernels.compiled.float_functions import BERNOULLI

__all__ = ["log_conway_maxwell"]

Array = NDArray[float64]

#: Terms up to which they are summed one by one.
MOST_COUNTED = 2**17
#: What is left out, relative to the sum.
FORGOTTEN = 1e-18
#: m and ν m from which the term of n = 0 is nothing, and σ² from which the terms are smooth.
SMOOTH_MODE = 120.0
SMOOTH_VARIANCE = 9.0
#: Nodes to a width σ.
NODES_A_WIDTH = 3.0


def log_conway_maxwell(j: int, k: int, rate: float, nu: float) -> float:
    """Derivative of order j in log λ and k in ν of log Z = log Σ_n λ^n / n!^ν: (−1)^k times a cumulant of n and log n!.

    For λ > 0 and ν > 0, or ν = 0 and λ < 1.  Relative accuracy 1e-14 for j + k ≤ 2; beyond, relative to the root mean
    squares' product.  nan where λ and ν are so close to 1 and 0 that more than `MOST_COUNTED` count.
    """
    if not (0.0 < rate < inf and 0.0 <= nu < inf) or (nu == 0.0 and rate >= 1.0):
        return nan
    m = rate ** (1.0 / nu) if nu > 0.0 else 0.0
    moments = zeros((j + 1, k + 1))
    if m >= SMOOTH_MODE and nu * m >= SMOOTH_MODE and m >= SMOOTH_VARIANCE * nu:
        at, log_factorial, log_term = _smooth_moments(moments, m, nu)
    else:
        at, log_factorial, log_term = _counted_moments(moments, m, rate, nu)
    if j + k == 0:
        return log_term + log1p(moments[0, 0])
    total = 1.0 + moments[0, 0]
    for a in range(j + 1):
        for b in range(k + 1):
            moments[a, b] /= total
    value = _joint_cumulant(moments, j, k)
    if j + k == 1:
        value += at if j else log_factorial
    return -value if k % 2 else value


def _counted_moments(moments: Array, m: float, rate: float, nu: float) -> tuple[float, float, float]:
    """Add moments of d = n − c and of log n!/c! about the largest term, of which the first, 1, is left out.

    Returns c, log c! and the logarithm of the term there.
    """
    mode = int(m) if m < MOST_COUNTED else 0

    # Upwards: what is left is at most a geometric series, but for the powers of d and log n!.
    n, term, rise, scale, steps = mode, 1.0, 0.0, 0.0, 0
    while True:
        n += 1
        steps += 1
        ratio = rate * (1.0 * n) ** -nu
        term *= ratio
        rise += log(1.0 * n)
        size = _add(moments, term, 1.0 * steps, rise)
        scale += size
        growth = ratio * (1.0 + (moments.shape[0] + 2.0 * moments.shape[1]) / steps)
        if steps >= 3 and growth < 1.0 and size <= FORGOTTEN * (1.0 - growth) * scale:
            break
        if steps > MOST_COUNTED or m >= MOST_COUNTED:
            moments[0, 0] = nan
            return nan, nan, nan

    n, term, rise = mode, 1.0, 0.0
    while n > 0:
        term *= (1.0 * n) ** nu / rate
        rise -= log(1.0 * n)
        n -= 1
        size = _add(moments, term, 1.0 * (n - mode), rise)
        scale += size
        if n * size <= FORGOTTEN * scale and mode - n >= 3:
            break
    log_factorial = lgamma(mode + 1.0)
    return 1.0 * mode, log_factorial, mode * log(rate) - nu * log_factorial


def _smooth_moments(moments: Array, m: float, nu: float) -> tuple[float, float, float]:
    """Add moments about n + 1 = m by nodes at multiples of a step, the first term being 1, and the step times the sum.

    Returns m − 1, log Γ(m) and the logarithm of the term there times the step.
    """
    step, base = sqrt(m / nu) / NODES_A_WIDTH, _stirling_rest(m)
    for sign in (-1.0, 1.0):
        scale, size, i = 0.0, inf, 0
        while size > FORGOTTEN * scale:
            i += 1
            d = sign * i * step
            t = d / m
            # log Γ(m + d)/Γ(m) = d log m + excess by Stirling's series; the term is λ^d by its power −ν.
            excess = (d - 0.5) * t + (m + d - 0.5) * _log1p_excess(t) + (_stirling_rest(m + d) - base)
            size = _add(moments, exp(-nu * excess), d, d * log(m) + excess)
            scale += size
    half = 0.5 * log(2.0 * pi)
    log_term = nu * (m - 0.5 * log(m) - half - base) + log(step)
    return m - 1.0, (m - 0.5) * log(m) - m + half + base, log_term


def _add(moments: Array, term: float, d: float, rise: float) -> float:
    """Add a term to the moments; the size of what it adds to the highest."""
    power, last = term, 0.0
    for a in range(moments.shape[0]):
        product = power
        for b in range(moments.shape[1]):
            moments[a, b] += product
            last = product
            product *= rise
        power *= d
    return abs(last)


def _joint_cumulant(moments: Array, j: int, k: int) -> float:
    """κ_jk from moments: μ_(a+1, b) = Σ C(a, i) C(b, n) κ_(i+1, n) μ_(a−i, b−n), and the same in b for κ_(0, b)."""
    kappa = zeros((j + 1, k + 1))
    for a in range(j + 1):
        for b in range(k + 1):
            if a + b == 0:
                continue
            in_a, in_b = (1, 0) if a > 0 else (0, 1)
            total, over = moments[a, b], 1.0
            for i in range(in_a, a + 1):
                choose = over
                for n in range(in_b, b + 1):
                    if i < a or n < b:
                        total -= choose * kappa[i, n] * moments[a - i, b - n]
                    choose *= (b - n) / (n + 1.0 - in_b)
                over *= (a - i) / (i + 1.0 - in_a)
            kappa[a, b] = total
    return kappa[j, k]  # type: ignore[no-any-return]


def _log1p_excess(t: float) -> float:
    """log(1 + t) − t."""
    if abs(t) > 0.3:
        return log1p(t) - t
    r = t / (2.0 + t)
    square, series = r * r, 0.0
    for n in range(12, 0, -1):
        series = series * square + 1.0 / (2.0 * n + 1.0)
    return 2.0 * r * square * series - t * r


def _stirling_rest(u: float) -> float:
    """Log Γ(u) − (u − ½) log u + u − ½ log 2π for u ≥ 20 (DLMF 5.11.1)."""
    square, series = 1.0 / (u * u), 0.0
    for n in range(6, -1, -1):
        series = series * square + BERNOULLI[n] / ((2.0 * n + 1.0) * (2.0 * n + 2.0))
    return series / u
