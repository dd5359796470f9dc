"""The one value that every model's geometry starts from: coordinates, a matrix of expressions, and perhaps samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray
from sympy import Expr, ImmutableMatrix, Set, Symbol

from infogeom.arguments import decimal, exact
from infogeom.formulas import latex
from infogeom.functions import expit
from infogeom.models.model import Samples, domain_of
from infogeom.models.names import check_name
from infogeom.quantities import QUANTITIES
from infogeom.symbolic.cumulants import Cumulants
from infogeom.symbolic.law import Law
from infogeom.symbolic.matrix_entries import real_where_possible, rows_of, symmetric
from infogeom.symbolic.zero import Region

__all__ = ["Metric"]

MAX_EXPANDED_SAMPLES = 20


@dataclass(frozen=True, eq=False)
class Metric:
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
        In order; their names are ASCII identifiers and become the axes of grids.
    matrix : sympy.Matrix, shape (n, n)
        Symmetric. With samples it is the integrand of one sample, and the metric is its weighted mean. A metric tensor
        of EinsteinPy, indices down, stands for its components.
    samples : Samples, optional
        Data and normalised weights.
    laws : sequence of Law, optional
        Independent laws of one variable each, over which the matrix, products of their scores, is to be averaged where
        no closed form is known.
    domains : sequence of sympy.Set, optional
        Open domain of each coordinate; from the symbols' assumptions when omitted.
    constraints : sequence of sympy.Expr, optional
        What is positive inside the domain, besides.
    constants : sequence of sympy.Symbol, optional
        Further symbols that the matrix may hold (a mass, a number of trials). They take values where the matrix does,
        ``dataclasses.replace(metric, matrix=metric.matrix.subs(m, 2))``.
    observables : mapping of str to sympy.Expr, optional
        Scalars averaged like the metric: ``loss``, ``ntk_trace``.
    attributes : mapping of str to str, optional
        What the metric is, carried into every Dataset.
    states : ndarray, shape (S, n), optional
        The statistics of every state of an exponential family in natural parameters, over which, centred, their
        products are averaged.
    cumulants : Cumulants, optional
        Of the sufficient statistics of an exponential family, in any coordinates: R then takes no derivative.

    Raises
    ------
    TypeError, ValueError
        For a matrix of the wrong shape, not symmetric, or holding a symbol that is neither coordinate nor constant.

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
    matrix: ImmutableMatrix
    samples: Samples | None = None
    laws: Sequence[Law] = ()
    domains: Sequence[Set] = ()
    constraints: Sequence[Expr] = ()
    constants: Sequence[Symbol] = ()
    observables: Mapping[str, Expr] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    states: NDArray[np.float64] | None = None
    cumulants: Cumulants | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.coordinates, Iterable):
            raise TypeError(f"coordinates must be a sequence of sympy Symbols, got {self.coordinates!r}")
        coordinates = tuple(self.coordinates)
        for c in coordinates:
            if not isinstance(c, Symbol):
                raise TypeError(f"coordinates must be sympy Symbols, got {c!r}")
            check_name(c.name, self.observables.keys() & QUANTITIES.keys())
        matrix = rows_of(self.matrix, coordinates)
        # Matrices over laws come from densities that are exact; what is long in them is cut on purpose.
        entries = matrix if self.laws else exact(matrix).applyfunc(real_where_possible)
        observables = {name: exact(sympy.sympify(e)) for name, e in dict(self.observables).items()}
        for name, value in (
            ("coordinates", coordinates),
            ("matrix", entries),
            ("domains", tuple(map(exact, self.domains or [domain_of(c) for c in coordinates]))),
            ("laws", tuple(self.laws)),
            ("constraints", tuple(exact(sympy.sympify(c)) for c in self.constraints)),
            ("constants", tuple(self.constants)),
            ("observables", observables),
            ("attributes", dict(self.attributes)),
        ):
            object.__setattr__(self, name, value)
        self._check(rounded=matrix.has(sympy.Float))

    def _check(self, *, rounded: bool) -> None:
        n = len(self.coordinates)
        if n == 0 or len(set(self.names)) < n:
            raise ValueError(f"coordinates must be different and at least one, got {list(self.names)}")
        if self.matrix.shape != (n, n):
            raise ValueError(
                f"matrix must have shape ({n}, {n}) for coordinates {list(self.names)}, got {self.matrix.shape}"
            )
        if len(self.domains) != n:
            raise ValueError(f"domains must have one set per coordinate ({n}), got {self.domains}")
        if not all(isinstance(domain, sympy.Interval) for domain in self.domains):
            raise TypeError(f"domains must be sympy Intervals, got {self.domains}")
        if self.matrix.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I):
            raise ValueError(f"matrix must hold real, finite expressions, got {self.matrix}")
        self._check_symbols()
        object.__setattr__(self, "matrix", symmetric(self.matrix, self.region, rounded=rounded))
        if self.cumulants and self.cumulants.second.shape != (n, n):
            raise ValueError(f"cumulants must be of {n} statistics, got {self.cumulants.second.rows}")

    def _check_symbols(self) -> None:
        """Raise for symbols that are neither coordinates nor constants nor of the data."""
        known = {*self.coordinates, *self.constants, *(self.samples.symbols if self.samples else ())}
        known |= {v for law in self.laws for v in law.variables}
        foreign = sorted(self.matrix.free_symbols - known, key=str)
        namesakes = {s.name: s for s in known}
        for s in (s for s in foreign if s.name in namesakes):
            told, other = sympy.srepr(namesakes[s.name]), sympy.srepr(s)
            raise ValueError(
                f"matrix must hold {told} itself, got {other}, another symbol of that name for its other assumptions "
                "(a name in quotes is a symbol without any)"
            )
        if foreign:
            raise ValueError(
                f"matrix may hold no symbols but its coordinates {list(self.names)}, got {[s.name for s in foreign]}; "
                "declare known constants as Metric(..., constants=[...])"
            )

    @property
    def region(self) -> Region:
        """Where the metric is looked at when a zero decides."""
        return Region(dict(zip(self.coordinates, self.domains, strict=True)), self.constraints)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coordinates, in order."""
        return tuple(c.name for c in self.coordinates)

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
        if self.samples is None:
            return self
        if len(self.samples) > MAX_EXPANDED_SAMPLES:
            raise ValueError(
                f"expand writes out at most {MAX_EXPANDED_SAMPLES} samples, got {len(self.samples)}; "
                "evaluate the metric on a grid instead"
            )
        weights = [1 if self._equal_weights else decimal(w) for w in self.samples.weights]
        rows = [dict(zip(self.samples.symbols, map(decimal, row), strict=True)) for row in self.samples.data]

        def mean(e: Expr) -> Expr:
            return sympy.Add(*(w * e.xreplace(row) for w, row in zip(weights, rows, strict=True))) / sum(weights)

        observables = {name: mean(e) for name, e in self.observables.items()}
        return replace(self, matrix=self.matrix.applyfunc(mean), samples=None, observables=observables)

    @property
    def _equal_weights(self) -> bool:
        return self.samples is not None and bool(np.all(self.samples.weights == self.samples.weights[0]))

    def _repr_latex_(self) -> str:
        names = ", ".join(map(latex, self.coordinates))
        expected = r"\mathrm{E}\," if self.laws else ""
        if self.samples is None:
            return rf"$\displaystyle g({names}) = {expected} {latex(self.matrix)}$"
        n = len(self.samples)
        mean = rf"\frac{{1}}{{{n}}} \sum_{{n=1}}^{{{n}}}" if self._equal_weights else r"\sum_n w_n \,"
        factor, rest, legend = self._reading()
        return rf"$\displaystyle g({names}) = {mean} {expected} {factor} {rest}, \qquad {legend}$"

    def _reading(self) -> tuple[str, str, str]:
        """LaTeX of the integrand's common factor, of the remaining matrix, and of the symbols in them."""
        assert self.samples is not None
        sigmas = sorted(self.matrix.atoms(expit), key=sympy.default_sort_key)
        u, legend = Symbol("u_n", real=True), []
        matrix = self.matrix
        if sigmas:
            argument = min((s.args[0] for s in sigmas), key=lambda a: a.could_extract_minus_sign())
            matrix = matrix.xreplace({s: expit(u if s.args[0] == argument else -u) for s in sigmas})
            legend = [rf"u_n = {latex(sympy.factor_terms(self._indexed(argument)))}"]
            legend.append(r"\sigma(u) = \frac{1}{1 + e^{-u}}")
            legend += [r"\bar\sigma(u) = \sigma(-u)"] if matrix.has(expit(-u)) else []
        if not self._equal_weights:
            legend.append(r"\sum_n w_n = 1")
        if any(s.name.startswith("xtilde") for s in self.samples.symbols):
            legend.append(r"\tilde{x}_n = (1 - 2\, \mathrm{target}_n)\, x_n")
        entries = [e for e in matrix if e != 0]
        factor = sympy.gcd_terms(sympy.gcd(entries)) if len(entries) > 1 else sympy.Integer(1)
        rest = matrix.applyfunc(lambda e: sympy.cancel(e / factor))
        reading = "" if factor == 1 else latex(self._indexed(factor))
        return reading, latex(self._indexed(rest)), r",\quad ".join(legend)

    def _indexed(self, expression: Any) -> Any:
        assert self.samples is not None
        names = [s.name.replace("xtilde_", "") for s in self.samples.symbols]
        index = {
            s: Symbol(rf"\tilde{{x}}_{{n{a}}}", real=True) for s, a in zip(self.samples.symbols, names, strict=True)
        }
        return expression.xreplace(index)
