"""Special functions that compiled kernels may call; plain Python that numba compiles as it stands.

Every function is accurate relative to its value, to 1e-14 or as its docstring says, wherever arguments and value are
normal float64 numbers, and takes one path for all arguments where it can, so that loops over it vectorise.  Sums of
one sign replace differences: the recurrence that takes an argument to where the asymptotic series holds, minus the
same recurrence of what is subtracted, has terms that are written out without cancellation.  Outside the domain: nan.

Formulas: the NIST Digital Library of Mathematical Functions (DLMF), by their numbers.
"""

from __future__ import annotations

from math import asinh, expm1, hypot, log, log1p, nan, pi

from numpy import empty

__all__ = [
    "bessel_ratio", "bessel_ratio_curve", "bessel_ratio_slope", "digamma_difference", "lgamma_difference", "log_bessel",
    "log_zeta", "polygamma", "polygamma_excess",
]  # fmt: skip

#: Bernoulli numbers B_2 … B_20 of the asymptotic series.
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
#: B_2k / (2k − 1) 2k B_(2k − 2).
RATIOS = tuple(BERNOULLI[k] / BERNOULLI[k - 1] / ((2 * k + 1) * (2 * k + 2)) for k in range(1, 10))
#: Steps of the recurrence before the asymptotic series.
SHIFT = 10
#: The zero of ψ, rounded.
DIGAMMA_ZERO = 1.4616321449683622
#: What rounding leaves off it.
DIGAMMA_ZERO_REST = 9.549995429965697e-17


def polygamma(m: int, x: float) -> float:
    """Polygamma function ψ^(m)(x), m ≥ 0, x > 0.

    Relative accuracy 1e-14 for m ≤ 4, beside the zero of ψ too.  The recurrence (DLMF 5.15.5), then 5.15.8.
    """
    if m == 0:
        return _digamma(x)
    total = 0.0
    for k in range(SHIFT - 1, -1, -1):
        inverse = 1.0 / (x + k)
        power = inverse
        for _ in range(m):
            power *= inverse
        total += power
    inverse, leading = 1.0 / (x + SHIFT), 1.0
    for k in range(1, m):
        leading *= k
    total *= leading * m
    for _ in range(m):
        leading *= inverse
    value = total + (leading + _tail(m, x + SHIFT))
    return (value if m % 2 else -value) if x > 0.0 else nan


def _digamma(x: float) -> float:
    """ψ(x), beside its zero as the difference from there."""
    if 1.0 < x < 2.5:
        return _digamma_gap(DIGAMMA_ZERO, x, (x - DIGAMMA_ZERO) - DIGAMMA_ZERO_REST)
    y, rest = _lifted(x)
    return log(y) - rest


def _lifted(x: float) -> tuple[float, float]:
    """The first y ≥ `SHIFT` of x, x + 2, …, and log y − ψ(x)."""
    y, total = x, 0.0 if x > 0.0 else nan
    while y < SHIFT:
        total += (2.0 * y + 1.0) / (y * (y + 1.0))
        y += 2.0
    return y, total + _tail(0, y)


def _tail(m: int, y: float) -> float:
    """(−1)^(m+1) times ψ^(m)(y) without its leading term, for y ≥ `SHIFT` (DLMF 5.11.2, 5.15.8)."""
    inverse = 1.0 / y
    w, series = inverse * inverse, 1.0
    for k in range(8, -1, -1):
        series = 1.0 + w * (RATIOS[k] * ((m + 2 * k + 2) * (m + 2 * k + 3))) * series
    series = 0.5 + inverse * ((m + 1) / 12) * series
    for k in range(m):
        series *= (k + 1) * inverse
    return series * inverse


def polygamma_excess(m: int, x: float) -> float:
    """ψ^(m)(x) without the leading term of its asymptotic series: ψ(x) − log x, ψ′(x) − 1/x, ψ″(x) + 1/x², …; x > 0.

    The derivative of one is the next.  Relative accuracy 1e-14 for m ≤ 4.
    The recurrence minus that of the leading term, m p^(m+1) − (p^m − q^m) = p Σ_j p^(m−j) (p^j − q^j), p = 1/x, q =
    1/(x + 1).
    """
    if m == 0:
        y, rest = _lifted(x)
        return log(y / max(x, 1e-300)) - rest
    total = 0.0
    p = 1.0 / (x + SHIFT)
    for k in range(SHIFT - 1, -1, -1):
        p, q = 1.0 / (x + k), p
        power, difference, terms = p, 0.0, 0.0
        for _ in range(m):
            power *= q
            difference = p * difference + power
            terms = p * terms + difference
        total += p * terms
    for k in range(1, m):
        total *= k
    value = total + _tail(m, x + SHIFT)
    return (value if m % 2 else -value) if x > 0.0 else nan


