"""Fisher metrics in closed form: derived from the log-density by symbolic expectation, then checked by numbers.

The order of attack, each step exact:

1. no variable (every symbol observed): the empirical integrand is the product of the scores, Eq. 3.3.1;
2. location reduction: the density depends on x and θ through x − f(θ) alone, so that E[s sᵀ] = c ∇f ∇fᵀ;
3. score identities: E[∂_i ℓ] = 0 are linear equations for the expectations of the functions of x in ∂ℓ and −∂∂ℓ.
   Exponential families, in any coordinates, close here, without an integral;
4. pivots: a function of x and θ is gamma or beta prime distributed, see `infogeom.symbolic.pivots`;
5. finite sums over few outcomes;
6. SymPy's integrals, within a budget of time.

A model made of others has a metric made of theirs.
"""

from __future__ import annotations

from functools import lru_cache, singledispatch
from weakref import WeakKeyDictionary

import numpy as np
import sympy
from sympy import Expr, ImmutableMatrix, Symbol

from infogeom.models.combine import Product, Reparametrisation, Replicas
from infogeom.models.log_partition import LogPartition
from infogeom.models.model import Model
from infogeom.symbolic.definition import check_definition, check_mass, points_of
from infogeom.symbolic.expectation import ExpectationError, OpenExpectationError, products_of_scores
from infogeom.symbolic.law import Law, law_of, scores_of
from infogeom.symbolic.metric_value import Metric
from infogeom.symbolic.normal_form import normal_form, positive_factors
from infogeom.symbolic.smooth import smooth

__all__ = ["ExpectationError", "metric", "numeric_metric"]


#: A model is immutable, and so is its metric: derived once as long as the model lives.
_METRICS: WeakKeyDictionary[Model, Metric] = WeakKeyDictionary()
#: The same of models whose expectations do not close.
_MEANS: WeakKeyDictionary[Model, Metric] = WeakKeyDictionary()


def metric(model: Model) -> Metric:
    """Fisher metric of a model in closed form (Eqs. 3.1.1 and 3.2.14; empirical Eq. 3.3.1).

    The derivation is compared with its numerical definition E[s sᵀ] at points of the typical range before it is
    returned, for laws of up to three continuous variables.

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
    """Metric of a model, or the metric itself, with a number for every constant.

    Where the expectations of a model do not close, the metric is the law's mean of the products of scores, to be taken
    by quadrature or summation.
    """
    given = _closed_or_mean(model_or_metric) if isinstance(model_or_metric, Model) else model_or_metric
    if not isinstance(given, Metric):
        raise TypeError(f"model_or_metric must be a Model or a Metric, got {type(given).__name__}")
    loose = sorted(s.name for s in given.matrix.free_symbols & set(given.constants))
    if loose:
        raise ValueError(f"constants {loose} of the metric need numbers before it can be evaluated")
    return given


def _closed_or_mean(model: Model) -> Metric:
    if model not in _METRICS and model not in _MEANS:
        try:
            return metric(model)
        except OpenExpectationError:
            if len(model.variables) != 1 or model.samples or model.observed or isinstance(model.origin, Product):
                raise
            _MEANS[model] = _mean(model)
    return _METRICS.get(model) or _MEANS[model]


def _mean(model: Model) -> Metric:
    """The metric as the law's mean of s sᵀ."""
    law, coordinates = law_of(model), tuple(p.symbol for p in model.parameters)
    law = Law(law.log_density.subs(model.constants), law.variables, (law.supports[0].subs(model.constants),))
    scores = [law.log_density.diff(c) for c in coordinates]
    kind = "quadrature" if isinstance(law.supports[0], sympy.Interval) else "sum"
    problem = check_mass(law, coordinates, [p.typical for p in model.parameters])
    if problem:
        raise ExpectationError(f"model {model.name!r}: {problem}")
    return Metric(
        coordinates,
        ImmutableMatrix(len(scores), len(scores), lambda i, j: scores[i] * scores[j]),
        law=law,
        copies=model.origin.number.subs(model.constants) if isinstance(model.origin, Replicas) else 1,
        domains=[p.domain for p in model.parameters],
        constraints=[c.subs(model.constants) for c in model.constraints],
        constants=sorted(set().union(*(value.free_symbols for value in model.constants.values())), key=str),
        attributes=_attributes(model) | {"expectation": kind},
    )


