"""Quantities of one's own in a record: their names, what identifies their functions, and the numbers these give."""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import reduce
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from infogeom.network.mlp import MLP

__all__ = ["Measure", "Measures", "checked_measures", "functions", "identity", "measured"]

#: From network, inputs (N, d) and targets (N, O) to a number.
Measure: TypeAlias = Callable[[MLP, NDArray[Any], NDArray[np.float64]], float]
#: Functions by the names of what they give.
Measures: TypeAlias = Mapping[str, Measure] | Sequence[tuple[str, Measure]]


def checked_measures(measure: Measures, taken: Collection[str]) -> tuple[tuple[str, Measure], ...]:
    """Names and functions, or an error that names what is wrong with them."""
    try:
        pairs = functions(measure)
    except (TypeError, ValueError):
        raise TypeError(f"measure must map names to functions, got {measure!r}") from None
    for name, function in pairs.items():
        if not (isinstance(name, str) and name.isidentifier()):
            raise ValueError(f"measure must have names that are identifiers, got {name!r}")
        if name in taken:
            raise ValueError(f"measure must have names of its own, got {name!r}, which every record may hold")
        if not callable(function):
            raise TypeError(f"measure {name!r} must be a function, got {function!r}")
        if not _is_identified(function):
            raise ValueError(
                f"measure {name!r} must be a function of a module, whose name identifies it when a run goes on, and no "
                f"lambda, local or bound one, got {function!r}"
            )
    return tuple(pairs.items())


def functions(measure: Measures) -> dict[str, Measure]:
    """Functions by name."""
    return dict(measure)


def identity(function: Measure) -> str:
    """Module and qualified name."""
    return f"{function.__module__}.{function.__qualname__}"


def _is_identified(function: Measure) -> bool:
    """Whether module and qualified name belong to this function alone, as far as the module can say."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not (isinstance(module, str) and isinstance(name, str)) or "<" in name:
        return False
    try:
        return bool(reduce(getattr, name.split("."), cast(Any, sys.modules[module])) == function)
    except (AttributeError, KeyError):
        return True  # of a module that holds nothing, as that of a docstring


def measured(name: str, function: Measure, net: MLP, x: NDArray[Any], y: NDArray[np.float64]) -> float:
    """The number that a function gives, for copies of inputs and targets; errors name the quantity."""
    try:
        value = function(net, x.copy(), y.copy())
    except OverflowError as error:  # else taken for that of a run that diverges
        raise ArithmeticError(f"measure {name!r}: {error}") from error
    except (Exception, SystemExit) as error:
        error.add_note(f"in measure {name!r}")
        raise

    # Whatever NumPy takes for one real number.
    try:
        number = np.asarray(value)
    except (TypeError, ValueError):
        number = np.empty(0)
    if number.shape or number.dtype.kind not in "biuf":
        raise TypeError(f"measure {name!r} must give one real number, got {reprlib.repr(value)}")
    found = float(number)
    if not np.isfinite(found):
        raise ValueError(f"measure {name!r} must give a finite number, got {found}")
    return found
