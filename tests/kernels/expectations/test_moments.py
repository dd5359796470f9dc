"""Moments at many points at once, against what they are when written out."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pytest

from infogeom.kernels.expectations.moments import moments, sums_of_products

Array = np.ndarray[Any, np.dtype[Any]]
POINTS, NODES = 3, 5


def places(n: int, rank: int) -> Array:
    """Where the derivatives of one order stand, shape (n,)*rank, when each is listed once, indices ascending."""
    found = np.empty((n,) * rank, dtype=np.int64)
    listed = {along: k for k, along in enumerate(combinations_with_replacement(range(n), rank))}
    for index in np.ndindex(found.shape):
        found[index] = listed[tuple(sorted(index))]
    return found


def derivatives_at(n: int) -> tuple[Array, Array, Array, Array]:
    """Those of up to third order at nodes, and weights."""
    rng = np.random.default_rng(n)
    s, h, t = (rng.normal(size=(POINTS, places(n, rank).max() + 1, NODES))[:, places(n, rank)] for rank in (1, 2, 3))
    return s, h, t, rng.uniform(size=(POINTS, NODES))


def found(s: Array, h: Array, w: Array) -> tuple[Array, ...]:
    i, j = np.triu_indices(s.shape[1])
    derivatives = np.concatenate([s, h[:, i, j]], axis=1)
    _, gram, _ = sums_of_products(derivatives, w, s.shape[1], 0.0)
    return moments(gram, s.shape[1])


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_metric_and_its_derivative_are_means_of_products_of_derivatives(n: int) -> None:
    s, h, _, w = derivatives_at(n)
    g, dg, _ = found(s, h, w)
    one = np.einsum("mx,mikx,mjx->mijk", w, h, s)
    right = one + one.swapaxes(1, 2) + np.einsum("mx,mix,mjx,mkx->mijk", w, s, s, s)
    assert g == pytest.approx(np.einsum("mx,mix,mjx->mij", w, s, s), rel=1e-13, abs=1e-13)
    assert dg == pytest.approx(right, rel=1e-13, abs=1e-13)
    assert (g == g.swapaxes(1, 2)).all()


@pytest.mark.parametrize("n", [2, 3])
def test_third_derivatives_cancel_in_the_riemann_tensor(n: int) -> None:
    s, h, t, w = derivatives_at(n)
    # E[D_l D_k (s_i s_j)] with D_k f = ∂_k f + f s_k, by the product rule.
    once = np.einsum("mikx,mjx->mijkx", h, s) + np.einsum("mix,mjkx->mijkx", s, h)
    once += np.einsum("mix,mjx,mkx->mijkx", s, s, s)
    twice = np.einsum("miklx,mjx->mijklx", t, s) + np.einsum("mikx,mjlx->mijklx", h, h)
    twice += np.einsum("mijx,mklx->mijklx", np.einsum("mix,mjx->mijx", s, s), h) / 2
    twice += np.einsum("milx,mjx,mkx->mijklx", h, s, s)
    twice = twice + twice.swapaxes(1, 2) + np.einsum("mijkx,mlx->mijklx", once, s)
    full = np.einsum("mx,mijklx->mijkl", w, twice)

    def curving(ddg: Array) -> Array:
        """What the Riemann tensor holds of them, R_abcd by ∂_b ∂_c g_ad and the like."""
        one = ddg.transpose(0, 1, 3, 4, 2)
        return one + one.transpose(0, 2, 1, 4, 3) - one.swapaxes(3, 4) - one.swapaxes(1, 2)

    assert curving(found(s, h, w)[2]) == pytest.approx(curving(full), rel=1e-12, abs=1e-12)
    assert abs(curving(full)).max() > 1
    assert abs(found(s, h, w)[2] - full).max() > 1


def test_first_derivatives_make_a_metric_alone() -> None:
    s, w = np.array([[[1.0, 2.0], [0.0, 1.0]]]), np.array([[0.5, 0.25]])
    _, gram, _ = sums_of_products(s, w, 2, 0.0)
    (g,) = moments(gram, 2)
    assert g[0].tolist() == [[1.5, 0.5], [0.5, 0.25]]
