"""Tables of words and numbers in every form that they print in."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from infogeom.tables import Table, as_html, as_latex, as_markdown, coordinates

CELLS = [("name", "R"), ("normal", "-1"), ("<odd>", "|R|")]
TEXT = "name    R\nnormal  -1\n<odd>   |R|"


class Told(Table):
    """A table with lines around it."""

    def __init__(self, above: Sequence[str], below: Sequence[str]) -> None:
        self.above, self.below = above, below

    def _cells(self) -> list[tuple[str, str]]:
        return CELLS

    def _above(self) -> Sequence[str]:
        return self.above

    def _below(self) -> Sequence[str]:
        return self.below


@pytest.mark.parametrize(
    ("above", "below", "text"),
    [
        ([], [], TEXT),
        (["title"], [], f"title\n\n{TEXT}"),
        (["title"], ["a note", "verdict"], f"title\n\n{TEXT}\n\na note\nverdict"),
    ],
    ids=["alone", "title", "notes"],
)
def test_lines_around_a_table_stand_apart_from_it(above: list[str], below: list[str], text: str) -> None:
    assert repr(Told(above, below)) == text


def test_lines_around_a_table_are_tables_of_one_column_in_html() -> None:
    around = as_html([["title"]]), as_html([["a note"], ["verdict"]])
    assert Told(["title"], ["a note", "verdict"])._repr_html_() == around[0] + as_html(CELLS) + around[1]


def test_a_table_alone_is_one_table_in_html() -> None:
    assert Told([], [])._repr_html_() == as_html(CELLS)


def test_cells_are_escaped_in_html() -> None:
    assert as_html(CELLS).endswith("<tr><td>&lt;odd&gt;</td><td>|R|</td></tr></table>")


def test_a_bar_in_a_formula_is_no_border_in_markdown() -> None:
    heading, rule, _, odd = as_markdown(CELLS).splitlines()
    assert (heading, rule) == ("| name | R |", "| --- | --- |")
    assert odd == r"| <odd> | \vert R\vert  |"


def test_latex_has_a_column_for_each_cell_and_no_break_after_the_last_line() -> None:
    lines = as_latex(CELLS).splitlines()
    assert lines[0] == r"\begin{tabular}{ll}"
    assert lines[1] == r"name & R \\"
    assert lines[-2:] == ["<odd> & |R|", r"\end{tabular}"]


def test_the_cell_of_a_point_has_six_digits_of_each_coordinate() -> None:
    assert coordinates((1 / 3, -2.0)) == "0.333333, -2"
