"""Matrices by the patterns of their entries."""

from __future__ import annotations

import sympy

from infogeom.models.entries import entries_of_matrix

a, b = sympy.symbols("a b", positive=True)
phi = sympy.Symbol("phi", real=True)


def test_entries_of_one_function_are_one_pattern() -> None:
    lags = [a**2 * sympy.exp(-sympy.Rational(k * k, 3) / b**2) for k in range(7)]
    matrix = sympy.ImmutableMatrix(7, 7, lambda i, j: lags[abs(i - j)])
    found = entries_of_matrix(matrix, symmetric=True)
    assert sorted(len(p.numbers) for p in found.patterns) == [1, 6]
    assert sum(len(p.places) for p in found.patterns) == 28
    assert found.written_out() == matrix


def test_powers_are_one_pattern_whose_derivatives_are_regular_at_0() -> None:
    matrix = sympy.ImmutableMatrix(9, 9, lambda i, j: phi ** abs(i - j) / (1 - phi**2))
    found = entries_of_matrix(matrix, symmetric=True)
    (pattern,) = [p for p in found.patterns if p.slots]
    assert len(pattern.numbers) == 6
    third = pattern.expression.diff(phi).diff(phi).diff(phi)
    values = [third.subs({pattern.slots[0]: n, phi: 0}) for (n,) in pattern.numbers]
    assert values == [6, 0, 0, 0, 0, 0]
    assert found.written_out() == matrix


def test_orders_of_functions_are_no_numbers_that_differ() -> None:
    row = [sympy.besselk(k, a) for k in range(1, 4)]
    found = entries_of_matrix(sympy.ImmutableMatrix([row]))
    assert {p.expression for p in found.patterns} == {*row}


def test_a_matrix_of_zeros_has_no_pattern() -> None:
    assert entries_of_matrix(sympy.ImmutableMatrix.zeros(2, 1)).patterns == ()
