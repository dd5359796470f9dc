"""Kronecker approximations of a layer's Fisher information as values: products, solves and determinants."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.arguments import check_positive, finite_array
from infogeom.network.blocks import finite
from infogeom.network.mlp import MLP

__all__ = ["EigenBlock", "KroneckerBlock", "Pair", "SumBlock", "eigen", "places", "rotated", "solved"]

Array = NDArray[np.float64]
#: An input factor A (p, p) and an output factor G (m, m).
Pair: TypeAlias = tuple[Array, Array]


@dataclass(frozen=True, eq=False, repr=False)
class KroneckerBlock(ABC):
    """Approximation of a layer's block F_l of a Fisher information by Kronecker products A ⊗ G.

    The input factor A comes first, for ``net.parameters`` holds weights (fan_in, fan_out) row by row, then the bias:
    A has fan_in + 1 rows (fan_in without bias), G has fan_out.  PyTorch's weights are (fan_out, fan_in), and its
    libraries write G ⊗ A.

    Attributes
    ----------
    factors : tuple of pairs of ndarrays, shapes (p, p) and (m, m)
        A and G, symmetric.
    parameters : slice
        Where the layer's P_l = p m parameters lie in ``net.parameters``.
    """

    factors: tuple[Pair, ...]
    parameters: slice
    #: Finds the error, which takes more than all else, when it is asked for.
    measured: Callable[[], float]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows p of the input factors and m of the output factors."""
        A, G = self.factors[0]
        return len(A), len(G)

    @property
    @abstractmethod
    def trace(self) -> float:
        """Trace of the approximation."""

    @cached_property
    def error(self) -> float:
        """Relative distance ‖approximation − F_l‖ / ‖F_l‖ in Frobenius norm; 0 where F_l vanishes."""
        return self.measured()

    @property
    @abstractmethod
    def bases(self) -> Pair:
        """Orthonormal eigenvectors U_A (p, p) and U_G (m, m), in columns: those of the approximation are U_A ⊗ U_G."""

    @property
    @abstractmethod
    def eigenvalues(self) -> Array:
        """Eigenvalue of each pair of eigenvectors, shape (p, m), none negative."""

    @abstractmethod
    def _times(self, v: Array) -> Array:
        """Products with vectors (r, p, m)."""

    def product(self, v: ArrayLike) -> Array:
        """Product with a vector of the layer's parameters, shape (P_l,), or with several, (P_l, r)."""
        stacked, shape = self._stacked(v)
        with np.errstate(over="ignore", invalid="ignore"):  # asked for here
            return _flat(finite(self._times(stacked)), shape)

    def solve(self, v: ArrayLike, damping: float) -> Array:
        """Solution of (approximation + damping · 1) u = v, exact, by eigenvectors; v as for `product`, damping > 0."""
        check_positive("damping", damping)
        stacked, shape = self._stacked(v)
        return _flat(solved(self.bases, self.eigenvalues, stacked, damping), shape)

    def logdet(self, damping: float) -> float:
        """Logarithm of the determinant of approximation + damping · 1, damping > 0."""
        check_positive("damping", damping)
        return float(np.log(self.eigenvalues + damping).sum())

    def _stacked(self, v: ArrayLike) -> tuple[Array, tuple[int, ...]]:
        """Vectors as (r, p, m), and the shape in which they came."""
        p, m = self.shape
        given = finite_array("v", v, copy=False)
        if given.ndim not in (1, 2) or len(given) != p * m:
            raise ValueError(f"v must have shape ({p * m},) or ({p * m}, r), one row a parameter, got {given.shape}")
        return np.ascontiguousarray(given.reshape(p * m, -1).T).reshape(-1, p, m), given.shape

    def __repr__(self) -> str:
        (p, m), pairs = self.shape, len(self.factors)
        return f"<{type(self).__name__} {p} × {m}: {pairs} pair{'s' * (pairs > 1)} of factors>"


