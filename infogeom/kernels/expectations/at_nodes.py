"""Expressions at the nodes of many points: line by line on arrays, and compiled once that pays.

Both evaluate the same lines with the same functions in the same order, so that a value is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Symbol

from infogeom.functions.primitive import primitives
from infogeom.kernels.codegen.builder import Builder, UnsupportedFunctionError
from infogeom.kernels.codegen.layout import NodeAxes, write_nodes, write_point
from infogeom.kernels.codegen.vectorised import as_compiled, special_on_arrays
from infogeom.kernels.compiled.compile import compiled, is_kept
from infogeom.kernels.expectations.running_error import error_program
from infogeom.numeric.float64 import PRIMITIVES, evaluated, in_arrays

__all__ = ["AtNodes", "Values", "at_nodes", "errors_at_nodes", "special_functions"]

Array = NDArray[np.float64]
Steps = Sequence[tuple[Symbol, Expr]]
#: From nodes (variables, m, K) and arguments (m, k) to values (m, expressions, K).
Values = Callable[[Array, Array], Array]
#: Lines times nodes for which arrays take about as long as the compiler does.
WORTH_COMPILING = 200_000_000


def at_nodes(variables: Sequence[Symbol], arguments: Sequence[Symbol], expressions: Sequence[Expr]) -> Values:
    """Function of nodes and arguments that gives the values of expressions.

    Parameters
    ----------
    variables, arguments : sequence of Symbol
    expressions : sequence of Expr
        Functions of numbers in them are evaluated beforehand.

    Raises
    ------
    NameError
        When it is called: for a function without a float64 version.
    """
    known = evaluated(expressions)
    try:
        return AtNodes(variables, arguments, known)
    except (UnsupportedFunctionError, OverflowError):
        return _by_scipy([*variables, *arguments], known)


def errors_at_nodes(
    variables: Sequence[Symbol], arguments: Sequence[Symbol], expressions: Sequence[Expr], inexact: Sequence[Symbol]
) -> Values:
    """Function that gives the values of expressions, then bounds on their errors; ``inexact`` symbols are rounded."""
    try:
        steps, results = error_program(expressions, inexact, compiled=True)
        return AtNodes(variables, arguments, results, steps)
    except (UnsupportedFunctionError, OverflowError):
        steps, results = error_program(expressions, inexact)
        return _by_scipy([*variables, *arguments], results, steps)


def _by_scipy(symbols: Sequence[Symbol], expressions: Sequence[Expr], steps: Steps = ()) -> Values:
    """The same through SciPy, for functions that kernels lack."""
    given = {"cse": lambda _: (steps, expressions)} if steps else {}
    evaluate: Callable[..., Any] = in_arrays(symbols, expressions, special_functions(), **given)

    def values(x: Array, theta: Array) -> Array:
        columns = theta.T[..., None]
        return np.stack(evaluate(*x, *columns), axis=1)

    return values


class AtNodes:
    """Values of expressions at nodes, as `at_nodes` gives them, with functions that kernels have."""

    def __init__(
        self, variables: Sequence[Symbol], arguments: Sequence[Symbol], expressions: Iterable[Expr], steps: Steps = ()
    ) -> None:
        given = NodeAxes(tuple(arguments), tuple(variables))
        names = given.positional()
        axes = NodeAxes(tuple(names[s] for s in arguments), tuple(names[s] for s in variables))
        builder = Builder(axes)
        for symbol, e in steps:
            builder.stand(symbol, _with_all_signs(e.xreplace(names)))
        builder.program.results = [builder.node(_with_all_signs(e.xreplace(names))) for e in expressions]
        self._source, self._number = write_nodes(builder.program, axes), len(builder.program.results)
        self._lines = as_compiled(write_point(builder.program, axes))
        self._machine: Callable[..., None] | None = None
        self._lines_each, self._lock = len(builder.program.lines), Lock()
        self._left = 0 if is_kept(self._source, "nodes") else WORTH_COMPILING

    def __call__(self, x: Array, theta: Array) -> Array:
        """Values (m, expressions, K) at nodes (variables, m, K) of points with arguments (m, k)."""
        machine = self._machine or self._worth_compiling(x[0].size)
        out = np.empty((len(theta), self._number, x.shape[-1]))
        if machine is None:
            for k, value in enumerate(self._lines([*theta.T[..., None], *x])):
                out[:, k] = value
        else:
            machine(np.ascontiguousarray(theta.T), np.ascontiguousarray(x), out)
        return out

    def _worth_compiling(self, nodes: int) -> Callable[..., None] | None:
        """Compiled code once there were so many nodes."""
        with self._lock:
            self._left -= nodes * self._lines_each
            if self._machine is None and self._left < 0:
                self._machine = compiled(self._source)["nodes"]
            return self._machine


def _with_all_signs(e: Expr) -> Expr:
    """Expression whose signs are 0 at 0: a node may be rounded to a kink, which has no weight."""
    return e.replace(sympy.sign, lambda u: sympy.Piecewise((1, u > 0), (-1, u < 0), (0, True)))


@cache
def special_functions() -> dict[str, Callable[..., Any]]:
    """The functions of this package that SciPy lacks, element by element."""
    lacking = {function.__name__ for function in primitives()} - PRIMITIVES.keys()
    return {name: function for name, function in special_on_arrays().items() if name in lacking}
