"""The cross-check against EinsteinPy and sympy.diffgeom, and with it the closed forms and kernels it checks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
import xarray as xr
from sympy import Rational

import infogeom as ig
from infogeom import einstein
from infogeom.einstein import Comparison, compare
from infogeom.kernels.curvature.textbook import TENSORS
from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.symbolic import Metric

pytestmark = pytest.mark.timeout(180)

ROUTES = {(ours, theirs) for ours in ("kernel", "symbolic") for theirs in ("EinsteinPy", "sympy.diffgeom")}


def routes(table: Comparison) -> set[tuple[str, str]]:
    return {(row.ours, row.theirs) for row in table.rows}


def values(table: Comparison, quantity: str) -> set[float]:
    return {row.value for row in table.rows if row.quantity == quantity}


def network(loss: Loss, *, columns: int = 2) -> ig.models.Model:
    x = np.random.default_rng(11).random((12, columns))
    return ig.models.sigmoid_neuron(x, (x[:, 1] > x[:, 0]).astype(int), loss)


def categorical() -> Metric:
    """Three categories with probabilities p, q and 1 − p − q."""
    p, q = sympy.symbols("p q", positive=True)
    rest = 1 / (1 - p - q)
    return Metric([p, q], sympy.Matrix([[1 / p + rest, rest], [rest, 1 / q + rest]]))


def schwarzschild() -> Metric:
    t, r, theta, phi = sympy.symbols("t r theta phi", real=True)
    f = 1 - 2 / r
    return Metric([t, r, theta, phi], sympy.diag(-f, 1 / f, r**2, r**2 * sympy.sin(theta) ** 2))


# --- Agreement --------------------------------------------------------------------------------------------------------


def test_normal_law_agrees_by_every_route_and_has_ricci_scalar_minus_one() -> None:
    table = compare(ig.models.normal(), [(Rational(1, 3), Rational(5, 7)), (0.3, 2.0)])
    assert table.agree, table
    assert routes(table) == ROUTES
    assert values(table, "ricci_scalar") == {-1.0}


@pytest.mark.slow
def test_routes_in_exact_arithmetic_differ_by_nothing_at_a_rational_point() -> None:
    table = compare(categorical(), [(Rational(1, 5), Rational(1, 7))])
    assert {row.difference for row in table.rows if row.ours == "symbolic"} == {0.0}


@pytest.mark.slow
def test_three_categories_agree_and_have_ricci_scalar_one_half() -> None:
    # The simplex is a part of a sphere of radius 2: R = n (n − 1) / 4 for n + 1 categories.
    table = compare(categorical(), [(0.2, 0.3)])
    assert table.agree, table
    assert values(table, "ricci_scalar") == {0.5}


def test_schwarzschild_agrees_and_is_ricci_flat_but_not_flat() -> None:
    table = compare(schwarzschild(), [(0, 7, Rational(1, 2), 1)])
    assert table.agree, table
    assert routes(table) == ROUTES
    assert max(map(abs, values(table, "ricci"))) < 1e-35  # sin(1/2) enters with 40 digits
    assert max(map(abs, values(table, "riemann"))) > 0.1


def test_de_sitter_space_agrees_and_has_ricci_scalar_twelve() -> None:
    t, x, y, z = sympy.symbols("t x y z", real=True)
    table = compare(Metric([t, x, y, z], sympy.diag(-1, *[sympy.exp(2 * t)] * 3)), [(Rational(1, 3), 0, 1, 2)])
    assert table.agree, table
    assert values(table, "ricci_scalar") == {12.0}


@pytest.mark.slow
def test_anti_de_sitter_space_agrees_and_has_ricci_scalar_minus_twelve() -> None:
    t, r, theta, phi = sympy.symbols("t r theta phi", real=True)
    sphere = sympy.sinh(r) ** 2
    g = sympy.diag(-(sympy.cosh(r) ** 2), 1, sphere, sphere * sympy.sin(theta) ** 2)
    table = compare(Metric([t, r, theta, phi], g), [(0, Rational(1, 2), 1, 0)])
    assert table.agree, table
    assert values(table, "ricci_scalar") == {-12.0}


def test_a_metric_whose_diagonal_vanishes_agrees() -> None:
    u, v = sympy.symbols("u v", real=True)
    table = compare(Metric([u, v], sympy.Matrix([[0, 1 + v**2], [1 + v**2, u * v]])), [(0, 1), (Rational(1, 3), 0.5)])
    assert table.agree, table


def test_one_parameter_agrees_and_is_flat() -> None:
    table = compare(ig.models.binomial(5), [(Rational(1, 3),)])
    assert table.agree, table
    assert values(table, "riemann") == {0.0}


@pytest.mark.parametrize(
    "loss",
    [LpNorm(2), *(pytest.param(loss, marks=pytest.mark.slow) for loss in (CrossEntropy(), MeanPower(2)))],
    ids=lambda loss: loss.name,
)
def test_network_agrees_by_its_jet(loss: Loss) -> None:
    table = compare(network(loss), [(0.5, Rational(1, 3))])
    assert table.agree, table
    assert routes(table) == {("kernel", "EinsteinPy"), ("kernel", "sympy.diffgeom")}


@pytest.mark.slow
def test_network_of_three_parameters_agrees_by_its_jet() -> None:
    table = compare(network(CrossEntropy(), columns=3), [(0.5, -0.25, 0.125)])
    assert table.agree, table
    assert routes(table) == {("kernel", "EinsteinPy")}


@pytest.mark.slow
def test_a_network_written_out_agrees_by_its_closed_form() -> None:
    model = ig.models.sigmoid_neuron([[0.25, 0.75], [0.5, 0.125]], [1, 0], CrossEntropy())
    table = compare(ig.symbolic.metric(model).expand(), [(0.5, Rational(1, 3))])
    assert table.agree, table
    assert routes(table) == ROUTES


def test_fractions_and_numpy_scalars_are_points() -> None:
    assert compare(ig.models.normal(), [(Fraction(1, 3), np.float32(1.5)), (np.int64(2), sympy.sqrt(2))]).agree


# --- Disagreement -----------------------------------------------------------------------------------------------------


@pytest.fixture
def spoilt(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, float], Comparison]:
    """Comparison in which the kernel's values of one quantity are off by a factor."""

    def comparison(quantity: str, factor: float) -> Comparison:
        def evaluate_points(*arguments: Any) -> xr.Dataset:
            dataset = ig.grid.evaluate_points(*arguments)
            return dataset.assign({quantity: dataset[quantity] * factor})

        monkeypatch.setattr(einstein, "evaluate_points", evaluate_points)
        return compare(ig.models.normal(), [(0.3, 2.0)])

    return comparison


