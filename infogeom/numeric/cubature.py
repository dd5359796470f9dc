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

from infogeom.models.law import Law
from infogeom.numeric.endless_sums import head_factors
from infogeom.numeric.float64 import TO_CHECK, in_float64

__all__ = ["cubature", "ends_of", "tractable"]

Array = NDArray[np.float64]
#: Nodes for each continuous variable, by how many of them there are; more there may not be.
NODES_EACH = {1: 241, 2: 121, 3: 81}
#: Nodes of a product of rules at most.
MOST_NODES = 1_000_000
#: Outcomes of a discrete variable without end that are summed, and the outcome at which its sum ends.
OUTCOMES_OF_MANY = 400
#: Outcomes of a range whose ends are expressions, for an estimate of how many nodes there will be.
USUAL_OUTCOMES = 12
#: Where the rules end, in the variable of the trapezoidal rule.
REACH = 3.2
#: The same of wider rules, and how many more nodes these have, in halves.
FURTHER_REACH = 4.2
MORE_NODES = 3
#: Nodes for each variable that find out where a density is.
SCOUTS = 25
#: Logarithm of what does not count beside the largest integrand among the scouts.
FAR_BELOW = -45.0


def tractable(law: Law) -> bool:
    """Whether expectations over a law can be had in this way, or, of one variable, by quadrature."""
    if not law.supports:
        return False
    if len(law.supports) == 1:
        return True
    continuous = sum(isinstance(s, sympy.Interval) for s in law.supports)
    nodes = float(NODES_EACH.get(continuous, 1)) ** continuous
    for support in law.supports:
        if isinstance(support, sympy.Range):
            nodes *= USUAL_OUTCOMES
        elif not isinstance(support, sympy.Interval):
            nodes *= len(support) if isinstance(support, sympy.FiniteSet) else OUTCOMES_OF_MANY
    return continuous <= max(NODES_EACH) and nodes <= MOST_NODES


def cubature(
    log_density: Expr,
    scores: Sequence[Expr],
    variables: Sequence[Symbol],
    supports: Sequence[Set],
    *,
    wider: bool = False,
) -> Array:
    """Moments ∫ p t tᵀ of t = (1, s): the mass, ∫ p s and ∫ p s sᵀ; by more nodes that go further out where wanted.

    Raises
    ------
    ArithmeticError
        When an integrand is not a real number.
    """
    continuous = sum(isinstance(s, sympy.Interval) for s in supports)
    most, nodes = REACH, NODES_EACH.get(max(continuous, 1), 1)
    if wider:
        most, nodes = FURTHER_REACH, MORE_NODES * nodes // 2
    reach = [(-most, most)] * len(supports)
    if continuous > 2:  # nodes are scarce
        reach = _reach(log_density, variables, supports, most)
    columns, weights, _ = _rule(variables, supports, reach, nodes)
    integrands = in_float64(variables, [log_density, *scores], TO_CHECK)
    found = integrands(*columns)
    with np.errstate(over="ignore", invalid="ignore"):
        p = weights * np.exp(found[0])
    # A node that float64 cannot tell from the end of a support has no numbers; the mass shows if that matters.
    kept = np.isfinite(found).all(axis=0) & np.isfinite(p) & (p > 0)
    p = p[kept]
    t = [np.ones_like(p)] + [score[kept] for score in found[1:]]
    out = np.empty((len(t), len(t)))
    for i, j in combinations_with_replacement(range(len(t)), 2):
        out[i, j] = out[j, i] = (p * t[i] * t[j]).sum()
    if not np.isfinite(out).all():
        raise ArithmeticError("cubature did not give a finite number")
    return out


