"""Families of counts whose zeros are left out, or are a matter of their own, one function each."""

from __future__ import annotations

import sympy
from sympy import Eq, Expr, Piecewise, Symbol, exp, log, loggamma

from infogeom.functions import log_exprel
from infogeom.models.by_name import listed
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter, positive, probability
from infogeom.models.sources import DISCRETE
from infogeom.models.structures import ZeroModified

__all__ = ["hurdle_poisson", "zero_inflated_poisson", "zero_truncated_poisson"]

#: Not declared an integer, for which SymPy would write log Γ(x) as log(Γ(x)), which overflows.
K = Symbol("x", nonnegative=True)


def _rate() -> Parameter:
    return positive("rate", (0.5, 4))


def _from_one(rate: Expr) -> Expr:
    """Log-probability of a Poisson count that is not 0: log(e^rate − 1) is log rate + `log_exprel`."""
    return (K - 1) * log(rate) - loggamma(K + 1) - log_exprel(0, rate)


@listed
def zero_truncated_poisson() -> Model:
    """Poisson law of ``rate`` given that the count is not 0: the metric tends to 1/(2 rate) where the rate is small.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.zero_truncated_poisson().metric().matrix[0, 0]
    (rate*log_exprel(2, rate) + log_exprel(1, rate))/rate
    >>> ig.models.zero_truncated_poisson().metric().at(rate=1e-8).round(1)
    array([[50000000.2]])
    """
    rate = _rate()
    return Model(
        "zero-truncated Poisson",
        [rate],
        _from_one(rate.symbol),
        K,
        sympy.S.Naturals,
        latex=r"\mathrm{Poisson}(\mathrm{rate} \mid x > 0)",
        source=f"{DISCRETE}, Sec. 4.10",
    )


def _zero_modified(name: str, none: Expr, some: Expr, log_p: Expr, p: Parameter, latex: str, source: str) -> Model:
    """Model with parameters ``p`` and ``rate`` of the zeros and of the counts from 1 on."""
    structure = ZeroModified(none, some, zero_truncated_poisson())
    cases = Piecewise((log(none), Eq(K, 0)), (log_p, True))
    return Model(name, [p, _rate()], cases, K, sympy.S.Naturals0, structure=structure, latex=latex, source=source)


@listed
def hurdle_poisson() -> Model:
    """No count with probability ``p``, else a zero-truncated Poisson count of ``rate``: a sphere of radius 2, R = 1/2.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.hurdle_poisson().metric().matrix[0, :]
    Matrix([[1/(p*(1 - p)), 0]])
    """
    p, rate = probability(), _rate().symbol
    log_p = log(1 - p.symbol) + _from_one(rate)
    source = "Mullahy, Journal of Econometrics 33 (1986) 341–365"
    return _zero_modified(
        "hurdle Poisson", p.symbol, 1 - p.symbol, log_p, p, r"\mathrm{Hurdle}(p, \mathrm{rate})", source
    )


@listed
def zero_inflated_poisson() -> Model:
    """Poisson count of ``rate``, but 0 with probability ``p`` besides: the sphere of `hurdle_poisson`, R = 1/2.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.zero_inflated_poisson().at(p=0.3, rate=2).metric.round(4)
    array([[ 3.1293, -0.3429],
           [-0.3429,  0.278 ]])
    """
    p, rate = probability(), _rate().symbol
    none, some = p.symbol + (1 - p.symbol) * exp(-rate), (1 - p.symbol) * (1 - exp(-rate))
    log_p = log(1 - p.symbol) - rate + K * log(rate) - loggamma(K + 1)
    source = "Lambert, Technometrics 34 (1992) 1–14"
    return _zero_modified("zero-inflated Poisson", none, some, log_p, p, r"\mathrm{ZIP}(p, \mathrm{rate})", source)
