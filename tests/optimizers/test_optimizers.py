"""Update rules, against their papers' formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import infogeom as ig
from infogeom.optimizers import KFAC, SGD, Adam, NaturalGradient, Optimizer
from tests import network_reference as reference
from tests import strategies
from tests.problems import EPS


def path(optimizer: Optimizer, theta: Any, gradients: list[Any]) -> list[Any]:
    theta, steps = theta.copy(), []
    state = optimizer.start(theta)
    for step, gradient in enumerate(gradients, start=1):
        optimizer.update(theta, gradient, state, step)
        steps.append(theta.copy())
    return steps


@settings(max_examples=20)
@given(start=strategies.arrays(5), scale=st.sampled_from([1e-6, 1.0, 1e6]), seed=st.integers(0, 2**16))
def test_adam_follows_the_algorithm_of_its_paper(start: Any, scale: float, seed: int) -> None:
    gradients = list(scale * np.random.default_rng(seed).normal(size=(20, 5)))
    found, expected = path(Adam(0.01), start, gradients), reference.adam(start, gradients, 0.01)
    # 20 steps of at most 0.1 each, with a handful of roundings in each.
    assert np.abs(np.array(found) - np.array(expected)).max() <= 20 * 20 * EPS * (1 + 20 * 0.1)


def test_the_first_step_of_adam_is_its_learning_rate_against_the_gradients_sign() -> None:
    (step,) = path(Adam(0.01), np.zeros(3), [np.array([1e-3, -7.0, 40.0])])
    np.testing.assert_allclose(step, [-0.01, 0.01, -0.01], rtol=2e-5)  # ε over the smallest gradient


#: Dtypes beside which there is one of wider range.
NARROW = [d for d in (np.float32, np.float64) if np.finfo(np.longdouble).maxexp > np.finfo(d).maxexp]


@settings(max_examples=30)
@given(
    dtype=st.sampled_from(NARROW),
    exponents=st.lists(st.lists(strategies.numbers(-1, 1), min_size=6, max_size=6), min_size=1, max_size=40),
    seed=st.integers(0, 2**16),
)
def test_adam_has_the_steps_of_its_paper_for_gradients_whose_squares_are_beyond_the_dtype(
    dtype: Any, exponents: list[list[float]], seed: int
) -> None:
    # Gradients of all sizes, each parameter's own at every step; the reference has exponents enough for their squares.
    exponents = np.array(exponents) * (0.99 * np.log2(float(np.finfo(dtype).max)))
    signs = np.random.default_rng(seed).uniform(-1, 1, exponents.shape)
    gradients = [(2.0**row * sign).astype(dtype) for row, sign in zip(exponents, signs, strict=True)]
    start, rule = np.zeros(6, dtype), Adam(0.01)
    found = np.array(path(rule, start, gradients))
    exact = reference.adam(start.astype(np.longdouble), [g.astype(np.longdouble) for g in gradients], 0.01)
    # Forty steps of up to 0.1, each with a few roundings and those of the decays, 1 − β₂ being known to ε/(1 − β₂).
    assert np.abs(found - np.array(exact)).max() <= 40 * 0.1 * 1500 * np.finfo(dtype).eps


def test_a_huge_gradient_changes_nothing_beside_it() -> None:
    rng = np.random.default_rng(1)
    gradients = [rng.normal(size=37).astype(np.float32) for _ in range(5)]
    with_huge = [gradient.copy() for gradient in gradients]
    for k, gradient in enumerate(with_huge):
        gradient[11] = 1e30 * (-1.0) ** k
    others = np.arange(37) != 11
    plain, found = (path(Adam(), np.ones(37, np.float32), rows) for rows in (gradients, with_huge))
    assert all((a[others] == b[others]).all() for a, b in zip(plain, found, strict=True))
    assert (np.diff([row[11] for row in found]) != 0).all()


def test_moments_come_back_into_the_dtype_as_gradients_shrink() -> None:
    theta, rule = np.zeros(3, np.float32), Adam(beta2=0.5)
    state = rule.start(theta)
    for step in range(1, 200):
        rule.update(theta, np.full(3, 1e25 if step < 5 else 1.0, np.float32), state, step)
        if step == 40:  # v is 1e50 / 2³⁶
            assert (state[1] < 0).all()
    np.testing.assert_allclose(state[1], 1.0, rtol=1e-6)


def test_gradient_descent_is_the_gradient_times_the_rate() -> None:
    (step,) = path(SGD(0.5), np.array([1.0, 2.0]), [np.array([2.0, -4.0])])
    assert step.tolist() == [0.0, 4.0]


def test_momentum_keeps_a_share_of_the_velocity() -> None:
    steps = path(SGD(1.0, momentum=0.5), np.zeros(1), [np.array([1.0]), np.array([0.0]), np.array([0.0])])
    assert [float(s[0]) for s in steps] == [-1.0, -1.5, -1.75]


@pytest.mark.parametrize("optimizer", [Adam(), SGD(0.1, 0.9)], ids=["Adam", "SGD"])
def test_float32_stays_float32(optimizer: Optimizer) -> None:
    theta = np.ones(7, dtype=np.float32)
    state = optimizer.start(theta)
    optimizer.update(theta, theta.copy(), state, 1)
    assert {a.dtype for a in (theta, *state)} == {np.dtype(np.float32)}
    double = path(optimizer, np.ones(7), [np.ones(7)])[0]
    np.testing.assert_allclose(theta, double, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SGD(0.0), "learning_rate must be positive and finite, got 0.0"),
        (lambda: SGD(0.1, 1.0), r"momentum must lie in \[0, 1\), got 1.0"),
        (lambda: Adam(float("nan")), "learning_rate must be positive and finite, got nan"),
        (lambda: Adam(beta1=-0.1), r"beta1 must lie in \[0, 1\), got -0.1"),
        (lambda: Adam(beta2=1), r"beta2 must lie in \[0, 1\), got 1"),
        (lambda: Adam(epsilon=0), "epsilon must be positive and finite, got 0"),
        (lambda: NaturalGradient(-1.0, 1.0), "learning_rate must be positive and finite, got -1.0"),
        (lambda: NaturalGradient(1.0, 0.0), "damping must be positive and finite, got 0.0"),
        (lambda: NaturalGradient(1.0, 1.0, "true"), "fisher must be 'empirical' or 'expected', got 'true'"),
        (lambda: KFAC(0.0, 1.0), "learning_rate must be positive and finite, got 0.0"),
        (lambda: KFAC(1.0, -1e-3), "damping must be positive and finite, got -0.001"),
        (lambda: KFAC(1.0, 1.0, decay=1.0), r"decay must lie in \[0, 1\), got 1.0"),
        (lambda: KFAC(1.0, 1.0, interval=0), "interval must be at least 1, got 0"),
        (lambda: KFAC(1.0, 1.0, fisher="model"), "fisher must be 'empirical' or 'expected', got 'model'"),
    ],
)
def test_bad_numbers_are_a_value_error_that_says_why(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_rate_that_is_no_number_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="learning_rate must be a real number, got '1'"):
        Adam("1")  # type: ignore[arg-type]


def test_an_update_rule_without_an_update_cannot_be_made() -> None:
    class Nothing(Optimizer):
        def start(self, parameters: Any) -> tuple[Any, ...]:
            return ()

    with pytest.raises(TypeError, match="update"):
        Nothing()  # type: ignore[abstract]


def test_adam_on_a_model_is_adam_on_its_gradients() -> None:
    model = ig.models.sigmoid_neuron(*ig.models.decision_boundary(30, seed=2), ig.losses.CrossEntropy())
    found = ig.training.adam(model, (0.5, 0.5), learning_rate=0.05, steps=10)
    assert found.attrs["method"] == "Adam"
    theta = np.array([found.theta1.values, found.theta2.values]).T
    plain = [ig.training.gradient_descent(model, t, learning_rate=1.0, steps=1) for t in theta[:-1]]
    gradients = [np.array([p[n].values[0] - p[n].values[1] for n in ("theta1", "theta2")]) for p in plain]
    # Gradients by difference lose digits: θ and steps are of size 1.
    np.testing.assert_allclose(theta[1:], reference.adam(theta[0], gradients, 0.05), rtol=1e-11)
