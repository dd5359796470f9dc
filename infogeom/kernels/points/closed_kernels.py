"""The kernels of a closed form: of its jet (g, ∂g, ∂∂g), and of the quantities that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, TypeAlias

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Symbol

from infogeom.kernels.codegen.layout import BLOCK, UNROLL
from infogeom.kernels.codegen.program import MAX_EXPONENT, Axes, Groups, Kernel, Places, exact_source, kernel
from infogeom.kernels.codegen.rounding import DEPTH, ERRORS, SPREAD, WEIGHT, SampleErrors, jet_errors
from infogeom.kernels.codegen.vectorised import vectorised
from infogeom.kernels.compiled.compile import compiled
from infogeom.kernels.curvature.straight_line import Assign, written_out
from infogeom.kernels.curvature.tensor_errors import SINGLE, SINGLE_OF_SAMPLES
from infogeom.kernels.points.closed_jets import (
    MatrixOrCumulants,
    factored,
    jet_expressions,
    known_near_zero,
    matrix_or_cumulants,
    without_jet,
)
from infogeom.quantities import highest_order, tensors_of_curvature
from infogeom.symbolic import Metric

__all__ = ["MetricKernels", "evaluate_kernel", "jet_kernels", "metric_kernels", "sample_bounds", "sample_table"]

Array = NDArray[np.float64]
Names = tuple[str, ...]
#: Entries of its highest derivative up to which what follows from a metric is written out as straight-line code.
MAX_WRITTEN = 81
#: The same without errors, of which there is much less to write.
MAX_WRITTEN_ALONE = 256
#: Coordinates up to which it is.
MAX_COORDINATES = 5
#: Entries up to which it is where Riemann or Ricci is wanted, with the errors of all its components.
MAX_WRITTEN_TENSORS = 16


@dataclass(frozen=True, eq=False)
class MetricKernels:
    """How to evaluate quantities of one metric.

    Attributes
    ----------
    jet : Kernel
        Evaluates g, dg, ddg (entries flattened; the last two may be empty), the observables and, without samples, the
        errors of all these.
    whole : Kernel or None
        Evaluates all quantities at once, ``pivot`` and ``doubt``: for a small metric without samples that is positive,
        or diagonal.
    after : Kernel or None
        Evaluates them from the components of ``jet``, for a small positive metric that is a mean over samples.
    errors : Kernel or None
        The errors of the jet and of the observables from its components, for a mean over samples.
    counts : Kernel or None
        Roundings in one sample at a point: what ``after`` and ``errors`` read behind the components, before the bounds
        of the data.
    """

    jet: Kernel
    whole: Kernel | None
    after: Kernel | None
    errors: Kernel | None = None
    counts: Kernel | None = None


def evaluate_kernel(kernel: Kernel, outer: Array, inner: Array, data: Array, out: Array | None = None) -> Array:
    """Values of all components at the points outer × inner, shape (components, P, V).

    A kernel has one of three sources, or two: on arrays, where it would take long to compile; straight; and with tables
    of exponentials hoisted out of the inner loop, of which the product may overflow where the exponential of the sum
    does not. Which of the last two a point takes depends on the point alone, so that its number does not depend on what
    is beside it.
    """
    if out is None:
        out = np.empty((kernel.components, outer.shape[1], inner.shape[1]))
    if kernel.vector:
        coordinates: list[Any] = [*outer[:, :, None], *inner[:, None]]
        if outer.shape[1] == inner.shape[1] == 1 and "**" not in kernel.vector:
            # Of one point NumPy's scalars give the same bits, but for powers, in a tenth of the time.
            coordinates = [*outer[:, 0], *inner[:, 0]]
        for target, values in zip(out, vectorised(kernel.vector)(coordinates), strict=True):
            target[...] = values
        return out
    if not kernel.hoisted:
        compiled(kernel.direct)["tile"](outer, inner, data, out)
        return out

    # Tables of exponentials, unless an entry of one would overflow.
    functions, largest = compiled(kernel.hoisted), (np.empty(outer.shape[1]), np.empty(inner.shape[1]))
    functions["exponents"](outer, inner, data, *largest)
    rows, columns = (exponents <= MAX_EXPONENT for exponents in largest)
    if rows.all() and columns.all():
        functions["tile"](outer, inner, data, out)
        return out

    # Each point takes the source that its own exponents ask for, whatever is beside it.
    for chosen_rows, chosen_columns, source in (
        (rows, columns, kernel.hoisted),
        (rows, ~columns, kernel.direct),
        (~rows, columns | True, kernel.direct),
    ):
        part = np.empty((kernel.components, chosen_rows.sum(), chosen_columns.sum()))
        if part.size:
            places = (np.ascontiguousarray(outer[:, chosen_rows]), np.ascontiguousarray(inner[:, chosen_columns]))
            compiled(source)["tile"](*places, data, part)
            out[np.ix_(np.ones(len(out), dtype=bool), chosen_rows, chosen_columns)] = part
    return out


def sample_table(metric: Metric) -> Array:
    """Per-sample columns as kernels read them, shape (columns + 2, N), or (0, 0) without samples.

    The last two are the spread, max_k |x_nk| / X_k with X_k the largest of its column, and the weight; N is padded to a
    multiple of `UNROLL` with copies of the last sample of weight 0.
    """
    if metric.samples is None:
        return np.empty((0, 0))
    data, padding = metric.samples.data, -len(metric.samples) % UNROLL
    columns = np.vstack([data, np.repeat(data[-1:], padding, axis=0)]).T
    largest = np.abs(columns).max(axis=1, keepdims=True)
    spread = (np.abs(columns) / np.where(largest > 0, largest, 1)).max(axis=0)
    return np.vstack([columns, spread, np.pad(metric.samples.weights, (0, padding))])


def sample_bounds(data: Array) -> Array:
    """Largest magnitude of each column of a sample table, and how many roundings a sum over it comes to.

    Those of d additions in turn come to √d of them at random (Higham and Mary 2019), taken twice.
    """
    N = data.shape[1]
    return np.append(np.abs(data[:-2]).max(axis=1), 2 * np.sqrt(min(N, BLOCK) // UNROLL + UNROLL + -(-N // BLOCK)))


def metric_kernels(
    metric: Metric,
    quantities: Names,
    observables: Names,
    outer: tuple[Symbol, ...],
    *,
    bounds: bool = True,
) -> MetricKernels:
    """Kernels of a metric.

    Parameters
    ----------
    metric : Metric
    quantities : tuple of str
        Geometric quantities, and ``<quantity>_error`` of those whose errors are asked for. Second derivatives are left
        out where ∂g is totally symmetric (a Hessian metric).
    observables : tuple of str
        Names out of ``metric.observables``.
    outer : tuple of Symbol
        Coordinates that run along the outer points; the others run along the inner ones.
    bounds : bool
        Whether to bound the errors.
    """
    samples = metric.samples.symbols if metric.samples else ()
    quantities, scalars = without_jet(metric, quantities, observables)
    given = matrix_or_cumulants(metric, quantities)
    # A Fisher metric is positive.
    signed = isinstance(given, sympy.ImmutableMatrix) and given.is_diagonal() and "fisher" not in metric.attributes
    order = highest_order(quantities)
    held = tuple(metric.form.held)
    return _metric_kernels(given, metric.coordinates, samples, held, scalars, quantities, order, outer, bounds, signed)


def jet_kernels(metric: Metric, order: int) -> MetricKernels:
    """Kernels of the jet alone up to an order, second derivatives of a Hessian metric too, with their errors."""
    samples = metric.samples.symbols if metric.samples else ()
    held = tuple(metric.form.held)
    return _metric_kernels(metric.matrix, metric.coordinates, samples, held, (), (), order, (), True, False, True)


#: Writes what follows from a jet behind it, given how to assign a name and the names of the jet's entries.
Following: TypeAlias = Callable[[Assign, Groups], Groups]


@lru_cache(maxsize=128)
def _metric_kernels(
    given: MatrixOrCumulants,
    coordinates: tuple[Symbol, ...],
    samples: tuple[Symbol, ...],
    held: tuple[Symbol, ...],
    scalars: tuple[tuple[str, Expr], ...],
    quantities: Names,
    order: int,
    outer: tuple[Symbol, ...],
    bounds: bool,
    signed: bool,
    whole: bool = False,
) -> MetricKernels:
    """Kernels of what a metric is made of, see `metric_kernels`.

    All start from expressions, named by what they are of: the jet and the observables. Where a metric is small, what
    follows from its jet is written out behind them as straight-line code (``following``). Without samples that goes
    into one kernel with the jet, of which no number is stored then. A mean over samples has to be summed first.
    """
    jet = jet_expressions(given, coordinates, bool(samples), order, whole)
    expressions = _with_scalars(jet, scalars, sampled=bool(samples))
    for name, entries in expressions.items():
        expressions[name] = list(map(known_near_zero, entries))

    following: Following | None = None
    if quantities and _is_small(jet, len(coordinates), quantities, bounds):
        shapes = {name: entries.shape for name, entries in jet.items()}
        share = SINGLE_OF_SAMPLES if samples else SINGLE
        following = partial(_following, shapes=shapes, quantities=quantities, signed=signed, share=share)

    axes = Axes(outer, tuple(c for c in coordinates if c not in outer), _columns(samples), held)
    if samples:
        return _kernels_of_mean(expressions, samples, axes, following, bounds)
    if bounds:
        try:
            expressions |= jet_errors(expressions)
        except (TypeError, ValueError):  # SymPy's, of what has no slope
            kernel(expressions, axes)  # names the function
            raise
    at_once = kernel(expressions, axes, following) if following else None
    return MetricKernels(kernel(expressions, axes), at_once, None)


def _with_scalars(
    jet: dict[str, NDArray[np.object_]], scalars: tuple[tuple[str, Expr], ...], *, sampled: bool
) -> dict[str, list[Expr]]:
    """Entries of a jet, flattened, and observables beside them, with a sample's weight."""
    weight = WEIGHT if sampled else sympy.Integer(1)
    expressions = {name: list(entries.ravel()) for name, entries in jet.items()}
    for name, e in scalars:
        given = list(e) if isinstance(e, sympy.MatrixBase) else [e]
        expressions[name] = [factored(entry) * weight for entry in given]
    return expressions


