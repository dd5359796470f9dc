"""Variables of labelled Datasets, as xarray takes them: numbers, words, and flags that say what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

__all__ = ["Variable", "flags", "numbers", "texts"]

#: Dimensions, values, attributes and, where it matters, how they are stored.
Variable: TypeAlias = tuple[Any, ...]


def numbers(dims: str | Sequence[str], values: Any, label: str) -> Variable:
    """Variable of numbers without a unit."""
    return dims, values, {"long_name": label, "units": "1"}


def texts(dim: str, values: Iterable[str]) -> Variable:
    """Coordinate of words, stored as text of any length, for Zarr's format 3 has no other."""
    return dim, list(values), {}, {"dtype": object}


def flags(dims: Sequence[str], values: Any, label: str, meanings: Mapping[str, int]) -> Variable:
    """Variable of small integers that declares what each of them means, as the CF conventions write it."""
    numbered = np.array(list(meanings.values()), dtype=np.int8)
    declared = {"flag_values": numbered, "flag_meanings": " ".join(meanings)}
    return dims, values, {"long_name": label, **declared}
