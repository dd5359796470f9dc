"""Bounds on the errors of g, ∂g and ∂∂g as sums over nodes, from those of the derivatives of ℓ and of the weights.

The moments are means of products, see `infogeom.kernels.expectations.moments`: every factor errs in turn, to first
order, and nothing cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.curvature.loops import TINY
from infogeom.kernels.expectations.moments import embedded, places, symmetrised

__all__ = ["Bounds", "Frame", "Uncertain", "moment_errors", "unpacked"]

Array = NDArray[np.float64]


class Uncertain(NamedTuple):
    """Numbers at nodes, positive, and bounds on their errors, shape (m, components, nodes)."""

    size: Array
    error: Array

    def summed(self, other: Uncertain, weights: Uncertain) -> Array:
        """Error of the sums over all nodes of weighted products of one's components with the other's."""
        own = self.error * weights.size + self.size * weights.error
        return own @ other.size.swapaxes(1, 2) + (self.size * weights.size) @ other.error.swapaxes(1, 2)


def _rows(tensor: Array) -> Array:
    """All components in a row."""
    m, *components, nodes = tensor.shape
    return tensor.reshape(m, prod(components), nodes)


def unpacked(vectors: Array, n: int) -> tuple[Array, ...]:
    """Arrays s[i] and a[i, j], if there are any, from vectors (m, d, nodes)."""
    s = vectors[:, :n]
    return (s,) if vectors.shape[1] == n else (s, vectors[:, n + places(n, 2)])


class Frame:
    """Frames E with Eᵀ g E = 1 at points; where there is none, the coordinates, each in its own unit.

    Attributes
    ----------
    regular : ndarray of bool, shape (m,)
        Where there is one.
    E : ndarray, shape (m, n, n)
    """

    def __init__(self, g: Array) -> None:
        root = np.sqrt(np.maximum(np.nan_to_num(np.diagonal(g, axis1=1, axis2=2)), TINY))
        unit = np.eye(g.shape[-1])
        with np.errstate(all="ignore"):  # shows in what is not finite
            scaled = np.nan_to_num(g / root[:, None, :] / root[:, :, None])
            L = _factors(scaled)
            inverse = np.linalg.inv(np.where(np.isfinite(L), L, unit))
        finite = [np.isfinite(a).all(axis=(1, 2)) for a in (L, inverse, g)]
        self.regular = np.logical_and.reduce(finite)
        chosen = self.regular[:, None, None]
        self.E = np.where(chosen, inverse, unit).swapaxes(1, 2) / root[:, :, None]
        self._F = np.where(chosen, L, unit).swapaxes(1, 2) * root[:, None, :]

    def of(self, own: Sequence[int]) -> Frame:
        """Frames for tensors that have only the coordinates ``own``."""
        part = copy(self)
        part.E = self.E[:, own]
        return part

    def at(self, rows: NDArray[np.int64]) -> Frame:
        """Those of some points."""
        part = copy(self)
        part.regular, part.E, part._F = self.regular[rows], self.E[rows], self._F[rows]
        return part

    def turned(self, value: Array, error: Array) -> Uncertain:
        """Numbers at nodes in the frame, and bounds on their errors."""
        indices = value.ndim - 2
        size = np.abs(_contracted(value, self.E, indices))
        return Uncertain(_rows(size), _rows(_contracted(error, np.abs(self.E), indices)))

    def bound(self, error: Array) -> Array:
        """Bound in the frame on an error in coordinates."""
        return _contracted(error[..., None], np.abs(self.E), error.ndim - 1)[..., 0]

    def back(self, error: Array) -> Array:
        """Bound in coordinates on an error in the frame."""
        return _contracted(error[..., None], np.abs(self._F), error.ndim - 1)[..., 0]


def _factors(g: Array) -> Array:
    """Cholesky's factors; nan where there is none."""
    try:
        return np.asarray(np.linalg.cholesky(g))
    except np.linalg.LinAlgError:  # of one of them
        return (
            np.full_like(g, np.nan) if len(g) == 1 else np.concatenate([_factors(one) for one in np.split(g, len(g))])
        )


class Bounds(NamedTuple):
    """Bounds on the error of g in coordinates, and on those of g, ∂g and ∂∂g in a frame."""

    metric: Array
    framed: tuple[Array, ...]

    def plus(self, change: Sequence[Array], frame: Frame) -> Bounds:
        """Bounds with further errors, given in coordinates."""
        framed = tuple(bound + frame.bound(c) for bound, c in zip(self.framed, change, strict=True))
        return Bounds(self.metric + change[0], framed)


def moment_errors(derivatives: Array, errors: Array, weights: Uncertain, frame: Frame) -> Bounds:
    """Bounds on the errors of what `moments` gives, of g alone where there are first derivatives alone.

    In the frame scores do not cancel, however close the metric is to a singular one: errors of the derivatives are
    turned there before they meet.

    Parameters
    ----------
    derivatives, errors : ndarray, shape (m, derivatives, nodes)
        Those of ℓ in the order of their indices, and bounds on their errors.
    weights : Uncertain
        Of the nodes, shape (m, 1, nodes).
    frame : Frame
        Of the coordinates of ℓ.
    """
    m, n, into = frame.E.shape
    values, bounds = unpacked(embedded(derivatives, n), n), unpacked(_embedded_errors(derivatives, errors, n), n)
    turned = list(map(frame.turned, values, bounds))
    s, coordinates = turned[0], Uncertain(np.abs(values[0]), bounds[0])
    framed = [_symmetric(s.summed(s, weights))]
    for a in turned[1:]:
        first, second = a.summed(s, weights), a.summed(a, weights)
        framed += symmetrised(first.reshape((m,) + (into,) * 3), second.reshape((m,) + (into,) * 4))
    return Bounds(_symmetric(coordinates.summed(coordinates, weights)), tuple(framed))


def _embedded_errors(derivatives: Array, errors: Array, n: int) -> Array:
    """Bounds on the errors of s and a = h + ½ s s."""
    if derivatives.shape[1] == n:
        return errors
    i, j = np.triu_indices(n)
    size, found = np.abs(derivatives[:, :n]), errors.copy()
    found[:, n:] += (size[:, i] * errors[:, j] + size[:, j] * errors[:, i]) / 2
    return found


def _symmetric(error: Array) -> Array:
    return (error + error.swapaxes(1, 2)) / 2


def _contracted(tensor: Array, matrix: Array, indices: int) -> Array:
    """Tensor whose indices after the first are contracted with the first one of a matrix (m, n, into)."""
    m, n, into = matrix.shape
    shape = (m,) + (into,) * indices + tensor.shape[1 + indices :]
    transposed = matrix.swapaxes(1, 2)[:, None]
    nodes = tensor.shape[-1]
    for k in range(indices):
        tensor = transposed @ tensor.reshape(m, into**k, n, n ** (indices - k - 1) * nodes)
    return tensor.reshape(shape)
