"""Families of laws of a positive number, one function each.

Other parametrisations are one call of `infogeom.models.reparametrise` away; docstrings show the usual ones.
"""

from __future__ import annotations

from sympy import Expr, Interval, Rational, Set, Symbol, log, loggamma, oo, pi

from infogeom.arguments import positive_number
from infogeom.models.by_name import listed
from infogeom.models.model import Model
from infogeom.models.parameter import POSITIVE, Parameter, positive, real
from infogeom.models.sources import CONTINUOUS_1, CONTINUOUS_2

__all__ = [
    "beta_prime",
    "chi_squared",
    "exponential",
    "frechet",
    "gamma",
    "half_normal",
    "inverse_gamma",
    "inverse_gaussian",
    "log_logistic",
    "log_normal",
    "pareto",
    "rayleigh",
    "weibull",
]

R = Symbol("x", positive=True)


def _on_half_line(
    name: str, parameters: list[Parameter], log_p: Expr, latex: str, source: str, support: Set = POSITIVE
) -> Model:
    """Model of one positive variable."""
    return Model(name, parameters, log_p, R, support, latex=latex, source=source)


@listed
def log_normal() -> Model:
    """Log-normal law: log x is normal with mean ``mu`` and standard deviation ``sigma``. R = −1.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.log_normal().metric().matrix.tolist()
    [[sigma**(-2), 0], [0, 2/sigma**2]]
    """
    mu, sigma = parameters = [real("mu"), positive("sigma")]
    m, s = mu.symbol, sigma.symbol
    log_p = -log(R) - log(s) - log(2 * pi) / 2 - (log(R) - m) ** 2 / (2 * s**2)
    return _on_half_line(
        "log-normal", parameters, log_p, r"\mathrm{LogNormal}(\mu, \sigma^2)", f"{CONTINUOUS_1}, Ch. 14"
    )


@listed
def half_normal() -> Model:
    """Law of the magnitude of a normal variable around 0 with standard deviation ``sigma``.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.half_normal().metric().matrix.tolist()
    [[2/sigma**2]]
    """
    (sigma,) = parameters = [positive("sigma")]
    s = sigma.symbol
    log_p = log(2 / pi) / 2 - log(s) - R**2 / (2 * s**2)
    return _on_half_line("half-normal", parameters, log_p, r"\mathrm{HalfNormal}(\sigma)", f"{CONTINUOUS_1}, Ch. 13")


@listed
def exponential() -> Model:
    """Exponential law with ``rate``; reparametrise by {"rate": 1/mean} for its mean.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.exponential().metric().matrix.tolist()
    [[rate**(-2)]]
    """
    (rate,) = parameters = [positive("rate")]
    log_p = log(rate.symbol) - rate.symbol * R
    return _on_half_line("exponential", parameters, log_p, r"\mathrm{Exp}(\mathrm{rate})", f"{CONTINUOUS_1}, Ch. 19")


@listed
def gamma() -> Model:
    """Gamma law with ``shape`` and ``rate``.

    Examples
    --------
    By shape and mean, which are orthogonal; for large shapes write ψ′(shape) − 1/shape as
    ``infogeom.functions.polygamma_excess(1, shape)``:

    >>> import sympy, infogeom as ig
    >>> shape, mean = sympy.symbols("shape mean", positive=True)
    >>> law = ig.models.reparametrise(ig.models.gamma(), {"rate": shape / mean})
    >>> ig.symbolic.metric(law).matrix[1, 1], ig.symbolic.metric(law).matrix[0, 1]
    (shape/mean**2, 0)
    """
    shape, rate = parameters = [positive("shape", (0.5, 4)), positive("rate")]
    k, b = shape.symbol, rate.symbol
    log_p = k * log(b) - loggamma(k) + (k - 1) * log(R) - b * R
    return _on_half_line(
        "gamma", parameters, log_p, r"\mathrm{Gamma}(\mathrm{shape}, \mathrm{rate})", f"{CONTINUOUS_1}, Ch. 17"
    )


@listed
def inverse_gamma() -> Model:
    """Inverse gamma law with ``shape`` and ``scale``: 1/x is gamma with that shape and that rate.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.inverse_gamma().metric().matrix.tolist()
    [[polygamma(1, shape), -1/scale], [-1/scale, shape/scale**2]]
    """
    shape, scale = parameters = [positive("shape", (0.5, 4)), positive("scale")]
    k, b = shape.symbol, scale.symbol
    log_p = k * log(b) - loggamma(k) - (k + 1) * log(R) - b / R
    return _on_half_line(
        "inverse gamma",
        parameters,
        log_p,
        r"\mathrm{InvGamma}(\mathrm{shape}, \mathrm{scale})",
        f"{CONTINUOUS_1}, Ch. 17",
    )


@listed
def chi_squared() -> Model:
    """χ² law with ``nu`` degrees of freedom, any positive number.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.chi_squared().metric().matrix.tolist()
    [[polygamma(1, nu/2)/4]]
    """
    (nu,) = parameters = [positive("nu", (0.8, 8))]
    k = nu.symbol / 2
    log_p = -k * log(2) - loggamma(k) + (k - 1) * log(R) - R / 2
    return _on_half_line("chi-squared", parameters, log_p, r"\chi^2(\nu)", f"{CONTINUOUS_1}, Ch. 18")


