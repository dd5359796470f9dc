"""Makers of lattice models: which of the ways to their cumulants a point takes."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

import numpy as np
import sympy
from numpy.typing import NDArray

from infogeom.kernels.balls.enclosures import Balls
from infogeom.kernels.gibbs.cumulants import Maker, PointCumulants, maker_for
from infogeom.kernels.gibbs.cylinders.eigenvalue import cylinder_cumulants
from infogeom.kernels.gibbs.tables import TableSums
from infogeom.kernels.gibbs.tori.densities import DensityOfStates, density_of_states_ising, density_of_states_potts
from infogeom.kernels.gibbs.tori.jets import ising_torus_cumulants, potts_torus_cumulants
from infogeom.kernels.gibbs.zero_field.susceptibility import zero_field_cumulants
from infogeom.models.lattices import IsingCylinder, IsingTorus, PottsTorus, Torus
from infogeom.models.state_tables import Table

Array = NDArray[np.float64]


class _Tori(Maker):
    """Sums over all states where these are counted; else point by point."""

    points = 1

    def __init__(self, structure: Torus) -> None:
        super().__init__(structure)
        if structure.counted:
            self.points, self.refines = self._sums.points, self._sums.refines

    def cumulants(self, points: Array) -> PointCumulants:
        """Of the whole torus."""
        if self.structure.counted:
            return self._sums.cumulants(points)
        found = [self._at_point(x[None]) for x in points]
        parts = [point[:3] + point.errors for point in found]
        whole = [np.concatenate(part, axis=-1) for part in zip(*parts, strict=True)]
        return PointCumulants(whole[0], whole[1], whole[2], (whole[3], whole[4], whole[5]))

    def scalars(self, points: Array) -> tuple[Array, Array] | None:
        """By the table, if there is one."""
        return self._sums.scalars(points) if self.structure.counted else None

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
        torus, ((beta, h),) = self.structure, x
        if torus.transferred and (h != 0 or beta < 0):
            return ising_torus_cumulants(torus.length, torus.width, x)
        return zero_field_cumulants(torus.length, torus.width, x)


@maker_for(PottsTorus)
class _PottsTori(_Tori):
    def _counted(self) -> DensityOfStates:
        return density_of_states_potts(self.structure.q, self.structure.length, self.structure.width)

    def _at_point(self, x: Array) -> PointCumulants:
        return potts_torus_cumulants(self.structure.q, self.structure.length, self.structure.width, x)


@maker_for(IsingCylinder)
class _Cylinders(Maker):
    points = 1

    def cumulants(self, points: Array) -> PointCumulants:
        """Per site."""
        return cylinder_cumulants(self.structure.width, points)
