"""Straight-line code in single-assignment form, as data: which line reads what, and on what it depends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import NamedTuple

from infogeom.kernels.compiled.library import CALLED
from infogeom.kernels.curvature.straight_line import MINUS, PLUS, TIMES

__all__ = ["INNER", "INNERMOST", "OUTER", "SAMPLE", "Kinds", "Line", "Program", "fused", "lone_products"]

#: A line may depend on the outer point,
OUTER = "p"
#: on the inner point,
INNER = "v"
#: and on the sample.
SAMPLE = "n"
Kinds = frozenset[str]
#: What lines of the innermost loop depend on, and perhaps on the sample.
INNERMOST = frozenset({OUTER, INNER})
#: Functions that a vectorised loop may call.
INLINE = frozenset({"fabs", "max", "sqrt"})


class Line(NamedTuple):
    """An assignment.

    Attributes
    ----------
    name : str
        What is assigned to.
    form : str
        The right-hand side with places ``{0}``, ``{1}``, … for the operands.
    operands : tuple of str
        Names, and literals that are not part of the form.
    calls : tuple of str
        Functions that it calls; ``pow`` for a power that is no product.
    """

    name: str
    form: str
    operands: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()

    def written(self, renamed: Callable[[str], str] = str) -> str:
        """Text of the line, with its names changed."""
        return f"{renamed(self.name)} = {self.form.format(*map(renamed, self.operands))}"


@dataclass
class Program:
    """Straight-line code: lines, what each name depends on, the results, the exponents."""

    lines: list[Line] = field(default_factory=list)
    depends: dict[str, Kinds] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)
    exponents: dict[str, None] = field(default_factory=dict)

    def add(self, line: Line) -> None:
        """Append a line, which depends on what its operands depend on."""
        kinds = [self.depends.get(operand, frozenset()) for operand in line.operands]
        self.depends[line.name] = frozenset().union(*kinds)
        self.lines.append(line)

    def needed(self, targets: Iterable[str], known: Collection[str] = ()) -> list[Line]:
        """Lines that lead to the targets, those of names already known left out."""
        wanted = set(targets) - set(known)
        lines = []
        for line in reversed(self.lines):
            if line.name in wanted:
                wanted.update(set(line.operands) - set(known))
                lines.append(line)
        return lines[::-1]

    def calls(self) -> list[list[str]]:
        """Names whose innermost lines call functions, which keeps a loop from vectorising, as loops may hold them.

        None of a loop needs another of it, and what is written in `infogeom.kernels.compiled.library` may vectorise on
        its own.
        """
        level: dict[str, int] = {}
        loops: dict[tuple[int, str], list[str]] = {}
        for line in self.needed(self.results):
            # One loop further in than the last call that the line needs.
            level[line.name] = max((level.get(operand, 0) for operand in line.operands), default=0)
            functions = set(line.calls) - INLINE
            if functions and self.depends[line.name] >= INNERMOST:
                own = line.name if functions & CALLED else ""
                loops.setdefault((level[line.name], own), []).append(line.name)
                level[line.name] += 1
        return [loops[key] for key in sorted(loops, key=itemgetter(0))]


def lone_products(program: Program) -> dict[str, tuple[str, ...]]:
    """Factors of the products of two that stand in one place only."""
    uses = Counter(program.results)
    for line in program.lines:
        uses.update(set(line.operands))
    products = {}
    for line in program.lines:
        if line.form == TIMES and uses[line.name] == 1:
            products[line.name] = line.operands
    return products


def fused(program: Program) -> Program:
    """Program with products fused into the one sum, of the same loop, that takes them."""
    lone = lone_products(program)
    return replace(program, lines=[_fused(line, lone, program.depends) for line in program.lines])


def _fused(line: Line, lone: dict[str, tuple[str, ...]], depends: dict[str, Kinds]) -> Line:
    """A sum with its first term that is a lone product as ``fma``; any other line as it is."""
    if line.form not in (PLUS, MINUS):
        return line
    a, b = line.operands
    minus = "(-1.0) * " if line.form == MINUS else ""
    if _alone(a, line.name, lone, depends):
        return Line(line.name, f"fma({{0}}, {{1}}, {minus}{{2}})", (*lone[a], b))
    if _alone(b, line.name, lone, depends):
        return Line(line.name, f"fma({minus}{{0}}, {{1}}, {{2}})", (*lone[b], a))
    return line


def _alone(term: str, total: str, lone: Collection[str], depends: dict[str, Kinds]) -> bool:
    return term in lone and depends[term] == depends[total]
