"""Phase transitions by geometry: what the curvature of Gibbs models shows, and what it does not (thesis Sec. 3.4).

The 2-D Ising model on L × L tori, exactly: N R on h = 0 up to L = 128 and the sign of R over (β, h); the critical point
and exponents from L ≤ 16; metric components as derivatives of means (Eq. 3.4.3). In closed form the van der Waals gas
and the Ising chain. Pictures and NetCDF files.

N is the number of sites; the metric is that of the whole torus, whose R is 1/N of the R per site: hence N R.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import sympy
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, SymLogNorm
from matplotlib.figure import Figure
from scipy.optimize import brentq, curve_fit
from tqdm import tqdm

import infogeom as ig
from infogeom.files import writable_folder, write_atomically
from infogeom.plotting.style import CYCLE, STYLE

#: Of the infinite square lattice (Onsager), and what exponents theory has; the heat capacity grows by 8/π per ln L.
CRITICAL = float(np.log1p(np.sqrt(2)) / 2)
EXPONENTS = {"1/ν": "1", "γ/ν": "7/4", "α/ν": f"a logarithm, {8 / np.pi:.3f} for each unit of ln L"}
#: Usually, and with --quick: tori of N R, the torus of the map, tori of the extrapolation.
LARGE = ((8, 16, 32, 64, 128), (8, 16, 32))
MAPPED = (10, 8)
SMALL = ((4, 6, 8, 10, 12, 14, 16), (4, 6, 8, 12, 14))
#: Points of a line about the maximum of N R, of one on which a point takes half a second, and between which β.
POINTS = (81, 41)
SLOW = 128
WARM = (0.28, 0.57)
#: The map: ranges of β and h, and what its R is right to.
BETAS, FIELDS, RTOL = (0.02, 1.0), (0.0, 0.4), 1e-6
#: Lines of constant β below the transition on which the flank is sought.
COLD = (0.5, 0.6, 0.8)
#: Where the maxima of s and C lie, the lower one of R and the upper.
WHOLE, LOWER, UPPER = (0.2, 0.5), (0.1, 0.4), (0.4, 0.5)
#: Side of the torus whose states are enumerated one by one, and physical fields.
SIDE = 4
PHYSICAL_FIELDS = (0.0, 0.1, 0.3)
#: Imaginary step whose square vanishes beside 1.
STEP = 1e-30
#: Map of the van der Waals gas, in units of its critical point, and a temperature below it.
TEMPERATURES, VOLUMES, BELOW = (0.6, 1.3), (0.45, 8.0), 0.9


def main(argv: Sequence[str] | None = None) -> int:
    """Compute, draw and tell; 0 on success, 2 (by SystemExit) for bad arguments."""
    options = parse(argv)
    mpl.use("agg")
    start = time.process_time()
    lines, plane = no_field(LARGE[options.quick]), sign_map(MAPPED[options.quick])
    found, derivatives = from_small_sizes(SMALL[options.quick]), identity()
    gas, chain = van_der_waals(), ising_chain()
    for name, ds in (("no_field", lines), ("map", plane), ("van_der_waals", gas), ("chain", chain)):
        write_atomically(
            options.out / f"{name}.nc", lambda file, ds=ds: file.write(bytes(ds.to_netcdf(engine="scipy")))
        )
    pictures = {
        "curvature": draw_curvature(lines, plane),
        "critical_point": draw_small_sizes(found),
        "fluctuations": draw_identity(derivatives),
        "closed_forms": draw_closed_forms(gas, chain),
    }
    for name, figure in pictures.items():
        write_atomically(options.out / f"{name}.png", partial(figure.savefig, dpi=200, format="png"))
        plt.close(figure)
    report_curvature(lines, plane)
    report_small_sizes(found)
    report_identity(derivatives)
    report_closed_forms(chain)
    print(f"\nseconds of the processor  {time.process_time() - start:.1f}\nfiles    {options.out.resolve()}")
    return 0


class Parser(argparse.ArgumentParser):
    """Errors take one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="small tori, for a trial")
    parser.add_argument(
        "--out", type=Path, default=Path("phase_transitions"), metavar="DIR", help="default ./phase_transitions"
    )
    options = parser.parse_args(argv)
    try:
        writable_folder(options.out)
    except OSError as error:
        parser.error(f"--out {options.out} cannot be written: {error.strerror}")
    return options


