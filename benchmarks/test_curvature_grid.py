"""R of the cross-entropy network on a grid, against what else a user could do."""

from collections.abc import Callable

import numpy as np
import pytest

import infogeom as ig
from benchmarks import network_numba
from benchmarks.rounds import interleaved, table, threads

POINTS, SAMPLES = 256, 1000
#: Some rivals take seconds, some take milliseconds.
ROUNDS_OF_SECONDS, ROUNDS = 5, 15
AXIS = np.linspace(-3, 3, POINTS)
WORK = POINTS**2 * SAMPLES


def ours() -> Callable[[], np.ndarray]:
    model = ig.models.sigmoid_neuron(*ig.models.decision_boundary(SAMPLES, seed=0), ig.losses.CrossEntropy())
    axes = {"theta1": AXIS, "theta2": AXIS}
    return lambda: ig.grid.evaluate(model, axes, ("ricci_scalar",))["ricci_scalar"].values


def flipped() -> np.ndarray:
    """Samples x̃ = (1 − 2 · target) x."""
    inputs, targets = ig.models.decision_boundary(SAMPLES, seed=0)
    return (1 - 2 * targets)[:, None] * inputs


def assert_equal(R: np.ndarray, expected: np.ndarray, S: np.ndarray) -> None:
    assert (np.abs(np.reshape(R, S.shape) - expected) <= 1e-9 * S).all()


def test_network_curvature_against_a_plain_numba_loop_and_the_machine(benchmark, show):
    run, x = ours(), flipped()
    columns = np.ascontiguousarray(x.T)
    expected, S = network_numba.ricci_scalar(AXIS, *columns)
    assert_equal(run(), expected, S)
    rivals = {
        "numba, prange, one exp per (point, sample)": lambda: network_numba.ricci_scalar(AXIS, *columns),
        "the unavoidable operations alone": network_numba.limit(WORK, threads()),
    }
    times = interleaved(benchmark, run, rivals, ROUNDS)
    show(table(f"R, cross-entropy, {POINTS}² points, {SAMPLES} samples", times, WORK, "point · sample"))


def test_network_curvature_against_jax(benchmark, show):
    pytest.importorskip("jax", reason="JAX comes with the bench extra")
    from benchmarks import network_jax  # noqa: PLC0415  # only where JAX is installed

    run, x = ours(), flipped()
    R, S = network_numba.ricci_scalar(AXIS, *np.ascontiguousarray(x.T))
    assert_equal(run(), R, S)
    rivals = {}
    for name, scalar in (
        ("JAX, jacfwd of Γ by jacfwd of g", network_jax.by_definition),
        ("JAX, Hessian-metric formula, T by jacfwd", network_jax.by_hessian_formula),
        ("JAX, h, h′ and moments typed by hand", network_jax.by_hand),
    ):
        rival, batch = network_jax.on_grid(scalar(x), AXIS)
        assert_equal(rival(), R, S)
        rivals[f"{name} (batches of {batch})"] = rival
    times = interleaved(benchmark, run, rivals, ROUNDS_OF_SECONDS)
    show(table(f"R, cross-entropy, {POINTS}² points, {SAMPLES} samples", times, WORK, "point · sample"))
