"""What the package says beside what the oracle knows: every disagreement, by case, quantity and kind.

Run it as ``python -m tests.oracle_report``; ``--help`` names the choices.
"""

from __future__ import annotations

import argparse
import re
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import flint
import numpy as np
import xarray as xr
from flint import arb

import infogeom as ig
from infogeom.quantities import QUANTITIES
from tests.oracle import FIRST, SECOND, SETTLED, Truth, told_from_zero, truth
from tests.oracle_balls import exact
from tests.oracle_cases import Case, roll_call

Array = np.ndarray[Any, np.dtype[Any]]
OK, REFINED, SINGULAR, OUT_OF_DOMAIN, OVERFLOW, UNREFINED, UNDEFINED = range(7)
#: What is said of a point that was given up: no wrong number, but work left.
NAN_LEFT, LEFT = "nan at status 5", "left at status 5"
#: Relative error that every value is right to.
RTOL = 1e-9
EPS, TINY = float(np.finfo(float).eps), float(np.finfo(float).tiny)
#: By how much a stated error may be exceeded.
ALLOWANCE = 2
PLAIN = ("metric", "inverse_metric", "determinant")
CURVED = (*FIRST, *SECOND)
READ_OFF = ("log10_ricci_scalar", "ricci_scalar_sign", "metric_rank", "null_directions")
OBSERVED = ("loss", "ntk_trace")
#: What a singular metric has, and by what else the truth about the others is known.
DEFINED = ("metric", "determinant", "fisher_trace")
KNOWN_BY = dict(zip(READ_OFF, ("ricci_scalar", "ricci_scalar", "determinant", "determinant"), strict=True))


@dataclass(frozen=True)
class Fault:
    """A value that is not what it should be; ``factor``: how many times what is allowed."""

    case: str
    quantity: str
    kind: str
    point: tuple[float, ...]
    status: int
    value: float
    true: float
    factor: float
    alone: bool

    def __str__(self) -> str:
        at = ", ".join(f"{x:.6g}" for x in self.point)
        return f"({at}) status {self.status} got {self.value:.10g} for {self.true:.10g}, {self.factor:.3g} times"


@dataclass(frozen=True)
class Said:
    """What the package says of a quantity at a point, with bounds entry by entry if it has any.

    ``alone``: nothing else was asked for there.
    """

    value: Array
    status: int
    error: Array | None
    alone: bool


# --- One value --------------------------------------------------------------------------------------------------------


def judge(quantity: str, known: Truth, said: Said) -> Iterator[tuple[str, float]]:
    """Kinds of fault of one value, each with its factor."""
    value, status, error = said.value, said.status, said.error
    with flint.ctx.workprec(256):
        largest = known.largest
        beyond = largest > exact(np.finfo(float).max) or (not known.vanishes and largest < exact(TINY))
        if status in (SINGULAR, OUT_OF_DOMAIN, OVERFLOW, UNDEFINED):
            if said.alone and not (status == OVERFLOW and beyond):
                yield f"status {status} at a regular point", np.inf
            return
        if not np.isfinite(value).all():
            yield (NAN_LEFT if status == UNREFINED else "nan or inf without status"), np.inf
            return
        apart = np.asarray(exactly(value) - known.values, object)
        off = known.measure(apart)
        floor = exact(TINY) if known.units is None else known.measure(np.full(value.shape, exact(TINY), object))
        limit = exact(RTOL) * known.size + floor
        if status != UNREFINED and off > limit:
            yield "beyond rtol", float(off / limit)
        if error is not None:
            told = known.vanishes and not value.any()  # as of a vacuum; the bound is what float64 knows without that
            yield from _bound(apart, known, floor, UNREFINED if told else status, error)
        if quantity == "riemann" and (value != -value.swapaxes(-1, -2)).any():
            yield "not antisymmetric", float(abs(value + value.swapaxes(-1, -2)).max() / abs(value).max() / EPS)


def _bound(apart: Array, known: Truth, floor: arb, status: int, error: Array) -> Iterator[tuple[str, float]]:
    if not np.isfinite(error).all():
        if status != UNREFINED:
            yield "no bound", np.inf
        return
    stated, most = np.asarray(exactly(np.broadcast_to(error, apart.shape)), object), 0.0
    left = known.terms * arb(2) ** -SETTLED + exact(TINY)  # of the oracle's own differences
    for off, bound, true in zip(apart.ravel(), stated.ravel(), known.values.ravel(), strict=True):
        if abs(off) > ALLOWANCE * bound + exact(EPS) * abs(true) + left:
            most = max(most, float(abs(off) / bound) if bound > 0 else np.inf)
    if most:
        yield "bound too small", most
    wide = known.measure(stated)
    if status in (OK, REFINED) and wide > exact(RTOL * (1 + 1e-6)) * known.size + floor:
        yield "bound beyond rtol", float(wide / (exact(RTOL) * known.size))


def exactly(a: Array) -> Array:
    """The numbers that float64's are, as balls."""
    return np.array([exact(v) for v in np.ravel(a)], object).reshape(np.shape(a))


