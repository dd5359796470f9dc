"""Combinations of the logarithm of the Gamma function and its derivatives."""

from __future__ import annotations

from typing import Any

import mpmath
import sympy
from sympy import Abs, Expr

from infogeom.functions.cancelling import Cancelling, Ordered
from infogeom.functions.facts import Facts
from infogeom.functions.primitive import powered

__all__ = ["digamma_difference", "lgamma_difference", "polygamma_excess"]


class polygamma_excess(Ordered):  # noqa: N801
    """ψ^(m)(x) without the leading term of its asymptotic series, ψ(x) − log x, ψ′(x) − 1/x, ψ″(x) + 1/x², …; x > 0.

    m is a non-negative Integer.  The derivative of one is the next.  Its sign is that of (−1)^(m+1), because
    (−1)^(m+1) ∫ t^m e^(−xt) (1/(1 − e^−t) − 1/t) dt is its value (DLMF 5.9.13 and its derivatives).

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.polygamma_excess(0, x).diff(x)
    polygamma_excess(1, x)
    >>> ig.functions.polygamma_excess(1, 10**9).evalf(5)
    5.0000e-19
    """

    facts = Facts(name="polygamma_excess", roundings=200, orders=1, typical=((0.0, 4.0), (0.1, 30.0)))

    def definition(self, m: Any, x: Any) -> Any:
        """ψ^(m)(x) minus log x or (−1)^(m+1) (m − 1)! / x^m."""
        m = int(m)
        return mpmath.psi(m, x) - (mpmath.log(x) if m == 0 else (-1) ** (m + 1) * mpmath.factorial(m - 1) / x**m)

    def _eval_rewrite_as_polygamma(self, m: Expr, x: Expr, **hints: Any) -> Expr:
        leading = sympy.log(x) if m == 0 else (-1) ** (m + 1) * sympy.factorial(m - 1) / x**m
        return sympy.polygamma(m, x) - leading

    def _in_domain(self) -> bool | None:
        return bool(self.args[1].is_positive)

    def _eval_is_extended_positive(self) -> bool | None:
        return bool(self.args[0].is_odd) if self.args[1].is_positive else None

    def _eval_is_extended_negative(self) -> bool | None:
        return bool(self.args[0].is_even) if self.args[1].is_positive else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        m, x = (printer._print(a) for a in self.args)
        order = rf"^{{({m})}}" if self.args[0] > 0 else ""
        leading = printer._print(sympy.polygamma(*self.args) - self.rewrite(sympy.polygamma))
        sign, leading = ("+", leading[1:].lstrip()) if leading.startswith("-") else ("-", leading)
        return powered(rf"\left(\psi{order}\left({x}\right) {sign} {leading}\right)", exp)


class digamma_difference(Cancelling):  # noqa: N801
    """ψ(x + a) − ψ(x), x > 0 and x + a > 0; it has the sign of a.  Its derivative in x, with ψ′, cancels.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.digamma_difference(x, 2).diff(x)
    -polygamma(1, x) + polygamma(1, x + 2)
    >>> ig.functions.digamma_difference(10**9, 2).evalf(5)
    2.0000e-9
    """

    facts = Facts(name="digamma_difference", roundings=32, slow_in_balls=True, typical=((0.1, 30.0), (0.1, 30.0)))

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return ψ′(x + a), minus ψ′(x) in x."""
        x, a = self.args
        return sympy.polygamma(1, x + a) - (sympy.polygamma(1, x) if argindex == 1 else 0)

    def definition(self, x: Any, a: Any) -> Any:
        """ψ(x + a) − ψ(x)."""
        return mpmath.psi(0, x + a) - mpmath.psi(0, x)

    def _eval_rewrite_as_polygamma(self, x: Expr, a: Expr, **hints: Any) -> Expr:
        return sympy.polygamma(0, x + a) - sympy.polygamma(0, x)

    def _in_domain(self) -> bool | None:
        return bool(self.args[0].is_positive and (self.args[0] + self.args[1]).is_positive)

    def _eval_is_extended_positive(self) -> bool | None:
        return self.args[1].is_positive if self._in_domain() else None

    def _eval_is_extended_negative(self) -> bool | None:
        return self.args[1].is_negative if self._in_domain() else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        x, s = printer._print(self.args[0]), printer._print(sympy.Add(*self.args))
        return powered(rf"\left(\psi\left({s}\right) - \psi\left({x}\right)\right)", exp)


class lgamma_difference(Cancelling):  # noqa: N801
    """log Γ(x + a) − log Γ(x), x > 0 and x + a > 0; derivatives ``digamma_difference(x, a)`` and ψ(x + a).

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.lgamma_difference(x, 2).diff(x)
    digamma_difference(x, 2)
    >>> ig.functions.lgamma_difference(1, 3).evalf(5)
    1.7918
    """

    facts = Facts(name="lgamma_difference", roundings=32, slow_in_balls=True, typical=((0.1, 30.0), (0.1, 30.0)))

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return ψ(x + a) − ψ(x) in x, ψ(x + a) in a."""
        x, a = self.args
        return digamma_difference(x, a) if argindex == 1 else sympy.polygamma(0, x + a)

    def definition(self, x: Any, a: Any) -> Any:
        """Log Γ(x + a) − log Γ(x)."""
        return mpmath.loggamma(x + a) - mpmath.loggamma(x)

    def _eval_rewrite_as_loggamma(self, x: Expr, a: Expr, **hints: Any) -> Expr:
        return sympy.loggamma(x + a) - sympy.loggamma(x)

    def beside_zero(self) -> Expr:
        """|a|: beside a zero other than a = 0 as much is lost as a change of x in its last bits does."""
        return Abs(self.args[1])

    def _in_domain(self) -> bool | None:
        return bool(self.args[0].is_positive and (self.args[0] + self.args[1]).is_positive)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        x, s = printer._print(self.args[0]), printer._print(sympy.Add(*self.args))
        return powered(rf"\log\frac{{\Gamma\left({s}\right)}}{{\Gamma\left({x}\right)}}", exp)
