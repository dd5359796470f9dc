"""What is known of the metric of a model: rules for each structure, and those of a log-density alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any, Generic, NamedTuple, TypeVar

import sympy
from sympy import Expr, ImmutableMatrix, Matrix, Symbol

from infogeom.models.law import Law, anchored, law_of, scores_of
from infogeom.models.model import Model
from infogeom.models.parameter import Held
from infogeom.numeric.cubature import tractable
from infogeom.numeric.joint import joint_of
from infogeom.numeric.quadrature import POINT_DIGITS
from infogeom.symbolic.cases import common_in_front
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.definition import check_definition, check_mass, check_over_samples
from infogeom.symbolic.expectation import ExpectationError, OpenExpectationError, ScoredLaw, moments
from infogeom.symbolic.forms import ClosedForm, Expectation, Form
from infogeom.symbolic.matrix_entries import symmetric_of
from infogeom.symbolic.normal_form import positive_factors
from infogeom.symbolic.smooth import smooth

__all__ = ["Derived", "Rules", "rules_for", "rules_of"]

S = TypeVar("S")


class Derived(NamedTuple):
    """A metric in closed form, and by what it was found: an attack on the expectation, or the structure."""

    matrix: ImmutableMatrix
    by: str = "structure"


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

    def matrix(self) -> Derived:
        """Metric in the coordinates, constants being symbols."""
        model = self.model
        output = model.network.output if model.network else None
        scored = ScoredLaw(law_of(model), self.coordinates, scores_of(model), output, model.budget)
        typical = tuple(p.typical for p in model.parameters)
        found = _expected(model.name, scored, typical, model.samples is None)
        if model.samples and model.variables and not model.network:
            problem = check_over_samples(found.matrix, model.samples, self.coordinates, typical)
            if problem:
                raise ExpectationError(f"model {model.name!r}: {problem}")
        return Derived(self._presented(found.matrix), found.by)

    def cumulants(self) -> Cumulants | None:
        """Cumulants of the sufficient statistics, constants being symbols; None where they are not known."""
        return None

    def closed_form(self, matrix: ImmutableMatrix) -> ClosedForm:
        """Form of the metric with what is known of it besides, constants being symbols."""
        return ClosedForm(matrix, self.model.samples, self.cumulants(), self.ricci_scalar())

    def ricci_scalar(self) -> Expr | None:
        """R, where it is known in a writing that keeps its digits, constants being symbols."""
        return None

    @property
    def parts(self) -> list[Model]:
        """Models that it is made of."""
        return []

    def form_of_parts(self) -> Form:
        """The form by those of its parts, a term for each, in order."""
        raise TypeError(f"model {self.model.name!r} is made of no others")

    def matrix_in(self, old: Mapping[Symbol, Expr], new: Sequence[Symbol]) -> Matrix | None:
        """The metric in new coordinates, where the structure has a shorter way to it than by that in the old."""
        return None

    def form_in(self, old: Mapping[Symbol, Expr]) -> tuple[Form, str] | None:
        """The form in other coordinates, and by what its numbers come, where it is not its own pulled back."""
        return None

    def laws(self, reason: OpenExpectationError) -> list[Law]:
        """Independent laws that the model consists of, each found to be one.

        ``reason`` says why they matter.
        """
        model = self.model
        if not model.supports or model.samples:
            raise OpenExpectationError(
                f"{reason}; numbers are taken of laws with supports and without data, which {model.name!r} is not"
            )
        # Of integers SymPy would take exact factorials.
        constants = {symbol: value.evalf(POINT_DIGITS) for symbol, value in model.constants.items()}
        law = law_of(model)
        supports = tuple(support.subs(model.constants) for support in law.supports)
        law = replace(law, supports=supports).written(lambda e: e.subs(constants))
        if len(supports) > 1:
            try:
                joint_of(law)
            except ValueError as error:
                raise OpenExpectationError(f"{reason}; {error}") from None
        held = law.log_density.atoms(Held)  # its mass is looked at where their numbers are known
        problem = None if held else check_mass(law, self.coordinates, [p.typical for p in model.parameters])
        if problem:
            raise ExpectationError(f"model {model.name!r}: {problem}")
        return [anchored(law)]

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
def _expected(name: str, scored: ScoredLaw, typical: tuple[tuple[float, float], ...], whole: bool) -> Derived:
    """Derive and check; equal log-densities (the same network on other data) share one derivation.

    ``whole``: whether the law is that of the model, not of one of its samples.
    """
    law, coordinates, is_network = scored.law, scored.coordinates, scored.output is not None
    derived = _of_moments(name, scored) if law.variables else _of_data(scored)

    # A network's log-density is −ℓ, normalised only up to a constant, and data that are observed are no law.
    normalised = bool(law.variables) and not is_network
    problem = check_definition(
        derived.matrix, law, scored.scores, coordinates, typical, normalised=normalised, whole=whole
    )
    if problem:
        told = f"model {name!r}: {problem}"
        if not is_network and not check_mass(law, coordinates, typical):
            raise OpenExpectationError(told)  # the density is one: expectations were taken wrongly, numbers are open
        raise ExpectationError(told)
    return derived


def _of_data(scored: ScoredLaw) -> Derived:
    """The empirical integrand, the product of the scores (Eq. 3.3.1)."""
    s = [common_in_front(score) for score in scored.scores]
    return Derived(symmetric_of(len(s), lambda i, j: s[i] * s[j]), "observed scores")


def _of_moments(name: str, scored: ScoredLaw) -> Derived:
    """E[s_i s_j]."""
    s, n = scored.symbols, len(scored.symbols)
    pairs = list(combinations_with_replacement(range(n), 2))
    try:
        found, by = moments(scored, [s[i] * s[j] for i, j in pairs])
    except OpenExpectationError as error:
        raise type(error)(f"model {name!r}: {error}") from None
    entries = dict(zip(pairs, found, strict=True))
    return Derived(symmetric_of(n, lambda i, j: entries[i, j]), by)
