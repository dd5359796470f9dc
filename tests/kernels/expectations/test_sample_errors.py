"""What a factor that all entries share errs by, alone, where the metric is a sum over samples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sympy

from infogeom.kernels.codegen.rounding import SAMPLE_UNIT, SPREAD, SampleErrors, rounding

Array = np.ndarray[Any, np.dtype[Any]]
RNG = np.random.default_rng(0)
EVEN = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], dtype=float)
DATA = {
    "even 2": EVEN[:2, :2],
    "even 4": EVEN,
    "scattered": RNG.normal(size=(9, 3)),
    "one column at a time": np.tile(np.eye(2), (3, 1)) * RNG.uniform(0.1, 2, (6, 1)),
}


def bounds(rows: Array) -> tuple[float, Array, float]:
    """Factor errors of g_ij = ⟨e^(θ·x) x_i x_j⟩ and of Γ at θ = 0, and how much e^(θ·x) may err, relative to itself."""
    n = rows.shape[1]
    x, theta = (sympy.symbols(f"{name}:{n}", real=True) for name in ("x", "theta"))
    h = sympy.exp(sum(t * v for t, v in zip(theta, x, strict=True)))
    g = [h * x[i] * x[j] for i, j in np.ndindex(n, n)]
    dg = [h * x[i] * x[j] * x[k] for i, j, k in np.ndindex(n, n, n)]
    sums = SampleErrors({"g": g, "dg": dg, "ddg": []}, x)

    largest = np.abs(rows).max(axis=0)
    spread = (np.abs(rows) / largest).max(axis=1)
    at = dict.fromkeys(theta, 0.0) | dict(zip(sums.largest.values(), largest, strict=True))
    of_sample = [dict(zip((*x, SPREAD), (*row, s), strict=True)) for row, s in zip(rows, spread, strict=True)]
    terms = {size: [float(term.subs({**at, **one}).doit()) for one in of_sample] for term, size in sums.sizes.items()}
    known = {size: np.mean(values) for size, values in terms.items()}
    known |= {count: float(e.subs(at).doit()) for count, e in sums.counts.items()}
    of_g, *of_gamma = (float(sympy.sympify(e).subs({**at, **known})) for e in sums.errors["factor_error"])
    return of_g, np.array(of_gamma), float(rounding(h)[1].subs(at) * SAMPLE_UNIT)


def outer_products(rows: Array) -> Iterator[Array]:
    """Means of x x and of x x x."""
    yield np.einsum("na,nb->ab", rows, rows) / len(rows)
    yield np.einsum("na,nb,nc->abc", rows, rows, rows) / len(rows)


@pytest.mark.parametrize("name", DATA)
def test_a_factor_that_errs_alike_in_all_samples_stays_within_its_bounds(name: str) -> None:
    rows = DATA[name]
    g, _ = outer_products(rows)
    E = np.linalg.inv(np.linalg.cholesky(g)).T
    of_g, of_gamma, relative = bounds(rows)
    W, twice_gamma = outer_products(rows @ E)  # h and h′ being 1
    assert relative * np.abs(W).sum() <= of_g * (1 + 1e-12)
    assert relative * np.abs(twice_gamma / 2).sum() <= (of_gamma @ np.abs(E).sum(axis=1)) * (1 + 1e-12)


@pytest.mark.parametrize("name", ["even 2", "even 4"])
def test_the_bounds_of_even_data_are_reached(name: str) -> None:
    rows = DATA[name]
    of_g, of_gamma, relative = bounds(rows)
    n = rows.shape[1]  # the frame is that of the coordinates, and of n³ means of x x x as many as n² are ±1
    assert of_g == pytest.approx(relative * n, rel=1e-12, abs=0)
    assert of_gamma.sum() == pytest.approx(relative * n**2 / 2, rel=1e-12, abs=0)
