"""Bounds on the errors of sums over nodes, alone: what derivatives and weights may err by leaves none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from infogeom.kernels.expectations.moment_errors import Bounds, Frame, moment_errors
from infogeom.kernels.expectations.moments import moments as what_is_needed
from infogeom.kernels.expectations.moments import sums_of_products
from infogeom.kernels.expectations.nodes import Sample, sample_of_outcomes, sample_of_rule

Array = np.ndarray[Any, np.dtype[Any]]
#: Nodes, how large errors are there, and the step of central differences.
NODES, SIZE, STEP = 5, 1e-9, 1e-4
#: What stands for outcomes that were left off.
LEFT_OUT = np.array([[2100.0]]), np.array([[1e-20]])
DERIVATIVES = {1: 1 + 1, 2: 2 + 3}  # of up to second order, by the number of parameters


def moments(derivatives: Array, w: Array, n: int) -> list[Array]:
    """g, ∂g and what curvature needs of ∂∂g."""
    _, gram, _ = sums_of_products(derivatives[None], w[None], n, 0.0)
    return [moment[0] for moment in what_is_needed(gram, n)]


def turned(tensor: Array, E: Array) -> Array:
    """Tensor with every index contracted with the first one of a matrix."""
    for axis in range(tensor.ndim):
        tensor = np.moveaxis(np.tensordot(tensor, E, (axis, 0)), -1, axis)
    return tensor


def worst(derivatives: Array, w: Array, errors: Array, w_error: Array, n: int) -> Bounds:
    """To first order the largest errors of g, and of g, ∂g and ∂∂g in the frame."""
    E = Frame(moments(derivatives, w, n)[0][None]).E[0]

    def quantities(values: Array) -> list[Array]:
        g, *higher = moments(values[:-1], values[-1], n)
        return [g, *(turned(moment, E) for moment in (g, *higher))]

    values, sizes = np.vstack([derivatives, w]), np.vstack([errors, w_error])
    total = [np.zeros_like(quantity) for quantity in quantities(values)]
    for index in zip(*np.nonzero(sizes), strict=True):
        step = np.zeros_like(values)
        step[index] = STEP
        for k, (a, b) in enumerate(zip(quantities(values + step), quantities(values - step), strict=True)):
            total[k] += np.abs(a - b) / (2 * STEP) * sizes[index]
    return Bounds(total[0], tuple(total[1:]))


def everything(rng: np.random.Generator, rows: int) -> Iterator[Array]:
    """Errors of all derivatives and of the weights at once."""
    for _ in range(3):
        yield SIZE * rng.uniform(0, 1, (rows + 1, NODES))


def one_at_a_time(rng: np.random.Generator, rows: int) -> Iterator[Array]:
    """Errors of one derivative, or of the weights, after the other."""
    for row in np.eye(rows + 1):
        yield SIZE * row[:, None] * rng.uniform(0, 1, (rows + 1, NODES))


@pytest.mark.parametrize("which", [everything, one_at_a_time])
@pytest.mark.parametrize(("n", "seed"), [(1, 0), (2, 0), (2, 1)])
def test_moments_err_by_no_more_than_their_bounds_and_not_far_less(
    n: int, seed: int, which: Callable[..., Iterator[Array]]
) -> None:
    rng = np.random.default_rng(seed)
    derivatives, w = rng.uniform(-1, 1, (DERIVATIVES[n], NODES)), rng.uniform(0.1, 1, NODES)
    frame = Frame(moments(derivatives, w, n)[0][None])
    for errors in which(rng, len(derivatives)):
        true = worst(derivatives, w, errors[:-1], errors[-1], n)
        none = np.zeros((1, NODES))  # in the place of ℓ
        values = np.concatenate([derivatives, none, errors[:-1], none])
        found = moment_errors(values[None], w[None], errors[None, -1].copy(), frame)
        for (most,), off in zip((found.metric, *found.framed), (true.metric, *true.framed), strict=True):
            assert (off <= most * (1 + 1e-6) + 1e-6 * SIZE * off.max()).all()
            assert most.max() <= 8 * off.max() + 1e-6 * SIZE


def stands_for_all(x: Array, w: Array, sample: Sample) -> None:
    inside = sample.counts[0] & ~sample.beyond[0]
    assert inside.sum() < 200
    for power in range(3):
        mean = sample.w[0, inside] @ sample.x[0, inside] ** power
        assert mean == pytest.approx(w @ x**power, rel=1e-4)


def test_nodes_that_are_looked_at_stand_for_all() -> None:
    x = np.linspace(0, 2000, 1921)
    w = np.exp(-(((x - 900) / 200) ** 2))
    w[:10] = 0.0  # these are not there
    w /= w.sum()
    stands_for_all(x, w, sample_of_rule(x[None], w[None]))


def test_outcomes_that_are_looked_at_stand_for_all() -> None:
    x = np.arange(2000.0)
    w = np.exp(-(((x - 900) / 200) ** 2))
    w[[0, 3, -1]] = 20.0  # the first and the last stand for none but themselves
    w /= w.sum()
    stands_for_all(x, w, sample_of_outcomes(x[None], w[None], *LEFT_OUT))


def test_what_was_left_off_stands_for_itself() -> None:
    x = np.arange(2000.0)
    sample = sample_of_outcomes(x[None], np.full((1, 2000), 1 / 2000), *LEFT_OUT)
    assert sample.x[sample.beyond].tolist() == [2100.0]
    assert sample.w[sample.beyond].tolist() == [1e-20]
