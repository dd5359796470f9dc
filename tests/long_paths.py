"""⟨M²⟩ of the L × L Ising torus on h = 0 by another way: one sector, paths of all lengths, long double.

With h a class of loops around the torus, the sector that is antiperiodic in both directions has
Z₁ F(path) = Σ_h s(h) Z_h(path), s = -1 for the loop around both ways.  A path that goes round the torus once more, in
one or both directions, permutes the classes, so that of the four paths straight to r = (x, y),

    Z ⟨s_0 s_r⟩ = ½ Z₁ [F(x, y) + F(L - x, y) + F(x, L - y) + F(L - x, L - y)],

without a sector that has a mode of zero momentum.  Everything in v = tanh β, and with its derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Long = np.longdouble
PI = Long("3.14159265358979323846264338327950288")


def momenta(size: int, antiperiodic: bool) -> Any:
    return (2 * np.arange(size) + antiperiodic) * PI / Long(size)


def log_product(size: int, v: Any, antiperiodic: tuple[bool, bool]) -> tuple[Any, Any]:
    """½ Σ ln det M over all momenta, but zero, and its derivative by v."""
    p, q = (momenta(size, twisted) for twisted in antiperiodic)
    m, squares = 1 - 2 * v - v * v, np.sin(p / 2)[:, None] ** 2 + np.sin(q / 2) ** 2
    some = squares > 0
    determinant = (m * m + 4 * v * (1 - v * v) * squares)[some]
    slope = (-4 * m * (1 + v) + 4 * (1 - 3 * v * v) * squares)[some]
    return np.log(determinant).sum() / 2, (slope / determinant).sum() / 2


def share(size: int, v: Any) -> tuple[Any, Any]:
    """Z₁ / (2 Z) and its derivative by v."""
    logs = [log_product(size, v, (a, b)) for a, b in ((True, True), (True, False), (False, False))]
    m, dm = 1 - 2 * v - v * v, -2 - 2 * v
    mixed, periodic = (np.exp(log - logs[0][0]) for log, _ in logs[1:])
    dmixed, dperiodic = (slope - logs[0][1] for _, slope in logs[1:])
    total = 1 + 2 * mixed - m * periodic
    dtotal = 2 * mixed * dmixed - m * periodic * dperiodic - dm * periodic
    return 1 / total, -dtotal / total**2


def propagators(size: int, v: Any) -> tuple[Any, Any]:
    """M⁻¹ and its derivative by v, shape (4, 4, size + 3, size + 3), at displacements from -1 on."""
    p = momenta(size, True)
    z, w = np.exp(1j * p)[:, None], np.exp(1j * p)[None]
    A, B = 1 + v * z, 1 + v * w
    a, b, zero = A.conj(), B.conj(), 0 * A * B
    upper = {(0, 0): B - b, (0, 1): A * b - 2, (0, 2): B + b - A * B * b, (0, 3): A * B - 2, (1, 1): a - A}
    upper |= {(1, 2): A * B - 2, (1, 3): A + a - A * a * B, (2, 2): b - B, (2, 3): a * B - 2, (3, 3): A - a}
    G = np.zeros((size, size, 4, 4), np.clongdouble)
    for (i, j), value in upper.items():
        G[..., j, i] = -((value + zero) / (A * a * B * b - (A + a) * (B + b) + 4)).conj()
        G[..., i, j] = (value + zero) / (A * a * B * b - (A + a) * (B + b) + 4)
    dM = np.zeros_like(G)
    dM[..., 0, 2], dM[..., 2, 0], dM[..., 1, 3], dM[..., 3, 1] = z, -z.conj(), w, -w.conj()
    waves = np.exp(-1j * np.outer(np.arange(-1, size + 2), p)) / size
    found = [np.einsum("mx,xyab,ny->abmn", waves, F, waves, optimize=True).real for F in (G, -G @ dM @ G)]
    return found[0], found[1]


def along(path: Any, G: Any, dG: Any, v: Any) -> tuple[Any, Any]:
    """F at the end of each bond of a path, and its derivative by v."""
    kind, x, y = path
    right, up = x[None] - x[:, None] + 1, y[None] - y[:, None] + 1
    index = kind[:, None], kind[None], np.maximum(right, 0), np.maximum(up, 0)
    a = np.triu(-(1 - v * v) * G[index], 1)
    da = np.triu(2 * v * G[index] - (1 - v * v) * dG[index], 1)
    bonds = np.arange(0, len(kind), 2)
    a[bonds, bonds + 1] += v
    da[bonds, bonds + 1] += 1
    logs = []
    for k in bonds:
        logs.append((a[k, k + 1], da[k, k + 1] / a[k, k + 1]))
        r, s, dr, ds = (part[row, k + 2 :] for part in (a, da) for row in (k, k + 1))
        change = (np.outer(s, r) - np.outer(r, s)) / a[k, k + 1]
        dchange = (np.outer(ds, r) + np.outer(s, dr) - np.outer(dr, s) - np.outer(r, ds)) / a[k, k + 1]
        da[k + 2 :, k + 2 :] += dchange - change * logs[-1][1]
        a[k + 2 :, k + 2 :] += change
    pivots, slopes = np.array(logs).T
    F = np.cumprod(pivots)
    return F, F * np.cumsum(slopes)


def straight(across: int, up: int) -> Any:
    """Half-edges right and left, then up and down, of the bonds of a path."""
    n, k = np.arange(across), np.arange(up)
    kind = np.concatenate([np.tile([0, 2], across), np.tile([1, 3], up)])
    x = np.concatenate([np.stack([n, n + 1], axis=1).ravel(), np.full(2 * up, across)])
    y = np.concatenate([np.zeros(2 * across, int), np.stack([k, k + 1], axis=1).ravel()])
    return kind, x, y


def second_moment(size: int, beta: float) -> tuple[Any, Any]:
    """⟨M²⟩ and its slope in β."""
    v = np.tanh(Long(beta))
    G, dG = propagators(size, v)
    times = np.full(size + 1, Long(2))
    times[[0, -1]] = 1
    total, dtotal = Long(1), Long(0)
    for across in range(size + 1):
        F, dF = along(straight(across, size), G, dG, v)
        weights = np.concatenate([np.zeros(across, Long), times[across] * times[1:]])
        if across:
            weights[across - 1] = times[across]
        total, dtotal = total + weights @ F, dtotal + weights @ dF
    part, dpart = share(size, v)
    return size**2 * part * total, size**2 * (1 - v * v) * (part * dtotal + dpart * total)
