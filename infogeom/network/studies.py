"""Studies: many networks trained in parallel processes, their records in one Dataset."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from infogeom.arguments import check_count, finite_array, path_of
from infogeom.files import remove_fragments, writable_folder
from infogeom.losses import Loss
from infogeom.network import checkpoint as checkpoints
from infogeom.network.fitting import TrainingWarning, fit, settings_of, started
from infogeom.network.mlp import MLP
from infogeom.network.recording import Record
from infogeom.network.seeds import check_loss
from infogeom.network.targets import targets_of
from infogeom.optimizers import Adam, Optimizer
from infogeom.variables import flags, texts
from infogeom.workers import end_with_parent

__all__ = ["study"]

Array = NDArray[Any]

#: Variables of the environment that keep the libraries of a worker to one thread: one run per core is what is parallel.
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
#: Attributes of a run that all runs of a study have alike.
SHARED = ("fisher", "normalization", "samples", "probe_samples", "optimizer", "batch_size")
#: Values of ``status``, by how a run ended.
ENDED = {"complete": 0, "diverged": 1}
#: Seconds that interrupted workers have to save their runs.
GRACE = 5.0


@dataclass(frozen=True)
class _Job:
    """One run of a study: everything but the data, which a worker holds once."""

    net: MLP
    loss: Loss
    seed: int
    epochs: int
    optimizer: Optimizer
    batch_size: int | None
    record: Record
    data: str
    name: str
    folder: Path | None

    @property
    def path(self) -> Path | None:
        """File of the finished run, None where nothing is to be kept."""
        return self.folder and self.folder / f"{self.name}.nc"

    @property
    def checkpoint(self) -> Path | None:
        """File of the unfinished run."""
        return self.folder and self.folder / f"{self.name}.checkpoint.npz"

    @property
    def settings(self) -> dict[str, str]:
        settings = settings_of(self.net, self.data, self.loss, self.optimizer, self.batch_size, self.record, self.seed)
        return settings | {"epochs": str(self.epochs)}


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
    hidden_layers: int = 2,
    activation: str = "relu",
    dtype: str = "float32",
    optimizer: Optimizer | None = None,
    batch_size: int | None = 128,
    record: Record | None = None,
) -> xr.Dataset:
    """Train every combination of loss, width and seed, and gather the records.

    Runs go on in parallel in spawned processes, with one BLAS thread each, so a script that calls this needs
    ``if __name__ == "__main__"``. Each run is saved as it ends; calling again with the same arguments resumes.

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
        Processes; the cores of this machine when omitted.
    out : str or Path, optional
        Folder for one NetCDF file per run and the checkpoints of unfinished ones; nothing is kept when omitted.
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
        (0 complete, 1 diverged).

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value; for files in ``out`` that are damaged or of other settings.

    Warns
    -----
    TrainingWarning
        When runs cannot be written to ``out``; they are in the Dataset all the same.
    """
    # What is asked for.
    inputs, targets = finite_array("x", x, 2, dtype), targets_of("y", y)
    losses, widths, seeds = _listed(losses=losses, widths=widths, seeds=seeds)
    for loss in losses:
        check_loss(loss)
    for name, labels in (("losses", [loss.name for loss in losses]), ("widths", widths), ("seeds", seeds)):
        if not labels or len(set(labels)) < len(labels):
            raise ValueError(f"{name} must be different and at least one, got {list(labels)}")
    check_count("hidden_layers", hidden_layers)
    check_count("epochs", epochs, least=0)
    workers = _cores() if workers is None else workers
    check_count("workers", workers)

    # A job for each run; what `fit` would refuse is refused before any process starts.
    data = checkpoints.digest(inputs, targets)
    folder = None if out is None else _folder(out)
    jobs = []
    for loss, width, seed in product(losses, widths, seeds):
        layers = (inputs.shape[1], *[width] * hidden_layers, targets.shape[1])
        net = MLP(layers, activation=activation, seed=seed, dtype=dtype)
        settings = net, loss, seed, epochs, optimizer or Adam(), batch_size, record or Record()
        jobs.append(_Job(*settings, data, f"{loss.name}_{width}_{seed}", folder))
    for job in jobs[:: len(widths) * len(seeds)]:
        started(job.net, inputs, targets, job.loss, job.optimizer, job.batch_size, job.record, job.seed)

    # Those that are saved, and then the others.
    runs = {job.name: run for job in jobs if (run := _finished(job)) is not None}
    runs |= _trained([job for job in jobs if job.name not in runs], inputs, targets, workers)
    return _gathered([runs[job.name] for job in jobs], jobs, losses, widths, seeds)


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


def _finished(job: _Job) -> xr.Dataset | None:
    """A run that is saved already; ValueError where the file is damaged or of other settings."""
    if job.path is None or job.checkpoint is None:
        return None
    remove_fragments(job.path)
    run = checkpoints.load_run(job.path, job.settings)
    if run is not None:  # what a run leaves that is killed just before its end
        remove_fragments(job.checkpoint)
        job.checkpoint.unlink(missing_ok=True)
    return run


# --- Workers ----------------------------------------------------------------------------------------------------------

#: Inputs and targets of a worker process, set once as it starts.
_DATA: list[Array] = []


def _start(x: Array, y: Array) -> None:
    end_with_parent(GRACE)
    _DATA[:] = [x, y]


def _ended(*_: Any) -> None:
    """After one interrupt a worker saves its run and leaves; further ones would only break the saving."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(job: _Job) -> tuple[xr.Dataset, str]:
    """A run, and why it could not be saved; an interrupted worker goes not on to the next."""
    signal.signal(signal.SIGINT, _ended)
    try:
        return _saved(job)
    except KeyboardInterrupt:  # before or after the training, which answers it by itself
        os._exit(1)


