"""What a form of metric offers on the way to numbers, whichever form it is: nobody else asks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.balls.enclosures import MOST_BITS, Balls
from infogeom.kernels.balls.fixed_precision import DoubleDouble
from infogeom.kernels.curvature.jet import BoundedJet
from infogeom.kernels.points.tiles import Evaluation, Task
from infogeom.quantities import highest_order
from infogeom.symbolic import Form, Metric

__all__ = ["Work", "jets_of", "jets_up_to", "way_of", "work_of"]

Array = NDArray[np.float64]


def jets_up_to(tensors: Sequence[Array], errors: Sequence[Array], shared: Array | None = None) -> BoundedJet:
    """Jets from g, ∂g and ∂∂g up to some order and bounds on their errors, one of a factor that all samples share."""
    n, m = tensors[0].shape[-2:]
    beyond = [np.empty((0,) * rank) for rank in range(len(tensors) + 3, 6)]
    whole = [*tensors, *beyond]
    if shared is None:
        shared = np.zeros((n + 1, m))
    return BoundedJet(whole[0], whole[1], whole[2], (*errors, *beyond, shared))


def jets_of(found: Sequence[Sequence[tuple[Array, Array]]], n: int, order: int) -> BoundedJet:
    """Jets from what was found at each point: g, ∂g and ∂∂g up to an order, each with bounds on its errors."""
    tensors = [np.empty((n,) * (k + 2) + (len(found),)) for k in range(order + 1)]
    errors = [np.empty_like(tensor) for tensor in tensors]
    for p, jet in enumerate(found):
        for k, (value, error) in enumerate(jet):
            tensors[k][..., p], errors[k][..., p] = value, error
    return jets_up_to(tensors, errors)


class Work(ABC):
    """The way to the numbers of a metric.

    Attributes
    ----------
    refines : bool
        Whether every point may be computed again in balls.
    order : int
        Highest derivative of g that there are numbers of.
    judges : bool
        Whether points may lie outside the domain that no condition of the metric tells.
    hessian : bool
        Whether ∂g is totally symmetric everywhere, so that curvature takes no ∂∂g.
    reason : str
        Why there are none of higher ones.
    """

    refines = False
    order = 2
    judges = False
    hessian = False
    reason = ""

    def __init__(self, metric: Metric) -> None:
        self.metric, self.n = metric, len(metric.coordinates)
        self.form: Any = metric.form

    @abstractmethod
    def evaluation(self, task: Task) -> Evaluation:
        """Quantities by float64."""

    @abstractmethod
    def jets(self, points: Array, order: int) -> BoundedJet:
        """Jets up to an order at points (m, n), by float64."""

    def order_for(self, quantities: Iterable[str]) -> int:
        """Highest derivative of g that quantities take."""
        highest = highest_order(quantities)
        return min(highest, 1) if self.hessian else highest

    def compiled(self, quantities: tuple[str, ...]) -> Callable[[Array], tuple[Array, ...]] | None:
        """Quantities and observables at one point, by compiled code; None where there is no such."""
        return None

    def admits(self, points: Array) -> NDArray[np.bool_]:
        """Which points (m, n) may lie in the domain, where it ``judges``; those that float64 cannot tell may."""
        return np.ones(len(points), dtype=bool)

    def lacking(self, quantities: Collection[str]) -> str:
        """Say which quantities this form cannot give; empty where there are none such."""
        return ""

    def apart(self, quantities: Sequence[str]) -> list[Sequence[str]]:
        """Quantities in groups that are better found on their own."""
        return [quantities]

    def balls(self, quantities: Sequence[str]) -> Balls | None:
        """The metric in ball arithmetic; None where there is no such."""
        return None

    def lacking_in_balls(self) -> str:
        """Say what of the metric balls lack, as far as it shows before any work; empty where nothing does."""
        return ""

    def fixed(self, balls: Balls, quantities: Collection[str]) -> DoubleDouble | None:
        """The metric in balls of fixed precision, for many points at once; None where there is no such."""
        return None

    def most_bits(self, balls: Balls | None, *, irregular: bool) -> int:
        """Bits in which points are looked at, at most; ``irregular``: whether float64 found some not to be regular."""
        return MOST_BITS

    def vanishing(self) -> frozenset[str]:
        """Quantities that are 0 everywhere."""
        return frozenset()

    def rank_everywhere(self, *, irregular: bool, of_metric: bool) -> tuple[int, Array]:
        """The largest rank that the metric has anywhere, and the null directions where these are the same everywhere.

        Parameters
        ----------
        irregular : bool
            Whether float64 found some point not to be regular.
        of_metric : bool
            Whether anything of the metric is asked for, and not of the model alone.
        """
        return self.n, np.empty((0, self.n))

    def singular(self, points: Array) -> Iterator[tuple[int, Array]]:
        """Which points are singular in directions (n − rank, n), orthonormal, that are known without the metric."""
        return iter(())


_WORKS: dict[type[Form], type[Work]] = {}


def way_of(form: type[Form]) -> Callable[[type[Work]], type[Work]]:
    """Decorator of the `Work` of a form."""

    def registered(work: type[Work]) -> type[Work]:
        _WORKS[form] = work
        return work

    return registered


@lru_cache(maxsize=256)
def work_of(metric: Metric) -> Work:
    """The way to the numbers of a metric, kept."""
    return _WORKS[type(metric.form)](metric)
