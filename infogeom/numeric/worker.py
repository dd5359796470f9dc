"""SymPy within a budget of time: it has no end of its own.

The process for it is none of `multiprocessing`'s, for daemonic ones (the workers of its pools and of dask) may not have
children.  It ends when its input does, hence with the process that asks, however that one ends.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.spawn import get_executable
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import IO, Any, Self

import cloudpickle

__all__ = ["Worker", "WorkerError"]

#: Bytes that say how long a message is; an interrupt of the terminal is the asking process's to answer.
HEADER_BYTES = 8
PROGRAM = (
    "import pickle, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    "sys.path[:] = pickle.load(sys.stdin.buffer); from infogeom.numeric import worker; worker.serve()"
)
READY = b"ready"


class WorkerError(RuntimeError):
    """A process that ended by itself, or does not know what it is asked of."""


class Worker:
    """A process of its own, ended when the time of a call is up, and started anew by the next one.

    Examples
    --------
    >>> with Worker() as worker:
    ...     worker.run(60, max, 1, 2)
    2
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def run(self, seconds: float | None, function: Callable[..., Any], *arguments: Any) -> Any:
        """Result of a call, or its error; TimeoutError when it takes longer, not counting the start of the process."""
        try:
            request = cloudpickle.dumps((function, arguments))
        except (TypeError, pickle.PicklingError, RecursionError) as unfit:
            raise WorkerError(f"the process for SymPy cannot be told what it is asked of: {unfit}") from unfit
        try:
            process = self._process = self._process or _started()
            answer = _answer(process, request, seconds)
            if not answer:
                raise WorkerError(f"the process for SymPy ended by itself, with exit status {process.wait()}")
        except BaseException:  # of an interrupt, too, nothing is left running
            self._end()
            raise
        error, result = pickle.loads(answer)
        if error is not None:
            raise error
        return result

    def _end(self) -> None:
        if self._process is not None:
            _end(self._process)
            self._process = None


def _started() -> subprocess.Popen[bytes]:
    """Process that has imported what this module's package does."""
    command = [get_executable(), "-P", "-c", PROGRAM]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        _write(process.stdin, pickle.dumps(sys.path))
        if _received(process.stdout) != READY:
            raise ChildProcessError(f"no process for SymPy: it ended with exit status {process.wait()}")
    except BaseException:
        _end(process)
        raise
    return process


def _answer(process: subprocess.Popen[bytes], request: bytes, seconds: float | None) -> bytes:
    """Answer to a request, by a thread that waits for it: not every system can wait for a pipe for a time."""
    with ThreadPoolExecutor(1) as waiting:
        try:
            return waiting.submit(_exchange, process, request).result(timeout=seconds)
        except BaseException:
            process.kill()  # which is the end of waiting
            raise


def _exchange(process: subprocess.Popen[bytes], request: bytes) -> bytes:
    _send(process.stdin, request)
    return _received(process.stdout)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with suppress(BrokenPipeError):
            pipe.close()


# --- Messages ---------------------------------------------------------------------------------------------------------


def _write(pipe: IO[bytes] | None, data: bytes) -> None:
    assert pipe is not None
    with suppress(BrokenPipeError):  # who does not listen any more does not answer either
        pipe.write(data)
        pipe.flush()


def _send(pipe: IO[bytes] | None, message: bytes) -> None:
    _write(pipe, len(message).to_bytes(HEADER_BYTES, "big") + message)


def _received(pipe: IO[bytes] | None) -> bytes:
    """Next message; empty at the end."""
    assert pipe is not None
    return pipe.read(int.from_bytes(pipe.read(HEADER_BYTES), "big"))


# --- In the process ---------------------------------------------------------------------------------------------------


def serve() -> None:
    """Answer one request after the other until the input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what SymPy prints is no answer
    requests: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(requests,), daemon=True).start()
    _send(answers, READY)
    with ThreadPoolExecutor(1) as pool:
        while True:
            call = pool.submit(_called, requests.get())
            error = call.exception()
            _send(answers, cloudpickle.dumps((error, None if error else call.result())))


def _listen(requests: SimpleQueue[bytes]) -> None:
    while request := _received(sys.stdin.buffer):
        requests.put(request)
    os._exit(0)  # in the middle of a call, too: nobody waits for its result


def _called(request: bytes) -> Any:
    try:
        function, arguments = pickle.loads(request)
    except (ImportError, AttributeError) as error:
        raise WorkerError(f"the process for SymPy does not know what it is asked of: {error}") from error
    return function(*arguments)
