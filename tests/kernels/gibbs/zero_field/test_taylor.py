"""Series cut after the third power, against mpmath's Taylor coefficients of the functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from infogeom.kernels.gibbs.zero_field import taylor

F = taylor.series(0.7, -0.3, 0.2, 1.1)
G = taylor.series(1.3, 0.4, -0.6, 0.5)


def polynomial(coefficients: Any) -> Callable[[Any], Any]:
    return lambda x: mpmath.polyval([mpmath.mpf(c) for c in coefficients[::-1]], x)


f, g = polynomial(F), polynomial(G)
#: What is computed, and the function of which it is the series.
CASES: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "product": (taylor.product(F, G), lambda x: f(x) * g(x)),
    "quotient": (taylor.quotient(F, G), lambda x: f(x) / g(x)),
    "power 1": (taylor.power(F, 1), f),
    "power 6": (taylor.power(F, 6), lambda x: f(x) ** 6),
    "power 7": (taylor.power(F, 7), lambda x: f(x) ** 7),
    "root": (taylor.root(F), lambda x: mpmath.sqrt(f(x))),
    "exponential": (taylor.exponential(F), lambda x: mpmath.exp(f(x))),
    "logarithm": (taylor.logarithm(F), lambda x: mpmath.log(f(x))),
    "logarithm of one and": (taylor.logarithm_of_one_and(F), lambda x: mpmath.log1p(f(x))),
}


@pytest.mark.parametrize("name", CASES)
def test_a_series_is_that_of_its_function(name: str) -> None:
    found, function = CASES[name]
    with mpmath.workdps(40):
        expected = [float(c) for c in mpmath.taylor(function, 0, 3)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)  # some ten operations on numbers of about 1


def test_series_of_arrays_go_entry_by_entry() -> None:
    both = np.stack([F, G], axis=1)
    np.testing.assert_array_equal(taylor.quotient(both, G[:, None])[:, 0], taylor.quotient(F, G))
