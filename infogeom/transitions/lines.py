"""Observables of a transition along a line of parameters, and where they have their extrema."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.polynomial import Chebyshev
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar
from tqdm import tqdm

from infogeom import __version__
from infogeom.arguments import by_name, finite_array
from infogeom.formulas import latex
from infogeom.grid import StatusWarning, evaluate_points
from infogeom.models.model import Model
from infogeom.models.names import check_name
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric, numeric_metric
from infogeom.threads import PATIENCE
from infogeom.variables import Variable, numbers, texts

__all__ = ["Line", "checked_line", "peak_of", "scan"]

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

#: Points of a line that is given by its ends.
POINTS_OF_LINE = 65
#: To what share of the bracket Brent's method closes in before a polynomial takes over, and without one.
CLOSE = 1e-3
CLOSE_ALONE = 1e-9
#: Degree of that polynomial, and shares of the bracket that it covers to either side.
DEGREE = 12
HALF_WIDTHS = (0.25, 0.1, 0.04)
#: How small its last coefficients are, beside the one of the curvature, where it follows the observable as far as
#: rounding lets it, and from where on it does not follow it.
FOLLOWED_TO = 1e-10
UNRESOLVED = 1e-4
#: Imaginary parts of roots that are real, in units of half the interval.
REAL = 1e-6
#: Quantities that are scalars, by their name here.
SCALARS = {"R": "ricci_scalar", "R_error": "ricci_scalar_error"}
#: What is told of each extremum.
LABELS = {"location": "location of the extremum", "extremum": "extremum", "extrema": "extrema met"}


class Line:
    """Points of a parameter space that differ in one parameter.

    Attributes
    ----------
    metric : Metric
    name : str
        The parameter.
    symbol : Symbol
    at : mapping of str to float
        The others.
    others : tuple of str
    labels : dict of str to str
        What the observables are.
    """

    def __init__(self, metric: Metric, name: str, at: Mapping[str, float]) -> None:
        self.metric, self.name, self.at = metric, name, at
        self.others = tuple(other for other in metric.names if other != name)
        self.symbol = metric.coordinates[metric.names.index(name)]
        self.labels = self._labels()

    @property
    def observables(self) -> tuple[str, ...]:
        """Their names: C, g_jj and s_j for each other parameter j, and R where there are others."""
        named = [f"{kind}_{j}" for kind in ("g", "s") for j in self.others]
        return ("C", *named, "R") if self.others else ("C",)

    def _labels(self) -> dict[str, str]:
        a, coordinates = latex(self.symbol), ", ".join(map(latex, self.metric.coordinates))
        labels = {"C": rf"$C = g_{{{a} {a}}}$ in $({coordinates})$"}
        for symbol in self.metric.coordinates:
            j = latex(symbol)
            if symbol.name != self.name:
                labels[f"g_{symbol.name}"] = rf"$g_{{{j} {j}}}$ in $({coordinates})$"
                labels[f"s_{symbol.name}"] = rf"$\partial_{{{a}}} \ln g_{{{j} {j}}}$ in $({coordinates})$"
        return labels | {name: QUANTITIES[of].label for name, of in SCALARS.items()}

    def evaluate(self, values: Array) -> tuple[dict[str, Array], xr.DataArray]:
        """Observables, with bounds on errors of R, and the status, at values of the parameter."""
        points = np.empty((len(values), len(self.metric.names)))
        for column, name in zip(points.T, self.metric.names, strict=True):
            column[:] = values if name == self.name else self.at[name]
        wanted = ("metric", "christoffel", "ricci_scalar")
        ds = evaluate_points(self.metric, points, wanted)
        i, j, k = ds.christoffel.dims[1:]
        along = ds.christoffel.sel({k: self.name})

        # ∂_a g_jj = 2 g_jm Γ^m_ja: exact where g is diagonal.
        found = {"C": ds.metric.sel({i: self.name, j: self.name}).values}
        for other in self.others:
            row, connection = ds.metric.sel({i: other}).values, along.sel({j: other}).values
            diagonal = ds.metric.sel({i: other, j: other}).values
            found[f"g_{other}"] = diagonal
            with np.errstate(divide="ignore", invalid="ignore"):  # of a statistic that is constant
                found[f"s_{other}"] = 2 * (row * connection).sum(axis=1) / diagonal
        if self.others:
            found |= {"R": ds.ricci_scalar.values, "R_error": ds.ricci_scalar_error.values}
        return found, ds.status

    def function(self, observable: str) -> Function:
        """An observable as a function of the parameter."""

        def values(x: Array) -> Array:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", StatusWarning)  # the scan has told of them
                return self.evaluate(np.atleast_1d(x))[0][observable]

        return values


class Peak(NamedTuple):
    """An extremum, its value, "maximum", "minimum" or "none", and how many were met."""

    location: float
    extremum: float
    kind: str
    extrema: int


def scan(
    model_or_metric: Model | Metric, axis: Mapping[str, ArrayLike], at: Mapping[str, float] | None = None
) -> xr.Dataset:
    """Observables of a transition along a line, with the place and the value of the extremum of each.

    Along the parameter a, with others j: ``C`` = g_aa, the heat capacity where a is an inverse temperature;
    ``g_j`` = g_jj, the fluctuations of X_j; ``s_j`` = ∂_a ln g_jj; and ``R``. All but R are components in the
    coordinates of the model, and others give others: in (T, h) a maximum lies elsewhere than in (β, h). R is a scalar.

    Each maximum inside the line, of R the extremum that is largest by its size, is refined by Brent's method, then as
    the root of the derivative of a polynomial through the points about it, where one follows the observable: to a few
    roundings of the observable, divided by its curvature, and else to the square root of that.

    Parameters
    ----------
    model_or_metric : Model or Metric
    axis : mapping of str or Symbol to array_like
        The parameter, and (low, high), between which 65 points are taken, or an increasing sequence of at least three.
        An extremum that is narrower than their distance may be missed.
    at : mapping of str or Symbol to float, optional
        Numbers for all other parameters.

    Returns
    -------
    xarray.Dataset
        The observables, ``R_error`` and ``status`` along the parameter. Along "observable": ``location`` of the
        extremum, its value in ``extremum``, ``kind`` (maximum, minimum, or none: nan then) and how many the scan has
        met in ``extrema``. The attribute ``coordinates`` says in which components were taken.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value; for parameters called like one of the observables.

    Warns
    -----
    StatusWarning
        As `infogeom.grid.evaluate_points`.

    Examples
    --------
    Where the fluctuations of the magnetisation of 1000 spins that all attract one another grow fastest; of infinitely
    many they diverge at β = 1:

    >>> import infogeom as ig
    >>> ds = ig.transitions.scan(ig.models.curie_weiss(1000), {"beta": (0.8, 1.2)}, {"h": 0})
    >>> ds.location.sel(observable="s_h").round(8).item()
    1.02695738
    """
    start = time.perf_counter()
    line, values = checked_line(model_or_metric, axis, at)
    found, status = line.evaluate(values)

    # The extremum of each inside the line.
    peaks: list[Peak] = []
    for observable in tqdm(line.observables, desc="extrema", delay=PATIENCE, leave=False, disable=None):
        peaks += [peak_of(line.function(observable), values, found[observable], signed=observable != "R")]

    # What is along the line, and what is of it.
    variables: dict[str, Variable] = {}
    for key, array in found.items():
        variables[key] = numbers(line.name, array, line.labels[key])
    variables["status"] = line.name, status.values, status.attrs
    for field, label in LABELS.items():
        column = [getattr(peak, field) for peak in peaks]
        variables[field] = numbers("observable", column, label)
    variables["kind"] = texts("observable", [peak.kind for peak in peaks])
    coordinates = {
        line.name: numbers(line.name, values, f"${latex(line.symbol)}$"),
        "observable": texts("observable", line.observables),
    }
    attributes: dict[str, Any] = {f"at_{name}": value for name, value in line.at.items()}
    attributes |= {
        "model": line.metric.attributes.get("model", ""),
        "axis": line.name,
        "coordinates": ", ".join(line.metric.names),
        "infogeom_version": __version__,
        "wall_time_seconds": time.perf_counter() - start,
    }
    return xr.Dataset(variables, coordinates, attributes)


def peak_of(function: Function, x: Array, values: Array, *, signed: bool = True) -> Peak:
    """Largest maximum inside a line that has been scanned; of what is not ``signed`` the extremum of largest size."""
    size = values if signed else np.abs(values)
    inside, rises, falls = size[1:-1], size[1:-1] >= size[:-2], size[1:-1] >= size[2:]
    met = np.flatnonzero(rises & falls & ((inside > size[:-2]) | (inside > size[2:]))) + 1
    if not len(met):
        return Peak(np.nan, np.nan, "none", 0)
    best = int(met[size[met].argmax()])
    sign = 1.0 if signed else float(np.sign(values[best]))

    low, high = x[best - 1], x[best + 1]
    near = _by_brent(function, sign, low, high, CLOSE)
    location = _by_polynomial(function, sign, near, (low, high), (x[0], x[-1]))
    if location is None:
        location = _by_brent(function, sign, low, high, CLOSE_ALONE)
    extremum = float(function(np.array([location]))[0])
    return Peak(location, extremum, "maximum" if sign > 0 else "minimum", len(met))


def _by_brent(function: Function, sign: float, low: float, high: float, close: float) -> float:
    """Place of a maximum, to a share of the bracket."""
    tolerance = close * (high - low)
    found = minimize_scalar(
        lambda v: -sign * float(function(np.array([v]))[0]),
        bounds=(low, high),
        method="bounded",
        options={"xatol": tolerance},
    )
    return float(found.x)


def _by_polynomial(
    function: Function, sign: float, near: float, bracket: tuple[float, float], line: tuple[float, float]
) -> float | None:
    """Root of the derivative of a polynomial about a place near it; None where none follows the function."""
    least, location = UNRESOLVED, None
    for share in HALF_WIDTHS:
        half = share * (bracket[1] - bracket[0])
        about = max(near - half, line[0]), min(near + half, line[1])
        polynomial = Chebyshev.interpolate(lambda v: sign * function(v), DEGREE, about)
        size = np.abs(np.asarray(polynomial.coef, dtype=float))
        left_out = size[-2:].max() / size[2] if size[2] else np.inf
        if not left_out < least:
            continue
        roots: Any = polynomial.deriv().roots()
        roots = roots[(abs(roots.imag) < REAL * half) & (roots.real > about[0]) & (roots.real < about[1])].real
        if len(roots):
            least, location = left_out, float(roots[abs(roots - near).argmin()])
        if least < FOLLOWED_TO:
            break
    return location


def checked_line(model_or_metric: Any, axis: Any, at: Any) -> tuple[Line, Array]:
    """A line and values along it from the arguments of these names."""
    metric = numeric_metric(model_or_metric)
    if not isinstance(axis, Mapping) or len(axis) != 1:
        raise TypeError(f"axis must be a mapping of one parameter to its values, got {axis!r}")
    ((name, given),) = by_name("axis", axis).items()
    if name not in metric.names:
        raise ValueError(f"axis must name one of {list(metric.names)}, got {name!r}")

    # Numbers for the others.
    if not isinstance(at, Mapping | None):
        raise TypeError(f"at must be a mapping of the other parameters to numbers, got {at!r}")
    fixed = by_name("at", at or {})
    others = [other for other in metric.names if other != name]
    missing, unknown = [o for o in others if o not in fixed], [o for o in fixed if o not in others]
    if missing or unknown:
        raise ValueError(f"at must name {others}; missing {missing}, unknown {unknown}")
    numbers_at = {other: float(finite_array(f"at[{other!r}]", fixed[other], 0)) for other in others}
    line = Line(metric, name, numbers_at)
    for parameter in metric.names:
        check_name(parameter, {*line.labels, *LABELS, "observable", "kind"})

    # Two values are the ends.
    values = finite_array(f"axis {name!r}", given, 1)
    if len(values) < 2 or (np.diff(values) <= 0).any():
        raise ValueError(f"axis {name!r} must be (low, high) or an increasing sequence, got {given!r}")
    return line, np.linspace(values[0], values[1], POINTS_OF_LINE) if len(values) == 2 else values
