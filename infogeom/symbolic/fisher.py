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

from dataclasses import replace
from functools import cache, lru_cache, singledispatch
from itertools import combinations
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import sympy
from sympy import Expr, ImmutableMatrix, Symbol
from sympy.core.function import AppliedUndef

from infogeom import precision
from infogeom.models.combine import Product, Reparametrisation, Replicas
from infogeom.models.law import Law, law_of, scores_of
from infogeom.models.log_partition import LogPartition
from infogeom.models.model import Model
from infogeom.models.structures import WRITTEN_OUT, Counts, Gaussian, States, Wishart
from infogeom.numeric.cubature import tractable
from infogeom.numeric.quadrature import POINT_DIGITS
from infogeom.symbolic.cases import common_in_front
from infogeom.symbolic.composed import DirectSum, PulledBack, Scaled
from infogeom.symbolic.cumulants import (
    Cumulants,
    boltzmann_weights,
    direct_sum,
    of_counts,
    of_linear_forms,
    of_states,
)
from infogeom.symbolic.definition import check_definition, check_mass, points_of
from infogeom.symbolic.expectation import ExpectationError, OpenExpectationError, products_of_scores
from infogeom.symbolic.forms import ClosedForm, Expectation, Form, WeightedStates
from infogeom.symbolic.gaussian import gaussian_cumulants, gaussian_matrix, wishart_cumulants, wishart_matrix
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

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.symbolic.metric(ig.models.gamma()).matrix
    Matrix([
    [polygamma(1, shape),       -1/rate],
    [            -1/rate, shape/rate**2]])
    """
    if not isinstance(model, Model):
        raise TypeError(f"model must be an infogeom Model, got {type(model).__name__}")
    with precision.held():
        if model not in _METRICS:
            _METRICS[model] = _metric(model)
        return _METRICS[model]


def numeric_metric(model_or_metric: Model | Metric) -> Metric:
    """Metric of a model, or the metric itself, with a number for every constant.

    Where the expectations of a model do not close, the metric is the law's mean of the products of scores, to be taken
    by quadrature or summation.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.symbolic.numeric_metric(ig.models.skew_normal())
    <Metric of skew normal: xi, omega, alpha; by quadrature>
    """
    with precision.held():
        given = _closed_or_mean(model_or_metric) if isinstance(model_or_metric, Model) else model_or_metric
    if not isinstance(given, Metric):
        raise TypeError(f"model_or_metric must be a Model or a Metric, got {type(given).__name__}")
    if given.constants:
        _check_known(set().union(*(e.free_symbols for e in given.form.expressions)) & {*given.constants})
    if free := _without_values(given.form.expressions):
        raise ValueError(
            f"functions {free} of the metric have no values; put expressions in their place, by metric.matrix.subs, "
            "before it can be evaluated"
        )
    return given


@lru_cache(maxsize=256)
def _without_values(expressions: tuple[Expr, ...]) -> list[str]:
    return sorted(map(str, set().union(*(e.atoms(AppliedUndef) for e in expressions))))


def _check_known(constants: set[Symbol]) -> None:
    if loose := sorted(s.name for s in constants):
        raise ValueError(f"constants {loose} of the metric need numbers before it can be evaluated")


def _closed_or_mean(model: Model) -> Metric:
    if model not in _METRICS and model not in _MEANS:
        try:
            return metric(model)
        except OpenExpectationError as error:
            _MEANS[model] = _mean(model, error)
    return _METRICS.get(model) or _MEANS[model]


def _mean(model: Model, reason: OpenExpectationError) -> Metric:
    """The metric as numbers give it, in the form that the model asks for."""
    _check_known(set().union(*(value.free_symbols for value in model.constants.values())))
    form, by = _open_form(model.structure, model, reason)
    return Metric(
        [p.symbol for p in model.parameters],
        form,
        domains=[p.domain for p in model.parameters],
        constraints=[c.subs(model.constants) for c in model.constraints],
        attributes=_attributes(model) | {"expectation": by},
    )


@singledispatch
def _open_form(structure: object, model: Model, reason: OpenExpectationError) -> tuple[Form, str]:
    """Form of a metric without a closed form, and by what its numbers come: the mean of s sᵀ over independent laws."""
    laws = _laws(structure, model, reason)
    summed = not any(isinstance(support, sympy.Interval) for law in laws for support in law.supports)
    return Expectation(laws, model.samples), "sum" if summed else "quadrature"


@_open_form.register
def _open_form_of_states(structure: States, _model: Model, _reason: OpenExpectationError) -> tuple[Form, str]:
    return WeightedStates(np.array(structure.statistics, dtype=float)), "sum"


@_open_form.register(Product)
@_open_form.register(Replicas)
@_open_form.register(Reparametrisation)
def _open_form_of_composition(structure: Any, model: Model, reason: OpenExpectationError) -> tuple[Form, str]:
    """Laws together where all are of one variable, else the forms of the models that it is made of."""
    try:
        return _open_form.dispatch(object)(structure, model, reason)
    except OpenExpectationError:
        return _form_of_forms(structure, model), "parts"


@singledispatch
def _form_of_forms(structure: Any, model: Model) -> Form:
    """The form of a metric by those of the models that it is made of."""
    raise NotImplementedError(f"model {model.name!r} is made of nothing")


@_form_of_forms.register
def _form_of_product(structure: Product, _model: Model) -> Form:
    parts = [numeric_metric(part) for part in structure.parts]
    return DirectSum([part.form for part in parts], [part.coordinates for part in parts])


@_form_of_forms.register
def _form_of_replicas(structure: Replicas, model: Model) -> Form:
    return Scaled(numeric_metric(structure.model).form, float(structure.number.subs(model.constants)))


@_form_of_forms.register
def _form_of_reparametrisation(structure: Reparametrisation, model: Model) -> Form:
    part = numeric_metric(structure.model)
    old = {c: e.subs(model.constants) for c, e in zip(part.coordinates, structure.old, strict=True)}
    return PulledBack(part.form, old, tuple(p.symbol for p in model.parameters))


@singledispatch
def _laws(_: object, model: Model, reason: OpenExpectationError) -> list[Law]:
    """Independent laws of one variable that a model consists of, each found to be one; ``reason``: why they matter."""
    if len(model.variables) != 1 or model.samples or model.change_of_variable:
        raise OpenExpectationError(f"{reason}; numbers are taken of laws of one variable, which {model.name!r} is not")
    # Of integers SymPy would take exact factorials.
    constants = {symbol: value.evalf(POINT_DIGITS) for symbol, value in model.constants.items()}
    law = law_of(model)
    law = Law(law.log_density.subs(constants), law.variables, (law.supports[0].subs(model.constants),))
    problem = check_mass(law, [p.symbol for p in model.parameters], [p.typical for p in model.parameters])
    if problem:
        raise ExpectationError(f"model {model.name!r}: {problem}")
    return [law]


@_laws.register
def _laws_of_product(structure: Product, _model: Model, reason: OpenExpectationError) -> list[Law]:
    return [law for part in structure.parts for law in _laws(part.structure, part, reason)]


@_laws.register
def _laws_of_replicas(structure: Replicas, _model: Model, reason: OpenExpectationError) -> list[Law]:
    return [
        replace(law, copies=structure.number * law.copies)
        for law in _laws(structure.model.structure, structure.model, reason)
    ]


@_laws.register
def _laws_of_reparametrisation(structure: Reparametrisation, _model: Model, reason: OpenExpectationError) -> list[Law]:
    old = {p.symbol: e for p, e in zip(structure.model.parameters, structure.old, strict=True)}
    laws = _laws(structure.model.structure, structure.model, reason)
    return [replace(law, log_density=law.log_density.subs(old, simultaneous=True)) for law in laws]


def _metric(model: Model) -> Metric:
    matrix = _derived(model.structure, model)
    constants = set().union(*(value.free_symbols for value in model.constants.values()))
    cumulants = _cumulants(model.structure, model)
    return Metric(
        tuple(p.symbol for p in model.parameters),
        ClosedForm(matrix.subs(dict(model.constants)), model.samples, cumulants and cumulants.subs(model.constants)),
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
def _metric_of_product(structure: Product, _model: Model) -> ImmutableMatrix:
    return ImmutableMatrix(sympy.diag(*(metric(part).matrix for part in structure.parts)))


@_derived.register
def _metric_of_replicas(structure: Replicas, _model: Model) -> ImmutableMatrix:
    return structure.number * metric(structure.model).matrix


@_derived.register
def _metric_of_reparametrisation(structure: Reparametrisation, model: Model) -> ImmutableMatrix:
    """Jᵀ g J."""
    old = [p.symbol for p in structure.model.parameters]
    J = sympy.Matrix(structure.old).jacobian([p.symbol for p in model.parameters])
    g = metric(structure.model).matrix.subs(list(zip(old, structure.old, strict=True)), simultaneous=True)
    return _presented(ImmutableMatrix(J.T * g * J).applyfunc(normal_form), model)


@_derived.register
def _metric_of_log_partition(structure: LogPartition, model: Model) -> ImmutableMatrix:
    """∂∂ψ."""
    coordinates = tuple(p.symbol for p in model.parameters)
    known = of_linear_forms(structure.psi, coordinates)
    matrix = known.second if known else ImmutableMatrix(sympy.hessian(structure.psi, coordinates))
    for point in points_of(coordinates, [p.typical for p in model.parameters], set()):
        at = {e: float(e.xreplace(point)) for e in {*matrix}}
        values = np.array([[at[e] for e in matrix.row(i)] for i in range(matrix.rows)])
        if not np.linalg.eigvalsh(values)[0] > 0:
            where = ", ".join(f"{symbol} = {float(value):.6g}" for symbol, value in point.items())
            raise ExpectationError(
                f"model {model.name!r}: the log-partition function must be strictly convex, "
                f"but at {where} its Hessian is {values.tolist()}"
            )
    return _checked(_presented(matrix, model), model)


@_derived.register
def _metric_of_gaussian(structure: Gaussian, model: Model) -> ImmutableMatrix:
    return _checked(gaussian_matrix(structure, [p.symbol for p in model.parameters]), model)


@_derived.register
def _metric_of_wishart(structure: Wishart, model: Model) -> ImmutableMatrix:
    return _checked(wishart_matrix(structure, [p.symbol for p in model.parameters]), model)


@_derived.register
def _metric_of_counts(structure: Counts, model: Model) -> ImmutableMatrix:
    """−∂∂ log p, which is affine in the counts, at their means."""
    theta = [p.symbol for p in model.parameters]
    means = {x: structure.number * mean for x, mean in zip(model.variables, structure.means, strict=True)}
    scores = [model.log_density.diff(t) for t in theta]

    @cache
    def mean(term: Expr) -> Expr:
        return sympy.factor_terms(term.xreplace(means))

    def entry(i: int, j: int) -> Expr:
        return sympy.Add(*map(mean, sympy.Add.make_args(-scores[i].diff(theta[j]))))

    n = len(theta)
    known = {(i, j): entry(i, j) for i in range(n) for j in range(i, n)}
    return _checked(ImmutableMatrix(n, n, lambda i, j: known[min(i, j), max(i, j)]), model)


@_derived.register
def _metric_of_states(structure: States, model: Model) -> ImmutableMatrix:
    """Σ_s<s' w_s w_s' (t_s − t_s')(t_s − t_s')ᵀ / Z² with p_s = w_s/Z: nothing cancels on the diagonal."""
    states, theta = structure.statistics, [p.symbol for p in model.parameters]
    if len(states) > WRITTEN_OUT:
        raise OpenExpectationError(
            f"model {model.name!r}: a sum over {len(states)} states is written out up to {WRITTEN_OUT} of them; "
            "infogeom.grid.evaluate takes it by numbers"
        )
    w = boltzmann_weights(states, theta)
    Z = sympy.Add(*w)

    def entry(i: int, j: int) -> Expr:
        pairs = combinations(range(len(states)), 2)
        steps = ((a, b, (states[a][i] - states[b][i]) * (states[a][j] - states[b][j])) for a, b in pairs)
        return sympy.Add(*(step * w[a] * w[b] for a, b, step in steps)) / Z**2

    n = len(theta)
    return _checked(ImmutableMatrix(n, n, lambda i, j: entry(min(i, j), max(i, j))), model)


@singledispatch
def _cumulants(_: object, _model: Model) -> Cumulants | None:
    """Cumulants of the sufficient statistics, where it is known how a model has them; constants are symbols."""
    return None


@_cumulants.register
def _cumulants_of_product(structure: Product, _model: Model) -> Cumulants | None:
    parts = [metric(part).form.cumulants for part in structure.parts]
    return None if None in parts else direct_sum([part for part in parts if part])


@_cumulants.register
def _cumulants_of_replicas(structure: Replicas, _model: Model) -> Cumulants | None:
    one = metric(structure.model).form.cumulants
    return one and one.times(structure.number)


@_cumulants.register
def _cumulants_of_reparametrisation(structure: Reparametrisation, model: Model) -> Cumulants | None:
    """The same, where the map is seen to have no critical point, and there are no data."""
    given, old = metric(structure.model).form.cumulants, [p.symbol for p in structure.model.parameters]
    J = sympy.Matrix(structure.old).jacobian([p.symbol for p in model.parameters])
    same = J.is_square and _is_regular(J) and not model.samples
    return given.subs(dict(zip(old, structure.old, strict=True))) if given and same else None


def _is_regular(J: sympy.Matrix) -> bool:
    """Whether a square matrix is triangular, up to the order of its rows and columns, without a 0 on its diagonal."""
    rows = [{j for j in range(J.cols) if J[i, j] != 0} for i in range(J.rows)]
    for _ in range(J.rows):
        i = next((i for i, held in enumerate(rows) if len(held) == 1), None)
        if i is None:
            return False
        (j,) = rows[i]
        if not J[i, j].is_nonzero:
            return False
        rows = [held - {j} for held in rows]
    return True


@_cumulants.register
def _cumulants_of_log_partition(structure: LogPartition, model: Model) -> Cumulants | None:
    return of_linear_forms(structure.psi, tuple(p.symbol for p in model.parameters))


@_cumulants.register
def _cumulants_of_gaussian(structure: Gaussian, _model: Model) -> Cumulants | None:
    return gaussian_cumulants(structure)


@_cumulants.register
def _cumulants_of_counts(structure: Counts, _model: Model) -> Cumulants:
    return of_counts(structure.means, structure.number, structure.sign)


@_cumulants.register
def _cumulants_of_states(structure: States, model: Model) -> Cumulants:
    return of_states(structure.statistics, [p.symbol for p in model.parameters])


@_cumulants.register
def _cumulants_of_wishart(structure: Wishart, _model: Model) -> Cumulants:
    return wishart_cumulants(structure)


def _checked(matrix: ImmutableMatrix, model: Model) -> ImmutableMatrix:
    """The matrix, unless the definition contradicts it; laws that no cubature can take are not compared."""
    law = law_of(model)
    if tractable(law):
        coordinates, typical = zip(*((p.symbol, p.typical) for p in model.parameters), strict=True)
        problem = check_definition(matrix, law, scores_of(model), coordinates, typical, normalised=True)
        if problem:
            raise ExpectationError(f"model {model.name!r}: {problem}")
    return matrix


def _presented(matrix: ImmutableMatrix, model: Model) -> ImmutableMatrix:
    """Every factor of an entry positive in the middle of the typical range."""
    middle = {
        p.symbol: sympy.Rational(str(sum(p.typical) / 2 + (p.typical[1] - p.typical[0]) / 7)) for p in model.parameters
    }
    domains = {p.symbol: p.domain for p in model.parameters}
    presented = {e: smooth(positive_factors(e, middle), domains) for e in {*matrix}}
    return matrix.applyfunc(presented.__getitem__)


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
        gathered = [common_in_front(score) for score in scores]
        matrix = ImmutableMatrix(len(scores), len(scores), lambda i, j: gathered[i] * gathered[j])
    else:
        try:
            matrix = products_of_scores(law, scores, coordinates, output, budget)
        except OpenExpectationError as error:
            raise OpenExpectationError(f"model {name!r}: {error}") from None
    # A network's log-density is −ℓ, normalised only up to a constant.
    problem = check_definition(matrix, law, scores, coordinates, typical, normalised=output is None)
    if problem:
        told = f"model {name!r}: {problem}"
        if output is None and len(law.variables) == 1 and not check_mass(law, coordinates, typical):
            raise OpenExpectationError(told)  # the density is one: expectations were taken wrongly, numbers are open
        raise ExpectationError(told)
    return matrix
