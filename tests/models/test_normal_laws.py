"""Normal laws of many components: metrics and curvature against the definition, and families against each other."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from scipy.stats import multivariate_normal

import infogeom as ig
from infogeom.kernels.points import work_of
from infogeom.models import Model
from tests import normal_reference

OK, REFINED, SINGULAR, OUT_OF_DOMAIN = range(4)
m, w = sympy.symbols("m w", real=True)
s, a, b = sympy.symbols("s a b", positive=True)
u, v = sympy.symbols("u v", real=True)
phi = sympy.Symbol("phi", real=True)
of_phi = ig.models.Parameter(phi, sympy.Interval.open(-1, 1))
KERNEL = a**2 * sympy.exp(-((u - v) ** 2) / (2 * b**2)) + s**2 * sympy.KroneckerDelta(u, v)
PLACES = [0, 1, 2.5, 4]


@cache
def autoregression_by_covariance(n: int, mean: Any = m) -> Model:
    covariance = [[s**2 * phi ** abs(i - j) / (1 - phi**2) for j in range(n)] for i in range(n)]
    return ig.models.gaussian([mean] * n, covariance, [m, s, of_phi])


@cache
def process() -> Model:
    return ig.models.gaussian_process(KERNEL, PLACES, [a, b, s])


@cache
def factors() -> Model:
    return ig.models.factor_model(4, 1)


def chain_in_two_parameters(n: int) -> Model:
    """A stationary autoregression as a submodel of a chain."""
    old = {f"tau{k}{k}": (1 + (phi**2 if 1 < k < n else 0)) / s**2 for k in range(1, n + 1)}
    old |= {f"tau{k}{k + 1}": -phi / s**2 for k in range(1, n)}
    return ig.models.reparametrise(ig.models.gaussian_chain(n), old, [s, of_phi])


def of_autoregression(m: Any, s: Any, phi: Any) -> Any:
    lags = [s**2 * phi**k / (1 - phi**2) for k in range(4)]
    return [m] * 4, [[lags[abs(i - j)] for j in range(4)] for i in range(4)]


def of_process(a: Any, b: Any, s: Any) -> Any:
    rows = []
    for i, x in enumerate(PLACES):
        near = [a**2 * mpmath.exp(-(mpmath.mpf(x - y) ** 2) / (2 * b**2)) for y in PLACES]
        rows.append([k + (s**2 if i == j else 0) for j, k in enumerate(near)])
    return [0] * 4, rows


def of_intercept(mu: Any, tau: Any, sigma: Any) -> Any:
    group = [0, 0, 1, 1, 1]
    rows = [
        [(tau**2 if p == q else 0) + (sigma**2 if i == j else 0) for j, q in enumerate(group)]
        for i, p in enumerate(group)
    ]
    return [mu] * 5, rows


def at(model: Model, *point: float, quantities: Any = ("metric", "ricci_scalar")) -> Any:
    found = ig.evaluate_points(model, [point], quantities)
    assert found.status.item() in (OK, REFINED)
    return found


@pytest.mark.parametrize(
    ("make", "law", "point"),
    [
        (lambda: autoregression_by_covariance(4), of_autoregression, (0.3, 1.2, 0.5)),
        pytest.param(process, of_process, (1, 1, 0.1), marks=pytest.mark.slow),
        pytest.param(lambda: ig.models.random_intercept([2, 3]), of_intercept, (0.1, 0.8, 1.3), marks=pytest.mark.slow),
        pytest.param(
            lambda: autoregression_by_covariance(4), of_autoregression, (0.3, 1.2, -0.98), marks=pytest.mark.slow
        ),
        pytest.param(process, of_process, (2, 0.8, 1.5), marks=pytest.mark.slow),
    ],
)
def test_metric_and_curvature_are_those_of_the_divergence(
    make: Callable[[], Model], law: normal_reference.Law, point: tuple[float, ...]
) -> None:
    g, R = normal_reference.metric_and_scalar(law, point)
    found = at(make(), *point)
    assert found.metric.values[0] == pytest.approx(g, rel=1e-10, abs=1e-12 * np.abs(g).max())
    assert found.ricci_scalar.item() == pytest.approx(R, rel=1e-9)


def test_an_autoregression_of_200_observations_has_its_exact_information_and_is_flat() -> None:
    """Of n observations −E ∂∂ log p = (n − 1 − (n − 3) φ²)/(1 − φ²)² for φ, and 2n/σ² for σ, by hand."""
    n, f, sigma = 200, 0.6, 1.3
    found = at(ig.models.autoregression(1, n), f, sigma)
    across = 2 * f / sigma / (1 - f**2)
    expected = [[(n - 1 - (n - 3) * f**2) / (1 - f**2) ** 2, across], [across, 2 * n / sigma**2]]
    assert found.metric.values[0] == pytest.approx(np.array(expected), rel=1e-12)
    assert found.ricci_scalar.item() == 0


def test_precision_and_covariance_of_an_autoregression_tell_the_same() -> None:
    by_precision = at(ig.models.autoregression(1, 30), -0.4, 0.7, quantities=["metric", "christoffel"])
    by_covariance = at(autoregression_by_covariance(30), 0.0, 0.7, -0.4, quantities=["metric", "christoffel"])
    g = by_covariance.metric.values[0][1:, 1:][::-1, ::-1]
    gamma = by_covariance.christoffel.values[0][1:, 1:, 1:][::-1, ::-1, ::-1]
    assert by_precision.metric.values[0] == pytest.approx(g, rel=1e-10)
    assert by_precision.christoffel.values[0] == pytest.approx(gamma, rel=1e-10)


@pytest.mark.parametrize("order", [1, 2])
def test_one_more_observation_adds_the_metric_of_infinitely_many(order: int) -> None:
    point = [*[0.4, -0.3][:order], 1.2]
    short, long = (at(ig.models.autoregression(order, n), *point, quantities=["metric"]) for n in (8, 9))
    limit = ig.models.autoregression(order)
    expected = at(limit, *point, quantities=["metric"])
    assert (long - short).metric.values[0] == pytest.approx(expected.metric.values[0], rel=1e-11)
    assert expected.attrs["per"] == "observation"


def test_an_autoregression_is_regular_without_correlation() -> None:
    found = at(autoregression_by_covariance(5), 0, 1, 0)
    assert found.metric.values[0] == pytest.approx(np.diag([5.0, 10, 4]), abs=1e-12)
    assert found.status.item() == OK


def test_a_chain_in_two_parameters_is_an_autoregression() -> None:
    written_out, by_numbers = chain_in_two_parameters(5), chain_in_two_parameters(6)
    assert ig.metric(written_out).matrix[0, 0] == 10 / s**2
    assert at(written_out, 1, 0.5).metric.values[0] == pytest.approx(np.array([[10, 4 / 3], [4 / 3, 56 / 9]]))
    found = at(by_numbers, 1, 0.5)
    assert found.attrs["expectation"] == "trace"
    assert found.metric.values[0] == pytest.approx(np.array([[12, 4 / 3], [4 / 3, 68 / 9]]), rel=1e-12)


def test_the_metric_of_a_factor_model_is_its_trace() -> None:
    """By inverses and plain differences of the covariance, whose square alone is not exact."""
    model, h = ig.models.factor_model(5, 2), 1e-4
    point = np.array([0.7, 0.5, -0.4, 0.6, 0.2, 0.9, 0.3, -0.5, 0.4, 1.2, 0.8, 0.6, 1.0, 0.7])

    def covariance(x: Any) -> Any:
        loadings = np.zeros((5, 2))
        loadings[:, 0], loadings[1:, 1] = x[:5], x[5:9]
        return loadings @ loadings.T + np.diag(x[9:])

    inverse = np.linalg.inv(covariance(point))
    slopes = [(covariance(point + h * e) - covariance(point - h * e)) / (2 * h) for e in np.eye(14)]
    expected = [[np.trace(inverse @ A @ inverse @ B) / 2 for A in slopes] for B in slopes]
    found = ig.evaluate_points(model, [point], ["metric"]).metric.values[0]
    assert found == pytest.approx(np.array(expected), rel=1e-9, abs=1e-9)


@pytest.mark.slow
def test_a_factor_model_is_a_submodel_of_all_centred_laws() -> None:
    """By the chain rule on the closed form, which shares nothing with traces."""
    model = ig.models.factor_model(3, 1)
    l1, l2, l3, *psi = (p.symbol for p in model.parameters)
    entries = sympy.Matrix([l1, l2, l3]) * sympy.Matrix([[l1, l2, l3]]) + sympy.diag(*psi)
    old = {f"sigma{i + 1}{j + 1}": entries[i, j] for i in range(3) for j in range(i, 3)}
    other = ig.models.reparametrise(ig.models.multivariate_normal_known_mean(3), old, list(model.parameters))
    point = [0.7, 0.5, -0.4, 1.2, 0.8, 0.6]
    expected = at(other, *point, quantities=["metric"]).metric.values[0]
    assert at(model, *point, quantities=["metric"]).metric.values[0] == pytest.approx(expected, rel=1e-10)


def test_other_coordinates_copies_and_grids_follow() -> None:
    model = autoregression_by_covariance(4)
    R = at(model, 0.3, 1.2, 0.5).ricci_scalar.item()
    turned = ig.models.reparametrise(model, {"phi": sympy.tanh(w)})
    assert at(turned, 0.3, 1.2, np.arctanh(0.5)).ricci_scalar.item() == pytest.approx(R, rel=1e-9)
    assert at(ig.models.replicate(model, 3), 0.3, 1.2, 0.5).ricci_scalar.item() == pytest.approx(R / 3, rel=1e-9)
    grid = ig.evaluate(model, {"m": 0.3, "s": [1.2, 2], "phi": [0.1, 0.5]}, ["ricci_scalar"])
    assert grid.ricci_scalar.sel(s=1.2, phi=0.5).item() == pytest.approx(R, rel=1e-12)


@pytest.mark.slow
def test_curvature_of_a_product_adds() -> None:
    model = autoregression_by_covariance(4)
    both = ig.models.product(model, ig.models.poisson())
    R = at(model, 0.3, 1.2, 0.5).ricci_scalar.item()
    assert at(both, 0.3, 1.2, 0.5, 2).ricci_scalar.item() == pytest.approx(R, rel=1e-9)


@pytest.mark.slow
def test_an_inverse_in_many_digits_verifies_a_process() -> None:
    found = ig.verify(process(), [[1, 1, 0.5]])
    assert found.agree
    assert "inverse and differences" in str(found)


@pytest.mark.parametrize("noise", [1e-1, 1e-3])
def test_stated_errors_hold_where_a_covariance_is_nearly_singular(noise: float) -> None:
    """Against balls, by one inverse and no frame."""
    metric, point = ig.symbolic.numeric_metric(process()), np.array([1.1, 2.3, noise])
    work = work_of(metric)
    jets, balls = work.jets(point[None], 2), work.balls(["metric", "ricci_scalar"])
    assert balls is not None
    found = balls.enclose(point, ["metric"], 256).values["metric"]
    exact = np.array([float(ball.mid()) for ball in found.ravel()]).reshape(3, 3)
    scale = np.sqrt(np.outer(np.diag(exact), np.diag(exact)))
    bound = 8 * jets.errors[0][..., 0]
    assert (np.abs(jets.g[..., 0] - exact) <= bound + 1e-16 * scale).all()
    assert (bound <= 1e-9 * scale / noise**2).all()


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_points_without_a_positive_covariance_are_out_of_the_domain() -> None:
    model = ig.models.gaussian([0] * 4, [[1 if i == j else w + w**2 for j in range(4)] for i in range(4)], [w])
    found = ig.evaluate_points(model, [[0.2], [2], [-0.2]], ["metric"])
    assert found.status.values.tolist() == [OK, OUT_OF_DOMAIN, OK]
    twice = ig.models.replicate(ig.models.reparametrise(model, {w: 2 * v}), 2)
    assert ig.evaluate_points(twice, [[0.1], [1]], ["metric"]).status.values.tolist() == [OK, OUT_OF_DOMAIN]


def test_a_process_is_what_its_covariance_says_entry_by_entry() -> None:
    covariance = [[KERNEL.subs({u: sympy.Rational(x), v: sympy.Rational(y)}) for y in PLACES] for x in PLACES]
    typed = ig.models.gaussian([0] * 4, covariance, [a, b, s])
    assert at(typed, 1.5, 1, 0.7).metric.values == pytest.approx(at(process(), 1.5, 1, 0.7).metric.values, rel=1e-12)


def test_observations_have_the_covariance_that_is_asked_for() -> None:
    """Five standard errors of a mean of 4000 products."""
    for law in (ig.models.autoregression(1, 6), ig.models.gaussian([m] * 6, _lagged(6), [m, of_phi])):
        point = {p.name: 0.5 for p in law.parameters} | ({"sigma": 1.0} if law.parameters[-1].name == "sigma" else {})
        x = law.at(**point).sample(4000, seed=3)
        found = np.cov(x.T)
        expected = [[0.5 ** abs(i - j) / 0.75 for j in range(6)] for i in range(6)]
        assert np.abs(found - expected).max() < 5 * 1.5 * expected[0][0] / np.sqrt(4000)


@pytest.mark.parametrize("by_precision", [True, False])
def test_densities_and_scores_are_those_of_the_covariance(by_precision: bool) -> None:
    """Scores by differences of SciPy's log-densities."""
    law, names = (ig.models.autoregression(1, 4), ["phi1", "sigma"]) if by_precision else (
        autoregression_by_covariance(4), ["phi", "s"]
    )  # fmt: skip
    x, point = np.array([[0.3, -1.0, 0.8, 0.1], [1.0, 2.0, 0.5, 0.0]]), np.array([0.4, 1.3])

    def log_density(f: float, sigma: float) -> Any:
        covariance = [[sigma**2 * f ** abs(i - j) / (1 - f**2) for j in range(4)] for i in range(4)]
        return multivariate_normal(np.zeros(4), covariance).logpdf(x)

    there = law.at(**dict(zip(names, point, strict=True)) | ({} if by_precision else {"m": 0}))
    assert there.logpdf(x) == pytest.approx(log_density(*point), rel=1e-12)
    slopes = [(log_density(*(point + 1e-5 * e)) - log_density(*(point - 1e-5 * e))) / 2e-5 for e in np.eye(2)]
    at_names = [[p.name for p in law.parameters].index(name) for name in names]
    assert there.score(x)[:, at_names] == pytest.approx(np.transpose(slopes), rel=1e-7, abs=1e-8)


