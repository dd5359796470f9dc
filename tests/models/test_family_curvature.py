"""Curvature of every family of one variable: against the jet of its metric, and far from where it is typical."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom.kernels.points.forms.closed import exact
from tests.families import FAMILIES, NUMERIC, each, family, typical_points
from tests.law_reference import Definition, curvature_of, mp_matrix
from tests.problems import EPS, Problem, families

curved = [name for name in FAMILIES if name not in NUMERIC and len(family(name).parameters) > 1]
#: Without special functions and constants, EinsteinPy takes seconds.
QUICK = ("normal", "logistic", "laplace", "cauchy", "inverse_gaussian")
curved_plane = [name for name in curved if len(family(name).parameters) == 2]
pytestmark = pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")


@pytest.mark.parametrize("name", each(curved))
def test_curvature_is_that_of_the_jet_of_the_closed_form(name: str) -> None:
    model = family(name)
    points = typical_points(name, 3, seed=3)
    matrix = mp_matrix(ig.symbolic.metric(model).matrix, [p.symbol for p in model.parameters])
    ds = ig.grid.evaluate_points(model, points)
    for point, R, bound in zip(points, ds.ricci_scalar.values, ds.ricci_scalar_error.values, strict=True):
        expected = curvature_of(matrix, point, step="1e-25", digits=120)
        assert abs(R - float(expected)) <= 2 * bound + EPS * abs(R)


@pytest.mark.parametrize(
    "name",
    [
        "beta_binomial(40)",
        "negative_binomial",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("skellam", "skew_normal")),
    ],
)
def test_curvature_by_quadrature_is_right_to_its_error(name: str) -> None:
    # Central differences in 30 digits: h² of the step is left, times what cancels.
    (point,) = typical_points(name, 1, seed=5)
    ds = ig.grid.evaluate_points(family(name), [point])
    definition = Definition(family(name))
    R = float(curvature_of(lambda *x: definition(x)[0].tolist(), point, step="1e-7", digits=30))
    assert abs(float(ds.ricci_scalar[0]) - R) <= 2 * float(ds.ricci_scalar_error[0]) + 1e-9 * (1 + abs(R))


def test_copies_count_whatever_is_done_to_them_where_expectations_are_summed() -> None:
    mean, r = sympy.symbols("mean r", positive=True)
    law = ig.models.negative_binomial()
    by_mean = lambda model: ig.models.reparametrise(model, {"p": r / (r + mean)})  # noqa: E731
    once = ig.grid.evaluate_points(by_mean(law), [[2.0, 3.0]])
    twice_three = by_mean(ig.models.replicate(ig.models.replicate(law, 2), 3))
    found = ig.grid.evaluate_points(twice_three, [[2.0, 3.0]])
    assert found.metric.values == pytest.approx(6 * once.metric.values, rel=1e-14)
    assert float(found.ricci_scalar[0]) == pytest.approx(float(once.ricci_scalar[0]) / 6, rel=1e-12)


@pytest.mark.slow
def test_a_rule_too_coarse_for_the_mass_is_no_answer() -> None:
    # The tails of a Cauchy law take 500 nodes; its mixture with a normal law is regular.
    law = ig.models.mixture([ig.models.cauchy(), ig.models.normal()])
    point = [0.5, 0.2, 1.0, 0.8]
    found = ig.grid.evaluate_points(law, [point]).metric.values[0]
    defined = np.array(Definition(law)([*point])[0], dtype=float)
    assert abs(found - defined).max() <= 1e-12 * abs(defined).max()


@pytest.mark.parametrize("problem", families(), ids=lambda p: p.name)
def test_curvature_is_what_the_literature_says(problem: Problem) -> None:
    rng = np.random.default_rng(6)
    points = np.array([[rng.uniform(*ends) for ends in problem.typical] for _ in range(5)])
    ds = ig.grid.evaluate_points(problem.metric, points)
    expected = problem.expected(points)
    assert (abs(ds.ricci_scalar.values - expected) <= 2 * ds.ricci_scalar_error.values + 8 * EPS * abs(expected)).all()


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in curved_plane]
)
def test_einsteinpy_agrees_through_taylor_polynomials(name: str) -> None:
    model = family(name)
    assert ig.einstein.compare(model, typical_points(name, 1, seed=7)).agree


@pytest.mark.slow
@pytest.mark.parametrize("name", each(name for name in curved if name not in curved_plane))
def test_einsteinpy_agrees_with_three_parameters(name: str) -> None:
    model = family(name)
    assert ig.verify(model, typical_points(name, 1, seed=7), slow=True).agree


WIDE = ("gamma", "beta", "weibull", "inverse_gaussian", "student_t(5)", "von_mises", "log_logistic")


@pytest.mark.parametrize(
    "name", [*WIDE, *(pytest.param(name, marks=pytest.mark.slow) for name in curved if name not in WIDE)]
)
def test_the_error_of_the_curvature_is_honest_far_from_the_typical_range(name: str) -> None:
    model = family(name)
    rng, metric = np.random.default_rng(4), ig.symbolic.metric(model)
    points = np.array([[wide(p, rng) for p in model.parameters] for _ in range(10)])
    ds = ig.grid.evaluate_points(model, points, max_refined=0)
    balls, compared = exact(metric, ("ricci_scalar",)), 0
    for point, R, bound in zip(points, ds.ricci_scalar.values, ds.ricci_scalar_error.values, strict=True):
        refined = balls.refine(point, ("ricci_scalar",), most=2**12)
        if refined.status == 1 and np.isfinite(bound):
            compared += 1
            assert abs(R - refined.values["ricci_scalar"]) <= 2 * (bound + refined.values["ricci_scalar_error"])
    assert compared >= 3


def wide(parameter: ig.models.Parameter, rng: np.random.Generator) -> float:
    """Anywhere in the domain, over six powers of ten."""
    low, high = float(parameter.domain.start), float(parameter.domain.end)
    size = 10 ** rng.uniform(-3, 3)
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) * size / (1 + size)
    return low + size if np.isfinite(low) else float(rng.choice([-1, 1]) * size)
