"""Laws that every Fisher metric and every curvature obeys, at points and on data that Hypothesis draws."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import infogeom as ig
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from tests import problems as table
from tests import reference, strategies
from tests.problems import EPS, Problem, problems
from tests.reference import context

Array = np.ndarray[Any, np.dtype[Any]]
pytestmark = pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")

EVERYTHING = (
    "metric",
    "inverse_metric",
    "determinant",
    "christoffel",
    "riemann",
    "ricci",
    "ricci_scalar",
    "fisher_trace",
)
every_problem = pytest.mark.parametrize("problem", problems(), ids=lambda p: p.name)
few = settings(max_examples=10)
pytestmark = pytest.mark.filterwarnings("ignore:of .* unrefined:infogeom.StatusWarning")


def at(problem: Problem, points: Array) -> xr.Dataset:
    """What float64 makes of it, however little of R is left."""
    ds = ig.grid.evaluate_points(problem.metric, points, EVERYTHING, max_refined=0)
    assert ds.status.isin([0, 5]).all()
    return ds


# --- Any metric -------------------------------------------------------------------------------------------------------


@every_problem
@few
@given(st.data())
def test_ricci_scalar_is_the_closed_form_of_the_literature(problem: Problem, data: st.DataObject) -> None:
    points = data.draw(strategies.points(problem.typical))
    found = at(problem, points).ricci_scalar.values
    bound = [table.rounding(*problem.jet(p)) for p in points]
    assert (abs(found - problem.expected(points)) <= bound).all()


@every_problem
@few
@given(st.data())
def test_the_metric_is_symmetric(problem: Problem, data: st.DataObject) -> None:
    g = at(problem, data.draw(strategies.points(problem.typical))).metric.values
    assert (g == g.swapaxes(1, 2)).all()


@every_problem
@few
@given(st.data())
def test_the_metric_is_the_expression_it_was_made_of(problem: Problem, data: st.DataObject) -> None:
    points = data.draw(strategies.points(problem.typical))
    expected = np.array([problem.jet(p)[0] for p in points])
    # Sums of a few terms: rounding relative to the largest entry.
    assert (
        abs(at(problem, points).metric.values - expected) <= 100 * EPS * abs(expected).max((1, 2))[:, None, None]
    ).all()


@pytest.mark.parametrize("problem", [p for p in problems() if p.positive], ids=lambda p: p.name)
@few
@given(st.data())
def test_a_riemannian_metric_is_positive(problem: Problem, data: st.DataObject) -> None:
    g = at(problem, data.draw(strategies.points(problem.typical))).metric.values
    assert (np.linalg.eigvalsh(g) > 0).all()


@every_problem
@few
@given(st.data())
def test_inverse_and_determinant_belong_to_the_metric(problem: Problem, data: st.DataObject) -> None:
    ds = at(problem, data.draw(strategies.points(problem.typical)))
    for g, inverse, determinant in zip(ds.metric.values, ds.inverse_metric.values, ds.determinant.values, strict=True):
        condition = np.linalg.cond(g)
        assert abs(g @ inverse - np.eye(len(g))).max() <= 100 * condition * EPS
        assert abs(determinant / np.linalg.det(g) - 1) <= 100 * condition * EPS


@every_problem
@few
@given(st.data())
def test_the_trace_of_the_metric_is_the_sum_of_its_diagonal(problem: Problem, data: st.DataObject) -> None:
    ds = at(problem, data.draw(strategies.points(problem.typical)))
    diagonal = np.einsum("mii->mi", ds.metric.values)
    assert (abs(ds.fisher_trace.values - diagonal.sum(1)) <= 4 * EPS * abs(diagonal).sum(1)).all()


@every_problem
@few
@given(st.data())
def test_the_metric_is_parallel(problem: Problem, data: st.DataObject) -> None:
    # ∇g = 0 reads ∂_k g_ij = g_im Γ^m_jk + g_jm Γ^m_ik.
    points = data.draw(strategies.points(problem.typical))
    for point, gamma in zip(points, at(problem, points).christoffel.values, strict=True):
        g, dg, _ = problem.jet(point)
        lowered = np.einsum("im,mjk->ijk", g, gamma)
        bound = 100 * np.linalg.cond(g) * EPS * abs(dg).max()
        assert abs(lowered + lowered.swapaxes(0, 1) - dg).max() <= bound


@every_problem
@few
@given(st.data())
def test_the_connection_has_no_torsion(problem: Problem, data: st.DataObject) -> None:
    points = data.draw(strategies.points(problem.typical))
    for point, gamma in zip(points, at(problem, points).christoffel.values, strict=True):
        g, dg, _ = problem.jet(point)
        bound = 100 * np.linalg.cond(g) * EPS * abs(np.linalg.inv(g)).max() * abs(dg).max()
        assert abs(gamma - gamma.swapaxes(1, 2)).max() <= bound


@every_problem
@few
@given(st.data())
def test_riemann_has_its_symmetries_and_obeys_the_first_bianchi_identity(problem: Problem, data: st.DataObject) -> None:
    points = data.draw(strategies.points(problem.typical))
    for point, riemann in zip(points, at(problem, points).riemann.values, strict=True):
        g, dg, ddg = problem.jet(point)
        lowered = np.einsum("im,mjkl->ijkl", g, riemann)
        # R is a double trace of Riemann with g^-1, so errors are those of R times at most ‖g‖².
        bound = table.rounding(g, dg, ddg) * np.linalg.norm(g) ** 2
        assert abs(lowered + lowered.transpose(0, 1, 3, 2)).max() <= bound
        assert abs(lowered + lowered.transpose(1, 0, 2, 3)).max() <= bound
        assert abs(lowered - lowered.transpose(2, 3, 0, 1)).max() <= bound
        assert abs(lowered + lowered.transpose(0, 2, 3, 1) + lowered.transpose(0, 3, 1, 2)).max() <= bound


@every_problem
@few
@given(st.data())
def test_ricci_is_the_contraction_of_riemann_over_its_first_and_third_index(
    problem: Problem, data: st.DataObject
) -> None:
    points = data.draw(strategies.points(problem.typical))
    ds = at(problem, points)
    for point, riemann, ricci in zip(points, ds.riemann.values, ds.ricci.values, strict=True):
        g, dg, ddg = problem.jet(point)
        bound = table.rounding(g, dg, ddg) * np.linalg.norm(g)
        assert abs(np.einsum("ijil->jl", riemann) - ricci).max() <= bound


@every_problem
@few
@given(st.data())
def test_the_ricci_scalar_is_the_trace_of_ricci(problem: Problem, data: st.DataObject) -> None:
    points = data.draw(strategies.points(problem.typical))
    ds = at(problem, points)
    for point, ricci, R in zip(points, ds.ricci.values, ds.ricci_scalar.values, strict=True):
        g, dg, ddg = problem.jet(point)
        assert abs(np.sum(np.linalg.inv(g) * ricci) - R) <= table.rounding(g, dg, ddg)


@pytest.mark.parametrize("name", ["sphere", "half-space", "trinomial", "normal", "Nariai"])
def test_metrics_of_constant_curvature_are_einstein(name: str) -> None:
    (problem,) = (p for p in problems() if p.name == name)
    point = np.array([[low + 0.3 * (high - low) for low, high in problem.typical]])
    ds = at(problem, point)
    g = ds.metric.values[0]
    expected = problem.expected(point)[0] / len(g) * g
    assert abs(ds.ricci.values[0] - expected).max() <= table.rounding(*problem.jet(point[0])) * np.linalg.norm(g)


def test_schwarzschild_is_ricci_flat_and_not_flat() -> None:
    point = np.array([[0.3, 7, 1.1, 0.2]])
    (problem,) = (p for p in problems() if p.name == "Schwarzschild")
    ds = at(problem, point)
    assert abs(ds.ricci.values).max() <= table.rounding(*problem.jet(point[0])) * np.linalg.norm(ds.metric.values[0])
    # R^t_rtr = 2M / (r³ (1 − 2M/r)) by Misner, Thorne & Wheeler (1973), Eq. 31.4; M = 1 and r = 7.
    assert ds.riemann.values[0, 0, 1, 0, 1] == pytest.approx(2 / (343 * 5 / 7), rel=1e-13)


def test_the_ricci_tensor_of_vaidya_is_the_flux_of_null_radiation() -> None:
    # Ric_uu = 2 m′(u)/r² and all else 0 (Vaidya 1951); here m = u and r = 4.
    point = np.array([[0.4, 4, 1.1, 0.2]])
    (problem,) = (p for p in problems() if p.name == "Vaidya")
    ds = at(problem, point)
    expected = np.zeros((4, 4))
    expected[0, 0] = 2 / 16
    bound = table.rounding(*problem.jet(point[0])) * np.linalg.norm(ds.metric.values[0])
    assert abs(ds.ricci.values[0] - expected).max() <= bound


# --- Change of coordinates --------------------------------------------------------------------------------------------


def pulled_back(new: Any, point: Array, values: list[float]) -> tuple[Array, Array, Array]:
    """Old coordinates and Jacobian at a point, and the Jacobian's condition number."""
    J = new.jacobian(point, values)
    assume(abs(np.linalg.det(J)) > 0.05)
    return new.theta(point, values), J, np.linalg.cond(J)


