"""A model in other coordinates: its metric pulled back."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import sympy
from sympy import Expr, Symbol

from infogeom.models.combine import Reparametrisation
from infogeom.models.law import Law
from infogeom.models.model import Model
from infogeom.symbolic.composed import PulledBack
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.forms import Form
from infogeom.symbolic.matrix_entries import symmetric_of
from infogeom.symbolic.normal_form import normal_form
from infogeom.symbolic.structures.composition import RulesOfParts
from infogeom.symbolic.structures.kept import closed, in_numbers
from infogeom.symbolic.structures.rules import Derived, rules_for, rules_of

__all__ = ["ReparametrisationRules"]


@rules_for(Reparametrisation)
class ReparametrisationRules(RulesOfParts[Reparametrisation]):
    """What the model has in the old coordinates, by the map from the new ones to these."""

    @cached_property
    def _part(self) -> Model:
        return self.structure.part_in(self.model)

    @property
    def parts(self) -> list[Model]:
        """The one."""
        return [self._part]

    @property
    def _old(self) -> dict[Symbol, Expr]:
        """Old coordinates as functions of the new."""
        symbols = [p.symbol for p in self.structure.model.parameters]
        return dict(zip(symbols, self.structure.old, strict=True))

    @property
    def _jacobian(self) -> sympy.Matrix:
        return sympy.Matrix(self.structure.old).jacobian(list(self.coordinates))

    def matrix(self) -> Derived:
        """Jᵀ g J."""
        known = rules_of(self._part).matrix_in(self._old, self.coordinates)
        if known is None:
            J = self._jacobian
            g = closed(self._part).matrix.subs(list(self._old.items()), simultaneous=True)
            known = J.T * g * J
        entries = symmetric_of(len(self.coordinates), lambda i, j: normal_form(known[i, j]))
        return Derived(self._presented(entries))

    def cumulants(self) -> Cumulants | None:
        """Those in the old coordinates, where the map is seen to have no critical point, and there are no data."""
        given = closed(self._part).form.cumulants
        if given is None or not self._is_change_of_coordinates:
            return None
        return replace(given.subs(self._old), natural=False)

    def ricci_scalar(self) -> Expr | None:
        """That in the old coordinates, where the cumulants would be those."""
        known = closed(self._part).form.ricci_scalar
        if known is None or not self._is_change_of_coordinates:
            return None
        return known.subs(self._old, simultaneous=True)

    @cached_property
    def _is_change_of_coordinates(self) -> bool:
        J = self._jacobian
        return not self.model.samples and J.is_square and _is_regular(J)

    def laws(self, reason: OpenExpectationError) -> list[Law]:
        """Those of the part, in the new coordinates."""
        laws = rules_of(self._part).laws(reason)
        return [law.written(lambda e: e.subs(self._old, simultaneous=True)) for law in laws]

    def open_form(self, reason: OpenExpectationError) -> tuple[Form, str]:
        """That of the part's structure in the new coordinates, else by laws or by the form of the part."""
        return rules_of(self._part).form_in(self._old) or super().open_form(reason)

    def form_of_parts(self) -> Form:
        """The form pulled back."""
        part = in_numbers(self._part)
        old = {symbol: e.subs(self.model.constants) for symbol, e in self._old.items()}
        return PulledBack(part.form, old, self.coordinates)


def _is_regular(J: sympy.Matrix) -> bool:
    """Whether a square matrix is triangular, up to the order of its rows and columns, without a 0 on its diagonal."""
    rows = [{j for j in range(J.cols) if J[i, j] != 0} for i in range(J.rows)]
    for _ in range(J.rows):
        i = next((i for i, held in enumerate(rows) if len(held) == 1), None)
        if i is None:
            return False
        (j,) = rows[i]
        if not J[i, j].is_nonzero:
            return False
        rows = [held - {j} for held in rows]
    return True
