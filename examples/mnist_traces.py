"""Fisher and kernel traces of networks through training (thesis Sec. 5.1, Figs. 5.1 and B.1–B.5).

Networks d–W–W–10 with ReLU are trained by Adam on handwritten digits, with every loss of the thesis and several seeds.
At every epoch the exact traces of the Fisher information and of the neural tangent kernel are recorded, and the factors
whose product the Fisher trace is: which of them drives it, and does the deviation of the two traces grow with width?

Without --data the digits are those bundled with scikit-learn, 1,797 real images of 8 × 8 pixels. With --thesis the
whole experiment runs on MNIST, some three hours on two cores; it can be stopped and gone on with.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import infogeom as ig
from infogeom.files import writable_folder, write_atomically
from infogeom.plotting.style import CYCLE, STYLE

#: Of the L_p norms and of the mean powers.
ORDERS = (2, 4, 6)
LOSSES = {f"l{p}": ig.losses.LpNorm(p) for p in ORDERS}
LOSSES |= {f"mean-power-{n}": ig.losses.MeanPower(n) for n in ORDERS}
LOSSES |= {"cross-entropy": ig.losses.CrossEntropy()}
#: Figures of the thesis by width and order.
FIGURES = {(128, 2): "5.1", (128, 4): "B.1", (128, 6): "B.2", (784, 2): "B.3", (784, 4): "B.4", (784, 6): "B.5"}
#: What is not given: usually, with --thesis and with --quick.
DEFAULTS = {
    "width": ([128], [128, 784], [16]),
    "losses": (list(LOSSES), list(LOSSES), list(LOSSES)),
    "epochs": (300, 300, 5),
    "seeds": ([3], [5], [2]),
}
#: Status of a run that was not asked for, because its width has fewer seeds than others.
NOT_RUN = 2
#: Epochs with positive traces that a run must have for anything to be said of it.
LEAST_EPOCHS = 5
#: Share of Var log tr I that slope 1 may leave unexplained in traces that are said to evolve in proportion.
MOST = 0.5
#: The factors whose product the Fisher trace is, in words.
PARTS = {
    "residual_square": "the loss derivative E|∂ℓ/∂f|²",
    "kernel_mean": "the architecture's kernel tr Λ",
    "covariance_factor": "the covariance of the two over samples",
    "alignment_factor": "the alignment of the loss derivative with the kernel",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study; 0 on success, 2 (by SystemExit) for bad arguments, 130 when interrupted."""
    options = parse(argv)
    mpl.use("agg")
    start = time.perf_counter()
    x, y, source = load(options)

    # Every finished run is kept: the same command goes on from there.
    try:
        ds = runs(x, y, options).assign_attrs(data=source)
    except ValueError as error:
        fail(str(error))
    except KeyboardInterrupt:
        kept = len(list((options.out / "runs").glob("*.nc")))
        print(
            f"\nstopped; {kept} finished runs are kept in {options.out / 'runs'}; the same command goes on from there"
        )
        return 130
    trained = time.perf_counter()

    write_atomically(options.out / "traces.nc", lambda file: file.write(bytes(ds.to_netcdf(engine="scipy"))))
    draw(ds, options.out)
    report(ds, options.out, {"training": trained - start, "drawing": time.perf_counter() - trained})
    return 0


def runs(x: np.ndarray, y: np.ndarray, options: argparse.Namespace) -> xr.Dataset:
    """Records over loss × width × seed × epoch; where a width has fewer seeds than others, status is NOT_RUN."""
    study = partial(
        ig.network.study,
        x,
        y,
        losses=[LOSSES[name] for name in options.losses],
        epochs=options.epochs,
        workers=options.workers,
        record=ig.network.Record(probe=options.probe),
        out=options.out / "runs",
        final=not options.keep_checkpoints,
    )
    # Seeds of all widths come first, so that whatever is done is a balanced study.
    common = study(widths=options.width, seeds=range(min(options.seeds)))
    if len(set(options.seeds)) == 1:
        return common
    parts = [study(widths=[W], seeds=range(count)) for W, count in zip(options.width, options.seeds, strict=True)]
    ds = xr.concat(parts, "width", join="outer", fill_value={"status": NOT_RUN}, combine_attrs="drop_conflicts")
    codes = np.array([*common["status"].attrs["flag_values"], NOT_RUN], dtype=np.int8)
    meanings = common["status"].attrs["flag_meanings"] + " not_run"
    ds["status"].attrs.update(flag_values=codes, flag_meanings=meanings)
    return ds


