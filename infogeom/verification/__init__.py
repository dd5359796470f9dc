"""Independent routes to the numbers of a model or metric, and whether they agree.

What the compiled kernels give is held against what the log-density says by its definition, what the textbook formulas
make of the closed form in 50 digits and of its differences in 200, what the Gauss equation makes of a surface with
that metric, ball arithmetic and EinsteinPy.  A route that cannot be taken says why.
"""

from infogeom.verification.comparison import typical_points, verify
from infogeom.verification.table import Row, Verification

__all__ = ["Row", "Verification", "typical_points", "verify"]


def __dir__() -> list[str]:
    return sorted(__all__)
