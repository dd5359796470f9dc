"""Sums over outcomes in ball arithmetic: the jet of an expectation over discrete laws, at rising precision.

Every outcome that counts at the precision at hand is summed, and what those further out may add widens the ball: beyond
the mode terms fall at least as fast as a geometric series, their own last ratio its quotient.  That is what is seen of
the last ones, with a margin, and no proof.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations_with_replacement, product, starmap
from typing import Any

import numpy as np
import sympy
from flint import arb
from numpy.typing import NDArray
from sympy import Expr, Symbol

from infogeom.kernels.balls.enclosures import MOST_BITS, Balls, Refined
from infogeom.kernels.codegen.program import Axes, Places, UnsupportedFunctionError, exact_source
from infogeom.kernels.curvature.jet import JET
from infogeom.kernels.expectations.integrals import EndlessSumError, Integral, integral_of
from infogeom.kernels.status import Status
from infogeom.models.law import Law
from infogeom.models.parameter import fractions
from infogeom.numeric.cubature import ends_of
from infogeom.numeric.joint import joint_of
from infogeom.symbolic import Expectation

__all__ = ["SumBalls", "exact_sums"]

Objects = NDArray[Any]  # of balls
#: Outcomes of a stretch of which all are taken.
TAKEN_WHOLE = 64
#: Outcomes on one side of the mode that are too many.
MOST_A_SIDE = 2_000
#: Ratio of neighbours in a tail beyond which it is too long.
SLOWEST_RATIO = 0.99
#: How much larger than it seems a tail may be.
TAIL_MARGIN = 16
#: Joint outcomes of several variables at most.
MOST_JOINTLY_IN_BALLS = 4096
#: Bits by which the last terms are smaller than the least of a ball's.
SPARE_BITS = 64
#: The probability of an outcome.
PROBABILITY = sympy.Dummy("p", positive=True)


@dataclass(frozen=True)
class Group:
    """Outcomes for which a law has one formula.

    Attributes
    ----------
    source : str
        Of ``rows(data)`` and ``point(x, rows)``, which sums over outcomes; constants that are data come first in x.
    at : mapping of str to ndarray of int
        Where g, dg, ddg and the probability p stand in what ``point`` returns.
    law : int
        Which of the metric's it belongs to.
    own : tuple of int
        Which coordinates that holds.
    copies : sympy.Expr or int
    outcomes : tuple of int, or of tuples of int
        A finite number of them, of several variables together; where there is a stretch, those left out of it.
    stretch : tuple of int or None, optional
        First and last outcome, None where there is none.
    """

    source: str
    at: Places
    law: int
    own: tuple[int, ...]
    copies: float
    outcomes: tuple[int, ...] | tuple[tuple[int, ...], ...]
    stretch: tuple[int | None, int | None] | None = None

    def value(self, functions: Mapping[str, Any], x: Sequence[arb], bits: int) -> Objects:
        """Components of the sum over them in so many bits."""
        return _Sum(self, functions, x, bits).value()


@dataclass(frozen=True, eq=False)
class SumBalls(Balls):
    """The jet of a metric that is a sum over outcomes, or an integral, in ball arithmetic."""

    groups: tuple[Group | Integral, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "groups": self.groups}

    @cached_property
    def _parts(self) -> list[Balls]:
        return [Balls(group.source, group.at, len(group.own), np.empty((0, 0))) for group in self.groups]

    def refine(self, x: Sequence[float], quantities: Collection[str], most: int = MOST_BITS) -> Refined:
        """Quantities at a point; nothing is said of one whose mass was not found."""
        try:
            return super().refine(x, quantities, most)
        except EndlessSumError:
            return Refined(Status.UNREFINED, {}, -1, np.full((self.n, self.n), np.nan))

    def _components(self, x: Sequence[arb], bits: int) -> Objects:
        total = np.array([arb(0)] * (self.n**2 + self.n**3 + self.n**4), dtype=object)
        masses: dict[int, arb] = {}
        for group, part in zip(self.groups, self._parts, strict=True):
            at = self._with_held([x[k] for k in group.own])
            sums = group.value(part._functions, at, bits)
            masses[group.law] = masses.get(group.law, arb(0)) + sums[group.at["p"][0]]
            for name, rank in JET.items():
                whole = total[self.at[name]].reshape((self.n,) * rank)
                own = sums[group.at[name]].reshape((len(group.own),) * rank)
                whole[np.ix_(*[group.own] * rank)] += arb(group.copies) * own
                total[self.at[name]] = whole.ravel()
        # Other modes than the one that was found show in the mass.
        missing = (abs(mass - 1).lower() for mass in masses.values())
        if any(m > arb(2) ** (-bits // 2) for m in missing):
            raise EndlessSumError
        return total


class _Sum:
    """One group's sum at a point: outwards from the mode, on both sides."""

    def __init__(self, group: Group, functions: Mapping[str, Any], x: Sequence[arb], bits: int) -> None:
        self._group, self._functions, self._x, self._bits = group, functions, x, bits
        self._first, self._last = group.stretch or (None, None)

    def value(self) -> Objects:
        """Components of the sum."""
        if not self._group.stretch:
            return self._terms(self._group.outcomes)
        if self._first is not None and self._last is not None and self._last - self._first < TAKEN_WHOLE:
            return self._terms(range(self._first, self._last + 1))
        start = self._mode()
        return self._side(start, self._last, 1) + self._side(start - 1, self._first, -1)

    def _terms(self, outcomes: Iterable[int | tuple[int, ...]]) -> Objects:
        """Components summed over outcomes."""
        left_out = self._group.outcomes if self._group.stretch else ()
        rows = self._functions["rows"](_row(k) for k in outcomes if k not in left_out)
        components = self._functions["point"](self._x, rows)
        return np.array(list(map(arb, components)), dtype=object)

    def _probability(self, k: int) -> arb:
        below, above = self._first is not None and k < self._first, self._last is not None and k > self._last
        return arb(-1) if below or above else self._terms([k])[self._group.at["p"][0]]

    def _mode(self) -> int:
        """An outcome than which none beside it is likelier, by steps that double and halve.

        From the beginning, or 0, on the side that rises: a step that leads higher is taken, and the next one is twice
        as long; one that does not is tried again half as long.
        """
        k = self._first if self._first is not None else 0
        while k in self._group.outcomes:
            k += 1
        height, direction, step = self._probability(k), 1, 1
        if self._probability(k - 1) > height:
            direction = -1
        while step:
            beyond = self._probability(k + direction * step)
            if beyond > height:
                k, height, step = k + direction * step, beyond, 2 * step
            else:
                step //= 2
        return k

    def _side(self, start: int, end: int | None, direction: int) -> Objects:
        """The sum from an outcome on outwards, what is left of it enclosed."""
        p = self._group.at["p"][0]
        total, k, step = self._terms([]), start, 16
        while abs(k - start) < MOST_A_SIDE:
            # A stretch of outcomes, each longer than the one before, up to the end of the support if it has one.
            stop = k + direction * step
            if end is not None and (stop - end) * direction > 0:
                return total + self._terms(range(k, end + direction, direction))
            total = total + self._terms(range(k, stop, direction))
            k, step = stop, min(2 * step, 256)

            # The next two terms tell whether the tail counts, and how fast it falls: a geometric series bounds it.
            last, beyond = self._terms([k]), self._terms([k + direction])
            ratio = (beyond[p] / last[p]).upper()
            if ratio < SLOWEST_RATIO and self._negligible([*last, *beyond], total):
                sizes, rest = abs(last) + abs(beyond), TAIL_MARGIN / (1 - ratio)
                return total + [arb(0, (size * rest).upper()) for size in sizes]
        raise EndlessSumError

    def _negligible(self, terms: Sequence[arb], total: Objects) -> bool:
        n, g = len(self._group.own), self._group.at["g"]
        diagonal = [abs(total[g[i * n + i]]).lower() for i in range(n)]
        least = min([*diagonal, arb(1)], key=float)
        return all(abs(t).upper() < arb(2) ** -(self._bits + SPARE_BITS) * least for t in terms)


