"""Methods of models and metrics: the functions of the package, called by the value they are asked of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy

import infogeom as ig

r, mass = sympy.symbols("r M", positive=True)
NORMAL = ig.models.normal()
TRIALS = ig.models.binomial(sympy.Symbol("n", integer=True, positive=True))


def schwarzschild() -> ig.Metric:
    """Radial and polar part of a spacetime, with its mass as a constant."""
    theta = sympy.Symbol("theta", positive=True)
    return ig.Metric([r, theta], sympy.diag(1 / (1 - 2 * mass / r), r**2), constants=[mass])


def test_a_model_gives_the_metric_that_the_function_gives() -> None:
    assert NORMAL.metric() is ig.metric(NORMAL)


def test_a_model_evaluates_itself_as_the_function_does() -> None:
    axes = {"mu": 0.0, "sigma": [1.0, 2.0]}
    np.testing.assert_array_equal(NORMAL.evaluate(axes).metric, ig.evaluate(NORMAL, axes).metric)


@pytest.mark.parametrize("of", [NORMAL, NORMAL.metric()], ids=["model", "metric"])
def test_options_reach_the_function(of: Any) -> None:
    with pytest.raises(ValueError, match="rtol must be at least"):
        of.evaluate({"mu": 0, "sigma": 1}, rtol=-1)


def test_a_metric_evaluates_itself_as_the_function_does() -> None:
    axes = {"mu": 0.0, "sigma": [1.0, 2.0]}
    np.testing.assert_array_equal(NORMAL.metric().evaluate(axes).metric, ig.evaluate(NORMAL, axes).metric)


@pytest.mark.parametrize("name", ["christoffel", "riemann", "ricci", "ricci_scalar", "inverse"])
def test_a_metric_gives_the_tensor_that_the_function_gives(name: str) -> None:
    metric = NORMAL.metric()
    assert getattr(metric, name)() == getattr(ig.symbolic, name)(metric)


def test_the_determinant_is_that_of_the_matrix() -> None:
    _mu, sigma = NORMAL.metric().coordinates
    assert NORMAL.metric().det() == 2 / sigma**4


def test_the_determinant_of_a_singular_metric_is_0() -> None:
    x, y = sympy.symbols("x y", real=True)
    assert ig.Metric([x, y], [[1, sympy.sin(y)], [sympy.sin(y), 1 - sympy.cos(y) ** 2]]).det() == 0


# --- A metric at a point ----------------------------------------------------------------------------------------------


def test_a_metric_at_a_point_is_its_matrix_in_float64() -> None:
    found = ig.models.gamma().metric().at(shape=2, rate=0.5)
    expected = [[float(sympy.polygamma(1, 2)), -2.0], [-2.0, 8.0]]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_the_order_in_which_coordinates_are_named_does_not_matter() -> None:
    metric = ig.models.gamma().metric()
    np.testing.assert_array_equal(metric.at(rate=0.5, shape=2), metric.at(shape=2, rate=0.5))


def test_a_metric_on_data_at_a_point_is_the_mean_over_them() -> None:
    network = ig.models.sigmoid_neuron([[1.0, 0.5], [-0.3, 2.0]], [0, 1], ig.losses.CrossEntropy())
    explicit = network.metric().expand().matrix.subs(dict(zip(network.metric().coordinates, (0.1, -0.2), strict=True)))
    np.testing.assert_allclose(network.metric().at(theta1=0.1, theta2=-0.2), np.array(explicit, float), rtol=1e-12)


NORMAL_METRIC = "must name ['mu', 'sigma']"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"mu": 0}, f"{NORMAL_METRIC}; missing ['sigma'], unknown []"),
        ({"mu": 0, "sigma": 1, "rate": 2}, f"{NORMAL_METRIC}; missing [], unknown ['rate']"),
        ({"mu": 0, "sigma": -1}, "sigma must lie in Interval.open(0, oo), got -1.0"),
        ({"mu": float("nan"), "sigma": 1}, "mu must be finite, got nan"),
        ({"mu": [0, 1], "sigma": 1}, "mu must be a number, got shape (2,)"),
    ],
)
@pytest.mark.parametrize("of", [NORMAL, NORMAL.metric()], ids=["model", "metric"])
def test_a_point_is_refused_by_name_rule_and_value(of: Any, values: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the words are the test)
        of.at(**values)
    assert told in str(caught.value)


def test_a_coordinate_that_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match="sigma must hold real numbers"):
        NORMAL.at(mu=0, sigma="two")


@pytest.mark.parametrize("of", [ig.models.categorical(3), ig.models.categorical(3).metric()], ids=["model", "metric"])
def test_a_point_where_a_condition_does_not_hold_is_refused(of: Any) -> None:
    with pytest.raises(ValueError, match=r"at must be a point where .* > 0, got \{'p1': 0.7, 'p2': 0.6\}"):
        of.at(p1=0.7, p2=0.6)


def test_a_parameter_may_be_called_self() -> None:
    x, own = sympy.symbols("x self", positive=True)
    law = ig.models.from_density(sympy.log(own) - own * x, x, [own], sympy.Interval.open(0, sympy.oo))
    assert law.metric().at(self=2.0) == law.at(self=2.0).metric == 0.25


# --- Constants --------------------------------------------------------------------------------------------------------


def test_constants_take_exact_numbers() -> None:
    assert ig.Metric([r], [[3 * mass]], constants=[mass]).with_constants(M=0.1).matrix[0] == sympy.Rational(3, 10)


def test_a_metric_with_loose_constants_has_no_numbers() -> None:
    with pytest.raises(ValueError, match=r"constants \['M'\] of the metric need numbers"):
        schwarzschild().at(r=4, theta=1)


def test_a_metric_without_loose_constants_has_numbers() -> None:
    np.testing.assert_allclose(schwarzschild().with_constants(M=1).at(r=4, theta=1), [[2, 0], [0, 16]], rtol=1e-12)


def test_a_number_of_trials_makes_the_metric_of_the_family_with_that_number() -> None:
    ours, theirs = TRIALS.metric().with_constants(n=7), ig.models.binomial(7).metric()
    assert (ours.matrix, ours.attributes, ours.constants) == (theirs.matrix, theirs.attributes, theirs.constants)


def test_the_cumulants_take_the_constants_too() -> None:
    counts = ig.models.multinomial(sympy.Symbol("n", integer=True, positive=True), 3)
    ours, theirs = counts.metric().with_constants(n=4), ig.models.multinomial(4, 3).metric()
    assert (ours.form.cumulants is None) == (theirs.form.cumulants is None)
    assert ours.evaluate({"p1": 0.2, "p2": 0.3}).ricci_scalar == theirs.evaluate({"p1": 0.2, "p2": 0.3}).ricci_scalar


def test_constants_that_are_not_named_stay() -> None:
    charge = sympy.Symbol("Q", positive=True)
    metric = ig.Metric([r], [[1 + mass / r + charge / r**2]], constants=[mass, charge])
    assert metric.with_constants(M=1).constants == (charge,)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"m": 1}, "with_constants must name constants out of ['M'], got ['m']"),
        ({"M": -1}, "M must be a number that Symbol('M', positive=True) allows, got -1"),
        ({"M": r}, "M must be a finite number, got r"),
        ({"M": sympy.oo}, "M must be a finite number, got oo"),
    ],
)
def test_a_constant_is_refused_by_name_rule_and_value(values: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  (the words are the test)
        schwarzschild().with_constants(**values)
    assert told in str(caught.value)