@listed
def weibull() -> Model:
    """Weibull law exp(−(x/scale)^shape) of survival. Constant curvature R = −12/π²: its logarithm is a Gumbel law.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.weibull().at(shape=2, scale=1).pdf([1, 2]).round(4)
    array([0.7358, 0.0733])
    """
    shape, scale = parameters = [positive("shape", (0.5, 4)), positive("scale")]
    k, s = shape.symbol, scale.symbol
    log_p = log(k) - log(s) + (k - 1) * log(R / s) - (R / s) ** k
    return _on_half_line(
        "Weibull",
        parameters,
        log_p,
        r"\mathrm{Weibull}(\mathrm{shape}, \mathrm{scale})",
        f"{CONTINUOUS_1}, Ch. 21",
    )


@listed
def rayleigh() -> Model:
    """Rayleigh law: length of a vector of two normal components with standard deviation ``sigma``.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.rayleigh().metric().matrix.tolist()
    [[4/sigma**2]]
    """
    (sigma,) = parameters = [positive("sigma")]
    s = sigma.symbol
    log_p = log(R) - 2 * log(s) - R**2 / (2 * s**2)
    return _on_half_line("Rayleigh", parameters, log_p, r"\mathrm{Rayleigh}(\sigma)", f"{CONTINUOUS_1}, Ch. 18")


@listed
def frechet() -> Model:
    """Fréchet law of maxima with ``shape`` and ``scale``: exp(−(x/scale)^−shape). R = −12/π².

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.frechet().at(shape=2, scale=1).pdf([1, 2]).round(4)
    array([0.7358, 0.1947])
    """
    shape, scale = parameters = [positive("shape", (0.5, 4)), positive("scale")]
    k, s = shape.symbol, scale.symbol
    log_p = log(k) - log(s) - (k + 1) * log(R / s) - (R / s) ** (-k)
    return _on_half_line(
        "Fréchet",
        parameters,
        log_p,
        r"\mathrm{Fr\acute{e}chet}(\mathrm{shape}, \mathrm{scale})",
        f"{CONTINUOUS_2}, Ch. 22",
    )


@listed
def log_logistic() -> Model:
    """Log-logistic law with scale ``alpha`` and shape ``beta``: log x is logistic around log α with scale 1/β.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.log_logistic().at(alpha=1, beta=2).pdf([1, 2]).round(4)
    array([0.5 , 0.16])
    """
    alpha, beta = parameters = [positive("alpha"), positive("beta", (0.5, 4))]
    a, b = alpha.symbol, beta.symbol
    log_p = log(b) - log(a) + (b - 1) * log(R / a) - 2 * log(1 + (R / a) ** b)
    return _on_half_line(
        "log-logistic", parameters, log_p, r"\mathrm{LogLogistic}(\alpha, \beta)", f"{CONTINUOUS_2}, Ch. 23"
    )


@listed
def pareto(minimum: int | float | Expr = 1) -> Model:
    """Pareto law with tail index ``alpha`` beyond a fixed lower bound.

    Parameters
    ----------
    minimum : number
        The bound, positive; no parameter, since the support must not depend on one.

    Raises
    ------
    TypeError, ValueError
        When minimum is not a positive number.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.pareto().metric().matrix.tolist()
    [[alpha**(-2)]]
    """
    least = positive_number("minimum", minimum)
    alpha = positive("alpha", (0.5, 4))
    a = alpha.symbol
    log_p = log(a) + a * log(least) - (a + 1) * log(R)
    latex, source = r"\mathrm{Pareto}(\alpha)", f"{CONTINUOUS_1}, Ch. 20"
    return _on_half_line("Pareto", [alpha], log_p, latex, source, Interval(least, oo))


@listed
def beta_prime() -> Model:
    """Beta prime law: x/(1 + x) is beta with shapes ``alpha`` and ``beta``, and so is the metric.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.beta_prime().at(alpha=2, beta=3).pdf([0.5, 1]).round(4)
    array([0.7901, 0.375 ])
    """
    alpha, other = parameters = [positive("alpha", (0.5, 4)), positive("beta", (0.5, 4))]
    a, b = alpha.symbol, other.symbol
    log_p = loggamma(a + b) - loggamma(a) - loggamma(b) + (a - 1) * log(R) - (a + b) * log(1 + R)
    return _on_half_line("beta prime", parameters, log_p, r"\mathrm{Beta}'(\alpha, \beta)", f"{CONTINUOUS_2}, Ch. 27")


@listed
def inverse_gaussian() -> Model:
    """Inverse Gaussian law with mean ``mu`` and ``shape`` λ: metric diag(λ/μ³, 1/(2λ²)), R = −1.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.inverse_gaussian().metric().matrix.tolist()
    [[shape/mu**3, 0], [0, 1/(2*shape**2)]]
    """
    mu, shape = parameters = [positive("mu"), positive("shape")]
    m, s = mu.symbol, shape.symbol
    log_p = log(s / (2 * pi)) / 2 - Rational(3, 2) * log(R) - s * (R - m) ** 2 / (2 * m**2 * R)
    return _on_half_line("inverse Gaussian", parameters, log_p, r"\mathrm{IG}(\mu, \lambda)", f"{CONTINUOUS_1}, Ch. 15")
