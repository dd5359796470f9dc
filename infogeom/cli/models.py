"""``infogeom models``: the families in a table, or one in full."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from tqdm import tqdm

import infogeom as ig
from infogeom.cli.exits import AGREEMENT
from infogeom.cli.subjects import MODELS, model_named

__all__ = ["add"]

FAMILIES = """\
List the families: parameters, Fisher metric and scalar curvature R in closed form, whether the metric is Hessian in
these parameters (∂_k g_ij totally symmetric), and whether the curvature is constant.

Yes and no are proven; what is not known is left open (?), as is a closed form of R where those of the metric and of its
inverse are long already (less so for a family alone). Expectations that do not close are taken by numbers: by
quadrature, summation, transfer matrices, Pfaffians or at a saddle point."""


def add(commands: Any) -> None:
    """Add the parser of the subcommand; its ``run`` takes the options and returns the exit status."""
    parser = commands.add_parser(
        "models",
        help="list the families, or show one in full",
        description=FAMILIES,
        epilog=MODELS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="MODEL", nargs="?", help="one in full, see below; all in a table when omitted")
    parser.add_argument("--latex", action="store_true", help="LaTeX instead of text")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if options.model is None:
        _print_table(latex=options.latex)
        return AGREEMENT
    subject = model_named(options.model)
    if not isinstance(subject, ig.models.Model):
        raise TypeError(f"{options.model} must be a Model, got a {type(subject).__name__}")
    found = ig.catalogue.entry(subject, name=options.model)
    print(found.latex() if options.latex else found)
    return AGREEMENT


def _print_table(*, latex: bool) -> None:
    """Families in LaTeX, or as text, line by line as they are found."""
    if latex:
        print(ig.models.table().latex())
        return
    for line in ig.catalogue.lines():
        tqdm.write(line)  # beside its progress bar
        sys.stdout.flush()
