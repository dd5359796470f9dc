"""Independent routes to the same numbers: that they agree, and that each of them can disagree."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
import xarray as xr
from sympy import Interval, Matrix, diag, exp, log, loggamma, sin, symbols

import infogeom as ig
from infogeom.functions import expit, softplus
from infogeom.kernels.curvature.textbook import TENSORS, closed_form
from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.models import Model
from infogeom.symbolic import Metric
from infogeom.verification import Row, Verification, comparison, typical_points, verify
from infogeom.verification.differences import central_differences
from infogeom.verification.reference import by_closed_form
from infogeom.verification.routes import Found, routes
from infogeom.verification.score_jet import ScoreJet

#: What all routes together find.
COMPARED = ("metric", *TENSORS)

pytestmark = pytest.mark.timeout(180)

CLOSED_FORM, DIFFERENCES, BALL = "closed form, 50 digits", "differences, 200 digits", "ball"
#: Routes that a metric of two parameters has without a log-density.
BARE = {
    ("metric", CLOSED_FORM),
    ("metric", BALL),
    ("christoffel", CLOSED_FORM),
    *((quantity, "EinsteinPy") for quantity in ("christoffel", "riemann", "ricci", "ricci_scalar")),
    *((quantity, DIFFERENCES) for quantity in COMPARED),
    ("ricci_scalar", CLOSED_FORM),
    ("ricci_scalar", BALL),
}

u, v = symbols("u v", real=True)
mu = sympy.Symbol("mu", real=True)
sigma = sympy.Symbol("sigma", positive=True)
sphere = Metric([u, v], diag(1, sin(u) ** 2))


def taken(table: Verification) -> set[tuple[str, str]]:
    return {(row.quantity, row.route) for row in table.rows if row.compared}


def wrong(table: Verification) -> set[tuple[str, str]]:
    return {(row.quantity, row.route) for row in table.rows if row.compared and not row.agree}


def with_density(definition: str, identity: str) -> set[tuple[str, str]]:
    """Routes of a model besides those of its metric."""
    return {
        ("metric", definition),
        ("ricci_scalar", definition),
        ("ricci_scalar", "Gauss equation"),
        ("christoffel", identity),
    }


def gamma() -> Model:
    x, shape, scale = symbols("x shape scale", positive=True)
    law = (shape - 1) * log(x) - x / scale - loggamma(shape) - shape * log(scale)
    return ig.models.from_density(law, x, [shape, scale], Interval(0, sympy.oo), name="gamma")


def network(loss: Loss, fisher: str = "empirical", columns: int = 2) -> Model:
    x = np.random.default_rng(11).random((12, columns))
    return ig.models.sigmoid_neuron(x, (x[:, 1] > x[:, 0]).astype(int), loss, fisher=fisher)


# --- Agreement --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "point", "definition"),
    [
        (ig.models.normal(), [0.3, 2.0], "definition, quadrature"),
        pytest.param(gamma(), [1.3, 2.0], "definition, quadrature", marks=pytest.mark.slow),
        (ig.models.binomial(7), [0.3], "definition, sum"),
    ],
    ids=["normal", "gamma", "binomial"],
)
def test_a_family_agrees_by_every_route(model: Model, point: list[float], definition: str) -> None:
    table = verify(model, [point])
    assert table.agree, table
    assert taken(table) == BARE | with_density(definition, "α-identity")
    assert not table.skipped


@pytest.mark.parametrize(
    "loss",
    [CrossEntropy(), LpNorm(2), pytest.param(MeanPower(2), marks=pytest.mark.slow)],
    ids=["cross-entropy", "l2", "mean-power-2"],
)
def test_an_empirical_network_agrees_by_every_route_but_the_alpha_identity(loss: Loss) -> None:
    table = verify(network(loss), [[0.5, -0.25]])
    assert table.agree, table
    assert taken(table) == BARE | with_density("definition, mean over samples", "embedding")
    assert [route for route, _ in table.skipped] == ["α-identity"]


@pytest.mark.parametrize(
    ("loss", "definition", "identity"),
    [
        (CrossEntropy(), "definition, sum", "α-identity"),
        (LpNorm(2), "definition, quadrature", "embedding"),
        pytest.param(MeanPower(4), "definition, quadrature", "embedding", marks=pytest.mark.slow),
    ],
    ids=["cross-entropy", "l2", "mean-power-4"],
)
def test_an_expected_network_agrees_by_every_route(loss: Loss, definition: str, identity: str) -> None:
    table = verify(network(loss, "expected"), [[0.5, -0.25]])
    assert table.agree, table
    assert taken(table) == BARE | with_density(definition, identity)


def test_a_bare_metric_agrees_and_says_that_it_has_no_log_density() -> None:
    table = verify(sphere, [[1.0, 0.5]])
    assert table.agree, table
    assert taken(table) == BARE
    assert {row.value for row in table.rows if row.quantity == "ricci_scalar"} == {2.0}
    assert table.skipped == (("definition, α-identity, Gauss equation", "a bare metric has no log-density"),)


def test_zeros_agree_that_are_so_by_the_form_of_the_metric() -> None:
    x, p, q = sympy.Symbol("x", integer=True), *symbols("p q", positive=True)
    first, second = sympy.interpolate([0, 1, 0, 1], x), sympy.interpolate([0, 0, 1, 1], x)
    law = first * log(p) + (1 - first) * log(1 - p) + second * log(q) + (1 - second) * log(1 - q)
    unit = [ig.models.Parameter(symbol, Interval.open(0, 1)) for symbol in (p, q)]
    model = Model("two coins", unit, law, x, sympy.Range(1, 5))
    table = comparison.verified(Metric([p, q], diag(1 / p / (1 - p), 1 / q / (1 - q))), model, [(0.3, 0.6)])
    assert table.agree, table


def test_the_jet_of_the_log_density_is_that_of_the_closed_form() -> None:
    point = (1.3, 2.0)
    with mpmath.workdps(50):
        found, _ = ScoreJet(gamma())(point)
        jet, _ = closed_form(ig.symbolic.metric(gamma()))(point)
        for ours, theirs in zip(found[:3], jet, strict=True):
            assert abs(ours - theirs).max() < 1e-20


def test_zeros_agree_that_are_sums_only_in_their_last_digit() -> None:
    table = verify(ig.models.binomial(7), [[0.5]])  # where ∂g vanishes
    assert table.agree, table


@pytest.mark.slow
@pytest.mark.parametrize("name", ["von_mises", "cauchy"])
def test_orthogonal_parameters_agree_at_typical_points(name: str) -> None:
    model = ig.models.family(name)
    table = verify(model, typical_points(model, 8, 3))
    assert table.agree, table


def test_an_infinite_sum_agrees() -> None:
    x, rate = sympy.Symbol("x", integer=True, nonnegative=True), sympy.Symbol("rate", positive=True)
    poisson = ig.models.from_density(x * log(rate) - rate - loggamma(x + 1), x, [rate], sympy.S.Naturals0)
    table = verify(poisson, [[3.7]])
    assert table.agree, table
    assert ("ricci_scalar", "definition, sum") in taken(table)


def test_a_law_with_pieces_agrees_with_its_definition_to_the_curvature() -> None:
    # A hurdle before a geometric law is a piece of a sphere.
    k, w, p = sympy.Symbol("k", integer=True, nonnegative=True), *sympy.symbols("w p", positive=True)
    law = sympy.Piecewise((log(w), sympy.Eq(k, 0)), (log(1 - w) + log(p) + (k - 1) * log(1 - p), True))
    share = sympy.Interval.open(0, 1)
    declared = [ig.models.Parameter(symbol, share, (0.2, 0.7)) for symbol in (w, p)]
    table = verify(ig.models.from_density(law, k, declared, sympy.S.Naturals0), [[0.3, 0.2]])
    assert table.agree, table
    (curvature,) = [row for row in table.rows if row.quantity == "ricci_scalar" and row.route == "definition, sum"]
    assert curvature.value == pytest.approx(0.5)


def test_a_condition_on_a_parameter_is_a_kink_that_moves_and_a_factor_in_a_piece_is_none() -> None:
    x, w = sympy.Symbol("x", real=True), sympy.Symbol("w", positive=True)
    half = sympy.Piecewise((log(w), x > 0), (log(1 - w), True)) - abs(x)
    model = ig.models.from_density(half, x, [ig.models.Parameter(w, sympy.Interval.open(0, 1))], sympy.S.Reals)
    assert not ScoreJet(model).kink
    moving = sympy.Piecewise((x - mu, x < mu), (2 * mu - 2 * x, True)) + log(sympy.Rational(2, 3))
    assert "Piecewise" in ScoreJet(ig.models.from_density(moving, x, [mu], sympy.S.Reals)).kink
    k = sympy.Symbol("k", integer=True)
    assert not ScoreJet(ig.models.from_density(moving.xreplace({x: k}), k, [mu], sympy.S.Integers)).kink


def test_quadratures_per_sample_agree() -> None:
    x, y = sympy.Symbol("x", real=True), sympy.Symbol("y", real=True)
    law = -((y - mu * x) ** 2) / 2 - log(2 * sympy.pi) / 2
    data = ig.models.Samples((x,), np.array([[0.5], [-1.25]]))
    regression = Model("regression", [ig.models.Parameter(mu)], law, y, sympy.S.Reals, samples=data)
    table = verify(regression, [[0.3]])
    assert table.agree, table
    assert ("metric", "definition, quadrature") in taken(table)


# --- Disagreement -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "c", "quantities"),
    [
        # R = −2/c of diag(a, c)/σ² does not know a; Γ^σ_μμ = a/(cσ) knows both.
        (1 + 1e-9, 2, {"metric", "christoffel"}),
        pytest.param(1, 2 + 1e-9, {"metric", "christoffel", "ricci_scalar"}, marks=pytest.mark.slow),
    ],
)
def test_a_wrong_metric_disagrees_with_the_log_density_alone(a: float, c: float, quantities: set[str]) -> None:
    metric = Metric([mu, sigma], diag(sympy.Rational(a), sympy.Rational(c)) / sigma**2)
    table = comparison.verified(metric, ig.models.normal(), [(0.3, 2.0)])
    density = with_density("definition, quadrature", "α-identity")
    assert wrong(table) == {(quantity, route) for quantity, route in density if quantity in quantities}
    assert not table.agree


def test_a_metric_of_the_wrong_fisher_disagrees_by_its_embedding() -> None:
    metric = ig.symbolic.metric(network(CrossEntropy(), "expected"))
    table = comparison.verified(metric, network(CrossEntropy()), [(0.5, -0.25)])
    assert wrong(table) == with_density("definition, mean over samples", "embedding")


@pytest.fixture
def spoilt(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Verification]:
    """Verification in which compiled values of one quantity are replaced."""

    def verified(
        subject: Model | Metric, point: list[float], quantity: str, change: Callable[[Any], Any]
    ) -> Verification:
        def evaluate_points(*arguments: Any) -> xr.Dataset:
            dataset = ig.grid.evaluate_points(*arguments)
            return dataset.assign({quantity: change(dataset[quantity])})

        monkeypatch.setattr(comparison, "evaluate_points", evaluate_points)
        return verify(subject, [point])

    return verified


@pytest.mark.parametrize("quantity", COMPARED)
def test_a_compiled_quantity_off_in_its_tenth_digit_disagrees_with_every_route(
    quantity: str, spoilt: Callable[..., Verification]
) -> None:
    table = spoilt(sphere, [1.0, 0.5], quantity, lambda values: values * (1 + 1e-10))
    assert wrong(table) == {pair for pair in BARE if pair[0] == quantity}


def test_a_wrong_derivative_disagrees_with_differences_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kernels, closed form and balls share SymPy's derivatives, and EinsteinPy is not asked about four coordinates."""
    factor = 1 + sympy.Rational(1, 10**9)
    monkeypatch.setattr(softplus, "fdiff", lambda self, _=1: factor * expit(self.args[0]))
    x = symbols("wrong:4", real=True)  # of their own: SymPy keeps derivatives
    table = verify(Metric(x, diag(softplus(x[1]), 1, softplus(x[0]), 1)), [[0.3, 0.4, 0.5, 0.6]])
    assert wrong(table) == {(quantity, DIFFERENCES) for quantity in COMPARED[1:]}


