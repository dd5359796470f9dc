"""Interleaved timing: in every round each contestant runs once, so that noise of the machine meets them all alike."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import numba

import infogeom

#: Seconds between two runs, so that the threads of the one before have stopped spinning.
PAUSE = 0.05
RIVALS = ("jax", "jaxlib", "torch", "backpack-for-pytorch", "curvlinops-for-pytorch")
PACKAGES = ("numpy", "numba", "llvmlite", *RIVALS, "sympy", "xarray")

Times = dict[str, list[float]]
Contestants = Mapping[str, Callable[[], object]]


def seconds(run: Callable[[], object]) -> float:
    """Seconds of one run."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def interleaved(
    benchmark: Any, ours: Callable[[], object], rivals: Contestants, rounds: int, *, warm: bool = False
) -> Times:
    """Seconds of ours, as pytest-benchmark times them, and of the rivals, each timed once before every round of ours.

    Everything must have run before: no compilation is timed.  Rivals begin in a different order in every round.  With
    ``warm`` each runs once more, untimed, right before it is timed: runs of milliseconds then find their own data in
    the caches, not what the one before left.
    """
    times: Times = {"infogeom": [], **{name: [] for name in rivals}}
    names = list(rivals)

    def rivals_once() -> None:
        for name in names:
            time.sleep(PAUSE)
            if warm:
                rivals[name]()
            times[name].append(seconds(rivals[name]))
        names[:] = names[1:] + names[:1]
        time.sleep(PAUSE)
        if warm:
            ours()

    benchmark.pedantic(ours, setup=rivals_once, rounds=rounds, iterations=1)
    times["infogeom"] += benchmark.stats.stats.data
    benchmark.extra_info.update({"seconds": times, "machine": machine()})
    return times


def table(title: str, times: Times, work: float, unit: str) -> str:
    """Medians, fastest rounds, and their ratios to ours, in Markdown; nanoseconds per unit of work."""
    heads = ["", "median s", "ratio", f"ns per {unit}", "fastest s", "ratio"]
    ours, rounds, rows = times["infogeom"], len(times["infogeom"]), []
    for name, t in times.items():
        middle, best = median(t), min(t)
        numbers = (middle, middle / median(ours), middle / work * 1e9, best, best / min(ours))
        rows.append([name] + [f"{number:.3g}" for number in numbers])
    return f"\n{title}: {rounds} interleaved rounds\n{machine()}\n\n{markdown(heads, rows)}"


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Table in Markdown."""
    lines = [heads, ["---"] * len(heads)]
    lines += rows
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def machine() -> str:
    """Processor, cores, load, threads and versions in one line."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    models = [line for line in lines if line.startswith("model name")]
    name = models[0].partition(": ")[2] if models else platform.processor()
    load = f"load {os.getloadavg()[0]:.2f}, " if hasattr(os, "getloadavg") else ""
    python = f"Python {platform.python_version()}"
    return f"{name}, {os.cpu_count()} cores, {load}{threads()} threads, {python}, {_versions()}"


def threads() -> int:
    """Threads that kernels run on."""
    return numba.get_num_threads()


def _versions() -> str:
    found = [f"infogeom {infogeom.__version__}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
