"""The logarithm of (e^t − 1)/t, the cumulant function of the uniform law on (0, 1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import sympy
from sympy import Expr, Rational

from infogeom.functions.cancelling import Ordered
from infogeom.functions.facts import Facts, Growth
from infogeom.functions.primitive import powered

__all__ = ["by_log_exprel", "log_exprel"]


class log_exprel(Ordered):  # noqa: N801
    """Derivative of order m of K(t) = log((e^t − 1)/t): the cumulants of a law e^(tx)/e^K(t) on (0, 1).

    m is a non-negative Integer.  The derivative of one is the next.  With it log(e^x − 1) = log x + K(x) and
    log(1 − e^−x) = log x + K(−x) keep their digits beside x = 0, and so do their derivatives: K″(x) = 1/x² −
    e^x/(e^x − 1)².

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", real=True)
    >>> ig.functions.log_exprel(0, x).diff(x)
    log_exprel(1, x)
    >>> ig.functions.log_exprel(2, sympy.Rational(1, 10**9)).evalf(5)
    0.083333
    """

    facts = Facts(
        name="log_exprel",
        roundings=256,
        growth=Growth.SLOW,
        saturating=True,
        orders=1,
        typical=((0.0, 4.0), (-30.0, 30.0)),
    )

    @classmethod
    def eval(cls, m: Expr, x: Expr) -> Expr | None:
        """Return the value at 0, B_m/m with B_1 = ½; None leaves the function unevaluated."""
        super().eval(m, x)
        if not x.is_zero:
            return None
        return sympy.bernoulli(m) / m if m else m

    def definition(self, m: Any, t: Any) -> Any:
        """The derivative, by polynomials in y = 1/(e^t − 1), of which y′ = −y (1 + y)."""
        m = int(m)
        if m == 0:
            return mpmath.log(mpmath.expm1(t) / t)
        y, powers = 1 / mpmath.expm1(t), [0, 1]
        for _ in range(m - 1):
            rising = [0] * (len(powers) + 1)
            for k, coefficient in enumerate(powers):
                rising[k] += k * coefficient
                rising[k + 1] += k * coefficient
            powers = rising
        leading = mpmath.factorial(m - 1) / t**m
        return (m == 1) + (-1) ** (m - 1) * (mpmath.polyval(powers[::-1], y) - leading)

    def beside_zero(self) -> Expr:
        """About the value at 0, falling from |t| = 2π on as the value does: K⁗ and higher derivatives change sign."""
        m, t = self.args
        if m < 4:
            return sympy.Integer(0)
        even = m + m % 2
        size = abs(sympy.bernoulli(even)) / even * sympy.factorial(m - 1) / 6
        return size / (1 + (t / (2 * sympy.pi)) ** 2) ** Rational(m, 2)

    def _eval_rewrite_as_exp(self, m: Expr, x: Expr, **hints: Any) -> Expr:
        t = sympy.Dummy("t", real=True)
        return sympy.log((sympy.exp(t) - 1) / t).diff(t, m).subs(t, x)

    def _in_domain(self) -> bool | None:
        return bool(self.args[1].is_real)

    def _eval_is_extended_positive(self) -> bool | None:
        m, t = self.args
        if m in (1, 2):
            return self._in_domain() or None
        known: bool | None = t.is_positive if m == 0 else t.is_negative
        return known if m in (0, 3) else None

    def _eval_is_extended_negative(self) -> bool | None:
        m, t = self.args
        known: bool | None = t.is_negative if m == 0 else t.is_positive
        return known if m in (0, 3) else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        m, t = self.args
        inside = printer._print(t)
        name = rf"\log\frac{{e^{{{inside}}} - 1}}{{{inside}}}" if m == 0 else rf"K^{{({m})}}\left({inside}\right)"
        return powered(rf"\left({name}\right)", exp)


def by_log_exprel(e: Expr, positive: Callable[[Expr], bool]) -> Expr:
    """Expression with log(e^u − 1), log(1 − e^−u) and log(−log(1 − p)) by `log_exprel`.

    Equal in value for positive u and p, of which ``positive`` says whether they are.

    Examples
    --------
    >>> import sympy
    >>> u = sympy.Symbol("u", positive=True)
    >>> by_log_exprel(sympy.log(1 - sympy.exp(-u)), lambda e: e.is_positive)
    log(u) + log_exprel(0, -u)
    """
    if not e.has(sympy.log):
        return e
    found = e.replace(sympy.log, lambda of: _by_exponential(of, positive))
    return found.replace(sympy.log, lambda of: _by_logarithm(of, positive))


def _by_exponential(of: Expr, positive: Callable[[Expr], bool]) -> Expr:
    """Logarithm of ±(e^u − 1)."""
    one, rest = of.as_coeff_Add()
    sign, power = rest.as_coeff_Mul()
    if abs(one) != 1 or sign != -one or not isinstance(power, sympy.exp):
        return sympy.log(of)
    (u,) = power.args
    return sympy.log(sign * u) + log_exprel(0, u) if positive(sign * u) else sympy.log(of)


def _by_logarithm(of: Expr, positive: Callable[[Expr], bool]) -> Expr:
    """Logarithm of −log(1 − p)."""
    if not (of.is_Mul and isinstance(-of, sympy.log)):
        return sympy.log(of)
    left = (-of).args[0]
    p = 1 - left
    of_one = left.is_Add and left.as_coeff_Add()[0] == 1
    return sympy.log(p) - log_exprel(0, sympy.log(left)) if of_one and positive(p) else sympy.log(of)
