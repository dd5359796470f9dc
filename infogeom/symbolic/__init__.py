"""Closed forms: Fisher metrics derived from log-densities, and the tensors of any closed-form metric."""

from infogeom.symbolic.fisher import ExpectationError, metric
from infogeom.symbolic.metric_value import Metric
from infogeom.symbolic.tensors import christoffel, inverse, ricci, ricci_scalar, riemann

__all__ = ["ExpectationError", "Metric", "christoffel", "inverse", "metric", "ricci", "ricci_scalar", "riemann"]
