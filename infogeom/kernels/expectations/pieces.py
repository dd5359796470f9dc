"""Where a density of one variable is, at many points at once: peak, width and range on each piece of its support.

A piece has a chart, logarithmic at its finite ends, on which the density is taken along the line. Rows of all arrays
are pieces, of whatever points; what is found for one depends on nothing beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.compiled.compile import compiled_module
from infogeom.kernels.expectations import node_loops

__all__ = [
    "CLOSELY",
    "EFFORTS",
    "LEFT_OFF",
    "QUICKLY",
    "THOROUGHLY",
    "Chart",
    "Effort",
    "Found",
    "Height",
    "Pieces",
    "Rows",
    "located",
    "peaks",
    "search",
]

Array = NDArray[np.float64]
#: Which rows of arrays.
Rows = slice | NDArray[np.int64]
EVERY = slice(None)
#: The logarithm of a density along the line of each piece, or of some of them, at places (r, K).
Height = Callable[..., Array]
#: Where the exponent of the density has fallen by this from its peak it is left off, in float64.
LEFT_OFF = 60.0
#: Parts of a stretch in which the peak is, and how often the stretch is shortened at most.
STRETCH_PARTS = np.linspace(0, 1, 9)
MOST_STRETCHES = 20
#: How little the exponent falls from the peak to the ends of a stretch that is short enough.
FLAT = 0.1
#: Decimal exponents of the distance from a peak at which the exponent has fallen by 1, and how often and in how many
#: parts they are narrowed down.
DECADES = -12.0, 12.0
DECADE_PARTS = np.arange(1, 6) / 6
DECADE_ROUNDS = 3
#: Reach in scales of a density with light tails,
LIGHT_REACH = 20.0
#: and what it becomes by a larger scale.
EVEN_REACH = 6.0
#: Parts of the stretch of τ in which a density ends.
CLOSELY = np.arange(1, 8) / 8


#: Distances that are near.
NEAR_DISTANCE = 10.0


class Effort(NamedTuple):
    """How closely densities are looked for.

    Attributes
    ----------
    distances : ndarray
        From 0 to where the density is looked at, in the variable of the line; those up to `NEAR_DISTANCE` from other
        places, too, where a peak is supposed.
    range : ndarray
        Where it is looked how far a density goes, in τ.
    left_off : float, optional
        Where the exponent of the density has fallen by this from its peak it is left off.
    """

    distances: Array
    range: Array
    left_off: float = LEFT_OFF


def _both_sides(positive: Array) -> Array:
    return np.concatenate([-positive[::-1], [0.0], positive])


#: Enough where there is one peak, beside a parameter or far out,
QUICKLY = Effort(
    np.logspace(-3, 9, 13), _both_sides(np.array([1.0, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 160, 256]))
)
#: and where that was not enough.
THOROUGHLY = Effort(
    np.logspace(-9, 9, 73),
    np.concatenate([np.arange(-256.0, -64, 8), np.arange(-64.0, 64.5, 0.5), np.arange(72.0, 264, 8)]),
)
EFFORTS = QUICKLY, THOROUGHLY


class Pieces(NamedTuple):
    """Pieces of supports: which point each belongs to, its ends (r, 1), and what `search` has found."""

    point: NDArray[np.int64]
    low: Array
    high: Array
    centre: Array
    scale: Array
    first: Array
    last: Array
    top: Array

    def of(self, chosen: NDArray[np.bool_]) -> Pieces:
        """Some of the pieces."""
        columns: list[Any] = [values[chosen] for values in self]
        return Pieces(*columns)


class Found(NamedTuple):
    """Centre and scale of the density on each piece, first and last τ of x = centre + scale sinh τ, and its height."""

    centre: Array
    scale: Array
    first: Array
    last: Array
    top: Array


class Chart:
    """Map of the line onto the interiors of intervals, ends of shape (r, 1): logarithmic at finite ones."""

    def __init__(self, low: Array, high: Array) -> None:
        self.low, self.high = low, high
        self._finite = np.isfinite(low[:, 0]), np.isfinite(high[:, 0])

    def of(self, rows: Rows) -> Chart:
        """Those of some of the intervals."""
        return self if isinstance(rows, slice) else Chart(self.low[rows], self.high[rows])

    def point(self, t: Array) -> tuple[Array, Array]:
        """Points x(t) and log dx/dt, shape (r, K)."""
        x, slope = np.empty(t.shape), np.empty(t.shape)
        compiled_module(node_loops)["on_line"](np.ascontiguousarray(t), self.low[:, 0], self.high[:, 0], x, slope)
        return x, slope

    def inverse(self, x: Array) -> Array:
        """The t of points; nan outside."""
        with np.errstate(invalid="ignore", divide="ignore"):
            below, above = np.log(x - self.low), np.log(self.high - x)
        left, right = (finite[:, None] for finite in self._finite)
        t = np.where(left, below, 0.0) - np.where(right, above, 0.0)
        inside = (self.low < x) & (x < self.high)
        return np.where(inside, np.where(left | right, t, x), np.nan)


def search(chart: Chart, log_density: Callable[[Array, Array], Array], theta: Array, effort: Effort = QUICKLY) -> Found:
    """Find densities on pieces.

    The nodes are to lie wherever a density is, be it 10⁻⁹ wide or 10⁹ away: so first its peak is found, then on what
    scale it falls from there, and then how far it reaches in τ, of which sinh τ is that many scales.

    Parameters
    ----------
    chart : Chart
        Of r pieces.
    log_density : callable
        Of x (r, K) and ``theta``.
    theta : ndarray, shape (r, k)
        Parameters of the density on each piece.
    effort : Effort, optional
    """

    def height(t: Array, rows: Rows = EVERY) -> Array:
        x, slope = chart.of(rows).point(t)
        return log_density(x, theta[rows]) + slope

    # The peak, from around 0 and around each parameter that lies in the piece.
    centres = np.nan_to_num(chart.inverse(theta.T[..., None]))[..., 0].T
    near = _both_sides(effort.distances[effort.distances <= NEAR_DISTANCE])
    beside = (centres[:, :, None] + near).reshape(len(theta), len(near) * theta.shape[1])
    far = np.broadcast_to(_both_sides(effort.distances), (len(theta), 2 * len(effort.distances) + 1))
    return located(height, np.concatenate([far, beside], axis=1), effort)


def located(height: Height, t: Array, effort: Effort = QUICKLY) -> Found:
    """Find densities on pieces by their height along the line, looked at first at places t (r, K)."""
    heights = height(t)
    peak, top = _peak(height, t, heights)
    scale = _scale(height, peak, top)

    # The range; |τ| is the logarithm of dt/dτ, but for a constant. No place of before that counts is left out.
    first, last = _range(height, peak, scale, top, effort)
    with np.errstate(over="ignore", invalid="ignore"):
        tau = np.arcsinh((t - peak) / scale)
        counts = heights + np.abs(tau) > top - effort.left_off
    first = np.maximum(np.minimum(first, np.where(counts, tau, np.inf).min(axis=1)), effort.range[0])
    last = np.minimum(np.maximum(last, np.where(counts, tau, -np.inf).max(axis=1)), effort.range[-1])

    # Where it falls as e^−t² does nodes are to be as far apart in the middle as further out, nearly.
    with np.errstate(over="ignore"):
        ends = np.sinh([first, last])
    reach = np.abs(ends).max(axis=0)
    wider = np.where(reach < LIGHT_REACH, np.maximum(reach / EVEN_REACH, 1.0), 1.0)
    first, last = np.arcsinh(ends / wider)
    return Found(peak[:, 0], scale[:, 0] * wider, first, last, top[:, 0])


def peaks(height: Height, t: Array) -> tuple[Array, Array]:
    """Peaks of heights along the line and how high they are, shapes (r, 1), looked at first at places t (r, K)."""
    return _peak(height, t, height(t))


def _peak(height: Height, t: Array, heights: Array) -> tuple[Array, Array]:
    """Place of the peak in each row and its height, by stretches shorter and shorter; shapes (r, 1)."""
    peak, top, left, right = _highest(t, heights)
    rows = np.arange(len(t))
    for _ in range(MOST_STRETCHES):
        stretch = left + (right - left) * STRETCH_PARTS
        over = height(stretch, rows)
        places, looked_at = np.append(stretch, peak[rows], axis=1), np.append(over, top[rows], axis=1)
        peak[rows], top[rows], left, right = _highest(places, looked_at)

        # Where the density changes little over the stretch it is short enough.
        steep = over.min(axis=1) < top[rows, 0] - FLAT
        rows, left, right = rows[steep], left[steep], right[steep]
        if not rows.size:
            break
    return peak, top


def _highest(t: Array, height: Array) -> tuple[Array, Array, Array, Array]:
    """Where it is highest of all places looked at in each row, how high, and the places next to it; shapes (r, 1)."""
    at = height.argmax(axis=1)[:, None]
    peak, top = np.take_along_axis(t, at, axis=1), np.take_along_axis(height, at, axis=1)
    left = np.where(t < peak, t, -np.inf).max(axis=1, keepdims=True)
    right = np.where(t > peak, t, np.inf).min(axis=1, keepdims=True)
    return peak, top, np.where(np.isfinite(left), left, peak), np.where(np.isfinite(right), right, peak)


def _scale(height: Height, peak: Array, top: Array) -> Array:
    """The distance at which it has fallen by 1 from the peak on the steeper side; 1 where it never does."""
    least, most = (np.full_like(peak, decade) for decade in DECADES)
    for _ in range(DECADE_ROUNDS):
        inner = least + (most - least) * DECADE_PARTS
        beside = np.minimum(height(peak + 10.0**inner), height(peak - 10.0**inner))
        places = np.concatenate([least, inner, most], axis=1)
        at = _first_true(beside < top - 1)
        least, most = (np.take_along_axis(places, at + k, axis=1) for k in (0, 1))
    return np.where(most < DECADES[1], 10.0**most, 1.0)


def _first_true(truth: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Number of entries before the first true one of each row, shape (r, 1)."""
    at: NDArray[np.intp] = np.where(truth.any(axis=1), truth.argmax(axis=1), truth.shape[1])[:, None]
    return at


def _range(height: Height, peak: Array, scale: Array, top: Array, effort: Effort) -> tuple[Array, Array]:
    """First and last τ between which a density counts, looked at more closely where it ends."""

    def counts(tau: Array) -> NDArray[np.bool_]:
        with np.errstate(over="ignore", invalid="ignore"):
            heights = height(peak + scale * np.sinh(tau)) + np.abs(tau)
        return heights > top - effort.left_off

    looked_at = effort.range
    inside = counts(np.broadcast_to(looked_at, (len(peak), len(looked_at))))
    ends = []
    for grid, own in ((looked_at, inside), (looked_at[::-1], inside[:, ::-1])):
        outer = np.maximum(own.argmax(axis=1) - 1, 0)
        gap = (grid[outer + 1] - grid[outer])[:, None]
        steps = _first_true(counts(grid[outer][:, None] + gap * CLOSELY))
        ends.append((grid[outer][:, None] + gap * steps * CLOSELY[0])[:, 0])
    return ends[0], ends[1]
