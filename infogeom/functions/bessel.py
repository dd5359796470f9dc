"""The logarithm of a modified Bessel function, and ratios of two of them."""

from __future__ import annotations

from typing import Any

import mpmath
import sympy
from sympy import Expr
from sympy.core.function import ArgumentIndexError

from infogeom import precision
from infogeom.functions.cancelling import Cancelling
from infogeom.functions.facts import Facts
from infogeom.functions.primitive import powered

__all__ = ["bessel_ratio", "bessel_ratio_curve", "bessel_ratio_slope", "log_bessel"]


class _Bessel(Cancelling):
    """A function of ν ≥ 0 and x: the first term of a series where x, or 1 / x, has more digits than are asked."""

    def far_out(self, nu: Any, x: Any) -> Any:
        """First terms of the series in 1 / x, the next one of which is less by a factor of ν² / x (DLMF 10.40.1)."""
        raise NotImplementedError

    def near_zero(self, nu: Any, x: Any) -> Any:
        """First term of the series in x², but for a factor (DLMF 10.25.2)."""
        raise NotImplementedError

    def _eval_evalf(self, prec: int) -> Expr:
        nu, x = self.args
        if nu.is_number and x.is_number and x.is_positive:
            with precision.bits(2 * prec):
                digits = mpmath.mp.dps + 5
                size, order = (mpmath.mpf(a.evalf(digits)._to_mpmath(2 * prec)) for a in (x, nu))
                enough = mpmath.ldexp(1 + order**2, 2 * prec)
                series = self.far_out if size > enough else self.near_zero if 1 / size > enough else None
                if series:
                    return Expr._from_mpmath(series(order, size), prec)
        return super()._eval_evalf(prec)


class bessel_ratio(_Bessel):  # noqa: N801
    """Ratio A = I_(ν+1)(x) / I_ν(x), ν ≥ 0 and x ≥ 0: the mean resultant length of a von Mises–Fisher law.

    A, A′ and −A″ are positive for x > 0 (Schou, Biometrika 65 (1978) 369–377, for ν = 0, 1/2, 1, …; A′ is a variance
    for every ν).

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.bessel_ratio(0, x).diff(x)
    bessel_ratio_slope(0, x)
    >>> ig.functions.bessel_ratio(0, 1000).evalf(5)
    0.99950
    """

    facts = Facts(name="bessel_ratio", roundings=32, slow_in_balls=True, typical=((0.0, 9.0), (0.1, 30.0)))

    primes = ""

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return A′, A″, or A‴ in terms of A, A′ and A″; there is no closed form of the derivative in ν."""
        if argindex != 2:
            raise ArgumentIndexError(self, argindex)
        return self._slope(*self.args)

    def _slope(self, nu: Expr, x: Expr) -> Expr:
        return bessel_ratio_slope(nu, x)

    def far_out(self, nu: Any, x: Any) -> Any:
        """A, A′ or A″ of A = 1 − (2ν + 1) / (2 x)."""
        half = nu + mpmath.mpf(1) / 2
        return (1 - half / x, half / x**2, -2 * half / x**3)[len(self.primes)]

    def near_zero(self, nu: Any, x: Any) -> Any:
        """A, A′ or A″ of A = x / (2 (ν + 1)) − x³ / (8 (ν + 1)² (ν + 2))."""
        first = 1 / (2 * (nu + 1))
        return (first * x, first, -3 * first**2 * x / (nu + 2))[len(self.primes)]

    def definition(self, nu: Any, x: Any) -> Any:
        """A, A′ or A″ by Riccati's equation A′ = 1 − A² − (2ν + 1) A / x (DLMF 10.29.2); at x = 0 the limit."""
        n, c = len(self.primes), 2 * nu + 1
        if x == 0:
            return 1 / (c + 1) if n == 1 else mpmath.mpf(0)
        A = mpmath.besseli(nu + 1, x) / mpmath.besseli(nu, x)
        slope = 1 - A * A - c * A / x
        return (A, slope, c * A / x**2 - c * slope / x - 2 * A * slope)[n]

    def _in_domain(self) -> bool | None:
        return bool(self.args[0].is_nonnegative and self.args[1].is_nonnegative)

    def _eval_is_extended_positive(self) -> bool | None:
        return True if self.args[0].is_nonnegative and self.args[1].is_positive else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        nu, x = (printer._print(a) for a in self.args)
        name = f"A{self.primes}_{{{nu}}}" if exp is None else f"{{A{self.primes}_{{{nu}}}}}^{{{exp}}}"
        return rf"{name}\left({x}\right)"


