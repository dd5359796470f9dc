"""What is known of the metric of a model: rules for each structure, and those of a log-density alone."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar

import sympy
from sympy import Expr, ImmutableMatrix, Symbol

from infogeom.models.law import Law, law_of, scores_of
from infogeom.models.model import Model
from infogeom.numeric.cubature import tractable
from infogeom.numeric.quadrature import POINT_DIGITS
from infogeom.symbolic.cases import common_in_front
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.definition import check_definition, check_mass
from infogeom.symbolic.expectation import ExpectationError, OpenExpectationError, products_of_scores
from infogeom.symbolic.forms import Expectation, Form
from infogeom.symbolic.normal_form import positive_factors
from infogeom.symbolic.smooth import smooth

__all__ = ["Rules", "rules_for", "rules_of"]

S = TypeVar("S")


class Rules(Generic[S]):
    """What is known of a model's metric, from its log-density alone.

    A structure has rules of its own, which override what it knows better.

    Parameters
    ----------
    model : Model
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.structure: S = model.structure  # type: ignore[assignment]  # that of the model, by the registry
        self.coordinates = tuple(p.symbol for p in model.parameters)

    def matrix(self) -> ImmutableMatrix:
        """Metric in the coordinates, constants being symbols."""
        model = self.model
        output = model.network.output if model.network else None
        typical = tuple(p.typical for p in model.parameters)
        found = _expected(model.name, law_of(model), scores_of(model), self.coordinates, output, typical, model.budget)
        return self._presented(found)

    def cumulants(self) -> Cumulants | None:
        """Cumulants of the sufficient statistics, constants being symbols; None where they are not known."""
        return None

    def laws(self, reason: OpenExpectationError) -> list[Law]:
        """Independent laws of one variable that the model consists of, each found to be one.

        ``reason`` says why they matter.
        """
        model = self.model
        if len(model.variables) != 1 or model.samples or model.change_of_variable:
            raise OpenExpectationError(
                f"{reason}; numbers are taken of laws of one variable, which {model.name!r} is not"
            )
        # Of integers SymPy would take exact factorials.
        constants = {symbol: value.evalf(POINT_DIGITS) for symbol, value in model.constants.items()}
        law = law_of(model)
        law = Law(law.log_density.subs(constants), law.variables, (law.supports[0].subs(model.constants),))
        problem = check_mass(law, self.coordinates, [p.typical for p in model.parameters])
        if problem:
            raise ExpectationError(f"model {model.name!r}: {problem}")
        return [law]

    def open_form(self, reason: OpenExpectationError) -> tuple[Form, str]:
        """Form of a metric without a closed form, and by what its numbers come: the mean of s sᵀ over the laws."""
        laws = self.laws(reason)
        summed = not any(isinstance(support, sympy.Interval) for law in laws for support in law.supports)
        return Expectation(laws, self.model.samples), "sum" if summed else "quadrature"

    def _checked(self, matrix: ImmutableMatrix) -> ImmutableMatrix:
        """The matrix, unless the definition contradicts it; laws that no cubature can take are not compared."""
        model, law = self.model, law_of(self.model)
        if tractable(law):
            typical = [p.typical for p in model.parameters]
            problem = check_definition(matrix, law, scores_of(model), self.coordinates, typical, normalised=True)
            if problem:
                raise ExpectationError(f"model {model.name!r}: {problem}")
        return matrix

    def _presented(self, matrix: ImmutableMatrix) -> ImmutableMatrix:
        """Every factor of an entry positive in the middle of the typical range."""
        middle = {}
        for p in self.model.parameters:
            low, high = p.typical
            middle[p.symbol] = sympy.Rational(str((low + high) / 2 + (high - low) / 7))
        domains = {p.symbol: p.domain for p in self.model.parameters}
        presented = {e: smooth(positive_factors(e, middle), domains) for e in {*matrix}}
        return matrix.applyfunc(presented.__getitem__)


#: Rules of each structure; `Rules` themselves are those of none.
_RULES: dict[type, type[Rules[Any]]] = {object: Rules}
R = TypeVar("R", bound=type[Rules[Any]])


def rules_for(structure: type) -> Callable[[R], R]:
    """Decorator of the rules of a structure."""

    def kept(rules: R) -> R:
        _RULES[structure] = rules
        return rules

    return kept


def rules_of(model: Model) -> Rules[Any]:
    """Rules of a model's structure, or of what that is derived from."""
    kind = next(kind for kind in type(model.structure).__mro__ if kind in _RULES)
    return _RULES[kind](model)


@lru_cache(maxsize=256)
def _expected(
    name: str,
    law: Law,
    scores: tuple[Expr, ...],
    coordinates: tuple[Symbol, ...],
    output: Expr | None,
    typical: tuple[tuple[float, float], ...],
    budget: float,
) -> ImmutableMatrix:
    """Derive and check; equal log-densities (the same network on other data) share one derivation."""
    if not law.variables:
        gathered = [common_in_front(score) for score in scores]
        matrix = ImmutableMatrix(len(scores), len(scores), lambda i, j: gathered[i] * gathered[j])
    else:
        try:
            matrix = products_of_scores(law, scores, coordinates, output, budget)
        except OpenExpectationError as error:
            raise OpenExpectationError(f"model {name!r}: {error}") from None
    # A network's log-density is −ℓ, normalised only up to a constant.
    problem = check_definition(matrix, law, scores, coordinates, typical, normalised=output is None)
    if problem:
        told = f"model {name!r}: {problem}"
        if output is None and len(law.variables) == 1 and not check_mass(law, coordinates, typical):
            raise OpenExpectationError(told)  # the density is one: expectations were taken wrongly, numbers are open
        raise ExpectationError(told)
    return matrix
