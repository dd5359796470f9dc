"""A damped Fisher information F + λ 1 as a dense matrix: the smaller of F, P × P, and its Gram dual.

With the N K seeded gradients as the rows of G, F = GᵀG / N: one seed a sample for the empirical Fisher information, K
of them for the expected one.  Where they are fewer than the parameters the Gram dual G Gᵀ stands for F,

    (GᵀG/N + λ)⁻¹ v = (v − Gᵀ (λN + G Gᵀ)⁻¹ G v) / λ        (GᵀG/N + λ)⁻¹ Gᵀc/N = Gᵀ (λN + G Gᵀ)⁻¹ c,

and G itself is never formed: it acts by a pass forward, Gᵀ by a pass back.  The first form cancels, to the digits that
the condition number 1 + ‖F‖/λ leaves; the second, for combinations of gradients, does not.

All is done in float64, for small damping magnifies every rounding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from infogeom.arguments import check_positive
from infogeom.losses import Loss
from infogeom.network.blocks import finite
from infogeom.network.dense import products_of_parameters
from infogeom.network.directions import pulled, pushed
from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, Workspace, forward
from infogeom.network.seeds import Seeds, check_network, checked, exact_outputs, exact_seeds
from infogeom.network.spectra import gram, seeded

__all__ = ["DampingError", "Dual", "Primal", "damped", "seeded_gradients", "system"]

Array = NDArray[np.float64]
#: Rows of the largest dense matrix.
MOST_ROWS = 8000
#: Unit in the last place of float64.
EPSILON = float(np.finfo(np.float64).eps)
#: Corrections of a solution by what it leaves of the right side, at most.
CORRECTIONS = 10


class DampingError(ValueError):
    """Damping that float64 cannot tell from none beside entries of the Fisher information up to ``largest``."""

    def __init__(self, damping: float, largest: float) -> None:
        super().__init__(
            f"damping must be above what float64 rounds off the Fisher information, got {damping} for entries up to "
            f"{largest:.3g}"
        )


@dataclass(frozen=True)
class Damped:
    """What a damped Fisher information is made of, and the upper Cholesky factor of 1 + S/λ, of S = F or its dual.

    ``largest`` is the largest entry of S, which is at most ‖F‖.
    """

    net: MLP
    inputs: NDArray[Any]
    seeds: Seeds
    damping: float
    factor: Array
    largest: float

    def check_condition(self) -> None:
        """Raise ValueError where solutions for right sides that are no combinations of gradients keep no digit."""
        if self.largest * EPSILON > self.damping:
            raise DampingError(self.damping, self.largest)

    def logdet(self) -> float:
        """Logarithm of the determinant of F + λ 1."""
        return float(self.net.parameters.size * np.log(self.damping) + 2 * np.log(np.diag(self.factor)).sum())


class Primal(Damped):
    """By F itself, P × P."""

    def solved(self, rows: Array) -> Array:
        """Solutions, (m, P), for right sides (m, P)."""
        self.check_condition()
        return np.asarray(cho_solve((self.factor, False), rows.T / self.damping).T)


@dataclass(frozen=True)
class Dual(Damped):
    """By the Gram dual, N K × N K, with a forward pass of all samples and the seeds (N, K, O) or (1, K, O)."""

    passed: Forward
    vectors: Array

    def solved(self, rows: Array) -> Array:
        """Solutions, (m, P), for right sides (m, P), corrected until what they leave of these is down to rounding.

        The dual form alone loses up to (1 + ‖F‖/λ)^{3/2} roundings; by corrections one factor 1 + ‖F‖/λ is left, which
        belongs to the problem.
        """
        self.check_condition()
        found = self._woodbury(rows)
        rest = self._rest(rows, found)
        size = np.linalg.norm(rest, axis=1, keepdims=True)
        for _ in range(CORRECTIONS):
            closer = found + self._woodbury(rest)
            left = self._rest(rows, closer)
            smaller = np.linalg.norm(left, axis=1, keepdims=True)
            better, much = smaller < size, (smaller < size / 2).any()
            found, rest, size = (np.where(better, *pair) for pair in ((closer, found), (left, rest), (smaller, size)))
            if not much:
                break
        return found

    def combined(self, coefficients: Array) -> Array:
        """Solution, (P,), for the right side Gᵀc/N with coefficients c (N, K)."""
        solved = cho_solve((self.factor, False), coefficients.ravel()) / (self.damping * len(self.inputs))
        return self._back(solved.reshape(coefficients.shape))

    def coefficients(self, loss: Loss, targets: Array, fisher: str) -> Array | None:
        """Coefficients c (N, K) of the gradient Gᵀc/N of the mean loss; None where the loss does not say them."""
        if fisher == "empirical":
            return np.ones((len(targets), 1))
        found = loss.expected_coefficients(exact_outputs(self.net, self.passed), targets)
        return found if found is not None and np.isfinite(found).all() else None

    def _woodbury(self, rows: Array) -> Array:
        """First form of the module's docstring, as it stands."""
        along = np.stack([self._along(row).ravel() for row in rows], axis=1)
        solved = cho_solve((self.factor, False), along).T / (self.damping * len(self.inputs))
        shape = len(self.inputs), self.vectors.shape[1]
        back = np.stack([self._back(one.reshape(shape)) for one in solved])
        return np.asarray((rows - back) / self.damping)

    def _rest(self, rows: Array, found: Array) -> Array:
        """What solutions leave of the right sides."""
        products = np.stack([self._back(self._along(one)) for one in found]) / len(self.inputs)
        return np.asarray(rows - products - self.damping * found)

    def _along(self, row: Array) -> Array:
        """Products G v with the seeded gradients, (N, K)."""
        outputs = pushed(self.net.layers(), self.net.layers(row), self.passed).outputs
        return np.asarray(np.einsum("nko,no->nk", self.vectors, outputs))

    def _back(self, coefficients: Array) -> Array:
        """Combinations Gᵀc of the seeded gradients, (P,)."""
        return pulled(self.net, self.passed, np.einsum("nko,nk->no", self.vectors, coefficients), Workspace())


