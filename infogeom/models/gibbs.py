"""Gibbs models exp(θ·X) / Z by the values that their statistics take, and how many states have each."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from sympy import Symbol

from infogeom.arguments import ReadOnlyArrays, array_of, check_count, finite_array, sequence_of
from infogeom.models.by_name import listed
from infogeom.models.model import Model, Structure
from infogeom.models.parameter import Parameter, real

__all__ = ["Gibbs", "Table", "curie_weiss", "from_energies", "from_states", "gibbs_model", "mean_field_potts"]

#: Most rows of a table.
MOST_ROWS = 10**7
#: Spins of a mean-field model whose multiplicities are kept as integers, beside their logarithms.
MOST_EXACT = 4000
#: Occupations of a mean-field model of several states.
MOST_OCCUPATIONS = 10**6
#: Spins of a mean-field model: its table has a row more.
MOST_SPINS = 10**6
#: Bits of each half of a sum of logarithms.
HALF_BITS = 31
#: Relative errors of long logarithms: a few roundings.
ROUNDINGS = 4 * float(np.finfo(np.longdouble).eps)
#: Bits of the mantissa of numbers of 80 bits.
LONG_BITS = 64


class Gibbs(Structure, ABC):
    """A family exp(θ·X) / Z in natural parameters, of which the cumulants of X are found at a point.

    Attributes
    ----------
    expectation : str
        By what: "sum" over states, "transfer" matrices, "pfaffian".
    size : int
        Number of statistics.
    """

    expectation: ClassVar[str]
    size: int = 2

    @property
    @abstractmethod
    def told(self) -> str:
        """What the family is, for messages."""


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
            object.__setattr__(self, "log_error", ROUNDINGS * float(np.abs(logarithms).max()))
            object.__setattr__(self, "logarithms", logarithms)
        object.__setattr__(self, "logarithms", _two_parts(self.logarithms))

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


def gibbs_model(
    name: str, parameters: Sequence[Parameter], structure: Gibbs, *, latex: str = "", source: str = ""
) -> Model:
    """Model of a family, whose log-partition function has a name and no formula."""
    symbols = [p.symbol for p in parameters]
    statistics = tuple(Symbol(f"X_{p.name}", real=True) for p in parameters)
    terms = [theta * X for theta, X in zip(symbols, statistics, strict=True)]
    psi = sympy.Function("psi", real=True)(*symbols)
    density = sympy.Add(*terms) - psi
    return Model(name, parameters, density, statistics, None, structure=structure, latex=latex, source=source)


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
        Integers stay exact.
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
    """
    declared = [p if isinstance(p, Parameter) else Parameter(p) for p in _named(parameters)]
    table = np.asarray(array_of(statistics))
    if table.ndim != 2 or table.shape[1] != len(declared) or not len(table):
        names = [p.name for p in declared]
        raise ValueError(
            f"statistics must have shape (S, {len(names)}), a column for each of {names}, got {table.shape}"
        )
    if len(table) > MOST_ROWS:
        size = table.nbytes / 2**20
        raise ValueError(
            f"statistics must have at most {MOST_ROWS} rows, got {len(table)} ({size:.0f} MB); give each value of the "
            "statistics once, with its multiplicity, or take a lattice of infogeom.models"
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
    array([[0.249367]])
    """
    levels = np.asarray(array_of(energies))
    if levels.ndim != 1:
        raise ValueError(f"energies must have shape (S,), got {levels.shape}")
    whole = _integers(levels) if levels.dtype.kind in "biuO" else None
    rows = finite_array("energies", levels) if whole is None else whole
    return from_states(-rows[:, None], [real("beta", (0.1, 1))], degeneracies, name=name)


@listed
def curie_weiss(n: int) -> Model:
    """Curie–Weiss model of n spins ±1, exp(β M²/2n + h M) / Z with M = Σ s; the whole system.

    Parameters ``beta``, ``h``; as n → ∞ the transition is at β = 1, h = 0.

    Parameters
    ----------
    n : int
        From 3 to 10⁶.

    Raises
    ------
    TypeError, ValueError
        For n out of range.

    Examples
    --------
    >>> import infogeom as ig
    >>> law = ig.models.curie_weiss(1000)
    >>> law.evaluate({"beta": 0.5, "h": 0}, ["ricci_scalar"]).ricci_scalar.round(3).item()
    -0.991
    """
    check_count("n", n, 3)
    if n > MOST_SPINS:
        raise ValueError(f"n must be at most {MOST_SPINS}, got {n}")
    M = np.arange(-n, n + 1, 2)
    statistics = np.stack([M * M, M], axis=1)
    units = (sympy.Rational(1, 2 * n), sympy.Integer(1))
    if n <= MOST_EXACT:
        table = Table(statistics, _binomials(n), units)
    else:
        table = Table(statistics, None, units, *_log_binomials(n))
    return gibbs_model(
        f"Curie–Weiss, {n} spins",
        [real("beta", (0.2, 1.5)), real("h", (0.05, 0.5))],
        table,
        latex=r"P(s) = \frac{1}{Z} \exp\Big(\frac{\beta}{2n} M^2 + h M\Big), \quad M = \sum_i s_i",
        source="Baxter, Exactly Solved Models in Statistical Mechanics (1982), ch. 3",
    )


@listed
def mean_field_potts(q: int, n: int) -> Model:
    """Mean-field Potts model of n sites with q states, exp(β Σ_a n_a²/2n + h n_0) / Z; the whole system.

    Parameters ``beta``, ``h``, with n_a sites in state a. As n → ∞ the transition on h = 0 is of first order for
    q ≥ 3, at β = 2 (q − 1)/(q − 2) log(q − 1).

    Parameters
    ----------
    q : int
        At least 2.
    n : int
        At least 3; there may be 10⁶ occupations (n_0, …) at most.

    Raises
    ------
    TypeError, ValueError
        For numbers out of range.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.mean_field_potts(3, 30)
    <Model mean-field Potts, 3 states, 30 sites: beta, h>
    """
    check_count("q", q, 2)
    check_count("n", n, 3)
    occupations = math.comb(n + q - 1, q - 1)
    if occupations > MOST_OCCUPATIONS:
        raise ValueError(
            f"q and n must give at most {MOST_OCCUPATIONS} occupations, got q = {q}, n = {n}: {occupations} of them"
        )
    statistics, multiplicity = _occupations(q, n)
    units = (sympy.Rational(1, 2 * n), sympy.Integer(1))
    return gibbs_model(
        f"mean-field Potts, {q} states, {n} sites",
        [real("beta", (0.5, 3.5)), real("h", (0.05, 0.5))],
        Table(statistics, multiplicity, units),
        latex=r"P(s) = \frac{1}{Z} \exp\Big(\frac{\beta}{2n} \sum_a n_a^2 + h n_0\Big)",
        source="Wu, Rev. Mod. Phys. 54 (1982) 235–268, Sec. I.C",
    )


def _named(parameters: Any) -> list[Any]:
    """Parameters in order, of which a single one may stand for itself."""
    return sequence_of("parameters", parameters, Parameter, Symbol, str)


def _integers(table: NDArray[Any]) -> NDArray[np.int64] | None:
    """The table in int64; None where an entry is no integer, or beyond it."""
    if table.dtype.kind != "O":
        return table.astype(np.int64) if table.dtype != np.uint64 or (table <= 2**63 - 1).all() else None
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


def _two_parts(values: NDArray[np.longdouble]) -> NDArray[np.float64]:
    """What float64 holds of long numbers, and what is left."""
    high = values.astype(np.float64)
    return np.stack([high, (values - high).astype(np.float64)])


def _binomials(n: int) -> NDArray[Any]:
    """The n + 1 binomial coefficients of n."""
    found = [1]
    for k in range(n):
        found.append(found[-1] * (n - k) // (k + 1))
    return np.array(found, dtype=object)


def _log_binomials(n: int) -> tuple[NDArray[np.longdouble], float]:
    """Logarithms of the binomial coefficients of n relative to the middle one, and a bound on their errors.

    They are sums of log((n − k)/(k + 1)), of which integers keep every digit: in two parts, so that no sum leaves them.
    """
    k = np.arange(n // 2, n).astype(np.longdouble)
    steps = np.log((n - k) / (k + 1)) * 2**HALF_BITS
    whole = np.floor(steps)
    rest = np.rint((steps - whole) * 2**HALF_BITS)
    sums = np.cumsum(whole.astype(np.int64)).astype(np.longdouble)
    sums += np.cumsum(rest.astype(np.int64)).astype(np.longdouble) / 2**HALF_BITS
    beyond = sums / 2**HALF_BITS
    start = np.zeros(1, dtype=np.longdouble)
    upper = np.concatenate([start, beyond])
    error = ROUNDINGS * float(np.abs(beyond[-1])) + n / 2.0 ** (2 * HALF_BITS)
    return np.concatenate([upper[: n % 2 : -1], upper]), error


def _occupations(q: int, n: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Rows (Σ n_a², n_0) of all ways to put n sites into q states, and how many ways there are."""
    # Ways to put k sites into so many states, by Σ n_a².
    ways: list[dict[int, int]] = [{k * k: 1} for k in range(n + 1)]
    for _ in range(q - 2):
        ways = [_with_another(ways, k) for k in range(n + 1)]
    statistics, multiplicity = [], []
    for m in range(n + 1):
        for squares, number in ways[n - m].items():
            statistics.append((squares + m * m, m))
            multiplicity.append(number * math.comb(n, m))
    return np.array(statistics), np.array(multiplicity, dtype=object)


def _with_another(ways: list[dict[int, int]], k: int) -> dict[int, int]:
    """Ways to put k sites into one state more."""
    found: dict[int, int] = {}
    for m in range(k + 1):
        chosen = math.comb(k, m)
        for squares, number in ways[k - m].items():
            found[squares + m * m] = found.get(squares + m * m, 0) + chosen * number
    return found
