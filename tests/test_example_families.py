"""The gallery of families, run as a user runs it."""

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import infogeom as ig
from tests.examples import ROOT, quick_run, refusal, run

FAMILIES = ROOT / "examples" / "families.py"
PICTURES = {"gallery", "binomial", "two_normals", "manifold"}
GRIDS = {"normal", "weibull", "inverse_gaussian", "gamma", "beta", "von_mises"}
GRIDS |= {"negative_binomial", "skellam", "beta_binomial"}


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return quick_run(FAMILIES, tmp_path_factory.mktemp("families") / "new" / "folder")


def test_every_picture_and_dataset_is_written_and_nothing_else(quick: tuple[Path, str]) -> None:
    out, printed = quick
    expected = {f"{name}.png" for name in PICTURES} | {f"{name}.nc" for name in GRIDS}
    assert {file.name for file in out.iterdir()} == expected
    assert printed.rstrip().endswith(f"4 pictures and 9 grids written to {out}")


def test_pictures_are_not_blank(quick: tuple[Path, str]) -> None:
    pictures = list(quick[0].glob("*.png"))
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in pictures)
    assert min(file.stat().st_size for file in pictures) > 10_000


@pytest.mark.parametrize(("name", "R"), [("normal", -1), ("weibull", -12 / np.pi**2), ("inverse_gaussian", -1)])
def test_the_first_row_has_constant_curvature(quick: tuple[Path, str], name: str, R: float) -> None:
    grid = xr.load_dataset(quick[0] / f"{name}.nc", engine="scipy")
    np.testing.assert_allclose(grid["ricci_scalar"], R, rtol=1e-9)


def test_grids_span_the_typical_ranges(quick: tuple[Path, str]) -> None:
    for name in sorted(GRIDS - {"beta_binomial"}):
        grid = xr.load_dataset(quick[0] / f"{name}.nc", engine="scipy")
        for p in ig.models.family(name).parameters:
            assert (float(grid[p.name][0]), float(grid[p.name][-1])) == pytest.approx(p.typical)
            assert grid.sizes[p.name] == 7


def test_the_table_has_a_row_for_every_family_and_no_point_is_lost(quick: tuple[Path, str]) -> None:
    rows = re.findall(r"^(\w+)(?::30)? +(\S+) +(\S+) +(\d+) +\d+\.\d$", quick[1], re.MULTILINE)
    assert {name for name, *_ in rows} == GRIDS
    assert {lost for *_, lost in rows} == {"0"}
    (skellam,) = ((float(low), float(high)) for name, low, high, _ in rows if name == "skellam")
    assert skellam[0] < 0 < skellam[1]


def test_ellipses_do_not_overlap() -> None:
    names = runpy.run_path(str(FAMILIES))
    for name in ("normal", "gamma"):
        model = ig.models.family(name)
        _, few, radius = names["family"](model, 2)
        extent = radius * np.sqrt(np.diagonal(np.linalg.inv(few["metric"].values), axis1=1, axis2=2))
        for k, p in enumerate(model.parameters):
            assert 0 < 2 * extent[:, k].max() <= 0.3 * (p.typical[1] - p.typical[0]) + 1e-12


@pytest.mark.slow
def test_another_seed_changes_the_samples_alone(quick: tuple[Path, str], tmp_path: Path) -> None:
    done = run(FAMILIES, "--quick", "--seed", "1", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    before, after = ({name: (out / f"{name}.png").read_bytes() for name in PICTURES} for out in (quick[0], tmp_path))
    assert {name for name in PICTURES if before[name] != after[name]} == {"two_normals"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--grid", "1"], "--grid must be at least 2, got 1"),
        (["--grid", "many"], "argument --grid: invalid int value: 'many'"),
        (["--seed", "-1"], "--seed must be at least 0, got -1"),
        (["--unheard-of"], "unrecognized arguments: --unheard-of"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_arguments_get_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert message in refusal(FAMILIES, tmp_path / "out", arguments, capsys)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_gets_one_line_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run(FAMILIES, "--out", tmp_path / "file" / "folder")
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "cannot be written" in line
