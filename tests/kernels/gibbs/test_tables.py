"""Cumulants over tables of states, against sums in many digits."""

from __future__ import annotations

from itertools import pairwise, product

import hypothesis
import mpmath
import numpy as np
import pytest
from hypothesis import strategies as st

import infogeom as ig
from infogeom.kernels.gibbs.cumulants import PointCumulants, maker_of
from infogeom.models import Model

DIGITS = 60
integers = st.integers(-9, 9)


def exact(statistics: list[tuple[int, ...]], multiplicity: list[int], theta: tuple[float, ...]) -> list[np.ndarray]:
    """Mean, second and third cumulants, by the definition."""
    n = len(theta)
    with mpmath.workdps(DIGITS):
        weights = [m * mpmath.exp(mpmath.fdot(theta, t)) for m, t in zip(multiplicity, statistics, strict=True)]
        p = [w / mpmath.fsum(weights) for w in weights]
        mean = [mpmath.fdot(p, column) for column in zip(*statistics, strict=True)]
        found = [np.array(mean)]
        for rank in (2, 3):
            tensor = np.empty((n,) * rank, dtype=object)
            for at in np.ndindex(tensor.shape):
                terms = [q * mpmath.fprod(t[i] - mean[i] for i in at) for q, t in zip(p, statistics, strict=True)]
                tensor[at] = mpmath.fsum(terms)
            found.append(tensor)
    return found


def by_sums(model: Model, theta: tuple[float, ...]) -> PointCumulants:
    return maker_of(model.structure).cumulants(np.array([theta]))


@hypothesis.given(
    st.lists(st.tuples(integers, integers, st.integers(1, 10**30)), min_size=4, max_size=40),
    st.tuples(st.floats(-3, 3), st.floats(-3, 3)),
)
def test_cumulants_are_right_to_their_bounds(rows: list[tuple[int, int, int]], theta: tuple[float, float]) -> None:
    statistics, multiplicity = [row[:2] for row in rows], [row[2] for row in rows]
    found = by_sums(ig.models.from_states(statistics, ["a", "b"], multiplicity), theta)
    for value, error, true in zip(found[:3], found.errors, exact(statistics, multiplicity, theta), strict=True):
        off = np.abs(value[..., 0] - true).astype(float)
        assert (off <= 8 * error[..., 0]).all()  # a single entry: see `tensor_errors.SINGLE`
        assert (error[..., 0] <= 1e-9 * (1 + np.abs(value[..., 0]) + 20 ** value[..., 0].ndim)).all()


@hypothesis.given(
    st.lists(st.integers(1, 10**9), min_size=40, max_size=40),
    st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3),
)
def test_sums_by_groups_are_right_to_their_bounds(multiplicity: list[int], theta: list[float]) -> None:
    """Ten values of the first statistic in each of four groups that share the other two."""
    statistics = [(k * (a + 2) - b, a, a * b) for k in range(-5, 5) for a, b in product((-1, 2), (0, 3))]
    model = ig.models.from_states(statistics, ["a", "b", "c"], multiplicity)
    assert len(model.structure.statistics) == 40
    found = by_sums(model, tuple(theta))
    for value, error, true in zip(found[:3], found.errors, exact(statistics, multiplicity, theta), strict=True):
        off = np.abs(value[..., 0] - true).astype(float)
        assert (off <= 8 * error[..., 0]).all()  # a single entry: see `tensor_errors.SINGLE`
        assert (error[..., 0] <= 1e-11 * (1 + np.abs(value[..., 0]) + 20 ** value[..., 0].ndim)).all()


def test_sums_by_groups_are_the_same_in_whatever_order_points_come() -> None:
    statistics = list(product(range(12), range(3)))
    sums = maker_of(ig.models.from_states(statistics, ["a", "b"], range(1, 37)).structure)
    points = np.array(list(product((0.1, 0.2, -0.3), (0.0, 0.4))))
    order = np.array([3, 0, 5, 1, 4, 2])
    found, shuffled = sums.cumulants(points), sums.cumulants(points[order])
    for tensor, other in zip([*found[:3], *found.errors], [*shuffled[:3], *shuffled.errors], strict=True):
        assert (tensor[..., order] == other).all()


@hypothesis.given(st.lists(st.tuples(integers, integers), min_size=6, max_size=30, unique=True), st.floats(-2, 2))
def test_curvature_is_that_of_all_states(rows: list[tuple[int, int]], a: float) -> None:
    model = ig.models.from_states(rows, ["a", "b"])
    hypothesis.assume(np.linalg.matrix_rank(np.array(rows) - rows[0]) == 2)
    found = ig.evaluate_points(model, [[a, 0.5]], ["ricci_scalar"])
    _, g, dg = exact(rows, [1] * len(rows), (a, 0.5))
    with mpmath.workdps(DIGITS):
        E = np.array((mpmath.cholesky(mpmath.matrix(g.tolist())) ** -1).tolist())
        T = np.einsum("ai,bj,ck,ijk->abc", E, E, E, dg, optimize=True)
        trace = np.einsum("aab->b", T)
        R = ((T * T).sum() - (trace * trace).sum()) / 4
    assert abs(found.ricci_scalar.item() - R) <= found.ricci_scalar_error.item()
    assert found.status.item() in (0, 1)