def judge_read_off(quantity: str, known: Truth, n: int, said: Said) -> Iterator[tuple[str, float]]:
    """The same for what is read off R and g: ``known`` is R for the first two, the determinant for the others."""
    value, status = said.value, said.status
    if status in (SINGULAR, OUT_OF_DOMAIN, OVERFLOW, UNDEFINED):
        yield f"status {status} at a regular point", np.inf
        return
    if not np.isfinite(value).all() and not known.vanishes:
        yield (NAN_LEFT if status == UNREFINED else "nan or inf without status"), np.inf
    elif quantity == "metric_rank" and value != n and status != UNREFINED:
        yield "wrong rank", np.inf
    elif quantity == "null_directions" and value.any():
        yield "null directions at a regular point", np.inf
    elif quantity == "ricci_scalar_sign" and status != UNREFINED:
        sign = 0 if known.vanishes else int(known.values[()].sgn().mid().unique_fmpz())
        if value != sign:
            yield "wrong sign", np.inf
    elif quantity == "log10_ricci_scalar" and status != UNREFINED and not known.vanishes:
        right = abs(known.values[()]).log() / arb(10).log()
        off = abs(exact(float(value)) - right) / (exact(RTOL) * max(arb(1), abs(right)))
        if off > 1:
            yield "beyond rtol", float(off.mid())


def judge_singular(quantity: str, rank: int, said: Said, metric: Truth | None) -> Iterator[str]:
    """Kinds of fault at a point where the metric has a null direction."""
    value = said.value
    if said.status != SINGULAR:
        yield f"status {said.status} at a singular point"
    elif quantity == "metric_rank" and value != rank:
        yield "wrong rank"
    elif quantity == "null_directions" and metric:
        n = len(value)
        right = np.allclose(value @ value.T, np.diag(np.arange(n) < n - rank), atol=RTOL)
        g = np.vectorize(float, otypes=[float])(metric.values)
        if not right or np.abs(g @ value.T).max() > RTOL * np.abs(g).max():
            yield "wrong null directions"
    elif quantity not in READ_OFF and not np.isnan(value).all():
        yield "values at a singular point"


# --- One case ---------------------------------------------------------------------------------------------------------


def evaluated(case: Case, points: Array, quantities: Sequence[str]) -> xr.Dataset:
    """Quantities at points, with those bounds that can be asked for."""
    errors = [f"{q}_error" for q in quantities if f"{q}_error" in QUANTITIES]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ig.StatusWarning)
        return ig.grid.evaluate_points(case.subject, points, (*quantities, *errors), rtol=RTOL)


class Truths:
    """The oracle's answers, each asked for once."""

    def __init__(self, case: Case, points: Array) -> None:
        self.case, self.points = case, points
        self.held: list[dict[str, Truth]] = [{} for _ in points]
        self.asked: list[set[str]] = [set() for _ in points]
        self.small: dict[int, Truth] = {}

    @property
    def unsettled(self) -> int:
        """How often the oracle had no answer."""
        return sum(len(asked) - len(held) for asked, held in zip(self.asked, self.held, strict=True))

    def __call__(self, k: int, quantity: str) -> Truth | None:
        if quantity not in self.asked[k]:
            together = next((group for group in (PLAIN, CURVED) if quantity in group), (quantity,))
            self.held[k] |= truth(self.case.field, self.points[k], together)
            self.asked[k] |= {*together}
        return self.held[k].get(quantity)

    def read_off(self, k: int, quantity: str, value: Array) -> Truth | None:
        """What a quantity is read off; its logarithm and sign show R far below the terms that cancel in it.

        A sign that is said to be one is looked for in eight times as many bits.
        """
        known = self(k, KNOWN_BY[quantity])
        line = self.case.field.n == 1  # which is flat
        if known is None or KNOWN_BY[quantity] != "ricci_scalar" or not known.vanishes or line:
            return known
        if k not in self.small:
            said = bool(np.isfinite(value)) if quantity == "log10_ricci_scalar" else value != 0
            self.small[k] = told_from_zero(self.case.field, self.points[k], 3 if said else 0) or known
        return self.small[k]


def faults(case: Case, points: Array, quantities: Sequence[str], truths: Truths, *, together: bool) -> list[Fault]:
    """All that is wrong, each quantity asked for alone or all at once; what the oracle cannot settle is left out."""
    found: list[Fault] = []
    for asked in [tuple(quantities)] if together else [(q,) for q in quantities]:
        ds = evaluated(case, points, asked)
        for q in asked:
            error = ds[f"{q}_error"].values if f"{q}_error" in ds else [None] * len(points)
            said = zip(ds[q].values, ds.status.values, error, strict=True)
            for k, (value, status, bound) in enumerate(said):
                found += _faults_at(case, truths, k, q, Said(value, int(status), bound, len(asked) == 1))
    return found


