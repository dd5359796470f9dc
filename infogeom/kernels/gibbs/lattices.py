"""Makers of lattice models: which of the ways to their cumulants a point takes."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

import numpy as np
import sympy
from numpy.typing import NDArray

from infogeom.kernels.balls.enclosures import Balls
from infogeom.kernels.gibbs.cumulants import Maker, PointCumulants, maker_for
from infogeom.kernels.gibbs.densities import DensityOfStates, density_of_states_ising, density_of_states_potts
from infogeom.kernels.gibbs.tables import TableSums
from infogeom.kernels.gibbs.zero_field import zero_field_cumulants
from infogeom.models.gibbs import Table
from infogeom.models.lattices import IsingTorus, PottsTorus, Torus

Array = NDArray[np.float64]


class _Tori(Maker):
    """Sums over all states where these are counted; else point by point."""

    points = 1

    def __init__(self, structure: Torus) -> None:
        super().__init__(structure)
        if structure.counted:
            self.points = self._sums.points

    def cumulants(self, points: Array) -> PointCumulants:
        """Of the whole torus."""
        if self.structure.counted:
            return self._sums.cumulants(points)
        found = [self._at_point(x[None]) for x in points]
        mean, second, third, errors = zip(*found, strict=True)
        joined = [np.concatenate(parts, axis=-1) for parts in (mean, second, third, *zip(*errors, strict=True))]
        return PointCumulants(joined[0], joined[1], joined[2], (joined[3], joined[4], joined[5]))

    def balls(self) -> Balls | None:
        """Those of the table, if there is one."""
        return self._sums.balls() if self.structure.counted else None

    @cached_property
    def _sums(self) -> TableSums:
        statistics, multiplicities = self._counted()
        return TableSums(Table(statistics, multiplicities, (sympy.Integer(1),) * 2))

    @abstractmethod
    def _counted(self) -> DensityOfStates:
        """All states."""

    @abstractmethod
    def _at_point(self, x: Array) -> PointCumulants:
        """Cumulants at one point, shape (1, 2), without a count."""


@maker_for(IsingTorus)
class _IsingTori(_Tori):
    """Without a field by Pfaffians, which cost least."""

    def _counted(self) -> DensityOfStates:
        return density_of_states_ising(self.structure.length, self.structure.width)

    def _at_point(self, x: Array) -> PointCumulants:
        torus = self.structure
        return zero_field_cumulants(torus.length, torus.width, x)


@maker_for(PottsTorus)
class _PottsTori(_Tori):
    def _counted(self) -> DensityOfStates:
        return density_of_states_potts(self.structure.q, self.structure.length, self.structure.width)

    def _at_point(self, x: Array) -> PointCumulants:
        raise ValueError("")
