"""The laws that SciPy has, by the name of the family."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from scipy import stats

from infogeom.distributions.density import Density

__all__ = ["known_to_scipy"]

#: Where the densities are compared, and how near they must be, but for a few roundings of what cancels in SciPy's.
SHARES = (0.05, 0.3, 0.5, 0.8, 0.95)
TOLERANCE = 1e-8
#: Roundings of a density that may differ besides.
ROUNDINGS = 64
#: Below, a millionth of a zeta law and more lies beyond the integers of 64 bits, and SciPy's sampler leaves it off.
LEAST_OF_ZETA = 1.35
#: Beyond such means SciPy's quantiles of counts do not end.
LARGEST_COUNT = 2.0**53


def known_to_scipy(density: Density) -> Any | None:
    """Frozen law of SciPy that has this density; None where there is none."""
    constants = map(float, density.model.constants.values())
    frozen = _frozen(density.model.name, *density.point.values(), *constants)
    if frozen is None:
        return None
    with np.errstate(over="ignore", divide="ignore", under="ignore"):  # quantiles beyond float64
        x = np.asarray(frozen.ppf(SHARES), dtype=float)
    x = x[np.isfinite(x) & ~np.isin(x, _ends(density))]  # where they are not rounded to an end
    if not x.size:
        return None
    theirs = frozen.logpmf(x) if hasattr(frozen, "logpmf") else frozen.logpdf(x)
    tolerance = TOLERANCE * (1 + np.abs(theirs)) + ROUNDINGS * density.rounding([x])
    agree = bool((np.abs(density.log_in_full([x]) - theirs) <= tolerance).all())
    return frozen if agree else None


def _ends(density: Density) -> list[float]:
    (support,) = density.supports or (None,)
    return [float(support.start), float(support.end)] if isinstance(support, sympy.Interval) else []


def _frozen(*named: Any) -> Any | None:
    """Law of a family's name, its parameters in order and its constants; believed where the densities agree."""
    # Their parameters are in other places and units than ours; a law that only nearly agrees would be found out.
    match named:
        case ("Bernoulli", p):
            return stats.bernoulli(p)
        case ("Burr", c, k, scale):
            return stats.burr12(c, k, scale=scale)
        case ("Cauchy", mu, gamma):
            return stats.cauchy(mu, gamma)
        case ("Fréchet", shape, scale):
            return stats.invweibull(shape, scale=scale)
        case ("Gumbel", mu, beta):
            return stats.gumbel_r(mu, beta)
        case ("Laplace", mu, b):
            return stats.laplace(mu, b)
        case ("Lomax", shape, scale):
            return stats.lomax(shape, scale=scale)
        case ("Maxwell", scale):
            return stats.maxwell(scale=scale)
        case ("Nakagami", shape, spread):
            return stats.nakagami(shape, scale=np.sqrt(spread))
        case ("Pareto", alpha):
            return stats.pareto(alpha)
        case ("Poisson", rate):
            return stats.poisson(rate)
        case ("Rayleigh", sigma):
            return stats.rayleigh(scale=sigma)
        case ("Rice", nu, sigma):
            return stats.rice(nu / sigma, scale=sigma)
        case ("Skellam", mu1, mu2):
            return stats.skellam(mu1, mu2)
        case ("Student", mu, sigma, nu):
            return stats.t(nu, mu, sigma)
        case ("Yule–Simon", rho):
            return stats.yulesimon(rho)
        case ("Weibull", shape, scale):
            return stats.weibull_min(shape, scale=scale)
        case ("beta", alpha, beta):
            return stats.beta(alpha, beta)
        case ("beta prime", alpha, beta):
            return stats.betaprime(alpha, beta)
        case ("binomial", p, n):
            return stats.binom(round(n), p)
        case ("chi-squared", nu):
            return stats.chi2(nu)
        case ("exponential", rate):
            return stats.expon(scale=1 / rate)
        case ("exponentiated exponential", shape, rate):
            return stats.exponweib(shape, 1, scale=1 / rate)
        case ("gamma", shape, rate):
            return stats.gamma(shape, scale=1 / rate)
        case ("generalised extreme value", mu, sigma, xi):
            return stats.genextreme(-xi, mu, sigma)
        case ("generalised gamma", scale, shape, power):
            return stats.gengamma(shape, power, scale=scale)
        case ("generalised normal", mu, alpha, beta):
            return stats.gennorm(beta, mu, alpha)
        case ("generalised Pareto", scale, xi):
            return stats.genpareto(xi, scale=scale)
        case ("geometric", p):
            return stats.geom(p, loc=-1)
        case ("half-normal", sigma):
            return stats.halfnorm(scale=sigma)
        case ("hyperbolic secant", mu, sigma):
            return stats.hypsecant(mu, 2 * sigma / np.pi)
        case ("inverse Gaussian", mu, shape):
            return stats.invgauss(mu / shape, scale=shape)
        case ("inverse gamma", shape, scale):
            return stats.invgamma(shape, scale=scale)
        case ("log-logistic", alpha, beta):
            return stats.fisk(beta, scale=alpha)
        case ("log-series", p):
            return stats.logser(p)
        case ("log-normal", mu, sigma):
            return stats.lognorm(sigma, scale=np.exp(mu))
        case ("logistic", mu, s):
            return stats.logistic(mu, s)
        case ("negative binomial", r, p) if r / p < LARGEST_COUNT:
            return stats.nbinom(r, p)
        case ("normal", mu, sigma):
            return stats.norm(mu, sigma)
        case ("skew normal", xi, omega, alpha):
            return stats.skewnorm(alpha, xi, omega)
        case ("von Mises", mu, kappa):
            return stats.vonmises(kappa, mu)
        case ("zeta", s) if s >= LEAST_OF_ZETA:
            return stats.zipf(s)
    return None
