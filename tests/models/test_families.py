"""Every family of one variable: metric and curvature against the definition, and what each declares."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom.kernels.refinement import exact
from infogeom.symbolic import ExpectationError
from tests import reference
from tests.families import FAMILIES, KINKED, NUMERIC, UNSUMMABLE, family
from tests.law_reference import Definition, mp_matrix
from tests.problems import EPS

every_family = pytest.mark.parametrize("name", FAMILIES)
closed = pytest.mark.parametrize("name", [name for name in FAMILIES if name not in NUMERIC])
summable = pytest.mark.parametrize("name", [name for name in FAMILIES if name not in UNSUMMABLE])
pytestmark = pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
Array = np.ndarray[Any, np.dtype[Any]]


@cache
def definition(name: str) -> Definition:
    return Definition(family(name))


def typical_points(name: str, count: int, seed: int = 0) -> Array:
    """Random points of the typical ranges that a family declares."""
    rng = np.random.default_rng(seed)
    return np.array([[rng.uniform(*p.typical) for p in family(name).parameters] for _ in range(count)])


def off_the_definition(name: str, points: Array) -> Array:
    """Largest difference of g from E[s sᵀ] at each point, relative to √(g_ii g_jj)."""
    found = ig.grid.evaluate_points(family(name), points, ("metric",)).metric.values
    defined = np.array([definition(name)(point)[0] for point in points], dtype=float)
    scale = np.sqrt(np.einsum("mii,mjj->mij", defined, defined))
    return np.asarray((abs(found - defined) / scale).max((1, 2)))


@summable
def test_the_metric_is_the_expectation_of_the_products_of_scores(name: str) -> None:
    # 1e-12 is asked of closed forms that may cancel three or four digits.
    assert (off_the_definition(name, typical_points(name, 3)) <= 1e-12).all()


@pytest.mark.slow
@summable
def test_the_metric_is_the_expectation_at_many_points(name: str) -> None:
    assert (off_the_definition(name, typical_points(name, 20, seed=1)) <= 1e-12).all()


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in KINKED | UNSUMMABLE])
def test_the_negative_expected_hessian_is_the_metric_where_the_density_is_smooth(name: str) -> None:
    # Eq. 3.2.14.
    (point,) = typical_points(name, 1, seed=2)
    score, hessian, mass = definition(name)(point)
    assert abs(mass - 1) < 1e-15
    assert abs(score - hessian).max() <= 1e-15 * abs(score).max()


@closed
def test_curvature_is_that_of_the_jet_of_the_closed_form(name: str) -> None:
    model = family(name)
    points, n = typical_points(name, 3, seed=3), len(model.parameters)
    matrix = mp_matrix(ig.symbolic.metric(model).matrix, [p.symbol for p in model.parameters])
    ds = ig.grid.evaluate_points(model, points)
    for point, R, bound in zip(points, ds.ricci_scalar.values, ds.ricci_scalar_error.values, strict=True):
        jet = reference.jet(matrix, [reference.context.convert(float(x)) for x in point])
        expected = 0 if n == 1 else reference.curvature(jet).scalar
        assert abs(R - float(expected)) <= 2 * bound + EPS * abs(R)


@closed
def test_the_error_of_the_curvature_is_honest_far_from_the_typical_range(name: str) -> None:
    model = family(name)
    rng, metric = np.random.default_rng(4), ig.symbolic.metric(model)
    points = np.array([[wide(p, rng) for p in model.parameters] for _ in range(10)])
    ds = ig.grid.evaluate_points(model, points, max_refined=0)
    balls = exact(metric, ("ricci_scalar",))
    for point, R, bound in zip(points, ds.ricci_scalar.values, ds.ricci_scalar_error.values, strict=True):
        refined = balls.refine(point, ("ricci_scalar",))
        if refined.status == 1 and np.isfinite(bound):
            error = abs(R - refined.values["ricci_scalar"])
            assert error <= 2 * (bound + refined.values["ricci_scalar_error"])


def wide(parameter: ig.models.Parameter, rng: np.random.Generator) -> float:
    """Anywhere in the domain, over six powers of ten."""
    low, high = float(parameter.domain.start), float(parameter.domain.end)
    size = 10 ** rng.uniform(-3, 3)
    if np.isfinite(low) and np.isfinite(high):
        return low + (high - low) * size / (1 + size)
    return low + size if np.isfinite(low) else float(rng.choice([-1, 1]) * size)


@pytest.mark.parametrize("name", sorted(NUMERIC))
def test_curvature_by_quadrature_is_right_to_its_error(name: str) -> None:
    # The jet of the definition itself: derivatives of E[s sᵀ] by mpmath's differences.
    model = family(name)
    (point,) = typical_points(name, 1, seed=5)
    ds = ig.grid.evaluate_points(model, [point])
    jet = reference.jet(lambda *x: definition(name)(x)[0].tolist(), [float(x) for x in point])
    R = float(reference.curvature(jet).scalar)
    assert abs(float(ds.ricci_scalar[0]) - R) <= 2 * float(ds.ricci_scalar_error[0]) + 1e-9 * abs(R)


@pytest.mark.parametrize("name", sorted(NUMERIC))
def test_what_has_no_closed_form_says_so(name: str) -> None:
    ds = ig.grid.evaluate_points(family(name), typical_points(name, 1))
    assert ds.attrs["expectation"] in ("quadrature", "sum")
    with pytest.raises(ExpectationError, match=r"E\[∂log p ∂log p\] of log p = .* does not close"):
        ig.symbolic.metric(family(name))


@every_family
def test_a_family_declares_latex_and_source(name: str) -> None:
    model = family(name)
    assert model.latex
    assert model.source
    assert all(p.domain.contains(t) == sympy.true for p in model.parameters for t in p.typical)
