"""Jets of metrics that are expectations without a closed form: quadrature or summation, at many points at once.

Derivative and integral change places, and ∂∂g lacks third derivatives of the log-density, which no curvature holds: see
`infogeom.kernels.expectations.moments`. The density is never divided by, so that tails are safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sympy import Symbol

from infogeom.kernels.curvature.jet import BoundedJet
from infogeom.kernels.expectations.joint_moments import expectation_of
from infogeom.kernels.expectations.law_moments import Expectation, Found
from infogeom.kernels.expectations.moment_errors import Bounds, Frame
from infogeom.symbolic import Expectation as ExpectationForm

__all__ = ["Expectations", "expectations_of"]

Array = NDArray[np.float64]
Rows = NDArray[np.int64]  # numbers of points


class Expectations:
    """Jet of a metric that is the expectation of products of scores, of independent laws and in the mean over samples.

    Where a kink of a density moves with a parameter, derivative and integral do not change places, and there is g
    alone: ``moving`` says so.

    Parameters
    ----------
    form : infogeom.symbolic.Expectation
    x : sequence of Symbol
        Coordinates.

    Raises
    ------
    NameError
        When it is called: for a function without a float64 version.
    """

    def __init__(self, form: ExpectationForm, x: Sequence[Symbol]) -> None:
        self._data, self._weights = form.rows
        self._laws = [expectation_of(law, tuple(x), form.inputs) for law in form.laws]
        self._own = [list(map(x.index, law.coordinates)) for law in self._laws]
        self._n = len(x)
        self.moving = any(law.moving for law in self._laws)

    def jets(self, points: Array) -> BoundedJet:
        """Jets at points (m, n), each of them what it is alone."""
        total = _Total(len(points), self._n)
        parts: list[_Part] = []
        for law, own in zip(self._laws, self._own, strict=True):
            parts += self._parts(law, own, points)
        for part in parts:
            total.add(part)

        # Errors are bounded in the frame of the whole metric, so only now.
        frame = Frame(total.moments[0])
        for part in parts:
            total.add_errors(part, part.law.errors(part.found, frame.of(part.own)))
        return total.jets(frame)

    def _parts(self, law: Expectation, own: Sequence[int], points: Array) -> Iterator[_Part]:
        """What a law adds to the jets for each sample."""
        # What does not depend on the data is the same for every sample.
        data, weights = (self._data, self._weights) if law.inputs else (self._data[:1], np.ones(1))
        for row, weight in zip(data, weights, strict=True):
            yield _Part(law, own, float(weight), law(_held(law, own, points, row)))

    def outcomes(self, point: Array, number: int) -> Iterator[tuple[int, Array, Array | None]]:
        """For each law and sample: which law, the sample, and outcomes in general position where they are found."""
        for k, (law, own) in enumerate(zip(self._laws, self._own, strict=True)):
            for row in self._data[self._weights > 0]:
                (held,) = _held(law, own, point[None], row)
                yield k, row, law.rule.some(held, number)


def _held(law: Expectation, own: Sequence[int], points: Array, row: Array) -> Array:
    """Numbers for what a law holds: its coordinates, and behind them its data of a sample."""
    inputs = row[law.inputs]
    return np.column_stack([points[:, own], np.broadcast_to(inputs, (len(points), len(inputs)))])


class _Part(NamedTuple):
    """What a law adds to the jets in its own coordinates, with a weight."""

    law: Expectation
    own: Sequence[int]
    weight: float
    found: Found


class _Total:
    """Jets at points, added up."""

    def __init__(self, m: int, n: int) -> None:
        self.moments = [np.zeros((m,) + (n,) * rank) for rank in (2, 3, 4)]
        self._error, self._framed = np.zeros((m, n, n)), [np.zeros_like(moment) for moment in self.moments]
        self._known = np.full(m, 3)

    def add(self, part: _Part) -> None:
        """Add the moments of a part; where it was not found, or has no derivatives, nothing is known of its entries."""
        lost, moments = ~part.found.known, part.found.moments
        orders = len(moments)
        for order, whole in enumerate(self.moments):
            own = part.weight * (part.law.copies * moments[order]) if order < orders else np.nan
            self._add_to(whole, part.own, own, np.nan, lost)
        self._known = np.minimum(self._known, np.where(lost, 0, orders))
        self._add_to(self._error, part.own, 0.0, np.inf, lost)

    def _add_to(self, whole: Array, own: Sequence[int], value: Any, otherwise: float, lost: NDArray[np.bool_]) -> None:
        """Add a value to the entries of some coordinates, something else where it is lost."""
        rank = whole.ndim - 1
        if lost.any():
            value = np.where(lost.reshape((-1,) + (1,) * rank), otherwise, value)
        if len(own) == whole.shape[1]:
            whole += value
        else:
            whole[_entries(np.arange(len(whole)), own, rank)] += value

    def add_errors(self, part: _Part, bounds: Bounds) -> None:
        """Add bounds on the errors of a part."""
        factor, none = part.weight * part.law.copies, np.zeros(len(self._known), dtype=bool)
        self._add_to(self._error, part.own, factor * bounds.metric, 0.0, none)
        for whole, error in zip(self._framed, bounds.framed, strict=False):
            whole += factor * error

    def jets(self, frame: Frame) -> BoundedJet:
        """The jets with their errors, those of derivatives out of the frame; the point last."""
        framed, higher = [], []
        for order, error in enumerate(self._framed):
            shape = (-1,) + (1,) * (error.ndim - 1)
            known = (order < self._known).reshape(shape)
            framed.append(np.where(known & frame.regular.reshape(shape), error, np.nan))
            if order:
                higher.append(np.where(known, frame.back(error), np.inf))
        factor = np.zeros((len(self._known), self._error.shape[1] + 1))
        g, dg, ddg = (np.moveaxis(tensor, 0, -1) for tensor in self.moments)
        errors = tuple(np.moveaxis(error, 0, -1) for error in (self._error, *higher, factor))
        return BoundedJet(g, dg, ddg, errors, tuple(np.moveaxis(error, 0, -1) for error in framed))


def _entries(rows: Rows, own: Sequence[int], rank: int) -> tuple[Rows, ...]:
    """Index of the entries of some coordinates at some points."""
    index: Any = np.ix_(rows, *[np.array(own, dtype=np.int64)] * rank)
    return tuple(index)


@lru_cache(maxsize=32)
def expectations_of(form: ExpectationForm, x: tuple[Symbol, ...]) -> Expectations:
    """The expectations of a form in coordinates, kept."""
    return Expectations(form, x)
