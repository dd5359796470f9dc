"""The study of traces through training, run as a user runs it."""

from __future__ import annotations

import re
import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.examples import ROOT, quick_run, refusal, run

TRACES = ROOT / "examples" / "mnist_traces.py"
EXAMPLE = runpy.run_path(str(TRACES))
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
    assert quick[1].startswith("scikit-learn's 8 × 8 digits, 1797 images; 2 runs of width 16, 5 epochs")
    assert "all measured on 1000 of the images trained on" in quick[1]
    spread = r" +\S+ \(\S+ … \S+\)"
    for loss in LOSSES:
        assert re.search(rf"^{loss} +16{spread}{spread}( +\S+){{7}}$", quick[1], re.MULTILINE), quick[1]
        assert re.search(
            rf"^{loss}, width 16: .*: slope 1 leaves .* of Var log tr I unexplained; .*drives tr I .*\.$",
            quick[1],
            re.MULTILINE,
        ), quick[1]
    assert "thesis" not in quick[1]  # these are not its data
    assert quick[1].rstrip().endswith(str(quick[0]))


def test_a_second_run_resumes_with_what_is_there(quick: tuple[Path, str]) -> None:
    done = run(TRACES, "--quick", "--out", quick[0])
    table = lambda text: [line for line in text.splitlines() if not line.startswith("seconds")]  # noqa: E731
    assert (done.returncode, table(done.stdout)) == (0, table(quick[1]))


@pytest.mark.slow
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
        (["--seeds", "2", "3"], "--seeds must be one number or one for each of 1 widths, got [2, 3]"),
        (["--thesis"], "--thesis needs --data DIR, a folder of MNIST's files"),
        (["--thesis", "--quick"], "argument --quick: not allowed with argument --thesis"),
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


# --- What is asked for ------------------------------------------------------------------------------------------------


def test_the_thesis_has_two_widths_five_seeds_seven_losses_and_300_epochs(tmp_path: Path) -> None:
    options = EXAMPLE["parse"](["--thesis", "--data", "somewhere", "--out", str(tmp_path)])
    assert (options.width, options.seeds, options.losses, options.epochs) == ([128, 784], [5, 5], LOSSES, 300)


SMALL = ["--losses", "l2", "--width", "2", "3", "--probe", "50", "--workers", "1"]


def test_a_width_may_have_fewer_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert EXAMPLE["main"]([*SMALL, "--epochs", "1", "--seeds", "2", "1", "--out", str(tmp_path)]) == 0
    ds, said = xr.load_dataset(tmp_path / "traces.nc", engine="scipy"), capsys.readouterr().out
    assert ds.status.sel(loss="l2").values.tolist() == [[0, 0], [0, 2]]
    assert ds.status.attrs["flag_meanings"] == "complete diverged not_run"
    assert np.isfinite(ds.fisher_trace).sum("epoch").values.tolist() == [[[2, 2], [2, 0]]]
    assert "2 runs of width 2, 1 runs of width 3, 1 epochs" in said
    assert "diverged" not in said
    assert "the deviation at width 3 is, compared with width 2, no pair of runs with 5 epochs each for l2." in said
    assert (tmp_path / "deviations.png").stat().st_size > 10_000


@pytest.mark.slow
def test_checkpoints_that_are_kept_prolong_the_study(tmp_path: Path) -> None:
    for epochs in ("1", "2"):
        arguments = [*SMALL, "--seeds", "1", "--epochs", epochs, "--keep-checkpoints"]
        assert EXAMPLE["main"]([*arguments, "--out", str(tmp_path / "longer")]) == 0
    assert EXAMPLE["main"]([*arguments, "--out", str(tmp_path / "at once")]) == 0
    longer, once = (xr.load_dataset(tmp_path / name / "traces.nc", engine="scipy") for name in ("longer", "at once"))
    xr.testing.assert_equal(longer, once)


# --- What is said -----------------------------------------------------------------------------------------------------

T = np.linspace(0, 1, 21)


