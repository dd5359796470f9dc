"""In what form a metric is given, and what that form knows: a closed form, an expectation, a sum over states.

Whoever needs numbers asks `infogeom.kernels.points.work.work_of` for the form's own way to them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, ImmutableMatrix, Rational, Symbol

from infogeom.arguments import ReadOnlyArrays, exact, finite_array
from infogeom.formulas import latex
from infogeom.functions.plain import plain
from infogeom.models.law import Law
from infogeom.models.parameter import Held
from infogeom.models.samples import Samples
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.matrix_entries import real_where_possible, rows_of, symmetric
from infogeom.symbolic.zero import Region

__all__ = ["ClosedForm", "Expectation", "Form", "Place", "Term", "WeightedStates", "check_symbols"]


class Place(NamedTuple):
    """Where a form stands: coordinates, further symbols that are known, and where a zero is looked at."""

    coordinates: tuple[Symbol, ...]
    constants: tuple[Symbol, ...]
    region: Region

    @property
    def names(self) -> list[str]:
        """Names of the coordinates."""
        return [c.name for c in self.coordinates]


class Term(NamedTuple):
    """A part of a form of forms, number · Jᵀ g J of a form g in coordinates of its own, with J = ∂(old)/∂(new)."""

    number: Expr
    old: Mapping[Symbol, Expr]
    form: Form


class Form(ABC):
    """In what form a metric is given.

    Attributes
    ----------
    samples : Samples or None
        Data that the metric is a mean over.
    matrix : sympy.ImmutableMatrix or None
        The closed form, that of one sample where there are samples; None where there is none.
    cumulants : Cumulants or None
        Of the sufficient statistics, where they are known.
    ricci_scalar : sympy.Expr or None
        R, where it is known by itself.
    definite : bool
        Whether points where it is not positive definite are unphysical.
    values_only : str
        Why it has values alone, and no curvature or other coordinates; empty where it has all.
    held : mapping of Held to sympy.Rational
        Constants whose numbers are data, and stand in no expression.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.metric(ig.models.normal()).form.told
    'a closed form'
    """

    samples: Samples | None = None
    matrix: ImmutableMatrix | None = None
    cumulants: Cumulants | None = None
    ricci_scalar: Expr | None = None
    definite: bool = False
    values_only: str = ""
    held: Mapping[Held, Rational] = MappingProxyType({})
    #: Whether it is a metric's, which has read it.
    stands = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.told}>"

    @property
    @abstractmethod
    def expressions(self) -> tuple[Expr, ...]:
        """All that the form is written in."""

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """Expressions that are positive wherever the form has a value."""
        return ()

    @property
    def natural(self) -> bool:
        """Whether the coordinates are known to be natural ones of an exponential family: a Hessian metric."""
        return False

    @property
    @abstractmethod
    def told(self) -> str:
        """What the metric is, for messages: "a mean over …"."""

    def terms(self, coordinates: Sequence[Symbol]) -> tuple[Term, ...]:
        """What other forms it is the sum of, in coordinates; none where it is made of none."""
        return ()

    def written_out(self, coordinates: Sequence[Symbol]) -> ClosedForm | None:
        """The closed form of the same metric; None where there is none."""
        return None

    @abstractmethod
    def read(self, place: Place) -> Self:
        """The form as it stands in coordinates, exact; TypeError or ValueError where it cannot stand there."""

    def subs(self, known: Mapping[Symbol, Expr]) -> Form:
        """The form with values for constants, of which it may hold none."""
        return self

    def holding(self, known: Mapping[Held, Rational]) -> Form | None:
        """The form with numbers of constants as data; None where it takes them as text alone."""
        return None

    @abstractmethod
    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the metric, or of its integrand where it is a mean over samples."""


