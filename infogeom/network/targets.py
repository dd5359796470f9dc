"""Targets of a network as users give them: a row for each sample, or a label for each."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infogeom.arguments import array_of, finite_array

__all__ = ["targets_of"]


def targets_of(name: str, given: ArrayLike, outputs: int | None = None) -> NDArray[np.float64]:
    """Read-only float64 targets (N, O) from rows of them, or from integer labels (N,), which become one-hot rows.

    Labels are 0 … O − 1, from two outputs on; where nobody says how many there are, each has to occur.
    """
    found = finite_array(name, given)
    if found.ndim == 2:
        return found
    kind = array_of(given).dtype
    if found.ndim != 1 or kind.kind not in "iu":
        raise ValueError(
            f"{name} must have shape (N, O), one row per sample, or (N,), one integer label per sample, "
            f"got {found.shape} of {kind}"
        )
    if outputs == 1:
        raise ValueError(
            f"{name} must have shape (N, 1) for one output, got {found.shape}; labels stand for two outputs or more"
        )
    return _one_hot(name, found, _classes(name, found) if outputs is None else outputs)


def _classes(name: str, labels: NDArray[np.float64]) -> int:
    """How many classes there are, by labels of which each occurs."""
    told = np.unique(labels[labels >= 0])
    gaps = np.flatnonzero(told != np.arange(len(told)))
    if gaps.size:
        raise ValueError(
            f"{name} must hold every label 0 … {told[-1]:.0f} where nothing else says how many outputs there are, "
            f"got no {gaps[0]}; one-hot rows may leave some out"
        )
    if len(told) < 2:
        raise ValueError(f"{name} must hold labels of two classes or more, got {told.astype(int).tolist()}")
    return len(told)


def _one_hot(name: str, labels: NDArray[np.float64], outputs: int) -> NDArray[np.float64]:
    """A row for each label, 1 in its column; ValueError for what is no label."""
    wrong = np.flatnonzero((labels < 0) | (labels >= outputs))
    if wrong.size:
        raise ValueError(f"{name} must hold labels 0 … {outputs - 1}, got {labels[wrong[0]]:.0f} at index {wrong[0]}")
    rows = np.zeros((len(labels), outputs))
    rows[np.arange(len(labels)), labels.astype(np.intp)] = 1.0
    rows.flags.writeable = False
    return rows
