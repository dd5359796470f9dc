"""Fisher metrics in closed form: derived from the log-density by symbolic expectation, then checked by numbers.

The order of attack, each step exact:

1. no variable (every symbol observed): the empirical integrand is the product of the scores, Eq. 3.3.1;
2. location reduction: the density depends on x and θ through x − f(θ) alone, so that E[s sᵀ] = c ∇f ∇fᵀ;
3. score identities: E[∂_i ℓ] = 0 are linear equations for the expectations of the functions of x in ∂ℓ and −∂∂ℓ.
   Exponential families, in any coordinates, close here, without an integral.
"""

from __future__ import annotations

from functools import lru_cache
from weakref import WeakKeyDictionary

import sympy
from sympy import Dummy, Expr, ImmutableMatrix, Set, Symbol

from infogeom.models.model import Model
from infogeom.symbolic.definition import check_definition
from infogeom.symbolic.metric_value import Metric
from infogeom.symbolic.normal_form import normal_form, positive_factors

__all__ = ["ExpectationError", "metric", "numeric_metric"]


#: A model is immutable, and so is its metric: derived once as long as the model lives.
_METRICS: WeakKeyDictionary[Model, Metric] = WeakKeyDictionary()


class ExpectationError(ValueError):
    """An expectation that did not close, or a derivation that its numerical definition contradicts."""


def metric(model: Model) -> Metric:
    """Fisher metric of a model in closed form (Eqs. 3.1.1 and 3.2.14; empirical Eq. 3.3.1).

    The derivation is compared with its numerical definition E[s sᵀ] at points of the typical range before it is
    returned.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Metric
        For a model on data, the integrand of one sample, to be averaged over the samples.

    Raises
    ------
    TypeError
        When ``model`` is not a Model.
    ExpectationError
        Naming the expectation that did not close, or the entry that its definition contradicts.
    """
    if not isinstance(model, Model):
        raise TypeError(f"model must be an infogeom Model, got {type(model).__name__}")
    if model not in _METRICS:
        _METRICS[model] = _metric(model)
    return _METRICS[model]


def numeric_metric(model_or_metric: Model | Metric) -> Metric:
    """Metric of a model, or the metric itself, with a number for every constant."""
    given = metric(model_or_metric) if isinstance(model_or_metric, Model) else model_or_metric
    if not isinstance(given, Metric):
        raise TypeError(f"model_or_metric must be a Model or a Metric, got {type(given).__name__}")
    loose = sorted(s.name for s in given.matrix.free_symbols & set(given.constants))
    if loose:
        raise ValueError(f"constants {loose} of the metric need numbers before it can be evaluated")
    return given


def _metric(model: Model) -> Metric:
    matrix = _derived(model)
    return Metric(
        tuple(p.symbol for p in model.parameters),
        matrix.subs(dict(model.constants)),
        samples=model.samples,
        domains=[p.domain for p in model.parameters],
        constants=sorted(set().union(*(value.free_symbols for value in model.constants.values())), key=str),
        observables=model.observables,
        attributes=_attributes(model),
    )


def _attributes(model: Model) -> dict[str, str]:
    attributes = {"model": model.name, "fisher": model.fisher}
    attributes |= {str(symbol): str(value) for symbol, value in model.constants.items()}
    return attributes | ({"loss": model.loss.name} if model.loss else {})


def _derived(model: Model) -> ImmutableMatrix:
    coordinates = tuple(p.symbol for p in model.parameters)
    output = model.network.output if model.network else None
    typical = tuple(p.typical for p in model.parameters)
    return _matrix(model.name, model.log_density, model.variable, model.support, coordinates, output, typical)


@lru_cache(maxsize=256)
def _matrix(
    name: str,
    log_density: Expr,
    variable: Symbol | None,
    support: Set | None,
    coordinates: tuple[Symbol, ...],
    output: Expr | None,
    typical: tuple[tuple[float, float], ...],
) -> ImmutableMatrix:
    """Derive and check; equal log-densities (the same network on other data) share one derivation."""
    if variable is None:
        scores = [log_density.diff(c) for c in coordinates]
        matrix = ImmutableMatrix(len(scores), len(scores), lambda i, j: scores[i] * scores[j])
    else:
        matrix = _location(log_density, variable, support, coordinates, output)
        if matrix is None:
            matrix = _score_identities(log_density, variable, coordinates)
    middle = {
        c: sympy.Rational(str((low + high) / 2 + (high - low) / 7))
        for c, (low, high) in zip(coordinates, typical, strict=True)
    }
    matrix = matrix.applyfunc(lambda e: positive_factors(e, middle))
    # A network's log-density is −ℓ, normalised only up to a constant.
    problem = check_definition(matrix, log_density, variable, support, coordinates, typical, normalised=output is None)
    if problem:
        raise ExpectationError(f"model {name!r}: {problem}")
    return matrix


