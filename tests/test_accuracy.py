"""Every R is right to its stated error, at points anywhere; what float64 cannot settle is settled or flagged."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
import xarray as xr
from sympy import log, loggamma, oo, pi

import infogeom as ig
from infogeom.kernels.points.closed_kernels import metric_kernels
from infogeom.kernels.points.forms.closed import exact
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from tests.problems import EPS

pytestmark = pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
OK, REFINED, SINGULAR, OUT_OF_DOMAIN, OVERFLOW, UNREFINED, UNDEFINED = range(7)
LOSSES = {loss.name: loss for loss in (CrossEntropy(), LpNorm(2), LpNorm(4), MeanPower(2), MeanPower(4), MeanPower(6))}
x, shape, rate, a, b = sympy.symbols("x shape rate a b", positive=True)
HALF_LINE, UNIT_INTERVAL = sympy.Interval.open(0, oo), sympy.Interval.open(0, 1)
gamma_law = shape * log(rate) - loggamma(shape) + (shape - 1) * log(x) - rate * x
beta_law = loggamma(a + b) - loggamma(a) - loggamma(b) + (a - 1) * log(x) + (b - 1) * log(1 - x)
inverse_gaussian = log(shape / (2 * pi * x**3)) / 2 - shape * (x - rate) ** 2 / (2 * rate**2 * x)
truncated = log(rate) - rate * x - log(1 - sympy.exp(-rate))


@cache
def family(name: str) -> ig.models.Model:
    return {
        "normal": ig.models.normal,
        "gamma": lambda: ig.models.from_density(gamma_law, x, [shape, rate], HALF_LINE),
        "beta": lambda: ig.models.from_density(beta_law, x, [a, b], UNIT_INTERVAL),
        "inverse Gaussian": lambda: ig.models.from_density(inverse_gaussian, x, [rate, shape], HALF_LINE),
    }[name]()


@cache
def network(loss: str, fisher: str, samples: int = 20) -> ig.models.Model:
    inputs, targets = ig.models.decision_boundary(samples, seed=samples)
    return ig.models.sigmoid_neuron(inputs, targets, LOSSES[loss], fisher=fisher)


def wide(model: ig.models.Model, count: int, seed: int) -> np.ndarray:
    """Points over sixteen decades of every positive parameter, and ±300 of every other."""
    rng = np.random.default_rng(seed)
    ranges = [p.symbol.is_positive for p in model.parameters]
    return np.column_stack(
        [10 ** rng.uniform(-8, 8, count) if positive else rng.uniform(-300, 300, count) for positive in ranges]
    )


def truth(model: Any, points: np.ndarray) -> list[Any]:
    """R as balls of 60 bits and more, None where it is undefined."""
    metric = ig.symbolic.metric(model)
    refined = [exact(metric, ("ricci_scalar",)).refine(point, ("ricci_scalar",)) for point in points]
    return [r.values if r.status == REFINED else None for r in refined]


def assert_honest(ds: xr.Dataset, model: Any, points: np.ndarray) -> list[float]:
    """Hold every value against its stated error; the bounds of status ok, in units of the true error."""
    pessimism = []
    for R, error, status, known in zip(
        ds.ricci_scalar.values, ds.ricci_scalar_error.values, ds.status.values, truth(model, points), strict=True
    ):
        assert status in (OK, REFINED, UNREFINED, OVERFLOW)
        if known is not None and np.isfinite(R):
            off = abs(R - float(known["ricci_scalar"]))
            # Twice the error is what is promised; half of that is kept in hand.
            assert off <= error + float(known["ricci_scalar_error"])
            if status == REFINED:
                assert error <= 0.5001 * EPS * abs(R) + 1e-60
            if status == OK:
                pessimism.append(error / max(off, EPS * abs(R), 1e-300))
        else:
            assert status in (OVERFLOW, UNREFINED)
    return pessimism


every_family = pytest.mark.parametrize("name", ["normal", "gamma", "beta", "inverse Gaussian"])
every_network = pytest.mark.parametrize("fisher", ["empirical", "expected"])
every_loss = pytest.mark.parametrize("loss", LOSSES)


@every_family
@pytest.mark.parametrize("max_refined", [0, 10_000])
def test_families_are_right_to_their_stated_error_over_sixteen_decades(name: str, max_refined: int) -> None:
    model = family(name)
    points = wide(model, 150, seed=1)
    pessimism = assert_honest(ig.grid.evaluate_points(model, points, max_refined=max_refined), model, points)
    assert np.median(pessimism) < 1e3


@every_network
@every_loss
@pytest.mark.parametrize("size", [3, 300])
def test_networks_are_right_to_their_stated_error(loss: str, fisher: str, size: float) -> None:
    model = network(loss, fisher)
    points = np.random.default_rng(2).uniform(-size, size, (250 if size < 10 else 60, 2))
    for max_refined in (0, 10_000):
        pessimism = assert_honest(ig.grid.evaluate_points(model, points, max_refined=max_refined), model, points)
        assert len(pessimism) < 30 or np.median(pessimism) < 1e3


@every_network
@every_loss
def test_the_network_has_no_hole_in_a_wide_range(loss: str, fisher: str) -> None:
    axis = np.linspace(-20, 20, 33)
    ds = ig.grid.evaluate(network(loss, fisher, 1000), {"theta1": axis, "theta2": axis})
    assert ds.status.isin([OK, REFINED]).all()
    assert np.isfinite(ds.ricci_scalar).all()
    assert (ds.ricci_scalar_error <= 1e-9 * abs(ds.ricci_scalar)).all()


def test_a_closed_form_that_cancels_is_repaired() -> None:
    # One parameter: no curvature, but its metric's square is; product with itself by hand, R = 0 exactly.
    model = ig.models.from_density(truncated, x, [rate], UNIT_INTERVAL)
    g = ig.symbolic.metric(model).matrix[0, 0]
    metric = ig.symbolic.Metric([rate, shape], [[g, 0], [0, 1 + rate * shape]])
    for point in ([1e-3, 1.0], [0.1, 0.5], [5.0, 2.0], [400.0, 0.3]):
        ds = ig.grid.evaluate_points(metric, [point])
        at = {rate: sympy.Rational(point[0]), shape: sympy.Rational(point[1])}
        R = ig.symbolic.ricci_scalar(metric).subs(at).evalf(60)
        assert ds.status.item() in (OK, REFINED)
        assert abs(ds.ricci_scalar.item() - float(R)) <= 2 * ds.ricci_scalar_error.item() + EPS * abs(float(R))
        assert ds.ricci_scalar_error <= 1e-9 * abs(ds.ricci_scalar)


@pytest.mark.parametrize("decade", [-8, 0, 8])
def test_known_curvatures_stand_at_the_ends_of_float64(decade: int) -> None:
    # R = (ψ′ + κ ψ″) / (2 (κ ψ′ − 1)²), which tends to −½ with ψ′ ~ κ⁻², and to −1 with ψ′ ~ κ⁻¹ + κ⁻²/2 + κ⁻³/6.
    kappa = mpmath.mpf(10.0**decade)
    with mpmath.workdps(60):
        first, second = mpmath.polygamma(1, kappa), mpmath.polygamma(2, kappa)
        expected = (first + kappa * second) / (2 * (kappa * first - 1) ** 2)
    ds = ig.grid.evaluate_points(family("gamma"), [[float(kappa), 1.0]])
    assert ds.status.item() in (OK, REFINED)
    assert ds.ricci_scalar.item() == pytest.approx(float(expected), rel=1e-9)
    assert float(expected) == pytest.approx({-8: -0.5, 8: -1}.get(decade, float(expected)), rel=1e-6)


def test_a_cap_leaves_the_rest_flagged_and_warns() -> None:
    model, points = network("mean-power-6", "empirical"), np.random.default_rng(0).uniform(-300, 300, (40, 2))
    with pytest.warns(ig.StatusWarning, match="of 40 points,.* unrefined: see status; max_refined sets how many"):
        ds = ig.grid.evaluate_points(model, points, max_refined=7)
    assert int((ds.status == REFINED).sum()) + int((ds.status == OVERFLOW).sum()) == 7
    assert int((ds.status == UNREFINED).sum()) > 20
    left = ds.where(ds.status == UNREFINED, drop=True)
    assert (~(left.ricci_scalar_error <= 1e-9 * abs(left.ricci_scalar))).all()
    assert ds.status.attrs["flag_meanings"].split()[5] == "unrefined"


def test_rtol_decides_what_is_refined() -> None:
    points = np.random.default_rng(0).uniform(-3, 3, (50, 2))
    loose, tight = (ig.grid.evaluate_points(network("l2", "expected"), points, rtol=rtol) for rtol in (1e-6, EPS))
    assert (loose.status == OK).all()
    assert (tight.status == REFINED).all()
    assert (tight.ricci_scalar_error <= EPS * abs(tight.ricci_scalar)).all()
    assert (abs(loose.ricci_scalar - tight.ricci_scalar) <= 2 * loose.ricci_scalar_error).all()


def test_every_quantity_of_a_refined_point_is_refined() -> None:
    wanted = ("metric", "inverse_metric", "determinant", "christoffel", "riemann", "ricci", "ricci_scalar", "loss")
    ds = ig.grid.evaluate_points(network("cross-entropy", "expected"), [[2.0, -1.5]], wanted, rtol=EPS)
    ds = ds.isel(point=0)
    assert ds.status == REFINED
    g, inverse = ds.metric.values, ds.inverse_metric.values
    assert ds.ricci_scalar.item() == pytest.approx(np.einsum("jl,jl->", inverse, ds.ricci.values), rel=1e-6, abs=0)
    assert ds.determinant.item() == pytest.approx(1 / np.linalg.det(inverse), rel=1e-6, abs=0)
    assert np.allclose(ds.ricci, np.einsum("ijil->jl", ds.riemann), rtol=1e-12)
    assert np.isfinite(ds.loss)
    assert np.isfinite(g).all()


def test_the_logarithm_of_r_is_finite_where_r_is_not() -> None:
    model, points = network("mean-power-6", "empirical"), np.random.default_rng(1).uniform(-300, 300, (60, 2))
    ds = ig.grid.evaluate_points(model, points, ("log10_ricci_scalar", "ricci_scalar_sign", "ricci_scalar"))
    beyond = ds.status == OVERFLOW
    assert 0 < int(beyond.sum()) < 60
    assert np.isfinite(ds.log10_ricci_scalar).all()
    assert (abs(ds.log10_ricci_scalar.where(beyond, drop=True)) > 300).all()
    assert (abs(ds.ricci_scalar_sign) == 1).all()
    inside = ds.where(~beyond, drop=True)
    assert np.allclose(inside.ricci_scalar_sign * 10**inside.log10_ricci_scalar, inside.ricci_scalar, rtol=1e-12)


# --- Singular is not small --------------------------------------------------------------------------------------------

RANK = ("metric_rank", "null_directions", "ricci_scalar")


def curie_weiss() -> ig.symbolic.Metric:
    """Curie–Weiss model in the thermodynamic limit: all that varies is the mean field (SCIENCE.md, section 6)."""
    beta, h = sympy.symbols("beta h", positive=True)
    # log Z per spin as a function of the mean field alone, u = β J m + h with m at its saddle: rank one.
    psi = sympy.log(2 * sympy.cosh(beta + h))
    return ig.symbolic.Metric([beta, h], sympy.hessian(psi, (beta, h)))


@pytest.mark.parametrize("count", [3, 500])
def test_a_metric_of_rank_one_is_singular_everywhere_with_its_null_direction(count: int) -> None:
    points = np.random.default_rng(0).uniform(0.1, 2, (count, 2))
    ds = ig.grid.evaluate_points(curie_weiss(), points, RANK)
    assert (ds.status == SINGULAR).all()
    assert (ds.metric_rank == 1).all()
    assert ds.metric_rank.dtype == np.int8
    assert np.allclose(abs(ds.null_directions.values[:, 0] @ [1, 1]), 0, atol=1e-12)
    assert np.allclose((ds.null_directions.values**2).sum(2), [1, 0])


def test_an_unused_parameter_is_a_null_direction() -> None:
    u, v = sympy.symbols("u v", real=True)
    metric = ig.symbolic.Metric([u, v], [[1 + u**2, 0], [0, 0]])
    ds = ig.grid.evaluate(metric, {"u": np.linspace(-1, 1, 20), "v": np.linspace(0, 1, 40)}, RANK)
    assert (ds.status == SINGULAR).all()
    assert np.allclose(abs(ds.null_directions.values[..., 0, :]), [0, 1])


def test_one_sample_has_rank_one() -> None:
    model = ig.models.sigmoid_neuron([[0.3, 0.8]], [1], CrossEntropy())
    ds = ig.grid.evaluate(model, {"theta1": np.linspace(-3, 3, 9), "theta2": np.linspace(-3, 3, 40)}, RANK)
    assert (ds.metric_rank == 1).all()
    assert np.allclose(ds.null_directions.values[..., 0, :] @ [0.3, 0.8], 0, atol=4 * EPS)


def test_a_regular_point_has_full_rank_and_no_null_direction() -> None:
    ds = ig.grid.evaluate_points(ig.models.normal(), [[0, 1], [0, -1]], RANK)
    assert ds.metric_rank.values.tolist() == [2, -1]
    assert not ds.null_directions.values[0].any()


@pytest.mark.parametrize("slope", [1e-6, 1e-9, 1e-12])
def test_inputs_nearly_on_a_line_are_ill_conditioned_and_not_singular(slope: float) -> None:
    inputs = np.array([[1.0, 0.0], [1.0, slope], [0.5, 0.25 * slope]])
    ds = ig.grid.evaluate_points(ig.models.sigmoid_neuron(inputs, [0, 1, 1], CrossEntropy()), [[0.1, 0.2]], RANK)
    assert ds.status.item() in (OK, REFINED)
    assert ds.metric_rank.item() == 2
    # Scaling a coordinate changes no scalar: with θ2 slope for θ2, R is that of slope 1 at (0.1, 0.2 slope).
    same = ig.models.sigmoid_neuron(inputs / [1, slope], [0, 1, 1], CrossEntropy())
    assert ds.ricci_scalar.item() == pytest.approx(
        ig.grid.evaluate_points(same, [[0.1, 0.2 * slope]]).ricci_scalar.item(), rel=1e-8
    )


@pytest.mark.parametrize("count", [20, 60])
def test_a_metric_that_is_regular_where_it_counts_is_not_singular_for_its_neighbours(count: int) -> None:
    # Undefined at x ≤ 2, where a metric on the whole line is typically asked; flat, with R = 0 at every point.
    u, v = sympy.symbols("u v", real=True)
    metric = ig.symbolic.Metric([u, v], [[1 / (u - 2) ** 2, 0], [0, log(u - 2) ** 2]])
    ds = ig.grid.evaluate(metric, {"u": np.linspace(4, 9, count), "v": 0.0}, ("ricci_scalar", "metric_rank"))
    assert ds.status.isin([OK, REFINED]).all()
    assert (ds.metric_rank == 2).all()
    assert (ds.ricci_scalar == 0).all()


def test_a_bump_on_a_flat_metric_is_not_lost() -> None:
    u, v = sympy.symbols("u v", real=True)
    metric = ig.symbolic.Metric([u, v], [[1, 0], [0, u**2 * (1 + sympy.exp(-((u - 30) ** 2)))]])
    ds = ig.grid.evaluate(metric, {"u": np.linspace(20, 40, 41), "v": [0.0, 1.0, 2.0]}, ("ricci_scalar",))
    assert ds.ricci_scalar.sel(u=30.0).values == pytest.approx([1.0] * 3, rel=1e-2)
    alone = ig.grid.evaluate_points(metric, [[29.5, 0.0]], ("ricci_scalar",))
    assert ds.ricci_scalar.sel(u=29.5, v=0.0).item() == alone.ricci_scalar.item()


def test_what_float64_knows_near_zero_needs_no_refinement() -> None:
    u, v = sympy.symbols("u v", positive=True)
    g = ig.symbolic.Metric(
        [u, v], [[(3 * sympy.exp(u**2) - 3) / u**2, 0], [0, (v - 1 + sympy.exp(v)) / sympy.log(1 + v)]]
    )
    points = np.geomspace(1e-12, 1, 13)[:, None] * [1, 1]
    ds = ig.grid.evaluate_points(g, points, ("metric",), rtol=1e-13, max_refined=0)
    assert (ds.status == 0).all()
    x = points[:, 0]
    np.testing.assert_allclose(ds.metric[:, 0, 0], 3 * np.expm1(x**2) / x**2, rtol=1e-15)
    np.testing.assert_allclose(ds.metric[:, 1, 1], (x + np.expm1(x)) / np.log1p(x), rtol=1e-15)


def test_exponentials_of_sums_are_split_between_axes_all_the_same() -> None:
    u, v = sympy.symbols("u v", positive=True)
    g = ig.symbolic.Metric([u, v], [[1 + v, 0], [0, sympy.exp(u + v) - 1]])
    kernels = metric_kernels(g, ("metric",), (), (u,))
    assert kernels.jet.hoisted
    assert "expm1" not in kernels.jet.hoisted


def test_an_outlier_in_the_data_makes_nothing_singular() -> None:
    inputs, targets = ig.models.decision_boundary(200, seed=0)
    model = ig.models.sigmoid_neuron(np.vstack([inputs, [[1e17, 1e17]]]), np.append(targets, 0), CrossEntropy())
    ds = ig.grid.evaluate_points(model, [[-1, 0.5], [1, 1]], ("ricci_scalar", "metric_rank"))
    assert ds.status.isin([OK, REFINED]).all()
    assert (ds.metric_rank == 2).all()


@pytest.mark.parametrize("entry", [1 / x, sympy.log(x - 1), sympy.sqrt(x - 1)], ids=str)
def test_an_undefined_metric_is_nan_with_a_status(entry: sympy.Expr) -> None:
    u, v = sympy.symbols("u v", real=True)
    metric = ig.symbolic.Metric([u, v], [[1, 0], [0, entry.subs(x, u)]])
    ds = ig.grid.evaluate_points(metric, [[0, 0]], ("metric", *RANK))
    assert ds.status.item() == UNDEFINED
    assert np.isnan(ds.ricci_scalar)
    assert ds.metric_rank.item() == -1


def test_null_directions_come_from_the_data_where_the_metric_is_all_but_zero() -> None:
    model = ig.models.sigmoid_neuron([[1, 2], [2, 4], [0.5, 1.0]], [0, 0, 0], CrossEntropy())
    ds = ig.grid.evaluate_points(model, [[-50.0, -50.0]], RANK)
    assert abs(ds.null_directions.values[0, 0] @ [1, 2]) <= 4 * EPS


def test_a_degenerate_point_has_no_tensors() -> None:
    u, v = sympy.symbols("u v", real=True)
    metric = ig.symbolic.Metric([u, v], sympy.diag(1, sympy.sin(u) ** 2))
    ds = ig.grid.evaluate_points(metric, [[0, 0], [1, 0]], ("christoffel", "ricci_scalar", "metric"))
    assert ds.status.values.tolist() == [SINGULAR, OK]
    assert np.isnan(ds.christoffel.values[0]).all()
    assert np.isnan(ds.ricci_scalar_error.values[0])
    assert ds.metric.values[0].tolist() == [[1, 0], [0, 0]]


@pytest.mark.parametrize("quantity", ["christoffel", "ricci", "riemann"])
@pytest.mark.parametrize("sigma", [1e85, 1e110, 1e-110])
def test_tensors_without_r_are_right_where_derivatives_leave_float64(quantity: str, sigma: float) -> None:
    ds = ig.grid.evaluate_points(ig.models.normal(), [[0, sigma]], (quantity,))
    one = ig.grid.evaluate_points(ig.models.normal(), [[0, 1.0]], (quantity,))
    power = 1 if quantity == "christoffel" else 2
    expected = one[quantity].values / np.longdouble(sigma) ** power
    assert ds.status.item() in (OK, REFINED) or (ds.status.item() == OVERFLOW and sigma < 1)
    if ds.status.item() != OVERFLOW:
        assert np.allclose(ds[quantity].values, expected.astype(float), rtol=1e-12, atol=0)


def test_equal_weights_are_exact_in_balls() -> None:
    inputs = np.array([[1.0, 0], [0, 1.0], [1.0, 1.0]])
    three = ig.models.sigmoid_neuron(inputs, [0, 0, 0], CrossEntropy())
    # 1/15 is not 1/3 rounded and divided by 5.
    fifteen = ig.models.sigmoid_neuron(np.vstack([inputs] * 5), [0] * 15, CrossEntropy())
    points = np.random.default_rng(0).uniform(-2, 2, (30, 2))
    one, two = (ig.grid.evaluate_points(m, points, rtol=EPS).ricci_scalar for m in (three, fifteen))
    assert one.values.tolist() == two.values.tolist()


def test_the_bound_alone_may_be_asked_for() -> None:
    alone, both = (
        ig.grid.evaluate_points(ig.models.normal(), [[0, 2.0]], q) for q in ("ricci_scalar_error", "ricci_scalar")
    )
    assert alone.ricci_scalar_error.item() == both.ricci_scalar_error.item() > 0


def test_a_logarithm_of_what_float64_takes_for_zero_is_finite() -> None:
    inputs, targets = ig.models.decision_boundary(3, 5)
    model = ig.models.sigmoid_neuron(inputs, targets, CrossEntropy())
    ds = ig.grid.evaluate_points(model, [[196.62155629, -54.48051818]], ("log10_ricci_scalar", "ricci_scalar_sign"))
    assert ds.log10_ricci_scalar.item() == pytest.approx(-485 + np.log10(1.147974), abs=1e-5)
    assert ds.ricci_scalar_sign.item() == -1


def test_a_flat_metric_costs_no_refinement() -> None:
    r, phi = sympy.symbols("r phi", positive=True)
    polar = ig.symbolic.Metric([r, phi], sympy.diag(1, r**2))
    ds = ig.grid.evaluate(polar, {"r": np.linspace(0.1, 9, 50), "phi": np.linspace(0.1, 6, 50)}, max_refined=40)
    assert (ds.status == OK).all()
    assert (ds.ricci_scalar == 0).all()


# --- The same to the bit ----------------------------------------------------------------------------------------------


def test_a_refined_grid_is_the_same_in_chunks_to_the_bit() -> None:
    axes = {"theta1": np.linspace(-200, 200, 7), "theta2": np.linspace(-200, 200, 33)}
    model = network("mean-power-2", "expected")
    whole, parts = (ig.grid.evaluate(model, axes, chunks=c).compute() for c in (None, {"theta1": 2, "theta2": 10}))
    assert (whole.status == REFINED).any()
    assert whole.equals(parts)


SCRIPT = """
import hashlib, sys, warnings
import numpy as np
import infogeom as ig
warnings.simplefilter("ignore")
x, y = ig.models.decision_boundary(50, seed=0)
axis = np.linspace(-100, 100, 40)
ds = ig.grid.evaluate(ig.models.sigmoid_neuron(x, y, ig.losses.MeanPower(2)), {"theta1": axis, "theta2": axis})
everything = b"".join(v.values.tobytes() for v in ds.data_vars.values())
print(int((ds.status == 1).sum()), hashlib.sha256(everything).hexdigest())
"""


@pytest.mark.slow
def test_a_script_without_a_guard_refines_by_any_number_of_processes_to_the_same_bits(tmp_path: Any) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)

    def printed(threads: int) -> str:
        environment = {**os.environ, "NUMBA_NUM_THREADS": str(threads)}
        done = subprocess.run(
            [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        )
        assert not done.stderr
        return done.stdout

    one, two = printed(1), printed(2)
    assert int(one.split()[0]) > 1350  # enough to be shared out
    assert one == two


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rtol", [0, -1e-9, 1e-17, np.nan, np.inf])
def test_an_rtol_that_nothing_can_meet_is_a_value_error(rtol: float) -> None:
    with pytest.raises(
        ValueError, match=r"rtol must be at least 2.2e-16, to which float64 can hold R, and finite, got"
    ):
        ig.grid.evaluate_points(ig.models.normal(), [[0, 1]], rtol=rtol)


@pytest.mark.parametrize("rtol", [None, "1e-9", True])
def test_an_rtol_that_is_no_number_is_a_type_error(rtol: Any) -> None:
    with pytest.raises(TypeError, match="rtol must be a real number, got"):
        ig.grid.evaluate(ig.models.normal(), {"mu": 0, "sigma": 1}, rtol=rtol)


@pytest.mark.parametrize(("most", "error"), [(-1, ValueError), (1.5, TypeError), (None, TypeError)])
def test_a_bad_max_refined_is_named(most: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="max_refined must be"):
        ig.grid.evaluate_points(ig.models.normal(), [[0, 1]], max_refined=most)


def test_nothing_is_bounded_where_the_frame_is_lost() -> None:
    # At a large β two parameters of the law are one to rounding, the third is not: in its Γ there is no error to see.
    asked = ("christoffel", "christoffel_error")
    ds = ig.grid.evaluate_points(
        ig.models.generalised_normal(), [[-0.0007801, 24.52897, 70709691.7]], asked, max_refined=0
    )
    assert ds.status.item() == 5
    assert np.isinf(ds.christoffel_error.values[ds.christoffel.values != 0]).all()
