"""Networks and losses in second-order dual numbers: values, gradients and Hessians by their definition.

Every number carries its derivatives by all P parameters, first (P,) and second (P, P), and every operation has its
textbook rule.  Nothing is shared with the package, and nothing is fast.  Inputs of long doubles give long doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.network import MLP

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Jet:
    """Numbers of any shape S with their derivatives, S + (P,) and S + (P, P); the second may be left out (None)."""

    value: Array
    first: Array
    second: Any

    @classmethod
    def variables(cls, values: Array, *, twice: bool = True) -> Jet:
        """The last axis's numbers as the variables themselves, the same for all before it."""
        p = values.shape[-1]
        first = np.broadcast_to(np.eye(p, dtype=values.dtype), (*values.shape, p)).copy()
        return cls(values, first, np.zeros((*values.shape, p, p), values.dtype) if twice else None)

    def _each(self, of: Callable[[Array, int], Array]) -> Jet:
        """A linear operation on all three, which is told how many axes of derivatives there are."""
        return Jet(of(self.value, 0), of(self.first, 1), None if self.second is None else of(self.second, 2))

    def __getitem__(self, index: Any) -> Jet:
        return self._each(lambda part, _: part[index])

    def reshape(self, *shape: int) -> Jet:
        return self._each(lambda part, axes: part.reshape(*shape, *part.shape[part.ndim - axes :]))

    def sum(self, axis: int) -> Jet:
        """Sum over one of the axes, counted from the front."""
        return self._each(lambda part, _: part.sum(axis))

    def __add__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.value + other, self.first, self.second)
        second = None if self.second is None else self.second + other.second
        return Jet(self.value + other.value, self.first + other.first, second)

    def __mul__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            factor = np.asarray(other)
            return self._each(lambda part, axes: part * factor[(..., *[None] * axes)])
        a, b, second = self, other, None
        if a.second is not None:
            cross = a.first[..., :, None] * b.first[..., None, :]
            second = a.value[..., None, None] * b.second + b.value[..., None, None] * a.second
            second += cross + cross.swapaxes(-1, -2)
        return Jet(a.value * b.value, a.value[..., None] * b.first + b.value[..., None] * a.first, second)

    def of(self, value: Array, slope: Array, bend: Array) -> Jet:
        """Function of these numbers, by its value and derivatives at them."""
        second = None
        if self.second is not None:
            outer = self.first[..., :, None] * self.first[..., None, :]
            second = bend[..., None, None] * outer + slope[..., None, None] * self.second
        return Jet(value, slope[..., None] * self.first, second)

    def power(self, q: float) -> Jet:
        z = self.value
        return self.of(z**q, q * z ** (q - 1), q * (q - 1) * z ** (q - 2) if q != 1 else 0 * z)

    def magnitude(self) -> Jet:
        return self.of(abs(self.value), np.sign(self.value), 0 * self.value)

    def exp(self) -> Jet:
        e = np.exp(self.value)
        return self.of(e, e, e)

    def log(self) -> Jet:
        return self.of(np.log(self.value), 1 / self.value, -1 / self.value**2)


def erf(u: Array) -> Array:
    """Error function of each number, by mpmath at 25 digits."""
    with mpmath.workdps(25):
        found = [u.dtype.type(str(mpmath.erf(mpmath.mpf(np.format_float_scientific(one))))) for one in u.ravel()]
    return np.array(found).reshape(u.shape)


def activated(z: Jet, activation: str) -> Jet:
    """φ(z) with φ′ and φ″ as textbooks have them; of the rectifier both are 0 at the kink."""
    u = z.value
    pi = 4 * np.arctan(u.dtype.type(1))
    if activation == "relu":
        return z.of(np.maximum(u, 0), (u > 0).astype(u.dtype), 0 * u)
    if activation == "tanh":
        t = np.tanh(u)
        return z.of(t, 1 - t**2, -2 * t * (1 - t**2))
    if activation == "sigmoid":
        s = 1 / (1 + np.exp(-u))
        return z.of(s, s * (1 - s), s * (1 - s) * (1 - 2 * s))
    if activation == "erf":
        slope = 2 / np.sqrt(pi) * np.exp(-(u**2))
        return z.of(erf(u), slope, -2 * u * slope)
    if activation == "gelu":
        below, density = (1 + erf(u / np.sqrt(u.dtype.type(2)))) / 2, np.exp(-(u**2) / 2) / np.sqrt(2 * pi)
        return z.of(u * below, below + u * density, (2 - u**2) * density)
    return z.of(u, np.ones_like(u), 0 * u)


