"""The roll-call of functions: each gives the same in every arithmetic, as accurately as it says, or lacks it."""

from __future__ import annotations

from functools import cache
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from flint import arb
from sympy import Expr, Symbol

from infogeom import functions
from infogeom.functions.facts import Arithmetic
from infogeom.functions.primitive import Primitive, primitives
from infogeom.functions.registry import facts_of, known_functions
from infogeom.functions.removable import Germ, removable
from infogeom.kernels.balls import ball_functions
from infogeom.kernels.balls.enclosures import Balls, precision
from infogeom.kernels.codegen import program
from infogeom.kernels.codegen.program import Axes, UnsupportedFunctionError, exact_source, kernel
from infogeom.kernels.compiled.library import CALLED, HELPERS
from infogeom.kernels.points.closed_kernels import evaluate_kernel
from infogeom.numeric.multiprecision import in_mpmath
from tests.special_reference import DEFINITIONS, exactly

#: What one rounding counts in `Facts.roundings`, and two units in the last place, which any function may have.
UNIT, LEAST = 2.0**-57, 64
#: The same of SciPy's: the worst is erfc, with 10 units in the last place.
LEAST_OF_SCIPY = 350
POINTS, DIGITS, BITS = 25, 40, 128
NOWHERE = np.empty(0, dtype=np.int64)
#: Names that mpmath spells differently.
MPMATH = {"lgamma": "loggamma", "removable": "sinc"}
FUNCTIONS = {facts.name: function for function, facts in known_functions().items() if facts.name}
t = Symbol("t", real=True)


def example(function: type) -> tuple[Expr, list[Symbol], np.ndarray[Any, Any], list[Any]]:
    """A function of symbols of its own, these, points within its typical intervals, and its orders."""
    facts = facts_of(function)
    rng = np.random.default_rng(len(facts.name))
    middles = [sympy.Rational(sum(interval)) / 2 for interval in facts.typical[: facts.orders]]
    orders = middles if facts.halves else [round(middle) for middle in middles]
    intervals = facts.typical[facts.orders :]
    x = [Symbol(f"{facts.name}_{k}", real=True) for k in range(len(intervals))]
    points = np.array([rng.uniform(*interval, POINTS) for interval in intervals])
    if function is removable:
        return removable(x[0], Germ(sympy.sin(t) / t, t, 0, 2)), x, points, orders
    return function(*orders, *x), x, points, orders


@cache
def truth(name: str) -> list[Any]:
    """Values by the definition, where mpmath or the reference has it, else by SymPy in many digits."""
    e, x, points, orders = example(FUNCTIONS[name])
    spelt = MPMATH.get(name, name)
    if spelt in DEFINITIONS or hasattr(mpmath, spelt):
        held = [int(order) if order == int(order) else float(order) for order in orders]
        return [exactly(spelt, *held, *map(float, point), digits=DIGITS) for point in points.T]
    at = [dict(zip(x, map(sympy.Rational, map(float, point)), strict=True)) for point in points.T]
    with mpmath.workdps(DIGITS):
        return [mpmath.mpf(str(e.xreplace(point).evalf(DIGITS))) for point in at]


@cache
def in_kernels() -> dict[str, np.ndarray[Any, Any]]:
    """Values of all functions that compiled kernels have, out of one kernel."""
    examples = {name: example(f) for name, f in FUNCTIONS.items() if facts_of(f).exists_in(Arithmetic.FLOAT64)}
    symbols = [s for _, x, _, _ in examples.values() for s in x]
    together = kernel({name: [e] for name, (e, *_) in examples.items()}, Axes((), tuple(symbols)))
    points = np.concatenate([points for _, _, points, _ in examples.values()])
    values = evaluate_kernel(together, np.empty((0, 1)), points, np.empty((0, 0)))
    return {name: values[together.at[name][0], 0] for name in examples}


def size(name: str, point: np.ndarray[Any, Any], value: Any) -> float:
    """What the error of a function counts relative to."""
    e, x, *_ = example(FUNCTIONS[name])
    beside = e.beside_zero() if isinstance(e, Primitive) else sympy.Integer(0)
    return abs(float(value)) + float(beside.xreplace(dict(zip(x, map(float, point), strict=True))))