@hypothesis.given(st.lists(st.tuples(integers, integers), min_size=6, max_size=30, unique=True), st.floats(-2, 2))
def test_curvature_in_a_frame_is_right_to_its_bound(rows: list[tuple[int, int]], a: float) -> None:
    hypothesis.assume(np.linalg.matrix_rank(np.array(rows) - rows[0]) == 2)
    model = ig.models.from_states(rows, ["a", "b"])
    (R,), (error,) = maker_of(model.structure).scalars(np.array([[a, 0.5]]))
    true = ig.evaluate_points(model, [[a, 0.5]], ["ricci_scalar"], rtol=3e-16)
    assert true.status.item() == 1
    assert not error < abs(R - true.ricci_scalar.item())  # also where nothing is known


@pytest.mark.parametrize(("spins", "point"), [(1000, (1.5, 0.3)), (10**6, (0.5, 0.1))])
def test_nearly_dependent_statistics_keep_their_curvature(spins: int, point: tuple[float, float]) -> None:
    """M² is all but a linear function of M where M hardly varies: R → −1 with corrections of 1/N."""
    found = ig.evaluate_points(ig.models.curie_weiss(spins), [point], ["ricci_scalar"])
    assert found.status.item() == 0
    assert found.ricci_scalar.item() == pytest.approx(-1, abs=30 / spins)


def test_equal_rows_are_one_row_of_all_their_multiplicity() -> None:
    states = [(sum(s), sum(a * b for a, b in pairwise(s))) for s in product((-1, 1), repeat=8)]
    all_of_them = ig.models.from_states(states, ["h", "beta"]).structure
    values = sorted(set(states))
    counted = [states.count(value) for value in values]
    assert all_of_them.statistics.tolist() == [list(value) for value in values]
    assert all_of_them.multiplicity.tolist() == counted


def test_multiplicities_of_any_size_stay_exact() -> None:
    model = ig.models.from_states([[0], [1], [1]], ["x"], [1, 2**400, 3])
    assert model.structure.multiplicity.tolist() == [1, 2**400 + 3]
    assert model.at(x=-400 * np.log(2)).metric.item() == pytest.approx(0.25, rel=1e-12)


def test_sums_of_large_multiplicities_do_not_wrap() -> None:
    model = ig.models.from_states([[0], [1], [1]], ["x"], np.array([1, 2**62, 2**62]))
    assert model.structure.multiplicity.tolist() == [1, 2**63]


def test_odd_cumulants_vanish_on_the_line_of_symmetry() -> None:
    states = [(a * b, a + b) for a, b in product((-2, -1, 0, 1, 2), repeat=2)]
    found = by_sums(ig.models.from_states(states, ["beta", "h"]), (0.3, 0.0))
    for tensor, error in zip(found[:3], found.errors, strict=True):
        for at in np.ndindex(tensor.shape[:-1]):
            assert (tensor[at] == 0).all() == (sum(at) % 2 == 1)
            assert (error[at] == 0).all() == (sum(at) % 2 == 1)


def test_no_symmetry_is_seen_where_multiplicities_differ() -> None:
    found = by_sums(ig.models.from_states([[-1], [0], [1]], ["h"], [1, 1, 2]), (0.0,))
    assert found.third.item() != 0


def test_dependent_statistics_are_singular_everywhere() -> None:
    model = ig.models.from_states([[1, 2, 3], [2, 4, 6], [0, 0, 1], [5, 10, 2]], ["a", "b", "c"])
    with pytest.warns(ig.StatusWarning):
        found = ig.evaluate_points(model, [[0.1, 0, 0.2]], ["metric_rank", "null_directions", "ricci_scalar"])
    assert found.status.item() == 2
    assert found.metric_rank.item() == 2
    assert np.abs(found.null_directions[0, 0].values @ [1, 2, 0]) < 1e-15


def test_bounds_count_every_rounding_of_an_exponent() -> None:
    """Where few rows have all the weight, roundings of their large exponents do not average out."""
    rng = np.random.default_rng(1037)
    statistics, multiplicity = rng.normal(size=(5, 2)), np.exp(20 * rng.normal(size=5))
    model = ig.models.from_states(statistics, ["a", "b"], multiplicity)
    for theta in 3 * rng.normal(size=(20, 2)):
        found = ig.evaluate_points(model, [theta], ["metric", "metric_error"], rtol=1.0)
        _, g, _ = exact(statistics.tolist(), multiplicity.tolist(), tuple(theta))
        assert (np.abs(found.metric.values[0] - g).astype(float) <= found.metric_error.values[0]).all()


def test_floats_are_taken_as_they_are() -> None:
    levels = [0.1, 0.7, 2.3]
    found = ig.models.from_energies(levels).evaluate({"beta": [1.5]}, ["metric", "christoffel"], rtol=3e-16)
    _, g, dg = exact([(-e,) for e in levels], [1] * 3, (1.5,))
    assert found.status.item() == 1
    assert found.metric.item() == float(g.item())
    assert found.christoffel.item() == float(dg.item() / g.item() / 2)
