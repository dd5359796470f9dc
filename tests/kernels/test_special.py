"""Special functions of compiled kernels against mpmath."""

from __future__ import annotations

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infogeom.kernels.special import polygamma
from tests.problems import EPS


@pytest.mark.parametrize("m", [0, 1, 2, 3, 4])
@given(x=st.floats(1e-3, 1e6))
def test_polygamma_agrees_with_mpmath(x: float, m: int) -> None:
    with mpmath.workdps(40):
        expected = float(mpmath.psi(m, mpmath.mpf(x)))
    # Up to 17 terms of the recurrence and 12 of the series; ψ itself cancels beside its zero at 1.46.
    scale = max(abs(expected), 1.0) if m == 0 else abs(expected)
    assert abs(polygamma(m, x) - expected) <= 40 * EPS * scale


@pytest.mark.parametrize("m", [0, 1, 2])
def test_the_recurrence_and_the_series_meet(m: int) -> None:
    with mpmath.workdps(40):
        for x in (11.999, 12.0, 12.001, 13.999, 14.0, 14.001):
            assert polygamma(m, x) == pytest.approx(float(mpmath.psi(m, mpmath.mpf(x))), rel=40 * EPS)
