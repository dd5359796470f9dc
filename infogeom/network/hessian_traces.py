"""The trace of the Hessian of the mean loss, exact and estimated.

The outputs depend on the parameters through the units' inputs z_lj, each linear in its own layer's parameters, and all
that bends is the loss and the activations.  So by the chain rule for second derivatives a sample's trace is

    Σ_ab ∂²ℓ/∂f_a∂f_b ∇f_a · ∇f_b + Σ_lj ∂ℓ/∂a_lj φ″(z_lj) |∇z_lj|²,

the trace of the Gauss–Newton matrix and one term a hidden unit.  Gradients by the parameters are not formed: their
products are those of δ's, as in `infogeom.network.traces`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.arguments import check_count
from infogeom.losses import Loss
from infogeom.network.blocks import input_squares, parts_of, summed
from infogeom.network.directions import binary_size
from infogeom.network.hessian import curved, product_of
from infogeom.network.mlp import MLP
from infogeom.network.passes import Delta, Forward, Workspace, backward, backward_from, curvatures
from infogeom.network.seeds import checked_data, empirical, exact_outputs, scaled_seeds

__all__ = ["hessian_trace", "hessian_trace_estimate"]

Array = NDArray[np.float64]


def hessian_trace(net: MLP, x: ArrayLike, y: ArrayLike, loss: Loss) -> float:
    """Trace of the Hessian of the mean loss, exactly.

    For a network of rectifiers it is that of the Gauss–Newton matrix, and with `CrossEntropy` or `MeanPower(2)` that is
    the expected Fisher trace. It takes about twice the time of that one. With another activation, a third hidden layer
    and each further one take more: of the order of W³ operations a sample for W units, which
    `hessian_trace_estimate` does without.

    Parameters
    ----------
    net, x, y, loss
        As for `hessian_product`.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value; also where the loss has no second derivative, as an L_p norm at a
        residual of zero.
    OverflowError
        When outputs, loss derivatives or products leave the floating-point range.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> round(ig.network.hessian_trace(net, x, y, ig.losses.CrossEntropy()), 4)
    1.4241
    >>> round(ig.network.fisher_trace(net, x, y, ig.losses.CrossEntropy(), fisher="expected"), 4)
    1.4241
    """
    inputs, targets = checked_data(net, x, y, loss, "a Hessian", "gradient", "hessian_product")

    def add(rows: slice, passed: Forward, workspace: Workspace, total: Array) -> None:
        total += _of_units(net, targets, loss, rows, passed, workspace)
        for own, part in parts_of(net, rows, passed):
            total += _of_outputs(net, targets, loss, own, part, workspace)

    return float(summed(net, inputs, add, ()) / len(inputs))


def hessian_trace_estimate(
    net: MLP, x: ArrayLike, y: ArrayLike, loss: Loss, *, probes: int = 16, seed: int = 0
) -> tuple[float, float]:
    """Hutchinson's estimate of `hessian_trace` and its standard error, for networks of many layers or outputs.

    It is the mean of vᵀ H v over vectors v of random signs ("A stochastic estimator of the trace of the influence
    matrix", Communications in Statistics 18, 1989), each a `hessian_product`.

    Parameters
    ----------
    net, x, y, loss
        As for `hessian_product`.
    probes : int
        Vectors of signs, at least 2.
    seed : int
        Of the signs.

    Returns
    -------
    estimate, standard_error : float

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 3, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> estimate, error = ig.network.hessian_trace_estimate(net, x, y, ig.losses.CrossEntropy(), probes=64)
    >>> abs(estimate - ig.network.hessian_trace(net, x, y, ig.losses.CrossEntropy())) < 4 * error
    True
    """
    inputs, targets = checked_data(net, x, y, loss, "a Hessian", "gradient", "hessian_product")
    check_count("probes", probes, least=2)
    check_count("seed", seed, least=0)
    rng, found = np.random.default_rng(seed), np.empty(probes)
    for probe in range(probes):
        signs = rng.choice([-1.0, 1.0], net.parameters.size)
        found[probe] = signs @ product_of(net, inputs, targets, loss, signs)
    size = binary_size(found)  # whose square may be beyond float64
    return float(found.mean()), size * float((found / size).std(ddof=1) / np.sqrt(probes))


def _of_outputs(net: MLP, targets: Array, loss: Loss, rows: slice, passed: Forward, workspace: Workspace) -> float:
    """Trace of the Gauss–Newton matrix, a sum over samples."""
    layers, outputs, total = net.layers(), exact_outputs(net, passed), 0.0
    units = np.eye(net.widths[-1])[None]
    bend = curved(loss, outputs, targets, rows, np.broadcast_to(units, (len(outputs), *units.shape[1:])))

    # Outputs may have much in common that the loss does not feel: δᵀ M δ is right where M ∘ δδᵀ of float32 cancels.
    deltas = backward(layers, passed.slopes, units.astype(net.dtype), workspace)
    for delta, weight in zip(deltas, input_squares(layers, passed)[::-1], strict=True):
        values = delta.values().astype(np.float64)
        total += weight @ (np.matmul(bend, values) * values).sum(axis=(1, 2))
    return total


def _of_units(net: MLP, targets: Array, loss: Loss, rows: slice, passed: Forward, workspace: Workspace) -> float:
    """Terms of the hidden units, a sum over samples."""
    layers, total, below = net.layers(), 0.0, Workspace()
    seeds, size = scaled_seeds(net, passed, empirical(loss, targets), rows)
    deltas = backward(layers, passed.slopes, seeds, workspace)
    next(deltas)  # the outputs are linear
    bends = curvatures(layers, net.activation, passed)
    for l in reversed(range(len(bends))):
        terms = (bends[l] * next(deltas).product[:, 0]).astype(np.float64) * size[:, None]
        if terms.any():
            total += _gradients(net, l, terms, passed, below)
    return total


def _gradients(net: MLP, l: int, terms: Array, passed: Forward, workspace: Workspace) -> float:
    """Σ_n Σ_j c_nj |∇z_lj(x_n)|² for terms c (n, W) of a hidden layer."""
    layer, below = net.layers()[l], net.layers()[:l]
    weights = input_squares(net.layers(), passed)
    total = float(weights[l] @ terms.sum(axis=1))
    if not l:
        return total

    # The units are seeds of their own; the first step back is the same for all samples.
    every = slice(0, len(terms))
    first = layer.weights.T * layer.weights.dtype.type(layer.scale)
    for own, part in parts_of(net, every, passed, seeds=len(first) if l > 1 else 1):
        start = Delta(first.copy()[None], part.slopes[l - 1], workspace)
        deltas = backward_from(below, part.slopes[: l - 1], start)
        for delta, weight in zip(deltas, weights[l - 1 :: -1], strict=True):
            total += weight[own] @ (delta.seed_squares() * terms[own]).sum(axis=1)
    return total
