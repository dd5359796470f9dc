"""Families of laws on the whole line, one function each.

Other parametrisations are one call of `infogeom.models.reparametrise` away; docstrings show the usual ones.
"""

from __future__ import annotations

from sympy import Abs, Expr, Interval, Rational, Symbol, exp, log, loggamma, oo, pi, sech

from infogeom.arguments import positive_number
from infogeom.functions import log_normal_cdf
from infogeom.models.by_name import listed
from infogeom.models.model import Model
from infogeom.models.parameter import POSITIVE, REALS, Constant, Parameter, positive, real
from infogeom.models.sources import CONTINUOUS_1, CONTINUOUS_2

__all__ = [
    "cauchy",
    "generalised_extreme_value",
    "generalised_normal",
    "gumbel",
    "hyperbolic_secant",
    "laplace",
    "logistic",
    "normal",
    "skew_normal",
    "student_t",
]

X = Symbol("x", real=True)


def _on_line(name: str, parameters: list[Parameter], log_p: Expr, latex: str, source: str) -> Model:
    """Model of one variable of any sign."""
    return Model(name, parameters, log_p, X, REALS, latex=latex, source=source)


@listed
def normal() -> Model:
    """Normal law with mean ``mu`` and standard deviation ``sigma``.

    Metric diag(1, 2)/σ² (Eq. 3.1.5), the hyperbolic plane: R = −1.

    Examples
    --------
    By its variance, by its precision:

    >>> import sympy, infogeom as ig
    >>> variance, precision = sympy.symbols("variance precision", positive=True)
    >>> law = ig.models.reparametrise(ig.models.normal(), {"sigma": sympy.sqrt(variance)})
    >>> ig.symbolic.metric(law).matrix.tolist()
    [[1/variance, 0], [0, 1/(2*variance**2)]]
    >>> law = ig.models.reparametrise(ig.models.normal(), {"sigma": 1 / sympy.sqrt(precision)})
    >>> ig.symbolic.metric(law).matrix.tolist()
    [[precision, 0], [0, 1/(2*precision**2)]]
    """
    mu, sigma = parameters = [real("mu"), positive("sigma")]
    m, s = mu.symbol, sigma.symbol
    log_p = -log(s) - log(2 * pi) / 2 - (X - m) ** 2 / (2 * s**2)
    return _on_line("normal", parameters, log_p, r"\mathcal{N}(\mu, \sigma^2)", f"{CONTINUOUS_1}, Ch. 13")


@listed
def gumbel() -> Model:
    """Gumbel law of maxima with location ``mu`` and scale ``beta``: exp(−exp(−(x − μ)/β)). R = −12/π².

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.gumbel().at(mu=0, beta=1).pdf([0, 1]).round(4)
    array([0.3679, 0.2546])
    """
    mu, beta = parameters = [real("mu"), positive("beta")]
    z = (X - mu.symbol) / beta.symbol
    return _on_line(
        "Gumbel",
        parameters,
        -log(beta.symbol) - z - exp(-z),
        r"\mathrm{Gumbel}(\mu, \beta)",
        f"{CONTINUOUS_2}, Ch. 22",
    )


@listed
def generalised_extreme_value() -> Model:
    """Generalised extreme value law of maxima with location ``mu``, scale ``sigma`` and shape ``xi`` > −½.

    Fréchet for ξ > 0, Gumbel at ξ = 0, where the metric is smooth, reversed Weibull for ξ < 0.  The support ends where
    1 + ξ (x − μ)/σ = 0 and moves with the parameters, but u = (1 + ξ (x − μ)/σ)^(−1/ξ) is exponentially distributed,
    and the law is regular for ξ > −½ (Smith, Biometrika 72 (1985) 67–90).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.generalised_extreme_value().at(mu=0, sigma=1, xi=0.5).pdf([-3, 0, 1]).round(4)
    array([0.    , 0.3679, 0.19  ])
    """
    mu, sigma = real("mu"), positive("sigma")
    xi = Parameter(Symbol("xi", real=True), Interval.open(Rational(-1, 2), oo), (-0.3, 0.6))
    m, s, k, u = mu.symbol, sigma.symbol, xi.symbol, Symbol("u", positive=True)
    y = 1 + k * (X - m) / s
    log_p = -log(s) - (1 + 1 / k) * log(y) - y ** (-1 / k)
    return Model(
        "generalised extreme value",
        [mu, sigma, xi],
        log_p,
        u,
        POSITIVE,
        change_of_variable={X: m + s * (u**-k - 1) / k},
        latex=r"\mathrm{GEV}(\mu, \sigma, \xi)",
        source="Prescott & Walden, Biometrika 67 (1980) 723–724",
    )


@listed
def logistic() -> Model:
    """Logistic law with location ``mu`` and scale ``s``. Metric diag(3, 3 + π²)/(9 s²), R = −18/(3 + π²).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.logistic().at(mu=0, s=1).pdf([0, 1]).round(4)
    array([0.25  , 0.1966])
    """
    mu, scale = parameters = [real("mu"), positive("s")]
    z = (X - mu.symbol) / scale.symbol
    log_p = -log(scale.symbol) - z - 2 * log(1 + exp(-z))
    return _on_line("logistic", parameters, log_p, r"\mathrm{Logistic}(\mu, s)", f"{CONTINUOUS_2}, Ch. 23")


