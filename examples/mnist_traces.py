"""Fisher and kernel traces of networks through training (thesis Sec. 5.1, Figs. 5.1 and B.1–B.5).

Networks d–W–W–10 with ReLU are trained by Adam on handwritten digits, with every loss of the thesis and several seeds.
At every epoch the exact traces of the Fisher information and of the neural tangent kernel are recorded, and the factors
whose product the Fisher trace is: which of them drives it?

Without --data the digits are those bundled with scikit-learn, 1,797 real images of 8 × 8 pixels.
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

import infogeom as ig
from infogeom.files import writable_folder, write_atomically

#: Of the L_p norms and of the mean powers.
ORDERS = (2, 4, 6)
LOSSES = {f"l{p}": ig.losses.LpNorm(p) for p in ORDERS}
LOSSES |= {f"mean-power-{n}": ig.losses.MeanPower(n) for n in ORDERS}
LOSSES |= {"cross-entropy": ig.losses.CrossEntropy()}
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
        ds = ig.network.study(
            x,
            y,
            losses=[LOSSES[name] for name in options.losses],
            widths=options.width,
            seeds=range(options.seeds),
            epochs=options.epochs,
            workers=options.workers,
            record=ig.network.Record(probe=options.probe),
            out=options.out / "runs",
        ).assign_attrs(data=source)
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
    parser.add_argument("--seeds", type=int, metavar="N", help="runs of each loss (default 3; the thesis has 5)")
    parser.add_argument("--probe", type=int, default=1000, metavar="N", help="samples to measure on (default 1000)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: the cores of this machine)")
    parser.add_argument("--quick", action="store_true", help="narrow networks and few epochs, for a trial")
    parser.add_argument("--out", type=Path, default=Path("mnist_traces"), metavar="DIR", help="default ./mnist_traces")
    options = parser.parse_args(argv)

    # What is not given depends on whether this is a trial.
    for name, default, quick in (
        ("width", [128], [16]),
        ("losses", list(LOSSES), list(LOSSES)),
        ("epochs", 300, 5),
        ("seeds", 3, 2),
    ):
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else default)

    # What cannot work is told before any work.
    for name in ("epochs", "seeds", "probe", "workers"):
        value = getattr(options, name)
        if value is not None and value < 1:
            parser.error(f"--{name} must be at least 1, got {value}")
    if min(options.width) < 1:
        parser.error(f"--width must be at least 1, got {min(options.width)}")
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
        return *ig.network.load_mnist(options.data), ig.network.mnist_source(options.data).partition(",")[0]
    except ImportError as error:
        fail(f"{error}, or --data DIR")
    except ValueError as error:
        fail(f"--data: {error}")


def draw(ds: xr.Dataset, out: Path) -> None:
    """A figure for each width and order, with the traces on two axes and with both Fisher traces on one."""
    for width in ds["width"].values:
        for order in ORDERS:
            names = [name for name in (f"l{order}", f"mean-power-{order}", "cross-entropy") if name in ds["loss"]]
            alone = names == ["cross-entropy"]  # of no order: beside the others for reference, by itself once
            for common, kind in ((False, "traces"), (True, "fisher")):
                if names and (not alone or (ds.sizes["loss"] == 1 and order == ORDERS[0])):
                    axes = ig.plotting.traces(ds.sel(width=width, loss=names), common_axis=common)
                    draw_to = partial(axes[0].figure.savefig, dpi=200, format="png")
                    write_atomically(out / f"{kind}_width{width}_order{order}.png", draw_to)
                    plt.close(axes[0].figure)


def report(ds: xr.Dataset, out: Path, seconds: dict[str, float]) -> None:
    """The table of statistics, a sentence for each loss, and where the files are."""
    table = ig.network.statistics(ds)
    print(f"{ds.attrs['data']}, {ds.attrs['samples']} images; {ds.sizes['seed']} runs of {ds.attrs['epochs']} epochs")
    print(f"empirical Fisher information, tr Λ per sample, measured on {ds.attrs['probe_samples']} images\n")

    # Statistics over seeds and epochs, one row a loss and width.
    head = ("CV", "max/min", "slope", "corr.", "residual", "kernel", "covar.", "align.")
    print(f"{'':23}{'tr I / tr Λ':>20}{'log–log':>10}{'':10}{'share in Var log tr I':>40}")
    print(f"{'loss':15}{'width':>8}" + "".join(f"{word:>10}" for word in head))
    for name in table["loss"].values:
        for width in table["width"].values:
            columns = table.drop_vars("runs").data_vars.values()
            row = [float(column.sel(loss=name, width=width)) for column in columns]
            print(f"{name:15}{width:8}" + "".join(f"{value:10.3g}" for value in row))
    print()

    # What they say, in words.
    for name in table["loss"].values:
        for width in table["width"].values:
            print(sentence(str(name), int(width), table.sel(loss=name, width=width)))
    diverged = int((ds["status"] != 0).sum())
    if diverged:
        print(f"\n{diverged} runs diverged and end early")
    print("\nseconds  " + "  ".join(f"{name} {value:.1f}" for name, value in seconds.items()))
    print(f"files    {out.resolve()}")


def sentence(loss: str, width: int, row: xr.Dataset) -> str:
    """How the traces of one loss hang together and what drives the Fisher trace, in words."""
    where = f"{loss}, width {width}: "
    ratio, slope = float(row["ratio_range"]), float(row["slope"])
    if not np.isfinite(ratio):
        return where + "no run with enough epochs of positive traces to say anything."

    # How far the two traces part.
    if ratio >= 2:
        together = f"tr I / tr Λ drifts by a factor of {ratio:.3g}"
    elif abs(slope - 1) <= 0.25:
        together = f"tr I and tr Λ evolve almost in proportion (their ratio varies by a factor of {ratio:.3g})"
    else:
        together = (
            f"tr I / tr Λ varies by a factor of {ratio:.3g} only, but tr I goes like tr Λ to the power {slope:.2g}"
        )

    # Shares in the variance of log tr I: one factor drives it, or two together; a negative share works against.
    shares = {part: float(row[f"share_{part}"]) for part in PARTS}
    first, second = sorted(shares, key=lambda part: -shares[part])[:2]
    if shares[first] > 0.5:
        driver = f"{PARTS[first]} drives tr I (share {shares[first]:.2f})"
    else:
        driver = f"{PARTS[first]} ({shares[first]:.2f}) and {PARTS[second]} ({shares[second]:.2f}) drive tr I together"
    against = [f"{PARTS[part]} ({share:.2f})" for part, share in shares.items() if share < -0.1]
    return where + f"{together}; {driver}" + (f", against {' and '.join(against)}." if against else ".")


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # whatever the encoding of a pipe
    sys.exit(main())
