"""Data sets of points in the plane."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from infogeom.plotting.style import BLUE, VERMILION, axes_or_new

__all__ = ["data_set"]


def data_set(
    inputs: ArrayLike, targets: ArrayLike, *, weights: ArrayLike | None = None, title: str = "", ax: Axes | None = None
) -> Axes:
    """Inputs in the plane, coloured by their target, with the boundary y = x (thesis Fig. 5.2).

    Parameters
    ----------
    inputs : array_like, shape (N, 2)
    targets : array_like, shape (N,)
        0 or 1.
    weights : array_like, shape (N,), optional
        Marker areas in proportion, for a quadrature rule.
    title : str
        Of the axes.
    ax : matplotlib.axes.Axes, optional
        A new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import infogeom as ig
    >>> axes = ig.plotting.data_set(*ig.models.decision_boundary(n=50), title="data")
    >>> axes.get_title()
    'data'
    """
    points, labels = np.asarray(inputs, dtype=float), np.asarray(targets)
    area = np.full(len(points), np.clip(6000 / max(len(points), 1), 3, 20))
    if weights is not None:
        area *= len(points) * np.asarray(weights, dtype=float) / np.sum(np.asarray(weights, dtype=float))
    with axes_or_new(ax, (3.4, 3.5), {"left": 0.14, "right": 0.96, "bottom": 0.2, "top": 0.92}) as drawn:
        for target, colour, marker in ((1, BLUE, "^"), (0, VERMILION, "o")):
            x, y = points[labels == target].T
            sizes = area[labels == target]
            drawn.scatter(x, y, sizes, color=colour, marker=marker, lw=0, rasterized=True)
            drawn.plot([], [], marker, color=colour, ms=4, mec="none", label=f"target {target}")
        drawn.axline((0, 0), slope=1, color="black", lw=0.8, ls="--", label="$y = x$")
        drawn.set(xlabel="$x$", ylabel="$y$", xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), title=title, box_aspect=1)
        drawn.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, frameon=False)
    return drawn
