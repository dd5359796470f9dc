"""Tasks in order from a pool of threads, with a progress bar; what is done does not depend on how many there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numba
from tqdm import tqdm

__all__ = ["PATIENCE", "in_order", "threads"]

T = TypeVar("T")
R = TypeVar("R")
#: Seconds before a progress bar shows.
PATIENCE = 2.0


def threads() -> int:
    """Threads: NUMBA_NUM_THREADS, or the cores this process may use."""
    return int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


def in_order(function: Callable[[T], R], tasks: Sequence[T], label: str) -> list[R]:
    """Results of a function of each task, in order, from a pool of threads; Ctrl-C drops what has not begun."""
    bar = tqdm(total=len(tasks), desc=label, delay=PATIENCE, leave=False, disable=None)
    results = []
    with bar as progress, ThreadPoolExecutor(threads()) as pool:
        try:
            for result in pool.map(function, tasks):
                results.append(result)
                progress.update()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return results
