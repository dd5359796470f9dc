"""In what form a metric is given, and what that form knows: a closed form, an expectation, a sum over states.

Whoever needs numbers asks `infogeom.kernels.points.work.work_of` for the form's own way to them.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, ImmutableMatrix, Symbol

from infogeom.arguments import as_expression, check_real, exact, finite_array, positive_number
from infogeom.formulas import latex
from infogeom.models.law import Law
from infogeom.models.model import Samples, domain_of
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.matrix_entries import real_where_possible, rows_of, symmetric
from infogeom.symbolic.zero import Region

__all__ = ["Called", "ClosedForm", "DirectSum", "Expectation", "Form", "PulledBack", "Scaled", "WeightedStates"]


class Place(Protocol):
    """Where a form stands: what `Form.read` needs of a metric."""

    @property
    def coordinates(self) -> Sequence[Symbol]: ...
    @property
    def constants(self) -> Sequence[Symbol]: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def region(self) -> Region: ...


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

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.metric(ig.models.normal()).form.told
    'a closed form'
    """

    samples: Samples | None = None
    matrix: ImmutableMatrix | None = None
    cumulants: Cumulants | None = None
    #: Whether it is a metric's, which has read it.
    stands = False

    @property
    @abstractmethod
    def expressions(self) -> tuple[Expr, ...]:
        """All that the form is written in."""

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """Expressions that are positive wherever the form has a value."""
        return ()

    @property
    @abstractmethod
    def told(self) -> str:
        """What the metric is, for messages: "a mean over …"."""

    @abstractmethod
    def read(self, place: Place) -> Self:
        """The form as it stands in coordinates, exact; TypeError or ValueError where it cannot stand there."""

    def subs(self, known: Mapping[Symbol, Expr]) -> Form:
        """The form with values for constants, of which it may hold none."""
        return self

    @abstractmethod
    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the metric, or of its integrand where it is a mean over samples."""


@dataclass(frozen=True, eq=False)
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

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """Entries of the matrix."""
        return tuple(self.matrix)

    @property
    def told(self) -> str:
        """A mean over samples, or a closed form."""
        return f"a mean over {len(self.samples)} samples" if self.samples else "a closed form"

    def read(self, place: Place) -> Self:
        """Exact and symmetric; floats are the decimal fractions that they print as."""
        given, n = rows_of(self.matrix, place.coordinates), len(place.coordinates)
        if given.shape != (n, n):
            raise ValueError(
                f"matrix must have shape ({n}, {n}) for coordinates {list(place.names)}, got {given.shape}"
            )
        entries = exact(given).applyfunc(real_where_possible)
        if entries.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I):
            raise ValueError(f"matrix must hold real, finite expressions, got {entries}")
        _check_symbols(entries.free_symbols, place, self.samples.symbols if self.samples else ())
        if self.cumulants and self.cumulants.second.shape != (n, n):
            raise ValueError(f"cumulants must be of {n} statistics, got {self.cumulants.second.rows}")
        return replace(self, matrix=symmetric(entries, place.region, rounded=given.has(sympy.Float)))

    def subs(self, known: Mapping[Symbol, Expr]) -> Form:
        """With the cumulants as well."""
        cumulants = self.cumulants and self.cumulants.subs(known)
        return replace(self, matrix=self.matrix.subs(known), cumulants=cumulants)

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the matrix."""
        return str(latex(self.matrix))


