"""The study of traces through training, run as a user runs it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.examples import ROOT, quick_run, refusal, run

TRACES = ROOT / "examples" / "mnist_traces.py"
LOSSES = ["l2", "l4", "l6", "mean-power-2", "mean-power-4", "mean-power-6", "cross-entropy"]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and printed text of a quick run."""
    return quick_run(TRACES, tmp_path_factory.mktemp("traces") / "new" / "folder")


def test_a_figure_of_each_kind_is_drawn_for_each_order(quick: tuple[Path, str]) -> None:
    pictures = {file.name for file in quick[0].glob("*.png")}
    assert pictures == {f"{kind}_width16_order{order}.png" for kind in ("traces", "fisher") for order in (2, 4, 6)}
    assert min((quick[0] / name).stat().st_size for name in pictures) > 10_000


def test_the_dataset_holds_every_loss_and_says_which_data(quick: tuple[Path, str]) -> None:
    ds = xr.load_dataset(quick[0] / "traces.nc", engine="scipy")
    assert ds.loss.values.tolist() == LOSSES
    assert (ds.attrs["data"], ds.attrs["fisher"]) == ("scikit-learn's 8 × 8 digits", "empirical")
    assert np.isfinite(ds.fisher_trace).all()


def test_the_table_and_a_sentence_for_each_loss_are_printed(quick: tuple[Path, str]) -> None:
    assert quick[1].startswith("scikit-learn's 8 × 8 digits, 1797 images; 2 runs of 5 epochs")
    for loss in LOSSES:
        assert re.search(rf"^{loss} +16( +\S+){{8}}$", quick[1], re.MULTILINE), quick[1]
        assert re.search(rf"^{loss}, width 16: .* drives? tr I .*\.$", quick[1], re.MULTILINE), quick[1]
    assert quick[1].rstrip().endswith(str(quick[0]))


def test_a_second_run_resumes_with_what_is_there(quick: tuple[Path, str]) -> None:
    done = run(TRACES, "--quick", "--out", quick[0])
    table = lambda text: [line for line in text.splitlines() if not line.startswith("seconds")]  # noqa: E731
    assert (done.returncode, table(done.stdout)) == (0, table(quick[1]))


def test_runs_of_other_settings_get_one_line(quick: tuple[Path, str]) -> None:
    done = run(TRACES, "--quick", "--epochs", "7", "--out", quick[0])
    assert done.returncode == 2
    told = r".*epochs must be at most 5, which .* holds, got 7: it has no checkpoint to go on from.*\n"
    assert re.fullmatch(told, done.stderr)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--losses", "l9"], "argument --losses: invalid choice: 'l9'"),
        (["--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["--seeds", "0"], "--seeds must be at least 1, got 0"),
        (["--width", "0"], "--width must be at least 1, got 0"),
        (["--workers", "0"], "--workers must be at least 1, got 0"),
        (["--data", "/nowhere"], "--data: folder must be a folder of MNIST files, got '/nowhere'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_arguments_get_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert message in refusal(TRACES, tmp_path / "out", arguments, capsys)
