"""Targeted normal forms of single entries: rational functions of the coordinates and of a few functions of them."""

from __future__ import annotations

import sympy
from sympy import Expr, Symbol

from infogeom.functions import expit, stable

__all__ = ["gamma_form", "normal_form", "positive_factors"]

#: Beyond this many operations an entry is left as derived: factoring would take longer than reading it.
MAX_OPERATIONS = 4000
#: Functions with a relation between them.
RELATED = (sympy.cos, sympy.cosh)
#: Powers of larger denominators are no powers of a common root: x^0.6667 would be a polynomial of degree 6667.
MAX_ROOT = 100


def normal_form(expression: Expr) -> Expr:
    """Factor one entry over the rationals, modulo sin² + cos² = 1, cosh² − sinh² = 1 and σ(u) + σ(−u) = 1.

    Zero comes out as 0 for every rational function of the coordinates and of these functions.
    """
    if expression.is_Atom or expression.count_ops() > MAX_OPERATIONS:
        return expression
    expression, decimal_powers = _without_decimal_powers(expression)
    expression = expression.replace(
        lambda e: isinstance(e, expit) and e.args[0].could_extract_minus_sign(), _complement
    )
    together = sympy.together(expression)
    numerator, denominator = map(_reduced, sympy.fraction(together))
    form = stable(sympy.factor(numerator / denominator))
    if form != 0 and together.has(*RELATED):
        form = _shorter(form, together)
    for power, name in reversed(decimal_powers.items()):
        form = form.xreplace({name: power})
    return form


def _shorter(form: Expr, other: Expr) -> Expr:
    """A form, or the shorter one that cancelling first leads to: common factors may be hidden by the relations."""
    cancelled = sympy.factor(other)
    numerator, denominator = map(_reduced, sympy.fraction(cancelled))
    forms = [form, stable(sympy.factor(numerator / denominator)), stable(cancelled)]
    return min(forms, key=lambda e: e.count_ops())  # the first one where they are as long


def _without_decimal_powers(expression: Expr) -> tuple[Expr, dict[Expr, Symbol]]:
    """Expression with powers of long decimals named, but for their integer parts; inner ones come first."""
    names: dict[Expr, Symbol] = {}

    def named(power: Expr) -> Expr:
        whole, rest = divmod(power.exp, 1)
        name = names.setdefault(power.base**rest, sympy.Dummy("power"))
        return power.base**whole * name

    return expression.replace(_is_decimal_power, named), names


def _is_decimal_power(e: Expr) -> bool:
    return bool(e.is_Pow and e.exp.is_Rational and e.exp.q > MAX_ROOT)


def _complement(sigma: Expr) -> Expr:
    return 1 - expit(-sigma.args[0])


def _reduced(polynomial: Expr) -> Expr:
    """Remainder of a polynomial modulo the relations between the functions in it."""
    for function, other, sign in ((sympy.cos, sympy.sin, -1), (sympy.cosh, sympy.sinh, 1)):
        for f in sorted(polynomial.atoms(function), key=sympy.default_sort_key):
            c = sympy.Dummy("c")
            p = sympy.expand(polynomial).xreplace({f: c})
            if p.is_polynomial(c):
                polynomial = sympy.rem(p, c**2 - 1 - sign * other(f.args[0]) ** 2, c).xreplace({c: f})
    return polynomial


def positive_factors(expression: Expr, point: dict[Symbol, Expr]) -> Expr:
    """Write each factor of a product so that it is positive at ``point``: n/(p(1 − p)) instead of −n/(p(p − 1))."""
    sign, factors = 1, []
    for factor in sympy.Mul.make_args(expression):
        base, exponent = factor.as_base_exp()
        if base.is_Add and exponent.is_Integer and base.xreplace(point).is_negative:
            base, sign = sympy.expand_mul(-base), sign * (-1) ** (int(exponent) % 2)
        factors.append(base**exponent)
    product = sympy.Mul(*factors)
    return product if sign == 1 else -product


def gamma_form(e: Expr) -> Expr:
    """Normal form with Γ and ψ of arguments that differ by integers in terms of one of them.

    That is the least positive one, or the least where signs are not known.
    """
    places = {f: f.args[-1].as_coeff_Add() for f in e.atoms(sympy.gamma, sympy.polygamma)}
    lowest: dict[tuple[Expr, Expr], Expr] = {}
    for number, rest in places.values():
        key, least = (rest, number % 1), number
        if rest.is_positive:
            least = max(number, number % 1)
        elif rest == 0:
            least = number % 1 or sympy.Integer(1)
        lowest[key] = min(least, lowest.get(key, least))
    shifted = {f: _shifted(f, lowest[rest, number % 1], rest) for f, (number, rest) in places.items()}
    return normal_form(e.xreplace(shifted))


def _shifted(f: Expr, number: Expr, rest: Expr) -> Expr:
    """Γ or ψ^(m) by way of its value at rest + number, an integer from its argument (DLMF 5.5.1, 5.5.2)."""
    x = rest + number
    shift = int(f.args[-1] - x)
    sign = 1 if shift >= 0 else -1
    between = [x + k for k in range(min(shift, 0), max(shift, 0))]
    if isinstance(f, sympy.gamma):
        return sympy.gamma(x) * sympy.Mul(*between) ** sign
    m = f.args[0]
    powers = [y ** (-m - 1) for y in between]
    return sympy.polygamma(m, x) + sign * (-1) ** m * sympy.factorial(m) * sympy.Add(*powers)
