"""Training paths: gradient descent and its flow."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings

import infogeom as ig
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from infogeom.training import gradient_descent, gradient_flow
from tests import reference, strategies
from tests.problems import EPS

INPUTS, TARGETS = ig.models.decision_boundary(30, seed=2)
MODEL = ig.models.sigmoid_neuron(INPUTS, TARGETS, CrossEntropy())
START = (0.5, 0.5)
LOSSES = [
    (CrossEntropy(), reference.cross_entropy),
    (LpNorm(2), reference.lp_norm(2)),
    (MeanPower(2), reference.mean_power(2)),
]
both_methods = pytest.mark.parametrize("method", [gradient_descent, gradient_flow], ids=["descent", "flow"])


@pytest.mark.parametrize(("loss", "exact"), LOSSES, ids=lambda value: getattr(value, "name", ""))
@settings(max_examples=5)
@given(data=strategies.data_sets(), points=strategies.points([(-1, 1)] * 2, 1))
def test_one_step_of_descent_is_the_gradient_of_the_loss(data: Any, points: Any, loss: Any, exact: Any) -> None:
    x, y, weights = data
    path = gradient_descent(
        ig.models.sigmoid_neuron(x, y, loss, weights=weights), points[0], learning_rate=1.0, steps=1
    )
    gradient = reference.network_gradient(points[0], x, y, exact, weights=weights).astype(float)
    step = [path[name].values[0] - path[name].values[1] for name in ("theta1", "theta2")]
    # Terms have slopes below 2 · 5 · |x|, and subtracting from θ rounds at |θ| + |step|.
    size = 10 * abs(x).max() + abs(points).max()
    assert abs(np.array(step) - gradient).max() <= 100 * EPS * size
    assert abs(path.gradient_norm.values[0] - np.linalg.norm(gradient)) <= 100 * EPS * size
    value = float(reference.network_loss(points[0], x, y, exact, weights=weights))
    assert path.loss.values[0] == pytest.approx(value, rel=400 * EPS)


def test_descent_repeats_its_step() -> None:
    path = gradient_descent(MODEL, START, learning_rate=0.1, steps=5)
    for n in range(5):
        theta = np.array([path.theta1.values[n], path.theta2.values[n]])
        gradient = reference.network_gradient(theta, INPUTS, TARGETS, reference.cross_entropy).astype(float)
        following = np.array([path.theta1.values[n + 1], path.theta2.values[n + 1]])
        assert abs(theta - 0.1 * gradient - following).max() <= 100 * EPS


def test_descent_with_a_small_rate_lowers_the_loss_at_every_step() -> None:
    assert (np.diff(gradient_descent(MODEL, START, learning_rate=0.1, steps=50).loss) < 0).all()


def test_the_flow_never_raises_the_loss() -> None:
    assert (np.diff(gradient_flow(MODEL, START, learning_rate=0.5, steps=50).loss) < 0).all()


def test_the_loss_falls_along_the_flow_at_the_rate_of_its_squared_gradient() -> None:
    # dL/dt = −|∇L|²; Simpson's rule over one unit of time in 64 intervals errs by h⁴/180 of fourth derivatives.
    flow = gradient_flow(MODEL, START, learning_rate=1 / 64, steps=64)
    rate = flow.gradient_norm.values**2
    simpson = (rate[0] + rate[-1] + 4 * rate[1::2].sum() + 2 * rate[2:-1:2].sum()) / (3 * 64)
    assert flow.loss.values[0] - flow.loss.values[-1] == pytest.approx(simpson, rel=1e-5)


def test_descent_approaches_the_flow_in_proportion_to_its_rate() -> None:
    def gap(steps: int) -> float:
        descent, flow = (
            f(MODEL, START, learning_rate=1 / steps, steps=steps) for f in (gradient_descent, gradient_flow)
        )
        return float(np.hypot(*(descent[k][-1] - flow[k][-1] for k in ("theta1", "theta2"))))

    # Euler's rule is of first order: 4 times the steps, a quarter of the error.
    assert gap(160) / gap(640) == pytest.approx(4, rel=0.1)


@both_methods
def test_paths_are_labelled_along_step(method: Any) -> None:
    path = method(MODEL, START, learning_rate=0.25, steps=4)
    assert path.sizes == {"step": 5}
    assert set(path.data_vars) == {"theta1", "theta2", "loss", "gradient_norm", "time"}
    assert path.step.values.tolist() == [0, 1, 2, 3, 4]


@both_methods
def test_paths_align_in_time(method: Any) -> None:
    assert method(MODEL, START, learning_rate=0.25, steps=4).time.values.tolist() == [0, 0.25, 0.5, 0.75, 1]


@both_methods
def test_paths_begin_at_the_start(method: Any) -> None:
    path = method(MODEL, START, learning_rate=0.25, steps=4)
    assert (float(path.theta1[0]), float(path.theta2[0])) == pytest.approx(START, rel=4 * EPS)  # the flow interpolates


@pytest.mark.parametrize(
    ("method", "name"),
    [(gradient_descent, "gradient descent"), (gradient_flow, "gradient flow")],
    ids=["descent", "flow"],
)
def test_attributes_say_how_a_path_was_made(method: Any, name: str) -> None:
    attributes = method(MODEL, START, learning_rate=0.25, steps=4).attrs
    expected = {
        "model": "sigmoid neuron",
        "loss": "cross-entropy",
        "fisher": "empirical",
        "method": name,
        "learning_rate": 0.25,
        "steps": 4,
    }
    assert {key: attributes[key] for key in expected} == expected


def test_a_path_is_a_set_of_points() -> None:
    path = gradient_descent(MODEL, START, learning_rate=0.25, steps=4)
    ds = ig.grid.evaluate_points(MODEL, path, ("metric", "ricci_scalar", "loss", "ntk_trace", "fisher_trace"))
    assert ds.ricci_scalar.dims == ("step",)
    assert np.allclose(ds.loss, path.loss, rtol=100 * EPS, atol=0)


def test_a_path_survives_a_file(tmp_path: Path) -> None:
    path = gradient_descent(MODEL, START, learning_rate=0.25, steps=4)
    path.to_netcdf(tmp_path / "path.nc", engine="scipy")
    with xr.open_dataset(tmp_path / "path.nc", engine="scipy") as read:
        xr.testing.assert_equal(read.load(), path)


# --- Bad input --------------------------------------------------------------------------------------------------------


@both_methods
def test_a_model_without_a_loss_is_a_type_error(method: Any) -> None:
    with pytest.raises(TypeError, match="model 'normal' has no loss"):
        method(ig.models.normal(), (0, 1), learning_rate=0.1, steps=3)


@both_methods
def test_what_is_no_model_is_a_type_error(method: Any) -> None:
    with pytest.raises(TypeError, match="model must be an infogeom Model"):
        method("network", START, learning_rate=0.1, steps=3)


@both_methods
@pytest.mark.parametrize(
    ("start", "keywords", "message"),
    [
        ((1, 2, 3), {}, "start must have 2 entries, got 3"),
        ((1, math.nan), {}, "start must be finite, got nan at index 1"),
        ([[1, 2]], {}, "start must have 1 dimension"),
        (START, {"learning_rate": 0.0}, "learning_rate must be positive and finite, got 0.0"),
        (START, {"learning_rate": -1.0}, "learning_rate must be positive and finite, got -1.0"),
        (START, {"learning_rate": math.nan}, "learning_rate must be positive and finite, got nan"),
        (START, {"learning_rate": math.inf}, "learning_rate must be positive and finite, got inf"),
        (START, {"steps": 0}, "steps must be an int of at least 1, got 0"),
        (START, {"steps": -1}, "steps must be an int of at least 1, got -1"),
        (START, {"steps": 2.5}, "steps must be an int of at least 1, got 2.5"),
        (START, {"steps": True}, "steps must be an int of at least 1, got True"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_a_value_error_that_says_why(method: Any, start: Any, keywords: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        method(MODEL, start, **{"learning_rate": 0.1, "steps": 3, **keywords})


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_a_path_that_leaves_float64_is_a_value_error_that_names_the_rate() -> None:
    with pytest.raises(ValueError, match=r"learning_rate .* is too large"):
        gradient_descent(MODEL, START, learning_rate=1e308, steps=200)
