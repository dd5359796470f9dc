"""Polylogarithms of exponentials: the Bose–Einstein and Fermi–Dirac integrals."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import mpmath
import sympy
from flint import acb, arb
from sympy import Expr
from sympy.core.function import ArgumentIndexError

from infogeom import precision
from infogeom.functions.facts import POLYLOG_ORDERS, Facts
from infogeom.functions.primitive import Primitive, powered

__all__ = ["bose_polylog", "fermi_polylog", "of_exponentials"]

#: Bits in which digits are sought beside a zero, or eight times those wanted.
BITS_BESIDE_ZERO = 2**13


class OfExponential(Primitive):
    """A polylogarithm ±Li_s(±e^x) of an exponential: its derivative is that of the order below."""

    nargs = 2
    sign: ClassVar[int]

    @classmethod
    def eval(cls, s: Expr, x: Expr) -> Expr | None:
        """Refuse an order that is no multiple of ½; None leaves the function unevaluated."""
        if s.is_Float:
            return cls(sympy.Rational(s), x)
        if not cls.facts.admits(s):
            least, largest = POLYLOG_ORDERS
            raise ValueError(
                f"the order of {cls.__name__} must be a multiple of 1/2 from {least} to {largest}, got {s}"
            )
        return sympy.Integer(0) if x is -sympy.oo else cls._end(s, x)

    @classmethod
    def _end(cls, s: Expr, x: Expr) -> Expr | None:  # noqa: ARG003  (s, x)
        """Value at the other end of the domain, if it has one."""
        return None

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return the function of the order below; there is no closed form of the derivative in s."""
        if argindex != 2:
            raise ArgumentIndexError(self, argindex)
        return self.func(self.args[0] - 1, self.args[1])

    def _eval_evalf(self, prec: int) -> Expr:
        """Value by python-flint: between −1 and 1, and in hundreds of digits, mpmath takes seconds."""
        if not (self.args[1].is_number and self.args[1].is_real):
            return self
        if not self._in_domain():
            return sympy.nan
        work, most = prec + 32, max(BITS_BESIDE_ZERO, 8 * prec)
        ball = self._enclosed(work)
        while ball.rel_accuracy_bits() < prec + 8 and work < most:
            work *= 2
            ball = self._enclosed(work)
        mantissa, exponent = ball.mid().man_exp()
        with precision.bits(prec):
            return Expr._from_mpmath(mpmath.mpf((int(mantissa), int(exponent))), prec)

    def _enclosed(self, bits: int) -> arb:
        """Ball that holds the value."""
        s, x = self.args
        rounded = x.evalf(int(bits / 3.32) + 5)._to_mpmath(bits)
        with precision.bits_of_balls(bits):
            power = (arb(rounded) * arb(1, arb(2) ** -bits)).exp()
            return self.sign * acb(self.sign * power).polylog(acb(s.p) / int(s.q)).real

    @abstractmethod
    def _in_domain(self) -> bool:
        """Whether it is known to be real."""

    def _eval_is_real(self) -> bool | None:
        return self._in_domain() or None

    def _printed(self, printer: Any) -> tuple[str, str]:
        s, x = (printer._print(a) for a in self.args)
        return rf"\mathrm{{Li}}_{{{s}}}", x


class bose_polylog(OfExponential):  # noqa: N801
    """Li_s(e^x), x < 0, of an order that is a multiple of ½: the Bose–Einstein integral G_(s−1)(x) (DLMF 25.12.15).

    With the derivative, of the order below, it is positive. At x = 0 it is ζ(s) for s > 1.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", negative=True)
    >>> ig.functions.bose_polylog(sympy.Rational(5, 2), x).diff(x)
    bose_polylog(3/2, x)
    >>> ig.functions.bose_polylog(2, -sympy.Rational(1, 10**9)).evalf(5)
    1.6449
    """

    facts = Facts(
        name="bose_polylog",
        roundings=224,
        saturating=True,
        orders=1,
        halves=True,
        limits=POLYLOG_ORDERS,
        typical=((1.0, 4.0), (-30.0, -0.001)),
    )

    sign = 1

    @classmethod
    def _end(cls, s: Expr, x: Expr) -> Expr | None:
        return sympy.zeta(s) if x.is_zero and s > 1 else None

    def _eval_rewrite_as_polylog(self, s: Expr, x: Expr, **hints: Any) -> Expr:
        return sympy.polylog(s, sympy.exp(x))

    def _in_domain(self) -> bool:
        return bool(self.args[1].is_negative)

    def _eval_is_extended_positive(self) -> bool | None:
        return True if self._in_domain() else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        name, x = self._printed(printer)
        return powered(rf"{name}\left(e^{{{x}}}\right)", exp)


class fermi_polylog(OfExponential):  # noqa: N801
    """−Li_s(−e^x) of an order that is a multiple of ½: the Fermi–Dirac integral F_(s−1)(x) (DLMF 25.12.14).

    It is positive for s ≥ −1; log(1 + e^x) for s = 1, the logistic function for s = 0.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", real=True)
    >>> ig.functions.fermi_polylog(sympy.Rational(5, 2), x).diff(x)
    fermi_polylog(3/2, x)
    >>> ig.functions.fermi_polylog(2, 1000).evalf(9)
    500001.645
    """

    facts = Facts(
        name="fermi_polylog",
        roundings=192,
        saturating=True,
        orders=1,
        halves=True,
        limits=POLYLOG_ORDERS,
        typical=((1.0, 4.0), (6.0, 60.0)),
    )

    sign = -1

    def _eval_rewrite_as_polylog(self, s: Expr, x: Expr, **hints: Any) -> Expr:
        return -sympy.polylog(s, -sympy.exp(x))

    def beside_zero(self) -> Expr:
        """Bound on the sum of the terms, n! 2^(1 − n) times that of order −½ or −1 for its derivative of order n."""
        s, x = self.args
        if s >= -1:
            return sympy.Integer(0)
        n = sympy.ceiling(-s)
        return sympy.factorial(n) / 2 ** (n - 1) * fermi_polylog(s + n - 1, x)

    def _in_domain(self) -> bool:
        return bool(self.args[1].is_real)

    def _eval_is_extended_positive(self) -> bool | None:
        return True if self.args[0] >= -1 and self._in_domain() else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        name, x = self._printed(printer)
        return powered(rf"\left(-{name}\left(-e^{{{x}}}\right)\right)", exp)


def of_exponentials(expression: Expr) -> Expr:
    """Expression with SymPy's polylogarithms Li_s(±e^x) by those of x, which keep their digits beside e^x = 1.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> of_exponentials(1 - sympy.polylog(2, -sympy.exp(x)))
    fermi_polylog(2, x) + 1
    """

    def rewritten(s: Expr, z: Expr) -> Expr:
        sign, power = sympy.powsimp(z).as_coeff_Mul()
        if not (isinstance(power, sympy.exp) and abs(sign) == 1 and bose_polylog.facts.admits(s)):
            return sympy.polylog(s, z)
        (x,) = power.args
        return bose_polylog(s, x) if sign == 1 else -fermi_polylog(s, x)

    return expression.replace(sympy.polylog, rewritten)
