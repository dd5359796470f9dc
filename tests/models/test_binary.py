"""Log-linear models of binary vectors: curvature in closed form and by sums over states."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import mpmath
import numpy as np
import pytest

import infogeom as ig
from infogeom.kernels.curvature.loops import UNIT
from infogeom.kernels.curvature.tensor_errors import SINGLE
from infogeom.kernels.points.forms.state_sums import stated
from infogeom.symbolic import ExpectationError
from tests.problems import EPS
from tests.vectors import Array, R, somewhere

OK, REFINED, SINGULAR, OUT_OF_DOMAIN, OVERFLOW, UNREFINED = range(6)


@pytest.mark.parametrize("units", [2, pytest.param(3, marks=pytest.mark.slow), 4])  # 2 written out, 4 summed
def test_all_laws_of_binary_vectors_lie_on_a_sphere(units: int) -> None:
    model = ig.models.log_linear(units, units)
    m = len(model.parameters)
    assert R(model, somewhere(model, 3)) == pytest.approx([m * (m - 1) / 4] * 3, rel=1e-9)


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")  # nothing is small beside R = 0
def test_units_without_couplings_are_independent() -> None:
    model = ig.models.log_linear(6, 1)
    theta = somewhere(model, 1)
    ds = ig.grid.evaluate_points(model, theta)
    p = 1 / (1 + np.exp(-theta[0]))
    assert ds.metric.values[0] == pytest.approx(np.diag(p * (1 - p)), abs=10 * EPS)
    assert abs(ds.ricci_scalar.item()) <= ds.ricci_scalar_error.item()


def test_sums_over_states_agree_with_the_closed_form() -> None:
    model = ig.models.log_linear(3)
    (point,) = somewhere(model, 1)
    found = stated(np.array(model.structure.statistics, dtype=float), point)
    quantities = ("metric", "inverse_metric", "determinant", "fisher_trace", "ricci_scalar")
    ds = ig.grid.evaluate_points(model, [point], quantities)
    for name in quantities:
        assert found[name] == pytest.approx(ds[name].values[0], rel=1e-9), name


def exact_curvature(statistics: Array, theta: Array) -> Any:
    """R = ¼ (‖T‖² − ‖tr T‖²) with T_abc = E[c_a c_b c_c] contracted by g⁻¹, in mpmath."""
    with mpmath.workdps(40):
        exact = [mpmath.mpf(float(x)) for x in theta]
        w = [mpmath.exp(mpmath.fsum(x for x, t in zip(exact, state, strict=True) if t)) for state in statistics]
        p = np.array([v / mpmath.fsum(w) for v in w], dtype=object)
        c = statistics.astype(object) - p @ statistics
        g = mpmath.matrix((c.T @ (p[:, None] * c)).tolist())
        inverse = np.array((g**-1).tolist(), dtype=object)
        T = np.einsum("s,sa,sb,sc->abc", p, c, c, c)
        raised = np.tensordot(np.tensordot(np.tensordot(T, inverse, (0, 0)), inverse, (0, 0)), inverse, (0, 0))
        trace = np.tensordot(T, inverse, ((0, 1), (0, 1)))
        return ((T * raised).sum() - trace @ inverse @ trace) / 4


@pytest.mark.parametrize("size", [1.0, 6.0])
def test_sums_over_states_are_right_to_their_stated_error(size: float) -> None:
    model = ig.models.log_linear(4)
    statistics = np.array(model.structure.statistics)
    points = np.random.default_rng(3).uniform(-size, size, (8, 10))
    ds = ig.grid.evaluate_points(model, points, ("ricci_scalar",), rtol=1e-6)
    assert (ds.status == OK).any()
    for point, found, error in zip(points, ds.ricci_scalar.values, ds.ricci_scalar_error.values, strict=True):
        exact = exact_curvature(statistics, point)
        assert abs(exact - mpmath.mpf(float(found))) <= error
        assert error <= 1e5 * EPS * abs(exact) * 10 ** (3 * size)  # as the condition of g grows


def test_what_weights_err_by_moves_the_metric_through_their_sum_too() -> None:
    # Exponents 0, −5 and −3, of terms that come to 407: each has two roundings of that size.
    statistics, theta = np.array([[0, 0], [1, 1], [1, 1.01]]), np.array([-205.0, 200.0])
    found, error = stated(statistics, theta.tolist()), 2 * 407 * UNIT * SINGLE
    p = np.exp(statistics @ theta) / np.exp(statistics @ theta).sum()
    c = statistics[:, 0] - p @ statistics[:, 0]
    worst = error * (p @ np.abs(c**2 - found["metric"][0, 0]))  # as δp_s = p_s (ε_s − Σ_t p_t ε_t)
    assert worst > 1.7 * error * found["metric"][0, 0]
    assert worst <= found["metric_error"][0, 0] <= 2 * worst


@pytest.mark.parametrize("theta", [-250.0, -500.0, 1e308])
def test_sums_over_states_that_leave_float64_are_told_by_the_status_alone(theta: float) -> None:
    model, point = ig.models.log_linear(4), [theta] * 3 + [0.0] * 7
    with pytest.warns(ig.StatusWarning, match="1 unrefined"):
        ds = ig.grid.evaluate_points(model, [point])
    assert np.isnan(ds.ricci_scalar.item())


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_what_float64_takes_for_singular_is_said_not_to_be_settled() -> None:
    model, points = ig.models.log_linear(4), [[0.0] * 10, [800.0] + [0.0] * 9]
    assert ig.grid.evaluate_points(model, points, ("metric_rank",)).metric_rank.values.tolist() == [10, -1]
    ds = ig.grid.evaluate_points(model, points)
    assert ds.status.values.tolist() == [OK, UNREFINED]
    assert np.isnan(ds.ricci_scalar.values[1])
    assert np.isinf(ds.ricci_scalar_error.values[1])
    assert np.isfinite(ds.metric.values).all()


def test_ten_units_are_evaluated_on_grids() -> None:
    model = ig.models.log_linear(10)
    assert len(model.parameters) == 10 + comb(10, 2)
    axes = {p.name: 0.1 for p in model.parameters} | {"theta1": [-0.5, 0.5], "theta2": [-0.5, 0.5]}
    ds = ig.grid.evaluate(model, axes, ("ricci_scalar", "fisher_trace"), rtol=1e-6)
    assert (ds.status == OK).all()
    # Exchanging two units exchanges their fields, as the couplings are all the same.
    assert ds.ricci_scalar.values[0, 1] == pytest.approx(ds.ricci_scalar.values[1, 0], rel=1e-8)


def test_a_metric_over_many_states_is_not_written_out() -> None:
    with pytest.raises(ExpectationError, match="a sum over 1024 states is written out up to 8 of them"):
        ig.symbolic.metric(ig.models.log_linear(10))


def test_tensors_over_many_states_are_refused() -> None:
    with pytest.raises(
        ValueError, match=r"quantities \['ricci'\]: that takes tensors over the states.* of at most 12 parameters"
    ):
        ig.grid.evaluate_points(ig.models.log_linear(5), np.zeros((1, 15)), ("metric", "ricci"))


@pytest.mark.parametrize(
    ("make", "arguments", "error", "match"),
    [
        (
            ig.models.log_linear,
            (
                3,
                4,
            ),
            ValueError,
            "order must be at most units = 3, got 4",
        ),
        (ig.models.log_linear, (20,), ValueError, r"at most 4096 states, got 2\^20"),
    ],
)
def test_bad_arguments_are_named(make: Callable[..., Any], arguments: tuple[Any, ...], error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        make(*arguments)
