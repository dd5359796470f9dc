"""The modules of float64 functions that compiled kernels may call, each as a whole."""

from __future__ import annotations

from infogeom.kernels import exponentials, special

__all__ = ["CALLED", "MODULES"]

MODULES = (special, exponentials)
#: Names of the functions.
CALLED = frozenset(name for module in MODULES for name in module.__all__)
