"""Normal laws of many components: CPU time of their numbers, beside what is asked of them."""

from time import process_time

import numpy as np
import pytest
import sympy

import infogeom as ig

#: Seconds of CPU time that a metric of 200 components may take.
OF_METRIC = 0.020
#: How often each is timed; the median is told.
TIMES = 15


def median_of(model, point, quantities):
    """What is found at a point, and its CPU time."""
    found, seconds = ig.evaluate_points(model, [point], quantities), []
    for _ in range(TIMES):
        start = process_time()
        ig.evaluate_points(model, [point], quantities)
        seconds.append(process_time() - start)
    return found, float(np.median(seconds))


@pytest.mark.parametrize("quantity", ["metric", "ricci_scalar"])
def test_an_autoregression_of_200_observations(show, quantity):
    found, seconds = median_of(ig.models.autoregression(1, 200), [0.5, 1.2], [quantity])
    assert found.status.item() == 0
    target = f" (target {OF_METRIC * 1e3:.0f})" if quantity == "metric" else ""
    show(f"\n{quantity} of an AR(1) model of 200 observations: {seconds * 1e3:.1f} ms{target}")


def test_a_gaussian_process_at_200_places(show):
    a, b, s = sympy.symbols("a b s", positive=True)
    u, v = sympy.symbols("u v", real=True)
    kernel = a**2 * sympy.exp(-((u - v) ** 2) / (2 * b**2)) + s**2 * sympy.KroneckerDelta(u, v)
    model = ig.models.gaussian_process(kernel, range(200), [a, b, s])
    found, seconds = median_of(model, [1, 2, 0.5], ["metric", "ricci_scalar"])
    assert found.status.item() == 0
    show(f"\nmetric and R of a Gaussian process at 200 places: {seconds * 1e3:.0f} ms")
