"""What is lost below float64, or by what overflows on the way, is in the bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sympy
from sympy import cosh, diag, erfc, exp, gamma, sinh

import infogeom as ig
from infogeom.functions import expit
from infogeom.kernels.codegen.underflow import lost
from infogeom.kernels.points.forms.closed import exact
from infogeom.models.samples import Samples

pytestmark = pytest.mark.filterwarnings("ignore::infogeom.StatusWarning")
u, v = sympy.symbols("u v", positive=True)
x = sympy.Symbol("x", real=True)
SAMPLES = Samples([x], np.array([[1.0], [-0.5], [0.25]]))
#: Metrics and points far out.
FAR_OUT: dict[str, tuple[Any, list[list[float]]]] = {
    "a power of a difference": (diag(exp(2 * u) / (exp(u) - 1) ** 4, 1 / v), [[274, 1], [190, 3]]),
    "a difference as a divisor": (diag(1, exp(u) / (sinh(u) - cosh(v))), [[400, 400 - 1e-12]]),
    "an exponential": ([[1, exp(-u)], [exp(-u), cosh(v) ** 2 * exp(-2 * u)]], [[386, 135]]),
    "gamma functions": (diag(exp(v) / gamma(u), 1), [[172, 709], [173.5, 709.5]]),
    "a power that is variable": (diag(u**v * exp(-u) / gamma(v + 1), 1), [[101.81, 101.385], [300, 120]]),
    "powers that are variable": (diag(u**v / (1 + u) ** (2 * v), 1), [[10, 200], [3, 400]]),
    "a power of a coordinate": (diag(1 + u**100 * exp(-u), 1), [[744.956, 1]]),
    "a power of what falls": (diag(1, erfc(u) ** 2 * exp(u**2)), [[19.19, 1]]),
    "a power of what is bounded": (diag(1, expit(-u) ** 3 * exp(2 * u)), [[243.3, 1]]),
    "a power of a sum": (diag(1, (exp(-u) + v**2 * exp(-u / 2)) ** 3 * exp(u)), [[497.54, 1.368]]),
    "divisors one after the other": (diag(exp(u) / cosh(u) / cosh(v), 1 + exp(v / 2) / cosh(v) ** 2), [[346.5, 224.9]]),
    "a divisor below float64": (diag(erfc(u) / erfc(v), 1), [[26.9, 26.89]]),
    "a divisor of parts below float64": (diag(1 / (cosh(u) * erfc(v) + exp(-u)), 1), [[576, 26.68]]),
    "scales far apart": (diag(exp(u), u**2 + exp(v)), [[300, 600], [700, 700]]),
    "scales far apart, and mixed": (
        [[exp(u) + 1, exp((u + v) / 2)], [exp((u + v) / 2), 2 * exp(v) + exp(-v)]],
        [[646.8, 465.1], [156.3, 562.2]],
    ),
    "scales far apart, one falling": (
        [[exp(u) + 1, exp((u - v) / 2)], [exp((u - v) / 2), 2 * exp(-v) + exp(v)]],
        [[646.7881877012933, 465.08072880607295]],
    ),
    "scales far apart on the way": ([[exp(u), exp(-2 * v / 3)], [exp(-2 * v / 3), exp(-v)]], [[552, 690]]),
    "scales far apart and falling": (
        [[exp(-u) + 1, exp((-u - v) / 2)], [exp((-u - v) / 2), 2 * exp(-v) + exp(v)]],
        [[546.9, 501.1], [156.3, 562.2]],
    ),
}
#: What is asked together.
TENSORS = (("metric",), ("inverse_metric", "determinant", "christoffel", "ricci", "riemann", "ricci_scalar"))
SCALARS = (("metric",), ("ricci_scalar",))


def assert_bounded(metric: ig.symbolic.Metric, points: list[list[float]], asked: tuple[tuple[str, ...], ...]) -> None:
    """Every value of float64 alone is within twice its bound of what balls find."""
    for names in asked:
        quantities = (*names, *(f"{name}_error" for name in names))
        rough, balls = ig.grid.evaluate_points(metric, points, quantities, max_refined=0), exact(metric, names)
        for k, point in enumerate(points):
            found = balls.refine(point, names).values
            for name in names:
                value, bound = rough[name].values[k], rough[f"{name}_error"].values[k] + found[f"{name}_error"]
                assert ((abs(value - found[name]) <= 2 * bound) | ~np.isfinite(value)).all(), (name, point)


#: One of each kind; the others, seconds to compile, are slow.
QUICK = {"a power that is variable", "a power of what falls", "divisors one after the other"}


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FAR_OUT]
)
def test_what_is_lost_below_float64_is_in_the_bounds(name: str) -> None:
    matrix, points = FAR_OUT[name]
    assert_bounded(ig.symbolic.Metric([u, v], sympy.Matrix(matrix)), points, TENSORS)


def test_what_is_lost_of_a_determinant_and_an_inverse_is_in_the_bounds() -> None:
    w = sympy.Symbol("w", positive=True)
    metric = ig.symbolic.Metric([u, v, w], diag(exp(-u), exp(-v), exp(w)))
    assert_bounded(metric, [[500, 500, 690]], (("determinant",),))
    metric = ig.symbolic.Metric([u, v], diag(exp(u + v), exp(-v / 2) + exp(-u)))
    assert_bounded(metric, [[592.8988594436107, 87.12223276083589]], (("inverse_metric",),))


SCALES = [name for name in FAR_OUT if name.startswith("scales")]


@pytest.mark.slow
@pytest.mark.parametrize("quantity", ["inverse_metric", "determinant", "ricci", "ricci_scalar"])
@pytest.mark.parametrize("name", SCALES)
def test_what_is_lost_in_the_frame_is_in_the_bounds_of_each_tensor(name: str, quantity: str) -> None:
    matrix, points = FAR_OUT[name]
    assert_bounded(ig.symbolic.Metric([u, v], sympy.Matrix(matrix)), points, ((quantity,),))


@pytest.mark.parametrize("quantity", ["christoffel", "riemann"])
def test_what_is_lost_in_the_frame_is_in_the_bounds(quantity: str) -> None:
    for name in SCALES:
        matrix, points = FAR_OUT[name]
        assert_bounded(ig.symbolic.Metric([u, v], sympy.Matrix(matrix)), points, ((quantity,),))


def test_what_is_lost_in_sums_of_exponentials_is_in_the_bounds() -> None:
    law = ig.symbolic.metric(ig.models.log_linear(2))
    assert_bounded(law, [[230, -60, -240], [150, -150, -150], [-170, 90, 20]], SCALARS)


@pytest.mark.parametrize(
    ("entry", "point"), [(exp(2 * u * x) / cosh(v * x) ** 4, [350, 180]), (exp(u) / cosh(v) ** 4, [700, 180])]
)
def test_what_is_lost_in_a_sample_is_in_the_bounds(entry: sympy.Expr, point: list[float]) -> None:
    matrix = diag(entry * x**2, 1 + x**2)
    assert_bounded(ig.symbolic.Metric([u, v], matrix, samples=SAMPLES), [point, [2, 3]], SCALARS)


@pytest.mark.parametrize("e", [sympy.Integer(1), 3 * v, 1 / u, expit(u) ** 2, (1 + u) ** -3 * sympy.log(v)])
def test_next_to_nothing_is_lost_at_usual_sizes(e: sympy.Expr) -> None:
    for a in (1e-8, 1.0, 1e8):
        assert 0 < lost([e]).subs({u: a, v: a + 1}).doit().evalf() < 1e-190


def test_of_an_expression_by_cases_as_much_is_lost_as_of_any_case() -> None:
    one, other = exp(700 * u) / v, 1 / u**3
    assert lost([sympy.Piecewise((one, u < v), (other, True))]) == lost([one, other])