def assert_accurate(name: str, values: np.ndarray[Any, Any], least: int = LEAST) -> None:
    """Values at the points of the example err by no more than the function says."""
    _, _, points, _ = example(FUNCTIONS[name])
    units = max(least, 2 * facts_of(FUNCTIONS[name]).roundings) * UNIT
    for value, expected, point in zip(values, truth(name), points.T, strict=True):
        with mpmath.workdps(DIGITS):
            assert abs(mpmath.mpf(float(value)) - expected) <= units * size(name, point, expected)


def lacks(name: str, arithmetic: Arithmetic) -> bool:
    return not facts_of(FUNCTIONS[name]).exists_in(arithmetic)


def by(arithmetic: Arithmetic) -> list[str]:
    return [name for name in FUNCTIONS if not lacks(name, arithmetic)]


@pytest.mark.parametrize("name", by(Arithmetic.FLOAT64))
def test_compiled_kernels_are_as_accurate_as_the_function_says(name: str) -> None:
    assert_accurate(name, in_kernels()[name])


@pytest.mark.parametrize("name", by(Arithmetic.ARRAYS))
def test_arrays_are_as_accurate_as_the_function_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "MAX_COMPILED", 0)
    e, x, points, _ = example(FUNCTIONS[name])
    on_arrays = kernel({"e": [e]}, Axes((), tuple(x)))
    assert on_arrays.vector
    values = evaluate_kernel(on_arrays, np.empty((0, 1)), points, np.empty((0, 0)))[0, 0]
    assert_accurate(name, values, LEAST if name in CALLED else LEAST_OF_SCIPY)


@pytest.mark.parametrize("name", by(Arithmetic.MPMATH))
def test_mpmath_gives_its_working_precision(name: str) -> None:
    e, x, points, _ = example(FUNCTIONS[name])
    evaluate = in_mpmath(x, e)
    for expected, point in zip(truth(name)[:4], points.T[:4], strict=True):
        with mpmath.workdps(30):
            assert abs(evaluate(*map(mpmath.mpf, map(float, point))) / expected - 1) < mpmath.mpf(10) ** -26


@pytest.mark.parametrize("name", by(Arithmetic.BALLS))
def test_balls_hold_the_value_and_are_narrow(name: str) -> None:
    e, x, points, _ = example(FUNCTIONS[name])
    source, at = exact_source({"e": [e]}, Axes((), tuple(x)))
    balls = Balls(source, {"g": NOWHERE, "dg": NOWHERE, "ddg": NOWHERE, **at}, len(x), np.empty((0, 0)))
    for expected, point in zip(truth(name)[:8], points.T[:8], strict=True):
        ball = balls.enclose(list(map(float, point)), ("e",), BITS).values["e"].item()
        with precision(BITS):
            assert abs(ball - arb(mpmath.nstr(expected, DIGITS))) < abs(ball) * arb(10) ** -30


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if lacks(name, Arithmetic.FLOAT64)])
def test_a_function_that_kernels_lack_is_named(name: str) -> None:
    e, x, *_ = example(FUNCTIONS[name])
    with pytest.raises(UnsupportedFunctionError, match=type(e).__name__):
        kernel({"e": [e]}, Axes((), tuple(x)))


@pytest.mark.parametrize("function", primitives(), ids=lambda f: f.__name__)
def test_a_function_is_called_by_its_class(function: type) -> None:
    assert facts_of(function).name == function.__name__


def test_every_public_function_is_on_the_roll() -> None:
    public = {f for name in functions.__all__ if isinstance(f := getattr(functions, name), type)}
    assert public == set(primitives()) - {removable}


def test_what_is_implemented_is_on_the_roll() -> None:
    assert set(by(Arithmetic.FLOAT64)) & set(by(Arithmetic.ARRAYS)) >= CALLED - HELPERS
    assert set(ball_functions.__all__) - {"sqrt"} == set(by(Arithmetic.BALLS))
