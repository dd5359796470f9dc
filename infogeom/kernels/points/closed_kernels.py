"""The kernels of a metric: its jet (g, ∂g, ∂∂g) as expressions, and the quantities that follow from it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import combinations_with_replacement, permutations, product
from typing import TypeAlias

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Function, Symbol
from sympy.codegen.cfunctions import expm1, log1p

from infogeom.kernels.codegen.layout import BLOCK, UNROLL
from infogeom.kernels.codegen.program import MAX_EXPONENT, Axes, Groups, Kernel, Places, exact_source, kernel
from infogeom.kernels.codegen.rounding import DEPTH, ERRORS, SPREAD, WEIGHT, SampleErrors, jet_errors
from infogeom.kernels.codegen.vectorised import vectorised
from infogeom.kernels.compiled.compile import compiled
from infogeom.kernels.curvature.straight_line import Assign, written_out
from infogeom.kernels.curvature.tensor_errors import SINGLE, SINGLE_OF_SAMPLES
from infogeom.quantities import QUANTITIES, highest_order, tensors_of_curvature
from infogeom.symbolic import Metric
from infogeom.symbolic.cases import common_in_front
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.normal_form import normal_form
from infogeom.symbolic.tensors import equal_if_hessian

__all__ = ["MetricKernels", "evaluate_kernel", "jet_kernels", "metric_kernels", "sample_bounds", "sample_table"]

Array = NDArray[np.float64]
Names = tuple[str, ...]
#: Up to this many entries of its highest derivative what follows from a metric is written out as straight-line code.
MAX_WRITTEN = 81
#: The same for coordinates.
MAX_COORDINATES = 5
#: The same where Riemann or Ricci is wanted, with the errors of all its components.
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
        The same from the components of ``jet``, for a small positive metric that is a mean over samples.
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
    """Values of all components at the points outer × inner, shape (components, P, V)."""
    if out is None:
        out = np.empty((kernel.components, outer.shape[1], inner.shape[1]))
    if kernel.vector:
        for target, values in zip(out, vectorised(kernel.vector)([*outer[:, :, None], *inner[:, None]]), strict=True):
            target[...] = values
        return out
    if not kernel.hoisted:
        compiled(kernel.direct)["tile"](outer, inner, data, out)
        return out
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
    scalars = tuple((name, metric.observables[name]) for name in observables)
    source = jet_source(metric, quantities)
    # A Fisher metric is positive.
    signed = isinstance(source, sympy.ImmutableMatrix) and source.is_diagonal() and "fisher" not in metric.attributes
    order = highest_order(quantities)
    return _metric_kernels(source, metric.coordinates, samples, scalars, quantities, order, outer, bounds, signed)


def jet_kernels(metric: Metric, order: int) -> MetricKernels:
    """Kernels of the jet alone up to an order, second derivatives of a Hessian metric too, with their errors."""
    samples = metric.samples.symbols if metric.samples else ()
    return _metric_kernels(metric.matrix, metric.coordinates, samples, (), (), order, (), True, False, True)


Source: TypeAlias = "sympy.ImmutableMatrix | Cumulants"


def jet_source(metric: Metric, quantities: Collection[str]) -> Source:
    """What the jet is made of: the matrix, or for R alone the cumulants of the statistics where they are known.

    R is the same in all coordinates, and may be taken in those of the statistics.
    """
    alone = {QUANTITIES[name].base for name in quantities} <= {"ricci_scalar"}
    return metric.form.cumulants if metric.form.cumulants and alone else metric.matrix


def jet_expressions(
    source: Source, coordinates: tuple[Symbol, ...], sampled: bool, order: int, whole: bool = False
) -> dict[str, NDArray[np.object_]]:
    """Expressions of g, dg and ddg, empty beyond the order, with a sample's weight.

    Of a Hessian metric ddg is empty too, unless the ``whole`` jet is wanted.
    """
    jet = _of_cumulants(source) if isinstance(source, Cumulants) else _derivatives(source, coordinates, order, whole)
    named = zip(("g", "dg", "ddg"), jet, strict=True)
    return {name: entries * WEIGHT if sampled else entries for name, entries in named}


@lru_cache(maxsize=128)
def _metric_kernels(
    source: Source,
    coordinates: tuple[Symbol, ...],
    samples: tuple[Symbol, ...],
    scalars: tuple[tuple[str, Expr], ...],
    quantities: Names,
    order: int,
    outer: tuple[Symbol, ...],
    bounds: bool,
    signed: bool,
    whole: bool = False,
) -> MetricKernels:
    weight = WEIGHT if samples else sympy.Integer(1)
    jet = jet_expressions(source, coordinates, bool(samples), order, whole)
    shapes = {name: entries.shape for name, entries in jet.items()}
    expressions = {name: list(entries.ravel()) for name, entries in jet.items()}
    expressions |= {name: [_factored(e) * weight] for name, e in scalars}
    expressions = {name: [_known_near_zero(e) for e in entries] for name, entries in expressions.items()}
    inner = tuple(c for c in coordinates if c not in outer)
    axes = Axes(outer, inner, (*samples, SPREAD, WEIGHT) if samples else ())
    tensors = tensors_of_curvature(quantities)
    most = MAX_WRITTEN_TENSORS if tensors and bounds else MAX_WRITTEN
    small = max(*(entries.size for entries in jet.values()), len(coordinates) ** 4 if tensors else 0) <= most
    small &= len(coordinates) <= MAX_COORDINATES
    share = SINGLE_OF_SAMPLES if samples else SINGLE
    following = (
        partial(_following, shapes=shapes, quantities=quantities, signed=signed, share=share)
        if quantities and small
        else None
    )
    if not samples:
        try:
            expressions |= jet_errors(expressions) if bounds else {}
        except (TypeError, ValueError):  # SymPy's, of what has no slope
            kernel(expressions, axes)  # names the function
            raise
        at_once = kernel(expressions, axes, following) if following else None
        return MetricKernels(kernel(expressions, axes), at_once, None)
    sums = SampleErrors(expressions, samples) if bounds else None
    plain = kernel(expressions | ({"sizes": list(sums.sizes)} if sums else {}), axes)
    components = tuple(Symbol(f"c{k}", real=True) for k in range(plain.components))
    from_jet = {name: [components[c] for c in at] for name, at in plain.at.items() if name != "sizes"}
    counts: Kernel | None = None
    errors: Kernel | None = None
    inputs = components
    if sums:
        # Like the outer coordinates, the bounds of the data are the same along the inner ones.
        counts = kernel({"counts": list(sums.counts.values())}, Axes((*outer, *sums.largest.values()), inner))
        roundings = tuple(Symbol(f"k{k}", positive=True) for k in range(counts.components))
        inputs = (*components, *roundings, *sums.largest.values(), DEPTH)
        known = {size: components[c] for size, c in zip(sums.sizes.values(), plain.at["sizes"], strict=True)}
        known |= {count: roundings[c] for count, c in zip(sums.counts, counts.at["counts"], strict=True)}
        from_jet |= {name: [e.xreplace(known) for e in bounds] for name, bounds in sums.errors.items()}
        errors = kernel({name: from_jet[name] for name in sums.errors}, Axes((), inputs))
    after = kernel(from_jet, Axes((), inputs), following) if following else None
    return MetricKernels(plain, None, after, errors, counts)


def _following(
    assign: Assign, groups: Groups, shapes: dict[str, tuple[int, ...]], quantities: Names, signed: bool, share: float
) -> Groups:
    arrays = {
        name: np.array(groups[name], dtype=object).reshape(shapes.get(name.removesuffix("_error"), (-1,)))
        for name in (*shapes, *ERRORS)
        if name in groups
    }
    errors = tuple(arrays[name] for name in ERRORS if name in arrays)
    observables = {name: names for name, names in groups.items() if name not in arrays}
    return written_out(
        assign, arrays["g"], arrays["dg"], arrays["ddg"], quantities, errors, observables, signed=signed, share=share
    )


@lru_cache(maxsize=128)
def _derivatives(
    matrix: sympy.ImmutableMatrix, x: tuple[Symbol, ...], order: int, whole: bool
) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
    """Arrays of expressions g, ∂g, ∂∂g, each of them empty beyond the order, ∂∂g also where it is not needed."""
    n = len(x)
    none = [np.empty((0,) * rank, dtype=object) for rank in (2, 3, 4)]
    if order < 0:
        return none[0], none[1], none[2]
    g = _symmetric(n, 2, lambda i, j: matrix[i, j])
    if order == 0:
        return g, none[1], none[2]
    dg = np.empty((n,) * 3, dtype=object)
    for (i, j), k in product(combinations_with_replacement(range(n), 2), range(n)):
        dg[i, j, k] = dg[j, i, k] = _derivative(g[i, j], x[k])
    if order == 1 or (_totally_symmetric(dg) and not whole):
        return g, dg, none[2]
    ddg = np.empty((n,) * 4, dtype=object)
    pairs = [*combinations_with_replacement(range(n), 2)]
    for (i, j), (k, m) in product(pairs, repeat=2):
        ddg[i, j, k, m] = ddg[j, i, k, m] = ddg[i, j, m, k] = ddg[j, i, m, k] = _derivative(dg[i, j, k], x[m])
    return g, dg, ddg


def _of_cumulants(cumulants: Cumulants) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.object_]]:
    """Arrays of the second and third cumulants in place of g and ∂g, those of a Hessian metric."""
    n, zero = cumulants.second.rows, sympy.Integer(0)
    third = _symmetric(n, 3, lambda *at: cumulants.third.get(at, zero))
    return _symmetric(n, 2, lambda i, j: cumulants.second[i, j]), third, np.empty((0,) * 4, dtype=object)


def _symmetric(n: int, rank: int, entry: Callable[..., Expr]) -> NDArray[np.object_]:
    """Totally symmetric array from its entries with indices in ascending order."""
    array = np.empty((n,) * rank, dtype=object)
    for at in combinations_with_replacement(range(n), rank):
        value = entry(*at)
        for indices in permutations(at):
            array[indices] = value
    return array


@lru_cache(maxsize=4096)
def _derivative(e: Expr, x: Symbol) -> Expr:
    return _factored(common_in_front(e.diff(x)))


def _factored(e: Expr) -> Expr:
    """Sum with the common factors of its terms pulled out (not out of the arguments of functions)."""
    if not e.is_Add:
        return e
    names = {
        f: sympy.Dummy(f"f{k}", real=True) for k, f in enumerate(sorted(e.atoms(Function), key=sympy.default_sort_key))
    }
    back = {name: f for f, name in names.items()}
    return sympy.factor_terms(e.xreplace(names)).xreplace(back)


@lru_cache(maxsize=4096)
def _known_near_zero(e: Expr) -> Expr:
    """The same with expm1(u) for e^u − 1 and log1p(u) for log(1 + u), which float64 knows to all digits near u = 0."""
    if not e.has(sympy.exp, sympy.log):
        return e
    return e.replace(lambda part: part.is_Add, _minus_one).replace(sympy.log, _log_of_one_and)


def _minus_one(total: Expr) -> Expr:
    """A sum with c expm1(u) for c e^u − c; an exponential of a sum is left, since kernels split it between the axes."""
    constant, rest = total.as_coeff_Add()
    for term in sympy.Add.make_args(rest) if constant else ():
        c, power = term.as_coeff_Mul()
        if c == -constant and isinstance(power, sympy.exp) and not power.args[0].is_Add:
            return rest - term + c * expm1(power.args[0])
    return total


def _log_of_one_and(u: Expr) -> Expr:
    one, rest = u.as_coeff_Add()
    return log1p(rest) if one == 1 and rest != 0 else sympy.log(u)


def _totally_symmetric(dg: NDArray[np.object_]) -> bool:
    """Whether ∂_k g_ij = ∂_j g_ik for all indices, and, where it is, make the entries the same expressions."""
    if not all(one == other or _vanishes(other - one) for one, other in equal_if_hessian(dg)):
        return False
    dg[...] = _symmetric(len(dg), 3, lambda *at: dg[at])
    return True


@lru_cache(maxsize=4096)
def _vanishes(e: Expr) -> bool:
    return bool(normal_form(e) == 0)


def exact_kernel(metric: Metric, quantities: Names, observables: Names) -> tuple[str, Places]:
    """Source of ``point(x, rows)`` for the jet of a metric and its observables, and where each stands in it.

    Rows of the data are those of ``metric.samples`` with the weight last.
    """
    samples = metric.samples.symbols if metric.samples else ()
    scalars = tuple((name, metric.observables[name]) for name in observables)
    order = highest_order(quantities)
    return _exact_kernel(jet_source(metric, quantities), metric.coordinates, samples, scalars, order)


@lru_cache(maxsize=128)
def _exact_kernel(
    source: Source,
    coordinates: tuple[Symbol, ...],
    samples: tuple[Symbol, ...],
    scalars: tuple[tuple[str, Expr], ...],
    order: int,
) -> tuple[str, Places]:
    jet = jet_expressions(source, coordinates, bool(samples), order)
    expressions = {name: list(entries.ravel()) for name, entries in jet.items()}
    expressions |= {name: [_factored(e) * (WEIGHT if samples else 1)] for name, e in scalars}
    return exact_source(expressions, Axes((), coordinates, (*samples, WEIGHT) if samples else ()))
