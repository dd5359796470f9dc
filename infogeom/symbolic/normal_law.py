"""Metrics of normal laws that are known by numbers alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from sympy import Expr, Symbol

from infogeom.models.normal_law import NormalLaw
from infogeom.symbolic.forms import Form, Place, check_symbols

__all__ = ["MeanAndCovariance"]


@dataclass(frozen=True, eq=False, repr=False)
class MeanAndCovariance(Form):
    """Metric of a normal law, ∂_a μᵀ Σ⁻¹ ∂_b μ + ½ tr(Σ⁻¹ ∂_a Σ Σ⁻¹ ∂_b Σ), of a mean and a covariance.

    Parameters
    ----------
    law : NormalLaw

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.symbolic.numeric_metric(ig.models.autoregression(1, 200)).form.told
    'a normal law of 200 components'
    """

    law: NormalLaw

    @property
    def expressions(self) -> tuple[Expr, ...]:
        """Of the entries of the mean and the covariance, without numbers."""
        return self.law.mean.expressions + self.law.matrix.expressions

    @property
    def told(self) -> str:
        """What the model is."""
        return self.law.told

    def read(self, place: Place) -> Self:
        """As it is."""
        check_symbols(self.law.mean.free_symbols | self.law.matrix.free_symbols, place, ())
        return replace(self)

    def subs(self, known: Mapping[Symbol, Expr]) -> Form:
        """In the entries."""
        return replace(self, law=self.law.subs(known))

    def latex(self, coordinates: Sequence[Symbol]) -> str:
        """LaTeX of the formula for normal laws."""
        inverse, turned = (r"\Sigma^{-1}", r"\Sigma") if not self.law.is_precision else ("T", "T")
        back = r"\Sigma^{-1}" if not self.law.is_precision else "T^{-1}"
        means = rf"\partial_i \mu^\top {inverse} \partial_j \mu"
        return rf"{means} + \tfrac12 \mathrm{{tr}}({back} \partial_i {turned} {back} \partial_j {turned})"
