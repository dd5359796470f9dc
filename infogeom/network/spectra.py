"""Neural tangent kernels between samples and the spectra of kernel and Fisher information, by Gram matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.losses import Loss
from infogeom.network.blocks import finite
from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, Layer, backward, forward
from infogeom.network.seeds import Seeds, checked, inputs_of, scaled_seeds, unit_vectors

__all__ = ["fisher_spectrum", "gram", "ntk", "ntk_spectrum", "traced_kernel"]

Array = NDArray[np.float64]


def ntk(net: MLP, x: ArrayLike) -> Array:
    """Neural tangent kernel Λ_nm,ab = ∇f_a(x_n) · ∇f_b(x_m) (Eq. 4.2.1), shape (N, N, O, O).

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]]
    >>> ig.network.ntk(net, x).shape
    (2, 2, 2, 2)
    """
    inputs = inputs_of(net, x)
    n, outputs = len(inputs), net.widths[-1]
    return _gram(net, inputs, unit_vectors).reshape(n, outputs, n, outputs).transpose(0, 2, 1, 3)


def fisher_spectrum(net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, *, fisher: str = "empirical") -> Array:
    """Eigenvalues of the Fisher information that its data can make non-zero, the largest first.

    They are those of the Gram dual (1/N) G, with G the scalar products of the N per-sample gradients, or of N K seeded
    ones for the expected Fisher information (K = O vectors per sample): no P × P matrix is formed.  Arguments as for
    `fisher_trace`.

    Returns
    -------
    ndarray of float64, shape (N,) or (N K,)

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> ig.network.fisher_spectrum(net, x, y, ig.losses.CrossEntropy()).round(4)
    array([0.9341, 0.1651])
    """
    inputs, seeds = checked(net, x, y, loss, fisher)
    return _eigenvalues(_gram(net, inputs, seeds) / len(inputs))


def ntk_spectrum(net: MLP, x: ArrayLike, *, outputs: str = "all") -> Array:
    """Eigenvalues of the neural tangent kernel, the largest first.

    Parameters
    ----------
    net : MLP
    x : array_like, shape (N, d)
        Inputs.
    outputs : {"all", "trace"}
        Of the whole kernel, shape (N O,), or of its trace over outputs Σ_a Λ_nm,aa, shape (N,).

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]]
    >>> ig.network.ntk_spectrum(net, x).round(4)
    array([4.5206, 4.2059, 2.4245, 2.1061])
    """
    if outputs not in ("all", "trace"):
        raise ValueError(f"outputs must be 'all' or 'trace', got {outputs!r}")
    if outputs == "trace":
        return _eigenvalues(traced_kernel(net, inputs_of(net, x)))
    return _eigenvalues(_gram(net, inputs_of(net, x), unit_vectors))


def traced_kernel(net: MLP, x: NDArray[Any]) -> Array:
    """Trace over outputs of the kernel, Σ_a Λ_nm,aa, shape (N, N)."""
    n, outputs = len(x), net.widths[-1]
    return np.asarray(np.einsum("nama->nm", _gram(net, x, unit_vectors).reshape(n, outputs, n, outputs)))


def _gram(net: MLP, x: NDArray[Any], seeds: Seeds) -> Array:
    """Scalar products of all seeded gradients, shape (N K, N K)."""
    layers = net.layers()
    passed = forward(layers, net.activation, x)
    return gram(layers, passed, *scaled_seeds(net, passed, seeds, slice(None)))


def gram(layers: Sequence[Layer], passed: Forward, scaled: NDArray[Any], size: Array) -> Array:
    """Scalar products of gradients with seeds (N, K, O), or (1, K, O), times their size; row n k + a is seed a of n."""
    n, k = len(passed.outputs), scaled.shape[1]
    total, sizes = np.zeros((n * k, n * k)), np.repeat(np.broadcast_to(size, n), k)
    deltas = backward(layers, passed.slopes, scaled)

    # Layer by layer the products of δ times those of the inputs.
    with np.errstate(over="ignore", invalid="ignore"):  # asked for in the end
        for layer, a, delta in zip(layers[::-1], passed.inputs[::-1], deltas, strict=True):
            values = delta.values().astype(np.float64)
            rows, inputs = np.broadcast_to(values, (n, *values.shape[1:])).reshape(n * k, -1), a.astype(np.float64)
            weight = layer.scale**2 * (inputs @ inputs.T) + (layer.bias is not None)
            products = rows @ rows.T
            products.reshape(n, k, n, k)[:] *= weight[:, None, :, None]
            total += products
        total *= np.outer(sizes, sizes)
        return finite(total)


def _eigenvalues(gram: Array) -> Array:
    return np.asarray(np.linalg.eigvalsh(gram)[::-1], dtype=np.float64)
