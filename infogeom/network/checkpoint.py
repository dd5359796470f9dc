"""Checkpoints and finished runs, which say the settings that they belong to and know their own contents."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import struct
import tokenize
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numba
import numpy as np
import xarray as xr
from numpy.typing import DTypeLike, NDArray

from infogeom import __version__
from infogeom.files import write_atomically
from infogeom.losses import Loss
from infogeom.network.mlp import MLP
from infogeom.network.recording import Record
from infogeom.optimizers import Descent

__all__ = [
    "Form",
    "check_arrays",
    "digest",
    "load",
    "load_run",
    "save",
    "save_run",
    "settings_of",
    "stands_at",
    "versions",
]

Settings = Mapping[str, str]
#: Dtype and shape of an array.
Form: TypeAlias = tuple[DTypeLike, tuple[int, ...]]
#: Name of the settings in a file.
SETTINGS = "settings"
#: Name among the settings of the digests of what the file holds besides.
CONTENTS = "contents"
#: Name among the settings of the epochs that were asked of a finished run.
EPOCHS = "epochs"
#: What reading bytes raises where they are not what they should be.
DAMAGED = (OSError, EOFError, MemoryError, zipfile.BadZipFile, struct.error, SyntaxError, tokenize.TokenError)
#: What making arrays and settings of them raises.
SENSELESS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RuntimeError)
UNREADABLE = DAMAGED + SENSELESS


def digest(*arrays: NDArray[Any]) -> str:
    """Hash of the contents of arrays."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.shape} {array.dtype}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()[:16]


def versions() -> dict[str, str]:
    """What the numbers depend on beside the arguments, as attributes of Datasets name it."""
    return {
        "infogeom_version": __version__,
        "numpy_version": np.__version__,
        "numba_version": numba.__version__,
    }


def settings_of(
    net: MLP, data: str, loss: Loss, optimizer: Descent, batch_size: int | None, record: Record, seed: int
) -> dict[str, str]:
    """Every argument that the result of `fit` depends on, but for the epochs; ``data`` is the data's digest."""
    of_net = {name: str(getattr(net, name)) for name in ("widths", "activation", "dtype", "parametrization", "bias")}
    return of_net | {
        "initial parameters": f"{net.initialization}, {digest(net.parameters)}",
        "data": data,
        "loss": str(loss),
        "optimizer": str(optimizer),
        "batch size": str(batch_size),
        "seed": str(seed),
        "record": str(record),
    }


# --- Checkpoints ------------------------------------------------------------------------------------------------------


def save(path: Path, settings: Settings, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays and the settings they belong to."""
    text = json.dumps({**settings, CONTENTS: _digests(arrays)})
    stored = {SETTINGS: np.array(text)} | dict(arrays)
    write_atomically(path, lambda file: np.savez(file, **stored))  # type: ignore[arg-type]


def load(path: Path, settings: Settings) -> dict[str, NDArray[Any]] | None:
    """Arrays of a checkpoint, None where there is none yet.

    Raises
    ------
    ValueError
        When the file is no checkpoint, is damaged, or is one of other settings.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # noqa: PTH110, PTH113 - pathlib's raise where a name is too long
        raise ValueError(f"{path} must be a file, to hold a checkpoint")
    try:
        arrays = _arrays(path)
        found = _settings(str(arrays.pop(SETTINGS)))
    except UNREADABLE as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            return None
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ValueError(f"{path} is not a checkpoint of a training run ({reason}); remove it to start anew") from None
    contents = found.pop(CONTENTS, None)  # earlier versions wrote none
    check_settings(path, found, settings)
    changed = [] if contents is None else _changed(contents, arrays)
    if changed:
        raise ValueError(f"{path} is damaged: {', '.join(changed)} not as written; remove it to start anew")
    return arrays


def stands_at(path: Path) -> int | None:
    """Epoch at which a checkpoint stands, None where there is none that can be read."""
    try:
        with np.load(path) as arrays:
            return int(arrays["epoch"])
    except UNREADABLE:
        return None


def check_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], forms: Mapping[str, Form]) -> None:
    """Raise ValueError that names what is missing from a checkpoint, foreign to it, or of another form."""
    missing, foreign = list(forms.keys() - arrays.keys()), list(arrays.keys() - forms.keys())
    if missing or foreign:
        raise ValueError(f"{path} must hold the arrays of its run; missing {missing}, unknown {foreign}")
    for name, (dtype, shape) in forms.items():
        array = arrays[name]
        if array.dtype != dtype or array.shape != shape:
            wanted, got = f"{np.dtype(dtype)} of shape {shape}", f"{array.dtype} of shape {array.shape}"
            raise ValueError(f"{path}: {name} must be {wanted}, got {got}")


