"""Extrapolated critical points and exponents: exact where theory says so, honest where it does not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import infogeom as ig
from infogeom.transitions import Estimate, critical_point, exponent
from infogeom.transitions.bulirsch_stoer import LOGARITHMIC, tip
from tests.strategies import numbers
from tests.transitions.ising_reference import CRITICAL, ising, maximum

Array = np.ndarray[Any, np.dtype[np.float64]]
Draw = Callable[[np.random.Generator, Array], tuple[float, Array]]

EVEN = np.arange(4.0, 17, 2)
#: Sets of sizes with which errors are put to the test.
SIZES = (EVEN, np.arange(3.0, 15, 2), np.arange(4.0, 13, 2), 10.0 ** np.arange(2, 7), 2.0 ** np.arange(2, 9))
ISING = np.arange(3, 11)


# --- The tableau ------------------------------------------------------------------------------------------------------


@given(numbers(-2, 2), numbers(0.5, 2), numbers(0.5, 2.5), st.booleans())
def test_three_terms_of_a_power_have_their_limit(a: float, b: float, omega: float, falls: bool) -> None:
    sizes = np.array([4.0, 6.0, 8.0])
    terms = a + (b if falls else -b) * sizes**-omega
    # Rounding, where the step 1 − ratio^ω of the denominator is as small as it gets.
    assert tip(sizes, terms, np.array([omega]))[0] == pytest.approx(a, abs=1e-12)


@given(numbers(-2, 2), numbers(0.5, 2), numbers(0, 0.9))
def test_five_terms_of_a_rational_function_have_their_limit(a: float, b: float, c: float) -> None:
    sizes = np.array([3.0, 5.0, 7.0, 11.0, 13.0])
    x = 1 / sizes
    terms = (a + b * x + c * x**2) / (1 + c * x)
    assert tip(sizes, terms, np.array([1.0]))[0] == pytest.approx(a, abs=1e-9)


def test_logarithmic_corrections_have_their_limit() -> None:
    sizes = np.array([5.0, 50.0, 500.0])
    terms = 0.3 + 2 / (np.log1p(sizes) + 0.7)
    assert tip(sizes, terms, np.array([LOGARITHMIC]))[0] == pytest.approx(0.3, abs=1e-12)


# --- Sequences whose limits are known ---------------------------------------------------------------------------------


def power(rng: np.random.Generator, L: Array) -> tuple[float, Array]:
    a, b = rng.normal(), rng.choice([-1, 1]) * rng.uniform(0.3, 3)
    return a, a + b * L ** -rng.uniform(0.5, 2.5)


def two_powers(rng: np.random.Generator, L: Array) -> tuple[float, Array]:
    a, terms = power(rng, L)
    step, (c, d) = rng.uniform(0.5, 2), rng.uniform(-1, 1, 2)
    return a, a + (terms - a) * (1 + c * L**-step + d * L ** (-2 * step))


def integer_powers(rng: np.random.Generator, L: Array) -> tuple[float, Array]:
    a, terms = power(rng, L)
    c, d, e = rng.uniform(-1, 1, 3)
    return a, a + (terms - a) * (1 + c / L + d / L**2 + e / L**3)


def power_over_root_of_logarithm(rng: np.random.Generator, L: Array) -> tuple[float, Array]:
    a, terms = power(rng, L)
    return a, a + (terms - a) * (np.log(L) + rng.uniform(-0.5, 1)) ** -0.5


def power_times_logarithm(rng: np.random.Generator, L: Array) -> tuple[float, Array]:
    a, terms = power(rng, L)
    return a, a + (terms - a) * (1 + rng.uniform(0, 1) * np.log(L))


def rough_terms(rng: np.random.Generator, L: Array) -> tuple[float, Array]:
    a, terms = integer_powers(rng, L)
    return a, terms + 1e-6 * (terms[0] - a) * rng.uniform(-1, 1, len(L))


DRAWS = (power, two_powers, integer_powers, power_over_root_of_logarithm, power_times_logarithm, rough_terms)


@pytest.mark.parametrize("draw", DRAWS)
def test_the_error_holds(draw: Draw) -> None:
    rng = np.random.default_rng(7)
    held = []
    for sizes in SIZES:
        for _ in range(20):
            truth, terms = draw(rng, sizes)
            found = critical_point(sizes, terms)
            held.append(abs(found.value - truth) <= found.error + 1e-13)
    # An error that held in less than 97 of 100 would leave 95 with a chance of less than one in 20.
    assert np.mean(held) >= 0.95


def test_the_error_holds_where_corrections_are_logarithms() -> None:
    rng = np.random.default_rng(3)
    for c in rng.uniform(0, 2, 20):
        found = critical_point(EVEN, 0.4 - 0.5 / (np.log(EVEN) + c))
        assert abs(found.value - 0.4) <= found.error


@pytest.mark.parametrize("draw", [power, two_powers, integer_powers])
def test_the_limit_is_far_closer_than_the_largest_size_and_said_to_be(draw: Draw) -> None:
    rng = np.random.default_rng(11)
    closer, said = [], []
    for _ in range(20):
        truth, terms = draw(rng, EVEN)
        found = critical_point(EVEN, terms)
        closer.append(abs(found.value - truth) / abs(terms[-1] - truth))
        said.append(found.error / abs(terms[-1] - truth))
    assert np.median(closer) < 0.02
    assert np.median(said) < 0.3


@settings(max_examples=20)
@given(numbers(0.1, 30))
def test_units_do_not_matter(unit: float) -> None:
    terms = 0.44 - 0.6 / EVEN - 0.3 / EVEN**2
    one, other = critical_point(EVEN, terms), critical_point(EVEN, unit * terms)
    assert other.omega == pytest.approx(one.omega, rel=1e-3)
    assert other.value == pytest.approx(unit * one.value, rel=1e-5)
    assert other.error == pytest.approx(unit * one.error, rel=1e-2)


def test_an_exponent_that_is_known_sharpens_the_limit() -> None:
    terms = 0.44 - 0.6 / EVEN - 0.3 / EVEN**2
    found = critical_point(EVEN, terms, omega=1)
    assert abs(found.value - 0.44) <= found.error + 1e-15
    assert found.error < critical_point(EVEN, terms, omega=(0.9, 1.1)).error < critical_point(EVEN, terms).error


# --- Odd and even sizes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amplitude", [1e-3, 0.1, 1.0])
def test_odd_and_even_sizes_that_differ_are_not_one_sequence(amplitude: float) -> None:
    L = np.arange(3.0, 17)
    found = critical_point(L, 0.44 - 0.6 / L + amplitude * (-1) ** L / L**2)
    assert found.sequence in ("even sizes alone", "odd sizes alone")
    assert abs(found.value - 0.44) <= found.error


def test_too_few_sizes_to_tell_odd_from_even_are_said_to_be() -> None:
    found = critical_point([3, 4, 5, 6], [1.3, 1.25, 1.2, 1.18])
    assert "too few to tell them apart" in str(found)


# --- What growth it is ------------------------------------------------------------------------------------------------


@given(numbers(0.3, 2.5), numbers(0.5, 2), numbers(-0.3, 0.3))
@example(0.9165, 1, 0.2795)  # of increments, which reach the exponent of the values and not quite the true one
def test_powers_have_their_exponents(x: float, amplitude: float, correction: float) -> None:
    found = exponent(EVEN, amplitude * EVEN**x * (1 + correction / EVEN))
    assert abs(found.value - x) <= found.error
    assert not found.logarithm


@pytest.mark.parametrize("x", [0.1, 0.2, 0.5, 1.75])
def test_a_constant_beside_a_power_does_not_spoil_its_exponent(x: float) -> None:
    L = np.arange(3.0, 17)
    found = exponent(L, 1 + L**x * (1 + 0.3 / L))
    assert abs(found.value - x) <= found.error
    assert not found.logarithm


@settings(max_examples=20)
@given(numbers(0, 3), numbers(0.5, 3), numbers(0, 1))
def test_logarithms_are_told_by_their_name(constant: float, growth: float, correction: float) -> None:
    L = np.arange(3.0, 17)
    found = exponent(L, constant + growth * np.log(L) + correction / L)
    assert found.logarithm
    assert "a logarithm" in str(found)
    assert found.amplitude is not None
    assert found.amplitude_error is not None
    assert abs(found.amplitude - growth) <= found.amplitude_error + 1e-12


@pytest.mark.parametrize("power", [1, 2])
def test_values_that_tend_to_a_constant_have_the_exponent_0_and_no_logarithm(power: int) -> None:
    found = exponent(EVEN, 2 - EVEN**-power + 0.2 / EVEN**3)
    assert abs(found.value) <= found.error
    assert not found.logarithm


def test_the_error_of_the_location_is_in_that_of_the_exponent() -> None:
    L, error = EVEN, 1e-3
    values = L**1.5 * (1 + 0.3 / L)
    slopes = 4 * L**1.2 * values
    alone = exponent(L, values)
    found = exponent(L, values, slopes=slopes, location_error=error)
    assert found.error == pytest.approx(alone.error + found.by_location, rel=1e-12)
    for sign in (-1, 1):
        other = exponent(L, values * np.exp(sign * error * slopes / values))
        assert abs(other.value - alone.value) <= found.by_location + 1e-12
    shifted = exponent(L, values * np.exp(error * slopes / values), omega=alone.omega)
    assert found.sensitivity * error == pytest.approx(shifted.value - alone.value, rel=0.1)


# --- The Ising model from small tori ----------------------------------------------------------------------------------


def test_the_ising_model_has_its_exponent_nu() -> None:
    found = exponent(ISING, [maximum(L).value for L in ISING], observable="maximum of s")
    assert abs(found.value - 1) <= min(found.error, 0.01)


def test_the_ising_model_has_its_critical_point_within_the_error() -> None:
    nu = exponent(ISING, [maximum(L).value for L in ISING])
    locations = [maximum(L).location for L in ISING]
    free = critical_point(ISING, locations)
    shift = critical_point(ISING, locations, omega=(nu.value - nu.error, nu.value + nu.error))
    assert abs(free.value - CRITICAL) <= min(free.error, 1e-4)
    assert abs(shift.value - CRITICAL) <= min(shift.error, 1e-4)
    assert shift.error < 1e-3


def test_the_susceptibility_has_its_exponent_within_an_error_that_holds_that_of_the_location() -> None:
    at = [ising(L, CRITICAL) for L in ISING]
    chi = np.array([o.M2 for o in at]) / ISING**2
    slopes = chi * np.array([o.s for o in at])
    found = exponent(ISING, chi, slopes=slopes, location_error=3e-4, observable="chi")
    assert abs(found.value - 7 / 4) <= min(found.error - found.by_location, 3e-3)
    assert found.sensitivity == pytest.approx(12, rel=0.5)  # slopes of ln χ grow like L, and so does this


def test_the_heat_capacity_of_the_ising_model_is_a_logarithm() -> None:
    found = exponent(ISING, [ising(L, CRITICAL).C / L**2 for L in ISING], observable="C")
    assert found.logarithm
    assert abs(found.value) < 0.05
    assert found.amplitude is not None
    assert found.amplitude_error is not None
    assert abs(found.amplitude - 8 / math.pi) <= found.amplitude_error


# --- The Curie–Weiss model from 10² to 10⁵ spins ----------------------------------------------------------------------


def curvatures() -> tuple[list[int], list[float]]:
    sizes = [10**2, 10**3, 10**4, 10**5]
    at = [ig.evaluate_points(ig.models.curie_weiss(n), [[1.0, 0.0]], ["ricci_scalar"]) for n in sizes]
    return sizes, [float(ds.ricci_scalar[0]) for ds in at]


def test_the_curvature_of_the_critical_curie_weiss_model_has_its_universal_value() -> None:
    # SCIENCE.md, section 6: corrections are powers of N^−½, which is found, and sharpens the limit where it is known.
    free = critical_point(*curvatures(), observable="R at β = 1")
    known = critical_point(*curvatures(), omega=0.5)
    assert free.omega == pytest.approx(0.5, abs=0.01)
    assert abs(free.value + 0.2472197) <= min(free.error, 1e-5)
    assert abs(known.value + 0.2472197) <= min(known.error, 1e-6)
    assert known.error < 1e-4


def test_the_universal_value_is_that_of_the_quartic_weight() -> None:
    # M = N^¾ m with weight exp(−m⁴/12), and E = M²/2: R of the moments of m² and m on h = 0.
    m2, m4, m6 = (12 ** (k / 4) * math.gamma((k + 1) / 4) / math.gamma(1 / 4) for k in (2, 4, 6))
    C, third = (m4 - m2**2) / 4, (m6 - 3 * m4 * m2 + 2 * m2**3) / 8
    s = (m4 / m2 - m2) / 2
    assert s * (s - third / C) / (2 * C) == pytest.approx(-0.2472197, abs=5e-8)


# --- Accounts and what is refused -------------------------------------------------------------------------------------


def test_the_account_says_observable_sizes_correction_and_windows() -> None:
    found = critical_point(EVEN, 0.44 - 0.6 / EVEN, observable="maximum of s")
    for word in ("maximum of s", "sizes 4, 6, 8, 10, 12, 14, 16, even", "L^−ω, ω = 1 (sought", "6 windows"):
        assert word in str(found)
    assert isinstance(found, Estimate)
    assert str(found) in repr(found)
    assert repr(found).count("…") == len(found.windows)


@pytest.mark.parametrize("function", [critical_point, exponent])
@pytest.mark.parametrize(
    ("sizes", "values", "message"),
    [
        ([4, 6], [1, 2], "sizes must be at least 3, got 2"),
        ([4, 8, 6], [1, 2, 3], "sizes must be increasing, got 6 after 8 at index 2"),
        ([0, 8, 16], [1, 2, 3], "sizes must be positive, got 0 at index 0"),
        ([4, 6, 8], [1, 2], "must be as many as sizes, 3, got 2"),
        ([4, 6, math.inf], [1, 2, 3], "sizes must be finite, got inf at index 2"),
        ([4, 6, 8], [1, math.nan, 3], "must be finite, got nan at index 1"),
        ([[4, 6, 8]], [1, 2, 3], "sizes must have 1 dimension"),
    ],
)
def test_what_is_no_sequence_is_refused(function: Any, sizes: Any, values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(sizes, values)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"omega": 0}, "omega must be positive and finite, got 0"),
        ({"omega": (2, 1)}, r"omega must be a pair \(low, high\), got \(2, 1\)"),
        ({"location_error": 0.1}, "location_error takes slopes, got 0.1 without them"),
        ({"location_error": -1, "slopes": [1, 1, 1]}, "location_error must be finite and not negative, got -1"),
        ({"location_error": 1e300, "slopes": [1, 1, 1]}, "location_error must leave values within factors"),
        ({"slopes": [1, 1]}, "slopes must be as many as sizes, 3, got 2"),
    ],
)
def test_bad_options_are_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        exponent([4, 6, 8], [1, 2, 3], **more)


def test_values_that_have_no_logarithm_are_refused() -> None:
    with pytest.raises(ValueError, match=r"values must be positive, got -2\.0 at index 1"):
        exponent([4, 6, 8], [1, -2, 3])
