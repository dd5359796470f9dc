"""Families of discrete distributions, one function each."""

from __future__ import annotations

from numbers import Integral

import sympy
from sympy import Interval, Symbol, log, loggamma

from infogeom.models.model import Model, Parameter

__all__ = ["binomial"]


def binomial(n: int | Symbol) -> Model:
    """Binomial law of ``n`` trials with success probability ``p``: metric n / (p (1 − p)).

    Parameters
    ----------
    n : int or sympy.Symbol
        Number of trials, at least 1 and of any size; a symbol stays in the closed form.

    Raises
    ------
    TypeError, ValueError
        When n is neither a positive integer nor a Symbol.
    """
    if isinstance(n, Symbol):
        if n.name in ("p", "x"):
            raise ValueError(f"binomial: the symbol n must differ from the parameter p and the variable x, got {n}")
    else:
        if isinstance(n, bool) or not isinstance(n, Integral | sympy.Integer):
            raise TypeError(f"binomial: n must be a positive int or a sympy Symbol, got {n!r}")
        if n < 1:
            raise ValueError(f"binomial: n must be at least 1, got {n}")
    trials = Symbol("n", integer=True, positive=True)
    x, p = Symbol("x", integer=True, nonnegative=True), Symbol("p", positive=True)
    coefficient = loggamma(trials + 1) - loggamma(x + 1) - loggamma(trials - x + 1)
    return Model(
        "binomial",
        [Parameter(p, Interval.open(0, 1), (0.05, 0.95))],
        coefficient + x * log(p) + (trials - x) * log(1 - p),
        x,
        sympy.Range(0, trials + 1),
        constants={trials: sympy.sympify(n)},
    )
