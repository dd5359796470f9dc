"""Drawing: what lands on the axes, and that nothing else happens."""

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import scipy.stats
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.colors import LogNorm, Normalize, SymLogNorm
from matplotlib.text import Text

from infogeom import plotting

X, Y = np.linspace(-1, 2, 4), np.linspace(0, 4, 5)
STEPS = 400


@pytest.fixture(autouse=True)
def closed_figures() -> Iterator[None]:
    yield
    plt.close("all")


def field(values: np.ndarray, name: str = "fisher_trace", **attrs: str) -> xr.DataArray:
    coordinates = {
        "mu": ("mu", X, {"long_name": r"$\mu$"}),
        "sigma": ("sigma", Y, {"long_name": r"$\sigma$", "units": "m"}),
    }
    return xr.DataArray(values, coordinates, ("mu", "sigma"), name, {"long_name": r"$\mathrm{tr}\,I$", **attrs})


def positive(name: str = "fisher_trace") -> xr.DataArray:
    return field(1 + np.arange(20.0).reshape(4, 5), name)


def grid() -> xr.Dataset:
    """A Dataset laid out like one of infogeom.grid.evaluate."""
    status = np.zeros((4, 5), dtype=np.int8)
    status[0, 0] = 2
    flags = {
        "flag_values": np.array([0, 1, 2, 3, 4], np.int8),
        "flag_meanings": "ok refined singular out_of_domain overflow",
    }
    curvature = np.where(status == 2, np.nan, -np.arange(20.0).reshape(4, 5))
    metric = np.stack([np.stack([np.full((4, 5), a), np.full((4, 5), b)], -1) for a, b in ((2.0, 1.0), (1.0, 3.0))], -1)
    names = ["mu", "sigma"]
    return xr.Dataset(
        {
            "metric": xr.DataArray(metric, {"i": names, "j": names}, ("mu", "sigma", "i", "j")),
            "fisher_trace": positive(),
            "ntk_trace": positive("ntk_trace"),
            "ricci_scalar": field(curvature, "ricci_scalar", long_name="$R$"),
            "status": (("mu", "sigma"), status, flags),
        },
        attrs={"model": "sigmoid neuron", "loss": "l2", "fisher": "empirical", "data": "7 samples, seed 3"},
    )


def path(steps: int = STEPS) -> xr.Dataset:
    """A Dataset laid out like one of infogeom.training, with quantities along it."""
    s = np.linspace(0, 1, steps + 1)
    columns = {"mu": 2 * s, "sigma": 1 + s**2, "loss": 1 - s, "time": s * steps / 10}
    traces = {"fisher_trace": 1 + s, "ntk_trace": 2 + s, "ricci_scalar": -s}
    variables = {name: ("step", values, {"long_name": f"${name[:1]}$"}) for name, values in (columns | traces).items()}
    step = ("step", np.arange(steps + 1), {"long_name": "step"})
    return xr.Dataset(variables, {"step": step}, {"method": "gradient descent", "learning_rate": 0.1, "loss": "l2"})


def mesh(ax: Axes) -> QuadMesh:
    (found,) = (artist for artist in ax.collections if isinstance(artist, QuadMesh))
    return found


def bar(ax: Axes) -> Axes:
    (found,) = ax.child_axes
    return found


def test_the_first_parameter_is_on_the_x_axis() -> None:
    ax = plotting.surface(positive())
    assert (ax.get_xlabel(), ax.get_ylabel()) == (r"$\mu$", r"$\sigma$ (m)")
    np.testing.assert_array_equal(mesh(ax).get_array(), positive().values.T)
    assert ax.get_xlim() == (-1.5, 2.5)


def test_a_map_is_titled_by_its_long_name_and_its_colour_bar_by_its_units() -> None:
    ax = plotting.surface(field(np.ones((4, 5)), units="J"))
    assert ax.get_title() == r"$\mathrm{tr}\,I$"
    assert bar(ax).get_ylabel() == "J"


def test_cells_are_rasterised() -> None:
    assert mesh(plotting.surface(positive())).get_rasterized()


def test_a_positive_quantity_within_two_decades_has_a_linear_scale() -> None:
    assert type(mesh(plotting.surface(positive())).norm) is Normalize


