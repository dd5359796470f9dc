"""The Fisher information as a matrix, without the matrix: its diagonal, and its products with vectors.

With the Jacobian J_n of the outputs it is (1/N) Σ_n J_nᵀ M_n J_n, where M_n is r_n r_nᵀ for the loss derivative r_n
(empirical, Eq. 3.3.1), or the mean of that over labels of the model itself (expected).  Parameters are flat in the
order of ``net.parameters``, and results are float64, of passes in the network's dtype.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import LinearOperator

from infogeom.losses import Loss
from infogeom.network.blocks import parts_of, summed
from infogeom.network.directions import Middle, product, symmetric_operator
from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, Workspace, backward
from infogeom.network.seeds import Seeds, checked, exact_seeds, scaled_seeds

__all__ = ["fisher_diagonal", "fisher_operator", "fisher_product"]

Array = NDArray[np.float64]


def fisher_diagonal(net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, *, fisher: str = "empirical") -> Array:
    """Diagonal of the Fisher information, (1/N) Σ_n (∂ℓ_n/∂θ_i)² for the empirical one (Eq. 3.3.1).

    Its sum is `fisher_trace`.

    Parameters
    ----------
    net, x, y, loss, fisher
        As for `fisher_trace`.

    Returns
    -------
    ndarray of float64, shape (P,)
        In the order of ``net.parameters``.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.
    OverflowError
        When outputs, loss derivatives or squares leave the floating-point range.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 1, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> ig.network.fisher_diagonal(net, x, y, ig.losses.CrossEntropy()).round(4)
    array([0.0587, 0.0147, 0.0587, 0.0063, 0.0063, 0.136 , 0.136 ])
    """
    inputs, seeds = checked(net, x, y, loss, fisher)
    layers = net.layers()

    def add(rows: slice, passed: Forward, workspace: Workspace, total: Array) -> None:
        units = [np.empty((len(passed.outputs), width)) for width in net.widths[1:]]
        for own, part in parts_of(net, rows, passed):
            scaled, size = scaled_seeds(net, part, seeds, own)
            cut = slice(own.start - rows.start, own.stop - rows.start)
            for of_layer, delta in zip(units[::-1], backward(layers, part.slopes, scaled, workspace), strict=True):
                of_layer[cut] = delta.unit_squares() * (size * size)[:, None]

        # The gradient by a weight is s a δ, that by a bias δ: sums over samples of products of squares.
        for layer, a, squares, own_part in zip(layers, passed.inputs, units, net.layers(total), strict=True):
            inputs_squared = (layer.scale * a.astype(np.float64)) ** 2
            own_part.weights[:] += inputs_squared.T @ squares
            if own_part.bias is not None:
                own_part.bias[:] += squares.sum(axis=0)

    return summed(net, inputs, add, net.parameters.shape) / len(inputs)


def fisher_product(
    net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, v: ArrayLike, *, fisher: str = "empirical"
) -> Array:
    """Product of the Fisher information with a vector, F v, or with each of several.

    It takes about the time of four forward passes for a vector, and the memory of one, whatever the number of
    parameters.

    Parameters
    ----------
    net, x, y, loss, fisher
        As for `fisher_trace`.
    v : array_like, shape (P,) or (P, m)
        A vector in the order of ``net.parameters``, or columns of them.

    Returns
    -------
    ndarray of float64, of the shape of v

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.
    OverflowError
        When outputs, loss derivatives or products leave the floating-point range.

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 1, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> ig.network.fisher_product(net, x, y, ig.losses.CrossEntropy(), np.ones(7)).round(4)
    array([ 0.1469,  0.0734,  0.1469,  0.0481, -0.0481,  0.0636, -0.0636])
    """
    inputs, seeds = checked(net, x, y, loss, fisher)
    return product(net, inputs, v, _outer(seeds))


def fisher_operator(
    net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, *, fisher: str = "empirical"
) -> LinearOperator:
    """The Fisher information as a SciPy operator, shape (P, P), for `scipy.sparse.linalg`; arguments as there.

    Examples
    --------
    >>> import infogeom as ig
    >>> from scipy.sparse.linalg import eigsh
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> loss = ig.losses.CrossEntropy()
    >>> eigsh(ig.network.fisher_operator(net, x, y, loss), k=1, return_eigenvectors=False).round(4)
    array([0.9341])
    """
    inputs, seeds = checked(net, x, y, loss, fisher)
    return symmetric_operator(net, lambda v: product(net, inputs, v, _outer(seeds)))


def _outer(seeds: Seeds) -> Middle:
    """M_n = Σ_k v_k v_kᵀ of the seeds of a Fisher information."""

    def middle(outputs: Array, rows: slice) -> Callable[[Array], Array]:
        factor = exact_seeds(outputs, seeds, rows)
        return lambda u: np.einsum("nko,nk->no", factor, np.einsum("nko,no->nk", factor, u))

    return middle
