"""From the jet (g, ∂g, ∂∂g) to inverse, connection and curvature, for any number of parameters.

Everything goes through an orthonormal frame E with Eᵀ g E = diag(±1), from an LDLᵀ factor of g: whitened components
keep the digits that the inverse and the determinant formulas lose.  In a frame, indices move by signs,

    R_abcd = ½ (D_adbc + D_bcad − D_acbd − D_bdac) + Σ_m ε_m (Γ_mbc Γ_mad − Γ_mbd Γ_mac),   D_abcd = ∂_c ∂_d g_ab,

with Γ_mab = ½ (∂_a g_mb + ∂_b g_ma − ∂_m g_ab).  For a Hessian metric the first bracket vanishes and no second
derivative is needed.  The functions are plain Python that numba compiles as it stands; arrays hold the point in their
last axis, over which every loop vectorises.
"""

from __future__ import annotations

from math import fabs, frexp, inf, ldexp
from typing import Any

from numpy import empty, empty_like, sqrt

__all__ = [
    "contract",
    "contract_at_point",
    "frame",
    "lower_christoffel",
    "lower_riemann",
    "scalar",
    "scalar_error",
]

Array = Any  # float64 arrays whose last axis is the point; numba infers the rest

#: Relative error of one operation, 2⁻⁵³ at worst. Bounds add up what is worst for all roundings at once, which are
#: random in size and sign: at thousands of random points they exceed the true error 50-fold and more, hence 1/16 of it.
UNIT = 2.0**-57
#: Least positive number of float64.
TINY = 5e-324
#: More than all operations on numbers of usual size lose below float64.
FLOOR = 1e-300
#: A pivot at or below this many units of rounding of its diagonal entry means a null direction.
SINGULAR = 64 * 2.0**-52


def frame(g: Array, E: Array, F: Array, sign: Array, volume: Array, status: Array) -> None:
    """Frame E with Eᵀ g E = diag(sign), its inverse F, and volume = det g.

    LDLᵀ in the order of the coordinates.  Only where an indefinite metric has a 2 × 2 block that is mostly off-diagonal
    (never so for a positive one) are two directions first turned into their sum and difference, one of them in a unit
    in which neither diagonal entry exceeds the other, so that no digit of that one is lost in the first.  Status 0
    becomes 2 on a null direction, 4 where g is not finite.
    """
    # At each point a holds Eᵀ g E for the directions that are not done, the Schur complement.  A step takes the pivot
    # d = a_ii and subtracts ratio = a_ji / d of direction i from every later one, in a and in E, and adds as much to
    # row i of F, so that the inverse is found without inverting.  Last, directions are divided by √|d|.
    #
    # A positive g needs no exchange of directions (Higham, Accuracy and Stability of Numerical Algorithms, 2002, Th.
    # 10.3).  Elsewhere an entry may be large against both entries of the diagonal beside it, and the quotient by either
    # would lose what is there: where its square is more than twice their product, a 2 × 2 block, which Bunch and
    # Kaufman (Math. Comp. 31 (1977) 163) take for one pivot, its sum and difference are two pivots of opposite sign.
    #
    # A pivot is null in comparison with the largest of what cancels in it, a_ii and all that was subtracted: its size.
    n = g.shape[0]
    a, root, size = empty((n, n)), empty(n), empty(n)
    for v in range(g.shape[2]):
        volume[v] = 1.0
        for i in range(n):
            for j in range(n):
                a[i, j] = g[i, j, v]
                E[i, j, v] = F[i, j, v] = 1.0 if i == j else 0.0
                if status[v] == 0 and not fabs(a[i, j]) < inf:
                    status[v] = 4
            size[i] = fabs(a[i, i])
        for i in range(n):
            for j in range(i + 1, n):
                p, q, r = fabs(a[i, i]), fabs(a[i, j]), fabs(a[j, j])
                if 2.0 * p * r < q * q:
                    # A power of 2 between p / q and q / r, which is at least twice that; 1 if it lies there.
                    unit = 1.0
                    if p > q:
                        unit = ldexp(1.0, frexp(p / q)[1])
                    elif r > q:
                        unit = ldexp(1.0, frexp(q / r)[1] - 1)
                    for m in range(n):
                        a[m, j] *= unit
                        E[m, j, v] *= unit
                        F[j, m, v] /= unit
                    for m in range(n):
                        a[j, m] *= unit
                    s = 1.0 if a[i, j] * (a[i, i] + a[j, j]) >= 0.0 else -1.0
                    size[i] = size[j] = max(size[i], size[j] * (unit * unit)) + 2.0 * fabs(a[i, j])
                    for m in range(n):
                        a[m, i], a[m, j] = a[m, i] + s * a[m, j], a[m, j] - s * a[m, i]
                        E[m, i, v], E[m, j, v] = E[m, i, v] + s * E[m, j, v], E[m, j, v] - s * E[m, i, v]
                        F[i, m, v], F[j, m, v] = (
                            0.5 * (F[i, m, v] + s * F[j, m, v]),
                            0.5 * (F[j, m, v] - s * F[i, m, v]),
                        )
                    for m in range(n):
                        a[i, m], a[j, m] = a[i, m] + s * a[j, m], a[j, m] - s * a[i, m]
                    volume[v] *= 0.25 / (unit * unit)
                    break
            d = a[i, i]
            volume[v] *= d
            if not fabs(d) > SINGULAR * size[i]:
                status[v] = 2 if status[v] == 0 else status[v]
                d = 1.0
            sign[i, v] = 1.0 if d > 0.0 else -1.0
            root[i] = sqrt(fabs(d))
            for j in range(i + 1, n):
                ratio = a[j, i] / d
                size[j] = max(size[j], fabs(ratio * a[i, j]))
                for m in range(i + 1, n):
                    a[j, m] -= ratio * a[i, m]
                for m in range(n):
                    E[m, j, v] -= ratio * E[m, i, v]
                    F[i, m, v] += ratio * F[j, m, v]
        for i in range(n):
            for m in range(n):
                E[m, i, v] /= root[i]
                F[i, m, v] *= root[i]


