"""Cumulants of tori by transfer of jets: against counted states in many digits, and Kaufman's sum beyond them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from itertools import product
from typing import Any

import flint
import mpmath
import numpy as np
import pytest

from infogeom.kernels.gibbs.cumulants import PointCumulants
from infogeom.kernels.gibbs.tori.densities import DensityOfStates, density_of_states_ising, density_of_states_potts
from infogeom.kernels.gibbs.tori.jets import ising_torus_cumulants, potts_torus_cumulants

#: Usual points, and those of frozen, antiferromagnetic and paramagnetic phases.
POINTS = [
    (0, 0),
    (0, 0.3),
    (0.1, 0),
    (0.1, 0.05),
    (0.44068, 0),
    (0.44068, 0.01),
    (0.5, -0.02),
    (0.6, 1e-9),
    (1, 0.1),
    (2.5, 0.5),
    (3, -1),
    (6, 1e-3),
    (0.2, 2),
    (0.2, -9),
    (-0.3, 0.1),
    (-1, 0.2),
    (-0.7, 3),
    (-2, 0),
]
#: Relative errors at most, where moments are taken about what is typical of every row.
TIGHT = 1e-12
#: Bits of the reference, of which the frozen phase takes many; what it may say of a cumulant that is 0; digits.
BITS = 300
NONE = 1e-50
DIGITS = 60


def cumulants_of(states: DensityOfStates, beta: float, h: float) -> list[Any]:
    """Mean, second and third cumulants of a table, of numbers of many digits."""
    with flint.ctx.workprec(BITS):
        values = [[flint.arb(int(x)) for x in column] for column in states.statistics.T]
        exponents = [beta * x + h * y for x, y in zip(*values, strict=True)]
        weights = np.array([int(m) * x.exp() for m, x in zip(states.multiplicities, exponents, strict=True)])
        weights = weights / weights.sum()
        mean = np.array(values) @ weights
        a, b = np.array(values) - mean[:, None]
        squares = weights * a * a, weights * a * b, weights * b * b
        aa, ab, bb = (square.sum() for square in squares)
        aaa, aab, abb, bbb = (squares[0] * a).sum(), (squares[0] * b).sum(), (squares[2] * a).sum(), squares[2] @ b
        second = np.array([[aa, ab], [ab, bb]])
        return [mean, second, np.array([[[aaa, aab], [aab, abb]], [[aab, abb], [abb, bbb]]])]


def compare(found: PointCumulants, states: DensityOfStates, points: np.ndarray) -> None:
    """Errors are within their bounds, and these not much larger than what is rounded, unless bonds are frustrated."""
    for k, (beta, h) in enumerate(points):
        exact = cumulants_of(states, beta, h)
        for value, right, bound in zip(found[:3], exact, found.errors, strict=True):
            error = abs(value[..., k] - right).astype(float)
            assert (error <= bound[..., k] + NONE).all(), (beta, h)
        scale = np.sqrt(np.diag(found.second[:, :, k]))
        assert beta < 0 or (found.errors[1][..., k] <= TIGHT * np.outer(scale, scale)).all(), (beta, h)


SMALL_TORI: list[tuple[Callable[[np.ndarray], PointCumulants], Callable[[], DensityOfStates]]] = [
    (partial(ising_torus_cumulants, *sizes), partial(density_of_states_ising, *sizes))
    for sizes in ((3, 3), (4, 4), (3, 6), (7, 4), (5, 5))
] + [
    (partial(potts_torus_cumulants, *sizes), partial(density_of_states_potts, *sizes))
    for sizes in ((2, 4, 3), (3, 3, 4), (3, 5, 3), (4, 3, 3), (5, 4, 3))
]


def drawn(size: int) -> np.ndarray:
    """Points of which most are neither hot nor frozen."""
    rng = np.random.default_rng(size)
    beta = rng.normal(0.4, 0.5, size) * rng.choice([1, 1, 4], size)
    return np.stack([beta, rng.choice([-1, 1], size) * 10.0 ** rng.uniform(-6, 0.7, size)], axis=1)


@pytest.mark.parametrize(("transferred", "counted"), SMALL_TORI)
def test_jets_have_the_cumulants_of_the_counted_states_to_their_bounds(
    transferred: Callable[[np.ndarray], PointCumulants], counted: Callable[[], DensityOfStates]
) -> None:
    points = np.concatenate([np.array(POINTS, float), drawn(20)])
    compare(transferred(points), counted(), points)


@pytest.mark.parametrize("sizes", [(8, 8), (9, 7)])
def test_jets_of_larger_tori_have_the_cumulants_of_the_counted_states(sizes: tuple[int, int]) -> None:
    points = np.array([(0, 0), (0.1, 0.05), (0.44068, 0), (0.44, 0.01), (1, 0.01), (2.5, 0.5), (-0.5, 0.3)], float)
    compare(ising_torus_cumulants(*sizes, points), density_of_states_ising(*sizes), points)


@pytest.mark.slow  # 20 s, where the states are not counted yet
def test_jets_of_the_largest_counted_torus_have_its_cumulants() -> None:
    points = np.array([(0.1, 0.05), (0.44068, 0), (0.44, 0.01), (0.5, 0.02), (2.5, 0.5)], float)
    compare(ising_torus_cumulants(10, 10, points), density_of_states_ising(10, 10), points)


# --- Without a field --------------------------------------------------------------------------------------------------


@cache
def kaufman(length: int, width: int, beta: float) -> list[float]:
    """First three derivatives of log Z at h = 0, by Kaufman's partition function (Phys. Rev. 76 (1949) 1232)."""

    def log_partition(K: Any) -> Any:
        cosh, sinh = mpmath.cosh(2 * K), mpmath.sinh(2 * K)
        total = mpmath.mpf(0)
        for rows, columns in product((0, 1), repeat=2):
            # Where both momenta vanish, the root of the factor is taken with the sign that makes it analytic.
            term = mpmath.mpf(1)
            for r, s in product(range(length), range(width)):
                if (rows, columns, r, s) == (0, 0, 0, 0):
                    term *= sinh - 1
                else:
                    p, other = (2 * r + rows) * mpmath.pi / length, (2 * s + columns) * mpmath.pi / width
                    term *= mpmath.sqrt(cosh**2 - sinh * (mpmath.cos(p) + mpmath.cos(other)))
            total += term
        return mpmath.log(total) + (length * width - 1) * mpmath.log(2)

    with mpmath.workdps(DIGITS):
        return [float(d) for d in list(mpmath.diffs(log_partition, mpmath.mpf(beta), 3))[1:]]


