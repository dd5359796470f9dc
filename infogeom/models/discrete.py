"""Families of discrete distributions, one function each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import sympy
from sympy import Expr, Interval, Set, Symbol, log, loggamma, oo

from infogeom.arguments import check_count, positive_number
from infogeom.functions import log_bessel, log_zeta
from infogeom.models.model import Constant, Model, Parameter, Structure

__all__ = [
    "WRITTEN_OUT", "Counts", "States", "bernoulli", "beta_binomial", "binomial", "categorical", "geometric",
    "log_linear", "multinomial", "negative_binomial", "negative_multinomial", "poisson", "skellam", "zeta",
]  # fmt: skip

#: Source that many families share.
JOHNSON = "Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005)"
COUNTS = sympy.S.Naturals0
#: States up to which `log_linear` goes, and up to which sums over them are written out.
MAX_STATES, WRITTEN_OUT = 4096, 8
#: Not declared an integer, for which SymPy would write log Γ(x) as log(Γ(x)), which overflows.
X = Symbol("x", nonnegative=True)


def _probability(name: str = "p") -> Parameter:
    return Parameter(Symbol(name, positive=True), Interval.open(0, 1), (0.05, 0.95))


def _positive(name: str, typical: tuple[float, float] = (0.5, 4)) -> Parameter:
    return Parameter(Symbol(name, positive=True), Interval.open(0, oo), typical)


def _model(name: str, parameters: list[Parameter], law: Expr, support: Set, latex: str, source: str) -> Model:
    return Model(name, parameters, law, X, support, latex=latex, source=source)


def _constant(name: str) -> Constant:
    return Constant(name, integer=True, positive=True)


def _trials(n: int | Symbol) -> Constant:
    """What stands for a number of trials, which is a positive integer or a symbol."""
    if not isinstance(n, Symbol):
        check_count("n", n)
    return _constant("n")


def bernoulli() -> Model:
    """One trial with success probability ``p``: metric 1/(p (1 − p)).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.bernoulli().metric().matrix.tolist()
    [[1/(p*(1 - p))]]
    """
    p = _probability()
    law = X * log(p.symbol) + (1 - X) * log(1 - p.symbol)
    return _model("Bernoulli", [p], law, sympy.FiniteSet(0, 1), r"\mathrm{Bernoulli}(p)", f"{JOHNSON}, Ch. 3")


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

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.binomial(7).metric().matrix.tolist()
    [[7/(p*(1 - p))]]
    """
    trials = _trials(n)
    p = _probability()
    coefficient = loggamma(trials + 1) - loggamma(X + 1) - loggamma(trials - X + 1)
    return Model(
        "binomial",
        [p],
        coefficient + X * log(p.symbol) + (trials - X) * log(1 - p.symbol),
        X,
        sympy.Range(0, trials + 1),
        constants={trials: sympy.sympify(n)},
        latex=r"\mathrm{Bin}(n, p)",
        source=f"{JOHNSON}, Ch. 3",
    )


def geometric() -> Model:
    """Number of failures before the first success, of probability ``p``: metric 1/(p² (1 − p)).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.geometric().metric().matrix.tolist()
    [[1/(p**2*(1 - p))]]
    """
    p = _probability()
    law = log(p.symbol) + X * log(1 - p.symbol)
    return _model("geometric", [p], law, COUNTS, r"\mathrm{Geom}(p)", f"{JOHNSON}, Ch. 5")


def poisson() -> Model:
    """Poisson law with mean ``rate``: metric 1/rate.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.poisson().metric().matrix.tolist()
    [[1/rate]]
    """
    rate = _positive("rate")
    law = X * log(rate.symbol) - rate.symbol - loggamma(X + 1)
    return _model("Poisson", [rate], law, COUNTS, r"\mathrm{Poisson}(\mathrm{rate})", f"{JOHNSON}, Ch. 4")