def _row(outcome: int | tuple[int, ...]) -> list[arb]:
    """Data of an outcome: the value of each variable."""
    return [arb(outcome)] if isinstance(outcome, int) else list(map(arb, outcome))


# --- Sources ----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def exact_sums(form: Expectation, x: tuple[Symbol, ...]) -> SumBalls | None:
    """An expectation in ball arithmetic; None where that is not known how to be had."""
    if form.samples or not any(law.supports for law in form.laws):
        return None
    n = len(x)
    ends = np.cumsum([n**rank for rank in JET.values()])
    at = {name: np.arange(end - n**rank, end) for end, (name, rank) in zip(ends, JET.items(), strict=True)}
    try:
        groups = _groups(tuple(form.laws), x, tuple(form.held))
    except UnsupportedFunctionError:
        return None
    return SumBalls("", at, n, np.empty((0, 0)), held=fractions(form.held), groups=groups)


@lru_cache(maxsize=32)
def _groups(laws: tuple[Law, ...], x: tuple[Symbol, ...], held: tuple[Symbol, ...]) -> tuple[Group | Integral, ...]:
    """Those of all laws."""
    return tuple(group for k, law in enumerate(laws) for group in _groups_of(law, x, held, k))


def _groups_of(
    law: Law, coordinates: tuple[Symbol, ...], constants: tuple[Symbol, ...], number: int
) -> Iterator[Group | Integral]:
    """Outcomes of a law that share one formula, those of which it tells apart by cases each on its own."""
    continuous = [isinstance(support, sympy.Interval) for support in law.supports]
    if continuous == [True]:
        yield integral_of(law, _exact(law), coordinates, constants, number)
        return
    if any(continuous) or law.change:
        raise UnsupportedFunctionError(f"no ball version of a sum or an integral over {law.variables}")
    if len(law.variables) > 1:
        yield _joint_group(law, coordinates, constants, number)
        return
    (x,), (support,) = law.variables, law.supports
    finite = isinstance(support, sympy.FiniteSet)
    density = _exact(law).log_density
    held = [c for c in coordinates if density.has(c)]
    own, copies = tuple(coordinates.index(c) for c in held), float(law.copies)
    cases = _cases(density, x)
    apart = sorted(k for k in cases if k in support)
    for k in apart:
        yield Group(*_source(density.subs(x, k), [x], held, constants), number, own, copies, (k,))
    rest = density.xreplace({case: sympy.S(isinstance(case, sympy.Ne)) for case in density.atoms(sympy.Eq, sympy.Ne)})
    source, at = _source(rest, [x], held, constants)
    if finite:
        outcomes = [k for k in map(_integer, support) if k not in apart]
        yield Group(source, at, number, own, copies, tuple(outcomes))
    else:
        low, high = ends_of(support)
        first, last = int(low) if low.is_finite else None, int(high) if high.is_finite else None
        yield Group(source, at, number, own, copies, tuple(apart), (first, last))


