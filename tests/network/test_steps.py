"""Natural gradient and K-FAC in training, against dense matrices written out step by step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infogeom import network
from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.network import MLP, TrainingWarning, fit, study
from infogeom.optimizers import KFAC, Descent, NaturalGradient
from tests import network_jets as jets
from tests import network_reference as reference

Array = np.ndarray[Any, np.dtype[Any]]

LOSSES: list[Loss] = [LpNorm(2), LpNorm(3), MeanPower(4), CrossEntropy()]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
both_fishers = pytest.mark.parametrize("fisher", ["empirical", "expected"])
#: Widths, samples, batch size and what else: ten steps each.  With 18 samples the last of five batches has two.
CASES: dict[str, tuple[tuple[int, ...], int, int | None, dict[str, Any]]] = {
    "relu, last batch smaller": ((4, 5, 3, 3), 18, 4, {}),
    "tanh without bias, one sample a batch": ((3, 4, 5, 2), 10, 1, {"activation": "tanh", "bias": False}),
    "gelu, NTK, all at once": ((4, 3, 4, 2), 6, None, {"activation": "gelu", "parametrization": "ntk"}),
    "more gradients than parameters": ((2, 2, 2), 30, None, {"activation": "tanh"}),
    "one output": ((3, 4, 1), 10, 5, {"activation": "erf"}),
}
every_case = pytest.mark.parametrize("case", CASES)
RATE, STEPS = 0.1, 10
second_order = pytest.mark.parametrize(
    "optimizer",
    [NaturalGradient(0.1, 0.1, "expected"), NaturalGradient(0.1, 1.0), KFAC(0.1, 0.1, fisher="expected"), KFAC(0.1, 1)],
    ids=lambda rule: f"{type(rule).__name__}, {rule.fisher}",
)


def drawn(case: str, **kind: Any) -> tuple[MLP, Array, Array]:
    """Network, inputs and one-hot targets (0 or 1 for one output)."""
    widths, samples, _, own = CASES[case]
    rng = np.random.default_rng(len(case))
    net = MLP(widths, initialization="pytorch", seed=1, **{"dtype": "float64"} | own | kind)
    labels = rng.integers(0, max(2, widths[-1]), samples)
    y = labels[:, None].astype(float) if widths[-1] == 1 else np.eye(widths[-1])[labels]
    return net, rng.normal(size=(samples, widths[0])), y


def batches(case: str, x: Array, y: Array) -> Iterator[tuple[Array, Array]]:
    """Ten of them, in the order that training is said to have."""
    size, taken = CASES[case][2] or len(x), 0
    for epoch in range(STEPS):
        order = np.random.default_rng([7, epoch]).permutation(len(x))
        for start in range(0, len(x), size):
            taken += 1
            if taken > STEPS:
                return
            rows = order[start : start + size]
            yield x[rows], y[rows]


def trained(case: str, loss: Loss, optimizer: Descent, data: tuple[MLP, Array, Array]) -> Array:
    """Parameters after ten steps."""
    net, x, y = data
    size = CASES[case][2] or len(x)
    epochs = STEPS // -(-len(x) // size)
    found = fit(net, x, y, loss, epochs=epochs, batch_size=CASES[case][2], optimizer=optimizer, seed=7)
    assert found.attrs["ended"] == "complete"
    return found.parameters.values


# --- Natural gradient -------------------------------------------------------------------------------------------------


@every_case
@every_loss
@both_fishers
@pytest.mark.parametrize("damping", [1.0, 1e-2])
def test_ten_steps_are_those_of_dense_matrices(case: str, loss: Loss, fisher: str, damping: float) -> None:
    net, x, y = drawn(case)
    theta, allowed = net.parameters.astype(np.longdouble), 0.0
    for of_batch, labels in batches(case, x, y):
        here = net.with_parameters(theta.astype(float))
        wide = of_batch.astype(np.longdouble), labels.astype(np.longdouble)
        g = jets.gradients(here, *wide, loss, fisher)
        F = g.T @ g / len(of_batch)
        direction = jets.solved(F + np.longdouble(damping) * np.eye(len(F)), jets.gradient(here, *wide, loss))
        theta = theta - RATE * direction
        # What a step is off by, and what rounds off the parameters, later steps carry on.
        condition = 1 + float(np.linalg.norm(F.astype(float), 2)) / damping
        allowed += 1e-15 * (condition * RATE * float(np.linalg.norm(direction)) + float(np.linalg.norm(theta)))
    found = trained(case, loss, NaturalGradient(RATE, damping, fisher), (net, x, y))
    assert np.linalg.norm(found - theta) <= allowed


# --- K-FAC ------------------------------------------------------------------------------------------------------------


def both_sides(net: MLP, x: Array, y: Array, loss: Loss, fisher: str) -> list[tuple[Array, Array]]:
    """Inputs ã (N, p) and derivatives δ (N, K, m) of each layer, by the chain rule."""
    phi, slope = reference.ACTIVATIONS[net.activation]
    weights, biases = net.to_arrays()
    a, before, inputs = x, [], []
    for l, (W, s) in enumerate(zip(weights, net.scales, strict=True)):
        inputs.append(s * a if biases is None else np.hstack([s * a, np.ones((len(x), 1))]))
        before.append(s * a @ W + (0 if biases is None else biases[l]))
        a = phi(before[-1])
    f = before[-1]
    delta = loss.gradient(f, y)[:, None] if fisher == "empirical" else loss.expected_factor(f)
    outputs = [np.broadcast_to(delta, (len(x), *delta.shape[1:]))]
    for l in range(len(weights) - 1, 0, -1):
        outputs.insert(0, net.scales[l] * (outputs[0] @ weights[l].T) * slope(before[l - 1])[:, None])
    return list(zip(inputs, outputs, strict=True))


def kronecker_factors(net: MLP, x: Array, y: Array, loss: Loss, fisher: str) -> list[tuple[Array, Array]]:
    """Both factors of each layer, as means over samples of outer products."""
    found = []
    for a, delta in both_sides(net, x, y, loss, fisher):
        found.append((np.einsum("ni,nj->ij", a, a) / len(x), np.einsum("nki,nkj->ij", delta, delta) / len(x)))
    return found


def mean_gradient(net: MLP, loss: Loss, x: Array, y: Array) -> Array:
    f, J = reference.outputs_and_jacobian(x, *net.to_arrays(), net.activation, net.scales)
    return np.asarray(np.einsum("na,nap->p", loss.gradient(f, y), J) / len(x))


def block_solved(factors: list[tuple[Array, Array]], gradient: Array, damping: float) -> Array:
    """Solution for a gradient by explicit blocks, one a layer, damping added to their diagonals."""
    parts, start = [], 0
    for A, G in factors:
        block = np.kron(A, G)
        parts.append(np.linalg.solve(block + damping * np.eye(len(block)), gradient[start : start + len(block)]))
        start += len(block)
    return np.concatenate(parts)


@every_case
@every_loss
@both_fishers
@pytest.mark.parametrize(("decay", "interval"), [(0.95, 1), (0.6, 3), (0.0, 1)])
def test_ten_steps_of_kfac_are_those_of_explicit_blocks(
    case: str, loss: Loss, fisher: str, decay: float, interval: int
) -> None:
    net, x, y = drawn(case)
    damping, theta, allowed = 1.0, net.parameters, 0.0
    for step, (of_batch, labels) in enumerate(batches(case, x, y), start=1):
        here = net.with_parameters(theta)
        factors = kronecker_factors(here, of_batch, labels, loss, fisher)
        if step == 1:
            averages = factors
        kept = min(1 - 1 / step, decay)
        pairs = zip(averages, factors, strict=True)
        averages = [(kept * A + (1 - kept) * a, kept * G + (1 - kept) * g) for (A, G), (a, g) in pairs]
        if (step - 1) % interval == 0:
            refreshed = averages
        direction = block_solved(refreshed, mean_gradient(here, loss, of_batch, labels), damping)
        theta = theta - RATE * direction
        # Of both ways each is off by roundings of the block over the damping.
        condition = 1 + max(np.linalg.norm(A, 2) * np.linalg.norm(G, 2) for A, G in refreshed) / damping
        allowed += 2e-15 * (condition * RATE * float(np.linalg.norm(direction)) + float(np.linalg.norm(theta)))
    found = trained(case, loss, KFAC(RATE, damping, decay, interval, fisher), (net, x, y))
    assert np.linalg.norm(found - theta) <= allowed


@every_loss
@both_fishers
def test_the_first_step_of_kfac_is_solved_by_its_blocks(loss: Loss, fisher: str) -> None:
    net, x, y = drawn("relu, last batch smaller")
    gradient = mean_gradient(net, loss, x, y)
    blocks = network.kfac(net, x, y, loss, fisher=fisher)
    direction = np.concatenate([block.solve(gradient[block.parameters], 0.1) for block in blocks])
    rule = KFAC(0.5, 0.1, fisher=fisher)
    found = fit(net, x, y, loss, epochs=1, batch_size=None, optimizer=rule).parameters.values
    np.testing.assert_allclose(found, net.parameters - 0.5 * direction, rtol=0, atol=1e-13 * abs(direction).max())


# --- Laws -------------------------------------------------------------------------------------------------------------


@settings(max_examples=30)
@given(
    case=st.sampled_from(list(CASES)),
    loss=st.sampled_from(LOSSES),
    fisher=st.sampled_from(["empirical", "expected"]),
    damping=st.floats(1e4, 1e9),
    kind=st.sampled_from([NaturalGradient, KFAC]),
)
def test_large_damping_times_the_step_is_that_of_gradient_descent(
    case: str, loss: Loss, fisher: str, damping: float, kind: type[Any]
) -> None:
    net, x, y = drawn(case)
    rule = kind(RATE * damping, damping, fisher=fisher)
    found = fit(net, x, y, loss, epochs=1, batch_size=None, optimizer=rule).parameters.values
    gradient = mean_gradient(net, loss, x, y)
    # (1 + F/λ)⁻¹ differs from 1 by at most ‖F‖/λ, which the traces of F and of the products of factors bound.
    size = network.fisher_trace(net, x, y, loss, fisher=fisher)
    size += sum(A.trace() * G.trace() for A, G in kronecker_factors(net, x, y, loss, fisher))
    allowed = (size / damping + 1e-14) * RATE * np.linalg.norm(gradient) + 1e-15 * np.linalg.norm(net.parameters)
    assert np.linalg.norm(net.parameters - RATE * gradient - found) <= allowed


@second_order
def test_float32_networks_take_the_steps_of_float64_ones_to_their_rounding(optimizer: Descent) -> None:
    case = "relu, last batch smaller"
    net, x, y = drawn(case)
    single = MLP(net.widths, initialization="pytorch", seed=1)
    exact = trained(case, CrossEntropy(), optimizer, (net, x, y))
    found = trained(case, CrossEntropy(), optimizer, (single, x, y))
    assert found.dtype == np.float32
    # Gradients are off by some roundings, and solutions by as many times 1 + ‖F‖ / damping, of about 20.
    np.testing.assert_allclose(found, exact, rtol=0, atol=20 * 10 * 6e-8 * abs(exact).max())


@second_order
@pytest.mark.parametrize("loss", [LpNorm(2), MeanPower(2)], ids=lambda loss: loss.name)
def test_where_every_gradient_vanishes_nothing_moves(optimizer: Descent, loss: Loss) -> None:
    # Small integers, so that outputs are those of the targets to the last bit.
    net, x, _ = drawn("relu, last batch smaller", dtype="float32")
    net, x = net.with_parameters(np.round(4 * net.parameters)), np.round(4 * x)
    assert net.output(x).any()
    found = fit(net, x, net.output(x), loss, epochs=2, batch_size=None, optimizer=optimizer)
    np.testing.assert_array_equal(found.parameters, net.parameters)


@second_order
def test_runs_of_a_study_on_two_workers_are_those_of_fit_to_the_bit(optimizer: Descent) -> None:
    rng = np.random.default_rng(2)
    x, labels, keywords = rng.normal(size=(40, 5)), rng.integers(0, 3, 40), {"epochs": 3, "batch_size": 16}
    keywords |= {"optimizer": optimizer}  # type: ignore[dict-item]
    found = study(x, labels, losses=[CrossEntropy()], widths=[6], seeds=[0, 1], workers=2, **keywords)  # type: ignore[arg-type]
    assert (found.status == 0).all()
    for seed in (0, 1):
        alone = fit(MLP((5, 6, 6, 3), seed=seed), x, labels, CrossEntropy(), seed=seed, **keywords)  # type: ignore[arg-type]
        run = found.sel(loss="cross-entropy", width=6, seed=seed)
        np.testing.assert_array_equal(run.training_loss, alone.loss)
        np.testing.assert_array_equal(run.fisher_trace, alone.fisher_trace)


# --- Ends -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [NaturalGradient, KFAC])
@pytest.mark.parametrize("rate", [1e30, 1e60])  # which outputs or already parameters are beyond
@both_fishers
def test_a_run_that_diverges_says_what_to_try(kind: type[Any], rate: float, fisher: str) -> None:
    net, x, y = drawn("relu, last batch smaller", dtype="float32")
    told = f"diverged in epoch 1: .*last recorded loss .*{re.escape(f'below {rate:g} or a damping above 0.01')}"
    with pytest.warns(TrainingWarning, match=told):
        found = fit(net, x, y, MeanPower(4), epochs=5, batch_size=4, optimizer=kind(rate, 0.01, fisher=fisher))
    assert found.attrs["ended"] == "diverged"
    assert found.epoch.values.tolist()[0] == 0
    assert np.isfinite(found.loss).all()


@pytest.mark.parametrize("kind", [NaturalGradient, KFAC])
@both_fishers
def test_numbers_beyond_their_range_within_an_epoch_end_the_run_in_that_epoch(kind: type[Any], fisher: str) -> None:
    # On the probe all is well; a sample outside it is beyond all bounds.
    net, x, y = drawn("relu, last batch smaller")
    x[0] *= 1e300
    probe = network.Record(probe=6, seed=next(s for s in range(99) if 0 not in network.stratified_sample(y, 6, s)))
    with pytest.warns(TrainingWarning, match=r"diverged in epoch 1: .* leaves? .*learning_rate below 0.1 or a damping"):
        found = fit(net, x, y, MeanPower(4), epochs=5, optimizer=kind(0.1, 0.01, fisher=fisher), record=probe)
    assert (found.attrs["ended"], found.epoch.values.tolist()) == ("diverged", [0])


def test_damping_that_float64_cannot_tell_from_none_ends_the_run_by_its_name() -> None:
    # The same added to all outputs changes no probability: the Fisher information is singular.
    net, x, y = MLP((3, 2), dtype="float64"), np.random.default_rng(1).normal(size=(40, 3)), np.eye(2)[[0, 1] * 20]
    rule = NaturalGradient(0.1, 1e-30, "expected")
    with pytest.warns(TrainingWarning, match="diverged in epoch 1: damping must be above what float64 rounds off"):
        found = fit(net, x, y, CrossEntropy(), epochs=2, optimizer=rule)
    assert found.attrs["ended"] == "diverged"


def test_a_batch_that_is_too_large_for_a_dense_matrix_is_refused_before_any_training() -> None:
    x, y = np.zeros((2001, 2500), np.float32), np.eye(4)[np.zeros(2001, int)]
    keywords: dict[str, Any] = {"epochs": 0, "batch_size": None, "optimizer": NaturalGradient(0.1, 0.1, "expected")}
    told = "x must have so few samples.* up to 8000 rows, got 8004 seeded gradients and 10004 parameters"
    with pytest.raises(ValueError, match=told):
        fit(MLP((2500, 4)), x, y, LpNorm(2), **keywords)
