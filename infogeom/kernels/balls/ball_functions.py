"""The functions that generated kernels call, in ball arithmetic: enclosures at the precision ``flint.ctx.prec``.

A value lies in the ball returned, whatever points of the arguments' balls are meant; an argument may also be an int or
a float, taken exactly.  Outside a function's real domain, or where a ball reaches beyond it, the ball is nan.
Combinations that cancel are evaluated at a higher precision, so that the balls of exact arguments are as narrow as the
precision allows.  This module needs nothing but python-flint: worker processes import it.
"""

from __future__ import annotations

from collections.abc import Callable

from flint import acb, arb, ctx

from infogeom.kernels.balls.conway_maxwell import log_conway_maxwell
from infogeom.kernels.balls.rising import CANCELLATION_BITS, derivative_of_series, refined

__all__ = [
    "acos", "asin", "asinh", "atan", "atanh", "bessel_ratio", "bessel_ratio_curve", "bessel_ratio_slope",
    "bose_polylog", "cos", "cosh", "digamma_difference", "erf", "erfc", "exp", "expit", "expm1", "fabs",
    "fermi_polylog", "gamma", "inverse_mills", "lgamma", "lgamma_difference", "log", "log1p", "log_bessel",
    "log_conway_maxwell", "log_exprel", "log_normal_cdf", "log_sum_exp", "log_zeta", "polygamma", "polygamma_excess",
    "polylog", "removable", "sign", "sin", "sinh", "softmax", "softplus", "sqrt", "tan", "tanh", "zeta",
]  # fmt: skip

Real = arb | int | float

#: What sources call for constants.
NAMED_BALLS: dict[str, Callable[[], arb]] = {
    "pi": arb.pi,
    "e": arb.const_e,
    "euler": arb.const_euler,
    "catalan": arb.const_catalan,
}


def exp(u: Real) -> arb:
    """Exponential function."""
    return arb(u).exp()


def log(u: Real) -> arb:
    """Natural logarithm."""
    return arb(u).log()


def log1p(u: Real) -> arb:
    """Logarithm log(1 + u)."""
    return arb(u).log1p()


def expm1(u: Real) -> arb:
    """e^u − 1."""
    return arb(u).expm1()


def sqrt(u: Real) -> arb:
    """Square root."""
    return arb(u).sqrt()


def sin(u: Real) -> arb:
    """Sine."""
    return arb(u).sin()


def cos(u: Real) -> arb:
    """Cosine."""
    return arb(u).cos()


def tan(u: Real) -> arb:
    """Tangent."""
    return arb(u).tan()


def sinh(u: Real) -> arb:
    """Hyperbolic sine."""
    return arb(u).sinh()


def cosh(u: Real) -> arb:
    """Hyperbolic cosine."""
    return arb(u).cosh()


def tanh(u: Real) -> arb:
    """Hyperbolic tangent."""
    return arb(u).tanh()


def asin(u: Real) -> arb:
    """Inverse sine."""
    return arb(u).asin()


def acos(u: Real) -> arb:
    """Inverse cosine."""
    return arb(u).acos()


def atan(u: Real) -> arb:
    """Inverse tangent."""
    return arb(u).atan()


def asinh(u: Real) -> arb:
    """Inverse hyperbolic sine."""
    return arb(u).asinh()


def atanh(u: Real) -> arb:
    """Inverse hyperbolic tangent; narrow beside ±1 too, where FLINT's own was not before 3.3."""
    return (log1p(u) - log1p(-u)) / 2


def erf(u: Real) -> arb:
    """Error function."""
    return arb(u).erf()


def erfc(u: Real) -> arb:
    """Complement 1 − erf(u)."""
    return arb(u).erfc()


def gamma(u: Real) -> arb:
    """Gamma function."""
    return arb(u).gamma()


def lgamma(u: Real) -> arb:
    """Logarithm of Γ(u), u > 0."""
    return arb(u).lgamma()


def fabs(u: Real) -> arb:
    """Absolute value."""
    return abs(arb(u))


def sign(u: Real) -> arb:
    """−1 or 1, or all between where u may be 0; nan at 0, where it jumps."""
    u = arb(u)
    return arb.nan() if u.is_nan() or u == 0 else u.sgn()


def zeta(s: Real) -> arb:
    """Riemann's ζ(s)."""
    return arb(s).zeta()


def expit(u: Real) -> arb:
    """Logistic function 1 / (1 + e^−u), narrow relative to its value on either side."""
    u = arb(u)
    inverse = 1 + (-u).exp()
    if inverse.is_finite() or not u < 0:
        return 1 / inverse
    e = u.exp()  # e^−u is beyond any exponent
    return e / (1 + e)


def softplus(u: Real) -> arb:
    """log(1 + e^u), narrow relative to its value on either side."""
    u = arb(u)
    return u + (-u).exp().log1p() if u > 0 else u.exp().log1p()


