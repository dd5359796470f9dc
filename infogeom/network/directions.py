"""Derivatives along directions in parameter space, by one pass forward: the other half of products with matrices.

A matrix like the Fisher information is (1/N) Σ_n J_nᵀ M_n J_n with the Jacobian J_n of the outputs and an O × O matrix
M_n.  Its product with a vector v takes a pass forward that pushes v to J_n v, and a pass backward that pulls M_n J_n v
back (Schraudolph, "Fast curvature matrix-vector products for second-order gradient descent", Neural Computation 14,
2002).  Nothing larger than a forward pass or the parameters is held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import LinearOperator

from infogeom.arguments import finite_array
from infogeom.network.blocks import finite, summed
from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, Layer, Workspace, loss_gradient
from infogeom.network.seeds import check_network, exact_outputs

__all__ = [
    "Middle",
    "Pushed",
    "binary_size",
    "product",
    "pulled",
    "pushed",
    "rows_of",
    "summed_products",
    "symmetric_operator",
]

Array = NDArray[np.float64]
#: From outputs (n, O) in float64 and which samples they are of to a function u ↦ M u of arrays (n, O).
Middle = Callable[[Array, slice], Callable[[Array], Array]]


class Pushed(NamedTuple):
    """Derivatives along a direction: of z_l and a_l of each hidden layer, (N, W), and of the outputs, (N, O)."""

    before: list[NDArray[Any]]
    after: list[NDArray[Any]]
    outputs: NDArray[Any]


def binary_size(*arrays: NDArray[Any]) -> float:
    """Power of two by which the entries, divided, are below 2; 1 where all are 0."""
    largest = max(float(np.abs(array).max(initial=0.0)) for array in arrays)
    return float(np.ldexp(1.0, np.frexp(largest)[1] - 1)) if largest else 1.0


def rows_of(net: MLP, v: ArrayLike) -> Array:
    """Checked vectors in parameter space as rows (m, P), from one of shape (P,) or columns (P, m)."""
    check_network(net)
    found, size = finite_array("v", v, copy=False), net.parameters.size
    if found.ndim not in (1, 2) or len(found) != size or not found.size:
        raise ValueError(f"v must have shape (P,) or (P, m) with P = {size} parameters, got {np.shape(v)}")
    return np.ascontiguousarray(found.reshape(size, -1).T)


def pushed(layers: Sequence[Layer], direction: Sequence[Layer], passed: Forward) -> Pushed:
    """Derivatives of a forward pass along a direction, given as layers (weights and biases) of its own."""
    before: list[NDArray[Any]] = []
    after: list[NDArray[Any]] = []
    for layer, step, a, slope in zip(layers, direction, passed.inputs, [*passed.slopes, None], strict=True):
        z = a @ step.weights
        if after:
            z += after[-1] @ layer.weights
        if layer.scale != 1:
            z *= z.dtype.type(layer.scale)
        if step.bias is not None:
            z += step.bias
        if slope is not None:
            before.append(z)
            after.append(z * slope)
    return Pushed(before, after, z)


def pulled(net: MLP, passed: Forward, seeds: Array, workspace: Workspace) -> Array:
    """Σ_n J_nᵀ u_n for seeds u (n, O) of any size, shape (P,)."""
    size = binary_size(seeds)
    flat = workspace.array("gradient", net.parameters.shape, net.dtype)
    loss_gradient(net.layers(), net.layers(flat), passed, (seeds / size).astype(net.dtype))
    return np.multiply(flat, size, dtype=np.float64)


def product(net: MLP, x: NDArray[Any], v: ArrayLike, middle: Middle) -> Array:
    """(1/N) Σ_n J_nᵀ M_n J_n v, shape (P,) or (P, m) as that of v."""
    layers = net.layers()

    def add(rows: slice, passed: Forward, workspace: Workspace, directions: NDArray[Any], total: Array) -> None:
        weigh = middle(exact_outputs(net, passed), rows)
        for direction, own in zip(directions, total, strict=True):
            outputs = pushed(layers, net.layers(direction), passed).outputs
            own += pulled(net, passed, weigh(outputs.astype(np.float64)), workspace)

    return summed_products(net, x, v, add)


def summed_products(
    net: MLP,
    x: NDArray[Any],
    v: ArrayLike,
    add: Callable[[slice, Forward, Workspace, NDArray[Any], Array], None],
) -> Array:
    """Mean over samples of what is linear in v, shape (P,) or (P, m) as that of v.

    ``add(rows, passed, workspace, directions, total)`` adds to the rows of a total (m, P) what a tile of samples has
    for those of the directions.
    """
    rows = rows_of(net, v)
    sizes = np.array([[binary_size(row)] for row in rows])  # of each by itself, for one may be nothing beside another
    directions = (rows / sizes).astype(net.dtype)

    def of_tile(rows: slice, passed: Forward, workspace: Workspace, total: Array) -> None:
        add(rows, passed, workspace, directions, total)

    total = summed(net, x, of_tile, directions.shape)
    with np.errstate(over="ignore"):  # asked for here
        products = finite(total * (sizes / len(x)))
    return np.ascontiguousarray(products.T).reshape(np.shape(v))


def symmetric_operator(net: MLP, times: Callable[[Array], Array]) -> LinearOperator:
    """Operator of a symmetric matrix of parameters, by its products with vectors (P,) and (P, m)."""
    shape = net.parameters.size, net.parameters.size
    return LinearOperator(shape, matvec=times, rmatvec=times, matmat=times, rmatmat=times, dtype=np.float64)
