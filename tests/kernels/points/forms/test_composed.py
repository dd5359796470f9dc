"""Every form of metric in every composition, against the closed form of the whole or against sums by definition."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product as pairs
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import infogeom as ig
from infogeom.kernels.points import work_of
from infogeom.symbolic import Called, DirectSum, Form, Metric, PulledBack, Scaled, WeightedStates, numeric_metric

QUANTITIES = ("metric", "inverse_metric", "determinant", "christoffel", "riemann", "ricci", "ricci_scalar")
WITH_ERRORS = (*QUANTITIES, *(f"{name}_error" for name in QUANTITIES))
GAMMA, UNITS = ig.models.gamma(), ig.models.log_linear(2)
SHAPE, RATE = (p.symbol for p in GAMMA.parameters)
a, b = sympy.symbols("a b", positive=True)


def whole_jet(*x: float) -> tuple[np.ndarray, ...]:
    """Jet of gamma laws by their closed form."""
    return tuple(tensor[..., 0] for tensor in work_of(numeric_metric(GAMMA)).jets(np.array([x]), 2)[:3])


#: Forms of the metric of gamma laws, of log-linear laws, and the error of R that each may have.
FORMS: dict[str, tuple[Any, Callable[[], Form], float]] = {
    "closed": (GAMMA, lambda: numeric_metric(GAMMA).form, 1e-9),
    "called, g": (GAMMA, lambda: Called(lambda *x: whole_jet(*x)[0]), 1e-4),
    "called, g and ∂g": (GAMMA, lambda: Called(lambda *x: whole_jet(*x)[:2]), 1e-7),
    "called, g, ∂g and ∂∂g": (GAMMA, lambda: Called(whole_jet), 1e-9),
    "states": (UNITS, lambda: WeightedStates(np.array(UNITS.structure.statistics, float)), 1e-7),
}


def product(model: Any, form: Form) -> tuple[Any, Metric]:
    other = ig.models.binomial(5)
    coordinates = [tuple(p.symbol for p in m.parameters) for m in (model, other)]
    together = DirectSum([form, numeric_metric(other).form], coordinates)
    return ig.models.product(model, other), Metric([c for own in coordinates for c in own], together)


def copies(model: Any, form: Form) -> tuple[Any, Metric]:
    return ig.models.replicate(model, 3), Metric([p.symbol for p in model.parameters], Scaled(form, 3))


def moved(model: Any, form: Form, number: int) -> tuple[Any, Metric]:
    """In as many coordinates, curved ones."""
    new = [a, b, sympy.Symbol("c", positive=True)][:number]
    old = {p.symbol: sympy.log(1 + new[k % number]) * new[0] + k * new[-1] / 4 for k, p in enumerate(model.parameters)}
    names = {symbol.name: e for symbol, e in old.items()}
    return ig.models.reparametrise(model, names, new), Metric(new, PulledBack(form, old, new))


COMPOSITIONS: dict[str, Callable[..., tuple[Any, Metric]]] = {
    "product": product,
    "copies": copies,
    "coordinates": lambda model, form: moved(model, form, len(model.parameters)),
    "submodel": lambda model, form: moved(model, form, 1),
}


def assert_agree(found: xr.Dataset, right: xr.Dataset) -> None:
    """Within the bounds that both state, taken twice."""
    for name in QUANTITIES:
        bound = found[f"{name}_error"] + right[f"{name}_error"]
        assert np.isfinite(found[name]).all(), name
        assert (abs(found[name] - right[name]) <= 2 * bound).all(), name


#: Of log-linear laws in curved coordinates: the closed form takes minutes.
PAIRS = [
    pytest.param(name, composition, marks=[pytest.mark.slow] * ((name, composition) == ("states", "coordinates")))
    for name, composition in pairs(FORMS, COMPOSITIONS)
]


@pytest.mark.parametrize(("name", "composition"), PAIRS)
def test_every_form_agrees_with_the_closed_form_in_every_composition(name: str, composition: str) -> None:
    model, form, rtol = FORMS[name]
    whole, metric = COMPOSITIONS[composition](model, form())
    points = np.random.default_rng(1).uniform(0.5, 0.9, (3, len(metric.names)))
    found = ig.grid.evaluate_points(metric, points, WITH_ERRORS, rtol=rtol)
    assert_agree(found, ig.grid.evaluate_points(whole, points, WITH_ERRORS))
    assert (found.status == 0).all()


@pytest.mark.parametrize("name", FORMS)
def test_every_form_alone_is_what_the_closed_form_is(name: str) -> None:
    model, form, rtol = FORMS[name]
    metric = Metric([p.symbol for p in model.parameters], Scaled(form(), 1))
    points = np.random.default_rng(2).uniform(0.5, 1.5, (3, len(metric.names)))
    found = ig.grid.evaluate_points(metric, points, WITH_ERRORS, rtol=rtol)
    assert_agree(found, ig.grid.evaluate_points(model, points, WITH_ERRORS))


@pytest.mark.parametrize("composition", COMPOSITIONS)
def test_the_jet_is_right_where_curvature_does_not_show_it(composition: str) -> None:
    """Of what is symmetric in ∂∂g nothing is left in curvature."""
    model, form, _ = FORMS["closed"]
    whole, metric = COMPOSITIONS[composition](model, form())
    points = np.random.default_rng(3).uniform(0.5, 0.9, (2, len(metric.names)))
    found, right = (work_of(one).jets(points, 2) for one in (metric, numeric_metric(whole)))
    for value, error, known, bound in zip(found[:3], found.errors, right[:3], right.errors, strict=False):
        assert value.shape == known.shape
        assert (abs(value - known) <= 32 * (error + bound)).all()
        assert (error <= 1e-10 * (1 + abs(known).max())).all()


@pytest.mark.parametrize("composition", COMPOSITIONS)
def test_what_a_part_errs_by_is_in_the_bounds_of_the_whole(composition: str) -> None:
    off = 1e-6

    def askew(*x: float) -> tuple[np.ndarray, ...]:
        return tuple((1 - off * np.cos(7 * x[0]) / 4) * tensor for tensor in whole_jet(*x))

    whole, metric = COMPOSITIONS[composition](GAMMA, Called(askew, accuracy=off))
    points = np.random.default_rng(4).uniform(0.5, 0.9, (3, len(metric.names)))
    found = ig.grid.evaluate_points(metric, points, WITH_ERRORS, rtol=1)
    right = ig.grid.evaluate_points(whole, points, WITH_ERRORS)
    for name in QUANTITIES:
        assert (abs(found[name] - right[name]) <= found[f"{name}_error"] + right[f"{name}_error"]).all(), name
    assert (found.metric_error.max() > off / 100 * found.metric.max()).all()


@pytest.mark.slow
def test_a_form_of_forms_is_evaluated_on_grids_too() -> None:
    whole, metric = moved(GAMMA, Called(whole_jet), 2)
    axes = {"a": np.linspace(0.5, 1.5, 3), "b": [0.5, 0.75]}
    found = ig.grid.evaluate(metric, axes, WITH_ERRORS)
    assert_agree(found, ig.grid.evaluate(whole, axes, WITH_ERRORS))


def test_expectations_compose_with_what_has_a_closed_form() -> None:
    law = ig.models.skew_normal()
    together = ig.models.product(ig.models.dirichlet(3), law)
    alone, point = ig.models.dirichlet(3), [1.0, 2.0, 3.0, 0.1, 1.0, 1.5]
    found = ig.grid.evaluate_points(together, [point], WITH_ERRORS, rtol=1e-6)
    parts = [ig.grid.evaluate_points(model, [x], WITH_ERRORS) for model, x in ((alone, point[:3]), (law, point[3:]))]
    assert found.attrs["expectation"] == "parts"
    total = sum(part.ricci_scalar.item() for part in parts)
    bound = found.ricci_scalar_error.item() + sum(part.ricci_scalar_error.item() for part in parts)
    assert abs(found.ricci_scalar.item() - total) <= 2 * bound
    assert found.determinant.item() == pytest.approx(np.prod([part.determinant.item() for part in parts]), rel=1e-9)


def test_copies_of_many_states_have_a_curvature_that_many_times_smaller() -> None:
    law, point = ig.models.log_linear(4), np.full((1, 10), 0.3)
    alone = ig.grid.evaluate_points(law, point, ("ricci_scalar",))
    found = ig.grid.evaluate_points(ig.models.replicate(law, 3), point, ("ricci_scalar",), rtol=1e-5)
    bound = found.ricci_scalar_error.item() + alone.ricci_scalar_error.item()
    assert abs(3 * found.ricci_scalar.item() - alone.ricci_scalar.item()) <= 3 * bound


@pytest.mark.slow
def test_what_a_form_has_no_derivatives_for_is_refused_by_name() -> None:
    laplace = ig.models.laplace()
    kinked = numeric_metric(ig.models.mixture([ig.models.laplace(), ig.models.normal()]))
    many = Metric(sympy.symbols("t0:13"), Scaled(WeightedStates(np.eye(14, 13)), 2))
    assert laplace.parameters
    for metric, told in ((kinked, "kink that moves"), (many, "at most 12 parameters")):
        with pytest.raises(ValueError, match=rf"quantities \['christoffel'\]: .*{told}"):
            ig.grid.evaluate_points(metric, np.ones((1, len(metric.names))), ("metric", "christoffel"))


@pytest.mark.parametrize("composition", ["copies", "product"])
def test_a_part_keeps_the_domain_of_the_whole(composition: str) -> None:
    """Its differences stay inside."""
    seen: list[float] = []

    def share(p: float) -> list[list[float]]:
        seen.append(p)
        return [[1 / (p * (1 - p))]]

    p, q, inside = *sympy.symbols("p q", positive=True), sympy.Interval.open(0, 1)
    both = DirectSum([Called(share), Called(share)], [[p], [q]])
    parts, form = ([p], Scaled(Called(share), 2)) if composition == "copies" else ([p, q], both)
    metric = Metric(parts, form, domains=[inside] * len(parts))
    ds = ig.grid.evaluate_points(metric, [[0.999] * len(parts)], ("christoffel", "christoffel_error"), rtol=1)
    assert 0 < min(seen) < max(seen) < 1
    right = -(1 - 2 * 0.999) / (2 * 0.999 * 0.001)
    assert abs(ds.christoffel.values.ravel()[0] - right) <= ds.christoffel_error.values.ravel()[0]


def test_errors_of_a_factor_of_all_samples_are_relative_in_forms_of_forms() -> None:
    data = ig.models.decision_boundary(50, seed=0)
    network = ig.metric(ig.models.sigmoid_neuron(*data, ig.losses.CrossEntropy()))
    x, fisher = np.array([[3.0, -2.0]]), {"attributes": network.attributes}
    alone = work_of(network).jets(x, 1)
    assert alone.errors[3][0] > 0
    half = work_of(Metric(network.coordinates, Scaled(network.form, 0.5), **fisher)).jets(x, 1)
    assert np.array_equal(half.errors[3], alone.errors[3])
    same = PulledBack(network.form, {c: c for c in network.coordinates}, network.coordinates)
    moved = work_of(Metric(network.coordinates, same, **fisher)).jets(x, 0)
    assert (moved.errors[0] >= alone.errors[0] + abs(alone.g) * alone.errors[3][0]).all()


@pytest.mark.parametrize(
    ("returned", "told"),
    [
        ([1.0, 2.0], r"return g of shape \(2, 2\), got \(2,\)"),
        ((np.eye(2), np.eye(2)), r"return dg of shape \(2, 2, 2\), got \(2, 2\)"),
        ([[1.0, 0.5], [0.0, 1.0]], "return g symmetric in i and j"),
        ((np.eye(2), np.arange(8.0).reshape(2, 2, 2)), "return dg symmetric in i and j"),
        ((np.eye(2),) * 4, r"return g, \(g, dg\) or \(g, dg, ddg\), got 4 arrays"),
    ],
)
def test_a_function_that_returns_something_else_is_told_what_it_should(returned: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ig.grid.evaluate_points(Metric([a, b], Called(lambda *_: returned)), [[1, 1]], ("metric",))


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_differences_stay_within_the_domain_and_their_error_within_its_bound(x: float, y: float) -> None:
    seen: list[float] = []

    def hyperbolic(u: float, v: float) -> list[list[float]]:
        seen.extend((u, v))
        return [[1 / (v * v), 0.0], [0.0, 1 / (v * v)]]

    ds = ig.grid.evaluate_points(Metric([a, b], Called(hyperbolic)), [[x, y]], ("ricci_scalar",), rtol=1)
    assert min(seen) > 0
    assert abs(ds.ricci_scalar.item() + 2) <= ds.ricci_scalar_error.item()


def test_an_error_of_the_old_coordinates_shows_in_second_derivatives_that_vanish_there() -> None:
    closed = ig.symbolic.ClosedForm(sympy.diag(1, 10**6 + sympy.sin(a)))
    moved = Metric([a, b], PulledBack(closed, {a: a**3, b: b}, [a, b]))
    at = (np.pi * 1e7) ** (1 / 3)  # where sin is 0 to within the rounding of its argument
    with pytest.warns(ig.StatusWarning, match="1 unrefined"):
        ds = ig.evaluate_points(moved, [[at, 1.0]], ("ricci_scalar",))
    with mpmath.workdps(40):
        old = mpmath.mpf(at) ** 3
        R = -2 * mpmath.diff(lambda t: mpmath.sqrt(10**6 + mpmath.sin(t)), old, 2) / mpmath.sqrt(10**6)
    assert abs(ds.ricci_scalar.item() - float(R)) <= ds.ricci_scalar_error.item() < 0.1 * abs(R)


@pytest.mark.parametrize("far", [0.0, 1e8])
def test_states_whose_statistics_lie_far_from_0_are_a_law_like_any_other(far: float) -> None:
    statistics = np.array(UNITS.structure.statistics, float) + far
    metric = Metric([p.symbol for p in UNITS.parameters], WeightedStates(statistics))
    point = np.full((1, len(metric.names)), 0.25)
    here, near = ig.evaluate_points(metric, point), ig.evaluate_points(UNITS, point)
    assert abs(here.ricci_scalar - near.ricci_scalar).item() <= here.ricci_scalar_error.item() < 1e-9
