"""Families of continuous distributions, one function each.

Other parametrisations are one call of `infogeom.models.reparametrise` away; docstrings show the usual ones.
"""

from __future__ import annotations

import sympy
from sympy import Abs, Expr, Interval, Rational, Set, Symbol, cos, exp, log, loggamma, oo, pi, sech

from infogeom.arguments import positive_number
from infogeom.functions import log_bessel, log_normal_cdf
from infogeom.models.model import Constant, Model, Parameter

__all__ = [
    "beta", "beta_prime", "cauchy", "chi_squared", "exponential", "frechet", "gamma", "generalised_extreme_value",
    "generalised_normal", "gumbel", "half_normal", "hyperbolic_secant", "inverse_gamma", "inverse_gaussian",
    "laplace", "log_logistic", "log_normal", "logistic", "normal", "pareto", "rayleigh", "skew_normal", "student_t",
    "von_mises", "weibull",
]  # fmt: skip

#: Sources that many families share.
JOHNSON_1 = "Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 1 (1994)"
JOHNSON_2 = "Johnson, Kotz & Balakrishnan, Continuous Univariate Distributions 2 (1995)"
LINE, HALF_LINE, UNIT = sympy.S.Reals, Interval.open(0, oo), Interval.open(0, 1)
X, R = Symbol("x", real=True), Symbol("x", positive=True)


def _location(name: str = "mu") -> Parameter:
    return Parameter(Symbol(name, real=True), LINE, (-3, 3))


def _positive(name: str, typical: tuple[float, float] = (0.3, 3)) -> Parameter:
    return Parameter(Symbol(name, positive=True), HALF_LINE, typical)


def _model(name: str, parameters: list[Parameter], law: Expr, support: Set, latex: str, source: str) -> Model:
    """Model of one variable, which is positive where the support is."""
    return Model(name, parameters, law, X if support == LINE else R, support, latex=latex, source=source)


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
    mu, sigma = parameters = [_location(), _positive("sigma")]
    m, s = mu.symbol, sigma.symbol
    law = -log(s) - log(2 * pi) / 2 - (X - m) ** 2 / (2 * s**2)
    return _model("normal", parameters, law, LINE, r"\mathcal{N}(\mu, \sigma^2)", f"{JOHNSON_1}, Ch. 13")


def log_normal() -> Model:
    """Log-normal law: log x is normal with mean ``mu`` and standard deviation ``sigma``. R = −1.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.log_normal().metric().matrix.tolist()
    [[sigma**(-2), 0], [0, 2/sigma**2]]
    """
    mu, sigma = parameters = [_location(), _positive("sigma")]
    m, s = mu.symbol, sigma.symbol
    law = -log(R) - log(s) - log(2 * pi) / 2 - (log(R) - m) ** 2 / (2 * s**2)
    return _model(
        "log-normal", parameters, law, HALF_LINE, r"\mathrm{LogNormal}(\mu, \sigma^2)", f"{JOHNSON_1}, Ch. 14"
    )


def half_normal() -> Model:
    """Law of the magnitude of a normal variable around 0 with standard deviation ``sigma``.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.half_normal().metric().matrix.tolist()
    [[2/sigma**2]]
    """
    (sigma,) = parameters = [_positive("sigma")]
    s = sigma.symbol
    law = log(2 / pi) / 2 - log(s) - R**2 / (2 * s**2)
    return _model("half-normal", parameters, law, HALF_LINE, r"\mathrm{HalfNormal}(\sigma)", f"{JOHNSON_1}, Ch. 13")


