"""Densities of states of finite lattices, counted once: kept in memory and on disk, among the compiled kernels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.compiled.compile import cache_directory
from infogeom.kernels.compiled.private_folder import PrivateFolder
from infogeom.kernels.compiled.sealed_files import read_sealed, warn_of_damage, write_sealed
from infogeom.kernels.gibbs.tori.counting import count
from infogeom.models.lattices import MOST_BITS_OF_HALF, MOST_ROWS_COUNTED, PottsTorus

__all__ = ["DensityOfStates", "density_of_states_ising", "density_of_states_potts"]


class DensityOfStates(NamedTuple):
    """How many states have which values of the statistics.

    Attributes
    ----------
    statistics : ndarray of int64, shape (S, 2)
        Values that occur, in increasing order; read-only.
    multiplicities : ndarray of object, shape (S,)
        Positive Python integers; read-only.
    """

    statistics: NDArray[np.int64]
    multiplicities: NDArray[Any]


def density_of_states_ising(length: int, width: int) -> DensityOfStates:
    """Joint density of states of the Ising model on a torus, exactly.

    Parameters
    ----------
    length, width : int
        At least 3. The first call for a torus counts, for 20 s of CPU time at 10 × 10; any later one reads.

    Returns
    -------
    DensityOfStates
        By Σ s s′ over the 2 length width bonds and Σ s.

    Raises
    ------
    ValueError
        Where the torus is too large to be counted, see `infogeom.models.lattices.Torus`.

    Examples
    --------
    >>> statistics, multiplicities = density_of_states_ising(3, 4)
    >>> statistics[-1], multiplicities[-1], sum(multiplicities) == 2**12
    (array([24, 12]), 1, True)
    """
    (equal, zeros), multiplicities = _columns(2, length, width)
    statistics = np.stack([2 * equal - 2 * length * width, 2 * zeros - length * width], axis=1)
    statistics.flags.writeable = False
    return DensityOfStates(statistics, multiplicities)


def density_of_states_potts(q: int, length: int, width: int) -> DensityOfStates:
    """Joint density of states of the Potts model on a torus, exactly.

    Parameters
    ----------
    q : int
        States of a site, at least 2.
    length, width : int
        At least 3.

    Returns
    -------
    DensityOfStates
        By pairs of equal neighbours, of 2 length width, and sites in state 0.

    Raises
    ------
    ValueError
        Where the torus is too large to be counted, see `infogeom.models.lattices.Torus`.

    Examples
    --------
    >>> statistics, multiplicities = density_of_states_potts(3, 3, 3)
    >>> statistics[-1], multiplicities[-1], sum(multiplicities) == 3**9
    (array([18,  9]), 1, True)
    """
    (equal, zeros), multiplicities = _columns(q, length, width)
    statistics = np.stack([equal, zeros], axis=1)
    statistics.flags.writeable = False
    return DensityOfStates(statistics, multiplicities)


def _columns(q: int, length: int, width: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Columns of equal pairs and of sites in state 0, and multiplicities, of a torus either way round."""
    if not PottsTorus(q, length, width).counted:
        rows = q ** min(length, width)
        raise ValueError(
            f"a torus of {length} × {width} sites with {q} states is beyond the count of states: its rows must be at "
            f"most {MOST_ROWS_COUNTED:,}, got {rows:,}, and the states of half of it below 2^{MOST_BITS_OF_HALF}; "
            "cumulants at a point need no count"
        )
    table = np.array(_table(q, max(length, width), min(length, width)), dtype=object)
    multiplicities = table[:, 2]
    multiplicities.flags.writeable = False
    return table[:, :2].T.astype(np.int64), multiplicities


@lru_cache(maxsize=64)
def _table(q: int, length: int, width: int) -> tuple[tuple[int, int, int], ...]:
    """Equal pairs, sites in state 0 and multiplicity of each row, from the disk or counted."""
    folder, name = PrivateFolder(cache_directory().absolute()), f"potts_torus_{q}_{length}_{width}.count"
    kept = read_sealed(folder, name)
    if kept is not None:
        table = json.loads(kept)
        if sum(multiplicity for _, _, multiplicity in table) == q ** (length * width):
            return tuple(map(tuple, table))
        warn_of_damage(folder.path / name, f"its multiplicities do not add up to {q}^{length * width}")
    table = _counted(q, length, width)
    write_sealed(folder, name, json.dumps(table).encode())
    return table


def _counted(q: int, length: int, width: int) -> tuple[tuple[int, int, int], ...]:
    by_equal = count(q, length, width)[::-1]
    found: Sequence[Any] = np.argwhere(by_equal).tolist()
    return tuple((equal, zeros, by_equal[equal, zeros]) for equal, zeros in found)
