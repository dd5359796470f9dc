"""Stand-ins for PyTorch's tensors and modules, with the interface and the traps that users of PyTorch meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import erf


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


class Module:
    """What all modules have in common."""

    __module__ = "torch.nn.modules.module"

    def __init__(self) -> None:
        self.training = True
        self._modules: dict[str, Module] = {}
        self._forward_pre_hooks: dict[int, Any] = {}

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Children by name; one that comes twice is met once."""
        met: set[int] = set()
        for name, child in self._modules.items():
            if id(child) not in met:
                met.add(id(child))
                yield name, child

    def eval(self) -> Module:
        """Evaluation mode, of children too."""
        self.training = False
        for child in self._modules.values():
            child.eval()
        return self

    def __call__(self, x: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class Sequential(Module):
    """Modules one after another."""

    __module__ = "torch.nn.modules.container"

    def __init__(self, *modules: Module) -> None:
        super().__init__()
        self._modules = {str(k): module for k, module in enumerate(modules)}

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __call__(self, x: np.ndarray) -> np.ndarray:
        for module in self:
            x = module(x)
        return x


class Linear(Module):
    """Weights (out, in), as PyTorch keeps them, all of which need a gradient."""

    __module__ = "torch.nn.modules.linear"

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        bias: bool = True,
        *,
        dtype: str = "float32",
        device: str = "cpu",
        seed: int = 0,
    ) -> None:
        super().__init__()
        rng = np.random.default_rng([seed, fan_in, fan_out])
        draw = lambda *shape: rng.uniform(-1, 1, shape).astype(dtype) / np.sqrt(fan_in).astype(dtype)  # noqa: E731
        self.weight = Tensor(draw(fan_out, fan_in), requires_grad=True, device=device)
        self.bias = Tensor(draw(fan_out), requires_grad=True, device=device) if bias else None

    def __call__(self, x: np.ndarray) -> np.ndarray:
        W = np.asarray(self.weight.detach().cpu())
        return x @ W.T + (0 if self.bias is None else np.asarray(self.bias.detach().cpu()))


class Identity(Module):
    __module__ = "torch.nn.modules.linear"

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return x


class Flatten(Module):
    __module__ = "torch.nn.modules.flatten"

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), -1)


class Dropout(Module):
    __module__ = "torch.nn.modules.dropout"

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def __call__(self, x: np.ndarray) -> np.ndarray:
        assert not (self.training and self.p)
        return x


class _Pointwise(Module):
    function: Callable[[np.ndarray], np.ndarray]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return type(self).function(x)


class ReLU(_Pointwise):
    __module__ = "torch.nn.modules.activation"
    function = staticmethod(lambda z: np.maximum(z, 0))


class Tanh(_Pointwise):
    __module__ = "torch.nn.modules.activation"
    function = staticmethod(np.tanh)


class Sigmoid(_Pointwise):
    __module__ = "torch.nn.modules.activation"
    function = staticmethod(lambda z: 1 / (1 + np.exp(-z)))


class GELU(_Pointwise):
    __module__ = "torch.nn.modules.activation"
    function = staticmethod(lambda z: z * (1 + erf(z / np.sqrt(2))) / 2)

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate


class LogSoftmax(Module):
    __module__ = "torch.nn.modules.activation"


class BatchNorm1d(Module):
    __module__ = "torch.nn.modules.batchnorm"