def test_a_positive_quantity_over_more_than_two_decades_has_a_logarithmic_scale() -> None:
    norm = mesh(plotting.surface(positive() ** 2)).norm
    assert isinstance(norm, LogNorm)
    assert (norm.vmin, norm.vmax) == (1, 400)


def test_what_underflowed_to_zero_does_not_turn_a_logarithmic_scale_linear() -> None:
    values = np.geomspace(1, 1e6, 20).reshape(4, 5)
    values[0, 0] = 0
    drawn = mesh(plotting.surface(field(values)))
    assert isinstance(drawn.norm, LogNorm)
    assert drawn.norm(0) == 0


def test_a_map_without_any_value_has_no_colour_bar() -> None:
    ax = plotting.surface(field(np.full((4, 5), np.nan), "ricci_scalar"))
    assert not ax.child_axes


def test_a_path_out_of_view_is_not_in_the_legend() -> None:
    far = path().assign({name: path()[name] + 100 for name in ("mu", "sigma")})
    assert plotting.panel(grid(), path())[0].figure.legends
    assert not plotting.panel(grid(), far)[0].figure.legends


@pytest.mark.parametrize("size", [0.3, 100, 1000, 1e6])
def test_the_labels_of_a_panel_are_inside_the_figure_whatever_the_range(size: float) -> None:
    axes = plotting.panel(grid().assign_coords(mu=size * grid()["mu"], sigma=-size * grid()["sigma"]))
    figure = axes[0].figure
    figure.canvas.draw()
    assert min(ax.yaxis.label.get_window_extent().x0 for ax in axes if ax.get_ylabel()) >= 0


def test_a_long_path_through_a_narrow_view_is_drawn_at_once() -> None:
    narrow = grid().assign_coords({name: 3 + 1e-9 * grid()[name] for name in ("mu", "sigma")})
    assert len(plotting.panel(narrow, path()))


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plotting.surface(grid()), "da must be a DataArray, got Dataset"),
        (lambda: plotting.surface(positive(), path=3), "path must be a Dataset or NoneType, got int"),
        (lambda: plotting.panel(positive()), "ds must be a Dataset, got DataArray"),
    ],
    ids=["surface", "path", "panel"],
)
def test_what_cannot_be_drawn_is_named(draw: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        draw()


@pytest.mark.parametrize("values", [np.arange(-3.0, 17.0), np.full(20, -1.0), np.full(20, 0.5), np.zeros(20)])
def test_the_scale_of_curvature_is_logarithmic_and_symmetric_about_zero(values: np.ndarray) -> None:
    norm = mesh(plotting.surface(field(values.reshape(4, 5), "ricci_scalar"))).norm
    assert isinstance(norm, SymLogNorm)
    assert norm.vmin == -norm.vmax
    assert norm(0) == pytest.approx(0.5)


def test_a_signed_component_has_a_diverging_map() -> None:
    signed, unsigned = mesh(plotting.surface(positive() - 10)), mesh(plotting.surface(positive()))
    assert isinstance(signed.norm, SymLogNorm)
    assert signed.get_cmap().name != unsigned.get_cmap().name


@pytest.mark.parametrize("largest", [1.0, 47.0, 1541.7, 3e9])
def test_a_symmetric_colour_bar_has_at_most_seven_ticks_inside_its_range(largest: float) -> None:
    values = largest * np.geomspace(1e-7, 1, 20).reshape(4, 5)
    ticks = bar(plotting.surface(field(-values, "ricci_scalar"))).get_yticks()
    assert 3 <= len(ticks) <= 7
    assert np.abs(ticks).max() <= largest
    np.testing.assert_allclose(ticks, -ticks[::-1])


def test_cells_without_a_value_are_masked_and_hatched() -> None:
    ax = plotting.surface(grid()["ricci_scalar"])
    np.testing.assert_array_equal(np.ma.getmaskarray(mesh(ax).get_array()), np.isnan(grid()["ricci_scalar"].values.T))
    assert ax.patch.get_hatch()


def test_a_map_without_gaps_is_not_hatched() -> None:
    assert not plotting.surface(positive()).patch.get_hatch()


def test_a_map_of_nothing_but_gaps_is_drawn() -> None:
    assert plotting.surface(field(np.full((4, 5), np.nan), "ricci_scalar")).patch.get_hatch()


def test_a_path_is_drawn_from_its_start_to_its_end_with_fewer_points_than_steps() -> None:
    ax = plotting.surface(positive(), path=path())
    line, dots, start, end = (artist.get_xydata() for artist in ax.lines)
    assert len(dots) < len(line) < STEPS
    for drawn in (line, dots):
        np.testing.assert_array_equal(drawn[[0, -1]], [[0, 1], [2, 2]])
    assert (start.tolist(), end.tolist()) == ([[0, 1]], [[2, 2]])


def test_a_path_leaves_the_limits_of_the_map_alone() -> None:
    ax = plotting.surface(positive(), path=path() * 10)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1.5, 2.5), (-0.5, 4.5))