@pytest.mark.parametrize("radius", [2.5, 40.0])
def test_four_coordinates_agree_with_differences(radius: float) -> None:
    t, r, theta, phi = symbols("t r theta phi", real=True)
    f = 1 - 2 / r + r**2 / 300
    space = Metric([t, r, theta, phi], diag(-f, 1 / f, r**2, r**2 * sin(theta) ** 2))
    table = verify(space, [[0.5, radius, 0.7, 0.1]])
    assert table.agree, table
    assert {(quantity, DIFFERENCES) for quantity in COMPARED} <= taken(table)


def test_too_many_differences_are_left_out_with_their_reason() -> None:
    x = np.random.default_rng(5).random((3000, 2))
    model = ig.models.sigmoid_neuron(x, (x[:, 1] > x[:, 0]).astype(int), CrossEntropy())
    taken_, skipped = routes(ig.symbolic.metric(model), None, by_closed_form(ig.symbolic.metric(model)), slow=False)
    assert DIFFERENCES not in {route.name for route in taken_}
    assert (DIFFERENCES, "that would take 54000 evaluations of the integrand at each point") in skipped


def test_an_undefined_value_disagrees(spoilt: Callable[..., Verification]) -> None:
    table = spoilt(sphere, [1.0, 0.5], "ricci_scalar", lambda values: values * float("nan"))
    assert wrong(table) == {pair for pair in BARE if pair[0] == "ricci_scalar"}


