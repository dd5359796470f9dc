"""Gibbs models without a formula: their metric is known by its numbers."""

from __future__ import annotations

from infogeom.models.gibbs import Gibbs
from infogeom.models.law import Law
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.forms import Form
from infogeom.symbolic.gibbs import CumulantsAtPoint
from infogeom.symbolic.structures.rules import Derived, Rules, rules_for

__all__ = ["GibbsRules"]


@rules_for(Gibbs)
class GibbsRules(Rules[Gibbs]):
    """Cumulants at a point."""

    def matrix(self) -> Derived:
        """None is written out."""
        raise OpenExpectationError(
            f"model {self.model.name!r}: {self.structure.told} has no closed form; infogeom.grid.evaluate takes it by "
            "numbers"
        )

    def laws(self, reason: OpenExpectationError) -> list[Law]:
        """None: its cumulants are no expectations of scores."""
        raise reason

    def open_form(self, reason: OpenExpectationError) -> tuple[Form, str]:
        """The structure itself."""
        return CumulantsAtPoint(self.structure), self.structure.expectation
