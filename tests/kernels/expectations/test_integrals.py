"""Integrals in balls: laws whose metrics are known, taken by numbers, are right to the last digit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import sympy
from sympy import Interval, Symbol, log, oo

import infogeom as ig
from infogeom.kernels.expectations.sums import exact_sums
from infogeom.kernels.status import Status
from infogeom.models import Model, Parameter
from infogeom.models.law import Law
from infogeom.symbolic import Expectation

x, m = sympy.symbols("x m", real=True)
a, b, s = sympy.symbols("a b s", positive=True)
NORMAL = -((x - m) ** 2) / (2 * s**2) - log(s) - log(2 * sympy.pi) / 2
CAUCHY = log(s) - log(s**2 + (x - m) ** 2) - log(sympy.pi)
BETA = (a - 1) * log(x) + (b - 1) * log(1 - x) - sympy.loggamma(a) - sympy.loggamma(b) + sympy.loggamma(a + b)


def of_beta(a: Any, b: Any) -> Any:
    off = -mp.psi(1, a + b)
    return [[mp.psi(1, a) + off, off], [off, mp.psi(1, b) + off]]


#: Density, parameters, support, a point, and the metric there.
LAWS: dict[str, tuple[Any, Sequence[Symbol], Interval, Sequence[float], Callable[..., Any]]] = {
    "light tails": (NORMAL, [m, s], sympy.S.Reals, [-3, 0.25], lambda _, s: np.diag([1 / s**2, 2 / s**2])),
    "power tails": (CAUCHY, [m, s], sympy.S.Reals, [0.3, 40], lambda _, s: np.diag([1 / (2 * s**2)] * 2)),
    "two ends": (BETA, [a, b], Interval.open(0, 1), [0.125, 3.5], of_beta),
    "one end": (log(a) - a * (x - 2), [a], Interval.open(2, oo), [0.75], lambda a: [[1 / a**2]]),
    "an end above": (log(a) + a * x, [a], Interval.open(-oo, 0), [5.0], lambda a: [[1 / a**2]]),
    "a kink": (log(a) - log(2) - a * sympy.Abs(x - 1), [a], sympy.S.Reals, [1.5], lambda a: [[1 / a**2]]),
}


@pytest.mark.parametrize("name", LAWS)
def test_a_known_metric_is_found_to_the_last_digit(name: str) -> None:
    density, parameters, support, at, metric = LAWS[name]
    model = Model(name, [Parameter(p) for p in parameters], density, x, support, budget=0)
    ds = ig.grid.evaluate_points(model, [at], ["metric", "metric_error"], rtol=2.3e-16)
    with mp.workdps(40):
        right = np.array(metric(*map(mp.mpf, at)), dtype=object).astype(float)
    assert ds.status.item() == Status.REFINED
    np.testing.assert_allclose(ds.metric.values[0], right, rtol=2e-16, atol=0)
    assert (ds.metric_error.values[0] <= 1.2e-16 * np.abs(right) + 1e-90).all()


@pytest.mark.parametrize("name", LAWS)
def test_float64_finds_it_to_its_bound(name: str) -> None:
    density, parameters, support, at, metric = LAWS[name]
    model = Model(name, [Parameter(p) for p in parameters], density, x, support, budget=0)
    ds = ig.grid.evaluate_points(model, [at], ["metric", "metric_error"], max_refined=0)
    with mp.workdps(40):
        right = np.array(metric(*map(mp.mpf, at)), dtype=object).astype(float)
    assert ds.status.item() == Status.OK
    assert (np.abs(ds.metric.values[0] - right) <= ds.metric_error.values[0]).all()


@pytest.mark.parametrize(
    "point", [[0.2931, 2.1373, 0.1371, -2.4629, 0.4931], [0.7288, 3.8824, 0.6956, -3.8615, 0.3474]]
)
def test_a_faint_part_that_converges_late_is_in_the_bound(point: list[float]) -> None:
    # Where the two are as likely as each other the scores turn: a narrow part, of which the metric holds 1e-10.
    mu, sigma = Symbol("mu2", real=True), Symbol("sigma2", positive=True)
    other = ig.models.reparametrise(ig.models.normal(), {"mu": mu, "sigma": sigma}, [mu, sigma])
    model, asked = ig.models.mixture([ig.models.normal(), other]), ["ricci_scalar", "ricci_scalar_error"]
    ds = ig.grid.evaluate_points(model, [point], asked, max_refined=0)
    exact = ig.grid.evaluate_points(model, [point], asked, rtol=2.3e-16)
    assert (ds.status.item(), exact.status.item()) == (Status.OK, Status.REFINED)
    assert abs(ds.ricci_scalar - exact.ricci_scalar).item() <= ds.ricci_scalar_error.item()


def test_curvature_is_refined_where_float64_loses_it() -> None:
    point = [[0, 1, 0.05]]  # towards 0 the metric becomes singular
    loose = ig.grid.evaluate_points(ig.models.skew_normal(), point, ["ricci_scalar", "ricci_scalar_error"], rtol=1e-4)
    ds = ig.grid.evaluate_points(ig.models.skew_normal(), point, ["ricci_scalar", "ricci_scalar_error"])
    assert (loose.status.item(), ds.status.item()) == (Status.OK, Status.REFINED)
    # By quadrature of the metric in 60 digits and differences of it.
    assert ds.ricci_scalar.item() == pytest.approx(1273.729142371814, rel=1e-15)
    assert abs(loose.ricci_scalar.item() - ds.ricci_scalar.item()) <= loose.ricci_scalar_error.item()


@pytest.mark.parametrize("kink", [m, sympy.sqrt(2), sympy.Rational(1, 3)])
def test_a_kink_that_is_no_number_of_float64_has_no_balls(kink: sympy.Expr) -> None:
    law = Law(log(a) - log(2) - a * sympy.Abs(x - kink), (x,), (sympy.S.Reals,))
    assert exact_sums(Expectation([law]), (m, a)) is None