def _digests(arrays: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    return {name: digest(array) for name, array in arrays.items()}


def _changed(contents: Any, arrays: Mapping[str, NDArray[Any]]) -> list[str]:
    """Names of arrays that are not those whose digests were written."""
    if not isinstance(contents, dict):
        return [CONTENTS]
    found = _digests(arrays)
    return sorted(name for name in contents.keys() | found.keys() if contents.get(name) != found.get(name))


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Arrays of an uncompressed archive, each the whole of its member, whose checksum is right."""
    arrays = {}
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{member.filename} is compressed")
            content = io.BytesIO(archive.read(member))
            array = np.lib.format.read_array(content, allow_pickle=False)
            name = member.filename.removesuffix(".npy")
            kinds = "U" if name == SETTINGS else "fi"
            if content.read(1) or not array.dtype.isnative or array.dtype.kind not in kinds:
                raise ValueError(f"{member.filename} is not an array of numbers")
            arrays[name] = array
    return arrays


def _settings(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise TypeError("it has no settings")
    return found


# --- Finished runs ----------------------------------------------------------------------------------------------------


def save_run(path: Path, run: xr.Dataset, settings: Settings, epochs: int) -> None:
    """Write the record of a finished run, and how many epochs were asked of it."""
    stored = _read(bytes(run.to_netcdf(engine="scipy")))  # as it will be read, in the types that NetCDF has
    text = json.dumps({**settings, EPOCHS: str(epochs), CONTENTS: _digest_of(stored)})
    content = bytes(run.assign_attrs({SETTINGS: text}).to_netcdf(engine="scipy"))
    write_atomically(path, lambda file: file.write(content))


def load_run(path: Path, settings: Settings) -> tuple[xr.Dataset, int] | None:
    """Record of a finished run and the epochs asked of it, None where there is none yet.

    Raises
    ------
    ValueError
        When the file is no run of a study, is damaged, or is one of other settings.
    """
    if not path.exists():
        return None
    try:
        run = _read(path.read_bytes())
        found = _settings(run.attrs[SETTINGS])
        contents = found.pop(CONTENTS, None)  # earlier versions wrote none
        epochs = int(found.pop(EPOCHS))
        whole = contents is None or contents == _digest_of(run)
        whole &= run.attrs["ended"] == "diverged" or run.attrs[EPOCHS] == epochs
    except UNREADABLE as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise ValueError(f"{path} is not a run of a study ({reason}); remove it to train that run again") from None
    check_settings(path, found, settings)
    if not whole:
        raise ValueError(f"{path} does not hold what was written to it; remove it to train that run again")
    return run, epochs


def _read(content: bytes) -> xr.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what a damaged file seems to say
        return xr.load_dataset(io.BytesIO(content), engine="scipy")


def _digest_of(run: xr.Dataset) -> str:
    """Hash of all that a Dataset holds but its settings."""
    text = json.dumps(run.assign_attrs({SETTINGS: ""}).to_dict(), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_settings(path: Path, found: Settings, wanted: Settings) -> None:
    """Raise ValueError that names what differs between the settings of a file and those of this run."""
    names = dict.fromkeys(list(found) + list(wanted))
    differing = [name for name in names if found.get(name) != wanted.get(name)]
    differences = [f"{name} {found.get(name, 'absent')} there, {wanted.get(name, 'absent')} here" for name in differing]
    if differences:
        advice = "to keep it, go on with those or elsewhere; to start anew, remove it"
        raise ValueError(f"{path} belongs to a run with other settings: {'; '.join(differences)} ({advice})")
