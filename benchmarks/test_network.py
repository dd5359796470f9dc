"""Traces and training of 784–W–W–10 networks against PyTorch, BackPACK and JAX, and against the machine's sgemm.

Run once on all cores and once pinned to one (``taskset -c 0``): every library then takes the threads it is given.
"""

from __future__ import annotations

import json
import time
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from benchmarks.processes import ROOT, python
from benchmarks.rounds import interleaved, machine, seconds, table
from infogeom import network
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from infogeom.network import MLP, Adam, Record

torch = pytest.importorskip("torch", reason="the rivals come with the bench extra")

SAMPLES = 1000
ROUNDS = 7
#: Where the images lie beside the project.
REAL = ROOT.parent / "shared" / "data" / "mnist"


def images() -> tuple[np.ndarray, np.ndarray]:
    """The 10,000 MNIST test images where they lie beside the project, else noise of that size."""
    if REAL.is_dir():
        return network.load_mnist(REAL)
    rng = np.random.default_rng(0)
    return rng.random((10_000, 784), dtype=np.float32), np.eye(10, dtype=np.float32)[rng.integers(0, 10, 10_000)]


def sgemm_peak() -> float:
    """Floating-point operations per second of a large float32 matrix product, on the threads BLAS takes."""
    a = np.random.default_rng(0).random((2048, 2048), dtype=np.float32)
    return 2 * 2048**3 / min(seconds(lambda: a @ a) for _ in range(8))


def operations(width: int, samples: int) -> int:
    """Of the matrix products that a kernel trace needs: a forward pass, and one product for every output."""
    return 2 * samples * (784 * width + width * width + 10 * width) + 2 * samples * 10 * width * width


@pytest.mark.filterwarnings("ignore:Full backward hook is firing:UserWarning")  # BackPACK's, of inputs without gradient
@pytest.mark.parametrize("width", [128, 784])
def test_ntk_trace_against_jax_torch_and_backpack(width, benchmark, show):
    from benchmarks import network_rivals as rivals  # noqa: PLC0415  # only where they are installed

    rivals.tune_malloc()
    net = MLP((784, width, width, 10))
    x = images()[0][network.stratified_sample(images()[1], SAMPLES)]
    run = lambda: network.ntk_trace(net, x)  # noqa: E731
    by_jax, jax_chunk = rivals.jax_ntk_trace(net, x)
    by_torch, torch_chunk = rivals.torch_ntk_trace(net, x)
    contestants = {
        f"JAX, vmap(jacrev), jitted (chunks of {jax_chunk})": by_jax,
        f"torch.func, vmap(jacrev) (chunks of {torch_chunk})": by_torch,
        "BackPACK, a pass per output with BatchL2Grad": rivals.backpack_ntk_trace(net, x),
    }
    expected = run()
    for name, rival in contestants.items():
        assert rival() == pytest.approx(expected, rel=1e-5), name
    # Runs of seconds need no second one before them.
    times = interleaved(benchmark, run, contestants, ROUNDS if width == 128 else 3, warm=width == 128)
    show(table(f"tr Λ, 784–{width}–{width}–10, {SAMPLES} images, float32", times, SAMPLES, "image"))
    rate = operations(width, SAMPLES) / median(times["infogeom"])
    show(f"{rate / 1e9:.3g} GFlop/s in matrix products alone, {rate / sgemm_peak():.2g} of the machine's sgemm peak")


def torch_cross_entropy(f, y):
    return -(y * torch.log_softmax(f, 0)).sum()


def torch_norm(p, f, y):
    return ((f - y) ** p).sum() ** (1 / p)


def torch_mean_power(n, f, y):
    return ((f - y) ** n).mean()


def test_traces_equal_those_of_torch_in_float64(show):
    from benchmarks import network_rivals as rivals  # noqa: PLC0415

    x, y = images()
    rows = network.stratified_sample(y, SAMPLES)
    x, y = x[rows].astype(float), y[rows].astype(float)
    net = MLP((784, 128, 128, 10), dtype="float64")
    weights, biases = net.to_arrays()
    single = MLP.from_arrays([W.astype(np.float32) for W in weights], [b.astype(np.float32) for b in biases])
    double = MLP.from_arrays(*single.to_arrays(), dtype="float64")
    expected, _ = rivals.torch_ntk_trace(net, x)
    differences = {"tr Λ": network.ntk_trace(net, x) / expected() - 1}
    losses = {CrossEntropy(): torch_cross_entropy}
    losses |= {LpNorm(p): partial(torch_norm, p) for p in (2, 4, 6)}
    losses |= {MeanPower(n): partial(torch_mean_power, n) for n in (2, 4, 6)}
    for loss, of_torch in losses.items():
        found = network.fisher_trace(net, x, y, loss)
        differences[f"tr I, {loss.name}"] = found / rivals.torch_fisher_trace(net, x, y, of_torch) - 1
    assert max(map(abs, differences.values())) <= 1e-10, differences
    rounding = {"tr Λ": network.ntk_trace(single, x) / network.ntk_trace(double, x) - 1}
    for loss in losses:
        ratio = network.fisher_trace(single, x, y, loss) / network.fisher_trace(double, x, y, loss)
        rounding[f"tr I, {loss.name}"] = ratio - 1
    assert max(map(abs, rounding.values())) <= 2e-6, rounding
    show(
        "\n784–128–128–10 on 1,000 images: relative differences from torch.func in float64, and of float32 from float64"
    )
    for name, difference in differences.items():
        show(f"{name:22} {difference:10.1e} {rounding[name]:10.1e}")


