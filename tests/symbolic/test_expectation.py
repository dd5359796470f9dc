"""Expectations in closed form: which attack closes which, of products of scores and of any other terms."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sympy
from sympy import Interval, Symbol, log

import infogeom as ig
from infogeom.losses import CrossEntropy, LpNorm
from infogeom.models.law import law_of, scores_of
from infogeom.models.model import Model, Parameter
from infogeom.symbolic import expectation
from infogeom.symbolic.expectation import OpenExpectationError, ScoredLaw, moments
from infogeom.symbolic.pivots import pivot_means

x, m, tilt = sympy.symbols("x m tilt", real=True)
t = Symbol("t", positive=True)


def laplace() -> Model:
    return ig.models.from_density(-sympy.Abs(x - m) - log(2), x, [m], sympy.S.Reals)


def tilted() -> Model:
    """A density on (0, 2) whose expectation takes SymPy's integrals, however long they take."""
    law, domain = log(1 + tilt * (x - 1)) - log(2), Parameter(tilt, Interval.open(-1, 1), (0.2, 0.8))
    return Model("tilted", [domain], law, x, Interval.open(0, 2), budget=100)


def neuron(fisher: str, loss: ig.losses.Loss) -> Model:
    return ig.models.sigmoid_neuron([[1.0, 0.5], [0.2, 2.0]], [1, 0], loss, fisher=fisher)


DERIVATIONS: dict[str, tuple[Callable[[], Model], str]] = {
    "a family of locations": (laplace, "location reduction"),
    "an exponential family": (ig.models.gamma, "score identities"),
    "a gamma pivot": (ig.models.weibull, "pivot"),
    "a beta prime pivot": (ig.models.student_t, "pivot"),
    "few outcomes": (lambda: ig.models.beta_binomial(2), "finite sum"),
    "an integral": (tilted, "integral"),
    "normal laws": (lambda: ig.models.multivariate_normal(2), "structure"),
    "a sum of squares": (lambda: ig.models.wishart(2), "structure"),
    "counts": (lambda: ig.models.categorical(3), "structure"),
    "states": (lambda: ig.models.log_linear(2), "structure"),
    "a log-partition function": (lambda: ig.models.exponential_family(sympy.exp(m), [m]), "structure"),
    "a product": (lambda: ig.models.product(ig.models.normal(), ig.models.poisson()), "structure"),
    "copies": (lambda: ig.models.replicate(ig.models.weibull(), 3), "structure"),
    "coordinates": (lambda: ig.models.reparametrise(ig.models.poisson(), {"rate": t**2}), "structure"),
    "an empirical network": (lambda: neuron("empirical", LpNorm(2)), "observed scores"),
    "a network's Bernoulli labels": (lambda: neuron("expected", CrossEntropy()), "score identities"),
    "a network's shifted labels": (lambda: neuron("expected", LpNorm(2)), "location reduction"),
}


@pytest.mark.parametrize("name", DERIVATIONS)
def test_a_metric_says_how_it_was_derived(name: str) -> None:
    make, derivation = DERIVATIONS[name]
    assert ig.metric(make()).attributes["derivation"] == derivation


def test_a_dataset_says_how_its_metric_was_derived() -> None:
    assert ig.grid.evaluate_points(ig.models.weibull(), [[1.5, 2]]).attrs["derivation"] == "pivot"


def test_what_comes_by_numbers_has_no_derivation() -> None:
    assert "derivation" not in ig.symbolic.numeric_metric(ig.models.skew_normal()).attributes


def test_numbers_for_constants_leave_the_derivation() -> None:
    n = Symbol("n", positive=True, integer=True)
    assert ig.metric(ig.models.binomial(n)).with_constants(n=3).attributes["derivation"] == "score identities"


# --- Other terms ------------------------------------------------------------------------------------------------------


def scored(model: Model) -> ScoredLaw:
    return ScoredLaw(law_of(model), tuple(p.symbol for p in model.parameters), scores_of(model), budget=100)


