"""Laws at single points: densities, scores and samples against SciPy, and against what they are defined by."""

from __future__ import annotations

import pickle
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from scipy import stats

import infogeom as ig
from infogeom.distributions import Distribution
from infogeom.distributions.by_scipy import known_to_scipy
from infogeom.models.by_name import named

x = sympy.Symbol("x", real=True)
rate = sympy.Symbol("rate", positive=True)
HALF_LINE = sympy.Interval.open(0, sympy.oo)
OWN = ig.models.from_density(sympy.log(rate) - rate * x, x, [rate], HALF_LINE)
#: Families of one variable that SciPy lacks, or has by other names.
ELSEWHERE = {
    "Conway–Maxwell–Poisson", "Dirichlet-multinomial", "Kumaraswamy", "beta-binomial", "categorical", "dirichlet",
    "discrete Weibull", "hurdle Poisson", "multinomial", "von Mises-Fisher", "zero-inflated Poisson",
    "zero-truncated Poisson",
}  # fmt: skip
FAMILIES = {model.name: model for _, model in named() if len(model.variables) == 1 and model.name not in ELSEWHERE}


def inside(model: ig.models.Model) -> Distribution:
    """A model at a point of its typical ranges."""
    return model.at(**{p.name: 0.4 * p.typical[0] + 0.6 * p.typical[1] for p in model.parameters})


@pytest.mark.parametrize("name", FAMILIES)
def test_a_law_of_scipy_is_known_by_the_density_of_its_family(name: str) -> None:
    assert known_to_scipy(inside(FAMILIES[name])._density) is not None


def test_a_namesake_of_another_density_is_not_taken_for_the_law_of_scipy() -> None:
    other = ig.models.from_density(sympy.log(rate) - rate * x, x, [rate], HALF_LINE, name="Rayleigh")
    assert known_to_scipy(other.at(rate=2)._density) is None


def test_a_namesake_of_other_parameters_is_not_taken_for_the_law_of_scipy() -> None:
    other = ig.models.from_density(sympy.log(rate) - rate * x, x, [rate], HALF_LINE, name="Student")
    assert known_to_scipy(other.at(rate=2)._density) is None


# --- Densities and scores ---------------------------------------------------------------------------------------------


def test_the_density_is_that_of_scipy() -> None:
    at = np.array([[0.1, 2.0], [7.0, 30.0]])
    np.testing.assert_allclose(ig.models.gamma().at(shape=3, rate=0.5).pdf(at), stats.gamma(3, scale=2).pdf(at))


def test_the_density_of_a_moving_support_is_that_of_scipy() -> None:
    at = np.array([-20.0, -3.0, 0.0, 4.0])
    law = ig.models.generalised_extreme_value().at(mu=1, sigma=2, xi=0.5)
    np.testing.assert_allclose(law.logpdf(at), stats.genextreme(-0.5, 1, 2).logpdf(at))


def test_there_is_no_density_between_outcomes_and_beyond_them() -> None:
    np.testing.assert_array_equal(ig.models.binomial(2).at(p=0.5).pdf([-1, 0, 0.5, 2, 3]), [0, 0.25, 0, 0.25, 0])


def test_the_support_of_a_variable_may_depend_on_those_before_it() -> None:
    law = ig.models.multinomial(2, 3).at(p1=0.2, p2=0.3)
    np.testing.assert_allclose(law.pdf([[1, 1], [2, 1]]), [2 * 0.2 * 0.3, 0])


def test_a_function_that_scipy_lacks_is_taken_in_many_digits() -> None:
    np.testing.assert_allclose(
        ig.models.skellam().at(mu1=2, mu2=3).logpdf([-3, 0, 5]), stats.skellam(2, 3).logpmf([-3, 0, 5])
    )


def cauchy(x: Any, mu: Any, gamma: Any) -> Any:
    return -mpmath.log(mpmath.pi * gamma * (1 + ((x - mu) / gamma) ** 2))


def logistic(x: Any, mu: Any, s: Any) -> Any:
    z = abs(x - mu) / s
    return -z - mpmath.log(s) - 2 * mpmath.log1p(mpmath.exp(-z))


def log_logistic(x: Any, alpha: Any, beta: Any) -> Any:
    return logistic(mpmath.log(x), mpmath.log(alpha), 1 / beta) - mpmath.log(x)


