"""SIGKILL at random moments: nothing that runs is left behind, and what is begun again ends as if never interrupted."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from infogeom.losses import CrossEntropy, LpNorm
from infogeom.network import MLP, Record, fit, study
from tests.reliability.killed import kill_at, processes_of, until

pytestmark = pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="processes are told by /proc")

DATA = """
import numpy as np
rng = np.random.default_rng(5)
x = rng.random((300, 6))
y = np.eye(3)[rng.integers(0, 3, 300)]
"""
FIT = f"""{DATA}
from infogeom.losses import LpNorm
from infogeom.network import MLP, Record, fit
fit(MLP((6, 40, 3)), x, y, LpNorm(2), epochs=400, record=Record(every=8), checkpoint="run.npz", checkpoint_every=1)
"""
STUDY = f"""{DATA}
from infogeom.losses import CrossEntropy
from infogeom.network import study
if __name__ == "__main__":
    study(x, y, losses=[CrossEntropy()], widths=[7], seeds=[1, 2, 3], epochs=100, workers=2, out="runs")
"""
#: Every point is refined, for no number of float64 is good enough.
GRID = """
import sys
import numpy as np
import sympy
import infogeom
u, v = sympy.symbols("u v", real=True)
metric = infogeom.symbolic.Metric((u, v), sympy.diag(1 + v**2, (2 + sympy.sin(u * v)) ** 2))
axis = np.linspace(0.1, 3, 80)
R = infogeom.grid.evaluate(metric, {"u": axis, "v": axis}, "ricci_scalar", rtol=2.3e-16).ricci_scalar
with open("R.npy", "xb") as file:
    np.save(file, R.values)
"""


def delays(seed: int, count: int, longest: float) -> list[float]:
    """Random delays before a kill, in seconds."""
    rng = random.Random(seed)
    return [round(rng.uniform(0, longest), 3) for _ in range(count)]


def moments(seed: int, count: int, longest: float) -> list[Any]:
    """Random delays before a kill, in seconds; all but the first are for the slow run."""
    first, *others = delays(seed, count, longest)
    return [first, *(pytest.param(delay, marks=pytest.mark.slow) for delay in others)]


def data() -> tuple[Any, Any]:
    found: dict[str, Any] = {}
    exec(DATA, found)
    return found["x"], found["y"]


def without_times(ds: xr.Dataset) -> xr.Dataset:
    return ds.drop_attrs(deep=False)


@pytest.fixture(scope="module")
def whole_fit() -> xr.Dataset:
    return fit(MLP((6, 40, 3)), *data(), LpNorm(2), epochs=400, record=Record(every=8))


@pytest.mark.parametrize("delay", moments(1, 40, 1.5))
def test_a_fit_that_was_killed_resumes_to_the_same_bits(delay: float, whole_fit: xr.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    assert kill_at(FIT, tmp_path, lambda _: path.exists(), delay) == []
    keywords: dict[str, Any] = {"record": Record(every=8), "checkpoint": path, "checkpoint_every": 100}
    resumed = fit(MLP((6, 40, 3)), *data(), LpNorm(2), epochs=400, **keywords)
    xr.testing.assert_identical(without_times(resumed), without_times(whole_fit))
    assert [file.name for file in tmp_path.iterdir()] == ["run.npz"]


STUDIED: dict[str, Any] = {"losses": [CrossEntropy()], "widths": [7], "seeds": [1, 2, 3], "epochs": 100}


@pytest.fixture(scope="module")
def whole_study() -> xr.Dataset:
    return study(*data(), **STUDIED, workers=1)


@pytest.mark.slow
@pytest.mark.parametrize("delay", moments(2, 40, 3))
def test_a_study_that_was_killed_resumes_to_the_same_bits(
    delay: float, whole_study: xr.Dataset, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    assert kill_at(STUDY, tmp_path, lambda _: runs.is_dir() and any(runs.iterdir()), delay) == []
    resumed = study(*data(), **STUDIED, workers=2, out=runs)
    xr.testing.assert_identical(without_times(resumed), without_times(whole_study))
    assert {file.name for file in runs.iterdir()} == {f"cross-entropy_7_{seed}.nc" for seed in (1, 2, 3)}


def run_again(folder: Path) -> bytes:
    subprocess.run([sys.executable, "-c", GRID], cwd=folder, check=True)
    return (folder / "R.npy").read_bytes()


@pytest.fixture(scope="module")
def whole_grid(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return run_again(tmp_path_factory.mktemp("grid"))


def refines(main: int) -> bool:
    """Whether a process has workers."""
    return len(processes_of(main)) > 3


@pytest.mark.parametrize("delay", moments(3, 10, 1.5))
def test_a_grid_that_was_killed_as_it_refined_gives_the_same_bits_when_run_again(
    delay: float, whole_grid: bytes, tmp_path: Path
) -> None:
    assert kill_at(GRID, tmp_path, refines, delay) == []
    (tmp_path / "R.npy").unlink(missing_ok=True)
    assert run_again(tmp_path) == whole_grid


def test_an_interrupt_during_refinement_prints_one_traceback_that_of_the_script(tmp_path: Path) -> None:
    # Where this process ignores interrupts, as in the background of a shell, its children would too.
    script = f"import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n{GRID}"
    main = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    until(lambda: refines(main.pid) or main.poll() is not None)
    os.killpg(main.pid, signal.SIGINT)
    _, printed = main.communicate()
    assert printed.count("Traceback") == 1
    assert printed.endswith("KeyboardInterrupt\n")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of kernels that is empty at first, then left as it is by whatever is killed."""
    return tmp_path_factory.mktemp("cache")


@pytest.mark.slow
@pytest.mark.parametrize("delay", delays(4, 10, 12))
def test_a_grid_that_was_killed_at_any_time_gives_the_same_bits_when_run_again(
    delay: float, cache: Path, whole_grid: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFOGEOM_CACHE_DIR", str(cache))
    assert kill_at(GRID, tmp_path, lambda _: True, delay) == []
    (tmp_path / "R.npy").unlink(missing_ok=True)
    assert run_again(tmp_path) == whole_grid
