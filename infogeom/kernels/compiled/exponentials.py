"""Functions of exponentials that compiled kernels may call, as `infogeom.kernels.compiled.float_functions` has them.

Accurate to 1e-15 relative to their value, or as the docstring says, for all real arguments.
"""

from __future__ import annotations

from math import exp, expm1, log, log1p

from numpy import empty

__all__ = [
    "inverse_mills", "inverse_mills_by", "log_exprel", "log_normal_cdf", "log_normal_cdf_by", "log_sum_exp",
    "mills_ratio", "softmax",
]  # fmt: skip


def log_sum_exp(*a: float) -> float:
    """Logarithm log Σ_k e^{a_k} of n terms; relative accuracy 1e-15, or relative to log n if all a_k are negative."""
    at = _largest(a)
    rest = 0.0
    for k in range(len(a)):
        if k != at:
            rest += _exp_of_difference(a[k], a[at])
    return a[at] + log1p(rest)


def softmax(k: int, *a: float) -> float:
    """Share e^{a_k} / Σ_j e^{a_j}; relative accuracy 1e-15."""
    total = 1.0
    for j in range(len(a)):
        if j != k:
            total += _exp_of_difference(a[j], a[k])
    return 1.0 / total


def _largest(a: tuple[float, ...]) -> int:
    """Place of the largest number."""
    at = 0
    for k in range(1, len(a)):
        if a[k] > a[at]:
            at = k
    return at


def _exp_of_difference(a: float, b: float) -> float:
    """e^(a − b), with what rounding leaves off the difference (Knuth's exact sum of two).

    Where the power is 0 or infinite that matters no more, and need not be small.
    """
    d = a - b
    taken = a - d
    left = (a - (d + taken)) + (taken - b)
    return exp(d) * (1.0 + left if abs(d) < 800.0 else 1.0)


def log_normal_cdf(x: float) -> float:
    """Logarithm log Φ(x) of the normal distribution function; relative accuracy 1e-15."""
    return log_normal_cdf_by(x, mills_ratio(abs(x)))


def inverse_mills(x: float) -> float:
    """Inverse Mills ratio φ(x)/Φ(x) of the normal law; relative accuracy 1e-15."""
    return inverse_mills_by(x, mills_ratio(abs(x)))


def log_normal_cdf_by(x: float, mills: float) -> float:
    """The same by the Mills ratio of |x|."""
    if x < 0.0:
        return log(DENSITY * mills) - 0.5 * x * x
    return log1p(-DENSITY * _gauss(x) * mills)


def inverse_mills_by(x: float, mills: float) -> float:
    """The same by the Mills ratio of |x|."""
    if x < 0.0:
        return 1.0 / mills
    density = DENSITY * _gauss(x)
    return density / (1.0 - density * mills)


def _gauss(x: float) -> float:
    """e^(−x²/2), x ≥ 0: the square in two parts, of which the larger is exact (Dekker)."""
    x = min(x, 40.0)
    t = 134217729.0 * x
    high = t - (t - x)
    return exp(-0.5 * high * high) * exp(-0.5 * (x - high) * (x + high))


def mills_ratio(x: float) -> float:
    """Mills ratio Φ(−x)/φ(x), x ≥ 0: (1 + x) times it is a Chebyshev series in (x − 9/2) / (x + 9/2).

    As Shepherd and Laframboise, Math. Comp. 36 (1981) 249–253, have it for erfc.
    """
    y = (x - 4.5) / (x + 4.5)
    b = before = 0.0
    for k in range(len(MILLS) - 1, 0, -1):
        b, before = 2.0 * y * b - before + MILLS[k], b
    return (y * b - before + MILLS[0]) / (1.0 + x)


#: 1 / √(2π).
DENSITY = 0.3989422804014327
#: Coefficients of the Chebyshev series; those left off are below 2⁻⁵⁵.
MILLS = (
    1.1622890943668538, -0.16244622078463714, -0.0204420878340828, 0.03153832633685455,
    -0.014396293456628505, 0.004174355739111582, -0.0007986591609294063, 7.909827811208719e-05,
    4.839998445548529e-06, -2.6875369141045505e-06, 1.8469327970966853e-07, 6.065118777046067e-08,
    -1.0348101767189742e-08, -1.3782705896431845e-09, 4.1438506799746544e-10, 3.82129211147382e-11,
    -1.608166208256312e-11, -1.4793610582723638e-12, 6.341710473685976e-13, 7.63822929407988e-14,
    -2.4847197145454417e-14, -4.4899732086149836e-15, 8.977340218480423e-16, 2.6763696237508087e-16,
    -2.4120044880240295e-17, -1.5162266967670302e-17,
)  # fmt: skip


def log_exprel(m: int, t: float) -> float:
    """Derivative of order m of log((e^t − 1)/t); relative accuracy 3e-15 for m ≤ 3, beside zeros of higher ones less.

    For |t| < 3 the power series, beyond by y = 1/(e^t − 1): derivatives of that are polynomials, and y′ = −y (1 + y).
    """
    size = abs(t)
    if size < EXPREL_REACH:
        return _log_exprel_by_powers(m, t)
    if m == 0:
        return max(t, 0.0) + log1p(-exp(-size)) - log(size)
    y, value, pole, c = exp(-size) / -expm1(-size), 0.0, 1.0, empty(m)
    if m == 1:
        return 1.0 + y - 1.0 / t if t > 0.0 else 1.0 / size - y

    # Of |t|: the derivatives of even order are even, those of odd order odd.
    for n in range(m):
        c[n] = 1.0 if n == 0 else 0.0
        for k in range(n, 0, -1):
            c[k] = (k + 1) * c[k] + k * c[k - 1]
        pole *= max(n, 1) / size
    for k in range(m - 1, -1, -1):
        value = (value + c[k]) * y
    return pole - value if m % 2 == 0 or t < 0.0 else value - pole


def _log_exprel_by_powers(m: int, t: float) -> float:
    """The same for |t| < `EXPREL_REACH`: t/2 + Σ B_n t^n/(n n!) over even n, term by term."""
    square, value, least = t * t, 0.0, max(2, m + m % 2)
    for n in range(2 * len(EXPREL), least - 2, -2):
        term = EXPREL[n // 2 - 1]
        for k in range(1, m):
            term *= n - k
        value = value * square + (term if m else term / n)
    if m == 0:
        return t * (0.5 + t * value)
    return 0.5 + t * value if m == 1 else (t * value if m % 2 else value)


def exprel_coefficients(terms: int) -> tuple[float, ...]:
    """B_n/n! for n = 2, 4, …, whose halves w have (n + ½) w_n = Σ w_k w_(n−k) (DLMF 24.14.2)."""
    sizes = [1.0 / 24.0]
    for n in range(2, terms + 1):
        total = 0.0
        for k in range(1, n):
            total += sizes[k - 1] * sizes[n - k - 1]
        sizes.append(total / (n + 0.5))
    return tuple((2.0 if n % 2 == 0 else -2.0) * size for n, size in enumerate(sizes))


#: Where the power series, of radius 2π, gives way.
EXPREL_REACH = 3.0
#: Its coefficients, but for n.
EXPREL = exprel_coefficients(40)
