"""Cumulants of infinite cylinders: against dense transfer matrices at many digits, tori, and Kaufman's sum."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from infogeom.kernels.gibbs.cumulants import PointCumulants
from infogeom.kernels.gibbs.cylinders.eigenvalue import cylinder_cumulants
from infogeom.kernels.gibbs.tori.densities import density_of_states_ising
from infogeom.kernels.gibbs.zero_field.kaufman import CRITICAL, sectors
from infogeom.kernels.gibbs.zero_field.susceptibility import zero_field_cumulants
from infogeom.kernels.gibbs.zero_field.taylor import logarithm

#: Digits of the dense matrices, and distance of points of differences of their eigenvalues: their error is its square.
DIGITS = 90
STEP = mpf(10) ** -18
#: Weights of values at -2 … 2 steps in the differences of order 0, 1, 2 and 3.
DIFFERENCES = [{0: 1}, {-1: -0.5, 1: 0.5}, {-1: 1, 0: -2, 1: 1}, {-2: -0.5, -1: 1, 1: -1, 2: 0.5}]
ORDERS = [(i, n - i) for n in (1, 2, 3) for i in range(n + 1)]
POINTS = [(0.0, 0.0), (0.1, 0.0), (0.3, 0.1), (0.44, 0.0), (0.44, 1e-4), (0.44, -0.01), (0.6, 0.3), (1.0, 0.0)]
POINTS += [(1.0, 0.5), (1.0, 1e-6), (2.0, 0.5), (2.5, 0.5), (3.0, 1.0), (0.2, 2.0), (-0.3, 0.2), (-2.0, 0.3)]
#: Gaps of the matrix are below float64's reach here.
FROZEN = [(2.5, 0.0), (3.0, 0.01), (4.0, 1e-9)]


def at(width: int, beta: float, h: float) -> PointCumulants:
    return cylinder_cumulants(width, np.array([[beta, h]]))


def entries(parts: Any) -> dict[tuple[int, int], float]:
    """Derivatives by how often they are by β and by h."""
    return {(i, j): float(parts[i + j - 1][(0,) * i + (1,) * j + (0,)]) for i, j in ORDERS}


# --- Dense matrices ---------------------------------------------------------------------------------------------------


@cache
def alike(width: int) -> list[list[int]]:
    """Rows that go over into each other by rotation and reflection."""
    classes: dict[str, list[int]] = {}
    for number in range(2**width):
        row = format(number, f"0{width}b")
        turned = [row[k:] + row[:k] for k in range(width)]
        classes.setdefault(min(turned + [other[::-1] for other in turned]), []).append(number)
    return list(classes.values())


def transfer_matrix(width: int, beta: mpf, h: mpf) -> Any:
    kinds = alike(width)
    unlike = [mpmath.exp(beta * (width - 2 * k)) for k in range(width + 1)]
    factors = []
    for number in (kind[0] for kind in kinds):
        row = [1 - 2 * int(bit) for bit in format(number, f"0{width}b")]
        energy = sum(a * b for a, b in zip(row, row[1:] + row[:1], strict=True))
        factors.append(mpmath.exp((beta * energy + h * sum(row)) / 2))
    T = mpmath.matrix(len(kinds))
    for (i, a), (j, b) in product(enumerate(kinds), repeat=2):
        across = mpmath.fsum(unlike[(a[0] ^ other).bit_count()] for other in b)
        T[i, j] = factors[i] * factors[j] * across * mpmath.sqrt(mpf(len(a)) / len(b))
    return T


def log_eigenvalue(width: int, beta: mpf, h: mpf) -> mpf:
    """The largest, by inverse iteration from float64's vector."""
    T = transfer_matrix(width, beta, h)
    scale = max(T)
    dense = np.array([[float(T[i, j] / scale) for j in range(T.rows)] for i in range(T.rows)])
    x = mpmath.matrix(np.linalg.eigh(dense)[1][:, -1].tolist())
    for _ in range(4):
        value = (x.T * T * x)[0] / (x.T * x)[0]
        x = mpmath.lu_solve(T - value * (1 + mpf(10) ** (5 - DIGITS)) * mpmath.eye(T.rows), x)
        x /= mpmath.norm(x)
    return mpmath.log((x.T * T * x)[0])


def dense(width: int, beta: float, h: float) -> dict[tuple[int, int], mpf]:
    values: dict[tuple[int, int], mpf] = {}
    found = {}
    for i, j in ORDERS:
        total = mpf(0)
        for (k, a), (l, b) in product(DIFFERENCES[i].items(), DIFFERENCES[j].items()):
            if (k, l) not in values:
                values[k, l] = log_eigenvalue(width, mpf(beta) + k * STEP, mpf(h) + l * STEP)
            total += mpf(a) * mpf(b) * values[k, l]
        found[i, j] = total / (width * STEP ** (i + j))
    return found


@pytest.mark.parametrize("width", [3, 4, 5])
@pytest.mark.parametrize(("beta", "h"), POINTS + FROZEN)
def test_cumulants_are_derivatives_of_the_largest_eigenvalue_within_their_bounds(
    width: int, beta: float, h: float
) -> None:
    found = at(width, beta, h)
    bounds = entries(found.errors)
    with mpmath.workdps(DIGITS):
        for order, true in dense(width, beta, h).items():
            odd = h == 0 and order[1] % 2 == 1
            assert abs(mpf(entries(found)[order]) - true) <= bounds[order] + (mpf(10) ** -30 if odd else 0)


