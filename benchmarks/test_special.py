"""Special functions of compiled kernels on arrays, against SciPy's."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.special

from benchmarks.rounds import interleaved, table
from infogeom.kernels.compiled.compile import compiled

SIZE, ROUNDS = 1_000_000, 15
#: Call, and the way to the same numbers with SciPy.
CASES: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "polygamma(1, x)": ("polygamma(1, x[i])", lambda x: scipy.special.polygamma(1, x)),
    "polygamma(2, x)": ("polygamma(2, x[i])", lambda x: scipy.special.polygamma(2, x)),
    "polygamma(0, x)": ("polygamma(0, x[i])", scipy.special.psi),
    "bessel_ratio(0, x)": ("bessel_ratio(0.0, x[i])", lambda x: scipy.special.i1e(x) / scipy.special.i0e(x)),
    "bessel_ratio(3/2, x)": (
        "bessel_ratio(1.5, x[i])",
        lambda x: scipy.special.ive(2.5, x) / scipy.special.ive(1.5, x),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_array_against_scipy(benchmark, show, name):
    call, rival = CASES[name]
    x = 10.0 ** np.random.default_rng(0).uniform(-2, 3, SIZE)
    out = np.empty_like(x)
    loop = compiled(f"def tile(x, out):\n    for i in range(x.size):\n        out[i] = {call}\n")["tile"]
    loop(x, out)
    np.testing.assert_allclose(out, rival(x), rtol=1e-12, atol=1e-15)  # SciPy's ψ is absolute beside its zero
    times = interleaved(benchmark, lambda: loop(x, out), {"scipy": lambda: rival(x)}, ROUNDS)
    show(table(f"{name} on {SIZE:,} numbers from 1e-2 to 1e3, one thread", times, SIZE, "number"))
