"""The metric as a value: what it holds, expands to, prints and refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Matrix, Symbol, diag, exp

import infogeom as ig
from infogeom.losses import CrossEntropy, MeanPower
from infogeom.models import Samples
from infogeom.symbolic import Metric, metric
from tests import reference

a, b, c = sympy.symbols("a b c", real=True)
INPUTS, TARGETS = ig.models.decision_boundary(4)


def network(n: int = 4, **keywords: Any) -> Metric:
    return metric(ig.models.sigmoid_neuron(*ig.models.decision_boundary(n), CrossEntropy(), **keywords))


def test_names_are_those_of_the_coordinates() -> None:
    assert Metric([a, b], sympy.eye(2)).names == ("a", "b")


def test_the_matrix_is_immutable() -> None:
    g = Metric([a, b], sympy.eye(2))
    with pytest.raises(TypeError):
        g.matrix[0, 0] = 2


@pytest.mark.parametrize(
    ("coordinates", "matrix", "message"),
    [
        ([a, b], Matrix([[1, c], [c, 1]]), r"no symbols but its coordinates \['a', 'b'\], got \['c'\]"),
        ([a, b], Matrix([[1, a], [b, 1]]), "matrix must be symmetric"),
        ([a, b], sympy.eye(3), r"matrix must have shape \(2, 2\).*got \(3, 3\)"),
        ([a, b], sympy.ones(2, 3), r"matrix must have shape \(2, 2\)"),
        ([a, a], sympy.eye(2), "coordinates must be different"),
        ([], Matrix(0, 0, []), "at least one"),
        ([Symbol("k"), b], sympy.eye(2), "'k' is reserved"),
        ([Symbol("α"), b], sympy.eye(2), "ASCII identifier"),
    ],
    ids=["foreign", "asymmetric", "shape", "not square", "twice", "none", "reserved", "not ASCII"],
)
def test_a_bad_metric_is_a_value_error_that_says_why(coordinates: Any, matrix: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Metric(coordinates, matrix)


def test_a_coordinate_that_is_no_symbol_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="coordinates must be sympy Symbols"):
        Metric(["a", "b"], sympy.eye(2))  # type: ignore[list-item]


def test_symmetry_is_that_of_values_not_of_spelling() -> None:
    assert Metric([a, b], Matrix([[1, (a + b) ** 2], [a**2 + 2 * a * b + b**2, 40]])).names == ("a", "b")


def test_declared_constants_may_stand_in_the_matrix() -> None:
    assert Metric([a], [[c]], constants=[c]).constants == (c,)


def test_the_number_of_domains_is_that_of_the_coordinates() -> None:
    with pytest.raises(ValueError, match="domains must have one set per coordinate"):
        Metric([a, b], sympy.eye(2), domains=[sympy.S.Reals])


def test_expand_of_a_closed_form_is_itself() -> None:
    g = Metric([a, b], sympy.eye(2))
    assert g.expand() is g


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 0.5, 0.25]], ids=["equal", "weighted"])
def test_an_expanded_network_is_the_mean_over_its_samples(weights: Any) -> None:
    expanded = network(weights=weights).expand()
    assert expanded.samples is None
    assert expanded.matrix.free_symbols == set(expanded.coordinates)
    point = (0.3, -0.2)
    values = {x: sympy.Rational(str(v)) for x, v in zip(expanded.coordinates, point, strict=True)}
    g = np.array(expanded.matrix.subs(values).evalf(30), dtype=float)
    jet = reference.network_jet(point, INPUTS, TARGETS, reference.cross_entropy, weights=weights)
    assert np.allclose(g, jet.g.astype(float), rtol=1e-14, atol=0)


def test_an_expanded_network_keeps_its_loss() -> None:
    expanded = network().expand()
    loss = expanded.observables["loss"].subs(dict(zip(expanded.coordinates, (0.3, -0.2), strict=True)))
    expected = reference.network_loss((0.3, -0.2), INPUTS, TARGETS, reference.cross_entropy)
    assert float(loss.evalf(20)) == pytest.approx(float(expected), rel=1e-14)


def test_an_expanded_network_has_the_curvature_of_the_reference() -> None:
    model = ig.models.sigmoid_neuron(INPUTS[:3], TARGETS[:3], CrossEntropy())
    R = ig.symbolic.ricci_scalar(ig.symbolic.metric(model).expand())
    point = dict(zip((p.symbol for p in model.parameters), (sympy.Rational(3, 10), sympy.Rational(-1, 5)), strict=True))
    jet = reference.network_jet((0.3, -0.2), INPUTS[:3], TARGETS[:3], reference.cross_entropy)
    # Both in many digits; but 0.3 and the decimals of the data stand for binary fractions in the reference.
    expected = float(reference.curvature(jet).scalar)
    bound = 100 * float(reference.cond2(jet.g) * reference.scale(jet.g, jet.dg)) * 2.0**-52
    assert abs(float(R.rewrite(exp).subs(point).evalf(50)) - expected) <= bound


def test_expand_refuses_more_samples_than_anyone_reads() -> None:
    with pytest.raises(ValueError, match="at most 20 samples, got 21"):
        network(21).expand()


@pytest.mark.parametrize("function", ["christoffel", "riemann", "ricci", "ricci_scalar"])
def test_tensors_of_an_unexpanded_network_name_expand(function: str) -> None:
    with pytest.raises(TypeError, match=r"mean over 4 samples; metric\.expand\(\)"):
        getattr(ig.symbolic, function)(network())


@pytest.mark.parametrize("function", ["christoffel", "riemann", "ricci", "ricci_scalar"])
def test_tensors_of_a_model_name_the_metric(function: str) -> None:
    with pytest.raises(TypeError, match="metric must be a Metric"):
        getattr(ig.symbolic, function)(ig.models.normal())


def test_latex_of_a_closed_form_names_its_coordinates() -> None:
    latex = metric(ig.models.normal())._repr_latex_()
    assert latex.startswith(r"$\displaystyle g(\mu, \sigma) = ")
    assert latex.endswith("$")


def test_latex_of_a_network_reads_like_the_formula() -> None:
    latex = network()._repr_latex_()
    for part in (
        r"\frac{1}{4} \sum_{n=1}^{4}",
        r"\sigma",
        r"u_n =",
        r"\tilde{x}_n = (1 - 2\, \mathrm{target}_n)\, x_n",
    ):
        assert part in latex


def test_latex_of_a_weighted_network_shows_its_weights() -> None:
    assert r"\sum_n w_n" in network(weights=[1, 2, 3, 4])._repr_latex_()


def test_latex_of_a_network_without_common_factor_prints_too() -> None:
    samples = Samples((c,), [[1.0], [2.0]])
    assert Metric([a, b], diag(exp(a * c), 1), samples=samples)._repr_latex_().startswith("$")


def test_latex_of_another_loss_prints_too() -> None:
    g = metric(ig.models.sigmoid_neuron(INPUTS, TARGETS, MeanPower(4), fisher="expected"))
    assert r"\sigma" in g._repr_latex_()
