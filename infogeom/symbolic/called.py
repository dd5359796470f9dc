"""A metric that is given by a function of its coordinates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from sympy import Expr, Symbol

from infogeom.arguments import check_real
from infogeom.symbolic.forms import Form, Place

__all__ = ["Called"]


@dataclass(frozen=True, eq=False, repr=False)
class Called(Form):
    """A function of the coordinates, of which nothing is known but its values.

    Parameters
    ----------
    function : callable
        ``function(*coordinates)``, of floats, returns g, shape (n, n); or (g, ∂g); or (g, ∂g, ∂∂g): ``dg[i, j, k]`` is
        ∂_k g_ij and ``ddg[i, j, k, l]`` is ∂_k ∂_l g_ij. What it does not give is found by differences.
        Where it raises an ArithmeticError or a ValueError the metric has no value: nan, unrefined.
    accuracy : float
        How far each number may be off, relative to the scale √|g_ii g_jj| of its entry, or |g_ij| where that is more,
        and for derivatives to that times the fastest that an entry changes with their coordinates.

    Notes
    -----
    Differences see what changes over a millionth of a coordinate or more, of 1 where it is 0.

    Examples
    --------
    >>> import sympy, infogeom as ig
    >>> u, v = sympy.symbols("u v", positive=True)
    >>> plane = ig.Metric([u, v], ig.symbolic.Called(lambda u, v: [[1 / v**2, 0], [0, 1 / v**2]]))
    >>> plane.at(u=0.3, v=2)
    array([[0.25, 0.  ],
           [0.  , 0.25]])
    """

    function: Callable[..., Any]
    accuracy: float = 2.0**-48

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """None."""
        return ()

    @property
    def told(self) -> str:
        """A function."""
        return "a function of the coordinates"

    def read(self, place: Place) -> Self:
        """As it is."""
        if not callable(self.function):
            raise TypeError(f"function must be callable, got {self.function!r}")
        check_real("accuracy", self.accuracy)
        if not 0 < self.accuracy < 1:
            raise ValueError(f"accuracy must be between 0 and 1, got {self.accuracy}")
        return replace(self)

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """Name of the function."""
        name = getattr(self.function, "__name__", "f")
        return rf"\mathtt{{{name}}}" if name.isidentifier() and "_" not in name else "f"