def exponential() -> Model:
    """Exponential law with ``rate``; reparametrise by {"rate": 1/mean} for its mean.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.exponential().metric().matrix.tolist()
    [[rate**(-2)]]
    """
    (rate,) = parameters = [_positive("rate")]
    law = log(rate.symbol) - rate.symbol * R
    return _model("exponential", parameters, law, HALF_LINE, r"\mathrm{Exp}(\mathrm{rate})", f"{JOHNSON_1}, Ch. 19")


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
    shape, rate = parameters = [_positive("shape", (0.5, 4)), _positive("rate")]
    k, b = shape.symbol, rate.symbol
    law = k * log(b) - loggamma(k) + (k - 1) * log(R) - b * R
    return _model(
        "gamma", parameters, law, HALF_LINE, r"\mathrm{Gamma}(\mathrm{shape}, \mathrm{rate})", f"{JOHNSON_1}, Ch. 17"
    )


def inverse_gamma() -> Model:
    """Inverse gamma law with ``shape`` and ``scale``: 1/x is gamma with that shape and that rate.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.inverse_gamma().metric().matrix.tolist()
    [[polygamma(1, shape), -1/scale], [-1/scale, shape/scale**2]]
    """
    shape, scale = parameters = [_positive("shape", (0.5, 4)), _positive("scale")]
    k, b = shape.symbol, scale.symbol
    law = k * log(b) - loggamma(k) - (k + 1) * log(R) - b / R
    return _model(
        "inverse gamma",
        parameters,
        law,
        HALF_LINE,
        r"\mathrm{InvGamma}(\mathrm{shape}, \mathrm{scale})",
        f"{JOHNSON_1}, Ch. 17",
    )


def chi_squared() -> Model:
    """χ² law with ``nu`` degrees of freedom, any positive number.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.chi_squared().metric().matrix.tolist()
    [[polygamma(1, nu/2)/4]]
    """
    (nu,) = parameters = [_positive("nu", (0.8, 8))]
    k = nu.symbol / 2
    law = -k * log(2) - loggamma(k) + (k - 1) * log(R) - R / 2
    return _model("chi-squared", parameters, law, HALF_LINE, r"\chi^2(\nu)", f"{JOHNSON_1}, Ch. 18")


def weibull() -> Model:
    """Weibull law exp(−(x/scale)^shape) of survival. Constant curvature R = −12/π²: its logarithm is a Gumbel law.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.weibull().at(shape=2, scale=1).pdf([1, 2]).round(4)
    array([0.7358, 0.0733])
    """
    shape, scale = parameters = [_positive("shape", (0.5, 4)), _positive("scale")]
    k, s = shape.symbol, scale.symbol
    law = log(k) - log(s) + (k - 1) * log(R / s) - (R / s) ** k
    return _model(
        "Weibull",
        parameters,
        law,
        HALF_LINE,
        r"\mathrm{Weibull}(\mathrm{shape}, \mathrm{scale})",
        f"{JOHNSON_1}, Ch. 21",
    )


def rayleigh() -> Model:
    """Rayleigh law: length of a vector of two normal components with standard deviation ``sigma``.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.rayleigh().metric().matrix.tolist()
    [[4/sigma**2]]
    """
    (sigma,) = parameters = [_positive("sigma")]
    s = sigma.symbol
    law = log(R) - 2 * log(s) - R**2 / (2 * s**2)
    return _model("Rayleigh", parameters, law, HALF_LINE, r"\mathrm{Rayleigh}(\sigma)", f"{JOHNSON_1}, Ch. 18")


def gumbel() -> Model:
    """Gumbel law of maxima with location ``mu`` and scale ``beta``: exp(−exp(−(x − μ)/β)). R = −12/π².

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.gumbel().at(mu=0, beta=1).pdf([0, 1]).round(4)
    array([0.3679, 0.2546])
    """
    mu, beta = parameters = [_location(), _positive("beta")]
    z = (X - mu.symbol) / beta.symbol
    return _model(
        "Gumbel",
        parameters,
        -log(beta.symbol) - z - exp(-z),
        LINE,
        r"\mathrm{Gumbel}(\mu, \beta)",
        f"{JOHNSON_2}, Ch. 22",
    )


