"""Settings of optimizers: update rules, which networks and two-parameter models share, and second-order ones.

Update rules take gradients and nothing else.  Second-order optimizers take what the samples say of a network's geometry
too: they are settings alone, and `infogeom.network` makes their steps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeom.arguments import check_count, check_fisher, check_positive, check_real
from infogeom.kernels.compiled.compile import compiled_module
from infogeom.optimizers import updates

__all__ = ["KFAC", "SGD", "Adam", "Descent", "NaturalGradient", "Optimizer", "SecondOrder"]

Array = NDArray[Any]
#: Share of the root of the dtype's largest number from which on a gradient is large.
SAFE_SHARE = 1 - 2.0**-6
#: Second moments in units of their own, in which the dtype's largest number is 2^−4, stay so from this size on.
LEAST_SCALED = 2.0**-5


class Descent(ABC):
    """What all optimizers have in common: a learning rate.

    Examples
    --------
    >>> import infogeom as ig
    >>> isinstance(ig.optimizers.Adam(), ig.optimizers.Descent)
    True
    """

    learning_rate: float

    @property
    def calmer(self) -> str:
        """In words, the settings to try where training diverges."""
        return f"a learning_rate below {self.learning_rate:g}"


class Optimizer(Descent):
    """What the update rules have in common: a learning rate, and a state of arrays like the parameters.

    Examples
    --------
    >>> import infogeom as ig
    >>> isinstance(ig.optimizers.SGD(0.1), ig.optimizers.Optimizer)
    True
    """

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


# --- On the manifold of the network's distributions -------------------------------------------------------------------


class SecondOrder(Descent):
    """What optimizers have in common whose steps take the Fisher information of a batch: damping, and which Fisher.

    They are for networks, in `infogeom.network.fit` and `infogeom.network.study`.

    Examples
    --------
    >>> import infogeom as ig
    >>> isinstance(ig.optimizers.NaturalGradient(0.1, 1e-2), ig.optimizers.SecondOrder)
    True
    """

    damping: float
    fisher: str

    def __post_init__(self) -> None:
        check_positive("learning_rate", self.learning_rate)
        check_positive("damping", self.damping)
        check_fisher(self.fisher)

    @property
    def calmer(self) -> str:
        """In words, the settings to try where training diverges."""
        return f"{super().calmer} or a damping above {self.damping:g}"


@dataclass(frozen=True)
class NaturalGradient(SecondOrder):
    """Natural gradient descent, θ ← θ − η (F + λ 1)⁻¹ ∇L with gradient and Fisher information of the same batch.

    Exact, whatever the number of parameters: solved for the coefficients of the batch's gradients, in float64 for
    float32 networks too (`infogeom.network.natural_gradient`). Amari, "Natural gradient works efficiently in learning",
    Neural Computation 10, 1998, has the Fisher information over labels of the model, ``fisher="expected"``.

    Parameters
    ----------
    learning_rate : float
        η, positive and finite.
    damping : float
        λ, added to the diagonal, positive and finite. As λ grows, λ times the step becomes that of gradient descent.
    fisher : {"empirical", "expected"}
        Over the labels of the data, or over those of the model, where a step takes as many times longer as labels go.

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> net, x, y = ig.network.MLP((2, 1, 2), seed=1, dtype="float64"), [[1.0, 0.5], [0.2, -1.0]], [[1, 0], [0, 1]]
    >>> loss, rule = ig.losses.CrossEntropy(), ig.optimizers.NaturalGradient(0.5, damping=0.1)
    >>> record = ig.network.fit(net, x, y, loss, epochs=1, optimizer=rule, batch_size=None)
    >>> ((net.parameters - record.parameters.values) / 0.5).round(4)  # natural_gradient(net, x, y, loss, damping=0.1)
    array([-0.8273, -0.4137, -0.8273, -0.2709,  0.2709,  0.612 , -0.612 ])
    """

    learning_rate: float
    damping: float
    fisher: str = "empirical"


@dataclass(frozen=True)
class KFAC(SecondOrder):
    """K-FAC, θ_l ← θ_l − η (A_l ⊗ G_l + λ 1)⁻¹ ∇_l L for each layer l, with running averages of both factors.

    A_l and G_l are those of `infogeom.network.kfac` on each batch; after k batches the earlier ones keep the share
    min(1 − 1/k, decay), so that averages begin as plain ones (Martens and Grosse, "Optimizing Neural Networks with
    Kronecker-factored Approximate Curvature", ICML 2015, Sec. 5). The damping is added to the product itself, exactly,
    by eigenvectors of both factors, as ``solve(v, damping)`` of a Kronecker block does; theirs is split between the
    factors. There is neither momentum nor a bound on the step. A checkpoint holds factors and eigenvectors, for a layer
    of p inputs, the bias among them, and m units 12 (p² + m²) bytes with float32: 37 MB for 784–784–784–10.

    Parameters
    ----------
    learning_rate : float
        η, positive and finite.
    damping : float
        λ, positive and finite.
    decay : float
        Share of the earlier averages in new ones, in [0, 1).
    interval : int
        Steps between decompositions into eigenvectors, from the first step on; averages are taken at every step.
    fisher : {"empirical", "expected"}
        Over the labels of the data, or over those of the model.

    Examples
    --------
    >>> import infogeom as ig
    >>> x, y = ig.network.load_digits()
    >>> rule = ig.optimizers.KFAC(0.1, damping=1e-2, fisher="expected")
    >>> net, loss = ig.network.MLP((64, 32, 10)), ig.losses.CrossEntropy()
    >>> bool(ig.network.fit(net, x, y, loss, epochs=3, optimizer=rule).accuracy[-1] > 0.9)
    True
    """

    learning_rate: float
    damping: float
    decay: float = 0.95
    interval: int = 10
    fisher: str = "empirical"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_fraction("decay", self.decay)
        check_count("interval", self.interval)


def _root_of_largest(parameters: Array) -> Any:
    """Power of two whose square is the first beyond the dtype."""
    real = parameters.dtype.type
    return real(2.0 ** (np.finfo(real).maxexp // 2))


def __dir__() -> list[str]:
    return sorted(__all__)
