"""From expressions to straight-line code, each subexpression filed under what it depends on.

Names in the code are positions (q0, x1, t7): a user's symbol name is never executed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import sympy
from sympy import Expr, Symbol
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean

from infogeom.functions import expit, inverse_mills, log_normal_cdf, softplus
from infogeom.functions.facts import Arithmetic, Facts
from infogeom.functions.registry import facts_of
from infogeom.functions.removable import removable
from infogeom.kernels.codegen.cases import condition
from infogeom.kernels.codegen.layout import Axes
from infogeom.kernels.codegen.lines import INNER, INNERMOST, Kinds, Line, Program
from infogeom.kernels.curvature.straight_line import OVER, PLUS, TIMES

__all__ = ["Builder", "UnsupportedFunctionError", "lacking_in_balls"]


class UnsupportedFunctionError(TypeError):
    """A function that compiled kernels do not know."""


#: Constants that float64 rounds.
NAMED_CONSTANTS: dict[type, str] = {
    type(sympy.pi): "pi",
    type(sympy.E): "e",
    type(sympy.EulerGamma): "euler",
    type(sympy.Catalan): "catalan",
}


class Builder:
    """A program in the making.

    Equal expressions share a name, and so do equal texts.  Operands of sums and products are taken together where they
    depend on the same things, so that each group is computed where it first can be.

    Parameters
    ----------
    axes : Axes
        Roles of the symbols.
    hoisted : bool
        Whether to split exponentials of sums between the axes.
    exact : bool
        Whether the program is for other arithmetics: constants are not rounded, and no line compares but by calls.

    Attributes
    ----------
    program : Program
    names : dict of str to str
        Names of the values of texts.
    memo : dict of Expr to str
        Names of the values of expressions.
    depends : dict of Expr to frozenset of str
        What expressions depend on.
    """

    def __init__(self, axes: Axes, *, hoisted: bool = False, exact: bool = False) -> None:
        self.hoisted, self.exact = hoisted, exact
        self.program = Program()
        self.names: dict[str, str] = {}
        self.memo: dict[Expr, str] = {}
        self.depends: dict[Expr, Kinds] = {}
        for symbol, kinds in axes.kinds().items():
            self.memo[symbol], self.depends[symbol] = symbol.name, kinds
            self.program.depends[symbol.name] = kinds

    def assign(self, form: str, *operands: str, calls: tuple[str, ...] = ()) -> str:
        """Name of the value of a form with operands in its places, see `infogeom.kernels.codegen.lines.Line`."""
        text = form.format(*operands)
        if text not in self.names:
            name = f"t{len(self.names)}"
            self.names[text] = name
            self.program.add(Line(name, form, operands, calls))
        return self.names[text]

    def stand(self, symbol: Symbol, e: Expr) -> None:
        """Let a symbol stand for an expression."""
        self.memo[symbol], self.depends[symbol] = self.node(e), self._depends(e)

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
        if self.exact and (e.is_Rational or type(e) in NAMED_CONSTANTS):
            return self.assign(f"ratio({e.p}, {e.q})" if e.is_Rational else f"{NAMED_CONSTANTS[type(e)]}()")
        if isinstance(e, sympy.UnevaluatedExpr):
            return self.node(e.args[0])
        if e.is_Add or e.is_Mul:
            return self._combined(e)
        if e.is_Pow:
            return self._exponential(e.exp) if e.base is sympy.E else self._power(e)
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
            value = taken if when == sympy.true else self._chosen(when, taken, value)
        return value

    def _chosen(self, when: Boolean, taken: str, otherwise: str) -> str:
        """One value where a condition holds, the other, or nan, where it does not."""
        operands = [taken]
        if otherwise:
            operands.append(otherwise)

        def place(compared: Expr) -> str:
            operands.append(self.node(compared))
            return f"{{{len(operands) - 1}}}"

        try:
            holds = condition(when, place, called=self.exact)
        except TypeError as error:
            raise UnsupportedFunctionError(str(error)) from None
        if self.exact:
            values = "{0}, {1}" if otherwise else "{0}"
            return self.assign(f"choose({holds}, {values})", *operands)
        other = "{1}" if otherwise else "nan"
        return self.assign(f"{{0}} if {holds} else {other}", *operands)

    def _function(self, e: Expr, facts: Facts) -> str:
        """A function by a call, or by what is written out for it."""
        if not facts.exists_in(Arithmetic.BALLS if self.exact else Arithmetic.FLOAT64):
            raise UnsupportedFunctionError(_why_not(e))
        if isinstance(e, removable):
            return self._removable(e)
        if not self.exact and type(e) in WRITTEN_OUT:
            return WRITTEN_OUT[type(e)](self, e.args[0])
        orders, arguments = e.args[: facts.orders], e.args[facts.orders :]
        if not all(map(facts.admits, orders)):
            raise UnsupportedFunctionError(_why_not(e))
        operands = [self.node(a) for a in arguments]
        return self._call(facts.name, operands, [str(float(o) if facts.halves else o) for o in orders])

    def _call(self, function: str, operands: Sequence[str], orders: Sequence[str] = ()) -> str:
        """A call with operands, and before them integers as they are."""
        places = [f"{{{k}}}" for k in range(len(operands))]
        arguments = ", ".join([*orders, *places])
        return self.assign(f"{function}({arguments})", *operands, calls=(function,))

    def _depends(self, e: Expr) -> Kinds:
        """What an expression depends on."""
        if e not in self.depends:
            self.depends[e] = frozenset().union(*map(self._depends, e.args))
        return self.depends[e]

    def _groups(self, operands: Sequence[Expr]) -> list[list[Expr]]:
        """Operands of a sum or product, those that depend on the same things together, cheapest first."""
        groups: dict[Kinds, list[Expr]] = {}
        for operand in operands:
            kinds = self._depends(operand)
            groups.setdefault(kinds, []).append(operand)
        cheapest = sorted(groups, key=lambda kinds: (len(kinds), sorted(kinds)))
        return [groups[kinds] for kinds in cheapest]

    def _combined(self, e: Expr) -> str:
        operands = _factors(e) if e.is_Mul else e.as_ordered_terms()
        parts = [self._folded(group, e.is_Mul) for group in self._groups(operands)]
        return self._fold(parts, TIMES if e.is_Mul else PLUS)

    def _folded(self, group: list[Expr], product: bool) -> str:
        """Sum of a group, or product: one quotient of what stands above and below the line."""
        if not product:
            return self._fold([self.node(o) for o in group], PLUS)
        over = [o for o in group if _divides(o)]
        under = [o for o in group if o not in over]
        numerator = "1.0"
        if under:
            numerator = self._fold([self.node(o) for o in under], TIMES)
        if not over:
            return numerator
        denominator = self._fold([self.node(1 / o) for o in over], TIMES)
        return self.assign(OVER, numerator, denominator)

    def _fold(self, names: list[str], form: str) -> str:
        result = names[0]
        for name in names[1:]:
            result = self.assign(form, result, name)
        return result

    def _power(self, e: Expr) -> str:
        base, exponent = e.as_base_exp()
        if not exponent.is_Rational or (self.exact and exponent.q > 2):
            b, x = self.node(base), self.node(exponent)
            return self.assign("{0} ** {1}", b, x, calls=("pow",))
        if exponent.is_negative:
            return self.assign(OVER, "1.0", self.node(base**-exponent))
        whole, rest = divmod(exponent, 1)
        b = self.node(base)
        factors = [self._squared(b, int(whole))] if whole else []
        if rest == sympy.Rational(1, 2):
            factors.append(self.assign("sqrt({0})", b))
        elif rest:
            factors.append(self.assign("{0} ** {1}", b, _literal(rest), calls=("pow",)))
        return self._fold(factors, TIMES)

    def _squared(self, base: str, n: int) -> str:
        """Integer power by repeated squaring."""
        if n == 1:
            return base
        half = self._squared(base, n // 2)
        square = self.assign(TIMES, half, half)
        return self.assign(TIMES, square, base) if n % 2 else square

    def _parts(self, u: Expr) -> list[list[Expr]]:
        """Terms of an exponent that vary along the inner axis, and those that do not; empty where some do both."""
        parts: dict[bool, list[Expr]] = {}
        for term in u.as_ordered_terms():
            kinds = self._depends(term)
            if not self.hoisted or kinds >= INNERMOST:
                return []
            parts.setdefault(INNER in kinds, []).append(term)
        return list(parts.values())

    def _exponential(self, u: Expr) -> str:
        parts = self._parts(u)
        if not parts:
            return self._call("exp", [self.node(u)])
        factors = []
        for part in parts:
            operand = self.node(sympy.Add(*part))
            self.program.exponents.setdefault(operand)
            factors.append(self._call("exp", [operand]))
        return self._fold(factors, TIMES)

    def _expit(self, u: Expr) -> str:
        """σ(u) and σ(−u) from one exponential, one sum and one division."""
        if u.could_extract_minus_sign():
            return self._complement(-u)
        if self._parts(u):
            e = self._exponential(-u)
            return self.assign(OVER, "1.0", self.assign(PLUS, "1.0", e))
        return self.assign("{2} if {0} >= 0.0 else {1} * {2}", *self._direct(u))

    def _complement(self, u: Expr) -> str:
        if self._parts(u):
            return self.assign(TIMES, self._exponential(-u), self.node(expit(u)))
        return self.assign("{1} * {2} if {0} >= 0.0 else {2}", *self._direct(u))

    def _softplus(self, u: Expr) -> str:
        if self._parts(u):
            return self._call("log1p", [self._exponential(u)])
        a = self.node(u)
        small = self.assign("log1p(exp(-fabs({0})))", a, calls=("log1p", "exp"))
        return self.assign("max({0}, 0.0) + {1}", a, small)

    def _removable(self, e: removable) -> str:
        """The Taylor series near the centre, the formula elsewhere."""
        argument, germ = e.args
        u, formula = self.node(argument - germ.centre), self.node(e.formula)
        if self.exact:
            coefficients, bounds = germ.enclosing_series()
            return self._call("removable", [u, formula, *map(self.node, bounds + coefficients)])
        coefficients, reach = germ.float_series()
        series = repr(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            series = self.assign("{0} * {1} + {2}", series, u, _literal(sympy.Float(c)))
        return self.assign(f"{{0}} if fabs({{1}}) < {reach!r} else {{2}}", series, u, formula)

    def _direct(self, u: Expr) -> tuple[str, str, str]:
        """Names of u, e^−|u| and 1 / (1 + e^−|u|)."""
        a = self.node(u)
        e = self.assign("exp(-fabs({0}))", a, calls=("exp",))
        total = self.assign(PLUS, "1.0", e)
        return a, e, self.assign(OVER, "1.0", total)

    def _by_mills_ratio(self, u: Expr, *, name: str) -> str:
        a = self.node(u)
        size = self._call("fabs", [a])
        return self._call(name, [a, self._call("mills_ratio", [size])])

    def _sign(self, u: Expr) -> str:
        return self.assign("1.0 if {0} > 0.0 else -1.0 if {0} < 0.0 else nan", self.node(u))  # at 0 it jumps


#: Functions that compiled sources do not call: their exponentials may be split between axes, cases become selects, and
#: of functions that vary by cases what is the same in all vectorises.
WRITTEN_OUT: dict[type, Callable[[Builder, Expr], str]] = {
    expit: Builder._expit,
    softplus: Builder._softplus,
    sympy.sign: Builder._sign,
    log_normal_cdf: partial(Builder._by_mills_ratio, name="log_normal_cdf_by"),
    inverse_mills: partial(Builder._by_mills_ratio, name="inverse_mills_by"),
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


def lacking_in_balls(expressions: sympy.Matrix) -> str:
    """Say which function of numbers, which float64 takes for the number that it is, balls lack; empty for none."""
    for e in sorted(expressions.atoms(sympy.Function), key=sympy.default_sort_key):
        if not (e.free_symbols or facts_of(type(e)).exists_in(Arithmetic.BALLS)):
            return _why_not(e)
    return ""


def _factors(product: Expr) -> list[Expr]:
    """Factors in a fixed order, the number in front whole."""
    number, rest = product.as_coeff_Mul()
    factors: list[Expr] = rest.as_ordered_factors()
    if number == 1:
        return factors
    return [number, *factors]


def _divides(e: Expr) -> bool:
    """Whether a factor is a power that belongs below the line."""
    return bool(e.is_Pow and e.exp.is_Number and e.exp.is_negative and e.base is not sympy.E)


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
