"""Derivations of Fisher metrics: networks read like the formula, and what does not close says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from sympy import Rational, Symbol

import infogeom as ig
from infogeom.functions import expit
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from infogeom.symbolic import ExpectationError, expectation, metric

INPUTS, TARGETS = ig.models.decision_boundary(6)
#: c of h = c (σσ̄)² for mean power n (SCIENCE.md 4): n² Γ(2 − 1/n)/Γ(1/n).
MULTIPLES = {n: n**2 * sympy.gamma(2 - Rational(1, n)) / sympy.gamma(Rational(1, n)) for n in (2, 4, 6)}


def profile(loss: Any, kind: str) -> tuple[Any, Any, Any]:
    """h(u) of g_ij = 25 h(u) x̃_i x̃_j, with σ(u) and σ(−u)."""
    g = metric(ig.models.sigmoid_neuron(INPUTS, TARGETS, loss, fisher=kind))
    x = g.samples.symbols
    h = g.matrix[0, 1] / (25 * x[0] * x[1])
    u = 5 * sum(t * s for t, s in zip(g.coordinates, x, strict=True))
    return h, expit(u), expit(-u)


@pytest.mark.parametrize(
    ("loss", "kind", "expected"),
    [
        (CrossEntropy(), "empirical", lambda s, _: s**2),
        (CrossEntropy(), "expected", lambda s, c: s * c),
        (LpNorm(1), "empirical", lambda s, c: (s * c) ** 2),
        (LpNorm(2), "empirical", lambda s, c: (s * c) ** 2),
        (LpNorm(3), "expected", lambda s, c: (s * c) ** 2),
        *((MeanPower(n), "empirical", lambda s, c, n=n: n**2 * s ** (2 * n) * c**2) for n in (2, 4, 6)),
        *((MeanPower(n), "expected", lambda s, c, n=n: MULTIPLES[n] * (s * c) ** 2) for n in (2, 4, 6)),
    ],
    ids=lambda value: getattr(value, "name", value if isinstance(value, str) else ""),
)
def test_a_network_has_the_profile_of_the_literature(loss: Any, kind: str, expected: Any) -> None:
    # SCIENCE.md, Sec. 4; compared at a rational point, not by simplification.
    h, sigma, complement = profile(loss, kind)
    point = {s: Rational(k + 2, 7) for k, s in enumerate(sorted(h.free_symbols, key=str))}
    difference = (h - expected(sigma, complement)).rewrite(sympy.exp).subs(point)
    assert abs(difference.evalf(40)) < 1e-35


@pytest.mark.parametrize("loss", [CrossEntropy(), LpNorm(2), MeanPower(2)], ids=lambda loss: loss.name)
def test_a_network_is_a_rank_one_integrand(loss: Any) -> None:
    g = metric(ig.models.sigmoid_neuron(INPUTS, TARGETS, loss))
    x = g.samples.symbols
    assert g.matrix[0, 0] * x[1] ** 2 == g.matrix[1, 1] * x[0] ** 2
    assert g.matrix[0, 1] * x[0] == g.matrix[0, 0] * x[1]


@pytest.mark.parametrize("loss", [CrossEntropy(), LpNorm(2), MeanPower(4)], ids=lambda loss: loss.name)
def test_no_complement_of_a_sigma_is_written_as_a_difference(loss: Any) -> None:
    g = metric(ig.models.sigmoid_neuron(INPUTS, TARGETS, loss))
    assert not any(e.has(expit) and 1 in e.args for e in g.matrix.atoms(sympy.Add))


def test_the_trace_of_an_l2_norm_is_the_trace_of_the_kernel_in_closed_form() -> None:
    g = metric(ig.models.sigmoid_neuron(INPUTS, TARGETS, LpNorm(2)))
    assert sympy.expand(g.matrix.trace() - g.observables["ntk_trace"]) == 0


def test_samples_travel_with_the_metric() -> None:
    model = ig.models.sigmoid_neuron(INPUTS, TARGETS, CrossEntropy())
    assert metric(model).samples is model.samples
    assert np.array_equal(abs(model.samples.data), INPUTS)


def test_constants_stay_in_the_closed_form() -> None:
    n = Symbol("n", positive=True, integer=True)
    assert metric(ig.models.binomial(n)).constants == (n,)


def test_what_is_no_model_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="model must be an infogeom Model, got int"):
        metric(3)  # type: ignore[arg-type]


def test_a_derivation_that_contradicts_its_definition_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    x, m = sympy.symbols("x m", real=True)
    law = ig.models.from_density(-((x - m) ** 2) - sympy.log(sympy.pi) / 2, x, [m], sympy.S.Reals, name="wrong")
    monkeypatch.setattr(expectation, "_location", lambda *_: [sympy.Integer(3)])  # the truth is 2
    with pytest.raises(ExpectationError, match=r"'wrong': derived g_00 = 3 contradicts its definition .* 3 against 2"):
        metric(law)


def test_a_density_that_is_negative_somewhere_is_told() -> None:
    x, r = sympy.Symbol("x", real=True), sympy.Symbol("r", positive=True)
    law = ig.models.from_density(sympy.log(1 + r * (x - sympy.Rational(1, 2))), x, [r], sympy.Interval(0, 1))
    with pytest.raises(ExpectationError, match="log p is not real everywhere on the support at r = 2"):
        metric(law)


def test_a_law_that_is_none_in_the_declared_domain_is_told() -> None:
    p = sympy.Symbol("p", positive=True)  # declared beyond 1, where the geometric law is none
    k = sympy.Symbol("k", integer=True, nonnegative=True)
    law = ig.models.from_density(k * sympy.log(1 - p) + sympy.log(p), k, [p], sympy.S.Naturals0)
    with pytest.raises(ExpectationError, match="the log-density is complex at 0"):
        metric(law)


def test_a_density_with_doubly_exponential_tails_is_integrated() -> None:
    x, location = sympy.symbols("x location", real=True)
    gumbel = ig.models.from_density(-(x - location) - sympy.exp(-(x - location)), x, [location], sympy.S.Reals)
    assert metric(gumbel).matrix == sympy.Matrix([[1]])