def outputs(net: MLP, x: Array, *, twice: bool = True) -> Jet:
    """Outputs (N, O) with their derivatives by the flat parameters."""
    theta, start, depth = Jet.variables(net.parameters.astype(x.dtype), twice=twice), 0, len(net.widths) - 1
    a = Jet(x, np.zeros((*x.shape, 1), x.dtype), np.zeros((*x.shape, 1, 1), x.dtype) if twice else None)
    for l, (fan_in, fan_out) in enumerate(zip(net.widths, net.widths[1:], strict=False)):
        weights = theta[start : start + fan_in * fan_out].reshape(fan_in, fan_out)
        start += fan_in * fan_out
        z = (a[:, :, None] * weights[None]).sum(1) * net.scales[l]
        if net.bias:
            z = z + theta[start : start + fan_out][None]
            start += fan_out
        a = activated(z, net.activation) if l < depth - 1 else z
    return a


def losses(loss: Loss, f: Jet, y: Array) -> Jet:
    """Loss ℓ_n of each sample (N,), by the formulas of the thesis (Eqs. 5.1.5–5.1.7)."""
    if isinstance(loss, CrossEntropy):
        if f.value.shape[1] == 1:  # on a logit: log(1 + e^z) − y z
            return ((f.exp() + 1.0).log() + f * -y).sum(1)
        log_partition = f.exp().sum(1).log()
        return log_partition * y.sum(axis=1) + (f * -y).sum(1)
    e = f + -y
    if isinstance(loss, LpNorm):
        return e.magnitude().power(loss.p).sum(1).power(1 / f.value.dtype.type(loss.p))
    assert isinstance(loss, MeanPower)
    return e.power(loss.n).sum(1) * (1 / f.value.dtype.type(y.shape[1]))


def gradients(net: MLP, x: Array, y: Array, loss: Loss, kind: str) -> Array:
    """Gradients g (M, P) of samples, perhaps at every label, times roots of their weights: F = gᵀg / N."""
    f = outputs(net, x, twice=False)
    if kind == "empirical":
        return losses(loss, f, y).first
    if not isinstance(loss, CrossEntropy):  # E[r rᵀ] is a constant times the identity
        return np.sqrt(loss.information(y.shape[1])) * f.first.reshape(-1, f.first.shape[2])  # type: ignore[attr-defined]

    labels = np.eye(y.shape[1]) if y.shape[1] > 1 else np.array([[0.0], [1.0]])
    found = []
    for label in labels:
        of_label = losses(loss, f, np.broadcast_to(label, y.shape))
        found.append(np.exp(-of_label.value / 2)[:, None] * of_label.first)
    return np.concatenate(found)


def fisher(net: MLP, x: Array, y: Array, loss: Loss, kind: str) -> Array:
    """Fisher information (P, P): a mean over samples of outer products of gradients."""
    g = gradients(net, x, y, loss, kind)
    return g.T @ g / len(x)


def gradient(net: MLP, x: Array, y: Array, loss: Loss) -> Array:
    """Gradient of the mean loss, (P,)."""
    return losses(loss, outputs(net, x, twice=False), y).first.mean(axis=0)


def hessian(net: MLP, x: Array, y: Array, loss: Loss) -> Array:
    """Second derivatives of the mean loss by the parameters, (P, P)."""
    return losses(loss, outputs(net, x), y).second.mean(axis=0)


def loss_curvature(loss: Loss, f: Array, y: Array) -> Array:
    """Second derivatives of each loss by its outputs, (N, O, O)."""
    return losses(loss, Jet.variables(f), y).second


def gauss_newton(net: MLP, x: Array, y: Array, loss: Loss) -> Array:
    """The part of the Hessian (P, P) that takes the network for linear in its parameters."""
    f = outputs(net, x, twice=False)
    return np.einsum("nap,nab,nbq->pq", f.first, loss_curvature(loss, f.value, y), f.first) / len(x)


def solved(A: Array, b: Array) -> Array:
    """Solution of A x = b for a positive definite A, by elimination in the arithmetic of what is given."""
    A, b = A.copy(), b.copy()
    for k in range(len(A)):
        factors = A[k + 1 :, k] / A[k, k]
        A[k + 1 :] -= factors[:, None] * A[k]
        b[k + 1 :] -= np.multiply.outer(factors, b[k])
    x = np.zeros_like(b)
    for k in reversed(range(len(A))):
        x[k] = (b[k] - A[k, k + 1 :] @ x[k + 1 :]) / A[k, k]
    return x
