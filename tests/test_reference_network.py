"""The network's geometry against mpmath at 50 digits, for every loss and both Fisher informations."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeom as ig
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from tests import reference, strategies
from tests.problems import EPS

Array = np.ndarray[Any, np.dtype[Any]]

LOSSES = {
    "cross-entropy": (CrossEntropy(), reference.cross_entropy),
    "l1": (LpNorm(1), reference.lp_norm(1)),
    "l2": (LpNorm(2), reference.lp_norm(2)),
    "l3": (LpNorm(3), reference.lp_norm(3)),
    "mean-power-2": (MeanPower(2), reference.mean_power(2)),
    "mean-power-4": (MeanPower(4), reference.mean_power(4)),
    "mean-power-6": (MeanPower(6), reference.mean_power(6)),
}
every_network = pytest.mark.parametrize(
    ("name", "fisher"), [(name, fisher) for name in LOSSES for fisher in ("empirical", "expected")]
)
#: All that these tests look at, so that each network compiles once.
QUANTITIES = ("metric", "christoffel", "riemann", "ricci", "ricci_scalar", "fisher_trace", "loss", "ntk_trace")
#: Where the metric is singular to float64 its curvature is nan, as it should be; tests of digits look elsewhere.
pytestmark = pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")


def evaluated(x: Array, y: Array, weights: Array | None, name: str, fisher: str, points: Array) -> xr.Dataset:
    model = ig.models.sigmoid_neuron(x, y, LOSSES[name][0], weights=weights, fisher=fisher)
    return ig.grid.evaluate_points(model, points, QUANTITIES)


def references(x: Array, y: Array, weights: Array | None, name: str, fisher: str, points: Array) -> list[reference.Jet]:
    return [reference.network_jet(p, x, y, LOSSES[name][1], weights=weights, fisher=fisher) for p in points]


def differs(found: Any, jet: reference.Jet, bound: float | None = None) -> str:
    """What is wrong with |R̂ − R| ≤ bound · S, the bound 100 · cond₂(g) · eps if not given; empty if nothing."""
    bound = float(100 * reference.cond2(jet.g) * EPS) if bound is None else bound
    S, R = reference.scale(jet.g, jet.dg), reference.curvature(jet).scalar
    if np.isfinite(found) and abs(reference.context.convert(float(found)) - R) <= bound * S:
        return ""
    return f"R = {float(found)!r} instead of {float(R)!r}, S = {float(S)}, bound {bound}"


@every_network
@settings(max_examples=6)
@given(data=strategies.data_sets(), points=strategies.points([(-3, 3)] * 2, 3))
def test_ricci_scalar_errs_by_no_more_than_rounding_does(data: Any, points: Array, name: str, fisher: str) -> None:
    # The metric itself carries a rounding error of a few eps, which cond₂(g) amplifies; S is the size of what cancels.
    ds = evaluated(*data, name, fisher, points)
    for found, status, jet in zip(
        ds.ricci_scalar.values, ds.status.values, references(*data, name, fisher, points), strict=True
    ):
        assert status in (0, 1)
        assert not differs(found, jet)


@cache
def thesis_data(n: int = 1000) -> tuple[Array, Array]:
    return ig.models.decision_boundary(n, seed=0)


CORNERS_AND_CENTRE = np.array([[-3, -3], [-3, 3], [3, -3], [3, 3], [0, 0], [0.5, 0.5], [-2.6, 1.4], [0.1, -2.9]])


@every_network
def test_ricci_scalar_of_the_thesis_network_has_nine_digits_on_the_whole_range(name: str, fisher: str) -> None:
    x, y = thesis_data(100)
    ds = evaluated(x, y, None, name, fisher, CORNERS_AND_CENTRE)
    for found, jet in zip(
        ds.ricci_scalar.values, references(x, y, None, name, fisher, CORNERS_AND_CENTRE), strict=True
    ):
        assert not differs(found, jet, 1e-9)


@pytest.mark.parametrize(
    "name", ["cross-entropy", *(pytest.param(name, marks=pytest.mark.slow) for name in ("l2", "mean-power-2"))]
)
def test_ricci_scalar_of_a_thousand_samples_has_nine_digits_on_a_grid(name: str) -> None:
    x, y = thesis_data()
    axis = np.linspace(-3, 3, 33)
    model = ig.models.sigmoid_neuron(x, y, LOSSES[name][0])
    ds = ig.grid.evaluate(model, {"theta1": axis[[0, 7, 16, 32]], "theta2": axis})
    assert ds.status.isin([0, 1]).all()
    for i, j in [(0, 32), (3, 3)]:
        point = ds.isel(theta1=i, theta2=j)
        jet = reference.network_jet((float(point.theta1), float(point.theta2)), x, y, LOSSES[name][1])
        assert not differs(point.ricci_scalar, jet, 1e-9)


@every_network
@settings(max_examples=4)
@given(data=strategies.data_sets(), points=strategies.points([(-3, 3)] * 2, 2))
def test_metric_and_traces_have_full_relative_precision(data: Any, points: Array, name: str, fisher: str) -> None:
    ds = evaluated(*data, name, fisher, points)
    x, y, weights = data
    # Entries are sums of at most 10 terms x̃_i x̃_j h; each term is a product of some 20 roundings and expit(u), whose
    # relative error is |u| eps ≤ 30 eps, to a power of at most 12: 400 eps of the terms, which the diagonal bounds.
    tolerance = 400 * EPS
    for n, jet in enumerate(references(*data, name, fisher, points)):
        g = jet.g.astype(float)
        size = np.sqrt(np.outer(np.diag(g), np.diag(g)))
        assert (abs(ds.metric.values[n] - g) <= tolerance * size).all()
        assert abs(ds.fisher_trace.values[n] - np.trace(g)) <= tolerance * np.trace(g)
        loss = float(reference.network_loss(points[n], x, y, LOSSES[name][1], weights=weights))
        kernel = float(reference.ntk_trace(points[n], x, weights=weights))
        assert abs(ds.loss.values[n] - loss) <= tolerance * loss
        assert abs(ds.ntk_trace.values[n] - kernel) <= tolerance * kernel


@every_network
@settings(max_examples=4)
@given(data=strategies.data_sets(), points=strategies.points([(-1, 1)] * 2, 2))
def test_tensors_agree_with_the_reference_in_an_orthonormal_frame(
    data: Any, points: Array, name: str, fisher: str
) -> None:
    ds = evaluated(*data, name, fisher, points)
    for n, jet in enumerate(references(*data, name, fisher, points)):
        if ds.status.values[n] <= 1:
            exact = reference.curvature(jet)
            g = jet.g.astype(float)
            root = np.linalg.cholesky(g)
            # Index up is measured by rootᵀ, down by its inverse; then norms are those of g. In them Γ is bounded by
            # 3/2 ‖T‖ ≤ 3 √S, Riemann by S. Going there costs another factor cond₂(g)^½ of the error per index.
            up, down = root.T, np.linalg.inv(root).T
            S, bound = float(reference.scale(jet.g, jet.dg)), 100 * np.linalg.cond(g) * EPS
            gamma = ds.christoffel.values[n] - exact.christoffel.astype(float)
            riemann = ds.riemann.values[n] - exact.riemann.astype(float)
            ricci = ds.ricci.values[n] - exact.ricci.astype(float)
            for tensor, rank, size in ((gamma, "iab", np.sqrt(S)), (riemann, "iabc", S)):
                downs = ",".join(f"{k}{k.upper()}" for k in rank[1:])
                framed = np.einsum(f"Ii,{rank},{downs}->I{rank[1:].upper()}", up, tensor, *[down] * (len(rank) - 1))
                assert abs(framed).max() <= bound * np.sqrt(np.linalg.cond(g)) * size
            assert abs(down.T @ ricci @ down).max() <= bound * np.sqrt(np.linalg.cond(g)) * S


@settings(max_examples=10)
@given(data=strategies.data_sets(), steepness=strategies.numbers(1, 5), seed=st.integers(0, 99))
def test_a_steepness_scales_the_parameters(data: Any, steepness: float, seed: int) -> None:
    x, y, weights = data
    point = np.random.default_rng(seed).uniform(-1, 1, (1, 2))
    loss, exact = LOSSES["cross-entropy"]
    # As data: s θ·x = 5 θ·(s x / 5), so that no expression is new.
    model = ig.models.sigmoid_neuron(x * steepness / 5, y, loss, weights=weights)
    ds = ig.grid.evaluate_points(model, point, QUANTITIES)
    jet = reference.network_jet(point[0], x, y, exact, weights=weights, steepness=steepness)
    assert abs(ds.metric.values[0] - jet.g.astype(float)).max() <= 400 * EPS * float(np.trace(jet.g))


def test_steepness_is_the_factor_in_the_sigmoid() -> None:
    x, y = thesis_data(20)
    model = ig.models.sigmoid_neuron(x, y, CrossEntropy(), steepness=2.5)
    ds = ig.grid.evaluate_points(model, [[0.3, -0.7]], "metric")
    jet = reference.network_jet((0.3, -0.7), x, y, reference.cross_entropy, steepness=2.5)
    assert abs(ds.metric.values[0] - jet.g.astype(float)).max() <= 400 * EPS * float(np.trace(jet.g))


def test_three_parameters_agree_with_the_reference() -> None:
    rng = np.random.default_rng(3)
    x = np.column_stack([rng.random((30, 2)), np.ones(30)])  # a column of ones is a bias
    y = (x[:, 1] > x[:, 0]).astype(int)
    point = (0.4, -0.3, 0.2)
    ds = ig.grid.evaluate_points(ig.models.sigmoid_neuron(x, y, CrossEntropy()), [point])
    jet = reference.network_jet(point, x, y, reference.cross_entropy)
    assert not differs(ds.ricci_scalar.values[0], jet)