def contract(tensor: Array, matrix: Array, target: Array) -> None:
    """Contract the middle index: target[a, c, b] = Σ_i tensor[a, i, b] matrix[i, c]."""
    A, n, B, m = tensor.shape
    for a in range(A):
        for c in range(n):
            for b in range(B):
                row = target[a, c, b]
                for i in range(n):
                    x, y = tensor[a, i, b], matrix[i, c]
                    if i == 0:
                        for v in range(m):
                            row[v] = x[v] * y[v]
                    else:
                        for v in range(m):
                            row[v] += x[v] * y[v]


def contract_at_point(tensor: Array, matrix: Array, target: Array) -> None:
    """`contract` at a single point, to the same bits: loops run along the tensor, as they cannot along points."""
    A, n, B, _ = tensor.shape
    for a in range(A):
        if B == 1:
            for c in range(n):
                target[a, c, 0, 0] = tensor[a, 0, 0, 0] * matrix[0, c, 0]
            for i in range(1, n):
                for c in range(n):
                    target[a, c, 0, 0] += tensor[a, i, 0, 0] * matrix[i, c, 0]
            continue
        for c in range(n):
            for b in range(B):
                target[a, c, b, 0] = tensor[a, 0, b, 0] * matrix[0, c, 0]
            for i in range(1, n):
                for b in range(B):
                    target[a, c, b, 0] += tensor[a, i, b, 0] * matrix[i, c, 0]


def lower_christoffel(dg: Array, gamma: Array) -> None:
    """First kind, gamma[m, a, b] = ½ (∂_a g_mb + ∂_b g_ma − ∂_m g_ab) from dg[a, b, c] = ∂_c g_ab."""
    n = dg.shape[0]
    for m in range(n):
        for a in range(n):
            for b in range(n):
                for v in range(dg.shape[3]):
                    gamma[m, a, b, v] = 0.5 * (dg[m, b, a, v] + dg[m, a, b, v] - dg[a, b, m, v])


def scalar(gamma: Array, ddg: Array, sign: Array, out: Array) -> None:
    """R = Σ_ab ε_a ε_b R_abab in a frame."""
    n, m = sign.shape
    out[:] = 0.0
    for a in range(n):
        for b in range(n):
            if a == b:
                continue
            if ddg.shape[0]:
                for v in range(m):
                    bracket = ddg[a, b, a, b, v] - 0.5 * (ddg[a, a, b, b, v] + ddg[b, b, a, a, v])
                    out[v] += sign[a, v] * sign[b, v] * bracket
            for k in range(n):
                for v in range(m):
                    products = gamma[k, a, b, v] * gamma[k, a, b, v] - gamma[k, a, a, v] * gamma[k, b, b, v]
                    out[v] += sign[a, v] * sign[b, v] * sign[k, v] * products


