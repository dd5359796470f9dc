"""Families by their cumulants at a point: a Hessian metric, of which g and ∂g are all that curvature takes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.balls.enclosures import Balls
from infogeom.kernels.curvature.jet import BoundedJet
from infogeom.kernels.gibbs.cumulants import Maker, maker_of
from infogeom.kernels.points.pointwise import Pointwise, sharpen_scalar
from infogeom.kernels.points.work import jets_up_to, way_of
from infogeom.symbolic import CumulantsAtPoint, Metric

Array = NDArray[np.float64]


@way_of(CumulantsAtPoint)
class _Gibbs(Pointwise):
    hessian = True

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._maker = maker_of(self.form.structure)
        self.points_of_tile, self.refines = self._maker.points, self._maker.refines

    def sharpen(self, found: dict[str, Array], points: Array, rtol: float) -> None:
        """R by sums in a frame."""
        sharpen_scalar(found, points, rtol, self._maker.scalars)

    def jets(self, points: Array, order: int) -> BoundedJet:
        return hessian_jets(self._maker, points, order)

    def balls(self, quantities: Sequence[str]) -> Balls | None:
        return self._maker.balls()

    def rank_everywhere(self, *, irregular: bool, of_metric: bool) -> tuple[int, Array]:
        """That of the statistics."""
        return self._maker.rank() if irregular else super().rank_everywhere(irregular=irregular, of_metric=of_metric)


def hessian_jets(maker: Maker, points: Array, order: int) -> BoundedJet:
    """Jets in natural parameters, with ∂∂g = 0: whichever totally symmetric tensor it is, curvature is the same."""
    found = maker.cumulants(points)
    tensors, errors = [found.second, found.third], list(found.errors[1:])
    if order > 1:
        n, m = found.mean.shape
        fourth = np.zeros((n, n, n, n, m))
        tensors.append(fourth)
        errors.append(fourth)
    return jets_up_to(tensors[: order + 1], errors[: order + 1])
