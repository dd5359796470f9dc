"""The chain rule on the jets of what a model is made of, against the closed form of the whole."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom import precision
from infogeom.kernels.curvature.textbook import closed_form
from infogeom.verification.parts import by_parts

a, b = sympy.symbols("a b", positive=True)
GAMMA = ig.models.gamma()
MADE: dict[str, tuple[Any, tuple[float, ...]]] = {
    "product": (ig.models.product(GAMMA, ig.models.normal()), (0.7, 1.5, 0.3, 2.0)),
    "copies": (ig.models.replicate(GAMMA, 5), (0.7, 1.5)),
    "coordinates": (ig.models.reparametrise(GAMMA, {"shape": a * b**2, "rate": sympy.exp(a) + b}), (0.7, 1.5)),
    "submodel": (ig.models.reparametrise(GAMMA, {"shape": a**3, "rate": 1 + sympy.log(1 + a)}), (0.7,)),
    "of copies": (ig.models.reparametrise(ig.models.replicate(GAMMA, 3), {"rate": b**2}), (0.7, 1.5)),
}


@pytest.mark.parametrize("name", MADE)
def test_the_jet_by_parts_is_that_of_the_closed_form(name: str) -> None:
    model, point = MADE[name]
    with precision.digits(50):
        jet = by_parts(ig.metric(model), model)
        assert jet is not None
        right, _ = closed_form(ig.metric(model))(point)
        for found, tensor in zip(jet(point).value, right, strict=True):
            assert found.shape == tensor.shape
            assert np.abs(found - tensor).max() <= mpmath.mpf(10) ** -40 * (1 + np.abs(tensor).max())


@pytest.mark.parametrize("model", [GAMMA, ig.models.replicate(ig.models.skew_normal(), 2)])
def test_what_is_made_of_nothing_or_of_open_laws_has_no_parts(model: Any) -> None:
    assert by_parts(ig.symbolic.numeric_metric(model), model) is None


@pytest.mark.parametrize("name", ["product", "copies", pytest.param("coordinates", marks=pytest.mark.slow)])
def test_verification_takes_the_chain_rule_and_agrees(name: str) -> None:
    model, point = MADE[name]
    table = ig.verify(model, [point])
    assert [row.quantity for row in table.rows if row.route == "chain rule"] == [
        "metric",
        "christoffel",
        "ricci_scalar",
    ]
    assert table.agree
