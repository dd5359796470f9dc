"""Information geometry: from a statistical model to its Fisher metric, curvature and a figure.

The parts are imported when they are first used, so ``import infogeom`` costs next to nothing:

>>> import infogeom as ig
>>> ig.metric(ig.models.normal()).names
('mu', 'sigma')
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__all__ = [
    "Metric",
    "StatusWarning",
    "__version__",
    "catalogue",
    "distributions",
    "einstein",
    "evaluate",
    "evaluate_points",
    "functions",
    "grid",
    "losses",
    "metric",
    "models",
    "network",
    "optimizers",
    "plotting",
    "symbolic",
    "training",
    "transitions",
    "verification",
    "verify",
]

__version__ = "0.1.0"

#: Where the short names are at home; every other one is a module.
_HOMES = {
    "Metric": "infogeom.symbolic",
    "StatusWarning": "infogeom.grid",
    "evaluate": "infogeom.grid",
    "evaluate_points": "infogeom.grid",
    "metric": "infogeom.symbolic",
    "verify": "infogeom.verification",
}

if TYPE_CHECKING:
    from infogeom import (
        catalogue,
        distributions,
        einstein,
        functions,
        grid,
        losses,
        models,
        network,
        optimizers,
        plotting,
        symbolic,
        training,
        transitions,
        verification,
    )
    from infogeom.grid import StatusWarning, evaluate, evaluate_points
    from infogeom.symbolic import Metric, metric
    from infogeom.verification import verify
else:

    def __getattr__(name: str) -> object:
        if name in _HOMES:
            value = getattr(importlib.import_module(_HOMES[name]), name)
        elif name in __all__:
            value = importlib.import_module(f"{__name__}.{name}")
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return globals().setdefault(name, value)


def __dir__() -> list[str]:
    return sorted(__all__)
