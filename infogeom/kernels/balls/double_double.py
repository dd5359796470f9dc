"""Balls of fixed precision, compiled: a midpoint of two float64 numbers, about 104 bits, and a radius of one.

A value is (h, l, r) with h + l the midpoint, h the float64 number nearest to it, and r ≥ 0 at least its distance from
the truth, whatever points of the arguments' balls are meant.  What cannot be told has the radius inf or nan.  The
midpoints are double-double numbers (Dekker, Numer. Math. 18 (1971) 224); with u = 2⁻⁵³ and errors of one operation
counted to first order,

    sum        3 u² (|a| + |b|)      two roundings of the low parts, one of their sum with the rest
    product    8 u² |a b|            low · low left out 1, two products 2, their sum 2, that with the rest 3
    quotient  25 u² |a / b|          the remainder, 4 u |a| at most, rounded four times; its division by the high part
    root      10 u² √a               as of a quotient

for which `SUM_ERROR`, `PRODUCT_ERROR` and `QUOTIENT_ERROR` stand, the next power of two or more.  Plain Python that
numba compiles as it stands, *without* contraction to fused multiply-adds, which the error-free transformations do not
survive.
"""

from __future__ import annotations

from math import fabs, inf, log, nan, sqrt
from typing import Any

import numpy as np

__all__ = ["OPERATIONS", "WIDTH", "run"]

Array = Any  # float64 arrays; numba infers the rest
Ball = tuple[float, float, float]

#: Bound on the error of a sum, by |a| + |b|, from the table above.
SUM_ERROR = 2.0**-104
#: Bound on the relative error of a product.
PRODUCT_ERROR = 2.0**-102
#: Bound on the relative error of a quotient or root.
QUOTIENT_ERROR = 2.0**-101
#: A radius is itself computed with some ten roundings.
ROOM = 1.0 + 2.0**-48
#: Below this size products lose digits to underflow.
UNDERFLOW = 2.0**-900
#: How much they lose at most.
UNDERFLOW_LOSS = 2.0**-1060
#: Splits a number into two of 26 bits (Dekker).
SPLITTER = 2.0**27 + 1.0
#: Adding and subtracting it rounds to an integer.
ROUNDER = 1.5 * 2.0**52
#: 1 / log 2.
LOG2E = 1.4426950408889634
#: log 2 in pieces, of which the first two have so few bits that up to 2^11 times them is exact.
LOG2 = (0.6931471805592082, 7.371002565161996e-13, 5.8029889835956905e-25)
#: Least exponent u of which e^u and its low part are normal numbers.
LEAST_EXPONENT = -600.0
#: Largest exponent u of which e^u is a float64 number.
MOST_EXPONENT = 709.0
#: An exponential below.
FAINT = 2.0**-860
#: Powers of two from 2^-1022 on.
POWERS = 2.0 ** np.arange(-1022, 1024)
#: Points or samples that one instruction treats at once.
WIDTH = 32


def two_sum(a: float, b: float) -> tuple[float, float]:
    """Rounded sum and its error."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def fast_two_sum(a: float, b: float) -> tuple[float, float]:
    """Rounded sum and its error, |a| ≥ |b|."""
    s = a + b
    return s, b - (s - a)


def two_product(a: float, b: float) -> tuple[float, float]:
    """Rounded product and its error."""
    p = a * b
    t = SPLITTER * a
    a1 = t - (t - a)
    a2 = a - a1
    t = SPLITTER * b
    b1 = t - (t - b)
    b2 = b - b1
    return p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2


def plus(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Midpoint of a sum."""
    s, e = two_sum(ah, bh)
    return fast_two_sum(s, e + (al + bl))


def times(ah: float, al: float, bh: float, bl: float) -> tuple[float, float]:
    """Midpoint of a product."""
    p, e = two_product(ah, bh)
    return fast_two_sum(p, e + (ah * bl + al * bh))


def add(a: Ball, b: Ball) -> Ball:
    """Sum."""
    ah, al, ar = a
    bh, bl, br = b
    h, l = plus(ah, al, bh, bl)
    return h, l, (ar + br + SUM_ERROR * (fabs(ah) + fabs(bh))) * ROOM


def mul(a: Ball, b: Ball) -> Ball:
    """Product; exactly 0 where a factor is."""
    ah, al, ar = a
    bh, bl, br = b
    h, l = times(ah, al, bh, bl)
    lost = UNDERFLOW_LOSS if fabs(h) < UNDERFLOW else 0.0
    lost = 0.0 if (ah == 0.0 and ar == 0.0) or (bh == 0.0 and br == 0.0) else lost
    return h, l, (fabs(ah) * br + fabs(bh) * ar + ar * br + PRODUCT_ERROR * fabs(h) + lost) * ROOM


