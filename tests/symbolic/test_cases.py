"""Expressions by cases keep their values when common factors come to the front."""

from __future__ import annotations

import pytest
import sympy
from sympy import Piecewise, exp, symbols

from infogeom.symbolic.cases import common_in_front

x, y = symbols("x y", positive=True)
CASES = {
    "a factor of all": (Piecewise((x * y**2, y < 1), (3 * x, True)), x * Piecewise((y**2, y < 1), (3, True))),
    "the least power": (Piecewise((x**3, y < 1), (x * exp(y), True)), x * Piecewise((x**2, y < 1), (exp(y), True))),
    "a case that vanishes": (Piecewise((2 * x * y, y < 1), (0, True)), x * y * Piecewise((2, y < 1), (0, True))),
    "nothing in common": (Piecewise((x, y < 1), (y, True)), Piecewise((x, y < 1), (y, True))),
    "a divisor of one": (Piecewise((1 / x, y < 1), (y, True)), Piecewise((1 / x, y < 1), (y, True))),
    "none but 0": (Piecewise((0, y < 1)), Piecewise((0, y < 1))),
    "no cases": (x + y, x + y),
}


@pytest.mark.parametrize("name", CASES)
def test_what_cases_have_in_common_comes_to_the_front(name: str) -> None:
    e, expected = CASES[name]
    found = common_in_front(e)
    assert found == expected


@pytest.mark.parametrize("name", CASES)
def test_values_stay(name: str) -> None:
    e, _ = CASES[name]
    for at in ({x: sympy.Rational(2, 3), y: sympy.Rational(1, 2)}, {x: 3, y: 2}):
        found, expected = common_in_front(e).subs(at), e.subs(at)
        assert found == expected or (found is sympy.nan and expected is sympy.nan)
