"""Balls of functions that lose digits by their formulas: at rising precision, and by power series."""

from __future__ import annotations

from collections.abc import Callable

from flint import arb, arb_series, ctx

__all__ = ["CANCELLATION_BITS", "derivative_of_series", "refined"]

#: Bits beyond which cancellation is not followed, or four times those in force.
CANCELLATION_BITS = 2**13


def refined(value: Callable[[], arb], *arguments: arb) -> arb:
    """Value at rising precision until it is known to the precision in force, or as well as the arguments allow."""
    prec, work, ball = ctx.prec, ctx.prec + 16, arb.nan()
    if not all(argument.is_finite() for argument in arguments):
        return ball
    while work <= max(CANCELLATION_BITS, 4 * prec):
        with ctx.workprec(work):
            previous, ball = ball, value()
        if ball.rel_accuracy_bits() >= prec or (previous.is_finite() and not 2 * ball.rad() < previous.rad()):
            break
        work *= 2
    return +ball


def derivative_of_series(f: Callable[[arb_series], arb_series], m: int, x: arb) -> arb:
    """Derivative of order m of a function of power series."""
    cap, ctx.cap = ctx.cap, max(ctx.cap, m + 1)
    try:
        return f(arb_series([x, 1], m + 1))[m] * (arb(m) + 1).gamma()
    finally:
        ctx.cap = cap
