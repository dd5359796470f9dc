"""Products GᵀG of seeded gradients, the rows of G, as a dense matrix, P × P: N times a Fisher information."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk

from infogeom.network.blocks import finite
from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, backward, forward
from infogeom.network.seeds import Seeds, exact_outputs, exact_seeds

__all__ = ["products_of_parameters"]

Array = NDArray[np.float64]
#: Numbers of seeded gradients that are written out at a time.
NUMBERS_AT_ONCE = 2**22


def products_of_parameters(net: MLP, inputs: NDArray[Any], seeds: Seeds) -> Array:
    """Upper triangle of N F = GᵀG, (P, P) in the order of Fortran, by blocks of seeded gradients written out."""
    layers, size = net.layers(), net.parameters.size
    total = np.zeros((size, size), order="F")
    length = max(1, NUMBERS_AT_ONCE // (size * net.widths[-1]))
    for start in range(0, len(inputs), length):
        rows = slice(start, min(start + length, len(inputs)))
        passed = forward(layers, net.activation, inputs[rows])
        vectors = exact_seeds(exact_outputs(net, passed), seeds, rows)
        written = _written_out(net, passed, vectors)
        total = dsyrk(1.0, written.T, beta=1.0, c=total, overwrite_c=True)
    return finite(total)


def _written_out(net: MLP, passed: Forward, vectors: Array) -> Array:
    """Seeded gradients as rows, (n K, P)."""
    layers, n = net.layers(), len(passed.outputs)
    parts: list[Array] = []
    for layer, a, delta in zip(
        layers[::-1], passed.inputs[::-1], backward(layers, passed.slopes, vectors), strict=True
    ):
        values = delta.values()
        of_bias = np.broadcast_to(values, (n, *values.shape[1:]))
        of_weights = (layer.scale * a)[:, None, :, None] * values[:, :, None]
        own = [of_weights.reshape(*of_bias.shape[:2], -1), of_bias]
        parts = own[: 1 + (layer.bias is not None)] + parts
    return np.concatenate(parts, axis=2).reshape(-1, net.parameters.size)
