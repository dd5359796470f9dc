"""SymPy in a process of its own: its answers, its end, and where it may run."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing import spawn
from pathlib import Path

import pytest
import sympy
from sympy import Interval, Symbol, log

import infogeom as ig
from infogeom import catalogue
from infogeom.models import Model, Parameter
from infogeom.numeric.worker import Worker, WorkerError
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.fisher import metric

x, tilt = symbols = sympy.symbols("x tilt", real=True)


def tilted() -> Model:
    """A density on (0, 2) whose expectation takes SymPy's integrals."""
    law = log(1 + tilt * (x - 1)) - log(2)
    return ig.models.from_density(law, x, [Parameter(tilt, Interval.open(-1, 1), (0.2, 0.8))], Interval.open(0, 2))


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as one:
        yield one


# --- In a daemonic process --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pool() -> Iterator[multiprocessing.pool.Pool]:
    with multiprocessing.get_context("spawn").Pool(1) as one:
        yield one


def test_a_daemonic_process_derives_what_takes_sympys_integrals(pool: multiprocessing.pool.Pool) -> None:
    assert pool.apply(metric, (tilted(),)).matrix == metric(tilted()).matrix


def test_a_daemonic_process_has_the_catalogue(pool: multiprocessing.pool.Pool) -> None:
    assert pool.apply(catalogue.entry, ("rayleigh",)).flat


# --- Answers ----------------------------------------------------------------------------------------------------------


def test_an_error_is_raised_and_the_process_goes_on(worker: Worker) -> None:
    before = worker.run(60, os.getpid)
    with pytest.raises(ZeroDivisionError, match="division"):
        worker.run(60, divmod, 1, 0)
    assert worker.run(60, os.getpid) == before != os.getpid()


def test_what_is_printed_is_no_answer(worker: Worker) -> None:
    assert worker.run(60, print, "words") is None


def test_classes_of_a_script_go_along(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from infogeom.numeric.worker import Worker\n"
        "class Mine:\n    size = 3\n"
        "with Worker() as worker:\n    print(worker.run(60, getattr, Mine(), 'size'))\n"
    )
    run = subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True)
    assert run.stdout == "3\n"


def test_a_process_that_ends_by_itself_is_told_with_its_status(worker: Worker) -> None:
    with pytest.raises(WorkerError, match="ended by itself, with exit status 3"):
        worker.run(60, os._exit, 3)
    assert worker.run(60, max, 1, 2) == 2


def test_a_process_that_cannot_start_is_no_expectation_that_does_not_close(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spawn, "_python_exe", "/nowhere/python")
    other = Symbol("other", real=True)
    model = tilted()
    (parameter,) = model.parameters
    law = model.log_density.subs(parameter.symbol, other)
    moved = ig.models.from_density(law, x, [Parameter(other, Interval.open(-1, 1), (0.2, 0.8))], Interval.open(0, 2))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        metric(moved)


def test_an_integral_that_does_not_come_back_in_time_stays_open() -> None:
    law = tilted().log_density.subs(tilt, tilt / 2) - log(1)
    domain = Parameter(tilt, Interval.open(-1, 1), (0.2, 0.8))
    hurried = Model("hurried", [domain], law, x, Interval.open(0, 2), budget=1e-9)
    with pytest.raises(OpenExpectationError, match="did not close"):
        metric(hurried)


# --- Its end ----------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "win32", reason="it has no SIGKILL")
def test_it_ends_in_the_middle_of_a_call_when_whoever_asks_is_killed() -> None:
    code = (
        "import time; from infogeom.numeric.worker import Worker\n"
        "with Worker() as worker:\n"
        "    worker.run(60, max, 1, 2); print('started', flush=True); worker.run(600, time.sleep, 600)\n"
    )
    asking = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with asking:
        assert asking.stdout
        assert asking.stderr
        assert asking.stdout.readline() == b"started\n"
        asking.kill()
        started = time.monotonic()
        asking.stderr.read()  # it ends when the last process that writes to it has
    assert time.monotonic() - started < 300