@few
@given(strategies.points([(-1, 1)] * 2, 1), strategies.coefficients(4))
def test_a_reparametrisation_transforms_the_metric_and_keeps_the_scalar_of_a_normal_law(
    points: Array, values: list[float]
) -> None:
    new = table.normal_reparametrised()
    values[2] += 1  # log σ ≈ φ1: the map stays invertible
    values[3] += 1
    theta, J, condition = pulled_back(new, points[0], values)
    ds = ig.grid.evaluate_points(new.metric_with(values), points)
    old = ig.grid.evaluate_points(new.metric, [theta])
    g, R = old.metric.values[0], old.ricci_scalar.values[0]
    assert abs(ds.metric.values[0] - J.T @ g @ J).max() <= 100 * EPS * np.linalg.norm(J) ** 2 * np.linalg.norm(g)
    # Rounding grows by cond(g') ≤ cond(g) cond(J)²; what cancels is the Γ² and ∂Γ of second derivatives of the map.
    assert abs(ds.ricci_scalar.values[0] - R) <= 1e4 * EPS * np.linalg.cond(g) * condition**2


@pytest.mark.slow
@few
@given(strategies.data_sets(), strategies.points([(-1, 1)] * 2, 1), strategies.coefficients(4, 0.3))
def test_a_reparametrisation_transforms_the_metric_and_keeps_the_scalar_of_a_network(
    data: Any, points: Array, values: list[float]
) -> None:
    x, y, weights = data
    model = ig.models.sigmoid_neuron(x, y, CrossEntropy(), weights=weights)
    new = table.network_reparametrised()
    theta, J, condition = pulled_back(new, points[0], values)
    ds = ig.grid.evaluate_points(new.metric_with(values, model.samples), points)
    old = ig.grid.evaluate_points(model, [theta])
    g, R = old.metric.values[0], old.ricci_scalar.values[0]
    assume(old.status.values[0] == 0)
    assert abs(ds.metric.values[0] - J.T @ g @ J).max() <= 400 * EPS * np.linalg.norm(J) ** 2 * np.linalg.norm(g)
    jet = reference.network_jet(theta, x, y, reference.cross_entropy, weights=weights)
    g, dg = jet.g.astype(float), jet.dg.astype(float)
    # The new ∂g holds the old one and g times second derivatives of the map (below 1): both cancel in R.
    size = table.cancelling(g, abs(dg) + abs(g).max(), jet.ddg.astype(float))
    assert abs(ds.ricci_scalar.values[0] - R) <= 100 * EPS * np.linalg.cond(g) * condition**4 * size


