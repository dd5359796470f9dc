"""Maps over two parameters, the first on the x axis.

Positive quantities get a sequential map, logarithmic beyond two decades; signed ones and the scalar curvature get a
diverging map, symmetric about 0 and logarithmic in both directions, unless they keep their sign and vary within two
decades; cells without a value are hatched grey.  Both maps stay readable under colour-vision deficiency.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, SymLogNorm
from matplotlib.ticker import (
    FixedLocator,
    LogFormatterSciNotation,
    LogLocator,
    MaxNLocator,
    NullLocator,
    StrMethodFormatter,
)
from numpy.typing import NDArray

from infogeom.plotting.paths import draw_path, path_legend
from infogeom.plotting.style import (
    STYLE,
    axes_or_new,
    caption,
    check_type,
    coordinate_label,
    label_of,
    label_outer,
    mosaic,
    names_of,
)

__all__ = ["output", "panel", "surface", "surfaces"]

SEQUENTIAL = "viridis"
DIVERGING = "RdBu_r"
_STEPS = (1, 2, 2.5, 5, 10)


def surface(
    da: xr.DataArray, *, ax: Axes | None = None, path: xr.Dataset | None = None, norm: Normalize | None = None
) -> Axes:
    """Map of one quantity over two parameters, the first on the x axis.

    Parameters
    ----------
    da : xarray.DataArray
        Two dimensions, each with a coordinate; labels come from ``long_name`` and ``units``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure when omitted.
    path : xarray.Dataset, optional
        Training path, one variable or coordinate per dimension of ``da``: a circle marks its start, a star its end.
    norm : matplotlib.colors.Normalize, optional
        Colour scale; one that suits the values when omitted. The map is diverging if it is symmetric about 0.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        When ``da`` has not exactly two dimensions, or ``path`` lacks one of them.

    Examples
    --------
    >>> import infogeom as ig
    >>> ds = ig.evaluate(ig.models.normal(), {"mu": [0, 1, 2], "sigma": [1, 2, 3]})
    >>> axes = ig.plotting.surface(ds.metric.sel(i="mu", j="mu"))
    >>> axes.get_xlabel() == ds.mu.attrs["long_name"]
    True
    """
    names = names_of(da)
    check_type("path", path, xr.Dataset | None)
    with axes_or_new(ax, (3.4, 2.8), {"left": 0.16, "right": 0.78, "bottom": 0.16, "top": 0.9}) as drawn:
        draw_map(drawn, da, _norm(da) if norm is None else norm)
        drawn.set_title(label_of(da))
        if path is not None:
            draw_path(drawn, path, names)
    return drawn


def surfaces(
    arrays: Sequence[xr.DataArray],
    paths: Sequence[xr.Dataset | None] | None = None,
    *,
    titles: Sequence[str] | None = None,
    title: str | None = None,
    norms: Sequence[Normalize | None] | None = None,
) -> NDArray[np.object_]:
    """Maps side by side, at most three in a row, each with its own path and colour bar.

    On one grid they share their labels.

    Parameters
    ----------
    arrays : sequence of xarray.DataArray
        What `surface` takes.
    paths : sequence of xarray.Dataset or None, optional
        One path for each array.
    titles : sequence of str, optional
        One for each array; their labels when omitted.
    title : str, optional
        Of the whole figure.
    norms : sequence of matplotlib.colors.Normalize or None, optional
        Colour scale of each array; one that suits its values when omitted.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, in the order of ``arrays``

    Raises
    ------
    ValueError
        Without arrays, when one has not exactly two dimensions, or when ``paths``, ``titles`` or ``norms`` differ in
        number.

    Examples
    --------
    >>> import infogeom as ig
    >>> ds = ig.evaluate(ig.models.normal(), {"mu": [0, 1, 2], "sigma": [1, 2, 3]})
    >>> diagonal = [ds.metric.sel(i=name, j=name) for name in ("mu", "sigma")]
    >>> ig.plotting.surfaces(diagonal).shape
    (2,)
    """
    if not arrays:
        raise ValueError("arrays must hold at least one map, got none")
    for da in arrays:
        names_of(da)
    paths = [None] * len(arrays) if paths is None else paths
    titles = [label_of(da) for da in arrays] if titles is None else titles
    norms = [None] * len(arrays) if norms is None else norms
    with mpl.rc_context(STYLE):
        # Labels of the axes stand beside the outer maps alone, where all have the same.
        shared = all(_on_one_grid(arrays[0], da) for da in arrays)
        figure, axes = mosaic(len(arrays), shared=shared)
        for ax, da, path, name, norm in zip(axes, arrays, paths, titles, norms, strict=True):
            surface(da, ax=ax, path=path, norm=norm)
            ax.set_title(name, linespacing=1.35)
        if shared:
            label_outer(axes)
        if title:
            figure.suptitle(title, y=1 - 0.08 / figure.get_figheight(), va="top")
        path_legend(figure, axes, paths)
    return np.array(axes, dtype=object)


def _on_one_grid(first: xr.DataArray, second: xr.DataArray) -> bool:
    return first.dims == second.dims and all(first[name].equals(second[name]) for name in first.dims)


def panel(ds: xr.Dataset, path: xr.Dataset | None = None) -> NDArray[np.object_]:
    """Maps of every scalar of a grid: components of the metric, traces and scalar curvature (thesis Figs. 5.5–5.7).

    Parameters
    ----------
    ds : xarray.Dataset
        From `infogeom.grid.evaluate` on two axes.
    path : xarray.Dataset, optional
        Training path drawn into every map.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, one for each map

    Raises
    ------
    ValueError
        When the grid has not two axes, or none of these quantities.

    Examples
    --------
    >>> import infogeom as ig
    >>> network = ig.models.sigmoid_neuron(*ig.models.decision_boundary(n=50), ig.losses.CrossEntropy())
    >>> axes = {"theta1": [-1, 0, 1], "theta2": [-1, 0, 1]}
    >>> maps = ig.evaluate(network, axes, ["loss", "ricci_scalar"])
    >>> ig.plotting.panel(maps).shape
    (1,)
    """
    check_type("ds", ds, xr.Dataset)
    arrays = list(_components(ds))
    arrays += [ds[name] for name in ("fisher_trace", "ntk_trace", "ricci_scalar") if name in ds]
    axes = surfaces(arrays, [path] * len(arrays), title=caption(ds))
    missing = _missing(ds)
    if missing:
        height = axes[0].figure.get_figheight()
        axes[0].figure.text(0.995, 0.05 / height, f"hatched: {missing}", fontsize=7, ha="right")
    return axes


def output(da: xr.DataArray, *, title: str | None = None, ax: Axes | None = None) -> Axes:
    """Output of a trained network, a probability, over its two inputs; the line is f = ½ (thesis Fig. 5.4).

    Parameters
    ----------
    da : xarray.DataArray
        Two dimensions, the inputs, and values between 0 and 1.
    title : str, optional
        Its label when omitted.
    ax : matplotlib.axes.Axes, optional
        A new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes

    Examples
    --------
    >>> import xarray as xr, infogeom as ig
    >>> values = xr.DataArray([[0.1, 0.4], [0.6, 0.9]], {"x1": [0, 1], "x2": [0, 1]}, ("x1", "x2"))
    >>> ig.plotting.output(values, title="trained").get_title()
    'trained'
    """
    with axes_or_new(ax, (3.4, 2.9), {"left": 0.14, "right": 0.8, "bottom": 0.15, "top": 0.87}) as drawn:
        draw_map(drawn, da, Normalize(0, 1))
        x, y = names_of(da)
        drawn.contour(da[x], da[y], da.values.T, [0.5], colors="white", linewidths=1, linestyles="--")
        drawn.set_title(label_of(da) if title is None else title)
    return drawn


def draw_map(ax: Axes, da: xr.DataArray, norm: Normalize) -> None:
    """Cells of the array, a colour bar with its own axes, labels."""
    x, y = names_of(da)
    values = np.ma.masked_array(da.values, ~np.isfinite(da.values))
    if values.mask.any():
        ax.patch.set(facecolor="0.85", edgecolor="0.55", hatch="//////")
    cmap = DIVERGING if norm.vmin is not None and norm.vmin == -(norm.vmax or 0) else SEQUENTIAL
    mesh = ax.pcolormesh(da[x], da[y], values.T, norm=norm, cmap=cmap, shading="nearest", rasterized=True)
    if not values.mask.all():
        bar = ax.figure.colorbar(mesh, cax=ax.inset_axes((1.04, 0, 0.05, 1)))
        _bar_ticks(bar.ax, norm)
        units = da.attrs.get("units", "1")
        bar.ax.set_ylabel("" if units == "1" else str(units))
    ax.set(xlabel=coordinate_label(da, x), ylabel=coordinate_label(da, y), box_aspect=1)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=_STEPS))


def _norm(da: xr.DataArray) -> Normalize:
    """Colour scale: symmetric about 0, positive over more than two decades, or plain."""
    finite = da.values[np.isfinite(da.values)]
    if not finite.size:
        return Normalize(0, 1)
    low, high = float(finite.min()), float(finite.max())
    if low < 0 or da.name == "ricci_scalar":
        return Normalize(low, high) if _shades(low, high) else _symmetric(np.abs(finite))
    smallest = float(finite[finite > 0].min(initial=high))  # what underflowed to 0 takes the lowest colour
    return LogNorm(smallest, high, clip=True) if 100 * smallest < high else Normalize(low, high)


def _shades(low: float, high: float) -> bool:
    """Whether values keep their sign, stay within two decades, and differ by more than rounding."""
    return low * high > 0 and 0.01 < low / high < 100 and abs(low / high - 1) > 1e-6


def _symmetric(magnitudes: NDArray[np.float64]) -> SymLogNorm:
    """Linear below the decade of the tenth percentile, or four decades below the ninetieth; logarithmic above."""
    high = float(magnitudes.max()) or 1.0
    small, large = np.percentile(magnitudes, (10, 90))
    large = large or high
    threshold = np.clip(small, 1e-4 * large, 0.1 * large)
    return SymLogNorm(10.0 ** np.floor(np.log10(threshold)), vmin=-high, vmax=high)


def _bar_ticks(ax: Axes, norm: Normalize) -> None:
    """At most seven labelled ticks on a colour bar, decades wherever its scale is logarithmic."""
    ax.tick_params(pad=2, length=2)
    if isinstance(norm, SymLogNorm):
        first, last = round(np.log10(norm.linthresh)), int(np.floor(np.log10(norm.vmax or 1.0)))
        decades = 10.0 ** np.arange(last, first - 1, -max(1, -(-(last - first + 1) // 3)))[::-1]
        ax.yaxis.set_major_locator(FixedLocator([*-decades[::-1], 0, *decades]))
        ax.yaxis.set_major_formatter(LogFormatterSciNotation(linthresh=norm.linthresh))
    elif isinstance(norm, LogNorm) and 100 * (norm.vmin or 0) < (norm.vmax or 0):
        ax.yaxis.set_major_locator(LogLocator(numticks=6))
    elif isinstance(norm, LogNorm):
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    else:
        ax.yaxis.set_major_locator(MaxNLocator(6, steps=_STEPS))
    ax.yaxis.set_minor_locator(NullLocator())


def _components(ds: xr.Dataset) -> Iterator[xr.DataArray]:
    """Components of the metric on and above the diagonal, labelled I11, I12, I22."""
    if "metric" not in ds:
        return
    names = list(ds["i"].values)
    for a, first in enumerate(names):
        for b, second in enumerate(names[a:], a):
            component = ds["metric"].sel(i=first, j=second, drop=True)
            yield component.assign_attrs(ds["metric"].attrs, long_name=f"$I_{{{a + 1}{b + 1}}}$")


def _missing(ds: xr.Dataset) -> str:
    """Counts of points without curvature by the meaning of their status."""
    if "status" not in ds:
        return ""
    status = ds["status"]
    meanings = str(status.attrs.get("flag_meanings", "")).split()
    flags = np.atleast_1d(status.attrs.get("flag_values", [])).tolist()
    missing = ds["ricci_scalar"].isnull() if "ricci_scalar" in ds else status >= 2
    told = []
    for flag, name in zip(flags, meanings, strict=False):
        count = int(((status == flag) & missing).sum())
        if count:
            told.append(f"{count} {name.replace('_', ' ')}")
    return ", ".join(told)
