"""The one numba policy.

``nogil`` lets a thread pool drive tiles; the numpy error model divides like IEEE 754, so that loops vectorise. No
fast-math flag is on: sums keep their order, nan and inf their meaning. A compiler left free to fuse products and sums
takes other products for the last points of a loop, which fill no vector, than for those before: what a point gets would
depend on how many stand beside it. Kernels say themselves what is fused, by `fma`. Only the passes of networks, whose
arrays always come whole, leave it to the compiler, and sums over the nodes of one point, which no other point changes,
leave it their order as well.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

#: What numba is told.
OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
#: The passes of networks, where the compiler may fuse products and sums.
FUSED: dict[str, Any] = {**OPTIONS, "fastmath": {"contract"}}

#: Sums over what belongs to one point, whose order is the compiler's.
REORDERED: dict[str, Any] = {**OPTIONS, "fastmath": {"contract", "reassoc"}}

__all__ = ["FUSED", "OPTIONS", "REORDERED", "fma"]


@intrinsic
def fma(_typing: Any, a: Any, b: Any, c: Any) -> Any:  # noqa: ARG001  (numba reads the names)
    """Compile a b + c, rounded once where the machine can do so as fast as a product, else twice."""

    def written(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
        double = ir.DoubleType()
        kind = ir.FunctionType(double, [double] * 3)
        return builder.call(builder.module.declare_intrinsic("llvm.fmuladd", [double], kind), arguments)

    return types.float64(types.float64, types.float64, types.float64), written
