"""Generated sources run line by line on arrays: microseconds a line, where the compiler would take minutes."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special as scipy_special

from infogeom.kernels.compiled.compile import compiled
from infogeom.kernels.compiled.library import MODULES
from infogeom.numeric.float64 import PRIMITIVES

__all__ = ["as_compiled", "special_on_arrays", "vectorised"]

Array = NDArray[np.float64]
#: Of the mathematical library, which compiled sources call; NumPy's own differ in the last bit.
FROM_MATH = (
    *("exp", "expm1", "log", "log1p", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "asinh"),
    *("atanh", "erf", "erfc", "gamma", "lgamma", "pow"),
)
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


def as_compiled(source: str) -> Callable[[Sequence[Array]], list[Array]]:
    """Function of arrays, which broadcast, that evaluates a source as compiled code does, to the last bit.

    Parameters
    ----------
    source : str
        From `infogeom.kernels.codegen.layout`, of ``point(x, rows)`` without samples.
    """
    tree = ast.fix_missing_locations(_OnArrays().visit(ast.parse(source)))
    namespace: dict[str, Any] = {"inf": np.inf, "nan": np.nan, "choose": _choose}
    namespace |= {"fabs": np.abs, "sqrt": np.sqrt, "max": np.maximum} | special_on_arrays()
    namespace |= {name: partial(_on_arrays, name) for name in FROM_MATH}
    exec(compile(tree, "<infogeom kernel>", "exec"), namespace)

    def values(x: Sequence[Array]) -> list[Array]:
        with np.errstate(all="ignore"):  # shows in the results
            return list(namespace["point"](x, ()))

    return values


class _OnArrays(ast.NodeTransformer):
    """Operations of numbers that arrays lack, as calls: values that depend on conditions, and powers."""

    def visit_IfExp(self, node: ast.IfExp) -> ast.Call:
        return self._call("choose", node.test, node.body, node.orelse)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        return self._call("pow", node.left, node.right) if isinstance(node.op, ast.Pow) else self.generic_visit(node)

    def _call(self, function: str, *arguments: ast.expr) -> ast.Call:
        return ast.Call(ast.Name(function, ast.Load()), [self.visit(a) for a in arguments], [])


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
    """The functions of `infogeom.kernels.compiled.library`, element by element, with integers as they are."""
    return {name: partial(_on_arrays, name) for module in MODULES for name in module.__all__}


def _on_arrays(name: str, *arguments: Any) -> Array:
    """Values of a function at arrays that broadcast."""
    kept = [isinstance(argument, int) for argument in arguments]
    arrays = [np.asarray(a, dtype=float) for a, whole in zip(arguments, kept, strict=True) if not whole]
    out = np.empty(np.broadcast_shapes(*(a.shape for a in arrays)))
    rows = iter([np.ascontiguousarray(np.broadcast_to(a, out.shape)).ravel() for a in arrays])
    given = [a if whole else next(rows) for a, whole in zip(arguments, kept, strict=True)]
    _loop(name, tuple(kept))(*given, out.ravel())
    return out


@cache
def _loop(name: str, kept: tuple[bool, ...]) -> Callable[..., Any]:
    """Compiled loop over arrays of arguments, but for integers, which fills another array."""
    names = [f"a{k}" for k in range(len(kept))]
    terms = [a if whole else f"{a}[i]" for a, whole in zip(names, kept, strict=True)]
    call = f"{name}({', '.join(terms)})"
    source = f"def on_arrays({', '.join(names)}, out):\n    for i in range(len(out)):\n        out[i] = {call}\n"
    return compiled(source)["on_arrays"]
