"""Models made of others: their constants, their conditions, and the names that they want."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Expr, Interval, Symbol, exp

import infogeom as ig
from infogeom.kernels.status import Status
from infogeom.losses import CrossEntropy, LpNorm
from infogeom.models import Model, Parameter

n, m = (Symbol(name, integer=True, positive=True) for name in ("n", "m"))
p, q = Symbol("p", positive=True), Symbol("q", positive=True)
x, a, b = (Symbol(name, real=True) for name in ("x", "a", "b"))


def binomial_in_q(trials: int | Symbol) -> Model:
    share = Parameter(q, Interval.open(0, 1))
    return ig.models.reparametrise(ig.models.binomial(trials), {"p": q}, [share])


def on_a_line(noise: Model, mean: Expr = a + b * x) -> Model:
    return ig.models.regression(mean, noise, [0, 1, 2], variables=x, parameters=[a, b])


def statuses(model: Model, points: list[list[float]]) -> list[int]:
    return [int(s) for s in ig.grid.evaluate_points(model, points, ["metric"]).status]


# --- Constants --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [(5, 7), (n, m), (m, n), (n, 7)], ids=str)
def test_each_part_of_a_product_keeps_its_constant(first: int | Symbol, second: int | Symbol) -> None:
    law = ig.models.product(ig.models.binomial(first), binomial_in_q(second))
    assert ig.symbolic.metric(law).matrix == sympy.diag(first / (p * (1 - p)), second / (q * (1 - q)))


def test_copies_of_copies_keep_both_their_numbers() -> None:
    law = ig.models.replicate(ig.models.replicate(ig.models.poisson(), n), m)
    (rate,) = ig.symbolic.metric(law).coordinates
    assert ig.symbolic.metric(law).matrix == sympy.Matrix([[n * m / rate]])


def test_copies_may_be_as_many_as_the_trials_are_called() -> None:
    law = ig.models.replicate(ig.models.binomial(7), n)
    assert ig.symbolic.metric(law).matrix == sympy.Matrix([[7 * n / (p * (1 - p))]])


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")  # the bound is three times rtol: 10,000 outcomes
def test_components_of_a_mixture_keep_their_constants() -> None:
    # Laws of 10 000 trials with p = 0.2 and 0.6 do not meet: each has its share of the observations.
    law = ig.models.mixture([ig.models.binomial(10_000), binomial_in_q(10_000)])
    found = ig.grid.evaluate_points(law, [[0.3, 0.2, 0.6]], ["metric"]).metric.values[0]
    expected = np.diag([1 / (0.3 * 0.7), 3000 / (0.2 * 0.8), 7000 / (0.6 * 0.4)])
    # log p is a sum of terms up to n log n.
    assert abs(found - expected).max() <= 1e-11 * expected.max()


def test_components_of_other_numbers_of_trials_have_another_support() -> None:
    with pytest.raises(ValueError, match=r"one support, got Range\(0, 6, 1\) and Range\(0, 8, 1\)"):
        ig.models.mixture([ig.models.binomial(5), binomial_in_q(7)])


def test_a_mixture_of_an_unknown_number_of_trials_wants_the_number() -> None:
    law = ig.models.mixture([ig.models.binomial(n), binomial_in_q(n)])
    with pytest.raises(ValueError, match=r"constants \['n'\] of the metric need numbers"):
        ig.grid.evaluate_points(law, [[0.3, 0.2, 0.6]])


@pytest.mark.parametrize("taken", ["sigma", "x"])
def test_a_number_of_copies_is_no_symbol_of_the_law(taken: str) -> None:
    with pytest.raises(ValueError, match=f"symbol {taken} is a known constant.* must differ from .*'mu', 'sigma', 'x'"):
        ig.models.replicate(ig.models.normal(), Symbol(taken, positive=True))


# --- Conditions -------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
@pytest.mark.parametrize(
    ("noise", "inside", "outside"),
    [
        (ig.models.bernoulli(), [0.5, 0.1], [0.5, 0.3]),
        (ig.models.poisson(), [0.5, -0.1], [0.5, -0.3]),
        (ig.models.multivariate_normal(2), [0.5, 0.3, 0, 1, 0.5, 1], [0.5, 0.3, 0, 1, 1.5, 1]),
    ],
    ids=["Bernoulli", "Poisson", "normal"],
)
def test_every_sample_of_a_regression_lies_in_the_domain_of_its_noise(
    noise: Model, inside: list[float], outside: list[float]
) -> None:
    assert statuses(on_a_line(noise), [inside, outside]) == [Status.OK, Status.OUT_OF_DOMAIN]


def test_a_logistic_mean_is_a_probability_as_it_stands() -> None:
    law = on_a_line(ig.models.bernoulli(), 1 / (1 + exp(-a - b * x)))
    assert statuses(law, [[0.5, 0.1], [40, 0.1]]) == [Status.OK, Status.OK]


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_a_mixture_lies_where_its_components_do() -> None:
    rate = Parameter(a, Interval(-sympy.oo, sympy.oo), (0.5, 2))
    law = ig.models.mixture([ig.models.reparametrise(ig.models.poisson(), {"rate": a}, [rate]), ig.models.geometric()])
    assert statuses(law, [[0.3, 1.5, 0.6], [0.3, -1.5, 0.6]]) == [Status.OK, Status.OUT_OF_DOMAIN]


# --- Curvature --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_curvature_of_a_regression_is_that_of_the_mean_over_its_data() -> None:
    # Dirichlet laws of two shares are beta laws, and an exponential family; their mean over samples is none.
    mean, points = exp(a + x), [[0.3, 1.2]]  # without a critical point, which would do as well
    shares, same = (
        ig.models.regression(mean, noise, [0.5, 1, 2], variables=x, parameters=[a])
        for noise in (ig.models.dirichlet(2), ig.models.beta())
    )
    assert ig.symbolic.metric(shares).form.cumulants is None
    found, expected = (float(ig.grid.evaluate_points(law, points).ricci_scalar[0]) for law in (shares, same))
    assert found == pytest.approx(expected, rel=1e-9)


FOLDED = ig.models.reparametrise(ig.models.dirichlet(2), {"alpha1": 1 + a**2, "alpha2": 1 + b**2})


@pytest.mark.parametrize("quantities", [["ricci_scalar"], ["metric", "ricci_scalar"]], ids=["alone", "beside g"])
@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_where_a_map_has_a_critical_point_the_metric_is_singular_and_has_no_curvature(quantities: list[str]) -> None:
    ds = ig.grid.evaluate_points(FOLDED, [[0, 0.3], [0.1, 0.3]], quantities)
    assert ds.status.values.tolist() == [Status.SINGULAR, Status.REFINED]
    assert np.isnan(ds.ricci_scalar.values).tolist() == [True, False]


@pytest.mark.slow
def test_a_map_without_critical_points_keeps_the_cumulants() -> None:
    law = ig.models.reparametrise(ig.models.dirichlet(2), {"alpha1": exp(a), "alpha2": exp(b)})
    assert ig.symbolic.metric(law).form.cumulants is not None
    R = [
        float(ig.grid.evaluate_points(m, [at]).ricci_scalar[0]) for m, at in ((law, [0, 0]), (ig.models.beta(), [1, 1]))
    ]
    assert R[0] == pytest.approx(R[1], rel=1e-12)


# --- In numbers -------------------------------------------------------------------------------------------------------


def test_a_product_has_numbers_where_a_part_has_no_closed_form() -> None:
    counts, law = ig.models.negative_binomial(), ig.models.normal()
    alone = ig.grid.evaluate_points(counts, [[2, 0.3]])
    both = ig.grid.evaluate_points(ig.models.product(counts, law), [[2, 0.3, 1, 1.5]])
    found = both.metric.values[0]
    assert found[:2, :2] == pytest.approx(alone.metric.values[0], rel=1e-14)
    assert found[2:, 2:] == pytest.approx(np.diag([1, 2]) / 1.5**2, rel=1e-13)
    assert not found[:2, 2:].any()
    bound = float(both.ricci_scalar_error[0] + alone.ricci_scalar_error[0])
    assert abs(float(both.ricci_scalar[0]) - float(alone.ricci_scalar[0]) + 1) <= bound


def test_a_regression_has_numbers_where_its_noise_has_no_closed_form() -> None:
    r, mean = sympy.symbols("r mean", positive=True)
    counts = ig.models.reparametrise(ig.models.negative_binomial(), {"p": r / (r + mean)}, [mean, r])
    inputs = [0.0, 0.5, 1.0]
    law = ig.models.regression(exp(a + b * x), counts, inputs, variables=x, parameters=[a, b], weights=[1, 2, 1])
    ds = ig.grid.evaluate_points(law, [[0.3, 0.5, 2]])
    expected = np.zeros((3, 3))
    for value, weight in zip(inputs, (0.25, 0.5, 0.25), strict=True):  # Jᵀ g J at every sample
        m = np.exp(0.3 + 0.5 * value)
        J = np.array([[m, m * value, 0], [0, 0, 1]])
        expected += weight * J.T @ ig.grid.evaluate_points(counts, [[m, 2]]).metric.values[0] @ J
    assert ds.metric.values[0] == pytest.approx(expected, rel=1e-12, abs=1e-14)
    assert ds.attrs["expectation"] == "sum"


def test_a_product_may_be_reparametrised_in_numbers() -> None:
    # One rate for both: the information of both about it adds up.
    s = Symbol("s", positive=True)
    both = ig.models.product(ig.models.negative_binomial(), ig.models.poisson())
    law = ig.models.reparametrise(both, {"r": s, "rate": s}, [s, Parameter(p, Interval.open(0, 1))])
    alone = ig.grid.evaluate_points(ig.models.negative_binomial(), [[2, 0.3]]).metric.values[0]
    found = ig.grid.evaluate_points(law, [[2, 0.3]]).metric.values[0]
    assert found == pytest.approx(alone + np.diag([0.5, 0]), rel=1e-13)


def test_a_law_of_several_variables_takes_part_by_its_closed_form() -> None:
    counts, normal = ig.models.negative_binomial(), ig.models.multivariate_normal(2)
    points = [[2, 0.3], [0, 0, 1, 0, 1]]
    found = ig.grid.evaluate_points(ig.models.product(counts, normal), [[*points[0], *points[1]]], rtol=1e-6)
    right = [ig.grid.evaluate_points(law, [x]) for law, x in zip((counts, normal), points, strict=True)]
    assert found.attrs["expectation"] == "parts"
    for k, rows in enumerate((slice(2), slice(2, 7))):
        assert found.metric.values[0, rows, rows] == pytest.approx(right[k].metric.values[0], rel=1e-12)
    total = sum(part.ricci_scalar.item() for part in right)
    assert abs(found.ricci_scalar.item() - total) <= found.ricci_scalar_error.item() + 1e-9 * abs(total)


@pytest.mark.slow
def test_a_product_in_numbers_is_verified_by_its_parts() -> None:
    table = ig.verify(ig.models.product(ig.models.negative_binomial(), ig.models.normal()), [[2, 0.3, 1, 1.5]])
    assert {row.route for row in table.rows} == {"chain rule"}
    assert table.agree


def test_many_states_have_no_second_way() -> None:
    with pytest.raises(ValueError, match=r"cannot be verified: .* takes an expectation over several variables"):
        ig.verify(ig.models.replicate(ig.models.log_linear(4), 2), [[0.1] * 10])


# --- Names ------------------------------------------------------------------------------------------------------------


def test_what_is_observed_is_not_called_as_an_input_is() -> None:
    law = on_a_line(ig.models.normal())
    assert x in law.log_density.free_symbols
    assert law.variable not in {x, a, b}


def test_a_regression_is_what_its_log_density_says() -> None:
    (outcome,) = ig.models.bernoulli().variables
    law = ig.models.regression(a * outcome, ig.models.bernoulli(), [0.2, 0.4], variables=outcome, parameters=[a])
    table = ig.verify(law, [[0.7]])
    assert table.agree
    assert any("definition" in row.route for row in table.rows)


def test_a_shared_parameter_lies_where_every_component_may() -> None:
    first, second = ig.models.gumbel(), ig.models.generalised_normal()
    for components in ([first, second], [second, first]):
        (beta,) = (p for p in ig.models.mixture(components).parameters if p.name == "beta")
        assert beta.domain == Interval.open(sympy.Rational(1, 2), sympy.oo)


def test_a_shared_parameter_may_be_declared_in_two_ways() -> None:
    loose = ig.models.reparametrise(ig.models.cauchy(), {"mu": Symbol("mu", extended_real=True)})
    law = ig.models.mixture([loose, ig.models.normal()])
    assert [p.name for p in law.parameters] == ["weight1", "mu", "gamma", "sigma"]


@pytest.mark.slow
def test_copies_of_copies_are_verified_by_their_log_density() -> None:
    table = ig.verify(ig.models.replicate(ig.models.replicate(ig.models.normal(), 2), 3), [[0.4, 1.3]])
    assert table.agree
    assert any("definition" in row.route for row in table.rows)


# --- Networks ---------------------------------------------------------------------------------------------------------

NEURON = ig.models.sigmoid_neuron([[1.0, 0.5], [0.2, 2.0]], [1, 0], CrossEntropy())
SUM, DIFFERENCE = sympy.symbols("total difference", real=True)
TURNED = ig.models.reparametrise(
    NEURON, {"theta1": (SUM + DIFFERENCE) / 2, "theta2": (SUM - DIFFERENCE) / 2}, [SUM, DIFFERENCE]
)
BESIDE = ig.models.product(ig.models.poisson(), NEURON)


@pytest.mark.parametrize("model", [TURNED, BESIDE], ids=["coordinates", "product"])
def test_what_is_made_of_a_network_has_its_loss_and_its_fisher(model: Model) -> None:
    assert (model.loss, model.fisher) == (NEURON.loss, "empirical")
    attributes = ig.metric(model).attributes
    assert (attributes["loss"], attributes["fisher"]) == ("cross-entropy", "empirical")


@pytest.mark.parametrize("model", [TURNED, BESIDE], ids=["coordinates", "product"])
def test_what_is_made_of_a_network_has_its_output(model: Model) -> None:
    theta = {"total": 0.4, "difference": -0.2} if model is TURNED else {"theta1": 0.1, "theta2": 0.3, "rate": 2}
    inputs = [[1.0, 2.0], [0.5, -1.0]]
    assert model.output(theta, inputs) == pytest.approx(NEURON.output([0.1, 0.3], inputs), rel=1e-14)


def test_a_product_keeps_what_is_observed_of_the_part_on_data() -> None:
    found = ig.grid.evaluate_points(BESIDE, [[2, 0.1, 0.3]], ["loss", "ntk_trace"])
    alone = ig.grid.evaluate_points(NEURON, [[0.1, 0.3]], ["loss", "ntk_trace"])
    for name in ("loss", "ntk_trace"):
        assert found[name].item() == pytest.approx(alone[name].item(), rel=1e-14)


def test_a_network_is_trained_in_other_coordinates() -> None:
    path = ig.training.gradient_descent(TURNED, [0.4, -0.2], learning_rate=0.1, steps=2)
    assert path.loss[0].item() == pytest.approx(
        ig.grid.evaluate_points(NEURON, [[0.1, 0.3]], ["loss"]).loss.item(), rel=1e-14
    )
    assert (np.diff(path.loss) < 0).all()


@pytest.mark.slow
def test_shifted_labels_are_integrated_in_other_coordinates_as_in_the_old() -> None:
    # More samples than a quadrature each would be taken for.
    inputs, targets = ig.models.decision_boundary(30)
    labels = ig.models.sigmoid_neuron(inputs, targets, LpNorm(2), fisher="expected")
    turned = ig.models.reparametrise(labels, {"theta1": 2 * SUM, "theta2": DIFFERENCE})
    assert any(row.route.startswith("definition") for row in ig.verify(turned, [[0.2, -0.3]]).rows)


def test_a_product_with_an_empirical_metric_is_not_held_against_an_expectation() -> None:
    table = ig.verify(ig.models.product(NEURON, ig.models.normal()), [[0.1, 0.3, 0.2, 1.5]])
    assert table.agree
    assert any("observed labels" in reason for _, reason in table.skipped)


# --- Constants that are known later -----------------------------------------------------------------------------------

LATER: dict[str, tuple[Callable[[Any], Model], list[float]]] = {
    "copies": (lambda k: ig.models.replicate(ig.models.normal(), k), [0.3, 1.5]),
    "copies in numbers": (lambda k: ig.models.replicate(ig.models.skew_normal(), k), [0, 1, 0.5]),
    "copies of trials": (lambda k: ig.models.replicate(ig.models.binomial(k), 3), [0.3]),
    "coordinates of copies": (
        lambda k: ig.models.reparametrise(ig.models.replicate(ig.models.normal(), k), {"sigma": exp(a)}),
        [0.3, 0.2],
    ),
    "coordinates of trials": (lambda k: ig.models.reparametrise(ig.models.binomial(k), {"p": 1 / (1 + exp(a))}), [0.3]),
    "a product with trials": (lambda k: ig.models.product(ig.models.binomial(k), ig.models.normal()), [0.3, 0, 1]),
    "a product with counts": (
        lambda k: ig.models.product(ig.models.multinomial(k, 2), ig.models.normal()),
        [0.3, 0, 1],
    ),
    "a product in numbers": (
        lambda k: ig.models.product(ig.models.binomial(k), ig.models.skew_normal()),
        [0.3, 0, 1, 0.5],
    ),
    "a product by parts": (
        lambda k: ig.models.product(ig.models.negative_binomial(), ig.models.replicate(ig.models.freund(), k)),
        [2, 0.4, 1, 1.5, 2, 0.5],
    ),
}


def known_later(name: str) -> tuple[Model, Model]:
    """A model whose symbolic constants have become 5, and the one that was made with 5."""
    make, _ = LATER[name]
    later = make(n)
    return replace(later, constants={s: e.subs(n, 5) for s, e in later.constants.items()}), make(5)


@pytest.mark.parametrize("name", LATER)
def test_a_constant_that_is_known_later_reaches_the_parts(name: str) -> None:
    later, at_once = known_later(name)
    points = [LATER[name][1]]
    found, right = (ig.grid.evaluate_points(m, points, ["metric"]).metric.values for m in (later, at_once))
    assert found == pytest.approx(right, rel=1e-13)


@pytest.mark.parametrize(
    "name", ["copies", pytest.param("coordinates of copies", marks=pytest.mark.slow), "a product with trials"]
)
def test_a_constant_that_is_known_later_is_verified(name: str) -> None:
    later, _ = known_later(name)
    table = ig.verify(later, [LATER[name][1]])
    assert table.agree
    assert "chain rule" in {row.route for row in table.rows}


def test_parts_with_the_constants_of_the_whole_are_the_given_ones() -> None:
    parts = ig.models.binomial(7), ig.models.normal()
    both = ig.models.product(*parts)
    assert both.structure.parts_in(both) == [*parts]


def test_a_constant_that_is_known_later_reaches_the_parts_that_are_drawn() -> None:
    later, at_once = known_later("a product with counts")
    at = {"p1": 0.3, "mu": 0, "sigma": 1}
    assert later.at(**at).sample(3).tolist() == at_once.at(**at).sample(3).tolist()