@pytest.mark.parametrize(("length", "width", "beta"), [(8, 8, 0.3), (12, 12, 0.44), (11, 13, 0.43)])
def test_without_a_field_derivatives_are_kaufmans(length: int, width: int, beta: float) -> None:
    found = ising_torus_cumulants(length, width, np.array([[beta, 0.0]]))
    values = found.mean[0, 0], found.second[0, 0, 0], found.third[0, 0, 0, 0]
    np.testing.assert_allclose(values, kaufman(length, width, beta), rtol=1e-12)


@pytest.mark.slow  # 10 s
def test_the_largest_torus_has_kaufmans_derivatives() -> None:
    test_without_a_field_derivatives_are_kaufmans(14, 14, 0.44)


def test_without_a_field_odd_cumulants_of_the_magnetisation_are_zero_without_an_error() -> None:
    found = ising_torus_cumulants(4, 5, np.array([[0.4, 0.0]]))
    odd = found.mean[1], found.second[0, 1], found.third[0, 0, 1], found.third[1, 1, 1]
    mean, second, third = found.errors
    bounds = mean[1], second[1, 0], third[0, 1, 0], third[1, 1, 1]
    assert [*np.ravel(odd), *np.ravel(bounds)] == [0.0] * 8


def test_without_a_field_sites_of_a_state_are_its_share_whatever_the_energy() -> None:
    found = potts_torus_cumulants(3, 3, 4, np.array([[0.7, 0.0]]))
    assert found.mean[1] == 4.0
    assert [*found.second[0, 1], *found.third[0, 0, 1], *found.errors[1][0, 1], *found.errors[2][0, 0, 1]] == [0.0] * 4
    assert found.third[1, 1, 1] > 0.0


def test_two_states_of_the_potts_model_are_spins() -> None:
    points = np.array([[0.4, 0.1], [-0.2, 0.3]])
    spins, states = ising_torus_cumulants(4, 3, points), potts_torus_cumulants(2, 4, 3, 2 * points)
    np.testing.assert_allclose(spins.second, 4 * states.second, rtol=1e-15)
    np.testing.assert_allclose(spins.third, 8 * states.third, rtol=1e-15)


# --- Symmetries and bounds --------------------------------------------------------------------------------------------


def test_a_field_turned_round_turns_the_odd_cumulants_round() -> None:
    up, down = (ising_torus_cumulants(5, 4, np.array([[0.4, h]])) for h in (0.1, -0.1))
    signs = np.array([1.0, -1.0])
    np.testing.assert_allclose(down.mean[:, 0], signs * up.mean[:, 0], rtol=1e-13)
    np.testing.assert_allclose(down.second[..., 0], np.outer(signs, signs) * up.second[..., 0], rtol=1e-13)
    cubed = np.multiply.outer(np.outer(signs, signs), signs)
    np.testing.assert_allclose(down.third[..., 0], cubed * up.third[..., 0], rtol=1e-12)


def test_a_frozen_torus_flips_one_spin_at_a_time() -> None:
    found = ising_torus_cumulants(12, 12, np.array([[2.5, 0.5]]))
    rare = 144 * np.exp(-8 * 2.5 - 2 * 0.5)
    expected = rare * np.array([[64.0, 16.0], [16.0, 4.0]])
    np.testing.assert_allclose(found.second[..., 0], expected, rtol=2 * np.exp(-4 * 2.5 + 2 * 0.5))


def test_beyond_what_float64_holds_nothing_is_known() -> None:
    found = ising_torus_cumulants(4, 4, np.array([[-40.0, 100.0], [1.0, 0.1]]))
    assert np.isinf(found.errors[1][..., 0]).all()
    assert np.isfinite(found.errors[1][..., 1]).all()


def test_no_points_have_no_cumulants() -> None:
    assert ising_torus_cumulants(3, 3, np.empty((0, 2))).third.shape == (2, 2, 2, 0)


def test_what_is_too_wide_is_refused_with_its_rows() -> None:
    with pytest.raises(ValueError, match="at most 16,384 rows to be transferred, got 32,768"):
        ising_torus_cumulants(15, 20, np.empty((0, 2)))
