"""Families of vectors: metrics against their definition, curvature against the literature and other routes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from math import comb
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

import infogeom as ig
from infogeom.kernels.curvature.loops import UNIT
from infogeom.kernels.curvature.tensor_errors import SINGLE
from infogeom.kernels.points.state_sums import stated
from infogeom.models import Parameter
from infogeom.symbolic import ExpectationError
from tests import reference, strategies
from tests.problems import EPS, Problem

Array = np.ndarray[Any, np.dtype[Any]]
OK, REFINED, SINGULAR, OUT_OF_DOMAIN, OVERFLOW, UNREFINED = range(6)
few = settings(max_examples=10)

FAMILIES: dict[str, Callable[[], ig.models.Model]] = {
    "normal 1": lambda: ig.models.multivariate_normal(1),
    "normal 2": lambda: ig.models.multivariate_normal(2),
    "known mean 2": lambda: ig.models.multivariate_normal_known_mean(2),
    "known covariance": lambda: ig.models.multivariate_normal_known_covariance([[2, 0.5], [0.5, 1]]),
    "diagonal 2": lambda: ig.models.multivariate_normal_diagonal(2),
    "isotropic 2": lambda: ig.models.multivariate_normal_isotropic(2),
    "chain 3": lambda: ig.models.gaussian_chain(3),
    "Dirichlet 3": lambda: ig.models.dirichlet(3),
    "Wishart 2": lambda: ig.models.wishart(2, Rational(7, 2)),
    "Wishart 2, free": lambda: ig.models.wishart(2),
    "von Mises-Fisher 2": lambda: ig.models.von_mises_fisher(2),
    "von Mises-Fisher 3": lambda: ig.models.von_mises_fisher(3),
    "Freund": ig.models.freund,
    "categorical 4": lambda: ig.models.categorical(4),
    "multinomial 3": lambda: ig.models.multinomial(5, 3),
    "negative multinomial 2": lambda: ig.models.negative_multinomial(3, 2),
    "log-linear 2": lambda: ig.models.log_linear(2),
}
every_family = pytest.mark.parametrize("name", FAMILIES)


@cache
def family(name: str) -> ig.models.Model:
    return FAMILIES[name]()


@cache
def normal(d: int) -> ig.models.Model:
    return ig.models.multivariate_normal(d)


def somewhere(model: ig.models.Model, count: int, seed: int = 0) -> Array:
    ranges = np.array([p.typical for p in model.parameters])
    return np.random.default_rng(seed).uniform(*ranges.T, (count, len(ranges)))


def R(model: ig.models.Model, points: Any) -> Array:
    ds = ig.grid.evaluate_points(model, points, ("ricci_scalar",))
    assert ds.status.isin([OK, REFINED]).all()
    return ds.ricci_scalar.values


def jet(metric: ig.symbolic.Metric, point: Array) -> tuple[Array, Array, Array]:
    """g, ∂g and ∂∂g at a point, by SymPy."""
    x, n = metric.coordinates, len(metric.coordinates)
    at = dict(zip(x, map(Rational, point), strict=True))

    @cache
    def value(e: sympy.Expr, *along: int) -> float:
        derivative = e.diff(*(x[k] for k in along)) if along else e
        return float(derivative.xreplace(at).evalf(25))

    g, dg, ddg = np.empty((n,) * 2), np.empty((n,) * 3), np.empty((n,) * 4)
    for i, j in product(range(n), repeat=2):
        e = metric.matrix[i, j]
        g[i, j], dg[i, j] = value(e), [value(e, k) for k in range(n)]
        ddg[i, j] = [[value(e, min(k, m), max(k, m)) for k in range(n)] for m in range(n)]
    return g, dg, ddg


def curvature_of(g: Any, dg: Any, ddg: Any) -> float:
    """R of a jet by the formulas of SCIENCE.md, in mpmath."""
    jet = (np.vectorize(mpmath.mpf, otypes=[object])(a) for a in (g, dg, ddg))
    return float(reference.curvature(reference.Jet(*jet)).scalar)


# --- Every family -----------------------------------------------------------------------------------------------------


@every_family
def test_the_typical_ranges_lie_inside_the_joint_domain_where_the_metric_is_positive(name: str) -> None:
    corners = np.array([*product(*(p.typical for p in family(name).parameters))])
    ds = ig.grid.evaluate_points(family(name), corners, ("metric",))
    assert (ds.status == OK).all()
    assert (np.linalg.eigvalsh(ds.metric.values) > 0).all()


@pytest.mark.parametrize("name", sorted(FAMILIES.keys() - {"von Mises-Fisher 3"}))  # whose derivatives take a minute
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


# --- Normal laws ------------------------------------------------------------------------------------------------------


def information_by_cubature(model: ig.models.Model, point: Array, mean: Array, covariance: Array) -> Array:
    """E[s sᵀ], exact: scores are quadratic in x, and four Gauss–Hermite nodes integrate polynomials up to degree 7."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(4)
    d = len(mean)
    z = np.array([*product(nodes, repeat=d)]).T
    w = np.array([*product(weights / weights.sum(), repeat=d)]).prod(axis=1)
    x = mean[:, None] + np.linalg.cholesky(covariance) @ z
    theta = [p.symbol for p in model.parameters]
    f = sympy.lambdify([*theta, *model.variables], [model.log_density.diff(t) for t in theta], "numpy", cse=True)
    s = np.array([np.broadcast_to(v, w.shape) for v in f(*point, *x)])
    return s * w @ s.T


