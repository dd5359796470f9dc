"""Studies: many networks trained in parallel processes, their records in one Dataset."""

from __future__ import annotations

import os
import warnings
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from functools import partial
from itertools import product
from multiprocessing import current_process
from pathlib import Path
from threading import RLock
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from infogeom.arguments import check_count, finite_array, path_of
from infogeom.files import writable_folder
from infogeom.losses import Loss
from infogeom.network import checkpoint as checkpoints
from infogeom.network.fitting import TrainingWarning
from infogeom.network.jobs import Job
from infogeom.network.mlp import MLP
from infogeom.network.passes import can_limit_blas
from infogeom.network.recording import Record
from infogeom.network.seeds import check_loss
from infogeom.network.targets import targets_of
from infogeom.optimizers import Adam, Descent
from infogeom.variables import flags, texts
from infogeom.workers import LostWorkerError, shared_out

__all__ = ["study"]

Array = NDArray[Any]

#: Variables of the environment that keep the libraries of a worker to one thread: one run per core is what is parallel.
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
#: Attributes of a run that all runs of a study have alike.
SHARED = ("fisher", "normalization", "samples", "probe_samples", "optimizer", "batch_size")
#: Values of ``status``, by how a run ended.
ENDED = {"complete": 0, "diverged": 1}
#: Runs of one version that a warning names at most.
NAMED = 3


def study(
    x: ArrayLike,
    y: ArrayLike,
    *,
    losses: Sequence[Loss],
    widths: Sequence[int],
    seeds: Sequence[int],
    epochs: int,
    workers: int | None = None,
    out: str | Path | None = None,
    final: bool = True,
    hidden_layers: int = 2,
    activation: str = "relu",
    dtype: str = "float32",
    optimizer: Descent | None = None,
    batch_size: int | None = 128,
    record: Record | None = None,
) -> xr.Dataset:
    """Train every combination of loss, width and seed, and gather the records.

    Each run is that of `fit` by itself, to the bit, whatever the number of workers. All losses and widths of the first
    seed come first, then those of the next, so that whatever is done is a balanced study. A run is saved as it ends,
    and Ctrl-C, which raises KeyboardInterrupt, saves those under way: calling again with the same arguments goes on.

    With ``final=False`` runs keep their checkpoints, and calling again with more ``epochs`` prolongs them, to the bits
    of runs of that length. A checkpoint holds the parameters and the optimizer's state: with Adam and float32 12 bytes
    a parameter, for 784–W–W–10 1.4 MB at W = 128 and 15 MB at W = 784. Calling with fewer epochs cuts the records of
    longer runs, where these hold that epoch; their files stay as they are.

    Parameters
    ----------
    x, y : array_like, shapes (N, d) and (N, O)
        Inputs and targets; or integer labels 0 … O − 1, shape (N,), of which each occurs.
    losses : sequence of Loss
    widths : sequence of int
        W of networks d–W–…–W–O.
    seeds : sequence of int
        Each of the initial parameters and of the order of samples.
    epochs : int
    workers : int, optional
        Processes, with one BLAS thread each; the cores of this machine when omitted. With one, this process does the
        work itself, if threadpoolctl (extra ``mnist``) can keep it to one BLAS thread.
    out : str or Path, optional
        Folder for one NetCDF file per run and the checkpoints of unfinished ones; nothing is kept when omitted.
    final : bool
        Whether the runs will not be prolonged: then their checkpoints are removed as they end.
    hidden_layers : int
        Number of layers of width W.
    activation, dtype : str
        As for `MLP`.
    optimizer, batch_size, record
        As for `fit`.

    Returns
    -------
    xarray.Dataset
        What `fit` records over loss × width × seed × epoch, nan after the end of a diverged run; ``status`` says which
        (0 complete, 1 diverged). Attributes name every version of infogeom, NumPy and numba that runs were trained by.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value; for files in ``out`` that are damaged or of other settings, for
        checkpoints of other versions, and for more epochs than a run has whose checkpoint was removed.
    RuntimeError
        Where a worker process is killed: which runs were under way, and what is kept. The other workers save theirs.

    Warns
    -----
    TrainingWarning
        When runs cannot be written to ``out``; they are in the Dataset all the same. Before any training, when the runs
        in ``out`` are of several versions or not of this one: which, for they are taken as they are.

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> x, y = np.array([[1.0, 0.5], [0.2, -1.0]]), np.array([[1, 0], [0, 1]])
    >>> ds = ig.network.study(x, y, losses=[ig.losses.LpNorm(2)], widths=[3], seeds=[0, 1], epochs=4, workers=1)
    >>> dict(ds.fisher_trace.sizes)
    {'loss': 1, 'width': 1, 'seed': 2, 'epoch': 5}
    """
    # What is asked for.
    inputs, targets = finite_array("x", x, 2, dtype), targets_of("y", y)
    losses, widths, seeds = _listed(losses=losses, widths=widths, seeds=seeds)
    for loss in losses:
        check_loss(loss, "a study")
    for name, labels in (("losses", [loss.name for loss in losses]), ("widths", widths), ("seeds", seeds)):
        if not labels or len(set(labels)) < len(labels):
            raise ValueError(f"{name} must be different and at least one, got {list(labels)}")
    check_count("hidden_layers", hidden_layers)
    check_count("epochs", epochs, least=0)
    workers = _cores() if workers is None else workers
    check_count("workers", workers)
    if not isinstance(final, bool | np.bool_):
        raise TypeError(f"final must be True or False, got {final!r}")

    # A job for each run.
    data = checkpoints.digest(inputs, targets)
    folder = None if out is None else _folder(out)
    jobs = []
    for seed, loss, width in product(seeds, losses, widths):
        layers = (inputs.shape[1], *[width] * hidden_layers, targets.shape[1])
        net = MLP(layers, activation=activation, seed=seed, dtype=dtype)
        settings = net, loss, seed, epochs, optimizer or Adam(), batch_size, record or Record()
        jobs.append(Job(*settings, data, _name(loss, width, seed), folder, bool(final)))

    # What `fit` would refuse is refused before any training; runs that are saved are taken up, the others trained.
    for job in jobs[: len(losses) * len(widths) : len(widths)]:
        job.started(inputs, targets)
    runs = {job.name: run for job in jobs if (run := job.finished()) is not None}
    waiting = [job for job in jobs if job.name not in runs]
    for job in waiting:
        if job.checkpoint and job.checkpoint.exists():
            job.begun(inputs, targets)
    for told in _several_versions(runs, trains=bool(waiting)):
        _warn(told)
    for told in _train(waiting, inputs, targets, workers, runs):
        _warn(told)
    ordered = [runs[_name(*labels)] for labels in product(losses, widths, seeds)]
    return _gathered(ordered, jobs[0], losses, widths, seeds)