def test_a_path_of_a_few_steps_keeps_them_all() -> None:
    ax = plotting.surface(positive(), path=path(5))
    assert len(ax.lines[0].get_xydata()) == 6


def test_a_path_that_never_moves_is_one_point() -> None:
    still = path(3).map(np.zeros_like)
    assert len(plotting.surface(positive(), path=still).lines[0].get_xydata()) <= 2


def test_a_map_of_one_dimension_raises() -> None:
    with pytest.raises(ValueError, match=r"da must have two dimensions, got \('mu',\)"):
        plotting.surface(positive()[:, 0])


def test_a_path_without_the_parameters_raises() -> None:
    with pytest.raises(ValueError, match="path must hold mu and sigma, got"):
        plotting.surface(positive(), path=path().drop_vars("sigma"))


def test_no_maps_raise() -> None:
    with pytest.raises(ValueError, match="arrays must hold at least one map"):
        plotting.panel(xr.Dataset())


def test_a_map_is_drawn_on_the_axes_given() -> None:
    _, ax = plt.subplots()
    assert plotting.surface(positive(), ax=ax) is ax
    assert len(plt.get_fignums()) == 1


def test_a_panel_shows_components_traces_and_curvature() -> None:
    axes = plotting.panel(grid(), path())
    assert [ax.get_title() for ax in axes] == ["$I_{11}$", "$I_{12}$", "$I_{22}$", *[r"$\mathrm{tr}\,I$"] * 2, "$R$"]
    assert [float(mesh(ax).get_array()[0, 0]) for ax in axes[:3]] == [2, 1, 3]
    assert all(len(ax.lines) == 4 for ax in axes)


def test_a_panel_leaves_out_what_the_grid_has_not() -> None:
    assert len(plotting.panel(grid().drop_vars(["fisher_trace", "ntk_trace"]))) == 4


def test_a_panel_says_which_loss_fisher_information_and_data() -> None:
    title = plotting.panel(grid())[0].figure.get_suptitle()
    assert title == "$L_{2}$ norm, empirical Fisher information, 7 samples, seed 3"


def test_a_panel_counts_the_points_without_curvature_by_status() -> None:
    assert "hatched: 1 singular" in [text.get_text() for text in plotting.panel(grid())[0].figure.texts]


def test_parameters_label_the_outer_maps_alone() -> None:
    axes = plotting.panel(grid())
    assert [bool(ax.get_ylabel()) for ax in axes] == [True, False, False] * 2
    assert [bool(ax.get_xlabel()) for ax in axes] == [False] * 3 + [True] * 3


@pytest.mark.parametrize("draw", [lambda: plotting.panel(grid(), path()), lambda: plotting.along_path(path())])
def test_every_text_is_at_least_seven_points_high_at_a_page_width_of_seven_inches(draw: object) -> None:
    figure = draw()[0].figure  # type: ignore[operator]
    assert figure.get_figwidth() <= 7.2
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text()) >= 7


def test_quantities_along_a_path_are_drawn_against_the_step() -> None:
    axes = plotting.along_path(path())
    for ax, name in zip(axes, ("fisher_trace", "ntk_trace", "ricci_scalar"), strict=True):
        np.testing.assert_array_equal(ax.lines[0].get_xydata(), np.stack([np.arange(STEPS + 1), path()[name]], axis=1))
    assert axes[-1].get_xlabel() == "step"


def test_curvature_that_is_nowhere_defined_is_said_to_be_missing() -> None:
    ds = path().assign(ricci_scalar=path()["ricci_scalar"] * np.nan)
    assert [text.get_text() for text in plotting.along_path(ds)[-1].texts] == ["no value"]


