"""Forward and backward passes through dense layers, many samples and many seeds at a time."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.network import activations, slopes

__all__ = [
    "ACTIVATIONS",
    "DTYPES",
    "Delta",
    "Forward",
    "Layer",
    "Workspace",
    "backward",
    "backward_from",
    "can_limit_blas",
    "curvatures",
    "forward",
    "loss_gradient",
    "one_blas_thread",
    "row_squares",
]

Array = NDArray[Any]

ACTIVATIONS = tuple(sorted(activations.__all__))
#: Of parameters and passes.
DTYPES = ("float32", "float64")


class Layer(NamedTuple):
    """Weights (fan_in, fan_out), bias (fan_out,) or None, and the scale of the layer."""

    weights: Array
    bias: Array | None
    scale: float


class Forward(NamedTuple):
    """Inputs of each layer, (N, fan_in); slopes φ′ of each hidden layer, (N, W); outputs, (N, O)."""

    inputs: list[Array]
    slopes: list[Array]
    outputs: Array


class _BlasLimit:
    """One BLAS thread for as long as anybody asks for it.

    The limit is one for the whole process, so users are counted: the first sets it, the last gives back what was.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users: set[object] = set()
        self._limit: Any = None

    def enter(self, user: object) -> None:
        with self._lock:
            self._users.add(user)
            if self._limit is None:
                self._limit = _blas().limit(limits=1, user_api="blas")

    def leave(self, user: object) -> None:
        with self._lock:
            self._users.discard(user)
            if self._limit is not None and not self._users:
                self._limit.restore_original_limits()
                self._limit = None


