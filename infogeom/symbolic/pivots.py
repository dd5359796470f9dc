"""Expectations by a pivot: a function of the variable whose law is a gamma or a beta prime law.

Weibull, Gumbel, Fréchet, Laplace laws and their like have a u(x; θ) that is gamma distributed; Student, logistic,
Cauchy and hyperbolic secant laws have a v(x; θ) that is beta prime distributed.  Scores are then sums of powers of the
pivot and of its logarithm, and every expectation is a derivative of

    E[uᵖ] = Γ(a + p)/Γ(a)          or          E[vᵖ (1 + v)^−m] = B(a + p, b + m − p)/B(a, b)

(DLMF 5.2.1 and 5.12.3), a logarithm being a derivative in p or m.  A law that is even about a centre is taken half line
by half line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import sympy
from sympy import Dummy, Expr, Set, Symbol

from infogeom.functions.registry import rewritten
from infogeom.symbolic.normal_form import gamma_form

__all__ = ["pivot_means"]

#: Pivot of gamma laws; pivot of beta prime laws, and one more than that.
U, V, W = (Dummy(name, positive=True) for name in "uvw")
#: Orders of the powers and logarithms under the expectation.
P, M = Dummy("p"), Dummy("m")

#: Law, functions, variable, and the finite ends of its support.
Half = tuple[Expr, tuple[Expr, ...], Symbol, tuple[Expr, ...]]
ZERO = sympy.Integer(0)


class Pivot(NamedTuple):
    """Law of a pivot, and functions of the variable in terms of it.

    Attributes
    ----------
    symbol : Symbol
        `U` of a gamma law, `V` of a beta prime law.
    a, b : Expr
        Its parameters; b is 0 for a gamma law.
    functions : tuple of Expr
    """

    symbol: Symbol
    a: Expr
    b: Expr
    functions: tuple[Expr, ...]


def pivot_means(
    law: Expr, terms: Sequence[Expr], functions: Mapping[Symbol, Expr], variable: Symbol, support: Set
) -> list[Expr] | None:
    """Means in closed form; None where no pivot is found, or a term is no sum of its powers and logarithms.

    Parameters
    ----------
    law : Expr
        Log-density of the variable.
    terms : sequence of Expr
        In the variable, the parameters and the symbols of the functions.
    functions : mapping of Symbol to Expr
        What symbols in the terms stand for.
    variable : Symbol
    support : sympy.Set
        An interval.
    """
    functions, named = dict(functions), []
    for term in terms:
        if variable in term.free_symbols:  # one more function of it
            name = Dummy("t")
            functions[name] = term.xreplace(functions)
            named.append(name)
        else:
            named.append(term)
    for halves in _halves(law, tuple(functions.values()), variable, support):
        found = [_pivot(*half) for half in halves]
        pivots = [pivot for pivot in found if pivot]
        if len(pivots) < len(halves):
            continue
        means = [_mean(pivots, tuple(functions), term) for term in named]
        closed = [gamma_form(mean) for mean in means if mean is not None]
        if len(closed) == len(means):
            return closed
    return None


def _mean(pivots: Sequence[Pivot], symbols: Sequence[Symbol], term: Expr) -> Expr | None:
    """Mean over the halves of a law."""
    values = []
    for pivot in pivots:
        value = _expectation(pivot, term.xreplace(dict(zip(symbols, pivot.functions, strict=True))))
        if value is None:
            return None
        values.append(value)
    return sympy.Add(*values) / len(values)


def _halves(law: Expr, functions: Sequence[Expr], variable: Symbol, support: Set) -> Iterator[list[Half]]:
    """The two sides of each centre about which a law is even, and the law as a whole."""
    r = Dummy("r", positive=True)

    def at(x: Expr, *ends: Expr) -> Half:
        there = [f.subs(variable, x) for f in functions]
        return law.subs(variable, x), tuple(there), r, ends

    if support == sympy.S.Reals:
        for centre in _centres(law, variable):
            sides = [at(centre + r, ZERO), at(centre - r, ZERO)]
            if sympy.expand(sides[0][0] - sides[1][0]) == 0:
                yield sides
        yield [(law, tuple(functions), variable, ())]
    elif support.start.is_finite:
        ends = [support.end - support.start] if support.end.is_finite else []
        yield [at(support.start + r, ZERO, *ends)]


def _centres(law: Expr, variable: Symbol) -> list[Expr]:
    """Where even powers and magnitudes of linear functions of the variable vanish."""
    bases = [a.args[0] for a in law.atoms(sympy.Abs)]
    bases += [p.base for p in law.atoms(sympy.Pow) if p.exp.is_Integer and p.exp % 2 == 0]
    slopes = [(base, base.diff(variable)) for base in bases]
    centres = [sympy.expand(variable - b / slope) for b, slope in slopes if slope != 0 and not slope.has(variable)]
    return list(dict.fromkeys(centres))


def _pivot(law: Expr, functions: Sequence[Expr], variable: Symbol, ends: Sequence[Expr]) -> Pivot | None:
    law = sympy.expand(sympy.expand_log(_by_exponentials(law), force=True))
    for symbol, candidate, value in _candidates(law, variable):
        x = _inverse(candidate, variable, value)
        if x is None or not _is_whole(candidate, value, variable, ends):
            continue
        x = sympy.expand(sympy.expand_log(x, force=True))
        jacobian = x.diff(symbol)
        positive = jacobian.subs(symbol, 1)
        of_pivot = _powers(law.subs(variable, x) + sympy.log(jacobian / positive), symbol)
        parameters = _parameters(of_pivot, symbol)
        if parameters is not None:
            of_x = [_by_exponentials(f).subs(variable, x) for f in functions]
            return Pivot(symbol, *parameters, tuple(_powers(f, symbol) for f in of_x))
    return None


def _is_whole(candidate: Expr, value: Expr, variable: Symbol, ends: Sequence[Expr]) -> bool:
    """Whether a pivot is 0 or infinite at the finite ends of the support: a truncated one has other moments."""
    pivot = candidate if value.is_Symbol else candidate / (1 - candidate)
    for end in ends:
        at = pivot.subs(variable, end)
        # Powers of 0 may be undecided; what a pivot is at the other end of a bounded support must be known.
        is_whole = at.is_zero or at.is_infinite or (end == ZERO and not (at.is_finite and at.is_zero is False))
        if not is_whole:
            return False
    return True


def _by_exponentials(e: Expr) -> Expr:
    """Sigmoids and hyperbolic functions by exponentials."""

    def cosh(u: Expr) -> Expr:
        return sympy.exp(u) * (1 + sympy.exp(-2 * u)) / 2

    e = rewritten(e, sympy.exp)
    e = e.replace(sympy.sech, lambda u: 1 / sympy.cosh(u)).replace(sympy.tanh, lambda u: sympy.sinh(u) / sympy.cosh(u))
    return e.replace(sympy.sinh, lambda u: cosh(u) - sympy.exp(-u)).replace(sympy.cosh, cosh)


def _candidates(law: Expr, variable: Symbol) -> Iterator[tuple[Symbol, Expr, Expr]]:
    """Functions of x and what they are of a pivot: u where −u is a term of the law, v where log(1 + v) is.

    Where log(1 − w) is, w is v/(1 + v).
    """
    for term in sympy.Add.make_args(law):
        if variable in term.free_symbols and not term.has(sympy.log):
            yield U, -term, U
    for logarithm in sorted(law.atoms(sympy.log), key=sympy.default_sort_key):
        still, moving = logarithm.args[0].as_independent(variable, as_Add=True)
        if still != 0 and moving != 0:
            yield V, moving / still, V
            yield V, -moving / still, V / (1 + V)


def _inverse(function: Expr, variable: Symbol, value: Expr) -> Expr | None:
    """The x with function(x) = value, layer by layer; powers are those of positive numbers."""
    while function != variable:
        if function.is_Add or function.is_Mul:
            still, moving = function.as_independent(variable, as_Add=function.is_Add)
            if still in (0, 1) or moving.func is function.func:
                moving, still = sympy.factor(function), None
                if moving.func is function.func:
                    return None
            value = value if still is None else value - still if function.is_Add else value / still
            function = moving
        elif isinstance(function, sympy.exp):
            function, value = function.args[0], sympy.log(value)
        elif isinstance(function, sympy.log):
            function, value = function.args[0], sympy.exp(value)
        elif function.is_Pow and variable not in function.exp.free_symbols:
            function, value = function.base, value ** (1 / function.exp)
        else:
            return None
    return value


def _powers(e: Expr, symbol: Symbol) -> Expr:
    """Sum of products of powers and logarithms of the pivot, as far as that is what it is."""

    def factored(node: Expr) -> Expr:
        return node.func(sympy.factor(node.args[0]), *node.args[1:])

    e = sympy.expand_power_base(e.replace(sympy.exp, lambda u: sympy.exp(sympy.expand(u))), force=True)
    e = e.replace(lambda n: (n.is_Pow and n.base.is_Add) or isinstance(n, sympy.log), factored)
    e = sympy.expand_log(e, force=True).xreplace({1 + V: W} if symbol == V else {})
    return sympy.expand(sympy.expand_power_base(e, force=True))


def _parameters(law: Expr, symbol: Symbol) -> tuple[Expr, Expr] | None:
    """The a of (a − 1) log u − u + constant, and 0; or the a and b of (a − 1) log v − (a + b) log(1 + v) + constant."""
    _, moving = sympy.expand(law).as_independent(U, V, W, as_Add=True)
    a = moving.coeff(sympy.log(symbol)) + 1
    rest = moving - (a - 1) * sympy.log(symbol)
    if symbol == U:
        return (a, sympy.Integer(0)) if sympy.expand(rest + U) == 0 and not a.is_nonpositive else None
    total = -rest.coeff(sympy.log(W))
    b = total - a
    if a.is_nonpositive or b.is_nonpositive:  # no law has these
        return None
    return (a, b) if sympy.expand(rest + total * sympy.log(W)) == 0 else None


def _expectation(pivot: Pivot, function: Expr) -> Expr | None:
    """Mean of a function of the pivot, term by term; None if it is no sum of products of powers and logarithms."""
    total = sympy.Integer(0)
    for term in sympy.Add.make_args(sympy.expand(function)):
        coefficient, function = term.as_independent(U, V, W, as_Add=False)
        orders: dict[Expr, Expr] = dict.fromkeys((pivot.symbol, sympy.log(pivot.symbol), W, sympy.log(W)), 0)
        for factor in sympy.Mul.make_args(function):
            base, exponent = factor.as_base_exp()
            if base not in orders:
                if factor == 1:
                    continue
                return None
            orders[base] += exponent
        p, q, m, t = orders.values()
        if not (_is_count(q) and _is_count(t)):
            return None
        total += coefficient * _moment(pivot, p, int(q), -m, int(t))
    return total


def _is_count(e: Expr) -> bool:
    return bool(sympy.sympify(e).is_Integer and e >= 0)


def _moment(pivot: Pivot, p: Expr, q: int, m: Expr, t: int) -> Expr:
    """E[uᵖ (log u)^q], or E[vᵖ (log v)^q (1 + v)^−m log(1 + v)^t]."""
    a, b = pivot.a, pivot.b
    if pivot.symbol == U:
        over, under = [a + P], [a]
    else:
        over, under = [a + P, b + M - P, a + b], [a + b + M, a, b]
    logarithm = sympy.Add(*map(sympy.loggamma, over)) - sympy.Add(*map(sympy.loggamma, under))
    derivative = sympy.Integer(1)  # of the moment, over the moment
    for order, sign in [(P, 1)] * q + [(M, -1)] * t:
        derivative = sign * (derivative.diff(order) + derivative * logarithm.diff(order))
    at = {P: p, M: m}
    above = [sympy.gamma(g.subs(at)) for g in over]
    below = [1 / sympy.gamma(g) for g in under]
    ratio = sympy.Mul(*above, *below)
    return sympy.gammasimp(ratio.subs(at)) * derivative.subs(at)
