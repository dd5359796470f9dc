"""Cumulants of the Ising model on an infinite cylinder, from the transfer matrix's largest eigenvalue.

From row to row of ``width`` spins, T = S V S with S = exp(½ (β e + h m)) of the energy e and the sum m of a row, and V
the product of exp(β s s′) over its sites; ψ = ln λ / width for the largest eigenvalue λ, of vector v.  From its slopes,

    (λ - T) v_a = (∂_a T - ∂_a λ) v,   v_a ⟂ v,

Wigner's 2n + 1 theorem makes the third derivatives of λ: the Rayleigh quotient of v + Σ_a v_a δ_a in T(θ + δ) differs
from λ(θ + δ) by the quadratic form of λ - T in the error of that vector, which is of second order.  Everything goes on
in the space of rows that are alike by rotations and reflections, where only V needs all rows.

Powers of δ are counted from the mean, e^{-μ δ} T(θ + δ), so that no power of a mean cancels, and from rows of equal
spins, whose share goes to 1 where all else goes to 0.
"""

from __future__ import annotations

from itertools import product
from math import exp, factorial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.gibbs.cumulants import PointCumulants
from infogeom.kernels.gibbs.cylinders import transfer_loops
from infogeom.kernels.gibbs.cylinders.krylov import Solution, largest, solve
from infogeom.kernels.gibbs.rows import rows

__all__ = ["cylinder_cumulants"]

Array = NDArray[Any]
#: Rounding error of one application of the transfer matrix, in terms of the vector's norm.
ROUNDED_IMAGE = 2.0**-51
#: Rounding error of a scalar product of vectors that were transferred, in terms of the sum of magnitudes.
ROUNDED_PRODUCT = 2.0**-50
#: Applications of T that follow an iteration: entries far below the norm get their own digits, each a positive sum.
POLISH = 2
#: Least gap below λ, in terms of λ, at which bounds are finite.
LEAST_GAP = 2.0**-44
#: Least λ, in terms of the largest entry of T, that float64 reaches.
FAINT_SHARE = 1e-100


class _Transfer:
    """The transfer matrix at a point, divided by its largest entry, in an orthonormal basis of alike rows.

    Energies are counted from where most bonds are satisfied: for β < 0 from alternating rows, each followed by its
    opposite, so that V is the flip of all spins times that of -β.
    """

    def __init__(self, width: int, beta: float, h: float) -> None:
        of_rows = rows(2, width, False)
        self.kind, self.first = of_rows.kind, of_rows.representatives
        self.even = h == 0
        opposite = 2**width - 1 - self.first
        self.flipped = self.kind[opposite]
        self.roots = np.sqrt(of_rows.sizes)
        self.sign = -1 if beta < 0 else 1
        self.next = opposite if beta < 0 else self.first
        # The energy and the sum of a row, but for constants.
        self.row = np.stack([-2.0 * of_rows.unequal, 2.0 * of_rows.zeros - 2 * width])[:, self.first]
        self.row[0] += width - self.sign * width
        exponents = (beta * self.row[0] + h * self.row[1]) / 2
        self.scale = np.exp(exponents - exponents.max())
        self.q = exp(-2 * abs(beta)) * np.array([1.0, -2.0 * self.sign, 2.0, -4 / 3 * self.sign])
        self.width = width
        self.loops = compiled_module(transfer_loops, contract=True)

    def __call__(self, x: Array) -> Array:
        """Return T x."""
        full = (x * self.scale / self.roots)[self.kind]
        self.loops["cross"](full, self.q[0])
        image: Array = full[self.next] * self.scale * self.roots
        return image

    def cross(self, x: Array) -> Array:
        """Return V x, of series in β, shape (order + 1, kinds)."""
        full = (x / self.roots)[:, self.kind]
        self.loops["cross_series"](full, self.q)
        return full[:, self.next] * self.roots

    def project(self, x: Array, parity: int) -> Array:
        """Remove what is not of this parity under the flip of all spins, without a field."""
        return (x + parity * x[self.flipped]) / 2 if self.even else x


class _Series(NamedTuple):
    """Series in (δ_β, δ_h), shape (order + 1, order + 1, …): of w·w, of w·T w and of its magnitudes, and T w itself."""

    norm: Array
    form: Array
    size: Array
    image: Array


