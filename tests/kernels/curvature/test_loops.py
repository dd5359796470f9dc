"""Curvature from the jet of a metric, any jet, against 50 digits: positive and indefinite, one to four parameters.

The metric is a polynomial of degree two whose coefficients are data; at the origin its jet is those coefficients.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement as upper
from typing import Any

import numpy as np
import pytest
import sympy
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Matrix, Symbol

import infogeom as ig
from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.curvature import loops
from infogeom.models import Samples
from infogeom.symbolic import Metric
from tests import reference, strategies
from tests.problems import EPS, cancelling

Array = np.ndarray[Any, np.dtype[np.float64]]
EVERYTHING = ("metric", "inverse_metric", "determinant", "christoffel", "riemann", "ricci", "ricci_scalar")
#: Positive metrics of 1 to 3 parameters are evaluated by straight-line code, all others by loops.
SIZES = pytest.mark.parametrize("n", [1, 2, 3, pytest.param(4, marks=pytest.mark.slow)])
pytestmark = pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")


def curved(n: int) -> list[tuple[int, int]]:
    """Pairs k ≤ l with ∂_k ∂_l g ≠ 0: all up to three parameters, some of each kind for four, to compile less."""
    return list(upper(range(n), 2)) if n < 4 else [(0, 0), (0, 3), (1, 2), (2, 2)]


@cache
def polynomial(n: int) -> tuple[Metric, tuple[tuple[int, ...], ...]]:
    """Metric g_ij = a_ij + b_ijk x_k + ½ c_ijkl x_k x_l, and the index of each of its coefficients."""
    x = [Symbol(f"x{k}", real=True) for k in range(n)]
    pairs = list(upper(range(n), 2))
    along = curved(n)
    indices = [*pairs, *((*ij, k) for ij in pairs for k in range(n)), *((*ij, *kl) for ij in pairs for kl in along)]
    named = {index: Symbol("c_" + "".join(map(str, index)), real=True) for index in indices}

    def entry(i: int, j: int) -> Any:
        i, j = min(i, j), max(i, j)
        linear = [named[i, j, k] * x[k] for k in range(n)]
        square = [named[i, j, k, l] * x[k] * x[l] / (2 if k == l else 1) for k, l in along]
        return sympy.Add(named[i, j], *linear, *square)

    samples = Samples(tuple(named.values()), np.zeros((1, len(named))))
    return Metric(x, Matrix(n, n, entry), samples=samples), tuple(indices)


Jet = tuple[Array, Array, Array]


def evaluated(jet: Jet, **accuracy: Any) -> xr.Dataset:
    """Everything at the point that has this jet."""
    metric, indices = polynomial(len(jet[0]))
    row = [jet[len(index) - 2][index] for index in indices]
    metric = Metric(metric.coordinates, metric.matrix, samples=Samples(metric.samples.symbols, [row]))
    return ig.grid.evaluate_points(metric, np.zeros((1, len(jet[0]))), EVERYTHING, **accuracy).isel(point=0)


@st.composite
def jets(draw: st.DrawFn, n: int, signature: str = "positive") -> Jet:
    """A jet with no symmetry but those every metric has; g is Lᵀ diag(±1) L for a well-conditioned L."""
    L = np.tril(draw(strategies.arrays(n, n)), -1) + np.diag(0.5 + abs(draw(strategies.arrays(n))))
    signs = np.ones(n) if signature == "positive" else np.where(np.arange(n) == 0, -1.0, 1.0)
    g = L.T @ np.diag(signs) @ L
    dg, ddg = draw(strategies.arrays(n, n, n)), draw(strategies.arrays(n, n, n, n))
    dg, ddg = dg + dg.swapaxes(0, 1), ddg + ddg.swapaxes(0, 1)
    kept = np.zeros((n, n))
    for k, l in curved(n):
        kept[k, l] = kept[l, k] = 1
    return (g + g.T) / 2, dg, (ddg + ddg.swapaxes(2, 3)) * kept


def exact(jet: Jet) -> reference.Curvature:
    convert = np.vectorize(reference.context.convert, otypes=[object])
    return reference.curvature(reference.Jet(*map(convert, jet)))


def assert_right(jet: Jet) -> None:
    """Compare every tensor with 50 digits; errors are those of what cancels, amplified by the condition of g."""
    ds, expected = evaluated(jet, max_refined=0), exact(jet)
    g, dg, _ = jet
    inverse = expected.inverse.astype(float)
    norm, condition = np.linalg.norm(g, 2), np.linalg.cond(g)
    rounding = 100 * EPS * condition
    assert ds.status in (0, 5)  # 5 where little of R is left of what cancels
    assert abs(ds.inverse_metric.values - inverse).max() <= rounding * np.linalg.norm(inverse, 2)
    assert ds.determinant.item() == pytest.approx(np.linalg.det(g), rel=rounding)
    assert (
        abs(ds.christoffel.values - expected.christoffel.astype(float)).max()
        <= rounding * abs(inverse).max() * abs(dg).sum()
    )
    size = rounding * cancelling(*jet)  # R is g^jl g^im R_mjil: undoing a contraction costs a norm of g
    assert abs(ds.ricci_scalar.item() - float(expected.scalar)) <= size
    assert abs(ds.ricci.values - expected.ricci.astype(float)).max() <= size * norm
    assert abs(ds.riemann.values - expected.riemann.astype(float)).max() <= size * norm


@SIZES
@settings(max_examples=15)
@given(data=st.data())
def test_a_positive_metric_has_the_curvature_of_the_reference(data: st.DataObject, n: int) -> None:
    assert_right(data.draw(jets(n)))


@SIZES
@settings(max_examples=15)
@given(data=st.data())
def test_an_indefinite_metric_has_the_curvature_of_the_reference(data: st.DataObject, n: int) -> None:
    assert_right(data.draw(jets(n, "indefinite")))


#: Zeros on the diagonal: no pivot in the order of the coordinates, or none of the first two.
NULL = {
    "null pair": np.array([[0.0, 1], [1, 0]]),
    "nearly null pair": np.array([[1e-9, -2], [-2, 1e-9]]),
    "negative sum": np.array([[-0.1, 1], [1, -0.3]]),
    "one null direction": np.array([[0.0, 1], [1, -3]]),
    "null pair apart": np.array([[0.0, 0, 2], [0, 1, 0], [2, 0, 0]]),
    "all null": np.array([[0.0, 1, 1], [1, 0, 1], [1, 1, 0]]),
    "null pair after a pivot": np.array([[1.0, 1, 1], [1, 1, 3], [1, 3, 1]]),
    "two null pairs": np.array([[0.0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 3], [0, 0, 3, 0]]),
    "crossed null pairs": np.array([[0.0, 0, 1, 0], [0, 0, 0, 2], [1, 0, 0, 0.5], [0, 2, 0.5, 0]]),
}


@pytest.mark.parametrize("name", NULL)
@settings(max_examples=8)
@given(data=st.data())
def test_null_directions_among_the_coordinates_are_turned(data: st.DataObject, name: str) -> None:
    g = NULL[name]
    _, dg, ddg = data.draw(jets(len(g)))
    assert_right((g, dg, ddg))


@pytest.mark.parametrize("n", [1, 2, 3])
@settings(max_examples=10)
@given(data=st.data())
def test_a_hessian_jet_has_the_curvature_of_the_formula_without_second_derivatives(data: st.DataObject, n: int) -> None:
    g, dg, ddg = data.draw(jets(n))
    T = sum(dg.transpose(p) for p in ((0, 1, 2), (0, 2, 1), (1, 2, 0), (1, 0, 2), (2, 0, 1), (2, 1, 0))) / 6
    ddg = sum(
        ddg.transpose((0, *(1 + np.array(p))))
        for p in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    )
    ddg = sum(np.moveaxis(ddg, 0, k) for k in range(4))  # totally symmetric, so that it drops out
    inverse = np.linalg.inv(g)
    raised = np.einsum("abc,ai,bj,ck->ijk", T, inverse, inverse, inverse)
    trace = np.einsum("ij,ijk->k", inverse, T)
    R = (np.sum(raised * T) - trace @ inverse @ trace) / 4  # SCIENCE.md, Sec. 2
    assert abs(evaluated((g, T, ddg)).ricci_scalar.item() - R) <= 100 * EPS * np.linalg.cond(g) * cancelling(g, T, ddg)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_singular_metric_has_status_singular(n: int) -> None:
    g = np.ones((n, n)) + np.diag([0.0, 0, 1, 2][:n])
    ds = evaluated((g, np.ones((n, n, n)), np.ones((n,) * 4)))
    assert ds.status == 2
    assert np.isnan(ds.ricci_scalar)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_a_zero_metric_has_status_singular(n: int) -> None:
    assert evaluated((np.zeros((n, n)), np.ones((n, n, n)), np.ones((n,) * 4))).status == 2


def test_a_tiny_metric_is_not_singular() -> None:
    # What counts is a pivot's size next to its diagonal entry, so that units do not matter.
    ds = evaluated((1e-150 * np.eye(2), np.zeros((2, 2, 2)), np.zeros((2,) * 4)))
    assert ds.status in (0, 1)
    assert ds.ricci_scalar == 0


def test_units_of_different_size_do_not_make_a_metric_singular() -> None:
    assert evaluated((np.diag([1e-30, 1e30]), np.zeros((2, 2, 2)), np.zeros((2,) * 4))).status in (0, 1)


@pytest.mark.parametrize("n", [2, 4])
@pytest.mark.parametrize("excess", [EPS, 16 * EPS, 1000 * EPS])
def test_a_pivot_of_a_few_roundings_is_refined_and_not_taken_for_singular(n: int, excess: float) -> None:
    g, dg = np.eye(n), np.zeros((n,) * 3)
    g[:2, :2], dg[:2, :2, :2] = [[1, 1], [1, 1 + excess]], 1.0
    dg[1, 1, 0] = 3.0
    ds, expected = evaluated((g, dg, np.zeros((n,) * 4))), exact((g, dg, np.zeros((n,) * 4)))
    assert ds.status == 1
    assert ds.ricci_scalar.item() == pytest.approx(float(expected.scalar), rel=EPS, abs=0)
    assert ds.inverse_metric.values[0, 1] == pytest.approx(-1 / excess, rel=EPS, abs=0)


@given(st.integers(1, 6), st.integers(0, 3), st.integers(0, 3), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_a_contraction_at_a_point_has_the_bits_of_one_at_points(n: int, before: int, behind: int, seed: int) -> None:
    functions, rng = compiled_module(loops), np.random.default_rng(seed)
    tensor, matrix = rng.normal(size=(n**before, n, n**behind, 1)), rng.normal(size=(n, n, 1))
    found = {name: np.empty_like(tensor) for name in ("contract", "contract_at_point")}
    for name, target in found.items():
        functions[name](tensor, matrix, target)
    np.testing.assert_array_equal(found["contract_at_point"], found["contract"])
    right = np.einsum("aib,ic->acb", tensor[..., 0], matrix[..., 0])
    np.testing.assert_allclose(
        found["contract"][..., 0], right, atol=n**2 * EPS * abs(tensor).max() * abs(matrix).max()
    )
