"""The traces and the training of an MLP in PyTorch, BackPACK and JAX, as their documentation has users write them."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from typing import Any

import backpack
import jax
import jax.numpy as jnp
import numpy as np
import torch
from backpack.extensions import BatchL2Grad
from torch import nn

from infogeom.network import MLP

#: Samples per chunk that are tried for JAX and torch.func; the fastest is timed.
CHUNKS = (8, 16, 32, 64, 128)
#: Samples on which the best chunk is looked for.
TRIAL = 128
MOST_BYTES = 2e9

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4


def tune_malloc() -> None:
    """Keep large freed blocks instead of returning them to the system, which torch.func gains from."""
    libc = ctypes.CDLL("libc.so.6")
    libc.mallopt(M_MMAP_MAX, 0)
    libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def torch_net(net: MLP) -> nn.Sequential:
    """The same network in PyTorch."""
    dtype = getattr(torch, net.dtype)
    modules: list[nn.Module] = []
    weights, biases = net.to_arrays()
    for W, b in zip(weights, biases or [], strict=True):
        linear = nn.Linear(*W.shape, dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(W.T.copy()))
            linear.bias.copy_(torch.from_numpy(b))
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules[:-1])


def _fastest(make: Callable[[int], Callable[[Any], Any]], trial: Any, net: MLP) -> int:
    """Chunk of fewest seconds, out of those whose Jacobians take less than 2 GB."""

    def seconds(chunk: int) -> float:
        f, best = make(chunk), np.inf
        f(trial)
        for _ in range(2):
            start = time.perf_counter()
            f(trial)
            best = min(best, time.perf_counter() - start)
        return best

    row = 4 * net.widths[-1] * net.parameters.size
    return min((chunk for chunk in CHUNKS if chunk * row < MOST_BYTES), key=seconds)


def jax_ntk_trace(net: MLP, x: np.ndarray) -> tuple[Callable[[], float], int]:
    """Mean of Σ_a |∇f_a|² by jitted vmap(jacrev), in the chunks of `jax.lax.map` that are fastest."""
    parameters = jax.tree.map(jnp.asarray, [*zip(*net.to_arrays(), strict=True)])

    def output(parameters: Any, sample: jax.Array) -> jax.Array:
        for W, b in parameters[:-1]:
            sample = jax.nn.relu(sample @ W + b)
        W, b = parameters[-1]
        return sample @ W + b

    def square(sample: jax.Array) -> jax.Array:
        return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(jax.jacrev(output)(parameters, sample)))

    def make(chunk: int) -> Callable[[Any], Any]:
        f = jax.jit(lambda inputs: jnp.mean(jax.lax.map(square, inputs, batch_size=chunk)))
        return lambda inputs: f(inputs).block_until_ready()

    inputs = jnp.asarray(x)
    chunk = _fastest(make, inputs[:TRIAL], net)
    run = make(chunk)
    return lambda: float(run(inputs)), chunk


def torch_ntk_trace(net: MLP, x: np.ndarray) -> tuple[Callable[[], float], int]:
    """The same by torch.func's vmap(jacrev), chunk by chunk."""
    module = torch_net(net)
    parameters = {name: p.detach() for name, p in module.named_parameters()}

    def output(parameters: Any, sample: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(module, parameters, (sample[None],))[0]

    jacobian = torch.func.vmap(torch.func.jacrev(output), (None, 0))

    def make(chunk: int) -> Callable[[Any], Any]:
        def run(inputs: torch.Tensor) -> float:
            total = 0.0
            for part in inputs.split(chunk):
                total += sum(float((leaf**2).sum(dtype=torch.float64)) for leaf in jacobian(parameters, part).values())
            return total / len(inputs)

        return run

    inputs = torch.from_numpy(x)
    chunk = _fastest(make, inputs[:TRIAL], net)
    run = make(chunk)
    return lambda: run(inputs), chunk


def backpack_ntk_trace(net: MLP, x: np.ndarray) -> Callable[[], float]:
    """The same by one backward pass per output with BackPACK's norms of per-sample gradients."""
    module, inputs = backpack.extend(torch_net(net)), torch.from_numpy(x)

    def run() -> float:
        outputs, total = module(inputs), 0.0
        for a in range(outputs.shape[1]):
            with backpack.backpack(BatchL2Grad(), retain_graph=True):
                outputs[:, a].sum().backward(retain_graph=True)
            total += sum(float(p.batch_l2.sum(dtype=torch.float64)) for p in module.parameters())
            module.zero_grad()
        return total / len(inputs)

    return run


def torch_fisher_trace(net: MLP, x: np.ndarray, y: np.ndarray, loss: Callable[[Any, Any], Any]) -> float:
    """Mean of |∇ℓ_n|² by torch.func's per-sample gradients; ``loss`` is that of one sample."""
    module = torch_net(net)
    parameters = {name: p.detach() for name, p in module.named_parameters()}

    def one(parameters: Any, sample: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return loss(torch.func.functional_call(module, parameters, (sample[None],))[0], target)

    gradient = torch.func.vmap(torch.func.grad(one), (None, 0, 0))
    total = 0.0
    for a, b in zip(torch.from_numpy(x).split(64), torch.from_numpy(y).split(64), strict=True):
        total += sum(float((leaf**2).sum(dtype=torch.float64)) for leaf in gradient(parameters, a, b).values())
    return total / len(x)


class TorchTraining:
    """A network under fused Adam, with the mean cross-entropy of batches that are given."""

    def __init__(self, net: MLP, x: np.ndarray, y: np.ndarray, learning_rate: float) -> None:
        self.module = torch_net(net)
        self.x, self.labels = torch.from_numpy(x), torch.from_numpy(y.argmax(axis=1))
        self.optimizer = torch.optim.Adam(self.module.parameters(), lr=learning_rate, fused=True)

    def epoch(self, order: np.ndarray, batch_size: int, steps: int | None = None) -> None:
        """Pass through the data in an order, or a number of steps of it."""
        for rows in list(torch.from_numpy(order).split(batch_size))[:steps]:
            self.optimizer.zero_grad()
            nn.functional.cross_entropy(self.module(self.x[rows]), self.labels[rows]).backward()
            self.optimizer.step()

    def parameters(self) -> np.ndarray:
        """Flat parameters in the order of an MLP."""
        leaves: Sequence[torch.Tensor] = list(self.module.parameters())
        return np.concatenate([leaf.detach().numpy().T.ravel() for leaf in leaves])
