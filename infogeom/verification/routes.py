"""Routes to the numbers of a metric that share nothing with the compiled kernels but the model.

A route finds quantities at a point, in mpmath numbers with bounds on their errors.  `infogeom.verification` compares
them with what the kernels give.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import mpmath
import numpy as np
from numpy.typing import NDArray

from infogeom.kernels.curvature.jet import Jet
from infogeom.kernels.curvature.textbook import TENSORS, gauss_scalar, inverse, perturbed, textbook
from infogeom.models.model import Model
from infogeom.symbolic import CumulantsAtPoint, MeanAndCovariance, Metric
from infogeom.verification import differences
from infogeom.verification.gibbs import Way, other_ways
from infogeom.verification.parts import by_parts
from infogeom.verification.reference import Reference, ReferenceJet
from infogeom.verification.score_jet import ScoreJet

__all__ = ["CLOSED_FORM", "ROUTE_DIGITS", "Found", "Route", "Skipped", "routes"]

#: Digits of everything but the quadratures, which have 25, and the compiled kernels.
ROUTE_DIGITS = 50
#: Bits of the ball arithmetic.
BALL_BITS = 256
#: Parameters up to which EinsteinPy takes seconds.
QUICK_PARAMETERS = 2
#: Parameters up to which it is asked at all.
MOST_PARAMETERS = 3
#: Evaluations of an integrand, in the digits of `differences`, that take a minute at most.
MOST_EVALUATIONS = 50_000
#: What routes by jets find.
OF_JETS = ("metric", "christoffel", "ricci_scalar")
BALL = "ball"
CLOSED_FORM = f"closed form, {ROUTE_DIGITS} digits"
EINSTEINPY = "EinsteinPy"
BY_PARTS = "chain rule"
DIFFERENCES = f"differences, {differences.MATRIX_DIGITS} digits"
LOG_DENSITY = "definition, α-identity, Gauss equation"
MATRICES = f"inverse and differences, {differences.MATRIX_DIGITS} digits"
NEEDS_CLOSED_FORM = f"{CLOSED_FORM}; {DIFFERENCES}; {BALL}; {EINSTEINPY}"

Array = NDArray[Any]
Point = tuple[float, ...]


class Found(NamedTuple):
    """A quantity by a route: its components, bounds on their errors, and the digits of the arithmetic behind them."""

    route: str
    quantity: str
    value: Any
    error: Any = 0
    digits: float = float("inf")


#: From a point, and whether curvature is defined there, to what is found there.
Source = Callable[[Point, bool], Iterator[Found]]
#: Names of routes that do not apply, or not everywhere, with the reason.
Skipped = list[tuple[str, str]]


class Route(NamedTuple):
    """One or more related routes, which are taken together, and the quantities that they may find."""

    name: str
    find: Source
    gives: tuple[str, ...]


def routes(metric: Metric, model: Model | None, jet: Reference, *, slow: bool) -> tuple[list[Route], Skipped]:
    """Routes that apply to a metric, and to the model that is supposed to have it; the others with their reasons.

    Parameters
    ----------
    metric : Metric
    model : Model or None
    jet : callable
        `infogeom.verification.parts.reference` of the metric.
    slow : bool
        Whether EinsteinPy may take its time.
    """
    if isinstance(metric.form, CumulantsAtPoint):
        return [_from_other_way(way) for way in other_ways(metric.form.structure)], []
    if isinstance(metric.form, MeanAndCovariance):
        return [_from_other_way(Way(MATRICES, jet))], []
    definition, written = _from_log_density(model), metric.written_out
    found = [definition, _from_parts(metric, model, open_too=written is None and definition[0] is None)]
    if written is None:
        found.append((None, [(NEEDS_CLOSED_FORM, f"the metric is {metric.form.told}")]))
    else:
        found += [_from_closed_form(jet), _from_differences(written), _from_balls(written)]
        found.append(_from_einsteinpy(written, slow=slow))
    taken = [route for route, _ in found if route]
    return taken, [line for _, lines in found for line in lines]


def _from_log_density(model: Model | None) -> tuple[Route | None, Skipped]:
    """By expectations of products of scores and their derivatives, which give three quantities in four ways."""
    if model is None:
        return None, [(LOG_DENSITY, "a bare metric has no log-density")]
    try:
        jet = ScoreJet(model)
    except NotImplementedError as error:
        return None, [(LOG_DENSITY, f"that would take {error}")]
    definition, identity = f"definition, {jet.name}", "embedding" if jet.embedded else "α-identity"

    def source(point: Point, curved: bool) -> Iterator[Found]:
        found, errors = jet(point)
        yield Found(definition, "metric", found.g, errors.g, ROUTE_DIGITS)
        if not curved or jet.kink:
            return

        # Γ by the α-connection identity, which needs no ∂g.
        off = perturbed(_raised, (found.tangential, found.g), (errors.tangential, errors.g))
        yield Found(identity, "christoffel", _raised(found.tangential, found.g), off, ROUTE_DIGITS)

        # R by the definition of g and its derivatives, then by the Gauss equation, which needs no derivative of g.
        off = perturbed(_textbook_scalar, found[:3], errors[:3])
        yield Found(definition, "ricci_scalar", _textbook_scalar(*found[:3]), off, ROUTE_DIGITS)
        products = found.g, found.tangential, found.second
        off = perturbed(gauss_scalar, products, (errors.g, errors.tangential, errors.second))
        yield Found("Gauss equation", "ricci_scalar", gauss_scalar(*products), off, ROUTE_DIGITS)

    route = Route(LOG_DENSITY, source, OF_JETS)
    if jet.kink:
        return route, [("definition of R, α-identity, Gauss equation", jet.kink)]
    if jet.embedded:
        return route, [("α-identity", "the metric is a mean over samples of products, which the embedding has")]
    return route, []


def _raised(tangential: Array, g: Array) -> Array:
    """Γ^k_ij from Γ_ij,k."""
    return np.asarray(np.einsum("km,ijm->kij", inverse(g), tangential))


def _textbook_scalar(g: Array, dg: Array, ddg: Array) -> Any:
    return textbook(Jet(g, dg, ddg))["ricci_scalar"].item()


def _from_closed_form(jet: Reference) -> tuple[Route, Skipped]:
    def source(point: Point, curved: bool) -> Iterator[Found]:
        return _by_textbook(CLOSED_FORM, jet(point), curved)

    return Route(CLOSED_FORM, source, OF_JETS), []


def _by_textbook(route: str, jet: ReferenceJet, curved: bool) -> Iterator[Found]:
    """Metric, connection and R of a jet in so many digits."""
    value, _, errors = jet
    yield Found(route, "metric", value.g, errors.g, ROUTE_DIGITS)
    if curved:
        tensors = textbook(value)
        for name in OF_JETS[1:]:
            off = perturbed(lambda *j, name=name: textbook(Jet(*j))[name], value, errors)
            yield Found(route, name, tensors[name], off, ROUTE_DIGITS)


def _from_parts(metric: Metric, model: Model | None, *, open_too: bool) -> tuple[Route | None, Skipped]:
    """By the chain rule, for a model or a metric that is made of others."""
    jet = by_parts(metric, model, open_too=open_too)
    if jet is None:
        return None, []

    def source(point: Point, curved: bool) -> Iterator[Found]:
        return _by_textbook(BY_PARTS, jet(point), curved)

    return Route(BY_PARTS, source, OF_JETS), []


def _from_other_way(way: Way) -> Route:
    """Jets by another way than the kernels'."""

    def source(point: Point, curved: bool) -> Iterator[Found]:
        return _by_textbook(way.name, way.jet(point), curved)

    return Route(way.name, source, OF_JETS)