def cylinder_cumulants(width: int, points: Array) -> PointCumulants:
    """Cumulants per site of (Σ s s′, Σ s) of the Ising model on an infinite cylinder at points (β, h), shape (m, 2).

    Errors are bounds to first order, of the residuals of v and its slopes, the gap below λ and rounding. Without a
    field, deep in the ordered phase, two eigenvalues are the same to rounding: what the field moves then has infinite
    bounds. A width from 3 on; memory and time are those of 2^width rows.

    Source: Wigner, Math. Naturwiss. Anz. Ungar. Akad. Wiss. 53 (1935) 477, for the 2n + 1 theorem.

    Examples
    --------
    >>> import numpy as np
    >>> found = cylinder_cumulants(4, np.array([[0.0, 0.0]]))
    >>> found.second[..., 0].round(12)  # at infinite temperature: two bonds and one spin for each site
    array([[2., 0.],
           [0., 1.]])
    """
    points = np.asarray(points, float)
    shapes = [(2,) * rank + (len(points),) for rank in (1, 2, 3)]
    found = [np.zeros(shape) for shape in shapes]
    bounds = [np.zeros(shape) for shape in shapes]
    for k, (beta, h) in enumerate(points):
        values, errors = _at(width, float(beta), abs(float(h)))
        for rank in (1, 2, 3):
            for index in product((0, 1), repeat=rank):
                odd = sum(index) % 2 == 1
                if not (odd and h == 0):
                    sign = -1.0 if odd and h < 0 else 1.0
                    found[rank - 1][(*index, k)] = sign * values[rank - sum(index), sum(index)] / width
                    bounds[rank - 1][(*index, k)] = errors[rank - sum(index), sum(index)] / width
    return PointCumulants(found[0], found[1], found[2], (bounds[0], bounds[1], bounds[2]))


def _at(width: int, beta: float, h: float) -> tuple[Array, Array]:
    """Derivatives [i, j] = ∂_β^i ∂_h^j ln λ up to the third, h ≥ 0, and bounds on their errors."""
    T = _Transfer(width, beta, h)
    v = largest(T, T.project(T.scale * T.roots, 1))
    for _ in range(POLISH):
        v = T.project(T(v), 1)
        if np.linalg.norm(v) < FAINT_SHARE:
            return np.zeros((4, 4)), np.full((4, 4), np.inf)
        v /= np.linalg.norm(v)
    size = float(v @ T(v))
    residual = float(np.linalg.norm(T(v) - size * v)) / size + ROUNDED_IMAGE

    # Slopes of v, both of which are of the parity of their parameter.
    first = _series(T, size, v, np.zeros((2, len(v))), np.zeros(2), 1)
    mean = np.array([first.form[1, 0], first.form[0, 1]])
    slopes = []
    for a, parity in enumerate((1, -1)):
        force = T.project(first.image[(1, 0) if a == 0 else (0, 1)] - mean[a] * v, parity)
        slopes.append(_slope(T, size, v, force, parity))
    whole = _series(T, size, v, np.stack([slope.x for slope in slopes]), mean, 3)
    values = _logarithm(whole.form) - _logarithm(whole.norm)
    values[1, 0] += 2 * T.sign * width + mean[0]
    values[0, 1] += width + mean[1]
    return values, _bounds(T, v, residual, slopes, whole, mean, values)


def _slope(T: _Transfer, size: float, v: Array, force: Array, parity: int) -> Solution:
    """Solve (1 - T / λ) x = force at right angles to v."""

    def image(x: Array) -> Array:
        y = T.project(T(x), parity) / size
        return y - v * (v @ y)

    force = force - v * (v @ force)
    x, gap = solve(image, force)
    for _ in range(POLISH):
        x = force + image(x)
    left = np.linalg.norm(force + image(x) - x) + ROUNDED_IMAGE * np.linalg.norm(x)
    return Solution(x, gap, float(left))


def _series(T: _Transfer, size: float, v: Array, slopes: Array, mean: Array, order: int) -> _Series:
    """Series of the vector w = v + Σ_a v_a δ_a and the matrix e^{-μ·δ} T(θ + δ) / λ."""
    start = np.zeros((order + 1, order + 1, len(v)))
    start[0, 0], start[1, 0], start[0, 1] = v, slopes[0], slopes[1]
    growth = [_powers((row - m) / 2, order) for row, m in zip(T.row, mean, strict=True)]
    left = _times(start * T.scale, growth, order)
    right = np.zeros_like(left)
    for j in range(order + 1):
        right[: order + 1 - j, j] = T.cross(left[: order + 1 - j, j]) / size
    norm, form, magnitude = np.zeros((3, order + 1, order + 1))
    for i, j in _orders(order):
        for k, l in product(range(i + 1), range(j + 1)):
            norm[i, j] += start[k, l] @ start[i - k, j - l]
            form[i, j] += left[k, l] @ right[i - k, j - l]
            magnitude[i, j] += np.abs(start[k, l]) @ np.abs(start[i - k, j - l])
            magnitude[i, j] += np.abs(left[k, l]) @ np.abs(right[i - k, j - l])
    return _Series(norm, form, magnitude, _times(right, growth, order) * T.scale)


