"""Verification of forms of forms, by the closed form of the whole where there is one and by the parts elsewhere."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom import precision
from infogeom.symbolic import DirectSum, Form, PulledBack, Scaled
from infogeom.verification.parts import by_parts, reference

t, s = sympy.symbols("t s", positive=True)
NORMAL, GAMMA = ig.metric(ig.models.normal()), ig.metric(ig.models.gamma())
MU, SIGMA = NORMAL.coordinates
FORMS: dict[str, tuple[list[sympy.Symbol], Form, tuple[float, ...]]] = {
    "coordinates": ([t, s], PulledBack(NORMAL.form, {MU: t * s, SIGMA: s**2}, [t, s]), (0.7, 1.5)),
    "submanifold": ([t], PulledBack(GAMMA.form, dict(zip(GAMMA.coordinates, (t**2, 1 + t), strict=True)), [t]), (0.7,)),
    "multiple": ([*GAMMA.coordinates], Scaled(GAMMA.form, 2.5), (0.7, 1.5)),
    "sum": (
        [*GAMMA.coordinates, MU, SIGMA],
        DirectSum([GAMMA.form, NORMAL.form], [GAMMA.coordinates, NORMAL.coordinates]),
        (0.7, 1.5, 0.2, 2.0),
    ),
}
NESTED = PulledBack(Scaled(PulledBack(NORMAL.form, {MU: t, SIGMA: s}, [t, s]), 3), {t: MU**3, s: SIGMA}, [MU, SIGMA])
FORMS["nested"] = ([MU, SIGMA], NESTED, (0.7, 1.5))


@pytest.mark.parametrize("name", FORMS)
def test_a_form_of_closed_forms_agrees_with_its_closed_form_and_the_chain_rule(name: str) -> None:
    coordinates, form, point = FORMS[name]
    table = ig.verify(ig.Metric(coordinates, form), [point])
    routes = {row.route for row in table.rows}
    assert table.agree
    assert {"chain rule", "closed form, 50 digits", "differences, 200 digits", "ball"} <= routes


@pytest.mark.parametrize("name", FORMS)
def test_the_chain_rule_gives_the_jet_of_the_closed_form(name: str) -> None:
    coordinates, form, point = FORMS[name]
    metric = ig.Metric(coordinates, form)
    with precision.digits(50):
        chain, whole = by_parts(metric, None), reference(metric, None)
        assert chain is not None
        for found, tensor in zip(chain(point).value, whole(point).value, strict=True):
            assert np.abs(found - tensor).max() <= mpmath.mpf(10) ** -40 * (1 + np.abs(tensor).max())


@pytest.mark.parametrize("name", FORMS)
def test_tensors_of_a_form_of_closed_forms_are_those_of_what_it_is_written_out(name: str) -> None:
    coordinates, form, point = FORMS[name]
    metric = ig.Metric(coordinates, form)
    scalar = metric.ricci_scalar().subs(dict(zip(coordinates, map(sympy.Rational, point), strict=True)))
    found = ig.evaluate_points(metric, [point], ["ricci_scalar", "ricci_scalar_error"])
    assert abs(float(found.ricci_scalar[0]) - float(scalar)) <= float(found.ricci_scalar_error[0])


@pytest.mark.slow
def test_a_law_without_closed_form_beside_data_agrees_by_its_parts() -> None:
    network = ig.models.sigmoid_neuron([[0.5, 1.0], [-1.0, 0.3], [0.2, -0.7]], [1, 0, 1], ig.losses.CrossEntropy())
    both = ig.models.product(network, ig.models.replicate(ig.models.skew_normal(), 2))
    table = ig.verify(both, [[0.3, -0.2, 0.1, 1.3, 0.8]])
    assert table.agree
    assert {row.route for row in table.rows} == {"chain rule"}


def test_a_form_of_open_forms_alone_is_refused_by_name() -> None:
    skew = ig.symbolic.numeric_metric(ig.models.skew_normal())
    with pytest.raises(TypeError, match="must be the Model where the metric has no closed form"):
        ig.verify(ig.Metric(skew.coordinates, Scaled(skew.form, 2)), [[0.1, 1.0, 2.0]])


@pytest.mark.parametrize("n", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (7, 20))])
def test_equal_weights_are_one_nth_in_every_route(n: int) -> None:
    rng = np.random.default_rng(n)
    network = ig.models.sigmoid_neuron(rng.normal(size=(n, 2)), rng.integers(0, 2, n), ig.losses.CrossEntropy())
    samples = ig.metric(network).samples
    assert samples.exact_weights == [sympy.Rational(1, n)] * n
    assert ig.verify(network, [[0.3, 0.3], [5.0, -4.0], [9.0, 8.0]]).agree


def test_coordinates_are_no_symbols_of_the_data() -> None:
    network = ig.models.sigmoid_neuron([[0.5, 1.0], [-1.0, 0.3]], [1, 0], ig.losses.CrossEntropy())
    g = ig.metric(network)
    (one, other), taken = g.coordinates, g.samples.symbols[0]
    with pytest.raises(ValueError, match=r"coordinates must not be symbols of the data, got \['xtilde_1'\]"):
        ig.Metric([taken, t], PulledBack(g.form, {one: taken, other: t}, [taken, t]))


@pytest.mark.parametrize("names", [("x'",), ("x", "x")])
def test_old_coordinates_have_names_of_their_own(names: tuple[str, ...]) -> None:
    old = [sympy.Symbol(name, positive=bool(k), real=True) for k, name in enumerate(names)]
    form = ig.symbolic.ClosedForm(sympy.diag(*[1 + x**2 for x in old]))
    with pytest.raises(ValueError, match="old must map symbols with different names"):
        ig.Metric([t], PulledBack(form, {x: t ** (k + 1) for k, x in enumerate(old)}, [t]))