@pytest.mark.parametrize("d", [2, pytest.param(3, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow)])
def test_the_metric_of_normal_laws_is_its_definition_in_any_dimension(d: int) -> None:
    model = normal(d)
    (point,) = somewhere(model, 1)
    covariance = np.empty((d, d))
    covariance[np.triu_indices(d)] = point[d:]
    covariance.T[np.triu_indices(d)] = point[d:]
    found = ig.grid.evaluate_points(model, [point], ("metric",)).metric.values[0]
    expected = information_by_cubature(model, point, point[:d], covariance)
    assert abs(found - expected).max() <= 1e4 * EPS * abs(expected).max()


@pytest.mark.parametrize("d", [3, pytest.param(5, marks=pytest.mark.slow)])
def test_the_metric_of_a_chain_is_its_definition(d: int) -> None:
    model = ig.models.gaussian_chain(d)
    (point,) = somewhere(model, 1)
    precision = np.diag(point[::2]) + np.diag(point[1::2], 1) + np.diag(point[1::2], -1)
    found = ig.grid.evaluate_points(model, [point], ("metric",)).metric.values[0]
    expected = information_by_cubature(model, point, np.zeros(d), np.linalg.inv(precision))
    assert abs(found - expected).max() <= 1e4 * EPS * abs(expected).max()


def jet_at_the_identity(d: int, *, mean: bool) -> tuple[Array, Array, Array]:
    """Jet of the metric of normal laws at covariance 1, from (1 + X)⁻¹ = 1 − X + X² − …."""
    pairs = [(i, j) for i in range(d) for j in range(i, d)]
    E = np.zeros((len(pairs), d, d))
    for a, (i, j) in enumerate(pairs):
        E[a, i, j] = E[a, j, i] = 1
    m = d if mean else 0
    n = m + len(pairs)
    g, dg, ddg = np.zeros((n, n)), np.zeros((n,) * 3), np.zeros((n,) * 4)
    anticommutator = np.einsum("aij,bjk->abik", E, E) + np.einsum("bij,ajk->abik", E, E)
    g[:m, :m] = np.eye(m)
    dg[:m, :m, m:] = -E.transpose(1, 2, 0) if mean else 0
    ddg[:m, :m, m:, m:] = anticommutator.transpose(2, 3, 0, 1) if mean else 0
    g[m:, m:] = np.einsum("aij,bji->ab", E, E) / 2
    dg[m:, m:, m:] = -np.einsum("cij,ajk,bki->abc", E, E, E) / 2 - np.einsum("aij,cjk,bki->abc", E, E, E) / 2
    second = np.einsum("cdij,ajk,bki->abcd", anticommutator, E, E)
    second += np.einsum("cij,ajk,dkl,bli->abcd", E, E, E, E) + np.einsum("dij,ajk,ckl,bli->abcd", E, E, E, E)
    second += np.einsum("aij,cdjk,bki->abcd", E, anticommutator, E)
    ddg[m:, m:, m:, m:] = second / 2
    return g, dg, ddg


@pytest.mark.parametrize("d", [1, 2, 3])
def test_normal_laws_have_the_scalar_curvature_of_their_homogeneous_space(d: int) -> None:
    model = normal(d)
    expected = curvature_of(*jet_at_the_identity(d, mean=True))
    assert expected == pytest.approx(-d * (d + 1) ** 2 / 4)
    assert R(model, somewhere(model, 3)) == pytest.approx([expected] * 3, rel=1e-12)


@pytest.mark.parametrize("d", [2, 3])
def test_covariances_are_a_symmetric_space(d: int) -> None:
    model = ig.models.multivariate_normal_known_mean(d)
    expected = curvature_of(*jet_at_the_identity(d, mean=False))
    assert expected == pytest.approx(-d * (d - 1) * (d + 2) / 4)
    assert R(model, somewhere(model, 3)) == pytest.approx([expected] * 3, rel=1e-12)


