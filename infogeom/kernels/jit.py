"""The one numba policy.

``nogil`` lets a thread pool drive tiles; the numpy error model divides like IEEE 754, so that loops vectorise; of the
fast-math flags only ``contract`` (fused multiply-add, which rounds less) is on: sums keep their order, nan and inf
their meaning.
"""

from __future__ import annotations

from typing import Any

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}

__all__ = ["OPTIONS"]
