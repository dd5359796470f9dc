"""Models of spins on lattices, which are only described here: their numbers are counted or transferred elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from infogeom.arguments import check_count
from infogeom.models.by_name import listed
from infogeom.models.gibbs import Gibbs, gibbs_model
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter, real

__all__ = [
    "MOST_BITS_OF_HALF",
    "MOST_ROWS_COUNTED",
    "MOST_ROWS_TRANSFERRED",
    "IsingCylinder",
    "IsingTorus",
    "PottsTorus",
    "ising_cylinder",
    "ising_torus",
    "potts_torus",
]

#: Along a shorter side two sites would be neighbours twice.
LEAST_SIZE = 3
#: Longest side of a torus.
LONGEST_SIDE = 256
#: Rows q^width of a torus that is counted, at most: memory, and the time for pairs of them.
MOST_ROWS_COUNTED = 1024
#: Bits of the number of states of half a torus, which are counted in int64.
MOST_BITS_OF_HALF = 63
#: Rows q^width of a torus of which each point is transferred, at most.
MOST_ROWS_TRANSFERRED = 2**14
#: Circumference of the widest cylinder.
WIDEST_CYLINDER = 18


@dataclass(frozen=True)
class Torus(Gibbs):
    """Spins of q states on a torus.

    Attributes
    ----------
    q, length, width : int
    """

    q: int
    length: int
    width: int

    @property
    def counted(self) -> bool:
        """Whether all its states are counted: at most 1,024 rows, and the states of half of it below 2⁶³."""
        width, length = sorted((self.length, self.width))
        half: int = self.q ** (((length + 1) // 2 - 1) * width)
        return self.q**width <= MOST_ROWS_COUNTED and half.bit_length() <= MOST_BITS_OF_HALF

    @property
    def transferred(self) -> bool:
        """Whether its rows are few enough for transfer at a point: at most 2¹⁴."""
        return bool(self.q ** min(self.length, self.width) <= MOST_ROWS_TRANSFERRED)

    @property
    def expectation(self) -> str:  # type: ignore[override]  # it depends on the size
        """By a sum over counted states, else by transfer, else by Pfaffians."""
        if self.counted:
            return "sum"
        return "transfer" if self.transferred else "pfaffian"


@dataclass(frozen=True)
class IsingTorus(Torus):
    """Ising spins on a torus, in Σ s s′ over its 2 L W bonds and in Σ s."""

    @property
    def told(self) -> str:
        """The lattice."""
        return f"the Ising model on a torus of {self.length} × {self.width}"


@dataclass(frozen=True)
class PottsTorus(Torus):
    """Potts spins on a torus, in the number of equal neighbours and in that of sites in state 0."""

    @property
    def told(self) -> str:
        """The lattice."""
        return f"the {self.q}-state Potts model on a torus of {self.length} × {self.width}"


@dataclass(frozen=True)
class IsingCylinder(Gibbs):
    """Ising spins on an infinitely long cylinder, per site, in Σ s s′ and Σ s."""

    expectation: ClassVar[str] = "transfer"
    per = "site"
    width: int

    @property
    def told(self) -> str:
        """The lattice."""
        return f"the Ising model on an infinite cylinder of circumference {self.width}"


def _fields() -> tuple[Parameter, Parameter]:
    return real("beta", (0.1, 0.8)), real("h", (0.05, 0.5))


def _check_sizes(**sizes: int) -> None:
    """Raise for sides that are too short or too long."""
    for name, size in sizes.items():
        check_count(name, size, LEAST_SIZE)
        if size > LONGEST_SIDE:
            raise ValueError(f"{name} must be at most {LONGEST_SIDE}, got {size}; ising_cylinder is infinitely long")


@listed
def ising_torus(length: int, width: int | None = None) -> Model:
    """Ising model on a square lattice with periodic boundaries, exp(β Σ s s′ + h Σ s) / Z; the whole system.

    Parameters ``beta`` on Σ s s′, each of the 2 L W bonds once, and ``h`` on the magnetisation Σ s, with spins ±1.

    Parameters
    ----------
    length, width : int
        From 3 to 256; a square torus where ``width`` is left out. All states are counted, once, where the smaller is
        at most 10 and half of the torus has at most 62 spins. Where it is at most 14 each point is transferred. Beyond
        that there is no other field than h = 0, where Pfaffians reach.

    Raises
    ------
    TypeError, ValueError
        For sizes out of range; for points with a field on a torus beyond 14, when it is evaluated.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.ising_torus(4)
    <Model Ising torus, 4 × 4: beta, h>
    """
    width = length if width is None else width
    _check_sizes(length=length, width=width)
    return gibbs_model(f"Ising torus, {length} × {width}", _fields(), IsingTorus(2, length, width))


@listed
def potts_torus(q: int, length: int, width: int | None = None) -> Model:
    """Potts model of q states on a square lattice with periodic boundaries; the whole system.

    Parameters ``beta`` on the number of bonds between equal sites and ``h`` on the number of sites in state 0.

    Parameters
    ----------
    q : int
        At least 2.
    length, width : int
        From 3 to 256; a square torus where ``width`` is left out. There may be at most 2¹⁴ rows q^width.

    Raises
    ------
    TypeError, ValueError
        For sizes out of range.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.potts_torus(3, 4)
    <Model 3-state Potts torus, 4 × 4: beta, h>
    """
    check_count("q", q, 2)
    width = length if width is None else width
    _check_sizes(length=length, width=width)
    torus = PottsTorus(q, length, width)
    if not torus.transferred:
        raise ValueError(
            f"q to the smaller of length and width must be at most {MOST_ROWS_TRANSFERRED}, got q = {q} and "
            f"{length} × {width}; mean_field_potts takes thousands of sites"
        )
    return gibbs_model(f"{q}-state Potts torus, {length} × {width}", _fields(), torus)


@listed
def ising_cylinder(width: int) -> Model:
    """Ising model on an infinitely long cylinder, per site.

    Parameters ``beta`` on Σ s s′ and ``h`` on Σ s, as for `ising_torus`.

    Parameters
    ----------
    width : int
        Sites around it, from 3 to 18.

    Raises
    ------
    TypeError, ValueError
        For a width out of range.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.ising_cylinder(4)
    <Model Ising cylinder, circumference 4: beta, h>
    """
    check_count("width", width, LEAST_SIZE)
    if width > WIDEST_CYLINDER:
        raise ValueError(f"width must be at most {WIDEST_CYLINDER}, got {width}")
    return gibbs_model(f"Ising cylinder, circumference {width}", _fields(), IsingCylinder(width))