#: That of this process.
LIMIT = _BlasLimit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Context in which matrix products stay in the thread that asks for them, in several threads at once too.

    Samples and runs are what is parallel. Without threadpoolctl (extra ``mnist``) BLAS keeps the threads it has.
    """
    if not can_limit_blas():
        yield
        return
    user = object()
    try:
        LIMIT.enter(user)
        yield
    finally:
        LIMIT.leave(user)


def can_limit_blas() -> bool:
    """Whether `one_blas_thread` has something to do it by."""
    return _blas() is not None


@cache
def _blas() -> Any:
    try:
        import threadpoolctl  # noqa: PLC0415  (an extra)
    except ImportError:
        return None
    return threadpoolctl.ThreadpoolController()


def forward(layers: Sequence[Layer], activation: str, x: Array) -> Forward:
    """Outputs of the network for inputs x (N, d), perhaps not finite, and what the backward pass needs."""
    activate = compiled_module(activations, contract=True)[activation]
    inputs, found = [x], []
    with np.errstate(over="ignore", invalid="ignore"):  # whoever takes the outputs asks whether they are finite
        for layer in layers[:-1]:
            z = _product(inputs[-1], layer)
            slope = np.empty_like(z)
            activate(z, np.zeros_like(z[0]) if layer.bias is None else layer.bias, slope)
            inputs.append(z)
            found.append(slope)
        outputs = _product(inputs[-1], layers[-1])
        if layers[-1].bias is not None:
            outputs += layers[-1].bias
    return Forward(inputs, found, outputs)


def curvatures(layers: Sequence[Layer], activation: str, passed: Forward) -> list[Array]:
    """Second derivatives φ″ of each hidden layer, (N, W), at what a forward pass went through."""
    bend = compiled_module(activations, contract=True)[f"{activation}_curvature"]
    found = []
    with np.errstate(over="ignore", invalid="ignore"):  # as in the pass itself
        for layer, a in zip(layers[:-1], passed.inputs, strict=False):
            z = _product(a, layer)
            bend(z, np.zeros_like(z[0]) if layer.bias is None else layer.bias)
            found.append(z)
    return found


def _product(a: Array, layer: Layer) -> Array:
    z = a @ layer.weights
    if layer.scale != 1:
        z *= z.dtype.type(layer.scale)
    return np.asarray(z)


class Workspace:
    """Memory that one thread uses again and again: new memory would first have to be cleared by the system."""

    def __init__(self) -> None:
        self._flat: dict[str, Array] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """Uninitialised array; it shares memory with the array of that name before it."""
        size = math.prod(shape)
        if name not in self._flat or self._flat[name].size < size:
            self._flat[name] = np.empty(size, dtype)
        return self._flat[name][:size].reshape(shape)


class Delta:
    """Derivatives ∂(seed · f)/∂z of a layer: ``product`` (N, K, W) times ``slope`` (N, W), None for the outputs.

    A product of shape (1, K, W) stands for every sample.
    """

    def __init__(self, product: Array, slope: Array | None, workspace: Workspace) -> None:
        self.product, self.slope, self.workspace = product, slope, workspace

    def values(self) -> Array:
        """The derivatives themselves, (N, K, W), or (1, K, W) where they are the same for every sample."""
        if self.slope is not None:
            if len(self.product) == len(self.slope):
                compiled_module(slopes, contract=True)["scale"](self.product, self.slope)
            else:
                shape = len(self.slope), *self.product.shape[1:]
                values = self.workspace.array("scaled", shape, self.product.dtype)
                compiled_module(slopes, contract=True)["scaled"](self.product, self.slope, values)
                self.product = values
            self.slope = None
        return self.product

    def squares(self) -> NDArray[np.float64]:
        """Sum of squares over seeds and units, in float64, shape (N,) or (1,)."""
        if self.slope is None:
            return np.asarray(np.einsum("nkw,nkw->n", self.product, self.product, dtype=np.float64))
        if len(self.product) == 1:
            units = np.einsum("kw,kw->w", self.product[0], self.product[0], dtype=np.float64)
            return np.asarray((self.slope * self.slope) @ units)
        out = np.empty(len(self.slope))
        compiled_module(slopes, contract=True)["slope_squares"](self.product, self.slope, out)
        return out

    def combined_squares(self, factor: Array) -> NDArray[np.float64]:
        """Squares of combinations of the seeds by a factor (N, J, K), as of seeds so combined, shape (N,)."""
        shape = *factor.shape[:2], self.product.shape[2]
        product = self.workspace.array("combined", shape, self.product.dtype)
        return Delta(np.matmul(factor, self.product, out=product), self.slope, self.workspace).squares()

    def unit_squares(self) -> NDArray[np.float64]:
        """Sum of squares over seeds of each unit, in float64, shape (N, W) or (1, W)."""
        units = np.einsum("nkw,nkw->nw", self.product, self.product, dtype=np.float64)
        return np.asarray(units if self.slope is None else units * self.slope.astype(np.float64) ** 2)

    def products(self) -> NDArray[np.float64]:
        """Scalar products between samples, summed over seeds, shape (N, N) or (1, 1)."""
        if len(self.product) == 1 and self.slope is not None:
            units = np.einsum("kw,kw->w", self.product[0], self.product[0], dtype=np.float64)
            slope = self.slope.astype(np.float64)
            return np.asarray(slope * units @ slope.T)
        values = self.values().astype(np.float64).reshape(len(self.product), -1)
        return np.asarray(values @ values.T)

    def seed_squares(self) -> NDArray[np.float64]:
        """Sum of squares over units of each seed, in float64, shape (N, K) or (1, K)."""
        if self.slope is None or len(self.product) > 1:
            values = self.values()
            return np.asarray(np.einsum("nkw,nkw->nk", values, values, dtype=np.float64))
        return np.asarray(self.slope.astype(np.float64) ** 2 @ (self.product[0].astype(np.float64) ** 2).T)

    def grams(self) -> NDArray[np.float64]:
        """Scalar products between seeds, shape (N, K, K) or (1, K, K)."""
        if self.slope is None or len(self.product) > 1:
            values = self.values()
            return np.asarray(np.matmul(values, values.swapaxes(1, 2)), dtype=np.float64)
        pairs = np.einsum("aw,bw->wab", self.product[0], self.product[0])
        squares = (self.slope * self.slope) @ pairs.reshape(len(pairs), -1)
        return np.asarray(squares, dtype=np.float64).reshape(-1, *pairs.shape[1:])


def row_squares(a: Array) -> NDArray[np.float64]:
    """Squared length of each row, summed in float64."""
    out = np.empty(len(a))
    compiled_module(slopes, contract=True)["row_squares"](a, out)
    return out


def backward(
    layers: Sequence[Layer], slopes_of: Sequence[Array], seeds: Array, workspace: Workspace | None = None
) -> Iterator[Delta]:
    """Yield the derivatives ∂(seed · f)/∂z_l of each layer, the last first.

    ``seeds`` (N, K, O) are K vectors per sample; (1, K, O) stand for every sample. With a workspace, what a pass yields
    is overwritten by the next one.
    """
    return backward_from(layers, slopes_of, Delta(seeds, None, workspace or Workspace()))


def backward_from(layers: Sequence[Layer], slopes_of: Sequence[Array], delta: Delta) -> Iterator[Delta]:
    """Yield the derivatives by the last of the layers, which are given, and by those below it."""
    yield delta
    for l, slope in zip(range(len(layers) - 1, 0, -1), slopes_of[::-1], strict=True):
        values, layer = delta.values(), layers[l]
        n, k, width = values.shape
        product = delta.workspace.array(f"layer {l}", (n * k, len(layer.weights)), values.dtype)
        if l == len(layers) - 1 and n == 1 and np.array_equal(values[0], np.eye(width)):
            np.copyto(product, layer.weights.T)  # for many outputs that are few samples' most costly product
        else:
            np.matmul(values.reshape(n * k, width), layer.weights.T, out=product)
        if layer.scale != 1:
            product *= product.dtype.type(layer.scale)
        delta = Delta(product.reshape(n, k, -1), slope, delta.workspace)
        yield delta


def loss_gradient(layers: Sequence[Layer], gradients: Sequence[Layer], passed: Forward, r: Array) -> None:
    """Fill ``gradients`` with Σ_n r_n · ∂f_n/∂θ for r (N, O), the derivatives of the loss."""
    deltas = backward(layers, passed.slopes, r[:, None])
    for layer, gradient, a, delta in zip(layers[::-1], gradients[::-1], passed.inputs[::-1], deltas, strict=True):
        values = delta.values()[:, 0]
        np.matmul(a.T, values, out=gradient.weights)
        if layer.scale != 1:
            gradient.weights[:] *= gradient.weights.dtype.type(layer.scale)
        if gradient.bias is not None:
            np.sum(values, axis=0, out=gradient.bias)
