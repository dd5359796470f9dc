"""Stand-ins for PyTorch's tensors, with the interface and the refusals that users of PyTorch meet."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike


class Tensor:
    """Numbers that NumPy gets only where they need no gradient and lie on the CPU."""

    def __init__(self, values: ArrayLike, *, requires_grad: bool = False, device: str = "cpu") -> None:
        self._values, self.requires_grad, self.device = np.asarray(values), requires_grad, device

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self.device != "cpu":
            raise TypeError(f"can't convert {self.device} device type tensor to numpy. Use Tensor.cpu() first.")
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        return np.array(self._values, dtype, copy=copy)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._values.shape

    @property
    def dtype(self) -> str:
        return f"torch.{self._values.dtype}"

    @property
    def T(self) -> Tensor:
        return Tensor(self._values.T, requires_grad=self.requires_grad, device=self.device)

    def detach(self) -> Tensor:
        return Tensor(self._values, device=self.device)

    def cpu(self) -> Tensor:
        if self.device == "meta":
            raise NotImplementedError("Cannot copy out of meta tensor; no data!")
        return Tensor(self._values, requires_grad=self.requires_grad)