class Parser(argparse.ArgumentParser):
    """Errors take one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def fail(message: str) -> NoReturn:
    Parser().error(message)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of MNIST's IDX files")
    parser.add_argument("--width", type=int, nargs="+", metavar="W", help="of the hidden layers (default 128)")
    parser.add_argument("--losses", nargs="+", choices=LOSSES, metavar="LOSS", help=f"out of {', '.join(LOSSES)}")
    parser.add_argument("--epochs", type=int, metavar="N", help="passes through the data (default 300)")
    parser.add_argument(
        "--seeds", type=int, nargs="+", metavar="N", help="runs of each loss, for all widths or for each (default 3)"
    )
    parser.add_argument("--probe", type=int, default=1000, metavar="N", help="samples to measure on (default 1000)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: the cores of this machine)")
    parser.add_argument("--keep-checkpoints", action="store_true", help="so that more --epochs prolong these runs")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--thesis", action="store_true", help="widths 128 and 784, 5 seeds, 300 epochs; needs --data")
    sizes.add_argument("--quick", action="store_true", help="narrow networks and few epochs, for a trial")
    parser.add_argument("--out", type=Path, default=Path("mnist_traces"), metavar="DIR", help="default ./mnist_traces")
    options = parser.parse_args(argv)

    # What is not given depends on how large a study this is.
    for name, choices in DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, choices[1 if options.thesis else 2 if options.quick else 0])
    if options.thesis and options.data is None:
        parser.error("--thesis needs --data DIR, a folder of MNIST's files")

    # What cannot work is told before any work.
    for name in ("epochs", "probe", "workers", "width", "seeds"):
        value = getattr(options, name)
        least = min(value) if isinstance(value, list) else value
        if least is not None and least < 1:
            parser.error(f"--{name} must be at least 1, got {least}")
    if len(options.seeds) == 1:
        options.seeds *= len(options.width)
    if len(options.seeds) != len(options.width):
        parser.error(f"--seeds must be one number or one for each of {len(options.width)} widths, got {options.seeds}")
    try:
        writable_folder(options.out)
    except OSError as error:
        parser.error(f"--out {options.out} cannot be written: {error.strerror}")
    return options


def load(options: argparse.Namespace) -> tuple[np.ndarray, np.ndarray, str]:
    """Inputs, targets, and what they are, for the titles."""
    try:
        if options.data is None:
            return *ig.network.load_digits(), "scikit-learn's 8 × 8 digits"
        name, pair, *_ = ig.network.mnist_source(options.data).split(", ")
        return *ig.network.load_mnist(options.data), f"{name} ({pair})"
    except ImportError as error:
        fail(f"{error}, or --data DIR")
    except ValueError as error:
        fail(f"--data: {error}")


def draw(ds: xr.Dataset, out: Path) -> None:
    """A figure for each width and order, with the traces on two axes and with both Fisher traces on one."""
    for width in ds["width"].values:
        one = of_width(ds, width)
        for order in ORDERS:
            names = [name for name in (f"l{order}", f"mean-power-{order}", "cross-entropy") if name in ds["loss"]]
            alone = names == ["cross-entropy"]  # of no order: beside the others for reference, by itself once
            for common, kind in ((False, "traces"), (True, "fisher")):
                if names and (not alone or (ds.sizes["loss"] == 1 and order == ORDERS[0])):
                    axes = ig.plotting.traces(one.sel(loss=names), common_axis=common)
                    draw_to = partial(axes[0].figure.savefig, dpi=200, format="png")
                    write_atomically(out / f"{kind}_width{width}_order{order}.png", draw_to)
                    plt.close(axes[0].figure)


def of_width(ds: xr.Dataset, width: int) -> xr.Dataset:
    """Records of one width, of the seeds that it has."""
    one = ds.sel(width=width)
    return one.isel(seed=(one["status"] != NOT_RUN).all("loss").values)


def report(ds: xr.Dataset, out: Path, seconds: dict[str, float]) -> None:
    """The table of statistics, a sentence for each loss and width, what width does, and where the files are."""
    table = by_seed(ds)
    counts = {int(width): of_width(ds, width).sizes["seed"] for width in ds["width"].values}
    seeds = ", ".join(f"{count} runs of width {width}" for width, count in counts.items())
    print(f"{ds.attrs['data']}, {ds.attrs['samples']} images; {seeds}, {ds.attrs['epochs']} epochs")
    print(
        f"all measured on {ds.attrs['probe_samples']} of the images trained on, in which every class keeps its share:"
    )
    print("empirical Fisher information, tr Λ per sample, loss, and accuracy after the last epoch\n")
    print("deviation: Var(log tr I − log tr Λ) / Var(log tr I) along training, what slope 1 leaves unexplained")
    print("of deviation and slope the median (least … largest) run, of shares the mean, of the rest the median\n")
    print_statistics(ds, table)
    print()

    # What they say, in words.
    for name in table["loss"].values:
        for width in table["width"].values:
            print(sentence(str(name), int(width), table.sel(loss=name, width=width)))
    if ds.sizes["width"] > 1:
        print()
        print_widths(ds, out)
    diverged = int((ds["status"] == 1).sum())
    if diverged:
        print(f"\n{diverged} runs diverged and end early; they are not counted")
    print("\nseconds  " + "  ".join(f"{name} {value:.1f}" for name, value in seconds.items()))
    for (width, order), number in FIGURES.items():
        if width in counts and ds.sizes["loss"] == len(LOSSES) and ds.attrs["data"].startswith("MNIST"):
            print(f"figure   traces_width{width}_order{order}.png, as the thesis's Fig. {number}")
    print(f"files    {out.resolve()}")


def by_seed(ds: xr.Dataset) -> xr.Dataset:
    """Statistics of every run; nan where it has too few epochs of positive traces to say anything."""
    table = xr.concat([ig.network.statistics(ds.isel(seed=k)) for k in range(ds.sizes["seed"])], "seed")
    positive = (ds["fisher_trace"] > 0) & (ds["ntk_trace"] > 0)
    return table.where(positive.sum("epoch") >= LEAST_EPOCHS)


def print_statistics(ds: xr.Dataset, table: xr.Dataset) -> None:
    """One row a loss and width."""
    shares = [f"share_{part}" for part in PARTS]
    print(f"{'':20}{'deviation':>24}{'log–log slope':>26}{'tr I / tr Λ':>18}{'share in Var log tr I':>32}")
    head = f"{'loss':14}{'width':>6}{'':24}{'':26}{'CV':>8}{'max/min':>10}"
    print(head + "".join(f"{word:>8}" for word in ("resid.", "kernel", "covar.", "align.", "accur.")))
    for name in table["loss"].values:
        for width in table["width"].values:
            one = table.sel(loss=name, width=width)
            middle, last = one.median("seed"), ds["accuracy"].sel(loss=name, width=width).isel(epoch=-1)
            row = f"{name:14}{width:6}{spread(one['deviation']):>24}{spread(one['slope'], '.3g'):>26}"
            row += f"{middle['ratio_variation']:8.3g}{middle['ratio_range']:10.3g}"
            print(row + "".join(f"{one[share].mean():z8.2f}" for share in shares) + f"{last.median():8.3f}")


def spread(values: xr.DataArray, form: str = "z.3f") -> str:
    """Median, least and largest of the runs."""
    found = values.values[np.isfinite(values.values)]
    if not found.size:
        return "–"
    middle, least, largest = (f"{value:{form}}" for value in (np.median(found), found.min(), found.max()))
    return f"{middle} ({least} … {largest})" if found.size > 1 else middle


def sentence(loss: str, width: int, runs: xr.Dataset) -> str:
    """How the traces of one loss hang together and what drives the Fisher trace, in words, from statistics by seed."""
    where = f"{loss}, width {width}: "
    runs = runs.isel(seed=runs["deviation"].notnull().values)
    if not runs.sizes["seed"]:
        return where + f"no run with {LEAST_EPOCHS} epochs of positive traces that change, too few to say anything."

    # How the two traces hang together: a verdict that all runs agree on, or none.
    in_proportion = runs["deviation"] < MOST
    if in_proportion.all():
        together = "tr I and tr Λ evolve mostly in proportion"
    elif in_proportion.any():
        together = "the runs differ in whether tr I and tr Λ evolve in proportion"
    else:
        together = "tr I and tr Λ do not evolve in proportion"
    together += f": slope 1 leaves {spread(runs['deviation'])} of Var log tr I unexplained"

    # Shares in the variance of log tr I: one factor drives it in every run, or none does; a negative share is against.
    shares = {words: runs[f"share_{part}"].values for part, words in PARTS.items()}
    first = max(shares, key=lambda words: shares[words].mean())
    if shares[first].min() > 0.5:
        driver = f"{first} drives tr I (share {shares[first].mean():z.2f})"
        against = [f"{words} ({share.mean():z.2f})" for words, share in shares.items() if share.max() < -0.1]
        return where + f"{together}; {driver}" + (f", against {' and '.join(against)}." if against else ".")
    listed = ", ".join(f"{words} {share.mean():z.2f}" for words, share in shares.items())
    return where + f"{together}; no factor alone drives tr I in every run (mean shares: {listed})."


# --- Width ------------------------------------------------------------------------------------------------------------


def to_equal_loss(ds: xr.Dataset) -> xr.Dataset:
    """Records of every seed up to the epoch at which its loss first is the lowest that all widths reach."""
    loss = ds["training_loss"]
    lowest = loss.min("epoch").max("width", skipna=False)
    there = loss <= lowest
    kept = (there.cumsum("epoch") - there == 0) & lowest.notnull()
    along = {name: ds[name].where(kept) for name in ds.data_vars if "epoch" in ds[name].dims}
    return ds.assign(along)


def print_widths(ds: xr.Dataset, out: Path) -> None:
    """Deviations at all widths, at equal epochs and at equal loss, and whether they grow; a figure of them."""
    ds = ds.sortby("width")
    cut = to_equal_loss(ds)
    tables = {"at equal epochs": by_seed(ds), "at equal loss": by_seed(cut)}
    last = cut["training_loss"].count("epoch") - 1
    print("does the deviation grow with width? At equal loss: up to the lowest that all widths reach, seed by seed")
    print(f"{'loss':14}{'width':>6}" + "".join(f"{words:>26}" for words in tables) + f"{'up to epoch':>26}")
    for name in ds["loss"].values:
        for width in ds["width"].values:
            at = {"loss": name, "width": width}
            row = "".join(f"{spread(table['deviation'].sel(at)):>26}" for table in tables.values())
            ends = last.sel(at)
            print(f"{name:14}{width:6}{row}{spread(ends.where(ends >= 0), '.0f'):>26}")
    for words, table in tables.items():
        print(growth(words, table))
    figure = draw_deviations(tables, ds.attrs["data"])
    write_atomically(out / "deviations.png", partial(figure.savefig, dpi=200, format="png"))
    plt.close(figure)


def draw_deviations(tables: dict[str, xr.Dataset], data: str) -> Figure:
    """Median, least and largest deviation of every loss and width, a panel for each way to compare widths."""
    first = next(iter(tables.values()))
    losses, widths = first["loss"].values, first["width"].values
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(tables), sharex=True, sharey=True, figsize=(6.4, 2.9))
        figure.subplots_adjust(left=0.185, right=0.985, bottom=0.23, top=0.83, wspace=0.06)
        for ax, (words, table) in zip(axes, tables.items(), strict=True):
            for k, width in enumerate(widths):
                one = table["deviation"].sel(width=width)
                rows = np.arange(len(losses)) + 0.3 * (k - (len(widths) - 1) / 2)
                ax.hlines(rows, one.min("seed"), one.max("seed"), color=CYCLE[k % len(CYCLE)], lw=1.2)
                ax.plot(
                    one.median("seed"), rows, "os^Dv"[k % 5], color=CYCLE[k % len(CYCLE)], ms=3.5, label=f"W = {width}"
                )
            ax.axvline(1, color="0.6", lw=0.6, zorder=0)
            ax.set_title(words)
            ax.set_xscale("log")
            ax.grid(axis="x", color="0.9", lw=0.5)
        axes[0].set_yticks(range(len(losses)), [ig.plotting.loss_title(str(name)) for name in losses])
        axes[0].invert_yaxis()
        figure.supxlabel(
            r"Var(log tr $I$ − log tr $\Lambda$) / Var(log tr $I$) along training", y=0.1, va="bottom", fontsize=8
        )
        figure.suptitle(f"{data}: deviation of the two traces, median and range over the runs", y=0.98, va="top")
        figure.legend(
            *axes[0].get_legend_handles_labels(),
            loc="lower center",
            ncols=len(widths),
            frameon=False,
            borderaxespad=0.1,
        )
    return figure


def growth(words: str, table: xr.Dataset) -> str:
    """For which losses the widest networks deviate more than the narrowest, seed by seed, and for which less."""
    narrow, wide = int(table["width"].min()), int(table["width"].max())
    change = table["deviation"].sel(width=wide) - table["deviation"].sel(width=narrow)
    groups: dict[str, list[str]] = {}
    for name in table["loss"].values:
        found = change.sel(loss=name).dropna("seed").values
        if not found.size:
            verdict = f"no pair of runs with {LEAST_EPOCHS} epochs each for"
        elif (found > 0).all():
            verdict = "larger in every pair of runs for"
        elif (found < 0).all():
            verdict = "smaller in every pair of runs for"
        else:
            verdict = "larger in some pairs of runs and smaller in others for"
        groups.setdefault(verdict, []).append(str(name))
    listed = "; ".join(f"{verdict} {', '.join(names)}" for verdict, names in groups.items())
    return f"{words}, the deviation at width {wide} is, compared with width {narrow}, {listed}."


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # whatever the encoding of a pipe
    sys.exit(main())
