"""Fresh processes: the example as a user runs it, cold and warm, and the import."""

from statistics import median

from benchmarks.processes import ROOT, python
from benchmarks.rounds import machine, seconds

WARM_ROUNDS, IMPORTS = 3, 11
TIMED_IMPORT = "import time; t = time.perf_counter(); import infogeom; print(time.perf_counter() - t)"


def test_example_with_default_settings(benchmark, show, tmp_path):
    caches = {"INFOGEOM_CACHE_DIR": str(tmp_path / "kernels"), "MPLCONFIGDIR": str(tmp_path / "matplotlib")}
    stages = []

    def run():
        out = python(
            str(ROOT / "examples" / "grid_curvature.py"), "--out", str(tmp_path / "figures"), environment=caches
        )
        stages.append(next(line for line in out.splitlines() if line.startswith("seconds")))

    cold = seconds(run)
    benchmark.pedantic(run, rounds=WARM_ROUNDS)
    warm = median(benchmark.stats.stats.data)
    benchmark.extra_info.update({"cold": cold, "machine": machine()})
    show(
        f"\nexamples/grid_curvature.py, whole process, {machine()}\n"
        f"fresh caches {cold:.3g} s (target 60 s; {stages[0]})\n"
        f"warm caches {warm:.3g} s, median of {WARM_ROUNDS} (target 15 s; {stages[-1]})"
    )


def test_import(benchmark, show):
    inside = []
    python("-c", TIMED_IMPORT)
    benchmark.pedantic(lambda: inside.append(float(python("-c", TIMED_IMPORT))), rounds=IMPORTS)
    bare = median(seconds(lambda: python("-c", "pass")) for _ in range(IMPORTS))
    show(
        f"\nimport infogeom in fresh processes, medians of {IMPORTS}, {machine()}\n"
        f"the import {median(inside):.3g} s (target 0.3 s); "
        f"a process with it {median(benchmark.stats.stats.data):.3g} s, without it {bare:.3g} s"
    )