def _orders(order: int) -> list[tuple[int, int]]:
    return [(i, n - i) for n in range(order + 1) for i in range(n + 1)]


def _powers(x: Array, order: int) -> list[Array]:
    """Coefficients of e^{x δ}."""
    return [x**k / factorial(k) for k in range(order + 1)]


def _times(f: Array, growth: list[list[Array]], order: int) -> Array:
    """Series of f times the exponentials of both parameters."""
    found = np.zeros_like(f)
    for i, j in _orders(order):
        for k, l in product(range(i + 1), range(j + 1)):
            found[i, j] += growth[0][k] * growth[1][l] * f[i - k, j - l]
    return found


def _logarithm(f: Array) -> Array:
    """Derivatives up to the third of the logarithm of a series whose first power is no more than rounding."""
    s = f / f[0, 0]
    s[0, 0] = 0.0
    square = np.zeros_like(s)
    for i, j in _orders(3):
        for k, l in product(range(i + 1), range(j + 1)):
            square[i, j] += s[k, l] * s[i - k, j - l]
    factorials = np.array([1.0, 1.0, 2.0, 6.0])
    derivatives: Array = (s - square / 2) * np.outer(factorials, factorials)
    return derivatives


def _bounds(
    T: _Transfer, v: Array, residual: float, slopes: list[Solution], whole: _Series, mean: Array, values: Array
) -> Array:
    """Bounds on the errors of the derivatives of ln λ.

    With ρ the residual of v, ρ_a those of its slopes, v_ab and v_abc its further derivatives, the Rayleigh quotient has
    the errors 2 ρ |v_a|, 2 ρ |v_ab| + 2 ρ_a ρ_b / gap and 2 ρ |v_abc| + 2 Σ ρ_a |v_bc|, and others of higher order.
    """
    factorials = np.array([1.0, 1.0, 2.0, 6.0])
    times = np.outer(factorials, factorials)
    gap = min(slope.gap for slope in slopes)
    gaps = [slopes[0].gap, slopes[1].gap] if T.even else [gap, gap]
    image = whole.image - np.tensordot(whole.image, v, 1)[..., None] * v
    sizes = np.linalg.norm(image, axis=-1) * times
    # No less than the norms of ∂_a T - ∂_a λ, and those of v_a.
    steepest = np.abs(T.row - mean[:, None]).max(axis=1) + np.array([2 * T.width, 0])
    norms = [float(np.linalg.norm(slope.x)) for slope in slopes]
    further, errors = np.zeros((4, 4)), np.zeros((4, 4))
    further[1, 0], further[0, 1] = norms
    for i, j in _orders(3)[1:]:
        # The ways to take one parameter out of i times β and j times h.
        ways = [(n, a, (i - 1, j) if a == 0 else (i, j - 1)) for a, n in enumerate((i, j)) if n]
        errors[i, j] = ROUNDED_PRODUCT * times[i, j] * whole.size[i, j]
        if i + j == 2:
            further[i, j] = sizes[i, j] / gaps[j % 2]
            errors[i, j] += 2 * slopes[0 if i else 1].residual * slopes[1 if j else 0].residual / gaps[j % 2]
        if i + j == 3:
            force = sizes[i, j]
            for n, a, rest in ways:
                force += n * (steepest[a] * further[rest] + abs(values[rest]) * norms[a])
                errors[i, j] += 2 * n * slopes[a].residual * further[rest]
            further[i, j] = force / gaps[j % 2]
        errors[i, j] += 2 * residual * further[i, j]
        # Without a field, what is only of the energy knows of the even sector alone.
        near = gaps[0] if T.even and j == 0 else gap
        if not (near > LEAST_GAP and np.isfinite(errors[i, j])):
            errors[i, j] = np.inf
    errors[1, 0] += ROUNDED_PRODUCT * (2 * T.width + abs(mean[0]))
    errors[0, 1] += ROUNDED_PRODUCT * (T.width + abs(mean[1]))
    return errors
