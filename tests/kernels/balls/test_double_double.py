"""Compiled balls of fixed precision: they hold the truth, are narrow, and nothing beside a point changes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from flint import arb
from hypothesis import example, given, settings
from hypothesis import strategies as st

import infogeom as ig
from infogeom.kernels.balls import ball_functions, double_double
from infogeom.kernels.balls.double_double import WIDTH
from infogeom.kernels.balls.enclosures import precision
from infogeom.kernels.balls.fixed_precision import DoubleDouble, double_double_of
from infogeom.kernels.balls.registers import Program, functions_of
from infogeom.kernels.balls.stages import stage
from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.points.forms.closed import exact
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from tests import strategies

QUANTITIES = ("metric", "inverse_metric", "determinant", "christoffel", "riemann", "ricci", "ricci_scalar")
OBSERVED = (*QUANTITIES, "fisher_trace", "loss", "ntk_trace")
u, v, w = sympy.symbols("u v w", real=True)
anywhere = st.lists(st.floats(allow_nan=False), min_size=1, max_size=8)
moderate = st.lists(strategies.numbers(0.1, 30), min_size=1, max_size=8)

#: Sources, as kernels are, of functions of x and y.
FUNCTIONS = {
    "a sum": "x + y",
    "a difference": "x - y",
    "a product": "x * y",
    "a quotient": "x / y",
    "a root": "sqrt(x)",
    "a root of what cancels": "sqrt(x / 3 + y - y)",
    "a power": "x ** (y / 7)",
    "an exponential": "exp(x)",
    "a logarithm": "log(x)",
    "a logarithm beside 1": "log1p(x)",
    "a logistic function": "expit(x)",
    "its complement": "expit(-x)",
    "softplus": "softplus(x)",
    "softplus of the negative": "softplus(-x)",
    "a hyperbolic sine": "sinh(x)",
    "a hyperbolic cosine": "cosh(x)",
    "a hyperbolic tangent": "tanh(x)",
    "an inverse hyperbolic sine": "asinh(x)",
    "an absolute value": "fabs(x - y)",
    "a sign": "sign(x - y)",
    "what cancels": "exp(x - y) * exp(y) / exp(x) - 1",
    "a slope": "expit(x * y) * (expit(-x * y) - expit(x * y))",
    "a pole near by": "1 / (sqrt(x * x + y * y) - fabs(x))",
}


def value(source: str, functions: Mapping[str, Callable[..., Any]], x: Any, y: Any) -> Any:
    """Value of a source in whatever arithmetic."""
    namespace: dict[str, Any] = {**functions, "x": x, "y": y}
    exec(f"result = {source}", namespace)
    return namespace["result"]


def enclosed(source: str, x: Sequence[float], y: Sequence[float], low: Sequence[float] = ()) -> np.ndarray:
    """Balls (3, m) of a function of numbers (m each), which have low parts so many times as large."""
    program, m = Program(), len(x)
    arguments = [program.input(k, sampled=False) for k in range(2)]
    result = value(source, functions_of(program), *arguments)
    table = np.zeros((2, 3, m + -m % WIDTH))
    table[:, 0, :m] = x, y
    if low:
        table[:, 1, :m] = table[:, 0, :m] * np.array(low)[:, None]
    balls = stage(program, [result.register], {a.register: k for k, a in enumerate(arguments)})(table)[0, :, :m]
    balls[:2] *= result.sign
    return balls


def holds(ball: Sequence[float], truth: arb) -> bool:
    """Whether a ball holds the truth, or says that it knows nothing."""
    h, l, r = map(float, ball)
    return not np.isfinite(r) or bool(abs(arb(h) + arb(l) - truth) <= arb(r))


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=25)
@given(x=anywhere, y=anywhere)
@example(x=[1e-200, 3.3e-160, 1e-310, 7e-305], y=[1.1e-120, 7.7e-155, 1e300, 1e-3])  # digits lost by underflow
@example(x=[3.3e-300, -7.1e-303, 1.9e-305], y=[7.7e-150, 1.3e-160, 2.9e-200])  # lost by a remainder, small divisor
@example(x=[1.7976931080746007e308] * 4, y=[0.0, 1.3407807828e154, 7.1e307, 1e-3])  # the splitting overflows
@example(x=[1e-10, 1e-12, 1e-7], y=[3.0, 0.7, 11.3])
@example(x=[-745.3, -600.1, -599.9, 709.7, 709.2], y=[0.3, 0.1, -0.3, 0.1, 700.0])  # the ends of the exponential
def test_a_ball_holds_the_truth_whatever_the_arguments(name: str, x: list[float], y: list[float]) -> None:
    m = min(len(x), len(y))
    balls = enclosed(FUNCTIONS[name], x[:m], y[:m])
    with precision(4000):
        for k in range(m):
            truth = value(FUNCTIONS[name], vars(ball_functions), arb(x[k]), arb(y[k]))
            assert holds(balls[:, k], arb(truth.mid())) or not truth.is_finite()
            # Nothing is known of what is not real, nor of what is beyond float64.
            assert truth.is_finite() or not np.isfinite(balls[2, k])


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name not in ("a sign", "a pole near by")])
@settings(max_examples=30)
@given(x=moderate, y=moderate)
def test_a_ball_is_narrow(name: str, x: list[float], y: list[float]) -> None:
    m = min(len(x), len(y))
    h, _, r = enclosed(FUNCTIONS[name], x[:m], y[:m])
    assert np.all(r <= 2.0**-88 * np.maximum(np.abs(h), 1.0))


@pytest.mark.parametrize("source", ["x + y", "x - y", "x * y", "x / y", "sqrt(x)"])
@given(x=moderate, y=moderate, low=st.tuples(*[strategies.numbers(2.0**-56, 2.0**-54)] * 2))
def test_one_operation_errs_by_no_more_than_it_says(source: str, x: list[float], y: list[float], low: Any) -> None:
    m = min(len(x), len(y))
    balls = enclosed(source, x[:m], y[:m], low)
    with precision(300):
        for k in range(m):
            a, b = (arb(h[k]) + arb(h[k] * share) for h, share in zip((x, y), low, strict=True))
            assert holds(balls[:, k], arb(value(source, vars(ball_functions), a, b).mid()))


@pytest.mark.parametrize("c", [2.0**-41, -(2.0**-42), 1e-13, -1e-15, 0.0])
def test_a_logarithm_near_one_is_held(c: float) -> None:
    with precision(300):
        assert holds(double_double.logarithm_near_one((c, c * 2.0**-54, 0.0)), (arb(c) * (1 + arb(2) ** -54)).log1p())


@pytest.mark.parametrize("m", [0.0054, -0.0054, 1e-3, 1e-5])
@pytest.mark.parametrize("radius", [0.0, 5e-4])
def test_the_tail_of_the_exponential_series_is_held(m: float, radius: float) -> None:
    with precision(600):
        for x in (arb(m) - radius, arb(m) + radius):
            tail = (x.exp() - sum((x**k / arb(k).gamma() / k for k in range(1, 7)), arb(1))) / x**7
            assert holds(double_double.series_tail((m, 0.0, radius)), tail)


@pytest.mark.parametrize(("u", "radius", "inside"), [(-700.0, 200.0, -500.0), (-700.0, 0.5, -699.6), (3.0, 0.9, 3.8)])
def test_an_exponential_of_a_wide_ball_holds_those_of_its_points(u: float, radius: float, inside: float) -> None:
    program = Program()
    x = program.input(0, sampled=False)
    table = np.repeat(np.array([[[u], [0.0], [radius]]]), WIDTH, axis=2)
    balls = stage(program, [functions_of(program)["exp"](x).register], {x.register: 0})(table)
    assert holds(balls[0, :, 0], arb(inside).exp())


@given(x=st.floats(-1e150, 1e150), y=st.floats(-1e150, 1e150))
def test_the_error_of_a_product_is_exact_in_compiled_code(x: float, y: float) -> None:
    product, error = compiled_module(double_double)["two_product"](x, y)
    assert product == x * y
    if abs(product) > 1e-200:
        assert Fraction(product) + Fraction(error) == Fraction(x) * Fraction(y)


@given(x=st.floats(-1e300, 1e300), y=st.floats(-1e300, 1e300))
def test_the_error_of_a_sum_is_exact_in_compiled_code(x: float, y: float) -> None:
    total, error = compiled_module(double_double)["two_sum"](x, y)
    assert Fraction(total) + Fraction(error) == Fraction(x) + Fraction(y)


@pytest.mark.parametrize(("p", "q"), [(1, 3), (-22, 7), (10**30 + 1, 10**10), (3, 4)])
def test_a_rational_constant_is_held(p: int, q: int) -> None:
    number = Program().ratio(p, q)
    h, l, r = map(Fraction, number.constant)
    assert abs(number.sign * (h + l) - Fraction(p, q)) <= r
    assert (r == 0) == (h + l == abs(Fraction(p, q)))


def test_functions_of_constants_are_constants() -> None:
    program = Program()
    call = functions_of(program)
    number = call["gamma"](0.25) * call["zeta"](program.number(3)) + call["polygamma"](1, program.ratio(1, 3))
    with precision(200):
        truth = arb("0.25").gamma() * arb(3).zeta() + ball_functions.polygamma(1, arb(1) / 3)
        # Constants are folded where they are exact; here they are not.
        balls = stage(program, [number.register], {})(np.zeros((0, 3, WIDTH)))[0, :, 0]
        assert holds(balls, truth)
        assert balls[2] <= 2.0**-100 * balls[0]


@pytest.mark.parametrize(("p", "q"), [(-1, 3), (-5, 2), (7, 3)])
def test_functions_of_constants_see_their_signs(p: int, q: int) -> None:
    program = Program()
    number = functions_of(program)["gamma"](program.ratio(p, q))
    h, l, r = number.constant
    with precision(200):
        assert holds((number.sign * h, number.sign * l, r), (arb(p) / q).gamma())


# --- Metrics ----------------------------------------------------------------------------------------------------------


def doubles(metric: Any, quantities: Sequence[str] = QUANTITIES) -> tuple[DoubleDouble, Any]:
    """A metric in balls of fixed precision and of any."""
    metric = ig.symbolic.metric(metric) if isinstance(metric, ig.models.Model) else metric
    balls = exact(metric, quantities)
    found = double_double_of(balls, quantities)
    assert found is not None
    return found, balls


def assert_held(found: DoubleDouble, balls: Any, points: np.ndarray, quantities: Sequence[str]) -> None:
    enclosures = found.enclose(points)
    for k, point in enumerate(points):
        truths = balls.enclose(point, quantities, 300).values
        with precision(300):
            for name in quantities:
                for ball, truth in zip(enclosures[found.at[name], :, k], truths[name].ravel(), strict=True):
                    assert holds(ball, arb(truth.mid())), name


def network(samples: int, loss: Any, fisher: str = "empirical", seed: int = 0, **options: Any) -> ig.models.Model:
    inputs, targets = ig.models.decision_boundary(samples, seed=seed)
    return ig.models.sigmoid_neuron(inputs, targets, loss, fisher=fisher, **options)


LOSSES = [CrossEntropy(), LpNorm(1), LpNorm(2), LpNorm(1.5), MeanPower(2), MeanPower(4)]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)


@every_loss
@pytest.mark.parametrize("fisher", ["empirical", "expected"])
@pytest.mark.parametrize("reach", [3, 30, 300])
def test_balls_of_a_network_hold_the_truth(loss: Any, fisher: str, reach: float) -> None:
    points = np.random.default_rng(reach).uniform(-reach, reach, (2, 2))
    found, balls = doubles(network(17, loss, fisher), OBSERVED)
    assert_held(found, balls, points, OBSERVED)


@every_loss
def test_points_of_a_network_are_settled_and_rounded_as_by_balls(loss: Any) -> None:
    points = np.random.default_rng(5).uniform(-3, 3, (3, 2))
    model = network(100, loss)
    found, balls = doubles(model, OBSERVED)
    values, errors, settled = found.refine(points)
    assert settled.all()
    for k, point in enumerate(points):
        refined = balls.refine(point, OBSERVED)
        for name in OBSERVED:
            assert np.array_equal(values[name][:, k], refined.values[name].ravel()), name
            assert np.allclose(errors[name][:, k], refined.values[f"{name}_error"].ravel(), rtol=1e-6, atol=1e-300)


@settings(max_examples=5)
@given(exponent=strategies.numbers(1, 9))
def test_balls_hold_the_truth_where_data_are_nearly_collinear(exponent: float) -> None:
    inputs, targets = ig.models.decision_boundary(20, seed=1)
    inputs[:, 1] = inputs[:, 0] * (1 + 10**-exponent * inputs[:, 1])
    found, balls = doubles(ig.models.sigmoid_neuron(inputs, targets, CrossEntropy()))
    assert_held(found, balls, np.array([[0.5, -1.0], [2.0, 1.0]]), QUANTITIES)


@pytest.mark.parametrize("weights", [[1, 2, 3, 0, 5], [0, 0, 1, 7, 0.1]], ids=str)
def test_samples_weigh_what_they_weigh(weights: list[float]) -> None:
    found, balls = doubles(network(5, LpNorm(2), weights=np.array(weights)), OBSERVED)
    assert_held(found, balls, np.array([[0.4, -0.3], [1.2, 2.0]]), OBSERVED)


@pytest.mark.parametrize("samples", [1, WIDTH - 1, WIDTH, WIDTH + 1, 3 * WIDTH])
def test_every_number_of_samples_is_summed(samples: int) -> None:
    found, balls = doubles(network(samples, CrossEntropy()), ("metric", "loss"))
    assert_held(found, balls, np.array([[0.4, -0.3]]), ("metric", "loss"))


@pytest.mark.slow
def test_so_many_samples_that_they_are_taken_in_parts_are_summed() -> None:
    found, balls = doubles(network(70_000, CrossEntropy()), ("metric", "ricci_scalar"))
    (point,) = points = np.array([[0.4, -0.3]])
    values, _, settled = found.refine(points)
    assert settled.all()
    assert np.array_equal(values["metric"][:, 0], balls.refine(point, ("metric",)).values["metric"].ravel())


CLOSED = {
    "rational": ((u, v), [[1 / v**2, u / 9], [u / 9, 3 + u**2 / v]], 2),
    "exponential": ((u, v), [[sympy.exp(u) + sympy.exp(-v), sympy.tanh(u) / 9], [sympy.tanh(u) / 9, sympy.cosh(v)]], 2),
    "logarithms and roots": ((u, v), [[1 + sympy.log(1 + u**2), 0], [0, sympy.sqrt(v) + sympy.pi * sympy.cbrt(u)]], 2),
    "indefinite": ((u, v, w), [[-1 + 1 / (3 + u), v / 9, 0], [v / 9, 1 + u**2, w / 11], [0, w / 11, 2 + v**2]], 3),
    "one parameter": ((u,), [[sympy.log(1 + sympy.exp(u)) + 1]], 1),
}  # fmt: skip


@pytest.mark.parametrize("name", CLOSED)
def test_balls_of_a_closed_form_hold_the_truth(name: str) -> None:
    coordinates, matrix, n = CLOSED[name]
    found, balls = doubles(ig.symbolic.Metric(coordinates, sympy.Matrix(matrix)))
    assert_held(found, balls, np.random.default_rng(2).uniform(0.1, 2, (4, n)), QUANTITIES)


METRICS = {"samples": network(50, CrossEntropy()), "closed form": ig.symbolic.Metric(*CLOSED["exponential"][:2])}


@pytest.mark.parametrize("name", METRICS)
def test_nothing_beside_a_point_changes_its_bits(name: str) -> None:
    found, _ = doubles(METRICS[name])
    points = np.random.default_rng(3).uniform(-2, 2, (WIDTH + 5, 2))
    points[7] = np.inf
    together = found.enclose(points)
    for k in (0, 6, 8, WIDTH - 1, WIDTH, WIDTH + 4):
        assert np.array_equal(together[:, :, k], found.enclose(points[k : k + 1])[:, :, 0])


@pytest.mark.parametrize("point", [[np.nan, 0.1], [np.inf, 1.0], [800.0, 0.0], [0.0, 0.0]], ids=str)
def test_nothing_is_settled_where_nothing_is_known(point: list[float]) -> None:
    found, _ = doubles(ig.symbolic.Metric([u, v], [[sympy.exp(u), 0], [0, v**2]]))
    assert not found.refine(np.array([point])).settled.any()


def test_a_singular_metric_is_not_settled_even_where_only_it_is_asked_for() -> None:
    found, _ = doubles(ig.symbolic.Metric([u, v], [[1 + u**2, 1 + u**2], [1 + u**2, 1 + u**2]]), ("metric",))
    assert not found.refine(np.array([[0.3, 0.4]])).settled.any()


def test_a_function_without_a_version_leaves_the_metric_to_balls() -> None:
    metric = ig.symbolic.Metric([u, v], [[sympy.polygamma(1, u), 0], [0, 1 + v**2]])
    assert double_double_of(exact(metric, ("metric",)), ("metric",)) is None


def test_refined_points_of_a_map_are_as_balls_have_them() -> None:
    metric = ig.symbolic.Metric([u, v], [[1 + u**2, 0], [0, 1 + sympy.exp(v) * u]])
    asked = ("ricci_scalar", "log10_ricci_scalar", "ricci_scalar_sign", "metric_rank", "null_directions")
    points = np.random.default_rng(4).uniform(0, 2, (20, 2))
    found = ig.grid.evaluate_points(metric, points, asked, rtol=2.3e-16)
    refined = np.flatnonzero(found.status == 1)
    assert len(refined) > 10
    assert (found.metric_rank == 2).all()
    assert not found.null_directions.any()
    balls = exact(metric, ("ricci_scalar",))
    for k in refined:
        told = balls.refine(points[k], asked).values
        for name in ("ricci_scalar", "log10_ricci_scalar", "ricci_scalar_sign"):
            assert found[name].values[k] == told[name]
        assert found.ricci_scalar_error.values[k] == pytest.approx(float(told["ricci_scalar_error"]), rel=1e-6)
