"""Values of expressions at nodes: by arrays and by compiled code the same, and right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.special
import sympy

from infogeom.functions import expit, inverse_mills, log_bessel, log_normal_cdf, log_sum_exp, softplus
from infogeom.kernels.compiled.compile import compiled as compile_source
from infogeom.kernels.expectations import at_nodes as module
from infogeom.kernels.expectations.at_nodes import AtNodes, at_nodes

x, y, a, b = sympy.symbols("x y a b", real=True)
EXPRESSIONS = [
    sympy.log(a**2) * x**3 / (1 + b**2) - sympy.loggamma(1 + x**2),
    expit(a * x + y) + softplus(b * y - x) + sympy.exp(-(y**2)),
    log_normal_cdf(a * x) + inverse_mills(x - b) * sympy.erfc(x),
    log_sum_exp(a * x, b * y, sympy.Integer(1)) + sympy.polygamma(1, 1 + x**2),
    sympy.Piecewise((x ** sympy.Rational(1, 3), x > a), (sympy.tanh(b), y <= 0), (sympy.sqrt(2 + sympy.sin(y)), True)),
    sympy.Abs(x - a) ** b + sympy.sign(x - a) * log_bessel(1, 1 + y**2),
]
Array = np.ndarray[Any, np.dtype[Any]]


def nodes() -> tuple[Array, Array]:
    """Nodes (2, 3, 7) and arguments, with places where something is infinite, no number, or on a border."""
    rng = np.random.default_rng(1)
    columns, theta = rng.normal(size=(2, 3, 7)) * 3, rng.normal(size=(3, 2))
    columns[0, 0, :4] = 0.0, 1e300, -1e300, np.inf
    columns[0, 1, 0] = theta[1, 0]
    return columns, theta


def compiled(expressions: list[sympy.Expr], monkeypatch: pytest.MonkeyPatch) -> AtNodes:
    """A function that is compiled from the first node on."""
    monkeypatch.setattr(module, "WORTH_COMPILING", 0)
    return AtNodes([x, y], [a, b], expressions)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_arrays_and_compiled_code_give_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_kept", lambda *_: False)
    by_arrays = AtNodes([x, y], [a, b], EXPRESSIONS)(*nodes())
    by_machine = compiled(EXPRESSIONS, monkeypatch)(*nodes())
    assert by_arrays.shape == (3, len(EXPRESSIONS), 7)
    assert np.isfinite(by_arrays).mean() > 0.8
    np.testing.assert_array_equal(by_machine, by_arrays)


def test_values_are_those_of_the_expressions() -> None:
    columns, theta = nodes()
    found = at_nodes([x, y], [a, b], EXPRESSIONS)(columns, theta)
    for point, node in ((0, 5), (1, 3), (2, 6)):
        at = {x: columns[0, point, node], y: columns[1, point, node], a: theta[point, 0], b: theta[point, 1]}
        exact = [e.xreplace({s: sympy.Float(v, 30) for s, v in at.items()}).evalf(20) for e in EXPRESSIONS]
        known = [float(v) if v.is_real else np.nan for v in exact]
        np.testing.assert_allclose(found[point, :, node], known, rtol=1e-12)


def test_steps_stand_for_what_comes_later() -> None:
    t = sympy.Dummy("t", real=True)
    columns, theta = nodes()
    found = AtNodes([x, y], [a, b], [t * y], [(t, x - a)])(columns, theta)
    np.testing.assert_array_equal(found, at_nodes([x, y], [a, b], [(x - a) * y])(columns, theta))


def test_it_is_compiled_once_there_were_nodes_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def counted(source: str) -> dict[str, Any]:
        made.append(source)
        return compile_source(source)

    monkeypatch.setattr(module, "compiled", counted)
    monkeypatch.setattr(module, "is_kept", lambda *_: False)
    monkeypatch.setattr(module, "WORTH_COMPILING", 100)
    columns, theta = nodes()
    values = AtNodes([x, y], [a, b], [x * y + a])
    for _ in range(3):  # 21 nodes of two lines
        values(columns, theta)
    assert len(made) == 1


def test_a_sign_at_its_jump_is_none() -> None:
    found = at_nodes([x], [a], [sympy.sign(x - a)])(np.array([[[0.0, 1.0, 2.0]]]), np.array([[1.0]]))
    assert found.ravel().tolist() == [-1.0, 0.0, 1.0]


def test_functions_that_kernels_lack_are_those_of_scipy() -> None:
    values = at_nodes([x], [a], [sympy.besselk(a, x) + x])
    assert not isinstance(values, AtNodes)
    found = values(np.array([[[1.0, 2.0]]]), np.array([[0.7]]))
    np.testing.assert_allclose(found[0, 0], scipy.special.kv(0.7, [1, 2]) + np.arange(1, 3), rtol=1e-14)
