"""Special functions of compiled kernels on arrays, against SciPy's."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import scipy.special

from benchmarks.rounds import interleaved, table
from infogeom.kernels.compiled.compile import compiled

SIZE = 1_000_000
ROUNDS = 15


def ratio(order: float, x: np.ndarray) -> np.ndarray:
    return scipy.special.ive(order + 1, x) / scipy.special.ive(order, x)


def ratio_of_zero(x: np.ndarray) -> np.ndarray:
    return scipy.special.i1e(x) / scipy.special.i0e(x)


#: Call, and the way to the same numbers with SciPy.
CASES: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "polygamma(1, x)": ("polygamma(1, x[i])", partial(scipy.special.polygamma, 1)),
    "polygamma(2, x)": ("polygamma(2, x[i])", partial(scipy.special.polygamma, 2)),
    "polygamma(0, x)": ("polygamma(0, x[i])", scipy.special.psi),
    "bessel_ratio(0, x)": ("bessel_ratio(0.0, x[i])", ratio_of_zero),
    "bessel_ratio(3/2, x)": ("bessel_ratio(1.5, x[i])", partial(ratio, 1.5)),
}


@pytest.mark.parametrize("name", CASES)
def test_an_array_against_scipy(benchmark, show, name):
    call, rival = CASES[name]
    x = 10.0 ** np.random.default_rng(0).uniform(-2, 3, SIZE)
    out = np.empty_like(x)
    loop = compiled(f"def tile(x, out):\n    for i in range(x.size):\n        out[i] = {call}\n")["tile"]
    loop(x, out)
    np.testing.assert_allclose(out, rival(x), rtol=1e-12, atol=1e-15)  # SciPy's ψ is absolute beside its zero
    times = interleaved(benchmark, partial(loop, x, out), {"scipy": partial(rival, x)}, ROUNDS)
    show(table(f"{name} on {SIZE:,} numbers from 1e-2 to 1e3, one thread", times, SIZE, "number"))
