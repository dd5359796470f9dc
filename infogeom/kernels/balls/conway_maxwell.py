"""Cumulants of Conway–Maxwell–Poisson laws in ball arithmetic: sums about the largest term, their rests enclosed."""

from __future__ import annotations

from itertools import product
from math import comb

from flint import arb, ctx, fmpz

from infogeom.kernels.balls.rising import refined

__all__ = ["log_conway_maxwell"]

#: Terms on one side of the largest up to which they are summed.
MOST_TERMS = 2**15
#: Precisions in force that they are to suffice for.
PRECISIONS = 4

Table = dict[tuple[int, int], arb]


def log_conway_maxwell(j: int, k: int, rate: arb | int | float, nu: arb | int | float) -> arb:
    """Derivative of order j in log λ and k in ν of log Σ_n λ^n / n!^ν, λ and ν > 0; nan where too many terms count."""
    rate, nu = arb(rate), arb(nu)
    if not (rate > 0 and nu > 0 and rate.is_finite() and nu.is_finite()):
        return arb.nan()
    mode = (rate.mid().log() / nu.mid()).exp()
    if not mode < MOST_TERMS:
        return arb.nan()
    center = int(float(mode.mid()))
    last = center + MOST_TERMS
    depth = MOST_TERMS * rate.log() - nu * (arb(last + 1).lgamma() - arb(center + 1).lgamma())
    if not depth < -PRECISIONS * ctx.prec:
        return arb.nan()
    return refined(lambda: _value(j, k, rate, nu, center), rate, nu)


def _value(j: int, k: int, rate: arb, nu: arb, center: int) -> arb:
    sums = _sums(j, k, rate, nu, center)
    base = arb(center + 1).lgamma()
    if j + k == 0:
        return center * rate.log() - nu * base + sums[0, 0].log1p()
    total = 1 + sums[0, 0]
    value = _cumulant({at: (total if at == (0, 0) else found) / total for at, found in sums.items()}, j, k)
    if j + k == 1:
        value += center if j else base
    return -value if k % 2 else value


def _sums(j: int, k: int, rate: arb, nu: arb, center: int) -> Table:
    """Sums of w d^a f^b, a ≤ j and b ≤ k, w being terms by the largest, d = n − center ≠ 0 and f = log n!/center!."""
    sums, smallest = {at: arb(0) for at in product(range(j + 1), range(k + 1))}, arb(2) ** -(ctx.prec + 8)

    def add(w: arb, d: int, f: arb) -> None:
        for a, b in sums:
            sums[a, b] += w * fmpz(d) ** a * f**b

    def close(rest: arb, d: int, f: arb) -> None:
        """Let every sum hold all within so many terms of a size."""
        for a, b in sums:
            sums[a, b] += arb(0, (rest * fmpz(d) ** a * f**b).upper())

    # Upwards the ratios of terms fall, and those of d and of f, so that the rest is at most a geometric series.
    w, f, scale = arb(1), arb(0), arb(0)
    following = rate / arb(center + 1) ** nu
    for d in range(1, MOST_TERMS):
        w, f = w * following, f + arb(center + d).log()
        add(w, d, f)
        scale += w * fmpz(d) ** j * f**k
        following = rate / arb(center + d + 1) ** nu
        if d < 3:
            continue
        ratio = following * (1 + arb(1) / d) ** j * (1 + arb(center + d + 1).log() / f) ** k
        if ratio < 1 and w * fmpz(d) ** j * f**k * ratio / (1 - ratio) < scale * smallest:
            close(w * ratio / (1 - ratio), d, f)
            break
    else:
        return dict.fromkeys(sums, arb.nan())

    # Downwards the terms fall.
    w, f, all_of_it = arb(1), arb(0), arb(center + 1).lgamma()
    for n in range(center, 0, -1):
        ratio = arb(n) ** nu / rate
        w, f = w * ratio, f - arb(n).log()
        add(w, n - 1 - center, f)
        if ratio < 1 and (n - 1) * w * fmpz(center) ** j * all_of_it**k < scale * smallest:
            close((n - 1) * w, center, all_of_it)
            break
    return sums


def _cumulant(moments: Table, j: int, k: int) -> arb:
    """κ_jk from moments: μ_(a+1, b) = Σ C(a, i) C(b, n) κ_(i+1, n) μ_(a−i, b−n), and the same in b for κ_(0, b)."""
    kappa: Table = {}
    for a, b in moments:
        if a + b == 0:
            continue
        in_a, in_b = (1, 0) if a else (0, 1)
        value = moments[a, b]
        for i, n in product(range(in_a, a + 1), range(in_b, b + 1)):
            if (i, n) != (a, b):
                ways = comb(a - in_a, i - in_a) * comb(b - in_b, n - in_b)
                value -= ways * kappa[i, n] * moments[a - i, b - n]
        kappa[a, b] = value
    return kappa[j, k]
