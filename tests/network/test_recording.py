"""Records: the traces as they are measured alone, the kernel in a few numbers, and quantities of one's own."""

from __future__ import annotations

import math
import pickle
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

from infogeom import network, plotting
from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.network import MLP, Record, checkpoint, fit, study
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


# --- The kernel -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("widths", [(20, 5), (20, 8, 7, 5), (20, 6, 1)], ids=str)
@pytest.mark.parametrize("samples", [1, 30])
def test_quantities_of_the_kernel_are_those_of_its_jacobian(widths: tuple[int, ...], samples: int) -> None:
    x, y = data(samples=samples, outputs=widths[-1])
    net = MLP(widths, dtype="float64", initialization="pytorch", activation="tanh")
    ds = fit(net, x, y, MeanPower(2), epochs=3, record=Record(kernel=True, spectra=2))
    kernels = []
    for one in (net, net.with_parameters(ds.parameters)):
        _, J = reference.outputs_and_jacobian(x.astype(float), *one.to_arrays(), one.activation, one.scales)
        kernels.append(np.einsum("nap,map->nm", J, J))
    for at, K in zip((0, -1), kernels, strict=True):
        row = ds.isel(epoch=at)
        p = np.linalg.eigvalsh(K).clip(min=1e-300) / np.trace(K)
        assert row.kernel_entropy == pytest.approx(-(p * np.log(p)).sum(), abs=1e-10)
        assert row.kernel_effective_rank == pytest.approx(np.exp(-(p * np.log(p)).sum()), rel=1e-10)
        aligned = (K * (y @ y.T)).sum() / np.linalg.norm(K) / np.linalg.norm(y @ y.T)
        assert row.kernel_alignment == pytest.approx(aligned, rel=1e-12)
        moved = np.linalg.norm(K - kernels[0]) / np.linalg.norm(kernels[0])
        assert row.kernel_distance == pytest.approx(moved, rel=1e-10, abs=1e-15)
        np.testing.assert_allclose(row.ntk_spectrum, np.linalg.eigvalsh(K)[::-1][:2], rtol=1e-10)
    assert ds.kernel_distance[0] == 0
    if len(widths) > 2:
        assert ds.kernel_distance[-1] > 1e-4


def test_a_kernel_that_vanishes_has_quantities_all_the_same() -> None:
    net = MLP.from_arrays([-np.ones((2, 3)), np.ones((3, 1))])  # all units are dead, and there is no bias
    x = np.array([[1.0, 0.5], [0.2, 1.0]])
    ds = fit(net, x, np.zeros((2, 1)), MeanPower(2), epochs=1, record=Record(kernel=True))
    assert [
        ds[f"kernel_{name}"].values.tolist() for name in ("entropy", "effective_rank", "alignment", "distance")
    ] == [
        [0, 0],
        [1, 1],
        [0, 0],
        [0, 0],
    ]


def test_a_resumed_run_has_the_same_distance_from_the_kernel_before_its_first_epoch(tmp_path: Path) -> None:
    (x, y), net = data(), MLP((20, 8, 5))
    keywords: dict[str, Any] = {"record": Record(kernel=True, every=2, measure={"norm": norm}), "batch_size": 16}
    whole = fit(net, x, y, CrossEntropy(), epochs=7, **keywords)
    for epochs in (0, 3, 7):
        ds = fit(net, x, y, CrossEntropy(), epochs=epochs, checkpoint=tmp_path / "run.npz", **keywords)
    xr.testing.assert_identical(ds.drop_attrs(deep=False), whole.drop_attrs(deep=False))


# --- Quantities of one's own ------------------------------------------------------------------------------------------


def norm(net: MLP, x: Array, y: Array) -> float:
    x[:], y[:] = 0, 0  # copies
    return float(np.linalg.norm(net.parameters))


def kfac_error(net: MLP, x: Array, y: Array) -> xr.DataArray:
    return network.kronecker_errors(net, x, y, CrossEntropy()).kfac[-1]


class Late:
    """Functions that fail once the network has been trained a little."""

    START: Array = np.empty(0)

    @classmethod
    def value(cls, net: MLP, bad: Any) -> Any:
        return 1.0 if np.array_equal(net.parameters, cls.START) else bad


def late_nan(net: MLP, _x: Array, _y: Array) -> Any:
    return Late.value(net, np.nan)


