"""The families that come with the package, and what their geometry is: a table, and each of them in full.

>>> import infogeom as ig
>>> row = ig.catalogue.entry("normal")
>>> row.ricci_scalar, row.hessian, row.constant_curvature, row.flat
(-1, False, True, False)
"""

from infogeom.catalogue.listing import Catalogue, Entry, entries, entry, lines, table

__all__ = ["Catalogue", "Entry", "entries", "entry", "lines", "table"]


def __dir__() -> list[str]:
    return sorted(__all__)