def _saved(job: _Job) -> tuple[xr.Dataset, str]:
    """Train, resuming where a checkpoint is, and save."""
    x, y = _DATA
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the status says it
        run = fit(
            job.net, x, y, job.loss, epochs=job.epochs, optimizer=job.optimizer, batch_size=job.batch_size,
            record=job.record, seed=job.seed, checkpoint=job.checkpoint,
        )  # fmt: skip
    if run.attrs["ended"] == "interrupted":
        raise KeyboardInterrupt
    run = run.drop_vars("parameters")
    try:
        if job.path and job.checkpoint:
            checkpoints.save_run(job.path, run, job.settings)
            job.checkpoint.unlink(missing_ok=True)
    except OSError as error:
        return run, f"{job.path}: {error.strerror or error}"
    return run, ""


def _trained(jobs: Sequence[_Job], x: Array, y: Array, workers: int) -> dict[str, xr.Dataset]:
    """Runs by their name; on the way out of an error or an interrupt no worker is left behind."""
    runs: dict[str, xr.Dataset] = {}
    unsaved: list[str] = []
    if not jobs:
        return runs

    # Whoever is new among this process's children is a worker.
    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    with _environment(ONE_THREAD), tqdm(total=len(jobs), desc="runs", delay=2, leave=False, disable=None) as progress:
        pool = ProcessPoolExecutor(min(workers, len(jobs)), context, _start, (x, y))
        try:
            pending = {pool.submit(_run, job): job for job in jobs}
            for future in as_completed(pending):
                run, reason = future.result()
                runs[pending[future].name] = run
                if reason:
                    unsaved.append(reason)
                progress.update()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            _stop(set(multiprocessing.active_children()) - before)
            raise
        pool.shutdown()
    if unsaved:
        message = f"{len(unsaved)} of {len(jobs)} runs cannot be written, the first to {unsaved[0]}"
        warnings.warn(message, TrainingWarning, stacklevel=3)
    return runs


def _stop(workers: Collection[BaseProcess]) -> None:
    """End worker processes: by the interrupt on which they save their run, then by force."""
    for worker in workers:
        if worker.pid and worker.is_alive():
            os.kill(worker.pid, signal.SIGINT)
    deadline = time.monotonic() + GRACE
    for worker in workers:
        worker.join(max(0.0, deadline - time.monotonic()))
        worker.terminate()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Environment of processes that are started meanwhile."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# --- Results ----------------------------------------------------------------------------------------------------------


def _gathered(
    runs: Sequence[xr.Dataset],
    jobs: Sequence[_Job],
    losses: Sequence[Loss],
    widths: Sequence[int],
    seeds: Sequence[int],
) -> xr.Dataset:
    """One Dataset over loss × width × seed × epoch from runs in that order."""
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

    # Attributes that all runs share.
    net, attrs = jobs[0].net, runs[0].attrs
    model = f"MLP, {len(net.widths) - 2} hidden layers, {net.activation}, {net.dtype}, {net.parametrization}"
    attributes = {"model": model} | {name: attrs[name] for name in SHARED}
    attributes["epochs"] = jobs[0].epochs
    attributes |= {name: value for name, value in attrs.items() if str(name).endswith("_version")}
    attributes["wall_time_seconds"] = float(sum(run.attrs["wall_time_seconds"] for run in runs))
    return xr.Dataset(variables, coordinates, attributes)
