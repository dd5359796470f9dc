"""Models and what is known of them in words and formulas: where parameters and outcomes lie, yes and no, a matrix."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice
from typing import Any

import sympy
from sympy import Expr

from infogeom.formulas import latex
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter
from infogeom.symbolic import Metric

__all__ = ["LEFT_OPEN", "answer", "cut", "domain", "domain_latex", "matrix", "or_open", "outcomes", "readable"]

#: Operations up to which a formula is read in a table.
READABLE = 80
LEFT_OPEN = "?"
#: Outcomes without end.
INTEGERS = {
    sympy.S.Naturals0: "0, 1, 2, …",
    sympy.S.Naturals: "1, 2, 3, …",
    sympy.S.Integers: "…, -1, 0, 1, …",
}


def answer(fact: bool | None) -> str:
    """A fact as yes, no or open."""
    if fact is None:
        return LEFT_OPEN
    return "yes" if fact else "no"


def or_open(e: Expr | None) -> str:
    """Expression as text, or that it is open."""
    return LEFT_OPEN if e is None else str(e)


def cut(text: str, letters: int) -> str:
    """Text of so many letters at most."""
    return text if len(text) <= letters else text[: letters - 2].rstrip() + " …"


def readable(e: Any) -> str:
    """Formula, or dots for one that nobody would read in a table."""
    entries = list(e) if isinstance(e, sympy.MatrixBase) else [e]
    if sum(x.count_ops() for x in entries) > READABLE:
        return r"$\dots$"
    return rf"${latex(e)}$"


def matrix(metric: Metric | None) -> str:
    """Matrix as text: its only entry, its diagonal or its rows."""
    assert metric is not None
    g = metric.matrix
    if g.shape == (1, 1):
        return str(g[0])
    if g.is_diagonal():
        return f"diag({', '.join(map(str, g.diagonal()))})"
    return str(g.tolist())


def domain(model: Model) -> str:
    """Where the parameters may lie, in words: ``mu real, sigma > 0``."""
    told = []
    for interval, group in _grouped(model):
        told.append(_range(interval, ", ".join(p.name for p in group)))
    told += [f"{constraint} > 0" for constraint in _constraints(model)]
    return ", ".join(told)


def _range(interval: sympy.Interval, what: str) -> str:
    low, high = interval.start, interval.end
    if low.is_infinite and high.is_infinite:
        return f"{what} real"
    if high.is_infinite:
        return f"{what} > {low}"
    return f"{what} < {high}" if low.is_infinite else f"{low} < {what} < {high}"


def domain_latex(model: Model) -> str:
    """Where the parameters may lie, in LaTeX."""
    told = []
    for interval, group in _grouped(model):
        names = ",".join(latex(p.symbol) for p in group)
        told.append(rf"{names} \in {_set(interval)}")
    told += [f"{latex(constraint)} > 0" for constraint in _constraints(model)]
    return r",\; ".join(told)


def _constraints(model: Model) -> list[Expr]:
    """What is positive inside the domain, constants in numbers."""
    return [constraint.subs(model.constants) for constraint in model.constraints]


def _set(interval: sympy.Interval) -> str:
    return r"\mathbb{R}" if interval == sympy.S.Reals else latex(interval)


def _grouped(model: Model) -> Iterator[tuple[sympy.Interval, list[Parameter]]]:
    """Neighbouring parameters of one domain."""
    for interval, group in groupby(model.parameters, key=lambda p: p.domain):
        yield interval, list(group)


def outcomes(model: Model) -> Iterator[str]:
    """Where each variable may lie."""
    for variable, support in zip(model.variables, model.supports, strict=False):
        values = support.subs(dict(model.constants))
        if isinstance(values, sympy.Interval):
            yield _range(values, str(variable))
        else:
            yield f"{variable} = {INTEGERS.get(values) or _counted(values)}"


def _counted(values: sympy.Set) -> str:
    first = [str(x) for x in islice(values, 5)]
    if len(first) > 4:
        first[2:] = ["…", str(values.sup)]
    return ", ".join(first)
