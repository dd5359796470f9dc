"""Expressions by cases, with what all cases have in common in front of them."""

from __future__ import annotations

import sympy
from sympy import Expr, Piecewise

__all__ = ["common_in_front"]


def common_in_front(expression: Expr) -> Expr:
    """Expression whose cases have their common factors in front: ∂ℓ/∂θ_i = x_i times what is the same for all i."""
    return expression.replace(Piecewise, _factored) if expression.has(Piecewise) else expression


def _factored(*pieces: sympy.Tuple) -> Expr:
    cases, conditions = zip(*pieces, strict=True)
    powers = [case.as_powers_dict() for case in cases if case != 0]
    bases = powers[0] if powers else ()
    front = sympy.Integer(1)
    for base in sorted(bases, key=sympy.default_sort_key):
        exponents = [p.get(base, sympy.Integer(0)) for p in powers]
        if not base.is_Number and all(exponent.is_Integer for exponent in exponents):
            front *= base ** max(0, min(exponents))
    rest = [case / front for case in cases]
    return front * Piecewise(*zip(rest, conditions, strict=True))
