"""Programs for the compiled balls of fixed precision: see `infogeom.kernels.balls.double_double`.

Generic code is run once on `Number` objects, which write instructions instead: sources that ball arithmetic runs, and
the formulas of curvature after them.  A metric so becomes a table of instructions, and nothing is compiled for a metric
of its own.  Elementary functions are made of sums and products, whose radii enclose the errors of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from math import factorial
from typing import Any

from flint import arb

from infogeom.kernels.balls import ball_functions
from infogeom.kernels.balls.enclosures import precision
from infogeom.kernels.codegen.cases import CALLS
from infogeom.kernels.codegen.program import UnsupportedFunctionError

__all__ = ["Number", "Program", "functions_of", "logarithm"]

Ball = tuple[float, float, float]
#: Instructions that no register is an operand of.
LEAVES = frozenset({"constant", "coordinate", "column"})
#: Squarings after the series of an exponential.
SQUARINGS = 6
#: Bits in which constants are evaluated.
CONSTANT_BITS = 256
#: Relative error of a constant rounded to two float64 numbers.
CONSTANT_ROUNDING = 2.0**-105
#: Constants below this may lose digits to underflow.
LEAST_CONSTANT = 1e-280


class Number:
    """What a register holds, or its negative, in a program under construction; or a constant that folds away."""

    __slots__ = ("constant", "program", "register", "sampled", "sign")

    def __init__(
        self, program: Program, register: int, *, sampled: bool, sign: int = 1, constant: Ball | None = None
    ) -> None:
        self.program, self.register, self.sampled, self.sign, self.constant = program, register, sampled, sign, constant

    def times_sign(self, sign: int) -> Number:
        """The number or its negative."""
        if sign == 1:
            return self
        return Number(self.program, self.register, sampled=self.sampled, sign=-self.sign, constant=self.constant)

    def is_(self, value: float) -> bool:
        """Whether this is a certain exact constant, 0 or 1."""
        return self.constant == (value, 0.0, 0.0)

    def __add__(self, other: Number | float) -> Number:
        other = self.program.number(other)
        if self.is_(0.0):
            return other
        if other.is_(0.0):
            return self
        if self.sign == other.sign:
            return self.program.emitted("add", *sorted((self, other), key=_register)).times_sign(self.sign)
        if self.register == other.register:
            return self.program.constant(0.0)
        first, second = sorted((self, other), key=_register)
        return self.program.emitted("sub", first, second).times_sign(first.sign)

    def __mul__(self, other: Number | float) -> Number:
        other = self.program.number(other)
        sign = self.sign * other.sign
        for one, rest in ((self, other), (other, self)):
            if one.is_(0.0):
                return one
            if one.is_(1.0):
                return rest.times_sign(rest.sign * sign)
        return self.program.emitted("mul", *sorted((self, other), key=_register)).times_sign(sign)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Number:
        return self if self.is_(0.0) else self.times_sign(-1)

    def __sub__(self, other: Number | float) -> Number:
        return self + -self.program.number(other)

    def __rsub__(self, other: float) -> Number:
        return -self + other

    def __truediv__(self, other: Number | float) -> Number:
        other = self.program.number(other)
        if self.is_(0.0):
            return self
        if other.is_(1.0):
            return self.times_sign(other.sign)
        return self.program.emitted("div", self, other).times_sign(self.sign * other.sign)

    def __rtruediv__(self, other: float) -> Number:
        return self.program.number(other) / self

    def __pow__(self, exponent: Number | float) -> Number:
        return exponential(logarithm(self) * exponent)

    def __rpow__(self, base: float) -> Number:
        return exponential(self * self.program.real(ball_functions.log, base))

    def __abs__(self) -> Number:
        return -self.program.emitted("opposed", self)

    def plain(self) -> Number:
        """A number in a register of its own, where this is the negative of one too."""
        return self if self.sign == 1 else self.program.emitted("negated", self)

    def call(self, operation: str) -> Number:
        """Value of a function of one argument."""
        return self.program.emitted(operation, self.plain())


def _register(number: Number) -> int:
    return number.register


def _as_ball(argument: Number | float) -> arb | int:
    """An argument of a function in ball arithmetic."""
    if isinstance(argument, int):
        return argument
    if not isinstance(argument, Number):
        return arb(argument)
    if argument.constant is None:
        raise UnsupportedFunctionError("no version of fixed precision")
    h, l, r = argument.constant
    return (arb(h) + arb(l) + arb(0, r)) * argument.sign


@dataclass(eq=False)
class Program:
    """Instructions in single-assignment form (operation, operands), a register each, and which of them are sampled."""

    instructions: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    sampled: list[bool] = field(default_factory=list)
    constants: dict[int, Ball] = field(default_factory=dict)
    memo: dict[tuple[str, tuple[Any, ...]], int] = field(default_factory=dict)

    def _added(self, operation: str, operands: tuple[Any, ...], *, sampled: bool) -> int:
        key = operation, operands
        if key not in self.memo:
            self.memo[key] = len(self.instructions)
            self.instructions.append((operation, operands))
            self.sampled.append(sampled)
        return self.memo[key]

    def input(self, index: int, *, sampled: bool) -> Number:
        """A coordinate, or a column of the table of the samples."""
        kind = "column" if sampled else "coordinate"
        return Number(self, self._added(kind, (index,), sampled=sampled), sampled=sampled)

    def constant(self, h: float, l: float = 0.0, r: float = 0.0) -> Number:
        """A constant, known up to r."""
        sign = -1 if h < 0 else 1
        ball = sign * h, sign * l, r
        register = self._added("constant", ball, sampled=False)
        self.constants[register] = ball
        return Number(self, register, sampled=False, sign=sign, constant=ball)

    def number(self, value: Number | float) -> Number:
        """A number as it is, or a constant from a float."""
        return value if isinstance(value, Number) else self.constant(float(value))

    def ratio(self, p: int, q: int) -> Number:
        """A rational constant."""
        exact = Fraction(p, q)
        h = p / q
        l = float(exact - Fraction(h))
        if exact and abs(h) < LEAST_CONSTANT:
            raise UnsupportedFunctionError(f"the constant {p}/{q} is below what a pair of floats holds")
        return self.constant(h, l, 0.0 if Fraction(h) + Fraction(l) == exact else abs(h) * CONSTANT_ROUNDING)

    def real(self, function: Callable[..., arb], *arguments: Number | float) -> Number:
        """A constant from ball arithmetic: what a function makes of constants.

        Raises
        ------
        UnsupportedFunctionError
            If an argument is no constant.
        """
        with precision(CONSTANT_BITS):
            ball = function(*(_as_ball(argument) for argument in arguments))
            h = float(ball.mid())
            rest = ball - h
            l = float(rest.mid())
            return self.constant(h, l, float(abs(rest - l).upper()) * (1 + 2.0**-52))

    def emitted(self, operation: str, *operands: Number) -> Number:
        """Value of an operation on registers, whatever the signs of the numbers."""
        sampled = any(operand.sampled for operand in operands)
        registers = tuple(operand.register for operand in operands)
        return Number(self, self._added(operation, registers, sampled=sampled), sampled=sampled)

    def summed(self, number: Number) -> Number:
        """Sum over the samples; nothing but 0 is the same for all."""
        if number.is_(0.0):
            return number
        register = self._added("sum", (number.register,), sampled=False)
        return Number(self, register, sampled=False, sign=number.sign)

    def needed(self, results: Collection[int], known: Collection[int] = ()) -> list[int]:
        """Registers that lead to the results, in order, and not beyond those known."""
        wanted = set(results)
        for register in reversed(range(len(self.instructions))):
            operation, operands = self.instructions[register]
            if register in wanted and register not in known and operation not in LEAVES:
                wanted.update(operands)
        return sorted(wanted)


def exponential(u: Number) -> Number:
    """Exponential: e^u = 2^k (1 + s), s from the series of e^m − 1 by six squarings, m = (u − k log 2) / 64."""
    u, program = u.plain(), u.program
    m = u.call("reduced") * 2.0**-SQUARINGS
    s = m.call("series_tail")
    for k in range(6, 1, -1):
        s = s * m + program.ratio(1, factorial(k))
    s = s * m * m + m
    for _ in range(SQUARINGS):
        s = s * (s + 2.0)
    return program.emitted("scaled", s + 1.0, u)


def logarithm(u: Number) -> Number:
    """Logarithm: log u = y + log(u e^−y), with y what float64 makes of it."""
    y = u.call("nearby_logarithm")
    return y + (u * exponential(-y) - 1.0).call("logarithm_near_one")


def expit(u: Number) -> Number:
    """Logistic function: 1 / (1 + e^−u) = e^u / (1 + e^u), from the exponential that is no more than 1."""
    # That of −u is the same, and only the numerator is another.
    e = exponential(u.program.emitted("opposed", u))
    numerator = u.program.emitted("where_negative", u.plain(), e)
    return numerator / (e + 1.0)


def softplus(u: Number) -> Number:
    """Softplus: log(1 + e^u) = u + log(1 + e^−u) where u is positive."""
    e = exponential(u.program.emitted("opposed", u))
    return (u + abs(u)) * 0.5 + logarithm(e + 1.0)


def _log1p(u: Number) -> Number:
    return logarithm(u + 1.0)


def _sqrt(u: Number) -> Number:
    return u.call("root")


def _asinh(u: Number) -> Number:
    return logarithm(u + _sqrt(u * u + 1.0))


def _sign(u: Number) -> Number:
    return u / abs(u)


def _cosh(u: Number) -> Number:
    e = exponential(u)
    return (e + 1.0 / e) * 0.5


def _sinh(u: Number) -> Number:
    e = exponential(u)
    return (e - 1.0 / e) * 0.5


def _tanh(u: Number) -> Number:
    return expit(u * 2.0) - expit(u * -2.0)


FUNCTIONS: Mapping[str, Callable[[Number], Number]] = {
    "exp": exponential,
    "log": logarithm,
    "log1p": _log1p,
    "sqrt": _sqrt,
    "fabs": abs,
    "sign": _sign,
    "expit": expit,
    "softplus": softplus,
    "cosh": _cosh,
    "sinh": _sinh,
    "tanh": _tanh,
    "asinh": _asinh,
}


def functions_of(program: Program) -> dict[str, Callable[..., Number]]:
    """What sources call, for numbers of a program and for constants; what is not among `FUNCTIONS` takes these only."""
    found: dict[str, Callable[..., Number]] = {"ratio": program.ratio}
    for name in ball_functions.__all__:
        found[name] = partial(program.real, getattr(ball_functions, name))
    for name, constant in ball_functions.NAMED_BALLS.items():
        found[name] = partial(program.real, constant)
    for name, function in FUNCTIONS.items():
        found[name] = partial(_either, function, found[name])
    return found | dict.fromkeys(CALLS, _undecided)


def _undecided(*_: Any) -> Number:
    raise UnsupportedFunctionError("no cases in fixed precision")


def _either(function: Callable[[Number], Number], of_constant: Callable[..., Number], u: Number | float) -> Number:
    return function(u) if isinstance(u, Number) else of_constant(u)
