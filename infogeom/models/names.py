"""What parameters may be called."""

from __future__ import annotations

import keyword
from collections.abc import Iterable

from infogeom.quantities import QUANTITIES

__all__ = ["check_name"]


def check_name(name: str, also: Iterable[str] = ()) -> None:
    """Raise ValueError unless ``name`` can name an axis, a dimension and a variable of a Dataset.

    ``also`` are names that are taken in the result at hand, besides those of what every metric has.
    """
    if keyword.iskeyword(name):
        raise ValueError(f"parameter name {name!r} is a keyword of Python; take {name + '_'!r}")
    if not (name.isascii() and name.isidentifier()):
        raise ValueError(f"parameter name must be an ASCII identifier, got {name!r}")
    if name.removesuffix("_error") in _of_every_metric() | {*also}:
        raise ValueError(f"parameter name {name!r} is reserved for results; choose another, {name + '_'!r} for one")


def _of_every_metric() -> set[str]:
    return {"status"} | {q.base for q in QUANTITIES.values() if not q.observed}
