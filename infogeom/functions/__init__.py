"""SymPy primitives whose derivatives stay in closed, overflow-free form, a file a kind.

A logistic model written with ``1 / (1 + exp(-u))`` loses every digit of ``1 - sigma`` beyond u = 37 and overflows
beyond u = 709.  Written with these functions it differentiates into products of ``expit(u)`` and ``expit(-u)`` alone,
and the code generator knows how to evaluate both to full relative accuracy.  So it does combinations of the Gamma
function and ratios of Bessel functions that would lose all digits at large arguments.

Each function states its `Facts`: how accurate it is, how it grows and in which arithmetics it exists.  A new one is a
class here, a float64 version in one of the modules of `infogeom.kernels.compiled.library`, and one for balls in
`infogeom.kernels.balls.ball_functions`.
"""

from __future__ import annotations

from infogeom.functions.bessel import bessel_ratio, bessel_ratio_curve, bessel_ratio_slope, log_bessel
from infogeom.functions.conway_maxwell import log_conway_maxwell
from infogeom.functions.exponential_sums import log_sum_exp, softmax
from infogeom.functions.exprel import log_exprel
from infogeom.functions.gamma import digamma_difference, lgamma_difference, polygamma_excess
from infogeom.functions.logistic import expit, softplus, stable
from infogeom.functions.normal import inverse_mills, log_normal_cdf
from infogeom.functions.polylogarithm import bose_polylog, fermi_polylog
from infogeom.functions.primitive import primitives
from infogeom.functions.zeta import log_zeta

__all__ = [
    "SPECIAL", "bessel_ratio", "bessel_ratio_curve", "bessel_ratio_slope", "bose_polylog", "digamma_difference",
    "expit", "fermi_polylog", "inverse_mills", "lgamma_difference", "log_bessel", "log_conway_maxwell", "log_exprel",
    "log_normal_cdf", "log_sum_exp", "log_zeta", "polygamma_excess", "softmax", "softplus", "stable",
]  # fmt: skip

#: Those that balls of thousands of bits take seconds for.
SPECIAL = tuple(function for function, facts in primitives().items() if facts.slow_in_balls)


def __dir__() -> list[str]:
    return sorted(__all__)