def div(a: Ball, b: Ball) -> Ball:
    """Quotient; exactly 0 where the numerator is."""
    ah, al, ar = a
    bh, bl, br = b
    q = ah / bh
    p, e = two_product(q, bh)
    h, l = fast_two_sum(q, ((ah - p) - e + (al - q * bl)) / bh)
    least = (fabs(bh) - br) * (1.0 - 2.0**-48)
    # Digits may be lost by the remainder or by the quotient.
    lost = UNDERFLOW_LOSS + UNDERFLOW_LOSS / least
    lost = lost if min(fabs(ah), fabs(h)) < UNDERFLOW else 0.0
    lost = 0.0 if fabs(ah) + ar == 0.0 else lost
    r = ((ar + fabs(h) * br) / least + QUOTIENT_ERROR * fabs(h) + lost) * ROOM
    return h, l, r if least > 0.0 else inf


def root(a: Ball) -> Ball:
    """Square root, where it is real for the whole ball."""
    ah, al, ar = a
    s = sqrt(fabs(ah))
    p, e = two_product(s, s)
    h, l = fast_two_sum(s, ((ah - p) - e + al) / (2.0 * s))
    return h, l, (ar / s + QUOTIENT_ERROR * fabs(h)) * ROOM if ah - ar > UNDERFLOW else inf


def binary_exponent(u: float) -> float:
    """Integer nearest to u / log 2, as a float; 0 where e^u is too large or small, or u is nan."""
    return (u * LOG2E + ROUNDER) - ROUNDER if LEAST_EXPONENT <= u <= MOST_EXPONENT else 0.0


def reduced(a: Ball) -> Ball:
    """What is left of u − k log 2, k from `binary_exponent`, of a size up to ½ log 2."""
    ah, al, ar = a
    k = binary_exponent(ah)
    h, l = two_sum(ah, -k * LOG2[0])
    h, l = plus(h, l, -k * LOG2[1], al - k * LOG2[2])
    return h, l, (ar + SUM_ERROR * (1.0 + fabs(ah))) * ROOM


def scaled(s: Ball, a: Ball) -> Ball:
    """Multiple s 2^k with the same k: e^a if s is e^(a − k log 2)."""
    sh, sl, sr = s
    ah, _, ar = a
    scale = POWERS[int(binary_exponent(ah)) + 1022]
    faint = ah < LEAST_EXPONENT
    h = 0.0 if faint else sh * scale
    l = 0.0 if faint else sl * scale
    r = FAINT if faint else sr * scale * ROOM
    return h, l, r if ah <= MOST_EXPONENT and ar <= 1.0 else inf


def nearby_logarithm(a: Ball) -> Ball:
    """What float64 makes of a logarithm, taken for a number."""
    return log(a[0]) if a[0] > 0.0 else nan, 0.0, 0.0


def logarithm_near_one(a: Ball) -> Ball:
    """log(1 + c) = c − c²/2 of a tiny c, up to |c|³."""
    ah, al, ar = a
    h, l = fast_two_sum(ah, al - 0.5 * ah * ah)
    size = fabs(ah) + ar
    r = (ar * (1.0 + 2.0 * size) + size * size * (size + 2.0**-50) + PRODUCT_ERROR * size + UNDERFLOW_LOSS) * ROOM
    return h, l, r if size < 2.0**-40 else inf


def series_tail(a: Ball) -> Ball:
    """Σ m^k / (7 + k)! up to k = 4, for |m| < 0.006: the next term is below 2^-66, and roundings come to 2^-64."""
    ah, _, ar = a
    t = 1 / 5040 + ah * (1 / 40320 + ah * (1 / 362880 + ah * (1 / 3628800 + ah * (1 / 39916800))))
    return t, 0.0, 2.0**-62 + ar


def opposed(a: Ball) -> Ball:
    """−u where the midpoint is positive, else u."""
    ah, al, ar = a
    s = -1.0 if ah > 0.0 else 1.0
    return s * ah, s * al, ar


def negated(a: Ball) -> Ball:
    """−u."""
    ah, al, ar = a
    return -ah, -al, ar


