"""Facts of SymPy's own functions."""

from __future__ import annotations

import sympy
from sympy.codegen.cfunctions import expm1, log1p

from infogeom.functions.facts import ELEMENTARY, POLYLOG_ORDERS, Arithmetic, Facts, Growth

__all__ = ["OF_SYMPY"]

BOUNDED = Growth.BOUNDED
SMOOTH = Growth.SMOOTH
#: Only constants have a value in kernels.
CONSTANT = frozenset({Arithmetic.FLOAT64, Arithmetic.ARRAYS})
OF_SYMPY: dict[type, Facts] = {
    sympy.exp: Facts(name="exp", roundings=ELEMENTARY, growth=SMOOTH, exponential=True, saturating=True),
    sympy.log: Facts(name="log", roundings=ELEMENTARY),
    log1p: Facts(name="log1p", roundings=ELEMENTARY),
    expm1: Facts(name="expm1", roundings=ELEMENTARY, growth=SMOOTH),
    sympy.sin: Facts(name="sin", roundings=ELEMENTARY, growth=BOUNDED),
    sympy.cos: Facts(name="cos", roundings=ELEMENTARY, growth=BOUNDED),
    sympy.tan: Facts(name="tan", roundings=ELEMENTARY),
    sympy.sinh: Facts(name="sinh", roundings=ELEMENTARY, growth=SMOOTH, saturating=True),
    sympy.cosh: Facts(name="cosh", roundings=ELEMENTARY, growth=SMOOTH, saturating=True),
    sympy.tanh: Facts(name="tanh", roundings=ELEMENTARY, growth=BOUNDED, saturating=True),
    sympy.coth: Facts(name="", saturating=True),
    sympy.asin: Facts(name="asin", roundings=ELEMENTARY),
    sympy.acos: Facts(name="acos", roundings=ELEMENTARY),
    sympy.atan: Facts(name="atan", roundings=ELEMENTARY),
    sympy.asinh: Facts(name="asinh", roundings=ELEMENTARY),
    sympy.atanh: Facts(name="atanh", roundings=ELEMENTARY),
    sympy.erf: Facts(name="erf", roundings=ELEMENTARY, growth=BOUNDED, saturating=True),
    sympy.erfc: Facts(name="erfc", roundings=ELEMENTARY, saturating=True),
    sympy.gamma: Facts(name="gamma"),
    sympy.loggamma: Facts(name="lgamma"),
    sympy.polygamma: Facts(
        name="polygamma", roundings=48, slow_in_balls=True, orders=1, typical=((0.0, 4.0), (0.1, 30.0))
    ),
    sympy.polylog: Facts(
        name="polylog",
        roundings=288,
        orders=1,
        halves=True,
        limits=POLYLOG_ORDERS,
        typical=((1.0, 4.0), (-0.9, 0.9)),
    ),
    sympy.zeta: Facts(name="zeta", slow_in_balls=True, lacks=CONSTANT, typical=((1.1, 60.0),)),
    sympy.Abs: Facts(name="fabs", roundings=ELEMENTARY),
    sympy.sign: Facts(name="sign", roundings=ELEMENTARY),
}
