"""What is found out about families, and how it prints: each of them in full, and all in a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from queue import SimpleQueue

import loky
import sympy
from sympy import Expr
from tqdm import tqdm

from infogeom.catalogue.facts import closed_curvature, is_hessian, witnesses_against
from infogeom.catalogue.words import LEFT_OPEN, answer, cut, domain, domain_latex, matrix, or_open, outcomes, readable
from infogeom.formulas import latex
from infogeom.models.by_name import family, named
from infogeom.models.model import Model
from infogeom.numeric.worker import Worker
from infogeom.symbolic import Metric
from infogeom.symbolic.definition import points_of
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.fisher import metric as fisher_metric
from infogeom.symbolic.normal_form import normal_form
from infogeom.symbolic.structures.kept import in_numbers
from infogeom.symbolic.tensors import is_product_of_lines
from infogeom.tables import aligned, as_latex, as_markdown, as_text

__all__ = ["Catalogue", "Entry", "entries", "entry", "lines", "table"]

#: Operations of the metric and of its inverse, times parameters, up to which R is sought for a table: some seconds.
IN_A_TABLE = 1000
#: Operations of the same up to which R is sought for one family alone: a minute.
ALONE = 2000
#: What symbols of known constants stand at where numbers are needed.
SOME = sympy.Integer(3)
#: Characters of R and of the metric in a table.
LETTERS = (26, 60)
#: Characters of the domain in a table.
WIDEST = 40
#: How numbers come, by what `Metric.attributes` call it.
COMES_BY = {
    "parts": "by those of its parts",
    "pfaffian": "by Pfaffians",
    "quadrature": "by quadrature",
    "saddle point": "at a saddle point",
    "sum": "by summation",
    "transfer": "by transfer matrices",
}
HEADINGS = ("family", "parameters", "Hessian", "curvature", "R", "metric")


# --- What is found out about one --------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False, repr=False)
class Entry:
    """A family and its geometry; prints as text and, in a notebook, as formulas.

    Attributes
    ----------
    name : str
        As `infogeom.models.family` takes it.
    model : Model
    metric : Metric or None
        In closed form; None where the expectations do not close.
    ricci_scalar : sympy.Expr or None
        In closed form; None where it is left open, as too long.
    hessian : bool or None
        Whether ∂_k g_ij is totally symmetric in these coordinates; None where that is not known.
    constant_curvature, flat : bool or None
        Of every section, at every point.
    expectation : str
        By what a metric without a closed form gets its numbers: "quadrature", "sum", "transfer"; empty where there is
        a closed form, or no way.

    Examples
    --------
    >>> import infogeom as ig
    >>> entry = ig.catalogue.entry("normal")
    >>> entry.constant_curvature, entry.flat
    (True, False)
    """

    name: str
    model: Model
    metric: Metric | None
    ricci_scalar: Expr | None
    hessian: bool | None
    constant_curvature: bool | None
    flat: bool | None
    expectation: str = ""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names, in order."""
        return tuple(p.name for p in self.model.parameters)

    @property
    def numbers(self) -> str:
        """How a metric without closed form gets its numbers, in words; empty for a closed form."""
        return "" if self.metric is not None else COMES_BY.get(self.expectation, LEFT_OPEN)

    @property
    def curvature(self) -> str:
        """In a word."""
        if self.flat:
            return "flat"
        if self.constant_curvature is not None:
            return "constant" if self.constant_curvature else "varies"
        return LEFT_OPEN if self.flat is None else "not flat"

    def __repr__(self) -> str:
        return f"{self.name}\n\n" + as_text(list(self._facts()))

    def _facts(self) -> Iterator[tuple[str, str]]:
        model = self.model
        yield "law", model.name
        yield "log-density", str(model.log_density)
        if model.constants:
            yield "constants", ", ".join(f"{symbol} = {value}" for symbol, value in model.constants.items())
        if model.supports:
            yield "outcomes", ", ".join(outcomes(model))
        yield "domain", domain(model)
        yield "typical", ", ".join(f"{p.name} {p.typical[0]:g} to {p.typical[1]:g}" for p in model.parameters)
        yield "metric", self.numbers or matrix(self.metric)
        yield "R", self.numbers or or_open(self.ricci_scalar)
        yield "curvature", self.curvature
        yield "Hessian", answer(self.hessian)
        if model.source:
            yield "source", model.source

    def latex(self) -> str:
        """Law, log-density, domain, metric and R as the lines of an aligned formula."""
        model = self.model
        law = model._repr_latex_().strip("$").removeprefix(r"\displaystyle").strip()
        left, _, right = law.partition(" = ")
        lines = [rf"{left} &= {right}", rf"&\quad {domain_latex(model)}"]
        if "=" in model.latex or r"\sim" in model.latex:
            lines.insert(0, rf"&\quad {model.latex}")
        elif model.latex:
            variables = ", ".join(map(latex, model.variables))
            lines.insert(0, rf"{variables} &\sim {model.latex}")
        if self.metric is None:
            lines.append(rf"g &\quad \text{{{self.numbers}}}")
        else:
            open_ = self.ricci_scalar is None
            lines.append(rf"g &= {latex(self.metric.matrix)}")
            lines.append(r"R &\quad \text{open}" if open_ else rf"R &= {latex(self.ricci_scalar)}")
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"


