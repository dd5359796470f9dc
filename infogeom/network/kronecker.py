"""Kronecker approximations of the Fisher information, layer by layer, with their errors: K-FAC, EKFAC, best pairs.

No matrix of P × P parameters is formed: factors are sums over one side of a layer (`infogeom.network.sides`), errors
come from N × N products between samples (`infogeom.network.rearranged`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import Any, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from infogeom.arguments import check_count
from infogeom.losses import Loss
from infogeom.network.blocks import finite
from infogeom.network.directions import binary_size
from infogeom.network.kronecker_blocks import EigenBlock, Pair, SumBlock, eigen, places
from infogeom.network.mlp import MLP
from infogeom.network.passes import forward, one_blas_thread
from infogeom.network.rearranged import Rearranged, rearranged
from infogeom.network.seeds import Seeds, checked
from infogeom.network.sides import Side, Sides, means, sides
from infogeom.threads import in_order
from infogeom.variables import numbers

__all__ = ["ekfac", "kfac", "kronecker_errors", "kronecker_pairs"]

Array = NDArray[np.float64]
T = TypeVar("T")
#: Approximations whose errors are found together.
APPROXIMATIONS = {"kfac": "K-FAC", "ekfac": "EKFAC", "pair": "the best Kronecker product"}
#: Samples between which all products are taken, at most.
MOST_SAMPLES = 4000


def kfac(net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, *, fisher: str = "empirical") -> tuple[SumBlock, ...]:
    """K-FAC: each layer's Fisher information as the Kronecker product of the second moments of its two sides.

    A = N⁻¹ Σ_n ã ãᵀ of the inputs ã = (s a, 1) and G = N⁻¹ Σ_nk δ δᵀ of the derivatives δ, one seed a sample for the
    empirical Fisher information, O for the expected one (Martens and Grosse, "Optimizing Neural Networks with
    Kronecker-factored Approximate Curvature", ICML 2015).  Arguments and errors as for `fisher_trace`.

    Returns
    -------
    tuple of blocks, one a layer, input side first
        ``factors`` holds the pair (A, G): F_l ≈ A ⊗ G in the order of ``net.parameters``, where PyTorch's libraries
        have G ⊗ A; ``parameters`` is the layer's slice there. ``trace`` (not that of F_l), ``error`` (relative, in
        Frobenius norm; it may exceed 1), ``product(v)``, ``solve(v, damping)`` and ``logdet(damping)`` for vectors of
        the slice, (P_l,) or (P_l, r); ``bases`` and ``eigenvalues``. Errors take N × N products, and are found when the
        first is asked for; ValueError for more than 4,000 samples, OverflowError for what leaves float64.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> first, last = ig.network.kfac(net, x, y, ig.losses.CrossEntropy())
    >>> [(A, G)] = first.factors
    >>> A.shape, G.shape, round(first.error, 4)
    ((3, 3), (3, 3), 0.6604)
    """
    truth = _Truth.of(net, x, y, loss, fisher)
    blocks = []
    for l, (pair, place) in enumerate(zip(truth.moments(), places(net), strict=True)):
        blocks.append(SumBlock((pair,), place, partial(truth.error, l)))
    return tuple(blocks)


def ekfac(
    net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, *, fisher: str = "empirical"
) -> tuple[EigenBlock, ...]:
    """EKFAC: K-FAC's eigenvectors, with the diagonal of the layer's Fisher information between them as eigenvalues.

    N⁻¹ Σ_nk (U_Aᵀ ã)_i² (U_Gᵀ δ)_j² is the best diagonal there is between these eigenvectors, so its error is at most
    K-FAC's, and it keeps the trace (George et al., "Fast Approximate Natural Gradient Descent in a
    Kronecker-factored Eigenbasis", NeurIPS 2018).  Arguments, errors and blocks as for `kfac`; ``factors`` holds the
    pair whose eigenvectors these are.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> loss = ig.losses.CrossEntropy()
    >>> blocks = ig.network.ekfac(net, x, y, loss)
    >>> round(sum(block.trace for block in blocks) / ig.network.fisher_trace(net, x, y, loss), 4)
    1.0
    """
    truth = _Truth.of(net, x, y, loss, fisher)
    pairs = truth.moments()
    with one_blas_thread():
        vectors = in_order(lambda factor: eigen(factor)[1], list(chain.from_iterable(pairs)), "eigenvectors")
    bases = list(zip(vectors[::2], vectors[1::2], strict=True))

    def diagonal(l: int, both: Sides) -> tuple[Array, ...]:
        """Diagonal of F_l between the eigenvectors, and those of the moments of both sides."""
        inputs, outputs = [side.double().squares(U) * side.scale**2 for side, U in zip(both, bases[l], strict=True)]
        return inputs.T @ outputs / len(inputs), inputs.mean(axis=0), outputs.mean(axis=0)

    blocks = []
    for l, (spectrum, of_inputs, of_outputs) in enumerate(truth.means(diagonal)):
        with np.errstate(over="ignore"):  # asked for here
            mended = finite(spectrum - np.outer(of_inputs, of_outputs))
        size = binary_size(mended)  # whose square may be beyond float64
        deviation = size * float(np.linalg.norm(mended / size))
        measured = partial(truth.error, l, deviation)
        blocks.append(EigenBlock((pairs[l],), places(net)[l], measured, bases[l], spectrum))
    return tuple(blocks)


def kronecker_pairs(
    net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, rank: int = 1, *, fisher: str = "empirical"
) -> tuple[SumBlock, ...]:
    """Sum of Kronecker products that is nearest to each layer's Fisher information in Frobenius norm.

    They are leading singular pairs of the rearranged matrix (`infogeom.network.rearranged`). The first is positive
    semi-definite, the others are not: ``solve`` and ``logdet`` are for ``rank=1`` and raise ValueError beyond.

    Parameters
    ----------
    net, x, y, loss, fisher
        As for `kfac`; at most 4,000 samples.
    rank : int
        Pairs (A_i, G_i), at least 1, of equal norm ‖A_i‖ = ‖G_i‖ and falling; fewer where fewer are exact.

    Returns
    -------
    tuple of blocks, one a layer, input side first
        As for `kfac`.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> loss = ig.losses.CrossEntropy()
    >>> for rank in (1, 2):
    ...     print([round(block.error, 4) for block in ig.network.kronecker_pairs(net, x, y, loss, rank)])
    [0.5678, 0.0]
    [0.0, 0.0]
    """
    check_count("rank", rank)
    truth = _Truth.of(net, x, y, loss, fisher)
    blocks = []
    for (pairs, error), place in zip(truth.each(partial(_nearest, rank=rank)), places(net), strict=True):
        blocks.append(SumBlock(pairs, place, partial(float, error)))
    return tuple(blocks)


def kronecker_errors(
    net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, *, fisher: str = "empirical"
) -> xr.Dataset:
    """Relative errors, in Frobenius norm, of K-FAC, EKFAC and the best pair for every layer.

    Those of `kfac`, `ekfac` and `kronecker_pairs` with rank 1, in one pass: cheap enough to record along training.
    Arguments as for `kfac`; at most 4,000 samples.

    Returns
    -------
    xarray.Dataset
        ``kfac``, ``ekfac`` and ``pair`` along "layer", which counts from 1, input side first. EKFAC's and the best
        pair's lie in [0, 1] and are at most K-FAC's, which may exceed 1; neither of the two bounds the other.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> errors = ig.network.kronecker_errors(net, x, y, ig.losses.CrossEntropy())
    >>> for name in errors:
    ...     print(name, errors[name].values.round(4))
    kfac [0.6604 0.5297]
    ekfac [0.6514 0.5295]
    pair [0.5678 0.    ]
    """
    truth = _Truth.of(net, x, y, loss, fisher)
    rows = truth.each(_errors)
    columns = zip(APPROXIMATIONS.items(), np.array(rows).T, strict=True)
    variables = {name: numbers("layer", column, f"relative error of {title}") for (name, title), column in columns}
    layers = {"layer": numbers("layer", np.arange(1, len(rows) + 1), "layer")}
    attributes = {"model": repr(net), "loss": loss.name, "fisher": fisher, "samples": len(truth.inputs)}
    return xr.Dataset(variables, layers, attributes)


def _nearest(both: Sides, rank: int) -> tuple[tuple[Pair, ...], float]:
    """Pairs of the two sides of a layer, one of zeros where there is nothing to approximate, and their error."""
    products, pairs = rearranged(both), []
    unit = both.inputs.scale * both.outputs.scale
    a, b = products.leading(rank)
    for of_inputs, of_outputs in zip(a, b, strict=True):
        A, G = _balanced(both.inputs.combination(of_inputs), both.outputs.combination(of_outputs))
        pairs.append((finite(A * unit), finite(G * unit)))
    if not pairs:
        pairs.append((0 * both.inputs.moment(), 0 * both.outputs.moment()))
    return tuple(pairs), _relative(products.of_combinations(a, b), products.square())


def _errors(both: Sides) -> tuple[float, float, float]:
    """Errors of K-FAC, EKFAC and best pair for the two sides of a layer, which two threads may take."""

    def part(side: Side) -> tuple[Array, Array]:
        squares = side.squares(eigen(side.moment())[1])
        return side.products(), squares - squares.mean(axis=0)

    (inputs, outputs), (of_inputs, of_outputs) = zip(*in_order(part, both, "sides"), strict=True)
    products = Rearranged(inputs, outputs)
    square, of_moments = products.square(), products.of_moments()
    # The product of the moments is diagonal between their eigenvectors: what EKFAC mends of it is a diagonal, too.
    deviation = of_inputs.T @ of_outputs / len(inputs)
    mended = of_moments - float(np.vdot(deviation, deviation))
    best = products.of_combinations(*products.leading(1))
    return _relative(of_moments, square), _relative(mended, square), _relative(best, square)


def _of_kfac(both: Sides) -> tuple[float, float]:
    """Frobenius norm of a layer's block, and the square of K-FAC's relative error."""
    products, unit = rearranged(both), both.inputs.scale * both.outputs.scale
    error = _relative(products.of_moments(), products.square())
    return math.sqrt(products.square()) * unit * unit, error**2


def _relative(distance: float, square: float) -> float:
    """Relative distance from squared ones; 0 where there is nothing to approximate."""
    return math.sqrt(max(0.0, distance) / square) if square > 0 else 0.0


def _balanced(A: Array, G: Array) -> Pair:
    """Factors of equal norm and of that product, the first of positive trace."""
    ratio = math.sqrt(np.linalg.norm(G) / np.linalg.norm(A))
    sign = -1 if A.trace() < 0 else 1
    return sign * A * ratio, sign * G / ratio


@dataclass(frozen=True, eq=False)
class _Truth:
    """A network's Fisher information on samples, which approximations are taken from and held against."""

    net: MLP
    inputs: NDArray[Any]
    targets: NDArray[Any] | None
    loss: Loss
    fisher: str

    @classmethod
    def of(cls, net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, fisher: str) -> _Truth:
        """From checked arguments, of which errors that are asked for later need copies."""
        inputs, _ = checked(net, x, y, loss, fisher)
        return cls(net, inputs.copy(), None if y is None else np.array(y), loss, fisher)

    @property
    def seeds(self) -> Seeds:
        """Seeds of the backward passes."""
        return checked(self.net, self.inputs, self.targets, self.loss, self.fisher)[1]

    def means(self, measure: Callable[[int, Sides], tuple[Array, ...]]) -> list[list[Array]]:
        """Means over samples of what ``measure`` finds in each layer."""
        each = 1 if self.fisher == "empirical" else self.net.widths[-1]
        return means(self.net, self.inputs, self.seeds, each, measure)

    def moments(self) -> list[Pair]:
        """Second moments of both sides of each layer."""
        return [(A, G) for A, G in self.means(lambda _, both: (both.inputs.moment(), both.outputs.moment()))]

    def each(self, measure: Callable[[Sides], T]) -> list[T]:
        """What ``measure`` finds from both sides of each layer, on all samples and in float64."""
        if len(self.inputs) > MOST_SAMPLES:
            raise ValueError(
                f"x must have at most {MOST_SAMPLES} samples where products between all of them are taken, "
                f"got {len(self.inputs)}; take some, as stratified_sample does"
            )
        layers = self.net.layers()
        with one_blas_thread():
            passed = forward(layers, self.net.activation, self.inputs)
            found = [measure(both.double()) for both in sides(self.net, layers, passed, self.seeds)]
        return found[::-1]

    @cached_property
    def squares(self) -> list[tuple[float, float]]:
        """Frobenius norm of each layer's block, and the square of K-FAC's relative error."""
        return self.each(_of_kfac)

    def error(self, l: int, deviation: float = 0.0) -> float:
        """Relative error in a layer of K-FAC, or of what mends a diagonal of it by so much, in Frobenius norm."""
        size, square = self.squares[l]
        mended = deviation / size if size else 0.0
        return _relative(square - mended**2, 1.0)
