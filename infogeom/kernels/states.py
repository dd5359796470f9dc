"""Exponential families over a table of states: geometry by sums over the states, for tens of parameters.

With probabilities p_s, centred statistics c_s and z_s = E c_s in an orthonormal frame, Σ_s p_s z_s z_sᵀ = 1,

    g = Σ_s p_s c_s c_sᵀ,      R = ¼ (Σ_st p_s p_t (z_s·z_t)³ − |Σ_s p_s |z_s|² z_s|²),

the squared norms of the third cumulant and of its trace (SCIENCE.md 2): no tensor of rank 3 is formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from infogeom.kernels import curvature
from infogeom.kernels.compile import compiled_module
from infogeom.kernels.curvature import UNIT
from infogeom.kernels.geometry import contract_indices
from infogeom.kernels.tensor_errors import SINGLE, TensorErrors

__all__ = ["stated"]

Array = NDArray[np.float64]
#: Roundings of a logarithm and an exponential, besides those of the exponent.
ELEMENTARY = 8
#: Below this exponent the weight of a state may have lost digits to underflow.
LOST = -690.0
NONE = np.empty((0,) * 4), np.empty((0,) * 5)


@np.errstate(over="ignore", invalid="ignore")  # what leaves float64 is told by the status
def stated(statistics: Array, theta: Sequence[float]) -> dict[str, Array]:
    """Quantities of the family with log-density θ·t_s − ψ over the states s, and bounds on their errors.

    Parameters
    ----------
    statistics : ndarray, shape (S, n)
    theta : sequence of n floats

    Returns
    -------
    dict of str to ndarray
        With ``sound`` of `infogeom.kernels.tensor_errors.TensorErrors`, which is nan where float64 cannot tell the
        metric from a singular one: then there is the metric alone.
    """
    exponent = statistics @ np.asarray(theta)
    exponent -= exponent.max()
    weights = np.exp(exponent)
    p = weights / weights.sum()
    c = statistics - p @ statistics
    root = np.sqrt(p)[:, None] * c
    g = root.T @ root
    r = np.asarray(np.linalg.qr(root, mode="r"))
    n, sizes = len(g), np.sqrt(np.diag(g))
    found: dict[str, Any] = {"metric": g, "fisher_trace": np.trace(g), "determinant": np.prod(np.diag(r) ** 2)}
    if not (np.abs(np.diag(r)) > np.sqrt(curvature.SINGULAR) * sizes).all():
        nothing = np.full((n, n), np.nan)
        return found | {"inverse_metric": nothing, "ricci_scalar": np.asarray(np.nan), "sound": np.asarray(np.nan)}
    E, _ = lapack.dtrtri(r)  # g = rᵀ r, so that Eᵀ g E = 1
    z = c @ E
    length = np.sqrt(np.einsum("si,si->s", z, z))
    products = z @ z.T
    cubes = p @ (products * products * products) @ p
    trace = (p * length**2) @ z
    found |= {"inverse_metric": E @ E.T, "ricci_scalar": np.asarray((cubes - trace @ trace) / 4)}

    # The relative error of a weight; what rounding does to a centred statistic; the moments of weights below float64.
    epsilon = UNIT * (ELEMENTARY + 2 * float((np.abs(statistics) @ np.abs(theta)).max()))
    shift = 4 * 16 * UNIT * np.abs(statistics).max(axis=0)
    lost = np.where(exponent < LOST, np.exp(LOST), 0.0)
    of_g = _metric_error(p, c, epsilon, shift, lost)
    contracted = partial(contract_indices, compiled_module(curvature)["contract"])
    errors = (of_g[..., None], *NONE, np.zeros((n + 1, 1)))
    bounds = TensorErrors(E[..., None], r[..., None], errors, True, contracted, share=SINGLE)
    of_metric, sound = bounds.metric(g[..., None])[..., 0], bounds.sound[0]
    found |= {"metric_error": of_metric, "fisher_trace_error": np.trace(of_metric), "sound": sound}
    found["determinant_error"] = bounds.determinant(found["determinant"])[0]
    found["inverse_metric_error"] = bounds.inverse(found["inverse_metric"][..., None])[..., 0]

    # QR is stable by columns (Higham 2002, Th. 19.4).
    lengths = np.sqrt(np.einsum("ij,ij->i", E, E))
    W = np.sqrt(n) * epsilon + UNIT * np.sqrt(len(p)) * float(sizes @ lengths) + float(lost @ length**2)
    of_third = _third_error(p, length, epsilon, W, epsilon + 2 * UNIT * float(lengths.sum()), lost, n)
    norm, of_trace = np.sqrt(max(cubes, 0.0)), np.sqrt(float(trace @ trace))
    of_scalar = (norm + np.sqrt(n) * of_trace) * of_third / 2 + UNIT * np.sqrt(len(p)) * (cubes + trace @ trace) / 4
    return found | {"ricci_scalar_error": np.asarray(of_scalar / sound)}


def _metric_error(p: Array, c: Array, epsilon: float, shift: Array, lost: Array) -> Array:
    """Bound on the errors of Σ_s p_s c_s c_sᵀ, entry by entry."""
    size = np.abs(c)
    first = p @ size
    beside = np.outer(first, shift)
    relative = 2 * epsilon + UNIT * (ELEMENTARY + np.sqrt(len(p)))
    return np.asarray(
        relative * (size.T * p) @ size + beside + beside.T + np.outer(shift, shift) + (size.T * lost) @ size
    )


def _third_error(p: Array, length: Array, epsilon: float, W: float, shift: float, lost: Array, n: int) -> float:
    """Bound on the error of the norm of the third cumulant in the frame, to first order."""
    third = float(p @ length**3)
    return float((epsilon + 3 * W + UNIT * np.sqrt(n)) * third + 3 * n * shift + lost @ length**3)
