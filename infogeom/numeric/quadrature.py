"""Expectations of a one-dimensional law by quadrature or summation, wherever its mass lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import sympy
from sympy import Set

from infogeom import precision

__all__ = ["POINT_DIGITS", "expectations", "exponential"]

Real = Any  # mpmath's numbers have no types
Function = Callable[[Real], Real]
#: From a variable t on the whole line to x in the support, and log dx/dt.
Chart = Callable[[Real], tuple[Real, Real]]

#: Decimal digits of the quadrature.
SUM_DIGITS = 25
#: Decimal digits of what is integrated: near the end of a bounded support x itself needs more of them.
POINT_DIGITS = 60
#: Decimal digits that may be lost of what cancels.
LOST_DIGITS = 5
#: Degree of the rule (doublings of its nodes) that tells how large what cancels is.
ROUGH_DEGREE = 3
#: Powers of e by which a point may approach the end of a bounded support.
CLOSEST = 2000
#: Terms of a sum at most.
MAX_TERMS = 20_000
#: A sum ends where so many terms in a row are below `NEGLIGIBLE_TERM`.
QUIET = 60
#: Share of the sum of magnitudes that a term which does not count is below.
NEGLIGIBLE_TERM = 1e-17
#: Terms after which what is left is taken for a long tail.
TAIL = 3_000
#: Where the integral over a tail is split: powers of e times its first point.
FALLS_OF_TAIL = (0, 4, 16, 64, 256, 1024)
#: Exponents beyond ± this are infinite: an exponential of an exponential would fill the memory.
INFINITE_EXPONENT = 1e4
#: A peak is looked for at t = ± these, in the variable of the line, and at such distances from where one is expected.
SCALES = (0.0, *(digit * 10.0**k for digit in (1, 3) for k in range(-6, 8)))
#: Integrals are split where the exponent of the density has fallen by these from a peak, however wide it is, and left
#: off beyond the last of them.
FALLS = (0.5, 4, 24, 80)


def expectations(
    log_density: Function, weights: Iterable[Function], support: Set, centres: Iterable[Real], kinks: Iterable[Real]
) -> list[tuple[Real, Real]]:
    """Integrals, or sums, of e^log_density · weight for each weight, each with its estimated error.

    That is not less than the rounding of what cancels.

    Parameters
    ----------
    log_density : callable
        Of a law, at x.
    weights : iterable of callable
        Functions of x.
    support : sympy.Set
        An Interval, or a discrete set that can be iterated over.
    centres : iterable of mpf
        Where the density may peak; other peaks are looked for.
    kinks : iterable of mpf
        Where the density is not smooth.

    Raises
    ------
    ArithmeticError
        When a value is not a real number, or a sum does not end.
    """
    with precision.digits(SUM_DIGITS):
        if not isinstance(support, sympy.Interval):
            far = max((c for c in centres if c <= TAIL), default=mpmath.mpf(0))
            return [_sum(log_density, weight, support, far) for weight in weights]
        ends, functions = _ends(support), list(weights)
        inside = sorted(kink for kink in kinks if ends[0] < kink < ends[1])
        breaks = [ends[0], *inside, ends[1]]
        pieces = [_over_piece(log_density, functions, piece, ends, list(centres)) for piece in pairwise(breaks)]
        totals = np.array(pieces, dtype=object).sum(axis=0)
        return [(value, error) for value, error in totals]


def _over_piece(
    log_density: Function,
    weights: list[Function],
    piece: tuple[Real, Real],
    ends: tuple[Real, Real],
    centres: list[Real],
) -> list[tuple[Real, Real]]:
    """Integrals over a piece of the support where the density is smooth.

    The piece is mapped to the line, a finite end to infinity, where tanh-sinh quadrature sees a density of any width
    once it knows its peaks: between these, and where the density has fallen from them, the line is split, and beyond it
    is left off. On the way to a kink, where a score may be without bound, it is not left off.
    """
    low, high = piece
    chart, inverse = _chart(low, high)
    deep = piece != ends or bool(mpmath.isfinite(high - low))

    # The point and the log-density there, Jacobian included, once for all weights. Near a finite end x and the end
    # share more and more digits, which x needs besides its own.
    @cache
    def exponent(t: Real) -> tuple[Real, Real]:
        if deep and abs(t) > CLOSEST:
            return low, -mpmath.inf
        with precision.digits(POINT_DIGITS + (int(abs(t) / 2.3) if deep else 0)):
            x, jacobian = chart(t)
            return x, log_density(x) + jacobian if low < x < high else -mpmath.inf

    # Where the integrals are split, and up to which ends.
    inside = [inverse(c) for c in centres if low < c < high]
    breaks = set(_breaks(lambda t: exponent(t)[1], inside))
    if deep:
        breaks = {max(-CLOSEST, min(t, CLOSEST)) for t in breaks}
    if low > ends[0]:
        breaks.add(-mpmath.inf)
    if high < ends[1]:
        breaks.add(mpmath.inf)

    def integrand(weight: Function) -> Function:
        def value(t: Real) -> Real:
            x, log_p = exponent(t)
            p = exponential(log_p)
            return p * weight(x) if p else p

        return value

    return [_integral(integrand(weight), sorted(breaks)) for weight in weights]


def exponential(x: Real) -> Real:
    """Exponential that is 0 or infinite far away."""
    if isinstance(x, mpmath.mpf) and abs(x) > INFINITE_EXPONENT:
        return mpmath.inf if x > 0 else mpmath.mpf(0)
    return mpmath.exp(x)


def _ends(support: sympy.Interval) -> tuple[Real, Real]:
    low, high = (mpmath.mpf(end.evalf(2 * SUM_DIGITS)._to_mpmath(170)) for end in (support.start, support.end))
    return low, high


def _chart(low: Real, high: Real) -> tuple[Chart, Callable[[Real], Real]]:
    """Map of the line onto the interior of an interval, logarithmic at a finite end, and its inverse."""
    if mpmath.isfinite(low) and mpmath.isfinite(high):
        width = high - low

        def bounded(t: Real) -> tuple[Real, Real]:
            e = mpmath.exp(-abs(t))
            x = low + width * e / (1 + e) if t < 0 else high - width * e / (1 + e)
            return x, mpmath.log(width * e / (1 + e) ** 2)

        return bounded, lambda x: mpmath.log((x - low) / (high - x))
    if mpmath.isfinite(low):
        return lambda t: (low + mpmath.exp(t), t), lambda x: mpmath.log(x - low)
    if mpmath.isfinite(high):
        return lambda t: (high - mpmath.exp(-t), -t), lambda x: -mpmath.log(high - x)
    return lambda t: (t, mpmath.mpf(0)), lambda x: x


def _breaks(exponent: Function, centres: list[Real]) -> list[Real]:
    """Where to split the line and where to leave it off: around every peak of a density, given by its exponent."""
    peaks = _peaks(exponent, centres)
    top = max((_height(exponent, peak) for peak in peaks), default=mpmath.mpf(0))
    around: set[Real] = set()
    for peak in peaks:
        if _height(exponent, peak) > top - max(FALLS):  # what is lower does not count
            around.add(peak)
            around.update(_fallen(exponent, peak, fall, side) for fall in FALLS for side in (1, -1))
    return sorted(around or {-mpmath.inf, mpmath.inf})


def _peaks(exponent: Function, centres: list[Real]) -> list[Real]:
    """Maxima of a density, given by its exponent, of whatever width: looked for at distances of all sizes."""
    offsets = [sign * scale for scale in SCALES for sign in (1, -1)]
    start = sorted({mpmath.mpf(c) + offset for c in [0, *centres] for offset in offsets})
    heights = [_height(exponent, t) for t in start]
    inside = range(1, len(start) - 1)
    tops = [k for k in inside if heights[k - 1] <= heights[k] >= heights[k + 1] and heights[k] > -mpmath.inf]
    return [_ascended(exponent, start[k - 1], start[k + 1]) for k in tops]


def _height(exponent: Function, t: Real) -> Real:
    """Exponent, −∞ where it is not a number."""
    value = exponent(t)
    if isinstance(value, mpmath.mpc):
        raise ArithmeticError(f"the log-density is complex, {mpmath.nstr(value, 5)}")
    return -mpmath.inf if mpmath.isnan(value) else value


def _ascended(exponent: Function, low: Real, high: Real) -> Real:
    """Golden-section search for the maximum between two points."""
    ratio = (mpmath.sqrt(5) - 1) / 2
    for _ in range(40):
        a, b = high - ratio * (high - low), low + ratio * (high - low)
        if _height(exponent, a) < _height(exponent, b):
            low = a
        else:
            high = b
    return (low + high) / 2


def _fallen(exponent: Function, peak: Real, fall: float, side: int) -> Real:
    """Where the exponent has fallen by about ``fall`` on one side of a peak; infinite where it never does."""
    level, step = _height(exponent, peak) - fall, mpmath.mpf(10) ** -12
    while _height(exponent, peak + side * step) > level:
        step *= 4
        if step > 1e30:
            return mpmath.inf
    low, high = step / 4, step
    for _ in range(6):
        middle = (low + high) / 2
        low, high = (middle, high) if _height(exponent, peak + side * middle) > level else (low, middle)
    return peak + side * high


def _integral(f: Function, breaks: list[Real]) -> tuple[Real, Real]:
    """Tanh-sinh quadrature, piece by piece (Takahasi and Mori 1974), and what it may be off by."""
    value, error = mpmath.quad(f, breaks, error=True)
    if isinstance(value, mpmath.mpc) or not mpmath.isfinite(value):
        raise ArithmeticError(f"quadrature gave {mpmath.nstr(value, 9)}")
    size = mpmath.quad(lambda t: abs(f(t)), breaks, maxdegree=ROUGH_DEGREE)
    lost = size * mpmath.mpf(10) ** (LOST_DIGITS - SUM_DIGITS)
    ends = _beyond(f, breaks[0], breaks[1], lost), _beyond(f, breaks[-1], breaks[-2], lost)
    return value, error + lost + sum(ends)


def _beyond(f: Function, end: Real, inner: Real, negligible: Real) -> Real:
    """Twice the integral beyond an end of a power that falls as f does there; infinite where that does not converge.

    An exponential falls as a high power does. A weight may grow where the density has long fallen.
    """
    if not mpmath.isfinite(end):
        return mpmath.mpf(0)
    distance = abs(end - inner) if mpmath.isfinite(inner) else mpmath.mpf(16)
    last, before = abs(f(end)), abs(f(end + distance / 16 * mpmath.sign(inner - end)))
    if last * distance <= negligible:
        return mpmath.mpf(0)
    power = mpmath.log(before / last) / mpmath.log(mpmath.mpf(16) / 15) if before > last else 0
    return 2 * last * distance / (power - 1) if power > 1 else mpmath.inf


def _sum(log_density: Function, weight: Function, support: Set, far: Real) -> tuple[Real, Real]:
    """Sum over a discrete support, cut where terms no longer count, a long tail by Euler and Maclaurin; its error.

    Up to ``far``, where the density may peak, they may come to count again.
    """

    def term(x: Real) -> Real:
        p = exponential(log_density(x))
        value = p * weight(x) if p else p
        if isinstance(value, mpmath.mpc):
            raise ArithmeticError(f"the log-density is complex at {mpmath.nstr(x, 9)}")
        return value

    # ``quiet`` counts the terms in a row that did not count, beside what has been added up in magnitude.
    total, size, quiet = mpmath.mpf(0), mpmath.mpf(0), 0
    for terms, point in enumerate(support):
        if terms > MAX_TERMS:
            raise ArithmeticError(f"the sum over {support} did not end within {MAX_TERMS} terms")
        x = mpmath.mpf(int(point))
        if terms == TAIL and support in (sympy.S.Naturals, sympy.S.Naturals0):
            total += _tail(term, x)
            break
        addend = term(x)
        total += addend
        size += abs(addend)
        quiet = quiet + 1 if abs(addend) <= NEGLIGIBLE_TERM * size and abs(x) >= far else 0
        if quiet > QUIET:
            break
    return total, QUIET * NEGLIGIBLE_TERM * size


def _tail(term: Function, start: Real) -> Real:
    """Sum from ``start`` on of terms that vary slowly (DLMF 2.10.1); the first one left out is ~ start⁻⁵ of the sum."""
    with precision.digits(2 * SUM_DIGITS):
        breaks = [mpmath.log(start) + k for k in FALLS_OF_TAIL]
        whole = mpmath.quad(lambda t: term(mpmath.exp(t)) * mpmath.exp(t), breaks)
        first, third = (mpmath.diff(term, start, k, h=mpmath.mpf(10) ** -8) for k in (1, 3))
        return whole + term(start) / 2 - first / 12 + third / 720
