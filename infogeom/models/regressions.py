"""Regression: a law whose parameters are functions of known inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sympy import Expr, Symbol

from infogeom.arguments import array_of, as_expression, by_name, exact, sequence_of, table_of
from infogeom.functions.normal import by_normal_cdf, with_tails
from infogeom.models.combine import Reparametrisation, pulled_back, with_own
from infogeom.models.model import Model
from infogeom.models.observations import observe
from infogeom.models.parameter import Parameter, parameters_of
from infogeom.models.samples import Samples

__all__ = ["regression"]


def regression(
    mean_function: Expr | Mapping[Symbol | str, Any],
    noise: Model,
    inputs: ArrayLike,
    *,
    variables: Symbol | Sequence[Symbol],
    parameters: Sequence[Parameter | Symbol],
    weights: ArrayLike | None = None,
    observations: ArrayLike | None = None,
    fisher: str | None = None,
    name: str = "regression",
) -> Model:
    """Observations y_n whose law has the mean function at input x_n as its first parameter, or several such functions.

    With normal noise this is non-linear regression, with Poisson or binomial noise a generalised linear model; with
    gamma or negative binomial noise too, where `reparametrise` has made the mean its first parameter.
    The metric is a mean over the inputs, that of one observation.

    Parameters
    ----------
    mean_function : sympy.Expr, or mapping of str or Symbol to sympy.Expr
        In the variables and the parameters: what the first parameter of the noise is; or what each of those that are
        named is, location, scale and shape.
    noise : Model
        A family; its parameters without a function stay parameters, after the given ones.
    inputs : array_like, shape (N, number of variables), or (N,) for one variable
        Finite. Tables with names, as DataFrames, are read by the variables' names.
    variables : Symbol or sequence of Symbol
        Of the inputs' columns.
    parameters : sequence of Parameter or Symbol
        Of the mean function, in order.
    weights : array_like, shape (N,), optional
        Non-negative with a positive sum; equal when omitted.
    observations : array_like, optional
        One for each input, which the model holds, see `observe`.
    fisher : {"expected", "observed", "empirical"}, optional
        Of these, the expected one when omitted.
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

    Location and scale, each with coefficients of its own:

    >>> c, d = sympy.symbols("c d", real=True)
    >>> both = {"mu": a + b * x, "sigma": sympy.exp(c + d * x)}
    >>> line = ig.models.regression(both, ig.models.normal(), [0, 1, 2], variables=x, parameters=[a, b, c, d])
    >>> ig.grid.evaluate_points(line, [[0, 0, 0, 0]], ["metric"]).metric.values[0, 2:, 2:].round(3).tolist()
    [[2.0, 2.0], [2.0, 3.333]]
    """
    if not isinstance(noise, Model):
        raise TypeError(f"noise must be a Model, got {noise!r}")
    if noise.samples or not noise.variables:
        raise ValueError(f"noise must be a family of distributions, got {noise!r}")
    functions = _functions(mean_function, noise)
    declared = parameters_of("parameters", parameters)
    columns = tuple(map(exact, sequence_of("variables", variables, Symbol)))
    others = [p for p in noise.parameters if p.symbol not in functions]
    free = [*declared, *others]
    _check_symbols(functions, columns, declared, free)

    # The inputs, a column for each variable, and their weights.
    data = table_of("inputs", inputs, [s.name for s in columns])
    data = data[:, None] if data.ndim == 1 else data
    weights = np.ones(len(data)) if weights is None else array_of(weights)

    # The noise, its parameters being functions, or themselves.
    noise = _away_from(noise, {s.name for s in columns} | {p.name for p in declared})
    old = {p.symbol: functions.get(p.symbol, p.symbol) for p in noise.parameters}

    law = Model(
        name,
        free,
        with_tails(noise.log_density.subs(functions, simultaneous=True)),
        noise.variable,
        noise.support,
        constants=noise.constants,
        constraints=pulled_back(noise, old, free),
        samples=Samples(columns, data, weights),
        change_of_variable={x: e.subs(functions, simultaneous=True) for x, e in noise.change_of_variable.items()},
        structure=Reparametrisation(noise, tuple(old.values())),
    )
    if observations is not None:
        return observe(law, observations, fisher=fisher or "expected")
    if fisher not in (None, "expected"):
        raise ValueError(f"fisher={fisher!r} needs observations, got none")
    return law


def _functions(given: Any, noise: Model) -> dict[Symbol, Expr]:
    """What parameters of the noise are; a single function is the first of them."""
    first = noise.parameters[0].name
    named = by_name("mean_function", given) if isinstance(given, Mapping) else {first: given}
    known = {p.name: p.symbol for p in noise.parameters}
    unknown = sorted(map(str, named.keys() - known.keys()))
    if unknown or not named:
        raise ValueError(
            f"mean_function must name parameters of {noise.name!r}, {list(known)}, got {unknown or 'none'}"
        )
    functions = {}
    for key, e in named.items():
        told = f"mean_function[{key!r}]" if isinstance(given, Mapping) else "mean_function"
        functions[known[key]] = by_normal_cdf(as_expression(told, e))
    return functions


def _check_symbols(
    functions: Mapping[Symbol, Expr],
    columns: Sequence[Symbol],
    declared: Sequence[Parameter],
    free: Sequence[Parameter],
) -> None:
    """Raise ValueError unless variables and parameters differ and the functions hold no other symbol."""
    variables = {s.name for s in columns}
    parameters = {p.name for p in free}
    if twice := sorted(variables & parameters):
        raise ValueError(f"variables must differ from the parameters, got {twice} as both")
    known = set(columns) | {p.symbol for p in declared}
    found = set().union(*(e.free_symbols for e in functions.values()))
    if unknown := sorted(s.name for s in found - known):
        raise ValueError(f"mean_function may hold its variables and parameters only, got {unknown}")


def _away_from(noise: Model, taken: set[str]) -> Model:
    """Noise whose variables are not called as inputs or parameters are."""
    own = {}
    for v in noise.variables + tuple(noise.change_of_variable):
        if v.name in taken:
            own[v] = v.func(f"{v.name}_noise", **v.assumptions0)
    return with_own(noise, own)
