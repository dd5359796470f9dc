"""Training on the manifold: natural gradient and K-FAC beside SGD and Adam, along epochs, seconds and Fisher length.

A network d–W–W–10 with ReLU is trained on handwritten digits with cross-entropy, by each optimizer from the same
initial parameters and with the same batches; learning rates and damping were chosen by hand on scikit-learn's digits.

The Fisher length of a path is that of the polygon through the parameters after each epoch, Σ ∫ √(Δθᵀ F Δθ) along its
sides, with the expected Fisher information F on the probe images (by Gauss's rule, five nodes a side): how far the
network's distributions have moved, whatever its parameters are, but for detours within an epoch. Seconds are those of
the processor in training alone, which one thread does.

Without --data the digits are those bundled with scikit-learn, 1,797 real images of 8 × 8 pixels.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
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

LOSS = ig.losses.CrossEntropy()
OPTIMIZERS = {
    "SGD": ig.optimizers.SGD(0.03, momentum=0.9),
    "Adam": ig.optimizers.Adam(3e-3),
    "natural gradient": ig.optimizers.NaturalGradient(0.3, damping=1e-2, fisher="expected"),
    "K-FAC": ig.optimizers.KFAC(0.02, damping=2e-2, fisher="expected"),
}
#: Styles of their curves.
CURVES = {
    "SGD": {"color": CYCLE[4], "ls": ":", "marker": "s"},
    "Adam": {"color": CYCLE[0], "ls": "--", "marker": "^"},
    "natural gradient": {"color": CYCLE[1], "ls": "-", "marker": "o"},
    "K-FAC": {"color": CYCLE[2], "ls": "-.", "marker": "D"},
}
#: What losses are drawn and compared along.
ALONG = {
    "epoch": "epoch",
    "seconds": "processor seconds of training",
    "fisher_length": r"Fisher length $\Sigma\int (\Delta\theta^T F\,\Delta\theta)^{1/2}$",
}
#: What is not given: usually, and with --quick.
DEFAULTS = {"width": (128, 16), "epochs": (20, 3)}
#: Nodes on each side of a path by which its length is taken.
NODES = 5
#: Epochs of a run by which the time of one is taken.
TIMED = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Train, measure and draw; 0 on success, 2 (by SystemExit) for bad arguments, 130 when interrupted."""
    options = parse(argv)
    mpl.use("agg")
    start = time.perf_counter()
    try:
        x, y, source = load(options)
        runs = [along_training(x, y, rule, options) for rule in OPTIMIZERS.values()]
    except ImportError as error:
        fail(f"{error}, or --data DIR")
    except ValueError as error:
        fail(str(error))
    except KeyboardInterrupt:
        print("\nstopped; nothing is kept")
        return 130
    ds = xr.concat(runs, "optimizer", join="outer", combine_attrs="drop_conflicts")
    ds = ds.assign_coords(optimizer=list(OPTIMIZERS)).assign_attrs(data=source, width=options.width)

    write_atomically(options.out / "natural_gradient.nc", lambda file: file.write(bytes(ds.to_netcdf(engine="scipy"))))
    figure = draw(ds)
    write_atomically(options.out / "natural_gradient.png", partial(figure.savefig, dpi=200, format="png"))
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
    parser.add_argument("--epochs", type=int, metavar="N", help="passes through the data (default 20)")
    parser.add_argument("--probe", type=int, default=1000, metavar="N", help="samples to measure on (default 1000)")
    parser.add_argument("--quick", action="store_true", help="a narrow network and few epochs, for a trial")
    parser.add_argument(
        "--out", type=Path, default=Path("natural_gradient"), metavar="DIR", help="default ./natural_gradient"
    )
    options = parser.parse_args(argv)
    for name, (usual, quick) in DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)
    for name in ("width", "epochs", "probe"):
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


def along_training(
    x: np.ndarray, y: np.ndarray, rule: ig.optimizers.Descent, options: argparse.Namespace
) -> xr.Dataset:
    """Record of one run, with the seconds and the Fisher length up to each epoch; it ends early where it diverges."""
    net = ig.network.MLP((x.shape[1], options.width, options.width, y.shape[1]), seed=0, dtype="float32")
    fit = partial(ig.network.fit, net, x, y, LOSS, optimizer=rule)
    probe = x[ig.network.stratified_sample(y, options.probe)]

    # Prolonged epoch by epoch, for the parameters after each.
    path = []
    with tempfile.TemporaryDirectory() as folder:
        for epoch in range(options.epochs + 1):
            keywords = {"checkpoint": Path(folder) / "run.npz", "record": ig.network.Record(probe=options.probe)}
            run = fit(epochs=epoch, **keywords)
            if run.attrs["ended"] != "complete":
                break
            path.append(run["parameters"].values.astype(float))

    # Once more with nothing to measure on the way, for the time that an epoch takes.
    timed = min(TIMED, options.epochs)
    start = time.process_time()
    fit(epochs=timed, record=ig.network.Record(every=timed, probe=1))
    seconds = (time.process_time() - start) / timed
    run = run.drop_vars("parameters").isel(epoch=slice(len(path)))
    lengths = np.cumsum([0.0, *(side(net, probe, *ends) for ends in pairwise(path))])
    return run.assign(seconds=seconds * run["epoch"], fisher_length=("epoch", lengths))


