"""Activations, their slopes and curvatures in float64 and float32 against mpmath, for every argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from mpmath import mpf

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.network import MLP, activations, passes

Array = np.ndarray[Any, np.dtype[Any]]
Function = Callable[[Any], Any]

FUNCTIONS = compiled_module(activations, contract=True)
NAMES = sorted(passes.ACTIVATIONS)
#: Digits of the definitions.
DIGITS = 50
#: φ by its definition.
PHI: dict[str, Function] = {
    "relu": lambda z: max(z, mpf(0)),
    "tanh": mpmath.tanh,
    "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    "gelu": lambda z: z * mpmath.ncdf(z),
    "erf": mpmath.erf,
    "identity": lambda z: z,
}
#: φ″ in forms that do not cancel.
CURVATURE: dict[str, Function] = {
    "relu": lambda _: mpf(0),
    "tanh": lambda z: -2 * mpmath.sinh(z) / mpmath.cosh(z) ** 3,
    "sigmoid": lambda z: -mpmath.sinh(z / 2) / (4 * mpmath.cosh(z / 2) ** 3),
    "gelu": lambda z: (2 - z**2) * mpmath.npdf(z),
    "erf": lambda z: -4 * z * mpmath.exp(-(z**2)) / mpmath.sqrt(mpmath.pi),
    "identity": lambda _: mpf(0),
}
#: Two exponentials or more, of a unit each where the library is not the best, and a dozen products of half a unit.
UNITS = 8


def arguments() -> Array:
    """Small ones, large ones, those beside zeros of φ″, and those where exponentials leave the normal numbers."""
    rng = np.random.default_rng(0)
    zero = np.sqrt(2) + np.concatenate([np.arange(-8, 9) * 2.0**-52, rng.normal(size=20) * 1e-8])
    parts = [rng.uniform(0, most, 150) for most in (3, 64, 800)]
    parts += [rng.uniform(least, most, 60) for least, most in ((26, 28), (37, 40), (350, 375), (740, 750))]
    positive = np.concatenate([*parts, zero, 10.0 ** rng.uniform(-320, 4, 100), [5e-324, 1e308, np.inf]])
    return np.concatenate([positive, -positive, [0.0, -0.0]])


Z = arguments()


def bent(name: str, z: Array) -> Array:
    out = z[None].copy()
    FUNCTIONS[f"{name}_curvature"](out, np.zeros_like(z))
    return out[0]


def units_off(found: Array, z: Array, definition: Function) -> float:
    """Largest error in units of the last place, subnormal ones included."""
    worst = 0.0
    with mpmath.workdps(DIGITS):
        for value, at in zip(found, z, strict=True):
            exact = mpf(0) if abs(at) > 1e5 else definition(mpf(float(at)))
            unit = np.spacing(found.dtype.type(abs(float(exact))))
            worst = max(worst, float(abs(mpf(float(value)) - exact) / mpf(float(unit))))
    return worst


@pytest.mark.parametrize("name", NAMES)
def test_a_curvature_is_right_to_a_few_units_for_every_argument(name: str) -> None:
    assert units_off(bent(name, Z), Z, CURVATURE[name]) <= UNITS


@pytest.mark.parametrize("name", NAMES)
def test_a_curvature_of_float32_is_that_of_float64_rounded(name: str) -> None:
    z = np.unique(Z[abs(Z) < 1e4].astype(np.float32))
    found = bent(name, z)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, bent(name, z.astype(np.float64)).astype(np.float32))


@pytest.mark.parametrize("name", NAMES)
@given(z=st.floats(-12, 12))
def test_a_curvature_is_the_second_derivative_of_the_activation(name: str, z: float) -> None:
    assume(name != "relu" or abs(z) > 1e-50)
    with mpmath.workdps(250):  # the difference over steps of 1e-60 is right to 1e-120, and keeps 60 digits of 1e-63
        h, at, phi = mpf(10) ** -60, mpf(z), PHI[name]
        expected = (phi(at + h) - 2 * phi(at) + phi(at - h)) / h**2
        found = mpf(float(bent(name, np.array([z]))[0]))
        assert abs(found - expected) <= UNITS * 2.0**-52 * abs(expected) + mpf(10) ** -100


@pytest.mark.parametrize("name", NAMES)
def test_a_curvature_adds_the_bias_and_keeps_its_unit(name: str) -> None:
    z, bias = np.array([[0.25, -1.5, 3.0], [0.5, 0.75, -0.125]]), np.array([1.0, -0.5, 0.25])
    out = z.copy()
    FUNCTIONS[f"{name}_curvature"](out, bias)
    np.testing.assert_array_equal(out, [bent(name, row + bias) for row in z])


def test_the_kink_of_the_rectifier_has_no_curvature() -> None:
    assert not bent("relu", np.array([0.0, -0.0, 1.0, -1.0, np.inf])).any()


def test_every_activation_has_a_curvature() -> None:
    assert {f"{name}_curvature" for name in NAMES} < set(FUNCTIONS)
    assert NAMES == sorted(PHI) == sorted(CURVATURE)


def test_the_error_function_and_its_slope_are_right_to_a_few_units() -> None:
    z = Z[np.isfinite(Z)]
    value, slope = z[None].copy(), np.empty((1, len(z)))
    FUNCTIONS["erf"](value, np.zeros_like(z), slope)
    definition = lambda u: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-(u**2))  # noqa: E731
    assert units_off(slope[0], z, definition) <= UNITS
    near = abs(z) < 1e5
    assert units_off(value[0][near], z[near], mpmath.erf) <= UNITS
    assert (abs(value[0][~near]) == 1).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", [{"bias": False}, {"parametrization": "ntk"}, {"dtype": "float32"}], ids=str)
def test_the_curvatures_of_a_network_are_those_of_what_its_layers_take(name: str, kind: dict[str, Any]) -> None:
    net = MLP((4, 6, 5, 3), activation=name, initialization="pytorch", **{"dtype": "float64", **kind})
    x = np.random.default_rng(2).normal(size=(7, 4)).astype(net.dtype)
    layers = net.layers()
    passed = passes.forward(layers, name, x)
    found = passes.curvatures(layers, name, passed)
    assert [c.shape for c in found] == [(7, 6), (7, 5)]
    for layer, a, c in zip(layers, passed.inputs, found, strict=False):
        z = layer.scale * a.astype(float) @ layer.weights.astype(float)
        z += 0 if layer.bias is None else layer.bias
        definition = np.vectorize(lambda u: float(CURVATURE[name](mpf(u))))
        # A few roundings of z, where |φ‴| is at most 2.
        np.testing.assert_allclose(c, definition(z), atol=40 * np.finfo(net.dtype).eps)
