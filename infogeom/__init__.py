"""Information geometry: from a statistical model to its Fisher metric, curvature and a figure.

The parts are imported when they are first used, so ``import infogeom`` costs next to nothing:

>>> import infogeom as ig
>>> ig.symbolic.metric(ig.models.normal()).names
('mu', 'sigma')
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__all__ = [
    "StatusWarning",
    "__version__",
    "arguments",
    "catalogue",
    "cli",
    "einstein",
    "files",
    "formulas",
    "functions",
    "grid",
    "kernels",
    "losses",
    "models",
    "network",
    "optimizers",
    "plotting",
    "precision",
    "quantities",
    "removable",
    "routes",
    "symbolic",
    "tables",
    "training",
    "verification",
    "verify",
    "workers",
]

__version__ = "0.1.0"

_HOMES = {"StatusWarning": "infogeom.grid", "verify": "infogeom.verification"}

if TYPE_CHECKING:
    from infogeom import (
        arguments,
        catalogue,
        cli,
        einstein,
        files,
        formulas,
        functions,
        grid,
        kernels,
        losses,
        models,
        network,
        optimizers,
        plotting,
        precision,
        quantities,
        removable,
        routes,
        symbolic,
        tables,
        training,
        verification,
        workers,
    )
    from infogeom.grid import StatusWarning
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
