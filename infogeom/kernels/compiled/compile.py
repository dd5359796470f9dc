"""From source to compiled functions, by way of a file named by the hash of all that the machine code depends on."""

from __future__ import annotations

import hashlib
import inspect
import os
import platform
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import llvmlite
import numba
import numpy as np
import platformdirs

from infogeom.kernels.compiled.jit import FUSED, OPTIONS, REORDERED
from infogeom.kernels.compiled.kernel_cache import KernelCache, keep_source
from infogeom.kernels.compiled.library import MODULES
from infogeom.kernels.compiled.private_folder import PrivateFolder
from infogeom.kernels.compiled.sealed_files import CacheWarning

__all__ = ["CacheWarning", "cache_directory", "compiled", "compiled_module", "interpreted", "is_kept"]

Functions = dict[str, Callable[..., Any]]

#: Opens every generated module; those of `infogeom.kernels.compiled.library` follow that a kernel calls for.
HEADER = """\
from math import acos, asin, asinh, atan, atanh, cos, cosh, erf, erfc, exp, expm1, fabs, gamma, inf, lgamma, log, log1p
from math import nan, pow, sin, sinh, sqrt, tan, tanh

from numpy import empty

from infogeom.kernels.compiled.jit import fma

"""


def cache_directory() -> Path:
    """Folder of generated sources, compiled kernels and counts: ``INFOGEOM_CACHE_DIR`` or the user's cache folder."""
    override = os.environ.get("INFOGEOM_CACHE_DIR")
    return Path(override).expanduser() if override else Path(platformdirs.user_cache_dir("infogeom")) / "kernels"


@lru_cache(maxsize=512)
def compiled(source: str, *, contract: bool = False) -> Functions:
    """Compile every function of a generated source, with its machine code cached on disk.

    Parameters
    ----------
    source : str
        From `infogeom.kernels.codegen.program`.
    contract : bool
        Whether products and sums may be fused, see `infogeom.kernels.compiled.jit`.

    Returns
    -------
    dict of str to callable
        Numba functions that release the GIL. Where the cache folder cannot be used, or what is in it is damaged or
        may be another user's, they are compiled in memory, after a `CacheWarning` with the path.
    """
    return _compiled(_whole(source), FUSED if contract else OPTIONS)


def is_kept(source: str, function: str) -> bool:
    """Whether there is machine code on disk for a function of a source, compiled without `contract`."""
    return (cache_directory() / "__pycache__" / f"{_name(_whole(source), OPTIONS)}.{function}.nbi").exists()


def _compiled(text: str, options: Mapping[str, Any]) -> Functions:
    name, folder = _name(text, options), PrivateFolder(cache_directory().absolute())
    keep_source(folder, f"{name}.py", text)
    module = _executed(name, text, str(folder.path / f"{name}.py"))
    sys.modules[name] = module  # numba looks a cached function's module up by its name
    functions = {}
    for called, function in _functions(module).items():
        dispatcher: Any = numba.njit(**options)(function)
        dispatcher._cache = KernelCache(folder, f"{name}.{called}")
        functions[called] = dispatcher
    module.__dict__.update(functions)
    return functions


def interpreted(source: str) -> Functions:
    """Return the same functions as plain Python, for debugging."""
    module = _executed("infogeom_kernel", _whole(source), "<infogeom kernel>")
    module.__dict__["fma"] = lambda a, b, c: a * b + c
    return _functions(module)


def _whole(source: str) -> str:
    """Generated source with its imports, and with the modules of the library that it calls."""
    text = HEADER
    for module in MODULES:
        if re.search(rf"\b(?:{'|'.join(module.__all__)})\(", source):
            text += inspect.getsource(module).partition("annotations\n")[2]
    return text + source


@cache
def compiled_module(*modules: ModuleType, contract: bool = False, summed: bool = False) -> Functions:
    """Compile the functions of modules that are plain Python, from their own source texts as one.

    What a later one imports from an earlier one is there already. Where they are ``summed`` the order of sums is the
    compiler's.
    """
    text = inspect.getsource(modules[0])
    earlier = "|".join(re.escape(module.__name__) for module in modules)
    for module in modules[1:]:
        body = inspect.getsource(module).partition("annotations\n")[2]
        text += re.sub(rf"^from (?:{earlier}) import .*\n", "", body, flags=re.MULTILINE)
    return _compiled(text, REORDERED if summed else FUSED if contract else OPTIONS)


def _functions(module: ModuleType) -> Functions:
    """What a module defines, and does not import."""
    names = vars(module)
    return {name: f for name, f in names.items() if isinstance(f, FunctionType) and f.__globals__ is names}


def _executed(name: str, text: str, filename: str) -> ModuleType:
    module = ModuleType(name)
    exec(compile(text, filename, "exec"), module.__dict__)
    return module


def _name(text: str, options: Mapping[str, Any]) -> str:
    """Name of a module, by the hash of all that its machine code depends on, and of how it is kept."""
    versions = [numba.__version__, llvmlite.__version__, np.__version__, platform.python_version()]
    key = "\n".join([text, *versions, getattr(sys, "abiflags", ""), repr(options), "sealed files"])
    return f"infogeom_kernel_{hashlib.sha256(key.encode()).hexdigest()[:24]}"
