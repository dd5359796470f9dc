"""Expectations by quadrature and summation: errors of what vanishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import pytest
import sympy

from infogeom.numeric.quadrature import expectations


def cauchy(x: Any) -> Any:
    """Log-density, but for its constant, about 0.0915 with the scale 5/4."""
    return -mpmath.log(1 + ((x - mpmath.mpf(0.0915)) / 1.25) ** 2)


def location_times_scale(x: Any) -> Any:
    """Product of the scores, but for its constant."""
    z = (x - mpmath.mpf(0.0915)) / 1.25
    return z * (z**2 - 1) / (1 + z**2) ** 2


@pytest.mark.parametrize(
    ("law", "weight", "support"),
    [
        (cauchy, location_times_scale, sympy.S.Reals),
        (lambda x: -(x + 1) * mpmath.log(2), lambda x: x - 1, sympy.S.Naturals0),
    ],
    ids=["Cauchy", "geometric"],
)
def test_what_cancels_is_known_to_the_rounding_of_its_terms(
    law: Callable[[Any], Any], weight: Callable[[Any], Any], support: sympy.Set
) -> None:
    ((value, error),) = expectations(law, [weight], support, [mpmath.mpf(1)], [])
    assert abs(value) <= error <= 1e-14


def test_a_sum_ends_where_its_terms_are_small_beside_what_cancels() -> None:
    """Terms e^(−x/40) that come in pairs of both signs: after each pair the sum is 0."""
    seen = []

    def weight(x: Any) -> Any:
        seen.append(x)
        return (-1) ** int(x)

    expectations(lambda x: -mpmath.floor(x / 2) / 20, [weight], sympy.S.Naturals0, [], [])
    assert len(seen) < 2000


@pytest.mark.parametrize("share", [0.5, 0.9, 0.97])
def test_what_a_growing_weight_leaves_beyond_the_density_is_in_the_error(share: float) -> None:
    # The density is left off where it has fallen by e^80, the product by as little as e^2.4.
    half_line = sympy.Interval(0, sympy.oo)
    ((value, error),) = expectations(lambda x: -x, [lambda x: mpmath.exp(share * x)], half_line, [], [])
    assert abs(value - 1 / (1 - mpmath.mpf(share))) <= error < 20


def test_what_lies_closer_to_an_end_than_points_may_come_is_in_the_error() -> None:
    # Of (1 − x)^(1/100 − 1) as much as e^−20 lies within e^−2000 of the end.
    ((value, error),) = expectations(lambda x: -0.99 * mpmath.log(1 - x), [lambda _: 1], sympy.Interval(0, 1), [], [])
    assert 1e-7 < abs(value - 100) <= error < 1e-6


def test_an_integral_that_does_not_converge_has_an_infinite_error() -> None:
    ((_, error),) = expectations(lambda x: -x, [lambda x: mpmath.exp(1.1 * x)], sympy.Interval(0, sympy.oo), [], [])
    assert error == mpmath.inf


@pytest.mark.parametrize("power", [1.3, 1.5, 2.5])
def test_what_a_heavy_tail_leaves_beyond_is_in_the_error(power: float) -> None:
    # (1 + x²)^(−p/2), whose integral is a beta function.
    half = mpmath.mpf(power) / 2
    ((value, error),) = expectations(lambda x: -half * mpmath.log(1 + x * x), [lambda _: 1], sympy.S.Reals, [], [])
    with mpmath.workdps(40):
        assert abs(value - mpmath.beta(half - 0.5, 0.5)) <= error < 1e-5


def test_a_sum_does_not_end_between_an_outcome_apart_and_the_peak() -> None:
    # Half of the mass at 0, the rest about 200.
    def law(x: Any) -> Any:
        return (x * mpmath.log(200) - 200 - mpmath.loggamma(x + 1) if x else mpmath.mpf(0)) - mpmath.log(2)

    ((value, error),) = expectations(law, [lambda _: 1], sympy.S.Naturals0, [mpmath.mpf(200)], [])
    assert abs(value - 1) <= error < 1e-12
