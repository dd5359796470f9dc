"""The metric as a value: what it holds, expands to, prints and refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sympy
from einsteinpy.symbolic import MetricTensor
from sympy import Matrix, Symbol, cos, diag, exp, sin

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
        ([Symbol("ricci"), b], sympy.eye(2), "'ricci' is reserved"),
        ([Symbol("α"), b], sympy.eye(2), "ASCII identifier"),
        ([a, b], [[1, Symbol("a") ** 2], [Symbol("a") ** 2, 1]], r"Symbol\('a', real=True\) itself, got Symbol\('a'\)"),
        ([a, b], [["1", 0], [0, "exp(b)"]], "another symbol of that name for its other assumptions"),
        ([a, b], sympy.eye(2) * (a + sympy.I * b), "matrix must hold real, finite expressions"),
        ([b, a], MetricTensor([[1, 0], [0, a**2]], (b, a), config="uu"), "indices down, 'll', got 'uu'"),
        ([a, b], MetricTensor([[1, 0], [0, a**2]], (b, a)), r"coordinates \['a', 'b'\], in order, got \['b', 'a'\]"),
    ],
    ids=[
        *(
            "foreign",
            "asymmetric",
            "shape",
            "not square",
            "twice",
            "none",
            "reserved",
            "not ASCII",
            "other assumptions",
        ),
        *("in quotes", "complex", "indices up", "another order"),
    ],
)
def test_a_bad_metric_is_a_value_error_that_says_why(coordinates: Any, matrix: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Metric(coordinates, matrix)


@pytest.mark.parametrize("name", ["i", "j", "k", "l", "point", "step", "width", "loss", "lambda_"])
def test_a_coordinate_may_be_called_what_no_quantity_is(name: str) -> None:
    assert Metric([Symbol(name)], [[1]]).names == (name,)


def test_a_coordinate_is_not_called_as_an_observable() -> None:
    loss = Symbol("loss", real=True)
    with pytest.raises(ValueError, match="'loss' is reserved"):
        Metric([loss], [[1]], observables={"loss": loss**2})


def test_a_coordinate_called_as_a_keyword_takes_an_underscore() -> None:
    named, taken = (Symbol(name, positive=True) for name in ("lambda", "lambda_"))
    metric = Metric([named], [[1 / named]], constraints=[3 - named])
    assert (metric.names, metric.matrix[0], metric.constraints) == (("lambda_",), 1 / taken, (3 - taken,))
    assert metric.evaluate({"lambda": [1, 2]}, ["metric"]).metric.values.ravel().tolist() == [1, 0.5]


def test_the_underscore_of_a_keyword_is_not_printed() -> None:
    lambda_ = Symbol("lambda_", positive=True)
    assert r"g(\lambda) = " in Metric([lambda_], [[1 / lambda_]])._repr_latex_()


def test_a_coordinate_that_is_no_symbol_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="coordinates must be sympy Symbols"):
        Metric(["a", "b"], sympy.eye(2))  # type: ignore[list-item]


def test_symmetry_is_that_of_values_not_of_spelling() -> None:
    assert Metric([a, b], Matrix([[1, (a + b) ** 2], [a**2 + 2 * a * b + b**2, 40]])).names == ("a", "b")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sympy.tan(a / 2), sin(a) / (1 + cos(a))),
        (1 / cos(a) ** 2, 1 + sympy.tan(a) ** 2),
        (sympy.tanh(a), (exp(2 * a) - 1) / (exp(2 * a) + 1)),
        (cos(3 * a), 4 * cos(a) ** 3 - 3 * cos(a)),
        (sympy.log(c * (1 + a**2)), sympy.log(c) + sympy.log(1 + a**2)),
    ],
    ids=str,
)
def test_entries_in_other_words_are_equal(one: Any, other: Any) -> None:
    positive = {c: Symbol("c", positive=True)}
    g = Metric([a, b], Matrix([[9, one], [other, 40]]).xreplace(positive), constants=positive.values())
    assert g.matrix[1, 0] == other.xreplace(positive)


def test_entries_that_differ_by_little_are_not_equal() -> None:
    with pytest.raises(ValueError, match="matrix must be symmetric"):
        Metric([a, b], [[9, sympy.tan(a)], [sympy.tan(a) + sympy.Rational(1, 10**40), 40]])


def test_entries_of_unknown_functions_in_other_words_are_equal() -> None:
    f = sympy.Function("f")(a)
    assert Metric([a, b], [[9, sympy.tan(f)], [sin(f) / cos(f), 40]]).names == ("a", "b")


def test_symmetry_holds_on_the_domain() -> None:
    unequal, domain = [[9, sympy.sqrt(a**2) * exp(a)], [a * exp(a), 40]], sympy.Interval.open(1, 3)
    with pytest.raises(ValueError, match="symmetric"):
        Metric([a, b], unequal)
    s = Symbol("s", real=True)
    roots = [[9, sympy.sqrt(1 - s) * sympy.sqrt(1 + s)], [sympy.sqrt(1 - s**2), 40]]
    assert Metric([s, b], roots, domains=[sympy.Interval.open(-1, 1), domain]).names == ("s", "b")


def test_a_modulus_in_terms_of_the_imaginary_unit_is_real() -> None:
    z = a + sympy.I * b
    disk = Metric([a, b], 4 * sympy.eye(2) / (1 - z * sympy.conjugate(z)) ** 2)
    assert disk.matrix[0, 0] == 4 / (1 - a**2 - b**2) ** 2


def test_coordinates_are_real_whether_declared_so_or_not() -> None:
    r = Symbol("r")
    assert Metric([r], [[1 + sympy.Abs(r) ** 2 + exp(sympy.I * r) + exp(-sympy.I * r)]]).matrix[0, 0] == (
        1 + r**2 + 2 * cos(r)
    )


def test_the_modulus_of_an_undeclared_coordinate_has_a_derivative() -> None:
    r = Symbol("r")
    ds = ig.grid.evaluate_points(Metric([r], [[1 + 3 * sympy.Abs(r)]]), [[-2.0]], ("christoffel",))
    assert ds.christoffel.item() == pytest.approx(-3 / 14, rel=1e-14)


def test_a_metric_tensor_of_einsteinpy_stands_for_its_components() -> None:
    assert Metric([a, b], MetricTensor([[1, 0], [0, a**2]], (a, b))).matrix == diag(1, a**2)


# --- Floats -----------------------------------------------------------------------------------------------------------


def test_floats_are_the_decimal_fractions_that_they_print_as() -> None:
    matrix, observables = [[1.25 + exp(0.1 * a), 0], [0, a**2.0]], {"loss": 0.7 * a}
    domains = [sympy.Interval.open(0.2, 3.5), sympy.S.Reals]
    g = Metric([a, b], matrix, domains=domains, constraints=[1.1 - a], observables=observables)
    assert g.matrix == diag(sympy.Rational(5, 4) + exp(a / 10), a**2)
    assert g.domains[0] == sympy.Interval.open(sympy.Rational(1, 5), sympy.Rational(7, 2))
    assert g.constraints == (sympy.Rational(11, 10) - a,)
    assert g.observables == {"loss": 7 * a / 10}


@pytest.mark.parametrize(("rate", "sign"), [(0.1, -1), (0.3, -1), (0.7, 1)])
def test_a_surface_whose_rate_is_a_float_has_its_curvature_near_the_axis(rate: float, sign: int) -> None:
    radius = sin if sign > 0 else sympy.sinh
    surface = Metric([a, b], diag(1, radius(rate * a) ** 2 / sympy.Float(rate) ** 2))
    found = ig.grid.evaluate_points(surface, [[1e-6, 0], [1e-9, 0]], ("ricci_scalar",))
    assert np.allclose(found.ricci_scalar, sign * 2 * rate**2, rtol=1e-12, atol=0)


def test_a_float_as_exponent_is_a_decimal_too() -> None:
    scale = (1.5 * a) ** (2 / 3)
    R = ig.symbolic.ricci_scalar(Metric([a, b], diag(1, scale**2), domains=[sympy.Interval.open(0, 9), sympy.S.Reals]))
    alpha = sympy.Rational("1.3333333333333333")
    assert float(R.subs(a, 2).evalf(30)) == pytest.approx(float(-alpha * (alpha / 2 - 1) / 4), rel=1e-14)


def test_what_rounding_of_floats_sets_apart_is_symmetric() -> None:
    g = Metric([a, b], [[3, 0.1 * a + 0.2 * a], [0.3 * a, 5]])
    assert g.matrix[0, 1] == g.matrix[1, 0]


def test_exact_entries_are_not_made_equal() -> None:
    with pytest.raises(ValueError, match="matrix must be symmetric"):
        Metric([a, b], [[3, a], [a * (1 + sympy.Rational(1, 10**15)), 5]])


def test_a_number_put_in_for_a_constant_is_exact() -> None:
    g = Metric([a], [[exp(c * a)]], constants=[c])
    assert replace(g, matrix=g.matrix.subs(c, 0.3)).matrix[0, 0] == exp(sympy.Rational(3, 10) * a)


def test_declared_constants_may_stand_in_the_matrix() -> None:
    assert Metric([a], [[c]], constants=[c]).constants == (c,)


def test_the_number_of_domains_is_that_of_the_coordinates() -> None:
    with pytest.raises(ValueError, match="domains must have one set per coordinate"):
        Metric([a, b], sympy.eye(2), domains=[sympy.S.Reals])


@pytest.mark.parametrize(
    ("constraint", "told"), [(a > 1, "constraints must hold Expr only, got a > 1"), ("a", "Expr only, got 'a'")]
)
def test_what_is_no_constraint_is_refused(constraint: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        Metric([a, b], sympy.eye(2), constraints=[constraint])


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


@pytest.mark.slow
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


def test_a_form_that_is_put_into_a_metric_takes_the_place_of_its_matrix() -> None:
    g = Metric([a, b], sympy.eye(2))
    assert replace(g, form=ig.symbolic.ClosedForm(diag(2, 3))).matrix == diag(2, 3)


def test_a_matrix_that_is_put_into_a_metric_takes_the_place_of_its_form() -> None:
    g = Metric([a, b], ig.symbolic.ClosedForm(diag(2, 3)))
    assert replace(g, matrix=sympy.eye(2)).form.matrix == sympy.eye(2)


def test_samples_beside_a_form_that_knows_none_are_refused() -> None:
    g = ig.symbolic.numeric_metric(ig.models.skew_normal())
    with pytest.raises(TypeError, match="samples must be those of the form, which is an expectation"):
        replace(g, samples=network().samples)
