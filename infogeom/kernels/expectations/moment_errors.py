"""Bounds on the errors of g, ∂g and ∂∂g as sums over nodes, from those of the derivatives of ℓ and of the weights.

The moments are E[s_i s_j], E[D_k (s_i s_j)] and E[D_l D_k (s_i s_j)], see `infogeom.kernels.expectations.jets`: of
products of derivatives every factor errs in turn, to first order, and nothing cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from itertools import combinations_with_replacement, permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from infogeom.kernels.curvature.loops import TINY

__all__ = ["Bounds", "Frame", "Uncertain", "moment_errors", "unpacked"]

Array = NDArray[np.float64]


class Uncertain(NamedTuple):
    """Numbers at nodes, positive, and bounds on their errors; the node is the last axis."""

    size: Array
    error: Array

    def times(self, other: Uncertain) -> Uncertain:
        """All products of one's components with the other's."""
        a, da = self.size[:, None], self.error[:, None]
        return Uncertain(_rows(a * other.size), _rows(da * other.size + a * other.error))

    def plus(self, other: Uncertain) -> Uncertain:
        """Sum, component by component."""
        return Uncertain(self.size + other.size, self.error + other.error)

    def summed(self, other: Uncertain, weights: Uncertain) -> Array:
        """Error of the sums over all nodes of weighted products of one's components with the other's."""
        own = self.error * weights.size + self.size * weights.error
        return own @ other.size.T + (self.size * weights.size) @ other.error.T


def _rows(tensor: Array) -> Array:
    return tensor.reshape(-1, tensor.shape[-1])


def unpacked(derivatives: Sequence[Array] | Array, n: int, orders: Sequence[int] = (1, 2, 3)) -> tuple[Array, ...]:
    """Arrays s[i], h[i, j], t[i, j, k] from derivatives in the order of their indices; nodes along the last axis."""
    it = iter(derivatives)
    N = len(derivatives[0])
    out = []
    for rank in orders:
        tensor = np.empty((n,) * rank + (N,))
        for index in combinations_with_replacement(range(n), rank):
            value = next(it)
            for permuted in set(permutations(index)):
                tensor[permuted] = value
        out.append(tensor)
    return tuple(out)


class Frame:
    """Frame E with Eᵀ g E = 1; where there is none, the coordinates, each in its own unit.

    ``regular`` says whether there is one, ``of`` restricts it to what some coordinates contribute.
    """

    def __init__(self, g: Array) -> None:
        root = np.sqrt(np.maximum(np.nan_to_num(np.diag(g)), TINY))
        L, failed = lapack.dpotrf(np.nan_to_num(g / root / root[:, None]), lower=True, clean=True)
        inverse, singular = lapack.dtrtri(L, lower=True)
        self.regular = not (failed or singular) and bool(np.isfinite(inverse).all() and np.isfinite(g).all())
        unit = np.eye(len(g))
        self.E = (inverse if self.regular else unit).T / root[:, None]
        self._F = (L if self.regular else unit).T * root

    def of(self, own: Sequence[int]) -> Frame:
        """Frame for tensors that have only the coordinates ``own``."""
        part = copy(self)
        part.E = self.E[own]
        return part

    def turned(self, value: Array, error: Array) -> Uncertain:
        """Numbers at nodes in the frame, and bounds on their errors."""
        indices = value.ndim - 1
        size = np.abs(_contracted(value, self.E, indices))
        return Uncertain(_rows(size), _rows(_contracted(error, np.abs(self.E), indices)))

    def bound(self, error: Array) -> Array:
        """Bound in the frame on an error in coordinates."""
        return _contracted(error, np.abs(self.E), error.ndim)

    def back(self, error: Array) -> Array:
        """Bound in coordinates on an error in the frame."""
        return _contracted(error, np.abs(self._F), error.ndim)


class Bounds(NamedTuple):
    """Bounds on the error of g in coordinates, and on those of g, ∂g and ∂∂g in a frame."""

    metric: Array
    framed: tuple[Array, ...]

    def plus(self, change: Sequence[Array], frame: Frame) -> Bounds:
        """Bounds with further errors, given in coordinates."""
        framed = tuple(bound + frame.bound(c) for bound, c in zip(self.framed, change, strict=True))
        return Bounds(self.metric + change[0], framed)


def moment_errors(derivatives: Array, errors: Array, weights: Uncertain, frame: Frame) -> Bounds:
    """Bounds on the errors of g, ∂g and ∂∂g; of g alone where there are first derivatives alone.

    In the frame scores do not cancel, however close the metric is to a singular one: errors of the derivatives are
    turned there before they meet.

    Parameters
    ----------
    derivatives, errors : ndarray, shape (derivatives, nodes)
        Those of ℓ in the order of their indices, and bounds on their errors.
    weights : Uncertain
        Of the nodes.
    frame : Frame
        Of the coordinates of ℓ.
    """
    n = len(frame.E)
    orders = (1,) if len(derivatives) == n else (1, 2, 3)
    values, bounds = unpacked(derivatives, n, orders), unpacked(errors, n, orders)
    turned = list(map(frame.turned, values, bounds))
    s, coordinates = turned[0], Uncertain(np.abs(values[0]), bounds[0])
    framed = [_symmetric(s.summed(s, weights))]
    if len(turned) > 1:
        framed += _higher(s, turned[1], turned[2], weights)
    return Bounds(_symmetric(coordinates.summed(coordinates, weights)), tuple(framed))


def _symmetric(error: Array) -> Array:
    return (error + error.T) / 2


def _higher(s: Uncertain, h: Uncertain, t: Uncertain, weights: Uncertain) -> list[Array]:
    """Bounds on the errors of ∂g and ∂∂g, by the product rule for D."""
    n = len(s.size)
    ss = s.times(s)
    along = h.plus(Uncertain(ss.size / 2, ss.error / 2)).summed(s, weights).reshape(n, n, n)  # [i, k, j]
    third = t.summed(s, weights).reshape((n,) * 4)  # [i, k, l, j]
    q = h.plus(ss)
    pairs = q.summed(q, weights).reshape((n,) * 4)  # [i, k, j, l]
    straight = h.summed(ss, weights).reshape((n,) * 4)  # [k, l, i, j]
    second = third.transpose(0, 3, 1, 2) + third.transpose(3, 0, 1, 2)
    second = second + pairs.transpose(0, 2, 1, 3) + pairs.transpose(0, 2, 3, 1) + straight.transpose(2, 3, 0, 1)
    return [along.transpose(0, 2, 1) + along.transpose(2, 0, 1), second]


def _contracted(tensor: Array, matrix: Array, indices: int) -> Array:
    """Tensor whose first indices are contracted with the first one of a matrix."""
    n, into = matrix.shape
    shape = (into,) * indices + tensor.shape[indices:]
    for k in range(indices):
        tensor = matrix.T @ tensor.reshape(into**k, n, -1)
    return tensor.reshape(shape)
