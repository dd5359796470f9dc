"""Trained against linearised networks, run as a user runs it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.examples import ROOT, quick_run, refusal

LAZY = ROOT / "examples" / "lazy_training.py"


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and printed text of a quick run."""
    return quick_run(LAZY, tmp_path_factory.mktemp("lazy") / "new" / "folder")


def test_one_figure_and_its_numbers_are_written(quick: tuple[Path, str]) -> None:
    assert {file.name for file in quick[0].iterdir()} == {"lazy_training.png", "lazy_training.nc"}
    assert (quick[0] / "lazy_training.png").stat().st_size > 10_000


def test_the_wider_network_is_lazier(quick: tuple[Path, str]) -> None:
    ds = xr.load_dataset(quick[0] / "lazy_training.nc", engine="scipy")
    assert (ds.attrs["data"], ds.attrs["images"], ds.attrs["rate"]) == ("scikit-learn's 8 × 8 digits", 40, 0.1)
    assert ds.width.values.tolist() == [16, 64]
    for name in ("deviation_learnt", "deviation_other"):
        last = ds[name].isel(time=-1)
        assert (last.sel(width=64) > 0).all()
        assert (last.sel(width=64) < last.sel(width=16)).all()
    assert (ds.loss_trained.isel(time=-1) < ds.loss_trained.isel(time=0)).all()


def test_times_are_rate_times_steps(quick: tuple[Path, str]) -> None:
    ds = xr.load_dataset(quick[0] / "lazy_training.nc", engine="scipy")
    steps = ds.time / 0.1
    np.testing.assert_allclose(steps, steps.round(), rtol=1e-12)
    assert (float(steps[0]), float(steps[-1])) == pytest.approx((1, 50))


def test_a_table_and_a_sentence_are_printed(quick: tuple[Path, str]) -> None:
    assert quick[1].startswith("scikit-learn's 8 × 8 digits, 40 images learnt, as many others; mean-power-2")
    for width in (16, 64):
        assert re.search(rf"^ +{width}( +\d\.\d{{4}} ± \d\.\d{{4}}){{6}}$", quick[1], re.MULTILINE), quick[1]
    told = (
        r"the way they went: .* % for width 16, .* % for width 64; .* as much for 16 as for 64, where 1/√W says 2\.00\."
    )
    assert re.search(told, quick[1])
    assert quick[1].rstrip().endswith(str(quick[0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--images", "9"], "--images must be at least 10, got 9"),
        (["--images", "401"], "--images must be at most 400, got 401"),
        (["--steps", "0"], "--steps must be at least 1, got 0"),
        (["--seeds", "0"], "--seeds must be at least 1, got 0"),
        (["--width", "0"], "--width must be at least 1, got 0"),
        (["--rate", "-1"], "--rate must be positive and finite, got -1"),
        (["--data", "/nowhere"], "--data: folder must be a folder of MNIST files, got '/nowhere'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_arguments_get_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert message in refusal(LAZY, tmp_path / "out", arguments, capsys)


@pytest.mark.filterwarnings("ignore:training with mean-power-2 diverged")
def test_a_rate_that_diverges_gets_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = refusal(LAZY, tmp_path / "out", ["--quick", "--rate", "1e6"], capsys)
    assert "--rate 1e+06 is too large: gradient descent of width 16 diverges" in told
