"""Labelled results on Matplotlib axes.

Nothing scientific is computed here: each function takes a Dataset, or arrays, and returns the Axes it drew on.
"""

from infogeom.plotting.epochs import traces
from infogeom.plotting.families import ellipses, laws, laws_at_points
from infogeom.plotting.maps import output, panel, surface, surfaces
from infogeom.plotting.paths import along_path, descent_and_flow
from infogeom.plotting.points import data_set
from infogeom.plotting.style import loss_title

__all__ = [
    "along_path",
    "data_set",
    "descent_and_flow",
    "ellipses",
    "laws",
    "laws_at_points",
    "loss_title",
    "output",
    "panel",
    "surface",
    "surfaces",
    "traces",
]


def __dir__() -> list[str]:
    return sorted(__all__)
