"""A layer's Fisher information, rearranged so that Kronecker products are vectors times vectors, by Gram matrices.

N⁻¹ Σ_n (ã ãᵀ) ⊗ (Σ_k δ_nk δ_nkᵀ) becomes the matrix R = N⁻¹ Σ_n α_n β_nᵀ of the vectors α_n = ã ãᵀ and β_n = Σ_k δ δᵀ,
and the sum of r Kronecker products that is nearest to it in Frobenius norm becomes R's best approximation of rank r
(Van Loan and Pitsianis, "Approximation with Kronecker Products", 1993).  The products α_n · α_m = (ã_n · ã_m)² and
β_n · β_m = Σ_kl (δ_nk · δ_ml)² say all of it, whatever the width of the layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.sparse.linalg import svds

from infogeom.network.sides import Sides

__all__ = ["Rearranged", "rearranged"]

Array = NDArray[np.float64]
#: Share of the singular values up to which few are found by themselves.
FEW = 0.25


@dataclass(frozen=True, eq=False)
class Rearranged:
    """Products α_n · α_m of the inputs' and β_n · β_m of the outputs' squares, shape (N, N) each."""

    inputs: Array
    outputs: Array

    def square(self) -> float:
        """Squared Frobenius norm ‖R‖² = N⁻² Σ (α_n · α_m)(β_n · β_m)."""
        return _product(self.inputs, self.outputs) / len(self.inputs) ** 2

    def of_moments(self) -> float:
        """Squared distance ‖R − ᾱ β̄ᵀ‖² from the product of the means, which is the covariance of α and β.

        Centred before they meet, the products lose nothing where the distance is small; it is 0 for one sample.
        """
        return max(0.0, _product(_centred(self.inputs), _centred(self.outputs)) / len(self.inputs) ** 2)

    @cached_property
    def factors(self) -> tuple[Array, Array]:
        """Cholesky factors L_α (N, r) and L_β (N, s) of both products, as wide as their ranks."""
        return _cholesky(self.inputs), _cholesky(self.outputs)

    @cached_property
    def matrix(self) -> Array:
        """R between orthonormal bases of all α and of all β, N⁻¹ L_αᵀ L_β, shape (r, s)."""
        left, right = self.factors
        return np.asarray(left.T @ right / len(left))

    def of_combinations(self, a: Array, b: Array) -> float:
        """Squared distance ‖R − Σ_i (Σ_n a_in α_n)(Σ_n b_in β_n)ᵀ‖² from r products of combinations, shape (r, N)."""
        left, right = self.factors
        rest = self.matrix - (a @ left).T @ (b @ right)
        return _product(rest, rest)

    def leading(self, rank: int) -> tuple[Array, Array]:
        """Combinations a, b, shape (r, N), of the leading singular vectors; r is rank, or less where R's rank is.

        They are found by Lanczos' method (Koroko et al., "Efficient Approximations of the Fisher Matrix in Neural
        Networks using Kronecker Product Singular Value Decomposition", 2022).  The single one is non-negative, as
        combinations of the leading vectors can be (Perron and Frobenius, for no product is negative): its factors
        are positive semi-definite also where rounding, or a second singular value of that size, leaves others.
        """
        left, right = self.factors
        u, s, v = _singular(self.matrix, rank, left.sum(axis=0), right.sum(axis=0))
        root = len(left) * np.sqrt(s)[:, None]
        a, b = (right @ v).T / root, (left @ u).T / root
        return self._non_negative(b) if rank == 1 and len(s) else (a, b)

    def _non_negative(self, b: Array) -> tuple[Array, Array]:
        """One round of alternating least squares from |b|: the best a for it, and the best b for that."""
        b, n = np.abs(b), len(self.inputs)
        a = b @ self.outputs
        a /= n * (a @ b.T)
        b = a @ self.inputs
        return a, b / (n * (a @ b.T))


def rearranged(both: Sides) -> Rearranged:
    """Products of the squares of both sides, over their scales."""
    return Rearranged(both.inputs.products(), both.outputs.products())


def _product(one: Array, other: Array) -> float:
    return float(np.vdot(one, other))


def _centred(products: Array) -> Array:
    """Products of vectors less their mean."""
    mean = products.mean(axis=0)
    return np.asarray(products - mean - mean[:, None] + mean.mean())


def _cholesky(products: Array) -> Array:
    """Factor L (N, r) of products L Lᵀ of rank r, by Cholesky's method with pivots."""
    factor, pivots, rank, _ = lapack.dpstrf(products, lower=1)
    found = np.zeros((len(products), rank))
    found[pivots - 1] = np.tril(factor)[:, :rank]
    return found


def _singular(matrix: Array, rank: int, left: Array, right: Array) -> tuple[Array, Array, Array]:
    """Leading singular vectors (columns) and values that are not rounding, the largest first; the search has starts."""
    smaller = min(matrix.shape)
    if rank < FEW * smaller:
        start = right if matrix.shape[0] > matrix.shape[1] else left
        found = svds(matrix, k=rank, v0=start / np.linalg.norm(start), solver="arpack")
        u, s, v = found[0][:, ::-1], found[1][::-1], found[2][::-1].T
    else:
        u, s, vt = np.linalg.svd(matrix, full_matrices=False)
        v = vt.T
    least = s.max(initial=0.0) * max(matrix.shape) * math.ulp(1.0)
    count = min(rank, int((s > least).sum()))
    return u[:, :count], np.asarray(s[:count], np.float64), v[:, :count]
