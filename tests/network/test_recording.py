"""Records: the traces themselves, at their price, whatever outputs have in common."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from infogeom import network
from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.network import MLP, Record, fit
from tests import network_reference as reference

Array = np.ndarray[Any, np.dtype[Any]]

LOSSES: list[Loss] = [LpNorm(1), LpNorm(4), MeanPower(2), MeanPower(6), CrossEntropy()]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
RNG = np.random.default_rng(12)


def data(samples: int = 50, inputs: int = 20, outputs: int = 5) -> tuple[Array, Array]:
    return RNG.random((samples, inputs)).astype(np.float32), np.eye(outputs)[RNG.integers(0, outputs, samples)]


def with_common_mode(net: MLP, size: float) -> MLP:
    """The network with the same large numbers added to the last weights of all outputs."""
    weights, biases = net.to_arrays()
    weights[-1] = (weights[-1] + size * RNG.normal(size=(len(weights[-1]), 1))).astype(net.dtype)
    return MLP.from_arrays(weights, biases)


@every_loss
@pytest.mark.parametrize("widths", [(20, 5), (20, 16, 16, 5), (20, 60, 60, 5), (20, 6, 1)], ids=str)
def test_recorded_traces_are_those_of_the_jacobian_and_the_measured_ones(loss: Loss, widths: tuple[int, ...]) -> None:
    x, y = data(outputs=widths[-1])
    net = MLP(widths, dtype="float64", initialization="pytorch", activation="tanh")
    ds = fit(net, x, y, loss, epochs=0, record=Record(losses=[LpNorm(2), loss])).isel(epoch=0)

    # Blocks of the kernel, from a Jacobian; sums of some thousand products.
    f, J = reference.outputs_and_jacobian(x.astype(float), *net.to_arrays(), net.activation, net.scales)
    factor = np.broadcast_to(loss.expected_factor(f), (len(x), *loss.expected_factor(f).shape[1:]))
    expected = {
        "fisher_trace": (np.einsum("na,nap->np", loss.gradient(f, y), J) ** 2).sum() / len(x),
        "fisher_trace_expected": (np.einsum("nka,nap->nkp", factor, J) ** 2).sum() / len(x),
        "ntk_trace": (J**2).sum() / len(x),
    }
    for name, value in expected.items():
        assert ds[name] == pytest.approx(value, rel=1e-12), name

    # What is measured by itself is the same to the bit, the expected one to the rounding of its combinations.
    assert ds.fisher_trace == network.fisher_trace(net, x, y, loss)
    assert ds.ntk_trace == network.ntk_trace(net, x)
    assert ds.fisher_trace_of.values.tolist() == [network.fisher_trace(net, x, y, one) for one in (LpNorm(2), loss)]
    if isinstance(loss, LpNorm | MeanPower):
        assert ds.fisher_trace_expected == network.fisher_trace(net, x, None, loss, fisher="expected")


@pytest.mark.parametrize("widths", [(20, 16, 16, 5), (20, 60, 60, 5)], ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_what_all_outputs_have_in_common_spoils_no_recorded_trace(widths: tuple[int, ...], seed: int) -> None:
    # Softmax is blind to it: derivatives of 1e4 in which numbers of 1 are left have errors of 1e4 times the rounding
    # of float32, some 1e-3; their squares had 1e8 times that.
    x, y = data()
    net = with_common_mode(MLP(widths, seed=seed), 1e4)
    double = MLP.from_arrays(*net.to_arrays(), dtype="float64")
    ds = fit(net, x, y, CrossEntropy(), epochs=0, record=Record(losses=[CrossEntropy()]))
    empirical = network.fisher_trace(double, x, y, CrossEntropy())
    expected = network.fisher_trace(double, x, None, CrossEntropy(), fisher="expected")
    assert ds.fisher_trace.item() == pytest.approx(empirical, rel=5e-3)
    assert ds.fisher_trace_of.item() == pytest.approx(empirical, rel=5e-3)
    assert ds.fisher_trace_expected.item() == pytest.approx(expected, rel=5e-3)
    assert ds.alignment_factor.item() >= 0


def test_records_of_many_outputs_hold_no_kernel_block_of_each_sample() -> None:
    x, y = data(samples=200, outputs=300)
    net, loss = MLP((20, 128, 300)), CrossEntropy()

    def peak(call: Callable[[], Any]) -> int:
        tracemalloc.start()
        call()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    alone = peak(lambda: network.fisher_trace(net, x, None, loss, fisher="expected"))
    recorded = peak(lambda: fit(net, x, y, loss, epochs=0))
    assert recorded < 2 * alone
    assert recorded < 200 * 300**2  # bytes, one for each of their numbers