def test_training_follows_torch_step_by_step(show):
    from benchmarks import network_rivals as rivals  # noqa: PLC0415

    x, y = (a[:2560].astype(float) for a in images())
    net = MLP((784, 128, 128, 10), dtype="float64")
    rival = rivals.TorchTraining(net, x, y, 1e-3)
    rival.epoch(np.random.default_rng([0, 0]).permutation(2560), 128, steps=20)
    found = network.fit(net, x, y, CrossEntropy(), epochs=1, record=Record(probe=10)).parameters.values
    difference = abs(found - rival.parameters()).max()
    show(f"\n20 steps of Adam in float64, batches of 128: parameters differ from torch's by {difference:.1e} at most")
    assert difference <= 1e-12


def test_training_epoch_against_torch_with_fused_adam(benchmark, show):
    from benchmarks import network_rivals as rivals  # noqa: PLC0415

    x, y = images()
    net, record = MLP((784, 128, 128, 10)), Record(every=10**6, probe=10)
    rival = rivals.TorchTraining(net, x, y, 1e-3)
    order = np.random.default_rng(0).permutation(len(x))

    def run() -> None:
        network.fit(net, x, y, CrossEntropy(), epochs=3, optimizer=Adam(1e-3), record=record)

    def of_torch() -> None:
        for _ in range(3):
            rival.epoch(order, 128)

    run()
    of_torch()
    times = interleaved(benchmark, run, {"torch, fused Adam": of_torch}, ROUNDS)
    show(table(f"training, 784–128–128–10, {len(x)} images, batches of 128", times, 3 * len(x), "image"))


@pytest.mark.parametrize(("width", "probe"), [(128, None), (784, 1000)])
def test_recording_against_training(width, probe, benchmark, show):
    x, y = images()
    net, epochs = MLP((784, width, width, 10)), 3 if width == 128 else 1

    def trained(record: Record) -> None:
        network.fit(net, x, y, CrossEntropy(), epochs=epochs, record=record)

    def with_records() -> None:
        trained(Record(probe=probe))

    def without() -> None:
        trained(Record(probe=10, every=10**6))

    with_records()
    without()
    times = interleaved(benchmark, with_records, {"the training alone": without}, ROUNDS)
    records = epochs + 1
    cost = (median(times["infogeom"]) - median(times["the training alone"])) / records
    per_epoch = median(times["the training alone"]) / epochs
    show(
        f"\nwidth {width}, probe set of {probe or len(x)}, {machine()}\n"
        f"an epoch {per_epoch:.3g} s, a record of traces and factors {cost:.3g} s, {cost / per_epoch:.2f} as long"
    )


PROGRAM = """
import json
from pathlib import Path
import numpy as np
from infogeom.losses import CrossEntropy
from infogeom.network import MLP, Record, fit

def peak():
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024

rng = np.random.default_rng(0)
x, y = rng.random((10_000, 784), dtype=np.float32), np.eye(10, dtype=np.float32)[rng.integers(0, 10, 10_000)]
fit(MLP((784, 784, 784, 10)), x, y, CrossEntropy(), epochs=1, record=Record(probe=None))
print(json.dumps(peak()))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_memory_of_a_wide_network(benchmark, show):
    found = []
    benchmark.pedantic(lambda: found.append(json.loads(python("-c", PROGRAM))), rounds=1)
    show(f"\n784–784–784–10, 10,000 images: peak memory of training and exact traces {found[0] / 2**20:.0f} MiB")
    assert found[0] < 1e9


STUDY = """
import json, sys, time
import numpy as np
from infogeom.losses import CrossEntropy, LpNorm
from infogeom.network import Record, study

if __name__ == "__main__":
    rng = np.random.default_rng(0)
    x, y = rng.random((10_000, 784), dtype=np.float32), np.eye(10, dtype=np.float32)[rng.integers(0, 10, 10_000)]
    start = time.perf_counter()
    study(x, y, losses=[CrossEntropy(), LpNorm(2)], widths=[128], seeds=[0, 1], epochs=200, workers=int(sys.argv[1]))
    print(json.dumps(time.perf_counter() - start))
"""


def test_two_workers_against_one(benchmark, show, tmp_path):
    script = tmp_path / "study.py"
    script.write_text(STUDY)
    times: dict[str, list[float]] = {"1": [], "2": []}

    def both() -> None:
        for workers, found in times.items():
            found.append(json.loads(python(str(script), workers)))
            time.sleep(0.5)

    benchmark.pedantic(both, rounds=1)
    one, two = (median(found) for found in times.values())
    show(
        f"\na study of 4 runs, 10,000 images, 200 epochs, {machine()}\n"
        f"one worker {one:.3g} s, two workers {two:.3g} s: {two / one:.2f}"
    )
