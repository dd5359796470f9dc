"""Families of lifetimes, incomes and signal strengths, one function each."""

from __future__ import annotations

from sympy import Expr, Interval, Rational, Set, Symbol, exp, log, loggamma, oo, pi

from infogeom.functions import log_bessel
from infogeom.models.by_name import listed
from infogeom.models.model import Model
from infogeom.models.parameter import POSITIVE, UNIT_INTERVAL, Parameter, positive
from infogeom.models.sources import CONTINUOUS_1

__all__ = [
    "burr",
    "exponentiated_exponential",
    "generalised_gamma",
    "generalised_pareto",
    "kumaraswamy",
    "lomax",
    "maxwell",
    "nakagami",
    "rice",
]

LIFETIME = Symbol("x", positive=True)
#: Shapes at which a family is looked at.
SHAPES = (0.5, 4)


def _of_lifetime(
    name: str, parameters: list[Parameter], log_p: Expr, latex: str, source: str, support: Set = POSITIVE
) -> Model:
    """Model of one positive variable."""
    return Model(name, parameters, log_p, LIFETIME, support, latex=latex, source=source)


@listed
def lomax() -> Model:
    """Lomax law with ``shape`` and ``scale``: scale + x has a power-law tail, survival (1 + x/scale)^(−shape).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.lomax().metric().matrix.tolist()[0]
    [shape**(-2), -1/(scale*(shape + 1))]
    """
    shape, scale = parameters = [positive("shape", SHAPES), positive("scale")]
    k, s = shape.symbol, scale.symbol
    log_p = log(k) - log(s) - (k + 1) * log(1 + LIFETIME / s)
    latex = r"\mathrm{Lomax}(\mathrm{shape}, \mathrm{scale})"
    return _of_lifetime("Lomax", parameters, log_p, latex, f"{CONTINUOUS_1}, Ch. 20")


@listed
def generalised_gamma() -> Model:
    """Generalised gamma law: (x/scale)^power is gamma distributed with ``shape``.

    Gamma for power 1, Weibull for shape 1; parameters ``scale``, ``shape``, ``power``.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.generalised_gamma().at(scale=1, shape=1, power=2).pdf([1, 2]).round(4)
    array([0.7358, 0.0733])
    """
    scale, shape, power = parameters = [positive("scale"), positive("shape", SHAPES), positive("power", (0.5, 3))]
    s, k, p = scale.symbol, shape.symbol, power.symbol
    z = LIFETIME / s
    log_p = log(p) - loggamma(k) - log(s) + (k * p - 1) * log(z) - z**p
    latex = r"\mathrm{GenGamma}(\mathrm{scale}, \mathrm{shape}, \mathrm{power})"
    source = "Stacy, Annals of Mathematical Statistics 33 (1962) 1187–1192"
    return _of_lifetime("generalised gamma", parameters, log_p, latex, source)


@listed
def burr() -> Model:
    """Burr law of type XII, survival (1 + (x/scale)^c)^(−k), with shapes ``c`` and ``k`` and a ``scale``.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.burr().at(c=2, k=1, scale=1).pdf([1, 2]).round(4)
    array([0.5 , 0.16])
    """
    c, k, scale = parameters = [positive("c", SHAPES), positive("k", SHAPES), positive("scale")]
    a, b, s = c.symbol, k.symbol, scale.symbol
    z = LIFETIME / s
    log_p = log(a) + log(b) - log(s) + (a - 1) * log(z) - (b + 1) * log(1 + z**a)
    source = "Burr, Annals of Mathematical Statistics 13 (1942) 215–232"
    return _of_lifetime("Burr", parameters, log_p, r"\mathrm{Burr}(c, k, \mathrm{scale})", source)


@listed
def nakagami() -> Model:
    """Nakagami law with ``shape`` and mean square ``spread``: x² is gamma distributed.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.nakagami().metric().matrix[1, 1]
    shape/spread**2
    """
    shape, spread = parameters = [positive("shape", SHAPES), positive("spread")]
    k, w = shape.symbol, spread.symbol
    log_p = log(2) + k * log(k / w) - loggamma(k) + (2 * k - 1) * log(LIFETIME) - k * LIFETIME**2 / w
    latex = r"\mathrm{Nakagami}(\mathrm{shape}, \mathrm{spread})"
    source = "Nakagami, in Hoffman (ed.), Statistical Methods in Radio Wave Propagation (1960) 3–36"
    return _of_lifetime("Nakagami", parameters, log_p, latex, source)


