"""Jets of a metric in many digits, by its closed form, its definition or its parts, and what float64 makes of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import mpmath
import numpy as np

from infogeom.kernels.curvature import textbook
from infogeom.kernels.curvature.jet import Jet
from infogeom.models.model import Model
from infogeom.symbolic import Metric
from infogeom.verification.score_jet import ScoreJet

__all__ = ["Reference", "ReferenceJet", "by_closed_form", "by_definition", "rounding_bounds"]

Point = tuple[Any, ...]


class ReferenceJet(NamedTuple):
    """A jet, the sizes of what is added up in each of its components, and bounds on their errors beside rounding."""

    value: Jet
    sizes: Jet
    errors: Jet


Reference = Callable[[Point], ReferenceJet]


def by_closed_form(metric: Metric) -> Reference:
    """Jets by the textbook, from expressions."""
    both = textbook.closed_form(metric)

    def jet(point: Point) -> ReferenceJet:
        value, sizes = both(point)
        return ReferenceJet(value, sizes, Jet(*(0 * tensor for tensor in value)))

    return jet


def by_definition(model: Model) -> Reference:
    """Jets by expectations of the scores and their derivatives; NotImplementedError, saying what these would take."""
    moments = ScoreJet(model)

    @cache
    def jet(point: Point) -> ReferenceJet:
        found, errors = moments(point)
        root = np.array([mpmath.sqrt(v) for v in np.diagonal(found.g)], dtype=object)
        sizes = Jet(np.outer(root, root), abs(found.dg), abs(found.ddg))
        return ReferenceJet(Jet(*found[:3]), sizes, Jet(*errors[:3]))

    return jet


def rounding_bounds(metric: Metric, jet: Reference, point: Point, *, curved: bool) -> dict[str, Any]:
    """Bounds on the rounding errors of float64; of the metric alone where that is singular."""
    at, (value, sizes, _) = list(map(mpmath.mpf, point)), jet(point)
    errors = textbook.jet_errors(sizes, at, len(metric.samples) if metric.samples else 1)
    try:
        tensors = textbook.rounding_errors(value, errors, at) if curved else {}
    except ZeroDivisionError:
        tensors = {}
    return {"metric": errors.g, **tensors}