def test_a_path_without_quantities_raises() -> None:
    with pytest.raises(ValueError, match="ds must hold fisher_trace, ntk_trace or ricci_scalar, got"):
        plotting.along_path(path()[["mu", "sigma"]])


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 3.0]])
def test_every_point_of_a_data_set_is_drawn_in_the_colour_of_its_target(weights: list[float] | None) -> None:
    inputs = np.array([[0.1, 0.2], [0.3, 0.1], [0.4, 0.9]])
    ax = plotting.data_set(inputs, [1, 0, 1], weights=weights)
    ones, zeros = ax.collections
    np.testing.assert_array_equal(ones.get_offsets(), inputs[[0, 2]])
    np.testing.assert_array_equal(zeros.get_offsets(), inputs[[1]])
    assert not np.array_equal(ones.get_facecolor(), zeros.get_facecolor())
    assert ones.get_sizes()[1] / ones.get_sizes()[0] == pytest.approx(3 if weights else 1)


def test_a_trained_output_is_shown_between_zero_and_one() -> None:
    norm = mesh(plotting.output(positive() / 40)).norm
    assert (norm.vmin, norm.vmax) == (0, 1)


def test_descent_and_flow_are_drawn_step_by_step_and_at_equal_times() -> None:
    descent, flow = path(4), path(4).assign(mu=path(4)["mu"] + 0.1)
    flow_line, equal_times, steps, start = (
        line.get_xydata() for line in plotting.descent_and_flow(descent, flow).lines
    )
    np.testing.assert_array_equal(steps, np.stack([descent["mu"], descent["sigma"]], axis=1))
    np.testing.assert_allclose(equal_times, flow_line)
    np.testing.assert_array_equal(start, steps[:1])


def test_descent_and_flow_lie_on_level_lines_of_the_loss() -> None:
    ax = plotting.descent_and_flow(path(4), path(4), loss=positive("loss"))
    assert len(ax.collections) == 1


@pytest.mark.parametrize(
    ("name", "title"),
    [("mean-power-4", "mean power $n = 4$"), ("l2.5", "$L_{2.5}$ norm"), ("cross-entropy", "cross-entropy")],
)
def test_losses_are_named_as_in_a_text(name: str, title: str) -> None:
    assert plotting.loss_title(name) == title


def test_drawing_changes_neither_data_nor_settings() -> None:
    ds, trained, settings = grid(), path(), mpl.rcParams.copy()
    plotting.panel(ds, trained)
    plotting.along_path(trained)
    plotting.descent_and_flow(trained, trained)
    xr.testing.assert_identical(ds, grid())
    xr.testing.assert_identical(trained, path())
    assert mpl.rcParams == settings


# --- Traces through training ------------------------------------------------------------------------------------------


def record(**dims: list[Any]) -> xr.Dataset:
    """Traces over the dimensions given and eleven epochs."""
    shape = [len(values) for values in dims.values()]
    decay = np.exp(-np.arange(11) / 2)
    names = ("fisher_trace", "ntk_trace", "fisher_trace_expected")
    values = {
        name: (k + 1) * decay * np.arange(1, np.prod(shape, dtype=int) + 1)[:, None] for k, name in enumerate(names)
    }
    variables = {
        name: ((*dims, "epoch"), value.reshape(*shape, 11), {"long_name": f"${name[0]}$"})
        for name, value in values.items()
    }
    return xr.Dataset(variables, {**dims, "epoch": np.arange(11)}, {"data": "some digits", "loss": "l2"})


STUDY = {"loss": ["l2", "cross-entropy"], "seed": [0, 1, 2]}


@pytest.mark.parametrize("common", [False, True])
def test_traces_have_a_panel_for_each_loss_and_a_band_for_each_trace(common: bool) -> None:
    axes = plotting.traces(record(**STUDY), common_axis=common)
    figure = axes[0].figure
    assert [ax.get_title() for ax in axes] == ["$L_{2}$ norm", "cross-entropy"]
    assert len(figure.axes) == (2 if common else 4)
    assert sum(len(ax.collections) for ax in figure.axes) == 4
    assert figure.get_suptitle() == "some digits, 3 runs"
    assert len(figure.legends[0].get_texts()) == 2


