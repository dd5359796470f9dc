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

#: Digits of the quadrature, and of what is integrated: near the end of a bounded support x itself needs more of them.
DIGITS, POINT_DIGITS = 25, 60
#: Digits that may be lost of what cancels, and the degree of the rule that tells how much that is.
LOST, ROUGH = 5, 3
#: Powers of e by which a point may approach the end of a bounded support.
LONGEST = 2000
MAX_TERMS = 20_000
#: A sum ends where so many terms in a row are below this share of what is added up.
QUIET, NEGLIGIBLE = 60, 1e-17
#: Terms after which what is left is taken for a long tail, and where its integral is split, in logarithms.
TAIL, FALLS_OF_TAIL = 3_000, (0, 4, 16, 64, 256, 1024)
#: An exponential of an exponential beyond this one would fill the memory.
LARGEST_EXPONENT = 1e4
#: A peak is looked for around t = ± these and around where the caller expects one; integrals are split where the
#: density has fallen by these exponents from a peak, however wide it is, and left off beyond the last of them.
SCALES = (0.0, *(10.0**k for k in range(-6, 8)), *(3 * 10.0**k for k in range(-6, 8)))
FALLS = (0.5, 4, 24, 80)


def expectations(
    law: Function, weights: Iterable[Function], support: Set, centres: Iterable[Real], kinks: Iterable[Real]
) -> list[tuple[Real, Real]]:
    """Integrals, or sums, of e^law · weight for each weight, each with its estimated error.

    That is not less than the rounding of what cancels.

    Parameters
    ----------
    law : callable
        Log-density of x.
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
    with precision.digits(DIGITS):
        if not isinstance(support, sympy.Interval):
            far = max((c for c in centres if c <= TAIL), default=mpmath.mpf(0))
            return [_sum(law, weight, support, far) for weight in weights]
        ends, functions = _ends(support), list(weights)
        breaks = [ends[0], *sorted(k for k in kinks if ends[0] < k < ends[1]), ends[1]]
        pieces = [_over_piece(law, functions, piece, ends, list(centres)) for piece in pairwise(breaks)]
        totals = np.array(pieces, dtype=object).sum(axis=0)
        return [(value, error) for value, error in totals]


def _over_piece(
    law: Function, weights: list[Function], piece: tuple[Real, Real], ends: tuple[Real, Real], centres: list[Real]
) -> list[tuple[Real, Real]]:
    """Integrals over a piece of the support where the density is smooth.

    On the way to a kink, where a score may be without bound, they are not left off.
    """
    low, high = piece
    chart, inverse = _chart(low, high)
    deep = piece != ends or bool(mpmath.isfinite(high - low))

    @cache
    def exponent(t: Real) -> tuple[Real, Real]:
        if deep and abs(t) > LONGEST:
            return low, -mpmath.inf
        with precision.digits(POINT_DIGITS + (int(abs(t) / 2.3) if deep else 0)):
            x, jacobian = chart(t)
            return x, law(x) + jacobian if low < x < high else -mpmath.inf

    breaks = {*_breaks(lambda t: exponent(t)[1], [inverse(c) for c in centres if low < c < high])}
    if deep:
        breaks = {max(-LONGEST, min(t, LONGEST)) for t in breaks}
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
    if isinstance(x, mpmath.mpf) and abs(x) > LARGEST_EXPONENT:
        return mpmath.inf if x > 0 else mpmath.mpf(0)
    return mpmath.exp(x)


def _ends(support: sympy.Interval) -> tuple[Real, Real]:
    low, high = (mpmath.mpf(end.evalf(2 * DIGITS)._to_mpmath(170)) for end in (support.start, support.end))
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
    start = sorted({mpmath.mpf(c) + s * sign for c in [0, *centres] for s in SCALES for sign in (1, -1)})
    known = {t: _height(exponent, t) for t in start}
    peaks = [
        _ascended(exponent, start[k - 1], start[k + 1])
        for k in range(1, len(start) - 1)
        if known[start[k - 1]] <= known[start[k]] >= known[start[k + 1]] and known[start[k]] > -mpmath.inf
    ]
    top = max((_height(exponent, peak) for peak in peaks), default=mpmath.mpf(0))
    around = {
        t
        for peak in peaks
        if _height(exponent, peak) > top - max(FALLS)
        for t in (peak, *(_fallen(exponent, peak, fall, side) for fall in FALLS for side in (1, -1)))
    }
    return sorted(around or {-mpmath.inf, mpmath.inf})


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
    """Tanh-sinh quadrature, piece by piece."""
    value, error = mpmath.quad(f, breaks, error=True)
    if isinstance(value, mpmath.mpc) or not mpmath.isfinite(value):
        raise ArithmeticError(f"quadrature gave {mpmath.nstr(value, 9)}")
    size = mpmath.quad(lambda t: abs(f(t)), breaks, maxdegree=ROUGH)
    lost = size * mpmath.mpf(10) ** (LOST - DIGITS)
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


def _sum(law: Function, weight: Function, support: Set, far: Real) -> tuple[Real, Real]:
    """Sum over a discrete support, cut where terms no longer count, a long tail by Euler and Maclaurin; its error.

    Up to ``far``, where the density may peak, they may come to count again.
    """

    def term(x: Real) -> Real:
        p = exponential(law(x))
        value = p * weight(x) if p else p
        if isinstance(value, mpmath.mpc):
            raise ArithmeticError(f"the log-density is complex at {mpmath.nstr(x, 9)}")
        return value

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
        quiet = quiet + 1 if abs(addend) <= NEGLIGIBLE * size and abs(x) >= far else 0
        if quiet > QUIET:
            break
    return total, QUIET * NEGLIGIBLE * size


def _tail(term: Function, start: Real) -> Real:
    """Sum from ``start`` on of terms that vary slowly (DLMF 2.10.1); the first one left out is ~ start⁻⁵ of the sum."""
    with precision.digits(2 * DIGITS):
        breaks = [mpmath.log(start) + k for k in FALLS_OF_TAIL]
        whole = mpmath.quad(lambda t: term(mpmath.exp(t)) * mpmath.exp(t), breaks)
        first, third = (mpmath.diff(term, start, k, h=mpmath.mpf(10) ** -8) for k in (1, 3))
        return whole + term(start) / 2 - first / 12 + third / 720
