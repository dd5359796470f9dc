"""Functions of ball arithmetic: their balls hold mpmath's value, and are narrow."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from flint import arb, ctx
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from infogeom.kernels.balls import ball_functions as balls
from infogeom.kernels.compiled.library import CALLED, HELPERS
from tests.special_reference import exactly

#: Names that mpmath spells differently.
MPMATH: dict[str, str] = {"lgamma": "loggamma"}
ELEMENTARY = sorted(set(balls.__all__) - CALLED - {"sign", "fabs", "removable"})
BITS = 100

wide = st.floats(-1e4, 1e4)
positive = st.floats(-300.0, 300.0).map(lambda e: 10.0**e)
large_or_small = st.floats(-30.0, 30.0).map(lambda e: 10.0**e)
moderate = st.floats(-3.0, 2.5).map(lambda e: 10.0**e)
inside = st.floats(-1.0, 1.0, exclude_min=True, exclude_max=True).filter(lambda u: abs(u) > 1e-300)
ARGUMENTS: dict[str, Any] = dict.fromkeys(ELEMENTARY, wide.filter(lambda u: abs(u) > 1e-300)) | {
    "acos": inside, "asin": inside, "atanh": inside, "erf": inside, "erfc": st.floats(-5.0, 100.0), "gamma": moderate,
    "lgamma": positive.filter(lambda x: min(abs(x - 1), abs(x - 2)) > 1e-3), "log": positive, "sqrt": positive,
    "log1p": positive | inside, "zeta": st.floats(1.01, 60.0),
}  # fmt: skip
orders = st.integers(0, 4)
halves = st.integers(-5, 12).map(lambda twice: twice / 2)
SPECIAL: dict[str, Any] = {
    "polygamma": (orders, large_or_small),
    "polygamma_excess": (orders, large_or_small),
    "digamma_difference": (moderate, large_or_small),
    "lgamma_difference": (moderate, large_or_small),
    "bessel_ratio": (moderate, moderate),
    "bessel_ratio_slope": (moderate, moderate),
    "bessel_ratio_curve": (moderate, moderate),
    "log_bessel": (moderate | st.just(0.0), moderate),
    "log_normal_cdf": (st.floats(-1e4, 0.0) | st.floats(0.0, 37.0),),
    "inverse_mills": (st.floats(-1e4, 0.0) | st.floats(0.0, 37.0),),
    "log_sum_exp": (st.floats(-300.0, 300.0),) * 3,
    "softmax": (st.integers(0, 2), *(st.floats(-300.0, 300.0),) * 3),
    "polylog": (halves, st.floats(-0.9, 0.999).filter(lambda z: abs(z) > 1e-300)),
    "bose_polylog": (halves, moderate.map(lambda x: -x)),
    "fermi_polylog": (halves, st.floats(-30.0, -0.5) | st.floats(5.5, 300.0)),  # between, mpmath takes seconds
    "log_conway_maxwell": (st.integers(0, 3), st.integers(0, 2), st.floats(0.01, 30.0), st.floats(0.7, 9.0)),
    "log_exprel": (orders, st.floats(-300.0, 300.0).filter(lambda t: abs(t) > 1e-9)),
    "log_zeta": (orders, st.floats(-10.0, 2.5).map(lambda e: 1.0 + 10.0**e)),
}


@pytest.fixture(autouse=True)
def precision() -> Any:
    with ctx.workprec(BITS):
        yield


def as_ball(x: Any) -> arb:
    """Ball around a number of mpmath, as wide as its last digits are uncertain."""
    with ctx.workprec(1000):
        exact = arb(x)
        return arb(exact, abs(exact) * arb(2) ** -200)


def assert_encloses(name: str, *arguments: Any) -> None:
    """The ball holds mpmath's value, and all bits but a few."""
    ball = getattr(balls, name)(*arguments)
    expected = exactly(MPMATH.get(name, name), *arguments, digits=65)
    assert expected == 0 or ball.overlaps(as_ball(expected))
    assert ball.rel_accuracy_bits() > BITS - 40


@pytest.mark.parametrize("name", ELEMENTARY)
@settings(max_examples=25)
@given(data=st.data())
def test_balls_of_elementary_functions_hold_the_value_and_are_narrow(name: str, data: st.DataObject) -> None:
    assert_encloses(name, data.draw(ARGUMENTS[name]))


@pytest.mark.parametrize("name", sorted(SPECIAL))
@settings(max_examples=15)
@given(data=st.data())
def test_balls_of_special_functions_hold_the_value_and_are_narrow(name: str, data: st.DataObject) -> None:
    arguments = [data.draw(s) for s in SPECIAL[name]]
    assert_encloses(name, *arguments)


@settings(max_examples=25)
@given(u=wide, width=st.floats(1e-6, 1.0), at=st.floats(-1.0, 1.0))
@pytest.mark.parametrize("name", ["expit", "softplus", "tanh", "exp", "log_normal_cdf", "inverse_mills"])
def test_the_ball_of_a_ball_holds_every_value(name: str, u: float, width: float, at: float) -> None:
    assume(abs(at) < 0.999)
    function: Callable[[Any], arb] = getattr(balls, name)
    assert function(arb(u, width)).contains(function(u + at * width).mid())