@pytest.mark.parametrize(("beta", "h"), [(0.2, 0.0), (0.44, 0.0), (0.44, 0.05), (0.7, 0.5), (2.5, 0.5), (0.1, 1.0)])
@pytest.mark.parametrize("width", [4, 9, 14])
def test_bounds_are_far_below_what_they_are_of(width: int, beta: float, h: float) -> None:
    found = at(width, beta, h)
    for part, bound in zip(found[:3], found.errors, strict=True):
        np.testing.assert_array_less(bound, 1e-9 * abs(part) + 1e-300)


# --- Other routes -----------------------------------------------------------------------------------------------------


def torus(length: int, width: int, beta: float, h: float) -> dict[tuple[int, int], mpf]:
    """Cumulants of the whole torus from all its states."""
    statistics, multiplicities = density_of_states_ising(length, width)
    weights = [
        n * mpmath.exp(mpf(beta) * e + mpf(h) * m)
        for (e, m), n in zip(statistics.tolist(), multiplicities, strict=True)
    ]
    total = mpmath.fsum(weights)
    means = [mpmath.fdot(weights, statistics[:, a].tolist()) / total for a in (0, 1)]
    parts = [[mpf(x) - mean for x in statistics[:, a].tolist()] for a, mean in enumerate(means)]
    found = {(1, 0): means[0], (0, 1): means[1]}
    for i, j in ORDERS[2:]:
        found[i, j] = mpmath.fsum(w * e**i * m**j for w, e, m in zip(weights, *parts, strict=True)) / total
    return found


@pytest.mark.parametrize(("beta", "h"), [(0.3, 0.5), (0.6, -0.4), (0.1, 0.0)])
def test_a_cylinder_is_what_a_torus_gains_by_a_row(beta: float, h: float) -> None:
    # The second eigenvalue is below a third of the first, and 3^-24 = 4e-12.
    found = entries(at(3, beta, h)[:3])
    with mpmath.workdps(40):
        shorter, longer = (torus(length, 3, beta, h) for length in (24, 25))
    for order in ORDERS:
        np.testing.assert_allclose(3 * found[order], float(longer[order] - shorter[order]), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("beta", [0.2, CRITICAL, 0.5, 1.0])
def test_energies_of_a_wide_cylinder_are_kaufmans(beta: float) -> None:
    # The first of his products is led by the largest eigenvalue, by e^(-1000 γ) over others, γ > 0.2. What one row
    # gains is right to the rounding of a thousand.
    shorter, longer = (sectors(beta, length, 15) for length in (1000, 1001))
    gain = longer.log_partition - shorter.log_partition + logarithm(longer.shares[0]) - logarithm(shorter.shares[0])
    found = entries(at(15, beta, 0.0)[:3])
    for order, factor in ((1, 1), (2, 2), (3, 6)):
        np.testing.assert_allclose(15 * found[order, 0], factor * gain[order], rtol=1e-9)


def test_a_wide_warm_cylinder_is_a_large_torus() -> None:
    # What goes round is 2 (tanh β)^16, the third derivative of which is 1e-13 here.
    cylinder, whole = at(16, 0.05, 0.0), zero_field_cumulants(40, 40, np.array([[0.05, 0.0]]))
    for part, other in zip(cylinder[:3], whole[:3], strict=True):
        np.testing.assert_allclose(part, other / 1600, rtol=1e-12, atol=0)


# --- Symmetry and the ordered phase -----------------------------------------------------------------------------------


def test_odd_cumulants_are_zero_without_a_field_and_known_to_be() -> None:
    found = at(7, 0.5, 0.0)
    for order in ((0, 1), (1, 1), (0, 3), (2, 1)):
        assert entries(found)[order] == entries(found.errors)[order] == 0


def test_a_field_reversed_reverses_the_odd_cumulants() -> None:
    up, down = (entries(at(6, 0.4, h)) for h in (0.1, -0.1))
    assert {order: (-1) ** order[1] * x for order, x in down.items()} == up


@pytest.mark.parametrize("beta", [-1000.0, -20.0, 1000.0])
@pytest.mark.parametrize("h", [0.0, 1e-6, 700.0])
def test_nothing_overflows(beta: float, h: float) -> None:
    for width in (5, 8):
        found = at(width, beta, h)
        assert all(np.isfinite(part).all() for part in found[:3])
        assert not any(np.isnan(bound).any() for bound in found.errors)


@pytest.mark.parametrize(("width", "energy"), [(8, -2.0), (5, -2 + 2 / 5)])
def test_spins_alternate_as_far_as_they_can_where_beta_is_negative(width: int, energy: float) -> None:
    found = at(width, -20.0, 0.0)
    np.testing.assert_allclose(found.mean[0, 0], energy, rtol=1e-14)


def test_two_phases_that_are_one_to_rounding_have_infinite_bounds_and_their_energy_finite_ones() -> None:
    found = at(12, 3.0, 0.0)
    values, bounds = entries(found), entries(found.errors)
    assert bounds[0, 2] == bounds[1, 2] == np.inf
    assert bounds[2, 0] < 1e-9 * values[2, 0]
    assert bounds[3, 0] < 1e-6 * abs(values[3, 0])
    assert all(np.isfinite(x) for x in values.values())
