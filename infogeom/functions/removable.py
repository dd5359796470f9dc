"""Functions of one variable whose formula is 0/0 at a point where they themselves are analytic.

Near the point an expression such as (Γ(1 + ξ) − 1) / ξ loses its digits and at the point it has no value.  There its
Taylor series takes over.  The coefficients are Cauchy's integrals over a circle around the point, where little cancels,
by the trapezoidal rule, which converges geometrically (Trefethen and Weideman, SIAM Review 56 (2014) 385–458, Theorem
2.1).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import log2
from typing import Any

import flint
import mpmath
import sympy
from sympy import AtomicExpr, Expr, Symbol

from infogeom import precision
from infogeom.functions.facts import Arithmetic, Facts
from infogeom.functions.primitive import Primitive

__all__ = ["Germ", "removable"]

#: Name of the variable of every germ.
VARIABLE = Symbol("t", real=True)
#: In units of the radius: how far float64 takes the series, and the radius of the circle for its coefficients.
WIDE_RADIUS = 0.7
WIDE_CIRCLE = 0.85
#: Radii where precision makes up for the digits that the formula loses.
NARROW = 1 / 64
NARROW_CIRCLE = 1 / 2
#: Coefficients of the float64 series are cut where the terms fall below this share of the largest.
LAST_TERM = 2.0**-60
#: Bits of the coefficients of the float64 series: each of the terms is rounded once.
FLOAT_BITS = 90
#: Roundings of the formula where float64 leaves the series: six powers of 0.35 cancel in it.
FORMULA = 1000
#: Bits and number of the coefficients for balls.
SERIES_BITS = 400
SERIES_COEFFICIENTS = 90


class Germ(AtomicExpr):
    """An expression of one symbol that is analytic in a disk around a real centre, but for its value there.

    For SymPy it is an atom: nothing looks or substitutes inside.

    Parameters
    ----------
    expression : sympy.Expr
        Real for real arguments, of functions that mpmath knows, with no symbol but the one.
    symbol : sympy.Symbol
        Its variable.
    centre, radius : number
        The function continues analytically to all complex numbers no farther than the radius from the centre.
    order : int, optional
        The germ is the derivative of this order of the expression's.

    Raises
    ------
    ValueError
        If there is another symbol, or the centre is not real or the radius not positive.
    """

    __slots__ = ("centre", "order", "primitive", "radius")

    primitive: Expr
    centre: Expr
    radius: Expr
    order: int
    is_real = True
    is_commutative = True

    def __new__(cls, expression: Any, symbol: Symbol, centre: Any, radius: Any, order: Any = 0) -> Germ:
        """Rename the variable: germs that differ in its name alone are equal."""
        expression, centre, radius = map(sympy.sympify, (expression, centre, radius))
        foreign = sorted(s.name for s in expression.free_symbols - {symbol})
        if foreign:
            raise ValueError(f"the expression of a germ must depend on {symbol} alone, got {', '.join(foreign)} too")
        if not centre.is_real:
            raise ValueError(f"the centre of a germ must be a real number, got {centre}")
        if not radius.is_positive:
            raise ValueError(f"the radius of a germ must be positive, got {radius}")
        germ = super().__new__(cls)
        germ.primitive, germ.centre, germ.radius = expression.xreplace({symbol: VARIABLE}), centre, radius
        germ.order = int(order)
        return germ  # type: ignore[no-any-return]

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.primitive, VARIABLE, self.centre, self.radius, sympy.Integer(self.order)

    def __getstate__(self) -> None:
        return None

    def _hashable_content(self) -> tuple[Any, ...]:
        return self.primitive, self.centre, self.radius, self.order

    def derivative(self) -> Germ:
        """Return the germ of the derivative."""
        return Germ(self.primitive, VARIABLE, self.centre, self.radius, self.order + 1)

    def at(self, x: Expr) -> Expr:
        """Return the expression at x."""
        return _derivative(self.primitive, self.order).xreplace({VARIABLE: x})

    def value(self, x: Any) -> Any:
        """Value at a real mpmath number, to mpmath's working precision."""
        bits = mpmath.mp.prec
        with precision.more_bits(bits + 64):  # (1 / `NARROW`)⁸ is 2⁴⁸, and the circle is where little cancels
            u, radius = x - _number(self.centre), _number(self.radius)
            if abs(u) >= NARROW * radius:
                return +_formula(self)(mpmath.mpf(x))
            coefficients, _ = self.taylor(bits + 20, NARROW_CIRCLE, bits // 5 + 8)
            return mpmath.polyval(coefficients[::-1], u)

    def taylor(self, bits: int, circle: float, count: int) -> tuple[list[Any], Any]:
        """The first Taylor coefficients, and M such that the k-th is at most (k + order)! / k! M / r^k.

        Parameters
        ----------
        bits : int
            The k-th coefficient errs by 2^−bits of that bound.
        circle : float
            The radius r of a circle in units of the germ's.
        count : int
            How many coefficients.
        """
        n = self.order
        coefficients, most = _taylor(self._primitive(), bits, circle, -(-(count + n) // 64) * 64)
        with precision.bits(bits + 64):
            factors = [mpmath.ff(k + n, n) for k in range(count)]
            most /= (circle * _number(self.radius)) ** n
            return [factor * c for factor, c in zip(factors, coefficients[n:], strict=False)], most

    def _primitive(self) -> Germ:
        return Germ(self.primitive, VARIABLE, self.centre, self.radius)

    def enclosing_series(self) -> tuple[tuple[Expr, ...], tuple[Expr, Expr, Expr, Expr]]:
        """Taylor coefficients for balls, then how far from the centre they serve, r, M and ε.

        The series of k terms errs by at most (M (|u| / r)^k + ε) / (1 − |u| / r) at u from the centre.  M is twice the
        largest |f| found on a circle, not a bound that is proved.
        """
        k, n = SERIES_COEFFICIENTS, self.order
        coefficients, most = self.taylor(SERIES_BITS, NARROW_CIRCLE, k)
        most = 2 * _exact(most) * sympy.ff(k + n, n)  # (k + n)! / k!, which grows by (k + 1 + n) / (k + 1) at most
        radius = sympy.Rational(NARROW_CIRCLE) * self.radius * sympy.Rational(k + 1, k + 1 + n)
        bounds = sympy.Rational(NARROW) * self.radius, radius, most, most / 2**SERIES_BITS
        return tuple(map(_exact, coefficients)), bounds

    def float_series(self) -> tuple[tuple[float, ...], float]:
        """Taylor coefficients for float64, and how far from the centre they serve."""
        coefficients, _ = self.taylor(FLOAT_BITS, WIDE_CIRCLE, 240)
        reach = float(self.radius) * WIDE_RADIUS
        sizes = [abs(float(c)) * reach**k for k, c in enumerate(coefficients)]
        last = max(k for k, size in enumerate(sizes) if size >= LAST_TERM * max(sizes))
        return tuple(float(c) for c in coefficients[: last + 1]), reach

    def _sympystr(self, printer: Any) -> str:
        return f"Germ({', '.join(map(printer._print, self.__getnewargs__()))})"

    def _sympyrepr(self, printer: Any) -> str:
        return self._sympystr(printer)

    def _mpmathcode(self, printer: Any) -> str:
        return repr(sympy.srepr(self))


class removable(Primitive):  # noqa: N801
    """Value at x of a `Germ`, an expression with a removable singularity; its derivative is that of the germ's.

    By the Taylor series near the centre, by the formula elsewhere.  In float64 the series serves up to 0.7 of the
    radius, where the error is a few roundings of the largest of its terms; beyond, it is what the formula loses.
    """

    facts = Facts(name="removable", roundings=FORMULA, lacks=frozenset({Arithmetic.ARRAYS}))

    nargs = 2

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return the derivative in x."""
        if argindex != 1:
            raise sympy.core.function.ArgumentIndexError(self, argindex)
        return removable(self.args[0], self.args[1].derivative())

    def _eval_derivative(self, s: Symbol) -> Expr:
        return self.args[0].diff(s) * self.fdiff()

    @property
    def formula(self) -> Expr:
        """The expression at the argument."""
        return self.args[1].at(self.args[0])

    @property
    def operands(self) -> tuple[Expr, ...]:
        """The argument, without the germ."""
        return self.args[:1]  # type: ignore[no-any-return]

    def beside_zero(self) -> Expr:
        """The value at the centre: the terms of the series cancel beside a zero."""
        return abs(removable(self.args[1].centre, self.args[1]).evalf())

    def _eval_is_real(self) -> bool | None:
        return True if self.args[0].is_real else None

    def _eval_evalf(self, prec: int) -> Expr:
        x = self.args[0]
        if not (x.is_number and x.is_real):
            return self
        with precision.bits(prec + 10):
            return Expr._from_mpmath(self.args[1].value(_number(x)), prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        text = rf"\left({printer._print(self.formula)}\right)"
        return text if exp is None else f"{text}^{{{exp}}}"


@lru_cache(maxsize=1024)
def _derivative(expression: Expr, order: int) -> Expr:
    return expression.diff(VARIABLE, order) if order else expression


def _exact(number: Any) -> Expr:
    """The Rational that an mpmath number is."""
    return sympy.Rational(*mpmath.libmp.to_rational(number._mpf_))


def _number(e: Expr) -> Any:
    """A real number as mpmath's, at its working precision."""
    return mpmath.mpf(e.evalf(mpmath.mp.dps + 5)._to_mpmath(mpmath.mp.prec))


@lru_cache(maxsize=1024)
def _formula(germ: Germ) -> Callable[[Any], Any]:
    return sympy.lambdify(VARIABLE, germ.at(VARIABLE), [QUICK, "mpmath"], cse=True)  # type: ignore[no-any-return]


def _gamma(z: Any) -> Any:
    return _by_flint(flint.acb.gamma, z)


def _psi(m: int, z: Any) -> Any:
    return _by_flint(flint.acb.digamma if m == 0 else lambda w: w.polygamma(m), z)


def _by_flint(function: Callable[[Any], Any], z: Any) -> Any:
    """Value of a function of FLINT's, in a hundredth of mpmath's time, to mpmath's working precision."""
    with precision.bits_of_balls(mpmath.mp.prec + 32):
        value = function(flint.acb(mpmath.mpc(z)))
        if not value.is_finite():
            raise ZeroDivisionError("a pole")
        parts = [mpmath.mpf(tuple(map(int, part.mid().man_exp()))) for part in (value.real, value.imag)]
    return mpmath.mpc(*parts) if isinstance(z, mpmath.mpc) else parts[0]


#: Functions that FLINT evaluates.
QUICK: dict[str, Callable[..., Any]] = {"gamma": _gamma, "psi": _psi}


@lru_cache(maxsize=1024)
def _taylor(germ: Germ, bits: int, circle: float, count: int) -> tuple[tuple[Any, ...], Any]:
    """Trapezoidal rule over the upper half of the circle, for f(z̄) is the conjugate of f(z)."""
    half = max(count, int((bits + 40) / -log2(circle) / 2))  # what aliases is circle^(2 half) of the largest |f|
    with precision.bits(bits + 64):
        centre, r = _number(germ.centre), circle * _number(germ.radius)
        roots = [mpmath.expjpi(mpmath.mpf(j) / half) for j in range(2 * half)]
        values = [mpmath.mpc(_formula(germ)(centre + r * roots[j])) for j in range(half + 1)]
        real, imaginary = [z.real for z in values[1:half]], [z.imag for z in values[1:half]]
        ends = values[0].real, values[half].real
        coefficients = []
        for k in range(count):
            turned = [roots[j * k % (2 * half)] for j in range(1, half)]
            total = (ends[0] + (-1) ** k * ends[1]) / 2
            total += mpmath.fdot(real, [root.real for root in turned]) + mpmath.fdot(
                imaginary, [root.imag for root in turned]
            )
            coefficients.append(total / half / r**k)
        return tuple(coefficients), max(map(abs, values))