def log_sum_exp(*a: Real) -> arb:
    """Logarithm log Σ_k e^{a_k}."""
    terms = [arb(u) for u in a]
    most = terms.pop(_largest(terms))

    def value() -> arb:
        others = arb(0)
        for u in terms:
            others += (u - most).exp()
        return most + others.log1p()

    return refined(value, most, *terms)


def softmax(k: int, *a: Real) -> arb:
    """Share e^{a_k} / Σ_j e^{a_j}, of which no factor is beyond any exponent."""
    terms = [arb(u) for u in a]
    most = terms[_largest(terms)]
    powers = [(u - most).exp() if u is not most else arb(1) for u in terms]
    return powers[k] / sum(powers, arb(0))


def _largest(terms: list[arb]) -> int:
    """Place of the ball with the largest midpoint."""
    at = 0
    for k, ball in enumerate(terms):
        if ball.mid() > terms[at].mid():
            at = k
    return at


def log_normal_cdf(x: Real) -> arb:
    """Logarithm log Φ(x) of the normal distribution function, narrow relative to its value on either side."""
    x = arb(x)
    if x < 0:
        return (_scaled_erfc(x) / 2).log() - x * x / 2
    below = (x / arb(2).sqrt()).erfc() / 2
    return (-below).log1p() if x > 0 else (1 - below).log()


def inverse_mills(x: Real) -> arb:
    """Inverse Mills ratio φ(x)/Φ(x) of the normal law."""
    x = arb(x)
    factor = (2 / arb.pi()).sqrt()
    if x < 0:
        return factor / _scaled_erfc(x)
    return factor * (-x * x / 2).exp() / (-x / arb(2).sqrt()).erfc()


def _scaled_erfc(x: arb) -> arb:
    """e^(x²/2) erfc(−x/√2), x < 0, whose factors may be beyond any exponent (DLMF 7.11.5)."""
    return (x * x / 2).hypgeom_u(arb(0.5), arb(0.5)) / arb.pi().sqrt()


def polygamma(m: int, x: Real) -> arb:
    """ψ^(m)(x); nan at its poles 0, −1, −2 and so on."""
    x = arb(x)
    return refined(lambda: _polygamma(m, x), x)


def _polygamma(m: int, x: arb) -> arb:
    return acb(x).polygamma(m).real if m else x.digamma()


def polygamma_excess(m: int, x: Real) -> arb:
    """ψ^(m)(x) without the leading term of its asymptotic series, x > 0, as float64 defines it."""
    x = arb(x)
    if not x > 0:
        return arb.nan()
    if m == 0:
        return refined(lambda: x.digamma() - x.log(), x)
    leading = (-1) ** (m + 1) * arb(m).gamma()
    return refined(lambda: _polygamma(m, x) - leading / x**m, x)


def log_zeta(m: int, s: Real) -> arb:
    """Derivative of order m of log ζ(s), s > 1."""
    s = arb(s)
    return refined(lambda: _log_zeta(m, s), s) if s > 1 else arb.nan()


def _log_zeta(m: int, s: arb) -> arb:
    """The derivative, with the bits more that 1 + 2^−s, nearly all there is of ζ at large s, loses in it."""
    with ctx.workprec(ctx.prec + min(CANCELLATION_BITS, int(float(s.mid())))):
        return derivative_of_series(lambda z: z.zeta().log(), m, s)


def log_exprel(m: int, t: Real) -> arb:
    """Derivative of order m of K(t) = log((e^t − 1)/t) = t/2 − 2 Re log Γ(1 + it/2π) (DLMF 5.4.3)."""
    t = arb(t)
    return refined(lambda: _log_exprel(m, t), t)


def _log_exprel(m: int, t: arb) -> arb:
    """By the Gamma function beside 0, where the formula is 0/0."""
    if t > 1:  # e^t may be beyond any exponent
        mirrored = _log_exprel(m, -t)
        return [t + mirrored, 1 - mirrored][m] if m < 2 else (-1) ** m * mirrored
    if t < -1:
        return derivative_of_series(lambda z: ((z.exp() - 1) / z).log(), m, t)
    z = acb(1, t / (2 * arb.pi()))
    if m == 0:
        return t / 2 - 2 * z.lgamma().real
    slope = (acb(0, 1) / (2 * arb.pi())) ** m * (z.polygamma(acb(m - 1)) if m > 1 else z.digamma())
    return arb(0.5 if m == 1 else 0) - 2 * slope.real


def polylog(s: Real, z: Real) -> arb:
    """Polylogarithm Li_s(z), z ≤ 1."""
    z = arb(z)
    return refined(lambda: _polylog(s, z), z)


