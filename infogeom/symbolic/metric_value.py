"""The one value that every model's geometry starts from: coordinates, a matrix of expressions, and perhaps samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import sympy
from sympy import Expr, ImmutableMatrix, Set, Symbol

from infogeom.arguments import as_expression, constants_of, decimal, exact, sequence_of
from infogeom.formulas import latex
from infogeom.functions import expit
from infogeom.methods import OfMetrics
from infogeom.models.names import check_name
from infogeom.models.parameter import domain_of
from infogeom.models.samples import Samples
from infogeom.quantities import QUANTITIES
from infogeom.symbolic.forms import ClosedForm, Form, Place
from infogeom.symbolic.zero import Region

__all__ = ["Metric"]

#: Samples over which a mean is written out at most: nobody would read more.
MAX_EXPANDED_SAMPLES = 20


@dataclass(frozen=True, eq=False, repr=False)
class Metric(OfMetrics):
    """A Riemannian or pseudo-Riemannian metric g_ij in given coordinates.

    Floats in the matrix, the domains, the constraints and the observables are read once, as the decimal fractions that
    they print as: 0.1 is 1/10. What Python or ``subs`` has multiplied out before cannot be mended: 2/3 comes as
    0.6666666666666666, and a constant of many digits is in two entries what rounding left of it in each. Exact
    constants go in as symbols, ``constants=[m]``, or as ``sympy.Rational(2, 3)``.

    Points outside the domains, or where a constraint does not hold, have no metric: grids and point sets have nan
    there, and status 3.

    Parameters
    ----------
    coordinates : sequence of sympy.Symbol
        In order; their names are ASCII identifiers and become the axes of grids; keywords of Python take an underscore.
    matrix : sympy.Matrix, shape (n, n), or Form
        The closed form, symmetric; with samples the integrand of one sample. A metric tensor of EinsteinPy, indices
        down, stands for its components. Or any other form of `infogeom.symbolic.forms`.
    samples : Samples, optional
        Data and normalised weights, over which the matrix is averaged.
    domains : sequence of sympy.Set, optional
        Open domain of each coordinate; from the symbols' assumptions when omitted.
    constraints : sequence of sympy.Expr, optional
        What is positive inside the domain, besides.
    constants : sequence of sympy.Symbol, optional
        Further symbols that the matrix may hold (a mass, a number of trials); ``metric.with_constants(m=2)`` gives
        them numbers.
    observables : mapping of str to sympy.Expr or sympy.Matrix, optional
        Scalars and covectors averaged like the metric: ``loss``, ``ntk_trace``, ``score``.
    attributes : mapping of str to str, optional
        What the metric is, carried into every Dataset.
    form : Form, optional
        In place of matrix and samples. (``dataclasses.replace(metric, matrix=form)`` puts a form into a metric.)

    Attributes
    ----------
    matrix, samples
        Those of the form; None where it has no closed form, or no data.

    Raises
    ------
    TypeError, ValueError
        Without a matrix or a form; for a matrix of the wrong shape, not symmetric, or holding a symbol that is neither
        coordinate nor constant; for constraints that are no expressions.

    Notes
    -----
    A symbol is its name and its assumptions. ``g.matrix.subs({"sigma": 2})`` does nothing where σ is declared positive,
    since a name in quotes stands for a symbol without assumptions. Take the symbol from the metric:

    >>> import infogeom as ig
    >>> g = ig.symbolic.metric(ig.models.normal())
    >>> mu, sigma = g.coordinates
    >>> g.matrix.subs({sigma: 2})
    Matrix([
    [1/4,   0],
    [  0, 1/2]])
    """

    coordinates: Sequence[Symbol]
    matrix: ImmutableMatrix = None
    samples: Samples | None = None
    domains: Sequence[Set] = ()
    constraints: Sequence[Expr] = ()
    constants: Sequence[Symbol] = ()
    observables: Mapping[str, Expr] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    form: Form = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if not isinstance(self.coordinates, Iterable):
            raise TypeError(f"coordinates must be a sequence of sympy Symbols, got {self.coordinates!r}")
        coordinates, constants = tuple(map(exact, self.coordinates)), tuple(map(exact, self.constants))
        for c in coordinates:
            if not isinstance(c, Symbol):
                raise TypeError(f"coordinates must be sympy Symbols, got {c!r}")
            check_name(c.name, self.observables.keys() & QUANTITIES.keys())

        # Everything around the form first, exact and immutable: the form is read, and checked, in its light.
        observables = {name: exact(sympy.sympify(e)) for name, e in dict(self.observables).items()}
        given = self._given_form()
        domains = self.domains or [domain_of(c) for c in coordinates]
        given_constraints = sequence_of("constraints", self.constraints, Expr)
        constraints = tuple(as_expression("constraints", c) for c in given_constraints)
        self._set(coordinates=coordinates, domains=tuple(map(exact, domains)), constraints=constraints)
        self._set(constants=constants, observables=observables, attributes=dict(self.attributes))
        self._check()

        # The form, and what it says of the metric: where it has values, and its closed form if it has one.
        form = given.read(Place(coordinates, constants, self.region))
        if observables and form.matrix is None:
            raise TypeError(f"observables {[*observables]} are averaged like a matrix, and this metric is {form.told}")
        if form.samples and (shared := set(coordinates) & set(form.samples.symbols)):
            raise ValueError(f"coordinates must not be symbols of the data, got {sorted(map(str, shared))}")
        object.__setattr__(form, "stands", True)
        conditions = tuple(c for c in form.conditions if c not in self.constraints)
        self._set(constraints=constraints + conditions, form=form, matrix=form.matrix, samples=form.samples)

    def _set(self, **values: Any) -> None:
        """Give fields their values, which is for `__post_init__` alone."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _given_form(self) -> Form:
        """The form, or the closed form that stands in its place, by `dataclasses.replace` too."""
        form = self.matrix if isinstance(self.matrix, Form) else self.form
        if form is None and self.matrix is None:
            raise TypeError("matrix must be a sympy Matrix, its rows or a Form, got None")

        if self.matrix is None or form is self.matrix:
            if self.samples is not None and self.samples is not form.samples:
                raise TypeError(f"samples must be those of the form, which is {form.told}, got others beside it")
            return form

        # A metric's own form is given beside what takes its place; one that is new takes the place itself.
        own = form is not None and form.matrix is self.matrix and form.samples is self.samples
        new = form is not None and not form.stands
        return form if own or new else ClosedForm(self.matrix, self.samples)

    def _check(self) -> None:
        n = len(self.coordinates)
        if n == 0 or len(set(self.names)) < n:
            raise ValueError(f"coordinates must be different and at least one, got {list(self.names)}")
        if len(self.domains) != n:
            raise ValueError(f"domains must have one set per coordinate ({n}), got {self.domains}")
        if not all(isinstance(domain, sympy.Interval) for domain in self.domains):
            raise TypeError(f"domains must be sympy Intervals, got {self.domains}")

    @property
    def region(self) -> Region:
        """Where the metric is looked at when a zero decides."""
        return Region(dict(zip(self.coordinates, self.domains, strict=True)), self.constraints)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates, in order."""
        return tuple(c.name for c in self.coordinates)

    @property
    def written_out(self) -> Metric | None:
        """The metric in closed form, forms of such forms multiplied out; None where it has none.

        Examples
        --------
        >>> import infogeom as ig
        >>> g = ig.metric(ig.models.binomial(7))
        >>> twice = ig.Metric(g.coordinates, ig.symbolic.Scaled(g.form, 2))
        >>> twice.written_out.matrix
        Matrix([[14/(p*(1 - p))]])
        """
        return self if self.matrix is not None else self._multiplied_out

    @cached_property
    def _multiplied_out(self) -> Metric | None:
        form = self.form.written_out(self.coordinates)
        return replace(self, matrix=form) if form else None

    def expand(self) -> Metric:
        """Closed form without samples: the weighted mean written out.

        Data are read as the decimal fractions that they print as.

        Returns
        -------
        Metric
            The same metric with ``samples`` None, its matrix explicit in the coordinates.

        Raises
        ------
        ValueError
            For more than 20 samples, whose sum nobody would read.
        """
        if self.matrix is None:
            raise TypeError(f"expand writes out a mean over samples, and this metric is {self.form.told}")
        if self.samples is None:
            return self
        if len(self.samples) > MAX_EXPANDED_SAMPLES:
            raise ValueError(
                f"expand writes out at most {MAX_EXPANDED_SAMPLES} samples, got {len(self.samples)}; "
                "evaluate the metric on a grid instead"
            )
        weights = [1] * len(self.samples) if self.samples.equal else list(map(decimal, self.samples.weights))
        rows = [dict(zip(self.samples.symbols, map(decimal, row), strict=True)) for row in self.samples.data]

        def mean(e: Expr) -> Expr:
            terms = [w * e.xreplace(row) for w, row in zip(weights, rows, strict=True)]
            return sympy.Add(*terms) / sum(weights)

        def means(e: Any) -> Any:
            return e.applyfunc(mean) if isinstance(e, sympy.MatrixBase) else mean(e)

        observables = {name: means(e) for name, e in self.observables.items()}
        assert isinstance(self.form, ClosedForm)
        form = replace(self.form, matrix=means(self.matrix), samples=None)
        return replace(self, matrix=form, samples=None, observables=observables)

    def with_constants(self, /, **values: Any) -> Metric:
        """Metric with numbers for constants, given by their names.

        Those that are not named stay symbols. Floats are read as the decimal fractions that they print as.

        Raises
        ------
        TypeError, ValueError
            For names that are no constants of the metric, and values that their symbols cannot take.

        Examples
        --------
        >>> import sympy, infogeom as ig
        >>> r, m = sympy.symbols("r m", positive=True)
        >>> ig.Metric([r], [[1 / (1 - 2 * m / r)]], constants=[m]).with_constants(m=0.5).matrix
        Matrix([[1/(1 - 1/r)]])
        """
        known = constants_of("with_constants", values, self.constants)
        constraints = [condition.subs(known) for condition in self.constraints]
        observables = {name: e.subs(known) for name, e in self.observables.items()}
        attributes = dict(self.attributes) | {symbol.name: str(value) for symbol, value in known.items()}
        return replace(
            self,
            matrix=self.form.subs(known),
            constraints=constraints,
            constants=[symbol for symbol in self.constants if symbol not in known],
            observables=observables,
            attributes=attributes,
        )

    def __repr__(self) -> str:
        model, kind = self.attributes.get("model"), self.attributes.get("expectation")
        details = [", ".join(self.names)]
        if self.constants:
            details.append(f"constants {', '.join(symbol.name for symbol in self.constants)}")
        if self.samples:
            details.append(f"mean over {len(self.samples)} samples")
        if kind:
            details.append(f"by {kind}")
        return f"<Metric{f' of {model}' if model else ''}: {'; '.join(details)}>"

    def _repr_latex_(self) -> str:
        names = ", ".join(map(latex, self.coordinates))
        if self.samples is None:
            return rf"$\displaystyle g({names}) = {self.form.latex(self.coordinates)}$"
        n = len(self.samples)
        mean = rf"\frac{{1}}{{{n}}} \sum_{{n=1}}^{{{n}}}" if self.samples.equal else r"\sum_n w_n \,"
        if self.matrix is None:
            return rf"$\displaystyle g({names}) = {mean} {self.form.latex(self.coordinates)}$"
        factor, rest, legend = self._reading()
        return rf"$\displaystyle g({names}) = {mean} {factor} {rest}, \qquad {legend}$"

    def _reading(self) -> tuple[str, str, str]:
        """LaTeX of the integrand's common factor, of the remaining matrix, and of the symbols in them."""
        assert self.samples is not None
        matrix, legend = self._with_named_argument()
        if not self.samples.equal:
            legend.append(r"\sum_n w_n = 1")
        if any(s.name.startswith("xtilde") for s in self.samples.symbols):
            legend.append(r"\tilde{x}_n = (1 - 2\, \mathrm{target}_n)\, x_n")
        entries = [e for e in matrix if e != 0]
        factor = sympy.gcd_terms(sympy.gcd(entries)) if len(entries) > 1 else sympy.Integer(1)
        rest = matrix.applyfunc(lambda e: sympy.cancel(e / factor))
        reading = "" if factor == 1 else latex(self._indexed(factor))
        return reading, latex(self._indexed(rest)), r",\quad ".join(legend)

    def _with_named_argument(self) -> tuple[ImmutableMatrix, list[str]]:
        """Integrand with one symbol for the argument of its sigmoids, up to sign, and LaTeX that says what it is."""
        assert self.matrix is not None
        sigmas = sorted(self.matrix.atoms(expit), key=sympy.default_sort_key)
        if not sigmas:
            return self.matrix, []
        u = Symbol("u_n", real=True)
        arguments = [sigma.args[0] for sigma in sigmas]
        argument = min(arguments, key=Expr.could_extract_minus_sign)
        named = {sigma: expit(u) if sigma.args[0] == argument else expit(-u) for sigma in sigmas}
        matrix = self.matrix.xreplace(named)
        legend = [rf"u_n = {latex(sympy.factor_terms(self._indexed(argument)))}"]
        legend.append(r"\sigma(u) = \frac{1}{1 + e^{-u}}")
        if matrix.has(expit(-u)):
            legend.append(r"\bar\sigma(u) = \sigma(-u)")
        return matrix, legend

    def _indexed(self, expression: Any) -> Any:
        """Expression with the data's symbols as they are read: x̃ with the number of the sample and of the input."""
        assert self.samples is not None
        index = {}
        for symbol in self.samples.symbols:
            column = symbol.name.replace("xtilde_", "")
            index[symbol] = Symbol(rf"\tilde{{x}}_{{n{column}}}", real=True)
        return expression.xreplace(index)
