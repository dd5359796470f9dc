"""Layout of straight-line code as loops over the points of a tile and over the samples.

Every line is filed under what it depends on, a subset of {p, v, n} (outer point, inner point, sample), and written into
the outermost loop where that is known.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from sympy import Symbol

from infogeom.kernels.compiled.library import CALLED

__all__ = ["BLOCK", "UNROLL", "Axes", "Program", "write_loops", "write_point"]

P, V, N = "p", "v", "n"
Kinds = frozenset[str]

#: Samples per block: each block is summed on its own, which bounds table memory and rounding alike.
BLOCK = 256
#: Samples that one pass of the innermost loop adds up, which saves loads and stores of the sums; sample counts are
#: padded to a multiple of it with samples of weight 0.
UNROLL = 4
#: What a vectorised loop may hold besides arithmetic.
INLINE = frozenset({"fabs", "fma", "inf", "nan", "max", "sqrt", "if", "else", "or"})

#: Lines that are a product of two, and a sum of two.
PRODUCT, SUM = re.compile(r"(\S+) \* (\S+)"), re.compile(r"(\S+) ([+-]) (\S+)")


@dataclass(frozen=True)
class Axes:
    """Which coordinates run along the outer points and which along the inner ones, and the per-sample symbols."""

    outer: tuple[Symbol, ...]
    inner: tuple[Symbol, ...]
    sample: tuple[Symbol, ...] = ()

    def kinds(self) -> dict[Symbol, frozenset[str]]:
        """What each symbol depends on.  Without outer coordinates there is nothing to hoist, and points stand alone."""
        inner = frozenset({V}) if self.outer else frozenset({P, V})
        groups = ((self.outer, frozenset({P})), (self.inner, inner), (self.sample, frozenset({N})))
        return {symbol: kinds for symbols, kinds in groups for symbol in symbols}

    def positional(self) -> dict[Symbol, Symbol]:
        """Symbols named by position."""
        groups = ((self.outer, "q"), (self.inner, "r"), (self.sample, "x"))
        return {s: Symbol(f"{letter}{k}", real=True) for symbols, letter in groups for k, s in enumerate(symbols)}


@dataclass
class Program:
    """Straight-line code in single-assignment form: lines, what each name depends on, the results, the exponents."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    depends: dict[str, Kinds] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)
    exponents: dict[str, None] = field(default_factory=dict)

    def add(self, name: str, text: str, operands: Sequence[str]) -> None:
        """Append ``name = text``."""
        self.depends[name] = frozenset().union(*(self.depends.get(o, frozenset()) for o in operands))
        self.lines.append((name, text))

    def needed(self, targets: Iterable[str], known: Collection[str] = ()) -> list[tuple[str, str]]:
        """Lines that lead to the targets, those of names already known left out."""
        wanted = set(targets) - set(known)
        lines = []
        for name, text in reversed(self.lines):
            if name in wanted:
                wanted |= words(text) - set(known)
                lines.append((name, text))
        return lines[::-1]

    def calls(self) -> list[list[str]]:
        """Names whose innermost lines call functions, which keeps a loop from vectorising, as loops may hold them.

        None of a loop needs another of it, and what is written in `infogeom.kernels.compiled.library` may vectorise on
        its own.
        """
        level: dict[str, int] = {}
        loops: dict[tuple[int, str], list[str]] = {}
        for name, text in self.needed(self.results):
            read = words(text)
            level[name] = max((level.get(w, 0) for w in read), default=0)
            functions = {w for w in read if w.isidentifier()} - set(self.depends) - INLINE
            if self.depends[name] >= {P, V} and (functions or "**" in text):
                own = name if functions & CALLED else ""
                loops.setdefault((level[name], own), []).append(name)
                level[name] += 1
        return [loops[key] for key in sorted(loops, key=lambda key: key[0])]


def words(text: str) -> set[str]:
    """Identifiers, literals and operators of a line."""
    return set(text.replace("(", " ").replace(")", " ").replace(",", " ").replace("-fabs", "fabs").split())


def write_loops(program: Program, axes: Axes) -> str:
    """Source of ``tile(outer, inner, data, out)`` and ``exponents(outer, inner, data, along_outer, along_inner)``."""
    writer = _Writer(_fused(program), axes)
    writer.tile()
    writer.exponents()
    return "\n".join(writer.text) + "\n"


def _lone_products(program: Program) -> dict[str, tuple[str, str]]:
    """Factors of the products of two that stand in one place only."""
    uses = Counter(program.results)
    for _, text in program.lines:
        uses.update(words(text))
    products = {}
    for name, text in program.lines:
        product = PRODUCT.fullmatch(text)
        if product and uses[name] == 1:
            products[name] = product[1], product[2]
    return products


