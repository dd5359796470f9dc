"""Models that hold their observations: the likelihood of data, and the information that it has of the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from sympy import Expr, Piecewise, Symbol
from sympy.core.function import AppliedUndef

from infogeom.arguments import array_of, table_of
from infogeom.models.combine import Reparametrisation, copies_of
from infogeom.models.law import moving_kinks
from infogeom.models.model import Model, Structure
from infogeom.models.samples import Samples
from infogeom.models.supports import within

__all__ = ["Observed", "observe", "without_observations"]

#: What may be asked of data.
INFORMATION = ("expected", "observed", "empirical")
#: Why an observed information is none of a geometry.
NO_TENSOR = (
    "the observed information −∂∂ℓ is no tensor away from the maximum of ℓ, so it has values alone, in the parameters "
    "that the law has when it is given its data"
)


@dataclass(frozen=True)
class Observed(Structure):
    """A law with observations of it."""

    model: Model
    fisher: str = "expected"

    @property
    def values_only(self) -> str:  # type: ignore[override]  # that of others is given
        """Whether it is no tensor."""
        return NO_TENSOR if self.fisher == "observed" else ""

    def check(self, model: Model) -> None:
        """Observations must lie in the support."""
        symbols = _observed_symbols(self.model)
        assert model.samples
        _check_inside(replace(self.model, constants=model.constants), symbols, model.samples.data[:, -len(symbols) :])


def observe(
    model: Model, observations: ArrayLike, *, weights: ArrayLike | None = None, fisher: str = "expected"
) -> Model:
    """A law with observations of it: their likelihood, and the information they have of its parameters.

    Grids of it know ``log_likelihood`` ℓ and ``score`` ∂_i ℓ beside the metric. All are means over the observations, as
    the metric of a regression is: those of N together are N times as large. ``dataset.metric`` is E[s sᵀ] of one
    observation, −∂_i ∂_j ℓ, or the mean of s_i s_j.

    Parameters
    ----------
    model : Model
        A family, or a regression, which has one observation for each of its inputs.
    observations : array_like, shape (N,), or (N, d) of d variables
        In the support. Tables with names are read by the variables' names.
    weights : array_like, shape (N,), optional
        Non-negative with a positive sum, equal when omitted. A regression has those of its inputs.
    fisher : {"expected", "observed", "empirical"}
        What the metric is. The observed information −∂∂ℓ is no tensor away from the maximum of ℓ: it has values, rank,
        determinant and inverse, but neither curvature nor other coordinates.

    Raises
    ------
    TypeError, ValueError
        For a model without a density of one observation, observations outside its support, of which the first is named,
        and a kink that moves with a parameter, where ∂∂ℓ is no number.

    Notes
    -----
    Where a support moves with a parameter, observations outside of it are told by the status at the point, undefined.

    Examples
    --------
    >>> import infogeom as ig
    >>> law = ig.models.observe(ig.models.exponential(), [0.5, 1.0, 3.0], fisher="observed")
    >>> ds = ig.evaluate_points(law, [[2 / 3], [1]], ["metric", "score", "log_likelihood"])
    >>> ds.metric.values.ravel(), ds.score.values.ravel().round(9), ds.log_likelihood.values.round(4)
    (array([2.25, 1.  ]), array([ 0. , -0.5]), array([-1.4055, -1.5   ]))
    """
    _check(model, fisher)
    symbols = _observed_symbols(model)
    data = table_of("observations", observations, [s.name for s in symbols])
    data = data[:, None] if data.ndim == 1 else data
    if data.ndim != 2 or data.shape[1] != len(symbols) or not len(data):
        told = f"(N, {len(symbols)})" if len(symbols) > 1 else "(N,)"
        raise ValueError(f"observations must have shape {told} with N at least 1, got {np.shape(data)}")
    _check_inside(model, symbols, data)

    # The scores are functions of what is observed, at which every sample stands.
    log_p = _of_possible(model, symbols, data)
    score = sympy.ImmutableMatrix([log_p.diff(p.symbol) for p in model.parameters])
    return Model(
        model.name,
        model.parameters,
        log_p,
        None,
        None,
        constants=model.constants,
        samples=_samples(model, symbols, data, weights),
        observables={"log_likelihood": log_p, "score": score},
        constraints=model.constraints,
        structure=Observed(model, fisher),
        budget=model.budget,
        latex=model.latex,
        source=model.source,
    )


def without_observations(model: Model) -> Model:
    """The law whose expected information is the metric of a model with observations; others as they are."""
    known = model.structure
    if isinstance(known, Observed) and known.fisher == "expected":
        return known.model
    if not isinstance(known, Reparametrisation):
        return model
    law = without_observations(known.model)
    if law is known.model:
        return model
    old = {p.symbol: e for p, e in zip(law.parameters, known.old, strict=True)}
    change = {x: e.subs(old, simultaneous=True) for x, e in law.change_of_variable.items()}
    return replace(
        model,
        variable=law.variable,
        support=law.support,
        samples=law.samples,
        observables={},
        change_of_variable=change,
        structure=replace(known, model=law),
    )


def _check(model: Model, fisher: str) -> None:
    if not isinstance(model, Model):
        raise TypeError(f"model must be a Model, got {model!r}")
    if fisher not in INFORMATION:
        raise ValueError(f"fisher must be one of {list(INFORMATION)}, got {fisher!r}")
    without = not model.supports or model.network or model.log_density.atoms(AppliedUndef)
    if without or copies_of(model) != 1:
        raise TypeError(f"model must have a density of one observation, which {model.name!r} has not")
    if fisher == "observed" and (kinks := moving_kinks(model.log_density, [p.symbol for p in model.parameters])):
        raise ValueError(
            f"fisher='observed' takes −∂∂ℓ, which is no number for {model.name!r}: its log-density has a kink where "
            f"{kinks[0]} = 0, which moves with a parameter"
        )


def _observed_symbols(model: Model) -> list[Symbol]:
    """What is observed in place of each variable: the x of a law that is written in another, u."""
    seen = {}
    for x, e in model.change_of_variable.items():
        for variable in e.free_symbols & {*model.variables}:
            seen[variable] = x
    return [seen.get(variable, variable) for variable in model.variables]


def _check_inside(model: Model, symbols: Sequence[Symbol], data: NDArray[np.float64]) -> None:
    """Raise for the first observation outside the support, where that does not move."""
    columns = list(data.T)
    for k, (symbol, support) in enumerate(zip(symbols, model.supports, strict=True)):
        if symbol in model.change_of_variable:
            continue
        support = support.subs(dict(model.constants))
        if support.free_symbols - {*symbols[:k]}:
            continue  # known when its constants are
        outside = np.flatnonzero(~within(support, symbols[:k], columns[: k + 1]))
        if outside.size:
            at = outside[0]
            raise ValueError(
                f"observations must lie in the support {support} of {symbol.name}, got {columns[k][at]} at index {at}"
            )


def _of_possible(model: Model, symbols: Sequence[Symbol], data: NDArray[np.float64]) -> Expr:
    """Log-density without its cases of probability 0; raise for the first observation that is one of them."""
    log_p = model.log_density
    cases = log_p.args if isinstance(log_p, Piecewise) else ()
    possible = [case for case in cases if case[0] != -sympy.oo]
    told_by = {symbol for _, condition in cases for symbol in condition.free_symbols}
    if len(possible) == len(cases) or told_by - {*symbols}:
        return log_p
    is_possible = Piecewise(*[(float(value != -sympy.oo), condition) for value, condition in cases])
    outside = np.flatnonzero(sympy.lambdify(symbols, is_possible, "numpy", dummify=True)(*data.T) == 0)
    if outside.size:
        at, names = outside[0], ", ".join(symbol.name for symbol in symbols)
        raise ValueError(
            f"observations must have a density under {model.name!r}, got ({names}) = {tuple(data[at].tolist())} at "
            f"index {at}"
        )
    *others, (last, _) = possible
    return Piecewise(*others, (last, True))


def _samples(model: Model, symbols: Sequence[Symbol], data: NDArray[np.float64], weights: ArrayLike | None) -> Samples:
    """The observations, beside the inputs of a regression."""
    inputs = model.samples
    if inputs is None:
        return Samples(tuple(symbols), data, np.ones(len(data)) if weights is None else array_of(weights))
    if weights is not None:
        raise ValueError(f"weights must be None, since {model.name!r} has those of its inputs, got {weights!r}")
    if len(data) != len(inputs):
        raise ValueError(f"observations must be one for each of {len(inputs)} inputs, got {len(data)}")
    return Samples((*inputs.symbols, *symbols), np.hstack([inputs.data, data]), inputs.weights)
