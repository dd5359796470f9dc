"""Formulas as the field writes them."""

from __future__ import annotations

import re
from typing import Any

from sympy.printing.latex import LatexPrinter

__all__ = ["latex"]


class _Printer(LatexPrinter):  # type: ignore[misc]  # SymPy has no types
    """Names of several letters upright, Γ and ψ by their letters; no trailing underscore, as in ``lambda_``."""

    def _print_Symbol(self, e: Any, style: str = "plain") -> str:
        return re.sub(r"^([A-Za-z]{2,})", r"\\mathrm{\1}", super()._print_Symbol(e, style).removesuffix("_{}"))

    def _print_loggamma(self, e: Any, exp: str | None = None) -> str:
        return _powered(rf"\log\Gamma\left({self._print(e.args[0])}\right)", exp)

    def _print_polygamma(self, e: Any, exp: str | None = None) -> str:
        order, x = e.args
        primes = {0: "", 1: "'", 2: "''"}.get(order, rf"^{{({self._print(order)})}}")
        return _powered(rf"\psi{primes}\left({self._print(x)}\right)", exp)


def _powered(text: str, exp: str | None) -> str:
    return text if exp is None else rf"{{{text}}}^{{{exp}}}"


def latex(e: Any) -> str:
    r"""LaTeX of an expression, a matrix or a set.

    >>> import sympy
    >>> shape = sympy.Symbol("shape", positive=True)
    >>> latex(sympy.polygamma(1, shape) - 1 / shape)
    "\\psi'\\left(\\mathrm{shape}\\right) - \\frac{1}{\\mathrm{shape}}"
    """
    return _Printer().doprint(e)  # type: ignore[no-any-return]