@dataclass(frozen=True, eq=False)
class Expectation(Form):
    """The mean of products of scores, which has no closed form, over independent laws of one variable each.

    Parameters
    ----------
    laws : sequence of Law
    samples : Samples, optional
        Data that the laws depend on, over which the metric is a mean besides.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.symbolic.numeric_metric(ig.models.skew_normal()).form.told
    'an expectation that does not close'
    """

    laws: Sequence[Law]
    samples: Samples | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "laws", tuple(self.laws))

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """Log-densities."""
        return tuple(law.log_density for law in self.laws)

    @property
    def told(self) -> str:
        """An expectation."""
        return "an expectation that does not close"

    def read(self, place: Place) -> Self:
        """As it is: densities are exact already."""
        own = [v for law in self.laws for v in law.variables]
        found = set().union(*(e.free_symbols for e in self.expressions))
        _check_symbols(found, place, (*own, *(self.samples.symbols if self.samples else ())))
        return replace(self)

    def subs(self, known: Mapping[Symbol, Expr]) -> Form:
        """In the log-densities."""
        laws = [replace(law, log_density=law.log_density.subs(known)) for law in self.laws]
        return replace(self, laws=laws)

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the expectation, products of scores written out."""
        n = len(coordinates)
        integrand = sympy.zeros(n)
        for law in self.laws:
            s = sympy.Matrix([law.log_density.diff(c) for c in coordinates])
            integrand += law.copies * s * s.T
        return rf"\mathrm{{E}}\, {latex(integrand.as_immutable())}"


@dataclass(frozen=True, eq=False)
class WeightedStates(Form):
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
    def told(self) -> str:
        """A sum over states."""
        return f"a sum over {len(self.statistics)} states"

    def read(self, place: Place) -> Self:
        """As it is, if there is a parameter for each statistic."""
        statistics, n = finite_array("statistics", self.statistics), len(place.coordinates)
        if statistics.ndim != 2 or statistics.shape[1] != n or not len(statistics):
            raise ValueError(
                f"statistics must have shape (S, {n}), a column for each of {list(place.names)}, got {statistics.shape}"
            )
        return replace(self, statistics=statistics)

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the covariance."""
        return r"\mathrm{Cov}(t_i, t_j)"


@dataclass(frozen=True, eq=False)
class Called(Form):
    """A function of the coordinates, of which nothing is known but its values.

    Parameters
    ----------
    function : callable
        ``function(*coordinates)``, of floats, returns g, shape (n, n); or (g, ∂g); or (g, ∂g, ∂∂g): ``dg[i, j, k]`` is
        ∂_k g_ij and ``ddg[i, j, k, l]`` is ∂_k ∂_l g_ij. What it does not give is found by differences.
        Where it raises an ArithmeticError or a ValueError the metric has no value.
    accuracy : float
        How far each number may be off, relative to the scale √|g_ii g_jj| of its entry, or |g_ij| where that is more,
        and for derivatives to that times the fastest that an entry changes with their coordinates.

    Notes
    -----
    Differences see what changes over a millionth of a coordinate or more, of 1 where it is 0.

    Examples
    --------
    >>> import infogeom as ig
    >>> u, v = sympy.symbols("u v", positive=True)
    >>> plane = ig.Metric([u, v], ig.symbolic.Called(lambda u, v: [[1 / v**2, 0], [0, 1 / v**2]]))
    >>> plane.at(u=0.3, v=2)
    array([[0.25, 0.  ],
           [0.  , 0.25]])
    """

    function: Callable[..., Any]
    accuracy: float = 2.0**-48

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """None."""
        return ()

    @property
    def told(self) -> str:
        """A function."""
        return "a function of the coordinates"

    def read(self, place: Place) -> Self:
        """As it is."""
        if not callable(self.function):
            raise TypeError(f"function must be callable, got {self.function!r}")
        check_real("accuracy", self.accuracy)
        if not 0 < self.accuracy < 1:
            raise ValueError(f"accuracy must be between 0 and 1, got {self.accuracy}")
        return replace(self)

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """Name of the function."""
        name = getattr(self.function, "__name__", "f")
        return rf"\mathtt{{{name}}}" if name.isidentifier() and "_" not in name else "f"