def frechet() -> Model:
    """Fréchet law of maxima with ``shape`` and ``scale``: exp(−(x/scale)^−shape). R = −12/π².

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.frechet().at(shape=2, scale=1).pdf([1, 2]).round(4)
    array([0.7358, 0.1947])
    """
    shape, scale = parameters = [_positive("shape", (0.5, 4)), _positive("scale")]
    k, s = shape.symbol, scale.symbol
    law = log(k) - log(s) - (k + 1) * log(R / s) - (R / s) ** (-k)
    return _model(
        "Fréchet",
        parameters,
        law,
        HALF_LINE,
        r"\mathrm{Fr\acute{e}chet}(\mathrm{shape}, \mathrm{scale})",
        f"{JOHNSON_2}, Ch. 22",
    )


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
    mu, sigma = _location(), _positive("sigma")
    xi = Parameter(Symbol("xi", real=True), Interval.open(Rational(-1, 2), oo), (-0.3, 0.6))
    m, s, k, u = mu.symbol, sigma.symbol, xi.symbol, Symbol("u", positive=True)
    y = 1 + k * (X - m) / s
    law = -log(s) - (1 + 1 / k) * log(y) - y ** (-1 / k)
    return Model(
        "generalised extreme value",
        [mu, sigma, xi],
        law,
        u,
        HALF_LINE,
        change_of_variable={X: m + s * (u**-k - 1) / k},
        latex=r"\mathrm{GEV}(\mu, \sigma, \xi)",
        source="Prescott & Walden, Biometrika 67 (1980) 723–724",
    )


def logistic() -> Model:
    """Logistic law with location ``mu`` and scale ``s``. Metric diag(3, 3 + π²)/(9 s²), R = −18/(3 + π²).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.logistic().at(mu=0, s=1).pdf([0, 1]).round(4)
    array([0.25  , 0.1966])
    """
    mu, scale = parameters = [_location(), _positive("s")]
    z = (X - mu.symbol) / scale.symbol
    law = -log(scale.symbol) - z - 2 * log(1 + exp(-z))
    return _model("logistic", parameters, law, LINE, r"\mathrm{Logistic}(\mu, s)", f"{JOHNSON_2}, Ch. 23")


def log_logistic() -> Model:
    """Log-logistic law with scale ``alpha`` and shape ``beta``: log x is logistic around log α with scale 1/β.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.log_logistic().at(alpha=1, beta=2).pdf([1, 2]).round(4)
    array([0.5 , 0.16])
    """
    alpha, beta = parameters = [_positive("alpha"), _positive("beta", (0.5, 4))]
    a, b = alpha.symbol, beta.symbol
    law = log(b) - log(a) + (b - 1) * log(R / a) - 2 * log(1 + (R / a) ** b)
    return _model(
        "log-logistic", parameters, law, HALF_LINE, r"\mathrm{LogLogistic}(\alpha, \beta)", f"{JOHNSON_2}, Ch. 23"
    )


def laplace() -> Model:
    """Laplace law with location ``mu`` and scale ``b``: the unit metric over b², R = −2.

    E[s sᵀ] is meant; −E[∂∂ log p] misses the kink at μ.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.laplace().at(mu=0, b=1).pdf([0, 1]).round(4)
    array([0.5   , 0.1839])
    """
    mu, scale = parameters = [_location(), _positive("b")]
    law = -log(2 * scale.symbol) - Abs(X - mu.symbol) / scale.symbol
    return _model("Laplace", parameters, law, LINE, r"\mathrm{Laplace}(\mu, b)", f"{JOHNSON_2}, Ch. 24")


