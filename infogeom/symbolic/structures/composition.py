"""A model that is made of others."""

from __future__ import annotations

from abc import ABC, abstractmethod

from infogeom.models.model import Model
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.forms import Form
from infogeom.symbolic.structures.rules import Rules, S, rules_of

__all__ = ["RulesOfParts"]


class RulesOfParts(Rules[S], ABC):
    """A metric by those of the models that a model is made of."""

    @property
    @abstractmethod
    def parts(self) -> list[Model]:
        """These models."""

    @abstractmethod
    def form_of_parts(self) -> Form:
        """The form by those of the parts, a term for each, in order."""

    def open_form(self, reason: OpenExpectationError) -> tuple[Form, str]:
        """Laws together where all are of one variable, else the forms of the parts."""
        if not any(map(_has_several_variables, self.parts)):
            try:
                return super().open_form(reason)
            except OpenExpectationError:
                pass
        return self.form_of_parts(), "parts"


def _has_several_variables(model: Model) -> bool:
    """Whether a model has a law of several variables, which its own form takes better."""
    parts = rules_of(model).parts
    return any(map(_has_several_variables, parts)) if parts else len(model.variables) > 1
