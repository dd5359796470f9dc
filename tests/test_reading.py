"""How the code reads, as far as it can be counted: no heaps, no long modules, no walls without a word."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import infogeom

ROOT = Path(infogeom.__file__).parent
MODULES = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(text) for name, text in MODULES.items()}
#: What does several things in one place: one in a statement is idiom.
DENSE = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp, ast.Lambda, ast.Starred)
#: Dense expressions in 100 lines of code, at most.
DENSITY = 14
#: Lines of a module, at most, and lines of a function up to which it needs no word of why.
LINES, SHORT = 400, 20


def parts(statement: ast.stmt) -> Iterator[ast.AST]:
    """All that a statement holds, but for the statements in it."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if not isinstance(node, ast.stmt):
                waiting.append(node)
                yield node


def is_dense(node: ast.AST) -> bool:
    if isinstance(node, ast.keyword):
        return node.arg is None  # **unpacked
    if isinstance(node, ast.Dict):
        return None in node.keys
    return isinstance(node, DENSE)


def density(statement: ast.stmt) -> int:
    return sum(map(is_dense, parts(statement)))


def lines_of_code(name: str) -> set[int]:
    """Numbers of lines, without docstrings, comments and what is empty."""
    lines = MODULES[name].splitlines()
    code = {k for k, line in enumerate(lines, 1) if line.strip() and not line.lstrip().startswith("#")}
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            code -= set(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    return code


def constants(name: str) -> Iterator[tuple[str, str]]:
    """Names in capitals and what they are, but for types and symbols of one letter; of several at once, no value."""
    for node in TREES[name].body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in (part for whole in targets for part in getattr(whole, "elts", [whole])):
            if isinstance(target, ast.Name) and target.id.isupper() and len(target.id) > 1:
                yield target.id, ast.unparse(node.value) if target in targets else ""


def functions(name: str) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(TREES[name]) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("name", MODULES)
def test_no_statement_is_a_heap(name: str) -> None:
    statements = [node for node in ast.walk(TREES[name]) if isinstance(node, ast.stmt)]
    assert [f"{name}:{s.lineno}" for s in statements if density(s) > 2] == []


@pytest.mark.parametrize("name", MODULES)
def test_no_module_is_long(name: str) -> None:
    assert len(MODULES[name].splitlines()) <= LINES


@pytest.mark.parametrize("name", MODULES)
def test_every_function_has_a_name(name: str) -> None:
    assert "_" not in [function.name for function in functions(name)]


def test_constants_stand_one_a_line() -> None:
    assert [(name, constant) for name in MODULES for constant, value in constants(name) if not value] == []


def test_a_constant_has_one_value_wherever_it_is() -> None:
    values: dict[str, set[str]] = {}
    for name in MODULES:
        for constant, value in constants(name):
            values.setdefault(constant, set()).add(value)
    assert {constant: found for constant, found in values.items() if len(found) > 1} == {}


def test_the_package_is_not_dense() -> None:
    dense = sum(is_dense(node) for tree in TREES.values() for node in ast.walk(tree))
    assert dense <= DENSITY / 100 * sum(len(lines_of_code(name)) for name in MODULES)


def test_long_functions_say_why() -> None:
    told = []
    for name, text in MODULES.items():
        code, lines = lines_of_code(name), text.splitlines()
        for function in functions(name):
            own = set(range(function.lineno, (function.end_lineno or 0) + 1))
            if len(own & code) > SHORT:
                told.append(any("#" in lines[k - 1] for k in own))
    assert sum(told) >= len(told) / 2