def scalar_error(
    E: Array,
    F: Array,
    sign: Array,
    gamma: Array,
    ddg: Array,
    g_error: Array,
    dg_error: Array,
    ddg_error: Array,
    factor_error: Array,
    lost: Array,
    out: Array,
) -> None:
    """Bound on the error of R from bounds on the errors of g, ∂g and ∂∂g, which are in coordinates.

    It is as good as those, which `infogeom.kernels.codegen.rounding` estimates; ``lost`` is what a component in the
    frame may lose below float64.

    ``gamma`` and ``ddg`` are in the frame E with inverse F. With W = Eᵀ g E − diag(±1), to which the errors of g and of
    the frame itself contribute, |·| the sum of the magnitudes of all components in the frame, ‖·‖ the root of the sum
    of their squares, and t_k = Σ_a ε_a Γ_kaa,

        |δR| ≤ [2 (‖Γ‖ + ‖t‖) |δΓ| + 2 |δΓ|² + 2 |δ∂∂g| + (3 ‖Γ‖² + ‖t‖² + 2 ‖Γ‖ ‖t‖ + 4 √n ‖∂∂g‖) |W|]
                × (1 + |W|) / (1 − 4 |W|),

    as R is a sum of products of three inverse metrics with two Γ, and of two with one ∂∂g. Negative or nan where
    |W| > ¼: then nothing is known of R.
    """
    n, m = gamma.shape[0], gamma.shape[3]
    # One pass over the components in coordinates, weighted by e_i = Σ_a |E_ia|, which is what carrying all indices of a
    # bound into the frame and adding up comes to, in n⁴ steps where contractions of ∂∂g take 4 n⁵.  The sums are
    #
    #     W of δg and of the frame,   B = |δ∂g| and then |δΓ|,   C what a shared factor adds to |δΓ|,   D = |δ∂∂g|,
    #     G = ‖Γ‖²,   T = ‖t‖²,   L = ‖∂∂g‖²
    #
    # The text runs on names too, hence ``abs`` and NumPy's ``sqrt``, which objects may have.
    hessian = ddg.shape[0] == 0
    e = empty_like(E[0])
    for v in range(m):
        W, C = factor_error[0, v], 0.0
        B, D, G, T, L = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(n):
            e[i, v] = abs(E[i, 0, v])
            for a in range(1, n):
                e[i, v] = e[i, v] + abs(E[i, a, v])
        for i in range(n):
            size, trace = F[0, i, v] * F[0, i, v], sign[0, v] * gamma[i, 0, 0, v]
            for a in range(1, n):
                size, trace = size + F[a, i, v] * F[a, i, v], trace + sign[a, v] * gamma[i, a, a, v]
            T = T + trace * trace
            C = C + factor_error[1 + i, v] * e[i, v]
            # Backward error of LDLᵀ and of inverting its factor (Higham 2002, Ths. 8.5 and 9.3): of (Σ_i e_i √g_ii)².
            W = W + size * (e[i, v] * e[i, v]) * (2 * n * n * UNIT)
            for j in range(i, n):
                # Components that symmetry makes equal are counted together.
                ij = 1.0 if i == j else 2.0
                e2 = e[i, v] * e[j, v] * ij
                W = W + g_error[i, j, v] * e2
                for k in range(n):
                    B = B + dg_error[i, j, k, v] * (e2 * e[k, v])
                    G = G + gamma[k, i, j, v] * gamma[k, i, j, v] * ij
                    if not hessian:
                        for l in range(k, n):
                            kl = 1.0 if k == l else 2.0
                            D = D + ddg_error[i, j, k, l, v] * (e2 * (e[k, v] * e[l, v] * kl))
                            L = L + ddg[i, j, k, l, v] * ddg[i, j, k, l, v] * (ij * kl)
        B = B * (0.5 if hessian else 1.5) + C  # of Γ, half a ∂g where that is symmetric and half of three elsewhere
        G1, T1 = sqrt(G), sqrt(T)
        total = ((G1 + T1) * B + B * B) * 2.0 + (G * 3.0 + T + G1 * T1 * 2.0) * W
        if not hessian:
            total = total + D * 2.0 + sqrt(L) * W * (4.0 * n**0.5)
        out[v] = (total + lost[v] * (1.0 * n * (n - 1))) / ((1.0 - W * 4.0) / (W + 1.0))


def lower_riemann(gamma: Array, ddg: Array, sign: Array, R: Array) -> None:
    """R_abcd in a frame."""
    n, m = sign.shape
    for a in range(n):
        for b in range(n):
            for c in range(n):
                R[a, b, c, c] = 0.0
                for d in range(c + 1, n):
                    row = R[a, b, c, d]
                    row[:] = 0.0
                    if ddg.shape[0]:
                        for v in range(m):
                            row[v] = 0.5 * (
                                ddg[a, d, b, c, v] + ddg[b, c, a, d, v] - ddg[a, c, b, d, v] - ddg[b, d, a, c, v]
                            )
                    for k in range(n):
                        for v in range(m):
                            plus, minus = gamma[k, b, c, v] * gamma[k, a, d, v], gamma[k, b, d, v] * gamma[k, a, c, v]
                            row[v] += sign[k, v] * (plus - minus)
                    for v in range(m):
                        R[a, b, d, c, v] = -row[v]
