"""Both sides of a layer, what comes in and what derivatives come back, and their second moments over samples.

The gradient of v · f(x_n) by a layer's parameters, in the order of ``net.parameters``, is the Kronecker product ã ⊗ δ
of the inputs ã = (s a, 1) of the layer (s a without bias) with δ = ∂(v · f)/∂z for a seed v.  All that Kronecker
approximations of a Fisher information take from the data are sums over one side, in which samples n hold seeds k.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.network.blocks import TILE, finite
from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, Layer, backward, forward, one_blas_thread
from infogeom.network.seeds import Seeds, scaled_seeds
from infogeom.threads import in_order

__all__ = ["Side", "Sides", "means", "sides"]

Array = NDArray[np.float64]
#: Numbers in one array of derivatives.
NUMBERS_AT_ONCE = 2**22
#: Vectors of one block of scalar products.
VECTORS = 640
#: Sums over samples that are held at a time.
SUMS = 4
#: Powers of two up to which fourth powers are far from the ends of float64, and squares from those of float32.
POWER_STEPS = 20


@dataclass(frozen=True, eq=False)
class Side:
    """Vectors x_nk over ``scale``, shape (N, K, w), or (1, K, w) where they are the same for all ``samples``."""

    vectors: NDArray[Any]
    samples: int
    scale: float

    @property
    def width(self) -> int:
        """Entries w of a vector."""
        return int(self.vectors.shape[2])

    def double(self) -> Side:
        """Side of these vectors in float64."""
        return Side(self.vectors.astype(np.float64), self.samples, self.scale)

    def moment(self) -> Array:
        """Second moment N⁻¹ Σ_nk x xᵀ, shape (w, w)."""
        flat = self.vectors.reshape(-1, self.width)
        factor = self.scale * self.scale / len(self.vectors)
        return np.asarray(np.multiply(flat.T @ flat, factor, dtype=np.float64))

    def combination(self, weights: Array) -> Array:
        """Weighted sum Σ_n w_n Σ_k x xᵀ for weights (N,), over scale², shape (w, w), symmetric to the last digit."""
        if len(self.vectors) == 1:
            weights = weights.sum(keepdims=True)
        weighted = self.vectors * weights[:, None, None]
        found = weighted.reshape(-1, self.width).T @ self.vectors.reshape(-1, self.width)
        return np.asarray((found + found.T) / 2)

    def squares(self, basis: Array) -> Array:
        """Squared components Σ_k (u_i · x_nk)² along the columns u_i of a basis, over scale², shape (N, w)."""
        components = self.vectors.reshape(-1, len(basis)) @ basis
        squares = np.einsum("nkw,nkw->nw", *[components.reshape(self.vectors.shape)] * 2)
        return np.broadcast_to(squares, (self.samples, len(basis)))

    def products(self) -> Array:
        """Squared scalar products Σ_kl (x_nk · x_ml)² between samples, over scale⁴, shape (N, N)."""
        x = self.vectors
        found = np.empty((len(x), len(x)))
        length = max(1, VECTORS // x.shape[1])
        cuts = [slice(start, start + length) for start in range(0, len(x), length)]

        def block(pair: tuple[slice, slice]) -> None:
            one, other = (x[cut].reshape(-1, x.shape[2]) for cut in pair)
            shape = len(x[pair[0]]), x.shape[1], len(x[pair[1]]), x.shape[1]
            gram = (one @ other.T).reshape(shape)
            found[pair] = np.einsum("nkml,nkml->nm", gram, gram)
            found[pair[::-1]] = found[pair].T

        with one_blas_thread():
            in_order(block, list(combinations_with_replacement(cuts, 2)), "samples")
        return np.broadcast_to(found, (self.samples, self.samples)) if len(x) == 1 else found


class Sides(NamedTuple):
    """Inputs ã, with one vector a sample, and derivatives δ of a layer, with one a seed."""

    inputs: Side
    outputs: Side

    def double(self) -> Sides:
        """Both sides in float64."""
        return Sides(self.inputs.double(), self.outputs.double())


def sides(
    net: MLP, layers: Sequence[Layer], passed: Forward, seeds: Seeds, rows: slice = slice(None)
) -> Iterator[Sides]:
    """Yield both sides of each layer, the last first, for samples that went forward through ``layers``."""
    scaled, size = scaled_seeds(net, passed, seeds, rows)
    largest = float(size.max()) or 1.0
    common = scaled * (size / largest)[:, None, None].astype(scaled.dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # `_side` asks for what is finite
        deltas = backward(layers, passed.slopes, common)
        for layer, a, delta in zip(layers[::-1], passed.inputs[::-1], deltas, strict=True):
            yield Sides(_side(_augmented(layer, a)[:, None], len(a), 1.0), _side(delta.values(), len(a), largest))


def _augmented(layer: Layer, a: NDArray[Any]) -> NDArray[Any]:
    """Inputs (s a, 1) of a layer, s a without bias, shape (n, fan_in + 1) or (n, fan_in)."""
    if layer.bias is None:
        return a if layer.scale == 1 else a * a.dtype.type(layer.scale)
    augmented = np.ones((len(a), a.shape[1] + 1), a.dtype)
    np.multiply(a, a.dtype.type(layer.scale), out=augmented[:, :-1])
    return augmented


def _side(vectors: NDArray[Any], samples: int, size: float) -> Side:
    """Side whose vectors, times a power of two where they need one, have squares within their range."""
    largest = max(float(vectors.max()), -float(vectors.min()))
    if not math.isfinite(largest):
        raise OverflowError("derivatives leave the floating-point range; inputs or parameters are too large")
    exponent = math.frexp(largest)[1]
    if abs(exponent) > POWER_STEPS and largest > 0:
        vectors, size = np.ldexp(vectors, -exponent), float(np.ldexp(size, exponent))
    return Side(vectors, samples, size)


def means(
    net: MLP,
    x: NDArray[Any],
    seeds: Seeds,
    each: int,
    measure: Callable[[int, Sides], tuple[Array, ...]],
    layers: Sequence[Layer] | None = None,
) -> list[list[Array]]:
    """Means over samples of what ``measure`` finds for layers by number and their sides, the first layer first.

    ``measure`` gives means over the samples it is given: a tile of them, with ``each`` seeds a sample.  Tiles run in
    parallel, the same for any thread count.
    """
    layers = layers or net.layers()
    chunks = min(SUMS, 2 * math.ceil(len(x) / (2 * TILE)), len(x))
    bounds = np.linspace(0, len(x), chunks + 1).astype(int).tolist()
    length = max(1, min(TILE, NUMBERS_AT_ONCE // (each * max(net.widths[1:]))))

    def tile(rows: slice) -> list[list[Array]]:
        passed, found = forward(layers, net.activation, x[rows]), []
        share = len(passed.outputs) / len(x)
        for number, both in zip(range(len(layers) - 1, -1, -1), sides(net, layers, passed, seeds, rows), strict=True):
            found.append([np.multiply(part, share, out=part) for part in measure(number, both)])
        return found[::-1]

    def chunk(ends: tuple[int, int]) -> list[list[Array]]:
        return _total(map(tile, [slice(start, min(start + length, ends[1])) for start in range(*ends, length)]))

    with one_blas_thread():
        total = _total(in_order(chunk, list(pairwise(bounds)), "samples"))
    for parts in total:
        for part in parts:
            finite(part)
    return total


def _total(found: Iterable[list[list[Array]]]) -> list[list[Array]]:
    """Sum of nested lists of arrays, in their order, perhaps not finite."""
    total: list[list[Array]] = []
    with np.errstate(over="ignore", invalid="ignore"):
        for parts in found:
            for sums, more in zip(total, parts, strict=False):
                for one, other in zip(sums, more, strict=True):
                    np.add(one, other, out=one)
            total = total or parts
    return total
