"""Families of vectors: metrics against their definition, curvature against the literature and other routes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

import infogeom as ig
from infogeom.models import Parameter
from tests import strategies
from tests.problems import EPS, Problem
from tests.vectors import FAMILIES, Array, R, curvature_of, family, jet, somewhere

OK, REFINED, SINGULAR, OUT_OF_DOMAIN, OVERFLOW, UNREFINED = range(6)
few = settings(max_examples=10)
every_family = pytest.mark.parametrize("name", FAMILIES)
#: Those of two dimensions, and the Wishart laws with known degrees of freedom, stay.
SLOW = {"von Mises-Fisher 3", "Wishart 2, free"}
in_time = {name: pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in FAMILIES}


@pytest.mark.parametrize("name", in_time.values())
def test_the_typical_ranges_lie_inside_the_joint_domain_where_the_metric_is_positive(name: str) -> None:
    ranges = [p.typical for p in family(name).parameters]
    corners = np.array(list(product(*ranges)))
    ds = ig.grid.evaluate_points(family(name), corners, ("metric",))
    assert (ds.status == OK).all()
    assert (np.linalg.eigvalsh(ds.metric.values) > 0).all()


@pytest.mark.parametrize(
    "name",
    [in_time[name] for name in sorted(FAMILIES.keys() - {"von Mises-Fisher 3"})],  # whose derivatives take a minute
)
def test_curvature_without_derivatives_is_that_of_the_metric_in_its_coordinates(name: str) -> None:
    # The jet of the matrix by SymPy and its curvature by the definition, for which cumulants play no part.
    model = family(name)
    metric = ig.symbolic.metric(model)
    (point,) = somewhere(model, 1)
    # float64 entries of the jet, whose terms are of the order of 1 to 100 and cancel.
    assert R(model, [point])[0] == pytest.approx(curvature_of(*jet(metric, point)), rel=1e-9, abs=1e-9)


@every_family
def test_a_family_says_what_it_is(name: str) -> None:
    assert family(name).latex
    assert family(name).source
    assert "$" in family(name)._repr_latex_()


def test_other_coordinates_and_copies_keep_the_cumulants() -> None:
    a, c = sympy.symbols("a c", positive=True)
    b = sympy.Symbol("b", real=True)
    old = {"sigma11": a**2, "sigma12": a * b, "sigma22": b**2 + c**2}  # Cholesky's factor
    model = ig.models.reparametrise(ig.models.multivariate_normal_known_mean(2), old, [a, b, c])
    both = ig.models.product(ig.models.replicate(model, 4), ig.models.dirichlet(2))
    assert ig.symbolic.metric(both).form.cumulants is not None
    beta = R(ig.models.dirichlet(2), [[1.2, 2.0]])[0]
    assert R(both, [[1.2, 0.3, 0.8, 1.2, 2.0]])[0] == pytest.approx(-2 / 4 + beta, rel=1e-12)


def test_curvature_from_cumulants_is_refined_in_balls() -> None:
    model, point = family("Dirichlet 3"), [1.3, 2.0, 0.9]
    rough, fine = (ig.grid.evaluate_points(model, [point], rtol=rtol) for rtol in (1e-9, EPS))
    assert (rough.status.item(), fine.status.item()) == (OK, REFINED)
    assert abs(rough.ricci_scalar - fine.ricci_scalar).item() <= rough.ricci_scalar_error.item()
    assert fine.ricci_scalar_error.item() <= EPS * abs(fine.ricci_scalar.item())


def test_the_scalar_is_the_same_whatever_comes_with_it() -> None:
    # With a tensor in coordinates R comes from the jet of the matrix.
    model, points = family("Wishart 2"), somewhere(family("Wishart 2"), 3)
    alone, beside = (ig.grid.evaluate_points(model, points, q) for q in (("ricci_scalar",), ("ricci", "ricci_scalar")))
    assert alone.ricci_scalar.values == pytest.approx(beside.ricci_scalar.values, rel=1e-11)
    inverse = np.linalg.inv([jet(ig.symbolic.metric(model), point)[0] for point in points])
    assert np.einsum("mij,mij->m", inverse, beside.ricci.values) == pytest.approx(alone.ricci_scalar.values, rel=1e-9)


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_a_point_outside_the_domain_keeps_its_status_beside_cumulants() -> None:
    ds = ig.grid.evaluate_points(family("Dirichlet 3"), [[1, 1, 1], [1, -1, 1]], ("ricci_scalar", "determinant"))
    assert ds.status.values.tolist() == [OK, OUT_OF_DOMAIN]
    assert np.isnan(ds.ricci_scalar.values[1])
    assert np.isnan(ds.determinant.values[1])


def test_cumulants_of_another_number_of_statistics_are_a_value_error() -> None:
    two, three = (ig.symbolic.metric(ig.models.dirichlet(d)) for d in (2, 3))
    with pytest.raises(ValueError, match="cumulants must be of 2 statistics, got 3"):
        ig.symbolic.Metric(two.coordinates, ig.symbolic.ClosedForm(two.matrix, cumulants=three.form.cumulants))


def test_a_submodel_has_no_cumulants_of_its_own() -> None:
    rho = Parameter("rho", sympy.Interval.open(-1, 1), (-0.5, 0.5))
    model = ig.models.reparametrise(
        ig.models.multivariate_normal_known_mean(2), {"sigma11": 1, "sigma12": rho.symbol, "sigma22": 1}, [rho]
    )
    assert ig.symbolic.metric(model).form.cumulants is None


def test_two_shares_are_beta_distributed() -> None:
    beta = ig.models.beta()
    points = somewhere(ig.models.dirichlet(2), 3)
    expected = ig.grid.evaluate_points(beta, points)
    found = ig.grid.evaluate_points(ig.models.dirichlet(2), points)
    assert found.metric.values == pytest.approx(expected.metric.values, rel=1e-12)
    assert found.ricci_scalar.values == pytest.approx(expected.ricci_scalar.values, rel=1e-9)


@pytest.mark.slow
def test_thirty_shares_have_the_curvature_of_a_sum_of_tensors() -> None:
    # T_ijk = ψ″(α_i) δ_ijk − ψ″(Σα) in full, contracted by NumPy.
    model = ig.models.dirichlet(30)
    (alpha,) = somewhere(model, 1)
    first, second = (np.array([float(mpmath.psi(m, a)) for a in alpha]) for m in (1, 2))
    g = np.diag(first) - float(mpmath.psi(1, alpha.sum()))
    T = np.full((30,) * 3, -float(mpmath.psi(2, alpha.sum())))
    T[np.diag_indices(30, 3)] += second
    E = np.linalg.inv(np.linalg.cholesky(g)).T
    T = np.einsum("abc,ai,bj,ck->ijk", T, E, E, E, optimize=True)
    assert R(model, [alpha])[0] == pytest.approx(((T**2).sum() - (np.einsum("iij->j", T) ** 2).sum()) / 4, rel=1e-10)


@given(points=strategies.points_of(ig.models.dirichlet(3), 1), order=st.permutations(range(3)))
@few
def test_the_order_of_shares_does_not_matter(points: Array, order: list[int]) -> None:
    first, second = R(family("Dirichlet 3"), [points[0], points[0][list(order)]])
    assert first == pytest.approx(second, rel=1e-10)


def test_a_wishart_law_is_that_many_normal_vectors() -> None:
    normal, dof = ig.models.multivariate_normal_known_mean(3), Rational(11, 2)
    wishart = ig.models.wishart(3, dof)
    points = somewhere(normal, 2)
    one, many = (ig.grid.evaluate_points(m, points) for m in (normal, wishart))
    assert many.metric.values == pytest.approx(one.metric.values * 5.5, rel=1e-12)
    assert many.ricci_scalar.values == pytest.approx(one.ricci_scalar.values / 5.5, rel=1e-12)


def test_a_wishart_law_of_one_dimension_is_a_gamma_law() -> None:
    # S = σ χ²_ν: shape ν/2 and scale 2σ, coordinates of a gamma law.
    wishart, gamma = ig.models.wishart(1), ig.models.gamma()
    nu, sigma = somewhere(wishart, 1)[0]
    shape = [nu / 2, 1 / (2 * sigma) if gamma.parameters[1].name == "rate" else 2 * sigma]
    assert R(wishart, [[nu, sigma]])[0] == pytest.approx(R(gamma, [shape])[0], rel=1e-10)


def test_directions_in_the_plane_are_von_mises_distributed() -> None:
    # η = κ (cos μ, sin μ): the von Mises law has mean direction μ and concentration κ.
    planar, von_mises = ig.models.von_mises_fisher(2), ig.models.von_mises()
    mu, kappa = 0.4, 1.7
    at = {"mu": mu, "kappa": kappa}
    found = R(planar, [[kappa * np.cos(mu), kappa * np.sin(mu)]])[0]
    assert found == pytest.approx(R(von_mises, [[at[p.name] for p in von_mises.parameters]])[0], rel=1e-9)


@pytest.mark.slow
def test_directions_in_space_have_an_elementary_log_partition() -> None:
    eta = sympy.symbols("eta1:4", real=True)
    kappa = sympy.sqrt(sum(e**2 for e in eta))
    metric = ig.symbolic.Metric(eta, sympy.hessian(sympy.log(sympy.sinh(kappa) / kappa), eta))
    problem = Problem("elementary", metric, (), sympy.Integer(0), "Mardia & Jupp (2000), Sec. 9.3.2")
    (point,) = somewhere(family("von Mises-Fisher 3"), 1)
    g, dg, ddg = problem.jet(point)
    found = ig.grid.evaluate_points(family("von Mises-Fisher 3"), [point])
    assert found.metric.values[0] == pytest.approx(g, rel=1e-10)
    assert found.ricci_scalar.item() == pytest.approx(curvature_of(g, dg, ddg), rel=1e-8)


def test_freund_has_constant_curvature() -> None:
    # Arwini & Dodson (2008), Sec. 4.2.
    a1, a2, b1, b2 = (p.symbol for p in ig.models.freund().parameters)
    g = sympy.diag(1 / (a1**2 + a1 * a2), 1 / (a2**2 + a1 * a2), a2 / (b1**2 * (a1 + a2)), a1 / (b2**2 * (a1 + a2)))
    assert (ig.symbolic.metric(ig.models.freund()).matrix - g).applyfunc(sympy.simplify) == sympy.zeros(4, 4)
    assert R(ig.models.freund(), somewhere(ig.models.freund(), 3)) == pytest.approx([1.5] * 3, rel=1e-10)


@pytest.mark.parametrize(
    ("make", "arguments", "error", "match"),
    [
        (ig.models.dirichlet, (1,), ValueError, "d must be at least 2"),
        (
            ig.models.wishart,
            (
                3,
                2,
            ),
            ValueError,
            "dof must be more than d − 1 = 2, got 2",
        ),
        (
            ig.models.wishart,
            (
                2,
                "five",
            ),
            TypeError,
            "dof must be a real number",
        ),
    ],
)
def test_bad_arguments_are_named(make: Callable[..., Any], arguments: tuple[Any, ...], error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        make(*arguments)
