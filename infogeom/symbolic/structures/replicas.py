"""Independent observations of one model: so many times its metric."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from sympy import Expr

from infogeom.models.combine import Replicas
from infogeom.models.law import Law
from infogeom.models.model import Model
from infogeom.symbolic.composed import Scaled
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.forms import Form
from infogeom.symbolic.structures.composition import RulesOfParts
from infogeom.symbolic.structures.kept import closed, in_numbers
from infogeom.symbolic.structures.rules import Derived, rules_for, rules_of

__all__ = ["ReplicaRules"]


@rules_for(Replicas)
class ReplicaRules(RulesOfParts[Replicas]):
    """So many times what one observation has."""

    @cached_property
    def _part(self) -> Model:
        return self.structure.part_in(self.model)

    @property
    def parts(self) -> list[Model]:
        """The one."""
        return [self._part]

    def matrix(self) -> Derived:
        """That of one observation, n times."""
        return Derived(self.structure.number * closed(self._part).matrix)

    def cumulants(self) -> Cumulants | None:
        """Those of one observation, n times."""
        one = closed(self._part).form.cumulants
        return one and one.times(self.structure.number)

    def ricci_scalar(self) -> Expr | None:
        """That of one observation, divided by n."""
        one = closed(self._part).form.ricci_scalar
        return None if one is None else one / self.structure.number

    def laws(self, reason: OpenExpectationError) -> list[Law]:
        """Those of one observation, so many times."""
        laws = rules_of(self._part).laws(reason)
        number = self.structure.number.subs(self.model.constants)
        return [replace(law, copies=number * law.copies) for law in laws]

    def form_of_parts(self) -> Form:
        """A multiple of the form."""
        number = self.structure.number.subs(self.model.constants)
        return Scaled(in_numbers(self._part).form, float(number))