@few
@given(strategies.data_sets(), strategies.points([(-1, 1)] * 2, 3))
def test_the_path_with_second_derivatives_gives_what_the_hessian_path_gives(data: Any, points: Array) -> None:
    # With all coefficients 0 the map is the identity, but its expressions do not show it: ∂g is not found symmetric.
    x, y, weights = data
    model = ig.models.sigmoid_neuron(x, y, CrossEntropy(), weights=weights)
    general = ig.grid.evaluate_points(table.network_reparametrised().metric_with([0.0] * 4, model.samples), points)
    hessian = ig.grid.evaluate_points(model, points)
    for n, point in enumerate(points):
        if hessian.status.values[n] == 0:
            jet = reference.network_jet(point, x, y, reference.cross_entropy, weights=weights)
            bound = table.rounding(*(a.astype(float) for a in jet))
            assert abs(general.ricci_scalar.values[n] - hessian.ricci_scalar.values[n]) <= bound


@few
@given(strategies.data_sets(), strategies.points([(-1, 1)] * 2, 1), strategies.coefficients(4, 1.0))
def test_a_linear_map_of_the_inputs_is_a_linear_map_of_the_parameters(
    data: Any, points: Array, values: list[float]
) -> None:
    # θ·(A x) = (Aᵀ θ)·x: the network on inputs A x at θ is the one on x at Aᵀ θ, and g' = A g Aᵀ.
    x, y, weights = data
    A = np.eye(2) + 0.5 * np.reshape(values, (2, 2))
    assume(abs(np.linalg.det(A)) > 0.1)
    theta = points @ A
    new = ig.grid.evaluate_points(ig.models.sigmoid_neuron(x @ A.T, y, CrossEntropy(), weights=weights), points)
    old = ig.grid.evaluate_points(ig.models.sigmoid_neuron(x, y, CrossEntropy(), weights=weights), theta)
    g, expected = new.metric.values[0], A @ old.metric.values[0] @ A.T
    assert abs(g - expected).max() <= 1e3 * EPS * np.trace(g)
    if new.status.values[0] == old.status.values[0] == 0:
        jet = reference.network_jet(points[0], x @ A.T, y, reference.cross_entropy, weights=weights)
        bound = 200 * float(reference.cond2(jet.g) * reference.scale(jet.g, jet.dg)) * EPS * np.linalg.cond(A) ** 2
        assert abs(new.ricci_scalar.values[0] - old.ricci_scalar.values[0]) <= bound