def _fused(program: Program) -> Program:
    """The same with products fused into the one sum, of the same loop, that takes them."""
    lone = _lone_products(program)

    def alone(term: str, total: str) -> bool:
        return term in lone and program.depends[term] == program.depends[total]

    def fused(name: str, text: str) -> str:
        total = SUM.fullmatch(text)
        if not total:
            return text
        a, sign, b = total.groups()
        minus = "(-1.0) * " if sign == "-" else ""
        if alone(a, name):
            x, y = lone[a]
            return f"fma({x}, {y}, {minus}{b})"
        if alone(b, name):
            x, y = lone[b]
            return f"fma({minus}{x}, {y}, {a})"
        return text

    return replace(program, lines=[(name, fused(name, text)) for name, text in program.lines])


def write_point(program: Program, axes: Axes) -> str:
    """Source of ``rows(data)`` and ``point(x, rows)``: the same lines for one point, in whatever arithmetic.

    ``x`` holds the outer and the inner coordinates. ``rows`` yields for each sample what no point changes; results are
    summed over the samples.
    """
    lines = program.needed(program.results)
    once = [(name, line) for name, line in lines if program.depends[name] == {N}]
    each = [(name, line) for name, line in lines if program.depends[name] > {N}]
    read = {word for _, line in each for word in words(line)} | set(program.results)
    names = [*(s.name for s in axes.sample), *dict(once)]
    kept = ", ".join([name for name in names if name in read] or names[:1])
    text, results = [], program.results
    if axes.sample:
        text += ["def rows(data):", *(f"    {name} = {line}" for name, line in lines if not program.depends[name])]
        text += [f"    for {', '.join(symbol.name for symbol in axes.sample)}, in data:"]
        text += [*(f"        {name} = {line}" for name, line in once), f"        yield {kept},", "", ""]
    text += ["def point(x, rows):"]
    text += [f"    {symbol.name} = x[{k}]" for k, symbol in enumerate((*axes.outer, *axes.inner))]
    text += [f"    {name} = {line}" for name, line in lines if N not in program.depends[name]]
    if axes.sample:
        results = [f"sum_{k}" for k in range(len(results))]
        text += [*(f"    {total} = 0" for total in results), f"    for {kept}, in rows:"]
        text += [f"        {name} = {line}" for name, line in each]
        text += [f"        {total} = {total} + {r}" for total, r in zip(results, program.results, strict=True)]
    return "\n".join([*text, f"    return [{', '.join(results)}]"]) + "\n"


