"""What can be asked of a metric at a point: one row a quantity, which everybody reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["QUANTITIES", "Quantity", "highest_order", "metric_and_model", "tensors_of_curvature"]


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
    read_off : str
        Name of the quantity that gives it, point by point; such a one has no bound of its own.  Else empty.
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
    read_off: str = ""
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

    def errors(self) -> Quantity:
        """The row of the bounds on its errors."""
        label = rf"bound on $|\delta {self.label.strip('$')}|$"
        return Quantity(
            f"{self.name}_error", label, self.rank, self.order, self.takes_inverse, self.singular, bounds=self.name
        )


_ROWS = (
    Quantity("metric", r"$g_{ij}$", 2, takes_inverse=False, singular=True),
    Quantity("inverse_metric", r"$g^{ij}$", 2),
    Quantity("determinant", r"$\det g$", singular=True),
    Quantity("fisher_trace", r"$\mathrm{tr}\,I$", takes_inverse=False, singular=True),
    Quantity("christoffel", r"$\Gamma^i_{jk}$", 3, order=1),
    Quantity("riemann", r"$R^i_{jkl}$", 4, order=2),
    Quantity("ricci", r"$\mathrm{Ric}_{ij}$", 2, order=2),
    Quantity("ricci_scalar", r"$R$", order=2),
    Quantity("log10_ricci_scalar", r"$\log_{10} |R|$", order=2, read_off="ricci_scalar"),
    Quantity("ricci_scalar_sign", r"$\mathrm{sign}\,R$", order=2, read_off="ricci_scalar"),
    Quantity("metric_rank", r"$\mathrm{rank}\,g$", singular=True, read_off="metric", integer=True),
    Quantity("null_directions", "null directions", 2, singular=True, read_off="metric"),
    Quantity("loss", r"$L$", order=-1, takes_inverse=False, singular=True),
    Quantity("ntk_trace", r"$\mathrm{tr}\,\Lambda / N$", order=-1, takes_inverse=False, singular=True),
)
_BOUNDS = tuple(q.errors() for q in _ROWS if not q.read_off)
#: Every quantity and the bound on the errors of every one that is not read off another, by name.
QUANTITIES: Mapping[str, Quantity] = MappingProxyType({q.name: q for q in _ROWS + _BOUNDS})


def highest_order(names: Iterable[str]) -> int:
    """Highest derivative of g that any of the quantities takes; −1 where none takes even g."""
    return max((QUANTITIES[name].order for name in names), default=-1)


def tensors_of_curvature(names: Iterable[str]) -> bool:
    """Whether any of the quantities takes the Riemann tensor, which R and what is read off it do without."""
    return any(QUANTITIES[name].order == 2 and QUANTITIES[name].source != "ricci_scalar" for name in names)


def metric_and_model(names: Collection[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Quantities that are made of the metric, with their bounds, and observables of the model, without."""
    of_metric = tuple(name for name in names if not QUANTITIES[name].observed)
    of_model = tuple(name for name in names if QUANTITIES[name].observed and not QUANTITIES[name].bounds)
    return of_metric, of_model
