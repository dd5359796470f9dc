"""Forms of forms: a metric in other coordinates, a multiple of one, several side by side."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import sympy
from sympy import Expr, Rational, Symbol

from infogeom.arguments import as_expression, exact, positive_number
from infogeom.formulas import latex
from infogeom.models.parameter import Held, domain_of
from infogeom.models.samples import Samples
from infogeom.symbolic.forms import ClosedForm, Form, Place, Term, check_symbols
from infogeom.symbolic.zero import Region

__all__ = ["Composed", "DirectSum", "PulledBack", "Scaled"]


class Composed(Form):
    """A form made of others."""

    @property
    @abstractmethod
    def parts(self) -> tuple[tuple[tuple[Symbol, ...] | None, Form], ...]:
        """The forms with their own coordinates; None for those of the whole."""

    @abstractmethod
    def made_of(self, forms: Sequence[Form]) -> Self:
        """What it makes of other forms."""

    @abstractmethod
    def terms(self, coordinates: Sequence[Symbol]) -> tuple[Term, ...]:
        """The metric is the sum of them."""

    def written_out(self, coordinates: Sequence[Symbol]) -> ClosedForm | None:
        """Σ number · Jᵀ g J, where all parts have a closed form."""
        g = sympy.zeros(len(coordinates))
        for number, old, form in self.terms(coordinates):
            closed = form.written_out(tuple(old))
            if closed is None:
                return None
            J = sympy.Matrix([*old.values()]).jacobian(list(coordinates))
            g += number * J.T * closed.matrix.subs(old, simultaneous=True) * J
        return ClosedForm(g.as_immutable(), self.samples)

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """Those of all parts."""
        return tuple(e for _, form in self.parts for e in form.expressions)

    @property
    def natural(self) -> bool:
        """Whether they are in all parts."""
        return all(form.natural for _, form in self.parts)

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
            if form.values_only:
                raise TypeError(f"{type(self).__name__} must be made of tensors: {form.values_only}")
            region = Region({c: domain_of(c) for c in own or ()}, ())
            read.append(form.read(place if own is None else Place(own, place.constants, region)))
        made = self.made_of(read)
        if sum(form.samples is not None for form in read) > 1:
            raise ValueError("at most one part may be a mean over samples, got more")
        return made

    def subs(self, known: Mapping[Symbol, Expr]) -> Form:
        """In each part."""
        return self.made_of([form.subs(known) for _, form in self.parts])

    def holding(self, known: Mapping[Held, Rational]) -> Form | None:
        """In each part."""
        held = [form.holding(known) for _, form in self.parts]
        forms = [form for form in held if form]
        return self.made_of(forms) if len(forms) == len(held) else None


@dataclass(frozen=True, eq=False, repr=False)
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
    >>> import sympy, infogeom as ig
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
        """What it makes of another form."""
        return replace(self, form=forms[0])

    def terms(self, coordinates: Sequence[Symbol]) -> tuple[Term, ...]:
        """The form, in the old coordinates."""
        return (Term(sympy.S.One, self.old, self.form),)

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """The old coordinates as functions of the new, and those of the form in the old."""
        return (*self.old.values(), *super().expressions)

    @property
    def conditions(self) -> tuple[Expr, ...]:
        """That the old coordinates lie where their symbols say, and those of the form."""
        found = [c.subs(self.old, simultaneous=True) for c in super().conditions]
        for symbol, e in self.old.items():
            domain = domain_of(symbol)
            found += [e - domain.start] if domain.start.is_finite else []
            found += [domain.end - e] if domain.end.is_finite else []
        return tuple(c for c in found if not c.is_positive)

    @property
    def natural(self) -> bool:
        """Not known: the old coordinates may be."""
        return False

    @property
    def told(self) -> str:
        """What the form is, in other coordinates."""
        return f"{self.form.told} in other coordinates"

    def read(self, place: Place) -> Self:
        """With the old coordinates exact."""
        if not isinstance(self.old, Mapping) or not all(isinstance(symbol, Symbol) for symbol in self.old):
            raise TypeError(f"old must map Symbols to expressions, got {self.old!r}")
        names = [symbol.name for symbol in self.old]
        if len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
            raise ValueError(f"old must map symbols with different names, which are identifiers, got {names}")
        if tuple(self.new) != tuple(place.coordinates):
            raise ValueError(f"new must be the coordinates {place.names}, in order, got {list(self.new)}")
        old = {symbol: exact(as_expression(f"old[{symbol.name!r}]", e)) for symbol, e in self.old.items()}
        check_symbols(set().union(*(e.free_symbols for e in old.values())), place, ())
        return Composed.read(replace(self, old=old), place)

    def subs(self, known: Mapping[Symbol, Expr]) -> Form:
        """In the form and in the old coordinates."""
        old = {symbol: e.subs(known) for symbol, e in self.old.items()}
        return replace(self, form=self.form.subs(known), old=old)

    def holding(self, known: Mapping[Held, Rational]) -> Form | None:
        """In the form; the old coordinates have them as text."""
        old = {symbol: e.subs(known) for symbol, e in self.old.items()}
        form = self.form.holding(known)
        return form and replace(self, form=form, old=old)

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the form, and of the map."""
        told = r",\; ".join(f"{latex(symbol)} = {latex(e)}" for symbol, e in self.old.items())
        return rf"J^T {_bracketed(self.form, tuple(self.old))} J, \qquad {told}"


@dataclass(frozen=True, eq=False, repr=False)
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
        """As much of another form."""
        return replace(self, form=forms[0])

    def terms(self, coordinates: Sequence[Symbol]) -> tuple[Term, ...]:
        """So many times the form."""
        return (Term(self.number, {c: c for c in coordinates}, self.form),)

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


@dataclass(frozen=True, eq=False, repr=False)
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
        """What it makes of other forms."""
        return replace(self, forms=tuple(forms))

    def terms(self, coordinates: Sequence[Symbol]) -> tuple[Term, ...]:
        """Each form, in its coordinates."""
        blocks = zip(self.coordinates, self.forms, strict=True)
        return tuple(Term(sympy.S.One, {c: c for c in own}, form) for own, form in blocks)

    @property
    def told(self) -> str:
        """All that the forms are."""
        return "the direct sum of " + " and ".join(form.told for form in self.forms)

    def read(self, place: Place) -> Self:
        """With the forms as they stand in their coordinates."""
        given = [c for own in self.coordinates for c in own]
        if given != list(place.coordinates) or len(self.forms) != len(self.coordinates):
            raise ValueError(f"coordinates must be those of each form, together {place.names}, got {given}")
        return super().read(place)

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of all forms."""
        return r" \oplus ".join(_bracketed(form, own) for own, form in zip(self.coordinates, self.forms, strict=True))


def _bracketed(form: Form, coordinates: Sequence[Symbol]) -> str:
    """LaTeX of a form, in brackets where it is made of others."""
    text = form.latex(coordinates)
    return rf"\left[ {text} \right]" if isinstance(form, Composed) else text
