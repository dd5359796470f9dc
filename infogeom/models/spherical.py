"""The spherical model: real spins on an infinite lattice, of which only the mean square is 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from infogeom.arguments import check_count
from infogeom.models.by_name import listed
from infogeom.models.gibbs import Gibbs, gibbs_model
from infogeom.models.model import Model
from infogeom.models.parameter import positive, real

__all__ = ["Spherical", "spherical_model"]

#: Dimensions beyond which the sums over wave vectors are too many.
MOST_DIMENSIONS = 3


@dataclass(frozen=True)
class Spherical(Gibbs):
    """Spins on the sphere Σ s² = N over a hypercubic lattice, N → ∞, per site, in Σ s s′ and Σ s."""

    expectation: ClassVar[str] = "saddle point"
    per = "site"
    d: int

    @property
    def told(self) -> str:
        """The lattice."""
        return f"the spherical model in {self.d} dimension{'s' * (self.d > 1)}"


@listed
def spherical_model(d: int) -> Model:
    """Spherical model, exp(β Σ s s′ + h Σ s) on Σ s² = N over an infinite hypercubic lattice; per site.

    Parameters ``beta`` > 0 on the sum over the d N bonds, and ``h``. With D = μ − β Σ_i cos k_i at wave vectors k,
    ψ = min_μ [μ − ½⟨log D⟩ + h²/4(μ − dβ)] up to a constant. In three dimensions it has a transition on h = 0 at
    β = ½⟨1/(3 − Σ cos k)⟩ = 0.252731: beyond, on h = 0, the spins condense and there is no metric.

    Parameters
    ----------
    d : int
        1, 2 or 3.

    Raises
    ------
    TypeError, ValueError
        For another number of dimensions.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.spherical_model(3).at(beta=0.2, h=0).metric.round(6)
    array([[ 4.892676,  0.      ],
           [ 0.      , 12.475338]])
    """
    check_count("d", d)
    if d > MOST_DIMENSIONS:
        raise ValueError(f"d must be at most {MOST_DIMENSIONS}, got {d}")
    return gibbs_model(
        f"spherical, {d} dimension{'s' * (d > 1)}",
        [positive("beta", (0.05, 0.24)), real("h", (0.05, 0.5))],
        Spherical(d),
        source="Berlin & Kac, Phys. Rev. 86 (1952) 821–835; Baxter (1982), ch. 5",
    )