@pytest.mark.parametrize("quantity", TENSORS)
def test_a_kernel_off_in_its_twelfth_digit_disagrees(quantity: str, spoilt: Callable[..., Comparison]) -> None:
    table = spoilt(quantity, 1 + 1e-12)
    assert not table.agree
    assert {(row.quantity, row.ours) for row in table.rows if not row.agree} == {(quantity, "kernel")}


def test_an_undefined_value_disagrees(spoilt: Callable[..., Comparison]) -> None:
    assert not spoilt("ricci", float("nan")).agree


def test_a_closed_form_of_the_wrong_sign_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(einstein, "ricci_scalar", lambda metric: -ig.symbolic.ricci_scalar(metric))
    table = compare(ig.models.normal(), [(0.3, 2.0)])
    assert {(row.quantity, row.ours) for row in table.rows if not row.agree} == {("ricci_scalar", "symbolic")}


# --- The table --------------------------------------------------------------------------------------------------------


def test_the_table_prints_a_heading_and_one_line_per_row() -> None:
    row = einstein.Row((0.5, 2.0), "ricci", "kernel", "EinsteinPy", -1.0, 2e-16, 1e-13, 3.0)
    heading, line = repr(Comparison(("mu", "sigma"), (row,))).splitlines()
    names = ["quantity", "ours", "theirs", "value", "difference", "tolerance", "scale", "agree"]
    assert heading.split() == ["mu,", "sigma", *names]
    assert line.split() == ["0.5,", "2", "ricci", "kernel", "EinsteinPy", "-1", "2.0e-16", "1.0e-13", "3.0e+00", "yes"]


