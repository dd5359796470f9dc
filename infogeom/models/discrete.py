"""Families of discrete distributions, one function each."""

from __future__ import annotations

from numbers import Integral

import sympy
from sympy import Expr, Interval, Set, Symbol, log, loggamma, oo

from infogeom.functions import log_bessel, log_zeta
from infogeom.models.model import Model, Parameter, check_count

__all__ = ["bernoulli", "beta_binomial", "binomial", "geometric", "negative_binomial", "poisson", "skellam", "zeta"]

#: Source that many families share.
JOHNSON = "Johnson, Kemp & Kotz, Univariate Discrete Distributions (2005)"
COUNTS = sympy.S.Naturals0
#: Not declared an integer, for which SymPy would write log Γ(x) as log(Γ(x)), which overflows.
X = Symbol("x", nonnegative=True)


def _probability(name: str = "p") -> Parameter:
    return Parameter(Symbol(name, positive=True), Interval.open(0, 1), (0.05, 0.95))


def _positive(name: str, typical: tuple[float, float] = (0.5, 4)) -> Parameter:
    return Parameter(Symbol(name, positive=True), Interval.open(0, oo), typical)


def _model(name: str, parameters: list[Parameter], law: Expr, support: Set, latex: str, source: str) -> Model:
    return Model(name, parameters, law, X, support, latex=latex, source=source)


def bernoulli() -> Model:
    """One trial with success probability ``p``: metric 1/(p (1 − p))."""
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
    """Number of failures before the first success, of probability ``p``: metric 1/(p² (1 − p))."""
    p = _probability()
    law = log(p.symbol) + X * log(1 - p.symbol)
    return _model("geometric", [p], law, COUNTS, r"\mathrm{Geom}(p)", f"{JOHNSON}, Ch. 5")


def poisson() -> Model:
    """Poisson law with mean ``rate``: metric 1/rate."""
    rate = _positive("rate")
    law = X * log(rate.symbol) - rate.symbol - loggamma(X + 1)
    return _model("Poisson", [rate], law, COUNTS, r"\mathrm{Poisson}(\mathrm{rate})", f"{JOHNSON}, Ch. 4")


def negative_binomial(r: int | None = None) -> Model:
    """Number of failures before the r-th success of probability ``p``; r need not be an integer.

    Parameters
    ----------
    r : int, or any positive number that SymPy can hold exactly, optional
        Fixes r: metric r/(p² (1 − p)). When omitted, ``r`` is a parameter, and its information has no closed form.

    Raises
    ------
    ValueError
        When r is not positive.

    Examples
    --------
    By its mean and dispersion r:

    >>> import sympy, infogeom as ig
    >>> r, mean = sympy.symbols("r mean", positive=True)
    >>> law = ig.models.reparametrise(ig.models.negative_binomial(), {"p": r / (r + mean)}, [r, mean])
    >>> [p.name for p in law.parameters]
    ['r', 'mean']
    """
    free = r is None
    number: Expr = Symbol("r", positive=True) if free else sympy.sympify(r)
    if not free and not (number.is_number and number.is_positive):
        raise ValueError(f"negative_binomial: r must be positive, got {r!r}")
    p = _probability()
    coefficient = loggamma(X + number) - loggamma(number) - loggamma(X + 1)
    law = coefficient + number * log(p.symbol) + X * log(1 - p.symbol)
    parameters = [_positive("r"), p] if free else [p]
    latex, source = r"\mathrm{NB}(r, p)", f"{JOHNSON}, Ch. 5"
    budget = 0 if free else 5
    return Model("negative binomial", parameters, law, X, COUNTS, latex=latex, source=source, budget=budget)


def skellam() -> Model:
    """Skellam law: difference of two Poisson variables with means ``mu1`` and ``mu2``; expectations are summed."""
    mu1, mu2 = parameters = [_positive("mu1"), _positive("mu2")]
    a, b, x = mu1.symbol, mu2.symbol, Symbol("x", real=True)
    law = -a - b + x * (log(a) - log(b)) / 2 + log_bessel(sympy.Abs(x), 2 * sympy.sqrt(a * b))
    latex, source = r"\mathrm{Skellam}(\mu_1, \mu_2)", "Skellam, J. R. Stat. Soc. 109 (1946) 296"
    return Model("Skellam", parameters, law, x, sympy.S.Integers, latex=latex, source=source, budget=0)


def zeta() -> Model:
    """Zeta law (power law on 1, 2, 3, …) with exponent ``s`` > 1: metric (log ζ)″(s)."""
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
    """
    check_count("n", n, least=2)
    alpha, beta = parameters = [_positive("alpha"), _positive("beta")]
    a, b = alpha.symbol, beta.symbol
    coefficient = loggamma(sympy.Integer(n + 1)) - loggamma(X + 1) - loggamma(n - X + 1)
    law = coefficient + loggamma(X + a) + loggamma(n - X + b) - loggamma(n + a + b)
    law += loggamma(a + b) - loggamma(a) - loggamma(b)
    latex = r"\mathrm{BetaBin}(n, \alpha, \beta)"
    source, budget = f"{JOHNSON}, Ch. 6", 5 if n <= 3 else 0
    return Model("beta-binomial", parameters, law, X, sympy.Range(0, n + 1), latex=latex, source=source, budget=budget)
