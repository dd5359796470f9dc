"""Special functions of compiled kernels against their definitions in mpmath, over all of float64."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import ctx
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from llvmlite.binding import llvm_version_info

from infogeom.kernels.balls import ball_functions
from infogeom.kernels.compiled import float_functions
from infogeom.kernels.compiled.compile import compiled, compiled_module
from tests.problems import EPS
from tests.special_reference import exactly

ZERO = 1.4616321449683622
NORMAL = np.finfo(float).tiny, np.finfo(float).max
#: Positive numbers over all of float64, those where series and recurrences change, and the zero of ψ.
positive = st.one_of(
    st.floats(-307.6, 308.0).map(lambda e: 10.0**e), st.floats(-2.0, 3.0).map(lambda e: 10.0**e), st.floats(0.5, 32.0)
)
beside_zero = st.tuples(st.floats(-15.6, -1.0), st.sampled_from([-1.0, 1.0])).map(lambda t: ZERO + t[1] * 10 ** t[0])
orders = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 1.5]), st.floats(-3.0, 2.5).map(lambda e: 10.0**e))
#: A first argument within the domain.
FIRST = {name: 1 if name.startswith(("polygamma", "log_zeta")) else 1.0 for name in float_functions.__all__}


def value(name: str, *arguments: Any) -> float:
    """What machine code returns."""
    return compiled_module(float_functions)[name](*arguments)


def assert_close(name: str, arguments: tuple[Any, ...], roundings: float, scale: float = 0.0) -> None:
    """Error below so many units of rounding of the value, or of the scale, where the value is a normal number."""
    expected = exactly(name, *arguments, digits=40)
    assume(NORMAL[0] <= abs(expected) <= NORMAL[1])
    with mpmath.workdps(40):
        assert abs(value(name, *arguments) - expected) <= roundings * EPS * max(abs(expected), scale)


# 10 terms of one sign, 2 roundings each and m more for the power, then 10 terms of the series: 10 + m units at most
# where all have the same size.  ψ itself is a difference of numbers up to 6 times as large, where it is one.
@pytest.mark.parametrize("m", range(6))
@settings(max_examples=60)
@given(x=positive)
def test_polygamma_is_accurate_relative_to_its_value(m: int, x: float) -> None:
    assert_close("polygamma", (m, x), 10 + m)


@given(x=beside_zero)
@example(x=ZERO)
@example(x=math.nextafter(ZERO, 2))
def test_digamma_is_accurate_beside_its_zero(x: float) -> None:
    assert_close("polygamma", (0, x), 10)


@pytest.mark.parametrize("m", range(1, 6))
@settings(max_examples=60)
@given(x=positive)
def test_the_excess_is_a_sum_of_one_sign(m: int, x: float) -> None:
    assert_close("polygamma_excess", (m, x), 10 + m)


@pytest.mark.slow
@settings(max_examples=30)
@given(x=positive)
def test_the_excess_of_digamma_loses_no_more_than_a_digit(x: float) -> None:
    # log(y/x) − Σ 1/(x + k) is at most 0.75 SHIFT times as large as the value; roundings of 6 quantities of that size.
    assert_close("polygamma_excess", (0, x), 45)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[float, float]:
    """Argument x and difference a of any sign and size, x + a > 0, a down to 1e-60 x."""
    x, relative = draw(positive), draw(st.floats(-60.0, 60.0))
    a = (
        x * 10.0**relative
        if draw(st.booleans())
        else -x * (1 - 10.0**relative if relative < -1 else 10.0 ** -abs(relative))
    )
    assume(NORMAL[0] <= abs(a) <= 1e307 and NORMAL[0] <= x + a <= 1e307)
    return x, a


@settings(max_examples=50)
@given(pair=pairs())
def test_differences_of_digamma_are_accurate_relative_to_their_value(pair: tuple[float, float]) -> None:
    assert_close("digamma_difference", pair, 10)


@settings(max_examples=50)
@given(pair=pairs())
@example(pair=(1.0, 1.0 + EPS))
@example(pair=(ZERO, 1e-20))
def test_differences_of_lgamma_are_accurate_relative_to_value_or_step(pair: tuple[float, float]) -> None:
    assert_close("lgamma_difference", pair, 45, scale=abs(pair[1]))


@pytest.mark.parametrize(
    ("name", "roundings"), [("bessel_ratio", 5), ("bessel_ratio_slope", 90), ("bessel_ratio_curve", 90)]
)
@settings(max_examples=60)
@given(nu=orders, x=positive)
@example(nu=0.0, x=27.8)
@example(nu=0.0, x=30.0)
@example(nu=0.0, x=152.0)
def test_bessel_ratios_are_accurate_relative_to_their_value(name: str, roundings: float, nu: float, x: float) -> None:
    # A: each step contracts the error of the one before; A′ and A″: an error made j steps up counts (2j + 1) times, for
    # j ≤ √x ≤ 5.5 steps: ∑ (2j + 1) = 42 times the two roundings of a step.
    assume(x < 1e4 * (1 + nu) or x > 1e8)  # between, mpmath's own series takes minutes
    assert_close(name, (nu, x), roundings)


@settings(max_examples=100)
@given(nu=orders, x=positive)
@example(nu=17.865023058494362, x=13.24821426273624)
@example(nu=0.0, x=1e-150)
@example(nu=1e8, x=1e-300)
@example(nu=1e-20, x=1e-20)
@example(nu=0.0, x=1e300)
def test_log_bessel_is_accurate_relative_to_its_value_or_to_what_cancels(nu: float, x: float) -> None:
    # Four terms of at most |log I_ν| + ν + x, three roundings each.
    assume(x < 100 * (1 + nu) or x > 1e8)  # between, mpmath's own series takes minutes
    assert_close("log_bessel", (nu, x), 12, scale=nu + x if nu else 0.0)


def test_log_bessel_is_the_ball_of_its_value_everywhere() -> None:
    rng = np.random.default_rng(1)
    n = 3000
    nu = 10.0 ** rng.uniform(-20, 8, n) * rng.choice([0, 1], n, p=[0.1, 0.9])
    x = np.concatenate([10.0 ** rng.uniform(-300, 300, n // 3), 10.0 ** rng.uniform(-3, 8, n // 3), nu[: n // 3] + 0.1])
    with ctx.workprec(100):
        for a, b in zip(nu.tolist(), x.tolist(), strict=True):
            found = value("log_bessel", a, b)
            error = float(abs(found - ball_functions.log_bessel(a, b)).upper())
            assert error <= 12 * EPS * (abs(found) + (a + b if a else 0.0)) + NORMAL[0]


@given(nu=st.floats(17.0, 307.0).map(lambda e: 10.0**e), relative=st.floats(-5.0, 5.0))
def test_at_large_orders_the_bessel_ratio_lies_within_amos_bounds(nu: float, relative: float) -> None:
    x = nu * 10.0**relative
    assume(x < 1e307)
    with mpmath.workdps(40):  # Amos, Math. Comp. 28 (1974) 239–251, equations 9 and 11
        v, y = mpmath.mpf(nu), mpmath.mpf(x)
        low, high = (y / (v + 0.5 + mpmath.hypot(v + shift, y)) for shift in (1.5, 0.5))
        assert low * (1 - 4 * EPS) <= value("bessel_ratio", nu, x) <= high * (1 + 4 * EPS)


def test_bessel_ratios_have_their_limits_at_zero() -> None:
    for nu in (0.0, 2.5, 100.0):
        found = [value(name, nu, 0.0) for name in ("bessel_ratio", "bessel_ratio_slope", "bessel_ratio_curve")]
        assert found == [0.0, pytest.approx(0.5 / (nu + 1), rel=4 * EPS), 0.0]


beyond_one = st.one_of(
    st.floats(-12.0, 0.0).map(lambda e: 1.0 + 10.0**e), st.floats(1.0, 60.0, exclude_min=True), st.floats(60.0, 1e3)
)


# The two parts are at most three times their sum: two or three roundings in each, and one per order in the recursion.
@pytest.mark.parametrize("m", [*range(5), pytest.param(5, marks=pytest.mark.slow)])
@settings(max_examples=10)
@given(s=beyond_one)
@example(s=1.0 + 1e-12)
def test_derivatives_of_log_zeta_are_accurate_relative_to_their_value(m: int, s: float) -> None:
    assert_close("log_zeta", (m, s), 6 + m)


def test_log_zeta_is_the_ball_of_its_value_everywhere() -> None:
    rng = np.random.default_rng(2)
    points = np.concatenate(
        [1 + 10.0 ** rng.uniform(-12, 0, 1000), rng.uniform(1, 60, 1000), rng.uniform(60, 980, 500)]
    )
    with ctx.workprec(100):
        for m, s in zip(rng.integers(0, 6, points.size).tolist(), points.tolist(), strict=True):
            expected = ball_functions.log_zeta(m, s)
            assert abs(value("log_zeta", m, s) - expected) <= (6 + m) * EPS * abs(expected)


def test_log_zeta_underflows_to_zero() -> None:
    assert [value("log_zeta", m, s) for m in (0, 3) for s in (1e4, 1e308)] == [0.0] * 4


@pytest.mark.parametrize("x", [-1.0, math.nan])
@pytest.mark.parametrize("name", float_functions.__all__)
def test_outside_the_domain_the_value_isnan(name: str, x: float) -> None:
    arguments = (x, 3.0) if name.endswith("difference") else (FIRST[name], x)
    assert math.isnan(value(name, *arguments))


def test_poles_and_negative_sums_are_outside_the_domain() -> None:
    for name in ("polygamma", "polygamma_excess"):
        assert all(math.isnan(value(name, m, 0.0)) for m in (0, 1))
    assert all(math.isnan(value("log_zeta", m, 1.0)) for m in (0, 1))
    for name in ("digamma_difference", "lgamma_difference"):
        assert math.isnan(value(name, 1.0, -1.0))


@pytest.mark.parametrize("name", float_functions.__all__)
def test_every_function_reaches_a_kernel_that_calls_it(name: str) -> None:
    call = f"{name}({FIRST[name]}, x)"
    tile = compiled(f"def tile(x):\n    return {call}\n")["tile"]
    assert tile(2.0) == pytest.approx(value(name, FIRST[name], 2.0), rel=4 * EPS)


@pytest.mark.skipif(llvm_version_info < (20,), reason="numba before 0.62 (LLVM 15) leaves it scalar: slower, no other")
def test_a_loop_over_trigamma_vectorises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFOGEOM_CACHE_DIR", str(tmp_path / "kernels"))  # machine code from a cache cannot be read
    loop = compiled("def tile(x, out):\n    for i in range(x.size):\n        out[i] = polygamma(1, x[i])\n")["tile"]
    loop(np.ones(3), np.empty(3))
    (assembly,) = loop.inspect_asm().values()
    assert "divpd" in assembly
