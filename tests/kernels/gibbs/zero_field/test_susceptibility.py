"""Cumulants of the torus on h = 0: against densities of states, Onsager's limit, and other paths in long double."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from mpmath import mpf

import infogeom as ig
from infogeom.kernels.gibbs.cumulants import PointCumulants
from infogeom.kernels.gibbs.tori.densities import density_of_states_ising
from infogeom.kernels.gibbs.tori.jets import ising_torus_cumulants
from infogeom.kernels.gibbs.zero_field.kaufman import CRITICAL
from infogeom.kernels.gibbs.zero_field.susceptibility import zero_field_cumulants
from tests.long_paths import second_moment

BETAS = [0.0, 1e-20, 1e-6, 0.01, 0.1, 0.3, 0.4, 0.43, 0.5, 0.7, 1.0, 1.5, 2.0]
#: Distances from the critical point, where one sector is 0 · ∞.
BESIDE = [-1e-3, -1e-6, -1e-9, -1e-12, -1e-15, 0.0, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3]
BETAS += [CRITICAL + distance for distance in BESIDE]


def at(length: int, width: int, beta: float) -> PointCumulants:
    return zero_field_cumulants(length, width, np.array([[beta, 0.0]]))


def nonzero(c: Any) -> list[float]:
    """⟨E⟩, κ(E, E), κ(E, E, E), ⟨M²⟩ and its slope."""
    return [c[0][0, 0], c[1][0, 0, 0], c[2][0, 0, 0, 0], c[1][1, 1, 0], c[2][0, 1, 1, 0]]


def counted(length: int, width: int, beta: float) -> list[mpf]:
    """The same of all states, at many digits."""
    statistics, multiplicities = density_of_states_ising(length, width)
    levels: dict[int, list[int]] = {}
    for (e, m), n in zip(statistics.tolist(), multiplicities, strict=True):
        level = levels.setdefault(e, [0, 0])
        level[0] += n
        level[1] += n * m * m
    weights = {e: mpmath.exp(mpf(beta) * e) for e in levels}
    total = mpmath.fsum(n * weights[e] for e, (n, _) in levels.items())
    mean = mpmath.fsum(n * weights[e] * e for e, (n, _) in levels.items()) / total
    sums = [mpmath.fsum(n * weights[e] * (e - mean) ** k for e, (n, _) in levels.items()) for k in (2, 3)]
    sums += [mpmath.fsum(n * weights[e] * (e - mean) ** k for e, (_, n) in levels.items()) for k in (0, 1)]
    return [mean, *(x / total for x in sums)]


@pytest.mark.parametrize("scale", [1, sympy.Symbol("T", positive=True)])
def test_other_coordinates_keep_h_at_0_where_nothing_else_is_known(scale: Any) -> None:
    torus, T = ig.models.ising_torus(15), sympy.Symbol("T", positive=True)
    field = scale * torus.parameters[1].symbol
    moved = ig.models.reparametrise(torus, {"beta": 1 / T, "h": field})
    found, right = (ig.evaluate_points(one, [[x, 0.0]]) for one, x in ((moved, 2.5), (torus, 0.4)))
    assert moved.parameters[0].name == "T"
    assert found.status.item() == 0
    assert abs(found.ricci_scalar - right.ricci_scalar) <= found.ricci_scalar_error + right.ricci_scalar_error


@pytest.mark.parametrize(("length", "width"), [(3, 3), (4, 4), (3, 4), (6, 3), (4, 5), (5, 5), (6, 6), (7, 7)])
def test_cumulants_are_those_of_all_states_within_their_bounds(length: int, width: int) -> None:
    for beta in BETAS:
        found = at(length, width, beta)
        with mpmath.workdps(60):
            true = counted(length, width, beta)
            errors = [abs(mpf(float(a)) - b) for a, b in zip(nonzero(found), true, strict=True)]
        for error, bound, value in zip(errors, nonzero(found.errors), true, strict=True):
            assert error <= bound
            if 0.01 <= beta <= 1:
                assert bound <= 1e-11 * abs(value)


def test_cumulants_are_those_of_a_transfer_from_row_to_row() -> None:
    points = np.array([[beta, 0.0] for beta in (0.1, 0.43, CRITICAL, CRITICAL + 1e-7, 0.6, 1.2)])
    found, other = zero_field_cumulants(12, 11, points), ising_torus_cumulants(12, 11, points)
    for part, transferred, bound, more in zip(found[:3], other[:3], found.errors, other.errors, strict=True):
        assert (abs(part - transferred) <= bound + more).all()
        np.testing.assert_allclose(part, transferred, rtol=1e-12)


def test_all_other_cumulants_are_zero_by_symmetry() -> None:
    found = at(5, 5, 0.4)
    odd = [(np.indices(part.shape[:-1]).sum(axis=0) % 2)[..., None] for part in found[:3]]
    for parity, part, bound in zip(odd, found[:3], found.errors, strict=True):
        np.testing.assert_array_equal(np.where(parity, part, 0), 0)
        np.testing.assert_array_equal(np.where(parity, bound, 0), 0)


def test_both_arrays_of_rank_two_and_three_are_symmetric() -> None:
    found = at(4, 5, 0.4)
    assert found.third[0, 1, 1, 0] == found.third[1, 0, 1, 0] == found.third[1, 1, 0, 0] > 0


def test_points_are_computed_one_by_one() -> None:
    points = np.array([[0.3, 0.0], [0.5, 0.0]])
    whole = zero_field_cumulants(4, 4, points)
    for k, (beta, _) in enumerate(points):
        np.testing.assert_array_equal(whole.third[..., k], at(4, 4, beta).third[..., 0])


@pytest.mark.parametrize("beta", [0.3, 0.6])
def test_energy_and_heat_capacity_of_a_large_torus_are_onsagers(beta: float) -> None:
    # Corrections are of order e^(-64/ξ) with ξ < 3 at both.
    def energy(beta: Any) -> Any:
        k = 2 * mpmath.sinh(2 * beta) / mpmath.cosh(2 * beta) ** 2
        return mpmath.coth(2 * beta) * (1 + 2 / mpmath.pi * (2 * mpmath.tanh(2 * beta) ** 2 - 1) * mpmath.ellipk(k * k))

    found = at(128, 128, beta)
    with mpmath.workdps(40):
        true = [float(mpmath.diff(energy, mpf(beta), n)) for n in range(3)]
    np.testing.assert_allclose(np.array(nonzero(found)[:3]) / 128**2, true, rtol=1e-13)


@pytest.mark.parametrize(("size", "beta"), [(12, 0.2), (20, 0.435), (20, CRITICAL), (21, 0.442), (20, 0.6), (15, 1.0)])
def test_the_field_moves_as_along_long_paths_in_one_sector(size: int, beta: float) -> None:
    check_long_paths(size, beta)


@pytest.mark.slow
@pytest.mark.parametrize("beta", [0.435, CRITICAL, CRITICAL + 1e-4, 0.5])
def test_the_field_moves_as_along_long_paths_on_a_large_torus(beta: float) -> None:
    check_long_paths(64, beta)


def check_long_paths(size: int, beta: float) -> None:
    found = at(size, size, beta)
    for value, bound, true in zip(
        nonzero(found)[3:], nonzero(found.errors)[3:], second_moment(size, beta), strict=True
    ):
        assert abs(value - true) <= bound <= 5e-12 * abs(true)


def test_large_warm_tori_are_one_lattice() -> None:
    # From 24 on, what goes round a torus is below (tanh 0.1)^24 = 1e-24.
    sites = {size: size * size for size in (24, 25, 96)}
    per_site = [np.array(nonzero(at(size, size, 0.1))) / n for size, n in sites.items()]
    np.testing.assert_allclose(per_site[0], per_site[2], rtol=1e-13)
    np.testing.assert_allclose(per_site[1], per_site[2], rtol=1e-13)


def test_a_field_is_refused_and_the_alternative_named() -> None:
    with pytest.raises(ValueError, match=r"h of a torus of .* must be 0, got 0\.5: ising_cylinder"):
        zero_field_cumulants(32, 32, np.array([[0.4, 0.0], [0.4, 0.5]]))


@pytest.mark.parametrize("beta", [-0.1, np.nan])
def test_a_negative_beta_is_refused(beta: float) -> None:
    with pytest.raises(ValueError, match=r"beta of a torus of .* must be at least 0, got"):
        zero_field_cumulants(32, 32, np.array([[beta, 0.0]]))
