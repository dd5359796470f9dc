"""Files of the cache folder that are read only when they are ours and whole; what is amiss costs a `CacheWarning`."""

from __future__ import annotations

import hashlib
import warnings
from functools import cache
from pathlib import Path

from infogeom.kernels.compiled.private_folder import PrivateFolder, UntrustedError

__all__ = ["CacheWarning", "read_file", "read_sealed", "warn_of_damage", "write_file", "write_sealed"]

SEAL = hashlib.sha256


class CacheWarning(UserWarning):
    """Compiled kernels or counts cannot be kept on disk, or those kept there are damaged; they are made anew."""


def read_sealed(folder: PrivateFolder, name: str) -> bytes | None:
    """Content of a file that is ours and whole; None where there is none, or else, with a warning."""
    sealed = read_file(folder, name)
    if sealed is None:
        return None
    content = sealed[SEAL().digest_size :]
    if sealed == _sealed(name, content):
        return content
    warn_of_damage(folder.path / name, "it is not what was written")
    try:
        folder.remove(name)
    except OSError as error:
        _warn_of(error, folder)
    return None


def write_sealed(folder: PrivateFolder, name: str, content: bytes) -> bool:
    """Put a file in place after its hash, or warn; whether it is there."""
    return write_file(folder, name, _sealed(name, content))


def read_file(folder: PrivateFolder, name: str) -> bytes | None:
    """Content of a file; None where there is none, and, with a warning, where it cannot or must not be read."""
    try:
        return folder.read(name)
    except FileNotFoundError:
        return None
    except OSError as error:
        _warn_of(error, folder)
        return None


def write_file(folder: PrivateFolder, name: str, content: bytes) -> bool:
    """Put a file in place, or warn; whether it is there."""
    try:
        folder.write(name, content)
    except OSError as error:
        _warn_of(error, folder)
        return False
    return True


def warn_of_damage(path: Path, reason: str) -> None:
    """Say that what a file should hold is made anew."""
    warnings.warn(f"a damaged file of the cache is removed: {path}: {reason}", CacheWarning, stacklevel=2)


def _sealed(name: str, content: bytes) -> bytes:
    """Content after its hash, which tells a file cut short, changed, or put in another's place."""
    return SEAL(name.encode() + b"\0" + content).digest() + content


def _warn_of(error: OSError, folder: PrivateFolder) -> None:
    """What is wrong with a file or folder of another's, or with the folder as a whole: once, not for each file."""
    top = folder.within or folder
    _warn_once(error.filename if isinstance(error, UntrustedError) else str(top.path), error.strerror or str(error))


@cache
def _warn_once(path: str, reason: str) -> None:
    warnings.warn(
        f"compiled kernels and counts are kept in memory only: {path}: {reason}; "
        "INFOGEOM_CACHE_DIR names another folder",
        CacheWarning,
        stacklevel=2,
    )
