"""A gallery of two-parameter families: how they curve, and how far apart their laws are.

Nine maps of the scalar curvature, or of the volume element where the curvature is constant, with ellipses of one Fisher
length; and the pictures that explain what a family is (thesis Figs. 3.2–3.4). Pictures and NetCDF files.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import sympy
import xarray as xr
from matplotlib.colors import LogNorm, Normalize
from tqdm import tqdm

import infogeom as ig
from infogeom.files import writable_folder, write_atomically

#: Families whose curvature is constant, continuous ones whose curvature varies, discrete ones.
FAMILIES = ("normal", "weibull", "inverse_gaussian")
FAMILIES += ("gamma", "beta", "von_mises")
FAMILIES += ("negative_binomial", "skellam", "beta_binomial:30")
#: Sums and quadratures are right to about this much.
RTOL = 1e-6
#: R that varies by no more than this is constant.
CONSTANT = 1e-6
#: Where ellipses stand, as fractions of the typical range, and the lengths that their radius may be.
PLACES = (0.2, 0.5, 0.8)
LENGTHS = (0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.5)
#: Rows of pins on the Galton boards, and their slopes.
TRIALS = 12
PROBABILITIES = (0.2, 0.5, 0.8)
#: Of the two normal laws: their mean, their standard deviations, and how many samples of each are drawn.
MEAN = 2.0
SPREADS = (0.5, 1.5)
DRAWS = 4
#: Means and standard deviations of the laws on the half-plane.
MEANS = (-4.0, 0.0, 4.0)
DEVIATIONS = (0.5, 1.0, 1.5)


def main(argv: Sequence[str] | None = None) -> int:
    """Draw everything; 0 on success, 2 (by SystemExit) for bad arguments."""
    options = parse(argv)
    mpl.use("agg")
    maps = {}
    for name in tqdm(FAMILIES, desc="families", delay=2, leave=False, disable=None):
        maps[name] = family(ig.models.family(name), options.grid)
    pictures = {
        "gallery": gallery(maps),
        "binomial": ig.plotting.laws(binomials()),
        "two_normals": two_normals(options.seed),
        "manifold": manifold(),
    }
    for name, axes in pictures.items():
        write_picture(axes, options.out / f"{name}.png")
    for name, (grid, _, _) in maps.items():
        write_netcdf(grid, options.out / f"{name.partition(':')[0]}.nc")
    report(maps)
    print(f"\n{len(pictures)} pictures and {len(maps)} grids written to {options.out.resolve()}")
    return 0


class Parser(argparse.ArgumentParser):
    """Errors take one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--grid", type=int, metavar="N", help="points per axis (default 41)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the samples drawn (default 0)")
    parser.add_argument("--quick", action="store_true", help="a coarse grid, for a trial")
    parser.add_argument("--out", type=Path, default=Path("families"), metavar="DIR", help="folder (default ./families)")
    options = parser.parse_args(argv)
    if options.grid is None:
        options.grid = 7 if options.quick else 41
    for name, least in (("grid", 2), ("seed", 0)):
        if getattr(options, name) < least:
            parser.error(f"--{name} must be at least {least}, got {getattr(options, name)}")
    try:
        writable_folder(options.out)
    except OSError as error:
        parser.error(f"--out {options.out} cannot be written: {error.strerror}")
    return options


# --- the gallery -----------------------------------------------------------------------------------------------------


def family(model: ig.models.Model, count: int) -> tuple[xr.Dataset, xr.Dataset, float]:
    """Metric and curvature over the typical ranges, the metric at a few points, and a length for ellipses there."""
    typical = [p.typical for p in model.parameters]
    axes = {p.name: np.linspace(*p.typical, count) for p in model.parameters}
    first, second = ([low + share * (high - low) for share in PLACES] for low, high in typical)
    points = [(a, b) for a in first for b in second]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ig.StatusWarning)  # the table counts them
        grid = ig.grid.evaluate(model, axes, ("metric", "determinant", "ricci_scalar"), rtol=RTOL)
        few = ig.grid.evaluate_points(model, points, ("metric",))
    return grid.assign_attrs(law=model.latex), few, length(few, typical)


def length(few: xr.Dataset, typical: Sequence[tuple[float, float]]) -> float:
    """Largest of the round lengths whose ellipses do not overlap."""
    gap = np.ptp(typical, axis=1) * np.diff(PLACES).min()
    extent = np.sqrt(np.diagonal(np.linalg.inv(few["metric"].values), axis1=1, axis2=2))  # of {v: g(v, v) = 1}
    fits = 0.5 / (extent / gap).max()
    fitting = [r for r in LENGTHS if r <= fits]
    return max(fitting, default=LENGTHS[0])


def shown(grid: xr.Dataset) -> xr.DataArray:
    """R, or √det g where R is constant."""
    R = grid["ricci_scalar"]
    if float(R.max() - R.min()) > CONSTANT:
        return R
    volume = np.sqrt(grid["determinant"]).rename("volume_element")
    return volume.assign_attrs(long_name=r"$\sqrt{\det g}$", units="1", constant=f"; $R = {float(R.median()):.4g}$")


