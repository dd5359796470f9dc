"""Spin chains: against transfer matrices and enumerations in many digits, in the frozen corner too."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom.kernels.points.field import Field
from infogeom.models.log_partition import KnownHessian, natural_family
from infogeom.symbolic import ExpectationError

EPS = 2.0**-52
RTOL = 1e-9
#: Of the references; differences of such steps leave 40 of them, and frozen spins take half of these.
DIGITS, STEP = 100, mpmath.mpf(10) ** -20
SPINS = (-1, 1)

LogPartition = Callable[[Any, Any], Any]


def of_matrix(states: range | tuple[int, ...], weight: Callable[[Any, Any, int, int], Any]) -> LogPartition:
    """Logarithm of the largest eigenvalue of a transfer matrix with all states, given the exponent of a bond."""

    def psi(first: Any, second: Any) -> Any:
        rows = [[mpmath.exp(weight(first, second, s, t)) for t in states] for s in states]
        return mpmath.log(max(mpmath.eigsy(mpmath.matrix(rows), eigvals_only=True)))

    return psi


def of_ring(n: int) -> LogPartition:
    """Logarithm of the sum over all states of a ring of Ising spins."""
    statistics = []
    for s in product(SPINS, repeat=n):
        bonds = [s[k] * s[k - 1] for k in range(n)]
        statistics.append((sum(bonds), sum(s)))

    def psi(beta: Any, h: Any) -> Any:
        return mpmath.log(mpmath.fsum(mpmath.exp(beta * e + h * m) for e, m in statistics))

    return psi


def ising(beta: Any, h: Any, s: int, t: int) -> Any:
    return beta * s * t + h * (s + t) / 2


def potts(beta: Any, h: Any, s: int, t: int) -> Any:
    return beta * (s == t) + h * ((s == 0) + (t == 0)) / 2


def blume_capel(beta: Any, delta: Any, s: int, t: int) -> Any:
    return beta * s * t + delta * (s**2 + t**2) / 2


CASES: dict[str, tuple[Callable[[], ig.models.Model], LogPartition]] = {
    "ising_chain": (ig.models.ising_chain, of_matrix(SPINS, ising)),
    "potts_chain(2)": (lambda: ig.models.potts_chain(2), of_matrix(range(2), potts)),
    "potts_chain(5)": (lambda: ig.models.potts_chain(5), of_matrix(range(5), potts)),
    "blume_capel_chain": (ig.models.blume_capel_chain, of_matrix((-1, 0, 1), blume_capel)),
    "ising_ring(3)": (lambda: ig.models.ising_ring(3), of_ring(3)),
    "ising_ring(6)": (lambda: ig.models.ising_ring(6), of_ring(6)),
}
POINTS = [(0.3, 0.4), (1.2, -0.7), (0.01, 2.0), (2.5, 0.05), (3.0, 2.0), (0.9, 0.0)]


@cache
def model_of(name: str) -> ig.models.Model:
    """A chain, whose metric is derived once."""
    return CASES[name][0]()


def reference(psi: LogPartition, point: tuple[float, float]) -> tuple[Any, Any]:
    """Metric and R by central differences of a log-partition function."""
    with mpmath.workdps(DIGITS):
        at = {k: psi(point[0] + k[0] * STEP, point[1] + k[1] * STEP) for k in product(range(-2, 3), repeat=2)}
        cubic = {0: (0, 0, 1, 0, 0), 1: (0, -0.5, 0, 0.5, 0), 2: (0, 1, -2, 1, 0), 3: (-0.5, 1, 0, -1, 0.5)}

        def slope(i: int, j: int) -> Any:
            terms = [cubic[i][a + 2] * cubic[j][b + 2] * at[a, b] for a, b in at]
            return mpmath.fsum(terms) / STEP ** (i + j)

        g = mpmath.matrix([[slope(2, 0), slope(1, 1)], [slope(1, 1), slope(0, 2)]])
        T = np.empty((2, 2, 2), dtype=object)
        for index in product((0, 1), repeat=3):
            T[index] = slope(3 - sum(index), sum(index))
        inverse = np.array((g**-1).tolist(), dtype=object)
        raised = np.einsum("ai,bj,ck,ijk->abc", inverse, inverse, inverse, T)
        trace = np.einsum("ij,ijk->k", inverse, T)
        return np.array(g.tolist(), dtype=object), ((T * raised).sum() - trace @ inverse @ trace) / 4


def slow(*names: str) -> list[Any]:
    """Chains that take long."""
    return [pytest.param(name, marks=pytest.mark.slow) for name in names]


# Two Potts states are compared with an Ising spin below, and a long ring with a chain.
@pytest.mark.parametrize(
    "name",
    ["ising_chain", "blume_capel_chain", *slow("potts_chain(5)", "ising_ring(3)", "potts_chain(2)", "ising_ring(6)")],
)
def test_metric_and_curvature_are_those_of_the_sum_over_states(name: str) -> None:
    ds = ig.evaluate_points(model_of(name), POINTS, ["metric", "metric_error", "ricci_scalar"])
    assert set(ds.status.values.tolist()) <= {0, 1}
    for k, point in enumerate(POINTS):
        g, R = reference(CASES[name][1], point)
        own = ds.isel(point=k)
        assert (abs(own.metric.values - g) <= own.metric_error.values + 1e-20 * abs(g).max()).all()
        assert abs(own.ricci_scalar.item() - R) <= own.ricci_scalar_error.item() + mpmath.mpf(10) ** -14 * abs(R)
        assert own.ricci_scalar_error.item() <= RTOL * abs(R)


def test_every_point_of_the_ising_chain_is_good_to_its_error() -> None:
    beta, h = np.linspace(0.01, 3, 60), np.linspace(0, 2, 60)
    ds = ig.evaluate(model_of("ising_chain"), {"beta": beta, "h": h}, ["metric", "metric_error", "ricci_scalar"])
    assert set(np.unique(ds.status)) <= {0, 1}
    g, g_error = ds.metric.values, ds.metric_error.values
    R, R_error = ds.ricci_scalar.values, ds.ricci_scalar_error.values
    with mpmath.workdps(DIGITS):
        for i, j in product(range(60), repeat=2):
            b, field = mpmath.mpf(beta[i]), mpmath.mpf(h[j])
            x, C, S = mpmath.exp(-4 * b), mpmath.cosh(field), mpmath.sinh(field)
            D = mpmath.sqrt(S**2 + x)
            coupling = 4 * x * (2 * S**2 * (C + D) + x * C) / (D**3 * (C + D) ** 2)
            expected = np.array([[coupling, 2 * x * S / D**3], [2 * x * S / D**3, x * C / D**3]])
            assert (abs(g[i, j] - expected) <= g_error[i, j]).all()
            assert abs(R[i, j] - (1 + C / D)) <= R_error[i, j] <= RTOL * (1 + C / D)


def test_two_potts_states_are_an_ising_spin() -> None:
    one = ig.metric(model_of("potts_chain(2)")).at(beta=0.8, h=0.6)
    other = ig.metric(model_of("ising_chain")).at(beta=0.4, h=0.3)
    np.testing.assert_allclose(one, other / 4, rtol=100 * EPS)


def test_a_long_ring_is_so_many_sites_of_a_chain() -> None:
    ring, chain = (ig.metric(made).at(beta=0.5, h=0.2) for made in (ig.models.ising_ring(200), model_of("ising_chain")))
    np.testing.assert_allclose(ring / 200, chain, rtol=1e-12)


def test_known_curvature_goes_with_coordinates_copies_and_products() -> None:
    chain = model_of("ising_chain")
    beta, h = (p.symbol for p in chain.parameters)
    field, t = sympy.symbols("field", real=True), sympy.symbols("T", positive=True)
    moved = ig.models.reparametrise(chain, {beta: 1 / t, h: field / t}, [t, field])
    R = 1 + np.cosh(0.3) / np.sqrt(np.sinh(0.3) ** 2 + np.exp(-8.0))
    several = [(moved, [0.5, 0.15], R), (ig.models.replicate(chain, 7), [2.0, 0.3], R / 7)]
    several.append((ig.models.product(chain, moved), [2.0, 0.3, 0.5, 0.15], 2 * R))
    for model, point, expected in several:
        ds = ig.evaluate_points(model, [point], ["ricci_scalar"])
        assert model.metric().form.ricci_scalar is not None
        assert ds.ricci_scalar.item() == pytest.approx(expected, rel=100 * EPS)


def test_known_curvature_stands_beside_other_quantities_and_in_fields() -> None:
    point = [2.0, 0.3]
    ds = ig.evaluate_points(
        model_of("ising_chain"), [point], ["metric", "christoffel", "ricci_scalar", "log10_ricci_scalar"]
    )
    R = ds.ricci_scalar.item()
    assert ds.log10_ricci_scalar.item() == np.log10(R)
    for quantities in (["ricci_scalar"], ["metric", "ricci_scalar"]):
        assert Field(model_of("ising_chain"), quantities)(point)[-1] == pytest.approx(R, rel=1e-9)


@pytest.mark.parametrize("name", ["ising_chain", *slow("blume_capel_chain", "potts_chain(5)", "ising_ring(6)")])
def test_independent_routes_agree(name: str) -> None:
    assert ig.verify(model_of(name), [[0.7, 0.4]]).agree


def test_what_contradicts_the_log_partition_is_not_handed_out() -> None:
    chain = model_of("ising_chain")
    known = chain.structure
    for other in (
        KnownHessian(known.psi, known.hessian * 2, known.ricci_scalar),
        KnownHessian(known.psi, known.hessian, 1 + known.ricci_scalar),
    ):
        with pytest.raises(ExpectationError, match="contradict"):
            natural_family("wrong", chain.parameters, other).metric()


@pytest.mark.parametrize(("make", "argument"), [("ising_ring", 2), ("potts_chain", 1), ("ising_ring", 3.5)])
def test_bad_sizes_are_named(make: str, argument: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="must be"):
        getattr(ig.models, make)(argument)


def test_infinite_chains_are_per_site_and_rings_whole() -> None:
    assert model_of("ising_chain").metric().attributes["per"] == "site"
    assert "per" not in model_of("ising_ring(3)").metric().attributes
