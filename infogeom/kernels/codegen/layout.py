"""Layout of straight-line code as loops over the points of a tile and over the samples.

Every line is filed under what it depends on, a subset of {p, v, n} (outer point, inner point, sample), and written into
the outermost loop where that is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from sympy import Symbol

from infogeom.kernels.codegen.lines import INNER, INNERMOST, OUTER, SAMPLE, Kinds, Line, Program, fused, lone_products

__all__ = ["BLOCK", "UNROLL", "Axes", "NodeAxes", "write_loops", "write_nodes", "write_point"]

#: Samples per block: each block is summed on its own, which bounds table memory and rounding alike.
BLOCK = 256
#: Samples that one pass of the innermost loop adds up, which saves loads and stores of the sums; sample counts are
#: padded to a multiple of it with samples of weight 0.
UNROLL = 4


@dataclass(frozen=True)
class Axes:
    """Which coordinates run along the outer points and which along the inner ones, the per-sample symbols, and others.

    These are ``held``, the same at all points and samples: each a row behind the outer coordinates.
    """

    outer: tuple[Symbol, ...]
    inner: tuple[Symbol, ...]
    sample: tuple[Symbol, ...] = ()
    held: tuple[Symbol, ...] = ()

    def kinds(self) -> dict[Symbol, Kinds]:
        """What each symbol depends on.  Without outer coordinates there is nothing to hoist, and points stand alone."""
        inner = frozenset({INNER}) if self.outer else INNERMOST
        kinds = dict.fromkeys(self.outer, frozenset({OUTER}))
        kinds |= dict.fromkeys(self.inner, inner) | dict.fromkeys(self.held, frozenset())
        return kinds | dict.fromkeys(self.sample, frozenset({SAMPLE}))

    def positional(self) -> dict[Symbol, Symbol]:
        """Symbols named by position."""
        names = {}
        for symbols, letter in ((self.outer, "q"), (self.inner, "r"), (self.sample, "x"), (self.held, "h")):
            for k, symbol in enumerate(symbols):
                names[symbol] = Symbol(f"{letter}{k}", real=True)
        return names


class NodeAxes(Axes):
    """Axes where every outer point has inner points of its own: nothing is the same along the inner axis for all."""

    def kinds(self) -> dict[Symbol, Kinds]:
        """What each symbol depends on."""
        return dict.fromkeys(self.outer, frozenset({OUTER})) | dict.fromkeys(self.inner, INNERMOST)


def write_loops(program: Program, axes: Axes) -> str:
    """Source of ``tile(outer, inner, data, out)`` and ``exponents(outer, inner, data, along_outer, along_inner)``."""
    writer = _Writer(fused(program), axes)
    writer.tile()
    writer.exponents()
    return "\n".join(writer.text) + "\n"


def write_nodes(program: Program, axes: NodeAxes) -> str:
    """Source of ``nodes(outer, inner, out)``, which fills out (P, results, V) at inner points (variables, P, V)."""
    writer = _NodeWriter(program, axes)
    writer.nodes()
    return "\n".join(writer.text) + "\n"


def write_point(program: Program, axes: Axes) -> str:
    """Source of ``rows(data)`` and ``point(x, rows)``: the same lines for one point, in whatever arithmetic.

    ``x`` holds the outer coordinates, what is held, and the inner coordinates. ``rows`` yields for each sample what no
    point changes; results are summed over the samples.
    """
    lines = program.needed(program.results)
    start = ["def point(x, rows):"]
    for k, symbol in enumerate(axes.outer + axes.held + axes.inner):
        start.append(f"    {symbol.name} = x[{k}]")
    start += _indented(1, [line for line in lines if SAMPLE not in program.depends[line.name]])
    if not axes.sample:
        start.append(f"    return [{', '.join(program.results)}]")
        return "\n".join(start) + "\n"

    # What no point changes is computed once for each sample, and of it what is read later is kept.
    once = [line for line in lines if program.depends[line.name] == {SAMPLE}]
    each = [line for line in lines if program.depends[line.name] > {SAMPLE}]
    read = set(program.results)
    for line in each:
        read.update(line.operands)
    columns = [symbol.name for symbol in axes.sample]
    names = columns + [line.name for line in once]
    kept = ", ".join([name for name in names if name in read] or names[:1])
    rows = ["def rows(data):"]
    rows += _indented(1, [line for line in lines if not program.depends[line.name]])
    rows.append(f"    for {', '.join(columns)}, in data:")
    rows += _indented(2, once)
    rows += [f"        yield {kept},", "", ""]

    totals = [f"sum_{k}" for k in range(len(program.results))]
    sums = _each("    {0} = 0", totals)
    sums.append(f"    for {kept}, in rows:")
    sums += _indented(2, each)
    for total, result in zip(totals, program.results, strict=True):
        sums.append(f"        {total} = {total} + {result}")
    sums.append(f"    return [{', '.join(totals)}]")
    return "\n".join(rows + start + sums) + "\n"


def _each(form: str, names: Iterable[str]) -> list[str]:
    """A form with each of the names in its place."""
    return [form.format(name) for name in names]


def _indented(depth: int, lines: Iterable[Line | str]) -> list[str]:
    """Text of lines."""
    texts = []
    for line in lines:
        text = line.written() if isinstance(line, Line) else line
        texts.append("    " * depth + text)
    return texts


class _Writer:
    """Loops in the making.

    Outermost stand blocks of samples, so that tables stay small and sums short; then points, samples, and the inner
    axis, along which the innermost loop vectorises.  What that loop reads from outside is a scalar where it is the same
    along the inner axis, and a row of a table where it is not.  Functions that are called keep a loop from vectorising:
    they fill rows in loops of their own, before all the rest.

    Attributes
    ----------
    read : list of str
        What the innermost loop reads from outside it.
    tables, outside : list of str
        Of that, what varies along the inner axis and what does not.
    calls : list of list of str
        Names that rows are filled with, a loop for each list.
    lone : dict of str to tuple of str
        Factors of products that nothing but the sum over the samples takes.
    """

    def __init__(self, program: Program, axes: Axes) -> None:
        self.program, self.axes = program, axes
        self.text: list[str] = []
        read, outer = set(program.results), []
        for line in program.needed(program.results):
            if program.depends[line.name] >= INNERMOST:
                read.update(line.operands)
            else:
                outer.append(line.name)
        self.read = [name for name in outer if name in read]
        self.tables = [name for name in self.read if INNER in program.depends[name]]
        self.outside = [name for name in self.read if INNER not in program.depends[name]]
        self.calls = program.calls()
        self.lone = {name: factors for name, factors in lone_products(program).items() if name not in self.read}

    def write(self, depth: int, lines: Iterable[Line | str]) -> None:
        self.text += _indented(depth, lines)

    def loads(self, kind: str, index: str) -> list[Line]:
        """Assignments of the symbols of one kind, from their arrays."""
        symbols, array = {
            OUTER: (self.axes.outer, "outer"),
            INNER: (self.axes.inner, "inner"),
            SAMPLE: (self.axes.sample, "data"),
        }[kind]
        return [Line(symbol.name, f"{array}[{k}, {index}]") for k, symbol in enumerate(symbols)]

    def held(self) -> list[Line]:
        """Assignments of the symbols that are the same everywhere."""
        first = len(self.axes.outer)
        return [Line(symbol.name, f"outer[{first + k}, 0]") for k, symbol in enumerate(self.axes.held)]

    def assignments(self, targets: Iterable[str], where: Callable[[Kinds], bool]) -> list[Line]:
        """Lines that lead to the targets, out of those whose dependences are ``where``."""
        return [line for line in self.program.needed(targets) if where(self.program.depends[line.name])]

    def tile(self) -> None:
        """Source of ``tile``: tables first, then, block by block, the loops over points, samples and the inner axis."""
        self.write(0, ["def tile(outer, inner, data, out):"])
        self.write(1, ["P, V = out.shape[1], out.shape[2]"])
        self.write(1, self.held() + self.assignments(self.program.results, lambda d: not d))
        plain = self.table(1, frozenset({INNER}))
        copies = UNROLL if self.axes.sample else 0
        self.write(1, self.of_copies("row_{0} = empty(V)", list(chain(*self.calls)), copies))
        if not copies:
            self.points(1, plain)
            self.innermost(2, plain)
            return

        # Blocks are summed on their own and then added to the output, which keeps the roundings of a sum few.
        self.write(1, ["N = data.shape[1]", "out[:] = 0.0", f"total = empty(({len(self.program.results)}, V))"])
        self.write(1, [f"for start in range(0, N, {BLOCK}):", f"    B = min({BLOCK}, N - start)"])
        tables = self.table(2, frozenset({INNER, SAMPLE}))
        self.points(2, plain)
        self.write(3, ["total[:] = 0.0", f"for b in range(0, B, {UNROLL}):"])
        outside = self.assignments(self.outside, lambda d: SAMPLE in d)
        for copy in range(UNROLL):
            self.write(4, self.copied(self.loads(SAMPLE, f"start + b + {copy}"), copy))
            self.write(4, [f"row_{self.named(name, copy)} = table_{name}[b + {copy}]" for name in tables])
            self.write(4, self.copied(outside, copy))
        self.innermost(4, plain + tables, copies)
        self.write(3, ["for c in range(out.shape[0]):", "    for v in range(V):"])
        self.write(5, ["out[c, p, v] += total[c, v]"])

    def named(self, name: str, copy: int) -> str:
        """A name that depends on the sample marked as of its copy, any other as it is."""
        return f"{name}_{copy}" if SAMPLE in self.program.depends.get(name, ()) else name

    def copied(self, lines: Iterable[Line], copy: int) -> list[str]:
        """Lines as they are for one of the samples of a pass."""
        return [line.written(lambda name: self.named(name, copy)) for line in lines]

    def unrolled(self, lines: Sequence[Line], copies: int) -> list[str]:
        """Lines for as many samples, what no sample changes once; as they are for none."""
        text: dict[str, None] = {}
        for copy in range(copies or 1):
            text |= dict.fromkeys(self.copied(lines, copy))
        return list(text)

    def of_copies(self, form: str, names: Sequence[str], copies: int) -> list[str]:
        """A form with each of the names in its place, for as many samples."""
        places = [(name, copy) for copy in range(copies or 1) for name in names]
        return list(dict.fromkeys(form.format(self.named(*place)) for place in places))

    def points(self, depth: int, plain: Sequence[str]) -> None:
        """Open the loop over the outer points."""
        self.write(depth, ["for p in range(P):"])
        lines = self.loads(OUTER, "p") + self.assignments(self.outside, lambda d: d == {OUTER})
        self.write(depth + 1, lines)
        self.write(depth + 1, _each("row_{0} = table_{0}", plain))

    def table(self, depth: int, kinds: Kinds) -> list[str]:
        """Fill tables of what the innermost loop reads with exactly these dependences, and name them."""
        names = [name for name in self.tables if self.program.depends[name] == kinds]
        if not names:
            return []
        sampled = SAMPLE in kinds
        shape, at = ("(B, V)", "b, v") if sampled else ("V", "v")
        self.write(depth, _each(f"table_{{0}} = empty({shape})", names))
        if sampled:
            self.write(depth, ["for b in range(B):"])
            depth += 1
            self.write(depth, self.loads(SAMPLE, "start + b") + self.assignments(names, lambda d: d == {SAMPLE}))
        self.write(depth, ["for v in range(V):"])
        self.write(depth + 1, self.loads(INNER, "v") + self.assignments(names, lambda d: INNER in d))
        self.write(depth + 1, _each(f"table_{{0}}[{at}] = {{0}}", names))
        return names

    def innermost(self, depth: int, rows: Sequence[str], copies: int = 0) -> None:
        """Loops over the inner axis: calls of functions, which fill rows, then all results in one that vectorises.

        With copies, results are added up over as many samples; without, stored.
        """
        rows = list(rows)
        for names in self.calls:
            self.loop(depth, rows, names, copies)
            self.write(depth + 1, self.of_copies("row_{0}[v] = {0}", names, copies))
            rows += names
        lone = self.lone if copies else {}  # sums over samples take the factors of products
        terms = [lone.get(r, (r,)) for r in self.program.results]
        self.loop(depth, rows, chain(*terms), copies)
        for c, term in enumerate(terms):
            total = f"total[{c}, v]"
            line = f"{total} = {self.plus(total, term, copies)}" if copies else f"{self.place_of(c)} = {term[0]}"
            self.write(depth + 1, [line])

    def place_of(self, result: int) -> str:
        """Where a result of a point goes."""
        return f"out[{result}, p, v]"

    def loop(self, depth: int, rows: Sequence[str], targets: Iterable[str], copies: int) -> None:
        """Open a loop over the inner axis, with the lines that lead to the targets from rows."""
        used = set(targets)
        lines = self.program.needed(used, known=set(rows).union(self.read))
        for line in lines:
            used.update(line.operands)
        reads = [Line(name, "row_{0}[v]", (name,)) for name in rows if name in used]
        self.write(depth, ["for v in range(V):"])
        self.write(depth + 1, self.loads(INNER, "v"))
        self.write(depth + 1, self.unrolled(reads + lines, copies))

    def plus(self, total: str, term: Sequence[str], copies: int) -> str:
        """A total with as many copies of a term, a name or the two factors of a product, added to it."""
        for copy in range(copies):
            text = ", ".join(self.named(name, copy) for name in term)
            total = f"fma({text}, {total})" if len(term) == 2 else f"{total} + {text}"
        return total

    def exponents(self) -> None:
        """Largest absolute exponent at each outer and at each inner point, one loop nest for each kind of exponent."""
        self.write(0, ["", "", "def exponents(outer, inner, data, along_outer, along_inner):"])
        self.write(1, self.held())
        self.write(1, ["along_outer[:] = 0.0", "along_inner[:] = 0.0"])
        kinds_of = {e: self.program.depends.get(e, frozenset()) for e in self.program.exponents}
        for kinds in sorted(map(sorted, set(kinds_of.values()))):
            self.nest(kinds, [e for e in kinds_of if sorted(kinds_of[e]) == kinds])

    def nest(self, kinds: Sequence[str], exponents: Sequence[str]) -> None:
        """Loops over what some exponents depend on, with the largest of them at each point of the outermost."""
        arrays = {OUTER: "outer", INNER: "inner", SAMPLE: "data"}
        targets = {OUTER: "along_outer[p]", INNER: "along_inner[v]"}
        # What depends on no coordinate counts at every outer point.
        loops = list(kinds) if OUTER in kinds or INNER in kinds else [OUTER, *kinds]
        target = targets[OUTER if OUTER in loops else INNER]
        for depth, kind in enumerate(loops, start=1):
            self.write(depth, [f"for {kind} in range({arrays[kind]}.shape[1]):"])
            if kind in kinds:
                self.write(depth + 1, self.loads(kind, kind))
        inside = len(loops) + 1
        self.write(inside, self.assignments(exponents, lambda _: True))
        self.write(inside, _each(f"{target} = max({target}, fabs({{0}}))", exponents))


class _NodeWriter(_Writer):
    """Loops over points each of which has inner points of its own."""

    def nodes(self) -> None:
        """Source of ``nodes``."""
        self.write(0, ["def nodes(outer, places, out):"])
        self.write(1, ["P, V = places.shape[1], places.shape[2]"])
        self.write(1, self.assignments(self.program.results, lambda d: not d))
        self.write(1, _each("row_{0} = empty(V)", chain(*self.calls)))
        self.points(1, ())
        self.write(2, ["inner = places[:, p]"])
        self.innermost(2, ())

    def place_of(self, result: int) -> str:
        return f"out[p, {result}, v]"