def where_negative(a: Ball, b: Ball) -> Ball:
    """Choice: b where the midpoint of a is negative, else 1."""
    bh, bl, br = b
    negative = a[0] < 0.0
    h = bh if negative else 1.0
    l = bl if negative else 0.0
    r = br if negative else 0.0
    return h, l, r


def lane(x: Array, register: int, v: int) -> Ball:
    """Ball of one lane of a register."""
    return x[register, 0, v], x[register, 1, v], x[register, 2, v]


def put(x: Array, register: int, v: int, ball: Ball) -> None:
    """Store a ball."""
    x[register, 0, v], x[register, 1, v], x[register, 2, v] = ball


#: Operations by their number: those that move numbers, those of two operands, and those of one.
OPERATIONS = ("load", "store", "accumulate", "total", "add", "sub", "mul", "div", "scaled", "where_negative", "root",
              "negated", "opposed", "reduced", "series_tail", "nearby_logarithm", "logarithm_near_one")  # fmt: skip


def run(code: Array, x: Array, table: Array, out: Array) -> None:
    """Run instructions for every block of the columns of a table.

    Parameters
    ----------
    code : ndarray of int32, shape (instructions, 4)
        Operation, target, first and second operand: registers, but the operand of ``load`` is a column of the table,
        and the target of ``store`` a row of ``out``.
    x : ndarray of float64, shape (registers, 3, `WIDTH`)
        Balls, one a lane: lanes stay apart, until ``total`` adds them up.
    table : ndarray of float64, shape (columns, 3, a multiple of `WIDTH`)
    out : ndarray of float64, shape (results, 3, as many)
    """
    # An interpreter: instructions are outside and lanes inside, so that what an instruction is costs nothing beside its
    # `WIDTH` balls, and every inner loop, written out for its operation, vectorises.  Target and operands are different
    # registers (`infogeom.kernels.balls.stages` sees to it), and a block ends before the next begins: nothing is
    # carried over but sums, which grow in their registers.
    for start in range(0, table.shape[2], WIDTH):
        for c in range(code.shape[0]):
            operation = code[c, 0]
            if operation == 0:
                t, a = x[code[c, 1]], table[code[c, 2]]
                for j in range(3):
                    for v in range(WIDTH):
                        t[j, v] = a[j, start + v]
                continue
            if operation == 1:
                t, a = out[code[c, 1]], x[code[c, 2]]
                for j in range(3):
                    for v in range(WIDTH):
                        t[j, start + v] = a[j, v]
                continue
            t, a, b = code[c, 1], code[c, 2], code[c, 3]
            if operation == 2:
                for v in range(WIDTH):
                    put(x, t, v, add(lane(x, t, v), lane(x, a, v)))
            elif operation == 3:
                total = 0.0, 0.0, 0.0
                for v in range(WIDTH):
                    total = add(total, lane(x, a, v))
                for v in range(WIDTH):
                    put(x, t, v, total)
            elif operation == 4:
                for v in range(WIDTH):
                    put(x, t, v, add(lane(x, a, v), lane(x, b, v)))
            elif operation == 5:
                for v in range(WIDTH):
                    put(x, t, v, add(lane(x, a, v), negated(lane(x, b, v))))
            elif operation == 6:
                for v in range(WIDTH):
                    put(x, t, v, mul(lane(x, a, v), lane(x, b, v)))
            elif operation == 7:
                for v in range(WIDTH):
                    put(x, t, v, div(lane(x, a, v), lane(x, b, v)))
            elif operation == 8:
                for v in range(WIDTH):
                    put(x, t, v, scaled(lane(x, a, v), lane(x, b, v)))
            elif operation == 9:
                for v in range(WIDTH):
                    put(x, t, v, where_negative(lane(x, a, v), lane(x, b, v)))
            elif operation == 10:
                for v in range(WIDTH):
                    put(x, t, v, root(lane(x, a, v)))
            elif operation == 11:
                for v in range(WIDTH):
                    put(x, t, v, negated(lane(x, a, v)))
            elif operation == 12:
                for v in range(WIDTH):
                    put(x, t, v, opposed(lane(x, a, v)))
            elif operation == 13:
                for v in range(WIDTH):
                    put(x, t, v, reduced(lane(x, a, v)))
            elif operation == 14:
                for v in range(WIDTH):
                    put(x, t, v, series_tail(lane(x, a, v)))
            elif operation == 15:
                for v in range(WIDTH):
                    put(x, t, v, nearby_logarithm(lane(x, a, v)))
            elif operation == 16:
                for v in range(WIDTH):
                    put(x, t, v, logarithm_near_one(lane(x, a, v)))