# --- curvature -------------------------------------------------------------------------------------------------------


def no_field(sizes: Sequence[int]) -> xr.Dataset:
    """N R on h = 0, at points that are dense about its maximum."""
    lines = []
    for L in tqdm(sizes, desc="N R on h = 0", leave=False, disable=None):
        u = np.linspace(-1, 1, POINTS[L >= SLOW])
        middle, dense = CRITICAL - 0.85 / L, np.sinh(5 * u) / np.sinh(5)
        beta = middle + dense * np.where(u < 0, middle - WARM[0], WARM[1] - middle)
        ds = ig.evaluate_points(ig.models.ising_torus(L), np.stack([beta, 0 * beta], axis=1), ["ricci_scalar"])
        lines.append(per_site(ds, L).assign(L=("point", np.full(len(beta), L)), beta=("point", beta)))
    return xr.concat(lines, "point", combine_attrs="drop_conflicts")


def sign_map(L: int) -> xr.Dataset:
    """N R over (β, h), and its extrema along h below the transition."""
    axes = {"beta": np.linspace(*BETAS, 99), "h": np.linspace(*FIELDS, 81)}
    torus = ig.models.ising_torus(L)
    ds = per_site(ig.evaluate(torus, axes, ["ricci_scalar"], rtol=RTOL), L)

    # Along h, below the transition, the extremum beside the first-order line.
    flank = []
    for beta in COLD:
        along = ig.transitions.scan(torus, {"h": (0.002, FIELDS[1])}, {"beta": beta}).sel(observable="R")
        flank.append((along["location"].item(), along["extremum"].item()))
    Nh, NR = L**2 * np.array(flank).T
    return ds.assign_attrs(L=L, flank_beta=COLD, flank_Nh=Nh, flank_NR=NR)


def per_site(ds: xr.Dataset, L: int) -> xr.Dataset:
    """R and its error times N = L²."""
    names = ("ricci_scalar", "ricci_scalar_error")
    return ds.assign({name: (L**2 * ds[name]).assign_attrs(long_name="$N R$") for name in names})


