"""Polylogarithms that compiled kernels may call, as `infogeom.kernels.compiled.float_functions` has its functions.

Orders s are multiples of ½.  What holds for Li_s(e^x) as for −Li_s(−e^x) is written once, with ε = −1 or 1.

Of half-integer order s = j + ½ > 0 they are ∫ u^(2j) p du / Γ(s) over the real line, p = 1 / (e^(u² − x) + ε) (DLMF
25.12.11), and the trapezoidal rule finds all digits by few terms, all positive: its error is what the poles of p at
u² = x + iπm contribute, e^(−2π Im u/h) by a step h (Trefethen & Weideman, SIAM Review 56 (2014) 385–458, Sec. 5).  The
pole i√−x of ε = −1, which comes close to the line, is taken out; of nodes at the multiples of the step and nodes in the
middle between them those are taken for which that adds to the sum.  Below s = ½ stand the derivatives of all this in x.
"""

from __future__ import annotations

from math import exp, expm1, gamma, isnan, log, log1p, nan, pi, sqrt

from numpy import array

from infogeom.kernels.compiled.float_functions import BERNOULLI, eta_weights

__all__ = ["bose_polylog", "fermi_polylog", "polylog"]

#: Largest order: beyond, the nodes do not reach far enough.
LARGEST_ORDER = 30
#: Smallest order, and so the most derivatives.
SMALLEST_ORDER = -7


def eulerian_numbers(rows: int) -> list[list[float]]:
    """A(n, k) for n and k below the number of rows, by A(n, k) = (k + 1) A(n − 1, k) + (n − k) A(n − 1, k − 1)."""
    table = [[1.0] + [0.0] * (rows - 1) for _ in range(rows)]
    for n in range(2, rows):
        for k in range(1, n):
            table[n][k] = (k + 1) * table[n - 1][k] + (n - k) * table[n - 1][k - 1]
    return table


def bessel_coefficients(rows: int) -> list[list[float]]:
    """The c(n, k) of Dⁿ (f/y) = Σ_k c(n, k) (−1)^k f^(k) / y^(2n + 1 − k), D = −(1/y) d/dy."""
    table = [[1.0] + [0.0] * (rows - 1) for _ in range(rows)]
    for n in range(1, rows):
        table[n][0] = (2 * n - 1) * table[n - 1][0]
        for k in range(1, n + 1):
            table[n][k] = (2 * n - 1 - k) * table[n - 1][k] + table[n - 1][k - 1]
    return table


#: Eulerian numbers.
EULERIAN = array(eulerian_numbers(9))
#: Coefficients of Bessel polynomials.
BESSEL = array(bessel_coefficients(9))
#: Nodes to a unit of u.
NODES_A_UNIT = 128
#: u² of the nodes.
SQUARES = array([(k / 128.0) ** 2 for k in range(1449)])
#: e^(u²) − 1 of the nodes.
RISES = array([expm1(square) for square in SQUARES])
#: Nodes to a step where a pole is taken out.
STRIDE_PAST_POLE = 32
#: The pole at √−x i counts up to here, where it lies beyond what the rule sees.
FAR_POLE = 100.0
#: From this x on Sommerfeld's expansion holds to the last digit.
SOMMERFELD = 48.0
#: Below this −x a series in powers of x converges fast and hardly cancels.
NEAR_ONE = 0.25
#: Signed weights of the terms of an alternating series.
ALTERNATING = array(eta_weights(28))
#: η(0), η(1), …
ETAS = array([sum(w * (n + 1.0) ** -k for n, w in reversed(list(enumerate(eta_weights(28))))) for k in range(61)])
#: ζ(0), nothing, ζ(2), …
ZETAS = array([nan if k == 1 else ETAS[k] / (1.0 - 2.0 ** (1 - k)) for k in range(61)])
#: ζ(−1), ζ(−3), … (DLMF 25.6.3).
NEGATIVE_ZETAS = array([-b / (2.0 * k + 2.0) for k, b in enumerate(BERNOULLI)])


