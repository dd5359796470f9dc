"""Counts of several outcomes: spheres and hyperbolic spaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sympy

import infogeom as ig
from tests.vectors import R, somewhere


@pytest.mark.parametrize(("n", "outcomes"), [(1, 3), (5, 3), (2, 4), pytest.param(3, 8, marks=pytest.mark.slow)])
def test_counts_of_trials_lie_on_a_sphere(n: int, outcomes: int) -> None:
    # p_i = (y_i / 2√n)² maps to a sphere of radius 2√n in outcomes − 1 dimensions: R = m (m − 1) / r².
    model = ig.models.multinomial(n, outcomes)
    expected = (outcomes - 1) * (outcomes - 2) / (4 * n)
    assert R(model, somewhere(model, 2)) == pytest.approx([expected] * 2, rel=1e-10)


def test_one_trial_is_categorical() -> None:
    one, categorical = ig.models.multinomial(1, 4), ig.models.categorical(4)
    assert ig.symbolic.metric(one).matrix == ig.symbolic.metric(categorical).matrix


def test_a_symbolic_number_of_trials_stays_in_the_closed_form() -> None:
    n = sympy.Symbol("n", positive=True)
    g = ig.symbolic.metric(ig.models.multinomial(n, 3))
    p1, p2 = g.coordinates
    assert g.matrix == sympy.diag(n / p1, n / p2) + sympy.ones(2, 2) * n / (1 - p1 - p2)


@pytest.mark.parametrize(("r", "outcomes"), [(3, 2), (2.5, 3), (1, 6)])
def test_counts_before_successes_lie_in_a_hyperbolic_space(r: float, outcomes: int) -> None:
    model = ig.models.negative_multinomial(r, outcomes)
    expected = -outcomes * (outcomes - 1) / (4 * r)
    assert R(model, somewhere(model, 2)) == pytest.approx([expected] * 2, rel=1e-10)


@pytest.mark.parametrize(
    ("make", "arguments", "error", "match"),
    [
        (ig.models.categorical, (1,), ValueError, "outcomes must be at least 2"),
        (
            ig.models.multinomial,
            (
                0,
                3,
            ),
            ValueError,
            "n must be at least 1",
        ),
        (
            ig.models.multinomial,
            (
                sympy.Symbol("p1"),
                3,
            ),
            ValueError,
            "must differ from parameters",
        ),
        (
            ig.models.negative_multinomial,
            (
                -1,
                2,
            ),
            ValueError,
            "r must be positive, got -1",
        ),
        (
            ig.models.negative_multinomial,
            (
                True,
                2,
            ),
            TypeError,
            "r must be a real number",
        ),
    ],
)
def test_bad_arguments_are_named(make: Callable[..., Any], arguments: tuple[Any, ...], error: Any, match: str) -> None:
    with pytest.raises(error, match=match):
        make(*arguments)
