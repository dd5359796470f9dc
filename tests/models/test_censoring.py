"""Observations that end at a known time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from mpmath import mp, mpf

import infogeom as ig
from infogeom.kernels.status import Status
from infogeom.models import Model, from_density
from tests.law_reference import curvature_of

EXPONENTIAL = ig.models.exponential()
x, rate = sympy.symbols("x rate", positive=True)


def information(log_f: Callable[..., Any], log_s: Callable[..., Any], at: float, low: float = 0) -> Callable[..., Any]:
    """∫ p s sᵀ up to a time, and S ∂log S ∂log Sᵀ beyond it."""
    h = mpf(10) ** -12

    def metric(*theta: Any) -> Any:
        n = len(theta)

        def score(f: Callable[..., Any], t: Any) -> list[Any]:
            moved = [[theta[j] + (h if i == j else 0) for j in range(n)] for i in range(n)]
            back = [[theta[j] - (h if i == j else 0) for j in range(n)] for i in range(n)]
            return [(f(t, *a) - f(t, *b)) / (2 * h) for a, b in zip(moved, back, strict=True)]

        end = score(log_s, mpf(at))

        def entry(i: int, j: int) -> Any:
            def integrand(t: Any) -> Any:
                s = score(log_f, t)
                return mp.exp(log_f(t, *theta)) * s[i] * s[j]

            seen = mp.quad(integrand, [low, (low + at) / 2, at])
            return seen + mp.exp(log_s(mpf(at), *theta)) * end[i] * end[j]

        return [[entry(i, j) for j in range(n)] for i in range(n)]

    return metric


def found(model: Model, point: list[float]) -> Any:
    ds = ig.grid.evaluate_points(model, [point], ["metric", "ricci_scalar", "ricci_scalar_error"])
    assert int(ds.status[0]) in (Status.OK, Status.REFINED)
    return ds


def test_a_censored_exponential_law_is_closed_and_keeps_its_digits() -> None:
    model = ig.models.censored(ig.models.exponential(), 2)
    ds = ig.grid.evaluate_points(model, [[1e-12], [3]], ["metric"])
    exact = [float(-mp.expm1(-2 * mpf(r)) / mpf(r) ** 2) for r in (1e-12, 3)]
    assert ds.metric.values.ravel() == pytest.approx(exact, rel=1e-14)


def weibull(t: Any, k: Any, s: Any) -> tuple[Any, Any]:
    return mp.log(k / s) + (k - 1) * mp.log(t / s) - (t / s) ** k, -((t / s) ** k)


WEIBULL = ig.models.weibull()
ORDER = [p.name for p in WEIBULL.parameters]
POINT = [{"shape": 1.5, "scale": 2.0}[name] for name in ORDER]


def weibull_information() -> Callable[..., Any]:
    places = ORDER.index("shape"), ORDER.index("scale")

    def part(k: int) -> Callable[..., Any]:
        return lambda t, *theta: weibull(t, *(theta[place] for place in places))[k]

    return information(part(0), part(1), 1.25)


def test_a_censored_weibull_law_is_integrated() -> None:
    ds = found(ig.models.censored(WEIBULL, 1.25), POINT)
    with mp.workdps(30):
        g = np.array(weibull_information()(*map(mpf, POINT)), dtype=float)
    assert ds.metric.values[0] == pytest.approx(g, rel=1e-11)


@pytest.mark.slow
def test_the_curvature_of_a_censored_weibull_law_is_right() -> None:
    ds = found(ig.models.censored(WEIBULL, 1.25), POINT)
    R = float(curvature_of(weibull_information(), POINT, "1e-7", 40))
    assert abs(ds.ricci_scalar.values[0] - R) <= ds.ricci_scalar_error.values[0] + 1e-7 * abs(R)


@pytest.mark.parametrize(
    ("name", "at", "lost"),
    [
        ("normal", 30, 1e-12),
        pytest.param("log_normal", 10**9, 1e-12, marks=pytest.mark.slow),
        pytest.param("logistic", 100, 1e-12, marks=pytest.mark.slow),
        pytest.param("gumbel", 20, 1e-5, marks=pytest.mark.slow),
        pytest.param("lomax", 10**9, 1e-3, marks=pytest.mark.slow),
        pytest.param("burr", 10**9, 1e-3, marks=pytest.mark.slow),
    ],
)
def test_a_late_end_of_observation_leaves_the_whole_information(name: str, at: int, lost: float) -> None:
    law = getattr(ig.models, name)()
    point = [(low + high) / 2 for low, high in (p.typical for p in law.parameters)]
    whole = ig.grid.evaluate_points(law, [point], ["metric"]).metric.values[0]
    cut = ig.grid.evaluate_points(ig.models.censored(law, at), [point], ["metric"]).metric.values[0]
    assert cut == pytest.approx(whole, rel=lost, abs=lost * whole.max())


def test_what_is_hardly_ever_seen_is_not_lost() -> None:
    # 25 standard deviations below the mean, and the density jumps at the time by e³¹².
    ds = ig.grid.evaluate_points(ig.models.censored(ig.models.normal(), 0.5), [[3, 0.1]], ["metric"])
    assert int(ds.status[0]) == Status.OK

    def score(x: Any) -> list[Any]:
        z = (x - 3) * 10
        return [z * 10, (z**2 - 1) * 10]

    with mp.workdps(30):
        half = mpf(1) / 2

        def entry(i: int, j: int) -> Any:
            return mp.quad(lambda x: mp.npdf(x, 3, 0.1) * score(x)[i] * score(x)[j], [half - 1, half - 0.05, half])

        exact = np.array([[entry(0, 0), entry(0, 1)], [entry(1, 0), entry(1, 1)]], dtype=float)
    assert ds.metric.values[0] == pytest.approx(exact, rel=1e-10)


def test_a_survival_function_may_be_given() -> None:
    model = ig.models.censored(
        from_density(sympy.log(rate) - rate * x, x, [rate], sympy.Interval.open(0, sympy.oo)), 1, survival=-rate * x
    )
    assert ig.metric(model).at(rate=2).item() == pytest.approx(-np.expm1(-2) / 4, rel=1e-14)


def test_a_false_survival_function_is_told() -> None:
    with pytest.raises(ValueError, match="must integrate to 1"):
        ig.metric(
            ig.models.censored(ig.models.exponential(), 1, survival=-2 * ig.models.exponential().parameters[0].symbol)
        )


def test_a_survival_function_in_symbols_that_the_law_has_not_is_refused() -> None:
    with pytest.raises(ValueError, match=r"survival must hold no symbols but those of 'exponential', got \['a'\]"):
        ig.models.censored(ig.models.exponential(), 1, survival=-sympy.Symbol("a", positive=True) * x)


def test_draws_end_at_the_time() -> None:
    law = ig.models.censored(ig.models.exponential(), 2).at(rate=0.5)
    time, seen = law.sample(4000, seed=1).T
    assert time.max() == 2
    assert (seen == (time < 2)).all()
    assert seen.mean() == pytest.approx(-np.expm1(-1), abs=0.03)
    assert law.pdf([[2.0, 0], [1.0, 1]]) == pytest.approx([np.exp(-1), 0.5 * np.exp(-0.5)])


@pytest.mark.parametrize(
    ("law", "at", "told"),
    [
        (ig.models.exponential(), -1, "at must be a number inside the support"),
        (ig.models.poisson(), 3, "law must be of one observation of one continuous variable"),
        (ig.models.gamma(), 3, "no survival function was found .* of 'gamma'; give log P"),
    ],
)
def test_what_cannot_be_censored_is_said(law: Model, at: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ig.models.censored(law, at)
