"""SymPy expressions over FLINT's balls: every function by its definition, whatever cancels showing in a radius."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import flint
import sympy
from flint import acb, arb, arb_series, fmpq
from sympy import Expr, Symbol

from infogeom import functions
from infogeom.functions.removable import removable


def integer(m: arb) -> int:
    return int(m.unique_fmpz())


def polygamma(order: arb, x: arb) -> arb:
    m = integer(order)
    return x.digamma() if m == 0 else acb(x).polygamma(acb(m)).real


def polygamma_excess(order: arb, x: arb) -> arb:
    m = integer(order)
    leading = x.log() if m == 0 else arb((-1) ** (m + 1)) * arb(m - 1).fac() / x**m
    return polygamma(order, x) - leading


def log_zeta(order: arb, s: arb) -> arb:
    """Derivative of log ζ; at large s of log1p(ζ − 1), a sum over few n."""
    m = integer(order)
    if s > 8 * flint.ctx.prec:
        return arb(-1) ** m * arb(2).log() ** m * arb(2) ** -s * (1 + arb(0, 2) * (arb(2) / 3) ** s)
    with flint.ctx.workprec(flint.ctx.prec + int(float(s)) + 30):
        found = arb_series([s, 1], m + 1).zeta().log() if m else [s.zeta().log()]
        return found[m] * arb(m).fac()


def log_exprel(order: arb, t: arb) -> arb:
    """Derivative of log((e^t − 1)/t), of positive t by K(t) = t + K(−t)."""
    m = integer(order)
    if t > 1:
        mirrored = log_exprel(order, -t)
        return [t + mirrored, 1 - mirrored][m] if m < 2 else (-1) ** m * mirrored
    # What cancels are powers of 1/t.
    with flint.ctx.workprec(flint.ctx.prec + (m + 1) * int(math.log2(1 + abs(float(t)))) + 30):
        around = arb_series([t, 1], m + 1)
        found = ((around.exp() - 1) / around).log()
        return found[m] * arb(m).fac()


def bessel_ratio(nu: arb, x: arb) -> arb:
    return x.bessel_i(nu + 1, scaled=True) / x.bessel_i(nu, scaled=True)


def bessel_ratio_slope(nu: arb, x: arb) -> arb:
    ratio = bessel_ratio(nu, x)
    return 1 - ratio**2 - (2 * nu + 1) * ratio / x


def bessel_ratio_curve(nu: arb, x: arb) -> arb:
    ratio, slope = bessel_ratio(nu, x), bessel_ratio_slope(nu, x)
    return -2 * ratio * slope - (2 * nu + 1) * (slope / x - ratio / x**2)


def softplus(u: arb) -> arb:
    return u + (-u).exp().log1p() if u > 0 else u.exp().log1p()


def expit(u: arb) -> arb:
    return 1 / (1 + (-u).exp())


def log_sum_exp(*a: arb) -> arb:
    top = max(x.mid() for x in a)
    return top + sum((x - top).exp() for x in a).log()


def softmax(k: arb, *a: arb) -> arb:
    return 1 / sum((x - a[integer(k)]).exp() for x in a)


def normal_cdf(x: arb) -> arb:
    return (-x / arb(2).sqrt()).erfc() / 2


def inverse_mills(x: arb) -> arb:
    return (2 / arb.pi()).sqrt() * (-(x**2) / 2).exp() / (-x / arb(2).sqrt()).erfc()


#: What the functions of expressions are, each by its definition.
DEFINITIONS: dict[type, Callable[..., arb]] = {
    **{getattr(sympy, name): getattr(arb, name) for name in ("exp", "log", "sin", "cos", "tan", "cot", "sec", "csc")},
    **{getattr(sympy, name): getattr(arb, name) for name in ("sinh", "cosh", "tanh", "coth", "sech", "csch")},
    **{getattr(sympy, name): getattr(arb, name) for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh")},
    **{getattr(sympy, name): getattr(arb, name) for name in ("gamma", "erf", "erfc")},
    sympy.loggamma: arb.lgamma,
    sympy.factorial: lambda n: (n + 1).gamma(),
    sympy.Abs: abs,
    sympy.sign: arb.sgn,
    sympy.polygamma: polygamma,
    sympy.zeta: lambda s, a=1: s.zeta(a),
    sympy.besseli: lambda nu, x: x.bessel_i(nu),
    functions.polygamma_excess: polygamma_excess,
    functions.log_zeta: log_zeta,
    functions.log_exprel: log_exprel,
    functions.digamma_difference: lambda x, a: (x + a).digamma() - x.digamma(),
    functions.lgamma_difference: lambda x, a: (x + a).lgamma() - x.lgamma(),
    functions.bessel_ratio: bessel_ratio,
    functions.bessel_ratio_slope: bessel_ratio_slope,
    functions.bessel_ratio_curve: bessel_ratio_curve,
    functions.log_bessel: lambda nu, x: x.bessel_i(nu, scaled=True).log() + x,
    functions.log_normal_cdf: lambda x: normal_cdf(x).log(),
    functions.inverse_mills: inverse_mills,
    functions.log_sum_exp: log_sum_exp,
    functions.softmax: softmax,
    functions.softplus: softplus,
    functions.expit: expit,
}
CONSTANTS: dict[Any, Callable[[], arb]] = {
    sympy.pi: arb.pi,
    sympy.E: arb.const_e,
    sympy.EulerGamma: arb.const_euler,
    sympy.Catalan: arb.const_catalan,
}


class Program:
    """Expressions as steps over balls, each subexpression once; floats are the decimals that they print as."""

    def __init__(self, symbols: Sequence[Symbol], expressions: Sequence[Expr]) -> None:
        self.places: dict[Expr, int] = {s: k for k, s in enumerate(symbols)}
        self.steps: list[tuple[Callable[..., arb], tuple[int, ...]]] = []
        self.inputs = len(symbols)
        self.results = [self._place(sympy.sympify(e)) for e in expressions]

    def __call__(self, *values: arb) -> list[arb]:
        held = list(values)
        for function, arguments in self.steps:
            held.append(function(*(held[a] for a in arguments)))
        return [held[k] for k in self.results]

    def _place(self, e: Expr) -> int:
        if e not in self.places:
            if isinstance(e, removable):
                e = e.formula
            function, parts = self._step(e)
            arguments = tuple(self._place(part) for part in parts)
            self.steps.append((function, arguments))
            self.places[e] = self.inputs + len(self.steps) - 1
        return self.places[e]

    def _step(self, e: Expr) -> tuple[Callable[..., arb], Sequence[Expr]]:
        if e in CONSTANTS:
            return CONSTANTS[e], ()
        if isinstance(e, sympy.Float):
            e = sympy.Rational(str(e))
        if e.is_Rational:
            fraction = fmpq(int(e.p), int(e.q))
            return lambda: arb(fraction), ()
        if isinstance(e, sympy.Add):
            return lambda *a: sum(a[1:], a[0]), e.args
        if isinstance(e, sympy.Mul):
            return product, e.args
        if isinstance(e, sympy.Pow):
            return self._power(e)
        if isinstance(e, sympy.Piecewise):
            return self._pieces(e)
        return DEFINITIONS[type(e)], e.args

    @staticmethod
    def _pieces(e: Expr) -> tuple[Callable[..., arb], Sequence[Expr]]:
        """The first piece whose condition holds: an equality, or always."""
        sides = [(c.lhs - c.rhs if isinstance(c, sympy.Eq) else sympy.Integer(0)) for _, c in e.args]

        def chosen(*values: arb) -> arb:
            pieces, apart = values[: len(sides)], values[len(sides) :]
            return next(piece for piece, distance in zip(pieces, apart, strict=True) if distance.is_zero())

        if not all(isinstance(c, sympy.Eq) or c == True for _, c in e.args):  # noqa: E712
            raise TypeError(f"pieces are told apart by equalities, got {e}")
        return chosen, (*(piece for piece, _ in e.args), *sides)

    @staticmethod
    def _power(e: Expr) -> tuple[Callable[..., arb], Sequence[Expr]]:
        if e.exp.is_Integer:
            exponent = int(e.exp)
            return lambda base: base**exponent, (e.base,)
        if e.exp == sympy.Rational(1, 2):
            return arb.sqrt, (e.base,)
        return lambda base, exponent: base**exponent, e.args


def product(*factors: arb) -> arb:
    found = factors[0]
    for factor in factors[1:]:
        found = found * factor
    return found


def exact(x: float) -> arb:
    """The number that a float64 is."""
    return arb(fmpq(*float(x).as_integer_ratio()))