def digamma_difference(x: float, a: float) -> float:
    """ψ(x + a) − ψ(x) for x > 0, x + a > 0; relative accuracy 1e-14 for every a.

    It has no zero but a = 0.
    """
    s = x + a
    return _digamma_gap(x, s, a) if x > 0.0 and s > 0.0 else nan


def _digamma_gap(x: float, s: float, a: float) -> float:
    """ψ(s) − ψ(x), a = s − x: terms of the sign of a (DLMF 5.7.7), then 5.11.2 with a taken out of its difference."""
    total = a / max(x, s) / min(x, s)
    for k in range(1, SHIFT):
        total += a / (s + k) * (1.0 / (x + k))
    y, z = x + SHIFT, s + SHIFT
    p, q = 1.0 / y, 1.0 / z
    u, v, power, complete, series = p * p, q * q, 1.0, 1.0, 0.0
    for k in range(10):  # complete = Σ u^i v^j over i + j = k
        series += BERNOULLI[k] / (2 * k + 2) * complete
        power *= v
        complete = u * complete + power
    return total + (_log_ratio(y, z, a) + a * p * q * (0.5 + (p + q) * series))


def _log_ratio(y: float, z: float, a: float) -> float:
    """log(z/y), a = z − y."""
    t = a / y
    if -0.5 < t < 1.0:
        return log1p(t)
    ratio = z / y
    return log(ratio) if 1e-290 < ratio < 1e290 else log(z) - log(y)


def lgamma_difference(x: float, a: float) -> float:
    """Difference log Γ(x + a) − log Γ(x) for x > 0, x + a > 0.

    Relative accuracy 1e-14 where the difference is not near a zero other than a = 0; there, on either side of 1.4616,
    as much is lost as a change of x and x + a in their last bits does: the error stays below 1e-14 |a|.
    DLMF 5.5.1 below `SHIFT`, then 5.11.1 with a taken out of its difference.
    """
    s = x + a
    if not (x > 0.0 and s > 0.0):
        return nan
    shift, y, z = 0.0, x, s
    if min(x, s) < SHIFT:
        low, top = min(x, 1e30), min(s, 1e30)  # beyond, s log s dwarfs the logarithm of the product
        numerator, denominator, difference = 1.0, 1.0, 0.0
        for k in range(1, SHIFT):
            difference = difference * (low + k) + numerator * a
            numerator *= top + k
            denominator *= low + k
        shift = _log_ratio(x, s, a) + _log_ratio(denominator, numerator, difference)
        y, z = x + SHIFT, s + SHIFT
    p, q = 1.0 / y, 1.0 / z
    u, v, w = p * p, q * q, p * q
    complete, left, right, series = 1.0, 1.0, 1.0, 0.0
    for k in range(10):  # complete = Σ p^i q^j over i + j = 2k
        series += BERNOULLI[k] / ((2 * k + 1) * (2 * k + 2)) * complete
        left *= u
        right *= v
        complete = left + right + w * complete
    t = a / y
    linear = _log_ratio(y, z, a) * (y - 0.5) if abs(t) > 1e-290 else a * (1.0 - 0.5 * p)
    return linear + a * (log(z) - 1.0) - a * w * series - shift


def bessel_ratio(nu: float, x: float) -> float:
    """Ratio A = I_(ν+1)(x) / I_ν(x) of modified Bessel functions, ν ≥ 0, x ≥ 0; relative accuracy 1e-15.

    For ν = 0 the mean resultant length of a von Mises law, for ν = d/2 − 1 that of a von Mises–Fisher law.
    """
    return _bessel_ratios(nu, x)[0]


def bessel_ratio_slope(nu: float, x: float) -> float:
    """Derivative A′ = 1 − A² − (2ν + 1) A / x of `bessel_ratio` in x, 1/(2ν + 2) at x = 0.

    Relative accuracy 1e-14, but 2e-14 for ν < 1 and 15 < x < 30: an error j orders above counts (2j + 1) times.
    """
    return _bessel_ratios(nu, x)[1]


def bessel_ratio_curve(nu: float, x: float) -> float:
    """Second derivative A″ of `bessel_ratio` in x; accuracy as of `bessel_ratio_slope`, and no more derivatives."""
    return _bessel_ratios(nu, x)[2]


