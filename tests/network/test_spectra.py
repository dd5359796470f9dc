"""Spectra: as many eigenvalues as there can be, none negative, and the traced kernel without the whole one."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from infogeom import network
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from infogeom.network import MLP, Record, fit
from infogeom.network.spectra import traced_kernel
from tests import network_reference as reference

Array = np.ndarray[Any, np.dtype[Any]]
RNG = np.random.default_rng(3)
KINDS: list[dict[str, Any]] = [{}, {"bias": False}, {"parametrization": "ntk", "activation": "tanh"}]


def small(widths: tuple[int, ...], **kind: Any) -> MLP:
    return MLP(widths, dtype="float64", initialization="pytorch", seed=2, **kind)


def jacobian(net: MLP, x: Array) -> tuple[Array, Array]:
    return reference.outputs_and_jacobian(x, *net.to_arrays(), net.activation, net.scales)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("widths", [(3, 2), (3, 4, 1), (3, 5, 4, 7)], ids=str)
@pytest.mark.parametrize("length", [1, 2**30])
def test_the_traced_kernel_is_that_of_the_jacobian(
    kind: dict[str, Any], widths: tuple[int, ...], length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infogeom.network.spectra.NUMBERS_AT_ONCE", length)
    net, x = small(widths, **kind), RNG.normal(size=(9, 3))
    _, J = jacobian(net, x)
    expected = np.einsum("nap,map->nm", J, J)
    # Sums of some hundred products; slopes of tanh as 1 − tanh² in the reference.
    np.testing.assert_allclose(traced_kernel(net, x), expected, rtol=0, atol=1e-12 * abs(expected).max())
    assert len(traced_kernel(net, x[:1])) == 1


def test_the_traced_kernel_takes_no_memory_of_the_whole_one() -> None:
    net, x = MLP((5, 16, 16, 20)), RNG.random((200, 5))
    tracemalloc.start()
    network.ntk_spectrum(net, x, outputs="trace")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 200 * 200 * 20  # bytes, of which the whole kernel has 20 times as many


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("samples", [1, 5, 60])
def test_spectra_hold_no_more_than_there_are_parameters_and_nothing_negative(
    kind: dict[str, Any], dtype: str, samples: int
) -> None:
    net = small((2, 2, 3), **kind)
    x, y = RNG.normal(size=(samples, 2)).astype(np.float32), np.eye(3)[RNG.integers(0, 3, samples)]
    f, J = jacobian(net, x.astype(np.float64))
    count, one = net.parameters.size, replace(net, dtype=dtype)
    loss, tolerance = CrossEntropy(), 1e-12 if dtype == "float64" else 1e-5
    r = np.einsum("na,nap->np", loss.gradient(f, y), J)
    g = np.einsum("nka,nap->nkp", loss.expected_factor(f), J).reshape(-1, count)
    whole = J.reshape(-1, count)
    cases = [
        (network.fisher_spectrum(one, x, y, loss), r.T @ r / samples, samples),
        (network.fisher_spectrum(one, x, y, loss, fisher="expected"), g.T @ g / samples, 3 * samples),
        (network.ntk_spectrum(one, x), whole.T @ whole, 3 * samples),
    ]
    for found, matrix, seeds in cases:
        expected = np.linalg.eigvalsh(matrix)[::-1][: min(seeds, count)]
        assert found.shape == (min(seeds, count),)
        assert (found >= 0).all()
        assert (np.diff(found) <= 0).all()
        np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * expected[0])
    traced = network.ntk_spectrum(one, x, outputs="trace")
    assert traced.shape == (min(samples, count),)
    assert (traced >= 0).all()


def test_a_traced_kernel_keeps_all_its_eigenvalues_where_they_are_more_than_parameters() -> None:
    net = small((6, 6, 6, 6), activation="tanh")
    x = 2 * RNG.normal(size=(300, 6))
    found = network.ntk_spectrum(net, x, outputs="trace")
    # (6 + 1) + (6 + 1) 6 + (6 + 1) 6 · 6 functions, of 126 parameters.
    assert net.parameters.size == 126
    assert len(found) == 300
    assert (found[:160] > 1e-12 * found[0]).all()
    assert found.sum() == pytest.approx(network.ntk_trace(net, x, normalization="sum"), rel=1e-12)
    assert len(network.ntk_spectrum(net, np.tile(x, (2, 1)), outputs="trace")) == 7 + 42 + 252


def test_records_hold_as_many_eigenvalues_as_there_can_be() -> None:
    net, x = small((2, 2, 1)), RNG.normal(size=(40, 2))
    ds = fit(net, x, x[:, :1], MeanPower(2), epochs=1, record=Record(spectra=20))
    assert ds.sizes["rank"] == net.parameters.size == 9
    expected = network.fisher_spectrum(net, x, x[:, :1], MeanPower(2))
    np.testing.assert_array_equal(ds.fisher_spectrum[0], expected)
    np.testing.assert_array_equal(ds.ntk_spectrum[0], network.ntk_spectrum(net, x, outputs="trace"))


@pytest.mark.parametrize("loss", [CrossEntropy(), LpNorm(1)], ids=str)
def test_one_sample_has_one_eigenvalue_the_trace(loss: Any) -> None:
    net, x, y = small((3, 4, 2)), RNG.normal(size=(1, 3)), np.array([[1.0, 0.0]])
    assert network.fisher_spectrum(net, x, y, loss) == pytest.approx([network.fisher_trace(net, x, y, loss)], rel=1e-13)