@pytest.mark.parametrize("x", [1e-300, 1e5, 1e300])
@pytest.mark.parametrize("definition", [cauchy, logistic, log_logistic], ids=lambda f: f.__name__)
def test_far_out_where_float64_overflows_density_and_scores_have_their_values(definition: Any, x: float) -> None:
    law = getattr(ig.models, definition.__name__)()
    names = [p.name for p in law.parameters]
    there = law.at(**dict(zip(names, (0.5, 2.0), strict=True)))
    with mpmath.workdps(700):
        at = mpmath.mpf(-x if definition is logistic else x)
        scores = [mpmath.diff(lambda *values: definition(at, *values), (0.5, 2), order) for order in ((1, 0), (0, 1))]
        expected = float(definition(at, mpmath.mpf(0.5), mpmath.mpf(2)))
    np.testing.assert_allclose(there.logpdf(float(at)), expected, rtol=1e-14)
    np.testing.assert_allclose(there.score(float(at)), [float(score) for score in scores], rtol=1e-12)


def test_what_is_beyond_float64_is_infinite() -> None:
    law = ig.models.normal().at(mu=0, sigma=1)
    assert law.logpdf(1e300) == -np.inf
    np.testing.assert_array_equal(law.score(1e300), [1e300, np.inf])


def test_scores_of_a_skew_normal_law_do_not_cancel_in_its_tail() -> None:
    x = np.array([-1e3, -1e5, -1e8])
    mills = -2 * x * (1 + 1 / (2 * x) ** 2)
    expected = np.stack([x - 2 * mills, x**2 - 2 * mills * x - 1, x * mills], axis=-1)
    np.testing.assert_allclose(ig.models.skew_normal().at(xi=0, omega=1, alpha=2).score(x), expected, rtol=1e-11)


@pytest.mark.parametrize("n", [10**4, 10**9, 10**15])
def test_the_terms_of_a_log_density_may_be_as_large_as_they_like(n: int) -> None:
    with mpmath.workdps(40):
        k, p = 3 * n // 10, mpmath.mpf(3) / 10
        odds = k * mpmath.log(p) + (n - k) * mpmath.log(1 - p)
        counted = mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)
        expected = float(odds + counted)
    assert ig.models.binomial(n).at(p=0.3).logpdf(k) == pytest.approx(expected, abs=2e-8)


@pytest.mark.parametrize("shape", [1e4, 1e6, 1e9])
def test_large_whole_numbers_are_not_written_out(shape: float) -> None:
    law = ig.models.gamma().at(shape=shape, rate=1)
    np.testing.assert_allclose(law.score(shape), [0.5 / shape, 0], rtol=1e-4)


def test_scores_stand_along_a_last_axis() -> None:
    found = ig.models.normal().at(mu=1, sigma=2).score([[1.0, 3.0]])
    np.testing.assert_allclose(found, [[[0, -0.5], [0.5, 0]]], atol=1e-15)


def test_the_mean_square_of_the_score_is_the_metric() -> None:
    law = ig.models.poisson().at(rate=3)
    outcomes = np.arange(60)
    scores = law.score(outcomes)[:, 0]
    assert (law.pdf(outcomes) * scores**2).sum() == pytest.approx(law.metric.item(), rel=1e-12)


def test_a_law_without_a_closed_metric_has_one_in_numbers() -> None:
    law = ig.models.skew_normal().at(xi=0, omega=1, alpha=2)
    np.testing.assert_array_equal(law.metric, ig.evaluate_points(law.model, [[0, 1, 2]], ["metric"]).metric[0])


def test_an_observation_outside_the_support_has_no_score() -> None:
    with pytest.raises(ValueError, match=r"x must lie in the support, got \[-1.0\] at index \(1,\)"):
        OWN.at(rate=2).score([1, -1])


def test_observations_of_several_variables_lie_along_the_last_axis() -> None:
    with pytest.raises(ValueError, match=r"x must have 2 variables along its last axis, got shape \(3,\)"):
        ig.models.multivariate_normal_isotropic(2).at(mu1=0, mu2=0, sigma=1).logpdf([1, 2, 3])


