"""Observations of another model, carried over one to one: its metric."""

from __future__ import annotations

from infogeom.models.joint_structures import Mapped
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.structures.rules import Derived, Rules, rules_for, rules_of

__all__ = ["MappedRules"]


@rules_for(Mapped)
class MappedRules(Rules[Mapped]):
    """A map without parameters changes no score."""

    def matrix(self) -> Derived:
        """That of the other model, held against the density of what is seen."""
        return Derived(self._checked(rules_of(self.structure.law).matrix().matrix))

    def cumulants(self) -> Cumulants | None:
        """Those of the other model."""
        return rules_of(self.structure.law).cumulants()
