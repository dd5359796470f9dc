"""Update rules of gradient-based training, shared by the networks on data sets and the two-parameter models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeom.arguments import check_positive, check_real
from infogeom.kernels.compiled.compile import compiled_module
from infogeom.optimizers import updates

__all__ = ["SGD", "Adam", "Optimizer"]

Array = NDArray[Any]
#: Share of the root of the dtype's largest number from which on a gradient is large.
SAFE_SHARE = 1 - 2.0**-6
#: Second moments in units of their own, in which the dtype's largest number is 2^−4, stay so from this size on.
LEAST_SCALED = 2.0**-5


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
        check_positive("learning_rate", self.learning_rate)
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
        check_positive("learning_rate", self.learning_rate)
        _check_fraction("beta1", self.beta1)
        _check_fraction("beta2", self.beta2)
        check_positive("epsilon", self.epsilon)

    def start(self, parameters: Array) -> tuple[Array, ...]:
        """First and second moment of the gradient.

        Where the second moment v is beyond the parameters' dtype, its place holds −v u² with a power of two u.
        """
        return np.zeros_like(parameters), np.zeros_like(parameters)

    def update(self, parameters: Array, gradient: Array, state: tuple[Array, ...], step: int) -> None:
        """Change ``parameters`` and ``state`` in place."""
        numbers = (
            self.learning_rate / (1 - self.beta1**step),
            (1 - self.beta2**step) ** -0.5,
            *(self.beta1, 1 - self.beta1, self.beta2, 1 - self.beta2, self.epsilon),
        )
        arrays, typed = (parameters, gradient, *state), [parameters.dtype.type(number) for number in numbers]
        kernels, bound = compiled_module(updates, contract=True), _root_of_largest(parameters) * SAFE_SHARE
        if kernels["any_large"](gradient, state[1], bound):
            large = np.flatnonzero((abs(gradient) >= bound) | (state[1] < 0))
            before = parameters[large], state[1][large]
            kernels["adam"](*arrays, *typed)
            self._update_scaled(arrays, typed, large, before)
        else:
            kernels["adam"](*arrays, *typed)

    @staticmethod
    def _update_scaled(
        arrays: Sequence[Array], numbers: Sequence[Any], large: Array, before: tuple[Array, Array]
    ) -> None:
        """Parameters and second moments of those entries anew whose squares may be beyond the dtype."""
        (parameters, gradient, first, second), (theta, kept) = arrays, before
        rate, root_correction, _, _, beta2, one_minus_beta2, epsilon = numbers
        unit = parameters.dtype.type(0.25) / _root_of_largest(parameters)
        with np.errstate(over="ignore", invalid="ignore"):  # of what is not chosen, or infinite as it comes
            scaled = gradient[large] * unit
            was = np.where(kept < 0, -kept, kept * unit * unit)
            v = beta2 * was + one_minus_beta2 * (scaled * scaled)
            root = np.sqrt(v) / unit
            second[large] = np.where(v >= LEAST_SCALED, -v, v / unit / unit)
            parameters[large] = theta - rate * first[large] / (root * root_correction + epsilon)


def _root_of_largest(parameters: Array) -> Any:
    """Power of two whose square is the first beyond the dtype."""
    real = parameters.dtype.type
    return real(2.0 ** (np.finfo(real).maxexp // 2))


def __dir__() -> list[str]:
    return sorted(__all__)