def gallery(maps: dict[str, tuple[xr.Dataset, xr.Dataset, float]]) -> np.ndarray:
    arrays = [shown(grid) for grid, _, _ in maps.values()]
    titles = []
    for (name, (grid, _, r)), da in zip(maps.items(), arrays, strict=True):
        number = f", $n = {name.partition(':')[2]}$" if ":" in name else ""
        first = f"${grid.attrs['law']}${number}{da.attrs.get('constant', '')}"
        titles.append(f"{first}\n{da.attrs['long_name']}, ellipses $\\epsilon = {r:g}$")
    title = r"ellipses: $g_{ij} v^i v^j = \epsilon^2$"
    axes = ig.plotting.surfaces(arrays, titles=titles, title=title, norms=list(map(norm, arrays)))
    for ax, (_, few, r) in zip(axes, maps.values(), strict=True):
        ig.plotting.ellipses(few, radius=r, ax=ax)
    return axes


def norm(da: xr.DataArray) -> Normalize | None:
    """Colour scale: logarithmic for a volume element, which goes with a power of the scale; linear for R."""
    low, high = float(da.min()), float(da.max())
    if "constant" in da.attrs:
        return LogNorm(low, high)
    return Normalize(-max(-low, high), max(-low, high)) if low < 0 < high else None


# --- what a family is ------------------------------------------------------------------------------------------------


def density(model: ig.models.Model, points: Sequence[Sequence[float]], outcomes: np.ndarray) -> np.ndarray:
    """Densities or probabilities of a family at points, shape (points, outcomes)."""
    symbols = list(model.variables)
    symbols += [p.symbol for p in model.parameters]
    law = sympy.exp(model.log_density.subs(dict(model.constants)))
    f = sympy.lambdify(symbols, law, ["scipy", "numpy"])
    return np.array([f(outcomes, *point) for point in points])


def binomials() -> xr.DataArray:
    """Where balls end up on Galton boards of several slopes (Fig. 3.2)."""
    x = np.arange(TRIALS + 1)
    values = density(ig.models.binomial(TRIALS), [[p] for p in PROBABILITIES], x)
    coordinates = {"p": ("p", list(PROBABILITIES), {"long_name": "$p$"}), "x": ("x", x, {"long_name": "slot $x_i$"})}
    return xr.DataArray(values, coordinates, ("p", "x"), attrs={"long_name": r"$f(x_i \mid p)$"})


def two_normals(seed: int) -> Any:
    """The narrower law tells more about its mean (Fig. 3.3)."""
    x = np.linspace(MEAN - 4.5, MEAN + 4.5, 401)
    values = density(ig.models.normal(), [[MEAN, s] for s in SPREADS], x)
    sigma = ("sigma", list(SPREADS), {"long_name": r"$\sigma$"})
    da = xr.DataArray(values, {"sigma": sigma, "x": x}, ("sigma", "x"), attrs={"long_name": r"$p(x \mid \mu, \sigma)$"})
    da["x"].attrs["long_name"] = "$x$"
    standard = np.random.default_rng(seed).standard_normal((len(SPREADS), DRAWS))
    draws = MEAN + np.array(SPREADS)[:, None] * standard
    ax = ig.plotting.laws(da, samples=xr.DataArray(draws, {"sigma": sigma}, ("sigma", "draw")))
    ax.axvline(MEAN, color="0.6", lw=0.6, ls="--", zorder=0)
    return ax


def manifold() -> Any:
    """Every point of the half-plane is a normal law (Fig. 3.4)."""
    points = [(mu, sigma) for sigma in DEVIATIONS for mu in MEANS]
    y = np.linspace(-5, 5, 201)
    values = np.concatenate([density(ig.models.normal(), [point], point[0] + y) for point in points])

    # Each law is given around its mean, so that one axis serves them all.
    da = xr.DataArray(values, {"x": y}, ("point", "x"))
    da["mu"] = ("point", [mu for mu, _ in points], {"long_name": r"$\mu$"})
    da["sigma"] = ("point", [sigma for _, sigma in points], {"long_name": r"$\sigma$"})
    ax = ig.plotting.laws_at_points(da)
    ax.set(ylim=(0, 2.1), xlim=(-7, 7), xticks=MEANS)

    at = (MEANS[1], DEVIATIONS[-1])
    text = rf"$p(x \mid \mu = {at[0]:g}, \sigma = {at[1]:g})$"
    ax.annotate(text, at, (0, 22), textcoords="offset points", ha="center", fontsize=8)
    return ax


# --- files and the table ---------------------------------------------------------------------------------------------


def write_netcdf(ds: xr.Dataset, path: Path) -> None:
    write_atomically(path, lambda file: file.write(bytes(ds.to_netcdf(engine="scipy"))))


def write_picture(axes: Any, path: Path) -> None:
    figure = np.ravel(axes)[0].figure
    write_atomically(path, partial(figure.savefig, dpi=200, format="png", pil_kwargs={"compress_level": 3}))
    plt.close(figure)


def report(maps: dict[str, tuple[xr.Dataset, xr.Dataset, float]]) -> None:
    print(f"{'family':20}{'minimum of R':>16}{'maximum of R':>16}{'points without R':>20}{'seconds':>10}")
    for name, (grid, _, _) in maps.items():
        R = grid["ricci_scalar"]
        row = f"{name:20}{float(R.min()):16.6g}{float(R.max()):16.6g}{int(R.isnull().sum()):20}"
        print(f"{row}{grid.attrs['wall_time_seconds']:10.1f}")


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # whatever the encoding of a pipe
    sys.exit(main())
