"""Laws of a family: as curves over their outcomes, at their places on the manifold, and how far apart they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from infogeom.plotting.style import BLUE, CYCLE, axes_or_new, check_type, coordinate_label, label_of, names_of

__all__ = ["ellipses", "laws", "laws_at_points"]

Array = NDArray[np.float64]

CORNERS = 121
#: Width and height of the small densities, in inches.
SIZE = (0.62, 0.42)
#: How far above its point each of them stands, in inches.
LIFT = 0.06
_OUTLINE = [Stroke(linewidth=1.5, foreground="black"), Normal()]


def ellipses(ds: xr.Dataset, *, radius: float, ax: Axes | None = None) -> Axes:
    """Ellipses {θ + v: g(v, v) = radius²} of the metric at points, to the scale of the axes, which stay as they are.

    Parameters
    ----------
    ds : xarray.Dataset
        From `infogeom.grid.evaluate_points` of a model with two parameters, with ``metric``. Points where it has no
        value, or is not positive, are left out.
    radius : float
        Positive: the length of v.
    ax : matplotlib.axes.Axes, optional
        A new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        For a Dataset without the metric of two parameters at points, or a radius that is not positive.

    Examples
    --------
    >>> import infogeom as ig
    >>> ds = ig.evaluate_points(ig.models.normal(), [[0, 1], [1, 2]], ["metric"])
    >>> axes = ig.plotting.ellipses(ds, radius=0.2)
    >>> axes.get_xlabel() == ds.mu.attrs["long_name"]
    True
    """
    check_type("ds", ds, xr.Dataset)
    first, *indices = ds["metric"].dims if "metric" in ds else [""]
    if first != "point" or [ds.sizes[i] for i in indices] != [2, 2]:
        raise ValueError(f"ds must hold the metric of two parameters at points, got {dict(ds.sizes)}")
    if not radius > 0:
        raise ValueError(f"radius must be positive, got {radius!r}")
    x, y = (str(name) for name in ds[indices[0]].values)
    centres = np.stack([ds[x].values, ds[y].values], axis=-1)
    polygons = [centre + radius * v for centre, v in zip(centres, _unit(ds["metric"].values), strict=True)]
    new = ax is None
    with axes_or_new(ax, (3.4, 2.9), {"left": 0.16, "right": 0.96, "bottom": 0.16, "top": 0.94}) as drawn:
        known = [polygon for polygon in polygons if np.isfinite(polygon).all()]
        rings = PolyCollection(
            known, facecolor="none", edgecolor="white", linewidth=0.7, path_effects=_OUTLINE, zorder=3
        )
        drawn.add_collection(rings, autolim=new)
        drawn.plot(*centres.T, ".", color="white", ms=3, mec="black", mew=0.4, zorder=4, scalex=new, scaley=new)
        if new:
            drawn.autoscale_view()
            drawn.set(xlabel=coordinate_label(ds, x), ylabel=coordinate_label(ds, y))
    return drawn


def _unit(g: Array) -> Iterator[Array]:
    """Vectors v with vᵀ g v = 1 all around, for each g; nan where g is not positive."""
    angle = np.linspace(0, 2 * np.pi, CORNERS)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    for matrix in g:
        values, vectors = np.linalg.eigh(matrix) if np.isfinite(matrix).all() else (np.full(2, np.nan), np.eye(2))
        roots = np.sqrt(np.where(values > 0, values, np.nan))
        yield (vectors @ (circle / roots[:, None])).T


def laws(da: xr.DataArray, *, samples: xr.DataArray | None = None, ax: Axes | None = None) -> Axes:
    """Densities or probabilities of several laws of a family over their outcomes (thesis Figs. 3.2 and 3.3).

    Parameters
    ----------
    da : xarray.DataArray
        First dimension the parameter, second the outcomes: where these are integers the law is discrete, and drawn as
        points.
    samples : xarray.DataArray, optional
        First dimension the parameter, second the draws, which are shown below the curves with an arrow over their
        spread.
    ax : matplotlib.axes.Axes, optional
        A new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        When ``da`` has not two dimensions, or the samples belong to other parameters.

    Examples
    --------
    >>> import xarray as xr, infogeom as ig
    >>> rates, outcomes = [1.0, 2.0], [0, 1, 2, 3]
    >>> values = [ig.models.poisson().at(rate=rate).pdf(outcomes) for rate in rates]
    >>> da = xr.DataArray(values, {"rate": rates, "x": outcomes}, ("rate", "x"))
    >>> len(ig.plotting.laws(da).lines)
    2
    """
    parameter, outcome = names_of(da)
    if samples is not None and not (samples.ndim == 2 and samples.dims[0] == parameter and len(samples) == len(da)):
        raise ValueError(f"samples must have a row for each {parameter}, got {dict(samples.sizes)}")
    discrete = np.issubdtype(da[outcome].dtype, np.integer)
    with axes_or_new(ax, (3.4, 2.5), {"left": 0.15, "right": 0.97, "bottom": 0.17, "top": 0.88}) as drawn:
        marks = ("o", "s", "^", "D", "v")
        for k, law in enumerate(da):
            style: dict[str, Any] = {"marker": marks[k % len(marks)], "ms": 3, "lw": 0.6} if discrete else {"lw": 1.3}
            label = f"{coordinate_label(da, parameter)} $= {float(law[parameter]):g}$".replace("$ $", " ")
            drawn.plot(da[outcome], law, color=CYCLE[k % len(CYCLE)], label=label, **style)
        if samples is not None:
            _draws(drawn, samples.values, float(da.max()))
        drawn.set(xlabel=coordinate_label(da, outcome), ylabel=label_of(da))
        drawn.margins(x=0.02)
        if discrete:
            drawn.xaxis.set_major_locator(MaxNLocator(integer=True))
        drawn.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, frameon=False)
    return drawn


def _draws(ax: Axes, samples: Array, height: float) -> None:
    """Rows of dots below 0, an arrow over each."""
    for k, row in enumerate(samples):
        level, colour = -height * (0.09 + 0.1 * k), CYCLE[k % len(CYCLE)]
        arrow: dict[str, Any] = {
            "arrowstyle": "<->",
            "color": colour,
            "lw": 0.8,
            "shrinkA": 0,
            "shrinkB": 0,
            "mutation_scale": 6,
        }
        ax.annotate("", (row.max(), level - 0.04 * height), (row.min(), level - 0.04 * height), arrowprops=arrow)
        ax.plot(row, np.full(len(row), level), "o", color=colour, ms=3.5, mec="white", mew=0.4)
    ax.axhline(0, color="0.6", lw=0.6, zorder=0)


def laws_at_points(da: xr.DataArray, *, ax: Axes | None = None) -> Axes:
    """Small densities, all to one scale, at the points of a two-parameter family that they are (thesis Fig. 3.4).

    Parameters
    ----------
    da : xarray.DataArray
        Dimensions "point" and the outcomes, with two coordinates, the parameters, along "point".
    ax : matplotlib.axes.Axes, optional
        A new figure when omitted.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        For other dimensions, or not two coordinates along "point".

    Examples
    --------
    >>> import xarray as xr, infogeom as ig
    >>> x, at = [-4.0, -2.0, 0.0, 2.0, 4.0], {"mu": ("point", [0.0, 1.0]), "sigma": ("point", [1.0, 2.0])}
    >>> values = [ig.models.normal().at(mu=m, sigma=s).pdf(x) for m, s in ((0, 1), (1, 2))]
    >>> da = xr.DataArray(values, {**at, "x": x}, ("point", "x"))
    >>> ig.plotting.laws_at_points(da).get_xlabel()
    'mu'
    """
    first, outcome = names_of(da)
    names = [str(name) for name, c in da.coords.items() if c.dims == ("point",) and name != "point"]
    if first != "point" or len(names) != 2:
        raise ValueError(f"da must run over points with two coordinates and over outcomes, got {da.dims}, {names}")
    with axes_or_new(ax, (3.4, 2.9), {"left": 0.14, "right": 0.97, "bottom": 0.15, "top": 0.96}) as drawn:
        x, highest = da[outcome].values, float(da.max())
        across = SIZE[0] * ((x - x.min()) / np.ptp(x) - 0.5)
        for law in da:
            point = [float(law[name]) for name in names]
            place = ScaledTranslation(point[0], point[1], drawn.transData)  # type: ignore[arg-type]
            beside = drawn.figure.dpi_scale_trans + place
            style: dict[str, Any] = {"transform": beside, "color": BLUE, "zorder": 3}
            up = LIFT + SIZE[1] * law.values / highest
            drawn.fill_between(across, LIFT, up, alpha=0.25, lw=0, **style)
            drawn.plot(across, up, lw=1, **style)
            drawn.plot([0, 0], [0, LIFT], **(style | {"color": "0.3", "lw": 0.6}))
            drawn.plot(*point, "o", color="black", ms=3, zorder=4)
        if ax is None:
            drawn.margins(0.3)
        drawn.set(xlabel=coordinate_label(da, names[0]), ylabel=coordinate_label(da, names[1]))
    return drawn