@given(
    points=strategies.points_of(normal(2), 1),
    maps=strategies.arrays(2, 2),
    shift=strategies.arrays(2),
)
@few
def test_the_metric_of_normal_laws_is_invariant_under_affine_maps(points: Array, maps: Array, shift: Array) -> None:
    # x ↦ Ax + b takes (μ, Σ) to (Aμ + b, AΣAᵀ); lengths of the vectors that it takes along stay.
    A = maps + 2.5 * np.eye(2)
    (point,) = points
    mean, covariance = point[:2], point[[2, 3, 3, 4]].reshape(2, 2)
    moved = A @ covariance @ A.T
    there = [*(A @ mean + shift), moved[0, 0], moved[0, 1], moved[1, 1]]
    ds = ig.grid.evaluate_points(normal(2), [point, there], ("metric", "ricci_scalar"))
    g, g_there = ds.metric.values
    along = np.zeros((5, 5))
    along[:2, :2] = A
    for k, (i, j) in enumerate([(0, 0), (0, 1), (1, 1)]):
        E = np.zeros((2, 2))
        E[i, j] = E[j, i] = 1
        along[2:, 2 + k] = (A @ E @ A.T)[[0, 0, 1], [0, 1, 1]]
    scale = np.sqrt(np.outer(np.diag(g), np.diag(g)))
    assert (abs(along.T @ g_there @ along - g) <= 1e4 * EPS * scale).all()
    assert ds.ricci_scalar.values == pytest.approx([-4.5] * 2, rel=1e-12)


@given(points=strategies.points_of(normal(3), 1), order=st.permutations(range(3)))
@few
def test_permuting_the_components_permutes_the_metric(points: Array, order: list[int]) -> None:
    model = normal(3)
    names = [p.name for p in model.parameters]
    new = [f"mu{k + 1}" for k in order]
    new += [f"sigma{min(i, j) + 1}{max(i, j) + 1}" for a, i in enumerate(order) for j in order[a:]]
    at = [names.index(name) for name in new]
    g, permuted = ig.grid.evaluate_points(model, [points[0], points[0][at]], ("metric",)).metric.values
    assert abs(permuted - g[np.ix_(at, at)]).max() <= 1e3 * EPS * abs(g).max()


@pytest.mark.parametrize("d", [2, 3, 10])
def test_isotropic_normal_laws_are_hyperbolic_spaces(d: int) -> None:
    model = ig.models.multivariate_normal_isotropic(d)
    assert R(model, somewhere(model, 2)) == pytest.approx([-(d + 1) / 2] * 2, rel=1e-12)
    assert ig.symbolic.metric(model).matrix[d, d] == 2 * d / sympy.Symbol("sigma", positive=True) ** 2


@pytest.mark.parametrize("d", [2, 3, 6])
def test_the_curvature_of_independent_normal_laws_adds(d: int) -> None:
    model = ig.models.multivariate_normal_diagonal(d)
    assert R(model, somewhere(model, 2)) == pytest.approx([-d] * 2, rel=1e-12)


def test_a_known_covariance_makes_normal_laws_flat_with_its_inverse_as_metric() -> None:
    model = ig.models.multivariate_normal_known_covariance([[2, 0.5], [0.5, 1]])
    g = ig.symbolic.metric(model).matrix
    assert g == sympy.Matrix([[2, Rational(1, 2)], [Rational(1, 2), 1]]).inv()
    assert R(model, [[0.3, -2]])[0] == 0


def test_five_dimensional_normal_laws_are_evaluated() -> None:
    model = normal(5)
    assert len(model.parameters) == 20
    assert R(model, somewhere(model, 3)) == pytest.approx([-45] * 3, rel=1e-11)


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_a_covariance_that_is_not_positive_is_out_of_the_domain() -> None:
    ds = ig.grid.evaluate_points(normal(2), [[0, 0, 1, 0.5, 1], [0, 0, 1, 2, 1]])
    assert ds.status.values.tolist() == [OK, OUT_OF_DOMAIN]


def test_a_chain_of_two_is_the_normal_law_in_other_coordinates() -> None:
    chain = ig.models.gaussian_chain(2)
    assert R(chain, somewhere(chain, 2)) == pytest.approx([-2] * 2, rel=1e-12)


