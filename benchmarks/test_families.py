"""A family in closed form, against merely writing that much memory."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

import infogeom as ig
from benchmarks.rounds import interleaved, table, threads

POINTS, ROUNDS = 1000, 31
MU, SIGMA = np.linspace(-3, 3, POINTS), np.linspace(0.1, 3, POINTS)
COMPONENTS = {"metric": 4, "christoffel": 8, "ricci_scalar": 1}


def test_normal_family_against_filling_arrays_of_its_size(benchmark, show):
    model, axes = ig.models.normal(), {"mu": MU, "sigma": SIGMA}

    def run():
        return ig.grid.evaluate(model, axes, tuple(COMPONENTS))

    pool = ThreadPoolExecutor(threads())

    def fill():
        arrays = [np.empty((POINTS, POINTS, n)) for n in COMPONENTS.values()] + [np.empty((POINTS, POINTS), np.int8)]
        rows = [slice(p, p + POINTS // threads()) for p in range(0, POINTS, POINTS // threads())]
        list(pool.map(lambda r: [a[r].fill(1) for a in arrays], rows))
        return arrays

    ds = run()
    one = np.ones((POINTS, 1)) / SIGMA
    np.testing.assert_allclose(ds["ricci_scalar"], -1, rtol=1e-12)
    np.testing.assert_allclose(ds["metric"].values[..., 1, 1], 2 * one**2, rtol=1e-12)
    for (i, j, k), factor in {(0, 0, 1): -1, (0, 1, 0): -1, (1, 0, 0): 0.5, (1, 1, 1): -1, (0, 0, 0): 0}.items():
        np.testing.assert_allclose(ds["christoffel"].values[..., i, j, k], factor * one, rtol=1e-12)
    fill()
    times = interleaved(benchmark, run, {"allocate and fill": fill}, ROUNDS)
    show(table(f"normal(μ, σ), {POINTS}² points, metric, Γ and R", times, POINTS**2, "point"))
