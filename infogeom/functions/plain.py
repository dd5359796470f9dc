"""Functions that people type and no kernel knows, by those that are known: sec, acosh, atan2, Max, Heaviside, ...

Equal in value wherever they are defined, the limits of cases included; jumps and kinks are those of the cases.
"""

from __future__ import annotations

from collections.abc import Callable

import sympy
from sympy import Abs, Dummy, Expr, Piecewise, acos, asin, asinh, atan, atanh, cos, cosh, pi, sin, sinh, sqrt, tanh

__all__ = ["plain"]


def _atan2(y: Expr, x: Expr) -> Expr:
    """By the smaller of the two ratios, whose derivative is the same on every side of a border but the cut."""
    if x.is_positive:
        return atan(y / x)
    if y.is_positive:
        return pi / 2 - atan(x / y)
    return Piecewise(
        (atan(y / x), x > Abs(y)),
        (pi / 2 - atan(x / y), y >= Abs(x)),
        (-pi / 2 - atan(x / y), -y >= Abs(x)),
        (pi + atan(y / x), y >= 0),
        (atan(y / x) - pi, True),
    )


def _largest(*numbers: Expr) -> Expr:
    """The largest of several numbers."""
    most, *others = numbers
    for other in others:
        most = Piecewise((most, most >= other), (other, True))
    return most


def _smallest(*numbers: Expr) -> Expr:
    """The smallest of several numbers."""
    least, *others = numbers
    for other in others:
        least = Piecewise((least, least <= other), (other, True))
    return least


def _step(x: Expr, at_zero: Expr) -> Expr:
    """Heaviside's step."""
    return Piecewise((0, x < 0), (1, x > 0), (at_zero, True))


def _delta(i: Expr, j: Expr, *_: Expr) -> Expr:
    """Kronecker's delta of two numbers."""
    return Piecewise((1, sympy.Eq(i, j)), (0, True))


#: Stands for the argument of a function.
X = Dummy("x")
#: Functions of one argument.
FORMULAS: dict[type, Expr] = {
    sympy.sec: 1 / cos(X),
    sympy.csc: 1 / sin(X),
    sympy.cot: cos(X) / sin(X),
    sympy.sech: 1 / cosh(X),
    sympy.csch: 1 / sinh(X),
    sympy.coth: 1 / tanh(X),
    sympy.acosh: 2 * asinh(sqrt((X - 1) / 2)),  # sinh(u/2)² = (cosh u − 1)/2, which keeps its digits beside 1
    sympy.acoth: atanh(1 / X),
    sympy.acot: atan(1 / X),
    sympy.asec: acos(1 / X),
    sympy.acsc: asin(1 / X),
    sympy.asech: 2 * asinh(sqrt((1 / X - 1) / 2)),
    sympy.acsch: asinh(1 / X),
}
#: Functions by cases.
CASES: dict[type, Callable[..., Expr]] = {
    sympy.atan2: _atan2,
    sympy.Max: _largest,
    sympy.Min: _smallest,
    sympy.Heaviside: _step,
    sympy.KroneckerDelta: _delta,
}
REWRITTEN = (*FORMULAS, *CASES)


def plain(e: Expr) -> Expr:
    """Expression by functions that kernels know; one without others is returned as it is.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> plain(sympy.sec(x) ** 2 + sympy.Max(x, 1))
    Piecewise((1, x <= 1), (x, True)) + cos(x)**(-2)
    """
    if not e.has(*REWRITTEN):
        return e
    for function, by_cases in CASES.items():
        e = e.replace(function, by_cases)
    return e.replace(lambda f: type(f) in FORMULAS, lambda f: FORMULAS[type(f)].xreplace({X: f.args[0]}))
