"""Expectations without a closed form: quadrature or summation by float64, and in balls of rising precision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.balls.enclosures import Balls
from infogeom.kernels.curvature.jet import BoundedJet
from infogeom.kernels.expectations.jets import expectations_of
from infogeom.kernels.expectations.scores import scores_of
from infogeom.kernels.expectations.sums import exact_sums
from infogeom.kernels.points.pointwise import Pointwise
from infogeom.kernels.points.work import way_of
from infogeom.symbolic import Expectation, Metric

Array = NDArray[np.float64]
#: Points of a tile where laws have one variable,
TILE_OF_ONE_VARIABLE = 1024
#: and where they have several, and thousands of times as many nodes.
TILE_OF_SEVERAL_VARIABLES = 64
#: Bits of sums over outcomes at most.
BITS_OF_SUMS = 2**10


@way_of(Expectation)
class _Expectations(Pointwise):
    reason = (
        "the density of this model has a kink that moves with a parameter, so that only those without a derivative of "
        "the metric can be taken by quadrature"
    )

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        self._place = self.form, metric.coordinates
        self._expectations = expectations_of(*self._place)
        self.order = 0 if self._expectations.moving else 2
        several = any(len(law.variables) > 1 for law in self.form.laws)
        self.points_of_tile = TILE_OF_SEVERAL_VARIABLES if several else TILE_OF_ONE_VARIABLE

    def jets(self, points: Array, order: int) -> BoundedJet:
        return self._expectations.jets(points)

    def balls(self, quantities: Sequence[str]) -> Balls | None:
        return exact_sums(*self._place)

    def most_bits(self, balls: Balls | None, *, irregular: bool) -> int:
        """Every outcome takes part."""
        return BITS_OF_SUMS

    def singular(self, points: Array) -> Iterator[tuple[int, Array]]:
        """By combinations of the scores that vanish."""
        for k, x in enumerate(points):
            null = scores_of(*self._place).null_directions(x)
            if len(null):
                yield k, null