def negative_binomial(r: int | float | Expr | None = None) -> Model:
    """Number of failures before the r-th success of probability ``p``; r need not be an integer.

    Parameters
    ----------
    r : number, optional
        Fixes r: metric r/(p² (1 − p)). When omitted, ``r`` is a parameter, and its information has no closed form.

    Raises
    ------
    TypeError, ValueError
        When r is not a positive number.

    Examples
    --------
    By its mean and dispersion r:

    >>> import sympy, infogeom as ig
    >>> r, mean = sympy.symbols("r mean", positive=True)
    >>> law = ig.models.reparametrise(ig.models.negative_binomial(), {"p": r / (r + mean)}, [r, mean])
    >>> [p.name for p in law.parameters]
    ['r', 'mean']
    """
    p, known = _probability(), {} if r is None else {_constant("r"): positive_number("r", r)}
    number, free = next(iter(known), Symbol("r", positive=True)), r is None
    coefficient = loggamma(X + number) - loggamma(number) - loggamma(X + 1)
    law = coefficient + number * log(p.symbol) + X * log(1 - p.symbol)
    parameters = [_positive("r"), p] if free else [p]
    latex, source = r"\mathrm{NB}(r, p)", f"{JOHNSON}, Ch. 5"
    budget = 0 if free else 5
    return Model(
        "negative binomial", parameters, law, X, COUNTS, constants=known, latex=latex, source=source, budget=budget
    )


def skellam() -> Model:
    """Skellam law: difference of two Poisson variables with means ``mu1`` and ``mu2``; expectations are summed.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.skellam().at(mu1=1, mu2=2).pdf([-1, 0, 1]).round(4)
    array([0.2385, 0.2117, 0.1192])
    """
    mu1, mu2 = parameters = [_positive("mu1"), _positive("mu2")]
    a, b, x = mu1.symbol, mu2.symbol, Symbol("x", real=True)
    law = -a - b + x * (log(a) - log(b)) / 2 + log_bessel(sympy.Abs(x), 2 * sympy.sqrt(a * b))
    latex, source = r"\mathrm{Skellam}(\mu_1, \mu_2)", "Skellam, J. R. Stat. Soc. 109 (1946) 296"
    return Model("Skellam", parameters, law, x, sympy.S.Integers, latex=latex, source=source, budget=0)


def zeta() -> Model:
    """Zeta law (power law on 1, 2, 3, …) with exponent ``s`` > 1: metric (log ζ)″(s).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.zeta().at(s=2).pdf([1, 2, 3]).round(4)
    array([0.6079, 0.152 , 0.0675])
    """
    s = Parameter(Symbol("s", positive=True), Interval.open(1, oo), (1.2, 5))
    x = Symbol("x", positive=True)
    law = -s.symbol * log(x) - log_zeta(0, s.symbol)
    return Model("zeta", [s], law, x, sympy.S.Naturals, latex=r"\mathrm{Zeta}(s)", source=f"{JOHNSON}, Ch. 11")


def beta_binomial(n: int) -> Model:
    """Binomial law of ``n`` trials whose success probability is beta distributed with ``alpha`` and ``beta``.

    Parameters
    ----------
    n : int
        Number of trials, at least 2: with one trial only α/(α + β) matters. Up to 3 the metric is a closed rational
        function; beyond, it is summed.

    Raises
    ------
    TypeError, ValueError
        When n is not an integer of at least 2.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.beta_binomial(2).at(alpha=1, beta=1).pdf([0, 1, 2]).round(4)
    array([0.3333, 0.3333, 0.3333])
    """
    check_count("n", n, least=2)
    known = {_constant("n"): sympy.Integer(n)} if n > 3 else {}  # few outcomes are written out
    trials = next(iter(known), sympy.Integer(n))
    alpha, beta = parameters = [_positive("alpha"), _positive("beta")]
    a, b = alpha.symbol, beta.symbol
    coefficient = loggamma(trials + 1) - loggamma(X + 1) - loggamma(trials - X + 1)
    law = coefficient + loggamma(X + a) + loggamma(trials - X + b) - loggamma(trials + a + b)
    law += loggamma(a + b) - loggamma(a) - loggamma(b)
    latex = r"\mathrm{BetaBin}(n, \alpha, \beta)"
    source, budget = f"{JOHNSON}, Ch. 6", 0 if known else 5
    return Model(
        "beta-binomial",
        parameters,
        law,
        X,
        sympy.Range(0, trials + 1),
        constants=known,
        latex=latex,
        source=source,
        budget=budget,
    )