def generalised_normal() -> Model:
    """Generalised normal law exp(−(|x − μ|/α)^β) with location ``mu``, scale ``alpha`` and shape ``beta`` > ½.

    For β ≤ ½ the information about μ is infinite.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.generalised_normal().at(mu=0, alpha=1, beta=4).pdf([0, 1]).round(4)
    array([0.5516, 0.2029])
    """
    mu, alpha = _location(), _positive("alpha")
    beta = Parameter(Symbol("beta", positive=True), Interval.open(Rational(1, 2), oo), (0.8, 4))
    a, b = alpha.symbol, beta.symbol
    law = log(b) - log(2 * a) - loggamma(1 / b) - (Abs(X - mu.symbol) / a) ** b
    source = "Nadarajah, A generalized normal distribution, J. Appl. Stat. 32 (2005) 685–694"
    return _model("generalised normal", [mu, alpha, beta], law, LINE, r"\mathrm{GN}(\mu, \alpha, \beta)", source)


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
    mu, sigma = parameters = [_location(), _positive("sigma")]
    known: dict[Symbol, Expr] = {}
    if nu is None:
        parameters.append(_positive("nu", (1.5, 8)))
        n = parameters[-1].symbol
    else:
        n = Constant("nu", positive=True)
        known[n] = positive_number("nu", nu)
    s, z = sigma.symbol, (X - mu.symbol) / sigma.symbol
    law = loggamma((n + 1) / 2) - loggamma(n / 2) - log(pi * n) / 2 - log(s) - (n + 1) / 2 * log(1 + z**2 / n)
    name = "Student" if nu is None else f"Student, {nu} degrees of freedom"
    latex, source = r"t_\nu(\mu, \sigma)", f"{JOHNSON_2}, Ch. 28"
    return Model(name, parameters, law, X, LINE, constants=known, latex=latex, source=source)


def cauchy() -> Model:
    """Cauchy law with location ``mu`` and scale ``gamma``: the unit metric over 2γ², R = −4.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.cauchy().metric().matrix.tolist()
    [[1/(2*gamma**2), 0], [0, 1/(2*gamma**2)]]
    """
    mu, scale = parameters = [_location(), _positive("gamma")]
    law = -log(pi * scale.symbol) - log(1 + ((X - mu.symbol) / scale.symbol) ** 2)
    return _model("Cauchy", parameters, law, LINE, r"\mathrm{Cauchy}(\mu, \gamma)", f"{JOHNSON_1}, Ch. 16")


def hyperbolic_secant() -> Model:
    """Hyperbolic secant law sech(π (x − μ)/(2σ))/(2σ) with mean ``mu`` and standard deviation ``sigma``.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.hyperbolic_secant().metric().matrix.tolist()
    [[pi**2/(8*sigma**2), 0], [0, pi**2/(8*sigma**2)]]
    """
    mu, sigma = parameters = [_location(), _positive("sigma")]
    s = sigma.symbol
    law = -log(2 * s) + log(sech(pi * (X - mu.symbol) / (2 * s)))
    return _model("hyperbolic secant", parameters, law, LINE, r"\mathrm{Sech}(\mu, \sigma)", f"{JOHNSON_2}, Ch. 23")


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
    alpha = _positive("alpha", (0.5, 4))
    a = alpha.symbol
    law = log(a) + a * log(least) - (a + 1) * log(R)
    latex, source = r"\mathrm{Pareto}(\alpha)", f"{JOHNSON_1}, Ch. 20"
    return _model("Pareto", [alpha], law, Interval(least, oo), latex, source)


def beta() -> Model:
    """Beta law with shapes ``alpha`` and ``beta``.

    Examples
    --------
    By mean and precision α + β:

    >>> import sympy, infogeom as ig
    >>> mean = ig.models.Parameter("mean", sympy.Interval.open(0, 1))
    >>> precision = sympy.Symbol("precision", positive=True)
    >>> m = mean.symbol
    >>> law = ig.models.reparametrise(
    ...     ig.models.beta(), {"alpha": m * precision, "beta": (1 - m) * precision}, [mean, precision]
    ... )
    >>> ig.symbolic.metric(law).names
    ('mean', 'precision')
    """
    alpha, other = parameters = [_positive("alpha", (0.5, 4)), _positive("beta", (0.5, 4))]
    a, b = alpha.symbol, other.symbol
    law = loggamma(a + b) - loggamma(a) - loggamma(b) + (a - 1) * log(R) + (b - 1) * log(1 - R)
    return _model("beta", parameters, law, UNIT, r"\mathrm{Beta}(\alpha, \beta)", f"{JOHNSON_2}, Ch. 25")


