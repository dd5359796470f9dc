"""The one numba policy.

``nogil`` lets a thread pool drive tiles; the numpy error model divides like IEEE 754, so that loops vectorise. No
fast-math flag is on: sums keep their order, nan and inf their meaning, and every operation rounds by itself. With fused
multiply-adds the last points of a loop, which fill no vector, would fuse other products than those before: what a point
gets would depend on how many stand beside it. Only the passes of networks fuse: their arrays always come whole.
"""

from __future__ import annotations

from typing import Any

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
FUSED: dict[str, Any] = {**OPTIONS, "fastmath": {"contract"}}

__all__ = ["FUSED", "OPTIONS"]
