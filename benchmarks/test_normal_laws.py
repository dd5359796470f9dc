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
    """What float64 finds at a point, and its CPU time."""
    found, seconds = ig.evaluate_points(model, [point], quantities, max_refined=0), []
    for _ in range(TIMES):
        start = process_time()
        ig.evaluate_points(model, [point], quantities, max_refined=0)
        seconds.append(process_time() - start)
    return found, float(np.median(seconds))


@pytest.mark.parametrize("quantity", ["metric", "ricci_scalar"])
def test_an_autoregression_of_200_observations(show, quantity):
    found, seconds = median_of(ig.models.autoregression(1, 200), [0.5, 1.2], [quantity])
    assert found.status.item() == 0
    target = f" (target {OF_METRIC * 1e3:.0f})" if quantity == "metric" else ""
    show(f"\n{quantity} of an AR(1) model of 200 observations: {seconds * 1e3:.1f} ms{target}")


def process():
    """A Gaussian process at 200 places."""
    a, b, s = sympy.symbols("a b s", positive=True)
    u, v = sympy.symbols("u v", real=True)
    kernel = a**2 * sympy.exp(-((u - v) ** 2) / (2 * b**2)) + s**2 * sympy.KroneckerDelta(u, v)
    return ig.models.gaussian_process(kernel, range(200), [a, b, s])


def test_the_metric_of_a_gaussian_process_at_200_places(show):
    model = process()
    found, seconds = median_of(model, [1, 2, 0.5], ["metric"])
    assert found.status.item() == 0
    show(f"\nmetric of a Gaussian process at 200 places: {seconds * 1e3:.0f} ms")


@pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
def test_curvature_of_a_gaussian_process_at_200_places(show):
    """R is small beside what cancels in it, so that its bound is wide of rtol: balls take what is told here."""
    model, point = process(), [1, 2, 0.5]
    found, seconds = median_of(model, point, ["ricci_scalar"])
    start = process_time()
    refined = ig.evaluate_points(model, [point], ["ricci_scalar"])
    in_balls = process_time() - start
    off = abs(found.ricci_scalar - refined.ricci_scalar).item()
    assert off <= found.ricci_scalar_error.item()
    share = found.ricci_scalar_error.item() / abs(refined.ricci_scalar.item())
    show(f"\nR of a Gaussian process at 200 places: {seconds * 1e3:.0f} ms to {share:.0e}, in balls {in_balls:.1f} s")
