"""Where a density of one variable is, at many points at once: peak, width and range on each piece of its support.

A piece has a chart, logarithmic at its finite ends, on which the density is taken along the line. Rows of all arrays
are pieces, of whatever points; what is found for one depends on nothing beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

__all__ = ["LEFT_OFF", "Chart", "Found", "Height", "Pieces", "Rows", "located", "peaks", "search"]

Array = NDArray[np.float64]
#: Which rows of arrays.
Rows = slice | NDArray[np.int64]
EVERY = slice(None)
#: The logarithm of a density along the line of each piece, or of some of them, at places (r, K).
Height = Callable[..., Array]
#: Where the exponent of the density has fallen by this from its peak it is left off.
LEFT_OFF = 60.0
#: Distances from a supposed peak at which the density is looked at, in the variable of the line.
DISTANCES = np.concatenate([[0.0], 10.0 ** np.arange(-9, 9.5, 0.25)])
#: Parts of a stretch in which the peak is, and how often the stretch is shortened at most.
STRETCH_PARTS = np.linspace(0, 1, 21)
MOST_STRETCHES = 12
#: How little the exponent falls from the peak to the ends of a stretch that is short enough.
FLAT = 0.1
#: Decades of the distance from a peak at which the exponent has fallen by 1, and steps within one.
DECADES = 10.0 ** np.arange(-12, 12)
WITHIN_DECADE = 10.0 ** np.arange(-0.875, 0.125, 0.125)
#: Where it is looked how far a density goes in τ, and how closely at the ends of that.
RANGE = np.arange(-60.0, 60.5, 0.5)
CLOSELY = np.array([0.125, 0.25, 0.375])


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
        # An end at infinity is none: a density with a power for its tail has a value at the last number of float64.
        first, last = np.nextafter(low, np.inf), np.nextafter(high, -np.inf)
        self._inside = np.where(np.isfinite(low), first, low), np.where(np.isfinite(high), last, high)

    def of(self, rows: Rows) -> Chart:
        """Those of some of the intervals."""
        return self if isinstance(rows, slice) else Chart(self.low[rows], self.high[rows])

    def point(self, t: Array) -> tuple[Array, Array]:
        """Points x(t) and log dx/dt, shape (r, K)."""
        x, slope = np.array(t), np.zeros_like(t)
        below, above = self._finite
        with np.errstate(over="ignore"):
            for rows, sign in ((below & ~above, 1.0), (above & ~below, -1.0)):
                if rows.any():
                    end = self.low[rows] if sign > 0 else self.high[rows]
                    slope[rows] = sign * t[rows]
                    x[rows] = end + sign * np.exp(slope[rows])
            rows = below & above
            if rows.any():
                low, high, size = self.low[rows], self.high[rows], np.abs(t[rows])
                width, near = high - low, expit(-size)
                x[rows] = np.where(t[rows] < 0, low + width * near, high - width * near)
                slope[rows] = np.log(width) - size - 2 * np.log1p(np.exp(-size))
        # What rounding puts on an end, beyond which another formula may hold, stays inside.
        return np.clip(x, *self._inside), slope

    def inverse(self, x: Array) -> Array:
        """The t of points; nan outside."""
        with np.errstate(invalid="ignore", divide="ignore"):
            below, above = np.log(x - self.low), np.log(self.high - x)
        left, right = (finite[:, None] for finite in self._finite)
        t = np.where(left, below, 0.0) - np.where(right, above, 0.0)
        inside = (self.low < x) & (x < self.high)
        return np.where(inside, np.where(left | right, t, x), np.nan)


def search(chart: Chart, log_density: Callable[[Array, Array], Array], theta: Array) -> Found:
    """Find densities on pieces.

    The nodes are to lie wherever a density is, be it 10⁻⁹ wide or 10⁹ away: so first its peak is found, then on what
    scale it falls from there, and then how far it reaches in τ, of which sinh τ is that many scales.

    Parameters
    ----------
    chart : Chart
        Of r pieces.
    log_density : callable
        Of x (r, K) and ``theta``.
    theta : ndarray, shape (k, r, 1)
        Parameters of the density on each piece.
    """

    def height(t: Array, rows: Rows = EVERY) -> Array:
        x, slope = chart.of(rows).point(t)
        return log_density(x, theta[:, rows]) + slope

    # The peak, from around 0 and around each parameter that lies in the piece.
    around = np.concatenate([np.zeros((1, len(chart.low), 1)), chart.inverse(theta)])
    centres = np.nan_to_num(around)[..., 0].T
    looked_at = centres[:, :, None] + np.concatenate([DISTANCES, -DISTANCES])
    return located(height, looked_at.reshape(len(centres), -1))


def located(height: Height, t: Array) -> Found:
    """Find densities on pieces by their height along the line, looked at first at places t (r, K)."""
    heights = height(t)
    peak, top = _peak(height, t, heights)
    scale = _scale(height, peak, top)

    # The range; |τ| is the logarithm of dt/dτ, but for a constant. No place of before that counts is left out.
    first, last = _range(height, peak, scale, top)
    with np.errstate(over="ignore", invalid="ignore"):
        tau = np.arcsinh((t - peak) / scale)
        counts = heights + np.abs(tau) > top - LEFT_OFF
    first = np.minimum(first, np.where(counts, tau, np.inf).min(axis=1))
    last = np.maximum(last, np.where(counts, tau, -np.inf).max(axis=1))
    return Found(peak[:, 0], scale[:, 0], np.maximum(first, RANGE[0]), np.minimum(last, RANGE[-1]), top[:, 0])


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

    def fallen(distance: Array) -> tuple[Any, Any]:
        beside: NDArray[Any] = np.minimum(height(peak + distance), height(peak - distance)) < top - 1
        return beside.any(axis=1, keepdims=True), beside.argmax(axis=1, keepdims=True)

    falls, decade = fallen(np.broadcast_to(DECADES, (len(peak), len(DECADES))))
    distances = DECADES[decade] * WITHIN_DECADE
    _, step = fallen(distances)
    return np.where(falls, np.take_along_axis(distances, step, axis=1), 1.0)


def _range(height: Height, peak: Array, scale: Array, top: Array) -> tuple[Array, Array]:
    """First and last τ between which a density counts, looked at more closely where it ends."""

    def counts(tau: Array) -> NDArray[np.bool_]:
        with np.errstate(over="ignore", invalid="ignore"):
            heights = height(peak + scale * np.sinh(tau)) + np.abs(tau)
        return heights > top - LEFT_OFF

    inside = counts(np.broadcast_to(RANGE, (len(peak), len(RANGE))))
    first = RANGE[np.maximum(inside.argmax(axis=1) - 1, 0)]
    last = RANGE[np.minimum(len(RANGE) - inside[:, ::-1].argmax(axis=1), len(RANGE) - 1)]
    return first + _outside(counts(first[:, None] + CLOSELY)), last - _outside(counts(last[:, None] - CLOSELY))


def _outside(inside: NDArray[np.bool_]) -> Array:
    """How far one may go in and is outside all the same."""
    steps = np.where(inside.any(axis=1), inside.argmax(axis=1), inside.shape[1])
    distance: Array = CLOSELY[0] * steps
    return distance
