"""Which points lie inside a domain: by ranges, and by joint conditions, told by balls where float64 cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Interval, Symbol

from infogeom.kernels.balls.enclosures import BITS, Balls
from infogeom.kernels.codegen.program import Axes, UnsupportedFunctionError, exact_source
from infogeom.kernels.codegen.rounding import rounding
from infogeom.models.parameter import Parameter
from infogeom.numeric.float64 import in_float64
from infogeom.symbolic import Metric

__all__ = ["admissible", "check_any_inside", "conditions", "inside_of"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
#: Bits in which what cannot be told from 0 counts as 0.
MOST_BITS = 2**13
EPS = float(np.finfo(float).eps)
NOWHERE = np.empty(0, dtype=np.int64)


def inside_of(domain: Interval, values: Array) -> NDArray[np.bool_]:
    """Which values lie in the range of a coordinate."""
    low, high = float(domain.start), float(domain.end)
    above = values > low if domain.left_open else values >= low
    return above & (values < high if domain.right_open else values <= high)


@cache
def admissible(domain: Interval) -> float:
    """Some value inside a domain."""
    return float(Parameter("inside", domain).typical[0])


def check_any_inside(metric: Metric, inside: Sequence[NDArray[np.bool_]]) -> None:
    """Raise unless there is a point inside, by what is known along each axis or of each point."""
    if all(one.any() for one in inside):
        return
    domains = ", ".join(f"{name} in {domain}" for name, domain in zip(metric.names, metric.domains, strict=True))
    domains += "".join(f", {c} > 0" for c in metric.constraints)
    raise ValueError(f"no point lies inside the domain ({domains})")


@lru_cache(maxsize=256)
def conditions(metric: Metric) -> tuple[Callable[..., Flags], ...]:
    """Functions of the coordinates, which broadcast, that say where each constraint of a metric is positive.

    What depends on the data has to be so for every sample; nan is not.
    """
    return tuple(_condition(metric, constraint) for constraint in metric.constraints)


def _condition(metric: Metric, constraint: Expr) -> Callable[..., Flags]:
    samples = metric.samples if metric.samples and constraint.free_symbols & {*metric.samples.symbols} else None
    symbols, rows = (samples.symbols, np.unique(samples.data, axis=0)) if samples else ((), np.empty((1, 0)))
    arguments = (*metric.coordinates, *symbols)
    majorant, count = rounding(constraint)
    evaluate = in_float64(arguments, [constraint, majorant * count * EPS])

    def holds(*at: Array) -> Flags:
        at = tuple(np.broadcast_arrays(*at))
        result = np.ones(at[0].shape, dtype=bool)
        for row in rows:
            value, error = evaluate(*at, *row)
            inside = value > 0
            for where in np.argwhere((np.abs(value) <= error) & result):
                point = tuple(float(c[tuple(where)]) for c in at)
                inside[tuple(where)] = _is_positive(constraint, arguments, (*point, *map(float, row)))
            result &= inside
        return result

    return holds


def _is_positive(constraint: Expr, arguments: tuple[Symbol, ...], at: Sequence[float]) -> bool:
    """Whether balls see a constraint positive at a point."""
    balls, bits = _balls(constraint, arguments), BITS
    while balls and bits <= MOST_BITS:
        value = balls.enclose(at, ("condition",), bits).values["condition"].item()
        if value > 0 or value < 0 or value.is_zero():
            return bool(value > 0)
        bits *= 2
    return False


@lru_cache(maxsize=256)
def _balls(constraint: Expr, arguments: tuple[Symbol, ...]) -> Balls | None:
    """A constraint in ball arithmetic; None where one of its functions has no such version."""
    try:
        source, at = exact_source({"condition": [constraint]}, Axes((), arguments))
    except UnsupportedFunctionError:
        return None
    return Balls(source, {"g": NOWHERE, "dg": NOWHERE, "ddg": NOWHERE, **at}, len(arguments), np.empty((0, 0)))
