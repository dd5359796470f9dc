"""How good Kronecker approximations of the Fisher information are along training, layer by layer.

A network d–W–W–10 with ReLU is trained by Adam on handwritten digits as in mnist_traces.py. Every few epochs the
relative errors of K-FAC, of EKFAC and of the best Kronecker product are taken for each layer, exactly and on all probe
images, and so are the leading eigenvalues of the Fisher information and of the kernel. Nothing of size P × P is built.

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
from matplotlib.figure import Figure

import infogeom as ig
from infogeom.files import writable_folder, write_atomically
from infogeom.plotting.style import CYCLE, STYLE, label_of

LOSSES = {loss.name: loss for loss in (ig.losses.LpNorm(2), ig.losses.MeanPower(2), ig.losses.CrossEntropy())}
#: Approximations with the styles of their curves.
APPROXIMATIONS = {
    "kfac": ("K-FAC", {"color": CYCLE[0], "lw": 1.0}),
    "ekfac": ("EKFAC", {"color": CYCLE[2], "lw": 2.2, "ls": ":"}),
    "pair": ("best Kronecker product", {"color": CYCLE[1], "lw": 1.2, "ls": "--"}),
}
#: Leading eigenvalues that are recorded, and those of them that are drawn.
EIGENVALUES, DRAWN = 100, (1, 3, 10, 30, 100)
#: What is not given: usually, and with --quick.
DEFAULTS = {"width": (128, 16), "epochs": (300, 4), "every": (10, 2)}


def main(argv: Sequence[str] | None = None) -> int:
    """Train, measure and draw; 0 on success, 2 (by SystemExit) for bad arguments, 130 when interrupted."""
    options = parse(argv)
    mpl.use("agg")
    start = time.perf_counter()
    try:
        x, y, source = load(options)
        runs = [along_training(x, y, LOSSES[name], options) for name in options.losses]
    except ImportError as error:
        fail(f"{error}, or --data DIR")
    except ValueError as error:
        fail(str(error))
    except KeyboardInterrupt:
        print(f"\nstopped; what is done is kept in {options.out}; the same command goes on from there")
        return 130
    ds = xr.concat(runs, "loss", combine_attrs="drop_conflicts").assign_coords(loss=options.losses)
    ds = ds.assign_attrs(data=source, width=options.width)
    save(ds, options.out / "kronecker.nc")

    for name, figure in (("errors", draw_errors(ds)), ("spectra", draw_spectra(ds))):
        file = options.out / f"{name}_width{options.width}.png"
        write_atomically(file, partial(figure.savefig, dpi=200, format="png"))
        plt.close(figure)
    report(ds)
    print(f"\nseconds  {time.perf_counter() - start:.1f}\nfiles    {options.out.resolve()}")
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
    parser.add_argument("--width", type=int, metavar="W", help="of the hidden layers (default 128)")
    parser.add_argument(
        "--losses", nargs="+", choices=LOSSES, default=list(LOSSES), metavar="LOSS", help=", ".join(LOSSES)
    )
    parser.add_argument("--epochs", type=int, metavar="N", help="passes through the data (default 300)")
    parser.add_argument("--every", type=int, metavar="N", help="epochs between measurements (default 10)")
    parser.add_argument("--probe", type=int, default=1000, metavar="N", help="samples to measure on (default 1000)")
    parser.add_argument("--quick", action="store_true", help="a narrow network and few epochs, for a trial")
    parser.add_argument(
        "--out", type=Path, default=Path("mnist_kronecker"), metavar="DIR", help="default ./mnist_kronecker"
    )
    options = parser.parse_args(argv)
    for name, (usual, quick) in DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)
    for name in ("width", "epochs", "every", "probe"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1, got {getattr(options, name)}")
    try:
        writable_folder(options.out)
    except OSError as error:
        parser.error(f"--out {options.out} cannot be written: {error.strerror}")
    return options


def load(options: argparse.Namespace) -> tuple[np.ndarray, np.ndarray, str]:
    """Inputs, targets, and what they are, for the titles."""
    if options.data is None:
        return *ig.network.load_digits(), "scikit-learn's 8 × 8 digits"
    name, pair, *_ = ig.network.mnist_source(options.data).split(", ")
    return *ig.network.load_mnist(options.data), f"{name} ({pair})"


def along_training(x: np.ndarray, y: np.ndarray, loss: ig.losses.Loss, options: argparse.Namespace) -> xr.Dataset:
    """Record of one run, and the errors of every layer at its epochs.

    The run is prolonged from one measurement to the next; its checkpoint and the errors so far are kept.
    """
    net = ig.network.MLP((x.shape[1], options.width, options.width, y.shape[1]), seed=0, dtype="float32")
    record = ig.network.Record(every=options.every, probe=options.probe, spectra=EIGENVALUES)
    name = options.out / f"{loss.name}_{options.width}"
    checkpoint, kept = name.with_suffix(".checkpoint.npz"), name.with_suffix(".errors.nc")
    fit = partial(ig.network.fit, net, x, y, loss, record=record, checkpoint=checkpoint)
    probe = ig.network.stratified_sample(y, options.probe)

    found = [xr.load_dataset(kept, engine="scipy")] if kept.exists() else []
    done = set(found[0]["epoch"].values.tolist()) if found else set()
    for epoch in sorted({*range(0, options.epochs, options.every), options.epochs} - done):
        trained = net.with_parameters(fit(epochs=epoch)["parameters"])
        errors = ig.network.kronecker_errors(trained, x[probe], y[probe], loss).expand_dims(epoch=[epoch])
        found = [xr.concat([*found, errors], "epoch", combine_attrs="override")]
        save(found[0], kept)
    run = fit(epochs=options.epochs).drop_vars("parameters").rename(loss="training_loss")
    return xr.merge([run, found[0]], combine_attrs="override", join="left")


def save(ds: xr.Dataset, path: Path) -> None:
    write_atomically(path, lambda file: file.write(bytes(ds.to_netcdf(engine="scipy"))))


def draw_errors(ds: xr.Dataset) -> Figure:
    """A row for each loss and a panel for each layer, with a curve for each approximation."""
    rows, columns = ds.sizes["loss"], ds.sizes["layer"]
    with mpl.rc_context(STYLE):
        figure, axes = panels(rows, columns, ds, "empirical Fisher information, relative errors in Frobenius norm")
        for row, loss in zip(axes, ds["loss"].values, strict=True):
            for ax, layer in zip(row, ds["layer"].values, strict=True):
                for name, (title, style) in APPROXIMATIONS.items():
                    ax.plot(ds["epoch"], ds[name].sel(loss=loss, layer=layer), label=title, **style)
                ax.set_title(f"{ig.plotting.loss_title(str(loss))}, layer {layer}")
            row[0].set_ylabel("relative error")
        axes[0, 0].set_ylim(bottom=0)
        for ax in axes.flat:
            if ax.get_ylim()[1] > 1:  # the error of no approximation at all
                ax.axhline(1, color="0.6", lw=0.6, zorder=0)
        legend(figure, axes[0, 0])
    return figure


def draw_spectra(ds: xr.Dataset) -> Figure:
    """A column for each loss, with leading eigenvalues of the Fisher information above those of the kernel."""
    drawn = [rank for rank in DRAWN if rank <= ds.sizes["rank"]]
    with mpl.rc_context(STYLE):
        figure, axes = panels(2, ds.sizes["loss"], ds, "leading eigenvalues", sharey="row")
        for row, name in zip(axes, ("fisher_spectrum", "ntk_spectrum"), strict=True):
            for ax, loss in zip(row, ds["loss"].values, strict=True):
                for colour, rank in zip(CYCLE, drawn, strict=False):
                    ax.plot(
                        ds["epoch"],
                        ds[name].sel(loss=loss).isel(rank=rank - 1),
                        color=colour,
                        lw=1.2,
                        label=f"no. {rank}",
                    )
                ax.set_yscale("log")
                ax.set_title(ig.plotting.loss_title(str(loss)))
            row[0].set_ylabel(label_of(ds[name]).removeprefix("leading "))
        legend(figure, axes[0, 0])
    return figure


def panels(rows: int, columns: int, ds: xr.Dataset, what: str, sharey: str | bool = True) -> tuple[Figure, np.ndarray]:
    """Panels along the epochs, with a title above; margins in inches over the size."""
    width, height = max(3.6, 0.8 + 2.1 * columns), 1.1 + 1.55 * rows
    figure, axes = plt.subplots(rows, columns, squeeze=False, sharex=True, sharey=sharey, figsize=(width, height))
    figure.subplots_adjust(left=0.75 / width, right=1 - 0.1 / width, bottom=0.72 / height, top=1 - 0.6 / height)
    figure.subplots_adjust(wspace=0.12, hspace=0.32)
    figure.suptitle(f"{ds.attrs['data']}, width {ds.attrs['width']}, one run\n{what}", y=1 - 0.06 / height, va="top")
    for ax in axes[-1]:
        ax.set_xlabel("epoch")
    return figure, axes


def legend(figure: Figure, ax: plt.Axes) -> None:
    """One for all panels, below them."""
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=len(labels), frameon=False, borderaxespad=0.1)


def report(ds: xr.Dataset) -> None:
    """Errors before, in the midst of and after training, and what they say."""
    epochs = ds["epoch"].values[[0, ds.sizes["epoch"] // 2, -1]]
    print(f"{ds.attrs['data']}, {ds.attrs['samples']} images; one run of width {ds.attrs['width']} and each loss")
    print(f"empirical Fisher information on {ds.attrs['probe_samples']} of the images trained on, relative errors\n")
    print(f"{'':21}" + "".join(f"{title:>27}" for title, _ in APPROXIMATIONS.values()))
    print(
        f"{'loss':14}{'layer':>7}"
        + "".join(f"{f'epoch {epochs[0]}':>11}{epochs[1]:8}{epochs[2]:8}" for _ in APPROXIMATIONS)
    )
    for loss in ds["loss"].values:
        for layer in ds["layer"].values:
            one = ds.sel(loss=loss, layer=layer, epoch=epochs)
            cells = (f"{a:11.3f}{b:8.3f}{c:8.3f}" for a, b, c in (one[name].values for name in APPROXIMATIONS))
            print(f"{loss:14}{layer:7}" + "".join(cells))
    print()
    total = ds["kfac"].size
    for name, words in (
        ("ekfac", "EKFAC is nearer than K-FAC by a tenth or more"),
        ("pair", "the best Kronecker product is"),
    ):
        gains = int((ds[name] <= 0.9 * ds["kfac"]).sum())
        print(f"{words} at {gains} of {total} measurements")
    print(f"EKFAC is nearer than the best Kronecker product at {int((ds['ekfac'] < ds['pair']).sum())} of {total}")
    print(f"K-FAC's error exceeds 1, that of no approximation at all, at {int((ds['kfac'] > 1).sum())} of {total}")


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # whatever the encoding of a pipe
    sys.exit(main())
