"""What every loss is."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sympy import Expr

__all__ = ["Array", "Loss", "check_defines", "left_out"]

Array = NDArray[np.float64]


class Loss(ABC):
    """What the losses have in common: a name, a definition, and the labels that the definition stands for.

    A loss has a name, and defines what it is used for.  The models of a single neuron ask for its ``expression``,
    networks for the same in numbers, each function for some of the methods below.  What is asked for and left out is a
    TypeError that names it, before any work.

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
        return self.name

    @classmethod
    def named(cls, name: str) -> Loss | None:  # noqa: ARG003  (`by_name` knows none of this kind)
        """Loss of this kind by its name; None where the name is of another kind, ValueError where its order is none."""
        return None

    def check_targets(self, targets: Array) -> None:  # noqa: B027  (most are defined for all)
        """Raise ValueError for targets (N, O) that the loss is not defined for."""

    # --- What a loss may leave out ------------------------------------------------------------------------------------

    def expression(self, outputs: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
        """Loss of one sample for O outputs and O targets."""
        raise left_out(self, "expression")

    def values(self, outputs: Array, targets: Array) -> Array:
        """Loss ℓ_n of each sample, shape (N,), from outputs and targets of shape (N, O)."""
        raise left_out(self, "values")

    def gradient(self, outputs: Array, targets: Array) -> Array:
        """Loss derivatives ∂ℓ_n/∂f_a, shape (N, O), from outputs and targets of shape (N, O)."""
        raise left_out(self, "gradient")

    def hessian_product(self, outputs: Array, targets: Array, directions: Array) -> Array:
        """Σ_b ∂²ℓ_n/∂f_a∂f_b v_nbm for directions v (N, O, m), shape (N, O, m); nan where ℓ_n has no second derivative.

        Outputs and targets are of shape (N, O).
        """
        raise left_out(self, "hessian_product")

    def expected_factor(self, outputs: Array) -> Array:
        """Vectors v_k with E[r rᵀ] = Σ_k v_k v_kᵀ, r = ∂ℓ/∂f, over labels drawn from p(y|f) ∝ exp(−ℓ).

        Shape (N, K, O), or (1, K, O) where they do not depend on the outputs.
        """
        raise left_out(self, "expected_factor")

    def expected_coefficients(self, outputs: Array, targets: Array) -> Array | None:
        """Numbers c_k of the loss derivative r = Σ_k c_k v_k in the vectors of ``expected_factor``, shape (N, K).

        Not finite where a factor that r needs is below float64; None where the loss does not say them.
        """
        return None


def check_defines(loss: Loss, use: str, *methods: str) -> None:
    """Raise TypeError for the first of the methods that a use of the loss needs and the loss leaves out."""
    for method in methods:
        if getattr(type(loss), method) is getattr(Loss, method):
            raise left_out(loss, method, f", which {use} needs")


def left_out(loss: Loss, method: str, why: str = "") -> TypeError:
    """Error that says which method to define."""
    _, *arguments = inspect.signature(getattr(Loss, method)).parameters
    kind = type(loss).__name__
    return TypeError(f"loss {loss.name} has no {method}{why}: define {kind}.{method}({', '.join(arguments)})")
