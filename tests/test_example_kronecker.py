"""The study of Kronecker approximations through training, run as a user runs it."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import infogeom as ig
from tests.examples import ROOT, quick_run, refusal

KRONECKER = ROOT / "examples" / "mnist_kronecker.py"
EXAMPLE = runpy.run_path(str(KRONECKER))
LOSSES = ["l2", "mean-power-2", "cross-entropy"]
SMALL = ["--losses", "l2", "--width", "5", "--probe", "60", "--every", "2"]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and printed text of a quick run."""
    return quick_run(KRONECKER, tmp_path_factory.mktemp("kronecker") / "new" / "folder")


def kept(folder: Path) -> xr.Dataset:
    return xr.load_dataset(folder / "kronecker.nc", engine="scipy")


def test_errors_and_spectra_are_drawn_and_told(quick: tuple[Path, str]) -> None:
    assert {file.name for file in quick[0].glob("*.png")} == {"errors_width16.png", "spectra_width16.png"}
    assert min(file.stat().st_size for file in quick[0].glob("*.png")) > 10_000
    assert quick[1].startswith("scikit-learn's 8 × 8 digits, 1797 images; one run of width 16 and each loss")
    for loss in LOSSES:
        for layer in (1, 2, 3):
            assert re.search(rf"^{loss} +{layer}( +\d\.\d{{3}}){{9}}$", quick[1], re.MULTILINE), quick[1]
    assert re.search(r"^K-FAC's error exceeds 1, .*, at \d+ of 27$", quick[1], re.MULTILINE), quick[1]


def test_errors_lie_along_loss_epoch_and_layer_and_obey_their_bounds(quick: tuple[Path, str]) -> None:
    ds = kept(quick[0])
    assert dict(ds.kfac.sizes) == {"loss": 3, "epoch": 3, "layer": 3}
    assert ds.epoch.values.tolist() == [0, 2, 4]
    for name in ("ekfac", "pair"):
        assert (ds[name] >= 0).all()
        assert (ds[name] <= ds.kfac * (1 + 1e-12)).all()
    assert (ds.fisher_spectrum.sum("rank") <= ds.fisher_trace * (1 + 1e-5)).all()  # float32


def test_errors_are_those_of_the_network_trained_so_far(tmp_path: Path) -> None:
    assert EXAMPLE["main"]([*SMALL, "--epochs", "2", "--out", str(tmp_path)]) == 0
    x, y = ig.network.load_digits()
    net, loss = ig.network.MLP((64, 5, 5, 10), seed=0, dtype="float32"), ig.losses.LpNorm(2)
    trained = net.with_parameters(ig.network.fit(net, x, y, loss, epochs=2).parameters)
    rows = ig.network.stratified_sample(y, 60)
    blocks = ig.network.kfac(trained, x[rows], y[rows], loss)
    errors = kept(tmp_path).kfac.sel(loss="l2", epoch=2)
    np.testing.assert_allclose(errors, [block.error for block in blocks], rtol=1e-10)


def test_a_study_goes_on_from_what_is_kept_to_the_bits_of_one_of_that_length(tmp_path: Path) -> None:
    for epochs in ("2", "4"):
        assert EXAMPLE["main"]([*SMALL, "--epochs", epochs, "--out", str(tmp_path / "longer")]) == 0
    assert EXAMPLE["main"]([*SMALL, "--epochs", "4", "--out", str(tmp_path / "at once")]) == 0
    xr.testing.assert_equal(kept(tmp_path / "longer"), kept(tmp_path / "at once"))


def test_what_is_kept_of_other_settings_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert EXAMPLE["main"]([*SMALL, "--epochs", "2", "--out", str(tmp_path)]) == 0
    capsys.readouterr()
    assert "record" in refusal(KRONECKER, tmp_path, [*SMALL, "--epochs", "2", "--probe", "61"], capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--losses", "l9"], "argument --losses: invalid choice: 'l9'"),
        (["--every", "0"], "--every must be at least 1, got 0"),
        (["--data", "/nowhere"], "folder must be a folder of MNIST files, got '/nowhere'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_arguments_get_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert message in refusal(KRONECKER, tmp_path / "out", arguments, capsys)
