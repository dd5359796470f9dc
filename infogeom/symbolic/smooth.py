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
    """An entry whose factor in one parameter is 0/0 somewhere in its domain, as a function that is analytic there."""
    found = e.free_symbols
    for x, domain in domains.items():
        if x not in found:
            continue
        rest, factor = e.as_independent(x, as_Add=False)
        if factor.free_symbols != {x}:
            continue
        poles = sorted(_poles(factor, x))
        for centre in poles:
            if not domain.start < centre < domain.end:
                continue
            others = [domain.start, domain.end, *poles]
            distances = [abs(other - centre) for other in others if other.is_finite and other != centre]
            germ = Germ(factor, x, centre, SHARE * min(distances, default=sympy.Integer(1)))
            if _is_analytic(germ):
                return rest * removable(x, germ)
    return e


def _poles(factor: Expr, x: Symbol) -> set[Expr]:
    """Rational numbers at which a denominator vanishes, whether or not the numerator does so too."""
    poles = set()
    for part in sympy.preorder_traversal(factor):
        base, exponent = part.as_base_exp()
        if exponent.is_negative and base.is_polynomial(x) and x in base.free_symbols:
            poles |= {root for root in sympy.roots(base, x) if root.is_rational}
    return poles


def _is_analytic(germ: Germ) -> bool:
    """Whether the Taylor series, by Cauchy's integrals, is the function: not so where it has a pole."""
    near = germ.radius * NEAR
    with precision.digits(2 * SMOOTH_DIGITS):
        place = germ.centre + near
        series, formula = germ.value(mpmath.mpf(place.p) / place.q), germ.at(place).evalf(2 * SMOOTH_DIGITS)
        error = abs(series - mpmath.mpf(formula._to_mpmath(mpmath.mp.prec)))
        return bool(error <= mpmath.mpf(10) ** -SMOOTH_DIGITS * abs(series))
