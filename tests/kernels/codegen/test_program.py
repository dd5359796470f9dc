"""Generated source: deterministic, free of users' names, right in each of its variants."""

from __future__ import annotations

import re
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Expr, Symbol, exp

import infogeom as ig
from infogeom.functions import expit, softplus
from infogeom.kernels.codegen.layout import UNROLL
from infogeom.kernels.codegen.program import Axes, UnsupportedFunctionError, exact_source, kernel
from infogeom.kernels.compiled.compile import compiled, interpreted
from infogeom.kernels.points.closed_kernels import evaluate_kernel
from tests.problems import EPS

Array = np.ndarray[Any, np.dtype[np.float64]]
p, q, n, w, r = sympy.symbols("p q n w r", real=True)
u = 3 * p * n + q * n
#: What a network needs, an exponential of mixed dependence, a table over one axis, and a constant.
EXPRESSIONS = {
    "network": [expit(u) ** 2 * expit(-u) * w, softplus(u) * w, expit(-u) * n * w],
    "family": [exp(-p * n + q) * w, (1 + q**2) ** sympy.Rational(-3, 2) * w, sympy.Integer(2) * w],
}
AXES, PLANE = Axes((p,), (q,), (n, w)), Axes((), (p, q, r))
OUTER, INNER = np.linspace(-1, 1, 3)[None], np.linspace(-2, 1.5, 5)[None]
DATA = np.array([[0.3, -0.7, 1.1, 0.2], [0.1, 0.2, 0.3, 0.4]])


def run(functions: dict[str, Any], components: int, outer: Array, inner: Array, data: Array) -> Array:
    out = np.full((components, outer.shape[1], inner.shape[1]), np.nan)
    functions["tile"](outer, inner, data, out)
    return out


def expected(expression: Expr, outer: Array, inner: Array, data: Array) -> Array:
    """Sums over samples in 30 digits."""
    own = {"expit": lambda t: 1 / (1 + mpmath.exp(-t)), "softplus": lambda t: mpmath.log1p(mpmath.exp(t))}
    f = sympy.lambdify([p, q, n, w], expression, [own, "mpmath"])
    with mpmath.workdps(30):
        rows = [[mpmath.fsum(f(*map(mpmath.mpf, (a, b, *s))) for s in data.T) for b in inner[0]] for a in outer[0]]
    return np.array(rows, dtype=float)


@pytest.mark.parametrize("variant", ["hoisted", "direct"])
@pytest.mark.parametrize("way", [compiled, interpreted], ids=["compiled", "interpreted"])
def test_every_variant_evaluates_the_expressions(variant: str, way: Any) -> None:
    made = kernel(EXPRESSIONS, AXES)
    out = run(way(getattr(made, variant)), made.components, OUTER, INNER, DATA)
    for name, group in EXPRESSIONS.items():
        for component, expression in zip(made.at[name], group, strict=True):
            right = expected(expression, OUTER, INNER, DATA)
            # Four terms of about ten operations, exponents up to 5 (and their rounding with them).
            assert np.allclose(out[component], right, rtol=100 * EPS, atol=20 * EPS)


@pytest.mark.parametrize(
    ("expression", "x", "right"),
    [
        (p * q + r, (1 + 2.0**-30, 1 - 2.0**-30, -1.0), -(2.0**-60)),
        (r - p * q, (1 + 2.0**-30, 1 - 2.0**-30, 1.0), 2.0**-60),
        (p * q + r**2, (1 + 2.0**-30, 2.0**-30 - 1, 1.0), 2.0**-60),
    ],
)
def test_every_point_of_a_tile_fuses_the_same_product(expression: Expr, x: tuple[float, ...], right: float) -> None:
    made = kernel({"e": [expression]}, PLANE)
    found = evaluate_kernel(made, np.empty((0, 1)), np.repeat(np.array(x)[:, None], 67, axis=1), np.empty((0, 0)))
    alone = evaluate_kernel(made, np.empty((0, 1)), np.array(x)[:, None], np.empty((0, 0)))
    assert set(found.ravel()) == set(alone.ravel())
    assert alone.item() in (right, 0)  # 0 on a machine that fuses nothing


