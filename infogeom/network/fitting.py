"""Training of a network, with its traces recorded along the way."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from tqdm import tqdm

from infogeom.arguments import check_count, path_of
from infogeom.files import remove_fragments
from infogeom.losses import Loss
from infogeom.network import checkpoint as checkpoints
from infogeom.network.checkpoint import Form
from infogeom.network.mlp import MLP
from infogeom.network.passes import one_blas_thread
from infogeom.network.recording import FURTHER, Record, labels, measure, shapes, stratified_sample
from infogeom.network.seeds import check_loss, check_returns
from infogeom.network.spectra import traced_kernel
from infogeom.network.steps import Steps, steps_of
from infogeom.optimizers import Adam, Descent
from infogeom.variables import Variable, numbers, texts

__all__ = ["TrainingWarning", "fit"]

Array = NDArray[Any]
#: What a loss in training has to define.
TRAINED_BY = ("values", "gradient", "expected_factor")
#: Epochs between checkpoints.
CHECKPOINT_EVERY = 10


class TrainingWarning(UserWarning):
    """A run ended before its last epoch, or its checkpoint cannot be written; what it recorded is returned.

    Examples
    --------
    >>> import infogeom as ig
    >>> issubclass(ig.network.TrainingWarning, UserWarning)
    True
    """


def fit(
    net: MLP,
    x: ArrayLike,
    y: ArrayLike,
    loss: Loss,
    *,
    epochs: int,
    optimizer: Descent | None = None,
    batch_size: int | None = 128,
    record: Record | None = None,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = CHECKPOINT_EVERY,
) -> xr.Dataset:
    """Train a network on the mean loss and record its traces.

    Bit-identical for equal arguments on one machine, however often it was interrupted and resumed.

    Parameters
    ----------
    net : MLP
        Parameters before the first step; the network itself stays as it is.
    x : array_like, shape (N, d)
        Inputs.
    y : array_like, shape (N, O), or of ints, shape (N,)
        Targets, or labels 0 … O − 1 of two outputs or more, which stand for one-hot targets.
    loss : Loss
        From `infogeom.losses`.
    epochs : int
        Passes through the data, at least 0.
    optimizer : Descent, optional
        From `infogeom.optimizers`; `Adam` with learning rate 1e-3 when omitted.
    batch_size : int or None
        Samples per step, the last batch of an epoch perhaps fewer; None takes all at once.
    record : Record, optional
        What to record, and when.
    seed : int
        Of the order of samples in each epoch.
    checkpoint : str or Path, optional
        File from which the run goes on where it exists, and which it writes. It stays, so that more ``epochs`` can
        prolong the run, to the bits of one run of that length; it belongs to these arguments and to the versions of
        infogeom, NumPy and numba that wrote it.
    checkpoint_every : int
        Epochs between checkpoints.

    Returns
    -------
    xarray.Dataset
        Along "epoch", measured on the probe set of ``record``: loss, accuracy, fisher_trace, fisher_trace_expected,
        ntk_trace, the factors residual_square · kernel_mean · covariance_factor · alignment_factor = fisher_trace, and
        live_fraction, the share of hidden units with a slope on some sample; and what `Record` adds. ``parameters``
        holds the last ones, for ``net.with_parameters``. The attribute ``ended`` says "complete", "interrupted" (by
        Ctrl-C) or "diverged".

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value; for a checkpoint that is damaged, of other settings or versions,
        or beyond ``epochs``.

    Warns
    -----
    TrainingWarning
        When Ctrl-C or a loss that is not finite ended the run early; once, when a checkpoint cannot be written.

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> net = ig.network.MLP((2, 3, 2), seed=1)
    >>> x, y = np.array([[1.0, 0.5], [0.2, -1.0]]), np.array([[1, 0], [0, 1]])
    >>> loss = ig.losses.CrossEntropy()
    >>> record = ig.network.fit(net, x, y, loss, epochs=3, optimizer=ig.network.SGD(0.1))
    >>> record.loss.dims, bool(record.loss[-1] < record.loss[0])
    (('epoch',), True)
    >>> trained = net.with_parameters(record.parameters)
    """
    # What is asked for, and where an earlier run left it.
    run = started(net, x, y, loss, optimizer or Adam(), batch_size, record or Record(), seed)
    check_count("epochs", epochs, least=0)
    check_count("checkpoint_every", checkpoint_every)
    path = None if checkpoint is None else path_of("checkpoint", checkpoint)
    if path:
        run.resume(path, epochs)

    # What is to be told of its end comes after all is written, for a warning may be an error.
    ended, told = run.train(epochs, path, checkpoint_every, partial(_warn, level=5))
    if told:
        _warn(told)
    return run.dataset(ended)


def _warn(message: str, level: int = 3) -> None:
    warnings.warn(message, TrainingWarning, stacklevel=level)


def started(
    net: MLP,
    x: ArrayLike,
    y: ArrayLike,
    loss: Loss,
    optimizer: Descent,
    batch_size: int | None,
    record: Record,
    seed: int,
) -> _Run:
    """Run before its first epoch, from checked arguments."""
    if not isinstance(net, MLP):
        raise TypeError(f"net must be an MLP, got {type(net).__name__}")
    check_loss(loss, "training", *TRAINED_BY)
    steps = steps_of(optimizer, net, loss)
    if not isinstance(record, Record):
        raise TypeError(f"record must be a Record, got {record!r}")
    check_count("seed", seed, least=0)

    # Data that fit the network and all losses.
    inputs = net.checked_inputs(x)
    targets = net.checked_targets(y, len(inputs))
    for one in (loss, *record.losses):
        one.check_targets(targets)
    if batch_size is not None:
        check_count("batch_size", batch_size)
    size = min(batch_size or len(inputs), len(inputs))
    return _Run(net, inputs, targets, loss, steps, size, record, seed, net.parameters.copy(), steps.start(size))


@dataclass
class _Run:
    """A network in training: settings, and the state after ``epoch`` epochs."""

    net: MLP
    inputs: Array
    targets: NDArray[np.float64]
    loss: Loss
    steps: Steps[Any]
    batch_size: int
    record: Record
    seed: int
    parameters: Array
    state: tuple[Array, ...]
    epoch: int = 0
    records: dict[int, dict[str, Any]] = field(default_factory=dict)
    unsaved: bool = False
    began: float = field(default_factory=time.perf_counter)

    def __post_init__(self) -> None:
        self.probe = stratified_sample(self.targets, self.record.probe, self.record.seed)

    @cached_property
    def settings(self) -> dict[str, str]:
        """What a checkpoint must agree in: versions too, for no run is made of the numbers of two."""
        data = checkpoints.digest(self.inputs, self.targets)
        given = checkpoints.settings_of(
            self.net, data, self.loss, self.steps.optimizer, self.batch_size, self.record, self.seed
        )
        return given | checkpoints.versions()

    @cached_property
    def initial_kernel(self) -> Array | None:
        """Traced kernel before the first epoch, which a run that goes on finds again; None where nobody asks."""
        return traced_kernel(self.net, self.inputs[self.probe]) if self.record.kernel else None

    @property
    def seconds(self) -> float:
        """Wall time of the run, that of earlier sessions too."""
        return time.perf_counter() - self.began

    def train(
        self, epochs: int, path: Path | None, every: int, warn: Callable[[str], None] | None = None
    ) -> tuple[str, str]:
        """Epoch after epoch, with a checkpoint now and then and at the end; how that ended, and what to tell of it.

        ``warn`` takes what is to be told at once.
        """
        for one in (self.loss, *self.record.losses):
            methods = TRAINED_BY if one is self.loss else ("gradient",)
            check_returns(self.net, self.inputs, self.targets, one, *methods)
        ended, told = "complete", ""
        bar = tqdm(
            total=epochs, initial=self.epoch, desc=f"training, {self.loss.name}", delay=2, leave=False, disable=None
        )
        with bar as progress, one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            try:
                self.measure(last=epochs)
                while self.epoch < epochs:
                    self.advance()
                    self.measure(last=epochs)
                    progress.update()
                    if path and self.epoch % every == 0:
                        self.save(path, warn)
            except KeyboardInterrupt:
                ended, told = "interrupted", f"training was interrupted after epoch {self.epoch} of {epochs}"
            except OverflowError as error:
                ended, told = "diverged", self._divergence(error)
            except BaseException:  # as SystemExit, by which the handlers of signals end a process
                if path:
                    self.save(path, None)
                raise

        # What was recorded stays, and can be gone on from but where numbers are beyond their range.
        if path and ended != "diverged":
            self.save(path, warn)
        return ended, told

    def _divergence(self, error: OverflowError) -> str:
        """What is told of a run whose numbers are beyond their range."""
        advice = "inputs, targets or initial parameters are too large"
        if self.epoch:
            advice = f"try {self.steps.optimizer.calmer}"
        last = f"(last recorded loss {self.last_loss})"
        return f"training with {self.loss.name} diverged in epoch {self.epoch}: {error} {last}; {advice}"

    def advance(self) -> None:
        """One epoch; an interrupt in it leaves the state as it was before."""
        parameters, state = self.parameters.copy(), tuple(array.copy() for array in self.state)
        order = np.random.default_rng([self.seed, self.epoch]).permutation(len(self.inputs))
        batch = np.empty((self.batch_size, self.inputs.shape[1]), self.inputs.dtype)
        starts = range(0, len(order), self.batch_size)
        try:
            for step, start in enumerate(starts, start=1 + self.epoch * len(starts)):
                rows = order[start : start + self.batch_size]
                x = np.take(self.inputs, rows, axis=0, out=batch[: len(rows)], mode="clip")
                self.steps.update(parameters, state, x, self.targets[rows], step)
        except OverflowError:
            self.epoch += 1  # in which the run diverges
            raise
        self.parameters, self.state, self.epoch = parameters, state, self.epoch + 1

    def measure(self, last: int) -> None:
        """Record where the epoch is to be recorded; OverflowError where the parameters or the loss are not finite."""
        if not np.isfinite(self.parameters).all():
            raise OverflowError("parameters are not finite")
        if self.epoch not in self.records and (self.epoch % self.record.every == 0 or self.epoch == last):
            net = self.net.with_parameters(self.parameters)
            probe = self.inputs[self.probe], self.targets[self.probe]
            self.records[self.epoch] = measure(net, *probe, self.loss, self.record, self.initial_kernel)

    @property
    def last_loss(self) -> str:
        """Loss of the last record, as text."""
        if not self.records:
            return "none"
        epoch = max(self.records)
        return f"{self.records[epoch]['loss']:.3g} after epoch {epoch}"

    def save(self, path: Path, warn: Callable[[str], None] | None) -> None:
        """Write a checkpoint, if there is anything to resume; where it cannot be written the run goes on without."""
        if not (self.records and np.isfinite(self.parameters).all()):
            return
        arrays = {"epoch": np.array(self.epoch), "epochs": np.array(list(self.records), dtype=np.int64)}
        arrays |= {"parameters": self.parameters, "seconds": np.array(self.seconds)}
        arrays |= {f"state_{k}": array for k, array in enumerate(self.state)}
        arrays |= {f"record_{name}": column for name, column in self.columns().items()}
        try:
            checkpoints.save(path, self.settings, arrays)
        except OSError as error:
            if warn and not self.unsaved:
                warn(f"checkpoint {path} cannot be written: {error.strerror or error}; the run goes on")
            self.unsaved = True

    def resume(self, path: Path, epochs: int) -> None:
        """Go on from a checkpoint where there is one."""
        if not path.parent.is_dir():
            raise ValueError(f"checkpoint must lie in a folder that exists, got {path}")
        remove_fragments(path)
        arrays = checkpoints.load(path, self.settings)
        if arrays is None:
            return

        # Nothing is believed that no run can have written.
        rows = max(1, arrays["epochs"].size) if "epochs" in arrays else 1
        checkpoints.check_arrays(path, arrays, self._forms(rows))
        if arrays["epoch"] > epochs:
            raise ValueError(f"epochs must be at least {arrays['epoch']}, where checkpoint {path} stands, got {epochs}")
        self._check_values(path, arrays)

        self.epoch, self.parameters = int(arrays["epoch"]), arrays["parameters"]
        self.began -= float(arrays["seconds"])
        self.state = tuple(arrays[f"state_{k}"] for k in range(len(self.state)))
        names = [name for name in arrays if name.startswith("record_")]
        for k, epoch in enumerate(arrays["epochs"].tolist()):
            if epoch % self.record.every == 0 or epoch == epochs:  # not what an earlier run recorded as its last
                self.records[epoch] = {name.removeprefix("record_"): arrays[name][k] for name in names}

    def _check_values(self, path: Path, arrays: Mapping[str, Array]) -> None:
        """Raise ValueError for numbers that no run has written."""
        for name, array in arrays.items():
            allowed = np.isfinite(array)
            if not allowed.all():
                raise ValueError(f"{path}: {name} must be finite, got {array[~allowed][0]}")
        epoch, recorded = int(arrays["epoch"]), arrays["epochs"]
        due = range(0, max(epoch, 1), self.record.every)
        increasing = (np.diff(recorded) > 0).all() and recorded[-1] <= epoch
        if not (increasing and recorded[0] == 0 and set(due) <= set(recorded.tolist())):
            raise ValueError(f"{path}: epochs must be those recorded up to epoch {epoch}, got {recorded}")

    def _forms(self, rows: int) -> dict[str, Form]:
        """Dtype and shape of each array in a checkpoint with so many records."""
        forms: dict[str, Form] = {"epoch": (np.int64, ()), "epochs": (np.int64, (rows,))}
        forms["seconds"] = np.float64, ()
        forms["parameters"] = self.parameters.dtype, self.parameters.shape
        for k, array in enumerate(self.state):
            forms[f"state_{k}"] = array.dtype, array.shape
        for name, shape in shapes(self.net, len(self.probe), self.record).items():
            forms[f"record_{name}"] = np.float64, (rows, *shape)
        return forms

    def columns(self) -> dict[str, Array]:
        """Records by name, stacked along epochs."""
        forms = shapes(self.net, len(self.probe), self.record)
        names = next(iter(self.records.values()), [name for name in forms if not forms[name]])
        return {name: np.array([row[name] for row in self.records.values()]) for name in names}

    def dataset(self, ended: str) -> xr.Dataset:
        """Labelled records, and the last parameters."""
        variables: dict[str, Variable] = {}
        label_of = labels(self.record)
        for name, column in self.columns().items():
            dims = ("epoch", FURTHER[name]) if name in FURTHER else "epoch"
            variables[name] = numbers(dims, column, label_of[name])
        variables["parameters"] = ("parameter", self.parameters, {"long_name": "parameters after the last epoch"})
        coordinates = {"epoch": numbers("epoch", list(self.records), "epoch")}
        if self.record.losses:
            coordinates["measured_loss"] = texts("measured_loss", [loss.name for loss in self.record.losses])

        # All that the numbers depend on, as far as attributes can say it.
        attributes = {
            "model": repr(self.net),
            "fisher": "empirical",
            "normalization": "mean over samples",
            "samples": len(self.inputs),
            "probe_samples": len(self.probe),
            "loss": self.loss.name,
            "optimizer": str(self.steps.optimizer),
            "batch_size": self.batch_size,
            "seed": int(self.seed),
            "epochs": self.epoch,
            "ended": ended,
            **checkpoints.versions(),
            "wall_time_seconds": self.seconds,
        }
        return xr.Dataset(variables, coordinates, attributes)
