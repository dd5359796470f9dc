"""Laws with observations: the expected information of the law, or what the observations say of it."""

from __future__ import annotations

from dataclasses import replace

from sympy import ImmutableMatrix

from infogeom.models.model import Model
from infogeom.models.observations import Observed
from infogeom.symbolic.cases import common_in_front
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.forms import ClosedForm, Form
from infogeom.symbolic.matrix_entries import symmetric_of
from infogeom.symbolic.structures.kept import closed
from infogeom.symbolic.structures.rules import Derived, Rules, rules_for, rules_of

__all__ = ["ObservedRules"]


@rules_for(Observed)
class ObservedRules(Rules[Observed]):
    """That of the law, −∂∂ℓ, or the mean of s sᵀ."""

    @property
    def _law(self) -> Model:
        """The law with the constants of the model, which `dataclasses.replace` may have given others."""
        law = self.structure.model
        return law if law.constants == self.model.constants else replace(law, constants=self.model.constants)

    def matrix(self) -> Derived:
        """As the structure says."""
        if self.structure.fisher == "empirical":
            return super().matrix()
        if self.structure.fisher == "observed":
            log_p, theta = self.model.log_density, self.coordinates
            matrix = symmetric_of(len(theta), lambda i, j: common_in_front(-log_p.diff(theta[i]).diff(theta[j])))
            return Derived(matrix, "observed information")
        metric = closed(self._law)
        return Derived(metric.matrix, metric.attributes["derivation"])

    def closed_form(self, matrix: ImmutableMatrix) -> ClosedForm:
        """With why there are values alone."""
        form = super().closed_form(matrix)
        return replace(form, values_only=self.structure.values_only)

    def open_form(self, reason: OpenExpectationError) -> tuple[Form, str]:
        """That of the law."""
        return rules_of(self._law).open_form(reason)
