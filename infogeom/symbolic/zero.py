"""Whether an expression is 0, where that decides.

A normal form proves it for rational functions of the coordinates and of a few functions of them. Of any other analytic
function three random points of the domain tell: what is 0 there to 50 digits of the terms that cancel is 0 everywhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import mpmath
import sympy
from sympy import Dummy, Expr, Interval, Symbol
from sympy.core.function import AppliedUndef

from infogeom.models.parameter import Parameter, domain_of
from infogeom.numeric.multiprecision import in_mpmath
from infogeom.symbolic.normal_form import normal_form

__all__ = ["Region", "equal_to_rounding", "vanishes", "vanishing"]

#: Decimal digits of a value.
FEWER_DIGITS = 50
#: Decimal digits of the same value once more, of which a zero shrinks while anything else stays.
MORE_DIGITS = 70
#: What rounding leaves of a zero is no more than this times what the digits change it by.
LEFT_BY_ROUNDING = 1000
#: Points of the domain that tell whether an analytic function is 0.
WITNESSES = 3
#: Points that are drawn until so many lie where the expression is real and finite.
MOST_DRAWS = 30
#: How far the entries of a matrix of floats lie apart by rounding alone, relative to their size.
FLOATS_APART = 1e-13
#: What is not analytic: a few points do not tell what it is elsewhere.
STEPWISE = (sympy.Abs, sympy.sign, sympy.Heaviside, sympy.Piecewise, sympy.Max, sympy.Min, sympy.floor, sympy.ceiling)
#: What is no formula, with as little to tell of it.
NO_FORMULA = (sympy.Integral, sympy.Sum, sympy.Product, sympy.DiracDelta)
UNTOLD = STEPWISE + NO_FORMULA

Number = Any  # mpmath's numbers have no types


class Region:
    """Where an expression is judged: inside the domains of its symbols, and where conditions are positive.

    Parameters
    ----------
    domains : mapping of Symbol to Interval
        Of the coordinates; other symbols lie where their assumptions say.
    constraints : sequence of Expr
        What is positive inside.
    """

    def __init__(self, domains: Mapping[Symbol, Interval], constraints: Sequence[Expr] = ()) -> None:
        self.domains, self.constraints = domains, list(constraints)

    def values(self, expressions: Sequence[Expr]) -> Iterator[tuple[list[Number], list[Number]]]:
        """Values at random points where all are real and finite, in 50 digits and in more; nothing if unknown."""
        given = _with_free_values(list(expressions) + self.constraints)
        held: set[Symbol] = set().union(*(e.free_symbols for e in given))
        symbols = sorted(held, key=sympy.default_sort_key)
        evaluate, draw, n = in_mpmath(symbols, given), random.Random(1), len(expressions)
        for _ in range(MOST_DRAWS):
            point = [self._drawn(symbol, draw) for symbol in symbols]
            coarse = _real_values(evaluate, point, FEWER_DIGITS)
            fine = _real_values(evaluate, point, MORE_DIGITS)
            if coarse and fine and all(c > 0 for c in fine[n:]):
                yield coarse[:n], fine[:n]

    def _drawn(self, symbol: Symbol, draw: random.Random) -> float:
        """Value of a symbol: inside its domain and not far from its finite end or 0."""
        if symbol.is_integer:
            return draw.randint(2, 9) * (-1 if symbol.is_nonpositive else 1)
        return draw.uniform(*_typical(self.domains.get(symbol) or domain_of(symbol)))


@cache
def _typical(domain: Interval) -> tuple[float, float]:
    """Stretch of a domain."""
    return Parameter("inside", domain).typical


def _with_free_values(expressions: Sequence[Expr]) -> list[Expr]:
    """Expressions with functions that have no values, and their derivatives, as so many free numbers."""
    unknown: set[Expr] = set()
    for e in expressions:
        unknown |= e.atoms(AppliedUndef, sympy.Derivative)
    if not unknown:
        return list(expressions)
    names = {e: Dummy(real=True) for e in sorted(unknown, key=sympy.default_sort_key)}
    return [e.xreplace(names) for e in expressions]


def _real_values(evaluate: Callable[..., list[Number]], point: Sequence[float], digits: int) -> list[Number]:
    """Values at a point; none where one of them is not real and finite, or no number at all."""
    with mpmath.workdps(digits):
        try:
            values = list(map(mpmath.mpmathify, evaluate(*map(mpmath.mpf, point))))
        except (ArithmeticError, NameError, TypeError, ValueError, mpmath.mp.NoConvergence):
            return []
        known = all(isinstance(value, mpmath.mpf) and mpmath.isfinite(value) for value in values)
        return values if known else []


def vanishes(expression: Expr, region: Region) -> bool:
    """Whether an expression is 0 everywhere in a region."""
    if expression.has(*UNTOLD):
        return bool(normal_form(expression) == 0)
    (nothing,) = _are_nothing([expression], region)
    return bool(normal_form(expression) == 0) if nothing is None else nothing


def vanishing(forms: Sequence[Expr], region: Region) -> list[bool]:
    """Which of several normal forms are 0 everywhere in a region."""
    found = [form == 0 for form in forms]
    left = [k for k, form in enumerate(forms) if not found[k] and _is_told_by_points(form)]
    for k, nothing in zip(left, _are_nothing([forms[k] for k in left], region), strict=True):
        found[k] = bool(nothing)
    return found


def _are_nothing(expressions: Sequence[Expr], region: Region) -> list[bool | None]:
    """Which expressions are nothing but rounding at every one of the points; None for one that lacks the points."""
    found: list[bool | None] = [True] * len(expressions)
    for count, (coarse, fine) in enumerate(region.values(expressions) if expressions else (), 1):
        with mpmath.workdps(MORE_DIGITS):
            nothing = [abs(b) <= LEFT_BY_ROUNDING * abs(b - a) for a, b in zip(coarse, fine, strict=True)]
        found = [old and new for old, new in zip(found, nothing, strict=True)]
        if count == WITNESSES or not any(found):
            return found
    if len(expressions) < 2:
        return [None] * len(expressions)
    # One that has no value somewhere is not to keep the others from theirs.
    return [nothing for e in expressions for nothing in _are_nothing([e], region)]


def _is_told_by_points(form: Expr) -> bool:
    """Whether a normal form that is not 0 may be 0 in disguise, and is a function of which points can tell."""
    return not (_is_decided(form) or form.has(*UNTOLD))


def _is_decided(form: Expr) -> bool:
    """Whether the normal form shows 0 as 0: a quotient of polynomials in symbols, sines and cosines of single ones."""
    functions = form.atoms(sympy.Function)
    if any(type(f) not in (sympy.sin, sympy.cos) or not f.args[0].is_Symbol for f in functions):
        return False
    plain = form.xreplace({f: Dummy() for f in functions})
    return bool(plain.is_rational_function())


def equal_to_rounding(one: Expr, other: Expr, region: Region) -> bool:
    """Whether two expressions with floats are equal but for the rounding of those."""
    for count, (_, (a, b)) in enumerate(region.values([one, other]), 1):
        if abs(a - b) > FLOATS_APART * (abs(a) + abs(b)):
            return False
        if count == WITNESSES:
            return True
    return False
