"""The logarithm of the normaliser of Conway–Maxwell–Poisson laws, and the cumulants that are its derivatives."""

from __future__ import annotations

from functools import lru_cache
from itertools import count, product
from math import comb
from typing import Any

import mpmath
import sympy
from sympy import Expr
from sympy.core.function import ArgumentIndexError

from infogeom.functions.cancelling import Cancelling
from infogeom.functions.facts import Facts
from infogeom.functions.primitive import powered

__all__ = ["log_conway_maxwell"]

#: Terms on either side of the largest up to which mpmath sums.
MOST_TERMS = 2**15
#: Sums of up to so many factors are taken at once.
COMMON_ORDER = 4


class log_conway_maxwell(Cancelling):  # noqa: N801
    """Derivative of orders j in log λ and k in ν of log Z, Z = Σ_n λ^n / n!^ν, λ > 0 and ν > 0.

    It is (−1)^k times the joint cumulant of j times n and k times log n! under the law λ^n / (n!^ν Z). j and k are
    non-negative Integers. With a derivative it is one of the next order, or that by λ. nan where more terms count than
    can be summed: at ν < 0.001 beside λ = 1.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x, nu = sympy.symbols("x nu", positive=True)
    >>> ig.functions.log_conway_maxwell(0, 0, x, nu).diff(nu)
    log_conway_maxwell(0, 1, x, nu)
    >>> ig.functions.log_conway_maxwell(1, 0, x, nu).diff(x)
    log_conway_maxwell(2, 0, x, nu)/x
    >>> ig.functions.log_conway_maxwell(0, 0, 2, 1).evalf(5)
    2.0000
    """

    nargs = 4
    facts = Facts(
        name="log_conway_maxwell",
        roundings=160,
        slow_in_balls=True,
        orders=2,
        typical=((0.0, 4.0), (0.0, 3.0), (0.1, 30.0), (0.5, 3.0)),
    )

    @classmethod
    def eval(cls, j: Expr, k: Expr, rate: Expr, nu: Expr) -> Expr | None:  # noqa: ARG003  (rate, nu)
        """Refuse orders that are not non-negative Integers."""
        for order in (j, k):
            if not (order.is_Integer and order.is_nonnegative):
                raise ValueError(f"the orders of {cls.__name__} must be non-negative integers, got {order}")
        return None

    def fdiff(self, argindex: int = 1) -> Expr:
        """Return the function of the next order in log λ, by λ, or in ν."""
        if argindex not in (3, 4):
            raise ArgumentIndexError(self, argindex)
        j, k, rate, nu = self.args
        return self.func(j + 1, k, rate, nu) / rate if argindex == 3 else self.func(j, k + 1, rate, nu)

    def definition(self, *args: Any) -> Any:
        """By the moments about the largest term; nan where more than `MOST_TERMS` count on a side of it."""
        j, k, (rate, nu) = int(args[0]), int(args[1]), args[2:]
        center = mpmath.floor(rate ** (1 / nu)) if rate > 0 and nu > 0 else mpmath.nan
        if not center < MOST_TERMS:
            return mpmath.nan
        base, last = mpmath.loggamma(center + 1), center + MOST_TERMS
        fall = nu * (mpmath.loggamma(last + 1) - base) - MOST_TERMS * mpmath.log(rate)
        if not fall > mpmath.mp.prec + 50 * (j + k):
            return mpmath.nan
        moments = _moments(max(j + k, COMMON_ORDER), rate, nu, int(center), mpmath.mp.prec)
        total = moments[0, 0]
        if (j, k) == (0, 0):
            return center * mpmath.log(rate) - nu * base + mpmath.log(total)
        kappa = _cumulants({at: moment / total for at, moment in moments.items()})
        shift = {(1, 0): center, (0, 1): base}.get((j, k), 0)
        return (-1) ** k * (kappa[j, k] + shift)

    def beside_zero(self) -> Expr:
        """The size of moments, by root mean squares, beyond second order."""
        j, k, rate, nu = self.args
        if j + k < 3:
            return sympy.Integer(0)
        of_n, of_factorial = self.func(2, 0, rate, nu), self.func(0, 2, rate, nu)
        return sympy.factorial(j + k) / 2 * sympy.sqrt(of_n) ** j * sympy.sqrt(of_factorial) ** k

    def _eval_is_real(self) -> bool | None:
        return self._in_domain() or None

    def _in_domain(self) -> bool | None:
        return bool(self.args[2].is_positive and self.args[3].is_positive)

    def _eval_is_extended_positive(self) -> bool | None:
        j, k = self.args[:2]
        return True if self._in_domain() and j + k <= 2 and k != 1 else None

    def _eval_is_extended_negative(self) -> bool | None:
        j, k = self.args[:2]
        return True if self._in_domain() and j + k <= 2 and k == 1 else None

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        j, k, rate, nu = (printer._print(a) for a in self.args)
        name = r"\log Z" if self.args[:2] == (0, 0) else rf"\left(\log Z\right)^{{({j}, {k})}}"
        return powered(rf"{name}\left({rate}, {nu}\right)", exp)


Table = dict[tuple[int, int], Any]


@lru_cache(maxsize=64)
def _moments(order: int, rate: Any, nu: Any, center: int, prec: int) -> Table:
    """Sums of w d^a f^b, a + b ≤ order, w being terms by the largest, d = n − center and f = log n!/center!."""
    sums = {(a, b): mpmath.mpf(0) for a in range(order + 1) for b in range(order + 1 - a)}

    def add(w: Any, d: int, f: Any) -> Any:
        """Add a term to each; how large it is in any of the highest."""
        powers = [w * mpmath.mpf(d) ** a for a in range(order + 1)]
        for a, b in sums:
            sums[a, b] += powers[a] * f**b
        return w * max(abs(d), abs(f)) ** order

    add(mpmath.mpf(1), 0, mpmath.mpf(0))
    w, f, scale, lost = mpmath.mpf(1), mpmath.mpf(0), mpmath.mpf(0), mpmath.ldexp(1, -prec - 4)
    for d in count(1):
        ratio = rate / mpmath.mpf(center + d) ** nu
        w, f = w * ratio, f + mpmath.log(center + d)
        size = add(w, d, f)
        scale += size
        growth = ratio * (1 + mpmath.mpf(2 * order) / d)
        if d > 2 and growth < 1 and size <= lost * (1 - growth) * scale:
            break
    w, f = mpmath.mpf(1), mpmath.mpf(0)
    for n in range(center, 0, -1):
        w, f = w * mpmath.mpf(n) ** nu / rate, f - mpmath.log(n)
        size = add(w, n - 1 - center, f)
        scale += size
        if n * size <= lost * scale and center - n > 1:
            break
    return sums


def _cumulants(moments: Table) -> Table:
    """Joint cumulants: μ_(a+1, b) = Σ C(a, i) C(b, n) κ_(i+1, n) μ_(a−i, b−n), and the same in b for κ_(0, b)."""
    kappa: Table = {}
    for a, b in sorted(moments.keys() - {(0, 0)}):
        in_a, in_b = (1, 0) if a else (0, 1)
        value = moments[a, b]
        for i, n in product(range(in_a, a + 1), range(in_b, b + 1)):
            if (i, n) != (a, b):
                ways = comb(a - in_a, i - in_a) * comb(b - in_b, n - in_b)
                value -= ways * kappa[i, n] * moments[a - i, b - n]
        kappa[a, b] = value
    return kappa
