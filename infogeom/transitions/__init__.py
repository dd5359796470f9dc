"""Finding phase transitions: scans along a line, extrapolation from finite sizes, collapse of data, and the order."""

from infogeom.transitions.estimates import Estimate, Exponent
from infogeom.transitions.finite_size import critical_point, exponent
from infogeom.transitions.histograms import Order, order
from infogeom.transitions.lines import scan

__all__ = ["Estimate", "Exponent", "Order", "critical_point", "exponent", "order", "scan"]


def __dir__() -> list[str]:
    return sorted(__all__)