class Composed(Form):
    """A form made of others."""

    @property
    @abstractmethod
    def parts(self) -> tuple[tuple[tuple[Symbol, ...] | None, Form], ...]:
        """The forms with their own coordinates; None for those of the whole."""

    @abstractmethod
    def made_of(self, forms: Sequence[Form]) -> Self:
        """The same of other forms."""

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """Those of all parts."""
        return tuple(e for _, form in self.parts for e in form.expressions)

    @property
    def samples(self) -> Samples | None:  # type: ignore[override]  # those of the others are given
        """Data of a part: there is one with data at most."""
        given = [form.samples for _, form in self.parts if form.samples]
        return given[0] if given else None

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """Those of all parts."""
        return tuple(e for _, form in self.parts for e in form.conditions)

    def read(self, place: Place) -> Self:
        """Each part as it stands in its coordinates."""
        read = []
        for own, form in self.parts:
            if not isinstance(form, Form):
                raise TypeError(f"{type(self).__name__} must be made of forms, got {form!r}")
            read.append(form.read(place if own is None else _Plain(own, place.constants)))
        made = self.made_of(read)
        if sum(form.samples is not None for form in read) > 1:
            raise ValueError("at most one part may be a mean over samples, got more")
        return made

    def subs(self, known: Mapping[Symbol, Expr]) -> Form:
        """In each part."""
        return self.made_of([form.subs(known) for _, form in self.parts])


@dataclass(frozen=True, eq=False)
class PulledBack(Composed):
    """A metric in other coordinates, Jᵀ g J with J = ∂θ/∂θ′; fewer of them describe a submanifold.

    Points that lead to where the symbols of the old coordinates may not lie have no metric.

    Parameters
    ----------
    form : Form
    old : mapping of Symbol to sympy.Expr
        Each coordinate θ of the form, in its order, as a function of the new ones.
    new : sequence of Symbol

    Examples
    --------
    >>> import infogeom as ig
    >>> g = ig.metric(ig.models.normal())
    >>> mu, sigma = g.coordinates
    >>> t = sympy.Symbol("t", positive=True)
    >>> ig.Metric([t], ig.symbolic.PulledBack(g.form, {mu: t**2, sigma: t}, [t])).at(t=1)
    array([[6.]])
    """

    form: Form
    old: Mapping[Symbol, Expr]
    new: Sequence[Symbol]

    @property
    def parts(self) -> tuple[tuple[tuple[Symbol, ...] | None, Form], ...]:
        """The form in the old coordinates."""
        return ((tuple(self.old), self.form),)

    def made_of(self, forms: Sequence[Form]) -> Self:
        """The same of another form."""
        return replace(self, form=forms[0])

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """The old coordinates as functions of the new, and those of the form in the old."""
        return (*self.old.values(), *super().expressions)

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """That the old coordinates lie where their symbols say, and those of the form."""
        found = [c.subs(self.old) for c in super().conditions]
        for symbol, e in self.old.items():
            domain = domain_of(symbol)
            found += [e - domain.start] if domain.start.is_finite else []
            found += [domain.end - e] if domain.end.is_finite else []
        return tuple(c for c in found if not c.is_positive)

    @property
    def told(self) -> str:
        """What the form is, in other coordinates."""
        return f"{self.form.told} in other coordinates"

    def read(self, place: Place) -> Self:
        """With the old coordinates exact."""
        if not isinstance(self.old, Mapping) or not all(isinstance(symbol, Symbol) for symbol in self.old):
            raise TypeError(f"old must map Symbols to expressions, got {self.old!r}")
        if tuple(self.new) != tuple(place.coordinates):
            raise ValueError(f"new must be the coordinates {list(place.names)}, in order, got {list(self.new)}")
        old = {symbol: exact(as_expression(f"old[{symbol.name!r}]", e)) for symbol, e in self.old.items()}
        _check_symbols(set().union(*(e.free_symbols for e in old.values())), place, ())
        return Composed.read(replace(self, old=old), place)

    def subs(self, known: Mapping[Symbol, Expr]) -> Form:
        """In the form and in the old coordinates."""
        old = {symbol: e.subs(known) for symbol, e in self.old.items()}
        return replace(self, form=self.form.subs(known), old=old)

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the form, and of the map."""
        told = r",\; ".join(f"{latex(symbol)} = {latex(e)}" for symbol, e in self.old.items())
        return rf"J^T {_bracketed(self.form, tuple(self.old))} J, \qquad {told}"


@dataclass(frozen=True, eq=False)
class Scaled(Composed):
    """A multiple of a metric: that of independent copies of a law.

    Parameters
    ----------
    form : Form
    number : float or sympy.Expr
        Positive; read exactly.

    Examples
    --------
    >>> import infogeom as ig
    >>> g = ig.metric(ig.models.binomial(1))
    >>> ig.Metric(g.coordinates, ig.symbolic.Scaled(g.form, 7)).at(p=0.5)
    array([[28.]])
    """

    form: Form
    number: Any

    @property
    def parts(self) -> tuple[tuple[tuple[Symbol, ...] | None, Form], ...]:
        """The form."""
        return ((None, self.form),)

    def made_of(self, forms: Sequence[Form]) -> Self:
        """The same multiple of another form."""
        return replace(self, form=forms[0])

    @property
    def told(self) -> str:
        """A multiple of what the form is."""
        return f"{self.number} times {self.form.told}"

    def read(self, place: Place) -> Self:
        """With the form as it stands there, and the number in float64."""
        number = positive_number("number", self.number)
        if number > sys.float_info.max:
            raise ValueError(f"number must be a float64 number, got {self.number}")
        return Composed.read(replace(self, number=number), place)

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the form, with the number."""
        return rf"{latex(self.number)}\, {_bracketed(self.form, coordinates)}"


