"""Families of counts whose tails are longer than Poisson's, or as long as one likes, one function each."""

from __future__ import annotations

import sympy
from sympy import Eq, Piecewise, Symbol, exp, log, loggamma
from sympy.codegen.cfunctions import expm1, log1p

from infogeom.functions import lgamma_difference, log_conway_maxwell, log_exprel
from infogeom.models.by_name import listed
from infogeom.models.model import Model
from infogeom.models.parameter import positive, probability
from infogeom.models.sources import DISCRETE
from infogeom.models.structures import Exponential

__all__ = ["conway_maxwell_poisson", "discrete_weibull", "log_series", "yule_simon"]

#: Counts from 1 on.
COUNT = Symbol("x", positive=True)


@listed
def log_series() -> Model:
    """Logarithmic series law of ``p``, with probabilities −p^x/(x log(1 − p)) of 1, 2, 3 and so on.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.log_series().at(p=0.5).pdf([1, 2, 3]).round(4)
    array([0.7213, 0.1803, 0.0601])
    >>> ig.models.log_series().metric().at(p=1e-9).round(0)
    array([[5.e+08]])
    """
    p = probability()
    # log(−log(1 − p)) is log p − log((e^u − 1)/u) for u = log(1 − p), and so keeps its digits.
    log_p = (COUNT - 1) * log(p.symbol) - log(COUNT) + log_exprel(0, log(1 - p.symbol))
    latex, source = r"\mathrm{LogSeries}(p)", f"{DISCRETE}, Ch. 7"
    return Model("log-series", [p], log_p, COUNT, sympy.S.Naturals, latex=latex, source=source)


@listed
def yule_simon() -> Model:
    """Yule–Simon law, probabilities ρ B(x, ρ + 1) of 1, 2, 3 and so on: a power law of exponent ``rho`` + 1.

    Its metric is summed.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.yule_simon().at(rho=1).pdf([1, 2, 3]).round(4)
    array([0.5   , 0.1667, 0.0833])
    """
    rho = positive("rho", (0.5, 5))
    r = rho.symbol
    log_p = log(r) + loggamma(r + 1) - lgamma_difference(COUNT, r + 1)
    latex, source = r"\mathrm{Yule}(\rho)", "Simon, Biometrika 42 (1955) 425–440"
    return Model("Yule–Simon", [rho], log_p, COUNT, sympy.S.Naturals, latex=latex, source=source, budget=0)


@listed
def discrete_weibull() -> Model:
    """Discrete Weibull law of ``q`` and ``beta``, survival P(X ≥ x) = q^(x^β): whole parts of Weibull variables.

    Its metric is summed.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.discrete_weibull().at(q=0.5, beta=1).pdf([0, 1, 2]).round(4)
    array([0.5  , 0.25 , 0.125])
    """
    q, beta = parameters = [probability("q"), positive("beta", (0.5, 3))]
    hazard, b, x = -log(q.symbol), beta.symbol, Symbol("x", nonnegative=True)

    # Of e^(−h x^β) − e^(−h (x + 1)^β) the second factor is 1 − e^−d, d = h ((x + 1)^β − x^β), and keeps its digits.
    step = -hazard * (x + 1) ** b * expm1(b * log1p(-1 / (x + 1)))
    beyond = -hazard * x**b + log(step) + log_exprel(0, -step)
    log_p = Piecewise((log(1 - q.symbol), Eq(x, 0)), (beyond, True))
    latex, source = r"\mathrm{Weibull}_\mathbb{N}(q, \beta)", "Nakagawa & Osaki, IEEE Trans. Reliability 24 (1975) 300"
    return Model("discrete Weibull", parameters, log_p, x, sympy.S.Naturals0, latex=latex, source=source, budget=0)


@listed
def conway_maxwell_poisson() -> Model:
    """Conway–Maxwell–Poisson law, probabilities ∝ λ^x/x!^ν of ``rate`` λ and ``nu``: Poisson's for ν = 1.

    Wider than Poisson's for ν < 1, with a geometric law for ν → 0, and narrower for ν > 1, with Bernoulli's for ν → ∞.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.conway_maxwell_poisson().at(rate=2, nu=1).pdf([0, 1, 2]).round(4)
    array([0.1353, 0.2707, 0.2707])
    >>> ig.models.conway_maxwell_poisson().metric().at(rate=2, nu=1).round(4)
    array([[ 0.5  , -0.978],
           [-0.978,  2.167]])
    """
    rate, nu = parameters = [positive("rate", (0.5, 5)), positive("nu", (0.5, 3))]
    x, r, n, eta = Symbol("x", nonnegative=True), rate.symbol, nu.symbol, Symbol("eta", real=True)
    log_p = x * log(r) - n * loggamma(x + 1) - log_conway_maxwell(0, 0, r, n)
    known = Exponential(log_conway_maxwell(0, 0, exp(eta), n), ((eta, log(r)), (n, n)))
    latex, source = r"\mathrm{CMP}(\lambda, \nu)", "Shmueli et al., J. R. Stat. Soc. C 54 (2005) 127–142"
    name = "Conway–Maxwell–Poisson"
    return Model(name, parameters, log_p, x, sympy.S.Naturals0, structure=known, latex=latex, source=source)