def _bessel_ratios(nu: float, x: float) -> tuple[float, float, float]:
    """A, A′ and A″: the recurrence (DLMF 10.33.1 and its derivatives) down from where Debye's expansion holds."""
    if not (nu >= 0.0 and x >= 0.0):
        return nan, nan, nan
    R = hypot(nu, x)
    steps, order = 0, _debye_order(R)
    if R < DEBYE_RADIUS:
        steps, order = int(7.0 + min(x, 9.0)), 8 if x < 10.0 else 14
    A, slope, curve = _debye(order, nu + steps, x)
    if steps == 0:
        return A, slope, curve
    g, T = A / x if x > 0.0 else 0.0, x * x
    for k in range(steps, 0, -1):
        G, h = 2.0 * (nu + k), g
        g = 1.0 / (G + T * h)
        curve = g * g * x * (2.0 * g * (T * slope * slope - G * (2.0 * slope + h)) - x * curve)
        slope = g * g * (G - T * slope)
    return x * g, slope, curve


def log_bessel(nu: float, x: float) -> float:
    """Logarithm log I_ν(x) of a modified Bessel function, ν ≥ 0, x > 0.

    Relative accuracy 1e-14, for ν = 0 everywhere; for ν > 0 the logarithm has a zero, beside which the error stays
    below 1e-14 (ν + x).
    The power series DLMF 10.25.2, a sum of one sign, or the uniform expansion 10.41.3.
    """
    if not (nu >= 0.0 and x > 0.0):
        return nan
    R = hypot(nu, x)
    if R < DEBYE_RADIUS:
        return nu * log(0.5 * x) + (_log_series(nu, x) - lgamma_difference(1.0, nu))
    t = nu / x
    slope = asinh(t) if t < 1e290 else log(nu) - log(0.5 * x)
    return (R - nu * slope) - (0.5 * (log(R) + log(2.0 * pi)) - _log_debye(_debye_order(R), nu, x))


def _log_series(nu: float, x: float) -> float:
    """log(Γ(ν + 1) (2/x)^ν I_ν(x))."""
    square = 0.25 * x * x
    total = term = square / (nu + 1.0)
    k = 1.0
    while term > 1e-17 * total:
        k += 1.0
        term *= square / (k * (nu + k))
        total += term
    return log1p(total)


def _debye_order(R: float) -> int:
    """How many terms the uniform expansion takes from R = √(ν² + x²) ≥ `DEBYE_RADIUS` on."""
    if R < 60.0:
        return 20
    if R < 400.0:
        return 14
    return 8 if R < 1e5 else 4


def _log_debye(order: int, nu: float, x: float) -> float:
    """Logarithm of the series of DLMF 10.41.3: x f′ = (1 − P) Σ_n q_n(P) R^(1−n) over n ≥ 2, as in `_debye`.

    A term c P^j R^(1−n) of f becomes −(n − 1 + 2j) c (1 − P) P^j R^(1−n).
    """
    r = 1.0 / hypot(nu, x)
    P = nu * r * (nu * r)
    at = len(DEBYE) - order * (order + 1) // 2
    total = 0.0
    for n in range(order, 1, -1):
        f, m = 0.0, 3.0 * n - 3.0
        for _ in range(n):
            f = f * P - DEBYE[at] / m
            m -= 2.0
            at += 1
        total = (total + f) * r
    return total


def _debye(order: int, nu: float, x: float) -> tuple[float, float, float]:
    """A, A′ and A″ from x I_ν′/I_ν = ν + x A = R + (1 − P) Σ_n q_n(P) R^(1−n), R² = ν² + x², P = ν²/R².

    The uniform expansion DLMF 10.41.3 and 10.41.5 of the logarithmic derivative, with the q_n of `debye_coefficients`.
    """
    R = hypot(nu, x)
    r, p, X = 1.0 / R, nu / R, x / R
    P = p * p
    at = len(DEBYE) - order * (order + 1) // 2
    F = F1 = F2 = 0.0  # Σ q_nj P^j r^n with weights 1, m and m (m + 2), where P^j r^(n+1) = ν^2j R^−m
    for n in range(order, 0, -1):
        f = f1 = f2 = 0.0
        m = 3.0 * n - 1.0
        for _ in range(n):
            q = DEBYE[at]
            f, f1, f2 = f * P + q, f1 * P + m * q, f2 * P + m * (m + 2.0) * q
            m -= 2.0
            at += 1
        F, F1, F2 = (F + f) * r, (F1 + f1) * r, (F2 + f2) * r
    slope = r * (p / (1.0 + p) + F - X * X * F1)
    curve = X * r * r * (X * X * F2 - 3.0 * F1 - p * (2.0 + p) / ((1.0 + p) * (1.0 + p)))
    return X * (1.0 / (1.0 + p) + F), slope, curve


