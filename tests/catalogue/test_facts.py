"""What is proven of a closed-form metric: Hessian, of constant curvature, flat; and that nothing is guessed."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

import infogeom as ig
from infogeom.catalogue import facts
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.tensors import is_product_of_lines

u, v, w = sympy.symbols("u v w", real=True)
r = sympy.Symbol("r", positive=True)
sphere = ig.symbolic.Metric([u, v], sympy.diag(1, sympy.sin(u) ** 2))
cylinder = ig.symbolic.Metric([u, v, w], sympy.diag(1, sympy.sin(u) ** 2, 1))
polar = ig.symbolic.Metric([r, v], sympy.diag(1, r**2))
half_space = ig.symbolic.Metric([u, v, r], sympy.eye(3) / r**2)


@pytest.mark.parametrize(
    ("metric", "R", "constant", "uneven", "curved"),
    [
        (sphere, 2, True, False, True),
        (half_space, -6, True, False, True),
        (polar, 0, True, False, False),
        (cylinder, 2, None, True, True),  # R alone is constant
    ],
    ids=["sphere", "half-space", "polar", "cylinder"],
)
def test_constant_curvature_is_that_of_every_section(
    metric: ig.symbolic.Metric, R: int, constant: bool | None, uneven: bool, curved: bool
) -> None:
    assert facts.closed_curvature(metric) == (R, constant)
    points = [(0.7, 0.3, 1.2)[: len(metric.coordinates)], (1.1, 0.9, 0.4)[: len(metric.coordinates)]]
    assert facts.witnesses_against(metric, points) == (uneven, curved)


def test_curvature_that_varies_is_not_proven_constant() -> None:
    assert facts.closed_curvature(ig.symbolic.Metric([r, v], sympy.diag(1, r**4))) == (-4 / r**2, None)


@pytest.mark.parametrize("potential", [sympy.exp(u) + u**2 * sympy.exp(v), sympy.log(sympy.exp(u) + sympy.exp(v) + 1)])
def test_a_matrix_of_second_derivatives_is_hessian(potential: sympy.Expr) -> None:
    metric = ig.symbolic.Metric([u, v], sympy.hessian(potential, [u, v]))
    assert facts.is_hessian(metric, (0.3, 0.4)) is True


def test_what_is_known_of_a_metric_is_not_derived(monkeypatch: pytest.MonkeyPatch) -> None:
    g = sympy.hessian(sympy.exp(u) + sympy.exp(v), [u, v]).as_immutable()
    third = {(0, 0, 0): sympy.exp(u), (1, 1, 1): sympy.exp(v)}
    metric = ig.symbolic.Metric(
        [u, v], ig.symbolic.ClosedForm(g + sympy.ones(2), cumulants=Cumulants(g, third, natural=True), ricci_scalar=u)
    )
    monkeypatch.setattr(facts, "derivatives", None)
    assert facts.is_hessian(metric, (0.3, 0.4)) is True
    assert facts.closed_curvature(metric) == (u, None)
    unknown = replace(metric, matrix=replace(metric.form, ricci_scalar=None))
    assert facts.closed_curvature(unknown) == (None, None)


def test_polar_coordinates_are_not_hessian() -> None:
    assert facts.is_hessian(polar, (0.3, 0.4)) is False


def test_an_identity_that_the_normal_form_does_not_know_is_seen_in_numbers() -> None:
    g = sympy.diag(sympy.gamma(r + 1) / (r * sympy.gamma(r)), 1)  # the unit metric, unseen
    shifted = g + sympy.Matrix([[v, 0], [0, 0]]) * (sympy.gamma(r + 1) - r * sympy.gamma(r))
    assert facts.is_hessian(ig.symbolic.Metric([r, v], shifted), (0.3, 0.4)) is True


def test_an_identity_of_functions_by_cases_leaves_the_question_open() -> None:
    nothing = sympy.Max(r - 1, 0) - sympy.Max(1 - r, 0) - (r - 1)
    metric = ig.symbolic.Metric([r, v], sympy.diag(1 + v * nothing, 1))
    assert facts.is_hessian(metric, (0.3, 0.4)) is None


@pytest.mark.parametrize(("most", "found"), [(23, False), (24, True)])
def test_the_size_of_the_metric_and_its_inverse_decides_whether_R_is_sought(most: int, found: bool) -> None:
    metric = ig.symbolic.Metric([r, v], sympy.Matrix([[1, 2 * r], [2 * r, r**4 + 4 * r**2]]))  # 12; its inverse has 24
    assert (facts.closed_curvature(metric, most)[0] is not None) == found


def test_a_determinant_that_would_take_minutes_is_not_sought() -> None:
    metric = ig.symbolic.metric(ig.models.categorical(8))
    assert facts.closed_curvature(metric) == (None, None)


def test_lines_multiplied_are_told_from_what_only_looks_like_it() -> None:
    assert is_product_of_lines(ig.symbolic.Metric([u, v], sympy.diag(sympy.exp(u), 1 + v**2)))
    assert not is_product_of_lines(polar)
    assert not is_product_of_lines(ig.symbolic.Metric([u, v], sympy.Matrix([[2, 1], [1, 2]])))
