"""What a model is, and what it refuses to be."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Interval, Symbol, oo

import infogeom as ig
from infogeom.models import Model, Parameter, Samples

x, a, b = Symbol("x", real=True), Symbol("a", real=True), Symbol("b", positive=True)


# --- Parameter --------------------------------------------------------------------------------------------------------


def test_a_name_makes_a_real_symbol() -> None:
    assert Parameter("a").symbol == a


def test_the_domain_follows_the_assumptions() -> None:
    assert Parameter(a).domain == sympy.S.Reals
    assert Parameter(b).domain == Interval.open(0, oo)


@pytest.mark.parametrize(
    "domain", [sympy.S.Reals, Interval.open(0, oo), Interval.open(-oo, 3), Interval.open(0, 1)], ids=str
)
def test_the_typical_range_lies_inside_the_domain(domain: Any) -> None:
    low, high = Parameter(a, domain).typical
    assert low < high
    assert low in domain
    assert high in domain


@pytest.mark.parametrize("name", ["metric", "ricci_scalar", "status", "metric_rank", "ricci_scalar_error"])
def test_a_reserved_name_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match=f"parameter name '{name}' is reserved"):
        Parameter(name)


@pytest.mark.parametrize("name", ["k", "l", "point", "step", "epoch", "seed", "loss", "width", "sample"])
def test_a_name_that_no_quantity_has_is_free(name: str) -> None:
    assert Parameter(name).name == name


@pytest.mark.parametrize("name", ["lambda", "in", "is"])
def test_a_keyword_as_a_name_takes_an_underscore(name: str) -> None:
    assert Parameter(name).name == f"{name}_"


def test_the_ends_of_a_domain_are_the_decimals_that_they_print_as() -> None:
    assert Parameter(a, Interval(0.1, 0.7)).domain == Interval.open(sympy.Rational(1, 10), sympy.Rational(7, 10))


@pytest.mark.parametrize("name", ["θ", "theta 1", "1st", "x-y", ""])
def test_a_name_that_is_no_ascii_identifier_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match="ASCII identifier"):
        Parameter(Symbol(name, real=True) if name else "")


@pytest.mark.parametrize("symbol", [None, 3, sympy.sin(a)], ids=str)
def test_a_parameter_that_is_no_symbol_is_a_type_error(symbol: Any) -> None:
    with pytest.raises(TypeError, match="symbol must be a sympy Symbol"):
        Parameter(symbol)


@pytest.mark.parametrize("domain", [sympy.FiniteSet(1), sympy.S.Integers, (0, 1), Interval(1, 1)], ids=str)
def test_a_domain_that_is_no_interval_is_a_value_error(domain: Any) -> None:
    with pytest.raises(ValueError, match="domain must be a sympy Interval"):
        Parameter(a, domain)


@pytest.mark.parametrize(
    "typical", [(-1, 1), (0, 1), (2, 1), (1, 1), (0.5, math.nan), (1, 2, 3), 3, ("a", "b")], ids=str
)
def test_a_typical_range_outside_the_domain_is_a_value_error(typical: Any) -> None:
    with pytest.raises(ValueError, match="typical must be two increasing numbers"):
        Parameter(b, Interval.open(0, oo), typical)


# --- Samples ----------------------------------------------------------------------------------------------------------


def test_data_and_weights_are_read_only() -> None:
    samples = Samples((a,), [[1.0], [2.0]], [1, 3])
    assert not samples.data.flags.writeable
    assert not samples.weights.flags.writeable


def test_data_are_a_copy() -> None:
    data = np.ones((2, 1))
    samples = Samples((a,), data)
    data[0] = 5
    assert samples.data[0, 0] == 1


def test_weights_are_normalised() -> None:
    assert Samples((a,), [[1.0], [2.0]], [1, 3]).weights.tolist() == [0.25, 0.75]


def test_huge_weights_do_not_overflow() -> None:
    assert Samples((a,), [[1.0], [2.0]], [1e308, 1e308]).weights.tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("data", "weights", "message"),
    [
        ([[1.0], [math.nan]], None, r"inputs must be finite, got nan at index \(1, 0\)"),
        ([[1.0], [math.inf]], None, "inputs must be finite, got inf"),
        (np.empty((0, 1)), None, "inputs must hold at least one sample"),
        ([1.0, 2.0], None, r"inputs must have 2 dimensions, got shape \(2,\)"),
        ([[1.0, 2.0]], None, r"inputs must have 1 columns, got shape \(1, 2\)"),
        ([[1.0], [2.0]], [1.0], r"weights must have one entry per sample, shape \(2,\), got \(1,\)"),
        ([[1.0], [2.0]], [1.0, -1.0], "weights must be non-negative, got -1.0 at index 1"),
        ([[1.0], [2.0]], [0.0, 0.0], "weights must have a positive sum, got 0"),
        ([[1.0], [2.0]], [1.0, math.nan], "weights must be finite, got nan at index 1"),
    ],
    ids=["nan", "inf", "empty", "1-D", "columns", "length", "negative", "zero", "nan weight"],
)
def test_bad_samples_are_a_value_error_that_says_why(data: Any, weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Samples((a,), data, weights)


def test_data_that_are_no_numbers_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="inputs must hold real numbers"):
        Samples((a,), [["one"]])


# --- Model ------------------------------------------------------------------------------------------------------------


MEAN = (Parameter(a),)


def law(log_density: Any = -((x - a) ** 2) / 2, parameters: Any = MEAN, support: Any = sympy.S.Reals) -> Model:
    return Model("law", parameters, log_density, x, support)


def test_a_model_is_immutable() -> None:
    with pytest.raises(FrozenInstanceError):
        law().name = "other"  # type: ignore[misc]


def test_equal_models_have_equal_digests() -> None:
    assert law().digest == law().digest


def test_the_digest_depends_on_the_density_and_the_data() -> None:
    inputs, targets = ig.models.decision_boundary(5)
    cross_entropy = ig.losses.CrossEntropy()
    digests = {
        law().digest,
        law(-((x - a) ** 2) / 4).digest,
        ig.models.binomial(2).digest,
        ig.models.binomial(3).digest,
        ig.models.sigmoid_neuron(inputs, targets, cross_entropy).digest,
        ig.models.sigmoid_neuron(inputs, 1 - targets, cross_entropy).digest,
        ig.models.sigmoid_neuron(inputs, targets, cross_entropy, weights=[1, 2, 3, 4, 5]).digest,
        ig.models.sigmoid_neuron(inputs, targets, cross_entropy, fisher="expected").digest,
    }
    assert len(digests) == 8


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"parameters": ()}, "must have at least one parameter"),
        ({"parameters": (Parameter(a), Parameter("a"))}, "parameter names must differ"),
        ({"log_density": -((x - a) ** 2) / b}, "symbol b of the log-density is neither variable nor parameter"),
        ({"parameters": (Parameter(a), Parameter(b))}, "parameter 'b' does not occur in the log-density"),
        ({"support": Interval(0, a)}, r"the support Interval\(0, a\) depends on a parameter"),
        ({"support": None}, "variable and support go together"),
    ],
    ids=["no parameter", "twice the same", "foreign symbol", "absent", "support", "no support"],
)
def test_a_bad_model_is_a_value_error_that_says_why(keywords: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        law(**keywords)


@pytest.mark.parametrize("other", [x, a], ids=["twice the same", "a parameter"])
def test_a_variable_that_is_something_else_besides_is_a_value_error(other: sympy.Symbol) -> None:
    with pytest.raises(ValueError, match="variables must differ from each other and from the parameters, got"):
        Model("law", MEAN, -((x - a) ** 2) / 2, (x, other), (sympy.S.Reals, sympy.S.Reals))


def test_a_family_has_no_loss_and_an_expected_metric() -> None:
    assert law().loss is None
    assert law().fisher == "expected"


def test_a_family_has_no_output() -> None:
    with pytest.raises(TypeError, match="not a network"):
        law().output([0.0], [[1.0]])


# --- The families of the package --------------------------------------------------------------------------------------


def test_the_parameters_of_a_normal_law_are_mu_and_sigma() -> None:
    assert [p.name for p in ig.models.normal().parameters] == ["mu", "sigma"]
    assert ig.models.normal().parameters[1].domain == Interval.open(0, oo)


def test_the_metric_of_a_normal_law_is_that_of_the_thesis() -> None:
    # Eq. 3.1.5: diag(1, 2)/σ²
    metric = ig.symbolic.metric(ig.models.normal())
    sigma = metric.coordinates[1]
    assert metric.matrix == sympy.diag(1 / sigma**2, 2 / sigma**2)


@pytest.mark.parametrize("n", [1, 7, 10**30, Symbol("n"), np.int64(4)], ids=str)
def test_the_metric_of_a_binomial_law_is_n_over_p_times_one_minus_p(n: Any) -> None:
    metric = ig.symbolic.metric(ig.models.binomial(n))
    (p,) = metric.coordinates
    expected = (n if isinstance(n, Symbol) else int(n)) / (p * (1 - p))
    assert sympy.simplify(metric.matrix[0, 0] / expected) == 1


@pytest.mark.parametrize("n", [0, -1])
def test_a_binomial_law_of_no_trials_is_a_value_error(n: int) -> None:
    with pytest.raises(ValueError, match=f"n must be at least 1, got {n}"):
        ig.models.binomial(n)


@pytest.mark.parametrize("n", [2.5, "3", None, True])
def test_a_binomial_law_of_a_broken_number_of_trials_is_a_type_error(n: Any) -> None:
    with pytest.raises(TypeError, match="n must be an int"):
        ig.models.binomial(n)
