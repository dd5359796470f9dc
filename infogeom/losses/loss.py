"""What every loss is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

__all__ = ["Array", "Loss"]

Array = NDArray[np.float64]


class Loss(ABC):
    """What the losses have in common: a name, a definition, and the labels that the definition stands for.

    Name and definition are all that the models of a single neuron need; what else is not there raises
    NotImplementedError where networks or the command line ask for it.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> f, y = sympy.symbols("f y")
    >>> ig.losses.LpNorm(2).expression([f], [y])
    Abs(f - y)
    """

    #: What `by_name` reads, in words that end with an example.
    written: ClassVar[str]
    #: True when exp(−ℓ) normalises over the labels 0 and 1, false when over the real line.
    discrete_labels: ClassVar[bool] = False
    #: The single output of a network that stands between the labels 0 and 1.
    middle: ClassVar[float] = 0.5

    @property
    @abstractmethod
    def name(self) -> str:
        """Short name, used in file names and attributes, and read by `by_name`."""

    @property
    def title(self) -> str:
        """The name as it is written in a text."""
        raise NotImplementedError

    @classmethod
    def named(cls, name: str) -> Loss | None:
        """Loss of this kind by its name; None where the name is of another kind, ValueError where its order is none."""
        raise NotImplementedError

    @abstractmethod
    def expression(self, outputs: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
        """Loss of one sample for O outputs and O targets."""

    def check_targets(self, targets: Array) -> None:  # noqa: B027  (most are defined for all)
        """Raise ValueError for targets (N, O) that the loss is not defined for."""

    def values(self, outputs: Array, targets: Array) -> Array:
        """Loss ℓ_n of each sample, shape (N,), from outputs and targets of shape (N, O)."""
        raise NotImplementedError

    def gradient(self, outputs: Array, targets: Array) -> Array:
        """Loss derivatives ∂ℓ_n/∂f_a, shape (N, O), from outputs and targets of shape (N, O)."""
        raise NotImplementedError

    def expected_factor(self, outputs: Array) -> Array:
        """Vectors v_k with E[r rᵀ] = Σ_k v_k v_kᵀ, r = ∂ℓ/∂f, over labels drawn from p(y|f) ∝ exp(−ℓ).

        Shape (N, K, O), or (1, K, O) where they do not depend on the outputs.
        """
        raise NotImplementedError

    def expected_coefficients(self, outputs: Array, targets: Array) -> Array:
        """Numbers c_k of the loss derivative r = Σ_k c_k v_k in the vectors of ``expected_factor``, shape (N, K).

        Not finite where a factor that r needs is below float64.
        """
        raise NotImplementedError
