"""Families of laws of the counts of several outcomes, one function each."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, Symbol, log, loggamma

from infogeom.arguments import check_count, positive_number
from infogeom.models.by_name import listed
from infogeom.models.model import Model
from infogeom.models.parameter import UNIT_INTERVAL, Constant, Parameter, trials
from infogeom.models.structures import Counts

__all__ = [
    "categorical",
    "multinomial",
    "negative_multinomial",
]


@listed
def categorical(outcomes: int) -> Model:
    """One trial with several outcomes of probabilities ``p1`` …, the last one being what is left of 1.

    A piece of the sphere of radius 2 in ``outcomes`` − 1 dimensions.

    Parameters
    ----------
    outcomes : int
        At least 2.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.categorical(3).metric().matrix.tolist()
    [[1/(-p1 - p2 + 1) + 1/p1, 1/(-p1 - p2 + 1)], [1/(-p1 - p2 + 1), 1/(-p1 - p2 + 1) + 1/p2]]
    """
    check_count("outcomes", outcomes, 2)
    p, x = _shares(outcomes - 1), _counts(outcomes - 1)
    return Model(
        "categorical",
        p,
        _of_shares(p, x, 1),
        x,
        _up_to(1, x),
        constraints=_constraints(p),
        structure=Counts(_symbols(p), sympy.Integer(1)),
        latex=r"P(x) = \prod_i p_i^{x_i}, \quad \sum_i x_i = 1",
        source="Amari & Nagaoka, Methods of Information Geometry (2000), Sec. 2.5",
    )


@listed
def multinomial(n: int | Symbol, outcomes: int) -> Model:
    """Counts of ``n`` trials with several outcomes of probabilities ``p1`` …, the last one being what is left of 1.

    A piece of the sphere of radius 2 √n: R = (k − 1) (k − 2) / (4 n) for k outcomes.

    Parameters
    ----------
    n : int or sympy.Symbol
        Number of trials, at least 1; a symbol stays in the closed form.
    outcomes : int
        At least 2.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.multinomial(5, 2).metric().matrix.tolist()
    [[5/(1 - p1) + 5/p1]]
    """
    check_count("outcomes", outcomes, 2)
    p, x = _shares(outcomes - 1), _counts(outcomes - 1)
    number = trials(n)
    rest = number - sympy.Add(*x)
    coefficient = loggamma(number + 1) - _log_factorials([*x, rest])
    return Model(
        "multinomial",
        p,
        coefficient + _of_shares(p, x, number),
        x,
        _up_to(number, x),
        constants={number: sympy.sympify(n)},
        constraints=_constraints(p),
        structure=Counts(_symbols(p), number),
        latex=r"P(x) = \frac{n!}{\prod_i x_i!} \prod_i p_i^{x_i}, \quad \sum_i x_i = n",
        source="Johnson, Kotz & Balakrishnan, Discrete Multivariate Distributions (1997), Ch. 35",
    )


@listed
def negative_multinomial(r: int | float | Expr, outcomes: int) -> Model:
    """Counts of several outcomes of probabilities ``p1`` … before the ``r``-th success.

    Hyperbolic: R = −m (m − 1) / (4 r) for m outcomes besides success, whose probability is what is left of 1.

    Parameters
    ----------
    r : number or sympy.Symbol
        Positive; a symbol stays in the closed form.
    outcomes : int
        At least 1.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.negative_multinomial(2, 2).at(p1=0.2, p2=0.3).pdf([[0, 0], [1, 1]]).round(4)
    array([0.25, 0.09])
    """
    check_count("outcomes", outcomes)
    value = r if isinstance(r, Symbol) else positive_number("r", r)
    p, x = _shares(outcomes), _counts(outcomes)
    successes = Constant("r", positive=True)
    left = _left_over(p)
    means = tuple(q / left for q in _symbols(p))

    # The last of the observations is a success: the order of the others is free.
    total = successes + sympy.Add(*x)
    coefficient = loggamma(total) - loggamma(successes) - _log_factorials(x)
    log_p = coefficient + successes * log(left) + sympy.Add(*_log_powers(p, x))
    return Model(
        "negative multinomial",
        p,
        log_p,
        x,
        (sympy.S.Naturals0,) * outcomes,
        constants={successes: value},
        constraints=_constraints(p),
        structure=Counts(means, successes, 1),
        latex=r"P(x) = \frac{\Gamma(r + \sum_i x_i)}{\Gamma(r) \prod_i x_i!} p_0^r \prod_i p_i^{x_i}",
        source="Johnson, Kotz & Balakrishnan (1997), Ch. 36",
    )


def _shares(count: int) -> list[Parameter]:
    """Probabilities that leave something of 1."""
    typical = 0.3 / (count + 1), 0.9 / count
    return [Parameter(Symbol(f"p{k + 1}", positive=True), UNIT_INTERVAL, typical) for k in range(count)]


def _counts(count: int) -> tuple[Symbol, ...]:
    # Not declared integers, for which SymPy would write log Γ(x) as log(Γ(x)), which overflows.
    return tuple(Symbol(f"x{k + 1}", nonnegative=True) for k in range(count))


def _symbols(p: Sequence[Parameter]) -> tuple[Symbol, ...]:
    return tuple(q.symbol for q in p)


def _left_over(p: Sequence[Parameter]) -> Expr:
    """What is left of 1."""
    return 1 - sympy.Add(*_symbols(p))


def _constraints(p: Sequence[Parameter]) -> list[Expr]:
    """That something is left of 1, which the domain of a single probability says itself."""
    return [_left_over(p)] if len(p) > 1 else []


def _up_to(total: Expr | int, x: Sequence[Symbol]) -> tuple[sympy.Range, ...]:
    """Values of each count, those before it being taken from the total."""
    return tuple(sympy.Range(0, total + 1 - sympy.Add(*x[:k])) for k in range(len(x)))


def _log_factorials(counts: Sequence[Expr]) -> Expr:
    """Σ_i log x_i!."""
    terms = [loggamma(count + 1) for count in counts]
    return sympy.Add(*terms)


def _log_powers(p: Sequence[Parameter], x: Sequence[Symbol]) -> list[Expr]:
    """Terms x_i log p_i."""
    return [count * log(q) for count, q in zip(x, _symbols(p), strict=True)]


def _of_shares(p: Sequence[Parameter], x: Sequence[Symbol], total: Expr | int) -> Expr:
    """Σ_i x_i log p_i, the last x and p being what is left."""
    rest = (total - sympy.Add(*x)) * log(_left_over(p))
    return sympy.Add(*_log_powers(p, x), rest)