def _lagged(n: int) -> Any:
    return [[phi ** abs(i - j) / (1 - phi**2) for j in range(n)] for i in range(n)]


def test_what_is_not_written_out_says_where_numbers_are() -> None:
    with pytest.raises(ig.symbolic.ExpectationError, match=r"normal law of 5 components is not written out; infogeom"):
        ig.metric(autoregression_by_covariance(5))


def test_models_of_other_places_have_other_digests() -> None:
    one, other = (ig.models.gaussian_process(KERNEL, [0, 1, place], [a, b, s]) for place in (2, 3))
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: ig.models.autoregression(0, 5), ValueError, "order must be at least 1, got 0"),
        (lambda: ig.models.autoregression(2, 3), ValueError, "length must be at least 4, got 3"),
        (lambda: ig.models.gaussian_process(KERNEL, [0, 1, 1.0], [a, b, s]), ValueError, "different places, got 1.0"),
        (lambda: ig.models.gaussian_process(KERNEL, [], [a, b, s]), ValueError, "at least one place"),
        (lambda: ig.models.gaussian_process(KERNEL, [0, sympy.pi], [a, b, s]), ValueError, "rational numbers, got pi"),
        (lambda: ig.models.gaussian_process(a * u, [0, 1], [a]), ValueError, r"hold two symbols .*, got \[u\]"),
        (lambda: ig.models.gaussian_process(a * (u - v), [0, 1], [a]), ValueError, "kernel must be symmetric in u and"),
        (lambda: ig.models.gaussian_process(a / (u - v) ** 2, [0, 1], [a]), ValueError, "both places are the same"),
        (lambda: ig.models.gaussian_process(a * u * v, [1, 2], [a, b]), ValueError, "'b' does not occur"),
        (lambda: ig.models.random_intercept([1, 1]), ValueError, "groups must hold one of two observations or more"),
        (lambda: ig.models.random_intercept([2, 0]), ValueError, "groups must be at least 1, got 0"),
        (lambda: ig.models.factor_model(3, 2), ValueError, "factors must leave the covariance of 3 observations"),
        (lambda: ig.models.gaussian([0] * 4, [[a * w + i + j for j in range(4)] for i in range(4)], [w]), ValueError,
         r"symbols \['a'\] are no parameters"),
        (lambda: ig.models.gaussian([0] * 4, [[w * i for _ in range(4)] for i in range(4)], [w]), ValueError,
         "covariance must be symmetric"),
    ],
)  # fmt: skip
def test_bad_arguments_are_named(make: Callable[[], Model], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        make()
