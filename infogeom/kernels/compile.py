"""From source to compiled functions, by way of a file named by the hash of all that the machine code depends on."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import platform
import re
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np
import platformdirs

from infogeom.files import write_atomically
from infogeom.kernels import special
from infogeom.kernels.jit import OPTIONS

__all__ = ["CacheWarning", "cache_directory", "compiled", "compiled_module", "interpreted"]

Functions = dict[str, Callable[..., Any]]

#: Opens every generated module; `special` follows where a kernel calls for it.
HEADER = """\
from math import acos, asin, asinh, atan, atanh, cos, cosh, erf, erfc, exp, fabs, gamma, inf, lgamma, log, log1p, nan
from math import sin, sinh, sqrt, tan, tanh

from numpy import empty

"""


class CacheWarning(UserWarning):
    """Compiled kernels cannot be kept on disk; they are compiled anew by each process."""


def cache_directory() -> Path:
    """Folder of generated sources and compiled kernels: ``INFOGEOM_CACHE_DIR`` or the user's cache folder."""
    override = os.environ.get("INFOGEOM_CACHE_DIR")
    return Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("infogeom")) / "kernels"


@lru_cache(maxsize=512)
def compiled(source: str) -> Functions:
    """Compile every function of a generated source, with its machine code cached on disk.

    Parameters
    ----------
    source : str
        From `infogeom.kernels.codegen`.

    Returns
    -------
    dict of str to callable
        Numba functions that release the GIL. Where the cache folder cannot be used they live in memory, after one
        `CacheWarning`.
    """
    text = _whole(source)
    module, cached = _module(text)
    options = {**OPTIONS, "cache": cached}
    functions = {name: numba.njit(**options)(f) for name, f in _functions(module, text).items()}
    module.__dict__.update(functions)
    return functions


def interpreted(source: str) -> Functions:
    """Return the same functions as plain Python, for debugging."""
    return _functions(_executed(_whole(source), "<infogeom kernel>"), source)


def _whole(source: str) -> str:
    """Source with its imports; the text of a module has its own."""
    if source.startswith('"""'):
        return source
    called = re.search(rf"\b(?:{'|'.join(special.__all__)})\(", source)
    return HEADER + (inspect.getsource(special).partition("annotations\n")[2] if called else "") + source


@lru_cache(maxsize=8)
def compiled_module(module: ModuleType) -> Functions:
    """Compile the functions of a module that is plain Python, from its own source text."""
    return compiled(inspect.getsource(module))


def _functions(module: ModuleType, source: str) -> Functions:
    names = [line[4 : line.index("(")] for line in source.splitlines() if line.startswith("def ")]
    return {name: getattr(module, name) for name in names}


def _executed(text: str, filename: str) -> ModuleType:
    module = ModuleType("infogeom_kernel")
    exec(compile(text, filename, "exec"), module.__dict__)
    return module


def _module(text: str) -> tuple[ModuleType, bool]:
    """Module of a source text, and whether it lives in a file of the cache."""
    key = "\n".join(
        [text, numba.__version__, llvmlite.__version__, np.__version__, platform.python_version(), repr(OPTIONS)]
    )
    name = f"infogeom_kernel_{hashlib.sha256(key.encode()).hexdigest()[:24]}"
    folder = _private(cache_directory())
    if folder is None:
        return _executed(text, f"<infogeom {name}>"), False
    path = folder / f"{name}.py"
    if not path.exists():
        write_atomically(path, lambda file: file.write(text.encode()))
    if path.read_bytes() != text.encode():
        _warn(path, "it does not hold the source it is named after")
        return _executed(text, f"<infogeom {name}>"), False
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # numba looks a cached function's module up by its name
    spec.loader.exec_module(module)
    return module, True


@cache
def _private(folder: Path) -> Path | None:
    """The folder, made with mode 0700, if it is ours alone and can be written to; else None, with one warning."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
            _warn(folder, "others may write to it, and code from it would be run")
            return None
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        _warn(folder, error.strerror or str(error))
        return None


def _warn(path: Path, reason: str) -> None:
    warnings.warn(
        f"compiled kernels are kept in memory only: {path}: {reason}; INFOGEOM_CACHE_DIR names another folder",
        CacheWarning,
        stacklevel=2,
    )
