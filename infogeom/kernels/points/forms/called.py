"""Metrics that are a user's function: what it does not give of the derivatives is found by differences.

Central differences with steps that shrink are extrapolated to step 0 (Ridders, Adv. Eng. Softw. 4 (1982) 75): of each
component stays the extrapolation with the least error.  That error is how far it agrees with those beside it, and how
far the plain differences of all smaller steps lie from it beyond what their roundings and their steps explain: steps
too wide to see what a metric does would agree with each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.curvature.jet import BoundedJet
from infogeom.kernels.curvature.tensor_errors import SINGLE
from infogeom.kernels.points.pointwise import Pointwise
from infogeom.kernels.points.work import jets_of, way_of
from infogeom.numeric.float64 import in_float64
from infogeom.symbolic import Called, Metric

Array = NDArray[np.float64]
#: The first step, relative to a coordinate that is not 0.
FIRST_STEP = 0.11
#: How each step follows from that before: no power of it is one of 2, for what repeats would hide from such steps.
RATIO = 0.6
#: Steps in all: the last is a millionth of the coordinate.
STEPS = 24
#: Terms of the power series in the step, of which there are even powers alone, that an extrapolation takes away.
TERMS = 8
#: How much more than two extrapolations differ by the better of them may err.
SAFETY = 4.0
#: How many times the rounding of the last difference of an extrapolation shows in it, at most: 3.2.
AMPLIFIED = 4.0
PARTS = ("g", "dg", "ddg")


@way_of(Called)
class _Called(Pointwise):
    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        ends = [(float(domain.start), float(domain.end)) for domain in metric.domains]
        self._low, self._high = np.array(ends).T
        self._conditions = in_float64(metric.coordinates, list(metric.constraints))

    def jets(self, points: Array, order: int) -> BoundedJet:
        return jets_of([self._jet(point, order) for point in points], self.n, order)

    def _jet(self, point: Array, order: int) -> list[tuple[Array, Array]]:
        """g, ∂g and ∂∂g up to an order, each with bounds on its errors, in units of which `SINGLE` are taken."""
        given = self._given(point)
        scale, accuracy = _scale(given[0]), self.form.accuracy
        found = [(given[0], accuracy * scale)]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # shows in the values
            if order > 0:
                found.append(self._derivative(point, given, scale))
            if order > 1:
                found.append(self._second(point, given, scale))
        return [(value, error / SINGLE) for value, error in found]

    def _given(self, point: Array) -> list[Array]:
        """What the function returns at a point, checked; nan where the metric has no value."""
        returned = self._returned(point)
        parts = returned if isinstance(returned, tuple) else (returned,)
        if not 1 <= len(parts) <= 3:
            raise ValueError(f"function must return g, (g, dg) or (g, dg, ddg), got {len(parts)} arrays")
        arrays = [_real(name, part) for name, part in zip(PARTS, parts, strict=False)]
        for name, array, rank in zip(PARTS, arrays, (2, 3, 4), strict=False):
            if array.shape != (self.n,) * rank:
                raise ValueError(f"function must return {name} of shape {(self.n,) * rank}, got {array.shape}")
            off = np.abs(array - array.swapaxes(0, 1)).max()
            if off > 4 * self.form.accuracy * np.abs(array).max():
                raise ValueError(f"function must return {name} symmetric in i and j, got {array.tolist()} at {point}")
        return arrays

    def _returned(self, point: Array) -> Any:
        """What the function returns; nan where it has no value."""
        with suppress(ArithmeticError, ValueError):
            if all(value > 0 for value in self._conditions(*point)):
                return self.form.function(*map(float, point))
        return tuple(np.full((self.n,) * rank, np.nan) for rank in (2, 3, 4))

    def _steps(self, point: Array) -> Array:
        """Steps of each coordinate, shape (STEPS, n), inside the domain on both sides; nan where there is none.

        Each is what it is after rounding: both its ends are float64 numbers, as far from the point.
        """
        size = np.abs(point)
        room = np.minimum(point - self._low, self._high - point) / 2
        first = np.minimum(FIRST_STEP * np.where(point == 0, 1.0, size), room)
        steps = (size + first * RATIO ** np.arange(STEPS)[:, None]) - size
        inside = (point - steps > self._low) & (point + steps < self._high)
        return np.asarray(np.where(inside & (steps > 0), steps, np.nan))

    def _derivative(self, point: Array, given: Sequence[Array], scale: Array) -> tuple[Array, Array]:
        """∂g as it is given, or by differences of g."""
        if len(given) > 1:
            rate = _rate(given[1], scale)
            return given[1], self.form.accuracy * scale[..., None] * rate
        return self._differences(point, 0, self.form.accuracy * scale)

    def _second(self, point: Array, given: Sequence[Array], scale: Array) -> tuple[Array, Array]:
        """∂∂g as it is given, by differences of ∂g, or by second differences of g."""
        if len(given) > 2:
            rate = _rate(given[2], scale)
            return given[2], self.form.accuracy * scale[..., None, None] * rate
        if len(given) > 1:
            off = self.form.accuracy * scale[..., None] * _rate(given[1], scale)
            value, error = self._differences(point, 1, off)
            return (value + value.swapaxes(2, 3)) / 2, np.maximum(error, error.swapaxes(2, 3))
        return self._second_differences(point, given[0], self.form.accuracy * scale)

    def _differences(self, point: Array, part: int, off: Array) -> tuple[Array, Array]:
        """First derivatives of a part of what the function returns, the coordinate last."""
        steps, columns = self._steps(point), []
        for k, one in enumerate(np.eye(self.n)):
            plain = np.full((STEPS, *off.shape), np.nan)
            for level, h in enumerate(steps[:, k]):
                if h > 0:
                    ahead, behind = self._given(point + h * one)[part], self._given(point - h * one)[part]
                    plain[level] = (ahead - behind) / (2 * h)
            columns.append(_extrapolated(plain, np.divide.outer(off, steps[:, k]), steps[:, k]))
        return np.stack([v for v, _ in columns], axis=-1), np.stack([e for _, e in columns], axis=-1)

    def _second_differences(self, point: Array, middle: Array, off: Array) -> tuple[Array, Array]:
        """∂∂g by second differences of g: along each coordinate, then across each pair, for these are symmetric."""
        n, steps = self.n, self._steps(point)
        value, error = np.empty((n,) * 4), np.empty((n,) * 4)

        def g(level: int, *signs: tuple[int, int]) -> Array:
            beside = point.copy()
            for k, sign in signs:
                beside[k] += sign * steps[level, k]
            return self._given(beside)[0]

        for k, l in combinations_with_replacement(range(n), 2):
            area = steps[:, k] * steps[:, l]
            plain = np.full((STEPS, n, n), np.nan)
            for level in map(int, np.flatnonzero(area > 0)):
                if k == l:
                    second = g(level, (k, 1)) - 2 * middle + g(level, (k, -1))
                else:
                    same = g(level, (k, 1), (l, 1)) + g(level, (k, -1), (l, -1))
                    second = (same - g(level, (k, 1), (l, -1)) - g(level, (k, -1), (l, 1))) / 4
                plain[level] = second / area[level]
            roundings = 4.0 if k == l else 1.0
            found = _extrapolated(plain, roundings * np.divide.outer(off, area), steps[:, k])
            value[..., k, l], error[..., k, l] = value[..., l, k], error[..., l, k] = found
        return value, error


def _real(name: str, part: Any) -> Array:
    """An array of its own, of real numbers."""
    try:
        array = np.array(part)
        if array.dtype.kind in "biufO":
            return array.astype(float)
    except (TypeError, ValueError):  # ragged, or objects that are no numbers
        pass
    raise TypeError(f"function must return {name} as real numbers, got {part!r}")


def _scale(g: Array) -> Array:
    """What entries of a metric are measured by: √|g_ii g_jj|, or |g_ij| where that is more."""
    root, size = np.sqrt(np.abs(np.diag(g))), np.abs(g)
    beyond = np.where(size > np.outer(root, root), size, 0.0)
    root = np.maximum(root, np.sqrt(beyond.max(1)))
    return np.outer(root, root)


def _rate(derivative: Array, scale: Array) -> Array:
    """The fastest that an entry changes, relative to its scale."""
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.abs(derivative) / scale.reshape(*scale.shape, *(1,) * (derivative.ndim - 2))
    return np.asarray(np.nan_to_num(relative, posinf=0.0).max((0, 1)))


def _extrapolated(plain: Array, off: Array, steps: Array) -> tuple[Array, Array]:
    """Limit of differences that are even in their step, and its error, for each component on its own.

    Parameters
    ----------
    plain : ndarray, shape (STEPS, …)
        Differences; nan where there is none.
    off : ndarray, shape (…, STEPS)
        What rounding of the function does to each.
    steps : ndarray, shape (STEPS,)
    """
    off = np.moveaxis(off, -1, 0)
    column = (-1,) + (1,) * (plain.ndim - 1)

    # Each column takes one more power of the step from the rows above it.
    table = np.full((STEPS, TERMS + 1, *plain.shape[1:]), np.nan)
    error = np.full_like(table, np.nan)
    table[:, 0] = plain
    for k in range(1, TERMS + 1):
        above, here = table[k - 1 : -1, k - 1], table[k:, k - 1]
        narrowed = (steps[:-k] / steps[k:]) ** 2 - 1
        table[k:, k] = here + (here - above) / narrowed.reshape(column)
        differ = np.maximum(np.abs(table[k:, k] - here), np.abs(table[k:, k] - above))
        error[k:, k] = SAFETY * differ + AMPLIFIED * off[k:]

    # A difference errs by its rounding, and by what the square of its step is of a wider one's.
    for finer in range(1, STEPS):
        truncated = np.abs(plain[:finer, None] - table[:finer])
        share = (steps[finer] / steps[:finer]) ** 2
        allowed = off[finer] + truncated * share.reshape(-1, 1, *column[1:])
        error[:finer] = np.fmax(error[:finer], np.abs(plain[finer] - table[:finer]) - allowed)

    candidates = np.where(np.isfinite(error) & np.isfinite(table), error, np.inf)
    candidates[:, 0] = np.inf
    flat = candidates.reshape(-1, *plain.shape[1:])
    best = np.expand_dims(flat.argmin(0), 0)
    value = np.take_along_axis(table.reshape(flat.shape), best, 0)[0]
    return value, np.take_along_axis(flat, best, 0)[0]
