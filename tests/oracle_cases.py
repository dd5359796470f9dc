"""Everything whose numbers are held against the oracle, and points of it anywhere in its domain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import flint
import numpy as np
import sympy

import infogeom as ig
from infogeom.losses import CrossEntropy, LpNorm, MeanPower
from infogeom.models.by_name import named
from infogeom.models.combine import Product, Reparametrisation, Replicas
from infogeom.symbolic.expectation import OpenExpectationError
from tests import oracle_fields as fields
from tests.families import FAMILIES
from tests.oracle_balls import Program, exact
from tests.oracle_fields import Field

Array = np.ndarray[Any, np.dtype[Any]]
#: Decades of a positive number, of the size of a real one, and of the distance to a border in units of the domain.
DECADES, SIGNED, BORDER = (-8.0, 8.0), (-8.0, 8.0), (-15.5, -0.31)
#: Steps that find a joint border.
HALVINGS = 60
LOSSES = (CrossEntropy(), LpNorm(2), LpNorm(4), MeanPower(2), MeanPower(4), MeanPower(6))
oo, interval = sympy.oo, sympy.Interval.open


@dataclass(frozen=True, eq=False)
class Case:
    """A model or metric; the decades of its parameters where sixteen are too many; its rank if it is singular."""

    name: str
    make: Callable[[], Any]
    decades: tuple[tuple[str, tuple[float, float]], ...] = ()
    kind: str = "closed"
    #: Of what is singular everywhere.
    rank: int | None = None
    #: Of laws on the line: where the mass is, and on what scale.
    centre: Callable[..., float] | None = None
    scale: Callable[..., float] | None = None

    @cached_property
    def subject(self) -> Any:
        """The model or metric."""
        return self.make()

    @cached_property
    def field(self) -> Field:
        """Its truth."""
        return self._field(self.subject)

    def _field(self, subject: Any) -> Field:
        if isinstance(subject, ig.symbolic.Metric):
            return Field(subject)
        structure = subject.structure
        if isinstance(structure, Product):
            return fields.Block([self._field(part) for part in structure.parts])
        if isinstance(structure, Replicas):
            return fields.Scaled(self._field(structure.model), int(structure.number))
        if isinstance(structure, Reparametrisation):
            return fields.Pulled(self._field(structure.model), subject)
        try:
            return Field(ig.symbolic.metric(subject))
        except OpenExpectationError:
            if isinstance(subject.support, sympy.Interval):
                assert self.centre
                assert self.scale
                return fields.IntegratedField(subject, self.centre, self.scale)
            return fields.SummedField(subject)

    @property
    def declared(self) -> tuple[list[str], list[sympy.Interval], list[tuple[float, float]], Sequence[Any]]:
        """Names, domains and typical ranges of the coordinates, and their joint conditions."""
        s = self.subject
        if isinstance(s, ig.symbolic.Metric):
            typical = [ig.models.Parameter("inside", d).typical for d in s.domains]
            return [*s.names], [*s.domains], typical, s.constraints
        parameters = s.parameters
        names, domains, typical = ([getattr(p, a) for p in parameters] for a in ("name", "domain", "typical"))
        return names, domains, typical, s.constraints

    def points(self, count: int, seed: int = 0) -> Array:
        """Points over all decades and to the borders of the domain, shape (count, n)."""
        names, domains, typical, constraints = self.declared
        rng, own = np.random.default_rng([seed, *self.name.encode()]), dict(self.decades)
        symbols = (
            self.subject.coordinates
            if hasattr(self.subject, "coordinates")
            else [p.symbol for p in self.subject.parameters]
        )
        inside = Program([*symbols], [*constraints])
        found: list[Array] = []
        for attempt in range(200 * count):
            x = np.array([draw(rng, d, own.get(name)) for name, d in zip(names, domains, strict=True)])
            if constraints and attempt % 2:
                x = towards(rng, inside, np.array([rng.uniform(*t) for t in typical]), x)
            if holds(inside, x):
                found.append(x)
            if len(found) == count:
                return np.array(found)
        raise ValueError(f"no points of {self.name}")


def draw(rng: np.random.Generator, domain: sympy.Interval, decades: tuple[float, float] | None) -> float:
    """A number anywhere in an open interval: log-uniform from its ends, or from 0 to both sides."""
    low, high = float(domain.start), float(domain.end)
    while True:
        if np.isfinite(low) and np.isfinite(high):
            distance = (high - low) * 10 ** rng.uniform(*(decades or BORDER))
            x = low + distance if rng.random() < 0.5 else high - distance
        elif np.isfinite(low):
            x = low + 10 ** rng.uniform(*(decades or DECADES))
        elif np.isfinite(high):
            x = high - 10 ** rng.uniform(*(decades or DECADES))
        else:
            x = rng.choice([-1, 1]) * 10 ** rng.uniform(*(decades or SIGNED))
        if low < x < high:
            return float(x)


def holds(conditions: Program, x: Array) -> bool:
    """Whether all conditions are positive, exactly."""
    with flint.ctx.workprec(2000):
        return all(value > 0 for value in conditions(*map(exact, x)))


def towards(rng: np.random.Generator, inside: Program, start: Array, end: Array) -> Array:
    """A point close to the joint border on the segment from a point inside to another."""
    if not holds(inside, start) or holds(inside, end):
        return end
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(inside, start + middle * (end - start)) else (low, middle)
    return np.asarray(start + low * (1 - 10 ** rng.uniform(*BORDER)) * (end - start))


# --- The roll-call ----------------------------------------------------------------------------------------------------

#: Where sums stay short and integrands smooth.
NARROW: dict[str, tuple[tuple[str, tuple[float, float]], ...]] = {
    "negative_binomial": (("r", (-8, 1.5)), ("p", (-1.5, -0.31))),
    "skellam": (("mu1", (-8, 1.7)), ("mu2", (-8, 1.7))),
    "skew_normal": (("alpha", (-8, 0.8)),),
    "rice": (("nu", (-2, 1)), ("sigma", (-2, 1))),
}
#: Beyond these sizes only logarithms of the natural parameters' exponentials fit float64.
NATURAL = (-8.0, 2.3)
MORE = ("categorical:4", "dirichlet:4", "log_linear:3", "multinomial:9,3", "beta_binomial:5", "von_mises_fisher:3",
        "gaussian_chain:3", "multivariate_normal_known_covariance:2", "negative_multinomial:3,3")  # fmt: skip


def families() -> Iterator[Case]:
    """Every family, with small arguments and with those of the other tests."""
    made = {name: (lambda m=model: m) for name, model in named()}
    made |= {name: make for name, make in FAMILIES.items() if name not in made}
    known = ig.models.families() if callable(ig.models.families) else {}
    for text in MORE:
        if text.partition(":")[0] in known:
            made[text] = lambda text=text: ig.models.family(text)
    for name, make in made.items():
        summed = "negative_binomial", "skellam", "beta_binomial(40)", "dirichlet_multinomial:2,2"
        kind = "sum" if name in summed else "closed"
        if name in ("fgm_copula", "clayton_copula"):
            kind = "quadrature"
        decades = NARROW.get(name, ())
        if name.startswith(("log_linear", "von_mises_fisher", "categorical_natural")):
            decades = tuple((p.name, NATURAL) for p in make().parameters)
        if name == "rice":
            yield Case(name, make, decades, "quadrature", None, lambda nu, sigma: nu + sigma, lambda _, sigma: sigma)
        elif name == "skew_normal":
            yield Case(name, make, decades, "quadrature", None, lambda *x: x[0], lambda *x: x[1])
        else:
            yield Case(name, make, decades, kind)


def combined() -> Iterator[Case]:
    """Products, copies, other coordinates, submodels, regressions."""
    m = ig.models
    variance, mean, precision, w = (sympy.Symbol(s, positive=True) for s in ("variance", "mean", "precision", "w"))
    share = m.Parameter(sympy.Symbol("share", positive=True), interval(0, 1), (0.2, 0.8))
    t, s, x = (sympy.Symbol(name, real=True) for name in "tsx")
    yield Case("normal × gamma", lambda: m.product(m.normal(), m.gamma()))
    yield Case("student_t × poisson", lambda: m.product(m.student_t(), m.poisson()))
    yield Case("5 × beta", lambda: m.replicate(m.beta(), 5))
    yield Case("1000000 × weibull", lambda: m.replicate(m.weibull(), 10**6))
    yield Case("normal by variance", lambda: m.reparametrise(m.normal(), {"sigma": sympy.sqrt(variance)}))
    beta = {"alpha": share.symbol * precision, "beta": (1 - share.symbol) * precision}
    yield Case("beta by mean and precision", lambda: m.reparametrise(m.beta(), beta, [share, precision]))
    gamma = {"shape": w, "rate": w / mean}
    yield Case("gamma by mean", lambda: m.reparametrise(m.gamma(), gamma, [mean, w]))
    natural = {"mu": -t / (2 * s), "sigma": sympy.sqrt(-1 / (2 * s))}
    below = m.Parameter(s, interval(-oo, 0), (-2, -0.5))
    yield Case("normal in natural coordinates", lambda: m.reparametrise(m.normal(), natural, [m.Parameter(t), below]))
    yield Case("normal with σ = μ", lambda: m.reparametrise(m.normal(), {"mu": w, "sigma": w}, [w]))
    log_odds = {"p": ig.functions.expit(t)}
    yield Case("binomial by log-odds", lambda: m.reparametrise(m.binomial(7), log_odds, [t]), (("t", NATURAL),))
    inputs = [[0.3], [-1.2], [2.5], [0.7]]
    a, b = (sympy.Symbol(name, real=True) for name in "ab")
    expit = ig.functions.expit
    line = {"variables": x, "parameters": [a, b]}
    yield Case("line with normal noise", lambda: m.regression(a + b * x, m.normal(), inputs, **line))
    yield Case("log-linear Poisson", lambda: m.regression(sympy.exp(a + b * x), m.poisson(), inputs, **line),
               (("a", (-8, 2)), ("b", (-8, 2))))  # fmt: skip
    yield Case("logistic regression", lambda: m.regression(expit(a + b * x), m.bernoulli(), inputs, **line),
               (("a", NATURAL), ("b", NATURAL)))  # fmt: skip
    y, c = sympy.Symbol("y", real=True), sympy.Symbol("c", real=True)
    celsius = [14.3, 21.8, 17.1, 28.4, 11.9]
    both = [[d, 1.8 * d + 32] for d in celsius]
    scales = {"variables": [x, y], "parameters": [a, b, c]}
    twice = expit(a + b * x + c * y)
    yield Case("Celsius beside Fahrenheit", lambda: m.regression(twice, m.bernoulli(), both, **scales),
               tuple((name, (-8, -1)) for name in "abc"), rank=2)  # fmt: skip
    decay = {"variables": x, "parameters": [a, m.Parameter(w)]}
    falling = a * sympy.exp(-w * x)
    yield Case("decay with normal noise", lambda: m.regression(falling, m.normal(), [0.5, 1.5, 3.0], **decay),
               (("w", (-8, 2)),))  # fmt: skip


def truncated() -> Iterator[Case]:
    """Laws of users', of one parameter and more, whose closed forms cancel."""
    m = ig.models
    x, rate, a = sympy.symbols("x rate a", positive=True)
    k = sympy.Symbol("k", integer=True, positive=True)
    law = sympy.log(rate) - rate * x - sympy.log(1 - sympy.exp(-rate))
    yield Case("exponential on (0, 1)", lambda: m.from_density(law, x, [rate], interval(0, 1)))
    zero = k * sympy.log(rate) - rate - sympy.loggamma(k + 1) - sympy.log(1 - sympy.exp(-rate))
    yield Case("zero-truncated Poisson", lambda: m.from_density(zero, k, [rate], sympy.S.Naturals))
    p = m.Parameter(sympy.Symbol("p", positive=True), interval(0, 1), (0.2, 0.8))
    series = k * sympy.log(p.symbol) - sympy.log(k) - sympy.log(-sympy.log(1 - p.symbol))
    yield Case("log-series", lambda: m.from_density(series, k, [p], sympy.S.Naturals))
    kumaraswamy = sympy.log(a * rate) + (a - 1) * sympy.log(x) + (rate - 1) * sympy.log(1 - x**a)
    yield Case("Kumaraswamy", lambda: m.from_density(kumaraswamy, x, [a, rate], interval(0, 1)))