def _warn(message: str) -> None:
    warnings.warn(message, TrainingWarning, stacklevel=3)


def _name(loss: Loss, width: int, seed: int) -> str:
    """Name of a run and of its file."""
    return f"{loss.name}_{width}_{seed}"


def _listed(**arguments: Sequence[Any]) -> list[list[Any]]:
    """Arguments as lists, or an error that names the one that cannot be iterated over."""
    for name, values in arguments.items():
        if not isinstance(values, Iterable):
            raise TypeError(f"{name} must be a sequence, got {values!r}")
    return [list(values) for values in arguments.values()]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _folder(out: str | Path) -> Path:
    """The folder for the runs, made where it is not there."""
    try:
        return writable_folder(path_of("out", out))
    except OSError as error:
        raise ValueError(f"out {str(out)!r} cannot be written to: {error.strerror}") from None


def _several_versions(runs: Mapping[str, xr.Dataset], *, trains: bool) -> list[str]:
    """What is to be told of saved runs that are not all of one version, the present one if others are to be trained."""
    present = _versions(checkpoints.versions())
    groups: dict[str, list[str]] = {present: []} if trains else {}
    for name, run in runs.items():
        groups.setdefault(_versions(run.attrs), []).append(name)
    if len(groups) < 2:
        return []

    # Those of the present one need no word.
    others = []
    for version, names in groups.items():
        if version != present:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            others.append(f"{', '.join(names[:NAMED])}{more} by {version}")
    return [
        f"the runs of this study are of several versions: {'; '.join(others)}; here {present}. Saved ones are taken as "
        "they are; remove their files to train them anew"
    ]


def _versions(attributes: Mapping[Any, Any]) -> str:
    """Versions in words, of a run by its attributes."""
    names = checkpoints.versions()
    return ", ".join(f"{name.removesuffix('_version')} {attributes.get(name, 'unknown')}" for name in names)


# --- Training ---------------------------------------------------------------------------------------------------------

#: Inputs and targets of a worker process, set once as it starts.
DATA: list[Array] = []


