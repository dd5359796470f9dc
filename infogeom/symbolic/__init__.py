"""Closed forms: Fisher metrics derived from log-densities, and the tensors of any closed-form metric."""

from infogeom.symbolic.called import Called
from infogeom.symbolic.composed import DirectSum, PulledBack, Scaled
from infogeom.symbolic.fisher import ExpectationError, metric, numeric_metric
from infogeom.symbolic.forms import ClosedForm, Expectation, Form, WeightedStates
from infogeom.symbolic.gibbs import CumulantsAtPoint
from infogeom.symbolic.metric_value import Metric
from infogeom.symbolic.normal_law import MeanAndCovariance
from infogeom.symbolic.tensors import christoffel, determinant, inverse, ricci, ricci_scalar, riemann
from infogeom.symbolic.thermodynamics import thermodynamic_metric

__all__ = [
    "Called",
    "ClosedForm",
    "CumulantsAtPoint",
    "DirectSum",
    "Expectation",
    "ExpectationError",
    "Form",
    "MeanAndCovariance",
    "Metric",
    "PulledBack",
    "Scaled",
    "WeightedStates",
    "christoffel",
    "determinant",
    "inverse",
    "metric",
    "numeric_metric",
    "ricci",
    "ricci_scalar",
    "riemann",
    "thermodynamic_metric",
]


def __dir__() -> list[str]:
    return sorted(__all__)
