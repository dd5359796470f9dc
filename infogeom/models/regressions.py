"""Regression: a law whose first parameter is a function of known inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from sympy import Expr, Symbol

from infogeom.arguments import array_of, as_expression, exact, sequence_of, table_of
from infogeom.functions.normal import by_normal_cdf, with_tails
from infogeom.models.combine import Reparametrisation, pulled_back, with_own
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter, parameters_of
from infogeom.models.samples import Samples

__all__ = ["regression"]


def regression(
    mean_function: Expr,
    noise: Model,
    inputs: ArrayLike,
    *,
    variables: Symbol | Sequence[Symbol],
    parameters: Sequence[Parameter | Symbol],
    weights: ArrayLike | None = None,
    name: str = "regression",
) -> Model:
    """Observations y_n whose law has the mean function at input x_n as its first parameter.

    With normal noise this is non-linear regression, with Poisson or binomial noise a generalised linear model; with
    gamma or negative binomial noise too, where `reparametrise` has made the mean its first parameter.
    The metric is a mean over the inputs, that of one observation.

    Parameters
    ----------
    mean_function : sympy.Expr
        In the variables and the parameters.
    noise : Model
        A family; its first parameter becomes the mean function, the others stay parameters, after the given ones.
    inputs : array_like, shape (N, number of variables), or (N,) for one variable
        Finite. Tables with names, as DataFrames, are read by the variables' names.
    variables : Symbol or sequence of Symbol
        Of the inputs' columns.
    parameters : sequence of Parameter or Symbol
        Of the mean function, in order.
    weights : array_like, shape (N,), optional
        Non-negative with a positive sum; equal when omitted.
    name : str

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> x, a, b = sympy.symbols("x a b", real=True)
    >>> line = ig.models.regression(a + b * x, ig.models.normal(), [0, 1, 2], variables=x, parameters=[a, b])
    >>> ig.grid.evaluate_points(line, [[0, 0, 1]]).metric.values[0].round(3).tolist()
    [[1.0, 1.0, 0.0], [1.0, 1.667, 0.0], [0.0, 0.0, 2.0]]
    """
    if not isinstance(noise, Model):
        raise TypeError(f"noise must be a Model, got {noise!r}")
    if noise.samples or not noise.variables:
        raise ValueError(f"noise must be a family of distributions, got {noise!r}")
    mean = by_normal_cdf(as_expression("mean_function", mean_function))
    declared = parameters_of("parameters", parameters)
    columns = tuple(map(exact, sequence_of("variables", variables, Symbol)))
    _check_symbols(mean, columns, declared, noise)

    # The inputs, a column for each variable, and their weights.
    data = table_of("inputs", inputs, [s.name for s in columns])
    data = data[:, None] if data.ndim == 1 else data
    weights = np.ones(len(data)) if weights is None else array_of(weights)

    # The noise, its first parameter being the mean function and the others themselves.
    noise = _away_from(noise, {s.name for s in columns} | {p.name for p in declared})
    first, *others = noise.parameters
    substitution = {first.symbol: mean}
    old = substitution | {p.symbol: p.symbol for p in others}
    free = [*declared, *others]

    return Model(
        name,
        free,
        with_tails(noise.log_density.subs(substitution)),
        noise.variable,
        noise.support,
        constants=noise.constants,
        constraints=pulled_back(noise, old, free),
        samples=Samples(columns, data, weights),
        change_of_variable={x: e.subs(substitution) for x, e in noise.change_of_variable.items()},
        structure=Reparametrisation(noise, tuple(old.values())),
    )


def _check_symbols(mean: Expr, columns: Sequence[Symbol], declared: Sequence[Parameter], noise: Model) -> None:
    """Raise ValueError unless variables and parameters differ and the mean function holds no other symbol."""
    variables = {s.name for s in columns}
    parameters = {p.name for p in declared} | {p.name for p in noise.parameters[1:]}
    if twice := sorted(variables & parameters):
        raise ValueError(f"variables must differ from the parameters, got {twice} as both")
    known = set(columns) | {p.symbol for p in declared}
    if unknown := sorted(s.name for s in mean.free_symbols - known):
        raise ValueError(f"mean_function may hold its variables and parameters only, got {unknown}")


def _away_from(noise: Model, taken: set[str]) -> Model:
    """Noise whose variables are not called as inputs or parameters are."""
    own = {}
    for v in noise.variables + tuple(noise.change_of_variable):
        if v.name in taken:
            own[v] = v.func(f"{v.name}_noise", **v.assumptions0)
    return with_own(noise, own)
