"""Updates of parameters from their gradient in one pass over memory; plain Python that numba compiles as it stands.

Scalars come in the dtype of the arrays, so that float32 stays float32.
"""

from __future__ import annotations

from math import fabs, sqrt
from typing import Any

__all__ = ["adam", "any_large", "sgd"]

Array = Any  # one-dimensional, float32 or float64; numba infers the rest
Real = Any


def sgd(theta: Array, gradient: Array, velocity: Array, rate: Real, momentum: Real) -> None:
    """Velocity v ← μ v + ∇L and parameters θ ← θ − η v."""
    for k in range(theta.size):
        velocity[k] = momentum * velocity[k] + gradient[k]
        theta[k] -= rate * velocity[k]


def adam(
    theta: Array,
    gradient: Array,
    first: Array,
    second: Array,
    rate: Real,
    root_correction: Real,
    beta1: Real,
    one_minus_beta1: Real,
    beta2: Real,
    one_minus_beta2: Real,
    epsilon: Real,
) -> None:
    """Moments m, v and parameters θ ← θ − rate · m / (√v · root_correction + ε)."""
    for k in range(theta.size):
        g = gradient[k]
        m = beta1 * first[k] + one_minus_beta1 * g
        v = beta2 * second[k] + one_minus_beta2 * (g * g)
        first[k], second[k] = m, v
        theta[k] -= rate * m / (sqrt(v) * root_correction + epsilon)


def any_large(gradient: Array, second: Array, bound: Real) -> bool:
    """Whether a gradient reaches the bound, or a second moment is negative, which says that it is scaled."""
    found = False
    for k in range(gradient.size):
        found |= (fabs(gradient[k]) >= bound) | (second[k] < 0)
    return found
