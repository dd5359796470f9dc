"""What float64 could not settle, settled in ball arithmetic: points too loose, singular or beyond float64.

Points are independent, and python-flint's precision is one for all threads, so they are shared out among processes;
these import no script, so that callers need no ``if __name__ == "__main__"``.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import loky
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from infogeom.kernels.balls.enclosures import FEWER_BITS, Balls, Refined, refine_all
from infogeom.kernels.codegen.builder import UnsupportedFunctionError
from infogeom.kernels.curvature.loops import TINY
from infogeom.kernels.points import Task, Work, tabulate, work_of
from infogeom.kernels.status import Status
from infogeom.quantities import QUANTITIES, may_vanish, read_from
from infogeom.threads import PATIENCE, in_order, threads
from infogeom.workers import interrupts_held, serve

__all__ = ["settle", "values", "with_errors"]

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
SAMPLES_AT_ONCE = 2**22
#: Seconds that a point takes in balls of rising precision, about.
SECONDS_A_POINT = 1e-3
#: Seconds that each of its samples adds to that, about.
SECONDS_A_SAMPLE = 1e-5
#: What tells whether the entries of a metric are good, singular or not.
ENTRIES = ("metric", "metric_error")


def values(task: Task, max_refined: int) -> dict[str, Array]:
    """Quantities of a task, what is read off others too, settled: see `infogeom.kernels.points.tiles` and `settle`.

    Raises
    ------
    UnsupportedFunctionError
        Naming a function of the metric that has no ball version, if any point may be refined.
    """
    found = _by_groups(task, max_refined)
    if task.metric.form.definite:
        _see_unphysical(task)
    return found


def _see_unphysical(task: Task) -> None:
    """Status 10 at points that have numbers, and whose metric is not positive definite."""
    status = task.status.ravel()
    at = np.flatnonzero(np.isin(status, (Status.OK, Status.REFINED, Status.UNREFINED)))
    g = np.moveaxis(work_of(task.metric).jets(task.points(at), 0).g, -1, 0)
    root = np.sqrt(np.abs(np.einsum("mii->mi", g)))
    root[root == 0] = 1.0
    with np.errstate(invalid="ignore"):
        scaled = np.nan_to_num(g / root[:, :, None] / root[:, None, :], posinf=0.0, neginf=0.0)
    status[at[np.linalg.eigvalsh(scaled)[:, 0] <= 0]] = Status.UNPHYSICAL
    task.status[...] = status.reshape(task.status.shape)


def _by_groups(task: Task, max_refined: int) -> dict[str, Array]:
    groups = work_of(task.metric).apart(task.quantities)
    if len(groups) == 1:
        return _values(task, max_refined)

    # Each group has a status of its own; of a point the one that says most stays.
    found: dict[str, Array] = {}
    before = task.status.copy()
    for names in groups:
        own = replace(task, quantities=tuple(names), status=before.copy())
        found |= _values(own, max_refined)
        np.copyto(task.status, own.status, where=SEVERITY[own.status] > SEVERITY[task.status])
    return found


def _values(task: Task, max_refined: int) -> dict[str, Array]:
    """Quantities of a task in one group.

    What is read off others gives place to those, and each comes with the bound on its error: these are the core, found
    by float64, but for curvatures that vanish in general. What of them is in doubt is then settled.
    """
    work, status = work_of(task.metric), task.status
    asked = [QUANTITIES[name] for name in with_errors(task.quantities)]
    wanted = {q.source for q in asked}
    wanted |= {q.name for q in asked if q.bounds}
    core = tuple(name for name in QUANTITIES if name in wanted)
    if max_refined and (lacking := work.lacking_in_balls()):
        raise UnsupportedFunctionError(lacking)
    zero = frozenset() if wanted.isdisjoint(may_vanish()) else work.vanishing().intersection(core)
    taken = tuple(name for name in core if QUANTITIES[name].base not in zero)

    before = status.copy()
    outputs = work.evaluation(replace(task, quantities=taken)).run() if taken else {}
    if zero:
        outputs |= _nearly_zero(replace(task, status=before), [name for name in may_vanish() if name in zero])
        np.copyto(status, before, where=(status == Status.OK) & (before != Status.OK))

    # Arrays (components, points), of what is read off too, which `settle` completes in place.
    for q in asked:
        if q.read_off:
            outputs[q.name] = np.empty((work.n**q.rank, *status.shape))
    flat = {name: array.reshape(len(array), -1) for name, array in outputs.items()}
    settle(work, core, task, flat, max_refined, before)
    found: dict[str, Array] = {}
    for q in asked:
        found[q.name] = outputs[q.name].astype(np.int8 if q.integer else float, copy=False)
    return found


def _nearly_zero(task: Task, names: Sequence[str]) -> dict[str, Array]:
    """Curvatures that vanish in general: 0 wherever float64 cannot tell them from it, with the bound that says so.

    Beside the terms that cancel it is about as large as that of the inverse metric, which is to be small in each row.
    """
    asked, status, rtol = [*names, "inverse_metric"], task.status, task.rtol
    assert rtol is not None
    bounds = [f"{name}_error" for name in asked]
    found = tabulate(replace(task, quantities=tuple(asked + bounds)))
    n = len(task.metric.coordinates)
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
    found = list(quantities)
    if "ricci_scalar" in found:
        found.append("ricci_scalar_error")
    return tuple(dict.fromkeys(found))


def settle(
    work: Work, core: Sequence[str], task: Task, outputs: Mapping[str, Array], max_refined: int, before: Flags
) -> None:
    """Complete, in place, what float64 left open, in the status of the task too.

    Points are in doubt whose status is neither 0 nor 3, and irregular of these where float64 saw more than a large
    error: a pivot near 0, or numbers beyond it. What takes least comes first, and each step settles points for good:
    a proof that the metric is singular everywhere, directions in which it is known to be at some points, balls of fixed
    precision for many points at once, and for what is left balls of rising precision, point by point. No precision
    would find a pivot not to be 0 that is, hence the proofs; points that nobody may look at stay in doubt.

    Parameters
    ----------
    work : Work
    core : sequence of str
        Quantities that balls are to have; deriving these takes seconds, and is left where no point is in doubt.
    task : Task
    outputs : mapping of str to ndarray, shape (components, m)
        Values by float64, and places for what is wanted that is read off them.
    max_refined : int
        How many points may be refined.
    before : ndarray of int8, shape (P, V)
        Status of each point before any quantity was looked at.
    """
    n, status = work.n, task.status.reshape(-1)

    # What float64 knows, and of which points it does not.
    read_off = {QUANTITIES[name].read_off for name in outputs}
    if read_off != {""}:
        _derive(outputs, status, n)
    if n > 1 and "ricci_scalar" in read_off:  # 0 may be what is left of a number below float64
        status[(status == Status.OK) & (outputs["ricci_scalar"][0] == 0)] = Status.UNREFINED
    doubtful = (status != Status.OK) & (status != Status.OUT_OF_DOMAIN)
    irregular = doubtful & (status != Status.UNREFINED)
    balls = work.balls(core) if max_refined and doubtful.any() else None

    # Singular everywhere: all is settled but the entries of the metric, which balls find as those of any other.
    of_metric = not all(QUANTITIES[name].observed for name in outputs)
    rank, null = work.rank_everywhere(irregular=bool(irregular.any()), of_metric=of_metric)
    if rank < n:
        if balls and any(QUANTITIES[name].of_entries for name in outputs):
            entries = tabulate(replace(task, quantities=ENTRIES, status=before.copy()))
            doubtful &= _entries_in_doubt(entries, n, task.rtol or 0.0)
            _refine_entries(balls, task, outputs, np.flatnonzero(doubtful)[:max_refined])
        _make_singular(outputs, status, rank, null)
        _read(outputs)
        doubtful[:] = False

    # Singular here or there.
    doubtful[_singular_by_directions(work, task, outputs, status, np.flatnonzero(irregular & doubtful))] = False

    # Of the others as many as may be refined.
    now, later = np.split(np.flatnonzero(doubtful), [max_refined if balls else 0])
    status[later] = Status.UNREFINED
    if balls and len(now):
        most = work.most_bits(balls, irregular=bool(irregular.any()))
        left = _by_fixed_precision(work, balls, now, task, outputs, status)
        _by_rising_precision(balls, left, task, outputs, status, most)
    _blank(outputs, np.flatnonzero(status == Status.SINGULAR))


def _singular_by_directions(
    work: Work, task: Task, outputs: Mapping[str, Array], status: Flags, at: NDArray[np.intp]
) -> list[int]:
    """Which points are singular in directions that are known without the metric; these are settled."""
    found = []
    for which, null in work.singular(task.points(at)):
        k = int(at[which])
        found.append(k)
        status[k] = Status.SINGULAR
        directions = np.vstack([null, np.zeros((work.n - len(null), work.n))])
        for name, value in (("metric_rank", work.n - len(null)), ("null_directions", directions.ravel())):
            if name in outputs:
                outputs[name][:, k] = value
    return found


def _entries_in_doubt(found: Mapping[str, Array], n: int, rtol: float) -> NDArray[np.bool_]:
    """Points at which an error is large beside √(g_ii g_jj)."""
    g, error = found["metric"].reshape(n, n, -1), found["metric_error"].reshape(n, n, -1)
    root = np.sqrt(np.abs(g[np.arange(n), np.arange(n)]))
    return np.asarray(~(error <= rtol * root[:, None] * root + TINY).all((0, 1)))


def _refine_entries(balls: Balls, task: Task, outputs: Mapping[str, Array], at: NDArray[np.intp]) -> None:
    """What a metric that is singular everywhere has all the same, from balls."""
    names = tuple(name for name in outputs if QUANTITIES[name].of_entries)
    found = _refined(balls, task.points(at), names, FEWER_BITS, len(balls.data))
    for k, refined in zip(at, found, strict=True):
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


def _read(outputs: Mapping[str, Array]) -> None:
    """Fill in what is read off others, point by point."""
    for name, values in read_from(outputs, outputs):
        outputs[name][:] = values


def _derive(outputs: Mapping[str, Array], status: Flags, n: int) -> None:
    """Fill in what is read off others, and the rank of the points that float64 knows to be regular."""
    _read(outputs)
    regular = (status == Status.OK) | (status == Status.UNREFINED)
    if "metric_rank" in outputs:
        outputs["metric_rank"][:] = np.where(regular, n, -1)
    if "null_directions" in outputs:
        outputs["null_directions"][:] = np.where(regular, 0.0, np.nan)


def _by_fixed_precision(
    work: Work, balls: Balls, at: NDArray[np.intp], task: Task, outputs: Mapping[str, Array], status: Flags
) -> NDArray[np.intp]:
    """Settle what balls of fixed precision can, where the metric has such, and return which points are left."""
    # All points at once, in shares that a thread takes a second for.
    names = {name for name in outputs if not QUANTITIES[name].bounds}
    doubles = work.fixed(balls, names) if len(at) else None
    if doubles is None:
        return at
    most = max(1, SAMPLES_AT_ONCE // max(1, len(balls.data)))
    shares = [at[k : k + most] for k in range(0, len(at), most)]
    refined = in_order(lambda share: doubles.refine(task.points(share)), shares, "points")

    # Numbers and their errors go to the points that were settled, and what is so of every regular point.
    for share, found in zip(shares, refined, strict=True):
        done, settled = share[found.settled], found.settled
        told = found.values | {f"{name}_error": errors for name, errors in found.errors.items()}
        told = dict(read_from(told, outputs)) | told
        for name in told.keys() & outputs.keys():
            outputs[name][:, done] = told[name][:, settled]
        for name, value in (("metric_rank", balls.n), ("null_directions", 0.0)):
            if name in outputs:
                outputs[name][:, done] = value
        status[done] = Status.REFINED
    left: NDArray[np.intp] = at[status[at] != Status.REFINED]
    return left


def _by_rising_precision(
    balls: Balls, at: NDArray[np.intp], task: Task, outputs: Mapping[str, Array], status: Flags, most: int
) -> None:
    """Settle points by balls of ever more bits, up to so many: each gets the status that these find."""
    found = _refined(balls, task.points(at), tuple(outputs), most, len(balls.data))
    for k, refined in zip(at, found, strict=True):
        status[k] = refined.status
        told = dict(refined.values) | {"metric_rank": np.array(refined.rank), "null_directions": refined.null}
        for name in told.keys() & outputs.keys():
            outputs[name][:, k] = told[name].ravel()


def _refined(balls: Balls, points: Array, quantities: tuple[str, ...], most: int, samples: int) -> Iterator[Refined]:
    """Each point refined, in order, by several processes where that pays."""
    seconds = SECONDS_A_POINT + SECONDS_A_SAMPLE * samples
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