@settings(max_examples=25)
@given(nu=moderate, x=moderate, at=st.floats(-0.999, 0.999))
@pytest.mark.parametrize(
    "name", ["bessel_ratio", "bessel_ratio_slope", "bessel_ratio_curve", "log_bessel", "log_sum_exp"]
)
def test_the_ball_of_an_inexact_argument_holds_every_value(name: str, nu: float, x: float, at: float) -> None:
    function: Callable[[Any, Any], arb] = getattr(balls, name)
    assert function(nu, arb(x, x * 1e-9)).overlaps(function(nu, x * (1 + at * 1e-9)))


@pytest.mark.parametrize("u", [-1e308, -5000.0, -40.0, 0.0, 40.0, 5000.0, 1e308])
def test_softplus_less_its_argument_is_softplus_of_the_opposite(u: float) -> None:
    with ctx.workprec(20000 if abs(u) < 1e300 else BITS):
        assert (balls.softplus(u) - u).overlaps(balls.softplus(-u))


@pytest.mark.parametrize("u", [-1e308, -5000.0, 0.0, 5000.0, 1e308])
def test_the_two_sides_of_the_logistic_function_add_up_to_one(u: float) -> None:
    total = balls.expit(u) + balls.expit(-u)
    assert total.is_finite()
    assert total.contains(1)


def test_signs_are_joined_where_undecided() -> None:
    assert [balls.sign(u) for u in (-2, 3.5, arb(5, 1))] == [-1, 1, 1]
    assert all(balls.sign(arb(0.5, 1)).contains(s) for s in (-1, 0, 1))
    assert balls.sign(0).is_nan()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("log", [-1]), ("sqrt", [-1]), ("acos", [2]), ("atanh", [2]), ("polygamma", [1, -1]), ("polygamma", [0, 0]),
        ("polygamma_excess", [1, 0]), ("digamma_difference", [1, -2]), ("lgamma_difference", [-1, 3]),
        ("bessel_ratio", [-1, 1]), ("bessel_ratio_slope", [1, -1]), ("bessel_ratio_curve", [1, math.nan]),
        ("log_bessel", [0, 0]), ("log_bessel", [-1, 1]), ("log_zeta", [1, 1]), ("expit", [math.nan]),
        ("polylog", [2.5, 1.5]), ("polylog", [1, 1]), ("bose_polylog", [2.5, 0.1]), ("bose_polylog", [0.5, 0]),
        ("bose_polylog", [2.5, arb(0, 1e-9)]), ("fermi_polylog", [0.5, math.nan]),
        ("log_conway_maxwell", [0, 0, -1, 1]), ("log_conway_maxwell", [2, 0, 2, 0]),
        ("log_conway_maxwell", [2, 0, 1, 1e-9]), ("log_conway_maxwell", [2, 0, 1e9, 1]),
        ("softplus", [math.nan]), ("sign", [math.nan]),
    ],
)  # fmt: skip
def test_outside_the_domain_the_ball_is_nan(name: str, arguments: list[float]) -> None:
    assert getattr(balls, name)(*arguments).is_nan()


def test_bessel_ratios_have_their_limits_at_zero() -> None:
    assert [f(1, 0) for f in (balls.bessel_ratio, balls.bessel_ratio_curve)] == [0, 0]
    assert balls.bessel_ratio_slope(1, 0).contains(arb(1) / 4)


def test_the_ball_of_log_zeta_holds_its_leading_term_at_large_arguments() -> None:
    assert abs(balls.log_zeta(12, 4000) * arb(2) ** 4000 / arb(2).log() ** 12 - 1) < arb("1e-25")


def test_the_ball_of_log_i_0_is_narrow_at_small_arguments() -> None:
    assert balls.log_bessel(0, 1e-100).overlaps(arb(1e-100) ** 2 / 4)
    assert balls.log_bessel(0, 1e-100).rel_accuracy_bits() > BITS - 8


def test_differences_vanish_with_their_step() -> None:
    assert balls.digamma_difference(2.5, 0) == balls.lgamma_difference(2.5, 0) == 0


def test_the_precision_in_force_is_left_as_it_was() -> None:
    balls.bessel_ratio_curve(0, 1e300)
    assert ctx.prec == BITS


def test_far_beyond_the_most_bits_a_value_is_still_a_value() -> None:
    with ctx.workprec(2 * balls.CANCELLATION_BITS):
        assert balls.bessel_ratio(0, 1).rel_accuracy_bits() > balls.CANCELLATION_BITS


def test_every_function_of_special_has_its_ball() -> None:
    assert set(balls.__all__) >= CALLED - HELPERS


def test_the_module_needs_nothing_but_flint() -> None:
    code = f"import sys, {balls.__name__}; assert not {{'numpy', 'sympy', 'numba'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
