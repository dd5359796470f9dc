"""Observations that end at a known time: their information, in closed form where that of a whole one is constant."""

from __future__ import annotations

import sympy
from sympy import Expr

from infogeom.models.censoring import Censored
from infogeom.models.law import Law
from infogeom.numeric.quadrature import POINT_DIGITS
from infogeom.symbolic.definition import check_definition, check_mass
from infogeom.symbolic.expectation import ExpectationError, OpenExpectationError
from infogeom.symbolic.matrix_entries import symmetric_of
from infogeom.symbolic.structures.rules import Derived, Rules, rules_for

__all__ = ["CensoredRules"]


@rules_for(Censored)
class CensoredRules(Rules[Censored]):
    """By the law of one variable that has the same scores."""

    @property
    def _law(self) -> Law:
        """That law, with numbers for constants."""
        constants = {symbol: value.evalf(POINT_DIGITS) for symbol, value in self.model.constants.items()}
        law = self.structure.one_variable
        (support,) = law.supports
        return Law(law.log_density.subs(constants), law.variables, (support.subs(self.model.constants),))

    def matrix(self) -> Derived:
        """−F ∂∂ log p − S ∂∂ log S, where ∂∂ log p is the same at all times."""
        density, survival, (x,) = self.structure.law.log_density, self.structure.survival, self._law.variables
        ended = 1 - sympy.exp(survival)

        def entry(i: int, j: int) -> Expr:
            first, second = (-e.diff(self.coordinates[i], self.coordinates[j]) for e in (density, survival))
            if sympy.expand(first).has(x):
                raise OpenExpectationError(
                    f"model {self.model.name!r}: the expectation of {first} up to the time {self.structure.at} "
                    "does not close"
                )
            return sympy.factor_terms(ended * first + sympy.exp(survival) * second)

        matrix = symmetric_of(len(self.coordinates), entry)
        law, typical = self._law, [p.typical for p in self.model.parameters]
        scores = [law.log_density.diff(c) for c in self.coordinates]
        problem = check_definition(matrix, law, scores, self.coordinates, typical, normalised=True)
        if problem:
            raise ExpectationError(f"model {self.model.name!r}: {problem}")
        return Derived(self._presented(matrix))

    def laws(self, reason: OpenExpectationError) -> list[Law]:
        """The law of one variable."""
        problem = check_mass(self._law, self.coordinates, [p.typical for p in self.model.parameters])
        if problem:
            raise ExpectationError(f"model {self.model.name!r}: {problem}")
        return [self._law]
