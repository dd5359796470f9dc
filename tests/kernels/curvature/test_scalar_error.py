"""The bound on the error of R, alone: perturbed jets stay within it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature import loops
from infogeom.kernels.curvature.geometry import geometry
from tests import reference, strategies

Array = np.ndarray[Any, np.dtype[Any]]


def symmetric(array: Array) -> Array:
    """Symmetric in the first two indices, and in the last two of four."""
    array = array + array.swapaxes(0, 1)
    return array + array.swapaxes(2, 3) if array.ndim == 4 else array


def scalar(g: Array, dg: Array, ddg: Array) -> float:
    """R in 50 digits."""
    convert = np.vectorize(reference.context.convert, otypes=[object])
    return float(reference.curvature(reference.Jet(convert(g), convert(dg), convert(ddg))).scalar)


def bound(g: Array, dg: Array, ddg: Array, errors: tuple[Array, ...]) -> float:
    functions = compiled_module(loops)
    status = np.zeros(1, np.int8)
    jet = [np.ascontiguousarray(a[..., None]) for a in (g, dg, ddg)]
    given_errors = tuple(np.ascontiguousarray(a[..., None]) for a in errors)
    found = dict(
        geometry(
            jet[0],
            jet[1],
            jet[2],
            ("ricci_scalar",),
            lambda *arrays: functions["frame"](*arrays, status),
            functions,
            given_errors,
        )
    )
    return float(found["ricci_scalar_error"][0])


@pytest.mark.parametrize("part", ["g", "dg", "ddg"])
@pytest.mark.parametrize("signature", ["positive", "indefinite"])
@pytest.mark.parametrize("n", [2, 3])
@settings(max_examples=15)
@given(data=st.data(), size=st.sampled_from([1e-6, 1e-4, 1e-3]))
def test_a_perturbed_jet_moves_r_by_no_more_than_the_bound(
    n: int, signature: str, part: str, data: st.DataObject, size: float
) -> None:
    L = np.tril(data.draw(strategies.arrays(n, n)), -1) + np.diag(0.7 + abs(data.draw(strategies.arrays(n))))
    signs = np.ones(n) if signature == "positive" else np.where(np.arange(n) == 0, -1.0, 1.0)
    jet = {"g": L.T @ np.diag(signs) @ L}
    jet |= {name: symmetric(data.draw(strategies.arrays(*(n,) * rank))) for name, rank in (("dg", 3), ("ddg", 4))}
    error = size * symmetric(np.ones_like(jet[part]))
    direction = np.sign(symmetric(data.draw(strategies.arrays(*jet[part].shape))))
    errors = [error if name == part else np.zeros_like(jet[name]) for name in jet]
    most = bound(*jet.values(), (*errors, np.zeros(n + 1)))
    moved = {**jet, part: jet[part] + direction * error}
    off = abs(scalar(*moved.values()) - scalar(*jet.values()))
    assert most < 0 or off <= most * (1 + 1e-9) + 1e-12


@pytest.mark.parametrize("hessian", [True, False])
@settings(max_examples=20)
@given(data=st.data(), size=st.sampled_from([1e-6, 1e-3]))
def test_an_error_of_the_metric_alone_is_felt_through_each_part_of_the_jet(
    hessian: bool, data: st.DataObject, size: float
) -> None:
    # R = 2 K in two dimensions: a Hessian metric has it from ∂g alone, one at a point where ∂g = 0 from ∂∂g alone.
    g = np.array([[2.0, 0.3], [0.3, 1.0]])
    T, none = data.draw(strategies.arrays(2, 2, 2)), np.zeros((0,) * 4)
    T = sum(T.transpose(p) for p in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)))
    ddg = none if hessian else symmetric(data.draw(strategies.arrays(2, 2, 2, 2)))
    dg = T if hessian else np.zeros_like(T)
    second = np.zeros((2,) * 4) if hessian else ddg
    most = bound(g, dg, ddg, (np.full((2, 2), size), np.zeros_like(T), np.zeros_like(ddg), np.zeros(3)))
    moved = scalar(g - size * np.array([[1, -1], [-1, 1]]), dg, second)
    assert abs(moved - scalar(g, dg, second)) <= most * (1 + 1e-9) + 1e-12


@settings(max_examples=20)
@given(data=st.data(), size=st.sampled_from([1e-6, 1e-3]))
def test_a_hessian_metric_is_bounded_by_half_its_derivative(data: st.DataObject, size: float) -> None:
    g = np.array([[2.0, 0.3], [0.3, 1.0]])
    T = data.draw(strategies.arrays(2, 2, 2))
    T = sum(T.transpose(p) for p in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)))
    none = np.zeros((0,) * 4)
    most = bound(g, T, none, (np.zeros((2, 2)), np.full((2, 2, 2), size), none, np.zeros(3)))
    flat = np.zeros((2,) * 4)
    for sign in (1, -1):
        assert abs(scalar(g, T + sign * size, flat) - scalar(g, T, flat)) <= most * (1 + 1e-9) + 1e-12
