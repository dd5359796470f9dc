"""Ball arithmetic: enclosures hold the truth, precision rises until they are tight, and what is null is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeom as ig
from infogeom.kernels.balls.accuracy import NULL, lacking
from infogeom.kernels.balls.enclosures import BITS, Balls, precision
from infogeom.kernels.points.forms.closed import exact
from infogeom.kernels.points.proofs import null_space, rank_to_rounding
from infogeom.kernels.status import Status
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from tests import problems as table
from tests import reference, strategies
from tests.problems import EPS, Problem, problems

EVERYTHING = ("metric", "inverse_metric", "determinant", "christoffel", "riemann", "ricci", "ricci_scalar")
every_problem = pytest.mark.parametrize("problem", problems(), ids=lambda p: p.name)
u, v, w = sympy.symbols("u v w", real=True)


def balls(metric: Any) -> Balls:
    return exact(ig.symbolic.metric(metric) if isinstance(metric, ig.models.Model) else metric, EVERYTHING)


def holds(ball: arb, value: sympy.Expr) -> bool:
    """Whether a ball meets a number that is known to 60 digits."""
    with precision(400):
        number = arb(str(value.evalf(60)))
        return bool(ball.overlaps(arb(number.mid(), abs(number).upper() * arb("1e-58") + arb("1e-70"))))


@every_problem
@settings(max_examples=3)
@given(data=st.data())
def test_the_enclosure_of_r_holds_its_closed_form(problem: Problem, data: st.DataObject) -> None:
    (point,) = data.draw(strategies.points(problem.typical, 1))
    at = {x: sympy.Rational(float(p)) for x, p in zip(problem.metric.coordinates, point, strict=True)}
    R = balls(problem.metric).enclose(point, ("ricci_scalar",), BITS).values["ricci_scalar"].item()
    assert holds(R, problem.ricci_scalar.subs(at))


@pytest.mark.parametrize("loss", [CrossEntropy(), LpNorm(2), MeanPower(4)], ids=lambda loss: loss.name)
@settings(max_examples=3)
@given(data=strategies.data_sets(), points=strategies.points([(-3, 3)] * 2, 1))
def test_the_enclosure_of_a_network_holds_its_definition(loss: Any, data: Any, points: Any) -> None:
    x, y, weights = data
    model = ig.models.sigmoid_neuron(x, y, loss, weights=weights)
    losses = {
        "cross-entropy": reference.cross_entropy,
        "l2": reference.lp_norm(2),
        "mean-power-4": reference.mean_power(4),
    }
    weights = ig.symbolic.metric(model).samples.weights  # normalised, as float64 holds them
    jet = reference.network_jet(points[0], x, y, losses[loss.name], weights=weights)
    found = balls(model).enclose(points[0], ("metric", "ricci_scalar"), BITS).values
    R = reference.curvature(jet).scalar
    assert float(found["ricci_scalar"].item().mid()) == pytest.approx(float(R), rel=1e-12)


@settings(max_examples=20)
@given(strategies.numbers(0.5, 5), strategies.numbers(0.5, 5), st.integers(20, 200))
def test_more_bits_give_narrower_balls_inside_the_wider_ones(shape: float, rate: float, bits: int) -> None:
    k, b = sympy.symbols("shape rate", positive=True)
    gamma = ig.symbolic.Metric([k, b], [[sympy.polygamma(1, k), -1 / b], [-1 / b, k / b**2]])
    wide, narrow = (balls(gamma).enclose([shape, rate], ("ricci_scalar",), bits).values for bits in (bits, 2 * bits))
    R, r = wide["ricci_scalar"].item(), narrow["ricci_scalar"].item()
    assert R.overlaps(r)
    assert r.rad() < R.rad()


@every_problem
@settings(max_examples=3)
@given(data=st.data())
def test_refinement_ends_with_all_tensors_to_a_rounding(problem: Problem, data: st.DataObject) -> None:
    (point,) = data.draw(strategies.points(problem.typical, 1))
    refined = balls(problem.metric).refine(point, EVERYTHING)
    assert refined.status == 1
    R = problem.expected(np.array([point]))[0]
    jet = problem.jet(point)
    assert abs(refined.values["ricci_scalar"] - R) <= table.rounding(*jet)
    assert refined.values["ricci_scalar_error"] <= EPS / 2 * abs(refined.values["ricci_scalar"]) + 1e-60
    g = refined.values["metric"]
    assert np.allclose(g @ refined.values["inverse_metric"], np.eye(len(g)), atol=10 * EPS * np.linalg.cond(g))


def test_a_zero_of_r_ends_with_a_tiny_bound() -> None:
    refined = balls(table.schwarzschild).refine([0.0, 3.1, 1.0, 0.0], ("ricci_scalar",))
    assert refined.status == 1
    assert refined.values["ricci_scalar"] == 0
    assert refined.values["ricci_scalar_error"] < 1e-70


def test_a_value_below_float64_is_zero_with_a_tiny_bound() -> None:
    large = ig.symbolic.Metric([u, v], sympy.exp(800) * sympy.diag(1, sympy.sin(u) ** 2))
    assert balls(large).refine([1.0, 1.0], ("metric", "ricci_scalar")).status == 4  # its metric is beyond float64
    refined = balls(large).refine([1.0, 1.0], ("ricci_scalar",))
    assert refined.status == 1
    assert refined.values["ricci_scalar"] == 0
    assert 0 < refined.values["ricci_scalar_error"] <= 1e-300
    assert refined.values["log10_ricci_scalar"] == pytest.approx(-800 / np.log(10) + np.log10(2), rel=4 * EPS, abs=0)


def test_a_value_beyond_float64_has_a_logarithm_and_a_sign() -> None:
    # exp(−800) times a sphere: R = 2 e^800.
    small = ig.symbolic.Metric([u, v], sympy.exp(-800) * sympy.diag(1, sympy.sin(u) ** 2))
    refined = balls(small).refine([1.0, 0.0], ("ricci_scalar",))
    assert refined.status == 4
    assert np.isnan(refined.values["ricci_scalar"])
    assert refined.values["log10_ricci_scalar"] == pytest.approx(800 / np.log(10) + np.log10(2), rel=4 * EPS, abs=0)
    assert refined.values["ricci_scalar_sign"] == 1


@pytest.mark.parametrize("tiny", [1e-20, 1e-150, 2.0**-1000])
def test_a_tiny_pivot_is_not_a_null_direction(tiny: float) -> None:
    t = sympy.Rational(tiny)
    metric = ig.symbolic.Metric([u, v], [[1 + u**2, 1 + u**2], [1 + u**2, 1 + u**2 + t]])
    refined = balls(metric).refine([0.5, 0.0], ("inverse_metric",))
    assert (refined.status, refined.rank) == (1, 2)
    assert refined.values["inverse_metric"][1, 1] == pytest.approx(1 / tiny, rel=EPS, abs=0)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_null_directions_are_told(rank: int) -> None:
    rng = np.random.default_rng(rank)
    rows = sympy.Matrix(rng.integers(-3, 4, (rank, 3)).tolist()) if rank else sympy.zeros(1, 3)
    metric = ig.symbolic.Metric([u, v, w], rows.T * rows)
    refined = balls(metric).refine([0.1, 0.2, 0.3], ("ricci_scalar",))
    assert (refined.status, refined.rank) == (2, rank)
    null = refined.null[: 3 - rank]
    assert np.allclose(null @ null.T, np.eye(3 - rank), atol=10 * EPS)
    assert np.allclose(np.array(rows, dtype=float) @ null.T, 0, atol=20 * EPS)
    assert not refined.null[3 - rank :].any()


def test_null_coordinates_are_no_null_directions() -> None:
    refined = balls(table.nariai).refine([0.2, 0.3, 1.0, 0.0], ("ricci_scalar",))
    assert (refined.status, refined.rank) == (1, 4)
    assert refined.values["ricci_scalar"] == pytest.approx(4, rel=EPS, abs=0)


def test_constants_are_exact() -> None:
    metric = ig.symbolic.Metric([u], [[sympy.pi**2 / 6 + sympy.EulerGamma / 3 + sympy.sqrt(2) + sympy.zeta(3) + u**2]])
    value = balls(metric).enclose([0.5], ("metric",), 200).values["metric"].item()
    assert holds(value, metric.matrix[0, 0].subs(u, sympy.Rational(1, 2)))
    assert value.rel_accuracy_bits() > 180


def test_rational_powers_are_exact() -> None:
    metric = ig.symbolic.Metric([u], [[(u + 2) ** sympy.Rational(1, 3)]])
    value = balls(metric).enclose([0.5], ("metric",), 190).values["metric"].item()
    assert holds(value, metric.matrix[0, 0].subs(u, sympy.Rational(1, 2)))
    assert value.rel_accuracy_bits() > 170


def test_a_point_that_needs_many_bits_is_right_to_half_a_rounding() -> None:
    inputs, targets = ig.models.decision_boundary(20, seed=20)
    b = balls(ig.models.sigmoid_neuron(inputs, targets, MeanPower(2), steepness=1 / 3))
    point = (900.0, 2000.0)
    refined = b.refine(point, ("ricci_scalar",))
    better = b.enclose(point, ("ricci_scalar",), 4096).values["ricci_scalar"].item()
    assert not better.contains(0)
    assert not b.enclose(point, ("ricci_scalar",), BITS).values["ricci_scalar"].item().rel_accuracy_bits() > 53
    assert float(refined.values["ricci_scalar"]) == float(better.mid())
    assert float(refined.values["ricci_scalar_error"]) <= EPS / 2 * abs(float(better.mid())) * (1 + 1e-6)


def test_a_function_without_a_ball_version_is_named() -> None:
    metric = ig.symbolic.Metric([u], [[sympy.Ci(2) + 2 + u**2]])
    with pytest.raises(TypeError, match="no ball version of the function Ci"):
        balls(metric)


def test_such_a_metric_is_evaluated_in_float64_alone() -> None:
    metric = ig.symbolic.Metric([u], [[sympy.Ci(2) + 2 + u**2]])
    with pytest.raises(TypeError, match="no ball version of the function Ci; max_refined=0"):
        ig.grid.evaluate_points(metric, [[1.0]])
    ds = ig.grid.evaluate_points(metric, [[1.0]], max_refined=0)
    assert ds.metric.item() == pytest.approx(float(sympy.Ci(2)) + 3, rel=4 * EPS, abs=0)


@pytest.mark.parametrize(("excess", "rank"), [(0.0, 1), (2.0**-52, 1), (2.0**-45, 2), (1.0, 2)])
def test_columns_are_dependent_up_to_their_own_rounding(excess: float, rank: int) -> None:
    x = np.array([[1.0, 1.0], [0.5, 0.5], [0.25, 0.25 + excess]])
    assert rank_to_rounding(x) == rank


def test_columns_of_many_rows_are_dependent_up_to_the_rounding_of_each() -> None:
    x = np.random.default_rng(3).uniform(0.1, 0.9, 1000)
    assert rank_to_rounding(np.column_stack([np.ones(1000), x, 0.3 * x + 0.6, 1 - x])) == 2


def test_a_sample_that_weighs_nothing_is_not_among_the_data() -> None:
    inputs, weights = [[1, 2], [2, 4], [0.5, 1], [3, -1]], [1, 1, 1, 0]
    network = ig.models.sigmoid_neuron(inputs, [0, 1, 0, 1], CrossEntropy(), weights=weights)
    (null,) = null_space(ig.symbolic.metric(network))
    assert np.abs(null) == pytest.approx(np.array([2, 1]) / np.sqrt(5), rel=4 * EPS)


def test_a_value_beyond_float64_is_told_where_another_lacks_bits() -> None:
    # At 0.1 the one is e^800, and of the other's 166 bits above the point 128 are known.
    metric = ig.symbolic.Metric([u, v], sympy.diag(sympy.exp(8000 * u), 2 + sympy.sin(10**50 * u)))
    refined = balls(metric).refine([0.1, 0.0], ("metric",), BITS)
    assert refined.values["metric_error"][1, 1] >= 1
    assert np.isnan(refined.values["metric"][0, 0])
    assert refined.status == 4


def test_precision_is_put_back() -> None:
    before = ctx.prec
    with precision(333):
        assert ctx.prec == 333
    assert ctx.prec == before


def test_a_curvature_below_all_of_float64_needs_no_more_bits() -> None:
    u, v = sympy.symbols("u v", real=True)
    metric = ig.symbolic.Metric([u, v], sympy.diag(1, 1 + sympy.exp(-1 / u**2)))
    ds = ig.grid.evaluate_points(metric, [[0.0, 0.0]], ["ricci_scalar"])
    assert ds.status.item() == Status.REFINED
    assert ds.ricci_scalar.item() == 0


def test_bits_double_where_it_is_not_known_what_cancels_in_r() -> None:
    nothing_left = np.array(arb(0, 1), dtype=object)
    assert lacking("ricci_scalar", nothing_left, arb(0), 128, NULL) <= 136
