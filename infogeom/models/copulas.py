"""Laws of several variables that depend on each other, one function each."""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import Expr, ImmutableMatrix, Interval, Symbol, erfinv, exp, log, loggamma, sqrt

from infogeom.arguments import check_count
from infogeom.functions import log_sum_exp
from infogeom.models.by_name import listed
from infogeom.models.gaussians import gaussian
from infogeom.models.joint_structures import DirichletCounts, Mapped, Pairs
from infogeom.models.model import Model
from infogeom.models.parameter import UNIT_INTERVAL, Parameter, positive, real

__all__ = ["bivariate_normal", "clayton_copula", "dirichlet_multinomial", "fgm_copula", "gaussian_copula"]

#: The two variables of a copula, and the level of a quantile of the second.
U1 = Symbol("u1", positive=True)
U2 = Symbol("u2", positive=True)
LEVEL = Symbol("w", positive=True)
#: Where correlations lie.
CORRELATIONS = Interval.open(-1, 1)


def _copula(name: str, parameter: Parameter, log_p: Expr, structure: Pairs | Mapped, latex: str, source: str) -> Model:
    """Model of a pair in the unit square."""
    square = (UNIT_INTERVAL, UNIT_INTERVAL)
    return Model(
        name,
        [parameter],
        log_p,
        (U1, U2),
        square,
        structure=structure,
        budget=0,
        latex=latex,
        source=source,
    )


def _correlation(name: str) -> Parameter:
    return Parameter(Symbol(name, real=True), CORRELATIONS, (-0.8, 0.8))


@listed
def fgm_copula() -> Model:
    """Copula of Farlie, Gumbel and Morgenstern, density 1 + θ (1 − 2u) (1 − 2v): g = Σ_k θ^(2k) / (2k + 3)².

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.fgm_copula().at(theta=0.5).pdf([[0.1, 0.2], [0.1, 0.8]]).round(4)
    array([1.24, 0.76])
    """
    theta = _correlation("theta")
    slope = theta.symbol * (1 - 2 * U1)
    log_p = log(1 + slope * (1 - 2 * U2))

    # C(v | u) = v + slope v (1 − v) = w, a quadratic equation for v.
    quantile = 2 * LEVEL / (1 + slope + sqrt((1 + slope) ** 2 - 4 * slope * LEVEL))
    latex = r"c(u, v) = 1 + \theta (1 - 2 u) (1 - 2 v)"
    source = "Nelsen, An Introduction to Copulas (2006), Ex. 3.12"
    return _copula("FGM copula", theta, log_p, Pairs(U1, LEVEL, quantile), latex, source)


@listed
def clayton_copula() -> Model:
    """Clayton's copula, C(u, v) = (u^(−θ) + v^(−θ) − 1)^(−1/θ), with θ > 0.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.clayton_copula().at(theta=2).pdf([[0.1, 0.1], [0.1, 0.9]]).round(4)
    array([5.3702, 0.0409])
    """
    theta = positive("theta", (0.5, 4))
    t = theta.symbol
    sizes = -t * log(U1), -t * log(U2)
    both = log_sum_exp(*sizes)
    total = both + log(1 - exp(-both))  # log(u^(−θ) + v^(−θ) − 1), whose terms overflow
    log_p = log(1 + t) + (1 + 1 / t) * (sizes[0] + sizes[1]) - (2 + 1 / t) * total
    quantile = ((LEVEL ** (-t / (1 + t)) - 1) * U1**-t + 1) ** (-1 / t)
    latex = r"C(u, v) = \left(u^{-\theta} + v^{-\theta} - 1\right)^{-1/\theta}"
    source = "Clayton, Biometrika 65 (1978) 141–151"
    return _copula("Clayton copula", theta, log_p, Pairs(U1, LEVEL, quantile), latex, source)