def _faults_at(case: Case, truths: Truths, k: int, q: str, said: Said) -> Iterator[Fault]:
    point, status, told = tuple(map(float, truths.points[k])), said.status, float(np.max(said.value))
    if case.rank is not None and q not in DEFINED:
        for kind in judge_singular(q, case.rank, said, truths(k, "metric")):
            yield Fault(case.name, q, kind, point, status, told, case.rank, np.inf, said.alone)
        return
    if case.rank is not None and status == SINGULAR:  # what a singular metric has is to be right
        said = replace(said, status=OK)
    if case.kind == "closed" and status == UNREFINED and said.alone:
        yield Fault(case.name, q, LEFT, point, status, told, np.nan, np.inf, said.alone)
    known = truths.read_off(k, q, said.value) if q in READ_OFF else truths(k, q)
    if known is None:
        return
    if case.rank is not None and q == "determinant":  # of data that are decimals, not what these round to
        known = replace(known, values=np.array(arb(0), object))
    if q not in READ_OFF:
        kinds = judge(q, known, said)
    else:
        kinds = judge_read_off(q, known, len(point), said) if said.alone else iter(())
    true = np.vectorize(float, otypes=[float])(known.values).ravel()
    worst = _worst(said.value.ravel(), true, known.units)
    for kind, factor in kinds:
        value = float(said.value.ravel()[worst])
        yield Fault(case.name, q, kind, point, status, value, float(true[worst % len(true)]), factor, said.alone)


def _worst(value: Array, true: Array, units: Array | None) -> int:
    """Component that is shown: the first that is nan, or else the one that errs most."""
    if len(value) != len(true):
        return 0
    scale = 1.0 if units is None else np.vectorize(float, otypes=[float])(units).ravel()
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        off = (value - true) / scale
    return int(np.argmax(np.where(np.isnan(off), np.inf, np.abs(off))))


def quantities_of(case: Case, names: Sequence[str]) -> list[str]:
    """Those that can be asked of a case."""
    network = bool(case.field.observables)
    return [q for q in names if q not in OBSERVED or network]


# --- The table --------------------------------------------------------------------------------------------------------


def table(found: Sequence[Fault], examples: int = 1) -> str:
    """Faults counted by case, quantity and kind, the worst of each written out."""
    groups: dict[tuple[str, str, str], list[Fault]] = {}
    for fault in found:
        groups.setdefault((fault.case, fault.quantity, fault.kind + ("" if fault.alone else ", together")), []).append(
            fault
        )
    lines = []
    for (case, quantity, kind), members in sorted(groups.items()):
        worst = sorted(members, key=lambda f: -f.factor)[:examples]
        lines += [f"{case:34s} {quantity:19s} {kind:34s} {len(members):5d}  {one}" for one in worst]
    return "\n".join(lines)


def arguments_of(argv: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", default=".", help="regular expression of names")
    parser.add_argument("--kinds", default="closed,sum,quadrature")
    parser.add_argument("--quantities", default=",".join((*PLAIN, "fisher_trace", *CURVED, *READ_OFF, *OBSERVED)))
    parser.add_argument("--points", type=int, default=100, help="of what takes no derivative")
    parser.add_argument("--curved", type=int, default=None, help="points of what takes derivatives; as many if omitted")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--together", action="store_true", help="all quantities at once besides each alone")
    parser.add_argument("--examples", type=int, default=1, help="points written out of each kind")
    parser.add_argument("--list", action="store_true", help="names of the cases")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Print a table as it grows."""
    arguments = arguments_of(argv)
    chosen = [c for c in roll_call() if re.search(arguments.cases, c.name) and c.kind in arguments.kinds.split(",")]
    counts: Counter[str] = Counter()
    for case in chosen:
        if arguments.list:
            print(f"{case.name:40s} {case.kind}")
            continue
        start = time.process_time()
        truths = Truths(case, case.points(arguments.points, arguments.seed))
        found = _of_case(case, truths, arguments)
        counts.update(f"{fault.quantity}: {fault.kind}" for fault in found)
        seconds = time.process_time() - start
        print(f"--- {case.name}: {len(found)} faults, {truths.unsettled} unsettled, {seconds:.1f} s", flush=True)
        if found:
            print(table(found, arguments.examples), flush=True)
    print("\n".join(f"{count:8d} {kind}" for kind, count in counts.most_common()))
    return int(bool(counts))


def _of_case(case: Case, truths: Truths, arguments: argparse.Namespace) -> list[Fault]:
    names = quantities_of(case, arguments.quantities.split(","))
    found, curved = [], truths.points[: arguments.curved]
    for q in names:
        where = truths.points if q in (*PLAIN, "fisher_trace", *OBSERVED) else curved
        found += _attempted(case, where, [q], truths, False)
    if arguments.together:
        found += _attempted(case, curved, [q for q in names if q not in READ_OFF], truths, True)
    return found


def _attempted(case: Case, points: Array, names: list[str], truths: Truths, together: bool) -> list[Fault]:
    """Faults; what raises is one itself."""
    try:
        return faults(case, points, names, truths, together=together)
    except (ValueError, TypeError, ArithmeticError, NotImplementedError) as error:
        words = f"raises {type(error).__name__}: {str(error)[:80]}"
        return [Fault(case.name, ",".join(names)[:19], words, (), -1, np.nan, np.nan, np.inf, True)]


if __name__ == "__main__":
    raise SystemExit(main())
