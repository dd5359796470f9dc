"""Forms that say their jets, point by point: what follows from jets is the same for all of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature import loops
from infogeom.kernels.curvature.geometry import geometry
from infogeom.kernels.curvature.tensor_errors import SINGLE
from infogeom.kernels.points.tiles import Evaluation, Places, Task
from infogeom.kernels.points.work import Work
from infogeom.kernels.status import Status
from infogeom.quantities import QUANTITIES

__all__ = ["Pointwise", "at_point", "sharpen_scalar"]

Array = NDArray[np.float64]


class Pointwise(Work):
    """Quantities from jets.

    Attributes
    ----------
    points_of_tile : int
        Points of a tile, times samples.
    """

    points_of_tile = 64

    def evaluation(self, task: Task) -> Evaluation:
        """What follows from jets."""
        return _Followed(task, self)

    def sharpen(self, found: dict[str, Array], points: Array, rtol: float) -> None:
        """Put what is known better from elsewhere in the place of what follows from jets at points (m, n)."""

    def lacking(self, quantities: Collection[str]) -> str:
        """Say which quantities take higher derivatives than there are, or belong to a model."""
        asked = [QUANTITIES[name] for name in quantities]
        beyond = [q.name for q in asked if q.order > self.order]
        return f"{beyond}: {self.reason}" if beyond else ""


class _Followed(Evaluation):
    def __init__(self, task: Task, work: Pointwise) -> None:
        super().__init__(task)
        self._work, self._order = work, work.order_for(task.quantities)
        self.most = 1, max(1, work.points_of_tile // len(task.metric.samples or [0]))

    def values(self, outer: Array, inner: Array, status: NDArray[np.int8]) -> tuple[Array, Places]:
        points, taken = self.points(outer, inner), status.ravel() == Status.OK
        jets = self._work.jets(points[taken], self._order)

        def everywhere(found: Array) -> Array:
            """Tensors at all points, nan where no jet was taken; none where there are none."""
            if not len(found) or taken.all():
                return found
            spread = np.full((*found.shape[:-1], len(taken)), np.nan)
            spread[..., taken] = found
            return spread

        g, dg, ddg = map(everywhere, jets[:3])
        errors, framed = tuple(map(everywhere, jets.errors)), tuple(map(everywhere, jets.framed))
        at: dict[str, NDArray[np.int64]] = {}
        parts: list[Array] = []
        rtol = self.task.rtol
        sharpen = None if rtol is None else partial(self._work.sharpen, points=points, rtol=rtol)
        self.follow(g, dg, ddg, errors, status, at, parts, framed, SINGLE, sharpen)
        return np.concatenate(parts), at


def sharpen_scalar(
    found: dict[str, Array], points: Array, rtol: float, scalars: Callable[[Array], tuple[Array, Array] | None]
) -> None:
    """Where the bound of R exceeds ``rtol`` times R: the value with the smaller bound, this one or a function's."""
    if "ricci_scalar_error" not in found:
        return
    R, error = found["ricci_scalar"], found["ricci_scalar_error"]
    loose = np.flatnonzero(~(error <= rtol * np.abs(R)) & np.isfinite(R))
    other = scalars(points[loose]) if loose.size else None
    if other is None:
        return
    better = other[1] < error[loose]
    R[loose[better]], error[loose[better]] = other[0][better], other[1][better]


def at_point(g: Array, dg: Array, ddg: Array, names: Sequence[str]) -> tuple[Array, ...]:
    """Quantities that follow from the jet of one point, without errors; nan what has no value where it is singular."""
    functions, status = compiled_module(loops), np.zeros(1, np.int8)

    def frame(*arrays: Array) -> None:
        functions["frame"](*arrays, status)

    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # shows in the values
        found = dict(geometry(g, dg, ddg, names, frame, functions | {"contract": functions["contract_at_point"]}))
    tensors = []
    for name in names:
        tensor = found[name][..., 0]
        has_value = not status[0] or QUANTITIES[name].singular
        tensors.append(tensor if has_value else tensor * np.nan)
    return tuple(tensors)
