"""Networks and losses in second-order dual numbers: values, gradients and Hessians by their definition.

Every number carries its derivatives by all P parameters, first (P,) and second (P, P), and every operation has its
textbook rule.  Nothing is shared with the package, and nothing is fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import erf

from infogeom.losses import CrossEntropy, Loss, LpNorm, MeanPower
from infogeom.network import MLP

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Jet:
    """Numbers of any shape with their derivatives: shapes S, S + (P,) and S + (P, P)."""

    value: Array
    first: Array
    second: Array

    @classmethod
    def variables(cls, values: Array) -> Jet:
        """The last axis's numbers as the variables themselves, the same for all before it."""
        p = values.shape[-1]
        first = np.broadcast_to(np.eye(p), (*values.shape, p)).copy()
        return cls(values, first, np.zeros((*values.shape, p, p)))

    def __getitem__(self, index: Any) -> Jet:
        return Jet(self.value[index], self.first[index], self.second[index])

    def reshape(self, *shape: int) -> Jet:
        p = self.first.shape[-1]
        return Jet(self.value.reshape(shape), self.first.reshape(*shape, p), self.second.reshape(*shape, p, p))

    def __add__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.value + other, self.first, self.second)
        return Jet(self.value + other.value, self.first + other.first, self.second + other.second)

    def __mul__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            factor = np.asarray(other)
            return Jet(self.value * factor, self.first * factor[..., None], self.second * factor[..., None, None])
        a, b = self, other
        cross = a.first[..., :, None] * b.first[..., None, :]
        second = a.value[..., None, None] * b.second + b.value[..., None, None] * a.second
        first = a.value[..., None] * b.first + b.value[..., None] * a.first
        return Jet(a.value * b.value, first, second + cross + cross.swapaxes(-1, -2))

    def sum(self, axis: int) -> Jet:
        """Sum over one of the axes, counted from the front."""
        return Jet(self.value.sum(axis), self.first.sum(axis), self.second.sum(axis))

    def of(self, value: Array, slope: Array, bend: Array) -> Jet:
        """Function of these numbers, by its value and derivatives at them."""
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


def activated(z: Jet, activation: str) -> Jet:
    """φ(z) with φ′ and φ″ as textbooks have them; of the rectifier both are 0 at the kink."""
    u = z.value
    if activation == "relu":
        return z.of(np.maximum(u, 0), (u > 0).astype(float), 0 * u)
    if activation == "tanh":
        t = np.tanh(u)
        return z.of(t, 1 - t**2, -2 * t * (1 - t**2))
    if activation == "sigmoid":
        s = 1 / (1 + np.exp(-u))
        return z.of(s, s * (1 - s), s * (1 - s) * (1 - 2 * s))
    if activation == "erf":
        slope = 2 / np.sqrt(np.pi) * np.exp(-(u**2))
        return z.of(erf(u), slope, -2 * u * slope)
    if activation == "gelu":
        below, density = (1 + erf(u / np.sqrt(2))) / 2, np.exp(-(u**2) / 2) / np.sqrt(2 * np.pi)
        return z.of(u * below, below + u * density, (2 - u**2) * density)
    return z.of(u, np.ones_like(u), 0 * u)


def outputs(net: MLP, x: Array) -> Jet:
    """Outputs (N, O) with their derivatives by the flat parameters."""
    theta, start, depth = Jet.variables(net.parameters.astype(float)), 0, len(net.widths) - 1
    p = theta.value.size
    a = Jet(x, np.zeros((*x.shape, p)), np.zeros((*x.shape, p, p)))
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
        return e.magnitude().power(loss.p).sum(1).power(1 / loss.p)
    assert isinstance(loss, MeanPower)
    return e.power(loss.n).sum(1) * (1 / y.shape[1])


def fisher(net: MLP, x: Array, y: Array, loss: Loss, kind: str) -> Array:
    """Fisher information (P, P): a mean over samples of outer products of gradients."""
    f = outputs(net, x)
    if kind == "empirical":
        gradients = losses(loss, f, y).first
        return np.einsum("np,nq->pq", gradients, gradients) / len(x)
    if not isinstance(loss, CrossEntropy):  # E[r rᵀ] is a constant times the identity
        return loss.information(y.shape[1]) * np.einsum("nap,naq->pq", f.first, f.first) / len(x)  # type: ignore[attr-defined]

    labels = np.eye(y.shape[1]) if y.shape[1] > 1 else np.array([[0.0], [1.0]])
    total = np.zeros((net.parameters.size, net.parameters.size))
    for label in labels:
        of_label = losses(loss, f, np.broadcast_to(label, y.shape))
        total += np.einsum("n,np,nq->pq", np.exp(-of_label.value), of_label.first, of_label.first)
    return total / len(x)


def hessian(net: MLP, x: Array, y: Array, loss: Loss) -> Array:
    """Second derivatives of the mean loss by the parameters, (P, P)."""
    return losses(loss, outputs(net, x), y).second.mean(axis=0)


def loss_curvature(loss: Loss, f: Array, y: Array) -> Array:
    """Second derivatives of each loss by its outputs, (N, O, O)."""
    return losses(loss, Jet.variables(f), y).second


def gauss_newton(net: MLP, x: Array, y: Array, loss: Loss) -> Array:
    """The part of the Hessian (P, P) that takes the network for linear in its parameters."""
    f = outputs(net, x)
    return np.einsum("nap,nab,nbq->pq", f.first, loss_curvature(loss, f.value, y), f.first) / len(x)
