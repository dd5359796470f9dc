"""Laws of several variables by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf
from scipy import special, stats

import infogeom as ig
from infogeom.kernels.status import Status
from tests.law_reference import curvature_of


def polya(n: int) -> Any:
    """Metric of a Dirichlet-multinomial law by sums over its beta-binomial margins."""

    def metric(*alpha: Any) -> Any:
        total = sum(alpha)
        common = sum(1 / (total + k) ** 2 for k in range(n))

        def own(a: Any) -> Any:
            def mass(j: int) -> Any:
                return mp.binomial(n, j) * mp.rf(a, j) * mp.rf(total - a, n - j) / mp.rf(total, n)

            return sum(mass(j) * sum(1 / (a + k) ** 2 for k in range(j)) for j in range(n + 1))

        return [[(own(a) if i == j else 0) - common for j in range(len(alpha))] for i, a in enumerate(alpha)]

    return metric


@pytest.mark.parametrize(
    ("n", "point"),
    [
        (5, [1.0, 2.0, 0.5]),
        pytest.param(12, [0.5, 1.0, 2.0, 3.0], marks=pytest.mark.slow),
        pytest.param(4, [1e4, 2e4, 3e4], marks=pytest.mark.slow),
    ],
)
def test_a_dirichlet_multinomial_law_is_summed(n: int, point: list[float]) -> None:
    model = ig.models.dirichlet_multinomial(n, len(point))
    ds = ig.grid.evaluate_points(model, [point], ["metric", "ricci_scalar", "ricci_scalar_error"])
    assert int(ds.status[0]) in (Status.OK, Status.REFINED)
    with mp.workdps(40):
        exact = np.array(polya(n)(*map(mpf, point)), dtype=float)
    np.testing.assert_allclose(ds.metric.values[0], exact, rtol=1e-9)
    R = float(curvature_of(polya(n), point, "1e-10", 60))
    assert abs(ds.ricci_scalar.values[0] - R) <= ds.ricci_scalar_error.values[0] + 1e-9 * abs(R)


@pytest.mark.slow
def test_the_normal_pair_has_the_curvature_of_normal_pairs() -> None:
    ds = ig.grid.evaluate_points(ig.models.bivariate_normal(), [[0, 1, 2, 0.5, 0.7]], ["ricci_scalar"])
    assert ds.ricci_scalar.values.item() == pytest.approx(-4.5, rel=1e-12)


def test_the_metric_of_a_gaussian_copula_is_that_of_the_correlation() -> None:
    rho = 0.6
    found = ig.metric(ig.models.gaussian_copula()).at(rho=rho).item()
    assert found == pytest.approx((1 + rho**2) / (1 - rho**2) ** 2, rel=1e-14)


def clayton(theta: float) -> float:
    """Metric of Clayton's copula: with u^(−θ) = 1 + s, v^(−θ) = 1 + t it depends on s + t = e^(θ z) − 1 alone."""
    # Trapezoidal sums in log z and in the logit of s/(s + t), along which integrands fall exponentially.
    step = 1 / 32
    y, w = np.arange(-36, 3.6, step)[:, None], np.arange(-130, 130, step)
    z, share = np.exp(y), special.expit(w)
    total = np.expm1(theta * z)
    s, t = share * total, special.expit(-w) * total
    a, b = np.log1p(s) / theta, np.log1p(t) / theta
    slope = z / theta - (2 + 1 / theta) * (a * (1 + s) + b * (1 + t)) / (1 + total)
    score = 1 / (1 + theta) + a + b + slope
    density = (1 + theta) / theta * (np.exp(-z) - np.exp(-(theta + 1) * z))
    return float((score**2 * density * z * share * special.expit(-w)).sum() * step**2)


@pytest.mark.slow
def test_a_clayton_copula_is_integrated() -> None:
    ds = ig.grid.evaluate_points(ig.models.clayton_copula(), [[0.7], [2], [6]], ["metric", "metric_error"])
    assert (ds.status == Status.OK).all()
    assert ds.metric.values.ravel() == pytest.approx([clayton(theta) for theta in (0.7, 2, 6)], rel=1e-11)
    assert (ds.metric_error.values <= 1e-10 * ds.metric.values).all()


@pytest.mark.parametrize(
    ("model", "tau"),
    [
        (ig.models.fgm_copula().at(theta=0.9), 2 * 0.9 / 9),
        (ig.models.clayton_copula().at(theta=2), 0.5),
        (ig.models.gaussian_copula().at(rho=0.5), 1 / 3),
    ],
    ids=["FGM", "Clayton", "Gaussian"],
)
def test_draws_of_a_copula_have_its_concordance_and_uniform_margins(model: Any, tau: float) -> None:
    u, v = model.sample(4000, seed=1).T
    assert stats.kendalltau(u, v).statistic == pytest.approx(tau, abs=0.04)  # four standard errors
    assert min(stats.kstest(u, "uniform").pvalue, stats.kstest(v, "uniform").pvalue) > 1e-3


def test_draws_of_a_dirichlet_multinomial_law_have_its_mean_and_spread() -> None:
    alpha, n = np.array([1.0, 2.0, 3.0]), 10
    drawn = ig.models.dirichlet_multinomial(n, 3).at(alpha1=1, alpha2=2, alpha3=3).sample(20_000, seed=1)
    share = alpha[:2] / 6
    spread = n * share * (1 - share) * (n + 6) / 7
    assert drawn.mean(axis=0) == pytest.approx(n * share, abs=4 * np.sqrt(spread.max() / 20_000))
    assert drawn.var(axis=0) == pytest.approx(spread, rel=0.06)
