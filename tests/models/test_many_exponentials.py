"""Log-partition functions that are logarithms of sums of many exponentials: sums over states, by numbers."""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom.functions import log_sum_exp
from infogeom.models import Model
from infogeom.symbolic import ExpectationError, numeric_metric
from infogeom.symbolic.structures import log_partition

a, b = sympy.symbols("a b", real=True)
nu = sympy.Symbol("nu", positive=True)
RNG = np.random.default_rng(5)
ROWS = RNG.integers(1, 9, (30, 3))
SLOPES, WEIGHTS = ROWS[:, :2], ROWS[:, 2]


def family(slopes: np.ndarray, weights: np.ndarray) -> Model:
    terms = [int(i) * a + int(j) * b + sympy.log(int(m)) for (i, j), m in zip(slopes, weights, strict=True)]
    return ig.models.exponential_family(log_sum_exp(*terms), [a, b])


def test_the_numbers_of_many_terms_are_moments_of_their_slopes() -> None:
    ds = ig.evaluate(family(SLOPES, WEIGHTS), {"a": [-0.5, 0.3], "b": [-0.2, 0.9]}, ["metric", "ricci_scalar"])
    assert set(np.unique(ds.status)) <= {0, 1}
    assert numeric_metric(family(SLOPES, WEIGHTS)).attributes["expectation"] == "sum"
    for x in (-0.5, 0.3):
        for y in (-0.2, 0.9):
            p = WEIGHTS * np.exp(SLOPES @ [x, y])
            centred = SLOPES - p @ SLOPES / p.sum()
            g = np.einsum("k,ki,kj->ij", p / p.sum(), centred, centred)
            T = np.einsum("k,ki,kj,kl->ijl", p / p.sum(), centred, centred, centred)
            inverse = np.linalg.inv(g)
            trace = np.einsum("ij,ijk->k", inverse, T)
            raised = np.einsum("ai,bj,ck,ijk->abc", inverse, inverse, inverse, T)
            at = ds.sel(a=x, b=y)
            np.testing.assert_allclose(at.metric, g, rtol=1e-13)
            assert at.ricci_scalar == pytest.approx(((T * raised).sum() - trace @ inverse @ trace) / 4, rel=1e-11)


def test_many_terms_are_not_written_out() -> None:
    with pytest.raises(ExpectationError, match="a sum over 30 states"):
        ig.metric(family(SLOPES, WEIGHTS))


def test_few_terms_and_weights_that_are_not_whole_stay_expressions() -> None:
    assert ig.metric(family(SLOPES[:3], WEIGHTS[:3])).matrix is not None
    irrational = log_sum_exp(*(k * a + sympy.Rational(k, 3) for k in range(10)))
    assert ig.metric(ig.models.exponential_family(irrational, [a])).matrix is not None


@cache
def typed() -> Model:
    """Conway–Maxwell–Poisson, cut off where nothing is left; the logarithms are no numbers of float64."""
    terms = [sympy.exp(n * a - nu * sympy.loggamma(n + 1).evalf(30)) for n in range(60)]
    return ig.models.exponential_family(sympy.log(sympy.Add(*terms)), [a, ig.models.Parameter(nu, None, (0.5, 2))])


def test_the_logarithm_of_a_long_sum_as_it_is_typed_is_taken_by_numbers() -> None:
    g = ig.models.conway_maxwell_poisson().metric().at(rate=np.exp(0.7), nu=1.5)
    J = np.diag([np.exp(0.7), 1.0])
    np.testing.assert_allclose(numeric_metric(typed()).at(a=0.7, nu=1.5), J @ g @ J, rtol=1e-13)


@pytest.mark.slow
def test_its_curvature_is_that_of_the_family() -> None:
    found = ig.evaluate_points(typed(), [[0.7, 1.5]])
    expected = ig.evaluate_points(ig.models.conway_maxwell_poisson(), [[np.exp(0.7), 1.5]])
    assert float(found.ricci_scalar[0]) == pytest.approx(float(expected.ricci_scalar[0]), rel=1e-10)
    assert int(found.status[0]) == 0


def test_exponents_that_are_not_linear_are_differentiated_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_partition, "EXPONENTIALS_WRITTEN_OUT", 2)  # more of these take minutes
    psi = log_sum_exp(*(n * a / 5 + n * sympy.exp(b) / 7 for n in range(3)))
    ds = ig.grid.evaluate_points(ig.models.exponential_family(psi, [a, b]), [[0.25, 0.125]], ["metric"])

    def value(x: Any, y: Any) -> Any:
        return mp.log(mp.fsum(mp.exp(n * x / 5 + n * mp.exp(y) / 7) for n in range(3)))

    orders = (((2, 0), (1, 1)), ((1, 1), (0, 2)))
    with mp.workdps(30):
        right = [[float(mp.diff(value, (0.25, 0.125), at)) for at in row] for row in orders]
    np.testing.assert_allclose(ds.metric.values[0], right, rtol=1e-12)
