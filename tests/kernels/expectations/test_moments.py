"""Moments at many points at once, against what they are when written out."""

from __future__ import annotations

import numpy as np
import pytest

from infogeom.kernels.expectations.moments import moments
from tests.kernels.expectations.test_moment_errors import DERIVATIVES, NODES
from tests.kernels.expectations.test_moment_errors import moments as written_out


@pytest.mark.parametrize("n", DERIVATIVES)
def test_moments_are_means_of_products_of_derivatives(n: int) -> None:
    rng = np.random.default_rng(n)
    derivatives, w = rng.normal(size=(3, DERIVATIVES[n], NODES)), rng.uniform(size=(3, NODES))
    found = moments(derivatives, w, n)
    for k in range(3):
        for tensor, right in zip(found, written_out(derivatives[k], w[k], n), strict=True):
            assert tensor[k] == pytest.approx(right, rel=1e-13, abs=1e-13)


def test_first_derivatives_make_a_metric_alone() -> None:
    s, w = np.array([[[1.0, 2.0], [0.0, 1.0]]]), np.array([[0.5, 0.25]])
    (g,) = moments(s, w, 2)
    assert g[0].tolist() == [[1.5, 0.5], [0.5, 0.25]]