def late_pair(net: MLP, _x: Array, _y: Array) -> Any:
    return Late.value(net, [1.0, 2.0])


def late_text(net: MLP, _x: Array, _y: Array) -> Any:
    return Late.value(net, "1")


def late_error(net: MLP, _x: Array, _y: Array) -> Any:
    return Late.value(net, None) or {}["nothing"]


def late_exit(net: MLP, _x: Array, _y: Array) -> Any:
    return Late.value(net, None) or sys.exit(3)


def late_overflow(net: MLP, _x: Array, _y: Array) -> Any:
    return Late.value(net, None) or math.exp(1000)


def test_quantities_of_ones_own_are_recorded_with_names(tmp_path: Path) -> None:
    (x, y), net = data(), MLP((20, 8, 5))
    record = Record(probe=30, measure={"norm": norm, "kfac_error": kfac_error, "outputs": len_of_inputs})
    ds = fit(net, x, y, CrossEntropy(), epochs=2, record=record)
    rows = network.stratified_sample(y, 30)
    trained = net.with_parameters(ds.parameters)
    assert ds.norm.values[[0, -1]].tolist() == [np.linalg.norm(one.parameters) for one in (net, trained)]
    errors = network.kronecker_errors(trained, x[rows], y[rows], CrossEntropy())
    assert ds.kfac_error[-1] == errors.kfac[-1]
    assert ds.outputs.values.tolist() == [30] * 3
    assert ds.kfac_error.attrs["long_name"] == "kfac error"
    ds.to_netcdf(tmp_path / "run.nc", engine="scipy")
    xr.testing.assert_identical(xr.load_dataset(tmp_path / "run.nc", engine="scipy"), ds)
    plain = fit(net, x, y, CrossEntropy(), epochs=2, record=Record(probe=30))
    for name in plain.variables:
        np.testing.assert_array_equal(plain[name], ds[name])
    plotting.traces(ds)
    plt.close("all")


def len_of_inputs(_net: MLP, x: Array, _y: Array) -> int:
    return len(x)


def test_a_run_of_another_function_of_the_same_name_is_not_taken_up(tmp_path: Path) -> None:
    (x, y), net, path = data(), MLP((20, 8, 5)), tmp_path / "run.npz"
    fit(net, x, y, LpNorm(2), epochs=1, record=Record(measure={"norm": norm}), checkpoint=path)
    for other in ({"norm": len_of_inputs}, {}, {"size": norm}):
        with pytest.raises(ValueError, match=r"other settings: record .*'norm': tests\.network\.test_recording\.norm"):
            fit(net, x, y, LpNorm(2), epochs=2, record=Record(measure=other), checkpoint=path)


def test_records_without_quantities_of_ones_own_are_identified_as_before() -> None:
    assert str(Record(every=2)) == "Record(every=2, probe=1000, seed=0, losses=(), spectra=0)"
    again = replace(Record(measure={"norm": norm}), every=3)
    assert again == pickle.loads(pickle.dumps(again)) == Record(every=3, measure=[("norm", norm)])