def test_a_metric_singular_to_fifty_digits_is_undecided_whatever_the_kernels_say(
    spoilt: Callable[..., Verification],
) -> None:
    flat = Metric([u, v], Matrix([[1, 1], [1, 1]]) * exp(u))
    table = spoilt(flat, [0.0, 0.5], "status", xr.zeros_like)
    assert [row.note for row in table.rows if row.note] == ["undecided: singular to 50 digits"]
    assert {quantity for quantity, _ in taken(table)} == {"metric"}


# --- Nothing to compare -----------------------------------------------------------------------------------------------


def test_points_without_curvature_say_so_and_the_others_are_compared() -> None:
    table = verify(ig.models.binomial(7), [[-0.5], [0.25]])
    notes = {row.point: row.note for row in table.rows if row.quantity == "status"}
    assert notes == {(-0.5,): "outside the domain: not compared"}
    assert {row.point for row in table.rows if row.compared} == {(0.25,)}
    assert table.agree, table


def test_a_point_beyond_float64_says_so() -> None:
    table = verify(ig.models.normal(), [[0.3, 1e-200]])
    assert [row.note for row in table.rows] == ["beyond float64: not compared"]


@pytest.mark.parametrize("theta", [1e-5, 1e-7])
def test_a_metric_that_is_all_but_singular_agrees(theta: float) -> None:
    table = verify(sphere, [[theta, 0.5]])
    assert table.agree, table
    assert {row.quantity for row in table.rows if row.compared} >= {"metric", "christoffel", "ricci_scalar"}
    # What float64 knows no better than its own size agrees with anything, and is not said to.
    assert all("the compiled value is known to" in row.note for row in table.rows if not row.compared)
    assert any(row.quantity == "riemann" and not row.compared for row in table.rows) == (theta == 1e-7)


