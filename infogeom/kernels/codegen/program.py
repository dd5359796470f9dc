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

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Symbol
from sympy.core.function import AppliedUndef

from infogeom.functions import expit, softplus
from infogeom.functions.facts import Arithmetic, Facts
from infogeom.functions.registry import facts_of, known_functions
from infogeom.functions.removable import removable
from infogeom.kernels.codegen.cases import CALLS, condition
from infogeom.kernels.codegen.layout import Axes, Program, write_loops, write_point

__all__ = ["MAX_EXPONENT", "Axes", "Kernel", "UnsupportedFunctionError", "exact_source", "kernel"]

Groups = dict[str, list[str]]
Places = dict[str, NDArray[np.int64]]
Trace = Callable[[Callable[[str, Sequence[str]], str], Groups], Groups]

#: Two table entries of this exponent multiply to e^680, and one more sum still fits into float64.
MAX_EXPONENT = 340.0
#: Lines of a program, without samples, from which on its compilation takes longer than its evaluation ever will.
MAX_COMPILED = 600


class UnsupportedFunctionError(TypeError):
    """A function that compiled kernels do not know."""


#: Constants that float64 rounds.
CONSTANTS: dict[type, str] = {
    type(sympy.pi): "pi",
    type(sympy.E): "e",
    type(sympy.EulerGamma): "euler",
    type(sympy.Catalan): "catalan",
}
#: What sources of other arithmetics call besides functions.
ALWAYS = frozenset({*CONSTANTS.values(), *CALLS, "ratio", "sqrt", "point"})


