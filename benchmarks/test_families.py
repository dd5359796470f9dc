"""Families in closed form: one against merely writing that much memory, and R of every one of two parameters."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median

import numpy as np

import infogeom as ig
from benchmarks.rounds import interleaved, machine, markdown, seconds, table, threads
from infogeom.kernels.points import Task, tabulate
from infogeom.kernels.status import Status
from tests.families import FAMILIES, NUMERIC, family

#: Along each axis.
POINTS = 1000
ROUNDS = 31
ROUNDS_OF_ALL = 11
MU = np.linspace(-3, 3, POINTS)
SIGMA = np.linspace(0.1, 3, POINTS)
#: Families of vectors with two parameters.
OF_VECTORS = {
    "categorical(3)": partial(ig.models.categorical, 3),
    "multinomial(5, 3)": partial(ig.models.multinomial, 5, 3),
    "negative_multinomial(3, 2)": partial(ig.models.negative_multinomial, 3, 2),
    "dirichlet(2)": partial(ig.models.dirichlet, 2),
    "von_mises_fisher(2)": partial(ig.models.von_mises_fisher, 2),
    "known covariance": partial(ig.models.multivariate_normal_known_covariance, [[2, 0.5], [0.5, 1]]),
}
#: Numbers a point.
COMPONENTS = {"metric": 4, "christoffel": 8, "ricci_scalar": 1}


def test_normal_family_against_filling_arrays_of_its_size(benchmark, show):
    model, axes = ig.models.normal(), {"mu": MU, "sigma": SIGMA}

    def run():
        return ig.grid.evaluate(model, axes, tuple(COMPONENTS))

    pool = ThreadPoolExecutor(threads())

    def fill():
        arrays = [np.empty((POINTS, POINTS, n)) for n in COMPONENTS.values()]
        arrays.append(np.empty((POINTS, POINTS), np.int8))
        share = POINTS // threads()
        rows = [slice(p, p + share) for p in range(0, POINTS, share)]

        def fill_rows(r):
            for a in arrays:
                a[r].fill(1)

        list(pool.map(fill_rows, rows))
        return arrays

    # The numbers are right: R = −1, and what follows from diag(1, 2)/σ².
    ds = run()
    one = np.ones((POINTS, 1)) / SIGMA
    np.testing.assert_allclose(ds["ricci_scalar"], -1, rtol=1e-12)
    np.testing.assert_allclose(ds["metric"].values[..., 1, 1], 2 * one**2, rtol=1e-12)
    for (i, j, k), factor in {(0, 0, 1): -1, (0, 1, 0): -1, (1, 0, 0): 0.5, (1, 1, 1): -1, (0, 0, 0): 0}.items():
        np.testing.assert_allclose(ds["christoffel"].values[..., i, j, k], factor * one, rtol=1e-12)
    fill()
    times = interleaved(benchmark, run, {"allocate and fill": fill}, ROUNDS)
    show(table(f"normal(μ, σ), {POINTS}² points, metric, Γ and R", times, POINTS**2, "point"))


def test_ricci_scalar_of_every_family_of_two_parameters(benchmark, show):
    closed = {name: family(name) for name in FAMILIES if name not in NUMERIC}
    plane = {name: model for name, model in closed.items() if len(model.parameters) == 2}
    plane |= {name: make() for name, make in OF_VECTORS.items()}
    whole = {name: [] for name in plane}
    bare = {name: [] for name in plane}
    loose = dict.fromkeys(plane, 0)

    def grid(name):
        axes = {p.name: np.linspace(*p.typical, POINTS) for p in plane[name].parameters}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ig.grid.StatusWarning)  # what is left unrefined is told in the table
            return ig.grid.evaluate(plane[name], axes, ("ricci_scalar",), max_refined=0)

    def kernel(name):
        metric = ig.symbolic.metric(plane[name])
        status = np.zeros((POINTS, POINTS), np.int8)
        outer, inner = (np.linspace(*p.typical, POINTS)[None] for p in plane[name].parameters)
        return tabulate(Task(metric, ("ricci_scalar",), outer, inner, metric.coordinates[:1], status, 1e-9))

    def one_round():
        for name in plane:
            whole[name].append(seconds(partial(grid, name)))
            bare[name].append(seconds(partial(kernel, name)))

    # Both ways give the same numbers, and nothing is compiled later on.
    for name in plane:
        ds, R = grid(name), kernel(name)["ricci_scalar"]
        assert np.isin(ds["status"], (Status.OK, Status.UNREFINED)).all(), name
        np.testing.assert_array_equal(ds["ricci_scalar"], R.reshape(POINTS, POINTS))
        loose[name] = int((ds["status"] == Status.UNREFINED).sum())
    benchmark.pedantic(one_round, rounds=ROUNDS_OF_ALL, iterations=1)

    heads = ["family", "median ms", "fastest ms", "million points per s", "tabulate alone, ms", "left unrefined"]
    rows = []
    for name in plane:
        typical = median(whole[name])
        row = [name, f"{1e3 * typical:.3g}", f"{1e3 * min(whole[name]):.3g}"]
        row += [f"{POINTS**2 / typical / 1e6:.3g}", f"{1e3 * median(bare[name]):.3g}"]
        row += [f"{loose[name] / POINTS**2:.2g}"]
        rows.append(row)
    show(f"\nR on {POINTS}² points of the typical ranges, {ROUNDS_OF_ALL} rounds\n{machine()}\n")
    show(markdown(heads, rows))
