"""The curvature maps, run as a user runs them."""

import re
from pathlib import Path

import pytest
import xarray as xr

from tests.examples import ROOT, quick_run, refusal, run

GRID_CURVATURE = ROOT / "examples" / "grid_curvature.py"
LOSSES = ("mean-power-2", "l2", "cross-entropy")


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and printed text of a quick run of the curvature maps, all losses."""
    return quick_run(GRID_CURVATURE, tmp_path_factory.mktemp("maps") / "new" / "folder")


def test_every_picture_and_dataset_is_written_and_nothing_else(quick: tuple[Path, str]) -> None:
    per_loss = {f"{kind}_{loss}" for loss in LOSSES for kind in ("surfaces", "along_path")}
    pictures = {"data_set", "loss_surfaces", "output_cross-entropy", "descent_and_flow_cross-entropy"} | per_loss
    datasets = {f"{kind}_{loss}" for loss in LOSSES for kind in ("grid", "path")}
    datasets |= {f"{kind}_cross-entropy" for kind in ("output", "descent", "flow")}
    expected = {f"{name}.png" for name in pictures} | {f"{name}.nc" for name in datasets}
    assert {file.name for file in quick[0].iterdir()} == expected


def test_pictures_are_not_blank(quick: tuple[Path, str]) -> None:
    pictures = list(quick[0].glob("*.png"))
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in pictures)
    assert min(file.stat().st_size for file in pictures) > 10_000


@pytest.mark.parametrize("loss", LOSSES)
def test_datasets_are_read_back_with_their_attributes(quick: tuple[Path, str], loss: str) -> None:
    grid = xr.load_dataset(quick[0] / f"grid_{loss}.nc", engine="scipy")
    assert grid["ricci_scalar"].dims == ("theta1", "theta2")
    assert (grid.attrs["loss"], grid.attrs["fisher"], grid.attrs["data"]) == (loss, "empirical", "200 samples, seed 0")
    path = xr.load_dataset(quick[0] / f"path_{loss}.nc", engine="scipy")
    assert (path["ricci_scalar"].dims, path.attrs["method"]) == (("step",), "gradient descent")
    assert [float(path[name][0]) for name in ("theta1", "theta2")] == [0.5, 0.5]


def test_the_table_tells_rates_extremes_ratios_status_times_and_files(quick: tuple[Path, str]) -> None:
    out, printed = quick
    for row in ("learning rate, steps", "classified right", "minimum of R", "maximum of R", "tr I / tr Λ: median"):
        assert re.search(rf"^{re.escape(row)} +\S", printed, re.MULTILINE), printed
    assert "coefficient of variation" in printed
    statuses = [re.findall(r" +(\d+)", line) for line in printed.splitlines() if line.startswith("status ")]
    assert [sum(map(int, counts)) for counts in zip(*statuses, strict=True)] == [1681] * 3
    assert not re.search("^status (singular|overflow|unrefined)", printed, re.MULTILINE)
    bounds = re.findall(r"\S+e-\d\d", re.search("^largest bound on .*$", printed, re.MULTILINE).group())
    assert len(bounds) == 3
    assert all(float(bound) <= 1e-9 for bound in bounds)
    assert re.search(r"^seconds .*grid \d+\.\d\d .*drawing \d+\.\d\d$", printed, re.MULTILINE)
    assert printed.rstrip().endswith(str(out))


@pytest.mark.parametrize(
    ("options", "data"),
    [
        pytest.param([], "1000 samples, seed 0", marks=pytest.mark.slow),
        (["--population"], "infinite-data limit"),
    ],
    ids=["default", "population"],
)
def test_every_point_is_classified_right_at_the_end_of_the_path(tmp_path: Path, options: list[str], data: str) -> None:
    done = run(GRID_CURVATURE, "--grid", "2", "--out", tmp_path, *options)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("classified right"))
    counts = re.findall(r"(\d+) of (\d+)", line)
    assert len(counts) == 3
    assert all(right == total for right, total in counts)
    assert {xr.load_dataset(file, engine="scipy").attrs["data"] for file in tmp_path.glob("*.nc")} == {data}


@pytest.mark.slow
def test_a_single_sample_is_singular_everywhere_and_still_drawn(tmp_path: Path) -> None:
    done = run(GRID_CURVATURE, "--quick", "--loss", "l2", "--samples", "1", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^status singular +1681$", done.stdout, re.MULTILINE)
    assert re.search(r"^minimum of R +none$", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--loss", "l9"], "argument --loss: invalid choice: 'l9'"),
        (["--grid", "1"], "--grid must be at least 2, got 1"),
        (["--grid", "many"], "argument --grid: invalid int value: 'many'"),
        (["--range", "3", "-3"], "--range must be two numbers up to 1e+06, the lower one first, got 3 -3"),
        (["--range", "nan", "1"], "--range must be two numbers up to 1e+06, the lower one first, got nan 1"),
        (["--samples", "0"], "--samples must be at least 1, got 0"),
        (["--seed", "-1"], "--seed must be at least 0, got -1"),
        (["--population", "--samples", "9"], "--population has no samples"),
        (["--unheard-of"], "unrecognized arguments: --unheard-of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_arguments_get_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert message in refusal(GRID_CURVATURE, tmp_path / "out", arguments, capsys)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_gets_one_line_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "folder"
    done = run(GRID_CURVATURE, "--out", out)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert f"--out {out} cannot be written" in line