def test_a_network_has_no_density_of_one_observation() -> None:
    network = ig.models.sigmoid_neuron([[1.0, 0.5]], [0], ig.losses.CrossEntropy())
    with pytest.raises(TypeError, match="is on data, and has no density of one observation"):
        network.at(theta1=0, theta2=0).pdf(1)


def test_a_regression_has_no_density_of_one_observation() -> None:
    slope, dose = sympy.symbols("slope dose", real=True)
    law = ig.models.regression(
        ig.functions.expit(slope * dose), ig.models.bernoulli(), [0, 1], variables=dose, parameters=[slope]
    )
    with pytest.raises(TypeError, match="is on data, and has no density of one observation"):
        law.at(slope=1).pdf(1)


def test_copies_have_no_density_of_one_observation() -> None:
    copies = ig.models.replicate(OWN, 5).at(rate=2)
    with pytest.raises(TypeError, match="stands for 5 observations"):
        copies.pdf(1)


def test_a_family_without_a_base_measure_has_scores_only() -> None:
    theta = sympy.Symbol("theta", real=True)
    law = ig.models.exponential_family(sympy.exp(theta), [theta]).at(theta=0)
    with pytest.raises(TypeError, match="with respect to a measure that is not given"):
        law.pdf(1)


def test_a_constant_without_a_number_is_refused() -> None:
    law = ig.models.binomial(sympy.Symbol("n", integer=True, positive=True)).at(p=0.5)
    with pytest.raises(ValueError, match=r"constants \['n'\] of model 'binomial' need numbers"):
        law.pdf(1)


# --- Samples ----------------------------------------------------------------------------------------------------------


def test_samples_of_a_law_of_scipy_are_those_of_its_sampler() -> None:
    found = ig.models.gamma().at(shape=3, rate=0.5).sample(5, seed=4)
    np.testing.assert_array_equal(found, stats.gamma(3, scale=2).rvs(5, random_state=np.random.default_rng(4)))


@pytest.mark.parametrize("name", FAMILIES)
def test_samples_of_a_family_lie_in_its_support(name: str) -> None:
    law = inside(FAMILIES[name])
    assert np.isfinite(law.logpdf(law.sample(100, seed=4))).all()


@pytest.mark.parametrize(
    "law",
    [
        ig.models.beta().at(alpha=1e-3, beta=1e-3),
        ig.models.gamma().at(shape=1e-3, rate=1),
        ig.models.log_normal().at(mu=0, sigma=1e3),
    ],
    ids=str,
)
def test_samples_that_rounding_puts_on_an_end_of_the_support_lie_inside(law: Distribution) -> None:
    assert np.isfinite(law.logpdf(law.sample(1000, seed=4))).all()


@pytest.mark.parametrize(
    "law",
    [
        ig.models.zeta().at(s=1.05),
        ig.models.poisson().at(rate=1e20),
        ig.models.negative_binomial().at(r=1e10, p=1e-10),
        ig.models.multinomial(10**19, 3).at(p1=0.2, p2=0.3),
        ig.models.beta_prime().at(alpha=1e-3, beta=1e-3),
        ig.models.beta_binomial(10**8).at(alpha=1, beta=2),
    ],
    ids=str,
)
def test_a_law_that_cannot_be_sampled_says_so(law: Distribution) -> None:
    with pytest.raises(ArithmeticError, match=r"cannot be (sampled|inverted)"):
        law.sample(100)


@pytest.mark.parametrize("n", [5, 10**9])
def test_binomial_samples_are_those_of_scipy(n: int) -> None:
    found = ig.models.binomial(n).at(p=0.3).sample(5, seed=4)
    np.testing.assert_array_equal(found, stats.binom(n, 0.3).rvs(5, random_state=np.random.default_rng(4)))


def test_a_law_by_cases_is_inverted_on_either_side_of_its_kink() -> None:
    m, skew = sympy.Symbol("m", real=True), sympy.Symbol("skew", positive=True)
    height = sympy.log(skew / (1 + skew**2))
    log_p = sympy.Piecewise((height - skew * (x - m), x >= m), (height + (x - m) / skew, True))
    found = ig.models.from_density(log_p, x, [m, skew], sympy.S.Reals).at(m=0, skew=2).sample(1000, seed=4)
    shares = np.random.default_rng(4).random(1000)
    np.testing.assert_allclose(found, stats.laplace_asymmetric(2).ppf(shares), atol=1e-6)


