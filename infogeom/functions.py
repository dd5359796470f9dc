"""SymPy primitives whose derivatives stay in closed, overflow-free form.

A logistic model written with ``1 / (1 + exp(-u))`` loses every digit of ``1 - sigma`` beyond u = 37 and overflows
beyond u = 709.  Written with these functions it differentiates into products of ``expit(u)`` and ``expit(-u)`` alone,
and the code generator knows how to evaluate both to full relative accuracy.  So it does combinations of the Gamma
function and ratios of Bessel functions that would lose all digits at large arguments.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import mpmath
import sympy
from sympy import Expr
from sympy.core.function import ArgumentIndexError

from infogeom import precision

__all__ = [
    "SPECIAL", "bessel_ratio", "bessel_ratio_curve", "bessel_ratio_slope", "digamma_difference", "expit",
    "inverse_mills", "lgamma_difference", "log_bessel", "log_normal_cdf", "log_sum_exp", "log_zeta",
    "polygamma_excess", "softmax", "softplus", "stable",
]  # fmt: skip


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
        with precision.bits(prec + 10):
            value = mpmath.log1p(mpmath.exp(u._to_mpmath(prec + 10)))
        return Expr._from_mpmath(value, prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"\operatorname{{softplus}}{power}\left({printer._print(self.args[0])}\right)"


class log_sum_exp(sympy.Function):  # noqa: N801
    """Logarithm log Σ_k e^{a_k}, which neither overflows nor underflows; its derivatives are ``softmax``."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return the share of one term."""
        return softmax(argindex - 1, *self.args)

    def _eval_is_real(self) -> bool | None:
        return True if all(a.is_real for a in self.args) else None

    def _eval_rewrite_as_exp(self, *a: Expr, **hints: Any) -> Expr:
        return sympy.log(sympy.Add(*map(sympy.exp, a)))

    def _eval_evalf(self, prec: int) -> Expr:
        return self._eval_rewrite_as_exp(*self.args)._eval_evalf(prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return _powered(rf"\log\left({' + '.join(f'e^{{{printer._print(a)}}}' for a in self.args)}\right)", exp)


class softmax(sympy.Function):  # noqa: N801
    """Share e^{a_k} / Σ_j e^{a_j} of the term number k, counted from 0; derivatives s_k (δ_jk − s_j)."""

    def fdiff(self, argindex: int = 2) -> Expr:
        """Return s_k (δ_jk − s_j)."""
        k, *a = self.args
        if argindex == 1:
            raise ArgumentIndexError(self, argindex)
        j = argindex - 2
        return self * (int(k == j) - softmax(j, *a))

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
        return _powered(rf"\operatorname{{softmax}}_{{{k}}}\left({', '.join(map(printer._print, a))}\right)", exp)


class log_normal_cdf(sympy.Function):  # noqa: N801
    """Logarithm log Φ(x) of the normal distribution function; derivative φ/Φ, ``inverse_mills``."""

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
        return _powered(rf"\log\Phi\left({printer._print(self.args[0])}\right)", exp)


class inverse_mills(sympy.Function):  # noqa: N801
    """Inverse Mills ratio m(x) = φ(x)/Φ(x) of the normal law; derivative −m (x + m)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return −m (x + m)."""
        return -self * (self.args[0] + self)

    def _eval_is_extended_positive(self) -> bool | None:
        return True if self.args[0].is_extended_real else None

    def _eval_rewrite_as_erfc(self, x: Expr, **hints: Any) -> Expr:
        return sympy.sqrt(2 / sympy.pi) * sympy.exp(-(x**2) / 2) / sympy.erfc(-x / sympy.sqrt(2))

    def _eval_evalf(self, prec: int) -> Expr:
        return self._eval_rewrite_as_erfc(self.args[0])._eval_evalf(prec)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        return _powered(rf"\frac{{\varphi}}{{\Phi}}\left({printer._print(self.args[0])}\right)", exp)


class Cancelling(sympy.Function):
    """A function of two arguments whose definition cancels: evaluated at whatever precision that takes."""

    nargs = 2

    @abstractmethod
    def definition(self, *args: Any) -> Any:
        """Value for mpmath numbers, by the definition, at the working precision."""

    def _eval_evalf(self, prec: int) -> Expr:
        if not all(a.is_number and a.is_real for a in self.args):
            return self
        sizes = [mpmath.mag(mpmath.mpf(a.evalf(3)._to_mpmath(53))) for a in self.args if not a.is_zero]
        previous, work = None, prec + 20 + 4 * sum(abs(size) for size in sizes)
        while True:
            args = [a.evalf(int(work / 3.32) + 5)._to_mpmath(work) for a in self.args]
            with precision.bits(work):
                value = self.definition(*map(mpmath.mpf, args))
                settled = previous is not None and abs(value - previous) <= mpmath.ldexp(abs(previous), -prec)
                if settled or not mpmath.isfinite(value):
                    return Expr._from_mpmath(value, prec)
            previous, work = value, work + prec

    def _eval_is_real(self) -> bool | None:
        return True if self.args[1].is_real and self._in_domain() else None

    def _in_domain(self) -> bool | None:
        return bool(self.args[0].is_positive)


class Ordered(Cancelling):
    """A function of a non-negative Integer m and a real argument: the m-th derivative of that of m = 0."""

    @classmethod
    def eval(cls, m: Expr, x: Expr) -> Expr | None:  # noqa: ARG003  (x)
        """Refuse an order that is not a non-negative Integer."""
        if not (m.is_Integer and m.is_nonnegative):
            raise ValueError(f"the order of {cls.__name__} must be a non-negative integer, got {m}")
        return None

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return the function of the next order."""
        if argindex != 2:
            raise ArgumentIndexError(self, argindex)
        return self.func(self.args[0] + 1, self.args[1])


class polygamma_excess(Ordered):  # noqa: N801
    """ψ^(m)(x) without the leading term of its asymptotic series, ψ(x) − log x, ψ′(x) − 1/x, ψ″(x) + 1/x², …; x > 0.

    m is a non-negative Integer.  The derivative of one is the next.  Its sign is that of (−1)^(m+1), because
    (−1)^(m+1) ∫ t^m e^(−xt) (1/(1 − e^−t) − 1/t) dt is its value (DLMF 5.9.13 and its derivatives).
    """

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
        return _powered(rf"\left(\psi{order}\left({x}\right) {sign} {leading}\right)", exp)


class log_zeta(Ordered):  # noqa: N801
    """Derivative of order m of log ζ(s), s > 1: the log-partition of a zeta law, and its cumulants up to their sign.

    m is a non-negative Integer.  The derivative of one is the next.  Its sign is that of (−1)^m, because it is the sum
    of (−log n)^m n^−s / k over the powers n = p^k of primes (DLMF 25.2.11).
    """

    def definition(self, m: Any, s: Any) -> Any:
        """Derivative by the recursion n ℓ_n = n z_n − Σ k ℓ_k z_(n−k) of Taylor coefficients; the sum at large s."""
        m = int(m)
        if s > mpmath.mp.prec + 4 * m:
            powers = ((2, 1), (3, 1), (4, 2), (5, 1), (7, 1), (8, 3))
            return mpmath.fsum((-mpmath.log(n)) ** m * mpmath.mpf(n) ** -s / k for n, k in powers)
        with precision.more_bits(int(s)):
            z = [mpmath.zeta(s, 1, n) / mpmath.factorial(n) for n in range(m + 1)]
            values = [mpmath.log(z[0])]
            for n in range(1, m + 1):
                lower = mpmath.fsum(k * values[k] * z[n - k] for k in range(1, n))
                values.append((z[n] - lower / n) / z[0])
            return values[m] * mpmath.factorial(m)

    def _eval_rewrite_as_zeta(self, m: Expr, s: Expr, **hints: Any) -> Expr:
        t = sympy.Dummy("s")
        return sympy.log(sympy.zeta(t)).diff(t, m).subs(t, s)

    def _in_domain(self) -> bool | None:
        return bool((self.args[1] - 1).is_positive)

    def _eval_is_extended_positive(self) -> bool | None:
        return bool(self.args[0].is_even) if self._in_domain() else None

    def _eval_is_extended_negative(self) -> bool | None:
        return bool(self.args[0].is_odd) if self._in_domain() else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        order = self.args[0]
        name = r"\log\zeta" if order == 0 else rf"\left(\log\zeta\right)^{{({order})}}"
        return _powered(rf"{name}\left({printer._print(self.args[1])}\right)", exp)


class digamma_difference(Cancelling):  # noqa: N801
    """ψ(x + a) − ψ(x), x > 0 and x + a > 0; it has the sign of a.  Its derivative in x, with ψ′, cancels."""

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
        return _powered(rf"\left(\psi\left({s}\right) - \psi\left({x}\right)\right)", exp)


class lgamma_difference(Cancelling):  # noqa: N801
    """log Γ(x + a) − log Γ(x), x > 0 and x + a > 0; derivatives ``digamma_difference(x, a)`` and ψ(x + a)."""

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return ψ(x + a) − ψ(x) in x, ψ(x + a) in a."""
        x, a = self.args
        return digamma_difference(x, a) if argindex == 1 else sympy.polygamma(0, x + a)

    def definition(self, x: Any, a: Any) -> Any:
        """Log Γ(x + a) − log Γ(x)."""
        return mpmath.loggamma(x + a) - mpmath.loggamma(x)

    def _eval_rewrite_as_loggamma(self, x: Expr, a: Expr, **hints: Any) -> Expr:
        return sympy.loggamma(x + a) - sympy.loggamma(x)

    def _in_domain(self) -> bool | None:
        return bool(self.args[0].is_positive and (self.args[0] + self.args[1]).is_positive)

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        x, s = printer._print(self.args[0]), printer._print(sympy.Add(*self.args))
        return _powered(rf"\log\frac{{\Gamma\left({s}\right)}}{{\Gamma\left({x}\right)}}", exp)


class bessel_ratio(Cancelling):  # noqa: N801
    """Ratio A = I_(ν+1)(x) / I_ν(x), ν ≥ 0 and x ≥ 0: the mean resultant length of a von Mises–Fisher law.

    A, A′ and −A″ are positive for x > 0 (Schou, Biometrika 65 (1978) 369–377, for ν = 0, 1/2, 1, …; A′ is a variance
    for every ν).
    """

    primes = ""

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return A′, A″, or A‴ in terms of A, A′ and A″; there is no closed form of the derivative in ν."""
        if argindex != 2:
            raise ArgumentIndexError(self, argindex)
        return self._slope(*self.args)

    def _slope(self, nu: Expr, x: Expr) -> Expr:
        return bessel_ratio_slope(nu, x)

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
    """Derivative A′ = 1 − A² − (2ν + 1) A / x of `bessel_ratio` in x."""

    primes = "'"

    def _slope(self, nu: Expr, x: Expr) -> Expr:
        return bessel_ratio_curve(nu, x)

    def _eval_is_extended_positive(self) -> bool | None:
        return True if self._in_domain() else None


class bessel_ratio_curve(bessel_ratio):  # noqa: N801
    """Second derivative A″ of `bessel_ratio` in x; the third cancels at small and at large x."""

    primes = "''"

    def _slope(self, nu: Expr, x: Expr) -> Expr:
        A, slope, c = bessel_ratio(nu, x), bessel_ratio_slope(nu, x), 2 * nu + 1
        return -2 * slope**2 - 2 * A * self - c * (self - 2 * (slope - A / x) / x) / x

    def _eval_is_extended_positive(self) -> bool | None:
        return None

    def _eval_is_extended_negative(self) -> bool | None:
        return True if (2 * self.args[0]).is_integer and bessel_ratio(*self.args).is_positive else None


class log_bessel(Cancelling):  # noqa: N801
    """Logarithm log I_ν(x) of a modified Bessel function, ν ≥ 0 and x > 0: positive for ν = 0.

    The log-partition of a von Mises–Fisher law is log_bessel(ν, κ) − ν log κ and a constant.
    """

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return I_ν′ / I_ν = A + ν / x (DLMF 10.29.2); there is no closed form of the derivative in ν."""
        if argindex != 2:
            raise ArgumentIndexError(self, argindex)
        nu, x = self.args
        return bessel_ratio(nu, x) + nu / x

    def definition(self, nu: Any, x: Any) -> Any:
        """Log I_ν(x)."""
        return mpmath.log(mpmath.besseli(nu, x))

    def _eval_rewrite_as_besseli(self, nu: Expr, x: Expr, **hints: Any) -> Expr:
        return sympy.log(sympy.besseli(nu, x))

    def _in_domain(self) -> bool | None:
        return bool(self.args[0].is_nonnegative and self.args[1].is_positive)

    def _eval_is_extended_positive(self) -> bool | None:
        return True if self.args[0].is_zero and self._in_domain() else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        nu, x = (printer._print(a) for a in self.args)
        return _powered(rf"\log I_{{{nu}}}\left({x}\right)", exp)


#: Functions whose arguments are all expressions, spelt the same in `infogeom.kernels.special`.
SPECIAL = (bessel_ratio, bessel_ratio_curve, bessel_ratio_slope, digamma_difference, lgamma_difference, log_bessel)


def _powered(text: str, exp: str | None) -> str:
    return text if exp is None else rf"{{{text}}}^{{{exp}}}"


def stable(expression: Expr) -> Expr:
    """Rewrite what cancels or overflows in terms of σ and softplus, wherever it occurs.

    log(1 + e^u) becomes softplus(u), 1 / (1 + e^u) and e^u / (1 + e^u) become σ(∓u), 1 − σ(u) becomes σ(−u) and
    log σ(u) becomes −softplus(−u). Equal in value everywhere.
    """
    for matches, rewritten in (
        (_is_partition, lambda log: softplus(_exponent(log.args[0]))),
        (_is_inverse, lambda power: expit(sympy.Mul(-1, _exponent(power.base))) ** -power.exp),
        (lambda e: isinstance(e, sympy.Mul), _odds),
        (lambda e: isinstance(e, sympy.Add), _complement),
        (lambda e: isinstance(e, sympy.log) and isinstance(e.args[0], expit), lambda e: -softplus(-e.args[0].args[0])),
    ):
        expression = expression.replace(matches, rewritten)
    return expression


def _exponent(e: Expr) -> Expr | None:
    """The u of 1 + e^u, None for any other expression."""
    if isinstance(e, sympy.Add) and len(e.args) == 2 and sympy.S.One in e.args:
        (other,) = (a for a in e.args if a is not sympy.S.One)
        return other.args[0] if isinstance(other, sympy.exp) else None
    return None


def _is_partition(e: Expr) -> bool:
    return isinstance(e, sympy.log) and _exponent(e.args[0]) is not None


def _is_inverse(e: Expr) -> bool:
    return isinstance(e, sympy.Pow) and e.exp.is_Integer and e.exp < 0 and _exponent(e.base) is not None


def _odds(product: Expr) -> Expr:
    """Pair factors e^u with as many σ(−u) as there are, which makes them σ(u)."""
    powers = product.as_powers_dict()
    for sigma in [base for base in powers if isinstance(base, expit)]:
        odds = sympy.exp(-sigma.args[0])
        number = min(_count(product, odds), powers[sigma])
        if number > 0:
            product = product / (odds * sigma) ** number * expit(-sigma.args[0]) ** number
    return product


def _count(product: Expr, odds: Expr) -> Expr:
    """How many times e^u divides a product: the k of a factor e^(k u)."""
    u = odds.args[0]
    counts = [factor.args[0] / u for factor in product.args if isinstance(factor, sympy.exp)]
    return sympy.Add(*(k for k in counts if k.is_Integer))


def _complement(node: Expr) -> Expr:
    """σ(−u) for 1 − σ(u)."""
    one = sympy.S.One
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


def __dir__() -> list[str]:
    return sorted(__all__)