@listed
def maxwell() -> Model:
    """Maxwell law: length of a vector of three normal components with standard deviation ``scale``.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.maxwell().metric().matrix.tolist()
    [[6/scale**2]]
    """
    (scale,) = parameters = [positive("scale")]
    s = scale.symbol
    log_p = log(2 / pi) / 2 + 2 * log(LIFETIME) - 3 * log(s) - LIFETIME**2 / (2 * s**2)
    return _of_lifetime("Maxwell", parameters, log_p, r"\mathrm{Maxwell}(\mathrm{scale})", f"{CONTINUOUS_1}, Ch. 13")


@listed
def exponentiated_exponential() -> Model:
    """Exponentiated exponential law, distribution function (1 − e^(−rate x))^shape.

    Parameters ``shape`` and ``rate``. At the shapes 1 and 2, where the usual formulas are 0/0, the metric is smooth.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.exponentiated_exponential().at(shape=2, rate=1).pdf([0.5, 1]).round(4)
    array([0.4773, 0.4651])
    """
    shape, rate = parameters = [positive("shape", SHAPES), positive("rate")]
    k, b = shape.symbol, rate.symbol
    log_p = log(k) + log(b) - b * LIFETIME + (k - 1) * log(1 - exp(-b * LIFETIME))
    latex = r"\mathrm{EE}(\mathrm{shape}, \mathrm{rate})"
    source = "Gupta & Kundu, Biometrical Journal 43 (2001) 117–130"
    return _of_lifetime("exponentiated exponential", parameters, log_p, latex, source)


@listed
def kumaraswamy() -> Model:
    """Kumaraswamy law on the unit interval, distribution function 1 − (1 − x^a)^b, with shapes ``a`` and ``b``.

    At b = 1 and 2, where the usual formulas are 0/0, the metric is smooth.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.kumaraswamy().at(a=2, b=1).pdf([0.25, 0.5]).round(4)
    array([0.5, 1. ])
    """
    a, b = parameters = [positive("a", SHAPES), positive("b", SHAPES)]
    log_p = (
        log(a.symbol) + log(b.symbol) + (a.symbol - 1) * log(LIFETIME) + (b.symbol - 1) * log(1 - LIFETIME**a.symbol)
    )
    latex, source = r"\mathrm{Kumaraswamy}(a, b)", "Kumaraswamy, Journal of Hydrology 46 (1980) 79–88"
    return _of_lifetime("Kumaraswamy", parameters, log_p, latex, source, UNIT_INTERVAL)


@listed
def generalised_pareto() -> Model:
    """Generalised Pareto law of excesses with ``scale`` and shape ``xi`` > −½, survival (1 + ξ x/scale)^(−1/ξ).

    Exponential at ξ = 0, where the metric is smooth. For ξ < 0 the support ends at −scale/ξ and moves with the
    parameters, but the inverse of survival has the same law whatever they are, and the family is regular for ξ > −½
    (Smith, Extreme value theory and applications (1984) 621–638).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.generalised_pareto().at(scale=1, xi=-0.25).metric.round(4)
    array([[2.    , 2.6667],
           [2.6667, 5.3333]])
    """
    scale = positive("scale")
    xi = Parameter(Symbol("xi", real=True), Interval.open(Rational(-1, 2), oo), (-0.3, 0.6))
    s, k, v, x = scale.symbol, xi.symbol, Symbol("v", positive=True), Symbol("x", real=True)
    return Model(
        "generalised Pareto",
        [scale, xi],
        -log(s) - (1 + 1 / k) * log(1 + k * x / s),
        v,
        POSITIVE,
        change_of_variable={x: s * ((1 + v) ** k - 1) / k},
        latex=r"\mathrm{GPD}(\mathrm{scale}, \xi)",
        source="Pickands, Annals of Statistics 3 (1975) 119–131",
    )


@listed
def rice() -> Model:
    """Rice law: length of a vector of two normal components, of mean length ``nu`` and standard deviation ``sigma``.

    Its expectations do not close.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.rice().at(nu=1, sigma=1).pdf([1, 2]).round(4)
    array([0.4658, 0.3742])
    """
    nu, sigma = parameters = [positive("nu"), positive("sigma")]
    v, s = nu.symbol, sigma.symbol
    log_p = log(LIFETIME) - 2 * log(s) - (LIFETIME**2 + v**2) / (2 * s**2) + log_bessel(0, LIFETIME * v / s**2)
    source = "Rice, Bell System Technical Journal 24 (1945) 46–156, Eq. 3.10-11"
    return _of_lifetime("Rice", parameters, log_p, r"\mathrm{Rice}(\nu, \sigma)", source)