def mixtures() -> Iterator[Case]:
    """Laws without closed forms that users make."""
    m = ig.models
    names = {"mu": sympy.Symbol("mu2", real=True), "sigma": sympy.Symbol("sigma2", positive=True)}
    two = {"rate": sympy.Symbol("rate2", positive=True)}
    short = (("rate", (-8, 1.5)), ("rate2", (-8, 1.5)), ("weight1", (-3, -0.31)))
    yield Case("mixture of Poisson", lambda: m.mixture([m.poisson(), m.reparametrise(m.poisson(), two)]), short, "sum")
    near = {"mu": (-3, 0.3), "mu2": (-3, 0.3), "sigma": (-0.3, 0.3), "sigma2": (-0.3, 0.3), "weight1": (-2, -0.31)}
    both = [m.normal(), m.reparametrise(m.normal(), names)]
    yield Case("mixture of normal", lambda: m.mixture(both), tuple(near.items()), "quadrature",
               None, lambda *_: 0.0, lambda *_: 1.0)  # fmt: skip
    p, rate = m.Parameter(sympy.Symbol("p", positive=True), interval(0, 1), (0.2, 0.8)), two["rate"]
    k = sympy.Symbol("k", integer=True, nonnegative=True)
    positive = k * sympy.log(rate) - sympy.loggamma(k + 1) - sympy.log(sympy.exp(rate) - 1)
    hurdle = sympy.Piecewise((sympy.log(p.symbol), sympy.Eq(k, 0)), (sympy.log(1 - p.symbol) + positive, True))
    yield Case("hurdle Poisson", lambda: m.from_density(hurdle, k, [p, rate], sympy.S.Naturals0),
               (("rate2", (-8, 1.5)),), "sum")  # fmt: skip
    yield Case("5 × skellam", lambda: m.replicate(m.skellam(), 5), NARROW["skellam"], "sum")
    yield Case("skellam × normal", lambda: m.product(m.skellam(), m.normal()), NARROW["skellam"], "sum")


