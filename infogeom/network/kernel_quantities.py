"""The traced kernel in a few numbers: its spectrum's entropy, what it has in common with labels, how far it moved."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["KERNEL", "kernel_quantities"]

Array = NDArray[np.float64]
#: What is told of the traced kernel, with its label.
KERNEL = {
    "kernel_entropy": "entropy of the kernel's normalised spectrum",
    "kernel_effective_rank": "effective rank of the kernel",
    "kernel_alignment": "alignment of the kernel with the labels",
    "kernel_distance": "relative distance from the initial kernel",
}


def kernel_quantities(kernel: Array, spectrum: Array, y: Array, initial: Array) -> dict[str, float]:
    """Four numbers of a traced kernel K, (N, N), with labels y (N, O), by the names of `KERNEL`.

    The entropy −Σ p log p of p = λ / Σλ and its exponential, the effective rank (Roy and Vetterli, EUSIPCO 2007);
    ⟨K, y yᵀ⟩ / (‖K‖ ‖y yᵀ‖), not centred (Cristianini et al., NIPS 2001); and ‖K − K₀‖ / ‖K₀‖, in Frobenius norms. The
    first three are 0, 1 and 0 where K or y vanish, the last is 0 where K₀ does.
    """
    shares = spectrum[spectrum > 0] / (spectrum.sum() or 1.0)
    entropy = max(0.0, -float((shares * np.log(shares)).sum()))
    scaled, of_labels = kernel / (kernel.diagonal().max() or 1.0), y / (abs(y).max() or 1.0)
    common = float(np.vdot(scaled @ of_labels, of_labels))
    norms = float(np.linalg.norm(scaled) * np.linalg.norm(of_labels.T @ of_labels))
    largest = initial.diagonal().max()
    moved = np.linalg.norm((kernel - initial) / largest) / np.linalg.norm(initial / largest) if largest else 0.0
    return {
        "kernel_entropy": entropy,
        "kernel_effective_rank": float(np.exp(entropy)),
        "kernel_alignment": min(max(common / norms, 0.0), 1.0) if norms else 0.0,
        "kernel_distance": float(moved),
    }