@listed
def gaussian_copula() -> Model:
    """Copula of two normal variables with correlation ``rho``: metric (1 + ρ²)/(1 − ρ²)².

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.gaussian_copula().metric().matrix.tolist()
    [[(rho**2 + 1)/(1 - rho**2)**2]]
    >>> ig.models.gaussian_copula().at(rho=0.6).pdf([[0.5, 0.5]]).round(4)
    array([1.25])
    """
    rho = _correlation("rho")
    r = rho.symbol
    law = gaussian([0, 0], ImmutableMatrix([[1, r], [r, 1]]), [rho])
    seen = tuple((1 + sympy.erf(x / sqrt(2))) / 2 for x in law.variables)
    a, b = (sqrt(2) * erfinv(2 * u - 1) for u in (U1, U2))
    log_p = -log(1 - r**2) / 2 - (r**2 * (a**2 + b**2) - 2 * r * a * b) / (2 * (1 - r**2))
    latex = r"C(u, v) = \Phi_\rho(\Phi^{-1}(u), \Phi^{-1}(v))"
    source = "Nelsen, An Introduction to Copulas (2006), Eq. 2.3.6"
    return _copula("Gaussian copula", rho, log_p, Mapped(law, seen), latex, source)


@listed
def bivariate_normal() -> Model:
    """Normal law of a pair by ``mu1``, ``mu2``, standard deviations ``sigma1``, ``sigma2`` and correlation ``rho``.

    It is `multivariate_normal(2)` in other coordinates: R = −9/2.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.bivariate_normal().at(mu1=0, mu2=0, sigma1=1, sigma2=2, rho=0.6).pdf([[0, 0]]).round(4)
    array([0.0995])
    """
    means = [real(f"mu{k}", (-1.5, 1.5)) for k in (1, 2)]
    deviations, rho = [positive(f"sigma{k}") for k in (1, 2)], _correlation("rho")
    s1, s2, r = (p.symbol for p in (*deviations, rho))
    covariance = ImmutableMatrix([[s1**2, r * s1 * s2], [r * s1 * s2, s2**2]])
    parameters = [*means, *deviations, rho]
    law = gaussian([p.symbol for p in means], covariance, parameters, name="bivariate normal")
    return replace(law, latex=r"x \sim \mathcal{N}(\mu, \Sigma)", source="Skovgaard (1984), Sec. 2")


@listed
def dirichlet_multinomial(n: int, outcomes: int) -> Model:
    """Counts of ``n`` trials whose probabilities follow a Dirichlet law with parameters ``alpha1`` …; Pólya's urn.

    Parameters
    ----------
    n : int
        Number of trials, at least 2: with one trial only the shares of the parameters matter.
    outcomes : int
        At least 2.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.dirichlet_multinomial(2, 3).at(alpha1=1, alpha2=1, alpha3=1).pdf([[0, 0], [1, 1]]).round(4)
    array([0.1667, 0.1667])
    """
    check_count("n", n, 2)
    check_count("outcomes", outcomes, 2)
    alpha = [positive(f"alpha{k + 1}", (0.5, 4)) for k in range(outcomes)]
    x = [Symbol(f"x{k + 1}", nonnegative=True) for k in range(outcomes - 1)]
    left = [n - sympy.Add(*x[:k]) for k in range(outcomes)]  # of the trials, by those before
    counts, weights = [*x, left[-1]], tuple(p.symbol for p in alpha)
    total = sympy.Add(*weights)
    log_p = loggamma(n + 1) + loggamma(total) - loggamma(n + total)
    for weight, count in zip(weights, counts, strict=True):
        log_p += loggamma(count + weight) - loggamma(weight) - loggamma(count + 1)
    supports = tuple(sympy.Range(0, most + 1) for most in left[:-1])
    return Model(
        "Dirichlet-multinomial",
        alpha,
        log_p,
        tuple(x),
        supports,
        structure=DirichletCounts(weights, n),
        budget=0,
        latex=r"P(x) = \binom{n}{x} \frac{B(\alpha + x)}{B(\alpha)}",
        source="Johnson, Kotz & Balakrishnan, Discrete Multivariate Distributions (1997), Ch. 35, Sec. 13.1",
    )
