"""Models that hold observations: score and information against differences of the log-likelihood in mpmath."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import sympy
from mpmath import mp, mpf

import infogeom as ig
from infogeom.kernels.status import Status
from infogeom.models import Model, observe

Array = np.ndarray[Any, np.dtype[Any]]
LIKELIHOOD = ["metric", "score", "log_likelihood"]
INPUTS = [0.0, 1.0, 2.0, -0.5]


def gamma(theta: Sequence[Any], row: Sequence[float]) -> Any:
    k, rate = theta
    return k * mp.log(rate) - mp.loggamma(k) + (k - 1) * mp.log(row[0]) - rate * row[0]


def weibull(theta: Sequence[Any], row: Sequence[float]) -> Any:
    k, scale = theta
    return mp.log(k / scale) + (k - 1) * mp.log(row[0] / scale) - (row[0] / scale) ** k


def logit(theta: Sequence[Any], row: Sequence[float]) -> Any:
    weights = [mpf(1)] + [mp.exp(theta[k] + theta[k + 1] * row[0]) for k in range(0, len(theta), 2)]
    return mp.log(weights[int(row[1])] / mp.fsum(weights))


def poisson(theta: Sequence[Any], row: Sequence[float]) -> Any:
    eta = theta[0] + theta[1] * row[0]
    return row[1] * eta - mp.exp(eta) - mp.loggamma(row[1] + 1)


def gamma_by_mean(theta: Sequence[Any], row: Sequence[float]) -> Any:
    return gamma([theta[2], theta[2] / mp.exp(theta[0] + theta[1] * row[0])], row[1:])


def item(theta: Sequence[Any], row: Sequence[float]) -> Any:
    p = theta[2] + (1 - theta[2]) / (1 + mp.exp(-theta[0] * (row[0] - theta[1])))
    return mp.log(p if row[1] else 1 - p)


def probit(theta: Sequence[Any], row: Sequence[float]) -> Any:
    sign = 1 if row[1] else -1
    return mp.log(mp.erfc(-sign * (theta[0] + theta[1] * row[0]) / mp.sqrt(2)) / 2)


def beside(y: Sequence[float]) -> list[list[float]]:
    return [[v, w] for v, w in zip(INPUTS, y, strict=True)]


POSITIVE = [0.3, 1.2, 2.5, 0.7]
TRIALS = [0, 1, 1, 0]
#: Each with its log-likelihood, the rows that this takes, and a point.
CASES: dict[str, tuple[Callable[[str], Model], Callable[..., Any], Sequence[Sequence[float]], Sequence[float]]] = {
    "gamma": (lambda f: observe(ig.models.gamma(), POSITIVE, fisher=f), gamma, [[v] for v in POSITIVE], [1.7, 0.8]),
    "Weibull": (
        lambda f: observe(ig.models.weibull(), POSITIVE, fisher=f),
        weibull,
        [[v] for v in POSITIVE],
        [1.7, 0.8],
    ),
    "logistic": (lambda f: ig.models.logistic_regression(INPUTS, TRIALS, fisher=f), logit, beside(TRIALS), [0.3, -1]),
    "probit": (lambda f: ig.models.probit_regression(INPUTS, TRIALS, fisher=f), probit, beside(TRIALS), [0.3, -1]),
    "Poisson": (
        lambda f: ig.models.poisson_regression(INPUTS, [3, 0, 1, 7], fisher=f),
        poisson,
        beside([3, 0, 1, 7]),
        [0.3, -1],
    ),
    "gamma by mean": (
        lambda f: ig.models.gamma_regression(INPUTS, POSITIVE, fisher=f),
        gamma_by_mean,
        beside(POSITIVE),
        [0.3, -1, 2],
    ),
    "multinomial": (
        lambda f: ig.models.multinomial_logit(INPUTS, 3, [2, 0, 1, 1], fisher=f),
        logit,
        beside([2, 0, 1, 1]),
        [0.3, -1, 0.2, 0.9],
    ),
    "item": (lambda f: ig.models.item_response(INPUTS, 3, TRIALS, fisher=f), item, beside(TRIALS), [1.2, 0.4, 0.2]),
}
each = pytest.mark.parametrize(
    "name", [name if name == "gamma" else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
)


def of_data(name: str) -> tuple[float, Array, Array, Array]:
    """Log-likelihood, score, information −∂∂ℓ and mean of s sᵀ, means over the rows, by differences."""
    _, log_p, rows, point = CASES[name]
    n, theta = len(point), [mpf(v) for v in point]
    with mp.workdps(30):
        scores, information = np.zeros((len(rows), n)), np.zeros((n, n))
        for r, row in enumerate(rows):
            for i in range(n):
                orders = tuple(int(k == i) for k in range(n))
                scores[r, i] = mp.diff(lambda *t, row=row: log_p(t, row), theta, orders)
                for j in range(n):
                    both = tuple(int(k == i) + int(k == j) for k in range(n))
                    information[i, j] -= mp.diff(lambda *t, row=row: log_p(t, row), theta, both) / len(rows)
        total = mp.fsum(log_p(theta, row) for row in rows) / len(rows)
    return float(total), scores.mean(axis=0), information, scores.T @ scores / len(rows)


@each
def test_score_and_observed_information_are_derivatives_of_the_log_likelihood(name: str) -> None:
    model, *_, point = CASES[name]
    total, score, information, _ = of_data(name)
    ds = ig.evaluate_points(model("observed"), [point], LIKELIHOOD)
    assert ds.attrs["fisher"] == "observed"
    assert ds.status == Status.OK
    assert ds.log_likelihood.item() == pytest.approx(total, rel=1e-13)
    assert ds.score.values[0] == pytest.approx(score, rel=1e-12, abs=1e-12)
    assert ds.metric.values[0] == pytest.approx(information, rel=1e-12, abs=1e-12)


@pytest.mark.slow
def test_the_empirical_information_is_the_mean_of_products_of_scores() -> None:
    model, *_, point = CASES["gamma"]
    *_, empirical = of_data("gamma")
    ds = ig.evaluate_points(model("empirical"), [point], ["metric"])
    assert ds.metric.values[0] == pytest.approx(empirical, rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gamma", "multinomial"])
def test_the_expected_information_of_observations_is_that_of_the_law(name: str) -> None:
    model, *_, point = CASES[name]
    law = ig.models.gamma() if name == "gamma" else ig.models.multinomial_logit(INPUTS, 3)
    ds, expected = ig.evaluate_points(model("expected"), [point]), ig.evaluate_points(law, [point])
    assert ds.metric.values == pytest.approx(expected.metric.values, rel=1e-14)
    assert ds.ricci_scalar.values == pytest.approx(expected.ricci_scalar.values, rel=1e-9)


@pytest.mark.slow
def test_score_and_log_likelihood_have_errors_and_run_on_grids() -> None:
    law = CASES["gamma"][0]("observed")
    ds = ig.evaluate(law, {"shape": [1.0, 1.7], "rate": [0.5, 0.8, 1.0]}, ["score", "score_error", "log_likelihood"])
    total, score, *_ = of_data("gamma")
    assert ds.score.dims == ("shape", "rate", "i")
    assert ds.score.values[1, 1] == pytest.approx(score, rel=1e-12)
    assert ds.log_likelihood.values[1, 1] == pytest.approx(total, rel=1e-13)
    assert (ds.score_error > 0).all()
    assert (ds.score_error < 1e-13).all()


@pytest.mark.slow
def test_away_from_the_maximum_the_observed_information_may_be_indefinite() -> None:
    # −∂²ℓ in μ of a Cauchy law is negative where |y − μ| > γ.
    law = observe(ig.models.cauchy(), [3.0], fisher="observed")
    ds = ig.evaluate_points(law, [[0.0, 1.0]], ["metric", "determinant"])
    with mp.workdps(30):
        log_p = lambda m, s: mp.log(s / ((3 - m) ** 2 + s**2))  # noqa: E731
        g = [[-mp.diff(log_p, (0, 1), order) for order in row] for row in (((2, 0), (1, 1)), ((1, 1), (0, 2)))]
    assert ds.metric.values[0] == pytest.approx(np.array(g, dtype=float), rel=1e-13)
    assert ds.determinant.item() == pytest.approx(float(g[0][0] * g[1][1] - g[0][1] ** 2), rel=1e-13)
    assert ds.status == Status.OK


@pytest.mark.slow
def test_a_score_in_other_coordinates_is_that_of_the_law_in_them() -> None:
    mean = sympy.Symbol("mean", positive=True)
    shape, rate = (p.symbol for p in ig.models.gamma().parameters)
    change = {rate: shape / mean}
    after = ig.models.reparametrise(observe(ig.models.gamma(), POSITIVE, fisher="empirical"), change)
    before = observe(ig.models.reparametrise(ig.models.gamma(), change), POSITIVE, fisher="empirical")
    assert after.fisher == "empirical"
    found, expected = (ig.evaluate_points(law, [[1.7, 0.8]], LIKELIHOOD) for law in (after, before))
    for name in LIKELIHOOD:
        assert found[name].values == pytest.approx(expected[name].values, rel=1e-13)


@pytest.mark.slow
def test_observations_of_a_law_without_a_closed_form_have_both() -> None:
    data = [0.3, -0.2, 1.4]
    law, expected = observe(ig.models.skew_normal(), data, fisher="observed"), observe(ig.models.skew_normal(), data)
    assert ig.evaluate_points(law, [[0, 1, 2]], LIKELIHOOD).status == Status.OK
    known = ig.evaluate_points(ig.models.skew_normal(), [[0, 1, 2]], ["metric"])
    assert (ig.evaluate_points(expected, [[0, 1, 2]], ["metric"]).metric.values == known.metric.values).all()


def test_times_of_which_some_were_censored_have_a_likelihood() -> None:
    # ℓ is the mean of log r − r and −2r, and −∂∂ℓ is the share of those seen over r².
    law, rate = ig.models.censored(ig.models.exponential(), 2), 0.7
    ds = ig.grid.evaluate_points(
        observe(law, [[1, 1], [2, 0]], fisher="observed"), [[rate]], ["metric", "score", "log_likelihood"]
    )
    assert ds.log_likelihood.values == pytest.approx((np.log(rate) - 3 * rate) / 2, rel=1e-14)
    assert ds.score.values == pytest.approx((1 / rate - 3) / 2, rel=1e-14)
    assert ds.metric.values == pytest.approx(1 / rate**2 / 2, rel=1e-14)


@pytest.mark.slow
def test_what_is_observed_of_a_law_in_another_variable_is_its_own() -> None:
    law = observe(ig.models.generalised_extreme_value(), [0.3, 1.1], fisher="observed")
    point = (0.2, 1.0, 0.1)
    ds = ig.evaluate_points(law, [point], ["log_likelihood", "score"])

    def log_p(mu: Any, sigma: Any, xi: Any) -> Any:
        t = [(1 + xi * (v - mu) / sigma) for v in (mpf("0.3"), mpf("1.1"))]
        return mp.fsum(-mp.log(sigma) - (1 + 1 / xi) * mp.log(v) - v ** (-1 / xi) for v in t) / 2

    score = [float(mp.diff(log_p, point, tuple(int(k == i) for k in range(3)))) for i in range(3)]
    assert ds.log_likelihood.item() == pytest.approx(float(log_p(*map(mpf, point))), rel=1e-12)
    assert ds.score.values[0] == pytest.approx(score, rel=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("fisher", ["expected", "empirical"])
def test_laws_with_observations_are_verified_by_what_they_are(fisher: str) -> None:
    law, mean = observe(ig.models.gamma(), POSITIVE, fisher=fisher), sympy.Symbol("mean", positive=True)
    by_mean = ig.models.reparametrise(law, {"rate": law.parameters[0].symbol / mean})
    for model in (law, by_mean):
        assert ig.verify(model, [[1.7, 0.8]]).agree


# --- What there is none of --------------------------------------------------------------------------------------------

NONE = "no tensor away from the maximum"


@pytest.mark.parametrize("quantity", ["christoffel", "ricci_scalar", "riemann_error", "log10_ricci_scalar"])
def test_an_observed_information_has_no_curvature(quantity: str) -> None:
    with pytest.raises(ValueError, match=rf"quantities \['{quantity}'\] .*{NONE}"):
        ig.evaluate_points(CASES["gamma"][0]("observed"), [[1, 1]], ["metric", quantity])


def test_an_observed_information_has_no_connection_in_closed_form() -> None:
    metric = ig.metric(CASES["gamma"][0]("observed")).expand()
    for tensor in (ig.symbolic.christoffel, ig.symbolic.ricci_scalar):
        with pytest.raises(TypeError, match=NONE):
            tensor(metric)
    assert metric.inverse().shape == (2, 2)


def test_an_observed_information_has_no_other_coordinates() -> None:
    law, t = CASES["gamma"][0]("observed"), sympy.Symbol("t", positive=True)
    metric = ig.metric(law)
    with pytest.raises(TypeError, match=f"reparametrise cannot take 'gamma': .*{NONE}"):
        ig.models.reparametrise(law, {"rate": 1 / t})
    with pytest.raises(TypeError, match=NONE):
        ig.Metric([t], ig.symbolic.PulledBack(metric.form, dict.fromkeys(metric.coordinates, t), [t]))


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (
            lambda: observe(ig.models.gamma(), [1, 2, -1.5]),
            ValueError,
            r"observations must lie in the support Interval.open\(0, oo\) of x, got -1.5 at index 2",
        ),
        (
            lambda: ig.models.poisson_regression([0, 1], [2, 0.5]),
            ValueError,
            "support Naturals0 of x, got 0.5 at index",
        ),
        (lambda: ig.models.multinomial_logit([0, 1], 3, [1, 3]), ValueError, r"support \{0, 1, 2\} of y, got 3.0"),
        (lambda: observe(ig.models.multinomial(4, 3), [[1, 2], [3, 2]]), ValueError, "got 2.0 at index 1"),
        (
            lambda: observe(ig.models.censored(ig.models.exponential(), 2), [[2, 0], [1, 0]]),
            ValueError,
            r"a density under .* got \(time, seen\) = \(1.0, 0.0\) at index 1",
        ),
        (lambda: observe(ig.models.gamma(), [[1, 2]]), ValueError, r"observations must have shape \(N,\) .* \(1, 2\)"),
        (lambda: observe(ig.models.gamma(), [1, np.inf]), ValueError, "observations must be finite, got inf"),
        (lambda: ig.models.logistic_regression([0, 1], [1]), ValueError, "one for each of 2 inputs, got 1"),
        (lambda: ig.models.logistic_regression([0, 1], fisher="observed"), ValueError, "'observed' needs observations"),
        (lambda: observe(ig.models.gamma(), [1], fisher="true"), ValueError, "fisher must be one of .* got 'true'"),
        (lambda: observe(ig.models.laplace(), [1], fisher="observed"), ValueError, "kink .* moves with a parameter"),
        (lambda: observe(ig.models.replicate(ig.models.gamma(), 3), [1]), TypeError, "a density of one observation"),
        (lambda: observe(CASES["gamma"][0]("expected"), [1]), TypeError, "a density of one observation"),
    ],
)
def test_observations_that_are_none_are_refused_by_name(make: Callable[[], Model], error: type, told: str) -> None:
    with pytest.raises(error, match=told):
        make()


def test_a_law_without_observations_has_no_likelihood() -> None:
    with pytest.raises(TypeError, match=r"\['score'\] need a network or observations"):
        ig.evaluate_points(ig.models.gamma(), [[1, 1]], ["score"])
