"""Worker processes and their manners: none outlives the one that started it, which also says what an interrupt means.

They import no script, so that callers need no ``if __name__ == "__main__"``.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
import traceback
from _thread import interrupt_main
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, resource_tracker
from typing import Any, TypeVar

import cloudpickle
from loky.backend import get_context

__all__ = ["LostWorkerError", "end_with_parent", "interrupts_held", "serve", "shared_out"]

T = TypeVar("T")
#: Seconds between looks at whether the parent is still there.
INTERVAL = 0.5
#: Seconds that interrupted workers have to save what they are at.
GRACE = 5.0


# --- Manners ----------------------------------------------------------------------------------------------------------


def serve() -> None:
    """Begin the life of a worker that is told by its parent when to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def end_with_parent(grace: float = 0.0) -> None:
    """Have this worker end when its parent is gone, even one that was killed and could tell nobody.

    Parameters
    ----------
    grace : float
        Seconds between an interrupt of the main thread, on which it may save its work, and the end by force.
    """
    threading.Thread(target=_watch, args=(grace,), daemon=True).start()


def _watch(grace: float) -> None:
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    if os.name == "posix":
        # Not the parent's sentinel: loky's workers have none, and a forked sibling would keep it open.
        while os.getppid() == parent.pid:
            time.sleep(INTERVAL)
    else:
        connection.wait([parent.sentinel])
    if grace:
        interrupt_main()
        time.sleep(grace)
    os._exit(1)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Ctrl-C waits until the end of the block; processes that are started in it never get it, where signals allow."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which takes no interrupt, but lets them in again when it has begun
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# --- Tasks ------------------------------------------------------------------------------------------------------------


class LostWorkerError(RuntimeError):
    """A worker process ended without an answer.

    Attributes
    ----------
    exit_code : int or None
        How it ended: -9 where it was killed.
    tasks : list of int
        Numbers of the tasks under way: its own first, if it had one, then those of the others.
    """

    def __init__(self, exit_code: int | None, tasks: list[int]) -> None:
        super().__init__(exit_code, tasks)
        self.exit_code, self.tasks = exit_code, tasks


def shared_out(
    tasks: Sequence[Callable[[], T]], workers: int, *, setup: Callable[[], object], environment: Mapping[str, str]
) -> Generator[tuple[int, T]]:
    """Number and result of each task, as they come, from processes that take the next one when one is done.

    However this ends, by an error, an interrupt or because nobody asks for more, tasks under way get a
    KeyboardInterrupt and `GRACE` seconds to save what they are at, and no process is left behind.

    Parameters
    ----------
    tasks : sequence of callable
        Given to the processes in this order.
    workers : int
        Processes.
    setup : callable
        Called first in each of them.
    environment : mapping of str to str
        Their variables beside those of this process.

    Raises
    ------
    LostWorkerError
        When a process ends before its task does.
    KeyboardInterrupt
        When a process was interrupted and this one was not.
    Exception
        What a task raises, with its traceback as a note.
    """
    team: list[_Worker] = []
    waiting = deque(enumerate(tasks))
    try:
        with interrupts_held():
            while len(team) < workers:
                team.append(_Worker(environment))
        first = cloudpickle.dumps(setup)
        for worker in team:
            worker.ask(None, first)
        del first  # as large as all the data

        # Whoever is done has the next task before anybody looks at the result of the last.
        while busy := [worker for worker in team if worker.busy]:
            ready = connection.wait([worker.connection for worker in busy])
            for worker in busy:
                if worker.connection not in ready:
                    continue
                done, result = worker.number, worker.answer()
                if waiting:
                    number, task = waiting.popleft()
                    worker.ask(number, cloudpickle.dumps(task))
                if done is not None:
                    yield done, result
    except LostWorkerError as error:
        under_way = [worker.number for worker in team if worker.busy and worker.number is not None]
        error.tasks += [number for number in under_way if number not in error.tasks]
        raise
    finally:
        _dismiss(team)


class _Worker:
    """A process that answers one message after another, and the number of the task that it is at."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.connection, theirs = connection.Pipe()
        context: Any = get_context("loky")
        self.process = context.Process(target=_work, args=(theirs,), env=dict(environment), daemon=True)
        self.process.start()
        theirs.close()
        self.number: int | None = None
        self.busy = False

    def ask(self, number: int | None, message: bytes) -> None:
        self.number, self.busy = number, True
        with self._losses():
            self.connection.send_bytes(message)

    def answer(self) -> Any:
        with self._losses():
            content = self.connection.recv_bytes()
        self.busy = False
        result, error = pickle.loads(content)
        if error is not None:
            raise error
        return result

    @contextmanager
    def _losses(self) -> Iterator[None]:
        """Name what it means that nobody is at the other end."""
        try:
            yield
        except (EOFError, OSError):
            self.process.join(GRACE)
            raise LostWorkerError(self.process.exitcode, [] if self.number is None else [self.number]) from None


def _dismiss(team: Sequence[_Worker]) -> None:
    """End worker processes: by an interrupt on which they save what they are at, then by force."""
    for worker in team:
        if worker.busy and worker.process.is_alive():
            os.kill(worker.process.pid, signal.SIGINT)
        worker.connection.close()
    deadline = time.monotonic() + GRACE
    for worker in team:
        worker.process.join(max(0.0, deadline - time.monotonic()))
        worker.process.terminate()
        worker.process.join()


def _work(theirs: Any) -> None:
    """Answer one message after another, until nobody asks any more, or an interrupt."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # held while this process was started
    end_with_parent(GRACE)

    interrupted = False
    with suppress(EOFError, OSError):
        while not interrupted:
            answer, interrupted = _answer(theirs.recv_bytes())
            theirs.send_bytes(answer)


def _answer(message: bytes) -> tuple[bytes, bool]:
    """Pickled result and error of a task, and whether an interrupt ended it, which is for tasks alone."""
    try:
        try:
            signal.signal(signal.SIGINT, _interrupt_once)
            task = pickle.loads(message)
            return cloudpickle.dumps((task(), None)), False
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        return cloudpickle.dumps((None, KeyboardInterrupt())), True
    except Exception as error:  # noqa: BLE001 - whatever it is, it is for the caller
        return _pickled(error), False


def _interrupt_once(*_: Any) -> None:
    """Further interrupts would only break the saving."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _pickled(error: Exception) -> bytes:
    """An error with its traceback, or what it says where its kind cannot be pickled."""
    note = f"in a worker process:\n{''.join(traceback.format_exception(error))}"
    error.add_note(note)
    try:
        answer = cloudpickle.dumps((None, error))
        pickle.loads(answer)
    except Exception:  # noqa: BLE001 - whatever makes it unfit
        told = RuntimeError(f"{type(error).__name__}: {error}")
        told.add_note(note)
        answer = cloudpickle.dumps((None, told))
    return bytes(answer)
