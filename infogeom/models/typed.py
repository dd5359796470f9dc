"""Log-densities as people type them: logarithms of products, powers and cases, read into sums that keep their digits.

log(λⁿ e^−λ / n!) overflows from n = 171 on, where n log λ − λ − log Γ(n + 1) has all its digits, and the logarithm of a
p by cases has a formula of its own in each of them.  What is read is equal in value inside the support and the domain;
whether a factor is positive there, so that its logarithm may stand alone, is asked at a few points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations, islice
from typing import Any

import sympy
from sympy import Expr, Piecewise, Set, Symbol, loggamma

from infogeom.functions import lgamma_difference, log_bessel, log_sum_exp, log_zeta
from infogeom.functions.exprel import by_log_exprel
from infogeom.functions.normal import by_normal_cdf
from infogeom.functions.plain import plain
from infogeom.models.parameter import Parameter

__all__ = ["STABLE_LOGARITHMS", "Typed", "of_even_order", "points_of_law"]


def _log_beta(a: Expr, b: Expr) -> Expr:
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def _log_binomial(n: Expr, k: Expr) -> Expr:
    return loggamma(n + 1) - loggamma(k + 1) - loggamma(n - k + 1)


def _log_factorial(n: Expr) -> Expr:
    return loggamma(n + 1)


def _log_zeta(s: Expr) -> Expr:
    return log_zeta(0, s)


#: Logarithms of the functions by which densities are written.
STABLE_LOGARITHMS: dict[type, Callable[..., Expr]] = {
    sympy.beta: _log_beta,
    sympy.besseli: log_bessel,
    sympy.binomial: _log_binomial,
    sympy.factorial: _log_factorial,
    sympy.gamma: loggamma,
    sympy.zeta: _log_zeta,
}
#: Where in the range of a parameter, or in a bounded support, signs are asked for.
TRIED_SHARES = (0.07, 0.31, 0.52, 0.74, 0.96)
#: The same from the end of a half line on, and on the line.
TRIED_STEPS = (0.1, 0.6, 1.3, 4.0, 9.0)
#: What a known constant stands at that has no number.
STANDING = (1, 2, 3, 4, 5)


class Typed:
    """A law as it is typed: its variable and support, its parameters and constants.

    Attributes
    ----------
    variable : Symbol
        Not declared an integer: SymPy would write log Γ(n) as log(Γ(n)), which overflows.
    points : list of dict
        A few points of the support and of the typical ranges.
    """

    def __init__(
        self, variable: Symbol, support: Set, parameters: Sequence[Parameter], constants: Mapping[Symbol, Expr]
    ) -> None:
        self._given = variable
        self.variable = _no_integer(variable) if variable.is_integer else variable
        self._endless = not isinstance(support, sympy.Interval) and support.is_finite_set is False
        self._at_zero = not isinstance(support, sympy.Interval) and support.contains(0) == True  # noqa: E712
        self._whole = bool(support.is_subset(sympy.S.Integers))
        self.points = points_of_law(self.variable, support, parameters, constants)

    def read(self, log_p: Expr) -> Expr:
        """The log-density by sums of logarithms, and by cases of them."""
        log_p = by_normal_cdf(plain(log_p.xreplace({self._given: self.variable})))
        log_p = by_log_exprel(log_p, self._is_positive_constant)
        if self._whole:
            log_p = of_even_order(log_p, self.variable)
        if self._at_zero:
            log_p = log_p.replace(self._is_open_power, self._closed_power)
        found = log_p.replace(self._is_typed, lambda e: self._logarithm(e.args[0]))
        found = sympy.piecewise_fold(found) if found != log_p and found.has(Piecewise) else found
        return found.replace(lambda e: e.is_Add, self._with_differences) if self._endless else found

    def _is_positive_constant(self, e: Expr) -> bool:
        """Whether an expression is positive, and no function of the variable, of which others know their own form."""
        return self.variable not in e.free_symbols and self._positive(e)

    def _with_differences(self, total: Expr) -> Expr:
        """Sum with log Γ(x + a) − log Γ(x), which cancels at large x, by a function of its own."""
        terms = dict(term.as_coeff_Mul()[::-1] for term in total.args)
        of_variable = [f for f in terms if isinstance(f, loggamma) and self.variable in f.free_symbols]
        of_variable.sort(key=lambda f: len(f.free_symbols))
        for down, up in combinations(of_variable, 2):
            x, a = down.args[0], up.args[0] - down.args[0]
            if terms[up] == -terms[down] and self.variable not in a.free_symbols:
                difference = lgamma_difference(x, a) - up + down
                return self._with_differences(total + terms[up] * difference)
        return total

    def _is_open_power(self, e: Expr) -> bool:
        """Whether an expression is a power nᵇ, whose derivative in b at n = 0 SymPy takes for 0 log 0."""
        return bool(e.is_Pow and e.base == self.variable and e.exp.free_symbols) and self._positive(e.exp)

    def _closed_power(self, power: Expr) -> Expr:
        return Piecewise((0, sympy.Eq(self.variable, 0)), (power, True))

    def _is_typed(self, e: Expr) -> bool:
        """Whether an expression is a logarithm of more than sums and powers of numbers."""
        if not isinstance(e, sympy.log):
            return False
        typed = e.has(Piecewise, sympy.exp, *STABLE_LOGARITHMS)
        return typed or any(power.exp.free_symbols for power in e.atoms(sympy.Pow))

    def _logarithm(self, p: Expr) -> Expr:
        """Logarithm of what is positive: a sum over its factors, or by cases."""
        if p.has(Piecewise):
            pieces = sympy.piecewise_fold(p).args
            return Piecewise(*((self._in_case(e, where), where) for e, where in pieces))
        if p.is_Add:
            return self._of_sum(p)

        # Factors that are positive stand alone; the others stay together.
        total, others = [], []
        for factor in sympy.Mul.make_args(p):
            found = self._of_factor(*factor.as_base_exp())
            if found is None:
                others.append(factor)
            else:
                total.append(found)
        if others:
            total.append(sympy.log(sympy.Mul(*others)))
        return sympy.Add(*total)

    def _in_case(self, p: Expr, where: Any) -> Expr:
        """Logarithm of a probability in one case; where the variable has a value, with that in its place."""
        if isinstance(where, sympy.Eq) and where.lhs == self.variable:
            p = p.subs(self.variable, where.rhs)
        return self._logarithm(p) if p != 0 else -sympy.oo

    def _of_factor(self, base: Expr, exponent: Expr) -> Expr | None:
        """Logarithm of a power; None where the base is not known to be positive."""
        if base is sympy.E:
            return exponent
        if type(base) in STABLE_LOGARITHMS:
            found = STABLE_LOGARITHMS[type(base)](*base.args)
            if self._is_inside(found):
                return exponent * found
        if not self._positive(base):
            return None
        return exponent * (self._of_sum(base) if base.is_Add else sympy.log(base))

    def _of_sum(self, p: Expr) -> Expr:
        """Logarithm of a sum of positive probabilities, or of the difference of two powers of numbers."""
        if all(term.has(*STABLE_LOGARITHMS) for term in p.args) and all(map(self._positive, p.args)):
            return log_sum_exp(*map(self._logarithm, p.args))
        if len(p.args) == 2 and all(map(_is_power, p.args)):
            more, less = sorted(p.args, key=self._positive, reverse=True)
            if self._positive(more) and self._positive(-less) and self._positive(p):
                more, less = self._logarithm(more), self._logarithm(-less)
                return more + sympy.log(1 - sympy.exp(sympy.factor_terms(less - more)))
        return sympy.log(p)

    def _positive(self, e: Expr) -> bool:
        """Whether an expression is positive: 0 at some of the points at most."""
        values = self._values(e)
        return bool(e.is_positive) or (min(values, default=-1) >= 0 and max(values) > 0)

    def _is_inside(self, e: Expr) -> bool:
        """Whether functions have positive arguments, or such as they tell to be real."""
        arguments = [f.args[0] for f in e.atoms(loggamma)]
        others = e.atoms(log_bessel, log_zeta)
        return all(map(self._positive, arguments)) and all(f.is_real for f in others)

    def _values(self, e: Expr) -> list[float]:
        """Values at the points, −1 for what is not real."""
        found = []
        for point in self.points:
            value = e.xreplace(point).evalf()
            found.append(float(value) if value.is_real else -1.0)
        return found


def of_even_order(e: Expr, integer: Symbol) -> Expr:
    """Expression with Bessel functions I_n of an integer by |n|: I_−n = I_n (DLMF 10.27.1)."""

    def even(n: Expr, z: Expr) -> Expr:
        return sympy.besseli(sympy.Abs(n) if n.free_symbols == {integer} else n, z)

    return e.replace(sympy.besseli, even)


def _is_power(term: Expr) -> bool:
    """Whether a term is a power with an exponent that is no number, but for its sign."""
    sign, power = term.as_coeff_Mul()
    base, exponent = power.as_base_exp()
    return abs(sign) == 1 and base is not sympy.E and bool(exponent.free_symbols)


def _no_integer(variable: Symbol) -> Symbol:
    """A symbol of the same name and sign."""
    return Symbol(variable.name, real=True, nonnegative=variable.is_nonnegative, positive=variable.is_positive)


def points_of_law(
    variable: Symbol, support: Set, parameters: Sequence[Parameter], constants: Mapping[Symbol, Expr]
) -> list[dict[Symbol, Expr]]:
    """A few points of the support and of the typical ranges; none where outcomes are not found."""
    points = []
    for k, share in enumerate(TRIED_SHARES):
        point = {symbol: value for symbol, value in constants.items() if value != symbol}
        point |= {symbol: sympy.Integer(STANDING[k]) for symbol in constants if symbol not in point}
        for number, p in enumerate(parameters):
            low, high = map(sympy.Float, p.typical)
            point[p.symbol] = low + (share ** (1 + sympy.Float(number) / 3)) * (high - low)
        outcome = _outcome(support.subs(point), k)
        if outcome is None:
            return []
        points.append(point | {variable: outcome})
    return points


def _outcome(support: Set, k: int) -> Expr | None:
    """The k-th of a few values inside a support; None where they are not found."""
    if not isinstance(support, sympy.Interval):
        return _listed(support, k)
    low, high = support.start, support.end
    if low.is_finite and high.is_finite:
        return low + sympy.Float(TRIED_SHARES[k]) * (high - low)
    if low.is_finite:
        return low + sympy.Float(TRIED_STEPS[k])
    if high.is_finite:
        return high - sympy.Float(TRIED_STEPS[k])
    return (-1) ** k * sympy.Float(TRIED_STEPS[k])


def _listed(support: Iterable[Expr], k: int) -> Expr | None:
    try:
        first = list(islice(support, len(TRIED_SHARES)))
    except (TypeError, ValueError):
        return None
    return first[k % len(first)] if first else None