def _columns(samples: tuple[Symbol, ...]) -> tuple[Symbol, ...]:
    """What the columns of a sample table are; nothing without samples."""
    return (*samples, SPREAD, WEIGHT) if samples else ()


def _is_small(jet: dict[str, NDArray[np.object_]], n: int, quantities: Names, bounds: bool) -> bool:
    """Whether what follows from a jet is written out as straight-line code, and not left to loops."""
    most, sizes = MAX_WRITTEN if bounds else MAX_WRITTEN_ALONE, [entries.size for entries in jet.values()]
    if tensors_of_curvature(quantities):
        most = MAX_WRITTEN_TENSORS if bounds else MAX_WRITTEN
        sizes.append(n**4)
    return max(sizes) <= most and n <= MAX_COORDINATES


def _kernels_of_mean(
    expressions: dict[str, list[Expr]],
    samples: tuple[Symbol, ...],
    axes: Axes,
    following: Following | None,
    bounds: bool,
) -> MetricKernels:
    """Kernels of a metric that is a mean over samples: its jet is summed, and the others read these sums as inputs.

    What rounding does to a sum takes three kinds of numbers besides (`SampleErrors`): sums of sizes over the samples,
    which go with the jet; the roundings in one sample, which depend on the point and on the largest of the data; and
    these largest themselves, with how many roundings a sum comes to.
    """
    sums = SampleErrors(expressions, samples) if bounds else None
    sizes = {"sizes": list(sums.sizes)} if sums else {}
    plain = kernel(expressions | sizes, axes)
    components = tuple(Symbol(f"c{k}", real=True) for k in range(plain.components))
    from_jet = {}
    for name, at in plain.at.items():
        if name != "sizes":
            from_jet[name] = [components[c] for c in at]
    if sums is None:
        after = kernel(from_jet, Axes((), components), following) if following else None
        return MetricKernels(plain, None, after)

    # Like the outer coordinates, the bounds of the data are the same along the inner ones.
    largest = tuple(sums.largest.values())
    counts = kernel({"counts": list(sums.counts.values())}, Axes(axes.outer + largest, axes.inner, held=axes.held))
    roundings = tuple(Symbol(f"k{k}", positive=True) for k in range(counts.components))

    # Errors in terms of the components, of those roundings and of the bounds of the data, in this order.
    inputs = Axes((), components + roundings + largest + (DEPTH,))
    known = {size: components[c] for size, c in zip(sums.sizes.values(), plain.at["sizes"], strict=True)}
    known |= {count: roundings[c] for count, c in zip(sums.counts, counts.at["counts"], strict=True)}
    errors = {}
    for name, entries in sums.errors.items():
        errors[name] = [e.xreplace(known) for e in entries]
    from_jet |= errors
    after = kernel(from_jet, inputs, following) if following else None
    return MetricKernels(plain, None, after, kernel(errors, inputs), counts)


