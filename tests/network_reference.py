"""Slow, plain references for networks: definitions in NumPy alone, every gradient of every sample written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf

Array = np.ndarray[Any, np.dtype[Any]]
Pair = tuple[Callable[[Array], Array], Callable[[Array], Array]]

#: φ and φ′ by their textbook formulas.
ACTIVATIONS: dict[str, Pair] = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    "gelu": (
        lambda z: z * (1 + erf(z / np.sqrt(2))) / 2,
        lambda z: (1 + erf(z / np.sqrt(2))) / 2 + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi),
    ),
    "erf": (erf, lambda z: 2 / np.sqrt(np.pi) * np.exp(-(z**2))),
    "identity": (lambda z: z, np.ones_like),
}


def outputs_and_jacobian(
    x: Array, weights: list[Array], biases: list[Array] | None, activation: str, scales: tuple[float, ...]
) -> tuple[Array, Array]:
    """Outputs (N, O) and ∂f_a(x_n)/∂θ (N, O, P), parameters layer by layer: weights row by row, then the bias.

    One sample and one output at a time, by the chain rule in its matrix form.
    """
    phi, slope = ACTIVATIONS[activation]
    depth = len(weights)
    outputs, jacobian = [], []
    for sample in x:
        a, inputs, z = sample, [], []
        for l, (W, s) in enumerate(zip(weights, scales, strict=True)):
            inputs.append(a)
            z.append(s * (W.T @ a) + (0 if biases is None else biases[l]))
            a = phi(z[-1]) if l < depth - 1 else z[-1]
        rows = []
        for output in range(len(a)):
            delta, parts = np.eye(len(a))[output], []
            for l in reversed(range(depth)):
                gradient = [(scales[l] * np.outer(inputs[l], delta)).ravel()]
                if biases is not None:
                    gradient.append(delta)
                parts = [*gradient, *parts]
                if l:
                    delta = scales[l] * (weights[l] @ delta) * slope(z[l - 1])
            rows.append(np.concatenate(parts))
        outputs.append(a)
        jacobian.append(rows)
    return np.array(outputs), np.array(jacobian)


def adam(
    theta: Array, gradients: list[Array], rate: float, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
) -> list[Array]:
    """Algorithm 1 of Kingma and Ba (2015), line by line, for gradients given in advance."""
    m, v, path = np.zeros_like(theta), np.zeros_like(theta), []
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
        theta = theta - rate * m_hat / (np.sqrt(v_hat) + epsilon)
        path.append(theta)
    return path
