"""Counted densities of states: against enumeration, Kaufman's sum and the series of the susceptibility."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import product
from math import comb
from pathlib import Path

import mpmath
import numpy as np
import pytest
from flint import fmpz_poly

from infogeom.kernels.compiled.private_folder import PrivateFolder
from infogeom.kernels.compiled.sealed_files import CacheWarning, write_sealed
from infogeom.kernels.gibbs.tori import densities
from infogeom.kernels.gibbs.tori.densities import (
    DensityOfStates,
    density_of_states_ising,
    density_of_states_potts,
)
from infogeom.models.lattices import IsingTorus

#: Spins that are enumerated in one array.
BLOCK = 20
#: Σ_r ⟨s_0 s_r⟩ of the square lattice in powers of tanh β (OEIS A002906): walks that end where they begin are longer.
SUSCEPTIBILITY = [1, 4, 12, 36, 100, 276, 740, 1972, 5172, 13492]


def as_counter(found: DensityOfStates) -> Counter[tuple[int, ...]]:
    statistics, multiplicities = found
    assert len(multiplicities) == len({*map(tuple, statistics)})
    return Counter(dict(zip(map(tuple, statistics.tolist()), multiplicities, strict=True)))


# --- Enumeration ------------------------------------------------------------------------------------------------------


def enumerated_ising(length: int, width: int) -> Counter[tuple[int, ...]]:
    """By bits of an integer for each state: a bond is unequal where the bits of its ends differ."""
    sites = length * width
    number = np.arange(length * width).reshape(length, width)
    counts = np.zeros((2 * sites + 1) * (sites + 1), np.int64)
    for block in range(0, 2**sites, 2**BLOCK):
        states = np.arange(block, min(block + 2**BLOCK, 2**sites), dtype=np.int32)
        key = np.bitwise_count(states).astype(np.int32)
        for axis in (0, 1):
            for a, b in zip(number.ravel().tolist(), np.roll(number, 1, axis).ravel().tolist(), strict=True):
                key += ((states >> a ^ states >> b) & 1) * (sites + 1)
        counts += np.bincount(key, minlength=len(counts))
    found = {}
    for key in np.flatnonzero(counts).tolist():
        unequal, up = divmod(key, sites + 1)
        found[2 * sites - 2 * unequal, 2 * up - sites] = int(counts[key])
    return Counter(found)


def enumerated_potts(q: int, length: int, width: int) -> Counter[tuple[int, ...]]:
    """By arrays of all states."""
    states = np.indices((q,) * (length * width), np.int8).reshape(length, width, -1)
    equal = np.zeros(states.shape[-1], np.int64)
    for axis in (0, 1):
        equal += (states == np.roll(states, 1, axis)).sum(axis=(0, 1))
    zeros = (states == 0).sum(axis=(0, 1))
    return Counter(zip(equal.tolist(), zeros.tolist(), strict=True))


@pytest.mark.parametrize(("length", "width"), [*product((3, 4, 5), repeat=2), (3, 6)])
def test_an_ising_torus_has_the_density_of_states_of_its_enumeration(length: int, width: int) -> None:
    assert as_counter(density_of_states_ising(length, width)) == enumerated_ising(length, width)


@pytest.mark.parametrize(("q", "length", "width"), [(2, 3, 4), (2, 4, 4), (3, 3, 3), (3, 3, 4), (3, 4, 3), (4, 3, 3)])
def test_a_potts_torus_has_the_density_of_states_of_its_enumeration(q: int, length: int, width: int) -> None:
    assert as_counter(density_of_states_potts(q, length, width)) == enumerated_potts(q, length, width)


def test_five_states_exchanged_leave_the_count_of_zeros_alone() -> None:
    by_zeros: Counter[int] = Counter()
    for (_, zeros), times in as_counter(density_of_states_potts(5, 3, 3)).items():
        by_zeros[zeros] += times
    assert by_zeros == {k: comb(9, k) * 4 ** (9 - k) for k in range(10)}


# --- Other routes -----------------------------------------------------------------------------------------------------


def kaufman(length: int, width: int) -> dict[int, int]:
    """Number of states by Σ s s′: Kaufman's partition function (Phys. Rev. 76 (1949) 1232) as a double product.

    Z = ½ 2^N Σ ± √Π [cosh² 2K − sinh 2K (cos p + cos p′)] over momenta that are integral or half-integral multiples of
    2π / length and 2π / width, with the sign of sinh 2K − 1 where both are integral. As a polynomial in y = e^{2K} it
    is evaluated at a power of 2 so large that its digits are the coefficients.
    """
    sites, bits = length * width, length * width + 1
    with mpmath.workprec(2 * sites * bits + 200):
        y = mpmath.mpf(2) ** bits
        cosh, sinh = (y + 1 / y) / 2, (y - 1 / y) / 2
        total = mpmath.mpf(0)
        for rows, columns in product((0, 1), repeat=2):
            factors = mpmath.mpf(1)
            for r, s in product(range(length), range(width)):
                p, other = (2 * r + rows) * mpmath.pi / length, (2 * s + columns) * mpmath.pi / width
                factors *= cosh**2 - sinh * (mpmath.cos(p) + mpmath.cos(other))
            total += mpmath.sqrt(factors)
        value = total * mpmath.mpf(2) ** (sites - 1) * y**sites
        digits = int(mpmath.nint(value))
        assert abs(value - digits) < 1e-9
    powers = range(2 * sites + 1)  # of y, whose exponent is the number of equal pairs
    coefficients = {2 * k - 2 * sites: digits >> bits * k & (1 << bits) - 1 for k in powers}
    return {energy: times for energy, times in coefficients.items() if times}


def by_energy(found: DensityOfStates) -> dict[int, int]:
    sums: Counter[int] = Counter()
    for (energy, _), times in as_counter(found).items():
        sums[energy] += times
    return dict(sums)


@pytest.mark.parametrize(("length", "width"), [(5, 5), (6, 6), (7, 7), (8, 8), (6, 9), (10, 3), (7, 4)])
def test_sums_over_the_magnetisation_are_kaufmans_expansion(length: int, width: int) -> None:
    assert by_energy(density_of_states_ising(length, width)) == kaufman(length, width)


@pytest.mark.slow  # 20 s
def test_sums_at_10_by_10_are_kaufmans_expansion_and_the_susceptibility_is_its_series() -> None:
    found = density_of_states_ising(10, 10)
    assert by_energy(found) == kaufman(10, 10)
    assert susceptibility(found, 100, 9) == SUSCEPTIBILITY


@pytest.mark.parametrize(("length", "width"), [(8, 8), (6, 6), (5, 8)])
def test_every_state_is_counted_once_and_its_flip_beside_it(length: int, width: int) -> None:
    found = as_counter(density_of_states_ising(length, width))
    assert sum(found.values()) == 2 ** (length * width)
    assert found == {(energy, -m): times for (energy, m), times in found.items()}


def susceptibility(found: DensityOfStates, sites: int, order: int) -> list[int]:
    """⟨M²⟩ / N to an order of t = tanh β: e^{βE} ∝ (1 + t)^(equal pairs) (1 − t)^(unequal pairs)."""
    even, odd = fmpz_poly(), fmpz_poly()
    for (energy, m), times in as_counter(found).items():
        equal = (energy + 2 * sites) // 2
        weight = times * _truncated_power(1, equal, order) * _truncated_power(-1, 2 * sites - equal, order)
        even, odd = even + weight, odd + weight * m * m
    ratio: list[int] = []
    for k in range(order + 1):
        rest = int(odd[k]) - sum(sites * ratio[i] * int(even[k - i]) for i in range(k))
        assert rest % (sites * int(even[0])) == 0
        ratio.append(rest // (sites * int(even[0])))
    return ratio


@cache
def _truncated_power(sign: int, exponent: int, order: int) -> fmpz_poly:
    """(1 ± t)^exponent to an order of t."""
    return fmpz_poly([sign**k * comb(exponent, k) for k in range(order + 1)])


@pytest.mark.parametrize(("length", "width"), [(8, 8), (7, 7), (8, 5)])
def test_the_second_moment_of_the_magnetisation_has_the_series_of_the_square_lattice(length: int, width: int) -> None:
    shortest = min(length, width) - 1
    found = susceptibility(density_of_states_ising(length, width), length * width, shortest)
    assert found == SUSCEPTIBILITY[: shortest + 1]


def test_a_torus_is_the_same_either_way_round() -> None:
    assert as_counter(density_of_states_potts(3, 3, 5)) == as_counter(density_of_states_potts(3, 5, 3))


# --- Bounds and the disk ----------------------------------------------------------------------------------------------


def test_what_is_too_large_is_refused_with_its_rows() -> None:
    with pytest.raises(ValueError, match=r"14 × 14 sites with 2 states .* at most 1,024, got 16,384"):
        density_of_states_ising(14, 14)


def test_a_long_torus_is_refused_before_its_halves_leave_int64() -> None:
    with pytest.raises(ValueError, match=r"below 2\^63"):
        density_of_states_ising(3, 100)


def test_ising_tori_are_countable_from_3_to_10() -> None:
    assert all(IsingTorus(2, length, width).counted for length, width in product(range(3, 11), repeat=2))


NAME = "potts_torus_2_4_3.count"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateFolder]:
    """A cache folder that holds the count of one torus."""
    monkeypatch.setenv("INFOGEOM_CACHE_DIR", str(tmp_path / "cache"))
    anew()
    yield PrivateFolder(tmp_path / "cache")
    densities._table.cache_clear()


def anew() -> Counter[tuple[int, ...]]:
    """What a new process would get."""
    densities._table.cache_clear()
    return as_counter(density_of_states_ising(3, 4))


def test_a_count_is_read_from_the_disk(folder: PrivateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = anew()
    monkeypatch.delattr(densities, "count")
    assert anew() == counted
    assert {path.name for path in folder.path.glob("*.count")} == {NAME}


@pytest.mark.parametrize("cut", [0, 10, 100])
def test_a_damaged_count_is_told_and_counted_anew(folder: PrivateFolder, cut: int) -> None:
    path = folder.path / NAME
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.warns(CacheWarning, match=NAME):
        assert anew() == enumerated_ising(3, 4)
    assert anew() == enumerated_ising(3, 4)


def test_the_count_of_another_torus_in_its_place_is_not_taken(folder: PrivateFolder) -> None:
    density_of_states_ising(4, 4)
    (folder.path / "potts_torus_2_4_4.count").replace(folder.path / NAME)
    with pytest.warns(CacheWarning, match="not what was written"):
        assert anew() == enumerated_ising(3, 4)


def test_a_count_that_misses_states_is_not_taken(folder: PrivateFolder) -> None:
    write_sealed(folder, NAME, json.dumps([[24, 12, 1]]).encode())
    with pytest.warns(CacheWarning, match=r"do not add up to 2\^12"):
        assert anew() == enumerated_ising(3, 4)


def test_a_folder_that_cannot_be_written_costs_one_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    anew()  # so that its kernels are compiled
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INFOGEOM_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.warns(CacheWarning, match="kept in memory only") as caught:
        assert anew() == enumerated_ising(3, 4)
    assert len(caught) == 1
    densities._table.cache_clear()


def test_what_is_handed_out_is_read_only() -> None:
    statistics, multiplicities = density_of_states_ising(3, 3)
    with pytest.raises(ValueError, match="read-only"):
        statistics[0] = 0
    with pytest.raises(ValueError, match="read-only"):
        multiplicities[0] = 0
