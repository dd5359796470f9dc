"""Fisher metrics in closed form: derived from the log-density by symbolic expectation, then checked by numbers.

What is known of a model beside its log-density (`infogeom.symbolic.structures`) comes first: a model made of others has
a metric made of theirs. Otherwise the expectation is taken (`infogeom.symbolic.expectation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from sympy import Expr
from sympy.core.function import AppliedUndef

import infogeom.symbolic.structures  # noqa: F401  # their rules
from infogeom.models.model import Model
from infogeom.symbolic.expectation import ExpectationError
from infogeom.symbolic.held import holding
from infogeom.symbolic.metric_value import Metric
from infogeom.symbolic.structures.kept import check_known, closed, in_numbers

__all__ = ["ExpectationError", "metric", "numeric_metric"]


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
        For a model on data, the integrand of one sample, to be averaged over the samples. Its attribute ``derivation``
        says how it was found: "structure" for what is known beside the log-density, "observed scores" for an empirical
        metric, otherwise the attack that closed the expectations: "location reduction", "score identities", "pivot",
        "finite sum" or "integral" (`infogeom.symbolic.expectation`).

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
    >>> ig.symbolic.metric(ig.models.gamma()).attributes["derivation"]
    'score identities'
    """
    if not isinstance(model, Model):
        raise TypeError(f"model must be an infogeom Model, got {type(model).__name__}")
    return closed(model)


def numeric_metric(model_or_metric: Model | Metric, constants: Mapping[str, Any] | None = None) -> Metric:
    """Metric of a model, or the metric itself, with a number for every constant.

    Where the expectations of a model do not close, the metric is the law's mean of the products of scores, to be taken
    by quadrature or summation. Numbers given by ``constants`` take the place of a model's own; they are data of the
    metric's form, whose expressions are the same for all of them (`infogeom.symbolic.held`).

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.symbolic.numeric_metric(ig.models.skew_normal())
    <Metric of skew normal: xi, omega, alpha; by quadrature>
    """
    if not isinstance(model_or_metric, Model | Metric):
        raise TypeError(f"model_or_metric must be a Model or a Metric, got {type(model_or_metric).__name__}")
    if constants:
        given = holding(model_or_metric, constants)
    else:
        given = in_numbers(model_or_metric) if isinstance(model_or_metric, Model) else model_or_metric
    if given.constants:
        found = set().union(*(e.free_symbols for e in given.form.expressions))
        check_known(found & {*given.constants})
    if free := _without_values(given.form.expressions):
        raise ValueError(
            f"functions {free} of the metric have no values; put expressions in their place, by metric.matrix.subs, "
            "before it can be evaluated"
        )
    return given


@lru_cache(maxsize=256)
def _without_values(expressions: tuple[Expr, ...]) -> list[str]:
    """Names of the functions that nothing is known of."""
    return sorted(map(str, set().union(*(e.atoms(AppliedUndef) for e in expressions))))
