"""``infogeom verify``: the numbers of a model by independent routes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import infogeom as ig
from infogeom.cli.exits import AGREEMENT, DISAGREEMENT
from infogeom.cli.subjects import MODELS, model_named

__all__ = ["add"]

VERIFY = """\
Compute metric, connection and curvature of a model by independent routes, and say whether they agree.

The compiled values are compared with the definition by quadrature or summation, the closed form in 50 digits, the
Gauss equation, ball arithmetic and EinsteinPy. Exit status: 0 if every comparison agrees, 1 if one does not (or there
was nothing to compare), 2 for bad input."""

EXAMPLES = """
examples:
  infogeom verify normal
  infogeom verify binomial:7 --at p=0.3 --at p=1/2
  infogeom verify neuron:cross-entropy --at theta1=0.5,theta2=-0.5
  infogeom verify my_models.py:weibull --points 5 --seed 1
"""


def add(commands: Any) -> None:
    """Add the parser of the subcommand; its ``run`` takes the options and returns the exit status."""
    parser = commands.add_parser(
        "verify",
        help="compare the numbers of a model by independent routes",
        description=VERIFY,
        epilog=MODELS + EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="MODEL", help="what to verify, see below")

    # Where to verify it: at points given, or at some drawn.
    parser.add_argument(
        "--at",
        action="append",
        metavar="NAME=VALUE[,NAME=VALUE…]",
        help="a point, every parameter with its value (a decimal or a fraction such as 1/3); may be repeated",
    )
    parser.add_argument("--points", type=int, metavar="K", help="draw K points of the typical ranges (default 3)")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="S", help="of the points drawn and of a network's data (default 0)"
    )
    parser.add_argument("--samples", type=int, metavar="N", help="size of a network's data set (default 1000)")
    parser.add_argument("--slow", action="store_true", help="ask EinsteinPy about three parameters too (minutes)")

    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if options.at and options.points is not None:
        raise ValueError("--points draws points and --at gives them: leave out one of them")
    subject = model_named(options.model, options.samples, options.seed)
    if options.at:
        names = ig.symbolic.numeric_metric(subject).names
        points: Any = [_point(text, names) for text in options.at]
    else:
        count = 3 if options.points is None else options.points
        points = ig.verification.typical_points(subject, count, options.seed)
    result = ig.verify(subject, points, slow=options.slow)
    print(result)
    return AGREEMENT if result.agree else DISAGREEMENT


def _point(text: str, names: Sequence[str]) -> list[float]:
    """Point from NAME=VALUE,NAME=VALUE…, in the order of the names."""
    values: dict[str, float] = {}
    for pair in text.split(","):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or name not in names:
            raise ValueError(f"--at must name {', '.join(names)} as NAME=VALUE, got {pair!r}")
        if name in values:
            raise ValueError(f"--at must name each parameter once, got {name!r} twice in {text!r}")
        values[name] = _real(name, value)
    missing = [name for name in names if name not in values]
    if missing:
        raise ValueError(f"--at must name every parameter; missing {', '.join(missing)} in {text!r}")
    return [values[name] for name in names]


def _real(name: str, text: str) -> float:
    try:
        return float(Fraction(text))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(f"--at: {name} must be a finite decimal or a fraction, got {text!r}") from None
