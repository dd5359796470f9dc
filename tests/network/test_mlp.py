"""The network as a value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from infogeom.network import MLP, ntk_trace
from tests import network_reference as reference
from tests.torch_like import Tensor

ACTIVATIONS = sorted(reference.ACTIVATIONS)
X = np.random.default_rng(1).normal(size=(7, 4))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
@pytest.mark.parametrize("bias", [True, False])
def test_the_output_is_that_of_the_definition(activation: str, parametrization: str, bias: bool) -> None:
    net = MLP(
        (4, 6, 5, 3),
        activation=activation,
        parametrization=parametrization,
        bias=bias,
        initialization="pytorch",
        dtype="float64",
    )
    expected, _ = reference.outputs_and_jacobian(X, *net.to_arrays(), activation, net.scales)
    np.testing.assert_allclose(net.output(X), expected, rtol=1e-13, atol=1e-14)


def test_a_network_without_hidden_layers_is_linear() -> None:
    net = MLP((4, 3), dtype="float64", initialization="pytorch")
    (W,), (b,) = net.to_arrays()  # type: ignore[misc]
    np.testing.assert_allclose(net.output(X), X @ W + b, rtol=1e-14)


@pytest.mark.parametrize(("initialization", "variance"), [("he", 2.0), ("lecun", 1.0), ("pytorch", 1 / 3)])
def test_initial_weights_have_the_variance_of_their_initialisation(initialization: str, variance: float) -> None:
    weights, biases = MLP((300, 400, 10), initialization=initialization, dtype="float64").to_arrays()
    # The sample variance of 120,000 weights is right to √(2/120000) = 0.4 % for normal ones, less for uniform ones.
    assert weights[0].var() * 300 == pytest.approx(variance, rel=0.02)
    assert biases is not None
    assert (biases[0] == 0).all() == (initialization != "pytorch")


@pytest.mark.parametrize("initialization", ["he", "lecun", "pytorch"])
def test_the_parametrisation_leaves_the_initial_function_as_it_is(initialization: str) -> None:
    standard, ntk = (
        MLP((4, 6, 3), parametrization=p, initialization=initialization, dtype="float64") for p in ("standard", "ntk")
    )
    np.testing.assert_allclose(ntk.output(X), standard.output(X), rtol=1e-13)
    assert ntk.to_arrays()[0][0].std() > standard.to_arrays()[0][0].std()


def test_the_kernel_grows_with_the_width_in_the_standard_parametrisation_alone() -> None:
    def trace(width: int, parametrization: str) -> float:
        nets = [MLP((4, width, width, 2), parametrization=parametrization, seed=seed) for seed in range(10)]
        return float(np.mean([ntk_trace(net, X) for net in nets]))

    # Means over ten networks of relative deviations of √(1/W) or so, and layers that do not grow with it.
    assert trace(800, "standard") / trace(50, "standard") == pytest.approx(16, rel=0.25)
    assert trace(800, "ntk") / trace(50, "ntk") == pytest.approx(1, rel=0.25)


def test_a_seed_makes_the_network() -> None:
    a, b, c = MLP((4, 3), seed=1), MLP((4, 3), seed=1), MLP((4, 3), seed=2)
    assert (a.parameters == b.parameters).all()
    assert (a.parameters != c.parameters).any()


@pytest.mark.parametrize("bias", [True, False])
def test_arrays_go_in_and_out_unchanged(bias: bool) -> None:
    net = MLP((4, 6, 3), bias=bias, initialization="pytorch")
    again = MLP.from_arrays(*net.to_arrays())
    assert (again.parameters == net.parameters).all()
    assert (again.widths, again.dtype, again.bias) == (net.widths, "float32", bias)


def test_arrays_of_float64_make_a_network_of_float64() -> None:
    assert MLP.from_arrays([np.ones((4, 3))], [np.zeros(3)]).dtype == "float64"


def test_tensors_that_need_a_gradient_are_taken_by_their_numbers() -> None:
    net = MLP((4, 7, 3), initialization="pytorch")
    weights, biases = net.to_arrays()
    tensors = [Tensor(w.T, requires_grad=True) for w in weights]
    again = MLP.from_arrays([t.T for t in tensors], [Tensor(b, requires_grad=True) for b in biases or []])
    assert again.dtype == "float32"
    np.testing.assert_array_equal(again.parameters, net.parameters)
    np.testing.assert_array_equal(again.output(Tensor(X, requires_grad=True)), net.output(X))
    moved = net.with_parameters(Tensor(np.zeros(59), requires_grad=True, device="cuda:0"))
    assert (moved.output(X) == 0).all()
    assert all(t.requires_grad for t in tensors)


def test_arrays_that_come_one_by_one_are_taken() -> None:
    net = MLP((4, 7, 3), initialization="pytorch")
    weights, biases = net.to_arrays()
    again = MLP.from_arrays((w for w in weights), (b for b in biases or []))  # type: ignore[arg-type]
    assert again.dtype == "float32"
    np.testing.assert_array_equal(again.parameters, net.parameters)


def test_arrays_are_copies() -> None:
    net = MLP((4, 3))
    net.to_arrays()[0][0][:] = 7
    assert (net.parameters != 7).all()


def test_the_parameters_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        MLP((4, 3)).parameters[0] = 1


def test_other_parameters_make_another_network() -> None:
    net = MLP((4, 3), dtype="float64")
    zero = net.with_parameters(np.zeros(15))
    assert (zero.output(X) == 0).all()
    assert (net.output(X) != 0).any()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: MLP((4, 0, 3)), ValueError, r"widths\[1\] must be at least 1, got 0"),
        (lambda: MLP((4, 2.0)), TypeError, r"widths\[1\] must be an int, got 2.0"),
        (lambda: MLP((4,)), ValueError, r"widths must hold inputs and outputs, got \(4,\)"),
        (lambda: MLP(4), TypeError, "widths must be a sequence of ints, got 4"),
        (lambda: MLP((4, 3), activation="swish"), ValueError, r"activation must be one of .*, got 'swish'"),
        (lambda: MLP((4, 3), dtype="float16"), ValueError, "dtype must be one of"),
        (lambda: MLP((4, 3), parametrization="mup"), ValueError, "parametrization must be one of"),
        (lambda: MLP((4, 3), initialization="zero"), ValueError, "initialization must be one of"),
        (lambda: MLP((4, 3), seed=-1), ValueError, "seed must be at least 0, got -1"),
        (lambda: MLP((4, 3), bias=1), TypeError, "bias must be True or False, got 1"),
        (lambda: MLP((4, 3), parameters=np.zeros(3)), ValueError, "parameters must have 15 entries .* got 3"),
        (lambda: MLP((4, 3), parameters=np.full(15, 1e300)), ValueError, r"parameters must be finite, got 1e\+300"),
        (lambda: MLP.from_arrays([]), ValueError, "weights must hold at least one layer"),
        (lambda: MLP.from_arrays([np.ones((4, 3)), np.ones((2, 1))]), ValueError, r"weights\[1\] must have 3 rows"),
        (lambda: MLP.from_arrays([np.ones((4, 3))], [np.ones(2)]), ValueError, r"biases must have sizes \[3\]"),
        (lambda: MLP.from_arrays([np.full((4, 3), np.nan)]), ValueError, r"weights\[0\] must be finite, got nan"),
        (lambda: MLP.from_arrays([[[1, 2], [3]]]), TypeError, r"weights\[0\] must hold real numbers"),  # type: ignore[list-item]
        (lambda: MLP((4, 3)).with_parameters("zero"), TypeError, "parameters must hold real numbers"),
        (lambda: MLP((4, 3)).output(np.ones((2, 5))), ValueError, r"x must have shape \(N, 4\) .* got \(2, 5\)"),
        (lambda: MLP((4, 3)).output(np.full((2, 4), np.inf)), ValueError, "x must be finite, got inf"),
    ],
)
def test_bad_arguments_are_named(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
