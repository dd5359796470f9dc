"""Metrics with known curvature, each with its source, and the tolerances that fit them.

A row needs a metric, ranges to draw points from, and its Ricci scalar; the generic tests cover the rest.  Spheres are
positive.  Sources with the opposite sign of R have had it turned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import numpy as np
import sympy
from sympy import Expr, Interval, Matrix, Rational, Symbol, cosh, diag, exp, log, oo, sin, sinh, sqrt, symbols

import infogeom as ig

EPS = float(np.finfo(float).eps)
Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, eq=False)
class Problem:
    """A metric, or the model that has it, the ranges its points come from, its Ricci scalar and where that is written.

    Of a model it is derived when it is asked for, and not where tests are collected.
    """

    name: str
    given: ig.symbolic.Metric | ig.models.Model
    typical: Sequence[tuple[float, float]]
    ricci_scalar: Expr
    source: str
    positive: bool = True

    @cached_property
    def metric(self) -> ig.symbolic.Metric:
        """That of the model."""
        return ig.symbolic.metric(self.given) if isinstance(self.given, ig.models.Model) else self.given

    @cached_property
    def _derivatives(self) -> list[Any]:
        x = self.metric.coordinates
        arrays = [sympy.Array(self.metric.matrix)]
        for _ in range(2):
            rank = arrays[-1].rank()
            arrays.append(sympy.permutedims(sympy.derive_by_array(arrays[-1], x), [*range(1, rank + 1), 0]))
        return [sympy.lambdify([x], a, ["scipy", "numpy"], cse=True) for a in arrays]

    def jet(self, point: Array) -> tuple[Array, Array, Array]:
        """Metric and its derivatives g[i, j], dg[i, j, k] = ∂_k g_ij, ddg[i, j, k, l], by SymPy."""
        return tuple(np.array(f(point), dtype=float) for f in self._derivatives)  # type: ignore[return-value]

    def expected(self, points: Array) -> Array:
        """Closed-form R at points, shape (m, n)."""
        f = sympy.lambdify([self.metric.coordinates], self.ricci_scalar, ["scipy", "numpy"])
        return np.array([float(f(p)) for p in points])


def cancelling(g: Array, dg: Array, ddg: Array) -> float:
    """Sum of the sizes of all terms of R, the unit of its rounding error: the terms cancel, their errors do not."""
    G, ddg = abs(np.linalg.inv(g)), abs(ddg)
    gamma = (abs(dg).transpose(0, 2, 1) + abs(dg) + abs(dg).transpose(2, 0, 1)) / 2  # first kind, its index first
    second = np.einsum("im,jl,mjil->", G, G, ddg) + np.einsum("im,jl,mijl->", G, G, ddg)
    crossed = np.einsum("jl,im,ab,aji,blm->", G, G, G, gamma, gamma, optimize=True)
    traced = np.einsum("jl,im,ab,ajl,bim->", G, G, G, gamma, gamma, optimize=True)
    return float(second + crossed + traced)


def rounding(g: Array, dg: Array, ddg: Array) -> float:
    """Bound 100 · cond₂(g) · eps · (what cancels) on the error of R."""
    return 100 * float(np.linalg.cond(g)) * EPS * cancelling(g, dg, ddg)


# --- Riemannian metrics -----------------------------------------------------------------------------------------------

u, v, w = symbols("u v w", real=True)
r, T, vol = symbols("r T vol", positive=True)
p1, p2 = symbols("p1 p2", positive=True)
beta, h = symbols("beta h", real=True)

sphere = ig.symbolic.Metric([u, v], diag(1, sin(u) ** 2))
half_space = ig.symbolic.Metric([u, v, r], sympy.eye(3) / r**2)

#: One observation of a trinomial law; its metric is that of a sphere of radius 2.
trinomial = ig.symbolic.Metric(
    [p1, p2],
    Matrix([[1 / p1, 0], [0, 1 / p2]]) + sympy.ones(2, 2) / (1 - p1 - p2),
    domains=[Interval.open(0, 1)] * 2,
)


def location_scale(a: Expr, b: Expr, c: Expr) -> ig.symbolic.Metric:
    """Metric of every two-parameter location–scale family, [[a, b], [b, c]]/σ²."""
    mu, sigma = Symbol("mu", real=True), Symbol("sigma", positive=True)
    constants = sorted(set().union(*(sympy.sympify(e).free_symbols for e in (a, b, c))), key=str)
    return ig.symbolic.Metric([mu, sigma], Matrix([[a, b], [b, c]]) / sigma**2, constants=constants)


#: Pressure T/(v − b) − a/v² with a = 3, b = 1/3 and c_v = 3/2: the critical point is at v = 1, T = 8/3.
A, B, CV = sympy.Integer(3), Rational(1, 3), Rational(3, 2)
van_der_waals = ig.symbolic.Metric(
    [T, vol],
    diag(CV / T**2, 1 / (vol - B) ** 2 - 2 * A / (T * vol**3)),
    domains=[Interval.open(0, oo), Interval.open(B, oo)],
)
BRACKET = T * vol**3 - A * (vol - B) ** 2

ising = ig.symbolic.Metric(
    [beta, h],
    sympy.hessian(log(exp(beta) * cosh(h) + sqrt(exp(2 * beta) * sinh(h) ** 2 + exp(-2 * beta))), (beta, h)),
)

# --- Spacetimes, signature (−, +, +, +) -------------------------------------------------------------------------------

t, chi, phi, phase = symbols("t chi phi phase", real=True)

schwarzschild = ig.symbolic.Metric([t, r, chi, phi], diag(-(1 - 2 / r), 1 / (1 - 2 / r), r**2, r**2 * sin(chi) ** 2))
#: Mass m(u) = u in ingoing null coordinates: g_rr = 0 and g_ur = 1.
vaidya = ig.symbolic.Metric(
    [u, r, chi, phi],
    Matrix([[-(1 - 2 * u / r), 1, 0, 0], [1, 0, 0, 0], [0, 0, r**2, 0], [0, 0, 0, r**2 * sin(chi) ** 2]]),
)
#: De Sitter plane in double-null coordinates (zeros on its diagonal) times a sphere, both of unit radius.
nariai = ig.symbolic.Metric(
    [u, v, chi, phi],
    Matrix(
        [
            [0, -2 / (1 - u * v) ** 2, 0, 0],
            [-2 / (1 - u * v) ** 2, 0, 0, 0],
            [0, 0, 1, 0],
            [0, 0, 0, sin(chi) ** 2],
        ]
    ),
)
#: Two dimensions and off-diagonal through and through.
gumbel = location_scale(1, sympy.EulerGamma - 1, sympy.pi**2 / 6 + (sympy.EulerGamma - 1) ** 2)


def of(family: str, R: Expr | int, source: str) -> Problem:
    """Row of a family of `infogeom.models`, at points of its own typical ranges."""
    model = getattr(ig.models, family)()
    ranges = [p.typical for p in model.parameters]
    return Problem(family, model, ranges, sympy.sympify(R), source)


#: Arwini & Dodson (2008) write the gamma law in mean γ and shape κ; R is a scalar.
kappa = Symbol("shape", positive=True)
psi1, psi2 = sympy.polygamma(1, kappa), sympy.polygamma(2, kappa)
GAMMA = (psi1 + kappa * psi2) / (2 * (kappa * psi1 - 1) ** 2)


@cache
def families() -> tuple[Problem, ...]:
    """Closed forms of the literature for families of two parameters."""
    location_scale_rule = "location–scale family, SCIENCE.md 2: R = −2a/(ac − b²)"
    return (
        of("log_normal", -1, "image of the normal law: R = −1"),
        of("inverse_gaussian", -1, "diag(λ/μ³, 1/(2λ²)), in μ^(−1/2) and λ a half-plane of K = −1/2"),
        of("laplace", -2, location_scale_rule),
        of("cauchy", -4, "Nielsen, Entropy 22 (2020) 713: K = −2"),
        of("logistic", -18 / (3 + sympy.pi**2), location_scale_rule),
        of("log_logistic", -18 / (3 + sympy.pi**2), "image of the logistic law"),
        of("hyperbolic_secant", -16 / sympy.pi**2, location_scale_rule),
        of("gumbel", -12 / sympy.pi**2, location_scale_rule),
        of("weibull", -12 / sympy.pi**2, "image of the Gumbel law"),
        of("frechet", -12 / sympy.pi**2, "image of the Gumbel law"),
        of("gamma", GAMMA, "Arwini & Dodson, Information Geometry (2008), Ch. 3"),
    )


@cache
def problems() -> tuple[Problem, ...]:
    """All rows."""
    zero = sympy.Integer(0)
    angle, wide = (0.4, 2.7), (-2.0, 2.0)
    return (
        Problem(
            "normal", ig.models.normal(), [(-3, 3), (0.3, 3)], -sympy.Integer(1), "Atkinson & Mitchell (1981): K = −1/2"
        ),
        Problem("binomial", ig.models.binomial(7), [(0.05, 0.95)], zero, "one parameter: flat"),
        Problem("sphere", sphere, [angle, wide], sympy.Integer(2), "do Carmo, Riemannian Geometry: K = 1"),
        Problem("half-space", half_space, [wide, wide, (0.3, 3)], -sympy.Integer(6), "do Carmo: −n(n−1)"),
        Problem(
            "trinomial", trinomial, [(0.05, 0.45)] * 2, Rational(1, 2), "Amari & Nagaoka (2000): sphere of radius 2"
        ),
        Problem(
            "multinomial",
            ig.models.multinomial(5, 3),
            [(0.1, 0.45)] * 2,
            Rational(1, 10),
            "Amari & Nagaoka (2000): sphere of radius 2 √n",
        ),
        Problem(
            "covariances",
            ig.models.multivariate_normal_known_mean(2),
            [(1, 2.5), (-0.8, 0.8), (1, 2.5)],
            -sympy.Integer(2),
            "Skovgaard (1984): a line times a hyperbolic plane of K = −1",
        ),
        Problem(
            "gumbel",
            gumbel,
            [(-3, 3), (0.3, 3)],
            -12 / sympy.pi**2,
            "SCIENCE.md 2: −2a/(ac − b²), with a = 1 and ac − b² = π²/6",
        ),
        Problem(
            "van der Waals",
            van_der_waals,
            [(3.5, 6), (0.6, 3)],
            2 * A * (vol - B) ** 2 * BRACKET / (CV * (BRACKET - A * (vol - B) ** 2) ** 2),
            "SCIENCE.md 6",
        ),
        Problem(
            "Ising",
            ising,
            [(0.2, 1), (-1, 1)],
            1 + cosh(h) / sqrt(sinh(h) ** 2 + exp(-4 * beta)),
            "Janke, Johnston & Kenna (2004); SCIENCE.md 6",
        ),
        Problem(
            "Schwarzschild",
            schwarzschild,
            [wide, (2.5, 9), angle, wide],
            zero,
            "vacuum solution; Misner, Thorne & Wheeler (1973), Ch. 31",
            positive=False,
        ),
        Problem("Vaidya", vaidya, [(-1, 1), (2.5, 9), angle, wide], zero, "pure radiation: R = 0", positive=False),
        Problem(
            "Nariai",
            nariai,
            [(-0.8, 0.8), (-0.8, 0.8), angle, wide],
            sympy.Integer(4),
            "Nariai (1950): Einstein with Λ = 1",
            positive=False,
        ),
    )


# --- Reparametrisations and products: structure fixed here, coefficients are data -------------------------------------


@dataclass(frozen=True, eq=False)
class Reparametrisation:
    """New coordinates φ with θ = θ(φ; c): the pulled-back metric Jᵀ g J of a metric, the coefficients c being data."""

    metric: ig.symbolic.Metric
    coordinates: Sequence[Symbol]
    old: Sequence[Expr]
    coefficients: Sequence[Symbol]

    @cached_property
    def _pulled_back(self) -> tuple[Matrix, Matrix]:
        J = Matrix(self.old).jacobian(list(self.coordinates))
        g = self.metric.matrix.xreplace(dict(zip(self.metric.coordinates, self.old, strict=True)))
        return J.T * g * J, J

    def metric_with(self, values: Sequence[float], samples: ig.models.Samples | None = None) -> ig.symbolic.Metric:
        """The metric for given coefficients, averaged over the samples of the old one if it has any."""
        columns = np.empty((1, 0)) if samples is None else samples.data
        data = np.hstack([columns, np.tile(values, (len(columns), 1))])
        names = (*(samples.symbols if samples else ()), *self.coefficients)
        whole = ig.models.Samples(names, data, None if samples is None else samples.weights)
        return ig.symbolic.Metric(self.coordinates, self._pulled_back[0], samples=whole)

    def theta(self, point: Array, values: Sequence[float]) -> Array:
        """Old coordinates of a point."""
        f = sympy.lambdify([self.coordinates, self.coefficients], list(self.old), "numpy")
        return np.array(f(point, values), dtype=float)

    def jacobian(self, point: Array, values: Sequence[float]) -> Array:
        """J = ∂θ/∂φ at a point."""
        f = sympy.lambdify([self.coordinates, self.coefficients], self._pulled_back[1], "numpy")
        return np.array(f(point, values), dtype=float)


phi1, phi2 = symbols("phi1 phi2", real=True)
a, b, c, d = symbols("a b c d", real=True)
copies = Symbol("copies", positive=True)


@cache
def normal_reparametrised() -> Reparametrisation:
    """Normal law with μ = φ1 + a φ2 + b φ1 φ2 and log σ = c φ1 + d φ2."""
    normal = ig.symbolic.metric(ig.models.normal())
    return Reparametrisation(
        normal, (phi1, phi2), (phi1 + a * phi2 + b * phi1 * phi2, exp(c * phi1 + d * phi2)), (a, b, c, d)
    )


@cache
def network_reparametrised() -> Reparametrisation:
    """Cross-entropy network with θ1 = φ1 + a φ2 + b φ1², θ2 = φ2 + c φ1 + d φ2²: no longer a Hessian metric in φ."""
    x, y = ig.models.decision_boundary(3)
    metric = ig.symbolic.metric(ig.models.sigmoid_neuron(x, y, ig.losses.CrossEntropy()))
    old = phi1 + a * phi2 + b * phi1**2, phi2 + c * phi1 + d * phi2**2
    return Reparametrisation(metric, (phi1, phi2), old, (a, b, c, d))


@cache
def repeated_van_der_waals() -> ig.symbolic.Metric:
    """The metric of several independent copies; their number is data."""
    samples = ig.models.Samples((copies,), [[1.0]])
    return replace(van_der_waals, matrix=copies * van_der_waals.matrix, samples=samples)


@cache
def product() -> ig.symbolic.Metric:
    """Van der Waals gas times a normal law, four parameters."""
    normal = ig.symbolic.metric(ig.models.normal())
    return ig.symbolic.Metric(
        (*van_der_waals.coordinates, *normal.coordinates),
        diag(van_der_waals.matrix, normal.matrix),
        domains=(*van_der_waals.domains, *normal.domains),
    )
