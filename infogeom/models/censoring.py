"""Observations that end at a known time."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Piecewise, Symbol

from infogeom.arguments import as_expression
from infogeom.models.law import Law
from infogeom.models.model import Model, Number, Structure
from infogeom.models.survival import check_measured, survival_of

__all__ = ["Censored", "censored"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Censored(Structure):
    """A law that is observed up to a time; beyond it is seen alone that it goes on.

    Attributes
    ----------
    law : Model
        Of one continuous variable.
    at : Expr
    survival : Expr
        Logarithm of the probability of what lies beyond.
    """

    law: Model
    at: Expr
    survival: Expr

    @property
    def one_variable(self) -> Law:
        """A law of one variable with the same scores: what lies beyond the time follows a law without parameters."""
        (x,), (support,) = self.law.variables, self.law.supports
        beyond = self.at - x if support.end is sympy.oo else -sympy.log(support.end - self.at)
        density = Piecewise((self.law.log_density, x < self.at), (self.survival + beyond, True))
        return Law(density, (x,), (support,))

    def drawn_from(self, model: Model, number: Number) -> tuple[Model, dict[Symbol, float]]:
        """The law itself."""
        return self.law, {p.symbol: number(p.symbol) for p in self.law.parameters}

    def seen(self, x: Array) -> Array:
        """The time, at most that at which observation ends, and 1 where it ended by itself."""
        at = float(self.at)
        return np.hstack([np.minimum(x, at), x < at])


def censored(law: Model, at: Real | Expr, *, survival: Expr | None = None, name: str | None = None) -> Model:
    """A law of one continuous variable that is observed until a known time: min(x, at), and whether x was seen.

    g = ∫ p s sᵀ up to the time, and S ∂log S ∂log Sᵀ for what goes on beyond it, with probability S.

    Parameters
    ----------
    law : Model
    at : real number
        Inside the support.
    survival : sympy.Expr, optional
        log S(x), the logarithm of the probability beyond x, in the law's symbols, where it is not found by itself: it
        is among the terms of the log-density of most lifetimes.
    name : str, optional

    Returns
    -------
    Model
        Of the ``time`` and ``seen``, 0 or 1. Its density is per time where x was seen, and a probability elsewhere.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.censored(ig.models.exponential(), 2).metric().matrix.tolist()
    [[(1 - exp(-2*rate))/rate**2]]
    """
    check_measured(law)
    time = as_expression("at", at)
    support = law.supports[0].subs(law.constants)
    if not time.is_real or support.interior.contains(time) != True:  # noqa: E712
        raise ValueError(f"at must be a number inside the support {support} of {law.name!r}, got {at}")
    given = survival_of(law, survival)
    return _model(law, time, given, name or f"{law.name}, censored at {time}")


def _model(law: Model, at: Expr, survival: Expr, name: str) -> Model:
    (x,), (support,) = law.variables, law.supports
    time, seen = Symbol("time", real=True), Symbol("seen", nonnegative=True)
    beyond = survival.subs(x, at)
    log_p = Piecewise(
        (law.log_density.subs(x, time), sympy.Eq(seen, 1)), (beyond, sympy.Eq(time, at)), (-sympy.oo, True)
    )
    ends = sympy.Interval(support.start, at, left_open=support.left_open)
    return Model(
        name,
        law.parameters,
        log_p,
        (time, seen),
        (ends, sympy.FiniteSet(0, 1)),
        constants=law.constants,
        constraints=law.constraints,
        structure=Censored(law, at, beyond),
        latex=rf"\min(x, {sympy.latex(at)}),\ {law.latex}" if law.latex else "",
        source="Lawless, Statistical Models and Methods for Lifetime Data (2003), Sec. 2.2",
    )
