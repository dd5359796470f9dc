"""Stationary autoregressions: of so many observations, and for each of infinitely many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Symbol

from infogeom.arguments import check_count
from infogeom.models.entries import Entries, entries_of_places
from infogeom.models.matrices import leading_minors, symmetric
from infogeom.models.model import Model, Structure
from infogeom.models.normal_law import NormalLaw, normal_law
from infogeom.models.parameter import Parameter, positive, real

__all__ = ["LongAutoregression", "autoregression"]

#: The recursion in LaTeX.
RECURSION = r"x_t = \sum_k \varphi_k x_{t-k} + \sigma \varepsilon_t"


@dataclass(frozen=True)
class LongAutoregression(Structure):
    """A stationary autoregression for each of infinitely many observations.

    Attributes
    ----------
    phi : tuple of Symbol
    sigma : Symbol
    precision : ImmutableMatrix, shape (p, p)
        Of p observations in a row, for σ = 1.
    """

    per = "observation"
    phi: tuple[Symbol, ...]
    sigma: Symbol
    precision: sympy.ImmutableMatrix


def autoregression(order: int, length: int | None = None) -> Model:
    """Stationary autoregression x_t = φ_1 x_(t−1) + … + φ_p x_(t−p) + σ ε_t.

    Parameters ``phi1`` …, ``sigma``. The precision of the observations is banded: with the lower triangular Toeplitz
    matrices A of 1, −φ_1, …, −φ_p and B of 0, …, 0, −φ_p, …, −φ_1 it is (A Aᵀ − B Bᵀ) / σ².

    Parameters
    ----------
    order : int
        p, at least 1.
    length : int, optional
        Number of observations, at least 2 p. Without it the metric is that for each of infinitely many.

    Raises
    ------
    TypeError, ValueError
        For an order or a length out of range.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.autoregression(1, 200).at(phi1=0.5, sigma=1).metric.round(3)
    array([[266.222,   1.333],
           [  1.333, 400.   ]])
    >>> ig.models.autoregression(1).metric().matrix.tolist()
    [[1/((1 - phi1)*(phi1 + 1)), 0], [0, 2/sigma**2]]
    """
    check_count("order", order)
    coefficients, sigma = _coefficients(order), positive("sigma", (0.5, 2.0))
    phi = tuple(p.symbol for p in coefficients)
    if length is None:
        precision = symmetric(_banded(phi, order), order)
        structure = LongAutoregression(phi, sigma.symbol, precision)
        x = Symbol("x", real=True)
        return Model(
            f"autoregression of order {order}",
            [*coefficients, sigma],
            sympy.Function("log_density", real=True)(x, *phi, sigma.symbol),
            x,
            None,
            constraints=_stationary(phi),
            structure=structure,
            latex=RECURSION,
            source="Whittle, Ark. Mat. 2 (1953) 423–434",
        )

    check_count("length", length, 2 * order)
    banded = {place: e / sigma.symbol**2 for place, e in _banded(phi, length).items()}
    T = entries_of_places(banded, (length, length), symmetric=True)
    law = NormalLaw(Entries((length, 1), ()), T, is_precision=True, is_positive=True)
    return normal_law(
        f"autoregression of order {order}, {length} observations",
        law,
        [*coefficients, sigma],
        constraints=_stationary(phi),
        latex=RECURSION,
        source="Galbraith & Galbraith, J. Appl. Probab. 11 (1974) 63–71",
    )


def _coefficients(order: int) -> list[Parameter]:
    if order == 1:
        return [Parameter(Symbol("phi1", real=True), sympy.Interval.open(-1, 1), (-0.8, 0.8))]
    return [real(f"phi{k + 1}", (-0.6 / order, 0.6 / order)) for k in range(order)]


def _banded(phi: Sequence[Symbol], length: int) -> dict[tuple[int, int], Expr]:
    """Upper triangle of A Aᵀ − B Bᵀ where it does not vanish."""
    order, a = len(phi), [sympy.Integer(1), *(-f for f in phi)]
    found = {}
    for i in range(length):
        for lag in range(min(order, length - 1 - i) + 1):
            products = [a[k] * a[k + lag] for k in range(order + 1 - lag)]
            behind = length - 1 - i - lag
            found[i, i + lag] = sympy.Add(*products[: i + 1]) - sympy.Add(*products[behind + 1 :])
    return found


def _stationary(phi: Sequence[Symbol]) -> list[Expr]:
    """What is positive where all roots lie inside the unit circle (Schur 1917); of one coefficient its domain tells."""
    if len(phi) == 1:
        return []
    return list(leading_minors(symmetric(_banded(phi, len(phi)), len(phi))))
