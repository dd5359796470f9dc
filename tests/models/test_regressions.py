"""Regressions by name and by functions of several parameters, against sums and integrals of p s sᵀ in mpmath."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import sympy
from mpmath import mp, mpf

import infogeom as ig
from infogeom.kernels.status import Status
from infogeom.models import Model
from infogeom.symbolic import ExpectationError
from tests.law_reference import curvature_of

Array = np.ndarray[Any, np.dtype[Any]]
a, b, c, d, x = sympy.symbols("a b c d x", real=True)
INPUTS = [[0.0, 1.0], [1.0, 0.5], [2.0, -1.0], [0.25, 0.125]]
DIGITS = 40

#: Probabilities of the outcomes of one observation, by the parameters and a row of inputs.
Outcomes = Callable[[Sequence[Any], Sequence[Any]], Sequence[Any]]


def linear(theta: Sequence[Any], row: Sequence[Any]) -> Any:
    return theta[0] + mp.fsum(b * v for b, v in zip(theta[1:], row, strict=True))


def sigmoid(u: Any) -> Any:
    return 1 / (1 + mp.exp(-u))


def trial(p: Any, q: Any) -> Sequence[Any]:
    return [p, q]


def logistic(theta: Sequence[Any], row: Sequence[Any]) -> Sequence[Any]:
    eta = linear(theta, row)
    return trial(sigmoid(eta), sigmoid(-eta))


def probit(theta: Sequence[Any], row: Sequence[Any]) -> Sequence[Any]:
    eta = linear(theta, row) / mp.sqrt(2)
    return trial(mp.erfc(-eta) / 2, mp.erfc(eta) / 2)


def poisson(theta: Sequence[Any], row: Sequence[Any]) -> Sequence[Any]:
    rate = mp.exp(linear(theta, row))
    return [mp.exp(-rate) * rate**k / mp.factorial(k) for k in range(80)]


def logit_of_three(theta: Sequence[Any], row: Sequence[Any]) -> Sequence[Any]:
    half = len(theta) // 2
    weights = [mpf(1), mp.exp(linear(theta[:half], row)), mp.exp(linear(theta[half:], row))]
    return [w / mp.fsum(weights) for w in weights]


def item(theta: Sequence[Any], row: Sequence[Any]) -> Sequence[Any]:
    slope, difficulty, guess = {1: [1, *theta, 0], 2: [*theta, 0], 3: theta}[len(theta)]
    u = slope * (row[0] - difficulty)
    return trial(guess + (1 - guess) * sigmoid(u), (1 - guess) * sigmoid(-u))


def metric_of(outcomes: Outcomes, theta: Sequence[Any], inputs: Sequence[Sequence[float]]) -> Array:
    """Mean over the inputs of Σ_y ∂_i p ∂_j p / p, derivatives by differences."""
    n, h = len(theta), mpf(10) ** (-mp.dps // 3)
    total = np.zeros((n, n), dtype=object)
    for row in inputs:
        exact = [mpf(v) for v in row]
        p = outcomes(theta, exact)
        slopes = []
        for k in range(n):
            up, down = list(theta), list(theta)
            up[k], down[k] = up[k] + h, down[k] - h
            pairs = zip(outcomes(up, exact), outcomes(down, exact), strict=True)
            slopes.append([(more - less) / (2 * h) for more, less in pairs])
        for i in range(n):
            for j in range(n):
                total[i, j] += mp.fsum(s * t / q for s, t, q in zip(slopes[i], slopes[j], p, strict=True))
    return total / len(inputs)


def expected(outcomes: Outcomes, theta: Sequence[float], inputs: Sequence[Sequence[float]], digits: int) -> Array:
    with mp.workdps(digits):
        return metric_of(outcomes, [mpf(v) for v in theta], inputs).astype(float)


ABILITIES = [[-2.0], [-0.5], [0.0], [1.0], [3.0]]
FLAT_ABILITIES = [row[0] for row in ABILITIES]
#: Each with its outcomes, and points: a typical one, and one far out.
BY_NAME: dict[str, tuple[Callable[[], Model], Outcomes, list[list[float]]]] = {
    "logistic": (lambda: ig.models.logistic_regression(INPUTS), logistic, [[0.3, -0.5, 1], [40, 3, -2]]),
    "probit": (lambda: ig.models.probit_regression(INPUTS), probit, [[0.3, -0.5, 1], [-12, 1, 3]]),
    "Poisson": (lambda: ig.models.poisson_regression(INPUTS), poisson, [[0.3, -0.5, 1], [-20, 1, 1]]),
    "multinomial": (
        lambda: ig.models.multinomial_logit(INPUTS, 3),
        logit_of_three,
        [[0.3, -0.5, 1, -0.2, 0.4, 0.1], [45, 1, 1, -30, 2, 3]],
    ),
    "Rasch": (lambda: ig.models.item_response(FLAT_ABILITIES, 1), item, [[0.4], [-40]]),
    "two parameters": (lambda: ig.models.item_response(FLAT_ABILITIES, 2), item, [[1.5, 0.4], [1, -40]]),
    "three parameters": (
        lambda: ig.models.item_response(FLAT_ABILITIES, 3),
        item,
        [[1.5, 0.4, 0.2], [1, -40, 0.2], [1, 30, 0.2]],
    ),
}
each = pytest.mark.parametrize(
    "name", [n if n == "multinomial" else pytest.param(n, marks=pytest.mark.slow) for n in BY_NAME]
)


@each
def test_the_metric_is_the_mean_of_sums_over_outcomes(name: str) -> None:
    model, outcomes, points = BY_NAME[name]
    ds = ig.evaluate_points(model(), points, ["metric"])
    inputs = ABILITIES if outcomes is item else INPUTS
    assert ds.status.isin([Status.OK, Status.REFINED]).all()
    for k, point in enumerate(points):
        g = expected(outcomes, point, inputs, DIGITS)
        size = np.sqrt(np.outer(np.diag(g), np.diag(g)))
        assert (abs(ds.metric.values[k] - g) <= 1e-9 * size).all()


@pytest.mark.slow  # 20 s each
@pytest.mark.parametrize("name", ["multinomial", "three parameters"])
def test_the_curvature_is_that_of_the_metric_by_differences(name: str) -> None:
    model, outcomes, (point, *_) = BY_NAME[name]
    inputs, law = ABILITIES, model()
    if name == "multinomial":
        law, point = ig.models.multinomial_logit(FLAT_ABILITIES, 3), point[:4]
    found = ig.evaluate_points(law, [point], ["ricci_scalar"])
    R = curvature_of(lambda *theta: metric_of(outcomes, theta, inputs), point, "1e-6", 45)
    # Differences err by h² = 1e-12 times high derivatives, in g itself by 1e-30.
    assert float(found.ricci_scalar[0]) == pytest.approx(float(R), rel=1e-9)


@pytest.mark.slow
def test_a_gamma_regression_has_mean_and_shape() -> None:
    point = [0.3, -0.5, 1.0, 2.5]
    ds = ig.evaluate_points(ig.models.gamma_regression(INPUTS), [point], ["metric"])
    assert list(ds.i.values) == ["b0", "b1", "b2", "shape"]

    b, k = point[:3], mpf(point[3])

    def weighed(y: Any, rate: Any) -> Any:
        s = [rate * y - k, mp.log(rate) + 1 - mp.psi(0, k) + mp.log(y) - rate * y / k]
        p = mp.exp(k * mp.log(rate) - mp.loggamma(k) + (k - 1) * mp.log(y) - rate * y)
        return mp.matrix([s[0] * s[0], s[0] * s[1], s[1] * s[1]]) * p

    # The trapezoidal rule in log y, for smooth integrands that vanish fast on both sides.
    g, step = np.zeros((4, 4)), mpf(1) / 16
    for row in INPUTS:
        rate = k / mp.exp(linear(b, row))
        nodes = [mp.exp(n * step) / rate for n in range(-400, 100)]
        total = sum((weighed(y, rate) * y for y in nodes), mp.zeros(3, 1)) * step
        of_law = np.array([[total[0], total[1]], [total[1], total[2]]], dtype=float)
        J = np.array([[1, *row, 0], [0, 0, 0, 1]])
        g += J.T @ of_law @ J / len(INPUTS)
    assert ds.metric.values[0] == pytest.approx(g, rel=1e-9, abs=1e-9)


def test_location_and_scale_of_the_noise_each_have_a_function() -> None:
    functions = {"mu": a + b * x, "sigma": sympy.exp(c + d * x)}
    line = ig.models.regression(functions, ig.models.normal(), [0, 1, 2], variables=x, parameters=[a, b, c, d])
    ds = ig.evaluate_points(line, [[0.3, 1, -0.4, 0.5]], ["metric"])
    g = np.zeros((4, 4))
    for v in (0, 1, 2):
        xx = np.outer([1, v], [1, v]) / 3
        g[:2, :2] += xx * np.exp(-2 * (-0.4 + 0.5 * v))
        g[2:, 2:] += 2 * xx
    assert ds.metric.values[0] == pytest.approx(g, rel=1e-14, abs=1e-15)


@pytest.mark.slow
def test_what_no_function_is_given_for_stays_a_parameter() -> None:
    law = ig.models.regression(
        {"sigma": sympy.exp(a * x)}, ig.models.normal(), [1, 2], variables=x, parameters=[a], weights=[1, 3]
    )
    assert [p.name for p in law.parameters] == ["a", "mu"]
    ds = ig.evaluate_points(law, [[0.5, 7]], ["metric"])
    squares = 2 * (0.25 * 1 + 0.75 * 4)
    assert ds.metric.values[0] == pytest.approx(np.diag([squares, 0.25 * np.exp(-1) + 0.75 * np.exp(-2)]))


@pytest.mark.slow
def test_an_ordered_logit_is_a_multinomial_with_functions_for_its_probabilities() -> None:
    sigma = ig.functions.expit
    low, step = sympy.Symbol("low", real=True), sympy.Symbol("step", positive=True)
    functions = {"p1": sigma(low - b * x), "p2": sigma(low + step - b * x) - sigma(low - b * x)}
    law = ig.models.regression(
        functions, ig.models.multinomial(1, 3), [-1, 0, 2], variables=x, parameters=[b, low, step]
    )
    point = [0.7, -0.4, 1.3]

    def outcomes(theta: Sequence[Any], row: Sequence[Any]) -> Sequence[Any]:
        first, second = (sigmoid(theta[1] + extra - theta[0] * row[0]) for extra in (0, theta[2]))
        return [first, second - first, 1 - second]

    found = ig.evaluate_points(law, [point], ["metric"]).metric.values[0]
    assert found == pytest.approx(expected(outcomes, point, [[-1], [0], [2]], DIGITS), rel=1e-9)


def typed_logit(second: sympy.Expr) -> Model:
    y1, y2 = sympy.symbols("y1 y2", nonnegative=True)
    first = a + b * x
    law = y1 * first + y2 * second - sympy.log(1 + sympy.exp(first) + sympy.exp(second))
    supports = (sympy.Range(0, 2), sympy.Range(0, 2 - y1))
    data = ig.models.Samples((x,), [[0.0], [1.0], [2.0]])
    parameters = [ig.models.Parameter(s) for s in sorted(law.free_symbols - {y1, y2, x}, key=str)]
    return Model("typed logit", parameters, law, (y1, y2), supports, samples=data)


def test_parameters_of_several_predictors_are_told_apart_by_all_samples_together() -> None:
    point = [0, 1, 0.2, -0.5]
    found = ig.evaluate_points(typed_logit(c + d * x), [point], ["metric"])

    g = expected(logit_of_three, point, [[0], [1], [2]], DIGITS)
    assert found.status == Status.OK
    assert found.metric.values[0] == pytest.approx(g, rel=1e-9)


def test_parameters_that_no_data_would_tell_apart_are_redundant() -> None:
    with pytest.raises(ExpectationError, match=r"redundant.*direction \(a: 0, b: 0, c: -?1, d: -?1\)"):
        ig.metric(typed_logit((c - d) * x))


@pytest.mark.slow
def test_dependent_inputs_are_singular_and_no_fault_of_the_parameters() -> None:
    celsius = np.round(np.random.default_rng(0).uniform(10, 30, 12), 1)
    X = np.column_stack([celsius, 1.8 * celsius + 32])
    with pytest.warns(ig.grid.StatusWarning, match="1 singular"):
        ds = ig.evaluate_points(ig.models.logistic_regression(X), [[0, 0.1, 0.1]], ["metric_rank", "ricci_scalar"])
    assert (ds.status, ds.metric_rank) == (Status.SINGULAR, 2)


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: ig.models.logistic_regression([]), ValueError, r"X must have shape \(N,\) or \(N, k\) .* got \(0,\)"),
        (lambda: ig.models.probit_regression([0, np.nan]), ValueError, "X must be finite, got nan at index 1"),
        (lambda: ig.models.poisson_regression(np.zeros((1, 1, 1))), ValueError, r"X must have .* got \(1, 1, 1\)"),
        (lambda: ig.models.gamma_regression([0, 1], weights=[1]), ValueError, "weights must have one entry per sample"),
        (lambda: ig.models.multinomial_logit([0, 1], 1), ValueError, "outcomes must be at least 2, got 1"),
        (lambda: ig.models.multinomial_logit([0, 1], 27), ValueError, "outcomes must be at most 26, .* got 27"),
        (lambda: ig.models.item_response([0, 1], 4), ValueError, "kind must be the number of parameters, .* got 4"),
        (lambda: ig.models.item_response([0], np.ones(2)), ValueError, r"kind must be the number .* got array"),
        (lambda: ig.models.item_response([], 1), ValueError, "abilities must hold at least one, got none"),
        (lambda: ig.models.item_response([[0, 1]], 1), ValueError, r"abilities must have 1 dimension, got shape"),
    ],
)
def test_what_is_no_regression_is_refused_by_name(make: Callable[[], Model], error: type, told: str) -> None:
    with pytest.raises(error, match=told):
        make()


def test_functions_are_of_parameters_that_the_noise_has() -> None:
    with pytest.raises(ValueError, match=r"mean_function must name parameters of 'normal', \['mu', 'sigma'\], got"):
        ig.models.regression({"rate": a * x}, ig.models.normal(), [0, 1], variables=x, parameters=[a])