def side(net: ig.network.MLP, probe: np.ndarray, start: np.ndarray, end: np.ndarray) -> float:
    """Length of a straight piece of a path by the expected Fisher information along it."""
    step, total = end - start, 0.0
    for node, weight in zip(*np.polynomial.legendre.leggauss(NODES), strict=True):
        here = net.with_parameters(start + (1 + node) / 2 * step)
        square = step @ ig.network.fisher_product(here, probe, None, LOSS, step, fisher="expected")
        total += weight / 2 * np.sqrt(square)
    return float(total)


def draw(ds: xr.Dataset) -> Figure:
    """Loss against epochs, seconds and Fisher length, a mark for each epoch."""
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(1, 3, sharey=True, figsize=(7.0, 2.75))
        figure.subplots_adjust(left=0.08, right=0.99, bottom=0.27, top=0.84, wspace=0.08)
        for ax, (name, label) in zip(axes, ALONG.items(), strict=True):
            for optimizer in ds["optimizer"].values:
                run = ds.sel(optimizer=optimizer)
                if name == "seconds":  # on a logarithmic axis, where there is no beginning
                    run = run.isel(epoch=slice(1, None))
                ax.plot(run[name], run["loss"], label=optimizer, lw=1.1, ms=2.6, **CURVES[optimizer])
            ax.set_xlabel(label)
        axes[1].set_xscale("log")
        axes[0].set_yscale("log")
        axes[0].set_ylabel("cross-entropy (nats)")
        figure.suptitle(
            f"{ds.attrs['data']}, width {ds.attrs['width']}, batches of {ds.attrs['batch_size']}, one run each\n"
            f"loss and expected Fisher information on {ds.attrs['probe_samples']} of the images trained on",
            y=0.985,
            va="top",
        )
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center", ncols=len(labels), frameon=False, borderaxespad=0.1)
    return figure


def report(ds: xr.Dataset) -> None:
    """A row for each optimizer, and who is ahead along what."""
    print(f"{ds.attrs['data']}, {ds.attrs['samples']} images; one run of width {ds.attrs['width']} by each optimizer")
    print(f"loss, accuracy and expected Fisher information on {ds.attrs['probe_samples']} of the images trained on\n")
    last = ds.sizes["epoch"] - 1
    print(f"{'':18}{'loss after':>24}{'':10}{'ms an':>9}{'Fisher':>9}")
    print(f"{'optimizer':18}{'epoch 1':>12}{f'epoch {last}':>12}{'accuracy':>10}{'epoch':>9}{'length':>9}")
    for optimizer in ds["optimizer"].values:
        run = ds.sel(optimizer=optimizer)
        cells = f"{run['loss'][1].item():12.4f}{run['loss'][-1].item():12.2e}{run['accuracy'][-1].item():10.3f}"
        print(f"{optimizer:18}{cells}{1e3 * run['seconds'][1].item():9.1f}{run['fisher_length'][-1].item():9.2f}")
    print()
    for optimizer, rule in OPTIMIZERS.items():
        print(f"{optimizer:18}{rule}")
    print()
    for name in ALONG:
        print(sentence(ds, name))


def sentence(ds: xr.Dataset, name: str) -> str:
    """Losses by the last epoch that ends within what all runs reach along an axis."""
    reached, losses = float(ds[name].where(ds["loss"].notnull()).max("epoch").min()), {}
    for optimizer in ds["optimizer"].values:
        run = ds.sel(optimizer=optimizer)
        losses[optimizer] = float(run["loss"].where(run[name] <= reached).dropna("epoch")[-1])
    order = sorted(losses, key=losses.__getitem__)
    told = ", ".join(f"{optimizer} {losses[optimizer]:.2g}" for optimizer in order)
    return f"loss by the last epoch within {name.replace('_', ' ').replace('fisher', 'Fisher')} {reached:.3g}: {told}"


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # whatever the encoding of a pipe
    sys.exit(main())
