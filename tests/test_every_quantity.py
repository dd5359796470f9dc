"""Every quantity is right to rtol or flagged, each by itself: bounds, refinement, statuses; and on what it depends."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom.kernels.status import Status
from infogeom.quantities import QUANTITIES
from infogeom.symbolic import Metric

u, v = sympy.symbols("u v", real=True)
t, r, theta, phi = sympy.symbols("t r theta phi", real=True)
SCHWARZSCHILD = Metric(
    [t, r, theta, phi], sympy.diag(-(1 - 2 / r), 1 / (1 - 2 / r), r**2, r**2 * sympy.sin(theta) ** 2)
)
FLAT = Metric([r, theta, phi], sympy.diag(1, r**2, r**2 * sympy.sin(theta) ** 2))
EPS = float(np.finfo(float).eps)


def at(model: Any, point: list[float], *quantities: str, **accuracy: Any) -> Any:
    return ig.grid.evaluate_points(model, [point], quantities, **accuracy).isel(point=0)


def truncated_exponential() -> ig.Metric:
    """Of exponential laws on the unit interval, as it is typed."""
    rate = sympy.Symbol("rate", positive=True)
    return ig.Metric([rate], [[rate**-2 - sympy.exp(rate) / (sympy.exp(rate) - 1) ** 2]])


# --- Each by its own need ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [3e-4, 1e-7, 1e-11])
def test_a_law_of_one_parameter_is_refined(rate: float) -> None:
    ds = at(truncated_exponential(), [rate], "metric", "christoffel", "metric_error")
    assert ds.status == Status.REFINED
    # 1/12 − rate²/240 + …, and half the logarithmic derivative of it.
    assert ds.metric.item() == pytest.approx(1 / 12 - rate**2 / 240, rel=1e-15)
    assert ds.christoffel.item() == pytest.approx(-rate / 20, rel=1e-7)


@pytest.mark.parametrize("quantity", ["metric", "inverse_metric", "determinant", "christoffel", "riemann", "ricci"])
def test_a_quantity_alone_is_as_good_as_beside_all_others(quantity: str) -> None:
    law, names = ig.models.student_t(), ["metric", "inverse_metric", "determinant", "christoffel", "riemann", "ricci"]
    for degrees in (3e4, 2e6, 7e7):
        alone, beside = at(law, [0.3, 2.0, degrees], quantity), at(law, [0.3, 2.0, degrees], *names)
        size = np.abs(beside[quantity]).max()
        assert float(np.abs(alone[quantity] - beside[quantity]).max()) <= 2e-9 * size
        assert beside.status == Status.REFINED


def test_an_information_of_a_student_law_far_out_is_that_of_its_series() -> None:
    # 7/(2ν⁴) − 13/ν⁵ + …, by the expansion of ψ′(ν/2) − ψ′((ν + 1)/2).
    nu = 4e7
    with mpmath.workdps(60):
        n = mpmath.mpf(nu)
        difference = mpmath.psi(1, n / 2) - mpmath.psi(1, (n + 1) / 2)
        exact = difference / 4 - (n + 5) / (2 * n * (n + 1) * (n + 3))
    assert at(ig.models.student_t(), [0, 1, nu], "metric").metric.values[2, 2] == pytest.approx(float(exact), rel=1e-15)


@pytest.mark.filterwarnings("ignore::infogeom.grid.StatusWarning")
def test_the_error_of_a_quantity_comes_when_named_and_holds() -> None:
    names = [name for name, q in QUANTITIES.items() if not q.read_off and not q.observed]
    points = [[2.5, 0.8], [300.0, 7.0]]
    loose = ig.grid.evaluate_points(ig.models.gamma(), points, names, max_refined=0)
    exact = ig.grid.evaluate_points(ig.models.gamma(), points, names, rtol=EPS)
    assert (exact.status == Status.REFINED).all()
    for error, quantity in ((name, QUANTITIES[name].bounds) for name in names if QUANTITIES[name].bounds):
        assert loose[error].dims == loose[quantity].dims
        assert (np.abs(loose[quantity] - exact[quantity]) <= 2 * loose[error] + exact[error]).all(), quantity


def test_a_network_has_errors_of_its_observables() -> None:
    x, y = ig.models.decision_boundary(20, seed=0)
    network = ig.models.sigmoid_neuron(x, y, ig.losses.CrossEntropy())
    names = ["loss", "loss_error", "ntk_trace", "ntk_trace_error"]
    for quantities in (names, [*names, "metric"]):
        ds = at(network, [0.4, -1.3], *quantities)
        assert 0 < ds.loss_error < 1e-14 * ds.loss
        assert 0 < ds.ntk_trace_error < 1e-13 * ds.ntk_trace


def test_an_error_of_a_missing_observable_is_refused() -> None:
    with pytest.raises(TypeError, match="loss_error"):
        at(ig.models.normal(), [0, 1], "loss_error")


def test_statuses_are_judged_by_what_was_asked() -> None:
    point = [0.0, 1.0, 3e4]
    assert at(ig.models.student_t(), point, "fisher_trace").status == Status.OK
    assert at(ig.models.student_t(), point, "determinant").status == Status.REFINED


def test_riemann_is_antisymmetric_to_the_last_bit() -> None:
    points = [[16667863.1, 2.74e-8], [0.3, 5.0]]
    R = ig.grid.evaluate_points(ig.models.weibull(), points, ["riemann"]).riemann.values
    assert (np.einsum("pijkk->pijk", R) == 0).all()
    assert np.array_equal(R, -R.swapaxes(-1, -2))


CONSTANTS = {
    "powers": 2**u + sympy.pi ** (-u),
    "roots": sympy.sqrt(2) * u**2 + (1 + u**2) ** sympy.sqrt(3),
    "exponentials": sympy.exp(sympy.sqrt(2)) + u**2 * sympy.cosh(1) + sympy.log(3),
    "special": sympy.erf(1) + u**2 * sympy.zeta(3) + sympy.EulerGamma,
}


@pytest.mark.parametrize("name", CONSTANTS)
def test_functions_of_constants_are_refined(name: str) -> None:
    metric = Metric([u, v], sympy.diag(1, CONSTANTS[name]))
    quantities = ["metric", "metric_error", "ricci_scalar"]
    exact, float64 = at(metric, [0.3, 0.0], *quantities, rtol=EPS), at(metric, [0.3, 0.0], *quantities, max_refined=0)
    assert exact.status == Status.REFINED
    assert (np.abs(exact.metric - float64.metric) <= 2 * float64.metric_error).all()
    assert abs(exact.ricci_scalar - float64.ricci_scalar) <= 2 * float64.ricci_scalar_error


@pytest.mark.parametrize(("scale", "where"), [(sympy.Integer(10) ** -350, 2e175), (1 / sympy.factorial(190), 1e176)])
def test_a_constant_below_float64_is_not_lost(scale: sympy.Expr, where: float) -> None:
    ds = at(Metric([u, v], sympy.diag(1, 1 + scale * u**2)), [where, 0.0], "metric", "determinant")
    with mpmath.workdps(40):
        exact = 1 + mpmath.mpf(scale.p) / scale.q * mpmath.mpf(where) ** 2
    assert ds.status == Status.REFINED
    assert ds.determinant == pytest.approx(float(exact), rel=1e-15)


@pytest.mark.parametrize("exponent", [sympy.Rational(1, 3), sympy.Rational(-7, 10), sympy.sqrt(2)])
@pytest.mark.parametrize("where", [3e-180, 7.7, 2e140])
def test_an_exponent_that_float64_rounds_is_in_the_bound(exponent: sympy.Expr, where: float) -> None:
    a, b = sympy.symbols("a b", positive=True)
    ds = at(Metric([a, b], sympy.diag(1, a**exponent)), [where, 1.0], "metric", "metric_error", max_refined=0)
    with mpmath.workdps(60):
        exact = mpmath.mpf(where) ** mpmath.mpf(sympy.N(exponent, 60)._to_mpmath(220))
        assert abs(mpmath.mpf(ds.metric.values[1, 1]) - exact) <= 2 * ds.metric_error.values[1, 1]


@pytest.mark.parametrize("metric", [sympy.diag(-v, u), sympy.diag(1 + v, 1 + u)], ids=str)
def test_bounds_hold_for_formulas_of_a_few_operations(metric: sympy.Matrix) -> None:
    points = np.random.default_rng(6).uniform(0.1, 3, (60, 2))
    names = [name for q in ("inverse_metric", "christoffel", "riemann", "ricci") for name in (q, f"{q}_error")]
    ds = ig.grid.evaluate_points(Metric([u, v], metric), points, names)
    exact = ig.grid.evaluate_points(Metric([u, v], metric), points, names, rtol=EPS)
    for name in names[::2]:
        off = np.abs(ds[name] - exact[name])
        assert (off <= 2 * ds[f"{name}_error"] + exact[f"{name}_error"]).all(), name


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_a_quantity_beyond_float64_leaves_the_others() -> None:
    names = ["metric", "inverse_metric", "determinant", "fisher_trace"]
    ds = ig.grid.evaluate_points(Metric([u, v], sympy.eye(2) * u), [[1e200, 0], [1e-310, 0]], names, max_refined=0)
    finite = {name: np.isfinite(ds[name].values.reshape(2, -1)).all(1).tolist() for name in names}
    assert finite.pop("determinant") == [False, True]
    assert finite.pop("inverse_metric") == [True, False]
    assert finite == {"metric": [True, True], "fisher_trace": [True, True]}


#: Metrics, points where they are singular or float64 cannot tell, and what the last entry is there.
PERHAPS_SINGULAR = {
    "singular": ([[u, v], [v, u]], [0.7, 0.7], 0.7),
    "singular to rounding": ([[1, 0], [0, (u + 1) ** 2 - u**2 - 2 * u - 1 + v]], [3.3, 1e-17], 1e-17),
    "unknown": ([[1, 0], [0, sympy.cosh(u) ** 2 - sympy.sinh(u) ** 2 - 1 + v**2]], [3.0, 1e-9], 1e-18),
}


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
@pytest.mark.parametrize("name", PERHAPS_SINGULAR)
def test_the_error_of_a_metric_holds_where_it_may_be_singular(name: str) -> None:
    matrix, point, last = PERHAPS_SINGULAR[name]
    ds = at(Metric([u, v], matrix), point, "metric", "metric_error", "inverse_metric_error", max_refined=0)
    assert not np.isfinite(ds.inverse_metric_error).all()
    assert abs(ds.metric[1, 1] - last) <= ds.metric_error[1, 1]
    assert ds.metric_error.max() < 1e-12


# --- What vanishes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", [SCHWARZSCHILD, FLAT], ids=["Schwarzschild", "flat"])
def test_a_vacuum_needs_no_refinement(metric: Metric) -> None:
    point = [0.0, 3.7, 0.8, 0.1][4 - len(metric.names) :]
    for quantities in (["christoffel"], ["ricci_scalar"], ["ricci", "ricci_scalar_error"]):
        assert at(metric, point, *quantities, max_refined=0).status == Status.OK
    ds = at(metric, point, "ricci_scalar", "ricci", max_refined=0)
    assert ds.ricci_scalar == 0
    assert ds.ricci_scalar_error < 1e-12
    assert (ds.ricci == 0).all()


def test_a_sign_is_refined_where_float64_takes_r_for_zero() -> None:
    # Flat as far as u = 100, with R = −288e-30 / 103 to nine digits at 103.
    radius = u + (sympy.sqrt(u**2 - 200 * u + 10**4) + u - 100) ** 3 / sympy.Integer(10) ** 30
    metric = Metric([u, v], sympy.diag(1, radius**2))
    assert at(metric, [103.0, 0.0], "ricci_scalar").ricci_scalar == 0
    ds = at(metric, [103.0, 0.0], "ricci_scalar_sign", "log10_ricci_scalar")
    assert (ds.status, ds.ricci_scalar_sign) == (Status.REFINED, -1)
    assert ds.log10_ricci_scalar == pytest.approx(np.log10(288e-30 / 103), rel=1e-12)


def test_a_line_has_no_curvature_to_refine_for_a_sign() -> None:
    ds = at(Metric([u], [[u**2]]), [103.0], "ricci_scalar_sign", "log10_ricci_scalar")
    assert (ds.status, ds.ricci_scalar_sign, ds.log10_ricci_scalar) == (Status.OK, 0, -np.inf)


def test_riemann_vanishes_where_space_is_flat_alone() -> None:
    assert (at(FLAT, [3.0, 0.5, 0.0], "riemann", max_refined=0).riemann == 0).all()
    assert np.abs(at(SCHWARZSCHILD, [0.0, 3.0, 0.5, 0.0], "riemann").riemann).max() > 0.1


def test_a_curvature_that_vanishes_at_a_point_alone_is_not_taken_for_zero() -> None:
    # R = −4 sin(u)/(…): 0 at u = 0 of a torus-like surface, not elsewhere.
    torus = Metric([u, v], sympy.diag(1, (2 + sympy.sin(u)) ** 2))
    assert at(torus, [0.5, 0.0], "ricci_scalar").ricci_scalar == pytest.approx(2 * np.sin(0.5) / (2 + np.sin(0.5)))


@pytest.mark.parametrize("where", [400.5, 397.0, 399.5])
def test_a_wall_far_from_where_a_metric_is_flat_has_its_curvature(where: float) -> None:
    f = 2 + sympy.tanh(40 * (u - 400))
    ds = at(Metric([u, v], sympy.diag(1, f)), [where, 0.0], "ricci_scalar")
    with mpmath.workdps(200):
        root = lambda x: mpmath.sqrt(2 + mpmath.tanh(40 * (x - 400)))  # noqa: E731
        exact = -2 * mpmath.diff(root, mpmath.mpf(where), 2) / root(mpmath.mpf(where))
    assert ds.ricci_scalar == pytest.approx(float(exact), rel=1e-12)


# --- Singular or not --------------------------------------------------------------------------------------------------

DISGUISES = {
    "cosh": (sympy.cosh(u) ** 2 - sympy.sinh(u) ** 2 - 1, 0.0),
    "powers": ((u + 1) ** 2 - u**2 - 2 * u - 1 + v**2, 0.0),
}


@pytest.mark.parametrize("name", DISGUISES)
def test_a_null_entry_in_disguise_is_singular_at_every_point_by_itself(name: str) -> None:
    entry, where = DISGUISES[name]
    metric = Metric([u, v], [[1, 0], [0, entry]])
    points = np.column_stack([np.linspace(-2.9, 2.7, 23), np.full(23, where)])
    with pytest.warns(ig.grid.StatusWarning):
        together = ig.grid.evaluate_points(metric, points, ["metric_rank", "ricci_scalar"])
    assert (together.status == Status.SINGULAR).all()
    assert (together.metric_rank == 1).all()
    for point in points[::7]:
        with pytest.warns(ig.grid.StatusWarning):
            assert at(metric, list(point), "ricci_scalar").status == Status.SINGULAR


@pytest.mark.filterwarnings("ignore::infogeom.grid.StatusWarning")
@pytest.mark.parametrize("design", ["two scales", "shares"])
@pytest.mark.parametrize("noise", [ig.models.normal, ig.models.poisson], ids=["normal", "Poisson"])
def test_a_collinear_design_with_an_intercept_is_singular(design: str, noise: Any) -> None:
    rng = np.random.default_rng(5)
    a, b, c, x, y = sympy.symbols("a b c x y", real=True)
    first = rng.uniform(0.1, 0.9, 12)
    inputs = np.column_stack([first, 0.3 * first + 1.1 if design == "two scales" else 1 - first])
    mean = a + b * x + c * y if noise is ig.models.normal else sympy.exp(a + b * x + c * y)
    model = ig.models.regression(mean, noise(), inputs, variables=[x, y], parameters=[a, b, c])
    point = [0.2, 0.4, -0.3, 1.5][: len(model.parameters)]
    ds = at(model, point, "metric_rank", "null_directions", "ricci_scalar")
    assert ds.status == Status.SINGULAR
    assert ds.metric_rank == len(point) - 1
    null = ds.null_directions.values[0][:3]
    assert np.abs(np.column_stack([np.ones(12), inputs]) @ null).max() < 1e-9


def test_a_design_that_is_nearly_collinear_is_not_singular() -> None:
    a, b, c, x, y = sympy.symbols("a b c x y", real=True)
    first = np.linspace(0, 1, 9)
    inputs = np.column_stack([first, 0.3 * first + 1.1 + 1e-12 * (-1) ** np.arange(9)])
    model = ig.models.regression(a + b * x + c * y, ig.models.normal(), inputs, variables=[x, y], parameters=[a, b, c])
    assert at(model, [0.2, 0.4, -0.3, 1.5], "metric_rank").metric_rank == 4


@pytest.mark.filterwarnings("ignore::infogeom.grid.StatusWarning")
def test_a_null_direction_along_the_diagonal_has_its_rank_and_no_determinant() -> None:
    f = 2 * sympy.sin(sympy.pi * u / 6)
    ds = at(Metric([u, v], [[3, -3 * f], [-3 * f, 3]]), [1.0, 0.4], "metric_rank", "null_directions", "determinant")
    assert (ds.status, ds.metric_rank, ds.determinant) == (Status.SINGULAR, 1, 0)
    assert np.abs(ds.null_directions.values[0]) == pytest.approx([np.sqrt(0.5)] * 2, rel=1e-15)
    assert at(Metric([u, v], [[u, v], [v, u]]), [0.0, 0.0], "determinant").determinant == 0


@pytest.mark.filterwarnings("ignore::infogeom.grid.StatusWarning")
def test_a_metric_singular_everywhere_keeps_its_metric_with_a_bound() -> None:
    network = ig.models.sigmoid_neuron([[1, 2], [2, 4], [0.5, 1]], [0, 1, 0], ig.losses.CrossEntropy())
    ds = at(network, [0.3, -0.2], "metric", "metric_error", "determinant", "fisher_trace_error")
    assert ds.status == Status.SINGULAR
    assert ds.determinant == 0
    assert 0 < ds.metric_error.max() < 1e-12 * ds.metric.max()
    assert np.isfinite(ds.fisher_trace_error)


# --- No real finite value ---------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::infogeom.grid.StatusWarning")
def test_finite_components_stay_on_a_horizon() -> None:
    ds = at(SCHWARZSCHILD, [0.0, 2.0, 1.0, 0.0], "metric", "ricci_scalar")
    assert ds.status == Status.UNDEFINED
    assert ds.metric.values.diagonal() == pytest.approx([0, np.nan, 4, 4 * np.sin(1) ** 2], nan_ok=True)
    assert np.isnan(ds.ricci_scalar)


@pytest.mark.filterwarnings("ignore::infogeom.grid.StatusWarning")
@pytest.mark.parametrize("entry", [sympy.sqrt(1 - u**2), sympy.log(u) ** 2 + 1])
def test_a_complex_entry_is_undefined(entry: sympy.Expr) -> None:
    point = [2.0, 0.0] if entry.has(sympy.sqrt(1 - u**2)) else [-1.5, 0.0]
    ds = at(Metric([u, v], sympy.diag(1, entry)), point, "metric")
    assert ds.status == Status.UNDEFINED
    assert ds.metric.values[0, 0] == 1


def test_a_removable_singularity_has_the_value_that_the_points_beside_it_approach() -> None:
    q = sympy.sqrt(u**2 + v**2)
    metric = Metric([u, v], sympy.eye(2) * (sympy.sin(q) / q) ** 2)
    ds = at(metric, [0.0, 0.0], "metric", "christoffel", "ricci_scalar")
    assert ds.status == Status.REFINED
    assert np.array_equal(ds.metric, np.eye(2))
    assert np.abs(ds.christoffel).max() < 1e-100
    assert ds.ricci_scalar == pytest.approx(4 / 3, rel=1e-15)


DIRECTIONS = [u**2 / (u**2 + v**4), u * v**2 / (u**2 + v**4), v**2 / (u**4 + v**2), u * v / (u**2 + v**2)]


@pytest.mark.parametrize("entry", DIRECTIONS, ids=str)
def test_what_depends_on_the_direction_has_no_limit(entry: sympy.Expr) -> None:
    with pytest.warns(ig.grid.StatusWarning, match="undefined"):
        assert at(Metric([u, v], sympy.diag(1, 2 + entry)), [0.0, 0.0], "metric").status == Status.UNDEFINED


def test_a_logarithm_is_not_taken_for_removable() -> None:
    metric = Metric([u, v], sympy.diag(1, 1 + u * sympy.log(u**2) ** 2 / u))
    with pytest.warns(ig.grid.StatusWarning, match="undefined"):
        assert at(metric, [0.0, 0.0], "metric").status == Status.UNDEFINED


def test_a_denominator_that_cancels_far_is_no_overflow() -> None:
    # ½ (1 + e^2u), with 1,875 bits that cancel below the line.
    metric = Metric([u, v], sympy.diag(1, sympy.exp(2 * u) / (1 - sympy.tanh(-u))))
    ds = at(metric, [-650.0, 0.0], "metric")
    assert ds.status == Status.REFINED
    assert ds.metric.values[1, 1] == 0.5


@pytest.mark.slow
@pytest.mark.parametrize("shape", [0.7, 1.0])
def test_a_generalised_normal_law_has_a_curvature_below_shape_one(shape: float) -> None:
    ds = at(ig.models.generalised_normal(), [0.0, 1.0, shape], "metric", "ricci_scalar")
    assert ds.status == Status.REFINED
    with mpmath.workdps(30):
        exact = shape**2 * mpmath.gamma(2 - 1 / mpmath.mpf(shape)) / mpmath.gamma(1 / mpmath.mpf(shape))
    assert ds.metric.values[0, 0] == pytest.approx(float(exact), rel=1e-14)
    assert np.isfinite(ds.ricci_scalar)


# --- Joint conditions -------------------------------------------------------------------------------------------------


def test_a_probability_that_rounds_to_one_is_inside_its_domain() -> None:
    eta, rate = sympy.Symbol("eta", real=True), sympy.Symbol("rate", positive=True)
    probit = ig.models.reparametrise(ig.models.bernoulli(), {"p": (1 + sympy.erf(eta / sympy.sqrt(2))) / 2})
    with mpmath.workdps(400):
        exact = [mpmath.npdf(x) ** 2 / (mpmath.ncdf(x) * mpmath.ncdf(-x)) for x in (9, -12, 25)]
    ds = ig.grid.evaluate_points(probit, [[9.0], [-12.0], [25.0]], ["metric"])
    assert (ds.status == Status.OK).all()
    assert ds.metric.values.ravel() == pytest.approx([float(x) for x in exact], rel=1e-14)
    event = ig.models.reparametrise(ig.models.bernoulli(), {"p": 1 - sympy.exp(-rate)})
    assert at(event, [3e-19], "metric").metric.item() == pytest.approx(1 / 3e-19, rel=1e-15)


def test_a_point_on_the_border_of_a_condition_is_outside() -> None:
    with pytest.warns(ig.grid.StatusWarning, match="1 out_of_domain"):
        ds = ig.grid.evaluate_points(ig.models.multinomial(4, 3), [[0.5, 0.5], [0.25, 0.5]], ["metric"])
    assert ds.status.values.tolist() == [Status.OUT_OF_DOMAIN, Status.OK]


def test_a_condition_whose_terms_cancel_is_told_by_its_sign() -> None:
    # Of float64's values of the condition, which are right to 128 or so, some have the wrong sign.
    w = sympy.Symbol("w", real=True)
    rng = np.random.default_rng(1)
    legs = rng.uniform(1e8, 1e9, (200, 2))
    points = np.column_stack([legs, np.hypot(*legs.T) * (1 + rng.integers(-1, 2, 200) * 2.0**-53)])
    exact = [Fraction(a) ** 2 + Fraction(b) ** 2 > Fraction(c) ** 2 for a, b, c in points.tolist()]
    with pytest.warns(ig.grid.StatusWarning, match="out_of_domain"):
        ds = ig.grid.evaluate_points(
            Metric([u, v, w], sympy.eye(3), constraints=[u**2 + v**2 - w**2]), points, ["metric"]
        )
    assert (ds.status == Status.OK).values.tolist() == exact


# --- What a point gets depends on nothing beside it -------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::infogeom.grid.StatusWarning")
@pytest.mark.parametrize("loss", [ig.losses.CrossEntropy(), ig.losses.LpNorm(4)], ids=lambda loss: loss.name)
def test_chunks_change_no_bit_where_exponents_are_large(loss: ig.losses.Loss) -> None:
    x, y = ig.models.decision_boundary(7, seed=2)
    network = ig.models.sigmoid_neuron(x, y, loss, fisher="expected")
    axes = {"theta1": np.linspace(-110, 90, 9), "theta2": np.linspace(-90, 130, 36)}
    whole = ig.grid.evaluate(network, axes, ["metric"], max_refined=0)
    parts = ig.grid.evaluate(network, axes, ["metric"], max_refined=0, chunks={"theta1": 2, "theta2": 5}).compute()
    assert np.array_equal(whole.metric, parts.metric, equal_nan=True)
    assert np.array_equal(whole.status, parts.status)


def test_what_no_result_needs_is_left_out_of_the_loops() -> None:
    r, theta, phi = sympy.symbols("r theta phi", real=True)
    flat = ig.symbolic.Metric([r, theta, phi], sympy.diag(1, r**2, r**2 * sympy.sin(theta) ** 2))
    axes = {"r": np.array([2.5, 9.0]), "theta": np.array([0.1, 3.0]), "phi": 0.0}
    assert (ig.grid.evaluate(flat, axes, ["christoffel"]).status == 0).all()


def test_a_curvature_that_vanishes_is_bounded_as_narrowly_beside_a_horizon() -> None:
    ds = at(SCHWARZSCHILD, [0.0, 2 + 1e-8, 3.1415, 0.5], "ricci_scalar", "ricci", "ricci_error")
    assert ds.status == Status.REFINED
    assert max(ds.ricci_scalar_error, ds.ricci_error.max()) < 1e-20


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
@pytest.mark.parametrize("far", [-0.001, 20.0, 40.0])
def test_what_a_metric_that_is_singular_everywhere_has_is_right(far: float) -> None:
    hidden = sympy.cosh(u) ** 2 - sympy.sinh(u) ** 2 - 1
    ds = at(Metric([u, v], sympy.diag(1, hidden)), [far, 0.5], "metric", "fisher_trace", "null_directions")
    assert ds.status == Status.SINGULAR
    np.testing.assert_allclose(ds.metric, np.diag([1, 0]), atol=1e-30)
    assert ds.fisher_trace == 1
    np.testing.assert_array_equal(np.abs(ds.null_directions), [[0, 1], [0, 0]])


# --- Indefinite metrics -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("large", [3.0, 1e7, 1e9, 1e16])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_null_coordinate_beside_a_large_one_loses_no_digit(large: float, swapped: bool) -> None:
    matrix = [[0, 1], [1, u]] if swapped else [[u, 1], [1, 0]]
    ds = at(Metric([u, v], matrix), [large, 0.0], "determinant", "inverse_metric", max_refined=0)
    assert ds.status == Status.OK
    assert ds.determinant == pytest.approx(-1, rel=4 * EPS)
    inverse = [[-large, 1], [1, 0]] if swapped else [[0, 1], [1, -large]]
    np.testing.assert_allclose(ds.inverse_metric, inverse, rtol=4 * EPS, atol=4 * EPS)


def test_a_wave_has_its_curvature_however_large_its_profile() -> None:
    wave = Metric([u, v], [[v**2 * sympy.exp(u), 1], [1, 0]])
    for far in (1.0, 1e4, 1e9):
        ds = at(wave, [1.0, far], "ricci_scalar", max_refined=0)
        assert ds.status == Status.OK
        assert ds.ricci_scalar == pytest.approx(2 * np.e, rel=1e-13)


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_an_information_that_rounding_makes_negative_is_refined() -> None:
    point = [-0.31418258677025424, 0.00017741499976454015, 369479.02358332917]
    assert at(ig.models.student_t(), point, "metric", max_refined=0).metric[2, 2] < 0
    assert at(ig.models.student_t(), point, "metric", max_refined=0).status == Status.UNREFINED
    assert at(ig.models.student_t(), point, "determinant").determinant == pytest.approx(1.624772418e-7, rel=1e-9)


# --- Jumps ------------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
@pytest.mark.parametrize("kink", [sympy.Abs(u), sympy.sqrt(u**2), 2 * sympy.Abs(u - 1)])
def test_a_connection_is_undefined_on_a_kink_alone(kink: sympy.Expr) -> None:
    at_kink = 1.0 if kink.has(u - 1) else 0.0
    points = [[at_kink - 1e-9, 0.0], [at_kink, 0.0], [at_kink + 1e-9, 0.0]]
    ds = ig.grid.evaluate_points(Metric([u, v], sympy.diag(1, 1 + kink)), points, ["christoffel"])
    assert (ds.status.values == Status.UNDEFINED).tolist() == [False, True, False]
    before, _, after = ds.christoffel.values[:, 0, 1, 1]
    assert before == pytest.approx(-after, rel=1e-8)


def test_a_slope_without_a_kink_is_defined_where_a_sign_jumps() -> None:
    ds = at(Metric([u, v], sympy.diag(1, 1 + u * sympy.Abs(u))), [0.0, 0.0], "christoffel")
    assert ds.status == Status.REFINED
    assert np.abs(ds.christoffel).max() == 0


def test_a_sign_that_rounding_may_turn_is_refined() -> None:
    metric = Metric([u, v], sympy.diag(1, 2 + sympy.sign(sympy.exp(u) - sympy.Rational(4, 3))))
    edge = 0.28768207245178093  # log(4/3) rounded, above it: by mpmath, exp of it − 4/3 is 1.5e-17
    with mpmath.workdps(40):
        above = mpmath.exp(mpmath.mpf(edge)) > mpmath.mpf(4) / 3
    ds = at(metric, [edge, 0.0], "metric")
    assert ds.status == Status.REFINED
    assert ds.metric[1, 1] == (3 if above else 1)
