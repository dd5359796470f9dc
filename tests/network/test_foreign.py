"""Networks of PyTorch, by modules that stand in for its own, and of scikit-learn."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from scipy.special import expit, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor

from infogeom.losses import CrossEntropy
from infogeom.network import MLP
from tests import torch_like as nn

Array = np.ndarray[Any, np.dtype[Any]]

RNG = np.random.default_rng(6)
X = RNG.normal(size=(9, 4))
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "identity": nn.Identity,
}


# --- PyTorch ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_of_a_module_has_its_outputs(activation: str, bias: bool) -> None:
    act = ACTIVATIONS[activation]
    layers = [nn.Linear(i, o, bias, dtype="float64") for i, o in ((4, 6), (6, 6), (6, 3))]
    module = nn.Sequential(layers[0], act(), layers[1], act(), layers[2])
    net = MLP.from_torch(module)
    np.testing.assert_allclose(net.output(X), module(X), rtol=1e-13, atol=1e-14)
    assert (net.widths, net.activation, net.bias, net.dtype) == ((4, 6, 6, 3), activation, bias, "float64")
    assert net.parametrization == "standard"


def test_a_square_layer_is_not_taken_the_wrong_way_round() -> None:
    layer = nn.Linear(4, 4)
    np.testing.assert_array_equal(MLP.from_torch(layer).to_arrays()[0][0], np.asarray(layer.weight.detach()).T)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_of_a_module_is_kept(dtype: str) -> None:
    net = MLP.from_torch(nn.Sequential(nn.Linear(4, 3, dtype=dtype, device="cuda:0")))
    assert (net.dtype, net.parameters.dtype) == (dtype, dtype)


def test_modules_in_modules_are_gone_through_and_idle_ones_left_out() -> None:
    block = nn.Sequential(nn.Linear(6, 5), nn.Dropout(0.3), nn.Sequential(nn.Tanh(), nn.Identity()))
    module = nn.Sequential(
        nn.Flatten(), nn.Linear(4, 6), nn.Tanh(), block, nn.Dropout(), nn.Linear(5, 3), nn.Identity()
    )
    module.eval()
    net = MLP.from_torch(module)
    assert (net.widths, net.activation) == ((4, 6, 5, 3), "tanh")
    images = X.astype(np.float32).reshape(9, 2, 2)
    np.testing.assert_allclose(net.output(images.reshape(9, 4)), module(images), rtol=1e-5)


def test_one_activation_that_is_used_twice_comes_twice() -> None:
    act = nn.ReLU()
    module = nn.Sequential(nn.Linear(4, 6), act, nn.Linear(6, 5), act, nn.Linear(5, 3))
    assert len(list(module.named_children())) == 4  # where it would be missed
    net = MLP.from_torch(module)
    assert net.activation == "relu"
    np.testing.assert_allclose(net.output(X), module(X.astype(np.float32)), rtol=1e-4, atol=1e-6)


def test_one_layer_that_is_used_twice_is_two_layers() -> None:
    layer = nn.Linear(4, 4)
    net = MLP.from_torch(nn.Sequential(layer, nn.ReLU(), layer))
    assert net.parameters.size == 40


def test_a_network_keeps_the_parameters_that_the_module_had() -> None:
    module = nn.Sequential(nn.Linear(4, 3))
    net = MLP.from_torch(module)
    before = net.parameters.copy()
    for layer in module:
        layer.weight._values[:] = 7  # type: ignore[attr-defined]  # as a step of training does
    np.testing.assert_array_equal(net.parameters, before)


def test_dropout_of_nothing_may_be_in_training() -> None:
    assert MLP.from_torch(nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.0))).widths == (4, 3)


@given(st.lists(st.integers(1, 5), min_size=2, max_size=5), st.sampled_from(sorted(ACTIVATIONS)), st.booleans())
def test_a_module_of_any_widths_is_the_network_of_its_arrays(widths: list[int], activation: str, bias: bool) -> None:
    parts: list[nn.Module] = []
    for k, (i, o) in enumerate(pairwise(widths)):
        parts += [nn.Linear(i, o, bias, dtype="float64", seed=k), ACTIVATIONS[activation]()]
    module, x = nn.Sequential(*parts[:-1]), np.ones((3, widths[0])) * [[0.5], [-1.0], [2.0]]
    np.testing.assert_allclose(MLP.from_torch(module).output(x), module(x), rtol=1e-12, atol=1e-12)


def test_torch_is_not_imported() -> None:
    before = "torch" in sys.modules  # by somebody else
    MLP.from_torch(nn.Linear(4, 3))
    assert ("torch" in sys.modules) == before


#: A Linear of somebody's own, which may compute anything.
Own = type("Linear", (nn.Linear,), {"__module__": "project.layers"})


class Net(nn.Module):
    """A module that holds a Sequential, as most do."""

    __module__ = "project.nets"

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 3))


def hooked() -> nn.Linear:
    layer = nn.Linear(4, 3)
    layer._forward_pre_hooks[0] = print
    return layer


def filled(value: float) -> nn.Linear:
    layer = nn.Linear(4, 3)
    layer.weight._values[1, 2] = value
    return layer


L = nn.Linear
#: What is no network, and what is said of it.
NO_NETWORKS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "an array": (lambda: X, TypeError, "module must be a torch.nn.Sequential, got ndarray"),
    "a layer that we do not have": (
        lambda: nn.Sequential(L(4, 5), nn.Sequential(nn.BatchNorm1d(), nn.ReLU()), L(5, 3)),
        ValueError,
        r"module\[1\]\[0\] must be one of torch.nn's Sequential, Linear, ReLU, .*, got torch.nn.*\.BatchNorm1d",
    ),
    "a softmax": (lambda: nn.Sequential(L(4, 3), nn.LogSoftmax()), ValueError, r"module\[1\] must .*\.LogSoftmax"),
    "somebody's own layer": (lambda: nn.Sequential(Own(4, 3)), ValueError, r"module\[0\] .* project.layers.Linear"),
    "a module around": (Net, ValueError, "module must be one of torch.nn's .*, got project.nets.Net"),
    "nothing": (nn.Sequential, ValueError, "module must hold a torch.nn.Linear, got "),
    "activations alone": (lambda: nn.Sequential(nn.Identity()), ValueError, "module must hold a torch.nn.Linear, got "),
    "an activation before all": (
        lambda: nn.Sequential(nn.Tanh(), L(4, 3)), ValueError, r"module\[0\], a Tanh, comes before the first Linear"
    ),
    "an activation after all": (
        lambda: nn.Sequential(L(4, 3), nn.Sigmoid()), ValueError, r"module\[1\], a Sigmoid, comes after the last Linear"
    ),
    "two activations at once": (
        lambda: nn.Sequential(L(4, 5), nn.ReLU(), nn.Sequential(nn.ReLU()), L(5, 3)),
        ValueError,
        r"module\[2\]\[0\], a ReLU, follows on module\[1\]; an MLP has one activation a layer",
    ),
    "two kinds": (
        lambda: nn.Sequential(L(4, 5), nn.ReLU(), L(5, 5), nn.Tanh(), L(5, 3)),
        ValueError,
        r"one activation for all hidden layers, got ReLU at module\[1\] and Tanh at module\[3\]",
    ),
    "an activation that is missing": (
        lambda: nn.Sequential(L(4, 5), nn.ReLU(), L(5, 5), nn.Identity(), L(5, 3)),
        ValueError,
        r"got ReLU at module\[1\] and none before module\[4\]",
    ),
    "a bias that is missing": (
        lambda: nn.Sequential(L(4, 5, bias=False), nn.ReLU(), L(5, 3)),
        ValueError,
        r"a bias in every Linear or in none, got one at module\[2\] and none at module\[0\]",
    ),
    "another GELU": (
        lambda: nn.Sequential(L(4, 5), nn.GELU("tanh"), L(5, 3)),
        ValueError,
        r"module\[1\], a GELU, must have approximate='none', got 'tanh'",
    ),
    "a Flatten of samples": (
        lambda: nn.Sequential(nn.Flatten(0), L(4, 3)),
        ValueError,
        r"module\[0\], a Flatten, must flatten all but samples, got dimensions 0 to -1",
    ),
    "a Flatten of a part": (lambda: nn.Sequential(nn.Flatten(1, 2), L(4, 3)), ValueError, "got dimensions 1 to 2"),
    "dropout in training": (
        lambda: nn.Sequential(L(4, 3), nn.Dropout(0.25)),
        ValueError,
        r"module\[1\], a Dropout, must be in evaluation mode, got p=0.25 in training; call module.eval\(\) first",
    ),
    "weights that a hook makes": (
        lambda: nn.Sequential(hooked()), ValueError, r"module\[0\], a Linear, must have no forward pre-hook"
    ),
    "half precision": (
        lambda: nn.Sequential(L(4, 3, dtype="float16")),
        ValueError,
        r"module\[0\].bias must be of float32 or float64, got float16",
    ),
    "two precisions": (
        lambda: nn.Sequential(L(4, 5), nn.ReLU(), L(5, 3, dtype="float64")),
        ValueError,
        "module must have one dtype, got float32 and float64",
    ),
    "no numbers": (
        lambda: nn.Sequential(L(4, 3, bias=False, device="meta")),
        TypeError,
        r"module\[0\].weight must hold real numbers: Cannot copy out of meta tensor",
    ),
    "weights of nan": (
        lambda: nn.Sequential(filled(np.nan)), ValueError, r"module\[0\].weight must be finite, got nan at .*\(1, 2\)"
    ),
    "layers that do not fit": (
        lambda: nn.Sequential(L(4, 5), nn.ReLU(), L(6, 3)), ValueError, r"weights\[1\] must have 5 rows"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NO_NETWORKS)
def test_a_module_that_is_no_mlp_is_refused_by_its_place(case: str) -> None:
    make, error, message = NO_NETWORKS[case]
    with pytest.raises(error, match=message):
        MLP.from_torch(make())


# --- scikit-learn -----------------------------------------------------------------------------------------------------

LABELS = np.array([0, 2, 1, 1, 2, 0, 0, 1, 2])
NAMES = {"relu": "relu", "tanh": "tanh", "logistic": "sigmoid", "identity": "identity"}


def fitted(estimator: Any, y: Array, x: Array = X) -> Any:
    """The estimator after a few steps, which is as good as trained here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return estimator.set_params(max_iter=5, random_state=0).fit(x, y)


