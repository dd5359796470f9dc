"""The neural tangent kernel of infinitely wide networks in closed form.

Pre-activations of a layer are Gaussian, with covariances Σ(x, x′).  For a pair of inputs they are known by variances
q, r and the angle θ, Σ = √(q r) cos θ: where x and x′ are nearly parallel a covariance has lost the digits of θ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from infogeom.arguments import check_count, finite_array
from infogeom.network.blocks import finite

__all__ = ["infinite_width_kernel"]

Array = NDArray[np.float64]


class Gaussians(NamedTuple):
    """Two sets of Gaussian variables: roots √q (N, 1) and √r (1, M) of their variances, and angles θ (N, M)."""

    rows: Array
    columns: Array
    angle: Array

    @property
    def covariance(self) -> Array:
        """Covariances √(q r) cos θ, (N, M)."""
        return np.asarray(self.rows * self.columns * np.cos(self.angle))


def infinite_width_kernel(x: ArrayLike, other: ArrayLike | None = None, *, depth: int, activation: str) -> Array:
    """Neural tangent kernel of infinitely wide networks at the start, Θ(x_n, x_m) in Λ_nm,ab = Θ(x_n, x_m) δ_ab.

    It is the limit of `ntk` for ``MLP((d, W, …, W, O), parametrization="ntk")`` with ``depth`` hidden layers of width
    W → ∞, He's initialisation and biases, from which a network differs by terms of order 1/√W (Jacot, Gabriel, Hongler,
    "Neural Tangent Kernel", NeurIPS 2018). With the standard parametrisation the kernel grows with W. From
    Σ₁ = 2 x·x′/d and Θ₁ = Σ₁ + 1, the 1 of the bias, layers follow on each other by

        Σ_{l+1} = 2 E[φ(u) φ(v)],    Θ_{l+1} = Σ_{l+1} + 1 + 2 Θ_l E[φ′(u) φ′(v)],    (u, v) ~ Normal(0, Σ_l),

    up to Θ = Θ_{depth+1}. The expectations are those of the arc-cosine kernel (Cho, Saul, "Kernel methods for deep
    learning", NIPS 2009) or of the arcsine kernel (Williams, "Computing with infinite networks", NIPS 1996).

    Parameters
    ----------
    x : array_like, shape (N, d)
        Inputs x_n.
    other : array_like, shape (M, d), optional
        Inputs x_m, those of ``x`` when omitted.
    depth : int
        Number of hidden layers, at least 0.
    activation : {"relu", "erf"}

    Returns
    -------
    ndarray of float64, shape (N, M)
        Right to a few roundings of √(Θ(x_n, x_n) Θ(x_m, x_m)) for each layer, for parallel inputs too; with "erf" times
        1 + |x|/√d, by which nearly parallel inputs' own roundings are magnified.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, the rule and the value.
    OverflowError
        When the kernel leaves float64.

    Examples
    --------
    >>> import numpy as np, infogeom as ig
    >>> x = [[1.0, 0.5], [0.2, -1.0]]
    >>> limit = ig.network.infinite_width_kernel(x, depth=1, activation="relu")
    >>> limit.round(4)
    array([[4.5   , 1.5162],
           [1.5162, 4.08  ]])
    >>> net = ig.network.MLP((2, 4000, 1), dtype="float64", parametrization="ntk")
    >>> bool(abs(ig.network.ntk(net, x)[..., 0, 0] / limit - 1).max() < 0.1)
    True
    """
    rows = _checked("x", x)
    columns = rows if other is None else _checked("other", other)
    if columns.shape[1] != rows.shape[1]:
        raise ValueError(f"other must have {rows.shape[1]} columns as x has, got {columns.shape}")
    check_count("depth", depth, least=0)
    if activation not in tuple(NEXT_LAYER):  # which takes what has no hash, too
        raise ValueError(f"activation must be one of {sorted(NEXT_LAYER)}, which have closed forms, got {activation!r}")

    # Layer by layer, the pre-activations of which are Gaussian.
    with np.errstate(over="ignore", invalid="ignore"):  # asked for in the end
        layer = _first(rows, columns)
        kernel = layer.covariance + 1
        for _ in range(depth):
            layer, slopes = NEXT_LAYER[activation](layer)
            kernel = layer.covariance + 1 + kernel * slopes
        return finite(np.asarray(kernel))


def _checked(name: str, given: ArrayLike) -> Array:
    """Inputs, at least one."""
    found = finite_array(name, given, 2, copy=False)
    if not found.size:
        raise ValueError(f"{name} must have shape (N, d) with N and d at least 1, got {found.shape}")
    return found


def _first(x: Array, y: Array) -> Gaussians:
    """Pre-activations of the first layer, of covariance 2 x·y/d; the angle by sum and difference of unit vectors."""
    (u, rows), (v, columns) = _unit_vectors(x), _unit_vectors(y)
    root = np.sqrt(2 / x.shape[1])
    return Gaussians(root * rows, root * columns.T, 2 * np.arctan2(cdist(u, v), cdist(u, -v)))


def _unit_vectors(x: Array) -> tuple[Array, Array]:
    """Unit vectors, or 0 for 0, and lengths (N, 1); squares of what is over its largest entry are within float64."""
    largest = abs(x).max(axis=1, keepdims=True)
    over = x / np.where(largest > 0, largest, 1)
    length = np.linalg.norm(over, axis=1, keepdims=True)
    return over / np.where(length > 0, length, 1), largest * length


def _relu(layer: Gaussians) -> tuple[Gaussians, Array]:
    """Next layer and 2 E[φ′φ′] = 1 − θ/π: 2 E[φφ] = √(q r) (sin θ + (π − θ) cos θ)/π leaves variances as they are.

    The next angle is found by the square of the sine of its half, which is sin²(θ/2) − (sin θ − θ cos θ)/2π: next to
    θ = 0 its error is θ roundings, and that of the angle a few.  A unit whose input vanishes has slope 0, as in `MLP`.
    """
    angle = layer.angle
    half = np.sin(angle / 2) ** 2 - (np.sin(angle) - angle * np.cos(angle)) / (2 * np.pi)
    slopes = np.where((layer.rows > 0) & (layer.columns > 0), 1 - angle / np.pi, 0.0)
    return layer._replace(angle=2 * np.arcsin(np.sqrt(np.maximum(half, 0)))), slopes


def _erf(layer: Gaussians) -> tuple[Gaussians, Array]:
    """Next layer and 2 E[φ′φ′] = (8/π) / √D with D = (1 + 2q)(1 + 2r) − 4Σ².

    2 E[φφ] = (4/π) arcsin(2Σ / √((1 + 2q)(1 + 2r))) is (4/π) arctan(2Σ / √D), and D a sum of what is positive.
    """
    rows, columns, angle = layer
    area = 2 * rows * columns * np.sin(angle)
    root = np.hypot(np.hypot(1, area), np.sqrt(2) * np.hypot(rows, columns))
    covariance = 4 / np.pi * np.arctan2(2 * layer.covariance, root)
    rows, columns = (np.sqrt(4 / np.pi * np.arctan2(2 * s * s, np.hypot(1, 2 * s))) for s in (rows, columns))
    rest = np.sqrt(np.maximum((rows * columns) ** 2 - covariance**2, 0))
    return Gaussians(rows, columns, np.arctan2(rest, covariance)), 8 / np.pi / root


#: From a layer to the next one, and to 2 E[φ′φ′] between them.
NEXT_LAYER: Mapping[str, Callable[[Gaussians], tuple[Gaussians, Array]]] = {"relu": _relu, "erf": _erf}
