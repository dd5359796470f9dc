"""What the bounds on errors cost, and how fast points are computed again in balls."""

import numpy as np
import pytest
import sympy

import infogeom as ig
from benchmarks.rounds import interleaved, table
from infogeom.kernels.balls.enclosures import BITS
from infogeom.kernels.balls.fixed_precision import double_double_of
from infogeom.kernels.points import Task, tabulate
from infogeom.kernels.points.forms.closed import exact

ROUNDS, SAMPLES = 15, 1000
LOSSES = {loss.name: loss for loss in (ig.losses.CrossEntropy(), ig.losses.LpNorm(2), ig.losses.MeanPower(2))}


def network(loss):
    return ig.models.sigmoid_neuron(*ig.models.decision_boundary(SAMPLES, seed=0), LOSSES[loss])


def gamma():
    x, shape, rate = sympy.symbols("x shape rate", positive=True)
    law = shape * sympy.log(rate) - sympy.loggamma(shape) + (shape - 1) * sympy.log(x) - rate * x
    return ig.models.from_density(law, x, [shape, rate], sympy.Interval.open(0, sympy.oo))


CASES = {name: (lambda name=name: network(name), 256, (-3, 3), SAMPLES) for name in LOSSES}
CASES |= {"normal": (ig.models.normal, 1000, (0.5, 2), 1), "gamma": (gamma, 1000, (0.5, 2), 1)}


@pytest.mark.parametrize("quantity", ["metric", "christoffel", "ricci_scalar"])
@pytest.mark.parametrize("name", CASES)
def test_bounded_quantity_against_bare_quantity(benchmark, show, name, quantity):
    model, points, (low, high), samples = CASES[name]
    metric, axis = ig.symbolic.metric(model()), np.linspace(low, high, points)

    def run(rtol, *names):
        status = np.zeros((points, points), np.int8)
        return tabulate(Task(metric, names, axis[None], axis[None], metric.coordinates[:1], status, rtol))

    bounded, bare = run(1e-9, quantity, f"{quantity}_error"), run(None, quantity)
    assert (abs(bounded[quantity] - bare[quantity]) <= 2 * bounded[f"{quantity}_error"]).all()
    times = interleaved(benchmark, lambda: run(1e-9, quantity), {"without bounds": lambda: run(None, quantity)}, ROUNDS)
    title = f"{quantity} and its bounds, {name}, {points}² points, {samples} samples"
    show(table(title, times, points**2 * samples, "evaluation"))


@pytest.mark.parametrize("name", LOSSES)
def test_points_refined_in_one_process(benchmark, show, name):
    balls = exact(ig.symbolic.metric(network(name)), ("ricci_scalar",))
    doubles = double_double_of(balls, ("ricci_scalar",))
    points = np.random.default_rng(0).uniform(-20, 20, (20, 2))

    def enclosed():
        return [balls.enclose(point, ("ricci_scalar",), BITS).values["ricci_scalar"].item() for point in points]

    found = doubles.refine(points)
    assert found.settled.all()
    assert np.array_equal(found.values["ricci_scalar"][0], [float(ball.mid()) for ball in enclosed()])
    times = interleaved(benchmark, lambda: doubles.refine(points), {f"balls of {BITS} bits": enclosed}, 7)
    show(table(f"R in fixed precision, {name}, {SAMPLES} samples, one process", times, len(points), "point"))
