"""Expressions as functions of mpmath numbers, in whatever precision mpmath works at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import mpmath
import sympy
from sympy import Dummy, Expr, Symbol

from infogeom import functions
from infogeom.functions import expit, log_sum_exp, softmax, softplus
from infogeom.functions.removable import Germ, removable
from infogeom.numeric.quadrature import exponential

__all__ = ["in_mpmath", "staged"]

Real = Any  # mpmath's numbers have no types


def _expit(u: Real) -> Real:
    return 1 / (1 + exponential(-u))


def _softplus(u: Real) -> Real:
    return max(u, 0) + mpmath.log1p(exponential(-abs(u)))


def _log_sum_exp(*a: Real) -> Real:
    most, *others = sorted(a, reverse=True)
    return most + mpmath.log1p(mpmath.fsum(exponential(b - most) for b in others))


def _softmax(k: int, *a: Real) -> Real:
    return exponential(a[k] - _log_sum_exp(*a))


def _by_evalf(function: type[sympy.Function]) -> Callable[..., Real]:
    """A primitive of ours that SymPy evaluates at mpmath's working precision."""

    def value(*args: Real) -> Real:
        digits = mpmath.mp.dps + 5
        numbers = [_exact(a, digits) for a in args]
        return mpmath.mpf(function(*numbers).evalf(digits)._to_mpmath(mpmath.mp.prec))

    return value


def _exact(a: Real, digits: int) -> sympy.Number:
    """A whole number as it is, so that SymPy sees one (an order, a degree)."""
    return sympy.Integer(int(a)) if mpmath.isint(a) else sympy.Float(a, digits)


def _removable(x: Real, germ: str) -> Real:
    return _germ(germ).value(mpmath.mpf(x))


@cache
def _germ(text: str) -> Germ:
    return sympy.sympify(text, {Germ.__name__: Germ})  # type: ignore[no-any-return]


def _primitives() -> dict[str, Callable[..., Real]]:
    known: dict[str, Callable[..., Real]] = {}
    for name in functions.__all__:
        ours = getattr(functions, name)
        if isinstance(ours, type) and issubclass(ours, sympy.Function):
            known[name] = _by_evalf(ours)
    # Those that would cancel or overflow, or are no functions of SymPy's, are written out.
    known |= {expit.__name__: _expit, softplus.__name__: _softplus}
    known |= {log_sum_exp.__name__: _log_sum_exp, softmax.__name__: _softmax, removable.__name__: _removable}
    known["exp"] = exponential
    return known


MP_PRIMITIVES = _primitives()


def in_mpmath(arguments: Sequence[Symbol], expression: Any) -> Callable[..., Any]:
    """Function of mpmath numbers that evaluates an expression, or a list of them."""
    return sympy.lambdify(arguments, expression, [MP_PRIMITIVES, "mpmath"], cse=True, dummify=True)  # type: ignore[no-any-return]


def staged(
    expressions: Sequence[Expr], fixed: Sequence[Symbol], moving: Sequence[Symbol]
) -> Callable[[Sequence[Real]], Callable[..., list[Real]]]:
    """Function of the fixed symbols' values that gives a function of the moving ones' values.

    What does not depend on the moving symbols is evaluated once for all their values.
    """
    known: dict[Expr, Dummy] = {}
    reduced = [_reduced(e, set(moving), known) for e in expressions]
    first = in_mpmath(fixed, list(known))
    second = in_mpmath(list(known.values()) + list(moving), reduced)

    def at(values: Sequence[Real]) -> Callable[..., list[Real]]:
        return partial(second, *first(*values))

    return at


def _reduced(e: Expr, moving: set[Symbol], known: dict[Expr, Dummy]) -> Expr:
    """Expression in which each greatest part without a moving symbol is a symbol of its own."""
    if isinstance(e, Expr) and not e.free_symbols & moving:  # conditions have no value of their own
        return e if e.is_Rational or isinstance(e, Germ) else known.setdefault(e, Dummy("c", real=True))
    if not e.args:
        return e
    parts = e.args
    if isinstance(e, sympy.Add | sympy.Mul):  # terms or factors that stay are one part, not several
        still, rest = e.as_independent(*moving, as_Add=isinstance(e, sympy.Add))
        parts = (still, *rest.args) if isinstance(rest, type(e)) else (still, rest)
    reduced = [_reduced(part, moving, known) for part in parts]
    return e.func(*reduced)
