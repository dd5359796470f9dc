"""What values look like where a user prints them: one line of text, and formulas in a notebook."""

from __future__ import annotations

from typing import Any

import pytest
import sympy
from sympy import ImmutableDenseNDimArray

import infogeom as ig

TRIALS = sympy.Symbol("n", integer=True, positive=True)
INPUTS, TARGETS = [[1.0, 0.5], [-0.3, 2.0], [0.7, 0.1]], [0, 1, 1]
NETWORK = ig.models.sigmoid_neuron(INPUTS, TARGETS, ig.losses.CrossEntropy())
WEIGHTED = ig.models.sigmoid_neuron(INPUTS, TARGETS, ig.losses.CrossEntropy(), weights=[1, 2, 3])


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (ig.models.normal(), "<Model normal: mu, sigma>"),
        (ig.models.normal().at(mu=0, sigma=2.5), "<normal: mu = 0, sigma = 2.5>"),
        (ig.models.gamma().metric(), "<Metric of gamma: shape, rate>"),
        (ig.models.binomial(TRIALS).metric(), "<Metric of binomial: p; constants n>"),
        (ig.Metric(sympy.symbols("x y"), sympy.eye(2)), "<Metric: x, y>"),
        (
            ig.symbolic.numeric_metric(ig.models.skew_normal()),
            "<Metric of skew normal: xi, omega, alpha; by quadrature>",
        ),
        (NETWORK, "<Model sigmoid neuron: theta1, theta2, cross-entropy, empirical Fisher, 3 samples>"),
        (NETWORK.metric(), "<Metric of sigmoid neuron: theta1, theta2; mean over 3 samples>"),
        (NETWORK.network, "<Network of xtilde_1, xtilde_2: cross-entropy, empirical Fisher>"),
        (NETWORK.samples, "<Samples: 3 of xtilde_1, xtilde_2>"),
        (WEIGHTED.samples, "<Samples: 3 of xtilde_1, xtilde_2, weighted>"),
        (ig.network.MLP((2, 3, 1)), "<MLP 2–3–1: relu, float32, standard, 13 parameters>"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_a_value_prints_in_one_line(value: Any, line: str) -> None:
    assert repr(value) == line


# --- Tensors ----------------------------------------------------------------------------------------------------------

CHRISTOFFEL = ig.models.normal().metric().christoffel()


def test_a_tensor_is_a_table_of_its_components_that_are_not_0() -> None:
    assert CHRISTOFFEL._repr_latex_() == (
        r"$\displaystyle \begin{aligned} "
        r"\Gamma^{\mu}_{\mu\,\sigma} = \Gamma^{\mu}_{\sigma\,\mu} &= - \frac{1}{\sigma} \\ "
        r"\Gamma^{\sigma}_{\mu\,\mu} &= \frac{1}{2 \sigma} \\ "
        r"\Gamma^{\sigma}_{\sigma\,\sigma} &= - \frac{1}{\sigma} \end{aligned}$"
    )


def test_an_antisymmetric_pair_of_components_shares_a_line() -> None:
    assert r"R^{\mu}_{\sigma\,\mu\,\sigma} = -R^{\mu}_{\sigma\,\sigma\,\mu} &= - \frac{1}{\sigma^{2}}" in (
        ig.models.normal().metric().riemann()._repr_latex_()
    )


def test_the_ricci_tensor_has_its_indices_below() -> None:
    assert r"\mathrm{Ric}_{\mu\,\mu} &= - \frac{1}{2 \sigma^{2}}" in ig.models.normal().metric().ricci()._repr_latex_()


def test_a_tensor_that_vanishes_says_so() -> None:
    assert ig.models.exponential().metric().riemann()._repr_latex_() == r"$\displaystyle R = 0$"


def test_functions_in_a_tensor_are_written_as_the_field_does() -> None:
    assert r"\psi'\left(\mathrm{shape}\right)" in ig.models.gamma().metric().christoffel()._repr_latex_()


def test_a_tensor_equals_the_array_of_its_components() -> None:
    plain = ImmutableDenseNDimArray(CHRISTOFFEL)
    assert plain == CHRISTOFFEL
    assert hash(plain) == hash(CHRISTOFFEL)


def test_what_is_made_of_a_tensor_by_arithmetic_prints_as_an_array() -> None:
    assert r"\begin{matrix}" in (2 * CHRISTOFFEL)._repr_latex_()


def test_a_tensor_prints_as_text_like_any_array() -> None:
    assert str(CHRISTOFFEL) == str(ImmutableDenseNDimArray(CHRISTOFFEL))