def test_at_a_singular_point_the_metric_alone_is_compared() -> None:
    model = ig.models.sigmoid_neuron([[0.3, 0.7]], [1], CrossEntropy())
    table = verify(model, [[0.5, 0.25]])
    assert {row.note for row in table.rows if row.note} == {"singular: curvature is undefined"}
    assert {quantity for quantity, _ in taken(table)} == {"metric"}
    assert table.agree


def test_nothing_compared_is_no_agreement() -> None:
    table = verify(ig.models.normal(), [[0.3, -2.0]])
    assert not table.agree
    assert table.verdict == "NOTHING could be compared"


def test_a_kink_that_moves_leaves_the_definition_of_the_metric() -> None:
    x = sympy.Symbol("x", real=True)
    laplace = ig.models.from_density(-sympy.Abs(x - mu) - log(2), x, [mu], sympy.S.Reals)
    table = verify(laplace, [[0.3]])
    assert table.agree, table
    assert ("metric", "definition, quadrature") in taken(table)
    assert ("ricci_scalar", "definition, quadrature") not in taken(table)
    ((route, reason),) = table.skipped
    assert route == "definition of R, α-identity, Gauss equation"
    assert reason.startswith("log p has a kink that moves with a parameter")


def test_a_sum_of_too_many_terms_is_left_out_with_its_reason() -> None:
    table = verify(ig.models.binomial(10**30), [[0.3]])
    assert table.agree, table
    assert table.skipped == (
        ("definition, α-identity, Gauss equation", "that would take a sum of more than 20000 terms"),
    )


