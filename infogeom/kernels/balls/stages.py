"""Parts of a program laid out in registers, to be run: see `infogeom.kernels.balls.double_double.run`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.balls import double_double
from infogeom.kernels.balls.double_double import OPERATIONS, WIDTH
from infogeom.kernels.balls.registers import Program
from infogeom.kernels.compiled.compile import compiled_module

__all__ = ["Stage", "instruction", "run", "stage"]

Array = NDArray[np.float64]
Code = NDArray[np.int32]
Ball = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Stage:
    """A part of a program in registers of its own.

    Attributes
    ----------
    code : ndarray of int32, shape (instructions, 4)
    registers : int
        How many there are.
    constants : dict of int to tuple
        What some of them hold.
    given : list of int
        Registers that are to be filled before each run.
    totals : list of int
        Registers of sums over the columns of the table, which grow with each run.
    results : int
        Rows of the output.
    """

    code: Code
    registers: int
    constants: dict[int, Ball]
    given: list[int]
    totals: list[int]
    results: int

    def fresh(self) -> Array:
        """Registers with the constants in place, 0 elsewhere."""
        registers = np.zeros((self.registers, 3, WIDTH))
        for register, ball in self.constants.items():
            registers[register] = np.array(ball)[:, None]
        return registers

    def __call__(self, table: Array) -> Array:
        """Results for every column of a table, whose length is a multiple of `WIDTH`."""
        out = np.empty((self.results, 3, table.shape[2]))
        run(self.code, self.fresh(), table, out)
        return out


def run(code: Code, registers: Array, table: Array, out: Array) -> None:
    """Run instructions on registers for every block of a table."""
    compiled_module(double_double)["run"](code, registers, table, out)


def instruction(operation: str, target: int, *operands: int) -> tuple[int, int, int, int]:
    """One row of code; an operation of one operand takes any second one."""
    return OPERATIONS.index(operation), target, operands[0], operands[-1]


def stage(
    program: Program, results: Sequence[int], loads: Mapping[int, int], given: Sequence[int] = (), *, sums: bool = False
) -> Stage:
    """The part of a program that leads to results, in registers of the program.

    Parameters
    ----------
    program : Program
    results : sequence of int
        Stored, each in a row of the output, or with ``sums`` added up over the columns of the table.
    loads : mapping of int to int
        Which column of the table a register is loaded from.
    given : sequence of int
        Registers that are filled from outside.
    sums : bool
    """
    order = program.needed(results, set(loads).union(given))
    kept = {k for k in order if k in program.constants}.union(given)
    places = _places(program, order, kept, loads)
    size = max(places.values(), default=-1) + 1
    totals = list(range(size, size + len(results))) if sums else []
    rows: dict[int, list[int]] = {}
    for row, result in enumerate(results):
        rows.setdefault(result, []).append(row)
    code = []
    for k in order:
        operation, operands = program.instructions[k]
        if k in loads:
            code.append(instruction("load", places[k], loads[k]))
        elif k not in kept:
            read = [places[operand] for operand in operands]
            code.append(instruction(operation, places[k], *read))
        # At once, so that the register can be used again.
        for row in rows.get(k, ()):
            move = instruction("accumulate", totals[row], places[k]) if sums else instruction("store", row, places[k])
            code.append(move)
    constants = {places[k]: program.constants[k] for k in order if k in program.constants}
    table = np.array(code, dtype=np.int32).reshape(-1, 4)
    return Stage(table, size + len(totals), constants, [places[k] for k in given], totals, len(results))


def _places(program: Program, order: Sequence[int], kept: Collection[int], loads: Collection[int]) -> dict[int, int]:
    """Registers of the numbers of a program, used again after their last use unless they are to be kept."""
    operands = {k: () if k in kept or k in loads else program.instructions[k][1] for k in order}
    last = {operand: k for k in order for operand in operands[k]}
    places: dict[int, int] = {}
    free: list[int] = []
    size = 0
    for k in order:
        if free and k not in kept:
            places[k] = free.pop()
        else:
            places[k], size = size, size + 1
        # Not before the target has its register: instructions read and write different ones.
        done = {k, *operands[k]}.difference(kept)
        free += [places[j] for j in sorted(done) if last.get(j, k) == k]
    return places
