"""What the tensors of a closed form are computed in: expressions in normal form, or fractions of polynomials.

A metric of rational entries has rational tensors. In the field of fractions every sum is in lowest terms at once, which
expressions are only after they are factored: the vacuum around a rotating star takes a second and not an hour.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import Any

import sympy
from sympy import Expr
from sympy.polys.matrices import DomainMatrix
from sympy.polys.polyerrors import CoercionFailed

from infogeom.symbolic.metric_value import Metric
from infogeom.symbolic.normal_form import normal_form
from infogeom.symbolic.zero import vanishing

__all__ = ["Calculus", "calculus_of"]

#: What is written by sines and cosines, and by hyperbolic ones, one over the other; metrics hold no others of the kind.
QUOTIENTS: dict[type, tuple[Any, Any]] = {sympy.tan: (sympy.sin, sympy.cos), sympy.tanh: (sympy.sinh, sympy.cosh)}
#: Functions whose multiple angles are written out.
PERIODIC = (sympy.sin, sympy.cos, sympy.sinh, sympy.cosh)
#: Multiples that are written out.
MOST_MULTIPLE = 4
#: Rows of a matrix.
Rows = list[list[Any]]


class Calculus(ABC):
    """Arithmetic of the entries of one metric.

    Parameters
    ----------
    metric : Metric
        With a closed form.
    """

    def __init__(self, metric: Metric) -> None:
        self.metric, self.n = metric, len(metric.coordinates)

    @property
    @abstractmethod
    def g(self) -> Rows:
        """The metric."""

    @property
    @abstractmethod
    def determinant(self) -> Any:
        """Its determinant, 0 where that vanishes identically."""

    @property
    @abstractmethod
    def inverse(self) -> Rows:
        """Its inverse, where the determinant is not 0."""

    @abstractmethod
    def diff(self, entry: Any, k: int) -> Any:
        """Derivative by the k-th coordinate."""

    @abstractmethod
    def total(self, terms: Iterable[Any]) -> Any:
        """Sum in normal form."""

    @abstractmethod
    def settled(self, entries: Sequence[Any]) -> list[Any]:
        """Entries, 0 for those that are 0 in disguise."""

    @abstractmethod
    def written(self, entry: Any) -> Expr:
        """As an expression in normal form."""


class Expressions(Calculus):
    """Expressions of any kind."""

    @cached_property
    def g(self) -> Rows:
        return _by_sines(self.metric.matrix).tolist()  # type: ignore[no-any-return]

    @cached_property
    def determinant(self) -> Expr:
        return self.settled([normal_form(sympy.Matrix(self.g).det(method="berkowitz"))])[0]

    @cached_property
    def inverse(self) -> Rows:
        adjugate = sympy.Matrix(self.g).adjugate(method="berkowitz")
        rows: Rows = adjugate.applyfunc(lambda entry: normal_form(entry / self.determinant)).tolist()
        return rows

    def diff(self, entry: Expr, k: int) -> Expr:
        return entry.diff(self.metric.coordinates[k])

    def total(self, terms: Iterable[Expr]) -> Expr:
        return normal_form(sympy.Add(*terms))

    def settled(self, entries: Sequence[Expr]) -> list[Expr]:
        settled = list(entries)
        for k, zero in enumerate(vanishing(entries, self.metric.region)):
            if zero:
                settled[k] = sympy.Integer(0)
        return settled

    def written(self, entry: Expr) -> Expr:
        return entry


class Fractions(Calculus):
    """Fractions of polynomials in coordinates and constants.

    Raises
    ------
    CoercionFailed
        For a metric whose entries are none.
    """

    def __init__(self, metric: Metric) -> None:
        super().__init__(metric)
        field = sympy.QQ.frac_field(*metric.coordinates, *metric.constants)
        self._matrix = DomainMatrix.from_Matrix(metric.matrix).convert_to(field)
        self._zero, self._variables = field.zero, field.field.gens[: self.n]

    @cached_property
    def g(self) -> Rows:
        return self._matrix.to_list()  # type: ignore[no-any-return]

    @cached_property
    def determinant(self) -> Any:
        return self._matrix.det()

    @cached_property
    def inverse(self) -> Rows:
        return self._matrix.inv().to_list()  # type: ignore[no-any-return]

    def diff(self, entry: Any, k: int) -> Any:
        return entry.diff(self._variables[k])

    def total(self, terms: Iterable[Any]) -> Any:
        return sum(terms, self._zero)

    def settled(self, entries: Sequence[Any]) -> list[Any]:
        return list(entries)

    def written(self, entry: Any) -> Expr:
        return normal_form(entry.as_expr())


@lru_cache(maxsize=4)
def calculus_of(metric: Metric) -> Calculus:
    """The calculus of a closed form: fractions where its entries are."""
    try:
        return Fractions(metric)
    except (CoercionFailed, ValueError):  # other functions, and roots of numbers
        return Expressions(metric)


def _by_sines(matrix: sympy.ImmutableMatrix) -> sympy.ImmutableMatrix:
    """The matrix without tangents, and with one angle where there were several multiples."""
    quotients: dict[Expr, Expr] = {}
    for f in matrix.atoms(*QUOTIENTS):
        (over, under), u = QUOTIENTS[type(f)], f.args[0]
        quotients[f] = over(u) / under(u)
    matrix = matrix.xreplace(quotients)
    by_angle: dict[Expr, dict[Expr, Expr]] = {}
    for f in matrix.atoms(*PERIODIC):
        multiple, angle = f.args[0].as_coeff_Mul()
        by_angle.setdefault(angle, {})[f] = multiple
    single: dict[Expr, Expr] = {}
    for angle, multiples in by_angle.items():
        least = sympy.gcd_list(list(multiples.values()))
        for f, multiple in multiples.items():
            single[f] = _of_multiple(f, multiple / least, least * angle)
    return matrix.xreplace(single)


def _of_multiple(f: Expr, multiple: Expr, angle: Expr) -> Expr:
    """sin(n u) and its like by sin u and cos u."""
    if not 1 < multiple <= MOST_MULTIPLE:
        return f
    u = sympy.Dummy("u", real=True)
    return sympy.expand_trig(f.func(multiple * u)).xreplace({u: angle})