@dataclass(frozen=True, eq=False)
class DirectSum(Composed):
    """Metrics of different coordinates side by side: that of independent laws together.

    Parameters
    ----------
    forms : sequence of Form
        At most one of them a mean over samples.
    coordinates : sequence of sequence of Symbol
        Those of each, in the order of all.

    Examples
    --------
    >>> import infogeom as ig
    >>> one, other = ig.metric(ig.models.binomial(1)), ig.metric(ig.models.poisson())
    >>> together = ig.symbolic.DirectSum([one.form, other.form], [one.coordinates, other.coordinates])
    >>> ig.Metric([*one.coordinates, *other.coordinates], together).names
    ('p', 'rate')
    """

    forms: Sequence[Form]
    coordinates: Sequence[Sequence[Symbol]]

    @property
    def parts(self) -> tuple[tuple[tuple[Symbol, ...] | None, Form], ...]:
        """Each form in its coordinates."""
        return tuple(zip(map(tuple, self.coordinates), self.forms, strict=True))

    def made_of(self, forms: Sequence[Form]) -> Self:
        """The same of other forms."""
        return replace(self, forms=tuple(forms))

    @property
    def told(self) -> str:
        """All that the forms are."""
        return "the direct sum of " + " and ".join(form.told for form in self.forms)

    def read(self, place: Place) -> Self:
        """With the forms as they stand in their coordinates."""
        given = [c for own in self.coordinates for c in own]
        if given != list(place.coordinates) or len(self.forms) != len(self.coordinates):
            raise ValueError(f"coordinates must be those of each form, together {list(place.names)}, got {given}")
        return super().read(place)

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of all forms."""
        return r" \oplus ".join(_bracketed(form, own) for own, form in zip(self.coordinates, self.forms, strict=True))


def _bracketed(form: Form, coordinates: Sequence[Symbol]) -> str:
    """LaTeX of a form, in brackets where it is made of others."""
    text = form.latex(coordinates)
    return rf"\left[ {text} \right]" if isinstance(form, Composed) else text


@dataclass(frozen=True)
class _Plain:
    """Coordinates alone, wherever they are."""

    coordinates: Sequence[Symbol]
    constants: Sequence[Symbol] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.coordinates)

    @property
    def region(self) -> Region:
        return Region({c: domain_of(c) for c in self.coordinates}, ())


def _check_symbols(found: set[Symbol], place: Place, own: Sequence[Symbol]) -> None:
    """Raise for symbols that are neither coordinates nor constants nor the form's own."""
    known = {*place.coordinates, *place.constants, *own}
    foreign = sorted(found - known, key=str)
    namesakes: dict[str, Any] = {s.name: s for s in known}
    for s in (s for s in foreign if s.name in namesakes):
        told, other = sympy.srepr(namesakes[s.name]), sympy.srepr(s)
        raise ValueError(
            f"matrix must hold {told} itself, got {other}, another symbol of that name for its other assumptions "
            "(a name in quotes is a symbol without any)"
        )
    if foreign:
        raise ValueError(
            f"matrix may hold no symbols but its coordinates {list(place.names)}, got {[s.name for s in foreign]}; "
            "declare known constants as Metric(..., constants=[...])"
        )
