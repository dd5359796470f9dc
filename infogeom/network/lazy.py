"""Networks linear in their parameters: gradient flow with the tangent kernel frozen at the start.

The kernel Λ = A Aᵀ between samples, N O × N O, has A = V √λ by its eigenvectors, so that outputs f = f₀ + A w are those
of the network linearised at θ₀, with w the change of parameters in an orthonormal basis of the span of all gradients.
Gradient flow of the mean loss in θ is then (Eqs. 4.1.7 and 4.2.2)

    ẇ = −Aᵀ g(f₀ + A w) / N,    g = ∂ℓ/∂f,    and for new inputs  f = f₀ + B w,  B = Λ_new V / √λ.

Directions that no parameter moves, λ = 0, are not in w: outputs stay along them.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp
from scipy.linalg import eigh

from infogeom.arguments import check_real, finite_array
from infogeom.losses import Loss, MeanPower
from infogeom.network.blocks import finite
from infogeom.network.checkpoint import versions
from infogeom.network.mlp import MLP
from infogeom.network.passes import forward
from infogeom.network.seeds import check_network, checked_data, empirical, exact_outputs, exact_seeds
from infogeom.network.spectra import kernel_matrix
from infogeom.quantities import QUANTITIES
from infogeom.variables import numbers

__all__ = ["linearised"]

Array = NDArray[np.float64]
#: Rows N O of the largest kernel.
MOST_OUTPUTS = 4000
#: Label of the times that gradient descent of a small rate comes to.
TIME = r"$t = \eta \cdot \mathrm{step}$"
#: Relative tolerance below which the integrator has no digits left.
LEAST_TOLERANCE = 1e-13
#: Evaluations of a flow after which it is given up: it has come to where the loss has no derivative.
LONGEST_FLOW = 20_000


def linearised(
    net: MLP,
    x: ArrayLike,
    y: ArrayLike,
    loss: Loss,
    times: ArrayLike,
    new: ArrayLike | None = None,
    *,
    rtol: float = 1e-8,
) -> xr.Dataset:
    """Outputs under gradient flow of the mean loss with the tangent kernel Λ frozen, df/dt = −Λ ∂L/∂f (Eq. 4.1.7).

    That is how the network linearised in its parameters trains (Eq. 4.2.2; Lee et al., "Wide neural networks of any
    depth evolve as linear models under gradient descent", NeurIPS 2019), and the network itself as far as it is lazy:
    gradient descent of a small rate η has come to t = η · step. For the mean power 2 with λ, V of (2/(N O)) Λ,

        f(t) = f₀ + V expm1(−λt) Vᵀ (f₀ − y),
        f_new(t) = f_new,₀ − (2/(N O)) Λ_new V [−expm1(−λt)/λ] Vᵀ (f₀ − y),

    and for other losses by SciPy's BDF. Of a float32 network too all is computed in float64. An eigenvalue that is no
    more than the rounding of the kernel counts as 0, and outputs stay along its eigenvectors.

    Parameters
    ----------
    net : MLP
        At the start.
    x : array_like, shape (N, d)
        Inputs to train on, N O ≤ 4,000.
    y : array_like, shape (N, O), or of ints, shape (N,)
        Targets, or labels 0 … O − 1 of two outputs or more, which stand for one-hot targets.
    loss : Loss
        From `infogeom.losses`; its mean over samples flows.
    times : array_like, shape (T,)
        At which to report, increasing from 0 or later, in units of a learning rate times steps.
    new : array_like, shape (M, d), optional
        Inputs whose outputs are to be followed too.
    rtol : float
        Relative tolerance of each step of the integrator, from 1e-13 on; after some hundred steps outputs are right to
        some hundred times as much.

    Returns
    -------
    xarray.Dataset
        Along "time": ``outputs`` (time, sample, output), their mean ``loss``, and with ``new`` also ``outputs_new``
        (time, new_sample, output). The attribute ``kernel_rank`` says how many directions move.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.
    OverflowError
        When outputs, kernel or loss derivatives leave the floating-point range.
    RuntimeError
        Where the integrator gives up, at the latest time it came to: L_p norms, where a sample reaches its target and
        the loss has no derivative.

    Examples
    --------
    >>> import infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 9, 2), seed=1), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> flow = ig.network.linearised(net, x, y, ig.losses.MeanPower(2), [0, 1, 10], new=[[0.6, -0.2]])
    >>> flow.outputs[-1].values.round(2) + 0.0, flow.outputs_new.dims
    (array([[1., 0.],
           [0., 1.]]), ('time', 'new_sample', 'output'))
    """
    # What is asked for, in float64.
    began = time.perf_counter()
    check_network(net)
    double = replace(net, dtype="float64")
    inputs, targets = checked_data(double, x, y, loss, "linearised", "values", "gradient", "hessian_product")
    others = None if new is None else double.checked_inputs(new, "new")
    when = _checked_times(times)
    _check_tolerance(rtol)
    if targets.size > MOST_OUTPUTS:
        raise ValueError(
            f"x must have so few samples that with all outputs they are at most {MOST_OUTPUTS} numbers, "
            f"got {len(inputs)} samples of {targets.shape[1]} outputs"
        )
    at_start = _outputs(double, inputs)

    # What flows, and what follows from it for the same inputs and for others.
    eigenvalues, vectors = _moving(kernel_matrix(double, inputs))
    along = vectors * np.sqrt(eigenvalues)
    closed = loss == MeanPower(2)
    if closed:
        moved = _exponential(eigenvalues, vectors.T @ (at_start - targets).ravel(), targets.size, when)
    else:
        moved = _integrated(loss, at_start, targets, along, when, rtol)
    outputs = at_start + (moved @ along.T).reshape(-1, *targets.shape)
    losses = [loss.values(one, targets).mean() for one in outputs]
    variables = {
        "outputs": numbers(("time", "sample", "output"), finite(outputs), "outputs $f$ of the linearised network"),
        "loss": numbers("time", np.array(losses), QUANTITIES["loss"].label),
    }
    if others is not None:
        start, beside = _outputs(double, others), kernel_matrix(double, others, inputs)
        change = moved @ (beside @ (vectors / np.sqrt(eigenvalues))).T
        found, label = start + change.reshape(-1, *start.shape), "outputs $f$ of the linearised network for new inputs"
        variables["outputs_new"] = numbers(("time", "new_sample", "output"), finite(found), label)

    # All that the numbers depend on, as far as attributes can say it.
    attributes = {
        "model": repr(net),
        "loss": loss.name,
        "samples": len(inputs),
        "kernel_rank": len(eigenvalues),
        "method": "closed form" if closed else f"BDF, relative tolerance {rtol:g}",
        **versions(),
        "wall_time_seconds": time.perf_counter() - began,
    }
    return xr.Dataset(variables, {"time": numbers("time", when, TIME)}, attributes)


def _checked_times(times: ArrayLike) -> Array:
    """Times that increase, the first at least 0."""
    found = finite_array("times", times, 1)
    if not found.size:
        raise ValueError("times must hold at least one, got none")
    if found[0] < 0:
        raise ValueError(f"times must not be negative, got {found[0]}")
    falls = np.flatnonzero(np.diff(found) <= 0)
    if falls.size:
        k = falls[0] + 1
        raise ValueError(f"times must increase, got {found[k]} at index {k} after {found[k - 1]}")
    return found


def _check_tolerance(rtol: float) -> None:
    check_real("rtol", rtol)
    if not LEAST_TOLERANCE <= rtol < 1:
        raise ValueError(f"rtol must be at least {LEAST_TOLERANCE} and below 1, got {rtol}")


def _outputs(net: MLP, x: NDArray[Any]) -> Array:
    return exact_outputs(net, forward(net.layers(), net.activation, x))


def _moving(kernel: Array) -> tuple[Array, Array]:
    """Eigenvalues of a kernel that are above its rounding, and their eigenvectors as columns."""
    eigenvalues, vectors = eigh(kernel, overwrite_a=True)
    least = len(eigenvalues) * np.finfo(np.float64).eps * eigenvalues[-1]
    first = int(np.searchsorted(eigenvalues, max(least, 0.0), side="right"))
    return eigenvalues[first:], vectors[:, first:]


def _exponential(eigenvalues: Array, residual: Array, size: int, times: Array) -> Array:
    """Changes w (T, r) for the mean power 2, from f₀ − y in the basis of the eigenvectors."""
    rates = 2 / size * eigenvalues
    with np.errstate(over="ignore"):  # at the latest times nothing is left
        return np.asarray(np.expm1(-np.outer(times, rates)) / np.sqrt(eigenvalues) * residual)


def _integrated(loss: Loss, start: Array, targets: Array, along: Array, times: Array, rtol: float) -> Array:
    """Changes w (T, r) for any loss, by SciPy; the error of outputs is held to rtol of the largest at the start."""
    if not (along.size and times[-1]):
        return np.zeros((len(times), along.shape[1]))
    count, reached = 0, 0.0

    def outputs(w: Array) -> Array:
        return start + (along @ w).reshape(start.shape)

    def velocity(t: float, w: Array) -> Array:
        nonlocal count, reached
        count, reached = count + 1, t
        if count > LONGEST_FLOW:
            raise _stopped(loss, t, f"{LONGEST_FLOW} evaluations do not lead on")
        return np.asarray(-(loss.gradient(outputs(w), targets).ravel() @ along) / len(start))

    def jacobian(t: float, w: Array) -> Array:
        curved = loss.hessian_product(outputs(w), targets, along.reshape(*start.shape, -1))
        if not np.isfinite(curved).all():
            raise _stopped(loss, t, "the loss has no finite second derivative there")
        return np.asarray(along.T @ curved.reshape(along.shape)) / -len(start)

    exact_seeds(start, empirical(loss, targets), slice(None))  # or what is beyond float64 is told
    largest = max(abs(start).max(), abs(targets).max()) or 1.0
    atol = rtol * largest / float(np.linalg.norm(along[:, -1]))
    with np.errstate(over="ignore", invalid="ignore"):  # steps too wide are taken back
        flow = solve_ivp(
            velocity, (0.0, times[-1]), np.zeros(along.shape[1]), "BDF", times, rtol=rtol, atol=atol, jac=jacobian
        )
    if not flow.success:
        raise _stopped(loss, reached, flow.message)
    return np.asarray(flow.y.T)


def _stopped(loss: Loss, reached: float, why: str) -> RuntimeError:
    known = "a flow goes no further than to where its loss has no derivative"
    return RuntimeError(f"the flow of {loss.name} stopped at time {reached:.6g}: {why.rstrip('.')}; {known}")