def test_a_user_makes_normal_laws_of_any_mean_and_covariance() -> None:
    t, s = sympy.Symbol("t", real=True), sympy.Symbol("s", positive=True)
    model = ig.models.gaussian([t, t**2], [[s, 0], [0, s]], [t, s])
    g = ig.symbolic.metric(model).matrix
    assert sympy.simplify(g - sympy.diag((1 + 4 * t**2) / s, 1 / s**2)) == sympy.zeros(2, 2)
    assert ig.symbolic.metric(model).form.cumulants is None


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


# --- Other laws -------------------------------------------------------------------------------------------------------


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
    psi = [np.array([float(mpmath.psi(m, a)) for a in [*alpha, alpha.sum()]]) for m in (0, 1, 2)]
    g = np.diag(psi[1][:-1]) - psi[1][-1]
    T = np.full((30,) * 3, -psi[2][-1])
    T[np.diag_indices(30, 3)] += psi[2][:-1]
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


@pytest.mark.parametrize(("n", "outcomes"), [(1, 3), (5, 3), (2, 4), (3, 8)])
def test_counts_of_trials_lie_on_a_sphere(n: int, outcomes: int) -> None:
    # p_i = (y_i / 2√n)² maps to a sphere of radius 2√n in outcomes − 1 dimensions: R = m (m − 1) / r².
    model = ig.models.multinomial(n, outcomes)
    expected = (outcomes - 1) * (outcomes - 2) / (4 * n)
    assert R(model, somewhere(model, 2)) == pytest.approx([expected] * 2, rel=1e-10)


def test_one_trial_is_categorical() -> None:
    one, categorical = ig.models.multinomial(1, 4), ig.models.categorical(4)
    assert ig.symbolic.metric(one).matrix == ig.symbolic.metric(categorical).matrix


def test_a_symbolic_number_of_trials_stays_in_the_closed_form() -> None:
    n = sympy.Symbol("n", positive=True)
    g = ig.symbolic.metric(ig.models.multinomial(n, 3))
    p1, p2 = g.coordinates
    assert g.matrix == sympy.diag(n / p1, n / p2) + sympy.ones(2, 2) * n / (1 - p1 - p2)


@pytest.mark.parametrize(("r", "outcomes"), [(3, 2), (2.5, 3), (1, 6)])
def test_counts_before_successes_lie_in_a_hyperbolic_space(r: float, outcomes: int) -> None:
    model = ig.models.negative_multinomial(r, outcomes)
    expected = -outcomes * (outcomes - 1) / (4 * r)
    assert R(model, somewhere(model, 2)) == pytest.approx([expected] * 2, rel=1e-10)


# --- Binary vectors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [2, 3, 4])
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
    with pytest.raises(ValueError, match=r"quantities \['ricci'\] are not taken over the 32 states"):
        ig.grid.evaluate_points(ig.models.log_linear(5), np.zeros((1, 15)), ("metric", "ricci"))


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: ig.models.multivariate_normal(0), ValueError, "d must be at least 1, got 0"),
        (lambda: ig.models.multivariate_normal(1.5), TypeError, "d must be an int"),
        (lambda: ig.models.gaussian_chain(1), ValueError, "d must be at least 2"),
        (lambda: ig.models.dirichlet(1), ValueError, "d must be at least 2"),
        (lambda: ig.models.wishart(3, 2), ValueError, "dof must be more than d − 1 = 2, got 2"),
        (lambda: ig.models.wishart(2, "five"), TypeError, "dof must be a real number"),
        (lambda: ig.models.multivariate_normal_known_covariance([[1, 2], [2, 1]]), ValueError, "positive definite"),
        (lambda: ig.models.multivariate_normal_known_covariance([[1, 0], [0.5, 1]]), ValueError, "symmetric"),
        (lambda: ig.models.gaussian([0], [[1, 0], [0, 1]], ["t"]), ValueError, r"covariance must have shape \(1, 1\)"),
        (lambda: ig.models.categorical(1), ValueError, "outcomes must be at least 2"),
        (lambda: ig.models.multinomial(0, 3), ValueError, "n must be at least 1"),
        (lambda: ig.models.multinomial(sympy.Symbol("p1"), 3), ValueError, "must differ from parameters"),
        (lambda: ig.models.negative_multinomial(-1, 2), ValueError, "r must be positive, got -1"),
        (lambda: ig.models.negative_multinomial(True, 2), TypeError, "r must be a real number"),
        (lambda: ig.models.log_linear(3, 4), ValueError, "order must be at most units = 3, got 4"),
        (lambda: ig.models.log_linear(20), ValueError, r"at most 4096 states, got 2\^20"),
    ],
)
def test_bad_arguments_are_named(make: Callable[[], Any], error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        make()
