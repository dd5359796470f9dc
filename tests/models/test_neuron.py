"""The sigmoid network, its data set, and what bad data get."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import infogeom as ig
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from infogeom.models import decision_boundary, decision_boundary_population, sigmoid_neuron

INPUTS, TARGETS = decision_boundary(8)


# --- Data -------------------------------------------------------------------------------------------------------------


def test_the_data_set_is_uniform_in_the_unit_square_and_split_by_its_diagonal() -> None:
    x, y = decision_boundary(2000, seed=4)
    assert x.shape == (2000, 2)
    assert ((x >= 0) & (x < 1)).all()
    assert np.array_equal(y, x[:, 1] > x[:, 0])
    # Means of 2000 uniform numbers stray by 0.29/√2000 = 0.0065; five of these.
    assert abs(x.mean(0) - 0.5).max() < 0.033


def test_the_data_set_follows_its_seed() -> None:
    assert np.array_equal(decision_boundary(5, seed=1)[0], decision_boundary(5, seed=1)[0])
    assert not np.array_equal(decision_boundary(5, seed=1)[0], decision_boundary(5, seed=2)[0])


@pytest.mark.parametrize("function", [decision_boundary, decision_boundary_population])
@pytest.mark.parametrize("n", [0, -3])
def test_a_count_below_one_is_a_value_error(function: Any, n: int) -> None:
    with pytest.raises(ValueError, match=f"must be at least 1, got {n}"):
        function(n)


@pytest.mark.parametrize("function", [decision_boundary, decision_boundary_population])
@pytest.mark.parametrize("n", [2.0, "3", None, True])
def test_a_count_that_is_no_int_is_a_type_error(function: Any, n: Any) -> None:
    with pytest.raises(TypeError, match="must be an int"):
        function(n)


def test_population_weights_are_positive_and_sum_to_one() -> None:
    x, y, weights = decision_boundary_population(7)
    assert len(x) == len(y) == len(weights) == 98
    assert (weights > 0).all()
    assert weights.sum() == pytest.approx(1, rel=1e-14)


def test_population_targets_are_those_of_the_data_set() -> None:
    x, y, _ = decision_boundary_population(7)
    assert np.array_equal(y, x[:, 1] > x[:, 0])


@pytest.mark.parametrize(("p", "q"), [(0, 0), (1, 0), (3, 2), (0, 5), (5, 5)])
def test_population_moments_are_those_of_the_triangle(p: int, q: int) -> None:
    # ∫∫ x^p y^q over 0 < x < y < 1 is 1/((p + 1)(p + q + 2)); order 7 is exact below degree 13.
    x, y, weights = decision_boundary_population(7)
    above = y == 1
    moment = weights[above] @ (x[above, 0] ** p * x[above, 1] ** q)
    assert moment == pytest.approx(1 / ((p + 1) * (p + q + 2)), rel=1e-13)


# --- The network ------------------------------------------------------------------------------------------------------


def test_parameters_are_numbered_from_one() -> None:
    model = sigmoid_neuron(np.ones((3, 4)), [0, 1, 1], CrossEntropy())
    assert [p.name for p in model.parameters] == ["theta1", "theta2", "theta3", "theta4"]


def test_the_output_is_the_sigmoid_of_five_times_the_product() -> None:
    model = sigmoid_neuron(INPUTS, TARGETS, CrossEntropy())
    assert model.output([0.2, -0.3], [[1, 2]]) == pytest.approx(1 / (1 + math.exp(-5 * (0.2 - 0.6))), rel=1e-14)


def test_the_output_follows_the_steepness() -> None:
    model = sigmoid_neuron(INPUTS, TARGETS, CrossEntropy(), steepness=2)
    assert model.output([0.2, -0.3], [[1, 2]]) == pytest.approx(1 / (1 + math.exp(0.8)), rel=1e-14)


def test_the_output_does_not_overflow() -> None:
    model = sigmoid_neuron(INPUTS, TARGETS, CrossEntropy())
    assert model.output([1e3, 0], [[1, 0], [-1, 0]]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("theta", "inputs", "message"),
    [
        ([1], [[1, 2]], "theta must have 2 entries, got 1"),
        ([1, 2], [[1, 2, 3]], r"inputs must have 2 columns, got shape \(1, 3\)"),
        ([1, 2], [1, 2], "inputs must have 2 dimensions"),
        ([1, math.nan], [[1, 2]], "theta must be finite, got nan at index 1"),
    ],
)
def test_bad_arguments_of_the_output_are_a_value_error(theta: Any, inputs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sigmoid_neuron(INPUTS, TARGETS, CrossEntropy()).output(theta, inputs)


@pytest.mark.parametrize("fisher", ["empirical", "expected"])
def test_a_model_says_its_loss_and_its_fisher(fisher: str) -> None:
    model = sigmoid_neuron(INPUTS, TARGETS, MeanPower(4), fisher=fisher)
    assert model.loss == MeanPower(4)
    assert model.fisher == fisher


def test_the_default_fisher_is_the_empirical_one() -> None:
    assert sigmoid_neuron(INPUTS, TARGETS, CrossEntropy()).fisher == "empirical"


def test_lists_are_data_too() -> None:
    model = sigmoid_neuron(INPUTS.tolist(), TARGETS.tolist(), CrossEntropy())
    assert model.digest == sigmoid_neuron(INPUTS, TARGETS, CrossEntropy()).digest


def test_boolean_targets_are_zero_and_one() -> None:
    model = sigmoid_neuron(INPUTS, TARGETS.astype(bool), CrossEntropy())
    assert model.digest == sigmoid_neuron(INPUTS, TARGETS, CrossEntropy()).digest


@pytest.mark.parametrize(
    ("inputs", "targets", "keywords", "message"),
    [
        (INPUTS, TARGETS[:-1], {}, "targets must have one entry per sample: 8 inputs, 7 targets"),
        (INPUTS, TARGETS + 1, {}, "targets must be 0 or 1, got 2.0 at index"),
        (INPUTS, TARGETS - 0.5, {}, "targets must be 0 or 1, got -0.5 at index"),
        (INPUTS, [math.nan, *TARGETS[1:]], {}, "targets must be finite, got nan at index 0"),
        ([[1, math.nan]], [1], {}, r"inputs must be finite, got nan at index \(0, 1\)"),
        ([[1, math.inf]], [1], {}, "inputs must be finite, got inf"),
        (np.empty((0, 2)), [], {}, "inputs must hold at least one sample"),
        (np.empty((2, 0)), [0, 1], {}, "inputs must hold at least one sample and one column"),
        (INPUTS[:, 0], TARGETS, {}, "inputs must have 2 dimensions"),
        (INPUTS, TARGETS[:, None], {}, "targets must have 1 dimension"),
        (INPUTS, TARGETS, {"weights": [1.0]}, "weights must have one entry per sample"),
        (INPUTS, TARGETS, {"weights": [-1.0, *[1.0] * 7]}, "weights must be non-negative, got -1.0 at index 0"),
        (INPUTS, TARGETS, {"weights": [0.0] * 8}, "weights must have a positive sum"),
        (INPUTS, TARGETS, {"weights": [math.nan, *[1.0] * 7]}, "weights must be finite"),
        (INPUTS, TARGETS, {"steepness": 0.0}, "steepness must be finite and not 0, got 0.0"),
        (INPUTS, TARGETS, {"steepness": math.inf}, "steepness must be finite and not 0, got inf"),
        (INPUTS, TARGETS, {"steepness": math.nan}, "steepness must be finite and not 0, got nan"),
        (INPUTS, TARGETS, {"fisher": "true"}, "fisher must be 'empirical' or 'expected', got 'true'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_data_are_a_value_error_that_says_why(inputs: Any, targets: Any, keywords: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sigmoid_neuron(inputs, targets, CrossEntropy(), **keywords)


@pytest.mark.parametrize("loss", [None, "cross-entropy", CrossEntropy], ids=str)
def test_what_is_no_loss_is_a_type_error(loss: Any) -> None:
    with pytest.raises(TypeError, match=r"loss must come from infogeom\.losses"):
        sigmoid_neuron(INPUTS, TARGETS, loss)


def test_a_steepness_may_be_any_real_number_that_float64_holds() -> None:
    fraction = sigmoid_neuron(INPUTS, TARGETS, CrossEntropy(), steepness=Fraction(1, 2))  # type: ignore[arg-type]
    assert fraction.output([1, 1], INPUTS) == pytest.approx(
        sigmoid_neuron(INPUTS, TARGETS, CrossEntropy(), steepness=0.5).output([1, 1], INPUTS), rel=0, abs=0
    )
    with pytest.raises(ValueError, match="steepness must be a float64 number"):
        sigmoid_neuron(INPUTS, TARGETS, CrossEntropy(), steepness=10**400)


@pytest.mark.parametrize("n", [2, 12, 100])
def test_the_expected_fisher_of_every_mean_power_is_that_of_its_location_family(n: int) -> None:
    # c = n² Γ(2 − 1/n) / Γ(1/n), Sec. 5 of the references: Fisher information of a generalised normal law's location.
    model = sigmoid_neuron([[0.5]], [1], MeanPower(n), fisher="expected")
    value = float(ig.grid.evaluate_points(model, [[0.3]], ["metric"]).metric.item())
    s = 1 / (1 + math.exp(0.75))
    c = n**2 * math.gamma(2 - 1 / n) / math.gamma(1 / n)
    assert value == pytest.approx(c * (2.5 * s * (1 - s)) ** 2, rel=1e-14)


def test_a_steepness_that_is_no_number_is_a_type_error_that_names_it() -> None:
    with pytest.raises(TypeError, match="steepness"):
        sigmoid_neuron(INPUTS, TARGETS, CrossEntropy(), steepness="5")  # type: ignore[arg-type]


def test_inputs_that_are_no_numbers_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="inputs must hold real numbers"):
        sigmoid_neuron([["a", "b"]], [1], CrossEntropy())


def test_the_kinds_of_fisher_differ_for_cross_entropy_and_agree_for_lp_norms() -> None:
    def matrix(loss: Any, fisher: str) -> Any:
        return ig.symbolic.metric(sigmoid_neuron(INPUTS, TARGETS, loss, fisher=fisher)).matrix

    assert matrix(CrossEntropy(), "empirical") != matrix(CrossEntropy(), "expected")
    assert matrix(LpNorm(2), "empirical") == matrix(LpNorm(2), "expected")
