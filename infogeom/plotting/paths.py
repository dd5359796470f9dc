"""Training paths: drawn into a map, as curves along the steps, and descent against flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from infogeom.plotting.style import BLUE, STYLE, VERMILION, axes_or_new, caption, coordinate_label, label_of, names_of

__all__ = ["along_path", "descent_and_flow", "draw_path", "path_legend"]

_HALO = [Stroke(linewidth=2, foreground="white"), Normal()]


def along_path(ds: xr.Dataset) -> NDArray[np.object_]:
    """Traces and scalar curvature along a training path (thesis Figs. 5.8–5.10), one above the other.

    Parameters
    ----------
    ds : xarray.Dataset
        From `infogeom.grid.evaluate_points` on a path, with at least one of ``fisher_trace``, ``ntk_trace`` and
        ``ricci_scalar``.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, one for each quantity

    Examples
    --------
    >>> import infogeom as ig
    >>> network = ig.models.sigmoid_neuron(*ig.models.decision_boundary(n=50), ig.losses.CrossEntropy())
    >>> path = ig.training.gradient_descent(network, (0.5, 0.5), learning_rate=0.4, steps=20)
    >>> along = ig.evaluate_points(network, path, ["ricci_scalar"])
    >>> ig.plotting.along_path(along).shape
    (1,)
    """
    arrays = [ds[name] for name in ("fisher_trace", "ntk_trace", "ricci_scalar") if name in ds]
    if not arrays:
        raise ValueError(f"ds must hold fisher_trace, ntk_trace or ricci_scalar, got {sorted(map(str, ds.data_vars))}")
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(len(arrays), sharex=True, squeeze=False, figsize=(3.4, 0.7 + 1.2 * len(arrays)))
        height = figure.get_figheight()
        figure.subplots_adjust(left=0.2, right=0.96, bottom=0.42 / height, top=1 - 0.42 / height, hspace=0.12)
        for ax, da, colour in zip(axes.flat, arrays, ("black", BLUE, VERMILION), strict=False):
            _curve(ax, da, colour)
        axes[-1, 0].set_xlabel(coordinate_label(ds, str(arrays[0].dims[0])))
        axes[-1, 0].xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.align_ylabels()
        figure.suptitle(caption(ds, before_data="\n"), y=1 - 0.1 / height, va="top")
    return np.array(axes[:, 0], dtype=object)


def descent_and_flow(
    descent: xr.Dataset, flow: xr.Dataset, *, loss: xr.DataArray | None = None, ax: Axes | None = None
) -> Axes:
    """Steps of gradient descent against the gradient flow that they approximate (thesis Fig. 4.1).

    Parameters
    ----------
    descent, flow : xarray.Dataset
        From `infogeom.training`, with the same start, rate and number of steps, so that their times agree.
    loss : xarray.DataArray, optional
        Loss over the two parameters, drawn as level lines.
    ax : matplotlib.axes.Axes, optional
        A new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import infogeom as ig
    >>> network = ig.models.sigmoid_neuron(*ig.models.decision_boundary(n=50), ig.losses.CrossEntropy())
    >>> path = ig.training.gradient_descent(network, (0.5, 0.5), learning_rate=0.4, steps=20)
    >>> flow = ig.training.gradient_flow(network, (0.5, 0.5), learning_rate=0.4, steps=20)
    >>> axes = ig.plotting.descent_and_flow(path, flow)
    >>> axes.get_xlabel() == path.theta1.attrs["long_name"]
    True
    """
    x, y = (str(name) for name in list(descent.data_vars)[:2])
    with axes_or_new(ax, (3.4, 3.3), {"left": 0.17, "right": 0.96, "bottom": 0.13, "top": 0.92}) as drawn:
        same_time = [np.interp(descent["time"], flow["time"], flow[name]) for name in (x, y)]
        drawn.plot(flow[x], flow[y], color="black", lw=1.4, label="gradient flow")
        drawn.plot(*same_time, "o", color="black", ms=3, label="flow at the times of the steps")
        label = rf"gradient descent, $\eta = {descent.attrs['learning_rate']:g}$"
        line = drawn.plot(descent[x], descent[y], "--o", color=VERMILION, lw=1, label=label)
        plt.setp(line, ms=4, mec="white", mew=0.4)
        drawn.plot(descent[x][0], descent[y][0], label="start", **end_markers()[0])
        limits = [_limits(np.concatenate([descent[name], flow[name]])) for name in (x, y)]
        drawn.set(xlim=limits[0], ylim=limits[1])
        drawn.set(xlabel=coordinate_label(descent, x), ylabel=coordinate_label(descent, y))
        if loss is not None:
            _level_lines(drawn, loss.sel({x: slice(*limits[0]), y: slice(*limits[1])}))
        drawn.set_title(caption(descent, fisher=False))
        drawn.legend(loc="best", framealpha=0.9)
    return drawn


def draw_path(ax: Axes, path: xr.Dataset, names: tuple[str, str]) -> None:
    """White-edged line with dots along it, a circle at the start and a star at the end; the limits stay."""
    absent = [name for name in names if name not in path.variables]
    if absent:
        raise ValueError(f"path must hold {' and '.join(names)}, got {sorted(map(str, path.variables))}")
    theta = np.stack([path[name].values for name in names])
    size = np.ptp([ax.get_xlim(), ax.get_ylim()], axis=1)
    ax.set_autoscale_on(False)
    ax.plot(*theta[:, _thinned(theta, size, 0.002)], color="black", lw=0.8, path_effects=_HALO)
    ax.plot(*theta[:, _thinned(theta, size, 0.04)], "o", color="black", mec="white", mew=0.3, ms=2.2)
    for index, marker in zip((0, -1), end_markers(), strict=True):
        ax.plot(*theta[:, [index]], **marker)


def end_markers() -> tuple[dict[str, Any], dict[str, Any]]:
    """Markers of the start and the end of a path."""
    edge: dict[str, Any] = {"ls": "", "mec": "black", "mew": 0.6, "zorder": 4}
    start: dict[str, Any] = {"marker": "o", "color": "white", "ms": 4}
    end: dict[str, Any] = {"marker": "*", "color": "#f0e442", "ms": 7.5}
    return start | edge, end | edge


def _thinned(theta: NDArray[np.float64], size: NDArray[np.float64], gap: float) -> NDArray[np.intp]:
    """Steps spaced along the path by at least the fraction ``gap`` of the map, the first and the last among them."""
    steps = np.linalg.norm(np.diff(theta, axis=1) / size[:, None], axis=0)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    _, kept = np.unique(np.floor(length / gap), return_index=True)
    return np.unique(np.append(kept, len(length) - 1))


def path_legend(figure: Figure, axes: Sequence[Axes], paths: Sequence[xr.Dataset | None]) -> None:
    """What line, circle and star mean, below the maps, where some path passes through its map."""
    drawn = [path for ax, path in zip(axes, paths, strict=True) if path is not None and _in_view(ax)]
    if not drawn:
        return
    first, last = end_markers()
    start, end = Line2D([], [], **first), Line2D([], [], **last)
    line = Line2D([], [], color="black", lw=0.8, marker="o", mec="white", mew=0.3, ms=2.2)
    labels = [str(drawn[0].attrs.get("method", "path")), "start", "end"]
    figure.legend([line, start, end], labels, loc="lower center", ncols=3, frameon=False, borderaxespad=0.1)


def _in_view(ax: Axes) -> bool:
    """Whether a line drawn in the axes comes into view."""
    (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
    points = np.hstack([np.array(line.get_data(), dtype=float) for line in ax.lines])
    return bool(((points >= [[x0], [y0]]) & (points <= [[x1], [y1]])).all(axis=0).any())


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """Range of the values with a margin."""
    margin = 0.1 * float(np.ptp(values))
    return float(values.min()) - margin, float(values.max()) + margin


def _level_lines(ax: Axes, loss: xr.DataArray) -> None:
    """Thin level lines, equally spaced."""
    x, y = names_of(loss)
    if min(loss.shape) > 1:
        ax.contour(loss[x], loss[y], loss.values.T, 16, colors="0.7", linewidths=0.5, zorder=0)


def _curve(ax: Axes, da: xr.DataArray, colour: str) -> None:
    """One quantity against the step; dots where steps are few."""
    step = da[da.dims[0]]
    ax.plot(step, da, color=colour, lw=1.2, marker="o" if da.size <= 60 else "", ms=2.5)
    values = da.values[np.isfinite(da.values)]
    if not values.size:
        ax.text(0.5, 0.5, "no value", transform=ax.transAxes, ha="center", va="center")
        ax.set_yticks([])
    elif 0 < 100 * values.min() < values.max():
        ax.set_yscale("log")
    elif values.min() < 0 < values.max():
        ax.axhline(0, color="0.6", lw=0.6, zorder=0)
    ax.set_ylabel(label_of(da))
    ax.margins(x=0.02)
    ax.grid(color="0.9", lw=0.5)
