"""Training: the update that is meant, records that add up, and runs that resume to the bit."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
import xarray as xr

from infogeom import network
from infogeom.files import write_atomically
from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.network import MLP, SGD, Adam, Record, TrainingWarning, fit
from infogeom.network import checkpoint as checkpoints
from infogeom.network import fitting as fitting_module
from infogeom.network.passes import one_blas_thread
from infogeom.network.steps import steps_of
from infogeom.optimizers import KFAC, Descent, NaturalGradient
from tests import network_reference as reference

Array = np.ndarray[Any, np.dtype[Any]]

LOSSES: list[Loss] = [LpNorm(2), LpNorm(6), MeanPower(2), MeanPower(6), CrossEntropy()]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
#: Eigenvectors of K-FAC are older than the averages that a checkpoint of these tests holds.
OPTIMIZERS: list[Descent] = [Adam(), SGD(0.01, 0.9), NaturalGradient(0.1, 0.1), KFAC(0.1, 0.1, 0.9, 7, "expected")]
every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda rule: type(rule).__name__)
RNG = np.random.default_rng(8)
X = RNG.random((60, 5))
Y = np.eye(3)[(X[:, 0] + X[:, 1] > 1).astype(int) + (X[:, 2] > 0.7)]
NET = MLP((5, 8, 7, 3), dtype="float64", initialization="pytorch", activation="tanh")
FACTORS = ("residual_square", "kernel_mean", "covariance_factor", "alignment_factor")


def trained(ds: xr.Dataset, net: MLP = NET) -> MLP:
    return net.with_parameters(ds.parameters)


def without_times(ds: xr.Dataset) -> xr.Dataset:
    return ds.drop_attrs(deep=False)


# --- The update -------------------------------------------------------------------------------------------------------


def mean_gradient(net: MLP, loss: Loss, x: Array, y: Array) -> Array:
    f, J = reference.outputs_and_jacobian(x, *net.to_arrays(), net.activation, net.scales)
    return np.asarray(np.einsum("na,nap->p", loss.gradient(f, y), J) / len(x))


@every_loss
@pytest.mark.parametrize("kind", [{}, {"parametrization": "ntk"}, {"bias": False}], ids=str)
def test_twenty_full_batch_steps_are_those_of_the_paper(loss: Loss, kind: dict[str, Any]) -> None:
    net = MLP((5, 8, 7, 3), dtype="float64", initialization="pytorch", activation="tanh", **kind)
    theta = net.parameters
    m, v = np.zeros_like(theta), np.zeros_like(theta)
    for t in range(1, 21):
        g = mean_gradient(net.with_parameters(theta), loss, X, Y)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta - 0.01 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    found = fit(net, X, Y, loss, epochs=20, batch_size=None, optimizer=Adam(0.01)).parameters.values
    np.testing.assert_allclose(found, theta, rtol=0, atol=1e-12 if isinstance(loss, CrossEntropy) else 1e-11)


def test_batches_pass_every_sample_once_in_an_order_of_seed_and_epoch() -> None:
    theta, rate, loss = NET.parameters, 0.1, MeanPower(2)
    for epoch in range(2):
        order = np.random.default_rng([4, epoch]).permutation(60)
        for start in range(0, 60, 16):  # the last batch is shorter
            rows = order[start : start + 16]
            theta = theta - rate * mean_gradient(NET.with_parameters(theta), loss, X[rows], Y[rows])
    found = fit(NET, X, Y, loss, epochs=2, batch_size=16, optimizer=SGD(rate), seed=4).parameters.values
    np.testing.assert_allclose(found, theta, rtol=0, atol=1e-13)


@every_loss
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_lowers_the_loss(loss: Loss, dtype: str) -> None:
    ds = fit(MLP((5, 16, 3), dtype=dtype), X, Y, loss, epochs=60, batch_size=16, optimizer=Adam(5e-3))
    assert ds.loss[-1] < 0.8 * ds.loss[0]
    assert ds.accuracy[-1] > ds.accuracy[0]
    assert ds.parameters.dtype == np.dtype(dtype)


def test_adam_in_float32_goes_on_where_squares_of_gradients_are_none() -> None:
    # Derivatives of (f − y)⁶ by outputs are some 1e20 for targets of 1e4.
    moved = []
    for dtype in ("float32", "float64"):
        net = MLP((5, 8, 3), dtype=dtype)
        ds = fit(net, X, 1e4 * (1 + Y), MeanPower(6), epochs=3, batch_size=16)
        assert ds.attrs["ended"] == "complete"
        moved.append(ds.parameters.values - net.parameters)
    # Steps of 1e-3 to and fro, with parameters of size 1 and gradients rounded to float32.
    np.testing.assert_allclose(moved[0], moved[1], rtol=0, atol=1e-5)


def test_the_network_that_was_given_stays_as_it_was() -> None:
    before = NET.parameters.copy()
    ds = fit(NET, X, Y, LpNorm(2), epochs=1)
    assert (NET.parameters == before).all()
    assert (ds.parameters != before).any()


# --- The record -------------------------------------------------------------------------------------------------------


@every_loss
def test_the_record_holds_the_traces_of_the_network_at_that_epoch(loss: Loss) -> None:
    ds = fit(NET, X, Y, loss, epochs=2, batch_size=16)
    for at, net in ((0, NET), (-1, trained(ds))):
        row = ds.isel(epoch=at)
        assert row.fisher_trace == pytest.approx(network.fisher_trace(net, X, Y, loss), rel=1e-12)
        expected = network.fisher_trace(net, X, None, loss, fisher="expected")
        assert row.fisher_trace_expected == pytest.approx(expected, rel=1e-12)
        assert row.ntk_trace == pytest.approx(network.ntk_trace(net, X), rel=1e-12)
        assert row.loss == pytest.approx(loss.values(net.output(X), Y).mean(), rel=1e-12)
        assert row.accuracy == (net.output(X).argmax(1) == Y.argmax(1)).mean()


@pytest.mark.parametrize(("loss", "accuracy"), [(CrossEntropy(), 1.0), (LpNorm(2), 0.5)], ids=str)
def test_the_accuracy_of_one_output_takes_it_for_a_logit_of_cross_entropy_alone(loss: Loss, accuracy: float) -> None:
    net = MLP.from_arrays([np.ones((1, 1))], [np.zeros(1)])
    x, y = np.array([[0.3], [-0.3]]), np.array([[1.0], [0.0]])
    assert fit(net, x, y, loss, epochs=0).accuracy.item() == accuracy


@every_loss
def test_the_factors_multiply_to_the_fisher_trace(loss: Loss) -> None:
    ds = fit(NET, X, Y, loss, epochs=3, batch_size=16)
    product = np.prod([ds[name].values for name in FACTORS], axis=0)
    np.testing.assert_allclose(product, ds.fisher_trace, rtol=1e-13)
    r = loss.gradient(NET.output(X), Y)
    assert ds.residual_square[0] == pytest.approx((r**2).sum(axis=1).mean(), rel=1e-12)
    np.testing.assert_allclose(ds.kernel_mean, ds.ntk_trace / 3, rtol=1e-14)


def test_a_network_that_is_right_everywhere_has_no_fisher_trace_and_factors_all_the_same() -> None:
    ds = fit(NET, X, NET.output(X), LpNorm(2), epochs=0)
    assert ds.fisher_trace.item() == 0
    assert np.prod([ds[name].item() for name in FACTORS]) == 0


def test_other_losses_are_measured_beside() -> None:
    losses = [MeanPower(4), CrossEntropy()]
    ds = fit(NET, X, Y, LpNorm(2), epochs=1, record=Record(losses=losses))
    assert ds.measured_loss.values.tolist() == ["mean-power-4", "cross-entropy"]
    for loss in losses:
        found = ds.fisher_trace_of.sel(measured_loss=loss.name)[-1]
        assert found == pytest.approx(network.fisher_trace(trained(ds), X, Y, loss), rel=1e-12)


def test_leading_eigenvalues_are_recorded() -> None:
    ds = fit(NET, X, Y, LpNorm(2), epochs=1, record=Record(spectra=4))
    net = trained(ds)
    np.testing.assert_allclose(ds.fisher_spectrum[-1], network.fisher_spectrum(net, X, Y, LpNorm(2))[:4], rtol=1e-10)
    np.testing.assert_allclose(ds.ntk_spectrum[-1], network.ntk_spectrum(net, X, outputs="trace")[:4], rtol=1e-10)


def test_dead_units_are_counted() -> None:
    weights, biases = MLP((5, 4, 3), dtype="float64").to_arrays()
    assert biases is not None
    biases[0][:] = [-100, -100, 100, 100]
    ds = fit(MLP.from_arrays(weights, biases), X, Y, LpNorm(2), epochs=0)
    assert ds.live_fraction.item() == 0.5


@pytest.mark.parametrize(("every", "epochs", "expected"), [(1, 3, [0, 1, 2, 3]), (2, 5, [0, 2, 4, 5]), (9, 2, [0, 2])])
def test_first_and_last_epoch_are_always_recorded(every: int, epochs: int, expected: list[int]) -> None:
    ds = fit(NET, X, Y, LpNorm(2), epochs=epochs, record=Record(every=every))
    assert ds.epoch.values.tolist() == expected


def test_the_probe_set_is_measured_and_named() -> None:
    ds = fit(NET, X, Y, LpNorm(2), epochs=0, record=Record(probe=20, seed=3))
    rows = network.stratified_sample(Y, 20, seed=3)
    assert ds.attrs["probe_samples"] == 20
    assert ds.ntk_trace.item() == pytest.approx(network.ntk_trace(NET, X[rows]), rel=1e-12)


def test_a_stratified_sample_keeps_the_share_of_every_class() -> None:
    labels = np.sort(np.random.default_rng(0).choice(4, 1000, p=[0.5, 0.3, 0.15, 0.05]))
    rows = network.stratified_sample(np.eye(4)[labels], 200, seed=1)
    assert len(np.unique(rows)) == 200
    assert abs(np.bincount(labels[rows]) / 200 - np.bincount(labels) / 1000).max() <= 1 / 200
    assert (rows != network.stratified_sample(np.eye(4)[labels], 200, seed=2)).any()


def test_a_record_goes_through_netcdf(tmp_path: Path) -> None:
    ds = fit(NET, X, Y, LpNorm(2), epochs=2)
    ds.to_netcdf(tmp_path / "fit.nc", engine="scipy")
    xr.testing.assert_identical(xr.load_dataset(tmp_path / "fit.nc", engine="scipy"), ds)


@pytest.mark.filterwarnings("error")
def test_a_record_goes_through_zarr(tmp_path: Path) -> None:
    ds = fit(NET, X, Y, LpNorm(2), epochs=1, record=Record(losses=[MeanPower(2)]))
    ds.to_zarr(tmp_path / "fit.zarr", consolidated=False)
    with xr.open_zarr(tmp_path / "fit.zarr", consolidated=False, chunks=None) as read:
        xr.testing.assert_identical(read.load(), ds)


# --- Repeating, interrupting, resuming --------------------------------------------------------------------------------


@every_optimizer
def test_a_run_resumed_from_its_checkpoint_is_the_same_to_the_bit(optimizer: Any, tmp_path: Path) -> None:
    keywords: dict[str, Any] = {
        "optimizer": optimizer,
        "batch_size": 16,
        "record": Record(every=2, losses=[MeanPower(2)]),
    }
    net = MLP((5, 8, 3))
    whole = fit(net, X, Y, CrossEntropy(), epochs=7, **keywords)
    fit(net, X, Y, CrossEntropy(), epochs=3, checkpoint=tmp_path / "run.npz", **keywords)
    parts = fit(net, X, Y, CrossEntropy(), epochs=7, checkpoint=tmp_path / "run.npz", **keywords)
    xr.testing.assert_identical(without_times(parts), without_times(whole))
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


@every_optimizer
def test_an_interrupted_run_keeps_what_is_done_and_resumes(
    optimizer: Descent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net, path, calls = MLP((5, 8, 3)), tmp_path / "run.npz", 0
    steps = type(steps_of(optimizer, net, CrossEntropy()))
    update = steps.update

    def interrupting(*arguments: Any) -> None:
        nonlocal calls
        calls += 1
        update(*arguments)
        if calls == 11:  # in the middle of the third epoch of four batches
            raise KeyboardInterrupt

    keywords: dict[str, Any] = {"epochs": 6, "batch_size": 16, "optimizer": optimizer}
    whole = fit(net, X, Y, CrossEntropy(), **keywords)
    monkeypatch.setattr(steps, "update", interrupting)
    with pytest.warns(TrainingWarning, match="interrupted after epoch 2 of 6"):
        part = fit(net, X, Y, CrossEntropy(), checkpoint=path, **keywords)
    assert part.attrs["ended"] == "interrupted"
    assert part.epoch.values.tolist() == [0, 1, 2]
    resumed = fit(net, X, Y, CrossEntropy(), checkpoint=path, **keywords)
    xr.testing.assert_identical(without_times(resumed), without_times(whole))


def test_an_interrupted_run_is_saved_before_it_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, advance = tmp_path / "run.npz", fitting_module._Run.advance

    def interrupting(run: Any) -> None:
        if run.epoch == 7:
            raise KeyboardInterrupt
        advance(run)

    monkeypatch.setattr(fitting_module._Run, "advance", interrupting)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TrainingWarning, match="interrupted after epoch 7 of 20"):
            fit(NET, X, Y, CrossEntropy(), epochs=20, checkpoint=path)
    with np.load(path) as saved:
        assert saved["epoch"] == 7


def test_blas_is_held_to_one_thread_until_the_last_who_asked_has_left() -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def threads() -> set[int]:
        return {pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}

    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        before = threads()
        first, second, third = one_blas_thread(), one_blas_thread(), one_blas_thread()
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)  # as one of several threads does that began before the others
        assert threads() == {1}
        third.__enter__()
        second.__exit__(None, None, None)
        assert threads() == {1}
        third.__exit__(None, None, None)
        assert threads() == before == {2}
        with pytest.raises(ZeroDivisionError), one_blas_thread():
            raise ZeroDivisionError
        assert threads() == before


@pytest.mark.filterwarnings("ignore:overflow|invalid")
def test_a_run_that_diverges_ends_with_advice_and_keeps_its_record(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    with pytest.warns(
        TrainingWarning, match=r"diverged in epoch \d+: .*last recorded loss .*learning_rate below 1e\+30"
    ):
        ds = fit(MLP((5, 8, 3)), X, Y, MeanPower(6), epochs=20, optimizer=SGD(1e30), checkpoint=path)
    assert ds.attrs["ended"] == "diverged"
    assert ds.epoch.values.tolist()[0] == 0
    assert np.isfinite(ds.loss).all()


def test_what_is_too_large_from_the_start_is_not_blamed_on_the_learning_rate() -> None:
    with pytest.warns(TrainingWarning, match=r"diverged in epoch 0: .* inputs, targets or initial parameters"):
        ds = fit(NET, X, 1e200 * Y, MeanPower(6), epochs=3)
    assert ds.sizes["epoch"] == 0
    assert ds.attrs["ended"] == "diverged"


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"loss": LpNorm(4)}, r"loss LpNorm\(p=2.0\) there, LpNorm\(p=4.0\) here"),
        ({"optimizer": Adam(0.5)}, "optimizer .*0.001.* there, .*0.5.* here"),
        ({"optimizer": NaturalGradient(0.1, 1.0)}, r"optimizer Adam\(.* there, NaturalGradient\(.*damping=1.0.* here"),
        ({"optimizer": KFAC(0.1, 1.0)}, r"optimizer Adam\(.* there, KFAC\(.*decay=0.95, interval=10.* here"),
        ({"batch_size": 7}, "batch size 60 there, 7 here"),
        ({"seed": 5}, "seed 0 there, 5 here"),
        ({"record": Record(every=2)}, "record .* there, .*every=2.* here"),
        ({"x": X + 1}, "data .* there, .* here"),
        ({"net": MLP((5, 4, 3))}, r"widths \(5, 8, 3\) there, \(5, 4, 3\) here"),
        ({"net": MLP((5, 8, 3), seed=9)}, "initial parameters .* there, .* here"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_checkpoint_of_other_settings_is_refused_by_their_name(
    change: dict[str, Any], difference: str, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"net": MLP((5, 8, 3)), "x": X, "loss": LpNorm(2), "epochs": 1}
    settings["checkpoint"] = tmp_path / "run.npz"
    fit(y=Y, **settings)
    with pytest.raises(ValueError, match=f"belongs to a run with other settings: {difference}"):
        fit(y=Y, **settings | change)


def test_a_checkpoint_of_another_version_is_refused_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.npz"
    fit(NET, X, Y, LpNorm(2), epochs=1, checkpoint=path)
    written, present = path.read_bytes(), checkpoints.versions()
    for name in ("infogeom", "numpy", "numba"):
        other = present | {f"{name}_version": "0.0"}
        monkeypatch.setattr(checkpoints, "versions", lambda other=other: other)
        with pytest.raises(ValueError, match=f"settings: {name}_version .* there, 0.0 here .*to start anew, remove it"):
            fit(NET, X, Y, LpNorm(2), epochs=2, checkpoint=path)
    assert path.read_bytes() == written


def test_the_time_of_a_run_is_that_of_all_its_sessions(tmp_path: Path) -> None:
    seconds = []
    for epochs in (1, 1, 2):
        ds = fit(NET, X, Y, LpNorm(2), epochs=epochs, checkpoint=tmp_path / "run.npz")
        seconds.append(ds.attrs["wall_time_seconds"])
    assert 0 < seconds[0] < seconds[1] < seconds[2]


def test_a_file_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.npz").write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"run.npz is not a checkpoint"):
        fit(NET, X, Y, LpNorm(2), epochs=1, checkpoint=tmp_path / "run.npz")


@pytest.mark.parametrize(
    ("checkpoint", "error", "message"),
    [
        (3, TypeError, "checkpoint must be a path, got 3"),
        ("", ValueError, "checkpoint must be a path, got an empty one"),
    ],
)
def test_a_checkpoint_that_is_no_path_is_told(checkpoint: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fit(NET, X, Y, LpNorm(2), epochs=1, checkpoint=checkpoint)


def test_what_may_be_read_without_end_is_no_checkpoint(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "run.npz")
    with pytest.raises(ValueError, match=r"run\.npz must be a file, to hold a checkpoint"):
        fit(NET, X, Y, LpNorm(2), epochs=1, checkpoint=tmp_path / "run.npz")


def checkpointed(path: Path) -> tuple[dict[str, str], dict[str, Array]]:
    """Settings and arrays in the checkpoint of a run, ready to be written again."""
    fit(NET, X, Y, LpNorm(2), epochs=3, checkpoint=path, record=Record(losses=[MeanPower(2)], spectra=3))
    with np.load(path) as file:
        arrays = dict(file)
    settings = json.loads(str(arrays.pop("settings")))
    del settings["contents"]
    return settings, arrays


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state_1": np.zeros(3)}, r"state_1 must be float64 of shape \(135,\), got float64 of shape \(3,\)"),
        ({"parameters": np.zeros(136)}, r"parameters must be float64 of shape \(135,\), got float64 of shape \(136,\)"),
        ({"parameters": np.zeros(135, np.float32)}, r"parameters must be float64 .*, got float32 of shape \(135,\)"),
        ({"parameters": np.full(135, np.nan)}, "parameters must be finite, got nan"),
        ({"state_0": np.full(135, -np.inf)}, "state_0 must be finite, got -inf"),
        ({"state_1": np.full(135, np.inf)}, "state_1 must be finite, got inf"),
        ({"state_2": np.zeros(135)}, r"must hold the arrays of its run; missing \[\], unknown \['state_2'\]"),
        ({"state_1": None}, r"missing \['state_1'\], unknown \[\]"),
        ({"epochs": None}, r"missing \['epochs'\], unknown \[\]"),
        ({"record_loss": None}, r"missing \['record_loss'\], unknown \[\]"),
        ({"record_zzz": np.zeros(4)}, r"missing \[\], unknown \['record_zzz'\]"),
        ({"record_fisher_spectrum": np.zeros((4, 2))}, r"record_fisher_spectrum must be float64 of shape \(4, 3\)"),
        ({"record_accuracy": np.full(4, np.inf)}, "record_accuracy must be finite, got inf"),
        ({"epoch": np.array(2.7)}, r"epoch must be int64 of shape \(\), got float64"),
        ({"epoch": np.array(-1)}, r"epochs must be those recorded up to epoch -1, got \[0 1 2 3\]"),
        ({"epochs": np.arange(50)}, r"record_loss must be float64 of shape \(50,\), got float64 of shape \(4,\)"),
        ({"epochs": np.array([0, 1, 3, 2])}, "epochs must be those recorded up to epoch 3"),
        ({"epochs": np.array([0, 1, 2, 4])}, "epochs must be those recorded up to epoch 3"),
        ({"epochs": np.zeros(0, int)}, r"epochs must be int64 of shape \(1,\), got int64 of shape \(0,\)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_checkpoint_of_the_right_settings_and_wrong_arrays_is_refused_by_name(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.npz"
    settings, arrays = checkpointed(path)
    wrong = {name: array for name, array in (arrays | change).items() if array is not None}
    checkpoints.save(path, settings, wrong)
    written = path.read_bytes()
    with pytest.raises(ValueError, match=rf"run\.npz.*{message}"):
        checkpointed(path)
    assert path.read_bytes() == written


def test_arrays_that_are_not_those_written_are_named(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    checkpointed(path)
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **arrays | {"epoch": np.array(2), "parameters": arrays["parameters"] + 1})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"run\.npz is damaged: epoch, parameters not as written; remove it"):
        checkpointed(path)


@pytest.mark.parametrize("content", ["[" * 100_000, "[1, 2]", "3", "{"], ids=["deep", "list", "number", "cut"])
def test_settings_that_are_none_are_refused_by_name(content: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "run.npz", settings=np.array(content))
    with pytest.raises(ValueError, match=r"run\.npz is not a checkpoint of a training run"):
        checkpointed(tmp_path / "run.npz")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("widths", [(5, 3), (5, 4, 3)], ids=str)
@pytest.mark.parametrize("record", [Record(), Record(every=2, probe=3, spectra=7, losses=[LpNorm(4)])], ids=str)
@every_optimizer
def test_every_kind_of_run_reads_its_own_checkpoint(
    widths: tuple[int, ...], dtype: str, record: Record, optimizer: Any, tmp_path: Path
) -> None:
    net, path = MLP(widths, dtype=dtype), tmp_path / "run.npz"
    for epochs in (0, 3, 4):
        ds = fit(net, X, Y, LpNorm(2), epochs=epochs, record=record, optimizer=optimizer, checkpoint=path)
    whole = fit(net, X, Y, LpNorm(2), epochs=4, record=record, optimizer=optimizer)
    xr.testing.assert_identical(without_times(ds), without_times(whole))


def test_a_checkpoint_without_digests_is_read(tmp_path: Path) -> None:
    settings, arrays = checkpointed(tmp_path / "run.npz")
    np.savez(tmp_path / "run.npz", settings=np.array(json.dumps(settings)), **arrays)  # type: ignore[arg-type]
    assert checkpointed(tmp_path / "run.npz")[0] == settings


def test_a_checkpoint_whose_name_is_as_long_as_names_may_be_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("g" * 251 + ".npz")
    fit(NET, X, Y, LpNorm(2), epochs=1, checkpoint=path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_checkpoint_that_cannot_be_written_warns_once_and_the_run_goes_on(tmp_path: Path) -> None:
    whole = fit(NET, X, Y, LpNorm(2), epochs=3)
    with pytest.warns(TrainingWarning, match=r"checkpoint .* cannot be written: File name too long") as caught:
        ds = fit(NET, X, Y, LpNorm(2), epochs=3, checkpoint=tmp_path / ("g" * 300 + ".npz"), checkpoint_every=1)
    assert [warning.filename for warning in caught] == [__file__]
    xr.testing.assert_identical(without_times(ds), without_times(whole))


class RemovesItsFolder(LpNorm):
    """A loss that removes a folder when it is first asked for a gradient in the third epoch."""

    folder: Path
    asked = 0

    def gradient(self, f: Array, y: Array) -> Array:
        self.__class__.asked += 1
        if self.asked == 6 and self.folder.is_dir():
            shutil.rmtree(self.folder)
        return super().gradient(f, y)


def test_a_folder_that_goes_during_a_run_costs_its_checkpoint_alone(tmp_path: Path) -> None:
    RemovesItsFolder.folder = tmp_path / "runs"
    RemovesItsFolder.folder.mkdir()
    whole = fit(NET, X, Y, LpNorm(2), epochs=5)
    with pytest.warns(TrainingWarning, match="cannot be written: No such file or directory; the run goes on"):
        ds = fit(NET, X, Y, RemovesItsFolder(2), epochs=5, checkpoint=tmp_path / "runs" / "a.npz", checkpoint_every=1)
    assert not (tmp_path / "runs").exists()
    xr.testing.assert_identical(without_times(ds), without_times(whole))


def test_what_a_killed_run_left_of_a_checkpoint_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    left = tmp_path / "left"

    def killed(file: BinaryIO) -> None:
        file.write(b"half")
        [part] = tmp_path.glob(".*.part")
        left.write_text(part.name)

    write_atomically(path, killed)
    path.unlink()
    (tmp_path / left.read_text()).write_bytes(b"half")
    left.unlink()
    (tmp_path / ".other.part").touch()
    fit(NET, X, Y, LpNorm(2), epochs=1, checkpoint=path)
    assert {file.name for file in tmp_path.iterdir()} == {"run.npz", ".other.part"}


def test_a_checkpoint_beyond_the_epochs_asked_for_is_a_value_error(tmp_path: Path) -> None:
    fit(NET, X, Y, LpNorm(2), epochs=3, checkpoint=tmp_path / "run.npz")
    with pytest.raises(ValueError, match="epochs must be at least 3"):
        fit(NET, X, Y, LpNorm(2), epochs=2, checkpoint=tmp_path / "run.npz")


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"net": None}, TypeError, "net must be an MLP, got NoneType"),
        ({"x": X[:, :3]}, ValueError, r"x must have shape \(N, 5\)"),
        ({"y": Y[:4]}, ValueError, r"y must have shape \(60, 3\), one row per sample, got \(4, 3\)"),
        ({"loss": "l2"}, TypeError, "loss must come from infogeom.losses"),
        ({"epochs": -1}, ValueError, "epochs must be at least 0, got -1"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"optimizer": "adam"}, TypeError, "optimizer must come from infogeom.optimizers, got 'adam'"),
        ({"record": 3}, TypeError, "record must be a Record, got 3"),
        ({"seed": 1.5}, TypeError, "seed must be an int, got 1.5"),
        ({"checkpoint": "/nowhere/run.npz"}, ValueError, "checkpoint must lie in a folder that exists"),
        ({"checkpoint_every": 0}, ValueError, "checkpoint_every must be at least 1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_named(change: dict[str, Any], error: type[Exception], message: str) -> None:
    settings: dict[str, Any] = {"net": NET, "x": X, "y": Y, "loss": LpNorm(2), "epochs": 1}
    with pytest.raises(error, match=message):
        fit(**settings | change)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Record(every=0), "every must be at least 1, got 0"),
        (lambda: Record(probe=0), "probe must be at least 1, got 0"),
        (lambda: Record(spectra=-1), "spectra must be at least 0, got -1"),
        (lambda: Record(losses=[LpNorm(2), LpNorm(2.0)]), r"losses must have different names, got \['l2', 'l2'\]"),
        (lambda: network.stratified_sample(Y, -3), "size must be at least 1, got -3"),
        (lambda: network.stratified_sample(Y[:, 0], 3), r"targets must have shape \(N, O\),.* got \(60,\) of float64"),
    ],
)
def test_bad_records_are_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
