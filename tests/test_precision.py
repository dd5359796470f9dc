"""Precision that is one for all threads: who has it keeps it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from threading import Thread
from typing import Any

import flint
import mpmath
import pytest
import sympy

import infogeom as ig
from infogeom import precision
from infogeom.kernels.balls import enclosures
from infogeom.models import Model, Parameter
from infogeom.numeric.quadrature import expectations

SECONDS = 0.2


@pytest.fixture
def impatient() -> Iterator[None]:
    """Threads that take turns all the time."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("enter", [precision.digits, precision.bits, precision.more_bits])
def test_another_thread_waits_for_mpmaths_precision(enter: Callable[[int], AbstractContextManager[None]]) -> None:
    found = []

    def other() -> None:
        with enter(200):
            found.append(mpmath.mp.prec)

    thread = Thread(target=other)
    with precision.digits(50):
        before = mpmath.mp.prec
        thread.start()
        thread.join(SECONDS)
        assert (mpmath.mp.prec, found) == (before, [])
    thread.join()
    assert found[0] != before


def test_another_thread_waits_for_flints_precision() -> None:
    def other() -> None:
        with enclosures.precision(2000):
            pass

    thread = Thread(target=other)
    with precision.bits_of_balls(300):
        thread.start()
        thread.join(SECONDS)
        assert thread.is_alive()
        assert flint.ctx.prec == 300
    thread.join()


def test_precisions_may_be_nested() -> None:
    with precision.digits(50), precision.held(), precision.digits(30), precision.more_bits(10):
        assert mpmath.mp.prec == mpmath.libmp.dps_to_prec(30) + 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_does_not_wait_for_a_thread_that_it_has_not() -> None:
    code = (
        "import os, threading\n"
        "from infogeom import precision\n"
        "has, done = threading.Event(), threading.Event()\n"
        "def other():\n"
        "    with precision.digits(50), precision.bits_of_balls(80):\n"
        "        has.set(); done.wait()\n"
        "thread = threading.Thread(target=other); thread.start(); has.wait()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    with precision.digits(20), precision.bits_of_balls(90):\n"
        "        os._exit(0)\n"
        "print(os.waitpid(child, 0)[1]); done.set()\n"
    )
    run = subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout == "0\n"


def expectation(rate: int) -> Any:
    """Of x² under an exponential law."""
    support = sympy.Interval(0, sympy.oo)
    ((value, _),) = expectations(lambda x: -rate * x, [lambda x: x**2], support, [mpmath.mpf(1)], [])
    return value


@pytest.mark.usefixtures("impatient")
def test_threads_find_the_digits_that_one_finds_alone() -> None:
    alone = [expectation(rate) for rate in range(1, 5)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(expectation, range(1, 5))) == alone
    assert mpmath.mp.prec == 53


def named(name: str) -> Model:
    """A law that was not derived before."""
    x, shape, scale = sympy.symbols(f"x shape_{name} scale_{name}", positive=True)
    law = (shape - 1) * sympy.log(x) - x / scale - sympy.loggamma(shape) - shape * sympy.log(scale)
    return ig.models.from_density(law, x, [Parameter(shape), Parameter(scale)], sympy.Interval(0, sympy.oo), name=name)


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_threads_verify_as_one_does_alone() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda name: ig.verify(named(name), [[1.3, 2.0]]).agree, "defg"))
    assert mpmath.mp.prec == 53