def mean(model: Model, term: sympy.Expr) -> tuple[sympy.Expr, str]:
    """Expectation of one term, and by what."""
    (found,), by = moments(scored(model), [term])
    return found, by


def observed(model: Model) -> Symbol:
    (variable,) = model.variables
    return variable


def test_the_mean_of_a_location_family_comes_by_its_residual() -> None:
    assert mean(laplace(), x**2) == (m**2 + 2, "location reduction")


def test_the_mean_of_an_exponential_family_comes_by_score_identities() -> None:
    law = ig.models.gamma()
    shape, rate = (p.symbol for p in law.parameters)
    found, by = mean(law, 3 * observed(law) + 1)
    assert by == "score identities"
    assert sympy.cancel(found - 3 * shape / rate - 1) == 0


def test_the_mean_of_a_power_comes_by_a_pivot() -> None:
    law = ig.models.weibull()
    shape, scale = (p.symbol for p in law.parameters)
    found, by = mean(law, observed(law) ** 2)
    assert by == "pivot"
    assert sympy.gammasimp(found / (scale**2 * sympy.gamma(1 + 2 / shape))) == 1


def test_the_mean_of_few_outcomes_comes_by_a_sum() -> None:
    law = ig.models.beta_binomial(2)
    alpha, beta = (p.symbol for p in law.parameters)
    found, by = mean(law, observed(law) ** 2)
    assert by == "finite sum"
    right = 2 * alpha * (2 * alpha + beta + 2) / ((alpha + beta) * (alpha + beta + 1))
    assert sympy.cancel(found - right) == 0


def test_the_mean_of_a_tilted_law_comes_by_an_integral() -> None:
    found, by = mean(tilted(), x)
    assert by == "integral"
    assert sympy.expand(found - 1 - tilt / 3) == 0


def test_a_density_that_no_beta_prime_law_has_is_no_pivot() -> None:
    # (1 + tilt (x − 1))/2 is v⁰ (1 + v) with b = −2, on part of the half-line.
    (v,), (support,) = tilted().variables, tilted().supports
    assert pivot_means(tilted().log_density, [v], {}, v, support) is None


def test_a_score_has_the_mean_0() -> None:
    law = scored(ig.models.gamma())
    s = law.symbols
    found, _ = moments(law, [s[0], 2 * s[1] + 3])
    assert found == [0, 3]


def test_a_product_of_a_score_with_the_variable_follows_from_no_score_identity() -> None:
    law = scored(ig.models.freund())
    first, s = law.law.variables[0], law.symbols[0]
    with pytest.raises(OpenExpectationError, match=r"the expectation E\[.*\] follows from no score identity"):
        moments(law, [first * s])


def test_terms_with_and_without_scores_are_taken_together() -> None:
    law = scored(ig.models.weibull())
    (v,), (s, _) = law.law.variables, law.symbols
    together, _ = moments(law, [v, s**2])
    assert [together[0]] == moments(law, [v])[0]
    assert together[1] == ig.metric(ig.models.weibull()).matrix[0, 0]


def test_what_does_not_close_in_its_time_goes_to_numbers_and_says_so() -> None:
    x, rate = sympy.Symbol("x", positive=True), ig.models.Parameter(sympy.Symbol("rate", positive=True))
    weights = sympy.Add(*(sympy.Integer(n) ** -rate.symbol for n in range(1, 31)))
    zipf = Model("Zipf", [rate], -rate.symbol * sympy.log(x) - sympy.log(weights), x, sympy.Range(1, 31), budget=0.1)
    with pytest.raises(OpenExpectationError, match=r"did not close within 0\.1 s"):
        ig.symbolic.metric(zipf)
    attributes = ig.symbolic.numeric_metric(zipf).attributes
    assert (attributes["expectation"], attributes["derivation"]) == ("sum", "none within 0.1 s")


def test_what_closes_in_very_many_operations_only_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expectation, "MAX_FROM_SCORES", 0)
    poisson = scored(ig.models.poisson())
    with pytest.raises(OpenExpectationError, match=r"closes in \d+ operations only"):
        moments(poisson, [poisson.symbols[0] ** 2])
