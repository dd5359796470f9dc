"""Steps of optimizers on batches of samples: what settings of `infogeom.optimizers` do to a network's parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from infogeom.losses import Loss
from infogeom.network.blocks import finite
from infogeom.network.damped import DampingError, seeded_gradients, system
from infogeom.network.kronecker_blocks import eigen, places, solved
from infogeom.network.mlp import MLP
from infogeom.network.passes import Forward, Workspace, forward, loss_gradient
from infogeom.network.seeds import fisher_seeds
from infogeom.network.sides import sides
from infogeom.network.solving import naturally
from infogeom.optimizers import KFAC, Descent, NaturalGradient, Optimizer

__all__ = ["Steps", "steps_of"]

Array = NDArray[Any]
O = TypeVar("O", bound=Descent)


@dataclass(frozen=True, eq=False)
class Steps(ABC, Generic[O]):
    """Steps of an optimizer for a network and a loss, whose state is a tuple of arrays."""

    optimizer: O
    net: MLP
    loss: Loss
    workspace: Workspace = field(default_factory=Workspace)

    @abstractmethod
    def start(self, samples: int) -> tuple[Array, ...]:
        """State before the first step; ValueError where batches of so many samples are too many."""

    @abstractmethod
    def update(self, parameters: Array, state: tuple[Array, ...], x: Array, y: Array, step: int) -> None:
        """Change ``parameters`` and ``state`` in place by a batch; ``step`` counts from 1.

        Raises
        ------
        OverflowError
            When numbers that a step is made of leave the floating-point range.
        """

    def gradient(self, parameters: Array, x: Array, y: Array) -> tuple[Array, Forward]:
        """Gradient of the mean loss of a batch, which the next one overwrites, and the forward pass."""
        layers = self.net.layers(parameters)
        passed = forward(layers, self.net.activation, x)
        r = self.loss.gradient(passed.outputs.astype(np.float64), y) / len(x)
        gradient = self.workspace.array("gradient", parameters.shape, parameters.dtype)
        loss_gradient(layers, self.net.layers(gradient), passed, r.astype(parameters.dtype))
        return gradient, passed


class GradientSteps(Steps[Optimizer]):
    """Steps of an update rule, which takes gradients alone; whoever uses the parameters asks if they are finite."""

    def start(self, samples: int) -> tuple[Array, ...]:
        """State of the rule."""
        return self.optimizer.start(self.net.parameters)

    def update(self, parameters: Array, state: tuple[Array, ...], x: Array, y: Array, step: int) -> None:
        """Change ``parameters`` and ``state`` in place."""
        gradient, _ = self.gradient(parameters, x, y)
        self.optimizer.update(parameters, gradient, state, step)


class NaturalSteps(Steps[NaturalGradient]):
    """Steps along the natural gradient, solved in float64, as products in float32 may leave four digits of a step."""

    def start(self, samples: int) -> tuple[Array, ...]:
        """No state."""
        nothing = np.zeros((1, self.net.widths[-1]))
        seeded_gradients(self.net, samples, fisher_seeds(self.loss, nothing, self.optimizer.fisher))
        return ()

    def update(self, parameters: Array, state: tuple[Array, ...], x: Array, y: Array, step: int) -> None:
        """Change ``parameters`` in place."""
        net = replace(self.net, dtype="float64", parameters=parameters)
        rule, inputs = self.optimizer, x.astype(np.float64)
        try:
            fisher = system(net, inputs, fisher_seeds(self.loss, y, rule.fisher), rule.damping)
        except DampingError as error:
            raise OverflowError(str(error)) from None
        _descend(parameters, rule.learning_rate, naturally(fisher, self.loss, y, rule.fisher))


class KroneckerSteps(Steps[KFAC]):
    """Steps of K-FAC; its state is, layer by layer, A, G, and eigenvalues and eigenvectors of both.

    Eigenvectors are of the network's dtype, as the gradient is, which has been rounded as they are.
    """

    def start(self, samples: int) -> tuple[Array, ...]:
        """Zeros, which the first step leaves no share."""
        state: list[Array] = []
        for fan_in, fan_out in zip(self.net.widths, self.net.widths[1:], strict=False):
            sizes = fan_in + self.net.bias, fan_out
            state += [np.zeros((size, size)) for size in sizes]
            for size in sizes:
                state += [np.zeros(size), np.zeros((size, size), self.net.dtype)]
        return tuple(state)

    def update(self, parameters: Array, state: tuple[Array, ...], x: Array, y: Array, step: int) -> None:
        """Change ``parameters`` and ``state`` in place."""
        rule, layers = self.optimizer, [state[start : start + 6] for start in range(0, len(state), 6)]
        gradient, passed = self.gradient(parameters, x, y)
        kept, seeds = min(1 - 1 / step, rule.decay), fisher_seeds(self.loss, y, rule.fisher)

        # Averages of both factors, of the last layer first.
        both = sides(self.net, self.net.layers(parameters), passed, seeds)
        for (A, G, *_), (inputs, outputs) in zip(layers[::-1], both, strict=True):
            for average, side in ((A, inputs), (G, outputs)):
                average *= kept
                average += (1 - kept) * finite(side.moment())

        direction = np.empty_like(gradient)
        for place, (A, G, *of_both) in zip(places(self.net), layers, strict=True):
            if (step - 1) % rule.interval == 0:
                for kept_as, found in zip(of_both, (*eigen(A), *eigen(G)), strict=True):
                    kept_as[:] = found
            a, U, g, W = of_both
            along = gradient[place].reshape(len(A), len(G))
            direction[place] = solved((U, W), np.outer(a, g), along, rule.damping).ravel()
        _descend(parameters, rule.learning_rate, direction)


#: Steps of each kind of optimizer.
STEPS_OF: Mapping[type[Descent], type[Steps[Any]]] = {
    Optimizer: GradientSteps,
    NaturalGradient: NaturalSteps,
    KFAC: KroneckerSteps,
}


def steps_of(optimizer: Descent, net: MLP, loss: Loss) -> Steps[Any]:
    """Steps of an optimizer, by its type."""
    for kind, steps in STEPS_OF.items():
        if isinstance(optimizer, kind):
            return steps(optimizer, net, loss)
    raise TypeError(f"optimizer must come from infogeom.optimizers, got {optimizer!r}")


def _descend(parameters: Array, rate: float, direction: Array) -> None:
    """Subtract from parameters; OverflowError where they leave their range."""
    np.subtract(parameters, rate * direction, out=parameters, casting="same_kind")
    if not np.isfinite(parameters).all():
        raise OverflowError("parameters are not finite")