@pytest.mark.parametrize("activation", NAMES)
@pytest.mark.parametrize("layers", [(), (6,), (5, 7)], ids=str)
def test_a_regressor_predicts_the_outputs(activation: str, layers: tuple[int, ...]) -> None:
    y = RNG.normal(size=(9, 2))
    estimator = fitted(MLPRegressor(hidden_layer_sizes=layers, activation=activation), y)
    net = MLP.from_sklearn(estimator)
    np.testing.assert_allclose(net.output(X), estimator.predict(X), rtol=1e-12, atol=1e-13)
    assert (net.widths, net.activation, net.dtype) == ((4, *layers, 2), NAMES[activation], "float64")


def test_outputs_of_a_classifier_are_logits_of_its_probabilities() -> None:
    estimator = fitted(MLPClassifier((6,)), np.array(list("abc"))[LABELS])
    net = MLP.from_sklearn(estimator)
    np.testing.assert_allclose(softmax(net.output(X), axis=1), estimator.predict_proba(X), rtol=1e-12)
    loss = CrossEntropy().values(net.output(X).astype(float), np.eye(3)[LABELS]).mean()
    assert loss == pytest.approx(log_loss(np.array(list("abc"))[LABELS], estimator.predict_proba(X)), rel=1e-12)


def test_a_classifier_of_two_classes_has_one_logit() -> None:
    labels = LABELS > 0
    estimator = fitted(MLPClassifier((6,)), labels)
    net = MLP.from_sklearn(estimator)
    assert net.widths == (4, 6, 1)
    np.testing.assert_allclose(expit(net.output(X)[:, 0]), estimator.predict_proba(X)[:, 1], rtol=1e-12)
    loss = CrossEntropy().values(net.output(X).astype(float), labels[:, None].astype(float)).mean()
    assert loss == pytest.approx(log_loss(labels, estimator.predict_proba(X)), rel=1e-12)