def polylog(s: float, z: float) -> float:
    """Polylogarithm Li_s(z), z ≤ 1, s a multiple of ½ from −7 to 30; relative accuracy 2e-15.

    For s < −1 and z < 0, as of `fermi_polylog`.
    """
    if z > 0.0:
        return _bose(s, log(z), z, 1.0 - z)
    return -_fermi(s, log(-z), -z) if z < 0.0 else 0.0 * z


def bose_polylog(s: float, x: float) -> float:
    """Polylogarithm Li_s(e^x), s a multiple of ½ up to 30, x < 0, or x = 0 for s > 1; relative accuracy 2e-15."""
    return _bose(s, x, exp(x), -expm1(x))


def fermi_polylog(s: float, x: float) -> float:
    """Polylogarithm −Li_s(−e^x), s a multiple of ½ from −7 to 30; accuracy 2e-15, relative to its value for s ≥ −1.

    Below it has zeros, beside which the error is relative to that of order −½ or −1.
    """
    return _fermi(s, x, exp(min(x, 700.0)))


def _bose(s: float, x: float, z: float, rest: float) -> float:
    """Li_s(z) with x = log z and rest = 1 − z."""
    if not (x < 0.0 or (x == 0.0 and s > 1.0)) or not SMALLEST_ORDER <= s <= LARGEST_ORDER:
        return nan
    if s != int(s):
        return _half_order(-1.0, s, x, z, rest)
    if s > 1.0:
        return _bose_near_one(int(s), -x) if -x < NEAR_ONE else _bose_series(s, -x, z)
    if s == 1.0:
        return -log1p(-z) if z < 0.5 else -log(rest)
    return z / rest * _slope_share(-1.0, int(-s), z / rest, 1.0 / rest)


def _fermi(s: float, x: float, z: float) -> float:
    """−Li_s(−z) with x = log z."""
    if isnan(x) or not SMALLEST_ORDER <= s <= LARGEST_ORDER:
        return nan
    if s != int(s):
        return _sommerfeld(s, x) if x >= SOMMERFELD else _half_order(1.0, s, x, z, 1.0 + z)
    if s > 1.0:
        return _reflected(int(s), x, 1.0 / z) if x > 0.0 else _alternating(s, z)
    e = z if x < 0.0 else exp(-x) if x > 600.0 else 1.0 / z  # never beyond 1
    if s == 1.0:
        return max(x, 0.0) + log1p(e)
    small, large = e / (1.0 + e), 1.0 / (1.0 + e)
    p, q = (small, large) if x < 0.0 else (large, small)
    return p * _slope_share(1.0, int(-s), p, q)


def _slope_share(sign: float, n: int, p: float, q: float) -> float:
    """Derivative of order n of p = 1 / (e^−x + ε) in x, by p: Σ_k A(n, k) (−ε)^k p^k q^(n − k), q = 1 − εp."""
    if n == 0:
        return 1.0
    power, total = 1.0, 1.0
    for k in range(n - 2, -1, -1):
        power *= q
        total = EULERIAN[n, k] * power - sign * p * total
    return q * total


def _half_order(sign: float, s: float, x: float, z: float, rest: float) -> float:
    """−ε Li_s(−εz) with x = log z and rest = 1 + εz by nodes: the closer to each other, the closer the poles left."""
    j, n = max(int(s - 0.5), 0), max(int(0.5 - s), 0)
    step = 16 if x < 2.0 else (8 if x < 10.0 else 4)
    if n > 3:  # derivatives magnify what poles contribute
        step //= 2
    if sign < 0.0:
        step = STRIDE_PAST_POLE
    first = step if sign < 0.0 and j % 2 else step // 2

    # On the positive half of the line, up to where the integrand is lost beside the sum.
    total = 0.0
    end = min(SQUARES.size, int(NODES_A_UNIT * sqrt(max(x, 0.0) + 44.0 + 3.0 * j)))
    for k in range(first, end, step):
        below = RISES[k] + rest
        term = _slope_share(sign, n, z / below, (RISES[k] + 1.0) / below) / below
        for _ in range(j):
            term *= SQUARES[k]
        total += term
    total *= 2.0 * step / NODES_A_UNIT * z
    if sign < 0.0 and x > -FAR_POLE:
        total += _pole(j, n, -x)
    return total / gamma(j + 0.5)


