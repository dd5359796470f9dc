"""Ideal quantum gases: against integrals of their occupation numbers, classical and where they condense."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import infogeom as ig
from infogeom.models import Model

GASES: dict[str, tuple[Callable[[int], Model], int]] = {
    "bose_gas": (ig.models.bose_gas, -1),
    "fermi_gas": (ig.models.fermi_gas, 1),
}
RTOL, BETA = 1e-9, 1.3
#: Classical to condensed, or to degenerate.
GAMMAS = {"bose_gas": (-50.0, -6.0, -0.7, -1e-6), "fermi_gas": (-50.0, -3.0, 0.0, 9.0, 50.0)}
#: The same for all, so that kernels are compiled once.
QUANTITIES = ["metric", "metric_error", "ricci_scalar"]
#: Of the references; where gases are classical R keeps 35 of them.
DIGITS = 60
slow = pytest.mark.slow
#: All but one take as long again.
OTHERS = [("fermi_gas", 3), ("bose_gas", 1), ("bose_gas", 2), ("fermi_gas", 1), ("fermi_gas", 2)]
cases = pytest.mark.parametrize(("name", "d"), [("bose_gas", 3), *(pytest.param(*case, marks=slow) for case in OTHERS)])
pytestmark = pytest.mark.timeout(600)


@cache
def model(name: str, d: int) -> Model:
    return GASES[name][0](d)


def moments(sign: int, d: int, beta: Any, gamma: Any) -> tuple[list[Any], list[Any]]:
    """Integrals of ε^k n′ and ε^k n″ over states of energy ε = u², n = 1 / (e^(βε − γ) ± 1) their occupation."""
    edge = mpmath.sqrt(abs(gamma) / beta) + mpmath.mpf(10) ** -8
    width = 1 / (1 + edge)
    ends = sorted({edge, edge + width, edge + 8, *(edge / 10**k for k in range(1, 4)), max(edge - width, edge / 2)})

    def integral(k: int, order: int) -> Any:
        def at(u: Any) -> Any:
            power = mpmath.exp(gamma - beta * u * u)
            n = power / (1 + sign * power)
            slope = n * (1 - sign * n)
            value = slope if order == 1 else slope * (1 - 2 * sign * n)
            return 2 * u ** (d - 1 + 2 * k) * value

        return mpmath.quad(at, [0, *ends, mpmath.inf]) / mpmath.gamma(mpmath.mpf(d) / 2)

    return [integral(k, 1) for k in range(3)], [integral(k, 2) for k in range(4)]


@cache
def reference(name: str, d: int, gamma: float) -> tuple[Any, Any]:
    """Covariance of minus the energy and the number of particles, and R = ¼ (‖κ₃‖² − ‖tr κ₃‖²)."""
    with mpmath.workdps(DIGITS):
        second, third = moments(GASES[name][1], d, mpmath.mpf(BETA), mpmath.mpf(gamma))
        g, T = np.empty((2, 2), dtype=object), np.empty((2, 2, 2), dtype=object)
        for index in np.ndindex(2, 2):
            k = index.count(0)
            g[index] = (-1) ** k * second[k]
        for index in np.ndindex(2, 2, 2):
            k = index.count(0)
            T[index] = (-1) ** k * third[k]
        inverse = np.array((mpmath.matrix(g.tolist()) ** -1).tolist(), dtype=object)
        raised = np.einsum("ai,bj,ck,ijk->abc", inverse, inverse, inverse, T)
        trace = np.einsum("ij,ijk->k", inverse, T)
        return g, ((T * raised).sum() - trace @ inverse @ trace) / 4


def curvature(name: str, d: int, gammas: list[float]) -> Any:
    points = [(BETA, gamma) for gamma in gammas]
    return ig.evaluate_points(model(name, d), points, QUANTITIES).ricci_scalar.values


@cases
def test_metric_and_curvature_are_those_of_the_occupation_numbers(name: str, d: int) -> None:
    points = [(BETA, gamma) for gamma in GAMMAS[name]]
    ds = ig.evaluate_points(model(name, d), points, QUANTITIES)
    assert set(ds.status.values.tolist()) <= {0, 1}
    for k, gamma in enumerate(GAMMAS[name]):
        g, R = reference(name, d, gamma)
        own = ds.isel(point=k)
        with mpmath.workdps(DIGITS):
            assert (abs(own.metric.values - g) <= own.metric_error.values + 1e-20 * abs(g).max()).all()
            assert abs(own.ricci_scalar.item() - R) <= own.ricci_scalar_error.item() + 1e-14 * abs(R)
            assert own.ricci_scalar_error.item() <= RTOL * abs(R)


@cases
def test_curvature_has_the_sign_of_the_statistics_and_its_classical_limit(name: str, d: int) -> None:
    sign = -GASES[name][1]
    assert (sign * curvature(name, d, list(GAMMAS[name])) > 0).all()
    # The next term is e^γ by the first.
    limit = sign * (d + 2) / 4 * 2 ** (-d / 2 - 1) * BETA ** (d / 2)
    assert curvature(name, d, [-40.0, -300.0]) == pytest.approx([limit] * 2, rel=1e-15)


def test_a_classical_gas_is_flat_beside_its_density() -> None:
    # R counts per volume: R times the density is the curvature of so much of it as holds one particle.
    for gamma in (-10.0, -20.0):
        ds = ig.evaluate_points(model("bose_gas", 3), [(BETA, gamma)], QUANTITIES)
        assert 0 < (ds.ricci_scalar * ds.metric.sel(i="gamma", j="gamma")).item() < 0.3 * np.exp(gamma)


@pytest.mark.parametrize(("d", "exponent"), [(3, 0.5), pytest.param(1, 0.0, marks=slow)])
def test_where_bosons_condense_curvature_diverges_by_the_dimension(d: int, exponent: float) -> None:
    near, nearer = curvature("bose_gas", d, [-1e-9, -1e-13])
    assert np.log10(nearer / near) / 4 == pytest.approx(exponent, abs=1e-4)


@slow
def test_in_two_dimensions_curvature_diverges_as_a_logarithm() -> None:
    # β (L − 2 + …) / 4 ζ(2), L = −log |γ|, by the leading terms.
    R = curvature("bose_gas", 2, [-1e-20, -1e-40])
    assert np.diff(R) == pytest.approx(BETA * 20 * np.log(10) / (4 * np.pi**2 / 6), rel=1e-12)


@cases
def test_every_point_of_a_grid_is_good_to_its_tolerance(name: str, d: int) -> None:
    gamma = np.linspace(-4, -1e-6, 40) if name == "bose_gas" else np.linspace(-4, 12, 40)
    ds = ig.evaluate(model(name, d), {"beta": [0.1, 1, 30], "gamma": gamma}, QUANTITIES)
    assert set(np.unique(ds.status)) <= {0, 1}
    # g and R scale with powers of β.
    scaled = ds.ricci_scalar / ds.beta ** (d / 2)
    assert scaled.std("beta").values == pytest.approx(0, abs=2 * RTOL * float(abs(scaled).max()))


@pytest.mark.parametrize(("sign", "name"), [(1, "bose_gas"), pytest.param(-1, "fermi_gas", marks=slow)])
def test_a_gas_that_is_typed_is_the_same(sign: int, name: str) -> None:
    beta, gamma = (p.symbol for p in model(name, 3).parameters)
    psi = sign * sympy.polylog(sympy.Rational(5, 2), sign * sympy.exp(gamma)) / beta ** sympy.Rational(3, 2)
    typed = ig.models.exponential_family(psi, model(name, 3).parameters)
    assert typed.metric().matrix == model(name, 3).metric().matrix


@slow
@pytest.mark.parametrize("name", GASES)
def test_independent_routes_agree(name: str) -> None:
    assert ig.verify(model(name, 3), [[0.7, -0.4]]).agree


def test_gases_are_per_volume() -> None:
    assert model("bose_gas", 3).metric().attributes["per"] == "volume"


@pytest.mark.parametrize("name", GASES)
def test_bad_dimensions_are_named(name: str) -> None:
    for d in (0, 59, 2.5, "3"):
        with pytest.raises((TypeError, ValueError), match="d must be"):
            GASES[name][0](d)  # type: ignore[arg-type]


def test_beyond_the_pole_is_out_of_the_domain() -> None:
    with pytest.warns(ig.StatusWarning, match="1 out_of_domain"):
        ds = ig.evaluate_points(model("bose_gas", 3), [(1.0, 0.1), (1.0, -0.1)], QUANTITIES)
    assert ds.status.values.tolist() == [3, 0]