def _exact(law: Law) -> Law:
    """The law without floats."""
    floats = set().union(*(e.atoms(sympy.Float) for e in law.expressions))
    numbers = {e: sympy.Rational(e) for e in floats}
    return law.written(lambda e: e.xreplace(numbers))


def _joint_group(law: Law, coordinates: tuple[Symbol, ...], constants: tuple[Symbol, ...], number: int) -> Group:
    """Joint outcomes of several variables, all by one formula."""
    outcomes = joint_of(law).outcomes
    density = _exact(law).log_density
    if len(outcomes) > MOST_JOINTLY_IN_BALLS:
        raise UnsupportedFunctionError(f"no ball version of a sum over {len(outcomes)} joint outcomes")
    if density.atoms(sympy.core.relational.Relational) or (outcomes != np.floor(outcomes)).any():
        raise UnsupportedFunctionError(f"no ball version of {density} at these outcomes")
    held = [c for c in coordinates if density.has(c)]
    own, copies = tuple(coordinates.index(c) for c in held), float(law.copies)
    rows = outcomes.astype(int).tolist()
    return Group(*_source(density, law.variables, held, constants), number, own, copies, tuple(map(tuple, rows)))


def _integer(k: Expr) -> int:
    if not k.is_Integer:
        raise UnsupportedFunctionError(f"no ball version of the outcome {k}, which is not an integer")
    return int(k)


def _cases(density: Expr, x: Symbol) -> set[int]:
    """Outcomes that a density tells apart by cases."""
    found = set()
    for case in density.atoms(sympy.core.relational.Relational):
        other = case.lhs - case.rhs - x
        if not isinstance(case, sympy.Eq | sympy.Ne) or (-other).is_Integer is not True:
            raise UnsupportedFunctionError(f"no ball version of the case {case}")
        found.add(int(-other))
    return found


def _source(
    density: Expr, x: Sequence[Symbol], held: Sequence[Symbol], constants: tuple[Symbol, ...]
) -> tuple[str, Places]:
    """Source of the sums over outcomes of products of derivatives, and of p.

    They are written in symbols for p and for the derivatives of ℓ up to second order, each of which is computed once.
    """
    n, standing = len(held), {PROBABILITY: sympy.exp(density)}
    known: dict[tuple[int, ...], Expr] = {(): density}
    symbols: dict[tuple[int, ...], Symbol] = {}
    for rank in (1, 2):
        for along in combinations_with_replacement(range(n), rank):
            known[along] = known[along[:-1]].diff(held[along[-1]])
            symbols[along] = sympy.Dummy(f"d{'_'.join(map(str, along))}", real=True)
            standing[symbols[along]] = known[along]
    expressions = {}
    for name, moment in _moments(symbols).items():
        expressions[name] = list(starmap(moment, product(range(n), repeat=JET[name])))
    expressions["p"] = [PROBABILITY]
    return exact_source(expressions, Axes(constants, tuple(held), tuple(x)), standing)


def _moments(symbols: Mapping[tuple[int, ...], Symbol]) -> dict[str, Callable[..., Expr]]:
    """What is summed for an entry of g, of ∂g and of what curvature needs of ∂∂g, by its indices.

    In symbols for p and the derivatives of ℓ, as `infogeom.kernels.expectations.moments` has it.
    """
    p = PROBABILITY

    def d(*along: int) -> Symbol:
        return symbols[tuple(sorted(along))]

    def a(i: int, j: int) -> Expr:
        return d(i, j) + d(i) * d(j) / 2

    def product_of_scores(i: int, j: int) -> Expr:
        return p * d(i) * d(j)

    def first(i: int, j: int, k: int) -> Expr:
        return p * (a(i, k) * d(j) + a(j, k) * d(i))

    def second(i: int, j: int, k: int, m: int) -> Expr:
        return p * (a(i, k) * a(j, m) + a(i, m) * a(j, k))

    return {"g": product_of_scores, "dg": first, "ddg": second}
