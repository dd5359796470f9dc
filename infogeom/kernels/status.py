"""How good a point's numbers are."""

from __future__ import annotations

__all__ = ["MEANINGS", "Status"]


class Status:
    """Values of ``status``."""

    OK, REFINED, SINGULAR, OUT_OF_DOMAIN, OVERFLOW, UNREFINED, UNDEFINED = range(7)
    #: The metric of an equation of state is not positive definite; numbers stay.
    UNPHYSICAL = 10
    #: float64 cannot tell the metric from a singular one; settled before any result is handed out.
    UNKNOWN = -1


MEANINGS = dict(enumerate(("ok", "refined", "singular", "out_of_domain", "overflow", "unrefined", "undefined")))
MEANINGS[Status.UNPHYSICAL] = "unphysical"
