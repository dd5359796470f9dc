"""Update rules of gradient-based training, shared by the networks on data sets and the two-parameter models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeom.arguments import check_real
from infogeom.kernels.compiled.compile import compiled_module
from infogeom.optimizers import updates

__all__ = ["SGD", "Adam", "Optimizer"]

Array = NDArray[Any]


class Optimizer(ABC):
    """What the update rules have in common: a learning rate, and a state of arrays like the parameters.

    Examples
    --------
    >>> import infogeom as ig
    >>> isinstance(ig.optimizers.SGD(0.1), ig.optimizers.Optimizer)
    True
    """

    learning_rate: float

    @abstractmethod
    def start(self, parameters: Array) -> tuple[Array, ...]:
        """State before the first update: arrays of zeros, of the parameters' shape and dtype."""

    @abstractmethod
    def update(self, parameters: Array, gradient: Array, state: tuple[Array, ...], step: int) -> None:
        """Change ``parameters`` and ``state`` in place; ``step`` counts from 1.  All arrays are one-dimensional."""


def _check_fraction(name: str, value: float) -> None:
    check_real(name, value)
    if not 0 <= value < 1:
        raise ValueError(f"{name} must lie in [0, 1), got {value}")


def _check_positive(name: str, value: float) -> None:
    check_real(name, value)
    if not (value > 0 and np.isfinite(value)):
        raise ValueError(f"{name} must be positive and finite, got {value}")


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent with momentum, v ← μ v + ∇L, θ ← θ − η v; plain for μ = 0 (Eq. 2.3.6).

    Parameters
    ----------
    learning_rate : float
        η, positive and finite.
    momentum : float
        μ in [0, 1).

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> rule = ig.optimizers.SGD(0.1)
    >>> theta, gradient = np.array([1.0, 2.0]), np.array([5.0, 0.0])
    >>> rule.update(theta, gradient, rule.start(theta), step=1)
    >>> theta
    array([0.5, 2. ])
    """

    learning_rate: float
    momentum: float = 0.0

    def __post_init__(self) -> None:
        _check_positive("learning_rate", self.learning_rate)
        _check_fraction("momentum", self.momentum)

    def start(self, parameters: Array) -> tuple[Array, ...]:
        """One velocity per parameter."""
        return (np.zeros_like(parameters),)

    def update(self, parameters: Array, gradient: Array, state: tuple[Array, ...], step: int) -> None:
        """Change ``parameters`` and ``state`` in place."""
        real = parameters.dtype.type
        compiled_module(updates, contract=True)["sgd"](
            parameters, gradient, *state, real(self.learning_rate), real(self.momentum)
        )


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam (Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, Algorithm 1).

    Parameters
    ----------
    learning_rate : float
        Their α, positive and finite.
    beta1, beta2 : float
        Decay of the first and the second moment, in [0, 1).
    epsilon : float
        Added to the root of the second moment, positive.

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> rule = ig.optimizers.Adam(0.1)
    >>> theta, gradient = np.array([1.0, 2.0]), np.array([10.0, 0.0])
    >>> rule.update(theta, gradient, rule.start(theta), step=1)
    >>> theta.round(4)
    array([0.9, 2. ])
    """

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        _check_positive("learning_rate", self.learning_rate)
        _check_fraction("beta1", self.beta1)
        _check_fraction("beta2", self.beta2)
        _check_positive("epsilon", self.epsilon)

    def start(self, parameters: Array) -> tuple[Array, ...]:
        """First and second moment of the gradient."""
        return np.zeros_like(parameters), np.zeros_like(parameters)

    def update(self, parameters: Array, gradient: Array, state: tuple[Array, ...], step: int) -> None:
        """Change ``parameters`` and ``state`` in place."""
        numbers = (
            self.learning_rate / (1 - self.beta1**step),
            (1 - self.beta2**step) ** -0.5,
            *(self.beta1, 1 - self.beta1, self.beta2, 1 - self.beta2, self.epsilon),
        )
        compiled_module(updates, contract=True)["adam"](
            parameters, gradient, *state, *map(parameters.dtype.type, numbers)
        )


def __dir__() -> list[str]:
    return sorted(__all__)
