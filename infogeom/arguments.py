"""Arguments as users give them: read, or refused by their name, the rule and the value."""

from __future__ import annotations

import keyword
import math
import os
from collections.abc import Mapping, Sequence, Set
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from sympy import Expr, ImmutableMatrix, Symbol

__all__ = [
    "ReadOnlyArrays",
    "array_of",
    "as_expression",
    "as_matrix",
    "by_name",
    "check_count",
    "check_fisher",
    "check_positive",
    "check_real",
    "columns_of",
    "constants_of",
    "decimal",
    "exact",
    "finite_array",
    "path_of",
    "point_inside",
    "point_of",
    "positive_number",
    "sequence_of",
    "spelt",
    "table_of",
]


class ReadOnlyArrays:
    """A value whose arrays nobody may write to, in copies of it too: NumPy's own copies could be written to."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        for held in state.values():
            if isinstance(held, np.ndarray):
                held.flags.writeable = False
        self.__dict__.update(state)


def array_of(values: Any) -> NDArray[Any]:
    """Array of what was given; of tensors, and of lists of them, the numbers without their gradients."""
    try:
        return np.asarray(values)
    except (RuntimeError, TypeError):  # what a tensor raises that needs a gradient, or lies on another device
        return _detached(values)


def _detached(values: Any) -> NDArray[Any]:
    """Array of what perhaps holds tensors: of each its numbers, in the memory of this process."""
    if isinstance(values, list | tuple):
        return np.asarray([_detached(value) for value in values])
    for step in ("detach", "cpu"):
        if callable(getattr(values, step, None)):
            values = getattr(values, step)()
    return np.asarray(values)


def finite_array(
    name: str, values: ArrayLike, ndim: int | None = None, dtype: str = "float64", *, copy: bool = True
) -> NDArray[Any]:
    """C-ordered array of ``values``, or an error that names ``name``, the rule and the value; a copy is read-only.

    Tensors are taken by their numbers, those too that need a gradient.
    """
    try:
        if np.ma.is_masked(values):
            raise TypeError("got masked ones")
        given = array_of(values)
        if given.dtype.kind not in "biufO":
            raise TypeError(f"got {given.dtype}")
        with np.errstate(over="ignore"):  # asked for below
            array = np.array(given, dtype, order="C") if copy else np.ascontiguousarray(given, dtype)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{name} must hold real numbers: {error}") from None
    except OverflowError:
        raise ValueError(f"{name} must hold {dtype} numbers, got one beyond it") from None
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} dimension{'s' * (ndim > 1)}, got shape {array.shape}")
    if not np.isfinite(array).all():
        at = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
        index = at[0] if len(at) == 1 else at
        where = f" at index {index}" if at else ""
        raise ValueError(f"{name} must be finite, got {given[at] if given.ndim else given}{where}")
    if copy:
        array.flags.writeable = False
    return array


def decimal(number: float | sympy.Float) -> sympy.Rational:
    """Fraction that the shortest decimal form of a float names: the shortest that its own precision reads back."""
    double = float(number)
    if not isinstance(number, sympy.Float) or (number._prec == 53 and sympy.Float(double) == number):
        return sympy.Rational(repr(double))
    bits = number._prec
    fewest = mpmath.libmp.prec_to_dps(bits)
    for digits in range(fewest, fewest + 4):
        text = mpmath.libmp.to_str(number._mpf_, digits)
        if sympy.Float(text, precision=bits) == number:
            break
    return sympy.Rational(text)


def exact(given: Any) -> Any:
    """Expression, matrix or set with its floats read as the decimal fractions that they print as; others as given.

    Symbols that are called as keywords of Python take an underscore, ``lambda_``.
    """
    if not isinstance(given, sympy.Basic):
        return given
    read: dict[Any, Any] = {}
    for atom in given.atoms(sympy.Float, Symbol):
        if isinstance(atom, sympy.Float):
            read[atom] = decimal(atom)
        elif spelt(atom.name) != atom.name:
            read[atom] = atom.func(spelt(atom.name), **atom.assumptions0)
    return given.xreplace(read) if read else given


def spelt(name: Any) -> Any:
    """Name, with an underscore where it is a keyword of Python; what is no name as it is."""
    return f"{name}_" if isinstance(name, str) and keyword.iskeyword(name) else name


def as_expression(name: str, given: Any) -> Expr:
    """Expression with values, its floats read as the decimal fractions that they print as, or an error."""
    try:
        if isinstance(given, str):  # its symbols would lack the assumptions of the others
            raise TypeError
        read = sympy.sympify(given)
        found = exact(read)
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
    known: dict[Expr, Expr] = {}  # a large matrix has few different entries

    def read(e: Any) -> Expr:
        if not isinstance(e, Expr):
            return as_expression(name, e)
        if e not in known:
            known[e] = as_expression(name, e)
        return known[e]

    entries = [[read(e) for e in row] for row in rows]
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


def by_name(name: str, given: Mapping[Any, Any]) -> dict[Any, Any]:
    """Mapping whose keys may be Symbols, keyed by their names."""
    found = {}
    for key, value in given.items():
        found[spelt(key.name if isinstance(key, Symbol) else key)] = value
    if len(found) < len(given):
        raise ValueError(f"{name} must name everything once, got {list(map(str, given))}")
    return found


def columns_of(name: str, given: Any, wanted: Sequence[str]) -> list[Any] | None:
    """Columns of a table that says what they are called, in the order of ``wanted``; None for what has no names.

    Tables are mappings of names or Symbols, named tuples, DataFrames of any make, structured arrays, lists of mappings,
    of named tuples or of Series, and DataArrays with a dimension that is labelled by the names. Numbers by name are one
    point. Columns that are not wanted are left alone.
    """
    found = _named_columns(name, given, wanted)
    if found is None:
        return None
    missing = [column for column in wanted if column not in found]
    if missing:
        raise ValueError(f"{name} must hold {list(wanted)} by name, got {list(map(str, found))}; missing {missing}")
    shapes = {column: np.shape(found[column]) for column in wanted}
    if {*shapes.values()} == {()}:  # one point
        return [[found[column]] for column in wanted]
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise ValueError(f"{name} must hold columns of one length, got shapes {shapes}")
    return [found[column] for column in wanted]


def _named_columns(name: str, given: Any, wanted: Sequence[str]) -> dict[Any, Any] | None:
    """Columns by their names; None where they have none."""
    if isinstance(given, Mapping):  # of a Dataset the coordinates too
        return by_name(name, dict(getattr(given, "coords", {})) | dict(given))
    fields = getattr(getattr(given, "dtype", None), "names", None)
    if fields:
        return {field: given[field] for field in fields}
    if hasattr(given, "columns"):
        return _named_in_frame(name, given, wanted)
    whole = _entries(given)
    if isinstance(whole, Mapping) and set(wanted) <= set(map(str, whole)):
        return by_name(name, whole)
    several = isinstance(given, list | tuple)
    if isinstance(given, np.ndarray):
        several = bool(given.ndim) and given.dtype == object
    rows = [_entries(row) for row in given] if several else []
    named = [isinstance(row, Mapping) for row in rows]
    if any(named) and not all(named):
        raise ValueError(f"{name} must name the values of every row or of none, got {given[named.index(False)]!r}")
    if any(named):
        return _columns_of_rows(name, [by_name(name, row) for row in rows])
    for dimension in getattr(given, "dims", ()):
        labels = given[dimension].values.tolist() if dimension in given.coords else []
        if set(wanted) <= set(labels):
            return {label: given.sel({dimension: label}) for label in labels}
    return None


def _named_in_frame(name: str, given: Any, wanted: Sequence[str]) -> dict[Any, Any] | None:
    """Columns of a DataFrame; None where they are counted and so have no names."""
    labels = list(given.columns)
    if all(isinstance(label, int | np.integer) for label in labels):
        if set(wanted) <= set(map(str, getattr(given, "index", ()))):
            raise ValueError(f"{name} must hold {list(wanted)} as columns, got them as rows; transpose the table")
        return None
    if len(set(map(str, labels))) < len(labels):
        raise ValueError(f"{name} must name every column once, got {list(map(str, labels))}")
    return by_name(name, {label: given[label] for label in labels})


def _columns_of_rows(name: str, rows: Sequence[Mapping[Any, Any]]) -> dict[Any, Any]:
    labels = rows[0].keys()
    if other := next((row for row in rows if row.keys() != labels), None):
        raise ValueError(f"{name} must hold the same names in every row, got {list(labels)} and {list(other)}")
    return {label: [row[label] for row in rows] for label in labels}


def _entries(given: Any) -> Any:
    """Mapping of what a named tuple holds, or a Series with names; anything else itself."""
    if hasattr(given, "_asdict"):
        return given._asdict()
    if isinstance(given, Mapping) or not hasattr(given, "keys"):
        return given
    keys = list(given.keys())
    named = any(isinstance(key, str | Symbol) for key in keys)
    return {key: given[key] for key in keys} if named else given


def table_of(name: str, given: Any, wanted: Sequence[str]) -> NDArray[np.float64]:
    """Read-only array (m, n) of a table with n columns, read by name where they have names."""
    columns = columns_of(name, given, wanted)
    if columns is None:
        return finite_array(name, given)

    arrays = [finite_array(f"{name}[{label!r}]", column) for label, column in zip(wanted, columns, strict=True)]
    return finite_array(name, np.stack(arrays, axis=1))


def point_of(name: str, given: Any, wanted: Sequence[str]) -> NDArray[np.float64]:
    """Read-only array (n,) of one point, read by name from a mapping, a named tuple or a Series with names."""
    given = _entries(given)
    if not isinstance(given, Mapping):
        return finite_array(name, given, ndim=1)
    found = by_name(name, given)
    missing = [column for column in wanted if column not in found]
    if missing:
        raise ValueError(f"{name} must hold {list(wanted)} by name, got {list(map(str, found))}; missing {missing}")
    return finite_array(name, [array_of(found[column]).item() for column in wanted])


def point_inside(
    name: str, given: Mapping[str, Any], domains: Mapping[Symbol, sympy.Set], conditions: Sequence[Expr]
) -> dict[Symbol, float]:
    """A number for each symbol, read by name, at a point of a domain: inside each set, all conditions positive."""
    names = [symbol.name for symbol in domains]
    missing = [wanted for wanted in names if wanted not in given]
    unknown = [other for other in given if other not in names]
    if missing or unknown:
        raise ValueError(f"{name} must name {names}; missing {missing}, unknown {unknown}")
    point = {symbol: _number(symbol.name, given[symbol.name]) for symbol in domains}
    exactly = {symbol: decimal(number) for symbol, number in point.items()}
    for symbol, domain in domains.items():
        if domain.contains(exactly[symbol]) != True:  # noqa: E712
            raise ValueError(f"{symbol.name} must lie in {domain}, got {point[symbol]}")
    for condition in conditions:
        if (condition.subs(exactly) > 0) != True:  # noqa: E712
            raise ValueError(f"{name} must be a point where {condition} > 0, got {given}")
    return point


def constants_of(
    name: str, given: Mapping[str, Any], symbols: Sequence[Symbol], told: str = "{0}"
) -> dict[Symbol, Expr]:
    """Exact numbers for some of the symbols, by name, as their assumptions want them; ``told`` is what messages say."""
    known = {symbol.name: symbol for symbol in symbols}
    unknown = [other for other in given if other not in known]
    if unknown:
        raise ValueError(f"{name} must name constants out of {list(known)}, got {unknown}")
    numbers = {known[key]: as_expression(told.format(key), value) for key, value in given.items()}
    for symbol, number in numbers.items():
        if number.free_symbols or not number.is_finite:
            raise ValueError(f"{told.format(symbol.name)} must be a finite number, got {number}")
        if any(getattr(number, f"is_{rule}") is (not holds) for rule, holds in symbol.assumptions0.items()):
            allowed = f"a number that {sympy.srepr(symbol)} allows"
            raise ValueError(f"{told.format(symbol.name)} must be {allowed}, got {number}")
    return numbers


def _number(name: str, given: Any) -> float:
    array = finite_array(name, given)
    if array.ndim:
        raise ValueError(f"{name} must be a number, got shape {array.shape}")
    return float(array)


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


def check_positive(name: str, value: float) -> None:
    """Raise unless ``value`` is a positive number that is finite."""
    check_real(name, value)
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} must be positive and finite, got {value}")


def check_count(name: str, value: int, least: int = 1) -> None:
    """Raise unless ``value`` is an int of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def check_fisher(fisher: str) -> None:
    """Raise unless ``fisher`` says whose labels a Fisher information is a mean over: the data's, or the model's own."""
    if fisher not in ("empirical", "expected"):
        raise ValueError(f"fisher must be 'empirical' or 'expected', got {fisher!r}")


def path_of(name: str, given: str | os.PathLike[str]) -> Path:
    """Path of a file or a folder, which has a name."""
    if not isinstance(given, str | os.PathLike):
        raise TypeError(f"{name} must be a path, got {given!r}")
    if not os.fspath(given):
        raise ValueError(f"{name} must be a path, got an empty one")
    return Path(given)