def test_a_law_of_angles_is_taken_from_scipy_only_where_its_quantiles_are_in_the_support() -> None:
    assert known_to_scipy(ig.models.von_mises().at(mu=0.2, kappa=2)._density) is not None
    assert known_to_scipy(ig.models.von_mises().at(mu=2.5, kappa=2)._density) is None


def test_samples_depend_on_the_seed_alone() -> None:
    law = OWN.at(rate=2)
    np.testing.assert_array_equal(law.sample(5, seed=4), law.sample(5, seed=4))
    assert not np.array_equal(law.sample(5, seed=4), law.sample(5, seed=5))


@pytest.mark.parametrize("number", [1e-6, 2.0, 1e9])
def test_a_law_of_ones_own_is_inverted(number: float) -> None:
    shares = np.random.default_rng(4).random(1000)
    np.testing.assert_allclose(OWN.at(rate=number).sample(1000, seed=4), -np.log1p(-shares) / number, rtol=1e-6)


def test_a_law_of_what_is_negative_is_inverted() -> None:
    law = ig.models.from_density(sympy.log(rate) + rate * x, x, [rate], sympy.Interval.open(-sympy.oo, 0)).at(rate=2)
    shares = np.random.default_rng(4).random(1000)
    np.testing.assert_allclose(law.sample(1000, seed=4), np.log(shares) / 2, rtol=1e-6)


def test_a_law_between_two_ends_is_inverted() -> None:
    law = ig.models.from_density(sympy.log(rate) + (rate - 1) * sympy.log(x), x, [rate], sympy.Interval.open(0, 1))
    shares = np.random.default_rng(4).random(1000)
    np.testing.assert_allclose(law.at(rate=0.5).sample(1000, seed=4), shares**2, rtol=1e-6)


def test_outcomes_without_end_on_either_side_are_inverted() -> None:
    p = ig.models.Parameter(sympy.Symbol("p", positive=True), sympy.Interval.open(0, 1))
    log_p = sympy.log((1 - p.symbol) / (1 + p.symbol)) + sympy.Abs(x) * sympy.log(p.symbol)
    law = ig.models.from_density(log_p, x, [p], sympy.S.Integers).at(p=0.98)
    outcomes = np.arange(-3000.0, 3000.0)
    mass = np.cumsum(0.02 / 1.98 * 0.98 ** np.abs(outcomes))
    shares = np.random.default_rng(4).random(200)
    np.testing.assert_array_equal(law.sample(200, seed=4), outcomes[np.searchsorted(mass, shares)])


def test_a_narrow_law_far_out_is_inverted() -> None:
    mean, width = sympy.Symbol("mean", real=True), sympy.Symbol("width", positive=True)
    log_p = -(((x - mean) / width) ** 2) / 2 - sympy.log(width * sympy.sqrt(2 * sympy.pi))
    law = ig.models.from_density(log_p, x, [mean, width], sympy.S.Reals)
    shares = np.random.default_rng(4).random(1000)
    found = law.at(mean=1e6, width=1e-3).sample(1000, seed=4)
    # A rounding of t = asinh(2e6) is 2e-9 in x, 2e-6 of a width.
    np.testing.assert_allclose((found - 1e6) / 1e-3, stats.norm.ppf(shares), atol=1e-5)


def test_a_law_with_two_peaks_is_inverted() -> None:
    parts = [
        ig.models.from_density(-((x - m) ** 2) / 2 - sympy.log(2 * sympy.pi) / 2, x, [m], sympy.S.Reals)
        for m in sympy.symbols("first second", real=True)
    ]
    law = ig.models.mixture(parts).at(weight1=0.25, first=-20, second=30)
    shares = np.random.default_rng(4).random(1000)
    left, right = stats.norm.ppf(np.clip(shares / 0.25, 0, 1)), stats.norm.ppf(np.clip((shares - 0.25) / 0.75, 0, 1))
    np.testing.assert_allclose(law.sample(1000, seed=4), np.where(shares < 0.25, left - 20, right + 30), atol=1e-5)


def test_outcomes_that_are_counted_are_inverted() -> None:
    law = ig.models.beta_binomial(2).at(alpha=1, beta=1)
    np.testing.assert_array_equal(law.sample(50, seed=4), np.floor(3 * np.random.default_rng(4).random(50)))


