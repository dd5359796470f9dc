"""Functions of exponentials in compiled kernels against their definitions in mpmath."""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from infogeom.functions import log_exprel
from infogeom.kernels.compiled import exponentials
from infogeom.kernels.compiled.compile import compiled, compiled_module
from tests.problems import EPS
from tests.special_reference import exactly

NORMAL = np.finfo(float).tiny, np.finfo(float).max


def value(name: str, *arguments: Any) -> float:
    """What machine code returns."""
    return compiled_module(exponentials)[name](*arguments)


def assert_close(name: str, arguments: tuple[Any, ...], roundings: float, scale: float = 0.0) -> None:
    """Error below so many units of rounding of the value, or of the scale, where the value is a normal number."""
    expected = exactly(name, *arguments, digits=40)
    assume(NORMAL[0] <= abs(expected) <= NORMAL[1])
    with mpmath.workdps(40):
        assert abs(value(name, *arguments) - expected) <= roundings * EPS * max(abs(expected), scale)


real = st.one_of(st.floats(-38.0, 37.0), st.floats(-2.0, 2.0), st.floats(-300.0, 2.0).map(lambda e: -(10.0**e)))
terms = st.lists(st.one_of(st.floats(-5.0, 5.0), st.floats(-300.0, 300.0)), min_size=1, max_size=8)


# Two roundings in the argument of the series, two in each of its last steps, two in e^(−x²/2), four in what joins them.
@pytest.mark.parametrize("name", ["log_normal_cdf", "inverse_mills"])
@settings(max_examples=80)
@given(x=real)
@example(x=0.0)
@example(x=-1e150)
@example(x=37.4)
@example(x=0.0144777)
def test_functions_of_the_normal_law_are_accurate_relative_to_their_value(name: str, x: float) -> None:
    assert_close(name, (x,), 5)


# The largest term is exact; what is added is at most log n, with a rounding for each term and three of its own.  It
# cancels where the largest is negative.
@settings(max_examples=80)
@given(a=terms)
@example(a=[0.0, -200.0])
@example(a=[math.log(0.5), math.log(0.5)])
@example(a=[700.0, 700.0, -700.0])
def test_log_sum_exp_is_accurate_relative_to_its_value_or_to_log_n(a: list[float]) -> None:
    assert_close("log_sum_exp", tuple(a), 2 + len(a) / 2, scale=math.log(len(a)) if max(a) < 0 else 0.0)


@settings(max_examples=80)
@given(a=terms, k=st.integers(0, 7))
@example(a=[-300.1, 300.7], k=0)
def test_softmax_is_accurate_relative_to_its_value(a: list[float], k: int) -> None:
    assert_close("softmax", (k % len(a), *a), 2 + len(a) / 2)


@pytest.mark.parametrize(("a", "b"), [(1.0, 1e16), (745.0, -1e16), (-1e300, 2.5), (1.7e308, -1.7e308)])
def test_terms_that_are_nothing_beside_others_leave_a_value(a: float, b: float) -> None:
    assert value("log_sum_exp", a, b) == value("log_sum_exp", b, a) == max(a, b)
    assert [value("softmax", k, a, b) for k in (0, 1)] == [float(a > b), float(b > a)]


def test_the_series_of_mills_ratio_is_that_of_chebyshev() -> None:
    count = 60
    with mpmath.workdps(50):
        angles = [mpmath.pi * (j + mpmath.mpf(1) / 2) / count for j in range(count)]
        x = [mpmath.mpf(9) / 2 * (1 + mpmath.cos(angle)) / (1 - mpmath.cos(angle)) for angle in angles]
        values = [(1 + at) * mpmath.sqrt(mpmath.pi / 2) * mpmath.erfc(at / mpmath.sqrt(2)) for at in x]
        values = [value * mpmath.exp(at**2 / 2) for value, at in zip(values, x, strict=True)]
        for k, c in enumerate(exponentials.MILLS):
            cosines = [mpmath.cos(k * angle) for angle in angles]
            expected = (2 if k else 1) * mpmath.fdot(values, cosines) / count
            assert abs(c - expected) <= EPS * abs(expected)


FIRST: dict[str, tuple[float, ...]] = {
    "inverse_mills": (),
    "inverse_mills_by": (1.0,),
    "log_exprel": (2,),
    "log_normal_cdf": (),
    "log_normal_cdf_by": (1.0,),
    "log_sum_exp": (1.0,),
    "mills_ratio": (),
    "softmax": (1, 0.5),
}


@pytest.mark.parametrize("name", exponentials.__all__)
def test_of_what_is_no_number_there_is_no_value(name: str) -> None:
    assert math.isnan(value(name, *FIRST[name], math.nan))


@pytest.mark.parametrize("name", exponentials.__all__)
def test_every_function_reaches_a_kernel_that_calls_it(name: str) -> None:
    call = f"{name}({', '.join([*map(repr, FIRST[name]), 'x'])})"
    tile = compiled(f"def tile(x):\n    return {call}\n")["tile"]
    assert tile(2.0) == pytest.approx(value(name, *FIRST[name], 2.0), rel=4 * EPS)


# The series of up to 40 terms alternates, and beyond its reach 1/t^m is up to six times as large as what is left of it.
@pytest.mark.parametrize("m", range(4))
@settings(max_examples=60)
@given(t=st.one_of(st.floats(-40.0, 40.0), st.floats(-300.0, 100.0).map(lambda e: 10.0**e)).filter(bool))
@example(t=-3.0)
@example(t=math.nextafter(3.0, 0))
@example(t=-1e-300)
def test_derivatives_of_log_exprel_are_accurate_relative_to_their_value(m: int, t: float) -> None:
    assert_close("log_exprel", (m, t), 10)


# There are zeros: at |t| = 5.3 of the fourth derivative.
@pytest.mark.parametrize("m", [4, 5, 6])
@settings(max_examples=40)
@given(t=st.floats(-40.0, 40.0).filter(lambda t: abs(t) > 1e-3))
def test_higher_derivatives_of_log_exprel_are_as_accurate_as_beside_a_zero(m: int, t: float) -> None:
    beside = float(log_exprel(m, sympy.Float(t)).beside_zero())
    assert_close("log_exprel", (m, t), 16, scale=beside)
