"""Compiled kernels on disk, in the place of numba's own cache.

numba reads its index and object files, which are pickles and machine code, from wherever ``NUMBA_CACHE_DIR`` leads,
whoever wrote them, and takes them as they are. Here they are read from a private folder alone, and only when they are
whole; whatever is amiss costs a `CacheWarning` and a compilation, never a result.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from infogeom.kernels.compiled.private_folder import PrivateFolder, UntrustedError

__all__ = ["CacheWarning", "KernelCache", "keep_source"]

SEAL = hashlib.sha256


class CacheWarning(UserWarning):
    """Compiled kernels cannot be kept on disk, or those kept there are damaged; they are compiled anew."""


class KernelCache(_Cache):
    """What a dispatcher asks for machine code, one index for each function and one file for each signature.

    Parameters
    ----------
    folder : PrivateFolder
        Of the kernels; index and code are in its subfolder ``__pycache__``.
    name : str
        Of the function, unlike that of any other source text, version or option.
    """

    def __init__(self, folder: PrivateFolder, name: str) -> None:
        self._folder, self._name = folder.subfolder("__pycache__"), name
        self._index = f"{name}.nbi"

    @property
    def cache_path(self) -> str:
        """Folder, for numba's statistics."""
        return str(self._folder.path)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Machine code for types of arguments; None where there is none, or none to be trusted."""
        target_context.refresh()
        name = self._names().get(_key(sig, target_context.codegen()))
        content = None if name is None else self._unsealed(name)
        if content is None:
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(content))  # type: ignore[no-untyped-call]

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep machine code for types of arguments, the code before the index that names it."""
        key = _key(sig, data.codegen)
        name = f"{self._name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.nbc"
        code: bytes = dumps(data._reduce())  # type: ignore[no-untyped-call]
        if _write(self._folder, name, _sealed(name, code)):
            index = json.dumps(self._names() | {key: name}).encode()
            _write(self._folder, self._index, _sealed(self._index, index))

    def enable(self) -> None:
        """Nothing: it is always on."""

    def disable(self) -> None:
        """Nothing: it is always on."""

    def flush(self) -> None:
        """Nothing: what is kept is named by all that it depends on."""

    def _names(self) -> dict[str, str]:
        """Files of machine code by types of arguments and processor."""
        content = self._unsealed(self._index)
        return {} if content is None else json.loads(content)

    def _unsealed(self, name: str) -> bytes | None:
        """Content of a file that is ours and whole; None where there is none, or else, with a warning."""
        sealed = _read(self._folder, name)
        if sealed is None:
            return None
        content = sealed[SEAL().digest_size :]
        if sealed == _sealed(name, content):
            return content
        _warn_of_damage(self._folder.path / name, "it is not what was written")
        try:
            self._folder.remove(name)
        except OSError as error:
            _warn_of(error, self._folder)
        return None


def keep_source(folder: PrivateFolder, name: str, text: str) -> None:
    """Put a source text beside its machine code, for who reads it: it is not read back to be run."""
    kept = _read(folder, name)
    if kept == text.encode():
        return
    if kept is not None:
        _warn_of_damage(folder.path / name, "it does not hold the source it is named after")
    _write(folder, name, text.encode())


def _read(folder: PrivateFolder, name: str) -> bytes | None:
    """Content of a file; None where there is none, and, with a warning, where it cannot or must not be read."""
    try:
        return folder.read(name)
    except FileNotFoundError:
        return None
    except OSError as error:
        _warn_of(error, folder)
        return None


def _write(folder: PrivateFolder, name: str, content: bytes) -> bool:
    """Put a file in place, or warn; whether it is there."""
    try:
        folder.write(name, content)
    except OSError as error:
        _warn_of(error, folder)
        return False
    return True


def _key(sig: Any, codegen: Any) -> str:
    return repr((sig, codegen.magic_tuple()))


def _sealed(name: str, content: bytes) -> bytes:
    """Content after its hash, which tells a file cut short, changed, or put in another's place."""
    return SEAL(name.encode() + b"\0" + content).digest() + content


def _warn_of_damage(path: Path, reason: str) -> None:
    warnings.warn(f"a damaged file of compiled kernels is removed: {path}: {reason}", CacheWarning, stacklevel=2)


def _warn_of(error: OSError, folder: PrivateFolder) -> None:
    """What is wrong with a file or folder of another's, or with the folder as a whole: once, not for each kernel."""
    top = folder.within or folder
    _warn_once(error.filename if isinstance(error, UntrustedError) else str(top.path), error.strerror or str(error))


@cache
def _warn_once(path: str, reason: str) -> None:
    warnings.warn(
        f"compiled kernels are kept in memory only: {path}: {reason}; INFOGEOM_CACHE_DIR names another folder",
        CacheWarning,
        stacklevel=2,
    )