def test_a_product_is_fused_into_the_one_sum_that_takes_it() -> None:
    once, twice = kernel({"e": [p * q + r]}, PLANE).direct, kernel({"e": [p * q + r, p * q]}, PLANE).direct
    assert "fma(" in once
    assert "fma(" not in twice
    (total,) = re.findall(r"total\[0, v\] = (.*)", kernel({"e": [expit(u) * w]}, AXES).hoisted)
    assert total.count("fma(") == UNROLL  # sums over samples take products, too


def test_no_function_is_called_in_the_loop_that_fills_the_results() -> None:
    inside = sympy.exp(p * q) + sympy.exp(p) * q
    source = kernel({"e": [sympy.log(1 + inside) * q, inside, sympy.polygamma(1, inside)]}, Axes((), (p, q))).direct
    *calls, results = source.partition("def exponents")[0].split("for v in range(V):")[1:]
    assert not re.search(r"exp|log|polygamma", results)
    assert [re.findall(r"(exp|log|polygamma)\(", loop) for loop in calls] == [["exp", "exp"], ["log"], ["polygamma"]]


def test_points_that_stand_alone_need_no_outer_axis() -> None:
    made = kernel(EXPRESSIONS, Axes((), (p, q), (n, w)))
    inner = np.array([[0.1, -0.4, 0.9], [1.0, 0.3, -2]])
    out = run(interpreted(made.direct), made.components, np.empty((0, 1)), inner, DATA)
    for k in range(3):
        right = expected(EXPRESSIONS["network"][0], inner[:1, [k]], inner[1:, [k]], DATA)
        assert out[made.at["network"][0], 0, k] == pytest.approx(right[0, 0], rel=100 * EPS)


def test_the_source_is_the_same_every_time() -> None:
    first, second = kernel(EXPRESSIONS, AXES), kernel(EXPRESSIONS, AXES)
    assert (first.hoisted, first.direct) == (second.hoisted, second.direct)


#: A user's symbols may be called anything.
HOSTILE = ["__import__('os').system('true')", "exp", "out", "x0; raise SystemExit", "lambda"]


def renamed() -> tuple[dict[str, list[Expr]], Axes]:
    names = dict(zip((p, q, n, w), (Symbol(name, real=True) for name in HOSTILE), strict=False))
    return {key: [e.xreplace(names) for e in group] for key, group in EXPRESSIONS.items()}, Axes(
        (names[p],), (names[q],), (names[n], names[w])
    )


def test_the_source_does_not_depend_on_the_names_of_symbols() -> None:
    # The order of operands may follow SymPy's order of names; what is computed may not.
    made = kernel(*renamed())
    out = run(interpreted(made.direct), made.components, OUTER, INNER, DATA)
    for component, expression in zip(made.at["network"], EXPRESSIONS["network"], strict=True):
        assert np.allclose(out[component], expected(expression, OUTER, INNER, DATA), rtol=100 * EPS, atol=20 * EPS)


@pytest.mark.parametrize("variant", ["hoisted", "direct"])
def test_no_name_of_a_symbol_is_in_the_source(variant: str) -> None:
    source = getattr(kernel(*renamed()), variant)
    assert "import" not in source
    assert "system" not in source
    assert "raise" not in source
    assert "lambda" not in source


def test_exponents_are_bounded_at_each_outer_and_each_inner_point() -> None:
    made = kernel(EXPRESSIONS, AXES)
    rows, columns = np.empty(OUTER.shape[1]), np.empty(INNER.shape[1])
    interpreted(made.hoisted)["exponents"](OUTER, INNER, DATA, rows, columns)
    largest = np.abs(DATA[0]).max()
    # The largest of |3 p n| and |p n| along the outer points, of |q n| and |q| along the inner ones.
    assert rows == pytest.approx(3 * np.abs(OUTER[0]) * largest, rel=1e-14)
    assert columns == pytest.approx(np.abs(INNER[0]) * max(largest, 1), rel=1e-14)


def test_the_direct_source_does_not_overflow() -> None:
    made = kernel({"network": EXPRESSIONS["network"]}, AXES)
    out = run(interpreted(made.direct), made.components, np.array([[1e4, -1e4]]), INNER[:, :1], DATA)
    assert np.isfinite(out).all()


def test_nothing_to_split_makes_no_hoisted_source() -> None:
    assert kernel({"square": [p**2 + q**2]}, Axes((p,), (q,))).hoisted == ""


def test_equal_expressions_share_a_component() -> None:
    made = kernel({"a": [p * q, p + q], "b": [q * p]}, Axes((p,), (q,)))
    assert made.components == 2
    assert made.at["a"][0] == made.at["b"][0]


