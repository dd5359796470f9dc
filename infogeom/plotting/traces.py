"""Fisher and kernel traces of networks through training (thesis Figs. 5.1 and B.1–B.5)."""

from __future__ import annotations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from numpy.typing import NDArray

from infogeom.plotting.style import BLUE, STYLE, VERMILION, coordinate_label, label_of, loss_title

__all__ = ["traces"]

#: Beyond this ratio of the largest value to the smallest an axis is logarithmic.
WIDE = 30


def traces(ds: xr.Dataset, *, common_axis: bool = False, title: str | None = None) -> NDArray[np.object_]:
    """Fisher trace and kernel trace along the epochs, a panel for each loss: mean and standard deviation over seeds.

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
    """
    second = "fisher_trace_expected" if common_axis else "ntk_trace"
    missing = [name for name in ("fisher_trace", second) if name not in ds]
    if missing or "epoch" not in ds.dims:
        raise ValueError(f"ds must hold fisher_trace and {second} along epoch, got {sorted(map(str, ds.variables))}")
    if "width" in ds.dims:
        raise ValueError(f"ds must hold one width, choose by ds.sel(width=…), got {ds['width'].values.tolist()}")
    losses = [ds.sel(loss=name) for name in ds["loss"].values] if "loss" in ds.dims else [ds]
    names = [str(name) for name in ds["loss"].values] if "loss" in ds.dims else [str(ds.attrs.get("loss", ""))]
    count = len(losses)
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(1, count, squeeze=False, figsize=(max(3.4, 2.35 * count), 2.5))
        width = figure.get_figwidth()
        figure.subplots_adjust(
            left=0.5 / width,
            right=1 - (0.1 if common_axis else 0.62) / width,
            bottom=0.27,
            top=0.82,
            wspace=0.32 if common_axis else 0.75,
        )
        for ax, one, name in zip(axes[0], losses, names, strict=True):
            drawn = [ax, ax if common_axis else ax.twinx()]
            for where, quantity, colour, style in zip(
                drawn, ("fisher_trace", second), (BLUE, VERMILION), ("-", "--"), strict=True
            ):
                _band(where, one[quantity], colour, style)
            _finish(ax, [one["fisher_trace"], one[second]] if common_axis else [one["fisher_trace"]])
            if not common_axis:
                _finish(drawn[1], [one[second]])
                ax.tick_params(axis="y", colors=BLUE)
                drawn[1].tick_params(axis="y", colors=VERMILION)
            ax.set_title(loss_title(name))
            ax.set_xlabel(coordinate_label(ds, "epoch"))
        axes[0, 0].set_ylabel("trace" if common_axis else label_of(ds["fisher_trace"]), labelpad=1)
        if not common_axis:
            drawn[1].set_ylabel(label_of(ds[second]), labelpad=6)
        figure.suptitle(_title(ds) if title is None else title, y=0.985, va="top")
        handles = [Line2D([], [], color=colour, ls=style, lw=1.2) for colour, style in ((BLUE, "-"), (VERMILION, "--"))]
        labels = [label_of(ds["fisher_trace"]) + ", empirical", label_of(ds[second])]
        figure.legend(handles, labels, loc="lower center", ncols=2, frameon=False, borderaxespad=0.1)
    return np.array(axes[0], dtype=object)


def _band(ax: Axes, da: xr.DataArray, colour: str, style: str) -> None:
    """Mean over the seeds, and one standard deviation on both sides where it does not leave a positive quantity."""
    epoch, mean = da["epoch"].values, da.mean("seed") if "seed" in da.dims else da
    ax.plot(epoch, mean, color=colour, ls=style, lw=1.2)
    if "seed" in da.dims and da.sizes["seed"] > 1:
        deviation = da.std("seed", ddof=1)
        lower = np.where(mean > deviation, mean - deviation, da.min("seed"))
        ax.fill_between(epoch, lower, mean + deviation, color=colour, alpha=0.2, lw=0)


def _finish(ax: Axes, arrays: list[xr.DataArray]) -> None:
    """Scale and ticks for the values drawn."""
    values = np.concatenate([np.ravel(da) for da in arrays])
    values = values[np.isfinite(values)]
    if values.size and values.min() > 0 and values.max() > WIDE * values.min():
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(numticks=6))
        ax.yaxis.set_minor_locator(NullLocator())
    else:
        ax.yaxis.set_major_locator(MaxNLocator(5))
        ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.margins(x=0.02)


def _title(ds: xr.Dataset) -> str:
    parts = [str(ds.attrs.get("data", "")), f"width {int(ds['width'])}" if "width" in ds.coords else ""]
    if "seed" in ds.dims:
        parts.append(f"mean and standard deviation of {ds.sizes['seed']} runs")
    return ", ".join(part for part in parts if part)
