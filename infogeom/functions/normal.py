"""The normal distribution function in its lower tail, where it is below float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from sympy import Expr

from infogeom.functions.facts import ELEMENTARY, UNCOMPILED, Facts
from infogeom.functions.primitive import Primitive, powered

__all__ = ["inverse_mills", "log_normal_cdf"]


class log_normal_cdf(Primitive):  # noqa: N801
    """Logarithm log Φ(x) of the normal distribution function; derivative φ/Φ, ``inverse_mills``."""

    facts = Facts(name="log_normal_cdf", lacks=UNCOMPILED, typical=((-9.0, 9.0),))

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return φ(x)/Φ(x)."""
        return inverse_mills(self.args[0])

    def _eval_is_real(self) -> bool | None:
        return bool(self.args[0].is_real) or None

    def _eval_rewrite_as_erfc(self, x: Expr, **hints: Any) -> Expr:
        return sympy.log(sympy.erfc(-x / sympy.sqrt(2)) / 2)

    def _eval_evalf(self, prec: int) -> Expr:
        return self._eval_rewrite_as_erfc(self.args[0])._eval_evalf(prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return powered(rf"\log\Phi\left({printer._print(self.args[0])}\right)", exp)


class inverse_mills(Primitive):  # noqa: N801
    """Inverse Mills ratio m(x) = φ(x)/Φ(x) of the normal law; derivative −m (x + m)."""

    facts = Facts(name="inverse_mills", lacks=UNCOMPILED, typical=((-9.0, 9.0),))

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return −m (x + m)."""
        return -self * (self.args[0] + self)

    def roundings_of_scipy(self, size: Callable[[Expr], Expr]) -> Expr:
        """Those of e^(−x²/2 − log Φ(x))."""
        return size(self) * (2 * ELEMENTARY + 2 * size(self.args[0]) ** 2)

    def _eval_is_extended_positive(self) -> bool | None:
        return True if self.args[0].is_extended_real else None

    def _eval_rewrite_as_erfc(self, x: Expr, **hints: Any) -> Expr:
        return sympy.sqrt(2 / sympy.pi) * sympy.exp(-(x**2) / 2) / sympy.erfc(-x / sympy.sqrt(2))

    def _eval_evalf(self, prec: int) -> Expr:
        return self._eval_rewrite_as_erfc(self.args[0])._eval_evalf(prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return powered(rf"\frac{{\varphi}}{{\Phi}}\left({printer._print(self.args[0])}\right)", exp)
