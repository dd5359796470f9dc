"""Results as tables of words and numbers: text, HTML, Markdown and LaTeX."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

__all__ = ["Table", "aligned", "as_html", "as_latex", "as_markdown", "as_text", "coordinates"]

Cells = Sequence[Sequence[str]]


class Table(ABC):
    """A result that prints as a table: as text and, in a notebook, as HTML."""

    @abstractmethod
    def _cells(self) -> Cells:
        """Rows of cells, the first of which is the heading."""

    def _above(self) -> Sequence[str]:
        """Lines that stand above."""
        return ()

    def _below(self) -> Sequence[str]:
        """Lines that stand below."""
        return ()

    def __repr__(self) -> str:
        blocks = (self._above(), [as_text(self._cells())], self._below())
        return "\n\n".join("\n".join(lines) for lines in blocks if lines)

    def _repr_html_(self) -> str:
        above = [[line] for line in self._above()]
        below = [[line] for line in self._below()]
        return "".join(as_html(cells) for cells in (above, self._cells(), below) if cells)


def coordinates(point: Iterable[float]) -> str:
    """Cell of a point."""
    return ", ".join(f"{x:.6g}" for x in point)


def as_text(cells: Cells) -> str:
    """Lines of left-aligned columns; the first row of cells is the heading."""
    columns = zip(*cells, strict=True)
    widths = [max(map(len, column)) for column in columns]
    return "\n".join(aligned(line, widths) for line in cells)


def aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line of left-aligned columns."""
    return "  ".join(map(str.ljust, cells, widths)).rstrip()


def as_html(cells: Cells) -> str:
    """Table element, every cell escaped."""
    rows = []
    for line in cells:
        columns = "".join(f"<td>{html.escape(cell)}</td>" for cell in line)
        rows.append(f"<tr>{columns}</tr>")
    return f"<table>{''.join(rows)}</table>"


def as_markdown(cells: Cells) -> str:
    """Table of formulas, in which a bar is no border; the first row of cells is the heading."""
    heading, *body = cells
    lines = []
    for line in (heading, ["---"] * len(heading), *body):
        escaped = [cell.replace("|", r"\vert ") for cell in line]
        lines.append(f"| {' | '.join(escaped)} |")
    return "\n".join(lines)


def as_latex(cells: Cells) -> str:
    """Tabular environment of left-aligned columns."""
    columns = "l" * len(cells[0])
    body = " \\\\\n".join(" & ".join(line) for line in cells)
    return f"\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}"
