"""A metric as a function of points: plain float64, without labels, threads, bounds on errors or refinement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.kernels.points import work_of
from infogeom.kernels.points.pointwise import at_point
from infogeom.models.model import Model
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric, numeric_metric

__all__ = ["Field"]

Array = NDArray[np.float64]


class Field:
    """Quantities at one point after another: what steps, integrators and samplers take.

    Nothing says how good a value is, and no point is looked at: outside the domain a value is whatever float64 makes of
    it. `infogeom.grid.evaluate_points` says what a value is worth.

    Parameters
    ----------
    model_or_metric : Model or Metric
        With numbers for all constants, of its own or by ``constants``.
    quantities : sequence of str
        Names of `infogeom.quantities.QUANTITIES` that are neither bounds nor read off others, and of
        ``metric.observables``.
    constants : mapping of str to number, optional
        As for `infogeom.grid.evaluate`.

    Raises
    ------
    TypeError, ValueError
        For quantities that there are none of, or that the form of the metric cannot give; for points of another length.
    """

    def __init__(
        self, model_or_metric: Model | Metric, quantities: Sequence[str], constants: Mapping[str, Any] | None = None
    ) -> None:
        metric = numeric_metric(model_or_metric, constants)
        if isinstance(quantities, str):
            raise TypeError(f"quantities must be a sequence of names, got {quantities!r}")
        self._names, self._work = tuple(quantities), work_of(metric)
        of_metrics = [q.name for q in QUANTITIES.values() if not (q.bounds or q.read_off or q.observed)]
        known = [*metric.observables, *of_metrics]
        if unknown := [name for name in self._names if name not in known]:
            raise ValueError(f"quantities must be among {known}, got {unknown}")
        rows = [QUANTITIES[name] for name in self._names if name not in metric.observables]
        if lacking := self._work.lacking([row.name for row in rows]):
            raise ValueError(f"quantities {lacking}")
        self._order = self._work.order_for(row.name for row in rows)
        self._compiled, self._shape = self._work.compiled(self._names), (self._work.n,)

    def __call__(self, x: ArrayLike) -> tuple[Array, ...]:
        """Each quantity at a point, given by its n coordinates; tensors have shape (n,) * rank.

        What has no value where the metric is singular is nan there.
        """
        point = np.asarray(x, dtype=float)
        if point.shape != self._shape:
            raise ValueError(f"x must have shape {self._shape}, got {point.shape}")
        if self._compiled:
            return self._compiled(point)
        jets = self._work.jets(point[None], self._order)
        return at_point(jets.g, jets.dg, jets.ddg, self._names)
