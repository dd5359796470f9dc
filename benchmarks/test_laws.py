"""Laws without a closed form: CPU time of R with its bound at a point; against SciPy's integrals and sums."""

import time
from itertools import combinations_with_replacement

import numpy as np
import pytest
import sympy
from scipy import special
from scipy.integrate import nsum, tanhsinh

import infogeom as ig
from benchmarks.rounds import interleaved, machine, markdown, table

#: Points, so many that what is compiled when it pays is compiled, and rounds.
POINTS, WARM, ROUNDS = 4096, 40_000, 7
#: µs of CPU time a point may take, by the number of parameters.
ASKED = {1: 50, 2: 50, 3: 50, 5: 200}


def two_normals():
    """Mixture of two normal laws."""
    mu, sigma = sympy.Symbol("mu2", real=True), sympy.Symbol("sigma2", positive=True)
    other = ig.models.reparametrise(ig.models.normal(), {"mu": mu, "sigma": sigma}, [mu, sigma])
    return ig.models.mixture([ig.models.normal(), other])


#: Laws, and between what their parameters are.
LAWS = {
    "skew normal": (ig.models.skew_normal, [(-1, 1), (0.5, 2), (0.3, 4)]),
    "negative binomial": (ig.models.negative_binomial, [(0.5, 10), (0.2, 0.8)]),
    "Skellam": (ig.models.skellam, [(0.5, 8), (0.5, 8)]),
    "beta-binomial, 30 trials": (lambda: ig.models.beta_binomial(30), [(0.5, 5), (0.5, 5)]),
    "zero-inflated Poisson": (ig.models.zero_inflated_poisson, [(0.1, 0.9), (0.5, 8)]),
    "hurdle Poisson": (ig.models.hurdle_poisson, [(0.1, 0.9), (0.5, 8)]),
    "discrete Weibull": (ig.models.discrete_weibull, [(0.2, 0.8), (0.5, 2)]),
    "two normal laws": (two_normals, [(0.3, 0.7), (-2, -0.5), (0.5, 1), (1, 2.5), (0.5, 1)]),
}


def points_of(ranges, number):
    """Points between given numbers."""
    rng = np.random.default_rng(0)
    return np.column_stack([rng.uniform(low, high, number) for low, high in ranges])


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_curvature_of_laws_without_closed_forms(show):
    calls, rows = {}, []
    for name, (make, ranges) in LAWS.items():
        model = make()
        ig.evaluate_points(model, points_of(ranges, WARM), ["ricci_scalar"], max_refined=0)
        calls[name] = model, points_of(ranges, POINTS)
    times = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, (model, at) in calls.items():
            start = time.process_time()
            found = ig.evaluate_points(model, at, ["ricci_scalar"], max_refined=0)
            times[name].append((time.process_time() - start) / POINTS * 1e6)
            assert np.isfinite(found.ricci_scalar).all()
    for name, (model, at) in calls.items():
        good = (ig.evaluate_points(model, at, ["ricci_scalar"], max_refined=0).status == 0).mean().item()
        n, own = len(model.parameters), times[name]
        rows.append([name, f"{n}", f"{np.median(own):.0f}", f"{min(own):.0f}", f"{ASKED[n]}", f"{good:.1%}"])
    heads = ["law", "parameters", "median µs a point", "fastest", "asked", "to rtol 1e-9"]
    show(f"\nR with its bound, {POINTS} points, {ROUNDS} interleaved rounds, CPU time\n{machine()}\n")
    show(markdown(heads, rows))


def vectors_of(model):
    """Function of an outcome and parameters: p, and the s_i and a_ij whose products R takes, by SymPy and SciPy."""
    (x,), theta = model.variables, [p.symbol for p in model.parameters]
    s = [model.log_density.diff(t) for t in theta]
    pairs = combinations_with_replacement(range(len(theta)), 2)
    a = [s[i].diff(theta[j]) + s[i] * s[j] / 2 for i, j in pairs]
    of_scipy = {
        "log_normal_cdf": special.log_ndtr,
        "inverse_mills": lambda z: np.exp(-(z**2) / 2 - special.log_ndtr(z)) / np.sqrt(2 * np.pi),
    }
    return sympy.lambdify([x, *theta], [sympy.exp(model.log_density), *s, *a], [of_scipy, "scipy"], cse=True)


def by_scipy(integral, ends, vectors, at, **options):
    """Means of all products of two vectors at points, a row for each point and product."""
    d = at.shape[1] * (at.shape[1] + 3) // 2
    i, j = np.triu_indices(d)
    columns = [np.repeat(column, len(i)) for column in at.T]
    first, second = np.tile(i, len(at)), np.tile(j, len(at))

    def integrand(x, first, second, *theta):
        p, *each = np.broadcast_arrays(*vectors(x, *theta))
        every = np.array(each)
        a, b = (np.take_along_axis(every, np.broadcast_to(k, x.shape)[None].astype(int), 0)[0] for k in (first, second))
        return np.where(p > 0, np.nan_to_num(p * a * b), 0.0)

    with np.errstate(all="ignore"):
        found = integral(integrand, *ends, args=(first, second, *columns), **options)
    return (found.sum if hasattr(found, "sum") else found.integral).reshape(len(at), -1)


#: What SciPy is asked for.
BY_SCIPY = {
    "skew normal": lambda *given: by_scipy(tanhsinh, (-np.inf, np.inf), *given, rtol=1e-12),
    "negative binomial": lambda *given: by_scipy(
        nsum, (0.0, np.inf), *given, maxterms=1024, tolerances={"rtol": 1e-12}
    ),
}


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
@pytest.mark.parametrize("name", BY_SCIPY)
def test_moments_against_scipy(name, show, benchmark):
    """R with its bound here, the means that it is made of there; metrics are compared."""
    make, ranges = LAWS[name]
    model, at = make(), points_of(ranges, 256)
    n, vectors = len(ranges), vectors_of(model)
    ig.evaluate_points(model, points_of(ranges, WARM), ["metric", "ricci_scalar"], max_refined=0)

    def ours():
        return ig.evaluate_points(model, at, ["metric", "ricci_scalar"], max_refined=0)

    g, means = ours().metric.values, BY_SCIPY[name](vectors, at)
    i, j = np.triu_indices(n * (n + 3) // 2)
    metric = (i < n) & (j < n)
    size = np.sqrt(np.einsum("mii,mjj->mij", g, g))[:, i[metric], j[metric]]
    off = np.abs(means[:, metric] - g[:, i[metric], j[metric]]) / size
    times = interleaved(benchmark, ours, {"SciPy": lambda: BY_SCIPY[name](vectors, at)}, 3)
    title = f"R of {name}, {len(at)} points; g by SciPy is off by {off.max():.0e} at worst"
    show(table(title, times, len(at), "point"))
    assert np.median(off) < 1e-10
