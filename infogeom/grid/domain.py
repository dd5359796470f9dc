"""Which points lie inside a domain: by ranges, and by joint conditions, told by balls where float64 cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from sympy import Expr, Interval, Symbol

from infogeom.kernels.balls.enclosures import BITS, Balls
from infogeom.kernels.codegen.program import Axes, UnsupportedFunctionError, exact_source
from infogeom.kernels.codegen.rounding import rounding
from infogeom.kernels.points import work_of
from infogeom.models.parameter import Parameter
from infogeom.numeric.float64 import in_float64
from infogeom.symbolic import Metric

__all__ = ["admissible", "check_any_inside", "conditions", "inside_each"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
#: Bits in which what cannot be told from 0 counts as 0.
BITS_OF_CONDITIONS = 2**13
EPS = float(np.finfo(float).eps)
#: Where the jet of a metric stands in the balls of a condition.
NO_JET = dict.fromkeys(("g", "dg", "ddg"), np.empty(0, dtype=np.int64))


def inside_each(metric: Metric, values: Sequence[Array]) -> list[Flags]:
    """Which values of each coordinate, at least one, lie in its range."""
    return [_inside(domain, np.atleast_1d(along)) for domain, along in zip(metric.domains, values, strict=True)]


def _inside(domain: Interval, values: Array) -> Flags:
    low, high = float(domain.start), float(domain.end)
    above = values > low if domain.left_open else values >= low
    below = values < high if domain.right_open else values <= high
    return above & below


@cache
def admissible(domain: Interval) -> float:
    """Some value inside a domain."""
    return float(Parameter("inside", domain).typical[0])


def check_any_inside(metric: Metric, inside: Sequence[Flags]) -> None:
    """Raise unless there is a point inside, by what is known along each axis or of each point."""
    if all(one.any() for one in inside):
        return
    told = [f"{name} in {domain}" for name, domain in zip(metric.names, metric.domains, strict=True)]
    told += [f"{constraint} > 0" for constraint in metric.constraints]
    raise ValueError(f"no point lies inside the domain ({', '.join(told)})")


@lru_cache(maxsize=256)
def conditions(metric: Metric) -> tuple[Callable[..., Flags], ...]:
    """Functions of the coordinates, which broadcast, that say where each constraint of a metric is positive.

    What depends on the data has to be so for every sample; nan is not. What the form of the metric says beside
    constraints comes last.
    """
    found = [_condition(metric, constraint) for constraint in metric.constraints]
    if work_of(metric).judges:
        found.append(partial(_admitted, metric))
    return tuple(found)


def _admitted(metric: Metric, *at: Array) -> Flags:
    """Where the form of a metric may have a value."""
    spread = np.broadcast_arrays(*at)
    points = np.stack([c.ravel() for c in spread], axis=1)
    return work_of(metric).admits(points).reshape(spread[0].shape)


def _condition(metric: Metric, constraint: Expr) -> Callable[..., Flags]:
    arguments: tuple[Symbol, ...] = tuple(metric.coordinates)
    rows = np.empty((1, 0))
    if metric.samples and constraint.free_symbols & {*metric.samples.symbols}:
        arguments += tuple(metric.samples.symbols)
        rows = np.unique(metric.samples.data, axis=0)
    majorant, count = rounding(constraint)
    evaluate = in_float64(arguments, [constraint, majorant * count * EPS])

    def holds(*at: Array) -> Flags:
        at = tuple(np.broadcast_arrays(*at))
        result = np.ones(at[0].shape, dtype=bool)
        for row in rows:
            value, error = evaluate(*at, *row)
            inside = value > 0
            # What rounding might have given its sign is looked at in balls.
            for where in map(tuple, np.argwhere((np.abs(value) <= error) & result)):
                point = [float(c[where]) for c in at]
                inside[where] = _is_positive(constraint, arguments, tuple(point + row.tolist()))
            result &= inside
        return result

    return holds


def _is_positive(constraint: Expr, arguments: tuple[Symbol, ...], at: Sequence[float]) -> bool:
    """Whether balls see a constraint positive at a point."""
    balls, bits = _balls(constraint, arguments), BITS
    while balls and bits <= BITS_OF_CONDITIONS:
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
    return Balls(source, NO_JET | dict(at), len(arguments), np.empty((0, 0)))
