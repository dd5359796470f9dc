"""Tensors as SymPy arrays that know what they are, for those who read them in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from sympy import ImmutableDenseNDimArray, Symbol

from infogeom.formulas import latex

__all__ = ["CHRISTOFFEL", "RICCI", "RIEMANN", "Kind", "TensorComponents", "labelled"]


@dataclass(frozen=True)
class Kind:
    """How a tensor is written.

    Attributes
    ----------
    letter : str
        In LaTeX.
    raised : {0, 1}
        How many of the indices stand above.
    sign : {1, -1}
        What exchanging the last two indices does.
    """

    letter: str
    raised: int
    sign: int


CHRISTOFFEL = Kind(r"\Gamma", raised=1, sign=1)
RIEMANN = Kind("R", raised=1, sign=-1)
RICCI = Kind(r"\mathrm{Ric}", raised=0, sign=1)


class TensorComponents(ImmutableDenseNDimArray):  # type: ignore[misc]  # SymPy has no types
    """SymPy array; in a notebook a table of the components that are not 0.

    What is made of it by arithmetic is such an array too, of no kind, and prints as an array.
    """

    kind: Kind | None = None
    coordinates: tuple[Symbol, ...] = ()

    def __hash__(self) -> int:  # equal arrays have equal ones
        return hash(ImmutableDenseNDimArray(self))

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {latex(self) if self.kind is None else _table(self, self.kind)}$"


def labelled(kind: Kind, coordinates: Sequence[Symbol], components: ImmutableDenseNDimArray) -> TensorComponents:
    """Components as a tensor of some kind."""
    made = TensorComponents(components)
    made.kind, made.coordinates = kind, tuple(coordinates)
    return made


def _table(tensor: TensorComponents, kind: Kind) -> str:
    """LaTeX of the components that are not 0, a line each; those that only exchange two indices share it."""
    rows = []
    for index in product(range(len(tensor.coordinates)), repeat=tensor.rank()):
        value, mirrored = tensor[index], (*index[:-2], index[-1], index[-2])
        if value == 0 or mirrored < index:
            continue
        names = [_component(tensor, kind, index)]
        if mirrored != index:
            names.append("-" * (kind.sign < 0) + _component(tensor, kind, mirrored))
        rows.append(f"{' = '.join(names)} &= {latex(value)}")
    if not rows:
        return f"{kind.letter} = 0"
    return r"\begin{aligned} " + r" \\ ".join(rows) + r" \end{aligned}"


def _component(tensor: TensorComponents, kind: Kind, index: Sequence[int]) -> str:
    names = [latex(tensor.coordinates[k]) for k in index]
    above, below = r"\,".join(names[: kind.raised]), r"\,".join(names[kind.raised :])
    return kind.letter + (f"^{{{above}}}" if above else "") + f"_{{{below}}}"
