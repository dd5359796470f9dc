"""What is known of a Gibbs model at a point, and who finds it: a maker for each structure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.balls.enclosures import Balls
from infogeom.models.gibbs import Gibbs

__all__ = ["Maker", "PointCumulants", "maker_for", "maker_of"]

Array = NDArray[np.float64]


class PointCumulants(NamedTuple):
    """Cumulants of n statistics at m points, the point last.

    Attributes
    ----------
    mean, second, third : ndarray, shapes (n, m), (n, n, m), (n, n, n, m)
        The last two are the metric and its derivatives in the natural parameters.
    errors : tuple of three ndarrays
        Bounds on the errors of each entry, of these shapes: infinite where nothing is known, 0 where an entry vanishes
        by symmetry.
    """

    mean: Array
    second: Array
    third: Array
    errors: tuple[Array, Array, Array]


class Maker(ABC):
    """The way to the cumulants of a structure.

    Attributes
    ----------
    points : int
        How many points are one piece of work.
    refines : bool
        Whether there are balls.
    """

    points: int = 64
    refines: bool = False

    def __init__(self, structure: Any) -> None:
        self.structure = structure

    @abstractmethod
    def cumulants(self, points: Array) -> PointCumulants:
        """Cumulants at points (m, n), by float64; ValueError for points that it does not reach."""

    def scalars(self, points: Array) -> tuple[Array, Array] | None:
        """R at points (m, n) and bounds on its errors where these may be better than what cumulants tell; else None."""
        return None

    def balls(self) -> Balls | None:
        """The metric in ball arithmetic; None where there is no such."""
        return None

    def rank(self) -> tuple[int, Array]:
        """Rank of the metric, the same everywhere, and its orthonormal null directions, shape (n − rank, n)."""
        n = self.structure.size
        return n, np.empty((0, n))


_MAKERS: dict[type[Gibbs], type[Maker]] = {}


def maker_for(structure: type[Gibbs]) -> Callable[[type[Maker]], type[Maker]]:
    """Decorator of the `Maker` of a structure."""

    def registered(maker: type[Maker]) -> type[Maker]:
        _MAKERS[structure] = maker
        return maker

    return registered


@lru_cache(maxsize=64)
def maker_of(structure: Gibbs) -> Maker:
    """The maker of a structure, kept."""
    return _MAKERS[type(structure)](structure)
