"""A loss by cases, one dataclass, in all that a network with few parameters offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import sympy
from scipy.integrate import quad
from sympy import Abs, Expr, Piecewise, Rational

import infogeom as ig
from infogeom.kernels.points.closed_jets import jet_expressions
from infogeom.losses import Loss
from infogeom.models import decision_boundary, sigmoid_neuron

pytestmark = pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
INPUTS, TARGETS = decision_boundary(40)
POINTS = np.random.default_rng(0).uniform(-2, 2, (12, 2))


@dataclass(frozen=True)
class Huber(Loss):
    """Huber's loss Σ_a r_a² / 2 where |r_a| ≤ δ, δ (|r_a| − δ/2) elsewhere."""

    delta: float

    @property
    def name(self) -> str:
        return f"huber-{self.delta}"

    def expression(self, outputs: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
        delta = Rational(str(self.delta))
        sizes = [Abs(f - y) for f, y in zip(outputs, targets, strict=True)]
        return sympy.Add(*(Piecewise((r**2 / 2, r <= delta), (delta * (r - delta / 2), True)) for r in sizes))


NEURON = sigmoid_neuron(INPUTS, TARGETS, Huber(0.25))


def outputs(theta: Any) -> tuple[Any, Any]:
    """Residuals f and the slopes f′(u) x̃ · 5, by definition."""
    x = (1 - 2 * TARGETS)[:, None] * INPUTS
    f = 1 / (1 + np.exp(-5 * x @ theta))
    return f, (5 * f * (1 - f))[:, None] * x


def test_metric_and_loss_are_those_of_the_definition() -> None:
    found = ig.grid.evaluate_points(NEURON, POINTS, ("metric", "loss"))
    for theta, g, loss in zip(POINTS, found.metric.values, found.loss.values, strict=True):
        f, slopes = outputs(theta)
        assert ((f <= 0.25).any(), (f > 0.25).any()) == (True, True)
        score = np.minimum(f, 0.25)[:, None] * slopes
        np.testing.assert_allclose(g, score.T @ score / len(f), rtol=1e-13)
        assert loss == pytest.approx(np.where(f <= 0.25, f**2 / 2, 0.25 * (f - 0.125)).mean(), rel=1e-13)


def test_its_derivative_is_known_to_be_symmetric_as_that_of_any_loss() -> None:
    metric = ig.symbolic.metric(NEURON)
    jet = jet_expressions(metric.matrix, metric.coordinates, True, 2)
    assert jet["dg"].shape == (2, 2, 2)
    assert jet["ddg"].size == 0


def test_curvature_of_float64_is_that_of_balls_within_its_bound() -> None:
    rough = ig.grid.evaluate_points(NEURON, POINTS, ("ricci_scalar", "ricci_scalar_error"), max_refined=0)
    sure = ig.grid.evaluate_points(NEURON, POINTS, ("ricci_scalar", "ricci_scalar_error"), rtol=1e-15)
    assert (sure.status.values == 1).all()
    error = abs(rough.ricci_scalar - sure.ricci_scalar).values
    assert (error <= (rough.ricci_scalar_error + sure.ricci_scalar_error).values).all()


@pytest.mark.slow
def test_the_expected_fisher_information_is_that_of_its_location_family() -> None:
    expected = sigmoid_neuron(INPUTS, TARGETS, Huber(0.25), fisher="expected")
    found = ig.grid.evaluate_points(expected, POINTS[:2], ("metric",)).metric.values

    def mean(of: Any) -> float:
        density = lambda r: np.exp(-(r * r / 2 if r <= 0.25 else 0.25 * (r - 0.125)))  # noqa: E731
        return quad(lambda r: of(r) * density(r), 0, 0.25)[0] + quad(lambda r: of(r) * density(r), 0.25, np.inf)[0]

    information = mean(lambda r: min(r, 0.25) ** 2) / mean(lambda _: 1.0)
    for theta, g in zip(POINTS[:2], found, strict=True):
        _, slopes = outputs(theta)
        np.testing.assert_allclose(g, information * slopes.T @ slopes / len(slopes), rtol=1e-8)


def test_gradient_descent_follows_its_gradient() -> None:
    path = ig.training.gradient_descent(NEURON, [1.0, -1.0], learning_rate=0.1, steps=1)
    f, slopes = outputs(np.array([1.0, -1.0]))
    gradient = (np.minimum(f, 0.25)[:, None] * slopes).mean(0)
    moved = [path[name].values for name in ("theta1", "theta2")]
    np.testing.assert_allclose([m[1] - m[0] for m in moved], -0.1 * gradient, rtol=1e-12)
