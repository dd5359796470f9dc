"""Log-linear models of binary vectors."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import Any

import sympy
from sympy import Expr, log

from infogeom.arguments import check_count
from infogeom.models.by_name import listed
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter
from infogeom.models.structures import STATES_WRITTEN_OUT, States

__all__ = ["log_linear"]

#: Most states of a model.
MAX_STATES = 4096


@listed
def log_linear(units: int, order: int = 2) -> Model:
    """Log-linear model of binary vectors x, log P = Σ_i θ_i x_i + Σ_i<j θ_ij x_i x_j + … − log Z.

    Parameters ``theta1`` …, then ``theta12``, ``theta13``, … (``theta1_2`` for more than nine units). With order 2 it
    is the Boltzmann machine without hidden units, with order = units every law of positive probabilities.

    Parameters
    ----------
    units : int
        At least 1; the metric is written out for up to 3 and evaluated by numbers from then on.
    order : int
        Most units that interact, from 1 to ``units``.

    Raises
    ------
    TypeError, ValueError
        For numbers out of range, or more than 4096 states.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.log_linear(2).at(theta1=0, theta2=0, theta12=1).pdf([[0, 0], [1, 1]]).round(4)
    array([0.1749, 0.4754])
    """
    check_count("units", units)
    check_count("order", order)
    if order > units:
        raise ValueError(f"order must be at most units = {units}, got {order}")
    if 2**units > MAX_STATES:
        raise ValueError(f"units must leave at most {MAX_STATES} states, got 2^{units}")
    groups = [g for size in range(1, order + 1) for g in combinations(range(units), size)]
    theta = [Parameter(_name_of(group, units)) for group in groups]
    x = sympy.symbols(f"x1:{units + 1}", integer=True, nonnegative=True)

    def energy(at: Sequence[Any]) -> Expr:
        terms = [p.symbol * _together(at, group) for p, group in zip(theta, groups, strict=True)]
        return sympy.Add(*terms)

    # The sum over the states: term by term where they are few, as a sum over bound variables beyond.
    states = list(product((0, 1), repeat=units))
    if len(states) <= STATES_WRITTEN_OUT:
        weights = [sympy.exp(energy(state)) for state in states]
        Z = sympy.Add(*weights)
    else:
        y = sympy.symbols(f"y1:{units + 1}", integer=True, nonnegative=True)
        ranges = [(bit, 0, 1) for bit in y]
        Z = sympy.Sum(sympy.exp(energy(y)), *ranges)

    return Model(
        "log-linear",
        theta,
        energy(x) - log(Z),
        x,
        (sympy.Range(0, 2),) * units,
        structure=States(tuple(_statistics(state, groups) for state in states)),
        latex=r"P(x) = \frac{1}{Z} \exp\Big(\sum_i \theta_i x_i + \sum_{i<j} \theta_{ij} x_i x_j + \dots\Big)",
        source="Amari, IEEE Trans. Inf. Theory 47 (2001) 1701–1711; Ackley, Hinton & Sejnowski (1985)",
    )


def _name_of(group: Sequence[int], units: int) -> str:
    """Name of the parameter of units that interact."""
    comma = "_" if units > 9 else ""
    return "theta" + comma.join(str(k + 1) for k in group)


def _together(at: Sequence[Any], group: Sequence[int]) -> Any:
    """Product of the entries of a group."""
    entries = [at[k] for k in group]
    return sympy.Mul(*entries)


def _statistics(state: Sequence[int], groups: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """Of each group, whether all of its units are on in a state."""
    return tuple(min(state[k] for k in group) for group in groups)
