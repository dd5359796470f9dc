"""Removable singularities: one function across the centre, whatever evaluates it."""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from flint import arb
from sympy import EulerGamma, Expr, Rational, Symbol, gamma, pi, polygamma

from infogeom.functions.removable import Germ, removable
from infogeom.kernels.balls import ball_functions
from infogeom.kernels.balls.enclosures import precision
from infogeom.kernels.codegen.program import Axes, exact_source, kernel
from infogeom.kernels.codegen.rounding import rounding
from infogeom.kernels.points.closed_kernels import evaluate_kernel
from infogeom.numeric.multiprecision import in_mpmath, staged

xi, x, y = Symbol("xi", real=True), Symbol("x", real=True), Symbol("y", real=True)
G1, G2, psi = gamma(1 + xi), gamma(1 + 2 * xi), polygamma(0, 1 + xi)
#: Of the Fisher information of the generalised extreme value law (Prescott and Walden, Biometrika 67 (1980) 723–724).
FORMULAS: list[Expr] = [
    -(xi + 1) * (xi * G2 - G1 + G2) / xi,
    (
        xi**2 * G1 * psi + xi**2 * G1 - xi**2 * G2 + xi * G1 * psi + 3 * xi * G1 - 2 * xi * G2 - xi + EulerGamma * xi
        + 2 * G1 - G2 - 1
    ) / xi**3,
    (
        -12 * xi**2 * G1 * psi - 12 * xi**2 * G1 + 6 * xi**2 * G2 - 12 * EulerGamma * xi**2 + 6 * EulerGamma**2 * xi**2
        + 6 * xi**2 + pi**2 * xi**2 - 12 * xi * G1 * psi - 24 * xi * G1 + 12 * xi * G2 - 12 * EulerGamma * xi + 12 * xi
        - 12 * G1 + 6 * G2 + 6
    ) / (6 * xi**4),
]  # fmt: skip
FILLED = [removable(xi, Germ(f, xi, 0, Rational(499, 1000))) for f in FORMULAS]
CASES = [(FORMULAS[k].diff(xi, n) if n else FORMULAS[k], FILLED[k].diff(xi, n)) for k in range(3) for n in range(3)]
#: Beside the singularity, across the switch to the formula, and beyond.
POINTS = np.concatenate(
    [
        [0.0, 1e-300],
        np.linspace(-0.49, 1.0, 101),
        np.linspace(-0.3494, -0.3492, 5),
        np.linspace(0.3492, 0.3494, 5),
        *(sign * 10.0 ** np.linspace(-12, -1, 12) for sign in (-1, 1)),
    ]
)
sinc = removable(x, Germ(sympy.sin(xi) / xi, xi, 0, 2))


def exactly(formula: Expr, at: float) -> Any:
    """The formula at as many digits as cancel near 0; instead of 0 and beside it, 1e-45 from it."""
    t = mpmath.mpf(at) if abs(at) > 1e-45 else mpmath.mpf("1e-45")
    with mpmath.workdps(50 - 8 * min(0, int(mpmath.log10(abs(t))))):
        return _function(formula)(t)


@cache
def _function(formula: Expr) -> Any:
    return sympy.lambdify(xi, formula, "mpmath", cse=True)


#: Second derivatives, which take long to compile.
LONG = (2, 5, 8)


@cache
def compiled_values(long: bool) -> dict[int, np.ndarray[Any, Any]]:
    """Values of several cases, from one kernel."""
    made = kernel({str(k): [e] for k, (_, e) in enumerate(CASES) if (k in LONG) == long}, Axes((), (xi,), ()))
    found = evaluate_kernel(made, np.empty((0, 1)), POINTS[None].copy(), np.empty((0, 0)))
    return {int(k): found[at[0], 0] for k, at in made.at.items()}


@pytest.mark.parametrize("case", [pytest.param(k, marks=[pytest.mark.slow] * (k in LONG)) for k in range(len(CASES))])
def test_float64_is_accurate_across_the_switch(case: int) -> None:
    formula, _ = CASES[case]
    expected = np.array([float(exactly(formula, at)) for at in POINTS.tolist()])
    # Relative to the largest value nearby: some have zeros, beside which only that can be asked for.
    scale = np.maximum(np.abs(expected), abs(expected[0]))
    error = np.abs(compiled_values(case in LONG)[case] - expected) / scale
    assert error.max() <= 2e-13


@pytest.mark.parametrize("case", range(len(CASES)))
def test_evaluation_is_good_to_any_precision(case: int) -> None:
    formula, e = CASES[case]
    for at in (1e-300, 1e-9, -0.007, 0.008, 0.3, -0.4, 2.0):
        found = e.subs(xi, Rational(at)).evalf(40)
        with mpmath.workdps(60):
            assert abs(found._to_mpmath(200) / exactly(formula, at) - 1) < 1e-38


