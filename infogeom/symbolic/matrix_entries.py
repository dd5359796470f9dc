"""Symmetric matrices: that of a metric as users give it, real and symmetric or refused; and from their entries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import combinations, combinations_with_replacement
from operator import methodcaller
from typing import Any

import sympy
from sympy import Dummy, Expr, ImmutableMatrix, Symbol

from infogeom.symbolic.zero import Region, equal_to_rounding, vanishes

__all__ = ["real_where_possible", "rows_of", "symmetric", "symmetric_of"]

#: What may cancel among complex numbers: (x + iy)(x − iy) is real.
COMPLEX = (sympy.I, sympy.re, sympy.im, sympy.conjugate, sympy.arg, sympy.Abs)


def symmetric_of(n: int, entry: Callable[[int, int], Expr]) -> ImmutableMatrix:
    """Symmetric matrix from its entries (i, j), i ≤ j, each taken once."""
    known = {pair: entry(*pair) for pair in combinations_with_replacement(range(n), 2)}
    return ImmutableMatrix(n, n, lambda i, j: known[min(i, j), max(i, j)])


def rows_of(given: Any, coordinates: Sequence[Symbol]) -> ImmutableMatrix:
    """Matrix from rows of expressions, an array, or a metric tensor of EinsteinPy's in the same coordinates."""
    rows = given
    if callable(getattr(given, "tensor", None)):
        _check_tensor(given, [c.name for c in coordinates])
        rows = given.tensor()
    try:
        return ImmutableMatrix(rows)
    except (TypeError, ValueError, sympy.SympifyError):
        raise TypeError(f"matrix must be a sympy Matrix or its rows, got {given!r}") from None


def _check_tensor(given: Any, names: Sequence[str]) -> None:
    """Raise unless a tensor has its indices down and the coordinates in our order."""
    config, theirs = getattr(given, "config", "ll"), [str(symbol) for symbol in given.symbols()]
    if config != "ll":
        raise ValueError(f"matrix must be a metric tensor with both indices down, 'll', got {config!r}")
    if theirs != list(names):
        raise ValueError(f"matrix must be a metric tensor in the coordinates {list(names)}, in order, got {theirs}")


def real_where_possible(entry: Expr) -> Expr:
    """Entry without imaginary unit and moduli as far as they cancel, its symbols being real numbers."""
    if not entry.has(*COMPLEX):
        return entry
    real = {s: Dummy(s.name, real=True) for s in entry.free_symbols if not s.is_extended_real}
    found = entry.xreplace(real)
    for expanded in (methodcaller("expand"), methodcaller("expand", complex=True)):
        found = found.replace(partial(_cancels, expanded), expanded)
    back = found.xreplace({dummy: symbol for symbol, dummy in real.items()})
    return back.replace(sympy.Abs, _modulus)


def _cancels(expanded: Callable[[Expr], Expr], e: Expr) -> bool:
    """Whether expanding an expression rids it of the imaginary unit."""
    return e is not sympy.I and e.has(sympy.I) and not expanded(e).has(sympy.I)


def _modulus(u: Expr) -> Expr:
    """Modulus; √u² where u is not declared real, since SymPy's modulus then has no derivative."""
    return sympy.Abs(u) if u.is_extended_real else sympy.sqrt(u**2)


def symmetric(matrix: ImmutableMatrix, region: Region, *, rounded: bool) -> ImmutableMatrix:
    """The matrix, if it is symmetric; where its numbers were floats, what rounding alone sets apart is made equal.

    Raises
    ------
    ValueError
        Naming the first two entries that differ.
    """
    mended = matrix.as_mutable()
    for j, i in combinations(range(matrix.rows), 2):
        lower, upper = matrix[i, j], matrix[j, i]
        if lower == upper or vanishes(sympy.expand_trig(lower - upper), region):
            continue
        if not (rounded and equal_to_rounding(lower, upper, region)):
            raise ValueError(f"matrix must be symmetric, got {lower} and {upper} at {(i, j)}")
        mended[i, j] = upper
    return mended.as_immutable()
