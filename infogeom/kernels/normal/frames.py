"""Derivatives of a mean and a covariance in a frame in which the covariance is the identity.

With Σ = L Lᵀ these are A_I = L⁻¹ ∂_I Σ L⁻ᵀ and m_I = L⁻¹ ∂_I μ, for a derivative ∂_I of any order; where the precision
T = L Lᵀ is given, A_I = L⁻¹ ∂_I T L⁻ᵀ and m_I = Lᵀ ∂_I μ.

What errs is bounded in Frobenius norms, to first order. Errors δ_ij of the entries come to Σ_ij T_ii δ_ij² T_jj, with
T = Σ⁻¹, in the square of the norm of L⁻¹ δ L⁻ᵀ where their signs are random, and to at most d² times as much where
they are not; entries of one diagonal may share theirs, so that d times as much is taken. So errs the factor (Higham
2002, Th. 10.3), which shows in all A_I.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from infogeom.kernels.curvature.loops import UNIT
from infogeom.kernels.curvature.tensor_errors import SINGLE
from infogeom.kernels.normal.values import Stack

__all__ = ["OF_PRODUCT", "Framed", "framed", "may_be_positive"]

Array = NDArray[np.float64]
#: Roundings of a product of matrices, times the root of the number of terms.
OF_PRODUCT = 2.0
#: Roundings of the factor and of its inverse, times the same.
OF_FACTOR = 4.0


class Framed(NamedTuple):
    """Matrices A_I and vectors m_I at points, with bounds on their errors.

    Attributes
    ----------
    A : ndarray, shape (points, derivatives, d, d)
        nan where the matrix is not positive definite.
    m : ndarray, shape (points, derivatives, d)
    size, reach, error : ndarray, shape (points, derivatives)
        Frobenius norms of the matrices, their spectral norms at most, and Frobenius norms of their errors at most.
    length, off : ndarray, shape (points, derivatives)
        Norms of the vectors, and of their errors at most.
    """

    A: Array
    m: Array
    size: Array
    reach: Array
    error: Array
    length: Array
    off: Array


def framed(matrix: Stack, mean: Stack, *, is_precision: bool) -> Framed:
    """The derivatives of a covariance, or a precision, and of a mean in its frame."""
    values, errors = matrix.values, matrix.errors
    d = values.shape[-1]
    root = np.sqrt(d)
    L, W = _factors(values[:, 0])
    weight = np.einsum("pki,pki->pi", W, W)

    # How far the matrix is off, by its entries and by its factor.
    scaled = np.einsum("pi,pii->p", weight, values[:, 0])
    off = _in_frame(weight, root * errors[:, 0]) + OF_FACTOR * root * UNIT * scaled

    # The matrices, and how far they are.
    A = W[:, None] @ values[:, 1:] @ W[:, None].swapaxes(-1, -2)
    A = (A + A.swapaxes(-1, -2)) / 2
    size = np.sqrt(np.einsum("pkij,pkij->pk", A, A))
    of_entries = root * (errors[:, 1:] + OF_PRODUCT * UNIT * np.abs(values[:, 1:]))
    error = _in_frame(weight[:, None], of_entries) + off[:, None] * size
    reach = np.minimum(size, np.abs(A).sum(-1).max(-1, initial=0.0))

    # The vectors.
    slopes, of_slopes = mean.values[:, 1:, :, 0], mean.errors[:, 1:, :, 0]
    turn = L.swapaxes(-1, -2) if is_precision else W
    m = np.einsum("pij,pkj->pki", turn, slopes)
    length = np.sqrt(np.einsum("pki,pki->pk", m, m))
    scale = np.einsum("pii->pi", values[:, 0]) if is_precision else weight
    rounded = root * (of_slopes + OF_PRODUCT * UNIT * np.abs(slopes))
    away = np.sqrt(np.einsum("pi,pki->pk", scale, rounded**2)) + off[:, None] * length
    return Framed(A, m, size, reach, error, length, away)


@np.errstate(invalid="ignore", divide="ignore")
def may_be_positive(matrix: Stack) -> NDArray[np.bool_]:
    """At which points a matrix is not seen to have a negative eigenvalue; what has no value may be anything."""
    values, errors = matrix.values[:, 0], matrix.errors[:, 0]
    d = values.shape[-1]
    diagonal = np.einsum("pii->pi", values)
    root = np.sqrt(np.abs(diagonal))
    scale = root[:, :, None] * root[:, None, :]
    scaled, off = values / scale, errors / scale
    known = np.isfinite(scaled).all((1, 2))
    least = np.zeros(len(values))
    least[known] = np.linalg.eigvalsh(scaled[known])[:, 0]
    lost = SINGLE * (np.sqrt(np.einsum("pij,pij->p", off, off)) + OF_FACTOR * d * UNIT)
    negative = known & (least < -lost)
    return np.asarray(~(negative | (diagonal < 0).any(1) | (diagonal == 0).any(1)))


def _factors(matrices: Array) -> tuple[Array, Array]:
    """Lower Cholesky factors and their inverses, nan where there are none."""
    L, W = np.full_like(matrices, np.nan), np.full_like(matrices, np.nan)
    for k, matrix in enumerate(matrices):
        if not np.isfinite(matrix).all():
            continue
        factor, failed = lapack.dpotrf(matrix, lower=True, clean=True)
        if not failed:
            L[k], W[k] = factor, lapack.dtrtri(factor, lower=True)[0]
    return L, W


def _in_frame(weight: Array, errors: Array) -> Array:
    """Norm of errors of a matrix's entries in the frame, where they are independent of each other."""
    squares = errors * errors
    return np.asarray(np.sqrt(np.einsum("...i,...ij,...j->...", weight, squares, weight)))
