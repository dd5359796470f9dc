"""The modules of float64 functions that compiled kernels may call, each as a whole."""

from __future__ import annotations

from infogeom.kernels.compiled import conway_maxwell, exponentials, float_functions, polylogarithms

__all__ = ["CALLED", "HELPERS", "MODULES"]

MODULES = (float_functions, exponentials, polylogarithms, conway_maxwell)
#: Names of the functions.
CALLED = frozenset(name for module in MODULES for name in module.__all__)
#: Those that are no functions of their own: sources write others out by them.
HELPERS = frozenset({"inverse_mills_by", "log_normal_cdf_by", "mills_ratio"})
