"""Independent observations of several models: metrics stand in blocks."""

from __future__ import annotations

from functools import cached_property

import sympy
from sympy import Expr, ImmutableMatrix

from infogeom.models.combine import Product
from infogeom.models.law import Law
from infogeom.models.model import Model
from infogeom.symbolic.composed import DirectSum
from infogeom.symbolic.cumulants import Cumulants, direct_sum
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.forms import Form
from infogeom.symbolic.structures.composition import RulesOfParts
from infogeom.symbolic.structures.kept import closed, in_numbers
from infogeom.symbolic.structures.rules import Derived, rules_for, rules_of

__all__ = ["ProductRules"]


@rules_for(Product)
class ProductRules(RulesOfParts[Product]):
    """A block, a law or a form for each of the parts."""

    @cached_property
    def parts(self) -> list[Model]:
        """All of them."""
        return self.structure.parts_in(self.model)

    def matrix(self) -> Derived:
        """The blocks."""
        blocks = [closed(part).matrix for part in self.parts]
        return Derived(ImmutableMatrix(sympy.diag(*blocks)))

    def cumulants(self) -> Cumulants | None:
        """Those of independent statistics, where they are known of every part."""
        parts = [closed(part).form.cumulants for part in self.parts]
        known = [part for part in parts if part]
        return direct_sum(known) if len(known) == len(parts) else None

    def ricci_scalar(self) -> Expr | None:
        """The sum of those of all parts, where they are known."""
        known = [closed(part).form.ricci_scalar for part in self.parts]
        return None if None in known else sympy.Add(*known)

    def laws(self, reason: OpenExpectationError) -> list[Law]:
        """Those of all parts."""
        return [law for part in self.parts for law in rules_of(part).laws(reason)]

    def form_of_parts(self) -> Form:
        """The forms side by side."""
        parts = [in_numbers(part) for part in self.parts]
        return DirectSum([part.form for part in parts], [part.coordinates for part in parts])