# --- Copies and products ----------------------------------------------------------------------------------------------

GAS = next(p for p in problems() if p.name == "van der Waals")


@few
@given(strategies.points(GAS.typical), st.integers(2, 1000))
def test_n_copies_multiply_the_metric_by_n_and_divide_the_scalar_by_n(points: Array, n: int) -> None:
    copies = table.repeated_van_der_waals()
    samples = ig.models.Samples(copies.samples.symbols, [[n]])
    many = ig.grid.evaluate_points(
        table.replace(copies, samples=samples), points, ("metric", "christoffel", "ricci_scalar")
    )
    one = ig.grid.evaluate_points(table.van_der_waals, points, EVERYTHING)
    bound = np.array([table.rounding(*GAS.jet(p)) for p in points])
    assert (abs(many.metric.values / n - one.metric.values) <= 100 * EPS * abs(one.metric.values)).all()
    assert (abs(many.ricci_scalar.values * n - one.ricci_scalar.values) <= bound).all()
    assert np.allclose(many.christoffel, one.christoffel, rtol=1e4 * EPS, atol=0)


def test_n_trials_multiply_the_metric_of_a_binomial_law_by_n() -> None:
    points = [[0.2], [0.7]]
    one, seven = (ig.grid.evaluate_points(ig.models.binomial(n), points, "metric").metric.values for n in (1, 7))
    assert np.allclose(seven, 7 * one, rtol=10 * EPS, atol=0)


@few
@given(strategies.points([*GAS.typical, (-3, 3), (0.3, 3)]))
def test_the_scalars_of_a_product_add(points: Array) -> None:
    whole = ig.grid.evaluate_points(table.product(), points, EVERYTHING)
    gas = ig.grid.evaluate_points(table.van_der_waals, points[:, :2], EVERYTHING)
    bound = [table.rounding(*GAS.jet(p[:2])) + 1e3 * EPS for p in points]
    assert (abs(whole.ricci_scalar.values - (gas.ricci_scalar.values - 1)) <= bound).all()


# --- Kullback–Leibler divergence: ½ δᵀ g δ to second order, expected Fisher information alone -------------------------


