"""Functions of two arguments that lose digits by their definition."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import mpmath
from sympy import Expr
from sympy.core.function import ArgumentIndexError

from infogeom import precision
from infogeom.functions.primitive import Primitive

__all__ = ["Cancelling", "Ordered"]


class Cancelling(Primitive):
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
