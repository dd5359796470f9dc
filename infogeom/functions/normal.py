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

__all__ = ["by_normal_cdf", "inverse_mills", "log_normal_cdf", "with_tails"]

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


# --- Expressions rewritten in terms of these --------------------------------------------------------------------------


def by_normal_cdf(e: Expr) -> Expr:
    """Expression with (1 ± erf(u))/2 and erfc(u)/2 as exponentials of log Φ, wherever they occur.

    Equal in value everywhere; the tails, which 1 − erf(u) loses, keep their digits.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> by_normal_cdf((1 + sympy.erf(x / sympy.sqrt(2))) / 2)
    exp(log_normal_cdf(x))
    """
    if not e.has(sympy.erf, sympy.erfc):
        return e
    return e.replace(sympy.erfc, _from_erfc).replace(_is_sum, _from_sum)


def _from_erfc(u: Expr) -> Expr:
    return 2 * sympy.exp(log_normal_cdf(-sympy.sqrt(2) * u))


def _is_sum(e: Expr) -> bool:
    return isinstance(e, sympy.Add)


def _from_sum(total: Expr) -> Expr:
    """For c (1 ± erf(u)) twice c Φ(±√2 u)."""
    constant, rest = total.as_coeff_Add()
    c, function = rest.as_coeff_Mul()
    if constant == 0 or abs(c) != abs(constant) or not isinstance(function, sympy.erf):
        return total
    return 2 * constant * sympy.exp(log_normal_cdf(sympy.sqrt(2) * c / constant * function.args[0]))


def with_tails(e: Expr) -> Expr:
    """Expression with Φ(−x) for 1 − Φ(x), and with what cancels between φ/Φ and Φ left out.

    φ(x) = m(x) Φ(x) = m(−x) Φ(−x) for the inverse Mills ratio m, so that m(x) Φ(x)/Φ(−x) becomes m(−x).
    """
    if not e.has(log_normal_cdf):
        return e
    return e.replace(_is_sum, _upper_for_complement).replace(lambda p: p.is_Mul, _odds_of_mills)


def _upper_for_complement(total: Expr) -> Expr:
    constant, rest = total.as_coeff_Add()
    c, power = rest.as_coeff_Mul()
    if constant == 0 or c != -constant or not isinstance(power, sympy.exp):
        return total
    (logarithm,) = power.args
    return constant * sympy.exp(log_normal_cdf(-logarithm.args[0])) if _is_log_cdf(logarithm) else total


def _is_log_cdf(e: Expr) -> bool:
    return isinstance(e, log_normal_cdf)


def _odds_of_mills(product: Expr) -> Expr:
    """Product with m(−x) for as many m(x) Φ(x)/Φ(−x) as there are."""
    powers = [factor for factor in product.args if isinstance(factor, sympy.exp)]
    exponent = sympy.expand(sympy.Add(*(power.args[0] for power in powers)))
    counts, change = exponent.as_coefficients_dict(), sympy.S.One
    for base, number in product.as_powers_dict().items():
        if not isinstance(base, inverse_mills) or not number.is_Integer:
            continue
        (x,) = base.args
        up, down = log_normal_cdf(x), log_normal_cdf(-x)
        k = min(number, counts[up], -counts[down])
        if k > 0:
            change *= (inverse_mills(-x) / base) ** k
            exponent += k * (down - up)
    if change == 1:
        return product
    others = [factor for factor in product.args if factor not in powers]
    return sympy.Mul(change, sympy.exp(exponent), *others)
