"""Compiled kernels on disk, in the place of numba's own cache.

numba reads its index and object files, which are pickles and machine code, from wherever ``NUMBA_CACHE_DIR`` leads,
whoever wrote them, and takes them as they are. Here they are read from a private folder alone, and only when they are
whole; whatever is amiss costs a `CacheWarning` and a compilation, never a result.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from typing import Any

from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from infogeom.kernels.compiled.private_folder import PrivateFolder
from infogeom.kernels.compiled.sealed_files import read_file, read_sealed, warn_of_damage, write_file, write_sealed

__all__ = ["KernelCache", "keep_source"]


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
        content = None if name is None else read_sealed(self._folder, name)
        if content is None:
            return None
        return CompileResult._rebuild(target_context, *pickle.loads(content))  # type: ignore[no-untyped-call]

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep machine code for types of arguments, the code before the index that names it."""
        key = _key(sig, data.codegen)
        name = f"{self._name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.nbc"
        code: bytes = dumps(data._reduce())  # type: ignore[no-untyped-call]
        if write_sealed(self._folder, name, code):
            write_sealed(self._folder, self._index, json.dumps(self._names() | {key: name}).encode())

    def enable(self) -> None:
        """Nothing: it is always on."""

    def disable(self) -> None:
        """Nothing: it is always on."""

    def flush(self) -> None:
        """Nothing: what is kept is named by all that it depends on."""

    def _names(self) -> dict[str, str]:
        """Files of machine code by types of arguments and processor."""
        content = read_sealed(self._folder, self._index)
        return {} if content is None else json.loads(content)


def keep_source(folder: PrivateFolder, name: str, text: str) -> None:
    """Put a source text beside its machine code, for who reads it: it is not read back to be run."""
    kept = read_file(folder, name)
    if kept == text.encode():
        return
    if kept is not None:
        warn_of_damage(folder.path / name, "it does not hold the source it is named after")
    write_file(folder, name, text.encode())


def _key(sig: Any, codegen: Any) -> str:
    return repr((sig, codegen.magic_tuple()))
