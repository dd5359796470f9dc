"""Models of spins on lattices, which are only described here: their numbers are counted or transferred elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from infogeom.arguments import check_count
from infogeom.models.gibbs import Gibbs, gibbs_model
from infogeom.models.model import Model
from infogeom.models.parameter import Parameter, real

__all__ = ["IsingCylinder", "IsingTorus", "PottsTorus", "ising_cylinder", "ising_torus", "potts_torus"]

#: Along a shorter side two sites would be neighbours twice.
LEAST_SIZE = 3
#: Circumference of the widest cylinder.
WIDEST_CYLINDER = 18


@dataclass(frozen=True)
class IsingTorus(Gibbs):
    """Ising spins on a torus, in Σ s s′ over its 2 L W bonds and in Σ s."""

    expectation: ClassVar[str] = "transfer"
    length: int
    width: int

    @property
    def told(self) -> str:
        """The lattice."""
        return f"the Ising model on a torus of {self.length} × {self.width}"


@dataclass(frozen=True)
class PottsTorus(Gibbs):
    """Potts spins of q states on a torus, in the number of equal neighbours and in that of sites in state 0."""

    expectation: ClassVar[str] = "transfer"
    q: int
    length: int
    width: int

    @property
    def told(self) -> str:
        """The lattice."""
        return f"the {self.q}-state Potts model on a torus of {self.length} × {self.width}"


@dataclass(frozen=True)
class IsingCylinder(Gibbs):
    """Ising spins on an infinitely long cylinder, per site, in Σ s s′ and Σ s."""

    expectation: ClassVar[str] = "transfer"
    per: ClassVar[str] = "site"
    width: int

    @property
    def told(self) -> str:
        """The lattice."""
        return f"the Ising model on an infinite cylinder of circumference {self.width}"


def _fields() -> tuple[Parameter, Parameter]:
    return real("beta", (0.1, 0.8)), real("h", (0.05, 0.5))


def _check_sizes(**sizes: int) -> None:
    """Raise for sides that are too short."""
    for name, size in sizes.items():
        check_count(name, size, LEAST_SIZE)


def ising_torus(length: int, width: int | None = None) -> Model:
    """Ising model on a square lattice with periodic boundaries, exp(β Σ s s′ + h Σ s) / Z; the whole system.

    Parameters ``beta`` on Σ s s′, each of the 2 L W bonds once, and ``h`` on the magnetisation Σ s, with spins ±1.

    Parameters
    ----------
    length, width : int
        At least 3; a square torus where ``width`` is left out.

    Raises
    ------
    TypeError, ValueError
        For sizes out of range.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.ising_torus(4)
    <Model Ising torus, 4 × 4: beta, h>
    """
    width = length if width is None else width
    _check_sizes(length=length, width=width)
    return gibbs_model(f"Ising torus, {length} × {width}", _fields(), IsingTorus(length, width))


def potts_torus(q: int, length: int, width: int | None = None) -> Model:
    """Potts model of q states on a square lattice with periodic boundaries; the whole system.

    Parameters ``beta`` on the number of bonds between equal sites and ``h`` on the number of sites in state 0.

    Parameters
    ----------
    q : int
        At least 2.
    length, width : int
        At least 3; a square torus where ``width`` is left out.

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
    return gibbs_model(f"{q}-state Potts torus, {length} × {width}", _fields(), PottsTorus(q, length, width))


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
    _check_sizes(width=width)
    if width > WIDEST_CYLINDER:
        raise ValueError(f"width must be at most {WIDEST_CYLINDER}, got {width}")
    return gibbs_model(f"Ising cylinder, circumference {width}", _fields(), IsingCylinder(width))
