"""Data over which a metric is a weighted mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from sympy import Rational, Symbol

from infogeom.arguments import ReadOnlyArrays, exact, finite_array

__all__ = ["Samples"]


@dataclass(frozen=True, eq=False, repr=False)
class Samples(ReadOnlyArrays):
    """Data over which a metric is a weighted mean.

    Parameters
    ----------
    symbols : tuple of sympy.Symbol
        Per-sample symbols, one for each column of ``data``.
    data : array_like, shape (N, len(symbols))
        One row per sample, finite; kept as read-only float64.
    weights : array_like, shape (N,), optional
        Non-negative with a positive sum; kept normalised to sum 1. Equal weights when omitted.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> ig.models.Samples(sympy.symbols("x y"), [[0.5, 1.0], [2.0, 3.0]], weights=[1, 3]).weights
    array([0.25, 0.75])
    """

    symbols: tuple[Symbol, ...]
    data: NDArray[np.float64]
    weights: NDArray[np.float64] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        data = finite_array("inputs", self.data, ndim=2)
        if not data.size:
            raise ValueError(f"inputs must hold at least one sample, got shape {data.shape}")
        if data.shape[1] != len(self.symbols):
            raise ValueError(f"inputs must have {len(self.symbols)} columns, got shape {data.shape}")
        if self.weights is None:
            weights = np.full(len(data), 1 / len(data))
        else:
            weights = self._normalised(finite_array("weights", self.weights, ndim=1), len(data))
        weights.flags.writeable = False
        object.__setattr__(self, "symbols", tuple(map(exact, self.symbols)))
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "weights", weights)

    @staticmethod
    def _normalised(weights: NDArray[np.float64], n: int) -> NDArray[np.float64]:
        if weights.shape != (n,):
            raise ValueError(f"weights must have one entry per sample, shape ({n},), got {weights.shape}")
        if weights.min() < 0:
            raise ValueError(f"weights must be non-negative, got {weights.min()} at index {weights.argmin()}")
        largest = weights.max()
        if largest == 0:
            raise ValueError("weights must have a positive sum, got 0")
        scaled = weights / largest
        return np.asarray(scaled / scaled.sum())

    @cached_property
    def equal(self) -> bool:
        """Whether all weights are the same."""
        return bool(np.all(self.weights == self.weights[0]))

    @property
    def exact_weights(self) -> list[Rational]:
        """The weights as they are meant: 1/N where they are equal, which float64 rounds."""
        if self.equal:
            return [Rational(1, len(self))] * len(self)
        return list(map(Rational, self.weights.tolist()))

    def __len__(self) -> int:
        return len(self.data)

    def __repr__(self) -> str:
        names = ", ".join(symbol.name for symbol in self.symbols)
        weighted = "" if self.equal else ", weighted"
        return f"<Samples: {len(self)} of {names}{weighted}>"