def beta_prime() -> Model:
    """Beta prime law: x/(1 + x) is beta with shapes ``alpha`` and ``beta``, and so is the metric.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.beta_prime().at(alpha=2, beta=3).pdf([0.5, 1]).round(4)
    array([0.7901, 0.375 ])
    """
    alpha, other = parameters = [_positive("alpha", (0.5, 4)), _positive("beta", (0.5, 4))]
    a, b = alpha.symbol, other.symbol
    law = loggamma(a + b) - loggamma(a) - loggamma(b) + (a - 1) * log(R) - (a + b) * log(1 + R)
    return _model("beta prime", parameters, law, HALF_LINE, r"\mathrm{Beta}'(\alpha, \beta)", f"{JOHNSON_2}, Ch. 27")


def inverse_gaussian() -> Model:
    """Inverse Gaussian law with mean ``mu`` and ``shape`` λ: metric diag(λ/μ³, 1/(2λ²)), R = −1.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.inverse_gaussian().metric().matrix.tolist()
    [[shape/mu**3, 0], [0, 1/(2*shape**2)]]
    """
    mu, shape = parameters = [_positive("mu"), _positive("shape")]
    m, s = mu.symbol, shape.symbol
    law = log(s / (2 * pi)) / 2 - Rational(3, 2) * log(R) - s * (R - m) ** 2 / (2 * m**2 * R)
    return _model("inverse Gaussian", parameters, law, HALF_LINE, r"\mathrm{IG}(\mu, \lambda)", f"{JOHNSON_1}, Ch. 15")


def von_mises() -> Model:
    """Von Mises law on the circle with mean direction ``mu`` and concentration ``kappa``.

    Metric diag(κ A, A′) with A = I₁(κ)/I₀(κ).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.von_mises().metric().matrix.tolist()
    [[kappa*bessel_ratio(0, kappa), 0], [0, bessel_ratio_slope(0, kappa)]]
    """
    mu, kappa = _location(), _positive("kappa")
    k = kappa.symbol
    law = k * cos(X - mu.symbol) - log(2 * pi) - log_bessel(0, k)
    source = "Mardia & Jupp, Directional Statistics (2000), Sec. 3.5.4"
    support = Interval(-pi, pi)
    return Model("von Mises", [mu, kappa], law, X, support, latex=r"\mathrm{vM}(\mu, \kappa)", source=source)


def skew_normal() -> Model:
    """Skew normal law with location ``xi``, scale ``omega`` and slant ``alpha``; expectations by quadrature.

    At α = 0 the metric is singular: there the direction of α is one of location.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.skew_normal().at(xi=0, omega=1, alpha=2).pdf([-1, 0, 1]).round(4)
    array([0.011 , 0.3989, 0.4729])
    """
    xi, omega = _location("xi"), _positive("omega")
    alpha = Parameter(Symbol("alpha", real=True), LINE, (0.7, 4))
    w, z = omega.symbol, (X - xi.symbol) / omega.symbol
    law = -log(2 * pi) / 2 - log(w) - z**2 / 2 + log(2) + log_normal_cdf(alpha.symbol * z)
    source = "Azzalini, A class of distributions which includes the normal ones, Scand. J. Stat. 12 (1985) 171–178"
    return Model(
        "skew normal",
        [xi, omega, alpha],
        law,
        X,
        LINE,
        budget=0,
        latex=r"\mathrm{SN}(\xi, \omega, \alpha)",
        source=source,
    )
