"""Correlations along paths of the square lattice as nested Pfaffians, in loops that numba compiles as they stand.

A correlation of spins at the ends of a path is the Pfaffian of an antisymmetric matrix over the half-edges of its bonds
(`infogeom.kernels.gibbs.zero_field.free_fermions`), that of the start and the end of any bond one of its leading
minors.  So one elimination, two rows at a time, gives all correlations along the path; with every number goes its
derivative.
"""

from __future__ import annotations

from math import fabs
from typing import Any

from numpy import empty

__all__ = ["path_correlations"]

Array = Any  # float64 arrays; numba infers the rest
#: Pfaffian beyond which correlations are nothing, far below their rounding.
VANISHING = 1e-30


def path_correlations(
    g: Array, dg: Array, scale: Array, zero_mode: Array, kind: Array, x: Array, y: Array, out: Array, dout: Array
) -> None:
    """Pfaffians of the first bonds of a path, one, two, up to all of them, and their derivatives.

    Parameters
    ----------
    g, dg : ndarray, shape (4, 4, m, m)
        Propagators between half-edges (right, up, left, down) at displacements from -1 on, and their derivatives.
    scale : ndarray, shape (2, 2)
        The weights c and k of the matrix c J - k g, J of the bonds, and their derivatives, in the second row.
    zero_mode : ndarray, shape (2, 2, 5)
        Components of two vectors on half-edges, then the factors p and q in Pf (p + q vᵀ A⁻¹ u), in [0, 0, 4] and
        [0, 1, 4]; [1] the derivatives.
    kind, x, y : ndarray of int, shape (2 n,)
        The half-edges of the bonds, one bond after the other, and their sites.
    out, dout : ndarray, shape (n,)
        Where results go; zeros, which stay behind a Pfaffian that vanishes.
    """
    # The matrix above its diagonal, with the two vectors as its last columns.
    n = kind.size
    c, k, dc, dk = scale[0, 0], scale[0, 1], scale[1, 0], scale[1, 1]
    a, da = empty((n, n + 2)), empty((n, n + 2))
    for i in range(n):
        for j in range(i + 1, n):
            right, up = x[j] - x[i] + 1, y[j] - y[i] + 1
            value = g[kind[i], kind[j], right, up]
            a[i, j] = -k * value
            da[i, j] = -dk * value - k * dg[kind[i], kind[j], right, up]
        for v in range(2):
            a[i, n + v] = zero_mode[0, v, kind[i]]
            da[i, n + v] = zero_mode[1, v, kind[i]]
        if i % 2 == 0:
            a[i, i + 1] += c
            da[i, i + 1] += dc
    _eliminate(a, da, zero_mode, out, dout)


def _eliminate(a: Array, da: Array, zero_mode: Array, out: Array, dout: Array) -> None:
    n = a.shape[0]
    p, q = zero_mode[0, 0, 4], zero_mode[0, 1, 4]
    dp, dq = zero_mode[1, 0, 4], zero_mode[1, 1, 4]
    pfaffian, dpfaffian, form, dform = 1.0, 0.0, 0.0, 0.0
    for i in range(0, n, 2):
        # The pivot, and what it adds to the form vᵀ A⁻¹ u.
        pivot, dpivot = a[i, i + 1], da[i, i + 1]
        dpfaffian = dpfaffian * pivot + pfaffian * dpivot
        pfaffian *= pivot
        if not fabs(pfaffian) > VANISHING:
            out[i // 2], dout[i // 2] = pfaffian * p, dpfaffian * p + pfaffian * dp
            break
        for j in range(i + 2, n + 2):
            a[i, j] /= pivot
            da[i, j] = (da[i, j] - a[i, j] * dpivot) / pivot
        u, w, du, dw = a[i, n], a[i + 1, n], da[i, n], da[i + 1, n]
        v, z, dv, dz = a[i, n + 1], a[i + 1, n + 1], da[i, n + 1], da[i + 1, n + 1]
        form += u * z - w * v
        dform += du * z + u * dz - dw * v - w * dv
        out[i // 2] = pfaffian * (p + q * form)
        dout[i // 2] = dpfaffian * (p + q * form) + pfaffian * (dp + dq * form + q * dform)
        # What is left after the two rows are eliminated.
        for r in range(i + 2, n):
            s, t, ds, dt = a[i, r], a[i + 1, r], da[i, r], da[i + 1, r]
            for j in range(r + 1, n + 2):
                a[r, j] += t * a[i, j] - s * a[i + 1, j]
                da[r, j] += dt * a[i, j] + t * da[i, j] - ds * a[i + 1, j] - s * da[i + 1, j]
