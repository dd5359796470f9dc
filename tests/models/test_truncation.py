"""Laws between two bounds, against quadrature of the definition in 30 digits."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from mpmath import mpf

import infogeom as ig


def metric_of_normal(mu: float, sigma: float, low: float, high: float) -> Any:
    """Covariance of z and z² over σ² (z² for ½ z² twice over), by quadrature, 90 widths far."""
    with mpmath.workdps(40):
        m, s = mpf(mu), mpf(sigma)
        start, scale = mpf(low), s / (1 + max(0, (mpf(low) - m) / s))
        end = min(mpf(high), max(start, m) + 90 * scale)
        places = mpmath.linspace(start, end, 60)
        moment = [mpmath.quad(lambda x, k=k: ((x - m) / s) ** k * mpmath.npdf((x - m) / s), places) for k in range(5)]
        mean = [value / moment[0] for value in moment]
        covariance = [[mean[i + j] - mean[i] * mean[j] for j in (1, 2)] for i in (1, 2)]
        return np.array([[float(entry / s**2) for entry in row] for row in covariance])


@pytest.mark.parametrize(
    ("low", "high", "mu", "sigma"), [(0.0, np.inf, -30.0, 1.0), (0.0, 3.0, 1.0, 1.0), (0.0, 3.0, -3.0, 1.5)]
)
def test_a_normal_law_between_bounds_has_the_covariance_of_its_scores(
    low: float, high: float, mu: float, sigma: float
) -> None:
    law = ig.models.truncated_normal(low, sympy.oo if np.isinf(high) else high)
    ds = ig.grid.evaluate_points(law, [[mu, sigma]], ["metric"])
    assert ds.metric.values[0] == pytest.approx(metric_of_normal(mu, sigma, low, high), rel=1e-9)
    assert int(ds.status[0]) in (0, 1)


def test_a_bound_from_above_is_one_from_below_seen_in_a_mirror() -> None:
    above = ig.models.truncated_normal(-sympy.oo, 1).at(mu=0.4, sigma=0.7).metric
    below = ig.models.truncated_normal(-1, sympy.oo).at(mu=-0.4, sigma=0.7).metric
    assert above == pytest.approx(below * [[1, -1], [-1, 1]], rel=1e-12)


def test_a_truncated_lifetime_keeps_its_digits_where_it_hardly_falls() -> None:
    # Uniform on (0, 1) at rate 0, of variance 1/12.
    law = ig.models.truncated(ig.models.exponential(), 0, 1)
    ds = ig.grid.evaluate_points(law, [[1e-9]], ["metric"])
    assert ds.metric.item() == pytest.approx(1 / 12, rel=1e-14)
    assert int(ds.status[0]) == 0


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((ig.models.exponential(), 2, 1), "low must be below high, got 2 and 1"),
        ((ig.models.exponential(), -1), "must cut something off the support"),
        ((ig.models.exponential(), -3, -1), "must cut something off the support"),
        ((ig.models.gamma(), 1), "no survival function was found"),
        ((ig.models.poisson(), 1), "one continuous variable"),
    ],
)
def test_bounds_that_are_none_are_refused_by_name(arguments: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        ig.models.truncated(*arguments)
