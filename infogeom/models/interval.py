"""Families of laws on an interval or the circle, one function each."""

from __future__ import annotations

from sympy import Interval, Symbol, cos, log, loggamma, pi

from infogeom.functions import log_bessel
from infogeom.models.by_name import listed
from infogeom.models.model import Model
from infogeom.models.parameter import UNIT_INTERVAL, positive, real
from infogeom.models.sources import CONTINUOUS_2

__all__ = ["beta", "von_mises"]


@listed
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
    alpha, other = parameters = [positive("alpha", (0.5, 4)), positive("beta", (0.5, 4))]
    a, b, x = alpha.symbol, other.symbol, Symbol("x", positive=True)
    log_p = loggamma(a + b) - loggamma(a) - loggamma(b) + (a - 1) * log(x) + (b - 1) * log(1 - x)
    latex, source = r"\mathrm{Beta}(\alpha, \beta)", f"{CONTINUOUS_2}, Ch. 25"
    return Model("beta", parameters, log_p, x, UNIT_INTERVAL, latex=latex, source=source)


@listed
def von_mises() -> Model:
    """Von Mises law on the circle with mean direction ``mu`` and concentration ``kappa``.

    Metric diag(κ A, A′) with A = I₁(κ)/I₀(κ).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.von_mises().metric().matrix.tolist()
    [[kappa*bessel_ratio(0, kappa), 0], [0, bessel_ratio_slope(0, kappa)]]
    """
    mu, kappa = real("mu"), positive("kappa")
    k, x = kappa.symbol, Symbol("x", real=True)
    log_p = k * cos(x - mu.symbol) - log(2 * pi) - log_bessel(0, k)
    source = "Mardia & Jupp, Directional Statistics (2000), Sec. 3.5.4"
    support = Interval(-pi, pi)
    return Model("von Mises", [mu, kappa], log_p, x, support, latex=r"\mathrm{vM}(\mu, \kappa)", source=source)
