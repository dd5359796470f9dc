"""Normal laws whose covariance has eigenvectors, or a limit, that the parameters do not move."""

from __future__ import annotations

from collections import Counter

import sympy
from sympy import ImmutableMatrix

from infogeom.models.autoregressions import LongAutoregression
from infogeom.models.latent import RandomIntercept
from infogeom.models.law import Law
from infogeom.models.matrices import adjugate
from infogeom.models.structures import Gaussian
from infogeom.symbolic.expectation import OpenExpectationError
from infogeom.symbolic.normal_form import normal_form
from infogeom.symbolic.structures.gaussian import gaussian_matrix
from infogeom.symbolic.structures.rules import Derived, Rules, rules_for

__all__ = ["LongAutoregressionRules", "RandomInterceptRules"]


@rules_for(RandomIntercept)
class RandomInterceptRules(Rules[RandomIntercept]):
    """By independent normal laws: the sum of each group over √n, and n − 1 contrasts in it."""

    def matrix(self) -> Derived:
        """The sum of their metrics."""
        law = self.structure
        within, between = law.sigma**2, law.tau**2
        contrasts = sum(law.sizes) - len(law.sizes)
        g = contrasts * self._of_one(sympy.Integer(0), within)
        for n, groups in sorted(Counter(law.sizes).items()):
            g += groups * self._of_one(sympy.sqrt(n) * law.mu, within + n * between)
        return Derived(self._checked(ImmutableMatrix(g)))

    def _of_one(self, mean: sympy.Expr, variance: sympy.Expr) -> ImmutableMatrix:
        """Metric of one observation."""
        return gaussian_matrix(Gaussian(ImmutableMatrix([mean]), ImmutableMatrix([variance])), self.coordinates)


@rules_for(LongAutoregression)
class LongAutoregressionRules(Rules[LongAutoregression]):
    """By the limit of Whittle (1953): for each observation the covariance of p of them in a row, over σ²; and 2/σ²."""

    def matrix(self) -> Derived:
        """The block of the coefficients and that of σ."""
        law = self.structure
        inverse, determinant = adjugate(law.precision)
        covariance = (inverse / determinant).applyfunc(normal_form)
        return Derived(self._presented(ImmutableMatrix(sympy.diag(covariance, 2 / law.sigma**2))))

    def laws(self, reason: OpenExpectationError) -> list[Law]:
        """None: a limit of laws is none."""
        raise reason
