"""Jobs of a study: one run each, trained, saved, taken up again and prolonged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr
from numpy.typing import NDArray

from infogeom.files import remove_fragments
from infogeom.losses import Loss
from infogeom.network import checkpoint as checkpoints
from infogeom.network.fitting import CHECKPOINT_EVERY, _Run, started
from infogeom.network.mlp import MLP
from infogeom.network.recording import Record
from infogeom.optimizers import Descent

__all__ = ["Job"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Job:
    """One run of a study: everything but the data, which a worker holds once."""

    net: MLP
    loss: Loss
    seed: int
    epochs: int
    optimizer: Descent
    batch_size: int | None
    record: Record
    data: str
    name: str
    folder: Path | None
    final: bool

    @property
    def path(self) -> Path | None:
        """File of the finished run, None where nothing is to be kept."""
        return self.folder and self.folder / f"{self.name}.nc"

    @property
    def checkpoint(self) -> Path | None:
        """File from which the run can go on."""
        return self.folder and self.folder / f"{self.name}.checkpoint.npz"

    @property
    def settings(self) -> dict[str, str]:
        """What a finished run must agree in."""
        return checkpoints.settings_of(
            self.net, self.data, self.loss, self.optimizer, self.batch_size, self.record, self.seed
        )

    def finished(self) -> xr.Dataset | None:
        """The run as far as it is asked for, where it is saved; None where there is something to train.

        Raises
        ------
        ValueError
            For a file that is damaged, of other settings, or can neither be cut nor prolonged to the epochs asked for.
        """
        if self.path is None:
            return None
        self.remove_fragments()
        found = checkpoints.load_run(self.path, self.settings)
        if found is None:
            return None
        run, epochs = found

        # As it is, or prolonged, or cut.
        if self.epochs == epochs or self._diverged_before(run, epochs):
            self.tidy(run.attrs["ended"])
            return run
        if self.epochs > epochs:
            self._check_prolonged(epochs)
            return None
        if self.epochs not in run["epoch"]:
            rule = f"one of those recorded in {self.path}, which holds {epochs}, or more"
            raise ValueError(f"epochs must be {rule}, got {self.epochs}")
        return run.sel(epoch=slice(None, self.epochs)).assign_attrs(ended="complete", epochs=self.epochs)

    def begun(self, x: Array, y: Array) -> _Run:
        """The run as its checkpoint left it, before its first epoch without; refused as by `fit`."""
        run = self.started(x, y)
        if self.checkpoint:
            run.resume(self.checkpoint, self.epochs)
        return run

    def started(self, x: Array, y: Array) -> _Run:
        """The run before its first epoch; refused as by `fit`."""
        return started(self.net, x, y, self.loss, self.optimizer, self.batch_size, self.record, self.seed)

    def train(self, x: Array, y: Array) -> tuple[xr.Dataset, str]:
        """The run trained to its end and saved, and why it could not be; KeyboardInterrupt once its checkpoint is."""
        try:
            run = self.begun(x, y)
            ended, _ = run.train(self.epochs, self.checkpoint, CHECKPOINT_EVERY)
        except Exception as error:
            error.add_note(f"in the run {self.name}")
            raise
        if ended == "interrupted":
            raise KeyboardInterrupt
        found = run.dataset(ended).drop_vars("parameters")
        try:
            if self.path:
                checkpoints.save_run(self.path, found, self.settings, self.epochs)
                self.tidy(ended)
        except OSError as error:
            return found, f"{self.path}: {error.strerror or error}"
        return found, ""

    def remove_fragments(self) -> None:
        """Remove what a process left of the files that was killed as it wrote them."""
        for path in (self.path, self.checkpoint):
            if path:
                remove_fragments(path)

    def tidy(self, ended: str) -> None:
        """Remove the checkpoint of a finished run, unless the run may be prolonged or is being so."""
        if self.checkpoint and (self.final or ended == "diverged"):
            stands = checkpoints.stands_at(self.checkpoint)
            if stands is None or stands <= self.epochs:
                self.checkpoint.unlink(missing_ok=True)

    def _diverged_before(self, run: xr.Dataset, epochs: int) -> bool:
        """Whether a run of so many epochs diverged before it could matter that others are asked for."""
        reached, last = int(run.attrs["epochs"]), min(self.epochs, epochs)
        if run.attrs["ended"] != "diverged" or reached > last:
            return False
        # At the last epoch only where that was to be recorded anyhow, and could not be.
        return reached < last or (reached % self.record.every == 0 and reached not in run["epoch"])

    def _check_prolonged(self, epochs: int) -> None:
        """Raise ValueError where there is nothing to prolong a run of so many epochs by."""
        if self.checkpoint is None or not self.checkpoint.exists():
            raise ValueError(
                f"epochs must be at most {epochs}, which {self.path} holds, got {self.epochs}: it has no checkpoint to "
                "go on from, which final=False keeps; remove it to train that run anew"
            )
