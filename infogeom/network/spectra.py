"""Neural tangent kernels between samples and the spectra of kernel and Fisher information, by Gram matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.losses import Loss
from infogeom.network.blocks import finite
from infogeom.network.dense import NUMBERS_AT_ONCE, products_of_parameters
from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, Layer, backward, forward
from infogeom.network.seeds import Seeds, checked, exact_outputs, inputs_of, scaled_seeds, unit_vectors

__all__ = [
    "Seeded",
    "fisher_spectrum",
    "gram",
    "kernel_matrix",
    "ntk",
    "ntk_spectrum",
    "seeded",
    "traced_kernel",
    "traced_spectrum",
]

Array = NDArray[np.float64]
#: Rows of a block of the kernel: what is between its samples stays small beside the kernel.
BLOCK_ROWS = 2048


class Seeded(NamedTuple):
    """Gradients with seeds, by both sides of each layer, the last first: inputs (N, fan_in), derivatives (N K, W).

    All are over their ``size`` (N K,).
    """

    sides: list[tuple[Array, Array]]
    size: Array


def ntk(net: MLP, x: ArrayLike, other: ArrayLike | None = None) -> Array:
    """Neural tangent kernel Λ_nm,ab = ∇f_a(x_n) · ∇f_b(x_m) (Eq. 4.2.1), shape (N, M, O, O).

    With the standard parametrisation it grows in proportion to the width of a wide network; with
    ``parametrization="ntk"`` it has a limit, which for some activations is `infinite_width_kernel`.

    Parameters
    ----------
    net : MLP
    x : array_like, shape (N, d)
        Inputs x_n.
    other : array_like, shape (M, d), optional
        Inputs x_m, those of ``x`` when omitted.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.
    MemoryError
        Naming the size, where there is no memory for so many numbers.
    OverflowError
        When outputs or gradients leave the floating-point range.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]]
    >>> ig.network.ntk(net, x, [[0.3, 0.1]]).shape
    (2, 1, 2, 2)
    """
    inputs, outputs = inputs_of(net, x), net.widths[-1]
    others = None if other is None else net.checked_inputs(other, "other")
    matrix = kernel_matrix(net, inputs, others)
    return matrix.reshape(len(inputs), outputs, -1, outputs).transpose(0, 2, 1, 3)


def fisher_spectrum(net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, *, fisher: str = "empirical") -> Array:
    """Eigenvalues of the Fisher information that its data can make non-zero, the largest first.

    They are those of the matrix itself, P × P, or of its Gram dual (1/N) G, where this is smaller: the scalar products
    of the N per-sample gradients, or of N K seeded ones for the expected Fisher information (K = O vectors per sample).
    None is negative: those that rounding leaves below zero, by some N machine epsilons of the trace, are set to it.
    Arguments as for `fisher_trace`.

    Returns
    -------
    ndarray of float64, shape (min(N, P),) or (min(N K, P),)

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> ig.network.fisher_spectrum(net, x, y, ig.losses.CrossEntropy()).round(4)
    array([0.9341, 0.1651])
    """
    inputs, seeds = checked(net, x, y, loss, fisher)
    return _spectrum(net, inputs, seeds) / len(inputs)


def ntk_spectrum(net: MLP, x: ArrayLike, *, outputs: str = "all") -> Array:
    """Eigenvalues of the neural tangent kernel, the largest first and none negative, as for `fisher_spectrum`.

    Parameters
    ----------
    net : MLP
    x : array_like, shape (N, d)
        Inputs.
    outputs : {"all", "trace"}
        Of the whole kernel, shape (min(N O, P),), or of its trace over outputs Σ_a Λ_nm,aa, shape (min(N, P),) unless
        it can have more: gradients of different outputs need not lie in one space of P dimensions.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]]
    >>> ig.network.ntk_spectrum(net, x).round(4)
    array([4.5206, 4.2059, 2.4245, 2.1061])
    """
    if outputs not in ("all", "trace"):
        raise ValueError(f"outputs must be 'all' or 'trace', got {outputs!r}")
    inputs = inputs_of(net, x)
    if outputs == "trace":
        return traced_spectrum(net, traced_kernel(net, inputs))
    return _spectrum(net, inputs, unit_vectors)


def traced_kernel(net: MLP, x: NDArray[Any]) -> Array:
    """Trace over outputs of the kernel, Σ_a Λ_nm,aa, shape (N, N)."""
    layers, n = net.layers(), len(x)
    passed = forward(layers, net.activation, x)
    seeds, _ = scaled_seeds(net, passed, unit_vectors, slice(None))
    products = np.zeros((len(layers), n, n))
    length = max(1, NUMBERS_AT_ONCE // (n * max(net.widths[1:])))

    # Products of δ, for a few outputs at a time; then times those of the inputs.
    with np.errstate(over="ignore", invalid="ignore"):  # asked for in the end
        for start in range(0, seeds.shape[1], length):
            deltas = backward(layers, passed.slopes, seeds[:, start : start + length])
            for of_layer, delta in zip(products[::-1], deltas, strict=True):
                of_layer += delta.products()
        for of_layer, layer, a in zip(products, layers, passed.inputs, strict=True):
            double = a.astype(np.float64)
            of_layer *= layer.scale**2 * (double @ double.T) + (layer.bias is not None)
        return finite(products.sum(axis=0))


def traced_spectrum(net: MLP, kernel: Array) -> Array:
    """Eigenvalues of a traced kernel that are not zero whatever the samples.

    The derivatives of f_a by the weights of a layer are combinations of a(x)_i times products of slopes along the paths
    from unit j to the outputs, which are the same for all outputs: more than P functions of x for some deep networks.
    """
    functions, paths = net.widths[-2] + net.bias, 1
    for fan_in, width in zip(net.widths[-3::-1], net.widths[-2:0:-1], strict=True):
        functions += (fan_in + net.bias) * width * min(paths, net.widths[-1])
        paths *= width
    return _eigenvalues(kernel)[: max(functions, net.parameters.size)]


def kernel_matrix(net: MLP, x: NDArray[Any], other: NDArray[Any] | None = None) -> Array:
    """Neural tangent kernel between two sets of inputs, or of one, shape (N O, M O); row n O + a is output a of n."""
    outputs, columns = net.widths[-1], x if other is None else other
    try:
        matrix = np.empty((len(x) * outputs, len(columns) * outputs))
    except (MemoryError, ValueError):
        raise MemoryError(
            f"there is no memory for the kernel between {len(x)} and {len(columns)} samples of {outputs} outputs: "
            f"{len(x) * len(columns) * outputs**2 * 8 / 1e9:.3g} GB"
        ) from None

    # Block by block, and those below the diagonal of a symmetric matrix by those above it.
    for first in _samples(x, outputs):
        one = _of_samples(net, x[first], unit_vectors)
        rows = slice(first.start * outputs, first.stop * outputs)
        for second in _samples(columns, outputs):
            across = slice(second.start * outputs, second.stop * outputs)
            if other is None and second.start <= first.start:
                if second == first:
                    matrix[rows, across] = gram(net.layers(), one)
                continue
            block = gram(net.layers(), one, _of_samples(net, columns[second], unit_vectors))
            matrix[rows, across] = block
            if other is None:
                matrix[across, rows] = block.T
    return matrix


def _samples(x: NDArray[Any], outputs: int) -> list[slice]:
    """Which samples make a block each."""
    length = max(1, BLOCK_ROWS // outputs)
    return [slice(start, min(start + length, len(x))) for start in range(0, len(x), length)]


def _spectrum(net: MLP, x: NDArray[Any], seeds: Seeds) -> Array:
    """Eigenvalues of G Gᵀ for seeded gradients, the rows of G, or of GᵀG where this is smaller."""
    one = seeds(exact_outputs(net, forward(net.layers(), net.activation, x[:1])), slice(0, 1))
    if net.parameters.size < len(x) * one.shape[1]:
        double = replace(net, dtype="float64")
        return _eigenvalues(products_of_parameters(double, x.astype(np.float64), seeds).T)
    if seeds is unit_vectors:
        return _eigenvalues(kernel_matrix(net, x))
    return _eigenvalues(gram(net.layers(), _of_samples(net, x, seeds)))


def _of_samples(net: MLP, x: NDArray[Any], seeds: Seeds) -> Seeded:
    """Seeded gradients of inputs."""
    layers = net.layers()
    passed = forward(layers, net.activation, x)
    return seeded(layers, passed, *scaled_seeds(net, passed, seeds, slice(None)))


def seeded(layers: Sequence[Layer], passed: Forward, scaled: NDArray[Any], size: Array) -> Seeded:
    """Gradients with seeds (N, K, O), or (1, K, O), times their size (N,), or (1,)."""
    n, k = len(passed.outputs), scaled.shape[1]
    sides = []
    with np.errstate(over="ignore", invalid="ignore"):  # whoever takes their products asks
        for a, delta in zip(passed.inputs[::-1], backward(layers, passed.slopes, scaled), strict=True):
            values = delta.values().astype(np.float64)
            rows = np.broadcast_to(values, (n, *values.shape[1:])).reshape(n * k, -1)
            sides.append((a.astype(np.float64), rows))
    return Seeded(sides, np.repeat(np.broadcast_to(size, n), k))


def gram(layers: Sequence[Layer], one: Seeded, other: Seeded | None = None) -> Array:
    """Scalar products of seeded gradients with others, or with each other; row n k + a is seed a of n."""
    other = other or one
    total = np.zeros((one.size.size, other.size.size))

    # Layer by layer the products of δ times those of the inputs.
    with np.errstate(over="ignore", invalid="ignore"):  # asked for in the end
        for layer, (a, rows), (b, columns) in zip(layers[::-1], one.sides, other.sides, strict=True):
            weight = layer.scale**2 * (a @ b.T) + (layer.bias is not None)
            products = rows @ columns.T
            products.reshape(len(a), -1, len(b), len(columns) // len(b))[:] *= weight[:, None, :, None]
            total += products
        total *= np.outer(one.size, other.size)
        return finite(total)


def _eigenvalues(gram: Array) -> Array:
    """Eigenvalues of scalar products, from their lower triangle, the largest first."""
    return np.asarray(np.linalg.eigvalsh(gram)[::-1].clip(min=0), dtype=np.float64)
