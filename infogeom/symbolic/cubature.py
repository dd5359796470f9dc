"""Expectations over laws of several variables, in float64: a product of double exponential rules, or a sum.

Variables may have supports that depend on those before them (a simplex).  Takahasi and Mori (1974): the trapezoidal
rule after a substitution that makes the integrand fall like exp(−c e^|τ|).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.special import expit
from sympy import Expr, Set, Symbol

from infogeom.symbolic.float64 import in_float64
from infogeom.symbolic.law import Law

__all__ = ["cubature", "ends_of", "tractable"]

Array = NDArray[np.float64]
#: Continuous variables at most, and nodes for each, by their number.
NODES = {1: 241, 2: 121, 3: 61}
#: Terms at most.
MAX_TERMS = 1_000_000
#: A discrete variable without end is summed so far.
LONGEST = 400
#: What a range of unknown length is taken for.
USUAL = 12
#: Where the rules end.
REACH = 3.2


def tractable(law: Law) -> bool:
    """Whether expectations over a law can be had in this way, or, of one variable, by quadrature."""
    if not law.supports:
        return False
    if len(law.supports) == 1:
        return True
    continuous = sum(isinstance(s, sympy.Interval) for s in law.supports)
    terms = float(NODES.get(continuous, 1)) ** continuous
    for support in law.supports:
        if not isinstance(support, sympy.Interval):
            terms *= len(support) if isinstance(support, sympy.FiniteSet) else USUAL
    return continuous <= max(NODES) and terms <= MAX_TERMS


def cubature(
    log_density: Expr, scores: Sequence[Expr], variables: Sequence[Symbol], supports: Sequence[Set]
) -> tuple[float, Array]:
    """Mass ∫p and ∫ p s sᵀ.

    Raises
    ------
    ArithmeticError
        When an integrand is not a real number.
    """
    continuous = sum(isinstance(s, sympy.Interval) for s in supports)
    tau = np.linspace(-REACH, REACH, NODES.get(continuous, 1))
    columns: list[Array] = []
    weights = np.ones(1)
    for k, support in enumerate(supports):
        nodes, own = _nodes(support, variables[:k], columns, tau)
        columns = [np.repeat(c, nodes.shape[1]) for c in columns] + [nodes.ravel()]
        weights = (weights[:, None] * own).ravel()
        kept = weights > 0
        columns, weights = [c[kept] for c in columns], weights[kept]
    log_p, *s = in_float64(variables, [log_density, *scores])(*columns)
    with np.errstate(over="ignore", invalid="ignore"):
        p = weights * np.exp(log_p)
    # A node that float64 cannot tell from the end of a support has no numbers; the mass shows if that matters.
    kept = np.logical_and.reduce([np.isfinite(v) for v in (log_p, p, *s)]) & (p > 0)
    p, s = p[kept], [v[kept] for v in s]
    out = np.empty((len(s), len(s)))
    for i, j in combinations_with_replacement(range(len(s)), 2):
        out[i, j] = out[j, i] = (p * s[i] * s[j]).sum()
    if not np.isfinite(out).all():
        raise ArithmeticError("cubature did not give a finite number")
    return float(p.sum()), out


def _nodes(support: Set, before: Sequence[Symbol], columns: Sequence[Array], tau: Array) -> tuple[Array, Array]:
    """Nodes and weights of one variable, a row for each value of those before it."""
    rows = len(columns[0]) if columns else 1

    def bound(e: Expr) -> Array:
        value: Any = sympy.lambdify(before, e, "numpy")(*columns)
        return np.broadcast_to(np.asarray(value, dtype=float), rows)[:, None]

    if not isinstance(support, sympy.Interval):
        return _outcomes(support, bound, rows)
    t, dt = np.pi / 2 * np.sinh(tau), np.pi / 2 * np.cosh(tau) * (tau[1] - tau[0])
    low, high = support.start, support.end
    if low.is_finite and high.is_finite:
        width = bound(high) - bound(low)
        return bound(low) + width * expit(2 * t), 2 * width * expit(2 * t) * expit(-2 * t) * dt
    if low.is_finite:
        return bound(low) + np.exp(t), np.broadcast_to(np.exp(t) * dt, (rows, len(t)))
    if high.is_finite:
        return bound(high) - np.exp(t), np.broadcast_to(np.exp(t) * dt, (rows, len(t)))
    return np.broadcast_to(np.sinh(t), (rows, len(t))), np.broadcast_to(np.cosh(t) * dt, (rows, len(t)))


def _outcomes(support: Set, bound: Any, rows: int) -> tuple[Array, Array]:
    if isinstance(support, sympy.FiniteSet):
        values = np.array(sorted(map(float, support)))
        return np.broadcast_to(values, (rows, len(values))), np.ones((rows, len(values)))
    first, last = ends_of(support)
    if first is -sympy.oo:
        first, last = sympy.Integer(-LONGEST), sympy.Integer(LONGEST)
    low = bound(first)
    high = low + LONGEST if last is sympy.oo else bound(last)
    k = np.arange(int((high - low).max()) + 1)
    return low + k, (low + k <= high).astype(float)


def ends_of(support: Set) -> tuple[Expr, Expr]:
    """First and last of a range of integers, whose ends may be expressions."""
    if isinstance(support, sympy.Range):
        return support.args[0], support.args[1] - 1
    return support.inf, support.sup