def entry(model: Model | str, *, name: str | None = None, operations: float = ALONE) -> Entry:
    """What is found out about a model.

    Parameters
    ----------
    model : Model or str
        A model, or a family as `infogeom.models.family` takes it.
    name : str, optional
        What to call it.
    operations : float
        Of the metric, and of its inverse, times the number of parameters, up to which a closed form of R is sought.

    Raises
    ------
    TypeError, ValueError
        For what is no model, an unknown family, and a model on data, whose metric has no closed form.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.catalogue.entry("exponential").ricci_scalar
    0
    """
    given = family(model) if isinstance(model, str) else model
    if not isinstance(given, Model):
        raise TypeError(f"model must be a Model or the name of a family, got {type(model).__name__}")
    if given.samples:
        raise ValueError(f"the metric of {given.name!r} is a mean over its data; infogeom.grid.evaluate shows it")
    with Worker() as worker:
        return _entry(name or (model if isinstance(model, str) else given.name), given, operations, worker)


def _entry(name: str, model: Model, operations: float, worker: Worker) -> Entry:
    try:
        metric, hessian, constant, flat = worker.run(None, _known_at_once, model)
    except OpenExpectationError:
        expectation, natural = worker.run(None, _known_of_numbers, model)
        return Entry(name, model, None, None, natural or None, None, None, expectation)
    R, proven = worker.run(None, closed_curvature, metric, operations)
    if R is None:
        return Entry(name, model, metric, None, hessian, constant, flat)
    constant = proven if constant is None else constant
    return Entry(name, model, metric, R, hessian, constant, R == 0 if constant else flat)


def _known_at_once(model: Model) -> tuple[Metric, bool | None, bool | None, bool | None]:
    """Metric; whether it is Hessian, of constant curvature, flat, as far as that can be told without R."""
    metric = fisher_metric(model)
    symbols = [p.symbol for p in model.parameters]
    typical = [p.typical for p in model.parameters]
    given = points_of(symbols, typical, set(metric.constants))
    points = [tuple(point[symbol] for symbol in symbols) for point in given]

    # Numbers need some for the constants, too. A Hessian in a writing of its own is left in it.
    form = metric.form.subs(dict.fromkeys(metric.constants, SOME))
    numeric = replace(metric, matrix=form, constants=())
    if not form.natural:
        numeric = replace(numeric, matrix=numeric.matrix.applyfunc(normal_form))
    if is_product_of_lines(metric):
        return metric, is_hessian(numeric, points[0]), True, True
    uneven, curved = witnesses_against(numeric, points)
    constant = False if uneven else None
    flat = False if curved else None
    return metric, is_hessian(numeric, points[0]), constant, flat


def _known_of_numbers(model: Model) -> tuple[str, bool]:
    """By what numbers come where there is no closed form, if they do; and whether the metric is known to be Hessian."""
    constants = {}
    for symbol, value in model.constants.items():
        constants[symbol] = value.subs(dict.fromkeys(value.free_symbols, SOME))
    try:
        metric = in_numbers(replace(model, constants=constants))
    except OpenExpectationError:
        return "", False
    return metric.attributes["expectation"], metric.form.natural


