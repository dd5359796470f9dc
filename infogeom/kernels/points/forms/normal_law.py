"""Normal laws by their mean and covariance: jets by traces in the frame of the covariance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Symbol

from infogeom.kernels.balls.enclosures import Balls
from infogeom.kernels.curvature.jet import BoundedJet
from infogeom.kernels.normal.balls import balls_of
from infogeom.kernels.normal.frames import framed, may_be_positive
from infogeom.kernels.normal.traces import jets_of_traces
from infogeom.kernels.normal.values import derivatives_along, stack_of
from infogeom.kernels.points.pointwise import Pointwise
from infogeom.kernels.points.work import jets_up_to, way_of
from infogeom.models.normal_law import NormalLaw
from infogeom.symbolic import MeanAndCovariance, Metric

Array = NDArray[np.float64]
#: Numbers of the matrices that are one piece of work.
NUMBERS_OF_MATRICES = 2**19
#: Bits of balls at most.
BITS_OF_MATRICES = 2**10
#: What is 0 on a flat surface.
CURVATURES = ("riemann", "ricci", "ricci_scalar")


@way_of(MeanAndCovariance)
class _NormalLaw(Pointwise):
    refines = True

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._law = self.form.law
        self.judges = not self._law.is_positive
        self._stacks = cache(self._stacks_of)
        self._balls = cache(partial(balls_of, self._law, tuple(metric.coordinates)))
        matrices = len(derivatives_along(self.n, 3)) * self._law.matrix.shape[0] ** 2
        self.points_of_tile = max(1, NUMBERS_OF_MATRICES // matrices)

    def _stacks_of(self, order: int) -> tuple[Any, Any]:
        """What gives the matrix and the mean with their derivatives up to an order."""
        x = self.metric.coordinates
        return stack_of(self._law.matrix, x, order), stack_of(self._law.mean, x, order)

    def admits(self, points: Array) -> NDArray[np.bool_]:
        """Where the matrix is not seen to have an eigenvalue below 0, in units of its diagonal."""
        if not self.judges:
            return super().admits(points)
        tiles = [points[k : k + self.points_of_tile] for k in range(0, len(points), self.points_of_tile)]
        return np.concatenate([may_be_positive(self._stacks(0)[0](tile)) for tile in tiles])

    def balls(self, quantities: Sequence[str]) -> Balls | None:
        return self._balls(self.order_for(quantities))

    def most_bits(self, balls: Balls | None, *, irregular: bool) -> int:
        """Each costs as much as all of the matrix."""
        return BITS_OF_MATRICES

    def vanishing(self) -> frozenset[str]:
        """Curvature where one of two parameters is a scale: (log σ, θ) has a metric of constant first row."""
        return frozenset(CURVATURES) if self._is_flat else frozenset()

    @cached_property
    def _is_flat(self) -> bool:
        return self.n == 2 and any(_is_scale(self._law, c) for c in self.metric.coordinates)

    @np.errstate(over="ignore", invalid="ignore")  # shows in the jets
    def jets(self, points: Array, order: int) -> BoundedJet:
        (matrix_at, mean_at), is_precision = self._stacks(order + 1), self._law.is_precision
        matrix = matrix_at(points)
        frame = framed(matrix, mean_at(points), is_precision=is_precision)
        found = jets_of_traces(frame, matrix.along[1:], self.n, order, is_precision=is_precision)
        return jets_up_to([value for value, _ in found], [error for _, error in found])


def _is_scale(law: NormalLaw, parameter: Symbol) -> bool:
    """Whether a parameter does nothing but multiply all of the matrix by a power of itself, the mean being known."""
    powers = {sympy.cancel(e.diff(parameter) * parameter / e) for e in law.matrix.expressions}
    power = powers.pop()
    return not (powers or law.mean.free_symbols or power.free_symbols) and power != 0
