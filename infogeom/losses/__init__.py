"""The losses of the thesis (Eqs. 5.1.5–5.1.7), defined once in SymPy and shared by every network path.

A loss is a small frozen value.  ``expression(outputs, targets)`` is the definition, from which SymPy derives gradients,
Fisher metrics and kernels.  Networks with many outputs and parameters take numbers instead: ``values``, ``gradient``,
``hessian_product`` and ``expected_factor`` evaluate the same in float64, in forms that neither cancel nor overflow
before the result does.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from typing import ClassVar

import numpy as np
import sympy
from scipy.special import gammaln
from sympy import Expr

from infogeom.losses.loss import Array, Loss

__all__ = ["CrossEntropy", "Loss", "LpNorm", "MeanPower", "by_name"]

#: How far from 1 a distribution of float32 labels may sum.
SUM_TOLERANCE = 1e-5


class _Location(Loss):
    """A loss of the residual f − y alone: exp(−ℓ) is a location family, with E[r rᵀ] = c times the identity."""

    @abstractmethod
    def information(self, outputs: int) -> float:
        """Constant c of E[r rᵀ] = c · identity for a number of outputs."""

    def expected_factor(self, outputs: Array) -> Array:
        """√c times the unit vectors, shape (1, O, O)."""
        n = outputs.shape[1]
        return np.asarray(np.sqrt(self.information(n)) * np.eye(n)[None])

    def expected_coefficients(self, outputs: Array, targets: Array) -> Array:
        """Loss derivatives over √c, shape (N, O)."""
        return np.asarray(self.gradient(outputs, targets) / np.sqrt(self.information(outputs.shape[1])))


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """Cross-entropy, −Σ_a y_a log softmax_a(f) (Eq. 5.1.7).

    One output is read as the probability f of the label 1, −y log f − (1−y) log(1−f): softmax of one number is 1, and
    Eq. 5.1.7 would vanish.  That is softmax cross-entropy on the logits (0, z) with f = expit(z).  The numbers, unlike
    the expression, take that logit z: it is what the last linear layer of a network puts out.

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> outputs, targets = np.array([[0.0, 0.0], [3.0, 0.0]]), np.array([[1, 0], [1, 0]])
    >>> ig.losses.CrossEntropy().values(outputs, targets).round(4)
    array([0.6931, 0.0486])
    """

    written: ClassVar[str] = "cross-entropy"
    discrete_labels: ClassVar[bool] = True
    middle: ClassVar[float] = 0.0

    @property
    def name(self) -> str:
        """Short name, used in file names and attributes."""
        return "cross-entropy"

    @classmethod
    def named(cls, name: str) -> Loss | None:
        """Cross-entropy, by its whole name."""
        return cls() if name == "cross-entropy" else None

    def expression(self, outputs: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
        """Loss of one sample for O outputs and O targets."""
        if len(outputs) == 1:
            (f,), (y,) = outputs, targets
            return -y * sympy.log(f) - (1 - y) * sympy.log(1 - f)
        log_partition = sympy.log(sympy.Add(*map(sympy.exp, outputs)))
        terms = [y * (log_partition - f) for f, y in zip(outputs, targets, strict=True)]
        return sympy.Add(*terms)

    def check_targets(self, targets: Array) -> None:
        """Raise ValueError unless every target is a probability distribution over the labels."""
        y = self._labels(targets)
        wrong = np.flatnonzero((y < 0).any(axis=1) | (abs(y.sum(axis=1) - 1) > SUM_TOLERANCE))
        if wrong.size:
            raise ValueError(
                "targets of cross-entropy must be non-negative and sum to 1 (lie in [0, 1] for one output), "
                f"got {targets[wrong[0]]} at index {wrong[0]}"
            )

    def values(self, outputs: Array, targets: Array) -> Array:
        """Loss ℓ_n of each sample, shape (N,); a single output is a logit."""
        f, y = self._columns(outputs), self._labels(targets)
        rows, largest = np.arange(len(f)), f.argmax(axis=1)
        below = f - f[rows, largest][:, None]
        others = np.exp(below)
        others[rows, largest] = 0.0
        return np.asarray((y * (np.log1p(others.sum(axis=1))[:, None] - below)).sum(axis=1))

    def gradient(self, outputs: Array, targets: Array) -> Array:
        """Derivatives p_a Σ_b y_b − y_a, as Σ_b≠a (p_a y_b − p_b y_a), which does not cancel for a one-hot target."""
        p, y = self._probabilities(outputs), self._labels(targets)
        gradient = p * _others(y) - y * _others(p)
        return gradient[:, 1:] if outputs.shape[1] == 1 else gradient

    def hessian_product(self, outputs: Array, targets: Array, directions: Array) -> Array:
        """p_a (v_a − Σ_b p_b v_b) Σ_b y_b, by differences from the v_b of the largest p_b, which do not cancel."""
        p, v = self._probabilities(outputs), directions
        if outputs.shape[1] == 1:
            return np.asarray((p[:, :1] * p[:, 1:])[:, :, None] * v)
        apart = v - np.take_along_axis(v, p.argmax(axis=1)[:, None, None], axis=1)
        bend = p * targets.sum(axis=1, keepdims=True)
        return np.asarray(bend[:, :, None] * (apart - np.einsum("na,nam->nm", p, apart)[:, None]))

    def expected_factor(self, outputs: Array) -> Array:
        """√p_k (e_k − p) for each label k, shape (N, O, O); √(p (1 − p)) for a single output, shape (N, 1, 1)."""
        p = self._probabilities(outputs)
        if outputs.shape[1] == 1:
            return np.sqrt(p[:, :1] * p[:, 1:])[:, None]
        deviation = -np.repeat(p[:, None], p.shape[1], axis=1)
        np.einsum("nkk->nk", deviation)[:] = _others(p)
        return np.asarray(np.sqrt(p)[:, :, None] * deviation)

    def expected_coefficients(self, outputs: Array, targets: Array) -> Array:
        """(p_k − y_k) / √p_k for each label k, shape (N, O); (p − y) / √(p (1 − p)) for a single output, shape (N, 1).

        Vectors of the factor depend on each other; of all coefficients these have the least squares.
        """
        p, y = self._probabilities(outputs), self._labels(targets)
        roots = np.sqrt(p)
        with np.errstate(divide="ignore", over="ignore"):  # as said of the base class
            over = np.divide(y * _others(p), roots, out=np.zeros_like(p), where=y > 0)
            found = roots * _others(y) - over
            if outputs.shape[1] == 1:
                found = roots[:, :1] * found[:, 1:] - roots[:, 1:] * found[:, :1]
        return np.asarray(found)

    @staticmethod
    def _columns(outputs: Array) -> Array:
        """Logits, one column per label: (0, z) for a single output z."""
        return np.pad(outputs, ((0, 0), (1, 0))) if outputs.shape[1] == 1 else outputs

    @staticmethod
    def _labels(targets: Array) -> Array:
        """Weight of each label, in the columns of the logits."""
        return np.hstack([1 - targets, targets]) if targets.shape[1] == 1 else targets

    def _probabilities(self, outputs: Array) -> Array:
        f = self._columns(outputs)
        p = np.exp(f - f.max(axis=1, keepdims=True))
        return np.asarray(p / p.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class LpNorm(_Location):
    """L_p norm of the residual, (Σ_a |f_a − y_a|^p)^(1/p) (Eq. 5.1.5).

    Parameters
    ----------
    p : float
        Order, finite and at least 1.

    Raises
    ------
    ValueError
        When p < 1 (not a norm) or p is not finite.

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> ig.losses.LpNorm(1).values(np.array([[0.5, 2.0]]), np.array([[1, 0]]))
    array([2.5])
    """

    written: ClassVar[str] = "an L_p norm such as l2"
    p: float

    def __post_init__(self) -> None:
        if isinstance(self.p, bool) or not isinstance(self.p, Real):
            raise TypeError(f"LpNorm: p must be a real number, got {self.p!r}")
        if not 1 <= self.p < float("inf"):
            raise ValueError(f"LpNorm: p must be finite and at least 1, got {self.p}")
        object.__setattr__(self, "p", float(self.p))

    @property
    def name(self) -> str:
        """Short name, used in file names and attributes."""
        return f"l{self.p!r}".removesuffix(".0")

    @property
    def title(self) -> str:
        """The name as it is written in a text."""
        return f"$L_{{{self.name.removeprefix('l')}}}$ norm"

    @classmethod
    def named(cls, name: str) -> Loss | None:
        """Norm of the order that follows the letter."""
        order = name.removeprefix("l")
        if order == name or not re.match(r"[-+.\d]|inf|nan", order):
            return None
        return cls(float(order))

    def expression(self, outputs: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
        """Loss of one sample for O outputs and O targets."""
        p = sympy.Rational(str(self.p))
        powers = [sympy.Abs(f - y) ** p for f, y in zip(outputs, targets, strict=True)]
        return sympy.Add(*powers) ** (1 / p)

    def values(self, outputs: Array, targets: Array) -> Array:
        """Loss ℓ_n of each sample, shape (N,)."""
        scale, scaled = self._scaled(outputs, targets)
        return np.asarray(scale * (scaled**self.p).sum(axis=1) ** (1 / self.p))

    def gradient(self, outputs: Array, targets: Array) -> Array:
        """Derivatives ± (|e_a| / ‖e‖)^(p−1) of the residual e = f − y; 0 where e_a is 0."""
        _, scaled = self._scaled(outputs, targets)
        norm = (scaled**self.p).sum(axis=1, keepdims=True) ** (1 / self.p)
        return np.asarray(np.sign(outputs - targets) * (scaled / np.where(norm > 0, norm, 1)) ** (self.p - 1))

    def hessian_product(self, outputs: Array, targets: Array, directions: Array) -> Array:
        """(p−1)/‖e‖ (u_a^(p−2) v_a − g_a Σ_b g_b v_b) with u = |e|/‖e‖ and the gradient g; it does not cancel.

        There is no second derivative where the residual e is 0, nor, for p < 2 and several outputs, where some e_a is:
        nan.
        """
        largest, scaled = self._scaled(outputs, targets)
        norm = (scaled**self.p).sum(axis=1, keepdims=True) ** (1 / self.p)
        signs = np.where(outputs < targets, -1.0, 1.0)[:, :, None]

        # With t_a = s_a v_a − |e_a/e_k| s_k v_k for signs s and the largest e_k the rest is s_a u_a^(p−2) (t_a −
        # u_a Σ_b u_b^(p−1) t_b), and t_k is 0.
        v = signs * directions
        apart = v - scaled[:, :, None] * np.take_along_axis(v, scaled.argmax(axis=1)[:, None, None], axis=1)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # nan where undefined, perhaps infinite
            u = (scaled / norm)[:, :, None]
            apart -= u * (u ** (self.p - 1) * apart).sum(axis=1, keepdims=True)
            found = (self.p - 1) / norm[:, :, None] * u ** (self.p - 2) * apart / largest[:, None, None]
        found[(scaled == 0).any(axis=1) if self.p < 2 else largest == 0] = np.nan
        return np.asarray(signs * found)

    def information(self, outputs: int) -> float:
        """Constant c = Γ(2 − 1/p) / Γ(1/p) · Γ(O/p) / Γ(O/p + 2 − 2/p) of the expected Fisher information."""
        q = 1 / self.p
        return float(np.exp(gammaln(2 - q) - gammaln(q) + gammaln(outputs * q) - gammaln(outputs * q + 2 - 2 * q)))

    @staticmethod
    def _scaled(outputs: Array, targets: Array) -> tuple[Array, Array]:
        """Largest residual of each sample, (N,), and all of them over it, so that no power over- or underflows."""
        e = np.abs(outputs - targets)
        largest = e.max(axis=1, keepdims=True)
        return largest[:, 0], e / np.where(largest > 0, largest, 1)


@dataclass(frozen=True)
class MeanPower(_Location):
    """Mean n-th power of the residual, (1/O) Σ_a (f_a − y_a)^n (Eq. 5.1.6).

    Parameters
    ----------
    n : int
        Order, even and at least 2 (an odd power has no minimum).

    Raises
    ------
    ValueError
        When n is odd or below 2.

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> ig.losses.MeanPower(2).values(np.array([[0.5, 2.0]]), np.array([[1, 0]]))
    array([2.125])
    """

    written: ClassVar[str] = "a mean power such as mean-power-2"
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

    @property
    def title(self) -> str:
        """The name as it is written in a text."""
        return f"mean power $n = {self.n}$"

    @classmethod
    def named(cls, name: str) -> Loss | None:
        """Mean power of the order that ends the name."""
        return cls(int(name.removeprefix("mean-power-"))) if name.startswith("mean-power-") else None

    def expression(self, outputs: Sequence[Expr], targets: Sequence[Expr]) -> Expr:
        """Loss of one sample for O outputs and O targets."""
        residuals = [(f - y) ** self.n for f, y in zip(outputs, targets, strict=True)]
        return sympy.Add(*residuals) / len(residuals)

    def values(self, outputs: Array, targets: Array) -> Array:
        """Loss ℓ_n of each sample, shape (N,); infinite where it is beyond float64."""
        with np.errstate(over="ignore"):
            return np.asarray(((outputs - targets) ** self.n).mean(axis=1))

    def gradient(self, outputs: Array, targets: Array) -> Array:
        """Derivatives (n/O) (f_a − y_a)^(n−1), shape (N, O); infinite where they are beyond float64."""
        with np.errstate(over="ignore"):
            return np.asarray(self.n / outputs.shape[1] * (outputs - targets) ** (self.n - 1))

    def hessian_product(self, outputs: Array, targets: Array, directions: Array) -> Array:
        """(n/O) (n−1) (f_a − y_a)^(n−2) v_a; infinite where it is beyond float64."""
        n = self.n
        with np.errstate(over="ignore", invalid="ignore"):
            bend = n * (n - 1) / outputs.shape[1] * (outputs - targets) ** (n - 2)
            return np.where(directions == 0, 0.0, bend[:, :, None] * directions)

    def information(self, outputs: int) -> float:
        """Constant c = n² O^(−2/n) Γ(2 − 1/n) / Γ(1/n) of the expected Fisher information."""
        q = 1 / self.n
        return float(self.n**2 * outputs ** (-2 * q) * np.exp(gammaln(2 - q) - gammaln(q)))


#: Every kind of loss.
KINDS: tuple[type[Loss], ...] = (CrossEntropy, LpNorm, MeanPower)


def by_name(name: str) -> Loss:
    """Loss that has a name.

    Parameters
    ----------
    name : str
        ``cross-entropy``, ``l2`` or an L_p norm of another order, ``mean-power-2`` or another order.

    Raises
    ------
    TypeError, ValueError
        When no loss is called so.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.losses.by_name("l1.5")
    LpNorm(p=1.5)
    """
    if not isinstance(name, str):
        raise TypeError(f"loss must be given by its name, got {name!r}")
    for kind in KINDS:
        try:
            loss = kind.named(name)
        except ValueError as error:
            raise ValueError(f"loss {name!r} is none: {error}") from None
        if loss is not None:
            return loss
    *others, last = [kind.written for kind in KINDS]
    raise ValueError(f"loss must be {', '.join(others)}, or {last}, got {name!r}")


def _others(weights: Array) -> Array:
    """Sum over all columns but one's own: Σ_b≠a w_b."""
    return np.asarray(weights @ _off_diagonal(weights.shape[1]))


@lru_cache(maxsize=8)
def _off_diagonal(n: int) -> Array:
    ones = 1 - np.eye(n)
    ones.flags.writeable = False
    return ones


def __dir__() -> list[str]:
    return sorted(__all__)
