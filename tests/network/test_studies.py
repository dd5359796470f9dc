"""Studies in parallel processes, and the statistics of their records."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from infogeom import files, network
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from infogeom.network import MLP, SGD, Record, TrainingWarning, fitting, statistics, studies, study
from infogeom.network import checkpoint as checkpoint_module

RNG = np.random.default_rng(8)
X = RNG.random((40, 5)).astype(np.float32)
Y = np.eye(3)[(X[:, 0] + X[:, 1] > 1).astype(int) + (X[:, 2] > 0.7)]
SETTINGS: dict[str, Any] = {"losses": [CrossEntropy(), LpNorm(2)], "widths": [4, 6], "seeds": [0, 3], "epochs": 4}
ONE: dict[str, Any] = {"losses": [LpNorm(2)], "widths": [4], "seeds": [0]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study") / "runs"


@pytest.fixture(scope="module")
def ds(folder: Path) -> xr.Dataset:
    return study(X, Y, **SETTINGS, workers=2, out=folder)


def test_every_combination_is_in_the_dataset(ds: xr.Dataset) -> None:
    assert ds.fisher_trace.dims == ("loss", "width", "seed", "epoch")
    assert ds.fisher_trace.shape == (2, 2, 2, 5)
    assert ds.loss.values.tolist() == ["cross-entropy", "l2"]
    assert (ds.status == 0).all()
    assert np.isfinite(ds.fisher_trace).all()


def test_a_run_of_a_study_is_the_run_by_itself_to_the_bit(ds: xr.Dataset) -> None:
    alone = network.fit(MLP((5, 6, 6, 3), seed=3), X, Y, LpNorm(2), epochs=4, seed=3)
    run = ds.sel(loss="l2", width=6, seed=3)
    for name in ("fisher_trace", "ntk_trace", "accuracy", "covariance_factor"):
        np.testing.assert_array_equal(run[name], alone[name])
    np.testing.assert_array_equal(run.training_loss, alone.loss)


def test_each_run_is_saved_and_no_checkpoint_stays(ds: xr.Dataset, folder: Path) -> None:
    names = {f"{loss}_{width}_{seed}.nc" for loss in ds.loss.values for width in (4, 6) for seed in (0, 3)}
    assert {file.name for file in folder.iterdir()} == names


def test_a_study_resumes_with_the_runs_that_are_there(ds: xr.Dataset, folder: Path) -> None:
    (folder / "l2_6_3.nc").unlink()
    kept = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    again = study(X, Y, **SETTINGS, workers=1, out=folder)
    xr.testing.assert_identical(again.drop_attrs(deep=False), ds.drop_attrs(deep=False))
    assert all(file.stat().st_mtime_ns == time for file, time in kept.items())


def test_runs_of_other_settings_are_refused_by_their_name(ds: xr.Dataset, folder: Path) -> None:
    assert len(ds.epoch) == 5
    with pytest.raises(ValueError, match=r"cross-entropy_4_0.nc belongs to a run .*: batch size 128 there, 7 here"):
        study(X, Y, **SETTINGS | {"batch_size": 7}, out=folder)


def test_all_losses_and_widths_of_a_seed_are_trained_before_the_next(tmp_path: Path) -> None:
    study(X, Y, **SETTINGS, workers=1, out=tmp_path)
    written = sorted(tmp_path.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    order = [f"{loss}_{width}_{seed}.nc" for seed in (0, 3) for loss in ("cross-entropy", "l2") for width in (4, 6)]
    assert [file.name for file in written] == order


def test_a_study_goes_through_netcdf(ds: xr.Dataset, tmp_path: Path) -> None:
    ds.to_netcdf(tmp_path / "study.nc", engine="scipy")
    back = xr.load_dataset(tmp_path / "study.nc", engine="scipy")
    xr.testing.assert_equal(back, ds)
    assert back.attrs.keys() == ds.attrs.keys()


def test_a_diverged_run_ends_early_with_a_status_and_leaves_the_others() -> None:
    settings = SETTINGS | {"losses": [LpNorm(2), MeanPower(6)], "widths": [4], "seeds": [0]}
    ds = study(X, Y, **settings, workers=1, optimizer=SGD(1e6))
    assert ds.status.values.ravel().tolist() == [0, 1]
    assert np.isnan(ds.fisher_trace.sel(loss="mean-power-6")[..., -1]).all()
    assert np.isfinite(ds.fisher_trace.sel(loss="l2")).all()


def test_runs_that_diverge_at_once_leave_the_others_and_rows_of_nan() -> None:
    settings = SETTINGS | {"losses": [MeanPower(6), LpNorm(2)], "widths": [4], "seeds": [0], "epochs": 3}
    ds = study(X, 1e60 * Y, **settings, workers=1)
    assert ds.status.values.ravel().tolist() == [1, 0]
    assert np.isnan(ds.training_loss.sel(loss="mean-power-6")).all()
    assert np.isfinite(ds.training_loss.sel(loss="l2")).all()
    assert ds.attrs["epochs"] == 3
    found = statistics(ds)
    assert found.runs.values.ravel().tolist() == [0, 1]
    assert np.isnan(found.slope.sel(loss="mean-power-6")).all()


@pytest.mark.parametrize("content", [b"", b"garbage", "truncated"], ids=str)
def test_a_broken_run_file_is_named(content: bytes | str, ds: xr.Dataset, folder: Path, tmp_path: Path) -> None:
    whole = (folder / "l2_4_0.nc").read_bytes()
    (tmp_path / "l2_4_0.nc").write_bytes(content if isinstance(content, bytes) else whole[:200])
    settings = SETTINGS | {"losses": [LpNorm(2)], "widths": [4], "seeds": [0]}
    assert len(ds.epoch) == 5
    with pytest.raises(ValueError, match=r"l2_4_0\.nc is not a run of a study .* remove it"):
        study(X, Y, **settings, out=tmp_path)


def test_a_run_file_that_does_not_hold_what_was_written_is_named(ds: xr.Dataset, folder: Path, tmp_path: Path) -> None:
    run = xr.load_dataset(folder / "l2_4_0.nc", engine="scipy")
    run.assign(accuracy=run.accuracy + 1).to_netcdf(tmp_path / "l2_4_0.nc", engine="scipy")
    written = (tmp_path / "l2_4_0.nc").read_bytes()
    assert len(ds.epoch) == 5
    with pytest.raises(ValueError, match=r"l2_4_0\.nc does not hold what was written to it; remove it"):
        study(X, Y, **SETTINGS | ONE, out=tmp_path)
    assert (tmp_path / "l2_4_0.nc").read_bytes() == written


def test_a_run_of_an_earlier_version_has_no_digest_and_is_read(ds: xr.Dataset, folder: Path, tmp_path: Path) -> None:
    run = xr.load_dataset(folder / "l2_4_0.nc", engine="scipy")
    settings = json.loads(run.attrs["settings"])
    del settings["contents"]
    run.assign_attrs(settings=json.dumps(settings)).to_netcdf(tmp_path / "l2_4_0.nc", engine="scipy")
    found = study(X, Y, **SETTINGS | ONE, out=tmp_path)
    alone = ds.sel(loss=["l2"], width=[4], seed=[0])
    xr.testing.assert_identical(found.drop_attrs(deep=False), alone.drop_attrs(deep=False))


def test_what_a_study_leaves_that_is_killed_after_a_run_is_removed(
    ds: xr.Dataset, folder: Path, tmp_path: Path
) -> None:
    shutil.copy(folder / "l2_4_0.nc", tmp_path)
    (tmp_path / "l2_4_0.checkpoint.npz").touch()
    assert len(ds.epoch) == 5
    study(X, Y, **SETTINGS | ONE, out=tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["l2_4_0.nc"]


def test_a_study_goes_through_zarr(ds: xr.Dataset, tmp_path: Path) -> None:
    ds.to_zarr(tmp_path / "study.zarr", consolidated=False)
    with xr.open_zarr(tmp_path / "study.zarr", consolidated=False, chunks=None) as read:
        xr.testing.assert_equal(read.load(), ds)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are those of POSIX")
def test_runs_that_cannot_be_written_are_returned_with_one_warning(tmp_path: Path) -> None:
    script = tmp_path / "study.py"
    script.write_text(
        "import resource, warnings\n"
        "import numpy as np\n"
        "from infogeom import network\n"
        "from infogeom.losses import LpNorm\n"
        "if __name__ == '__main__':\n"
        "    x, y = np.ones((20, 5)), np.ones((20, 3))\n"
        "    network.fit(network.MLP((5, 4, 3)), x, y, LpNorm(2), epochs=1)  # whose kernels are then in the cache\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # like a disk that is full\n"
        "    with warnings.catch_warnings(record=True) as caught:\n"
        "        one = {'losses': [LpNorm(2)], 'widths': [4], 'workers': 1}\n"
        "        ds = network.study(x, y, **one, seeds=[0, 1], epochs=2, out='runs')\n"
        "    print([(w.category.__name__, w.filename == __file__, str(w.message)) for w in caught])\n"
        "    print(ds.status.values.tolist(), bool(np.isfinite(ds.training_loss).all()))\n"
    )
    process = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=200, check=True
    )
    message = "2 of 2 runs cannot be written, the first to runs/l2_4_0.nc: File too large"
    assert process.stdout == f"{[('TrainingWarning', True, message)]}\n[[[0, 0]]] True\n"
    assert not list((tmp_path / "runs").iterdir())


def gone(group: int) -> bool:
    """Whether no process of a group is left; a moment later, if some are."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    time.sleep(0.1)
    return False


