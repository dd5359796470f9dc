"""Models from a log-density that the user types."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, Set, Symbol

from infogeom.functions import stable
from infogeom.models.model import Model, Parameter

__all__ = ["from_density"]


def from_density(
    log_density: Expr,
    variable: Symbol,
    parameters: Sequence[Parameter | Symbol],
    support: Set,
    *,
    name: str = "density",
) -> Model:
    """Model with a given log-density.

    Parameters
    ----------
    log_density : sympy.Expr
        log p(x | θ), normalised.
    variable : sympy.Symbol
        The x of it.
    parameters : sequence of Parameter or Symbol
        In order. The domain of a bare symbol is (0, ∞) if it is positive, else the real line.
    support : sympy.Set
        Interval, Range or FiniteSet of x, not dependent on the parameters.
    name : str
        What tables and figures call the model.

    Raises
    ------
    TypeError, ValueError
        For an undeclared symbol, a parameter that does not occur, or a support that depends on a parameter.
        Whether the expectations close is found out by `infogeom.symbolic.metric`.

    Examples
    --------
    >>> import sympy, infogeom
    >>> x, rate = sympy.symbols("x rate", positive=True)
    >>> law = infogeom.models.from_density(sympy.log(rate) - rate * x, x, [rate], sympy.Interval(0, sympy.oo))
    >>> infogeom.symbolic.metric(law).matrix
    Matrix([[rate**(-2)]])
    """
    if not isinstance(variable, Symbol):
        raise TypeError(f"variable must be a sympy Symbol, got {variable!r}")
    if not isinstance(support, Set):
        raise TypeError(f"support must be a sympy Set, got {support!r}")
    if isinstance(parameters, Parameter | Symbol):
        parameters = [parameters]
    law = sympy.sympify(log_density)
    if not isinstance(law, Expr):
        raise TypeError(f"log_density must be a sympy expression, got {log_density!r}")
    declared = [p if isinstance(p, Parameter) else Parameter(p) for p in parameters]
    if variable in {p.symbol for p in declared}:
        raise ValueError(f"variable {variable} must not be a parameter as well")
    return Model(name, declared, stable(law), variable, support)
