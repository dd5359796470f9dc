"""Bounds on the errors of tensors, entry by entry, from bounds on the errors of the jet that they are made of.

To first order an error passes through a sum of products as through the same sum of magnitudes, so that each bound is
the formula of its tensor with every sign taken positive.  What the inverse metric contributes is

    W = |E|ᵀ (|δg| + 2n u |F|ᵀ|F|) |E|

in the frame E with inverse F, in which g is diag(±1): the second term is the backward error of LDLᵀ and of inverting
its factor (Higham 2002, Ths. 8.5 and 9.3), at half of its worst, for a few roundings do not average out.  All bounds
are divided by (1 − 4 |W|) / (1 + |W|), where |W| is the sum of all entries; where that is not positive nothing is
known, not even that g is regular.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any

import numpy as np

from infogeom.kernels.curvature.loops import FLOOR, UNIT

__all__ = ["SINGLE", "SINGLE_OF_SAMPLES", "TensorErrors", "over_diagonal"]

#: Half of what the bounds of `infogeom.kernels.codegen.rounding` leave of the worst case of all roundings, the other
#: way round: 2⁻⁵³ by `UNIT`, halved.
SINGLE = 8.0
#: As much for a mean over samples, of which the bounds leave a quarter of that.
SINGLE_OF_SAMPLES = 32.0
#: Relative backward error of one operation in the frame, which W counts 2 n times.
BACKWARD = SINGLE * UNIT
#: Relative error of the last rounding of a value, which no other averages out.
LAST = 2.0**-53
#: Of float64, or of objects, with the point last.
Array = Any
Contracted = Callable[[Array, Array, Collection[int]], Array]


class TensorErrors:
    """Bounds on the errors of tensors in coordinates, float64 or object arrays with the point last.

    Parameters
    ----------
    E, F : ndarray, shape (n, n, m)
        Frame and its inverse.
    errors : tuple of ndarray
        Of g, ∂g and ∂∂g, shaped like them, and ``factor_error``, see `infogeom.kernels.codegen.rounding.SampleErrors`.
    hessian : bool
        Whether ∂g is totally symmetric, so that ∂∂g is not there.
    contracted : callable
        ``contracted(tensor, matrix, indices)`` contracts indices with the first index of a matrix.
    framed : tuple of ndarray, optional
        Bounds in the frame that take the place of what those of g, ∂g and ∂∂g come to there.
    share : float
        What the errors are multiplied by: `SINGLE` or `SINGLE_OF_SAMPLES` where they count on roundings that average
        out, as they do in R but need not in one entry.

    Attributes
    ----------
    sound : ndarray, shape (m,)
        (1 − 4 |W|) / (1 + |W|): between −4 and 0 where nothing is known.
    lost : ndarray, shape (m,)
        What a component of Γ or of the curvature may lose below float64 in the frame, on the way into it too.
    """

    def __init__(
        self,
        E: Array,
        F: Array,
        errors: tuple[Array, ...],
        hessian: bool,
        contracted: Contracted,
        framed: tuple[Array, ...] = (),
        share: float = 1.0,
    ) -> None:
        self._errors, self._share = errors, share
        self._contracted, self._hessian = contracted, hessian
        self._framed = tuple(error * share for error in framed)
        self._E, self._F = np.abs(E), np.abs(F)
        self._Et = np.ascontiguousarray(self._E.transpose(1, 0, 2))
        n = len(E)
        # Of a factor that all samples share: the same in the frame, whatever the data.
        self._rows = sum(self._E[:, a] for a in range(n))
        self._columns = sum(self._F[a] for a in range(n))
        factor_error = errors[3] * share
        self._shared = factor_error[0]
        self._of_gamma = sum(factor_error[1 + i] * self._rows[i] for i in range(n))
        self._given = errors[0] * share
        size = self._size()
        self.sound = (1.0 - size * 4.0) / (size + 1.0)  # of a size that leaves its sign to whatever is divided by it
        self.lost = self._lost_in_frame()

    @cached_property
    def _dg_error(self) -> Array:
        return self._errors[1] * self._share

    @cached_property
    def _W(self) -> Array:
        E, F, n = self._E, self._F, len(self._E)
        backward = sum(F[a][:, None] * F[a][None] for a in range(n)) * (2 * n * BACKWARD)
        W = self._contracted(backward if self._framed else self._given + backward, E, [0, 1]) + self._shared
        return W + self._framed[0] if self._framed else W

    def _size(self) -> Array:
        """The sum of all entries of W, in fewer steps than by W."""
        n, rows = len(self._E), self._rows
        given, weight = (self._framed[0], [1.0] * n) if self._framed else (self._given, rows)
        turned = [sum(self._F[a, i] * rows[i] for i in range(n)) for a in range(n)]
        size = sum(t * t for t in turned) * (2 * n * BACKWARD) + self._shared * (1.0 * n * n)
        for i in range(n):
            for j in range(i, n):
                size = size + given[i, j] * (weight[i] * weight[j] * (1.0 if i == j else 2.0))
        return size

    def _lost_in_frame(self) -> Array:
        """`FLOOR`, times what three factors of the frame may come to; 0 where ∂g is 0 and nothing can be lost."""
        size = sum(self._rows) + 1.0
        errors = self._framed[1] if self._framed else self._errors[1]
        some = sum(errors.reshape(-1, errors.shape[-1])) if errors.size else size * 0.0
        return (some / (some + FLOOR / 1e5)) * (size * size * size) * FLOOR

    def scalar(self, riemann: Array, gamma: Array, ddg: Array) -> Array:
        """Bound of R, from R^a_bcd, Γ_abc and ∂∂g in the frame: of the R^ab_ab, as `riemann` has them."""
        size, U, D = self._of_terms(gamma, ddg)
        n, both, curved = len(gamma), size + U, np.abs(riemann)
        error = np.einsum("kabm,kbam->abm", U, both) + np.einsum("kabm,kbam->abm", size, U)
        error += np.einsum("kaam,kbbm->abm", U, both) + np.einsum("kaam,kbbm->abm", size, U)
        for indices in ("abba", "baab", "aabb", "bbaa") if D.size else ():
            error += np.einsum(f"{indices}m->abm", D) * 0.5
        for carried in ("aem,ebabm", "bem,aeabm", "aem,abebm", "bem,abaem"):
            error += np.einsum(f"{carried}->abm", self._W, curved)
        error[range(n), range(n)] = 0.0
        return (error.sum(axis=(0, 1)) + self.lost * (1.0 * n * (n - 1))) / self.sound

    def metric(self, g: Array) -> Array:
        """Bound of g_ij, shape (n, n, m)."""
        return self._given + self._shared * self._columns[:, None] * self._columns[None] + np.abs(g) * LAST

    def determinant(self, determinant: Array) -> Array:
        """Bound of det g: δ log det g is tr W, and det g a product of pivots, none above the square of a column."""
        relative = sum(self._W[a, a] for a in range(len(self._W))) + LAST
        return (abs(determinant) * relative + math.prod(c * c + 1.0 for c in self._columns) * FLOOR) / self.sound

    def inverse(self, inverse: Array) -> Array:
        """Bound of g^ij, shape (n, n, m)."""
        return (self._contracted(self._W, self._Et, [0, 1]) + np.abs(inverse) * LAST) / self.sound

    def christoffel(self, raised: Array, christoffel: Array) -> Array:
        """Bound of Γ^i_jk, shape (n, n, n, m); ``raised``: Γ with the first index in the frame, no other."""
        if self._framed:
            error = self._contracted(_first_kind(self._framed[1]), self._F, [1, 2])
        else:
            error = self._contracted(_first_kind(self._dg_error), self._E, [0])
        error = error + self._of_gamma * self._columns[:, None] * self._columns[None]
        error = error + _times(self._W, np.abs(raised))
        f = self._columns
        lost = self._rows[:, None, None] * (f[:, None] * f + 1.0) * self.lost  # with all indices in the frame, or one
        error = self._contracted(error, self._Et, [0]) + lost
        return (error + np.abs(christoffel) * LAST) / self.sound

    def riemann(self, gamma: Array, ddg: Array, riemann: Array) -> Array:
        """Bound of R^a_bcd in the frame, shape (n, n, n, n, m), from Γ_abc, ∂∂g and R^a_bcd there."""
        n, (size, U, D) = len(gamma), self._of_terms(gamma, ddg)
        products = sum(_outer(U[k], size[k] + U[k]) + _outer(size[k], U[k]) for k in range(n))
        error = _exchanged(products)
        if ddg.size:
            error = error + _exchanged(D.transpose(0, 2, 3, 1, 4) + D.transpose(2, 0, 1, 3, 4)) * 0.5
        for index in range(4):  # one is raised, and all are carried to coordinates
            error = error + np.moveaxis(_times(self._W, np.moveaxis(np.abs(riemann), index, 0)), 0, index)
        for c in range(n):
            error[:, :, c, c] = 0.0
        return error

    def _of_terms(self, gamma: Array, ddg: Array) -> tuple[Array, Array, Array]:
        """Magnitudes of Γ_abc in the frame, and bounds of these and of ∂∂g, empty as that."""
        size = np.abs(gamma)
        dg_error = self._framed[1] if self._framed else self._contracted(self._dg_error, self._E, range(3))
        # Half of an inverse metric, and of the two roundings of a product, for each of the two Γ.
        of_gamma = dg_error * 0.5 if self._hessian else _first_kind(dg_error)
        U = of_gamma + self._of_gamma + _times(self._W, size) * 0.5 + size * UNIT
        if not ddg.size:
            return size, U, ddg
        D = self._framed[2] if self._framed else self._contracted(self._errors[2] * self._share, self._E, range(4))
        return size, U, D

    def riemann_in_coordinates(self, error: Array) -> Array:
        """Bound of R^i_jkl, from those of R^a_bcd in the frame."""
        error = self._contracted(self._contracted(error, self._Et, [0]), self._F, [1, 2, 3])
        e, f = self._rows, self._columns
        lost = (e[:, None] * f)[:, :, None, None] * (f[:, None] * f) * self.lost
        for c in range(len(f)):
            lost[:, :, c, c] = 0.0
        return (error + lost) / self.sound

    def ricci(self, error: Array) -> Array:
        """Bound of Ric_ij, from those of R^a_bcd in the frame."""
        f, n = self._columns, len(error)
        error = self._contracted(sum(error[a, :, a] for a in range(n)), self._F, [0, 1])
        return (error + f[:, None] * f * (self.lost * (n - 1.0))) / self.sound


def over_diagonal(errors: Array, g: Array) -> Array:
    """Errors of g_ij relative to √|g_ii g_jj|, shape (n, n, m)."""
    root = np.stack([np.sqrt(np.abs(g[i, i])) for i in range(len(g))])
    return errors / (root[:, None] * root[None])


def _first_kind(dg: Array) -> Array:
    """The sum of the magnitudes of the terms of Γ of the first kind."""
    return (dg.transpose(0, 2, 1, 3) + dg + dg.transpose(2, 0, 1, 3)) * 0.5


def _times(W: Array, tensor: Array) -> Array:
    """W applied to the first index."""
    return np.stack([sum(row[b] * tensor[b] for b in range(len(row))) for row in W])


def _outer(first: Array, second: Array) -> Array:
    """Shape (n, n, n, n, m), with indices a, b, c, d: first_ad second_bc."""
    return first[:, None, None, :] * second[None, :, :, None]


def _exchanged(tensor: Array) -> Array:
    """The sum with what exchanging c and d gives."""
    return tensor + tensor.transpose(0, 1, 3, 2, 4)