def test_three_parameters_are_not_asked_of_einsteinpy_unless_it_may_be_slow() -> None:
    space = Metric([u, v, sigma], sympy.eye(3) / sigma**2)
    assert ("EinsteinPy", "3 parameters take it long; ask for them with slow=True (--slow)") in verify(
        space, [[0.1, 0.2, 1.5]]
    ).skipped
    table = verify(space, [[0.1, 0.2, 1.5]], slow=True)
    assert ("riemann", "EinsteinPy") in taken(table)
    assert table.agree, table


def test_without_einsteinpy_the_others_are_compared_and_that_is_said() -> None:
    code = (
        "import sys; sys.modules['einsteinpy'] = None; import infogeom as ig\n"
        "table = ig.verify(ig.models.binomial(3), [[0.3]]); print(table.agree, table.skipped)"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.startswith("True (('EinsteinPy', \"it is not installed")


def compared(error: float, tolerance: float) -> Row:
    compiled = xr.Dataset({"ricci_scalar": -1.0})
    return comparison.compared(
        sphere, (1.0, 0.5), compiled, Found("r", "ricci_scalar", mpmath.mpf(-1), error), tolerance
    )


@pytest.mark.parametrize(
    ("error", "tolerance", "note"),
    [
        (1e-14, 1e-15, ""),
        (1e-3, 1e-15, "undecided: known to 1.0e-03 only"),
        (0.0, float("inf"), "undecided: the compiled value has no bound on its error"),
    ],
)
def test_a_comparison_that_could_not_fail_is_none(error: float, tolerance: float, note: str) -> None:
    row = compared(error, tolerance)
    assert (row.note, row.compared) == (note, not note)


# --- Points and the table ---------------------------------------------------------------------------------------------


def test_default_points_are_three_of_the_typical_ranges_and_always_the_same() -> None:
    model = ig.models.normal()
    points = typical_points(model)
    assert points.shape == (3, 2)
    assert all(low < x < high for row in points for x, (low, high) in zip(row, [(-3, 3), (0.3, 3)], strict=True))
    np.testing.assert_array_equal(points, typical_points(model))
    assert (typical_points(model, seed=1) != points).all()
    assert {row.point for row in verify(ig.models.binomial(7)).rows} == {
        tuple(point) for point in typical_points(ig.models.binomial(7)).tolist()
    }


def test_points_of_a_metric_lie_in_its_domains() -> None:
    metric = Metric([u, sigma], diag(1, 1) / sigma**2, domains=[Interval.open(5, 6), Interval.open(0, sympy.oo)])
    points = typical_points(metric, 20)
    assert ((points[:, 0] > 5) & (points[:, 0] < 6) & (points[:, 1] > 0)).all()


GOOD = Row((0.5, 2.0), "metric", ("u", "v"), "ball", -1.0, 2e-16, 1e-13)
BAD = Row((0.5, 2.0), "ricci_scalar", (), "a <route>", -1.0, 2e-10, 1e-13)
NOTE = Row((0.5, 2.0), "status", (), "compiled", note="singular")


@pytest.mark.parametrize(
    ("rows", "agree", "verdict"),
    [
        ((GOOD, GOOD, NOTE), True, "all 2 comparisons agree"),
        ((GOOD,), True, "the only comparison agrees"),
        ((GOOD, BAD, NOTE), False, "1 of 2 comparisons DISAGREE"),
        ((NOTE,), False, "NOTHING could be compared"),
        ((), False, "NOTHING could be compared"),
    ],
)
def test_the_verdict_counts_comparisons(rows: tuple[Row, ...], agree: bool, verdict: str) -> None:
    table = Verification("it", ("u", "v"), rows, ())
    assert (table.agree, table.verdict) == (agree, verdict)


def test_the_table_prints_title_rows_reasons_and_verdict() -> None:
    table = Verification("Model it", ("u", "v"), (GOOD, BAD, NOTE), (("a route", "no reason"),))
    title, _, heading, good, bad, note, _, reason, verdict = repr(table).splitlines()
    assert title == "Model it"
    assert heading.split() == ["u,", "v", "quantity", "route", "value", "difference", "tolerance", "verdict"]
    assert good.split() == ["0.5,", "2", "metric[u,", "v]", "ball", "-1", "2.0e-16", "1.0e-13", "agrees"]
    assert bad.endswith("2.0e-10     1.0e-13    DISAGREES")
    assert note.split() == ["0.5,", "2", "status", "compiled", "singular"]
    assert (reason, verdict) == ("not taken: a route: no reason", "1 of 2 comparisons DISAGREE")


def test_the_table_shows_as_html_in_a_notebook() -> None:
    text = Verification("Model it", ("u", "v"), (GOOD, BAD), (("a route", "no reason"),))._repr_html_()
    assert "<td>DISAGREES</td>" in text
    assert "a &lt;route&gt;" in text
    assert "1 of 2 comparisons DISAGREE" in text


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        ([0.3, 2.0], ValueError, r"points must have shape \(m, 2\) with m at least 1, got \(2,\)"),
        ([[0.3]], ValueError, r"points must have shape \(m, 2\) with m at least 1, got \(1, 1\)"),
        (np.empty((0, 2)), ValueError, r"points must have shape \(m, 2\) with m at least 1, got \(0, 2\)"),
        ([[0.3, float("nan")]], ValueError, r"points must be finite, got nan at index \(0, 1\)"),
        ([["a", "b"]], TypeError, "points must hold real numbers"),
    ],
)
def test_points_that_are_none_are_refused(points: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        verify(ig.models.normal(), points)


def test_what_is_neither_model_nor_metric_is_refused() -> None:
    with pytest.raises(TypeError, match="model_or_metric must be a Model or a Metric, got str"):
        verify("normal")  # type: ignore[arg-type]


def test_slow_must_be_a_truth_value() -> None:
    with pytest.raises(TypeError, match="slow must be True or False, got 'no'"):
        verify(sphere, slow="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [0, -1])
def test_a_number_of_points_below_one_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"count must be at least 1, got {count}"):
        typical_points(sphere, count)


def test_a_point_without_a_value_is_told_and_not_compared() -> None:
    u, v = sympy.symbols("u v", real=True)
    found = ig.verify(ig.symbolic.Metric([u, v], sympy.diag(1, 1 / u**2)), [[0.0, 1.0]])
    assert [row.note for row in found.rows] == ["no real finite value: not compared"]


@pytest.mark.parametrize("x", [1e-200, 3e-60, 7e-8, 2e8, 1e120, 1e200])
def test_differences_are_taken_in_steps_of_the_size_of_the_coordinate(x: float) -> None:
    jet = central_differences(Metric([u], [[u**-2]]))((x,))
    with mpmath.workdps(80):
        exact = -2 / mpmath.mpf(x) ** 3, 6 / mpmath.mpf(x) ** 4
        found = jet.dg.item(), jet.ddg.item()
        errors = [abs(a - b) / abs(b) for a, b in zip(found, exact, strict=True)]
    assert max(errors) < 1e-60


@pytest.mark.slow
def test_a_score_without_bound_at_a_kink_is_integrated_to_its_end() -> None:
    table = ig.verify(ig.models.generalised_normal(), [[0.3, 1.7, 0.6]])
    assert table.agree
    assert any(row.route == "definition, quadrature" and row.compared for row in table.rows)


@pytest.mark.slow
def test_scores_that_grow_beyond_the_reach_of_a_quadrature_are_undecided_and_not_wrong() -> None:
    table = verify(ig.models.beta(), [[5, 0.01]])
    assert table.agree, table
    assert any(row.note.startswith("undecided: known to") for row in table.rows)


@pytest.mark.slow
def test_a_heavy_end_and_a_bound_of_the_kernels_make_nothing_wrong() -> None:
    # E of four scores of the generalised extreme value law does not converge below ξ = −1/4.
    table = verify(ig.models.generalised_extreme_value(), [[1, 2, -0.3], [0, 1, -0.2], [0, 1, 0.4]])
    assert table.agree, table
    assert "undecided: an integral does not converge" in {row.note for row in table.rows}


@pytest.mark.slow
def test_a_point_where_the_closed_form_is_a_limit_is_undecided() -> None:
    table = ig.verify(ig.models.von_mises_fisher(2), [[0, 0], [0.5, 0.5]])
    assert table.agree
    assert [row.note for row in table.rows if row.point == (0, 0)] == [
        "undecided: no value in mpmath there, ZeroDivisionError"
    ]
