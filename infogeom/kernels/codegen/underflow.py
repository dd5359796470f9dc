"""What numbers below float64 and beyond it do to an expression, beside its roundings.

A number below float64 is off by less than the least positive one, δ, and what is made of it by δ times all that it is
multiplied by afterwards: at most δ ∏ (1 + |f|) over the other factors f of a product, in whatever order.  A divisor b
multiplies by 1/b, and what is lost in b itself by 1/b².  So every expression has a *magnification* A ≥ 1, made of
1 + |f| and 1 + 1/|b|: less than `FLOOR` A is lost, and where A is finite nothing has overflowed on the way.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import sympy
from sympy import Abs, Expr

from infogeom.functions.facts import Growth
from infogeom.functions.registry import facts_of
from infogeom.kernels.curvature.loops import FLOOR

__all__ = ["lost"]

#: Factors that are at least 1, and their powers.
Monomial = dict[Expr, int]
#: Products kept apart in a sum; of more only what is larger than all is kept.
MOST_PRODUCTS = 6
#: A number in front counts from here on.
LARGE = 10**10


def lost(expressions: Iterable[Expr]) -> Expr:
    """Bound on what any of the expressions loses below float64, infinite where one may have overflowed on the way."""
    monomials = _largest([m for e in dict.fromkeys(expressions) for m in _magnifications(e)])
    A = sympy.Add(*map(_multiplied, monomials))
    return sympy.Float(FLOOR) * (sympy.UnevaluatedExpr(A) if A.free_symbols else A)  # kept whole in every sum


@lru_cache(maxsize=65536)
def _magnifications(e: Expr) -> list[Monomial]:
    """Products of which the largest is the magnification of an expression, but for a number."""
    if not e.free_symbols:
        return [{Abs(e): 1}] if abs(e) > LARGE else [{}]
    if e.is_Symbol:
        return [{1 + Abs(e): 1}]
    if e.is_Add:
        return _largest([m for term in e.args for m in _magnifications(term)])
    if isinstance(e, sympy.Piecewise):
        return _largest([m for case, _ in e.args for m in _magnifications(case)])
    if e.is_Mul:
        return [_product(*map(_magnification, e.args))]
    if e.is_Pow and e.base is not sympy.E:
        return [_of_power(e.base, e.exp)]
    return [_of_function(e)]


def _magnification(e: Expr) -> Monomial:
    """One product that is no smaller than any of them."""
    return _joined(_magnifications(e))


def _of_power(base: Expr, exponent: Expr) -> Monomial:
    divisor = 1 + 1 / Abs(base)
    if exponent.free_symbols:
        return _product({1 + Abs(base**exponent): 2, divisor: 1}, _magnification(base), _magnification(exponent))
    size, inside = int(sympy.ceiling(abs(exponent))), _magnification(base)
    if exponent.is_positive:
        return {factor: power * size for factor, power in inside.items()}
    return {divisor: size} if base.is_Symbol else _product({divisor: size + 1}, inside)


def _of_function(e: Expr) -> Monomial:
    """One product for a function and what its inexact arguments do to it; a symbol is exact."""
    inexact = [u for u in e.args if u.free_symbols and not u.is_Symbol]
    inside = _product(*map(_magnification, inexact))
    growth = facts_of(e.func).growth
    if growth is Growth.BOUNDED:
        return inside
    if growth is Growth.SLOW:
        return _product(*map(_magnification, e.args))
    if growth is Growth.SMOOTH or not inexact:
        return _product({1 + Abs(e): 1}, inside)
    slopes = [{1 + Abs(u): 1, 1 + 1 / Abs(u): 1} for u in inexact]
    return _product({1 + Abs(e): 2}, inside, *slopes)


def _multiplied(monomial: Monomial) -> Expr:
    return sympy.Mul(*(factor**power for factor, power in monomial.items()))


def _product(*monomials: Monomial) -> Monomial:
    found: Monomial = {}
    for monomial in monomials:
        for factor, power in monomial.items():
            found[factor] = found.get(factor, 0) + power
    return found


def _joined(monomials: list[Monomial]) -> Monomial:
    found: Monomial = {}
    for monomial in monomials:
        for factor, power in monomial.items():
            found[factor] = max(found.get(factor, 0), power)
    return found


def _largest(monomials: list[Monomial]) -> list[Monomial]:
    """Products that no other exceeds in every power."""
    kept: list[Monomial] = []
    for monomial in sorted(monomials, key=lambda m: -sum(m.values())):
        if not any(all(other.get(factor, 0) >= power for factor, power in monomial.items()) for other in kept):
            kept.append(monomial)
    return kept if len(kept) <= MOST_PRODUCTS else [_joined(kept)]
