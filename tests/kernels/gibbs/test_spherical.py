"""Spherical models, against the slopes of their log-partition function in many digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import infogeom as ig
from infogeom.kernels.gibbs.cumulants import PointCumulants, maker_of
from infogeom.verification.spherical import by_slopes

#: ½⟨1/(3 − Σ cos k)⟩, half of Watson's integral (Q. J. Math. 10 (1939) 266–276).
CRITICAL_SPHERICAL = 0.2527310098586630


def at(d: int, *point: float) -> PointCumulants:
    return maker_of(ig.models.spherical_model(d).structure).cumulants(np.array([point]))


@pytest.mark.parametrize(("d", "point"), [(1, (0.3, 0.2)), (1, (2.0, 1.0)), (2, (0.25, 0.1)), (3, (0.2, 0.3))])
def test_cumulants_are_the_slopes_at_the_saddle_point(d: int, point: tuple[float, float]) -> None:
    with mpmath.workdps(30):
        true = by_slopes(d)(point).value
    found = at(d, *point)
    for value, error, exact in zip(found[1:3], found.errors[1:], true[:2], strict=True):
        assert (abs(value[..., 0] - exact) <= error[..., 0]).all()
        assert (error <= 1e-11 * abs(value)).all()


def test_a_chain_of_spherical_spins_without_a_field_is_known() -> None:
    """1 = ½ (μ² − β²)^(−½), so that ⟨E⟩ = β/(½ + μ) and Var M = 1/2Δ."""
    beta = 0.7
    mu = np.sqrt(beta**2 + 0.25)
    found = at(1, beta, 0.0)
    assert found.mean[0, 0] == pytest.approx(beta / (0.5 + mu), rel=1e-14)
    assert found.second[1, 1, 0] == pytest.approx(1 / (2 * (mu - beta)), rel=1e-14)


def test_odd_cumulants_vanish_without_a_field() -> None:
    found = at(3, 0.2, 0.0)
    for tensor, error in zip(found[:3], found.errors, strict=True):
        odd = np.indices(tensor.shape[:-1]).sum(0) % 2 == 1
        assert (tensor[odd] == 0).all()
        assert (error[odd] == 0).all()


def test_the_field_may_point_down() -> None:
    up, down = at(2, 0.25, 0.1), at(2, 0.25, -0.1)
    sign = (-1.0) ** np.indices((2, 2, 2)).sum(0)
    np.testing.assert_array_equal(down.third[..., 0], sign * up.third[..., 0])


def test_three_dimensions_have_a_transition() -> None:
    """The susceptibility grows like the square of 1/(β_c − β), and beyond β_c the spins condense."""
    near, nearer = (at(3, CRITICAL_SPHERICAL * (1 - off), 0.0).second[1, 1, 0] for off in (2e-4, 1e-4))
    assert nearer / near == pytest.approx(4, rel=0.01)
    beyond = at(3, CRITICAL_SPHERICAL * (1 + 1e-6), 0.0)
    assert np.isnan(beyond.second).all()
    assert np.isinf(beyond.errors[1]).all()


def test_where_spins_condense_there_is_no_number_without_a_word() -> None:
    with pytest.warns(ig.StatusWarning):
        found = ig.models.spherical_model(3).evaluate({"beta": [0.2, 0.3], "h": 0})
    assert found.status.values.tolist() == [0, 5]


def test_verify_agrees() -> None:
    assert ig.verify(ig.models.spherical_model(2), [[0.2, 0.1]]).agree


def test_no_other_number_of_dimensions_is_known() -> None:
    with pytest.raises(ValueError, match="d must be at most 3, got 4"):
        ig.models.spherical_model(4)
