"""The logistic function, its logarithm's complement, and expressions rewritten in terms of them."""

from __future__ import annotations

from typing import Any

import mpmath
import sympy
from sympy import Expr

from infogeom import precision
from infogeom.functions.facts import ELEMENTARY, Facts, Growth
from infogeom.functions.normal import with_tails
from infogeom.functions.primitive import Primitive

__all__ = ["expit", "softplus", "stable"]


class expit(Primitive):  # noqa: N801  (a SymPy function is spelt like the function)
    """Logistic function σ(u) = 1 / (1 + e^−u); its complement 1 − σ(u) is ``expit(-u)``.

    Derivative: σ′(u) = σ(u) σ(−u).

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.expit(2 * x).diff(x)
    2*expit(-2*x)*expit(2*x)
    >>> ig.functions.expit(-800).evalf(5)
    3.6724e-348
    """

    facts = Facts(
        name="expit",
        roundings=ELEMENTARY,
        growth=Growth.BOUNDED,
        exponential=True,
        saturating=True,
        typical=((-40.0, 40.0),),
    )

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


class softplus(Primitive):  # noqa: N801
    """Softplus log(1 + e^u), the negative log of ``expit(-u)``; derivative ``expit(u)``.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.softplus(x).diff(x)
    expit(x)
    >>> ig.functions.softplus(800).evalf(5)
    800.00
    """

    facts = Facts(
        name="softplus",
        roundings=ELEMENTARY,
        growth=Growth.SLOW,
        exponential=True,
        saturating=True,
        typical=((-40.0, 40.0),),
    )

    nargs = 1

    @classmethod
    def eval(cls, u: Expr) -> Expr | None:
        """Return the limit at ±∞; None leaves the function unevaluated."""
        if u is sympy.oo:
            return u
        return sympy.Integer(0) if u is -sympy.oo else None

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


def stable(expression: Expr) -> Expr:
    """Rewrite what cancels or overflows in terms of σ and softplus, wherever it occurs.

    log(1 + e^u) becomes softplus(u), 1 / (1 + e^u) and e^u / (1 + e^u) become σ(∓u), 1 − σ(u) becomes σ(−u) and
    log σ(u) becomes −softplus(−u); likewise 1 − Φ(x) becomes Φ(−x). Equal in value everywhere.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.stable(1 / (1 + sympy.exp(x))), ig.functions.stable(sympy.log(1 + sympy.exp(x)))
    (expit(-x), softplus(x))
    """
    for matches, rewritten in (
        (_is_partition, _as_softplus),
        (_is_inverse, _as_expit),
        (_is_product, _odds),
        (_is_sum, _complement),
        (_is_log_of_expit, _as_minus_softplus),
    ):
        expression = expression.replace(matches, rewritten)
    return with_tails(expression)


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


def _is_product(e: Expr) -> bool:
    return isinstance(e, sympy.Mul)


def _is_sum(e: Expr) -> bool:
    return isinstance(e, sympy.Add)


def _is_log_of_expit(e: Expr) -> bool:
    return isinstance(e, sympy.log) and isinstance(e.args[0], expit)


def _as_softplus(partition: Expr) -> Expr:
    return softplus(_exponent(partition.args[0]))


def _as_expit(power: Expr) -> Expr:
    return expit(sympy.Mul(-1, _exponent(power.base))) ** -power.exp


def _as_minus_softplus(log: Expr) -> Expr:
    return -softplus(-log.args[0].args[0])


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