def halves(divergence: Any, g: Array, theta: Array, direction: Array) -> float:
    """Ratio of KL(θ, θ + δ) to ½ δᵀ g δ for a δ of length 1e-8, in 50 digits."""
    delta = [context.mpf(float(e)) * context.mpf("1e-8") for e in direction]
    start = [context.mpf(float(e)) for e in theta]
    form = sum(float(g[i, j]) * delta[i] * delta[j] for i in range(len(g)) for j in range(len(g))) / 2
    return float(divergence(start, [a + b for a, b in zip(start, delta, strict=True)]) / form)


@few
@given(strategies.points_of(ig.models.normal(), 1), strategies.numbers(0, 6.2))
def test_the_divergence_of_normal_laws_is_half_the_metric(points: Array, angle: float) -> None:
    def divergence(p: Any, q: Any) -> Any:
        return context.log(q[1] / p[1]) + (p[1] ** 2 + (p[0] - q[0]) ** 2) / (2 * q[1] ** 2) - context.mpf(1) / 2

    g = ig.grid.evaluate_points(ig.models.normal(), points, EVERYTHING).metric.values[0]
    # The third order is below 5 |δ|/σ of the second; |δ| = 1e-8 and σ ≥ 0.3.
    assert abs(halves(divergence, g, points[0], np.array([np.cos(angle), np.sin(angle)])) - 1) <= 5e-7


@few
@given(strategies.points_of(ig.models.binomial(7), 1))
def test_the_divergence_of_binomial_laws_is_half_the_metric(points: Array) -> None:
    def divergence(p: Any, q: Any) -> Any:
        return 7 * (p[0] * context.log(p[0] / q[0]) + (1 - p[0]) * context.log((1 - p[0]) / (1 - q[0])))

    g = ig.grid.evaluate_points(ig.models.binomial(7), points, EVERYTHING).metric.values[0]
    assert abs(halves(divergence, g, points[0], np.ones(1)) - 1) <= 5e-7


def bernoulli(f: Any, k: Any) -> Any:
    return f * context.log(f / k) + (1 - f) * context.log((1 - f) / (1 - k))


def gaussian(f: Any, k: Any) -> Any:
    """Of exp(−(y − f)²), whose variance is ½."""
    return (f - k) ** 2


def laplace(f: Any, k: Any) -> Any:
    """Of exp(−|y − f|)/2."""
    return abs(f - k) + context.exp(-abs(f - k)) - 1


@pytest.mark.parametrize(
    ("loss", "divergence"),
    [(CrossEntropy(), bernoulli), (MeanPower(2), gaussian), (LpNorm(2), laplace)],
    ids=["Bernoulli", "Gaussian", "Laplace"],
)
@few
@given(data=strategies.data_sets(), points=strategies.points([(-1, 1)] * 2, 1), angle=strategies.numbers(0, 6.2))
def test_the_divergence_of_networks_is_half_the_expected_metric(
    data: Any, points: Array, angle: float, loss: Any, divergence: Any
) -> None:
    x, y, weights = data

    def mean(p: Any, q: Any) -> Any:
        outputs = [
            [reference.sigmoid(5 * context.fdot(row, [context.convert(e) for e in t])) for row in x.tolist()]
            for t in (p, q)
        ]
        return context.fdot(weights.tolist(), map(divergence, *outputs)) / context.fsum(weights.tolist())

    model = ig.models.sigmoid_neuron(x, y, loss, weights=weights, fisher="expected")
    g = ig.grid.evaluate_points(model, points, "metric").metric.values[0]
    direction = np.array([np.cos(angle), np.sin(angle)])
    assume(direction @ g @ direction > 1e-6 * np.trace(g))
    # The third order is below |∂³ KL| |δ| / ∂² KL, and derivatives of a sigmoid grow by 5 |x| ≤ 8 each.
    assert abs(halves(mean, g, points[0], direction) - 1) <= 1e-7 * np.trace(g) / (direction @ g @ direction)


# --- Networks: order and multiplicity of samples, order of parameters -------------------------------------------------

LOSSES = pytest.mark.parametrize("loss", [CrossEntropy(), LpNorm(2), MeanPower(2)], ids=lambda loss: loss.name)
NETWORK = ("metric", "ricci_scalar", "loss", "ntk_trace", "fisher_trace")


