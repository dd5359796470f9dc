"""Grids and point sets: the labelled Dataset, its status, and what bad input gets."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pandas as pd
import pytest
import sympy
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeom as ig
from infogeom.grid import evaluate, evaluate_points
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from tests import problems as table
from tests import reference, strategies
from tests.problems import EPS

OK, SINGULAR, OUT_OF_DOMAIN, OVERFLOW = 0, 2, 3, 4
INPUTS, TARGETS = ig.models.decision_boundary(40, seed=3)
NETWORK = ig.models.sigmoid_neuron(INPUTS, TARGETS, CrossEntropy())
ALL = (
    "metric",
    "inverse_metric",
    "determinant",
    "fisher_trace",
    "christoffel",
    "riemann",
    "ricci",
    "ricci_scalar",
    "loss",
    "ntk_trace",
)
COARSE, FINE = np.linspace(-1, 1, 3), np.linspace(-3, 3, 33)


@pytest.fixture(scope="module")
def network() -> xr.Dataset:
    """Everything about the network on a small grid."""
    return evaluate(NETWORK, {"theta1": COARSE, "theta2": FINE}, ALL)


# --- The Dataset ------------------------------------------------------------------------------------------------------


def test_dimensions_come_in_model_order_whatever_the_order_of_the_axes(network: xr.Dataset) -> None:
    turned = evaluate(NETWORK, {"theta2": FINE, "theta1": COARSE}, ALL)
    assert turned.ricci_scalar.dims == network.ricci_scalar.dims == ("theta1", "theta2")
    assert (turned.ricci_scalar == network.ricci_scalar).all()


@pytest.mark.parametrize(
    ("name", "indices"),
    [
        ("metric", "ij"),
        ("inverse_metric", "ij"),
        ("christoffel", "ijk"),
        ("riemann", "ijkl"),
        ("ricci", "ij"),
        ("ricci_scalar", ""),
        ("determinant", ""),
        ("fisher_trace", ""),
        ("loss", ""),
        ("ntk_trace", ""),
    ],
)
def test_tensor_indices_follow_the_parameters(network: xr.Dataset, name: str, indices: str) -> None:
    assert network[name].dims == ("theta1", "theta2", *indices)
    assert network[name].shape == (3, 33, *[2] * len(indices))
    assert network[name].dtype == np.float64


def test_tensor_indices_are_labelled_by_parameter_name(network: xr.Dataset) -> None:
    assert all(network[index].values.tolist() == ["theta1", "theta2"] for index in "ijkl")
    assert network.metric.sel(i="theta1", j="theta2").dims == ("theta1", "theta2")


def test_axes_are_kept_as_coordinates(network: xr.Dataset) -> None:
    assert (network.theta1 == COARSE).all()
    assert (network.theta2 == FINE).all()


def test_labels_are_the_latex_of_the_parameters(network: xr.Dataset) -> None:
    assert network.theta1.attrs["long_name"] == r"$\theta_{1}$"
    assert evaluate(ig.models.normal(), {"mu": 0, "sigma": [1.0, 2]}).sigma.attrs["long_name"] == r"$\sigma$"


def test_every_variable_has_a_label_and_a_unit(network: xr.Dataset) -> None:
    for name in ALL:
        assert network[name].attrs["long_name"].startswith("$")
        assert network[name].attrs["units"] == "1"


def test_attributes_say_which_metric_this_is(network: xr.Dataset) -> None:
    expected = {
        "model": "sigmoid neuron",
        "loss": "cross-entropy",
        "fisher": "empirical",
        "samples": 40,
        "infogeom_version": ig.__version__,
    }
    assert {key: network.attrs.get(key) for key in expected} == expected
    assert {
        "normalization",
        "numpy_version",
        "numba_version",
        "sympy_version",
        "wall_time_seconds",
    } <= network.attrs.keys()


def test_attributes_are_strings_and_numbers(network: xr.Dataset) -> None:
    assert all(isinstance(value, str | int | float) for value in network.attrs.values())


def test_status_follows_the_cf_convention(network: xr.Dataset) -> None:
    assert network.status.dtype == np.int8
    assert network.status.dims == ("theta1", "theta2")
    assert network.status.attrs["flag_values"].tolist() == [0, 1, 2, 3, 4]
    assert network.status.attrs["flag_values"].dtype == np.int8
    assert network.status.attrs["flag_meanings"] == "ok refined singular out_of_domain overflow"


def test_a_dataset_survives_a_netcdf_file_of_the_base_dependencies(network: xr.Dataset, tmp_path: Path) -> None:
    network.to_netcdf(tmp_path / "grid.nc", engine="scipy")
    with xr.open_dataset(tmp_path / "grid.nc", engine="scipy") as read:
        xr.testing.assert_equal(read.load(), network)
        assert read.status.dtype == np.int8
        assert read.attrs["loss"] == "cross-entropy"
        assert read.theta1.attrs["long_name"] == network.theta1.attrs["long_name"]
        assert read.status.attrs["flag_meanings"] == network.status.attrs["flag_meanings"]


def test_a_dataset_survives_a_zarr_store(network: xr.Dataset, tmp_path: Path) -> None:
    network.to_zarr(tmp_path / "grid.zarr")
    with xr.open_zarr(tmp_path / "grid.zarr", chunks=None) as read:
        xr.testing.assert_equal(read.load(), network)
        assert read.attrs == network.attrs


def test_a_plain_number_fixes_a_parameter_and_leaves_a_scalar_coordinate(network: xr.Dataset) -> None:
    cut = evaluate(NETWORK, {"theta1": COARSE[1], "theta2": FINE}, ("metric", "ricci_scalar"))
    assert cut.metric.dims == ("theta2", "i", "j")
    assert cut.status.dims == ("theta2",)
    assert cut.theta1.dims == ()
    assert float(cut.theta1) == COARSE[1]
    assert np.allclose(cut.ricci_scalar, network.ricci_scalar.isel(theta1=1), rtol=1e-9, atol=0)


def test_the_last_parameter_may_be_fixed_too(network: xr.Dataset) -> None:
    cut = evaluate(NETWORK, {"theta1": COARSE, "theta2": FINE[4]}, "ricci_scalar")
    assert cut.ricci_scalar.dims == ("theta1",)
    assert np.allclose(cut.ricci_scalar, network.ricci_scalar.isel(theta2=4), rtol=1e-9, atol=0)


def test_all_parameters_may_be_fixed(network: xr.Dataset) -> None:
    point = evaluate(NETWORK, {"theta1": COARSE[1], "theta2": FINE[4]}, ("metric", "ricci_scalar"))
    assert point.ricci_scalar.dims == ()
    assert point.metric.shape == (2, 2)
    assert np.allclose(point.ricci_scalar, network.ricci_scalar[1, 4], rtol=1e-9, atol=0)


def test_an_axis_of_one_value_keeps_its_dimension() -> None:
    ds = evaluate(NETWORK, {"theta1": [0.5], "theta2": FINE}, "metric")
    assert ds.metric.shape == (1, 33, 2, 2)


def test_only_what_is_asked_for_is_returned() -> None:
    ds = evaluate(ig.models.normal(), {"mu": 0, "sigma": [1.0, 2]}, ("determinant",))
    assert set(ds.data_vars) == {"determinant", "status"}


def test_the_default_quantities_are_metric_and_ricci_scalar() -> None:
    assert set(evaluate_points(ig.models.normal(), [[0, 1]]).data_vars) == {
        *("metric", "ricci_scalar", "ricci_scalar_error", "status")
    }


def test_points_run_along_the_dimension_point() -> None:
    ds = evaluate_points(NETWORK, [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    assert ds.metric.dims == ("point", "i", "j")
    assert ds.theta2.dims == ("point",)
    assert ds.theta2.values.tolist() == [0.2, 0.4, 0.6]


def test_points_of_a_path_keep_its_dimension_and_its_index() -> None:
    steps = np.array([0, 10, 20])
    path = xr.Dataset({"theta2": ("step", [0.2, 0.4, 0.6]), "theta1": ("step", [0.1, 0.3, 0.5])}, {"step": steps})
    ds = evaluate_points(NETWORK, path)
    assert ds.ricci_scalar.dims == ("step",)
    assert (ds.step == steps).all()
    assert np.array_equal(ds.ricci_scalar, evaluate_points(NETWORK, [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]).ricci_scalar)


# --- The numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", [CrossEntropy(), LpNorm(2), MeanPower(2)], ids=lambda loss: loss.name)
def test_a_grid_gives_what_points_give(loss: Any) -> None:
    model = ig.models.sigmoid_neuron(INPUTS, TARGETS, loss)
    axes = {"theta1": np.array([-3, -0.4, 2.2]), "theta2": FINE}
    grid = evaluate(model, axes, ("metric", "ricci_scalar", "loss", "ntk_trace", "fisher_trace"))
    mesh = np.stack(np.meshgrid(*axes.values(), indexing="ij"), axis=-1).reshape(-1, 2)
    points = evaluate_points(model, mesh, ("metric", "ricci_scalar", "loss", "ntk_trace", "fisher_trace"))
    # 40 positive terms; the hoisted exponentials err by |u| eps ≤ 30 eps each, twice, to a power of up to 4.
    for name in ("loss", "ntk_trace", "fisher_trace"):
        assert np.allclose(grid[name].values.ravel(), points[name], rtol=400 * EPS, atol=0)
    g, R = grid.metric.values.reshape(-1, 2, 2), grid.ricci_scalar.values.ravel()
    trace = np.trace(g, axis1=1, axis2=2)
    assert (abs(g - points.metric.values).max((1, 2)) <= 400 * EPS * trace).all()
    exact = {
        "cross-entropy": reference.cross_entropy,
        "l2": reference.lp_norm(2),
        "mean-power-2": reference.mean_power(2),
    }
    for n in range(0, len(mesh), 17):
        jet = reference.network_jet(mesh[n], INPUTS, TARGETS, exact[loss.name])
        bound = 200 * float(reference.cond2(jet.g) * reference.scale(jet.g, jet.dg)) * EPS
        assert abs(R[n] - points.ricci_scalar.values[n]) <= bound


def test_a_grid_of_a_family_gives_what_points_give() -> None:
    axes = {"mu": np.array([-1.0, 0.5]), "sigma": np.linspace(0.5, 2, 33)}
    grid = evaluate(ig.models.normal(), axes, ("metric", "christoffel", "ricci_scalar"))
    mesh = np.stack(np.meshgrid(*axes.values(), indexing="ij"), axis=-1).reshape(-1, 2)
    points = evaluate_points(ig.models.normal(), mesh, ("metric", "christoffel", "ricci_scalar"))
    for name in ("metric", "christoffel", "ricci_scalar"):
        assert np.allclose(grid[name].values.reshape(points[name].shape), points[name], rtol=20 * EPS, atol=0)


def test_a_grid_of_a_normal_law_has_ricci_scalar_minus_one() -> None:
    ds = evaluate(ig.models.normal(), {"mu": [-1.0, 0.5], "sigma": np.linspace(0.5, 2, 33)})
    assert np.allclose(ds.ricci_scalar, -1, rtol=100 * EPS, atol=0)


@pytest.mark.parametrize("lengths", [(33, 3), (3, 33), (1, 2), (2, 1)])
def test_a_grid_of_any_shape_is_in_its_place(lengths: tuple[int, int]) -> None:
    mu, sigma = np.linspace(-1, 1, lengths[0]), np.linspace(0.5, 2, lengths[1])
    ds = evaluate(table.trinomial, {"p1": (mu + 2) / 10, "p2": sigma / 5}, "metric")
    expected = 1 / ds.p1 + 1 / (1 - ds.p1 - ds.p2)
    assert np.allclose(ds.metric.sel(i="p1", j="p1"), expected, rtol=20 * EPS, atol=0)


def test_a_grid_of_more_than_one_tile_is_in_its_place() -> None:
    axes = {"mu": np.linspace(-1, 1, 21), "sigma": np.linspace(0.5, 2, 700)}
    ds = evaluate(ig.models.normal(), axes, "metric")
    assert np.allclose(ds.metric.sel(i="mu", j="mu"), np.broadcast_to(axes["sigma"] ** -2, (21, 700)), rtol=4 * EPS)


def test_a_grid_of_three_parameters_is_in_its_place() -> None:
    axes = {"u": np.array([0.0, 1]), "v": np.array([0.0, 1, 2]), "r": np.array([0.5, 1, 2, 4])}
    ds = evaluate(table.half_space, axes, ("metric", "ricci_scalar"))
    assert ds.metric.dims == ("u", "v", "r", "i", "j")
    assert np.allclose(ds.metric.sel(i="v", j="v"), np.broadcast_to(axes["r"] ** -2, (2, 3, 4)), rtol=4 * EPS)
    assert np.allclose(ds.ricci_scalar, -6, rtol=100 * EPS)


def grid_with(threads: int) -> xr.Dataset:
    """A grid of many tiles by so many threads."""
    axes = {"theta1": np.linspace(-3, 3, 150), "theta2": np.linspace(-3, 3, 600)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numba.config, "NUMBA_NUM_THREADS", threads)
        return evaluate(NETWORK, axes)


def test_the_number_of_threads_changes_no_bit() -> None:
    one, two = grid_with(1), grid_with(2)
    assert one.drop_attrs().equals(two.drop_attrs())
    assert one.metric.values.tobytes() == two.metric.values.tobytes()


# --- Status -----------------------------------------------------------------------------------------------------------


def nothing_unflagged(ds: xr.Dataset) -> bool:
    """Whether every value that is not finite stands at a point whose status says so."""
    flagged = ds.status != OK
    return all(bool((np.isfinite(ds[name]) | flagged).all()) for name in ds.data_vars)


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
@pytest.mark.parametrize("loss", [CrossEntropy(), LpNorm(2), MeanPower(2)], ids=lambda loss: loss.name)
def test_far_away_values_are_finite_or_flagged(loss: Any) -> None:
    model = ig.models.sigmoid_neuron(INPUTS, TARGETS, loss)
    axes = {"theta1": np.linspace(-300, 300, 5), "theta2": np.linspace(-300, 300, 41)}
    ds = evaluate(model, axes, ("metric", "ricci_scalar", "loss", "ntk_trace", "fisher_trace"))
    assert nothing_unflagged(ds)
    assert np.isfinite(ds.metric).all()
    assert np.isfinite(ds.loss).all()


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_far_away_the_metric_is_still_right_where_tables_of_exponentials_would_overflow() -> None:
    axes = {"theta1": np.linspace(-300, 300, 5), "theta2": np.linspace(-300, 300, 41)}
    ds = evaluate(NETWORK, axes, ("metric", "ricci_scalar", "loss", "ntk_trace", "fisher_trace"))
    for i, j in [(0, 0), (4, 0), (1, 33), (3, 9)]:
        theta = float(ds.theta1[i]), float(ds.theta2[j])
        loss = float(reference.network_loss(theta, INPUTS, TARGETS, reference.cross_entropy))
        # σ(u) errs by |u| eps, here up to 3000 eps; the loss is a sum of u's and of nothing else that counts.
        assert float(ds.loss[i, j]) == pytest.approx(loss, rel=100 * EPS, abs=1e-300)
        u = 5 * ((1 - 2 * TARGETS)[:, None] * INPUTS) @ theta
        squares = np.where(u < 0, np.exp(2 * np.minimum(u, 0)), 1.0) / (1 + np.exp(-abs(u))) ** 2
        g = 25 * np.einsum("n,ni,nj->ij", squares, INPUTS, INPUTS) / len(INPUTS)
        assert np.allclose(ds.metric[i, j], g, rtol=2e4 * EPS, atol=0)


def test_a_point_out_of_the_domain_has_a_status_and_no_value() -> None:
    ds = evaluate(ig.models.normal(), {"mu": 0, "sigma": [-1.0, 0, 1]}, ("metric", "ricci_scalar"))
    assert ds.status.values.tolist() == [OUT_OF_DOMAIN, OUT_OF_DOMAIN, OK]
    assert np.isnan(ds.metric.values[:2]).all()
    assert np.isnan(ds.ricci_scalar.values[:2]).all()


def test_a_point_out_of_the_domain_leaves_its_neighbours_alone() -> None:
    ds = evaluate(ig.models.normal(), {"mu": 0, "sigma": [-1.0, 0, 1]}, ("metric", "ricci_scalar"))
    assert ds.metric.values[2].tolist() == [[1, 0], [0, 2]]


def test_a_point_of_a_list_out_of_the_domain_has_a_status() -> None:
    with pytest.warns(ig.StatusWarning, match="of 2 points, 1 out_of_domain: see status"):
        ds = evaluate_points(ig.models.normal(), [[0, 1], [0, -1]])
    assert ds.status.values.tolist() == [OK, OUT_OF_DOMAIN]
    assert np.isnan(ds.ricci_scalar.values[1])


def test_a_point_of_a_path_out_of_the_domain_is_told() -> None:
    path = xr.Dataset({"mu": ("step", [0.0, 0.1]), "sigma": ("step", [-1.0, 1.0])})
    with pytest.warns(ig.StatusWarning, match="1 out_of_domain"):
        evaluate_points(ig.models.normal(), path)


def test_a_grid_around_a_domain_does_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ds = evaluate(ig.models.normal(), {"mu": 0, "sigma": [-1.0, 1]})
    assert ds.status.values.tolist() == [OUT_OF_DOMAIN, OK]


def test_one_sample_is_singular_everywhere() -> None:
    model = ig.models.sigmoid_neuron([[0.3, 0.8]], [1], CrossEntropy())
    with pytest.warns(ig.StatusWarning):
        ds = evaluate(model, {"theta1": COARSE, "theta2": FINE}, ("metric", "ricci_scalar"))
    assert (ds.status == SINGULAR).all()


def test_a_singular_point_keeps_its_metric_and_loses_its_curvature() -> None:
    model = ig.models.sigmoid_neuron([[0.3, 0.8]], [1], CrossEntropy())
    with pytest.warns(ig.StatusWarning):
        ds = evaluate(model, {"theta1": COARSE, "theta2": FINE}, ALL)
    for name in ("metric", "determinant", "fisher_trace", "loss", "ntk_trace"):
        assert np.isfinite(ds[name]).all()
    for name in ("inverse_metric", "christoffel", "riemann", "ricci", "ricci_scalar"):
        assert np.isnan(ds[name]).all()


@settings(max_examples=20)
@given(strategies.numbers(-2, 2), strategies.numbers(0.1, 1), st.integers(2, 6), st.integers(0, 999))
def test_inputs_on_one_line_are_singular_everywhere(slope: float, scale: float, n: int, seed: int) -> None:
    t = np.random.default_rng(seed).integers(1, 64, n)
    x = np.outer(t, [1.0, slope]) * scale / 64
    y = np.arange(n) % 2
    with pytest.warns(ig.StatusWarning):
        ds = evaluate_points(ig.models.sigmoid_neuron(x, y, CrossEntropy()), [[0.3, 0.4], [-2, 1]])
    assert (ds.status == SINGULAR).all()


def test_inputs_of_a_plane_are_singular_even_where_rounding_hides_it() -> None:
    # x̃ = s (1, 1, 2) + t (0, 2⁻¹⁰, 5): the last pivot should be 0, but the second one, 2⁻²⁰, amplifies its rounding.
    s, t = np.random.default_rng(0).integers(1, 64, (2, 40)) / 64
    x = np.outer(s, [1, 1, 2]) + np.outer(t, [0, 2**-10, 5])
    with pytest.warns(ig.StatusWarning):
        ds = evaluate_points(ig.models.sigmoid_neuron(x, TARGETS, CrossEntropy()), [[0.3, 0.4, 0.1], [-0.2, 0.1, 0.3]])
    assert (ds.status == SINGULAR).all()


def test_samples_without_weight_do_not_count_towards_the_rank() -> None:
    model = ig.models.sigmoid_neuron([[0.3, 0.8], [0.7, 0.1]], [1, 0], CrossEntropy(), weights=[1, 0])
    with pytest.warns(ig.StatusWarning):
        assert (evaluate_points(model, [[0.3, 0.4]]).status == SINGULAR).all()


def test_a_degenerate_point_of_a_regular_metric_is_singular() -> None:
    with pytest.warns(ig.StatusWarning, match="of 2 points, 1 singular"):
        ds = evaluate_points(table.sphere, [[0, 0.3], [1, 0.3]])
    assert ds.status.values.tolist() == [SINGULAR, OK]


def test_a_value_beyond_float64_is_an_overflow() -> None:
    with pytest.warns(ig.StatusWarning, match="1 overflow"):
        ds = evaluate_points(ig.models.normal(), [[0, 1e-200], [0, 1]])
    assert ds.status.values.tolist() == [OVERFLOW, OK]
    assert nothing_unflagged(ds)


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
@pytest.mark.parametrize("beside", [[], [1e-200]], ids=["alone", "beside one beyond float64"])
def test_a_point_is_what_it_is_whatever_its_tile_holds(beside: list[float]) -> None:
    wanted = ("christoffel", "ricci_scalar", "determinant")
    ds = evaluate(ig.models.normal(), {"mu": 0.0, "sigma": [*beside, 1e-100, 1.0]}, wanted)
    assert ds.status.values.tolist() == [OVERFLOW] * len(beside) + [OVERFLOW, OK]
    assert ds.christoffel.values[-2, 1, 0, 0] == pytest.approx(0.5e100, rel=4 * EPS)
    assert ds.determinant.values[-1] == pytest.approx(2, rel=4 * EPS)


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_a_metric_that_changes_signature_is_the_same_in_chunks_to_the_bit() -> None:
    u, v = sympy.symbols("u v", real=True)
    metric = ig.symbolic.Metric([u, v], [[u, v / 2], [v / 2, 1 + u**2]])
    axes = {"u": np.linspace(-2, 2, 41), "v": np.linspace(-2, 2, 37)}
    whole, parts = (evaluate(metric, axes, chunks=chunks).compute() for chunks in (None, {"u": 3, "v": 5}))
    assert whole.equals(parts)


def test_an_indefinite_metric_of_great_size_is_not_singular() -> None:
    u, v = sympy.symbols("u v", real=True)
    metric = ig.symbolic.Metric([u, v], [[10**155, 0], [0, -(10**155)]])
    ds = evaluate_points(metric, [[0.5, 1]], ("inverse_metric",))
    assert ds.status.item() == OK
    assert ds.inverse_metric.values[0].tolist() == [[pytest.approx(1e-155), 0], [0, pytest.approx(-1e-155)]]


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
@pytest.mark.parametrize("sigma", [1e-150, 1e-100, 1e-60, 1e60, 1e100, 1e150])
def test_a_curvature_is_right_or_flagged_where_derivatives_leave_float64(sigma: float) -> None:
    ds = evaluate_points(ig.models.normal(), [[0, sigma]], ("metric", "ricci_scalar"))
    assert ds.status != OK or ds.ricci_scalar.item() == pytest.approx(-1, rel=100 * EPS)


def test_the_warning_comes_once_and_counts() -> None:
    model = ig.models.sigmoid_neuron([[0.3, 0.8]], [1], CrossEntropy())
    with pytest.warns(ig.StatusWarning, match="of 99 points, 99 singular") as caught:
        evaluate(model, {"theta1": COARSE, "theta2": FINE}, ("metric", "ricci_scalar"))
    assert len(caught) == 1


def test_the_warning_points_at_the_caller() -> None:
    with pytest.warns(ig.StatusWarning) as caught:
        evaluate_points(table.sphere, [[0, 0.3]])
    assert caught[0].filename == __file__


def test_observables_alone_know_no_singular_metric() -> None:
    model = ig.models.sigmoid_neuron([[0.3, 0.8]], [1], CrossEntropy())
    assert (evaluate_points(model, [[0.3, 0.4]], "loss").status == OK).all()


@pytest.mark.parametrize("chunks", [0, -5, "foo", {"sigma": 0}, (1, 0)], ids=str)
def test_bad_chunks_are_a_value_error_that_says_why(chunks: Any) -> None:
    axes = {"mu": np.linspace(0, 1, 3), "sigma": np.linspace(1, 2, 3)}
    with pytest.raises(ValueError, match="chunks must be lengths of at least 1"):
        evaluate(ig.models.normal(), axes, chunks=chunks)


def test_quantities_that_are_no_sequence_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="quantities must be a sequence of names, got 3"):
        evaluate(ig.models.normal(), GOOD, 3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("axis", "error"), [([10**400], ValueError), (np.ma.masked_array([1.0, 2.0], [False, True]), TypeError)]
)
def test_an_axis_that_no_float64_array_holds_is_named(axis: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="axis 'sigma' must hold"):
        evaluate(ig.models.normal(), {"mu": 0.0, "sigma": axis})


# --- By name ----------------------------------------------------------------------------------------------------------

MU, SIGMA = [0.1, 0.2, 0.3], [3.0, 2.0, 1.0]
COLUMNS = {"sigma": SIGMA, "mu": MU}
ROWS = np.array(list(zip(SIGMA, MU, strict=True)), dtype=[("sigma", float), ("mu", float)])
NAMED: dict[str, Any] = {
    "DataFrame": pd.DataFrame({"epoch": [1, 2, 3], **COLUMNS}, index=[7, 5, 6]),
    "named tuples": [*pd.DataFrame(COLUMNS).itertuples(index=False)],
    "rows of a mapping": pd.DataFrame(COLUMNS).to_dict("records"),
    "DataFrame of symbols": pd.DataFrame({sympy.Symbol(name): column for name, column in COLUMNS.items()}),
    "mapping": COLUMNS,
    "mapping of symbols": {sympy.Symbol("sigma", positive=True): SIGMA, sympy.Symbol("mu"): MU},
    "structured array": ROWS,
    "record array": ROWS.view(np.recarray),
    "labelled array": xr.Dataset({k: ("point", v) for k, v in COLUMNS.items()}).to_dataarray("parameter"),
    "labelled array of rows": pd.DataFrame(COLUMNS).to_xarray().to_dataarray("parameter").T,
}


@pytest.mark.parametrize("table_", NAMED)
def test_a_table_is_read_by_its_names(table_: str) -> None:
    ds = evaluate_points(ig.models.normal(), NAMED[table_], "metric")
    assert ds.metric.dims == ("point", "i", "j")
    assert ds.mu.values.tolist() == MU
    assert ds.sigma.values.tolist() == SIGMA


@pytest.mark.parametrize(
    "points", [pd.DataFrame([[0.1, 3.0]]), pd.DataFrame([[0.1, 3.0]]).to_numpy(), xr.DataArray([[0.1, 3.0]])], ids=type
)
def test_a_table_without_names_is_read_in_model_order(points: Any) -> None:
    assert evaluate_points(ig.models.normal(), points, "metric").sigma.values.tolist() == [3.0]


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (pd.DataFrame({"m": MU, "sigma": SIGMA}), r"by name, got \['m', 'sigma'\]; missing \['mu'\]"),
        (pd.DataFrame([[1, 2, 3]], columns=["mu", "mu", "sigma"]), "name every column once"),
        (
            pd.DataFrame([[3.0, 1.0]], columns=[("sigma", "x"), ("mu", "x")]),
            r"by name, got .* missing \['mu', 'sigma'\]",
        ),
        ([{"mu": 1, "sigma": 2}, {"mu": 1}], r"the same names in every row, got \['mu', 'sigma'\] and \['mu'\]"),
        ({"mu": MU, "sigma": 1.0}, r"columns of one length, got shapes \{'mu': \(3,\), 'sigma': \(\)\}"),
        ({"mu": MU, "sigma": [1.0]}, "columns of one length"),
        ({"mu": [0.0], sympy.Symbol("mu"): [0.0]}, "name everything once"),
        ({"mu": [0.0, np.nan], "sigma": [1.0, 2.0]}, r"points\['mu'\] must be finite, got nan at index 1"),
    ],
    ids=["missing", "twice", "levels", "rows", "number", "lengths", "both", "nan"],
)
def test_a_bad_table_is_a_value_error_that_says_why(points: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate_points(ig.models.normal(), points)


def test_axes_and_chunks_may_be_named_by_symbols() -> None:
    mu, sigma = ig.symbolic.metric(ig.models.normal()).coordinates
    by_name = evaluate(ig.models.normal(), {"mu": 0.0, "sigma": [1.0, 2.0]})
    assert evaluate(ig.models.normal(), {sigma: [1.0, 2.0], mu: 0.0}).equals(by_name)
    assert evaluate(ig.models.normal(), {sigma: [1.0, 2.0], mu: 0.0}, chunks={sigma: 1}).compute().equals(by_name)


@pytest.mark.parametrize(("name", "index"), [("i", "i_"), ("k", "i_"), ("l", "i_"), ("m", "i")])
def test_tensor_indices_are_not_called_like_coordinates(name: str, index: str) -> None:
    u, v = sympy.symbols(f"{name} v", real=True)
    g = ig.symbolic.Metric([u, v], sympy.diag(1, sympy.cosh(u) ** 2))
    ds = evaluate(g, {u: [0.0, 1.0], v: 0.0}, ("riemann", "ricci_scalar"))
    assert ds.riemann.dims == (name, *(index.replace("i", i) for i in "ijkl"))
    assert ds[index].values.tolist() == [name, "v"]
    assert np.allclose(ds.ricci_scalar, -2, rtol=1e-12)


def test_tensor_indices_leave_the_underscore_to_coordinates() -> None:
    u, v = sympy.symbols("i i_", real=True)
    assert evaluate(ig.symbolic.Metric([u, v], sympy.eye(2)), {u: 0, v: 0}, "metric").metric.dims == ("i__", "j__")


@pytest.mark.parametrize("name", ["width", "loss", "step", "epoch", "point", "lambda_"])
def test_a_grid_runs_over_coordinates_of_any_name(name: str) -> None:
    u = sympy.Symbol(name, real=True)
    ds = evaluate(ig.symbolic.Metric([u], [[1 + u**2]]), {name: [0.0, 1.0]}, "metric")
    assert ds.metric.values.ravel().tolist() == [1, 2]


def test_points_do_not_run_along_a_coordinate() -> None:
    point, step = sympy.symbols("point step", real=True)
    with pytest.raises(ValueError, match="points must not run along 'point', the name of a parameter"):
        evaluate_points(ig.symbolic.Metric([point], [[1]]), [[0.0]])
    with pytest.raises(ValueError, match="points must not run along 'step', the name of a parameter"):
        evaluate_points(ig.symbolic.Metric([step], [[1]]), xr.Dataset({"step": ("step", [0.0])}))


def test_functions_without_values_are_named() -> None:
    t, x = sympy.symbols("t x", real=True)
    universe = ig.symbolic.Metric([t, x], sympy.diag(-1, sympy.Function("a")(t) ** 2))
    with pytest.raises(ValueError, match=r"functions \['a\(t\)'\] of the metric have no values"):
        evaluate_points(universe, [[1.0, 0.0]])


# --- Bad input --------------------------------------------------------------------------------------------------------

GOOD = {"mu": 0.0, "sigma": np.array([1.0, 2.0])}


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"mu": 0}, r"axes must name \['mu', 'sigma'\]; missing \['sigma'\]"),
        ({**GOOD, "tau": [1]}, r"unknown \['tau'\]"),
        ({**GOOD, "sigma": []}, "axis 'sigma' must hold at least one value"),
        ({**GOOD, "sigma": [1, 3, 2]}, "axis 'sigma' must be increasing, got 2.0 after 3.0 at index 2"),
        ({**GOOD, "sigma": [1, 1]}, "axis 'sigma' must be increasing, got 1.0 after 1.0 at index 1"),
        ({**GOOD, "sigma": [2, 1]}, "axis 'sigma' must be increasing"),
        ({**GOOD, "sigma": [1, 2, 3, np.nan]}, "axis 'sigma' must be finite, got nan at index 3"),
        ({**GOOD, "sigma": [1, np.inf]}, "axis 'sigma' must be finite, got inf at index 1"),
        ({**GOOD, "mu": np.nan}, "axis 'mu' must be finite, got nan"),
        ({**GOOD, "sigma": [[1, 2]]}, r"axis 'sigma' must be a number or 1-D, got shape \(1, 2\)"),
        ({**GOOD, "sigma": [-2, -1]}, r"no point lies inside the domain \(mu in .*, sigma in"),
        ({**GOOD, "sigma": 0}, "no point lies inside the domain"),
    ],
    ids=[
        "missing",
        "unknown",
        "empty",
        "not increasing",
        "constant",
        "decreasing",
        "nan",
        "infinite",
        "nan number",
        "two-dimensional",
        "outside",
        "number outside",
    ],
)
def test_a_bad_axis_is_a_value_error_that_says_why(axes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate(ig.models.normal(), axes)


@pytest.mark.parametrize("axis", [["a", "b"], [1 + 2j, 2], np.array([1j, 2]), None, [None, 1.0]], ids=repr)
def test_an_axis_of_no_real_numbers_is_a_type_error_that_names_it(axis: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="axis 'sigma'"):
        evaluate(ig.models.normal(), {**GOOD, "sigma": axis})


def test_axes_that_are_no_mapping_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="axes must be a mapping"):
        evaluate(ig.models.normal(), [[0], [1]])


def test_an_unknown_quantity_is_a_value_error_that_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"quantities must come from \['metric'.*got \['weyl'\]"):
        evaluate(ig.models.normal(), GOOD, ("metric", "weyl"))


def test_no_quantity_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="quantities"):
        evaluate(ig.models.normal(), GOOD, ())


@pytest.mark.parametrize("quantity", ["loss", "ntk_trace"])
def test_a_quantity_of_networks_needs_a_network(quantity: str) -> None:
    with pytest.raises(TypeError, match=f"{quantity}.*network"):
        evaluate(ig.models.normal(), GOOD, (quantity,))


@pytest.mark.parametrize("model", [None, "normal", ig.models.normal], ids=["None", "str", "function"])
def test_what_is_neither_model_nor_metric_is_a_type_error(model: Any) -> None:
    with pytest.raises(TypeError, match="Model"):
        evaluate(model, GOOD)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([0, 1], r"points must have shape \(m, 2\).*got \(2,\)"),
        ([[0, 1, 2]], r"points must have shape \(m, 2\).*got \(1, 3\)"),
        (np.empty((0, 2)), r"points must have shape \(m, 2\) with m at least 1"),
        ([[0, 1], [0, np.nan]], r"points must be finite, got nan at index \(1, 1\)"),
        ([[0, -1]], "no point lies inside the domain"),
        (xr.Dataset({"mu": ("step", [0.0])}), r"missing \['sigma'\]"),
        (xr.Dataset({"mu": ("step", [0.0]), "sigma": ("point", [1.0])}), "one common dimension"),
    ],
    ids=["1-D", "columns", "none", "nan", "outside", "path without a parameter", "path with two dimensions"],
)
def test_bad_points_are_a_value_error_that_says_why(points: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        evaluate_points(ig.models.normal(), points)


def test_a_constant_without_a_number_is_a_value_error() -> None:
    n = sympy.Symbol("n", positive=True, integer=True)
    with pytest.raises(ValueError, match=r"constants \['n'\]"):
        evaluate(ig.models.binomial(n), {"p": [0.5]})


def test_integers_are_numbers() -> None:
    assert (evaluate(ig.models.normal(), {"mu": 0, "sigma": range(1, 4)}, "metric").status == OK).all()


# --- metrics of which parts are constant, or null ---------------------------------------------------------------------


@pytest.mark.parametrize("u", [[1.0, 2.0], np.linspace(0.1, 1.0, 40)], ids=["short", "long"])
def test_a_sphere_has_curvature_two_whichever_axis_is_the_inner_one(u: Any) -> None:
    a, b = sympy.symbols("a b", real=True)
    sphere = ig.symbolic.Metric([a, b], sympy.diag(1, sympy.sin(a) ** 2))
    found = ig.grid.evaluate(sphere, {"a": u, "b": [0.0]}, ("metric", "ricci_scalar"))
    # Some ten roundings of terms of the size of cot² a, which cancel to 2.
    bound = 20 * EPS * (1 + 1 / np.tan(found["a"]) ** 2)
    assert bool((abs(found["ricci_scalar"] - 2) <= bound).all())


def test_a_singular_indefinite_metric_with_zeros_on_its_diagonal_is_told() -> None:
    a, b, c = sympy.symbols("a b c", real=True)
    v, w = np.array([0.3, 0.0, 0.7]), np.array([0.0, 0.1, 0.0])
    null = np.outer(v, w) + np.outer(w, v)  # rank 2
    metric = ig.symbolic.Metric([a, b, c], sympy.Matrix(3, 3, lambda i, j: sympy.Float(null[i, j])) * sympy.exp(a * b))
    with pytest.warns(ig.StatusWarning, match="1 singular"):
        found = ig.grid.evaluate_points(metric, [[0.1, 0.2, 0.3]])
    assert int(found["status"][0]) == 2


def test_a_metric_in_null_coordinates_has_its_curvature() -> None:
    a, b = sympy.symbols("a b", positive=True)
    null = ig.symbolic.Metric([a, b], sympy.Matrix([[0, a * b], [a * b, 0]]))  # flat: da² and db² are coordinates
    found = ig.grid.evaluate(null, {"a": [1.0, 2.0], "b": [0.5, 3.0]}, ("christoffel", "ricci_scalar"))
    assert found["status"].isin([0, 1]).all()
    assert (found["ricci_scalar"] == 0).all()
    np.testing.assert_allclose(found["christoffel"].sel(i="a", j="a", k="a", b=0.5), [1.0, 0.5], rtol=20 * EPS)
