"""Conditions on parameters and data as text: compared in place by compiled code, by calls in other arithmetics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy
from sympy import Expr
from sympy.core.relational import Relational
from sympy.logic.boolalg import Boolean, BooleanFunction

__all__ = ["CALLS", "borders", "condition"]

#: How compiled code compares two numbers, and what other arithmetics call.
RELATIONS: dict[type, tuple[str, str]] = {
    sympy.StrictLessThan: ("{0} < {1}", "less({0}, {1})"),
    sympy.LessThan: ("{0} <= {1}", "at_most({0}, {1})"),
    sympy.StrictGreaterThan: ("{0} > {1}", "less({1}, {0})"),
    sympy.GreaterThan: ("{0} >= {1}", "at_most({1}, {0})"),
    sympy.Equality: ("{0} == {1}", "equal({0}, {1})"),
    sympy.Unequality: ("{0} != {1}", "unequal({0}, {1})"),
}
#: How compiled code joins two conditions, and what other arithmetics call.
JOINED: dict[type, tuple[str, str]] = {
    sympy.And: ("({0}) & ({1})", "both({0}, {1})"),
    sympy.Or: ("({0}) | ({1})", "either({0}, {1})"),
}
#: What cases call in other arithmetics.
CALLS = frozenset({"at_most", "both", "choose", "either", "equal", "less", "unequal"})


def condition(c: Boolean, place: Callable[[Expr], str], *, called: bool) -> str:
    """Text of a condition, with places for the numbers that it compares.

    Parameters
    ----------
    c : sympy.Boolean
        Of inequalities, equations, and, or, not.
    place : callable
        Gives the place of the value of an expression.
    called : bool
        Whether conditions are calls.

    Raises
    ------
    TypeError
        If the condition is of another kind.
    """
    if isinstance(c, Relational) and type(c) in RELATIONS:
        lhs, rhs = place(c.lhs), place(c.rhs)
        return RELATIONS[type(c)][called].format(lhs, rhs)
    if isinstance(c, BooleanFunction) and type(c) not in JOINED:
        c = sympy.to_nnf(c, simplify=False)
    if type(c) not in JOINED:
        raise TypeError(f"a condition must be made of inequalities, equations, and, or, not; got {c}")
    text = ""
    for part in sorted(c.args, key=sympy.default_sort_key):
        other = condition(part, place, called=called)
        text = JOINED[type(c)][called].format(text, other) if text else other
    return text


def borders(cases: Sequence[Boolean]) -> list[Relational]:
    """Relations that the cases of an expression differ by."""
    found: set[Relational] = set()
    for c in cases:
        found |= c.atoms(Relational)
    return sorted(found, key=sympy.default_sort_key)
