"""Networks of PyTorch and scikit-learn, read as weights and biases; neither is imported for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from infogeom.arguments import array_of, finite_array
from infogeom.network.passes import DTYPES

__all__ = ["Dense", "of_sklearn", "of_torch"]

#: Where PyTorch's own modules are defined; others of their names compute what they like.
TORCH_MODULES = "torch.nn.modules."
#: Names of activations by those of PyTorch's modules.
TORCH_ACTIVATIONS = {"ReLU": "relu", "Tanh": "tanh", "Sigmoid": "sigmoid", "GELU": "gelu"}
#: Modules of PyTorch that may leave their inputs as they are.
TORCH_IDLE = ("Identity", "Flatten", "Dropout")
#: Names of activations by those of scikit-learn, where they differ.
SKLEARN_ACTIVATIONS = {"logistic": "sigmoid"}
SKLEARN_ESTIMATORS = ("MLPClassifier", "MLPRegressor")


class Dense(NamedTuple):
    """What a dense network is made of: weights (fan_in, fan_out), biases or None, and the hidden activation."""

    weights: list[Any]
    biases: list[Any] | None
    activation: str


# --- PyTorch ----------------------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """A module that holds no others, and where it is found."""

    place: str
    kind: str
    module: Any

    def __str__(self) -> str:
        return f"{self.place}, a {self.kind},"


def of_torch(module: Any) -> Dense:
    """Weights, biases and activation of a Sequential of Linear layers with one activation between them."""
    if not callable(getattr(module, "named_children", None)):
        raise TypeError(f"module must be a torch.nn.Sequential, got {type(module).__name__}")
    layers: list[_Part] = []
    between: list[list[_Part]] = [[]]  # activations before each Linear, and after the last
    for part in _parts("module", module):
        if part.kind == "Linear":
            layers.append(part)
            between.append([])
        elif part.kind in TORCH_ACTIVATIONS:
            between[-1].append(part)
    if not layers:
        raise ValueError(f"module must hold a torch.nn.Linear, got {module!r}")

    # Activations stand between layers alone.
    before, *hidden, after = between
    if before:
        raise ValueError(f"{before[0]} comes before the first Linear, where an MLP has none; apply it to the inputs")
    if after:
        raise ValueError(f"{after[0]} comes after the last Linear; outputs of an MLP are linear, leave it to the loss")

    biases = _biases(layers)
    weights = [_numbers(f"{layer.place}.weight", layer.module.weight, 2) for layer in layers]
    dtypes = {array.dtype.name for array in weights + (biases or [])}
    if len(dtypes) > 1:
        raise ValueError(f"module must have one dtype, got {' and '.join(sorted(dtypes))}")

    # A Linear keeps its weights as (fan_out, fan_in).
    return Dense([w.T for w in weights], biases, _activation(layers, hidden))


def _parts(place: str, module: Any) -> Iterator[_Part]:
    """Modules in the order in which they are applied; ValueError for one that an MLP has not."""
    kind, home = type(module).__name__, type(module).__module__
    if getattr(module, "_forward_pre_hooks", None):  # its parameters are made anew before each pass
        raise ValueError(
            f"{place}, a {kind}, must have no forward pre-hook (old weight_norm, pruning); remove it first"
        )
    if kind == "Sequential" and home.startswith(TORCH_MODULES):
        for k, child in enumerate(module):  # unlike named_children, one that comes twice is met twice
            yield from _parts(f"{place}[{k}]", child)
        return
    if not home.startswith(TORCH_MODULES) or kind not in ("Linear", *TORCH_ACTIVATIONS, *TORCH_IDLE):
        known = ", ".join(("Sequential", "Linear", *TORCH_ACTIVATIONS, *TORCH_IDLE))
        raise ValueError(f"{place} must be one of torch.nn's {known}, got {home}.{kind}")
    part = _Part(place, kind, module)
    _check_settings(part)
    yield part


def _check_settings(part: _Part) -> None:
    """Raise ValueError for a module that by its settings is no part of an MLP."""
    module = part.module
    if part.kind == "GELU" and module.approximate != "none":
        raise ValueError(f"{part} must have approximate='none', got {module.approximate!r}")
    if part.kind == "Flatten" and (module.start_dim, module.end_dim) != (1, -1):
        raise ValueError(f"{part} must flatten all but samples, got dimensions {module.start_dim} to {module.end_dim}")
    if part.kind == "Dropout" and module.training and module.p:
        raise ValueError(f"{part} must be in evaluation mode, got p={module.p} in training; call module.eval() first")


def _activation(layers: Sequence[_Part], between: Sequence[Sequence[_Part]]) -> str:
    """The activation of all hidden layers; of none where nothing comes between them."""
    found, told = [], []
    for layer, parts in zip(layers[1:], between, strict=True):
        if len(parts) > 1:
            raise ValueError(f"{parts[1]} follows on {parts[0].place}; an MLP has one activation a layer")
        found.append(TORCH_ACTIVATIONS[parts[0].kind] if parts else "identity")
        told.append(f"{parts[0].kind} at {parts[0].place}" if parts else f"none before {layer.place}")
    for name, where in zip(found, told, strict=True):
        if name != found[0]:
            raise ValueError(f"module must have one activation for all hidden layers, got {told[0]} and {where}")
    return found[0] if found else "relu"


def _biases(layers: Sequence[_Part]) -> list[Any] | None:
    """Biases of all layers, None where no layer has one."""
    having = [layer.place for layer in layers if layer.module.bias is not None]
    without = [layer.place for layer in layers if layer.module.bias is None]
    if having and without:
        raise ValueError(
            f"module must have a bias in every Linear or in none, got one at {having[0]} and none at {without[0]}"
        )
    return [_numbers(f"{layer.place}.bias", layer.module.bias, 1) for layer in layers] if having else None


def _numbers(name: str, tensor: Any, ndim: int) -> NDArray[Any]:
    """Array of a tensor in the dtype that it has, which a network may have too."""
    finite_array(name, tensor, ndim, copy=False)
    found = array_of(tensor)
    if found.dtype.name not in DTYPES:
        raise ValueError(f"{name} must be of {' or '.join(DTYPES)}, got {found.dtype.name}")
    return found


# --- scikit-learn -----------------------------------------------------------------------------------------------------


def of_sklearn(estimator: Any) -> Dense:
    """Weights, biases and activation of a fitted MLPClassifier or MLPRegressor."""
    classes = [of for of in type(estimator).__mro__ if of.__module__.startswith("sklearn.")]
    if not any(of.__name__ in SKLEARN_ESTIMATORS for of in classes):
        told = " or ".join(SKLEARN_ESTIMATORS)
        raise TypeError(f"estimator must be a fitted {told} of scikit-learn, got {type(estimator).__name__}")
    if not hasattr(estimator, "coefs_"):
        raise ValueError(f"estimator must be fitted, got {estimator!r} without coefs_")
    activation = SKLEARN_ACTIVATIONS.get(estimator.activation, estimator.activation)
    return Dense(list(estimator.coefs_), list(estimator.intercepts_), activation)
