"""Training by natural gradient, K-FAC and update rules, run as a user runs it."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import infogeom as ig
from tests.examples import ROOT, quick_run, refusal

NATURAL = ROOT / "examples" / "natural_gradient.py"
OPTIMIZERS = ["SGD", "Adam", "natural gradient", "K-FAC"]


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and printed text of a quick run."""
    return quick_run(NATURAL, tmp_path_factory.mktemp("natural") / "new" / "folder")


@pytest.fixture(scope="module")
def kept(quick: tuple[Path, str]) -> xr.Dataset:
    return xr.load_dataset(quick[0] / "natural_gradient.nc", engine="scipy")


def test_a_figure_is_drawn_and_every_optimizer_told(quick: tuple[Path, str]) -> None:
    assert (quick[0] / "natural_gradient.png").stat().st_size > 10_000
    assert quick[1].startswith("scikit-learn's 8 × 8 digits, 1797 images; one run of width 16 by each optimizer")
    for name in OPTIMIZERS:
        assert re.search(rf"^{name} +\d\.\d{{4}} +\S+ +[01]\.\d{{3}} +[\d.]+ +[\d.]+$", quick[1], re.MULTILINE)
    for along in ("epoch 3", r"seconds \S+", r"Fisher length \S+"):
        assert re.search(rf"^loss by the last epoch within {along}:( [\w -]+ \S+,?){{4}}$", quick[1], re.MULTILINE), (
            quick[1]
        )


def test_runs_are_those_of_fit_and_lengths_those_of_dense_matrices(kept: xr.Dataset) -> None:
    x, y = ig.network.load_digits()
    net, loss = ig.network.MLP((64, 16, 16, 10), seed=0), ig.losses.CrossEntropy()
    rule = runpy.run_path(str(NATURAL))["OPTIMIZERS"]["K-FAC"]
    assert kept.optimizer.values.tolist() == OPTIMIZERS
    found, path = kept.sel(optimizer="K-FAC"), [net.parameters]
    for epochs in (1, 2):
        run = ig.network.fit(net, x, y, loss, epochs=epochs, optimizer=rule)
        path.append(run.parameters.values)
    np.testing.assert_array_equal(found.loss[:3], run.loss)

    # By the probabilities: F = mean over samples and labels of p ∇log p ∇log pᵀ, along a side and all over it.
    probe, total, nodes = x[ig.network.stratified_sample(y, 1000)], 0.0, (np.arange(24) + 0.5) / 24
    for start, end, length in zip(path[:-1], path[1:], found.fisher_length.values[1:], strict=False):
        total += np.mean([speed(net, probe, start.astype(float), end.astype(float), at) for at in nodes])
        assert length == pytest.approx(total, rel=2e-3)  # of twenty-four nodes and five, where slopes jump


def speed(net: Any, x: Any, start: Any, end: Any, at: float) -> float:
    """√(Δᵀ F Δ) some way along, from a central difference of log-probabilities."""
    double, h = ig.network.MLP(net.widths, dtype="float64"), 1e-5

    def log_probabilities(share: float) -> Any:
        f = double.with_parameters(start + share * (end - start)).output(x)
        return f - np.log(np.exp(f).sum(axis=1, keepdims=True))

    score = (log_probabilities(at + h) - log_probabilities(at - h)) / (2 * h)
    return float(np.sqrt((np.exp(log_probabilities(at)) * score**2).sum(axis=1).mean()))


@pytest.mark.slow
def test_a_run_that_diverges_ends_early_and_leaves_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    example = runpy.run_path(str(NATURAL))
    monkeypatch.setitem(example["OPTIMIZERS"], "SGD", ig.optimizers.SGD(1e30))
    with pytest.warns(ig.network.TrainingWarning, match="diverged"):
        assert example["main"](["--quick", "--epochs", "2", "--probe", "100", "--out", str(tmp_path)]) == 0
    ds = xr.load_dataset(tmp_path / "natural_gradient.nc", engine="scipy")
    assert np.isnan(ds.loss.sel(optimizer="SGD")[1:]).all()
    assert np.isfinite(ds.loss.sel(optimizer="Adam")).all()
    assert re.search(r"^SGD +nan", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epochs", "0"], "--epochs must be at least 1, got 0"),
        (["--width", "0"], "--width must be at least 1, got 0"),
        (["--probe", "0"], "--probe must be at least 1, got 0"),
        (["--data", "/nowhere"], "folder must be a folder of MNIST files, got '/nowhere'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_arguments_get_one_line_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert message in refusal(NATURAL, tmp_path / "out", arguments, capsys)
