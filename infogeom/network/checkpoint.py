"""Checkpoints, which say the settings that they belong to."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeom.files import write_atomically

__all__ = ["check_settings", "digest", "load", "save"]

Settings = Mapping[str, str]


def digest(*arrays: NDArray[Any]) -> str:
    """Hash of the contents of arrays."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(f"{array.shape} {array.dtype}".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()[:16]


def save(path: Path, settings: Settings, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays and the settings they belong to."""
    write_atomically(path, lambda file: np.savez(file, settings=np.array(json.dumps(settings)), **arrays))  # type: ignore[arg-type]


def load(path: Path, settings: Settings) -> dict[str, NDArray[Any]] | None:
    """Arrays of a checkpoint, None where there is none yet.

    Raises
    ------
    ValueError
        When the file is no checkpoint, or one of other settings.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        found = json.loads(str(arrays.pop("settings")))
        found.keys()
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a checkpoint of a training run: {error}") from None
    check_settings(path, found, settings)
    return arrays


def check_settings(path: Path, found: Settings, wanted: Settings) -> None:
    """Raise ValueError that names what differs between the settings of a file and those of this run."""
    differences = [
        f"{name} {found.get(name, 'absent')} there, {wanted.get(name, 'absent')} here"
        for name in dict.fromkeys([*found, *wanted])
        if found.get(name) != wanted.get(name)
    ]
    if differences:
        raise ValueError(f"{path} belongs to a run with other settings: {'; '.join(differences)}")