def _following(
    assign: Assign, groups: Groups, shapes: dict[str, tuple[int, ...]], quantities: Names, signed: bool, share: float
) -> Groups:
    """Names of all that follows from a jet, whose entries have names: the code for it is assigned on the way."""
    arrays = {}
    for name in [*shapes, *ERRORS]:
        if name in groups:
            shape = shapes.get(name.removesuffix("_error"), (-1,))
            arrays[name] = np.array(groups[name], dtype=object).reshape(shape)
    errors = tuple(arrays[name] for name in ERRORS if name in arrays)
    observables = {name: names for name, names in groups.items() if name not in arrays}
    return written_out(
        assign, arrays["g"], arrays["dg"], arrays["ddg"], quantities, errors, observables, signed=signed, share=share
    )


def exact_kernel(metric: Metric, quantities: Names, observables: Names) -> tuple[str, Places]:
    """Source of ``point(x, rows)`` for the jet of a metric and its observables, and where each stands in it.

    Constants that are held as data come before the coordinates. Rows of the data are those of ``metric.samples`` with
    the weight last.
    """
    samples = metric.samples.symbols if metric.samples else ()
    quantities, scalars = without_jet(metric, quantities, observables)
    order = highest_order(quantities)
    given, held = matrix_or_cumulants(metric, quantities), tuple(metric.form.held)
    return _exact_kernel(given, metric.coordinates, samples, held, scalars, order)


@lru_cache(maxsize=128)
def _exact_kernel(
    given: MatrixOrCumulants,
    coordinates: tuple[Symbol, ...],
    samples: tuple[Symbol, ...],
    held: tuple[Symbol, ...],
    scalars: tuple[tuple[str, Expr], ...],
    order: int,
) -> tuple[str, Places]:
    jet = jet_expressions(given, coordinates, bool(samples), order)
    expressions = _with_scalars(jet, scalars, sampled=bool(samples))
    columns = (*samples, WEIGHT) if samples else ()
    return exact_source(expressions, Axes(held, coordinates, columns))
