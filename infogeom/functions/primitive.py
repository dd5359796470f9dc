"""The functions of this package among SymPy's: each says its `Facts`, and what else of it depends on its arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import sympy
from sympy import Expr

from infogeom.functions.facts import Facts

__all__ = ["Primitive", "powered", "primitives"]

_KNOWN: dict[type[Primitive], Facts] = {}


class Primitive(sympy.Function):
    """A function of this package.  Its name is that of its class, everywhere."""

    facts: ClassVar[Facts]

    def __init_subclass__(cls, **options: Any) -> None:
        """Put a function that states its facts on the roll."""
        super().__init_subclass__(**options)
        if "facts" in vars(cls):
            _KNOWN[cls] = cls.facts

    @property
    def operands(self) -> tuple[Expr, ...]:
        """The arguments that are numbers."""
        return self.args  # type: ignore[no-any-return]

    def beside_zero(self) -> Expr:
        """What the float64 version's error is relative to beside a zero of the value, in addition to that."""
        return sympy.Integer(0)

    def roundings_of_scipy(self, size: Callable[[Expr], Expr]) -> Expr | None:
        """Error of the version in `infogeom.numeric.float64`, in roundings; None where it is a special function's.

        ``size`` gives the magnitude of an expression.
        """
        return None


def primitives() -> dict[type[Primitive], Facts]:
    """Every function of this package, with its facts."""
    return dict(_KNOWN)


def powered(text: str, exp: str | None) -> str:
    """LaTeX of a power."""
    return text if exp is None else rf"{{{text}}}^{{{exp}}}"
