"""The Fisher information as a matrix: products, Kronecker factors and their errors, natural gradients.

Run once on all cores and once pinned to one (``taskset -c 0``): every library then takes the threads it is given.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.processes import python
from benchmarks.rounds import interleaved, machine, table
from benchmarks.test_network import SAMPLES, images
from infogeom import network
from infogeom.losses import CrossEntropy
from infogeom.network import MLP

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit.* is deprecated:DeprecationWarning"),  # of curvlinops's imports
    pytest.mark.filterwarnings("ignore:Full backward hook is firing:UserWarning"),  # BackPACK's
]
ROUNDS = {128: 31, 784: 11}
KINDS = ("empirical", "expected")


def probe() -> tuple[np.ndarray, np.ndarray]:
    x, y = images()
    rows = network.stratified_sample(y, SAMPLES)
    return x[rows], y[rows]


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("fisher", KINDS)
@pytest.mark.parametrize("width", ROUNDS)
def test_products_against_forward_passes_and_curvlinops(width, fisher, benchmark, show):
    rivals = pytest.importorskip("benchmarks.matrix_rivals", reason="the rivals come with the bench extra")
    net, (x, y) = MLP((784, width, width, 10)), probe()
    v = np.random.default_rng(0).normal(size=net.parameters.size).astype(np.float32)
    run = lambda: network.fisher_product(net, x, y, CrossEntropy(), v, fisher=fisher)  # noqa: E731
    rival = rivals.curvlinops_product(net, x, y.argmax(axis=1), v, fisher)
    assert relative(rival(), run()) <= 1e-5
    contestants = {"a forward pass of ours": lambda: net.output(x), "curvlinops": rival}
    times = interleaved(benchmark, run, contestants, ROUNDS[width], warm=True)
    show(table(f"F v, {fisher}, 784–{width}–{width}–10, {SAMPLES} images, float32", times, SAMPLES, "image"))


@pytest.mark.parametrize("fisher", KINDS)
def test_kfac_against_curvlinops_and_backpack(fisher, benchmark, show):
    rivals = pytest.importorskip("benchmarks.matrix_rivals", reason="the rivals come with the bench extra")
    net, (x, y) = MLP((784, 784, 784, 10)), probe()
    labels = y.argmax(axis=1)
    run = lambda: network.kfac(net, x, y, CrossEntropy(), fisher=fisher)  # noqa: E731
    contestants = {"curvlinops": rivals.curvlinops_kfac(net, x, labels, fisher)}
    if fisher == "expected":
        contestants["BackPACK's KFLR, biases apart"] = rivals.backpack_kflr(net, x, labels)
    for name, rival in contestants.items():
        for block, (A, G) in zip(run(), rival(), strict=True):
            [(ours, of_outputs)] = block.factors
            ours = ours[: len(A), : len(A)]  # without the bias, where that is apart
            # Which of the two factors holds a number is of no account.
            assert relative(A / np.linalg.norm(A), ours / np.linalg.norm(ours)) <= 1e-5, name
            assert relative(G * np.linalg.norm(A), of_outputs * np.linalg.norm(ours)) <= 1e-4, name
    times = interleaved(benchmark, run, contestants, ROUNDS[784], warm=True)
    show(table(f"K-FAC factors, {fisher}, 784–784–784–10, {SAMPLES} images, float32", times, SAMPLES, "image"))


ERRORS = """
import json, sys, time
from pathlib import Path
from benchmarks.test_matrix import probe
from infogeom import network
from infogeom.losses import CrossEntropy

def peak():
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024

(x, y), fisher = probe(), sys.argv[1]
small = network.MLP((784, 16, 16, 10))
network.kronecker_errors(small, x[:50], y[:50], CrossEntropy(), fisher=fisher)
net = network.MLP((784, 784, 784, 10))
network.fisher_trace(net, x, y, CrossEntropy(), fisher=fisher)
before, times = peak(), []
for _ in range(3):
    start = time.perf_counter()
    network.kronecker_errors(net, x, y, CrossEntropy(), fisher=fisher)
    times.append(time.perf_counter() - start)
print(json.dumps([sorted(times)[1], min(times), peak() - before]))
"""


@pytest.mark.parametrize("fisher", KINDS)
def test_kronecker_errors_of_a_wide_network(fisher, benchmark, show):
    found = []
    benchmark.pedantic(lambda: found.append(json.loads(python("-c", ERRORS, fisher))), rounds=1)
    middle, fastest, more = found[0]
    show(
        f"\nKronecker errors of all layers, {fisher}, 784–784–784–10, {SAMPLES} images, {machine()}\n"
        f"median of three {middle:.3g} s, fastest {fastest:.3g} s, {more:.0f} MiB more than a Fisher trace takes"
    )


@pytest.mark.parametrize("fisher", KINDS)
def test_natural_gradient_of_a_batch(fisher, benchmark, show):
    net, (x, y) = MLP((784, 128, 128, 10)), probe()
    x, y = x[:128], y[:128]
    run = lambda: network.natural_gradient(net, x, y, CrossEntropy(), damping=1e-2, fisher=fisher)  # noqa: E731
    run()
    times = interleaved(benchmark, run, {"a forward pass": lambda: net.output(x)}, ROUNDS[128], warm=True)
    show(table(f"natural gradient, {fisher}, 784–128–128–10, batch of 128, float32", times, len(x), "image"))
