"""The curvature of the cross-entropy network in JAX: as a user would write it, and with ever more done by hand.

Every function returns R at one point θ; `on_grid` jits it over a grid.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)

STEEPNESS = 5.0
BATCHES = (16, 32, 64, 128, 256, 512, 1024)
#: Points on which the best batch size is looked for.
TRIAL = 4096

Scalar = Callable[[jax.Array], jax.Array]


def metric_of(xtilde: np.ndarray) -> Callable[[jax.Array], jax.Array]:
    """Mean over samples of ∇ℓ ∇ℓᵀ with ∇ℓ = 5 σ(u) x̃."""
    x = jnp.asarray(xtilde)

    def metric(theta: jax.Array) -> jax.Array:
        gradients = STEEPNESS * jax.nn.sigmoid(STEEPNESS * x @ theta)[:, None] * x
        return gradients.T @ gradients / len(x)

    return metric


def by_definition(xtilde: np.ndarray) -> Scalar:
    """R by jacfwd of Γ by jacfwd of g."""
    metric = metric_of(xtilde)

    def christoffel(theta: jax.Array) -> jax.Array:
        dg, inverse = jax.jacfwd(metric)(theta), jnp.linalg.inv(metric(theta))
        lowered = (jnp.einsum("mkj->mjk", dg) + dg - jnp.einsum("jkm->mjk", dg)) / 2
        return jnp.einsum("im,mjk->ijk", inverse, lowered)

    def ricci_scalar(theta: jax.Array) -> jax.Array:
        gamma, dgamma = christoffel(theta), jax.jacfwd(christoffel)(theta)
        derivatives = jnp.einsum("ijli->jl", dgamma) - jnp.einsum("iijl->jl", dgamma)
        products = jnp.einsum("iim,mjl->jl", gamma, gamma) - jnp.einsum("ilm,mij->jl", gamma, gamma)
        return jnp.einsum("jl,jl->", jnp.linalg.inv(metric(theta)), derivatives + products)

    return ricci_scalar


def by_hessian_formula(xtilde: np.ndarray) -> Scalar:
    """R = ¼ (‖T‖² − ‖tr T‖²), valid since T = ∂g is totally symmetric, with T by jacfwd."""
    metric = metric_of(xtilde)

    def ricci_scalar(theta: jax.Array) -> jax.Array:
        T, inverse = jax.jacfwd(metric)(theta), jnp.linalg.inv(metric(theta))
        raised = jnp.einsum("ia,jb,kc,abc->ijk", inverse, inverse, inverse, T)
        trace = jnp.einsum("ij,ijk->k", inverse, T)
        return (jnp.einsum("ijk,ijk->", raised, T) - trace @ inverse @ trace) / 4

    return ricci_scalar


def by_hand(xtilde: np.ndarray) -> Scalar:
    """h, h′, their moments with the sample and the determinant formula for n = 2, all typed in."""
    x, y, n = xtilde[:, 0], xtilde[:, 1], len(xtilde)
    second = jnp.asarray(STEEPNESS**2 * np.stack([x * x, x * y, y * y], axis=1) / n)
    third = jnp.asarray(STEEPNESS**3 * np.stack([x**3, x * x * y, x * y * y, y**3], axis=1) / n)
    inputs = jnp.asarray(STEEPNESS * xtilde)

    def ricci_scalar(theta: jax.Array) -> jax.Array:
        sigma = jax.nn.sigmoid(inputs @ theta)
        h = sigma * sigma
        g11, g12, g22 = h @ second
        a, b, c, d = (2 * h * (1 - sigma)) @ third
        determinant = g11 * (b * d - c * c) - g12 * (a * d - b * c) + g22 * (a * c - b * b)
        return -determinant / (2 * (g11 * g22 - g12 * g12) ** 2)

    return ricci_scalar


def on_grid(scalar: Scalar, axis: np.ndarray) -> tuple[Callable[[], Any], int]:
    """R on the square grid, compiled, and the batch size of `jax.lax.map` that was fastest in a trial."""
    points = jnp.asarray(np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2))
    trial = points[:: max(1, len(points) // TRIAL)]

    def mapped(batch: int) -> Callable[[jax.Array], jax.Array]:
        return jax.jit(lambda p: jax.lax.map(scalar, p, batch_size=batch))

    def trial_seconds(batch: int) -> float:
        f, best = mapped(batch), np.inf
        f(trial).block_until_ready()
        for _ in range(3):
            start = time.perf_counter()
            f(trial).block_until_ready()
            best = min(best, time.perf_counter() - start)
        return best

    best = min(BATCHES, key=trial_seconds)
    chosen = mapped(best)

    def run() -> jax.Array:
        return chosen(points).block_until_ready()

    run()
    return run, best
