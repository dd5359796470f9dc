"""Cumulants of the Ising torus without a field, to L = 256: Kaufman's sum, and Pfaffians for what the field moves.

The flip of all spins leaves ⟨E⟩, κ(E, E), κ(E, E, E), of `kaufman`, and ⟨M²⟩ and ∂_β ⟨M²⟩; every other cumulant up to
the third is zero.  With the correlations of `free_fermions`

    ⟨M²⟩ = N Σ_s share_s Σ_r F_s(r),   F_s(r) = Pf(path to r) / Pf(no path), a sum over four sectors s,

where one elimination gives all r in a column, and reflections leave a quarter of the torus: O(L⁴) together.

The sector that is periodic in both directions has a mode of zero momentum, whose part of the propagator is 1 / m times
u wᵀ - w uᵀ, N⁻¹ for each site, where m and the sector's share of Z vanish at the critical point while their product
stays.  Pf is linear in the factor τ of that part, so that of any τ gives that of 1 / m:

    m Pf(1/m) = Pf(τ) [m + (1 - m τ) k wᵀ A(τ)⁻¹ u / N].

In the cold phase τ = 1 / m, at most L; in the warm one its negative: there F of this sector changes sign on the torus,
and pivots of the elimination would vanish, while that with the mode's sign reversed remains positive.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.gibbs.cumulants import PointCumulants
from infogeom.kernels.gibbs.zero_field import pfaffian_loops
from infogeom.kernels.gibbs.zero_field.free_fermions import half_edges, propagators, zero_mode
from infogeom.kernels.gibbs.zero_field.kaufman import Sectors, sectors

__all__ = ["zero_field_cumulants"]

Array = NDArray[Any]
#: Random change of propagators by which the conditioning of what they give is seen.
NUDGE = 2.0**-36
#: What rounding does to propagators and pivots, in units of that change: 2⁻⁴⁷.
ROUNDING_OF_NUDGE = 2.0**-11
#: Rounding of m and of factors made of it, in terms of the length.
LINEAR = 2.0**-50


def zero_field_cumulants(length: int, width: int, points: Array) -> PointCumulants:
    """Cumulants of (Σ s s′, Σ s) on the length × width Ising torus at points (β ≥ 0, h = 0), shape (m, 2).

    Of the whole torus, sizes from 3 on. Errors are bounds: of Kaufman's sum by the sum of the magnitudes of its terms,
    of ⟨M²⟩ by what a small random change of all propagators does to each correlation. A field other than 0 and β < 0
    raise `ValueError`.

    Source: Kaufman, Phys. Rev. 76 (1949) 1232, Eq. 71; McCoy and Wu, The Two-Dimensional Ising Model, ch. IV-VI.

    Examples
    --------
    >>> import numpy as np
    >>> found = zero_field_cumulants(3, 3, np.array([[0.0, 0.0]]))
    >>> found.second[..., 0]  # at infinite temperature: 18 bonds and 9 sites
    array([[18.,  0.],
           [ 0.,  9.]])
    """
    points = np.asarray(points, float)
    for beta, h in points:
        if h != 0:
            raise ValueError(f"h of a torus of {length} × {width} must be 0, got {h}: ising_cylinder takes any field")
        if not beta >= 0:
            raise ValueError(
                f"beta of a torus of {length} × {width} must be at least 0, got {beta}: ising_cylinder takes any"
            )
    shapes = [(2,) * rank + (len(points),) for rank in (1, 2, 3)]
    found = [np.zeros(shape) for shape in shapes]
    bounds = [np.zeros(shape) for shape in shapes]
    for k, beta in enumerate(points[:, 0]):
        energy, energy_errors, field, field_errors = _at(float(beta), length, width)
        for values, of_energy, of_field in ((found, energy, field), (bounds, energy_errors, field_errors)):
            values[0][0, k], values[1][0, 0, k], values[2][0, 0, 0, k] = of_energy
            values[1][1, 1, k] = of_field[0]
            values[2][0, 1, 1, k] = values[2][1, 0, 1, k] = values[2][1, 1, 0, k] = of_field[1]
    return PointCumulants(found[0], found[1], found[2], (bounds[0], bounds[1], bounds[2]))


def _at(beta: float, length: int, width: int) -> tuple[Array, Array, Array, Array]:
    """Cumulants of the energy, ⟨M²⟩ and its slope, with the bounds on their errors."""
    parts = sectors(beta, length, width)
    factorials = np.array([1.0, 2.0, 6.0])
    field, errors = np.zeros(2), np.zeros(2)
    for s, sector in enumerate([(True, True), (True, False), (False, True), (False, False)]):
        if s == 2 and length == width:
            continue  # its mirror image was taken twice
        # Odd and even products are those of the columns; a path goes last in a direction that is periodic.
        turned = sector == (False, True)
        sizes = (length, width) if turned else (width, length)
        sums, sums_errors = _correlations(parts, sizes, sector[::-1] if turned else sector)
        share, share_errors = parts.shares[s, :2], parts.errors[1][s, :2]
        weight = length * width * (2 if s == 1 and length == width else 1)
        field += weight * np.array([share[0] * sums[0], share[0] * sums[1] + share[1] * sums[0]])
        sums, share = np.abs(sums), np.abs(share)
        errors[0] += weight * (share[0] * sums_errors[0] + share_errors[0] * sums[0])
        errors[1] += weight * (share[0] * sums_errors[1] + share[1] * sums_errors[0])
        errors[1] += weight * (share_errors[0] * sums[1] + share_errors[1] * sums[0])
    return factorials * parts.log_partition[1:], factorials * parts.errors[0][1:], field, errors


def _correlations(parts: Sectors, sizes: tuple[int, int], antiperiodic: tuple[bool, bool]) -> tuple[Array, Array]:
    """Σ_r F(r) of a sector and its derivative, times m where neither direction is antiperiodic, with error bounds."""
    v, dv = parts.v[:2]
    g = propagators(sizes, antiperiodic, v)
    g[1] *= dv
    # The matrix of a path is c J - k G.
    warm = [[v, 1 - v * v], [dv, -2 * v * dv]]
    scale = np.array([[1.0, -2 * v], [0.0, -2 * dv]] if parts.cold else warm)
    vectors = np.zeros((2, 2, 5))
    vectors[0, 0, 4] = 1.0
    if not any(antiperiodic):
        _add_zero_mode(g, vectors, parts, sizes, scale[:, 1])

    noise = np.random.default_rng(0).uniform(-NUDGE, NUDGE, g.shape)
    nudged = g + noise * np.abs(g).max(axis=(1, 2, 3, 4), keepdims=True)
    sums, changes = np.zeros(2), np.zeros(2)
    for multiplicity, path in _paths(sizes, parts.cold):
        found = _along(g, scale, vectors, path)
        sums += found @ multiplicity
        changes += np.abs(found - _along(nudged, scale, vectors, path)) @ multiplicity
    start = vectors[:, 0, 4]
    return sums + start, ROUNDING_OF_NUDGE * changes + LINEAR * max(sizes) * np.abs(sums)


def _add_zero_mode(g: Array, vectors: Array, parts: Sectors, sizes: tuple[int, int], k: Array) -> None:
    """Add its part with a finite τ to the propagators, and say how Pfaffians depend on it."""
    (v, dv), (m, dm), count = parts.v[:2], parts.mass[:2], sizes[0] * sizes[1]
    regular, u, w = zero_mode(v)
    du, dw = np.array([0.0, 0.0, -dv, 0.0]), np.array([0.0, 0.0, 0.0, -dv])
    tau = (1 if parts.cold else -1) / max(m, 1 / max(sizes))
    parallel = np.outer(du, w) + np.outer(u, dw)
    g[0] += ((regular - tau * (np.outer(u, w) - np.outer(w, u))) / count)[:, :, None, None]
    g[1] -= (tau * (parallel - parallel.T) / count)[:, :, None, None]
    vectors[:, 0] = [*u, m], [*du, dm]
    vectors[0, 1] = [*w, (1 - m * tau) * k[0] / count]
    vectors[1, 1] = [*dw, ((1 - m * tau) * k[1] - dm * tau * k[0]) / count]


def _paths(sizes: tuple[int, int], cold: bool) -> Iterator[tuple[Array, Array]]:
    """Paths to a quarter of the torus: how many sites are like each bond's end, where counted, and half-edges."""
    across, up = (_alike(size) for size in sizes)
    for x in range(len(across)):
        path = half_edges(x, len(up) - 1, cold)
        last = x + 1 == len(across)
        row = up[0] * across[1 : x + 1] if last else np.zeros(x)
        yield np.concatenate([row, across[x] * up[1:]]), path


def _alike(size: int) -> Array:
    """How many of 0 … size - 1 are 0, 1, … size // 2 or its negative."""
    n = np.arange(size // 2 + 1)
    return np.where(2 * n % size == 0, 1.0, 2.0)


def _along(g: Array, scale: Array, vectors: Array, path: Array) -> Array:
    """F at the end of each bond of a path, and its derivative."""
    loop = compiled_module(pfaffian_loops, contract=True)["path_correlations"]
    found = np.zeros((2, path.shape[1] // 2))
    loop(g[0], g[1], scale, vectors, *path, found[0], found[1])
    return found