def records(
    residual: Sequence[Any], kernel: Sequence[Any], alignment: Any = 1.0, loss: Any = None, **labels: list[Any]
) -> xr.Dataset:
    """Study of one loss whose factors along the epochs are the exponentials of those given, a pair for each run.

    Runs lie along "seed" of one width, unless ``labels`` says otherwise.
    """
    labels = {"loss": ["l2"], "width": [8], "seed": list(range(len(residual)))} | labels
    shape = [len(values) for values in labels.values()]
    columns = [np.broadcast_to(np.exp(one), (len(residual), np.shape(residual)[1])) for one in (residual, kernel)]
    columns.append(np.broadcast_to(np.exp(alignment), columns[0].shape))
    r, k, a = (column.reshape(*shape, -1) for column in columns)
    values = {"residual_square": r, "kernel_mean": k, "alignment_factor": a, "covariance_factor": np.ones_like(r)}
    values |= {"fisher_trace": r * k * a, "ntk_trace": 10 * k, "accuracy": 0 * r + 0.9}
    values["training_loss"] = r.copy() if loss is None else np.reshape(loss, r.shape)
    variables = {name: ((*labels, "epoch"), column) for name, column in values.items()}
    variables["status"] = (tuple(labels), np.zeros(shape, dtype=int))
    return xr.Dataset(variables, labels | {"epoch": np.arange(r.shape[-1])})


def said(ds: xr.Dataset) -> str:
    """Sentence of the only loss and width."""
    table = EXAMPLE["by_seed"](ds).isel(loss=0, width=0)
    return EXAMPLE["sentence"]("l2", 8, table)


def test_traces_in_proportion_are_said_to_be_so() -> None:
    assert said(records([0.0 * T, 0.1 * T], [T, T], 0.0)) == (
        "l2, width 8: tr I and tr Λ evolve mostly in proportion: "
        "slope 1 leaves 0.004 (0.000 … 0.008) of Var log tr I unexplained; "
        "the architecture's kernel tr Λ drives tr I (share 0.95)."
    )


def test_the_deviation_may_exceed_1_and_a_factor_may_work_against() -> None:
    # log tr I = −2 T and log tr I − log tr Λ = −3 T
    assert said(records([-3 * T], [T], 0.0)) == (
        "l2, width 8: tr I and tr Λ do not evolve in proportion: slope 1 leaves 2.250 of Var log tr I unexplained; "
        "the loss derivative E|∂ℓ/∂f|² drives tr I (share 1.50), against the architecture's kernel tr Λ (-0.50)."
    )


def test_runs_that_disagree_give_no_verdict_and_no_driver() -> None:
    assert said(records([-3 * T, 0.0 * T], [T, T], 0.0)) == (
        "l2, width 8: the runs differ in whether tr I and tr Λ evolve in proportion: "
        "slope 1 leaves 1.125 (0.000 … 2.250) of Var log tr I unexplained; "
        "no factor alone drives tr I in every run (mean shares: the loss derivative E|∂ℓ/∂f|² 0.75, "
        "the architecture's kernel tr Λ 0.25, the covariance of the two over samples 0.00, "
        "the alignment of the loss derivative with the kernel 0.00)."
    )


@pytest.mark.parametrize("points", [1, 2, 4])
def test_nothing_is_said_of_runs_with_too_few_epochs(points: int) -> None:
    sentence = said(records([-3 * T[:points]], [T[:points]], 0.0))
    assert sentence.startswith("l2, width 8: no run with 5 epochs of positive traces")
    assert "drive" not in sentence


def test_runs_that_diverged_or_are_too_short_are_left_out_of_the_verdict() -> None:
    ds = records([0.0 * T, -3 * T, -3 * T], [T, T, T], 0.0)
    ds["status"].loc[{"seed": 1}] = 1
    ds["fisher_trace"].loc[{"seed": 2, "epoch": slice(2, None)}] = np.nan
    assert "evolve mostly in proportion: slope 1 leaves 0.000 of Var log tr I unexplained;" in said(ds)


def test_a_slope_is_the_median_with_the_least_and_the_largest() -> None:
    slopes = np.array([-6.6, 4.5, 22.0])
    table = EXAMPLE["by_seed"](records([(s - 1) * T for s in slopes], [T] * 3, 0.0))
    assert EXAMPLE["spread"](table.slope, ".3g") == "4.5 (-6.6 … 22)"
    assert EXAMPLE["spread"](table.slope[:1], ".3g") == "-6.6"
    assert EXAMPLE["spread"](np.nan * table.slope) == "–"