def _pole(j: int, n: int, t: float) -> float:
    """What the pole i√t adds: 2π t^(j − ½) / (e^y ± 1), y = 2π√t/h, and its derivatives for j = 0."""
    a = 2.0 * pi * NODES_A_UNIT / STRIDE_PAST_POLE
    y = a * sqrt(t)
    e = exp(-y)
    if j % 2:
        return 2.0 * pi * t ** (j - 1) * (sqrt(t) * e / -expm1(-y) if t > 0.0 else 1.0 / a)
    p, q = e / (1.0 + e), 1.0 / (1.0 + e)
    if j > 0:
        return 2.0 * pi * t ** (j - 1) * sqrt(t) * p

    # −d/dt = (a²/2) D with D = −(1/y) d/dy.
    total = 0.0
    for k in range(n + 1):
        total = total / y + BESSEL[n, k] * _slope_share(1.0, k, p, q)
    for _ in range(n):
        total *= 0.5 * a * a / y
    return 2.0 * pi * a * p * total / y


def _bose_series(s: float, t: float, z: float) -> float:
    """Σ_n zⁿ n^−s, from its small terms on, t = −log z."""
    total = 0.0
    for n in range(int(40.0 / t) + 2, 0, -1):
        total = total * z + (1.0 * n) ** -s
    return total * z


def _bose_near_one(s: int, t: float) -> float:
    """Li_s(e^−t) of integer order s ≥ 2 by powers of t and a logarithm (DLMF 25.12.12 and its limit)."""
    power, total, harmonic = 1.0, 0.0, 0.0
    for k in range(s + 12):
        if k == s - 1:
            total += power * (harmonic - log(t)) if t > 0.0 else 0.0
        elif k <= s:
            total += power * ZETAS[s - k]
        elif (k - s) % 2:
            total += power * NEGATIVE_ZETAS[(k - s) // 2]
        power *= -t / (k + 1)
        harmonic += 1.0 / (k + 1)
    return total


def _alternating(s: float, z: float) -> float:
    """−Li_s(−z), 0 ≤ z ≤ 1, by the accelerated series."""
    total = 0.0
    for n in range(ALTERNATING.size - 1, -1, -1):
        total = total * z + ALTERNATING[n] * (n + 1.0) ** -s
    return total * z


def _reflected(s: int, x: float, inverse: float) -> float:
    """−Li_s(−e^x) of integer order s ≥ 2, x > 0, from that at −x and a polynomial (DLMF 25.12.7)."""
    total, term = 0.0, 2.0
    for k in range(1, s % 2 + 1):
        term *= x / k
    for k in range(s // 2, -1, -1):
        total += term * ETAS[2 * k]
        power = s - 2 * k
        term *= x / (power + 1) * (x / (power + 2))
    other = _alternating(s, inverse)
    return total + other if s % 2 else total - other


def _sommerfeld(s: float, x: float) -> float:
    """−Li_s(−e^x) of half-integer order at large x: 2 Σ_k η(2k) x^(s − 2k) / Γ(s + 1 − 2k)."""
    total, term, k = 1.0, 2.0, 0
    while abs(term) > 1e-17 and k < 24:
        term *= (s - 2 * k) / x * ((s - 2 * k - 1) / x)
        k += 1
        total += term * ETAS[2 * k]
    return x**s / gamma(s + 1.0) * total  # type: ignore[no-any-return]
