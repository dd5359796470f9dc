"""Fisher and kernel traces of networks through training (thesis Figs. 5.1 and B.1–B.5)."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatterSciNotation, LogLocator, MaxNLocator, NullLocator, StrMethodFormatter
from numpy.typing import ArrayLike, NDArray

from infogeom.plotting.style import BLUE, STYLE, VERMILION, coordinate_label, label_of, loss_title

__all__ = ["traces"]

Array = NDArray[np.float64]

#: Colour and style of both curves of a panel.
CURVES = ((BLUE, "-"), (VERMILION, "--"))
#: Beyond this ratio of the largest value to the smallest an axis is logarithmic.
WIDE = 30


def traces(ds: xr.Dataset, *, common_axis: bool = False, title: str | None = None) -> NDArray[np.object_]:
    """Fisher trace and kernel trace along the epochs, a panel for each loss: mean and standard deviation over seeds.

    On logarithmic axes both are geometric: the exponentials of mean and standard deviation of the logarithms. The
    figure says so below its legend. A record of one epoch is drawn by marks.

    Parameters
    ----------
    ds : xarray.Dataset
        From `infogeom.network.study`, one width chosen, or from `infogeom.network.fit`.
    common_axis : bool
        Draw the empirical Fisher trace and the exact expected one (c · tr Λ / N for L_p norms and mean powers) on one
        axis, instead of Fisher trace and kernel trace on two.
    title : str, optional
        Of the whole figure; network and data from the attributes when omitted.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, one for each loss

    Raises
    ------
    ValueError
        When ``ds`` lacks a trace or the dimension "epoch", or holds several widths.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2)), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> record = ig.network.fit(net, x, y, ig.losses.LpNorm(2), epochs=2)
    >>> ig.plotting.traces(record).shape
    (1,)
    """
    second = "fisher_trace_expected" if common_axis else "ntk_trace"
    missing = [name for name in ("fisher_trace", second) if name not in ds]
    if missing or "epoch" not in ds.dims:
        raise ValueError(f"ds must hold fisher_trace and {second} along epoch, got {sorted(map(str, ds.variables))}")
    if "width" in ds.dims:
        raise ValueError(f"ds must hold one width, choose by ds.sel(width=…), got {ds['width'].values.tolist()}")
    single = "loss" not in ds.dims
    losses = [ds] if single else [ds.sel(loss=name) for name in ds["loss"].values]
    names = [ds.attrs.get("loss", "")] if single else ds["loss"].values.tolist()
    with mpl.rc_context(STYLE):
        figure, axes = _panels(len(losses), common_axis=common_axis)
        geometric = []
        for ax, one, name in zip(axes, losses, names, strict=True):
            other = ax if common_axis else ax.twinx()
            geometric.append(_panel([ax, other], one, ("fisher_trace", second)))
            ax.set_title(loss_title(str(name)))
            ax.set_xlabel(coordinate_label(ds, "epoch"))

        # Labels of the values stand left of the first panel and right of the last.
        axes[0].set_ylabel("trace" if common_axis else label_of(ds["fisher_trace"]), labelpad=1)
        if not common_axis:
            other.set_ylabel(label_of(ds[second]), labelpad=6)
        figure.suptitle(_title(ds) if title is None else title, y=0.985, va="top")
        handles = [Line2D([], [], color=colour, ls=style, lw=1.2) for colour, style in CURVES]
        labels = [label_of(ds["fisher_trace"]) + ", empirical", label_of(ds[second])]
        below = 0.2 / figure.get_figheight()
        figure.legend(
            handles, labels, loc="lower center", bbox_to_anchor=(0.5, below), ncols=2, frameon=False, borderaxespad=0.1
        )
        if ds.sizes.get("seed", 1) > 1:
            figure.text(0.5, 0.3 * below, _meaning_of_bands(geometric), ha="center", va="bottom", fontsize=7)
    return np.array(axes, dtype=object)


def _panels(count: int, *, common_axis: bool) -> tuple[Figure, list[Axes]]:
    """Panels side by side, with room for a second axis of values right of each; margins in inches over the size."""
    several = count > 1
    size = max(3.4, 2.35 * count), 2.65 if several else 2.85
    figure, axes = plt.subplots(1, count, squeeze=False, figsize=size)
    right = 0.1 if common_axis else 0.62
    between = 0.32 if common_axis else 0.75
    figure.subplots_adjust(
        left=0.5 / size[0],
        right=1 - right / size[0],
        bottom=0.84 / size[1],
        top=1 - (0.45 if several else 0.6) / size[1],
        wspace=between,
    )
    return figure, list(axes[0])


def _panel(axes: list[Axes], ds: xr.Dataset, quantities: tuple[str, str]) -> bool:
    """Both quantities of one loss, each on its axes, which may be the same; whether these are logarithmic."""
    common = axes[0] is axes[1]
    values = [_finite(ds[quantity]) for quantity in quantities]
    geometric = _spread([np.concatenate(values)] if common else values) > WIDE

    # The curves, then axes that hold all that was drawn.
    drawn = []
    for ax, quantity, (colour, style) in zip(axes, quantities, CURVES, strict=True):
        drawn.append(_band(ax, ds[quantity], colour, style, geometric=geometric))
        if not common:
            ax.tick_params(axis="y", colors=colour)
    if common:
        _scale(axes[:1], [np.concatenate(drawn)], geometric=geometric)
    else:
        _scale(axes, drawn, geometric=geometric)
    axes[0].xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes[0].margins(x=0.02)
    return geometric


def _band(ax: Axes, da: xr.DataArray, colour: str, style: str, *, geometric: bool) -> Array:
    """Mean over the seeds and one standard deviation on both sides, geometric or not; the values that are drawn."""
    runs = da.transpose("seed", "epoch").values if "seed" in da.dims else da.values[None]
    values = np.ma.masked_invalid(np.log(runs) if geometric else runs)  # diverged ones end early
    mean = values.mean(axis=0).filled(np.nan)
    deviation = values.std(axis=0, ddof=1).filled(np.nan)
    curves = np.array([mean, mean - deviation, mean + deviation])
    middle, lower, upper = np.exp(curves) if geometric else curves

    # A line through one point is nothing to see.
    alone = np.isfinite(middle).sum() == 1
    epoch = da["epoch"].values
    ax.plot(epoch, middle, color=colour, ls=style, lw=1.2, marker="o" if alone else "", ms=3)
    if len(runs) > 1 and alone:
        ax.vlines(epoch, lower, upper, color=colour, alpha=0.4, lw=3)
    elif len(runs) > 1:
        ax.fill_between(epoch, lower, upper, color=colour, alpha=0.2, lw=0)
    return _finite([middle, lower, upper])


def _meaning_of_bands(geometric: list[bool]) -> str:
    """What is shaded, in words, for panels whose axes are logarithmic or not."""
    if all(geometric):
        return "shaded: one geometric standard deviation about the geometric mean"
    also = "; on logarithmic axes both are geometric" if any(geometric) else ""
    return "shaded: one standard deviation about the mean" + also


def _finite(values: ArrayLike) -> Array:
    flat = np.ravel(values)
    return np.asarray(flat[np.isfinite(flat)], dtype=np.float64)


def _spread(values: list[Array]) -> float:
    """Largest ratio that one axis has to show, 1 where not all values are positive."""
    if not all(v.size and v.min() > 0 for v in values):
        return 1.0
    return max(float(v.max() / v.min()) for v in values)


def _scale(axes: list[Axes], values: list[Array], *, geometric: bool) -> None:
    """One kind of scale for all axes of a panel, so that traces in proportion have curves of the same shape.

    Logarithmic over the same number of decades, or from 0.
    """
    decades = np.log10(_spread(values))
    for ax, v in zip(axes, values, strict=True):
        if not geometric:
            ax.yaxis.set_major_locator(MaxNLocator(5))
            ax.set_ylim(0, 1.05 * v.max() if v.size and v.max() > 0 else 1)
            continue
        middle, half = np.sqrt(v.min() * v.max()), 10 ** (0.54 * decades)
        ax.set_yscale("log")
        ax.set_ylim(middle / half, middle * half)
        if decades > 2:
            ax.yaxis.set_major_locator(LogLocator(subs=(1.0,), numticks=6))
            ax.yaxis.set_major_formatter(LogFormatterSciNotation())
        else:
            ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=6))
            ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        ax.yaxis.set_minor_locator(NullLocator())


def _title(ds: xr.Dataset) -> str:
    """Data and network, and what is drawn, in two lines where one is too long for a single panel."""
    data, runs = str(ds.attrs.get("data", "")), ds.sizes.get("seed", 1)
    width = f"width {int(ds['width'])}" if "width" in ds.coords else ""
    what = ", ".join(part for part in (data, width) if part)
    drawn = "one run" if runs == 1 else f"{runs} runs"
    diverged = int((ds["status"] != 0).sum()) if "status" in ds else 0
    if diverged:
        drawn += f", {diverged} diverged"
    between = ", " if ds.sizes.get("loss", 1) > 1 else "\n"
    return between.join(part for part in (what, drawn) if part)
