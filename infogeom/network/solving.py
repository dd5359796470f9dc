"""Solving with the damped Fisher information F + λ 1, natural gradients, and its determinant."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.losses import Loss
from infogeom.network.blocks import finite, summed
from infogeom.network.damped import Dual, Primal, damped
from infogeom.network.directions import pulled, rows_of
from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, Workspace
from infogeom.network.seeds import check_loss, check_returns, exact_outputs, targets_for

__all__ = ["fisher_logdet", "fisher_solve", "natural_gradient", "naturally"]

Array = NDArray[np.float64]


def fisher_solve(
    net: MLP,
    x: ArrayLike,
    y: ArrayLike | None,
    loss: Loss,
    v: ArrayLike,
    *,
    damping: float,
    fisher: str = "empirical",
) -> Array:
    """Solution of (F + damping · 1) u = v with the Fisher information F, for a vector or for each of several.

    Of a float32 network too all is computed in float64. Relative errors are about 1e-15 (1 + ‖F‖ / damping); natural
    gradients have none of that size by `natural_gradient`.

    Parameters
    ----------
    net, x, y, loss, fisher
        As for `fisher_trace`.
    v : array_like, shape (P,) or (P, m)
        A vector in the order of ``net.parameters``, or columns of them.
    damping : float
        Added to the diagonal, positive.

    Returns
    -------
    ndarray of float64, of the shape of v

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value; also where both the number of seeded gradients (N, for the expected
        Fisher information N O) and that of parameters exceed 8,000.
    OverflowError
        When outputs, loss derivatives or products leave the floating-point range.

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 1, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> loss, v = ig.losses.CrossEntropy(), np.ones(7)
    >>> u = ig.network.fisher_solve(net, x, y, loss, v, damping=0.1)
    >>> (ig.network.fisher_product(net, x, y, loss, u) + 0.1 * u).round(4)
    array([1., 1., 1., 1., 1., 1., 1.])
    """
    rows = rows_of(net, v)
    system = damped(net, x, y, loss, damping, fisher)
    with np.errstate(over="ignore", invalid="ignore"):  # asked for in the end
        return finite(system.solved(rows)).T.reshape(np.shape(v))


def fisher_logdet(
    net: MLP, x: ArrayLike, y: ArrayLike | None, loss: Loss, *, damping: float, fisher: str = "empirical"
) -> float:
    """Logarithm of the determinant of F + damping · 1; arguments and errors as for `fisher_solve`.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 1, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> round(ig.network.fisher_logdet(net, x, y, ig.losses.CrossEntropy(), damping=0.1), 4)
    -13.9448
    """
    return damped(net, x, y, loss, damping, fisher).logdet()


def natural_gradient(
    net: MLP, x: ArrayLike, y: ArrayLike, loss: Loss, *, damping: float, fisher: str = "empirical"
) -> Array:
    """Natural gradient (F + damping · 1)⁻¹ ∇L of the mean loss, both over the same samples, shape (P,).

    The gradient is a combination of those that F is made of, and so is the result (Amari, "Natural gradient works
    efficiently in learning", Neural Computation 10, 1998). Where these are fewer than the parameters its coefficients
    are solved for, and no digit is lost to small damping unless these gradients all but depend on each other. Arguments
    and errors as for `fisher_solve`; y is needed in any case.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 1, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> ig.network.natural_gradient(net, x, y, ig.losses.CrossEntropy(), damping=0.1).round(4)
    array([-0.8273, -0.4137, -0.8273, -0.2709,  0.2709,  0.612 , -0.612 ])
    """
    check_loss(loss, "a natural gradient", "gradient")
    system = damped(net, x, y, loss, damping, fisher)
    targets = targets_for(net, y, loss, len(system.inputs), "a natural gradient")
    check_returns(net, system.inputs, targets, loss, "gradient")
    return naturally(system, loss, targets, fisher)


def naturally(system: Primal | Dual, loss: Loss, targets: Array, fisher: str) -> Array:
    """Natural gradient of the mean loss over the samples of a damped Fisher information, (P,)."""
    with np.errstate(over="ignore", invalid="ignore"):  # asked for in the end
        if isinstance(system, Dual):
            coefficients = system.coefficients(loss, targets, fisher)
            if coefficients is not None:
                return finite(system.combined(coefficients))
        return finite(system.solved(_gradient(system, loss, targets)[None])[0])


def _gradient(system: Primal | Dual, loss: Loss, targets: Array) -> Array:
    """Gradient of the mean loss, (P,)."""
    net = system.net

    def add(rows: slice, passed: Forward, workspace: Workspace, total: Array) -> None:
        derivatives = loss.gradient(exact_outputs(net, passed), targets[rows])
        total += pulled(net, passed, derivatives, workspace)

    return summed(net, system.inputs, add, net.parameters.shape) / len(targets)
