"""Seeds v of backward passes: gradients of v · f(x_n), by whose squares and products all traces are found.

They are the loss derivative r_n (empirical Fisher information, Eq. 5.1.3), factors of E[r rᵀ] over the model's own
labels (expected), or unit vectors (kernel, Eq. 4.2.1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.arguments import check_fisher
from infogeom.losses import Loss
from infogeom.losses.loss import check_defines
from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, forward

__all__ = [
    "Seeds",
    "check_loss",
    "check_network",
    "check_returns",
    "checked",
    "checked_data",
    "empirical",
    "exact_outputs",
    "exact_seeds",
    "expected",
    "fisher_seeds",
    "inputs_of",
    "scaled_seeds",
    "targets_for",
    "unit_vectors",
]

Array = NDArray[np.float64]
#: Samples on which a loss shows what its methods return.
SEEN = 2
#: From outputs (n, O) in float64 and which samples they are of to seeds (n, K, O), or (1, K, O) for all alike.
Seeds = Callable[[Array, slice], Array]


def checked(net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, fisher: str) -> tuple[NDArray[Any], Seeds]:
    """Inputs, and the seeds that make squared gradients those of a Fisher information."""
    check_fisher(fisher)
    needed = "gradient" if fisher == "empirical" else "expected_factor"
    check_loss(loss, f"fisher={fisher!r}", needed)
    inputs, targets = inputs_of(net, x), None
    if y is not None or fisher == "empirical":
        targets = targets_for(net, y, loss, len(inputs), f"the {fisher} Fisher information")
    check_returns(net, inputs, targets, loss, needed)
    return inputs, expected(loss) if targets is None else fisher_seeds(loss, targets, fisher)


def checked_data(
    net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, use: str, *methods: str
) -> tuple[NDArray[Any], Array]:
    """Inputs and targets for a use of a loss, and of methods that it might leave out."""
    check_loss(loss, use, *methods)
    inputs = inputs_of(net, x)
    targets = targets_for(net, y, loss, len(inputs), use)
    check_returns(net, inputs, targets, loss, *methods)
    return inputs, targets


def empirical(loss: Loss, targets: Array) -> Seeds:
    """Seeds r_n of the empirical Fisher information."""
    return lambda outputs, rows: loss.gradient(outputs, targets[rows])[:, None]


def expected(loss: Loss) -> Seeds:
    """Seeds of the expected Fisher information."""
    return lambda outputs, _: loss.expected_factor(outputs)


def fisher_seeds(loss: Loss, targets: Array, fisher: str) -> Seeds:
    """Seeds of either, from checked targets."""
    return expected(loss) if fisher == "expected" else empirical(loss, targets)


def targets_for(net: MLP, y: ArrayLike | None, loss: Loss, samples: int, use: str) -> Array:
    """Checked targets (N, O) that the loss is defined for, which a use of them needs."""
    if y is None:
        raise ValueError(f"y must be given for {use}, got None")
    targets = net.checked_targets(y, samples)
    loss.check_targets(targets)
    return targets


def inputs_of(net: MLP, x: ArrayLike) -> NDArray[Any]:
    """Checked inputs of a network, which has to be one."""
    check_network(net)
    return net.checked_inputs(x)


def check_network(net: MLP) -> None:
    """Raise TypeError for what is not a network."""
    if not isinstance(net, MLP):
        raise TypeError(f"net must be an MLP, got {type(net).__name__}")


def check_loss(loss: Loss, use: str, *methods: str) -> None:
    """Raise TypeError for what is not a loss, or leaves out one of the methods that a use needs."""
    if not isinstance(loss, Loss):
        raise TypeError(f"loss must come from infogeom.losses, got {loss!r}")
    check_defines(loss, use, *methods)


def check_returns(net: MLP, x: NDArray[Any], targets: Array | None, loss: Loss, *methods: str) -> None:
    """Raise ValueError where methods of a loss return other shapes than they should, as seen of the first samples."""
    x, known = x[:SEEN], None if targets is None else targets[:SEEN]
    outputs = forward(net.layers(), net.activation, x).outputs.astype(np.float64)
    if not np.isfinite(outputs).all():  # told by whoever takes them
        return
    n, O = outputs.shape
    shapes = {"values": (n,), "gradient": (n, O), "hessian_product": (n, O, 1)}
    further = {"hessian_product": (np.ones((n, O, 1)),)}
    for method in methods:
        function = getattr(loss, method)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):  # of what is looked at for its shape alone
            if method == "expected_factor":
                found = np.shape(function(outputs))
                right = len(found) == 3 and found[0] in (1, n) and found[2] == O
            else:
                found = np.shape(function(outputs, known, *further.get(method, ())))
                right = found == shapes[method]
        if not right:
            due = shapes.get(method, f"(1, K, {O}) or ({n}, K, {O})")
            raise ValueError(f"loss {loss.name}: {method} must return shape {due} for {n} samples, got {found}")


def unit_vectors(outputs: Array, _: slice) -> Array:
    """Seeds of the kernel: each output by itself, the same for all samples."""
    return np.eye(outputs.shape[1])[None]


def scaled_seeds(net: MLP, passed: Forward, seeds: Seeds, rows: slice) -> tuple[NDArray[Any], Array]:
    """Seeds of entries up to 1 in the network's dtype, and what they were divided by, shape (n,) or (1,)."""
    outputs = exact_outputs(net, passed)
    if seeds is unit_vectors:  # of which many outputs have many numbers, for every block of samples
        return np.eye(outputs.shape[1], dtype=net.dtype)[None], np.ones(1)
    exact = exact_seeds(outputs, seeds, rows)
    size = np.abs(exact).max(axis=(1, 2))
    return (exact / np.where(size > 0, size, 1)[:, None, None]).astype(net.dtype), size


def exact_outputs(net: MLP, passed: Forward) -> Array:
    """Outputs in float64, or OverflowError where they are beyond the network's dtype."""
    outputs = passed.outputs.astype(np.float64)
    if not np.isfinite(outputs).all():
        raise OverflowError(f"the network's outputs leave {net.dtype}; its parameters or inputs are too large")
    return outputs


def exact_seeds(outputs: Array, seeds: Seeds, rows: slice) -> Array:
    """Seeds in float64, or OverflowError where they are beyond it."""
    exact = seeds(outputs, rows)
    if not np.isfinite(exact).all():
        raise OverflowError(f"the loss derivative leaves float64 for outputs up to {abs(outputs).max():.3g}")
    return exact