def network(x: Array, y: Array, weights: Array, loss: Any, points: Array) -> xr.Dataset:
    return ig.grid.evaluate_points(ig.models.sigmoid_neuron(x, y, loss, weights=weights), points, NETWORK)


def bounds(x: Array, y: Array, weights: Array, loss: Any, points: Array) -> Array:
    """Rounding error of R of two evaluations, 2 · 100 · cond₂(g) · eps · S."""
    exact = {
        "cross-entropy": reference.cross_entropy,
        "l2": reference.lp_norm(2),
        "mean-power-2": reference.mean_power(2),
    }
    jets = [reference.network_jet(p, x, y, exact[loss.name], weights=weights) for p in points]
    return np.array([float(200 * reference.cond2(j.g) * reference.scale(j.g, j.dg)) * EPS for j in jets])


def assert_same(first: xr.Dataset, second: xr.Dataset, bound: Array) -> None:
    """Assert that two evaluations of one network agree to rounding."""
    for name in ("loss", "ntk_trace", "fisher_trace"):
        # Sums of at most 30 positive terms, in another order.
        assert np.allclose(first[name], second[name], rtol=60 * EPS, atol=0)
    assert (abs(first.metric - second.metric) <= 60 * EPS * first.fisher_trace).all()
    regular = (first.status.values == 0) & (second.status.values == 0)
    assert (abs(first.ricci_scalar.values - second.ricci_scalar.values)[regular] <= bound[regular]).all()


@LOSSES
@few
@given(data=strategies.data_sets(), points=strategies.points([(-1, 1)] * 2, 3), seed=st.integers(0, 99))
def test_the_order_of_samples_does_not_matter(data: Any, points: Array, seed: int, loss: Any) -> None:
    x, y, weights = data
    order = np.random.default_rng(seed).permutation(len(x))
    shuffled = network(x[order], y[order], weights[order], loss, points)
    assert_same(network(*data, loss, points), shuffled, bounds(*data, loss, points))


@LOSSES
@few
@given(data=strategies.data_sets(), points=strategies.points([(-1, 1)] * 2, 3), times=st.integers(2, 3))
def test_repeating_the_whole_data_set_changes_nothing(data: Any, points: Array, times: int, loss: Any) -> None:
    repeated = (np.concatenate([a] * times) for a in data)
    assert_same(network(*data, loss, points), network(*repeated, loss, points), bounds(*data, loss, points))


@LOSSES
@few
@given(data=strategies.data_sets(), points=strategies.points([(-1, 1)] * 2, 3))
def test_a_repeated_sample_is_a_sample_of_double_weight(data: Any, points: Array, loss: Any) -> None:
    x, y, weights = data
    twice = (np.concatenate([a, a[:1]]) for a in data)
    doubled = np.concatenate([2 * weights[:1], weights[1:]])
    assert_same(
        network(x, y, doubled, loss, points), network(*twice, loss, points), bounds(x, y, doubled, loss, points)
    )


@LOSSES
@few
@given(data=strategies.data_sets(), points=strategies.points([(-1, 1)] * 2, 3))
def test_the_order_of_parameters_does_not_matter(data: Any, points: Array, loss: Any) -> None:
    x, y, weights = data
    swapped = network(x[:, ::-1], y, weights, loss, points[:, ::-1])
    swapped["metric"] = (swapped.metric.dims, swapped.metric.values[:, ::-1, ::-1])
    swapped = swapped.assign_coords(theta1=("point", points[:, 0]), theta2=("point", points[:, 1]))
    assert_same(network(*data, loss, points), swapped, bounds(*data, loss, points))


@few
@given(data=strategies.data_sets(), points=strategies.points([(-3, 3)] * 2, 3))
def test_the_fisher_trace_of_an_l2_norm_is_the_trace_of_the_kernel(data: Any, points: Array) -> None:
    ds = network(*data, LpNorm(2), points)
    # 25 h Σ x² for both, factored differently: a dozen roundings per term and one per sample.
    assert np.allclose(ds.fisher_trace, ds.ntk_trace, rtol=40 * EPS, atol=0)


