"""Mean-field models of n spins, of which only sums over all matter: a table with a row for each of their values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from infogeom.arguments import check_count
from infogeom.models.by_name import listed
from infogeom.models.gibbs import gibbs_model
from infogeom.models.model import Model
from infogeom.models.parameter import real
from infogeom.models.state_tables import LONG_ROUNDINGS, Table

__all__ = ["curie_weiss", "mean_field_potts"]

#: Spins whose multiplicities are kept as integers, not as their logarithms.
MOST_EXACT = 4000
#: Occupations of a model of several states.
MOST_OCCUPATIONS = 10**6
#: Spins of a model of two states: its table has a row more.
MOST_SPINS = 10**6
#: Bits of each half of a sum of logarithms.
HALF_BITS = 31


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
    -0.988
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
    error = LONG_ROUNDINGS * float(np.abs(beyond[-1])) + n / 2.0 ** (2 * HALF_BITS)
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
