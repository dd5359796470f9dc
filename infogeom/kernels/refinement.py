"""What float64 could not settle, settled in ball arithmetic: points too loose, singular or beyond float64.

Points are independent, and python-flint's precision is one for all threads, so they are shared out among processes;
these import no script, so that callers need no ``if __name__ == "__main__"``.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import loky
import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Symbol
from tqdm import tqdm

from infogeom.functions import SPECIAL, expit, softplus
from infogeom.kernels.balls import BITS, MOST_BITS, Balls, Refined, refine_all
from infogeom.kernels.codegen import UnsupportedFunctionError
from infogeom.kernels.curvature import TINY
from infogeom.kernels.fixed_precision import double_double_of
from infogeom.kernels.jet import exact_kernel
from infogeom.kernels.null_space import null_space, rank_in_general, rank_of_samples
from infogeom.kernels.scores import scores_of
from infogeom.kernels.status import Status
from infogeom.kernels.sums import exact_sums
from infogeom.kernels.tiles import PATIENCE, in_order, tabulate, threads
from infogeom.models.model import Parameter
from infogeom.quantities import QUANTITIES, highest_order, metric_and_model
from infogeom.symbolic import Metric
from infogeom.symbolic.character import is_product_of_lines
from infogeom.workers import interrupts_held, serve

__all__ = ["Accuracy", "exact", "settle", "values", "with_errors"]

Array = NDArray[np.float64]
Flags = NDArray[np.int8]
#: How much each status says: least where all is well, most where a point is singular or lies outside.
SEVERITY = np.argsort(
    [
        Status.OK,
        Status.REFINED,
        Status.UNREFINED,
        Status.OVERFLOW,
        Status.UNDEFINED,
        Status.SINGULAR,
        Status.OUT_OF_DOMAIN,
    ]
)
#: Samples, over all points, of one piece of work in balls of fixed precision: about a second.
MOST_SAMPLES = 2**22
#: About how long a point takes, and each of its samples.
SECONDS = 1e-3, 1e-5
#: Bits to which a pivot must vanish where the metric looks singular everywhere or is slow, and where that is asked.
FEWER_BITS, SHARES = 2**13, (0.3125, 0.71875, 0.59375, 0.84375)
#: Bits of sums over outcomes at most.
BITS_OF_SUMS = 2**10
#: Functions of which one, its reciprocal or a ratio comes closer to a constant than any number of bits tells.
SATURATING = (sympy.exp, sympy.tanh, sympy.coth, sympy.erf, sympy.erfc, expit, softplus, sympy.sinh, sympy.cosh)
#: What tells whether the entries of a metric are good, singular or not, and what is read off those.
ENTRIES, OF_ENTRIES = ("metric", "metric_error"), ("metric", "fisher_trace")
#: What may vanish everywhere, bits in which that is looked at, and most parameters of a metric that is so looked at.
CURVATURES, VANISHING_BITS, MOST_PROBED = ("riemann", "ricci", "ricci_scalar"), 2**13, 6


@dataclass(frozen=True)
class Accuracy:
    """What is asked: the error of each quantity, relative to its size, and how many points may be refined for it."""

    rtol: float
    max_refined: int


def values(
    metric: Metric,
    quantities: Sequence[str],
    outer: Array,
    inner: Array,
    outer_coordinates: tuple[Symbol, ...],
    status: Flags,
    accuracy: Accuracy,
) -> dict[str, Array]:
    """Quantities at all points outer × inner, settled: see `infogeom.kernels.tiles.tabulate` and `settle`.

    Where the cumulants of a metric give R, and no other quantity needs a derivative, R comes on its own.

    Raises
    ------
    UnsupportedFunctionError
        Naming a function of the metric that has no ball version, if any point may be refined.
    """
    scalars = [name for name in quantities if QUANTITIES[name].source == "ricci_scalar"]
    others = [name for name in quantities if name not in scalars]
    order = highest_order(name for name in others if not QUANTITIES[name].bounds)
    if metric.cumulants is None or not (scalars and others) or order > 0:
        return _values(metric, quantities, outer, inner, outer_coordinates, status, accuracy)
    found: dict[str, Array] = {}
    before = status.copy()
    for names in (others, scalars):
        own = before.copy()
        found |= _values(metric, names, outer, inner, outer_coordinates, own, accuracy) if names else {}
        np.copyto(status, own, where=SEVERITY[own] > SEVERITY[status])
    return found


def _values(
    metric: Metric,
    quantities: Sequence[str],
    outer: Array,
    inner: Array,
    outer_coordinates: tuple[Symbol, ...],
    status: Flags,
    accuracy: Accuracy,
) -> dict[str, Array]:
    asked = [QUANTITIES[name] for name in with_errors(quantities)]
    wanted = {q.source for q in asked} | {q.name for q in asked if q.bounds}
    core = tuple(name for name in QUANTITIES if name in wanted)
    balls: Balls | None = None
    if accuracy.max_refined:
        balls = exact_sums(metric) if metric.laws else exact(metric, core)
    zero = vanishing(metric) & {*core} if {*CURVATURES} & {*core} else frozenset()
    taken = tuple(name for name in core if QUANTITIES[name].base not in zero)
    arguments = outer, inner, outer_coordinates
    before = status.copy()
    outputs = tabulate(metric, taken, *arguments, status, accuracy.rtol) if taken else {}
    if zero:
        outputs |= _nearly_zero(metric, [name for name in CURVATURES if name in zero], arguments, before, accuracy.rtol)
        np.copyto(status, before, where=(status == Status.OK) & (before != Status.OK))
    n, (P, V) = len(metric.coordinates), status.shape
    outputs |= {q.name: np.empty((n**q.rank, P, V)) for q in asked if q.read_off}
    symbols = tuple(metric.coordinates)
    order = [[*outer_coordinates, *(s for s in symbols if s not in outer_coordinates)].index(s) for s in symbols]

    def points(at: NDArray[np.intp]) -> Array:
        p, v = np.divmod(at, V)
        return np.vstack([outer[:, p], inner[:, v]])[order].T

    flat = {name: array.reshape(len(array), -1) for name, array in outputs.items()}
    entries = partial(tabulate, metric, ENTRIES, *arguments, before.copy(), accuracy.rtol)
    settle(metric, balls, points, flat, status.reshape(-1), accuracy, entries)
    return {
        name: outputs[name].astype(np.int8 if QUANTITIES[name].integer else float, copy=False)
        for name in with_errors(quantities)
    }


def _nearly_zero(
    metric: Metric, names: Sequence[str], arguments: tuple[Array, Array, tuple[Symbol, ...]], status: Flags, rtol: float
) -> dict[str, Array]:
    """Curvatures that vanish in general: 0 wherever float64 cannot tell them from it, with the bound that says so.

    Beside the terms that cancel it is about as large as that of the inverse metric, which is to be small in each row.
    """
    asked = [*names, "inverse_metric"]
    found = tabulate(metric, [*asked, *(f"{name}_error" for name in asked)], *arguments, status, rtol)
    n = len(metric.coordinates)
    rows = (n, n, *status.shape)
    inverse = np.abs(found.pop("inverse_metric")).reshape(rows).max(1)
    error = found.pop("inverse_metric_error").reshape(rows).max(1)
    null = (status == Status.UNREFINED) & (error <= rtol * inverse).all(0)
    for name in names:
        null &= (np.abs(found[name]) <= found[f"{name}_error"]).all(0)
    for name in names:
        found[name][:, null] = 0.0
    status[null] = Status.OK
    return found


def with_errors(quantities: Sequence[str]) -> tuple[str, ...]:
    """Quantities, and the bounds on their errors that come with them."""
    more = ("ricci_scalar_error",) if "ricci_scalar" in quantities else ()
    return tuple(dict.fromkeys((*quantities, *more)))


def exact(metric: Metric, quantities: Sequence[str]) -> Balls:
    """The metric in ball arithmetic, for the quantities named."""
    geometric, observables = metric_and_model(quantities)
    source, at = exact_kernel(metric, geometric, observables)
    samples = metric.samples
    data = np.column_stack([samples.data, samples.weights]) if samples else np.empty((0, 0))
    equal = bool(samples) and bool(np.all(data[:, -1] == data[0, -1]))
    return Balls(source, at, len(metric.coordinates), data, equal)


@lru_cache(maxsize=256)
def vanishing(metric: Metric) -> frozenset[str]:
    """Which of `CURVATURES` are 0 everywhere, as far as many bits tell at two points of no interest.

    That is no proof: √x² is not analytic, which is why `_nearly_zero` trusts float64 wherever it knows better; and what
    holds exponentials, a wall far away, may be below any bits here and is not asked.
    """
    if (
        metric.samples
        or metric.laws
        or metric.matrix.has(*SATURATING)
        or not 1 < len(metric.coordinates) <= MOST_PROBED
    ):
        return frozenset()
    if is_product_of_lines(metric):
        return frozenset(CURVATURES)
    found = frozenset(CURVATURES)
    for name in reversed(CURVATURES):
        if not _vanishes(metric, name):
            return found - {*CURVATURES[: CURVATURES.index(name) + 1]}
    return found


def _vanishes(metric: Metric, name: str) -> bool:
    try:
        balls = exact(metric, (name,))
    except UnsupportedFunctionError:
        return False
    seen = 0
    for x in _points_of_no_interest(metric):
        for bits in (BITS, VANISHING_BITS):  # what does not vanish shows at once
            found = balls.enclose(x, (name,), bits)
            if found.rank == balls.n and not all(b.contains(0) for b in found.values[name].flat):
                return False
        seen += found.rank == balls.n
        if seen == len(SHARES) // 2:
            return True
    return False


def settle(
    metric: Metric,
    balls: Balls | None,
    points: Callable[[NDArray[np.intp]], Array],
    outputs: Mapping[str, Array],
    status: Flags,
    accuracy: Accuracy,
    entries: Callable[[], Mapping[str, Array]],
) -> None:
    """Complete, in place, what float64 left open.

    Parameters
    ----------
    metric : Metric
    balls : Balls or None
        The same metric, for the quantities of ``outputs``; None where no point may be refined.
    points : callable
        Coordinates (m, n) of the points of given flat indices.
    outputs : mapping of str to ndarray, shape (components, m)
        Values by `infogeom.kernels.tiles.tabulate`, and places for what is wanted that is read off them.
    status : ndarray of int8, shape (m,)
    accuracy : Accuracy
    entries : callable
        Gives `ENTRIES` at all points by float64, each of shape (n², …).
    """
    n = len(metric.coordinates)
    read_off = {QUANTITIES[name].read_off for name in outputs}
    if read_off != {""}:
        _derive(outputs, status, n)
    if n > 1 and "ricci_scalar" in read_off:  # 0 may be what is left of a number below float64
        status[(status == Status.OK) & (outputs["ricci_scalar"][0] == 0)] = Status.UNREFINED
    doubtful = (status != Status.OK) & (status != Status.OUT_OF_DOMAIN)
    irregular = doubtful & (status != Status.UNREFINED)
    most, (rank, null) = MOST_BITS, _rank_everywhere(metric, irregular.any(), outputs)
    if rank < n:
        if balls and not outputs.keys().isdisjoint(OF_ENTRIES):
            doubtful &= _entries_in_doubt(entries(), n, accuracy.rtol)
            _refine_entries(balls, points, outputs, np.flatnonzero(doubtful)[: accuracy.max_refined])
        _make_singular(outputs, status, rank, null)
        doubtful[:] = False
    elif balls and not metric.laws and irregular.any() and _looks_singular(metric, balls):
        most = FEWER_BITS
    if doubtful.any() and metric.matrix.has(sympy.polygamma, sympy.zeta, *SPECIAL):  # seconds, each, in so many bits
        most = FEWER_BITS
    if metric.laws:  # every outcome takes part
        most = BITS_OF_SUMS
        doubtful[_singular_by_score(metric, points, outputs, status, np.flatnonzero(irregular & doubtful))] = False
    at = np.flatnonzero(doubtful)
    most_points = accuracy.max_refined if balls else 0
    now, later = at[:most_points], at[most_points:]
    status[later] = Status.UNREFINED
    if balls and len(now) and not metric.laws:
        now = _by_fixed_precision(balls, now, points, outputs, status)
    found = _refined(balls, points(now), tuple(outputs), most, len(metric.samples or ())) if balls else ()
    for k, refined in zip(now, found, strict=True):
        status[k] = refined.status
        told = {**refined.values, "metric_rank": np.array(refined.rank), "null_directions": refined.null}
        for name in told.keys() & outputs.keys():
            outputs[name][:, k] = told[name].ravel()
    _blank(outputs, np.flatnonzero(status == Status.SINGULAR))


def _singular_by_score(
    metric: Metric,
    points: Callable[[NDArray[np.intp]], Array],
    outputs: Mapping[str, Array],
    status: Flags,
    at: NDArray[np.intp],
) -> list[int]:
    """Which points are singular because a combination of the scores vanishes; these are settled."""
    if metric.states is not None or not at.size:
        return []
    scores, n, found = scores_of(metric), len(metric.coordinates), []
    for k, x in zip(at, points(at), strict=True):
        null = scores.null_directions(x)
        if not len(null):
            continue
        found.append(int(k))
        status[k] = Status.SINGULAR
        directions = np.vstack([null, np.zeros((n - len(null), n))])
        for name, value in (("metric_rank", n - len(null)), ("null_directions", directions.ravel())):
            if name in outputs:
                outputs[name][:, k] = value
    return found


def _rank_everywhere(metric: Metric, irregular: bool, outputs: Mapping[str, Array]) -> tuple[int, Array]:
    """The largest rank that the metric has anywhere, and the null directions where these are the same everywhere.

    Where float64 knows each point to be regular only the data are asked.
    """
    n = len(metric.coordinates)
    null = null_space(metric) if not all(QUANTITIES[name].observed for name in outputs) else np.empty((0, n))
    if len(null) or not irregular or metric.laws:
        return n - len(null), null
    if not metric.samples:
        return rank_in_general(metric.matrix), null
    return _rank_over_samples(metric), null


@lru_cache(maxsize=64)
def _rank_over_samples(metric: Metric) -> int:
    return rank_of_samples(exact(metric, ("metric",)), _points_of_no_interest(metric)[0])


def _looks_singular(metric: Metric, balls: Balls) -> bool:
    """Whether a metric is singular, as far as many bits can tell, at two points of no interest.

    That is no proof of its being so elsewhere, but a reason not to look much further for what may not be there.
    """
    where = _points_of_no_interest(metric)[:2]
    for bits in (BITS, 8 * BITS, FEWER_BITS):  # a regular metric shows at once
        found = [balls.enclose(x, (), bits) for x in where]
        if any(f.rank == balls.n or f.undefined for f in found):
            return False
    return True


def _points_of_no_interest(metric: Metric) -> list[list[float]]:
    """Points of the typical ranges, in general position."""
    typical, n = [Parameter("inside", domain).typical for domain in metric.domains], len(metric.coordinates)
    return [[low + s ** (1 + k / n) * (high - low) for k, (low, high) in enumerate(typical)] for s in SHARES]


def _entries_in_doubt(found: Mapping[str, Array], n: int, rtol: float) -> NDArray[np.bool_]:
    """Points at which an error is large beside √(g_ii g_jj)."""
    g, error = (found[name].reshape(n, n, -1) for name in ENTRIES)
    root = np.sqrt(np.abs(g[np.arange(n), np.arange(n)]))
    return np.asarray(~(error <= rtol * root[:, None] * root + TINY).all((0, 1)))


def _refine_entries(
    balls: Balls, points: Callable[[NDArray[np.intp]], Array], outputs: Mapping[str, Array], at: NDArray[np.intp]
) -> None:
    """What a metric that is singular everywhere has all the same, from balls."""
    names = tuple(name for name in outputs if QUANTITIES[name].base in OF_ENTRIES)
    for k, refined in zip(at, _refined(balls, points(at), names, FEWER_BITS, len(balls.data)), strict=True):
        for name in names:
            outputs[name][:, k] = refined.values[name].ravel()


def _make_singular(outputs: Mapping[str, Array], status: Flags, rank: int, null: Array) -> None:
    """Every point of the domain is singular; the null directions are given, or those of the metric at each point."""
    at = np.flatnonzero(status != Status.OUT_OF_DOMAIN)
    status[at] = Status.SINGULAR
    if "determinant_error" in outputs:
        outputs["determinant_error"][:, at] = np.abs(outputs["determinant"][:, at]) + TINY
    if "determinant" in outputs:
        outputs["determinant"][:, at] = 0.0
    if "metric_rank" in outputs:
        outputs["metric_rank"][:, at] = rank
    if "null_directions" in outputs:
        n = round(len(outputs["null_directions"]) ** 0.5)
        directions = np.zeros((len(at), n, n))
        directions[:, : n - rank] = null if len(null) else _null_spaces(outputs["metric"][:, at], rank)
        outputs["null_directions"][:, at] = directions.reshape(len(at), -1).T


def _null_spaces(g: Array, rank: int) -> Array:
    """Orthonormal null directions (m, n − rank, n) of metrics (n n, m) of known rank, in units natural to each."""
    n = round(len(g) ** 0.5)
    matrices = np.nan_to_num(g.T.reshape(-1, n, n))
    scale = np.sqrt(np.abs(np.einsum("mii->mi", matrices)))
    scale[scale == 0] = 1
    _, vectors = np.linalg.eigh(matrices / scale[:, :, None] / scale[:, None, :])
    return np.asarray(np.linalg.qr(vectors[:, :, : n - rank] / scale[:, :, None])[0].transpose(0, 2, 1))


def _blank(outputs: Mapping[str, Array], at: Any) -> None:
    for name in outputs:
        if not QUANTITIES[name].singular:
            outputs[name][:, at] = np.nan


def _derive(outputs: Mapping[str, Array], status: Flags, n: int) -> None:
    """Fill in what is read off R, and the rank of the points that float64 knows to be regular."""
    if "log10_ricci_scalar" in outputs:
        with np.errstate(divide="ignore"):
            outputs["log10_ricci_scalar"][:] = np.log10(np.abs(outputs["ricci_scalar"]))
    if "ricci_scalar_sign" in outputs:
        outputs["ricci_scalar_sign"][:] = np.sign(outputs["ricci_scalar"])
    regular = (status == Status.OK) | (status == Status.UNREFINED)
    if "metric_rank" in outputs:
        outputs["metric_rank"][:] = np.where(regular, n, -1)
    if "null_directions" in outputs:
        outputs["null_directions"][:] = np.where(regular, 0.0, np.nan)


def _by_fixed_precision(
    balls: Balls,
    at: NDArray[np.intp],
    points: Callable[[NDArray[np.intp]], Array],
    outputs: Mapping[str, Array],
    status: Flags,
) -> NDArray[np.intp]:
    """Settle what balls of fixed precision can, where the metric has such, and return which points are left."""
    names = {name for name in outputs if not QUANTITIES[name].bounds}
    doubles = double_double_of(balls, names)
    if doubles is None:
        return at
    share = max(1, MOST_SAMPLES // max(1, len(balls.data)))
    tasks = [at[k : k + share] for k in range(0, len(at), share)]
    for task, found in zip(tasks, in_order(lambda task: doubles.refine(points(task)), tasks, "points"), strict=True):
        done, settled = task[found.settled], found.settled
        told = found.values | {f"{name}_error": errors for name, errors in found.errors.items()}
        if "ricci_scalar" in told:
            told["ricci_scalar_sign"] = np.sign(told["ricci_scalar"])
        for name in told.keys() & outputs.keys():
            outputs[name][:, done] = told[name][:, settled]
        for name, value in (("metric_rank", balls.n), ("null_directions", 0.0)):
            if name in outputs:
                outputs[name][:, done] = value
        status[done] = Status.REFINED
    left: NDArray[np.intp] = at[status[at] != Status.REFINED]
    return left


def _refined(balls: Balls, points: Array, quantities: tuple[str, ...], most: int, samples: int) -> Iterator[Refined]:
    """Each point refined, in order, by several processes where that pays."""
    seconds = SECONDS[0] + SECONDS[1] * samples
    share = max(1, round(0.5 / seconds))
    tasks = [points[k : k + share] for k in range(0, len(points), share)]
    work = partial(refine_all, balls, quantities, most)
    alone = len(points) * seconds < 2 or threads() == 1 or multiprocessing.current_process().daemon
    with tqdm(total=len(points), desc="points refined", delay=PATIENCE, leave=False, disable=None) as progress:
        for results in map(work, tasks) if alone else _by_processes(work, tasks):
            progress.update(len(results))
            yield from results


def _by_processes(work: Callable[[Array], list[Refined]], tasks: Sequence[Array]) -> Iterator[list[Refined]]:
    with interrupts_held():
        executor = loky.get_reusable_executor(threads(), timeout=30, initializer=serve)
    try:
        with interrupts_held():
            futures = [executor.submit(work, task) for task in tasks]
        for future in futures:  # not by `map`, which cancels what loky then tries to fail
            yield future.result()
    except BaseException:
        executor.shutdown(wait=False, kill_workers=True)
        raise
