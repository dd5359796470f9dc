"""What PyTorch itself says: of its modules, its parameters that need gradients, its labels; of second derivatives."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from infogeom import network
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from infogeom.network import MLP

torch = pytest.importorskip("torch")
prune = pytest.importorskip("torch.nn.utils.prune")
nn = torch.nn

X = np.random.default_rng(0).normal(size=(20, 12))
LABELS = np.random.default_rng(1).integers(0, 3, 20)
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "gelu": nn.GELU, "identity": nn.Identity}
#: Rounding of sums over a dozen products, in units of the dtype.
UNITS = 100


def outputs(module, x):
    with torch.no_grad():
        return module(torch.as_tensor(x)).numpy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_of_a_module_has_its_outputs(activation, bias, dtype):
    layers = [nn.Linear(i, o, bias, dtype=getattr(torch, dtype)) for i, o in itertools.pairwise((12, 8, 8, 3))]
    act = ACTIVATIONS[activation]()
    module = nn.Sequential(nn.Flatten(), layers[0], act, nn.Sequential(nn.Dropout(), layers[1], act), layers[2]).eval()
    net = MLP.from_torch(module)
    assert (net.widths, net.activation, net.bias, net.dtype) == ((12, 8, 8, 3), activation, bias, dtype)
    images = X.astype(dtype).reshape(20, 3, 4)
    expected = outputs(module, images)
    np.testing.assert_allclose(net.output(images.reshape(20, 12)), expected, atol=UNITS * np.finfo(dtype).eps)


def test_parameters_that_need_gradients_are_taken_as_they_are():
    layers = nn.Linear(12, 7), nn.Linear(7, 3)
    net = MLP.from_arrays([layer.weight.T for layer in layers], [layer.bias for layer in layers])
    assert net.dtype == "float32"
    np.testing.assert_array_equal(
        net.parameters, MLP.from_torch(nn.Sequential(layers[0], nn.ReLU(), layers[1])).parameters
    )
    flat = nn.utils.parameters_to_vector([p for layer in layers for p in (layer.weight.T.reshape(-1), layer.bias)])
    assert flat.requires_grad
    np.testing.assert_array_equal(net.with_parameters(flat).parameters, net.parameters)


@pytest.mark.parametrize("requires_grad", [False, True])
def test_tensors_are_taken_as_inputs_targets_and_labels(requires_grad):
    net = MLP((12, 5, 3), dtype="float64")
    by_arrays = network.fisher_trace(net, X, np.eye(3)[LABELS], CrossEntropy())
    x, y = (torch.tensor(a, requires_grad=requires_grad) for a in (X, np.eye(3)[LABELS]))
    assert network.fisher_trace(net, x, y, CrossEntropy()) == by_arrays
    assert network.fisher_trace(net, list(x), list(y), CrossEntropy()) == by_arrays
    assert network.fisher_trace(net, x, torch.tensor(LABELS), CrossEntropy()) == by_arrays
    assert network.stratified_sample(torch.tensor(LABELS), 5).tolist() == network.stratified_sample(LABELS, 5).tolist()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)), ValueError, r"module\[1\] must .*BatchNorm1d"),
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.Dropout()), ValueError, r"module\[1\], a Dropout, must be in eval"),
        (lambda: nn.Sequential(nn.Linear(4, 3).bfloat16()), TypeError, r"module\[0\].bias must hold real numbers"),
        (lambda: nn.Sequential(nn.Linear(4, 3).half()), ValueError, r"module\[0\].bias must be of float32 or float64"),
        (lambda: nn.Sequential(nn.Linear(4, 3, device="meta")), TypeError, r"module\[0\].bias must hold real numbers"),
        (lambda: nn.Sequential(nn.Linear(4, 5), nn.GELU("tanh"), nn.Linear(5, 3)), ValueError, "approximate='none'"),
        (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), ValueError, "ParametrizedLinear"),
        (lambda: nn.ModuleList([nn.Linear(4, 3)]), ValueError, "ModuleList"),
        (lambda: torch.ones(3), TypeError, "module must be a torch.nn.Sequential, got Tensor"),
    ],
)
def test_a_module_that_is_no_mlp_is_refused_by_its_place(make, error, message):
    with pytest.raises(error, match=message):
        MLP.from_torch(make())


def test_weights_that_a_hook_makes_are_refused():
    layer = nn.Linear(4, 3)
    prune.random_unstructured(layer, "weight", 0.5)
    with pytest.raises(ValueError, match=r"module\[0\], a Linear, must have no forward pre-hook"):
        MLP.from_torch(nn.Sequential(layer))


def mean_loss(net, loss, theta):
    """Mean loss as a function of the flat parameters, in PyTorch's own terms."""
    act = {"relu": torch.relu, "tanh": torch.tanh, "gelu": nn.functional.gelu, "erf": torch.erf}[net.activation]
    a, start = torch.tensor(X), 0
    for l, (fan_in, fan_out) in enumerate(itertools.pairwise(net.widths)):
        weights = theta[start : start + fan_in * fan_out].reshape(fan_in, fan_out)
        start += fan_in * fan_out
        z = net.scales[l] * (a @ weights) + theta[start : start + fan_out]
        start += fan_out
        a = act(z) if l < len(net.widths) - 2 else z
    if loss == CrossEntropy():
        return nn.functional.cross_entropy(a, torch.tensor(LABELS))
    e = a - torch.eye(3, dtype=torch.float64)[torch.tensor(LABELS)]
    return (e**2).sum(1).sqrt().mean() if loss == LpNorm(2) else (e**loss.n).mean()


@pytest.mark.parametrize("loss", [CrossEntropy(), LpNorm(2), MeanPower(2), MeanPower(4)], ids=lambda loss: loss.name)
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "erf"])
@pytest.mark.parametrize("parametrization", ["standard", "ntk"])
def test_second_derivatives_are_those_of_torch_func(activation, parametrization, loss):
    kind = {"activation": activation, "parametrization": parametrization, "initialization": "pytorch"}
    net = MLP((12, 6, 5, 4, 3), dtype="float64", seed=4, **kind)
    gradient = torch.func.grad(lambda theta: mean_loss(net, loss, theta))
    H = torch.func.jacrev(gradient)(torch.tensor(net.parameters)).numpy()
    data, size = (net, X, LABELS, loss), abs(H).max()
    v = np.random.default_rng(2).normal(size=(net.parameters.size, 2))
    np.testing.assert_allclose(network.hessian_product(*data, v), H @ v, atol=1e-12 * size * abs(v).sum())
    np.testing.assert_allclose(network.hessian_trace(*data), np.trace(H), atol=1e-12 * abs(np.diag(H)).sum())
    np.testing.assert_allclose(network.sharpness(*data), np.linalg.eigvalsh(H)[-1], atol=1e-12 * size * len(H))