class _Builder:
    """Straight-line code in single-assignment form, each line filed under what it depends on."""

    def __init__(self, axes: Axes, *, hoisted: bool = False, exact: bool = False) -> None:
        self.kinds, self.hoisted, self.exact = axes.kinds(), hoisted, exact
        self.program = Program()
        self.names: dict[str, str] = {}
        self.memo: dict[Expr, str] = {}
        self.depends: dict[Expr, frozenset[str]] = {**self.kinds}
        for symbol, kinds in self.kinds.items():
            self.memo[symbol] = symbol.name
            self.program.depends[symbol.name] = kinds

    def assign(self, text: str, operands: Sequence[str]) -> str:
        """Name of the value of ``text``; equal texts share one name."""
        if text not in self.names:
            name = f"t{len(self.names)}"
            self.names[text] = name
            self.program.add(name, text, operands)
        return self.names[text]

    def node(self, e: Expr) -> str:
        """Name or literal of the value of an expression."""
        if e not in self.memo:
            self.memo[e] = self._node(e)
        return self.memo[e]

    def _node(self, e: Expr) -> str:
        if not e.free_symbols and not (self.exact and _rounded(e)):
            return _literal(e)
        if self.exact and e is sympy.GoldenRatio:
            return self.node(e.expand(func=True))
        if self.exact and (e.is_Rational or type(e) in CONSTANTS):
            text = f"ratio({e.p}, {e.q})" if e.is_Rational else f"{CONSTANTS[type(e)]}()"
            return self.assign(text, [])
        if isinstance(e, sympy.UnevaluatedExpr):
            return self.node(e.args[0])
        if e.is_Add or e.is_Mul:
            return self._combined(e)
        if e.is_Pow:
            return self._power(*e.as_base_exp()) if e.base is not sympy.E else self._exponential(e.exp)
        if isinstance(e, sympy.exp):
            return self._exponential(e.args[0])
        if isinstance(e, sympy.Piecewise):
            return self._by_cases(e)
        return self._function(e, facts_of(type(e)))

    def _by_cases(self, e: Expr) -> str:
        """The first case whose condition holds; all are evaluated."""
        value = ""
        for case, when in reversed(e.args):
            taken = self.node(case)
            if when == sympy.true:
                value = taken
                continue
            try:
                text, compared = condition(when, self.node, called=self.exact)
            except TypeError as error:
                raise UnsupportedFunctionError(str(error)) from None
            operands = [taken, value] if value else [taken]
            if self.exact:
                call = f"choose({', '.join([text, *operands])})"
            else:
                call = f"{taken} if {text} else {value or 'nan'}"
            value = self.assign(call, compared + operands)
        return value

    def _function(self, e: Expr, facts: Facts) -> str:
        """A function by a call, or by what is written out for it."""
        if not facts.exists_in(Arithmetic.BALLS if self.exact else Arithmetic.FLOAT64):
            raise UnsupportedFunctionError(_why_not(e))
        if isinstance(e, removable):
            return self._removable(e)
        if not self.exact and type(e) in WRITTEN_OUT:
            return WRITTEN_OUT[type(e)](self, e.args[0])
        orders, arguments = e.args[: facts.orders], e.args[facts.orders :]
        if not all(order.is_Integer for order in orders):
            raise UnsupportedFunctionError(_why_not(e))
        operands = [self.node(a) for a in arguments]
        written = [str(order) for order in orders] + operands
        return self.assign(f"{facts.name}({', '.join(written)})", operands)

    def _depends(self, e: Expr) -> frozenset[str]:
        """What an expression depends on."""
        if e not in self.depends:
            self.depends[e] = frozenset().union(*map(self._depends, e.args))
        return self.depends[e]

    def _groups(self, operands: Sequence[Expr]) -> list[list[Expr]]:
        """Operands of a sum or product, those that depend on the same things together, cheapest first."""
        groups: dict[frozenset[str], list[Expr]] = {}
        for operand in operands:
            kinds = self._depends(operand)
            groups.setdefault(kinds, []).append(operand)
        return [groups[kinds] for kinds in sorted(groups, key=lambda k: (len(k), sorted(k)))]

    def _combined(self, e: Expr) -> str:
        operands = _factors(e) if e.is_Mul else e.as_ordered_terms()
        parts = [self._folded(group, e.is_Mul) for group in self._groups(operands)]
        return self._fold(parts, "*" if e.is_Mul else "+")

    def _folded(self, group: list[Expr], product: bool) -> str:
        if not product:
            return self._fold([self.node(o) for o in group], "+")
        over = [o for o in group if o.is_Pow and o.exp.is_Number and o.exp.is_negative and o.base is not sympy.E]
        under = [o for o in group if o not in over]
        numerator = self._fold([self.node(o) for o in under], "*") if under else "1.0"
        if not over:
            return numerator
        denominator = self._fold([self.node(1 / o) for o in over], "*")
        return self.assign(f"{numerator} / {denominator}", [numerator, denominator])

    def _fold(self, names: list[str], operator: str) -> str:
        result = names[0]
        for name in names[1:]:
            result = self.assign(f"{result} {operator} {name}", [result, name])
        return result

    def _power(self, base: Expr, exponent: Expr) -> str:
        if not exponent.is_Rational or (self.exact and exponent.q > 2):
            b, x = self.node(base), self.node(exponent)
            return self.assign(f"{b} ** {x}", [b, x])
        if exponent.is_negative:
            inverse = self.node(base**-exponent)
            return self.assign(f"1.0 / {inverse}", [inverse])
        whole, rest = divmod(exponent, 1)
        b = self.node(base)
        factors = [self._squared(b, int(whole))] if whole else []
        if rest == sympy.Rational(1, 2):
            factors.append(self.assign(f"sqrt({b})", [b]))
        elif rest:
            factors.append(self.assign(f"{b} ** {_literal(rest)}", [b]))
        return self._fold(factors, "*")

    def _squared(self, base: str, n: int) -> str:
        """Integer power by repeated squaring."""
        if n == 1:
            return base
        half = self._squared(base, n // 2)
        square = self.assign(f"{half} * {half}", [half])
        return self.assign(f"{square} * {base}", [square, base]) if n % 2 else square

    def _parts(self, u: Expr) -> list[list[Expr]]:
        """Terms of an exponent that vary along the inner axis, and those that do not; empty where some do both."""
        parts: dict[bool, list[Expr]] = {}
        for term in u.as_ordered_terms():
            kinds = self._depends(term)
            if not self.hoisted or kinds >= {"p", "v"}:
                return []
            parts.setdefault("v" in kinds, []).append(term)
        return list(parts.values())

    def _exponential(self, u: Expr) -> str:
        parts = self._parts(u)
        if not parts:
            operand = self.node(u)
            return self.assign(f"exp({operand})", [operand])
        factors = []
        for part in parts:
            operand = self.node(sympy.Add(*part))
            self.program.exponents.setdefault(operand)
            factors.append(self.assign(f"exp({operand})", [operand]))
        return self._fold(factors, "*")

    def _expit(self, u: Expr) -> str:
        """σ(u) and σ(−u) from one exponential, one sum and one division."""
        if u.could_extract_minus_sign():
            return self._complement(-u)
        if self._parts(u):
            e = self._exponential(-u)
            total = self.assign(f"1.0 + {e}", [e])
            return self.assign(f"1.0 / {total}", [total])
        a, e, r = self._direct(u)
        return self.assign(f"{r} if {a} >= 0.0 else {e} * {r}", [a, e, r])

    def _complement(self, u: Expr) -> str:
        if self._parts(u):
            e, sigma = self._exponential(-u), self.node(expit(u))
            return self.assign(f"{e} * {sigma}", [e, sigma])
        a, e, r = self._direct(u)
        return self.assign(f"{e} * {r} if {a} >= 0.0 else {r}", [a, e, r])

    def _softplus(self, u: Expr) -> str:
        if self._parts(u):
            e = self._exponential(u)
            return self.assign(f"log1p({e})", [e])
        a = self.node(u)
        small = self.assign(f"log1p(exp(-fabs({a})))", [a])
        return self.assign(f"max({a}, 0.0) + {small}", [a, small])

    def _removable(self, e: removable) -> str:
        """The Taylor series near the centre, the formula elsewhere."""
        argument, germ = e.args
        u, formula = self.node(argument - germ.centre), self.node(e.formula)
        if self.exact:
            coefficients, bounds = germ.enclosing_series()
            operands = [u, formula, *(self.node(c) for c in (*bounds, *coefficients))]
            return self.assign(f"removable({', '.join(operands)})", operands)
        coefficients, reach = germ.float_series()
        series = repr(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            series = self.assign(f"{series} * {u} + {_literal(sympy.Float(c))}", [series, u])
        return self.assign(f"{series} if fabs({u}) < {reach!r} else {formula}", [series, u, formula])

    def _direct(self, u: Expr) -> tuple[str, str, str]:
        a = self.node(u)
        e = self.assign(f"exp(-fabs({a}))", [a])
        total = self.assign(f"1.0 + {e}", [e])
        return a, e, self.assign(f"1.0 / {total}", [total])

    def _sign(self, u: Expr) -> str:
        a = self.node(u)
        return self.assign(f"1.0 if {a} > 0.0 else -1.0 if {a} < 0.0 else nan", [a])  # at 0 it jumps


#: Functions that compiled sources do not call: their exponentials may be split between axes, and cases become selects.
WRITTEN_OUT: dict[type, Callable[[_Builder, Expr], str]] = {
    expit: _Builder._expit,
    softplus: _Builder._softplus,
    sympy.sign: _Builder._sign,
}


def _why_not(e: Expr) -> str:
    """What keeps an expression from being evaluated, and what helps."""
    if free := sorted(f.func.__name__ for f in e.atoms(AppliedUndef)):
        return f"the function {free[0]} has no values; put an expression in its place before evaluating"
    of = sorted({type(f).__name__ for f in e.atoms(sympy.Function)})
    if isinstance(e, sympy.Derivative | sympy.Subs) and of and not {"re", "im"} & {*of}:
        return f"no compiled kernel for a derivative of {', '.join(of)}; doit() takes those that SymPy knows"
    if isinstance(e, sympy.DiracDelta):
        return "no compiled kernel for DiracDelta, the derivative of a jump, as of sign and Heaviside"
    if isinstance(e, sympy.Derivative | sympy.re | sympy.im | sympy.conjugate | sympy.arg):
        what = type(e).__name__
        return f"no compiled kernel for {what} of what is not declared real; use sympy.symbols(..., real=True)"
    if not e.free_symbols:  # float64 takes it for the number that it is
        return f"no ball version of the function {type(e).__name__}; max_refined=0 asks for none"
    return f"no compiled kernel for the function {type(e).__name__}"


def _factors(product: Expr) -> list[Expr]:
    """Factors in a fixed order, the number in front whole."""
    number, rest = product.as_coeff_Mul()
    return [*([] if number == 1 else [number]), *rest.as_ordered_factors()]


def _rounded(e: Expr) -> bool:
    """Whether float64 holds a number only rounded."""
    number = sympy.Rational(e) if e.is_Float else e
    return not (number.is_Rational and sympy.Rational(float(number)) == number)


def _literal(e: Expr) -> str:
    if e.has(AppliedUndef):
        raise UnsupportedFunctionError(_why_not(e))
    value = float(e)
    if not math.isfinite(value):
        raise OverflowError(f"constant {sympy.sstr(e)[:60]} is beyond float64")
    return repr(value) if value >= 0 else f"({value!r})"


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


def kernel(expressions: Mapping[str, Sequence[Expr]], axes: Axes, trace: Trace | None = None) -> Kernel:
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
    trace : callable, optional
        ``trace(assign, names)`` computes further quantities from the names of all expressions; what it returns replaces
        them as the output.

    Raises
    ------
    UnsupportedFunctionError, OverflowError
        Naming the function or the constant.
    """
    axes, renamed = _positional(axes, expressions)
    sources = {}
    for hoisted in (False, True):
        builder = _Builder(axes, hoisted=hoisted)
        groups = {key: [builder.node(e) for e in group] for key, group in renamed.items()}
        at, components = _placed(builder, trace(builder.assign, groups) if trace else groups)
        if not (trace or axes.sample) and len(builder.program.lines) > MAX_COMPILED:
            found = _on_arrays(renamed, axes)
            if found:
                return found
        sources[hoisted] = write_loops(builder.program, axes) if builder.program.exponents or not hoisted else ""
    return Kernel(sources[True], sources[False], at, components)


def _on_arrays(expressions: Mapping[str, Sequence[Expr]], axes: Axes) -> Kernel | None:
    """Kernel to be run on arrays; None where one of its functions has no such version."""
    try:
        source, at = _point(expressions, axes)
    except UnsupportedFunctionError:
        return None
    known = {facts.name for facts in known_functions().values() if facts.exists_in(Arithmetic.ARRAYS)}
    if set(re.findall(r"(\w+)\(", source)) - known - ALWAYS:
        return None
    return Kernel("", "", at, source.count(",", source.rindex("return")) + 1, source)


def exact_source(
    expressions: Mapping[str, Sequence[Expr]], axes: Axes, standing: Mapping[Symbol, Expr] | None = None
) -> tuple[str, Places]:
    """Source of ``point(x, rows)``, which evaluates the same in any arithmetic, and where each group stands in it.

    Constants are exact: ``ratio(p, q)``, ``pi()`` and the like are called for them.  Symbols may stand for other
    expressions.
    """
    (axes, renamed), known = _positional(axes, expressions), axes.positional()
    return _point(renamed, axes, {symbol: e.xreplace(known) for symbol, e in (standing or {}).items()})


def _point(
    expressions: Mapping[str, Sequence[Expr]], axes: Axes, standing: Mapping[Symbol, Expr] | None = None
) -> tuple[str, Places]:
    builder = _Builder(axes, exact=True)
    for symbol, e in (standing or {}).items():
        builder.memo[symbol], builder.depends[symbol] = builder.node(e), builder._depends(e)
    at, _ = _placed(builder, {key: [builder.node(e) for e in group] for key, group in expressions.items()})
    return write_point(builder.program, axes), at


def _positional(axes: Axes, expressions: Mapping[str, Sequence[Expr]]) -> tuple[Axes, dict[str, list[Expr]]]:
    """Axes and expressions with every symbol named by its position."""
    names = axes.positional()
    new = {e: e.xreplace(names) for group in expressions.values() for e in dict.fromkeys(group)}
    renamed = {key: [new[e] for e in group] for key, group in expressions.items()}
    return Axes(*(tuple(names[s] for s in symbols) for symbols in (axes.outer, axes.inner, axes.sample))), renamed


def _placed(builder: _Builder, groups: Mapping[str, Sequence[str]]) -> tuple[Places, int]:
    """Make the names of all groups the results of the program, and say where each stands and how many there are."""
    places: dict[str, int] = {}
    at = {
        key: np.array([places.setdefault(r, len(places)) for r in group], dtype=np.int64)
        for key, group in groups.items()
    }
    builder.program.results += places
    return at, len(places)
