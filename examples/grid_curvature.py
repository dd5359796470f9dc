"""Where the Fisher metric of the thesis's two-parameter sigmoid network bends (Sec. 5.2, Figs. 4.1 and 5.2–5.10).

For each loss: metric, traces, loss and scalar curvature over a grid of parameters and along a training path from
(0.5, 0.5), as pictures and as NetCDF files, with a table on the way out.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

import infogeom as ig
from infogeom.files import writable_folder, write_atomically

LOSSES = {"mean-power-2": ig.losses.MeanPower(2), "l2": ig.losses.LpNorm(2), "cross-entropy": ig.losses.CrossEntropy()}
#: Learning rate and steps of gradient descent, after which every point of the default data set is classified right. The
#: weights that separate N points form a cone of width O(1/N), narrower than the O(1/√N) by which the data shift the
#: floor of the valley: with another seed a few points may stay on the wrong side. The table counts them.
DESCENT = {"mean-power-2": (1.0, 200), "l2": (0.4, 32), "cross-entropy": (0.4, 150)}
DEFAULT_SAMPLES = 1000
DEFAULT_SEED = 0
#: Learning rate and steps beside the flow: few and large, so that the two part visibly.
DESCENT_AND_FLOW = (0.7, 8)
FLOW_POINTS_PER_STEP = 20
#: Where training begins.
START = (0.5, 0.5)
#: Parameters beyond this are no network's.
FARTHEST = 1e6
#: Nodes of the quadrature for each unit of θ in view: the sigmoid's step, of width 1/(5|θ|), has to be resolved.
ORDER_PER_UNIT = 12.8
#: The least, right to 1e-5 of R on [−5, 5]², and the most, beyond which it would take minutes.
ORDERS = (64, 512)
#: What is asked for along the path; over the grid the loss comes with it.
ON_PATH = ("metric", "fisher_trace", "ntk_trace", "ricci_scalar")


@dataclass(frozen=True)
class Data:
    """A data set, or the quadrature rule that stands for infinitely many samples, and its name in the titles."""

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | None
    name: str


class Stopwatch:
    """Seconds per stage."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] += time.perf_counter() - start  # type: ignore[assignment]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study; 0 on success, 2 (by SystemExit) for bad arguments."""
    options = parse(argv)
    mpl.use("agg")
    watch = Stopwatch()
    data = load(options)
    names = list(LOSSES) if options.loss == "all" else [options.loss]
    models, studies = {}, {}
    for name in names:
        models[name] = ig.models.sigmoid_neuron(data.inputs, data.targets, LOSSES[name], weights=data.weights)
        studies[name] = study(models[name], data, options, watch)

    # Two more figures, of the last loss alone.
    shown = names[-1]
    extra = {"output": trained_output(models[shown], *studies[shown])}
    extra |= descent_and_flow(models[shown], data, watch)

    with watch.stage("writing"):
        for name, (grid, path) in studies.items():
            write_netcdf(grid, options.out / f"grid_{name}.nc")
            write_netcdf(path, options.out / f"path_{name}.nc")
        for name, ds in extra.items():
            write_netcdf(ds, options.out / f"{name}_{shown}.nc")
    with watch.stage("drawing"):
        draw(studies, extra, data, options.out)
    report(models, studies, data, options, watch)
    return 0