def draw_curvature(lines: xr.Dataset, plane: xr.Dataset) -> Figure:
    """N R against β for each size, and its sign over (β, h)."""
    with mpl.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.1))
        figure.subplots_adjust(left=0.08, right=0.9, bottom=0.14, top=0.82, wspace=0.26)
        sizes = dict(lines.groupby("L"))
        colors = mpl.colormaps["viridis"](np.linspace(0.85, 0, len(sizes)))
        for color, (L, line) in zip(colors, sizes.items(), strict=True):
            left.plot(line["beta"], line["ricci_scalar"], color=color, lw=1.1, label=f"{L}")
        left.axvline(CRITICAL, color="black", lw=0.7, ls="--")
        left.set(yscale="log", xlim=WARM, xlabel=r"$\beta$", ylabel="$N R$")
        left.set_title(r"on $h = 0$; dashed: $\beta_c$ of the infinite lattice")
        left.legend(title="$L$", frameon=False, loc="upper left")

        # Both signs of h, of which R is the same.
        L, half = plane.attrs["L"], plane["ricci_scalar"].values.T
        h = np.concatenate([-plane["h"].values[:0:-1], plane["h"].values])
        whole, norm = np.concatenate([half[:0:-1], half]), SymLogNorm(1, vmin=-1e4, vmax=1e4)
        mesh = right.pcolormesh(plane["beta"], h, whole, norm=norm, cmap="RdBu_r", shading="nearest", rasterized=True)
        right.contour(plane["beta"], h, whole, [0], colors="black", linewidths=0.7)
        right.plot(CRITICAL, 0, "*", color="black", ms=6)
        bar = figure.colorbar(mesh, cax=right.inset_axes((1.03, 0, 0.045, 1)), extend="min")
        bar.ax.set_title("$N R$", pad=3)
        bar.set_ticks([-1e4, -1e2, -1, 0, 1, 1e2, 1e4])
        bar.ax.minorticks_off()
        flank = plane.attrs["flank_Nh"]
        for sign in (-1, 1):
            right.plot(COLD, sign * flank / L**2, "x", color="white", ms=4)
        right.annotate(
            f"flank of the first-order line:\nlargest $|R|$, $N|h| \\approx {flank[1]:.1f}$ at $\\beta = {COLD[1]}$",
            (COLD[1], flank[1] / L**2),
            (0.98, 0.9),
            textcoords="axes fraction",
            ha="right",
            va="center",
            fontsize=7,
            arrowprops={"arrowstyle": "->", "lw": 0.6},
        )
        right.set(xlabel=r"$\beta$", ylabel="$h$")
        right.set_title(rf"{L} × {L}; black: $R = 0$, ★ the critical point")
        figure.suptitle(
            "Ising model on L × L tori, R of the whole torus times N = L². On h = 0 its maximum goes to the critical "
            "point;\nover (β, h) |R| is largest elsewhere: on the flanks of the first-order line, "
            "where nothing is critical",
            y=0.985,
            va="top",
        )
    return figure


# --- critical point and exponents ------------------------------------------------------------------------------------


class Small(NamedTuple):
    """What small tori say: maxima, where they go, naive fits (value, error) of those of R, exponents at β_c."""

    sizes: np.ndarray
    locations: dict[str, np.ndarray]
    point: ig.transitions.Estimate
    fits: dict[str, tuple[float, float, np.ndarray]]
    observables: dict[str, np.ndarray]
    exponents: dict[str, ig.transitions.Exponent]


def from_small_sizes(sizes: Sequence[int]) -> Small:
    """Maxima on h = 0 and what follows from them, with no other knowledge of the infinite lattice."""
    L, tori = np.array(sizes, dtype=float), [ig.models.ising_torus(L) for L in sizes]
    maxima: dict[str, list[float]] = {"s": [], "C": [], "R, lower": [], "R, upper": [], "value of s": []}
    for torus in tqdm(tori, desc="maxima", leave=False, disable=None):
        whole, lower, upper = (maxima_on(torus, line) for line in (WHOLE, LOWER, UPPER))
        maxima["s"].append(whole["location"].sel(observable="s_h").item())
        maxima["C"].append(whole["location"].sel(observable="C").item())
        maxima["R, lower"].append(lower["location"].sel(observable="R").item())
        maxima["R, upper"].append(upper["location"].sel(observable="R").item())
        maxima["value of s"].append(whole["extremum"].sel(observable="s_h").item())
    locations = {name: np.array(values) for name, values in maxima.items()}
    s = locations.pop("value of s")

    # The exponent 1/ν of s is also that of the shift, which sharpens the critical point.
    inverse_nu = ig.transitions.exponent(L, s, observable="the maximum of s")
    shift = (inverse_nu.value - inverse_nu.error, inverse_nu.value + inverse_nu.error)
    point = ig.transitions.critical_point(L, locations["s"], omega=shift, observable="the maximum of s")
    fits = {name: power_fit(L, locations[name]) for name in ("R, lower", "R, upper")}

    # There susceptibility and heat capacity per site, with their slopes: ∂_β g_jj = 2 g_jj Γ^j_jβ where g is diagonal.
    chi, heat = (np.empty((2, len(L))) for _ in range(2))
    for column, (torus, side) in enumerate(zip(tori, L, strict=True)):
        ds = ig.evaluate_points(torus, [[point.value, 0.0]], ["metric", "christoffel"])
        g, connection = ds["metric"].values[0] / side**2, ds["christoffel"].values[0]
        heat[:, column] = g[0, 0], 2 * g[0, 0] * connection[0, 0, 0]
        chi[:, column] = g[1, 1], 2 * g[1, 1] * connection[1, 1, 0]
    there = partial(ig.transitions.exponent, L, location_error=point.error)
    exponents = {
        "1/ν": inverse_nu,
        "γ/ν": there(chi[0], slopes=chi[1], observable="χ at β_c"),
        "α/ν": there(heat[0], slopes=heat[1], observable="C at β_c"),
    }
    observables = {"1/ν": s, "γ/ν": chi[0], "α/ν": heat[0]}
    return Small(L, locations, point, fits, observables, exponents)


