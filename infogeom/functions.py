"""SymPy primitives whose derivatives stay in closed, overflow-free form.

A logistic model written with ``1 / (1 + exp(-u))`` loses every digit of ``1 - sigma`` beyond u = 37 and overflows
beyond u = 709.  Written with these functions it differentiates into products of ``expit(u)`` and ``expit(-u)`` alone,
and the code generator knows how to evaluate both to full relative accuracy.
"""

from __future__ import annotations

from typing import Any

import mpmath
import sympy
from sympy import Expr

__all__ = ["expit", "softplus", "stable"]


class expit(sympy.Function):  # noqa: N801  (a SymPy function is spelt like the function)
    """Logistic function σ(u) = 1 / (1 + e^−u); its complement 1 − σ(u) is ``expit(-u)``.

    Derivative: σ′(u) = σ(u) σ(−u).
    """

    nargs = 1

    @classmethod
    def eval(cls, u: Expr) -> Expr | None:
        """Return the value at 0 and ±∞; None leaves the function unevaluated."""
        if u is sympy.oo:
            return sympy.Integer(1)
        if u is -sympy.oo:
            return sympy.Integer(0)
        return sympy.Rational(1, 2) if u.is_zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return σ(u) σ(−u)."""
        return self * expit(-self.args[0])

    def _eval_is_extended_positive(self) -> bool | None:
        return True if self.args[0].is_extended_real else None

    def _eval_is_real(self) -> bool | None:
        return True if self.args[0].is_extended_real else None

    def _eval_rewrite_as_exp(self, u: Expr, **hints: Any) -> Expr:
        return 1 / (1 + sympy.exp(-u))

    def _eval_evalf(self, prec: int) -> Expr:
        return self._eval_rewrite_as_exp(self.args[0])._eval_evalf(prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        u = self.args[0]
        if u.could_extract_minus_sign():
            return rf"\bar\sigma{power}\left({printer._print(-u)}\right)"
        return rf"\sigma{power}\left({printer._print(u)}\right)"


class softplus(sympy.Function):  # noqa: N801
    """Softplus log(1 + e^u), the negative log of ``expit(-u)``; derivative ``expit(u)``."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return σ(u)."""
        return expit(self.args[0])

    def _eval_is_extended_positive(self) -> bool | None:
        return True if self.args[0].is_extended_real else None

    def _eval_is_real(self) -> bool | None:
        return bool(self.args[0].is_real) or None

    def _eval_rewrite_as_exp(self, u: Expr, **hints: Any) -> Expr:
        return sympy.log(1 + sympy.exp(u))

    def _eval_evalf(self, prec: int) -> Expr:
        u = self.args[0].evalf(n=int(prec / 3.32) + 5)
        if not u.is_Float and not u.is_Integer:
            return self
        with mpmath.workprec(prec + 10):
            value = mpmath.log1p(mpmath.exp(u._to_mpmath(prec + 10)))
        return Expr._from_mpmath(value, prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\operatorname{{softplus}}{power}\left({printer._print(self.args[0])}\right)"


def stable(expression: Expr) -> Expr:
    """Rewrite 1 − σ(u) as σ(−u) and log σ(u) as −softplus(−u), wherever they occur.

    Equal in value everywhere; what changes is that nothing cancels or overflows any more.
    """
    one = sympy.Integer(1)

    def complement(node: Expr) -> Expr:
        sigmas = [a for a in node.args if isinstance(a.as_coeff_Mul()[1], expit)]
        if len(sigmas) != 1 or len(node.args) != 2:
            return node
        coefficient, sigma = sigmas[0].as_coeff_Mul()
        rest = node - sigmas[0]
        if rest == one and coefficient == -1:
            return expit(-sigma.args[0])
        if rest == -one and coefficient == one:
            return -expit(-sigma.args[0])
        return node

    def logarithm(node: Expr) -> Expr:
        return -softplus(-node.args[0].args[0])

    expression = expression.replace(lambda e: isinstance(e, sympy.Add), complement)
    return expression.replace(lambda e: isinstance(e, sympy.log) and isinstance(e.args[0], expit), logarithm)
