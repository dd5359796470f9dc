"""What is 0 in other words is seen to be 0, and what is not quite 0 is not."""

from __future__ import annotations

import pytest
import sympy
from sympy import Expr, Function, Interval, Rational, cos, cosh, exp, log, sin, sinh, sqrt, tan, tanh

from infogeom.functions import softplus
from infogeom.symbolic import Metric, christoffel, inverse, ricci_scalar, riemann
from infogeom.symbolic.normal_form import normal_form
from infogeom.symbolic.zero import Region, vanishes, vanishing

x, y = sympy.symbols("x y", real=True)
s, c = sympy.symbols("s c", positive=True)
ANYWHERE = Region({})

ZEROS = {
    "half angle": tan(x / 2) - sin(x) / (1 + cos(x)),
    "hyperbolic": tanh(x) ** 2 + 1 / cosh(x) ** 2 - 1,
    "exponentials": sinh(x) - (exp(x) - exp(-x)) / 2,
    "logarithms": log(s * c) - log(s) - log(c),
    "roots": sqrt(s + 2 * sqrt(s * c) + c) - sqrt(s) - sqrt(c),
    "Γ": sympy.gamma(2 * s) * sqrt(sympy.pi) - 2 ** (2 * s - 1) * sympy.gamma(s) * sympy.gamma(s + Rational(1, 2)),
    "softplus": softplus(x) - softplus(-x) - x,
    "beside what is large": exp(40) * (sin(2 * x) - 2 * sin(x) * cos(x)),
    "an unknown function": sin(2 * Function("f")(x)) - 2 * sin(Function("f")(x)) * cos(Function("f")(x)),
    "powers of a symbol": s**c * s ** (2 * c) - s ** (3 * c),
}
NOT_ZEROS = {
    "small": exp(-40) * sin(x),
    "a small difference": tan(x) - sin(x) / cos(x) + Rational(1, 10**35),
    "beside what cancels": (exp(x) + 1) ** 2 - exp(2 * x) - 2 * exp(x),
    "only on one side": sympy.Abs(x - 5) + x - 5,
    "an unknown derivative": Function("f")(x).diff(x) - Function("f")(x),
    "0 at the middle": sin(x) ** 3,
    "without values": sympy.Integral(exp(-(x**2)) / x, x),
}


@pytest.mark.parametrize("name", ZEROS)
def test_what_is_zero_in_other_words_vanishes(name: str) -> None:
    assert vanishes(ZEROS[name], ANYWHERE)


@pytest.mark.parametrize("apart", range(17, 24))
def test_zeros_of_very_different_sizes_vanish_together(apart: int) -> None:
    # Rounding may leave nothing of the larger in few digits, and so much in more as it leaves of the smaller in few.
    large = [sin(2 * x) - 2 * sin(x) * cos(x), sinh(x) - (exp(x) - exp(-x)) / 2, tan(x / 2) - sin(x) / (1 + cos(x))]
    for one in large:
        assert vanishes(one + (sinh(y) ** 2 - cosh(y) ** 2 + 1) / 10**apart, ANYWHERE)


@pytest.mark.parametrize("name", NOT_ZEROS)
def test_what_is_not_zero_does_not_vanish(name: str) -> None:
    assert not vanishes(NOT_ZEROS[name], ANYWHERE)


def test_one_that_has_no_real_value_does_not_hide_the_others() -> None:
    assert vanishing([ZEROS["half angle"], log(-s), exp(x)], ANYWHERE) == [True, False, False]


def test_points_are_of_the_domain() -> None:
    difference = sqrt(x) * sqrt(x - 1) - sqrt(x**2 - x)  # 0 beyond 1, minus two roots below 0
    assert vanishes(difference, Region({x: Interval.open(1, 2)}))
    assert not vanishes(difference, Region({x: Interval.open(-2, -1)}))


def test_points_are_where_the_constraints_hold() -> None:
    difference = sympy.atan(x / y) + sympy.atan(y / x) - sympy.pi / 2  # −π where the signs differ
    assert vanishes(difference, Region({}, [x * y]))
    assert not vanishes(difference, ANYWHERE)


def test_a_constant_that_counts_is_an_integer() -> None:
    n = sympy.Symbol("n", integer=True, positive=True)
    assert vanishes((-1) ** (n**2) - (-1) ** n, ANYWHERE)


def test_the_normal_form_of_powers_of_long_decimals_is_found() -> None:
    third = Rational("0.3333333333333333")
    assert normal_form(s**third * (1 + s) - s**third - s ** (1 + third)) == 0


# --- Where it decides -------------------------------------------------------------------------------------------------

SINGULAR: dict[str, tuple[Expr, Expr]] = {
    "tan and sec": (tan(x), 1 / cos(x) ** 2 - 1),
    "double angle": (sin(2 * x), 4 * sin(x) ** 2 * cos(x) ** 2),
    "half angle": (sin(x / 2), (1 - cos(x)) / 2),
    "tanh and cosh": (tanh(x), 1 - 1 / cosh(x) ** 2),
}


@pytest.mark.parametrize("name", SINGULAR)
def test_a_metric_that_is_singular_in_disguise_has_no_inverse(name: str) -> None:
    b, square = SINGULAR[name]
    with pytest.raises(ValueError, match=r"\['x', 'y'\] is singular everywhere: its determinant is 0"):
        inverse(Metric([x, y], [[1, b], [b, square]]))


@pytest.mark.parametrize("name", SINGULAR)
def test_a_metric_that_is_singular_in_disguise_has_no_curvature(name: str) -> None:
    b, square = SINGULAR[name]
    with pytest.raises(ValueError, match="singular everywhere"):
        ricci_scalar(Metric([x, y], [[1, b], [b, square]]))


def test_a_metric_that_is_singular_on_a_line_only_has_an_inverse() -> None:
    g = Metric([x, y], [[1, tan(x)], [tan(x), 1 / cos(x) ** 2 - 1 + y**2]])
    assert inverse(g)[1, 1].subs({x: 0.3, y: 2}).evalf() == pytest.approx(1 / 4)


def test_a_space_of_symbolic_exponents_has_no_scalar_curvature() -> None:
    p, t = sympy.Symbol("p", real=True), sympy.Symbol("t", positive=True)
    # Kasner: the exponents and their squares add up to 1.
    exponents = [e / (1 + p + p**2) for e in (-p, 1 + p, p * (1 + p))]
    kasner = sympy.diag(-1, *(t ** (2 * e) for e in exponents))
    assert ricci_scalar(Metric([t, *sympy.symbols("u v w", real=True)], kasner, constants=[p])) == 0


def test_components_that_vanish_in_disguise_are_zero() -> None:
    flat = Metric([x, y], [[(1 + tan(x) ** 2) ** 2, 0], [0, sin(x) ** 2 / cos(x) ** 2]])  # polar, the radius tan x
    assert all(component == 0 for component in sympy.flatten(riemann(flat)))
    assert ricci_scalar(flat) == 0
    assert christoffel(flat)[0, 1, 1] != 0
