"""Log-density and scores of a model at one point, as functions of float64 arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, Set, Symbol
from sympy.core.function import AppliedUndef

from infogeom.arguments import decimal
from infogeom.distributions.many_digits import in_many_digits
from infogeom.functions import stable
from infogeom.models.combine import copies_of
from infogeom.models.model import Model, Structure
from infogeom.models.supports import within
from infogeom.numeric.float64 import evaluated, in_float64
from infogeom.numeric.multiprecision import in_mpmath

__all__ = ["Array", "Density"]

Array = NDArray[np.float64]

#: Digits of the parameters: SymPy takes its time over logarithms of powers of fractions.
PARAMETER_DIGITS = 25
#: Beyond, it writes out the factorials and harmonic sums that functions of integers are.
LARGEST_INTEGER = 1000
#: What rounding may leave of a logarithm, or relative to it.
LOST = 1e-8
EPS = float(np.finfo(float).eps)


class Density:
    """Density of one observation, with numbers for all parameters.

    Parameters
    ----------
    model : Model
        Neither on data nor of several independent observations.
    point : mapping of Symbol to float

    Attributes
    ----------
    symbols : tuple of Symbol
        What is observed, a column each.
    supports : tuple of sympy.Set or None
        Values of each, perhaps dependent on those before it; None where the base measure is not given.

    Raises
    ------
    TypeError, ValueError
        For a model without such a density, and constants without numbers.
    """

    def __init__(self, model: Model, point: Mapping[Symbol, float]) -> None:
        _check(model)
        self.model, self.point = model, point
        constants = {symbol: _written_short(value) for symbol, value in model.constants.items()}
        self._values = {symbol: _digits(number) for symbol, number in point.items()} | constants
        seen = {
            variable: x for x, e in model.change_of_variable.items() for variable in e.free_symbols & {*model.variables}
        }
        self.symbols = tuple(seen.get(variable, variable) for variable in model.variables)
        self.supports = None if model.support is None else tuple(map(self._support, model.variables, model.supports))

    def _support(self, variable: Symbol, given: Set) -> Set:
        """Support of an observed symbol, to which an interval of the variable is carried."""
        support = given.subs(dict(self.model.constants)).subs(self._values)
        for e in self.model.change_of_variable.values():
            if variable in e.free_symbols:
                change = e.subs(self._values)
                ends = (
                    sympy.limit(change, variable, support.start, "+"),
                    sympy.limit(change, variable, support.end, "-"),
                )
                return sympy.Interval.open(min(ends), max(ends))
        return support

    def log(self, columns: list[Array]) -> Array:
        """Log-density, −∞ outside the support, as it comes out in float64."""
        inside = self.inside(columns)
        if self._is_formula_missing:
            return self._log_by_structure(columns)
        found = np.full(inside.shape, -np.inf)
        found[inside] = self._functions([self.model.log_density])(*(x[inside] for x in columns))[0]
        return found

    def log_in_full(self, columns: list[Array]) -> Array:
        """Log-density, −∞ outside the support, in many digits where float64 overflows or loses digits."""
        found, inside = self.log(columns), self.inside(columns)
        if self._is_formula_missing:
            return found
        kept = self.rounding(columns) <= LOST * np.maximum(1.0, np.abs(found))
        lost = inside & ~(kept & np.isfinite(found))
        if lost.any():
            found[lost] = self._in_many_digits([self.model.log_density])(_rows(columns, lost))[:, 0]
        return found

    def rounding(self, columns: list[Array]) -> Array:
        """A rounding of the largest term of the log-density: what is lost where the terms cancel."""
        inside = self.inside(columns)
        terms = list(sympy.Add.make_args(self.model.log_density))
        found = np.zeros(inside.shape)
        found[inside] = EPS * np.abs(self._functions(terms)(*(x[inside] for x in columns))).max(axis=0)
        return found

    def scores(self, columns: list[Array]) -> Array:
        """Derivatives of the log-density by the parameters, along the last axis."""
        if self._is_formula_missing:
            symbols = [p.symbol for p in self.model.parameters]
            known = (self.model.structure or Structure()).scores(symbols, self.number, np.stack(columns, axis=-1))
            if known is None:
                raise TypeError(f"model {self.model.name!r} has no formula for its scores")
            return known
        found = np.stack(self._scores(*columns), axis=-1)
        lost = np.asarray(~np.isfinite(found).all(axis=-1))
        if lost.any():
            found[lost] = self._in_many_digits(self._derivatives)(_rows(columns, lost))
        return found

    @cached_property
    def _is_formula_missing(self) -> bool:
        """Whether the log-density has a name alone."""
        return bool(self.model.log_density.atoms(AppliedUndef))

    def _log_by_structure(self, columns: list[Array]) -> Array:
        """Log-density by what is known beside it, of parts side by side too."""
        structure = self.model.structure or Structure()
        found = structure.log_density(self.number, np.stack(columns, axis=-1))
        if found is not None:
            return found
        parts = structure.parts_at(self.model, self.number)
        if not parts:
            raise TypeError(f"model {self.model.name!r} has no formula for its density")
        first, total = 0, np.zeros(columns[0].shape)
        for part, point in parts:
            own = columns[first : first + len(part.variables)]
            total = total + Density(part, point).log(own)
            first += len(part.variables)
        return total

    @cached_property
    def _scores(self) -> Callable[..., list[Array]]:
        return self._functions(self._derivatives)

    @cached_property
    def _derivatives(self) -> list[Expr]:
        return [self.model.log_density.diff(p.symbol) for p in self.model.parameters]

    def _in_many_digits(self, expressions: list[Expr]) -> Callable[[Array], Array]:
        return in_many_digits(self.symbols, [stable(e).subs(self._values) for e in expressions])

    def number(self, e: Expr) -> float:
        """Value of an expression in the parameters and the constants."""
        return float(e.subs(self._values))

    def inside(self, columns: list[Array]) -> NDArray[np.bool_]:
        """Where the observations lie in the support."""
        if self.supports is None:
            raise TypeError(f"model {self.model.name!r} has a density with respect to a measure that is not given")
        inside = np.ones(columns[0].shape, dtype=bool)
        for k, support in enumerate(self.supports):
            inside &= within(support, self.symbols[:k], columns[: k + 1])
        return inside

    def _functions(self, expressions: list[Expr]) -> Callable[..., list[Array]]:
        numbers = [e.subs(self._values) for e in expressions]
        quick = in_float64(self.symbols, numbers)
        slow = in_mpmath(self.symbols, evaluated(numbers))

        def values(*columns: Array) -> list[Array]:
            try:
                return quick(*columns)
            except NameError:  # SciPy lacks a function
                points = np.stack(columns, axis=-1).reshape(-1, len(columns))
                found = np.array([slow(*map(float, point)) for point in points], dtype=float)
                shape = columns[0].shape
                return [column.reshape(shape) for column in found.reshape(-1, len(numbers)).T]

        return values


def _digits(number: float) -> Expr:
    value = decimal(number)
    return _written_short(value) if value.is_Integer else value.evalf(PARAMETER_DIGITS)


def _written_short(value: Expr) -> Expr:
    return value.evalf(PARAMETER_DIGITS) if value.is_Integer and abs(value) > LARGEST_INTEGER else value


def _rows(columns: list[Array], where: NDArray[np.bool_]) -> Array:
    """Some of the observations, a row each."""
    return np.stack([x[where] for x in columns], axis=-1)


def _check(model: Model) -> None:
    if model.samples or not model.variables:
        raise TypeError(f"model {model.name!r} is on data, and has no density of one observation")
    parts = model.structure.parts if model.structure else ()
    for part in parts or (model,):
        if copies_of(part) != 1:
            raise TypeError(
                f"model {part.name!r} stands for {copies_of(part)} observations, and has no density of one; "
                "ask the model that was copied"
            )
    loose = sorted(symbol.name for value in model.constants.values() for symbol in value.free_symbols)
    if loose:
        raise ValueError(f"constants {loose} of model {model.name!r} need numbers")
