"""Every family of one variable: metric and curvature against the definition, and what each declares."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom.symbolic import ExpectationError
from tests.families import FAMILIES, KINKED, NUMERIC, UNSUMMABLE, each, family, typical_points
from tests.law_reference import Definition

every_family = pytest.mark.parametrize("name", FAMILIES)
SUMMABLE = [name for name in FAMILIES if name not in UNSUMMABLE]
pytestmark = pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
Array = np.ndarray[Any, np.dtype[Any]]


@cache
def definition(name: str) -> Definition:
    return Definition(family(name))


def off_the_definition(name: str, points: Array) -> Array:
    """Largest difference of g from E[s sᵀ] at each point, relative to √(g_ii g_jj)."""
    found = ig.grid.evaluate_points(family(name), points, ("metric",)).metric.values
    defined = np.array([definition(name)(point)[0] for point in points], dtype=float)
    scale = np.sqrt(np.einsum("mii,mjj->mij", defined, defined))
    return np.asarray((abs(found - defined) / scale).max((1, 2)))


@pytest.mark.parametrize("name", each(SUMMABLE))
def test_the_metric_is_the_expectation_of_the_products_of_scores(name: str) -> None:
    # 1e-12 is asked of closed forms that may cancel three or four digits.
    assert (off_the_definition(name, typical_points(name, 1)) <= 1e-12).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", SUMMABLE)
def test_the_metric_is_the_expectation_at_many_points(name: str) -> None:
    assert (off_the_definition(name, typical_points(name, 20, seed=1)) <= 1e-12).all()


@pytest.mark.parametrize("name", each(name for name in FAMILIES if name not in KINKED | UNSUMMABLE))
def test_the_negative_expected_hessian_is_the_metric_where_the_density_is_smooth(name: str) -> None:
    # Eq. 3.2.14.
    (point,) = typical_points(name, 1, seed=2)
    score, hessian, mass = definition(name)(point)
    assert abs(mass - 1) < 1e-15
    assert abs(score - hessian).max() <= 1e-15 * abs(score).max()


@pytest.mark.parametrize("name", each(sorted(NUMERIC)))
def test_what_has_no_closed_form_says_so(name: str) -> None:
    ds = ig.grid.evaluate_points(family(name), typical_points(name, 1))
    assert ds.attrs["expectation"] in ("quadrature", "sum")
    with pytest.raises(ExpectationError, match=r"E\[.*\].* (does|did) not close"):
        ig.symbolic.metric(family(name))


@every_family
def test_a_family_declares_latex_and_source(name: str) -> None:
    model = family(name)
    assert model.latex
    assert model.source
    assert all(p.domain.contains(t) == sympy.true for p in model.parameters for t in p.typical)


#: Normal laws by expressions, which text cannot call yet.
UNLISTED = {"autoregression", "factor_model"}


def test_every_family_that_takes_integers_alone_is_called_by_its_name() -> None:
    expected = []
    for name in ig.models.__all__:
        function = getattr(ig.models, name)
        if inspect.isfunction(function):
            signature = inspect.signature(function)
            kinds = {str(p.annotation).partition(" ")[0] for p in signature.parameters.values()}
            if signature.return_annotation == "Model" and kinds <= {"int"}:
                expected.append(name)
    assert list(ig.models.families()) == [name for name in expected if name not in UNLISTED]


def test_a_listed_family_is_public() -> None:
    assert set(ig.models.families()) <= set(ig.models.__all__)


def test_the_metric_of_a_zeta_law_is_the_second_derivative_of_log_zeta() -> None:
    found = ig.grid.evaluate_points(family("zeta"), [[1.5], [2.0], [7.0]], ("metric",)).metric.values.ravel()
    expected = [float(mpmath.diff(lambda s: mpmath.log(mpmath.zeta(s)), s, 2)) for s in (1.5, 2.0, 7.0)]
    assert found == pytest.approx(expected, rel=1e-9, abs=0)  # what differences in 15 digits leave


@pytest.mark.slow
def test_extreme_values_are_smooth_through_the_gumbel_law() -> None:
    # ξ = 0 is 0/0 in the closed form; what is analytic there is the mean of its neighbours up to h².
    h = 1e-5
    law = family("generalised_extreme_value")
    ds = ig.grid.evaluate_points(law, [[0.3, 0.7, xi] for xi in (-h, 0.0, h)])
    assert (ds.status == 0).all()
    gumbel = ig.grid.evaluate_points(family("gumbel"), [[0.3, 0.7]], ("metric",)).metric.values[0]
    assert ds.metric.values[1][:2, :2] == pytest.approx(gumbel, rel=1e-14)
    for values in (ds.metric.values, ds.ricci_scalar.values):
        assert values[1] == pytest.approx((values[0] + values[2]) / 2, rel=100 * h**2)


@pytest.mark.parametrize(
    ("name", "place", "along"),
    [
        pytest.param("exponentiated_exponential", (1.0, 0.7), 0, marks=pytest.mark.slow),
        pytest.param("exponentiated_exponential", (2.0, 0.7), 0, marks=pytest.mark.slow),
        pytest.param("kumaraswamy", (3.0, 1.0), 1, marks=pytest.mark.slow),
        pytest.param("kumaraswamy", (3.0, 2.0), 1, marks=pytest.mark.slow),
        ("generalised_pareto", (0.7, 0.0), 1),
    ],
)
def test_a_family_is_smooth_where_its_formula_is_0_over_0(name: str, place: tuple[float, float], along: int) -> None:
    # What is analytic is the mean of its neighbours up to h².
    h = 2.0**-17
    points = np.array([place] * 3)
    points[:, along] += (-h, 0.0, h)
    ds = ig.grid.evaluate_points(family(name), points, ["metric", "ricci_scalar"], rtol=1e-8, max_refined=0)
    assert (ds.status == 0).all()
    for values in (ds.metric.values, ds.ricci_scalar.values):
        assert values[1] == pytest.approx((values[0] + values[2]) / 2, rel=1000 * h**2)


def test_the_metric_of_an_exponentiated_exponential_law_at_shape_1() -> None:
    # By hand from the digamma function and its derivatives at 2: g_12 = 1 − π²/6 at rate 1.
    (g,) = ig.grid.evaluate_points(family("exponentiated_exponential"), [[1, 1]], ["metric"]).metric.values
    assert g == pytest.approx(np.array([[1, 1 - np.pi**2 / 6], [1 - np.pi**2 / 6, 1]]), rel=1e-14)