def test_a_classifier_of_several_labels_has_the_logit_of_each() -> None:
    estimator = fitted(MLPClassifier((6,)), np.stack([LABELS > 0, LABELS > 1, LABELS == 1], axis=1).astype(int))
    np.testing.assert_allclose(expit(MLP.from_sklearn(estimator).output(X)), estimator.predict_proba(X), rtol=1e-12)


@pytest.mark.skipif(Version(sklearn.__version__) < Version("1.7"), reason="MLPRegressor has one loss before")
def test_outputs_of_a_poisson_regressor_are_before_its_exponential() -> None:
    estimator = fitted(MLPRegressor(hidden_layer_sizes=(6,), loss="poisson"), LABELS + 1.0)
    np.testing.assert_allclose(np.exp(MLP.from_sklearn(estimator).output(X)[:, 0]), estimator.predict(X), rtol=1e-12)


def test_an_estimator_of_float32_keeps_it() -> None:
    x = X.astype(np.float32)
    net = MLP.from_sklearn(fitted(MLPRegressor(hidden_layer_sizes=(6,)), x[:, 0], x))
    assert net.dtype == "float32"


def test_a_network_keeps_the_parameters_that_the_estimator_had() -> None:
    estimator = fitted(MLPRegressor(hidden_layer_sizes=(6,)), X[:, 0])
    net = MLP.from_sklearn(estimator)
    before = net.parameters.copy()
    estimator.coefs_[0][:] = 7
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize(
    ("estimator", "error", "message"),
    [
        (MLPClassifier((6,)), ValueError, r"estimator must be fitted, got MLPClassifier\(.*\) without coefs_"),
        (
            LogisticRegression(),
            TypeError,
            "estimator must be a fitted MLPClassifier or MLPRegressor .* got LogisticReg",
        ),
        (X, TypeError, "estimator must be a fitted MLPClassifier or MLPRegressor of scikit-learn, got ndarray"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_fitted_network_is_refused(estimator: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        MLP.from_sklearn(estimator)
