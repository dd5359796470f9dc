"""Normal laws of a vector: metrics against their definition, curvature against their homogeneous spaces."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

import infogeom as ig
from tests import strategies
from tests.problems import EPS
from tests.vectors import Array, R, curvature_of, somewhere

OK, REFINED, SINGULAR, OUT_OF_DOMAIN, OVERFLOW, UNREFINED = range(6)
few = settings(max_examples=10)


@cache
def normal(d: int) -> ig.models.Model:
    return ig.models.multivariate_normal(d)


def information_by_cubature(model: ig.models.Model, point: Array, mean: Array, covariance: Array) -> Array:
    """E[s sᵀ], exact: scores are quadratic in x, and four Gauss–Hermite nodes integrate polynomials up to degree 7."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(4)
    d = len(mean)
    z = np.array(list(product(nodes, repeat=d))).T
    w = np.array(list(product(weights / weights.sum(), repeat=d))).prod(axis=1)
    x = mean[:, None] + np.linalg.cholesky(covariance) @ z
    theta = [p.symbol for p in model.parameters]
    scores = [model.log_density.diff(t) for t in theta]
    f = sympy.lambdify([*theta, *model.variables], scores, "numpy", cse=True)
    values = f(*point, *x)
    s = np.array([np.broadcast_to(v, w.shape) for v in values])
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


@pytest.mark.parametrize(
    ("make", "arguments", "error", "match"),
    [
        (ig.models.multivariate_normal, (0,), ValueError, "d must be at least 1, got 0"),
        (ig.models.multivariate_normal, (1.5,), TypeError, "d must be an int"),
        (ig.models.gaussian_chain, (1,), ValueError, "d must be at least 2"),
        (ig.models.multivariate_normal_known_covariance, ([[1, 2], [2, 1]],), ValueError, "positive definite"),
        (ig.models.multivariate_normal_known_covariance, ([[1, 0], [0.5, 1]],), ValueError, "symmetric"),
        (
            ig.models.gaussian,
            (
                [0],
                [[1, 0], [0, 1]],
                ["t"],
            ),
            ValueError,
            r"covariance must have shape \(1, 1\)",
        ),
    ],
)
def test_bad_arguments_are_named(make: Callable[..., Any], arguments: tuple[Any, ...], error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        make(*arguments)
