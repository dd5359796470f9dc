"""Polylogarithms of compiled kernels against FLINT's, over orders and all of float64."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx

from infogeom.functions.facts import POLYLOG_ORDERS
from infogeom.kernels.balls import ball_functions
from infogeom.kernels.compiled import polylogarithms
from infogeom.kernels.compiled.compile import compiled_module
from tests.problems import EPS

ORDERS = (-1.5, -0.5, 0.5, 1.0, 1.5, 2.0, 2.5)
MORE = (
    -7.0,
    -6.5,
    -5.5,
    -4.5,
    -3.5,
    -3.0,
    -2.5,
    -2.0,
    -1.0,
    0.0,
    3.0,
    3.5,
    4.0,
    4.5,
    5.0,
    5.5,
    7.5,
    8.0,
    15.5,
    29.5,
    30.0,
)
orders = pytest.mark.parametrize("s", [*ORDERS, *(pytest.param(s, marks=pytest.mark.slow) for s in MORE)])
TINY = float(np.finfo(float).tiny)
BITS = 160
#: Where one formula takes over from another, from either side.
BORDERS = [beside for x in (0.25, 2.0, 10.0, 48.0, 100.0) for beside in (x, math.nextafter(x, 0.0))]
rng = np.random.default_rng(3)
SMALL = (10.0 ** rng.uniform(-30, 0, 20)).tolist()
NEAR = (10.0 ** rng.uniform(-8, 2.8, 30)).tolist()
LARGE = (10.0 ** rng.uniform(2, 8, 20)).tolist()


def value(name: str, *arguments: Any) -> float:
    """What machine code returns."""
    return compiled_module(polylogarithms)[name](*arguments)


def error(name: str, s: float, x: float, scale: Callable[[arb], arb] = abs) -> float:
    """Error of a value in units of rounding of a scale of it; 0 where it is no normal number."""
    with ctx.workprec(BITS):
        expected = getattr(ball_functions, name)(s, x)
        if not TINY < abs(expected) < 1 / TINY:
            return 0.0
        return float((abs(value(name, s, x) - expected) / scale(expected)).upper()) / EPS


# At most 40 terms of one sign with 4 roundings each and one or two more for each derivative, which average out;
# −Li_s(−e^x) has at most 300.
@orders
def test_the_bose_polylog_is_accurate_relative_to_its_value(s: float) -> None:
    arguments = SMALL + NEAR + [x for x in BORDERS if x != 48.0] + [700.0]
    assert max(error("bose_polylog", s, -x) for x in arguments) <= 8 + max(0.0, -s)


@orders
def test_the_fermi_polylog_is_accurate_relative_to_its_value_or_its_terms(s: float) -> None:
    n = math.ceil(-s)
    arguments = [sign * x for x in [*NEAR, *BORDERS] for sign in (-1, 1)] + [0.0, *LARGE]

    def terms(x: float) -> Callable[[arb], arb]:
        if s >= -1:
            return abs
        return lambda found: abs(found) + ball_functions.fermi_polylog(s + n - 1, x) * math.factorial(n) / 2 ** (n - 1)

    assert max(error("fermi_polylog", s, x, terms(x)) for x in arguments) <= 12


@pytest.mark.parametrize("s", [-2.0, -0.5, 1.0, 2.5, 3.0])
def test_the_polylog_of_a_number_is_as_accurate(s: float) -> None:
    below_one = [*(1.0 - np.array(NEAR) / 1e3).tolist(), *SMALL, math.nextafter(1.0, 0.0)]
    beyond = [-z for z in (*SMALL, *NEAR, *LARGE)]
    # log |z| is rounded once more; beside z = 1 that is a relative error of −log z.
    assert max(error("polylog", s, z) for z in below_one if z > 0.0) <= 10
    assert s < -1 or max(error("polylog", s, z) for z in beyond) <= 14


def test_at_the_ends_of_the_domain_stand_the_limits() -> None:
    assert [value("polylog", s, 0.0) for s in (-1.5, 2.0)] == [0.0, 0.0]
    for s in (1.5, 2.0, 2.5, 4.0, 4.5):
        zeta = float(arb(s).zeta())
        assert [value("bose_polylog", s, 0.0), value("polylog", s, 1.0)] == pytest.approx([zeta] * 2, rel=4 * EPS)
    assert value("bose_polylog", -1.5, -1e-200) == value("fermi_polylog", 2.5, 1e300) == math.inf
    assert [value(f"{name}_polylog", 2.5, -1e4) for name in ("bose", "fermi")] == [0.0, 0.0]


@pytest.mark.parametrize(
    ("name", "s", "x"),
    [
        ("bose_polylog", 2.5, 1e-9), ("bose_polylog", 1.0, 0.0), ("bose_polylog", 0.5, 0.0),
        ("bose_polylog", 2.5, math.nan), ("fermi_polylog", 2.5, math.nan), ("fermi_polylog", 2.0, math.nan),
        ("polylog", 2.5, 1.5), ("polylog", 1.5, math.nan), ("bose_polylog", POLYLOG_ORDERS[0] - 1.0, -1.0),
        ("fermi_polylog", POLYLOG_ORDERS[1] + 1.0, -1.0),
    ],
)  # fmt: skip
def test_outside_the_domain_the_value_is_nan(name: str, s: float, x: float) -> None:
    assert math.isnan(value(name, s, x))