def test_the_value_at_the_centre_is_the_limit() -> None:
    assert abs(FILLED[0].subs(xi, 0).evalf(40) - (EulerGamma - 1).evalf(40)) < 1e-39
    assert abs(sinc.subs(x, 0).evalf(30) - 1) < 1e-29
    assert abs(sinc.diff(x, 2).subs(x, 0).evalf(30) + Rational(1, 3)) < 1e-29


def ball_at(e: Expr, at: Any, bits: int) -> arb:
    source, _ = exact_source({"f": [e]}, Axes((), (xi,), ()))
    scope = {**vars(ball_functions), "ratio": lambda p, q: arb(p) / q, "pi": arb.pi, "euler": arb.const_euler}
    with precision(bits):
        exec(source, scope)
        return scope["point"]([arb(at)], ())[0]


@pytest.mark.parametrize("case", range(len(CASES)))
@pytest.mark.parametrize("at", [0.0, 1e-300, -1e-9, 0.00779, -0.0079, 0.3, 1.5])
def test_balls_hold_the_value_and_are_narrow(case: int, at: float) -> None:
    formula, e = CASES[case]
    ball = ball_at(e, at, 256)
    with precision(330):
        expected = arb(mpmath.nstr(exactly(formula, at), 60)).mid()
        assert ball.overlaps(arb(expected, abs(expected) * arb("1e-42")))
    assert ball.rel_accuracy_bits() > 256 - 90


def test_the_ball_of_a_ball_around_the_centre_holds_every_value() -> None:
    wide = ball_at(FILLED[1], arb(0, 0.01), 128)
    for at in (-0.0099, 0.0, 0.0099):
        assert wide.contains(ball_at(FILLED[1], at, 128).mid())
    assert wide.rad() < 0.2


def test_the_remainder_of_the_series_is_counted() -> None:
    with precision(100):  # 1 / (1 − u) to three terms
        ball = ball_functions.removable(arb(0.125), arb.nan(), 0.25, 0.5, 2, 0, 1, 1, 1)
        assert ball.contains(arb(8) / 7)
        assert ball.rad() < 0.05


def test_a_germ_is_an_atom_that_does_not_depend_on_the_name_of_its_symbol() -> None:
    f = sympy.sin(xi) / xi
    assert Germ(f, xi, 0, 1) == Germ(f.subs(xi, y), y, 0, 1) != Germ(f, xi, 0, 2)
    assert removable(xi, Germ(f, xi, 0, 1)).subs(xi, x) == removable(x, Germ(f, xi, 0, 1))
    assert sinc.free_symbols == {x}


def test_the_argument_may_be_any_expression() -> None:
    e = sinc.subs(x, x**2 - 3 * y)
    assert e.diff(y) == -3 * sinc.diff(x).subs(x, x**2 - 3 * y)
    assert sinc.diff(y) == 0
    assert sinc.is_real


def test_a_germ_survives_pickling_and_writing() -> None:
    e = sinc.diff(x)
    assert pickle.loads(pickle.dumps(e)) == e
    assert sympy.sympify(sympy.srepr(e), {"Germ": Germ, "removable": removable}) == e


@pytest.mark.parametrize("digits", [15, 40])
def test_mpmath_evaluates_it_at_its_working_precision(digits: int) -> None:
    e = sinc.diff(x) * y + sinc
    with mpmath.workdps(digits):
        for at in (mpmath.mpf(0), mpmath.mpf("0.01"), mpmath.mpf("1.7")):
            found = in_mpmath([x, y], e)(at, 3)
            assert found == staged([e], [y], [x])([3])(at)[0]
            slope = mpmath.cos(at) / at - mpmath.sin(at) / at**2 if at else 0
            assert abs(found - (3 * slope + mpmath.sinc(at))) < 10 ** (3 - digits) / min(1, abs(at) or 1)


def test_latex_is_that_of_the_formula() -> None:
    assert sympy.latex(sinc) == rf"\left({sympy.latex(sympy.sin(x) / x)}\right)"
    assert sympy.latex(sinc**2) == rf"\left({sympy.latex(sympy.sin(x) / x)}\right)^{{2}}"


def test_errors_of_the_argument_are_magnified_by_the_slope() -> None:
    majorant, count = rounding(sinc.subs(x, x - y))
    assert count >= 1000
    assert float(majorant.subs({x: 2.0, y: 1.0})) >= 1.8 + 3 * abs(np.cos(1) - np.sin(1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((x * y, x, 0, 1), "must depend on x alone, got y too"),
        ((x, x, sympy.I, 1), "centre of a germ must be a real number, got I"),
        ((x, x, 0, 0), "radius of a germ must be positive, got 0"),
    ],
)
def test_a_germ_that_is_none_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Germ(*arguments)
