"""The compiled values of a metric against those of its routes, point by point."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import mpmath
import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from infogeom import precision
from infogeom.arguments import check_count, table_of
from infogeom.grid import StatusWarning, evaluate_points
from infogeom.kernels.curvature.textbook import MP_EPS
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric
from infogeom.symbolic.fisher import numeric_metric
from infogeom.symbolic.held import with_numbers
from infogeom.verification.parts import reference
from infogeom.verification.reference import Reference, rounding_bounds
from infogeom.verification.routes import CLOSED_FORM, ROUTE_DIGITS, Found, Route, Skipped, routes
from infogeom.verification.table import Row, Verification

__all__ = ["compared", "typical_points", "verified", "verify"]

#: A route is undecided where its error exceeds so many tolerances and `UNCERTAIN_FRACTION` of the largest component.
UNCERTAIN = 1000
#: In place of these tolerances where the compiled value is 0 by its form.
UNCERTAIN_OF_ZERO = 1e-20
#: Part of the largest component.
UNCERTAIN_FRACTION = 1e-9
DEFAULT_POINTS = 3
#: What a status without curvature says.
NOTES = {
    "singular": "singular: curvature is undefined",
    "out_of_domain": "outside the domain: not compared",
    "overflow": "beyond float64: not compared",
    "undefined": "no real finite value: not compared",
}
#: Of which there is nothing to compare, not even the metric.
WITHOUT_VALUES = ("out_of_domain", "overflow", "undefined")

Point = tuple[float, ...]


def verify(
    model_or_metric: Model | Metric,
    points: ArrayLike | None = None,
    *,
    slow: bool = False,
    constants: Mapping[str, Any] | None = None,
) -> Verification:
    """Compare the compiled values of a model or metric with those of independent routes.

    The routes, as far as they apply:

    - the definition, E[∂_i log p ∂_j log p] by quadrature or summation, and its derivatives under the integral;
    - the α-connection identity Γ_ij,k = E[(∂_i∂_j log p + ½ ∂_i log p ∂_j log p) ∂_k log p];
    - the Gauss equation of a surface with this metric in a flat space;
    - the chain rule on the closed forms of the models that a model is made of;
    - the closed form in 50 digits, by the textbook formulas;
    - differences of the closed form in 200 digits, by the same formulas, without a derivative of any formula;
    - the same source as the kernels' in ball arithmetic;
    - EinsteinPy (extra ``einstein``).

    Parameters
    ----------
    model_or_metric : Model or Metric
        A model's Fisher metric is derived first. A bare metric has no definition to compare with.
    points : array_like, shape (m, n), optional
        Finite coordinates in model order, tables with names read by name; three seeded points of the typical ranges
        when omitted.
    slow : bool
        Ask EinsteinPy about three parameters too, which takes it seconds to minutes a point.

    constants : mapping of str to number, optional
        Numbers for constants by name, as for `infogeom.grid.evaluate`: of the compiled values as data, of the routes in
        the formulas.

    Notes
    -----
    Of a law whose expectations do not close each point takes quadratures in many digits: up to minutes.

    Returns
    -------
    Verification
        ``.agree`` says whether every comparison agrees, and that there was one.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value; `infogeom.symbolic.ExpectationError` for a model whose metric
        cannot be derived.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.verify(ig.models.binomial(7), [[0.3]]).agree
    True
    """
    held = numeric_metric(model_or_metric, constants)
    if constants:
        model_or_metric = with_numbers(model_or_metric, constants)
    metric = numeric_metric(model_or_metric)
    if not isinstance(slow, bool | np.bool_):
        raise TypeError(f"slow must be True or False, got {slow!r}")
    n = len(metric.names)
    at = typical_points(model_or_metric) if points is None else table_of("points", points, metric.names)
    if at.ndim != 2 or at.shape[1] != n or not len(at):
        raise ValueError(f"points must have shape (m, {n}) with m at least 1, got {at.shape}")
    model = model_or_metric if isinstance(model_or_metric, Model) else None
    return verified(metric, model, [tuple(map(float, point)) for point in at], slow=bool(slow), held=held)


def typical_points(model_or_metric: Model | Metric, count: int = DEFAULT_POINTS, seed: int = 0) -> NDArray[np.float64]:
    """Seeded points of the typical ranges of a model, or of those that a metric's domains suggest.

    Returns
    -------
    ndarray of float64, shape (count, n)
        Rounded to four digits where that leaves them in the range, so that they can be typed.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.verification.typical_points(ig.models.normal(), count=2).shape
    (2, 2)
    """
    check_count("count", count)
    check_count("seed", seed, least=0)
    if isinstance(model_or_metric, Model):
        ranges = [p.typical for p in model_or_metric.parameters]
    else:
        ranges = [Parameter("inside", domain).typical for domain in numeric_metric(model_or_metric).domains]
    low, high = np.array(ranges).T
    drawn = low + np.random.default_rng(seed).random((count, len(low))) * (high - low)
    rounded = np.reshape([float(f"{x:.4g}") for x in drawn.flat], drawn.shape)
    return np.where((low < rounded) & (rounded < high), rounded, drawn)


def verified(
    metric: Metric, model: Model | None, points: Sequence[Point], *, slow: bool = False, held: Metric | None = None
) -> Verification:
    """Table of a metric's routes, and of a model's that is supposed to have it.

    ``held`` is the same metric with constants as data, of which the compiled values are to be.
    """
    jet = reference(metric, model)
    taken, skipped = routes(metric, model, jet, slow=slow)
    given = {name for route in taken for name in route.gives}
    quantities = [name for name in QUANTITIES if name in given]
    compiled = _compiled(held or metric, points, quantities)
    rows: list[Row] = []
    bar = tqdm(total=len(points) * len(taken), desc="routes", delay=2, leave=False, disable=None)
    with precision.digits(ROUTE_DIGITS), bar as progress:
        for k, point in enumerate(points):
            at = compiled.isel(point=k) if compiled else None
            notes, bounds = _bounded(metric, jet, point, at, skipped)
            found: list[Row] = []
            for route in taken:
                if at is not None and bounds:
                    found += _attempted(route, metric, point, at, bounds, skipped)
                progress.update()
            rows += notes
            rows += sorted(found, key=lambda row: quantities.index(row.quantity))
    return Verification(_title(metric, model), metric.names, tuple(rows), tuple(skipped))


def _bounded(
    metric: Metric, jet: Reference, point: Point, compiled: xr.Dataset | None, skipped: Skipped
) -> tuple[list[Row], dict[str, Any]]:
    """Rows that say why less or nothing is compared at a point, and bounds on the errors of what is."""
    status = _status(compiled)
    notes = [Row(point, "status", (), "compiled", note=NOTES[status])] if status in NOTES else []
    if status in WITHOUT_VALUES:
        return notes, {}

    curved, note = status != "singular", ""
    bounds: dict[str, Any] = {}
    try:
        bounds = rounding_bounds(metric, jet, point, curved=curved)
    except NameError as error:
        skipped.append(("all routes", f"the metric has no value in mpmath: {error}"))
    except (ArithmeticError, ValueError) as error:  # a limit is no value
        note = f"undecided: no value in mpmath there, {str(error) or type(error).__name__}"
    if curved and bounds and "ricci_scalar" not in bounds:
        note = f"undecided: singular to {ROUTE_DIGITS} digits"
    if note:
        notes.append(Row(point, "status", (), CLOSED_FORM, note=note))
    return notes, bounds


def _attempted(
    route: Route, metric: Metric, point: Point, compiled: xr.Dataset, bounds: dict[str, Any], skipped: Skipped
) -> list[Row]:
    """Rows of what a route finds at a point; a line of ``skipped`` if it fails there."""
    rows = []
    try:
        for found in route.find(point, "ricci_scalar" in bounds):
            # A route of finite precision is off by what float64 is, in proportion.
            bound = bounds[found.quantity]
            own = found.error + bound * (mpmath.mpf(10) ** (5 - found.digits) / MP_EPS)
            stated = np.vectorize(mpmath.mpf, otypes=[object])(compiled[f"{found.quantity}_error"].values)
            tolerance = stated if found.quantity == "ricci_scalar" else np.maximum(stated, bound)
            rows.append(compared(metric, point, compiled, found._replace(error=own), tolerance))
    except (ArithmeticError, NameError, ValueError) as error:
        skipped.append((route.name, f"at {_where(metric, point)}: {error}"))
    return rows


def _where(metric: Metric, point: Point) -> str:
    return ", ".join(f"{name} = {x:.6g}" for name, x in zip(metric.names, point, strict=True))


def _title(metric: Metric, model: Model | None) -> str:
    return repr(model).strip("<>") if model else f"Metric: {', '.join(metric.names)}"


def _compiled(metric: Metric, points: Sequence[Point], quantities: Sequence[str]) -> xr.Dataset | None:
    """Values of the compiled kernels, with their bounds; None where no point is inside the domain."""
    if not any(_is_inside(metric, point) for point in points):
        return None
    bounds = [f"{name}_error" for name in quantities]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatusWarning)  # the table says it
        return evaluate_points(metric, points, [*quantities, *bounds])


def _is_inside(metric: Metric, point: Point) -> bool:
    """Whether each coordinate lies in its range."""
    return all(d.contains(x) == True for d, x in zip(metric.domains, point, strict=True))  # noqa: E712


def _status(compiled: xr.Dataset | None) -> str:
    """Status of one point in a word."""
    if compiled is None:
        return "out_of_domain"
    declared = compiled["status"].attrs
    words = declared["flag_meanings"].split()
    meanings = dict(zip(declared["flag_values"].tolist(), words, strict=True))
    return str(meanings[int(compiled["status"])])


def compared(metric: Metric, point: Point, compiled: xr.Dataset, found: Found, tolerance: Any) -> Row:
    """Row of the component that takes up most of its tolerance, the largest of several.

    What a component may differ by is the tolerance of the compiled value and the route's own error, together; one that
    is infinite or nan takes up all of any tolerance.
    """
    ours, theirs = compiled[found.quantity].values, np.asarray(found.value, dtype=object)
    errors = np.broadcast_to(np.asarray(found.error, dtype=object), theirs.shape)
    bounds = np.broadcast_to(np.asarray(tolerance, dtype=object), theirs.shape)
    largest = max(abs(theirs.ravel()))
    worst: tuple[Any, ...] = (-1, -1)
    row = None
    for index in np.ndindex(theirs.shape):
        value, bound = theirs[index], bounds[index]
        # What is no number bounds nothing.
        own = mpmath.inf if mpmath.isnan(errors[index]) else errors[index]
        total = bound + own
        difference = _difference(float(ours[index]), value)
        rank = _share(difference, total), abs(value)
        if rank > worst:
            worst = rank
            component = tuple(metric.names[i] for i in index)
            numbers = float(value), float(difference), float(total)
            note = _undecided(own, bound, largest)
            row = Row(point, found.quantity, component, found.route, *numbers, note=note)
    assert row is not None
    return row


def _difference(ours: float, theirs: Any) -> Any:
    """Difference in magnitude, infinite where one of them is no number."""
    finite = np.isfinite(ours) and mpmath.isfinite(theirs)
    return abs(mpmath.mpf(ours) - theirs) if finite else mpmath.inf


def _share(difference: Any, total: Any) -> Any:
    """Part of a tolerance that a difference takes up."""
    if total:
        return difference / total
    return mpmath.inf if difference else mpmath.mpf(0)


def _undecided(own: Any, bound: Any, largest: Any) -> str:
    """Why a comparison could not fail; empty where it could."""
    total = bound + own
    least = UNCERTAIN * bound or UNCERTAIN_OF_ZERO
    if own == mpmath.inf:
        return "undecided: an integral does not converge"
    if own > max(least, UNCERTAIN_FRACTION * largest):
        return f"undecided: known to {float(own):.1e} only"
    if not mpmath.isfinite(total):
        return "undecided: the compiled value has no bound on its error"
    if largest and total > largest:
        return f"undecided: the compiled value is known to {float(total):.1e} only"
    return ""
