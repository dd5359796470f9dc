"""Passes over all samples, tile by tile and block by block: squares of seeded gradients and blocks of the kernel."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, Layer, Workspace, backward, forward, one_blas_thread, row_squares
from infogeom.network.seeds import Seeds, scaled_seeds, unit_vectors
from infogeom.threads import in_order

__all__ = ["SeedSquares", "finite", "input_squares", "kernel_blocks", "parts_of", "seed_squares", "squares", "summed"]

Array = NDArray[np.float64]
T = TypeVar("T")
#: Samples of one forward pass.
TILE = 512
#: Numbers in one array of the backward passes.
BLOCK_SIZE = 2**18
#: Time of a product in combinations of derivatives, over that of one in a pass.
COMBINATION_COST = 4
#: Sums over samples that go on side by side, at most: each holds an array of the result's size.
SUMS = 4


class SeedSquares(NamedTuple):
    """What one pass over all samples finds for several seeds."""

    #: Σ_k |∇_l (v_k · f(x_n))|² of each seeds, sample and layer, shape (S, N, L).
    squares: Array
    #: In float64, shape (N, O).
    outputs: Array
    #: For each hidden layer, which units have a slope on some sample.
    live: list[NDArray[np.bool_]]


def squares(net: MLP, x: NDArray[Any], seeds: Seeds) -> Array:
    """Σ_k |∇_l (v_k · f(x_n))|² for every sample and layer, shape (N, L)."""
    return np.asarray(seed_squares(net, x, [seeds]).squares[0])


def seed_squares(net: MLP, x: NDArray[Any], seeds: Sequence[Seeds]) -> SeedSquares:
    """Squares of gradients for several seeds, the first of them unit vectors, by one forward pass."""
    layers = net.layers()

    def block(rows: slice, passed: Forward, workspace: Workspace) -> SeedSquares:
        weights = input_squares(layers, passed)
        scaled, sizes = zip(*[scaled_seeds(net, passed, one, rows) for one in seeds], strict=True)
        found = []
        for by_layer, size in zip(_delta_squares(layers, passed, scaled, workspace), sizes, strict=True):
            columns = [square * (size * size) * weight for square, weight in zip(by_layer, weights, strict=True)]
            found.append(np.stack(np.broadcast_arrays(*columns), axis=1))
        live = [(slope != 0).any(axis=0) for slope in passed.slopes]
        return SeedSquares(finite(np.stack(found)), passed.outputs.astype(np.float64), live)

    found, outputs, live = zip(*_over_blocks(net, x, block), strict=True)
    anywhere = [np.any(layer, axis=0) for layer in zip(*live, strict=True)]
    return SeedSquares(np.concatenate(found, axis=1), np.concatenate(outputs), anywhere)


def _delta_squares(
    layers: Sequence[Layer], passed: Forward, seeds: Sequence[NDArray[Any]], workspace: Workspace
) -> list[list[Array]]:
    """Squares of the derivatives of each layer, the first layer first, for several seeds, of which the first are units.

    Seeds of many vectors a sample are combinations of units, and so are their derivatives, by fewer products than a
    pass of their own where outputs are few.
    """
    few = COMBINATION_COST * len(layers[-1].weights[0]) * sum(len(layer.weights) for layer in layers[1:])
    combined = []
    if few < sum(layer.weights.size for layer in layers[1:]):
        combined = [number for number, one in enumerate(seeds) if number and len(one) > 1 and one.shape[1] > 1]

    found: Any = [[] for _ in seeds]
    for delta in backward(layers, passed.slopes, seeds[0], workspace):
        found[0].append(delta.squares())
        for number in combined:
            found[number].append(delta.combined_squares(seeds[number]))

    # Those of a residual loss are units again; what is left has passes of its own.
    for columns, one in zip(found, seeds, strict=True):
        if not columns and np.array_equal(one, seeds[0]):
            columns += found[0]
        elif not columns:
            columns += [delta.squares() for delta in backward(layers, passed.slopes, one, workspace)]
    return [columns[::-1] for columns in found]


def kernel_blocks(net: MLP, x: NDArray[Any]) -> Array:
    """Kernel Λ_nn of each sample with itself, shape (N, O, O)."""
    layers = net.layers()

    def block(rows: slice, passed: Forward, workspace: Workspace) -> Array:
        scaled, _ = scaled_seeds(net, passed, unit_vectors, rows)
        deltas = backward(layers, passed.slopes, scaled, workspace)
        weights = input_squares(layers, passed)[::-1]
        total: Any = sum(delta.grams() * w[:, None, None] for delta, w in zip(deltas, weights, strict=True))
        return finite(total)

    return np.concatenate(_over_blocks(net, x, block))


def finite(values: Array) -> Array:
    """The values, or OverflowError where a square of a gradient is beyond its floating-point range."""
    if not np.isfinite(values).all():
        raise OverflowError("squared gradients leave the floating-point range; inputs or parameters are too large")
    return values


def input_squares(layers: Sequence[Layer], passed: Forward) -> list[Array]:
    """Factor s_l² |a_(l−1)|² + 1 of each layer, shape (n,)."""
    pairs = zip(layers, passed.inputs, strict=True)
    return [layer.scale**2 * row_squares(a) + (layer.bias is not None) for layer, a in pairs]


def _over_blocks(net: MLP, x: NDArray[Any], block: Callable[[slice, Forward, Workspace], T]) -> list[T]:
    """Results of a function of blocks of samples and their forward pass, in order.

    Tiles of samples run in parallel, the same for any thread count. Each has one forward pass, whose large products are
    what BLAS is best at, and goes back in blocks that stay in a core's own cache.
    """
    layers = net.layers()

    def tile(rows: slice) -> list[T]:
        workspace = Workspace()
        with np.errstate(over="ignore", invalid="ignore"):  # results are asked whether they are finite
            passed = forward(layers, net.activation, x[rows])
            return [block(own, part, workspace) for own, part in parts_of(net, rows, passed)]

    with one_blas_thread():
        return list(chain.from_iterable(in_order(tile, _tiles(len(x)), "samples")))


def parts_of(net: MLP, rows: slice, passed: Forward, seeds: int | None = None) -> Iterator[tuple[slice, Forward]]:
    """Blocks of a tile: which samples they are, and their part of its forward pass.

    They are for backward passes of as many seeds as there are outputs, or of a given number.
    """
    length = max(1, BLOCK_SIZE // ((seeds or net.widths[-1]) * max(net.widths[1:])))
    for start in range(0, len(passed.outputs), length):
        cut = slice(start, start + length)
        inputs, slopes = [a[cut] for a in passed.inputs], [s[cut] for s in passed.slopes]
        own = slice(rows.start + cut.start, min(rows.start + cut.stop, rows.stop))
        yield own, Forward(inputs, slopes, passed.outputs[cut])


def summed(
    net: MLP, x: NDArray[Any], add: Callable[[slice, Forward, Workspace, Array], None], shape: tuple[int, ...]
) -> Array:
    """Sum over all samples of what ``add(rows, passed, workspace, total)`` adds to a total for each tile of them.

    Runs of tiles go on in parallel, the same for any thread count, so that few totals are held at a time.
    """
    layers, tiles = net.layers(), _tiles(len(x))

    def run(own: Sequence[slice]) -> Array:
        total, workspace = np.zeros(shape), Workspace()
        with np.errstate(over="ignore", invalid="ignore"):  # asked for below
            for rows in own:
                add(rows, forward(layers, net.activation, x[rows]), workspace, total)
        return total

    length = math.ceil(len(tiles) / SUMS)
    runs = [tiles[start : start + length] for start in range(0, len(tiles), length)]
    with one_blas_thread():
        total, *others = in_order(run, runs, "samples")
    with np.errstate(over="ignore", invalid="ignore"):
        for other in others:
            total += other
    return finite(total)


def _tiles(samples: int) -> list[slice]:
    """Tiles of samples, an even number of about equal ones."""
    stride = math.ceil(samples / (2 * math.ceil(samples / (2 * TILE))))
    return [slice(start, min(start + stride, samples)) for start in range(0, samples, stride)]
