"""Generated sources run line by line on arrays: microseconds a line, where the compiler would take minutes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special as scipy_special

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.compiled.library import MODULES
from infogeom.numeric.float64 import PRIMITIVES

__all__ = ["special_on_arrays", "vectorised"]

Array = NDArray[np.float64]
#: What sources call for constants.
NUMBERS = {"pi": np.pi, "e": np.e, "euler": np.euler_gamma, "catalan": 0.915965594177219}


@lru_cache(maxsize=64)
def vectorised(source: str) -> Callable[[list[Array]], list[Array]]:
    """Function of arrays of coordinates, which broadcast, that evaluates a source written for exact arithmetic.

    Parameters
    ----------
    source : str
        From `infogeom.kernels.codegen.program`, of ``point(x, rows)`` without samples.
    """
    namespace: dict[str, Any] = {**_functions()}
    exec(compile(source, "<infogeom kernel>", "exec"), namespace)

    def values(x: list[Array]) -> list[Array]:
        # What is beyond float64 shows in the results, as it does in compiled code.
        with np.errstate(over="ignore", divide="ignore", invalid="ignore", under="ignore"):
            return list(namespace["point"](x, ()))

    return values


@cache
def _functions() -> dict[str, Callable[..., Any]]:
    """The functions and constants that exact sources call, on arrays."""
    functions: dict[str, Callable[..., Any]] = {}
    for name in ("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sqrt", "fabs", "sign"):
        functions[name] = getattr(np, name)
    for name in ("sin", "cos", "tan", "sinh", "tanh"):
        functions[f"a{name}"] = getattr(np, f"arc{name}")
    functions |= {"erf": scipy_special.erf, "erfc": scipy_special.erfc, "zeta": scipy_special.zeta}
    functions |= {"gamma": scipy_special.gamma, "lgamma": scipy_special.gammaln, "ratio": operator.truediv}
    for name, number in NUMBERS.items():
        functions[name] = partial(float, number)
    functions |= {"less": np.less, "at_most": np.less_equal, "equal": np.equal, "unequal": np.not_equal}
    functions |= {"both": np.logical_and, "either": np.logical_or, "choose": _choose}
    return functions | dict(PRIMITIVES) | special_on_arrays()


def _choose(truth: Any, value: Any, otherwise: Any = np.nan) -> Array:
    return np.asarray(np.where(truth, value, otherwise))


@cache
def special_on_arrays() -> dict[str, Callable[..., Any]]:
    """The functions of `infogeom.kernels.compiled.library`, element by element."""
    found: dict[str, Callable[..., Any]] = {}
    for module in MODULES:
        compiled = compiled_module(module)
        found |= {name: np.vectorize(compiled[name], otypes=[float]) for name in module.__all__}
    return found