@pytest.mark.slow
def test_studies_record_quantities_of_ones_own_in_their_workers(tmp_path: Path) -> None:
    x, y = data()
    settings: dict[str, Any] = {"losses": [LpNorm(2), CrossEntropy()], "widths": [4], "seeds": [0], "out": tmp_path}
    record = Record(measure={"norm": norm}, kernel=True)
    ds = study(x, y, **settings, epochs=2, workers=2, record=record)
    assert ds.norm.dims == ("loss", "width", "seed", "epoch")
    alone = fit(MLP((20, 4, 4, 5)), x, y, LpNorm(2), epochs=2, record=record)
    for name in ("norm", "kernel_distance", "kernel_alignment"):
        np.testing.assert_array_equal(ds[name].sel(loss="l2").squeeze(), alone[name])
    xr.testing.assert_identical(study(x, y, **settings, epochs=2, workers=1, record=record), ds)
    plotting.traces(ds.sel(width=4))
    plt.close("all")
    with pytest.raises(ValueError, match=r"other settings: record .*test_recording\.norm"):
        study(x, y, **settings, epochs=2, workers=1, record=Record(measure={"norm": len_of_inputs}, kernel=True))


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (late_nan, ValueError, "measure 'mine' must give a finite number, got nan"),
        (late_pair, TypeError, r"measure 'mine' must give one real number, got \[1\.0, 2\.0\]"),
        (late_text, TypeError, "measure 'mine' must give one real number, got '1'"),
        (late_error, KeyError, "nothing"),
        (late_exit, SystemExit, "3"),
        (late_overflow, ArithmeticError, "measure 'mine': math range error"),
    ],
)
def test_what_is_no_number_ends_a_run_once_all_is_kept(
    function: Any, error: type[BaseException], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (x, y), net, path = data(), MLP((20, 4, 5)), tmp_path / "run.npz"
    record = Record(measure={"mine": function})
    monkeypatch.setattr(Late, "START", net.parameters)
    with pytest.raises(error, match=message) as caught:
        fit(net, x, y, LpNorm(2), epochs=3, record=record, checkpoint=path)
    assert not isinstance(caught.value, OverflowError)  # which says that a run diverged
    assert "mine" in str(caught.value) + "".join(getattr(caught.value, "__notes__", []))

    # Once it is mended the run goes on from the epoch that it was measured in.
    assert checkpoint.stands_at(path) == 1
    monkeypatch.setattr(Late, "value", classmethod(lambda *_: 1.0))
    ds = fit(net, x, y, LpNorm(2), epochs=3, record=record, checkpoint=path)
    assert ds.mine.values.tolist() == [1.0] * 4
    np.testing.assert_array_equal(ds.parameters, fit(net, x, y, LpNorm(2), epochs=3).parameters)


def nan_once_trained(net: MLP, _x: Array, _y: Array) -> float:
    _, biases = net.to_arrays()
    return math.nan if biases is not None and biases[0].any() and net.widths[1] == 4 else 1.0


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_study_ends_with_the_name_of_what_is_no_number_and_keeps_its_runs(workers: int, tmp_path: Path) -> None:
    x, y = data()
    record = Record(measure={"mine": nan_once_trained})
    with pytest.raises(ValueError, match="measure 'mine' must give a finite number, got nan") as caught:
        study(
            x, y, losses=[LpNorm(2)], widths=[6, 4], seeds=[0], epochs=2, workers=workers, record=record, out=tmp_path
        )
    assert "in the run l2_4_0" in "".join(caught.value.__notes__)
    assert checkpoint.stands_at(tmp_path / "l2_4_0.checkpoint.npz") == 1
    assert workers == 2 or (tmp_path / "l2_6_0.nc").exists()  # of two at once the other may have just begun


class Bound:
    def norm(self, net: MLP, _x: Array, _y: Array) -> float:
        return float(net.parameters.size)


@pytest.mark.parametrize(
    ("measure", "error", "message"),
    [
        (3, TypeError, "measure must map names to functions, got 3"),
        ({"loss": norm}, ValueError, "measure must have names of its own, got 'loss'"),
        ({"kernel_entropy": norm}, ValueError, "names of its own, got 'kernel_entropy'"),
        ({"training_loss": norm}, ValueError, "names of its own, got 'training_loss'"),
        ({"epoch": norm}, ValueError, "names of its own, got 'epoch'"),
        ({"a b": norm}, ValueError, "measure must have names that are identifiers, got 'a b'"),
        ({3: norm}, ValueError, "measure must have names that are identifiers, got 3"),
        ({"mine": 3}, TypeError, "measure 'mine' must be a function, got 3"),
        ({"mine": lambda _n, _x, _y: 0.0}, ValueError, "measure 'mine' must be a function of a module.*<lambda>"),
        ({"mine": partial(norm)}, ValueError, r"no lambda, local or bound one, got functools\.partial"),
        ({"mine": Bound().norm}, ValueError, r"no lambda, local or bound one, got <bound method Bound\.norm"),
    ],
)
def test_quantities_that_nobody_could_know_again_are_refused(
    measure: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        Record(measure=measure)


def test_local_functions_are_refused_and_kernel_is_a_flag() -> None:
    def local(net: MLP, _x: Array, _y: Array) -> float:
        return float(net.parameters.size)

    with pytest.raises(ValueError, match="must be a function of a module"):
        Record(measure={"mine": local})
    with pytest.raises(TypeError, match="kernel must be True or False, got 1"):
        Record(kernel=1)  # type: ignore[arg-type]
