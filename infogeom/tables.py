"""Small tables of words and numbers, as text and as HTML."""

from __future__ import annotations

import html
from collections.abc import Sequence

__all__ = ["aligned", "as_html", "as_text"]


def as_text(cells: Sequence[Sequence[str]]) -> str:
    """Lines of left-aligned columns; the first row of cells is the heading."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(aligned(line, widths) for line in cells)


def aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """One line of left-aligned columns."""
    return "  ".join(map(str.ljust, cells, widths)).rstrip()


def as_html(cells: Sequence[Sequence[str]]) -> str:
    """Table element, every cell escaped."""
    lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in line) for line in cells)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
