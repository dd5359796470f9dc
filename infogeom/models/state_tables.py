"""Gibbs models by the values that their statistics take, and how many states have each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import sympy
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from sympy import Symbol

from infogeom.arguments import ReadOnlyArrays, array_of, columns_of, finite_array, sequence_of
from infogeom.models.gibbs import Gibbs, gibbs_model
from infogeom.models.model import Model, Number
from infogeom.models.parameter import Parameter, real

__all__ = ["LONG_ROUNDINGS", "Table", "from_energies", "from_states"]

#: Most rows of a table.
MOST_ROWS_OF_TABLE = 10**7
#: Relative errors of long logarithms: a few roundings.
LONG_ROUNDINGS = 4 * float(np.finfo(np.longdouble).eps)
#: Bits of the mantissa of numbers of 80 bits.
LONG_BITS = 64


@dataclass(frozen=True, eq=False)
class Table(ReadOnlyArrays, Gibbs):
    """Values of the statistics, no two rows equal, and how many states have each.

    Attributes
    ----------
    statistics : ndarray, shape (S, n)
        int64 where all are integers, else float64.
    multiplicity : ndarray, shape (S,), or None
        Integers of any size (object) or float64, positive; None where the logarithms are all there is.
    units : tuple of sympy.Rational
        What each column is multiplied by.
    logarithms : ndarray, shape (2, S), optional
        Those of the multiplicities, the second what rounding left off the first.
    log_error : float, optional
        Bound on the errors of these.
    """

    expectation: ClassVar[str] = "sum"
    statistics: NDArray[Any]
    multiplicity: NDArray[Any] | None
    units: tuple[sympy.Rational, ...]
    logarithms: NDArray[Any] = None  # type: ignore[assignment]
    log_error: float = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.logarithms is None:
            logarithms = _logarithms(self.multiplicity)
            object.__setattr__(self, "log_error", LONG_ROUNDINGS * float(np.abs(logarithms).max()))
            object.__setattr__(self, "logarithms", logarithms)
        object.__setattr__(self, "logarithms", two_parts(self.logarithms))

    def __repr__(self) -> str:
        content = hashlib.sha256(self.statistics.tobytes() + self.logarithms.tobytes())
        return f"Table({len(self.statistics)} rows, {content.hexdigest()}, {self.units})"

    @property
    def size(self) -> int:  # type: ignore[override]  # two are the rule
        """Number of columns."""
        return int(self.statistics.shape[1])

    @property
    def told(self) -> str:
        """How many rows it has."""
        return f"a sum over {len(self.statistics)} values of the statistics"

    def draw(self, model: Model, number: Number, n: int, rng: Generator) -> NDArray[np.float64]:
        """Values of the statistics, with the probabilities of their rows."""
        units = np.array(self.units, dtype=float)
        theta = units * [number(p.symbol) for p in model.parameters]
        exponents = self.logarithms.astype(np.longdouble).sum(axis=0) + self.statistics @ theta

        # In long numbers no product below reaches the whole mass, beyond which there is no row.
        mass = np.cumsum(np.exp(exponents - exponents.max()))
        rows = np.searchsorted(mass, rng.random(n) * mass[-1], side="right")
        return np.asarray(self.statistics[rows] * units)


def from_states(
    statistics: ArrayLike,
    parameters: Sequence[Parameter | Symbol | str],
    multiplicity: ArrayLike | None = None,
    *,
    name: str = "Gibbs model",
) -> Model:
    """Gibbs model p(s) ∝ m_s exp(θ·t_s) over a table of states, in its natural parameters θ.

    Parameters
    ----------
    statistics : array_like, shape (S, n)
        A row t_s for each state, or for each value that the statistics take; up to 10⁷ rows, equal ones merged.
        Integers stay exact. Tables with column names (DataFrame, Dataset, mapping) are read by the parameters' names.
    parameters : sequence of Parameter, Symbol or str
        θ, one for each column.
    multiplicity : array_like, shape (S,), optional
        How many states, or how much weight, a row stands for: finite, not negative, not all 0; integers of any size.
        1 each when omitted.
    name : str

    Raises
    ------
    TypeError, ValueError
        For tables of another shape, values that are not finite, negative multiplicities, more than 10⁷ rows.

    Examples
    --------
    Two spins that are coupled:

    >>> import infogeom as ig
    >>> pair = ig.models.from_states([[1, 2], [-1, 0], [-1, 0], [1, -2]], ["beta", "h"])
    >>> pair.at(beta=0, h=0).metric
    array([[1., 0.],
           [0., 2.]])
    >>> pair.at(beta=0.5, h=1).sample(3, seed=0)
    array([[ 1.,  2.],
           [ 1.,  2.],
           [-1.,  0.]])
    """
    declared = [p if isinstance(p, Parameter) else Parameter(p) for p in _named(parameters)]
    table = _rows(statistics, [p.name for p in declared])
    if table.ndim != 2 or table.shape[1] != len(declared) or not len(table):
        names = [p.name for p in declared]
        raise ValueError(
            f"statistics must have shape (S, {len(names)}), a column for each of {names}, got {table.shape}"
        )
    if len(table) > MOST_ROWS_OF_TABLE:
        size = table.nbytes / 2**20
        raise ValueError(
            f"statistics must have at most {MOST_ROWS_OF_TABLE} rows, got {len(table)} ({size:.0f} MB); give each "
            "value of the statistics once, with its multiplicity, or take a lattice of infogeom.models"
        )
    values = _integers(table) if table.dtype.kind in "biuO" else None
    rows = finite_array("statistics", table) if values is None else values
    counted = _multiplicities(multiplicity, len(rows))
    ones = (sympy.Integer(1),) * len(declared)
    return gibbs_model(name, declared, Table(*_merged(rows, counted), ones))


def from_energies(energies: ArrayLike, degeneracies: ArrayLike | None = None, *, name: str = "levels") -> Model:
    """Gibbs model of energy levels, p(k) ∝ d_k exp(−β E_k).

    Parameter ``beta``, on −E.

    Parameters
    ----------
    energies : array_like, shape (S,)
    degeneracies : array_like, shape (S,), optional
        As the multiplicities of `from_states`.
    name : str

    Raises
    ------
    TypeError, ValueError
        As `from_states`.

    Examples
    --------
    The heat capacity of a system of two levels is β² times the metric:

    >>> import infogeom as ig
    >>> ig.models.from_energies([0, 1], [1, 3]).at(beta=1).metric.round(6)
    array([[0.249393]])
    """
    levels = np.asarray(array_of(energies))
    if levels.ndim != 1 or not len(levels):
        raise ValueError(f"energies must have shape (S,) and not be empty, got {levels.shape}")
    whole = _integers(levels) if levels.dtype.kind in "biuO" else None
    rows = finite_array("energies", levels) if whole is None else whole
    return from_states(-rows[:, None], [real("beta", (0.1, 1))], degeneracies, name=name)


def _named(parameters: Any) -> list[Any]:
    """Parameters in order, of which a single one may stand for itself."""
    return sequence_of("parameters", parameters, Parameter, Symbol, str)


def _rows(statistics: Any, names: Sequence[str]) -> NDArray[Any]:
    """The table as it is given, its columns in the order of the parameters where they have names."""
    columns = columns_of("statistics", statistics, names)
    if columns is not None:
        return np.stack([array_of(column) for column in columns], axis=1)
    try:
        return np.asarray(array_of(statistics))
    except ValueError:  # of NumPy, for rows of different lengths
        raise ValueError("statistics must have rows of one length, got some of different lengths") from None


def _integers(table: NDArray[Any]) -> NDArray[np.int64] | None:
    """The table in int64; None where an entry is no integer, or beyond it."""
    if table.dtype.kind != "O":  # −2⁶³ has no negative
        inside = table.dtype.itemsize < 8 or ((table < 2**63) & (table > -(2**63))).all()
        return table.astype(np.int64) if inside else None
    if all(isinstance(entry, int | np.integer) and abs(int(entry)) < 2**63 for entry in table.flat):
        return table.astype(np.int64)
    return None


def _multiplicities(given: ArrayLike | None, rows: int) -> NDArray[Any]:
    """Multiplicities, integers as they are, checked."""
    if given is None:
        return np.ones(rows, dtype=np.int64)
    counted = np.asarray(array_of(given))
    if counted.shape != (rows,):
        raise ValueError(f"multiplicity must have shape ({rows},), one for each row of statistics, got {counted.shape}")
    whole = counted.dtype.kind in "biu"
    whole |= counted.dtype.kind == "O" and all(isinstance(m, int | np.integer) for m in counted)
    if not whole:
        counted = finite_array("multiplicity", counted)
    if (negative := np.flatnonzero(counted < 0)).size:
        raise ValueError(f"multiplicity must not be negative, got {counted[negative[0]]} at index {negative[0]}")
    if not (counted > 0).any():
        raise ValueError("multiplicity must not be 0 in every row")
    return counted


def _merged(rows: NDArray[Any], counted: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rows that differ, sorted, each with the multiplicities of all that are equal to it; none of multiplicity 0."""
    kept = np.asarray(counted > 0, dtype=bool)
    rows, counted = rows[kept], counted[kept]

    # One number a row: its columns' values by their rank.
    key = np.zeros(len(rows), dtype=np.int64)
    for column in rows.T:
        values, rank = np.unique(column, return_inverse=True)
        _, key = np.unique(key * len(values) + rank, return_inverse=True)
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(np.diff(key[order], prepend=-1))

    # Sums of int64 may leave it; those of Python's integers do not.
    exact = counted.astype(object) if counted.dtype.kind in "biu" else counted
    if len(first) == len(rows) or (counted.dtype.kind in "biu" and float(counted.sum(dtype=float)) < 2.0**62):
        exact = counted
    return rows[order][first], np.add.reduceat(exact[order], first)


def _logarithms(multiplicity: NDArray[Any] | None) -> NDArray[np.longdouble]:
    """Logarithms of the multiplicities."""
    assert multiplicity is not None
    if multiplicity.dtype.kind != "O":
        return np.log(multiplicity.astype(np.longdouble))
    shifts = np.array([max(0, int(m).bit_length() - LONG_BITS) for m in multiplicity])
    leading = np.array([int(m) >> int(s) for m, s in zip(multiplicity, shifts, strict=True)], dtype=np.uint64)
    logarithms = np.log(leading.astype(np.longdouble)) + shifts * np.log(np.longdouble(2))
    return np.asarray(logarithms)


def two_parts(values: NDArray[np.longdouble]) -> NDArray[np.float64]:
    """What float64 holds of long numbers, and what is left."""
    high = values.astype(np.float64)
    return np.stack([high, (values - high).astype(np.float64)])
