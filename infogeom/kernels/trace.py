"""The generic curvature code run on names instead of numbers: straight-line source for a given number of parameters.

`Value` overloads arithmetic to write program lines; zeros and ones fold away and equal expressions share a name, so a
diagonal metric costs what a diagonal metric should.  The source so written vectorises over points, which loops over
small arrays do not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels import curvature
from infogeom.kernels.geometry import geometry

__all__ = ["PLAIN", "Value", "traced"]

Assign = Callable[[str, Sequence[str]], str]
Objects = NDArray[np.object_]


class Value:
    """A name in a program under construction."""

    __slots__ = ("assign", "name")

    def __init__(self, assign: Assign, name: str) -> None:
        self.assign, self.name = assign, name

    def _commuting(self, other: Value | float, operator: str, neutral: str) -> Value:
        a, b = sorted((self.name, _name(other)), key=lambda name: (len(name), name))
        if neutral in (a, b):
            return Value(self.assign, b if a == neutral else a)
        return Value(self.assign, self.assign(f"{a} {operator} {b}", [a, b]))

    def __add__(self, other: Value | float) -> Value:
        return self._commuting(other, "+", "0.0")

    def __mul__(self, other: Value | float) -> Value:
        if "0.0" in (self.name, _name(other)):
            return Value(self.assign, "0.0")
        return self._commuting(other, "*", "1.0")

    __radd__, __rmul__ = __add__, __mul__

    def __sub__(self, other: Value | float) -> Value:
        if _name(other) == "0.0":
            return self
        if self.name == _name(other):
            return Value(self.assign, "0.0")
        return Value(self.assign, self.assign(f"{self.name} - {_name(other)}", [self.name, _name(other)]))

    def __rsub__(self, other: float) -> Value:
        return Value(self.assign, _name(other)) - self

    def __truediv__(self, other: Value | float) -> Value:
        if self.name == "0.0" or _name(other) == "1.0":
            return self
        return Value(self.assign, self.assign(f"{self.name} / {_name(other)}", [self.name, _name(other)]))

    def __neg__(self) -> Value:
        return Value(self.assign, "0.0") - self

    def __abs__(self) -> Value:
        return self if self.name in ("0.0", "1.0") else self.call("fabs")

    def sqrt(self) -> Value:
        """Square root, by which NumPy finds it."""
        return self if self.name in ("0.0", "1.0") else self.call("sqrt")

    def call(self, function: str) -> Value:
        """Value of a function of one argument."""
        return Value(self.assign, self.assign(f"{function}({self.name})", [self.name]))

    def smaller(self, other: Value) -> Value:
        """Return the smaller of two; nan where either is nan."""
        a, b = self.name, other.name
        return Value(self.assign, self.assign(f"{a} if {a} < {b} or {a} != {a} else {b}", [a, b])) if a != b else self

    def where_above(self, threshold: float, chosen: Value, other: Value) -> Value:
        """Return ``chosen`` where this value is above the threshold, else ``other``."""
        text = f"{chosen.name} if {self.name} > {threshold!r} else {other.name}"
        return Value(self.assign, self.assign(text, [self.name, chosen.name, other.name]))


def _name(value: Value | float) -> str:
    return value.name if isinstance(value, Value) else repr(float(value))


def traced(
    assign: Assign,
    g: Objects,
    dg: Objects,
    ddg: Objects,
    wanted: Collection[str],
    errors: tuple[Objects, ...] = (),
) -> dict[str, list[str]]:
    """Names of all components of the quantities wanted, for a positive metric.

    Parameters
    ----------
    assign : callable
        Adds a line to the program and returns its name.
    g, dg, ddg : ndarray of str
        Names of the components of the jet; the last two may be empty.
    wanted : collection of str
        Quantities, ``metric`` and ``fisher_trace`` included.
    errors : tuple of ndarray of str, optional
        Names of the bounds on the errors of the jet, as `infogeom.kernels.rounding` has them.

    Returns
    -------
    dict
        Besides the quantities, ``pivot``: the smallest LDLᵀ pivot over its diagonal entry, below 0 where the metric is
        not positive.
    """
    valued = np.frompyfunc(lambda name: Value(assign, name), 1, 1)
    g, dg, ddg, *bounds = (valued(names)[..., None] for names in (g, dg, ddg, *errors))
    n = len(g)
    pivots: list[Value] = []

    def frame(g: Objects, E: Objects, F: Objects, sign: Objects, volume: Objects) -> None:
        a, one, zero = g[..., 0].copy(), Value(assign, "1.0"), Value(assign, "0.0")
        minus_one = Value(assign, "(-1.0)")
        for i in range(n):
            for j in range(n):
                E[i, j, 0] = F[i, j, 0] = one if i == j else zero
        sign[:], volume[0] = one, one
        roots = []
        for i in range(n):
            d = a[i, i]
            volume[0] = volume[0] * d
            size = abs(g[i, i, 0])
            # Beside a zero on the diagonal a positive metric has zeros only.
            beside = sum((abs(g[i, j, 0]) for j in range(n) if j != i), zero)
            pivots.append(size.where_above(0.0, d / size, beside.where_above(0.0, minus_one, d * size)))
            # As in `curvature.frame`, a null direction takes any pivot: what follows from it is not used.
            d = pivots[i].where_above(curvature.SINGULAR, d, one)
            roots.append(d.sqrt())
            for j in range(i + 1, n):
                ratio = a[j, i] / d
                a[j, i + 1 :] = a[j, i + 1 :] - a[i, i + 1 :] * ratio
                E[:, j] = E[:, j] - E[:, i] * ratio
                F[i] = F[i] + F[j] * ratio
        for i in range(n):
            E[:, i] = E[:, i] * (one / roots[i])
            F[i] = F[i] * roots[i]

    found = geometry(g, dg, ddg, wanted, frame, PLAIN, tuple(bounds))
    quantities = {name: [_name(v) for v in np.ravel(values)] for name, values in found}
    if "metric" in wanted:
        quantities["metric"] = [v.name for v in g.ravel()]
    if "fisher_trace" in wanted:
        quantities["fisher_trace"] = [sum(g[i, i, 0] for i in range(n)).name]
    smallest = pivots[0]
    for pivot in pivots[1:]:
        smallest = pivot.smaller(smallest)
    return {**quantities, "pivot": [smallest.name]}


#: The functions of `curvature` as they stand, without numba.
PLAIN: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {name: getattr(curvature, name) for name in curvature.__all__}
)
