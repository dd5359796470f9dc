"""Metrics of equations of state: the van der Waals gas against its closed form, and what is unphysical."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom.kernels.status import Status
from infogeom.symbolic import Metric, thermodynamic_metric

T, v, w = sympy.symbols("T v w", positive=True)
a, b, c = sympy.symbols("a b c_v", positive=True)
VAN_DER_WAALS = -T * sympy.log(v - b) - a / v - c * T * sympy.log(T)
QUANTITIES = ["metric", "ricci_scalar"]


def gas() -> Metric:
    return thermodynamic_metric(VAN_DER_WAALS, T, v, constraints=[v - b]).with_constants(a=1, b=1, c_v=1.5)


def curvature(t: Any, x: Any) -> Any:
    """SCIENCE.md, section 6, with a = b = 1 and c_v = 3/2."""
    return 2 * (x - 1) ** 2 * (t * x**3 - (x - 1) ** 2) / (1.5 * (t * x**3 - 2 * (x - 1) ** 2) ** 2)


def test_the_van_der_waals_gas_has_its_curvature_and_says_where_it_is_unphysical() -> None:
    axes = {"T": np.linspace(0.1, 0.5, 23), "v": np.linspace(0.45, 8, 31)}
    with pytest.warns(ig.grid.StatusWarning, match="unphysical"):
        ds = ig.evaluate(gas(), axes, QUANTITIES)
    t, x = np.meshgrid(*axes.values(), indexing="ij")
    outside, inside = x <= 1, (x > 1) & (t * x**3 < 2 * (x - 1) ** 2)
    assert (ds.status.values[outside] == Status.OUT_OF_DOMAIN).all()
    assert (ds.status.values[inside] == Status.UNPHYSICAL).all()
    assert set(ds.status.values[~inside & ~outside].tolist()) <= {Status.OK, Status.REFINED}
    np.testing.assert_allclose(ds.ricci_scalar.values[~outside], curvature(t, x)[~outside], rtol=1e-9)
    assert (ds.metric.values[inside][:, 1, 1] < 0).all()


def test_the_curvature_diverges_on_the_spinodal_where_the_metric_is_singular() -> None:
    distances = 2.0 ** -np.arange(10, 26, 3)
    points = np.column_stack([0.25 + distances, np.full(len(distances), 2.0)])
    R = ig.evaluate_points(gas(), points, QUANTITIES).ricci_scalar.values
    np.testing.assert_allclose(R, curvature(points[:, 0], 2.0), rtol=1e-9)
    np.testing.assert_allclose(R[1:] / R[:-1], 64, rtol=0.01)
    with pytest.warns(ig.grid.StatusWarning, match="singular"):
        assert ig.evaluate_points(gas(), [[0.25, 2.0]], QUANTITIES).status.item() == Status.SINGULAR


def test_an_ideal_gas_is_flat() -> None:
    ideal = thermodynamic_metric(VAN_DER_WAALS.subs({a: 0, b: 0, c: 1}), T, v)
    assert ideal.ricci_scalar() == 0


def test_several_densities_have_a_block_of_their_own() -> None:
    f = T * (sympy.log(v) * v + sympy.log(w) * w - sympy.log(T)) + v * w
    g = thermodynamic_metric(f, T, [v, w])
    assert g.matrix == sympy.Matrix([[T**-2, 0, 0], [0, 1 / v, 1 / T], [0, 1 / T, 1 / w]])
    assert ig.evaluate_points(g, [[2.0, 1.0, 1.0]], QUANTITIES).status.item() == Status.OK
    with pytest.warns(ig.grid.StatusWarning, match="1 unphysical"):
        assert ig.evaluate_points(g, [[1.0, 1.5, 1.0]], QUANTITIES).status.item() == Status.UNPHYSICAL


def test_an_indefinite_metric_that_is_none_of_states_stays_regular() -> None:
    assert ig.evaluate_points(Metric([T, v], sympy.diag(-1, v)), [[1.0, 1.0]], QUANTITIES).status.item() == Status.OK


def test_independent_routes_agree_on_either_side_of_the_spinodal() -> None:
    assert ig.verify(gas(), [[0.4, 3.0], [0.2, 3.0]]).agree


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((VAN_DER_WAALS, "T", v), TypeError, "temperature must be a Symbol declared positive"),
        ((VAN_DER_WAALS, sympy.Symbol("T", real=True), v), TypeError, "temperature must be"),
        ((VAN_DER_WAALS, T, 3), TypeError, "densities must be a sequence of Symbol"),
        ((VAN_DER_WAALS, T, [v, v]), ValueError, "densities must differ"),
        ((VAN_DER_WAALS, T, []), ValueError, "densities must be at least one"),
        ((VAN_DER_WAALS, T, [v, w]), ValueError, r"without \['w'\]"),
        (("T*v", T, v), TypeError, "free_energy"),
    ],
)
def test_bad_arguments_are_named(arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        thermodynamic_metric(*arguments)
