"""Hypothesis strategies: points from a model's own declaration, data sets and coefficients, never expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

import infogeom as ig

Array = np.ndarray[Any, np.dtype[Any]]
#: Numbers come from a mesh of this many steps over their range: no subnormal ones, which test nothing here.
STEPS = 2**12


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """A number of a closed range."""
    return st.integers(0, STEPS).map(lambda k: low + (high - low) * k / STEPS)


def points(ranges: Sequence[tuple[float, float]], count: int = 4) -> st.SearchStrategy[Array]:
    """Several points of a box, shape (count, n)."""
    one = st.tuples(*(numbers(low, high) for low, high in ranges))
    return st.lists(one, min_size=count, max_size=count).map(lambda rows: np.array(rows, dtype=float))


def points_of(model: ig.models.Model, count: int = 4) -> st.SearchStrategy[Array]:
    """Several points of the typical ranges that a model declares."""
    return points([p.typical for p in model.parameters], count)


@st.composite
def data_sets(draw: st.DrawFn, columns: int = 2, sizes: tuple[int, int] = (3, 10)) -> tuple[Array, Array, Array]:
    """Inputs (N, columns) of a cube around 0, targets 0 or 1, and positive weights, in general position."""
    n = draw(st.integers(*sizes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.uniform(-1, 1, (n, columns)), rng.integers(0, 2, n), rng.uniform(0.2, 2, n)


def coefficients(count: int, size: float = 0.5) -> st.SearchStrategy[list[float]]:
    """Coefficients of a reparametrisation."""
    return st.lists(numbers(-size, size), min_size=count, max_size=count)


@st.composite
def arrays(draw: st.DrawFn, *shape: int) -> Array:
    """Array of numbers between −1 and 1."""
    size = int(np.prod(shape))
    return np.array(draw(st.lists(numbers(-1, 1), min_size=size, max_size=size))).reshape(shape)
