"""The losses of the thesis (Eqs. 5.1.5–5.1.7), defined once in SymPy and shared by every network path.

A loss is a small frozen value.  ``expression(outputs, targets)`` is the definition; everything else (gradients, Fisher
metrics, kernels) is derived from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar

import sympy
from sympy import Expr

__all__ = ["CrossEntropy", "Loss", "LpNorm", "MeanPower"]


class Loss:
    """What the losses have in common: a name, a definition, and the labels that the definition stands for."""

    #: True when exp(−ℓ) normalises over the labels 0 and 1, false when over the real line.
    discrete_labels: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Short name, used in file names and attributes."""
        raise NotImplementedError

    def expression(self, outputs: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
        """Loss of one sample for O outputs and O targets."""
        raise NotImplementedError


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Cross-entropy, −Σ_a y_a log softmax_a(f) (Eq. 5.1.7).

    One output is read as the probability f of the label 1, −y log f − (1−y) log(1−f): softmax of one number is 1, and
    Eq. 5.1.7 would vanish.  That is softmax cross-entropy on the logits (0, z) with f = expit(z).
    """

    discrete_labels: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """Short name, used in file names and attributes."""
        return "cross-entropy"

    def expression(self, outputs: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
        """Loss of one sample for O outputs and O targets."""
        if len(outputs) == 1:
            (f,), (y,) = outputs, targets
            return -y * sympy.log(f) - (1 - y) * sympy.log(1 - f)
        log_partition = sympy.log(sympy.Add(*map(sympy.exp, outputs)))
        return sympy.Add(*(y * (log_partition - f) for f, y in zip(outputs, targets, strict=True)))


@dataclass(frozen=True)
class LpNorm(Loss):
    """L_p norm of the residual, (Σ_a |f_a − y_a|^p)^(1/p) (Eq. 5.1.5).

    Parameters
    ----------
    p : float
        Order, finite and at least 1.

    Raises
    ------
    ValueError
        When p < 1 (not a norm) or p is not finite.
    """

    p: float

    def __post_init__(self) -> None:
        if isinstance(self.p, bool) or not isinstance(self.p, Real):
            raise TypeError(f"LpNorm: p must be a real number, got {self.p!r}")
        if not 1 <= self.p < float("inf"):
            raise ValueError(f"LpNorm: p must be finite and at least 1, got {self.p}")

    @property
    def name(self) -> str:
        """Short name, used in file names and attributes."""
        return f"l{self.p:g}"

    def expression(self, outputs: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
        """Loss of one sample for O outputs and O targets."""
        p = sympy.Rational(str(self.p))
        return sympy.Add(*(sympy.Abs(f - y) ** p for f, y in zip(outputs, targets, strict=True))) ** (1 / p)


@dataclass(frozen=True)
class MeanPower(Loss):
    """Mean n-th power of the residual, (1/O) Σ_a (f_a − y_a)^n (Eq. 5.1.6).

    Parameters
    ----------
    n : int
        Order, even and at least 2 (an odd power has no minimum).

    Raises
    ------
    ValueError
        When n is odd or below 2.
    """

    n: int

    def __post_init__(self) -> None:
        if isinstance(self.n, bool) or not isinstance(self.n, Real) or self.n % 1 != 0:
            raise TypeError(f"MeanPower: n must be an integer, got {self.n!r}")
        if self.n < 2 or self.n % 2:
            raise ValueError(f"MeanPower: n must be even and at least 2, got {self.n}")
        object.__setattr__(self, "n", int(self.n))

    @property
    def name(self) -> str:
        """Short name, used in file names and attributes."""
        return f"mean-power-{self.n}"

    def expression(self, outputs: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
        """Loss of one sample for O outputs and O targets."""
        residuals = [(f - y) ** self.n for f, y in zip(outputs, targets, strict=True)]
        return sympy.Add(*residuals) / len(residuals)
