"""Connection and curvature in closed form, against textbooks, sympy.diffgeom and 50-digit numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Matrix, Rational, Symbol, cos, cot, diag, sin
from sympy.diffgeom import (
    CoordSystem,
    Manifold,
    Patch,
    TensorProduct,
    metric_to_Christoffel_2nd,
    metric_to_Ricci_components,
    metric_to_Riemann_components,
)

from infogeom.symbolic import Metric, christoffel, inverse, ricci, ricci_scalar, riemann
from infogeom.symbolic.tensors import equal_if_hessian
from tests import problems as table
from tests import reference
from tests.problems import EPS, Problem, problems

Array = np.ndarray[Any, np.dtype[Any]]
x, y, z = sympy.symbols("x y z", real=True)
s = Symbol("s", positive=True)

#: Full matrices of low degree, with nothing symmetric about them: an index out of place shows.
GENERIC = {
    "two": Metric([x, y], Matrix([[2 + x * y, x + y**2], [x + y**2, 3 + x**2]])),
    # (dx + z dy)² + (dy + x dz)² + dz²: determinant 1, so that everything stays a polynomial.
    "three": Metric([x, y, z], Matrix([[1, z, 0], [z, 1 + z**2, x], [0, x, 1 + x**2]])),
    "logarithmic": Metric([x, s], Matrix([[1 + sympy.exp(x), sympy.log(s)], [sympy.log(s), 5 / s]])),
}
#: No two coordinates alike, all different from 0 and 1.
VALUES = [Rational(1, 3), Rational(2, 5), Rational(3, 7), Rational(7, 4)]


def at(expression: Any, metric: Metric, values: Sequence[Any]) -> Any:
    """Exact values at a rational point."""
    point = dict(zip(metric.coordinates, values, strict=False))
    return np.array(sympy.Array(expression).subs(point).applyfunc(lambda e: e.evalf(30)).tolist(), dtype=float)


def diffgeom(metric: Metric) -> tuple[Any, Any, Any]:
    """Γ, Riemann and Ricci by sympy.diffgeom, in our coordinates."""
    system = CoordSystem("c", Patch("P", Manifold("M", len(metric.coordinates))), metric.coordinates)
    fields, forms = system.base_scalars(), system.base_oneforms()
    g = metric.matrix.xreplace(dict(zip(metric.coordinates, fields, strict=True)))
    n = range(len(fields))
    form = sum(g[i, j] * TensorProduct(forms[i], forms[j]) for i in n for j in n)
    back = dict(zip(fields, metric.coordinates, strict=True))
    tensors = (f(form) for f in (metric_to_Christoffel_2nd, metric_to_Riemann_components, metric_to_Ricci_components))
    return tuple(sympy.Array(t).applyfunc(lambda e: e.xreplace(back)) for t in tensors)  # type: ignore[return-value]


#: Of the others diffgeom makes as much; of this one it takes long.
LONG = "logarithmic"


@pytest.fixture(scope="module", params=[pytest.param(n, marks=[pytest.mark.slow] * (n == LONG)) for n in GENERIC])
def both(request: pytest.FixtureRequest) -> tuple[Metric, tuple[Any, Any, Any]]:
    """A metric, and its tensors by sympy.diffgeom at a rational point."""
    metric = GENERIC[request.param]
    return metric, tuple(at(t, metric, VALUES) for t in diffgeom(metric))  # type: ignore[return-value]


Both = tuple[Metric, tuple[Array, Array, Array]]


def test_christoffel_agrees_with_diffgeom(both: Both) -> None:
    metric, (expected, _, _) = both
    assert np.allclose(at(christoffel(metric), metric, VALUES), expected, rtol=1e-13, atol=1e-14)


def test_riemann_agrees_with_diffgeom(both: Both) -> None:
    metric, (_, expected, _) = both
    assert np.allclose(at(riemann(metric), metric, VALUES), expected, rtol=1e-13, atol=1e-14)


def test_ricci_agrees_with_diffgeom(both: Both) -> None:
    metric, (_, _, expected) = both
    assert np.allclose(at(ricci(metric), metric, VALUES), expected, rtol=1e-13, atol=1e-14)


def test_ricci_scalar_agrees_with_the_trace_of_diffgeom(both: Both) -> None:
    metric, (_, _, expected) = both
    trace = np.sum(np.linalg.inv(at(metric.matrix, metric, VALUES)) * expected)
    assert at([ricci_scalar(metric)], metric, VALUES)[0] == pytest.approx(trace, rel=1e-12)


@pytest.mark.parametrize("name", GENERIC)
def test_inverse_is_the_inverse(name: str) -> None:
    metric = GENERIC[name]
    product = at(metric.matrix, metric, VALUES) @ at(inverse(metric), metric, VALUES)
    assert np.allclose(product, np.eye(len(product)), atol=1e-14)


def test_the_sphere_has_the_christoffel_symbols_of_the_textbooks() -> None:
    u, _ = table.sphere.coordinates
    gamma = christoffel(table.sphere)
    expected = {(0, 1, 1): -sin(u) * cos(u), (1, 0, 1): cot(u), (1, 1, 0): cot(u)}
    for index in np.ndindex(2, 2, 2):
        difference = gamma[index] - expected.get(index, 0)
        assert abs(difference.subs(u, Rational(2, 3)).evalf(30)) < 1e-28


def test_the_sphere_has_riemann_component_sine_squared() -> None:
    u, _ = table.sphere.coordinates
    curvature = riemann(table.sphere)
    assert sympy.trigsimp(curvature[0, 1, 0, 1] - sin(u) ** 2) == 0
    assert sympy.trigsimp(curvature[0, 1, 1, 0] + sin(u) ** 2) == 0
    assert curvature[1, 0, 1, 0] == 1


@pytest.mark.parametrize("name", ["sphere", "half-space", "trinomial", "normal", "binomial", "Nariai", "Vaidya"])
def test_ricci_scalar_comes_out_as_the_number_it_is(name: str) -> None:
    (problem,) = (p for p in problems() if p.name == name)
    assert ricci_scalar(problem.metric) == problem.ricci_scalar


def test_the_curvature_of_a_location_scale_family_is_a_constant() -> None:
    a, b, c = sympy.symbols("a b c", real=True)
    R = ricci_scalar(table.location_scale(a, b, c))
    assert sympy.cancel(R + 2 * a / (a * c - b**2)) == 0


def test_the_van_der_waals_gas_has_the_curvature_of_the_literature() -> None:
    (problem,) = (p for p in problems() if p.name == "van der Waals")
    assert sympy.cancel(ricci_scalar(problem.metric) - problem.ricci_scalar) == 0


def test_schwarzschild_is_ricci_flat() -> None:
    assert set(sympy.flatten(ricci(table.schwarzschild))) == {sympy.Integer(0)}


def test_schwarzschild_is_not_flat() -> None:
    # R^t_rtr = 2M/(r³ (1 − 2M/r)) (Misner, Thorne & Wheeler 1973, Eq. 31.4), here M = 1.
    r = table.schwarzschild.coordinates[1]
    assert sympy.cancel(riemann(table.schwarzschild)[0, 1, 0, 1] - 2 / (r**2 * (r - 2))) == 0


@pytest.mark.slow
def test_a_spacetime_with_zeros_on_its_diagonal_needs_no_special_care() -> None:
    u, r = table.vaidya.coordinates[:2]
    expected = sympy.zeros(4, 4)
    expected[0, 0] = 2 / r**2  # 2 m′(u)/r² with m = u
    assert Matrix(4, 4, lambda i, j: sympy.cancel(ricci(table.vaidya)[i, j])) == expected
    assert u in table.vaidya.matrix.free_symbols


#: All but the Ising chain, whose closed form takes minutes, and the spacetimes, whose reference would.
SMALL = [p for p in problems() if len(p.typical) < 4 and p.name != "Ising"]


@pytest.mark.parametrize("problem", SMALL, ids=lambda p: p.name)
def test_tensors_agree_with_fifty_digits(problem: Problem) -> None:
    metric = problem.metric
    point = [Rational(str(round(low + 0.3 * (high - low), 3))) for low, high in problem.typical]
    g = sympy.lambdify([metric.coordinates], metric.matrix.tolist(), "mpmath")
    with mpmath.workdps(300):  # lambdify computes in mpmath's own context: more digits than differentiation loses
        exact = reference.curvature(reference.jet(lambda *v: g(v), [reference.context.mpf(v.p) / v.q for v in point]))
    for found, expected in (
        (christoffel(metric), exact.christoffel),
        (riemann(metric), exact.riemann),
        (ricci(metric), exact.ricci),
    ):
        expected = expected.astype(float)
        # Both sides are rounded once, from thirty digits and more.
        assert abs(at(found, metric, point) - expected).max() <= 4 * EPS * abs(expected).max()


def test_a_product_has_the_sum_of_the_scalars() -> None:
    u, v = table.sphere.coordinates
    product = Metric([u, v, x, s], diag(table.sphere.matrix, Matrix([[1, 0], [0, 2]]) / s**2))
    assert ricci_scalar(product) == 2 - 1


def test_a_flat_metric_in_curved_coordinates_is_flat() -> None:
    assert ricci_scalar(Metric([s, x], diag(1, s**2))) == 0


def test_a_singular_metric_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"the metric in \['x', 'y'\] is singular everywhere"):
        christoffel(Metric([x, y], Matrix([[x**2, x * y], [x * y, y**2]])))


def test_what_a_hessian_metric_has_equal_leaves_a_component_for_each_set_of_indices() -> None:
    dg = np.empty((3, 3, 3), dtype=object)
    for i, j, k in product(range(3), repeat=3):
        dg[i, j, k] = Symbol(f"d{min(i, j)}{max(i, j)}{k}")
    names = list({*dg.flat})
    equations = Matrix([one - other for one, other in equal_if_hessian(dg)])
    assert len(names) == 18
    assert len(names) - equations.jacobian(names).rank() == 10  # three indices out of three, in ascending order
