"""Families of laws of an integer, one function each."""

from __future__ import annotations

import sympy
from sympy import Expr, Interval, Set, Symbol, log, loggamma, oo

from infogeom.arguments import check_count, positive_number
from infogeom.functions import log_bessel, log_zeta
from infogeom.models.by_name import listed
from infogeom.models.model import Model
from infogeom.models.parameter import Constant, Parameter, known_count, positive, probability, trials
from infogeom.models.sources import DISCRETE

__all__ = [
    "bernoulli",
    "beta_binomial",
    "binomial",
    "geometric",
    "negative_binomial",
    "poisson",
    "skellam",
    "zeta",
]

#: Not declared an integer, for which SymPy would write log Γ(x) as log(Γ(x)), which overflows.
K = Symbol("x", nonnegative=True)
#: Trials up to which the outcomes of a beta-binomial law are written out.
MOST_WRITTEN_OUT = 3


def _of_number(
    name: str, parameters: list[Parameter], log_p: Expr, latex: str, source: str, support: Set = sympy.S.Naturals0
) -> Model:
    """Model of one integer that is not negative."""
    return Model(name, parameters, log_p, K, support, latex=latex, source=source)


@listed
def bernoulli() -> Model:
    """One trial with success probability ``p``: metric 1/(p (1 − p)).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.bernoulli().metric().matrix.tolist()
    [[1/(p*(1 - p))]]
    """
    p = probability()
    log_p = K * log(p.symbol) + (1 - K) * log(1 - p.symbol)
    return _of_number("Bernoulli", [p], log_p, r"\mathrm{Bernoulli}(p)", f"{DISCRETE}, Ch. 3", sympy.FiniteSet(0, 1))


@listed
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
    number, p = trials(n), probability()
    coefficient = loggamma(number + 1) - loggamma(K + 1) - loggamma(number - K + 1)
    log_p = coefficient + K * log(p.symbol) + (number - K) * log(1 - p.symbol)
    return Model(
        "binomial",
        [p],
        log_p,
        K,
        sympy.Range(0, number + 1),
        constants={number: sympy.sympify(n)},
        latex=r"\mathrm{Bin}(n, p)",
        source=f"{DISCRETE}, Ch. 3",
    )


@listed
def geometric() -> Model:
    """Number of failures before the first success, of probability ``p``: metric 1/(p² (1 − p)).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.geometric().metric().matrix.tolist()
    [[1/(p**2*(1 - p))]]
    """
    p = probability()
    log_p = log(p.symbol) + K * log(1 - p.symbol)
    return _of_number("geometric", [p], log_p, r"\mathrm{Geom}(p)", f"{DISCRETE}, Ch. 5")


@listed
def poisson() -> Model:
    """Poisson law with mean ``rate``: metric 1/rate.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.poisson().metric().matrix.tolist()
    [[1/rate]]
    """
    rate = positive("rate", (0.5, 4))
    log_p = K * log(rate.symbol) - rate.symbol - loggamma(K + 1)
    return _of_number("Poisson", [rate], log_p, r"\mathrm{Poisson}(\mathrm{rate})", f"{DISCRETE}, Ch. 4")


@listed
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
    p = probability()
    parameters = [p]
    known: dict[Symbol, Expr] = {}

    # A free r has no information in closed form: SymPy need not try.
    if r is None:
        parameters.insert(0, positive("r", (0.5, 4)))
        number = parameters[0].symbol
    else:
        number = Constant("r", positive=True)
        known[number] = positive_number("r", r)

    coefficient = loggamma(K + number) - loggamma(number) - loggamma(K + 1)
    return Model(
        "negative binomial",
        parameters,
        coefficient + number * log(p.symbol) + K * log(1 - p.symbol),
        K,
        sympy.S.Naturals0,
        constants=known,
        budget=0 if r is None else 5,
        latex=r"\mathrm{NB}(r, p)",
        source=f"{DISCRETE}, Ch. 5",
    )


@listed
def skellam() -> Model:
    """Skellam law: difference of two Poisson variables with means ``mu1`` and ``mu2``; expectations are summed.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.skellam().at(mu1=1, mu2=2).pdf([-1, 0, 1]).round(4)
    array([0.2385, 0.2117, 0.1192])
    """
    mu1, mu2 = parameters = [positive("mu1", (0.5, 4)), positive("mu2", (0.5, 4))]
    a, b, x = mu1.symbol, mu2.symbol, Symbol("x", real=True)
    log_p = -a - b + x * (log(a) - log(b)) / 2 + log_bessel(sympy.Abs(x), 2 * sympy.sqrt(a * b))
    latex, source = r"\mathrm{Skellam}(\mu_1, \mu_2)", "Skellam, J. R. Stat. Soc. 109 (1946) 296"
    return Model("Skellam", parameters, log_p, x, sympy.S.Integers, latex=latex, source=source, budget=0)


@listed
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
    log_p = -s.symbol * log(x) - log_zeta(0, s.symbol)
    return Model("zeta", [s], log_p, x, sympy.S.Naturals, latex=r"\mathrm{Zeta}(s)", source=f"{DISCRETE}, Ch. 11")


@listed
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
    known: dict[Symbol, Expr] = {}
    number = sympy.Integer(n)
    if n > MOST_WRITTEN_OUT:  # then a symbol, over which SymPy does not sum
        number = known_count("n")
        known[number] = sympy.Integer(n)
    alpha, beta = parameters = [positive("alpha", (0.5, 4)), positive("beta", (0.5, 4))]
    a, b = alpha.symbol, beta.symbol
    coefficient = loggamma(number + 1) - loggamma(K + 1) - loggamma(number - K + 1)
    log_p = coefficient + loggamma(K + a) + loggamma(number - K + b) - loggamma(number + a + b)
    log_p += loggamma(a + b) - loggamma(a) - loggamma(b)
    return Model(
        "beta-binomial",
        parameters,
        log_p,
        K,
        sympy.Range(0, number + 1),
        constants=known,
        budget=0 if known else 5,
        latex=r"\mathrm{BetaBin}(n, \alpha, \beta)",
        source=f"{DISCRETE}, Ch. 6",
    )
