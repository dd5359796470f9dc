"""Second derivatives of the mean loss by the parameters: products with them, and the largest eigenvalue.

With the Jacobian J_n of the outputs and the second derivatives M_n of the loss by the outputs the Hessian is

    H = (1/N) Σ_n J_nᵀ M_n J_n + (1/N) Σ_n Σ_a ∂ℓ_n/∂f_a ∂²f_a(x_n)/∂θ∂θᵀ.

The first sum is the Gauss–Newton matrix.  The product of H with a vector v is the derivative of the gradient along v,
which one pass forward and one pass back find along with it (Pearlmutter, "Fast exact multiplication by the Hessian",
Neural Computation 6, 1994).  Parameters are flat in the order of ``net.parameters``, and results are float64, of passes
in the network's dtype.  Of the rectifier φ″ and, at the kink, φ′ are 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import ArpackNoConvergence, eigsh

from infogeom.arguments import check_count
from infogeom.losses import Loss
from infogeom.network.blocks import finite
from infogeom.network.directions import Pushed, binary_size, product, pushed, summed_products, symmetric_operator
from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, Layer, Workspace, backward, curvatures
from infogeom.network.seeds import checked_data, empirical, exact_outputs, exact_seeds

__all__ = ["curved", "gauss_newton_product", "hessian_product", "product_of", "sharpness"]

Array = NDArray[np.float64]
#: Parameters up to which a matrix is written out for its eigenvalues.
MOST_DENSE = 40
#: Times that the Lanczos iteration is restarted, at most, from the best of 20 vectors.
RESTARTS = 1000


def gauss_newton_product(net: MLP, x: ArrayLike, y: ArrayLike, loss: Loss, v: ArrayLike) -> Array:
    """Product of the Gauss–Newton matrix (1/N) Σ_n J_nᵀ (∂²ℓ_n/∂f∂fᵀ) J_n with a vector, or with each of several.

    It is the Hessian of the mean loss without the second derivatives of the network (Schraudolph, "Fast curvature
    matrix-vector products for second-order gradient descent", Neural Computation 14, 2002), and for `CrossEntropy` and
    `MeanPower(2)` the expected Fisher information.

    Parameters
    ----------
    net, x, y, loss, v
        As for `fisher_product`.

    Returns
    -------
    ndarray of float64, of the shape of v

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value; also where the loss has no second derivative, as an L_p norm at a
        residual of zero.
    OverflowError
        When outputs, loss derivatives or products leave the floating-point range.

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 1, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> ig.network.gauss_newton_product(net, x, y, ig.losses.CrossEntropy(), np.arange(7)).round(4)
    array([ 0.5866,  0.2933,  0.5866,  0.1921, -0.1921,  0.1289, -0.1289])
    """
    inputs, targets = checked_data(net, x, y, loss, "a Gauss–Newton matrix", "hessian_product")

    def middle(outputs: Array, rows: slice) -> Callable[[Array], Array]:
        return lambda u: curved(loss, outputs, targets, rows, u[:, :, None])[:, :, 0]

    return product(net, inputs, v, middle)


def hessian_product(net: MLP, x: ArrayLike, y: ArrayLike, loss: Loss, v: ArrayLike) -> Array:
    """Product of the Hessian of the mean loss with a vector, H v, or with each of several.

    It takes about the time of eight forward passes for a vector, and the memory of three, whatever the number of
    parameters. Arguments, result and errors are those of `gauss_newton_product`.

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 1, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> ig.network.hessian_product(net, x, y, ig.losses.CrossEntropy(), np.arange(7)).round(4)
    array([ 0.6608,  0.3304,  0.6608,  0.0066, -0.0066,  0.1289, -0.1289])
    """
    inputs, targets = checked_data(net, x, y, loss, "a Hessian", "gradient", "hessian_product")
    return product_of(net, inputs, targets, loss, v)


def sharpness(net: MLP, x: ArrayLike, y: ArrayLike, loss: Loss, *, seed: int = 0) -> float:
    """Largest eigenvalue of the Hessian of the mean loss, the algebraically largest, by Lanczos iteration.

    Parameters
    ----------
    net, x, y, loss
        As for `hessian_product`.
    seed : int
        Of the vector that the iteration starts from.

    Raises
    ------
    TypeError, ValueError, OverflowError
        As `hessian_product`.
    ArithmeticError
        When the iteration does not settle.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> round(ig.network.sharpness(net, x, y, ig.losses.CrossEntropy()), 4)
    1.1107
    """
    inputs, targets = checked_data(net, x, y, loss, "a Hessian", "gradient", "hessian_product")
    check_count("seed", seed, least=0)
    times, size = partial(product_of, net, inputs, targets, loss), net.parameters.size
    if size <= MOST_DENSE:
        return float(np.linalg.eigvalsh(times(np.eye(size)))[-1])

    # A Hessian of zeros has no direction to go on from.
    start = np.random.default_rng(seed).normal(size=size)
    if not times(start).any():
        return 0.0
    try:
        [largest] = eigsh(
            symmetric_operator(net, times),
            k=1,
            which="LA",
            v0=start,
            tol=float(np.finfo(net.dtype).eps),
            maxiter=RESTARTS,
            return_eigenvectors=False,
        )
    except ArpackNoConvergence:
        raise ArithmeticError(f"the largest eigenvalue did not settle within {RESTARTS} restarts") from None
    return float(largest)


def curved(loss: Loss, outputs: Array, targets: Array, rows: slice, directions: Array) -> Array:
    """Products with the second derivatives of some samples' losses, (n, O, m), or an error where there are none."""
    own = targets[rows]
    found = loss.hessian_product(outputs, own, finite(directions))
    undefined = np.flatnonzero(np.isnan(found).any(axis=(1, 2)))
    if undefined.size:
        n = undefined[0]
        raise ValueError(
            f"loss {loss.name} must have second derivatives at every sample, got none at index {rows.start + n}, "
            f"where outputs are {outputs[n]} and targets {own[n]}"
        )
    if not np.isfinite(found).all():
        raise OverflowError(f"the loss's second derivative leaves float64 for outputs up to {abs(outputs).max():.3g}")
    return found


def product_of(net: MLP, x: NDArray[Any], targets: Array, loss: Loss, v: ArrayLike) -> Array:
    """Products with the Hessian, of checked arguments."""
    layers = net.layers()

    def add(rows: slice, passed: Forward, workspace: Workspace, directions: NDArray[Any], total: Array) -> None:
        outputs, bends = exact_outputs(net, passed), curvatures(layers, net.activation, passed)
        gradient = exact_seeds(outputs, empirical(loss, targets), rows)[:, 0]
        flat = workspace.array("derivative", net.parameters.shape, net.dtype)

        # The loss may bend by far more than it slopes, so that both go back over a size that they have in common.
        for direction, own in zip(directions, total, strict=True):
            step = net.layers(direction)
            along = pushed(layers, step, passed)
            turning = curved(loss, outputs, targets, rows, along.outputs.astype(np.float64)[:, :, None])[:, :, 0]
            size = binary_size(gradient, turning)
            gone = _gone_back(layers, passed, bends, (gradient / size).astype(net.dtype), workspace)
            seeds = (turning / size).astype(net.dtype)
            _differentiate(layers, step, passed, along, gone, seeds, net.layers(flat))
            own += np.multiply(flat, size, dtype=np.float64)

    return summed_products(net, x, v, add)


class _Gone(NamedTuple):
    """Of a pass back: δ_l = ∂(seed · f)/∂z_l of each layer, and φ″(z_l) ∂(seed · f)/∂a_l of the hidden ones, (n, W)."""

    deltas: list[NDArray[Any]]
    bent: list[NDArray[Any]]


def _gone_back(
    layers: Sequence[Layer],
    passed: Forward,
    bends: Sequence[NDArray[Any]],
    seeds: NDArray[Any],
    workspace: Workspace,
) -> _Gone:
    gone = _Gone([], [])
    deltas = backward(layers, passed.slopes, seeds[:, None], workspace)
    for bend, delta in zip([None, *bends[::-1]], deltas, strict=True):
        if bend is not None:
            gone.bent.insert(0, bend * delta.product[:, 0])
        gone.deltas.insert(0, delta.values()[:, 0])
    return gone


def _differentiate(
    layers: Sequence[Layer],
    step: Sequence[Layer],
    passed: Forward,
    along: Pushed,
    gone: _Gone,
    seeds: NDArray[Any],
    derivatives: Sequence[Layer],
) -> None:
    """Fill ``derivatives`` with those of a gradient along a step, from what both passes went through.

    ``along`` are the derivatives of the pass forward, and ``seeds`` (n, O) those of the seeds of the pass back.
    """
    turning = seeds
    for l in reversed(range(len(layers))):
        layer, found = layers[l], derivatives[l]
        scale = turning.dtype.type(layer.scale)

        # The gradient by the weights is s aᵀδ, that by the bias δ.
        np.matmul(passed.inputs[l].T, turning, out=found.weights)
        if l:
            found.weights[:] += along.after[l - 1].T @ gone.deltas[l]
        found.weights[:] *= scale
        if found.bias is not None:
            np.sum(turning, axis=0, out=found.bias)

        # What comes to the units below is s δ Wᵀ, and φ′ times it the next δ.
        if l:
            below = turning @ layer.weights.T
            below += gone.deltas[l] @ step[l].weights.T
            turning = passed.slopes[l - 1] * below * scale + gone.bent[l - 1] * along.before[l - 1]
