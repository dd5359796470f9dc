"""Working precision of mpmath and of python-flint: one for all threads, so that whoever sets it holds it meanwhile.

SymPy sets mpmath's too, wherever it evaluates a special function.  Threads that do so without holding it, a user's own
SymPy say, may still disturb the numbers of another thread.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import flint
import mpmath

__all__ = ["bits", "bits_of_balls", "digits", "held", "more_bits"]

#: Of mpmath, and of python-flint, which is asked for while the other is held but never the other way round.
_lock, _balls = RLock(), RLock()


@contextmanager
def held() -> Iterator[None]:
    """Precision of mpmath as it is, with no other thread to change it."""
    with _lock:
        yield


@contextmanager
def digits(count: int) -> Iterator[None]:
    """Precision of mpmath in decimal digits."""
    with _lock, mpmath.workdps(count):
        yield


@contextmanager
def bits(count: int) -> Iterator[None]:
    """Precision of mpmath in bits."""
    with _lock, mpmath.workprec(count):
        yield


@contextmanager
def more_bits(count: int) -> Iterator[None]:
    """Precision of mpmath and as many bits more."""
    with _lock, mpmath.extraprec(count):
        yield


@contextmanager
def bits_of_balls(count: int) -> Iterator[None]:
    """Precision of python-flint in bits."""
    with _balls, flint.ctx.workprec(count):
        yield


def _forget() -> None:
    """Locks of its own for a forked process: the threads that held the others are not there to let go of them."""
    global _lock, _balls
    _lock, _balls = RLock(), RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