def _rule(
    variables: Sequence[Symbol], supports: Sequence[Set], reach: Sequence[tuple[float, float]], nodes: int
) -> tuple[list[Array], Array, list[Array]]:
    """Nodes of all variables, their weights, and where they are in the variables of the trapezoidal rule.

    A product of rules grows by one variable at a time, for its support may depend on the values of those before it:
    each node so far is repeated for each node of the next one. Nodes without weight are left out as soon as they occur.
    """
    columns: list[Array] = []
    places: list[Array] = []
    weights = np.ones(1)
    for k, (support, ends) in enumerate(zip(supports, reach, strict=True)):
        tau = np.linspace(*ends, nodes)
        found, own = _nodes(support, variables[:k], columns, tau)
        at = np.broadcast_to(tau if isinstance(support, sympy.Interval) else 0.0, found.shape)
        weights = (weights[:, None] * own).ravel()
        kept = weights > 0
        weights = weights[kept]
        columns = [np.repeat(c, found.shape[1])[kept] for c in columns] + [found.ravel()[kept]]
        places = [np.repeat(c, found.shape[1])[kept] for c in places] + [at.ravel()[kept]]
    return columns, weights, places


def _reach(
    log_density: Expr, variables: Sequence[Symbol], supports: Sequence[Set], most: float
) -> list[tuple[float, float]]:
    """Where few nodes see the density, and one more node on each side."""
    columns, weights, places = _rule(variables, supports, [(-most, most)] * len(supports), SCOUTS)
    (log_p,) = in_float64(variables, [log_density], TO_CHECK)(*columns)
    size = np.where(np.isfinite(log_p), np.log(weights) + log_p, -np.inf)
    seen = size >= size.max() + FAR_BELOW
    step = 2 * most / (SCOUTS - 1)
    return [(max(-most, float(t[seen].min()) - step), min(most, float(t[seen].max()) + step)) for t in places]


def _nodes(support: Set, before: Sequence[Symbol], columns: Sequence[Array], tau: Array) -> tuple[Array, Array]:
    """Nodes and weights of one variable, a row for each value of those before it."""
    rows = len(columns[0]) if columns else 1

    def bound(e: Expr) -> Array:
        value: Any = sympy.lambdify(before, e, "numpy")(*columns)
        return np.broadcast_to(np.asarray(value, dtype=float), rows)[:, None]

    if not isinstance(support, sympy.Interval):
        if not before and ends_of(support)[1] is sympy.oo and ends_of(support)[0].is_finite:
            return _endless(support, tau)
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


def _endless(support: Set, tau: Array) -> tuple[Array, Array]:
    """The first outcomes of a single variable without end, and nodes of an integral in the place of the others."""
    first = float(ends_of(support)[0]) + np.arange(float(OUTCOMES_OF_MANY))
    beyond, weights = _nodes(sympy.Interval(first[-1] + sympy.Rational(1, 2), sympy.oo), (), (), tau)
    return np.append(first[None], beyond, axis=1), np.append(head_factors(OUTCOMES_OF_MANY)[None], weights, axis=1)


def _outcomes(support: Set, bound: Any, rows: int) -> tuple[Array, Array]:
    if isinstance(support, sympy.FiniteSet):
        values = np.array(sorted(map(float, support)))
        return np.broadcast_to(values, (rows, len(values))), np.ones((rows, len(values)))
    first, last = ends_of(support)
    if first is -sympy.oo:
        first, last = sympy.Integer(-OUTCOMES_OF_MANY), sympy.Integer(OUTCOMES_OF_MANY)
    low = bound(first)
    high = low + OUTCOMES_OF_MANY if last is sympy.oo else bound(last)
    most = float((high - low).max()) + 1
    if most * rows > MOST_NODES:
        raise ArithmeticError(f"at most {MOST_NODES} nodes are summed over, got {most * rows:.3g}")
    k = np.arange(int(most))
    return low + k, (low + k <= high).astype(float)


def ends_of(support: Set) -> tuple[Expr, Expr]:
    """First and last of a range of integers, whose ends may be expressions."""
    if isinstance(support, sympy.Range):
        return support.args[0], support.args[1] - 1
    return support.inf, support.sup
