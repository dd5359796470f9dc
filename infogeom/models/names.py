"""What parameters may be called."""

from __future__ import annotations

import keyword
from collections.abc import Iterable

__all__ = ["OF_NETWORKS", "check_name"]

#: Names of quantities, which no parameter may take: they stand beside it in every result.
RESERVED = frozenset({
    *("metric", "inverse_metric", "determinant", "christoffel", "riemann", "ricci", "ricci_scalar"),
    *("fisher_trace", "status", "log10_ricci_scalar", "ricci_scalar_sign", "metric_rank", "null_directions"),
})  # fmt: skip
#: Quantities that metrics of networks have beside those.
OF_NETWORKS = frozenset({"loss", "ntk_trace"})
#: What a bound on the error of a quantity is called.
ERROR = "_error"


def check_name(name: str, also: Iterable[str] = ()) -> None:
    """Raise ValueError unless ``name`` can name an axis, a dimension and a variable of a Dataset.

    ``also`` are names that are taken in the result at hand, besides those of the quantities.
    """
    if keyword.iskeyword(name):
        raise ValueError(f"parameter name {name!r} is a keyword of Python; take {name + '_'!r}")
    if not (name.isascii() and name.isidentifier()):
        raise ValueError(f"parameter name must be an ASCII identifier, got {name!r}")
    if name.removesuffix(ERROR) in RESERVED | {*also}:
        raise ValueError(f"parameter name {name!r} is reserved for results; choose another, {name + '_'!r} for one")
