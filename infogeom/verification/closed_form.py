"""Jets of a metric in many digits, by its closed form or its definition, and what rounding in float64 makes of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np

from infogeom.kernels.curvature import textbook
from infogeom.kernels.curvature.jet import Jet
from infogeom.models.model import Model
from infogeom.symbolic import Metric
from infogeom.verification.score_jet import ScoreJet

__all__ = ["ClosedForm", "by_definition", "rounding_bounds"]

Point = tuple[float, ...]
ClosedForm = Callable[[Point], tuple[Jet, Jet]]


def by_definition(model: Model | None) -> ClosedForm:
    """Jets of a metric without a closed form, from the definition, and the sizes of what is added up in them."""
    if model is None:
        raise TypeError("model_or_metric must be the Model where the metric has no closed form")
    try:
        moments = ScoreJet(model)
    except NotImplementedError as error:
        raise ValueError(
            f"model {model.name!r} cannot be verified: its metric has no closed form, its definition takes {error}"
        ) from None

    @cache
    def both(point: Point) -> tuple[Jet, Jet]:
        found, _ = moments(point)
        root = np.array([mpmath.sqrt(v) for v in np.diagonal(found.g)], dtype=object)
        value = Jet(found.g, found.dg, found.ddg)
        return value, Jet(np.outer(root, root), abs(found.dg), abs(found.ddg))

    return both


def rounding_bounds(metric: Metric, jet: ClosedForm, point: Point, *, curved: bool) -> dict[str, Any]:
    """Bounds on the rounding errors of float64; of the metric alone where that is singular."""
    at, (value, sizes) = list(map(mpmath.mpf, point)), jet(point)
    errors = textbook.jet_errors(sizes, at, len(metric.samples) if metric.samples else 1)
    try:
        tensors = textbook.rounding_errors(value, errors, at) if curved else {}
    except ZeroDivisionError:
        tensors = {}
    return {"metric": errors.g, **tensors}
