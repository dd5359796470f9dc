"""How far float64 may err in evaluating an expression, as an expression of its own.

Every expression e has a *majorant* M ≥ |e|, what it becomes when nothing in it cancels, and a *count* c of roundings:
to first order the computed value is within c · u · M of e (Higham, Accuracy and Stability of Numerical Algorithms,
2002, Ch. 3).  Coordinates and data are exact, constants that are held as data are rounded once.  A product adds the
counts of its factors, a sum takes the largest; a function of an inexact argument magnifies what it gets by its
condition.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import sympy
from sympy import Abs, Expr, Symbol

from infogeom.functions.facts import ELEMENTARY, Growth
from infogeom.functions.primitive import Primitive
from infogeom.functions.registry import facts_of, functions_that
from infogeom.kernels.codegen.cases import borders
from infogeom.kernels.codegen.underflow import lost
from infogeom.kernels.curvature.loops import UNIT
from infogeom.models.parameter import Held

__all__ = ["DEPTH", "ERRORS", "SPREAD", "WEIGHT", "SampleErrors", "jet_errors", "rounding"]

#: Relative error of one operation in sums over samples, which average over the errors of theirs: another 1/4 of `UNIT`.
SAMPLE_UNIT = UNIT / 4
#: What one rounding counts that nothing averages out, in roundings.
SINGLE_ROUNDING = 16
#: What a constant counts of which nothing is left, in roundings.
NOTHING_LEFT = 2**57
#: A constant that is smaller may have lost digits to underflow.
SMALL_CONSTANT = 1e-290


@lru_cache(maxsize=65536)
def rounding(e: Expr) -> tuple[Expr, Expr]:
    """Majorant of an expression and the count of its roundings."""
    if not e.free_symbols:
        if e.is_zero or abs(e) > SMALL_CONSTANT:
            return Abs(e), sympy.Integer(0 if _exact(e) else 1)
        return sympy.Float(SMALL_CONSTANT), sympy.Integer(NOTHING_LEFT)
    if e.is_Symbol:
        return Abs(e), sympy.Integer(isinstance(e, Held))
    if e.is_Add or e.is_Mul:
        majorants, counts = _each(e.args)
        combined = largest if e.is_Add else sympy.Add
        return e.func(*majorants), combined(*counts) + len(counts) - 1
    if e.is_Pow and e.base is not sympy.E and not e.exp.free_symbols:
        return _power(e.base, e.exp)
    if isinstance(e, sympy.Piecewise):
        return _taken(e)
    if facts_of(e.func).exponential or (e.is_Pow and e.base is sympy.E):
        u = e.exp if e.is_Pow else e.args[0]
        majorant, count = rounding(u)
        # Exponentials of a sum over the axes are products of several.
        return e, count * majorant + ELEMENTARY * (1 + len(sympy.Add.make_args(u)))
    return _function(e)


def _each(expressions: Sequence[Expr]) -> tuple[list[Expr], list[Expr]]:
    """Majorants of expressions, and counts."""
    majorants, counts = [], []
    for e in expressions:
        majorant, count = rounding(e)
        majorants.append(majorant)
        counts.append(count)
    return majorants, counts


def _power(base: Expr, exponent: Expr) -> tuple[Expr, Expr]:
    majorant, count = rounding(base)
    if exponent.is_Integer and exponent > 0:
        return majorant**exponent, exponent * count + exponent - 1
    # δ|b|^p = p |b|^p δb/b, and δb/b is as large as the cancellation in b.
    size = abs(exponent)
    count = size * count + size + ELEMENTARY
    if not (exponent.is_Rational and _exact(exponent)):  # its own rounding, which averages out with nothing
        count += SINGLE_ROUNDING * size * Abs(sympy.log(Abs(base)))
    return Abs(base) ** exponent * (majorant / Abs(base)), count


def _function(e: Expr) -> tuple[Expr, Expr]:
    majorant, arguments = Abs(e), e.args
    if isinstance(e, Primitive):
        majorant, arguments = majorant + e.beside_zero(), e.operands
    count: Expr = sympy.Integer(facts_of(e.func).roundings)
    for argument in arguments:
        size, errors = rounding(argument)
        if errors != 0:
            majorant, count = majorant + _slope(e, argument) * size, largest(count, errors)
    return majorant, count


def _taken(e: Expr) -> tuple[Expr, Expr]:
    """Estimates of the case taken; beside a border of which float64 is not certain with the jump to the others."""
    values, conditions = zip(*e.args, strict=True)
    majorants, counts = _each(values)
    majorant = sympy.Piecewise(*zip(majorants, conditions, strict=True))
    count = sympy.Piecewise(*zip(counts, conditions, strict=True))
    jumps = [Abs(one - other) for one, other in combinations(values, 2)]
    jump = sympy.Add(*jumps)
    for border in borders(conditions):
        if rounding(border.lhs)[1] == 0 == rounding(border.rhs)[1]:
            continue  # compared as they are
        size, errors = rounding(border.lhs - border.rhs)
        majorant, count = majorant + jump * size / Abs(border.lhs - border.rhs), largest(count, errors)
    return majorant, count


def _slope(e: Expr, argument: Expr) -> Expr:
    """How much an error of an argument changes a function at most."""
    if isinstance(e, sympy.sign):
        return 2 / Abs(argument)  # it jumps by 2 if the error reaches 0, and is constant else
    slot = sympy.Dummy("u", real=True)
    return Abs(e.xreplace({argument: slot}).diff(slot).xreplace({slot: argument}))


def largest(*counts: Expr) -> Expr:
    """The least sum of terms that is no smaller than any of the counts, all terms being positive."""
    terms: dict[Expr, Expr] = {}
    for count in counts:
        for term in sympy.Add.make_args(sympy.expand(count)):
            coefficient, rest = term.as_coeff_Mul()
            terms[rest] = max(coefficient, terms.get(rest, coefficient))
    return sympy.Add(*(coefficient * rest for rest, coefficient in terms.items()))


def _exact(e: Expr) -> bool:
    return bool(e.is_Rational) and sympy.Rational(float(e)) == e


# --- The jet of a metric ----------------------------------------------------------------------------------------------

#: Parts of a jet.
DERIVATIVES = ("g", "dg", "ddg")
#: Names of the bounds on the errors of the jet.
ERRORS = (*(f"{name}_error" for name in DERIVATIVES), "factor_error")
#: The weight of a sample, at most 1, a factor of its entries.
WEIGHT = Symbol("weight", real=True)
#: Roundings of an entry on its way into the frame: a multiplication and an addition, the usual case of several.
CONTRACTION = 2
#: How large the data of a sample are, compared with the largest of their columns.
SPREAD = Symbol("spread", nonnegative=True)
#: Roundings in a sum over the samples.
DEPTH = Symbol("depth", positive=True)

#: The parts of a jet, and observables, by name.
Entries = Mapping[str, Sequence[Expr]]


def jet_errors(jet: Entries) -> dict[str, list[Expr]]:
    """Estimated errors of the entries of a jet without samples, as they go into the frame; and of observables."""
    below = lost(e for entries in jet.values() for e in entries)
    bounds: dict[Expr, Expr] = {}
    errors = {}
    for name, entries in jet.items():
        for e in entries:
            if e not in bounds:
                bounds[e] = _bound(*rounding(e), below)
        errors[f"{name}_error"] = [bounds[e] for e in entries]
    return errors | {"factor_error": [sympy.Integer(0)] * (round(len(jet["g"]) ** 0.5) + 1)}


def _bound(majorant: Expr, count: Expr, below: Expr) -> Expr:
    return (count + CONTRACTION) * UNIT * majorant + below if majorant != 0 else majorant


class _Entry(NamedTuple):
    """Majorant of an entry, factor · rest with at most factor = number · Xᵃ Yᵇ and the rest of one degree in s."""

    number: Expr
    powers: Expr
    degree: int
    rest: Expr
    count: Expr


class SampleErrors:
    """Estimated errors of a jet whose entries are sums over samples.

    Terms err as in `jet_errors`, and their sum by roundings of its own.  The kernel of the jet takes sums of majorants
    along, and the bounds follow from these, from the counts at a point and from the largest of the data: they cost no
    pass over the samples of their own.

    With X_k the largest |x_k| of all samples and the spread s_n = max_k |x_nk| / X_k, a majorant |x_n|ᵃ |y_n|ᵇ m_n is
    at most Xᵃ Yᵇ s_nᵃ⁺ᵇ m_n, and the count of its roundings is a polynomial in s_n: entries that differ by powers of
    the data share their sums Σ_n w_n s_nᵏ m_n.

    Where g is the mean of h_n x_n x_nᵀ and ∂g that of h′_n x_n x_n x_n, the errors of h and h′ are not magnified by the
    condition of g, as those of the products and sums are: in the frame the mean of h_n x_n x_nᵀ is the identity,
    whatever the data.  They are kept apart as ``factor_error``: first that of W = Eᵀ g E − 1, then what times
    Σ_a |E_ia|, summed over i, bounds that of Γ, with |x_n| ≤ Σ_ia |E_ia| X_i s_n in the frame and the mean of
    |h′_n| s_n / h_n for all.  Powers of s are averaged with the weights of ∂g, and Σ_n h_n s_n² lies between
    Σ_k g_kk / X_k² and an n-th of it.

    Attributes
    ----------
    largest : dict of Symbol to Symbol
        X_k of every sample symbol.
    sizes : dict of Expr to Symbol
        The sums, by the term of one sample.
    counts : dict of Symbol to Expr
        Coefficients of the powers of s in the counts, in terms of the coordinates and of X.
    errors : dict of str to list of Expr
        The bounds, in terms of sizes, counts, X and `DEPTH`.
    """

    def __init__(self, jet: Entries, samples: Sequence[Symbol]) -> None:
        self.largest = {s: Symbol(f"largest_{k}", positive=True) for k, s in enumerate(samples)}
        self.sizes: dict[Expr, Symbol] = {}
        self.counts: dict[Symbol, Expr] = {}

        # Entries first, for whether all of them have one factor in common decides how each is bounded.
        entries = {name: self._entries(jet[name]) for name in jet}
        self._lost = self._below(jet)
        n = round(len(jet["g"]) ** 0.5)
        outer = self._is_outer_product(entries["g"], n)
        apart = self._apart(entries, jet["g"], n) if outer else []
        self.errors = {"factor_error": apart or [sympy.Integer(0)] * (n + 1)}

        # One polynomial in the spread for all entries of a tensor, so that they share their sums over the samples.
        for name in jet:
            error = f"{name}_error"
            count = largest(sympy.Integer(0), *(e.count for e in entries[name]))
            powers = {} if apart and name in DERIVATIVES else self._powers(count, error)
            total = self._spread_of(jet["g"], n) if outer and name == "g" else None
            self.errors[error] = [self._bound(entry, powers, total) for entry in entries[name]]

    def _entries(self, expressions: Sequence[Expr]) -> list[_Entry]:
        return [self._entry(*rounding(e)) for e in expressions]

    def _entry(self, majorant: Expr, count: Expr) -> _Entry:
        """Split a majorant; a count that is no polynomial in the spread goes into it."""
        bounded = functions_that(lambda facts: facts.growth is Growth.BOUNDED)
        data = set(self.largest)

        # Data are X times the spread, and functions of data that are at most 1 stay out of the polynomial as 1.
        functions = {f: sympy.Dummy(positive=True) for f in count.atoms(*bounded) if f.free_symbols & data}
        scaled = count.xreplace(functions).xreplace({s: SPREAD * most for s, most in self.largest.items()})
        if scaled.is_polynomial(SPREAD, *functions.values()):
            scaled = scaled.xreplace({f: sympy.Integer(1) for f in functions.values()})
        else:
            majorant, scaled = majorant * count, sympy.Integer(1)

        # Numbers and powers of the data come in front; what is left has the powers of the spread that go with those.
        number, powers, degree, rest = sympy.Integer(1), sympy.Integer(1), 0, sympy.Integer(1)
        for power in sympy.Mul.make_args(majorant):
            base, exponent = power.as_base_exp()
            most = self.largest.get(base.args[0] if isinstance(base, sympy.Abs) else base)
            if most is not None and exponent.is_Integer and exponent.is_positive:
                powers, degree = powers * most**exponent, degree + int(exponent)
            elif power.is_Number:
                number *= power
            else:
                rest *= power
        return _Entry(number, powers, degree, rest, scaled)

    def _below(self, jet: Entries) -> Expr:
        """What is lost below float64, with the largest data or, where functions of data are large too, in the sum."""
        of_sample = lost(e.xreplace({WEIGHT: sympy.Integer(1)}) for entries in jet.values() for e in entries)
        of_all = of_sample.xreplace({Abs(s): most for s, most in self.largest.items()})
        if of_all.free_symbols & {*self.largest}:
            return self._sum(of_sample)
        below = Symbol("count_below", positive=True)
        self.counts[below] = of_all
        return below

    def _is_outer_product(self, g: Sequence[_Entry], n: int) -> bool:
        """Whether g_ij = h x_i x_j with one h for all, as far as majorants tell."""
        x = [sympy.sqrt(g[i * n + i].powers) for i in range(n)]
        same = len({(e.number, e.degree, e.rest) for e in g}) == 1 and set(x) == set(self.largest.values())
        products = [x[i] * x[j] for i in range(n) for j in range(n)]
        return same and [e.powers for e in g] == products

    def _apart(self, entries: Mapping[str, Sequence[_Entry]], g: Sequence[Expr], n: int) -> list[Expr]:
        """The errors of h and h′ where g_ij = h x_i x_j and ∂_k g_ij = h′ x_i x_j x_k; empty elsewhere."""
        x = [sympy.sqrt(entries["g"][i * n + i].powers) for i in range(n)]
        slopes = [xx.powers * x[k] for xx in entries["g"] for k in range(n)]
        same = len({(e.number, e.degree, e.rest) for e in entries["dg"]}) == 1
        if not same or [e.powers for e in entries["dg"]] != slopes or entries["ddg"]:
            return []
        slope = entries["dg"][0]
        h = self._counted(entries["g"][0], "h", slope)
        h_prime = self._counted(slope, "h_prime", slope)
        of_gamma = SAMPLE_UNIT * n * slope.number / 2 * h_prime / (self._spread_of(g, n) / n)
        of_metric = SAMPLE_UNIT * n * h / self._size(slope)
        return [of_metric] + [of_gamma * X for X in x]

    def _counted(self, entry: _Entry, name: str, slope: _Entry) -> Expr:
        """The sum of the sizes of ∂g by the count of roundings in a factor, h or h′."""
        count = self._entry(*rounding(entry.rest)).count
        powers = self._powers(count, name)
        return sympy.Add(*(coefficient * self._size(slope, k) for k, coefficient in powers.items()))

    def _spread_of(self, g: Sequence[Expr], n: int) -> Expr:
        """Σ_k g_kk / X_k², which is the sum of h s² or up to n times as much."""
        sizes = [self._sum(g[i * n + i]) for i in range(n)]
        return sympy.Add(*(size / X**2 for size, X in zip(sizes, self.largest.values(), strict=True)))

    def _powers(self, count: Expr, name: str) -> dict[int, Symbol]:
        """Symbols of the coefficients of the spread's powers in a count."""
        terms = sympy.Poly(count, SPREAD).as_dict()
        powers = {k: Symbol(f"count_{name}_{k}", positive=True) for (k,) in terms}
        self.counts |= {powers[k]: coefficient for (k,), coefficient in terms.items()}
        return powers

    def _size(self, entry: _Entry, k: int = 0) -> Symbol:
        """The sum of an entry's rest, with k more powers of the spread."""
        return self._sum(entry.rest * SPREAD ** (entry.degree + k))

    def _sum(self, term: Expr) -> Symbol:
        return self.sizes.setdefault(term, Symbol(f"size_{len(self.sizes)}", nonnegative=True))

    def _bound(self, entry: _Entry, powers: Mapping[int, Symbol], total: Expr | None) -> Expr:
        if entry.number == 0:
            return entry.number
        if total is None:
            total = entry.number * self._size(entry)
            terms = [count * entry.number * self._size(entry, k) for k, count in powers.items()]
        else:  # the spread is at most 1
            terms = [count * total for count in powers.values()]
        return SAMPLE_UNIT * entry.powers * sympy.Add((DEPTH + entry.degree + CONTRACTION) * total, *terms) + self._lost
