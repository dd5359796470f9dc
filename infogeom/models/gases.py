"""Ideal quantum gases in the grand canonical ensemble, one function each.

Parameters multiply statistics, minus the energy and the number of particles: p ∝ exp(−βE + γN), γ = βμ. Gases of
infinite volume are taken per volume: ψ is the limit of log Z / V, lengths being measured such that the thermal wave
length is √β, and R times a density is the curvature of so much of the gas.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import Expr, ImmutableMatrix, Rational

from infogeom.arguments import check_count
from infogeom.functions import bose_polylog, fermi_polylog
from infogeom.functions.facts import POLYLOG_ORDERS
from infogeom.models.by_name import listed
from infogeom.models.log_partition import KnownHessian, natural_family
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter, positive, real

__all__ = ["bose_gas", "fermi_gas"]

#: Dimensions up to which float64 has the polylogarithm of order d/2 + 1.
MOST_GAS_DIMENSIONS = 2 * (POLYLOG_ORDERS[1] - 1)
GASES = "Pathria & Beale, Statistical Mechanics, 4th ed. (2021)"


def _known(d: int, beta: Expr, orders: Callable[[Expr], Expr]) -> KnownHessian:
    """ψ = β^(−m) L_(m+1)(γ), m = d/2, with its Hessian and R: the derivative of L_s in γ is L_(s−1)."""
    m = Rational(d, 2)
    a, b, c, e = (orders(m + k) for k in (1, 0, -1, -2))
    mixed = -m * b / beta
    hessian = ImmutableMatrix([[m * (m + 1) * a / beta**2, mixed], [mixed, c]]) / beta**m
    R = (d + 2) * beta**m * (a * b * e + b**2 * c - 2 * a * c**2) / ((d + 2) * a * c - d * b**2) ** 2
    return KnownHessian(a / beta**m, hessian, R, per="volume")


@listed
def bose_gas(d: int) -> Model:
    """Ideal Bose gas in ``d`` dimensions per volume, with ``beta`` > 0 on minus its energy and ``gamma`` < 0 on number.

    ψ = β^(−d/2) Li_(d/2+1)(e^γ), of one spin state. R > 0; as γ → −∞ it tends to (d + 2) 2^(−d/2−3) β^(d/2), and as
    γ → 0, where from d = 3 on particles condense, it diverges: for d = 3 as |γ|^(−1/2). (Janyszek & Mrugała, J. Phys. A
    23 (1990) 467, whose R has the other sign.)

    Parameters
    ----------
    d : int
        Dimensions, at least 1.

    Raises
    ------
    TypeError, ValueError
        For another number of dimensions.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.bose_gas(3).metric().at(beta=1, gamma=-0.1).round(6)
    array([[ 4.303934, -2.454566],
           [-2.454566,  4.165297]])
    """
    gamma = Parameter("gamma", sympy.Interval.open(-sympy.oo, 0), (-3, -0.2))
    return _gas(f"Bose gas, {_dimensions(d)}", d, gamma, bose_polylog, "Sec. 7.1")


@listed
def fermi_gas(d: int) -> Model:
    """Ideal Fermi gas in ``d`` dimensions per volume, with ``beta`` > 0 on minus its energy and ``gamma`` on number.

    ψ = −β^(−d/2) Li_(d/2+1)(−e^γ), of one spin state. R < 0; as γ → −∞ it tends to −(d + 2) 2^(−d/2−3) β^(d/2).
    (Janyszek & Mrugała, J. Phys. A 23 (1990) 467, whose R has the other sign.)

    Parameters
    ----------
    d : int
        Dimensions, at least 1.

    Raises
    ------
    TypeError, ValueError
        For another number of dimensions.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.fermi_gas(3).metric().at(beta=1, gamma=2).round(6)
    array([[15.620304, -4.235582],
           [-4.235582,  1.464295]])
    """
    return _gas(f"Fermi gas, {_dimensions(d)}", d, real("gamma", (-2, 4)), fermi_polylog, "Sec. 8.1")


def _dimensions(d: int) -> str:
    check_count("d", d)
    if d > MOST_GAS_DIMENSIONS:
        raise ValueError(f"d must be at most {MOST_GAS_DIMENSIONS}, got {d}")
    return f"{d} dimension{'s' * (d > 1)}"


def _gas(name: str, d: int, gamma: Parameter, function: type, section: str) -> Model:
    beta = positive("beta", (0.3, 2.0))
    known = _known(d, beta.symbol, lambda s: function(s, gamma.symbol))
    return natural_family(name, [beta, gamma], known, source=f"{GASES}, {section}")
