"""The normal distribution function in its lower tail, where it is below float64."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import mpmath
import sympy
from sympy import Expr

from infogeom import precision
from infogeom.functions.facts import ELEMENTARY, Facts, Growth
from infogeom.functions.primitive import Primitive, powered

__all__ = ["inverse_mills", "log_normal_cdf"]

#: Bits of an argument beyond which mpmath's erfc fails (from some 500 on).
FAR_TAIL = 400


def _upper_tail(x: Any) -> Any:
    """Probability Φ(−x) of an mpmath number, which may be large."""
    if mpmath.mag(x) > FAR_TAIL and x > 0:
        return mpmath.npdf(x) * _far_mills(x)
    return mpmath.erfc(x / mpmath.sqrt(2)) / 2


def _far_mills(x: Any) -> Any:
    """Mills ratio Φ(−x)/φ(x) far out, by Laplace's continued fraction 1/(x + 1/(x + 2/(x + …)))."""
    below = x
    for k in range(mpmath.mp.prec // FAR_TAIL + 2, 0, -1):
        below = x + k / below
    return 1 / below


class OfNormal(Primitive):
    """A function of one argument that is evaluated with the digits more that e^(−x²/2) loses."""

    nargs = 1

    @abstractmethod
    def _at(self, x: Any) -> Any:
        """Value at an mpmath number, at the working precision."""

    def _eval_evalf(self, prec: int) -> Expr:
        (x,) = self.args
        if not (x.is_number and x.is_real):
            return self
        work = prec + 20
        if not x.is_zero:
            work += 2 * max(0, mpmath.mag(mpmath.mpf(x.evalf(3)._to_mpmath(53))))
        with precision.bits(work):
            return Expr._from_mpmath(self._at(mpmath.mpf(x.evalf(int(work / 3.32) + 5)._to_mpmath(work))), prec)


class log_normal_cdf(OfNormal):  # noqa: N801
    """Logarithm log Φ(x) of the normal distribution function; derivative φ/Φ, ``inverse_mills``.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.log_normal_cdf(x).diff(x)
    inverse_mills(x)
    >>> ig.functions.log_normal_cdf(-100).evalf(5)
    -5005.5
    """

    facts = Facts(name="log_normal_cdf", roundings=64, growth=Growth.SMOOTH, saturating=True, typical=((-9.0, 9.0),))

    @classmethod
    def eval(cls, x: Expr) -> Expr | None:
        """Return the limit at ±∞; None leaves the function unevaluated."""
        if x is -sympy.oo:
            return x
        return sympy.Integer(0) if x is sympy.oo else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return φ(x)/Φ(x)."""
        return inverse_mills(self.args[0])

    def _eval_is_real(self) -> bool | None:
        return bool(self.args[0].is_real) or None

    def _eval_rewrite_as_erfc(self, x: Expr, **hints: Any) -> Expr:
        return sympy.log(sympy.erfc(-x / sympy.sqrt(2)) / 2)

    def _at(self, x: Any) -> Any:
        """Logarithm log Φ(x), near 0 by its complement."""
        return mpmath.log1p(-_upper_tail(x)) if x > 0 else mpmath.log(_upper_tail(-x))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return powered(rf"\log\Phi\left({printer._print(self.args[0])}\right)", exp)


class inverse_mills(OfNormal):  # noqa: N801
    """Inverse Mills ratio m(x) = φ(x)/Φ(x) of the normal law; derivative −m (x + m).

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.inverse_mills(x).diff(x)
    -(x + inverse_mills(x))*inverse_mills(x)
    >>> ig.functions.inverse_mills(-100).evalf(5)
    100.01
    """

    facts = Facts(name="inverse_mills", roundings=64, growth=Growth.SLOW, saturating=True, typical=((-9.0, 9.0),))

    @classmethod
    def eval(cls, x: Expr) -> Expr | None:
        """Return the limit at ±∞; None leaves the function unevaluated."""
        if x is -sympy.oo:
            return -x
        return sympy.Integer(0) if x is sympy.oo else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return −m (x + m)."""
        return -self * (self.args[0] + self)

    def roundings_of_scipy(self, size: Callable[[Expr], Expr]) -> Expr:
        """Roundings of e^(−x²/2 − log Φ(x))."""
        return size(self) * (2 * ELEMENTARY + 2 * size(self.args[0]) ** 2)

    def _eval_is_real(self) -> bool | None:
        return bool(self.args[0].is_real) or None

    def _eval_is_extended_positive(self) -> bool | None:
        return True if self.args[0].is_extended_real else None

    def _eval_rewrite_as_erfc(self, x: Expr, **hints: Any) -> Expr:
        return sympy.sqrt(2 / sympy.pi) * sympy.exp(-(x**2) / 2) / sympy.erfc(-x / sympy.sqrt(2))

    def _at(self, x: Any) -> Any:
        """φ(x)/Φ(x)."""
        return mpmath.npdf(x) / _upper_tail(-x)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return powered(rf"\frac{{\varphi}}{{\Phi}}\left({printer._print(self.args[0])}\right)", exp)
