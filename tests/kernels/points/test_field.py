"""A metric as a function of points: the values of grids, one point at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom.kernels.points.field import Field
from infogeom.symbolic import Called, Metric, numeric_metric

QUANTITIES = ("metric", "inverse_metric", "determinant", "christoffel", "ricci")
INPUTS = ig.models.decision_boundary(20, seed=0)
TOGETHER = ig.models.product(ig.models.skew_normal(), ig.models.dirichlet(3))
CASES: dict[str, tuple[Any, list[float]]] = {
    "closed": (ig.models.gamma(), [2.0, 1.5]),
    "three parameters": (ig.models.student_t(), [0.5, 1.0, 5.0]),
    "five parameters": (ig.models.multivariate_normal(2), [0.0, 1.0, 1.0, 0.2, 2.0]),
    "data": (ig.models.sigmoid_neuron(*INPUTS, ig.losses.CrossEntropy()), [0.3, 0.4]),
    "expectation": (ig.models.skew_normal(), [0.0, 1.0, 1.5]),
    "copies": (ig.models.replicate(TOGETHER, 2), [0, 1, 2, 1.5, 2.5, 2]),
}


@pytest.mark.parametrize("name", CASES)
def test_a_field_has_the_values_of_the_grid(name: str) -> None:
    model, point = CASES[name]
    right = ig.grid.evaluate_points(model, [point], QUANTITIES, max_refined=0)
    values = Field(numeric_metric(model), QUANTITIES)(point)
    for quantity, value in zip(QUANTITIES, values, strict=True):
        assert value == pytest.approx(right[quantity].values[0], rel=1e-13, abs=1e-13), quantity


def test_a_field_gives_what_is_observed_beside_what_is_measured() -> None:
    model, point = CASES["data"]
    right = ig.grid.evaluate_points(model, [point], ("loss", "ricci_scalar", "ntk_trace"))
    found = Field(numeric_metric(model), ("loss", "ricci_scalar", "ntk_trace"))(point)
    assert found == pytest.approx([right[name].item() for name in ("loss", "ricci_scalar", "ntk_trace")], rel=1e-12)


@pytest.mark.parametrize("number", [1, 4])
def test_an_indefinite_metric_is_a_field_too(number: int) -> None:
    t = sympy.symbols("t0:5", real=True)
    flat = Metric(t[: number + 1], sympy.diag(-1, *(t[0] ** 2 + k for k in range(1, number + 1))))
    g, R = Field(flat, ("metric", "ricci_scalar"))([2.0] * (number + 1))
    right = ig.grid.evaluate_points(flat, [[2.0] * (number + 1)], ("metric", "ricci_scalar"))
    assert np.array_equal(g, right.metric.values[0])
    assert pytest.approx(right.ricci_scalar.item(), rel=1e-13) == R


def test_what_has_no_value_at_a_singular_point_is_nan_there() -> None:
    a, b = sympy.symbols("a b", real=True)
    field = Field(Metric([a, b], [[1, a], [a, 1]]), ("metric", "determinant", "inverse_metric", "ricci_scalar"))
    g, determinant, inverse, R = field([1.0, 0.0])
    assert g.tolist() == [[1, 1], [1, 1]]
    assert determinant == 0
    assert np.isnan(inverse).all()
    assert np.isnan(R)


@pytest.mark.slow
def test_quantities_that_a_form_has_not_are_a_value_error() -> None:
    kinked = numeric_metric(ig.models.mixture([ig.models.laplace(), ig.models.normal()]))
    with pytest.raises(ValueError, match=r"quantities \['christoffel'\]: .*kink"):
        Field(kinked, ("metric", "christoffel"))


def test_observables_may_be_any_expressions() -> None:
    a = sympy.Symbol("a", positive=True)
    metric = replace(Metric([a], [[1 / a**2]]), observables={"loss": a**2, "slope": 2 * a})
    assert Field(metric, ("slope", "loss"))([3.0]) == (6.0, 9.0)


@pytest.mark.parametrize("x", [[1.0], [1.0, 2.0, 3.0], [[1.0, 2.0]], 1.0])
def test_a_point_of_another_shape_is_a_value_error(x: Any) -> None:
    field = Field(numeric_metric(ig.models.gamma()), ("metric",))
    with pytest.raises(ValueError, match=r"x must have shape \(2,\), got"):
        field(x)


def test_a_users_function_is_a_field() -> None:
    a = sympy.Symbol("a", positive=True)
    (g,) = Field(Metric([a], Called(lambda x: [[1 / x**2]])), ("metric",))([2.0])
    assert g == [[0.25]]


def test_a_model_stands_for_its_metric() -> None:
    law = ig.models.gamma()
    assert Field(law, ("determinant",))([2.0, 3.0]) == Field(numeric_metric(law), ("determinant",))([2.0, 3.0])


@pytest.mark.parametrize("name", ["curvature", "ricci_scalar_error", "log10_ricci_scalar", "metric_rank", "loss"])
def test_what_is_no_quantity_of_its_own_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match=rf"quantities must be among \['metric', .*got \['{name}'\]"):
        Field(ig.models.gamma(), ("metric", name))


def test_a_single_name_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="quantities must be a sequence of names, got 'metric'"):
        Field(ig.models.gamma(), "metric")