def test_outcomes_without_end_are_inverted() -> None:
    p = sympy.Symbol("p", positive=True)
    law = ig.models.from_density(
        sympy.log(p) + x * sympy.log(1 - p), x, [ig.models.Parameter(p, sympy.Interval.open(0, 1))], sympy.S.Naturals0
    ).at(p=0.01)
    shares = np.random.default_rng(4).random(200)
    np.testing.assert_array_equal(law.sample(200, seed=4), np.ceil(np.log1p(-shares) / np.log(0.99)) - 1)


def test_a_mass_that_is_not_1_is_not_inverted() -> None:
    twice = ig.models.from_density(sympy.log(2 * rate) - rate * x, x, [rate], HALF_LINE).at(rate=1)
    with pytest.raises(ArithmeticError, match="its mass is found to be 2, not 1"):
        twice.sample(3)


def test_parts_of_a_product_are_drawn_one_after_another() -> None:
    both = ig.models.product(ig.models.normal(), ig.models.exponential()).at(mu=0, sigma=2, rate=3)
    rng = np.random.default_rng(4)
    expected = [stats.norm(0, 2).rvs(5, random_state=rng), stats.expon(scale=1 / 3).rvs(5, random_state=rng)]
    np.testing.assert_array_equal(both.sample(5, seed=4), np.transpose(expected))


def test_other_coordinates_do_not_change_the_draws() -> None:
    variance = sympy.Symbol("variance", positive=True)
    law = ig.models.reparametrise(ig.models.normal(), {"sigma": sympy.sqrt(variance)})
    np.testing.assert_array_equal(
        law.at(mu=1, variance=4).sample(5, seed=4), ig.models.normal().at(mu=1, sigma=2).sample(5, seed=4)
    )


SEVERAL = {
    "normal": ig.models.gaussian_chain(2).at(tau11=2, tau12=-0.5, tau22=1),
    "states": ig.models.log_linear(2).at(theta1=0.5, theta2=-0.3, theta12=1),
    "trials": ig.models.multinomial(10**6, 3).at(p1=0.2, p2=0.3),
    "successes": ig.models.negative_multinomial(2.5, 2).at(p1=0.2, p2=0.3),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_scores_of_samples_of_several_variables_have_mean_0(name: str) -> None:
    law = SEVERAL[name]
    scores = law.score(law.sample(4000, seed=4))
    deviation = np.sqrt(np.diag(law.metric) / 4000)
    assert (np.abs(scores.mean(axis=0)) < 4 * deviation).all()


@pytest.mark.parametrize("name", SEVERAL)
def test_scores_of_samples_of_several_variables_have_the_metric_for_their_covariance(name: str) -> None:
    law = SEVERAL[name]
    scores = law.score(law.sample(4000, seed=4))
    size = np.sqrt(np.diag(law.metric))
    # Of 4000 squares of normal variables the mean is good to 2 %; others have longer tails.
    np.testing.assert_allclose(np.cov(scores.T) / np.outer(size, size), law.metric / np.outer(size, size), atol=0.15)


def test_a_law_of_several_variables_without_a_sampler_says_so() -> None:
    with pytest.raises(TypeError, match="has no sampler, a law of 3 variables"):
        inside(ig.models.freund()).sample(3)


def test_fewer_than_no_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="n must be at least 0, got -1"):
        OWN.at(rate=2).sample(-1)


# --- The value --------------------------------------------------------------------------------------------------------


def test_the_point_of_a_law_cannot_be_changed() -> None:
    with pytest.raises(TypeError, match="does not support item assignment"):
        OWN.at(rate=2).values["rate"] = 3


def test_a_law_survives_pickling() -> None:
    law = pickle.loads(pickle.dumps(ig.models.normal().at(mu=1, sigma=2)))
    assert (repr(law), law.pdf(1).round(4)) == ("<normal: mu = 1, sigma = 2>", 0.1995)


def test_a_point_may_be_named_by_symbols() -> None:
    assert Distribution(OWN, {rate: 2}).values == {"rate": 2.0}


@pytest.mark.parametrize(("model", "point", "told"), [("normal", {}, "a Model, got 'normal'"), (OWN, None, "got None")])
def test_what_makes_no_law_is_told(model: object, point: object, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        Distribution(model, point)
