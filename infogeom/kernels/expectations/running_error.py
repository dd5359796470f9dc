"""Values of expressions in float64 arrays, each with a running bound on what rounding did to it.

Beside every intermediate value stands a bound on its error, found from those of its operands and from the values
themselves (Higham, Accuracy and Stability of Numerical Algorithms, 2002, Sec. 3.3): cancellation shows where it occurs,
and each subexpression is bounded once, however often it is used.  Arguments are exact, or rounded where that is said;
constants that are data are rounded once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sympy
from sympy import Abs, Expr, Symbol

from infogeom.functions.facts import ELEMENTARY
from infogeom.functions.primitive import Primitive
from infogeom.functions.registry import facts_of
from infogeom.kernels.curvature.loops import UNIT
from infogeom.models.parameter import Held
from infogeom.numeric.float64 import Array, evaluated, in_arrays

__all__ = ["error_program", "with_errors"]

#: Roundings to which SciPy's functions and those of `infogeom.kernels.compiled.float_functions` are good, as far as was
#: seen.
SPECIAL_ROUNDINGS = 48
#: Error of a node, relative to it: of many that are rounded to both sides, what they make of it together.
NODE_ROUNDING = UNIT / 4
#: Functions without a slope, but for single points.
WITHOUT_SLOPE = (sympy.sign, sympy.Heaviside, sympy.DiracDelta)
ZERO = sympy.Integer(0)


def with_errors(
    arguments: Sequence[Symbol],
    expressions: Sequence[Expr],
    more: Mapping[str, Callable[..., Any]],
    inexact: Collection[Symbol] = (),
) -> Callable[..., tuple[list[Array], list[Array]]]:
    """Function of arrays and numbers that gives the values of expressions and bounds on their errors.

    The values are those of `infogeom.numeric.float64.in_float64`, to the last bit.

    Parameters
    ----------
    arguments : sequence of Symbol
    expressions : sequence of Expr
    more : mapping of str to callable
        Functions that SciPy lacks, vectorised.
    inexact : collection of Symbol
        Arguments that are rounded: nodes of a rule.
    """
    count = len(expressions)
    steps, results = error_program(expressions, inexact)
    evaluate = in_arrays(arguments, results, more, lambda _: (steps, results))

    def both(*at: Any) -> tuple[list[Array], list[Array]]:
        found = evaluate(*at)
        return found[:count], found[count:]

    return both


def error_program(
    expressions: Sequence[Expr], inexact: Collection[Symbol] = (), *, compiled: bool = False
) -> tuple[list[tuple[Symbol, Expr]], list[Expr]]:
    """Steps, and results by them: the values of expressions, then bounds on their errors; arguments as above.

    ``compiled`` says that functions of this package are those of `infogeom.kernels.compiled.library`, and not SciPy's.
    """
    steps, values = sympy.cse(evaluated(expressions), list=False)
    program = _Program(steps, values, inexact, compiled=compiled)
    return program.steps, program.results


class _Program:
    """Assignments that lead to the values of expressions and to their errors, in order."""

    def __init__(
        self,
        steps: Sequence[tuple[Symbol, Expr]],
        values: Sequence[Expr],
        inexact: Collection[Symbol] = (),
        *,
        compiled: bool = False,
    ) -> None:
        self.steps, self._compiled = list(steps), compiled
        self._names = {e: name for name, e in steps}
        self._errors: dict[Expr, Expr] = {}
        for symbol in inexact:
            self._errors[symbol] = self._named(NODE_ROUNDING * self._size(symbol), nonnegative=True)
        for name, e in steps:
            self._errors[name] = self._named(self._error(e), nonnegative=True)
        self.results = list(values)
        self.results += [self._of(e) for e in values]

    def _of(self, e: Expr) -> Expr:
        """Bound on the error of an expression, as a name or a number."""
        if e not in self._errors:
            self._errors[e] = self._named(self._error(e), nonnegative=True)
        return self._errors[e]

    def _named(self, e: Expr, *, nonnegative: bool | None = None) -> Expr:
        """Name of the value of an expression."""
        if e.is_Symbol or e.is_Number:
            return e
        if e not in self._names:
            self._names[e] = sympy.Dummy(real=True, nonnegative=nonnegative)
            self.steps.append((self._names[e], e))
        return self._names[e]

    def _size(self, e: Expr) -> Expr:
        """Magnitude of an expression."""
        if e.is_Number:
            return sympy.Float(Abs(e))
        value = e if e.is_Symbol else self._named(e, nonnegative=e.is_nonnegative)
        return value if value.is_nonnegative else self._named(Abs(value, evaluate=False), nonnegative=True)

    def _error(self, e: Expr) -> Expr:
        if e.is_Symbol:
            return UNIT * self._size(e) if isinstance(e, Held) else ZERO
        if e.is_Number or not e.free_symbols:
            return ZERO if _exact(e) else sympy.Float(abs(float(e)) * UNIT)
        if e.is_Add:
            return self._of_sum(e)
        if e.is_Mul:
            return self._of_product(e)
        if isinstance(e, sympy.Piecewise):
            cases = [(self._of(value), condition) for value, condition in e.args]
            return sympy.Piecewise(*cases)
        if isinstance(e, sympy.Max | sympy.Min | sympy.Abs):
            return sympy.Add(*map(self._of, e.args))
        if isinstance(e, WITHOUT_SLOPE):
            return ZERO
        return self._of_function(e)

    def _of_sum(self, e: Expr) -> Expr:
        terms = sympy.Add(*map(self._size, e.args))
        return sympy.Add(*map(self._of, e.args), UNIT * terms)

    def _of_product(self, e: Expr) -> Expr:
        """Each factor's error times the other factors, which may vanish."""
        sizes = [self._size(a) for a in e.args]
        carried = []
        for k, factor in enumerate(e.args):
            error = self._of(factor)
            if error != 0:
                others = sizes[:k] + sizes[k + 1 :]
                carried.append(error * sympy.Mul(*others))
        return sympy.Add(*carried, UNIT * (len(sizes) - 1) * self._size(e))

    def _of_function(self, e: Expr) -> Expr:
        """What a function does of its own, and what it makes of the errors of its arguments."""
        total = self._own(e)
        for argument in e.args:
            error = self._of(argument)
            if error != 0:
                total += self._size(self._slope(e, argument)) * error
        return total

    def _own(self, e: Expr) -> Expr:
        size = self._size(e)
        if e.is_Pow and e.exp.is_Integer:
            return UNIT * abs(e.exp) * size
        if e.is_Pow or facts_of(e.func).roundings == ELEMENTARY:
            return UNIT * ELEMENTARY * size
        if isinstance(e, Primitive):
            of_scipy = None if self._compiled else e.roundings_of_scipy(self._size)
            if of_scipy is not None:
                return UNIT * of_scipy
            if self._compiled:
                return UNIT * e.facts.roundings * (size + e.beside_zero())
        return UNIT * SPECIAL_ROUNDINGS * size

    def _slope(self, e: Expr, argument: Expr) -> Expr:
        slot = sympy.Dummy("u", real=True)
        slope = e.xreplace({argument: slot}).diff(slot).xreplace({slot: argument})
        return slope.xreplace(self._names)


def _exact(e: Expr) -> bool:
    return bool(e.is_Rational) and sympy.Rational(float(e)) == e
