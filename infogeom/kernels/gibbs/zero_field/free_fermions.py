"""The Ising torus as free fermions: propagators between half-edges, and correlations of spins as Pfaffians of them.

Sets of bonds of weight v that meet each site an even number of times are a Gaussian integral over four Grassmann
variables a site, its half-edges right, up, left and down, with the antisymmetric matrix M that has v between the two
halves of a bond and 1 between two halves of a site, in that order (Samuel, J. Math. Phys. 21 (1980) 2806).  A torus
takes four such integrals, periodic or antiperiodic in either direction (McCoy and Wu, The Two-Dimensional Ising Model,
1973, ch. IV and VI).  With A = 1 + v e^{ip}, B = 1 + v e^{iq} the momenta (p, q) have

    M = [[0, 1, A, 1], [-1, 0, 1, B], [-A*, -1, 0, 1], [-1, -B*, -1, 0]],
    det M = (1 - 2v - v²)² + 4v (1 - v²) (sin²(p/2) + sin²(q/2)).

A product of spins at the ends of a path changes the weights of bonds by δ, from v to 1/v on the path itself in
v = tanh β, from v to -v on the dual bonds, that cross it, in v = e^(-2β).  Such a change, of rank 2 for each bond,
multiplies the Pfaffian of M by Pf(J - δ G) over the half-edges of these bonds, with G = M⁻¹ and J the symplectic unit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DOWN", "LEFT", "RIGHT", "UP", "half_edges", "propagators", "zero_mode"]

Array = NDArray[Any]
RIGHT = 0
UP = 1
LEFT = 2
DOWN = 3


def propagators(sizes: tuple[int, int], antiperiodic: tuple[bool, bool], v: float) -> Array:
    """G and ∂G/∂v between half-edges, shape (2, 4, 4, m, n), at displacements from -1 to half the size and one.

    Without the mode of momentum zero, see `zero_mode`.
    """
    p, q = (_momenta(size, twisted) for size, twisted in zip(sizes, antiperiodic, strict=True))
    p, q = p[:, None], q[None, :]
    z, w = np.exp(1j * p), np.exp(1j * q)
    G = _inverse(1 + v * z, 1 + v * w)
    squares = np.sin(p / 2) ** 2 + np.sin(q / 2) ** 2
    determinant = (1 - 2 * v - v * v) ** 2 + 4 * v * (1 - v * v) * squares
    G *= np.where(squares > 0, 1 / np.where(squares > 0, determinant, 1), 0) / (sizes[0] * sizes[1])

    # ∂G = -G ∂M G, where ∂M is e^{ip} between right and left, e^{iq} between up and down.
    dG = np.empty_like(G)
    count = sizes[0] * sizes[1]
    for i in range(4):
        for j in range(4):
            along = G[i, RIGHT] * z * G[LEFT, j] - G[i, LEFT] * z.conj() * G[RIGHT, j]
            dG[i, j] = -count * (along + G[i, UP] * w * G[DOWN, j] - G[i, DOWN] * w.conj() * G[UP, j])
    return np.stack([_in_space(G, sizes, antiperiodic), _in_space(dG, sizes, antiperiodic)])


def _momenta(size: int, antiperiodic: bool) -> Array:
    return (2 * np.arange(size) + antiperiodic) * np.pi / size


def _inverse(A: Array, B: Array) -> Array:
    """M⁻¹ det M, shape (4, 4) and that of the momenta."""
    a, b = A.conj(), B.conj()
    G = np.zeros((4, 4, *np.broadcast_shapes(A.shape, B.shape)), complex)
    G[RIGHT, RIGHT], G[UP, UP], G[LEFT, LEFT], G[DOWN, DOWN] = B - b, a - A, b - B, A - a
    G[RIGHT, UP] = A * b - 2
    G[RIGHT, LEFT] = B + b - A * B * b
    G[RIGHT, DOWN] = G[UP, LEFT] = A * B - 2
    G[UP, DOWN] = A + a - A * a * B
    G[LEFT, DOWN] = a * B - 2
    for i in range(4):
        for j in range(i):
            G[i, j] = -G[j, i].conj()
    return G


def _in_space(G: Array, sizes: tuple[int, int], antiperiodic: tuple[bool, bool]) -> Array:
    """Sum over momenta, with the sign of an antiperiodic direction."""
    x, y = (np.arange(-1, size // 2 + 2) for size in sizes)
    phases = [np.exp(-1j * np.pi * n * t / size) for n, t, size in zip((x, y), antiperiodic, sizes, strict=True)]
    found = np.fft.fft2(G)[:, :, x[:, None] % sizes[0], y % sizes[1]]
    return np.ascontiguousarray((found * np.outer(*phases)).real)


def zero_mode(v: float) -> tuple[Array, Array, Array]:
    """Parts of M⁻¹ at momentum zero, R - (u wᵀ - w uᵀ) / m with m = 1 - 2v - v²: R, u and w."""
    regular = np.zeros((4, 4))
    regular[LEFT, DOWN], regular[DOWN, LEFT] = -1.0, 1.0
    return regular, np.array([0.0, 1.0, -1 - v, 1.0]), np.array([-1.0, 0.0, 1.0, -1 - v])


def half_edges(across: int, up: int, crossing: bool) -> Array:
    """Half-edges of the bonds of a path, or of those crossing it: kind, x and y, shape (3, 2 (across + up)).

    The path goes ``across`` bonds along x, then ``up`` bonds along y.
    """
    path = np.empty((3, across + up, 2), np.int64)
    kind, x, y = path
    n, k, both = np.arange(across)[:, None], np.arange(up)[:, None], np.array([0, 1])
    if crossing:
        kind[:across], x[:across], y[:across] = (UP, DOWN), n, (-1, 0)
        kind[across:], x[across:], y[across:] = (RIGHT, LEFT), (across - 1, across), k
    else:
        kind[:across], x[:across], y[:across] = (RIGHT, LEFT), n + both, 0
        kind[across:], x[across:], y[across:] = (UP, DOWN), across, k + both
    return path.reshape(3, -1)