def test_shares_have_fixed_decimals_and_no_zero_is_negative(capsys: pytest.CaptureFixture[str]) -> None:
    ds = records([-1e-9 * T], [T], 0.0)
    EXAMPLE["print_statistics"](ds, EXAMPLE["by_seed"](ds))
    assert capsys.readouterr().out.splitlines()[-1].split()[-5:] == ["0.00", "1.00", "0.00", "0.00", "0.900"]


# --- Width ------------------------------------------------------------------------------------------------------------

WIDTHS = {"width": [4, 8], "seed": [0, 1]}


def test_equal_loss_is_the_lowest_that_both_widths_reach_seed_by_seed() -> None:
    losses = np.random.default_rng(0).random((4, 21))
    ds = records([np.log(one) for one in losses], [T] * 4, 0.0, losses, **WIDTHS)
    cut = EXAMPLE["to_equal_loss"](ds)
    for seed in (0, 1):
        narrow, wide = losses[seed], losses[2 + seed]
        lowest = max(narrow.min(), wide.min())
        for width, one in ((4, narrow), (8, wide)):
            first = next(epoch for epoch, value in enumerate(one) if value <= lowest)
            kept = np.isfinite(cut.fisher_trace.sel(loss="l2", width=width, seed=seed).values)
            assert kept.tolist() == [epoch <= first for epoch in range(21)]


def test_a_seed_that_one_width_lacks_has_no_equal_loss() -> None:
    ds = records([-T] * 4, [T] * 4, 0.0, **WIDTHS)
    ds["training_loss"].loc[{"width": 8, "seed": 1}] = np.nan
    counts = EXAMPLE["to_equal_loss"](ds).fisher_trace.count("epoch")
    assert counts.sel(loss="l2").values.tolist() == [[21, 0], [21, 0]]


@pytest.mark.parametrize(
    ("wide", "verdict"),
    [
        ([-3, -3], "larger in every pair of runs for l2."),
        ([0, 0], "smaller in every pair of runs for l2."),
        ([-3, 0], "larger in some pairs of runs and smaller in others for l2."),
    ],
    ids=["larger", "smaller", "either"],
)
def test_growth_with_width_is_told_seed_by_seed(wide: list[int], verdict: str) -> None:
    # Deviations at the lesser width: ¼ and 4/9, at the larger one: 9/4 for −3 and 0 for 0.
    ds = records([T, 2 * T, wide[0] * T, wide[1] * T], [T] * 4, 0.0, **WIDTHS)
    told = EXAMPLE["growth"]("at equal epochs", EXAMPLE["by_seed"](ds))
    assert told == f"at equal epochs, the deviation at width 8 is, compared with width 4, {verdict}"


def test_growth_with_width_is_not_told_from_two_points() -> None:
    ds = records([-3 * T[:2]] * 4, [T[:2]] * 4, 0.0, **WIDTHS)
    told = EXAMPLE["growth"]("at equal loss", EXAMPLE["by_seed"](ds))
    assert told.endswith("no pair of runs with 5 epochs each for l2.")


def test_the_figure_of_deviations_shows_median_and_range() -> None:
    ds = records([T, 2 * T, -3 * T, 0 * T], [T] * 4, 0.0, **WIDTHS)
    table = EXAMPLE["by_seed"](ds)
    figure = EXAMPLE["draw_deviations"]({"at equal epochs": table, "at equal loss": 2 * table}, "some digits")
    ax, other = figure.axes
    assert [one.get_title() for one in figure.axes] == ["at equal epochs", "at equal loss"]
    assert other.lines[0].get_xdata()[0] == 2 * ax.lines[0].get_xdata()[0]
    assert [line.get_xdata()[0] for line in ax.lines[:2]] == pytest.approx([(1 / 4 + 4 / 9) / 2, 9 / 8])
    ends = [collection.get_segments()[0][:, 0].tolist() for collection in ax.collections]
    assert np.ravel(ends) == pytest.approx([1 / 4, 4 / 9, 0, 9 / 4])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["W = 4", "W = 8"]
