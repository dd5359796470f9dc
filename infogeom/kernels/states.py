"""Exponential families over a table of states: geometry by sums over the states, for tens of parameters.

With probabilities p_s, centred statistics c_s and z_s = E c_s in an orthonormal frame, Σ_s p_s z_s z_sᵀ = 1,

    g = Σ_s p_s c_s c_sᵀ,      R = ¼ (Σ_st p_s p_t (z_s·z_t)³ − |Σ_s p_s |z_s|² z_s|²),

the squared norms of the third cumulant and of its trace (SCIENCE.md 2): no tensor of rank 3 is formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from infogeom.kernels.curvature import SINGULAR, UNIT

__all__ = ["Stated", "stated"]

Array = NDArray[np.float64]
#: Roundings of a logarithm and an exponential, besides those of the exponent.
ELEMENTARY = 8


class Stated(NamedTuple):
    """Quantities at a point; whether float64 tells the metric from a singular one; a bound on the error of R."""

    values: dict[str, Array]
    regular: bool
    error: float


def stated(statistics: Array, theta: Sequence[float]) -> Stated:
    """Quantities of the family with log-density θ·t_s − ψ over the states s.

    Parameters
    ----------
    statistics : ndarray, shape (S, n)
    theta : sequence of n floats
    """
    exponent = statistics @ np.asarray(theta)
    weights = np.exp(exponent - exponent.max())
    p = weights / weights.sum()
    c = statistics - p @ statistics
    root = np.sqrt(p)[:, None] * c
    g = root.T @ root
    values = {"metric": g, "fisher_trace": np.asarray(np.trace(g))}
    r = np.linalg.qr(root, mode="r")
    sizes = np.sqrt(np.diag(g))
    if not (np.abs(np.diag(r)) > np.sqrt(SINGULAR) * sizes).all():
        nothing = np.full_like(g, np.nan)
        return Stated(values | {"inverse_metric": nothing, "determinant": np.asarray(np.prod(np.diag(r) ** 2)),
                                "ricci_scalar": np.asarray(np.nan)}, False, np.inf)  # fmt: skip
    E, _ = lapack.dtrtri(r)  # g = rᵀ r, so that Eᵀ g E = 1
    z = c @ E
    values |= {"inverse_metric": E @ E.T, "determinant": np.asarray(np.prod(np.diag(r) ** 2))}
    length = np.sqrt(np.einsum("si,si->s", z, z))
    products = z @ z.T
    cubes = p @ (products * products * products) @ p
    trace = (p * length**2) @ z
    values["ricci_scalar"] = np.asarray((cubes - trace @ trace) / 4)
    return Stated(values, True, _error(p, length, cubes, trace, sizes, E, np.abs(statistics) @ np.abs(theta)))


def _error(p: Array, length: Array, cubes: float, trace: Array, sizes: Array, E: Array, exponents: Array) -> float:
    """Bound on the error of R to first order.

    With ε the relative error of the p_s, each z_s is off by ε, by what rounding does to c_s, and by
    W = √n ε + u √S Σ_i √(g_ii g^ii) times itself, as QR is stable by columns (Higham 2002, Th. 19.4).
    """
    S, n = len(p), len(E)
    epsilon = UNIT * (ELEMENTARY + 2 * float(exponents.max()))
    inverse = np.sqrt(np.einsum("ij,ij->i", E, E))
    W = np.sqrt(n) * epsilon + UNIT * np.sqrt(S) * float(sizes @ inverse)
    third, shift = float(p @ length**3), epsilon + 2 * UNIT * float(inverse.sum())
    of_third = (epsilon + 3 * W + UNIT * np.sqrt(n)) * third + 3 * n * shift
    norm, of_trace = np.sqrt(max(cubes, 0.0)), np.sqrt(float(trace @ trace))
    products = (norm + np.sqrt(n) * of_trace) * of_third / 2
    return float(products + UNIT * np.sqrt(S) * (cubes + trace @ trace) / 4)