class Parser(argparse.ArgumentParser):
    """Errors take one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--loss", choices=[*LOSSES, "all"], default="all", help="which loss (default: all)")
    parser.add_argument("--grid", type=int, metavar="N", help="points per axis (default 201)")
    parser.add_argument(
        "--range",
        type=float,
        nargs=2,
        default=(-3.0, 3.0),
        metavar=("LO", "HI"),
        help="of both parameters (default -3 3)",
    )
    parser.add_argument("--samples", type=int, metavar="N", help="size of the data set (default 1000)")
    parser.add_argument("--seed", type=int, metavar="S", help="of the data set (default 0)")
    parser.add_argument("--population", action="store_true", help="infinitely many samples, by quadrature")
    parser.add_argument("--quick", action="store_true", help="a coarse grid and few samples, for a trial")
    parser.add_argument(
        "--out", type=Path, default=Path("grid_curvature"), metavar="DIR", help="folder (default ./grid_curvature)"
    )
    options = parser.parse_args(argv)

    # What is not given depends on whether this is a trial.
    if options.population and (options.samples is not None or options.seed is not None):
        parser.error("--population has no samples: leave out --samples and --seed")
    for name, default, quick, least in (
        ("grid", 201, 41, 2),
        ("samples", DEFAULT_SAMPLES, 200, 1),
        ("seed", DEFAULT_SEED, DEFAULT_SEED, 0),
    ):
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else default)
        if getattr(options, name) < least:
            parser.error(f"--{name} must be at least {least}, got {getattr(options, name)}")

    # A grid that cannot be made, and a folder that cannot be written, are told before any work.
    low, high = options.range
    if not (-FARTHEST <= low < high <= FARTHEST):
        parser.error(f"--range must be two numbers up to {FARTHEST:g}, the lower one first, got {low:g} {high:g}")
    if (np.diff(np.linspace(low, high, options.grid)) <= 0).any():
        parser.error(f"--range must hold {options.grid} different numbers, got {low:.17g} {high:.17g}")
    try:
        writable_folder(options.out)
    except OSError as error:
        parser.error(f"--out {options.out} cannot be written: {error.strerror}")
    return options


def load(options: argparse.Namespace) -> Data:
    if options.population:
        order = math.ceil(ORDER_PER_UNIT * max(map(abs, options.range)))
        rule = ig.models.decision_boundary_population(int(np.clip(order, *ORDERS)))
        return Data(*rule, "infinite-data limit")
    inputs, targets = ig.models.decision_boundary(options.samples, options.seed)
    return Data(inputs, targets, None, f"{options.samples} sample{'s' * (options.samples > 1)}, seed {options.seed}")


def study(model: Any, data: Data, options: argparse.Namespace, watch: Stopwatch) -> tuple[xr.Dataset, xr.Dataset]:
    """Quantities over the grid, and along the training path."""
    low, high = options.range
    axis = np.linspace(low, high, options.grid)
    rate, steps = DESCENT[model.loss.name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ig.StatusWarning)  # the table counts them
        with watch.stage("closed form"):
            metric = ig.symbolic.metric(model)
        with watch.stage("grid"):
            grid = ig.grid.evaluate(metric, {"theta1": axis, "theta2": axis}, (*ON_PATH, "loss"))
        with watch.stage("training"):
            path = ig.training.gradient_descent(model, START, learning_rate=rate, steps=steps)
            along = ig.grid.evaluate_points(metric, path, ON_PATH)
    of_training = {name: path[name].variable for name in ("loss", "gradient_norm", "time")}
    path = along.assign(of_training).assign_attrs(path.attrs)
    return grid.assign_attrs(data=data.name), path.assign_attrs(data=data.name)


def trained_output(model: Any, grid: xr.Dataset, path: xr.Dataset) -> xr.Dataset:
    """Output at the last step over the unit square (Fig. 5.4)."""
    axis = np.linspace(0, 1, 201)
    square = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    theta = [float(path[name][-1]) for name in ("theta1", "theta2")]
    values = model.output(theta, square.reshape(-1, 2)).reshape(square.shape[:2])
    coordinates = {name: (name, axis, {"long_name": f"${name}$", "units": "1"}) for name in ("x", "y")}
    variable = (("x", "y"), values, {"long_name": r"$f_\theta(x, y)$", "units": "1"})
    return xr.Dataset({"output": variable}, coordinates, grid.attrs | {"theta1": theta[0], "theta2": theta[1]})


def descent_and_flow(model: Any, data: Data, watch: Stopwatch) -> dict[str, xr.Dataset]:
    """Gradient descent in large steps, and the gradient flow over the same time (Fig. 4.1)."""
    rate, steps = DESCENT_AND_FLOW
    fine = FLOW_POINTS_PER_STEP
    with watch.stage("training"):
        descent = ig.training.gradient_descent(model, START, learning_rate=rate, steps=steps)
        flow = ig.training.gradient_flow(model, START, learning_rate=rate / fine, steps=steps * fine)
    return {"descent": descent.assign_attrs(data=data.name), "flow": flow.assign_attrs(data=data.name)}


# --- files -----------------------------------------------------------------------------------------------------------


def write_netcdf(ds: xr.Dataset, path: Path) -> None:
    write_atomically(path, lambda file: file.write(bytes(ds.to_netcdf(engine="scipy"))))


def write_picture(axes: Any, path: Path) -> None:
    figure = np.ravel(axes)[0].figure
    write_atomically(path, partial(figure.savefig, dpi=200, format="png", pil_kwargs={"compress_level": 3}))
    plt.close(figure)


def draw(
    studies: dict[str, tuple[xr.Dataset, xr.Dataset]], extra: dict[str, xr.Dataset], data: Data, out: Path
) -> None:
    plotting, shown = ig.plotting, list(studies)[-1]
    axes = plotting.data_set(data.inputs, data.targets, weights=data.weights, title=data.name)
    write_picture(axes, out / "data_set.png")

    # The losses beside each other, then everything else of each by itself.
    losses = [grid["loss"] for grid, _ in studies.values()]
    paths = [path for _, path in studies.values()]
    titles = [plotting.loss_title(name) for name in studies]
    axes = plotting.surfaces(losses, paths, titles=titles, title=f"loss, {data.name}")
    write_picture(axes, out / "loss_surfaces.png")
    for name, (grid, path) in studies.items():
        write_picture(plotting.panel(grid, path), out / f"surfaces_{name}.png")
        write_picture(plotting.along_path(path), out / f"along_path_{name}.png")

    # What training leads to.
    result = extra["output"]
    at = rf"$f_\theta(x, y)$ at $\theta = ({result.theta1:.3f}, {result.theta2:.3f})$"
    title = f"{plotting.loss_title(shown)}, {data.name}\n{at}"
    write_picture(plotting.output(result["output"], title=title), out / f"output_{shown}.png")
    loss = studies[shown][0]["loss"]
    axes = plotting.descent_and_flow(extra["descent"], extra["flow"], loss=loss)
    write_picture(axes, out / f"descent_and_flow_{shown}.png")


# --- the table -------------------------------------------------------------------------------------------------------


def report(
    models: dict[str, Any],
    studies: dict[str, tuple[xr.Dataset, xr.Dataset]],
    data: Data,
    options: argparse.Namespace,
    watch: Stopwatch,
) -> None:
    low, high = options.range
    print(f"{data.name}; {options.grid} × {options.grid} points on [{low:g}, {high:g}]²")
    print("empirical Fisher information, tr Λ per sample\n")

    # A column a loss; statuses that no loss has are left out.
    columns = {name: rows(models[name], *studies[name], data) for name in studies}
    print(f"{'':30}" + "".join(f"{name:>20}" for name in columns))
    labels: dict[str, None] = {}
    for column in columns.values():
        labels |= dict.fromkeys(column)
    for label in labels:
        cells = [column.get(label, "0") for column in columns.values()]
        if not label.startswith("status") or set(cells) != {"0"}:
            print(f"{label:30}" + "".join(f"{cell:>20}" for cell in cells))
    print("\nseconds  " + "  ".join(f"{name} {seconds:.2f}" for name, seconds in watch.seconds.items()))
    print(f"files    {options.out.resolve()}")


def rows(model: Any, grid: xr.Dataset, path: xr.Dataset, data: Data) -> dict[str, str]:
    """One column of the table."""
    theta = [float(path[name][-1]) for name in ("theta1", "theta2")]
    right = int(((model.output(theta, data.inputs) > 0.5) == (data.targets == 1)).sum())
    column = {
        "learning rate, steps": f"{path.learning_rate:g}, {path.steps}",
        "end of the path (θ1, θ2)": f"({theta[0]:.3f}, {theta[1]:.3f})",
        "classified right": f"{right} of {len(data.targets)}",
        "R at the end of the path": f"{float(path['ricci_scalar'][-1]):.6g}",
    }
    for word, pick in (("minimum", np.nanargmin), ("maximum", np.nanargmax)):
        column[f"{word} of R"], column[f"  at (θ1, θ2) of the {word}"] = extreme(grid["ricci_scalar"], pick)
    column["largest bound on |δR / R|"] = largest_error(grid)
    return column | ratio_of_traces(grid) | statuses(grid["status"])


def ratio_of_traces(grid: xr.Dataset) -> dict[str, str]:
    """How far tr I / tr Λ is from constant over the grid."""
    ratio = (grid["fisher_trace"] / grid["ntk_trace"].where(grid["ntk_trace"] > 0)).values
    ratio = ratio[np.isfinite(ratio)]
    labels = ("tr I / tr Λ: median", "  coefficient of variation", "  maximum / minimum")
    if not ratio.size or ratio.min() <= 0:
        return dict.fromkeys(labels, "none")
    figures = (f"{np.median(ratio):.6g}", f"{ratio.std() / ratio.mean():.3g}", f"{ratio.max() / ratio.min():.6g}")
    return dict(zip(labels, figures, strict=True))


def statuses(status: xr.DataArray) -> dict[str, str]:
    """Number of points of each status, which the array says in words."""
    flags = np.atleast_1d(status.attrs["flag_values"])
    meanings = status.attrs["flag_meanings"].split()
    found = {}
    for flag, meaning in zip(flags, meanings, strict=True):
        found[f"status {meaning}"] = str(int((status == flag).sum()))
    return found


def largest_error(grid: xr.Dataset) -> str:
    """Largest stated error of R over its size, as text."""
    relative = (grid["ricci_scalar_error"] / abs(grid["ricci_scalar"])).max()
    return f"{float(relative):.1e}" if np.isfinite(relative) else "none"


def extreme(R: xr.DataArray, pick: Callable[[np.ndarray], Any]) -> tuple[str, str]:
    """Value and place of the minimum or maximum, as text."""
    if not R.notnull().any():
        return "none", "none"
    at = R[np.unravel_index(pick(R.values), R.shape)]
    return f"{float(at):.6g}", f"({float(at['theta1']):.2f}, {float(at['theta2']):.2f})"


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # whatever the encoding of a pipe
    sys.exit(main())
