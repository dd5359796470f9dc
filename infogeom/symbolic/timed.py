"""SymPy within a budget of time: it has no end of its own."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import loky

from infogeom.workers import interrupts_held, serve

__all__ = ["Worker"]


class Worker:
    """A process of its own, ended when the time of a call is up, and started anew by the next one.

    Examples
    --------
    >>> with Worker() as worker:
    ...     worker.run(60, max, 1, 2)
    2
    """

    def __init__(self) -> None:
        self._executor: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def run(self, seconds: float | None, function: Callable[..., Any], *arguments: Any) -> Any:
        """Result of a call; TimeoutError when it takes longer, not counting the start of the process."""
        if self._executor is None:
            with interrupts_held():
                self._executor = loky.ProcessPoolExecutor(1, initializer=serve)
                start = self._executor.submit(_started)
            start.result()
        try:
            return self._executor.submit(function, *arguments).result(timeout=seconds)
        except BaseException:  # of an interrupt, too, nothing is left running
            self._end()
            raise

    def _end(self) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=False, kill_workers=True)
            self._executor = None


def _started() -> None:
    """Imports what this module's package does."""
