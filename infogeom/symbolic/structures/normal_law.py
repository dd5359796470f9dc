"""Normal laws without a formula: their metric is known by its numbers."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, Symbol

from infogeom.models.law import Law
from infogeom.models.normal_law import NormalLaw
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.forms import Form
from infogeom.symbolic.normal_law import MeanAndCovariance
from infogeom.symbolic.structures.rules import Derived, Rules, rules_for

__all__ = ["NormalLawRules"]


@rules_for(NormalLaw)
class NormalLawRules(Rules[NormalLaw]):
    """Mean and covariance at a point."""

    def matrix(self) -> Derived:
        """None is written out."""
        raise OpenExpectationError(
            f"model {self.model.name!r}: the metric of {self.structure.told} is not written out; "
            "infogeom.grid.evaluate takes it by numbers"
        )

    def laws(self, reason: OpenExpectationError) -> list[Law]:
        """None: no expectation is taken."""
        raise reason

    def open_form(self, reason: OpenExpectationError) -> tuple[Form, str]:
        """The law, of whose scores there are traces."""
        return MeanAndCovariance(self.structure.subs(self.model.constants)), "trace"

    def form_in(self, old: Mapping[Symbol, Expr]) -> tuple[Form, str]:
        """The law with its parameters as functions of others."""
        known = {symbol: e.subs(self.model.constants) for symbol, e in old.items()}
        return MeanAndCovariance(self.structure.subs(known)), "trace"