# --- Several counts ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Counts(Structure):
    """Counts of outcomes in so many trials, or, with the sign +1, before so many successes.

    Attributes
    ----------
    means : tuple of Expr
        For one trial, or one success.
    number : Expr
    sign : {-1, 1}
    """

    means: tuple[Expr, ...]
    number: Expr
    sign: int = -1


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
        tuple(sympy.Range(0, 2 - sympy.Add(*x[:k])) for k in range(outcomes - 1)),
        constraints=_left_over(p),
        structure=Counts(tuple(q.symbol for q in p), sympy.Integer(1)),
        latex=r"P(x) = \prod_i p_i^{x_i}, \quad \sum_i x_i = 1",
        source="Amari & Nagaoka, Methods of Information Geometry (2000), Sec. 2.5",
    )


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
    trials = _trials(n)
    rest = trials - sympy.Add(*x)
    coefficient = loggamma(trials + 1) - sympy.Add(*(loggamma(count + 1) for count in (*x, rest)))
    return Model(
        "multinomial",
        p,
        coefficient + _of_shares(p, x, trials),
        x,
        tuple(sympy.Range(0, trials + 1 - sympy.Add(*x[:k])) for k in range(outcomes - 1)),
        constants={trials: sympy.sympify(n)},
        constraints=_left_over(p),
        structure=Counts(tuple(q.symbol for q in p), trials),
        latex=r"P(x) = \frac{n!}{\prod_i x_i!} \prod_i p_i^{x_i}, \quad \sum_i x_i = n",
        source="Johnson, Kotz & Balakrishnan, Discrete Multivariate Distributions (1997), Ch. 35",
    )


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
    successes = _constant("r")
    (left,) = _left_over(p) or (1 - p[0].symbol,)
    total = successes + sympy.Add(*x)
    coefficient = loggamma(total) - loggamma(successes) - sympy.Add(*(loggamma(count + 1) for count in x))
    powers = sympy.Add(*(count * log(q.symbol) for count, q in zip(x, p, strict=True)))
    return Model(
        "negative multinomial",
        p,
        coefficient + successes * log(left) + powers,
        x,
        (COUNTS,) * outcomes,
        constants={successes: value},
        constraints=_left_over(p),
        structure=Counts(tuple(q.symbol / left for q in p), successes, 1),
        latex=r"P(x) = \frac{\Gamma(r + \sum_i x_i)}{\Gamma(r) \prod_i x_i!} p_0^r \prod_i p_i^{x_i}",
        source="Johnson, Kotz & Balakrishnan (1997), Ch. 36",
    )


def _shares(count: int) -> list[Parameter]:
    """Probabilities that leave something of 1."""
    typical = 0.3 / (count + 1), 0.9 / count
    return [Parameter(Symbol(f"p{k + 1}", positive=True), Interval.open(0, 1), typical) for k in range(count)]


def _left_over(p: Sequence[Parameter]) -> list[Expr]:
    """What is left of 1, where that is not the domain of a single probability."""
    return [1 - sympy.Add(*(q.symbol for q in p))] if len(p) > 1 else []


def _counts(count: int) -> tuple[Symbol, ...]:
    return tuple(Symbol(f"x{k + 1}", nonnegative=True) for k in range(count))  # as for X


def _of_shares(p: Sequence[Parameter], x: Sequence[Symbol], trials: Expr) -> Expr:
    """Σ_i x_i log p_i, the last x and p being what is left."""
    left = 1 - sympy.Add(*(q.symbol for q in p))
    terms = [count * log(q.symbol) for count, q in zip(x, p, strict=True)]
    return sympy.Add(*terms, (trials - sympy.Add(*x)) * log(left))


# --- Binary vectors ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class States(Structure):
    """An exponential family over few states, in natural parameters.

    Attributes
    ----------
    statistics : tuple of tuples of int
        The sufficient statistics of every state.
    """

    statistics: tuple[tuple[int, ...], ...]


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
    comma = "_" if units > 9 else ""
    theta = [Parameter(f"theta{comma.join(str(k + 1) for k in g)}") for g in groups]
    x, y = (sympy.symbols(f"{name}1:{units + 1}", integer=True, nonnegative=True) for name in "xy")

    def energy(at: Sequence[Any]) -> Expr:
        return sympy.Add(*(p.symbol * sympy.Mul(*(at[k] for k in g)) for p, g in zip(theta, groups, strict=True)))

    states = [*product((0, 1), repeat=units)]
    if len(states) <= WRITTEN_OUT:
        Z = sympy.Add(*(sympy.exp(energy(s)) for s in states))
    else:
        Z = sympy.Sum(sympy.exp(energy(y)), *((s, 0, 1) for s in y))
    return Model(
        "log-linear",
        theta,
        energy(x) - log(Z),
        x,
        (sympy.Range(0, 2),) * units,
        structure=States(tuple(tuple(int(all(s[k] for k in g)) for g in groups) for s in states)),
        latex=r"P(x) = \frac{1}{Z} \exp\Big(\sum_i \theta_i x_i + \sum_{i<j} \theta_{ij} x_i x_j + \dots\Big)",
        source="Amari, IEEE Trans. Inf. Theory 47 (2001) 1701–1711; Ackley, Hinton & Sejnowski (1985)",
    )