def bose_polylog(s: Real, x: Real) -> arb:
    """Polylogarithm Li_s(e^x), x < 0, or x = 0 for s > 1."""
    x = arb(x)
    return refined(lambda: _polylog(s, x.exp()), x) if x < 0 or x.is_zero() else arb.nan()


def fermi_polylog(s: Real, x: Real) -> arb:
    """Polylogarithm −Li_s(−e^x)."""
    x = arb(x)
    return refined(lambda: -_polylog(s, -x.exp()), x)


def _polylog(s: Real, z: arb) -> arb:
    """Li_s(z), but nan at a pole and beyond it."""
    if not (z < 1 or (z == 1 and s > 1)):
        return arb.nan()
    return acb(z).polylog(acb(s)).real


def digamma_difference(x: Real, a: Real) -> arb:
    """ψ(x + a) − ψ(x) for x > 0, x + a > 0."""
    return _difference(arb.digamma, arb(x), arb(a))


def lgamma_difference(x: Real, a: Real) -> arb:
    """Difference log Γ(x + a) − log Γ(x) for x > 0, x + a > 0."""
    return _difference(arb.lgamma, arb(x), arb(a))


def _difference(f: Callable[[arb], arb], x: arb, a: arb) -> arb:
    if not x > 0:
        return arb.nan()
    if a.is_zero():
        return a
    return refined(lambda: f(x + a) - f(x) if x + a > 0 else arb.nan(), x, a)


def bessel_ratio(nu: Real, x: Real) -> arb:
    """A = I_(ν+1)(x) / I_ν(x), ν ≥ 0, x ≥ 0."""
    return _bessel(lambda nu, x: x * _ratio(nu, x), nu, x)


def bessel_ratio_slope(nu: Real, x: Real) -> arb:
    """Derivative of `bessel_ratio` in x."""
    return _bessel(lambda nu, x: _slope(nu, x)[0], nu, x)


def bessel_ratio_curve(nu: Real, x: Real) -> arb:
    """Second derivative of `bessel_ratio` in x."""

    def curve(nu: arb, x: arb) -> arb:
        slope, g, drop = _slope(nu, x)
        return x * g * ((2 * nu + 1) * drop - 2 * slope)

    return _bessel(curve, nu, x)


def _bessel(f: Callable[[arb, arb], arb], nu: Real, x: Real) -> arb:
    nu, x = arb(nu), arb(x)
    return arb.nan() if nu < 0 or x < 0 else refined(lambda: f(nu, x), nu, x)


def log_bessel(nu: Real, x: Real) -> arb:
    """Logarithm log I_ν(x), ν ≥ 0, x > 0."""
    return _bessel(_log_bessel, nu, x)


def _log_bessel(nu: arb, x: arb) -> arb:
    """The logarithm, with the bits more that 1 + x²/4, all there is of I_0 at small x, loses in it."""
    if not x > 0:
        return arb.nan()
    lost = min(CANCELLATION_BITS, max(0, int(-3.0 * float(x.log().mid()))))
    with ctx.workprec(ctx.prec + lost):
        return x.bessel_i(nu, scaled=True).log() + x


def _slope(nu: arb, x: arb) -> tuple[arb, arb, arb]:
    """A′ = g − x² g (g − g₊), g and g − g₊, from 1 − 2(ν + 1) g = x² g g₊ (DLMF 10.33.1)."""
    g, above = _ratio(nu, x), _ratio(nu + 1, x)
    return g - x * x * g * (g - above), g, g - above


def _ratio(nu: arb, x: arb) -> arb:
    """Ratio g = A/x: the continued fraction DLMF 10.33.1, its tail enclosed, where each step gains two bits."""
    if not x <= nu + 1:
        return x.bessel_i(nu + 1, scaled=True) / (x * x.bessel_i(nu, scaled=True))
    steps, square = ctx.prec // 2 + 8, x * x
    g = arb(0).union(1 / (2 * (nu + steps + 1)))
    for k in range(steps, 0, -1):
        g = 1 / (2 * (nu + k) + square * g)
    return g


def removable(u: Real, formula: arb, reach: Real, radius: Real, most: Real, error: Real, *coefficients: Real) -> arb:
    """A function with a removable singularity at u = 0: its Taylor polynomial where u may be nearer than the reach.

    The remainder is at most (most · (|u| / radius)^k + error) / (1 − |u| / radius) after k terms.  Elsewhere: the
    formula, which is nan where it divides by a ball that holds 0.
    """
    u = arb(u)
    ratio = arb(abs(u).upper()) / radius
    if abs(u) >= reach or not ratio < 1:
        return formula
    total = arb(0)
    for coefficient in reversed(coefficients):
        total = total * u + coefficient
    remainder = (most * ratio ** len(coefficients) + error) / (1 - ratio)
    return total + arb(0, remainder.upper())