@few
@given(data=strategies.data_sets(), points=strategies.points([(-3, 3)] * 2, 3))
def test_networks_have_a_positive_semidefinite_metric(data: Any, points: Array) -> None:
    g = network(*data, CrossEntropy(), points).metric.values
    assert (g == g.swapaxes(1, 2)).all()
    assert (np.linalg.eigvalsh(g)[:, 0] >= -10 * EPS * np.trace(g, axis1=1, axis2=2)).all()


@LOSSES
@settings(max_examples=20)
@given(
    points=strategies.points([(-3, 3)] * 2, 3),
    angles=st.tuples(strategies.numbers(0, 1.4), strategies.numbers(0.2, 2.8)),
    labels=st.tuples(st.integers(0, 1), st.integers(0, 1)),
    multiples=st.lists(strategies.numbers(0.5, 1), min_size=2, max_size=2),
)
def test_two_independent_inputs_alone_make_a_flat_metric(
    points: Array, angles: Any, labels: Any, multiples: list[float], loss: Any
) -> None:
    # In θ·x_1 and θ·x_2 the metric is diagonal, each entry a function of its own coordinate.
    first, second = angles[0], angles[0] + angles[1]
    x = np.array([[np.cos(a), np.sin(a)] for a in (first, second)]) * np.array(multiples)[:, None]
    y, weights = np.array(labels), np.array([1.0, 2.0])
    ds = network(x, y, weights, loss, points)
    size = bounds(x, y, weights, loss, points) / (200 * EPS)  # cond₂(g) · S
    regular = ds.status.values == 0
    assert (abs(ds.ricci_scalar.values) <= 100 * EPS * size)[regular].all()
    well = regular & (100 * EPS * np.linalg.cond(ds.metric.values) <= 1e-9)
    assert (abs(ds.ricci_scalar.values) <= 1e-9 * size / np.linalg.cond(ds.metric.values))[well].all()


# --- The infinite-data limit ------------------------------------------------------------------------------------------


@LOSSES
def test_the_population_limit_converges_in_the_order_of_its_rule(loss: Any) -> None:
    points = np.array([[0.5, 0.5], [-1, 1], [1.5, 0.3]])

    def scalars(order: int) -> Array:
        x, y, weights = ig.models.decision_boundary_population(order)
        return ig.grid.evaluate_points(
            ig.models.sigmoid_neuron(x, y, loss, weights=weights), points, NETWORK
        ).ricci_scalar.values

    limit = scalars(64)
    errors = [abs(scalars(order) / limit - 1).max() for order in (6, 12, 24)]
    # The integrand is analytic: the digits double with the order.
    assert all(later <= earlier**1.5 for earlier, later in pairwise(errors))
    assert errors[-1] <= 1e-8


def test_the_population_limit_at_the_origin_is_a_quarter_of_the_second_moments() -> None:
    # h(0) = ¼; E[x̃_i²] = 1/3 and E[x̃_1 x̃_2] = ¼ on the unit square, whatever the labels.
    x, y, weights = ig.models.decision_boundary_population(4)
    ds = ig.grid.evaluate_points(ig.models.sigmoid_neuron(x, y, CrossEntropy(), weights=weights), [[0, 0]], NETWORK)
    assert np.allclose(ds.metric.values[0], 25 / 4 * np.array([[1 / 3, 1 / 4], [1 / 4, 1 / 3]]), rtol=1e-14, atol=0)


def test_data_sets_approach_the_population_limit() -> None:
    point = [[0.5, 0.5]]
    x, y, weights = ig.models.decision_boundary_population(24)
    limit = ig.grid.evaluate_points(ig.models.sigmoid_neuron(x, y, CrossEntropy(), weights=weights), point, NETWORK)
    x, y = ig.models.decision_boundary(40_000, seed=1)
    finite = ig.grid.evaluate_points(ig.models.sigmoid_neuron(x, y, CrossEntropy()), point, NETWORK)
    # A mean over n samples strays by a few 1/√n of the terms' spread, which is of the size of their mean.
    assert np.allclose(finite.metric, limit.metric, rtol=5 / np.sqrt(40_000), atol=0)