@dataclass(frozen=True, eq=False, repr=False)
class ClosedForm(Form):
    """Expressions in the coordinates.

    Parameters
    ----------
    matrix : sympy.Matrix, shape (n, n)
        Symmetric. With samples it is the integrand of one sample, and the metric is its weighted mean. A metric tensor
        of EinsteinPy, indices down, stands for its components.
    samples : Samples, optional
        Data and normalised weights.
    cumulants : Cumulants, optional
        Of the sufficient statistics of an exponential family, in any coordinates: R then takes no derivative.
    ricci_scalar : sympy.Expr, optional
        R itself, where it is known in a writing that keeps its digits: it is then what is evaluated for R.
    definite : bool
        Whether points where it is not positive definite are unphysical, which their status says.
    values_only : str
        Why it has values alone, where it is no tensor.
    held : mapping of Held to sympy.Rational
        Constants whose numbers are data.

    Examples
    --------
    >>> import infogeom as ig
    >>> u, v = sympy.symbols("u v", positive=True)
    >>> ig.Metric([u, v], ig.symbolic.ClosedForm(sympy.diag(1, u**2))).ricci_scalar()
    0
    """

    matrix: ImmutableMatrix
    samples: Samples | None = None
    cumulants: Cumulants | None = None
    ricci_scalar: Expr | None = None
    definite: bool = False
    values_only: str = ""
    held: Mapping[Held, Rational] = field(default_factory=dict)

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """Entries of the matrix."""
        return tuple(self.matrix)

    @property
    def natural(self) -> bool:
        """Whether the cumulants are g and ∂g."""
        return self.cumulants is not None and self.cumulants.natural

    @property
    def told(self) -> str:
        """A mean over samples, or a closed form."""
        return f"a mean over {len(self.samples)} samples" if self.samples else "a closed form"

    def read(self, place: Place) -> Self:
        """Exact and symmetric; floats are the decimal fractions that they print as."""
        given, n = rows_of(self.matrix, place.coordinates), len(place.coordinates)
        if given.shape != (n, n):
            raise ValueError(f"matrix must have shape ({n}, {n}) for coordinates {place.names}, got {given.shape}")
        entries = exact(given).applyfunc(plain).applyfunc(real_where_possible)
        if entries.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I):
            raise ValueError(f"matrix must hold real, finite expressions, got {entries}")
        of_data = self.samples.symbols if self.samples else ()
        check_symbols(entries.free_symbols, place, (*self.held, *of_data))
        if self.cumulants and self.cumulants.second.shape != (n, n):
            raise ValueError(f"cumulants must be of {n} statistics, got {self.cumulants.second.rows}")
        if self.ricci_scalar is not None:
            if self.samples:
                raise ValueError("ricci_scalar is known of metrics without samples alone, got a mean over samples")
            check_symbols(self.ricci_scalar.free_symbols, place, (*self.held,))
        return replace(self, matrix=symmetric(entries, place.region, rounded=given.has(sympy.Float)))

    def written_out(self, coordinates: Sequence[Symbol]) -> ClosedForm | None:
        """Itself."""
        return self

    def subs(self, known: Mapping[Symbol, Expr]) -> Form:
        """With the cumulants and R as well."""
        cumulants = self.cumulants and self.cumulants.subs(known)
        scalar = None if self.ricci_scalar is None else self.ricci_scalar.subs(known)
        return replace(self, matrix=self.matrix.subs(known), cumulants=cumulants, ricci_scalar=scalar)

    def holding(self, known: Mapping[Held, Rational]) -> Form | None:
        """With their symbols as they stand."""
        return replace(self, held={**self.held, **known})

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the matrix."""
        return str(latex(self.matrix))


@dataclass(frozen=True, eq=False, repr=False)
class Expectation(Form):
    """The mean of products of scores, which has no closed form, over independent laws of one variable each.

    Parameters
    ----------
    laws : sequence of Law
    samples : Samples, optional
        Data that the laws depend on, over which the metric is a mean besides.
    held : mapping of Held to sympy.Rational
        Constants whose numbers are data.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.symbolic.numeric_metric(ig.models.skew_normal()).form.told
    'an expectation that does not close'
    """

    laws: Sequence[Law]
    samples: Samples | None = None
    held: Mapping[Held, Rational] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "laws", tuple(self.laws))

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """Log-densities, and what they are of."""
        return tuple(e for law in self.laws for e in law.expressions)

    @property
    def told(self) -> str:
        """An expectation."""
        return "an expectation that does not close"

    def read(self, place: Place) -> Self:
        """As it is: densities are exact already."""
        own = [v for law in self.laws for v in law.own]
        own += self.inputs
        for e in self.expressions:
            check_symbols(e.free_symbols, place, own)
        return replace(self)

    def subs(self, known: Mapping[Symbol, Expr]) -> Form:
        """In the log-densities and the supports."""
        return self._with_text(known)

    def _with_text(self, known: Mapping[Symbol, Expr]) -> Expectation:
        laws = []
        for law in self.laws:
            supports = tuple(support.subs(known) for support in law.supports)
            laws.append(replace(law.written(lambda e: e.subs(known)), supports=supports))
        return replace(self, laws=laws)

    def holding(self, known: Mapping[Held, Rational]) -> Form | None:
        """With their symbols as they stand in the log-densities; supports are known beforehand."""
        supports = [support for law in self.laws for support in law.supports]
        of_supports = set().union(*(support.free_symbols for support in supports))
        text = {symbol: number for symbol, number in known.items() if symbol in of_supports}
        form = self._with_text(text)
        rest = {symbol: number for symbol, number in known.items() if symbol not in text}
        return replace(form, held={**self.held, **rest})

    @property
    def inputs(self) -> tuple[Symbol, ...]:
        """What `rows` are of: the symbols of the samples, and constants that are data."""
        of_data = self.samples.symbols if self.samples else ()
        return (*of_data, *self.held)

    @property
    def rows(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Data that the laws hold, a row for each sample, and weights."""
        data, weights = (self.samples.data, self.samples.weights) if self.samples else (np.empty((1, 0)), np.ones(1))
        constants = np.array([float(number) for number in self.held.values()])
        return np.hstack([data, np.broadcast_to(constants, (len(data), len(constants)))]), weights

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the expectation, products of scores written out."""
        n = len(coordinates)
        integrand = sympy.zeros(n)
        for law in self.laws:
            s = sympy.Matrix(law.derivatives(coordinates, 1))
            integrand += law.copies * s * s.T
        return rf"\mathrm{{E}}\, {latex(integrand.as_immutable())}"


@dataclass(frozen=True, eq=False, repr=False)
class WeightedStates(ReadOnlyArrays, Form):
    """The covariance of statistics over many states, in the natural parameters θ of p_s ∝ exp(θ·t_s).

    Parameters
    ----------
    statistics : ndarray, shape (S, n)
        A row t_s for each state.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.symbolic.numeric_metric(ig.models.log_linear(4)).form.told
    'a sum over 16 states'
    """

    statistics: NDArray[np.float64]

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """None: it is all numbers."""
        return ()

    @property
    def natural(self) -> bool:
        """They are θ."""
        return True

    @property
    def told(self) -> str:
        """A sum over states."""
        return f"a sum over {len(self.statistics)} states"

    def read(self, place: Place) -> Self:
        """As it is, if there is a parameter for each statistic."""
        statistics, n = finite_array("statistics", self.statistics), len(place.coordinates)
        if statistics.ndim != 2 or statistics.shape[1] != n or not len(statistics):
            raise ValueError(
                f"statistics must have shape (S, {n}), a column for each of {place.names}, got {statistics.shape}"
            )
        return replace(self, statistics=statistics)

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the covariance."""
        return r"\mathrm{Cov}(t_i, t_j)"


def check_symbols(found: set[Symbol], place: Place, own: Sequence[Symbol]) -> None:
    """Raise for symbols that are neither coordinates nor constants nor the form's own."""
    known = set(place.coordinates) | set(place.constants) | set(own)
    foreign = sorted(found - known, key=str)
    namesakes: dict[str, Any] = {s.name: s for s in known}
    for s in foreign:
        if s.name not in namesakes:
            continue
        told, other = sympy.srepr(namesakes[s.name]), sympy.srepr(s)
        raise ValueError(
            f"matrix must hold {told} itself, got {other}, another symbol of that name for its other assumptions "
            "(a name in quotes is a symbol without any)"
        )
    if foreign:
        raise ValueError(
            f"matrix may hold no symbols but its coordinates {place.names}, got {[s.name for s in foreign]}; "
            "declare known constants as Metric(..., constants=[...])"
        )