def _train(jobs: Sequence[Job], x: Array, y: Array, workers: int, runs: dict[str, xr.Dataset]) -> list[str]:
    """Add trained runs to the saved ones, and say which could not be saved; what ends this early says what is kept."""
    if not jobs:
        return []
    total, unsaved = len(runs) + len(jobs), []
    bar = tqdm(total=len(jobs), desc="runs", delay=2, leave=False, disable=None)
    try:
        with bar as progress, closing(_trained(jobs, x, y, workers)) as answers:
            for job, run, reason in answers:
                runs[job.name] = run
                unsaved += [reason] if reason else []
                progress.update()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"the study was interrupted; {_kept(len(runs), total, jobs[0])}") from None
    except LostWorkerError as error:
        under_way = [jobs[number] for number in error.tasks]
        for job in under_way:
            job.remove_fragments()
        names = ", ".join(job.name for job in under_way) or "none yet"
        why = " (killed, perhaps for want of memory)" if error.exit_code == -9 else ""
        raise RuntimeError(
            f"a worker process ended early, with exit code {error.exit_code}{why}; under way, its own first: {names}; "
            f"{_kept(len(runs), total, jobs[0])}"
        ) from None
    if unsaved:
        return [f"{len(unsaved)} of {len(jobs)} runs cannot be written, the first to {unsaved[0]}"]
    return []


def _kept(finished: int, total: int, job: Job) -> str:
    """What is kept of a study that ends early, and how to go on."""
    if job.folder is None:
        return "without out nothing is kept"
    return (
        f"{finished} of {total} runs are finished and kept in {job.folder}, as are the checkpoints of others; the same "
        "call goes on from there"
    )


def _trained(jobs: Sequence[Job], x: Array, y: Array, workers: int) -> Generator[tuple[Job, xr.Dataset, str]]:
    """Jobs, their runs, and why these could not be saved, as they come: from this process where one is enough."""
    workers = min(workers, len(jobs))
    if current_process().daemon or (workers < 2 and can_limit_blas()):
        for job in jobs:
            yield job, *job.train(x, y)
        return
    tasks = [partial(_train_there, job) for job in jobs]
    setup = partial(_set_up, x, y)
    with closing(shared_out(tasks, workers, setup=setup, environment=ONE_THREAD)) as answers:
        for number, (run, reason) in answers:
            yield jobs[number], run, reason


def _set_up(x: Array, y: Array) -> None:
    tqdm.set_lock(RLock())  # else that of a bar is a semaphore, which a worker that is killed leaves behind
    DATA[:] = [x, y]


def _train_there(job: Job) -> tuple[xr.Dataset, str]:
    return job.train(*DATA)


# --- Results ----------------------------------------------------------------------------------------------------------


def _gathered(
    runs: Sequence[xr.Dataset], job: Job, losses: Sequence[Loss], widths: Sequence[int], seeds: Sequence[int]
) -> xr.Dataset:
    """One Dataset over loss × width × seed × epoch from runs in that order, of which ``job`` is one."""
    # Records, as long as those of the longest run; some quantities not every network has.
    dims, shape = ("loss", "width", "seed"), (len(losses), len(widths), len(seeds))
    longest = max(runs, key=lambda run: run.sizes["epoch"])
    aligned = [run.reindex(epoch=longest["epoch"]) for run in runs]
    variables: dict[str, Any] = {}
    for name, like in longest.data_vars.items():
        nothing = np.full(like.shape, np.nan)
        values = np.stack([run[name].values if name in run else nothing for run in aligned])
        variables[str(name)] = dims + like.dims, values.reshape(shape + like.shape), like.attrs

    status = np.array([ENDED[run.attrs["ended"]] for run in runs], dtype=np.int8).reshape(shape)
    variables["status"] = flags(dims, status, "how each run ended", ENDED)
    # The loss is a dimension here; its value goes by the name of what is minimised.
    variables["training_loss"] = variables.pop("loss")
    coordinates: dict[str, Any] = {str(name): longest[name].variable for name in longest.coords}
    coordinates["loss"] = texts("loss", [loss.name for loss in losses])
    coordinates |= {"width": list(widths), "seed": list(seeds)}

    # Attributes that all runs share, and the versions that they are of.
    net, attrs = job.net, runs[0].attrs
    model = f"MLP, {len(net.widths) - 2} hidden layers, {net.activation}, {net.dtype}, {net.parametrization}"
    attributes = {"model": model} | {name: attrs[name] for name in SHARED}
    attributes["epochs"] = job.epochs
    for name in checkpoints.versions():
        attributes[name] = ", ".join(dict.fromkeys(str(run.attrs.get(name, "unknown")) for run in runs))
    attributes["wall_time_seconds"] = float(sum(run.attrs["wall_time_seconds"] for run in runs))
    return xr.Dataset(variables, coordinates, attributes)
