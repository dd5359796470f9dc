"""A metric at points, whatever its form: importing this package registers the way to numbers of each form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

import infogeom.kernels.points.forms  # noqa: F401  # each registers its own
from infogeom.kernels.points.tiles import Task
from infogeom.kernels.points.work import Work, work_of

__all__ = ["Task", "Work", "tabulate", "work_of"]


def tabulate(task: Task) -> dict[str, NDArray[np.float64]]:
    """Quantities by float64, shapes (n^rank, P, V); what it finds singular or beyond it may not be so."""
    return work_of(task.metric).evaluation(task).run()
