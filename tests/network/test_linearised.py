"""Linearised training against the same in parameter space, and against training of wide networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from infogeom import network
from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.network import MLP, SGD, Record, fit, linearised
from tests import network_reference as reference

Array = np.ndarray[Any, np.dtype[Any]]

RNG = np.random.default_rng(8)
X, NEW, Y = RNG.normal(size=(6, 4)), RNG.normal(size=(5, 4)), np.eye(3)[[0, 1, 2, 2, 1, 0]]
TIMES = np.array([0.0, 0.1, 1.0, 10.0, 100.0])
#: Networks with fewer parameters than outputs of all samples (15 < 18) and with more, of each kind.
NETWORKS = {
    "linear": MLP((4, 3), dtype="float64"),
    "relu": MLP((4, 6, 5, 3), dtype="float64", parametrization="ntk"),
    "tanh": MLP((4, 6, 5, 3), activation="tanh", dtype="float64", initialization="pytorch"),
    "gelu": MLP((4, 9, 3), activation="gelu", dtype="float64", bias=False),
}
every_network = pytest.mark.parametrize("name", NETWORKS)


def affine(net: MLP, x: Array) -> tuple[Array, Array]:
    """Outputs (N, O) and their Jacobian (N O, P)."""
    f, J = reference.outputs_and_jacobian(x, *net.to_arrays(), net.activation, net.scales)
    return f, J.reshape(f.size, -1)


# --- Against parameter space ------------------------------------------------------------------------------------------


@every_network
@pytest.mark.parametrize(("samples", "outputs"), [(6, 3), (1, 3), (6, 1), (1, 1)])
def test_the_mean_square_flows_as_the_exponential_in_parameters(name: str, samples: int, outputs: int) -> None:
    given = NETWORKS[name]
    net = MLP((*given.widths[:-1], outputs), activation=given.activation, dtype="float64", bias=given.bias)
    x, y = X[:samples], Y[:samples, :outputs]
    (f, J), (f_new, J_new) = affine(net, x), affine(net, NEW)
    flow = linearised(net, x, y, MeanPower(2), TIMES, NEW)

    # θ̇ = −(2/N O) Jᵀ(f₀ − y + J(θ − θ₀)), with a coordinate that stays 1 for what is constant.
    hessian, gradient = 2 / y.size * J.T @ J, 2 / y.size * J.T @ (f - y).ravel()
    generator = -np.block([[hessian, gradient[:, None]], [np.zeros((1, len(gradient) + 1))]])
    for k, t in enumerate(TIMES):
        moved = expm(t * generator)[:-1, -1]
        # Roundings of the kernel, over all the time that they drive.
        least = 1e-14 * (1 + t * np.trace(hessian))
        assert abs(flow.outputs[k].values - f - (J @ moved).reshape(f.shape)).max() <= min(least, 1e-10)
        assert abs(flow.outputs_new[k].values - f_new - (J_new @ moved).reshape(f_new.shape)).max() <= min(least, 1e-10)


@every_network
@pytest.mark.parametrize(
    ("loss", "until"),
    [(CrossEntropy(), 100.0), (MeanPower(4), 100.0), (MeanPower(6), 100.0), (LpNorm(2), 0.3), (LpNorm(4), 0.1)],
    ids=lambda value: getattr(value, "name", ""),
)
def test_other_losses_flow_as_in_parameters(name: str, loss: Loss, until: float) -> None:
    net, times = NETWORKS[name], until * np.array([0.01, 0.1, 1.0])
    (f, J), (f_new, J_new) = affine(net, X), affine(net, NEW)

    def descent(_: float, moved: Array) -> Array:
        return -J.T @ loss.gradient(f + (J @ moved).reshape(f.shape), Y).ravel() / len(X)

    start = np.zeros(J.shape[1])
    reached = solve_ivp(descent, (0, until), start, "DOP853", times, rtol=1e-13, atol=1e-14).y
    for rtol in (1e-6, 1e-10):
        flow = linearised(net, X, Y, loss, times, NEW, rtol=rtol)
        errors = [flow.outputs.values.reshape(3, -1).T - f.reshape(-1, 1) - J @ reached]
        errors.append(flow.outputs_new.values.reshape(3, -1).T - f_new.reshape(-1, 1) - J_new @ reached)
        # Some hundred steps, each of an error of rtol, of outputs up to 4.
        assert max(abs(error).max() for error in errors) <= 400 * rtol


def test_a_single_logit_flows_as_in_parameters() -> None:
    net, y = MLP((4, 7, 1), activation="tanh", dtype="float64"), Y[:, :1]
    f, J = affine(net, X)
    p = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    slope = lambda _, moved: -J.T @ (p(f.ravel() + J @ moved) - y.ravel()) / len(X)  # noqa: E731
    reached = solve_ivp(slope, (0, 5.0), np.zeros(J.shape[1]), "DOP853", rtol=1e-13, atol=1e-14).y[:, -1]
    flow = linearised(net, X, y, CrossEntropy(), [5.0], rtol=1e-10)
    assert abs(flow.outputs[0].values.ravel() - f.ravel() - J @ reached).max() <= 1e-8


class Squares(MeanPower):
    """The same loss by another name."""


def test_integrator_and_closed_form_agree() -> None:
    net = NETWORKS["tanh"]
    closed, integrated = (linearised(net, X, Y, loss, TIMES, NEW) for loss in (MeanPower(2), Squares(2)))
    assert (closed.attrs["method"], integrated.attrs["method"]) == ("closed form", "BDF, relative tolerance 1e-08")
    for name in ("outputs", "outputs_new", "loss"):
        assert abs(closed[name] - integrated[name]).max() <= 1e-6


# --- Laws -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [MeanPower(2), MeanPower(4), CrossEntropy()], ids=lambda loss: loss.name)
def test_directions_that_no_parameter_moves_stay(loss: Loss) -> None:
    # Two samples of one input and different targets: their outputs move together, whatever the time.
    x, y = np.concatenate([X[:3], X[:3]]), np.concatenate([Y[:3], Y[[1, 2, 0]]])
    flow = linearised(NETWORKS["tanh"], x, y, loss, [0.0, 1.0, 1e3, 1e6], x)
    assert flow.attrs["kernel_rank"] == 9
    parted = abs(flow.outputs[:, :3].values - flow.outputs[:, 3:].values).max()
    assert parted <= 2e-14 * abs(flow.outputs.values).max()  # that of two sums of 9 products
    assert abs(flow.outputs_new.values - flow.outputs.values).max() <= 1e-7 * (1 if loss == MeanPower(2) else 10)
    middle = (y[:3] + y[3:]) / 2
    if loss != CrossEntropy():
        rtol = 1e-9 if loss == MeanPower(2) else 1e-2  # the flow of a power of four ends as 1/√t
        np.testing.assert_allclose(flow.outputs[-1, :3], middle, atol=rtol)


def test_with_parameters_fewer_than_outputs_the_least_squares_are_reached() -> None:
    net = NETWORKS["linear"]
    flow = linearised(net, X, Y, MeanPower(2), [1e5, 1e308])
    design = np.column_stack([X, np.ones(len(X))])
    fitted = design @ np.linalg.lstsq(design, Y, rcond=None)[0]
    assert flow.attrs["kernel_rank"] == 15
    np.testing.assert_allclose(flow.outputs, np.stack([fitted, fitted]), atol=1e-12)


def test_the_loss_is_the_mean_of_the_outputs_and_falls() -> None:
    net, loss = NETWORKS["relu"], CrossEntropy()
    flow = linearised(net, X, Y, loss, TIMES)
    np.testing.assert_array_equal(flow.loss, [loss.values(f, Y).mean() for f in flow.outputs.values])
    assert (np.diff(flow.loss) < 0).all()
    np.testing.assert_array_equal(flow.outputs[0], net.output(X))


def test_labels_and_single_precision_give_what_targets_and_double_give() -> None:
    net = MLP((4, 6, 3), seed=2)
    double = MLP.from_arrays(*net.to_arrays(), dtype="float64")
    expected = linearised(double, X, Y, CrossEntropy(), [0.5, 2.0], NEW)
    found = linearised(net, X, Y.argmax(axis=1), CrossEntropy(), [0.5, 2.0], NEW)
    for name in ("outputs", "outputs_new", "loss"):
        np.testing.assert_array_equal(found[name], expected[name])


# --- Against training -------------------------------------------------------------------------------------------------


def test_wide_networks_train_as_linearised_up_to_one_over_the_root_of_their_width() -> None:
    rate, steps, seeds = 0.01, 100, 8
    widths, deviations = [32, 128, 512, 2048], []
    for width in widths:
        squares = []
        for seed in range(seeds):
            net = MLP((4, width, 3), activation="tanh", dtype="float64", parametrization="ntk", seed=seed)
            record = Record(every=steps, probe=1)
            run = fit(net, X, Y, MeanPower(2), epochs=steps, optimizer=SGD(rate), batch_size=None, record=record)
            flow = linearised(net, X, Y, MeanPower(2), [rate * steps])
            squares.append((net.with_parameters(run.parameters).output(X) - flow.outputs[0].values) ** 2)
        deviations.append(np.sqrt(np.mean(squares)))
    # Steps of ηλ < 0.03 are off by less than 0.01; the root mean square over 8 seeds is known to a quarter, and so the
    # slope over six octaves to 0.25 √0.5 / (2 ln 4) = 0.06.
    slope = np.polyfit(np.log(widths), np.log(deviations), 1)[0]
    assert abs(slope + 0.5) <= 0.2
    assert deviations[-1] < 0.02


# --- The Dataset ------------------------------------------------------------------------------------------------------


def test_the_dataset_is_labelled_and_can_be_kept(tmp_path: Path) -> None:
    flow = linearised(NETWORKS["tanh"], X, Y, MeanPower(2), TIMES, NEW)
    dims = {name: flow[name].dims for name in flow.data_vars}
    assert dims == {
        "outputs": ("time", "sample", "output"),
        "loss": ("time",),
        "outputs_new": ("time", "new_sample", "output"),
    }
    assert all(flow[name].attrs["long_name"] and flow[name].attrs["units"] == "1" for name in (*dims, "time"))
    np.testing.assert_array_equal(flow.time, TIMES)
    flow.to_netcdf(tmp_path / "flow.nc", engine="scipy")
    with xr.open_dataset(tmp_path / "flow.nc", engine="scipy") as again:
        assert again.identical(flow)


# --- Where there is none ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [LpNorm(1), LpNorm(2), LpNorm(4)], ids=lambda loss: loss.name)
def test_a_flow_that_comes_to_where_the_loss_has_no_derivative_says_when(loss: Loss) -> None:
    told = rf"^the flow of {loss.name} stopped at time \d\.\d+: .*; a flow goes no further"
    with pytest.raises(RuntimeError, match=told):
        linearised(NETWORKS["tanh"], X, Y, loss, [100.0])


def test_a_flow_that_begins_at_a_target_under_a_norm_says_so() -> None:
    net = NETWORKS["tanh"]
    y = np.concatenate([net.output(X)[:1], Y[1:]])
    told = r"^the flow of l2 stopped at time 0: the loss has no finite second derivative there; "
    with pytest.raises(RuntimeError, match=told):
        linearised(net, X, y, LpNorm(2), [100.0])


class Bent(Loss):
    """A loss that leaves out its second derivatives."""

    name = "bent"

    def values(self, outputs: Array, targets: Array) -> Array:
        return (outputs - targets).sum(axis=1)

    gradient = values


def test_a_loss_without_second_derivatives_is_told_what_to_define() -> None:
    with pytest.raises(TypeError, match="loss bent has no hessian_product, which linearised needs: define Bent"):
        linearised(NETWORKS["tanh"], X, Y, Bent(), [1.0])


def test_a_flow_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infogeom.network.lazy.LONGEST_FLOW", 10)
    with pytest.raises(RuntimeError, match=r"^the flow of cross-entropy stopped at time .*: 10 evaluations do not"):
        linearised(NETWORKS["tanh"], X, Y, CrossEntropy(), [100.0])


def test_outputs_beyond_float64_are_told() -> None:
    net = NETWORKS["linear"].with_parameters(np.full(15, 1e308))
    with pytest.raises(OverflowError, match="outputs leave float64"):
        linearised(net, abs(X) + 1, Y, MeanPower(2), [1.0])
    net = NETWORKS["linear"].with_parameters(np.full(15, 1e70))
    with pytest.raises(OverflowError, match="loss derivative leaves float64"):
        linearised(net, X, Y, MeanPower(6), [1.0])


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"net": 1}, TypeError, "net must be an MLP, got int"),
        ({"y": None}, ValueError, "y must be given for linearised, got None"),
        ({"y": Y[:5]}, ValueError, r"y must have shape \(6, 3\), one row per sample, got \(5, 3\)"),
        ({"loss": "l2"}, TypeError, "loss must come from infogeom.losses, got 'l2'"),
        ({"new": X[:, :2]}, ValueError, r"new must have shape \(N, 4\) with N at least 1, got \(6, 2\)"),
        ({"times": 1.0}, ValueError, r"times must have 1 dimension, got shape \(\)"),
        ({"times": []}, ValueError, "times must hold at least one, got none"),
        ({"times": [-1.0, 0.0]}, ValueError, "times must not be negative, got -1.0"),
        ({"times": [0.0, 2.0, 2.0]}, ValueError, "times must increase, got 2.0 at index 2 after 2.0"),
        ({"times": [0.0, np.inf]}, ValueError, "times must be finite, got inf at index 1"),
        ({"rtol": 0.0}, ValueError, "rtol must be at least 1e-13 and below 1, got 0.0"),
        ({"rtol": "1"}, TypeError, "rtol must be a real number, got '1'"),
        (
            {"x": np.zeros((1334, 4)), "y": np.zeros((1334, 3))},
            ValueError,
            "x must have so few samples .* at most 4000 numbers, got 1334 samples of 3 outputs",
        ),
    ],
    ids=lambda value: next(iter(value), "") if isinstance(value, dict) else "",
)
def test_bad_arguments_are_named(changed: dict[str, Any], error: type[Exception], message: str) -> None:
    given = {"net": NETWORKS["tanh"], "x": X, "y": Y, "loss": MeanPower(2), "times": TIMES} | changed
    with pytest.raises(error, match=f"^{message}$"):
        linearised(**given)


@pytest.mark.parametrize("loss", [MeanPower(2), MeanPower(4)], ids=lambda loss: loss.name)
def test_at_the_start_nothing_has_moved(loss: Loss) -> None:
    net = NETWORKS["tanh"]
    flow = linearised(net, X, Y, loss, [0.0], NEW)
    np.testing.assert_array_equal(flow.outputs[0], net.output(X))
    np.testing.assert_array_equal(flow.outputs_new[0], net.output(NEW))


def test_the_kernel_of_a_network_without_any_slope_moves_nothing() -> None:
    net = MLP((2, 3, 1), bias=False, dtype="float64").with_parameters(np.zeros(9))
    flow = linearised(net, [[1.0, 2.0]], [[1.0]], MeanPower(4), [1.0], [[0.5, 0.5]])
    assert (flow.attrs["kernel_rank"], flow.outputs.item(), flow.outputs_new.item()) == (0, 0.0, 0.0)
    assert network.ntk(net, [[1.0, 2.0]]).item() == 0.0
