"""Bounds on the errors of g, ∂g and ∂∂g as sums over nodes, from those of the derivatives of ℓ and of the weights.

The moments are means of products, see `infogeom.kernels.expectations.moments`: every factor errs in turn, to first
order, and nothing cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature.loops import TINY
from infogeom.kernels.expectations import moment_loops
from infogeom.kernels.expectations.moments import moments

__all__ = ["Bounds", "Frame", "moment_errors"]

Array = NDArray[np.float64]


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

    def back(self, error: Array) -> Array:
        """Bound in coordinates on an error in the frame."""
        return _contracted(error, np.abs(self._F))


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

    def plus(self, left: Array, unit: Array, frame: Frame) -> Bounds:
        """Bounds with further errors (m, orders) in units (m, n) of the coordinates."""
        metric = self.metric + left[:, 0, None, None] * unit[:, :, None] * unit[:, None, :]
        turned = np.einsum("mi,mij->mj", unit, np.abs(frame.E))
        power, framed = turned, []
        for order, bound in enumerate(self.framed):
            power = (power[:, :, None] * turned[:, None]).reshape(len(turned), -1)
            framed.append(
                bound + left[:, order, None].reshape((-1,) + (1,) * (bound.ndim - 1)) * power.reshape(bound.shape)
            )
        return Bounds(metric, tuple(framed))


def moment_errors(values: Array, w: Array, of_w: Array, frame: Frame) -> Bounds:
    """Bounds on the errors of what `moments` gives, of g alone where there are first derivatives alone.

    In the frame scores do not cancel, however close the metric is to a singular one: errors of the derivatives are
    turned there before they meet.

    Parameters
    ----------
    values : ndarray, shape (m, 2 (d + 1), nodes)
        The d derivatives of ℓ in the order of their indices, ℓ, and bounds on the errors of these.
    w, of_w : ndarray, shape (m, nodes)
        Weights of the nodes, positive, and bounds on their errors.
    frame : Frame
        Of the coordinates of ℓ.
    """
    m, n, into = frame.E.shape
    D = into if values.shape[1] == 2 * (n + 1) else into + into * (into + 1) // 2
    metric, products = np.zeros((m, n, n)), np.zeros((m, D, D))
    E = np.ascontiguousarray(frame.E)
    compiled_module(moment_loops, summed=True)["add_errors"](values, w, of_w, E, metric, products)
    return Bounds(metric, moments(products, into))


def _contracted(tensor: Array, matrix: Array) -> Array:
    """Tensor (m, n, …, n) with every index contracted with the first one of a matrix (m, n, into)."""
    m, _, into = matrix.shape
    rank = tensor.ndim - 1
    out, flat = np.empty((m, into**rank)), np.ascontiguousarray(tensor).reshape(m, -1)
    compiled_module(moment_loops, summed=True)["contract"](flat, np.ascontiguousarray(matrix), rank, out)
    return out.reshape((m,) + (into,) * rank)