#: Every function that kernels know, at 0.3 (inside all domains).
ELEMENTARY = ["exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan", "asinh", "atanh"]
KNOWN = [*ELEMENTARY, "erf", "erfc", "gamma", "loggamma", "Abs", "sqrt", "cbrt"]


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_function_is_evaluated(name: str) -> None:
    e = getattr(sympy, name)(p - sympy.Rational(1, 10))
    made = kernel({"value": [e]}, Axes((p,), ()))
    out = run(interpreted(made.direct), 1, np.array([[0.4]]), np.empty((0, 1)), np.empty((0, 0)))
    assert out[0, 0, 0] == pytest.approx(float(e.subs(p, 0.4).evalf(30)), rel=20 * EPS)


@pytest.mark.parametrize(
    "power",
    [2, 3, 7, -1, -4, sympy.Rational(1, 2), sympy.Rational(5, 2), sympy.Rational(-3, 2), sympy.Rational(2, 7)],
    ids=str,
)
def test_a_power_is_evaluated(power: Any) -> None:
    made = kernel({"value": [(p + 1) ** power]}, Axes((p,), ()))
    out = run(interpreted(made.direct), 1, np.array([[0.7]]), np.empty((0, 1)), np.empty((0, 0)))
    assert out[0, 0, 0] == pytest.approx(1.7 ** float(power), rel=20 * EPS)


def test_an_unknown_function_is_named() -> None:
    with pytest.raises(UnsupportedFunctionError, match="besselj"):
        kernel({"value": [sympy.besselj(1, p)]}, Axes((p,), ()))


def test_a_function_without_values_is_named() -> None:
    with pytest.raises(UnsupportedFunctionError, match="the function f has no values; put an expression in its place"):
        kernel({"one": [sympy.Function("f")(p).diff(p)]}, AXES)
    with pytest.raises(UnsupportedFunctionError, match="the function f has no values"):
        kernel({"one": [1 + p * sympy.Function("f")(2)]}, AXES)


def test_a_modulus_of_what_is_not_declared_real_is_told() -> None:
    z = Symbol("z")
    with pytest.raises(UnsupportedFunctionError, match="of what is not declared real; use sympy"):
        kernel({"one": [sympy.Abs(z).diff(z)]}, Axes((z,), (q,), ()))


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (sympy.Derivative(sympy.sin(p), p), "a derivative of sin; doit"),
        (sympy.zeta(p**2 + 2).diff(p), "a derivative of zeta; doit"),
        (sympy.sign(p).diff(p), "DiracDelta, the derivative of a jump"),
    ],
)
def test_a_derivative_without_a_kernel_is_told_by_what_it_is_of(entry: sympy.Expr, told: str) -> None:
    with pytest.raises(UnsupportedFunctionError, match=told):
        kernel({"one": [entry]}, Axes((p,), (), ()))


def test_an_unknown_function_is_named_where_no_point_may_be_refined_too() -> None:
    metric = ig.symbolic.Metric([p, q], sympy.diag(1, 1 + sympy.zeta(p + 2)))
    with pytest.raises(UnsupportedFunctionError, match="no compiled kernel for the function zeta"):
        ig.grid.evaluate_points(metric, [[0.5, 0.5]], max_refined=0)


def test_balls_are_not_blamed_for_what_float64_lacks_too() -> None:
    with pytest.raises(UnsupportedFunctionError, match=r"no compiled kernel for the function Ci$"):
        exact_source({"one": [sympy.Ci(p)]}, Axes((), (p,), ()))


def test_a_constant_beyond_float64_is_named() -> None:
    with pytest.raises(OverflowError, match="is beyond float64"):
        kernel({"value": [p * sympy.Integer(10) ** 400]}, Axes((p,), ()))


@pytest.mark.parametrize("u", [40.0, 100.0, 300.0])
def test_the_complement_of_a_saturated_logistic_function_keeps_its_digits(u: float) -> None:
    a, b = sympy.symbols("a b", real=True)
    k = kernel({"complement": [expit(-a - b) * expit(a + b)]}, Axes((a,), (b,)))
    assert k.hoisted
    value = evaluate_kernel(k, np.array([[0.75 * u]]), np.array([[0.25 * u]]), np.empty((0, 0)))
    assert value.item() == pytest.approx(np.exp(-u), rel=4 * u * EPS, abs=0)