# --- Many of them -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Catalogue:
    """Table of families; prints as text and, in a notebook, with formulas.

    Attributes
    ----------
    rows : tuple of Entry

    Examples
    --------
    >>> import infogeom as ig
    >>> [row.name for row in ig.catalogue.table(["bernoulli", "poisson"]).rows]
    ['bernoulli', 'poisson']
    """

    rows: tuple[Entry, ...]

    def __repr__(self) -> str:
        widths = _widths((row.name, row.model) for row in self.rows)
        cells = [HEADINGS, *map(_cells, self.rows)]
        return "\n".join(aligned(line, widths) for line in cells)

    def _repr_markdown_(self) -> str:
        return as_markdown([HEADINGS, *map(_formulas, self.rows)])

    def latex(self) -> str:
        """Tabular environment, one line a family."""
        return as_latex([HEADINGS, *map(_formulas, self.rows)])


def table(chosen: Sequence[str] | None = None, *, operations: float = IN_A_TABLE) -> Catalogue:
    """Families with their parameters, metric and curvature.

    Parameters
    ----------
    chosen : sequence of str, optional
        Families as `infogeom.models.family` takes them; all of them when omitted.
    operations : float
        Of the metric, and of its inverse, times the number of parameters, up to which a closed form of R is sought:
        2,000 leave out what takes more than a minute.

    Raises
    ------
    ValueError
        For an unknown family.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.catalogue.table(["poisson", "normal"])
    family   parameters          Hessian  curvature  R   metric
    poisson  rate > 0            yes      flat       0   1/rate
    normal   mu real, sigma > 0  no       constant   -1  diag(sigma**(-2), 2/sigma**2)
    """
    return Catalogue(tuple(entries(named(chosen), operations=operations)))


def entries(built: Sequence[tuple[str, Model]], *, operations: float = IN_A_TABLE) -> Iterator[Entry]:
    """What is found out about models, each with its name, in their order and as soon as it is known.

    Examples
    --------
    >>> import infogeom as ig
    >>> [entry.flat for entry in ig.catalogue.entries([("poisson", ig.models.poisson())])]
    [True]
    """
    count = min(loky.cpu_count(), len(built)) or 1
    idle: SimpleQueue[Worker] = SimpleQueue()

    def found(name: str, model: Model) -> Entry:
        worker = idle.get()
        try:
            return _entry(name, model, operations, worker)
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(count) as pool, ExitStack() as stack:
        for _ in range(count):
            idle.put(stack.enter_context(Worker()))
        futures = [pool.submit(found, *one) for one in built]
        try:
            for future in tqdm(futures, desc="families", delay=2, leave=False, disable=None):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def lines(operations: float = IN_A_TABLE) -> Iterator[str]:
    """The table of all families, line by line as it is found.

    Examples
    --------
    >>> import infogeom as ig
    >>> next(ig.catalogue.lines()).split()[:2]
    ['family', 'parameters']
    """
    built = named()
    widths = _widths(built)
    yield aligned(HEADINGS, widths)
    for row in entries(built, operations=operations):
        yield aligned(_cells(row), widths)


def _widths(built: Iterable[tuple[str, Model]]) -> list[int]:
    """Widths of the columns, known before any metric is."""
    family, parameters, hessian, curvature, *_ = map(len, HEADINGS)
    for name, model in built:
        family = max(family, len(name))
        parameters = max(parameters, len(cut(domain(model), WIDEST)))
    return [family, parameters, hessian, curvature, *LETTERS]


def _cells(row: Entry) -> tuple[str, ...]:
    R = cut(row.numbers or or_open(row.ricci_scalar), LETTERS[0])
    g = cut(row.numbers or matrix(row.metric), LETTERS[1])
    return row.name, cut(domain(row.model), WIDEST), answer(row.hessian), row.curvature, R, g


def _formulas(row: Entry) -> tuple[str, ...]:
    R = row.numbers or (LEFT_OPEN if row.ricci_scalar is None else readable(row.ricci_scalar))
    g = row.numbers if row.metric is None else readable(row.metric.matrix)
    return row.name, f"${domain_latex(row.model)}$", answer(row.hessian), row.curvature, R, g