@pytest.mark.skipif(os.name != "posix", reason="interrupts are sent as signals")
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_an_interrupted_study_keeps_what_it_has_and_leaves_no_worker(workers: int, tmp_path: Path) -> None:
    script = tmp_path / "study.py"
    script.write_text(
        "import signal\n"
        "import numpy as np\n"
        "from infogeom import network\n"
        "from infogeom.losses import LpNorm\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # also where this runs in a background\n"
        "x, y = np.ones((200, 5)), np.ones((200, 3))\n"
        f"keywords = dict(losses=[LpNorm(2)], widths=[4], seeds=range({workers}), epochs=10**6, out='runs')\n"
        f"network.study(x, y, **keywords, workers={workers})\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(script)], cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    checkpoints = [tmp_path / "runs" / f"l2_4_{seed}.checkpoint.npz" for seed in range(workers)]
    for _ in range(2000):
        time.sleep(0.1)
        if all(path.exists() for path in checkpoints):
            break
    os.killpg(process.pid, signal.SIGINT)
    _, printed = process.communicate(timeout=100)
    assert process.returncode != 0
    assert printed.count("Traceback") == 1
    assert "KeyboardInterrupt: the study was interrupted; 0 of " in printed
    for path in checkpoints:
        with np.load(path) as saved:
            assert saved["epoch"] >= 10
    assert any(gone(process.pid) for _ in range(100))  # the one that looks after shared resources is the last to leave


def without_times(ds: xr.Dataset) -> xr.Dataset:
    return ds.drop_attrs(deep=False)


def interrupt_at(epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every run in this process interrupted when it has come to an epoch."""
    advance = fitting._Run.advance

    def interrupting(run: Any) -> None:
        if run.epoch == epoch:
            raise KeyboardInterrupt
        advance(run)

    monkeypatch.setattr(fitting._Run, "advance", interrupting)


def test_one_worker_is_this_process_which_saves_and_tells_when_it_is_interrupted(
    ds: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(3, patch)
        with pytest.raises(KeyboardInterrupt, match=r"interrupted; 0 of 1 runs are finished .* goes on from there"):
            study(X, Y, **SETTINGS | ONE, workers=1, out=tmp_path)
        with pytest.raises(KeyboardInterrupt, match="interrupted; without out nothing is kept"):
            study(X, Y, **SETTINGS | ONE, workers=2)  # two cannot share one run
    with np.load(tmp_path / "l2_4_0.checkpoint.npz") as saved:
        assert saved["epoch"] == 3
    alone = ds.sel(loss=["l2"], width=[4], seed=[0])
    found = study(X, Y, **SETTINGS | ONE, workers=1, out=tmp_path)
    xr.testing.assert_identical(without_times(found), without_times(alone))


def test_one_worker_is_another_process_where_blas_cannot_be_held_to_one_thread_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def shared_out(tasks: Any, workers: int, **_: Any) -> Any:
        asked.append((len(tasks), workers))
        yield from ()

    monkeypatch.setattr(studies, "shared_out", shared_out)
    monkeypatch.setattr(studies, "can_limit_blas", lambda: False)
    with pytest.raises(KeyError):  # no run was trained
        study(X, Y, **SETTINGS | ONE, workers=1)
    assert asked == [(1, 1)]
    monkeypatch.setattr(studies, "current_process", lambda: SimpleNamespace(daemon=True))
    assert study(X, Y, **SETTINGS | ONE, workers=1).status == 0  # which may have no children


@pytest.mark.skipif(os.name != "posix", reason="processes are killed by signals")
def test_a_worker_that_is_killed_is_told_with_the_runs_under_way_and_the_others_are_kept(
    ds: xr.Dataset, tmp_path: Path
) -> None:
    class Own(LpNorm):
        """Of no module that a worker could import."""

        def gradient(self, f: Any, y: Any) -> Any:
            while not (tmp_path / "cross-entropy_4_0.nc").exists():
                time.sleep(0.01)
            (tmp_path / f"{files._fragment(tmp_path / 'l2_4_0.nc')}.0.part").touch()  # as if in the midst of writing
            os.kill(os.getpid(), signal.SIGKILL)
            return super().gradient(f, y)

    settings = SETTINGS | {"losses": [CrossEntropy(), Own(2)], "widths": [4], "seeds": [0]}
    message = (
        r"exit code -9 \(killed.*\); under way, its own first: l2_4_0; 1 of 2 runs are finished .* goes on from there"
    )
    with pytest.raises(RuntimeError, match=message):
        study(X, Y, **settings, workers=2, out=tmp_path)
    assert not multiprocessing.active_children()
    assert not list(tmp_path.glob(".*.part"))
    finished = (tmp_path / "cross-entropy_4_0.nc").stat().st_mtime_ns

    class Own(LpNorm):  # type: ignore[no-redef]
        """Of the same name and settings, and harmless."""

    found = study(X, Y, **settings | {"losses": [CrossEntropy(), Own(2)]}, workers=1, out=tmp_path)
    xr.testing.assert_identical(without_times(found), without_times(ds.sel(width=[4], seed=[0])))
    assert (tmp_path / "cross-entropy_4_0.nc").stat().st_mtime_ns == finished


def test_what_a_run_raises_names_it() -> None:
    class Fails(LpNorm):
        def gradient(self, f: Any, y: Any) -> Any:
            raise ZeroDivisionError("of its own")

    with pytest.raises(ZeroDivisionError) as caught:
        study(X, Y, **SETTINGS | ONE | {"losses": [Fails(2)]}, workers=1)
    assert caught.value.__notes__ == ["in the run l2_4_0"]


# --- Prolonging and cutting -------------------------------------------------------------------------------------------

LONG: dict[str, Any] = {"losses": [LpNorm(2)], "widths": [4], "seeds": [0, 3], "record": Record(every=2), "workers": 1}


@pytest.fixture(scope="module")
def long() -> xr.Dataset:
    return study(X, Y, **LONG, epochs=9)


def test_a_study_is_prolonged_to_the_bits_of_one_of_that_length(long: xr.Dataset, tmp_path: Path) -> None:
    short = study(X, Y, **LONG, epochs=5, out=tmp_path, final=False)
    assert len(list(tmp_path.glob("*.checkpoint.npz"))) == 2
    found = study(X, Y, **LONG, epochs=9, out=tmp_path)
    xr.testing.assert_identical(without_times(found), without_times(long))
    assert {file.name for file in tmp_path.iterdir()} == {"l2_4_0.nc", "l2_4_3.nc"}
    assert found.attrs["wall_time_seconds"] > short.attrs["wall_time_seconds"]
    assert found.attrs["epochs"] == 9


def test_a_prolonging_that_is_interrupted_goes_on_and_the_shorter_study_stays(
    long: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = study(X, Y, **LONG, epochs=4, out=tmp_path, final=False)
    with monkeypatch.context() as patch:
        interrupt_at(7, patch)
        with pytest.raises(KeyboardInterrupt, match="0 of 2 runs"):
            study(X, Y, **LONG, epochs=9, out=tmp_path)
    again = study(X, Y, **LONG, epochs=4, out=tmp_path)  # final: but one of the runs is longer by now
    xr.testing.assert_identical(again, short)
    assert [file.name for file in tmp_path.glob("*.npz")] == ["l2_4_0.checkpoint.npz"]
    (tmp_path / "l2_4_3.nc").unlink()
    found = study(X, Y, **LONG, epochs=9, out=tmp_path)
    xr.testing.assert_identical(without_times(found), without_times(long))


def test_checkpoints_stay_until_a_study_is_told_to_be_final(tmp_path: Path) -> None:
    for final, kept in ((False, 2), (False, 2), (True, 0)):
        study(X, Y, **LONG, epochs=4, out=tmp_path, final=final)
        assert len(list(tmp_path.glob("*.npz"))) == kept


def test_a_run_without_its_checkpoint_is_not_prolonged_but_named(tmp_path: Path) -> None:
    study(X, Y, **LONG, epochs=4, out=tmp_path)
    kept = {file: file.read_bytes() for file in tmp_path.iterdir()}
    message = r"epochs must be at most 4, which .*l2_4_0\.nc holds, got 6: .* final=False keeps; remove it to train"
    with pytest.raises(ValueError, match=message):
        study(X, Y, **LONG, epochs=6, out=tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == kept


def test_a_shorter_study_is_cut_out_of_a_longer_one_where_its_last_epoch_is_recorded(tmp_path: Path) -> None:
    study(X, Y, **LONG, epochs=9, out=tmp_path, final=False)
    kept = {file: file.read_bytes() for file in tmp_path.iterdir()}
    found = study(X, Y, **LONG, epochs=6, out=tmp_path)
    xr.testing.assert_identical(without_times(found), without_times(study(X, Y, **LONG, epochs=6)))
    assert found.attrs["epochs"] == 6
    with pytest.raises(
        ValueError, match=r"epochs must be one of those recorded in .*l2_4_0\.nc, which holds 9, .* got 7"
    ):
        study(X, Y, **LONG, epochs=7, out=tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == kept


@pytest.mark.parametrize("rate", [3e3, 1e30])
def test_a_run_that_diverged_is_the_same_in_a_longer_study_and_cut_in_a_shorter(rate: float, tmp_path: Path) -> None:
    settings: dict[str, Any] = LONG | {"record": Record(), "optimizer": SGD(rate), "losses": [MeanPower(4)]}
    eight = study(X, Y, **settings, epochs=8, out=tmp_path, final=False)
    assert (eight.status == 1).all()
    assert 0 < np.isfinite(eight.training_loss[0, 0, 0]).sum() < 8
    assert not list(tmp_path.glob("*.npz"))
    for epochs in (1, 2, 3, 4, 12):
        found = study(X, Y, **settings, epochs=epochs, out=tmp_path)
        xr.testing.assert_identical(without_times(found), without_times(study(X, Y, **settings, epochs=epochs)))


# --- Versions ---------------------------------------------------------------------------------------------------------


def of_version(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    present = checkpoint_module.versions() | {"infogeom_version": version}
    monkeypatch.setattr(checkpoint_module, "versions", lambda: present)


def test_runs_of_other_versions_are_taken_and_named_and_all_versions_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = LONG | {"epochs": 2, "out": tmp_path}
    of_version("0.0.1", monkeypatch)
    old = study(X, Y, **settings | {"seeds": [0]})
    of_version("0.0.2", monkeypatch)
    assert study(X, Y, **settings | {"seeds": [0]}).attrs["infogeom_version"] == "0.0.1"  # of one version: no warning
    message = r"several versions: l2_4_0 by infogeom 0\.0\.1, numpy .*; here infogeom 0\.0\.2, .* remove their files"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TrainingWarning, match=message):
            study(X, Y, **settings)
    assert [file.name for file in tmp_path.iterdir()] == ["l2_4_0.nc"]  # told before any training
    with pytest.warns(TrainingWarning, match=message) as caught:
        both = study(X, Y, **settings)
    assert [warning.filename for warning in caught] == [__file__]
    assert both.attrs["infogeom_version"] == "0.0.1, 0.0.2"
    assert both.attrs["numpy_version"] == np.__version__
    xr.testing.assert_equal(both.sel(seed=[0]), old)


def test_a_checkpoint_of_another_version_is_refused_before_any_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_version("0.0.1", monkeypatch)
    study(X, Y, **LONG | {"seeds": [3]}, epochs=2, out=tmp_path, final=False)
    of_version("0.0.2", monkeypatch)
    kept = {file: file.read_bytes() for file in tmp_path.iterdir()}
    message = r"l2_4_3\.checkpoint\.npz belongs to .*: infogeom_version 0\.0\.1 there, 0\.0\.2 here \(to keep it, .*"
    with pytest.raises(ValueError, match=message):
        study(X, Y, **LONG, epochs=4, out=tmp_path)
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == kept


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"losses": CrossEntropy()}, TypeError, "losses must be a sequence, got CrossEntropy"),
        ({"widths": 4}, TypeError, "widths must be a sequence, got 4"),
        ({"losses": [LpNorm(2), LpNorm(2.0)]}, ValueError, "losses must be different and at least one, got"),
        ({"losses": []}, ValueError, "losses must be different and at least one"),
        ({"losses": [LpNorm(2), LpNorm(2)]}, ValueError, "losses must be different"),
        ({"losses": ["l2"]}, TypeError, "loss must come from infogeom.losses"),
        ({"widths": [0]}, ValueError, r"widths\[1\] must be at least 1, got 0"),
        ({"seeds": [-1]}, ValueError, "seed must be at least 0, got -1"),
        ({"workers": 0}, ValueError, "workers must be at least 1, got 0"),
        ({"epochs": -1}, ValueError, "epochs must be at least 0"),
        ({"out": "/dev/null/runs"}, ValueError, "out '/dev/null/runs' cannot be written to"),
        ({"y": -Y}, ValueError, "targets of cross-entropy must be non-negative"),
        ({"optimizer": "adam"}, TypeError, "optimizer must come from infogeom.optimizers"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1"),
        ({"record": 3}, TypeError, "record must be a Record, got 3"),
        ({"final": 1}, TypeError, "final must be True or False, got 1"),
        ({"y": Y[:3]}, ValueError, r"y must have shape \(40, 3\)"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_arguments_are_named(change: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        study(**{"x": X, "y": Y} | SETTINGS | change)


# --- Statistics -------------------------------------------------------------------------------------------------------


def record(**columns: Any) -> xr.Dataset:
    return xr.Dataset({name: ("epoch", np.asarray(values, dtype=float)) for name, values in columns.items()})


T = np.linspace(0, 1, 30)


def factors(residual: Any, kernel: Any, covariance: Any, alignment: Any) -> xr.Dataset:
    """A record whose Fisher trace is the product of given factors, for ten outputs."""
    one = np.ones_like(T)
    parts = {
        "residual_square": residual * one,
        "kernel_mean": kernel * one,
        "covariance_factor": covariance * one,
        "alignment_factor": alignment * one,
    }
    return record(fisher_trace=np.prod(list(parts.values()), axis=0), ntk_trace=10 * kernel * one, **parts)


def test_what_is_no_dataset_has_no_statistics() -> None:
    with pytest.raises(TypeError, match="ds must be a Dataset from fit or study, got None"):
        statistics(None)  # type: ignore[arg-type]


def test_proportional_traces_have_a_constant_ratio_and_slope_one() -> None:
    found = statistics(factors(0.1, np.exp(T), 1, 1))
    assert found.ratio_variation == pytest.approx(0, abs=1e-12)
    assert found.ratio_range == pytest.approx(1, rel=1e-12)
    assert found.deviation == pytest.approx(0, abs=1e-12)
    assert found.slope == pytest.approx(1, rel=1e-12)
    assert found.share_kernel_mean == pytest.approx(1, rel=1e-12)


def test_shares_tell_which_factor_varies_and_sum_to_one() -> None:
    found = statistics(factors(np.exp(-3 * T), np.exp(T), np.exp(0.1 * T), 1))
    shares = [found[f"share_{name}"].item() for name in ("residual_square", "kernel_mean", "covariance_factor")]
    np.testing.assert_allclose(shares, np.array([-3, 1, 0.1]) / -1.9, rtol=1e-10)
    assert sum(shares) + found.share_alignment_factor == pytest.approx(1, rel=1e-12)


def test_the_deviation_is_what_proportionality_leaves_of_the_variance() -> None:
    # log tr I = −1.9 T and log tr I − log tr Λ = −2.9 T
    assert statistics(factors(np.exp(-3 * T), np.exp(T), np.exp(0.1 * T), 1)).deviation == pytest.approx(
        (2.9 / 1.9) ** 2
    )
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 30))
    one = factors(np.exp(a), np.exp(b), 1, 1)
    assert statistics(one).deviation == pytest.approx(np.var(a) / np.var(a + b), rel=1e-12)


def with_kernel(ntk_trace: Any, residual: Any = 1, model: str = "") -> xr.Dataset:
    """A record of a given kernel trace."""
    return factors(residual, ntk_trace / 10, 1, 1).assign(ntk_trace=("epoch", ntk_trace)).assign_attrs(model=model)


NOISE = np.random.default_rng(2).choice([-1.0, 0.0, 1.0], T.size)


@pytest.mark.parametrize(
    ("kernel", "model"),
    [
        (np.full(T.size, 7.3), ""),
        (7.3 * (1 + np.finfo(float).eps * NOISE), ""),
        (7.3 * (1 + 5e-8 * NOISE), "MLP((3, 2), dtype='float32')"),
    ],
    ids=["same", "rounding", "rounding of float32"],
)
def test_what_is_said_in_terms_of_a_kernel_that_does_not_change_is_nan(
    kernel: np.ndarray[Any, Any], model: str
) -> None:
    found = statistics(with_kernel(kernel, np.exp(T), model))
    assert np.isnan([found.slope, found.correlation]).all()
    assert found.deviation == pytest.approx(1, rel=1e-5)
    assert found.share_residual_square == pytest.approx(1, rel=1e-5)
    assert found.runs == 1
    # Nor does the Fisher trace.
    nothing = statistics(with_kernel(kernel, model=model))
    defined = {name for name in nothing if not np.isnan(nothing[name])}
    assert defined == {"ratio_variation", "ratio_range", "runs"}


def test_what_changes_little_has_its_slope_all_the_same() -> None:
    found = statistics(with_kernel(7.3 * (1 + 1e-9 * T), (1 + 1e-9 * T) ** 2))
    assert found.slope == pytest.approx(3, rel=1e-4)  # of changes of 1e-9 with roundings of 1e-16, over √30 epochs
    assert found.deviation == pytest.approx(4 / 9, rel=1e-4)


def test_linear_networks_have_no_slope_in_any_seed() -> None:
    runs = [network.fit(MLP((5, 3), seed=s), X, Y, CrossEntropy(), epochs=5) for s in (0, 1)]
    alone = [run.drop_vars("parameters") for run in runs]
    found = statistics(xr.concat(alone, "seed", combine_attrs="drop_conflicts"))
    assert np.isnan([found.slope, found.correlation]).all()
    assert found.runs == 2
    assert found.ratio_variation > 0


def test_correlation_misleads_where_the_ratio_drifts() -> None:
    found = statistics(factors(np.exp(3.5 * T), np.exp(T), 1, 1))
    assert found.correlation > 0.9
    assert found.ratio_range == pytest.approx(np.exp(3.5), rel=1e-12)


def test_statistics_of_a_study_are_means_over_its_seeds(ds: xr.Dataset) -> None:
    table = statistics(ds)
    assert table.slope.dims == ("loss", "width")
    single = [statistics(ds.sel(loss="l2", width=4, seed=s)).slope.item() for s in (0, 3)]
    assert table.slope.sel(loss="l2", width=4) == pytest.approx(np.mean(single), rel=1e-12)


def test_epochs_without_positive_traces_do_not_count() -> None:
    whole = factors(np.exp(-T), np.exp(T), 1, 1)
    broken = xr.concat([whole, xr.full_like(whole.isel(epoch=[0]), np.nan), 0 * whole.isel(epoch=[0])], "epoch")
    xr.testing.assert_allclose(statistics(broken), statistics(whole))
    with pytest.raises(ValueError, match=r"ds must hold the traces and factors .* missing \['alignment_factor'\]"):
        statistics(whole.drop_vars("alignment_factor"))
    assert np.isnan(statistics(whole.isel(epoch=[0])).slope)


def test_one_epoch_records_what_it_is_asked_to(tmp_path: Path) -> None:
    settings = SETTINGS | {"losses": [LpNorm(2)], "widths": np.array([4]), "seeds": np.arange(1), "epochs": 1}
    ds = study(X, Y, **settings, workers=1, record=Record(probe=10, losses=[MeanPower(2)]), out=tmp_path)
    assert ds.attrs["probe_samples"] == 10
    assert ds.fisher_trace_of.dims == ("loss", "width", "seed", "epoch", "measured_loss")