class _Writer:
    def __init__(self, program: Program, axes: Axes) -> None:
        self.program, self.axes = program, axes
        self.text: list[str] = []
        # What the innermost loop reads from outside it; of that, what varies along the inner axis stands in tables.
        needed = program.needed(program.results)
        inner = [(name, text) for name, text in needed if program.depends[name] >= {P, V}]
        read = {word for _, text in inner for word in words(text)} | set(program.results)
        self.read = [name for name, _ in needed if name in read and not program.depends[name] >= {P, V}]
        self.tables = [name for name in self.read if V in program.depends[name]]
        self.outside = [name for name in self.read if V not in program.depends[name]]
        self.calls = program.calls()
        self.lone = {name: factors for name, factors in _lone_products(program).items() if name not in self.read}

    def write(self, depth: int, *lines: str) -> None:
        self.text += ["    " * depth + line for line in lines]

    def loads(self, kind: str, index: str) -> list[str]:
        symbols, array = {
            P: (self.axes.outer, "outer"),
            V: (self.axes.inner, "inner"),
            N: (self.axes.sample, "data"),
        }[kind]
        return [f"{symbol.name} = {array}[{k}, {index}]" for k, symbol in enumerate(symbols)]

    def assignments(self, targets: Iterable[str], where: Callable[[Kinds], bool]) -> list[str]:
        """Lines that lead to the targets, out of those whose dependences are ``where``."""
        return [f"{name} = {text}" for name, text in self.program.needed(targets) if where(self.program.depends[name])]

    def tile(self) -> None:
        """Blocks of samples outermost, so that tables stay small and sums short; then points, samples, inner axis."""
        self.write(0, "def tile(outer, inner, data, out):")
        self.write(1, "P, V = out.shape[1], out.shape[2]")
        self.write(1, *self.assignments(self.program.results, lambda d: not d))
        plain = self.table(1, frozenset({V}))
        copies = UNROLL if self.axes.sample else 0
        self.write(1, *self.unrolled([f"row_{name} = empty(V)" for name in chain(*self.calls)], copies))
        if not copies:
            self.points(1, plain)
            self.innermost(2, plain)
            return
        self.write(1, "N = data.shape[1]", "out[:] = 0.0", f"total = empty(({len(self.program.results)}, V))")
        self.write(1, f"for start in range(0, N, {BLOCK}):", f"    B = min({BLOCK}, N - start)")
        tables = self.table(2, frozenset({V, N}))
        self.points(2, plain)
        self.write(3, "total[:] = 0.0", f"for b in range(0, B, {UNROLL}):")
        outside = self.assignments(self.outside, lambda d: N in d)
        for copy in range(UNROLL):
            rows = [f"row_{name} = table_{name}[b + {copy}]" for name in tables]
            lines = [*self.loads(N, f"start + b + {copy}"), *rows, *outside]
            self.write(4, *(self.copied(line, copy) for line in lines))
        self.innermost(4, [*plain, *tables], copies)
        self.write(3, "for c in range(out.shape[0]):", "    for v in range(V):", "        out[c, p, v] += total[c, v]")

    def copied(self, text: str, copy: int) -> str:
        """Text with every name that depends on the sample marked as of its copy."""

        def marked(match: re.Match[str]) -> str:
            name = match.group()
            return f"{name}_{copy}" if N in self.program.depends.get(name.removeprefix("row_"), ()) else name

        return re.sub(r"\b(row_)?[qrtx]\d+\b", marked, text)

    def points(self, depth: int, plain: Sequence[str]) -> None:
        """Open the loop over the outer points."""
        self.write(depth, "for p in range(P):")
        self.write(depth + 1, *self.loads(P, "p"), *self.assignments(self.outside, lambda d: d == {P}))
        self.write(depth + 1, *(f"row_{name} = table_{name}" for name in plain))

    def table(self, depth: int, kinds: Kinds) -> list[str]:
        """Fill tables of what the innermost loop reads with exactly these dependences, and name them."""
        names = [name for name in self.tables if self.program.depends[name] == kinds]
        if not names:
            return []
        sampled = N in kinds
        self.write(depth, *(f"table_{name} = empty({'(B, V)' if sampled else 'V'})" for name in names))
        if sampled:
            self.write(depth, "for b in range(B):")
            depth += 1
            self.write(depth, *self.loads(N, "start + b"), *self.assignments(names, lambda d: d == {N}))
        self.write(depth, "for v in range(V):")
        self.write(depth + 1, *self.loads(V, "v"), *self.assignments(names, lambda d: V in d))
        at = "b, v" if sampled else "v"
        self.write(depth + 1, *(f"table_{name}[{at}] = {name}" for name in names))
        return names

    def innermost(self, depth: int, rows: Sequence[str], copies: int = 0) -> None:
        """Loops over the inner axis: calls of functions, which fill rows, then all results in one that vectorises.

        With copies, results are added up over as many samples; without, stored.
        """
        rows = [*rows]
        for names in self.calls:
            self.loop(depth, rows, names, copies)
            self.write(depth + 1, *self.unrolled([f"row_{name}[v] = {name}" for name in names], copies))
            rows += names
        lone = self.lone if copies else {}  # sums over samples take the factors of products
        terms = [lone.get(r, (r,)) for r in self.program.results]
        self.loop(depth, rows, chain(*terms), copies)
        for c, term in enumerate(terms):
            total = f"total[{c}, v]"
            line = f"{total} = {self.plus(total, term, copies)}" if copies else f"out[{c}, p, v] = {term[0]}"
            self.write(depth + 1, line)

    def loop(self, depth: int, rows: Sequence[str], targets: Iterable[str], copies: int) -> None:
        """Open a loop over the inner axis, with the lines that lead to the targets from rows."""
        targets = {*targets}
        lines = self.program.needed(targets, known={*self.read, *rows})
        used = targets.union(*(words(text) for _, text in lines))
        body = [f"{name} = row_{name}[v]" for name in rows if name in used]
        body += [f"{name} = {text}" for name, text in lines]
        self.write(depth, "for v in range(V):")
        self.write(depth + 1, *self.loads(V, "v"), *self.unrolled(body, copies))

    def unrolled(self, lines: Sequence[str], copies: int) -> list[str]:
        """Lines for as many samples, what no sample changes once; as they are for none."""
        return [*dict.fromkeys(self.copied(line, copy) for copy in range(copies or 1) for line in lines)]

    def plus(self, total: str, term: Sequence[str], copies: int) -> str:
        """A total with as many copies of a term, a name or the two factors of a product, added to it."""
        for copy in range(copies):
            text = self.copied(", ".join(term), copy)
            total = f"fma({text}, {total})" if len(term) == 2 else f"{total} + {text}"
        return total

    def exponents(self) -> None:
        """Largest absolute exponent at each outer and at each inner point, one loop nest for each kind of exponent."""
        self.write(0, "", "", "def exponents(outer, inner, data, along_outer, along_inner):")
        self.write(1, "along_outer[:] = 0.0", "along_inner[:] = 0.0")
        arrays = {P: "outer", V: "inner", N: "data"}
        targets = {P: "along_outer[p]", V: "along_inner[v]"}
        kinds_of = {e: self.program.depends.get(e, frozenset()) for e in self.program.exponents}
        for kinds in sorted(map(sorted, set(kinds_of.values()))):
            # What depends on no coordinate counts at every outer point.
            loops = [*([] if P in kinds or V in kinds else [P]), *kinds]
            target = targets[P if P in loops else V]
            for depth, kind in enumerate(loops, start=1):
                self.write(depth, f"for {kind} in range({arrays[kind]}.shape[1]):")
                self.write(depth + 1, *(self.loads(kind, kind) if kind in kinds else []))
            wanted = [e for e in kinds_of if sorted(kinds_of[e]) == kinds]
            self.write(len(loops) + 1, *self.assignments(wanted, lambda _: True))
            self.write(len(loops) + 1, *(f"{target} = max({target}, fabs({e}))" for e in wanted))