@pytest.mark.parametrize("power", [0.5, 1.0], ids=["linear", "logarithmic"])
def test_the_band_is_one_standard_deviation_about_the_mean_both_geometric_on_logarithmic_axes(power: float) -> None:
    ds = record(**STUDY).sel(loss=["l2"]) ** power
    (ax,) = plotting.traces(ds)
    (band,), (line,) = ax.collections, ax.lines
    values = ds.fisher_trace.values[0]
    if ax.get_yscale() == "log":
        mean, factor = scipy.stats.gmean(values, axis=0), scipy.stats.gstd(values, axis=0)
        low, high = mean / factor, mean * factor
    else:
        mean, deviation = values.mean(axis=0), values.std(axis=0, ddof=1)
        low, high = mean - deviation, mean + deviation
    assert ax.get_yscale() == ("linear" if power < 1 else "log")
    np.testing.assert_allclose(line.get_ydata(), mean, rtol=1e-12)

    # A band is one polygon: its lower edge, and its upper one backwards, with corners doubled at the ends.
    drawn = {tuple(vertex) for vertex in band.get_paths()[0].vertices.round(12).tolist()}
    for edge in (low, high):
        assert drawn >= set(zip(ds.epoch.values.tolist(), edge.round(12).tolist(), strict=True))


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        (["l2"], "shaded: one geometric standard deviation about the geometric mean"),
        (["flat"], "shaded: one standard deviation about the mean"),
        (["l2", "flat"], "shaded: one standard deviation about the mean; on logarithmic axes both are geometric"),
    ],
    ids=["logarithmic", "linear", "both"],
)
def test_the_figure_says_what_is_shaded(losses: list[str], said: str) -> None:
    ds = record(loss=["l2", "flat"], seed=[0, 1, 2])
    ds = xr.where(ds.loss == "flat", ds**0.1, ds, keep_attrs=True)
    figure = plotting.traces(ds.sel(loss=losses))[0].figure
    assert said in [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("common", [False, True])
def test_bands_lie_within_the_axes(common: bool) -> None:
    for ax in plotting.traces(record(**STUDY), common_axis=common)[0].figure.axes:
        for band in ax.collections:
            values = band.get_paths()[0].vertices[:, 1]
            assert ax.get_ylim()[0] <= values.min() <= values.max() <= ax.get_ylim()[1]


@pytest.mark.parametrize("coordinates", [{}, {"seed": [0, 1]}], ids=["one run", "two"])
def test_a_single_epoch_is_a_mark(coordinates: dict[str, list[int]]) -> None:
    ds = record(**coordinates).isel(epoch=slice(3, 4))
    ended = record(**coordinates).where(lambda one: one.epoch < 1)  # by divergence
    for one in (ds, ended):
        for ax in plotting.traces(one)[0].figure.axes:
            (line,) = ax.lines
            assert line.get_marker() == "o"
            assert len(ax.collections) == len(coordinates)


def test_both_traces_of_a_panel_have_the_same_kind_of_scale() -> None:
    ds = record(**STUDY)
    ds["ntk_trace"] = ds["ntk_trace"] ** 0.1  # less than a decade beside two
    left, right = plotting.traces(ds)[0].figure.axes[0::2]
    assert {left.get_yscale(), right.get_yscale()} == {"log"}
    spans = [np.ptp(np.log10(ax.get_ylim())) for ax in (left, right)]
    assert spans[0] == pytest.approx(spans[1])


@pytest.mark.parametrize("ds", [record(), record(loss=["l2"], seed=[0, 1])], ids=["one run", "two"])
def test_the_title_of_a_single_panel_fits_the_figure(ds: xr.Dataset) -> None:
    figure = plotting.traces(ds)[0].figure
    figure.canvas.draw()
    (title,) = (text for text in figure.texts if "some digits" in text.get_text())
    extent = title.get_window_extent()
    assert extent.x0 >= 0
    assert extent.x1 <= figure.bbox.width


def test_diverged_runs_are_counted_in_the_title() -> None:
    ds = record(**STUDY)
    ds["status"] = (("loss", "seed"), [[0, 0, 1], [0, 0, 0]])
    assert plotting.traces(ds)[0].figure.get_suptitle().endswith(", 3 runs, 1 diverged")


def test_a_single_run_is_drawn_without_a_band() -> None:
    (ax,) = plotting.traces(record())
    assert not ax.collections
    assert ax.get_yscale() == "log"  # e^−5 is more than a decade away


@pytest.mark.parametrize(
    ("ds", "message"),
    [
        (record(width=[16, 32]), r"ds must hold one width, choose by ds.sel\(width=…\), got \[16, 32\]"),
        (record().drop_vars("ntk_trace"), "ds must hold fisher_trace and ntk_trace along epoch"),
        (record().isel(epoch=0), "ds must hold fisher_trace and ntk_trace along epoch"),
    ],
    ids=["widths", "trace", "epoch"],
)
def test_what_is_no_record_of_traces_is_named(ds: xr.Dataset, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plotting.traces(ds)


# --- Laws and ellipses ------------------------------------------------------------------------------------------------


def points(g: list[list[list[float]]], centres: list[list[float]]) -> xr.Dataset:
    """A Dataset laid out like one of infogeom.grid.evaluate_points."""
    mu, sigma = (("point", list(column)) for column in zip(*centres, strict=True))
    metric = (("point", "i", "j"), np.array(g, dtype=float))
    return xr.Dataset({"metric": metric}, {"mu": mu, "sigma": sigma, "i": ["mu", "sigma"], "j": ["mu", "sigma"]})


def rings(ax: Axes) -> list[np.ndarray]:
    (found,) = (artist for artist in ax.collections if isinstance(artist, PolyCollection))
    return [path.vertices for path in found.get_paths()]


def test_every_corner_of_an_ellipse_is_at_its_radius() -> None:
    g, centres = [[[4.0, 1.0], [1.0, 0.5]], [[1.0, 0.0], [0.0, 9.0]]], [[1.0, 2.0], [-3.0, 0.5]]
    found = rings(plotting.ellipses(points(g, centres), radius=0.3))
    assert len(found) == 2
    for ring, matrix, centre in zip(found, g, centres, strict=True):
        v = ring - centre
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", v, matrix, v), 0.09, rtol=1e-12)
        assert np.ptp(np.arctan2(v[:, 1], v[:, 0])) > 6  # all around


def test_points_without_a_positive_metric_have_no_ellipse() -> None:
    g = [[[1.0, 0.0], [0.0, -1.0]], [[np.nan] * 2] * 2, [[1.0, 1.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]]
    with np.errstate(all="raise"):
        found = rings(plotting.ellipses(points(g, [[0.0, 0.0]] * 4), radius=1))
    assert len(found) == 1


def test_ellipses_leave_the_limits_of_a_map_alone() -> None:
    ax = plotting.surface(positive())
    limits = ax.get_xlim(), ax.get_ylim()
    plotting.ellipses(points([[[1e-6, 0.0], [0.0, 1e-6]]], [[0.0, 1.0]]), radius=1, ax=ax)
    ax.figure.canvas.draw()
    assert (ax.get_xlim(), ax.get_ylim()) == limits


@pytest.mark.parametrize(
    ("ds", "radius", "message"),
    [
        (points([[[1.0, 0.0], [0.0, 1.0]]], [[0.0, 1.0]]), 0, "radius must be positive, got 0"),
        (grid(), 1, "ds must hold the metric of two parameters at points"),
        (path(), 1, "ds must hold the metric of two parameters at points"),
    ],
    ids=["radius", "grid", "path"],
)
def test_ellipses_without_a_radius_or_a_metric_are_refused(ds: xr.Dataset, radius: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plotting.ellipses(ds, radius=radius)


def binomials(x: np.ndarray) -> xr.DataArray:
    values = np.arange(2.0 * len(x)).reshape(2, -1)
    coordinates = {"p": ("p", [0.2, 0.5], {"long_name": "$p$"}), "x": ("x", x, {"long_name": "$x$"})}
    return xr.DataArray(values, coordinates, ("p", "x"), attrs={"long_name": "$f$"})


def test_laws_are_told_apart_by_their_parameter() -> None:
    ax = plotting.laws(binomials(np.arange(4)))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["$p = 0.2$", "$p = 0.5$"]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$f$")


def test_only_discrete_laws_are_points() -> None:
    markers = [
        {line.get_marker() for line in plotting.laws(binomials(x)).lines} for x in (np.arange(4), np.arange(4.0))
    ]
    assert markers == [{"o", "s"}, {"None"}]


def test_samples_lie_below_their_law_in_its_colour_with_an_arrow_over_their_spread() -> None:
    draws = xr.DataArray([[1.0, 3.0, 2.0], [0.0, 0.5, 1.0]], {"p": [0.2, 0.5]}, ("p", "draw"))
    ax = plotting.laws(binomials(np.arange(4.0)), samples=draws)
    first, second = (line for line in ax.lines if line.get_marker() == "o")
    assert (first.get_xdata().tolist(), second.get_xdata().tolist()) == ([1, 3, 2], [0, 0.5, 1])
    assert max(*first.get_ydata(), *second.get_ydata()) < 0
    assert [line.get_color() for line in (first, second)] == [line.get_color() for line in ax.lines[:2]]
    assert [(text.xy[0], text.xyann[0]) for text in ax.texts] == [(3, 1), (1, 0)]


def test_samples_of_other_laws_are_refused() -> None:
    with pytest.raises(ValueError, match="samples must have a row for each p, got"):
        plotting.laws(binomials(np.arange(4)), samples=xr.DataArray([[1.0]], dims=("p", "draw")))


def at_points() -> xr.DataArray:
    places = {"mu": ("point", [0.0, 4.0]), "sigma": ("point", [1.0, 2.0])}
    return xr.DataArray([[0.0, 2.0, 0.0], [0.0, 1.0, 0.0]], {**places, "x": [-1.0, 0.0, 1.0]}, ("point", "x"))


def test_small_laws_stand_over_their_points_to_one_scale_whatever_the_limits() -> None:
    ax = plotting.laws_at_points(at_points())
    ax.set(xlim=(-5, 20), ylim=(0, 3))
    curves = [line for line in ax.lines if len(line.get_xdata()) == 3]
    places = ax.transData.transform([[0.0, 1.0], [4.0, 2.0]])
    drawn = [curve.get_transform().transform(np.stack(curve.get_data(), axis=-1)) for curve in curves]
    np.testing.assert_allclose([curve[1, 0] for curve in drawn], places[:, 0])
    assert all(curve[0, 1] > place[1] for curve, place in zip(drawn, places, strict=True))
    first, second = (curve[1, 1] - curve[0, 1] for curve in drawn)
    assert first == pytest.approx(2 * second)


def test_laws_without_a_place_are_refused() -> None:
    with pytest.raises(ValueError, match="da must run over points with two coordinates"):
        plotting.laws_at_points(at_points().drop_vars("mu"))


def test_curvature_that_keeps_its_sign_within_two_decades_has_a_plain_scale() -> None:
    norm = mesh(plotting.surface(field(-np.linspace(0.5, 1, 20).reshape(4, 5), "ricci_scalar"))).norm
    assert (type(norm), norm.vmin, norm.vmax) == (Normalize, -1, -0.5)


@pytest.mark.parametrize(("norm", "diverging"), [(Normalize(-30, 30), True), (LogNorm(1, 30), False)])
def test_a_given_scale_is_taken(norm: Normalize, diverging: bool) -> None:
    drawn = mesh(plotting.surfaces([positive()], norms=[norm])[0])
    assert drawn.norm is norm
    assert (drawn.get_cmap().name == "RdBu_r") is diverging


def test_a_short_logarithmic_bar_has_several_ticks() -> None:
    ax = plotting.surface(positive(), norm=LogNorm(1, 20))
    ax.figure.canvas.draw()
    labels = [text.get_text() for text in bar(ax).yaxis.get_majorticklabels()]
    assert {"1", "2", "5", "10"} <= set(labels)


def test_maps_of_different_parameters_keep_their_own_labels() -> None:
    other = positive().rename({"mu": "alpha"})
    other["alpha"].attrs["long_name"] = r"$\alpha$"
    assert [ax.get_ylabel() != "" for ax in plotting.surfaces([positive(), positive()])] == [True, False]
    axes = plotting.surfaces([positive(), other, *[positive()] * 2])
    assert [ax.get_xlabel() for ax in axes] == [r"$\mu$", r"$\alpha$", r"$\mu$", r"$\mu$"]
    assert all(ax.get_ylabel() for ax in axes)
