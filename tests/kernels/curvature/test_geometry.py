"""Geometry from jets that leave float64 on the way."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature import loops
from infogeom.kernels.curvature.geometry import geometry
from infogeom.kernels.curvature.tensor_errors import SINGLE


def test_curvatures_beyond_float64_that_cancel_are_nan_without_a_warning_of_numpys() -> None:
    g, dg, ddg = np.eye(3)[:, :, None], np.zeros((3, 3, 3, 1)), np.zeros((3, 3, 3, 3, 1))
    for i, size in ((1, 1.7e308), (2, -1.7e308)):  # two sectional curvatures at (0, 0): −∞ and ∞
        ddg[i, i, 0, 0] = ddg[0, 0, i, i] = size
    kernels, flags = compiled_module(loops), np.zeros(1, np.int8)

    def frame(*arrays: object) -> None:
        kernels["frame"](*arrays, flags)

    found = dict(geometry(g, dg, ddg, ["ricci"], frame, kernels))
    assert np.isnan(found["ricci"][0, 0]).all()


@pytest.mark.parametrize("n", [2, 3, 4])
def test_inverse_and_determinant_of_any_exact_matrix_are_right_to_their_bounds(n: int) -> None:
    rng, m = np.random.default_rng(n), 300
    g = rng.normal(size=(n, n, m)) * 10.0 ** rng.uniform(-8, 8, (n, n, m))
    g = np.where(rng.uniform(size=g.shape) < 0.2, 0.0, g)
    g = g + g.transpose(1, 0, 2)
    kernels, flags = compiled_module(loops), np.zeros(m, np.int8)
    exact = (*(np.zeros((n,) * rank + (m,)) for rank in (2, 3, 4)), np.zeros((n + 1, m)))

    def frame(*arrays: object) -> None:
        kernels["frame"](*arrays, flags)

    nothing = np.empty((0,) * 4), np.empty((0,) * 5)
    with np.errstate(all="ignore"):  # at points that are flagged
        found = dict(geometry(g, *nothing, ["inverse_metric", "determinant"], frame, kernels, exact, share=SINGLE))
    known = np.flatnonzero((flags == 0) & (found["sound"] > 0))
    assert len(known) > m / 3
    for k in known:
        matrix = sympy.Matrix(n, n, [sympy.Rational(x) for x in g[..., k].ravel()])
        determinant = matrix.det()
        inverse = matrix.adjugate() / determinant
        assert abs(determinant - sympy.Rational(found["determinant"][k])) <= 2 * found["determinant_error"][k]
        for i, j in np.ndindex(n, n):
            off = abs(inverse[i, j] - sympy.Rational(found["inverse_metric"][i, j, k]))
            assert off <= 2 * found["inverse_metric_error"][i, j, k]
