"""The logarithm of Riemann's zeta function."""

from __future__ import annotations

from typing import Any

import mpmath
import sympy
from sympy import Expr

from infogeom import precision
from infogeom.functions.cancelling import Ordered
from infogeom.functions.facts import Facts
from infogeom.functions.primitive import powered

__all__ = ["log_zeta"]


class log_zeta(Ordered):  # noqa: N801
    """Derivative of order m of log ζ(s), s > 1: the log-partition of a zeta law, and its cumulants up to their sign.

    m is a non-negative Integer.  The derivative of one is the next.  Its sign is that of (−1)^m, because it is the sum
    of (−log n)^m n^−s / k over the powers n = p^k of primes (DLMF 25.2.11).

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x = sympy.Symbol("x", positive=True)
    >>> ig.functions.log_zeta(0, x).diff(x)
    log_zeta(1, x)
    >>> ig.functions.log_zeta(0, 2).evalf(5)
    0.49770
    """

    facts = Facts(name="log_zeta", roundings=64, orders=1, typical=((0.0, 4.0), (1.01, 30.0)))

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
        return powered(rf"{name}\left({printer._print(self.args[1])}\right)", exp)
