"""Collapse of curves of several sizes onto one: the critical point and the exponents that do it best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize

from infogeom.arguments import check_real, finite_array
from infogeom.tables import Table

__all__ = ["Collapse", "WindowOfCollapse", "collapse"]

Array = NDArray[np.float64]

#: Sizes, at least.
FEWEST_CURVES = 3
#: Points of a curve, and of it inside the range of another, at least.
FEWEST_POINTS = 5
FEWEST_SHARED = 3
#: Where the search begins: shares of the range that all curves share, and exponents of the scaled parameter.
START_PLACES = (0.3, 0.5, 0.7)
START_EXPONENTS = (0.5, 1.0, 2.0)
#: Tolerance of the search, of parameters and of the logarithm of the distance; steps of a first look, and at most.
SEARCHED_TO = 1e-7
FIRST_MOVES = 60
MOST_MOVES = 2000
#: Share of each curve about the critical point that is left when a window is narrowed.
NARROWED = 0.6
#: What the largest deviation of another window is multiplied by to make the error.
TIMES_WINDOWS = 3.0
#: Distance at which no curve falls upon another, less a few roundings.
APART = 1 - 1e-9
#: Least square of a distance, below rounding.
LEAST_DISTANCE = 1e-30


class Curve(NamedTuple):
    """y(x) of one size, and the spline through it, which scales as it does."""

    size: float
    x: Array
    y: Array
    spline: CubicSpline


Curves = list[Curve]


class WindowOfCollapse(NamedTuple):
    """What some of the sizes or of the points give.

    Attributes
    ----------
    words : str
        Which are left out.
    critical, exponent, ratio : float
    distance : float
        Root of the mean square by which curves differ, over their own standard deviation.
    """

    words: str
    critical: float
    exponent: float
    ratio: float
    distance: float


@dataclass(frozen=True, repr=False)
class Collapse(Table):
    """Parameters of y = L^ratio F((x − critical) L^exponent); prints as one line, and as a table of windows.

    Attributes
    ----------
    critical, exponent, ratio : float
        x_c, 1/ν, and for a susceptibility γ/ν.
    critical_error, exponent_error, ratio_error : float
        0 for what was given; infinite where there is a window in which no curve falls upon another.
    distance : float
        Root of the mean square by which curves differ, over their own standard deviation.
    x, y : str
    sizes : tuple of float
    windows : tuple of WindowOfCollapse
        The whole first.

    Examples
    --------
    >>> import numpy as np, xarray as xr, infogeom as ig
    >>> sizes, t = np.array([8, 16, 32]), np.linspace(-0.1, 0.1, 21)
    >>> ds = xr.Dataset({"U": (("L", "t"), [np.tanh(t * L) for L in sizes])}, {"L": sizes, "t": t})
    >>> found = ig.transitions.collapse(ds, "t", "U", size="L", critical=0, ratio=0)
    >>> round(found.exponent, 2), found.sizes
    (1.0, (8.0, 16.0, 32.0))
    """

    critical: float
    exponent: float
    ratio: float
    critical_error: float
    exponent_error: float
    ratio_error: float
    distance: float
    x: str
    y: str
    sizes: tuple[float, ...]
    windows: tuple[WindowOfCollapse, ...]

    def __str__(self) -> str:
        parts: list[str] = []
        for name in WindowOfCollapse._fields[1:4]:
            parts += [f"{name} {getattr(self, name):.6g} ± {getattr(self, name + '_error'):.1g}"]
        sizes = ", ".join(f"{size:g}" for size in self.sizes)
        return (
            f"{self.y} = L^ratio F(({self.x} − critical) L^exponent): {', '.join(parts)}; sizes {sizes}; "
            f"no corrections assumed; {len(self.windows)} windows; curves differ by {self.distance:.2g} of their size"
        )

    def _above(self) -> Sequence[str]:
        return [str(self)]

    def _cells(self) -> list[list[str]]:
        rows = [["window", *WindowOfCollapse._fields[1:]]]
        for window in self.windows:
            rows += [[window.words] + [f"{number:.6g}" for number in window[1:]]]
        return rows


def collapse(
    dataset: xr.Dataset,
    x: str,
    y: str,
    *,
    size: str = "size",
    critical: float | None = None,
    exponent: float | None = None,
    ratio: float | None = None,
) -> Collapse:
    """Critical point and exponents with which curves y(x) of several sizes L fall upon one another.

    y = L^ratio F((x − critical) L^exponent) with any F: each scaled curve is compared with the cubic spline of each
    other one where their ranges overlap, and the mean square of the distances, over the variance of what is compared,
    is made least (Bhattacharjee and Seno, J. Phys. A 34 (2001) 6375, Eq. 5, with squares). Corrections to scaling are
    assumed to be none. The error shows what they do: three times the largest deviation among windows without the
    smallest, the largest or the two smallest sizes and of points nearer to the critical one, where a deviation by other
    sizes counts as often as it takes to get to none by 1 over the mean size.

    Parameters
    ----------
    dataset : xarray.Dataset
        ``y`` along the sizes and one more dimension; ``x`` along that one, or along both.
    x, y : str
        Names of variables or coordinates; x increasing.
    size : str
        Name of the dimension of sizes, whose coordinate they are: at least three.
    critical, exponent, ratio : float, optional
        What is known of x_c, 1/ν and the exponent of y, and held.

    Returns
    -------
    Collapse

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import numpy as np, xarray as xr, infogeom as ig
    >>> sizes, t = np.array([8, 16, 32]), np.linspace(0.3, 0.6, 41)
    >>> curves = [L**1.75 / np.cosh((t - 0.44) * L) for L in sizes]
    >>> ds = xr.Dataset({"chi": (("size", "beta"), curves)}, {"size": sizes, "beta": t})
    >>> found = ig.transitions.collapse(ds, "beta", "chi")
    >>> round(found.critical, 3), round(found.exponent, 2), round(found.ratio, 2)
    (0.44, 1.0, 1.75)
    """
    curves = _checked_curves(dataset, x, y, size)
    held = _checked_held(critical, exponent, ratio)
    whole = _best("all", curves, held, _starts(curves))
    found = np.array(whole[1:4])

    # What is left without some sizes, or of points near the critical one, from where the whole ends.
    narrow = [_narrowed(curve, whole) for curve in curves]
    left = {"without the smallest": curves[1:], "without the largest": curves[:-1], "narrower": narrow}
    if len(curves) > FEWEST_CURVES:
        left["without the two smallest"] = curves[2:]
    windows, deviations = [whole], [np.zeros(3)]
    for words, some in left.items():
        windows.append(_best(words, some, held, [found]))
        deviations.append(_remaining(curves, some) * abs(np.array(windows[-1][1:4]) - found))
    errors = TIMES_WINDOWS * np.max(deviations, axis=0)
    if any(window.distance >= APART for window in windows):  # from where a search goes nowhere, and deviates by 0
        errors = np.where(np.isnan(held), np.inf, 0.0)
    return Collapse(
        critical=float(found[0]),
        exponent=float(found[1]),
        ratio=float(found[2]),
        critical_error=float(errors[0]),
        exponent_error=float(errors[1]),
        ratio_error=float(errors[2]),
        distance=whole.distance,
        x=x,
        y=y,
        sizes=tuple(curve.size for curve in curves),
        windows=tuple(windows),
    )


def _remaining(curves: Curves, some: Curves) -> float:
    """How many times what a window changes the whole is off by, if it is as 1 over the mean size; at least 1."""
    mean, other = (float(np.mean([curve.size for curve in which])) for which in (curves, some))
    return max(1.0, abs(other / (other - mean))) if other != mean else 1.0


def _best(words: str, curves: Curves, held: Array, starts: Sequence[Array]) -> WindowOfCollapse:
    """Least distance, from the best of several starts; what is held is a number in ``held``, else nan."""
    best = np.where(np.isnan(held), starts[0], held)
    if np.isnan(held).any():
        ends = [_searched(curves, held, start, FIRST_MOVES) for start in starts]
        nearest = min(ends, key=lambda end: _distance(curves, end))
        best = _searched(curves, held, nearest, MOST_MOVES)
    critical, exponent, ratio = map(float, best)
    return WindowOfCollapse(words, critical, exponent, ratio, math.sqrt(_distance(curves, best)))


def _searched(curves: Curves, held: Array, start: Array, steps: int) -> Array:
    """Where a search by simplices ends that begins at a start, a twentieth of each scale wide."""
    free = np.isnan(held)
    scale = np.array([np.mean([np.ptp(curve.x) for curve in curves]), 1.0, 1.0])[free]

    def parameters(point: Array) -> Array:
        whole = np.where(free, start, held)
        whole[free] += point * scale
        return whole

    def height(point: Array) -> float:
        return math.log(_distance(curves, parameters(point)) + LEAST_DISTANCE)

    corners = np.vstack([np.zeros(len(scale)), 0.05 * np.eye(len(scale))])
    options: Any = {"xatol": SEARCHED_TO, "fatol": SEARCHED_TO, "maxiter": steps, "initial_simplex": corners}
    return parameters(np.asarray(minimize(height, corners[0], method="Nelder-Mead", options=options).x))


def _distance(curves: Curves, parameters: Array) -> float:
    """Mean over pairs of curves of the mean square of distances over the variance; 1 where two hardly overlap."""
    critical, exponent, ratio = parameters
    found = []
    for (L, x, y, _), other in permutations(curves, 2):
        at = critical + (x - critical) * (L / other.size) ** exponent
        inside = (at > other.x[0]) & (at < other.x[-1])
        if inside.sum() < FEWEST_SHARED:
            found.append(1.0)
            continue
        differences = y[inside] - (L / other.size) ** ratio * other.spline(at[inside])
        variance = np.var(y[inside])
        found.append(min(1.0, float(np.mean(differences**2) / variance)) if variance > 0 else 1.0)
    return float(np.mean(found))


def _starts(curves: Curves) -> list[Array]:
    """Places in the range that all curves share, some exponents, and the ratio of the largest values."""
    low, high = max(curve.x[0] for curve in curves), min(curve.x[-1] for curve in curves)
    largest = [abs(curves[k].y).max() for k in (0, -1)]
    growth = np.log(largest[1] / largest[0]) / np.log(curves[-1].size / curves[0].size)
    places = low + (high - low) * np.array(START_PLACES)
    return [np.array([place, exponent, growth]) for place, exponent in product(places, START_EXPONENTS)]


def _narrowed(curve: Curve, whole: WindowOfCollapse) -> Curve:
    """Points of a curve near the critical one."""
    from_there = abs(curve.x - whole.critical)
    near = from_there <= np.sort(from_there)[max(FEWEST_POINTS, int(NARROWED * len(curve.x))) - 1]
    return _curve(curve.size, curve.x[near], curve.y[near])


def _curve(size: float, x: Array, y: Array) -> Curve:
    return Curve(size, x, y, CubicSpline(x, y))


def _checked_held(critical: float | None, exponent: float | None, ratio: float | None) -> Array:
    given = {"critical": critical, "exponent": exponent, "ratio": ratio}
    for name, value in given.items():
        if value is not None:
            check_real(name, value)
            finite_array(name, value)
    return np.array([np.nan if value is None else float(value) for value in given.values()])


def _checked_curves(dataset: xr.Dataset, x: str, y: str, size: str) -> Curves:
    """Size, x and y of each curve."""
    if not isinstance(dataset, xr.Dataset):
        raise TypeError(f"dataset must be an xarray.Dataset, got {type(dataset).__name__}")
    for argument, name in (("x", x), ("y", y), ("size", size)):
        if not isinstance(name, str) or name not in dataset:
            raise ValueError(f"{argument} must name one of {list(map(str, dataset.variables))}, got {name!r}")
    dims = dataset[y].dims
    if len(dims) != 2 or size not in dims:
        raise ValueError(f"y must run along {size!r} and one more dimension, got {dims}")
    sizes = finite_array(size, dataset[size].values, 1)
    if len(sizes) < FEWEST_CURVES or sizes[0] <= 0 or (np.diff(sizes) <= 0).any():
        raise ValueError(f"{size} must be at least {FEWEST_CURVES}, positive and increasing, got {sizes.tolist()}")
    if dataset.sizes[dims[1 - dims.index(size)]] < FEWEST_POINTS:
        raise ValueError(f"x must hold at least {FEWEST_POINTS} values, got {dataset[x].values.shape[-1]}")

    # One x for all sizes, or one for each.
    curves, at = [], dataset[x].broadcast_like(dataset[y]).transpose(size, ...).values
    for L, abscissas, values in zip(sizes, at, dataset[y].transpose(size, ...).values, strict=True):
        u, v = finite_array(x, abscissas), finite_array(y, values)
        if (np.diff(u) <= 0).any():
            raise ValueError(f"x must be increasing, got {u.tolist()} at {size} {L:g}")
        if np.ptp(v) == 0:
            raise ValueError(f"y must vary, got {v[0]:g} alone at {size} {L:g}")
        curves.append(_curve(float(L), u, v))
    return curves
