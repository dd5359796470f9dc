"""How lazy is a network? Its outputs through training against those of the network linearised at the start.

Networks d–W–W–10 with ReLU in the NTK parametrisation learn a few hundred handwritten digits by full-batch gradient
descent on the mean power 2. From the same initial network the linearised outputs follow in closed form (thesis
Eqs. 4.1.7 and 4.2.2), with the tangent kernel as it is at the start, at times t = rate × step. How far have the two
come apart, on the images learnt and on others, and how much less so in the wider network?

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
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

import infogeom as ig
from infogeom.files import writable_folder, write_atomically
from infogeom.plotting.style import CYCLE, STYLE, label_of
from infogeom.variables import numbers

LOSS = ig.losses.MeanPower(2)
#: What is not given: usually, and with --quick.
DEFAULTS = {
    "width": ([128, 784], [16, 64]),
    "images": (300, 40),
    "steps": (2000, 50),
    "seeds": (3, 2),
}
#: Images whose outputs are drawn.
DRAWN = 4
#: Times at which outputs are compared, about.
TIMES = 25
#: Lines of what was trained and linearised; of images learnt and others.
STYLES = ("-", (0, (2, 1.2)))
#: What is compared on images learnt and on others.
KINDS = {"learnt": "images learnt", "other": "other images"}


def main(argv: Sequence[str] | None = None) -> int:
    """Train and compare; 0 on success, 2 (by SystemExit) for bad arguments, 130 when interrupted."""
    options = parse(argv)
    mpl.use("agg")
    start = time.perf_counter()
    x, y, source = load(options)
    rows = ig.network.stratified_sample(y, options.images)
    rest = np.setdiff1d(np.arange(len(y)), rows)
    others = rest[ig.network.stratified_sample(y[rest], options.images)]
    try:
        runs = [
            xr.concat([compared(options, width, seed, x, y, rows, others) for seed in range(options.seeds)], "seed")
            for width in options.width
        ]
    except KeyboardInterrupt:
        print("\nstopped; nothing is kept")
        return 130
    ds = xr.concat(runs, "width").assign_coords(width=("width", options.width), seed=range(options.seeds))
    ds = ds.assign_attrs(data=source, images=len(rows), rate=options.rate, loss=LOSS.name)

    write_atomically(options.out / "lazy_training.nc", lambda file: file.write(bytes(ds.to_netcdf(engine="scipy"))))
    figure = draw(ds)
    write_atomically(options.out / "lazy_training.png", partial(figure.savefig, dpi=200, format="png"))
    plt.close(figure)
    report(ds)
    print(f"\nseconds  {time.perf_counter() - start:.1f}")
    print(f"files    {options.out.resolve()}")
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
    parser.add_argument("--width", type=int, nargs="+", metavar="W", help="of the hidden layers (default 128 784)")
    parser.add_argument("--images", type=int, metavar="N", help="to learn, and as many others (default 300)")
    parser.add_argument("--rate", type=float, default=0.1, metavar="R", help="learning rate (default 0.1)")
    parser.add_argument("--steps", type=int, metavar="N", help="of gradient descent (default 2000)")
    parser.add_argument("--seeds", type=int, metavar="N", help="initial networks of each width (default 3)")
    parser.add_argument("--quick", action="store_true", help="narrow networks, few images and steps, for a trial")
    parser.add_argument(
        "--out", type=Path, default=Path("lazy_training"), metavar="DIR", help="default ./lazy_training"
    )
    options = parser.parse_args(argv)
    for name, (usual, quick) in DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)

    # What cannot work is told before any work.
    for name, least, most in (("images", 10, 400), ("steps", 1, 10**9), ("seeds", 1, 10**9)):
        value = getattr(options, name)
        if not least <= value <= most:
            limit = f"at least {least}" if value < least else f"at most {most}"
            parser.error(f"--{name} must be {limit}, got {value}")
    if min(options.width) < 1:
        parser.error(f"--width must be at least 1, got {min(options.width)}")
    if not 0 < options.rate < np.inf:
        parser.error(f"--rate must be positive and finite, got {options.rate:g}")
    try:
        writable_folder(options.out)
    except OSError as error:
        parser.error(f"--out {options.out} cannot be written: {error.strerror}")
    return options


def load(options: argparse.Namespace) -> tuple[np.ndarray, np.ndarray, str]:
    """Inputs, targets, and what they are, for the title."""
    try:
        if options.data is None:
            return *ig.network.load_digits(), "scikit-learn's 8 × 8 digits"
        name, pair, *_ = ig.network.mnist_source(options.data).split(", ")
        return *ig.network.load_mnist(options.data), f"{name} ({pair})"
    except ImportError as error:
        fail(f"{error}, or --data DIR")
    except ValueError as error:
        fail(f"--data: {error}")


def compared(
    options: argparse.Namespace,
    width: int,
    seed: int,
    x: np.ndarray,
    y: np.ndarray,
    rows: np.ndarray,
    others: np.ndarray,
) -> xr.Dataset:
    """Trained and linearised outputs of one initial network, along time, and how far they are apart."""
    net = ig.network.MLP((x.shape[1], width, width, y.shape[1]), parametrization="ntk", seed=seed)
    steps = np.unique(np.geomspace(1, options.steps, TIMES).round().astype(int))
    flow = ig.network.linearised(net, x[rows], y[rows], LOSS, options.rate * steps, new=x[others])
    trained = descended(net, x, y, rows, others, steps, options.rate)

    # How far apart, in units of how far the linearised outputs have come.
    found = {}
    for kind, which, name in (("learnt", rows, "outputs"), ("other", others, "outputs_new")):
        start, linear, real = net.output(x[which]), flow[name].values, trained[kind]
        apart, moved = (np.sqrt((part**2).mean(axis=(1, 2))) for part in (real - linear, linear - start))
        found[f"deviation_{kind}"] = numbers("time", apart / moved, f"deviation, {KINDS[kind]}")
        right = y[which].argmax(axis=1)
        for what, outputs in (("trained", real), ("linearised", linear)):
            accuracy = (outputs.argmax(axis=2) == right).mean(axis=1)
            found[f"accuracy_{kind}_{what}"] = numbers("time", accuracy, f"accuracy, {what}, {KINDS[kind]}")

    # Losses, and the outputs of the right digit for a few images.
    losses = [LOSS.values(outputs, y[rows]).mean() for outputs in trained["learnt"]]
    found["loss_trained"] = numbers("time", losses, "loss, trained")
    found["loss_linearised"] = numbers("time", flow["loss"].values, "loss, linearised")
    first = [int(np.flatnonzero(y[rows].argmax(axis=1) == digit)[0]) for digit in range(DRAWN)]
    for what, outputs in (("trained", trained["learnt"]), ("linearised", flow["outputs"].values)):
        drawn = outputs[:, first, range(DRAWN)]
        found[f"output_{what}"] = numbers(("time", "digit"), drawn, f"output of the right digit, {what}")
    return xr.Dataset(found, {"time": flow["time"], "digit": range(DRAWN)})


def descended(
    net: ig.network.MLP,
    x: np.ndarray,
    y: np.ndarray,
    rows: np.ndarray,
    others: np.ndarray,
    steps: np.ndarray,
    rate: float,
) -> dict[str, np.ndarray]:
    """Outputs after some steps of full-batch gradient descent, for images learnt and others, (T, N, O)."""
    found: dict[str, list[np.ndarray]] = {kind: [] for kind in KINDS}
    for epochs in np.diff(steps, prepend=0).tolist():
        run = ig.network.fit(
            net,
            x[rows],
            y[rows],
            LOSS,
            epochs=epochs,
            optimizer=ig.network.SGD(rate),
            batch_size=None,
            record=ig.network.Record(every=epochs, probe=1),
        )
        if run.attrs["ended"] == "interrupted":
            raise KeyboardInterrupt
        if run.attrs["ended"] != "complete":
            fail(f"--rate {rate:g} is too large: gradient descent of width {net.widths[1]} diverges")
        net = net.with_parameters(run["parameters"])
        for kind, which in (("learnt", rows), ("other", others)):
            found[kind].append(net.output(x[which]).astype(np.float64))
    return {kind: np.array(outputs) for kind, outputs in found.items()}


def draw(ds: xr.Dataset) -> Figure:
    """Outputs of a few images for each width, and the deviations of all; colours that everyone tells apart."""
    widths = ds["width"].values
    panels = len(widths) + 1
    size = 2.35 * panels, 2.6
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(1, panels, figsize=size, squeeze=False)
        figure.subplots_adjust(left=0.45 / size[0], right=1 - 0.12 / size[0], bottom=0.27, top=0.8, wspace=0.28)

        # Outputs of one initial network of each width.
        drawn = ds[["output_trained", "output_linearised"]].isel(seed=0)
        every = drawn.to_array()
        for ax, width in zip(axes[0], widths, strict=False):
            for what, style in zip(("trained", "linearised"), STYLES, strict=True):
                for digit, colour in zip(ds["digit"].values, CYCLE, strict=False):
                    values = drawn[f"output_{what}"].sel(width=width, digit=digit)
                    ax.plot(ds["time"], values, color=colour, ls=style, lw=1.2)
            ax.set_title(f"W = {width}")
            ax.set_ylim(float(every.min()) - 0.1, float(every.max()) + 0.1)
        axes[0, 0].set_ylabel("output for the right digit", labelpad=2)
        draw_deviations(axes[0, -1], ds)
        for ax in axes[0]:
            ax.set_xscale("log")
            ax.set_xlabel(label_of(ds["time"]), labelpad=1)

        # What lines and colours of the outputs are, below them.
        lines = [Line2D([], [], color="black", lw=1.2, ls=style) for style in STYLES]
        lines += [Line2D([], [], color=colour, lw=1.2) for colour in CYCLE[:DRAWN]]
        labels = ["trained", "linearised", *(f"an image of {digit}" for digit in ds["digit"].values)]
        figure.legend(lines, labels, loc="lower center", ncols=len(lines), frameon=False, borderaxespad=0.1)
        loss = ig.plotting.loss_title(LOSS.name)
        title = f"{ds.attrs['data']}, {ds.attrs['images']} images, networks d–W–W–10 of ReLU, {loss}"
        figure.suptitle(title, y=0.985, va="top")
    return figure


def draw_deviations(ax: Axes, ds: xr.Dataset) -> None:
    """Mean deviation of each width, and the range of its seeds."""
    for width, colour in zip(ds["width"].values, CYCLE, strict=False):
        for kind, style in zip(KINDS, STYLES, strict=True):
            seeds = ds[f"deviation_{kind}"].sel(width=width)
            label = f"W = {width}, {KINDS[kind]}"
            ax.plot(ds["time"], seeds.mean("seed"), color=colour, lw=1.2, ls=style, label=label)
            ax.fill_between(ds["time"], seeds.min("seed"), seeds.max("seed"), color=colour, alpha=0.15, lw=0)
    ax.set_yscale("log")
    lower, upper = ax.get_ylim()
    ax.set_ylim(lower, upper * (upper / lower) ** 0.75)  # room for the legend
    ax.yaxis.set_major_locator(FixedLocator([m * 10.0**k for k in range(-6, 0) for m in (1, 2, 5)] + [1]))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_title("|trained − linearised| / way moved")
    runs = f"mean and range of {ds.sizes['seed']} seeds" if ds.sizes["seed"] > 1 else None
    style = {"frameon": False, "borderaxespad": 0.2, "labelspacing": 0.3, "alignment": "left"}
    ax.legend(loc="upper left", title=runs, title_fontsize=7, handlelength=1.8, **style)


def report(ds: xr.Dataset) -> None:
    """A table of where training ended, and what it says of each width."""
    last = ds.isel(time=-1)
    print(f"{ds.attrs['data']}, {ds.attrs['images']} images learnt, as many others; {LOSS.name}")
    print(f"full-batch gradient descent of rate {ds.attrs['rate']:g} to time {float(last['time']):g}, ", end="")
    print(f"mean and standard deviation of {ds.sizes['seed']} initial networks\n")
    columns = {
        "loss_trained": "loss",
        "loss_linearised": "linearised",
        "accuracy_other_trained": "accuracy*",
        "accuracy_other_linearised": "linearised*",
        "deviation_learnt": "deviation",
        "deviation_other": "deviation*",
    }
    print(f"{'width':>6}" + "".join(f"{title:>18}" for title in columns.values()))
    for width in ds["width"].values:
        row = last.sel(width=width)
        print(f"{width:6}" + "".join(f"{spread(row[name]):>18}" for name in columns))
    print("\n* on the other images; deviation: root mean square of trained − linearised outputs over that of the way")
    print("  that the linearised ones moved; what there is of it at the first steps comes of their finite length\n")
    print(sentence(last))


def spread(values: xr.DataArray) -> str:
    """Mean and standard deviation over seeds."""
    mean = f"{float(values.mean()):.4f}"
    return mean if values.sizes["seed"] < 2 else f"{mean} ± {float(values.std(ddof=1)):.4f}"


def sentence(last: xr.Dataset) -> str:
    """How lazy each width is, and how that compares with 1/√W."""
    means = last["deviation_learnt"].mean("seed")
    told = [f"{100 * float(means.sel(width=width)):.1f} % for width {width}" for width in last["width"].values]
    said = "Trained and linearised outputs have come apart by this share of the way they went: " + ", ".join(told)
    narrow, wide = (int(end) for end in (last["width"].min(), last["width"].max()))
    if narrow == wide:
        return said + "."
    ratio = float(means.sel(width=narrow) / means.sel(width=wide))
    return (
        f"{said}; {ratio:.2f} times as much for {narrow} as for {wide}, where 1/√W says {np.sqrt(wide / narrow):.2f}."
    )


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # whatever the encoding of a pipe
    sys.exit(main())
