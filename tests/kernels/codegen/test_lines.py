"""Straight-line code as data: what lines read and call, and products that go into sums."""

from __future__ import annotations

from infogeom.kernels.codegen.lines import INNER, INNERMOST, OUTER, SAMPLE, Line, Program, fused, lone_products

PLUS, MINUS, TIMES = "{0} + {1}", "{0} - {1}", "{0} * {1}"


def program(*lines: Line, results: tuple[str, ...]) -> Program:
    """A program of lines in p of the outer point and v of the inner one."""
    made = Program(
        depends={"p": frozenset({OUTER}), "v": frozenset({INNER}), "x": frozenset({SAMPLE})}, results=[*results]
    )
    for line in lines:
        made.add(line)
    return made


def test_a_line_is_written_with_other_names_and_its_literals_as_they_are() -> None:
    line = Line("t1", "{0} + 1.5 * {1}", ("t0", "2.0"))
    assert line.written({"t1": "t1_3", "t0": "t0_3", "2.0": "2.0"}.__getitem__) == "t1_3 = t0_3 + 1.5 * 2.0"


def test_a_line_depends_on_what_its_operands_depend_on() -> None:
    made = program(Line("a", TIMES, ("p", "v")), Line("b", PLUS, ("a", "2.0")), results=("b",))
    assert made.depends["b"] == INNERMOST


def test_lines_that_lead_nowhere_are_not_needed_nor_those_before_what_is_known() -> None:
    a, b, c = Line("a", TIMES, ("p", "v")), Line("b", PLUS, ("a", "p")), Line("c", PLUS, ("p", "v"))
    made = program(a, b, c, results=("b",))
    assert made.needed(["b"]) == [a, b]
    assert made.needed(["b"], known=["a"]) == [b]


def test_a_product_is_fused_into_the_one_sum_that_takes_it() -> None:
    made = program(Line("a", TIMES, ("p", "v")), Line("b", MINUS, ("p", "a")), results=("b",))
    assert fused(made).lines[1].written() == "b = fma((-1.0) * p, v, p)"


def test_a_product_of_an_outer_loop_is_not_fused_into_a_sum_of_an_inner_one() -> None:
    made = program(Line("a", TIMES, ("p", "p")), Line("b", PLUS, ("a", "v")), results=("b",))
    assert fused(made).lines == made.lines


def test_a_product_in_two_places_is_not_alone() -> None:
    product = Line("a", TIMES, ("p", "v"))
    assert lone_products(program(product, Line("b", PLUS, ("a", "v")), results=("b",))) == {"a": ("p", "v")}
    assert lone_products(program(product, Line("b", PLUS, ("a", "v")), results=("a", "b"))) == {}


def test_calls_stand_in_loops_none_of_which_needs_another_of_its_own() -> None:
    lines = (
        Line("a", "exp({0})", ("p",), ("exp",)),
        Line("b", PLUS, ("a", "v")),
        Line("c", "exp({0})", ("b",), ("exp",)),
        Line("d", "{0} ** 0.3", ("c",), ("pow",)),
        Line("e", "log({0})", ("b",), ("log",)),
        Line("f", "polygamma(1, {0})", ("b",), ("polygamma",)),
        Line("g", "fabs({0})", ("b",), ("fabs",)),
    )
    made = program(*lines, results=("d", "e", "f", "g"))
    assert made.calls() == [["c", "e"], ["f"], ["d"]]
