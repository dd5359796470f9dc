"""Manners of worker processes: none outlives the one that started it, and an interrupt is for that one to answer."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from _thread import interrupt_main
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import connection, resource_tracker

__all__ = ["end_with_parent", "interrupts_held", "serve"]

#: Seconds between looks at whether the parent is still there.
INTERVAL = 0.5


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
