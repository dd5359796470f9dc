"""What can be asked of a metric at a point: one row a quantity, which everybody reads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "QUANTITIES",
    "Quantity",
    "highest_order",
    "may_vanish",
    "metric_and_model",
    "read_from",
    "shape_of",
    "tensors_of_curvature",
    "zero_with",
]


@dataclass(frozen=True)
class Quantity:
    """One quantity, or the bound on the error of each of its entries.

    Attributes
    ----------
    name : str
        Of the variable in a Dataset; no parameter may take it.
    label : str
        LaTeX, or words.
    rank : int
        Number of tensor indices.
    order : int
        Highest derivative of g that it takes; −1 for what does not take even g, the observables of a model.
    takes_inverse : bool
        Whether the metric has to be inverted for it or taken apart, so that its errors count on a regular one.
    singular : bool
        Whether it has a value where the metric is singular.
    by_diagonal : bool
        Whether the errors of its entries are held against √(g_ii g_jj), where that is positive, not its largest entry.
    vanishes_with : str
        Name of a quantity that it is 0 with wherever that is 0, perhaps itself, where it may be 0 everywhere.  Else
        empty.
    read_off : str
        Name of the quantity that gives it, point by point; such a one has no bound of its own.  Else empty.
    read : callable, optional
        Its values from those of that quantity, where they are all that it takes.
    bounds : str
        Name of the quantity whose errors these are.  Else empty.
    integer : bool
        Whether its values are small integers.
    """

    name: str
    label: str
    rank: int = 0
    order: int = 0
    takes_inverse: bool = True
    singular: bool = False
    by_diagonal: bool = False
    vanishes_with: str = ""
    read_off: str = ""
    read: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None
    bounds: str = ""
    integer: bool = False

    @property
    def base(self) -> str:
        """The quantity itself, also of its errors."""
        return self.bounds or self.name

    @property
    def source(self) -> str:
        """The quantity that has to be computed for it."""
        return self.read_off or self.base

    @property
    def observed(self) -> bool:
        """Whether it belongs to the model and not to its metric."""
        return self.order < 0

    @property
    def of_entries(self) -> bool:
        """Whether it is made of the entries of the metric as they stand."""
        return not self.order and not self.takes_inverse

    def errors(self) -> Quantity:
        """The row of the bounds on its errors."""
        label = rf"bound on $|\delta {self.label.strip('$')}|$"
        return Quantity(
            f"{self.name}_error", label, self.rank, self.order, self.takes_inverse, self.singular, bounds=self.name
        )


def _log10_of_size(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):  # of 0
        return np.asarray(np.log10(np.abs(values)))


_ROWS = (
    Quantity("metric", r"$g_{ij}$", 2, takes_inverse=False, singular=True, by_diagonal=True),
    Quantity("inverse_metric", r"$g^{ij}$", 2),
    Quantity("determinant", r"$\det g$", singular=True),
    Quantity("fisher_trace", r"$\mathrm{tr}\,I$", takes_inverse=False, singular=True),
    Quantity("christoffel", r"$\Gamma^i_{jk}$", 3, order=1),
    Quantity("riemann", r"$R^i_{jkl}$", 4, order=2, vanishes_with="riemann"),
    Quantity("ricci", r"$\mathrm{Ric}_{ij}$", 2, order=2, vanishes_with="riemann"),
    Quantity("ricci_scalar", r"$R$", order=2, vanishes_with="ricci"),
    Quantity("log10_ricci_scalar", r"$\log_{10} |R|$", order=2, read_off="ricci_scalar", read=_log10_of_size),
    Quantity("ricci_scalar_sign", r"$\mathrm{sign}\,R$", order=2, read_off="ricci_scalar", read=np.sign),
    Quantity("metric_rank", r"$\mathrm{rank}\,g$", singular=True, read_off="metric", integer=True),
    Quantity("null_directions", "null directions", 2, singular=True, read_off="metric"),
    Quantity("loss", r"$L$", order=-1, takes_inverse=False, singular=True),
    Quantity("log_likelihood", r"$\ell$", order=-1, takes_inverse=False, singular=True),
    Quantity("score", r"$\partial_i \ell$", 1, order=-1, takes_inverse=False, singular=True),
    Quantity("ntk_trace", r"$\mathrm{tr}\,\Lambda / N$", order=-1, takes_inverse=False, singular=True),
)
_BOUNDS = tuple(q.errors() for q in _ROWS if not q.read_off)
#: Every quantity and the bound on the errors of every one that is not read off another, by name.
QUANTITIES: Mapping[str, Quantity] = MappingProxyType({q.name: q for q in _ROWS + _BOUNDS})


def highest_order(names: Iterable[str]) -> int:
    """Highest derivative of g that any of the quantities takes; −1 where none takes even g."""
    return max((QUANTITIES[name].order for name in names), default=-1)


def shape_of(name: str, n: int) -> tuple[int, ...]:
    """Shape of a quantity of n coordinates; what has no row is a number."""
    return (n,) * QUANTITIES[name].rank if name in QUANTITIES else ()


def may_vanish() -> list[str]:
    """Quantities that may be 0 everywhere, in the order of the rows: those that others are 0 with come first."""
    return [q.name for q in QUANTITIES.values() if q.vanishes_with]


def zero_with(name: str) -> Iterator[str]:
    """A quantity that may vanish, and those that it is 0 with wherever they are."""
    yield name
    while (above := QUANTITIES[name].vanishes_with) != name:
        yield above
        name = above


def read_from(
    known: Mapping[str, NDArray[np.float64]], wanted: Iterable[str]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Those of the quantities wanted that can be read off known ones, with their values."""
    for q in map(QUANTITIES.__getitem__, wanted):
        if q.read and q.read_off in known:
            yield q.name, q.read(known[q.read_off])


def tensors_of_curvature(names: Iterable[str]) -> bool:
    """Whether any of the quantities takes the Riemann tensor, which R and what is read off it do without."""
    return any(QUANTITIES[name].order == 2 and QUANTITIES[name].source != "ricci_scalar" for name in names)


def metric_and_model(names: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Quantities that are made of the metric, with their bounds, and observables of the model, without."""
    of_metric = tuple(name for name in names if not QUANTITIES[name].observed)
    of_model = tuple(name for name in names if QUANTITIES[name].observed and not QUANTITIES[name].bounds)
    return of_metric, of_model
