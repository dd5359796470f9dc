"""Families that geomstats has as well: its metric and its R beside ours at the same points, then the time R takes.

Judges are enclosures in ball arithmetic, and for gamma and beta laws mpmath at 50 digits from the textbook's metric.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import sympy
from sympy import sqrt

import infogeom as ig
from benchmarks.environments import Worker, environment
from benchmarks.rounds import machine, markdown, seconds
from infogeom.kernels.points.forms.closed import exact
from infogeom.models import Model, reparametrise
from tests.reference import context, curvature, jet

#: It imports numpy.trapz, which NumPy 2.4 has no longer.
REQUIREMENTS = ("geomstats==2.8.0", "numpy<2.4", "autograd==1.9.1")
SCRIPT = Path(__file__).with_name("geomstats_rival.py")
#: Points of the comparison, rounds of the timing, points of ours in it.
DRAWS = 20
ROUNDS = 5
MANY = 1_000_000
#: Sizes of batches that are tried, and how many points its own formulas are given at once.
BATCHES = (1, 10, 30)
ASSEMBLED = 10_000
PUT_TOGETHER = f"its Γ and ∂Γ put together, {ASSEMBLED:,} at once"
OURS = f"infogeom, {MANY:,} points"
#: What counts as agreement, in units of |R| and of √(g_ii g_jj).
CLOSE = 1e-6


def unchanged(x: np.ndarray) -> np.ndarray:
    return x


@dataclass(frozen=True)
class Case:
    """A family of ours, the same of geomstats, and where they are known to part.

    ``theirs`` turns our points into theirs, ``basis`` holds our coordinate directions there; ``metric_is`` and ``R_is``
    say why its numbers are not the Fisher metric's, None that they are.
    """

    ours: Callable[[], Model]
    family: str
    arguments: tuple[Any, ...] = ()
    points: tuple[tuple[float, ...], ...] = ()
    theirs: Callable[[np.ndarray], np.ndarray] = unchanged
    basis: Any = None
    curvature: str = "scalar_curvature"
    metric_is: str | None = None
    R_is: str | None = None


def gamma() -> Model:
    shape, mean = sympy.symbols("shape mean", positive=True)
    return reparametrise(ig.models.gamma(), {"rate": shape / mean})


def diagonal() -> Model:
    """By means and variances."""
    v = sympy.symbols("v1 v2", positive=True)
    return reparametrise(ig.models.multivariate_normal_diagonal(2), {"sigma1": sqrt(v[0]), "sigma2": sqrt(v[1])})


def third(x: np.ndarray) -> np.ndarray:
    """With the share that is left."""
    return np.column_stack([x, 1 - x.sum(axis=1)])


def matrices(x: np.ndarray) -> np.ndarray:
    """Symmetric matrices from their upper triangles."""
    return x[:, [0, 1, 1, 2]].reshape(-1, 2, 2)


def with_matrices(x: np.ndarray) -> np.ndarray:
    """Means, and such matrices as rows of numbers."""
    return x[:, [0, 1, 2, 3, 3, 4]]


def gamma_of_shape(shape: float) -> Case:
    why = "beyond shape 7.1e5 it takes asymptotes for two of Γ, a quarter of the true ones"
    return Case(gamma, "gamma.GammaDistributions", points=((shape, 1.0),), R_is=why)


def beta_of_shapes(a: float) -> Case:
    why = "1/ψ′(α + β) − 1/ψ′(α) − 1/ψ′(β) cancels in its Γ, squared in ∂Γ"
    return Case(ig.models.beta, "beta.BetaDistributions", points=((a, a),), R_is=why)


#: Coordinate directions of symmetric matrices, and of means and such matrices as rows of numbers.
SYMMETRIC = np.array([[[1, 0], [0, 0]], [[0, 1], [1, 0]], [[0, 0], [0, 1]]], dtype=float)
MEANS_AND_SYMMETRIC = np.block([[np.eye(2), np.zeros((2, 4))], [np.zeros((3, 2)), SYMMETRIC.reshape(3, 4)]])
SIMPLEX = np.array([[1, 0, -1], [0, 1, -1]], dtype=float)
FLAT = "that of diag(n/p) on all of R³, which is flat: the simplex is a surface in it"

CASES = {
    "normal": Case(ig.models.normal, "normal.UnivariateNormalDistributions"),
    "gamma (shape, mean)": Case(gamma, "gamma.GammaDistributions"),
    "gamma, shape 7e5": Case(gamma, "gamma.GammaDistributions", points=((7e5, 1.0),)),
    "gamma, shape 1e+06": gamma_of_shape(1e6),
    "gamma, shape 1e+08": gamma_of_shape(1e8),
    "beta": Case(ig.models.beta, "beta.BetaDistributions"),
    "beta (1e+06, 1e+06)": beta_of_shapes(1e6),
    "beta (1e+07, 1e+07)": beta_of_shapes(1e7),
    "beta (1e+08, 1e+08)": beta_of_shapes(1e8),
    "Dirichlet(3)": Case(partial(ig.models.dirichlet, 3), "dirichlet.DirichletDistributions", (3,)),
    "exponential": Case(ig.models.exponential, "exponential.ExponentialDistributions"),
    "Poisson": Case(ig.models.poisson, "poisson.PoissonDistributions"),
    "geometric": Case(ig.models.geometric, "geometric.GeometricDistributions"),
    "binomial(7)": Case(partial(ig.models.binomial, 7), "binomial.BinomialDistributions", (7,)),
    "categorical, 3 outcomes": Case(
        partial(ig.models.categorical, 3),
        "categorical.CategoricalDistributions",
        (2,),
        theirs=third,
        basis=SIMPLEX,
        R_is=FLAT,
    ),
    "multinomial(5), 3 outcomes": Case(
        partial(ig.models.multinomial, 5, 3),
        "multinomial.MultinomialDistributions",
        (2, 5),
        theirs=third,
        basis=SIMPLEX,
        R_is=FLAT,
    ),
    "multinomial(5), 2 × sectional": Case(
        partial(ig.models.multinomial, 5, 3),
        "multinomial.MultinomialDistributions",
        (2, 5),
        theirs=third,
        basis=SIMPLEX,
        curvature="sectional_curvature",
        R_is="its K is the constant 2√n; the simplex is a sphere of radius 2√n, K = 1/(4n)",
    ),
    "diagonal normal(2)": Case(
        diagonal,
        "normal.DiagonalNormalDistributions",
        (2,),
        basis=np.eye(4),
        metric_is="steps of the variance are taken for steps of σ: 2/v for 1/(2v²)",
    ),
    "centred normal(2)": Case(
        partial(ig.models.multivariate_normal_known_mean, 2),
        "normal.CenteredNormalDistributions",
        (2,),
        theirs=matrices,
        basis=SYMMETRIC,
    ),
    "general normal(2)": Case(
        partial(ig.models.multivariate_normal, 2),
        "normal.GeneralNormalDistributions",
        (2,),
        theirs=with_matrices,
        basis=MEANS_AND_SYMMETRIC,
        metric_is="Euclid's for the means instead of Σ⁻¹, twice Fisher's for Σ",
    ),
}
TIMED = ("normal", "gamma (shape, mean)", "beta", "Dirichlet(3)")


@pytest.fixture(scope="module")
def geomstats(pytestconfig: pytest.Config) -> Iterator[Worker]:
    """A process with geomstats, whose environment takes a minute to make on first use and half a gigabyte."""
    if os.name != "posix":
        pytest.skip("the environment of geomstats is looked for in bin/")
    if not hasattr(pytestconfig, "cache"):
        pytest.skip("the environment of geomstats is kept in pytest's cache, which is switched off")
    python = environment(pytestconfig.cache.mkdir("geomstats"), REQUIREMENTS)
    with Worker(python, SCRIPT) as worker:
        yield worker


def draws(model: Model, number: int) -> np.ndarray:
    low, high = np.array([p.typical for p in model.parameters], dtype=float).T
    return np.random.default_rng(0).uniform(low, high, (number, len(low)))


def difference(R: Any, expected: np.ndarray) -> float:
    """Largest |ΔR| / |R|; where R = 0 largest |ΔR|."""
    return float(np.max(np.abs(np.array(R) - expected) / np.where(expected, np.abs(expected), 1)))


def metric_difference(g: Any, expected: np.ndarray) -> float:
    """Largest |Δg_ij| / √(g_ii g_jj)."""
    length = np.sqrt(np.einsum("mii->mi", expected))
    return float(np.max(np.abs(np.array(g) - expected) / length[:, :, None] / length[:, None, :]))


def by_definition(name: str, point: np.ndarray) -> float | None:
    """R from the metric of the textbook in mpmath."""
    if name.startswith("gamma"):
        law = gamma_metric
    elif name.startswith("beta"):
        law = beta_metric
    else:
        return None
    exact_point = [context.mpf(float(x)) for x in point]
    return float(curvature(jet(law, exact_point)).scalar)


def trigamma(x: Any) -> Any:
    return context.polygamma(1, x)


def gamma_metric(k: Any, m: Any) -> list[list[Any]]:
    return [[trigamma(k) - 1 / k, 0], [0, k / m**2]]


def beta_metric(a: Any, b: Any) -> list[list[Any]]:
    both = trigamma(a + b)
    return [[trigamma(a) - both, -both], [-both, trigamma(b) - both]]


def versions(worker: Worker) -> str:
    return ", ".join(f"{package} {number}" for package, number in worker.ask(what="versions")["value"].items())


def test_agreement_with_geomstats(geomstats, show):
    rows, reasons = [], []
    for name, case in CASES.items():
        # Ours, judged by balls and by the textbook.
        model = case.ours()
        points = np.array(case.points) if case.points else draws(model, DRAWS)
        balls = exact(ig.symbolic.metric(model), ("metric", "ricci_scalar"))
        judged = [balls.refine(point, ("metric", "ricci_scalar")).values for point in points]
        g, R = (np.array([values[key] for values in judged]) for key in ("metric", "ricci_scalar"))
        for point, truth in zip(points[:3], R, strict=False):
            assert by_definition(name, point) in (None, pytest.approx(truth, rel=1e-12)), name
        ds = ig.grid.evaluate_points(model, points, ("metric", "ricci_scalar"))
        ours = metric_difference(ds["metric"], g), difference(ds["ricci_scalar"], R)
        assert max(ours) < 1e-8, name

        # Theirs, which is off where the case says so and nowhere else.
        request = {"family": case.family, "arguments": case.arguments, "points": case.theirs(points).tolist()}
        basis = None if case.basis is None else case.basis.tolist()
        by_metric = geomstats.ask(what="metric", basis=basis, **request)
        by_curvature = geomstats.ask(what=case.curvature, **request)
        theirs = metric_difference(np.reshape(by_metric["value"], g.shape), g)
        assert (theirs < CLOSE) == (case.metric_is is None), (name, theirs)
        cells = ["none"] * 2
        if "value" in by_curvature:
            found = np.reshape(by_curvature["value"], R.shape) * (2 if "sectional" in case.curvature else 1)
            assert (difference(found, R) < CLOSE) == (case.R_is is None), (name, difference(found, R))
            cells = [f"{found[0]:.7g}", f"{difference(found, R):.1e}"]
        rows.append([name, f"{ours[0]:.1e}", f"{theirs:.1e}", f"{R[0]:.7g}", f"{ours[1]:.1e}", *cells])
        said = [("g", case.metric_is), ("R", case.R_is)]
        reasons += [f"{name}: {what} is off, {why}" for what, why in said if why]
    heads = ["family", "error of our g", "of its g", "first R", "error of our R", "its first R", "error of its R"]
    show(f"\nAgainst {versions(geomstats)}\n{machine()}\n\n{markdown(heads, rows)}\n\n" + "\n".join(reasons))


def test_time_of_ricci_scalar_against_geomstats(benchmark, geomstats, show):
    models = {name: CASES[name].ours() for name in TIMED}
    many = {name: draws(model, MANY) for name, model in models.items()}

    def ask(name: str, size: int, what: str = "scalar_curvature") -> dict[str, Any]:
        case, points = CASES[name], many[name][:size].tolist()
        return geomstats.ask(what=what, family=case.family, arguments=case.arguments, points=points)

    def ours(name: str, size: int) -> np.ndarray:
        return ig.grid.evaluate_points(models[name], many[name][:size], ("ricci_scalar",))["ricci_scalar"].values

    def seconds_of_rival(name: str, size: int, what: str) -> float:
        return ask(name, size, what)["seconds"]

    def seconds_of_ours(name: str, size: int) -> float:
        return seconds(partial(ours, name, size))

    # For each family what is timed: its name in the table, the number of points and how to run it once.
    runs = {}
    for name in TIMED:
        R = ours(name, MANY)
        assert difference(ask(name, BATCHES[-1])["value"], R[: BATCHES[-1]]) < CLOSE, name
        tried = {size: min(ask(name, size)["seconds"] for _ in range(2)) / size for size in BATCHES}
        best = min(tried, key=tried.__getitem__)
        at_best = partial(seconds_of_rival, name, best, "scalar_curvature")
        runs[name] = {f"geomstats, scalar_curvature, {best} at once": (best, at_best)}
        found = ask(name, ASSEMBLED, "assembled")
        if "value" in found:
            assert difference(found["value"], R[:ASSEMBLED]) < CLOSE, name
            runs[name][PUT_TOGETHER] = (ASSEMBLED, partial(seconds_of_rival, name, ASSEMBLED, "assembled"))
        few = partial(seconds_of_ours, name, BATCHES[-1])
        runs[name][f"infogeom, {BATCHES[-1]} points"] = (BATCHES[-1], few)
        runs[name][OURS] = (MANY, partial(seconds_of_ours, name, MANY))
    times = {(name, what): [] for name in TIMED for what in runs[name]}

    def one_round():
        for name in TIMED:
            for what, (size, run) in runs[name].items():
                times[name, what].append(run() / size * 1e6)

    benchmark.pedantic(one_round, rounds=ROUNDS, iterations=1)
    rows = []
    for (name, what), t in times.items():
        ours_here = times[name, OURS]
        numbers = (median(t), median(t) / median(ours_here), min(t), min(t) / min(ours_here))
        rows.append([name, what] + [f"{x:.3g}" for x in numbers])
    heads = ["family", "", "median µs per point", "ratio", "fastest", "ratio"]
    show(f"\nR against {versions(geomstats)} (one thread), {ROUNDS} rounds\n{machine()}\n\n{markdown(heads, rows)}")
