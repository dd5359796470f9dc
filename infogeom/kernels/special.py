"""Special functions that compiled kernels may call; plain Python that numba compiles as it stands."""

from __future__ import annotations

from math import log

__all__ = ["polygamma"]

#: Bernoulli numbers B_2 … B_24 of the asymptotic series.
BERNOULLI = (
    1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330,
    854513 / 138, -236364091 / 2730,
)  # fmt: skip
#: From here on twelve terms of the series are exact to rounding.
LARGE = 12.0


def polygamma(m: int, x: float) -> float:
    """Polygamma function ψ^(m)(x) for x > 0 (DLMF 5.15.8 above x = 12, the recurrence 5.15.5 below it).

    Relative accuracy a few units of rounding, except beside the zero of ψ at 1.4616, where it is absolute.
    """
    factorial = 1.0  # (m − 1)!, or 1 for m = 0
    for k in range(2, m):
        factorial *= k
    sign = 1.0 if m % 2 else -1.0
    shifted, total = x, 0.0
    while shifted < LARGE + m:
        total += 1.0 / shifted ** (m + 1)
        shifted += 1.0
    total *= factorial * max(m, 1)
    power = shifted**-m
    series = 0.5 / shifted - log(shifted) if m == 0 else factorial * power * (1.0 + 0.5 * m / shifted)
    coefficient = factorial * power  # (2k + m − 1)! / (2k)! / shifted^(2k + m), built up term by term
    for k in range(len(BERNOULLI)):
        if k == 0:
            coefficient *= (0.5 if m == 0 else 0.5 * m * (m + 1)) / (shifted * shifted)
        else:
            coefficient *= (2 * k + m) * (2 * k + m + 1) / ((2 * k + 1) * (2 * k + 2)) / (shifted * shifted)
        series += BERNOULLI[k] * coefficient
    return sign * (total + series)
