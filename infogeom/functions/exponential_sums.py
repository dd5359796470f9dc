"""Logarithms of sums of exponentials, and the shares of their terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Expr
from sympy.core.function import ArgumentIndexError

from infogeom.functions.facts import ELEMENTARY, Facts, Growth
from infogeom.functions.primitive import Primitive, powered

__all__ = ["by_log_sum_exp", "log_sum_exp", "softmax"]


class log_sum_exp(Primitive):  # noqa: N801
    """Logarithm log Σ_k e^{a_k}, which neither overflows nor underflows; its derivatives are ``softmax``.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.log_sum_exp(x, 2 * x).diff(x)
    softmax(0, x, 2*x) + 2*softmax(1, x, 2*x)
    >>> ig.functions.log_sum_exp(1000, 1001).evalf(7)
    1001.313
    """

    facts = Facts(name="log_sum_exp", growth=Growth.SLOW, saturating=True, typical=((-5.0, 5.0),) * 3)

    @classmethod
    def eval(cls, *a: Expr) -> Expr | None:
        """Refuse a sum of no terms; None leaves the function unevaluated."""
        if not a:
            raise TypeError("log_sum_exp takes at least one term, got none")
        return None

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return the share of one term."""
        return softmax(argindex - 1, *self.args)

    def beside_zero(self) -> Expr:
        """The logarithm of the number of terms."""
        return sympy.log(len(self.args)).evalf()

    def roundings_of_scipy(self, size: Callable[[Expr], Expr]) -> Expr:
        """Roundings of a logarithm, also beside its zero."""
        return ELEMENTARY * (size(self) + sympy.log(len(self.args)).evalf())

    def _eval_is_real(self) -> bool | None:
        return True if all(a.is_real for a in self.args) else None

    def _eval_rewrite_as_exp(self, *a: Expr, **hints: Any) -> Expr:
        return sympy.log(sympy.Add(*map(sympy.exp, a)))

    def _eval_evalf(self, prec: int) -> Expr:
        return self._eval_rewrite_as_exp(*self.args)._eval_evalf(prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return powered(rf"\log\left({' + '.join(f'e^{{{printer._print(a)}}}' for a in self.args)}\right)", exp)


class softmax(Primitive):  # noqa: N801
    """Share e^{a_k} / Σ_j e^{a_j} of the term number k, counted from 0; derivatives s_k (δ_jk − s_j).

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.softmax(0, x, 1).diff(x)
    (1 - softmax(0, x, 1))*softmax(0, x, 1)
    >>> ig.functions.softmax(0, 1000, 1001).evalf(5)
    0.26894
    """

    facts = Facts(
        name="softmax",
        roundings=64,
        growth=Growth.BOUNDED,
        saturating=True,
        orders=1,
        typical=((0.0, 2.0), *((-5.0, 5.0),) * 3),
    )

    @classmethod
    def eval(cls, k: Expr, *a: Expr) -> Expr | None:
        """Refuse a number that is no term's; None leaves the function unevaluated."""
        if not (k.is_Integer and 0 <= k < len(a)):
            raise ValueError(f"the term of softmax must be an integer from 0 to {len(a) - 1}, got {k}")
        return None

    def fdiff(self, argindex: int = 2) -> Expr:
        """Return s_k (δ_jk − s_j)."""
        k, *a = self.args
        if argindex == 1:
            raise ArgumentIndexError(self, argindex)
        j = argindex - 2
        return self * (int(k == j) - softmax(j, *a))

    def roundings_of_scipy(self, size: Callable[[Expr], Expr]) -> Expr:
        """Roundings of e^(a_k − log Σ e^a)."""
        return size(self) * sympy.Add(2 * ELEMENTARY, *(2 * size(a) for a in self.args[1:]))

    def _eval_is_extended_positive(self) -> bool | None:
        return self._eval_is_real()

    def _eval_is_real(self) -> bool | None:
        return True if all(a.is_real for a in self.args) else None

    def _eval_rewrite_as_exp(self, k: Expr, *a: Expr, **hints: Any) -> Expr:
        return sympy.exp(a[int(k)]) / sympy.Add(*map(sympy.exp, a))

    def _eval_evalf(self, prec: int) -> Expr:
        return self._eval_rewrite_as_exp(*self.args)._eval_evalf(prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        k, *a = self.args
        return powered(rf"\operatorname{{softmax}}_{{{k}}}\left({', '.join(map(printer._print, a))}\right)", exp)


def by_log_sum_exp(e: Expr, least: int) -> Expr:
    """Expression with logarithms of sums of at least so many exponentials, of positive weights, by `log_sum_exp`.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> by_log_sum_exp(sympy.log(3 + sympy.exp(x)), 2)
    log_sum_exp(log(3), x)
    """

    def rewritten(total: Expr) -> Expr:
        exponents = []
        for term in sympy.Add.make_args(total):
            weight, power = term.as_coeff_Mul()
            if not (weight.is_positive and (power == 1 or isinstance(power, sympy.exp))):
                return sympy.log(total)
            exponents.append(sympy.log(weight) + (power.args[0] if power != 1 else 0))
        return log_sum_exp(*exponents) if len(exponents) >= least else sympy.log(total)

    return e.replace(sympy.log, rewritten)
