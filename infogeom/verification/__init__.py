"""Independent routes to the numbers of a model or metric, and whether they agree.

What the compiled kernels give is held against what the log-density says by its definition, what the textbook formulas
make of the closed form in 50 digits and of its differences in 200, what the Gauss equation makes of a surface with
that metric, ball arithmetic and EinsteinPy.  A route that cannot be taken says why.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from infogeom import precision
from infogeom.arguments import check_count, table_of
from infogeom.grid import StatusWarning, evaluate_points
from infogeom.kernels.curvature import textbook
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter
from infogeom.symbolic import Metric
from infogeom.symbolic.fisher import numeric_metric
from infogeom.tables import as_html, as_text
from infogeom.verification.routes import CLOSED_FORM, DIGITS, ClosedForm, Found, Route, Skipped, routes
from infogeom.verification.score_jet import ScoreJet

__all__ = ["Row", "Verification", "typical_points", "verify"]

COMPARED = ("metric", "christoffel", "riemann", "ricci", "ricci_scalar")
#: Where a route is less certain than this many tolerances (or this much, where the compiled value is 0 by its form),
#: and than this fraction of the largest component, nothing is decided.
UNCERTAIN, NOTHING, UNCERTAIN_FRACTION = 1000, 1e-20, 1e-9
DEFAULT_POINTS = 3
#: What a status without curvature says.
NOTES = {
    "singular": "singular: curvature is undefined",
    "out_of_domain": "outside the domain: not compared",
    "overflow": "beyond float64: not compared",
    "undefined": "no real finite value: not compared",
}

Point = tuple[float, ...]


@dataclass(frozen=True)
class Row:
    """One quantity at one point by one route, against the compiled float64 value.

    Attributes
    ----------
    point : tuple of float
    quantity : str
        metric, christoffel, riemann, ricci or ricci_scalar; status where there is nothing to compare.
    component : tuple of str
        Parameters that name the component shown: the one that takes up most of its tolerance.
    route : str
    value : float
        The route's own value of that component.
    difference : float
        Of the compiled value from it, in magnitude.
    tolerance : float
        Bound on the rounding error of the compiled value, its ``<quantity>_error`` or, but for R, what 50 digits say of
        float64 where that is more; plus the route's own error.
    note : str
        Why nothing was compared; empty where it was.

    Examples
    --------
    >>> import infogeom as ig
    >>> row = ig.verify(ig.models.poisson(), [[2.0]]).rows[0]
    >>> row.quantity, row.component, row.agree
    ('metric', ('rate', 'rate'), True)
    """

    point: Point
    quantity: str
    component: tuple[str, ...]
    route: str
    value: float = float("nan")
    difference: float = float("nan")
    tolerance: float = float("nan")
    note: str = ""

    @property
    def compared(self) -> bool:
        """Whether the row compares two numbers."""
        return not self.note

    @property
    def agree(self) -> bool:
        """Whether it does, and the difference is within the tolerance."""
        return self.compared and self.difference <= self.tolerance

    @property
    def verdict(self) -> str:
        """In a word, or the note."""
        return self.note or ("agrees" if self.agree else "DISAGREES")


@dataclass(frozen=True, repr=False)
class Verification:
    """Table of a verification; prints as text and, in a notebook, as HTML.

    Attributes
    ----------
    title : str
        What was verified.
    names : tuple of str
        Parameters of the points.
    rows : tuple of Row
        Points in the order given, then quantities, then routes.
    skipped : tuple of (str, str)
        Routes that were not taken, or not everywhere, each with the reason.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.verify(ig.models.poisson(), [[2.0]]).verdict
    'all 18 comparisons agree'
    """

    title: str
    names: tuple[str, ...]
    rows: tuple[Row, ...]
    skipped: tuple[tuple[str, str], ...]

    @property
    def agree(self) -> bool:
        """Whether there was something to compare, and every comparison agrees."""
        compared = [row.agree for row in self.rows if row.compared]
        return bool(compared) and all(compared)

    @property
    def verdict(self) -> str:
        """Sentence that sums up the table."""
        compared = [row.agree for row in self.rows if row.compared]
        wrong = compared.count(False)
        if not compared:
            return "NOTHING could be compared"
        number = f"{len(compared)} comparison{'s' * (len(compared) > 1)}"
        if wrong:
            return f"{wrong} of {number} DISAGREE"
        return f"all {number} agree" if len(compared) > 1 else "the only comparison agrees"

    def _cells(self) -> list[tuple[str, ...]]:
        head = (", ".join(self.names), "quantity", "route", "value", "difference", "tolerance", "verdict")
        return [head, *map(_cells, self.rows)]

    def __repr__(self) -> str:
        return "\n".join([self.title, "", as_text(self._cells()), "", *self._footnotes(), self.verdict])

    def _repr_html_(self) -> str:
        notes = as_html([[line] for line in (*self._footnotes(), self.verdict)])
        return as_html([[self.title]]) + as_html(self._cells()) + notes

    def _footnotes(self) -> list[str]:
        return [f"not taken: {route}: {reason}" for route, reason in self.skipped]


def _cells(row: Row) -> tuple[str, ...]:
    numbers = (f"{row.value:.9g}", f"{row.difference:.1e}", f"{row.tolerance:.1e}") if row.compared else ("", "", "")
    quantity = f"{row.quantity}[{', '.join(row.component)}]" if row.component else row.quantity
    return (", ".join(f"{x:.6g}" for x in row.point), quantity, row.route, *numbers, row.verdict)


def verify(model_or_metric: Model | Metric, points: ArrayLike | None = None, *, slow: bool = False) -> Verification:
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
    metric = numeric_metric(model_or_metric)
    if not isinstance(slow, bool | np.bool_):
        raise TypeError(f"slow must be True or False, got {slow!r}")
    n = len(metric.names)
    at = typical_points(model_or_metric) if points is None else table_of("points", points, metric.names)
    if at.ndim != 2 or at.shape[1] != n or not len(at):
        raise ValueError(f"points must have shape (m, {n}) with m at least 1, got {at.shape}")
    model = model_or_metric if isinstance(model_or_metric, Model) else None
    return _verified(metric, model, [tuple(map(float, point)) for point in at], slow=bool(slow))


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
    rounded = np.array([[float(f"{x:.4g}") for x in point] for point in drawn])
    return np.where((low < rounded) & (rounded < high), rounded, drawn)


# --- The table --------------------------------------------------------------------------------------------------------


def _verified(metric: Metric, model: Model | None, points: Sequence[Point], *, slow: bool = False) -> Verification:
    """Table of a metric's routes, and of a model's that is supposed to have it."""
    compiled, jet = (
        _compiled(metric, points),
        _expected(model) if metric.matrix is None else textbook.closed_form(metric),
    )
    taken, skipped = routes(metric, model, jet, slow=slow)
    rows: list[Row] = []
    bar = tqdm(total=len(points) * len(taken), desc="routes", delay=2, leave=False, disable=None)
    with precision.digits(DIGITS), bar as progress:
        for k, point in enumerate(points):
            at = compiled.isel(point=k) if compiled else None
            status = _status(at)
            if status in NOTES:
                rows.append(Row(point, "status", (), "compiled", note=NOTES[status]))
            if at is None or status in ("out_of_domain", "overflow", "undefined"):
                progress.update(len(taken))
                continue
            here: list[Row] = []
            try:
                bounds = _rounding(metric, jet, point, curved=status != "singular")
            except NameError as error:
                skipped.append(("all routes", f"the metric has no value in mpmath: {error}"))
                continue
            except (ArithmeticError, ValueError) as error:  # a limit is no value
                told = str(error) or type(error).__name__
                rows.append(Row(point, "status", (), CLOSED_FORM, note=f"undecided: no value in mpmath there, {told}"))
                progress.update(len(taken))
                continue
            if status != "singular" and "ricci_scalar" not in bounds:
                rows.append(Row(point, "status", (), CLOSED_FORM, note=f"undecided: singular to {DIGITS} digits"))
            for route in taken:
                here += _attempted(route, metric, point, at, bounds, skipped)
                progress.update()
            rows += sorted(here, key=lambda row: COMPARED.index(row.quantity))
    return Verification(_title(metric, model), metric.names, tuple(rows), tuple(skipped))


def _expected(model: Model | None) -> ClosedForm:
    """Jets of a metric without a closed form, from the definition, and the sizes of what is added up in them."""
    if model is None:
        raise TypeError("model_or_metric must be the Model where the metric has no closed form")
    try:
        moments = ScoreJet(model)
    except NotImplementedError as error:
        raise ValueError(
            f"model {model.name!r} cannot be verified: its metric has no closed form, its definition takes {error}"
        ) from None

    @cache
    def both(point: Point) -> tuple[textbook.Jet, textbook.Jet]:
        found, _ = moments(point)
        root = np.array([mpmath.sqrt(v) for v in np.diagonal(found.g)], dtype=object)
        value = textbook.Jet(found.g, found.dg, found.ddg)
        return value, textbook.Jet(np.outer(root, root), abs(found.dg), abs(found.ddg))

    return both


def _attempted(
    route: Route, metric: Metric, point: Point, compiled: xr.Dataset, bounds: dict[str, Any], skipped: Skipped
) -> list[Row]:
    """Rows of what a route finds at a point; a line of ``skipped`` if it fails there."""
    rows = []
    try:
        for found in route.find(point, "ricci_scalar" in bounds):
            # A route of finite precision is off by what float64 is, in proportion.
            bound = bounds[found.quantity]
            own = found.error + bound * (mpmath.mpf(10) ** (5 - found.digits) / textbook.EPS)
            stated = np.vectorize(mpmath.mpf, otypes=[object])(compiled[f"{found.quantity}_error"].values)
            tolerance = stated if found.quantity == "ricci_scalar" else np.maximum(stated, bound)
            rows.append(_compared(metric, point, compiled, found._replace(error=own), tolerance))
    except (ArithmeticError, NameError, ValueError) as error:
        skipped.append((route.name, f"at {_where(metric, point)}: {error}"))
    return rows


def _where(metric: Metric, point: Point) -> str:
    return ", ".join(f"{name} = {x:.6g}" for name, x in zip(metric.names, point, strict=True))


def _title(metric: Metric, model: Model | None) -> str:
    return repr(model).strip("<>") if model else f"Metric: {', '.join(metric.names)}"


def _compiled(metric: Metric, points: Sequence[Point]) -> xr.Dataset | None:
    """Values of the compiled kernels; None where no point is inside the domain."""
    inside = [
        all(d.contains(x) == True for d, x in zip(metric.domains, point, strict=True))  # noqa: E712
        for point in points
    ]
    if not any(inside):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatusWarning)  # the table says it
        return evaluate_points(metric, points, [*COMPARED, *(f"{name}_error" for name in COMPARED)])


def _status(compiled: xr.Dataset | None) -> str:
    """Status of one point in a word."""
    if compiled is None:
        return "out_of_domain"
    flags = compiled["status"].attrs
    meanings = dict(zip(map(int, flags["flag_values"]), flags["flag_meanings"].split(), strict=True))
    return str(meanings[int(compiled["status"])])


def _rounding(metric: Metric, jet: ClosedForm, point: Point, *, curved: bool) -> dict[str, Any]:
    """Bounds on the rounding errors of float64; of the metric alone where that is singular."""
    at, (value, sizes) = list(map(mpmath.mpf, point)), jet(point)
    errors = textbook.jet_errors(sizes, at, len(metric.samples) if metric.samples else 1)
    try:
        tensors = textbook.rounding_errors(value, errors, at) if curved else {}
    except ZeroDivisionError:
        tensors = {}
    return {"metric": errors.g, **tensors}


def _compared(metric: Metric, point: Point, compiled: xr.Dataset, found: Found, tolerance: Any) -> Row:
    """Row of the component that takes up most of its tolerance."""
    ours, theirs = compiled[found.quantity].values, np.asarray(found.value, dtype=object)
    errors, bounds = (np.broadcast_to(np.asarray(a, dtype=object), theirs.shape) for a in (found.error, tolerance))
    worst: tuple[Any, ...] = (-1, -1)
    row, largest = None, max(abs(theirs.ravel()))
    for index in np.ndindex(theirs.shape):
        value, own = theirs[index], mpmath.inf if mpmath.isnan(errors[index]) else errors[index]
        total = bounds[index] + own
        finite = bool(np.isfinite(ours[index])) and mpmath.isfinite(value)
        difference = abs(mpmath.mpf(float(ours[index])) - value) if finite else mpmath.inf
        share = difference / total if total else (mpmath.inf if difference else mpmath.mpf(0))
        if (share, abs(value)) > worst:
            worst = share, abs(value)
            note = ""
            least = UNCERTAIN * bounds[index] or NOTHING
            if own == mpmath.inf:
                note = "undecided: an integral does not converge"
            elif own > max(least, UNCERTAIN_FRACTION * largest):
                note = f"undecided: known to {float(own):.1e} only"
            elif not mpmath.isfinite(total):
                note = "undecided: the compiled value has no bound on its error"
            elif largest and total > largest:
                note = f"undecided: the compiled value is known to {float(total):.1e} only"
            component = tuple(metric.names[i] for i in index)
            numbers = float(value), float(difference), float(total)
            row = Row(point, found.quantity, component, found.route, *numbers, note=note)
    assert row is not None
    return row


def __dir__() -> list[str]:
    return sorted(__all__)
