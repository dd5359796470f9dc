"""Cross-check of connection and curvature against EinsteinPy and sympy.diffgeom, two packages of other authors.

Neither knows data sets, and both choke on long expressions.  What they get is the Taylor polynomial of degree 2 of the
metric at a point, with rational coefficients: curvature needs no more than Γ and ∂Γ at that point, hence no more than
g, ∂g and ∂∂g, so nothing is lost.  EinsteinPy computes Γ of the polynomial, Γ is cut to degree 1, and EinsteinPy goes
on from there.  sympy.diffgeom, which cannot go on from a connection, gets a short closed form as it stands and the
polynomial otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy
from numpy.typing import ArrayLike, NDArray
from sympy import Expr, Rational
from sympy.diffgeom import (
    CoordSystem,
    Manifold,
    Patch,
    TensorProduct,
    metric_to_Christoffel_2nd,
    metric_to_Riemann_components,
)

from infogeom import precision
from infogeom.arguments import columns_of
from infogeom.grid import evaluate_points
from infogeom.kernels.curvature import textbook
from infogeom.kernels.curvature.jet import Jet
from infogeom.kernels.curvature.textbook import MARGIN, TENSORS
from infogeom.models import Model
from infogeom.symbolic import Metric, christoffel, ricci, ricci_scalar, riemann
from infogeom.symbolic.fisher import numeric_metric
from infogeom.symbolic.rational_jet import RATIONAL_DIGITS, Point, RationalJet, chart, rational, rational_jet, where
from infogeom.tables import Table, coordinates

try:
    from einsteinpy.symbolic import (
        ChristoffelSymbols,
        MetricTensor,
        RicciScalar,
        RicciTensor,
        RiemannCurvatureTensor,
    )
except ImportError as error:
    raise ImportError("infogeom.einstein needs EinsteinPy: pip install 'infogeom[einstein]'") from error

__all__ = ["Comparison", "Row", "compare", "einsteinpy"]

TITLES_OF_COLUMNS = ("quantity", "ours", "theirs", "value", "difference", "tolerance", "scale", "agree")
#: Operations up to which a closed form is short: it is differentiated symbolically, by us and by sympy.diffgeom.
SHORT = 100

Array = NDArray[Any]
#: One entry per quantity: expressions, rationals, or the floats of the kernel.
Tensors = dict[str, Array]


@dataclass(frozen=True)
class Row:
    """One tensor at one point, by one of our routes and one of theirs.

    Attributes
    ----------
    point : tuple of float
    quantity : str
        christoffel, riemann, ricci or ricci_scalar.
    ours : str
        "kernel" (float64) or, for short closed forms, "symbolic" (exact or 40 digits).
    theirs : str
        "EinsteinPy" or "sympy.diffgeom".
    value : float
        Their component of largest magnitude; the Ricci scalar itself.
    difference : float
        Largest absolute difference of a component; nan where the kernel found the point singular.
    tolerance : float
        10 κ ε · scale, with ε the unit of ours (2⁻⁵² or 10⁻⁴⁰) and κ the condition number
        ‖ |g⁻¹| (|g| + Σ_k |x_k ∂_k g|) ‖ by which an inverse magnifies relative errors of g and of the coordinates x.
    scale : float
        Largest component when every term of its definition is taken positive, in a frame that is orthonormal at the
        point: the size of what cancels.

    Examples
    --------
    >>> import infogeom as ig
    >>> row = ig.einstein.compare(ig.models.normal(), [[0.0, 1.0]]).rows[0]
    >>> row.quantity, row.theirs, row.agree
    ('christoffel', 'EinsteinPy', True)
    """

    point: tuple[float, ...]
    quantity: str
    ours: str
    theirs: str
    value: float
    difference: float
    tolerance: float
    scale: float

    @property
    def agree(self) -> bool:
        """Whether the difference is within the tolerance."""
        return self.difference <= self.tolerance


@dataclass(frozen=True, repr=False)
class Comparison(Table):
    """Table of a comparison; prints as text and, in a notebook, as HTML.

    Attributes
    ----------
    names : tuple of str
        Coordinates of the points.
    rows : tuple of Row
        Points in the order given, then quantities, then routes.

    Examples
    --------
    >>> import infogeom as ig
    >>> comparison = ig.einstein.compare(ig.models.normal(), [[0.0, 1.0]])
    >>> sorted({row.theirs for row in comparison.rows})
    ['EinsteinPy', 'sympy.diffgeom']
    """

    names: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def agree(self) -> bool:
        """Whether every row agrees."""
        return all(row.agree for row in self.rows)

    def _cells(self) -> list[tuple[str, ...]]:
        return [(", ".join(self.names), *TITLES_OF_COLUMNS), *map(_cells, self.rows)]


def _cells(row: Row) -> tuple[str, ...]:
    routes, agree = (row.ours, row.theirs), "yes" if row.agree else "NO"
    numbers = [f"{x:.1e}" for x in (row.difference, row.tolerance, row.scale)]
    return coordinates(row.point), row.quantity, *routes, f"{row.value:.6g}", *numbers, agree


def compare(model_or_metric: Model | Metric, points: ArrayLike) -> Comparison:
    """Compare our connection and curvature with those of EinsteinPy and of sympy.diffgeom.

    Ours are the compiled kernels of `infogeom.grid.evaluate_points` and, where the metric has a short closed form, the
    closed forms of `infogeom.symbolic` in exact or high-precision arithmetic. Two parameters take seconds per point.
    From three on sympy.diffgeom is left out unless the closed form is short, and a dense metric of four takes
    EinsteinPy minutes.

    Parameters
    ----------
    model_or_metric : Model or Metric
        A model's Fisher metric is derived first. Spacetimes are welcome.
    points : array_like, shape (m, n), or sequence of sequences
        Finite coordinates inside the domain, in model order. A float stands for the binary fraction that it is; SymPy
        rationals are kept exactly.

    Returns
    -------
    Comparison
        ``.agree`` says whether all rows do.

    Raises
    ------
    TypeError, ValueError
        For points of the wrong shape, not real or finite, outside the domain, or where the metric is undefined or
        singular to 40 digits; for a metric with constants that have no value.
    ImportError
        When the module is imported without EinsteinPy (``pip install 'infogeom[einstein]'``).

    Examples
    --------
    >>> import infogeom as ig
    >>> comparison = ig.einstein.compare(ig.models.normal(), [[0.0, 1.0]])
    >>> comparison.agree
    True
    """
    metric = numeric_metric(model_or_metric)
    exact = _checked_points(metric, points)
    closed = _written_out(metric)
    jets = _jets(closed, exact)
    kernel = evaluate_points(metric, [list(map(float, point)) for point in exact], TENSORS)
    short = closed.samples is None and sympy.count_ops(closed.matrix) <= SHORT
    symbolic, diffgeom = (_symbolic(closed), _diffgeom(closed)) if short else (None, None)
    rows: list[Row] = []
    for at, jet in enumerate(jets):
        ours = {"kernel": {name: kernel[name].values[at] for name in TENSORS}}
        theirs = {"EinsteinPy": _einsteinpy(jet)}
        if symbolic and diffgeom:
            ours["symbolic"] = _at(symbolic, closed, jet.point)
            theirs["sympy.diffgeom"] = _at(diffgeom, closed, jet.point)
        elif len(jet.point) <= 2:
            taylor = jet.taylor()
            theirs["sympy.diffgeom"] = _at(_diffgeom(taylor), taylor, jet.origin)
        rows += _rows(jet, ours, theirs)
    return Comparison(metric.names, tuple(rows))


def einsteinpy(metric: Metric, point: Sequence[float]) -> Tensors:
    """christoffel, riemann, ricci and ricci_scalar of EinsteinPy at one point, in rationals.

    Raises
    ------
    ValueError
        Where the metric is undefined, or singular to 40 digits.

    Examples
    --------
    >>> import infogeom as ig
    >>> tensors = ig.einstein.einsteinpy(ig.models.normal().metric(), (0, 1))
    >>> tensors["ricci_scalar"]
    array(-1, dtype=object)
    """
    (jet,) = _jets(_written_out(metric), _checked_points(metric, [point]))
    return _einsteinpy(jet)


def _checked_points(metric: Metric, points: Any) -> list[Point]:
    n = len(metric.coordinates)
    columns = columns_of("points", points, metric.names)
    rows = points if columns is None else list(zip(*columns, strict=True))
    try:
        table = np.array(rows, dtype=object)
    except ValueError:
        raise ValueError(f"points must have shape (m, {n}), got rows of different lengths") from None
    if table.ndim != 2 or table.shape[1] != n or not len(table):
        raise ValueError(f"points must have shape (m, {n}) with m at least 1, got {table.shape}")
    numbers = [_checked_coordinate(x, index) for index, x in np.ndenumerate(table)]
    exact = [tuple(numbers[k : k + n]) for k in range(0, len(numbers), n)]
    for point in exact:
        for name, domain, x in zip(metric.names, metric.domains or (), point, strict=True):
            if domain.contains(x) != True:  # noqa: E712  (a SymPy truth value)
                raise ValueError(f"points: {name!r} must lie in {domain}, got {float(x):.17g}")
    return exact


def _checked_coordinate(x: Any, index: tuple[int, int]) -> Rational:
    x = x.item() if isinstance(x, np.generic) else x
    number = None if isinstance(x, str | bool) else sympy.sympify(x)
    if not isinstance(number, Expr) or not number.is_number:
        raise TypeError(f"points must hold real numbers, got {x!r} at index {index}")
    exact = Rational(number) if number.is_Float and number.is_finite else rational(number)
    if exact is None:
        raise ValueError(f"points must be real and finite, got {x} at index {index}")
    return exact


# --- The metric and its derivatives at a point ------------------------------------------------------------------------


def _written_out(metric: Metric) -> Metric:
    """The metric in closed form."""
    if metric.written_out is None:
        raise TypeError(f"model_or_metric must have a closed form, and this metric is {metric.form.told}")
    return metric.written_out


def _jets(metric: Metric, points: Sequence[Point]) -> list[RationalJet]:
    jet_at = rational_jet(metric)
    return [_regular(metric, jet_at(point)) for point in points]


def _regular(metric: Metric, jet: RationalJet) -> RationalJet:
    if sympy.Matrix(jet.g).det() == 0 or _condition(jet) > 10.0 ** (RATIONAL_DIGITS - 10):
        place = where(metric, jet.point)
        raise ValueError(f"points: the metric is singular at {place}, its curvature is undefined there")
    return jet


# --- Theirs and ours --------------------------------------------------------------------------------------------------


def _einsteinpy(jet: RationalJet) -> Tensors:
    """Tensors of EinsteinPy at the point, by way of the Taylor polynomial."""
    x = jet.displacements
    origin = dict(zip(x, jet.origin, strict=True))

    def to_first_order(component: Expr) -> Expr:
        slopes = []
        for s in x:  # along each axis, where the others are 0: differentiating all of it takes longer
            line = component.xreplace({t: zero for t, zero in origin.items() if t != s})
            slopes.append(s * line.diff(s).xreplace(origin))
        return component.xreplace(origin) + sum(slopes)

    taylor = MetricTensor(jet.taylor().matrix.tolist(), x)
    g = MetricTensor(jet.g.tolist(), x)
    gamma = ChristoffelSymbols.from_metric(taylor).tensor().applyfunc(to_first_order)
    curvature = RiemannCurvatureTensor.from_christoffels(ChristoffelSymbols(gamma, x, parent_metric=g)).tensor()
    at_point = RiemannCurvatureTensor(curvature.xreplace(origin), x, parent_metric=g)
    contracted = RicciTensor.from_riemann(at_point)
    scalar = RicciScalar.from_riccitensor(contracted).expr
    return _named(gamma.xreplace(origin), at_point.tensor(), contracted.tensor(), scalar)


def _diffgeom(metric: Metric) -> Tensors:
    """Closed forms of sympy.diffgeom.

    It has no Ricci scalar, and its Ricci tensor would compute Riemann's once more: both are contracted here.
    """
    n = len(metric.coordinates)
    system = CoordSystem("x", Patch("P", Manifold("M", n)), chart(metric))
    fields, forms = system.coord_functions(), system.base_oneforms()
    there = dict(zip(metric.coordinates, fields, strict=True))
    back = dict(zip(fields, metric.coordinates, strict=True))
    pairs = zip(metric.matrix, product(forms, forms), strict=True)
    two_form = sum(g.xreplace(there) * TensorProduct(*pair) for g, pair in pairs)
    gamma = metric_to_Christoffel_2nd(two_form).xreplace(back)
    curvature = metric_to_Riemann_components(two_form).xreplace(back)
    contracted = sympy.tensorcontraction(curvature, (0, 2))
    # SymPy's own inverse: their route shares nothing with ours.
    raised = sympy.tensorproduct(sympy.Array(metric.matrix.inv()), contracted)
    return _named(gamma, curvature, contracted, sympy.tensorcontraction(raised, (0, 2), (1, 3)))


def _symbolic(metric: Metric) -> Tensors:
    return _named(christoffel(metric), riemann(metric), ricci(metric), ricci_scalar(metric))


def _named(*tensors: Any) -> Tensors:
    return {name: np.array(tensor, dtype=object) for name, tensor in zip(TENSORS, tensors, strict=True)}


def _at(tensors: Tensors, metric: Metric, point: Point) -> Tensors:
    """Values of closed forms at a point."""
    at = dict(zip(metric.coordinates, point, strict=True))
    value = np.vectorize(lambda entry: rational(sympy.sympify(entry).xreplace(at)), otypes=[object])
    return {name: value(tensor) for name, tensor in tensors.items()}


# --- How close they must be -------------------------------------------------------------------------------------------


def _numbers(jet: RationalJet) -> Jet:
    """Jet in mpmath numbers."""
    real = np.vectorize(lambda x: mpmath.mpf(x.p) / x.q, otypes=[object])
    return Jet(*map(real, (jet.g, jet.dg, jet.ddg)))


def _condition(jet: RationalJet) -> float:
    """Condition number, of numbers with twice the digits."""
    with precision.digits(2 * RATIONAL_DIGITS):
        return float(textbook.condition_number(_numbers(jet), [mpmath.mpf(x.p) / x.q for x in jet.point]))


def _scales(jet: RationalJet) -> dict[str, float]:
    """Size of what cancels in each tensor."""
    with precision.digits(2 * RATIONAL_DIGITS):
        return {name: float(size) for name, size in textbook.scales(_numbers(jet)).items()}


def _rows(jet: RationalJet, ours: Mapping[str, Tensors], theirs: Mapping[str, Tensors]) -> list[Row]:
    condition, scales, point = _condition(jet), _scales(jet), tuple(map(float, jet.point))
    rows = []
    for name, (mine, a), (other, b) in product(TENSORS, ours.items(), theirs.items()):
        unit = 2.0**-52 if mine == "kernel" else 10.0**-RATIONAL_DIGITS
        tolerance = MARGIN * condition * unit * scales[name]
        value = float(max(b[name].ravel(), key=abs))
        rows.append(Row(point, name, mine, other, value, _difference(a[name], b[name]), tolerance, scales[name]))
    return rows


def _difference(a: Array, b: Array) -> float:
    """Largest absolute difference of a component, nan where one is undefined."""
    if a.dtype != object and not np.isfinite(a).all():
        return float("nan")
    pairs = zip(a.ravel().tolist(), b.ravel().tolist(), strict=True)
    return float(max(abs(Rational(x) - Rational(y)) for x, y in pairs))


def __dir__() -> list[str]:
    return sorted(__all__)