def _metric(model: Model) -> Metric:
    matrix = _derived(model.origin, model)
    constants = set().union(*(value.free_symbols for value in model.constants.values()))
    return Metric(
        tuple(p.symbol for p in model.parameters),
        matrix.subs(dict(model.constants)),
        samples=model.samples,
        domains=[p.domain for p in model.parameters],
        constraints=[c.subs(dict(model.constants)) for c in model.constraints],
        constants=sorted(constants, key=str),
        observables=model.observables,
        attributes=_attributes(model),
    )


def _attributes(model: Model) -> dict[str, str]:
    attributes = {"model": model.name, "fisher": model.fisher}
    attributes |= {str(symbol): str(value) for symbol, value in model.constants.items()}
    return attributes | ({"loss": model.loss.name} if model.loss else {})


@singledispatch
def _derived(_: object, model: Model) -> ImmutableMatrix:
    """Metric of a model in its coordinates; constants are symbols."""
    coordinates = tuple(p.symbol for p in model.parameters)
    output = model.network.output if model.network else None
    typical = tuple(p.typical for p in model.parameters)
    matrix = _matrix(model.name, law_of(model), scores_of(model), coordinates, output, typical, model.budget)
    return _presented(matrix, model)


@_derived.register
def _(origin: Product, _model: Model) -> ImmutableMatrix:
    return ImmutableMatrix(sympy.diag(*(metric(part).matrix for part in origin.parts)))


@_derived.register
def _(origin: Replicas, _model: Model) -> ImmutableMatrix:
    return origin.number * metric(origin.model).matrix


@_derived.register
def _(origin: Reparametrisation, model: Model) -> ImmutableMatrix:
    """Jᵀ g J."""
    old = [p.symbol for p in origin.model.parameters]
    J = sympy.Matrix(origin.old).jacobian([p.symbol for p in model.parameters])
    g = metric(origin.model).matrix.subs(list(zip(old, origin.old, strict=True)), simultaneous=True)
    return _presented(ImmutableMatrix(J.T * g * J).applyfunc(normal_form), model)


@_derived.register
def _(origin: LogPartition, model: Model) -> ImmutableMatrix:
    """∂∂ψ."""
    coordinates = [p.symbol for p in model.parameters]
    matrix = ImmutableMatrix(sympy.hessian(origin.psi, coordinates))
    for point in points_of(coordinates, [p.typical for p in model.parameters], set()):
        values = np.array(matrix.subs(point).evalf(), dtype=float)
        if not np.linalg.eigvalsh(values)[0] > 0:
            at = ", ".join(f"{symbol} = {float(value):.6g}" for symbol, value in point.items())
            raise ExpectationError(
                f"model {model.name!r}: the log-partition function must be strictly convex, "
                f"but at {at} its Hessian is {values.tolist()}"
            )
    return _presented(matrix, model)


def _presented(matrix: ImmutableMatrix, model: Model) -> ImmutableMatrix:
    """Every factor of an entry positive in the middle of the typical range."""
    middle = {
        p.symbol: sympy.Rational(str(sum(p.typical) / 2 + (p.typical[1] - p.typical[0]) / 7)) for p in model.parameters
    }
    domains = {p.symbol: p.domain for p in model.parameters}
    return matrix.applyfunc(lambda e: smooth(positive_factors(e, middle), domains))


@lru_cache(maxsize=256)
def _matrix(
    name: str,
    law: Law,
    scores: tuple[Expr, ...],
    coordinates: tuple[Symbol, ...],
    output: Expr | None,
    typical: tuple[tuple[float, float], ...],
    budget: float,
) -> ImmutableMatrix:
    """Derive and check; equal log-densities (the same network on other data) share one derivation."""
    if not law.variables:
        matrix = ImmutableMatrix(len(scores), len(scores), lambda i, j: scores[i] * scores[j])
    else:
        try:
            matrix = products_of_scores(law, scores, coordinates, output, budget)
        except OpenExpectationError as error:
            raise OpenExpectationError(f"model {name!r}: {error}") from None
    # A network's log-density is −ℓ, normalised only up to a constant.
    problem = check_definition(matrix, law, scores, coordinates, typical, normalised=output is None)
    if problem:
        raise ExpectationError(f"model {name!r}: {problem}")
    return matrix