def test_the_table_shows_as_html_in_a_notebook() -> None:
    row = einstein.Row((0.5,), "ricci", "kernel", "EinsteinPy", -1.0, 2e-10, 1e-13, 3.0)
    text = Comparison(("p",), (row,))._repr_html_()
    assert text.count("<tr>") == 2
    assert "<td>NO</td>" in text


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        ([0.3, 2.0], ValueError, r"points must have shape \(m, 2\) with m at least 1, got \(2,\)"),
        ([[0.3, 2.0, 1.0]], ValueError, r"points must have shape \(m, 2\) with m at least 1, got \(1, 3\)"),
        (np.empty((0, 2)), ValueError, r"points must have shape \(m, 2\) with m at least 1, got \(0, 2\)"),
        ([[0.3, 2.0], [0.3]], ValueError, r"points must have shape \(m, 2\)"),
        ([[0.3, float("nan")]], ValueError, r"points must be real and finite, got nan at index \(0, 1\)"),
        ([[float("-inf"), 1.0]], ValueError, r"points must be real and finite, got -inf at index \(0, 0\)"),
        ([[0.3, 2.0], [1j, 1.0]], ValueError, r"points must be real and finite, got 1j at index \(1, 0\)"),
        ([["0.3", 1.0]], TypeError, r"points must hold real numbers, got '0.3' at index \(0, 0\)"),
        ([[True, 1.0]], TypeError, r"points must hold real numbers, got True at index \(0, 0\)"),
        ([[0.3, sympy.Symbol("s")]], TypeError, r"points must hold real numbers, got s at index \(0, 1\)"),
        ([[0.3, -2.0]], ValueError, r"points: 'sigma' must lie in Interval.open\(0, oo\), got -2"),
        ([[0.3, 0]], ValueError, r"points: 'sigma' must lie in Interval.open\(0, oo\), got 0"),
    ],
)
def test_a_point_that_is_none_is_refused_by_name(points: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        compare(ig.models.normal(), points)


def test_a_point_on_the_horizon_is_refused() -> None:
    with pytest.raises(ValueError, match=r"metric must be real and finite, got zoo at t = 0, r = 2,"):
        compare(schwarzschild(), [(0, 2, 1, 0)])


def test_a_point_where_coordinates_break_down_is_refused() -> None:
    with pytest.raises(ValueError, match="metric is singular at t = 0, r = 3, theta = 0,"):
        compare(schwarzschild(), [(0, 3, 0, 0)])


def test_a_network_with_one_sample_is_refused_as_singular() -> None:
    model = ig.models.sigmoid_neuron([[0.3, 0.7]], [1], CrossEntropy())
    with pytest.raises(ValueError, match=r"metric is singular at theta1 = 0\.5, theta2 = 0.25,"):
        compare(model, [(0.5, 0.25)])


def test_a_metric_with_a_constant_that_has_no_value_is_refused() -> None:
    with pytest.raises(ValueError, match=r"constants \['n'\] of the metric need numbers"):
        compare(ig.models.binomial(sympy.Symbol("n", positive=True, integer=True)), [(0.3,)])


def test_a_metric_without_a_closed_form_is_refused() -> None:
    with pytest.raises(TypeError, match="must have a closed form, and this metric is an expectation that does not"):
        compare(ig.models.skew_normal(), [[0, 1, 1]])


def test_what_is_neither_model_nor_metric_is_refused() -> None:
    with pytest.raises(TypeError, match="model_or_metric must be a Model or a Metric, got str"):
        compare("normal", [(0.3, 2.0)])  # type: ignore[arg-type]


def test_without_einsteinpy_the_import_names_the_extra() -> None:
    code = "import sys; sys.modules['einsteinpy'] = None; import infogeom.einstein"
    run = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert "ImportError: infogeom.einstein needs EinsteinPy: pip install 'infogeom[einstein]'" in run.stderr
