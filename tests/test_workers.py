"""Tasks shared out among worker processes: each is answered, none is left behind."""

from __future__ import annotations

import math
import multiprocessing
import os
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from infogeom.workers import LostWorkerError, shared_out

pytestmark = pytest.mark.skipif(os.name != "posix", reason="interrupts are sent as signals")


def shared(tasks: list[Callable[[], Any]], workers: int = 2) -> Generator[tuple[int, Any]]:
    return shared_out(tasks, workers, setup=partial(int, 0), environment={})


def nobody_left() -> bool:
    return not multiprocessing.active_children()


def until_there(path: Path) -> None:
    while not path.exists():
        time.sleep(0.01)


def test_each_task_is_answered_by_its_number() -> None:
    tasks: list[Callable[[], Any]] = [partial(math.sqrt, k * k) for k in range(5)]
    assert sorted(shared(tasks)) == [(k, float(k)) for k in range(5)]
    assert nobody_left()


def test_workers_are_set_up_and_have_their_variables_beside_those_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIVEN_HERE", "1")
    setup = partial(os.putenv, "SET_UP", "2")
    script = "echo $GIVEN_HERE $SET_UP $GIVEN_THERE"
    tasks = [partial(subprocess.check_output, ["sh", "-c", script], text=True)]
    assert list(shared_out(tasks, 1, setup=setup, environment={"GIVEN_THERE": "3"})) == [(0, "1 2 3\n")]
    assert "GIVEN_THERE" not in os.environ


def test_what_a_task_raises_is_raised_with_the_traceback_there() -> None:
    with pytest.raises(ValueError, match="math domain error") as caught:
        list(shared([partial(math.sqrt, -1.0)], 1))
    assert "in a worker process:\nTraceback" in caught.value.__notes__[0]
    assert nobody_left()


def test_an_error_that_cannot_be_pickled_is_told_in_words() -> None:
    class TwoArgumentsError(Exception):
        def __init__(self, one: str, other: str) -> None:
            super().__init__(one + other)

    def fail() -> None:
        raise TwoArgumentsError("a", "b")

    with pytest.raises(RuntimeError, match="TwoArgumentsError: ab"):
        list(shared([fail], 1))


@pytest.mark.parametrize("end", ["error", "close", "loss"])
def test_tasks_under_way_are_interrupted_and_may_save_what_they_are_at(end: str, tmp_path: Path) -> None:
    begun, saved = tmp_path / "begun", tmp_path / "saved"

    def long() -> None:
        try:
            begun.touch()
            time.sleep(600)
        except KeyboardInterrupt:
            time.sleep(0.3)
            saved.touch()
            raise

    def other() -> None:
        until_there(begun)
        if end == "loss":
            os._exit(3)
        if end == "error":
            raise ValueError("one of them")

    with closing(shared([long, other, long])) as answers:
        if end == "error":
            with pytest.raises(ValueError, match="one of them"):
                next(answers)
        elif end == "loss":
            with pytest.raises(LostWorkerError) as caught:
                next(answers)
            assert (caught.value.exit_code, caught.value.tasks) == (3, [1, 0])
        else:
            assert next(answers) == (1, None)
    assert saved.exists()
    assert nobody_left()


def test_a_worker_that_is_interrupted_alone_ends_them_all() -> None:
    def interrupted() -> None:
        os.kill(os.getpid(), 2)
        time.sleep(600)

    with pytest.raises(KeyboardInterrupt):
        list(shared([interrupted, partial(time.sleep, 600)]))
    assert nobody_left()


def test_a_worker_that_is_lost_as_it_is_set_up_had_no_task() -> None:
    with pytest.raises(LostWorkerError) as caught:
        list(shared_out([partial(int, 0)], 1, setup=partial(os._exit, 4), environment={}))
    assert (caught.value.exit_code, caught.value.tasks) == (4, [])