def maxima_on(torus: ig.models.Model, line: tuple[float, float]) -> xr.Dataset:
    return ig.transitions.scan(torus, {"beta": line}, {"h": 0})


def power_fit(L: np.ndarray, locations: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Limit, standard error and parameters of b + a L^−w by least squares: what one would do."""
    kept = np.isfinite(locations)
    parameters, covariance = curve_fit(power, L[kept], locations[kept], (0.44, -0.5, 1.0), maxfev=20_000)
    return float(parameters[0]), float(np.sqrt(covariance[0, 0])), parameters


def power(L: np.ndarray, b: float, a: float, w: float) -> np.ndarray:
    return b + a * L**-w


def draw_small_sizes(found: Small) -> Figure:
    """Where the maxima go, and what grows with which exponent."""
    L = found.sizes
    with mpl.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.1))
        figure.subplots_adjust(left=0.08, right=0.98, bottom=0.14, top=0.82, wspace=0.22)
        inverse, fine = 1 / L, np.geomspace(L[-1] / 1.02, 1e4, 400)
        marks = {"s": "o", "C": "s", "R, lower": "v", "R, upper": "^"}
        for color, (name, mark) in zip(CYCLE, marks.items(), strict=False):
            label = {"s": r"$s = \partial_\beta \ln\langle M^2\rangle$", "C": r"$C = g_{\beta\beta}$"}.get(
                name, f"${name[0]}$, {name[3:]} maximum"
            )
            left.plot(inverse, found.locations[name], mark, color=color, ms=3.5, label=label)
            if name in found.fits:
                value, _, parameters = found.fits[name]
                left.plot(1 / fine, power(fine, *parameters), color=color, lw=0.8, ls=":")
                left.plot(0, value, mark, color=color, ms=4, mfc="none", clip_on=False)
        left.plot(0, found.point.value, "o", color=CYCLE[0], ms=5, mfc="none", clip_on=False)
        left.axhline(CRITICAL, color="black", lw=0.7, ls="--")
        left.set(xlabel="$1/L$", ylabel=r"$\beta$ of the maximum on $h = 0$", xlim=(0, 1.04 / L[0]), ylim=(0.2, 0.47))
        left.set_title(r"hollow: extrapolated; dotted: power fits; dashed: $\beta_c$")
        left.legend(frameon=False, loc="lower left")

        labels = {
            "1/ν": r"maximum of $s$",
            "γ/ν": r"$g_{hh}/N$ at $\beta_c$",
            "α/ν": r"$g_{\beta\beta}/N$ at $\beta_c$",
        }
        for color, mark, (name, values) in zip(CYCLE, "osv", found.observables.items(), strict=False):
            exponent = found.exponents[name]
            told = ": a logarithm" if exponent.logarithm else f" = {exponent.value:.3f} ± {exponent.error:.3f}"
            right.plot(L, values, mark, color=color, ms=3.5, ls="-", lw=0.6, label=f"{labels[name]}, {name}{told}")
        right.set(xscale="log", yscale="log", xlabel="$L$", ylabel=r"$s$, $g_{hh}/N$, $g_{\beta\beta}/N$")
        right.set_xticks(L, [f"{size:g}" for size in L])
        right.minorticks_off()
        right.set_title("in coordinates (β, h)")
        right.legend(frameon=False, loc="upper left")
        right.set_ylim(top=20 * max(values.max() for values in found.observables.values()))
        figure.suptitle(
            rf"Ising model, L × L tori, L ≤ {L[-1]:g}: the maximum of s gives $\beta_c$ = {found.point.value:.5f} ± "
            f"{found.point.error:.5f}, truly {CRITICAL:.5f};\n"
            "R has two maxima, each at times the larger, and power fits of both are precise and wrong",
            y=0.985,
            va="top",
        )
    return figure


# --- Eq. 3.4.3 -------------------------------------------------------------------------------------------------------


def identity() -> xr.Dataset:
    """I_HH and I_ββ per site in (β, H), h = β H: by the metric, and as derivatives of means over all states."""
    beta, H = sympy.symbols("beta H", real=True)
    torus = ig.models.reparametrise(ig.models.ising_torus(SIDE), {"h": beta * H}, [beta, H])
    axes = {"beta": np.linspace(0.02, 0.9, 89), "H": list(PHYSICAL_FIELDS)}
    ds = ig.evaluate(torus, axes, ["metric"])
    N, (E, M, number) = SIDE**2, all_states(SIDE)
    b, field = np.meshgrid(ds["beta"], ds["H"], indexing="ij")

    def mean(X: Callable[[Any], np.ndarray], beta: Any, H: Any) -> Any:
        """⟨X⟩ where X is a function of H."""
        weights = number * np.exp(beta[..., None] * (E + H[..., None] * M))
        return (weights * X(H[..., None])).sum(axis=-1) / weights.sum(axis=-1)

    # By complex steps, whose derivatives do not cancel.
    magnetisation = mean(lambda _: M, b, field + 1j * STEP).imag / STEP
    energy = mean(lambda H: E + H * M, b + 1j * STEP, field).imag / STEP
    i, j = ds["metric"].dims[2:]
    names = ("beta", "H")
    return ds.assign(
        I_HH=ds["metric"].sel({i: "H", j: "H"}, drop=True) / N,
        I_bb=ds["metric"].sel({i: "beta", j: "beta"}, drop=True) / N,
        response_HH=(names, b * magnetisation / N),
        response_bb=(names, energy / N),
    )


def all_states(L: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Σ s s′ and Σ s of each of the 2^(L²) states of a torus, and how many have the same."""
    spins = 1 - 2 * (np.arange(2 ** (L * L))[:, None] >> np.arange(L * L) & 1).reshape(-1, L, L)
    E = (spins * (np.roll(spins, 1, axis=1) + np.roll(spins, 1, axis=2))).sum(axis=(1, 2))
    (E, M), number = np.unique(np.stack([E, spins.sum(axis=(1, 2))]), axis=1, return_counts=True)
    return E.astype(float), M.astype(float), number.astype(float)


def differences(ds: xr.Dataset) -> dict[str, xr.DataArray]:
    """Relative ones, of metric and derivative."""
    return {kind: abs(ds[f"I_{kind}"] / ds[f"response_{kind}"] - 1) for kind in ("HH", "bb")}


def draw_identity(ds: xr.Dataset) -> Figure:
    """Metric components as lines, derivatives as points, and what is between them."""
    titles = {
        "HH": r"$I_{HH} = \beta^2\,\mathrm{Var}\,M = \beta\,\partial\langle M\rangle/\partial H$ at fixed $\beta$",
        "bb": r"$I_{\beta\beta} = \mathrm{Var}\,X = \partial\langle X\rangle/\partial\beta$, $X = \Sigma ss' + H M$",
    }
    labels = {"HH": r"$I_{HH}/N$", "bb": r"$I_{\beta\beta}/N$"}
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(2, 2, sharex=True, figsize=(7.0, 3.5), height_ratios=(3, 1))
        figure.subplots_adjust(left=0.1, right=0.985, bottom=0.125, top=0.85, wspace=0.2, hspace=0.1)
        for (above, below), kind in zip(axes.T, titles, strict=True):
            for color, H in zip(CYCLE, ds["H"].values, strict=False):
                at = ds.sel(H=H)
                above.plot(at["beta"], at[f"I_{kind}"], color=color, lw=0.9, label=f"$H = {H:g}$")
                above.plot(at["beta"][::4], at[f"response_{kind}"][::4], "o", color=color, ms=2.4, mfc="none", mew=0.6)
                off = differences(ds)[kind].sel(H=H)
                below.plot(at["beta"], off.where(off > 0), ".", color=color, ms=2)
            above.set_title(titles[kind])
            above.set(ylabel=labels[kind], ylim=(0, None))
            below.set(yscale="log", ylim=(3e-17, 3e-12), xlabel=r"$\beta$")
        axes[0, 0].legend(frameon=False)
        axes[1, 0].set_ylabel("difference,\nrelative")
        figure.suptitle(
            f"Ising model, {SIDE} × {SIDE} torus, physical coordinates (β, H): "
            "metric (lines) and derivatives of means (points)",
            y=0.985,
            va="top",
        )
    return figure


# --- closed forms ----------------------------------------------------------------------------------------------------


def equation_of_state() -> ig.Metric:
    """Metric of the van der Waals gas of three degrees of freedom, in units of its critical point, in (T, v)."""
    T, v = sympy.symbols("T v", positive=True)
    k, b = sympy.Rational(8, 3), sympy.Rational(1, 3)
    free_energy = -k * T * sympy.log(v - b) - 3 / v - sympy.Rational(3, 2) * k * T * sympy.log(T)
    return ig.symbolic.thermodynamic_metric(free_energy, T, v, constraints=[v - b])


def van_der_waals() -> xr.Dataset:
    """R over (T, v)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ig.StatusWarning)  # inside the spinodal it is unphysical
        axes = {"T": np.linspace(*TEMPERATURES, 141), "v": np.geomspace(*VOLUMES, 161)}
        return ig.evaluate(equation_of_state(), axes, ["ricci_scalar"])


def binodal(y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """T and the volumes of liquid and gas in equilibrium, by half their difference of entropy (Lekner 1982)."""
    f = (y * np.cosh(y) - np.sinh(y)) / (np.sinh(y) * np.cosh(y) - y)
    T = 27 * f * (f + np.cosh(y)) / (4 * (1 + 2 * f * np.cosh(y) + f**2) ** 2)
    return T, (1 + np.exp(-y) / f) / 3, (1 + np.exp(y) / f) / 3


def spinodal(v: np.ndarray) -> np.ndarray:
    """T at which the pressure does not change with v."""
    return (3 * v - 1) ** 2 / (4 * v**3)


def ising_chain() -> xr.Dataset:
    """R of the infinite chain, and of its formula, over (β, h)."""
    ds = ig.evaluate(
        ig.models.ising_chain(), {"beta": np.linspace(0.01, 3, 121), "h": np.linspace(-1.5, 1.5, 121)}, ["ricci_scalar"]
    )
    beta, h = np.meshgrid(ds["beta"], ds["h"], indexing="ij")
    return ds.assign(formula=(("beta", "h"), 1 + np.cosh(h) / np.sqrt(np.sinh(h) ** 2 + np.exp(-4 * beta))))


def draw_closed_forms(gas: xr.Dataset, chain: xr.Dataset) -> Figure:
    """R of the van der Waals gas with its coexistence and stability, and of the Ising chain."""
    with mpl.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(7.0, 3.1))
        figure.subplots_adjust(left=0.07, right=0.92, bottom=0.14, top=0.82, wspace=0.46)
        physical = gas["ricci_scalar"].where(gas["status"] < 2)
        left.patch.set(facecolor="0.85", edgecolor="0.55", hatch="//////")
        colored(left, physical.transpose("T", "v"), gas["v"], gas["T"], LogNorm(0.1, 1e3), extend="both")
        y = np.linspace(1e-2, 4, 400)
        T, liquid, vapour = binodal(y)
        for v, label in ((liquid, "binodal"), (vapour, None)):
            left.plot(v, T, color="white", lw=1.2, ls="--", label=label)
        v = np.geomspace(*VOLUMES, 400)
        left.plot(v, spinodal(v), color=CYCLE[1], lw=1.2, label="spinodal")
        left.plot(1, 1, "*", color="black", ms=6, label="critical point")
        left.set(xscale="log", xlim=VOLUMES, ylim=TEMPERATURES, xlabel="$v/v_c$", ylabel="$T/T_c$")
        left.set_xticks((0.5, 1, 2, 4, 8), ("0.5", "1", "2", "4", "8"))
        left.minorticks_off()
        left.legend(loc="upper right", facecolor="0.75", framealpha=1)
        left.set_title("van der Waals gas; hatched: unphysical")

        top = float(chain["ricci_scalar"].max())
        colored(right, chain["ricci_scalar"].transpose("h", "beta"), chain["beta"], chain["h"], LogNorm(2, top))
        lines = right.contour(
            chain["beta"], chain["h"], chain["formula"].T, (2.2, 3, 5, 10), colors="white", linewidths=0.6
        )
        right.clabel(lines, fmt="%g", fontsize=6, manual=[(2.0, 1.2), (2.0, 0.55), (2.0, 0.26), (2.0, -0.11)])
        right.set(xlabel=r"$\beta$", ylabel="$h$")
        right.set_title(r"Ising chain: $R = 1 + \cosh h\,/\,(\sinh^2 h + e^{-4\beta})^{1/2}$")
        figure.suptitle(
            "R diverges on the spinodal, where the metric stops being positive, not where the gas condenses;\n"
            "in one dimension it grows towards zero temperature on h = 0, and no transition is there",
            y=0.985,
            va="top",
        )
    return figure


def colored(ax: Axes, R: xr.DataArray, x: Any, y: Any, norm: LogNorm, extend: str = "neither") -> None:
    """A map of R with its bar."""
    mesh = ax.pcolormesh(x, y, R.values, norm=norm, cmap="viridis", shading="nearest", rasterized=True)
    bar = ax.figure.colorbar(mesh, cax=ax.inset_axes((1.03, 0, 0.045, 1)), extend=extend)
    bar.ax.set_title("$R$", pad=3 if extend == "neither" else 8)


# --- in words and numbers --------------------------------------------------------------------------------------------


def report_curvature(lines: xr.Dataset, plane: xr.Dataset) -> None:
    print(f"N R of the L × L Ising torus on h = 0; β_c = {CRITICAL:.6f}\n")
    print(f"{'L':>5}{'largest N R':>17}{'at β':>9}{'bound on its error':>21}")
    for L, line in lines.groupby("L"):
        at = line.isel(point=int(np.nanargmax(line["ricci_scalar"].values)))
        R, error = at["ricci_scalar"].item(), at["ricci_scalar_error"].item()
        print(f"{L:5}{R:17.4f}{at['beta'].item():9.4f}{error:21.0e}")
    L = plane.attrs["L"]
    print(f"\n{L} × {L}: N R on the flank of the first-order line, and where the lattice is frozen")
    for beta, Nh, R in zip(COLD, plane.attrs["flank_Nh"], plane.attrs["flank_NR"], strict=True):
        print(f"  β = {beta:g}, N h = {Nh:.2f}: {R:.4g}")
    for beta, h in ((2.5, 0.5), (3.0, 1.0)):
        R = ig.evaluate_points(ig.models.ising_torus(L), [[beta, h]], ["ricci_scalar"])["ricci_scalar"].item() * L**2
        print(f"  β = {beta:g}, h = {h:g}: {R:.4g}, {R / np.exp(4 * beta - 2 * h):.4f} of e^(4β − 2h)")
    print("no transition is at these points: |R| alone misleads. Nor does it tell of what order one is; histograms do:")
    tori = [ig.models.ising_torus(side) for side in (4, 6, 8)]
    for at in ({"beta": COLD[1], "h": (-0.3, 0.3)}, {"beta": WHOLE, "h": 0}):
        where = ", ".join(f"{'β' if name == 'beta' else name} {value}" for name, value in at.items())
        print(f"  {where}: {ig.transitions.order(tori, at)}")


def report_small_sizes(found: Small) -> None:
    print(f"\nmaxima on h = 0 at β\n\n{'L':>5}" + "".join(f"{name:>12}" for name in found.locations))
    for row, L in enumerate(found.sizes):
        print(f"{L:5g}" + "".join(f"{values[row]:12.6f}" for values in found.locations.values()))
    print(f"\nβ_c = {found.point}\n  off by {found.point.value - CRITICAL:+.1e}")
    for name, (value, error, _) in found.fits.items():
        off = abs(value - CRITICAL) / error
        told = f"{value:.5f} ± {error:.5f}, off by {off:.0f} of its errors"
        print(f"β_c by a fit of b + a L^−w to the maximum of {name}: {told}")
    print("exponents")
    for name, exponent in found.exponents.items():
        print(f"  {name} = {exponent}\n    in theory {EXPONENTS[name]}")


def report_identity(ds: xr.Dataset) -> None:
    N, off = SIDE**2, differences(ds)
    print(f"\nthe {SIDE} × {SIDE} torus in (β, H), h = β H, all {2**N} states: largest relative difference of")
    print(f"  I_HH and β ∂⟨M⟩/∂H at fixed β   {float(off['HH'].max()):.0e}")
    print(f"  I_ββ and ∂⟨X⟩/∂β, X = Σ s s′ + H M, without β before it   {float(off['bb'].max()):.0e}")


def report_closed_forms(chain: xr.Dataset) -> None:
    metric = equation_of_state()

    def R(T: float, v: float) -> float:
        return float(ig.evaluate_points(metric, [[T, v]], ["ricci_scalar"])["ricci_scalar"].item())

    # At one temperature below the critical one, where the gas condenses and where it ceases to be stable.
    y = brentq(lambda y: binodal(y)[0] - BELOW, 1e-2, 4)
    edges = [np.real(root) for root in np.roots((4 * BELOW, -9, 6, -1)) if root.real > 1 / 3]
    print(f"\nvan der Waals gas at T = {BELOW} T_c: R")
    for name, v in zip(("liquid", "gas"), binodal(y)[1:], strict=True):
        edge, outwards = (min(edges), -1) if name == "liquid" else (max(edges), 1)
        near = ", ".join(f"{R(BELOW, edge * (1 + outwards * apart)):.3g}" for apart in (1e-2, 1e-3, 1e-4))
        print(f"  {name:7}{R(BELOW, v):8.4f} on the binodal, v = {v:.4f} v_c")
        print(f"  {name:7}{near} at 1e-2, 1e-3, 1e-4 of v from the spinodal, v = {edge:.4f} v_c")
    print(f"  at v_c, R (T/T_c − 1)² = {R(1.001, 1) * 1e-6:.5f} at T = 1.001 T_c, and 1/8 in the limit")
    off = float(abs(chain["ricci_scalar"] / chain["formula"] - 1).max())
    largest = float(chain["ricci_scalar"].max())
    print(f"Ising chain: R up to {largest:.1f}, off its formula by {off:.0e} at most, and no transition at any β")


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # whatever the encoding of a pipe
    sys.exit(main())
