"""In what form a metric is given: what a form may stand for, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom.symbolic import (
    Called,
    ClosedForm,
    DirectSum,
    Expectation,
    Metric,
    PulledBack,
    Scaled,
    WeightedStates,
    numeric_metric,
)

a, b = sympy.symbols("a b", positive=True)
PLANE = ClosedForm(sympy.diag(1, a**2))


def test_a_matrix_is_a_closed_form() -> None:
    metric = Metric([a, b], sympy.diag(1, a**2))
    assert isinstance(metric.form, ClosedForm)
    assert metric.matrix is metric.form.matrix
    assert Metric([a, b], PLANE).matrix == metric.matrix == Metric([a, b], form=PLANE).matrix


def test_a_matrix_takes_the_place_of_the_form_that_was() -> None:
    law = ig.symbolic.metric(ig.models.dirichlet(2))
    assert law.form.cumulants is not None
    assert replace(law, attributes={}).form.cumulants is not None
    assert replace(law, matrix=2 * law.matrix).form.cumulants is None


def test_a_form_without_a_closed_form_is_kept_whatever_is_replaced() -> None:
    metric = Metric([a], Called(lambda x: [[x]]))
    assert replace(metric, attributes={"model": "mine"}).form.function is metric.form.function


def test_models_without_a_closed_form_say_in_what_form_they_are() -> None:
    units, skewed = ig.models.log_linear(4), ig.models.skew_normal()
    forms = [numeric_metric(model).form for model in (skewed, units)]
    assert [type(form) for form in forms] == [Expectation, WeightedStates]
    together = numeric_metric(ig.models.product(units, skewed)).form
    assert isinstance(together, DirectSum)
    assert [type(form) for form in together.forms] == [WeightedStates, Expectation]
    assert isinstance(numeric_metric(ig.models.replicate(units, 3)).form, Scaled)
    moved = ig.models.reparametrise(units, {units.parameters[0].name: 2 * sympy.Symbol("half", real=True)})
    assert isinstance(numeric_metric(moved).form, PulledBack)


@pytest.mark.parametrize("tensor", ["inverse", "christoffel", "riemann", "ricci", "ricci_scalar"])
def test_a_metric_without_a_closed_form_has_no_symbolic_tensors(tensor: str) -> None:
    with pytest.raises(TypeError, match="no closed form, it is an expectation that does not close"):
        getattr(ig.symbolic, tensor)(numeric_metric(ig.models.skew_normal()))


def test_only_a_mean_over_samples_is_written_out() -> None:
    with pytest.raises(TypeError, match=r"this metric is a sum over 16 states"):
        numeric_metric(ig.models.log_linear(4)).expand()


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        (lambda: Metric([a]), TypeError, "matrix must be a sympy Matrix, its rows or a Form, got None"),
        (lambda: Metric([a], Called(abs), observables={"loss": a}), TypeError, r"observables \['loss'\] are averaged"),
        (lambda: Metric([a], Called(3)), TypeError, "function must be callable, got 3"),
        (lambda: Metric([a], Called(abs, accuracy=2)), ValueError, "accuracy must be between 0 and 1, got 2"),
        (lambda: Metric([a, b], Scaled(PLANE, -1)), ValueError, "number must be positive, got -1"),
        (lambda: Metric([a], WeightedStates(np.ones((4, 2)))), ValueError, r"statistics must have shape \(S, 1\)"),
        (lambda: Metric([a], DirectSum([PLANE], [[a, b]])), ValueError, r"coordinates must be those of each form"),
        (lambda: Metric([a], PulledBack(PLANE, {a: a, b: b}, [a])), ValueError, "may hold no symbols but its coordin"),
        (lambda: Metric([a], PulledBack(PLANE, {a: a, b: a}, [b])), ValueError, r"new must be the coordinates \['a'\]"),
    ],
)
def test_a_form_that_cannot_stand_there_says_why(given, error, told) -> None:
    with pytest.raises(error, match=told):
        given()


@pytest.mark.parametrize(
    "form",
    [
        PLANE,
        Called(lambda x, y: [[x, 0], [0, y]]),
        Scaled(PLANE, 3),
        WeightedStates(np.eye(2)),
        DirectSum([ClosedForm([[a]]), ClosedForm([[b]])], [[a], [b]]),
        PulledBack(PLANE, {a: a * b, b: b}, [a, b]),
    ],
)
def test_every_form_is_written_in_latex(form) -> None:
    text = Metric([a, b], form)._repr_latex_()
    assert text.startswith(r"$\displaystyle g(a, b) = ")
    assert text.count("{") == text.count("}")


def test_constants_take_values_in_every_form_that_may_hold_them() -> None:
    m = sympy.Symbol("m", positive=True)
    plane = ClosedForm(sympy.diag(1, m * a**2))
    metric = Metric([a, b], plane, constants=[m])
    for form in (plane, Scaled(plane, 2), DirectSum([ClosedForm([[m * a]]), ClosedForm([[b]])], [[a], [b]])):
        given = replace(metric, matrix=form).with_constants(m=3)
        assert given.constants == ()
        assert all(m not in e.free_symbols for e in given.form.expressions)
    with pytest.raises(ValueError, match="m"):
        replace(metric, matrix=Scaled(plane, 2)).with_constants(k=3)


def test_a_point_that_leads_to_where_the_old_coordinates_may_not_lie_is_out_of_domain() -> None:
    g = ig.metric(ig.models.normal())
    mu, sigma = g.coordinates
    x, y = sympy.symbols("x y", real=True)
    there = Metric([x, y], PulledBack(g.form, {mu: x, sigma: y}, [x, y]))
    with pytest.warns(ig.StatusWarning, match="1 out_of_domain"):
        ds = ig.evaluate_points(there, [[0.0, 1.0], [0.0, -1.0]], ["metric"])
    assert ds.status.values.tolist() == [0, 3]


def test_old_coordinates_that_are_called_like_new_ones_change_places_at_once() -> None:
    x, y = sympy.symbols("x y", real=True)
    inner = PulledBack(PLANE, {a: x - y, b: x + y}, [x, y])
    swapped = Metric([x, y], PulledBack(inner, {x: y, y: x}, [x, y]))
    assert set(swapped.constraints) == {y - x, x + y}


def test_a_form_prints_in_one_line() -> None:
    assert repr(Scaled(PLANE, 3)) == "<Scaled: 3 times a closed form>"
