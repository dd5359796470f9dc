"""Finding phase transitions: scans along a line, extrapolation from finite sizes, collapse of data, and the order."""

from infogeom.transitions.estimates import Estimate, Exponent
from infogeom.transitions.finite_size import critical_point, exponent
from infogeom.transitions.histograms import Order, order
from infogeom.transitions.lines import scan
from infogeom.transitions.scaling import Collapse, collapse

__all__ = ["Collapse", "Estimate", "Exponent", "Order", "collapse", "critical_point", "exponent", "order", "scan"]


def __dir__() -> list[str]:
    return sorted(__all__)
