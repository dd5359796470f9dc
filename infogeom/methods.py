"""Methods and functions that call those of higher layers, by their names through the package's face.

Models and metrics stand below what is done with them. Nothing but this module and the command line looks up, and this
one only when it is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sympy import Expr, ImmutableDenseNDimArray, ImmutableMatrix

import infogeom as ig
from infogeom.arguments import point_inside

if TYPE_CHECKING:
    from xarray import Dataset

__all__ = ["OfMetrics", "OfModels", "table"]

DEFAULT_QUANTITIES = ("metric", "ricci_scalar")


class OfModels:
    """What people ask of a model first."""

    @property
    def _model(self) -> ig.models.Model:
        assert isinstance(self, ig.models.Model)
        return self

    def metric(self) -> ig.Metric:
        """Fisher metric in closed form, see `infogeom.symbolic.metric`.

        Examples
        --------
        >>> import infogeom as ig
        >>> ig.models.binomial(7).metric().matrix
        Matrix([[7/(p*(1 - p))]])
        """
        return ig.metric(self._model)

    def evaluate(
        self, axes: Mapping[str, ArrayLike], quantities: Sequence[str] = DEFAULT_QUANTITIES, **options: Any
    ) -> Dataset:
        """Quantities on a grid of parameters, see `infogeom.grid.evaluate`.

        Examples
        --------
        >>> import infogeom as ig
        >>> ig.models.normal().evaluate({"mu": 0, "sigma": [1, 2, 3]}).ricci_scalar.values
        array([-1., -1., -1.])
        """
        return ig.evaluate(self._model, axes, quantities, **options)

    def at(self, /, **values: float) -> ig.distributions.Distribution:
        """Law at one point, a number for each parameter by its name, see `infogeom.distributions.Distribution`.

        Examples
        --------
        >>> import infogeom as ig
        >>> ig.models.normal().at(mu=0, sigma=2).score(4)
        array([1. , 1.5])
        """
        return ig.distributions.Distribution(self._model, values)


class OfMetrics:
    """What people ask of a metric first."""

    @property
    def _metric(self) -> ig.Metric:
        assert isinstance(self, ig.Metric)
        return self

    def inverse(self) -> ImmutableMatrix:
        """Inverse metric g^ij, see `infogeom.symbolic.inverse`."""
        return ig.symbolic.inverse(self._metric)

    def det(self) -> Expr:
        """Determinant of g_ij, see `infogeom.symbolic.determinant`."""
        return ig.symbolic.determinant(self._metric)

    def christoffel(self) -> ImmutableDenseNDimArray:
        """Christoffel symbols Γ^i_jk, see `infogeom.symbolic.christoffel`."""
        return ig.symbolic.christoffel(self._metric)

    def riemann(self) -> ImmutableDenseNDimArray:
        """Riemann tensor R^i_jkl, see `infogeom.symbolic.riemann`."""
        return ig.symbolic.riemann(self._metric)

    def ricci(self) -> ImmutableDenseNDimArray:
        """Ricci tensor Ric_ij, see `infogeom.symbolic.ricci`."""
        return ig.symbolic.ricci(self._metric)

    def ricci_scalar(self) -> Expr:
        """Ricci scalar R, see `infogeom.symbolic.ricci_scalar`.

        Examples
        --------
        >>> import infogeom as ig
        >>> ig.models.normal().metric().ricci_scalar()
        -1
        """
        return ig.symbolic.ricci_scalar(self._metric)

    def evaluate(
        self, axes: Mapping[str, ArrayLike], quantities: Sequence[str] = DEFAULT_QUANTITIES, **options: Any
    ) -> Dataset:
        """Quantities on a grid of coordinates, see `infogeom.grid.evaluate`."""
        return ig.evaluate(self._metric, axes, quantities, **options)

    def at(self, /, **values: float) -> NDArray[np.float64]:
        """Matrix g_ij at one point, a number for each coordinate by its name.

        In float64, right to 1e-9 of its entries as `infogeom.grid.evaluate_points` has it, whatever form the metric is
        given in. ``metric.matrix.subs({sigma: 2})`` keeps a closed form exact.

        Returns
        -------
        ndarray of float64, shape (n, n)

        Raises
        ------
        TypeError, ValueError
            For names that are not those of the coordinates, and a point outside the domain.

        Examples
        --------
        >>> import infogeom as ig
        >>> ig.models.normal().metric().at(mu=0, sigma=2)
        array([[0.25, 0.  ],
               [0.  , 0.5 ]])
        """
        metric = self._metric
        domains = dict(zip(metric.coordinates, metric.domains, strict=True))
        point = point_inside("at", values, domains, metric.constraints)
        there = ig.evaluate_points(metric, [list(point.values())], ["metric"])
        return np.asarray(there["metric"].values[0])


def table(chosen: Sequence[str] | None = None, **options: float) -> ig.catalogue.Catalogue:
    """Families with their parameters, metric and curvature, see `infogeom.catalogue.table`.

    Examples
    --------
    >>> import infogeom as ig
    >>> ig.models.table(["poisson", "normal"])
    family   parameters          Hessian  curvature  R   metric
    poisson  rate > 0            yes      flat       0   1/rate
    normal   mu real, sigma > 0  no       constant   -1  diag(sigma**(-2), 2/sigma**2)
    """
    return ig.catalogue.table(chosen, **options)