def _from_differences(metric: Metric) -> tuple[Route | None, Skipped]:
    if (count := 2 * differences.evaluations(metric)) > MOST_EVALUATIONS:
        return None, [(DIFFERENCES, f"that would take {count} evaluations of the integrand at each point")]
    jet = differences.central_differences(metric)

    def source(point: Point, curved: bool) -> Iterator[Found]:
        near, far = jet(point, 1), jet(point, 2)
        yield Found(DIFFERENCES, "metric", near.g, digits=ROUTE_DIGITS)
        if curved:
            # Twice the step has four times the error.
            tensors, others = textbook(near), textbook(far)
            for name, tensor in tensors.items():
                yield Found(DIFFERENCES, name, tensor, abs(tensor - others[name]), ROUTE_DIGITS)

    return Route(DIFFERENCES, source, ("metric", *TENSORS)), []


def _from_balls(metric: Metric) -> tuple[Route | None, Skipped]:
    names = ("metric", "ricci_scalar")
    try:
        balls = importlib.import_module("infogeom.kernels.points.forms.closed").exact(metric, names)
    except ImportError:
        return None, [(BALL, "it needs python-flint: pip install python-flint")]
    middle = np.vectorize(lambda ball: mpmath.mpf(ball.mid().str(2 * ROUTE_DIGITS, radius=False)), otypes=[object])
    radius = np.vectorize(lambda ball: mpmath.mpf(float(ball.rad())), otypes=[object])

    def source(point: Point, curved: bool) -> Iterator[Found]:
        wanted = names if curved else names[:1]
        found = balls.enclose(point, wanted, BALL_BITS).values
        for name in wanted:
            yield Found(BALL, name, middle(found[name]), radius(found[name]))

    return Route(BALL, source, names), []


def _from_einsteinpy(metric: Metric, *, slow: bool) -> tuple[Route | None, Skipped]:
    n = len(metric.names)
    if n > MOST_PARAMETERS:
        return None, [(EINSTEINPY, f"{n} parameters would take it too long")]
    if n > QUICK_PARAMETERS and not slow:
        return None, [(EINSTEINPY, f"{n} parameters take it long; ask for them with slow=True (--slow)")]
    try:
        einstein = importlib.import_module("infogeom.einstein")
    except ImportError:
        return None, [(EINSTEINPY, "it is not installed: pip install 'infogeom[einstein]'")]
    real = np.vectorize(lambda x: mpmath.mpf(x.p) / x.q, otypes=[object])

    def source(point: Point, curved: bool) -> Iterator[Found]:
        if curved:
            for name, tensor in einstein.einsteinpy(metric, point).items():
                yield Found(EINSTEINPY, name, real(tensor), digits=einstein.RATIONAL_DIGITS)

    return Route(EINSTEINPY, source, TENSORS), []
