"""Kernels of infinitely wide networks against Gaussian expectations, 50 digits, and wide networks."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from infogeom import network
from infogeom.network import MLP, infinite_width_kernel
from tests import network_reference as reference

Array = np.ndarray[Any, np.dtype[Any]]

EPSILON = 2.0**-52
every_activation = pytest.mark.parametrize("activation", ["relu", "erf"])
every_depth = pytest.mark.parametrize("depth", [0, 1, 2, 5])
RNG = np.random.default_rng(3)
X, OTHER = RNG.normal(size=(4, 3)), RNG.normal(size=(3, 3))


# --- Expectations -----------------------------------------------------------------------------------------------------


def expectation(f: Any, q: float, r: float, covariance: float) -> float:
    """E[f(u) f(v)] of Gaussian u, v, by quadrature in polar coordinates, between the lines u = 0 and v = 0."""
    angle = np.arccos(np.clip(covariance / np.sqrt(q * r), -1, 1))
    nodes, weights = np.polynomial.legendre.leggauss(120)
    radius, by_radius = 6 * (nodes + 1), 6 * weights  # e^−72 is left out
    kinks = np.sort([-np.pi / 2, np.pi / 2, angle - np.pi / 2, angle + np.pi / 2])
    total = 0.0
    for lower, upper in zip(kinks, [*kinks[1:], kinks[0] + 2 * np.pi], strict=True):
        at = ((upper - lower) * nodes + upper + lower)[:, None] / 2
        values = f(np.sqrt(q) * radius * np.cos(at)) * f(np.sqrt(r) * radius * np.cos(at - angle))
        density = radius * np.exp(-(radius**2) / 2) / (2 * np.pi)
        total += (upper - lower) / 2 * float(weights @ (values * density) @ by_radius)
    return total


def by_quadrature(x: Array, y: Array, depth: int, activation: str) -> float:
    """The recursion of the kernel for one pair of inputs, all expectations by quadrature."""
    phi, slope = reference.ACTIVATIONS[activation]
    (q, c), (_, r) = 2 / len(x) * np.array([[x @ x, x @ y], [x @ y, y @ y]])
    kernel = c + 1
    for _ in range(depth):
        slopes = 2 * expectation(slope, q, r, c)
        q, c, r = (2 * expectation(phi, *three) for three in ((q, q, q), (q, r, c), (r, r, r)))
        kernel = c + 1 + kernel * slopes
    return float(kernel)


@every_activation
@every_depth
def test_the_kernel_is_that_of_gaussian_expectations(activation: str, depth: int) -> None:
    expected = [[by_quadrature(one, two, depth, activation) for two in OTHER] for one in X]
    found = infinite_width_kernel(X, OTHER, depth=depth, activation=activation)
    # Angles by arccos lose digits in the quadrature, not for inputs in general position.
    np.testing.assert_allclose(found, expected, rtol=1e-12)


# --- Digits -----------------------------------------------------------------------------------------------------------


def in_50_digits(x: Array, y: Array, depth: int, activation: str) -> Any:
    """The recursion by its textbook formulas."""
    x, y = [mpmath.mpf(one) for one in x], [mpmath.mpf(one) for one in y]
    q, c, r = (mpmath.fdot(*pair) * 2 / len(x) for pair in ((x, x), (x, y), (y, y)))
    kernel, pi = c + 1, mpmath.pi
    for _ in range(depth):
        if activation == "erf":
            inner = [(1 + 2 * one) for one in (q, r)]
            slopes = 8 / pi / mpmath.sqrt(inner[0] * inner[1] - 4 * c**2)
            c = 4 / pi * mpmath.asin(2 * c / mpmath.sqrt(inner[0] * inner[1]))
            q, r = (4 / pi * mpmath.asin(2 * one / (1 + 2 * one)) for one in (q, r))
        elif q and r:
            root = mpmath.sqrt(q * r)
            angle = mpmath.acos(max(min(c / root, mpmath.mpf(1)), mpmath.mpf(-1)))
            slopes = (pi - angle) / pi
            c = root * (mpmath.sin(angle) + (pi - angle) * mpmath.cos(angle)) / pi
        else:
            slopes = c = mpmath.mpf(0)  # a unit whose input vanishes has slope 0
        kernel = c + 1 + kernel * slopes
    return kernel


@every_activation
@every_depth
@pytest.mark.parametrize("size", [1e-200, 1e-3, 1.0, 1e3])
def test_nearly_parallel_inputs_keep_every_digit(activation: str, depth: int, size: float) -> None:
    base = np.array([0.3, -1.1, 0.7])
    bent = [base + 10.0**-k * np.array([1.0, 0.5, -0.2]) for k in (1, 4, 7, 8, 10, 14)]
    x = size * np.array([base, 3 * base, -base, *bent, *(-b for b in bent), np.zeros(3)])
    with mpmath.workdps(450 if size < 1e-100 else 60):
        diagonal = [in_50_digits(one, one, depth, activation) for one in x]
        exact = [[in_50_digits(one, two, depth, activation) for two in x] for one in x]
        found = infinite_width_kernel(x, depth=depth, activation=activation)
        scale = [[mpmath.sqrt(one * two) for two in diagonal] for one in diagonal]
        errors = [abs(found[i, j] - exact[i][j]) / scale[i][j] for i in range(len(x)) for j in range(len(x))]
    # An angle has some 6 roundings from unit vectors and arctan, and a layer adds about 4 to it and 4 to the kernel.
    # That of the first layer of "erf" is magnified by up to 0.38 √q: the largest slope of 1/√D, where qθ² is ½.
    magnified = 6 * 0.38 * np.sqrt(2 * (x**2).sum(axis=1).max() / 3) if activation == "erf" else 0
    assert float(max(errors)) <= (10 + 8 * depth + magnified) * EPSILON


@every_activation
@pytest.mark.parametrize("size", [1e-160, 1e153])
def test_inputs_of_any_size_keep_every_digit(activation: str, size: float) -> None:
    with mpmath.workdps(700):
        expected = [[float(in_50_digits(size * one, two, 2, activation)) for two in OTHER] for one in X]
    np.testing.assert_allclose(
        infinite_width_kernel(size * X, OTHER, depth=2, activation=activation), expected, rtol=26 * EPSILON
    )


@every_activation
def test_inputs_beyond_float64_are_told(activation: str) -> None:
    with pytest.raises(OverflowError, match="floating-point range"):
        infinite_width_kernel([[1e200, 1.0]], depth=2, activation=activation)


# --- Laws -------------------------------------------------------------------------------------------------------------


@every_activation
@given(x=arrays(float, (6, 2), elements=st.floats(-1e3, 1e3)), depth=st.integers(0, 6))
def test_the_kernel_is_symmetric_and_positive_semidefinite(activation: str, x: Array, depth: int) -> None:
    kernel = infinite_width_kernel(x, depth=depth, activation=activation)
    np.testing.assert_array_equal(kernel, kernel.T)
    # Entries are off by some roundings of the largest, eigenvalues by N times as much.
    assert np.linalg.eigvalsh(kernel)[0] >= -6 * (10 + 8 * depth) * EPSILON * kernel.max()


@every_activation
def test_the_kernel_of_one_set_is_that_of_the_set_with_itself(activation: str) -> None:
    alone, pair = (infinite_width_kernel(X, *other, depth=3, activation=activation) for other in ((), (X,)))
    np.testing.assert_array_equal(alone, pair)
    assert infinite_width_kernel(X, OTHER, depth=3, activation=activation).shape == (4, 3)


# --- Wide networks ----------------------------------------------------------------------------------------------------


def deviation(width: int, depth: int, activation: str, seeds: int) -> float:
    """Root mean square over seeds and pairs of how far networks of a width are from the limit, relative to it."""
    x = np.array([[1.0, 0.5, -0.3], [0.2, -1.0, 0.8], [1.2, 0.4, -0.3]])
    limit = infinite_width_kernel(x, depth=depth, activation=activation)
    squares = []
    for seed in range(seeds):
        widths = 3, *[width] * depth, 1
        net = MLP(widths, activation=activation, parametrization="ntk", dtype="float64", seed=seed)
        squares.append((network.ntk(net, x)[..., 0, 0] / limit - 1) ** 2)
    return float(np.sqrt(np.mean(squares)))


def slope(widths: list[int], deviations: list[float]) -> float:
    return float(np.polyfit(np.log(widths), np.log(deviations), 1)[0])


@every_activation
@pytest.mark.parametrize("depth", [1, 2])
def test_wide_networks_come_to_the_limit_as_one_over_the_root_of_their_width(activation: str, depth: int) -> None:
    # The logarithm of a root mean square over S seeds is off by about 1/√(2S), were there but one pair; the slope over
    # four octaves by √(0.1)/ln 2 = 0.46 times as much: 0.05 for 40 seeds, and 4 times as much is allowed.
    widths = [64, 128, 256, 512, 1024][: 6 - depth]
    deviations = [deviation(width, depth, activation, seeds=40) for width in widths]
    assert abs(slope(widths, deviations) + 0.5) <= 0.2
    assert deviations[-1] < 0.2


@pytest.mark.slow
@every_activation
def test_very_wide_networks_come_to_the_limit(activation: str) -> None:
    widths = [128, 700, 4000]
    deviations = [deviation(width, 2, activation, seeds=12) for width in widths]
    # As above, with 12 seeds over a range of five octaves.
    assert abs(slope(widths, deviations) + 0.5) <= 0.25
    assert deviations[-1] < 0.05


def test_the_standard_kernel_grows_with_the_width() -> None:
    x = np.array([[1.0, 0.5, -0.3]])
    traces = [network.ntk_trace(MLP((3, width, width, 1), dtype="float64"), x) for width in (100, 1000)]
    assert traces[1] / traces[0] == pytest.approx(10, rel=0.3)


@every_activation
def test_a_zero_input_has_the_kernel_of_every_wide_network(activation: str) -> None:
    # ReLU: all pre-activations are 0, all slopes too, and the last bias alone is left.
    x = np.zeros((1, 3))
    limit = infinite_width_kernel(x, depth=2, activation=activation)
    net = MLP((3, 500, 500, 1), activation=activation, parametrization="ntk", dtype="float64")
    assert np.isfinite(limit).all()
    assert network.ntk(net, x).item() == pytest.approx(limit.item(), rel=0.0 if activation == "relu" else 0.2)


# --- Bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"x": [1.0, 2.0]}, ValueError, r"x must have 2 dimensions, got shape \(2,\)"),
        ({"x": np.zeros((0, 3))}, ValueError, r"x must have shape \(N, d\) with N and d at least 1, got \(0, 3\)"),
        ({"x": [[np.nan, 1.0, 0.0]]}, ValueError, r"x must be finite, got nan at index \(0, 0\)"),
        ({"other": [[1.0, 2.0]]}, ValueError, r"other must have 3 columns as x has, got \(1, 2\)"),
        ({"depth": -1}, ValueError, "depth must be at least 0, got -1"),
        ({"depth": 1.0}, TypeError, "depth must be an int, got 1.0"),
        ({"activation": ["relu"]}, ValueError, r"activation must be one of .* got \['relu'\]"),
        ({"activation": "tanh"}, ValueError, r"activation must be one of \['erf', 'relu'\], .* got 'tanh'"),
    ],
    ids=str,
)
def test_bad_arguments_are_named(changed: dict[str, Any], error: type[Exception], message: str) -> None:
    arguments = {"x": X, "other": OTHER, "depth": 2, "activation": "relu"} | changed
    with pytest.raises(error, match=f"^{message}$"):
        infinite_width_kernel(arguments.pop("x"), arguments.pop("other"), **arguments)
