"""Peak memory of a large grid: the output and tables of axis × samples, never points × samples."""

import json
from pathlib import Path

import pytest

from benchmarks.processes import python
from benchmarks.rounds import machine

POINTS, SAMPLES = 4000, 1000
PROGRAM = f"""
import json, time
from pathlib import Path
import numpy as np
import infogeom as ig

def peak():
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024

def grid(n):
    axis = np.linspace(-3, 3, n)
    return ig.grid.evaluate(model, {{"theta1": axis, "theta2": axis}}, ("ricci_scalar",))

model = ig.models.sigmoid_neuron(*ig.models.decision_boundary({SAMPLES}), ig.losses.CrossEntropy())
grid(256)
before, start = peak(), time.perf_counter()
ds = grid({POINTS})
print(json.dumps({{"seconds": time.perf_counter() - start, "before": before, "peak": peak(), "output": ds.nbytes}}))
"""


# Not getrusage: under Linux its peak starts from that of the process that started this one.
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_large_grid_takes_the_memory_of_its_output_and_tables(benchmark, show):
    found = []
    benchmark.pedantic(lambda: found.append(json.loads(python("-c", PROGRAM))), rounds=1)
    [run] = found
    growth = run["peak"] - run["before"]
    benchmark.extra_info.update(run)
    megabytes = {name: round(run[name] / 2**20) for name in ("before", "peak", "output")}
    show(
        f"\nR, cross-entropy, {POINTS}² points, {SAMPLES} samples, {machine()}\n"
        f"{run['seconds']:.3g} s ({run['seconds'] / POINTS**2 / SAMPLES * 1e9:.3g} ns per point · sample); "
        f"peak {megabytes['peak']} MiB, of which {megabytes['before']} MiB before the call, "
        f"output {megabytes['output']} MiB; points × samples would be {POINTS**2 * SAMPLES * 8 / 2**30:.0f} GiB"
    )
    # The output, the masks of points inside the domain, and a few tiles of tables.
    assert growth <= 1.5 * run["output"] + 64 * 2**20
