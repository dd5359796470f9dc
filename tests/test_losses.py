"""The losses: their definitions at numbers, and the orders they refuse."""

from __future__ import annotations

import math
from typing import Any

import pytest
import sympy
from sympy import Rational

from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower

F, Y = [Rational(1, 5), Rational(3, 5)], [sympy.Integer(1), sympy.Integer(0)]


def test_mean_power_is_the_mean_of_powers() -> None:
    assert MeanPower(4).expression(F, Y) == (Rational(-4, 5) ** 4 + Rational(3, 5) ** 4) / 2


def test_lp_norm_is_the_norm_of_the_residual() -> None:
    assert LpNorm(2).expression(F, Y) == 1  # a 3–4–5 triangle
    assert LpNorm(1).expression(F, Y) == Rational(7, 5)


def test_lp_norms_of_one_output_are_all_the_same() -> None:
    values = {LpNorm(p).expression([Rational(1, 5)], [sympy.Integer(1)]) for p in (1, 2, 3)}
    assert values == {Rational(4, 5)}


def test_lp_norm_takes_orders_that_are_no_integers() -> None:
    found = float(LpNorm(1.5).expression(F, Y))
    assert found == pytest.approx((0.8**1.5 + 0.6**1.5) ** (1 / 1.5), rel=1e-14)


def test_cross_entropy_of_several_outputs_is_that_of_their_softmax() -> None:
    found = float(CrossEntropy().expression(F, Y))
    assert found == pytest.approx(-math.log(math.exp(0.2) / (math.exp(0.2) + math.exp(0.6))), rel=1e-14)


@pytest.mark.parametrize(("target", "probability"), [(1, 0.2), (0, 0.8)])
def test_cross_entropy_of_one_output_is_the_binary_one(target: int, probability: float) -> None:
    found = CrossEntropy().expression([Rational(1, 5)], [sympy.Integer(target)])
    assert float(found) == pytest.approx(-math.log(probability), rel=1e-14)


@pytest.mark.parametrize(
    ("loss", "name"),
    [(CrossEntropy(), "cross-entropy"), (LpNorm(2), "l2"), (LpNorm(1.5), "l1.5"), (MeanPower(6), "mean-power-6")],
    ids=str,
)
def test_names_hold_the_order(loss: Loss, name: str) -> None:
    assert loss.name == name


def test_losses_are_values() -> None:
    assert LpNorm(2) == LpNorm(2) != LpNorm(3)
    assert hash(MeanPower(2)) == hash(MeanPower(2.0))
    with pytest.raises(AttributeError):
        MeanPower(2).n = 4  # type: ignore[misc]


@pytest.mark.parametrize("n", [1, 3, 5, -3])
def test_an_odd_mean_power_is_a_value_error(n: int) -> None:
    with pytest.raises(ValueError, match=f"n must be even and at least 2, got {n}"):
        MeanPower(n)


@pytest.mark.parametrize("n", [0, -2])
def test_a_mean_power_below_two_is_a_value_error(n: int) -> None:
    with pytest.raises(ValueError, match=f"n must be even and at least 2, got {n}"):
        MeanPower(n)


@pytest.mark.parametrize("n", [2.5, "2", None, True, 2 + 0j])
def test_a_mean_power_that_is_no_integer_is_a_type_error(n: Any) -> None:
    with pytest.raises(TypeError, match="n must be an integer"):
        MeanPower(n)


@pytest.mark.parametrize("n", [math.nan, math.inf])
def test_a_mean_power_that_is_not_finite_is_refused_by_name(n: float) -> None:
    with pytest.raises((TypeError, ValueError), match="MeanPower: n must be"):
        MeanPower(n)  # type: ignore[arg-type]


@pytest.mark.parametrize("p", [0.99, 0, -1, math.inf, math.nan])
def test_an_order_below_one_or_not_finite_is_a_value_error(p: float) -> None:
    with pytest.raises(ValueError, match=f"p must be finite and at least 1, got {p}"):
        LpNorm(p)


@pytest.mark.parametrize("p", ["2", None, True, 2j])
def test_an_order_that_is_no_number_is_a_type_error(p: Any) -> None:
    with pytest.raises(TypeError, match="p must be a real number"):
        LpNorm(p)