def networks(samples: Sequence[int] = (3, 20)) -> Iterator[Case]:
    """The sigmoid neuron under every loss and both Fisher metrics."""
    decades = (("theta1", (-8.0, 2.5)), ("theta2", (-8.0, 2.5)))
    for size in samples:
        for loss in LOSSES:
            for fisher in ("empirical", "expected"):

                def make(size: int = size, loss: Any = loss, fisher: str = fisher) -> Any:
                    inputs, targets = ig.models.decision_boundary(size, seed=size)
                    return ig.models.sigmoid_neuron(inputs, targets, loss, fisher=fisher)

                yield Case(f"network {loss.name} {fisher} {size}", make, decades)


def bare() -> Iterator[Case]:
    """Metrics that are nobody's Fisher information."""
    t, r, u, v, z = (sympy.Symbol(name, real=True) for name in "truvz")
    theta, phi = sympy.Symbol("theta", real=True), sympy.Symbol("phi", real=True)
    angle, line = interval(0, sympy.pi), sympy.S.Reals
    half, outside = interval(0, oo), interval(2, oo)
    sin, cos, sinh, cosh, exp = sympy.sin, sympy.cos, sympy.sinh, sympy.cosh, sympy.exp
    small = (-8.0, 2.0)

    def metric(*arguments: Any, **options: Any) -> Callable[[], Any]:
        return lambda: ig.symbolic.Metric(*arguments, **options)

    yield Case("sphere", metric([theta, phi], sympy.diag(1, sin(theta) ** 2), domains=[angle, line]))
    yield Case("torus", metric([u, v], sympy.diag(1, (3 + cos(u)) ** 2), domains=[interval(-4, 4), line]))
    flat = sympy.diag(1, r**2, r**2 * sin(theta) ** 2)
    yield Case("flat space in spherical coordinates", metric([r, theta, phi], flat, domains=[half, angle, line]))
    yield Case("plane in polar coordinates", metric([r, phi], sympy.diag(1, r**2), domains=[half, line]))
    f = 1 - 2 / r
    schwarzschild = sympy.diag(-f, 1 / f, r**2, r**2 * sin(theta) ** 2)
    yield Case("Schwarzschild", metric([t, r, theta, phi], schwarzschild, domains=[line, outside, angle, line]))
    spin = sympy.Rational(1, 2)
    sigma, delta = r**2 + spin**2 * cos(theta) ** 2, r**2 - 2 * r + spin**2
    frame = -2 * r * spin * sin(theta) ** 2 / sigma
    around = (r**2 + spin**2 + 2 * r * spin**2 * sin(theta) ** 2 / sigma) * sin(theta) ** 2
    rows = [[-(1 - 2 * r / sigma), 0, 0, frame], [0, sigma / delta, 0, 0], [0, 0, sigma, 0], [frame, 0, 0, around]]
    yield Case("Kerr", metric([t, r, theta, phi], rows, domains=[line, outside, angle, line]))
    yield Case("FLRW with radiation", metric([t, u, v, z], sympy.diag(-1, t, t, t), domains=[half, line, line, line]))
    inflation = sympy.diag(-1, *[exp(2 * t / 3)] * 3)
    yield Case("de Sitter", metric([t, u, v, z], inflation), (("t", small),))
    yield Case(
        "null coordinates", metric([u, v], [[0, -exp(-u * v)], [-exp(-u * v), 0]]), (("u", (-8, 1)), ("v", (-8, 1)))
    )
    yield Case(
        "decimals in sinh", metric([u, v], sympy.diag(1, sinh(0.1 * u) ** 2), domains=[half, line]), (("u", (-8, 3)),)
    )
    mixed = [[1, u * v / 3], [u * v / 3, 1 + u**2 * v**2]]
    yield Case("surface", metric([u, v], mixed))
    yield Case("hyperbolic plane", metric([u, v], sympy.diag(1, 1) / v**2, domains=[line, half]))
    hidden = sympy.diag(1, cosh(u) ** 2 - sinh(u) ** 2 - 1)
    yield Case("nothing in disguise", metric([u, v], hidden), (("u", (-8, 2)),), rank=1)
    field = sympy.log(2 * cosh(u + v))
    yield Case(
        "mean field alone", metric([u, v], sympy.hessian(field, (u, v))), (("u", (-8, 1)), ("v", (-8, 1))), rank=1
    )


def roll_call() -> list[Case]:
    """All of them."""
    return [*families(), *combined(), *truncated(), *mixtures(), *networks(), *bare()]
