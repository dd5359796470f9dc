"""Long programs run on arrays give the numbers of compiled ones."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

from infogeom.functions import bessel_ratio, expit, log_bessel, softplus
from infogeom.kernels.codegen import program
from infogeom.kernels.codegen.program import Axes, kernel
from infogeom.kernels.points.closed_kernels import evaluate_kernel
from tests.problems import EPS

x, y = sympy.symbols("x y", positive=True)
EXPRESSIONS = [
    sympy.exp(x * y) / (1 + x) ** 3,
    sympy.log(x) * sympy.sqrt(y) + sympy.Rational(1, 3) * sympy.pi,
    expit(x - y) * expit(y - x) + softplus(-x),
    sympy.polygamma(1, x) - sympy.polygamma(2, x + y) + sympy.loggamma(y),
    bessel_ratio(0, x) + log_bessel(sympy.Rational(1, 2), y),
    sympy.atan(x) + sympy.tanh(y) + sympy.EulerGamma + sympy.sign(x - y) * sympy.Abs(x - y),
    sympy.Integer(7),
]


@pytest.mark.parametrize("outer", [(), (x,)])
def test_a_long_program_gives_the_numbers_of_a_compiled_one(
    outer: tuple[sympy.Symbol, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    axes = Axes(outer, tuple(s for s in (x, y) if s not in outer))
    compiled = kernel({"all": EXPRESSIONS}, axes)
    monkeypatch.setattr(program, "MAX_COMPILED", 0)
    vector = kernel({"all": EXPRESSIONS}, axes)
    assert vector.vector
    assert not vector.direct
    rng = np.random.default_rng(0)
    points = (
        rng.uniform(0.3, 4, (len(outer), 5)) if outer else np.empty((0, 1)),
        rng.uniform(0.3, 4, (2 - len(outer), 9)),
    )
    one, other = (evaluate_kernel(k, *points, np.empty((0, 0)))[k.at["all"]] for k in (compiled, vector))
    assert one.shape == other.shape
    assert abs(one - other).max() <= 100 * EPS * abs(one).max()


def test_a_short_program_is_compiled() -> None:
    assert kernel({"all": EXPRESSIONS}, Axes((), (x, y))).direct


@pytest.mark.parametrize("expressions", [EXPRESSIONS, [*EXPRESSIONS, x**y]])
def test_a_point_alone_has_the_bits_it_has_in_company(
    expressions: list[sympy.Expr], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "MAX_COMPILED", 0)
    vector, points = kernel({"all": expressions}, Axes((), (x, y))), np.random.default_rng(0).uniform(0.3, 4, (2, 50))
    together = evaluate_kernel(vector, np.empty((0, 1)), points, np.empty((0, 0)))
    for k in range(50):
        alone = evaluate_kernel(vector, np.empty((0, 1)), points[:, k : k + 1], np.empty((0, 0)))
        np.testing.assert_array_equal(alone[:, :, 0], together[:, :, k])