def debye_coefficients(order: int) -> tuple[float, ...]:
    """Coefficients of q_order … q_1, each from its highest power down, from Riccati's equation of the expansion.

    x u′ + u² = R² for u = x I_ν′/I_ν: 2 q_(n+1) = (1 − P) ((n − 1) q_n + 2 P q_n′ − Σ q_i q_(n+1−i)) − 2 P q_n.
    """
    rows = [[-0.5]]
    for n in range(1, order):
        q = [*rows[-1], 0.0]
        s = [(n - 1 + 2 * j) * q[j] for j in range(n)] + [0.0]
        for i in range(n):
            for j in range(i + 1):
                for k in range(n - i):
                    s[j + k] -= rows[i][j] * rows[n - 1 - i][k]
        # Times 1 − P, and − 2 P q_n: the coefficient before counts against each but the first.
        row = [(s[j] - (s[j - 1] + 2.0 * q[j - 1])) / 2.0 for j in range(1, n + 1)]
        rows.append([s[0] / 2.0, *row])
    return tuple(c for row in reversed(rows) for c in reversed(row))


#: Beyond this √(ν² + x²) the expansion needs no steps.
DEBYE_RADIUS = 30.0
#: Coefficients of the expansion, those of the highest order first.
DEBYE = debye_coefficients(20)


def log_zeta(m: int, s: float) -> float:
    """Derivative of order m of log ζ(s), s > 1; relative accuracy 1e-14 for m ≤ 5, which has the sign of (−1)^m.

    From ζ(s) = η(s) / (1 − 2^(1−s)) (DLMF 25.2.3), where η is entire and all that s → 1 magnifies is the denominator.
    """
    if not s > 1.0:
        return nan
    z, rest = 2.0 ** (1.0 - s), -expm1((1.0 - s) * log(2.0))
    if m == 0:
        return _log_eta(m, s) - (log(rest) if z > 0.5 else log1p(-z))
    # Derivatives of −log(1 − e^−v), v = (s − 1) log 2, are polynomials in y = 1 / (e^v − 1), and y′ = −y (1 + y).
    y, value, c = z / rest, 0.0, empty(m)
    for n in range(m):
        c[n] = 1.0 if n == 0 else 0.0
        for k in range(n, 0, -1):
            c[k] = (k + 1) * c[k] + k * c[k - 1]
    for k in range(m - 1, -1, -1):
        value = (value + c[k]) * y
    return (-log(2.0)) ** m * value + _log_eta(m, s)


def _log_eta(m: int, s: float) -> float:
    """Derivative of order m of log η(s), from those of η(s) = Σ (−1)^n (n + 1)^−s, which `ETA` accelerates."""
    eta, value = empty(m + 1), empty(m + 1)
    eta[:] = 0.0
    for n in range(len(ETA) - 1, 0, -1):
        term = ETA[n] * (n + 1.0) ** -s
        for k in range(m + 1):
            eta[k] += term
            term *= -LOGARITHMS[n]
    value[0] = log1p(eta[0])
    for n in range(1, m + 1):
        total, binomial = eta[n], 1.0
        for k in range(1, n):
            total -= binomial * value[k] * eta[n - k]
            binomial *= (n - k) / k
        value[n] = total / (1.0 + eta[0])
    return value[m]  # type: ignore[no-any-return]


def eta_weights(terms: int) -> tuple[float, ...]:
    """Signed weights of (n + 1)^−s in η(s), to within η(s) / (3 + √8)^terms and relative to each term at large s.

    Borwein, CMS Conf. Proc. 27 (2000) 29–34, Algorithm 2.
    """
    term, sums = 1, [1]
    for n in range(terms):
        term = term * 4 * (terms + n) * (terms - n) // ((2 * n + 1) * (2 * n + 2))
        sums.append(sums[-1] + term)
    return tuple((-1) ** n * ((sums[-1] - sums[n]) / sums[-1]) for n in range(terms))


#: Weights of the terms of η(s).
ETA = eta_weights(28)
#: Logarithms of their numbers.
LOGARITHMS = tuple(log(n + 1.0) for n in range(28))