@dataclass(frozen=True, eq=False, repr=False)
class SumBlock(KroneckerBlock):
    """Sum Σ_i A_i ⊗ G_i of Kronecker products, of which a single one can be solved for."""

    @property
    def trace(self) -> float:
        """Trace of the approximation, Σ_i tr A_i tr G_i."""
        traces = np.array([(A.trace(), G.trace()) for A, G in self.factors])
        with np.errstate(over="ignore", invalid="ignore"):  # asked for here
            return float(finite(traces.prod(axis=1).sum()))

    @property
    def bases(self) -> Pair:
        """Orthonormal eigenvectors of both factors, in columns."""
        return self._eigen[1], self._eigen[3]

    @property
    def eigenvalues(self) -> Array:
        """Products of the eigenvalues of both factors, shape (p, m)."""
        with np.errstate(over="ignore"):  # asked for here
            return finite(np.outer(self._eigen[0], self._eigen[2]))

    @cached_property
    def _eigen(self) -> tuple[Array, Array, Array, Array]:
        """Eigenvalues and eigenvectors of the input and of the output factor."""
        if len(self.factors) > 1:
            raise ValueError(
                "only one pair of factors can be solved for, as pairs beyond the first are indefinite, "
                f"got {len(self.factors)}; take kronecker_pairs with rank=1"
            )
        [(A, G)] = self.factors
        return *eigen(A), *eigen(G)

    def _times(self, v: Array) -> Array:
        """Products A V G of each pair, summed."""
        total = np.zeros_like(v)
        for A, G in self.factors:
            total += A @ v @ G
        return total


@dataclass(frozen=True, eq=False, repr=False)
class EigenBlock(KroneckerBlock):
    """Eigenvectors of a Kronecker product A ⊗ G, with other eigenvalues than its own."""

    directions: Pair
    spectrum: Array

    @property
    def trace(self) -> float:
        """Trace of the approximation, which is that of F_l."""
        return float(self.spectrum.sum())

    @property
    def bases(self) -> Pair:
        """Orthonormal eigenvectors of both factors, in columns."""
        return self.directions

    @property
    def eigenvalues(self) -> Array:
        """Diagonal of F_l between the eigenvectors U_A ⊗ U_G, shape (p, m)."""
        return self.spectrum

    def _times(self, v: Array) -> Array:
        """Products with the eigenvalues, between rotations to the eigenvectors and back."""
        return rotated(self.bases, rotated(self.bases, v, back=False) * self.spectrum)


def eigen(factor: Array) -> tuple[Array, Array]:
    """Eigenvalues of a positive semi-definite factor, none negative from rounding, and eigenvectors in columns."""
    values, vectors = np.linalg.eigh(factor)
    return np.maximum(values, 0.0), vectors


def rotated(bases: tuple[NDArray[Any], NDArray[Any]], v: NDArray[Any], *, back: bool = True) -> NDArray[Any]:
    """Matrices (…, p, m) from components along eigenvectors, or such components of them."""
    U, W = bases
    return np.asarray(U @ v @ W.T if back else U.T @ v @ W)


def solved(
    bases: tuple[NDArray[Any], NDArray[Any]], eigenvalues: NDArray[Any], v: NDArray[Any], damping: float
) -> NDArray[Any]:
    """Solutions (…, p, m) for matrices v and the eigenvalues (p, m) of a Kronecker product, damping added.

    Those of v's dtype, if the bases are of it too.
    """
    along = rotated(bases, v, back=False) / (eigenvalues + damping)
    return rotated(bases, along.astype(v.dtype, copy=False))


def places(net: MLP) -> list[slice]:
    """Where the parameters of each layer lie in ``net.parameters``."""
    sizes = [(fan_in + net.bias) * fan_out for fan_in, fan_out in pairwise(net.widths)]
    return [slice(start, end) for start, end in pairwise(accumulate(sizes, initial=0))]


def _flat(stacked: Array, shape: tuple[int, ...]) -> Array:
    """Vectors (r, p, m) in the shape (P_l,) or (P_l, r) of those that came."""
    return np.ascontiguousarray(stacked.reshape(len(stacked), -1).T).reshape(shape)
