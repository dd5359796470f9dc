"""Arguments as users give them: read, or refused by their name, the rule and the value."""

from __future__ import annotations

from collections.abc import Mapping, Set
from numbers import Integral, Real
from typing import Any

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from sympy import Expr, ImmutableMatrix

__all__ = [
    "as_expression",
    "as_matrix",
    "check_count",
    "check_real",
    "finite_array",
    "positive_number",
    "sequence_of",
]


def finite_array(
    name: str, values: ArrayLike, ndim: int | None = None, dtype: str = "float64", *, copy: bool = True
) -> NDArray[Any]:
    """C-ordered array of ``values``, or an error that names ``name``, the rule and the value; a copy is read-only."""
    try:
        if np.ma.is_masked(values):
            raise TypeError("got masked ones")
        given = np.asarray(values)
        if given.dtype.kind not in "biufO":
            raise TypeError(f"got {given.dtype}")
        with np.errstate(over="ignore"):  # asked for below
            array = np.array(given, dtype, order="C") if copy else np.ascontiguousarray(given, dtype)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must hold real numbers: {error}") from None
    except OverflowError:
        raise ValueError(f"{name} must hold {dtype} numbers, got one beyond it") from None
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension{'s' * (ndim > 1)}, got shape {array.shape}")
    if not np.isfinite(array).all():
        at = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
        where = f" at index {at[0] if len(at) == 1 else at}" if at else ""
        raise ValueError(f"{name} must be finite, got {given[at] if given.ndim else given}{where}")
    if copy:
        array.flags.writeable = False
    return array


def as_expression(name: str, given: Any) -> Expr:
    """Expression with values, its floats read as the decimal fractions that they print as, or an error."""
    try:
        if isinstance(given, str):  # its symbols would lack the assumptions of the others
            raise TypeError
        read = sympy.sympify(given)
        found = read.xreplace({f: sympy.Rational(repr(float(f))) for f in read.atoms(sympy.Float)})
        if not isinstance(found, Expr) or found.is_Matrix:
            raise TypeError
    except (TypeError, AttributeError, sympy.SympifyError):
        raise TypeError(f"{name} must be a sympy expression, got {given!r}") from None
    if found.has(sympy.nan, sympy.zoo):
        raise ValueError(f"{name} must have a value, got {given}")
    return found


def as_matrix(name: str, given: Any) -> ImmutableMatrix:
    """Square matrix of expressions from rows of them."""
    rows = given.tolist() if hasattr(given, "tolist") else given
    if not _is_sequence(rows) or not all(map(_is_sequence, rows)):
        raise TypeError(f"{name} must be a matrix of expressions, got {given!r}")
    entries = [[as_expression(name, e) for e in row] for row in rows]
    lengths = [len(row) for row in entries]
    if not entries or lengths != [len(entries)] * len(entries):
        raise ValueError(f"{name} must be a square matrix, got rows of {lengths} entries")
    return ImmutableMatrix(entries)


def positive_number(name: str, given: Any) -> Expr:
    """Positive number, exact."""
    if isinstance(given, bool) or not isinstance(given, Real | Expr) or not sympy.sympify(given).is_real:
        raise TypeError(f"{name} must be a real number, got {given!r}")
    found = as_expression(name, given)
    if found.free_symbols:
        raise TypeError(f"{name} must be a real number, got {given!r}")
    if not found.is_positive:
        raise ValueError(f"{name} must be positive, got {given!r}")
    return found


def _is_sequence(given: Any) -> bool:
    """Whether there is an order in which the several of it come."""
    return np.iterable(given) and not isinstance(given, str | Set | Mapping)


def sequence_of(name: str, given: Any, *kinds: type) -> list[Any]:
    """List of what was given, a single one standing for itself, or an error."""
    several = [given] if isinstance(given, kinds) else given
    told = " or ".join(kind.__name__ for kind in kinds)
    if not _is_sequence(several):
        raise TypeError(f"{name} must be a sequence of {told}, got {given!r}")
    found = list(several)
    for one in found:
        if not isinstance(one, kinds):
            raise TypeError(f"{name} must hold {told} only, got {one!r}")
    return found


def check_real(name: str, value: float) -> None:
    """Raise unless ``value`` is a real number that float64 can hold (and not a truth value)."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a real number, got {value!r}")
    try:
        float(value)
    except OverflowError:
        raise ValueError(f"{name} must be a float64 number, got one beyond it") from None


def check_count(name: str, value: int, least: int = 1) -> None:
    """Raise unless ``value`` is an int of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