def damped(net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, damping: float, fisher: str) -> Primal | Dual:
    """Damped Fisher information by the smaller of the dense matrices, in float64."""
    check_network(net)
    check_positive("damping", damping)
    double = replace(net, dtype="float64")
    return system(double, *checked(double, x, y, loss, fisher), float(damping))


def system(net: MLP, inputs: NDArray[Any], seeds: Seeds, damping: float) -> Primal | Dual:
    """Damped Fisher information of a float64 network, from checked inputs and their seeds."""
    common, layers = (net, inputs, seeds, damping), net.layers()
    with np.errstate(over="ignore", invalid="ignore"):  # asked for in the end
        if net.parameters.size < seeded_gradients(net, len(inputs), seeds):
            return Primal(*common, *_factor(products_of_parameters(net, inputs, seeds), len(inputs), damping))
        passed = forward(layers, net.activation, inputs)
        vectors = exact_seeds(exact_outputs(net, passed), seeds, slice(None))
        dual = gram(layers, seeded(layers, passed, vectors, np.ones(1))).T
        return Dual(*common, *_factor(dual, len(inputs), damping), passed, vectors)


def seeded_gradients(net: MLP, samples: int, seeds: Seeds) -> int:
    """Seeded gradients N K of so many samples; ValueError where they, and the parameters too, are too many."""
    found = samples * int(seeds(np.zeros((1, net.widths[-1])), slice(0, 1)).shape[1])
    if min(found, net.parameters.size) > MOST_ROWS:
        raise ValueError(
            f"x must have so few samples, or net so few parameters, that a dense matrix has up to {MOST_ROWS} rows, "
            f"got {found} seeded gradients and {net.parameters.size} parameters"
        )
    return found


def _factor(products: Array, samples: int, damping: float) -> tuple[Array, float]:
    """Upper Cholesky factor of 1 + S/λ for S = products / N, in their place, and the largest entry of S.

    Pivots that are no more than rounding are refused, whatever their sign.
    """
    products /= samples
    diagonal = np.einsum("ii->i", products)
    largest = float(finite(diagonal).max())
    if not np.isfinite(largest / damping):
        raise DampingError(damping, largest)
    products /= damping
    diagonal += 1
    try:
        factor = np.asarray(cho_factor(products, overwrite_a=True, check_finite=False)[0])
    except LinAlgError:
        raise DampingError(damping, largest) from None
    if np.diag(factor).min() ** 2 < len(factor) * EPSILON * (1 + largest / damping):
        raise DampingError(damping, largest)
    return factor, largest
