"""Tensors that people can read: of rational metrics, and of what is written by tangents, secants and half angles."""

from __future__ import annotations

import pytest
import sympy
from sympy import Expr, Matrix, Rational, cos, cosh, diag, sech, sin, sinh, tan, tanh

from infogeom.symbolic import Metric, christoffel, inverse, ricci, ricci_scalar
from infogeom.symbolic.calculus import Expressions, Fractions, calculus_of
from tests.symbolic.test_tensors import GENERIC

t, r, u, v, x, phi, theta = sympy.symbols("t r u v x phi theta", real=True)
p, q, tau, sigma = sympy.symbols("p q tau sigma", real=True)
a, c, M, y = sympy.symbols("a c M y", positive=True)


def kerr() -> Metric:
    """A rotating star in Boyer and Lindquist's coordinates with x = cos θ (Kerr, Phys. Rev. Lett. 11 (1963) 237)."""
    S, D = r**2 + a**2 * x**2, r**2 - 2 * M * r + a**2
    g = diag(2 * M * r / S - 1, S / D, S / (1 - x**2), 0)
    g[0, 3] = g[3, 0] = -2 * M * r * a * (1 - x**2) / S
    g[3, 3] = (r**2 + a**2 + 2 * M * r * a**2 * (1 - x**2) / S) * (1 - x**2)
    return Metric([t, r, x, phi], g, constants=[a, M])


def plebanski_demianski(cosmological: Expr) -> Metric:
    """Type D with mass, charges and a cosmological constant (Ann. Phys. 98 (1976) 98, Eq. 3.25); R = 4 Λ."""
    m, n, e, g, gamma, epsilon = (Rational(k) for k in ("1", "1/3", "1/2", "1/5", "2", "1/7"))
    third = cosmological / 6
    P = gamma - g**2 - third + 2 * n * p - epsilon * p**2 + 2 * m * p**3 - (gamma + e**2 + third) * p**4
    Q = gamma + e**2 - third - 2 * m * q + epsilon * q**2 - 2 * n * q**3 - (gamma - g**2 + third) * q**4
    W, Z = (1 - p * q) ** 2, p**2 + q**2
    h = diag(Z / P, Z / Q, (P - Q) / Z, (P * q**4 - Q * p**4) / Z)
    h[2, 3] = h[3, 2] = (P * q**2 + Q * p**2) / Z
    return Metric([p, q, tau, sigma], h / W)


@pytest.mark.parametrize(
    ("coordinates", "matrix", "R"),
    [
        ([u, v], diag((c + a * cos(v)) ** 2, a**2), 2 * cos(v) / (a * (a * cos(v) + c))),
        ([u, v], diag(tanh(u) ** 2, sech(u) ** 2), -2),
        ([u, v], diag(1 / cos(u) ** 2, tan(u) ** 2), -2),
        ([u, v], diag(1, 4 * sin(u / 2) ** 2 * cos(u / 2) ** 2), 2),
        ([u, v], diag(Rational(1, 4), sin(u / 2) ** 2), 2),
        ([t, r, theta, phi], diag(-(cosh(r) ** 2), 1, sinh(r) ** 2, sinh(r) ** 2 * sin(theta) ** 2), -12),
        ([t, r, theta, phi], diag(-1 - r**2, 1 / (1 + r**2), r**2, r**2 * sin(theta) ** 2), -12),
        ([t, x, u, y], diag(-1, 1, 1, 1) / y**2, -12),
    ],
    ids=["torus", "pseudosphere", "secant", "sphere of half angles", "half angle", "global", "static", "Poincare"],
)
def test_curvature_is_written_as_a_textbook_has_it(coordinates: list[sympy.Symbol], matrix: Matrix, R: Expr) -> None:
    constants = sorted(matrix.free_symbols - set(coordinates), key=str)
    assert ricci_scalar(Metric(coordinates, matrix, constants=constants)) == R


def test_a_rotating_star_is_ricci_flat() -> None:
    assert set(sympy.flatten(ricci(kerr()))) == {0}
    assert christoffel(kerr())[1, 1, 1] != 0


def test_plebanski_and_demianski_have_a_constant_scalar() -> None:
    assert ricci_scalar(plebanski_demianski(Rational(1, 11))) == Rational(4, 11)


@pytest.mark.parametrize("name", ["two", "three"])
def test_fractions_and_expressions_are_the_same(name: str) -> None:
    metric = GENERIC[name]
    fractions, expressions = Fractions(metric), Expressions(metric)
    assert calculus_of(metric).__class__ is Fractions
    assert fractions.written(fractions.determinant) == expressions.written(expressions.determinant)
    for i in range(fractions.n):
        for j in range(fractions.n):
            assert fractions.written(fractions.inverse[i][j]) == expressions.written(expressions.inverse[i][j])
            slope = expressions.total([expressions.diff(expressions.inverse[i][j], 0)])
            assert fractions.written(fractions.diff(fractions.inverse[i][j], 0)) == slope


@pytest.mark.parametrize("entry", [sympy.sqrt(2) * y, sympy.exp(u), y ** Rational(1, 3)])
def test_what_is_no_fraction_is_an_expression(entry: Expr) -> None:
    metric = Metric([u, y], diag(1, 2 + entry))
    assert calculus_of(metric).__class__ is Expressions
    assert inverse(metric)[1, 1] == 1 / (2 + entry)


def assert_written_alike(entry: Expr, allowed: set[Expr]) -> None:
    """Of the same value, by no functions but those."""
    ((written,),) = Expressions(Metric([u], Matrix([[entry]]))).g
    assert written.atoms(sympy.Function) <= allowed
    assert abs((written - entry).subs(u, Rational(3, 7)).evalf(30)) < 1e-28


@pytest.mark.parametrize("f", [tan, sympy.cot, sympy.sec, sympy.csc, tanh, sympy.coth, sech, sympy.csch])
def test_quotients_of_sines_are_written_by_them(f: type) -> None:
    assert_written_alike(f(u), {sin(u), cos(u), sinh(u), cosh(u)})


@pytest.mark.parametrize("entry", [sin(u / 2) + sin(2 * u) * cos(3 * u / 2), cosh(2 * u) + sinh(3 * u)])
def test_multiples_of_an_angle_are_written_by_the_least(entry: Expr) -> None:
    assert_written_alike(entry, {sin(u / 2), cos(u / 2), sinh(u), cosh(u)})


def test_multiples_beyond_the_fourth_and_angles_of_no_common_part_stay() -> None:
    entry = sin(5 * u) + cos(u) + sin(sympy.sqrt(2) * v)
    assert Expressions(Metric([u, v], diag(entry, 1))).g[0][0] == entry
