"""Laws of one continuous variable given that it lies between two bounds."""

from __future__ import annotations

from dataclasses import replace
from numbers import Real

import sympy
from sympy import Expr, Interval, Symbol, log, oo, pi

from infogeom.arguments import as_expression
from infogeom.functions import log_exprel, log_normal_cdf
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter, positive, real
from infogeom.models.sources import CONTINUOUS_1
from infogeom.models.survival import check_measured, survival_of

__all__ = ["truncated", "truncated_normal"]


def truncated(
    law: Model,
    low: Real | Expr = -oo,
    high: Real | Expr = oo,
    *,
    survival: Expr | None = None,
    name: str | None = None,
) -> Model:
    """A law of one continuous variable given that it lies between two bounds.

    With S the survival function, the density is divided by S(low) − S(high), the difference by a form that keeps its
    digits where the bounds are close, or far out.

    Parameters
    ----------
    law : Model
    low, high : real number
        One of them inside the support, and low below high; what lies outside the support bounds nothing.
    survival : sympy.Expr, optional
        log S(x), the logarithm of the probability beyond x, in the law's symbols, where it is not found by itself: it
        is among the terms of the log-density of most lifetimes.
    name : str, optional

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.truncated(ig.models.exponential(), 0, 1).metric().matrix.tolist()
    [[log_exprel(2, -rate)]]
    """
    check_measured(law)
    ends = _ends(law, as_expression("low", low), as_expression("high", high))
    given = survival_of(law, survival)
    mass = _log_mass(law, given, ends)
    return replace(
        law,
        name=name or f"{law.name}, between {ends.start} and {ends.end}",
        log_density=law.log_density - mass,
        support=ends,
        structure=None,
        latex="",
    )


def _ends(law: Model, low: Expr, high: Expr) -> Interval:
    """What is left of the support."""
    for bound, value in (("low", low), ("high", high)):
        if not value.is_extended_real or value.free_symbols:
            raise ValueError(f"{bound} must be a real number, got {value}")
    support = law.supports[0].subs(law.constants)
    if not low < high:
        raise ValueError(f"low must be below high, got {low} and {high}")
    ends = Interval(low, high).intersect(support)
    if not isinstance(ends, Interval) or ends.interior == support.interior:
        raise ValueError(
            f"low and high must cut something off the support {support} of {law.name!r}, and not all of it"
        )
    return ends


def _log_mass(law: Model, survival: Expr, ends: Interval) -> Expr:
    """log(S(low) − S(high)), with log(1 − e^u) as log(−u) + log((e^u − 1)/u)."""
    (x,), (support,) = law.variables, law.supports
    above = sympy.Integer(0) if ends.start == support.start else survival.subs(x, ends.start)
    if ends.end == support.end:
        return above
    u = survival.subs(x, ends.end) - above
    return above + log(-u) + log_exprel(0, u)


def truncated_normal(low: Real | Expr, high: Real | Expr) -> Model:
    """Normal law with ``mu`` and ``sigma`` given that the variable lies between two bounds, one of them finite.

    Parameters
    ----------
    low, high : real number
        −∞ and ∞ are none.

    Raises
    ------
    TypeError, ValueError
        For bounds that are no numbers, in the wrong order, or both infinite.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> ig.models.truncated_normal(0, sympy.oo).at(mu=0, sigma=1).metric.round(4)
    array([[0.3634, 0.7979],
           [0.7979, 2.    ]])
    """
    x = Symbol("x", real=True)
    mu, sigma = real("mu"), positive("sigma")
    z = (x - mu.symbol) / sigma.symbol
    log_p = -log(sigma.symbol) - log(2 * pi) / 2 - z**2 / 2
    normal = Model("normal", [mu, sigma], log_p, x, sympy.S.Reals, source=f"{CONTINUOUS_1}, Ch. 13, Sec. 10")
    lower, upper = as_expression("low", low), as_expression("high", high)
    if lower is -oo and upper.is_finite:  # by the other tail
        ends, mass = _ends(normal, lower, upper), log_normal_cdf(z.subs(x, upper))
        law = replace(normal, log_density=log_p - mass, support=ends)
    else:
        law = truncated(normal, lower, upper, survival=log_normal_cdf(-z))
    latex = rf"\mathcal{{N}}(\mu, \sigma^2 \mid {sympy.latex(lower)} < x < {sympy.latex(upper)})"
    # Between two bounds no expectation closes.
    budget = 0 if lower.is_finite and upper.is_finite else law.budget
    name, parameters = f"normal, between {lower} and {upper}", _typical(lower, upper)
    return replace(law, name=name, parameters=parameters, latex=latex, budget=budget)


def _typical(low: Expr, high: Expr) -> list[Parameter]:
    """Parameters of a normal law that feels its bounds."""
    if low.is_finite and high.is_finite:
        width = float(high - low)
        return [real("mu", (float(low), float(high))), positive("sigma", (width / 5, width))]
    end = float(low if low.is_finite else high)
    return [real("mu", (end - 1.5, end + 1.5)), positive("sigma", (0.5, 2))]
