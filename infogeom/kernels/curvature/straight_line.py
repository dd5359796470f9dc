"""The generic curvature code run on names instead of numbers: straight-line source for a given number of parameters.

`Value` overloads arithmetic to write program lines; zeros and ones fold away and equal expressions share a name, so a
diagonal metric costs what a diagonal metric should.  The source so written vectorises over points, which loops over
small arrays do not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.curvature import loops
from infogeom.kernels.curvature.geometry import geometry
from infogeom.kernels.curvature.tensor_errors import over_diagonal
from infogeom.quantities import QUANTITIES

__all__ = ["MINUS", "OVER", "PLAIN", "PLUS", "TIMES", "Assign", "Value", "written_out"]

Objects = NDArray[np.object_]

#: Forms of lines, text with places for the operands: a sum,
PLUS = "{0} + {1}"
#: a difference,
MINUS = "{0} - {1}"
#: a product,
TIMES = "{0} * {1}"
#: and a quotient.
OVER = "{0} / {1}"


#: What adds a line to a program: from a form and operands, names or literals, in its places, to the value's name.
Assign = Callable[..., str]


class Value:
    """A name in a program under construction, or a literal."""

    __slots__ = ("assign", "name")

    def __init__(self, assign: Assign, name: str) -> None:
        self.assign, self.name = assign, name

    def assigned(self, form: str, *operands: str) -> Value:
        """Value of a form with operands in its places."""
        return Value(self.assign, self.assign(form, *operands))

    def _commuting(self, other: Value | float, form: str, neutral: str) -> Value:
        a, b = sorted((self.name, _name(other)), key=lambda name: (len(name), name))
        if neutral in (a, b):
            return Value(self.assign, b if a == neutral else a)
        return self.assigned(form, a, b)

    def __add__(self, other: Value | float) -> Value:
        return self._commuting(other, PLUS, "0.0")

    def __mul__(self, other: Value | float) -> Value:
        if "0.0" in (self.name, _name(other)):
            return Value(self.assign, "0.0")
        return self._commuting(other, TIMES, "1.0")

    __radd__, __rmul__ = __add__, __mul__

    def __sub__(self, other: Value | float) -> Value:
        if _name(other) == "0.0":
            return self
        if self.name == _name(other):
            return Value(self.assign, "0.0")
        return self.assigned(MINUS, self.name, _name(other))

    def __rsub__(self, other: float) -> Value:
        return Value(self.assign, _name(other)) - self

    def __truediv__(self, other: Value | float) -> Value:
        if self.name == "0.0" or _name(other) == "1.0":
            return self
        return self.assigned(OVER, self.name, _name(other))

    def __neg__(self) -> Value:
        return Value(self.assign, "0.0") - self

    def __abs__(self) -> Value:
        return self if self.name in ("0.0", "1.0") else self.call("fabs")

    def sqrt(self) -> Value:
        """Square root, by which NumPy finds it."""
        return self if self.name in ("0.0", "1.0") else self.call("sqrt")

    def larger(self, other: Value) -> Value:
        """Return the larger of two numbers that are not negative; nan where either is nan."""
        a, b = self.name, other.name
        if a in (b, "0.0") or b == "0.0":
            return other if a == "0.0" else self
        return self.assigned("{0} if {0} > {1} or {0} != {0} else {1}", a, b)

    def call(self, function: str) -> Value:
        """Value of a function of one argument that loops vectorise over."""
        return self.assigned(f"{function}({{0}})", self.name)

    def smaller(self, other: Value) -> Value:
        """Return the smaller of two; nan where either is nan."""
        a, b = self.name, other.name
        return self.assigned("{0} if {0} < {1} or {0} != {0} else {1}", a, b) if a != b else self

    def where_above(self, threshold: float, chosen: Value, other: Value) -> Value:
        """Return ``chosen`` where this value is above the threshold, else ``other``."""
        return self.assigned(f"{{0}} if {{1}} > {threshold!r} else {{2}}", chosen.name, self.name, other.name)


def _name(value: Value | float) -> str:
    return value.name if isinstance(value, Value) else repr(float(value))


def written_out(
    assign: Assign,
    g: Objects,
    dg: Objects,
    ddg: Objects,
    wanted: Collection[str],
    errors: tuple[Objects, ...] = (),
    observables: Mapping[str, list[str]] = MappingProxyType({}),
    *,
    signed: bool = False,
    share: float = 1.0,
) -> dict[str, list[str]]:
    """Names of all components of the quantities wanted, for a positive or a diagonal metric, and of the observables.

    Parameters
    ----------
    assign : callable
        Adds a line to the program.
    g, dg, ddg : ndarray of str
        Names of the components of the jet; the last two may be empty.
    wanted : collection of str
        Quantities, and ``<quantity>_error`` of those whose errors are wanted.
    errors : tuple of ndarray of str, optional
        Names of the bounds on the errors of the jet, as `infogeom.kernels.codegen.rounding` has them.
    observables : mapping of str to list of str, optional
        Names of further quantities, and of their errors.
    signed : bool
        Whether the metric is diagonal, of any signs.
    share : float
        As for `infogeom.kernels.curvature.geometry.geometry`.

    Returns
    -------
    dict
        Besides the quantities, ``pivot``: the smallest LDLᵀ pivot over its diagonal entry, below 0 or nan where the
        metric is not positive; and ``doubt``: the largest error of a quantity or observable relative to its size, nan
        where the metric may be singular.
    """
    # The frame is the only step with decisions in it, which a line cannot take: here it has no 2 × 2 pivots, and what
    # it meets is told by ``pivot``; a point whose metric is not positive is then left to `loops.frame`.  All else is
    # `geometry` on objects, whose arithmetic writes lines in the order in which numbers would be computed.
    named: Any = np.frompyfunc(partial(Value, assign), 1, 1)

    def valued(names: Objects) -> Objects:
        return np.asarray(named(names)[..., None])

    g, dg, ddg = valued(g), valued(dg), valued(ddg)
    bounds = tuple(valued(names) for names in errors)
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
            if signed:
                sign[i, 0], d = d.where_above(0.0, one, minus_one), size
                pivots.append(size / size)
            else:
                pivots.append(size.where_above(0.0, d / size, beside.where_above(0.0, minus_one, d * size)))
            # As in `loops.frame`, a null direction takes any pivot: what follows from it is not used.
            d = pivots[i].where_above(loops.SINGULAR, d, one)
            roots.append(d.sqrt())
            for j in range(i + 1, n):
                ratio = a[j, i] / d
                a[j, i + 1 :] = a[j, i + 1 :] - a[i, i + 1 :] * ratio
                E[:, j] = E[:, j] - E[:, i] * ratio
                F[i] = F[i] + F[j] * ratio
        for i in range(n):
            E[:, i] = E[:, i] * (one / roots[i])
            F[i] = F[i] * roots[i]

    found = dict(geometry(g, dg, ddg, wanted, frame, PLAIN, bounds, share=share))
    names = {}
    for name, tensor in found.items():
        if name in wanted:
            names[name] = [_name(v) for v in np.ravel(tensor)]
    smallest = pivots[0]
    for pivot in pivots[1:]:
        smallest = pivot.smaller(smallest)
    for name, values in observables.items():
        factor = share if name.endswith("_error") else 1.0
        found[name] = np.array([Value(assign, v) * factor for v in values])
        names[name] = [v.name for v in found[name]]
    doubt = _doubt(found, set(wanted) | observables.keys(), assign)
    return {**names, "pivot": [smallest.name], "doubt": [doubt.name]}


def _doubt(found: Mapping[str, Objects], wanted: Collection[str], assign: Assign) -> Value:
    """The largest of all errors relative to what they are errors of."""
    zero, doubt = Value(assign, "0.0"), Value(assign, "0.0")
    for name in found:
        if name not in wanted or f"{name}_error" not in found:
            continue
        errors = found[f"{name}_error"]
        if name in QUANTITIES and QUANTITIES[name].by_diagonal:
            worst, size = _largest(over_diagonal(errors, found[name]), zero), Value(assign, "1.0")
        elif name == "ricci_scalar":  # negative where nothing is known
            worst, size = errors.item(), _largest(found[name], zero)
        else:
            worst, size = _largest(errors, zero), _largest(found[name], zero)
        doubt = _ratio(worst, size).larger(doubt)
    return found["sound"].item().where_above(0.0, doubt, Value(assign, "nan")) if "sound" in found else doubt


def _largest(array: Objects, zero: Value) -> Value:
    largest = zero
    for value in {_name(value): value for value in np.ravel(array)}.values():  # each of a symmetric array once
        if _name(value) != "0.0":
            largest = abs(value).larger(largest)
    return largest


def _ratio(error: Value | float, size: Value) -> Value:
    """An error over a size, 0 where it is below float64, infinite where it is negative: then nothing is known."""
    name = _name(error)
    if name == "0.0":
        return Value(size.assign, name)
    assert isinstance(error, Value)
    quotient = (error / size).name if size.name != "0.0" else "inf"
    kept = error.assigned(f"{{0}} if {{1}} > {loops.TINY!r} else 0.0", quotient, name)
    return kept.assigned("{0} if {1} >= 0.0 else inf", kept.name, name)


#: The functions of `curvature` as they stand, without numba.
PLAIN: MappingProxyType[str, Callable[..., Any]] = MappingProxyType(
    {name: getattr(loops, name) for name in loops.__all__}
)
