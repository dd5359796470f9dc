"""Quantities of a metric on whole grids and point sets, as labelled Datasets that say how good each point is."""

from infogeom.grid.evaluation import evaluate, evaluate_points
from infogeom.grid.labels import StatusWarning

__all__ = ["StatusWarning", "evaluate", "evaluate_points"]


def __dir__() -> list[str]:
    return sorted(__all__)
