"""Removable singularities of closed forms inside the domain of a parameter."""

from __future__ import annotations

from collections.abc import Mapping

import mpmath
import sympy
from sympy import Expr, Set, Symbol

from infogeom import precision
from infogeom.functions.removable import Germ, removable

__all__ = ["smooth"]

#: The disk that a germ is taken in, by the distance to the nearest end of the domain; 1 where there is none.
SHARE = sympy.Rational(49, 50)
#: How near the centre, by the radius, formula and series are compared, and to how many digits they must agree.
NEAR = sympy.Rational(1, 128)
SMOOTH_DIGITS = 20


def smooth(e: Expr, domains: Mapping[Symbol, Set]) -> Expr:
    """An entry whose factor in one parameter is 0/0 where that is 0, as a function that is analytic there."""
    found = e.free_symbols
    for x, domain in domains.items():
        if x not in found or not domain.start < 0 < domain.end:
            continue
        rest, factor = e.as_independent(x, as_Add=False)
        if factor.free_symbols == {x} and factor.subs(x, 0).has(sympy.nan, sympy.zoo, sympy.oo):
            ends = [abs(end) for end in (domain.start, domain.end) if end.is_finite]
            germ = Germ(factor, x, 0, SHARE * min(ends, default=sympy.Integer(1)))
            if _is_analytic(germ):
                return rest * removable(x, germ)
    return e


def _is_analytic(germ: Germ) -> bool:
    """Whether the Taylor series, by Cauchy's integrals, is the function: not so where it has a pole."""
    near = germ.radius * NEAR
    with precision.digits(2 * SMOOTH_DIGITS):
        series, formula = germ.value(mpmath.mpf(near.p) / near.q), germ.at(near).evalf(2 * SMOOTH_DIGITS)
        error = abs(series - mpmath.mpf(formula._to_mpmath(mpmath.mp.prec)))
        return bool(error <= mpmath.mpf(10) ** -SMOOTH_DIGITS * abs(series))
