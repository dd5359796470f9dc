"""What all figures share: sizes, colours, the axes to draw on, and labels taken from attributes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from infogeom.losses import by_name

__all__ = [
    "BLUE",
    "CYCLE",
    "STYLE",
    "VERMILION",
    "axes_or_new",
    "caption",
    "check_type",
    "coordinate_label",
    "label_of",
    "label_outer",
    "loss_title",
    "mosaic",
    "names_of",
]

#: Figures are laid out at their printed size: two columns of text are 7 inches wide, one is 3.4.
STYLE: dict[Any, Any] = {
    "font.size": 8,
    "axes.formatter.limits": (-3, 4),  # longer tick labels would push the axis label out of the figure
    "axes.titlesize": 8,
    "axes.titley": 1.0,  # not searched for, which takes a third of the time of drawing
    "axes.labelsize": 8,
    "figure.titlesize": 9,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "hatch.linewidth": 0.5,
}
BLUE = "#0072b2"
VERMILION = "#d55e00"
#: Told apart under colour-vision deficiency (Okabe and Ito 2008).
CYCLE = (BLUE, VERMILION, "#009e73", "#cc79a7", "black")


@contextmanager
def axes_or_new(ax: Axes | None, size: tuple[float, float], margins: dict[str, float]) -> Iterator[Axes]:
    """The caller's axes with the caller's style, or those of a new figure with ours."""
    if ax is not None:
        yield ax
        return
    with mpl.rc_context(STYLE):
        figure, new = plt.subplots(figsize=size)
        figure.subplots_adjust(**margins)
        yield new


def mosaic(count: int, *, shared: bool = True) -> tuple[Figure, list[Axes]]:
    """Square axes, three in a row, with room for a title above and a colour bar beside each; sizes in inches.

    Those whose axes are not shared have room for labels of their own.
    """
    columns = min(count, 3)
    rows = -(-count // columns)
    side, across, down = (1.56, 2.16, 1.86) if shared else (1.36, 2.3, 2.3)
    left, bottom, top = (0.68, 0.64, 0.5) if shared else (0.5, 0.5, 0.72)
    used = left - 0.04 + across * columns
    width, height = max(used, 3.4), bottom + down * (rows - 1) + side + top
    left += (width - used) / 2
    figure = plt.figure(figsize=(width, height))
    places = [divmod(index, columns) for index in range(count)]
    corners = [(left + across * column, bottom + down * (rows - 1 - row)) for row, column in places]
    return figure, [figure.add_axes((x / width, y / height, side / width, side / height)) for x, y in corners]


def label_outer(axes: Sequence[Axes]) -> None:
    """Parameters only left of the first column and below the last row."""
    for index, ax in enumerate(axes):
        if index % 3:
            ax.set_ylabel("")
            ax.tick_params(labelleft=False)
        if index + 3 < len(axes):
            ax.set_xlabel("")
            ax.tick_params(labelbottom=False)


def names_of(da: xr.DataArray) -> tuple[str, str]:
    """The two dimensions of a map; an error when it is none."""
    check_type("da", da, xr.DataArray)
    if da.ndim != 2:
        raise ValueError(f"da must have two dimensions, got {da.dims}")
    x, y = (str(name) for name in da.dims)
    return x, y


def check_type(name: str, value: Any, kind: Any) -> None:
    """Raise TypeError unless ``value`` is of a kind."""
    if not isinstance(value, kind):
        wanted = " or ".join(getattr(k, "__name__", str(k)) for k in getattr(kind, "__args__", (kind,)))
        raise TypeError(f"{name} must be a {wanted}, got {type(value).__name__}")


def label_of(da: xr.DataArray) -> str:
    """``long_name``, or the variable's name."""
    return str(da.attrs.get("long_name", da.name or ""))


def coordinate_label(data: xr.Dataset | xr.DataArray, name: str) -> str:
    """``long_name`` of a coordinate with its units, or its name."""
    attrs = data[name].attrs
    units = str(attrs.get("units", "1"))
    return str(attrs.get("long_name", name)) + ("" if units == "1" else f" ({units})")


def caption(ds: xr.Dataset, *, fisher: bool = True, before_data: str = ", ") -> str:
    """Loss, which Fisher information, and the data that a result stands for, from its attributes."""
    samples = f"{ds.attrs['samples']} samples" if "samples" in ds.attrs else ""
    loss, data = loss_title(str(ds.attrs.get("loss", ""))), str(ds.attrs.get("data", samples))
    parts = [loss or str(ds.attrs.get("model", ""))]
    if fisher and "fisher" in ds.attrs:
        parts.append(f"{ds.attrs['fisher']} Fisher information")
    what = ", ".join(part for part in parts if part)
    return before_data.join(part for part in (what, data) if part)


def loss_title(name: str) -> str:
    """``mean-power-2`` and ``l2`` as they are written in a text; what names no loss as it is.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.plotting.loss_title("l2")
    '$L_{2}$ norm'
    """
    try:
        return by_name(name).title
    except ValueError:
        return name
