"""Cumulants of Conway–Maxwell–Poisson laws of compiled kernels against balls, from one formula into the other."""

from __future__ import annotations

import math

import pytest
from flint import arb, ctx

from infogeom.kernels.balls import ball_functions
from infogeom.kernels.compiled import conway_maxwell, float_functions
from infogeom.kernels.compiled.compile import compiled_module
from tests.problems import EPS

ORDERS = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1), (0, 2), (3, 0), (2, 1), (1, 2), (0, 3)]
#: Few terms, slowly falling terms, those that a rule takes, narrow ones, and where one formula follows the other.
PLACES = [
    (2.0, 1.0), (1e-100, 1.0), (1e-6, 0.3), (0.9, 1e-5), (0.5, 0.0), (1.3, 0.05), (5.0, 30.0), (1.0, 500.0),
    (119.9, 1.0), (120.1, 1.0), (400.0, 1.0), (120.1**13.3, 13.3), (120.1**13.4, 13.4), (1e300, 145.0), (900.0, 1.4),
    (1e307, 147.0), (25.0, 1.0),
]  # fmt: skip


def value(j: int, k: int, rate: float, nu: float) -> float:
    """What machine code returns."""
    return compiled_module(float_functions, conway_maxwell)["log_conway_maxwell"](j, k, rate, nu)  # type: ignore[no-any-return]


@pytest.mark.parametrize(("rate", "nu"), PLACES)
def test_cumulants_are_accurate_relative_to_their_value_or_to_moments(rate: float, nu: float) -> None:
    with ctx.workprec(200):
        balls = {at: ball_functions.log_conway_maxwell(*at, rate, nu or arb(2) ** -400) for at in [*ORDERS, (4, 0)]}
        of_n, of_factorial = balls[2, 0].sqrt(), balls[0, 2].sqrt()
        for (j, k), expected in balls.items():
            moments = math.factorial(j + k) / 2 * of_n**j * of_factorial**k if j + k > 2 else 0
            off = abs(value(j, k, rate, nu) - expected) / (abs(expected) + moments)
            assert float(off.upper()) <= 10 * EPS


def test_cumulants_of_a_poisson_law_of_a_large_mean() -> None:
    for rate in (1e9, 1e15):
        assert [value(j, 0, rate, 1.0) / rate for j in (0, 1, 2)] == pytest.approx([1.0] * 3, rel=4 * EPS)


@pytest.mark.parametrize(
    ("rate", "nu"),
    [(0.0, 1.0), (-1.0, 1.0), (1.0, 0.0), (2.0, -1.0), (math.nan, 1.0), (1.0, math.nan), (math.inf, 1.0), (2.0, 1e-4)],
)
def test_outside_their_domain_cumulants_are_nan(rate: float, nu: float) -> None:
    assert [math.isnan(value(*at, rate, nu)) for at in ORDERS] == [True] * len(ORDERS)


def test_where_too_many_terms_count_cumulants_are_nan() -> None:
    assert [math.isnan(value(*at, 1.0, 1e-9)) for at in ORDERS] == [True] * len(ORDERS)
