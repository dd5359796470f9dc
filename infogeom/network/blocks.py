"""Passes over all samples, tile by tile and block by block: squares of seeded gradients and blocks of the kernel."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, Layer, Workspace, backward, forward, one_blas_thread, row_squares
from infogeom.network.seeds import Seeds, scaled_seeds, unit_vectors
from infogeom.threads import in_order

__all__ = ["finite", "over_kernel_blocks", "squares"]

Array = NDArray[np.float64]
T = TypeVar("T")
#: Samples of one forward pass.
TILE = 512
#: Numbers in one array of the backward passes.
BLOCK_SIZE = 2**18


def squares(net: MLP, x: NDArray[Any], seeds: Seeds) -> Array:
    """Σ_k |∇_l (v_k · f(x_n))|² for every sample and layer, shape (N, L)."""
    layers = net.layers()

    def block(rows: slice, passed: Forward, workspace: Workspace) -> Array:
        scaled, size = scaled_seeds(net, passed, seeds, rows)
        deltas = backward(layers, passed.slopes, scaled, workspace)
        weights = _input_squares(layers, passed)[::-1]
        columns = [delta.squares() * (size * size) * weight for delta, weight in zip(deltas, weights, strict=True)]
        input_side_first = np.broadcast_arrays(*columns[::-1])
        return finite(np.stack(input_side_first, axis=1))

    return np.concatenate(_over_blocks(net, x, block))


def over_kernel_blocks(
    net: MLP, x: NDArray[Any], reduce: Callable[[slice, Array, Array], Array]
) -> tuple[Array, list[NDArray[np.bool_]]]:
    """What ``reduce(rows, outputs, blocks)`` makes of outputs (n, O) and kernel blocks (n, O, O), for all samples.

    Blocks of few samples are held at a time. Also, for each hidden layer, which units have a slope on some sample.
    """
    layers = net.layers()

    def block(rows: slice, passed: Forward, workspace: Workspace) -> tuple[Array, list[NDArray[np.bool_]]]:
        scaled, _ = scaled_seeds(net, passed, unit_vectors, rows)
        deltas = backward(layers, passed.slopes, scaled, workspace)
        weights = _input_squares(layers, passed)[::-1]
        total: Any = sum(delta.grams() * w[:, None, None] for delta, w in zip(deltas, weights, strict=True))
        live = [(slope != 0).any(axis=0) for slope in passed.slopes]
        return reduce(rows, passed.outputs.astype(np.float64), finite(total)), live

    found = _over_blocks(net, x, block)
    reduced = np.concatenate([of_block for of_block, _ in found])
    by_layer = zip(*(live for _, live in found), strict=True)
    return reduced, [np.any(layer, axis=0) for layer in by_layer]


def finite(values: Array) -> Array:
    """The values, or OverflowError where a square of a gradient is beyond its floating-point range."""
    if not np.isfinite(values).all():
        raise OverflowError("squared gradients leave the floating-point range; inputs or parameters are too large")
    return values


def _input_squares(layers: Sequence[Layer], passed: Forward) -> list[Array]:
    """Factor s_l² |a_(l−1)|² + 1 of each layer, shape (n,)."""
    pairs = zip(layers, passed.inputs, strict=True)
    return [layer.scale**2 * row_squares(a) + (layer.bias is not None) for layer, a in pairs]


def _over_blocks(net: MLP, x: NDArray[Any], block: Callable[[slice, Forward, Workspace], T]) -> list[T]:
    """Results of a function of blocks of samples and their forward pass, in order.

    Tiles of samples run in parallel, the same for any thread count. Each has one forward pass, whose large products are
    what BLAS is best at, and goes back in blocks that stay in a core's own cache.
    """
    layers, length = net.layers(), max(1, BLOCK_SIZE // (net.widths[-1] * max(net.widths[1:])))

    def tile(rows: slice) -> list[T]:
        with np.errstate(over="ignore", invalid="ignore"):  # results are asked whether they are finite
            return backward_blocks(rows, forward(layers, net.activation, x[rows]), Workspace())

    def backward_blocks(rows: slice, passed: Forward, workspace: Workspace) -> list[T]:
        results = []
        for start in range(0, len(passed.outputs), length):
            cut = slice(start, start + length)
            inputs, slopes = [a[cut] for a in passed.inputs], [s[cut] for s in passed.slopes]
            own = slice(rows.start + cut.start, min(rows.start + cut.stop, rows.stop))
            results.append(block(own, Forward(inputs, slopes, passed.outputs[cut]), workspace))
        return results

    stride = math.ceil(len(x) / (2 * math.ceil(len(x) / (2 * TILE))))  # an even number of equal tiles
    tiles = [slice(start, min(start + stride, len(x))) for start in range(0, len(x), stride)]
    with one_blas_thread():
        return list(chain.from_iterable(in_order(tile, tiles, "samples")))
