"""Nodes at many points, their weights, and which of them errors are looked at; plain Python that numba compiles."""

from __future__ import annotations

from math import asinh, exp, inf, isfinite, log, log1p
from typing import Any

from numpy import nextafter, spacing

__all__ = ["choose", "fresh", "gaps", "merge", "on_line", "places", "stand_beyond", "weigh"]

Array = Any  # of float64
#: Distance of τ from 0 from which it is a sinh.
BENT = 6.0


def on_line(t: Array, low: Array, high: Array, x: Array, slope: Array) -> None:
    """Fill points x(t) of intervals and log dx/dt (r, K): logarithmic at finite ends (r,)."""
    for r in range(len(t)):
        below, above = isfinite(low[r]), isfinite(high[r])
        # What rounding puts on an end, beyond which another formula may hold, stays inside. An end at infinity is none:
        # a density with a power for its tail has a value at the last number of float64.
        first = nextafter(low[r], inf) if below else low[r]
        last = nextafter(high[r], -inf) if above else high[r]
        width = high[r] - low[r]
        for k in range(t.shape[1]):
            place, slope[r, k] = t[r, k], 0.0
            if below and above:
                size = abs(place)
                near = exp(-size)
                part = width * near / (1.0 + near)
                slope[r, k] = log(width) - size - 2.0 * log1p(near)
                place = low[r] + part if place < 0.0 else high[r] - part
            elif below:
                slope[r, k] = place
                place = low[r] + exp(place)
            elif above:
                slope[r, k] = -place
                place = high[r] - exp(-place)
            x[r, k] = min(max(place, first), last)


def places(
    centre: Array, scale: Array, first: Array, last: Array, numbers: Array, intervals: int, t: Array, slope: Array
) -> None:
    """Fill nodes t = centre + scale sinh τ (r, K) of rules over so many intervals, and log dt, by their numbers.

    Where τ reaches `BENT` or beyond, which a power does for a tail, it is a sinh itself, and falls doubly exponentially
    as others do.
    """
    for r in range(len(t)):
        bent = max(-first[r], last[r]) >= BENT
        start, end = (asinh(first[r]), asinh(last[r])) if bent else (first[r], last[r])
        step = (end - start) / intervals
        unit = log(scale[r] * step)
        for k in range(t.shape[1]):
            tau = start + numbers[k] * step
            slope[r, k] = unit
            if bent:
                power = exp(tau)
                tau = 0.5 * (power - 1.0 / power)
                slope[r, k] += log(0.5 * (power + 1.0 / power))
            power = exp(tau)
            t[r, k] = centre[r] + scale[r] * (0.5 * (power - 1.0 / power))
            slope[r, k] += log(0.5 * (power + 1.0 / power))


def weigh(values: Array, slope: Array, x: Array, w: Array, magnitude: Array) -> None:
    """Fill weights e^ℓ dx and the mean magnitude of what cancels in ℓ, both in ``values`` (m, 2, N).

    A node without weight takes the place of the heaviest. Where a density without bound at an end of its support has no
    value, there is none: float64 cannot tell the two apart.
    """
    for p in range(len(x)):
        heaviest = 0
        for v in range(x.shape[1]):
            height = values[p, 0, v]
            w[p, v] = exp(height + slope[p, v]) if height < inf else 0.0
            if w[p, v] > 0.0:
                magnitude[p] += w[p, v] * values[p, 1, v]
            if w[p, v] > w[p, heaviest]:
                heaviest = v
        for v in range(x.shape[1]):
            if not w[p, v] > 0.0:
                x[p, v] = x[p, heaviest]


def choose(x: Array, w: Array, ends: int, most: int, chosen: Array, weight: Array, counts: Array) -> None:
    """Some of the nodes with weight, evenly, each with the weight of those it stands for, but for ``ends`` at each end.

    Of what is left, where there are fewer, the last one again and again, without weight.
    """
    for p in range(len(x)):
        number = 0
        for v in range(x.shape[1]):
            number += w[p, v] > 0.0
        others = max(number - 2 * ends, 0)
        stride = max(1, -(-others // most))
        at = kept = 0
        last = 0.0
        for v in range(x.shape[1]):
            if w[p, v] > 0.0:
                inner = ends <= kept < number - ends
                if not inner or (kept - ends) % stride == 0:
                    chosen[p, at], weight[p, at], counts[p, at] = x[p, v], w[p, v] * (stride if inner else 1), True
                    last = x[p, v]
                    at += 1
                kept += 1
        for k in range(at, chosen.shape[1]):
            chosen[p, k], weight[p, k], counts[p, k] = last, 0.0, False


def fresh(around: Array, more: Array, low: float, high: float, new: Array, number: Array) -> None:
    """Those of ``more`` outcomes (m, L), ascending, that lie between two and are not in ``around`` (m, K), ascending.

    They fill the first places of ``new``, ∞ the others; ``number`` (m,) says how many they are.
    """
    for p in range(len(more)):
        at = k = 0
        last = -inf
        for v in range(more.shape[1]):
            outcome = min(max(more[p, v], low), high)
            while k < around.shape[1] and around[p, k] < outcome:
                k += 1
            if outcome > last and not (k < around.shape[1] and around[p, k] == outcome):
                new[p, at] = outcome
                at += 1
            last = outcome
        number[p] = at
        for v in range(at, more.shape[1]):
            new[p, v] = inf


def merge(around: Array, height: Array, new: Array, own: Array, outcomes: Array, heights: Array) -> None:
    """Outcomes of both, ascending, with their heights, −∞ at ∞."""
    for p in range(len(around)):
        k = v = 0
        for at in range(outcomes.shape[1]):
            if v == new.shape[1] or (k < around.shape[1] and around[p, k] <= new[p, v]):
                outcomes[p, at], heights[p, at] = around[p, k], height[p, k]
                k += 1
            else:
                outcomes[p, at], heights[p, at] = new[p, v], own[p, v]
                v += 1
            if outcomes[p, at] == inf:
                heights[p, at] = -inf


def stand_beyond(
    around: Array, height: Array, number: Array, first: Array, last: Array, least: float, x: Array, bound: Array
) -> None:
    """Outcomes further and further out on both sides of a stretch, each with a bound on the mass since the one before.

    The density falls there. Once that is below ``least``, a logarithm, one stands for all that follow.
    """
    for p in range(len(around)):
        at = 0
        for side in (-1, 1):
            k = first[p] if side < 0 else last[p]
            end = 0 if side < 0 else number[p] - 1
            while k != end:
                gap = abs(around[p, k + side] - around[p, k])
                known = max(height[p, k] + log(gap), least)
                k += side
                x[p, at], bound[p, at] = around[p, k], exp(known)
                at += 1
                if known <= least:
                    break


def gaps(x: Array, step: Array) -> None:
    """How far rounding moves a node, relative to the distance of its neighbours; 0 where these are in one place."""
    last = x.shape[1] - 1
    for p in range(len(x)):
        for k in range(last + 1):
            below, above = max(k - 1, 0), min(k + 1, last)
            apart = abs(x[p, above] - x[p, below]) / max(above - below, 1)
            step[p, k] = spacing(abs(x[p, k])) / 8.0 / apart if apart > 0.0 else 0.0