@listed
def laplace() -> Model:
    """Laplace law with location ``mu`` and scale ``b``: the unit metric over b², R = −2.

    E[s sᵀ] is meant; −E[∂∂ log p] misses the kink at μ.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.laplace().at(mu=0, b=1).pdf([0, 1]).round(4)
    array([0.5   , 0.1839])
    """
    mu, scale = parameters = [real("mu"), positive("b")]
    log_p = -log(2 * scale.symbol) - Abs(X - mu.symbol) / scale.symbol
    return _on_line("Laplace", parameters, log_p, r"\mathrm{Laplace}(\mu, b)", f"{CONTINUOUS_2}, Ch. 24")


@listed
def generalised_normal() -> Model:
    """Generalised normal law exp(−(|x − μ|/α)^β) with location ``mu``, scale ``alpha`` and shape ``beta`` > ½.

    For β ≤ ½ the information about μ is infinite.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.generalised_normal().at(mu=0, alpha=1, beta=4).pdf([0, 1]).round(4)
    array([0.5516, 0.2029])
    """
    mu, alpha = real("mu"), positive("alpha")
    beta = Parameter(Symbol("beta", positive=True), Interval.open(Rational(1, 2), oo), (0.8, 4))
    a, b = alpha.symbol, beta.symbol
    log_p = log(b) - log(2 * a) - loggamma(1 / b) - (Abs(X - mu.symbol) / a) ** b
    source = "Nadarajah, A generalized normal distribution, J. Appl. Stat. 32 (2005) 685–694"
    return _on_line("generalised normal", [mu, alpha, beta], log_p, r"\mathrm{GN}(\mu, \alpha, \beta)", source)


@listed
def student_t(nu: int | float | Expr | None = None) -> Model:
    """Student's t law with location ``mu``, scale ``sigma`` and ``nu`` degrees of freedom.

    Parameters
    ----------
    nu : number, optional
        Fixes the degrees of freedom; R = −(ν + 3)/ν then. When omitted they are a parameter.

    Raises
    ------
    TypeError, ValueError
        When nu is not a positive number.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.student_t(3).metric().matrix.tolist()
    [[2/(3*sigma**2), 0], [0, sigma**(-2)]]
    """
    mu, sigma = parameters = [real("mu"), positive("sigma")]
    known: dict[Symbol, Expr] = {}
    if nu is None:
        parameters.append(positive("nu", (1.5, 8)))
        n = parameters[-1].symbol
    else:
        n = Constant("nu", positive=True)
        known[n] = positive_number("nu", nu)
    s, z = sigma.symbol, (X - mu.symbol) / sigma.symbol
    log_p = loggamma((n + 1) / 2) - loggamma(n / 2) - log(pi * n) / 2 - log(s) - (n + 1) / 2 * log(1 + z**2 / n)
    name = "Student" if nu is None else "Student, known degrees of freedom"
    latex, source = r"t_\nu(\mu, \sigma)", f"{CONTINUOUS_2}, Ch. 28"
    return Model(name, parameters, log_p, X, REALS, constants=known, latex=latex, source=source)


@listed
def cauchy() -> Model:
    """Cauchy law with location ``mu`` and scale ``gamma``: the unit metric over 2γ², R = −4.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.cauchy().metric().matrix.tolist()
    [[1/(2*gamma**2), 0], [0, 1/(2*gamma**2)]]
    """
    mu, scale = parameters = [real("mu"), positive("gamma")]
    log_p = -log(pi * scale.symbol) - log(1 + ((X - mu.symbol) / scale.symbol) ** 2)
    return _on_line("Cauchy", parameters, log_p, r"\mathrm{Cauchy}(\mu, \gamma)", f"{CONTINUOUS_1}, Ch. 16")


@listed
def hyperbolic_secant() -> Model:
    """Hyperbolic secant law sech(π (x − μ)/(2σ))/(2σ) with mean ``mu`` and standard deviation ``sigma``.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.hyperbolic_secant().metric().matrix.tolist()
    [[pi**2/(8*sigma**2), 0], [0, pi**2/(8*sigma**2)]]
    """
    mu, sigma = parameters = [real("mu"), positive("sigma")]
    s = sigma.symbol
    log_p = -log(2 * s) + log(sech(pi * (X - mu.symbol) / (2 * s)))
    return _on_line("hyperbolic secant", parameters, log_p, r"\mathrm{Sech}(\mu, \sigma)", f"{CONTINUOUS_2}, Ch. 23")


@listed
def skew_normal() -> Model:
    """Skew normal law with location ``xi``, scale ``omega`` and slant ``alpha``; expectations by quadrature.

    At α = 0 the metric is singular: there the direction of α is one of location.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.skew_normal().at(xi=0, omega=1, alpha=2).pdf([-1, 0, 1]).round(4)
    array([0.011 , 0.3989, 0.4729])
    """
    xi, omega = real("xi"), positive("omega")
    alpha = real("alpha", (0.7, 4))
    w, z = omega.symbol, (X - xi.symbol) / omega.symbol
    log_p = -log(2 * pi) / 2 - log(w) - z**2 / 2 + log(2) + log_normal_cdf(alpha.symbol * z)
    source = "Azzalini, A class of distributions which includes the normal ones, Scand. J. Stat. 12 (1985) 171–178"
    return Model(
        "skew normal",
        [xi, omega, alpha],
        log_p,
        X,
        REALS,
        budget=0,
        latex=r"\mathrm{SN}(\xi, \omega, \alpha)",
        source=source,
    )
