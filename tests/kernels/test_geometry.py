"""Geometry from jets that leave float64 on the way."""

from __future__ import annotations

import numpy as np

from infogeom.kernels import curvature
from infogeom.kernels.compile import compiled_module
from infogeom.kernels.geometry import geometry


def test_curvatures_beyond_float64_that_cancel_are_nan_without_a_warning_of_numpys() -> None:
    g, dg, ddg = np.eye(3)[:, :, None], np.zeros((3, 3, 3, 1)), np.zeros((3, 3, 3, 3, 1))
    for i, size in ((1, 1.7e308), (2, -1.7e308)):  # two sectional curvatures at (0, 0): −∞ and ∞
        ddg[i, i, 0, 0] = ddg[0, 0, i, i] = size
    kernels, flags = compiled_module(curvature), np.zeros(1, np.int8)

    def frame(*arrays: object) -> None:
        kernels["frame"](*arrays, flags)

    found = dict(geometry(g, dg, ddg, ["ricci"], frame, kernels))
    assert np.isnan(found["ricci"][0, 0]).all()
