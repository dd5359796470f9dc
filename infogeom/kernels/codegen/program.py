"""From expressions to deterministic Python source that evaluates them on whole tiles of a grid.

Pure: expressions in, text out.  Points of a tile are (outer point p, inner point v); the inner axis is the long one,
over which loops vectorise.  Every subexpression is classified by what it depends on, a subset of {p, v, n} with n the
sample, and computed where it first can be: per outer point, in a table over the inner axis, per sample, or, last and
least, in the innermost loop.  On a rectilinear grid an exponential of a sum over the axes so becomes a product of two
table entries, and no transcendental is left inside.

Three variants of one source exist.  The *hoisted* one splits exponentials between the axes; every exponent must stay
below `MAX_EXPONENT` at a point, as ``exponents`` finds it.  The *direct* one exponentiates −|u| in place and never
overflows.  The *exact* one is for a single point in another arithmetic: its constants are not rounded, and no line
compares but by calls.

Names in the source are positions (q0, x1, t7): a user's symbol name is never executed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Symbol

from infogeom.functions.facts import Arithmetic
from infogeom.functions.registry import known_functions
from infogeom.kernels.codegen.builder import Builder, UnsupportedFunctionError
from infogeom.kernels.codegen.layout import Axes, write_loops, write_point
from infogeom.kernels.codegen.lines import Program
from infogeom.kernels.curvature.straight_line import Assign

__all__ = ["MAX_EXPONENT", "Axes", "Kernel", "UnsupportedFunctionError", "exact_source", "kernel"]

Groups = dict[str, list[str]]
Places = dict[str, NDArray[np.int64]]
#: Computes further quantities from the names of those that there are.
Following = Callable[[Assign, Groups], Groups]

#: Two table entries of this exponent multiply to e^680, and one more sum still fits into float64.
MAX_EXPONENT = 340.0
#: Lines of a program, without samples, from which on its compilation takes longer than its evaluation ever will.
MAX_COMPILED = 600


@dataclass(frozen=True, eq=False)
class Kernel:
    """Source of a tile kernel, and at which component of its output each quantity stands.

    Attributes
    ----------
    hoisted, direct : str
        Sources that split exponentials between the axes (empty where there is nothing to split) and that do not.
    at : mapping of str to ndarray of int64
        Components of each quantity, tensor indices flattened.
    components : int
        How many there are.
    vector : str
        In place of the others where the program is long: ``point(x, rows)`` as `exact_source` has it, to be run on
        arrays.
    """

    hoisted: str
    direct: str
    at: Mapping[str, NDArray[np.int64]]
    components: int
    vector: str = ""


def kernel(expressions: Mapping[str, Sequence[Expr]], axes: Axes, following: Following | None = None) -> Kernel:
    """Kernel that evaluates named groups of expressions.

    Its ``tile(outer, inner, data, out)`` fills ``out`` (components, P, V) from ``outer`` (coordinates × P), ``inner``
    (coordinates × V) and ``data`` (columns × N, a multiple of `UNROLL`; with sample symbols every expression is summed
    over the samples, and a weight is just a factor in it).  Its ``exponents(outer, inner, data)`` bounds the exponents
    that the hoisted variant splits.  Sources are identical for identical expressions, whatever the symbols are called.

    Parameters
    ----------
    expressions : mapping of str to sequence of sympy.Expr
        What to evaluate.
    axes : Axes
        Roles of the symbols.
    following : callable, optional
        ``following(assign, names)`` computes further quantities from the names of all expressions; what it returns
        replaces them as the output.

    Raises
    ------
    UnsupportedFunctionError, OverflowError
        Naming the function or the constant.
    """
    axes, renamed = _positional(axes, expressions)
    programs = []
    for hoisted in (False, True):
        program, at = _program(Builder(axes, hoisted=hoisted), renamed, following)
        if not (following or axes.sample) and len(program.lines) > MAX_COMPILED:
            found = _on_arrays(renamed, axes)
            if found:
                return found
        programs.append(program)
    direct, split = programs
    source = write_loops(split, axes) if split.exponents else ""
    return Kernel(source, write_loops(direct, axes), at, len(split.results))


def _program(
    builder: Builder, expressions: Mapping[str, Sequence[Expr]], following: Following | None = None
) -> tuple[Program, Places]:
    """Program of all expressions, and of what follows from them, with the places of each group in its results."""
    groups = {key: [builder.node(e) for e in group] for key, group in expressions.items()}
    if following:
        groups = following(builder.assign, groups)
    places: dict[str, int] = {}
    at: Places = {}
    for key, group in groups.items():
        at[key] = np.array([places.setdefault(name, len(places)) for name in group], dtype=np.int64)
    builder.program.results += places
    return builder.program, at


def _on_arrays(expressions: Mapping[str, Sequence[Expr]], axes: Axes) -> Kernel | None:
    """Kernel to be run on arrays; None where one of its functions has no such version."""
    try:
        program, at = _program(Builder(axes, exact=True), expressions)
    except UnsupportedFunctionError:
        return None
    known = {facts.name for facts in known_functions().values() if facts.exists_in(Arithmetic.ARRAYS)}
    for line in program.lines:
        if not known.issuperset({*line.calls} - {"pow"}):
            return None
    return Kernel("", "", at, len(program.results), write_point(program, axes))


def exact_source(
    expressions: Mapping[str, Sequence[Expr]], axes: Axes, standing: Mapping[Symbol, Expr] | None = None
) -> tuple[str, Places]:
    """Source of ``point(x, rows)``, which evaluates the same in any arithmetic, and where each group stands in it.

    Constants are exact: ``ratio(p, q)``, ``pi()`` and the like are called for them.  Symbols may stand for other
    expressions.
    """
    known = axes.positional()
    axes, renamed = _positional(axes, expressions)
    builder = Builder(axes, exact=True)
    for symbol, e in (standing or {}).items():
        builder.stand(symbol, e.xreplace(known))
    program, at = _program(builder, renamed)
    return write_point(program, axes), at


def _positional(axes: Axes, expressions: Mapping[str, Sequence[Expr]]) -> tuple[Axes, dict[str, list[Expr]]]:
    """Axes and expressions with every symbol named by its position."""
    names = axes.positional()
    new: dict[Expr, Expr] = {}
    for e in chain.from_iterable(expressions.values()):
        if e not in new:
            new[e] = e.xreplace(names)
    renamed = {key: [new[e] for e in group] for key, group in expressions.items()}
    outer = tuple(names[s] for s in axes.outer)
    inner = tuple(names[s] for s in axes.inner)
    sample, held = (tuple(names[s] for s in symbols) for symbols in (axes.sample, axes.held))
    return Axes(outer, inner, sample, held), renamed