class bessel_ratio_slope(bessel_ratio):  # noqa: N801
    """Derivative A′ = 1 − A² − (2ν + 1) A / x of `bessel_ratio` in x.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.bessel_ratio_slope(0, x).diff(x)
    bessel_ratio_curve(0, x)
    >>> ig.functions.bessel_ratio_slope(0, 0).evalf(5)
    0.50000
    """

    facts = Facts(name="bessel_ratio_slope", roundings=960, slow_in_balls=True, typical=((0.0, 9.0), (0.1, 30.0)))

    primes = "'"

    def _slope(self, nu: Expr, x: Expr) -> Expr:
        return bessel_ratio_curve(nu, x)

    def _eval_is_extended_positive(self) -> bool | None:
        return True if self._in_domain() else None


class bessel_ratio_curve(bessel_ratio):  # noqa: N801
    """Second derivative A″ of `bessel_ratio` in x; the third cancels at small and at large x.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.bessel_ratio_curve(0, x).is_negative
    True
    >>> ig.functions.bessel_ratio_curve(0, 1000).evalf(5)
    -1.0008e-9
    """

    facts = Facts(name="bessel_ratio_curve", roundings=720, slow_in_balls=True, typical=((0.0, 9.0), (0.1, 30.0)))

    primes = "''"

    def _slope(self, nu: Expr, x: Expr) -> Expr:
        A, slope, c = bessel_ratio(nu, x), bessel_ratio_slope(nu, x), 2 * nu + 1
        return -2 * slope**2 - 2 * A * self - c * (self - 2 * (slope - A / x) / x) / x

    def _eval_is_extended_positive(self) -> bool | None:
        return None

    def _eval_is_extended_negative(self) -> bool | None:
        return True if (2 * self.args[0]).is_integer and bessel_ratio(*self.args).is_positive else None


class log_bessel(_Bessel):  # noqa: N801
    """Logarithm log I_ν(x) of a modified Bessel function, ν ≥ 0 and x > 0: positive for ν = 0.

    The log-partition of a von Mises–Fisher law is log_bessel(ν, κ) − ν log κ and a constant.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.log_bessel(0, x).diff(x)
    bessel_ratio(0, x)
    >>> ig.functions.log_bessel(0, 1000).evalf(5)
    995.63
    """

    facts = Facts(name="log_bessel", roundings=32, slow_in_balls=True, typical=((0.0, 9.0), (0.1, 30.0)))

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return I_ν′ / I_ν = A + ν / x (DLMF 10.29.2); there is no closed form of the derivative in ν."""
        if argindex != 2:
            raise ArgumentIndexError(self, argindex)
        nu, x = self.args
        return bessel_ratio(nu, x) + nu / x

    def far_out(self, nu: Any, x: Any) -> Any:
        """The logarithm of e^x / √(2π x)."""
        return x - mpmath.log(2 * mpmath.pi * x) / 2

    def near_zero(self, nu: Any, x: Any) -> Any:
        """The logarithm of (x / 2)^ν / Γ(ν + 1), or x² / 4 for ν = 0."""
        return nu * mpmath.log(x / 2) - mpmath.loggamma(nu + 1) if nu else x * x / 4

    def definition(self, nu: Any, x: Any) -> Any:
        """Log I_ν(x)."""
        return mpmath.log(mpmath.besseli(nu, x))

    def _eval_rewrite_as_besseli(self, nu: Expr, x: Expr, **hints: Any) -> Expr:
        return sympy.log(sympy.besseli(nu, x))

    def beside_zero(self) -> Expr:
        """ν + x: what cancels, but for ν = 0."""
        nu, x = self.args
        return sympy.Integer(0) if nu == 0 else nu + x

    def _in_domain(self) -> bool | None:
        return bool(self.args[0].is_nonnegative and self.args[1].is_positive)

    def _eval_is_extended_positive(self) -> bool | None:
        return True if self.args[0].is_zero and self._in_domain() else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        nu, x = (printer._print(a) for a in self.args)
        return powered(rf"\log I_{{{nu}}}\left({x}\right)", exp)
