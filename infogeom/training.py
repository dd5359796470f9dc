"""Training paths of a network through its parameter space, as Datasets along "step"."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import solve_ivp
from tqdm import tqdm

from infogeom import __version__
from infogeom.arguments import check_real, point_of
from infogeom.formulas import latex
from infogeom.kernels.points.field import Field
from infogeom.models.model import Model
from infogeom.models.names import check_name
from infogeom.optimizers import SGD, Adam
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import metric as symbolic_metric
from infogeom.variables import numbers

__all__ = ["adam", "gradient_descent", "gradient_flow"]

Array = NDArray[np.float64]
LossAndGradient = Callable[[Array], tuple[float, Array]]

#: What the paths of an update rule are called.
METHODS = {SGD: "gradient descent", Adam: "Adam"}
#: Relative and absolute tolerance of the flow's integrator.
FLOW_TOLERANCES = 1e-10, 1e-12
#: What a path holds beside the parameters.
BESIDE = ("step", "loss", "gradient_norm", "time")


def gradient_descent(model: Model, start: ArrayLike, *, learning_rate: float, steps: int) -> xr.Dataset:
    """Plain gradient descent on the mean loss, θ ← θ − η ∇L.

    Parameters
    ----------
    model : Model
        A network.
    start : array_like, shape (n,), or mapping
        Parameters before the first step, in model order, or by name.
    learning_rate : float
        η, positive and finite.
    steps : int
        Number of updates, at least 1.

    Returns
    -------
    xarray.Dataset
        Along "step" (0 … steps): one variable per parameter, ``loss``, ``gradient_norm`` and ``time`` = η · step.

    Raises
    ------
    TypeError
        When the model has no loss.
    ValueError
        Naming the argument, the rule and the value; or the step at which the path left float64.

    Examples
    --------
    >>> import infogeom as ig
    >>> network = ig.models.sigmoid_neuron(*ig.models.decision_boundary(n=50), ig.losses.CrossEntropy())
    >>> path = ig.training.gradient_descent(network, (0.5, 0.5), learning_rate=0.4, steps=20)
    >>> float(path.loss[-1]) < float(path.loss[0])
    True
    """
    return _descended(model, start, SGD, learning_rate, steps)


def adam(model: Model, start: ArrayLike, *, learning_rate: float, steps: int) -> xr.Dataset:
    """Full-batch Adam on the mean loss, with the decays and the ε of its authors (`infogeom.optimizers.Adam`).

    The thesis trained by it (Sec. 2.3.4). Parameters, returns and errors as for `gradient_descent`.

    Examples
    --------
    >>> import infogeom as ig
    >>> network = ig.models.sigmoid_neuron(*ig.models.decision_boundary(n=50), ig.losses.CrossEntropy())
    >>> path = ig.training.adam(network, (0.5, 0.5), learning_rate=0.4, steps=20)
    >>> path.theta1[:2].values.round(4)
    array([0.5, 0.1])
    """
    return _descended(model, start, Adam, learning_rate, steps)


def _descended(
    model: Model, start: ArrayLike, rule: type[SGD] | type[Adam], learning_rate: float, steps: int
) -> xr.Dataset:
    clock = time.perf_counter()
    evaluate, theta = _checked(model, start, learning_rate, steps)
    optimizer, method = rule(learning_rate), METHODS[rule]
    theta = theta.copy()
    state, rows = optimizer.start(theta), []
    for step in tqdm(range(steps + 1), desc=method, delay=2, leave=False, disable=None):
        loss, gradient = evaluate(theta)
        rows.append((theta.copy(), loss, np.linalg.norm(gradient)))
        optimizer.update(theta, gradient, state, step + 1)
        if not np.isfinite(theta).all():
            raise ValueError(f"{method} left float64 after step {step}; learning_rate {learning_rate} is too large")
    path, losses, norms = (np.array(column) for column in zip(*rows, strict=True))
    return _path(model, method, path, losses, norms, learning_rate, clock)


def gradient_flow(model: Model, start: ArrayLike, *, learning_rate: float, steps: int) -> xr.Dataset:
    """Gradient flow θ̇ = −∇L, reported at the times η · step of gradient descent with the same arguments.

    Integrated by LSODA to a relative tolerance of 1e-10. Parameters, returns and errors as for `gradient_descent`;
    RuntimeError when the integrator gives up.

    Examples
    --------
    >>> import infogeom as ig
    >>> network = ig.models.sigmoid_neuron(*ig.models.decision_boundary(n=50), ig.losses.CrossEntropy())
    >>> path = ig.training.gradient_flow(network, (0.5, 0.5), learning_rate=0.4, steps=20)
    >>> path.sizes["step"], path.attrs["method"]
    (21, 'gradient flow')
    """
    clock = time.perf_counter()
    evaluate, theta = _checked(model, start, learning_rate, steps)
    times = learning_rate * np.arange(steps + 1)
    rtol, atol = FLOW_TOLERANCES
    span = (0.0, float(times[-1]))
    flow = solve_ivp(lambda _, q: -evaluate(q)[1], span, theta, method="LSODA", t_eval=times, rtol=rtol, atol=atol)
    if not flow.success:
        raise RuntimeError(f"gradient flow stopped at time {flow.t[-1] if flow.t.size else 0.0}: {flow.message}")
    path = flow.y.T
    losses, gradients = zip(*map(evaluate, path), strict=True)
    return _path(
        model, "gradient flow", path, np.array(losses), np.linalg.norm(gradients, axis=1), learning_rate, clock
    )


def _checked(model: Model, start: ArrayLike, learning_rate: float, steps: int) -> tuple[LossAndGradient, Array]:
    if not isinstance(model, Model):
        raise TypeError(f"model must be an infogeom Model, got {type(model).__name__}")
    if model.loss is None:
        raise TypeError(f"model {model.name!r} has no loss to descend; a network has one")
    for parameter in model.parameters:
        check_name(parameter.name, BESIDE)
    theta = point_of("start", start, [p.name for p in model.parameters])
    if len(theta) != len(model.parameters):
        raise ValueError(f"start must have {len(model.parameters)} entries, got {len(theta)}")
    check_real("learning_rate", learning_rate)
    if not np.isfinite(learning_rate) or learning_rate <= 0:
        raise ValueError(f"learning_rate must be positive and finite, got {learning_rate}")
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise ValueError(f"steps must be an int of at least 1, got {steps!r}")
    return _loss_and_gradient(model), theta


def _loss_and_gradient(model: Model) -> LossAndGradient:
    """Mean loss and its gradient at one point."""
    metric = symbolic_metric(model)
    loss = model.observables["loss"]
    observables = {"loss": loss} | {
        name: loss.diff(c) for name, c in zip(metric.names, metric.coordinates, strict=True)
    }
    field = Field(replace(metric, observables=observables), tuple(observables))

    def evaluate(theta: Array) -> tuple[float, Array]:
        value, *gradient = field(theta)
        return float(value), np.array(gradient)

    return evaluate


def _path(
    model: Model, method: str, path: Array, losses: Array, norms: Array, learning_rate: float, clock: float
) -> xr.Dataset:
    step = np.arange(len(path))
    variables = {}
    for parameter, values in zip(model.parameters, path.T, strict=True):
        variables[parameter.name] = numbers("step", values, f"${latex(parameter.symbol)}$")
    variables["loss"] = numbers("step", losses, QUANTITIES["loss"].label)
    variables["gradient_norm"] = numbers("step", norms, r"$|\nabla L|$")
    variables["time"] = numbers("step", learning_rate * step, r"$t = \eta \cdot \mathrm{step}$")

    # What the path is of, as far as strings and numbers say it.
    attributes = {
        "model": model.name,
        "loss": model.loss.name if model.loss else "",
        "fisher": model.fisher,
        "method": method,
        "learning_rate": float(learning_rate),
        "steps": len(path) - 1,
        "infogeom_version": __version__,
        "wall_time_seconds": time.perf_counter() - clock,
    }
    return xr.Dataset(variables, {"step": numbers("step", step, "step")}, attributes)


def __dir__() -> list[str]:
    return sorted(__all__)