def _location(
    log_density: Expr, variable: Symbol, support: Set | None, coordinates: tuple[Symbol, ...], output: Expr | None
) -> ImmutableMatrix | None:
    """Metric c ∇f ∇fᵀ of a location family p(x − f(θ)) on the real line; None when the density is not one."""
    residual = Dummy("r", real=True)
    if support != sympy.S.Reals:
        return None
    for f in [*coordinates] if output is None else [output]:
        law = sympy.expand_mul(log_density.subs(variable, residual + f))
        if law.free_symbols <= {residual}:
            constant = _residual_information(law, residual)
            gradient = sympy.Matrix([f.diff(c) for c in coordinates])
            return None if constant is None else ImmutableMatrix(constant * gradient * gradient.T)
    return None


def _residual_information(law: Expr, residual: Symbol) -> Expr | None:
    """Fisher information of a location, ∫ (∂_r ℓ)² e^ℓ dr / ∫ e^ℓ dr, half line by half line; None if it stays open."""
    r = Dummy("r", positive=True)
    if law.has(sympy.exp):  # SymPy's integrals of exp(−exp(r)) and the like do not come back
        return None
    mass, information = sympy.Integer(0), sympy.Integer(0)
    for side in (1, -1):
        half = law.subs(residual, side * r)
        density = sympy.exp(half)
        mass += sympy.integrate(density, (r, 0, sympy.oo), conds="none")
        information += sympy.integrate(sympy.expand(half.diff(r) ** 2) * density, (r, 0, sympy.oo), conds="none")
    constant = sympy.gammasimp(information / mass)
    return None if constant.has(sympy.Integral) or not constant.is_finite else constant


def _score_identities(log_density: Expr, variable: Symbol, coordinates: tuple[Symbol, ...]) -> ImmutableMatrix:
    """−E[∂_i ∂_j ℓ] (Eq. 3.2.14), every moment in it solved for from E[∂_i ℓ] = 0."""
    kinks = log_density.atoms(sympy.Abs, sympy.sign, sympy.Piecewise, sympy.Heaviside, sympy.Max, sympy.Min)
    if any(kink.free_symbols & set(coordinates) for kink in kinks):
        raise ExpectationError(
            f"the expectation E[∂log p ∂log p] of log p = {log_density} did not close: log p has a kink that moves "
            "with a parameter, so that −E[∂∂log p] does not equal it, and the density is no location family"
        )
    density = sympy.expand_log(log_density)
    scores = [sympy.expand(density.diff(c)) for c in coordinates]
    hessian = [[-sympy.expand(s.diff(c)) for c in coordinates] for s in scores]
    moments: dict[Expr, Dummy] = {}
    identities = [_expectation(s, variable, moments) for s in scores]
    entries = [[_expectation(h, variable, moments) for h in row] for row in hessian]
    solution = sympy.solve(identities, list(moments.values()), dict=True) if moments else [{}]
    known = solution[0] if solution else {}
    open_moments = {m: x for x, m in moments.items()}
    n = len(coordinates)
    matrix = ImmutableMatrix(n, n, lambda i, j: normal_form(entries[i][j].subs(known)))
    for moment in sorted(matrix.free_symbols & set(open_moments), key=str):
        raise ExpectationError(
            f"the expectation E[{open_moments[moment]}] did not close: "
            f"the score identities of log p = {log_density} do not determine it"
        )
    return matrix


def _expectation(expression: Expr, variable: Symbol, moments: dict[Expr, Dummy]) -> Expr:
    """Expectation of a sum of products, each function of the variable standing for its own unknown moment."""
    total = []
    for term in sympy.Add.make_args(expression):
        coefficient, function = term.as_independent(variable, as_Add=False)
        total.append(
            coefficient if function == 1 else coefficient * moments.setdefault(function, Dummy(f"m{len(moments)}"))
        )
    return sympy.Add(*total)
