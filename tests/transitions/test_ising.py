"""The critical point and the exponents of the two-dimensional Ising model, from tori of up to 16 × 16 alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

import infogeom as ig
from infogeom.models import lattices
from infogeom.transitions import Estimate, Exponent, critical_point, exponent, scan
from tests.transitions.ising_reference import CRITICAL, maximum

SIZES = np.arange(3, 17)


class Found(NamedTuple):
    """What the tori give one after another: 1/ν, β_c by its means, and, at that β_c, γ/ν and C."""

    nu: Exponent
    critical: Estimate
    gamma: Exponent
    heat: Exponent


@pytest.fixture(scope="module", autouse=True)
def not_counted() -> Iterator[None]:
    """Tori of 9 × 9 and 10 × 10 like larger ones: on h = 0 their states need no count, which takes half a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lattices, "MOST_ROWS_COUNTED", 2**8)
        yield


@cache
def maxima() -> tuple[list[float], list[float]]:
    """Places and values of the maxima of s = ∂_β ln ⟨M²⟩ on h = 0."""
    places, values = [], []
    for L in map(int, SIZES):
        about = CRITICAL - 0.59 / L - 0.3 / L**2
        line = scan(ig.models.ising_torus(L), {"beta": np.linspace(about - 0.4 / L, about + 0.4 / L, 9)}, {"h": 0})
        found = line.sel(observable="s_h")
        assert found.kind == "maximum"
        places.append(float(found.location))
        values.append(float(found.extremum))
    return places, values


@cache
def found() -> Found:
    places, values = maxima()
    nu = exponent(SIZES, values, observable="maximum of s")
    critical = critical_point(
        SIZES, places, omega=(nu.value - nu.error, nu.value + nu.error), observable="maximum of s"
    )

    # At that β_c, whose error goes into those of the exponents.
    chi, slopes, heat = [], [], []
    for L in map(int, SIZES):
        three = critical.value + np.array([-1e-3, 0, 1e-3])
        at = scan(ig.models.ising_torus(L), {"beta": three}, {"h": 0}).isel(beta=1)
        chi.append(float(at["g_h"]) / L**2)
        slopes.append(chi[-1] * float(at["s_h"]))
        heat.append(float(at["C"]) / L**2)
    gamma = exponent(SIZES, chi, slopes=slopes, location_error=critical.error, observable="chi at β_c")
    return Found(nu, critical, gamma, exponent(SIZES, heat, observable="C at β_c"))


@pytest.mark.slow
def test_maxima_are_those_of_the_transfer_of_single_sites() -> None:
    places, values = maxima()
    for L in range(3, 9):
        exact = maximum(L)
        assert places[L - 3] == pytest.approx(exact.location, rel=1e-10)
        assert values[L - 3] == pytest.approx(exact.value, rel=1e-12)


@pytest.mark.slow
def test_the_exponent_nu_is_1() -> None:
    assert abs(found().nu.value - 1) <= min(found().nu.error, 0.01)


def test_the_critical_point_is_onsagers() -> None:
    assert found().critical.error <= 3e-4
    assert abs(found().critical.value - CRITICAL) <= min(found().critical.error, 1e-4)


def test_the_critical_point_is_onsagers_where_nothing_is_said_of_corrections() -> None:
    free = critical_point(SIZES, maxima()[0])
    assert abs(free.value - CRITICAL) <= min(free.error, 1e-4)


def test_the_ratio_of_exponents_gamma_and_nu_is_7_over_4() -> None:
    gamma = found().gamma
    assert abs(gamma.value - 7 / 4) <= min(gamma.error, 0.003)
    assert gamma.error > gamma.by_location >= abs(gamma.sensitivity) * found().critical.error > 0


def test_an_error_of_the_critical_point_goes_into_that_of_the_exponent() -> None:
    shift, chi, slopes = 1e-4, [], []
    for L in map(int, SIZES):
        three = CRITICAL + shift + np.array([-1e-3, 0, 1e-3])
        at = scan(ig.models.ising_torus(L), {"beta": three}, {"h": 0}).isel(beta=1)
        chi.append(float(at["g_h"]) / L**2)
        slopes.append(chi[-1] * float(at["s_h"]))
    wrong = exponent(SIZES, chi, slopes=slopes, location_error=shift)
    assert abs(wrong.value - 7 / 4) <= wrong.error
    assert abs(wrong.value - 7 / 4) > shift * 5


def test_the_heat_capacity_is_a_logarithm_with_its_slope() -> None:
    heat = found().heat
    assert heat.logarithm
    assert abs(heat.value) < 0.05
    assert heat.amplitude is not None
    assert heat.amplitude_error is not None
    assert abs(heat.amplitude - 8 / math.pi) <= min(heat.amplitude_error, 0.01)


def test_every_result_says_observable_sizes_and_correction() -> None:
    for result in found():
        assert result.observable in str(result)
        assert "sizes 3, 4, …, 16" in str(result)
        assert "correction" in str(result)
